//! ITU-T G.107.1, the wideband E-model: `R = Ro,WB − Is,WB − Id,WB − Ie,eff,WB + A` with Ro,WB = 129, Is,WB = 0, A = 0.
//! It does not include Corrigendum 1 (01/2020).

use super::{Equipment, Rating, Scale, delay, equipment, narrowband};

parameters! {
    /// The parameters of G.107.1, each with its default.
    ///
    /// The echo terms follow the text of 06/2019. Corrigendum 1 (01/2020) removed the noise No,WB from the echo
    /// reference Roe, which is not modelled: [`evaluate_without_echo`](Self::evaluate_without_echo) is right for every
    /// client that cancels echo, as WebRTC does, and does not depend on it.
    ///
    /// ```
    /// use callgauge::emodel::wideband::Parameters;
    /// let amr_wb_12_65 = Parameters::new().with_ie(20.0).with_bpl(4.3).with_ppl(2.0);
    /// let breakdown = amr_wb_12_65.evaluate_without_echo().unwrap();
    /// assert_eq!(format!("{:.4} {:.4}", breakdown.ie_eff, breakdown.rating.mos()), "43.8095 3.4062");
    /// ```
    Parameters {
        /// SLR, send loudness rating, dB; affects only the echo reference.
        slr with_slr "SLR" = 8.0 in 0.0, 18.0;
        /// RLR, receive loudness rating, dB; affects only the echo reference.
        rlr with_rlr "RLR" = 2.0 in -5.0, 14.0;
        /// STMR, side tone masking rating, dB; affects only the echo reference, through LSTR = STMR + Dr.
        stmr with_stmr "STMR" = 15.0 in 10.0, 20.0;
        /// Ds, D-value of the telephone at the sending side, dB.
        ds with_ds "Ds" = 3.0 in -3.0, 3.0;
        /// Dr, D-value of the telephone at the receiving side, dB.
        dr with_dr "Dr" = 3.0 in -3.0, 3.0;
        /// TELR, talker echo loudness rating, dB.
        telr with_telr "TELR" = 65.0 in 5.0, 65.0;
        /// WEPL, weighted echo path loss, dB.
        wepl with_wepl "WEPL" = 110.0 in 5.0, 110.0;
        /// T, mean one-way delay of the echo path, ms.
        t_ms with_t_ms "T" = 0.0 in 0.0, 500.0;
        /// Tr, round-trip delay of the four-wire loop, ms.
        tr_ms with_tr_ms "Tr" = 0.0 in 0.0, 1000.0;
        /// Ta, absolute one-way delay from mouth to ear without echo, ms.
        ta_ms with_ta_ms "Ta" = 0.0 in 0.0, 500.0;
        /// Ie,WB, equipment impairment factor of the codec on this scale (see [`crate::emodel::codec`]).
        ie with_ie "Ie" = 0.0 in 0.0, 95.0;
        /// Bpl,WB, packet-loss robustness factor of the codec, percent.
        bpl with_bpl "Bpl" = 4.3 in 4.3, 40.0;
        /// Ppl, packet-loss probability, **percent**: lost and discarded packets alike.
        ppl with_ppl "Ppl" = 0.0 in 0.0, 20.0;
        /// BurstR, mean length of a loss burst relative to random loss. The text covers random loss only; the term is
        /// that of G.107, and equals the text at 1.
        burst_r with_burst_r "BurstR" = 1.0 in 1.0, 8.0;
        /// Nc, circuit noise referred to the 0 dBr point, dBm0p.
        nc with_nc "Nc" = -70.0 in -80.0, -40.0;
        /// Nfor, noise floor at the receiving side, dBmp.
        nfor with_nfor "Nfor" = -96.0 in -96.0, -96.0;
        /// Ps, room noise at the sending side, dB(A).
        ps with_ps "Ps" = 35.0 in 35.0, 85.0;
        /// Pr, room noise at the receiving side, dB(A).
        pr with_pr "Pr" = 35.0 in 35.0, 85.0;
    }
}

/// R and all its terms, on the wideband scale.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Breakdown {
    /// Ro,WB = 129.
    pub ro: f64,
    /// Is,WB = 0.
    pub is: f64,
    /// Idte,WB, talker echo.
    pub idte: f64,
    /// Idle,WB, listener echo.
    pub idle: f64,
    /// Idd,WB, absolute delay: 1.29 Idd.
    pub idd: f64,
    /// Id,WB = Idte + Idle + Idd.
    pub id: f64,
    /// Ie,eff,WB, codec and loss.
    pub ie_eff: f64,
    /// R before clamping: may be negative.
    pub r: f64,
    /// R clamped to its scale, with the opinions derived from it.
    pub rating: Rating,
}

impl Parameters {
    /// Sets the one-way delay for all three of its effects, as is usual if no four-wire loop is known: Ta = T =
    /// `delay_ms`, Tr = 2 T.
    #[must_use]
    pub const fn with_delay_ms(self, delay_ms: f64) -> Self {
        self.with_ta_ms(delay_ms).with_t_ms(delay_ms).with_tr_ms(2.0 * delay_ms)
    }

