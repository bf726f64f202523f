//! Expected against actual diagnoses of each recording. The expectations follow from the lab's schedule alone: what it
//! did to the packets of each direction, and when.

use std::collections::{BTreeMap, BTreeSet};

use callgauge::diagnosis::{Kind, Side};
use serde_json::Value;

use super::{Change, DOWN, DiagnosisEvent, UP, diagnose};
use crate::common::recordings::{lines, meta, names};

/// An impairment must be found within this time of its beginning, s.
const FOUND_S: f64 = 10.0;
/// A diagnosis must be cleared within this time of the impairment's end, s.
const OVER_S: f64 = 15.0;
/// Loss below the first value is harmless, loss above the second is too high, and between them either result is right.
const LOSS: (f64, f64) = (0.015, 0.04);
/// Round trip: one of its two directions exceeds the 150 ms of ITU-T G.114, with the jitter buffer at its end.
const ROUND_TRIP_MS: f64 = 250.0;
/// The spread of random delay from which it must be diagnosed.
const SPREAD_MS: f64 = 20.0;
/// The shortest outage that must be diagnosed.
const OUTAGE_S: f64 = 4.0;

/// Expectations that cannot hold, each with its reason.
const EXCEPTIONS: &[(&str, &str, Kind, Option<Side>, &str)] = &[
    (
        "audio_red_loss10",
        "B",
        Kind::HighLoss,
        UP,
        "the first report on its loss came in after 10.4 s: sound alone is reported on every 5 s, and a report was lost",
    ),
    (
        "simulcast",
        "B",
        Kind::DownlinkCongestion,
        DOWN,
        "the sender switches its largest layer off from 64 to 72 s: until then less arrives than before",
    ),
    (
        "mesh4",
        "P3-",
        Kind::HighLoss,
        UP,
        "sound alone is reported on every 5 s, and each report is of some 80 packets, of which 8 are lost or 3",
    ),
];

/// Kinds that a network impairment may cause: its visible and audible effects.
const MAY_FOLLOW: [Kind; 13] = [
    Kind::UplinkCongestion,
    Kind::DownlinkCongestion,
    Kind::HighLoss,
    Kind::HighRtt,
    Kind::HighJitter,
    Kind::BufferStress,
    Kind::AudibleConcealment,
    Kind::RoboticVoice,
    Kind::FrozenVideo,
    Kind::LowFrameRate,
    Kind::KeyFrameStorm,
    Kind::AvOutOfSync,
    Kind::NoMedia,
];

/// One direction's packets in one period, s.
#[derive(Clone, Debug)]
struct Phase {
    way: String,
    from: f64,
    to: f64,
    set: Value,
}

impl Phase {
    fn number(&self, name: &str) -> f64 {
        self.set[name].as_f64().unwrap_or(0.0)
    }

    /// Mean loss, random or in bursts (Gilbert-Elliott: the bad state loses everything).
    fn loss(&self) -> f64 {
        match &self.set["ge"] {
            Value::Null => self.number("loss"),
            ge => {
                let (p, r) = (ge["p"].as_f64().unwrap(), ge["r"].as_f64().unwrap());
                p / (p + r)
            }
        }
    }

    fn is_outage(&self) -> bool {
        self.set["outage"] == true && self.to - self.from >= OUTAGE_S
    }

    /// Whether the phase has an effect that a user could notice.
    fn impairs(&self) -> bool {
        let delay_ms = self.number("delay_ms") + self.number("jitter_ms");
        self.loss() > LOSS.0 || delay_ms > 0.0 || self.number("rate_kbit") > 0.0 || self.set["outage"] == true
    }
}

/// A diagnosis that one connection must raise, and the time of its impairment.
#[derive(Clone, Debug)]
struct Row {
    recording: String,
    fabric: String,
    kind: Kind,
    side: Option<Side>,
    from: f64,
    to: f64,
}

/// The lab's schedule for each direction.
fn phases(meta: &Value) -> Vec<Phase> {
    let pcs = meta["pcs"].as_array().unwrap();
    let end = meta["seconds"].as_f64().unwrap();
    let mut all = Vec::new();
    for pc in pcs {
        let way = format!("{}>{}", pc["at"].as_str().unwrap(), pc["to"].as_str().unwrap());
        let mut steps: Vec<(f64, Value)> = Vec::new();
        for step in meta["schedule"].as_array().unwrap() {
            if step["dir"] == "*" || step["dir"] == way.as_str() {
                steps.push((step["at"].as_f64().unwrap(), step["set"].clone()));
            }
        }
        for (index, (from, set)) in steps.iter().enumerate() {
            let to = steps.get(index + 1).map_or(end, |next| next.0);
            all.push(Phase { way: way.clone(), from: *from, to, set: set.clone() });
        }
    }
    all
}

