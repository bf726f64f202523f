//! The table of stats members that the engine uses: each member's name in getStats, and the rule for its values. It
//! reads no values.
//!
//! Names are those of W3C webrtc-stats; a few that only Chromium writes are marked. Dotted names are members of a
//! nested dictionary. Readers skip members outside the table.

use super::growth::Growth;

/// How the value of a numeric member behaves, and therefore which values are possible.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// A count that only increases; every sender counts it in 64 bits.
    Counter,
    /// A count that only increases, and wraps at 2³² if the sender counts it in 32 bits.
    Counter32,
    /// A count that may decrease or be negative (`packetsLost`: a late packet is subtracted). It starts at 0 and a
    /// packet changes it by 1: below −10⁶ or from 2³¹ on it is a negative or an overflown number of fewer bits (RFC 3550
    /// has 24 bits).
    Signed,
    /// A sum of real numbers that only increases: seconds, energy, squares.
    Total,
    /// An instantaneous value between two limits.
    Gauge(f64, f64),
    /// An integer that identifies something, up to the given maximum.
    Code(f64),
    /// A time stamp in milliseconds, on any clock.
    Time,
}

impl Rule {
    /// Integers up to this are exact in an `f64`, which is all that JSON can carry between browsers.
    const LARGEST_INTEGER: f64 = 9_007_199_254_740_992.0;

    /// Whether `value` is possible under this rule. NaN never is.
    #[must_use]
    pub fn admits(self, value: f64) -> bool {
        self.limits().admit(value)
    }

    const fn limits(self) -> Limits {
        let (low, high, integral) = match self {
            Self::Counter | Self::Counter32 => (0.0, Self::LARGEST_INTEGER, true),
            Self::Signed => (-1e6, 2_147_483_647.0, true),
            Self::Total => (0.0, 1e18, false),
            Self::Gauge(low, high) => (low, high, false),
            Self::Code(largest) => (0.0, largest, true),
            Self::Time => (0.0, 1e16, false),
        };
        Limits { low, high, integral }
    }

    /// Whether the difference of two values of the same entry is meaningful.
    #[must_use]
    pub const fn is_cumulative(self) -> bool {
        matches!(self, Self::Counter | Self::Counter32 | Self::Signed | Self::Total)
    }

    /// Whether a decrease means that the sender reset the counter.
    #[must_use]
    pub const fn is_monotone(self) -> bool {
        matches!(self, Self::Counter | Self::Counter32 | Self::Total)
    }
}

/// A rule as numbers, so that checking a value needs no branch on the rule.
#[derive(Clone, Copy)]
struct Limits {
    low: f64,
    high: f64,
    integral: bool,
}

impl Limits {
    #[inline]
    fn admit(self, value: f64) -> bool {
        // If a value must be an integer, the limits lie within those of an `i64`.
        (self.low..=self.high).contains(&value) && (!self.integral || value as i64 as f64 == value)
    }
}

