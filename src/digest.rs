//! Weighted distributions in bounded memory: mean, extremes and quantiles with a stated error.
//!
//! Counts are integers on a grid whose cells are cut from the bits of the value: no logarithm, so that every platform
//! files a value in the same cell, and no order of arrival or of merging that could change a byte.

mod grid;
#[cfg(feature = "serde")]
pub(crate) mod wire;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::marker::PhantomData;

pub use grid::{Grid, LinearGrid, LogGrid};
#[cfg(feature = "serde")]
pub use wire::DigestError;

/// A distribution of non-negative values, each with a weight.
///
/// - Mean, minimum and maximum are exact to 2⁻³² and in the order-independent integer sum. Quantiles of values in the
///   grid's range are off by at most 1/129 (0.78 %) of the value on the grid of [`LogGrid`], by 0.05 on that of [`LinearGrid`],
///   and never outside of minimum and maximum.
/// - Memory: 10 bytes for each cell in use, at most 4 033 cells; a call's jitter uses a few dozen.
///   [`add_within`](Self::add_within) keeps to fewer, for a wider error, which [`level`](Self::level) tells.
/// - Merging adds: it is associative and commutative to the bit, and an empty digest changes nothing. It is not
///   idempotent.
///
/// With the feature `serde` it serializes with a version; [`to_bytes`](Self::to_bytes) is the compact form, and the
/// same digest has the same bytes, whatever it was merged from.
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
    /// Nothing on the heap for a distribution of nothing: most figures of most streams are never reported.
    kept: Option<Box<Stored>>,
    grid: PhantomData<G>,
}

#[derive(Clone, Debug, PartialEq)]
struct Stored {
    /// Sorted by key, no key twice, no weight of zero.
    cells: Vec<Cell>,
    /// How often cells were joined in pairs.
    level: u8,
    n: u64,
    weight: u64,
    /// Σ weight · value · 2³².
    sum: i128,
    min: f64,
    max: f64,
}

/// Packed: a stream keeps hundreds of them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, packed)]
struct Cell {
    key: u16,
    weight: u64,
}

/// Room for so many cells is made at first.
const FIRST_CELLS: usize = 8;
/// Sums are of values so many times as large, as integers.
pub(crate) const FIXED_POINT: f64 = 4_294_967_296.0;

impl<G: Grid> Default for Digest<G> {
    fn default() -> Self {
        Self::empty()
    }
}

impl Digest {
    /// A distribution of nothing, on the grid of [`LogGrid`].
    #[must_use]
    pub const fn new() -> Self {
        Self::empty()
    }

    /// By how much of the value a quantile may be off: 1/129 at level 0, 2.3 % at level 1, about twice as much at each one
    /// above. `None` where a cell is wider than an octave, above level 6, and where values lie outside of the grid's range.
    #[must_use]
    pub fn relative_error(&self) -> Option<f64> {
        let is_small = self.min().is_some_and(|min| min > 0.0 && min < LogGrid::SMALLEST);
        let is_large = self.max().is_some_and(|max| max >= LogGrid::LARGEST);
        Some(LogGrid::error(self.level())).filter(|error| error.is_finite() && !is_small && !is_large)
    }
}

impl Digest<LinearGrid> {
    /// A distribution of nothing, on the grid of [`LinearGrid`].
    #[must_use]
    pub const fn on_linear_grid() -> Self {
        Self::empty()
    }

    /// By how much a quantile may be off: 0.05 at level 0, 0.15 at level 1, about twice as much at each one above. `None` where
    /// values lie outside of the grid's range.
    #[must_use]
    pub fn absolute_error(&self) -> Option<f64> {
        let is_large = self.max().is_some_and(|max| max >= LinearGrid::LARGEST);
        (!is_large).then(|| LinearGrid::error(self.level()))
    }
}

impl<G: Grid> Digest<G> {
    const fn empty() -> Self {
        Self { kept: None, grid: PhantomData }
    }

