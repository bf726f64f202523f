//! Wrong, stepping and missing clocks.

use std::fmt::Write as _;

use serde_json::Value;

use super::files::stderr;
use super::{intervals, kinds, report, text};
use crate::{callgauge, stdout, unpacked};

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
        let printed = stdout(&[arguments, &[&super::path(case)]].concat(), b"");
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

/// A recording of one stream at 32 kbit/s, a sample a second. `times` gives what stands for the times of the record and
/// of the entry.
fn recorded(seconds: impl IntoIterator<Item = usize>, times: impl Fn(usize) -> [String; 2]) -> String {
    seconds.into_iter().fold(String::new(), |mut text, n| {
        let ([t, entry], packets, bytes) = (times(n), n * 50, n * 4_000);
        let _ = writeln!(
            text,
            r#"{{"t":{t},"pc":"A","report":[{{"id":"I","type":"inbound-rtp","kind":"audio","ssrc":7,"timestamp":{entry},"packetsReceived":{packets},"packetsLost":0,"bytesReceived":{bytes}}}]}}"#
        );
        text
    })
}

/// The same time for both.
fn both(ms: f64) -> [String; 2] {
    [format!("{ms}"), format!("{ms}")]
}

#[test]
fn times_that_cannot_be_read_are_nothing_usable() {
    for time in [r#""yesterday""#, "-5", "1.7e18", r#""NaN""#] {
        let text = recorded(0..30, |_| [time.into(), time.into()]);
        for command in ["report", "intervals", "inspect"] {
            let output = callgauge(&[command, "-"], text.as_bytes());
            assert_eq!(output.status.code(), Some(1), "{command} {time}");
            let said = format!("{}{}", stderr(&output), String::from_utf8_lossy(&output.stdout));
            assert!(said.contains("30 reports without a timestamp"), "{command} {time}: {said}");
        }
    }
}

#[test]
fn time_of_a_record_stands_for_missing_ones() {
    let report = report("91-no-own-timestamps.ndjson.gz");
    assert_eq!(report["duration_s"], 29.0);
    assert_eq!(report["fabrics"][0]["streams"].as_array().unwrap().len(), 2);
    assert_eq!(report["fabrics"][0]["clock"]["untimed"], 0);
}

#[test]
fn mean_rates_span_no_gap() {
    let text = recorded(0..30, |n| both(1.7e12 + n as f64 * 1e3 + if n < 15 { 0.0 } else { 86_400e3 }));
    let report: Value = serde_json::from_str(&stdout(&["report", "--format", "json", "-"], text.as_bytes())).unwrap();
    let fabric = &report["fabrics"][0];
    assert_eq!(fabric["streams"][0]["gap_s"], 86_401.0);
    for flow in [&fabric["streams"][0], &fabric["downlink"], &report["downlink"]] {
        assert_eq!(flow["bitrate_bps"], 32_000.0);
    }
    assert!(stdout(&["report", "-"], text.as_bytes()).contains("no stats from A's connection for 24 h 0 min"));
}

#[test]
fn times_that_do_not_advance_are_counted_and_give_no_rates() {
    let still = stdout(&["report", "-"], recorded(0..30, |_| both(1.7e12)).as_bytes());
    assert!(still.contains("29 samples left out: time does not advance"), "{still}");
    // Seconds that are read as milliseconds, and steps of 10 µs.
    for step_ms in [1.0, 0.01] {
        let text = recorded(0..30, |n| both(5e3 + n as f64 * step_ms));
        let report = stdout(&["report", "-"], text.as_bytes());
        assert!(report.contains("? bit/s") && report.contains("30 samples less than 10 ms apart"), "{report}");
    }
}

#[test]
fn wrong_times_are_counted_and_do_not_last() {
    let day_ms = 86_400e3;
    let text = recorded(0..30, |n| both(1.7e12 + n as f64 * 1e3 + if n == 0 { -400.0 * day_ms } else { 0.0 }));
    let output = callgauge(&["report", "-"], text.as_bytes());
    assert!(stderr(&output).contains("1 item with a time that those around contradict"), "{}", stderr(&output));
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.starts_with("Conference: 29 s") && !report.contains("its clock is"), "{report}");
    // Two clocks, a day apart, in turn.
    let text = recorded(0..30, |n| both(1.7e12 + n as f64 * 1e3 + if n % 2 == 0 { 0.0 } else { day_ms }));
    let report = stdout(&["report", "-"], text.as_bytes());
    assert!(report.starts_with("Conference: 30 s") && report.contains("clock stepped"), "{report}");
}

