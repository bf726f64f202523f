//! What went wrong in recordings under known impairment: found, named right, in time, and not found where nothing was.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may assume as tests do

mod common;

use std::collections::BTreeMap;

use callgauge::diagnosis::{Diagnosis, Kind, Severity, Side};
use callgauge::ingest::Reader;
use callgauge::summary::ConferenceSummary;
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, Event, FabricSpec};
use common::recordings::{lines, meta, names};

/// What became of a diagnosis.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Raised,
    Updated,
    Cleared,
}

/// A diagnosis as it was told: when, in seconds of the lab's schedule, by which connection.
type Told = (f64, String, Change, Diagnosis);

fn diagnose(name: &str, lines: &[String]) -> (Vec<Told>, ConferenceSummary) {
    let start = meta(name)["t0"].as_f64().unwrap();
    let mut call = Conference::new(name, Config::new());
    let (mut reader, mut fabrics, mut told) = (Reader::new(), BTreeMap::new(), Vec::new());
    let mut now = Timestamp::default();
    for line in lines {
        let mut each = |snapshot: callgauge::ingest::Snapshot<'_>| {
            let at_ms = snapshot.at.unwrap().as_millis();
            now = now.max(Timestamp::from_micros((at_ms * 1e3) as u64));
            let fabric = *fabrics.entry(snapshot.fabric.to_owned()).or_insert_with(|| {
                let user = call.user(snapshot.fabric).unwrap();
                call.open_fabric(now, FabricSpec::new(snapshot.fabric).with_local_user(user)).unwrap()
            });
            call.ingest(now, fabric, snapshot.report).unwrap();
            while let Some(event) = call.poll_event() {
                let (change, diagnosis) = match event {
                    Event::DiagnosisRaised { diagnosis, .. } => (Change::Raised, diagnosis),
                    Event::DiagnosisUpdated { diagnosis, .. } => (Change::Updated, diagnosis),
                    Event::DiagnosisCleared { diagnosis, .. } => (Change::Cleared, diagnosis),
                    _ => continue,
                };
                told.push(((at_ms - start) / 1e3, snapshot.fabric.to_owned(), change, diagnosis));
            }
        };
        reader.read(line.as_bytes(), &mut each).unwrap();
    }
    (told, call.summary())
}

/// Recordings of calls in which nothing was wrong.
const HEALTHY: [&str; 10] =
    ["audio_clean", "clean", "ff_clean", "hold", "ice_restart", "loss1", "mesh3", "mute", "screen", "video_pause"];

