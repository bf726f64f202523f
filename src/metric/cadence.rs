//! How often stats are sampled, and which interval is a gap. It decides nothing about quality.

use crate::maybe::Maybe;

/// An interval is a gap if it is longer than this and more than twice the usual length.
const GAP_MS: f64 = 5_000.0;

/// The usual interval between samples of a connection.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Cadence(Maybe);

impl Cadence {
    /// Whether an interval is much longer than usual.
    pub(crate) fn is_gap(self, span_ms: f64) -> bool {
        span_ms > GAP_MS && self.0.get().is_some_and(|usual| span_ms > 2.0 * usual)
    }

    /// Takes an interval. A long interval is forgotten slowly, because sampling may be irregular.
    pub(crate) fn note(&mut self, span_ms: f64) {
        self.0 = Maybe::new(Some(self.0.get().map_or(span_ms, |usual| span_ms.max(usual / 2.0))));
    }
}
