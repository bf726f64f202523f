//! The derived values of Chromium's webrtc-internals, with the same names and formulas, for any input. The engine's own
//! figures are in [`Interval`](super::Interval).
//!
//! Names and formulas are those of Chromium's `stats_rates_calculator.js`, checked against the series that Chromium
//! writes into its own dumps. Where Chromium would show a negative rate after a reset, there is no value here.
//!
//! Bits per second are whole from Chrome 147 on, and were not rounded up to 144 ([`Rounding`]); the rates of ECN exist
//! from 144 on, and are here for every input that has their counters.

use super::Formula::{self, Backlog, Deviation, Mean, Rate, Rms, RoundedBits};
use crate::metric::counter::Delta;
use crate::report::{Entry, Num, StatsType};

/// One derived value: its entry type, name and formula.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Derived {
    /// The type of entry that it is derived from.
    pub of: StatsType,
    /// Chromium's name, brackets included.
    pub name: &'static str,
    /// The formula.
    pub formula: Formula,
}

const fn row(of: StatsType, name: &'static str, formula: Formula) -> Derived {
    Derived { of, name, formula }
}

use Num as N;
use StatsType::{
    CandidatePair as Pair, DataChannel as Channel, InboundRtp as In, MediaPlayout as Playout, MediaSource as Source,
    OutboundRtp as Out, RemoteInboundRtp as RemoteIn, RemoteOutboundRtp as RemoteOut, Transport,
};