    /// Adds a value that held for `weight` (microseconds, packets, whatever the caller weighs by). NaN, infinities,
    /// negative values, values above 1e15 and weights of zero are ignored. Allocates only for a cell that was not in
    /// use.
    pub fn add(&mut self, value: f64, weight: u64) {
        self.add_within(value, weight, usize::MAX);
    }

    /// Adds a value and keeps to so many cells, two at the least (zero has one of its own): where there are more, they
    /// are joined in pairs until they fit. What comes of it does not depend on the order of the values: it is the
    /// finest level at which all of them fit. Cost: a search among the cells, and all of them once for each level that
    /// is added.
    pub fn add_within(&mut self, value: f64, weight: u64, cells: usize) {
        if !(0.0..=1e15).contains(&value) || weight == 0 {
            return;
        }
        // A negative zero is zero.
        let value = value + 0.0;
        let kept = self.kept.get_or_insert_with(|| Box::new(Stored::new(value)));
        (kept.min, kept.max) = (kept.min.min(value), kept.max.max(value));
        kept.n = kept.n.saturating_add(1);
        kept.weight = kept.weight.saturating_add(weight);
        kept.sum = kept.sum.saturating_add(weighed(value, weight));
        let cells = cells.max(2);
        // One more than may stay, until they are joined.
        kept.add_to_cell(grid::joined(G::key(value), kept.level), weight, cells.saturating_add(1));
        while kept.cells.len() > cells && kept.level < grid::LAST_LEVEL {
            kept.collapse();
        }
    }

    /// Adds everything that was added to `other`, each part as exactly as it was kept.
    pub fn merge(&mut self, other: &Self) {
        let Some(more) = &other.kept else { return };
        let kept = self.kept.get_or_insert_with(|| Box::new(Stored::new(more.min)));
        (kept.min, kept.max) = (kept.min.min(more.min), kept.max.max(more.max));
        kept.level = kept.level.max(more.level);
        kept.n = kept.n.saturating_add(more.n);
        kept.weight = kept.weight.saturating_add(more.weight);
        kept.sum = kept.sum.saturating_add(more.sum);
        for &Cell { key, weight } in &more.cells {
            kept.add_to_cell(key, weight, usize::MAX);
        }
    }

    /// How many values were added.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.kept.as_ref().map_or(0, |kept| kept.n)
    }

    /// What they weigh together.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.kept.as_ref().map_or(0, |kept| kept.weight)
    }

    /// How often cells were joined in pairs, of the least exact part: 0 unless [`add_within`](Self::add_within) ran out
    /// of cells.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.kept.as_ref().map_or(0, |kept| kept.level)
    }

    /// The weighted mean; `None` when nothing was added.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        // The quotient is taken in integers first, so that a large sum of small values keeps its digits.
        let kept = self.kept.as_ref()?;
        let weight = i128::from(kept.weight);
        let (whole, rest) = (kept.sum.checked_div(weight)?, kept.sum.checked_rem(weight)?);
        let mean = (whole as f64 + rest as f64 / weight as f64) / FIXED_POINT;
        Some(mean.clamp(kept.min, kept.max))
    }

    /// The smallest value; `None` when nothing was added.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        self.kept.as_ref().map(|kept| kept.min)
    }

    /// The largest value; `None` when nothing was added.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        self.kept.as_ref().map(|kept| kept.max)
    }

    /// The value below which the share `q` (0 to 1) of the weight lies, by the lower nearest rank. `None` when nothing
    /// was added or `q` is no share.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let kept = self.kept.as_ref().filter(|_| (0.0..=1.0).contains(&q))?;
        let rank = libm::floor(q * kept.weight.saturating_sub(1) as f64) as u64;
        let mut below = 0_u64;
        for &Cell { key, weight } in &kept.cells {
            below = below.saturating_add(weight);
            if below > rank {
                return Some(G::value(key).clamp(kept.min, kept.max));
            }
        }
        Some(kept.max)
    }

    /// What those values weigh together that are above a limit, as they are kept.
    pub(crate) fn weight_above(&self, limit: f64) -> u64 {
        let Some(kept) = &self.kept else { return 0 };
        let above = kept.cells.iter().filter(|cell| G::value(cell.key).clamp(kept.min, kept.max) > limit);
        above.fold(0, |sum, cell| sum.saturating_add(cell.weight))
    }

    /// The figures that outputs show.
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

