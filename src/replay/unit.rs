//! Finds the unit of a source's times by the media that played between them. It orders no items.
//!
//! A source that states no times of its own is placed by those of its stats, and nothing but the stats can then tell a
//! clock in microseconds from one in milliseconds. The seconds of sound that were played or recorded, and the frames at
//! their rate, are durations in a unit that the specification fixes. If the times of two successive pairs of snapshots of
//! one connection are the same power of ten of them, and no pair fits in milliseconds, the times are in another unit.
//!
//! A record that states its own time is on another clock than its stats: it is not judged here, and neither is a log
//! event.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::item::{Fact, OwnedItem};
use crate::report::{Num, Report, StatsType, scaled};
use crate::unit::{StatTime, WALL_MS};

/// Two snapshots that are at most this far apart on a wall clock need no media to be believed, ms.
const USUAL_MS: f64 = 60_000.0;
/// The least time that [`StatTime::from_unknown`] makes of what it takes for µs, ms. What it makes of seconds is in
/// [`WALL_MS`].
const MICROS_MS: f64 = StatTime::LARGEST_MS / 1e3;
/// The powers of ten of a millisecond that a unit may be, besides ms: s, µs, 100 ns and ns; 3 less where the times were
/// taken for seconds.
const UNITS: [i8; 5] = [3, -3, -4, -6, -7];
/// Snapshots are further apart than this in a unit shorter than the millisecond, and nearer in seconds: they are taken
/// every 60 ms to 100 s.
const SHORTEST_MS: f64 = 60_000.0;
const LONGEST_MS: f64 = 100.0;
/// The share by which the time may differ from that of the media.
const MATCHES: f64 = 0.25;
/// The least media between two snapshots that are evidence, ms: a few frames.
const LEAST_MEDIA_MS: f64 = 100.0;
/// Pairs of snapshots with media that are compared at most, and those in milliseconds that settle the unit.
const MAX_PAIRS: u32 = 64;
const ENOUGH_PAIRS: u32 = 2;
/// Connections that are followed for it.
const MAX_CONNECTIONS: usize = 256;
/// The memory of the items that wait, at most, bytes.
const MAX_BYTES: usize = 4 << 20;
/// A time further from the last one does not tell in which of several units the next ones are, ms.
const WILD_MS: f64 = 86_400_000.0;

/// The unit of the times of one source.
#[derive(Debug, Default)]
pub(super) struct UnitJudge {
    evidence: UnitEvidence,
    /// The unit, when it is known.
    unit: Option<TimeUnit>,
    /// Items that wait until it is.
    held: Vec<OwnedItem>,
    held_bytes: usize,
    /// The latest time in milliseconds.
    last_ms: Option<f64>,
}

/// What the snapshots of a source show of the unit of their times.
#[derive(Clone, Debug, Default)]
pub(super) struct UnitEvidence {
    /// The latest snapshot of each connection.
    connections: BTreeMap<String, MediaSample>,
    pairs: u32,
    /// Pairs that fit in milliseconds.
    in_ms: u32,
}

/// A unit in which times were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TimeUnit {
    /// The power of ten of a millisecond in which they are.
    exponent: i8,
    /// They had been taken for seconds.
    was_seconds: bool,
}

/// What one snapshot tells of its time.
#[derive(Clone, Debug)]
struct MediaSample {
    at_ms: f64,
    /// By the kind and the id of the entry.
    media: BTreeMap<(StatsType, String), MediaCount>,
    /// The unit in which the time since the snapshot before fits, if it is not the millisecond.
    unit: Option<TimeUnit>,
}

/// How much an entry played or recorded.
#[derive(Clone, Copy, Debug)]
struct MediaCount {
    /// Seconds of sound, or frames.
    count: f64,
    /// How many there are in a second.
    rate: f64,
}

impl TimeUnit {
    /// The power of ten of a millisecond in which the source wrote its times.
    pub(super) const fn written(self) -> i8 {
        if self.was_seconds { self.exponent + 3 } else { self.exponent }
    }

    /// A time in milliseconds. The clock may pass a magnitude from which its times are taken for another unit: of the
    /// units that are possible, the one with the least step from the last time counts.
    fn in_ms(self, time: f64, last_ms: Option<f64>) -> f64 {
        let is_seconds = WALL_MS.contains(&time);
        let shorter = is_seconds && !self.was_seconds;
        let longer = !is_seconds && self.was_seconds || (MICROS_MS..WALL_MS.start).contains(&time);
        let near = scaled(time, self.exponent);
        let Some(last_ms) = last_ms else { return near };
        let others = [(shorter, self.exponent - 3), (longer, self.exponent + 3)];
        let possible = others.into_iter().filter(|&(is_possible, _)| is_possible);
        possible.fold(near, |near, (_, exponent)| {
            let other = scaled(time, exponent);
            if (other - last_ms).abs() < (near - last_ms).abs() { other } else { near }
        })
    }
}

