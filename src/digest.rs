//! Weighted distributions in bounded memory: mean, extremes and quantiles with a stated error. They store no time and
//! no order.
//!
//! Counts are integers on a grid whose cells derive from the bits of the value. No logarithm is involved, so every
//! platform assigns a value to the same cell, and no order of arrival or merging can change a byte.

mod grid;
mod set;
#[cfg(feature = "serde")]
pub(crate) mod wire;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::marker::PhantomData;

pub use grid::{Grid, LinearGrid, LogGrid};
pub(crate) use set::DigestSet;
#[cfg(feature = "serde")]
pub use wire::DigestError;

/// A distribution of non-negative values, each with a weight.
///
/// - Mean, minimum and maximum are exact to 2⁻³², the mean by an order-independent integer sum. Quantiles of values in the
///   grid's range are off by at most 1/129 (0.78 %) of the value on [`LogGrid`], by 0.05 on [`LinearGrid`], and never
///   outside of minimum and maximum.
/// - Memory: 10 bytes for each cell in use, at most 4 033 cells; a call's jitter uses a few dozen.
///   [`add_within`](Self::add_within) uses fewer, with a larger error, which follows from [`level`](Self::level).
/// - Merging adds: it is associative and commutative to the bit, and an empty digest changes nothing. It is not
///   idempotent.
///
/// With the feature `serde` it serializes with a version; [`to_bytes`](Self::to_bytes) is the compact form. Equal
/// digests have equal bytes, whatever they were merged from.
///
/// ```
/// use callgauge::digest::Digest;
/// let mut rtt = Digest::new();
/// rtt.add(20.0, 1_000);
/// rtt.add(80.0, 3_000);
/// assert_eq!(rtt.mean(), Some(65.0)); // weighted: the 80 ms lasted three times as long
/// assert_eq!(Digest::new().mean(), None);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Digest<G = LogGrid> {
    /// An empty distribution has no heap memory: most figures of most streams are never reported.
    stored: Option<Box<StoredCells>>,
    grid: PhantomData<G>,
}

#[derive(Clone, Debug, PartialEq)]
struct StoredCells {
    /// Sorted by key, without duplicate keys and zero weights.
    cells: Vec<Cell>,
    /// How often cells were merged in pairs.
    level: u8,
    n: u64,
    weight: u64,
    /// Σ weight · value · 2³².
    sum: i128,
    min: f64,
    max: f64,
}

/// Packed, because a distribution has up to thousands of them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, packed)]
struct Cell {
    key: u16,
    weight: u64,
}

/// The initial capacity for cells.
const FIRST_CELLS: usize = 8;
/// Sums are integers in units of 2⁻³².
pub(crate) const FIXED_POINT: f64 = 4_294_967_296.0;

impl<G: Grid> Default for Digest<G> {
    fn default() -> Self {
        Self::empty()
    }
}

impl Digest {
    /// An empty distribution on [`LogGrid`].
    #[must_use]
    pub const fn new() -> Self {
        Self::empty()
    }

    /// The maximum relative error of a quantile: 1/129 at level 0, 2.3 % at level 1, about twice as much at each
    /// further level. `None` if a cell is wider than an octave, above level 6, and if values lie outside of the grid's
    /// range.
    #[must_use]
    pub fn relative_error(&self) -> Option<f64> {
        let is_small = self.min().is_some_and(|min| min > 0.0 && min < LogGrid::SMALLEST);
        let is_large = self.max().is_some_and(|max| max >= LogGrid::LARGEST);
        Some(LogGrid::error(self.level())).filter(|error| error.is_finite() && !is_small && !is_large)
    }
}

impl Digest<LinearGrid> {
    /// An empty distribution on [`LinearGrid`].
    #[must_use]
    pub const fn on_linear_grid() -> Self {
        Self::empty()
    }

    /// The maximum absolute error of a quantile: 0.05 at level 0, 0.15 at level 1, about twice as much at each further
    /// level. `None` if values lie outside of the grid's range.
    #[must_use]
    pub fn absolute_error(&self) -> Option<f64> {
        let is_large = self.max().is_some_and(|max| max >= LinearGrid::LARGEST);
        (!is_large).then(|| LinearGrid::error(self.level()))
    }
}

impl<G: Grid> Digest<G> {
    const fn empty() -> Self {
        Self { stored: None, grid: PhantomData }
    }

