//! Cost of the parts that have no bench of their own, each against the minimum work for the same result:
//! `cargo bench --bench components`.

#![allow(clippy::unwrap_used)] // a bench may assume what the tests prove

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use callgauge::digest::Digest;
use callgauge::ingest::Reader;
use callgauge::metric::Metric;
use callgauge::metric::counter::EntryTrackers;
use callgauge::report::{Report, StatsType};
use callgauge::score::audio::AudioInputs;
use callgauge::score::video::VideoInputs;
use callgauge::score::{Model, ModelId, NoScore, Score};
use callgauge::speaker::dominant::Floor;
use callgauge::speaker::level::Meter;
use callgauge::speaker::multiscale::Bridge;
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, FabricSpec};
use common::{Seeded, workload};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// The reports of a set, read in advance.
fn reports(set: &str) -> Vec<Report> {
    let (mut reader, mut reports) = (Reader::new(), Vec::new());
    for line in workload(set) {
        reader.read(line.as_bytes(), &mut |snapshot| reports.push(snapshot.report.clone())).unwrap();
    }
    reports
}

/// Refuses to score, which leaves a stream's record, its diagnoses and its distributions.
#[derive(Debug)]
struct Refuses;

impl Model<AudioInputs<'_>> for Refuses {
    fn id(&self) -> ModelId {
        ModelId::new("refuses", 1)
    }

    fn score(&self, _: &AudioInputs<'_>) -> Result<Score, NoScore> {
        Err(NoScore::NoLossInformation)
    }
}

impl Model<VideoInputs<'_>> for Refuses {
    fn id(&self) -> ModelId {
        ModelId::new("refuses", 1)
    }

    fn score(&self, _: &VideoInputs<'_>) -> Result<Score, NoScore> {
        Err(NoScore::NoLossInformation)
    }
}

/// One update of a stream, from the minimum to everything; the report is read in advance.
fn streams(criterion: &mut Criterion) {
    let reports = reports("p10");
    let rtp = [StatsType::InboundRtp, StatsType::OutboundRtp];
    let updates = reports.iter().flat_map(Report::entries).filter(|entry| rtp.contains(&entry.kind())).count();
    let mut group = criterion.benchmark_group("one update of a stream, p10");
    group.throughput(Throughput::Elements(updates as u64));
    group.bench_function("sum of its numbers", |bencher| {
        bencher.iter(|| {
            let entries = reports.iter().flat_map(|report| black_box(report).entries());
            entries
                .filter(|entry| rtp.contains(&entry.kind()))
                .map(|entry| entry.numbers().map(|(_, x)| x).sum::<f64>())
                .sum::<f64>()
        });
    });
    for (name, metrics) in [("differences", false), ("differences and metrics", true)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (mut tracks, mut figures) = (EntryTrackers::new(), 0_usize);
                for entry in reports.iter().flat_map(|report| black_box(report).entries()) {
                    if !rtp.contains(&entry.kind()) {
                        continue;
                    }
                    tracks.follow(entry, |delta| {
                        let Some(delta) = delta.filter(|_| metrics) else { return };
                        let formulas = Metric::ALL.iter().filter_map(|metric| metric.formula());
                        figures += formulas.filter(|formula| black_box(formula.of(&delta)).is_some()).count();
                    });
                }
                assert!(figures > 0 || !metrics);
            });
        });
    }
    let configs = [
        ("conference, nothing scored", Config::new().with_audio_model(Refuses).with_video_model(Refuses)),
        ("conference", Config::new()),
    ];
    for (name, config) in configs {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut call = Conference::new("", config.clone());
                let fabric = call.open_fabric(Timestamp::default(), FabricSpec::new("pc")).unwrap();
                for report in &reports {
                    call.ingest(Timestamp::default(), fabric, black_box(report)).unwrap();
                    while call.poll_event().is_some() {}
                }
                call
            });
        });
    }
    group.finish();
}

