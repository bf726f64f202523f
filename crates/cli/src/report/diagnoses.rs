//! What went wrong, as conclusions over a timeline, worst first, and under each what followed from it.

use std::io::{self, Write};

use callgauge::summary::{ConferenceSummary, DiagnosisSummary};

use crate::wording::{plural, printable};

/// How many characters a timeline has.
const WIDTH: usize = 40;
/// How many conclusions are shown: nobody reads more.
const SHOWN: usize = 12;
/// How many of those that follow from one are shown.
const FOLLOWING: usize = 4;

pub(crate) fn write(summary: &ConferenceSummary, out: &mut dyn Write) -> io::Result<()> {
    let all = &summary.diagnoses;
    let refused = summary.refused_diagnoses;
    if all.is_empty() && refused == 0 {
        return Ok(());
    }
    writeln!(out, "\nWhat went wrong, worst first")?;
    let call = summary.start_ms.zip(summary.end_ms);
    let roots: Vec<usize> = (0..all.len()).filter(|&at| all[at].follows.is_none()).collect();
    for &root in roots.iter().take(SHOWN) {
        let following: Vec<_> = all.iter().filter(|diagnosis| diagnosis.follows == Some(root as u64)).collect();
        let worst = following.iter().map(|following| following.severity).fold(all[root].severity, Ord::max);
        let line = |diagnosis: &DiagnosisSummary| call.map(|(start, end)| timeline(diagnosis, start, end));
        let first = &all[root];
        let sentence = printable(&first.sentence);
        writeln!(out, "  {:7} {} {sentence}", worst.name(), line(first).unwrap_or_default())?;
        for diagnosis in following.iter().take(FOLLOWING) {
            let sentence = printable(&diagnosis.sentence);
            writeln!(out, "          {}   {sentence}", line(diagnosis).unwrap_or_default())?;
        }
        let more = following.len().saturating_sub(FOLLOWING) as u64;
        if more > 0 {
            writeln!(out, "          {:42}   and {more} more", "")?;
        }
    }
    let more = roots.len().saturating_sub(SHOWN) as u64;
    if more > 0 {
        writeln!(out, "  and {}", plural(more, "lesser conclusion"))?;
    }
    if refused > 0 {
        writeln!(out, "  {} beyond the limit, not kept", plural(refused, "later conclusion"))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use callgauge::{Conference, Config};

    #[test]
    fn what_was_not_kept_is_not_called_lesser() {
        let mut summary = Conference::new("c", Config::new()).summary();
        let text = |summary: &ConferenceSummary| {
            let mut out = Vec::new();
            write(summary, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(&summary), "");
        summary.refused_diagnoses = 3;
        let text = text(&summary);
        assert!(text.contains("3 later conclusions beyond the limit") && !text.contains("lesser"), "{text}");
    }
}
