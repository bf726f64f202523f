//! The output of the engine at the end of a call or during it: plain data with a schema number. The module defines the
//! schema and builds it; it changes no conference.
//!
//! Every key names its unit. An unknown value is `null`: it is present, never 0 and never left out. Every number is
//! finite.

use alloc::string::String;
use alloc::vec::Vec;

use crate::digest::Stats;
use crate::event::{
    CallClass, EndReason, EndpointType, FabricState, FabricUsage, FailureReason, IceState, Relay, TransmissionDirection,
};
use crate::id::{Direction, MediaKind, Ssrc};

/// The schema of [`ConferenceSummary`]. New keys do not change it; a key that changes its name or meaning raises it.
pub const SCHEMA: &str = "callgauge.conference/1";

/// Implements what every output struct shares.
macro_rules! output {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq)]
            #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
            #[non_exhaustive]
            pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
        )*
    };
}

mod build;
mod diagnosis;
mod life;
mod live;
mod scores;
mod talk;
pub(crate) mod unused;

pub use build::Distributions;
pub use diagnosis::DiagnosisSummary;
pub use life::{
    ConferenceState, ConnectivitySummary, DelaySummary, DeliverySummary, DeviceSummary, ErrorSummary, EventSummary,
    FeedbackSummary, FlowSummary, Schema, StaySummary, UserState, UserSummary,
};
pub use live::{FabricView, Reachability, Reused, TrackStats, TrackView, View};
pub use scores::{GroupScore, RatingSeconds, ScoreSummary, WorstTenSeconds};
pub use talk::{DominanceSummary, SpeakerSummary, TalkSummary};