/// A value into a distribution, against a value onto a list; merging distributions, against adding as many numbers.
fn digest(criterion: &mut Criterion) {
    let mut random = Seeded(7);
    let values: Vec<f64> = (0..1_000).map(|_| 20.0 + 0.001 * random.below(400_000) as f64).collect();
    let mut group = criterion.benchmark_group("digest");
    group.throughput(Throughput::Elements(values.len() as u64));
    group.bench_function("add", |bencher| {
        let mut digest = Digest::new();
        bencher.iter(|| values.iter().for_each(|&value| digest.add(black_box(value), 1)));
    });
    group.bench_function("push onto a list", |bencher| {
        let mut list = Vec::with_capacity(values.len());
        bencher.iter(|| {
            list.clear();
            values.iter().for_each(|&value| list.push(black_box(value)));
            black_box(&list);
        });
    });
    group.finish();

    let mut digests = vec![Digest::new(); 100];
    for digest in &mut digests {
        (0..1_000).for_each(|_| digest.add(values[random.below(values.len())], 1));
    }
    let mut group = criterion.benchmark_group("a hundred digests");
    group.throughput(Throughput::Elements(digests.len() as u64));
    group.bench_function("merge", |bencher| {
        bencher.iter(|| {
            let mut all = Digest::new();
            black_box(&digests).iter().for_each(|digest| all.merge(digest));
            all
        });
    });
    group.bench_function("three quantiles of each", |bencher| {
        bencher.iter(|| {
            let each = black_box(&digests).iter();
            each.map(|digest| [0.05, 0.5, 0.95].map(|q| digest.quantile(q).unwrap()).iter().sum::<f64>()).sum::<f64>()
        });
    });
    group.finish();
}

/// Ten minutes of ten participants sampled every second, and ten seconds of a bridge with 50 levels per second each.
fn speaker(criterion: &mut Criterion) {
    const PEOPLE: usize = 10;
    const SECONDS: u64 = 600;
    let mut random = Seeded(11);
    // Each participant speaks for seven seconds in turn.
    let energies: Vec<[f64; PEOPLE]> = (0..SECONDS)
        .map(|second| {
            let talks = (second / 7) as usize % PEOPLE;
            std::array::from_fn(|who| if who == talks { 1e-3 } else { 1e-7 } * (1.0 + 0.01 * random.below(100) as f64))
        })
        .collect();
    let mut group = criterion.benchmark_group("one sample of one of ten people");
    group.throughput(Throughput::Elements(SECONDS * PEOPLE as u64));
    group.bench_function("floor, every second", |bencher| {
        bencher.iter(|| {
            let mut floor = Floor::new(10_000);
            let mut people: Vec<_> = (0..PEOPLE).map(|_| (floor.join(0).unwrap(), Meter::new())).collect();
            let mut changes = 0;
            for (second, energies) in (0..).zip(&energies) {
                for ((seat, meter), &energy) in people.iter_mut().zip(energies) {
                    if let Some(sound) = meter.add(black_box(energy), 1.0) {
                        floor.add_sound(*seat, 1_000 * second, 1_000 * (second + 1), sound, &mut |_| changes += 1);
                    }
                }
            }
            assert!(changes > 10, "{changes} changes");
        });
    });
    group.bench_function("loudest of ten, every second", |bencher| {
        bencher.iter(|| {
            let loudest = |energies: &[f64; PEOPLE]| energies.iter().copied().fold(0.0, f64::max);
            black_box(&energies).iter().map(loudest).sum::<f64>()
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("one level of one of ten people");
    group.throughput(Throughput::Elements(500 * PEOPLE as u64));
    group.bench_function("bridge, every 20 ms", |bencher| {
        bencher.iter(|| {
            let mut bridge = Bridge::new();
            let people: Vec<_> = (0..PEOPLE).map(|_| bridge.join().unwrap()).collect();
            for step in 0..500 {
                for &who in &people {
                    let level = if who == step as usize / 100 { 30 } else { 100 };
                    bridge.add_level(who, 20 * step, black_box(level));
                }
                black_box(bridge.decide(20 * step));
            }
            bridge
        });
    });
    group.finish();
}

criterion_group!(benches, streams, digest, speaker);
criterion_main!(benches);
