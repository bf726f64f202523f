//! An interval in the memory of the figures that it has, for queues. It only converts.

use alloc::collections::VecDeque;

use super::{Interval, IntervalState, Metric};
use crate::id::{Direction, MediaKind, Ssrc};
use crate::report::Fields;
use crate::unit::StatTime;

/// An interval without its figures, which are in a list of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedInterval {
    at: StatTime,
    span_ms: f64,
    present: u64,
    doubted: Fields,
    ssrc: Ssrc,
    direction: Direction,
    kind: Option<MediaKind>,
    state: IntervalState,
}

impl PackedInterval {
    /// Appends the figures of an interval to `values`.
    pub(crate) fn pack(interval: &Interval, values: &mut VecDeque<f64>) -> Self {
        let &Interval { at, span_ms, present, doubted, ssrc, direction, kind, state, .. } = interval;
        values.extend(interval.figures().map(|(_, value)| value));
        Self { at, span_ms, present, doubted, ssrc, direction, kind, state }
    }

    /// Takes the figures from the front of `values`.
    pub(crate) fn unpack(self, values: &mut VecDeque<f64>) -> Interval {
        let Self { at, span_ms, present, doubted, ssrc, direction, kind, state } = self;
        let mut interval = Interval::new(at, span_ms, direction, ssrc, kind);
        (interval.state, interval.present, interval.doubted) = (state, present, doubted);
        for &metric in Metric::ALL {
            if present >> metric as u8 & 1 == 1
                && let Some(slot) = interval.values.get_mut(metric as usize)
            {
                *slot = values.pop_front().unwrap_or_default();
            }
        }
        interval
    }
}
