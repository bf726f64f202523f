//! The serialized form of queued events in a conference's state. It only converts.

use alloc::collections::VecDeque;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CallEvent, Event};
use crate::diagnosis::Diagnosis;
use crate::id::{MediaKind, StreamKey};
use crate::metric::Interval;
use crate::score::rating::CallstatsRating;
use crate::score::{ModelId, NoScore, Score};
use crate::speaker::SpeakerChange;
use crate::unit::StatTime;

#[derive(Serialize, Deserialize)]
#[allow(clippy::large_enum_variant)] // exists while one event is written or read
enum StoredEvent {
    IntervalClosed {
        stream: StreamKey,
        #[serde(with = "crate::metric::wire")]
        interval: Interval,
        score: Result<StoredScore, NoScore>,
        rating: CallstatsRating,
    },
    CounterReset {
        stream: StreamKey,
        at: StatTime,
    },
    Call(CallEvent),
    DiagnosisRaised(Diagnosis),
    DiagnosisUpdated(Diagnosis),
    DiagnosisCleared(Diagnosis),
    DominantSpeaker(SpeakerChange),
    Overflow {
        dropped: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct StoredScore(#[serde(with = "crate::score::wire")] Score);

impl From<Event> for StoredEvent {
    fn from(event: Event) -> Self {
        match event {
            Event::IntervalClosed { stream, interval, score, rating } => {
                Self::IntervalClosed { stream, interval, score: score.map(StoredScore), rating }
            }
            Event::CounterReset { stream, at } => Self::CounterReset { stream, at },
            Event::Call { event } => Self::Call(event),
            Event::DiagnosisRaised { diagnosis } => Self::DiagnosisRaised(diagnosis),
            Event::DiagnosisUpdated { diagnosis } => Self::DiagnosisUpdated(diagnosis),
            Event::DiagnosisCleared { diagnosis } => Self::DiagnosisCleared(diagnosis),
            Event::DominantSpeaker { change } => Self::DominantSpeaker(change),
            Event::Overflow { dropped } => Self::Overflow { dropped },
        }
    }
}

impl From<StoredEvent> for Event {
    fn from(stored: StoredEvent) -> Self {
        match stored {
            StoredEvent::IntervalClosed { stream, interval, score, rating } => {
                Self::IntervalClosed { stream, interval, score: score.map(|StoredScore(score)| score), rating }
            }
            StoredEvent::CounterReset { stream, at } => Self::CounterReset { stream, at },
            StoredEvent::Call(event) => Self::Call { event },
            StoredEvent::DiagnosisRaised(diagnosis) => Self::DiagnosisRaised { diagnosis },
            StoredEvent::DiagnosisUpdated(diagnosis) => Self::DiagnosisUpdated { diagnosis },
            StoredEvent::DiagnosisCleared(diagnosis) => Self::DiagnosisCleared { diagnosis },
            StoredEvent::DominantSpeaker(change) => Self::DominantSpeaker { change },
            StoredEvent::Overflow { dropped } => Self::Overflow { dropped },
        }
    }
}

pub(crate) fn serialize<S: Serializer>(events: &VecDeque<Event>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(events.len()))?;
    for &event in events {
        list.serialize_element(&StoredEvent::from(event))?;
    }
    list.end()
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VecDeque<Event>, D::Error> {
    let events = VecDeque::<StoredEvent>::deserialize(deserializer)?;
    Ok(events.into_iter().map(Event::from).collect())
}

/// Restores the ids of the models that made the scores, which a state does not contain.
pub(crate) fn restore_models(events: &mut VecDeque<Event>, [sound, pictures]: [ModelId; 2]) {
    for event in events {
        if let Event::IntervalClosed { interval, score: Ok(score), .. } = event {
            score.model = if interval.kind == Some(MediaKind::Audio) { sound } else { pictures };
        }
    }
}
