//! What went wrong: detectors that raise, update and clear a diagnosis.
//!
//! Every detector turns what it sees into a reading: how bad it is, that the stream rests, or that nothing tells. One
//! meter for all of them smooths readings over time and decides by time alone, so that a call looked at every 100 ms and
//! one looked at every 10 s come to the same diagnosis. The limits stand in one table, [`Kind`], with their sources.
//!
//! A summary tells the same trouble once: what follows from another diagnosis ([`DiagnosisSummary::follows`]) comes right
//! after it, and what both ends of a way report is told by one of them.
//!
//! [`DiagnosisSummary::follows`]: crate::summary::DiagnosisSummary::follows
//!
//! What an input does not carry yields no diagnosis. What rests (muted, paused, on hold) has none, and when it goes on, it
//! is given time to settle.

mod cause;
mod detector;
mod detectors;
mod evidence;
mod kind;
mod monitor;
mod sample;
mod sentence;

pub(crate) use cause::{Reach, causes_of};
pub(crate) use detectors::{Detectors, RecorderParts};
pub use evidence::Evidence;
pub use kind::{Kind, Threshold, Thresholds};
pub(crate) use monitor::Change;
pub(crate) use sample::{Connection, ConnectionStatus, StreamSample};

use crate::id::{Direction, FabricId, StreamKey, UserId};
use crate::unit::StatTime;

/// How much a diagnosis matters. Later ones matter more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing; nobody need have noticed.
    Notice,
    /// People notice.
    Warning,
    /// People complain.
    Severe,
}

impl Severity {
    /// The word in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Severe => "severe",
        }
    }
}

/// Which side of the reporting endpoint is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[allow(clippy::exhaustive_enums)] // there are two ways
pub enum Side {
    /// What it sends.
    Uplink,
    /// What it receives.
    Downlink,
}

impl Side {
    /// The word in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uplink => "uplink",
            Self::Downlink => "downlink",
        }
    }
}

impl From<Direction> for Side {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Inbound => Self::Downlink,
            Direction::Outbound => Self::Uplink,
        }
    }
}

/// Something that went wrong, from when to when, and the figures that say so.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Diagnosis {
    /// What it is.
    pub kind: Kind,
    /// How much it matters: the most it came to.
    pub severity: Severity,
    /// The PeerConnection.
    pub fabric: FabricId,
    /// The stream; `None` for what is about the whole connection.
    pub stream: Option<StreamKey>,
    /// Whose endpoint it is; `None` when nobody said.
    pub user: Option<UserId>,
    /// Which side of that endpoint; `None` for what is about both.
    pub side: Option<Side>,
    /// When it began, on the reporter's clock: before it was raised.
    pub from: StatTime,
    /// When it was over; `None` while it goes on.
    pub to: Option<StatTime>,
    /// The figures.
    pub evidence: Evidence,
}
