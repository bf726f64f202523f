//! Speed of reading getStats text into a report, against other libraries that do less.
//!
//! `cargo bench --bench reading` first prints, for every workload, the time of each variant relative to the others: all
//! variants run in turn in one process, and a ratio is the median of the rounds' ratios, so that it holds on a machine
//! with varying speed. Then criterion measures each variant alone. `-- table` prints the tables only.
//!
//! `serde_json` is built with `float_roundtrip` here, because the scanner rounds correctly too.

#![allow(clippy::expect_used)] // a bench may assume what the tests prove

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use callgauge::ingest::Unread;
use callgauge::ingest::getstats::{self, Rescanner, Scanner};
use callgauge::report::Report;
use common::{WORKLOADS, workload};
use criterion::{Criterion, Throughput};
use serde::de::IgnoredAny;

/// A variant that reads the snapshots of a set; returns a value that depends on all of them.
type Way = (&'static str, fn(&mut State, &str) -> usize);

/// State of the variants between snapshots.
#[derive(Default)]
struct State {
    scanner: Scanner,
    rescanner: Rescanner,
    report: Report,
    unread: Unread,
}

const WAYS: [Way; 7] = [
    ("scanner", |state, text| {
        state.scanner.read(text.as_bytes(), &mut state.report).expect("the workload is JSON");
        state.report.len()
    }),
    ("rescanner", |state, text| state.rescanner.read(text.as_bytes()).expect("the workload is JSON").len()),
    ("serde visitor", |state, text| {
        let mut json = serde_json::Deserializer::from_str(text);
        getstats::deserialize(&mut json, &mut state.report, &mut state.unread).expect("the workload is JSON");
        state.report.len()
    }),
    ("serde_json::Value", |_, text| {
        let value: serde_json::Value = serde_json::from_str(text).expect("the workload is JSON");
        value.as_array().map_or(0, Vec::len)
    }),
    ("serde_json skip", |_, text| {
        serde_json::from_str::<IgnoredAny>(text).expect("the workload is JSON");
        text.len()
    }),
    ("sonic-rs skip", |_, text| {
        sonic_rs::from_str::<IgnoredAny>(text).expect("the workload is JSON");
        text.len()
    }),
    ("UTF-8 check", |_, text| core::str::from_utf8(black_box(text.as_bytes())).map_or(0, str::len)),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let given = |name: &str| args.iter().any(|arg| arg == name);
    let filtered = args.iter().any(|arg| !arg.starts_with("--") && arg != "table");
    if !filtered {
        for set in WORKLOADS {
            print_table(set, &snapshots(set), if given("--test") { 1 } else { 41 });
        }
    }
    if given("table") {
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    for set in WORKLOADS {
        measure(&mut criterion, set, &snapshots(set));
    }
    criterion.final_summary();
}

/// The stats of each line of a workload, without their envelope.
fn snapshots(set: &str) -> Vec<String> {
    let stats = |line: &str| {
        let (_, stats) = line.split_once(r#","stats":"#)?;
        Some(stats.strip_suffix('}')?.to_owned())
    };
    workload(set).iter().map(|line| stats(line).expect("a line of the workload")).collect()
}

fn print_table(set: &str, snapshots: &[String], rounds: usize) {
    let bytes: usize = snapshots.iter().map(String::len).sum();
    let mut state = State::default();
    let objects: usize = snapshots.iter().map(|text| WAYS[0].1(&mut state, text)).sum();
    let mut times = WAYS.map(|_| Vec::with_capacity(rounds));
    for _ in 0..rounds {
        for ((_, way), times) in WAYS.iter().zip(&mut times) {
            let start = Instant::now();
            for text in snapshots {
                black_box(way(&mut state, black_box(text)));
            }
            times.push(start.elapsed());
        }
    }
    let [_, _, visitor, _, _, sonic, _] = &times;
    println!("\n{set}: {} snapshots, {objects} objects, {bytes} bytes, {rounds} rounds", snapshots.len());
    println!("{:18} {:>10} {:>8} {:>12} {:>12}", "", "ns/object", "GB/s", "x visitor", "x sonic skip");
    for ((name, _), times) in WAYS.iter().zip(&times) {
        let nanos = median(times.iter().map(Duration::as_secs_f64)) * 1e9;
        println!(
            "{name:18} {:>10.0} {:>8.2} {:>12.2} {:>12.2}",
            nanos / objects as f64,
            bytes as f64 / nanos,
            median(ratios(times, visitor)),
            median(ratios(times, sonic)),
        );
    }
}

/// Time of each round relative to the same round of another variant.
fn ratios(times: &[Duration], others: &[Duration]) -> impl Iterator<Item = f64> {
    times.iter().zip(others).map(|(time, other)| time.as_secs_f64() / other.as_secs_f64())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure(criterion: &mut Criterion, set: &str, snapshots: &[String]) {
    let mut group = criterion.benchmark_group(set);
    group.throughput(Throughput::Bytes(snapshots.iter().map(|text| text.len() as u64).sum()));
    for (name, way) in WAYS {
        let mut state = State::default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| snapshots.iter().map(|text| way(&mut state, black_box(text))).sum::<usize>());
        });
    }
    group.finish();
}
