//! Finds each stream's entries in a report. It stores no figures.

use ordered_float::OrderedFloat;

use super::connection::Fabric;
use super::slot::{EntryRefs, StreamSlot};
use super::usage::Usage;
use crate::config::Limits;
use crate::id::{Direction, Ssrc};
use crate::report::{Entry, Num, Report, StatsType, TimeMap};
use crate::stream::StreamRecord;
use crate::unit::{StatTime, Timestamp};

impl Fabric {
    /// Finds or opens the record of every stream in the report.
    pub(super) fn find_streams(
        &mut self,
        now: Timestamp,
        report: &Report,
        clock: &TimeMap,
        limits: Limits,
        usage: &mut Usage,
    ) {
        self.seen.clear();
        for (position, entry) in (0_u32..).zip(report.entries()) {
            let entry = entry.on(clock);
            let direction = match entry.kind() {
                StatsType::InboundRtp => Direction::Inbound,
                StatsType::OutboundRtp => Direction::Outbound,
                _ => continue,
            };
            // An entry without a timestamp cannot be used.
            let Some(ssrc) = entry.ssrc().filter(|_| entry.timestamp().is_some()) else { continue };
            let slot = match self.streams.id(direction, ssrc) {
                Some(slot) => slot,
                None if self.streams.len() >= limits.streams_per_fabric() || !usage.has_streams(1, limits) => {
                    self.refused_streams = self.refused_streams.saturating_add(1);
                    continue;
                }
                None => {
                    let record = StreamRecord::open(direction, entry);
                    let Some(slot) = record.and_then(|record| self.streams.open(record, now)) else { continue };
                    usage.streams += 1;
                    slot
                }
            };
            for other in [Num::RtxSsrc, Num::FecSsrc].into_iter().filter_map(|field| entry.get(field)) {
                // The rule of both fields admits u32 only.
                let other = Ssrc::new(other as u32);
                // Half of the capacity, of the fabric and of the conference, is reserved for the application's inputs.
                let before = self.mapping.len();
                let has_capacity = before < limits.ssrcs_per_fabric() / 2 && usage.ssrcs < limits.ssrcs() / 2;
                if has_capacity && self.mapping.primary(other) == other {
                    self.mapping.follow(ssrc, other);
                    usage.ssrcs += self.mapping.len() - before;
                }
            }
            let StreamSlot { record, entries, .. } = &mut self.streams[slot];
            if entries.snapshot != self.snapshots {
                *entries = EntryRefs { snapshot: self.snapshots, own: position, remote: None, path: entries.path };
                self.seen.push(slot);
                continue;
            }
            // The report contains the stream twice: only one of the two can be followed.
            record.duplicates = record.duplicates.saturating_add(1);
            if report.get(entries.own as usize).is_some_and(|other| outranks(entry, other.on(clock))) {
                entries.own = position;
                record.reopen(entry);
            }
        }
    }

    /// Finds the remote endpoint's reports on the streams in the report.
    pub(super) fn find_remotes(&mut self, report: &Report, clock: &TimeMap) {
        for (position, remote) in (0_u32..).zip(report.entries()) {
            let remote = remote.on(clock);
            let direction = match remote.kind() {
                StatsType::RemoteInboundRtp => Direction::Outbound,
                StatsType::RemoteOutboundRtp => Direction::Inbound,
                _ => continue,
            };
            let Some(slot) = remote.ssrc().and_then(|ssrc| self.streams.id(direction, ssrc)) else { continue };
            let entries = &mut self.streams[slot].entries;
            let other = entries.remote.and_then(|other| Some(report.get(other as usize)?.on(clock)));
            if entries.snapshot == self.snapshots && other.is_none_or(|other| outranks(remote, other)) {
                entries.remote = Some(position);
            }
        }
    }
}

/// Whether `entry` is preferred over `other` for the same stream, in either order: the later one, then the one with
/// more traffic.
fn outranks(entry: Entry<'_>, other: Entry<'_>) -> bool {
    rank(&entry) > rank(&other)
}

fn rank<'a>(entry: &'a Entry<'_>) -> (Option<StatTime>, [OrderedFloat<f64>; 5], &'a str) {
    let traffic = [Num::PacketsReceived, Num::PacketsSent, Num::BytesReceived, Num::BytesSent, Num::PacketsLost]
        .map(|field| OrderedFloat(entry.get(field).unwrap_or(-1.0)));
    (entry.timestamp(), traffic, entry.id())
}
