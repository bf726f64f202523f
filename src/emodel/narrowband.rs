//! ITU-T G.107, the complete narrowband E-model: `R = Ro − Is − Id − Ie,eff + A`. Wider scales have their own modules.

use super::{Equipment, Rating, Scale, delay, equipment, level_db, power, soft_max_of_one};

parameters! {
    /// The parameters of G.107, each with its default from Table 3.
    ///
    /// Any value is accepted; if the formulas give no number, [`evaluate`](Self::evaluate) returns `None`.
    ///
    /// ```
    /// use callgauge::emodel::narrowband::Parameters;
    /// let clean = Parameters::new().evaluate().unwrap();
    /// assert_eq!(format!("{:.1}", clean.r), "93.2"); // clause 7.7
    /// let far = Parameters::new().with_bpl(25.1).with_ppl(1.0).with_delay_ms(250.0).evaluate().unwrap();
    /// assert!(far.idd > far.idte && far.rating.mos() < clean.rating.mos());
    /// ```
    Parameters {
        /// SLR, send loudness rating, dB.
        slr with_slr "SLR" = 8.0 in 0.0, 18.0;
        /// RLR, receive loudness rating, dB. OLR, the overall loudness rating, is SLR + RLR.
        rlr with_rlr "RLR" = 2.0 in -5.0, 14.0;
        /// STMR, side tone masking rating, dB. LSTR, the listener's, is STMR + Dr.
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
        /// sT, sensitivity to delay: 1 for conversing users, less for less sensitive ones.
        st with_st "sT" = 1.0 in 0.4, 1.0;
        /// mT, the largest imperceptible delay, ms.
        mt_ms with_mt_ms "mT" = 100.0 in 20.0, 150.0;
        /// qdu, number of quantization distortion units.
        qdu with_qdu "qdu" = 1.0 in 1.0, 14.0;
        /// Ie, equipment impairment factor of the codec on this scale (see [`crate::emodel::codec`]).
        ie with_ie "Ie" = 0.0 in 0.0, 40.0;
        /// Bpl, packet-loss robustness factor of the codec, percent.
        bpl with_bpl "Bpl" = 4.3 in 4.3, 40.0;
        /// Ppl, packet-loss probability, **percent**: lost and discarded packets alike.
        ppl with_ppl "Ppl" = 0.0 in 0.0, 20.0;
        /// BurstR, mean length of a loss burst relative to random loss; above 2 valid only for Ppl below 2 %.
        burst_r with_burst_r "BurstR" = 1.0 in 1.0, 8.0;
        /// Nc, circuit noise referred to the 0 dBr point, dBm0p.
        nc with_nc "Nc" = -70.0 in -80.0, -40.0;
        /// Nfor, noise floor at the receiving side, dBmp. Fixed in Table 3.
        nfor with_nfor "Nfor" = -64.0 in -64.0, -64.0;
        /// Ps, room noise at the sending side, dB(A).
        ps with_ps "Ps" = 35.0 in 35.0, 85.0;
        /// Pr, room noise at the receiving side, dB(A).
        pr with_pr "Pr" = 35.0 in 35.0, 85.0;
        /// A, advantage factor: 0 wirebound, 5 mobile in a building, 10 in a vehicle, 20 hard to reach. 0 in a
        /// measurement: it describes tolerance, not quality.
        a with_a "A" = 0.0 in 0.0, 20.0;
    }
}

