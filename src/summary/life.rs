//! What a summary says of the life of a call: users, what happened, what was said.

use alloc::string::String;
use alloc::vec::Vec;

use super::{GroupScore, SpeakerSummary};
use crate::digest::Stats;
use crate::event::{EndReason, EventKind, FailureReason, Relay, WebRtcFunction, words};
use crate::id::{MediaKind, Ssrc};

words! {
    /// Whether a conference goes on.
    ConferenceState {
        /// It does.
        Ongoing "ongoing",
        /// It is over.
        Ended "ended",
    }

    /// Whether a user is there.
    UserState {
        /// They are.
        Present "present",
        /// They were.
        Left "left",
    }

    /// The schema of a summary.
    Schema {
        /// The first.
        V1 "callgauge.conference/1",
    }
}

output! {
    /// A user.
    UserSummary {
        /// The user's name.
        user: String,
        /// `present` or `left`; `None` for somebody who is known by name only and does not report.
        state: Option<UserState>,
        /// How often they joined: 1 and one more for each time they came back.
        joins: u64,
        /// From joining to leaving, one by one, at most [`Limits::stays_per_user`](crate::Limits::stays_per_user): the first,
        /// and the latest.
        stays: Vec<StaySummary>,
        /// What they were given to hear and see on the fabrics on which they report.
        score: GroupScore,
        /// The names of the fabrics on which they report, in the order of the fabrics.
        fabrics: Vec<String>,
        /// What befell those fabrics.
        connectivity: ConnectivitySummary,
        /// What they send, as they and the far ends of their fabrics report it: their own way into the network.
        uplink: FlowSummary,
        /// What they receive, as they report it: the way to them.
        downlink: FlowSummary,
        /// Their media as others report to have received it: the whole way, where nobody stands between.
        delivered: FlowSummary,
        /// Seconds muted of the streams that they send, together.
        muted_s: f64,
        /// Seconds on hold of the streams that they send, together.
        held_s: f64,
        /// Seconds paused of the streams that they send, together.
        paused_s: f64,
        /// Seconds in which they shared a screen, as the application said.
        screen_shared_s: f64,
        /// How they spoke; `None` when nobody reports the level of their voice.
        talk: Option<SpeakerSummary>,
        /// What they said of the call.
        feedback: Vec<FeedbackSummary>,
        /// What happened to them, in the order of time.
        events: Vec<EventSummary>,
    }

    /// From joining to leaving.
    StaySummary {
        /// When, ms on the caller's clock.
        joined_ms: f64,
        /// When they left, or were last heard of before a silence that was too long plus that silence; `None` while they are
        /// there.
        left_ms: Option<f64>,
        /// How; `None` likewise.
        end_reason: Option<EndReason>,
    }

    /// What befell fabrics, in sum.
    ConnectivitySummary {
        /// From opening to connected, ms, over the fabrics that got so far.
        setup_delay_ms: DelaySummary,
        /// How many fabrics could not be set up at first.
        setup_failures: u64,
        /// How often packets could not flow though they had.
        disruptions: u64,
        /// Seconds of that.
        disrupted_s: f64,
        /// How often ICE began anew.
        restarts: u64,
        /// How often packets took another path without an interruption.
        transport_switches: u64,
        /// How often a connected fabric was lost.
        drops: u64,
        /// Seconds in which packets passed by way of a relay; `None` when no candidate was reported.
        relayed_s: Option<f64>,
        /// Errors that were reported, logs not among them.
        errors: u64,
    }

    /// Delays in ms, each of equal weight. Everything but `n` is `None` when there is none.
    DelaySummary {
        /// The shortest.
        min: Option<f64>,
        /// Their mean.
        mean: Option<f64>,
        /// Their median; of an even number the mean of the middle two.
        median: Option<f64>,
        /// The longest.
        max: Option<f64>,
        /// How many there are.
        n: u64,
    }

    /// Streams pooled: sums before they are divided.
    FlowSummary {
        /// How many streams, or parts of them.
        streams: u64,
        /// Packets; `None` when no stream says.
        packets: Option<u64>,
        /// Lost packets.
        packets_lost: Option<i64>,
        /// Payload bytes.
        bytes: Option<u64>,
        /// 8 · bytes over the time from the first look at any of them to the last.
        bitrate_bps: Option<f64>,
        /// Lost of expected packets, 0 to 1, over the streams that say both.
        loss_ratio: Option<f64>,
        /// Jitter, weighted by time.
        jitter_ms: Stats,
        /// Round-trip times by RTCP, weighted by time.
        rtt_ms: Stats,
    }

    /// One stream as seen from both ends: who sends it and who receives it report the same SSRC.
    ///
    /// Where the two are connected to each other both losses are about the whole way. Where a server stands between and
    /// leaves the SSRC as it is, the sender's is about the way up to it and the receiver's about the way down.
    DeliverySummary {
        /// The SSRC.
        ssrc: Ssrc,
        /// What it carries.
        kind: Option<MediaKind>,
        /// Whose media it is.
        from: Option<String>,
        /// Who receives it.
        to: Option<String>,
        /// The fabric on which it is sent.
        sender_fabric: String,
        /// The fabric on which it is received.
        receiver_fabric: String,
        /// Packets sent while the sender was looked at.
        packets_sent: Option<u64>,
        /// Packets received while the receiver was looked at.
        packets_received: Option<u64>,
        /// Loss as the far end of the sender's fabric reports it, 0 to 1.
        sender_loss_ratio: Option<f64>,
        /// Loss as the receiver counts it, 0 to 1.
        receiver_loss_ratio: Option<f64>,
        /// Round-trip times between the sender and the far end of its fabric.
        sender_rtt_ms: Stats,
        /// Jitter at the receiver.
        receiver_jitter_ms: Stats,
    }

    /// One thing that happened. What does not belong to its kind is `None`.
    EventSummary {
        /// When, ms on the caller's clock.
        t_ms: f64,
        /// What.
        event: EventKind,
        /// Whose fabric, or who.
        user: Option<String>,
        /// Which fabric, by name.
        fabric: Option<String>,
        /// Which stream.
        ssrc: Option<Ssrc>,
        /// How long it took or lasted.
        delay_ms: Option<f64>,
        /// Why something failed.
        reason: Option<FailureReason>,
        /// How somebody left, or the conference ended.
        end_reason: Option<EndReason>,
        /// Which state changed, by its name in W3C webrtc.
        changed: Option<String>,
        /// The state before.
        before: Option<String>,
        /// The state after.
        after: Option<String>,
        /// How the relay is reached.
        relay: Option<Relay>,
        /// It follows from stats, and happened at some time since the snapshot before.
        inferred: bool,
    }

    /// Something that failed, or a log of the application.
    ErrorSummary {
        /// When, ms on the caller's clock.
        t_ms: f64,
        /// Whose.
        user: Option<String>,
        /// On which fabric, by name.
        fabric: Option<String>,
        /// The function that failed.
        function: WebRtcFunction,
        /// What it is put down to.
        reason: FailureReason,
        /// The `name` of the DOM error.
        dom_error: Option<String>,
        /// Its message, or the log.
        message: Option<String>,
        /// Bytes that were cut off the message.
        cut_bytes: u64,
    }

    /// What somebody said of the call. Ratings are from 1 to 5.
    FeedbackSummary {
        /// Who.
        user: Option<String>,
        /// About which fabric, by name; `None`: about the whole call.
        fabric: Option<String>,
        /// The whole.
        overall: u8,
        /// The sound.
        audio: Option<u8>,
        /// The picture.
        video: Option<u8>,
        /// The shared screen.
        screen: Option<u8>,
        /// In words.
        comment: Option<String>,
        /// Bytes that were cut off the comment.
        cut_bytes: u64,
        /// What was measured of the same thing, 1 to 4.5: the MOS of the fabric or of the whole call, of the sound, and of
        /// the pictures, in the order of the ratings above.
        measured_mos: Option<f64>,
        /// Of its sound.
        measured_audio_mos: Option<f64>,
        /// Of its pictures, screens included.
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
