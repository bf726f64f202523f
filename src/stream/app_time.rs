//! The time of a stream on hold, muted or paused, as the application reports it. It overrides what stats show.

use super::Times;
use crate::metric::IntervalState;

/// How long the application had a stream on hold, muted or paused during an interval, in ms of the caller's clock.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct AppTime {
    pub(crate) held: f64,
    pub(crate) muted: f64,
    pub(crate) paused: f64,
}

impl AppTime {
    /// What an interval was that has any such time in it; no figure of it says anything about quality.
    pub(super) fn state(self) -> Option<IntervalState> {
        let longest = self.held.max(self.muted).max(self.paused);
        Some(match longest {
            ms if ms <= 0.0 => return None,
            ms if ms == self.held => IntervalState::Held,
            ms if ms == self.paused => IntervalState::Paused,
            _ => IntervalState::Muted,
        })
    }

    /// Adds the time to the sums of a stream. An interval has no more of it than it is long.
    pub(super) fn add_to(self, times: &mut Times, span_ms: f64) {
        let span_ms = span_ms.max(0.0);
        let all = self.held + self.muted + self.paused;
        let share = if all > span_ms { span_ms / all } else { 1.0 };
        times.held += self.held * share;
        times.muted += self.muted * share;
        times.paused += self.paused * share;
    }
}
