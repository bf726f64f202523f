//! What leaves the engine when a call is over, or on the way: plain data with a schema number.
//!
//! Every key says its unit. What is not known is `null`, present, never 0 and never left out; every number is finite.

use alloc::string::String;
use alloc::vec::Vec;

use crate::digest::Stats;
use crate::event::{
    CallClass, EndReason, EndpointType, FabricState, FabricUsage, FailureReason, TransmissionDirection,
};
use crate::id::{Direction, MediaKind, Ssrc};

/// The schema of [`ConferenceSummary`]. New keys leave it as it is; a key that changes its name or meaning raises it.
pub const SCHEMA: &str = "callgauge.conference/1";

/// Implements the parts that every output struct shares.
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
        /// The conference's name; `None` when nobody said it.
        conference: Option<String>,
        /// Which instance of it: 1, and one more for each that came before.
        instance: u32,
        /// The first snapshot of any connection, ms on the reporters' clocks.
        start_ms: Option<f64>,
        /// The last one, ms.
        end_ms: Option<f64>,
        /// From the first to the last, in seconds.
        duration_s: Option<f64>,
        /// `ongoing` or `ended`.
        state: ConferenceState,
        /// Why it ended: `terminated`, `left`, `timeout`; `None` when nobody said so.
        end_reason: Option<EndReason>,
        /// How it went; `None` while that is open.
        call_class: Option<CallClass>,
        /// What its members were given to hear and see.
        score: GroupScore,
        /// What befell all fabrics.
        connectivity: ConnectivitySummary,
        /// What all users sent.
        uplink: FlowSummary,
        /// What all users received.
        downlink: FlowSummary,
        /// The users, by name.
        users: Vec<UserSummary>,
        /// Streams that both ends report, by SSRC.
        deliveries: Vec<DeliverySummary>,
        /// Who spoke, how much and when; `None` when nobody reports levels of sound.
        talk: Option<TalkSummary>,
        /// What happened, in the order of time.
        events: Vec<EventSummary>,
        /// Events that there was no room for.
        refused_events: u64,
        /// What failed, and the application's logs, in the order of time.
        errors: Vec<ErrorSummary>,
        /// Errors that there was no room for.
        refused_errors: u64,
        /// What people said.
        feedback: Vec<FeedbackSummary>,
        /// What went wrong, worst first: by severity, then by how long it went on.
        diagnoses: Vec<DiagnosisSummary>,
        /// Diagnoses that there was no room for.
        refused_diagnoses: u64,
        /// The PeerConnections, in the order in which they were opened; of several at one time, by name and users.
        fabrics: Vec<FabricSummary>,
    }

    /// A PeerConnection.
    FabricSummary {
        /// Its name in the input.
        fabric: String,
        /// Who reports; `None` when nobody said.
        local_user: Option<String>,
        /// Who is at the other end; `None` when nobody said.
        remote_user: Option<String>,
        /// What it is used for; `None` likewise.
        usage: Option<FabricUsage>,
        /// What is at the other end; `None` likewise.
        remote_endpoint_type: Option<EndpointType>,
        /// Which way media was meant to flow; `None` likewise.
        transmission_direction: Option<TransmissionDirection>,
        /// How far the connection got, as the application or else stats tell; `None` when neither does.
        state: Option<FabricState>,
        /// How it went; `None` while that is open.
        call_class: Option<CallClass>,
        /// When it was opened, ms on the caller's clock; `None` when it was before anybody could say.
        opened_ms: Option<f64>,
        /// When it was terminated, ms on the caller's clock; `None` when nobody said so.
        terminated_ms: Option<f64>,
        /// From opening to connected for the first time, ms. `None` when it never was, or was before anybody looked.
        setup_delay_ms: Option<f64>,
        /// How much shorter that may have been, because only stats told: the time since the look before. 0 when the
        /// application told.
        setup_delay_uncertainty_ms: Option<f64>,
        /// From gathering to complete, ms; `None` when the application did not tell.
        gathering_delay_ms: Option<f64>,
        /// From ICE being new to connected for the first time, ms.
        connectivity_delay_ms: Option<f64>,
        /// From opening to the failure of the set-up, ms; `None` when it did not fail.
        failure_delay_ms: Option<f64>,
        /// What the failure is put down to.
        failure_reason: Option<FailureReason>,
        /// What befell it.
        connectivity: ConnectivitySummary,
        /// What is sent on it.
        uplink: FlowSummary,
        /// What is received on it.
        downlink: FlowSummary,
        /// Devices in use, as the application said last.
        active_devices: Vec<DeviceSummary>,
        /// Devices that are there, as the application said last.
        connected_devices: Vec<DeviceSummary>,
        /// The first snapshot, ms on the reporter's clock.
        start_ms: Option<f64>,
        /// The last one.
        end_ms: Option<f64>,
        /// Snapshots taken.
        snapshots: u64,
        /// How often another candidate pair was selected.
        selected_pair_changes: u64,
        /// Streams beyond the limit, counted once for each snapshot that has one.
        refused_streams: u64,
        /// Round-trip times, by source: they measure different paths and are never mixed.
        rtt_ms: RttBySource,
        /// What its user was given to hear and see.
        score: GroupScore,
        /// The bandwidth that the sender's congestion control believes in.
        available_outgoing_bps: Stats,
        /// The RTP streams: inbound before outbound, audio before video, then by SSRC. One that passed from one user to
        /// another is there once for each, with the figures of that time.
        streams: Vec<StreamSummary>,
    }

    /// Round-trip times in ms, by source.
    RttBySource {
        /// By RTCP, over all streams that are sent.
        rtcp: Stats,
        /// By STUN on the selected candidate pair.
        ice: Stats,
    }

    /// An RTP stream, over the whole call and all its epochs.
    StreamSummary {
        /// Its SSRC.
        ssrc: Ssrc,
        /// Which way it flows, seen from the endpoint that reports.
        direction: Direction,
        /// What it carries; `None` when nothing reported tells.
        kind: Option<MediaKind>,
        /// Whose media it is: whom it was associated with, else the user at the end that sends it; `None` when nobody said.
        user: Option<String>,
        /// The label of its association, else its RID or MID; `None` when there is none of these.
        label: Option<String>,
        /// The codec of the last epoch, as its MIME type spells it.
        codec: Option<String>,
        /// The first look, ms on the reporter's clock.
        start_ms: f64,
        /// The last one.
        end_ms: f64,
        /// From the first to the last, in seconds. A clock that stepped back does not shorten it.
        duration_s: f64,
        /// Looks at different times.
        samples: u64,
        /// Times the same moment was reported again.
        duplicates: u64,
        /// Looks that came after later ones, and were left out.
        late: u64,
        /// 1 and one more for each reset.
        epochs: u64,
        /// How often counters began anew, the SSRC changed its track, or the reporter's clock stepped back.
        resets: u64,
        /// How often nothing was reported for much longer than before.
        gaps: u64,
        /// Seconds in those gaps.
        gap_s: f64,
        /// Seconds of coded silence from a disabled source, as far as the sender's own stats tell.
        muted_s: f64,
        /// Seconds in which the whole stream stood still.
        held_s: f64,
        /// Seconds in which nothing was sent, by the sender's own account.
        paused_s: f64,
        /// Seconds of discontinuous transmission.
        silent_s: f64,
        /// Packets received, or sent, from the first look to the last.
        packets: Option<u64>,
        /// Packets lost on the way, as the receiver counts them; may be negative (duplicates). For a stream that is
        /// sent, between the first and the last RTCP report.
        packets_lost: Option<i64>,
        /// Payload bytes received, or sent, retransmissions included, headers and padding not.
        bytes: Option<u64>,
        /// `8 · bytes / duration_s`: over the whole stream, pauses included. `None` for a single look.
        bitrate_bps: Option<f64>,
        /// Lost of expected packets, 0 to 1; for a stream that is sent, as the other end reports it. `None` when nobody
        /// counted or nothing was expected.
        loss_ratio: Option<f64>,
        /// Retransmitted packets among them.
        packets_retransmitted: Option<u64>,
        /// Interarrival jitter (RFC 3550 6.4.1) at the receiver.
        jitter_ms: Stats,
        /// Round-trip time by RTCP.
        rtt_ms: Stats,
        /// Bitrate of the intervals.
        interval_bitrate_bps: Stats,
        /// Loss ratio of the intervals.
        interval_loss_ratio: Stats,
        /// `None` for video.
        audio: Option<AudioSummary>,
        /// `None` for audio.
        video: Option<VideoSummary>,
        /// Mean opinion score over active time; the mean is one of R.
        mos: Stats,
        /// What it was worth, and why.
        score: ScoreSummary,
    }

    /// What only audio has. Figures of the receiver are `None` for streams that are sent.
    AudioSummary {
        /// Concealed of all samples, 0 to 1. This and the next three leave out muted, held and paused time, which browsers
        /// conceal too.
        concealed_ratio: Option<f64>,
        /// Concealed audibly: without what silence or comfort noise filled.
        audible_concealed_ratio: Option<f64>,
        /// How often concealment began.
        concealment_events: Option<u64>,
        /// Samples inserted or removed by the jitter buffer, of all samples.
        time_stretch_ratio: Option<f64>,
        /// Packets that carried or brought forward error correction.
        fec_packets: Option<u64>,
        /// Those of them that were not needed.
        fec_packets_discarded: Option<u64>,
        /// Packets that came too late or too early to be used.
        packets_discarded: Option<u64>,
        /// Time in the jitter buffer.
        jitter_buffer_delay_ms: Stats,
        /// Level as RMS, 0 to 1.
        level: Stats,
    }

    /// What only video has.
    VideoSummary {
        /// Frames decoded, or sent.
        frames: Option<u64>,
        /// Frames that were received and not shown.
        frames_dropped: Option<u64>,
        /// Key frames among them.
        key_frames: Option<u64>,
        /// Frames per second.
        frames_per_second: Stats,
        /// Width of the last frame.
        width: Option<u64>,
        /// Height of the last frame.
        height: Option<u64>,
        /// How often the picture froze.
        freezes: Option<u64>,
        /// Seconds frozen.
        frozen_s: Option<f64>,
        /// Mean quantizer, on the scale of the codec.
        qp: Stats,
        /// Time to decode a frame.
        decode_ms: Stats,
        /// Time to encode a frame.
        encode_ms: Stats,
        /// What the encoder was told to make.
        target_bitrate_bps: Stats,
        /// Time in the jitter buffer.
        jitter_buffer_delay_ms: Stats,
        /// Requests for retransmission (RFC 4585 NACK): made for a stream that is received, heard for one that is sent.
        nacks: Option<u64>,
        /// Requests for a new picture (RFC 4585 PLI), likewise.
        plis: Option<u64>,
        /// Seconds in which the encoder held back, by reason.
        quality_limited_s: QualityLimited,
    }

    /// Seconds in which an encoder held back, by reason.
    QualityLimited {
        /// The processor.
        cpu: Option<f64>,
        /// The network.
        bandwidth: Option<f64>,
        /// Something else.
        other: Option<f64>,
    }
}
