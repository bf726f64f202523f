//! Paths, candidate pairs and the time before media.

use callgauge::event::FabricState;
use callgauge::metric::counter::EntryTrackers;
use callgauge::metric::derived::Rounding;
use callgauge::metric::{Metric, derived};
use serde_json::{Value, json};

use super::{Call, entry, received_audio};

/// A pair that carried 10 000 bytes per second, with a round trip of `rtt` seconds.
fn pair(id: &str, second: f64, rtt: f64, more: Value) -> Value {
    entry(
        json!({"id": id, "type": "candidate-pair", "timestamp": 1e6 + second * 1e3, "state": "succeeded", "nominated": true,
            "bytesReceived": (second * 1e4) as u64, "bytesSent": (second * 1e4) as u64, "currentRoundTripTime": rtt}),
        more,
    )
}

fn transport(second: f64, more: Value) -> Value {
    entry(
        json!({"id": "T", "type": "transport", "timestamp": 1e6 + second * 1e3, "iceState": "connected", "dtlsState": "connected", "bytesSent": (second * 1e4) as u64}),
        more,
    )
}

/// Mean round trip of the path that the engine selects, for any order of the entries.
fn path(entries: impl Fn(f64) -> Vec<Value>) -> Option<f64> {
    let means = [false, true].map(|turned| {
        let mut call = Call::new();
        for second in 1..=5 {
            let mut entries = entries(f64::from(second));
            if turned {
                entries.reverse();
            }
            call.snapshot(&entries);
        }
        assert_eq!(call.summary().selected_pair_changes, 0);
        call.summary().rtt_ms.ice.mean
    });
    assert_eq!(means[0], means[1]);
    means[0]
}

#[test]
fn case_20_named_pair_precedes_marked_and_guessed_ones() {
    // The pair that the transport names, although other pairs are nominated, succeeded and larger.
    let named = path(|t| {
        vec![
            pair("new", t, 0.02, json!({})),
            pair("old", 50.0, 0.9, json!({"timestamp": 1e6 + t * 1e3})),
            transport(t, json!({"selectedCandidatePairId": "new"})),
        ]
    });
    assert_eq!(named, Some(20.0));
    // The pair with the `selected` flag (Firefox, and the callback API).
    let marked = path(|t| {
        vec![
            pair("a", t, 0.9, json!({"selected": false})),
            pair("b", t, 0.03, json!({"selected": true})),
            pair("c", t * 9.0, 0.8, json!({"timestamp": 1e6 + t * 1e3})),
        ]
    });
    assert_eq!(marked, Some(30.0));
    let active = path(|t| {
        let old = |id: &str, rtt: &str, active: &str| {
            json!({"id": id, "type": "googCandidatePair", "timestamp": 1e6 + t * 1e3, "googActiveConnection": active, "googRtt": rtt,
                "bytesReceived": ((t * 1e4) as u64).to_string(), "googWritable": "true", "googReadable": "true"})
        };
        vec![old("Conn-1", "900", "false"), old("Conn-2", "40", "true")]
    });
    assert_eq!(active, Some(40.0));
    // Neither: the nominated and succeeded pair that carried the latest packet, not the one that carried most.
    let guessed = path(|t| {
        vec![
            pair("frozen", 50.0, 0.9, json!({"timestamp": 1e6 + t * 1e3, "lastPacketReceivedTimestamp": 1e6})),
            pair("alive", t, 0.05, json!({"lastPacketReceivedTimestamp": 1e6 + t * 1e3})),
            pair("checked", t * 9.0, 0.7, json!({"timestamp": 1e6 + t * 1e3, "nominated": false})),
            pair("failed", t * 9.0, 0.6, json!({"timestamp": 1e6 + t * 1e3, "state": "failed"})),
        ]
    });
    assert_eq!(guessed, Some(50.0));
    // A name that no pair has, and an empty one, is no name.
    for gone in ["gone", ""] {
        let guessed =
            path(|t| vec![pair("a", t, 0.9, json!({})), transport(t, json!({"selectedCandidatePairId": gone}))]);
        assert_eq!(guessed, Some(900.0), "{gone}");
    }
}

