//! The network paths of a PeerConnection: one with BUNDLE, one for each transport in use without. It chooses the entries
//! of each path; `path` keeps its figures.
//!
//! A transport is in use if an RTP stream of the report names it. If none does, those that carried bytes are; if there
//! are none of these either, the one that came furthest. Others are left over (from before BUNDLE was negotiated) and
//! have no effect, whatever their state.

use alloc::vec::Vec;

use ordered_float::OrderedFloat;
use smallvec::SmallVec;

use super::path::{Path, PathContext, PathEntries, PathSample};
use super::sources::Traffic;
use crate::event::IceState;
use crate::report::{Entry, Flag, Num, Report, StatsType, Text, TimeMap};

/// The most paths of a connection that are followed. Without BUNDLE there is one for each m-line: audio, video, screen
/// and data are four.
pub(crate) const MAX_PATHS: usize = 8;

/// The paths of a connection.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Paths {
    /// The only path, or that of the first transport in use.
    pub(crate) main: Path,
    /// The others, in the order in which they were first seen.
    others: Vec<Path>,
}

/// The index of a path: 0 for the main one.
pub(crate) type PathIndex = u8;

/// The entries of the paths in use in a report.
pub(crate) type UsedPaths<'a> = SmallVec<[PathEntries<'a>; MAX_PATHS]>;

