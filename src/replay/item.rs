//! Owned copies of reader items, so that they can wait until they are due. It applies none of them.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::event::{ConnectionState, DtlsState, GatheringState, IceState, SignalingState, WebRtcFunction};
use crate::id::{MediaKind, Ssrc};
use crate::ingest::{Item, LogEvent, LogEventKind, SdpSide};
use crate::report::Report;
use crate::sdp::Sdp;

/// An owned copy of an [`Item`], for sources that are read in another thread or wait for each other.
#[derive(Clone, Debug)]
pub struct OwnedItem {
    /// The name of the PeerConnection in the source; empty if the source names none.
    pub(super) fabric: String,
    /// Milliseconds on the clock of the source. `None` if the source states no time.
    pub(super) at_ms: Option<f64>,
    pub(super) fact: Fact,
}

/// The content of an item.
#[derive(Clone, Debug)]
pub(super) enum Fact {
    Snapshot(Box<Report>),
    Created,
    Closed,
    Ice(IceState),
    Gathering(GatheringState),
    Signaling(SignalingState),
    Connection(ConnectionState),
    Dtls(DtlsState),
    Described(Vec<DescribedStream>),
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
    /// The reporter sends a track.
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
    /// A word that the engine does not know, with its context.
    UnknownWord(String),
}

/// One SSRC of a session description.
#[derive(Clone, Debug)]
pub(super) struct DescribedStream {
    pub(super) ssrc: Ssrc,
    pub(super) primary: Ssrc,
    pub(super) cname: String,
    pub(super) msid: String,
}

impl OwnedItem {
    /// Copies an item. `None` for an item that changes nothing in a conference. An unknown word is an item, because it
    /// is counted.
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
        Some(match event.what {
            LogEventKind::Created(_) => Self::Created,
            LogEventKind::Closed => Self::Closed,
            LogEventKind::IceConnectionState(word) => {
                IceState::from_name(word).map_or_else(|| unknown("iceConnectionState", word), Self::Ice)
            }
            LogEventKind::IceGatheringState(word) => {
                GatheringState::from_name(word).map_or_else(|| unknown("iceGatheringState", word), Self::Gathering)
            }
            LogEventKind::SignalingState(word) => {
                SignalingState::from_name(word).map_or_else(|| unknown("signalingState", word), Self::Signaling)
            }
            LogEventKind::ConnectionState(word) => {
                ConnectionState::from_name(word).map_or_else(|| unknown("connectionState", word), Self::Connection)
            }
            LogEventKind::DtlsState(word) => {
                DtlsState::from_name(word).map_or_else(|| unknown("dtlsState", word), Self::Dtls)
            }
            LogEventKind::DescriptionCreated(description) | LogEventKind::DescriptionSet { description, .. } => {
                Self::Described(described(description.sdp?))
            }
            LogEventKind::Failed { function, name, message, .. } => match WebRtcFunction::from_name(function) {
                Some(function) => Self::Failed { function, name: owned(name), message: owned(message) },
                None => unknown("failed function", function),
            },
            LogEventKind::Muted(track) => Self::Muted { track: owned(track.id), kind: track.kind, muted: true },
            LogEventKind::Unmuted(track) => Self::Muted { track: owned(track.id), kind: track.kind, muted: false },
            LogEventKind::TrackAdded { side: Some(SdpSide::Local), track, .. } => {
                Self::Sends { track: owned(track.id) }
            }
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

fn unknown(context: &str, word: &str) -> Fact {
    Fact::UnknownWord(format!("{context}: {word}"))
}

fn described(sdp: &str) -> Vec<DescribedStream> {
    let streams = Sdp::new(sdp).streams().into_iter();
    let described = streams.map(|stream| DescribedStream {
        ssrc: stream.ssrc,
        primary: stream.primary,
        cname: owned(stream.cname),
        msid: [stream.stream, stream.track].into_iter().flatten().collect::<Vec<_>>().join(" "),
    });
    described.collect()
}

fn owned(text: Option<&str>) -> String {
    text.unwrap_or("").to_owned()
}
