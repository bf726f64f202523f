//! Passes what a snapshot shows of a connection's paths to its streams and its lifecycle. It keeps no figures of a path.

use super::connection::Fabric;
use super::path::{Path, PathContext};
use super::paths::UsedPaths;
use super::slot::{EntryRefs, SlotId};
use super::sources::{Traffic, is_up};
use crate::config::Config;
use crate::event::{CallEvent, EventQueue};
use crate::report::{Num, Report, StatsType};
use crate::stream::ConnectionContext;
use crate::unit::Timestamp;

impl Fabric {
    /// Finds the path of each stream, and what arrived over the paths and over data channels since the last snapshot.
    pub(super) fn find_paths(&mut self, report: &Report, used: &UsedPaths<'_>) -> Traffic {
        let was_single = self.paths.is_single();
        let promoted = self.paths.open(used);
        let refs = self.streams.iter_mut().map(|stream| &mut stream.entries);
        if let Some(other) = promoted {
            for EntryRefs { path, .. } in refs {
                match *path {
                    Some(0) => *path = Some(other),
                    path_before if path_before == promoted => *path = Some(0),
                    _ => {}
                }
            }
        } else if was_single && !self.paths.is_single() {
            refs.for_each(|entries| entries.path = Some(0));
        }
        if !self.paths.is_single() {
            for &slot in &self.seen {
                let entries = &mut self.streams[slot].entries;
                if let Some(entry) = report.get(entries.own as usize) {
                    entries.path = self.paths.of_stream(entry);
                }
            }
        }
        let mut traffic = Traffic::default();
        self.paths.note_traffic(used, &mut traffic);
        let channels = report.of(StatsType::DataChannel);
        let bytes = channels.fold([0.0; 2], |[received, sent], channel| {
            let count = |field| channel.get(field).unwrap_or(0.0);
            [received + count(Num::BytesReceived), sent + count(Num::BytesSent)]
        });
        if bytes != [0.0; 2] {
            let [received, _] = bytes;
            traffic.arrived |= self.data_bytes.is_some_and(|before| received > before);
            self.data_bytes = Some(received);
        }
        traffic
    }

    /// Samples the paths, and passes their state to the lifecycle. `traffic` is that since the previous snapshot, `None` if
    /// no time passed: the snapshot is repeated, or has no times.
    pub(super) fn observe_paths(
        &mut self,
        now: Timestamp,
        report: &Report,
        used: &UsedPaths<'_>,
        traffic: Option<Traffic>,
        config: &Config,
        out: &mut EventQueue,
    ) {
        let limits = config.limits();
        let has_media = self.seen.iter().any(|&slot| self.streams[slot].record.has_traffic());
        let rtcp_rtt_ms = || {
            let by_rtcp = self.seen.iter().filter_map(|&slot| self.streams[slot].record.rtcp_rtt_ms());
            by_rtcp.reduce(f64::min)
        };
        let context = PathContext {
            has_media,
            is_repeated: traffic.is_none(),
            cells: limits.digest_cells(),
            rtcp_rtt_ms: &rtcp_rtt_ms,
        };
        let sample = self.paths.sample(report, used, context);
        if !self.lifecycle.was_set_up() {
            self.checks = checks(report).or(self.checks);
        }
        let (id, user) = (self.id(), self.spec.local_user);
        self.lifecycle.observe(now, sample, self.paths.main.relay(), traffic, &mut |event| {
            out.raise(limits, CallEvent { fabric: Some(id), user, ..event });
        });
    }

    /// The context of a stream: that of its own path.
    pub(super) fn context_of<'a>(&self, slot: SlotId, context: ConnectionContext<'a>) -> ConnectionContext<'a> {
        if self.paths.is_single() {
            return context;
        }
        let path = self.paths.get(self.streams[slot].entries.path);
        ConnectionContext {
            ice_rtt_ms: path.and_then(|path| path.rtt_ms),
            path_carries: path.and_then(|path| path.carries),
            is_path_silent: self.is_silent(path),
            is_lost: context.is_lost && !path.and_then(|path| path.state).is_some_and(is_up),
            ..context
        }
    }

    /// Whether nothing arrived over a path since the last sample, or the connection has not been set up.
    pub(super) fn is_silent(&self, path: Option<&Path>) -> bool {
        path.and_then(|path| path.carries) == Some(false) || !self.lifecycle.was_set_up()
    }
}

/// The connectivity checks sent and answered, over all pairs; `None` if they are not counted.
fn checks(report: &Report) -> Option<[u32; 2]> {
    let sum = |field| {
        let counts = report.of(StatsType::CandidatePair).filter_map(|pair| pair.get(field));
        // Positive; the cast saturates.
        counts.reduce(|a, b| a + b).map(|sum| sum as u32)
    };
    Some([sum(Num::RequestsSent)?, sum(Num::ResponsesReceived)?])
}
