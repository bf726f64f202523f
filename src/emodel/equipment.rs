//! Ie,eff, the impairment by codec and loss together (G.107 clause 7.5). Values of codecs are in
//! [`codec`](super::codec).

use super::Scale;
use crate::unit::Ratio;

/// Ie,eff, G.107 equation 7-29: `Ie + (ceiling − Ie) · Ppl / (Ppl / BurstR + Bpl)`.
///
/// - `ie`: Ie, equipment impairment of the codec without loss; dimensionless, permitted 0 to 40, default 0. At or above
///   the ceiling, loss adds nothing.
/// - `bpl`: Bpl, packet-loss robustness, percent; permitted 4.3 to 40, default 4.3. NaN unless positive.
/// - `ppl`: Ppl, packet-loss probability, percent, discarded late packets included; clamped to 0 to 100, permitted 0 to
///   20, default 0.
/// - `burst_r`: BurstR, mean length of a loss burst relative to random loss; at least 1, permitted 1 to 8, default 1;
///   above 2 it is valid only for Ppl below 2 % ([`valid_burst_r`]).
/// - `ceiling`: [`Scale::max_ie_eff`], 95 or 132.
///
/// Ie,eff never falls as Ppl or BurstR rise. It rises with Ie, too, while Ppl / (Ppl / BurstR + Bpl) is at most 1;
/// beyond (dense bursts under heavy loss) it exceeds the ceiling, and there the published formula makes it fall as Ie
/// rises.
#[must_use]
pub fn ie_eff(ie: f64, bpl: f64, ppl: f64, burst_r: f64, ceiling: f64) -> f64 {
    let ppl = ppl.clamp(0.0, 100.0);
    let burst_r = burst_r.clamp(1.0, f64::INFINITY);
    let bpl = if bpl > 0.0 { bpl } else { f64::NAN };
    ie + (ceiling - ie).max(0.0) * (ppl / (ppl / burst_r + bpl))
}

/// BurstR from counts: (lost / bursts) · (1 − lost / total), at least 1. The mean length of a burst relative to the
/// bursts of random loss at the same rate.
///
/// `None` if no packet was lost, or if there are more bursts than losses, or more losses than packets.
#[must_use]
pub fn burst_r(lost: u64, bursts: u64, total: u64) -> Option<f64> {
    if bursts == 0 || bursts > lost || lost > total {
        return None;
    }
    let (lost, bursts, total) = (lost as f64, bursts as f64, total as f64);
    Some((lost / bursts * (1.0 - lost / total)).max(1.0))
}

/// BurstR of the two-state Gilbert chain that enters the lossy state with probability `p` and leaves it with `q`: 1 /
/// (p + q), at least 1. `None` unless both are probabilities and `q` is positive.
#[must_use]
pub fn burst_r_of_gilbert(p: Ratio, q: Ratio) -> Option<f64> {
    (q.as_f64() > 0.0).then(|| (1.0 / (p.as_f64() + q.as_f64())).max(1.0))
}

/// Clamps `burst_r` to the range in which G.107 is valid: 1 to 8, but at most 2 from Ppl = 2 % on.
///
/// A hard limit at 2 % would let Ie,eff fall as loss crosses it; here the bound falls as 4 / Ppl from 0.5 % on, so that
/// Ie,eff stays continuous and rises with loss for every Bpl of 1 or more. NaN for NaN.
#[must_use]
pub fn valid_burst_r(burst_r: f64, ppl: f64) -> f64 {
    if ppl.is_nan() {
        return f64::NAN;
    }
    burst_r.clamp(1.0, (4.0 / ppl.clamp(0.0, 100.0)).clamp(2.0, 8.0))
}

/// The E-model's view of a codec: Ie and Bpl, on the scale on which they were determined or to which they were moved.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Equipment {
    scale: Scale,
    ie: f64,
    bpl: Option<f64>,
    /// The limit under loss: the ceiling of the original scale, moved together with `ie`.
    ceiling: f64,
}

impl Equipment {
    /// Ie and Bpl (percent; `None` if unpublished) on `scale`. `None` if Ie is not in 0 to [`Scale::max_ie_eff`] or Bpl
    /// is not a positive number.
    #[must_use]
    pub fn new(scale: Scale, ie: f64, bpl: Option<f64>) -> Option<Self> {
        let ie_fits = (0.0..=scale.max_ie_eff()).contains(&ie);
        let bpl_fits = bpl.is_none_or(|bpl| bpl > 0.0 && bpl.is_finite());
        (ie_fits && bpl_fits).then_some(Self { scale, ie, bpl, ceiling: scale.max_ie_eff() })
    }

