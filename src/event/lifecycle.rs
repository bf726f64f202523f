//! What happens in the life of a call, in callstats' words.

use super::error::FailureReason;
use super::words::{ConnectionState, GatheringState, IceState, Relay, SignalingState, words};
use crate::id::{FabricId, Ssrc, UserId};
use crate::unit::Timestamp;

words! {
    /// What happened.
    EventKind {
        /// A fabric was opened (`addNewFabric`).
        FabricOpened "fabricOpened",
        /// A fabric is connected for the first time. With the setup delay.
        FabricSetup "fabricSetup",
        /// A fabric could not be set up. With the failure delay and the reason.
        FabricSetupFailed "fabricSetupFailed",
        /// A connected fabric was lost.
        FabricDropped "fabricDropped",
        /// A state of the PeerConnection changed.
        FabricStateChange "fabricStateChange",
        /// Packets take another path, without an interruption that ICE noticed.
        FabricTransportSwitch "fabricTransportSwitch",
        /// The path of a connected fabric stopped answering.
        IceDisruptionStart "iceDisruptionStart",
        /// Packets can flow again. With the length of the disruption.
        IceDisruptionEnd "iceDisruptionEnd",
        /// The path stopped answering while it was still being checked.
        IceConnectionDisruptionStart "iceConnectionDisruptionStart",
        /// It is being checked again. With the length.
        IceConnectionDisruptionEnd "iceConnectionDisruptionEnd",
        /// ICE began anew.
        IceRestarted "iceRestarted",
        /// No path was found.
        IceFailed "iceFailed",
        /// Closed before a path was found.
        IceAborted "iceAborted",
        /// Closed.
        IceTerminated "iceTerminated",
        /// Put on hold.
        FabricHold "fabricHold",
        /// Taken off hold.
        FabricResume "fabricResume",
        /// Sound is muted.
        AudioMute "audioMute",
        /// Sound is on again.
        AudioUnmute "audioUnmute",
        /// Video is paused.
        VideoPause "videoPause",
        /// Video goes on.
        VideoResume "videoResume",
        /// A screen is shared.
        ScreenShareStart "screenShareStart",
        /// No longer.
        ScreenShareStop "screenShareStop",
        /// The endpoint found itself to be the one that speaks.
        DominantSpeaker "dominantSpeaker",
        /// The devices in use changed.
        ActiveDeviceList "activeDeviceList",
        /// The devices that are there changed.
        ConnectedDeviceList "connectedDeviceList",
        /// The application ended a fabric, or closed its PeerConnection.
        FabricTerminated "fabricTerminated",
        /// A WebRTC function failed without ending the set-up of a fabric.
        WebRtcError "webRtcError",
        /// The application logged something.
        ApplicationErrorLog "applicationErrorLog",
        /// An SSRC now carries somebody else's media.
        SsrcMap "ssrcMap",
        /// A user joined, or came back.
        UserJoined "userJoined",
        /// A user left. Says how.
        UserLeft "userLeft",
        /// The conference is over. Says how.
        ConferenceEnded "conferenceEnded",
    }

    /// How somebody's stay, or a conference, came to its end.
    EndReason {
        /// By the application's word that fabrics are terminated.
        Terminated "terminated",
        /// By leaving.
        Left "left",
        /// By silence.
        Timeout "timeout",
    }
}

/// A state of a PeerConnection before and after.
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
    /// Which state, by its name in W3C webrtc.
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

/// One thing that happened. What does not belong to its kind is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CallEvent {
    /// When the engine was told or found out, on the caller's clock.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// Which fabric.
    pub fabric: Option<FabricId>,
    /// Whose: the local user of the fabric, or who joined or left.
    pub user: Option<UserId>,
    /// Which stream, if it is about one.
    pub ssrc: Option<Ssrc>,
    /// How long it took or lasted, ms: a setup delay, a failure delay, a disruption.
    pub delay_ms: Option<f64>,
    /// Why something failed.
    pub reason: Option<FailureReason>,
    /// How somebody left, or the conference ended.
    pub end: Option<EndReason>,
    /// The state that changed.
    pub change: Option<StateChange>,
    /// How a relay is reached on the path that is now taken.
    pub relay: Option<Relay>,
    /// Nobody said so: it follows from stats, and happened at some time since the snapshot before.
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
