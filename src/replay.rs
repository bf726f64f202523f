//! Replays recordings from several sources into one conference. It does no I/O and parses no bytes.
//!
//! A dump holds more than stats: states, errors, devices, session descriptions, names of users. [`Replay`] applies all
//! of them to one [`Conference`], in order of time, on the clock of the first source. A source is one file, or anything
//! else that returns [`Item`]s in order. The caller reads the bytes. [`calls`] says which sources are of one call.
//!
//! ```
//! use callgauge::ingest::Reader;
//! use callgauge::replay::Replay;
//!
//! let lines = [
//!     r#"{"t": 1000, "pc": "A", "report": {"I": {"timestamp": 1000, "type": "inbound-rtp", "kind": "audio", "ssrc": 7,
//!         "packetsReceived": 50, "packetsLost": 0, "bytesReceived": 4000}}}"#,
//!     r#"{"t": 3000, "pc": "A", "report": {"I": {"timestamp": 3000, "type": "inbound-rtp", "kind": "audio", "ssrc": 7,
//!         "packetsReceived": 148, "packetsLost": 2, "bytesReceived": 12000}}}"#,
//! ];
//! let mut replay = Replay::default();
//! let source = replay.add_source(None);
//! let mut reader = Reader::new();
//! for line in lines {
//!     reader.read_all(line.as_bytes(), &mut |item| replay.push(source, &item))?;
//! }
//! let recording = replay.finish();
//! let stream = &recording.summary().fabrics[0].streams[0];
//! assert_eq!((stream.packets, stream.packets_lost), (Some(98), Some(2)));
//! assert_eq!(recording.sources[0].refused_events.total(), 0);
//! # Ok::<(), callgauge::ingest::ReadError>(())
//! ```

mod apply;
mod clock;
mod grouping;
mod item;
mod overview;
mod queue;
mod times;
mod unit;

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

pub use apply::{Refusals, ends};
pub use clock::{ClockOffset, SenderReportTimes, clock_offsets};
pub use grouping::{Doubt, calls, shared_connections};
pub use item::OwnedItem;
pub use overview::SourceOverview;

use crate::config::{Config, Limits};
use crate::id::{Direction, FabricId, Ssrc};
use crate::ingest::{Item, NameCounts};
use crate::summary::{ConferenceSummary, FabricSummary};
use crate::{Conference, Event, InputError};
use apply::{Applied, Applier};
use grouping::reporters;
use item::Fact;
use queue::{Repeats, SourceQueue, earliest};

/// Callback that receives each event of the conference, with the origin of the item that caused it and the conference at
/// that time.
pub type EachEvent<'a> = dyn FnMut(ItemOrigin<'_>, &Event, &Conference) + 'a;

/// The origin of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ItemOrigin<'a> {
    /// The source of the item.
    pub source: SourceId,
    /// The PeerConnection's name in that source.
    pub fabric: &'a str,
}

/// A source of a [`Replay`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(usize);

impl SourceId {
    /// The position of the source in the order in which sources were added.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// Builds one conference from recordings.
///
/// A single source is applied as it is pushed. With several sources, the replay applies the item with the earliest time
/// as soon as every open source has an item waiting: [`Self::next_source`] returns the source to read next, and
/// [`Self::close`] marks a source as complete. Items of one source keep their order, and an item without a time is due
/// with the item before it.
///
/// A source whose first two snapshots of a connection go back in time is newest first: it is held and sorted by time, up
/// to 128 MiB. What is older than that comes late, and is counted. So that the order is known, the first items of a source
/// wait for the second snapshot of a connection, 64 items at most.
///
/// A time that contradicts those of the items around it is not believed: the item is due with the next one, and counted
/// ([`SourceOutcome::wrong_times`]). A jump of more than ten minutes waits for the next item to confirm it. If a source
/// states no times but those of its stats, and the sound and the pictures that were played show that these are in another
/// unit, they are read in it ([`SourceOutcome::time_exponent`]); a source whose clock is no wall clock waits for that, up to
/// 4 MiB.
///
/// [`calls`] finds out which sources belong to one call. With [`Self::add_sources`], a connection that several sources
/// report is one, and items that several sources have count once.
///
/// Memory: a source that is pushed only when it is wanted holds one item; a document ([`Self::set_document`]) is held
/// in full until it is closed.
#[derive(Debug)]
pub struct Replay {
    applier: Applier,
    sources: Vec<SourceQueue>,
    /// The items with the latest time of each reporter.
    repeats: BTreeMap<usize, Repeats>,
    unplaced: u64,
}

impl Default for Replay {
    /// A replay with [`Replay::config`].
    fn default() -> Self {
        Self::new(Self::config())
    }
}

impl Replay {
    /// Creates a replay into a new conference without a name.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let applier = Applier::new(Conference::new("", config));
        Self { applier, sources: Vec::new(), repeats: BTreeMap::new(), unplaced: 0 }
    }

