//! The recordings that have metadata of the lab, as text and replayed.

use std::collections::BTreeMap;

use callgauge::id::FabricId;
use callgauge::ingest::Reader;
use callgauge::summary::ConferenceSummary;
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, Event, FabricSpec};
use serde_json::Value;

use super::{path, text};

/// The lines of a recording.
pub(crate) fn lines(name: &str) -> Vec<String> {
    let lines: Vec<String> = text(&format!("recordings/{name}.ndjson.gz")).lines().map(Into::into).collect();
    assert!(lines.len() > 20, "{name} is no recording");
    lines
}

/// The lab's metadata of a recording.
pub(crate) fn meta(name: &str) -> Value {
    serde_json::from_str(&text(&format!("recordings/{name}.meta.json"))).unwrap()
}

/// Every recording with metadata of the lab.
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path("recordings"))
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".meta.json")?.to_owned()))
        .collect();
    names.sort();
    names
}

/// A call built from lines, with its events.
pub(crate) struct Replay {
    pub(crate) call: Conference,
    pub(crate) events: Vec<Event>,
    pub(crate) fabrics: BTreeMap<String, FabricId>,
}

/// Builds a call. An unreadable line fails the test.
pub(crate) fn replay<'a>(lines: impl IntoIterator<Item = &'a String>) -> Replay {
    let mut reader = Reader::new();
    let mut replay = Replay { call: Conference::new("", Config::new()), events: Vec::new(), fabrics: BTreeMap::new() };
    let mut now = Timestamp::default();
    for line in lines {
        reader
            .read(line.as_bytes(), &mut |snapshot| {
                let at = snapshot.at.unwrap().as_millis() * 1e3;
                now = now.max(Timestamp::from_micros(at as u64));
                let fabric = *replay
                    .fabrics
                    .entry(snapshot.fabric.to_owned())
                    .or_insert_with(|| replay.call.open_fabric(now, FabricSpec::new(snapshot.fabric)).unwrap());
                replay.call.ingest(now, fabric, snapshot.report).unwrap();
                while let Some(event) = replay.call.poll_event() {
                    replay.events.push(event);
                }
            })
            .unwrap();
    }
    replay
}

/// The summary of a call without the counts of repetitions.
pub(crate) fn without_repetitions(call: &Conference) -> ConferenceSummary {
    let mut summary = call.summary();
    for fabric in &mut summary.fabrics {
        fabric.snapshots = 0;
        for stream in &mut fabric.streams {
            stream.duplicates = 0;
        }
    }
    summary
}
