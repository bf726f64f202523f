//! What happens while a conference is measured, as it happens.

mod error;
mod lifecycle;
mod queue;
#[cfg(feature = "serde")]
pub(crate) mod wire;
mod words;

pub use error::{ErrorReport, FailureReason, MAX_TEXT, Reported, WebRtcFunction};
pub(crate) use error::{Stored, cut};
pub use lifecycle::{CallEvent, EndReason, EventKind, StateChange};
pub(crate) use queue::EventQueue;
pub(crate) use words::words;
pub use words::{
    CallClass, ConnectionState, EndpointType, FabricState, FabricUsage, GatheringState, IceState, Relay,
    SignalingState, TransmissionDirection,
};

use crate::diagnosis::Diagnosis;
use crate::id::StreamKey;
use crate::metric::Interval;
use crate::score::rating::CallstatsRating;
use crate::score::{NoScore, Score};
use crate::speaker::SpeakerChange;
use crate::unit::StatTime;

/// Something that the conference noticed. Polled from [`Conference::poll_event`](crate::Conference::poll_event).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // most events are intervals, and a box would allocate for each of them
pub enum Event {
    /// A stream was looked at again: the figures since the look before.
    #[non_exhaustive]
    IntervalClosed {
        /// Which stream.
        stream: StreamKey,
        /// Its figures.
        interval: Interval,
        /// What the last seconds were worth, this interval among them; or why that is not known.
        score: Result<Score, NoScore>,
        /// How callstats.io would have rated the interval.
        rating: CallstatsRating,
    },
    /// A stream's counters began anew, or its SSRC now carries something else. Follows the interval in which it
    /// happened.
    #[non_exhaustive]
    CounterReset {
        /// Which stream.
        stream: StreamKey,
        /// When it was noticed, on the reporter's clock.
        at: StatTime,
    },
    /// Something happened in the life of the call: a user came or went, a fabric was set up or lost, the application said
    /// something, the conference ended.
    #[non_exhaustive]
    Call {
        /// What, when, and to whom.
        event: CallEvent,
    },
    /// Something goes wrong.
    #[non_exhaustive]
    DiagnosisRaised {
        /// What, since when, and by which figures; [`Diagnosis::sentence`] says it in words.
        diagnosis: Diagnosis,
    },
    /// What goes wrong has become worse.
    #[non_exhaustive]
    DiagnosisUpdated {
        /// The same diagnosis as it was raised, with the figures so far.
        diagnosis: Diagnosis,
    },
    /// What went wrong is over.
    #[non_exhaustive]
    DiagnosisCleared {
        /// The same diagnosis, with its end and all of its figures.
        diagnosis: Diagnosis,
    },
    /// Another one is the dominant speaker, or nobody is any more.
    #[non_exhaustive]
    DominantSpeaker {
        /// Who, and since when.
        change: SpeakerChange,
    },
    /// Events were dropped, oldest first, because nobody polled them. Comes before those that were kept.
    #[non_exhaustive]
    Overflow {
        /// How many.
        dropped: u64,
    },
}
