//! Turns cumulative counters into differences between two samples of the same stats entry. It derives no figures.
//!
//! One [`EntryTracker`] follows one entry. It distinguishes an advance from a repetition, a late snapshot and a counter
//! reset; it never yields negative traffic. Between two resets the differences add up to the last value minus the
//! first.
//!
//! **A reset or a glitch.** A reset restarts what an entry counts, so most of its counters fall, and they fall to near
//! 0. If more counters advance than fall, and none falls below half of its value, the fall is a glitch; a traffic
//! counter may fall by any amount while another traffic counter goes on. (A decoder's counters that fall further are a
//! reset of their own: decoders restart alone.) A glitch is treated as a member that the sample lacks, so the next
//! difference spans it; if the next value is still below the one before the glitch, counting goes on from there.
//! Nothing is counted twice, and nothing is reset.

use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::hash::{fnv1a_64, hash_32};
use crate::report::{Entry, Fields, Num, Rule, StatsType, Text};
use crate::unit::StatTime;

/// A 32-bit counter that wraps was near its end before; a smaller one that shrinks was reset.
const WRAP: f64 = 4_294_967_296.0;
const NEAR_WRAP: f64 = 0.9 * WRAP;

/// The last sample of one stats entry.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EntryTracker {
    at: StatTime,
    counters: Counters,
    identity: EntryIdentity,
    /// The time of the first sample of the entry, since the clock stepped back.
    first: StatTime,
    /// The time of the last traffic reset: earlier samples belong to counters that no longer exist.
    traffic_reset: Option<StatTime>,
    /// Counters of the last sample that glitched: their last value is that of an earlier sample.
    glitched: Fields,
}

/// The result of comparing a new sample of an entry with the last one.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// Neither the timestamp nor a counter advanced: a repeated snapshot, or an RTCP report that is still the latest.
    Unchanged,
    /// The sample is older than the last one, or has no timestamp: it is to be ignored.
    Stale,
    /// Counters advanced. Time advanced too, except in entries whose timestamp is that of an RTCP report while some of
    /// their counters are newer: Chromium's `remote-outbound-rtp` has the round-trip times of later reports.
    Advance(Delta<'a>),
    /// Counters were reset, the entry now describes something else, or the clock stepped back while counters advanced.
    /// The traffic is still known where counters show it; rates are not.
    Restart(Delta<'a>),
}

/// The difference between two samples of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Delta<'a> {
    new: Entry<'a>,
    span_ms: f64,
    differences: Differences,
    /// Counters whose difference covers exactly this interval: both samples had them, and they were not reset.
    steady: Fields,
    /// The traffic counters were reset: everything counts from zero.
    from_zero: bool,
    /// Members that were reported and are not believed.
    doubted: Fields,
}

/// The difference of each counter, computed once for all figures that use it.
#[derive(Clone, Copy, Debug)]
struct Differences {
    /// Counters that were present before and are present now.
    known: Fields,
    /// Those of them that went back without wrapping.
    reset: Fields,
    /// Those that advanced, except near the end of 32 bits.
    advanced: Fields,
    /// Whether any of them advanced.
    grew: bool,
    /// Those that fell to less than half.
    halved: Fields,
    by: [f64; Num::COUNT],
}

impl EntryTracker {
    /// Starts to follow an entry. `None` if it has no timestamp: nothing can be derived from it.
    #[must_use]
    pub fn new(entry: Entry<'_>) -> Option<Self> {
        let at = entry.timestamp()?;
        Some(Self {
            at,
            counters: Counters::of(entry),
            identity: EntryIdentity::of(entry),
            first: at,
            traffic_reset: None,
            glitched: Fields::NONE,
        })
    }

    /// The time of the entry's last sample, on the reporter's clock.
    #[must_use]
    pub const fn at(&self) -> StatTime {
        self.at
    }

    /// The last value of a cumulative member.
    #[must_use]
    pub fn last(&self, field: Num) -> Option<f64> {
        self.counters.get(field)
    }

