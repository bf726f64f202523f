//! Meshes for which the lab recorded the speakers.

use std::collections::BTreeMap;

use callgauge::ingest::Reader;
use callgauge::report::{Num, StatsType};
use callgauge::speaker::dominant::{Change, Floor, LATENCY_MS, ParticipantId};
use callgauge::speaker::level::Meter;
use serde_json::Value;

use crate::common::recordings;

struct Source {
    participant: ParticipantId,
    meter: Meter,
    last: Option<[f64; 3]>,
}

struct Sampled {
    floor: Floor,
    participants: BTreeMap<String, ParticipantId>,
    /// Arrival time of the deciding sample, and the change.
    changes: Vec<(f64, Change)>,
}

/// The microphone of every participant, from the first connection of each.
fn sampled(name: &str, meta: &Value) -> Sampled {
    let mut floor = Floor::new(10_000);
    let mut sources: BTreeMap<String, Source> = BTreeMap::new();
    let mut participants = BTreeMap::new();
    for pc in meta["pcs"].as_array().unwrap() {
        let who = pc["at"].as_str().unwrap();
        if !participants.contains_key(who) {
            let participant = floor.join(0).unwrap();
            participants.insert(who.to_owned(), participant);
            sources
                .insert(pc["pc"].as_str().unwrap().to_owned(), Source { participant, meter: Meter::new(), last: None });
        }
    }
    let (mut reader, mut changes) = (Reader::new(), Vec::new());
    for line in recordings::lines(name) {
        let read = &mut |snapshot: callgauge::ingest::Snapshot<'_>| {
            let Some(source) = sources.get_mut(snapshot.fabric) else { return };
            let Some(entry) = snapshot.report.entries().find(|entry| entry.kind() == StatsType::MediaSource) else {
                return;
            };
            // The first samples precede the audio.
            let (Some(energy), Some(duration)) =
                (entry.get(Num::TotalAudioEnergy), entry.get(Num::TotalSamplesDuration))
            else {
                return;
            };
            let at = entry.timestamp().unwrap().as_millis();
            let now = [at, energy, duration];
            if let Some([from, energy_before, duration_before]) = source.last.replace(now)
                && let Some(speech) = source.meter.add(energy - energy_before, duration - duration_before)
            {
                floor.add_sound(source.participant, from as u64, at as u64, speech, &mut |change| {
                    changes.push((at, change));
                });
            }
        };
        reader.read(line.as_bytes(), read).unwrap();
    }
    floor.finish(&mut |_| ());
    Sampled { floor, participants, changes }
}

/// Holders of the floor by the lab's record: from the beginning of each speech, or from the end of the speech that it
/// overlaps.
pub(crate) fn truth(meta: &Value) -> Vec<(String, f64, f64)> {
    let mut spans: Vec<(String, f64, f64)> = Vec::new();
    for (who, of) in meta["ground_truth"]["speech"].as_object().unwrap() {
        for span in of.as_array().unwrap() {
            spans.push((who.clone(), span[0].as_f64().unwrap(), span[1].as_f64().unwrap()));
        }
    }
    spans.sort_by(|a, b| a.1.total_cmp(&b.1));
    for next in 1..spans.len() {
        spans[next].1 = spans[next].1.max(spans[next - 1].2);
    }
    spans
}

#[test]
fn floor_matches_the_labs_record() {
    for name in ["mesh3", "mesh4"] {
        let meta = recordings::meta(name);
        let (sampled, truth) = (sampled(name, &meta), truth(&meta));
        assert!(truth.len() > 10);
        for (who, &participant) in &sampled.participants {
            let spoken: f64 = truth.iter().filter(|turn| turn.0 == *who).map(|turn| turn.2 - turn.1).sum();
            let talk = sampled.floor.talk(participant).unwrap();
            println!(
                "{name} {who}: spoke {spoken:.0} ms, had the floor {}, {talk:?}",
                sampled.floor.dominant_ms(participant)
            );
            let off = sampled.floor.dominant_ms(participant) as f64 / spoken - 1.0;
            assert!(off.abs() < 0.1, "{name} {who}: {off}");
            assert_eq!((talk.turns, talk.interruptions), (None, None), "a second resolves no turns");
        }
        // The end of the recording may cut the last turn.
        for (who, start, _) in &truth[..truth.len() - 1] {
            let participant = sampled.participants[who];
            let found = sampled.changes.iter().find(|(at, change)| change.now == Some(participant) && at > start);
            let late = found.unwrap().0 - start;
            println!("{name} {who}: found after {late:.0} ms");
            assert!(late <= (LATENCY_MS + 1_000) as f64, "{name} {who}: {late}");
        }
        assert!(sampled.changes.iter().filter(|(_, change)| change.now.is_some()).count() <= truth.len() + 1);
    }
}
