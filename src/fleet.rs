//! Runs many conferences by id: it routes inputs, detects ends, and aggregates the results of ended conferences by time
//! window and label. It opens no sockets, reads no clock, and does not route ids between fleets.
//!
//! | type | what it is |
//! |---|---|
//! | [`Fleet`] | conferences by id, created at the first input and removed after their end |
//! | [`ConferenceGuard`] | one conference, borrowed to apply inputs |
//! | [`FleetEvent`], [`Ended`] | the events of each conference, and its summary |
//! | [`Part`], [`Rollup`], [`Tally`] | aggregates of the conferences that ended in a time window, in total and by label |
//! | [`Merger`] | merges parts of many fleets, each part once |
//! | [`AlertRule`], [`Alert`] | callstats' interval alerts, computed from a tally |
//!
//! # Time
//!
//! Each conference has its own clock, which its inputs and its own timeouts advance. Before an input reaches a
//! conference, the fleet handles the conference's timeouts up to that time, each at its own time. A conference's
//! results therefore do not depend on inputs for other conferences, nor on when [`Fleet::handle_timeout`] is called, as
//! long as no input is older than the time passed to that call. The fleet's clock is the latest time passed to it. The
//! fleet accepts an older input if the conference's own clock accepts it. An input creates an unknown conference,
//! unless a conference that began at that time would be over by now.
//!
//! # From the end to a rollup
//!
//! A conference that is over is retained for a [grace](FleetConfig::with_grace), so that feedback can still reach it
//! ([`Fleet::enter_ended`]). It becomes final with the first input that its next instance accepts, or when the grace
//! has passed. Then its summary waits in [`Fleet::poll_ended`], and its figures count in the window in which it ended.
//! The next instance has the next number and knows the users of the previous one. After the grace the fleet forgets the
//! id, which then begins with instance 1 again.
//!
//! A window closes when the grace has passed since its end. A conference that ends in it later, because its inputs come
//! late, makes another [`Part`] of the same window.
//!
//! # Many fleets
//!
//! The id alone identifies a conference. Any number of fleets, each with the conferences of some ids, give the same
//! result as one fleet with all of them: their merged rollups are equal to the byte. The fleets need not know of each
//! other; they only need equal windows and graces, and a different [shard name](FleetConfig::with_shard) each. Refusals
//! may differ, because limits apply to each fleet, and each fleet has its own clock, which decides whether an input is
//! too late.

mod alert;
#[cfg(feature = "serde")]
mod checkpoint;
mod config;
mod entry;
mod expiry;
mod guard;
mod labels;
mod ledger;
mod part;
mod rollup;
mod slab;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use alert::{Alert, AlertPeriod, AlertReason, AlertRule, AlertThreshold};
pub use config::{FleetConfig, FleetLimits};
pub use guard::ConferenceGuard;
pub use part::{Merged, Merger, Part, PartSchema, SCHEMA};
pub use rollup::{Period, Rollup, Tally};

use crate::conference::Conference;
use crate::event::Event;
use crate::summary::ConferenceSummary;
use crate::unit::Timestamp;
use entry::{FleetEntry, later};
use ledger::Ledger;
use slab::{EntryKey, Slab};