impl UnitEvidence {
    /// The unit, if a snapshot shows it: by itself, or beside the one of its connection before it.
    pub(super) fn find(&mut self, fabric: &str, at_ms: f64, report: &Report) -> Option<TimeUnit> {
        if !is_of_stats(report, at_ms) {
            return Some(TimeUnit::default());
        }
        let sample = MediaSample { at_ms, media: media_of(report), unit: None };
        let Some(before) = self.connections.get_mut(fabric) else {
            if self.connections.len() < MAX_CONNECTIONS {
                self.connections.insert(fabric.into(), sample);
            }
            return None;
        };
        let before = core::mem::replace(before, sample);
        let sample = self.connections.get_mut(fabric)?;
        let span_ms = (at_ms - before.at_ms).abs();
        // A source may be newest first.
        let media_ms = if at_ms > before.at_ms { sample.since(&before) } else { before.since(sample) };
        let is_wall = [before.at_ms, at_ms].iter().all(|at_ms| WALL_MS.contains(at_ms));
        let Some(media_ms) = media_ms.filter(|&media_ms| media_ms >= LEAST_MEDIA_MS && span_ms > 0.0) else {
            return (is_wall && span_ms <= USUAL_MS).then(TimeUnit::default);
        };
        self.pairs += 1;
        let fits = |exponent| (scaled(span_ms, exponent) / media_ms - 1.0).abs() <= MATCHES;
        let can_be = |exponent: i8| if exponent < 0 { span_ms > SHORTEST_MS } else { span_ms < LONGEST_MS && !is_wall };
        if fits(0) {
            self.in_ms += 1;
        } else {
            let exponent = UNITS.into_iter().find(|&exponent| can_be(exponent) && fits(exponent));
            sample.unit = exponent.map(|exponent| TimeUnit { exponent, was_seconds: is_wall });
        }
        if self.in_ms >= ENOUGH_PAIRS || self.in_ms > 0 && is_wall || self.pairs >= MAX_PAIRS {
            return Some(TimeUnit::default());
        }
        let is_repeated = sample.unit.is_some() && sample.unit == before.unit && self.in_ms == 0;
        sample.unit.filter(|_| is_repeated)
    }
}

impl UnitJudge {
    /// Whether items need not pass through it: the times are milliseconds.
    pub(super) fn is_milliseconds(&self) -> bool {
        self.unit == Some(TimeUnit::default())
    }

    /// The unit in which the times were read.
    pub(super) fn unit(&self) -> TimeUnit {
        self.unit.unwrap_or_default()
    }

    /// Takes the next item, and passes those on whose unit is known, in their order.
    pub(super) fn take(&mut self, item: OwnedItem, pass: &mut impl FnMut(OwnedItem)) {
        if let Some(unit) = self.unit {
            return pass(self.in_unit(item, unit));
        }
        let found = match (&item.fact, item.at_ms) {
            (Fact::Snapshot(report), Some(at_ms)) => self.evidence.find(&item.fabric, at_ms, report),
            _ => None,
        };
        self.held_bytes += item.footprint();
        self.held.push(item);
        if let Some(unit) = found.or((self.held_bytes > MAX_BYTES).then(TimeUnit::default)) {
            self.settle(unit, pass);
        }
    }

    /// Passes the items on that wait at the end of the source.
    pub(super) fn finish(&mut self, pass: &mut impl FnMut(OwnedItem)) {
        self.settle(self.unit(), pass);
    }

    fn settle(&mut self, unit: TimeUnit, pass: &mut impl FnMut(OwnedItem)) {
        self.unit = Some(unit);
        self.evidence = UnitEvidence::default();
        self.held_bytes = 0;
        let held = core::mem::take(&mut self.held);
        let is_snapshot = |item: &&OwnedItem| matches!(item.fact, Fact::Snapshot(_));
        let last = held.iter().rev().filter(is_snapshot).find_map(|item| item.at_ms);
        self.last_ms = last.map(|at_ms| scaled(at_ms, unit.exponent));
        for item in held {
            pass(self.in_unit(item, unit));
        }
    }

    /// An item with its times in milliseconds.
    fn in_unit(&mut self, mut item: OwnedItem, unit: TimeUnit) -> OwnedItem {
        if unit == TimeUnit::default() {
            return item;
        }
        let last_ms = self.last_ms;
        if let (Fact::Snapshot(report), Some(at_ms)) = (&mut item.fact, item.at_ms)
            && is_of_stats(report, at_ms)
        {
            report.map_clock(|time| unit.in_ms(time, last_ms));
            item.at_ms = report.latest().map(|latest| latest.as_millis());
            let is_tame = |at_ms: &f64| last_ms.is_none_or(|last_ms| (at_ms - last_ms).abs() <= WILD_MS);
            self.last_ms = item.at_ms.filter(is_tame).or(last_ms);
        }
        item
    }
}

/// Whether a snapshot is placed by the times of its stats.
fn is_of_stats(report: &Report, at_ms: f64) -> bool {
    report.latest().is_some_and(|latest| latest.as_millis() == at_ms)
}

impl MediaSample {
    /// The most media of any entry since an earlier snapshot, ms.
    fn since(&self, before: &Self) -> Option<f64> {
        let passed =
            self.media.iter().filter_map(|(key, now)| Some((now.count - before.media.get(key)?.count) / now.rate));
        passed.filter(|seconds| seconds.is_finite()).reduce(f64::max).map(|seconds| seconds * 1e3)
    }
}

/// The media of each entry so far: sound by `totalSamplesDuration`, pictures by their frames and the present rate.
fn media_of(report: &Report) -> BTreeMap<(StatsType, String), MediaCount> {
    let mut media = BTreeMap::new();
    for entry in report.entries() {
        let frames = match entry.kind() {
            StatsType::InboundRtp => entry.get(Num::FramesDecoded),
            StatsType::OutboundRtp => entry.get(Num::FramesSent),
            StatsType::MediaSource => None,
            _ => continue,
        };
        let sound = entry.get(Num::TotalSamplesDuration).map(|count| MediaCount { count, rate: 1.0 });
        let rate = entry.get(Num::FramesPerSecond).filter(|&rate| rate > 0.0);
        let pictures = || frames.zip(rate).map(|(count, rate)| MediaCount { count, rate });
        if let Some(count) = sound.or_else(pictures) {
            media.insert((entry.kind(), entry.id().into()), count);
        }
    }
    media
}
