//! Nothing follows from what was not read: an input with unknown names has no diagnosis that the same input with known
//! names lacks.

use std::collections::BTreeSet;

use callgauge::diagnosis::Kind;
use callgauge::ingest::Reader;
use callgauge::replay::Replay;

use crate::common::recordings::lines;

/// One with each kind of rest, and with each impairment that a rule relates to another member.
const RECORDINGS: &[&str] = &["hold", "mute", "video_pause", "screen", "ice_restart", "outage5", "ff_loss20"];

/// Members that name an entry or a stream, or say what it is.
const IDENTITY: &[&str] = &["t", "pc", "report", "id", "type", "timestamp", "ssrc", "kind", "mediaType", "sources"];

fn kinds<'a>(lines: impl IntoIterator<Item = &'a String>) -> BTreeSet<Kind> {
    let mut replay = Replay::default();
    let source = replay.add_source(None);
    let mut reader = Reader::new();
    for line in lines {
        reader.read_all(line.as_bytes(), &mut |item| replay.push(source, &item)).unwrap();
    }
    replay.finish().summary().diagnoses.iter().map(|diagnosis| diagnosis.kind).collect()
}

/// The names of all members, except those of identity.
fn members(lines: &[String]) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for line in lines.iter().step_by(20) {
        let mut parts = line.split('"').peekable();
        while let Some(part) = parts.next() {
            let is_name = parts.peek().is_some_and(|after| after.trim_start().starts_with(':'));
            if is_name && part.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !IDENTITY.contains(&part) {
                names.insert(part);
            }
        }
    }
    // Ids of entries are names of members, too: only they have digits.
    names.retain(|name| !name.bytes().any(|byte| byte.is_ascii_digit()));
    names
}

/// A name as another library would write it.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn renamed(lines: &[String], names: &BTreeSet<&str>, rename: impl Fn(&str) -> String) -> Vec<String> {
    let pairs: Vec<_> = names.iter().map(|name| (format!("\"{name}\":"), format!("\"{}\":", rename(name)))).collect();
    let rename_all = |line: &String| pairs.iter().fold(line.clone(), |line, (from, to)| line.replace(from, to));
    lines.iter().map(rename_all).collect()
}

#[test]
fn names_of_another_library_bring_no_diagnosis() {
    for name in RECORDINGS {
        let lines = lines(name);
        let names = members(&lines);
        assert!(names.len() > 60, "{name}: {names:?}");
        let found = kinds(&renamed(&lines, &names, snake_case));
        assert!(found.is_subset(&kinds(&lines)), "{name}: {found:?}");
    }
}

#[test]
fn a_missing_member_brings_no_diagnosis() {
    for name in RECORDINGS {
        let lines = lines(name);
        let known = kinds(&lines);
        for member in members(&lines) {
            let without = renamed(&lines, &BTreeSet::from([member]), |name| format!("no-{name}"));
            let mut found = kinds(&without);
            for &(_, kind) in REFINEMENTS.iter().filter(|&&(refines, _)| refines == member) {
                found.remove(&kind);
            }
            assert!(found.is_subset(&known), "{name} without {member}: {found:?}");
        }
    }
}

/// Members that only excuse what other members show: without the first, the second may be raised. The jitter buffer's
/// target shows that jitter was not felt, samples that stand still show that a frozen picture is on hold, and the packets
/// of sender reports that audio rested and its capture times are not yet sure.
const REFINEMENTS: &[(&str, Kind)] = &[
    ("jitterBufferTargetDelay", Kind::HighJitter),
    ("jitterBufferEmittedCount", Kind::HighJitter),
    ("totalSamplesReceived", Kind::FrozenVideo),
    ("packetsSent", Kind::AvOutOfSync),
];
