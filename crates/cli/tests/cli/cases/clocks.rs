//! Wrong, stepping and missing clocks.

use serde_json::Value;

use super::{intervals, kinds, report, text};

/// The figures of the first stream: duration, bitrate, gaps, resets, MOS.
fn first_stream(report: &Value) -> &Value {
    &report["fabrics"][0]["streams"][0]
}

fn check_good_minute(case: &str) -> Value {
    let report = report(case);
    let stream = first_stream(&report);
    assert_eq!(report["duration_s"], 59.0, "{case}");
    assert_eq!((&stream["duration_s"], &stream["bitrate_bps"]), (&59.0.into(), &32_000.0.into()), "{case}");
    assert_eq!((&stream["gaps"], &stream["gap_s"]), (&0.into(), &0.0.into()), "{case}");
    assert_eq!(stream["resets"], stream["clock_steps"], "{case}");
    assert_eq!(stream["packets"], 2_950, "{case}");
    assert!(stream["mos"]["mean"].as_f64().unwrap() > 4.2, "{case}: {}", stream["mos"]);
    let (start, end) = (report["start_ms"].as_f64().unwrap(), report["end_ms"].as_f64().unwrap());
    assert_eq!((start, end), (1.7e12, 1.7e12 + 59e3), "{case}");
    assert!(kinds(&report).iter().all(|&kind| kind == "clockSkew"), "{case}: {:?}", kinds(&report));
    report
}

#[test]
fn time_of_zero_is_no_time() {
    let report = check_good_minute("attack-time_zero_once.ndjson");
    assert_eq!(report["fabrics"][0]["clock"]["untimed"], 1);
    assert!(kinds(&report).is_empty());
}

#[test]
fn clock_step_is_no_gap_and_no_traffic_at_a_wrong_rate() {
    for case in ["attack-clock_forward_1h.ndjson", "attack-clock_back_1h.ndjson"] {
        let report = check_good_minute(case);
        assert_eq!(report["fabrics"][0]["clock"]["steps"], 1, "{case}");
        let rates = intervals(case);
        let states = rates.iter().filter(|interval| interval["state"] == "reset").count();
        assert_eq!((rates.len(), states), (59, 1), "{case}");
        assert!(
            rates.iter().all(|interval| [32_000.0.into(), Value::Null].contains(&interval["bitrate_bps"])),
            "{case}"
        );
        assert!(text(case).contains("clock stepped"), "{}", text(case));
    }
}

#[test]
fn one_wild_client_spoils_no_other() {
    let case = "attack-one_wild_client.ndjson";
    let report = check_good_minute(case);
    assert_eq!(report["fabrics"][0]["clock"]["offset_ms"], Value::Null);
    let wild = &report["fabrics"][1];
    assert!(wild["clock"]["offset_ms"].as_f64().unwrap() > 8e13, "{}", wild["clock"]);
    let text = text(case);
    assert!(text.contains("clock is ahead") && text.contains("rate │████"), "{text}");
}

#[test]
fn monotonic_clock_is_read_in_its_unit() {
    for case in ["attack-monotonic_day23.ndjson", "attack-monotonic_crossing.ndjson"] {
        let report = check_good_minute(case);
        assert_eq!(report["fabrics"][0]["clock"]["unit_changes"], 1, "{case}");
        // The first two intervals show the unit, and have no rate.
        assert!(intervals(case).iter().skip(2).all(|interval| interval["bitrate_bps"] == 32_000.0), "{case}");
        assert!(kinds(&report).is_empty(), "{case}");
    }
}

#[test]
fn first_time_in_the_future_is_placed_at_its_arrival() {
    let report = report("attack-first_time_in_the_future.ndjson");
    let stream = first_stream(&report);
    assert_eq!((&stream["start_ms"], &stream["end_ms"]), (&1.7e12.into(), &(1.7e12 + 2e3).into()));
    assert_eq!((&report["start_ms"], &report["end_ms"]), (&stream["start_ms"], &stream["end_ms"]));
    assert_eq!((&report["duration_s"], &stream["bitrate_bps"]), (&2.0.into(), &32_000.0.into()));
}

#[test]
fn no_output_has_a_negative_zero() {
    let case = "attack-negzero.ndjson";
    for output in ["report", "intervals", "derived"] {
        let arguments: &[&str] = if output == "report" { &["report", "--format", "json"] } else { &[output] };
        let printed = crate::stdout(&[arguments, &[&super::path(case)]].concat(), b"");
        assert!(!printed.contains("-0.0") && !printed.contains(":-0,") && !printed.contains(": -0,"), "{output}");
    }
    assert_eq!(report(case)["duration_s"], 3.0);
}

#[test]
fn times_in_other_units_or_twice_stay_right() {
    for case in ["94-us-ints.ndjson.gz", "47c-ts-iso.ndjson.gz", "100-whole-seconds.ndjson.gz", "101-twice.ndjson.gz"] {
        let report = report(case);
        let clock = &report["fabrics"][0]["clock"];
        assert_eq!(
            (&clock["steps"], &clock["unit_changes"], &clock["wild"]),
            (&0.into(), &0.into(), &0.into()),
            "{case}"
        );
        assert!((first_stream(&report)["bitrate_bps"].as_f64().unwrap() / 32_000.0 - 1.0).abs() < 0.1, "{case}");
    }
}
