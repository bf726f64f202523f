//! The webrtc-internals reader against a dump of a call with known truth, dumps in the old layout, synthetic ones and
//! broken ones.

mod broken;
mod recorded;
mod synthetic;

use callgauge::ingest::{Format, Reader};
use callgauge::report::{Num, Report};
use serde_json::{Value, json};

const DUMP: &str = "recordings/other/chrome156-webrtc_internals_dump.gz";

/// One stored snapshot.
struct Poll {
    fabric: String,
    /// Milliseconds.
    at: Option<f64>,
    report: Report,
}

fn read(record: &[u8]) -> (Vec<Poll>, Reader) {
    let mut reader = Reader::new();
    let mut polls = Vec::new();
    reader
        .read(record, &mut |snapshot| {
            let at = snapshot.at.map(|at| at.as_millis());
            polls.push(Poll { fabric: snapshot.fabric.into(), at, report: snapshot.report.clone() });
        })
        .unwrap();
    assert_eq!(reader.format(), Some(Format::WebrtcInternals));
    assert_eq!(reader.snapshots(), polls.len() as u64);
    (polls, reader)
}

fn read_json(dump: &Value) -> (Vec<Poll>, Reader) {
    read(serde_json::to_string(dump).unwrap().as_bytes())
}

/// A series that starts at `start` seconds and has the given values, a second apart.
fn series(kind: &str, start: i64, end: i64, values: &Value) -> Value {
    let time = |second: i64| iso((second * 1_000 + 4) as f64);
    json!({"statsType": kind, "startTime": time(start), "endTime": time(end), "values": values.to_string()})
}

fn dump_of(stats: &[(&str, Value)]) -> Value {
    let stats: serde_json::Map<_, _> = stats.iter().map(|(key, series)| ((*key).to_owned(), series.clone())).collect();
    json!({"getUserMedia": [], "PeerConnections": {"1-1": {"url": "https://example.org/", "stats": stats, "updateLog": []}}})
}

/// Times a second apart with the fraction that the dump truncates.
fn seconds(from: i64, to: i64) -> Value {
    (from..=to).map(|second| json!(second as f64 * 1e3 + 4.25)).collect()
}

fn column(polls: &[Poll], id: &str, field: Num) -> Vec<Option<f64>> {
    polls.iter().map(|poll| poll.report.by_id(id).and_then(|entry| entry.get(field))).collect()
}

/// ISO 8601 as JavaScript writes it: truncated to milliseconds.
fn iso(ms: f64) -> String {
    format!("{:.3}", jiff::Timestamp::from_millisecond(ms.floor() as i64).unwrap())
}
