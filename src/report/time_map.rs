//! Maps the times of one report to the time line of its connection. It does not decide the map: a fabric does.

use crate::unit::StatTime;

/// How the times of a report are read: in another unit, shifted, or not at all outside of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TimeMap {
    /// The unit of the report's times, as a power of ten of milliseconds.
    pub(crate) exponent: i8,
    /// The time line is ahead of the report's times by this, ms.
    pub(crate) shift_ms: f64,
    /// Times outside of this range, as reported, are no times.
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl TimeMap {
    /// Times as they are reported.
    pub(crate) const IDENTITY: Self = Self { exponent: 0, shift_ms: 0.0, low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// A time on the time line. `None` outside of the range.
    pub(crate) fn apply(&self, at: StatTime) -> Option<StatTime> {
        let reported = at.as_millis();
        if !(self.low..=self.high).contains(&reported) {
            return None;
        }
        if self.exponent == 0 && self.shift_ms == 0.0 {
            return Some(at);
        }
        StatTime::from_millis(self.line_ms(reported))
    }

    /// The same map for one time only, as reported.
    pub(crate) const fn only(self, reported: f64) -> Self {
        Self { low: reported, high: reported, ..self }
    }

    /// The same without the range, ms.
    pub(crate) fn line_ms(&self, reported: f64) -> f64 {
        scaled(reported, self.exponent) + self.shift_ms
    }
}

/// A number of the unit 10^`exponent` ms in ms. Divides by whole powers, which keeps whole numbers exact.
pub(crate) fn scaled(value: f64, exponent: i8) -> f64 {
    let power = |exponent: u8| (0..exponent).fold(1.0, |power, _| power * 10.0);
    let power_of_ten = power(exponent.unsigned_abs());
    if exponent < 0 { value / power_of_ten } else { value * power_of_ten }
}