    /// Compares `entry` with the last sample. Changes nothing; see [`EntryTracker::accept`].
    #[must_use]
    pub fn step<'a>(&self, entry: Entry<'a>) -> Progress<'a> {
        self.compare(entry, EntryIdentity::of(entry))
    }

    /// Makes `entry` the last sample. Allocates only if the entry has more counters than it ever had.
    pub fn accept(&mut self, entry: Entry<'_>) {
        let mut differences = Differences::default();
        self.counters.compare(entry, &mut differences);
        let glitches = differences.set_glitches_aside();
        self.keep(entry, EntryIdentity::of(entry), !differences.reset.and(TRAFFIC).is_empty(), glitches);
    }

    /// [`Self::step`], followed by [`Self::accept`] for an advance or a restart; faster than both calls, and allocates
    /// as the latter does.
    pub fn take<'a>(&mut self, entry: Entry<'a>) -> Progress<'a> {
        let identity = EntryIdentity::of(entry);
        let step = self.compare(entry, identity);
        if let Progress::Advance(delta) | Progress::Restart(delta) = &step {
            self.keep(entry, identity, delta.from_zero, delta.doubted);
        }
        step
    }

    fn compare<'a>(&self, entry: Entry<'a>, identity: EntryIdentity) -> Progress<'a> {
        let Some(at) = entry.timestamp() else { return Progress::Stale };
        let span_ms = at.millis_since(self.at);
        let differences = Differences::default();
        let (steady, doubted) = (Fields::NONE, Fields::NONE);
        let mut delta = Delta { new: entry, span_ms, differences, steady, from_zero: false, doubted };
        self.counters.compare(entry, &mut delta.differences);
        if !delta.differences.reset.is_empty() {
            delta.doubted = delta.differences.set_glitches_aside();
        }
        let Differences { known, reset, grew, .. } = delta.differences;
        delta.steady = known.and(self.counters.fresh).without(reset);
        let goes_on = grew && reset.is_empty();
        if span_ms == 0.0 {
            return if goes_on { Progress::Advance(delta) } else { Progress::Unchanged };
        }
        if span_ms < 0.0 {
            // The clock stepped back while the counters advanced: the traffic is real, its duration is unknown.
            // Otherwise this is an old snapshot that arrived late, perhaps from before a reset.
            let of_old = self.traffic_reset.is_some_and(|reset| (self.first..reset).contains(&at));
            return if goes_on && !of_old { Progress::Restart(delta) } else { Progress::Stale };
        }
        if reset.is_empty() && !self.identity.differs_from(identity) {
            return Progress::Advance(delta);
        }
        if !reset.and(TRAFFIC).is_empty() {
            (delta.from_zero, delta.steady) = (true, Fields::NONE);
        }
        Progress::Restart(delta)
    }

    /// Makes `entry` the last sample, except for members that glitched for the first time. `from_zero` says whether its
    /// traffic counts from zero.
    fn keep(&mut self, entry: Entry<'_>, identity: EntryIdentity, from_zero: bool, glitches: Fields) {
        if let Some(at) = entry.timestamp() {
            if from_zero {
                self.traffic_reset = Some(at);
            } else if at < self.at {
                (self.first, self.traffic_reset) = (at, None);
            }
            self.at = at;
            self.glitched = if from_zero { Fields::NONE } else { glitches.without(self.glitched) };
            self.counters.load(entry, !from_zero, self.glitched);
            self.identity = self.identity.or(identity);
        }
    }
}

impl<'a> Delta<'a> {
    /// The length, in milliseconds of the reporter's clock: positive, except after a clock that stepped back, and 0 if
    /// only counters advanced.
    #[must_use]
    pub const fn span_ms(&self) -> f64 {
        self.span_ms
    }

