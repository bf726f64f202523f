//! Averages scores over time, and over streams, on the 100 scale, weighted by audible or visible time. It computes no
//! score.

use smallvec::SmallVec;

use super::either;
use super::evidence::{Cause, Inputs, Parts};
use super::model::{ModelId, MosScale, Native, NoScore, Score, Tier};
#[cfg(feature = "serde")]
use crate::digest::wire;
use crate::digest::{Digest, DigestSet, FIXED_POINT, LinearGrid, weighed};
use crate::emodel::Scale;
use crate::unit::{Rx, StatTime};

/// The scores of one stream over time, or of several streams.
///
/// Averages are of [`Rx`], never of MOS, which is not linear at either end, and are weighted by active time, so the
/// polling rate does not change them. Sums are integers: pools merge in any order and grouping to the same bits.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScorePool {
    rx: Digest<LinearGrid>,
    sums: PoolSums,
    worst: Option<(Rx, StatTime)>,
}

/// The scores of one stream so far: a [`ScorePool`] in less memory.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamScores {
    rx: DigestSet<LinearGrid>,
    sums: PoolSums,
}

/// The place of the distribution of scores in its set, which has no other.
const RX: u8 = 0;

/// Sums over scores.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct PoolSums {
    active: Micros,
    below: Micros,
    low: Sum,
    high: Sum,
    lq: PoolMean,
    native: NativeMean,
    /// By cause. A stream has two to four.
    causes: SmallVec<[CauseSums; CAUSES]>,
    latest: Option<LatestScore>,
    /// How long scores of each tier held, by tier. A stream has one or two.
    tiers: SmallVec<[(Tier, Micros); TIERS]>,
    /// The latest reason why an active interval had no score.
    unscored: Option<NoScore>,
}

/// A duration with an exact sum in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Micros(u64);

/// Σ value · µs · 2³², with the resolution of [`Digest`]: 96 bits, the lowest 32 first. Values are 0 to 100, so there is
/// room for some five thousand years.
#[derive(Clone, Copy, Debug, Default)]
struct Sum([u32; 3]);

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct PoolMean {
    sum: Sum,
    weight: Micros,
}

/// The points of one cause.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct CauseSums {
    cause: Cause,
    parts: Sum,
    gains: Sum,
}

/// The mean on the codec's own scale.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum NativeMean {
    #[default]
    Nothing,
    On(Scale, PoolMean),
    /// Different scales cannot be averaged.
    Mixed,
}

/// Properties that are not averaged.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct LatestScore {
    scale: MosScale,
    /// Scores of another scale are included.
    is_mixed: bool,
    #[cfg_attr(feature = "serde", serde(skip, default = "ModelId::unknown"))]
    model: ModelId,
    inputs: Inputs,
}

/// MOS 3.1: below it nearly all users are dissatisfied (ITU-T G.109), at Rx = 60 by G.107 Annex B.
pub(crate) const DISSATISFIED: f64 = 60.0;
/// Number of cells in the distribution of one stream's scores. Over 38 points the error is 0.45 at most, MOS 0.016.
const CELLS: usize = 48;
/// How many causes of impairments a stream has before their sums take memory of their own.
const CAUSES: usize = 4;
/// How many tiers the scores of a stream have before their sums take memory of their own.
const TIERS: usize = 1;

impl StreamScores {
    /// Adds a score that held for `active`.
    pub(crate) fn add(&mut self, score: &Score, active: Micros) {
        if active != Micros::default() {
            self.rx.add_within(RX, score.rx.as_f64(), active.0, CELLS);
            self.sums.add(score, active);
        }
    }

    /// Notes that an active interval had no score.
    pub(crate) fn miss(&mut self, reason: NoScore) {
        self.sums.unscored = Some(reason);
    }

    /// How long the scores held.
    pub(crate) const fn active(&self) -> Micros {
        self.sums.active
    }

