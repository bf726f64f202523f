//! Which sources belong to one call, and which connections of different sources are one. It replays nothing.
//!
//! Two sources are of one call, the strongest evidence first:
//!
//! | evidence | longest pause between them |
//! |---|---|
//! | a random SSRC, connection name or session id in both | [`LONGEST_CONNECTION_MS`] |
//! | the same connection, or the same conference name | [`LONGEST_PAUSE_MS`] |
//! | a user in both | none: their times overlap |
//! | nothing in common | none: their times overlap, and [`Doubt::Together`] |
//!
//! Two different conference names contradict all of it. A source that overlaps with sources of different names, and has
//! nothing else in common with any of them, stays alone. Clocks with and without a date are not compared: times then are
//! no evidence against. A source without any item belongs to the first call ([`Doubt::Together`]).
//!
//! Two connections of different sources are one if they have the same name, none sends what the other receives, and
//!
//! - both send the same SSRC, or
//! - neither sends, both receive the same SSRC, and an item of both is the same or the packet counts of the later one
//!   continue those of the earlier, or
//! - neither has a stream, and an item of both is the same.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::overview::{ConnectionOverview, SourceOverview, TimeSpan};
use crate::id::Ssrc;

/// The longest pause between recordings of one connection, ms: a day.
const LONGEST_CONNECTION_MS: f64 = 86_400_000.0;

/// The longest pause of a call between recordings of the same conference name, ms: an hour. A room has the same name
/// again tomorrow.
const LONGEST_PAUSE_MS: f64 = 3_600_000.0;

/// Times from this on have a date (ms since 1970): 1973.
const FIRST_DATE_MS: f64 = 1e11;

/// The smallest SSRC that counts as random (RFC 3550 8.1): fixed ones, such as Chromium's 1234 for probes, are small.
const FIRST_RANDOM_SSRC: u32 = 1 << 16;

/// The shortest name that counts as random, bytes, and the digits in it: `PC_0` is in every dump.
const RANDOM_NAME_BYTES: usize = 16;
const RANDOM_NAME_DIGITS: usize = 4;

/// How sources count whose times overlap and that have nothing in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Doubt {
    /// As one call: the caller has put them together, and servers may rewrite all ids.
    #[default]
    Together,
    /// As two calls: the caller wants every call by itself.
    Apart,
}

/// Groups sources into calls, by index. The groups are in the order of their first source, and so are the sources of a
/// group.
///
/// ```
/// use callgauge::ingest::Reader;
/// use callgauge::replay::{Doubt, SourceOverview, calls};
///
/// let overviews = [1_700_000_000_000_u64, 1_700_000_001_000, 1_800_000_000_000].map(|start| {
///     let mut overview = SourceOverview::default();
///     for t in [start, start + 5_000] {
///         let line = format!(r#"{{"t": {t}, "pc": "A", "report": {{"I": {{"type": "inbound-rtp", "timestamp": {t}, "ssrc": 7}}}}}}"#);
///         Reader::new().read_all(line.as_bytes(), &mut |item| overview.observe(&item)).unwrap();
///     }
///     overview
/// });
/// assert_eq!(calls(&overviews, Doubt::Together), [[0, 1].as_slice(), &[2]]);
/// ```
#[must_use]
pub fn calls(sources: &[SourceOverview], doubt: Doubt) -> Vec<Vec<usize>> {
    let mut groups = Groups::new(sources);
    for (former, latter) in candidates(sources) {
        if is_related(&sources[former], &sources[latter]) {
            groups.join(former, latter);
        }
    }
    if doubt == Doubt::Together {
        groups.join_overlapping(sources);
        groups.join_empty(sources);
    }
    groups.into_lists()
}

/// For each source of a call, the connections that are also in another source: their names, each with a number that is the
/// same in all sources that have the connection. [`Replay::add_sources`](super::Replay::add_sources) joins them.
#[must_use]
pub fn shared_connections(sources: &[SourceOverview]) -> Vec<BTreeMap<String, usize>> {
    let mut shared: Vec<BTreeMap<_, usize>> = sources.iter().map(|_| BTreeMap::new()).collect();
    let mut slots = 0;
    let names: BTreeSet<&str> =
        sources.iter().flat_map(|source| source.connections.keys()).map(|name| &**name).collect();
    for name in names {
        let holders: Vec<(usize, &ConnectionOverview)> = sources
            .iter()
            .enumerate()
            .filter_map(|(index, source)| Some((index, source.connections.get(name)?)))
            .collect();
        for (nth, &(index, connection)) in holders.iter().enumerate() {
            let earlier = holders.iter().take(nth).find(|(_, other)| is_one(other, connection));
            let Some(&(other, _)) = earlier else { continue };
            let slot = shared[other].get(name).copied().unwrap_or_else(|| {
                slots += 1;
                slots - 1
            });
            for holder in [other, index] {
                shared[holder].insert(name.into(), slot);
            }
        }
    }
    shared
}