/// Declares a field enum with its names, and `ALL`, `name`.
macro_rules! fields {
    ($(#[$doc:meta])* $enum:ident { $($variant:ident $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum $enum {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl $enum {
            /// Every field, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// How many fields there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The member of this name in getStats. `None` for a member outside of the table. Cost: linear in the
            /// table.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|field| field.name() == name)
            }

            /// The member's name in getStats.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

/// Declares the numeric fields: the enum, with a rule beside every name, and the growth of what only grows.
macro_rules! numbers {
    ($($variant:ident $name:literal $rule:expr $(=> $growth:ident)?,)*) => {
        fields! {
            /// A numeric member. Units are the spec's: seconds, bytes, samples, milliseconds for time stamps.
            Num { $($variant $name,)* }
        }

        impl Num {
            /// The rule for values of this member.
            #[must_use]
            pub const fn rule(self) -> Rule {
                use Rule::{Code, Counter, Counter32, Signed, Time, Total};
                match self { $(Self::$variant => $rule,)* }
            }

            /// How fast the member grows; unlimited unless it is cumulative and cannot decrease.
            pub(crate) const fn growth(self) -> Growth {
                match self {
                    $($(Self::$variant => super::growth::$growth,)?)*
                    _ => Growth::ANY,
                }
            }

            /// Whether `value` is possible under the member's rule.
            #[inline]
            pub(super) fn admits(self, value: f64) -> bool {
                static LIMITS: [Limits; Num::COUNT] = [$(Num::$variant.rule().limits(),)*];
                LIMITS[self as usize].admit(value)
            }
        }
    };
}

/// No real network has a jitter above 10 s; a larger value is in another unit.
const JITTER: Rule = Rule::Gauge(0.0, 10.0);
/// No real network has a round-trip time above 60 s.
const ROUND_TRIP: Rule = Rule::Gauge(0.0, 60.0);
const RATE: Rule = Rule::Gauge(0.0, 1e12);
const SHARE: Rule = Rule::Gauge(0.0, 1.0);
const PIXELS: Rule = Rule::Gauge(0.0, 65_535.0);
const FRAME_RATE: Rule = Rule::Gauge(0.0, 1_000.0);
const DECIBEL: Rule = Rule::Gauge(-200.0, 200.0);
const U32: f64 = u32::MAX as f64;

numbers! {
    // RTP streams
    Ssrc "ssrc" Code(U32),
    RtxSsrc "rtxSsrc" Code(U32),
    FecSsrc "fecSsrc" Code(U32),
    Jitter "jitter" JITTER,
    PacketsLost "packetsLost" Signed,
    PacketsReceived "packetsReceived" Counter32 => PACKETS,
    PacketsReceivedWithCe "packetsReceivedWithCe" Counter32 => PACKETS,
    PacketsReceivedWithEct1 "packetsReceivedWithEct1" Counter32 => PACKETS,
    PacketsDiscarded "packetsDiscarded" Counter32 => PACKETS,
    BytesReceived "bytesReceived" Counter => BYTES,
    HeaderBytesReceived "headerBytesReceived" Counter => BYTES,
    LastPacketReceivedTimestamp "lastPacketReceivedTimestamp" Time,
    FecPacketsReceived "fecPacketsReceived" Counter32 => PACKETS,
    FecPacketsDiscarded "fecPacketsDiscarded" Counter32 => PACKETS,
    FecBytesReceived "fecBytesReceived" Counter => BYTES,
    RetransmittedPacketsReceived "retransmittedPacketsReceived" Counter32 => PACKETS,
    RetransmittedBytesReceived "retransmittedBytesReceived" Counter => BYTES,
    NackCount "nackCount" Counter32 => NACKS,
    PliCount "pliCount" Counter32 => KEY_FRAME_REQUESTS,
    FirCount "firCount" Counter32 => KEY_FRAME_REQUESTS,
    // the jitter buffer; per sample for audio, per frame for video
    JitterBufferDelay "jitterBufferDelay" Total => LONG_WAITS,
    JitterBufferTargetDelay "jitterBufferTargetDelay" Total => WAITS,
    JitterBufferMinimumDelay "jitterBufferMinimumDelay" Total => WAITS,
    JitterBufferEmittedCount "jitterBufferEmittedCount" Counter => SAMPLES,
    TotalProcessingDelay "totalProcessingDelay" Total => LONG_WAITS,
    EstimatedPlayoutTimestamp "estimatedPlayoutTimestamp" Time,
    // received audio, and levels of sources
    AudioLevel "audioLevel" SHARE,
    TotalAudioEnergy "totalAudioEnergy" Total => SECONDS,
    TotalSamplesDuration "totalSamplesDuration" Total => SECONDS,
    TotalSamplesReceived "totalSamplesReceived" Counter => SAMPLES,
    ConcealedSamples "concealedSamples" Counter => REPAIRED_SAMPLES,
    SilentConcealedSamples "silentConcealedSamples" Counter => REPAIRED_SAMPLES,
    ConcealmentEvents "concealmentEvents" Counter => CONCEALMENTS,
    InsertedSamplesForDeceleration "insertedSamplesForDeceleration" Counter => REPAIRED_SAMPLES,
    RemovedSamplesForAcceleration "removedSamplesForAcceleration" Counter => REPAIRED_SAMPLES,
    DelayedPacketOutageSamples "delayedPacketOutageSamples" Counter => REPAIRED_SAMPLES, // Chromium
    JitterBufferFlushes "jitterBufferFlushes" Counter => CONCEALMENTS, // Chromium
    InterruptionCount "interruptionCount" Counter32 => STALLS, // Chromium
    TotalInterruptionDuration "totalInterruptionDuration" Total => STALL_SECONDS, // Chromium
    RelativePacketArrivalDelay "relativePacketArrivalDelay" Total => LONG_WAITS, // Chromium
    // received video
    FramesReceived "framesReceived" Counter32 => FRAMES,
    FramesDecoded "framesDecoded" Counter32 => FRAMES,
    KeyFramesDecoded "keyFramesDecoded" Counter32 => FRAMES,
    FramesRendered "framesRendered" Counter32 => FRAMES,
    FramesDropped "framesDropped" Counter32 => FRAMES,
    FrameWidth "frameWidth" PIXELS,
    FrameHeight "frameHeight" PIXELS,
    FramesPerSecond "framesPerSecond" FRAME_RATE,
    QpSum "qpSum" Counter => QUANTIZERS,
    TotalDecodeTime "totalDecodeTime" Total => WORK_SECONDS,
    TotalInterFrameDelay "totalInterFrameDelay" Total => STALL_SECONDS,
    TotalSquaredInterFrameDelay "totalSquaredInterFrameDelay" Total => SQUARES,
    PauseCount "pauseCount" Counter32 => STALLS,
    TotalPausesDuration "totalPausesDuration" Total => STALL_SECONDS,
    FreezeCount "freezeCount" Counter32 => STALLS,
    TotalFreezesDuration "totalFreezesDuration" Total => STALL_SECONDS,
    FramesAssembledFromMultiplePackets "framesAssembledFromMultiplePackets" Counter32 => FRAMES,
    TotalAssemblyTime "totalAssemblyTime" Total => SEND_SECONDS,
    TotalCorruptionProbability "totalCorruptionProbability" Total => FRAMES,
    CorruptionMeasurements "corruptionMeasurements" Counter => FRAMES,
    // sent streams
    PacketsSent "packetsSent" Counter32 => PACKETS,
    PacketsSentWithEct1 "packetsSentWithEct1" Counter32 => PACKETS,
    BytesSent "bytesSent" Counter => BYTES,
    HeaderBytesSent "headerBytesSent" Counter => BYTES,
    RetransmittedPacketsSent "retransmittedPacketsSent" Counter32 => PACKETS,
    RetransmittedBytesSent "retransmittedBytesSent" Counter => BYTES,
    TargetBitrate "targetBitrate" RATE,
    TotalEncodedBytesTarget "totalEncodedBytesTarget" Counter => BYTES,
    FramesSent "framesSent" Counter32 => FRAMES,
    FramesEncoded "framesEncoded" Counter32 => FRAMES,
    KeyFramesEncoded "keyFramesEncoded" Counter32 => FRAMES,
    HugeFramesSent "hugeFramesSent" Counter32 => FRAMES,
    TotalEncodeTime "totalEncodeTime" Total => WORK_SECONDS,
    TotalPacketSendDelay "totalPacketSendDelay" Total => SEND_SECONDS,
    QualityLimitedNone "qualityLimitationDurations.none" Total => SECONDS,
    QualityLimitedCpu "qualityLimitationDurations.cpu" Total => SECONDS,
    QualityLimitedBandwidth "qualityLimitationDurations.bandwidth" Total => SECONDS,
    QualityLimitedOther "qualityLimitationDurations.other" Total => SECONDS,
    QualityLimitationResolutionChanges "qualityLimitationResolutionChanges" Counter32 => FRAMES,
    EncodingIndex "encodingIndex" Code(U32),
    PsnrSumY "psnrSum.y" Total => DECIBELS,
    PsnrSumU "psnrSum.u" Total => DECIBELS,
    PsnrSumV "psnrSum.v" Total => DECIBELS,
    PsnrMeasurements "psnrMeasurements" Counter => FRAMES,
    // RTCP reports on a stream
    RoundTripTime "roundTripTime" ROUND_TRIP,
    TotalRoundTripTime "totalRoundTripTime" Total => ROUND_TRIP_SECONDS,
    RoundTripTimeMeasurements "roundTripTimeMeasurements" Counter => ROUND_TRIPS,
    FractionLost "fractionLost" SHARE,
    PacketsReportedAsLost "packetsReportedAsLost" Counter32 => PACKETS,
    PacketsReportedAsLostButRecovered "packetsReportedAsLostButRecovered" Counter32 => PACKETS,
    RemoteTimestamp "remoteTimestamp" Time,
    ReportsSent "reportsSent" Counter32 => EVENTS,
    // sources and playout
    EchoReturnLoss "echoReturnLoss" DECIBEL,
    EchoReturnLossEnhancement "echoReturnLossEnhancement" DECIBEL,
    Width "width" PIXELS,
    Height "height" PIXELS,
    Frames "frames" Counter32 => FRAMES,
    SynthesizedSamplesDuration "synthesizedSamplesDuration" Total => SECONDS,
    SynthesizedSamplesEvents "synthesizedSamplesEvents" Counter32 => CONCEALMENTS,
    TotalPlayoutDelay "totalPlayoutDelay" Total => WAITS,
    TotalSamplesCount "totalSamplesCount" Counter => SAMPLES,
    // connections
    CurrentRoundTripTime "currentRoundTripTime" ROUND_TRIP,
    AvailableOutgoingBitrate "availableOutgoingBitrate" RATE,
    AvailableIncomingBitrate "availableIncomingBitrate" RATE,
    RequestsSent "requestsSent" Counter => EVENTS,
    RequestsReceived "requestsReceived" Counter => EVENTS,
    ResponsesSent "responsesSent" Counter => EVENTS,
    ResponsesReceived "responsesReceived" Counter => EVENTS,
    ConsentRequestsSent "consentRequestsSent" Counter => EVENTS,
    LastPacketSentTimestamp "lastPacketSentTimestamp" Time,
    PacketsDiscardedOnSend "packetsDiscardedOnSend" Counter => PACKETS,
    BytesDiscardedOnSend "bytesDiscardedOnSend" Counter => BYTES,
    SelectedCandidatePairChanges "selectedCandidatePairChanges" Counter32 => EVENTS,
    CcfbMessagesSent "ccfbMessagesSent" Counter => EVENTS,
    CcfbMessagesReceived "ccfbMessagesReceived" Counter => EVENTS,
    MessagesSent "messagesSent" Counter => PACKETS,
    MessagesReceived "messagesReceived" Counter => PACKETS,
    DataChannelsOpened "dataChannelsOpened" Counter32 => EVENTS,
    DataChannelsClosed "dataChannelsClosed" Counter32 => EVENTS,
    // codecs
    PayloadType "payloadType" Code(127.0),
    ClockRate "clockRate" Code(U32),
    Channels "channels" Code(255.0),
}

fields! {
    /// A text member. Addresses, certificates and labels are excluded: they may identify people, and no figure depends
    /// on them.
    Text {
        CodecId "codecId",
        TransportId "transportId",
        Mid "mid",
        Rid "rid",
        RemoteId "remoteId",
        LocalId "localId",
        TrackIdentifier "trackIdentifier",
        TrackId "trackId", // obsolete: names the `track` entry
        MediaSourceId "mediaSourceId",
        PlayoutId "playoutId",
        EncoderImplementation "encoderImplementation",
        DecoderImplementation "decoderImplementation",
        ScalabilityMode "scalabilityMode",
        QualityLimitationReason "qualityLimitationReason",
        ContentType "contentType", // Chromium: `screenshare`
        MimeType "mimeType",
        SdpFmtpLine "sdpFmtpLine",
        SelectedCandidatePairId "selectedCandidatePairId",
        LocalCandidateId "localCandidateId",
        RemoteCandidateId "remoteCandidateId",
        CandidateType "candidateType",
        Protocol "protocol",
        RelayProtocol "relayProtocol",
        NetworkType "networkType",
        TcpType "tcpType",
        UsernameFragment "usernameFragment",
        IceLocalUsernameFragment "iceLocalUsernameFragment",
        IceState "iceState",
        IceRole "iceRole",
        DtlsState "dtlsState",
        DtlsRole "dtlsRole",
        State "state",
    }
}

fields! {
    /// A boolean member.
    Flag {
        Active "active",
        Nominated "nominated",
        Selected "selected", // Firefox
        Readable "readable", // Firefox
        Writable "writable", // Firefox, Chromium
        PowerEfficientEncoder "powerEfficientEncoder",
        PowerEfficientDecoder "powerEfficientDecoder",
        IsRemote "isRemote",
        RemoteSource "remoteSource", // obsolete, of a `track`
        Ended "ended",               // obsolete, of a `track`
        Detached "detached",         // obsolete, of a `track`
        CpuLimited "googCpuLimitedResolution",             // obsolete: folded into `qualityLimitationReason`
        BandwidthLimited "googBandwidthLimitedResolution", // likewise
    }
}

/// Declares the stats types with their names.
macro_rules! types {
    ($($(#[$doc:meta])* $variant:ident $name:literal,)*) => {
        /// The `type` of a stats entry.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum StatsType {
            $($(#[$doc])* $variant,)*
            /// An unknown type, or none.
            #[default]
            Other,
        }

        impl StatsType {
            /// Every type that has a name.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in getStats; empty for [`StatsType::Other`].
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* Self::Other => "" }
            }

            /// The type with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Self {
                match name { $($name => Self::$variant,)* _ => Self::Other }
            }
        }
    };
}

types! {
    /// A received RTP stream.
    InboundRtp "inbound-rtp",
    /// A sent RTP stream.
    OutboundRtp "outbound-rtp",
    /// The remote endpoint's report on a stream sent from here.
    RemoteInboundRtp "remote-inbound-rtp",
    /// The remote endpoint's report on a stream received here.
    RemoteOutboundRtp "remote-outbound-rtp",
    /// A track before encoding.
    MediaSource "media-source",
    /// Audio on its way to the output device.
    MediaPlayout "media-playout",
    /// The connection as a whole.
    PeerConnection "peer-connection",
    /// A data channel.
    DataChannel "data-channel",
    /// An ICE and DTLS transport.
    Transport "transport",
    /// A pair of ICE candidates.
    CandidatePair "candidate-pair",
    /// A local ICE candidate.
    LocalCandidate "local-candidate",
    /// A remote ICE candidate.
    RemoteCandidate "remote-candidate",
    /// A codec.
    Codec "codec",
    /// A certificate; only its id is read.
    Certificate "certificate",
    /// Obsolete: a track. The readers fold it into its RTP entry.
    Track "track",
    /// Obsolete: a stream of tracks.
    Stream "stream",
    /// Obsolete: a contributing source.
    Csrc "csrc",
    /// Obsolete: the transport of data channels.
    SctpTransport "sctp-transport",
    /// Obsolete: a STUN or TURN server.
    IceServer "ice-server",
    /// Obsolete: a sender.
    Sender "sender",
    /// Obsolete: a receiver.
    Receiver "receiver",
    /// Obsolete: a sender and a receiver.
    Transceiver "transceiver",
    /// Obsolete (Chromium's callback API): an RTP stream in either direction.
    LegacySsrc "ssrc",
    /// Obsolete: a candidate pair.
    LegacyCandidatePair "googCandidatePair",
    /// Obsolete: a transport.
    LegacyComponent "googComponent",
    /// Obsolete: bandwidth estimates.
    LegacyBwe "VideoBwe",
    /// Obsolete: a local candidate.
    LegacyLocalCandidate "localcandidate",
    /// Obsolete: a remote candidate.
    LegacyRemoteCandidate "remotecandidate",
    /// Obsolete: a track.
    LegacyTrack "googTrack",
    /// Obsolete: a session.
    LegacySession "googLibjingleSession",
    /// Obsolete: a certificate.
    LegacyCertificate "googCertificate",
}

impl StatsType {
    /// Whether entries of this type describe one RTP stream and have an SSRC.
    #[must_use]
    pub const fn is_rtp(self) -> bool {
        matches!(self, Self::InboundRtp | Self::OutboundRtp | Self::RemoteInboundRtp | Self::RemoteOutboundRtp)
    }

    /// Whether the engine reads members of entries of this type. Of the others it needs the id at most.
    pub(crate) const fn is_used(self) -> bool {
        !matches!(
            self,
            Self::Other
                | Self::Certificate
                | Self::Stream
                | Self::Csrc
                | Self::SctpTransport
                | Self::IceServer
                | Self::Sender
                | Self::Receiver
                | Self::Transceiver
                | Self::LegacyTrack
                | Self::LegacySession
                | Self::LegacyCertificate
        )
    }

    /// Whether entries of this type have the time of an RTCP report, not that of the snapshot.
    pub(crate) const fn is_remote(self) -> bool {
        matches!(self, Self::RemoteInboundRtp | Self::RemoteOutboundRtp)
    }

    /// Whether only Chromium's callback API has entries of this type.
    pub(crate) const fn is_legacy(self) -> bool {
        matches!(
            self,
            Self::LegacySsrc
                | Self::LegacyCandidatePair
                | Self::LegacyComponent
                | Self::LegacyBwe
                | Self::LegacyLocalCandidate
                | Self::LegacyRemoteCandidate
                | Self::LegacyTrack
                | Self::LegacySession
                | Self::LegacyCertificate
        )
    }
}