    /// The configuration for recordings, of which a process has few at a time: items after the end still belong to the
    /// call, and distributions are as exact as possible.
    #[must_use]
    pub fn config() -> Config {
        Config::new().with_reopening(true).with_limits(Limits::new().with_digest_cells(4_096))
    }

    /// Adds a source. `offset` is how far its clock is ahead of the clock of the first source ([`clock_offsets`]). With
    /// `None`, its times are used unchanged.
    ///
    /// Add all sources before the first item: an item of the only source is applied at once.
    pub fn add_source(&mut self, offset: Option<ClockOffset>) -> SourceId {
        self.sources.push(SourceQueue::new(offset));
        SourceId(self.sources.len() - 1)
    }

    /// Adds the sources of one call, each with its overview. Their clocks are aligned ([`clock_offsets`]), connections that
    /// several of them report are joined, and items that several of them have are applied once
    /// ([`SourceOutcome::repeated_items`]).
    pub fn add_sources(&mut self, overviews: &[SourceOverview]) -> Vec<SourceId> {
        let shared = shared_connections(overviews);
        let reporters = reporters(&shared);
        let mut clocks: BTreeMap<usize, SenderReportTimes> = BTreeMap::new();
        // A source without snapshots has no clock, so it cannot be the first.
        let sampled = overviews.iter().zip(&reporters).filter(|(overview, _)| overview.snapshots() > 0);
        for (overview, &reporter) in sampled {
            let clock = clocks.entry(reporter).or_default();
            // The arrivals of reports in another unit give no offset.
            if overview.is_in_another_unit != Some(true) {
                clock.merge(&overview.clock);
            }
        }
        let offsets = clock_offsets(&clocks.values().cloned().collect::<Vec<_>>());
        let offsets: BTreeMap<usize, Option<ClockOffset>> = clocks.into_keys().zip(offsets).collect();
        let before = self.sources.len();
        let sources = shared.into_iter().zip(&reporters).map(|(shared, reporter)| {
            let source = self.add_source(offsets.get(reporter).copied().flatten());
            if let Some(queue) = self.sources.get_mut(source.0).filter(|_| !shared.is_empty()) {
                queue.reporter = Some(before + reporter);
                queue.applied.shared = shared;
            }
            source
        });
        sources.collect()
    }

    /// How far the clock of a source is ahead of the clock of the first source. `None` if nothing relates the two.
    #[must_use]
    pub fn clock_offset(&self, source: SourceId) -> Option<ClockOffset> {
        self.sources.get(source.0)?.offset
    }

    /// Marks a source as one document, with items in the order of its connections, not of time. They wait until the
    /// source is closed, and are then sorted by time.
    pub fn set_document(&mut self, source: SourceId) {
        if let Some(queue) = self.sources.get_mut(source.0) {
            queue.set_document();
        }
    }

    /// The source that the replay waits for: the first open one without a waiting item. `None` if all are closed.
    #[must_use]
    pub fn next_source(&self) -> Option<SourceId> {
        self.sources.iter().position(SourceQueue::is_starved).map(SourceId)
    }

    /// Accepts the next item of a source. [`SourceOutcome`] counts the inputs that the conference refuses.
    pub fn push(&mut self, source: SourceId, item: &Item<'_>) {
        self.push_each(source, item, &mut |_, _, _| {});
    }