    /// The scores, and the worst ten seconds among them. Cost: a copy of the whole distribution.
    pub(crate) fn pool(&self, worst: Option<(Rx, StatTime)>) -> ScorePool {
        ScorePool { rx: self.rx.get(RX), sums: self.sums.clone(), worst }
    }

    /// Restores the model, which a checkpoint omits.
    #[cfg(feature = "serde")]
    pub(crate) fn restore_models(&mut self, model: ModelId) {
        if let Some(latest) = &mut self.sums.latest {
            latest.model = model;
        }
    }
}

impl PoolSums {
    /// The sums of a cause.
    fn of(&mut self, cause: Cause) -> &mut CauseSums {
        let at = self.causes.iter().position(|sums| sums.cause >= cause).unwrap_or(self.causes.len());
        if self.causes.get(at).is_none_or(|sums| sums.cause != cause) {
            self.causes.insert(at, CauseSums { cause, parts: Sum::default(), gains: Sum::default() });
        }
        &mut self.causes[at]
    }

    /// How long scores of a tier held.
    fn held(&mut self, tier: Tier) -> &mut Micros {
        let at = self.tiers.iter().position(|&(other, _)| other >= tier).unwrap_or(self.tiers.len());
        if self.tiers.get(at).is_none_or(|&(other, _)| other != tier) {
            self.tiers.insert(at, (tier, Micros::default()));
        }
        &mut self.tiers[at].1
    }

    fn add(&mut self, score: &Score, active: Micros) {
        self.active.add(active);
        if score.rx.as_f64() < DISSATISFIED {
            self.below.add(active);
        }
        self.low.add(score.rx_low.as_f64(), active);
        self.high.add(score.rx_high.as_f64(), active);
        if let Some(lq) = score.rx_lq {
            self.lq.add(lq, active);
        }
        if let Some(Native { scale, rx }) = score.native {
            let mut one = PoolMean::default();
            one.add(rx, active);
            self.native = self.native.merged(NativeMean::On(scale, one));
        }
        for (cause, points) in score.parts.iter() {
            self.of(cause).parts.add(points, active);
        }
        for (cause, points) in score.gains.iter() {
            self.of(cause).gains.add(points, active);
        }
        self.held(score.tier).add(active);
        let is_mixed = self.latest.is_some_and(|latest| latest.is_mixed || latest.scale != score.scale);
        self.latest = Some(LatestScore { scale: score.scale, is_mixed, model: score.model, inputs: score.inputs });
    }

    fn merge(&mut self, other: &Self) {
        self.active.add(other.active);
        self.below.add(other.below);
        self.low.merge(other.low);
        self.high.merge(other.high);
        self.lq.merge(other.lq);
        self.native = self.native.merged(other.native);
        for &(tier, more) in &other.tiers {
            self.held(tier).add(more);
        }
        for more in &other.causes {
            let sums = self.of(more.cause);
            sums.parts.merge(more.parts);
            sums.gains.merge(more.gains);
        }
        self.latest = either(self.latest, other.latest, LatestScore::merged);
        self.unscored = either(self.unscored, other.unscored, |a, b| if b.name() < a.name() { b } else { a });
    }
}

