//! The figures of one stream over one interval, and their table of metrics. It holds no state between intervals.

use super::Formula::{self, Deviation, Gauge, Mean, Rate, Rms, Share};
use crate::id::{Direction, MediaKind, Ssrc};
use crate::metric::counter::Delta;
use crate::report::{Fields, Num as N};
use crate::unit::{Bitrate, Ratio, StatTime};

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Bits per second.
    BitsPerSecond,
    /// Milliseconds.
    Milliseconds,
    /// Events per second.
    PerSecond,
    /// Pixels.
    Pixels,
    /// Steps of the codec's quantizer.
    Quantizer,
    /// A share of a whole, 0 to 1, unless the metric states that it may be larger.
    Ratio,
    /// Audio samples.
    Samples,
}

/// Declares the metrics: the enum, with the name, unit and formula of each variant.
macro_rules! metrics {
    ($($(#[$doc:meta])* $variant:ident $name:literal $unit:ident $formula:expr,)*) => {
        /// A figure of a stream over an interval. Its name contains the unit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Metric {
            $($(#[$doc])* $variant,)*
        }

        impl Metric {
            /// All metrics, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The number of metrics.
            pub const COUNT: usize = Self::ALL.len();

            /// The name in outputs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The unit of its values.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit,)* }
            }

            /// The formula from the stream's own entry; `None` for metrics that combine several entries.
            #[must_use]
            pub const fn formula(self) -> Option<Formula> {
                match self { $(Self::$variant => $formula,)* }
            }
        }

        impl Interval {
            /// Fills every metric that has a formula. Each has a line of code, so that missing members cost next to
            /// nothing.
            fn follow_formulas(&mut self, delta: &Delta<'_>) {
                $(if let Some(formula) = const { Metric::$variant.formula() } {
                    self.set(Metric::$variant, formula.of(delta));
                })*
            }
        }
    };
}

impl Metric {
    /// The member of stats that a wrong value of the figure is blamed on.
    pub(crate) const fn member(self) -> N {
        match self.formula() {
            Some(Rate(members, _) | Share(members, _)) => members[0],
            Some(Mean(member, ..) | Gauge(member, _) | Rms(member, _) | Deviation(member, ..)) => member,
            Some(Formula::RoundedBits(member) | Formula::Backlog(member, ..)) => member,
            None => match self {
                Self::JitterMs => N::Jitter,
                Self::RttMs => N::TotalRoundTripTime,
                Self::AudibleConcealedRatio => N::ConcealedSamples,
                Self::RetransmittedRatio => N::RetransmittedPacketsReceived,
                Self::RecoveredRatio => N::FecPacketsReceived,
                Self::Qp => N::QpSum,
                _ => N::PacketsLost,
            },
        }
    }

    /// The largest possible value, without the tolerance for a part that exceeds its whole. No packet, frame or sample
    /// waits for longer than the round trip that is believed (`report::field`): a mean of totals is held to the limit
    /// of a single measurement.
    const fn largest(self) -> f64 {
        match (self, self.unit()) {
            (Self::FrozenRatio | Self::FecRatio, _) => 1e300,
            (Self::JitterBufferDelayMs | Self::JitterBufferTargetMs, _) => MAX_BUFFER_MS,
            (_, Unit::Quantizer) => MAX_QUANTIZER,
            (_, Unit::Ratio) => 1.0,
            (_, Unit::Milliseconds) => MAX_MS,
            _ => 1e300,
        }
    }
}

const RECEIVED_AND_LOST: &[N] = &[N::PacketsReceived, N::PacketsLost];
const LIMITED: &[N] =
    &[N::QualityLimitedNone, N::QualityLimitedCpu, N::QualityLimitedBandwidth, N::QualityLimitedOther];

metrics! {
    /// Payload bits per second, including retransmissions, excluding headers and padding.
    BitrateBps "bitrate_bps" BitsPerSecond Some(Rate(&[N::BytesReceived, N::BytesSent], 8.0)),
    /// RTP header bits per second, including padding.
    HeaderBitrateBps "header_bitrate_bps" BitsPerSecond Some(Rate(&[N::HeaderBytesReceived, N::HeaderBytesSent], 8.0)),
    /// Packets per second. Padding counts here but not in the bitrate.
    PacketRatePps "packet_rate_pps" PerSecond Some(Rate(&[N::PacketsReceived, N::PacketsSent], 1.0)),
    /// Lost packets over expected packets, 0 to 1: as received here, or for a sent stream as the remote endpoint
    /// reports it. A retransmission in the same stream compensates a loss (RFC 3550 A.3); one in its own stream (RFC
    /// 4588) does not, in Chromium.
    LossRatio "loss_ratio" Ratio None,
    /// Interarrival jitter at the receiver (RFC 3550 6.4.1) in ms.
    JitterMs "jitter_ms" Milliseconds None,
    /// Round-trip time by RTCP in ms; held between two reports, at most 30 s.
    RttMs "rtt_ms" Milliseconds None,
    /// How long a sample or frame stayed in the jitter buffer, ms.
    JitterBufferDelayMs "jitter_buffer_delay_ms" Milliseconds Some(Mean(N::JitterBufferDelay, N::JitterBufferEmittedCount, 1e3)),
    /// The jitter buffer's target delay, ms.
    JitterBufferTargetMs "jitter_buffer_target_ms" Milliseconds
        Some(Mean(N::JitterBufferTargetDelay, N::JitterBufferEmittedCount, 1e3)),
    /// From the first packet of a sample or frame to its playout or decoding, ms; includes the jitter buffer.
    ProcessingDelayMs "processing_delay_ms" Milliseconds Some(Mean(N::TotalProcessingDelay, N::JitterBufferEmittedCount, 1e3)),
    /// Concealed samples over all samples, 0 to 1: samples made up for loss, lateness or silence after every repair.
    ConcealedRatio "concealed_ratio" Ratio Some(Share(&[N::ConcealedSamples], &[N::TotalSamplesReceived])),
    /// Samples concealed by silence or comfort noise, over all samples, 0 to 1. Part of `concealed_ratio`.
    SilentConcealedRatio "silent_concealed_ratio" Ratio Some(Share(&[N::SilentConcealedSamples], &[N::TotalSamplesReceived])),
    /// Audibly concealed samples over all samples, 0 to 1: `concealed_ratio` without `silent_concealed_ratio`.
    AudibleConcealedRatio "audible_concealed_ratio" Ratio None,
    /// Samples per concealment event: the length of a hole.
    ConcealmentLength "concealment_length" Samples Some(Mean(N::ConcealedSamples, N::ConcealmentEvents, 1.0)),
    /// Concealment events per second.
    ConcealmentsPerSecond "concealments_per_second" PerSecond Some(Rate(&[N::ConcealmentEvents], 1.0)),
    /// Inserted and removed samples over all samples, 0 to 1: speech that the jitter buffer slowed down or sped up.
    TimeStretchRatio "time_stretch_ratio" Ratio Some(Share(
        &[N::InsertedSamplesForDeceleration, N::RemovedSamplesForAcceleration],
        &[N::TotalSamplesReceived],
    )),
    /// Packets that arrived too late or too early to be used, over received and discarded packets, 0 to 1.
    DiscardRatio "discard_ratio" Ratio Some(Share(&[N::PacketsDiscarded], &[N::PacketsDiscarded, N::PacketsReceived])),
    /// Retransmitted packets over all packets, 0 to 1.
    RetransmittedRatio "retransmitted_ratio" Ratio None,
    /// Forward error correction packets over received and lost packets, 0 to 1 and beyond: Chromium counts each frame
    /// that in-band error correction (Opus) or redundancy (RED) adds to a packet.
    FecRatio "fec_ratio" Ratio Some(Share(&[N::FecPacketsReceived], RECEIVED_AND_LOST)),
    /// Packets that error correction recovered, over received and lost packets, 0 to 1.
    RecoveredRatio "recovered_ratio" Ratio None,
    /// The RMS level, 0 to 1: of the playout for inbound streams, of the microphone for outbound streams.
    Level "level" Ratio Some(Rms(N::TotalAudioEnergy, N::TotalSamplesDuration)),
    /// Frames per second: decoded for inbound streams, sent for outbound streams.
    FramesPerSecond "frames_per_second" PerSecond Some(Rate(&[N::FramesDecoded, N::FramesSent, N::FramesEncoded], 1.0)),
    /// Dropped frames over decoded and dropped frames, 0 to 1.
    FramesDroppedRatio "frames_dropped_ratio" Ratio Some(Share(&[N::FramesDropped], &[N::FramesDropped, N::FramesDecoded])),
    /// Key frames per second, decoded or encoded.
    KeyFramesPerSecond "key_frames_per_second" PerSecond Some(Rate(&[N::KeyFramesDecoded, N::KeyFramesEncoded], 1.0)),
    /// Width of the last frame in pixels.
    Width "width" Pixels Some(Gauge(N::FrameWidth, 1.0)),
    /// Height of the last frame in pixels.
    Height "height" Pixels Some(Gauge(N::FrameHeight, 1.0)),
    /// Mean quantizer of the frames, on the codec's own scale.
    Qp "qp" Quantizer None,
    /// Time to decode a frame, ms.
    DecodeMs "decode_ms" Milliseconds Some(Mean(N::TotalDecodeTime, N::FramesDecoded, 1e3)),
    /// Time to encode a frame, ms.
    EncodeMs "encode_ms" Milliseconds Some(Mean(N::TotalEncodeTime, N::FramesEncoded, 1e3)),
    /// Time a packet waited to be sent, ms.
    SendDelayMs "send_delay_ms" Milliseconds Some(Mean(N::TotalPacketSendDelay, N::PacketsSent, 1e3)),
    /// Standard deviation of the time between frames, ms.
    InterFrameDeviationMs "inter_frame_deviation_ms" Milliseconds
        Some(Deviation(N::TotalSquaredInterFrameDelay, N::TotalInterFrameDelay, N::FramesDecoded)),
    /// Share of the time in freezes, 0 to 1 and beyond: a freeze counts as a whole when it ends.
    FrozenRatio "frozen_ratio" Ratio Some(Rate(&[N::TotalFreezesDuration], 1.0)),
    /// Freezes that ended, per second.
    FreezesPerSecond "freezes_per_second" PerSecond Some(Rate(&[N::FreezeCount], 1.0)),
    /// Share of the time limited by the processor, over all time accounted for.
    LimitedCpuRatio "limited_cpu_ratio" Ratio Some(Share(&[N::QualityLimitedCpu], LIMITED)),
    /// Share of the time limited by bandwidth.
    LimitedBandwidthRatio "limited_bandwidth_ratio" Ratio Some(Share(&[N::QualityLimitedBandwidth], LIMITED)),
    /// Share of the time limited by other reasons.
    LimitedOtherRatio "limited_other_ratio" Ratio Some(Share(&[N::QualityLimitedOther], LIMITED)),
    /// Requests for retransmission per second (RFC 4585 6.2.1).
    NackPerSecond "nack_per_second" PerSecond Some(Rate(&[N::NackCount], 1.0)),
    /// Picture loss indications per second (RFC 4585 6.3.1).
    PliPerSecond "pli_per_second" PerSecond Some(Rate(&[N::PliCount], 1.0)),
    /// Full intra requests per second (RFC 5104 4.3.1).
    FirPerSecond "fir_per_second" PerSecond Some(Rate(&[N::FirCount], 1.0)),
    /// The encoder's target bitrate, bits per second.
    TargetBitrateBps "target_bitrate_bps" BitsPerSecond Some(Gauge(N::TargetBitrate, 1.0)),
    /// Probability that a displayed frame was corrupted, 0 to 1.
    Corruption "corruption" Ratio Some(Mean(N::TotalCorruptionProbability, N::CorruptionMeasurements, 1.0)),
}

/// How much larger than its whole a part may be and still count as all of it: one frame of 20 ms too many in a sample
/// interval of 80 ms.
const SKEW: f64 = 1.25;

/// Whether a duration was milliseconds that were read as seconds, by another measurement of it. A queue can make one of
/// two round trips a thousand times as long for a moment, but hardly a second.
pub(crate) fn is_thousandfold(ms: f64, other_ms: f64) -> bool {
    ms >= 1e3 && (500.0..=2_000.0).contains(&(ms / other_ms))
}

/// The longest duration that is believed, ms: 60 s, as for a round trip.
pub(crate) const MAX_MS: f64 = 60_000.0;

/// The longest time that a jitter buffer holds media back, ms: libwebrtc's limit for audio and for video.
const MAX_BUFFER_MS: f64 = 10_000.0;
/// The largest step of any codec's quantizer (VP9, AV1).
const MAX_QUANTIZER: f64 = 255.0;

const _: () = assert!(Metric::COUNT <= 64);

/// The state of a stream during an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum IntervalState {
    /// Media was flowing, or should have been.
    Active,
    /// The source of sent audio was digitally silent: its track is disabled.
    Muted,
    /// The whole stream stood still, including playout: on hold.
    Held,
    /// Nothing was sent, according to the sender.
    Paused,
    /// Discontinuous transmission: few packets, little audible content.
    Silent,
    /// The connection was lost or not set up, and nothing passed.
    Lost,
    /// Counters were reset: no rate is known.
    Reset,
    /// The interval is much longer than those before: a suspended machine or a throttled tab. It is part of no average.
    Gap,
}

impl IntervalState {
    /// The name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Muted => "muted",
            Self::Held => "held",
            Self::Paused => "paused",
            Self::Silent => "silent",
            Self::Lost => "lost",
            Self::Reset => "reset",
            Self::Gap => "gap",
        }
    }

    /// Whether the interval's figures say something about quality.
    #[must_use]
    pub const fn is_measured(self) -> bool {
        matches!(self, Self::Active | Self::Silent)
    }

    /// Whether losses in such an interval say nothing about the path: nothing was to be heard or seen, or the connection
    /// was lost, which is counted as time.
    pub(crate) const fn excludes_losses(self) -> bool {
        matches!(self, Self::Muted | Self::Held | Self::Paused | Self::Lost)
    }
}