    /// The new sample.
    #[must_use]
    pub const fn entry(&self) -> Entry<'a> {
        self.new
    }

    /// The difference of a cumulative member, with wraps undone. `None` unless both samples have it, and for a counter
    /// that was reset. Negative only for [`Rule::Signed`].
    #[must_use]
    #[inline]
    pub fn of(&self, field: Num) -> Option<f64> {
        if self.steady.has(field) { self.differences.by.get(field as usize).copied() } else { None }
    }

    /// The advance of a counter since it was last present: also across a reset, after which a counter counts from zero,
    /// and across samples that lacked it.
    #[must_use]
    pub fn passed(&self, field: Num) -> Option<f64> {
        if !self.differences.known.has(field) {
            return None;
        }
        if self.was_reset(field) { self.new.get(field) } else { self.differences.by.get(field as usize).copied() }
    }

    /// Whether the traffic counters were reset, and with them everything that the entry counts.
    #[must_use]
    pub const fn is_from_zero(&self) -> bool {
        self.from_zero
    }

    /// Whether any counter advanced, and whether any went back.
    pub(crate) const fn has_grown(&self) -> bool {
        self.differences.grew
    }

    pub(crate) fn has_resets(&self) -> bool {
        !self.differences.reset.is_empty()
    }

    /// The members of the new sample that were reported and are not believed.
    pub(crate) const fn doubted(&self) -> Fields {
        self.doubted
    }

    /// Treats members as not reported because they cannot be true.
    pub(crate) fn doubt(&mut self, members: Fields) {
        self.doubted = self.doubted.or(members);
        self.forget(members);
    }

    /// Removes what cannot be believed: the fillers that the new sample [hides](Entry::without_fillers), packets that
    /// stand still while their bytes pass, and more packets or bytes than can pass.
    pub(crate) fn disbelieve(&mut self) {
        if !self.new.hidden().is_empty() {
            self.forget(self.new.hidden());
        }
        for (packets, bytes) in [(Num::PacketsReceived, Num::BytesReceived), (Num::PacketsSent, Num::BytesSent)] {
            let (passed, carried) = (self.passed(packets), self.passed(bytes));
            let stands_still = passed == Some(0.0) && carried > Some(0.0);
            if stands_still || passed > Some(MAX_PACKETS_PER_SECOND * self.longest_s()) {
                self.doubt(Fields::of(&[packets]));
            }
            if carried > Some(MAX_BYTES_PER_SECOND * self.longest_s()) {
                self.doubt(Fields::of(&[bytes]));
            }
        }
    }

    /// The longest time that the difference may cover, s: at least a second; a minute after a clock that stepped back.
    fn longest_s(&self) -> f64 {
        if self.span_ms < 0.0 { 60.0 } else { (self.span_ms / 1e3).max(1.0) }
    }

    fn forget(&mut self, members: Fields) {
        self.steady = self.steady.without(members);
        self.differences.known = self.differences.known.without(members);
    }

    const fn was_reset(&self, field: Num) -> bool {
        self.from_zero || self.differences.reset.has(field)
    }
}

/// Trackers of all entries of one PeerConnection, by SSRC for entries that have one (browsers rename ids while the SSRC
/// stays, edge case 17), otherwise by id.
#[derive(Clone, Debug, Default)]
pub struct EntryTrackers {
    index: HashMap<(StatsType, u64), usize>,
    tracks: Vec<EntryTracker>,
}

impl EntryTrackers {
    /// Entries beyond this number are not followed.
    const LIMIT: usize = 65_536;

    /// Creates an empty set of trackers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes the difference since the last sample of `entry` to `see`, `None` for the first sample; then makes `entry`
    /// the last sample. A sample whose time did not advance is taken but not passed, as in webrtc-internals; a late
    /// sample is neither.
    pub fn follow(&mut self, entry: Entry<'_>, see: impl FnOnce(Option<Delta<'_>>)) {
        let about = match entry.ssrc().filter(|_| entry.kind().is_rtp()) {
            Some(ssrc) => u64::from(ssrc.get()),
            None => fnv1a_64(entry.id().as_bytes()),
        };
        if let Some(track) = self.index.get(&(entry.kind(), about)).and_then(|&at| self.tracks.get_mut(at)) {
            if let Progress::Advance(delta) | Progress::Restart(delta) = track.take(entry)
                && delta.span_ms() != 0.0
            {
                see(Some(delta));
            }
        } else if self.tracks.len() < Self::LIMIT
            && let Some(track) = EntryTracker::new(entry)
        {
            see(None);
            self.index.insert((entry.kind(), about), self.tracks.len());
            self.tracks.push(track);
        }
    }
}

