//! Which conference has something to do next.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use crate::unit::Timestamp;

/// Conferences by when they are looked at next.
///
/// A conference whose deadline moves on stays where it is, and is put back when its turn comes: an input costs nothing.
/// One whose deadline comes nearer is there twice; the entry that its room does not know of counts for nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Expiry(BinaryHeap<Reverse<(Timestamp, u32)>>);

impl Expiry {
    /// Puts a slot in. Cost: logarithmic.
    pub(super) fn push(&mut self, at: Timestamp, slot: u32) {
        self.0.push(Reverse((at, slot)));
    }

    /// When the first one is to be looked at.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes out the first one, unless it is after `now`.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, u32)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(entry)| entry)
    }

    /// Throws out entries that nobody knows of: those that come first, and all of them once they are more than the others.
    /// Cost: linear, and shared by as many [`push`](Self::push)es.
    pub(super) fn tidy(&mut self, slots: usize, is_known: impl Fn(Timestamp, u32) -> bool) {
        while self.0.peek().is_some_and(|Reverse((at, slot))| !is_known(*at, *slot)) {
            self.0.pop();
        }
        if self.0.len() > 2 * slots + 64 {
            self.0.retain(|Reverse((at, slot))| is_known(*at, *slot));
        }
    }
}
