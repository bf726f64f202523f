//! Sums of a stream over the call: traffic, playout, frames. They contain no averages.
//!
//! **One coverage.** A part and its whole are added only for times in which both are known, so a ratio is that of the
//! same time whatever members are missing now and then ([`Share`]).

use crate::id::Direction;
use crate::maybe::Maybe;
use crate::metric::counter::Delta;
use crate::report::Num;
use crate::unit::Ratio;

/// The sums. Each is `None` until both ends of an interval reported its counter.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Totals {
    pub(crate) packets: Maybe,
    /// Lost packets, except those of muted, held, paused and lost time.
    pub(crate) lost: Maybe,
    /// Packets lost in muted, held, paused and lost time. No one was to hear or see them, and some endpoints count packets that were
    /// never sent.
    pub(crate) lost_at_rest: Maybe,
    /// Those of `lost` beside the packets that were received and not retransmitted; for a sent stream, beside the
    /// packets that the remote endpoint's reports cover.
    loss: Share,
    /// How often losses were believed and added to `loss`, and how often they were doubted.
    losses_believed: u32,
    losses_doubted: u32,
    pub(crate) bytes: Maybe,
    /// The bytes and the milliseconds of intervals without a known rate: gaps, resets, and those without bytes at either
    /// end.
    pub(crate) unrated: (f64, f64),
    pub(crate) retransmitted: Maybe,
    /// Concealed, audibly concealed and time-stretched samples beside all samples, while the stream was measured.
    pub(crate) concealed: Share,
    pub(crate) audible_concealed: Share,
    pub(crate) stretched: Share,
    pub(crate) concealments: Maybe,
    pub(crate) fec_packets: Maybe,
    pub(crate) fec_discarded: Maybe,
    pub(crate) discarded: Maybe,
    pub(crate) frames: Maybe,
    pub(crate) frames_dropped: Maybe,
    pub(crate) key_frames: Maybe,
    pub(crate) freezes: Maybe,
    pub(crate) frozen_s: Maybe,
    pub(crate) nacks: Maybe,
    pub(crate) plis: Maybe,
    pub(crate) limited_s: [Maybe; 3],
}

const BYTES: &[Num] = &[Num::BytesReceived, Num::BytesSent];

/// The advance of a counter with several alternatives, of the first that is reported: another one must not stand in for
/// it if it is doubted.
fn passed(delta: &Delta<'_>, fields: &[Num]) -> Option<f64> {
    let reported = fields.iter().find(|&&field| delta.entry().get(field).is_some());
    reported.and_then(|&field| delta.passed(field))
}

impl Totals {
    /// Adds the counters of an interval in any state, except losses.
    pub(super) fn add(&mut self, delta: &Delta<'_>) {
        use Num as N;
        let take = |total: &mut Maybe, fields: &[Num]| total.add(passed(delta, fields));
        take(&mut self.packets, &[N::PacketsReceived, N::PacketsSent]);
        take(&mut self.bytes, BYTES);
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

    /// Notes that an interval whose counters were added has no known rate. Returns its bytes.
    #[cold]
    pub(super) fn add_unrated(&mut self, delta: &Delta<'_>) -> f64 {
        let bytes = passed(delta, BYTES).unwrap_or(0.0);
        self.unrated = (self.unrated.0 + bytes, self.unrated.1 + delta.span_ms().max(0.0));
        bytes
    }

    /// The bytes of the time of known rates.
    pub(crate) fn rated_bytes(&self) -> Option<f64> {
        Some(self.bytes.get()? - self.unrated.0)
    }

    /// Adds losses: of `expected` packets, if that is known.
    pub(super) fn add_losses(&mut self, losses: LossCount, rests: bool) {
        if rests {
            self.lost_at_rest.add(losses.lost);
        } else {
            self.lost.add(losses.lost);
            self.loss.add(losses.lost, losses.of);
            let is_known = losses.lost.and(losses.of).is_some();
            self.losses_believed = self.losses_believed.saturating_add(u32::from(is_known));
        }
    }

    /// Notes losses that are not believed.
    pub(super) fn doubt_losses(&mut self) {
        self.losses_doubted = self.losses_doubted.saturating_add(1);
    }

    /// Adds the playout counters of a measured interval. Browsers conceal pauses and holds too, which says nothing
    /// about quality.
    pub(super) fn add_heard(&mut self, delta: &Delta<'_>) {
        use Num as N;
        let [samples, concealed, silent, inserted, removed] = [
            N::TotalSamplesReceived,
            N::ConcealedSamples,
            N::SilentConcealedSamples,
            N::InsertedSamplesForDeceleration,
            N::RemovedSamplesForAcceleration,
        ]
        .map(|field| delta.of(field));
        self.concealed.add(concealed, samples);
        self.audible_concealed.add(concealed.zip(silent).map(|(concealed, silent)| concealed - silent), samples);
        self.stretched.add(inserted.zip(removed).map(|(inserted, removed)| inserted + removed), samples);
        self.concealments.add(delta.of(N::ConcealmentEvents));
    }

    /// Lost packets over expected packets in the call, 0 to 1.
    pub(crate) fn loss_ratio(&self, direction: Direction) -> Option<Ratio> {
        self.loss(direction).and_then(|(lost, expected)| Ratio::of(lost, expected))
    }

    /// Lost and expected packets in the call, over the time that counts and in which both are known. `None` also if the
    /// counts were impossible more often than not: then the possible ones are not believed either.
    pub(crate) fn loss(&self, direction: Direction) -> Option<(f64, f64)> {
        let (lost, of) = self.loss.get().filter(|_| self.losses_believed >= self.losses_doubted)?;
        let lost = lost.max(0.0);
        let expected = match direction {
            Direction::Inbound => lost + of,
            Direction::Outbound => of.max(lost),
        };
        Some((lost, expected))
    }
}

/// Losses of an interval or a report.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LossCount {
    /// Lost packets; negative if late packets were subtracted.
    pub(super) lost: Option<f64>,
    /// The packets that came beside them, or were sent in all.
    pub(super) of: Option<f64>,
}

/// A part and its whole, over the time in which both were known.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Share {
    part: Maybe,
    whole: Maybe,
}

impl Share {
    fn add(&mut self, part: Option<f64>, whole: Option<f64>) {
        if part.is_some() && whole.is_some() {
            self.part.add(part);
            self.whole.add(whole);
        }
    }

    fn get(self) -> Option<(f64, f64)> {
        self.part.get().zip(self.whole.get())
    }

    /// The ratio of the sums; a negative part counts as 0.
    pub(crate) fn ratio(self) -> Option<f64> {
        let (part, whole) = self.get()?;
        Some(Ratio::of(part.max(0.0), whole)?.as_f64())
    }
}

/// Adds to a sum, which exists from the first value on.
pub(crate) fn add(total: &mut Option<f64>, value: Option<f64>) {
    if let Some(value) = value {
        *total = Some(total.unwrap_or(0.0) + value);
    }
}