/// One stream over one interval: from one sample of its entry to the next.
///
/// With `serde` it is a map: `t_ms` (the end), `span_ms`, `ssrc`, `direction`, `kind`, `state`, and every metric under
/// its [name](Metric::name), `null` if unknown.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Interval {
    /// The end, on the reporter's clock.
    pub at: StatTime,
    /// The length, in ms of the reporter's clock. Positive unless the state is [`IntervalState::Reset`].
    pub span_ms: f64,
    /// The direction of the stream.
    pub direction: Direction,
    /// The SSRC of the stream.
    pub ssrc: Ssrc,
    /// Audio or video; `None` if no report states it.
    pub kind: Option<MediaKind>,
    /// The state of the stream.
    pub state: IntervalState,
    pub(super) present: u64,
    pub(super) values: [f64; Metric::COUNT],
    pub(super) doubted: Fields,
}

impl Interval {
    pub(crate) const fn new(
        at: StatTime,
        span_ms: f64,
        direction: Direction,
        ssrc: Ssrc,
        kind: Option<MediaKind>,
    ) -> Self {
        let values = [0.0; Metric::COUNT];
        Self {
            at,
            span_ms,
            direction,
            ssrc,
            kind,
            state: IntervalState::Active,
            present: 0,
            values,
            doubted: Fields::NONE,
        }
    }

