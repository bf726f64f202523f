//! Distributions that can be merged across conferences. The module merges; it computes no figure except MOS.

use super::scores;
use crate::conference::Conference;
use crate::digest::{Digest, LinearGrid, Stats};

/// Distributions over time of all streams of a conference. Each value is weighted by its duration in microseconds. They
/// merge with those of other conferences in any order and grouping to the same bytes.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Distributions {
    /// Round-trip times by RTCP, ms, of the streams that report them.
    pub rtt_ms: Digest,
    /// Interarrival jitter, ms, as the receiver of each stream counts it.
    pub jitter_ms: Digest,
    /// Lost packets over expected packets, 0 to 1.
    pub loss_ratio: Digest,
    /// Bitrate of each stream, bit/s.
    pub bitrate_bps: Digest,
    /// Audio and video scores on the scale of [`Rx`](crate::unit::Rx), 0 to 100: of received streams, or of sent
    /// streams if no received stream of the conference has a score.
    pub rx: Digest<LinearGrid>,
}

impl Distributions {
    /// Adds the distributions of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.rtt_ms.merge(&other.rtt_ms);
        self.jitter_ms.merge(&other.jitter_ms);
        self.loss_ratio.merge(&other.loss_ratio);
        self.bitrate_bps.merge(&other.bitrate_bps);
        self.rx.merge(&other.rx);
    }

    /// The mean opinion score, 1 to 4.5, over active time. The mean is taken over [`rx`](Self::rx); all but `n` are
    /// `None` if nothing was scored.
    #[must_use]
    pub fn mos(&self) -> Stats {
        scores::mos_stats(&self.rx)
    }
}

impl Conference {
    /// The distributions of all streams so far, for merging with those of other conferences. Cost: linear in the number
    /// of streams and in the size of their distributions; meant for the end of a call or a slow tick.
    #[must_use]
    pub fn distributions(&self) -> Distributions {
        let mut all = Distributions::default();
        let records = self
            .fabrics
            .iter()
            .flat_map(|fabric| fabric.streams.records().chain(fabric.parts.iter().map(|part| &part.record)));
        let scored = scores::scored_direction(records.clone());
        for record in records {
            let digests = &record.digests;
            all.rtt_ms.merge(&digests.rtt_ms());
            all.jitter_ms.merge(&digests.jitter_ms());
            all.loss_ratio.merge(&digests.loss_ratio());
            all.bitrate_bps.merge(&digests.bitrate_bps());
            if record.kind.is_some() && record.direction == scored {
                all.rx.merge(record.quality.scores().rx());
            }
        }
        all
    }
}
