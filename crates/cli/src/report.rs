//! `report`: one conference out of all files, as text or JSON.
//! The text is made by the modules below, the JSON by the summary itself.

mod connection;
mod diagnoses;
mod sparkline;
mod stream;
mod talk;
mod text;

use std::io::{self, Write};

use callgauge::Event;
use callgauge::summary::{ConferenceState, ConferenceSummary};
use serde::Serialize;

use crate::calls::CallFiles;
use crate::files::{Replayed, replay};
use crate::output::{Format, Page, Status};
use crate::records::InputFile;
use sparkline::AllSeries;

#[derive(Serialize)]
struct Output<'a> {
    #[serde(flatten)]
    summary: &'a ConferenceSummary,
    inputs: &'a [InputFile],
}

/// Reports on every call. JSON of several calls (`each`) is a line for each; text has a blank line between them.
pub(crate) fn run(format: Format, each: bool, calls: &[CallFiles], out: &mut dyn Write) -> io::Result<Status> {
    let mut status = Status::NothingUsable;
    for call in calls {
        let mut series = AllSeries::default();
        let wants_series = matches!(format, Format::Text);
        let replayed = replay(call, &mut |_, event, _| {
            if let Event::IntervalClosed { stream, interval, .. } = event
                && wants_series
            {
                series.add(*stream, interval);
            }
        });
        replayed.print_problems();
        if replayed.is_usable() {
            if matches!(format, Format::Text) && status == Status::Done {
                writeln!(out)?;
            }
            write(format, each, replayed, &series, out)?;
            status = Status::Done;
        }
    }
    Ok(status)
}

fn write(format: Format, each: bool, replayed: Replayed, series: &AllSeries, out: &mut dyn Write) -> io::Result<()> {
    let Replayed { recording, inputs, conference, .. } = replayed;
    let mut summary = recording.summary();
    summary.conference = conference;
    // The input has ended; nothing in it says why.
    summary.state = ConferenceState::Ended;
    match format {
        Format::Text => text::write(&summary, &inputs, series, &mut Page::stdout(out)),
        Format::Json => {
            let output = Output { summary: &summary, inputs: &inputs };
            if each {
                serde_json::to_writer(&mut *out, &output)?;
            } else {
                serde_json::to_writer_pretty(&mut *out, &output)?;
            }
            writeln!(out)
        }
    }
}
