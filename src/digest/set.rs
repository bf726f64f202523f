//! Several distributions in one block of memory: what a stream holds for the whole call. It adds values and makes
//! [`Digest`]s of them; it neither merges nor computes quantiles.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::marker::PhantomData;

use super::grid::{self, Grid, LogGrid};
use super::{Cell, Digest, StoredCells, is_accepted, mean_of, weighed};

/// Distributions on one grid, each under a place that the caller chooses.
///
/// They are the same as separate [`Digest`]s, except that a cell holds at most 2⁴⁰ − 1 of weight, which is twelve days
/// in microseconds. A distribution takes 40 bytes and 7 for each cell.
#[derive(Clone, Debug)]
pub(crate) struct DigestSet<G = LogGrid> {
    /// Sorted by place.
    heads: Vec<Head>,
    /// The cells of all distributions, in the order of `heads`, those of one sorted by key.
    cells: Vec<PackedCell>,
    grid: PhantomData<G>,
}

/// A distribution without its cells.
#[derive(Clone, Copy, Debug)]
struct Head {
    /// Σ weight · value · 2³²: the upper and the lower half. In halves, so that it is aligned like the rest.
    sum: [u64; 2],
    min: f64,
    max: f64,
    n: u32,
    cells: u16,
    level: u8,
    place: u8,
}

/// Packed, because a stream stores a hundred of them.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed)]
struct PackedCell {
    key: u16,
    low: u32,
    high: u8,
}

/// The largest weight of a cell.
const LARGEST_WEIGHT: u64 = (1 << 40) - 1;

impl PackedCell {
    const fn new(key: u16, weight: u64) -> Self {
        let weight = if weight > LARGEST_WEIGHT { LARGEST_WEIGHT } else { weight };
        Self { key, low: weight as u32, high: (weight >> 32) as u8 }
    }

    const fn weight(self) -> u64 {
        self.low as u64 | (self.high as u64) << 32
    }

    const fn plus(self, weight: u64) -> Self {
        Self::new(self.key, self.weight().saturating_add(weight))
    }
}

impl Head {
    const fn new(place: u8, value: f64) -> Self {
        Self { sum: [0; 2], min: value, max: value, n: 0, cells: 0, level: 0, place }
    }

    const fn sum(&self) -> i128 {
        let [upper, lower] = self.sum;
        (upper as i128) << 64 | lower as i128
    }

    const fn set_sum(&mut self, sum: i128) {
        self.sum = [(sum >> 64) as u64, sum as u64];
    }
}

impl<G> Default for DigestSet<G> {
    fn default() -> Self {
        Self { heads: Vec::new(), cells: Vec::new(), grid: PhantomData }
    }
}

impl<G: Grid> DigestSet<G> {
    /// [`Digest::add_within`] for the distribution at `place`.
    pub(crate) fn add_within(&mut self, place: u8, value: f64, weight: u64, most: usize) {
        if !is_accepted(value, weight) {
            return;
        }
        // A negative zero is zero.
        let value = value + 0.0;
        let (found, start) = self.find(place);
        let index = found.unwrap_or_else(|index| {
            self.heads.reserve_exact(1);
            self.heads.insert(index, Head::new(place, value));
            index
        });
        let Some(head) = self.heads.get_mut(index) else { return };
        (head.min, head.max) = (head.min.min(value), head.max.max(value));
        head.n = head.n.saturating_add(1);
        head.set_sum(head.sum().saturating_add(weighed(value, weight)));
        let most = most.max(2);
        let key = grid::joined(G::key(value), head.level);
        let own = self.cells.get_mut(start..start + usize::from(head.cells)).unwrap_or_default();
        match own.binary_search_by_key(&key, |cell| cell.key) {
            Ok(at) => {
                if let Some(cell) = own.get_mut(at) {
                    *cell = cell.plus(weight);
                }
            }
            Err(at) => {
                if self.cells.len() == self.cells.capacity() {
                    self.cells.reserve_exact((self.cells.len() / 8).max(4));
                }
                self.cells.insert(start + at, PackedCell::new(key, weight));
                head.cells += 1;
            }
        }
        while usize::from(head.cells) > most && head.level < grid::LAST_LEVEL {
            head.level += 1;
            let end = start + usize::from(head.cells);
            let left = collapse(self.cells.get_mut(start..end).unwrap_or_default(), head.level);
            self.cells.drain(start + left..end);
            // No more than before.
            head.cells = left as u16;
        }
    }

    /// The distribution at `place`.
    pub(crate) fn get(&self, place: u8) -> Digest<G> {
        let Some((head, own)) = self.parts(place) else { return Digest::default() };
        let mut cells = Vec::with_capacity(own.len());
        cells.extend(own.iter().map(|cell| Cell { key: cell.key, weight: cell.weight() }));
        let &Head { min, max, n, level, .. } = head;
        let stored = StoredCells { cells, level, n: n.into(), weight: weight_of(own), sum: head.sum(), min, max };
        Digest { stored: Some(Box::new(stored)), grid: PhantomData }
    }

