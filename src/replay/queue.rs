//! Queues the items of sources until they are due, in order of time. It applies none of them.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use ordered_float::OrderedFloat;

use super::apply::Applied;
use super::clock::ClockOffset;
use super::item::{Fact, OwnedItem};
use super::times::TimeJudge;
use super::unit::UnitJudge;

/// Items that wait at most until the order of a source is known.
const MAX_HELD_FOR_ORDER: usize = 64;
/// Their memory at most, bytes.
const MAX_BYTES_FOR_ORDER: usize = 4 << 20;

/// Memory of the items of a source that is newest first, bytes: some 3 000 snapshots of thirty entries.
const MAX_BYTES_TO_SORT: usize = 128 << 20;

/// Items with the same time whose repetitions are recognised.
const MAX_REPEATS: usize = 4_096;

/// The items of one source that wait until they are due.
#[derive(Debug, Default)]
pub(super) struct SourceQueue {
    pub(super) applied: Applied,
    pub(super) waiting: VecDeque<Waiting>,
    /// The number of the reporter, if another source is of the same.
    pub(super) reporter: Option<usize>,
    /// How far its clock is ahead.
    pub(super) offset: Option<ClockOffset>,
    /// When the latest item is due.
    last_ms: Option<f64>,
    order: Order,
    /// Items that are held until the order is known, or to be sorted.
    held: Vec<OwnedItem>,
    /// The memory of `held`, bytes.
    held_bytes: usize,
    unit: UnitJudge,
    times: TimeJudge,
    is_closed: bool,
}

/// An item that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    /// When it is due, ms on the clock of the first source.
    pub(super) due_ms: Option<f64>,
    /// For sources of a common reporter.
    pub(super) fingerprint: Option<u64>,
    pub(super) item: OwnedItem,
}

/// The order of the items of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    #[default]
    Unknown,
    Forward,
    NewestFirst,
    /// By connection.
    Document,
}

impl SourceQueue {
    pub(super) fn new(offset: Option<ClockOffset>) -> Self {
        Self { offset, ..Self::default() }
    }

    pub(super) fn set_document(&mut self) {
        self.order = Order::Document;
    }

    pub(super) fn is_starved(&self) -> bool {
        !self.is_closed && self.waiting.is_empty()
    }

