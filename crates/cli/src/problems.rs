//! What reading and replaying left out of a file, in sentences.
//! The reader and the conference decide what is left out; this module only says it.

use callgauge::replay::{Refusals, SourceOutcome};

use crate::records::InputFile;
use crate::wording::{plural, printable};

/// Says on standard error what was left out of a file.
pub(crate) fn print_problems(input: &InputFile) {
    for sentence in of_reading(input).into_iter().chain(of_replay(input)) {
        eprintln!("callgauge: {}: {sentence}", printable(&input.file));
    }
}

/// Says on standard error how many items belonged to no open file, if any did.
pub(crate) fn print_unplaced(count: u64) {
    if let Some(sentence) = of_unplaced(count) {
        eprintln!("callgauge: {sentence}");
    }
}

/// What could not be read.
fn of_reading(input: &InputFile) -> Vec<String> {
    let is_unrecognised = input.format.is_none() && input.lines > 0;
    let mut sentences: Vec<String> = is_unrecognised.then(|| "unrecognised format".into()).into_iter().collect();
    sentences.extend(input.problems.iter().map(|problem| printable(problem).into_owned()));
    let more = input.skipped_lines.saturating_sub(input.problems.len() as u64);
    if more > 0 {
        sentences.push(format!("skipped {}", plural(more, "more unreadable line")));
    }
    if input.skipped_entries > 0 {
        sentences.push(format!("ignored {}", plural(input.skipped_entries, "unusable entry")));
    }
    if input.bad_fields > 0 {
        sentences.push(format!("ignored {}{}", plural(input.bad_fields, "invalid value"), members(input)));
    }
    if input.skipped_differences > 0 {
        let differences = plural(input.skipped_differences, "difference");
        sentences.push(format!("ignored {differences}: too few bytes for the stats entries that they repeat"));
    }
    if input.snapshots == 0 && input.problems.is_empty() {
        sentences.push("no getStats snapshots found".into());
    }
    sentences
}

/// What the conference did not accept.
pub(crate) fn of_replay(input: &InputFile) -> Vec<String> {
    let SourceOutcome { unopened_snapshots, refused_entries, .. } = input.outcome;
    let mut sentences = Vec::new();
    if input.repeated_items > 0 {
        let items = plural(input.repeated_items, "item");
        sentences.push(format!("left out {items} that another file has too"));
    }
    sentences.extend(of_late(input));
    if unopened_snapshots > 0 {
        let snapshots = plural(unopened_snapshots, "snapshot");
        sentences.push(format!("ignored {snapshots} of connections beyond the limit"));
    }
    if refused_entries > 0 {
        let entries = plural(refused_entries, "entry");
        sentences.push(format!("ignored {entries} of streams beyond the limit of a connection"));
    }
    sentences.extend(of_refusals(&input.outcome.refused_snapshots, "snapshot"));
    sentences.extend(of_refusals(&input.outcome.refused_events, "event"));
    sentences
}

/// Snapshots that are out of order. Few are usual: lines are written when they are ready.
pub(crate) fn of_late(input: &InputFile) -> Option<String> {
    let newest_first = if 2 * input.late_snapshots > input.snapshots { " (newest first?)" } else { "" };
    let snapshots = plural(input.late_snapshots, "snapshot");
    (input.late_snapshots > 0).then(|| format!("{snapshots} came after later ones{newest_first}"))
}

/// `refused 3 events: 2 × the fabric has been terminated; 1 × …`.
fn of_refusals(refusals: &Refusals, noun: &str) -> Option<String> {
    let reasons: Vec<_> = refusals.iter().map(|(reason, count)| format!("{count} × {reason}")).collect();
    (!reasons.is_empty()).then(|| format!("refused {}: {}", plural(refusals.total(), noun), reasons.join("; ")))
}

/// Items that arrived after the end of their file.
pub(crate) fn of_unplaced(count: u64) -> Option<String> {
    (count > 0).then(|| format!("ignored {} after the end of a file", plural(count, "item")))
}

/// ` (jitter)`: the numeric members that had invalid values.
pub(crate) fn members(input: &InputFile) -> String {
    if input.bad_numbers.is_empty() { String::new() } else { format!(" ({})", input.bad_numbers.join(", ")) }
}
