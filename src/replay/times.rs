//! Judges the times of a source's items by their neighbours. It orders no items.
//!
//! One wrong time moves nothing but itself. A time that is not near the one before it waits for the next one, which
//! confirms or denies it: a suspended computer goes on from there, one wrong time does not. The first time waits too, and
//! is wrong if the next two go on from each other, and it is later than they are or more than a day earlier. A time of 0
//! is one only if the clock begins there.
//!
//! An item with a wrong time gets that of the next item; if that one is not near the item before either, it has none. The
//! first gets a time as long before the second as the third is after it.

use alloc::vec::Vec;

use super::item::OwnedItem;
use crate::unit::WALL_MS;

/// Times that are at most this far apart need no confirmation, ms.
const NEAR_MS: f64 = 600_000.0;
/// The same for the first and the last time of a source, which only one side can confirm, ms.
const END_MS: f64 = 86_400_000.0;
/// Times beyond the year 2128 are no times, ms.
const LATEST_MS: f64 = WALL_MS.end;
/// How many items may wait for a confirmation.
const MAX_DOUBTED: usize = 64;

/// The times of one source, or of one connection in a document.
#[derive(Debug, Default)]
pub(super) struct TimeJudge {
    /// The latest time that was believed, ms on the source's clock.
    believed_ms: Option<f64>,
    /// Items that wait: at most two with a time that may be right, those of 0 or beyond all times, and those without.
    doubted: Vec<OwnedItem>,
    /// Times that were not believed.
    pub(super) wrong: u64,
}

impl TimeJudge {
    /// Whether a time follows the last one, so that nothing waits.
    pub(super) fn follows(&self, at_ms: Option<f64>) -> bool {
        let follows = |at_ms| is_evidence(&at_ms) && self.believed_ms.is_some_and(|last_ms| near(last_ms, at_ms));
        self.doubted.is_empty() && at_ms.is_none_or(follows)
    }

    /// Notes a time that [follows](Self::follows).
    pub(super) fn note(&mut self, at_ms: Option<f64>) {
        self.believed_ms = at_ms.or(self.believed_ms);
    }

    /// Takes the next item, and passes the items on whose times are settled, in their order.
    pub(super) fn take(&mut self, item: OwnedItem, pass: &mut impl FnMut(OwnedItem)) {
        if self.follows(item.at_ms) {
            self.note(item.at_ms);
            return pass(item);
        }
        let Some(at_ms) = item.at_ms.filter(is_evidence) else { return self.doubt(item, pass) };
        match (self.believed_ms, self.waiting_times()) {
            (None, [Some(first_ms), None]) if near(first_ms, at_ms) => self.settle(Some(at_ms), |_| true, pass),
            (None, [Some(first_ms), Some(second_ms)]) => {
                let is_confirmed = goes_on(first_ms, second_ms, at_ms);
                let goes_back_alone = first_ms > second_ms && at_ms >= second_ms;
                if near(second_ms, at_ms) && (goes_back_alone || (first_ms - second_ms).abs() > END_MS) {
                    self.replace_first(2.0 * second_ms - at_ms);
                }
                let next_ms = Some(at_ms).filter(|_| is_confirmed || near(first_ms, at_ms));
                self.settle(next_ms, |time_ms| time_ms != second_ms || is_confirmed, pass);
            }
            (Some(last_ms), [Some(doubted_ms), _]) => {
                let is_confirmed = goes_on(last_ms, doubted_ms, at_ms);
                let next_ms = Some(at_ms).filter(|_| is_confirmed || near(last_ms, at_ms));
                self.settle(next_ms, |_| is_confirmed, pass);
            }
            // Only times wait that cannot be right.
            (Some(last_ms), [None, _]) if near(last_ms, at_ms) => self.settle(Some(at_ms), |_| false, pass),
            _ => return self.doubt(item, pass),
        }
        self.take(item, pass);
    }

    /// Passes the items on that wait at the end of the source.
    pub(super) fn finish(&mut self, pass: &mut impl FnMut(OwnedItem)) {
        // Of two times that are all there is, the first.
        let last_ms = self.believed_ms.or(self.waiting_times()[0]);
        self.settle(None, |at_ms| last_ms.is_none_or(|last_ms| (at_ms - last_ms).abs() <= END_MS), pass);
    }

    /// The waiting times that may be right.
    fn waiting_times(&self) -> [Option<f64>; 2] {
        let mut times = self.doubted.iter().filter_map(|item| item.at_ms).filter(is_evidence);
        [times.next(), times.next()]
    }

    fn doubt(&mut self, item: OwnedItem, pass: &mut impl FnMut(OwnedItem)) {
        self.doubted.push(item);
        if self.doubted.len() > MAX_DOUBTED {
            self.settle(None, |_| true, pass);
        }
    }

    /// Replaces the first time that may be right, which is wrong.
    fn replace_first(&mut self, at_ms: f64) {
        if let Some(first) = self.doubted.iter_mut().find(|item| item.at_ms.as_ref().is_some_and(is_evidence)) {
            first.at_ms = Some(at_ms.max(0.0));
            self.wrong += 1;
        }
    }

    /// Passes the waiting items on, those with a wrong time at the time of the next one; `next_ms` follows them all.
    fn settle(&mut self, mut next_ms: Option<f64>, is_right: impl Fn(f64) -> bool, pass: &mut impl FnMut(OwnedItem)) {
        let [first_ms, second_ms] = self.waiting_times();
        let is_young = |at_ms: Option<f64>| at_ms.is_some_and(|at_ms| near(0.0, at_ms));
        let begins_at_zero = self.believed_ms.is_none() && [first_ms, second_ms, next_ms].into_iter().any(is_young);
        let mut items = core::mem::take(&mut self.doubted);
        for item in items.iter_mut().rev() {
            let is_wrong = match item.at_ms {
                Some(0.0) => !begins_at_zero,
                Some(at_ms) => at_ms >= LATEST_MS || !is_right(at_ms),
                None => continue,
            };
            if is_wrong {
                self.wrong += 1;
                item.at_ms = next_ms;
            }
            next_ms = item.at_ms;
        }
        for item in items {
            self.note(item.at_ms);
            pass(item);
        }
    }
}

/// Whether a time can confirm another.
fn is_evidence(at_ms: &f64) -> bool {
    *at_ms > 0.0 && *at_ms < LATEST_MS
}

fn near(a_ms: f64, b_ms: f64) -> bool {
    (a_ms - b_ms).abs() <= NEAR_MS
}

/// Whether time goes on from where it jumped to, forward or backward.
fn goes_on(last_ms: f64, jumped_ms: f64, next_ms: f64) -> bool {
    if jumped_ms > last_ms { next_ms >= jumped_ms - NEAR_MS } else { next_ms <= jumped_ms + NEAR_MS }
}
