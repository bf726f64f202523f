//! Windows over synthetic intervals.

use super::*;
use crate::id::{MediaKind, Ssrc};
use crate::unit::StatTime;
use proptest::prelude::*;
use std::vec::Vec;

/// The figures of an interval.
#[derive(Clone, Copy, Debug)]
struct Seen {
    span_ms: f64,
    frames: f64,
    bps: f64,
    frozen_ms: f64,
    freezes: f64,
}

const FLOWING: Seen = Seen { span_ms: 1_000.0, frames: 25.0, bps: 800e3, frozen_ms: 0.0, freezes: 0.0 };
const NOTHING: Seen = Seen { frames: 0.0, bps: 0.0, ..FLOWING };
const UNDECODED: Seen = Seen { frames: 0.0, ..FLOWING };

impl Seen {
    fn interval(self) -> Interval {
        let ssrc = Ssrc::new(1);
        let at = StatTime::from_millis(0.0).unwrap();
        let mut interval = Interval::new(at, self.span_ms, Direction::Inbound, ssrc, Some(MediaKind::Video));
        for (metric, value) in [
            (Metric::FramesPerSecond, self.frames),
            (Metric::BitrateBps, self.bps),
            (Metric::PacketRatePps, self.bps / 8e3),
            (Metric::FrozenRatio, self.frozen_ms / self.span_ms),
            (Metric::FreezesPerSecond, self.freezes * 1e3 / self.span_ms),
            (Metric::NackPerSecond, 0.0),
            (Metric::Width, 640.0),
            (Metric::Height, 360.0),
        ] {
            interval.set(metric, Some(value));
        }
        if self.frames > 0.0 {
            interval.set(Metric::Qp, Some(40.0));
        }
        interval
    }

    fn in_state(self, state: IntervalState) -> Interval {
        let mut interval = self.interval();
        interval.state = state;
        interval
    }
}

fn add_all(window: &mut VideoWindow, all: &[Seen]) -> Vec<f64> {
    all.iter().map(|seen| window.add(&seen.interval())).collect()
}

