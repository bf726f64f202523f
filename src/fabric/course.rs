//! The course of a connection so far: its state, its set-up, and what was lost. It is data; `lifecycle` changes it.

use super::ice::Ice;
use crate::event::FailureReason;
use crate::unit::Timestamp;

/// The course of the connection, as the sources state it: everything that a failure changes.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Course {
    /// The state of the connection by all sources, in the words of ICE.
    pub(crate) ice: Ice,
    /// Whether the state is known.
    pub(crate) is_known: bool,
    pub(crate) setup: Option<Setup>,
    /// The delay until the failure, and its reason.
    pub(crate) failure: Option<(Option<f64>, FailureReason)>,
    /// How long the first ICE checks had run when they failed, ms.
    pub(crate) failed_checks_ms: Option<f64>,
    pub(crate) disrupted_since: Option<Timestamp>,
    pub(crate) checks_disrupted_since: Option<Timestamp>,
    pub(crate) disrupted_micros: u64,
    pub(crate) disruptions: u64,
    /// Since when the connection has been lost, or its set-up has been in vain.
    pub(crate) lost_since: Option<Timestamp>,
    pub(crate) lost_micros: u64,
    pub(crate) drops: u64,
    /// Lost after it was connected, and not connected again.
    pub(crate) is_down: bool,
    /// Whether DTLS hung at the latest input.
    pub(crate) hung: bool,
}

/// The first connection.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Setup {
    /// Since the fabric was opened; `None` if it was connected before the first snapshot.
    pub(crate) delay_ms: Option<f64>,
    /// How much shorter the delay may have been, if only stats report it.
    pub(crate) uncertainty_ms: Option<f64>,
    /// Since ICE was new.
    pub(crate) connectivity_ms: Option<f64>,
    /// Since ICE checks first began, as a lower bound: unobserved time is not counted.
    pub(crate) checks_ms: Option<f64>,
}
