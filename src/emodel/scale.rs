//! The three scales of R, the meaning of R on each, and the conversion between them. It does not compute R.
//!
//! This is the only module that converts between scales. R itself is one ruler: a narrowband call that is R = 93.2 on
//! its own scale is R = 93.2 on the fullband scale too. The scales differ in the end of the ruler (100, 129, 148), and
//! so in the opinion for an R: people used to fullband speech rate the same narrowband call 3.25 instead of 4.41.
//! Equipment impairments count from the clean call of their scale, so on a wider scale they grow by the difference of
//! the clean calls: 35.8 = 129 − 93.2 from narrowband to wideband, 19 = 148 − 129 from wideband to fullband. There is
//! no conversion to a narrower scale: how a wideband codec sounds to people used to nothing better was not measured.

use crate::unit::{Mos, RFactor, Ratio};

/// The E-model of an R, an Ie or a MOS. A wider scale is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Scale {
    /// 300 to 3400 Hz, ITU-T G.107: R to 100, clean 93.2.
    Narrowband,
    /// 50 to 7000 Hz, ITU-T G.107.1: R to 129.
    Wideband,
    /// 20 to 20000 Hz, ITU-T G.107.2: R to 148. Super-wideband codecs use it.
    Fullband,
}

impl Scale {
    /// All scales, narrow to wide.
    pub const ALL: [Self; 3] = [Self::Narrowband, Self::Wideband, Self::Fullband];

    /// The largest R: 100, 129, 148.
    #[must_use]
    pub const fn max_r(self) -> f64 {
        match self {
            Self::Narrowband => 100.0,
            Self::Wideband => 129.0,
            Self::Fullband => 148.0,
        }
    }

    /// The length of the scale relative to narrowband, 1, 1.29 or 1.48: MOS follows from R / stretch (G.107.1 Annex A,
    /// G.107.2), and Idd counts as stretch · Idd.
    #[must_use]
    pub const fn stretch(self) -> f64 {
        match self {
            Self::Narrowband => 1.0,
            Self::Wideband => 1.29,
            Self::Fullband => 1.48,
        }
    }

    /// R of a call without impairments at the default levels, without echo: 93.206… (G.107 clause 7.7, which prints
    /// 93.2), 129, 148.
    #[must_use]
    pub const fn default_r(self) -> f64 {
        match self {
            Self::Narrowband => 93.206_207_723_275_71,
            Self::Wideband => 129.0,
            Self::Fullband => 148.0,
        }
    }

    /// The limit of Ie,eff under loss for a perfect codec: 95 in G.107 and G.107.1 (95 there too, not 129), 132 in
    /// G.107.2.
    #[must_use]
    pub const fn max_ie_eff(self) -> f64 {
        match self {
            Self::Narrowband | Self::Wideband => 95.0,
            Self::Fullband => 132.0,
        }
    }

    /// What an equipment impairment of this scale gains on `wider`: 35.8 to wideband, 19 more to fullband, 0 to the
    /// same scale. `None` to a narrower one.
    #[must_use]
    pub const fn ie_gain(self, wider: Self) -> Option<f64> {
        const NB_TO_WB: f64 = 35.8;
        const WB_TO_FB: f64 = 19.0;
        match (self, wider) {
            (Self::Narrowband, Self::Narrowband)
            | (Self::Wideband, Self::Wideband)
            | (Self::Fullband, Self::Fullband) => Some(0.0),
            (Self::Narrowband, Self::Wideband) => Some(NB_TO_WB),
            (Self::Wideband, Self::Fullband) => Some(WB_TO_FB),
            (Self::Narrowband, Self::Fullband) => Some(NB_TO_WB + WB_TO_FB),
            (Self::Wideband | Self::Fullband, Self::Narrowband) | (Self::Fullband, Self::Wideband) => None,
        }
    }
}

/// An R and its scale.
///
/// ```
/// use callgauge::emodel::{Rating, Satisfaction, Scale};
/// let clean_g711 = Rating::new(Scale::Narrowband, 93.2).unwrap();
/// assert_eq!(format!("{:.2}", clean_g711.mos()), "4.41");
/// assert_eq!(clean_g711.satisfaction(), Satisfaction::VerySatisfied);
///
/// let beside_fullband = clean_g711.onto(Scale::Fullband).unwrap();
/// assert_eq!(format!("{:.2}", beside_fullband.mos()), "3.25");
/// assert_eq!(beside_fullband.onto(Scale::Narrowband), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Rating {
    scale: Scale,
    r: RFactor,
}

impl Rating {
    /// `r` on `scale`, clamped to 0 to [`Scale::max_r`]. `None` for NaN.
    #[must_use]
    pub fn new(scale: Scale, r: f64) -> Option<Self> {
        Some(Self { scale, r: RFactor::clamped(r.clamp(0.0, scale.max_r()))? })
    }