    /// The mean of the distribution at `place`. Allocates nothing.
    pub(crate) fn mean(&self, place: u8) -> Option<f64> {
        let (head, own) = self.parts(place)?;
        mean_of(head.sum(), weight_of(own), head.min, head.max)
    }

    fn parts(&self, place: u8) -> Option<(&Head, &[PackedCell])> {
        let (Ok(index), start) = self.find(place) else { return None };
        let head = self.heads.get(index)?;
        Some((head, self.cells.get(start..start + usize::from(head.cells))?))
    }

    /// Where the head of a place is, or belongs, and where its cells begin.
    fn find(&self, place: u8) -> (Result<usize, usize>, usize) {
        let mut start = 0;
        for (index, head) in self.heads.iter().enumerate() {
            if head.place >= place {
                return (if head.place == place { Ok(index) } else { Err(index) }, start);
            }
            start += usize::from(head.cells);
        }
        (Err(self.heads.len()), start)
    }
}

fn weight_of(cells: &[PackedCell]) -> u64 {
    cells.iter().fold(0, |sum: u64, cell| sum.saturating_add(cell.weight()))
}

/// Merges cells in pairs. Returns how many are left, at the front.
fn collapse(cells: &mut [PackedCell], level: u8) -> usize {
    let mut left = 0;
    for at in 0..cells.len() {
        let Some(&PackedCell { key, low, high }) = cells.get(at) else { break };
        let cell = PackedCell { key: grid::joined(key, level), low, high };
        match cells.get_mut(..left).and_then(<[_]>::last_mut) {
            Some(last) if { last.key } == { cell.key } => *last = last.plus(cell.weight()),
            _ => {
                if let Some(slot) = cells.get_mut(left) {
                    *slot = cell;
                }
                left += 1;
            }
        }
    }
    left
}

/// Serialized, it is a list of places and digests.
#[cfg(feature = "serde")]
impl<G: Grid> serde::Serialize for DigestSet<G> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.heads.iter().map(|head| (head.place, self.get(head.place))))
    }
}

#[cfg(feature = "serde")]
impl<'de, G: Grid> serde::Deserialize<'de> for DigestSet<G> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digests = Vec::<(u8, Digest<G>)>::deserialize(deserializer)?;
        let mut set = Self::default();
        let mut before = None;
        for (place, digest) in digests {
            let stored = digest.stored.filter(|_| before < Some(place));
            let Some(stored) = stored else {
                return Err(serde::de::Error::custom(super::DigestError::Inconsistent));
            };
            let StoredCells { level, n, sum, min, max, ref cells, .. } = *stored;
            let n = u32::try_from(n).unwrap_or(u32::MAX);
            // Keys are distinct, so there are fewer than `u16::MAX`.
            let mut head = Head { sum: [0; 2], min, max, n, cells: cells.len() as u16, level, place };
            head.set_sum(sum);
            set.heads.push(head);
            set.cells.extend(cells.iter().map(|cell| PackedCell::new(cell.key, cell.weight)));
            before = Some(place);
        }
        set.heads.shrink_to_fit();
        set.cells.shrink_to_fit();
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn a_set_of_distributions_is_the_same_as_separate_digests(
            values in prop::collection::vec((0..4_u8, 0.0..2_000.0_f64, 0..50_u64), 0..200), cells in 2..40_usize,
        ) {
            let mut set = DigestSet::<LogGrid>::default();
            let mut digests: Vec<Digest> = (0..4).map(|_| Digest::new()).collect();
            for &(place, value, weight) in &values {
                set.add_within(place, value, weight, cells);
                digests[usize::from(place)].add_within(value, weight, cells);
            }
            for (place, digest) in digests.iter().enumerate() {
                prop_assert_eq!(&set.get(place as u8), digest);
                prop_assert_eq!(set.mean(place as u8), digest.mean());
            }
        }
    }

    #[test]
    fn a_cell_takes_seven_bytes_and_holds_twelve_days() {
        assert_eq!((size_of::<PackedCell>(), size_of::<Head>()), (7, 40));
        let mut set = DigestSet::<LogGrid>::default();
        let day_us = 86_400_000_000;
        for _ in 0..14 {
            set.add_within(7, 3.0, day_us, 32);
        }
        assert_eq!(set.get(7).weight(), LARGEST_WEIGHT);
        set.add_within(7, 4.0, day_us, 32);
        assert_eq!(set.get(7).weight(), LARGEST_WEIGHT + day_us);
    }
}
