//! Every kind of formula against values worked out by hand.

use callgauge::metric::Formula::{self, Backlog, Deviation, Gauge, Mean, Rate, Rms, RoundedBits, Share};
use callgauge::metric::counter::{EntryTracker, Progress};
use callgauge::report::{Num, Report, StatsType};
use callgauge::unit::StatTime;

/// An entry at a time in seconds.
fn report_at(seconds: f64, members: &[(Num, f64)]) -> Report {
    let mut report = Report::new();
    let mut entry = report.push(StatsType::InboundRtp, "I");
    entry.set_timestamp(StatTime::from_millis(1e6 + seconds * 1e3));
    for &(field, value) in members {
        entry.set(field, value);
    }
    report
}

/// The figure between two samples, 2 s apart.
fn between(formula: Formula, old: &[(Num, f64)], new: &[(Num, f64)]) -> Option<f64> {
    let (old, new) = (report_at(0.0, old), report_at(2.0, new));
    let track = EntryTracker::new(old.get(0).unwrap()).unwrap();
    match track.step(new.get(0).unwrap()) {
        Progress::Advance(delta) | Progress::Restart(delta) => formula.of(&delta),
        step => panic!("{step:?}"),
    }
}

fn rounded(seconds: f64) -> Option<f64> {
    between(RoundedBits(Num::TotalDecodeTime), &[(Num::TotalDecodeTime, 0.0)], &[(Num::TotalDecodeTime, seconds)])
}

#[test]
fn rate_is_per_second_of_the_first_present_counter() {
    let formula = Rate(&[Num::BytesReceived, Num::BytesSent], 8.0);
    assert_eq!(between(formula, &[(Num::BytesReceived, 100.0)], &[(Num::BytesReceived, 350.0)]), Some(1_000.0));
    assert_eq!(between(formula, &[(Num::BytesSent, 0.0)], &[(Num::BytesSent, 1.0)]), Some(4.0));
    let both = |received, sent| [(Num::BytesReceived, received), (Num::BytesSent, sent)];
    assert_eq!(between(formula, &both(0.0, 0.0), &both(1.0, 9.0)), Some(4.0));
    // 8 · 0.0625 / 2 = 0.25, and halves go up: 8 · 0.125 / 2 = 0.5.
    assert_eq!(between(RoundedBits(Num::FirCount), &[(Num::FirCount, 1.0)], &[(Num::FirCount, 4.0)]), Some(12.0));
    assert_eq!((rounded(0.0625), rounded(0.125), rounded(0.375)), (Some(0.0), Some(1.0), Some(2.0)));
}

#[test]
fn mean_of_no_samples_is_unknown() {
    let formula = Mean(Num::TotalDecodeTime, Num::FramesDecoded, 1e3);
    let members = |seconds, frames| [(Num::TotalDecodeTime, seconds), (Num::FramesDecoded, frames)];
    // 0.25 s in 50 frames.
    assert_eq!(between(formula, &members(1.0, 100.0), &members(1.25, 150.0)), Some(5.0));
    assert_eq!(between(formula, &members(1.0, 100.0), &members(1.25, 100.0)), None);
    assert_eq!(between(formula, &members(1.0, 100.0), &[(Num::TotalDecodeTime, 2.0)]), None);
    assert_eq!(between(formula, &members(1.0, 100.0)[..1], &members(1.25, 150.0)), None);
}

#[test]
fn share_needs_every_part_and_some_of_the_whole() {
    use Num as N;
    let formula = Share(&[N::FramesDropped, N::KeyFramesDecoded], &[N::FramesDecoded, N::FramesReceived]);
    let old = [N::FramesDropped, N::KeyFramesDecoded, N::FramesDecoded, N::FramesReceived].map(|field| (field, 10.0));
    let new =
        [(N::FramesDropped, 11.0), (N::KeyFramesDecoded, 12.0), (N::FramesDecoded, 16.0), (N::FramesReceived, 12.0)];
    // (1 + 2) / (6 + 2).
    assert_eq!(between(formula, &old, &new), Some(0.375));
    // Without one of the whole: (1 + 2) / 6; without all of it, or one of the parts: nothing.
    assert_eq!(between(formula, &old, &new[..3]), Some(0.5));
    assert_eq!(between(formula, &old, &new[..2]), None);
    assert_eq!(between(formula, &old, &new[1..]), None);
    // A whole that stands still.
    let stands = [(N::FramesDropped, 11.0), (N::KeyFramesDecoded, 12.0), (N::FramesDecoded, 10.0)];
    assert_eq!(between(formula, &old, &stands), None);
}