    /// Adds a value with a weight, in any unit of the caller's choice, such as microseconds or packets. Ignores NaN,
    /// infinities, negative values, values above 1e15 and weights of zero. Allocates only for a cell that was not in
    /// use.
    pub fn add(&mut self, value: f64, weight: u64) {
        self.add_within(value, weight, usize::MAX);
    }

    /// Adds a value with a maximum number of cells, at least two (zero has its own): if there are more, they are merged
    /// in pairs until they fit. The result does not depend on the order of the values: it is the finest level at which
    /// all of them fit. Cost: a search among the cells, and one pass over all cells for each additional level.
    pub fn add_within(&mut self, value: f64, weight: u64, cells: usize) {
        if !is_accepted(value, weight) {
            return;
        }
        // A negative zero is zero.
        let value = value + 0.0;
        let stored = self.stored.get_or_insert_with(|| Box::new(StoredCells::new(value)));
        (stored.min, stored.max) = (stored.min.min(value), stored.max.max(value));
        stored.n = stored.n.saturating_add(1);
        stored.weight = stored.weight.saturating_add(weight);
        stored.sum = stored.sum.saturating_add(weighed(value, weight));
        let cells = cells.max(2);
        // Allow one more cell until the cells are merged.
        stored.add_to_cell(grid::joined(G::key(value), stored.level), weight, cells.saturating_add(1));
        while stored.cells.len() > cells && stored.level < grid::LAST_LEVEL {
            stored.collapse();
        }
    }

    /// Adds all values of `other`, at the resolution at which they are stored.
    pub fn merge(&mut self, other: &Self) {
        let Some(more) = &other.stored else { return };
        let stored = self.stored.get_or_insert_with(|| Box::new(StoredCells::new(more.min)));
        (stored.min, stored.max) = (stored.min.min(more.min), stored.max.max(more.max));
        stored.level = stored.level.max(more.level);
        stored.n = stored.n.saturating_add(more.n);
        stored.weight = stored.weight.saturating_add(more.weight);
        stored.sum = stored.sum.saturating_add(more.sum);
        for &Cell { key, weight } in &more.cells {
            stored.add_to_cell(key, weight, usize::MAX);
        }
    }

    /// The number of values.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.stored.as_ref().map_or(0, |stored| stored.n)
    }

    /// The total weight.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.stored.as_ref().map_or(0, |stored| stored.weight)
    }

    /// How often cells were merged in pairs, in the least exact part: 0 unless [`add_within`](Self::add_within) ran out
    /// of cells.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.stored.as_ref().map_or(0, |stored| stored.level)
    }

    /// The weighted mean; `None` for an empty digest.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let stored = self.stored.as_ref()?;
        mean_of(stored.sum, stored.weight, stored.min, stored.max)
    }

    /// The smallest value; `None` for an empty digest.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        self.stored.as_ref().map(|stored| stored.min)
    }

    /// The largest value; `None` for an empty digest.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        self.stored.as_ref().map(|stored| stored.max)
    }

    /// The weighted quantile `q` (0 to 1), by the lower nearest rank. `None` for an empty digest or if `q` is outside 0
    /// to 1.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let stored = self.stored.as_ref().filter(|_| (0.0..=1.0).contains(&q))?;
        let rank = libm::floor(q * stored.weight.saturating_sub(1) as f64) as u64;
        let mut below = 0_u64;
        for &Cell { key, weight } in &stored.cells {
            below = below.saturating_add(weight);
            if below > rank {
                return Some(G::value(key).clamp(stored.min, stored.max));
            }
        }
        Some(stored.max)
    }

    /// The weight of the values above a limit, at the stored resolution.
    pub(crate) fn weight_above(&self, limit: f64) -> u64 {
        self.stored.as_ref().map_or(0, |stored| {
            let above = stored.cells.iter().filter(|cell| G::value(cell.key).clamp(stored.min, stored.max) > limit);
            above.fold(0, |sum, cell| sum.saturating_add(cell.weight))
        })
    }

    /// The figures for outputs.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            mean: self.mean(),
            min: self.min(),
            max: self.max(),
            p05: self.quantile(0.05),
            p50: self.quantile(0.5),
            p95: self.quantile(0.95),
            n: self.n(),
        }
    }
}

