//! One conference of a fleet: when it is due, and whether it is over. The instances' results go to the ledger.

use alloc::boxed::Box;
use alloc::sync::Arc;

use smallvec::SmallVec;

use super::config::FleetConfig;
use crate::conference::Conference;
use crate::event::Event;
use crate::unit::Timestamp;

/// A conference and the fleet's state for it.
#[derive(Clone, Debug)]
pub(super) struct FleetEntry {
    pub(super) id: Box<str>,
    pub(super) current: Instance,
    /// The previous instance, which is over. It remains for feedback until the current one begins or its own grace has
    /// passed.
    pub(super) before: Option<Box<Instance>>,
    /// The time of the latest `enter` or `enter_ended`.
    pub(super) visited: Timestamp,
    /// The time of its entry in the expiry queue, which is no later than [`due`](Self::due).
    pub(super) queued: Option<Timestamp>,
}

/// One instance of a conference.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) call: Conference,
    /// Sorted, without duplicates.
    pub(super) labels: SmallVec<[Arc<str>; 1]>,
}

impl Instance {
    pub(super) fn new(call: Conference) -> Self {
        Self { call, labels: SmallVec::new() }
    }

    fn poll_event(&mut self) -> Option<(u32, Event)> {
        Some((self.call.instance(), self.call.poll_event()?))
    }
}

impl FleetEntry {
    pub(super) fn new(id: &str, call: Conference, now: Timestamp) -> Self {
        Self { id: id.into(), current: Instance::new(call), before: None, visited: now, queued: None }
    }

    /// Whether the current instance has accepted any input.
    pub(super) const fn has_begun(&self) -> bool {
        self.current.call.clock().is_some()
    }

    /// Whether an input at `now` belongs to the next instance.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        let call = &self.current.call;
        call.poll_timeout().is_none() && call.ended().is_some_and(|(end, _)| end <= now)
    }

    /// Starts the next instance and retains the current one as the previous.
    pub(super) fn rotate(&mut self) {
        let next = Instance::new(self.current.call.next_instance());
        self.before = Some(Box::new(core::mem::replace(&mut self.current, next)));
    }

    /// The instance that feedback and edits apply to.
    pub(super) fn latest(&self) -> &Instance {
        match &self.before {
            Some(before) if !self.has_begun() => before,
            _ => &self.current,
        }
    }

    /// The same, mutable.
    pub(super) fn latest_mut(&mut self) -> &mut Instance {
        let has_begun = self.has_begun();
        match &mut self.before {
            Some(before) if !has_begun => before,
            _ => &mut self.current,
        }
    }

    /// Whether an event is pending.
    pub(super) fn has_event(&self) -> bool {
        self.current.call.has_event() || self.before.as_ref().is_some_and(|before| before.call.has_event())
    }

    /// The next pending event, with its instance number.
    pub(super) fn poll_event(&mut self) -> Option<(u32, Event)> {
        let of_before = self.before.as_mut().and_then(|before| before.poll_event());
        of_before.or_else(|| self.current.poll_event())
    }

    /// When the entry has work to do: a timeout of the conference or, without one, its removal.
    ///
    /// Inputs at the exact time of the end still belong to the conference, in any order, so that instant must have
    /// passed.
    pub(super) fn due(&self, config: &FleetConfig) -> Timestamp {
        let Instance { call, .. } = self.latest();
        match (call.poll_timeout(), call.ended()) {
            (Some(_), Some((end, _))) => later(end, 1),
            (Some(timeout), None) => timeout,
            (None, ended) => later(ended.map_or(self.visited, |(end, _)| end), config.grace_micros()),
        }
    }

    /// Handles every timeout of the conference up to `now`, each at its own time, so that the conference's clock does
    /// not depend on when this is called. Returns whether the conference is to be removed.
    pub(super) fn pass_time(&mut self, now: Timestamp, config: &FleetConfig) -> bool {
        loop {
            let due = self.due(config);
            if due > now {
                return false;
            }
            let call = &mut self.latest_mut().call;
            let Some(timeout) = call.poll_timeout() else { return true };
            let at = call.clock().map_or(timeout, |clock| clock.max(timeout));
            if call.handle_timeout(at).is_err() || call.poll_timeout().is_some() && self.due(config) <= due {
                // A timeout that handling does not clear would loop forever.
                return false;
            }
        }
    }
}

/// Adds microseconds to a time, saturating.
pub(super) const fn later(at: Timestamp, micros: u64) -> Timestamp {
    Timestamp::from_micros(at.as_micros().saturating_add(micros))
}