impl ScorePool {
    /// Adds the contents of another pool.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.rx.merge(&other.rx);
        self.sums.merge(&other.sums);
        self.worst = either(self.worst, other.worst, Ord::min);
    }

    /// How long the scores held.
    pub(crate) const fn active(&self) -> Micros {
        self.sums.active
    }

    /// The fraction of that time below MOS 3.1, 0 to 1.
    pub(crate) fn below(&self) -> Option<f64> {
        (self.sums.active.0 > 0).then(|| self.sums.below.0 as f64 / self.sums.active.0 as f64)
    }

    /// The distribution on the 100 scale.
    pub(crate) const fn rx(&self) -> &Digest<LinearGrid> {
        &self.rx
    }

    /// The worst ten seconds, and when they ended.
    pub(crate) const fn worst(&self) -> Option<(Rx, StatTime)> {
        self.worst
    }

    /// The latest reason for a missing score.
    pub(crate) const fn unscored(&self) -> Option<NoScore> {
        self.sums.unscored
    }

    /// The scale of the scores. `None` if there are several: then their mean is not comparable.
    pub(crate) fn scale(&self) -> Option<MosScale> {
        self.sums.latest.filter(|latest| !latest.is_mixed).map(|latest| latest.scale)
    }

    /// The means of the points of each cause.
    fn mean_parts(&self, of: impl Fn(&CauseSums) -> Sum) -> Option<Parts> {
        let mut means = Parts::new();
        for sums in &self.sums.causes {
            means.set(sums.cause, of(sums).over(self.sums.active)?);
        }
        Some(means)
    }

    /// The mean as a score, of the tier that held longest. `None` without any score.
    pub(crate) fn mean(&self) -> Option<Score> {
        let LatestScore { scale, model, inputs, .. } = self.sums.latest?;
        // The least certain of the tiers that held equally long.
        let &(tier, _) = self.sums.tiers.iter().max_by_key(|&&(_, held)| held)?;
        let mut score = Score::new(model, scale, tier, Rx::clamped(self.rx.mean()?)?)
            .with_interval(
                Rx::clamped(self.sums.low.over(self.sums.active)?)?,
                Rx::clamped(self.sums.high.over(self.sums.active)?)?,
            )
            .with_inputs(inputs)
            .with_parts_and_gains(self.mean_parts(|sums| sums.parts)?, self.mean_parts(|sums| sums.gains)?);
        score.rx_lq = self.sums.lq.get();
        score.native = match self.sums.native {
            NativeMean::On(scale, mean) => mean.get().map(|rx| Native::new(scale, rx)),
            NativeMean::Nothing | NativeMean::Mixed => None,
        };
        Some(score)
    }
}

impl LatestScore {
    /// An order of models and scales that does not depend on the order of input.
    const fn order(&self) -> (MosScale, &'static str, u32) {
        (self.scale, self.model.name, self.model.version)
    }

    fn merged(self, other: Self) -> Self {
        Self {
            is_mixed: self.is_mixed || other.is_mixed || self.scale != other.scale,
            inputs: self.inputs.least_sure(other.inputs),
            ..if other.order() < self.order() { other } else { self }
        }
    }
}

impl Micros {
    /// From milliseconds. Negative and NaN give 0; saturates.
    pub(crate) fn of_millis(ms: f64) -> Self {
        Self((ms * 1e3) as u64)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }

    /// The difference to `other`, at least 0.
    pub(crate) const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    pub(crate) fn as_millis(self) -> f64 {
        self.0 as f64 / 1e3
    }

    pub(crate) fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Sum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        wire::halves(self.get()).serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Sum {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::of(wire::whole(<(i64, u64)>::deserialize(deserializer)?)))
    }
}

impl Sum {
    /// Saturates: sums are not negative, and below 2⁹⁶.
    fn of(sum: i128) -> Self {
        let sum = sum.clamp(0, (1 << 96) - 1);
        Self([sum as u32, (sum >> 32) as u32, (sum >> 64) as u32])
    }

    fn get(self) -> i128 {
        let [low, middle, high] = self.0.map(i128::from);
        high << 64 | middle << 32 | low
    }

    fn add(&mut self, value: f64, weight: Micros) {
        *self = Self::of(self.get().saturating_add(weighed(value, weight.0)));
    }

    fn merge(&mut self, other: Self) {
        *self = Self::of(self.get() + other.get());
    }

    fn over(self, weight: Micros) -> Option<f64> {
        (weight.0 > 0).then(|| self.get() as f64 / FIXED_POINT / weight.0 as f64)
    }
}

impl PoolMean {
    fn add(&mut self, value: Rx, weight: Micros) {
        self.sum.add(value.as_f64(), weight);
        self.weight.add(weight);
    }