    /// The length, ms; 0 if [`span_ms`](Self::span_ms) is not a length.
    pub(crate) fn length_ms(&self) -> f64 {
        if self.span_ms.is_finite() { self.span_ms.max(0.0) } else { 0.0 }
    }

    /// Fills every metric that is derived from the stream's own entry.
    pub(crate) fn derive(&mut self, delta: &Delta<'_>) {
        let (frames, retransmitted, packets) = match self.direction {
            Direction::Inbound => (N::FramesDecoded, N::RetransmittedPacketsReceived, N::PacketsReceived),
            Direction::Outbound => (N::FramesEncoded, N::RetransmittedPacketsSent, N::PacketsSent),
        };
        self.follow_formulas(delta);
        self.set(Metric::Qp, Mean(N::QpSum, frames, 1.0).of(delta));
        self.set(Metric::RetransmittedRatio, Mean(retransmitted, packets, 1.0).of(delta));
        self.set(Metric::AudibleConcealedRatio, audible(delta));
        self.set(Metric::RecoveredRatio, recovered(delta));
    }

    /// Sets a possible figure. A part may be a little larger than its whole, because counters are not all read at one
    /// moment; if it is much larger, the report is wrong and the figure unknown.
    #[inline]
    pub(crate) fn set(&mut self, metric: Metric, value: Option<f64>) {
        let largest = metric.largest();
        let tolerance = if metric.unit() == Unit::Ratio { SKEW } else { 1.0 };
        let Some(value) = value else { return };
        if !(0.0..=largest * tolerance).contains(&value) {
            self.doubted.insert(metric.member());
        } else if let Some(slot) = self.values.get_mut(metric as usize) {
            *slot = value.min(largest);
            self.present |= 1 << metric as u8;
        }
    }

