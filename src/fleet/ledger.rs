//! State of a fleet beside its conferences: the expiry queue, pending events and summaries, labels, and open windows.
//! It does not own the conferences.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use slotmap::SecondaryMap;

use super::config::FleetConfig;
use super::entry::{FleetEntry, Instance, later};
use super::error::FleetError;
use super::expiry::Expiry;
use super::labels::Labels;
use super::part::{Part, PartSchema};
use super::rollup::{Period, Rollup, Tally};
use super::slab::{EntryKey, Slab};
use crate::event::{Event, PackedEvents};
use crate::summary::ConferenceSummary;
use crate::unit::Timestamp;

/// A conference that is final.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Ended {
    /// Its id.
    pub conference: String,
    /// Its instance number.
    pub instance: u32,
    /// When it ended; for a conference that no participant joined, the time of the latest
    /// [`Fleet::enter`](crate::Fleet::enter) or [`Fleet::enter_ended`](crate::Fleet::enter_ended).
    pub at: Timestamp,
    /// Its labels, `key=value`, in order.
    pub labels: Vec<String>,
    /// Its events that were not polled before.
    pub events: VecDeque<Event>,
    /// Its summary.
    pub summary: Box<ConferenceSummary>,
}

/// Counts of what a fleet refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Refused {
    /// Calls of [`Fleet::enter`](crate::Fleet::enter) for new conferences and new instances that exceeded a limit.
    pub conferences: u64,
    /// Calls of [`Fleet::enter`](crate::Fleet::enter) for unknown conferences that would be over by now.
    pub late: u64,
    /// Labels that exceeded a limit.
    pub labels: u64,
}

/// All state of a fleet except its conferences.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) config: FleetConfig,
    /// The latest time passed to the fleet.
    pub(super) now: Timestamp,
    pub(super) expiry: Expiry,
    pub(super) ready: Ready,
    pub(super) labels: Labels,
    pub(super) refused: Refused,
    /// An empty event queue to lend: a conference has its own queue only while a guard borrows it and until its events
    /// are polled.
    pub(super) spare: PackedEvents,
    pub(super) ended: VecDeque<Ended>,
    /// How many of `ended`, from the front, have no event left.
    polled: usize,
    pub(super) windows: BTreeMap<Period, LedgerWindow>,
    pub(super) sequence: u64,
}

/// A rollup in progress.
#[derive(Clone, Debug, Default)]
pub(super) struct LedgerWindow {
    pub(super) total: Tally,
    pub(super) labels: BTreeMap<Arc<str>, Tally>,
}

/// Conferences that may have events, each once, in the order in which they are polled.
#[derive(Clone, Debug, Default)]
pub(super) struct Ready {
    queue: VecDeque<EntryKey>,
    /// The conferences in `queue` that were not removed since.
    waiting: SecondaryMap<EntryKey, ()>,
}

impl Ready {
    pub(super) fn push(&mut self, key: EntryKey) {
        if self.waiting.insert(key, ()).is_none() {
            self.queue.push_back(key);
        }
    }

    /// Discards queue entries of removed conferences once they outnumber the others, which happens if the application
    /// does not poll.
    pub(super) fn compact(&mut self) {
        let Self { queue, waiting } = self;
        if queue.len() > 2 * waiting.len() + 64 {
            queue.retain(|&key| waiting.contains_key(key));
        }
    }

    /// Forgets a conference that the fleet removed.
    pub(super) fn remove(&mut self, key: EntryKey) {
        self.waiting.remove(key);
    }

    #[cfg(feature = "serde")]
    pub(super) fn keys(&self) -> impl Iterator<Item = EntryKey> {
        self.queue.iter().copied().filter(|&key| self.waiting.contains_key(key))
    }

    pub(super) fn first(&mut self) -> Option<EntryKey> {
        while let Some(&key) = self.queue.front() {
            if self.waiting.contains_key(key) {
                return Some(key);
            }
            self.queue.pop_front();
        }
        None
    }