/// R and all its terms, so that a score can be audited. All on the narrowband scale.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Breakdown {
    /// No, sum of all noise at the 0 dBr point, dBm0p.
    pub no: f64,
    /// Ro, basic signal-to-noise ratio.
    pub ro: f64,
    /// Iolr, impairment by a low overall loudness rating.
    pub iolr: f64,
    /// Ist, impairment by non-optimal side tone.
    pub ist: f64,
    /// Iq, quantizing distortion.
    pub iq: f64,
    /// Is = Iolr + Ist + Iq, impairments simultaneous with the voice.
    pub is: f64,
    /// Idte, or Idtes if STMR is above 20 dB: talker echo.
    pub idte: f64,
    /// Idle, listener echo.
    pub idle: f64,
    /// Idd, absolute delay.
    pub idd: f64,
    /// Id = Idte + Idle + Idd, impairments delayed after the voice.
    pub id: f64,
    /// Ie,eff, codec and loss.
    pub ie_eff: f64,
    /// A, advantage.
    pub a: f64,
    /// R = Ro − Is − Id − Ie,eff + A before clamping: may be negative or above 100.
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

    /// Sets Ie and Bpl of `equipment`. `None` unless it is on this scale and has a Bpl.
    #[must_use]
    pub fn with_equipment(self, equipment: &Equipment) -> Option<Self> {
        let bpl = equipment.bpl().filter(|_| equipment.scale() == Scale::Narrowband)?;
        Some(self.with_ie(equipment.ie()).with_bpl(bpl))
    }

    /// Evaluates the whole model. `None` if a parameter is not finite, a delay is negative, Bpl, qdu, sT or mT is not
    /// positive, or the formulas leave the range of numbers.
    #[must_use]
    pub fn evaluate(&self) -> Option<Breakdown> {
        let delays_fit = [self.t_ms, self.tr_ms, self.ta_ms].into_iter().all(|ms| ms >= 0.0);
        let divisors_fit = [self.bpl, self.qdu, self.st, self.mt_ms].into_iter().all(|x| x > 0.0);
        if !(self.all_finite() && delays_fit && divisors_fit) {
            return None;
        }

        let no = no(
            self.nc,
            nos(self.ps, self.slr, self.ds, self.slr + self.rlr),
            nor(self.rlr, self.pr, self.stmr + self.dr),
            nfo(self.nfor, self.rlr),
        );
        let ro = ro(self.slr, no);
        let iolr = iolr(self.slr + self.rlr, no, self.rlr);
        let ist = ist(stmro(self.stmr, self.t_ms, self.telr));
        let iq = iq(ro, self.qdu);
        let is = iolr + ist + iq;

        let idte = idte(self.stmr, ist, delay::terv(self.telr, self.t_ms), no, self.rlr, self.t_ms);
        let idle = delay::idle(ro, self.wepl, self.tr_ms);
        let idd = delay::idd(self.ta_ms, self.st, self.mt_ms);
        let id = idte + idle + idd;

        let ie_eff = equipment::ie_eff(self.ie, self.bpl, self.ppl, self.burst_r, Scale::Narrowband.max_ie_eff());
        let r = ro - is - id - ie_eff + self.a;
        let rating = Rating::new(Scale::Narrowband, r).filter(|_| r.is_finite())?;
        Some(Breakdown { no, ro, iolr, ist, iq, is, idte, idle, idd, id, ie_eff, a: self.a, r, rating })
    }
}

/// Nos, room noise at the sending side as circuit noise, dBm0p:
/// `Ps − SLR − Ds − 100 + 0.004 (Ps − OLR − Ds − 14)²` (clause 7.2).
#[must_use]
pub fn nos(ps: f64, slr: f64, ds: f64, olr: f64) -> f64 {
    let over = ps - olr - ds - 14.0;
    ps - slr - ds - 100.0 + 0.004 * over * over
}

/// Nor, room noise at the receiving side as circuit noise, dBm0p: `RLR − 121 + Pre + 0.008 (Pre − 35)²`, where the
/// effective room noise is `Pre = Pr + 10 log10(1 + 10^((10 − LSTR)/10))` (clause 7.2).
#[must_use]
pub fn nor(rlr: f64, pr: f64, lstr: f64) -> f64 {
    let pre = pr + level_db(1.0 + power(10.0 - lstr));
    rlr - 121.0 + pre + 0.008 * (pre - 35.0) * (pre - 35.0)
}

/// Nfo, noise floor at the 0 dBr point, dBm0p: `Nfor + RLR` (clause 7.2).
#[must_use]
pub fn nfo(nfor: f64, rlr: f64) -> f64 {
    nfor + rlr
}

/// No, the sum of the powers of all noise, dBm0p (clause 7.2).
#[must_use]
pub fn no(nc: f64, nos: f64, nor: f64, nfo: f64) -> f64 {
    level_db(power(nc) + power(nos) + power(nor) + power(nfo))
}

/// Ro, basic signal-to-noise ratio: `15 − 1.5 (SLR + No)` (clause 7.2).
#[must_use]
pub fn ro(slr: f64, no: f64) -> f64 {
    15.0 - 1.5 * (slr + no)
}

/// Iolr, impairment by a low OLR: `20 [(1 + (Xolr/8)^8)^(1/8) − Xolr/8]` with `Xolr = OLR + 0.2 (64 + No − RLR)`
/// (clause 7.3).
#[must_use]
pub fn iolr(olr: f64, no: f64, rlr: f64) -> f64 {
    let x = (olr + 0.2 * (64.0 + no - rlr)) / 8.0;
    20.0 * (soft_max_of_one(x, 8.0) - x)
}

/// STMRo, side tone combined with the echo, dB: `−10 log10(10^(−STMR/10) + e^(−T/4) 10^(−TELR/10))` (clause 7.3).
#[must_use]
pub fn stmro(stmr: f64, t_ms: f64, telr: f64) -> f64 {
    -level_db(power(-stmr) + libm::exp(-t_ms / 4.0) * power(-telr))
}

/// Ist, impairment by non-optimal side tone (clause 7.3):
/// `12 (1 + ((STMRo − 13)/6)^8)^(1/8) − 28 (1 + ((STMRo + 1)/19.4)^35)^(1/35) − 13 (1 + ((STMRo − 3)/33)^13)^(1/13) + 29`.
/// Slightly negative at the optimum.
#[must_use]
pub fn ist(stmro: f64) -> f64 {
    12.0 * soft_max_of_one((stmro - 13.0) / 6.0, 8.0)
        - 28.0 * soft_max_of_one((stmro + 1.0) / 19.4, 35.0)
        - 13.0 * soft_max_of_one((stmro - 3.0) / 33.0, 13.0)
        + 29.0
}

