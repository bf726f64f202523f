//! Finds the unit of a source's times by the media that played between them. It orders no items.
//!
//! A source that states no times of its own is placed by those of its stats, and nothing but the stats can then tell a
//! clock in microseconds from one in milliseconds that is a thousand times as slow. The seconds of sound that were played
//! or recorded, and the frames at their rate, are durations in a unit that the specification fixes. If the times between
//! two snapshots are a power of ten of them, the times are in another unit; two such pairs of snapshots, and more than
//! agree with milliseconds, decide.
//!
//! Times of a wall clock that go on as usual are believed at once, unless the media contradict.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::item::{Fact, OwnedItem};
use crate::report::{Num, Report, StatsType, scaled};

/// The times of a wall clock, ms since 1970: the years 2001 to 2128.
const WALL_MS: core::ops::Range<f64> = 1e12..5e12;
/// Two snapshots of a wall clock that are at most this far apart need no media to be believed, ms.
const NEAR_MS: f64 = 600_000.0;
/// The powers of ten of a millisecond that a unit may be: ms, s, µs, 100 ns and ns; 3 less where
/// [`StatTime::from_unknown`](crate::unit::StatTime::from_unknown) took them for seconds.
const UNITS: [i8; 6] = [0, 3, -3, -4, -6, -7];
/// The share by which the time may differ from that of the media.
const MATCHES: f64 = 0.25;
/// The least media between two snapshots that are evidence, ms: a few frames.
const LEAST_MEDIA_MS: f64 = 100.0;
/// How many pairs of snapshots must fit in a unit other than the millisecond.
const DECISIVE: u32 = 2;
/// Items that wait at most until the unit is known.
const MAX_HELD: usize = 64;
/// Their memory at most, bytes.
const MAX_BYTES: usize = 4 << 20;

/// The unit of the times of one source.
#[derive(Debug, Default)]
pub(super) struct UnitJudge {
    /// The power of ten of a millisecond, when it is known.
    exponent: Option<i8>,
    /// Items that wait until it is.
    held: Vec<OwnedItem>,
    held_bytes: usize,
    /// The latest snapshot of each connection.
    connections: BTreeMap<String, MediaSample>,
    /// The pairs of snapshots that fit in each of [`UNITS`].
    votes: [u32; UNITS.len()],
    /// The latest time in milliseconds.
    last_ms: Option<f64>,
}

/// What one snapshot tells of its time.
#[derive(Debug)]
struct MediaSample {
    at_ms: f64,
    /// By the kind and the id of the entry.
    media: BTreeMap<(StatsType, String), MediaCount>,
}

/// How much an entry played or recorded.
#[derive(Clone, Copy, Debug)]
struct MediaCount {
    /// Seconds of sound, or frames.
    count: f64,
    /// How many there are in a second.
    rate: f64,
}

impl UnitJudge {
    /// Whether items need not pass through it: the times are milliseconds.
    pub(super) fn is_milliseconds(&self) -> bool {
        self.exponent == Some(0)
    }

    /// The power of ten of a millisecond in which the times are; 0 while it is not known.
    pub(super) fn exponent(&self) -> i8 {
        self.exponent.unwrap_or(0)
    }

    /// Takes the next item, and passes those on whose unit is known, in their order.
    pub(super) fn take(&mut self, item: OwnedItem, pass: &mut impl FnMut(OwnedItem)) {
        if let Some(exponent) = self.exponent {
            return pass(self.rescaled(item, exponent));
        }
        let is_plain = self.note(&item);
        self.held_bytes += item.footprint();
        self.held.push(item);
        if let Some(exponent) = self.decided() {
            self.settle(exponent, pass);
        } else if is_plain || self.held.len() >= MAX_HELD || self.held_bytes > MAX_BYTES {
            self.settle(0, pass);
        }
    }

    /// Passes the items on that wait at the end of the source.
    pub(super) fn finish(&mut self, pass: &mut impl FnMut(OwnedItem)) {
        self.settle(self.exponent(), pass);
    }

    fn settle(&mut self, exponent: i8, pass: &mut impl FnMut(OwnedItem)) {
        self.exponent = Some(exponent);
        self.connections = BTreeMap::new();
        self.held_bytes = 0;
        let held = core::mem::take(&mut self.held);
        self.last_ms = held.iter().rev().find_map(|item| item.at_ms).map(|at_ms| scaled(at_ms, exponent));
        for item in held {
            pass(self.rescaled(item, exponent));
        }
    }

    /// Compares a snapshot with the one of its connection before it. Returns whether the two are of a wall clock, and the
    /// media do not contradict.
    fn note(&mut self, item: &OwnedItem) -> bool {
        let (Fact::Snapshot(report), Some(at_ms)) = (&item.fact, item.at_ms) else { return false };
        let sample = MediaSample { at_ms, media: media_of(report) };
        let Some(before) = self.connections.insert(item.fabric.clone(), sample) else { return false };
        let Some(sample) = self.connections.get(&item.fabric) else { return false };
        let span_ms = at_ms - before.at_ms;
        let media_ms = sample.since(&before).filter(|&media_ms| media_ms >= LEAST_MEDIA_MS && span_ms > 0.0);
        let unit = media_ms.and_then(|media_ms| {
            UNITS.iter().position(|&unit| (scaled(span_ms, unit) / media_ms - 1.0).abs() <= MATCHES)
        });
        if let Some(votes) = unit.and_then(|unit| self.votes.get_mut(unit)) {
            *votes += 1;
        }
        let is_of_wall = [before.at_ms, at_ms].iter().all(|at_ms| WALL_MS.contains(at_ms)) && span_ms.abs() <= NEAR_MS;
        is_of_wall && media_ms.is_none_or(|media_ms| unit == Some(0) || media_ms <= span_ms && unit.is_none())
    }

    /// An item with its times in milliseconds. A snapshot whose record states a time keeps those of its stats: they are of
    /// another clock, which the engine judges.
    fn rescaled(&mut self, mut item: OwnedItem, exponent: i8) -> OwnedItem {
        let Some(at_ms) = item.at_ms.filter(|_| exponent != 0) else { return item };
        let last_ms = self.last_ms;
        // The clock may pass the magnitude from which its times are taken for seconds, or no longer.
        let in_ms = |time: f64| {
            let near = [exponent, exponent - 3, exponent + 3].map(|exponent| scaled(time, exponent));
            let is_next = |ms: &f64| last_ms.is_some_and(|last_ms| (ms - last_ms).abs() <= NEAR_MS);
            near.into_iter().find(is_next).unwrap_or(near[0])
        };
        let latest_ms = |report: &Report| report.latest().map(|latest| latest.as_millis());
        item.at_ms = Some(in_ms(at_ms));
        if let Fact::Snapshot(report) = &mut item.fact
            && latest_ms(report) == Some(at_ms)
        {
            report.map_clock(in_ms);
            item.at_ms = latest_ms(report);
        }
        self.last_ms = item.at_ms.or(self.last_ms);
        item
    }

    /// The unit in which most pairs fit, if they decide.
    fn decided(&self) -> Option<i8> {
        let milliseconds = self.votes.first().copied().unwrap_or(0);
        if milliseconds >= DECISIVE {
            return Some(0);
        }
        let found = UNITS.iter().zip(self.votes).find(|&(_, votes)| votes >= DECISIVE && votes > milliseconds);
        found.map(|(&unit, _)| unit)
    }
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