/// The number of the reporter of each source: sources with a common connection have the same reporter, and thereby the
/// same clock. A reporter has the index of its first source.
pub(super) fn reporters(shared: &[BTreeMap<String, usize>]) -> Vec<usize> {
    let mut first: BTreeMap<usize, usize> = BTreeMap::new();
    let mut groups = Groups { parents: (0..shared.len()).collect(), conferences: Vec::new() };
    for (index, slots) in shared.iter().enumerate() {
        for &slot in slots.values() {
            let other = *first.entry(slot).or_insert(index);
            groups.join(other, index);
        }
    }
    (0..shared.len()).map(|index| groups.root(index)).collect()
}

/// Pairs of sources that may have something in common besides time.
fn candidates(sources: &[SourceOverview]) -> BTreeSet<(usize, usize)> {
    let mut pairs = BTreeSet::new();
    let mut first: BTreeMap<SharedKey<'_>, Vec<usize>> = BTreeMap::new();
    for (index, source) in sources.iter().enumerate().filter(|(_, source)| !source.is_empty()) {
        for key in keys(source) {
            let holders = first.entry(key).or_default();
            pairs.extend(holders.iter().map(|&holder| (holder, index)));
            if holders.last() != Some(&index) {
                holders.push(index);
            }
        }
    }
    pairs.retain(|(former, latter)| former != latter);
    pairs
}

