//! What follows from what: the same trouble is not told three ways.

use super::Kind;
use super::detectors::facts_of;

/// A conclusion's span on the reporter's clock, ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reach {
    pub(crate) from_ms: f64,
    pub(crate) to_ms: f64,
}

/// Detectors need not notice in the order in which things happen; nor need looks tell in which they did.
const EARLY_MS: f64 = 5_000.0;
/// For this long what a cause did goes on: a picture is encoded anew, a buffer empties.
const AFTERMATH_MS: f64 = 15_000.0;
/// So much of it must lie within reach of the cause.
const MOSTLY: f64 = 0.5;
/// So much of the other end's account must be covered by one that leads.
const COVERED: f64 = 0.7;

impl Reach {
    pub(crate) fn length_ms(self) -> f64 {
        (self.to_ms - self.from_ms).max(0.0)
    }

    fn shared_ms(self, other: Self) -> f64 {
        (self.to_ms.min(other.to_ms) - self.from_ms.max(other.from_ms)).max(0.0)
    }

    /// Whether it covers most of the other.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.shared_ms(other) >= other.length_ms() * COVERED
    }

    /// Whether at the same time as the other, mostly.
    pub(crate) fn meets(self, other: Self) -> bool {
        self.shared_ms(other) >= self.length_ms().min(other.length_ms()) * MOSTLY
    }

    /// Whether it begins with the cause or soon after, and does not outlast it by much. `sample_ms` is how far looks are apart.
    pub(crate) fn follows(self, cause: Self, sample_ms: f64) -> bool {
        let reach = Self { from_ms: cause.from_ms - EARLY_MS - sample_ms, to_ms: cause.to_ms + AFTERMATH_MS };
        let begins = (reach.from_ms..=reach.to_ms).contains(&self.from_ms);
        begins && self.shared_ms(reach) >= self.length_ms() * MOSTLY
    }
}

/// Jitter that long before congestion is what congestion control backs away from; of a full queue both come at once.
const LONG_BEFORE_MS: f64 = 10_000.0;

impl Reach {
    /// Whether jitter in this time is what `congestion` comes from.
    pub(crate) fn is_jitter_behind(self, congestion: Self) -> bool {
        congestion.from_ms >= self.from_ms + LONG_BEFORE_MS && congestion.follows(self, 0.0)
    }
}

/// The kinds that may cause this kind, the deepest first.
pub(crate) const fn causes_of(kind: Kind) -> &'static [Kind] {
    facts_of(kind).causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_behind_itself() {
        for &kind in Kind::ALL {
            // Depth first; a circle would never end.
            let mut open = alloc::vec![(kind, 0)];
            while let Some((at, depth)) = open.pop() {
                assert!(depth < Kind::COUNT, "{kind:?}");
                open.extend(causes_of(at).iter().filter(|&&cause| cause != at).map(|&cause| (cause, depth + 1)));
            }
        }
    }
}
