//! The same through a conference, as an application has it.

use std::collections::BTreeMap;

use callgauge::fabric::AppEvent;
use callgauge::id::{Direction, FabricId, MediaKind, Ssrc, UserId};
use callgauge::ingest::{Reader, Snapshot};
use callgauge::report::{Num, Report, StatsType, Text};
use callgauge::speaker::dominant::{LATENCY_MS, SILENCE_MS};
use callgauge::speaker::{Speaker, SpeakerChange};
use callgauge::summary::{SpeakerSummary, TalkSummary};
use callgauge::unit::{StatTime, Timestamp};
use callgauge::{Conference, Config, Event, FabricSpec, Limits};
use serde_json::Value;

use crate::common::{Seeded, recordings};
use crate::recorded::truth;

/// What a call came to, and how it changed.
struct Heard {
    call: Conference,
    users: BTreeMap<String, UserId>,
    changes: Vec<SpeakerChange>,
}

/// How a recording is played: by whose eyes, with which clocks, and how late.
#[derive(Clone, Copy)]
struct Way {
    sees: fn(&str) -> bool,
    ahead_ms: fn(&str) -> f64,
    late_ms: fn(u64) -> f64,
}

const PLAIN: Way = Way { sees: |_| true, ahead_ms: |_| 0.0, late_ms: |_| 0.0 };

fn play(name: &str, meta: &Value, way: Way) -> Heard {
    let mut call = Conference::new(name, Config::new().with_stitching(true));
    let (mut users, mut fabrics) = (BTreeMap::new(), BTreeMap::new());
    let pcs = meta["pcs"].as_array().unwrap().iter();
    let ends: Vec<[&str; 3]> = pcs.map(|pc| ["pc", "at", "to"].map(|key| pc[key].as_str().unwrap())).collect();
    for [_, at, to] in &ends {
        for who in [at, to] {
            let user = call.user(who).unwrap();
            users.insert((*who).to_owned(), user);
        }
    }
    let mut due: Vec<(f64, &str, Report)> = Vec::new();
    let (mut reader, mut seed) = (Reader::new(), Seeded(7));
    for line in recordings::lines(name) {
        let read = &mut |snapshot: Snapshot<'_>| {
            let Some([pc, at, _]) = ends.iter().find(|[pc, ..]| *pc == snapshot.fabric) else { return };
            if (way.sees)(at) {
                let mut report = snapshot.report.clone();
                report.shift_clock((way.ahead_ms)(at));
                let late_ms = (way.late_ms)(seed.next());
                due.push((snapshot.at.unwrap().as_millis() + late_ms, pc, report));
            }
        };
        reader.read(line.as_bytes(), read).unwrap();
    }
    due.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut changes = Vec::new();
    for (at_ms, pc, report) in &due {
        let now = Timestamp::from_micros((at_ms * 1e3) as u64);
        let fabric = *fabrics.entry(*pc).or_insert_with(|| {
            let [_, at, to] = ends.iter().find(|end| end[0] == *pc).unwrap();
            let spec = FabricSpec::new(pc).with_local_user(users[*at]).with_remote_user(users[*to]);
            call.open_fabric(now, spec).unwrap()
        });
        call.ingest(now, fabric, report).unwrap();
        while let Some(event) = call.poll_event() {
            if let Event::DominantSpeaker { change, .. } = event {
                changes.push(change);
            }
        }
        // Each endpoint is told by itself, and no two are told that they are the one.
        let told: Vec<UserId> = fabrics
            .iter()
            .filter(|(_, fabric)| call.fabric(**fabric).unwrap().is_dominant_speaker())
            .map(|(pc, _)| users[ends.iter().find(|end| end[0] == *pc).unwrap()[1]])
            .collect();
        assert!(told.iter().all(|&user| call.dominant_speaker() == Some(Speaker::User(user))));
    }
    Heard { call, users, changes }
}

fn talk_of(heard: &Heard) -> TalkSummary {
    heard.call.summary().talk.unwrap()
}

fn speaker<'a>(talk: &'a TalkSummary, user: &str) -> &'a SpeakerSummary {
    talk.speakers.iter().find(|speaker| speaker.user.as_deref() == Some(user)).unwrap()
}

#[test]
fn what_is_there() {
    for name in recordings::names() {
        let meta = recordings::meta(&name);
        let heard = play(&name, &meta, PLAIN);
        let talk = talk_of(&heard);
        for (who, spans) in meta["ground_truth"]["speech"].as_object().unwrap() {
            let spoken: f64 =
                spans.as_array().unwrap().iter().map(|s| s[1].as_f64().unwrap() - s[0].as_f64().unwrap()).sum();
            let s = speaker(&talk, who);
            println!(
                "{name} {who} truth {:.1} talk {:.1} dominant {:.1} muted {:?}",
                spoken / 1e3,
                s.talk_s,
                s.dominant_s,
                s.muted_talk_s
            );
        }
        println!("{name} {:?} late {}", talk.resolution_ms, talk.late_samples);
    }
}
