//! Detectors that raise, update and clear a diagnosis when something goes wrong. They never change a score, and a score
//! never raises a diagnosis.
//!
//! Every detector turns a sample into a reading: how bad it is, that the stream is resting, or that it is unknown. One
//! monitor for all detectors smooths readings over time, and its thresholds are in time, so a call polled every 100 ms
//! and one polled every 10 s get the same diagnosis. The thresholds are in one table, [`Kind`], with their sources.
//!
//! A summary reports each problem once: a diagnosis that follows from another one ([`DiagnosisSummary::follows`]) comes
//! right after it, and if both ends of a stream report the same problem, one diagnosis stands for both.
//!
//! [`DiagnosisSummary::follows`]: crate::summary::DiagnosisSummary::follows
//!
//! Missing input raises no diagnosis. A resting stream (muted, paused, on hold) raises none, except
//! `speakingWhileMuted`; it is given time to settle when it resumes.

mod cause;
mod detector;
mod detectors;
mod evidence;
mod kind;
mod monitor;
mod sample;
mod sentence;
#[cfg(feature = "serde")]
mod wire;

pub(crate) use cause::{Reach, causes_of};
pub(crate) use detectors::{Detectors, RecorderParts};
pub use evidence::Evidence;
pub use kind::{Kind, Threshold, Thresholds};
pub(crate) use monitor::DiagnosisChange;
pub(crate) use sample::{ConnectionPhase, ConnectionStatus, StreamSample};

use crate::id::{Direction, FabricId, StreamKey, UserId};
use crate::unit::StatTime;

/// How much a diagnosis matters, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing; participants need not have noticed.
    Notice,
    /// Participants notice.
    Warning,
    /// Participants complain.
    Severe,
}

impl Severity {
    /// The name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Severe => "severe",
        }
    }
}

/// The side of the reporting endpoint that has the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[allow(clippy::exhaustive_enums)] // there are two directions
pub enum Side {
    /// Sent media.
    Uplink,
    /// Received media.
    Downlink,
}

impl Side {
    /// The name in outputs.
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

/// A problem, with its time and the figures that show it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Diagnosis {
    /// The kind of problem.
    pub kind: Kind,
    /// The highest severity it reached.
    pub severity: Severity,
    /// The PeerConnection.
    pub fabric: FabricId,
    /// The stream; `None` for a problem of the whole connection.
    pub stream: Option<StreamKey>,
    /// The user of the endpoint; `None` if unknown.
    pub user: Option<UserId>,
    /// The side of that endpoint; `None` for both.
    pub side: Option<Side>,
    /// When the problem began, on the reporter's clock: earlier than it was raised.
    pub from: StatTime,
    /// When the problem ended; `None` while it lasts.
    pub to: Option<StatTime>,
    /// The figures.
    pub evidence: Evidence,
    /// It was withdrawn when it was cleared: it followed from a state that traffic refuted. It is in no summary.
    pub is_refuted: bool,
}