/// Whether a distribution accepts a value.
fn is_accepted(value: f64, weight: u64) -> bool {
    (0.0..=1e15).contains(&value) && weight > 0
}

/// The mean of values between `min` and `max`; `None` without weight. The quotient is first computed in integers, so
/// that a large sum of small values keeps its digits.
fn mean_of(sum: i128, weight: u64, min: f64, max: f64) -> Option<f64> {
    let weight = i128::from(weight);
    let (whole, rest) = (sum.checked_div(weight)?, sum.checked_rem(weight)?);
    let mean = (whole as f64 + rest as f64 / weight as f64) / FIXED_POINT;
    Some(mean.clamp(min, max))
}

/// `value` · `weight` · 2³², where `value` · 2³² is rounded to an integer before the multiplication; saturates.
pub(crate) fn weighed(value: f64, weight: u64) -> i128 {
    let fixed = value * FIXED_POINT;
    // The same as below, but much faster, for values that are not negative and fit into an `i64`.
    if (0.0..9e18).contains(&fixed) {
        let whole = fixed as i64;
        let rounded = (whole + i64::from(fixed - whole as f64 >= 0.5)).unsigned_abs();
        return i128::try_from(u128::from(rounded) * u128::from(weight)).unwrap_or(i128::MAX);
    }
    (libm::round(fixed) as i128).saturating_mul(i128::from(weight))
}

/// Figures of a distribution; without values, all but `n` are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Stats {
    /// The mean, weighted by time.
    pub mean: Option<f64>,
    /// The smallest value.
    pub min: Option<f64>,
    /// The largest value.
    pub max: Option<f64>,
    /// The 5th percentile: 5 % of the time was below this.
    pub p05: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// The 95th percentile: 5 % of the time was above this.
    pub p95: Option<f64>,
    /// The number of values.
    pub n: u64,
}

impl StoredCells {
    /// An empty store to which `value` will be added.
    const fn new(value: f64) -> Self {
        Self { cells: Vec::new(), level: 0, n: 0, weight: 0, sum: 0, min: value, max: value }
    }

    fn add_to_cell(&mut self, key: u16, weight: u64, most: usize) {
        match self.cells.binary_search_by_key(&key, |cell| cell.key) {
            Ok(at) => {
                if let Some(cell) = self.cells.get_mut(at) {
                    cell.weight = { cell.weight }.saturating_add(weight);
                }
            }
            Err(at) => {
                if self.cells.len() == self.cells.capacity() {
                    // Many digests stay small; larger ones grow at most once more if their cells are limited.
                    let more = if self.cells.is_empty() { FIRST_CELLS } else { self.cells.len().max(32) };
                    self.cells.reserve_exact(more.min(most.saturating_sub(self.cells.len())).max(1));
                }
                self.cells.insert(at, Cell { key, weight });
            }
        }
    }

