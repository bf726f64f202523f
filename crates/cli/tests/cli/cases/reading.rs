//! What was not read, and inputs in other formats.

use std::io::{Read, Write};
use std::process::Output;

use serde_json::{Value, json};

use super::{callgauge, kinds, path, report};
use crate::{root, stdout};

/// Every command that reads files.
const COMMANDS: &[&str] = &["report", "intervals", "derived", "inspect"];

fn messages(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Asserts that no command can use an input, and returns the messages of `report`.
fn refused(arguments: &[&str], input: &[u8]) -> String {
    for command in COMMANDS {
        let output = callgauge(&[&[*command], arguments].concat(), input);
        assert_eq!(output.status.code(), Some(1), "{command} {arguments:?}");
        assert!(*command == "inspect" || output.stdout.is_empty(), "{command} {arguments:?}");
    }
    messages(&callgauge(&[&["report"], arguments].concat(), input))
}

/// Inspects an input as JSON; it may be unusable.
fn inspected(arguments: &[&str], input: &[u8]) -> Value {
    let output = callgauge(&[&["inspect", "--format", "json"], arguments].concat(), input);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_case_without_a_usable_entry_says_what_it_is() {
    for (case, found) in [
        ("00-no-stats-package.json", "JSON, but no getStats entry: 1 object without a known type"),
        ("06c-gstreamer-structure.txt", "expected a value at byte 0"),
        ("07-janus-events.ndjson.gz", "60 records: JSON, but no getStats entry: 60 objects without a known type"),
        ("12-twilio-room.ndjson.gz", "30 records: JSON, but no getStats entry"),
        ("14-asterisk.txt", "expected a value at byte 45"),
        ("51-empty-maps.ndjson", "30 empty reports: JSON.stringify makes {} of an RTCStatsReport"),
        ("53i-flat-lines.ndjson.gz", "270 records: no stats in any known format"),
        ("60-rn-broken-map.ndjson.gz", "none of 30 lines could be read; line 1: expected a member name at byte 3078"),
        ("73-twilio-voice-sample.ndjson.gz", "30 records: JSON, but no getStats entry"),
        ("attack-powershell_utf16.ndjson", "text in UTF-16, not UTF-8"),
    ] {
        let messages = refused(&[&path(case)], b"");
        assert!(messages.contains(&format!("{case}: {found}")), "{case}: {messages}");
        assert!(!messages.contains("unrecognised"), "{case}: {messages}");
    }
}

#[test]
fn a_case_that_is_read_in_part_names_the_rest() {
    for (case, found) in [
        ("01-mediasoup.ndjson.gz", "not read: 6 members (bitrate 62, byteCount 62, "),
        ("90-sora-webhook.ndjson.gz", "channel_id"),
    ] {
        let output = callgauge(&["report", &path(case)], b"");
        assert_eq!(output.status.code(), Some(0), "{case}");
        assert!(messages(&output).contains(found), "{case}: {}", messages(&output));
    }
}

/// Of each connection its snapshots, and of each stream its rate and its loss; and the length of the call.
fn facts(report: &Value) -> Value {
    let fabrics = report["fabrics"].as_array().unwrap().iter().map(|fabric| {
        let streams = fabric["streams"].as_array().unwrap().iter();
        let rates = streams.map(|stream| json!([stream["bitrate_bps"], stream["loss_ratio"]])).collect::<Vec<_>>();
        json!([fabric["snapshots"], rates])
    });
    json!([report["duration_s"], fabrics.collect::<Vec<_>>()])
}

#[test]
fn every_shape_of_a_whole_call_gives_the_same_call() {
    let good = facts(&report("52-pretty-concatenated.json.gz"));
    assert_eq!((&good[0], &good[1][0][0]), (&29.0.into(), &30.into()));
    for case in [
        "53a-array-of-maps.json.gz",
        "53b-array-of-lists.json.gz",
        "53c-array-of-recordings.json.gz",
        "53e-array-timestamp-stats.json.gz",
        "53h-flat-all-snapshots.json.gz",
        "57-camel-wrapped.ndjson.gz",
    ] {
        assert_eq!(facts(&report(case)), good, "{case}");
    }
    let mut text = String::new();
    let file = std::fs::File::open(root().join(path("53c-array-of-recordings.json.gz"))).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let records: Vec<Value> = serde_json::from_str(&text).unwrap();
    let reports = || records.iter().map(|record| record["report"].clone()).collect::<Vec<_>>();
    let by_time: serde_json::Map<_, _> =
        records.iter().map(|record| (record["t"].to_string(), record["report"].clone())).collect();
    let named = |name: &str| {
        records.iter().map(|record| json!({name: record["t"], "getStats": record["report"]})).collect::<Vec<_>>()
    };
    for shape in [
        json!({"A": reports()}),
        json!({"app": {"version": 3}, "snapshots": reports()}),
        json!({"pc_id": "A", "user": "x", "history": {"samples": reports()}}),
        json!(by_time),
        json!({"A": by_time}),
        json!(named("timestamp_ms")),
        json!({"calls": {"A": named("ts")}}),
    ] {
        let found = stdout(&["report", "--format", "json", "-"], shape.to_string().as_bytes());
        assert_eq!(facts(&serde_json::from_str(&found).unwrap()), good, "{:.60}", shape.to_string());
    }
    // One record that cannot be read loses no other.
    let mut broken = reports();
    broken[3] = json!([{"type": "codec"}, 7, null]);
    let found = stdout(&["report", "--format", "json", "-"], json!(broken).to_string().as_bytes());
    let report: Value = serde_json::from_str(&found).unwrap();
    assert_eq!((&report["fabrics"][0]["snapshots"], report["duration_s"].as_f64()), (&29.into(), Some(29.0)));
}

#[test]
fn names_and_wrappers_of_other_stacks_are_read() {
    for (case, received_bps, loss) in [
        ("03-flutter.ndjson.gz", 31_845.5, 0.0048),
        ("05-rn-old-values-array.ndjson.gz", 32_000.0, 0.0048),
        ("06-gstreamer.ndjson.gz", 32_000.0, 0.005),
        ("09b-firefox-copy-report-lines.ndjson.gz", 32_000.0, 0.0048),
        ("47d-snake.ndjson.gz", 31_691.0, 0.0097),
    ] {
        let report = report(case);
        let stream = &report["fabrics"][0]["streams"][0];
        let [bps, ratio] = ["bitrate_bps", "loss_ratio"].map(|name| stream[name].as_f64().unwrap());
        assert!((bps - received_bps).abs() < 1.0 && (ratio - loss).abs() < 2e-4, "{case}: {bps} bit/s, loss {ratio}");
        assert!(kinds(&report).is_empty(), "{case}: {:?}", kinds(&report));
    }
    let connections = report("90-sora-webhook.ndjson.gz")["fabrics"].as_array().unwrap().len();
    assert_eq!(connections, 2);
}

#[test]
fn documents_one_after_the_other_are_samples_of_one_call() {
    let report = report("52-pretty-concatenated.json.gz");
    assert_eq!((report["duration_s"].as_f64(), &report["inputs"][0]["snapshots"]), (Some(29.0), &30.into()));
}

#[test]
fn unread_members_bring_no_diagnosis_and_no_state() {
    for case in ["01-mediasoup.ndjson.gz", "06-gstreamer.ndjson.gz"] {
        let report = report(case);
        assert!(kinds(&report).is_empty(), "{case}");
        assert_eq!(report["fabrics"][0]["state"], Value::Null, "{case}");
    }
}

#[test]
fn inspect_lists_every_unread_member_with_its_count() {
    let found = inspected(&[&path("01-mediasoup.ndjson.gz")], b"");
    assert_eq!((&found["snapshots"], &found["connections"], &found["streams"]), (&31.into(), &1.into(), &2.into()));
    assert_eq!(found["unread"]["byteCount"], 62);
    assert_eq!(found["unread"].as_object().unwrap().len(), 6);
    let text = stdout(&["inspect", &path("01-mediasoup.ndjson.gz")], b"");
    assert!(text.contains("not read, unknown members: bitrate 62,"), "{text}");
    let whole = inspected(&["tests/fixtures/recordings/mesh3.ndjson.gz"], b"");
    assert_eq!(whole["unread"], serde_json::json!({}));
    assert_eq!(whole["users"].as_array().unwrap().len(), 3);
}

#[test]
fn several_files_are_inspected_one_after_the_other() {
    let files = [path("51-empty-maps.ndjson"), path("50-good.ndjson.gz")];
    let text = stdout(&["inspect", &files[0], &files[1]], b"");
    assert!(text.contains("51-empty-maps.ndjson: ") && text.contains("\n\ntests/fixtures/cases/50-good"), "{text}");
    let json = stdout(&["inspect", "--format", "json", &files[0], &files[1]], b"");
    let snapshots = json.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["snapshots"].clone());
    assert_eq!(snapshots.collect::<Vec<_>>(), [0, 30]);
}

#[test]
fn a_log_without_stats_is_unusable_and_still_inspected() {
    let lines = b"[\"oniceconnectionstatechange\",\"PC_0\",\"checking\",1000]\n[\"ondance\",\"PC_0\",\"x\",2000]\n";
    let messages = refused(&["-"], lines);
    assert!(messages.contains("no entry of getStats was read, only 1 event of a log"), "{messages}");
    assert!(messages.contains("not read: 1 kind of log event (ondance 1)"), "{messages}");
    let found = inspected(&["-"], lines);
    assert_eq!((&found["format"], &found["log_events"]), (&"jitsi".into(), &1.into()));
    assert_eq!(found["unread_events"]["ondance"], 1);
}

#[test]
fn a_file_that_cannot_be_opened_is_wrong_usage() {
    let good = path("50-good.ndjson.gz");
    for command in COMMANDS {
        for missing in ["no-such-file", "tests/fixtures"] {
            let output = callgauge(&[command, &good, missing], b"");
            assert_eq!(output.status.code(), Some(2), "{command} {missing}");
            assert!(output.stdout.is_empty(), "{command} {missing}");
            let messages = messages(&output);
            assert!(messages.starts_with(&format!("callgauge: {missing}: ")), "{command}: {messages}");
            assert_eq!(messages.lines().count(), 1, "{command}: {messages}");
        }
    }
}

#[test]
fn the_help_lists_the_exit_status() {
    let help = stdout(&["--help"], b"");
    for status in ["  0  done", "  1  nothing usable", "  2  wrong usage"] {
        assert!(help.contains(status), "{help}");
    }
}

/// A report of the good call.
fn good_report() -> String {
    let lines = std::fs::read(root().join(path("50-good.ndjson.gz"))).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*lines).read_to_string(&mut text).unwrap();
    let line: Value = serde_json::from_str(text.lines().nth(3).unwrap()).unwrap();
    line["report"].to_string()
}

