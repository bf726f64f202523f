//! The command as its users run it: real recordings in, golden files out, and what it says of bad input.
//!
//! `UPDATE_GOLDEN=1 cargo test` writes the golden files anew; the difference is then to be read, line by line.

#![allow(clippy::unwrap_used)] // tests may assume

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::read::GzDecoder;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the command at the root of the repository, so that paths in its output are relative.
fn callgauge(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_callgauge"))
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A command that fails early closes its end.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn stdout(arguments: &[&str], input: &[u8]) -> String {
    let output = callgauge(arguments, input);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn recording(name: &str) -> String {
    format!("tests/fixtures/recordings/{name}.ndjson.gz")
}

fn unpacked(name: &str) -> String {
    let file = std::fs::File::open(root().join(recording(name))).unwrap();
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

/// The first `lines` lines of a recording.
fn beginning(name: &str, lines: usize) -> Vec<u8> {
    unpacked(name).split_inclusive('\n').take(lines).collect::<String>().into_bytes()
}

fn golden(name: &str, got: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, got).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
        assert_eq!(got, expected, "{name}, line {}", number + 1);
    }
    assert_eq!(got.lines().count(), expected.lines().count(), "{name} has another number of lines");
}

#[test]
fn reports_as_text() {
    for name in ["loss5", "screen", "hold", "simulcast", "outage5", "mute", "ff_loss5", "mesh3"] {
        golden(&format!("report-{name}.txt"), &stdout(&["report", &recording(name)], b""));
    }
}

#[test]
fn the_readme_shows_what_its_command_prints() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let shown = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(shown, stdout(&["report", &recording("loss5")], b""));
}

#[test]
fn reports_as_json() {
    for name in ["burst10", "ff_loss20", "audio_dtx"] {
        let report = stdout(&["report", "--format", "json", "--conference", "AliceAndBob", &recording(name)], b"");
        golden(&format!("report-{name}.json"), &report);
    }
}

#[test]
fn intervals_and_derived_values() {
    let input = beginning("loss5", 14);
    golden("intervals.ndjson", &stdout(&["intervals", "-"], &input));
    golden("intervals.csv", &stdout(&["intervals", "--format", "csv", "-"], &input));
    golden("derived.ndjson", &stdout(&["derived", "-"], &input));
}

#[test]
fn inspections() {
    golden("inspect-simulcast.txt", &stdout(&["inspect", &recording("simulcast")], b""));
    golden("inspect-aiortc.txt", &stdout(&["inspect", &recording("other/aiortc-loopback")], b""));
}

#[test]
fn every_promised_key_of_a_report_is_there_and_every_number_finite() {
    let report: Value =
        serde_json::from_str(&stdout(&["report", "--format", "json", &recording("clean")], b"")).unwrap();
    let has = |value: &Value, keys: &str| {
        for key in keys.split(' ') {
            assert!(value.as_object().is_some_and(|object| object.contains_key(key)), "{key} is missing");
        }
    };
    has(
        &report,
        "schema conference start_ms end_ms duration_s state end_reason inputs score users talk events diagnoses fabrics",
    );
    assert_eq!(report["schema"], "callgauge.conference/1");
    has(&report["inputs"][0], "file format snapshots skipped_lines skipped_entries bad_fields");
    let fabrics = report["fabrics"].as_array().unwrap();
    assert_eq!(fabrics.len(), 2);
    let mut stats = 0;
    for fabric in fabrics {
        has(fabric, "fabric local_user remote_user usage state setup_delay_ms failure_delay_ms rtt_ms");
        has(&fabric["rtt_ms"], "rtcp ice");
        let streams = fabric["streams"].as_array().unwrap();
        assert_eq!(streams.len(), 4);
        for stream in streams {
            has(
                stream,
                "ssrc direction kind user label codec start_ms end_ms duration_s samples epochs resets muted_s packets \
                 packets_lost bytes bitrate_bps loss_ratio jitter_ms rtt_ms interval_bitrate_bps interval_loss_ratio \
                 audio video mos score",
            );
            for key in ["jitter_ms", "rtt_ms", "interval_bitrate_bps", "interval_loss_ratio"] {
                has(&stream[key], "mean min max p05 p50 p95 n");
                stats += 1;
            }
            assert_ne!(stream["audio"].is_null(), stream["video"].is_null());
        }
    }
    assert_eq!(stats, 32);
}