    /// Whether a snapshot of this source, if it is the only one, needs no copy.
    pub(super) fn applies_at_once(&self, at_ms: Option<f64>) -> bool {
        self.is_starved()
            && self.order == Order::Forward
            && self.offset_ms() == 0.0
            && self.unit.is_milliseconds()
            && self.times.follows(at_ms)
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Notes the time of an item that is applied at once. Returns when it is due.
    pub(super) fn due_at_once(&mut self, at_ms: Option<f64>) -> Option<f64> {
        self.times.note(at_ms);
        self.due_ms(at_ms)
    }

    /// When an item with a time is due: never before the item in front of it.
    fn due_ms(&mut self, at_ms: Option<f64>) -> Option<f64> {
        let at_ms = at_ms.map(|at_ms| at_ms - self.offset_ms());
        self.last_ms = [self.last_ms, at_ms].into_iter().flatten().reduce(f64::max);
        self.last_ms
    }

    pub(super) fn push(&mut self, item: OwnedItem) {
        let mut unit = core::mem::take(&mut self.unit);
        unit.take(item, &mut |item| self.judge(item));
        self.unit = unit;
    }

    /// Judges the time of an item, in milliseconds.
    fn judge(&mut self, item: OwnedItem) {
        if self.order == Order::Document {
            return self.held.push(item);
        }
        let mut times = core::mem::take(&mut self.times);
        times.take(item, &mut |item| self.arrange(item));
        self.times = times;
    }

    pub(super) fn close(&mut self) {
        self.is_closed = true;
        let mut unit = core::mem::take(&mut self.unit);
        unit.finish(&mut |item| self.judge(item));
        self.applied.time_exponent = unit.unit().written();
        self.unit = unit;
        let mut times = core::mem::take(&mut self.times);
        times.finish(&mut |item| self.arrange(item));
        if self.order == Order::Document {
            self.held = judged(core::mem::take(&mut self.held), &mut times.wrong);
        }
        self.applied.wrong_times = times.wrong;
        self.times = times;
        self.release();
    }

    /// Makes an item wait until it is due, or until the order of the source is known.
    fn arrange(&mut self, item: OwnedItem) {
        if self.order == Order::Forward {
            return self.wait(item);
        }
        if self.order == Order::Unknown {
            self.order = self.order_with(&item);
        }
        self.held_bytes += item.footprint();
        self.held.push(item);
        let is_full = match self.order {
            Order::Unknown => self.held.len() >= MAX_HELD_FOR_ORDER || self.held_bytes > MAX_BYTES_FOR_ORDER,
            Order::NewestFirst => self.held_bytes > MAX_BYTES_TO_SORT,
            Order::Forward => true,
            Order::Document => false,
        };
        if is_full {
            self.release();
            self.order = Order::Forward;
        }
    }

    /// The order, as a snapshot and an earlier one of the same connection show it.
    fn order_with(&self, item: &OwnedItem) -> Order {
        let is_snapshot = |item: &OwnedItem| matches!(item.fact, Fact::Snapshot(_));
        let mut before = self.held.iter().filter(|&held| is_snapshot(held) && held.fabric == item.fabric);
        let before_ms = before.find_map(|held| held.at_ms);
        match before_ms.zip(item.at_ms).filter(|_| is_snapshot(item)) {
            Some((before_ms, at_ms)) if at_ms < before_ms => Order::NewestFirst,
            Some((before_ms, at_ms)) if at_ms > before_ms => Order::Forward,
            _ => Order::Unknown,
        }
    }

    /// Lets the held items wait, in their order.
    fn release(&mut self) {
        let mut held = core::mem::take(&mut self.held);
        self.held_bytes = 0;
        if matches!(self.order, Order::NewestFirst | Order::Document) {
            held = in_time(held);
        }
        for item in held {
            self.wait(item);
        }
    }

    fn wait(&mut self, mut item: OwnedItem) {
        let fingerprint = self.reporter.map(|_| item.fingerprint());
        if let Fact::Snapshot(report) = &mut item.fact {
            report.shift_clock(-self.offset_ms());
        }
        let due_ms = self.due_ms(item.at_ms);
        self.waiting.push_back(Waiting { due_ms, fingerprint, item });
    }

    /// When the first waiting item is due; one without a time is due at once.
    fn next_due_ms(&self) -> f64 {
        self.waiting.front().and_then(|waiting| waiting.due_ms).unwrap_or(f64::NEG_INFINITY)
    }

    fn offset_ms(&self) -> f64 {
        self.offset.map_or(0.0, |offset| offset.ms)
    }
}

/// The items of a reporter that are due at the same time, by fingerprint, each with its source.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    due_ms: Option<f64>,
    sources: BTreeMap<u64, usize>,
}

impl Repeats {
    /// Whether another source has had the same item, due at the same time. Otherwise the item is stored.
    pub(super) fn has(&mut self, due_ms: Option<f64>, fingerprint: u64, source: usize) -> bool {
        if self.due_ms != due_ms {
            self.due_ms = due_ms;
            self.sources.clear();
        }
        if self.sources.len() >= MAX_REPEATS && !self.sources.contains_key(&fingerprint) {
            return false;
        }
        *self.sources.entry(fingerprint).or_insert(source) != source
    }
}

/// The items of a document with their times judged by connection, since it is in no order of time.
fn judged(document: Vec<OwnedItem>, wrong: &mut u64) -> Vec<OwnedItem> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut connections: Vec<(TimeJudge, VecDeque<OwnedItem>)> = Vec::new();
    let mut order = Vec::with_capacity(document.len());
    for item in document {
        let number = numbers.get(&*item.fabric).copied().unwrap_or_else(|| {
            connections.push(Default::default());
            numbers.insert(item.fabric.clone(), connections.len() - 1);
            connections.len() - 1
        });
        if let Some((judge, judged)) = connections.get_mut(number) {
            judge.take(item, &mut |item| judged.push_back(item));
        }
        order.push(number);
    }
    for (judge, judged) in &mut connections {
        judge.finish(&mut |item| judged.push_back(item));
        *wrong += judge.wrong;
    }
    order.into_iter().filter_map(|number| connections.get_mut(number)?.1.pop_front()).collect()
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
pub(super) fn earliest(sources: &[SourceQueue]) -> Option<usize> {
    let waiting = sources.iter().enumerate().filter(|(_, queue)| !queue.waiting.is_empty());
    waiting.min_by_key(|(_, queue)| OrderedFloat(queue.next_due_ms())).map(|(index, _)| index)
}
