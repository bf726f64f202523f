//! Log events: what an input records about a call besides stats. The types carry the input's words and do not check
//! them.

use crate::id::{MediaKind, Ssrc};
use crate::unit::StatTime;

/// One event recorded by the input.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LogEvent<'a> {
    /// The name of the PeerConnection in the input; empty if the input names none, as for events of a whole client.
    pub fabric: &'a str,
    /// The time, on the clock of the input's writer. `None` if unknown; then only the position in the input orders the
    /// event.
    pub at: Option<StatTime>,
    /// The event.
    pub what: LogEventKind<'a>,
}

/// The kind of a log event. State names keep their original spelling, so that the consumer can reject unknown ones.
///
/// The formats, and the words they use for each event:
///
/// | | internals | rtcstats | legacy, jitsi | ObserveRTC | ndjson |
/// |---|---|---|---|---|---|
/// | [`Created`](Self::Created) | each connection, without a time | `create` | `create` | `PEER_CONNECTION_OPENED` | `create` |
/// | [`Closed`](Self::Closed) | `close` | `close` | `close` | `PEER_CONNECTION_CLOSED` | `close` |
/// | [`IceConnectionState`](Self::IceConnectionState) | `[on]iceconnectionstatechange` | the same | the same | `ICE_CONNECTION_STATE_CHANGED` | `iceConnectionState` |
/// | [`IceGatheringState`](Self::IceGatheringState) | `[on]icegatheringstatechange` | the same | the same | `ICE_GATHERING_STATE_CHANGED` | `iceGatheringState` |
/// | [`SignalingState`](Self::SignalingState) | `[on]signalingstatechange` | the same | the same | `SIGNALING_STATE_CHANGE` | `signalingState` |
/// | [`ConnectionState`](Self::ConnectionState) | `[on]connectionstatechange` | the same | the same | `PEER_CONNECTION_STATE_CHANGED` | `connectionState` |
/// | [`DtlsState`](Self::DtlsState) | | `ondtlsstatechange` | the same | | `dtlsState` |
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
/// Lines of ndjson may also use the words of the other line formats. No format names hold and resume; they show in the
/// directions of the descriptions. The reader ignores what rtcstats records about its own connection (a `create` or a
/// `close` without a PeerConnection), and everything that is not listed here.
///
/// Times are on the clock of the format's snapshots. Sources: `rtcstats.js` of @jitsi/rtcstats 9.7.1, the bindings of
/// @observertc/client-monitor-js 4.0.3, the method codes of rtcstats' `compression.js`, and dumps of each kind.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LogEventKind<'a> {
    /// A PeerConnection was created. It may replace another of the same name.
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
    /// `RTCDtlsTransportState`.
    DtlsState(&'a str),
    /// The connection needs negotiation.
    NegotiationNeeded,
    /// The application requested an ICE restart.
    IceRestart,
    /// An offer or answer was created. It is not in force yet, but rtcstats may abbreviate it when it is set.
    DescriptionCreated(Description<'a>),
    /// The application set a local or remote description. If that fails, [`Self::Failed`] follows.
    #[non_exhaustive]
    DescriptionSet {
        /// The side of the description.
        side: SdpSide,
        /// The description.
        description: Description<'a>,
    },
    /// An API call failed.
    #[non_exhaustive]
    Failed {
        /// The function, such as `createOffer` or `getUserMedia`.
        function: &'a str,
        /// The name of the error, such as `NotAllowedError`.
        name: Option<&'a str>,
        /// The error message.
        message: Option<&'a str>,
    },
    /// A STUN or TURN server could not be used.
    #[non_exhaustive]
    IceCandidateError {
        /// The STUN error code (RFC 8489, 14.8), or 701 if the server was not reached.
        code: Option<u16>,
        /// The text from the server or the browser.
        text: Option<&'a str>,
        /// The server.
        url: Option<&'a str>,
    },
    /// A track was added, to send or to receive.
    #[non_exhaustive]
    TrackAdded {
        /// The sending side; `None` if unknown.
        side: Option<SdpSide>,
        /// The track.
        track: Track<'a>,
    },
    /// A track is no longer sent.
    TrackRemoved(Track<'a>),
    /// A track ended for good.
    TrackEnded(Track<'a>),
    /// A track has no media to play, or is paused.
    Muted(Track<'a>),
    /// A track plays again.
    Unmuted(Track<'a>),
    /// A microphone, camera or screen capture produced a track.
    #[non_exhaustive]
    Captured {
        /// Whether it is a screen capture.
        display: bool,
        /// The track.
        track: Track<'a>,
    },
    /// The content of a sent video stream.
    #[non_exhaustive]
    VideoType {
        /// The stream.
        ssrc: Option<Ssrc>,
        /// `camera` or `desktop`.
        shows: &'a str,
    },
    /// The dominant speaker changed.
    #[non_exhaustive]
    DominantSpeaker {
        /// The endpoint; `None` if there is none.
        endpoint: Option<&'a str>,
        /// Whether the input reports silence of all participants.
        silence: bool,
    },
    /// The client joined.
    Joined,
    /// The client left.
    Left,
    /// The identity of the reporting user and of the call. A later event adds to earlier ones.
    Identity(Identity<'a>),
}

/// The side of a PeerConnection, from the reporter's point of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // a PeerConnection has two ends
pub enum SdpSide {
    /// The reporter.
    Local,
    /// The remote endpoint.
    Remote,
}

/// The configuration of a PeerConnection, as far as the input has it.
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
    /// The text, for [`Sdp`](crate::sdp::Sdp). `None` if the input omits it.
    pub sdp: Option<&'a str>,
}

/// A MediaStreamTrack, as far as the input describes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Track<'a> {
    /// Its kind.
    pub kind: Option<MediaKind>,
    /// The id, which getStats calls `trackIdentifier`.
    pub id: Option<&'a str>,
    /// The `mid` of its transceiver.
    pub mid: Option<&'a str>,
    /// The id of its first stream.
    pub stream: Option<&'a str>,
}

/// Names of the reporting user and of the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity<'a> {
    /// The user id of the application.
    pub user: Option<&'a str>,
    /// The user's display name.
    pub display_name: Option<&'a str>,
    /// The endpoint id, as in [`LogEventKind::DominantSpeaker`].
    pub endpoint: Option<&'a str>,
    /// The name of the conference, which may be used again.
    pub conference: Option<&'a str>,
    /// The id of this meeting of the conference.
    pub session: Option<&'a str>,
    /// The name of the application.
    pub application: Option<&'a str>,
}
