//! Borrows one conference of a fleet to apply inputs; dropping the guard schedules the conference and queues its events.
//! Starting instances and removing conferences are up to the fleet.

use alloc::sync::Arc;
use core::ops::{Deref, DerefMut};

use super::entry::{FleetEntry, Instance};
use super::error::FleetError;
use super::labels::Labels;
use super::ledger::Ledger;
use super::slab::EntryKey;
use crate::conference::Conference;
use crate::fabric::Outcome;
use crate::unit::Timestamp;

/// One conference of a [`Fleet`](super::Fleet), borrowed to apply inputs; it dereferences to a [`Conference`]. The
/// fleet registers the changes when the guard is dropped.
///
/// Leave the conference's [`handle_timeout`](Conference::handle_timeout) to the fleet. Events
/// [polled](Conference::poll_event) here do not reach [`Fleet::poll_event`](super::Fleet::poll_event). A renamed
/// conference keeps its id in the fleet.
#[derive(Debug)]
pub struct ConferenceGuard<'a> {
    key: EntryKey,
    entry: &'a mut FleetEntry,
    ledger: &'a mut Ledger,
    /// Whether the guard comes from `enter_ended`.
    is_late: bool,
}

impl<'a> ConferenceGuard<'a> {
    pub(super) fn new(
        key: EntryKey,
        now: Timestamp,
        entry: &'a mut FleetEntry,
        ledger: &'a mut Ledger,
        is_late: bool,
    ) -> Self {
        entry.visited = entry.visited.max(now);
        entry.current.call.borrow_queue(&mut ledger.spare);
        Self { key, entry, ledger, is_late }
    }

    /// Attaches a label, such as `region` and `eu`. This instance of the conference counts in the rollup of each of its
    /// labels. A key may have several values, for example if participants use two browsers.
    ///
    /// # Errors
    /// [`FleetError::InvalidLabel`]; [`FleetError::LabelsFull`] when the conference has
    /// [`FleetLimits::labels_per_conference`](super::FleetLimits::labels_per_conference);
    /// [`FleetError::FleetLabelsFull`] for a label that is not in use when too few are left, as
    /// [`FleetLimits::with_labels`](super::FleetLimits::with_labels) defines.
    pub fn label(&mut self, key: &str, value: &str) -> Result<Outcome, FleetError> {
        let limits = self.ledger.config.limits;
        let label = Labels::text(key, value, limits)?;
        let before = self.entry.before.as_ref().map_or(0, |before| before.labels.len());
        let Instance { call, labels } = if self.is_late { self.entry.latest_mut() } else { &mut self.entry.current };
        let Err(place) = labels.binary_search_by(|other| (**other).cmp(&*label)) else { return Ok(Outcome::Unchanged) };
        let most = limits.labels_per_conference();
        let added = if labels.len() < most {
            // Windows hold the labels of earlier instances without an owner. Assume that each earlier instance added as
            // many as it could, up to the number of labels in windows.
            let earlier = (call.instance().saturating_sub(1) as usize).saturating_mul(most);
            let earlier = earlier.min(before.saturating_add(self.ledger.labels_of_windows()));
            self.ledger.labels.add(&label, labels.len().saturating_add(earlier), limits)
        } else {
            Err(FleetError::LabelsFull)
        };
        self.ledger.refused.labels = self.ledger.refused.labels.saturating_add(u64::from(added.is_err()));
        labels.insert(place, added?);
        Ok(Outcome::Applied)
    }

    /// The labels, `key=value`, in order.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.instance().labels.iter().map(Arc::as_ref)
    }

    fn instance(&self) -> &Instance {
        if self.is_late { self.entry.latest() } else { &self.entry.current }
    }

    fn instance_mut(&mut self) -> &mut Instance {
        if self.is_late { self.entry.latest_mut() } else { &mut self.entry.current }
    }
}

impl Deref for ConferenceGuard<'_> {
    type Target = Conference;

    fn deref(&self) -> &Conference {
        &self.instance().call
    }
}

impl DerefMut for ConferenceGuard<'_> {
    fn deref_mut(&mut self) -> &mut Conference {
        &mut self.instance_mut().call
    }
}

impl Drop for ConferenceGuard<'_> {
    fn drop(&mut self) {
        if self.entry.has_begun()
            && let Some(before) = self.entry.before.take()
        {
            self.ledger.finish(&self.entry.id, *before, self.entry.visited);
        }
        self.entry.current.call.return_queue(&mut self.ledger.spare);
        self.ledger.queue(self.key, self.entry, None);
        if self.entry.has_event() {
            self.ledger.ready.push(self.key);
        }
    }
}