#[test]
fn each_emptiness_has_its_own_sentence() {
    for (input, found) in [
        ("", "empty, or only white space"),
        (" \n\t\n", "empty, or only white space"),
        ("[]", "1 report without an entry, []: Object.values of an RTCStatsReport is empty"),
        ("{}", "1 empty report: JSON.stringify makes {}"),
        (r#"{"result":[]}"#, "1 report without an entry, []"),
        (r#"{"t":1,"pc":"A","report":"{}"}"#, "1 empty report: JSON.stringify makes {}"),
        (r#"{"PeerConnections":{},"getUserMedia":[]}"#, "no entry of getStats was read"),
        ("RTCStatsDump\n{\"fileFormat\":3}\n", "no entry of getStats was read"),
    ] {
        assert_eq!(
            refused(&["-"], input.as_bytes()).trim_end().split_once("input: ").unwrap().1.find(found),
            Some(0),
            "{input}"
        );
    }
}

#[test]
fn a_file_that_is_no_recording_costs_one_message() {
    let noise: Vec<u8> = (0..9_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80).collect();
    let noise: Vec<u8> = noise.chunks(30).flat_map(|line| [line, b"\n"].concat()).collect();
    for (input, found) in [
        (noise, "none of 300 lines could be read; line 1: not UTF-8 at byte 0"),
        (b"%PDF-1.4\n%\xe2\xe3\n1 0 obj\n".repeat(50), "a PDF document, not JSON"),
        (b"Dear support,\nmy call was bad\n".repeat(50), "expected a value at byte 0"),
        (b"{'t': 1, 'pc': 'A'}\n".repeat(50), "none of 50 lines could be read; line 1: expected a member name"),
    ] {
        let messages = refused(&["-"], &input);
        assert_eq!(messages.lines().count(), 1, "{messages}");
        assert!(messages.contains(found), "{messages}");
    }
}

#[test]
fn what_was_whole_before_a_cut_is_read() {
    let report = good_report();
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&report).unwrap()).unwrap();
    for (input, snapshots) in [
        (report[..report.len() / 2].to_owned(), 1),
        (pretty[..2_000].to_owned(), 1),
        (format!("{pretty}\n{pretty}{report}"), 3),
        (format!("{pretty}\nend of file"), 1),
    ] {
        let output = callgauge(&["inspect", "--format", "json", "-"], input.as_bytes());
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &found["snapshots"]), (Some(0), &snapshots.into()), "{input}");
        let problems = found["problems"].as_array().unwrap();
        let said = problems.iter().any(|problem| problem.as_str().unwrap().contains(" at byte "));
        assert_eq!((said, found["skipped"]["records"] == 1), (snapshots < 3, snapshots < 3), "{problems:?}");
    }
}

