//! A priority queue of the times at which conferences are due. It does not handle the timeouts themselves.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use super::slab::EntryKey;
use crate::unit::Timestamp;

/// Conferences by their next due time.
///
/// A conference whose deadline moves later keeps its entry and is queued again when that entry comes up, so an input
/// costs nothing here. A conference whose deadline moves earlier has two entries; the one that its
/// [`FleetEntry`](super::entry::FleetEntry) does not record is stale.
#[derive(Clone, Debug, Default)]
pub(super) struct Expiry(BinaryHeap<Reverse<(Timestamp, EntryKey)>>);

impl Expiry {
    /// Queues a conference. Cost: logarithmic.
    pub(super) fn push(&mut self, at: Timestamp, key: EntryKey) {
        self.0.push(Reverse((at, key)));
    }

    /// The earliest due time.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Removes the first entry, unless it is after `now`.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, EntryKey)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(entry)| entry)
    }

    /// Discards stale entries: those at the front, and all of them once they outnumber the others. Cost: linear,
    /// amortized over as many [`push`](Self::push)es.
    pub(super) fn compact(&mut self, slots: usize, is_known: impl Fn(Timestamp, EntryKey) -> bool) {
        while self.0.peek().is_some_and(|Reverse((at, key))| !is_known(*at, *key)) {
            self.0.pop();
        }
        if self.0.len() > 2 * slots + 64 {
            self.0.retain(|Reverse((at, key))| is_known(*at, *key));
        }
    }
}
