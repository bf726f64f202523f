//! Cost of measuring a call beyond reading it: `cargo bench --bench conference`.
//!
//! Each set of the workload is read alone, and read, ingested and polled, in one process; the ratio of the two is the
//! figure that counts.

#![allow(clippy::unwrap_used)] // a bench may assume what the tests prove

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use callgauge::ingest::Reader;
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, FabricSpec};
use common::workload;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn measure(criterion: &mut Criterion) {
    for set in ["p2", "p10", "p50"] {
        let lines = workload(set);
        let mut group = criterion.benchmark_group(set);
        group.throughput(Throughput::Elements(lines.len() as u64));
        let mut reader = Reader::new();
        group.bench_function("read", |bencher| {
            bencher.iter(|| {
                for line in &lines {
                    reader
                        .read(black_box(line).as_bytes(), &mut |snapshot| {
                            black_box(snapshot);
                        })
                        .unwrap();
                }
            });
        });
        group.bench_function("read, ingest and poll", |bencher| {
            bencher.iter(|| {
                let mut call = Conference::new(set, Config::new());
                let fabric = call.open_fabric(Timestamp::default(), FabricSpec::new(set)).unwrap();
                for line in &lines {
                    reader
                        .read(black_box(line).as_bytes(), &mut |snapshot| {
                            call.ingest(Timestamp::default(), fabric, snapshot.report).unwrap();
                        })
                        .unwrap();
                    while let Some(event) = call.poll_event() {
                        black_box(event);
                    }
                }
                call
            });
        });
        group.finish();
    }
}

criterion_group!(benches, measure);
criterion_main!(benches);
