//! The serialized form of an interval in a conference's state: only the known figures, by their place in the table. It
//! only converts.

use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Interval, IntervalState, Metric};
use crate::id::{Direction, MediaKind, Ssrc};
use crate::report::Fields;
use crate::unit::StatTime;

#[derive(Serialize, Deserialize)]
struct StoredInterval {
    at: StatTime,
    span_ms: f64,
    direction: Direction,
    ssrc: Ssrc,
    kind: Option<MediaKind>,
    state: IntervalState,
    doubted: Fields,
    figures: Vec<(u8, f64)>,
}

pub(crate) fn serialize<S: Serializer>(interval: &Interval, serializer: S) -> Result<S::Ok, S::Error> {
    let &Interval { at, span_ms, direction, ssrc, kind, state, doubted, .. } = interval;
    let figures = interval.figures().map(|(metric, value)| (metric as u8, value)).collect();
    StoredInterval { at, span_ms, direction, ssrc, kind, state, doubted, figures }.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Interval, D::Error> {
    let stored = StoredInterval::deserialize(deserializer)?;
    let mut interval = Interval::new(stored.at, stored.span_ms, stored.direction, stored.ssrc, stored.kind);
    interval.state = stored.state;
    interval.doubted = stored.doubted;
    for (place, value) in stored.figures {
        if let Some(&metric) = Metric::ALL.get(usize::from(place)) {
            interval.set(metric, Some(value));
        }
    }
    Ok(interval)
}
