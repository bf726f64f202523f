//! Confidence intervals of correlations by Fisher's transformation. They assume independent pairs, so that segments of one
//! recording give too narrow an interval; `Bootstrap` resamples whole recordings instead.

use statrs::distribution::{ContinuousCDF as _, Normal};

/// A correlation coefficient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coefficient {
    Pearson,
    Spearman,
}

impl Coefficient {
    /// The confidence interval of a correlation `r` of `n` pairs at `level`. `atanh r` is nearly normal with variance
    /// 1 / (n − 3), for Spearman's coefficient (1 + r² / 2) / (n − 3) (Bonett and Wright, Psychometrika 65, 2000).
    /// `None` for fewer than four pairs.
    pub(crate) fn interval(self, r: f64, n: usize, level: f64) -> Option<(f64, f64)> {
        let freedom = n.checked_sub(3).filter(|&freedom| freedom > 0)? as f64;
        let variance = match self {
            Self::Pearson => 1.0 / freedom,
            Self::Spearman => (1.0 + r * r / 2.0) / freedom,
        };
        let half = Normal::standard().inverse_cdf(0.5 + level / 2.0) * variance.sqrt();
        let z = r.atanh();
        Some(((z - half).tanh(), (z + half).tanh()))
    }
}

#[cfg(test)]
mod tests {
    use super::Coefficient;

    #[test]
    fn interval_of_pearson_is_fishers() {
        let (low, high) = Coefficient::Pearson.interval(0.5, 28, 0.95).unwrap();
        // tanh(0.549306 ± 1.959964 / 5)
        assert!((low - 0.156_028).abs() < 1e-5 && (high - 0.735_818).abs() < 1e-5, "{low} {high}");
    }

    #[test]
    fn interval_of_spearman_is_wider() {
        let (low, high) = Coefficient::Spearman.interval(0.5, 28, 0.95).unwrap();
        // tanh(0.549306 ± 1.959964 * sqrt(1.125) / 5)
        assert!((low - 0.132_747).abs() < 1e-5 && (high - 0.746_533).abs() < 1e-5, "{low} {high}");
    }

    #[test]
    fn three_pairs_have_no_interval() {
        assert_eq!(Coefficient::Spearman.interval(0.5, 3, 0.95), None);
    }
}