#[test]
fn level_is_the_root_of_energy_over_time() {
    let formula = Rms(Num::TotalAudioEnergy, Num::TotalSamplesDuration);
    let members = |energy, seconds| [(Num::TotalAudioEnergy, energy), (Num::TotalSamplesDuration, seconds)];
    // √(0.125 / 2) = 0.25: a level of 0.25 all the time.
    assert_eq!(between(formula, &members(1.0, 10.0), &members(1.125, 12.0)), Some(0.25));
    assert_eq!(between(formula, &members(1.0, 10.0), &members(1.0, 12.0)), Some(0.0));
    assert_eq!(between(formula, &members(1.0, 10.0), &members(1.125, 10.0)), None);
}

#[test]
fn deviation_is_that_of_the_frame_durations() {
    let formula = Deviation(Num::TotalSquaredInterFrameDelay, Num::TotalInterFrameDelay, Num::FramesDecoded);
    let figure = |durations_s: &[f64]| {
        let members = |squares, sum, count| {
            [(Num::TotalSquaredInterFrameDelay, squares), (Num::TotalInterFrameDelay, sum), (Num::FramesDecoded, count)]
        };
        let squares: f64 = durations_s.iter().map(|duration| duration * duration).sum();
        let sum: f64 = durations_s.iter().sum();
        between(formula, &members(1.0, 2.0, 3.0), &members(1.0 + squares, 2.0 + sum, 3.0 + durations_s.len() as f64))
    };
    // Powers of two add up without rounding. The mean is 0.25 s; each is 0.125 s off.
    assert_eq!(figure(&[0.125, 0.375, 0.125, 0.375]), Some(125.0));
    assert_eq!(figure(&[0.5, 0.5, 0.5]), Some(0.0));
    assert_eq!(figure(&[]), None);
    // 2, 4, 4, 4, 5, 5, 7 and 9 s deviate by 2 s.
    assert_eq!(figure(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]), Some(2_000.0));
}

#[test]
fn gauges_need_one_snapshot_and_other_formulas_two() {
    use Num as N;
    let new = [(N::FramesReceived, 100.0), (N::FramesDecoded, 90.0), (N::FramesDropped, 3.0), (N::FrameWidth, 640.0)];
    let report = report_at(0.0, &new);
    let backlog = Backlog(N::FramesReceived, N::FramesDecoded, N::FramesDropped);
    assert_eq!(backlog.of_moment(report.get(0).unwrap()), Some(7.0));
    assert_eq!(backlog.of_moment(report_at(0.0, &new[1..]).get(0).unwrap()), None);
    assert_eq!(Gauge(N::FrameWidth, 0.5).of_moment(report.get(0).unwrap()), Some(320.0));
    assert_eq!(between(backlog, &[], &new), Some(7.0));
    assert_eq!(between(Gauge(N::FrameWidth, 1.0), &[], &new), Some(640.0));
    for formula in [
        Rate(&[N::FramesReceived], 1.0),
        RoundedBits(N::FramesReceived),
        Mean(N::FramesReceived, N::FramesDecoded, 1.0),
    ] {
        assert_eq!(formula.of_moment(report.get(0).unwrap()), None, "{formula:?}");
    }
}

#[test]
fn restarted_counter_makes_no_figure() {
    let counters = [Num::FreezeCount, Num::TotalFreezesDuration];
    let (old, new) = (counters.map(|field| (field, 9.0)), counters.map(|field| (field, 1.0)));
    for formula in [
        Rate(&[Num::FreezeCount], 1.0),
        RoundedBits(Num::FreezeCount),
        Mean(Num::TotalFreezesDuration, Num::FreezeCount, 1.0),
        Share(&[Num::FreezeCount], &[Num::TotalFreezesDuration]),
        Rms(Num::FreezeCount, Num::TotalFreezesDuration),
        Deviation(Num::FreezeCount, Num::TotalFreezesDuration, Num::FreezeCount),
    ] {
        assert_eq!(between(formula, &old, &new), None, "{formula:?}");
        let grown = old.map(|(field, value)| (field, value + 1.0));
        assert!(between(formula, &old, &grown).is_some(), "{formula:?}");
    }
}
