//! Users, connectivity, events, errors and feedback as a summary shows them. The module defines the schema; it computes
//! nothing.

use alloc::string::String;
use alloc::vec::Vec;

use super::{GroupScore, SpeakerSummary};
use crate::digest::Stats;
use crate::event::{EndReason, EventKind, FailureReason, Relay, WebRtcFunction, words};
use crate::id::{MediaKind, Ssrc};

words! {
    /// Whether a conference is ongoing.
    ConferenceState {
        /// The conference is ongoing.
        Ongoing "ongoing",
        /// The conference has ended.
        Ended "ended",
    }

    /// Whether a user is present.
    UserState {
        /// The user is in the conference.
        Present "present",
        /// The user has left.
        Left "left",
    }

    /// The schema of a summary.
    Schema {
        /// The first version.
        V1 "callgauge.conference/1",
    }
}

output! {
    /// A user.
    UserSummary {
        /// The user's name.
        user: String,
        /// `present` or `left`; `None` for a user that is only named by others and does not report.
        state: Option<UserState>,
        /// How often the user joined: 1 plus the number of returns.
        joins: u64,
        /// The stays, from joining to leaving, at most [`Limits::stays_per_user`](crate::Limits::stays_per_user): the
        /// first and the latest.
        stays: Vec<StaySummary>,
        /// The quality that the user received on the fabrics on which they report.
        score: GroupScore,
        /// The names of the fabrics on which the user reports, in the order of the fabrics.
        fabrics: Vec<String>,
        /// Connectivity counters of those fabrics.
        connectivity: ConnectivitySummary,
        /// The media they send, as they and the remote endpoints of their fabrics report it: their uplink.
        uplink: FlowSummary,
        /// The media they receive, as they report it: their downlink.
        downlink: FlowSummary,
        /// Their media as other users report receiving it: the whole path, if there is no server between them.
        delivered: FlowSummary,
        /// Seconds muted, summed over the streams they send.
        muted_s: f64,
        /// Seconds on hold, summed over the streams they send.
        held_s: f64,
        /// Seconds paused, summed over the streams they send.
        paused_s: f64,
        /// Seconds in which their connection was lost or not set up, summed over the streams they send.
        lost_s: f64,
        /// Seconds of screen sharing, as the application reported it.
        screen_shared_s: f64,
        /// Speaking times; `None` if no endpoint reports their audio level.
        talk: Option<SpeakerSummary>,
        /// The feedback they gave.
        feedback: Vec<FeedbackSummary>,
        /// Their events, sorted by time.
        events: Vec<EventSummary>,
    }

    /// A stay: from joining to leaving.
    StaySummary {
        /// When the user joined, ms on the caller's clock.
        joined_ms: f64,
        /// When the user left, or, after a timeout, the last activity plus the inactivity timeout; `None` while the
        /// user is present.
        left_ms: Option<f64>,
        /// How the user left; `None` while the user is present.
        end_reason: Option<EndReason>,
    }

    /// Connectivity counters, summed over fabrics.
    ConnectivitySummary {
        /// From opening to connected, ms, over the fabrics that connected.
        setup_delay_ms: DelaySummary,
        /// Fabrics whose initial set-up failed.
        setup_failures: u64,
        /// Disruptions: packets stopped flowing after they had flowed.
        disruptions: u64,
        /// Seconds of disruption.
        disrupted_s: f64,
        /// Seconds in which a connection was lost, or could not be set up, on the caller's clock: from the last traffic
        /// to the next connected state or the end. Disruptions are part of it; without those of connections that
        /// [never carried](crate::summary::FabricSummary::carried_media) anything beside others of the same user that
        /// did.
        lost_s: f64,
        /// ICE restarts.
        restarts: u64,
        /// How often packets switched to another path without an interruption.
        transport_switches: u64,
        /// How often a connected fabric was lost.
        drops: u64,
        /// Seconds in which packets went through a relay; `None` if no candidate was reported.
        relayed_s: Option<f64>,
        /// Reported errors, without logs.
        errors: u64,
    }

    /// Delays in ms, each of equal weight. All but `n` are `None` if there are no delays.
    DelaySummary {
        /// The shortest.
        min: Option<f64>,
        /// The mean.
        mean: Option<f64>,
        /// The median; for an even number of delays, the mean of the middle two.
        median: Option<f64>,
        /// The longest.
        max: Option<f64>,
        /// The number of delays.
        n: u64,
    }

    /// Pooled streams: sums are pooled before they are divided.
    FlowSummary {
        /// The number of streams or parts of streams.
        streams: u64,
        /// Packets; `None` if no stream reports them.
        packets: Option<u64>,
        /// Lost packets.
        packets_lost: Option<i64>,
        /// Payload bytes.
        bytes: Option<u64>,
        /// 8 · bytes over the time in which any stream has both: without gaps and intervals in which counters were reset, of
        /// each stream the first 32.
        bitrate_bps: Option<f64>,
        /// Lost packets over expected packets, 0 to 1, over the streams that report both.
        loss_ratio: Option<f64>,
        /// Jitter, weighted by time.
        jitter_ms: Stats,
        /// Round-trip times by RTCP, weighted by time.
        rtt_ms: Stats,
    }

    /// One stream as both ends see it: sender and receiver report the same SSRC.
    ///
    /// If the two are connected directly, both losses cover the whole path. If a server forwards the stream with the
    /// same SSRC, the sender's loss covers the path up to the server and the receiver's loss the path down.
    DeliverySummary {
        /// The SSRC.
        ssrc: Ssrc,
        /// Audio or video.
        kind: Option<MediaKind>,
        /// The user that the media belongs to.
        from: Option<String>,
        /// The user that receives it.
        to: Option<String>,
        /// The fabric on which it is sent.
        sender_fabric: String,
        /// The fabric on which it is received.
        receiver_fabric: String,
        /// Packets sent while the sender was sampled.
        packets_sent: Option<u64>,
        /// Packets received while the receiver was sampled.
        packets_received: Option<u64>,
        /// Loss as the remote endpoint of the sender's fabric reports it, 0 to 1.
        sender_loss_ratio: Option<f64>,
        /// Loss as the receiver counts it, 0 to 1.
        receiver_loss_ratio: Option<f64>,
        /// Round-trip times between the sender and the remote endpoint of its fabric.
        sender_rtt_ms: Stats,
        /// Jitter at the receiver.
        receiver_jitter_ms: Stats,
    }

    /// One event. Members that do not apply to its kind are `None`.
    EventSummary {
        /// The time, ms on the caller's clock.
        t_ms: f64,
        /// The kind.
        event: EventKind,
        /// The user, or the user of the fabric.
        user: Option<String>,
        /// The fabric, by name.
        fabric: Option<String>,
        /// The stream.
        ssrc: Option<Ssrc>,
        /// A duration: how long it took or lasted.
        delay_ms: Option<f64>,
        /// The reason of a failure.
        reason: Option<FailureReason>,
        /// How a user left, or how the conference ended.
        end_reason: Option<EndReason>,
        /// The state that changed, by its name in W3C webrtc.
        changed: Option<String>,
        /// The state before.
        before: Option<String>,
        /// The state after.
        after: Option<String>,
        /// The protocol to the relay.
        relay: Option<Relay>,
        /// The event is inferred from stats, and happened at some time since the previous snapshot.
        inferred: bool,
    }

    /// An error, or a log of the application.
    ErrorSummary {
        /// The time, ms on the caller's clock.
        t_ms: f64,
        /// The user.
        user: Option<String>,
        /// The fabric, by name.
        fabric: Option<String>,
        /// The function that failed.
        function: WebRtcFunction,
        /// The reason of the failure.
        reason: FailureReason,
        /// The `name` of the DOM error.
        dom_error: Option<String>,
        /// The error's message, or the log.
        message: Option<String>,
        /// Bytes cut off the message.
        cut_bytes: u64,
    }

    /// A user's feedback on the call. Ratings are from 1 to 5.
    FeedbackSummary {
        /// The user.
        user: Option<String>,
        /// The fabric, by name; `None` for the whole call.
        fabric: Option<String>,
        /// The overall rating.
        overall: u8,
        /// The audio rating.
        audio: Option<u8>,
        /// The video rating.
        video: Option<u8>,
        /// The rating of the shared screen.
        screen: Option<u8>,
        /// The comment.
        comment: Option<String>,
        /// Bytes cut off the comment.
        cut_bytes: u64,
        /// The measured MOS of the same fabric or of the whole call, 1 to 4.5; compare `overall`.
        measured_mos: Option<f64>,
        /// The measured MOS of its audio; compare `audio`.
        measured_audio_mos: Option<f64>,
        /// The measured MOS of its video, screens included; compare `video`.
        measured_video_mos: Option<f64>,
    }

    /// A camera, microphone or loudspeaker.
    DeviceSummary {
        /// `deviceId`.
        id: String,
        /// `kind`.
        kind: String,
        /// `groupId`.
        group: String,
        /// `label`; `None` unless [`Config::with_device_labels`](crate::Config::with_device_labels) asks for it.
        label: Option<String>,
    }
}