impl Paths {
    /// All paths, the main one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Path> {
        core::iter::once(&self.main).chain(&self.others)
    }

    /// The path with this index; the only one, if there is only one.
    pub(crate) fn get(&self, index: Option<PathIndex>) -> Option<&Path> {
        if self.is_single() { Some(&self.main) } else { self.iter().nth(usize::from(index?)) }
    }

    fn get_mut(&mut self, index: PathIndex) -> &mut Path {
        match index.checked_sub(1) {
            Some(other) => self.others.get_mut(usize::from(other)).unwrap_or(&mut self.main),
            None => &mut self.main,
        }
    }

    /// Whether there is only one.
    pub(crate) const fn is_single(&self) -> bool {
        self.others.is_empty()
    }

    /// The path of an RTP stream; `None` if its entry does not say.
    pub(crate) fn of_stream(&self, entry: Entry<'_>) -> Option<PathIndex> {
        entry.text(Text::TransportId).and_then(|id| self.index(id))
    }

    fn index(&self, id: &str) -> Option<PathIndex> {
        (0..).zip(self.iter()).find(|(_, path)| path.transport.as_deref() == Some(id)).map(|(index, _)| index)
    }

    /// Opens the paths that a report has for the first time, and makes one in use the main path. Returns the other path
    /// that changed places with the main one, if any did.
    pub(crate) fn open(&mut self, used: &[PathEntries<'_>]) -> Option<PathIndex> {
        let first = ids(used).next()?;
        if used.len() == 1 && self.others.is_empty() {
            return None;
        }
        let is_main_used = ids(used).any(|id| self.main.transport.as_deref() == Some(id));
        let promoted = if is_main_used { None } else { ids(used).find_map(|id| self.index(id)) };
        if let Some(index) = promoted {
            let other = index.checked_sub(1).and_then(|other| self.others.get_mut(usize::from(other)));
            other.into_iter().for_each(|other| core::mem::swap(other, &mut self.main));
        } else if !is_main_used {
            // The transport of the main path was renamed.
            self.main.transport = Some(first.into());
        }
        for id in ids(used) {
            if self.index(id).is_none() && self.others.len() < MAX_PATHS - 1 {
                self.others.push(Path::new(id));
            }
        }
        promoted
    }

    /// Notes what arrived over each path since its last sample. Call it before [`Self::sample`]. Sets what the traffic
    /// of the paths shows.
    pub(crate) fn note_traffic(&mut self, used: &[PathEntries<'_>], traffic: &mut Traffic) {
        // A report without a transport says nothing about which are in use.
        if !self.others.is_empty() && ids(used).next().is_some() {
            let is_used = |path: &Path| ids(used).any(|id| path.transport.as_deref() == Some(id));
            self.others.iter_mut().filter(|path| !is_used(path)).for_each(Path::leave);
        }
        for entries in used {
            let Some(index) = self.index_of(entries) else { continue };
            let path = self.get_mut(index);
            traffic.path_bytes |= path.note_traffic(entries.pair);
            traffic.path_carried |= path.carries == Some(true);
        }
    }

    /// Takes a sample of each path in use. The state is the worst of them.
    pub(crate) fn sample(&mut self, report: &Report, used: &[PathEntries<'_>], context: PathContext<'_>) -> PathSample {
        let mut worst = PathSample::default();
        for entries in used {
            let Some(index) = self.index_of(entries) else { continue };
            let sample = self.get_mut(index).sample(report, *entries, context);
            worst.state = worse(worst.state, sample.state);
            worst.dtls = worst.dtls.max(sample.dtls);
            worst.is_guess |= sample.is_guess;
            worst.has_restarted |= sample.has_restarted;
            worst.has_switched |= sample.has_switched;
        }
        worst
    }

    fn index_of(&self, entries: &PathEntries<'_>) -> Option<PathIndex> {
        match entries.transport {
            Some(transport) if !self.others.is_empty() => self.index(transport.id()),
            _ => Some(0),
        }
    }

    /// Whether bytes arrived over any path; `None` if they are not counted.
    pub(crate) fn arrives(&self) -> Option<bool> {
        self.iter().filter_map(|path| path.arrives).reduce(|a, b| a || b)
    }

    /// The least number of unanswered checks of any path: a connection is alive while one of its paths is.
    pub(crate) fn unanswered(&self) -> Option<f64> {
        self.iter().filter_map(|path| path.unanswered).reduce(f64::min)
    }

    /// The path with the longest round trip at the latest sample.
    pub(crate) fn slowest(&self) -> &Path {
        self.others.iter().fold(&self.main, |slowest, path| if path.rtt_ms > slowest.rtt_ms { path } else { slowest })
    }
}

/// The ids of the transports.
fn ids<'a>(used: &'a [PathEntries<'a>]) -> impl Iterator<Item = &'a str> {
    used.iter().filter_map(|entries| entries.transport).map(|transport| transport.id())
}

/// The worse of two states.
fn worse(a: Option<IceState>, b: Option<IceState>) -> Option<IceState> {
    if b.map_or(0, badness) > a.map_or(0, badness) { b } else { a }
}

/// The rank of a state: a connection is as bad as the worst of its paths in use. Closed paths are left over.
const fn badness(state: IceState) -> u8 {
    match state {
        IceState::Closed => 1,
        IceState::Completed => 2,
        IceState::Connected => 3,
        IceState::Checking => 4,
        IceState::New => 5,
        IceState::Disconnected => 6,
        IceState::Failed => 7,
    }
}

/// The paths in use, by the ids of their transports; the order of the report does not matter.
pub(crate) fn used_paths<'a>(report: &'a Report, clock: &'a TimeMap) -> UsedPaths<'a> {
    let pair_of = |transport, more| selected_pair(report, transport, more).map(|pair| pair.on(clock));
    let mut transports = report.of(StatsType::Transport);
    let (first, more) = (transports.next(), transports.next().is_some());
    let used: SmallVec<[Entry<'_>; MAX_PATHS]> =
        if more { used_transports(report) } else { first.into_iter().collect() };
    if used.is_empty() {
        return core::iter::once(PathEntries { transport: None, pair: pair_of(None, more) }).collect();
    }
    used.into_iter()
        .map(|transport| PathEntries { transport: Some(transport), pair: pair_of(Some(transport), more) })
        .collect()
}

/// The transports in use of several.
fn used_transports(report: &Report) -> SmallVec<[Entry<'_>; MAX_PATHS]> {
    let mut named: SmallVec<[&str; MAX_PATHS]> = SmallVec::new();
    for entry in report.entries() {
        if matches!(entry.kind(), StatsType::InboundRtp | StatsType::OutboundRtp)
            && let Some(id) = entry.text(Text::TransportId)
            && named.len() < MAX_PATHS
            && !named.contains(&id)
        {
            named.push(id);
        }
    }
    let transports = report.of(StatsType::Transport);
    let mut used: SmallVec<[Entry<'_>; MAX_PATHS]> =
        transports.clone().filter(|entry| named.contains(&entry.id())).collect();
    if used.is_empty() {
        used = transports.clone().filter(|&entry| carried(entry)).collect();
    }
    if used.is_empty() {
        used = transports.min_by_key(|entry| (distance(*entry), entry.id())).into_iter().collect();
    }
    used.sort_by(|a, b| a.id().cmp(b.id()));
    used.dedup_by(|a, b| a.id() == b.id());
    used.truncate(MAX_PATHS);
    used
}

/// How far a transport is from being connected: 0 if it is.
fn distance(transport: Entry<'_>) -> u8 {
    let ice = transport.text(Text::IceState).and_then(IceState::from_name);
    let is_failed = transport.text(Text::DtlsState) == Some("failed");
    match ice {
        _ if is_failed => 4,
        Some(IceState::Connected | IceState::Completed) => 0,
        Some(IceState::Checking | IceState::Disconnected) => 1,
        Some(IceState::New) | None => 2,
        Some(IceState::Failed) => 4,
        Some(IceState::Closed) => 5,
    }
}

fn carried(entry: Entry<'_>) -> bool {
    [Num::BytesReceived, Num::BytesSent].iter().any(|&field| entry.get(field) > Some(0.0))
}

/// The selected pair of a transport (edge case 20): the one that the transport names; otherwise the one marked as
/// selected; otherwise, of the nominated and succeeded ones, the one that carried packets last, or most. An empty name,
/// and one that no pair has, is no name. A pair that names no transport of the report belongs to the only one in use.
/// `is_several`: the report has several transports.
fn selected_pair<'a>(report: &'a Report, transport: Option<Entry<'a>>, is_several: bool) -> Option<Entry<'a>> {
    let named = transport.and_then(|transport| transport.text(Text::SelectedCandidatePairId));
    if let Some(id) = named.filter(|id| !id.is_empty())
        && let Some(pair) = report.of(StatsType::CandidatePair).find(|pair| pair.id() == id)
    {
        return Some(pair);
    }
    let pairs = report.of(StatsType::CandidatePair).filter(|pair| {
        let own = pair.text(Text::TransportId).filter(|id| !id.is_empty());
        !is_several || own.is_none() || own == transport.map(|transport| transport.id())
    });
    let marked = pairs.clone().filter(|pair| pair.flag(Flag::Selected) == Some(true));
    marked.min_by(|a, b| a.id().cmp(b.id())).or_else(|| {
        pairs
            .filter(|pair| pair.flag(Flag::Nominated) == Some(true) && pair.text(Text::State) == Some("succeeded"))
            .max_by(|a, b| rank(*a).cmp(&rank(*b)).then_with(|| b.id().cmp(a.id())))
    })
}

/// How recently and how much a pair has carried: the times of its last packets in both directions, then its bytes.
fn rank(pair: Entry<'_>) -> [OrderedFloat<f64>; 2] {
    [[Num::LastPacketReceivedTimestamp, Num::LastPacketSentTimestamp], [Num::BytesReceived, Num::BytesSent]]
        .map(|fields| OrderedFloat(sum(pair, fields)))
}

fn sum(entry: Entry<'_>, fields: [Num; 2]) -> f64 {
    fields.iter().filter_map(|&field| entry.get(field)).sum()
}
