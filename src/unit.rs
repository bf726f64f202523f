//! Quantities as types: their range and their clock. The module derives no figures.
//!
//! No constructor here yields NaN, an infinity or a value outside the range that its type states; an invalid value is
//! `None`. Inside the engine, every existing value is therefore valid.

use core::cmp::Ordering;
use core::fmt;

use ordered_float::OrderedFloat;

/// An instant of the engine's clock, in microseconds since an epoch that the caller chooses.
///
/// Windows, timeouts and expiry use this clock. It is never subtracted from a [`StatTime`]: a report delayed by a slow
/// network has a correct bitrate on the reporter's clock and a true time of arrival on this one.
///
/// ```
/// use callgauge::unit::Timestamp;
/// let start = Timestamp::from_millis(1_000);
/// assert_eq!(Timestamp::from_millis(3_500).micros_since(start), 2_500_000);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Timestamp(u64);

impl Timestamp {
    /// `micros` microseconds after the caller's epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// `millis` milliseconds after the caller's epoch; saturates.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Microseconds after the caller's epoch.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Microseconds since `earlier`; 0 if `earlier` is not earlier.
    #[must_use]
    pub const fn micros_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// An instant of the reporter's clock: the `timestamp` of one stats entry, in milliseconds.
///
/// The reporter's clock may jump, may be replayed and has its own epoch, so only the difference of two timestamps *of
/// the same entry* is meaningful. The value is stored as the `f64` that the browser wrote: derived rates then agree
/// with the browser's to the last bits.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct StatTime(f64);

/// The times that are taken for a wall clock, ms since 1970: the years 2001 to 2128. Smaller numbers are monotonic clocks,
/// or seconds ([`StatTime::from_unknown`]).
pub(crate) const WALL_MS: core::ops::Range<f64> = 1e12..5e12;

impl StatTime {
    /// The largest magnitude read as milliseconds; larger values are microseconds.
    pub(crate) const LARGEST_MS: f64 = 1e14;
    /// The range of seconds since 1970 (2001 to 2128), which some native clients send. The range is narrow because a
    /// monotonic clock in milliseconds passes through it too: on its 12th to 58th day.
    const SECONDS: core::ops::Range<f64> = 1e9..5e9;

    /// A time in milliseconds. `None` for NaN, infinities, negative values and values above 1e14 ms (the year 5138). A
    /// negative zero becomes zero.
    #[must_use]
    pub fn from_millis(ms: f64) -> Option<Self> {
        (0.0..=Self::LARGEST_MS).contains(&ms).then_some(Self(ms + 0.0))
    }

    /// A time whose unit is derived from its magnitude.
    ///
    /// | magnitude | read as | sent by |
    /// |---|---|---|
    /// | above 1e14 | microseconds | libwebrtc's `ToJson`, iOS, Android |
    /// | 1e9 to 5e9 | seconds since 1970 | C clients, some servers |
    /// | all others | milliseconds | the W3C API, including monotonic clocks |
    ///
    /// A monotonic clock in milliseconds is mistaken for seconds on its 12th to 58th day. A
    /// [`Conference`](crate::Conference) notices this by the caller's clock ([`mod@crate::fabric`], Clocks).
    #[must_use]
    pub fn from_unknown(value: f64) -> Option<Self> {
        if value > Self::LARGEST_MS {
            Self::from_millis(value / 1e3)
        } else if Self::SECONDS.contains(&value) {
            Self::from_millis(value * 1e3)
        } else {
            Self::from_millis(value)
        }
    }

    /// Milliseconds after the reporter's epoch.
    #[must_use]
    pub const fn as_millis(self) -> f64 {
        self.0
    }

    /// Milliseconds since `earlier`; negative if the clock stepped back.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> f64 {
        self.0 - earlier.0
    }
}

/// Implements reading for a type that does not accept every number.
macro_rules! total_order {
    ($name:ident) => {
        impl Eq for $name {}

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                OrderedFloat(self.0).cmp(&OrderedFloat(other.0))
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    };
}

/// Implements reading for a type that not every number is a value of.
macro_rules! deserialize_in_range {
    ($name:ident, $constructor:ident) => {
        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = f64::deserialize(deserializer)?;
                Self::$constructor(value)
                    .ok_or_else(|| serde::de::Error::custom(concat!("out of the range of ", stringify!($name))))
            }
        }
    };
}

deserialize_in_range!(StatTime, from_millis);
total_order!(StatTime);

/// Declares a quantity: an `f64` that is finite and lies in a stated range.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $low:expr, $high:expr, $as:ident, $as_doc:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
        pub struct $name(f64);

        impl $name {
            /// The smallest value.
            pub const MIN: Self = Self($low);
            /// The largest value.
            pub const MAX: Self = Self($high);

            /// `None` if `value` is NaN or outside the range.
            #[must_use]
            pub fn new(value: f64) -> Option<Self> {
                ($low..=$high).contains(&value).then_some(Self(value + 0.0))
            }

            /// The nearest value in the range; `None` only for NaN.
            #[must_use]
            pub fn clamped(value: f64) -> Option<Self> {
                (!value.is_nan()).then(|| Self(value.clamp($low, $high) + 0.0))
            }

            #[doc = $as_doc]
            #[must_use]
            pub const fn $as(self) -> f64 {
                self.0
            }
        }

        deserialize_in_range!($name, new);
        total_order!($name);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

