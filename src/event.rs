//! What happens while a conference is measured, as it happens.

pub use crate::fabric::{EndReason, EventKind, Happening, StateChange};
use crate::id::StreamKey;
use crate::metric::Interval;
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
    Happened {
        /// What, when, and to whom.
        happening: Happening,
    },
    /// Events were dropped, oldest first, because nobody polled them. Comes before those that were kept.
    #[non_exhaustive]
    Overflow {
        /// How many.
        dropped: u64,
    },
}
