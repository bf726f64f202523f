//! The times of a stream without a known rate, for rates that several streams have together. It knows no counters.

use alloc::vec::Vec;

/// Spans that are stored of a stream; time and bytes beyond count as measured in pooled rates.
const MAX_UNRATED: usize = 32;

/// The intervals without a known rate: gaps, resets, and those without bytes at either end.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct UnratedSpans {
    /// Their beginnings and ends, ms: the first [`MAX_UNRATED`], neighbours joined.
    spans: Vec<(f64, f64)>,
    /// The bytes of the stored ones, and of intervals of no length.
    bytes: f64,
}

impl UnratedSpans {
    /// Adds an interval by its end. One of no length, at a clock that stepped back, has only bytes.
    #[cold]
    pub(super) fn add(&mut self, end_ms: f64, span_ms: f64, bytes: f64) {
        if span_ms <= 0.0 || self.store(end_ms - span_ms, end_ms) {
            self.bytes += bytes;
        }
    }

    /// Stores a span. Returns whether there was room.
    fn store(&mut self, start_ms: f64, end_ms: f64) -> bool {
        if let Some(last) = self.spans.last_mut().filter(|last| start_ms <= last.1) {
            last.1 = end_ms;
            return true;
        }
        let has_room = self.spans.len() < MAX_UNRATED;
        if has_room {
            self.spans.push((start_ms, end_ms));
        }
        has_room
    }

    /// Moves all spans.
    pub(super) fn shift(&mut self, by_ms: f64) {
        for (start_ms, end_ms) in &mut self.spans {
            (*start_ms, *end_ms) = (*start_ms + by_ms, *end_ms + by_ms);
        }
    }

    /// The spans in between, from the start to the end of the stream. Some may be empty.
    pub(super) fn rest(&self, start_ms: f64, end_ms: f64) -> impl Iterator<Item = (f64, f64)> {
        let starts = core::iter::once(start_ms).chain(self.spans.iter().map(|&(_, end_ms)| end_ms));
        let ends = self.spans.iter().map(|&(start_ms, _)| start_ms).chain([end_ms]);
        starts.zip(ends)
    }

    pub(super) const fn bytes(&self) -> f64 {
        self.bytes
    }
}