    /// The R on `scale` for `mos` (G.107 Appendix I). `None` above 4.5, which no R reaches. For a MOS of 1, which all R
    /// up to 6.5 % of the scale have, the largest of them.
    #[must_use]
    pub fn from_mos(scale: Scale, mos: Mos) -> Option<Self> {
        Self::new(scale, r_from_mos(mos.as_f64())? * scale.stretch())
    }

    /// The scale.
    #[must_use]
    pub const fn scale(self) -> Scale {
        self.scale
    }

    /// R on this scale.
    #[must_use]
    pub const fn r(self) -> RFactor {
        self.r
    }

    /// Rx = R / stretch: R relative to its own scale, 0 to 100, from which every opinion follows.
    #[must_use]
    pub fn rx(self) -> f64 {
        self.r.as_f64() / self.scale.stretch()
    }

    /// The same call on a wider scale. `None` for a narrower one.
    #[must_use]
    pub fn onto(self, wider: Scale) -> Option<Self> {
        self.scale.ie_gain(wider).map(|_| Self { scale: wider, r: self.r })
    }

    /// The mean opinion score, 1 to 4.5.
    #[must_use]
    pub fn mos(self) -> Mos {
        Mos::clamped(mos(self.rx())).unwrap_or(Mos::MIN)
    }

    /// %GoB as a ratio: the part of users that would call it good or excellent.
    #[must_use]
    pub fn good_or_better(self) -> Ratio {
        Ratio::clamped(gob(self.rx()) / 100.0).unwrap_or(Ratio::MIN)
    }

    /// %PoW as a ratio: the part of users that would call it poor or bad.
    #[must_use]
    pub fn poor_or_worse(self) -> Ratio {
        Ratio::clamped(pow(self.rx()) / 100.0).unwrap_or(Ratio::MAX)
    }

    /// The band of ITU-T G.109. G.109 covers narrowband only; on wider scales Rx is used.
    #[must_use]
    pub fn satisfaction(self) -> Satisfaction {
        Satisfaction::of(self.rx())
    }
}

/// Bands of speech transmission quality, ITU-T G.109. A worse one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Satisfaction {
    /// R from 90.
    VerySatisfied,
    /// R from 80.
    Satisfied,
    /// R from 70.
    SomeDissatisfied,
    /// R from 60.
    ManyDissatisfied,
    /// R from 50.
    NearlyAllDissatisfied,
    /// R below 50.
    NotRecommended,
}

impl Satisfaction {
    /// The band of `r` on the narrowband scale; a limit belongs to the better band.
    fn of(r: f64) -> Self {
        match r {
            90.0.. => Self::VerySatisfied,
            80.0.. => Self::Satisfied,
            70.0.. => Self::SomeDissatisfied,
            60.0.. => Self::ManyDissatisfied,
            50.0.. => Self::NearlyAllDissatisfied,
            _ => Self::NotRecommended,
        }
    }
}

