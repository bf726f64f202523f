//! Owned copies of reader items, so that they can wait until they are due. It applies none of them.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use crate::event::{ConnectionState, DtlsState, GatheringState, IceState, SignalingState, WebRtcFunction};
use crate::hash::fnv1a_64;
use crate::id::{MediaKind, Ssrc};
use crate::ingest::{Item, LogEvent, LogEventKind, SdpSide};
use crate::report::{Num, Report};
use crate::sdp::Sdp;
use crate::unit::StatTime;

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
                fact: Fact::Snapshot(Box::new(snapshot.report.compact_copy())),
            }),
            Item::LogEvent(event) => Some(Self {
                fabric: event.fabric.to_owned(),
                at_ms: event.at.map(|at| at.as_millis()),
                fact: Fact::of(event)?,
            }),
        }
    }

    /// The memory of the item, bytes, about: what a caller that reads ahead must bound.
    #[must_use]
    pub fn footprint(&self) -> usize {
        let more = match &self.fact {
            Fact::Snapshot(report) => size_of::<Report>() + report.footprint(),
            Fact::Described(streams) => {
                let texts = streams.iter().map(|stream| stream.cname.capacity() + stream.msid.capacity());
                size_of_val(&**streams) + texts.sum::<usize>()
            }
            Fact::Failed { name, message, .. } => name.capacity() + message.capacity(),
            Fact::Muted { track, .. } | Fact::Sends { track } => track.capacity(),
            Fact::Speaks { endpoint } => endpoint.capacity(),
            _ => 0,
        };
        size_of::<Self>() + self.fabric.capacity() + more
    }

    /// A hash of the item before its clock is shifted. Items of the same connection in two sources that have the same
    /// hash are one.
    pub(super) fn fingerprint(&self) -> u64 {
        let at_ms = self.at_ms.unwrap_or(-1.0);
        if let Fact::Snapshot(report) = &self.fact {
            return fingerprint_of(&self.fabric, at_ms, report);
        }
        let mut hash = Fingerprint::new(&self.fabric, at_ms);
        // Never fails.
        let _ = write!(hash, "{:?}", self.fact);
        hash.0
    }
}

/// The fingerprint of a snapshot: its time, and what its entries and their counters are.
pub(super) fn fingerprint_of(fabric: &str, at_ms: f64, report: &Report) -> u64 {
    let mut hash = Fingerprint::new(fabric, at_ms);
    for entry in report.entries() {
        hash.add(entry.id().as_bytes());
        hash.add(&entry.timestamp().map_or(-1.0, StatTime::as_millis).to_le_bytes());
        let counters =
            [Num::Ssrc, Num::PacketsReceived, Num::PacketsSent, Num::BytesReceived, Num::BytesSent, Num::PacketsLost];
        for value in counters.into_iter().filter_map(|counter| entry.get(counter)) {
            hash.add(&value.to_le_bytes());
        }
    }
    hash.0
}

/// A hash that grows with what is added.
struct Fingerprint(u64);

impl Fingerprint {
    fn new(fabric: &str, at_ms: f64) -> Self {
        let mut hash = Self(0);
        hash.add(fabric.as_bytes());
        hash.add(&at_ms.to_le_bytes());
        hash
    }

    fn add(&mut self, bytes: &[u8]) {
        self.0 = (self.0.rotate_left(23) ^ fnv1a_64(bytes)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Write for Fingerprint {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.add(text.as_bytes());
        Ok(())
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
