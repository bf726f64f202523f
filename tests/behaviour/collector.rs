//! Kills the collector of `examples/` repeatedly and feeds it its input from the beginning again: its whole output
//! equals that of a collector that is never killed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::recordings::lines;

/// Number of lines before the line with the too long label, in the order in which the lines are made.
const TOO_LONG: usize = 20;

/// Three concurrent calls, their lines in order of time. Some lines are invalid.
fn input() -> String {
    let mut timed = Vec::new();
    for name in ["loss5", "mesh3", "hold"] {
        let mut first = None;
        for line in lines(name) {
            let line: Value = serde_json::from_str(&line).unwrap();
            let (Some(pc), Some(t)) = (line["pc"].as_str(), line["t"].as_f64()) else { continue };
            let (t, report) = (t - *first.get_or_insert(t), &line["report"]);
            if report.is_object() {
                let labels =
                    if timed.len() == TOO_LONG { json!({"k": "v".repeat(9_999)}) } else { json!({"network": name}) };
                let line = json!({
                    "conference": name, "fabric": pc, "user": pc, "t": t, "report": report, "labels": labels,
                });
                timed.push((t, line.to_string()));
            }
        }
    }
    timed.sort_by(|a, b| a.0.total_cmp(&b.0));
    timed.insert(50, (0.0, "not JSON".into()));
    timed.insert(500, (0.0, r#"{"conference": "loss5", "fabric": "A"}"#.into()));
    timed.iter().map(|(_, line)| format!("{line}\n")).collect()
}

/// Path of the built example.
fn collector() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "-p", "callgauge-examples", "--example", "collector"])
        .status()
        .unwrap();
    assert!(built.success());
    // target/debug/deps/this
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    target.join("debug/examples/collector")
}

/// Runs the collector on a file until it has written `most` more lines, or to its end. Returns the whole lines that it
/// wrote and whether it was killed. Without `most`, the end of the file ends all calls.
fn run(collector: &Path, input: &Path, checkpoint: &Path, most: Option<usize>) -> (Vec<String>, bool) {
    let end = if most.is_none() { "end" } else { "" };
    let most = most.unwrap_or(usize::MAX);
    let mut child = Command::new(collector)
        .args([checkpoint.as_os_str(), "37".as_ref(), end.as_ref()])
        .stdin(File::open(input).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (mut written, mut line) = (Vec::new(), String::new());
    while written.len() < most && out.read_line(&mut line).unwrap() > 0 {
        written.extend(line.ends_with('\n').then(|| line.trim_end().to_owned()));
        line.clear();
    }
    let is_killed = written.len() == most;
    if is_killed {
        child.kill().unwrap();
        // Read the rest of the pipe.
        while out.read_line(&mut line).unwrap() > 0 {
            written.extend(line.ends_with('\n').then(|| line.trim_end().to_owned()));
            line.clear();
        }
    }
    // The collector may have ended before the kill.
    let has_ended = child.wait().unwrap().success();
    assert!(has_ended || is_killed);
    (written, !has_ended)
}

#[test]
fn killed_collector_loses_nothing_and_counts_nothing_twice() {
    let directory = std::env::temp_dir().join(format!("callgauge-collector-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let (file, collector) = (directory.join("input.ndjson"), collector());
    File::create(&file).unwrap().write_all(input().as_bytes()).unwrap();

    let (expected, _) = run(&collector, &file, &directory.join("quiet"), None);
    assert!(expected.len() > 2_000, "{}", expected.len());
    let ended = |written: &[String]| written.iter().filter(|line| line.contains("\"ended\":")).count();
    assert_eq!(ended(&expected), 3);

    let gzipped = directory.join("input.ndjson.gz");
    let mut encoder = flate2::write::GzEncoder::new(File::create(&gzipped).unwrap(), flate2::Compression::fast());
    encoder.write_all(&std::fs::read(&file).unwrap()).unwrap();
    encoder.finish().unwrap();
    assert_eq!(run(&collector, &gzipped, &directory.join("gzipped"), None).0, expected);

    let (checkpoint, mut written, mut kills) = (directory.join("killed"), BTreeMap::new(), 0);
    // The feeder dies too: in the middle of a line, and before the end of a line that is partly valid.
    let (cut, cut_late) = (directory.join("cut.ndjson"), directory.join("cut-late.ndjson"));
    let whole = std::fs::read_to_string(&file).unwrap();
    let line_end = whole.find("vvv\"").and_then(|label| Some(label + whole[label..].find('\n')?)).unwrap();
    let (kill, all) = (|most| (&file, Some(most)), Some(usize::MAX));
    let runs =
        [kill(10), (&cut_late, all), kill(200), (&cut, all), kill(100), kill(1), kill(500), kill(300), kill(250)];
    std::fs::write(&cut, &whole[..whole.len() / 3]).unwrap();
    std::fs::write(&cut_late, &whole[..line_end]).unwrap();
    assert!(line_end < whole.len() / 3);
    for (input, most) in runs.into_iter().chain([(&file, None)]) {
        let (lines, is_killed) = run(&collector, input, &checkpoint, most);
        kills += u32::from(is_killed);
        for line in lines {
            let n = serde_json::from_str::<Value>(&line).unwrap()["n"].as_u64().unwrap();
            if let Some(before) = written.insert(n, line.clone()) {
                assert_eq!(before, line, "written differently after a kill");
            }
        }
    }
    assert!(kills >= 5, "{kills}");
    assert_eq!(written.keys().copied().collect::<Vec<_>>(), (1..=expected.len() as u64).collect::<Vec<_>>());
    assert!(written.into_values().eq(expected));

    // The checkpoint holds everything: nothing is written again.
    assert_eq!(run(&collector, &file, &checkpoint, None).0, Vec::<String>::new());
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn bad_reporter_ends_no_other_call() {
    let directory = std::env::temp_dir().join(format!("callgauge-collector-bad-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let good: Vec<String> =
        input().lines().filter(|line| line.contains("\"conference\":\"loss5\"")).map(Into::into).collect();
    let events_of = |name: &str, lines: &[String]| {
        let file = directory.join(name);
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
        let (written, _) = run(&collector(), &file, &directory.join(format!("{name}.checkpoint")), None);
        let of_good = written.into_iter().map(|line| serde_json::from_str::<Value>(&line).unwrap());
        of_good
            .filter(|line| line["conference"] == "loss5")
            .map(|line| (line["event"].clone(), line["ended"].clone()))
            .collect::<Vec<_>>()
    };
    let expected = events_of("good", &good);
    assert!(expected.len() > 500, "{}", expected.len());
    let mut mixed = good.clone();
    let line =
        json!({"conference": "loss5", "fabric": "long", "user": "long", "t": 20_000.0, "report": {}}).to_string();
    mixed.insert(20, line + &" ".repeat(9 << 20));
    for (place, t, labels) in [
        (0, 1e18, json!({})),
        (40, 1e18, json!({})),
        (60, 4e5, json!({"": ""})),
        (80, -5.0, json!({"k": "v".repeat(9_999)})),
    ] {
        let line = json!({"conference": "evil", "fabric": "x", "user": "x", "t": t, "report": {}, "labels": labels});
        mixed.insert(place, line.to_string());
    }
    assert!(events_of("mixed", &mixed) == expected);
    std::fs::remove_dir_all(directory).unwrap();
}
