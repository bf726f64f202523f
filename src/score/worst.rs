//! Finds the worst ten seconds of a stream. It averages scores and computes none.

use alloc::vec::Vec;

use super::either;
use crate::unit::{Rx, StatTime};

/// Moving averages over the last ten seconds of scores, and the worst of them.
///
/// Memory: a fixed number of slots, each of a second or of one longer interval. Ten seconds may be up to one slot
/// longer; pauses within speech are not included.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct WorstTenSeconds {
    /// Oldest first: those of the last ten seconds, at most [`SLOTS`]. Two or three if samples are five seconds apart.
    slots: Vec<WorstSlot>,
    /// The end of the latest score.
    until: Option<StatTime>,
    worst: Option<(Rx, StatTime)>,
}

/// The number of slots of a second: ten seconds in all.
const SLOTS: usize = 10;
const SLOT_MS: f32 = 1_000.0;
const WINDOW_MS: f32 = 10_000.0;
/// Ten seconds with less scored time than this, ms, do not count.
const LEAST_ACTIVE_MS: f32 = 3_000.0;

/// About a second, or one longer interval.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct WorstSlot {
    span_ms: f32,
    active_ms: f32,
    /// Σ active time · rx.
    sum: f32,
}

impl WorstTenSeconds {
    /// Adds a score that held for `active_ms` of `span_ms`, up to `at`.
    pub(crate) fn add(&mut self, rx: Rx, span_ms: f64, active_ms: f64, at: StatTime) {
        if self.slots.last().is_none_or(|slot| slot.span_ms >= SLOT_MS) {
            self.open_slot();
        }
        if let Some(slot) = self.slots.last_mut() {
            slot.span_ms += span_ms as f32;
            slot.active_ms += active_ms as f32;
            slot.sum += (rx.as_f64() * active_ms) as f32;
        }
        self.until = Some(at);
        if let (window, true) = self.window() {
            self.worst = self.worse_of(window);
        }
    }

    /// Opens a slot, without those that lie outside of the last ten seconds.
    fn open_slot(&mut self) {
        let mut ms = 0.0;
        let recent = self.slots.iter().rev().take_while(|slot| {
            let is_recent = ms < WINDOW_MS;
            ms += slot.span_ms;
            is_recent
        });
        let recent = recent.take(SLOTS - 1).count();
        self.slots.drain(..self.slots.len() - recent);
        if self.slots.len() == self.slots.capacity() {
            self.slots.reserve_exact(1);
        }
        self.slots.push(WorstSlot::default());
    }

    /// The worst so far, and when it ended. A stretch shorter than ten seconds counts once it is over, or at the end: a
    /// stream that often rests has no others.
    pub(crate) fn get(&self) -> Option<(Rx, StatTime)> {
        let (window, is_whole) = self.window();
        if is_whole { self.worst } else { self.worse_of(window) }
    }

    /// Starts again after a rest, but keeps the worst.
    pub(crate) fn rest(&mut self) {
        self.worst = self.get();
        self.slots.clear();
        self.until = None;
    }

    /// The worst so far, or the current stretch if it is worse.
    fn worse_of(&self, stretch: WorstSlot) -> Option<(Rx, StatTime)> {
        let stretch = stretch.mean().zip(self.until);
        either(self.worst, stretch, |worst, stretch| if stretch.0 < worst.0 { stretch } else { worst })
    }

    /// The last ten seconds, and whether they are complete.
    fn window(&self) -> (WorstSlot, bool) {
        let mut sum = WorstSlot::default();
        for slot in self.slots.iter().rev() {
            sum.span_ms += slot.span_ms;
            sum.active_ms += slot.active_ms;
            sum.sum += slot.sum;
            if sum.span_ms >= WINDOW_MS {
                return (sum, true);
            }
        }
        (sum, false)
    }
}

impl WorstSlot {
    fn mean(self) -> Option<Rx> {
        if self.active_ms < LEAST_ACTIVE_MS {
            return None;
        }
        Rx::clamped(f64::from(self.sum) / f64::from(self.active_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ordered_float::OrderedFloat;
    use proptest::prelude::*;

    proptest! {
        /// Compares with every stretch of ten consecutive slots.
        #[test]
        fn worst_is_the_lowest_mean_of_ten_seconds_in_a_row(values in prop::collection::vec(0.0..100.0_f64, 10..60)) {
            let mut worst = WorstTenSeconds::default();
            let at = |second: usize| StatTime::from_millis(1_000.0 * second as f64).unwrap();
            for (second, &value) in values.iter().enumerate() {
                worst.add(Rx::new(value).unwrap(), 1_000.0, 800.0, at(second));
            }
            let (rx, when) = worst.get().unwrap();
            let means = values.windows(10).map(|ten| ten.iter().sum::<f64>() / 10.0);
            let (index, mean) = means.enumerate().min_by_key(|&(_, mean)| OrderedFloat(mean)).unwrap();
            prop_assert!((rx.as_f64() - mean).abs() < 1e-3);
            prop_assert_eq!(when, at(index + 9));
        }

        #[test]
        fn the_polling_rate_hardly_changes_the_worst(values in prop::collection::vec(0.0..100.0_f64, 12..40)) {
            let of = |slices: usize| {
                let mut worst = WorstTenSeconds::default();
                for (second, &value) in values.iter().enumerate() {
                    for slice in 1..=slices {
                        let at = StatTime::from_millis(1_000.0 * (second as f64 + slice as f64 / slices as f64)).unwrap();
                        let ms = 1_000.0 / slices as f64;
                        worst.add(Rx::new(value).unwrap(), ms, ms, at);
                    }
                }
                worst.get().unwrap().0.as_f64()
            };
            // A tenth of a second more or less of ten.
            prop_assert!((of(1) - of(10)).abs() <= 1.1);
        }
    }

    #[test]
    fn a_call_of_five_seconds_has_a_worst_and_one_of_two_has_none() {
        let mut worst = WorstTenSeconds::default();
        let at = |second: f64| StatTime::from_millis(1_000.0 * second).unwrap();
        for second in 1..=5 {
            worst.add(Rx::new(f64::from(second) * 10.0).unwrap(), 1_000.0, 1_000.0, at(f64::from(second)));
            assert_eq!(worst.get().is_some(), second >= 3);
        }
        assert_eq!(worst.get(), Some((Rx::new(30.0).unwrap(), at(5.0))));
    }
}