#[test]
fn the_same_recording_reads_alike_packed_unpacked_and_piped() {
    let text = unpacked("audio_clean");
    let packed = stdout(&["intervals", &recording("audio_clean")], b"");
    assert!(packed.lines().count() > 300);
    assert_eq!(stdout(&["intervals", "-"], text.as_bytes()), packed);
    let file = std::env::temp_dir().join(format!("callgauge-{}.txt", std::process::id()));
    std::fs::write(&file, &text).unwrap();
    let plain = stdout(&["intervals", file.to_str().unwrap()], b"");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(plain, packed);
}

#[test]
fn a_document_over_many_lines_is_one_record() {
    let line = unpacked("clean").lines().nth(20).unwrap().to_owned();
    let report = &serde_json::from_str::<Value>(&line).unwrap()["report"];
    let pretty = serde_json::to_string_pretty(report).unwrap();
    let inspected = stdout(&["inspect", "-"], pretty.as_bytes());
    assert!(inspected.contains("getstats") && inspected.contains("1 record, 1 snapshot, 1 connection"), "{inspected}");
}

#[test]
fn bad_lines_are_named_and_the_rest_is_used() {
    let text = unpacked("audio_clean");
    let mut lines: Vec<&str> = text.lines().collect();
    let whole = lines.len();
    let cut = &lines[41][..lines[41].len() / 2];
    lines[41] = cut;
    lines.insert(12, "hello");
    let output = callgauge(&["report", "--format", "json", "-"], lines.join("\n").as_bytes());
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("standard input: line 13: expected a value at byte 0"), "{said}");
    assert!(said.contains("standard input: line 43: the text ends inside a value, at byte"), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["inputs"][0]["skipped_lines"], 2);
    assert_eq!(report["inputs"][0]["snapshots"], whole as u64 - 1);
}

#[test]
fn a_broken_first_line_does_not_cost_the_others() {
    let mut input = b"{\"t\": 1, \"pc\n".to_vec();
    input.extend(beginning("clean", 30));
    let report: Value = serde_json::from_str(&stdout(&["report", "--format", "json", "-"], &input)).unwrap();
    assert_eq!(report["inputs"][0]["skipped_lines"], 1);
    assert!(report["inputs"][0]["snapshots"].as_u64().unwrap() > 25);
}

#[test]
fn a_cut_gzip_file_gives_what_it_holds_and_says_so() {
    let packed = std::fs::read(root().join(recording("clean"))).unwrap();
    let output = callgauge(&["report", "--format", "json", "-"], &packed[..packed.len() / 2]);
    assert!(output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["inputs"][0]["snapshots"].as_u64().unwrap() > 40);
    assert!(!output.stderr.is_empty());
}

/// A line of one stream that has been there for a second at the `second`th.
fn line(connection: &str, ssrc: u32, second: u64) -> String {
    let report = serde_json::json!([{
        "id": "I", "type": "inbound-rtp", "kind": "audio", "timestamp": 1000 * second, "ssrc": ssrc,
        "packetsReceived": 50 * second,
    }]);
    serde_json::json!({"t": 1000 * second, "pc": connection, "report": report}).to_string() + "\n"
}

#[test]
fn what_a_limit_keeps_out_is_counted_and_said() {
    let connections: String =
        (0..1_030).map(|n| line(&format!("pc-{n}"), 7, 1) + &line(&format!("pc-{n}"), 7, 2)).collect();
    let output = callgauge(&["report", "--format", "json", "-"], connections.as_bytes());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["fabrics"].as_array().unwrap().len(), 1_024);
    assert_eq!(report["inputs"][0]["refused_snapshots"], 12);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("left out 12 snapshots of connections beyond the limit"), "{said}");

    let streams: String = (0..2_050).map(|ssrc| line("pc", ssrc, 1)).collect();
    let output = callgauge(&["intervals", "-"], streams.as_bytes());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("left out 2 entries of streams beyond the limit of a connection"), "{said}");
}