/// MOS of `r` on the narrowband scale (G.107 Annex B): 1 for R ≤ 0, 4.5 for R ≥ 100, between them
/// `1 + 0.035 R + R (R − 60) (100 − R) 7e-6`. For a wider scale pass Rx = R / stretch.
///
/// The cubic itself dips to 0.989 at R = 3.2; the result is at least 1 (up to R = 6.5), so that MOS never falls as R
/// rises. NaN for NaN.
#[must_use]
pub fn mos(r: f64) -> f64 {
    let r = r.clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

/// The R on the narrowband scale for a MOS from 1 to 4.5: the inverse of [`mos`] (G.107 Appendix I, valid for R from
/// 6.5 to 100). `None` outside 1 to 4.5 and for NaN.
#[must_use]
pub fn r_from_mos(mos: f64) -> Option<f64> {
    if !(1.0..=4.5).contains(&mos) {
        return None;
    }
    let discriminant = -903_522.0 + 1_113_960.0 * mos - 202_500.0 * mos * mos;
    let h = libm::atan2(15.0 * libm::sqrt(discriminant), 18_566.0 - 6_750.0 * mos) / 3.0;
    let r = 20.0 / 3.0 * (8.0 - libm::sqrt(226.0) * libm::cos(h + core::f64::consts::FRAC_PI_3));
    Some(r.clamp(6.5, 100.0))
}

/// %GoB, good or better, of `r` on the narrowband scale (G.107 Annex B): `100 Φ((R − 60) / 16)`, 0 to 100.
#[must_use]
pub fn gob(r: f64) -> f64 {
    100.0 * phi((r - 60.0) / 16.0)
}

/// %PoW, poor or worse, of `r` on the narrowband scale (G.107 Annex B): `100 Φ((45 − R) / 16)`, 0 to 100.
#[must_use]
pub fn pow(r: f64) -> f64 {
    100.0 * phi((45.0 - r) / 16.0)
}

/// Φ, the normal distribution function, by the complementary error function, which is accurate in the tail.
fn phi(x: f64) -> f64 {
    0.5 * libm::erfc(-x * core::f64::consts::FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_scale() -> impl Strategy<Value = Scale> {
        proptest::sample::select(&Scale::ALL[..])
    }

    proptest! {
        #[test]
        fn a_rating_is_bounded_for_any_r(scale in any_scale(), bits in any::<u64>()) {
            let r = f64::from_bits(bits);
            let rating = Rating::new(scale, r);
            prop_assert_eq!(rating.is_none(), r.is_nan());
            if let Some(rating) = rating {
                prop_assert!((0.0..=scale.max_r()).contains(&rating.r().as_f64()));
                prop_assert!((1.0..=4.5).contains(&rating.mos().as_f64()));
            }
        }

        #[test]
        fn opinion_never_falls_as_r_rises(scale in any_scale(), a in -10.0..160.0_f64, b in -10.0..160.0_f64) {
            let (low, high) = (Rating::new(scale, a.min(b)).unwrap(), Rating::new(scale, a.max(b)).unwrap());
            prop_assert!(low.mos() <= high.mos());
            prop_assert!(low.good_or_better() <= high.good_or_better());
            prop_assert!(low.poor_or_worse() >= high.poor_or_worse());
            prop_assert!(low.satisfaction() >= high.satisfaction());
            // The steepest point of the cubic is below 0.053 MOS per R.
            prop_assert!(high.mos().as_f64() - low.mos().as_f64() <= 0.053 * (a - b).abs() + 1e-12);
        }

        #[test]
        fn the_inverse_undoes_the_curve(scale in any_scale(), rx in 6.52..99.99_f64, mos in 1.0..=4.5_f64) {
            let rating = Rating::new(scale, rx * scale.stretch()).unwrap();
            let back = Rating::from_mos(scale, rating.mos()).unwrap();
            prop_assert!((back.r().as_f64() - rating.r().as_f64()).abs() < 1e-9, "{rating:?} {back:?}");

            let there = Rating::from_mos(scale, Mos::new(mos).unwrap()).unwrap();
            prop_assert!((there.mos().as_f64() - mos).abs() < 1e-9);
        }

        #[test]
        fn no_r_stands_for_a_mos_above_its_range(scale in any_scale(), mos in 4.500_001..=5.0_f64) {
            prop_assert_eq!(Rating::from_mos(scale, Mos::new(mos).unwrap()), None);
        }

        #[test]
        fn a_wider_scale_is_a_harder_judge(r in 0.0..100.0_f64) {
            let narrow = Rating::new(Scale::Narrowband, r).unwrap();
            let wide = narrow.onto(Scale::Wideband).unwrap();
            prop_assert!(wide.mos() <= narrow.mos());
            prop_assert!(wide.onto(Scale::Fullband).unwrap().mos() <= wide.mos());
            prop_assert_eq!(wide.onto(Scale::Narrowband), None);
        }
    }

    #[test]
    fn table_b_1_of_g_107() {
        // R, MOS, %GoB, %PoW as printed.
        let table = [
            (90.0, 4.34, 97.0, 0.2),
            (80.0, 4.03, 89.4, 1.4),
            (70.0, 3.60, 73.4, 5.9),
            (60.0, 3.10, 50.0, 17.4),
            (50.0, 2.58, 26.6, 37.7),
        ];
        for (r, printed_mos, printed_gob, printed_pow) in table {
            // The printed MOS are rounded up at 80 (4.024) and at 50 (2.575).
            assert!((mos(r) - printed_mos).abs() < 0.0061, "MOS at {r}: {}", mos(r));
            assert!((gob(r) - printed_gob).abs() < 0.06, "GoB at {r}: {}", gob(r));
            assert!((pow(r) - printed_pow).abs() < 0.06, "PoW at {r}: {}", pow(r));
        }
    }

    #[test]
    fn where_the_cubic_dips_mos_stays_at_one() {
        let mut before = 1.0;
        for hundredths in 0..=10_000 {
            let r = f64::from(hundredths) / 100.0;
            assert!(mos(r) >= before && (r > 6.5 || mos(r) == 1.0), "at {r}");
            before = mos(r);
        }
        assert_eq!(before, 4.5);
    }

    #[test]
    fn the_ends_of_the_inverse_are_the_ends_of_its_validity() {
        assert!((r_from_mos(1.0).unwrap() - 6.515).abs() < 0.001);
        assert!((r_from_mos(4.5).unwrap() - 100.0).abs() < 1e-6);
        assert_eq!(r_from_mos(0.999), None);
        assert_eq!(r_from_mos(f64::NAN), None);
    }

    #[test]
    fn the_gains_are_the_distances_of_the_clean_calls() {
        let rounded = |scale: Scale| libm::round(scale.default_r() * 10.0) / 10.0;
        let mut compared = 0;
        for from in Scale::ALL {
            for to in Scale::ALL {
                match from.ie_gain(to) {
                    Some(gain) => assert!((gain - (rounded(to) - rounded(from))).abs() < 1e-9),
                    None => assert!(to < from),
                }
                compared += 1;
            }
        }
        assert_eq!(compared, 9);
    }
}