/// Many conferences by id.
///
/// A fleet adds about 200 bytes to each conference, including a short id (`tests/cost/memory.rs`). Looking up a
/// conference takes constant time, and finding those that are over takes logarithmic time. No output order depends on a
/// hash.
///
/// ```
/// use callgauge::fleet::{Fleet, FleetConfig};
/// use callgauge::unit::Timestamp;
/// use callgauge::{AppEvent, FabricSpec};
///
/// let at = Timestamp::from_millis;
/// let mut fleet = Fleet::new(FleetConfig::new());
/// for (id, region) in [("standup", "eu"), ("review", "us")] {
///     let mut call = fleet.enter(at(0), id)?;
///     call.label("region", region)?;
///     let alice = call.user("alice")?;
///     call.open_fabric(at(0), FabricSpec::new("pc").with_local_user(alice))?;
/// }
/// // The id selects the conference.
/// let mut call = fleet.enter(at(5_000), "standup")?;
/// let fabric = call.find_fabric(&FabricSpec::new("pc").with_local_user(call.find_user("alice").unwrap())).unwrap();
/// call.send_event(at(5_000), fabric, AppEvent::Terminated)?;
/// drop(call);
///
/// fleet.handle_timeout(at(300_000));
/// while let Some(event) = fleet.poll_event() {
///     assert!(event.conference == "standup" || event.conference == "review");
/// }
/// let ended: Vec<_> = core::iter::from_fn(|| fleet.poll_ended()).map(|ended| ended.conference).collect();
/// assert_eq!(ended, ["standup", "review"]); // the latter by inactivity
/// let part = fleet.poll_rollup().unwrap();
/// assert_eq!(part.rollup.total.conferences, 2);
/// assert_eq!(part.rollup.labels["region=eu"].user_s(), 5.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    slab: Slab,
    ledger: Ledger,
}

/// An event of one conference of a fleet.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct FleetEvent<'a> {
    /// The conference's id.
    pub conference: &'a str,
    /// Its instance number.
    pub instance: u32,
    /// The event.
    pub event: Event,
}

/// A conference that is final.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Ended {
    /// Its id.
    pub conference: String,
    /// Its instance number.
    pub instance: u32,
    /// When it ended; for a conference that no participant joined, the time of the latest [`Fleet::enter`] or
    /// [`Fleet::enter_ended`].
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
    /// Calls of [`Fleet::enter`] for new conferences and new instances that exceeded a limit.
    pub conferences: u64,
    /// Calls of [`Fleet::enter`] for unknown conferences that would be over by now.
    pub late: u64,
    /// Labels that exceeded a limit.
    pub labels: u64,
}

/// Why a fleet refused an input. The refusal changes no existing conference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FleetError {
    /// The id is empty or longer than [`Limits::name_bytes`](crate::Limits::name_bytes).
    InvalidId,
    /// The conference is unknown or already removed.
    UnknownConference,
    /// The conference is unknown and would be over by now.
    TooLate,
    /// The fleet has reached its limit of [`conferences`](FleetLimits::with_conferences).
    ConferencesFull,
    /// A new conference must wait until the application [polls](Fleet::poll_ended) the pending summaries.
    SummariesPending,
    /// A new conference must wait until the application [advances the time](Fleet::handle_timeout) and
    /// [polls](Fleet::poll_rollup) rollups.
    RollupsPending,
    /// The label has an empty key or value, has a `=` in its key, or is longer than [`FleetLimits::label_bytes`].
    InvalidLabel,
    /// The conference has reached its limit of [labels](FleetLimits::with_labels_per_conference).
    LabelsFull,
    /// The fleet has [too few labels left](FleetLimits::with_labels) for another label of this conference.
    FleetLabelsFull,
}

impl fmt::Display for FleetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidId => "an id is empty or too long",
            Self::UnknownConference => "unknown conference id",
            Self::TooLate => "unknown conference id, and the input is older than the inactivity timeout and the grace",
            Self::ConferencesFull => "the limit of conferences is reached",
            Self::SummariesPending => "too many unpolled summaries",
            Self::RollupsPending => "too many unpolled rollups",
            Self::InvalidLabel => "a label is incomplete or too long",
            Self::LabelsFull => "the conference's label limit is reached",
            Self::FleetLabelsFull => "too few labels left in the fleet",
        })
    }
}

impl core::error::Error for FleetError {}

impl Fleet {
    /// Creates a fleet without conferences.
    #[must_use]
    pub fn new(config: FleetConfig) -> Self {
        Self { slab: Slab::default(), ledger: Ledger::new(config) }
    }

