//! Diagnoses of recordings with known impairments: found, of the right kind and in time, and absent where nothing was
//! wrong.

mod grouped;
mod healthy;
mod robust;
mod synthetic;
mod table;
mod world;

use std::collections::BTreeMap;

use callgauge::diagnosis::{Diagnosis, Kind, Severity, Side};
use callgauge::ingest::Reader;
use callgauge::summary::ConferenceSummary;
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, Event, FabricSpec};

use crate::common::recordings::{lines, meta, names};

/// A change of a diagnosis.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Raised,
    Updated,
    Cleared,
}

/// A diagnosis event: time in seconds of the lab's schedule, connection, change, diagnosis.
type DiagnosisEvent = (f64, String, Change, Diagnosis);

fn diagnose(name: &str, lines: &[String]) -> (Vec<DiagnosisEvent>, ConferenceSummary) {
    diagnose_with(name, lines, Config::new())
}

fn diagnose_with(name: &str, lines: &[String], config: Config) -> (Vec<DiagnosisEvent>, ConferenceSummary) {
    let meta = meta(name);
    let start = meta["t0"].as_f64().unwrap();
    let participant = |fabric: &str, end: &str| {
        let of_fabric = |pc: &&serde_json::Value| pc["pc"] == fabric;
        meta["pcs"].as_array().unwrap().iter().find(of_fabric).unwrap()[end].as_str().unwrap().to_owned()
    };
    let mut call = Conference::new(name, config);
    let (mut reader, mut fabrics, mut events) = (Reader::new(), BTreeMap::new(), Vec::new());
    let mut now = Timestamp::default();
    for line in lines {
        let mut each = |snapshot: callgauge::ingest::Snapshot<'_>| {
            let at_ms = snapshot.at.unwrap().as_millis();
            now = now.max(Timestamp::from_micros((at_ms * 1e3) as u64));
            let fabric = *fabrics.entry(snapshot.fabric.to_owned()).or_insert_with(|| {
                let at = call.user(&participant(snapshot.fabric, "at")).unwrap();
                let to = call.user(&participant(snapshot.fabric, "to")).unwrap();
                let spec = FabricSpec::new(snapshot.fabric).with_local_user(at).with_remote_user(to);
                call.open_fabric(now, spec).unwrap()
            });
            call.ingest(now, fabric, snapshot.report).unwrap();
            while let Some(event) = call.poll_event() {
                let (change, diagnosis) = match event {
                    Event::DiagnosisRaised { diagnosis, .. } => (Change::Raised, diagnosis),
                    Event::DiagnosisUpdated { diagnosis, .. } => (Change::Updated, diagnosis),
                    Event::DiagnosisCleared { diagnosis, .. } => (Change::Cleared, diagnosis),
                    _ => continue,
                };
                events.push(((at_ms - start) / 1e3, snapshot.fabric.to_owned(), change, diagnosis));
            }
        };
        reader.read(line.as_bytes(), &mut each).unwrap();
    }
    (events, call.summary())
}

const UP: Option<Side> = Some(Side::Uplink);
const DOWN: Option<Side> = Some(Side::Downlink);

#[test]
fn newly_joined_user_has_no_diagnosis() {
    for name in names() {
        let (events, _) = diagnose(name.as_str(), &lines(&name)[..12]);
        assert_eq!(events, [], "{name}");
    }
}

#[test]
fn raising_and_clearing_alternate_with_finite_figures() {
    let mut all = 0;
    for name in names() {
        let (events, summary) = diagnose(&name, &lines(&name));
        let mut on: BTreeMap<String, Diagnosis> = BTreeMap::new();
        for (_, fabric, change, diagnosis) in events {
            let key = format!("{fabric} {:?} {:?} {:?}", diagnosis.kind, diagnosis.stream, diagnosis.side);
            assert!(diagnosis.evidence.get(diagnosis.kind.figure()).is_some(), "{name}: {key}");
            assert!(diagnosis.evidence.iter().all(|(_, value)| value.is_finite()), "{name}: {key}");
            match change {
                Change::Raised => {
                    assert_eq!(diagnosis.to, None);
                    assert!(on.insert(key, diagnosis).is_none(), "{name}");
                    all += 1;
                }
                Change::Updated => assert!(on[&key].severity < diagnosis.severity, "{name}: {key}"),
                Change::Cleared => {
                    let raised = on.remove(&key).unwrap_or_else(|| panic!("{name}: {key}"));
                    assert_eq!(raised.from, diagnosis.from);
                    assert!(diagnosis.to >= Some(diagnosis.from), "{name}: {key}");
                }
            }
        }
        let open = summary.diagnoses.iter().filter(|diagnosis| diagnosis.to_ms.is_none()).count();
        assert_eq!(open, on.len(), "{name}");
    }
    assert!(all > 50, "{all} diagnoses");
}

#[test]
fn bursty_loss_is_distinguished_from_random_loss() {
    for (name, bursts) in [("burst5", true), ("burst10", true), ("loss5", false), ("loss10", false), ("loss20", false)]
    {
        let (_, summary) = diagnose(name, &lines(name));
        let losses = summary.diagnoses.iter().filter(|diagnosis| diagnosis.kind == Kind::HighLoss);
        // The sender's record has the burst factor from the receiver's.
        let found: Vec<_> = losses.map(|loss| loss.evidence["burst_factor"] >= 4.0).collect();
        assert!(found.len() >= 4 && found.iter().all(|&is| is == bursts), "{name}: {found:?}");
    }
}

#[test]
fn worse_call_has_the_worse_diagnosis() {
    let worst = |name: &str| diagnose(name, &lines(name)).1.diagnoses[0].severity;
    assert_eq!(worst("loss5"), Severity::Warning);
    assert_eq!(worst("loss20"), Severity::Severe);
}
