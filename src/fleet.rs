//! Many conferences by id: who gets an input, who is over, and what all of them came to.
//!
//! | type | what it is |
//! |---|---|
//! | [`Fleet`] | conferences by id, made at first sight, let go when they are over |
//! | [`ConferenceGuard`] | one of them, to be told something |
//! | [`FleetEvent`], [`Ended`] | what happens in each, and its summary |
//! | [`Part`], [`Rollup`], [`Tally`] | what those came to that ended in a window of time, together and by label |
//! | [`Merger`] | parts of many fleets into one, each of them once |
//! | [`AlertRule`], [`Alert`] | callstats' interval alerts out of a tally |
//!
//! # Time
//!
//! Each conference has its own clock, which its inputs and its own timeouts move. Before an input reaches a conference
//! its timeouts up to then are handled, each at its own time; so it makes no difference to a conference what is told of
//! others, or when [`Fleet::handle_timeout`] is called, as long as no input is older than what that was told. The
//! fleet's clock is the latest time that it was told. An input older than that is taken if the conference's own clock
//! takes it. A conference that the fleet does not know begins by an input unless it would be over by now, had it begun
//! then.
//!
//! # From the end to a rollup
//!
//! A conference that is over is kept for a [grace](FleetConfig::with_grace), so that feedback finds it
//! ([`Fleet::enter_ended`]). With the first input that its next instance takes, or when the grace has passed, it is final:
//! its summary waits in [`Fleet::poll_ended`], and what it came to is part of the window in which it ended. Its next
//! instance is numbered on, and knows its users; after the grace the id is forgotten, and begins with instance 1 again.
//!
//! A window is closed when it has been over for the grace. Who ends in it after that, because its inputs come late,
//! makes another [`Part`] of the same window.
//!
//! # Many fleets
//!
//! Conferences are told apart by id only. Any number of fleets, each with the conferences of some ids, come to the same
//! as one fleet with all of them: merged, their rollups are the same to the byte. They need not know of each other;
//! only windows and graces are to be the same, and each has a [shard name](FleetConfig::with_shard) of its own. What is
//! refused may differ: limits hold for each fleet, and its clock, by which an input is too late, is its own.

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
use entry::{Entry, later};
use ledger::Ledger;
use slab::{EntryKey, Slab};

/// Many conferences by id.
///
/// A fleet adds about 200 bytes to each conference, a short id among them (`tests/cost/memory.rs`). Finding one takes
/// the same time however many there are, and what is over is found in logarithmic time. Nothing is told in an order
/// that hangs on a hash.
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
/// // What is told of a conference goes to the one of that id.
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
/// assert_eq!(ended, ["standup", "review"]); // the latter by silence
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

/// Something that a conference of a fleet noticed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct FleetEvent<'a> {
    /// The conference's id.
    pub conference: &'a str,
    /// Which instance of it.
    pub instance: u32,
    /// What.
    pub event: Event,
}

/// A conference that is final.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Ended {
    /// Its id.
    pub conference: String,
    /// Which instance of it.
    pub instance: u32,
    /// When it ended; for one that nobody ever joined, when it was visited last.
    pub at: Timestamp,
    /// Its labels, `key=value`, in order.
    pub labels: Vec<String>,
    /// Its events that nobody polled before.
    pub events: VecDeque<Event>,
    /// What it came to.
    pub summary: Box<ConferenceSummary>,
}

/// What a fleet did not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Refused {
    /// Visits to new conferences and new instances for which there was no room.
    pub conferences: u64,
    /// Visits to conferences that are not known and would be over by now.
    pub late: u64,
    /// Labels for which there was no room.
    pub labels: u64,
}

/// Why a fleet refused something. Nothing that is known has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FleetError {
    /// An id that is empty or longer than [`Limits::name_bytes`](crate::Limits::name_bytes).
    InvalidId,
    /// The conference is not known, or no longer.
    UnknownConference,
    /// The conference is not known, and would be over by now.
    TooLate,
    /// As many [`conferences`](FleetLimits::with_conferences) are known as may be.
    ConferencesFull,
    /// A new one has to wait until somebody [polls](Fleet::poll_ended) the summaries of those that ended.
    SummariesPending,
    /// A new one has to wait until somebody [tells the time](Fleet::handle_timeout) and [polls](Fleet::poll_rollup)
    /// rollups.
    RollupsPending,
    /// A label whose key or value is empty, whose key has a `=`, or that is longer than
    /// [`FleetLimits::label_bytes`].
    InvalidLabel,
    /// The conference has as many labels as [one may have](FleetLimits::with_labels_per_conference).
    LabelsFull,
    /// The fleet has [too few labels left](FleetLimits::with_labels) for another one from this conference.
    FleetLabelsFull,
}

impl fmt::Display for FleetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidId => "an id is empty or too long",
            Self::UnknownConference => "no conference with this id is known",
            Self::TooLate => "no conference with this id is known, and it would be over by now",
            Self::ConferencesFull => "the fleet has as many conferences as its limits allow",
            Self::SummariesPending => "too many summaries wait to be polled",
            Self::RollupsPending => "too many rollups wait to be polled",
            Self::InvalidLabel => "a label is incomplete or too long",
            Self::LabelsFull => "the conference has as many labels as its limits allow",
            Self::FleetLabelsFull => "the fleet has too few labels left for another one from this conference",
        })
    }
}