output! {
    /// A conference.
    ConferenceSummary {
        /// [`SCHEMA`].
        schema: Schema,
        /// The conference's name; `None` if the caller gave none.
        conference: Option<String>,
        /// The number of this instance: 1, plus one for each earlier instance of the same name.
        instance: u32,
        /// Time of the first snapshot of any connection, ms on the reporters' clocks.
        start_ms: Option<f64>,
        /// Time of the last snapshot, ms.
        end_ms: Option<f64>,
        /// Seconds from the first snapshot to the last.
        duration_s: Option<f64>,
        /// `ongoing` or `ended`.
        state: ConferenceState,
        /// Why it ended: `terminated`, `left`, `timeout`; `None` if no end is known.
        end_reason: Option<EndReason>,
        /// How the call went; `None` while that is undecided.
        call_class: Option<CallClass>,
        /// The quality that the participants received.
        score: GroupScore,
        /// Connectivity counters over all fabrics.
        connectivity: ConnectivitySummary,
        /// The media that all users sent.
        uplink: FlowSummary,
        /// The media that all users received.
        downlink: FlowSummary,
        /// The users, sorted by name.
        users: Vec<UserSummary>,
        /// The streams that both ends report, sorted by SSRC.
        deliveries: Vec<DeliverySummary>,
        /// Speakers, their speaking time and the spans of dominance; `None` when no endpoint reports audio levels.
        talk: Option<TalkSummary>,
        /// Events, sorted by time.
        events: Vec<EventSummary>,
        /// Events dropped because the list was full.
        refused_events: u64,
        /// Errors and the application's logs, sorted by time.
        errors: Vec<ErrorSummary>,
        /// Errors dropped because the list was full.
        refused_errors: u64,
        /// The feedback of the users.
        feedback: Vec<FeedbackSummary>,
        /// Diagnoses, worst first: by severity, then by duration.
        diagnoses: Vec<DiagnosisSummary>,
        /// Diagnoses dropped because the list was full.
        refused_diagnoses: u64,
        /// The PeerConnections in the order of opening; those opened at the same time by name and users.
        fabrics: Vec<FabricSummary>,
    }

    /// A PeerConnection.
    FabricSummary {
        /// The fabric's name in the input.
        fabric: String,
        /// The user that reports on this fabric; `None` if not given.
        local_user: Option<String>,
        /// The user at the other end; `None` if not given.
        remote_user: Option<String>,
        /// The use of the fabric; `None` if not given.
        usage: Option<FabricUsage>,
        /// The type of the remote endpoint; `None` if not given.
        remote_endpoint_type: Option<EndpointType>,
        /// The intended direction of media; `None` if not given.
        transmission_direction: Option<TransmissionDirection>,
        /// The state of the connection, as the application, otherwise stats, report it; `None` if neither does.
        state: Option<FabricState>,
        /// How the call went on this fabric; `None` while that is undecided.
        call_class: Option<CallClass>,
        /// When it was opened, ms on the caller's clock; `None` if the opening was not observed.
        opened_ms: Option<f64>,
        /// When it was terminated, ms on the caller's clock; `None` if no termination was reported.
        terminated_ms: Option<f64>,
        /// From opening to the first connected state, ms. `None` if it never connected, or connected before the first
        /// snapshot.
        setup_delay_ms: Option<f64>,
        /// How much shorter the set-up delay may have been when only stats report it: the time since the previous
        /// snapshot. 0 if the application reported it.
        setup_delay_uncertainty_ms: Option<f64>,
        /// From the start of gathering to its completion, ms; `None` if the application did not report it.
        gathering_delay_ms: Option<f64>,
        /// From ICE state `new` to the first connected state, ms.
        connectivity_delay_ms: Option<f64>,
        /// From opening to the failure of the set-up, ms; `None` if the set-up did not fail.
        failure_delay_ms: Option<f64>,
        /// The reason of the failure.
        failure_reason: Option<FailureReason>,
        /// Connectivity counters of this fabric.
        connectivity: ConnectivitySummary,
        /// The media sent on it.
        uplink: FlowSummary,
        /// The media received on it.
        downlink: FlowSummary,
        /// Devices in use, as the application last reported them.
        active_devices: Vec<DeviceSummary>,
        /// Available devices, as the application last reported them.
        connected_devices: Vec<DeviceSummary>,
        /// Time of the first snapshot, ms on the reporter's clock with its steps taken out.
        start_ms: Option<f64>,
        /// Time of the last snapshot.
        end_ms: Option<f64>,
        /// What was odd about the clock of its reports.
        clock: ClockSummary,
        /// Entries that could not be used, summed over [`Report::skipped`](crate::report::Report::skipped).
        skipped_entries: u64,
        /// Members with an impossible value, summed likewise.
        bad_fields: u64,
        /// Snapshots taken.
        snapshots: u64,
        /// Whether any of its streams ever carried a packet. A page may open connections to itself only to test addresses.
        carried_media: bool,
        /// Whether a data channel of it ever carried anything.
        carried_data: bool,
        /// How often the selected candidate pair changed.
        selected_pair_changes: u64,
        /// Streams beyond the limit, counted once per snapshot that contains one.
        refused_streams: u64,
        /// Round-trip times by source. The sources measure different paths and are never mixed.
        rtt_ms: RttBySource,
        /// The quality that its user received.
        score: GroupScore,
        /// The sender's bandwidth estimate from congestion control.
        available_outgoing_bps: Stats,
        /// The network paths: one with BUNDLE, one for each transport that streams use without. The first is the one of
        /// the figures above. Empty if stats show neither transport nor selected pair.
        paths: Vec<PathSummary>,
        /// Values of the selected candidate pairs of all paths and of the playout that were left out because they are
        /// impossible; `None` without any.
        doubted: Option<DoubtedValues>,
        /// The RTP streams: inbound before outbound, audio before video, then by SSRC. A stream that passed from one
        /// user to another has one entry per user, each with the figures of its own time.
        streams: Vec<StreamSummary>,
    }

    /// A network path of a connection: a transport with its selected candidate pair.
    PathSummary {
        /// The id of the transport's stats; `None` if stats show none.
        transport: Option<String>,
        /// The state at the latest snapshot that has it, in the words of ICE; DTLS counts. `None` if no stats show it.
        state: Option<IceState>,
        /// Round-trip time by STUN on the selected pair.
        rtt_ms: Stats,
        /// The sender's bandwidth estimate from congestion control.
        available_outgoing_bps: Stats,
        /// Whether packets pass a relay at either end; `None` if no candidate is known.
        relayed: Option<bool>,
        /// The protocol to the relay of this end; `None` without one.
        relay: Option<Relay>,
        /// The protocol of the local candidate, `udp` or `tcp`; `None` if no candidate is known.
        protocol: Option<String>,
        /// Seconds in which packets passed a relay; `None` if no candidate is known.
        relayed_s: Option<f64>,
        /// How often another candidate pair was selected.
        selected_pair_changes: u64,
    }

    /// What was odd about a reporter's clock, judged by the caller's clock. All counts are 0 for a good clock.
    ClockSummary {
        /// Steps: the time line continues with the caller's clock, and the interval across a step has no rate.
        steps: u64,
        /// How often the times changed their unit, or their steps could not be milliseconds.
        unit_changes: u64,
        /// Entries of streams without a time, or with a time of 0: nothing is derived from them.
        untimed: u64,
        /// Entries of streams with a time that the rest of their snapshot, or for the first snapshot the next one,
        /// contradicts: nothing is derived from them.
        wild: u64,
        /// How far the clock was ahead of the caller's wall clock at the first snapshot, ms, negative if behind; the
        /// connection's times are then the caller's. `None` if the clock agrees.
        offset_ms: Option<f64>,
    }

    /// Round-trip times in ms, by source.
    RttBySource {
        /// By RTCP, over all sent streams.
        rtcp: Stats,
        /// By STUN on the selected candidate pair.
        ice: Stats,
    }

    /// An RTP stream, over the whole call and all its epochs.
    StreamSummary {
        /// The SSRC.
        ssrc: Ssrc,
        /// The direction, seen from the endpoint that reports.
        direction: Direction,
        /// Audio or video; `None` if no report states it.
        kind: Option<MediaKind>,
        /// The owner of the media: the user it was associated with, otherwise the user at the sending end; `None` if not
        /// given.
        user: Option<String>,
        /// The label of its association, otherwise its RID or MID; `None` if there is none of these.
        label: Option<String>,
        /// The id of the transport that carries it, as in [`FabricSummary::paths`]; `None` if stats show none, and for
        /// the part of a stream before it passed to another user if there are several.
        transport: Option<String>,
        /// The codec of the last epoch, spelled as its MIME type spells it.
        codec: Option<String>,
        /// Time of the first sample, ms on the reporter's clock.
        start_ms: f64,
        /// Time of the last sample.
        end_ms: f64,
        /// Seconds from the first sample to the last. A clock that stepped back does not shorten it.
        duration_s: f64,
        /// Samples with distinct timestamps.
        samples: u64,
        /// Samples that repeated a timestamp.
        duplicates: u64,
        /// Samples that arrived after later ones and were ignored.
        late: u64,
        /// 1 plus the number of resets.
        epochs: u64,
        /// Resets: the counters restarted, the SSRC changed its track, or the reporter's clock stepped.
        resets: u64,
        /// The resets among them at which only the clock stepped: the counters went on.
        clock_steps: u64,
        /// `samples` if they are less than 10 ms apart on average: no browser samples so often, so the times hardly advance or
        /// are in another unit, and there is no bitrate. Otherwise 0.
        hasty: u64,
        /// Gaps: times without reports much longer than the usual interval.
        gaps: u64,
        /// Seconds in those gaps.
        gap_s: f64,
        /// Seconds of coded silence from a disabled source, as far as the sender's own stats show it.
        muted_s: f64,
        /// Seconds in which the whole stream stood still.
        held_s: f64,
        /// Seconds in which nothing was sent, according to the sender.
        paused_s: f64,
        /// Seconds of discontinuous transmission.
        silent_s: f64,
        /// Seconds in which nothing passed because the connection was lost or not set up.
        lost_s: f64,
        /// Seconds of intervals in which the counters were reset.
        reset_s: f64,
        /// Packets received or sent from the first sample to the last.
        packets: Option<u64>,
        /// Packets lost on the path, as the receiver counts them, outside muted, held, paused and lost time; may be negative
        /// because of duplicates. For a sent stream, counted between the first and the last RTCP report.
        packets_lost: Option<i64>,
        /// Packets counted as lost in muted, held, paused and lost time. They are in no ratio.
        packets_lost_at_rest: Option<i64>,
        /// The denominator of `loss_ratio`: lost packets and received ones without retransmissions, or the sent packets
        /// that reports cover, over the intervals in which both sides of the ratio are known.
        packets_expected: Option<u64>,
        /// Payload bytes received or sent, including retransmissions, excluding headers and padding.
        bytes: Option<u64>,
        /// 8 · bytes over the time in which both are known: the whole stream, pauses included, without gaps, intervals in
        /// which counters were reset, and those without bytes at either end. `None` without such time.
        bitrate_bps: Option<f64>,
        /// Lost packets over expected packets, 0 to 1; for a sent stream, as the remote endpoint reports it. `None` if
        /// no endpoint counted or no packet was expected.
        loss_ratio: Option<f64>,
        /// Retransmitted packets, included in `packets`.
        retransmitted_packets: Option<u64>,
        /// Interarrival jitter (RFC 3550 6.4.1) at the receiver.
        jitter_ms: Stats,
        /// Round-trip time by RTCP.
        rtt_ms: Stats,
        /// Bitrate per interval.
        interval_bitrate_bps: Stats,
        /// Loss ratio per interval.
        interval_loss_ratio: Stats,
        /// `None` for video.
        audio: Option<AudioSummary>,
        /// `None` for audio.
        video: Option<VideoSummary>,
        /// Mean opinion score over active time. The mean is taken over R.
        mos: Stats,
        /// The score and its causes.
        score: ScoreSummary,
        /// Values that were left out because they are impossible; `None` without any.
        doubted: Option<DoubtedValues>,
    }

    /// Values of a stream that were left out because they are impossible: losses beyond what could have come, delays
    /// beyond a minute, parts larger than their whole, counters that went back a little or leapt in a single sample.
    DoubtedValues {
        /// How many.
        values: u64,
        /// The members that had them, by their names in getStats.
        members: Vec<String>,
    }

    /// Figures of audio streams. Receiver-side figures are `None` for sent streams.
    AudioSummary {
        /// Concealed samples over all samples, 0 to 1. This and the next three figures exclude muted, held and paused
        /// time, which browsers conceal too.
        concealed_ratio: Option<f64>,
        /// Audibly concealed samples: without those filled with silence or comfort noise.
        audible_concealed_ratio: Option<f64>,
        /// Concealment events.
        concealment_events: Option<u64>,
        /// Samples inserted or removed by the jitter buffer, over all samples.
        time_stretch_ratio: Option<f64>,
        /// Packets that carried or contained forward error correction.
        fec_packets: Option<u64>,
        /// FEC packets that were not needed.
        fec_packets_discarded: Option<u64>,
        /// Packets discarded because they arrived too late or too early.
        packets_discarded: Option<u64>,
        /// Jitter buffer delay.
        jitter_buffer_delay_ms: Stats,
        /// RMS level, 0 to 1.
        level: Stats,
    }

    /// Figures of video streams.
    VideoSummary {
        /// Frames decoded, or sent.
        frames: Option<u64>,
        /// Frames that were received but not displayed.
        frames_dropped: Option<u64>,
        /// Key frames among them.
        key_frames: Option<u64>,
        /// Frames per second.
        frames_per_second: Stats,
        /// Width of the last frame.
        width: Option<u64>,
        /// Height of the last frame.
        height: Option<u64>,
        /// Freezes.
        freezes: Option<u64>,
        /// Seconds frozen.
        frozen_s: Option<f64>,
        /// Mean quantizer, on the codec's own scale.
        qp: Stats,
        /// Time to decode a frame.
        decode_ms: Stats,
        /// Time to encode a frame.
        encode_ms: Stats,
        /// The encoder's target bitrate.
        target_bitrate_bps: Stats,
        /// Jitter buffer delay.
        jitter_buffer_delay_ms: Stats,
        /// Retransmission requests (RFC 4585 NACK): sent for a received stream, received for a sent stream.
        nacks: Option<u64>,
        /// Picture loss indications (RFC 4585 PLI), counted likewise.
        plis: Option<u64>,
        /// Seconds in which the encoder limited quality, by reason.
        quality_limited_s: QualityLimited,
    }

    /// Seconds in which an encoder limited quality, by reason.
    QualityLimited {
        /// The processor.
        cpu: Option<f64>,
        /// The network.
        bandwidth: Option<f64>,
        /// Something else.
        other: Option<f64>,
    }
}