/// A recording, when its impairment began and ended (s), and what each connection must have found by that.
type Row = (&'static str, f64, f64, &'static [(&'static str, Kind, Option<Side>)]);

const UP: Option<Side> = Some(Side::Uplink);
const DOWN: Option<Side> = Some(Side::Downlink);

use Kind::{
    AudibleConcealment, BufferStress, DownlinkCongestion, FrozenVideo, HighJitter, HighLoss, HighRtt, UplinkCongestion,
};

const EXPECTED: &[Row] = &[
    ("audio_dtx", 40.0, 80.0, &[]),
    ("audio_fec_loss10", 8.0, 80.0, &[("A", HighLoss, DOWN), ("B", HighLoss, DOWN)]),
    (
        "audio_nofec_loss10",
        8.0,
        80.0,
        &[
            ("A", HighLoss, DOWN),
            ("B", HighLoss, DOWN),
            ("A", AudibleConcealment, DOWN),
            ("B", AudibleConcealment, DOWN),
        ],
    ),
    ("audio_red_loss10", 8.0, 80.0, &[("A", HighLoss, DOWN), ("B", HighLoss, DOWN)]),
    ("audio_steps", 24.0, 72.0, &[("A", HighLoss, DOWN), ("B", HighLoss, DOWN)]),
    ("burst5", 8.0, 80.0, &[("A", HighLoss, DOWN), ("B", HighLoss, DOWN), ("A", HighLoss, UP), ("B", HighLoss, UP)]),
    ("burst10", 8.0, 80.0, &[("A", HighLoss, DOWN), ("B", HighLoss, DOWN), ("A", HighLoss, UP), ("B", HighLoss, UP)]),
    ("delay150", 8.0, 56.0, &[("A", HighRtt, None), ("B", HighRtt, None)]),
    ("ff_loss5", 8.0, 64.0, &[("A", HighLoss, DOWN), ("B", HighLoss, DOWN), ("A", HighLoss, UP), ("B", HighLoss, UP)]),
    ("ff_loss20", 8.0, 64.0, &[("A", HighLoss, DOWN), ("B", HighLoss, DOWN), ("A", HighLoss, UP), ("B", HighLoss, UP)]),
    ("jitter30", 8.0, 80.0, &[("A", HighJitter, DOWN), ("B", HighJitter, DOWN)]),
    (
        "jitter80",
        8.0,
        80.0,
        &[
            ("A", HighJitter, DOWN),
            ("B", HighJitter, DOWN),
            ("A", BufferStress, DOWN),
            ("B", BufferStress, DOWN),
            ("A", HighRtt, None),
            ("B", HighRtt, None),
        ],
    ),
    ("loss5", 8.0, 80.0, &[("A", HighLoss, DOWN), ("B", HighLoss, DOWN), ("A", HighLoss, UP), ("B", HighLoss, UP)]),
    ("loss5_100ms", 8.0, 56.0, &[("A", HighLoss, DOWN), ("B", HighLoss, DOWN), ("A", HighLoss, UP)]),
    ("loss10", 8.0, 80.0, &[("A", HighLoss, DOWN), ("B", HighLoss, DOWN), ("A", HighLoss, UP), ("B", HighLoss, UP)]),
    ("loss20", 8.0, 80.0, &[("A", HighLoss, DOWN), ("B", HighLoss, DOWN), ("A", HighLoss, UP), ("B", HighLoss, UP)]),
    ("mesh4", 8.0, 90.0, &[("P1-P3", HighLoss, DOWN), ("P2-P3", HighLoss, DOWN), ("P4-P3", HighLoss, DOWN)]),
    ("outage5", 24.0, 29.0, &[("A", FrozenVideo, DOWN), ("B", FrozenVideo, DOWN)]),
    ("outage5", 56.0, 61.0, &[("B", FrozenVideo, DOWN)]),
    (
        "rate300",
        8.0,
        64.0,
        &[
            ("A", UplinkCongestion, UP),
            ("A", DownlinkCongestion, DOWN),
            ("B", UplinkCongestion, UP),
            ("B", DownlinkCongestion, DOWN),
        ],
    ),
    ("simulcast", 32.0, 56.0, &[("A", UplinkCongestion, UP)]),
    // The sender switches its largest layer off from 64 to 72 s: until then less arrives than before.
    ("simulcast", 32.0, 72.0, &[("B", DownlinkCongestion, DOWN)]),
    ("wifi", 8.0, 80.0, &[("A", HighJitter, DOWN), ("B", HighJitter, DOWN)]),
];

/// Within this time of its beginning an impairment is found, s.
const FOUND_S: f64 = 10.0;
/// Within this time of its end it is over, s.
const OVER_S: f64 = 15.0;

#[test]
fn what_each_recording_suffers_from_is_found_in_time_and_over_in_time() {
    let mut missing = Vec::new();
    for &(name, begin, end, expected) in EXPECTED {
        let (told, summary) = diagnose(name, &lines(name));
        let last = told.iter().map(|told| told.0).fold(0.0, f64::max);
        for diagnosis in &summary.diagnoses {
            println!(
                "{name:18} {:8} {:?} {}",
                diagnosis.severity.name(),
                diagnosis.ssrc.map(|_| ()),
                diagnosis.sentence
            );
        }
        for &(fabric, kind, side) in expected {
            let is_it = |told: &&Told| told.1 == fabric && told.3.kind == kind && told.3.side == side;
            let is_on_at = |at: f64| {
                let before = told.iter().filter(is_it).filter(|told| told.0 <= at);
                let on = before.fold(0, |on, told| match told.2 {
                    Change::Raised => on + 1,
                    Change::Updated => on,
                    Change::Cleared => on - 1,
                });
                on > 0
            };
            let raised = told.iter().filter(is_it).find(|told| told.2 == Change::Raised && told.0 > begin);
            match raised {
                _ if is_on_at(begin) => {}
                Some(raised) if raised.0 <= begin + FOUND_S => {}
                late => missing
                    .push(format!("{name}: {kind:?} {side:?} of {fabric}, raised at {:?}", late.map(|told| told.0))),
            }
            if last >= end + OVER_S && is_on_at(end + OVER_S) {
                missing.push(format!("{name}: {kind:?} {side:?} of {fabric} is still on at {}", end + OVER_S));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn nothing_is_wrong_with_a_healthy_call() {
    for name in HEALTHY {
        let (told, summary) = diagnose(name, &lines(name));
        assert!(summary.fabrics.iter().any(|fabric| fabric.snapshots > 50), "{name}");
        assert_eq!(told, [], "{name}");
        assert_eq!(summary.diagnoses, [], "{name}");
    }
}

#[test]
fn nothing_is_wrong_where_somebody_has_just_joined() {
    for name in names() {
        let (told, _) = diagnose(name.as_str(), &lines(&name)[..12]);
        assert_eq!(told, [], "{name}");
    }
}

#[test]
fn raising_and_clearing_alternate_and_figures_are_finite() {
    let mut all = 0;
    for name in names() {
        let (told, summary) = diagnose(&name, &lines(&name));
        let mut on: BTreeMap<String, Diagnosis> = BTreeMap::new();
        for (_, fabric, change, diagnosis) in told {
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
        assert!(summary.diagnoses.windows(2).all(|pair| pair[0].severity >= pair[1].severity), "{name}");
    }
    assert!(all > 50, "{all} diagnoses");
}

#[test]
fn a_loss_in_bursts_is_told_from_one_at_random() {
    for (name, bursts) in [("burst5", true), ("burst10", true), ("loss5", false), ("loss10", false), ("loss20", false)]
    {
        let (_, summary) = diagnose(name, &lines(name));
        let losses = summary.diagnoses.iter().filter(|diagnosis| diagnosis.kind == HighLoss);
        let found: Vec<_> = losses.map(|loss| loss.evidence["burst_ratio"] >= 5.0).collect();
        assert!(found.len() >= 4 && found.iter().all(|&is| is == bursts), "{name}: {found:?}");
    }
}

#[test]
fn the_worse_of_two_calls_has_the_worse_diagnosis() {
    let worst = |name: &str| diagnose(name, &lines(name)).1.diagnoses[0].severity;
    assert_eq!(worst("loss5"), Severity::Warning);
    assert_eq!(worst("loss20"), Severity::Severe);
}