impl core::error::Error for FleetError {}

impl Fleet {
    /// A fleet of no conferences.
    #[must_use]
    pub fn new(config: FleetConfig) -> Self {
        Self { slab: Slab::default(), ledger: Ledger::new(config) }
    }

    /// The conference with this id, to be told what happens at `now`: made at first sight, brought up to `now`, and its
    /// next instance when it is over. To be entered again for what happens at another time.
    ///
    /// Ids of fabrics are of one [instance](Conference::instance): who keeps them keeps that number beside them, and
    /// opens fabrics anew when it has changed. Ids of users stay good as long as the id of the conference is
    /// remembered.
    ///
    /// Cost: one look-up, and when the visit ends linear in users of that conference. Allocates nothing for a
    /// conference that is known and has nothing to do.
    ///
    /// # Errors
    /// [`FleetError::InvalidId`]; [`FleetError::TooLate`]; for a conference that is not known, or whose next instance
    /// would begin, also [`FleetError::ConferencesFull`], [`FleetError::SummariesPending`] and
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

    /// The conference with this id as it is at `now`, over or not: for feedback, names, labels and other edits that are
    /// taken after the end.
    ///
    /// # Errors
    /// [`FleetError::UnknownConference`] for one that is not known, or no longer.
    pub fn enter_ended(&mut self, now: Timestamp, id: &str) -> Result<ConferenceGuard<'_>, FleetError> {
        let key = self.find(now, id).ok_or(FleetError::UnknownConference)?;
        let entry = self.slab.get_mut(key).ok_or(FleetError::UnknownConference)?;
        Ok(ConferenceGuard::new(key, now, entry, &mut self.ledger, true))
    }

    /// Looks at a conference: the one that [`enter_ended`](Self::enter_ended) would give, as its latest input left it.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Conference> {
        Some(&self.slab.get(self.slab.find(id)?)?.latest().call)
    }

    /// Every conference that is known, by id. Cost: a list of them is sorted.
    pub fn conferences(&self) -> impl Iterator<Item = (&str, &Conference)> {
        self.slab.sorted().into_iter().map(|entry| (&*entry.id, &entry.latest().call))
    }

    /// How many conferences are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the fleet is run.
    #[must_use]
    pub const fn config(&self) -> &FleetConfig {
        &self.ledger.config
    }

    /// What was refused so far.
    #[must_use]
    pub const fn refused(&self) -> Refused {
        self.ledger.refused
    }

    /// Tells the time: conferences with timeouts up to `now` handle them, those whose grace has passed are final,
    /// windows are closed. A time before one that was told is that one. At the end of time,
    /// `Timestamp::from_micros(u64::MAX)`, everybody falls silent and everything is final.
    ///
    /// Cost: for each conference whose turn comes linear in its users, and logarithmic in conferences; for each that
    /// becomes final, its summary. Nothing for the others.
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

    /// When [`handle_timeout`](Self::handle_timeout) may have something to do, at the earliest; `None` when it never
    /// has. Its answer may change after any input.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.ledger.expiry.next().into_iter().chain(self.ledger.closes_next()).min()
    }

    /// The next event of any conference; of one conference the oldest first. `None` when there is none. Its answer may
    /// change after any input. How many wait is bounded for each conference by
    /// [`Limits::pending_events`](crate::Limits::pending_events). Allocates nothing.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<FleetEvent<'_>> {
        if self.ledger.has_ended_events() {
            let (ended, event) = self.ledger.poll_event()?;
            return Some(FleetEvent { conference: &ended.conference, instance: ended.instance, event });
        }
        while let Some(key) = self.ledger.ready.first() {
            let polled = self.slab.get_mut(key).and_then(Entry::poll_event);
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

    /// The next conference that is final, with its summary. Those that became so by one call of
    /// [`handle_timeout`](Self::handle_timeout) come by the time of their end, then by id. `None` when there is none.
    /// Its answer may change after [`handle_timeout`](Self::handle_timeout) and any visit.
    ///
    /// None is ever dropped: when too many wait, no new conference is taken.
    #[must_use]
    pub fn poll_ended(&mut self) -> Option<Ended> {
        self.ledger.poll_ended()
    }

    /// The next part of a window that is closed, earliest first. `None` when there is none. Its answer may change after
    /// [`handle_timeout`](Self::handle_timeout) and, where inputs come late, any visit.
    #[must_use]
    pub fn poll_rollup(&mut self) -> Option<Part> {
        self.ledger.poll_rollup()
    }

    /// A conference that is known at `now`.
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

    /// Makes a conference.
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
        Ok(self.slab.add(Entry::new(id, call, now)))
    }

    /// A conference is final, and its id forgotten.
    fn finalize(&mut self, key: EntryKey) {
        let Some(Entry { id, current, before, visited, .. }) = self.slab.remove(key) else { return };
        if let Some(before) = before {
            self.ledger.finish(&id, *before, visited);
        }
        self.ledger.finish(&id, current, visited);
        self.ledger.ready.remove(key);
    }

    /// Throws out turns of conferences that have another one by now.
    fn tidy(&mut self) {
        let slab = &self.slab;
        let is_known = |at, key| slab.get(key).is_some_and(|entry| entry.queued == Some(at));
        self.ledger.expiry.tidy(slab.len(), is_known);
    }
}
