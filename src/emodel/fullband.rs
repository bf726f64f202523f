//! ITU-T G.107.2, the fullband E-model: `R = Ro,FB − Is,FB − Id,FB − Ie,eff,FB` with Ro,FB = 148 and Is,FB = 0.
//!
//! It does not include echo: Id,FB is the absolute delay alone, 1.48 Idd. The edition of 03/2023 computes Ro,FB from
//! noise; that is not modelled, and Ro,FB here is the constant on which the codec tables are based.

use super::{Equipment, Rating, Scale, delay, equipment};

parameters! {
    /// The parameters of G.107.2, each with its default.
    ///
    /// ```
    /// use callgauge::emodel::fullband::Parameters;
    /// let opus = Parameters::new().with_ie(17.0).with_bpl(10.4).with_ppl(5.0).evaluate().unwrap();
    /// assert_eq!(format!("{:.2}", opus.rating.mos()), "3.27");
    /// ```
    Parameters {
        /// Ta, absolute one-way delay from mouth to ear, ms.
        ta_ms with_ta_ms "Ta" = 0.0 in 0.0, 500.0;
        /// Ie,FB, equipment impairment factor of the codec on this scale (see [`crate::emodel::codec`]).
        ie with_ie "Ie" = 0.0 in 0.0, 132.0;
        /// Bpl,FB, packet-loss robustness factor of the codec, percent.
        bpl with_bpl "Bpl" = 4.3 in 4.3, 40.0;
        /// Ppl, packet-loss probability, **percent**: lost and discarded packets alike.
        ppl with_ppl "Ppl" = 0.0 in 0.0, 20.0;
        /// BurstR, mean length of a loss burst relative to random loss, as in G.107.
        burst_r with_burst_r "BurstR" = 1.0 in 1.0, 8.0;
    }
}

/// R and all its terms, on the fullband scale.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Breakdown {
    /// Ro,FB = 148.
    pub ro: f64,
    /// Is,FB = 0.
    pub is: f64,
    /// Id,FB = Idd,FB, absolute delay: 1.48 Idd.
    pub id: f64,
    /// Ie,eff,FB, codec and loss.
    pub ie_eff: f64,
    /// R before clamping: may be negative.
    pub r: f64,
    /// R clamped to its scale, with the opinions derived from it.
    pub rating: Rating,
}

impl Parameters {
    /// Sets Ie and Bpl of `equipment`. `None` unless it has a Bpl and was determined on this scale: for equipment moved
    /// here ([`Equipment::onto`]) loss follows another formula.
    #[must_use]
    pub fn with_equipment(self, equipment: &Equipment) -> Option<Self> {
        let bpl = equipment.bpl().filter(|_| equipment.is_native_to(Scale::Fullband))?;
        Some(self.with_ie(equipment.ie()).with_bpl(bpl))
    }

    /// Evaluates the whole model. `None` if a parameter is not finite, Ta is negative or Bpl is not positive.
    #[must_use]
    pub fn evaluate(&self) -> Option<Breakdown> {
        if !(self.all_finite() && self.ta_ms >= 0.0 && self.bpl > 0.0) {
            return None;
        }
        let scale = Scale::Fullband;
        let (ro, is) = (scale.default_r(), 0.0);
        let id = scale.stretch() * delay::idd(self.ta_ms, 1.0, 100.0);
        let ie_eff = equipment::ie_eff(self.ie, self.bpl, self.ppl, self.burst_r, scale.max_ie_eff());
        let r = ro - is - id - ie_eff;
        let rating = Rating::new(Scale::Fullband, r).filter(|_| r.is_finite())?;
        Some(Breakdown { ro, is, id, ie_eff, r, rating })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opus_at_31_kbit_s_under_concealment() {
        // Ie 17, Bpl 10.4: computed independently of this code, to two digits.
        let expected = [
            (0.0, 4.30),
            (1.0, 4.09),
            (2.0, 3.86),
            (3.0, 3.65),
            (5.0, 3.27),
            (8.0, 2.82),
            (10.0, 2.60),
            (15.0, 2.19),
            (20.0, 1.94),
            (30.0, 1.64),
        ];
        for (ppl, mos) in expected {
            let rating = Parameters::new().with_ie(17.0).with_bpl(10.4).with_ppl(ppl).evaluate().unwrap().rating;
            assert!((rating.mos().as_f64() - mos).abs() < 0.0051, "{ppl} %: {}", rating.mos());
        }
    }

    #[test]
    fn invalid_parameters_have_no_rating() {
        let clean = Parameters::new();
        for bad in
            [clean.with_ie(f64::NAN), clean.with_bpl(-1.0), clean.with_ta_ms(-0.1), clean.with_ppl(f64::INFINITY)]
        {
            assert_eq!(bad.evaluate(), None, "{bad:?}");
        }
    }

    #[test]
    fn equipment_sets_both_numbers_or_none() {
        let opus = Equipment::new(Scale::Fullband, 17.0, Some(10.4)).unwrap();
        assert_eq!(Parameters::new().with_equipment(&opus), Some(Parameters::new().with_ie(17.0).with_bpl(10.4)));
        let unknown_bpl = Equipment::new(Scale::Fullband, 17.0, None).unwrap();
        assert_eq!(Parameters::new().with_equipment(&unknown_bpl), None);
        let moved = Equipment::new(Scale::Wideband, 13.0, Some(4.3)).unwrap().onto(Scale::Fullband).unwrap();
        assert_eq!(Parameters::new().with_equipment(&moved), None);
    }
}
