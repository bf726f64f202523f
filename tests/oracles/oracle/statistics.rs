//! Statistics for the comparison of a score with a measurement. `None` wherever a figure is undefined: fewer than three
//! points, a side without variance, unequal lengths, a non-finite value.

use statrs::statistics::Statistics as _;

/// Pearson's correlation, −1 to 1.
pub(crate) fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    if !comparable(x, y) || constant(x) || constant(y) {
        return None;
    }
    let (covariance, spread) = (x.covariance(y), x.std_dev() * y.std_dev());
    (spread.is_normal() && covariance.is_finite()).then(|| (covariance / spread).clamp(-1.0, 1.0))
}

/// Spearman's correlation: Pearson's of the ranks, ties at the mean of their ranks.
pub(crate) fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    if comparable(x, y) { pearson(&ranks(x), &ranks(y)) } else { None }
}

/// Ranks from 1, in the order of the values; equal values have the mean of their ranks.
pub(crate) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in sorted(values).chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|&i| ranks[i] = rank);
        before += tied.len();
    }
    ranks
}

/// The monotone function of `x` nearest to `y` (least squares), at every `x`. It rises where Spearman's correlation is
/// at least 0 and falls elsewhere. Equal `x` have equal values.
pub(crate) fn monotone_fit(x: &[f64], y: &[f64]) -> Option<Vec<f64>> {
    let sign = if spearman(x, y)? < 0.0 { -1.0 } else { 1.0 };
    let order = sorted(x);
    let ties: Vec<&[usize]> = order.chunk_by(|&a, &b| x[a] == x[b]).collect();
    let weights: Vec<f64> = ties.iter().map(|tied| tied.len() as f64).collect();
    let sum = |tied: &[usize]| tied.iter().map(|&i| y[i]).sum::<f64>();
    let means: Vec<f64> = ties.iter().zip(&weights).map(|(tied, weight)| sign * sum(tied) / weight).collect();
    let mut fitted = vec![0.0; x.len()];
    for (tied, value) in ties.iter().zip(pool_adjacent_violators(&means, &weights)) {
        tied.iter().for_each(|&i| fitted[i] = sign * value);
    }
    Some(fitted)
}

/// The rising sequence nearest to `values` by weighted squares: pools each value that is below the previous one with it
/// until none is. Weights are above 0; both slices have one length.
pub(crate) fn pool_adjacent_violators(values: &[f64], weights: &[f64]) -> Vec<f64> {
    struct Block {
        mean: f64,
        weight: f64,
        len: usize,
    }
    let mut blocks: Vec<Block> = Vec::with_capacity(values.len());
    for (&mean, &weight) in values.iter().zip(weights) {
        let mut block = Block { mean, weight, len: 1 };
        while let Some(before) = blocks.pop_if(|before| before.mean > block.mean) {
            let weight = before.weight + block.weight;
            let mean = (before.weight * before.mean + block.weight * block.mean) / weight;
            block = Block { mean, weight, len: before.len + block.len };
        }
        blocks.push(block);
    }
    blocks.iter().flat_map(|block| std::iter::repeat_n(block.mean, block.len)).collect()
}

/// Root of the mean squared difference.
pub(crate) fn rmse(x: &[f64], y: &[f64]) -> Option<f64> {
    if !comparable(x, y) {
        return None;
    }
    let squares: f64 = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum();
    Some((squares / x.len() as f64).sqrt())
}

/// Distance of `y` from a monotone function of `x`, in the unit of `y`: the error that remains when only the order of
/// `x` counts, so that scores of different scales can be compared.
pub(crate) fn rmse_after_monotone_fit(x: &[f64], y: &[f64]) -> Option<f64> {
    rmse(&monotone_fit(x, y)?, y)
}

/// Values minus their mean, in standard deviations (of the population, not of a sample), for averages over measurements
/// of different ranges.
pub(crate) fn standardised(values: &[f64]) -> Option<Vec<f64>> {
    if !comparable(values, values) || constant(values) {
        return None;
    }
    let (mean, deviation) = (values.mean(), values.population_std_dev());
    deviation.is_normal().then(|| values.iter().map(|value| (value - mean) / deviation).collect())
}

/// The value below which a share of `share` (0 to 1) lies, interpolated between neighbours. `None` for no values.
pub(crate) fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let order = sorted(values);
    let at = share.clamp(0.0, 1.0) * order.len().checked_sub(1)? as f64;
    let (low, high) = (values[order[at.floor() as usize]], values[order[at.ceil() as usize]]);
    Some(low + (high - low) * at.fract())
}

/// Ends of a confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Parameters of a confidence interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bootstrap {
    /// Number of resamplings.
    pub(crate) rounds: usize,
    /// Share of the rounds inside the interval, as 0.95.
    pub(crate) level: f64,
    /// The same seed gives the same interval.
    pub(crate) seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { rounds: 2_000, level: 0.95, seed: 1 }
    }
}

impl Bootstrap {
    /// The interval of a statistic, by percentiles. Draws whole groups with replacement, as many as there are: the rows
    /// of one recording are no independent evidence. `groups` names the group of every row, `statistic` gets the rows
    /// of a round by their index, as often as they were drawn.
    ///
    /// `None` for fewer than two groups, and where the statistic is undefined in more than a tenth of the rounds.
    pub(crate) fn interval<G: Ord>(
        &self,
        groups: &[G],
        mut statistic: impl FnMut(&[usize]) -> Option<f64>,
    ) -> Option<Interval> {
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by(|&a, &b| groups[a].cmp(&groups[b]));
        let members: Vec<&[usize]> = order.chunk_by(|&a, &b| groups[a] == groups[b]).collect();
        if members.len() < 2 {
            return None;
        }
        let mut random = SplitMix64(self.seed);
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            rows.clear();
            (0..members.len()).for_each(|_| rows.extend_from_slice(members[random.below(members.len())]));
            values.extend(statistic(&rows).filter(|value| value.is_finite()));
        }
        if values.len() * 10 < self.rounds * 9 {
            return None;
        }
        let outside = (1.0 - self.level) / 2.0;
        Some(Interval { low: quantile(&values, outside)?, high: quantile(&values, 1.0 - outside)? })
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, with the constants of Vigna's
/// splitmix64.c.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, 0 for 0. The bias is `bound` of 2⁶⁴.
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

fn comparable(x: &[f64], y: &[f64]) -> bool {
    x.len() == y.len() && x.len() >= 3 && x.iter().chain(y).all(|value| value.is_finite())
}

/// Compares the values, as the variance of equal values need not be exactly 0 after rounding.
fn constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}

/// Indices in the order of the values.
fn sorted(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    order
}
