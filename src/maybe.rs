//! A number that may be unknown, in the memory of a number: streams hold dozens of them. It knows no units.

/// [`Option<f64>`] in eight bytes. Every number, NaN included, comes back to the bit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Maybe(u64);

impl Maybe {
    /// Unknown. These bits are a NaN that no operation gives.
    pub(crate) const NONE: Self = Self(u64::MAX);

    pub(crate) const fn new(value: Option<f64>) -> Self {
        match value {
            Some(value) => Self(value.to_bits()),
            None => Self::NONE,
        }
    }

    pub(crate) const fn get(self) -> Option<f64> {
        if self.0 == u64::MAX { None } else { Some(f64::from_bits(self.0)) }
    }

    /// Adds to a sum, which exists from the first value on.
    pub(crate) fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            *self = Self::new(Some(self.get().unwrap_or(0.0) + value));
        }
    }
}

impl Default for Maybe {
    fn default() -> Self {
        Self::NONE
    }
}

impl core::fmt::Debug for Maybe {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.get().fmt(f)
    }
}

/// Serialized, it is an option.
#[cfg(feature = "serde")]
impl serde::Serialize for Maybe {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Maybe {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_to_the_bit_and_unknown_stays_unknown() {
        for value in [0.0, -0.0, 1.5, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -f64::NAN] {
            assert_eq!(Maybe::new(Some(value)).get().map(f64::to_bits), Some(value.to_bits()));
        }
        let mut sum = Maybe::default();
        sum.add(None);
        assert_eq!((sum, sum.get(), size_of::<Maybe>()), (Maybe::NONE, None, 8));
        sum.add(Some(2.0));
        sum.add(Some(3.0));
        assert_eq!(sum.get(), Some(5.0));
    }
}