    /// Returns the conference with this id, to apply inputs of the time `now`. Creates it if it is unknown, advances it
    /// to `now`, and starts its next instance if it is over. Call it again for inputs of another time.
    ///
    /// Ids of fabrics are valid for one [instance](Conference::instance): an application that stores them stores the
    /// instance number beside them, and opens its fabrics again when that number changes. Ids of users remain valid as
    /// long as the fleet remembers the id of the conference.
    ///
    /// Cost: one look-up, and when the guard is dropped, linear in the users of that conference. Allocates nothing for
    /// a known conference that has no work due.
    ///
    /// # Errors
    /// [`FleetError::InvalidId`]; [`FleetError::TooLate`]; for an unknown conference, or one whose next instance would
    /// begin, also [`FleetError::ConferencesFull`], [`FleetError::SummariesPending`] and
    /// [`FleetError::RollupsPending`].
    pub fn enter(&mut self, now: Timestamp, id: &str) -> Result<ConferenceGuard<'_>, FleetError> {
        let key = match self.find(now, id) {
            Some(key) => key,
            None => self.add(now, id)?,
        };
        let (slab, ledger) = (&mut self.slab, &mut self.ledger);
        let entry = slab.get_mut(key).ok_or(FleetError::UnknownConference)?;
        let is_over = entry.is_over(now);
        if is_over || entry.before.is_some() {
            ledger.check_capacity()?;
        }
        if is_over {
            entry.rotate();
        }
        Ok(ConferenceGuard::new(key, now, entry, ledger, false))
    }

    /// Returns the conference with this id as it is at `now`, over or not, for feedback, names, labels and other edits
    /// that are accepted after the end.
    ///
    /// # Errors
    /// [`FleetError::UnknownConference`] if the conference is unknown or already removed.
    pub fn enter_ended(&mut self, now: Timestamp, id: &str) -> Result<ConferenceGuard<'_>, FleetError> {
        let key = self.find(now, id).ok_or(FleetError::UnknownConference)?;
        let entry = self.slab.get_mut(key).ok_or(FleetError::UnknownConference)?;
        Ok(ConferenceGuard::new(key, now, entry, &mut self.ledger, true))
    }

    /// Reads a conference without advancing it: the one that [`enter_ended`](Self::enter_ended) would return, in the
    /// state after its latest input.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Conference> {
        Some(&self.slab.get(self.slab.find(id)?)?.latest().call)
    }

    /// All known conferences, ordered by id. Cost: sorts a list of them.
    pub fn conferences(&self) -> impl Iterator<Item = (&str, &Conference)> {
        self.slab.sorted().into_iter().map(|entry| (&*entry.id, &entry.latest().call))
    }

    /// The number of known conferences.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether the fleet has no conferences.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The configuration of the fleet.
    #[must_use]
    pub const fn config(&self) -> &FleetConfig {
        &self.ledger.config
    }

    /// Counts of refusals so far.
    #[must_use]
    pub const fn refused(&self) -> Refused {
        self.ledger.refused
    }

    /// Advances the fleet's clock: conferences handle their timeouts up to `now`, those whose grace has passed become
    /// final, and windows close. A time before the fleet's clock counts as the fleet's clock. At the end of time,
    /// `Timestamp::from_micros(u64::MAX)`, every conference times out and becomes final.
    ///
    /// Cost: for each conference that is due, linear in its users and logarithmic in the number of conferences; for
    /// each that becomes final, its summary. Other conferences cost nothing.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.ledger.now = self.ledger.now.max(now);
        let now = self.ledger.now;
        let (ended, ready) = (self.ledger.ended_len(), self.ledger.ready.len());
        while let Some((at, key)) = self.ledger.expiry.pop(now) {
            let Some(entry) = self.slab.get_mut(key).filter(|entry| entry.queued == Some(at)) else { continue };
            entry.queued = None;
            if entry.pass_time(now, &self.ledger.config) {
                self.finalize(key);
            } else {
                if entry.has_event() {
                    self.ledger.ready.push(key);
                }
                self.ledger.queue(key, entry, Some(now));
            }
        }
        self.tidy();
        self.ledger.sort_ended_from(ended);
        self.ledger.ready.sort_from(ready, &self.slab);
    }

    /// The earliest time at which [`handle_timeout`](Self::handle_timeout) may have work to do, or `None`. The result
    /// may change after any input.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.ledger.expiry.next().into_iter().chain(self.ledger.closes_next()).min()
    }

    /// Returns the next event of any conference, oldest first within a conference, or `None`. The result may change
    /// after any input. [`Limits::pending_events`](crate::Limits::pending_events) bounds the number of pending events
    /// of each conference. Allocates nothing.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<FleetEvent<'_>> {
        if self.ledger.has_ended_events() {
            let (ended, event) = self.ledger.poll_event()?;
            return Some(FleetEvent { conference: &ended.conference, instance: ended.instance, event });
        }
        while let Some(key) = self.ledger.ready.first() {
            let polled = self.slab.get_mut(key).and_then(FleetEntry::poll_event);
            if let Some((instance, event)) = polled {
                let entry = self.slab.get(key)?;
                return Some(FleetEvent { conference: &entry.id, instance, event });
            }
            if let Some(entry) = self.slab.get_mut(key) {
                entry.current.call.return_queue(&mut self.ledger.spare);
            }
            self.ledger.ready.pop();
        }
        None
    }

    /// Returns the next conference that is final, with its summary, or `None`. Conferences that became final in one
    /// call of [`handle_timeout`](Self::handle_timeout) are ordered by end time, then by id. The result may change
    /// after [`handle_timeout`](Self::handle_timeout) and after any input.
    ///
    /// The fleet never drops a summary: when too many are pending, it refuses new conferences.
    #[must_use]
    pub fn poll_ended(&mut self) -> Option<Ended> {
        self.ledger.poll_ended()
    }

    /// Returns the next part of a closed window, earliest window first, or `None`. The result may change after
    /// [`handle_timeout`](Self::handle_timeout) and, if inputs come late, after any input.
    #[must_use]
    pub fn poll_rollup(&mut self) -> Option<Part> {
        self.ledger.poll_rollup()
    }

    /// Finds a conference that is known at `now`.
    fn find(&mut self, now: Timestamp, id: &str) -> Option<EntryKey> {
        self.tidy();
        self.ledger.ready.tidy();
        let key = self.slab.find(id)?;
        let entry = self.slab.get_mut(key)?;
        if entry.queued.is_none_or(|queued| queued <= now) && entry.pass_time(now, &self.ledger.config) {
            self.finalize(key);
            self.tidy();
            return None;
        }
        Some(key)
    }

    /// Creates a conference.
    fn add(&mut self, now: Timestamp, id: &str) -> Result<EntryKey, FleetError> {
        let config = &self.ledger.config;
        if !(1..=config.conference.limits().name_bytes()).contains(&id.len()) {
            return Err(FleetError::InvalidId);
        }
        let alive = config.conference.inactivity_micros().saturating_add(config.grace_micros());
        if later(now, alive) <= self.ledger.now {
            self.ledger.refused.late = self.ledger.refused.late.saturating_add(1);
            return Err(FleetError::TooLate);
        }
        if self.slab.len() >= config.limits.conferences() {
            self.ledger.refused.conferences = self.ledger.refused.conferences.saturating_add(1);
            return Err(FleetError::ConferencesFull);
        }
        let call = Conference::new(id, config.conference.clone());
        self.ledger.check_capacity()?;
        Ok(self.slab.add(FleetEntry::new(id, call, now)))
    }

    /// Makes a conference final and forgets its id.
    fn finalize(&mut self, key: EntryKey) {
        let Some(FleetEntry { id, current, before, visited, .. }) = self.slab.remove(key) else { return };
        if let Some(before) = before {
            self.ledger.finish(&id, *before, visited);
        }
        self.ledger.finish(&id, current, visited);
        self.ledger.ready.remove(key);
    }

    /// Discards entries of the expiry queue that are superseded.
    fn tidy(&mut self) {
        let slab = &self.slab;
        let is_known = |at, key| slab.get(key).is_some_and(|entry| entry.queued == Some(at));
        self.ledger.expiry.tidy(slab.len(), is_known);
    }
}