    pub(super) fn pop(&mut self) {
        if let Some(key) = self.queue.pop_front() {
            self.waiting.remove(key);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Sorts the conferences after the first `from` by their ids.
    pub(super) fn sort_from(&mut self, from: usize, slab: &Slab) {
        if let Some(new) = self.queue.make_contiguous().get_mut(from..) {
            new.sort_by_key(|&key| slab.get(key).map(|entry| &*entry.id));
        }
    }
}

impl Ledger {
    pub(super) fn new(config: FleetConfig) -> Self {
        Self { config, ..Self::default() }
    }

    /// Checks whether another instance may begin.
    pub(super) fn check_capacity(&mut self) -> Result<(), FleetError> {
        let limits = self.config.limits;
        let checked = if self.ended.len() >= limits.pending_summaries() {
            Err(FleetError::SummariesPending)
        } else if self.windows.len() >= limits.windows() {
            Err(FleetError::RollupsPending)
        } else {
            Ok(())
        };
        self.refused.conferences = self.refused.conferences.saturating_add(u64::from(checked.is_err()));
        checked
    }

    /// Schedules an entry at the time it is due, but later than `after`.
    pub(super) fn queue(&mut self, key: EntryKey, entry: &mut FleetEntry, after: Option<Timestamp>) {
        let due = entry.due(&self.config);
        let at = after.map_or(due, |now| due.max(later(now, 1)));
        // At the end of time nothing is scheduled again.
        if entry.queued.is_none_or(|queued| at < queued) && after.is_none_or(|now| at > now) {
            entry.queued = Some(at);
            self.expiry.push(at, key);
        }
    }

    /// Finalizes an instance: adds its figures to the rollup of the window of its end, and its summary to the pending
    /// ones. An instance without input and feedback leaves nothing.
    pub(super) fn finish(&mut self, id: &str, instance: Instance, visited: Timestamp) {
        let Instance { mut call, labels } = instance;
        let summary = call.summary();
        if call.clock().is_none() && summary.feedback.is_empty() {
            labels.iter().for_each(|label| self.labels.release(label));
            return;
        }
        let at = call.ended().map_or(visited, |(end, _)| end);
        let tally = Tally::of(&summary, call.distributions());
        let window = self.windows.entry(Period::containing(at, self.config.window_micros())).or_default();
        window.total.merge(&tally);
        for label in &labels {
            // The window's reference replaces that of the conference.
            if window.labels.contains_key(label) {
                self.labels.release(label);
            }
            window.labels.entry(Arc::clone(label)).or_default().merge(&tally);
        }
        self.ended.push_back(Ended {
            conference: id.into(),
            instance: call.instance(),
            at,
            labels: labels.iter().map(|label| String::from(&**label)).collect(),
            events: core::iter::from_fn(|| call.poll_event()).collect(),
            summary: Box::new(summary),
        });
    }

    /// Whether an ended conference has a pending event.
    pub(super) fn has_ended_events(&mut self) -> bool {
        while self.ended.get(self.polled).is_some_and(|ended| ended.events.is_empty()) {
            self.polled += 1;
        }
        self.polled < self.ended.len()
    }

    /// Returns the next event of the ended conferences, with its conference.
    pub(super) fn poll_event(&mut self) -> Option<(&Ended, Event)> {
        let ended = self.ended.get_mut(self.polled)?;
        let event = ended.events.pop_front()?;
        Some((ended, event))
    }

    pub(super) fn poll_ended(&mut self) -> Option<Ended> {
        self.polled = self.polled.saturating_sub(1);
        self.ended.pop_front()
    }

    pub(super) fn ended_len(&self) -> usize {
        self.ended.len()
    }

    /// Sorts the ended conferences after the first `from` by end time, then by id.
    pub(super) fn sort_ended_from(&mut self, from: usize) {
        if let Some(new) = self.ended.make_contiguous().get_mut(from..) {
            new.sort_by(|a, b| (a.at, &a.conference, a.instance).cmp(&(b.at, &b.conference, b.instance)));
        }
    }

    /// The number of labels in windows, counted once for each window that has it.
    pub(super) fn labels_of_windows(&self) -> usize {
        self.windows.values().fold(0, |all, window| all.saturating_add(window.labels.len()))
    }

    /// When the next window closes; `None` if every window is closed already.
    pub(super) fn closes_next(&self) -> Option<Timestamp> {
        self.windows.keys().map(|period| self.closes(*period)).find(|&closes| closes > self.now)
    }

    pub(super) fn poll_rollup(&mut self) -> Option<Part> {
        let (&period, _) = self.windows.first_key_value()?;
        if self.closes(period) > self.now {
            return None;
        }
        let LedgerWindow { total, labels } = self.windows.remove(&period)?;
        labels.keys().for_each(|label| self.labels.release(label));
        let labels = labels.into_iter().map(|(label, tally)| (String::from(&*label), tally)).collect();
        let sequence = self.sequence;
        self.sequence = sequence.saturating_add(1);
        Some(Part {
            schema: PartSchema::V1,
            shard: self.config.shard.clone(),
            period,
            sequence,
            rollup: Rollup { total, labels },
        })
    }

    /// The time after which all conferences that ended in a window have been removed.
    fn closes(&self, period: Period) -> Timestamp {
        later(period.end, self.config.grace_micros())
    }
}