    fn merge(&mut self, other: Self) {
        self.sum.merge(other.sum);
        self.weight.add(other.weight);
    }

    fn get(self) -> Option<Rx> {
        Rx::clamped(self.sum.over(self.weight)?)
    }
}

impl NativeMean {
    fn merged(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, one) | (one, Self::Nothing) => one,
            (Self::On(scale, mut mean), Self::On(same, more)) if scale == same => {
                mean.merge(more);
                Self::On(scale, mean)
            }
            _ => Self::Mixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// Scores as models make them, and how long each held, ms.
    fn scores() -> impl Strategy<Value = Vec<(Score, f64)>> {
        let native =
            prop_oneof![Just(None), (0..2_usize, 0.0..100.0_f64).prop_map(|(scale, rx)| Some((Scale::ALL[scale], rx)))];
        let one = (0.0..100.0_f64, 0.0..20.0_f64, native, 0..9_usize, 0.0..10_000.0_f64);
        prop::collection::vec(
            one.prop_map(|(rx, unsure, native, cause, ms)| {
                let of = |value: f64| Rx::clamped(value).unwrap();
                let mut parts = Parts::new();
                parts.set(Cause::ALL[cause], 100.0 - rx);
                let score = Score::new(ModelId::new("any", 1), MosScale::Fullband, Tier::A1, of(rx))
                    .with_interval(of(rx - unsure), of(rx + unsure))
                    .with_parts(parts);
                let native = native.map(|(scale, rx)| Native::new(scale, of(rx)));
                (native.map_or(score, |native| score.with_native(native)), ms)
            }),
            0..20,
        )
    }

    fn pool(scores: &[(Score, f64)]) -> ScorePool {
        let mut all = StreamScores::default();
        for (score, ms) in scores {
            all.add(score, Micros::of_millis(*ms));
        }
        all.pool(None)
    }

    fn outcome(pool: &ScorePool) -> (Option<Score>, Option<f64>, Micros, Option<f64>) {
        (pool.mean(), pool.below(), pool.active(), pool.rx().quantile(0.05))
    }

    proptest! {
        #[test]
        fn merging_is_adding_in_any_order(scores in scores(), cut in 0..20_usize) {
            let (left, right) = scores.split_at(cut.min(scores.len()));
            let mut turned = pool(right);
            turned.merge(&pool(left));
            prop_assert_eq!(outcome(&turned), outcome(&pool(&scores)));
        }

        #[test]
        fn the_mean_is_of_r_weighted_by_time(scores in scores()) {
            let weight: f64 = scores.iter().map(|(_, ms)| ms).sum();
            prop_assume!(weight > 1.0);
            let mean = |of: fn(&Score) -> f64| scores.iter().map(|(score, ms)| of(score) * ms).sum::<f64>() / weight;
            let got = pool(&scores).mean().unwrap();
            for (got, expected) in [
                (got.rx, mean(|score| score.rx.as_f64())),
                (got.rx_low, mean(|score| score.rx_low.as_f64())),
                (got.rx_high, mean(|score| score.rx_high.as_f64())),
            ] {
                prop_assert!((got.as_f64() - expected).abs() < 0.1, "{got} for {expected}");
            }
            prop_assert!(got.rx_low <= got.rx && got.rx <= got.rx_high);
            prop_assert!((got.parts.sum() - mean(|score| score.parts.sum())).abs() < 0.1);
        }
    }

    #[test]
    fn a_quarter_of_the_time_below_three_point_one_is_a_quarter() {
        let at = |mos: f64| {
            let rx = crate::emodel::scale::r_from_mos(mos).and_then(Rx::clamped).unwrap();
            Score::new(ModelId::new("any", 1), MosScale::Fullband, Tier::A1, rx)
        };
        let pool = pool(&[(at(3.09), 1_000.0), (at(3.11), 3_000.0)]);
        assert_eq!(pool.below(), Some(0.25));
    }
}
