//! Which conference has something to do next.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use super::slab::EntryKey;
use crate::unit::Timestamp;

/// Conferences by when they are looked at next.
///
/// A conference whose deadline moves on stays where it is, and is put back when its turn comes: an input costs nothing.
/// One whose deadline comes nearer is there twice; the entry that its room does not know of counts for nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Expiry(BinaryHeap<Reverse<(Timestamp, EntryKey)>>);

impl Expiry {
    /// Puts a key in. Cost: logarithmic.
    pub(super) fn push(&mut self, at: Timestamp, key: EntryKey) {
        self.0.push(Reverse((at, key)));
    }

    /// When the first one is to be looked at.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes out the first one, unless it is after `now`.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, EntryKey)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(entry)| entry)
    }

    /// Throws out entries that nobody knows of: those that come first, and all of them once they are more than the others.
    /// Cost: linear, and shared by as many [`push`](Self::push)es.
    pub(super) fn tidy(&mut self, slots: usize, is_known: impl Fn(Timestamp, EntryKey) -> bool) {
        while self.0.peek().is_some_and(|Reverse((at, key))| !is_known(*at, *key)) {
            self.0.pop();
        }
        if self.0.len() > 2 * slots + 64 {
            self.0.retain(|Reverse((at, key))| is_known(*at, *key));
        }
    }
}
