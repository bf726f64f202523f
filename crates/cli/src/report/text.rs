//! The report as text: the head, and the sections in their order, each stream and connection the worst first.
//! Each section is a module of its own; the summary and the bars come ready.

use std::io;

use callgauge::summary::ConferenceSummary;

use super::connection::{self, ConnectionSection};
use super::sparkline::AllSeries;
use super::{diagnoses, talk};
use crate::files::files_of;
use crate::output::Page;
use crate::problems;
use crate::records::InputFile;
use crate::wording::{duration, plural, printable, time_of_day};

/// How many errors the report has, at most.
const MAX_ERRORS: usize = 5;

pub(crate) fn write(
    summary: &ConferenceSummary,
    inputs: &[InputFile],
    series: &AllSeries,
    page: &mut Page<'_>,
) -> io::Result<()> {
    write_head(summary, inputs, page)?;
    diagnoses::write(summary, page)?;
    write_errors(summary, page)?;
    talk::write(summary, page)?;
    let mut origins = files_of(inputs).into_iter().map(|input| input.file.as_str());
    let mut fabrics: Vec<ConnectionSection<'_>> = summary
        .fabrics
        .iter()
        .enumerate()
        .map(|(index, fabric)| {
            ConnectionSection::new(index, fabric, origins.next().filter(|_| inputs.len() > 1), series)
        })
        .collect();
    fabrics.sort_by_key(ConnectionSection::rank);
    for fabric in &fabrics {
        fabric.write(summary, page)?;
    }
    write_legend(&fabrics, summary, page)
}

fn write_legend(fabrics: &[ConnectionSection<'_>], summary: &ConferenceSummary, page: &mut Page<'_>) -> io::Result<()> {
    let bars =
        "Bars show the whole call: rate against the stream's own peak, loss up to 20 %; · is zero, blank is unknown.";
    let impairments = "R: points of the 0-to-100 quality rating (E-model R) that determines the MOS.";
    let has_bars = fabrics.iter().any(|fabric| fabric.has_bars(summary));
    let has_impairments = fabrics.iter().any(ConnectionSection::has_impairments);
    if has_bars || has_impairments {
        page.blank()?;
    }
    if has_bars {
        page.line(0, bars)?;
    }
    if has_impairments {
        page.line(0, impairments)?;
    }
    Ok(())
}

fn write_head(summary: &ConferenceSummary, inputs: &[InputFile], page: &mut Page<'_>) -> io::Result<()> {
    let name = printable(summary.conference.as_deref().unwrap_or("Conference"));
    match summary.start_ms.zip(summary.duration_s) {
        Some((start, seconds)) => {
            page.heading(&format!("{name}: {} from {}", duration(seconds), time_of_day(start)))?;
        }
        None => page.heading(&name)?,
    }
    let streams: usize = summary.fabrics.iter().map(|fabric| fabric.streams.len()).sum();
    let connections = plural(summary.fabrics.len() as u64, "connection");
    page.line(2, &format!("{connections}, {}, worst first", plural(streams as u64, "stream")))?;
    for input in inputs {
        let format = input.format.unwrap_or("unrecognised format");
        let mut facts = vec![format!("{}: {format}", printable(&input.file)), plural(input.snapshots, "snapshot")];
        if inputs.len() > 1 && input.snapshots > 0 {
            facts.push(clock_of(input));
        }
        if input.repeated_items > 0 {
            facts.push(format!("{} also in another file", plural(input.repeated_items, "item")));
        }
        facts.extend(problems::of_late(input).filter(|_| 2 * input.late_snapshots > input.snapshots));
        page.facts(2, &facts, ", ")?;
    }
    Ok(())
}

/// The alignment of a file's clock with the clock of the first file.
fn clock_of(input: &InputFile) -> String {
    match input.clock_offset_ms.zip(input.clock_uncertainty_ms) {
        Some((0.0, 0.0)) => "reference clock".into(),
        Some((offset, uncertainty)) => {
            let way = if offset < 0.0 { "behind" } else { "ahead" };
            format!("clock {:.3} s {way}, ±{uncertainty:.1} ms", offset.abs() / 1e3)
        }
        None => "clock not aligned with the first file".into(),
    }
}

/// The first errors, and what the conference could not store.
fn write_errors(summary: &ConferenceSummary, page: &mut Page<'_>) -> io::Result<()> {
    let errors: Vec<_> = summary.errors.iter().filter(|error| !error.function.is_log()).collect();
    if errors.is_empty() && summary.refused_errors == 0 && summary.refused_events == 0 {
        return Ok(());
    }
    page.blank()?;
    page.heading("Errors")?;
    for error in errors.iter().take(MAX_ERRORS) {
        page.line(2, &connection::error(summary, error))?;
    }
    let more = errors.len().saturating_sub(MAX_ERRORS) as u64;
    if more > 0 {
        page.line(2, &format!("and {}", plural(more, "later error")))?;
    }
    for (refused, noun) in [(summary.refused_errors, "later error"), (summary.refused_events, "later event")] {
        if refused > 0 {
            page.line(2, &format!("{} not stored (limit reached)", plural(refused, noun)))?;
        }
    }
    Ok(())
}
