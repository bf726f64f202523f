//! What reading and replaying left out of a file, in sentences.
//! The reader and the conference decide what is left out; this module only says it.

use callgauge::InputError;
use callgauge::ingest::{NameCounts, ReadErrorKind};
use callgauge::replay::{Refusals, SourceOutcome};

use crate::records::InputFile;
use crate::wording::{plural, printable, times};

/// Says on standard error what was left out of a file.
pub(crate) fn print_problems(input: &InputFile) {
    for sentence in of_input(input).into_iter().chain(of_unread(input)) {
        eprintln!("callgauge: {}: {sentence}", printable(&input.file));
    }
}

/// Says on standard error how many items belonged to no open file, if any did.
pub(crate) fn print_unplaced(count: u64) {
    if let Some(sentence) = of_unplaced(count) {
        eprintln!("callgauge: {sentence}");
    }
}

/// What was left out of a file, in the order of the steps: its records, the entries and values in them, the conference.
pub(crate) fn of_input(input: &InputFile) -> Vec<String> {
    let mut sentences = of_records(input);
    if input.skipped_entries > 0 {
        sentences.push(format!("ignored {}", plural(input.skipped_entries, "unusable entry")));
    }
    if input.bad_fields > 0 {
        sentences.push(format!("ignored {}{}", plural(input.bad_fields, "invalid value"), members(input)));
    }
    sentences.extend(of_differences(input));
    sentences.extend(of_unusable_snapshots(input));
    if input.snapshots == 0 && (input.log_events > 0 || sentences.is_empty()) {
        let events = plural(input.log_events, "event");
        sentences.push(match (input.log_events, input.is_blank) {
            (0, true) => "empty, or only white space".into(),
            (0, false) => "no entry of getStats was read".into(),
            _ => format!("no entry of getStats was read, only {events} of a log"),
        });
    }
    sentences.extend(of_replay(input));
    sentences
}

/// Records that could not be read. Where none could, the first stands for all: each line of a file that is no recording
/// has its own fault.
fn of_records(input: &InputFile) -> Vec<String> {
    let unreadable = input.skipped_lines.saturating_sub(input.not_stats.records);
    let read_nothing = input.format.is_none();
    let listed = if read_nothing { 1 } else { input.problems.len() };
    let mut sentences: Vec<String> =
        input.problems.iter().take(listed).map(|problem| printable(problem).into_owned()).collect();
    let more = unreadable.saturating_sub(sentences.len() as u64);
    match sentences.first_mut() {
        Some(first) if more > 0 && read_nothing => {
            *first = format!("none of {} could be read; {first}", plural(unreadable, "line"));
        }
        _ if more > 0 => sentences.push(format!("skipped {}", plural(more, "more unreadable line"))),
        _ => {}
    }
    sentences.extend(input.failure.as_deref().map(|failure| printable(failure).into_owned()));
    sentences.extend(of_other_json(input));
    sentences
}

/// Well-formed records that are not stats.
fn of_other_json(input: &InputFile) -> Option<String> {
    let not_stats = &input.not_stats;
    let what = match not_stats.first? {
        ReadErrorKind::NoEntry(_) => ReadErrorKind::NoEntry(not_stats.objects).to_string(),
        first => first.to_string(),
    };
    Some(if input.lines > 1 { format!("{}: {what}", plural(not_stats.records, "record")) } else { what })
}

/// Differences that stand for more entries than their bytes may.
fn of_differences(input: &InputFile) -> Option<String> {
    let differences = plural(input.skipped_differences, "difference");
    (input.skipped_differences > 0)
        .then(|| format!("ignored {differences}: too few bytes for the stats entries that they repeat"))
}

/// Reports of which no entry could be used, or not every one.
fn of_unusable_snapshots(input: &InputFile) -> Vec<String> {
    let mut sentences = Vec::new();
    let empty_objects = input.empty_snapshots.saturating_sub(input.empty_lists);
    if empty_objects > 0 {
        let reports = plural(empty_objects, "empty report");
        sentences.push(format!(
            "{reports}: JSON.stringify makes {{}} of an RTCStatsReport; write [...report.values()] instead"
        ));
    }
    if input.empty_lists > 0 {
        let reports = plural(input.empty_lists, "report");
        sentences.push(format!(
            "{reports} without an entry, []: Object.values of an RTCStatsReport is empty, [...report.values()] is not"
        ));
    }
    if input.unusable_snapshots > 0 {
        let reports = plural(input.unusable_snapshots, "report");
        sentences.push(format!("{reports} without a usable entry: no known type, or no known member"));
    }
    if input.untimed_snapshots > 0 {
        let reports = plural(input.untimed_snapshots, "report");
        sentences
            .push(format!("{reports} without a timestamp that can be read (milliseconds since 1970 are expected)"));
    }
    if input.untimed_entries > 0 && input.is_usable() {
        let entries = plural(input.untimed_entries, "entry");
        sentences.push(format!("{entries} of streams without a usable timestamp: no figures of them"));
    }
    if input.repeated_ids > 0 {
        let again = times(input.repeated_ids);
        sentences.push(format!("an id repeats {again} within a report: one list of several snapshots, read as one"));
    }
    sentences
}