/// What two sources may have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SharedKey<'a> {
    Conference(&'a str),
    Session(&'a str),
    User(&'a str),
    Ssrc(Ssrc),
    Item(u64),
    Connection(&'a str),
}

fn keys(source: &SourceOverview) -> BTreeSet<SharedKey<'_>> {
    let mut keys: BTreeSet<SharedKey<'_>> = source.users().map(SharedKey::User).collect();
    keys.extend(source.conference().map(SharedKey::Conference));
    keys.extend(random_session(source).map(SharedKey::Session));
    for (name, connection) in &source.connections {
        keys.extend(is_random_name(name).then_some(SharedKey::Connection(name)));
        keys.extend(connection.sent.iter().chain(connection.received.keys()).copied().map(SharedKey::Ssrc));
        keys.extend(connection.fingerprints.iter().copied().map(SharedKey::Item));
    }
    keys
}

/// Whether two sources have something in common, and are near enough in time.
fn is_related(former: &SourceOverview, latter: &SourceOverview) -> bool {
    if contradict(former.conference(), latter.conference()) {
        return false;
    }
    let pause_ms = pause_ms(former, latter).unwrap_or(0.0);
    if pause_ms > LONGEST_CONNECTION_MS {
        return false;
    }
    if has_common_random(former, latter) {
        return true;
    }
    let is_one_call = former.conference().is_some() && former.conference() == latter.conference();
    if pause_ms <= LONGEST_PAUSE_MS && (is_one_call || has_common_connection(former, latter)) {
        return true;
    }
    pause_ms <= 0.0 && former.users.intersection(&latter.users).next().is_some()
}

fn contradict(former: Option<&str>, latter: Option<&str>) -> bool {
    former.zip(latter).is_some_and(|(former, latter)| former != latter)
}

fn has_common_random(former: &SourceOverview, latter: &SourceOverview) -> bool {
    random_ssrcs(former).intersection(&random_ssrcs(latter)).next().is_some()
        || random_session(former).is_some_and(|session| random_session(latter) == Some(session))
        || former.connections.keys().any(|name| is_random_name(name) && latter.connections.contains_key(name))
}

fn random_session(source: &SourceOverview) -> Option<&str> {
    source.session.as_deref().filter(|session| is_random_name(session))
}

fn random_ssrcs(source: &SourceOverview) -> BTreeSet<Ssrc> {
    let connections = source.connections.values();
    let all = connections.flat_map(|connection| connection.sent.iter().chain(connection.received.keys()).copied());
    all.filter(|ssrc| ssrc.get() >= FIRST_RANDOM_SSRC).collect()
}

fn has_common_connection(former: &SourceOverview, latter: &SourceOverview) -> bool {
    let mut both = former.connections.iter().filter_map(|(name, one)| Some((one, latter.connections.get(name)?)));
    both.any(|(one, other)| is_one(one, other))
}

/// Whether two connections of the same name in different sources are one.
fn is_one(one: &ConnectionOverview, other: &ConnectionOverview) -> bool {
    if sends_to(one, other) || sends_to(other, one) {
        return false;
    }
    if !(one.sent.is_empty() && other.sent.is_empty()) {
        return one.sent.intersection(&other.sent).next().is_some();
    }
    let has_common_item = one.fingerprints.intersection(&other.fingerprints).next().is_some();
    if one.received.is_empty() && other.received.is_empty() {
        return has_common_item;
    }
    one.received.keys().any(|ssrc| other.received.contains_key(ssrc))
        && (has_common_item
            || match one.span.zip(other.span) {
                Some((span, next)) if span.last_ms < next.first_ms => continues(one, other),
                Some((span, next)) if next.last_ms < span.first_ms => continues(other, one),
                _ => false,
            })
}

/// Whether one connection receives what the other sends: they are two ends.
fn sends_to(one: &ConnectionOverview, other: &ConnectionOverview) -> bool {
    one.sent.iter().any(|ssrc| other.received.contains_key(ssrc))
}

/// Whether the received streams of a later connection continue those of an earlier one.
fn continues(earlier: &ConnectionOverview, later: &ConnectionOverview) -> bool {
    let mut common = earlier.received.iter().filter_map(|(ssrc, packets)| Some((packets, later.received.get(ssrc)?)));
    let has_common = common.clone().next().is_some();
    has_common
        && common.all(|(before, after)| before.last.zip(after.first).is_none_or(|(before, after)| before <= after))
}

/// The time between two sources on the clock of the first, ms: 0 or less if they overlap. `None` if their times cannot
/// be compared.
fn pause_ms(former: &SourceOverview, latter: &SourceOverview) -> Option<f64> {
    let (one, mut other) = former.span.zip(latter.span)?;
    if let Some(offset) = latter.clock.ahead_of(&former.clock) {
        other = TimeSpan { first_ms: other.first_ms - offset.ms, last_ms: other.last_ms - offset.ms };
    } else if (one.last_ms < FIRST_DATE_MS) != (other.last_ms < FIRST_DATE_MS) {
        return None;
    }
    Some((other.first_ms - one.last_ms).max(one.first_ms - other.last_ms))
}

fn is_random_name(name: &str) -> bool {
    name.len() >= RANDOM_NAME_BYTES && name.bytes().filter(u8::is_ascii_digit).count() >= RANDOM_NAME_DIGITS
}

/// Disjoint sets of sources.
struct Groups<'a> {
    /// Of each source, another one of its group; the first source of a group is its own.
    parents: Vec<usize>,
    /// Of each first source, the name of the group's conference.
    conferences: Vec<Option<&'a str>>,
}

impl<'a> Groups<'a> {
    fn new(sources: &'a [SourceOverview]) -> Self {
        Self {
            parents: (0..sources.len()).collect(),
            conferences: sources.iter().map(SourceOverview::conference).collect(),
        }
    }

    fn root(&self, mut index: usize) -> usize {
        while self.parents[index] != index {
            index = self.parents[index];
        }
        index
    }

    /// Joins the groups of two sources, unless their conferences have different names.
    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        let (first, second) = (one.min(other), one.max(other));
        let names = [first, second].map(|index| self.conferences.get(index).copied().flatten());
        if first == second || contradict(names[0], names[1]) {
            return;
        }
        let name = names[0].or(names[1]);
        if let Some(conference) = self.conferences.get_mut(first) {
            *conference = name;
        }
        self.parents[second] = first;
    }

    /// Joins groups whose times overlap, unless a chain of overlaps leads to two conferences.
    fn join_overlapping(&mut self, sources: &[SourceOverview]) {
        let mut chains = Groups { parents: self.parents.clone(), conferences: Vec::new() };
        for (index, source) in sources.iter().enumerate().filter(|(_, source)| !source.is_empty()) {
            for (other, later) in sources.iter().enumerate().skip(index + 1).filter(|(_, later)| !later.is_empty()) {
                let names = [index, other].map(|index| self.conferences[self.root(index)]);
                if !contradict(names[0], names[1]) && pause_ms(source, later).is_none_or(|pause_ms| pause_ms <= 0.0) {
                    chains.join(index, other);
                }
            }
        }
        let roots: Vec<usize> = (0..sources.len()).map(|index| chains.root(index)).collect();
        let mut names: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for (index, &root) in roots.iter().enumerate() {
            names.entry(root).or_default().extend(self.conferences[self.root(index)]);
        }
        for (index, &root) in roots.iter().enumerate() {
            if names.get(&root).is_some_and(|names| names.len() <= 1) {
                self.join(root, index);
            }
        }
    }

    /// Joins sources without items to the first source that has some.
    fn join_empty(&mut self, sources: &[SourceOverview]) {
        let Some(first) = sources.iter().position(|source| !source.is_empty()) else {
            return (1..sources.len()).for_each(|index| self.join(0, index));
        };
        for (index, _) in sources.iter().enumerate().filter(|(_, source)| source.is_empty()) {
            debug_assert!(self.root(index) == index, "nothing relates an empty source");
            let conference = self.conferences[index].take();
            self.join(first, index);
            let root = self.root(first);
            self.conferences[root] = self.conferences[root].or(conference);
        }
    }

    fn into_lists(self) -> Vec<Vec<usize>> {
        let mut lists: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for index in 0..self.parents.len() {
            lists.entry(self.root(index)).or_default().push(index);
        }
        let mut lists: Vec<Vec<usize>> = lists.into_values().collect();
        lists.sort_unstable();
        lists
    }
}
