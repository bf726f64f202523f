//! Replays recordings from several sources into one conference. It does no I/O and parses no bytes.
//!
//! A dump holds more than stats: states, errors, devices, session descriptions, names of users. [`Replay`] applies all
//! of them to one [`Conference`], in order of time, on the clock of the first source. A source is one file, or anything
//! else that returns [`Item`]s in order. The caller reads the bytes.
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
mod item;

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use ordered_float::OrderedFloat;

pub use apply::{Refusals, ends};
pub use clock::{ClockOffset, SenderReportTimes, clock_offsets};
pub use item::OwnedItem;

use crate::config::{Config, Limits};
use crate::id::{Direction, FabricId, Ssrc};
use crate::ingest::{Item, NameCounts};
use crate::summary::{ConferenceSummary, FabricSummary};
use crate::{Conference, Event, InputError};
use apply::{Applied, Applier};
use item::Fact;

/// A source's time may advance by this from one item to the next, ms. A longer jump is believed if the next item with a
/// time agrees: a suspended computer goes on from there, one wrong time does not.
const JUMP_MS: f64 = 600_000.0;
/// The same for the last item of a source, which no item confirms, ms.
const LAST_JUMP_MS: f64 = 86_400_000.0;
/// Times beyond the year 2128 are no times, ms.
const LATEST_MS: f64 = 5e12;
/// How many items may wait for the next one with a time.
const MAX_DOUBTED: usize = 64;

/// Callback that receives each event of the conference, with the PeerConnection's name in its source and the conference
/// at that time.
pub type EachEvent<'a> = dyn FnMut(&str, &Event, &Conference) + 'a;

/// A source of a [`Replay`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(usize);