    /// Sets Ie and Bpl of `equipment`. `None` unless it has a Bpl and was determined on this scale: for equipment moved
    /// here ([`Equipment::onto`]) loss follows another formula.
    #[must_use]
    pub fn with_equipment(self, equipment: &Equipment) -> Option<Self> {
        let bpl = equipment.bpl().filter(|_| equipment.is_native_to(Scale::Wideband))?;
        Some(self.with_ie(equipment.ie()).with_bpl(bpl))
    }

    /// Evaluates the whole model. `None` if a parameter is not finite, a delay is negative, Bpl is not positive, or the
    /// formulas leave the range of numbers.
    #[must_use]
    pub fn evaluate(&self) -> Option<Breakdown> {
        let no = narrowband::no(
            self.nc,
            narrowband::nos(self.ps, self.slr, self.ds, self.slr + self.rlr),
            narrowband::nor(self.rlr, self.pr, self.stmr + self.dr),
            narrowband::nfo(self.nfor, self.rlr),
        );
        let idte = delay::idte(roe(no, self.rlr), re(terv(self.telr, self.t_ms)), self.t_ms);
        self.sum(idte, delay::idle(Scale::Wideband.default_r(), self.wepl, self.tr_ms))
    }

    /// Evaluates the model for a call without echo: Idte = Idle = 0. `None` as for [`evaluate`](Self::evaluate).
    #[must_use]
    pub fn evaluate_without_echo(&self) -> Option<Breakdown> {
        self.sum(0.0, 0.0)
    }

    fn sum(&self, idte: f64, idle: f64) -> Option<Breakdown> {
        let delays_fit = [self.t_ms, self.tr_ms, self.ta_ms].into_iter().all(|ms| ms >= 0.0);
        if !(self.all_finite() && delays_fit && self.bpl > 0.0) {
            return None;
        }
        let scale = Scale::Wideband;
        let (ro, is) = (scale.default_r(), 0.0);
        let idd = scale.stretch() * delay::idd(self.ta_ms, 1.0, 100.0);
        let id = idte + idle + idd;
        let ie_eff = equipment::ie_eff(self.ie, self.bpl, self.ppl, self.burst_r, scale.max_ie_eff());
        let r = ro - is - id - ie_eff;
        let rating = Rating::new(Scale::Wideband, r).filter(|_| r.is_finite())?;
        Some(Breakdown { ro, is, idte, idle, idd, id, ie_eff, r, rating })
    }
}

/// TERV of G.107.1, dB: that of G.107 ([`delay::terv`]) plus K = 0.08 T + 10, at most 18 (from T = 100 ms on).
#[must_use]
pub fn terv(telr: f64, t_ms: f64) -> f64 {
    delay::terv(telr, t_ms) + if t_ms < 100.0 { 0.08 * t_ms + 10.0 } else { 18.0 }
}

/// Re of G.107.1: `80 + 3 (TERV − 14)`.
#[must_use]
pub fn re(terv: f64) -> f64 {
    80.0 + 3.0 * (terv - 14.0)
}

/// Roe of G.107.1 (06/2019), equation 7-6: `−1.5 (No,WB − RLR)`. Superseded by Corrigendum 1 (01/2020).
#[must_use]
pub fn roe(no: f64, rlr: f64) -> f64 {
    -1.5 * (no - rlr)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_clean_call_without_echo_has_the_whole_scale() {
        let clean = Parameters::new().evaluate_without_echo().unwrap();
        assert_eq!((clean.r, clean.rating.mos().as_f64()), (129.0, 4.5));
        assert_eq!(Parameters::new().outside_range().count(), 0);
    }

    #[test]
    fn equipment_of_another_scale_is_refused() {
        let g711 = Equipment::new(Scale::Narrowband, 0.0, Some(25.1)).unwrap();
        assert_eq!(Parameters::new().with_equipment(&g711), None);
        assert_eq!(Parameters::new().with_equipment(&g711.onto(Scale::Wideband).unwrap()), None);
        let amr = Equipment::new(Scale::Wideband, 20.0, Some(4.3)).unwrap();
        assert_eq!(Parameters::new().with_equipment(&amr), Some(Parameters::new().with_ie(20.0)));
    }

    proptest! {
        #[test]
        fn no_parameters_panic(bits in proptest::array::uniform8(any::<u64>())) {
            let [a, b, c, d, e, f, g, h] = bits.map(f64::from_bits);
            for parameters in [
                Parameters::new().with_slr(a).with_stmr(b).with_telr(c).with_ps(d).with_nc(e).with_t_ms(f),
                Parameters::new().with_ie(a).with_bpl(b).with_ppl(c).with_burst_r(d).with_ta_ms(e).with_tr_ms(f),
                Parameters::new().with_wepl(g).with_tr_ms(h),
            ] {
                for breakdown in [parameters.evaluate(), parameters.evaluate_without_echo()].into_iter().flatten() {
                    prop_assert!(breakdown.r.is_finite());
                }
            }
        }
    }
}