#[test]
fn a_name_cannot_forge_lines_nor_steer_the_terminal() {
    let name = "A: established\n\nB\u{1b}[2J";
    let input: String = (1..4).map(|second| line(name, 7, second)).collect();
    for command in ["report", "inspect"] {
        let said = stdout(&[command, "-"], input.as_bytes());
        assert!(said.lines().any(|line| line.starts_with(r"A: established\n\nB\u{1b}[2J: ")), "{said}");
        assert!(!said.contains('\u{1b}'), "{said}");
    }
}

#[test]
fn what_stands_behind_a_gzip_stream_does_not_cost_its_last_line() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all((line("pc", 7, 1) + line("pc", 7, 2).trim_end()).as_bytes()).unwrap();
    let mut packed = packed.finish().unwrap();
    packed.extend(b"garbage");
    let output = callgauge(&["report", "--format", "json", "-"], &packed);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["inputs"][0]["snapshots"], 2);
    assert!(!output.stderr.is_empty());
}

#[test]
fn exit_status_tells_nothing_usable_from_wrong_usage() {
    for (arguments, input, status) in [
        (&["report", "-"][..], &b"hello"[..], 1),
        (&["report", "-"], b"", 1),
        (&["report", "-"], b"{}", 1),
        (&["intervals", "-"], b"[1,2,3", 1),
        (&["derived", "-"], b"\xff\xfe\x00", 1),
        (&["inspect", "-"], b"\x1f\x8b garbage", 1),
        (&["report", "no-such-file"], b"", 1),
        (&["report"], b"", 2),
        (&["report", "--format", "xml", "-"], b"", 2),
        (&["reprot", "-"], b"", 2),
    ] {
        let output = callgauge(arguments, input);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(status == 1 && arguments[0] == "inspect" || output.stdout.is_empty(), "{arguments:?}");
        assert!(arguments[0] == "inspect" || !output.stderr.is_empty(), "{arguments:?} says nothing");
    }
}

#[test]
fn what_if_scores_say_what_made_them() {
    let audio = ["score", "audio", "--codec", "opus", "--bitrate", "32000", "--loss", "0.03", "--rtt-ms", "180"];
    golden("score-audio.txt", &stdout(&audio, b""));
    let video =
        ["score", "video", "--codec", "VP8", "--qp", "60", "--size", "640x360", "--fps", "12", "--frozen", "0.1"];
    golden("score-video.txt", &stdout(&video, b""));

    let json: Value = serde_json::from_str(&stdout(&[&audio[..], &["--format", "json"]].concat(), b"")).unwrap();
    assert_eq!((json["model"].as_str(), json["tier"].as_str()), (Some("callgauge-audio/1"), Some("A3")));
    let taken: f64 = json["parts"].as_object().unwrap().values().map(|points| points.as_f64().unwrap()).sum();
    assert!(json["mos_low"].as_f64() < json["mos"].as_f64() && taken > 10.0);
    assert_eq!(json["inputs"]["discards"], "missing");
}

#[test]
fn a_score_that_nothing_carries_is_refused_with_the_reason() {
    for (arguments, status, says) in [
        (&["audio", "--codec", "opus"][..], 1, "nothing is known about loss"),
        (&["audio", "--codec", "speex", "--loss", "0"], 1, "nothing is known of the codec"),
        (&["audio", "--codec", "opus", "--loss", "3"], 2, "a ratio, 0 to 1"),
        (&["audio", "--loss", "0"], 2, "--codec"),
        (&["video", "--fps", "12"], 1, "only the frame rate is known"),
        (&["video", "--size", "12"], 2, "1280x720"),
    ] {
        let output = callgauge(&[&["score"], arguments].concat(), b"");
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(output.stdout.is_empty());
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
}
