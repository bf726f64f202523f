//! The life and the paths of connections.

use serde_json::Value;

use super::{intervals, kinds, report, text};

/// State, class, drops and failed set-ups of the first connection.
fn life(report: &Value) -> (&str, &str, u64, u64) {
    let fabric = &report["fabrics"][0];
    let count = |key: &str| fabric["connectivity"][key].as_u64().unwrap();
    let word = |key: &str| fabric[key].as_str().unwrap_or("null");
    (word("state"), word("call_class"), count("drops"), count("setup_failures"))
}

/// The severity of the first diagnosis of a kind.
fn severity<'a>(report: &'a Value, kind: &str) -> &'a str {
    let mut all = report["diagnoses"].as_array().unwrap().iter();
    all.find(|one| one["kind"] == kind).and_then(|one| one["severity"].as_str()).unwrap_or("none")
}

#[test]
fn failed_dtls_is_a_failed_setup() {
    let report = report("probe-01-dtls-failed.ndjson.gz");
    assert_eq!(life(&report), ("failed", "failed", 0, 1));
    assert_eq!(report["fabrics"][0]["failure_reason"], "TransportFailure");
    assert!(report["fabrics"][0]["setup_delay_ms"].is_null());
    assert_eq!(severity(&report, "connectionFailed"), "severe");
    let text = text("probe-01-dtls-failed.ndjson.gz");
    assert!(text.contains("DTLS did not") && !text.contains("connected after"), "{text}");
}

#[test]
fn failed_connection_state_is_a_drop() {
    let report = report("probe-02-conn-failed-ice-disconnected.ndjson.gz");
    assert_eq!(life(&report), ("terminated", "dropped", 1, 0));
    assert_eq!(severity(&report, "connectionDropped"), "severe");
    assert_eq!(report["connectivity"]["lost_s"], 19.5);
}

#[test]
fn dead_half_of_a_dropped_call_is_lost_time() {
    let case = "probe-02b-dropped.ndjson.gz";
    let report = report(case);
    assert_eq!(life(&report), ("failed", "dropped", 1, 0));
    for stream in report["fabrics"][0]["streams"].as_array().unwrap() {
        assert_eq!(stream["lost_s"], 30.0, "{stream}");
        assert_eq!((&stream["held_s"], &stream["paused_s"]), (&0.0.into(), &0.0.into()));
    }
    let lost = intervals(case).iter().filter(|interval| interval["state"] == "lost").count();
    assert!(lost >= 2 * 23, "{lost}");
    let text = text(case);
    assert!(
        text.contains("connection lost for 30 s") && !text.contains("on hold") && !text.contains("paused"),
        "{text}"
    );
}

#[test]
fn failed_setup_is_severe_with_its_reason_at_any_delay() {
    for (case, reason) in [
        ("probe-14c-setup-failed.ndjson.gz", "no connectivity check was answered"),
        ("truth-6-ice-failed-in-3-s.ndjson", "ICE found no path"),
    ] {
        let report = report(case);
        assert_eq!(life(&report), ("failed", "failed", 0, 1), "{case}");
        assert_eq!(kinds(&report)[0], "connectionFailed", "{case}");
        assert_eq!(severity(&report, "connectionFailed"), "severe", "{case}");
        assert!(report["diagnoses"][0]["sentence"].as_str().unwrap().contains(reason), "{case}");
    }
}

#[test]
fn dump_of_two_connections_has_two() {
    let report = report("truth-1-internals-two-connections.json");
    let fabrics = report["fabrics"].as_array().unwrap();
    let names: Vec<_> = fabrics.iter().map(|fabric| fabric["fabric"].as_str().unwrap()).collect();
    assert_eq!(names, ["1-1", "1-2"]);
    let stream = &fabrics[1]["streams"][0];
    assert_eq!((&stream["packets"], &stream["duration_s"]), (&500.into(), &10.0.into()));
}

#[test]
fn event_before_creation_is_of_the_same_connection() {
    let report = report("truth-9-told-before-created.jsonl");
    assert_eq!(report["fabrics"].as_array().unwrap().len(), 1);
    assert_eq!(report["fabrics"][0]["setup_delay_ms"], 490.0);
}

#[test]
fn unbundled_call_shows_each_path() {
    let case = "27-no-bundle.ndjson.gz";
    let report = report(case);
    let fabric = &report["fabrics"][0];
    let paths: Vec<_> = fabric["paths"].as_array().unwrap().iter().collect();
    assert_eq!(paths.len(), 2);
    let rtt = |path: &Value| path["rtt_ms"]["mean"].as_f64().unwrap().round();
    assert_eq!((rtt(paths[0]), &paths[0]["relayed"]), (40.0, &false.into()));
    assert_eq!((rtt(paths[1]), &paths[1]["relayed"]), (410.0, &true.into()));
    for stream in fabric["streams"].as_array().unwrap() {
        let transport = if stream["kind"] == "video" { "T02" } else { "T01" };
        assert_eq!(stream["transport"], transport);
    }
    let text = text(case);
    assert!(text.contains("path T02: connected, round trip (RTT) 410 ms, relay over TCP"), "{text}");
}

#[test]
fn pair_without_a_transport_has_its_round_trip() {
    for (case, rtt_ms) in [("39-pair-empty-transport.ndjson.gz", 117.0), ("02-pion.ndjson.gz", 160.0)] {
        let report = report(case);
        let mean = report["fabrics"][0]["rtt_ms"]["ice"]["mean"].as_f64().unwrap();
        assert!((mean - rtt_ms).abs() < 1.0, "{case}: {mean}");
    }
}

#[test]
fn connection_with_traffic_is_established_whatever_fillers_state() {
    let report = report("02-pion.ndjson.gz");
    assert_eq!(life(&report), ("established", "established", 0, 0));
    assert!(kinds(&report).iter().all(|kind| !["slowSetup", "connectionFailed"].contains(kind)));
}

#[test]
fn restart_and_idle_paths_stay_as_they_were() {
    let restart = report("25-ice-restart-pair.ndjson.gz");
    assert_eq!(life(&restart), ("established", "established", 0, 0));
    assert_eq!(restart["connectivity"]["restarts"], 1);
    for case in ["28-data-channel-only.ndjson.gz", "87-no-media-slow-path.ndjson.gz"] {
        let report = report(case);
        assert_eq!(life(&report).0, "established", "{case}");
        assert_eq!(report["connectivity"]["lost_s"], 0.0, "{case}");
    }
}