/// What was not read because its name is unknown: the nouns of each kind of name, and the names.
pub(crate) fn unread_names(input: &InputFile) -> [([&'static str; 2], &NameCounts); 5] {
    let unread = &input.unread;
    [
        (["member", "members"], &unread.members),
        (["type", "types"], &unread.types),
        (["value", "values"], &unread.values),
        (["kind of log event", "kinds of log events"], &unread.events),
        (["word of log events", "words of log events"], &input.outcome.unknown_words),
    ]
}

/// What was not read because its name is unknown, in one sentence.
fn of_unread(input: &InputFile) -> Option<String> {
    let parts: Vec<String> = unread_names(input)
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(nouns, names)| some_names(nouns, names))
        .collect();
    (!parts.is_empty()).then(|| format!("not read: {}; `callgauge inspect` lists all", parts.join("; ")))
}

/// How many names a sentence lists.
const LISTED: usize = 4;

/// `12 members (packetCount 60, byteCount 60, score 60, …)`.
fn some_names([one, many]: [&str; 2], names: &NameCounts) -> String {
    let listed = by_count(names);
    let shown: Vec<String> = listed.iter().take(LISTED).map(|(name, count)| format!("{name} {count}")).collect();
    let more = if listed.len() > LISTED || names.others() > 0 { ", …" } else { "" };
    let noun = if listed.len() == 1 { one } else { many };
    let least = if names.others() > 0 { "more than " } else { "" };
    format!("{least}{} {noun} ({}{more})", listed.len(), shown.join(", "))
}

/// The names, printable, the most frequent first.
pub(crate) fn by_count(names: &NameCounts) -> Vec<(String, u64)> {
    let mut listed: Vec<(String, u64)> =
        names.iter().map(|(name, count)| (printable(name).into_owned(), count)).collect();
    listed.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    listed
}

/// What the conference did not accept.
fn of_replay(input: &InputFile) -> Vec<String> {
    let SourceOutcome { unopened_snapshots, refused_entries, .. } = &input.outcome;
    let mut sentences = Vec::new();
    if input.repeated_items > 0 {
        let items = plural(input.repeated_items, "item");
        sentences.push(format!("left out {items} that another file has too"));
    }
    sentences.extend(of_late(input));
    if input.outcome.wrong_times > 0 {
        let items = plural(input.outcome.wrong_times, "item");
        sentences.push(format!("{items} with a time that those around contradict: placed in the order of the file"));
    }
    if input.outcome.time_exponent != 0 {
        let exponent = input.outcome.time_exponent;
        sentences.push(format!("times are not in milliseconds: read in units of 1e{exponent} ms, as the media show"));
    }
    sentences.extend(unopened_snapshots.iter().map(|(reason, count)| {
        let snapshots = plural(count, "snapshot");
        match reason {
            InputError::LimitReached => format!("ignored {snapshots} of connections beyond the limit"),
            reason => format!("ignored {snapshots} of connections that could not be opened: {reason}"),
        }
    }));
    if *refused_entries > 0 {
        let entries = plural(*refused_entries, "entry");
        sentences.push(format!("ignored {entries} of streams beyond the limit of a connection"));
    }
    sentences.extend(of_refusals(&input.outcome.refused_snapshots, "snapshot"));
    sentences.extend(of_refusals(&input.outcome.refused_events, "event"));
    sentences
}

/// Snapshots that are out of order. Few are usual: lines are written when they are ready.
pub(crate) fn of_late(input: &InputFile) -> Option<String> {
    let order = match 2 * input.late_snapshots > input.snapshots {
        true if input.outcome.is_shuffled => " (shuffled?)",
        true => " (newest first?)",
        false => "",
    };
    let snapshots = plural(input.late_snapshots, "snapshot");
    (input.late_snapshots > 0).then(|| format!("{snapshots} came after later ones{order}"))
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

/// ` (jitter)`: the members that had invalid values.
fn members(input: &InputFile) -> String {
    if input.bad_members.is_empty() { String::new() } else { format!(" ({})", input.bad_members.join(", ")) }
}
