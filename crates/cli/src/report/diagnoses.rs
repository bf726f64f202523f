//! The section about what went wrong: diagnoses over a timeline, the worst first, and below each what followed from it.
//! The engine finds the diagnoses, their causes and their sentences.

use std::io;

use callgauge::diagnosis::Severity;
use callgauge::summary::{ConferenceSummary, DiagnosisSummary};
use console::Style;

use super::sparkline::presence;
use crate::output::Page;
use crate::wording::{plural, printable};

/// How many diagnoses the section has, at most.
const MAX_SHOWN: usize = 12;
/// How many diagnoses stand below the one that they follow from, at most.
const MAX_FOLLOWING: usize = 4;
/// Columns of the longest name of a severity.
const SEVERITY_WIDTH: usize = 7;

pub(crate) fn write(summary: &ConferenceSummary, page: &mut Page<'_>) -> io::Result<()> {
    let refused = summary.refused_diagnoses;
    if summary.diagnoses.is_empty() && refused == 0 {
        return Ok(());
    }
    page.blank()?;
    page.heading("What went wrong, worst first")?;
    let causes: Vec<(u64, &DiagnosisSummary)> =
        (0..).zip(&summary.diagnoses).filter(|(_, diagnosis)| diagnosis.follows.is_none()).collect();
    for &(index, cause) in causes.iter().take(MAX_SHOWN) {
        write_with_effects(summary, index, cause, page)?;
    }
    let more = causes.len().saturating_sub(MAX_SHOWN) as u64;
    if more > 0 {
        page.line(2, &format!("and {more} less severe"))?;
    }
    if refused > 0 {
        page.line(2, &format!("{} not stored (limit reached)", plural(refused, "later diagnosis")))?;
    }
    Ok(())
}

/// A diagnosis, and those that follow from it.
fn write_with_effects(
    summary: &ConferenceSummary,
    index: u64,
    cause: &DiagnosisSummary,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let effects: Vec<_> = summary.diagnoses.iter().filter(|diagnosis| diagnosis.follows == Some(index)).collect();
    let worst = effects.iter().map(|effect| effect.severity).fold(cause.severity, Ord::max);
    let style = style_of(worst);
    let lead = |severity: &str, bar: &str| format!("  {severity:SEVERITY_WIDTH$} {bar} ");
    page.item(&lead(worst.name(), &timeline(summary, cause, page)), &style, &printable(&cause.sentence))?;
    for effect in effects.iter().take(MAX_FOLLOWING) {
        let lead = lead("", &timeline(summary, effect, page)) + "  ";
        page.item(&lead, &style, &printable(&effect.sentence))?;
    }
    let more = effects.len().saturating_sub(MAX_FOLLOWING);
    if more > 0 {
        let no_bar = " ".repeat(bar_width(page) + 2);
        page.item(&(lead("", &no_bar) + "  "), &style, &format!("and {more} more"))?;
    }
    Ok(())
}

fn style_of(severity: Severity) -> Style {
    match severity {
        Severity::Severe => Style::new().red(),
        Severity::Warning => Style::new().yellow(),
        _ => Style::new().cyan(),
    }
}

/// When the diagnosis was active, over the whole call: `│···▇▇▇▇···│`.
fn timeline(summary: &ConferenceSummary, diagnosis: &DiagnosisSummary, page: &Page<'_>) -> String {
    let (Some(start), Some(end)) = (summary.start_ms, summary.end_ms) else { return String::new() };
    let place = |ms: f64| (ms - start) / (end - start).max(1.0);
    let bar = presence(place(diagnosis.from_ms), place(diagnosis.to_ms.unwrap_or(end)), bar_width(page));
    format!("│{bar}│")
}

/// Half of what a wide page has beside the sentence.
fn bar_width(page: &Page<'_>) -> usize {
    (page.width().saturating_sub(40) / 2).clamp(10, 40)
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgauge::{Conference, Config};

    #[test]
    fn a_refused_diagnosis_is_not_called_less_severe() {
        let mut summary = Conference::new("c", Config::new()).summary();
        let text = |summary: &ConferenceSummary| {
            let mut out = Vec::new();
            write(summary, &mut Page::plain(&mut out)).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(&summary), "");
        summary.refused_diagnoses = 3;
        let text = text(&summary);
        assert!(text.contains("3 later diagnoses not stored (limit reached)"), "{text}");
        assert!(!text.contains("less severe"), "{text}");
    }
}
