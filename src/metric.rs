//! Turns differences of counters into figures: tables of derived metrics, and the [`Interval`] that they fill. It keeps
//! no sums over a call.
//!
//! Every figure is a row: counter, denominator, unit and name. One reset rule holds for all rows: a row is `None` for
//! an interval in which a counter was reset, a counter was missing at either end, or the denominator did not advance.

mod cadence;
pub mod counter;
pub mod derived;
mod interval;
mod packed;
#[cfg(feature = "serde")]
pub(crate) mod wire;

pub(crate) use cadence::Cadence;
pub use interval::{Interval, IntervalState, Metric, Unit};
pub(crate) use interval::{MAX_MS, is_thousandfold};
pub(crate) use packed::PackedInterval;

use crate::metric::counter::Delta;
use crate::report::{Entry, Num};

/// The formula of a figure from the difference of two samples of one stats entry.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Formula {
    /// `scale · Δx / Δt`, Δt in seconds. If an entry may have one of several counters, they are alternatives: the first
    /// present one counts.
    Rate(&'static [Num], f64),
    /// `8 · Δx / Δt`, rounded to whole bits per second, as webrtc-internals shows it.
    RoundedBits(Num),
    /// `scale · Δx / Δn`.
    Mean(Num, Num, f64),
    /// `scale · ΣΔparts / ΣΔwholes`. Missing whole counters count as zero if any is present; all parts must be present.
    Share(&'static [Num], &'static [Num]),
    /// `√(Δenergy / Δduration)`: the root mean square of a level.
    Rms(Num, Num),
    /// The standard deviation of a duration in milliseconds, from its sum, the sum of its squares, and their number:
    /// `1000 · √((Δsq − Δsum² / Δn) / Δn)`.
    Deviation(Num, Num, Num),
    /// `x − y − z`, current values.
    Backlog(Num, Num, Num),
    /// `scale · x`, a current value.
    Gauge(Num, f64),
}

impl Formula {
    /// The figure of `delta`. `None` if a denominator is not positive, a member is missing at either end, or a counter
    /// went back. Always finite.
    #[must_use]
    #[inline(always)] // a formula known at compile time is a few instructions
    pub fn of(self, delta: &Delta<'_>) -> Option<f64> {
        let value = match self {
            Self::Backlog(..) | Self::Gauge(..) => return self.of_moment(delta.entry()),
            Self::Rate(counters, scale) => {
                let grown = counters.iter().find_map(|&counter| delta.of(counter))?;
                // The order of operations is that of webrtc-internals, so that the last bits agree.
                over(grown * scale, delta.span_ms() / 1e3)?
            }
            Self::RoundedBits(counter) => {
                // JavaScript's Math.round: halves round up.
                libm::floor(bits_per_second(counter, delta)? + 0.5)
            }
            Self::Mean(sum, count, scale) => scale * over(delta.of(sum)?, delta.of(count)?)?,
            Self::Share(parts, wholes) => {
                let part = parts.iter().try_fold(0.0, |sum, &part| Some(sum + delta.of(part)?))?;
                over(part, sum_of_present(wholes, delta)?)?
            }
            Self::Rms(energy, duration) => {
                let square = over(delta.of(energy)?, delta.of(duration)?)?;
                libm::sqrt(square)
            }
            Self::Deviation(squares, sum, count) => {
                let (squares, sum, count) = (delta.of(squares)?, delta.of(sum)?, delta.of(count)?);
                // A variance near zero may become negative by rounding: its root is not finite, and the figure is
                // `None`.
                1e3 * libm::sqrt(over(squares - over(sum * sum, count)?, count)?)
            }
        };
        value.is_finite().then_some(value)
    }

    /// The figure without rounding.
    pub(crate) fn unrounded(self, delta: &Delta<'_>) -> Option<f64> {
        match self {
            Self::RoundedBits(counter) => bits_per_second(counter, delta),
            _ => self.of(delta),
        }
    }

    /// The figure of one sample: `None` for all formulas except those of current values.
    #[must_use]
    pub fn of_moment(self, entry: Entry<'_>) -> Option<f64> {
        match self {
            Self::Backlog(x, y, z) => Some(entry.get(x)? - entry.get(y)? - entry.get(z)?),
            Self::Gauge(field, scale) => Some(scale * entry.get(field)?),
            _ => None,
        }
        .filter(|value| value.is_finite())
    }
}

/// `8 · Δx / Δt`.
fn bits_per_second(counter: Num, delta: &Delta<'_>) -> Option<f64> {
    over(delta.of(counter)? * 8.0, delta.span_ms() / 1e3)
}

/// A quotient with a positive denominator.
fn over(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// The sum of the known differences; `None` if none is known.
fn sum_of_present(counters: &[Num], delta: &Delta<'_>) -> Option<f64> {
    counters.iter().filter_map(|&counter| delta.of(counter)).fold(None, |sum, grown| Some(sum.unwrap_or(0.0) + grown))
}
