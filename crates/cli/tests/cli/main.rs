//! The command as users run it: real recordings in, golden files out, and its messages about bad input.
//! The engine's figures are tested in the engine.
//!
//! `UPDATE_GOLDEN=1 cargo test -p callgauge-cli` rewrites the golden files; read the difference line by line.

#![allow(clippy::unwrap_used)] // tests may assume

mod cases;

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
        .env("CLICOLOR_FORCE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A command that fails early closes its end of the pipe.
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
    assert_eq!(got.lines().count(), expected.lines().count(), "the number of lines of {name}");
}

#[test]
fn text_reports_match_their_golden_files() {
    for name in ["loss5", "screen", "hold", "simulcast", "outage5", "mute", "ff_loss5", "mesh3"] {
        golden(&format!("report-{name}.txt"), &stdout(&["report", &recording(name)], b""));
    }
}

#[test]
fn the_docs_show_what_the_command_prints() {
    let printed = stdout(&["report", &recording("loss5")], b"");
    let shown = |page: &str| {
        let page = std::fs::read_to_string(root().join(page)).unwrap();
        page.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap().to_owned()
    };
    assert_eq!(shown("docs/report.md"), printed);
    let readme = shown("README.md");
    let beginning = readme.strip_suffix("…\n").unwrap();
    assert!(beginning.lines().count() >= 10 && printed.starts_with(beginning), "{beginning}");
}

#[test]
fn the_speakers_section_lists_speakers_or_is_absent() {
    let report = stdout(&["report", &recording("mesh4")], b"");
    let section = report.split("\n\n").find(|section| section.starts_with("Speakers")).unwrap();
    let lines: Vec<&str> = section.lines().collect();
    assert!(lines[0].starts_with("Speakers: speech in 1 min"));
    let names: Vec<&str> =
        lines.iter().filter(|line| line.starts_with("  P")).filter_map(|line| line.split_whitespace().next()).collect();
    // In the lab P2 spoke for 40 s, P1 for 18 s, P4 for 13 s and P3 for 11 s.
    assert_eq!(names, ["P2", "P1", "P4", "P3"]);
    assert_eq!(lines.iter().filter(|line| line.contains("dominant │")).count(), 4);
    let silent = br#"[{"id":"I","timestamp":1,"type":"inbound-rtp","kind":"audio","ssrc":7,"packetsReceived":1}]"#;
    assert!(!stdout(&["report", "-"], silent).contains("Speakers"));
}

#[test]
fn a_text_report_has_80_columns_and_no_style_when_piped() {
    let directory = root().join("tests/fixtures/recordings");
    let mut recordings: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    recordings.retain(|path| path.to_string_lossy().ends_with(".ndjson.gz"));
    assert!(recordings.len() > 20);
    for path in recordings {
        let path = path.to_str().unwrap();
        let file = path.rsplit('/').next().unwrap();
        let report = stdout(&["report", &format!("tests/fixtures/recordings/{file}")], b"");
        let longest = report.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(80) && !report.contains('\u{1b}'), "{file}: {longest:?}");
    }
}

#[test]
fn json_reports_match_their_golden_files() {
    for name in ["burst10", "ff_loss20", "audio_dtx"] {
        let report = stdout(&["report", "--format", "json", "--conference", "AliceAndBob", &recording(name)], b"");
        golden(&format!("report-{name}.json"), &report);
    }
}

#[test]
fn intervals_and_derived_values_match_their_golden_files() {
    let input = beginning("loss5", 14);
    golden("intervals.ndjson", &stdout(&["intervals", "-"], &input));
    golden("intervals.csv", &stdout(&["intervals", "--format", "csv", "-"], &input));
    golden("derived.ndjson", &stdout(&["derived", "-"], &input));
}

#[test]
fn inspections_match_their_golden_files() {
    golden("inspect-simulcast.txt", &stdout(&["inspect", &recording("simulcast")], b""));
    golden("inspect-aiortc.txt", &stdout(&["inspect", &recording("other/aiortc-loopback")], b""));
}