#[test]
fn case_20_new_selected_pair_has_its_own_counters() {
    let mut call = Call::new();
    for second in 1..=10 {
        let t = f64::from(second);
        let id = if second <= 5 { "first" } else { "second" };
        // The second pair starts at zero.
        let carried = if second <= 5 { t } else { t - 5.0 };
        let in_use = pair(id, carried, 0.02, json!({"timestamp": 1e6 + t * 1e3}));
        call.snapshot(&[in_use, transport(t, json!({"selectedCandidatePairId": id})), received_audio(t, json!({}))]);
    }
    let fabric = call.summary();
    assert_eq!((fabric.selected_pair_changes, fabric.rtt_ms.ice.max), (1, Some(20.0)));
    assert_eq!((fabric.streams[0].resets, fabric.streams[0].packets), (0, Some(441)));
    // A late sample of the first pair changes none of this.
    let late = [
        pair("first", 3.0, 0.9, json!({})),
        transport(3.0, json!({"selectedCandidatePairId": "first", "iceState": "checking"})),
        received_audio(3.0, json!({})),
    ];
    call.snapshot(&late);
    let mut after = call.summary();
    assert_eq!(after.streams[0].late, 1);
    (after.streams[0].late, after.snapshots) = (0, fabric.snapshots);
    assert_eq!(after, fabric);
}

#[test]
fn case_20_gap_is_excluded_from_round_trips() {
    let mut call = Call::new();
    for second in (0..=10).chain([3_610]) {
        let t = f64::from(second);
        call.snapshot(&[pair("P", t, if second > 10 { 5.0 } else { 0.02 }, json!({"selected": true}))]);
    }
    assert_eq!(call.summary().rtt_ms.ice.max, Some(20.0));
}

#[test]
fn case_21_restarted_transport_has_no_negative_rate() {
    let mut tracks = EntryTrackers::new();
    let mut call = Call::new();
    let mut seen = Vec::new();
    for (second, bytes) in [(0.0, 500), (1.0, 942), (2.0, 0), (3.0, 100)] {
        call.snapshot(&[transport(second, json!({"bytesSent": bytes}))]);
        tracks.follow(call.report.get(0).unwrap(), |delta| {
            if let Some(delta) = delta {
                seen.push(derived::of(delta.entry(), Some(&delta), Rounding::Whole).next().map(|(_, value)| value));
            }
        });
    }
    assert_eq!(seen, [Some(442.0 * 8.0), None, Some(800.0)]);
}

#[test]
fn case_30_late_streams_are_unknown_until_they_appear() {
    let mut call = Call::new();
    for second in 0..=3 {
        call.snapshot(&[transport(f64::from(second), json!({"iceState": "checking", "dtlsState": "new"}))]);
        assert_eq!(call.summary().streams.len(), 0);
        assert_eq!(call.summary().state, Some(FabricState::Initializing));
    }
    for second in 4..=6 {
        call.snapshot(&[
            transport(f64::from(second), json!({})),
            received_audio(f64::from(second) - 4.0, json!({"timestamp": 1e6 + f64::from(second) * 1e3})),
        ]);
    }
    let fabric = call.summary();
    assert_eq!(fabric.state, Some(FabricState::Established));
    assert_eq!(
        (fabric.streams[0].samples, fabric.streams[0].bitrate_bps, fabric.streams[0].duration_s),
        (3, Some(32_000.0), 2.0)
    );
}

#[test]
fn case_30_counters_without_a_time_open_no_stream() {
    let mut call = Call::new();
    assert!(call.one(received_audio(1.0, json!({"timestamp": null}))).is_none());
    assert_eq!(call.summary().streams.len(), 0);
    call.one(received_audio(2.0, json!({})));
    assert!(call.one(received_audio(3.0, json!({"timestamp": null}))).is_none());
    let interval = call.one(received_audio(4.0, json!({}))).unwrap();
    assert_eq!((interval.span_ms, interval.get(Metric::BitrateBps)), (2_000.0, Some(32_000.0)));
}
