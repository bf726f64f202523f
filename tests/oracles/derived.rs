//! Derived values against those that Chromium itself wrote into a dump of the same data.

use std::collections::{BTreeMap, HashMap};

use callgauge::ingest::Reader;
use callgauge::metric::counter::EntryTrackers;
use callgauge::metric::derived::{self, Rounding};
use serde_json::Value;

const DUMP: &str = "recordings/other/chrome156-webrtc_internals_dump.gz";

/// Series that are display text and no figures: a codec's name, and times of day in the browser's local format.
const FOR_THE_EYE: [&str; 5] = [
    "[codec]",
    "[estimatedPlayoutTimestamp]",
    "[lastPacketReceivedTimestamp]",
    "[lastPacketSentTimestamp]",
    "[remoteTimestamp]",
];

/// Connection, stats id, name of the derived value.
type Key = (String, String, String);

/// Every derived series as Chromium wrote it.
fn written_by_chromium(dump: &[u8]) -> BTreeMap<Key, Vec<Value>> {
    let dump: Value = serde_json::from_slice(dump).unwrap();
    let mut series = BTreeMap::new();
    for (connection, content) in dump["PeerConnections"].as_object().unwrap() {
        for (name, one) in content["stats"].as_object().unwrap() {
            let Some(at) = name.find("-[") else { continue };
            let values: Vec<Value> = serde_json::from_str(one["values"].as_str().unwrap()).unwrap();
            series.insert((connection.clone(), name[..at].into(), name[at + 1..].into()), values);
        }
    }
    series
}

/// The same series as derived here.
fn derived_here(dump: &[u8]) -> BTreeMap<Key, Vec<f64>> {
    let mut series: BTreeMap<Key, Vec<f64>> = BTreeMap::new();
    let mut connections: HashMap<String, EntryTrackers> = HashMap::new();
    let read = Reader::new().read(dump, &mut |snapshot| {
        let tracks = connections.entry(snapshot.fabric.into()).or_default();
        for entry in snapshot.report.entries() {
            tracks.follow(entry, |delta| {
                for (name, value) in derived::of(entry, delta.as_ref(), Rounding::of_chrome(snapshot.chrome)) {
                    let key = (snapshot.fabric.into(), entry.id().into(), name.into());
                    series.entry(key).or_default().push(value);
                }
            });
        }
    });
    assert_eq!(read, Ok(()));
    series
}

#[test]
fn derived_values_match_chromium_to_one_part_in_a_billion() {
    let dump = crate::common::fixture(DUMP);
    let here = derived_here(&dump);
    let (mut compared, mut for_the_eye) = (0, 0);
    for (key, expected) in written_by_chromium(&dump) {
        if FOR_THE_EYE.contains(&key.2.as_str()) {
            assert!(expected.iter().all(Value::is_string), "{key:?} is a figure");
            for_the_eye += expected.len();
            continue;
        }
        let got = here.get(&key).map_or(&[][..], Vec::as_slice);
        assert_eq!(got.len(), expected.len(), "{key:?} has another number of values");
        for (at, (got, expected)) in got.iter().zip(&expected).enumerate() {
            let expected = expected.as_f64().unwrap();
            assert!((got - expected).abs() <= 1e-9 * expected.abs(), "{key:?}, value {at}: {got} for {expected}");
            compared += 1;
        }
    }
    assert_eq!((compared, for_the_eye), (4_436, 1_062));
}
