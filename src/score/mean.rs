//! A mean that forgets.

/// A mean is not forgotten further than this: while a picture stands, what it was coded with stays true.
const LEAST_WEIGHT: f64 = 1e-100;

/// A weighted mean under way.
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

    /// Forgets all but `left`, 0 to 1, of the weight.
    pub(super) fn fade(&mut self, left: f64) {
        if self.weight > LEAST_WEIGHT {
            let left = left.max(LEAST_WEIGHT / self.weight);
            self.sum *= left;
            self.weight *= left;
        }
    }

    /// Takes weight off that should not have been there.
    pub(super) fn lighten(&mut self, weight: f64) {
        self.weight = (self.weight - weight).max(0.0);
    }

    /// `None` when nothing was added.
    pub(super) fn get(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }

    /// What the values weigh together.
    pub(super) const fn weight(self) -> f64 {
        self.weight
    }
}
