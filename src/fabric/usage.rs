//! Usage counted against the limits that all fabrics of a conference share. It refuses nothing by itself.

use crate::config::Limits;

/// Usage over all fabrics, cached so that an input need not count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Streams, their parts, and streams that the next sample will split.
    pub(crate) streams: usize,
    /// SSRCs that the application or a description names.
    pub(crate) ssrcs: usize,
}

impl Usage {
    /// Whether the limit admits `more` streams.
    pub(crate) const fn has_streams(self, more: usize, limits: Limits) -> bool {
        self.streams.saturating_add(more) <= limits.streams()
    }

    /// Whether the limit admits `more` named SSRCs.
    pub(crate) const fn has_ssrcs(self, more: usize, limits: Limits) -> bool {
        self.ssrcs.saturating_add(more) <= limits.ssrcs()
    }
}
