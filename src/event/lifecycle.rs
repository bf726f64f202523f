//! The events in the lifecycle of a call, in callstats' words. The module defines them; it raises none.

use super::error::FailureReason;
use super::words::{ConnectionState, GatheringState, IceState, Relay, SignalingState, words};
use crate::id::{FabricId, Ssrc, UserId};
use crate::unit::Timestamp;

words! {
    /// The kind of an event.
    EventKind {
        /// A fabric was opened (`addNewFabric`).
        FabricOpened "fabricOpened",
        /// A fabric connected for the first time. Contains the setup delay.
        FabricSetup "fabricSetup",
        /// The set-up of a fabric failed. Contains the failure delay and the reason.
        FabricSetupFailed "fabricSetupFailed",
        /// A connected fabric was lost.
        FabricDropped "fabricDropped",
        /// A state of failed or closed was untrue: traffic went on. What followed from it is withdrawn. Contains how long
        /// it was believed.
        StateRefuted "stateRefuted",
        /// A state of the PeerConnection changed.
        FabricStateChange "fabricStateChange",
        /// Packets take another path, without an interruption that ICE noticed.
        FabricTransportSwitch "fabricTransportSwitch",
        /// The path of a connected fabric stopped responding.
        IceDisruptionStart "iceDisruptionStart",
        /// Packets can flow again. Contains the length of the disruption.
        IceDisruptionEnd "iceDisruptionEnd",
        /// The path stopped responding during checks.
        IceConnectionDisruptionStart "iceConnectionDisruptionStart",
        /// The checks continue. Contains the length of the disruption.
        IceConnectionDisruptionEnd "iceConnectionDisruptionEnd",
        /// ICE restarted.
        IceRestarted "iceRestarted",
        /// No path was found.
        IceFailed "iceFailed",
        /// ICE was closed before a path was found.
        IceAborted "iceAborted",
        /// ICE was closed.
        IceTerminated "iceTerminated",
        /// The fabric was put on hold.
        FabricHold "fabricHold",
        /// The fabric was resumed.
        FabricResume "fabricResume",
        /// Audio was muted.
        AudioMute "audioMute",
        /// Audio was unmuted.
        AudioUnmute "audioUnmute",
        /// Video was paused.
        VideoPause "videoPause",
        /// Video was resumed.
        VideoResume "videoResume",
        /// Screen sharing started.
        ScreenShareStart "screenShareStart",
        /// Screen sharing stopped.
        ScreenShareStop "screenShareStop",
        /// The endpoint considers its user the dominant speaker.
        DominantSpeaker "dominantSpeaker",
        /// The devices in use changed.
        ActiveDeviceList "activeDeviceList",
        /// The connected devices changed.
        ConnectedDeviceList "connectedDeviceList",
        /// The application ended a fabric, or closed its PeerConnection.
        FabricTerminated "fabricTerminated",
        /// A WebRTC function failed without ending the set-up of a fabric.
        WebRtcError "webRtcError",
        /// The application reported a log.
        ApplicationErrorLog "applicationErrorLog",
        /// An SSRC now carries another user's media.
        SsrcMap "ssrcMap",
        /// A user joined, or rejoined.
        UserJoined "userJoined",
        /// A user left. Contains the end reason.
        UserLeft "userLeft",
        /// The conference ended. Contains the end reason.
        ConferenceEnded "conferenceEnded",
    }

    /// How a user's stay or a conference ended.
    EndReason {
        /// The application terminated the fabrics.
        Terminated "terminated",
        /// The user left.
        Left "left",
        /// There was no activity.
        Timeout "timeout",
    }
}

/// The state of a PeerConnection before and after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum StateChange {
    /// `iceConnectionState`.
    Ice(IceState, IceState),
    /// `iceGatheringState`.
    Gathering(GatheringState, GatheringState),
    /// `signalingState`.
    Signaling(SignalingState, SignalingState),
    /// `connectionState`.
    Connection(ConnectionState, ConnectionState),
}

impl StateChange {
    /// The state that changed, by its name in W3C webrtc.
    #[must_use]
    pub const fn of(self) -> &'static str {
        match self {
            Self::Ice(..) => "iceConnectionState",
            Self::Gathering(..) => "iceGatheringState",
            Self::Signaling(..) => "signalingState",
            Self::Connection(..) => "connectionState",
        }
    }

    /// The state before.
    #[must_use]
    pub fn before(self) -> &'static str {
        match self {
            Self::Ice(before, _) => before.name(),
            Self::Gathering(before, _) => before.name(),
            Self::Signaling(before, _) => before.name(),
            Self::Connection(before, _) => before.name(),
        }
    }

    /// The state after.
    #[must_use]
    pub fn after(self) -> &'static str {
        match self {
            Self::Ice(_, after) => after.name(),
            Self::Gathering(_, after) => after.name(),
            Self::Signaling(_, after) => after.name(),
            Self::Connection(_, after) => after.name(),
        }
    }
}

/// One event of a call. Members that do not apply to its kind are `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CallEvent {
    /// When the engine received or detected it, on the caller's clock.
    pub at: Timestamp,
    /// The kind.
    pub kind: EventKind,
    /// The fabric.
    pub fabric: Option<FabricId>,
    /// The local user of the fabric, or the user that joined or left.
    pub user: Option<UserId>,
    /// The stream, if it concerns one.
    pub ssrc: Option<Ssrc>,
    /// How long it took or lasted, ms: a setup delay, a failure delay, a disruption.
    pub delay_ms: Option<f64>,
    /// The reason of a failure.
    pub reason: Option<FailureReason>,
    /// How a user left, or how the conference ended.
    pub end: Option<EndReason>,
    /// The state that changed.
    pub change: Option<StateChange>,
    /// The protocol to the relay on the path now in use.
    pub relay: Option<Relay>,
    /// The event is inferred from stats, and happened at some time since the previous snapshot.
    pub is_inferred: bool,
}

impl CallEvent {
    pub(crate) const fn new(at: Timestamp, kind: EventKind) -> Self {
        Self {
            at,
            kind,
            fabric: None,
            user: None,
            ssrc: None,
            delay_ms: None,
            reason: None,
            end: None,
            change: None,
            relay: None,
            is_inferred: false,
        }
    }
}
