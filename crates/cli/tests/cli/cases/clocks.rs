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

/// The first records of a recording, without times of their own.
fn records_alone() -> Vec<Value> {
    let mut records: Vec<Value> =
        unpacked("loss5").lines().take(60).map(|line| serde_json::from_str(line).unwrap()).collect();
    for record in &mut records {
        record.as_object_mut().unwrap().remove("t");
    }
    records
}

/// Replaces the time of every entry by a function of the record's number and the milliseconds since the first.
fn retimed(mut records: Vec<Value>, time: impl Fn(usize, f64) -> f64) -> Vec<Value> {
    let at_ms = |entry: &Value| entry["timestamp"].as_f64().unwrap();
    let origin = records[0]["report"].as_object().unwrap().values().map(at_ms).fold(f64::INFINITY, f64::min);
    for (number, record) in records.iter_mut().enumerate() {
        for (_, entry) in record["report"].as_object_mut().unwrap() {
            entry["timestamp"] = time(number, at_ms(entry) - origin).into();
        }
    }
    records
}

/// What the command says of records: the report, and standard error.
fn reported(records: &[Value]) -> (Value, String) {
    let text = records.iter().fold(String::new(), |mut text, record| {
        let _ = writeln!(text, "{record}");
        text
    });
    let output = callgauge(&["report", "--format", "json", "-"], text.as_bytes());
    (serde_json::from_slice(&output.stdout).unwrap(), stderr(&output))
}

/// Asserts that a call has the figures of another.
fn assert_like(case: &str, (report, said): &(Value, String), good: &Value) {
    let near = |pointer: &str| {
        let [is, was] = [report, good].map(|report| report.pointer(pointer).unwrap().as_f64().unwrap());
        assert!((is / was - 1.0).abs() < 1e-4, "{case}: {pointer} is {is}, was {was}; {said}");
    };
    near("/duration_s");
    for stream in 0..4 {
        near(&format!("/fabrics/0/streams/{stream}/bitrate_bps"));
        near(&format!("/fabrics/0/streams/{stream}/mos/mean"));
    }
    assert_eq!(kinds(report), kinds(good), "{case}");
    assert!(said.lines().count() <= 1, "{case}: {said}");
}

#[test]
fn unit_of_a_clock_that_stands_alone_is_found_by_the_media() {
    let (good, said) = reported(&retimed(records_alone(), |_, ms| 3.6e6 + ms));
    assert!(said.is_empty() && good["duration_s"].as_f64() > Some(28.0), "{said}");
    // 15 minutes without a snapshot.
    let paused = |n: usize, ms: f64| ms + if n < 20 { 0.0 } else { 900e3 };
    let (good_paused, _) = reported(&retimed(records_alone(), |n, ms| 3.6e6 + paused(n, ms)));
    // Microseconds pass the magnitudes from which a time is taken for seconds since 1970, and no longer.
    let units = [(1e-3, [300.0, 8.64e5]), (1e3, [300.0, 990.0]), (1e3, [4_990.0, 86_400.0]), (1e4, [3_600.0; 2])];
    for (per_ms, since_s) in units.into_iter().chain([(1e6, [60.0, 86_400.0]), (1.0, [1.728e6; 2])]) {
        for since_s in since_s {
            let case = format!("{per_ms} a millisecond since {since_s} s");
            let found = reported(&retimed(records_alone(), |_, ms| (since_s * 1e3 + ms) * per_ms));
            assert_like(&case, &found, &good);
            assert_eq!(found.1.contains("times are not in milliseconds"), per_ms != 1.0, "{case}: {}", found.1);
            let found = reported(&retimed(records_alone(), |n, ms| (since_s * 1e3 + paused(n, ms)) * per_ms));
            assert_like(&format!("{case}, with a pause"), &found, &good_paused);
        }
    }
    let newest_first = |per_ms: f64| {
        let mut records = retimed(records_alone(), |_, ms| (3.6e6 + ms) * per_ms);
        records.reverse();
        reported(&records)
    };
    assert_like("newest first", &newest_first(1e3), &newest_first(1.0).0);
}

#[test]
fn milliseconds_stay_milliseconds_whatever_the_media_say() {
    let (good, _) = reported(&retimed(records_alone(), |_, ms| 1.7e12 + ms));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut records = retimed(records_alone(), |_, ms| 1.7e12 + ms);
        for record in &mut records {
            record["report"].as_object_mut().unwrap().values_mut().for_each(change);
        }
        records
    };
    let scaled = |member: &'static str, by: f64| {
        with(&move |entry| {
            if let Some(value) = entry.get(member).and_then(Value::as_f64) {
                entry[member] = (value * by).into();
            }
        })
    };
    let no_rates = scaled("framesPerSecond", 1e-3);
    let no_sound = scaled("totalSamplesDuration", 1e3);
    for (case, records) in [("frames a millisecond", no_rates), ("sound in ms", no_sound)] {
        let (report, said) = reported(&records);
        assert_eq!(report["duration_s"], good["duration_s"], "{case}: {said}");
        assert!(!said.contains("not in milliseconds"), "{case}: {said}");
        assert_eq!(report["downlink"]["bitrate_bps"], good["downlink"]["bitrate_bps"], "{case}");
    }
    // A computer that sleeps after the first snapshots.
    for pause_s in [900.0, 999.0, 9_999.0] {
        let slept = |n: usize, ms: f64| 1.7e12 + ms + if n < 2 { 0.0 } else { pause_s * 1e3 };
        let (report, said) = reported(&retimed(records_alone(), slept));
        let duration_s = report["duration_s"].as_f64().unwrap();
        assert!((duration_s - pause_s - good["duration_s"].as_f64().unwrap()).abs() < 1e-3, "{duration_s}: {said}");
    }
}

#[test]
fn one_wild_report_of_many_entries_is_no_skew() {
    let mut records: Vec<Value> = unpacked("loss5").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (_, entry) in records[80]["report"].as_object_mut().unwrap() {
        entry["timestamp"] = 9e13.into();
    }
    let (report, _) = reported(&records);
    assert!(!kinds(&report).contains(&"clockSkew"), "{:?}", kinds(&report));
}
