//! Video scores of recorded calls: rests cost nothing, impairments do, and a freeze counts while it lasts.

use std::collections::BTreeMap;

use callgauge::Event;
use callgauge::id::{Direction, MediaKind};
use callgauge::metric::{Interval, IntervalState};
use callgauge::score::video::{VideoModel, VideoWindow};
use callgauge::score::{Cause, Model, Score};

use crate::common::recordings::{lines, meta, replay};

/// One sample of a received video stream.
struct Sample {
    /// Since the recording began, s.
    at_s: f64,
    interval: Interval,
    score: Option<Score>,
    /// Time during which it was shown, ms.
    shown_ms: f64,
}

/// Every received video stream of a recording, by connection. `screen` says when its content is a screen.
fn received(name: &str, screen: impl Fn(f64) -> bool) -> BTreeMap<String, Vec<Sample>> {
    let replay = replay(&lines(name));
    let began_ms = meta(name)["t0"].as_f64().unwrap();
    let mut windows = BTreeMap::new();
    let mut samples: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    for event in &replay.events {
        let Event::IntervalClosed { stream, interval, .. } = event else { continue };
        if interval.kind != Some(MediaKind::Video) || interval.direction != Direction::Inbound {
            continue;
        }
        let (fabric, _) = replay.fabrics.iter().find(|(_, id)| **id == stream.fabric).unwrap();
        let summary = replay.call.summary();
        let of_fabric = summary.fabrics.iter().find(|one| one.fabric == *fabric).unwrap();
        let codec = of_fabric.streams.iter().find(|one| one.ssrc == interval.ssrc).unwrap().codec.clone();
        let window = windows.entry((fabric, interval.ssrc.get())).or_insert_with(VideoWindow::new);
        let shown_ms = window.add(interval);
        let at_s = (interval.at.as_millis() - began_ms) / 1e3;
        let score = window.inputs().filter(|_| window.pending_outage_ms() == 0.0).and_then(|mut inputs| {
            inputs.codec = codec.as_deref();
            inputs.screen = screen(at_s);
            VideoModel::new().score(&inputs).ok()
        });
        samples.entry(fabric.clone()).or_default().push(Sample { at_s, interval: *interval, score, shown_ms });
    }
    assert!(samples.values().all(|samples| samples.len() > 30), "{name}");
    samples
}

fn camera(_: f64) -> bool {
    false
}

/// Mean of the scores over the shown time, both ends together.
fn mean(name: &str) -> f64 {
    let samples = received(name, camera);
    let scored = samples.values().flatten().filter_map(|sample| Some((sample.score?.rx.as_f64(), sample.shown_ms)));
    let (sum, weight) = scored.fold((0.0, 0.0), |(sum, weight), (rx, ms)| (sum + rx * ms, weight + ms));
    assert!(weight > 60e3, "{name}: {weight}");
    sum / weight
}

#[test]
fn pauses_and_screens_are_not_scored_as_freezes() {
    let screen_shared = |at_s: f64| (16.0..48.0).contains(&at_s);
    for name in ["clean", "video_pause", "hold", "mute", "ff_clean", "screen"] {
        let mut scored = 0;
        let samples = if name == "screen" { received(name, screen_shared) } else { received(name, camera) };
        for (fabric, samples) in &samples {
            for sample in samples {
                let Some(score) = sample.score.filter(|_| sample.interval.state == IntervalState::Active) else {
                    continue;
                };
                scored += 1;
                let taken = score.parts.get(Cause::Freezes);
                assert!(taken < 3.0, "{name} {fabric} at {:.0} s: {score:?}", sample.at_s);
                assert!(score.cause != Some(Cause::Freezes), "{name} {fabric} at {:.0} s: {score:?}", sample.at_s);
            }
        }
        assert!(scored > 60, "{name}: {scored}");
    }
}

#[test]
fn impaired_calls_score_below_the_clean_one() {
    let clean = mean("clean");
    println!("clean {clean:.1}");
    for (name, below) in [("loss20", 10.0), ("burst10", 3.0), ("rate300", 5.0)] {
        let impaired = mean(name);
        println!("{name} {impaired:.1}");
        assert!(impaired < clean - below, "{name}: {impaired:.1}, clean {clean:.1}");
    }
    let (clean, impaired) = (mean("ff_clean"), mean("ff_loss20"));
    println!("ff_clean {clean:.1}, ff_loss20 {impaired:.1}");
    assert!(impaired < clean - 5.0, "ff_loss20: {impaired:.1}, ff_clean {clean:.1}");
}

#[test]
fn outage_lowers_the_video_score_while_it_lasts() {
    // Nothing arrived from 24 to 29 s at either end, and from 56 to 61 s at B.
    let samples = received("outage5", camera);
    let outages = [("A", 24.0), ("B", 24.0), ("B", 56.0)];
    for (fabric, from_s) in outages {
        let of = |from: f64, to: f64| {
            samples[fabric]
                .iter()
                .filter(move |sample| (from_s + from..from_s + to).contains(&sample.at_s))
                .collect::<Vec<_>>()
        };
        let before = of(-3.0, 0.0).iter().filter_map(|sample| sample.score).next_back().unwrap();
        assert!(before.parts.get(Cause::Freezes) < 1.0, "{fabric} {from_s}: {before:?}");
        let during: Vec<_> = of(3.5, 5.0).iter().filter_map(|sample| sample.score).collect();
        assert!(!during.is_empty(), "{fabric} {from_s}");
        for score in during {
            assert_eq!(score.cause, Some(Cause::Freezes), "{fabric} {from_s}");
            assert!(score.rx < before.rx, "{fabric} {from_s}");
        }
        // The freeze reported at its end is the one that was counted: it is over soon after.
        let after = of(14.0, 20.0);
        assert!(after.iter().all(|sample| sample.score.unwrap().parts.get(Cause::Freezes) < 12.0), "{fabric} {from_s}");
        let shown: f64 = of(-20.0, 12.0).iter().map(|sample| sample.shown_ms).sum();
        let spans: f64 = of(-20.0, 12.0).iter().map(|sample| sample.interval.span_ms).sum();
        assert!((shown - spans).abs() < 1e-6, "{fabric} {from_s}: {shown} of {spans} ms");
    }
    // A received video while B did not.
    let at_a = samples["A"].iter().filter(|sample| (60.0..80.0).contains(&sample.at_s));
    assert!(at_a.map(|sample| sample.score.unwrap()).all(|score| score.cause != Some(Cause::Freezes)));
}