    /// Removes a figure that is not believed.
    #[cold]
    pub(crate) fn doubt(&mut self, metric: Metric) {
        self.present &= !(1 << metric as u8);
        self.doubted.insert(metric.member());
    }

    /// Removes the durations whose member is one of `members`.
    #[cold]
    pub(crate) fn doubt_durations(&mut self, members: Fields) {
        for &metric in Metric::ALL {
            if metric.unit() == Unit::Milliseconds && members.has(metric.member()) && self.get(metric).is_some() {
                self.doubt(metric);
            }
        }
    }

    /// The members whose values gave impossible figures.
    pub(crate) const fn doubted(&self) -> Fields {
        self.doubted
    }

    /// A figure. `None` if its members were not reported, or did not advance.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<f64> {
        if self.present >> metric as u8 & 1 == 0 { None } else { self.values.get(metric as usize).copied() }
    }

    /// The known figures, in the order of the table.
    pub fn figures(&self) -> impl Iterator<Item = (Metric, f64)> + '_ {
        Metric::ALL.iter().filter_map(|&metric| Some((metric, self.get(metric)?)))
    }

    /// Payload bits per second.
    #[must_use]
    pub fn bitrate(&self) -> Option<Bitrate> {
        Bitrate::new(self.get(Metric::BitrateBps)?)
    }

    /// Lost packets over expected packets.
    #[must_use]
    pub fn loss(&self) -> Option<Ratio> {
        Ratio::new(self.get(Metric::LossRatio)?)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Interval {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;

        let mut map = serializer.serialize_map(Some(6 + Metric::COUNT))?;
        map.serialize_entry("t_ms", &self.at.as_millis())?;
        map.serialize_entry("span_ms", &self.span_ms)?;
        map.serialize_entry("ssrc", &self.ssrc)?;
        map.serialize_entry("direction", &self.direction)?;
        map.serialize_entry("kind", &self.kind)?;
        map.serialize_entry("state", self.state.name())?;
        for &metric in Metric::ALL {
            map.serialize_entry(metric.name(), &self.get(metric))?;
        }
        map.end()
    }
}

/// Audibly concealed samples, without the silent ones (edge case 26), over all samples.
fn audible(delta: &Delta<'_>) -> Option<f64> {
    let concealed = delta.of(N::ConcealedSamples)? - delta.of(N::SilentConcealedSamples)?;
    let ratio = Ratio::of(concealed.max(0.0), delta.of(N::TotalSamplesReceived)?)?;
    Some(ratio.as_f64())
}

/// Used error correction packets over received and lost packets.
fn recovered(delta: &Delta<'_>) -> Option<f64> {
    let used = delta.of(N::FecPacketsReceived)? - delta.of(N::FecPacketsDiscarded)?;
    let ratio = Ratio::of(used.max(0.0), delta.of(N::PacketsReceived)? + delta.of(N::PacketsLost)?)?;
    Some(ratio.as_f64())
}
