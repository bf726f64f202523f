//! The time of a stream on hold, muted or paused, as the application reports it. It overrides the state that stats
//! show.

use super::Times;
use crate::metric::IntervalState;

/// The time that the application had a stream on hold, muted or paused during an interval, in ms of the caller's clock.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct AppTime {
    pub(crate) held: f64,
    pub(crate) muted: f64,
    pub(crate) paused: f64,
}

impl AppTime {
    /// The state of an interval with any such time, whose figures say nothing about quality; `None` without such time.
    pub(super) fn state(self) -> Option<IntervalState> {
        let longest = self.held.max(self.muted).max(self.paused);
        Some(match longest {
            ms if ms <= 0.0 => return None,
            ms if ms == self.held => IntervalState::Held,
            ms if ms == self.paused => IntervalState::Paused,
            _ => IntervalState::Muted,
        })
    }

    /// Adds the time to the sums of a stream, at most the length of the interval. Returns how much that is, ms.
    pub(super) fn add_to(self, times: &mut Times, span_ms: f64) -> f64 {
        let all = self.held + self.muted + self.paused;
        let share = if all > span_ms { span_ms / all } else { 1.0 };
        times.held += self.held * share;
        times.muted += self.muted * share;
        times.paused += self.paused * share;
        all.min(span_ms)
    }
}
