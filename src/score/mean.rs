//! A weighted mean that forgets old values. The caller decides how fast.

/// A mean keeps at least this weight: during a freeze the last frame's coding stays valid.
const LEAST_WEIGHT: f64 = 1e-100;

/// A running weighted mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    /// Adds a sum of values, each times its weight, and the sum of the weights.
    pub(super) fn add(&mut self, sum: f64, weight: f64) {
        self.sum += sum;
        self.weight += weight;
    }

    /// Scales the weight down to the fraction `left`, 0 to 1.
    pub(super) fn fade(&mut self, left: f64) {
        if self.weight > LEAST_WEIGHT {
            let left = left.max(LEAST_WEIGHT / self.weight);
            self.sum *= left;
            self.weight *= left;
        }
    }

    /// Removes weight that should not have been added.
    pub(super) fn lighten(&mut self, weight: f64) {
        self.weight = (self.weight - weight).max(0.0);
    }

    /// The mean; `None` if nothing was added.
    pub(super) fn get(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }

    /// The total weight.
    pub(super) const fn weight(self) -> f64 {
        self.weight
    }
}
