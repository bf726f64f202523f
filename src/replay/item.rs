//! An item of a dump as the engine takes it: owned, so that it can wait until it is due.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::event::{ConnectionState, GatheringState, IceState, SignalingState, WebRtcFunction};
use crate::id::{MediaKind, Ssrc};
use crate::ingest::{Item, LogEvent, LogEventKind, SdpSide};
use crate::report::Report;
use crate::sdp::{self, Sdp};

/// An owned copy of an [`Item`], for sources that are read in another thread or that wait for each other.
#[derive(Clone, Debug)]
pub struct OwnedItem {
    /// The PeerConnection as the source names it; empty where it names none.
    pub(super) fabric: String,
    /// Milliseconds on the clock of the source. `None` where the source states no time.
    pub(super) at_ms: Option<f64>,
    pub(super) fact: Fact,
}

/// What an item states.
#[derive(Clone, Debug)]
pub(super) enum Fact {
    Snapshot(Box<Report>),
    Created,
    Closed,
    Ice(IceState),
    Gathering(GatheringState),
    Signaling(SignalingState),
    Connection(ConnectionState),
    Described(Vec<Described>),
    Failed {
        function: WebRtcFunction,
        name: String,
        message: String,
    },
    /// A track is paused, or plays again.
    Muted {
        track: String,
        kind: Option<MediaKind>,
        muted: bool,
    },
    /// This end sends a track.
    Sends {
        track: String,
    },
    Screen {
        ssrc: Option<Ssrc>,
        shared: bool,
    },
    Speaks {
        endpoint: String,
    },
    Joined,
    Left,
    Identity {
        user: Option<String>,
        endpoint: Option<String>,
    },
}

/// One SSRC of a session description.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) ssrc: Ssrc,
    pub(super) primary: Ssrc,
    pub(super) cname: String,
    pub(super) msid: String,
}

impl OwnedItem {
    /// Copies an item. `None` for an item that changes nothing in a conference, such as a word that the engine does not
    /// know.
    #[must_use]
    pub fn new(item: &Item<'_>) -> Option<Self> {
        match item {
            Item::Snapshot(snapshot) => Some(Self {
                fabric: snapshot.fabric.to_owned(),
                at_ms: snapshot.at.map(|at| at.as_millis()),
                fact: Fact::Snapshot(Box::new(snapshot.report.clone())),
            }),
            Item::LogEvent(event) => Some(Self {
                fabric: event.fabric.to_owned(),
                at_ms: event.at.map(|at| at.as_millis()),
                fact: Fact::of(event)?,
            }),
        }
    }
}

impl Fact {
    fn of(event: &LogEvent<'_>) -> Option<Self> {
        let text = |text: Option<&str>| text.unwrap_or("").to_owned();
        Some(match event.what {
            LogEventKind::Created(_) => Self::Created,
            LogEventKind::Closed => Self::Closed,
            LogEventKind::IceConnectionState(word) => Self::Ice(IceState::from_name(word)?),
            LogEventKind::IceGatheringState(word) => Self::Gathering(GatheringState::from_name(word)?),
            LogEventKind::SignalingState(word) => Self::Signaling(SignalingState::from_name(word)?),
            LogEventKind::ConnectionState(word) => Self::Connection(ConnectionState::from_name(word)?),
            LogEventKind::DescriptionCreated(description) | LogEventKind::DescriptionSet { description, .. } => {
                Self::Described(described(description.sdp?))
            }
            LogEventKind::Failed { function, name, message, .. } => Self::Failed {
                function: WebRtcFunction::from_name(function)?,
                name: text(name),
                message: text(message),
            },
            LogEventKind::Muted(track) => Self::Muted { track: text(track.id), kind: track.kind, muted: true },
            LogEventKind::Unmuted(track) => Self::Muted { track: text(track.id), kind: track.kind, muted: false },
            LogEventKind::TrackAdded { side: Some(SdpSide::Local), track, .. } => Self::Sends { track: text(track.id) },
            LogEventKind::Captured { display: true, .. } => Self::Screen { ssrc: None, shared: true },
            LogEventKind::VideoType { ssrc, shows, .. } => Self::Screen { ssrc, shared: shows == "desktop" },
            LogEventKind::DominantSpeaker { endpoint: Some(endpoint), silence: false, .. } => {
                Self::Speaks { endpoint: endpoint.to_owned() }
            }
            LogEventKind::Joined => Self::Joined,
            LogEventKind::Left => Self::Left,
            LogEventKind::Identity(identity) => Self::Identity {
                user: identity.user.or(identity.display_name).map(Into::into),
                endpoint: identity.endpoint.map(Into::into),
            },
            _ => return None,
        })
    }
}

fn described(sdp: &str) -> Vec<Described> {
    let stream = |stream: sdp::Stream<'_>| {
        let msid = [stream.stream, stream.track].into_iter().flatten().collect::<Vec<_>>().join(" ");
        Described { ssrc: stream.ssrc, primary: stream.primary, cname: stream.cname.unwrap_or("").to_owned(), msid }
    };
    Sdp::new(sdp).streams().into_iter().map(stream).collect()
}
