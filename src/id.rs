//! Identifiers: small, `Copy` and comparable. They carry no data of the things they identify.

use core::fmt;

/// A synchronization source identifier (RFC 3550): 32 bits, unique only inside one RTP session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Ssrc(u32);

impl Ssrc {
    /// Creates it from the identifier in RTP packets.
    #[must_use]
    pub const fn new(ssrc: u32) -> Self {
        Self(ssrc)
    }

    /// The identifier in RTP packets.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One PeerConnection of one conference ("fabric" in callstats' words): an index that the conference assigned. Another
/// conference, including the next instance, takes it for its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct FabricId(pub(crate) u32);

impl FabricId {
    /// The position in the order of opening, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A user of one conference: an index that the conference assigned to a name. Another conference takes it for its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct UserId(pub(crate) u32);

impl UserId {
    /// The position in the order of naming, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The direction of media, seen from the endpoint that reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[allow(clippy::exhaustive_enums)] // RTP has two directions
pub enum Direction {
    /// Received by the endpoint that reports.
    Inbound,
    /// Sent by the endpoint that reports.
    Outbound,
}

impl Direction {
    /// The name in serialized outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// The kind of media (`kind` in W3C webrtc-stats).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[allow(clippy::exhaustive_enums)] // webrtc-stats has two kinds
pub enum MediaKind {
    /// Audio.
    Audio,
    /// Video, screens included.
    Video,
}

impl MediaKind {
    /// The name in getStats and in serialized outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

/// The key of one RTP stream within a conference.
///
/// The stats `id` is not part of it: browsers rename ids while the SSRC stays, and an SSRC may occur in two
/// PeerConnections or in both directions of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StreamKey {
    /// The PeerConnection.
    pub fabric: FabricId,
    /// The direction.
    pub direction: Direction,
    /// The RTP stream.
    pub ssrc: Ssrc,
}

impl StreamKey {
    /// A stream of a fabric.
    #[must_use]
    pub const fn new(fabric: FabricId, direction: Direction, ssrc: Ssrc) -> Self {
        Self { fabric, direction, ssrc }
    }
}
