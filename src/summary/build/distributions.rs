//! What can be pooled with other conferences: not figures, but what they are made of.

use super::scores;
use crate::conference::Conference;
use crate::digest::{Digest, LinearGrid, Stats};

/// Distributions over time of all streams of a conference, weighted by the time, in microseconds, for which each value
/// held. They merge with those of other conferences in any order and grouping to the same bytes.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Distributions {
    /// Round-trip times by RTCP, ms, of streams that say so.
    pub rtt_ms: Digest,
    /// Interarrival jitter, ms, as the receiver of each stream counts it.
    pub jitter_ms: Digest,
    /// Lost of expected packets, 0 to 1.
    pub loss_ratio: Digest,
    /// Bitrate of each stream, bit/s.
    pub bitrate_bps: Digest,
    /// Scores of sound and pictures on the scale of [`Rx`](crate::unit::Rx), 0 to 100: of streams that are received,
    /// unless none of the conference has one, else of those that are sent.
    pub rx: Digest<LinearGrid>,
}

impl Distributions {
    /// Adds everything that `other` holds.
    pub fn merge(&mut self, other: &Self) {
        self.rtt_ms.merge(&other.rtt_ms);
        self.jitter_ms.merge(&other.jitter_ms);
        self.loss_ratio.merge(&other.loss_ratio);
        self.bitrate_bps.merge(&other.bitrate_bps);
        self.rx.merge(&other.rx);
    }

    /// The mean opinion score, 1 to 4.5, over active time. Its mean is one of [`rx`](Self::rx); everything but `n` is
    /// `None` when nothing was scored.
    #[must_use]
    pub fn mos(&self) -> Stats {
        scores::mos_stats(&self.rx)
    }
}

impl Conference {
    /// The distributions of all streams so far, to be pooled with those of other conferences. Cost: linear in streams
    /// and in what their distributions hold; meant for the end of a call or a slow tick.
    #[must_use]
    pub fn distributions(&self) -> Distributions {
        let mut all = Distributions::default();
        let accounts = self
            .fabrics
            .iter()
            .flat_map(|fabric| fabric.streams.records().chain(fabric.parts.iter().map(|part| &part.record)));
        let scored = scores::scored_direction(accounts.clone());
        for record in accounts {
            let digests = &record.digests;
            all.rtt_ms.merge(&digests.rtt_ms);
            all.jitter_ms.merge(&digests.jitter_ms);
            all.loss_ratio.merge(&digests.loss_ratio);
            all.bitrate_bps.merge(&digests.bitrate_bps);
            if record.kind.is_some() && record.direction == scored {
                all.rx.merge(record.quality.scores().rx());
            }
        }
        all
    }
}
