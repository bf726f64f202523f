//! What went wrong, as conclusions over a timeline, worst first.

use std::io::{self, Write};

use callgauge::summary::{ConferenceSummary, DiagnosisSummary};

use crate::text::{plural, printable};

/// How many characters a timeline has.
const WIDTH: usize = 40;
/// How many conclusions are shown: nobody reads more.
const SHOWN: usize = 20;

pub(crate) fn write(summary: &ConferenceSummary, out: &mut dyn Write) -> io::Result<()> {
    let all = &summary.diagnoses;
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWhat went wrong, worst first")?;
    let call = summary.start_ms.zip(summary.end_ms);
    for diagnosis in all.iter().take(SHOWN) {
        let timeline = call.map(|(start, end)| timeline(diagnosis, start, end)).unwrap_or_default();
        writeln!(out, "  {:7} {timeline} {}", diagnosis.severity.name(), printable(&diagnosis.sentence))?;
    }
    let more = all.len().saturating_sub(SHOWN) as u64 + summary.refused_diagnoses;
    if more > 0 {
        writeln!(out, "  and {}", plural(more, "lesser conclusion"))?;
    }
    Ok(())
}

/// When it was so, over the whole call: `│···▇▇▇▇···│`.
fn timeline(diagnosis: &DiagnosisSummary, start: f64, end: f64) -> String {
    let place = |ms: f64| (ms - start) / (end - start).max(1.0) * WIDTH as f64;
    let (from, to) = (place(diagnosis.from_ms), place(diagnosis.to_ms.unwrap_or(end)));
    let is_on = |column: usize| column as f64 + 1.0 > from && (column as f64) < to.max(from + f64::MIN_POSITIVE);
    let columns: String = (0..WIDTH).map(|column| if is_on(column) { '▇' } else { '·' }).collect();
    format!("│{columns}│")
}
