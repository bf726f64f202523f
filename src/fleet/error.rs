//! Why a fleet refuses an input. A refusal changes no existing conference.

use core::fmt;

/// Why a fleet refused an input. The refusal changes no existing conference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FleetError {
    /// The id is empty or longer than [`Limits::name_bytes`](crate::Limits::name_bytes).
    InvalidId,
    /// The conference is unknown or already removed.
    UnknownConference,
    /// The conference is unknown and would be over by now.
    TooLate,
    /// The fleet has reached its limit of [`conferences`](crate::fleet::FleetLimits::with_conferences).
    ConferencesFull,
    /// A new conference must wait until the application [polls](crate::Fleet::poll_ended) the pending summaries.
    SummariesPending,
    /// A new conference must wait until the application [advances the time](crate::Fleet::handle_timeout) and
    /// [polls](crate::Fleet::poll_rollup) rollups.
    RollupsPending,
    /// The label has an empty key or value, has a `=` in its key, or is longer than [`FleetLimits::label_bytes`](crate::fleet::FleetLimits::label_bytes).
    InvalidLabel,
    /// The conference has reached its limit of [labels](crate::fleet::FleetLimits::with_labels_per_conference).
    LabelsFull,
    /// The fleet has [too few labels left](crate::fleet::FleetLimits::with_labels) for another label of this conference.
    FleetLabelsFull,
}

impl fmt::Display for FleetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidId => "an id is empty or too long",
            Self::UnknownConference => "unknown conference id",
            Self::TooLate => "unknown conference id, and the input is older than the inactivity timeout and the grace",
            Self::ConferencesFull => "the limit of conferences is reached",
            Self::SummariesPending => "too many unpolled summaries",
            Self::RollupsPending => "too many unpolled rollups",
            Self::InvalidLabel => "a label is incomplete or too long",
            Self::LabelsFull => "the conference's label limit is reached",
            Self::FleetLabelsFull => "too few labels left in the fleet",
        })
    }
}

impl core::error::Error for FleetError {}
