//! How far the clocks of several reporters are apart.
//!
//! An RTCP sender report says when it was sent, on the sender's clock; the receiver's stats say that and when it came in, on
//! the receiver's (`remoteTimestamp` and `timestamp` of `remote-outbound-rtp`; both Chromium and Firefox fill them so).
//! The difference is that of the clocks plus the way. With reports in both directions half of the difference of the two
//! is that of the clocks, off by no more than half of their sum, which is half of a round trip (as NTP has it, RFC
//! 5905 clause 8), and of [`GRAIN_MS`], for so coarse are the time stamps. Of many reports the one that came fastest counts: queues only add. With reports in one direction
//! alone the way is taken to be half of the shortest round trip by ICE, off by as much.

use std::collections::{BTreeMap, BTreeSet};

use callgauge::id::Ssrc;
use callgauge::report::{Num, Report, StatsType};

/// How coarse the time stamps are, ms: Firefox gives whole ones.
const GRAIN_MS: f64 = 1.0;

/// What one file says of clocks.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    /// The streams that it sends.
    sent: BTreeSet<Ssrc>,
    /// The streams that it receives: the shortest time between a report and its arrival, ms, clocks' difference included.
    reports: BTreeMap<Ssrc, f64>,
    /// The shortest round trip, ms.
    rtt_ms: Option<f64>,
}

/// How far a clock is ahead of that of the first file, ms, and by how much that may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Offset {
    pub(crate) ms: f64,
    pub(crate) uncertainty_ms: f64,
}

impl Sightings {
    pub(crate) fn look(&mut self, report: &Report) {
        for entry in report.entries() {
            match (entry.kind(), entry.ssrc()) {
                (StatsType::OutboundRtp, Some(ssrc)) => {
                    self.sent.insert(ssrc);
                }
                (StatsType::RemoteOutboundRtp, Some(ssrc)) => {
                    let sent = entry.get(Num::RemoteTimestamp).filter(|&sent| sent > 0.0);
                    let Some((came, sent)) = entry.timestamp().zip(sent) else { continue };
                    let way = came.as_millis() - sent;
                    let shortest = self.reports.entry(ssrc).or_insert(way);
                    *shortest = shortest.min(way);
                }
                (StatsType::CandidatePair, _) => {
                    let rtt_ms = entry.get(Num::CurrentRoundTripTime).map(|seconds| seconds * 1e3);
                    self.rtt_ms = [self.rtt_ms, rtt_ms].into_iter().flatten().reduce(f64::min);
                }
                _ => {}
            }
        }
    }

    /// The shortest time between a report that `sender` sent and its arrival here.
    fn from(&self, sender: &Self) -> Option<f64> {
        self.reports.iter().filter(|(ssrc, _)| sender.sent.contains(ssrc)).map(|(_, &way)| way).reduce(f64::min)
    }

    /// How far this clock is ahead of another.
    fn ahead_of(&self, other: &Self) -> Option<Offset> {
        match (self.from(other), other.from(self)) {
            (Some(here), Some(there)) => {
                Some(Offset { ms: (here - there) / 2.0, uncertainty_ms: ((here + there) / 2.0).abs() + GRAIN_MS })
            }
            (Some(here), None) => {
                let way = self.rtt_ms? / 2.0;
                Some(Offset { ms: here - way, uncertainty_ms: way + GRAIN_MS })
            }
            (None, Some(_)) => {
                other.ahead_of(self).map(|Offset { ms, uncertainty_ms }| Offset { ms: -ms, uncertainty_ms })
            }
            (None, None) => None,
        }
    }
}

/// How far each clock is ahead of the first. `None` for those that nothing joins to it. Clocks are joined by the surest
/// links.
pub(crate) fn offsets(files: &[Sightings]) -> Vec<Option<Offset>> {
    let mut offsets = vec![None; files.len()];
    if let Some(first) = offsets.first_mut() {
        *first = Some(Offset { ms: 0.0, uncertainty_ms: 0.0 });
    }
    loop {
        let mut surest: Option<(usize, Offset)> = None;
        for (joined, known) in offsets.iter().enumerate() {
            let Some(known) = known else { continue };
            for (index, file) in files.iter().enumerate().filter(|&(index, _)| offsets[index].is_none()) {
                let Some(link) = file.ahead_of(&files[joined]) else { continue };
                let offset =
                    Offset { ms: known.ms + link.ms, uncertainty_ms: known.uncertainty_ms + link.uncertainty_ms };
                if surest.is_none_or(|(_, best)| offset.uncertainty_ms < best.uncertainty_ms) {
                    surest = Some((index, offset));
                }
            }
        }
        let Some((index, offset)) = surest else { return offsets };
        offsets[index] = Some(offset);
    }
}
