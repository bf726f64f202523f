//! The events of a conference and their words. The module detects nothing: other modules raise the events.

mod error;
mod lifecycle;
mod packed;
mod queue;
mod timeline;
#[cfg(feature = "serde")]
pub(crate) mod wire;
mod words;

pub use error::{ErrorReport, FailureReason, MAX_TEXT, Reported, WebRtcFunction};
pub(crate) use error::{StoredText, cut};
pub use lifecycle::{CallEvent, EndReason, EventKind, StateChange};
pub(crate) use packed::PackedEvents;
pub(crate) use queue::EventQueue;
pub(crate) use words::words;
pub use words::{
    CallClass, ConnectionState, DtlsState, EndpointType, FabricState, FabricUsage, GatheringState, IceState, Relay,
    SignalingState, TransmissionDirection,
};

use crate::diagnosis::Diagnosis;
use crate::id::StreamKey;
use crate::metric::Interval;
use crate::score::rating::CallstatsRating;
use crate::score::{NoScore, Score};
use crate::speaker::SpeakerChange;
use crate::unit::StatTime;

/// An event of a conference. [`Conference::poll_event`](crate::Conference::poll_event) returns it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // most events are intervals, and a box would allocate for each of them
pub enum Event {
    /// An interval of a stream closed, with the figures since the previous sample.
    #[non_exhaustive]
    IntervalClosed {
        /// The stream.
        stream: StreamKey,
        /// Its figures.
        interval: Interval,
        /// The score of the last seconds, including this interval; or the reason why there is none.
        score: Result<Score, NoScore>,
        /// callstats.io's rating of the interval.
        rating: CallstatsRating,
    },
    /// A stream's counters were reset, or its SSRC now carries another track. It follows the interval in which the
    /// reset occurred.
    #[non_exhaustive]
    CounterReset {
        /// The stream.
        stream: StreamKey,
        /// When the reset was detected, on the reporter's clock.
        at: StatTime,
    },
    /// An event in the lifecycle of the call: a user joined or left, a fabric was set up or lost, the application
    /// reported something, the conference ended.
    #[non_exhaustive]
    Call {
        /// The event, with its time, fabric and user.
        event: CallEvent,
    },
    /// A diagnosis was raised.
    #[non_exhaustive]
    DiagnosisRaised {
        /// The diagnosis, with its start and its figures; [`Diagnosis::sentence`] describes it in words.
        diagnosis: Diagnosis,
    },
    /// A raised diagnosis has become worse.
    #[non_exhaustive]
    DiagnosisUpdated {
        /// The same diagnosis, with its figures so far.
        diagnosis: Diagnosis,
    },
    /// A diagnosis was cleared.
    #[non_exhaustive]
    DiagnosisCleared {
        /// The same diagnosis, with its end and all of its figures.
        diagnosis: Diagnosis,
    },
    /// The dominant speaker changed, or there is none any more.
    #[non_exhaustive]
    DominantSpeaker {
        /// The new speaker, and since when.
        change: SpeakerChange,
    },
    /// Events were dropped, oldest first, because the application did not poll them. It precedes the remaining events.
    #[non_exhaustive]
    Overflow {
        /// The number of dropped events.
        dropped: u64,
    },
}