/// Builds one conference from recordings.
///
/// A single source is applied as it is pushed. With several sources, the replay applies the item with the earliest time
/// as soon as every open source has an item waiting: [`Self::next_source`] returns the source to read next, and
/// [`Self::close`] marks a source as complete. Items of one source keep their order, and an item without a time is due
/// with the item before it.
///
/// Memory: a source that is pushed only when it is wanted holds one item; a document ([`Self::set_document`]) is held
/// in full until it is closed.
#[derive(Debug)]
pub struct Replay {
    applier: Applier,
    sources: Vec<SourceQueue>,
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
        Self { applier: Applier::new(Conference::new("", config)), sources: Vec::new(), unplaced: 0 }
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
        let offset_ms = offset.map_or(0.0, |offset| offset.ms);
        self.sources.push(SourceQueue { offset_ms, ..SourceQueue::default() });
        SourceId(self.sources.len() - 1)
    }

    /// Marks a source as one document, with items in the order of its connections, not of time. They wait until the
    /// source is closed, and are then sorted by time.
    pub fn set_document(&mut self, source: SourceId) {
        if let Some(stream) = self.sources.get_mut(source.0) {
            stream.document.get_or_insert_default();
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
        if let (Item::Snapshot(snapshot), [stream], SourceId(0)) = (item, &mut self.sources[..], source)
            && stream.applies_at_once()
            && !stream.jumps(snapshot.at.map(|at| at.as_millis()))
        {
            self.applier.pass(stream.due_ms(snapshot.at.map(|at| at.as_millis())));
            self.applier.snapshot(&mut stream.applied, snapshot.fabric, snapshot.report);
            return hand_out(&mut self.applier, snapshot.fabric, each);
        }
        if let Some(item) = OwnedItem::new(item) {
            self.push_owned(source, item, each);
        }
    }

    /// Like [`Self::push_each`], for an item that was copied before.
    pub fn push_owned(&mut self, source: SourceId, item: OwnedItem, each: &mut EachEvent<'_>) {
        match self.sources.get_mut(source.0) {
            Some(stream) if !stream.is_closed => stream.push(item),
            _ => self.unplaced += 1,
        }
        self.run(each);
    }

    /// Marks a source as complete, and passes every resulting event to `each`.
    pub fn close(&mut self, source: SourceId, each: &mut EachEvent<'_>) {
        if let Some(stream) = self.sources.get_mut(source.0) {
            stream.close();
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
        for stream in &mut self.sources {
            stream.close();
        }
        self.run(&mut |_, _, _| {});
        let mut conference = self.applier.call;
        let fabrics = summary_of(&conference).fabrics;
        let mut sources: Vec<_> =
            self.sources.into_iter().map(|stream| SourceOutcome::new(stream.applied, &fabrics)).collect();
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
            && let Some(stream) = earliest(&mut self.sources)
            && let Some((due_ms, item)) = stream.waiting.pop_front()
        {
            self.applier.pass(due_ms);
            match item.fact {
                Fact::Snapshot(report) => self.applier.snapshot(&mut stream.applied, &item.fabric, &report),
                fact => self.applier.event(&mut stream.applied, &item.fabric, fact, item.at_ms.is_some()),
            }
            hand_out(&mut self.applier, &item.fabric, each);
        }
    }
}

fn hand_out(applier: &mut Applier, fabric: &str, each: &mut EachEvent<'_>) {
    while let Some(event) = applier.call.poll_event() {
        each(fabric, &event, &applier.call);
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
    /// Words of log events that the engine does not know, such as a state of a later specification.
    pub unknown_words: NameCounts,
}

impl SourceOutcome {
    fn new(applied: Applied, fabrics: &[FabricSummary]) -> Self {
        let own = applied.opened.iter().filter_map(|fabric| fabrics.get(fabric.index()));
        Self {
            refused_entries: own.map(|fabric| fabric.refused_streams).sum(),
            unopened_snapshots: applied.unopened_snapshots,
            refused_snapshots: applied.snapshots,
            refused_events: applied.events,
            unknown_words: applied.unknown_words,
            fabrics: applied.opened,
        }
    }
}

/// The items of one source that wait until they are due.
#[derive(Debug, Default)]
struct SourceQueue {
    applied: Applied,
    /// Each with the time at which it is due, ms on the clock of the first source.
    waiting: VecDeque<(Option<f64>, OwnedItem)>,
    /// When the latest item is due.
    last_ms: Option<f64>,
    offset_ms: f64,
    document: Option<Vec<OwnedItem>>,
    /// An item after a jump of the clock, and those without a time after it.
    doubted: Vec<OwnedItem>,
    is_closed: bool,
}

impl SourceQueue {
    fn is_starved(&self) -> bool {
        !self.is_closed && self.waiting.is_empty()
    }

    fn applies_at_once(&self) -> bool {
        self.is_starved() && self.document.is_none() && self.doubted.is_empty() && self.offset_ms == 0.0
    }

    /// When the first waiting item is due; one without a time is due at once.
    fn next_due_ms(&self) -> f64 {
        self.waiting.front().and_then(|&(due_ms, _)| due_ms).unwrap_or(f64::NEG_INFINITY)
    }

    /// When an item with a time is due: never before the item in front of it.
    fn due_ms(&mut self, at_ms: Option<f64>) -> Option<f64> {
        let at_ms = at_ms.filter(|&at_ms| at_ms < LATEST_MS).map(|at_ms| at_ms - self.offset_ms);
        self.last_ms = [self.last_ms, at_ms].into_iter().flatten().reduce(f64::max);
        self.last_ms
    }

    fn push(&mut self, item: OwnedItem) {
        match &mut self.document {
            Some(document) => document.push(item),
            None => self.judge(item),
        }
    }

    /// Whether a time is much later than the item before, and not beyond all times.
    fn jumps(&self, at_ms: Option<f64>) -> bool {
        let jump_ms = self.last_ms.zip(at_ms).map_or(0.0, |(last_ms, at_ms)| at_ms - self.offset_ms - last_ms);
        jump_ms > JUMP_MS && at_ms < Some(LATEST_MS)
    }

    /// Makes an item wait until it is due; after a jump of the clock, until the next time confirms or denies it.
    fn judge(&mut self, item: OwnedItem) {
        if let Some(jumped_ms) = self.doubted.first().and_then(|first| first.at_ms) {
            let is_confirmed = item.at_ms.map(|at_ms| at_ms >= jumped_ms - JUMP_MS);
            if is_confirmed.is_none() && self.doubted.len() < MAX_DOUBTED {
                return self.doubted.push(item);
            }
            self.settle(is_confirmed.unwrap_or(true));
        }
        if self.jumps(item.at_ms) {
            self.doubted.push(item);
        } else {
            self.wait(item);
        }
    }

    /// Applies the doubted items, with their time or with that of the item before.
    fn settle(&mut self, is_confirmed: bool) {
        for mut item in core::mem::take(&mut self.doubted) {
            item.at_ms = item.at_ms.filter(|_| is_confirmed);
            self.wait(item);
        }
    }

    fn wait(&mut self, mut item: OwnedItem) {
        if let Fact::Snapshot(report) = &mut item.fact {
            report.shift_clock(-self.offset_ms);
        }
        let due_ms = self.due_ms(item.at_ms);
        self.waiting.push_back((due_ms, item));
    }

    fn close(&mut self) {
        self.is_closed = true;
        for item in in_time(self.document.take().unwrap_or_default()) {
            self.judge(item);
        }
        let last_ms = self.last_ms.map(|last_ms| last_ms + self.offset_ms);
        let jumped_ms = self.doubted.first().and_then(|first| first.at_ms);
        let jump_ms = jumped_ms.zip(last_ms).map_or(0.0, |(jumped_ms, last_ms)| jumped_ms - last_ms);
        self.settle(jump_ms <= LAST_JUMP_MS);
    }
}

/// The items of a document in order of time. An item without a time is due with the item of its connection before it,
/// or, if there is none, right before the first one of its connection with a time.
fn in_time(document: Vec<OwnedItem>) -> Vec<OwnedItem> {
    let mut first: BTreeMap<String, f64> = BTreeMap::new();
    for item in document.iter().rev() {
        if let Some(at_ms) = item.at_ms {
            match first.get_mut(&*item.fabric) {
                Some(first) => *first = at_ms,
                None => drop(first.insert(item.fabric.clone(), at_ms)),
            }
        }
    }
    // The time before, by connection: at first that of its first item.
    let mut before = first;
    let dated = document.into_iter().map(|item| {
        let due_ms = match (item.at_ms, before.get_mut(&*item.fabric)) {
            (Some(at_ms), Some(before)) => {
                *before = at_ms;
                at_ms
            }
            (Some(at_ms), None) => at_ms,
            (None, before) => before.map_or(f64::NEG_INFINITY, |before| *before),
        };
        (due_ms, item)
    });
    let mut due: Vec<(f64, OwnedItem)> = dated.collect();
    due.sort_by_key(|&(due_ms, _)| OrderedFloat(due_ms));
    due.into_iter().map(|(_, item)| item).collect()
}

/// The source whose first waiting item is due first; of equals, the first source.
fn earliest(sources: &mut [SourceQueue]) -> Option<&mut SourceQueue> {
    let waiting = sources.iter_mut().filter(|stream| !stream.waiting.is_empty());
    waiting.min_by_key(|stream| OrderedFloat(stream.next_due_ms()))
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
