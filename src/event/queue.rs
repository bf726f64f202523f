//! What leaves a conference while it runs, and what is kept of it for the summary.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::config::Limits;
use crate::diagnosis::{Change, Diagnosis};
use crate::event::{CallEvent, Event};

/// Events that wait to be polled, and the timeline.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct EventQueue {
    #[cfg_attr(feature = "serde", serde(with = "crate::event::wire"))]
    events: VecDeque<Event>,
    dropped: u32,
    /// In the order in which it was raised.
    pub(crate) timeline: Vec<CallEvent>,
    /// What the timeline had no room for.
    pub(crate) refused: u64,
    /// How many diagnoses have been raised.
    diagnoses: u32,
}

impl EventQueue {
    /// Queues an event. The oldest goes when there is no room.
    pub(crate) fn push(&mut self, limits: Limits, event: Event) {
        if self.events.len() >= limits.pending_events() {
            self.events.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
        if limits.pending_events() > 0 {
            self.events.push_back(event);
        }
    }

    /// How many diagnoses a fabric may have that has so many.
    pub(crate) fn diagnoses_limit(&self, limits: Limits, has: usize) -> usize {
        limits
            .diagnoses_per_fabric()
            .min(has.saturating_add(limits.diagnoses().saturating_sub(self.diagnoses as usize)))
    }

    /// Queues what became of a diagnosis.
    pub(crate) fn diagnose(&mut self, limits: Limits, change: Change, diagnosis: Diagnosis) {
        self.diagnoses = self.diagnoses.saturating_add(u32::from(change == Change::Raised));
        self.push(
            limits,
            match change {
                Change::Raised => Event::DiagnosisRaised { diagnosis },
                Change::Updated => Event::DiagnosisUpdated { diagnosis },
                Change::Cleared => Event::DiagnosisCleared { diagnosis },
            },
        );
    }

    /// Queues what happened, and keeps it.
    pub(crate) fn raise(&mut self, limits: Limits, event: CallEvent) {
        self.push(limits, Event::Call { event });
        if self.timeline.len() < limits.timeline() {
            self.timeline.push(event);
        } else {
            self.refused = self.refused.saturating_add(1);
        }
    }

    /// Names the models of sound and of pictures again, which a state does not.
    #[cfg(feature = "serde")]
    pub(crate) fn restore_models(&mut self, models: [crate::score::ModelId; 2]) {
        crate::event::wire::restore_models(&mut self.events, models);
    }

    /// Takes a queue for what is to come, unless it has one.
    pub(crate) fn borrow_queue(&mut self, spare: &mut VecDeque<Event>) {
        if self.events.capacity() == 0 {
            core::mem::swap(&mut self.events, spare);
        }
    }

    /// Gives a queue back in which nothing waits: the larger of two is kept.
    pub(crate) fn return_queue(&mut self, spare: &mut VecDeque<Event>) {
        if self.events.is_empty() {
            if self.events.capacity() > spare.capacity() {
                core::mem::swap(&mut self.events, spare);
            }
            self.events = VecDeque::new();
        }
    }

    /// Whether an event waits.
    pub(crate) fn has_event(&self) -> bool {
        self.dropped > 0 || !self.events.is_empty()
    }

    /// The next event; first of all how many were dropped.
    pub(crate) fn poll(&mut self) -> Option<Event> {
        match core::mem::take(&mut self.dropped) {
            0 => self.events.pop_front(),
            dropped => Some(Event::Overflow { dropped: dropped.into() }),
        }
    }
}