    /// Like [`Self::push`], and passes every resulting event to `each`.
    pub fn push_each(&mut self, source: SourceId, item: &Item<'_>, each: &mut EachEvent<'_>) {
        // A snapshot of the only source needs no copy.
        if let (Item::Snapshot(snapshot), [queue], SourceId(0)) = (item, &mut self.sources[..], source)
            && let at_ms = snapshot.at.map(|at| at.as_millis())
            && queue.applies_at_once(at_ms)
        {
            self.applier.pass(queue.due_at_once(at_ms));
            self.applier.snapshot(&mut queue.applied, snapshot.fabric, at_ms, snapshot.report);
            return hand_out(&mut self.applier, ItemOrigin { source, fabric: snapshot.fabric }, each);
        }
        if let Some(item) = OwnedItem::new(item) {
            self.push_owned(source, item, each);
        }
    }

    /// Like [`Self::push_each`], for an item that was copied before.
    pub fn push_owned(&mut self, source: SourceId, item: OwnedItem, each: &mut EachEvent<'_>) {
        match self.sources.get_mut(source.0) {
            Some(queue) if !queue.is_closed() => queue.push(item),
            _ => self.unplaced += 1,
        }
        self.run(each);
    }

    /// Marks a source as complete, and passes every resulting event to `each`.
    pub fn close(&mut self, source: SourceId, each: &mut EachEvent<'_>) {
        if let Some(queue) = self.sources.get_mut(source.0) {
            queue.close();
        }
        self.run(each);
    }

    /// The conference as built so far.
    #[must_use]
    pub const fn conference(&self) -> &Conference {
        &self.applier.call
    }

    /// The number of items dropped because their source was closed, or belongs to another replay.
    #[must_use]
    pub const fn unplaced(&self) -> u64 {
        self.unplaced
    }

    /// Closes all sources, applies the waiting items, and sets the remote user of each connection if all its received
    /// streams come from one other reporter.
    #[must_use]
    pub fn finish(mut self) -> Recording {
        for queue in &mut self.sources {
            queue.close();
        }
        self.run(&mut |_, _, _| {});
        let mut conference = self.applier.call;
        let fabrics = summary_of(&conference).fabrics;
        let mut sources: Vec<_> =
            self.sources.into_iter().map(|queue| SourceOutcome::new(queue.applied, &fabrics)).collect();
        for (fabric, error) in join_ends(&mut conference, &fabrics) {
            if let Some(source) = sources.iter_mut().find(|source| source.fabrics.contains(&fabric)) {
                source.refused_events.add(error);
            }
        }
        Recording { conference, sources }
    }

    /// Applies all items that are due.
    fn run(&mut self, each: &mut EachEvent<'_>) {
        while self.next_source().is_none()
            && let Some(index) = earliest(&self.sources)
            && let Some(queue) = self.sources.get_mut(index)
            && let Some(waiting) = queue.waiting.pop_front()
        {
            if let (Some(reporter), Some(fingerprint)) = (queue.reporter, waiting.fingerprint)
                && self.repeats.entry(reporter).or_default().has(waiting.due_ms, fingerprint, index)
            {
                queue.applied.repeated_items += 1;
                continue;
            }
            self.applier.pass(waiting.due_ms);
            let item = waiting.item;
            match item.fact {
                Fact::Snapshot(report) => {
                    self.applier.snapshot(&mut queue.applied, &item.fabric, item.at_ms, &report);
                }
                fact => self.applier.event(&mut queue.applied, &item.fabric, fact, item.at_ms.is_some()),
            }
            hand_out(&mut self.applier, ItemOrigin { source: SourceId(index), fabric: &item.fabric }, each);
        }
    }
}

fn hand_out(applier: &mut Applier, origin: ItemOrigin<'_>, each: &mut EachEvent<'_>) {
    while let Some(event) = applier.call.poll_event() {
        each(origin, &event, &applier.call);
    }
}

/// The result of a replay.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recording {
    /// The conference, after its last event.
    pub conference: Conference,
    /// The outcome of each source, in the order in which they were added.
    pub sources: Vec<SourceOutcome>,
}

impl Recording {
    /// The summary of the call. Its fabrics are in the order of opening, so that [`FabricId::index`] is the index of a
    /// fabric.
    #[must_use]
    pub fn summary(&self) -> ConferenceSummary {
        summary_of(&self.conference)
    }
}

