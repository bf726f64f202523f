//! Queues events until the application polls them. The queue is bounded: a full one drops its oldest events.

use super::packed::PackedEvents;
use super::timeline::Timeline;
use crate::config::Limits;
use crate::diagnosis::{Diagnosis, DiagnosisChange};
use crate::event::{CallEvent, Event};

/// The events to be polled, and the timeline.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct EventQueue {
    events: PackedEvents,
    dropped: u32,
    pub(crate) timeline: Timeline,
    /// The number of diagnoses raised.
    diagnoses: u32,
}

impl EventQueue {
    /// Queues an event. A full queue drops its oldest event.
    pub(crate) fn push(&mut self, limits: Limits, event: Event) {
        if self.events.len() >= limits.pending_events() {
            self.events.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
        if limits.pending_events() > 0 {
            self.events.push_back(event);
        }
    }

    /// The limit of diagnoses for a fabric that already has `has` of them.
    pub(crate) fn diagnoses_limit(&self, limits: Limits, has: usize) -> usize {
        limits
            .diagnoses_per_fabric()
            .min(has.saturating_add(limits.diagnoses().saturating_sub(self.diagnoses as usize)))
    }

    /// Queues the event of a diagnosis.
    pub(crate) fn diagnose(&mut self, limits: Limits, change: DiagnosisChange, diagnosis: Diagnosis) {
        self.diagnoses = self.diagnoses.saturating_add(u32::from(change == DiagnosisChange::Raised));
        self.diagnoses = self.diagnoses.saturating_sub(u32::from(diagnosis.is_refuted));
        self.push(
            limits,
            match change {
                DiagnosisChange::Raised => Event::DiagnosisRaised { diagnosis },
                DiagnosisChange::Updated => Event::DiagnosisUpdated { diagnosis },
                DiagnosisChange::Cleared => Event::DiagnosisCleared { diagnosis },
            },
        );
    }

    /// Queues an event and adds it to the timeline.
    pub(crate) fn raise(&mut self, limits: Limits, event: CallEvent) {
        self.push(limits, Event::Call { event });
        self.timeline.record(limits, event);
    }

    /// Restores the ids of the audio and the video model, which a state does not contain.
    #[cfg(feature = "serde")]
    pub(crate) fn restore_models(&mut self, models: [crate::score::ModelId; 2]) {
        self.events.restore_models(models);
    }

    /// Takes a spare queue for future events, unless there is a queue.
    pub(crate) fn borrow_queue(&mut self, spare: &mut PackedEvents) {
        if self.events.capacity() == 0 {
            core::mem::swap(&mut self.events, spare);
        }
    }

    /// Returns an empty queue: the larger of the two is retained.
    pub(crate) fn return_queue(&mut self, spare: &mut PackedEvents) {
        if self.events.is_empty() {
            if self.events.capacity() > spare.capacity() {
                core::mem::swap(&mut self.events, spare);
            }
            self.events = PackedEvents::default();
        }
    }

    /// Whether an event waits.
    pub(crate) fn has_event(&self) -> bool {
        self.dropped > 0 || !self.events.is_empty()
    }

    /// The next event; the number of dropped events comes first.
    pub(crate) fn poll(&mut self) -> Option<Event> {
        match core::mem::take(&mut self.dropped) {
            0 => self.events.pop_front(),
            dropped => Some(Event::Overflow { dropped: dropped.into() }),
        }
    }
}
