//! The E-model family: ITU-T G.107 (narrowband), G.107.1 (wideband) and G.107.2 (fullband). It knows nothing of streams
//! or samples.
//!
//! Each models a call as a sum of impairments, `R = Ro − Is − Id − Ie,eff + A`, on its own scale, and maps R to a mean
//! opinion score. The modules contain the models as plain functions under the Recommendations' own symbols, and as
//! [`narrowband::Parameters`], [`wideband::Parameters`] and [`fullband::Parameters`], whose `evaluate` returns every
//! intermediate result. [`rate`] is the short form for a call without echo and with default levels.
//!
//! | symbol | meaning | where |
//! |---|---|---|
//! | `R` | transmission rating | [`Rating`], `Breakdown::r` |
//! | `Ro`, `No` | signal-to-noise ratio, and the noise in it | [`narrowband::ro`], [`narrowband::no`] |
//! | `Is` | impairments simultaneous with the voice: loudness, side tone, quantizing | [`narrowband::iolr`], [`narrowband::ist`], [`narrowband::iq`] |
//! | `Id` | delay: talker echo `Idte`, listener echo `Idle`, absolute delay `Idd` | [`delay`] |
//! | `Ie,eff` | equipment: codec `Ie`, loss `Ppl`, robustness `Bpl`, burstiness `BurstR` | [`equipment`] |
//! | `A` | advantage of access; 0 in a measurement | `Parameters::with_a` |
//! | MOS, %GoB, %PoW | opinions derived from R | [`scale`] |
//!
//! All transcendental functions are `libm`'s, so a score has the same bits on every target.
//!
//! # Sources
//! G.107 (06/2015), G.107.1 (06/2019), G.107.2 with Ro = 148, as several open projects implement and test them; the
//! terms agree with theirs to 1e-6 over a grid (`tests/oracles/emodel_vectors.rs`). The noise terms of G.107.2
//! (03/2023) and the echo reference of G.107.1 Corrigendum 1 (01/2020) are not modelled, because their text was not
//! available. The permitted ranges of Ta, Ppl, BurstR and A are from those sources; the others are the ones commonly
//! given for Table 3 of G.107. Ranges are not enforced: they only decide what [`narrowband::Parameters::outside_range`]
//! lists.

/// Declares the parameters of a model as its table of defaults does: symbol, default and permitted range.
macro_rules! parameters {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident $with:ident $symbol:literal = $default:literal in $low:literal, $high:literal;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            $($field: f64,)*
        }

        impl $name {
            /// All parameters at their defaults.
            #[must_use]
            pub const fn new() -> Self {
                Self { $($field: $default,)* }
            }

            $(
                $(#[$field_doc])*
                #[doc = concat!("\n\nDefault ", $default, ", permitted ", $low, " to ", $high, ".")]
                #[must_use]
                pub const fn $with(mut self, $field: f64) -> Self {
                    self.$field = $field;
                    self
                }

                #[doc = concat!("The value of ", $symbol, " in force.")]
                #[must_use]
                pub const fn $field(&self) -> f64 {
                    self.$field
                }
            )*

            /// The symbols of the parameters outside the range that the Recommendation permits, in the order of its
            /// table. The formulas still give a value there, but it is not validated.
            pub fn outside_range(&self) -> impl Iterator<Item = &'static str> + use<> {
                let all = [$(($symbol, ($low..=$high).contains(&self.$field)),)*];
                all.into_iter().filter(|(_, inside)| !inside).map(|(symbol, _)| symbol)
            }

            fn all_finite(&self) -> bool {
                [$(self.$field,)*].into_iter().all(f64::is_finite)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}

pub mod codec;
pub mod delay;
pub mod equipment;
pub mod fullband;
pub mod narrowband;
pub mod scale;
pub mod wideband;

pub use equipment::Equipment;
pub use scale::{Rating, Satisfaction, Scale};

/// R of a call at default levels without audible echo, from its equipment impairment and its delay:
/// `Ro − Is − Id − Ie,eff` with Id = the scale's multiple of Idd(Ta), read from a table ([`delay::idd_tabled`]).
///
/// - `ie_eff`: Ie,eff on `scale`, 0 for a perfect codec ([`Equipment::ie_eff`]).
/// - `ta_ms`: one-way mouth-to-ear delay in milliseconds; 0 for listening quality.
///
/// On the narrowband scale a clean call has the R = 93.2 of G.107's defaults, which include the listener echo of a
/// default telephone; on the others it has the scale's whole 129 or 148.
///
/// `None` if either number is negative or not finite.
///
/// ```
/// use callgauge::emodel::{Scale, rate};
/// let near = rate(Scale::Fullband, 16.8, 80.0).unwrap();
/// let far = rate(Scale::Fullband, 16.8, 400.0).unwrap();
/// assert!(near.mos().as_f64() > 4.2 && far.mos() < near.mos());
/// assert_eq!(rate(Scale::Fullband, f64::NAN, 80.0), None);
/// ```
#[must_use]
pub fn rate(scale: Scale, ie_eff: f64, ta_ms: f64) -> Option<Rating> {
    if !(ie_eff >= 0.0 && ie_eff.is_finite() && ta_ms >= 0.0 && ta_ms.is_finite()) {
        return None;
    }
    Rating::new(scale, scale.default_r() - scale.stretch() * delay::idd_tabled(ta_ms) - ie_eff)
}

/// Ten to the power of `level_db` / 10: a level in dB as a ratio of powers.
fn power(level_db: f64) -> f64 {
    libm::pow(10.0, level_db / 10.0)
}

/// A ratio of powers as a level in dB.
fn level_db(power: f64) -> f64 {
    10.0 * libm::log10(power)
}

/// `(1 + x^n)^(1/n)`, the soft maximum with which G.107 bends its curves.
fn soft_max_of_one(x: f64, n: f64) -> f64 {
    libm::pow(1.0 + libm::pow(x, n), 1.0 / n)
}