/// The outcome of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceOutcome {
    /// The connections opened for the source, in the order of opening.
    pub fabrics: Vec<FabricId>,
    /// Snapshots of connections that could not be opened, by reason: a limit, or a name that is too long.
    pub unopened_snapshots: Refusals,
    /// Snapshots of open connections that the conference refused, by reason.
    pub refused_snapshots: Refusals,
    /// Number of stats entries omitted because their streams exceed the limit of a connection.
    pub refused_entries: u64,
    /// Events that the conference refused, by reason.
    pub refused_events: Refusals,
    /// Number of snapshots that came after a later one of their connection: out of order, or newest first in a source that
    /// is too long to be sorted.
    pub late_snapshots: u64,
    /// Number of items with a time that those around them contradict: they count with the item after or before them.
    pub wrong_times: u64,
    /// The power of ten of a millisecond in which the times of the source were read: 3 for seconds, −3 for microseconds. 0
    /// for milliseconds, and if nothing showed another unit.
    pub time_exponent: i8,
    /// Number of entries of streams without a time that counts ([`ClockSummary::untimed`](crate::summary::ClockSummary::untimed)).
    pub untimed_entries: u64,
    /// Whether the late snapshots are in no order at all, rather than newest first.
    pub is_shuffled: bool,
    /// Number of items omitted because a source added before has the same.
    pub repeated_items: u64,
    /// Words of log events that the engine does not know, such as a state of a later specification.
    pub unknown_words: NameCounts,
}

impl SourceOutcome {
    fn new(applied: Applied, fabrics: &[FabricSummary]) -> Self {
        let own = applied.opened.iter().filter_map(|fabric| fabrics.get(fabric.index()));
        Self {
            refused_entries: own.clone().map(|fabric| fabric.refused_streams).sum(),
            untimed_entries: own.map(|fabric| fabric.clock.untimed).sum(),
            is_shuffled: 4 * applied.late_ascents > applied.late_snapshots,
            unopened_snapshots: applied.unopened_snapshots,
            refused_snapshots: applied.snapshots,
            refused_events: applied.events,
            late_snapshots: applied.late_snapshots,
            wrong_times: applied.wrong_times,
            time_exponent: applied.time_exponent,
            repeated_items: applied.repeated_items,
            unknown_words: applied.unknown_words,
            fabrics: applied.opened,
        }
    }
}

/// The summary with its fabrics in the order of opening.
fn summary_of(call: &Conference) -> ConferenceSummary {
    let mut summary = call.summary();
    let mut fabrics: Vec<_> = call.fabric_order().into_iter().zip(summary.fabrics).collect();
    fabrics.sort_by_key(|&(id, _)| id);
    summary.fabrics = fabrics.into_iter().map(|(_, fabric)| fabric).collect();
    summary
}

/// Sets the remote user of each connection that has none to the sender of its received streams, if all come from one
/// sender. `fabrics` are in the order of opening. Returns the refusals.
fn join_ends(call: &mut Conference, fabrics: &[FabricSummary]) -> Vec<(FabricId, InputError)> {
    let mut order = call.fabric_order();
    order.sort_unstable();
    let mut senders: BTreeMap<Ssrc, BTreeSet<&str>> = BTreeMap::new();
    for fabric in fabrics {
        let Some(user) = fabric.local_user.as_deref() else { continue };
        for stream in fabric.streams.iter().filter(|stream| stream.direction == Direction::Outbound) {
            senders.entry(stream.ssrc).or_default().insert(user);
        }
    }
    let mut found: Vec<(FabricId, String)> = Vec::new();
    for (&id, fabric) in order.iter().zip(fabrics) {
        if fabric.remote_user.is_some() {
            continue;
        }
        let received = fabric.streams.iter().filter(|stream| stream.direction == Direction::Inbound);
        let from: BTreeSet<&str> = received
            .filter_map(|stream| senders.get(&stream.ssrc))
            .flatten()
            .copied()
            .filter(|&sender| Some(sender) != fabric.local_user.as_deref())
            .collect();
        if let [sender] = from.iter().collect::<Vec<_>>()[..] {
            found.push((id, (*sender).to_owned()));
        }
    }
    let mut refused = Vec::new();
    for (id, name) in found {
        let result = call.user(&name).and_then(|user| call.fabric(id)?.set_remote_user(user));
        if let Err(error) = result {
            refused.push((id, error));
        }
    }
    refused
}
