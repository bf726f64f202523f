//! Sums of a stream over the call: traffic, playout, frames. They contain no averages.

use crate::id::Direction;
use crate::metric::counter::Delta;
use crate::report::Num;
use crate::unit::Ratio;

/// The sums. Each is `None` until both ends of an interval reported its counter.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Totals {
    pub(crate) packets: Option<f64>,
    pub(crate) lost: Option<f64>,
    pub(crate) bytes: Option<f64>,
    /// Packets sent that the remote endpoint's reports cover.
    pub(crate) reported_on: Option<f64>,
    pub(crate) retransmitted: Option<f64>,
    /// Samples played while the stream was measured; the fields below count the jitter buffer's changes to them.
    pub(crate) samples: Option<f64>,
    pub(crate) concealed: Option<f64>,
    pub(crate) silent_concealed: Option<f64>,
    pub(crate) concealments: Option<f64>,
    pub(crate) stretched: Option<f64>,
    pub(crate) fec_packets: Option<f64>,
    pub(crate) fec_discarded: Option<f64>,
    pub(crate) discarded: Option<f64>,
    pub(crate) frames: Option<f64>,
    pub(crate) frames_dropped: Option<f64>,
    pub(crate) key_frames: Option<f64>,
    pub(crate) freezes: Option<f64>,
    pub(crate) frozen_s: Option<f64>,
    pub(crate) nacks: Option<f64>,
    pub(crate) plis: Option<f64>,
    pub(crate) limited_s: [Option<f64>; 3],
}

impl Totals {
    /// Adds the counters of an interval in any state.
    pub(super) fn add(&mut self, delta: &Delta<'_>, direction: Direction) {
        use Num as N;
        let take = |total: &mut Option<f64>, fields: &[Num]| {
            add(total, fields.iter().find_map(|&field| delta.passed(field)));
        };
        take(&mut self.packets, &[N::PacketsReceived, N::PacketsSent]);
        take(&mut self.bytes, &[N::BytesReceived, N::BytesSent]);
        if direction == Direction::Inbound {
            take(&mut self.lost, &[N::PacketsLost]);
        }
        take(&mut self.retransmitted, &[N::RetransmittedPacketsReceived, N::RetransmittedPacketsSent]);
        take(&mut self.fec_packets, &[N::FecPacketsReceived]);
        take(&mut self.fec_discarded, &[N::FecPacketsDiscarded]);
        take(&mut self.discarded, &[N::PacketsDiscarded]);
        take(&mut self.frames, &[N::FramesDecoded, N::FramesSent, N::FramesEncoded]);
        take(&mut self.frames_dropped, &[N::FramesDropped]);
        take(&mut self.key_frames, &[N::KeyFramesDecoded, N::KeyFramesEncoded]);
        take(&mut self.freezes, &[N::FreezeCount]);
        take(&mut self.frozen_s, &[N::TotalFreezesDuration]);
        take(&mut self.nacks, &[N::NackCount]);
        take(&mut self.plis, &[N::PliCount]);
        let limits = [N::QualityLimitedCpu, N::QualityLimitedBandwidth, N::QualityLimitedOther];
        for (total, field) in self.limited_s.iter_mut().zip(limits) {
            take(total, &[field]);
        }
    }

    /// Adds the playout counters of a measured interval. Browsers conceal pauses and holds too, which says nothing
    /// about quality.
    pub(super) fn add_heard(&mut self, delta: &Delta<'_>) {
        use Num as N;
        for (total, field) in [
            (&mut self.samples, N::TotalSamplesReceived),
            (&mut self.concealed, N::ConcealedSamples),
            (&mut self.silent_concealed, N::SilentConcealedSamples),
            (&mut self.concealments, N::ConcealmentEvents),
        ] {
            add(total, delta.of(field));
        }
        for field in [N::InsertedSamplesForDeceleration, N::RemovedSamplesForAcceleration] {
            add(&mut self.stretched, delta.of(field));
        }
    }

    /// Lost packets over expected packets in the call, 0 to 1.
    pub(crate) fn loss_ratio(&self, direction: Direction) -> Option<Ratio> {
        self.loss(direction).and_then(|(lost, expected)| Ratio::of(lost, expected))
    }

    /// Lost and expected packets in the call.
    pub(crate) fn loss(&self, direction: Direction) -> Option<(f64, f64)> {
        let lost = self.lost?.max(0.0);
        let expected = match direction {
            Direction::Inbound => lost + self.packets?,
            Direction::Outbound => self.reported_on?.max(lost),
        };
        Some((lost, expected))
    }
}

/// Adds to a sum, which exists from the first value on.
pub(super) fn add(total: &mut Option<f64>, value: Option<f64>) {
    if let Some(value) = value {
        *total = Some(total.unwrap_or(0.0) + value);
    }
}
