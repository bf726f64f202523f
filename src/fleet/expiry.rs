//! A priority queue of the times at which conferences are due. It does not handle the timeouts themselves.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use crate::unit::Timestamp;

/// Conferences by their next due time.
///
/// A conference whose deadline moves later keeps its entry and is queued again when that entry comes up, so an input
/// costs nothing here. A conference whose deadline moves earlier has two entries; the one that its
/// [`Entry`](super::entry::Entry) does not record is stale.
#[derive(Clone, Debug, Default)]
pub(super) struct Expiry(BinaryHeap<Reverse<(Timestamp, u32)>>);

impl Expiry {
    /// Queues a slot. Cost: logarithmic.
    pub(super) fn push(&mut self, at: Timestamp, slot: u32) {
        self.0.push(Reverse((at, slot)));
    }

    /// The earliest due time.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Removes the first entry, unless it is after `now`.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, u32)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(entry)| entry)
    }

    /// Discards stale entries: those at the front, and all of them once they outnumber the others. Cost: linear,
    /// amortized over as many [`push`](Self::push)es.
    pub(super) fn tidy(&mut self, slots: usize, is_known: impl Fn(Timestamp, u32) -> bool) {
        while self.0.peek().is_some_and(|Reverse((at, slot))| !is_known(*at, *slot)) {
            self.0.pop();
        }
        if self.0.len() > 2 * slots + 64 {
            self.0.retain(|Reverse((at, slot))| is_known(*at, *slot));
        }
    }
}