/// Whether a participant sends video in this recording.
fn shows(lines: &[String], pc: &str) -> bool {
    lines
        .iter()
        .filter(|line| line.contains(&format!("\"pc\": \"{pc}\"")) || line.contains(&format!("\"pc\":\"{pc}\"")))
        .any(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let entries = line["report"].as_object().unwrap();
            entries.values().any(|entry| entry["type"] == "outbound-rtp" && entry["kind"] == "video")
        })
}

fn rows(name: &str, meta: &Value, lines: &[String]) -> Vec<Row> {
    let phases = phases(meta);
    let mut rows: Vec<Row> = Vec::new();
    let mut add = |fabric: &str, kind, side, phase: &Phase| {
        // Consecutive impairments of one kind count as one.
        let last = rows.iter_mut().rev().find(|row| row.fabric == fabric && row.kind == kind && row.side == side);
        match last {
            Some(row) if row.to == phase.from => row.to = phase.to,
            _ => rows.push(Row {
                recording: name.into(),
                fabric: fabric.into(),
                kind,
                side,
                from: phase.from,
                to: phase.to,
            }),
        }
    };
    let other = |pc: &Value| format!("{}>{}", pc["to"].as_str().unwrap(), pc["at"].as_str().unwrap());
    let pcs = meta["pcs"].as_array().unwrap();
    for pc in pcs {
        let fabric = pc["pc"].as_str().unwrap();
        let (up, down) = (format!("{}>{}", pc["at"].as_str().unwrap(), pc["to"].as_str().unwrap()), other(pc));
        let sender = pcs.iter().find(|sender| other(sender) == up).unwrap()["pc"].as_str().unwrap();
        let (shows_own, shows_other) = (shows(lines, fabric), shows(lines, sender));
        for phase in &phases {
            let is_up = phase.way == up;
            if !is_up && phase.way != down {
                continue;
            }
            let side = if is_up { UP } else { DOWN };
            if phase.loss() >= LOSS.1 {
                add(fabric, Kind::HighLoss, side, phase);
            }
            if phase.number("jitter_ms") >= SPREAD_MS && !is_up {
                add(fabric, Kind::HighJitter, DOWN, phase);
            }
            if phase.is_outage() && !is_up {
                add(fabric, Kind::NoMedia, DOWN, phase);
            }
            if phase.number("rate_kbit") > 0.0 && (if is_up { shows_own } else { shows_other }) {
                let kind = if is_up { Kind::UplinkCongestion } else { Kind::DownlinkCongestion };
                add(fabric, kind, side, phase);
            }
            let back = phases.iter().find(|back| back.way == down && back.from <= phase.from && phase.to <= back.to);
            if let Some(back) = back.filter(|_| is_up)
                && phase.number("delay_ms") + back.number("delay_ms") >= ROUND_TRIP_MS
            {
                add(fabric, Kind::HighRtt, None, phase);
            }
        }
    }
    // Audio that is not encoded during speech.
    let actions = meta["actions"].as_array().unwrap();
    let speech = |at: &str, from: f64, to: f64| {
        let t0 = meta["t0"].as_f64().unwrap();
        let spans = meta["ground_truth"]["speech"][at].as_array().cloned().unwrap_or_default();
        let second = |value: &Value| (value.as_f64().unwrap() - t0) / 1e3;
        spans.iter().map(|span| (second(&span[1]).min(to) - second(&span[0]).max(from)).max(0.0)).sum::<f64>()
    };
    for (index, action) in actions.iter().enumerate() {
        if action["do"] == "active" && action["kind"] == "audio" && action["on"] == false {
            let from = action["at"].as_f64().unwrap();
            let to = actions[index + 1..].iter().find(|next| next["do"] == "active").unwrap()["at"].as_f64().unwrap();
            assert!(speech("A", from, from + FOUND_S) > 5.0, "{name}");
            let (recording, fabric) = (name.into(), "A".into());
            rows.push(Row { recording, fabric, kind: Kind::SpeakingWhileMuted, side: UP, from, to });
        }
    }
    rows
}

/// Whether the diagnosis of a row is raised at a time.
fn is_on(row: &Row, events: &[DiagnosisEvent], at: f64) -> bool {
    let before = events.iter().filter(|event| is_of(row, event) && event.0 <= at);
    let on = before.fold(0, |on, event| match event.2 {
        Change::Raised => on + 1,
        Change::Updated => on,
        Change::Cleared => on - 1,
    });
    on > 0
}

fn is_of(row: &Row, event: &DiagnosisEvent) -> bool {
    event.1 == row.fabric && event.3.kind == row.kind && event.3.side == row.side
}

fn exception(row: &Row) -> Option<&'static str> {
    let of_row = EXCEPTIONS.iter().find(|&&(recording, fabric, kind, side, _)| {
        row.recording == recording && row.fabric.starts_with(fabric) && (row.kind, row.side) == (kind, side)
    });
    of_row.map(|exception| exception.4)
}

