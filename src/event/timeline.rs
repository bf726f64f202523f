//! Stores the events of a call for its summary. The store is bounded: a full one refuses further events.

use alloc::vec::Vec;

use super::lifecycle::CallEvent;
use crate::config::Limits;

/// The events of the call.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Timeline {
    /// The events in the order in which they were raised.
    pub(crate) events: Vec<CallEvent>,
    /// Events that the limit refused.
    pub(crate) refused: u64,
}

impl Timeline {
    pub(super) fn record(&mut self, limits: Limits, event: CallEvent) {
        if self.events.len() < limits.timeline() {
            self.events.push(event);
        } else {
            self.refused = self.refused.saturating_add(1);
        }
    }
}