quantity!(
    /// Bits per second, 0 to 1e12.
    Bitrate, 0.0, 1e12, as_bps, "Bits per second."
);
quantity!(
    /// A share of a whole, 0 to 1. There is no percent type: a percentage is a way to print a ratio.
    Ratio, 0.0, 1.0, as_f64, "The share, 0 to 1."
);
quantity!(
    /// The transmission rating R of the E-model (ITU-T G.107), on any of its scales: 0 to 148, the fullband maximum
    /// of ITU-T G.107.2. A narrowband R ends at 100, a wideband R at 129.
    RFactor, 0.0, 148.0, as_f64, "The rating, 0 to 148."
);
quantity!(
    /// Rx: R relative to the maximum of its own scale, 0 to 100 (ITU-T G.107.1 Annex A), from which every opinion score
    /// follows. Video is rated on it too.
    Rx, 0.0, 100.0, as_f64, "The rating, 0 to 100."
);
quantity!(
    /// A mean opinion score, 1 (bad) to 5 (excellent), as ITU-T P.800 defines the scale.
    Mos, 1.0, 5.0, as_f64, "The score, 1 to 5."
);

impl Bitrate {
    /// The rate of `bytes` over `millis` milliseconds. `None` unless the time is positive and the rate is in range.
    ///
    /// It takes bytes, so that a packet count cannot become a bitrate by mistake.
    #[must_use]
    pub fn from_bytes(bytes: f64, millis: f64) -> Option<Self> {
        if millis > 0.0 { Self::new(bytes * 8e3 / millis) } else { None }
    }
}

impl Ratio {
    /// `part` over `whole`. `None` if the whole is not positive, since an empty denominator has no ratio, or if the
    /// part is negative or larger than the whole.
    #[must_use]
    pub fn of(part: f64, whole: f64) -> Option<Self> {
        if whole > 0.0 { Self::new(part / whole) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_f64() -> impl Strategy<Value = f64> {
        prop_oneof![any::<f64>(), any::<u64>().prop_map(f64::from_bits), -10.0..200.0_f64]
    }

    proptest! {
        #[test]
        fn no_constructor_leaves_its_range(a in any_f64(), b in any_f64()) {
            let quantities = [
                (Bitrate::new(a).map(Bitrate::as_bps), 0.0, 1e12),
                (Bitrate::clamped(a).map(Bitrate::as_bps), 0.0, 1e12),
                (Bitrate::from_bytes(a, b).map(Bitrate::as_bps), 0.0, 1e12),
                (Ratio::new(a).map(Ratio::as_f64), 0.0, 1.0),
                (Ratio::clamped(a).map(Ratio::as_f64), 0.0, 1.0),
                (Ratio::of(a, b).map(Ratio::as_f64), 0.0, 1.0),
                (RFactor::new(a).map(RFactor::as_f64), 0.0, 148.0),
                (RFactor::clamped(a).map(RFactor::as_f64), 0.0, 148.0),
                (Rx::new(a).map(Rx::as_f64), 0.0, 100.0),
                (Rx::clamped(a).map(Rx::as_f64), 0.0, 100.0),
                (Mos::new(a).map(Mos::as_f64), 1.0, 5.0),
                (Mos::clamped(a).map(Mos::as_f64), 1.0, 5.0),
                (StatTime::from_millis(a).map(StatTime::as_millis), 0.0, 1e14),
                (StatTime::from_unknown(a).map(StatTime::as_millis), 0.0, 1e14),
            ];
            for (value, low, high) in quantities {
                if let Some(value) = value {
                    prop_assert!(value.is_finite() && (low..=high).contains(&value), "{value}");
                }
            }
        }

        #[test]
        fn constructors_accept_exactly_their_range(a in any_f64()) {
            prop_assert_eq!(Mos::new(a).is_some(), (1.0..=5.0).contains(&a));
            prop_assert_eq!(Ratio::new(a).is_some(), (0.0..=1.0).contains(&a));
            prop_assert_eq!(Ratio::clamped(a).is_none(), a.is_nan());
        }

        #[test]
        fn engine_time_never_runs_backwards(a in any::<u64>(), b in any::<u64>()) {
            let (a, b) = (Timestamp::from_micros(a), Timestamp::from_micros(b));
            prop_assert!(a.micros_since(b) == 0 || b.micros_since(a) == 0);
        }
    }

    #[test]
    fn one_instant_in_three_units_is_one_time() {
        // Edge case 6: native clients send µs, the W3C API ms, some C clients s.
        let ms = StatTime::from_unknown(1_795_341_192_696.0);
        assert_eq!(StatTime::from_unknown(1_795_341_192_696_000.0), ms);
        assert_eq!(StatTime::from_unknown(1_795_341_192.696), ms);
        // A monotonic clock remains as it is, whether seconds or a week old.
        for monotonic in [1_278.264, 7.0 * 86_400e3] {
            assert_eq!(StatTime::from_unknown(monotonic).map(StatTime::as_millis), Some(monotonic));
        }
    }
}
