//! A queue of events in little memory: nearly all are intervals, and an [`Event`] has room for every figure of every
//! kind of stream. It limits nothing.

use alloc::collections::VecDeque;

use super::{CallEvent, Event};
use crate::diagnosis::Diagnosis;
use crate::id::StreamKey;
use crate::metric::PackedInterval;
use crate::score::rating::CallstatsRating;
use crate::score::{NoScore, PackedScore};
use crate::speaker::SpeakerChange;
use crate::unit::StatTime;

/// Events, first in, first out.
#[derive(Clone, Debug, Default)]
pub(crate) struct PackedEvents {
    heads: VecDeque<EventHead>,
    /// The figures of the intervals and of their scores.
    values: VecDeque<f64>,
    /// The other events.
    others: VecDeque<OtherEvent>,
}

#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)] // nearly all are intervals
enum EventHead {
    Interval {
        stream: StreamKey,
        interval: PackedInterval,
        score: Result<PackedScore, NoScore>,
        rating: CallstatsRating,
    },
    /// The next one of the others.
    Other,
}

#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)] // few wait at a time
enum OtherEvent {
    CounterReset { stream: StreamKey, at: StatTime },
    Call(CallEvent),
    DiagnosisRaised(Diagnosis),
    DiagnosisUpdated(Diagnosis),
    DiagnosisCleared(Diagnosis),
    DominantSpeaker(SpeakerChange),
    Overflow { dropped: u64 },
}

/// How many values an interval and its score have at most, in practice: room for them is made at once.
const INTERVAL_VALUES: usize = 40;

impl PackedEvents {
    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The number of events for which there is room.
    pub(crate) fn capacity(&self) -> usize {
        self.heads.capacity()
    }

    pub(crate) fn push_back(&mut self, event: Event) {
        let other = match event {
            Event::IntervalClosed { stream, interval, score, rating } => {
                let Self { heads, values, .. } = self;
                reserve(values, INTERVAL_VALUES);
                let interval = PackedInterval::pack(&interval, values);
                let score = score.map(|score| PackedScore::pack(&score, values));
                reserve(heads, 1);
                heads.push_back(EventHead::Interval { stream, interval, score, rating });
                return;
            }
            Event::CounterReset { stream, at } => OtherEvent::CounterReset { stream, at },
            Event::Call { event } => OtherEvent::Call(event),
            Event::DiagnosisRaised { diagnosis } => OtherEvent::DiagnosisRaised(diagnosis),
            Event::DiagnosisUpdated { diagnosis } => OtherEvent::DiagnosisUpdated(diagnosis),
            Event::DiagnosisCleared { diagnosis } => OtherEvent::DiagnosisCleared(diagnosis),
            Event::DominantSpeaker { change } => OtherEvent::DominantSpeaker(change),
            Event::Overflow { dropped } => OtherEvent::Overflow { dropped },
        };
        reserve(&mut self.others, 1);
        self.others.push_back(other);
        reserve(&mut self.heads, 1);
        self.heads.push_back(EventHead::Other);
    }

    pub(crate) fn pop_front(&mut self) -> Option<Event> {
        Some(match self.heads.pop_front()? {
            EventHead::Interval { stream, interval, score, rating } => {
                let interval = interval.unpack(&mut self.values);
                let score = score.map(|score| score.unpack(&mut self.values));
                Event::IntervalClosed { stream, interval, score, rating }
            }
            EventHead::Other => match self.others.pop_front()? {
                OtherEvent::CounterReset { stream, at } => Event::CounterReset { stream, at },
                OtherEvent::Call(event) => Event::Call { event },
                OtherEvent::DiagnosisRaised(diagnosis) => Event::DiagnosisRaised { diagnosis },
                OtherEvent::DiagnosisUpdated(diagnosis) => Event::DiagnosisUpdated { diagnosis },
                OtherEvent::DiagnosisCleared(diagnosis) => Event::DiagnosisCleared { diagnosis },
                OtherEvent::DominantSpeaker(change) => Event::DominantSpeaker { change },
                OtherEvent::Overflow { dropped } => Event::Overflow { dropped },
            },
        })
    }
}

/// Makes room for more. A conference raises about as many events after each snapshot: the queue does not double.
fn reserve<T>(list: &mut VecDeque<T>, more: usize) {
    if list.capacity() - list.len() < more {
        list.reserve_exact((list.len() / 8).max(more));
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for PackedEvents {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rest = self.clone();
        let events = core::iter::from_fn(|| rest.pop_front()).collect();
        super::wire::serialize(&events, serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for PackedEvents {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::wire::deserialize(deserializer).map(Self::from_events)
    }
}

#[cfg(feature = "serde")]
impl PackedEvents {
    fn from_events(events: VecDeque<Event>) -> Self {
        let mut packed = Self::default();
        events.into_iter().for_each(|event| packed.push_back(event));
        packed
    }

    /// Restores the ids of the audio and the video model, which a state does not contain.
    pub(crate) fn restore_models(&mut self, models: [crate::score::ModelId; 2]) {
        let mut events = core::iter::from_fn(|| self.pop_front()).collect();
        super::wire::restore_models(&mut events, models);
        *self = Self::from_events(events);
    }
}
