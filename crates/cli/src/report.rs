//! `report`: one conference out of all files, as text or JSON.
//! The text is made by the modules below, the JSON by the summary itself.

mod connection;
mod diagnoses;
mod sparkline;
mod stream;
mod talk;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;

use callgauge::Event;
use callgauge::summary::{ConferenceState, ConferenceSummary};
use serde::Serialize;

use crate::files::{Replayed, replay};
use crate::output::{Format, Page};
use crate::records::InputFile;
use sparkline::AllSeries;

#[derive(Serialize)]
struct Output<'a> {
    #[serde(flatten)]
    summary: &'a ConferenceSummary,
    inputs: &'a [InputFile],
}

pub(crate) fn run(
    format: Format,
    conference: Option<&str>,
    files: &[PathBuf],
    out: &mut dyn Write,
) -> io::Result<bool> {
    let mut series = AllSeries::new();
    let wants_series = matches!(format, Format::Text);
    let replayed = replay(files, |_, event, _| {
        if let Event::IntervalClosed { stream, interval, .. } = event
            && wants_series
        {
            series.entry((stream.fabric.index(), stream.direction, stream.ssrc)).or_default().add(interval);
        }
    });
    replayed.print_problems();
    let Replayed { recording, inputs, .. } = replayed;
    let usable = inputs.iter().any(|input| input.snapshots > 0);
    if !usable {
        return Ok(false);
    }
    let mut summary = recording.summary();
    let named = inputs.iter().find_map(|input| input.conference.as_deref());
    summary.conference = conference.or(named).map(Into::into);
    // The input has ended; nothing in it says why.
    summary.state = ConferenceState::Ended;
    match format {
        Format::Text => text::write(&summary, &inputs, &series, &mut Page::stdout(out))?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &Output { summary: &summary, inputs: &inputs })?;
            writeln!(out)?;
        }
    }
    Ok(true)
}