    /// Merges cells in pairs.
    fn collapse(&mut self) {
        self.level += 1;
        let level = self.level;
        self.cells.iter_mut().for_each(|cell| cell.key = grid::joined(cell.key, level));
        self.cells.dedup_by(|next, cell| {
            let is_same = next.key == cell.key;
            if is_same {
                cell.weight = { cell.weight }.saturating_add(next.weight);
            }
            is_same
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ordered_float::OrderedFloat;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn digest(values: &[(f64, u64)]) -> Digest {
        let mut digest = Digest::new();
        for &(value, weight) in values {
            digest.add(value, weight);
        }
        digest
    }

    /// Adds the values one by one within a number of cells.
    fn within(values: &[(f64, u64)], cells: usize) -> Digest {
        let mut digest = Digest::new();
        for &(value, weight) in values {
            digest.add_within(value, weight, cells);
        }
        digest
    }

    /// Counts each unit of weight as one sample.
    fn exact(mut values: Vec<(f64, u64)>, q: f64) -> f64 {
        values.sort_by_key(|&(value, _)| OrderedFloat(value));
        let all: Vec<f64> = values.iter().flat_map(|&(v, w)| std::iter::repeat_n(v, w as usize)).collect();
        all[(q * (all.len() - 1) as f64).floor() as usize]
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![Just(0.0), Just(-0.0), 1e-5..1.0_f64, 0.0..2_000.0_f64, 1e3..1e9_f64]
    }

    proptest! {
        #[test]
        fn quantiles_are_within_the_stated_error_of_the_exact_ones(
            values in prop::collection::vec((value(), 1..50_u64), 1..120), q in 0.0..=1.0_f64, cells in 4..130_usize,
        ) {
            let exact = exact(values.clone(), q);
            let got = digest(&values).quantile(q).unwrap();
            prop_assert!((got - exact).abs() <= exact / 129.0 + 1e-6, "{got} for {exact}");
            let few = within(&values, cells);
            if let Some(error) = few.relative_error() {
                let got = few.quantile(q).unwrap();
                prop_assert!((got - exact).abs() <= exact * error * 1.000_001 + 1e-6, "{got} for {exact} within {error}");
            }
        }

        #[test]
        fn ratings_are_within_the_stated_error(
            values in prop::collection::vec((0.0..100.0_f64, 1..50_u64), 1..120), q in 0.0..=1.0_f64,
            cells in 4..130_usize,
        ) {
            let mut digest = Digest::on_linear_grid();
            for &(value, weight) in &values {
                digest.add_within(value, weight, cells);
            }
            let (got, exact) = (digest.quantile(q).unwrap(), exact(values, q));
            prop_assert!((got - exact).abs() <= digest.absolute_error().unwrap() + 1e-9, "{got} for {exact}");
        }

        #[test]
        fn the_cell_limit_holds_in_any_order(
            values in prop::collection::vec((value(), 1..50_u64), 1..120), turn in 0..120_usize, cells in 2..130_usize,
        ) {
            let mut turned = values.clone();
            turned.rotate_left(turn % values.len());
            let few = within(&values, cells);
            prop_assert!(few.stored.as_ref().unwrap().cells.len() <= cells);
            prop_assert_eq!(within(&turned, cells), few);
        }

        #[test]
        fn the_mean_is_the_weighted_mean(values in prop::collection::vec((value(), 1..50_u64), 1..120)) {
            let sum: f64 = values.iter().map(|&(v, w)| v * w as f64).sum();
            let mean = sum / values.iter().map(|&(_, w)| w as f64).sum::<f64>();
            prop_assert!((digest(&values).mean().unwrap() - mean).abs() <= mean * 1e-9 + 1e-9);
        }

        #[test]
        fn weight_above_a_limit_is_the_weight_added_there(
            low in prop::collection::vec(0.0..95.0_f64, 0..60), high in prop::collection::vec(105.0..9e4_f64, 0..60),
        ) {
            let values: Vec<(f64, u64)> = low.iter().chain(&high).map(|&value| (value, 1)).collect();
            prop_assert_eq!(digest(&values).weight_above(100.0), high.len() as u64);
        }

        #[test]
        fn order_changes_nothing(values in prop::collection::vec((value(), 1..50_u64), 1..60), turn in 0..60_usize) {
            let mut turned = values.clone();
            turned.rotate_left(turn % values.len());
            prop_assert_eq!(digest(&turned), digest(&values));
        }

        #[test]
        fn merging_is_adding(values in prop::collection::vec((value(), 1..50_u64), 0..60), cut in 0..60_usize) {
            let (left, right) = values.split_at(cut.min(values.len()));
            let mut merged = digest(left);
            merged.merge(&digest(right));
            prop_assert_eq!(merged, digest(&values));
        }

        #[cfg(feature = "serde")]
        #[test]
        fn merging_in_any_order_and_grouping_makes_the_same_bytes(
            parts in prop::collection::vec((prop::collection::vec((value(), any::<u64>()), 0..30), 2..60_usize), 1..6),
            turn in 0..6_usize, group in 0..6_usize,
        ) {
            let parts: Vec<Digest> = parts.iter().map(|(values, cells)| within(values, *cells)).collect();
            let merged = |parts: &[Digest]| parts.iter().fold(Digest::new(), |mut all, part| { all.merge(part); all });
            let mut turned = parts.clone();
            turned.rotate_left(turn % parts.len());
            let (left, right) = turned.split_at(group % parts.len());
            let grouped = merged(&[merged(left), merged(right)]);
            prop_assert_eq!(merged(&parts).to_bytes(), grouped.to_bytes());
        }

        #[cfg(feature = "serde")]
        #[test]
        fn a_written_digest_reads_back(
            values in prop::collection::vec((value(), any::<u64>()), 0..60), cells in 2..60_usize,
            more in prop::collection::vec((value(), any::<u64>()), 0..60),
        ) {
            let mut digest = within(&values, cells);
            digest.merge(&tests::digest(&more));
            prop_assert_eq!(Digest::from_bytes(&digest.to_bytes()), Ok(digest.clone()));
            let text = serde_json::to_string(&digest).unwrap();
            prop_assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), digest);
        }

        #[cfg(feature = "serde")]
        #[test]
        fn broken_bytes_are_no_digest_or_a_sound_one(
            values in prop::collection::vec((value(), 1..50_u64), 0..20), at in any::<usize>(), byte in any::<u8>(),
            cut in any::<usize>(),
        ) {
            let mut bytes = digest(&values).to_bytes();
            prop_assert!(Digest::<LogGrid>::from_bytes(&bytes[..cut % bytes.len()]).is_err());
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(mut digest) = Digest::<LogGrid>::from_bytes(&bytes) {
                digest.merge(&tests::digest(&[(1.0, u64::MAX)]));
                prop_assert!(digest.quantile(0.5).is_some());
            }
        }

        #[test]
        fn counts_end_at_their_limit(value in value()) {
            let mut digest = digest(&[(value, u64::MAX)]);
            for _ in 0..70 {
                let copy = digest.clone();
                digest.merge(&copy);
            }
            prop_assert_eq!(digest.n(), u64::MAX);
            prop_assert_eq!(digest.quantile(0.5), Some(value));
        }

        #[test]
        fn every_input_makes_finite_figures(
            values in prop::collection::vec((any::<u64>().prop_map(f64::from_bits), any::<u64>()), 0..20),
        ) {
            let stats = digest(&values).stats();
            for figure in [stats.mean, stats.min, stats.max, stats.p05, stats.p50, stats.p95].into_iter().flatten() {
                prop_assert!(figure.is_finite() && figure >= 0.0);
            }
        }
    }

    proptest! {
        #[test]
        fn weighed_values_are_rounded_as_everywhere(
            value in prop_oneof![value(), Just(1e15), -100.0..100.0_f64, (0..1_u64 << 40).prop_map(|half| half as f64 / 8_589_934_592.0)],
            weight in any::<u64>(),
        ) {
            let rounded = (value * FIXED_POINT).round() as i128;
            prop_assert_eq!(weighed(value, weight), rounded.saturating_mul(i128::from(weight)));
        }
    }

    #[test]
    fn a_grid_states_no_error_outside_of_its_range() {
        for values in [[1e-9, 2e-9, 0.5], [1.0, 5e14, 1e15]] {
            assert_eq!(digest(&values.map(|value| (value, 1))).relative_error(), None);
        }
        let mut tenths = Digest::on_linear_grid();
        tenths.add(403.0, 1);
        assert_eq!(tenths.absolute_error(), Some(0.05));
        tenths.add(5_000.0, 1);
        assert_eq!(tenths.absolute_error(), None);
    }

    /// Bytes of the version before cells could be merged: 20 with weight 3 and 80 with weight 1.
    #[cfg(feature = "serde")]
    #[test]
    fn an_older_version_is_read() {
        let text = r#"{"v1":{"grid":0,"n":2,"weight":4,"sum":[0,601295421440],"range":[20.0,80.0],
            "cells":[[1553,3],[127,1]]}}"#;
        assert_eq!(serde_json::from_str::<Digest>(text).unwrap(), digest(&[(20.0, 3), (80.0, 1)]));
        let bytes = [
            0, 0, 2, 4, 0, 128, 128, 128, 128, 192, 17, 1, 0, 0, 0, 0, 0, 0, 52, 64, 0, 0, 0, 0, 0, 0, 84, 64, 2, 145,
            12, 3, 127, 1,
        ];
        assert_eq!(Digest::from_bytes(&bytes), Ok(digest(&[(20.0, 3), (80.0, 1)])));
        let newer = text.replace("v1", "v9");
        assert!(serde_json::from_str::<Digest>(&newer).is_err());
        assert_eq!(Digest::<LogGrid>::from_bytes(&[9]), Err(DigestError::Malformed));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_digest_of_another_grid_is_refused() {
        let bytes = digest(&[(20.0, 3)]).to_bytes();
        assert_eq!(Digest::<LinearGrid>::from_bytes(&bytes), Err(DigestError::Inconsistent));
    }
}
