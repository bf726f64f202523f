//! What inputs tell besides stats: the life of a call.

use crate::id::{MediaKind, Ssrc};
use crate::unit::StatTime;

/// Something that happened, as the input tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LogEvent<'a> {
    /// The PeerConnection as the input names it; empty where it names none, as for what concerns a whole client.
    pub fabric: &'a str,
    /// When, on the clock of whoever wrote the input. `None` where that cannot be told; the place in the input is then
    /// all that is known.
    pub at: Option<StatTime>,
    /// What.
    pub what: LogEventKind<'a>,
}

/// What happened. Words are passed as they are spelled, so that whoever knows the words can refuse one.
///
/// Who tells what, by which words:
///
/// | | internals | rtcstats | legacy, jitsi | ObserveRTC | ndjson |
/// |---|---|---|---|---|---|
/// | [`Created`](Self::Created) | each connection, without a time | `create` | `create` | `PEER_CONNECTION_OPENED` | `create` |
/// | [`Closed`](Self::Closed) | `close` | `close` | `close` | `PEER_CONNECTION_CLOSED` | `close` |
/// | [`IceConnectionState`](Self::IceConnectionState) | `[on]iceconnectionstatechange` | the same | the same | `ICE_CONNECTION_STATE_CHANGED` | `iceConnectionState` |
/// | [`IceGatheringState`](Self::IceGatheringState) | `[on]icegatheringstatechange` | the same | the same | `ICE_GATHERING_STATE_CHANGED` | `iceGatheringState` |
/// | [`SignalingState`](Self::SignalingState) | `[on]signalingstatechange` | the same | the same | `SIGNALING_STATE_CHANGE` | `signalingState` |
/// | [`ConnectionState`](Self::ConnectionState) | `[on]connectionstatechange` | the same | the same | `PEER_CONNECTION_STATE_CHANGED` | `connectionState` |
/// | [`NegotiationNeeded`](Self::NegotiationNeeded) | `[on]negotiationneeded` | the same | the same | `NEGOTIATION_NEEDED` | |
/// | [`IceRestart`](Self::IceRestart) | | `restartIce` | `restartIce` | | |
/// | [`DescriptionCreated`](Self::DescriptionCreated) | `createOfferOnSuccess`, `createAnswerOnSuccess` | the same | the same | | |
/// | [`DescriptionSet`](Self::DescriptionSet) | `setLocalDescription`, `setRemoteDescription` | the same | the same | | the same |
/// | [`Failed`](Self::Failed) | `…OnFailure`, `…Failed`, `getUserMedia` with an error | `…OnFailure` | `…OnFailure` | | `…OnFailure` |
/// | [`IceCandidateError`](Self::IceCandidateError) | `[on]icecandidateerror` | the same | the same | `ICE_CANDIDATE_ERROR` | |
/// | [`TrackAdded`](Self::TrackAdded) | `addTrack`, `ontrack` | the same | the same, `addStream` | `MEDIA_TRACK_ADDED` | `addTrack`, `track` |
/// | [`TrackRemoved`](Self::TrackRemoved) | `removeTrack` | the same | the same, `removeStream` | | |
/// | [`TrackEnded`](Self::TrackEnded) | | `onended`, `track.stop` | the same | `MEDIA_TRACK_REMOVED` | |
/// | [`Muted`](Self::Muted), [`Unmuted`](Self::Unmuted) | | `onmute`, `onunmute` | the same | `MEDIA_TRACK_MUTED`, `PRODUCER_PAUSED`, `CONSUMER_PAUSED` and their opposites | `mute`, `unmute` |
/// | [`Captured`](Self::Captured) | | `getUserMediaOnSuccess`, `getDisplayMediaOnSuccess` | the same | | |
/// | [`VideoType`](Self::VideoType) | | | `setVideoType` | | |
/// | [`DominantSpeaker`](Self::DominantSpeaker) | | | `dominantSpeaker` | | |
/// | [`Joined`](Self::Joined), [`Left`](Self::Left) | | | | `CLIENT_JOINED`, `CLIENT_LEFT` | |
/// | [`Identity`](Self::Identity) | | `identity` | `identity` | `callId` and `clientId`, once and when they change | |
///
/// Lines of ndjson may use the words of the other line formats as well. None of the formats tells hold and resume
/// by name: they show in the directions of the descriptions. What rtcstats says of its own connection (a `create` or a
/// `close` of no PeerConnection) is passed over, and so is whatever tells nothing that is listed here.
///
/// Times are on the clock of the format's snapshots. Sources: `rtcstats.js` of @jitsi/rtcstats 9.7.1, the bindings of
/// @observertc/client-monitor-js 4.0.3, the method codes of rtcstats' `compression.js`, and dumps of each kind.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LogEventKind<'a> {
    /// A PeerConnection was made. One may follow another of the same name.
    Created(Configuration<'a>),
    /// A PeerConnection was closed.
    Closed,
    /// `RTCIceConnectionState`.
    IceConnectionState(&'a str),
    /// `RTCIceGatheringState`.
    IceGatheringState(&'a str),
    /// `RTCSignalingState`.
    SignalingState(&'a str),
    /// `RTCPeerConnectionState`.
    ConnectionState(&'a str),
    /// The connection wants to negotiate.
    NegotiationNeeded,
    /// The application asked for an ICE restart.
    IceRestart,
    /// An offer or answer was made. It is not in force yet, but rtcstats may abbreviate it when it is set.
    DescriptionCreated(Description<'a>),
    /// The application set the description of one side. That it failed is said later, by [`Self::Failed`].
    #[non_exhaustive]
    DescriptionSet {
        /// Whose.
        side: SdpSide,
        /// The description.
        description: Description<'a>,
    },
    /// A call of the API failed.
    #[non_exhaustive]
    Failed {
        /// The function, such as `createOffer` or `getUserMedia`.
        function: &'a str,
        /// The name of the error, such as `NotAllowedError`.
        name: Option<&'a str>,
        /// What it says.
        message: Option<&'a str>,
    },
    /// A STUN or TURN server could not be used.
    #[non_exhaustive]
    IceCandidateError {
        /// The STUN error code (RFC 8489, 14.8), or 701 where the server was not reached.
        code: Option<u16>,
        /// What the server or the browser says.
        text: Option<&'a str>,
        /// The server.
        url: Option<&'a str>,
    },
    /// A track is there to be sent, or to be received.
    #[non_exhaustive]
    TrackAdded {
        /// Who sends it; `None` where that is not told.
        side: Option<SdpSide>,
        /// The track.
        track: Track<'a>,
    },
    /// A track is no longer sent.
    TrackRemoved(Track<'a>),
    /// A track ended for good.
    TrackEnded(Track<'a>),
    /// A track has nothing to play, or is paused.
    Muted(Track<'a>),
    /// A track plays again.
    Unmuted(Track<'a>),
    /// A microphone, a camera or a screen gave a track.
    #[non_exhaustive]
    Captured {
        /// Whether it is a screen.
        display: bool,
        /// The track.
        track: Track<'a>,
    },
    /// What a sent video stream shows.
    #[non_exhaustive]
    VideoType {
        /// The stream.
        ssrc: Option<Ssrc>,
        /// `camera` or `desktop`.
        shows: &'a str,
    },
    /// Somebody speaks, of all.
    #[non_exhaustive]
    DominantSpeaker {
        /// The endpoint; `None` for nobody.
        endpoint: Option<&'a str>,
        /// Whether it is said that all are silent now.
        silence: bool,
    },
    /// The client joined.
    Joined,
    /// The client left.
    Left,
    /// Who reports, and from what call. A later one adds to an earlier one.
    Identity(Identity<'a>),
}

/// Whose side, seen from the reporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // a PeerConnection has two ends
pub enum SdpSide {
    /// The reporter's.
    Local,
    /// The other end's.
    Remote,
}

/// How a PeerConnection was configured, as far as it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Configuration<'a> {
    /// `all` or `relay`.
    pub ice_transport_policy: Option<&'a str>,
    /// `balanced`, `max-compat` or `max-bundle`.
    pub bundle_policy: Option<&'a str>,
}

/// A session description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description<'a> {
    /// `offer`, `answer`, `pranswer` or `rollback`.
    pub kind: Option<&'a str>,
    /// The text, for [`Sdp`](crate::sdp::Sdp). `None` where it was left out.
    pub sdp: Option<&'a str>,
}

/// A MediaStreamTrack, as far as it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Track<'a> {
    /// Its kind.
    pub kind: Option<MediaKind>,
    /// Its id: what getStats calls `trackIdentifier`.
    pub id: Option<&'a str>,
    /// The `mid` of its transceiver.
    pub mid: Option<&'a str>,
    /// The id of the first stream that it belongs to.
    pub stream: Option<&'a str>,
}

/// Names of who reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity<'a> {
    /// The user, for the application.
    pub user: Option<&'a str>,
    /// The user, for people.
    pub display_name: Option<&'a str>,
    /// The endpoint: what [`LogEventKind::DominantSpeaker`] names.
    pub endpoint: Option<&'a str>,
    /// The conference. Names may be used again.
    pub conference: Option<&'a str>,
    /// This meeting in the conference.
    pub session: Option<&'a str>,
    /// The application.
    pub application: Option<&'a str>,
}