#[test]
fn a_report_has_every_promised_key() {
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
fn packed_plain_and_piped_recordings_read_alike() {
    let text = unpacked("audio_clean");
    let packed = stdout(&["intervals", &recording("audio_clean")], b"").replace(&recording("audio_clean"), "FILE");
    assert!(packed.lines().count() > 300);
    assert_eq!(stdout(&["intervals", "-"], text.as_bytes()).replace("standard input", "FILE"), packed);
    let file = std::env::temp_dir().join(format!("callgauge-{}.txt", std::process::id()));
    std::fs::write(&file, &text).unwrap();
    let plain = stdout(&["intervals", file.to_str().unwrap()], b"");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(plain.replace(file.to_str().unwrap(), "FILE"), packed);
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
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(messages.contains("standard input: line 13: "), "{messages}");
    assert!(messages.contains("standard input: line 43: "), "{messages}");
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
fn a_truncated_gzip_file_is_read_as_far_as_possible() {
    let packed = std::fs::read(root().join(recording("clean"))).unwrap();
    let output = callgauge(&["report", "--format", "json", "-"], &packed[..packed.len() / 2]);
    assert!(output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["inputs"][0]["snapshots"].as_u64().unwrap() > 40);
    assert!(!output.stderr.is_empty());
}

/// The line of one stream at a second of the call.
fn line(connection: &str, ssrc: u32, second: u64) -> String {
    let report = serde_json::json!([{
        "id": "I", "type": "inbound-rtp", "kind": "audio", "timestamp": 1000 * second, "ssrc": ssrc,
        "packetsReceived": 50 * second,
    }]);
    serde_json::json!({"t": 1000 * second, "pc": connection, "report": report}).to_string() + "\n"
}

#[test]
fn input_beyond_a_limit_is_counted_and_reported() {
    let connections: String =
        (0..1_030).map(|n| line(&format!("pc-{n}"), 7, 1) + &line(&format!("pc-{n}"), 7, 2)).collect();
    let output = callgauge(&["report", "--format", "json", "-"], connections.as_bytes());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["fabrics"].as_array().unwrap().len(), 1_024);
    assert_eq!(report["inputs"][0]["refused_snapshots"], 12);
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(messages.contains("ignored 12 snapshots of connections beyond the limit"), "{messages}");

    let streams: String = (0..2_050).map(|ssrc| line("pc", ssrc, 1)).collect();
    let output = callgauge(&["intervals", "-"], streams.as_bytes());
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(messages.contains("ignored 2 entries of streams beyond the limit of a connection"), "{messages}");
}

#[test]
fn a_refused_event_is_reported_with_its_reason() {
    let name = "x".repeat(5_000);
    let lines = [
        serde_json::json!(["identity", null, {"userId": name, "displayName": name}, 1000]).to_string(),
        serde_json::json!(["getStats", "PC_0", {"I": {"type": "inbound-rtp", "timestamp": 1000, "ssrc": 7}}, 1000])
            .to_string(),
    ];
    let input = lines.join("\n").into_bytes();
    let messages = String::from_utf8(callgauge(&["report", "-"], &input).stderr).unwrap();
    assert!(messages.contains("standard input: refused 1 event: 1 × "), "{messages}");
    let inspected = stdout(&["inspect", "-"], &input);
    assert!(inspected.contains("\n  refused 1 event: 1 × "), "{inspected}");
}

#[test]
fn a_name_cannot_forge_lines_or_control_the_terminal() {
    let name = "A: established\n\nB\u{1b}[2J";
    let input: String = (1..4).map(|second| line(name, 7, second)).collect();
    for command in ["report", "inspect"] {
        let messages = stdout(&[command, "-"], input.as_bytes());
        assert!(messages.lines().any(|line| line.starts_with(r"A: established\n\nB\u{1b}[2J: ")), "{messages}");
        assert!(!messages.contains('\u{1b}'), "{messages}");
    }
}

#[test]
fn garbage_after_a_gzip_stream_costs_no_line() {
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
fn exit_status_separates_unusable_input_from_wrong_usage() {
    for (arguments, input, status) in [
        (&["report", "-"][..], &b"hello"[..], 1),
        (&["report", "-"], b"", 1),
        (&["report", "-"], b"{}", 1),
        (&["intervals", "-"], b"[1,2,3", 1),
        (&["derived", "-"], b"\xff\xfe\x00", 1),
        (&["inspect", "-"], b"\x1f\x8b garbage", 1),
        (&["report", "no-such-file"], b"", 2),
        (&["report"], b"", 2),
        (&["report", "--format", "xml", "-"], b"", 2),
        (&["reprot", "-"], b"", 2),
    ] {
        let output = callgauge(arguments, input);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(status == 1 && arguments[0] == "inspect" || output.stdout.is_empty(), "{arguments:?}");
        assert!(arguments[0] == "inspect" || !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_score_lists_its_impairments_and_inputs() {
    let audio = ["score", "audio", "--codec", "opus", "--bitrate", "32000", "--loss", "0.03", "--rtt-ms", "180"];
    golden("score-audio.txt", &stdout(&audio, b""));
    let video =
        ["score", "video", "--codec", "VP8", "--qp", "60", "--size", "640x360", "--fps", "12", "--frozen", "0.1"];
    golden("score-video.txt", &stdout(&video, b""));

    let json: Value = serde_json::from_str(&stdout(&[&audio[..], &["--format", "json"]].concat(), b"")).unwrap();
    assert_eq!((json["model"].as_str(), json["tier"].as_str()), (Some("callgauge-audio/3"), Some("A3")));
    let taken: f64 = json["parts"].as_object().unwrap().values().map(|points| points.as_f64().unwrap()).sum();
    assert!(json["mos_low"].as_f64() < json["mos"].as_f64() && taken > 10.0);
    assert_eq!(json["inputs"]["discards"], "missing");
}

#[test]
fn a_score_without_enough_figures_is_refused_with_a_reason() {
    for (arguments, status, says) in [
        (&["audio", "--codec", "opus"][..], 1, "give --loss or --concealed; 0 is valid"),
        (&["audio", "--codec", "speex", "--loss", "0"], 1, "no score: "),
        (&["audio", "--codec", "opus", "--loss", "3"], 2, "expected a ratio from 0 to 1"),
        (&["audio", "--loss", "0"], 2, "--codec"),
        (&["video", "--fps", "12"], 1, "give --codec and --qp, or --bitrate, --size and --fps"),
        (&["video", "--size", "12"], 2, "1280x720"),
    ] {
        let output = callgauge(&[&["score"], arguments].concat(), b"");
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(output.stdout.is_empty());
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
}

/// The lines of a recording in one file per reporter, each on its own clock, `ahead_ms` of the conference's clock.
fn by_reporter(name: &str, ahead_ms: &[(&str, f64)]) -> Vec<(String, PathBuf)> {
    let ahead = |user: &str| ahead_ms.iter().find(|(name, _)| *name == user).map_or(0.0, |&(_, ms)| ms);
    let mut files: Vec<(String, String)> = Vec::new();
    for line in unpacked(name).lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let pc = line["pc"].as_str().unwrap().to_owned();
        let (local, remote) = pc.split_once('-').unwrap_or((&pc, if pc == "A" { "B" } else { "A" }));
        line["t"] = (line["t"].as_f64().unwrap() + ahead(local)).into();
        for stats in line["report"].as_object_mut().unwrap().values_mut() {
            let clocks = [
                ("timestamp", local),
                ("lastPacketReceivedTimestamp", local),
                ("lastPacketSentTimestamp", local),
                ("remoteTimestamp", remote),
            ];
            for (member, user) in clocks {
                if let Some(at) = stats.get(member).and_then(Value::as_f64) {
                    stats[member] = (at + ahead(user)).into();
                }
            }
        }
        match files.iter_mut().find(|(user, _)| user == local) {
            Some((_, text)) => *text += &format!("{line}\n"),
            None => files.push((local.to_owned(), format!("{line}\n"))),
        }
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap();
    let written = files.into_iter().map(|(user, text)| {
        let path = directory.join(format!("{user}.ndjson"));
        std::fs::write(&path, text).unwrap();
        (user, path)
    });
    written.collect()
}

fn report_of(files: &[PathBuf]) -> Value {
    let names = files.iter().map(|file| file.to_str().unwrap());
    let arguments: Vec<&str> = ["report", "--format", "json"].into_iter().chain(names).collect();
    serde_json::from_str(&stdout(&arguments, b"")).unwrap()
}

#[test]
fn four_recordings_on_four_clocks_form_one_conference() {
    let clocks = [("P1", 0.0), ("P2", 7_300.0), ("P3", -120_000.0), ("P4", 3_600_000.0)];
    let files = by_reporter("mesh4", &clocks);
    let report = report_of(&files.iter().map(|(_, path)| path.clone()).collect::<Vec<_>>());

    for ((user, _), input) in files.iter().zip(report["inputs"].as_array().unwrap()) {
        let (offset, within) = (&input["clock_offset_ms"], input["clock_uncertainty_ms"].as_f64().unwrap());
        let ahead = clocks.iter().find(|(name, _)| name == user).unwrap().1 - clocks[0].1;
        // The browsers shared one machine, so that only the reading of its clock remains uncertain.
        assert!((offset.as_f64().unwrap() - ahead).abs() <= within + 0.5, "{user}: {offset} for {ahead}, ±{within}");
        assert!(within < 5.0);
    }
    let duration = report["duration_s"].as_f64().unwrap();
    assert!((88.0..95.0).contains(&duration), "{duration}");
    let users: Vec<&str> =
        report["users"].as_array().unwrap().iter().map(|user| user["user"].as_str().unwrap()).collect();
    assert_eq!(users, ["P1", "P2", "P3", "P4"]);

    // Each SSRC has one sender, for every receiver.
    let mut streams = 0;
    for fabric in report["fabrics"].as_array().unwrap() {
        let (local, remote) = fabric["fabric"].as_str().unwrap().split_once('-').unwrap();
        assert_eq!((fabric["local_user"].as_str(), fabric["remote_user"].as_str()), (Some(local), Some(remote)));
        for stream in fabric["streams"].as_array().unwrap() {
            let sender = if stream["direction"] == "inbound" { remote } else { local };
            assert_eq!(stream["user"], sender);
            streams += 1;
        }
    }
    assert_eq!((streams, report["deliveries"].as_array().unwrap().len()), (24, 12));
}

#[test]
fn two_halves_on_two_clocks_report_the_same_as_the_whole() {
    let whole = report_of(&[root().join(recording("loss5"))]);
    let halves = by_reporter("loss5", &[("A", 0.0), ("B", 7_300.0)]);
    let report = report_of(&halves.iter().map(|(_, path)| path.clone()).collect::<Vec<_>>());
    let offset = report["inputs"][1]["clock_offset_ms"].as_f64().unwrap();
    // The first file's clock is the conference's.
    let (ahead, clock) = if halves[0].0 == "A" { (7_300.0, 0.0) } else { (-7_300.0, 7_300.0) };
    assert!((offset - ahead).abs() < 5.0, "{offset}");
    for way in ["uplink", "downlink"] {
        let rate = |report: &Value| report[way]["bitrate_bps"].as_f64().unwrap();
        assert!((rate(&report) / rate(&whole) - 1.0).abs() < 1e-3, "{way} {} {}", rate(&report), rate(&whole));
    }
    for fabric in whole["fabrics"].as_array().unwrap() {
        let same =
            report["fabrics"].as_array().unwrap().iter().find(|other| other["fabric"] == fabric["fabric"]).unwrap();
        for (one, other) in fabric["streams"].as_array().unwrap().iter().zip(same["streams"].as_array().unwrap()) {
            for member in ["ssrc", "packets", "packets_lost", "bytes", "codec"] {
                assert_eq!(one[member], other[member], "{member}");
            }
            let later = |member: &str| other[member].as_f64().unwrap() - one[member].as_f64().unwrap();
            assert!((later("start_ms") - clock).abs() < 10.0 && (later("end_ms") - clock).abs() < 10.0);
            assert!(later("duration_s").abs() < 1e-3);
            let mos = |stream: &Value| stream["score"]["mos"].as_f64().unwrap();
            assert!((mos(one) - mos(other)).abs() < 1e-6);
        }
    }
}

#[test]
fn log_events_of_a_dump_become_events_of_its_connections() {
    let dump = "tests/fixtures/recordings/other/loss5.rtcstats3.gz";
    let report = report_of(&[root().join(dump)]);
    for fabric in report["fabrics"].as_array().unwrap() {
        // The browser logged when the connection was created and when it was connected.
        let delay = fabric["setup_delay_ms"].as_f64().unwrap();
        assert!((500.0..1_500.0).contains(&delay), "{delay}");
    }
    assert!(stdout(&["report", dump], b"").contains("connected after 1.0 s"));
    let restarts = stdout(&["report", &recording("ice_restart")], b"");
    assert!(restarts.matches("ICE restart").count() >= 4, "{restarts}");
}
