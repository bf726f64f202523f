//! Cost of a score: the short form on the fullband scale, and the full G.107, against the same terms with the
//! platform's mathematics.

#![allow(clippy::unwrap_used)] // a bench may assume what the tests prove

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use callgauge::Event;
use callgauge::emodel::codec::{CodecQuery, CodecTable};
use callgauge::emodel::{Scale, fullband, narrowband, rate};
use callgauge::id::{Direction, MediaKind};
use callgauge::score::Model;
use callgauge::score::audio::{AudioInputs, AudioModel};
use callgauge::score::combine::{Weights, audio_visual};
use callgauge::score::video::{VideoInputs, VideoModel, VideoWindow};
use callgauge::unit::{Bitrate, Ratio};
use criterion::{Criterion, criterion_group, criterion_main};

fn score(c: &mut Criterion) {
    let mut inputs = AudioInputs::new();
    inputs.codec = Some("opus");
    inputs.bitrate = Bitrate::new(30_000.0);
    inputs.concealed = Ratio::new(0.03);
    inputs.concealments_per_second = Some(1.0);
    inputs.stretched = Ratio::new(0.005);
    inputs.rtt_ms = Some(180.0);
    inputs.jitter_buffer_ms = Some(60.0);
    inputs.active_ms = Some(4_000.0);
    let model = AudioModel::new();
    c.bench_function("a score of sound, with its interval and parts", |b| {
        b.iter(|| model.score(black_box(&inputs)));
    });
    c.bench_function("R and MOS of G.107 bare: std", |b| b.iter(|| std_mos(black_box(3.0), black_box(183.4))));

    let opus = CodecQuery::new("opus").with_bitrate(Bitrate::new(30_000.0));
    let table = CodecTable::new();
    let equipment = table.find(&opus).map(|found| found.equipment);
    let loss = Ratio::of(3.0, 100.0);

    c.bench_function("codec table: opus at 30 kbit/s", |b| b.iter(|| table.find(black_box(&opus))));
    c.bench_function("fullband R and MOS: tabled Idd", |b| {
        b.iter(|| {
            let ie_eff = black_box(equipment)?.ie_eff(black_box(loss)?, black_box(1.5))?;
            Some(rate(Scale::Fullband, ie_eff, black_box(183.4))?.mos())
        });
    });
    c.bench_function("fullband R and MOS: whole G.107.2", |b| {
        let parameters = fullband::Parameters::new().with_ie(17.0).with_bpl(10.4).with_ppl(3.0).with_ta_ms(183.4);
        b.iter(|| Some(black_box(parameters).evaluate()?.rating.mos()));
    });
    c.bench_function("narrowband R and MOS: whole G.107", |b| {
        let parameters = narrowband::Parameters::new().with_bpl(25.1).with_ppl(3.0).with_delay_ms(183.4);
        b.iter(|| Some(black_box(parameters).evaluate()?.rating.mos()));
    });
    c.bench_function("G.107 Idte + Idle + Idd: libm", |b| {
        use callgauge::emodel::delay::{idd, idle, terv};
        b.iter(|| {
            let (t, no, ro) = (black_box(183.4), black_box(-61.18), black_box(94.77));
            narrowband::idte(15.0, 0.0, terv(65.0, t), no, 2.0, t) + idle(ro, 110.0, 2.0 * t) + idd(t, 1.0, 100.0)
        });
    });
    c.bench_function("G.107 Idte + Idle + Idd: std", |b| {
        b.iter(|| std_id(black_box(183.4), black_box(-61.18), black_box(94.77)));
    });
}

fn video(c: &mut Criterion) {
    let lines = common::recordings::lines("burst10");
    let intervals: Vec<_> = common::recordings::replay(&lines)
        .events
        .into_iter()
        .filter_map(|event| match event {
            Event::IntervalClosed { interval, .. } => Some(interval),
            _ => None,
        })
        .filter(|one| one.kind == Some(MediaKind::Video) && one.direction == Direction::Inbound)
        .collect();
    let mut window = VideoWindow::new();
    for interval in &intervals {
        window.add(interval);
    }
    let mut cycle = intervals.iter().cycle();
    c.bench_function("video window: add an interval", |b| {
        b.iter(|| window.add(black_box(cycle.next().unwrap())));
    });

    let mut inputs: VideoInputs<'_> = window.inputs().unwrap();
    inputs.codec = Some("VP8");
    let model = VideoModel::new();
    c.bench_function("video score: quantizer, freezes, largest size", |b| {
        b.iter(|| model.score(black_box(&inputs)));
    });
    let by_quantizer = model.score(&inputs).unwrap();
    inputs.qp = None;
    c.bench_function("video score: bits, freezes, largest size", |b| {
        b.iter(|| model.score(black_box(&inputs)));
    });
    c.bench_function("audio-visual score", |b| {
        b.iter(|| audio_visual(black_box(&by_quantizer), black_box(&by_quantizer), &Weights::new()));
    });
}

/// R of G.107 at its defaults except loss and delay, and its MOS, with `std`: the cheapest score that leaves out no
/// term.
fn std_mos(ppl: f64, t: f64) -> f64 {
    let ie_eff = 95.0 * ppl / (ppl + 25.1);
    let r = (94.768_822 - 1.413_568 - std_id(t, -61.179_214, 94.768_822) - ie_eff).clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

/// The same three terms with `std`, for comparison.
fn std_id(t: f64, no: f64, ro: f64) -> f64 {
    let terv = 65.0 - 40.0 * ((1.0 + t / 10.0) / (1.0 + t / 150.0)).log10() + 6.0 * (-0.3 * t * t).exp();
    let half = (-1.5 * (no - 2.0) - (80.0 + 2.5 * (terv - 14.0))) / 2.0;
    let idte = (half + (half * half + 100.0).sqrt() - 1.0) * -(-t).exp_m1();
    let half = (ro - 10.5 * 117.0 / (2.0 * t + 1.0).sqrt().sqrt()) / 2.0;
    let idle = half + (half * half + 169.0).sqrt();
    let soft_one = |x: f64| (1.0 + x.powf(6.0)).powf(1.0 / 6.0);
    let x = (t / 100.0).log2();
    idte + idle + 25.0 * (soft_one(x) - 3.0 * soft_one(x / 3.0) + 2.0)
}

criterion_group!(benches, score, video);
criterion_main!(benches);
