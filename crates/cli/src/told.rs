//! What an input tells besides stats, as the engine takes it: owned, so that it can wait for its turn among files.

use callgauge::fabric::{ConnectionState, GatheringState, IceState, SignalingState, WebRtcFunction};
use callgauge::id::{MediaKind, Ssrc};
use callgauge::ingest::{Item, LogEvent, LogEventKind};
use callgauge::report::Report;
use callgauge::sdp::Sdp;

/// One thing out of a file.
#[derive(Debug)]
pub(crate) struct Event {
    /// The PeerConnection as the file names it; empty where it names none.
    pub(crate) fabric: String,
    /// Milliseconds on the clock of whoever wrote the file.
    pub(crate) at_ms: Option<f64>,
    pub(crate) told: Told,
}

/// What a file tells.
#[derive(Debug)]
pub(crate) enum Told {
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
    /// A track that is sent stands still, or goes on.
    Muted {
        track: String,
        kind: Option<MediaKind>,
        muted: bool,
    },
    /// A track is sent by this end.
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

/// What a session description says of an SSRC.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) ssrc: Ssrc,
    pub(crate) primary: Ssrc,
    pub(crate) cname: String,
    pub(crate) msid: String,
}

impl Event {
    /// An item, unless it is nothing that the engine takes.
    pub(crate) fn of(item: &Item<'_>) -> Option<Self> {
        match item {
            Item::Snapshot(snapshot) => Some(Self {
                fabric: snapshot.fabric.to_owned(),
                at_ms: snapshot.at.map(|at| at.as_millis()),
                told: Told::Snapshot(Box::new(snapshot.report.clone())),
            }),
            Item::LogEvent(happening) => Some(Self {
                fabric: happening.fabric.to_owned(),
                at_ms: happening.at.map(|at| at.as_millis()),
                told: Told::of(happening)?,
            }),
            _ => None,
        }
    }
}

impl Told {
    pub(crate) fn of(happening: &LogEvent<'_>) -> Option<Self> {
        let text = |text: Option<&str>| text.unwrap_or("").to_owned();
        Some(match happening.what {
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
            LogEventKind::TrackAdded { side: Some(callgauge::ingest::SdpSide::Local), track, .. } => {
                Self::Sends { track: text(track.id) }
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

fn described(sdp: &str) -> Vec<Described> {
    let stream = |stream: callgauge::sdp::Stream<'_>| {
        let msid = [stream.stream, stream.track].into_iter().flatten().collect::<Vec<_>>().join(" ");
        Described { ssrc: stream.ssrc, primary: stream.primary, cname: stream.cname.unwrap_or("").to_owned(), msid }
    };
    Sdp::new(sdp).streams().into_iter().map(stream).collect()
}
