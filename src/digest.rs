//! Weighted distributions in bounded memory: mean, extremes and quantiles with a stated error.
//!
//! Counts are integers on a grid whose cells are cut from the bits of the value: no logarithm, so that every platform
//! files a value in the same cell, and no order of arrival that could change a byte.

use alloc::vec::Vec;

/// A distribution of non-negative values, each with a weight.
///
/// - Mean, minimum and maximum are exact to 2⁻³² and in the order-independent integer sum; quantiles are off by at
///   most 1/129 (0.78 %) of the value, never outside of minimum and maximum.
/// - Values from 2⁻²⁰ (about 1e-6) to 2⁴³ (about 9e12) are told apart, and zero has a cell of its own; what lies
///   between or beyond is filed in the nearest cell.
/// - Memory: 16 bytes for each cell in use, at most 4 033 cells; a call's jitter uses a few dozen.
///
/// ```
/// use callgauge::digest::Digest;
/// let mut rtt = Digest::new();
/// rtt.add(20.0, 1_000);
/// rtt.add(80.0, 3_000);
/// assert_eq!(rtt.mean(), Some(65.0)); // weighted: the 80 ms lasted three times as long
/// assert_eq!(Digest::new().mean(), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// Cell and weight, sorted by cell, no cell twice, no weight of zero.
    cells: Vec<(u16, u64)>,
    n: u64,
    weight: u64,
    /// Σ weight · value · 2³².
    sum: i128,
    min: f64,
    max: f64,
}

/// Bits of the mantissa that tell cells apart: 64 cells in each octave.
const MANTISSA_BITS: u32 = 6;
const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - MANTISSA_BITS;
/// The key of 2⁻²⁰, which cell 1 begins with; cell 0 is zero.
const FIRST: u64 = (1023 - 20) << MANTISSA_BITS;
/// The last cell: the octave below 2⁴³ ends here.
const LAST_CELL: u64 = 63 << MANTISSA_BITS;
const FIXED_POINT: f64 = 4_294_967_296.0;

impl Digest {
    /// A distribution of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { cells: Vec::new(), n: 0, weight: 0, sum: 0, min: 0.0, max: 0.0 }
    }

    /// Adds a value that held for `weight` (microseconds, packets, whatever the caller weighs by). NaN, infinities,
    /// negative values and weights of zero are ignored. Allocates only for a cell that was not in use.
    pub fn add(&mut self, value: f64, weight: u64) {
        if !(0.0..=1e15).contains(&value) || weight == 0 {
            return;
        }
        (self.min, self.max) = if self.n == 0 { (value, value) } else { (self.min.min(value), self.max.max(value)) };
        self.n = self.n.saturating_add(1);
        self.weight = self.weight.saturating_add(weight);
        // At most 1e15 · 2³², far inside 128 bits.
        let fixed = libm::round(value * FIXED_POINT) as i128;
        self.sum = self.sum.saturating_add(fixed.saturating_mul(i128::from(weight)));
        self.add_to_cell(cell_of(value), weight);
    }

    /// Adds everything that was added to `other`.
    pub fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        (self.min, self.max) =
            if self.n == 0 { (other.min, other.max) } else { (self.min.min(other.min), self.max.max(other.max)) };
        self.n = self.n.saturating_add(other.n);
        self.weight = self.weight.saturating_add(other.weight);
        self.sum = self.sum.saturating_add(other.sum);
        for &(cell, weight) in &other.cells {
            self.add_to_cell(cell, weight);
        }
    }

    /// How many values were added.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// The weighted mean; `None` when nothing was added.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        // The quotient is taken in integers first, so that a large sum of small values keeps its digits.
        let weight = i128::from(self.weight);
        let (whole, rest) = (self.sum.checked_div(weight)?, self.sum.checked_rem(weight)?);
        let mean = (whole as f64 + rest as f64 / weight as f64) / FIXED_POINT;
        Some(mean.clamp(self.min, self.max))
    }

    /// The smallest value; `None` when nothing was added.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        (self.n > 0).then_some(self.min)
    }

    /// The largest value; `None` when nothing was added.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (self.n > 0).then_some(self.max)
    }

    /// The value below which the share `q` (0 to 1) of the weight lies, by the lower nearest rank. `None` when nothing
    /// was added or `q` is no share.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if self.n == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = libm::floor(q * (self.weight - 1) as f64) as u64;
        let mut below = 0_u64;
        for &(cell, weight) in &self.cells {
            below = below.saturating_add(weight);
            if below > rank {
                return Some(middle_of(cell).clamp(self.min, self.max));
            }
        }
        Some(self.max)
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
            n: self.n,
        }
    }
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

impl Digest {
    fn add_to_cell(&mut self, cell: u16, weight: u64) {
        match self.cells.binary_search_by_key(&cell, |&(cell, _)| cell) {
            Ok(at) => {
                if let Some((_, sum)) = self.cells.get_mut(at) {
                    *sum = sum.saturating_add(weight);
                }
            }
            Err(at) => self.cells.insert(at, (cell, weight)),
        }
    }
}

// Clamped to LAST_CELL.
fn cell_of(value: f64) -> u16 {
    if value == 0.0 {
        return 0;
    }
    ((value.to_bits() >> SHIFT).saturating_sub(FIRST) + 1).min(LAST_CELL) as u16
}

/// The value that is equally far, in proportion, from both ends of a cell: 2ab/(a+b).
fn middle_of(cell: u16) -> f64 {
    if cell == 0 {
        return 0.0;
    }
    let key = FIRST + u64::from(cell) - 1;
    let (low, high) = (f64::from_bits(key << SHIFT), f64::from_bits((key + 1) << SHIFT));
    2.0 * low * high / (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn digest(values: &[(f64, u64)]) -> Digest {
        let mut digest = Digest::new();
        for &(value, weight) in values {
            digest.add(value, weight);
        }
        digest
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![Just(0.0), 1e-5..1.0_f64, 0.0..2_000.0_f64, 1e3..1e9_f64]
    }

    proptest! {
        #[test]
        fn quantiles_are_within_the_stated_error_of_the_exact_ones(
            mut values in prop::collection::vec((value(), 1..50_u64), 1..120), q in 0.0..=1.0_f64,
        ) {
            let digest = digest(&values);
            values.sort_by(|a, b| a.0.total_cmp(&b.0));
            // One by one, as if each unit of weight were a sample of its own.
            let all: Vec<f64> = values.iter().flat_map(|&(v, w)| std::iter::repeat_n(v, w as usize)).collect();
            let exact = all[(q * (all.len() - 1) as f64).floor() as usize];
            let got = digest.quantile(q).unwrap();
            prop_assert!((got - exact).abs() <= exact / 129.0 + 1e-6, "{got} for {exact}");
        }

        #[test]
        fn the_mean_is_the_weighted_mean(values in prop::collection::vec((value(), 1..50_u64), 1..120)) {
            let sum: f64 = values.iter().map(|&(v, w)| v * w as f64).sum();
            let mean = sum / values.iter().map(|&(_, w)| w as f64).sum::<f64>();
            prop_assert!((digest(&values).mean().unwrap() - mean).abs() <= mean * 1e-9 + 1e-9);
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
}
