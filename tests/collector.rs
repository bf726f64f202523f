//! The collector of `examples/` is killed, over and over, and fed from the beginning again: what it told in all is what
//! one tells that nobody kills.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may fail wherever it stands

mod common;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::recordings::lines;
use serde_json::{Value, json};

/// Three calls at once, their lines in the order of time. Some lines are of no use.
fn input() -> String {
    let mut timed = Vec::new();
    for name in ["loss5", "mesh3", "hold"] {
        let mut first = None;
        for line in lines(name) {
            let line: Value = serde_json::from_str(&line).unwrap();
            let (Some(pc), Some(t)) = (line["pc"].as_str(), line["t"].as_f64()) else { continue };
            let (t, report) = (t - *first.get_or_insert(t), &line["report"]);
            if report.is_object() {
                let labels = json!({"network": name});
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

/// Where the example is, built.
fn collector() -> PathBuf {
    let built = Command::new(env!("CARGO")).args(["build", "--quiet", "--example", "collector"]).status().unwrap();
    assert!(built.success());
    // target/debug/deps/this
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    target.join("debug/examples/collector")
}

/// Runs it on a file until it has told so many lines more, or to its end. Returns the whole lines that it told, and
/// whether it was killed.
fn run(collector: &Path, input: &Path, checkpoint: &Path, most: usize) -> (Vec<String>, bool) {
    let mut child = Command::new(collector)
        .args([checkpoint.as_os_str(), "37".as_ref()])
        .stdin(File::open(input).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (mut told, mut line) = (Vec::new(), String::new());
    while told.len() < most && out.read_line(&mut line).unwrap() > 0 {
        told.extend(line.ends_with('\n').then(|| line.trim_end().to_owned()));
        line.clear();
    }
    let is_killed = told.len() == most;
    if is_killed {
        child.kill().unwrap();
        // Whatever else was on its way.
        while out.read_line(&mut line).unwrap() > 0 {
            told.extend(line.ends_with('\n').then(|| line.trim_end().to_owned()));
            line.clear();
        }
    }
    // It may have come to its end before the blow.
    let came_to_its_end = child.wait().unwrap().success();
    assert!(came_to_its_end || is_killed);
    (told, !came_to_its_end)
}

#[test]
fn a_collector_that_is_killed_loses_nothing_and_counts_nothing_twice() {
    let directory = std::env::temp_dir().join(format!("callgauge-collector-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let (file, collector) = (directory.join("input.ndjson"), collector());
    File::create(&file).unwrap().write_all(input().as_bytes()).unwrap();

    let (expected, _) = run(&collector, &file, &directory.join("quiet"), usize::MAX);
    assert!(expected.len() > 2_000, "{}", expected.len());
    let ended = |told: &[String]| told.iter().filter(|line| line.contains("\"ended\":")).count();
    assert_eq!(ended(&expected), 3);

    let (checkpoint, mut told, mut kills) = (directory.join("killed"), BTreeMap::new(), 0);
    for most in [10, 200, 100, 1, 500, 300, 600, 150, usize::MAX] {
        let (lines, is_killed) = run(&collector, &file, &checkpoint, most);
        kills += u32::from(is_killed);
        for line in lines {
            let n = serde_json::from_str::<Value>(&line).unwrap()["n"].as_u64().unwrap();
            if let Some(before) = told.insert(n, line.clone()) {
                assert_eq!(before, line, "told otherwise after a kill");
            }
        }
    }
    assert!(kills >= 5, "{kills}");
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), (1..=expected.len() as u64).collect::<Vec<_>>());
    assert!(told.into_values().eq(expected));

    // All of it is in the checkpoint: nothing is told again.
    assert_eq!(run(&collector, &file, &checkpoint, usize::MAX).0, Vec::<String>::new());
    std::fs::remove_dir_all(directory).unwrap();
}