#[test]
fn lines_in_no_order_are_not_called_newest_first() {
    // 11 and 60 have no common divisor.
    let shuffled = (0..60).map(|n| (n * 11 + 1) % 60);
    let output = callgauge(&["report", "-"], recorded(shuffled, |n| both(1.7e12 + n as f64 * 1e3)).as_bytes());
    assert!(stderr(&output).contains("came after later ones (shuffled?)"), "{}", stderr(&output));
}

/// The first lines of a recording without the times of its records, and with those of its stats since `since_s` seconds
/// after another origin, `per_ms` to the millisecond.
fn on_clock_alone(since_s: f64, per_ms: f64) -> String {
    let records: Vec<Value> =
        unpacked("loss5").lines().take(60).map(|line| serde_json::from_str(line).unwrap()).collect();
    let origin = records[0]["t"].as_f64().unwrap();
    records.into_iter().fold(String::new(), |mut text, mut record| {
        record.as_object_mut().unwrap().remove("t");
        for (_, entry) in record["report"].as_object_mut().unwrap() {
            let ms = entry["timestamp"].as_f64().unwrap() - origin + since_s * 1e3;
            entry["timestamp"] = (ms * per_ms).into();
        }
        let _ = writeln!(text, "{record}");
        text
    })
}

#[test]
fn unit_of_a_clock_that_stands_alone_is_found_by_the_media() {
    let of = |text: &str| {
        let output = callgauge(&["report", "--format", "json", "-"], text.as_bytes());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (report, stderr(&output))
    };
    let (good, said) = of(&on_clock_alone(3_600.0, 1.0));
    assert!(said.is_empty(), "{said}");
    assert!(good["duration_s"].as_f64().unwrap() > 28.0);
    let second = 1e-3;
    // Microseconds pass the magnitudes from which a time is taken for seconds since 1970, and no longer.
    for (since_s, per_ms) in [
        (300.0, second),
        (8.64e5, second),
        (300.0, 1e3),
        (990.0, 1e3),
        (4_990.0, 1e3),
        (86_400.0, 1e3),
        (3_600.0, 1e4),
        (3_600.0, 1e6),
        (1.728e6, 1.0),
    ] {
        let (report, said) = of(&on_clock_alone(since_s, per_ms));
        assert!(said.contains("times are not in milliseconds"), "{since_s} {per_ms}: {said}");
        assert_eq!(said.lines().count(), 1, "{since_s} {per_ms}: {said}");
        let near = |pointer: &str| {
            let [is, was] = [&report, &good].map(|report| report.pointer(pointer).unwrap().as_f64().unwrap());
            assert!((is / was - 1.0).abs() < 1e-4, "{since_s} {per_ms}: {pointer} is {is}, was {was}");
        };
        near("/duration_s");
        for stream in 0..4 {
            near(&format!("/fabrics/0/streams/{stream}/bitrate_bps"));
            near(&format!("/fabrics/0/streams/{stream}/mos/mean"));
        }
        assert_eq!(kinds(&report), kinds(&good), "{since_s} {per_ms}");
    }
}

#[test]
fn one_wild_report_of_many_entries_is_no_skew() {
    let mut records: Vec<Value> = unpacked("loss5").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (_, entry) in records[80]["report"].as_object_mut().unwrap() {
        entry["timestamp"] = 9e13.into();
    }
    let text = records.iter().fold(String::new(), |mut text, record| {
        let _ = writeln!(text, "{record}");
        text
    });
    let report: Value = serde_json::from_str(&stdout(&["report", "--format", "json", "-"], text.as_bytes())).unwrap();
    assert!(!kinds(&report).contains(&"clockSkew"), "{:?}", kinds(&report));
}
