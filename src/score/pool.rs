//! Scores over time, and over streams: averages on the 100 scale, weighed by how much was heard or shown.

use super::emodel;
use super::evidence::{Inputs, Parts};
use super::model::{ModelId, MosScale, NoScore, Score, Tier};
use crate::digest::Digest;
use crate::unit::{Rx, StatTime};

/// The scores of one stream over time, or of several streams.
///
/// Averages are of [`Rx`], never of MOS, which is bent at both ends, and weigh by active time, so that they do not depend
/// on how often somebody looks. Pools merge in any order.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScorePool {
    rx: Digest,
    active_ms: f64,
    below_ms: f64,
    low: f64,
    high: f64,
    lq: Mean,
    native: Option<(emodel::Scale, Mean)>,
    parts: Parts,
    worst: Option<(Rx, StatTime)>,
    latest: Option<Latest>,
    /// Why there was no score the last time that there was none while the stream was active.
    unscored: Option<NoScore>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

/// What is not averaged.
#[derive(Clone, Copy, Debug)]
struct Latest {
    scale: MosScale,
    model: ModelId,
    /// The least sure of all.
    tier: Tier,
    inputs: Inputs,
}

/// MOS 3.1: below it nearly all are dissatisfied (ITU-T G.109), at Rx = 60 by G.107 Annex B.
const DISSATISFIED: f64 = 60.0;

impl ScorePool {
    /// Adds a score that held for `active_ms`.
    pub(crate) fn add(&mut self, score: &Score, active_ms: f64) {
        if active_ms <= 0.0 {
            return;
        }
        // Positive; saturates.
        self.rx.add(score.rx.as_f64(), (active_ms * 1e3) as u64);
        self.active_ms += active_ms;
        if score.rx.as_f64() < DISSATISFIED {
            self.below_ms += active_ms;
        }
        self.low += score.rx_low.as_f64() * active_ms;
        self.high += score.rx_high.as_f64() * active_ms;
        self.lq.add(score.rx_lq, active_ms);
        if let Some(native) = score.native {
            let (_, mean) = match &mut self.native {
                Some(of_scale) if of_scale.0 == native.scale => of_scale,
                // Another codec: what was averaged on another scale cannot be averaged with this.
                other => other.insert((native.scale, Mean::default())),
            };
            mean.add(Some(native.rx), active_ms);
        }
        self.parts.add(&score.parts, active_ms);
        let tier = self.latest.map_or(score.tier, |latest| latest.tier.max(score.tier));
        self.latest = Some(Latest { scale: score.scale, model: score.model, tier, inputs: score.inputs });
    }

    /// Takes note of the worst ten seconds of a stream.
    pub(crate) fn set_worst(&mut self, worst: Option<(Rx, StatTime)>) {
        self.worst = worst;
    }

    /// Takes note that an active interval had no score.
    pub(crate) fn miss(&mut self, reason: NoScore) {
        self.unscored = Some(reason);
    }

    /// Adds everything that another pool holds.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.rx.merge(&other.rx);
        self.active_ms += other.active_ms;
        self.below_ms += other.below_ms;
        self.low += other.low;
        self.high += other.high;
        self.lq.merge(other.lq);
        self.native = match (self.native, other.native) {
            (Some((scale, mut mean)), Some((same, more))) if scale == same => {
                mean.merge(more);
                Some((scale, mean))
            }
            (None, one) if self.active_ms == other.active_ms => one,
            // Scales that differ cannot be averaged.
            _ => None,
        };
        self.parts.add(&other.parts, 1.0);
        let earlier = |a: (Rx, StatTime), b: (Rx, StatTime)| if (b.0, b.1) < (a.0, a.1) { b } else { a };
        self.worst = match (self.worst, other.worst) {
            (Some(one), Some(another)) => Some(earlier(one, another)),
            (one, another) => one.or(another),
        };
        self.latest = match (self.latest, other.latest) {
            (Some(one), Some(another)) => Some(Latest {
                tier: one.tier.max(another.tier),
                ..if (another.scale, another.model.name) < (one.scale, one.model.name) { another } else { one }
            }),
            (one, another) => one.or(another),
        };
        self.unscored = self.unscored.or(other.unscored);
    }

    /// How long the scores held, ms.
    pub(crate) const fn active_ms(&self) -> f64 {
        self.active_ms
    }

    /// Of that, how much was worse than MOS 3.1, 0 to 1.
    pub(crate) fn below(&self) -> Option<f64> {
        (self.active_ms > 0.0).then(|| self.below_ms / self.active_ms)
    }

    /// The distribution on the 100 scale.
    pub(crate) const fn rx(&self) -> &Digest {
        &self.rx
    }

    /// The worst ten seconds, and when they ended.
    pub(crate) const fn worst(&self) -> Option<(Rx, StatTime)> {
        self.worst
    }

    /// Why there is no score, where there is none.
    pub(crate) const fn unscored(&self) -> Option<NoScore> {
        self.unscored
    }

    /// The mean as a score. `None` when nothing was scored.
    pub(crate) fn mean(&self) -> Option<Score> {
        let Latest { scale, model, tier, inputs } = self.latest?;
        let whole = self.active_ms;
        let mean = |sum: f64| Rx::clamped(sum / whole);
        let mut score = Score::new(model, scale, tier, Rx::clamped(self.rx.mean()?)?)
            .with_interval(mean(self.low)?, mean(self.high)?)
            .with_inputs(inputs)
            .with_parts(self.parts.over(whole)?);
        score.rx_lq = self.lq.get();
        score.native = self.native.and_then(|(scale, mean)| Some(super::Native::new(scale, mean.get()?)));
        Some(score)
    }
}

impl Mean {
    fn add(&mut self, value: Option<Rx>, weight: f64) {
        if let Some(value) = value {
            self.sum += value.as_f64() * weight;
            self.weight += weight;
        }
    }

    fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.weight += other.weight;
    }

    fn get(self) -> Option<Rx> {
        if self.weight > 0.0 { Rx::clamped(self.sum / self.weight) } else { None }
    }
}