/// Every derived value, by type of entry.
pub static TABLE: &[Derived] = &[
    row(In, "[bytesReceived_in_bits/s]", RoundedBits(N::BytesReceived)),
    row(In, "[headerBytesReceived_in_bits/s]", RoundedBits(N::HeaderBytesReceived)),
    row(In, "[retransmittedBytesReceived_in_bits/s]", RoundedBits(N::RetransmittedBytesReceived)),
    row(In, "[fecBytesReceived_in_bits/s]", RoundedBits(N::FecBytesReceived)),
    row(In, "[packetsReceived/s]", Rate(&[N::PacketsReceived], 1.0)),
    row(In, "[retransmittedPacketsReceived/s]", Rate(&[N::RetransmittedPacketsReceived], 1.0)),
    row(In, "[packetsReceivedWithEct1/s]", Rate(&[N::PacketsReceivedWithEct1], 1.0)),
    row(In, "[packetsReceivedWithCe/s]", Rate(&[N::PacketsReceivedWithCe], 1.0)),
    row(In, "[packetsDiscarded/s]", Rate(&[N::PacketsDiscarded], 1.0)),
    row(In, "[fecPacketsReceived/s]", Rate(&[N::FecPacketsReceived], 1.0)),
    row(In, "[fecPacketsDiscarded/s]", Rate(&[N::FecPacketsDiscarded], 1.0)),
    row(In, "[nackCount/s]", Rate(&[N::NackCount], 1.0)),
    row(In, "[pliCount/s]", Rate(&[N::PliCount], 1.0)),
    row(In, "[firCount/s]", Rate(&[N::FirCount], 1.0)),
    row(In, "[framesReceived/s]", Rate(&[N::FramesReceived], 1.0)),
    row(In, "[framesDecoded/s]", Rate(&[N::FramesDecoded], 1.0)),
    row(In, "[keyFramesDecoded/s]", Rate(&[N::KeyFramesDecoded], 1.0)),
    row(In, "[framesDropped/s]", Rate(&[N::FramesDropped], 1.0)),
    row(
        In,
        "[framesReceived-framesDecoded-framesDropped]",
        Backlog(N::FramesReceived, N::FramesDecoded, N::FramesDropped),
    ),
    row(In, "[totalDecodeTime/framesDecoded_in_ms]", Mean(N::TotalDecodeTime, N::FramesDecoded, 1e3)),
    row(In, "[totalInterFrameDelay/framesDecoded_in_ms]", Mean(N::TotalInterFrameDelay, N::FramesDecoded, 1e3)),
    row(
        In,
        "[interFrameDelayStDev_in_ms]",
        Deviation(N::TotalSquaredInterFrameDelay, N::TotalInterFrameDelay, N::FramesDecoded),
    ),
    row(
        In,
        "[totalAssemblyTime/framesAssembledFromMultiplePackets_in_ms]",
        Mean(N::TotalAssemblyTime, N::FramesAssembledFromMultiplePackets, 1e3),
    ),
    row(
        In,
        "[totalProcessingDelay/jitterBufferEmittedCount_in_ms]",
        Mean(N::TotalProcessingDelay, N::JitterBufferEmittedCount, 1e3),
    ),
    row(
        In,
        "[jitterBufferDelay/jitterBufferEmittedCount_in_ms]",
        Mean(N::JitterBufferDelay, N::JitterBufferEmittedCount, 1e3),
    ),
    row(
        In,
        "[jitterBufferTargetDelay/jitterBufferEmittedCount_in_ms]",
        Mean(N::JitterBufferTargetDelay, N::JitterBufferEmittedCount, 1e3),
    ),
    row(
        In,
        "[jitterBufferMinimumDelay/jitterBufferEmittedCount_in_ms]",
        Mean(N::JitterBufferMinimumDelay, N::JitterBufferEmittedCount, 1e3),
    ),
    row(In, "[qpSum/framesDecoded]", Mean(N::QpSum, N::FramesDecoded, 1.0)),
    row(In, "[freezeCount/s]", Rate(&[N::FreezeCount], 1.0)),
    row(
        In,
        "[totalCorruptionProbability/corruptionMeasurements]",
        Mean(N::TotalCorruptionProbability, N::CorruptionMeasurements, 1.0),
    ),
    row(In, "[totalSamplesReceived/s]", Rate(&[N::TotalSamplesReceived], 1.0)),
    row(In, "[concealedSamples/s]", Rate(&[N::ConcealedSamples], 1.0)),
    row(In, "[silentConcealedSamples/s]", Rate(&[N::SilentConcealedSamples], 1.0)),
    row(In, "[insertedSamplesForDeceleration/s]", Rate(&[N::InsertedSamplesForDeceleration], 1.0)),
    row(In, "[removedSamplesForAcceleration/s]", Rate(&[N::RemovedSamplesForAcceleration], 1.0)),
    row(In, "[concealedSamples/totalSamplesReceived]", Mean(N::ConcealedSamples, N::TotalSamplesReceived, 1.0)),
    row(In, "[Audio_Level_in_RMS]", Rms(N::TotalAudioEnergy, N::TotalSamplesDuration)),
    row(Out, "[bytesSent_in_bits/s]", RoundedBits(N::BytesSent)),
    row(Out, "[headerBytesSent_in_bits/s]", RoundedBits(N::HeaderBytesSent)),
    row(Out, "[retransmittedBytesSent_in_bits/s]", RoundedBits(N::RetransmittedBytesSent)),
    row(Out, "[totalEncodedBytesTarget_in_bits/s]", RoundedBits(N::TotalEncodedBytesTarget)),
    row(Out, "[packetsSent/s]", Rate(&[N::PacketsSent], 1.0)),
    row(Out, "[packetsSentWithEct1/s]", Rate(&[N::PacketsSentWithEct1], 1.0)),
    row(Out, "[retransmittedPacketsSent/s]", Rate(&[N::RetransmittedPacketsSent], 1.0)),
    row(Out, "[nackCount/s]", Rate(&[N::NackCount], 1.0)),
    row(Out, "[pliCount/s]", Rate(&[N::PliCount], 1.0)),
    row(Out, "[firCount/s]", Rate(&[N::FirCount], 1.0)),
    row(Out, "[framesEncoded/s]", Rate(&[N::FramesEncoded], 1.0)),
    row(Out, "[keyFramesEncoded/s]", Rate(&[N::KeyFramesEncoded], 1.0)),
    row(Out, "[framesSent/s]", Rate(&[N::FramesSent], 1.0)),
    row(Out, "[totalPacketSendDelay/packetsSent_in_ms]", Mean(N::TotalPacketSendDelay, N::PacketsSent, 1e3)),
    row(Out, "[totalEncodeTime/framesEncoded_in_ms]", Mean(N::TotalEncodeTime, N::FramesEncoded, 1e3)),
    row(Out, "[qpSum/framesEncoded]", Mean(N::QpSum, N::FramesEncoded, 1.0)),
    row(Out, "[PSNR_y]", Mean(N::PsnrSumY, N::PsnrMeasurements, 1.0)),
    row(Out, "[PSNR_u]", Mean(N::PsnrSumU, N::PsnrMeasurements, 1.0)),
    row(Out, "[PSNR_v]", Mean(N::PsnrSumV, N::PsnrMeasurements, 1.0)),
    row(
        RemoteIn,
        "[totalRoundTripTime/roundTripTimeMeasurements]",
        Mean(N::TotalRoundTripTime, N::RoundTripTimeMeasurements, 1.0),
    ),
    row(
        RemoteOut,
        "[totalRoundTripTime/roundTripTimeMeasurements]",
        Mean(N::TotalRoundTripTime, N::RoundTripTimeMeasurements, 1.0),
    ),
    row(RemoteOut, "[bytesSent_in_bits/s]", RoundedBits(N::BytesSent)),
    row(RemoteOut, "[packetsSent/s]", Rate(&[N::PacketsSent], 1.0)),
    row(Source, "[Audio_Level_in_RMS]", Rms(N::TotalAudioEnergy, N::TotalSamplesDuration)),
    row(Playout, "[totalPlayoutDelay/totalSamplesCount]", Mean(N::TotalPlayoutDelay, N::TotalSamplesCount, 1.0)),
    row(Transport, "[bytesSent_in_bits/s]", RoundedBits(N::BytesSent)),
    row(Transport, "[bytesReceived_in_bits/s]", RoundedBits(N::BytesReceived)),
    row(Transport, "[packetsSent/s]", Rate(&[N::PacketsSent], 1.0)),
    row(Transport, "[packetsReceived/s]", Rate(&[N::PacketsReceived], 1.0)),
    row(Pair, "[bytesSent_in_bits/s]", RoundedBits(N::BytesSent)),
    row(Pair, "[bytesReceived_in_bits/s]", RoundedBits(N::BytesReceived)),
    row(Pair, "[packetsSent/s]", Rate(&[N::PacketsSent], 1.0)),
    row(Pair, "[packetsReceived/s]", Rate(&[N::PacketsReceived], 1.0)),
    row(Pair, "[requestsSent/s]", Rate(&[N::RequestsSent], 1.0)),
    row(Pair, "[requestsReceived/s]", Rate(&[N::RequestsReceived], 1.0)),
    row(Pair, "[responsesSent/s]", Rate(&[N::ResponsesSent], 1.0)),
    row(Pair, "[responsesReceived/s]", Rate(&[N::ResponsesReceived], 1.0)),
    row(Pair, "[consentRequestsSent/s]", Rate(&[N::ConsentRequestsSent], 1.0)),
    row(Pair, "[totalRoundTripTime/responsesReceived]", Mean(N::TotalRoundTripTime, N::ResponsesReceived, 1.0)),
    row(Channel, "[messagesSent/s]", Rate(&[N::MessagesSent], 1.0)),
    row(Channel, "[messagesReceived/s]", Rate(&[N::MessagesReceived], 1.0)),
    row(Channel, "[bytesSent_in_bits/s]", RoundedBits(N::BytesSent)),
    row(Channel, "[bytesReceived_in_bits/s]", RoundedBits(N::BytesReceived)),
];