    /// The same for constants, unchecked: a test checks their table.
    pub(crate) const fn of_table(scale: Scale, ie: f64, bpl: Option<f64>) -> Self {
        Self { scale, ie, bpl, ceiling: scale.max_ie_eff() }
    }

    /// The scale of [`ie`](Self::ie) and of the results.
    #[must_use]
    pub const fn scale(&self) -> Scale {
        self.scale
    }

    /// Ie, without loss.
    #[must_use]
    pub const fn ie(&self) -> f64 {
        self.ie
    }

    /// Bpl in percent; `None` if unpublished.
    #[must_use]
    pub const fn bpl(&self) -> Option<f64> {
        self.bpl
    }

    /// The limit of Ie,eff under random loss: [`Scale::max_ie_eff`] of the scale on which it was determined, plus the
    /// gain to this scale.
    #[must_use]
    pub const fn ceiling(&self) -> f64 {
        self.ceiling
    }

    /// Whether it was determined on `scale`, not moved there.
    pub(super) fn is_native_to(&self, scale: Scale) -> bool {
        self.scale == scale && self.ceiling == scale.max_ie_eff()
    }

    /// Sets another Bpl. `None` unless it is a positive number.
    #[must_use]
    pub fn with_bpl(self, bpl: f64) -> Option<Self> {
        (bpl > 0.0 && bpl.is_finite()).then_some(Self { bpl: Some(bpl), ..self })
    }

    /// Moves it to a wider scale: loss still follows the formula of the scale on which Bpl was determined, and the
    /// result is shifted. `None` for a narrower one.
    #[must_use]
    pub fn onto(self, wider: Scale) -> Option<Self> {
        let gain = self.scale.ie_gain(wider)?;
        Some(Self { scale: wider, ie: self.ie + gain, ceiling: self.ceiling + gain, ..self })
    }

    /// Ie,eff on [`scale`](Self::scale) under `loss` (missing packets at the output of the jitter buffer, discarded
    /// ones included) with burst ratio `burst_r`. See [`ie_eff`].
    ///
    /// `None` for loss without a Bpl, or if `burst_r` is NaN.
    ///
    /// ```
    /// use callgauge::emodel::{Equipment, Scale};
    /// use callgauge::unit::Ratio;
    /// let g711_plc = Equipment::new(Scale::Narrowband, 0.0, Some(25.1)).unwrap();
    /// let five_percent = Ratio::new(0.05).unwrap();
    /// assert_eq!(format!("{:.6}", g711_plc.ie_eff(five_percent, 1.0).unwrap()), "15.780731");
    /// let unknown_bpl = Equipment::new(Scale::Wideband, 13.0, None).unwrap();
    /// assert_eq!(unknown_bpl.ie_eff(five_percent, 1.0), None);
    /// assert_eq!(unknown_bpl.ie_eff(Ratio::MIN, 1.0), Some(13.0));
    /// ```
    #[must_use]
    pub fn ie_eff(&self, loss: Ratio, burst_r: f64) -> Option<f64> {
        if burst_r.is_nan() {
            return None;
        }
        if loss == Ratio::MIN {
            return Some(self.ie);
        }
        Some(ie_eff(self.ie, self.bpl?, loss.as_f64() * 100.0, burst_r, self.ceiling))
    }