/// `value` · `weight` · 2³², rounded to a whole before it is weighed; saturates.
pub(crate) fn weighed(value: f64, weight: u64) -> i128 {
    let fixed = value * FIXED_POINT;
    // The same as below, in a fraction of the time, for what is not negative and fits into an `i64`.
    if (0.0..9e18).contains(&fixed) {
        let whole = fixed as i64;
        let rounded = (whole + i64::from(fixed - whole as f64 >= 0.5)).unsigned_abs();
        return i128::try_from(u128::from(rounded) * u128::from(weight)).unwrap_or(i128::MAX);
    }
    (libm::round(fixed) as i128).saturating_mul(i128::from(weight))
}

/// What outputs show of a distribution; everything but `n` is `None` when nothing was measured.
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
    /// 5 % of the time it was below this.
    pub p05: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// 5 % of the time it was above this.
    pub p95: Option<f64>,
    /// How many values it is made of.
    pub n: u64,
}

impl Stored {
    /// To which `value` is about to be added.
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
                    // Many are small for good; those that are not grow once more at most, where cells are few.
                    let more = if self.cells.is_empty() { FIRST_CELLS } else { self.cells.len().max(32) };
                    self.cells.reserve_exact(more.min(most.saturating_sub(self.cells.len())).max(1));
                }
                self.cells.insert(at, Cell { key, weight });
            }
        }
    }

    /// Joins cells in pairs.
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

    /// Added one by one within so many cells.
    fn within(values: &[(f64, u64)], cells: usize) -> Digest {
        let mut digest = Digest::new();
        for &(value, weight) in values {
            digest.add_within(value, weight, cells);
        }
        digest
    }

    /// One by one, as if each unit of weight were a sample of its own.
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
        fn few_cells_are_kept_to_in_any_order(
            values in prop::collection::vec((value(), 1..50_u64), 1..120), turn in 0..120_usize, cells in 2..130_usize,
        ) {
            let mut turned = values.clone();
            turned.rotate_left(turn % values.len());
            let few = within(&values, cells);
            prop_assert!(few.kept.as_ref().unwrap().cells.len() <= cells);
            prop_assert_eq!(within(&turned, cells), few);
        }

        #[test]
        fn the_mean_is_the_weighted_mean(values in prop::collection::vec((value(), 1..50_u64), 1..120)) {
            let sum: f64 = values.iter().map(|&(v, w)| v * w as f64).sum();
            let mean = sum / values.iter().map(|&(_, w)| w as f64).sum::<f64>();
            prop_assert!((digest(&values).mean().unwrap() - mean).abs() <= mean * 1e-9 + 1e-9);
        }

        #[test]
        fn as_much_is_above_a_limit_as_was_put_there(
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
        fn what_was_written_is_read(
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
        fn no_input_makes_a_figure_that_is_not_finite(
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
        fn what_is_weighed_is_rounded_as_everywhere(
            value in prop_oneof![value(), Just(1e15), -100.0..100.0_f64, (0..1_u64 << 40).prop_map(|half| half as f64 / 8_589_934_592.0)],
            weight in any::<u64>(),
        ) {
            let rounded = (value * FIXED_POINT).round() as i128;
            prop_assert_eq!(weighed(value, weight), rounded.saturating_mul(i128::from(weight)));
        }
    }

    #[test]
    fn outside_of_its_range_a_grid_states_no_error() {
        for values in [[1e-9, 2e-9, 0.5], [1.0, 5e14, 1e15]] {
            assert_eq!(digest(&values.map(|value| (value, 1))).relative_error(), None);
        }
        let mut tenths = Digest::on_linear_grid();
        tenths.add(403.0, 1);
        assert_eq!(tenths.absolute_error(), Some(0.05));
        tenths.add(5_000.0, 1);
        assert_eq!(tenths.absolute_error(), None);
    }

    /// As the version before cells could be joined wrote it: 20 for 3 and 80 for 1.
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
