//! Recorded calls in one fleet, and in several.

use callgauge::conference::RestoreError;
use callgauge::fleet::{Ended, Fleet, FleetConfig, FleetLimits, Merger, Part};
use callgauge::ingest::Reader;
use callgauge::unit::Timestamp;
use callgauge::{Event, FabricSpec};

use super::{at, end_of_time, ended, open, parts};
use crate::common::Seeded;
use crate::common::recordings::{lines, meta, names};

/// A snapshot: its time, conference, PeerConnection and text.
type Snapshot = (Timestamp, String, String, String);

/// An event with its conference and instance.
type FleetEvent = (String, u32, Event);

/// Each recording as a conference of its own, all of them begun within the same minutes.
fn snapshots() -> Vec<Snapshot> {
    let mut all = Vec::new();
    for (number, name) in names().iter().enumerate() {
        let lines: Vec<(f64, String, String)> = lines(name)
            .into_iter()
            .map(|line| {
                let value: serde_json::Value = serde_json::from_str(&line).unwrap();
                (value["t"].as_f64().unwrap(), value["pc"].as_str().unwrap().to_owned(), line)
            })
            .collect();
        let start = lines.iter().map(|line| line.0).min_by(f64::total_cmp).unwrap();
        for (ms, pc, line) in lines {
            let micros = (ms - start) * 1e3 + 7e6 * number as f64;
            all.push((Timestamp::from_micros(micros as u64), name.clone(), pc, line));
        }
    }
    all.sort_by(|a, b| (a.0, &a.1, &a.2).cmp(&(b.0, &b.1, &b.2)));
    assert!(all.len() > 1_000);
    all
}

/// Runs the recordings in `shards` fleets: all parts, and the number of conferences of each fleet.
fn run(snapshots: &[Snapshot], shards: usize) -> (Vec<Part>, Vec<usize>) {
    let (parts, ended, _) = run_with_events(snapshots, shards, |_| {});
    (parts, ended.iter().map(Vec::len).collect())
}

/// The same, with each ended conference and every event; `between` may change a fleet after each input.
fn run_with_events(
    snapshots: &[Snapshot],
    shards: usize,
    mut between: impl FnMut(&mut Fleet),
) -> (Vec<Part>, Vec<Vec<Ended>>, Vec<FleetEvent>) {
    let fleet = |shard: usize| {
        let limits = FleetLimits::new();
        Fleet::new(FleetConfig::new().with_shard(&shard.to_string()).with_limits(limits))
    };
    let mut fleets: Vec<Fleet> = (0..shards).map(fleet).collect();
    let mut reader = Reader::new();
    let mut all = Vec::new();
    let mut events = Vec::new();
    for (now, id, pc, line) in snapshots {
        let shard = id.bytes().fold(0_usize, |hash, byte| hash * 31 % 1_000_003 + usize::from(byte)) % shards;
        let fleet = &mut fleets[shard];
        let mut call = fleet.enter(*now, id).unwrap();
        let spec = FabricSpec::new(pc).with_local_user(call.user(pc).unwrap()).with_unknown_opening();
        let fabric = match call.find_fabric(&spec) {
            Some(fabric) => fabric,
            None => {
                call.label("network", if id.contains("clean") { "clean" } else { "impaired" }).unwrap();
                call.label("pcs", &meta(id)["pcs"].as_array().unwrap().len().to_string()).unwrap();
                call.open_fabric(*now, spec).unwrap()
            }
        };
        reader.read(line.as_bytes(), &mut |snapshot| call.ingest(*now, fabric, snapshot.report).unwrap()).unwrap();
        drop(call);
        // Each shard reads the clock at its own moments.
        if now.as_micros() % (3 + shard as u64) == 0 {
            fleet.handle_timeout(*now);
        }
        between(fleet);
        while let Some(event) = fleet.poll_event() {
            events.push((event.conference.to_owned(), event.instance, event.event));
        }
        all.extend(parts(fleet));
    }
    let mut all_ended = Vec::new();
    for fleet in &mut fleets {
        fleet.handle_timeout(end_of_time());
        between(fleet);
        all_ended.push(ended(fleet));
        all.extend(parts(fleet));
    }
    (all, all_ended, events)
}

fn bytes(parts: &[Part]) -> Vec<u8> {
    let mut merger = Merger::new();
    for part in parts {
        merger.add(part);
    }
    serde_json::to_vec(&merger.rollups().collect::<Vec<_>>()).unwrap()
}