    /// Interpolates at `share` (0 to 1) between `self` and `other`, which is on the same scale, with `bpl`.
    pub(crate) fn between(self, other: Self, share: f64, bpl: Option<f64>) -> Self {
        let ie = self.ie + (other.ie - self.ie) * share;
        let ceiling = self.ceiling + (other.ceiling - self.ceiling) * share;
        Self { ie, ceiling, bpl, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_equipment() -> impl Strategy<Value = Equipment> {
        (proptest::sample::select(&Scale::ALL[..]), 0.0..95.0_f64, 1.0..40.0_f64)
            .prop_map(|(scale, ie, bpl)| Equipment::new(scale, ie, Some(bpl)).unwrap())
    }

    fn of_percent(ppl: f64) -> Ratio {
        Ratio::new(ppl / 100.0).unwrap()
    }

    proptest! {
        #[test]
        fn more_loss_or_denser_loss_never_impairs_less(
            equipment in any_equipment(), a in 0.0..=100.0_f64, b in 0.0..=100.0_f64, s in 1.0..8.0_f64, t in 1.0..8.0_f64,
        ) {
            let at = |ppl, burst_r| equipment.ie_eff(of_percent(ppl), burst_r).unwrap();
            prop_assert!(at(a.min(b), s) <= at(a.max(b), s) + 1e-9);
            prop_assert!(at(a, s.min(t)) <= at(a, s.max(t)) + 1e-9);
            prop_assert!(at(a, s) >= equipment.ie() - 1e-12);
            // Random loss ends below the ceiling.
            prop_assert!(at(a, 1.0) <= equipment.ceiling());
        }

        #[test]
        fn a_worse_codec_never_impairs_less_below_the_ceiling(
            a in 0.0..95.0_f64, b in 0.0..95.0_f64, ppl in 0.0..=20.0_f64, bpl in 4.3..40.0_f64, burst_r in 1.0..8.0_f64,
        ) {
            let burst_r = valid_burst_r(burst_r, ppl);
            prop_assume!(ppl <= ppl / burst_r + bpl);
            let at = |ie| ie_eff(ie, bpl, ppl, burst_r, 95.0);
            prop_assert!(at(a.min(b)) <= at(a.max(b)) + 1e-9);
        }

        #[test]
        fn a_small_step_of_loss_is_a_small_step_of_impairment(
            ie in 0.0..95.0_f64, bpl in 1.0..40.0_f64, ppl in prop_oneof![0.0..4.0_f64, 1.9..2.0_f64, 0.0..99.0_f64],
            step in 0.0..0.1_f64, burst_r in 1.0..8.0_f64,
        ) {
            let at = |ppl| ie_eff(ie, bpl, ppl, valid_burst_r(burst_r, ppl), 95.0);
            let jump = at(ppl + step) - at(ppl);
            // The slope is steepest without loss: (95 − Ie) / Bpl per percent.
            prop_assert!((-1e-9..=95.0 / bpl * step + 1e-9).contains(&jump), "{jump}");
        }

        #[test]
        fn moving_to_a_scale_commutes_with_computing_ie_eff(
            equipment in any_equipment(), ppl in 0.0..=100.0_f64,
        ) {
            let native = equipment.ie_eff(of_percent(ppl), 1.5).unwrap();
            let mut compared = 0;
            for wider in Scale::ALL {
                if let Some(gain) = equipment.scale().ie_gain(wider) {
                    let moved = equipment.onto(wider).unwrap().ie_eff(of_percent(ppl), 1.5).unwrap();
                    prop_assert!((moved - native - gain).abs() < 1e-9);
                    compared += 1;
                }
            }
            prop_assert!(compared > 0);
        }

        #[test]
        fn a_burst_ratio_from_any_counts_is_none_or_at_least_one(
            lost in any::<u64>(), bursts in any::<u64>(), total in any::<u64>(), small in 0_u64..50,
        ) {
            for (lost, bursts, total) in [(lost, bursts, total), (small, small / 3, small * 7)] {
                prop_assert!(burst_r(lost, bursts, total).is_none_or(|r| r >= 1.0 && r.is_finite()));
            }
        }
    }

    #[test]
    fn invalid_equipment_is_none() {
        for (ie, bpl) in [(-1.0, None), (f64::NAN, None), (96.0, None), (0.0, Some(0.0)), (0.0, Some(f64::NAN))] {
            assert_eq!(Equipment::new(Scale::Narrowband, ie, bpl), None);
        }
        let codec = Equipment::new(Scale::Fullband, 10.0, Some(10.0)).unwrap();
        assert_eq!(codec.onto(Scale::Wideband), None);
        assert_eq!(codec.ie_eff(Ratio::MIN, f64::NAN), None);
        assert!(ie_eff(0.0, 0.0, 0.0, 1.0, 95.0).is_nan());
        assert_eq!(ie_eff(120.0, 10.0, 50.0, 1.0, 95.0), 120.0, "loss must not improve what is beyond the ceiling");
    }

    #[test]
    fn known_loss_has_the_burst_ratio_of_its_chain() {
        // Random loss of 10 %: bursts of 1 / (1 − 0.1) on average.
        assert!((burst_r(900, 810, 9_000).unwrap() - 1.0).abs() < 1e-12);
        // 1 000 packets, 20 lost in 10 bursts.
        assert!((burst_r(20, 10, 1_000).unwrap() - 1.96).abs() < 1e-12);
        let (p, q) = (Ratio::new(0.01).unwrap(), Ratio::new(0.49).unwrap());
        assert_eq!(burst_r_of_gilbert(p, q), Some(2.0));
        assert_eq!(burst_r_of_gilbert(p, Ratio::MIN), None);
    }
}
