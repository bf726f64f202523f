//! Recorded calls in one fleet, and in several.

use callgauge::FabricSpec;
use callgauge::fleet::{Fleet, FleetConfig, Merger, Part};
use callgauge::ingest::Reader;
use callgauge::unit::Timestamp;

use crate::common::recordings::{lines, meta, names};
use crate::{end_of_time, ended, parts};

/// A snapshot: when, of which conference and PeerConnection, and its text.
type Snapshot = (Timestamp, String, String, String);

/// Every recording as a conference of its own, all of them begun within the same minutes.
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

/// The recordings in so many fleets: all parts, and how many conferences each fleet had.
fn run(snapshots: &[Snapshot], shards: usize) -> (Vec<Part>, Vec<usize>) {
    let fleet = |shard: usize| Fleet::new(FleetConfig::new().with_shard(&shard.to_string()));
    let mut fleets: Vec<Fleet> = (0..shards).map(fleet).collect();
    let mut reader = Reader::new();
    let mut all = Vec::new();
    let mut counts = vec![0; shards];
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
        // Each shard looks at the clock when it likes.
        if now.as_micros() % (3 + shard as u64) == 0 {
            fleet.handle_timeout(*now);
        }
        while fleet.poll_event().is_some() {}
        all.extend(parts(fleet));
    }
    for (fleet, count) in fleets.iter_mut().zip(&mut counts) {
        fleet.handle_timeout(end_of_time());
        *count = ended(fleet).len();
        all.extend(parts(fleet));
    }
    (all, counts)
}

fn bytes(parts: &[Part]) -> Vec<u8> {
    let mut merger = Merger::new();
    for part in parts {
        merger.add(part);
    }
    serde_json::to_vec(&merger.rollups().collect::<Vec<_>>()).unwrap()
}

#[test]
fn any_number_of_fleets_come_to_the_same_bytes_as_one() {
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
    // They are not the same because there is nothing in them.
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