#[test]
fn any_number_of_shards_merge_to_the_bytes_of_one() {
    let snapshots = snapshots();
    let (one, counts) = run(&snapshots, 1);
    assert_eq!(counts, [names().len()]);
    let expected = bytes(&one);
    for shards in [2, 7] {
        let (mut parts, counts) = run(&snapshots, shards);
        assert!(counts.iter().all(|&count| count > 0), "{counts:?}");
        assert_eq!(bytes(&parts), expected, "{shards}");
        parts.reverse();
        assert_eq!(bytes(&parts), expected, "{shards}, in another order");
    }
    // Check that the equal results are not empty.
    let mut all = callgauge::fleet::Rollup::default();
    for part in &one {
        all.merge(&part.rollup);
        let text = serde_json::to_string(part).unwrap();
        assert_eq!(&serde_json::from_str::<Part>(&text).unwrap(), part);
    }
    let total = &all.total;
    assert_eq!(total.conferences, names().len() as u64);
    let (clean, impaired) = (&all.labels["network=clean"], &all.labels["network=impaired"]);
    assert_eq!(clean.conferences + impaired.conferences, total.conferences);
    assert!(clean.mos().mean > impaired.mos().mean, "{:?} {:?}", clean.mos(), impaired.mos());
    assert!(clean.streams.loss_ratio.mean() < impaired.streams.loss_ratio.mean());
    for digest in [&total.streams.rtt_ms, &total.streams.jitter_ms, &total.streams.bitrate_bps] {
        assert!(digest.n() > 1_000);
    }
    assert!(!total.diagnoses.is_empty() && total.user_s() > 60.0);
}

/// The part of two recordings as other programs read it. `UPDATE_GOLDEN=1` rewrites it.
#[test]
fn serialized_part_equals_its_golden_file() {
    let mut two = snapshots();
    two.retain(|(_, id, ..)| ["loss5", "audio_clean"].contains(&&**id));
    let (parts, counts) = run(&two, 1);
    assert_eq!(counts, [2]);
    let mut all = callgauge::fleet::Rollup::default();
    parts.iter().for_each(|part| all.merge(&part.rollup));
    assert_eq!((all.total.conferences, all.labels.len()), (2, 3));
    let written: String = parts.iter().map(|part| serde_json::to_string(part).unwrap() + "\n").collect();
    assert!(written.starts_with(r#"{"schema":"callgauge.rollup/1","shard":"0","period":{"#));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/parts/two.ndjson");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &written).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    assert_eq!(written, expected);
    let read: Vec<Part> = expected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, parts);
}

#[test]
fn fleet_restored_between_inputs_continues_alike() {
    let snapshots = snapshots();
    let (mut random, mut restored) = (Seeded(5), 0);
    let again = run_with_events(&snapshots, 2, |fleet| {
        if random.below(150) == 0 {
            let bytes = fleet.save();
            *fleet = Fleet::restore(&bytes, fleet.config().clone()).unwrap();
            assert!(fleet.save() == bytes);
            restored += 1;
        }
    });
    assert!(restored > 50, "{restored}");
    let (parts, ended, events) = run_with_events(&snapshots, 2, |_| {});
    assert!(!parts.is_empty() && events.len() > 10_000 && ended.iter().all(|ended| !ended.is_empty()));
    assert!(again.0 == parts && again.1 == ended && again.2 == events);
}

#[test]
fn changed_byte_of_a_fleet_state_is_detected() {
    let mut fleet = Fleet::new(FleetConfig::new());
    for (second, user) in [(0, "alice"), (20, "bob")] {
        open(&mut fleet, second, "standup", user);
        open(&mut fleet, second, user, user);
    }
    fleet.enter(at(20), "bob").unwrap().label("region", "eu").unwrap();
    fleet.handle_timeout(at(75));
    let bytes = fleet.save();
    let read = |bytes: &[u8]| Fleet::restore(bytes, FleetConfig::new()).map(|fleet| fleet.save());
    assert_eq!(read(&bytes), Ok(bytes.clone()));
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 1 << (at % 8);
        let expected = match at {
            0..3 => RestoreError::NotAState,
            3 => RestoreError::OtherVersion,
            _ => RestoreError::Corrupt,
        };
        assert_eq!(read(&broken), Err(expected), "{at}");
        assert!(read(&bytes[..at]).is_err());
    }
    // A conference is not a fleet.
    assert_eq!(read(&fleet.get("standup").unwrap().save()), Err(RestoreError::NotAState));
}
