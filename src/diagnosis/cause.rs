//! Decides which diagnosis may be the cause of another one, so that a summary reports a problem once. It does not sort
//! or link the diagnoses of a summary.

use super::Kind;
use super::detectors::facts_of;

/// The time of a diagnosis on the reporter's clock, ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reach {
    pub(crate) from_ms: f64,
    pub(crate) to_ms: f64,
}

/// How much earlier than its cause an effect may be raised, ms: detectors react at different speeds.
const EARLY_MS: f64 = 5_000.0;
/// How long the effects of a cause last, ms: a key frame is encoded, a buffer drains.
const AFTERMATH_MS: f64 = 15_000.0;
/// Minimum overlap of an effect with its cause, as a fraction of the effect.
const MOSTLY: f64 = 0.5;
/// Minimum fraction of the other end's diagnosis that the leading one covers.
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

    /// Whether it mostly overlaps with the other.
    pub(crate) fn meets(self, other: Self) -> bool {
        self.shared_ms(other) >= self.length_ms().min(other.length_ms()) * MOSTLY
    }

    /// Whether it begins with the cause or soon after, and does not outlast it by much. `sample_ms`: the time between
    /// samples.
    pub(crate) fn follows(self, cause: Self, sample_ms: f64) -> bool {
        let reach = Self { from_ms: cause.from_ms - EARLY_MS - sample_ms, to_ms: cause.to_ms + AFTERMATH_MS };
        let begins = (reach.from_ms..=reach.to_ms).contains(&self.from_ms);
        begins && self.shared_ms(reach) >= self.length_ms() * MOSTLY
    }
}

/// Jitter that begins this long before congestion makes congestion control back off, ms; a full queue raises both at
/// once.
const LONG_BEFORE_MS: f64 = 10_000.0;

impl Reach {
    /// Whether jitter in this time is the cause of `congestion`.
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
    fn causes_of_kinds_have_no_cycle() {
        for &kind in Kind::ALL {
            // Depth first; a cycle would never end.
            let mut open = alloc::vec![(kind, 0)];
            while let Some((at, depth)) = open.pop() {
                assert!(depth < Kind::COUNT, "{kind:?}");
                open.extend(causes_of(at).iter().filter(|&&cause| cause != at).map(|&cause| (cause, depth + 1)));
            }
        }
    }
}