/// Iq, quantizing distortion (clause 7.3): `15 log10(1 + 10^Y + 10^Z)` with `Y = (Ro − 100)/15 + 46/8.4 − G/9`,
/// `Z = 46/30 − G/40`, `G = 1.07 + 0.258 Q + 0.0602 Q²`, `Q = 37 − 15 log10(qdu)`.
#[must_use]
pub fn iq(ro: f64, qdu: f64) -> f64 {
    let q = 37.0 - 15.0 * libm::log10(qdu);
    let g = 1.07 + 0.258 * q + 0.0602 * q * q;
    let y = (ro - 100.0) / 15.0 + 46.0 / 8.4 - g / 9.0;
    let z = 46.0 / 30.0 - g / 40.0;
    15.0 * libm::log10(1.0 + libm::pow(10.0, y) + libm::pow(10.0, z))
}

/// Talker echo including the effect of side tone (clause 7.4): [`delay::idte`] with `Roe = −1.5 (No − RLR)` and
/// `Re = 80 + 2.5 (TERV − 14)`. For STMR below 9 dB, TERVs = TERV + Ist/2 replaces TERV; for STMR above 20 dB, Idtes =
/// √(Idte² + Ist²) replaces Idte.
#[must_use]
pub fn idte(stmr: f64, ist: f64, terv: f64, no: f64, rlr: f64, t_ms: f64) -> f64 {
    let terv = if stmr < 9.0 { terv + ist / 2.0 } else { terv };
    let idte = delay::idte(-1.5 * (no - rlr), 80.0 + 2.5 * (terv - 14.0), t_ms);
    if stmr > 20.0 { libm::sqrt(idte * idte + ist * ist) } else { idte }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_rating_of_the_scale_is_that_of_the_defaults() {
        let clean = Parameters::new().evaluate().unwrap();
        assert!((clean.r - Scale::Narrowband.default_r()).abs() < 1e-12, "{:?}", clean.r);
        assert_eq!(Parameters::new().outside_range().count(), 0);
    }

    #[test]
    fn intermediate_results_at_the_defaults() {
        let clean = Parameters::new().evaluate().unwrap();
        for (name, value, expected) in [
            ("No", clean.no, -61.179_214),
            ("Ro", clean.ro, 94.768_822),
            ("Iolr", clean.iolr, 0.440_178),
            ("Ist", clean.ist, -0.000_715),
            ("Iq", clean.iq, 0.974_105),
            ("Is", clean.is, 1.413_568),
            ("Id", clean.id, 0.149_046),
        ] {
            assert!((value - expected).abs() < 1e-6, "{name}: {value}");
        }
    }

    #[test]
    fn side_tone_beyond_its_range_joins_the_echo() {
        let at = |stmr| Parameters::new().with_stmr(stmr).with_delay_ms(50.0).evaluate().unwrap();
        let plain = |stmr| delay::idte(-1.5 * (at(stmr).no - 2.0), 80.0 + 2.5 * (delay::terv(65.0, 50.0) - 14.0), 50.0);
        // From 9 to 20 dB side tone has no effect.
        assert!((at(15.0).idte - plain(15.0)).abs() < 1e-12);
        // Above 20 dB the two add as powers.
        assert!((at(25.0).idte - libm::hypot(plain(25.0), at(25.0).ist)).abs() < 1e-9);
        assert!(at(25.0).ist > 0.5);
        // Below 9 dB a loud side tone masks the echo.
        assert!(at(5.0).ist > 0.5 && at(5.0).idte < plain(5.0));
        assert_eq!(Parameters::new().with_stmr(25.0).outside_range().collect::<std::vec::Vec<_>>(), ["STMR"]);
    }

    #[test]
    fn invalid_parameters_have_no_rating() {
        let clean = Parameters::new();
        for bad in [
            clean.with_ppl(f64::NAN),
            clean.with_slr(f64::INFINITY),
            clean.with_bpl(0.0),
            clean.with_ta_ms(-1.0),
            clean.with_qdu(0.0),
            clean.with_mt_ms(0.0),
            clean.with_ps(1e300),
        ] {
            assert_eq!(bad.evaluate(), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_parameters_panic(bits in proptest::array::uniform8(any::<u64>())) {
            let [a, b, c, d, e, f, g, h] = bits.map(f64::from_bits);
            for parameters in [
                Parameters::new().with_slr(a).with_stmr(b).with_telr(c).with_ps(d).with_nc(e).with_qdu(f),
                Parameters::new().with_ie(a).with_bpl(b).with_ppl(c).with_burst_r(d).with_ta_ms(e).with_t_ms(f),
                Parameters::new().with_st(g).with_mt_ms(h).with_wepl(a).with_tr_ms(b).with_a(c).with_dr(d),
            ] {
                if let Some(breakdown) = parameters.evaluate() {
                    prop_assert!(breakdown.r.is_finite());
                    prop_assert!((1.0..=4.5).contains(&breakdown.rating.mos().as_f64()));
                }
            }
        }
    }
}
