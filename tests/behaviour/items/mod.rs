//! Log events of dumps: against an independent walk of recorded dumps, and line by line.

mod both_ways;
mod by_line;
mod recorded;

use callgauge::ingest::{Item, LogEventKind, Reader, SdpSide};

use crate::common::reading::StoredSnapshot;

const DUMP: &str = "other/chrome156-webrtc_internals_dump.gz";

/// A stored log event, in printed form.
#[derive(Clone, Debug, PartialEq)]
struct PrintedEvent {
    fabric: String,
    at: Option<f64>,
    what: String,
    /// Kind and word of a state.
    state: Option<(&'static str, String)>,
    /// Side and text of a description that was set.
    set: Option<(SdpSide, String)>,
}

#[derive(Default)]
struct All {
    events: Vec<PrintedEvent>,
    snapshots: Vec<StoredSnapshot>,
    /// Times in the order of the input, with the connection.
    order: Vec<(String, Option<f64>)>,
    errors: Vec<usize>,
    unknown: u64,
    conference: Option<String>,
}

fn state(what: LogEventKind<'_>) -> Option<(&'static str, String)> {
    match what {
        LogEventKind::IceConnectionState(word) => Some(("iceconnectionstatechange", word.into())),
        LogEventKind::IceGatheringState(word) => Some(("icegatheringstatechange", word.into())),
        LogEventKind::SignalingState(word) => Some(("signalingstatechange", word.into())),
        LogEventKind::ConnectionState(word) => Some(("connectionstatechange", word.into())),
        LogEventKind::DtlsState(word) => Some(("dtlsstatechange", word.into())),
        _ => None,
    }
}

fn read_all<'a>(records: impl IntoIterator<Item = &'a [u8]>) -> All {
    let mut reader = Reader::new();
    let mut all = All::default();
    for (number, record) in records.into_iter().enumerate() {
        let result = reader.read_all(record, &mut |item| match item {
            Item::Snapshot(snapshot) => {
                let at = snapshot.at.map(|at| at.as_millis());
                all.order.push((snapshot.fabric.into(), at));
                all.snapshots.push(StoredSnapshot {
                    fabric: snapshot.fabric.into(),
                    at,
                    report: snapshot.report.clone(),
                });
            }
            Item::LogEvent(event) => {
                let at = event.at.map(|at| at.as_millis());
                all.order.push((event.fabric.into(), at));
                let set = match event.what {
                    LogEventKind::DescriptionSet { side, description, .. } => {
                        description.sdp.map(|sdp| (side, sdp.to_owned()))
                    }
                    _ => None,
                };
                all.events.push(PrintedEvent {
                    fabric: event.fabric.into(),
                    at,
                    what: format!("{:?}", event.what),
                    state: state(event.what),
                    set,
                });
            }
            _ => {}
        });
        if result.is_err() {
            all.errors.push(number);
        }
    }
    assert_eq!(reader.log_events(), all.events.len() as u64);
    assert_eq!(reader.snapshots(), all.snapshots.len() as u64);
    all.unknown = reader.unknown_events();
    all.conference = reader.conference().map(Into::into);
    all
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n')
}

/// The log events of one line, printed.
fn printed(line: &str) -> Vec<String> {
    let all = read_all([line.as_bytes()]);
    assert!(all.errors.is_empty(), "{line}");
    all.events.into_iter().map(|event| event.what).collect()
}
