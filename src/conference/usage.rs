//! What fabrics have of what the limits give to all of them together.

#[cfg(feature = "serde")]
use super::fabric::Fabric;
use crate::config::Limits;

/// How much is taken. It follows from the fabrics, and is kept so that nobody has to count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// Streams, their parts, and those that become parts at their next look.
    pub(super) streams: usize,
    /// What is said of SSRCs.
    pub(super) ssrcs: usize,
}

impl Usage {
    /// What so many fabrics have, counted.
    #[cfg(feature = "serde")]
    pub(super) fn by<'a>(fabrics: impl IntoIterator<Item = &'a Fabric>) -> Self {
        fabrics.into_iter().map(Fabric::usage).fold(Self::default(), |all, one| Self {
            streams: all.streams.saturating_add(one.streams),
            ssrcs: all.ssrcs.saturating_add(one.ssrcs),
        })
    }

    /// Whether so many more streams may be.
    pub(super) const fn has_streams(self, more: usize, limits: Limits) -> bool {
        self.streams.saturating_add(more) <= limits.streams()
    }

    /// Whether so much more may be said of SSRCs.
    pub(super) const fn has_ssrcs(self, more: usize, limits: Limits) -> bool {
        self.ssrcs.saturating_add(more) <= limits.ssrcs()
    }
}