/// The largest packet rate of one stream: uncompressed 8K video (SMPTE ST 2110-20) has half of it.
const MAX_PACKETS_PER_SECOND: f64 = 1e7;
/// The largest rate, as for bit rates (`report::field`): 10¹² bit/s.
const MAX_BYTES_PER_SECOND: f64 = 1e12 / 8.0;

/// The counters that show a teardown of the stream, and not only of one of its parts.
const TRAFFIC: Fields = Fields::of(&[Num::PacketsReceived, Num::PacketsSent, Num::BytesReceived, Num::BytesSent]);

/// The members whose rule has a property.
macro_rules! members_whose_rule {
    ($is:ident) => {{
        let mut fields = Fields::NONE;
        let mut index = 0;
        while index < Num::COUNT {
            if Num::ALL[index].rule().$is() {
                fields = fields.with(Num::ALL[index]);
            }
            index += 1;
        }
        fields
    }};
}

/// The cumulative members, and those of them that only grow.
const CUMULATIVE: Fields = members_whose_rule!(is_cumulative);
const MONOTONE: Fields = members_whose_rule!(is_monotone);

/// Cumulative members, packed: the values of the present ones, in the order of the table.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Counters {
    present: Fields,
    /// The members that the last sample had. The others are from earlier samples, until their member returns.
    fresh: Fields,
    values: Vec<f64>,
}

impl Counters {
    fn of(entry: Entry<'_>) -> Self {
        let mut counters = Self { present: Fields::NONE, fresh: Fields::NONE, values: Vec::new() };
        counters.load(entry, false, Fields::NONE);
        counters
    }

    /// Takes the values of `entry`, except those of `skip`; `keep` retains those that it lacks or that are skipped.
    fn load(&mut self, entry: Entry<'_>, keep: bool, skip: Fields) {
        self.fresh = entry.presence().and(CUMULATIVE).without(skip);
        if keep && !self.present.without(self.fresh).is_empty() {
            return self.merge(entry);
        }
        if self.present != self.fresh || self.values.is_empty() {
            self.present = self.fresh;
            self.values.reserve_exact(self.present.len().saturating_sub(self.values.len()));
            self.values.resize(self.present.len(), 0.0);
        }
        let (values, mut slots) = (entry.values(), self.values.iter_mut());
        self.present.for_each(|field| {
            if let Some(slot) = slots.next() {
                *slot = values[field as usize];
            }
        });
    }

    fn merge(&mut self, entry: Entry<'_>) {
        let (before, merged) = (self.present, self.present.or(self.fresh));
        let (mut read, mut write) = (self.values.len(), merged.len());
        self.values.reserve_exact(write.saturating_sub(read));
        self.values.resize(write, 0.0);
        // From the last to the first, so that no value is overwritten before it has moved.
        for &field in Num::ALL.iter().rev().filter(|&&field| merged.has(field)) {
            write = write.saturating_sub(1);
            let mut value = self.fresh.has(field).then(|| entry.values()[field as usize]);
            if before.has(field) {
                read = read.saturating_sub(1);
                value = value.or(self.values.get(read).copied());
            }
            if let (Some(slot), Some(value)) = (self.values.get_mut(write), value) {
                *slot = value;
            }
        }
        self.present = merged;
    }

    fn get(&self, field: Num) -> Option<f64> {
        if self.present.has(field) { self.values.get(self.present.before(field)).copied() } else { None }
    }

