//! Several files, and what an input byte may cost.

use std::fmt::Write as _;
use std::process::{Command, Output};

use serde_json::Value;

use super::{callgauge, intervals, path, text};
use crate::{beginning, recording, root, stdout, unpacked};

/// A file in the temporary directory that is removed at the end.
struct TemporaryFile(std::path::PathBuf);

impl TemporaryFile {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("callgauge-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn json(files: &[&str]) -> Value {
    serde_json::from_str(&stdout(&[&["report", "--format", "json"], files].concat(), b"")).unwrap()
}

/// The report without what it says of its files.
fn call(files: &[&str]) -> Value {
    let mut report = json(files);
    report.as_object_mut().unwrap().remove("inputs");
    report
}

pub(super) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The lines of a recording of one PeerConnection.
fn of_connection(name: &str, pc: &str) -> String {
    let pc = format!(r#""pc":"{pc}""#);
    unpacked(name).split_inclusive('\n').filter(|line| line.replace(": ", ":").contains(&pc)).collect()
}

#[test]
fn files_of_different_calls_are_refused_with_their_groups() {
    let files = ["clean", "loss5", "mute"].map(recording);
    for command in ["report", "intervals"] {
        let output = callgauge(&[command, &files[0], &files[1], &files[2]], b"");
        let said = stderr(&output);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
        for part in
            ["3 different calls", &files[0], "call 3:", "2026-11-22 09:54:42 UTC, 1 min 28 s", "--each", "--conference"]
        {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    let forced = stdout(&["report", "--conference", "all", &files[0], &files[1]], b"");
    assert!(forced.starts_with("all: "), "{forced}");
    let output = callgauge(&["report", "--each", "--conference", "x", &files[0]], b"");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn each_call_has_its_own_result() {
    let files = ["clean", "loss5"].map(recording);
    let text = stdout(&["report", "--each", &files[0], &files[1]], b"");
    let alone = files.each_ref().map(|file| stdout(&["report", file], b""));
    assert_eq!(text, alone.join("\n"));
    let lines = stdout(&["report", "--each", "--format", "json", &files[0], &files[1]], b"");
    let reports: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let alone = files.each_ref().map(|file| json(&[file]));
    assert_eq!(reports, alone);
    let rows = stdout(&["intervals", "--each", &files[0], &files[1]], b"");
    let alone = files.each_ref().map(|file| stdout(&["intervals", file], b""));
    assert_eq!(rows, alone.concat());
}

#[test]
fn rows_name_their_file_conference_and_codec() {
    let line = |t: u32| {
        format!(
            r#"{{"conference":"daily","t":{t},"pc":"A","report":{{"C":{{"type":"codec","timestamp":{t},"mimeType":"audio/opus"}},"I":{{"timestamp":{t},"type":"inbound-rtp","kind":"audio","codecId":"C","ssrc":7,"packetsReceived":{t}}}}}}}"#
        )
    };
    let text = [line(1_000), line(2_000)].join("\n");
    let row: Value = serde_json::from_str(&stdout(&["intervals", "-"], text.as_bytes())).unwrap();
    assert_eq!(
        (&row["file"], &row["conference"], &row["codec"]),
        (&"standard input".into(), &"daily".into(), &"opus".into())
    );
}

#[test]
fn ends_of_one_call_in_two_files_are_one_call() {
    let together = unpacked("loss5");
    let [a, b] =
        ["A", "B"].map(|pc| TemporaryFile::new(&format!("loss5-{pc}.ndjson"), of_connection("loss5", pc).as_bytes()));
    let whole = TemporaryFile::new("loss5.ndjson", together.as_bytes());
    let (split, one) = (call(&[a.name(), b.name()]), call(&[whole.name()]));
    let streams = |report: &Value| -> Vec<(u64, u64)> {
        let fabrics = report["fabrics"].as_array().unwrap();
        let streams = fabrics.iter().flat_map(|fabric| fabric["streams"].as_array().unwrap());
        let mut packets: Vec<_> =
            streams.map(|stream| (stream["ssrc"].as_u64().unwrap(), stream["packets"].as_u64().unwrap())).collect();
        packets.sort_unstable();
        packets
    };
    assert_eq!(streams(&split), streams(&one));
    assert_eq!(streams(&call(&[b.name(), a.name()])), streams(&one));
}

#[test]
fn the_same_file_twice_counts_once() {
    let file = recording("loss5");
    assert_eq!(call(&[&file, &file]), call(&[&file]));
    let report = json(&[&file, &file]);
    assert_eq!(report["inputs"][1]["repeated_items"], 178);
    let output = callgauge(&["report", &file, &file], b"");
    assert!(stderr(&output).contains("178 items that another file has too"), "{}", stderr(&output));
}

/// The ids of its entries differ, and every snapshot is there twice.
#[test]
fn a_call_in_two_formats_is_one_call() {
    let (lines, dump) = (recording("loss5"), "tests/fixtures/recordings/other/loss5.rtcstats3.gz");
    let alone = call(&[&lines]);
    for files in [[&*lines, dump], [dump, &*lines]] {
        let both = call(&files);
        for part in ["duration_s", "diagnoses", "uplink", "downlink", "score"] {
            assert_eq!(both[part], alone[part], "{part} of {files:?}");
        }
        for (both, alone) in both["fabrics"].as_array().unwrap().iter().zip(alone["fabrics"].as_array().unwrap()) {
            assert_eq!(both["selected_pair_changes"], 0);
            for part in ["rtt_ms", "score", "clock"] {
                assert_eq!(both[part], alone[part], "{part} of {files:?}");
            }
        }
    }
}

#[test]
fn two_reports_saved_as_two_files_are_one_connection() {
    let (before, after) = (path("104-before.json"), path("104-after.json"));
    let lines: Vec<String> =
        [&before, &after].map(|file| std::fs::read_to_string(root().join(file)).unwrap().replace('\n', " ")).into();
    let as_lines = TemporaryFile::new("104.ndjson", lines.join("\n").as_bytes());
    let report = call(&[&before, &after]);
    assert_eq!(report["duration_s"], 60.0);
    assert_eq!(
        (report["fabrics"].as_array().unwrap().len(), &report["fabrics"][0]["streams"][0]["samples"]),
        (1, &2.into())
    );
    assert_eq!(report, call(&[as_lines.name()]));
    assert_eq!(report, call(&[&after, &before]));
}

#[test]
fn newest_first_is_sorted() {
    assert!(text("102-newest-first.ndjson.gz").starts_with("Conference: 39 s"));
    assert!(intervals("102-newest-first.ndjson.gz").len() > 100);
    let case = path("102-newest-first.ndjson.gz");
    let report = json(&[&case]);
    assert_eq!((report["duration_s"].as_f64(), report["inputs"][0]["late_snapshots"].as_u64()), (Some(39.0), Some(0)));
    let streams = report["fabrics"][0]["streams"].as_array().unwrap();
    assert!(streams.iter().all(|stream| stream["samples"] == 40), "{streams:?}");
}

#[test]
fn late_snapshots_are_counted_and_said() {
    let lines: Vec<String> = unpacked("loss5").lines().take(40).map(Into::into).collect();
    let mixed: String = lines[..4].iter().chain(lines[4..].iter().rev()).fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    });
    let output = callgauge(&["report", "-"], mixed.as_bytes());
    assert!(stderr(&output).contains("34 snapshots came after later ones (newest first?)"), "{}", stderr(&output));
    assert!(String::from_utf8(output.stdout).unwrap().contains("(newest first?)"));
}

#[test]
fn standard_input_twice_is_wrong_usage() {
    let text = beginning("loss5", 20);
    for second in ["-", "/dev/stdin"] {
        let output = callgauge(&["report", "-", second], &text);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains("read only once"), "{}", stderr(&output));
    }
}

/// Runs a line of the shell at the root of the repository; `$CG` is the command.
#[cfg(unix)]
fn shell(line: &str) -> Output {
    let mut shell = Command::new("bash");
    shell.args(["-c", line]).current_dir(root()).env("CG", env!("CARGO_BIN_EXE_callgauge"));
    shell.output().unwrap()
}

#[cfg(unix)]
#[test]
fn pipes_beside_files_are_read_once() {
    let (loss5, mute) = (recording("loss5"), recording("mute"));
    let half = |pc: &str| format!("<(zcat {loss5} | grep '\"pc\": *\"{pc}\"')");
    let output = shell(&format!("$CG report --format json {} {}", half("A"), half("B")));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["fabrics"].as_array().unwrap().len(), 2, "{}", stderr(&output));
    let output = shell(&format!("$CG report <(zcat {loss5}) {mute}"));
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{}", stderr(&output));
    assert!(stderr(&output).contains("2 different calls"));
    let fifo = std::env::temp_dir().join(format!("callgauge-{}-fifo", std::process::id()));
    let fifo = fifo.to_str().unwrap();
    let output =
        shell(&format!("mkfifo {fifo} && (zcat {loss5} > {fifo} & $CG report {fifo} {fifo}; cat {fifo} > /dev/null)"));
    assert!(stderr(&output).contains("read only once"), "{}", stderr(&output));
    let _ = std::fs::remove_file(fifo);
}

#[cfg(unix)]
#[test]
fn a_capture_through_two_pipes_counts_once() {
    let loss5 = recording("loss5");
    let pipe = format!("<(zcat {loss5})");
    let alone = call(&[&loss5]);
    for files in [format!("{pipe} {pipe}"), format!("{pipe} {loss5}"), format!("{loss5} {pipe}")] {
        let output = shell(&format!("$CG report --format json {files}"));
        let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report.as_object_mut().unwrap().remove("inputs");
        assert!(report == alone, "{files}");
        assert!(stderr(&output).contains("178 items that another file has too"), "{}", stderr(&output));
    }
    let halves = shell(&format!("$CG report --format json <(zcat {loss5} | head -90) <(zcat {loss5} | tail -n +80)"));
    let mut report: Value = serde_json::from_slice(&halves.stdout).unwrap();
    report.as_object_mut().unwrap().remove("inputs");
    assert!(report == alone, "overlapping halves");
}

#[test]
fn derived_values_join_the_files_of_a_call() {
    let file = recording("loss5");
    let alone = stdout(&["derived", &file], b"");
    let output = callgauge(&["derived", &file, &file], b"");
    assert_eq!(String::from_utf8(output.stdout.clone()).unwrap(), alone);
    assert!(stderr(&output).contains("178 items that another file has too"), "{}", stderr(&output));
    // Two reports of one connection are two samples of it, in either order.
    let (before, after) = (path("104-before.json"), path("104-after.json"));
    let rows = stdout(&["derived", &before, &after], b"");
    assert!(rows.contains("[packetsReceived/s]"), "{rows}");
    assert_eq!(stdout(&["derived", &after, &before], b""), rows);
    let other = recording("mute");
    let output = callgauge(&["derived", &file, &other], b"");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert_eq!(stdout(&["derived", "--each", &file, &other], b""), alone + &stdout(&["derived", &other], b""));
    let output = callgauge(&["derived", &path("102-newest-first.ndjson.gz")], b"");
    assert!(stderr(&output).contains("39 snapshots came after later ones (newest first?)"), "{}", stderr(&output));
}

/// A dump of differences: many streams, and lines that change nothing but the time of all of them.
fn thin_differences(streams: usize, lines: usize) -> Vec<u8> {
    let mut text = "RTCStatsDump\n{\"fileFormat\":3}\n[\"getStats\",\"0\",{".to_owned();
    for n in 0..streams {
        let _ = write!(text, r#""{n}":{{"type":"inbound-rtp","kind":"audio","ssrc":{n},"packetsReceived":1}},"#);
    }
    text += "\"timestamp\":1000},1000]\n";
    (2..lines).for_each(|n| {
        let _ = writeln!(text, r#"["getStats","0",{{"timestamp":{n}000}},1000]"#);
    });
    text.into_bytes()
}

/// Bytes of output for each row of a report: an interval row has 1 300, a derived row 200.
const MAX_OUTPUT_PER_ROW: usize = 1_600;

#[cfg(unix)]
#[test]
fn output_and_memory_of_every_command_are_bounded_per_byte() {
    let text = thin_differences(800, 4_000);
    let file = TemporaryFile::new("thin.rtcstats", &text);
    for command in ["report", "report --format json", "intervals", "intervals --format csv", "derived", "inspect"] {
        // The address space includes the program, its threads' stacks and the allocator's arenas.
        let output = shell(&format!("ulimit -v 400000; $CG {command} {} | wc -c", file.name()));
        let bytes: usize = String::from_utf8(output.stdout.clone()).unwrap().trim().parse().unwrap();
        let most = MAX_OUTPUT_PER_ROW * (text.len() + 65_536 + 800);
        assert!(bytes > 500 && bytes <= most, "{command}: {bytes} of {most}");
        let most = if command.starts_with("report") || command == "inspect" { 40 * text.len() } else { most };
        assert!(bytes <= most, "{command}: {bytes} of {}", text.len());
        assert!(stderr(&output).contains("differences") || command == "inspect", "{command}: {}", stderr(&output));
    }
}

#[cfg(unix)]
#[test]
fn reports_that_wait_for_each_other_are_bounded() {
    // Two connections with large snapshots, so that neither file is left out as a repetition.
    let files = [1, 2].map(|first| {
        let mut text = String::new();
        for second in 1..60 {
            let entries: Vec<_> = (0..2_000)
                .map(|n| format!(r#""{n}":{{"type":"codec","timestamp":{second}000,"mimeType":"audio/{first}"}}"#))
                .collect();
            let _ = writeln!(text, r#"{{"t":{second}000,"pc":"{first}","report":{{{}}}}}"#, entries.join(","));
        }
        TemporaryFile::new(&format!("large-{first}.ndjson"), text.as_bytes())
    });
    // 64 reports of 2.8 MB for each file would not fit.
    let line = format!("ulimit -v 450000; $CG report {} {} | head -2", files[0].name(), files[1].name());
    let output = shell(&line);
    assert!(String::from_utf8(output.stdout.clone()).unwrap().contains("2 connections"), "{}", stderr(&output));
}

#[test]
fn names_are_no_formulas_in_csv_for_spreadsheets() {
    let file = path("attack-csv_formula.ndjson");
    assert!(stdout(&["intervals", "--format", "csv", &file], b"").contains(",=cmd|'"), "names are exact by default");
    let rows = stdout(&["intervals", "--format", "csv", "--spreadsheet", &file], b"");
    assert!(rows.lines().count() > 2);
    for row in rows.lines().skip(1) {
        for cell in row.split(',').map(|cell| cell.trim_start_matches('"')) {
            assert!(!cell.starts_with(['=', '+', '@', '\t']), "{row}");
            assert!(!cell.starts_with('-') || cell.parse::<f64>().is_ok(), "{row}");
        }
    }
}

#[test]
fn names_cannot_reorder_or_hide_text() {
    let case = std::fs::read(root().join(path("attack-bidi_name.ndjson"))).unwrap();
    let file = TemporaryFile::new("\u{1b}[31m\u{202e}x.ndjson", &case);
    for command in ["report", "inspect"] {
        let output = callgauge(&[command, file.name()], b"");
        for text in [String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap()] {
            let hidden = |c: char| {
                (c.is_control() && c != '\n')
                    || ('\u{200b}'..='\u{200f}').contains(&c)
                    || ('\u{2028}'..='\u{202e}').contains(&c)
                    || ('\u{2060}'..='\u{206f}').contains(&c)
            };
            assert!(!text.contains(hidden), "{text:?}");
        }
    }
    let missing = callgauge(&["report", "\u{1b}[31mno.json"], b"");
    assert!(stderr(&missing).contains("\\u{1b}[31mno.json"), "{}", stderr(&missing));
}