/// The kinds that the table expects.
pub(crate) fn found() -> BTreeSet<Kind> {
    let all = names().into_iter().flat_map(|name| {
        let (events, _) = diagnose(&name, &lines(&name));
        events.into_iter().map(|event| event.3.kind).collect::<Vec<_>>()
    });
    all.collect()
}

#[test]
fn recordings_have_exactly_the_expected_diagnoses_in_time() {
    let (mut wrong, mut excused) = (Vec::new(), BTreeSet::new());
    let (mut recordings, mut impaired, mut met, mut over, mut tested) = (0, 0, 0, 0, 0);
    for name in names() {
        let (meta, lines) = (meta(&name), lines(&name));
        let (events, summary) = diagnose(&name, &lines);
        let (rows, phases) = (rows(&name, &meta, &lines), phases(&meta));
        assert!(summary.fabrics.iter().all(|fabric| fabric.snapshots > 50), "{name}");
        recordings += 1;
        impaired += usize::from(!rows.is_empty());
        tested += if meta["split"] == "test" { rows.len() } else { 0 };
        let last = events.iter().map(|event| event.0).fold(meta["seconds"].as_f64().unwrap(), f64::max);
        for row in &rows {
            let what = format!("{name:18} {:6} {:?} {:?}", row.fabric, row.kind, row.side);
            let raised = events.iter().find(|event| {
                is_of(row, event) && event.2 == Change::Raised && (row.from..row.to + OVER_S).contains(&event.0)
            });
            let is_found = is_on(row, &events, row.from) || raised.is_some_and(|raised| raised.0 <= row.from + FOUND_S);
            let ends = last >= row.to + OVER_S;
            let is_over = !is_on(row, &events, row.to + OVER_S);
            let cleared = events.iter().rev().find(|event| is_of(row, event) && event.2 == Change::Cleared);
            println!(
                "{what:52} {:3.0} to {:3.0} s: raised at {:>5}, cleared at {:>5}{}",
                row.from,
                row.to,
                raised.map_or("-".into(), |raised| format!("{:.1}", raised.0)),
                cleared.map_or("-".into(), |cleared| format!("{:.1}", cleared.0)),
                if ends { "" } else { " (the recording ends before)" },
            );
            if let Some(reason) = exception(row) {
                excused.insert(reason);
                continue;
            }
            met += 1;
            over += usize::from(ends);
            if !is_found {
                wrong.push(format!("{what}: not found in time"));
            }
            if ends && !is_over {
                wrong.push(format!("{what}: not over in time"));
            }
        }
        // Every other diagnosis must be an effect of an impairment.
        let mut extra: BTreeMap<String, u32> = BTreeMap::new();
        for (at, fabric, change, diagnosis) in &events {
            if *change != Change::Raised {
                continue;
            }
            let in_reach = |from: f64, to: f64| (from..=to + OVER_S).contains(at);
            let is_due = rows.iter().any(|row| {
                (&row.fabric, row.kind, row.side) == (fabric, diagnosis.kind, diagnosis.side)
                    && in_reach(row.from, row.to)
            });
            let is_near = |phase: &&Phase| {
                let pc = meta["pcs"].as_array().unwrap().iter().find(|pc| pc["pc"] == fabric.as_str()).unwrap();
                phase.way.split('>').all(|end| pc["at"] == end || pc["to"] == end)
            };
            let follows = MAY_FOLLOW.contains(&diagnosis.kind)
                && phases.iter().filter(is_near).any(|phase| phase.impairs() && in_reach(phase.from, phase.to));
            if follows && !is_due {
                *extra.entry(format!("{:?}", diagnosis.kind)).or_default() += 1;
            }
            if !is_due && !follows {
                wrong.push(format!("{name}: {:?} {:?} of {fabric} at {at:.1} s", diagnosis.kind, diagnosis.side));
            }
        }
        println!("{name:18} {} expected; with them: {extra:?}", rows.len());
        if let Some(first) = summary.diagnoses.first() {
            println!("{name:18} first: {}", first.sentence);
            // The first diagnosis must be an impairment of the lab.
            let is_first = rows.iter().any(|row| row.kind == first.kind);
            if !is_first && !rows.is_empty() {
                wrong.push(format!("{name}: first is {}", first.sentence));
            }
        }
        if rows.iter().any(|row| row.kind != Kind::SpeakingWhileMuted) && summary.diagnoses.is_empty() {
            wrong.push(format!("{name}: nothing"));
        }
    }
    println!(
        "{recordings} recordings, {impaired} impaired, {met} rows found, {over} of them cleared in time, {tested} rows of test recordings"
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(recordings >= 31 && impaired >= 21, "{recordings} recordings, {impaired} impaired");
    assert!(met >= 65 && over >= 12 && tested >= 28, "{met} rows, {over} over, {tested} tested");
    assert_eq!(excused.len(), EXCEPTIONS.len(), "an exception that is none");
}
