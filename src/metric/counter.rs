//! Turns cumulative counters into differences between two samples of the same stats entry. It derives no figures.
//!
//! One [`EntryTracker`] follows one entry. It distinguishes an advance from a repetition, a late snapshot and a counter
//! reset; it never yields negative traffic. Between two resets the differences add up to the last value minus the
//! first.
//!
//! **A reset or a glitch.** A reset restarts what an entry counts, so most of its counters fall, and they fall to near
//! 0. If more counters advance than fall, and none falls below half of its value, the fall is a glitch; so is that of a
//! single counter other than traffic, by any amount, and a traffic counter may fall by any amount while another traffic
//! counter goes on. (Several counters of a decoder that fall further are a reset of their own: decoders restart alone.)
//! A counter that grows faster than usual (`report/growth.rs`) while the others do not is a glitch, too, and so are
//! bytes that grow by more than their packets can carry.
//!
//! A glitch is treated as a member that the sample lacks, so the next difference spans it: a single wild value changes
//! no sum. If the next value confirms it, counting goes on from there: a fast growth is counted then, a growth faster
//! than possible, or a fall, never. Nothing is counted twice, and nothing is reset.

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
    /// Counters whose latest value fell or grew like a glitch: the next such value is believed.
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
    /// Those that grew faster than usual, and faster than possible.
    beyond: Fields,
    impossible: Fields,
    /// Those that glitched in the new sample.
    glitched: Fields,
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
        let Some(at) = entry.timestamp() else { return };
        let mut differences = Differences::default();
        self.find_differences(entry, at.millis_since(self.at), &mut differences);
        self.keep(entry, EntryIdentity::of(entry), !differences.reset.and(TRAFFIC).is_empty(), differences.glitched);
    }

    /// [`Self::step`], followed by [`Self::accept`] for an advance or a restart; faster than both calls, and allocates
    /// as the latter does.
    pub fn take<'a>(&mut self, entry: Entry<'a>) -> Progress<'a> {
        let identity = EntryIdentity::of(entry);
        let step = self.compare(entry, identity);
        if let Progress::Advance(delta) | Progress::Restart(delta) = &step {
            self.keep(entry, identity, delta.from_zero, delta.differences.glitched);
        }
        step
    }

    fn compare<'a>(&self, entry: Entry<'a>, identity: EntryIdentity) -> Progress<'a> {
        let Some(at) = entry.timestamp() else { return Progress::Stale };
        let span_ms = at.millis_since(self.at);
        let differences = Differences::default();
        let (steady, doubted) = (Fields::NONE, Fields::NONE);
        let mut delta = Delta { new: entry, span_ms, differences, steady, from_zero: false, doubted };
        delta.doubted = self.find_differences(entry, span_ms, &mut delta.differences);
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

    /// Computes the difference of each counter until `entry`, `span_ms` later. Returns the glitches.
    #[inline]
    fn find_differences(&self, entry: Entry<'_>, span_ms: f64, differences: &mut Differences) -> Fields {
        let Counters { fresh, .. } = self.counters;
        self.counters.compare(entry, longest_s(span_ms), differences);
        differences.compare_traffic(differences.known.and(fresh.or(self.glitched)).without(differences.reset));
        if differences.reset.or(differences.beyond).is_empty() {
            return Fields::NONE;
        }
        differences.set_glitches_aside(fresh, self.glitched)
    }

    /// Makes `entry` the last sample, except for members that glitched for the first time. `from_zero` says whether its
    /// traffic counts from zero.
    fn keep(&mut self, entry: Entry<'_>, identity: EntryIdentity, from_zero: bool, glitched: Fields) {
        if let Some(at) = entry.timestamp() {
            if from_zero {
                self.traffic_reset = Some(at);
            } else if at < self.at {
                (self.first, self.traffic_reset) = (at, None);
            }
            self.at = at;
            let glitched = if from_zero { Fields::NONE } else { glitched };
            self.counters.load(entry, !from_zero, glitched.without(self.glitched));
            self.glitched = glitched;
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
    /// stand still while their bytes pass.
    pub(crate) fn disbelieve(&mut self) {
        if !self.new.hidden().is_empty() {
            self.forget(self.new.hidden());
        }
        for (packets, bytes) in [(Num::PacketsReceived, Num::BytesReceived), (Num::PacketsSent, Num::BytesSent)] {
            if self.passed(packets) == Some(0.0) && self.passed(bytes) > Some(0.0) {
                self.doubt(Fields::of(&[packets]));
            }
        }
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

/// The bytes of the largest UDP datagram, into which an RTP packet fits.
const MAX_PACKET_BYTES: f64 = 65_535.0;
/// More than a packet of WebRTC has, which fits an Ethernet frame.
const USUAL_PACKET_BYTES: f64 = 2_000.0;
/// Packets that may be missing beside their bytes: counters are not all read at one moment.
const SKEW_PACKETS: f64 = 10.0;

/// The longest time that a difference may cover, s: at least a second; a minute after a clock that stepped back.
fn longest_s(span_ms: f64) -> f64 {
    if span_ms < 0.0 { 60.0 } else { (span_ms / 1e3).max(1.0) }
}

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

/// The growth of each member that is usual in a second.
static USUAL_IN_A_SECOND: [f64; Num::COUNT] = {
    let mut usual = [f64::INFINITY; Num::COUNT];
    let mut index = 0;
    while index < Num::COUNT {
        usual[index] = Num::ALL[index].growth().usual(1.0);
        index += 1;
    }
    usual
};

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

    /// Computes the advance of each counter until `entry`, at most `longest_s` later, with wraps undone.
    fn compare(&self, entry: Entry<'_>, longest_s: f64, differences: &mut Differences) {
        let known = self.present.and(entry.presence());
        differences.known = known;
        let (values, mut before) = (entry.values(), self.values.iter());
        // The set of advancing counters changes from sample to sample: no branch may depend on it. A member that the
        // entry lacks has the value of another one here; it is not `known`, so it is never read.
        let [grown, odd] = self.present.partition(|place| {
            let old = before.next().copied().unwrap_or_default();
            let (Some(&new), Some(by), Some(&usual)) =
                (values.get(place), differences.by.get_mut(place), USUAL_IN_A_SECOND.get(place))
            else {
                return [false; 2];
            };
            *by = new - old;
            [new > old, (new < old) | (*by > usual)]
        });
        differences.advanced = grown.without(odd).and(known).and(MONOTONE);
        differences.grew = !differences.advanced.is_empty();
        for field in odd.and(known).iter() {
            if let Some(old) = self.get(field) {
                differences.turn(field, old, values[field as usize], longest_s);
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
            beyond: Fields::NONE,
            impossible: Fields::NONE,
            glitched: Fields::NONE,
            by: [0.0; Num::COUNT],
        }
    }
}

impl Differences {
    /// Handles a counter that advanced by much, or went back: by wrapping, or by a reset.
    #[cold]
    fn turn(&mut self, field: Num, old: f64, new: f64, longest_s: f64) {
        let rule = field.rule();
        if new < old
            && rule == Rule::Counter32
            && let Some(by) = self.by.get_mut(field as usize)
        {
            *by = new + WRAP - old;
        }
        if !rule.is_monotone() || wraps(rule, old, new) {
            return;
        }
        if new < old {
            self.reset.insert(field);
            if new < old / 2.0 {
                self.halved.insert(field);
            }
        } else if new - old <= field.growth().usual(longest_s) {
            self.grew = true;
            self.advanced.insert(field);
        } else {
            self.beyond.insert(field);
            if new - old > field.growth().largest(longest_s) {
                self.impossible.insert(field);
            }
        }
    }

    /// Marks bytes that grew by more than their packets carry, among `timed`: the counters whose difference covers
    /// this interval, or also the one of a glitch before it.
    fn compare_traffic(&mut self, timed: Fields) {
        for (packets, bytes) in [(Num::PacketsReceived, Num::BytesReceived), (Num::PacketsSent, Num::BytesSent)] {
            if timed.has(packets) && timed.has(bytes) {
                let [passed, carried] = [packets, bytes].map(|field| self.by.get(field as usize).copied());
                // Packets that stand still are no measure (`Delta::disbelieve`).
                let passed = passed.filter(|&passed| passed > 0.0);
                let exceeds =
                    |packet_bytes| passed.is_some_and(|passed| carried > Some((passed + SKEW_PACKETS) * packet_bytes));
                if exceeds(USUAL_PACKET_BYTES) {
                    self.beyond.insert(bytes);
                    self.advanced = self.advanced.without(self.beyond);
                    if exceeds(MAX_PACKET_BYTES) {
                        self.impossible.insert(bytes);
                    }
                }
            }
        }
    }

    /// Removes what is not believed (see the module), and returns it. `fresh` are the members of the last sample, and
    /// `before` those that glitched in it.
    #[cold]
    fn set_glitches_aside(&mut self, fresh: Fields, before: Fields) -> Fields {
        let falls = if self.is_reset() { Fields::NONE } else { core::mem::replace(&mut self.reset, Fields::NONE) };
        // Several counters that grow together confirm each other, if that is possible.
        let leaps = if self.beyond.len() == 1 { self.beyond } else { self.impossible };
        let unconfirmed = leaps.and(fresh).or(falls).without(before);
        self.glitched = unconfirmed.or(self.beyond.and(before));
        let doubted = unconfirmed.or(falls).or(self.impossible);
        self.known = self.known.without(doubted);
        doubted
    }

    /// Whether the counters that went back were reset.
    fn is_reset(&self) -> bool {
        let traffic_goes_on = !self.advanced.and(TRAFFIC).is_empty();
        if self.reset.len() == 1 && self.reset.and(TRAFFIC).is_empty() {
            return false;
        }
        let restarted = if traffic_goes_on { self.halved.without(TRAFFIC) } else { self.halved };
        !restarted.is_empty() || self.advanced.len() <= self.reset.len()
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