/// Fraction frozen, and freezes in 10 s.
fn freezes(window: &VideoWindow) -> (f64, f64) {
    let inputs = window.inputs().unwrap();
    (inputs.frozen.unwrap().as_f64(), inputs.freezes_per_10_s.unwrap())
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn an_ongoing_freeze_counts_at_once_and_only_once() {
    let mut window = VideoWindow::pooling();
    add_all(&mut window, &[FLOWING; 6]);
    assert_eq!(freezes(&window), (0.0, 0.0));
    add_all(&mut window, &[UNDECODED; 2]);
    let (frozen, number) = freezes(&window);
    assert!(near(frozen, 2.0 / 8.0) && near(number, 10.0 / 8.0), "{frozen} {number}");
    // It is reported whole, 300 ms into an interval, with its beginning before those without frames.
    let report = Seen { frames: 17.0, frozen_ms: 2_300.0, freezes: 1.0, ..FLOWING };
    add_all(&mut window, &[report, FLOWING]);
    let (frozen, number) = freezes(&window);
    assert!(near(frozen, 2.3 / 10.0) && near(number, 1.0), "{frozen} {number}");
    // The frame rate outside the freeze is unchanged.
    let frames = window.inputs().unwrap().frames_per_second.unwrap();
    assert!(near(frames, (6.0 * 25.0 + 17.0 + 25.0) / 7.7), "{frames}");
}

#[test]
fn a_report_may_come_an_interval_later() {
    let mut window = VideoWindow::pooling();
    let seen = Seen { span_ms: 500.0, ..FLOWING };
    add_all(&mut window, &[seen; 4]);
    add_all(&mut window, &[Seen { frames: 0.0, ..seen }; 4]);
    add_all(&mut window, &[seen, Seen { frozen_ms: 2_000.0, freezes: 1.0, ..seen }, seen, seen]);
    let (frozen, number) = freezes(&window);
    assert!(near(frozen, 2.0 / 6.0) && near(number, 10.0 / 6.0), "{frozen} {number}");
}

#[test]
fn the_next_freeze_is_a_new_one() {
    let mut window = VideoWindow::pooling();
    add_all(&mut window, &[FLOWING, UNDECODED]);
    add_all(&mut window, &[Seen { frozen_ms: 1_000.0, freezes: 1.0, ..FLOWING }]);
    add_all(&mut window, &[Seen { frozen_ms: 600.0, freezes: 1.0, ..FLOWING }, FLOWING]);
    let (frozen, number) = freezes(&window);
    assert!(near(frozen, 1.6 / 5.0) && near(number, 2.0 * 10.0 / 5.0), "{frozen} {number}");
}

#[test]
fn a_freeze_longer_than_its_interval_began_before_it() {
    let mut window = VideoWindow::new();
    add_all(&mut window, &[FLOWING; 20]);
    let mut whole = window;
    // Frames are not counted here: the freeze does not show before it is over.
    let blind = |frozen_ms: f64, freezes: f64| {
        let mut interval = FLOWING.interval();
        interval.set(Metric::FrozenRatio, Some(frozen_ms / 1e3));
        interval.set(Metric::FreezesPerSecond, Some(freezes));
        interval
    };
    for _ in 0..3 {
        window.add(&blind(0.0, 0.0));
        whole.add(&blind(1_000.0, 0.0));
    }
    window.add(&Seen { frames: 0.1, frozen_ms: 4_000.0, freezes: 1.0, ..FLOWING }.interval());
    whole.add(&Seen { frames: 0.1, frozen_ms: 1_000.0, freezes: 1.0, ..FLOWING }.interval());
    let (frozen, of_whole) = (freezes(&window), freezes(&whole));
    assert!((frozen.0 - of_whole.0).abs() < 0.005 && near(frozen.1, of_whole.1), "{frozen:?} {of_whole:?}");
    assert!(frozen.0 > 0.6);
}

#[test]
fn missing_data_is_pending_and_then_an_outage() {
    let mut window = VideoWindow::new();
    add_all(&mut window, &[FLOWING; 10]);
    assert_eq!(add_all(&mut window, &[NOTHING; 2]), [0.0, 0.0]);
    assert_eq!((window.pending_outage_ms(), freezes(&window)), (2_000.0, (0.0, 0.0)));
    // The third second decides, and every later one counts.
    assert_eq!(add_all(&mut window, &[NOTHING; 3]), [3_000.0, 1_000.0, 1_000.0]);
    assert_eq!(window.pending_outage_ms(), 0.0);
    let (frozen, number) = freezes(&window);
    assert!(frozen > 0.7 && number > 0.0, "{frozen} {number}");

    // A short outage is decided by what follows it.
    let mut short = VideoWindow::pooling();
    assert_eq!(add_all(&mut short, &[FLOWING, NOTHING, FLOWING]), [1_000.0, 0.0, 2_000.0]);
    let (frozen, number) = freezes(&short);
    assert!(near(frozen, 1.0 / 3.0) && near(number, 10.0 / 3.0), "{frozen} {number}");
}

#[test]
fn a_pause_is_no_freeze_even_if_the_browser_reports_one() {
    for mut window in [VideoWindow::new(), VideoWindow::pooling()] {
        add_all(&mut window, &[FLOWING; 10]);
        add_all(&mut window, &[NOTHING]);
        for _ in 0..20 {
            assert_eq!(window.add(&NOTHING.in_state(IntervalState::Paused)), 0.0);
        }
        let after = Seen { frames: 3.0, frozen_ms: 21_160.0, freezes: 1.0, ..FLOWING };
        add_all(&mut window, &[after, FLOWING, FLOWING]);
        assert_eq!(freezes(&window), (0.0, 0.0));
        // The next one is a freeze again.
        add_all(&mut window, &[Seen { frozen_ms: 500.0, freezes: 1.0, ..FLOWING }]);
        assert!(freezes(&window).0 > 0.0);
    }
}

#[test]
fn a_freeze_right_after_the_edge_of_a_pause_is_one() {
    let frozen = Seen { frames: 3.0, frozen_ms: 900.0, freezes: 1.0, ..FLOWING };
    let after = |pause: bool| {
        let mut window = VideoWindow::new();
        add_all(&mut window, &[FLOWING; 5]);
        if pause {
            window.add(&NOTHING.in_state(IntervalState::Paused));
        }
        window.skip(&FLOWING.interval());
        add_all(&mut window, &[frozen]);
        freezes(&window).1
    };
    assert!(after(true) > 1.0, "{}", after(true));
    assert!(after(false) > 1.0, "{}", after(false));
}

#[test]
fn coding_of_the_last_frame_outlives_hours_in_one_sample() {
    let mut window = VideoWindow::new();
    add_all(&mut window, &[FLOWING]);
    add_all(&mut window, &[Seen { span_ms: 7_200e3, ..UNDECODED }; 3]);
    let inputs = window.inputs().unwrap();
    assert!(inputs.qp.is_some_and(|qp| near(qp, 40.0)), "{:?}", inputs.qp);
    assert!(near(freezes(&window).0, 1.0));
}

#[test]
fn one_absurd_sample_does_not_make_a_stream_fast() {
    let late = Seen { frozen_ms: 2_500.0, freezes: 1.0, frames: 10.0, ..FLOWING };
    let after = |first: &[Seen]| {
        let mut window = VideoWindow::new();
        add_all(&mut window, first);
        add_all(&mut window, &[FLOWING; 17]);
        add_all(&mut window, &[late]);
        freezes(&window).0
    };
    let tiny = Seen { span_ms: 0.001, frames: 1e6, ..FLOWING };
    assert!(near(after(&[FLOWING]), after(&[tiny, FLOWING])));
}

#[test]
fn an_interval_of_no_length_changes_nothing() {
    let mut window = VideoWindow::new();
    add_all(&mut window, &[FLOWING; 3]);
    let before = window;
    for span_ms in [0.0, -5.0, f64::NAN, f64::INFINITY] {
        let mut none = UNDECODED.interval();
        none.span_ms = span_ms;
        assert_eq!(window.add(&none), 0.0);
        assert_eq!(window, before);
    }
}

#[test]
fn a_reset_forgets_the_largest_picture() {
    let mut window = VideoWindow::new();
    let mut large = FLOWING.interval();
    large.set(Metric::Width, Some(1_280.0));
    large.set(Metric::Height, Some(720.0));
    window.add(&large);
    window.add(&FLOWING.interval());
    assert_eq!(window.inputs().unwrap().largest_width, Some(1_280.0));
    window.add(&FLOWING.in_state(IntervalState::Paused));
    window.add(&FLOWING.interval());
    assert_eq!(window.inputs().unwrap().largest_width, Some(1_280.0));
    window.add(&FLOWING.in_state(IntervalState::Reset));
    assert_eq!(window.inputs(), None);
    window.add(&FLOWING.interval());
    assert_eq!(window.inputs().unwrap().largest_width, Some(640.0));
}

#[test]
fn a_freeze_keeps_the_coding_of_the_last_frame() {
    let mut window = VideoWindow::new();
    add_all(&mut window, &[FLOWING; 5]);
    add_all(&mut window, &[UNDECODED; 7_200]);
    let inputs = window.inputs().unwrap();
    assert!((inputs.qp.unwrap() - 40.0).abs() < 1e-6 && (inputs.width.unwrap() - 640.0).abs() < 1e-6);
    assert!((inputs.frames_per_second.unwrap() - 25.0).abs() < 1e-6, "{inputs:?}");
    assert!(inputs.frozen.unwrap().as_f64() > 0.999);
}

#[test]
fn pending_data_separates_freezes_from_still_screens() {
    // A page that does not change, reported as a freeze when it does.
    let mut still = VideoWindow::new();
    add_all(&mut still, &[FLOWING, Seen { frozen_ms: 900.0, freezes: 1.0, ..FLOWING }]);
    assert_eq!(still.inputs().unwrap().pending_data, Some(false));
    let mut waiting = VideoWindow::new();
    add_all(&mut waiting, &[FLOWING, UNDECODED]);
    assert_eq!(waiting.inputs().unwrap().pending_data, Some(true));
    let mut asked = Seen { frozen_ms: 900.0, freezes: 1.0, ..FLOWING }.interval();
    asked.set(Metric::NackPerSecond, Some(2.0));
    let mut repaired = VideoWindow::new();
    repaired.add(&FLOWING.interval());
    repaired.add(&asked);
    assert_eq!(repaired.inputs().unwrap().pending_data, Some(true));
}

#[test]
fn uncounted_freezes_are_unknown_until_one_is_seen() {
    let flowing = |frames: f64| {
        let mut interval = Interval::new(
            StatTime::from_millis(0.0).unwrap(),
            1_000.0,
            Direction::Inbound,
            Ssrc::new(1),
            Some(MediaKind::Video),
        );
        interval.set(Metric::FramesPerSecond, Some(frames));
        interval.set(Metric::BitrateBps, Some(5e5));
        interval
    };
    let mut window = VideoWindow::new();
    window.add(&flowing(25.0));
    assert_eq!(window.inputs().unwrap().frozen, None);
    window.add(&flowing(0.0));
    assert!(window.inputs().unwrap().frozen.is_some());
}

/// The same stretches, cut at other places.
fn cut(stretches: &[(f64, f64, f64)], into: usize) -> Vec<Seen> {
    stretches
        .iter()
        .flat_map(|&(ms, frozen, bps)| {
            let span_ms = ms / into as f64;
            let freezes = 0.3 * span_ms / 1e3;
            std::iter::repeat_n(Seen { span_ms, frames: 25.0, bps, frozen_ms: frozen * span_ms, freezes }, into)
        })
        .collect()
}

proptest! {
    #[test]
    fn the_polling_rate_does_not_change_the_window(
        stretches in prop::collection::vec((50.0..5_000.0_f64, 0.0..=1.0_f64, 1e4..3e6_f64), 1..8),
        into in 2..20_usize,
        pooling in any::<bool>(),
    ) {
        let empty = if pooling { VideoWindow::pooling() } else { VideoWindow::new() };
        let (mut whole, mut pieces) = (empty, empty);
        add_all(&mut whole, &cut(&stretches, 1));
        add_all(&mut pieces, &cut(&stretches, into));
        let (Some(whole), Some(pieces)) = (whole.inputs(), pieces.inputs()) else { return Ok(()) };
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + a.abs());
        let figures = |inputs: &VideoInputs<'_>| [
            inputs.frozen.map(Ratio::as_f64),
            inputs.freezes_per_10_s,
            inputs.bitrate.map(Bitrate::as_bps),
            inputs.frames_per_second,
            inputs.qp,
            inputs.width,
            inputs.active_ms,
        ];
        for (a, b) in figures(&whole).into_iter().zip(figures(&pieces)) {
            prop_assert!(a.zip(b).is_some_and(|(a, b)| close(a, b)), "{whole:?} {pieces:?}");
        }
    }

    #[test]
    fn any_intervals_give_bounded_inputs(
        all in prop::collection::vec(
            (0.0..20_000.0_f64, 0.0..200.0_f64, 0.0..1e7_f64, 0.0..30_000.0_f64, 0.0..3.0_f64, 0..8_u8),
            1..60,
        ),
        pooling in any::<bool>(),
    ) {
        let mut window = if pooling { VideoWindow::pooling() } else { VideoWindow::new() };
        let (mut added_ms, mut shown_ms) = (0.0, 0.0);
        for (span_ms, frames, bps, frozen_ms, freezes, what) in all {
            let frames = if what % 2 == 0 { frames } else { 0.0 };
            let bps = if what % 4 == 3 { 0.0 } else { bps };
            let seen = Seen { span_ms, frames, bps, frozen_ms, freezes };
            let state = match what { 6 => IntervalState::Paused, 7 => IntervalState::Gap, _ => IntervalState::Active };
            added_ms += span_ms;
            shown_ms += window.add(&seen.in_state(state));
            prop_assert!(shown_ms + window.pending_outage_ms() <= added_ms + 1e-6);
            if let Some(inputs) = window.inputs() {
                let frozen = inputs.frozen.map(Ratio::as_f64);
                prop_assert!(frozen.is_none_or(|frozen| (0.0..=1.0).contains(&frozen)), "{inputs:?}");
                prop_assert!(inputs.freezes_per_10_s.is_none_or(|freezes| (0.0..1e6).contains(&freezes)), "{inputs:?}");
                prop_assert!(inputs.frames_per_second.is_none_or(|frames| (0.0..=200.0).contains(&frames)), "{inputs:?}");
                prop_assert!(inputs.qp.is_none_or(|qp| (qp - 40.0).abs() < 1e-6), "{inputs:?}");
            }
        }
    }
}