/// How bits per second are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rounding {
    /// Whole: Chrome 147 and later, and browsers whose version is unknown.
    #[default]
    Whole,
    /// Not rounded: up to Chrome 144.
    Exact,
}

/// The last version of Chrome that did not round. Versions 145 and 146 were not seen; they count as later ones.
const LAST_EXACT: u32 = 144;

impl Rounding {
    /// How this version of Chrome shows bits per second.
    #[must_use]
    pub const fn of_chrome(version: Option<u32>) -> Self {
        match version {
            Some(..=LAST_EXACT) => Self::Exact,
            _ => Self::Whole,
        }
    }
}

/// The existing derived values of one entry, in the order of the table. `delta` is the difference since its last
/// sample, `None` for the first sample.
pub fn of<'a>(
    entry: Entry<'a>,
    delta: Option<&'a Delta<'a>>,
    rounding: Rounding,
) -> impl Iterator<Item = (&'static str, f64)> + 'a {
    TABLE.iter().filter(move |row| row.of == entry.kind()).filter_map(move |row| {
        let value = match (delta, row.formula) {
            (Some(delta), formula) if rounding == Rounding::Exact => formula.unrounded(delta)?,
            (Some(delta), formula) => formula.of(delta)?,
            (None, formula) => formula.of_moment(entry)?,
        };
        Some((row.name, value))
    })
}
