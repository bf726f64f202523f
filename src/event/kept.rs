//! Events that wait in a conference's state.

use alloc::collections::VecDeque;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Event, Happening};
use crate::diagnosis::Diagnosis;
use crate::id::{MediaKind, StreamKey};
use crate::metric::Interval;
use crate::score::rating::Quality;
use crate::score::{ModelId, NoScore, Score};
use crate::speaker::SpeakerChange;
use crate::unit::StatTime;

#[derive(Serialize, Deserialize)]
#[allow(clippy::large_enum_variant)] // lives while one event is written or read
enum Kept {
    IntervalClosed {
        stream: StreamKey,
        #[serde(with = "crate::metric::kept")]
        interval: Interval,
        score: Result<KeptScore, NoScore>,
        rating: Quality,
    },
    CounterReset {
        stream: StreamKey,
        at: StatTime,
    },
    Happened(Happening),
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
struct KeptScore(#[serde(with = "crate::score::kept")] Score);

impl From<Event> for Kept {
    fn from(event: Event) -> Self {
        match event {
            Event::IntervalClosed { stream, interval, score, rating } => {
                Self::IntervalClosed { stream, interval, score: score.map(KeptScore), rating }
            }
            Event::CounterReset { stream, at } => Self::CounterReset { stream, at },
            Event::Happened { happening } => Self::Happened(happening),
            Event::DiagnosisRaised { diagnosis } => Self::DiagnosisRaised(diagnosis),
            Event::DiagnosisUpdated { diagnosis } => Self::DiagnosisUpdated(diagnosis),
            Event::DiagnosisCleared { diagnosis } => Self::DiagnosisCleared(diagnosis),
            Event::DominantSpeaker { change } => Self::DominantSpeaker(change),
            Event::Overflow { dropped } => Self::Overflow { dropped },
        }
    }
}

impl From<Kept> for Event {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::IntervalClosed { stream, interval, score, rating } => {
                Self::IntervalClosed { stream, interval, score: score.map(|KeptScore(score)| score), rating }
            }
            Kept::CounterReset { stream, at } => Self::CounterReset { stream, at },
            Kept::Happened(happening) => Self::Happened { happening },
            Kept::DiagnosisRaised(diagnosis) => Self::DiagnosisRaised { diagnosis },
            Kept::DiagnosisUpdated(diagnosis) => Self::DiagnosisUpdated { diagnosis },
            Kept::DiagnosisCleared(diagnosis) => Self::DiagnosisCleared { diagnosis },
            Kept::DominantSpeaker(change) => Self::DominantSpeaker { change },
            Kept::Overflow { dropped } => Self::Overflow { dropped },
        }
    }
}

pub(crate) fn serialize<S: Serializer>(events: &VecDeque<Event>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(events.len()))?;
    for &event in events {
        list.serialize_element(&Kept::from(event))?;
    }
    list.end()
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VecDeque<Event>, D::Error> {
    let events = VecDeque::<Kept>::deserialize(deserializer)?;
    Ok(events.into_iter().map(Event::from).collect())
}

/// Names the models of sound and of pictures again that made the scores, which a state does not.
pub(crate) fn revive(events: &mut VecDeque<Event>, [sound, pictures]: [ModelId; 2]) {
    for event in events {
        if let Event::IntervalClosed { interval, score: Ok(score), .. } = event {
            score.model = if interval.kind == Some(MediaKind::Audio) { sound } else { pictures };
        }
    }
}
