//! What a source holds that shows which call and which connections it belongs to. It compares no sources.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use super::apply::ends;
use super::clock::SenderReportTimes;
use super::item::{OwnedItem, fingerprint_of};
use super::unit::{TimeUnit, UnitEvidence};
use crate::id::Ssrc;
use crate::ingest::{Item, LogEventKind, Snapshot};
use crate::report::{Num, StatsType};
use crate::unit::StatTime;

/// Limits of what is stored of a source, so that no input makes it grow without bound. What is beyond them is not
/// compared: the sources then count as less related than they are.
const MAX_CONNECTIONS: usize = 1_024;
const MAX_SSRCS: usize = 4_096;
const MAX_USERS: usize = 4_096;
/// Fingerprints of items stored of a connection: those with the smallest values, so that two connections with common
/// items have common fingerprints.
const MAX_FINGERPRINTS: usize = 32;

/// An overview of one source: the input of [`calls`](super::calls) and of
/// [`Replay::add_sources`](super::Replay::add_sources).
#[derive(Clone, Debug, Default)]
pub struct SourceOverview {
    pub(super) clock: SenderReportTimes,
    pub(super) conference: Option<String>,
    /// The id of the meeting or of the client's session.
    pub(super) session: Option<String>,
    pub(super) users: BTreeSet<String>,
    pub(super) connections: BTreeMap<String, ConnectionOverview>,
    pub(super) span: Option<TimeSpan>,
    snapshots: u64,
    /// What shows the unit of its times, and whether that is known to be another than the millisecond.
    unit: UnitEvidence,
    pub(super) is_in_another_unit: Option<bool>,
}

/// An overview of a connection of a source.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionOverview {
    pub(super) sent: BTreeSet<Ssrc>,
    pub(super) received: BTreeMap<Ssrc, PacketSpan>,
    pub(super) span: Option<TimeSpan>,
    /// Fingerprints of items with a time.
    pub(super) fingerprints: BTreeSet<u64>,
}

/// A span of time on the source's clock, ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TimeSpan {
    pub(super) first_ms: f64,
    pub(super) last_ms: f64,
}

/// `packetsReceived` at the first and at the last time at which it was reported.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PacketSpan {
    pub(super) first: Option<f64>,
    pub(super) last: Option<f64>,
}

impl SourceOverview {
    /// Adds an item of the source.
    pub fn observe(&mut self, item: &Item<'_>) {
        match item {
            Item::Snapshot(snapshot) => self.observe_snapshot(*snapshot),
            Item::LogEvent(event) => {
                if let LogEventKind::Identity(identity) = event.what {
                    self.add_user(identity.user.or(identity.display_name));
                    self.session = identity.session.map(Into::into).or_else(|| self.session.take());
                }
                let at_ms = event.at.map(|at| at.as_millis());
                if let Some((at_ms, item)) = at_ms.zip(OwnedItem::new(item)) {
                    widen(&mut self.span, at_ms);
                    if let Some(connection) = self.connection(event.fabric) {
                        connection.add_fingerprint(item.fingerprint());
                    }
                }
            }
        }
    }

    /// Sets the name of the conference, as the source gives it ([`Reader::conference`](crate::ingest::Reader::conference)).
    pub fn set_conference(&mut self, conference: Option<&str>) {
        self.conference = conference.map(Into::into);
    }

    /// The name of the conference.
    #[must_use]
    pub fn conference(&self) -> Option<&str> {
        self.conference.as_deref()
    }

    /// The users that the source names, in the order of their names.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.users.iter().map(String::as_str)
    }

    /// The times of the first and the last item on the source's clock, ms. `None` if no item has a time.
    #[must_use]
    pub fn span_ms(&self) -> Option<(f64, f64)> {
        self.span.map(|span| (span.first_ms, span.last_ms))
    }

    /// The number of snapshots.
    #[must_use]
    pub const fn snapshots(&self) -> u64 {
        self.snapshots
    }

    /// Whether the source holds nothing that a call could be made of: it then belongs to any call.
    pub(super) fn is_empty(&self) -> bool {
        self.snapshots == 0 && self.span.is_none() && self.users.is_empty()
    }

    fn observe_snapshot(&mut self, snapshot: Snapshot<'_>) {
        self.snapshots += 1;
        self.clock.observe(snapshot.report);
        let at_ms = time_of(snapshot).map(StatTime::as_millis);
        if let Some(at_ms) = at_ms {
            widen(&mut self.span, at_ms);
        }
        if let Some(at) = snapshot.at.filter(|_| self.is_in_another_unit.is_none()) {
            let found = self.unit.find(snapshot.fabric, at.as_millis(), snapshot.report);
            self.is_in_another_unit = found.map(|unit| unit != TimeUnit::default());
        }
        if !self.connections.contains_key(snapshot.fabric)
            && let Some((from, to)) = ends(snapshot.fabric)
        {
            self.add_user(Some(from));
            self.add_user(Some(to));
        }
        let Some(connection) = self.connection(snapshot.fabric) else { return };
        for entry in snapshot.report.entries() {
            let Some(ssrc) = entry.ssrc() else { continue };
            match entry.kind() {
                StatsType::OutboundRtp if connection.sent.len() < MAX_SSRCS => {
                    connection.sent.insert(ssrc);
                }
                StatsType::InboundRtp
                    if connection.received.len() < MAX_SSRCS || connection.received.contains_key(&ssrc) =>
                {
                    let packets = connection.received.entry(ssrc).or_default();
                    packets.last = entry.get(Num::PacketsReceived).or(packets.last);
                    packets.first = packets.first.or(packets.last);
                }
                _ => {}
            }
        }
        if let Some(at_ms) = at_ms {
            widen(&mut connection.span, at_ms);
            connection.add_fingerprint(fingerprint_of(snapshot.fabric, at_ms, snapshot.report));
        }
    }

    fn add_user(&mut self, user: Option<&str>) {
        if let Some(user) = user.filter(|_| self.users.len() < MAX_USERS) {
            self.users.insert(user.to_owned());
        }
    }

    fn connection(&mut self, name: &str) -> Option<&mut ConnectionOverview> {
        if !self.connections.contains_key(name) {
            if self.connections.len() >= MAX_CONNECTIONS {
                return None;
            }
            self.connections.insert(name.to_owned(), ConnectionOverview::default());
        }
        self.connections.get_mut(name)
    }
}

impl ConnectionOverview {
    fn add_fingerprint(&mut self, fingerprint: u64) {
        self.fingerprints.insert(fingerprint);
        if self.fingerprints.len() > MAX_FINGERPRINTS {
            self.fingerprints.pop_last();
        }
    }
}

/// The time of a snapshot. Where only its entries have times, that of its streams: Chromium's codec entries may be days
/// ahead.
fn time_of(snapshot: Snapshot<'_>) -> Option<StatTime> {
    let latest = snapshot.report.latest();
    if snapshot.at != latest {
        return snapshot.at;
    }
    let streams = snapshot
        .report
        .entries()
        .filter(|entry| matches!(entry.kind(), StatsType::InboundRtp | StatsType::OutboundRtp));
    streams.filter_map(|entry| entry.timestamp()).max().or(latest)
}

fn widen(span: &mut Option<TimeSpan>, at_ms: f64) {
    let before = span.unwrap_or(TimeSpan { first_ms: at_ms, last_ms: at_ms });
    *span = Some(TimeSpan { first_ms: before.first_ms.min(at_ms), last_ms: before.last_ms.max(at_ms) });
}