    /// Computes the advance of each counter until `entry`, with wraps undone.
    fn compare(&self, entry: Entry<'_>, differences: &mut Differences) {
        let known = self.present.and(entry.presence());
        differences.known = known;
        let (values, mut before) = (entry.values(), self.values.iter());
        // The set of advancing counters changes from sample to sample: no branch may depend on it. A member that the
        // entry lacks has the value of another one here; it is not `known`, so it is never read.
        let [grown, odd] = self.present.partition(|place| {
            let old = before.next().copied().unwrap_or_default();
            let (Some(&new), Some(by)) = (values.get(place), differences.by.get_mut(place)) else { return [false; 2] };
            *by = new - old;
            [new > old, (new < old) | (new >= NEAR_WRAP)]
        });
        differences.advanced = grown.without(odd).and(known).and(MONOTONE);
        differences.grew = !differences.advanced.is_empty();
        for field in odd.and(known).iter() {
            if let Some(old) = self.get(field) {
                differences.turn(field, old, values[field as usize]);
            }
        }
    }
}

impl Default for Differences {
    fn default() -> Self {
        Self {
            known: Fields::NONE,
            reset: Fields::NONE,
            advanced: Fields::NONE,
            grew: false,
            halved: Fields::NONE,
            by: [0.0; Num::COUNT],
        }
    }
}

impl Differences {
    /// Handles a counter that advanced near the end of 32 bits, or went back: by wrapping, or by a reset.
    #[cold]
    fn turn(&mut self, field: Num, old: f64, new: f64) {
        let rule = field.rule();
        if new < old
            && rule == Rule::Counter32
            && let Some(by) = self.by.get_mut(field as usize)
        {
            *by = new + WRAP - old;
        }
        if rule.is_monotone() {
            self.grew |= new > old && !wraps(rule, new, old);
            if new < old && !wraps(rule, old, new) {
                self.reset = self.reset.with(field);
                if new < old / 2.0 {
                    self.halved = self.halved.with(field);
                }
            }
        }
    }

    /// Removes the counters that went back by a glitch (see the module), and returns them.
    #[cold]
    fn set_glitches_aside(&mut self) -> Fields {
        let traffic_goes_on = !self.advanced.and(TRAFFIC).is_empty();
        let restarted = if traffic_goes_on { self.halved.without(TRAFFIC) } else { self.halved };
        if !restarted.is_empty() || self.advanced.len() <= self.reset.len() {
            return Fields::NONE;
        }
        let glitches = core::mem::replace(&mut self.reset, Fields::NONE);
        self.known = self.known.without(glitches);
        glitches
    }
}

/// Whether a counter wrapped from `old` past its end to `new`.
fn wraps(rule: Rule, old: f64, new: f64) -> bool {
    rule == Rule::Counter32 && old > NEAR_WRAP && old < WRAP && new < WRAP - NEAR_WRAP
}

/// The identity of an RTP entry besides its SSRC, as hashes; 0 for a missing part.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct EntryIdentity([u32; 4]);

impl EntryIdentity {
    fn of(entry: Entry<'_>) -> Self {
        let [track, mid, rid] =
            [Text::TrackIdentifier, Text::Mid, Text::Rid].map(|field| entry.text(field).map_or(0, hash_32));
        let media = entry.media().map_or(0, |media| media as u32 + 1);
        Self([track, mid, rid, media])
    }

    /// Whether any part that both have differs. A part that appears later is not a difference (edge case 28).
    fn differs_from(self, other: Self) -> bool {
        self.0.iter().zip(other.0).any(|(&a, b)| a != 0 && b != 0 && a != b)
    }

    /// Merges two identities: parts that `newer` lacks are taken from `self`.
    fn or(self, newer: Self) -> Self {
        let mut merged = newer.0;
        for (newer, older) in merged.iter_mut().zip(self.0) {
            if *newer == 0 {
                *newer = older;
            }
        }
        Self(merged)
    }
}