#[test]
fn records_in_other_wrappings_are_read_alike() {
    let lines = String::from_utf8(crate::beginning("clean", 30)).unwrap();
    let call = |input: &str| {
        let report: Value =
            serde_json::from_str(&stdout(&["report", "--format", "json", "-"], input.as_bytes())).unwrap();
        report["fabrics"].clone()
    };
    let plain = call(&lines);
    let each = |wrap: &dyn Fn(&str) -> String| lines.lines().map(wrap).collect::<Vec<_>>().join("\n");
    assert_eq!(call(&each(&|line| format!("{line},"))), plain, "lines of an array");
    assert_eq!(call(&each(&|line| serde_json::to_string(line).unwrap())), plain, "strings");
    assert_eq!(call(&lines.replace('\n', "\r")), plain, "old line ends");
    assert_eq!(call(&lines.replace('\n', "")), plain, "one line");
}

#[test]
fn an_unread_member_of_any_depth_costs_nothing_else() {
    let report = good_report();
    let deep = format!(r#""odd":{}{},"type":"inbound-rtp""#, "[".repeat(400), "]".repeat(400));
    let found = inspected(&["-"], report.replacen(r#""type":"inbound-rtp""#, &deep, 1).as_bytes());
    assert_eq!((&found["snapshots"], &found["unread"]["odd"]), (&1.into(), &1.into()));
}

#[test]
fn odd_words_are_read_or_named() {
    let odd = good_report()
        .replace(r#""dtlsState":"connected""#, r#""dtlsState":"hanging""#)
        .replace(r#""nominated":true"#, r#""nominated":"perhaps""#)
        .replace(r#""state":"succeeded""#, r#""state":"SUCCEEDED""#);
    let found = inspected(&["-"], odd.as_bytes());
    assert_eq!(found["unread_values"], serde_json::json!({"dtlsState: hanging": 1}));
    assert_eq!(found["skipped"]["bad_members"], serde_json::json!(["nominated"]));
    for command in ["report", "derived"] {
        let messages = messages(&callgauge(&[command, "-"], odd.as_bytes()));
        assert!(messages.contains("ignored 1 invalid value (nominated)"), "{command}: {messages}");
        assert!(messages.contains("not read: 1 value (dtlsState: hanging 1)"), "{command}: {messages}");
    }
}

#[test]
fn every_command_says_the_same_in_the_same_order() {
    let lines = crate::beginning("clean", 30);
    let bad = "hello\n[{\"type\":\"inbound-rtp\",\"id\":\"x\",\"jitter\":-1,\"timestamp\":1795341200000}]\n{}\n[]\n{\"a\":{\"b\":1}}\n";
    let input = [&lines, bad.as_bytes()].concat();
    let said = |command: &str| -> Vec<String> {
        let messages = messages(&callgauge(&[command, "-"], &input));
        messages.lines().map(|line| line.replace("callgauge: standard input: ", "")).collect()
    };
    let sentences = said("report");
    assert!(sentences.len() > 3, "{sentences:?}");
    assert_eq!(said("intervals"), sentences);
    assert_eq!(said("derived"), sentences);
    let found = inspected(&["-"], &input);
    let problems: Vec<&str> = found["problems"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert_eq!(problems, sentences);
    let text = stdout(&["inspect", "-"], &input).replace("\n    ", " ");
    let listed: Vec<&str> = text.split("left out:\n").nth(1).unwrap().lines().map(str::trim).collect();
    assert_eq!(listed, sentences);
}

#[test]
fn the_longest_record_is_an_option() {
    let line = crate::beginning("clean", 2);
    let long = format!("{{\"a\":\"{}\"}}\n", "x".repeat(1 << 20));
    for (input, records) in [([&line, long.as_bytes()].concat(), 1), (format!("{{\n{long}").into_bytes(), 1)] {
        let found = inspected(&["--max-record", "1", "-"], &input);
        assert_eq!(found["skipped"]["records"], records);
        let problems = found["problems"].to_string();
        assert!(problems.contains("longer than 1 MiB (--max-record)"), "{problems}");
    }
    let output = callgauge(&["report", "--max-record", "0", "-"], &line);
    assert_eq!(output.status.code(), Some(2));
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn packed_data_inside_gzip_is_named_in_one_sentence() {
    for (inside, found) in [
        (packed(b"[]"), "inside gzip: gzip data: unpack it"),
        (b"PK\x03\x04 and more".to_vec(), "inside gzip: a zip archive: unpack it"),
        (b"\xff\xfe[\0]\0".to_vec(), "inside gzip: text in UTF-16"),
    ] {
        let messages = refused(&["-"], &packed(&inside));
        assert_eq!(messages.lines().count(), 1, "{messages}");
        assert!(messages.contains(found), "{messages}");
    }
    let messages = refused(&["-"], b"\x28\xb5\x2f\xfd\0\0");
    assert_eq!(messages, "callgauge: standard input: zstd data: unpack it\n");
}

#[test]
fn a_record_that_expands_too_much_is_refused() {
    let mut bomb = b"{".to_vec();
    bomb.resize(160 << 20, b' ');
    let bomb = packed(&bomb);
    assert!(bomb.len() < 2 << 20);
    let output = callgauge(&["inspect", "-"], &bomb);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("expands more than 200 times"), "{text}");
}

#[test]
fn a_connection_name_that_is_too_long_is_refused_for_its_length() {
    let report = r#"[{"id":"I","type":"inbound-rtp","timestamp":1000,"ssrc":7,"packetsReceived":1}]"#;
    let line = format!(r#"{{"t":1000,"pc":"{}","report":{report}}}"#, "x".repeat(257));
    let messages = messages(&callgauge(&["report", "-"], line.as_bytes()));
    assert!(messages.contains("could not be opened: the name is empty or too long"), "{messages}");
    assert!(!messages.contains("beyond the limit"), "{messages}");
}

#[test]
fn connections_with_broken_names_are_not_merged() {
    let report = report("attack-surrogate_names_merge.ndjson");
    let names: Vec<_> = report["fabrics"].as_array().unwrap().iter().map(|fabric| fabric["fabric"].as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_ne!(names[0], names[1]);
}

#[test]
fn the_format_of_a_call_survives_marks_and_line_ends() {
    let good = report("50-good.ndjson.gz");
    for case in ["55a-bom.ndjson.gz", "55c-crlf.ndjson.gz"] {
        assert_eq!(report(case)["fabrics"], good["fabrics"], "{case}");
    }
}
