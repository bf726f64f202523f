//! Estimates the offsets between the clocks of several sources. It does not change any time stamp.
//!
//! An RTCP sender report states when it was sent, on the sender's clock. The receiver's stats contain that time and the
//! time of arrival on the receiver's clock (`remoteTimestamp` and `timestamp` of `remote-outbound-rtp`; Chromium and
//! Firefox both report them). The difference is the clock offset plus the one-way delay. With reports in both
//! directions, half of the difference of the two is the clock offset. Its error is at most half of their sum, which is
//! half of a round-trip time (as in NTP, RFC 5905 clause 8), plus [`GRAIN_MS`] for the granularity of the time stamps.
//! The fastest report counts, because queues only add delay. With reports in one direction, the one-way delay is
//! assumed to be half of the shortest ICE round-trip time, with an error of the same size.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use crate::id::Ssrc;
use crate::report::{Num, Report, StatsType};

/// Granularity of the time stamps, ms: Firefox reports whole milliseconds.
const GRAIN_MS: f64 = 1.0;

/// Clock readings of one source: the input of [`clock_offsets`].
#[derive(Clone, Debug, Default)]
pub struct SenderReportTimes {
    /// The streams that the source sends.
    sent: BTreeSet<Ssrc>,
    /// Per received stream, the shortest time from sending a report to its arrival, ms, including the clock offset.
    reports: BTreeMap<Ssrc, f64>,
    /// The shortest round-trip time, ms.
    rtt_ms: Option<f64>,
}

/// How far a clock is ahead of the clock of the first source.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClockOffset {
    /// The offset, ms. Positive: the clock is ahead.
    pub ms: f64,
    /// The maximum error of the offset, ms.
    pub uncertainty_ms: f64,
}

impl SenderReportTimes {
    /// Reads the clocks of one snapshot of the source.
    pub fn observe(&mut self, report: &Report) {
        for entry in report.entries() {
            match (entry.kind(), entry.ssrc()) {
                (StatsType::OutboundRtp, Some(ssrc)) => {
                    self.sent.insert(ssrc);
                }
                (StatsType::RemoteOutboundRtp, Some(ssrc)) => {
                    let sent = entry.get(Num::RemoteTimestamp).filter(|&sent| sent > 0.0);
                    let Some((arrived, sent)) = entry.timestamp().zip(sent) else { continue };
                    let delay = arrived.as_millis() - sent;
                    let shortest = self.reports.entry(ssrc).or_insert(delay);
                    *shortest = shortest.min(delay);
                }
                (StatsType::CandidatePair, _) => {
                    let rtt_ms = entry.get(Num::CurrentRoundTripTime).map(|seconds| seconds * 1e3);
                    self.rtt_ms = [self.rtt_ms, rtt_ms].into_iter().flatten().reduce(f64::min);
                }
                _ => {}
            }
        }
    }

    /// Adds the readings of another source with the same clock.
    pub(super) fn merge(&mut self, other: &Self) {
        self.sent.extend(&other.sent);
        for (&ssrc, &delay) in &other.reports {
            let shortest = self.reports.entry(ssrc).or_insert(delay);
            *shortest = shortest.min(delay);
        }
        self.rtt_ms = [self.rtt_ms, other.rtt_ms].into_iter().flatten().reduce(f64::min);
    }

    /// The shortest time from the sending of a report by `sender` to its arrival at this source, ms.
    fn from(&self, sender: &Self) -> Option<f64> {
        self.reports.iter().filter(|(ssrc, _)| sender.sent.contains(ssrc)).map(|(_, &delay)| delay).reduce(f64::min)
    }

    /// How far this clock is ahead of another.
    pub(super) fn ahead_of(&self, other: &Self) -> Option<ClockOffset> {
        match (self.from(other), other.from(self)) {
            (Some(here), Some(there)) => {
                Some(ClockOffset { ms: (here - there) / 2.0, uncertainty_ms: ((here + there) / 2.0).abs() + GRAIN_MS })
            }
            (Some(here), None) => {
                let delay = self.rtt_ms? / 2.0;
                Some(ClockOffset { ms: here - delay, uncertainty_ms: delay + GRAIN_MS })
            }
            (None, Some(_)) => {
                other.ahead_of(self).map(|ClockOffset { ms, uncertainty_ms }| ClockOffset { ms: -ms, uncertainty_ms })
            }
            (None, None) => None,
        }
    }
}

/// How far the clock of each source is ahead of the clock of the first one. `None` if no RTCP report links a source to
/// the first, directly or through others. Links with the least uncertainty are used first.
#[must_use]
pub fn clock_offsets(sources: &[SenderReportTimes]) -> Vec<Option<ClockOffset>> {
    let mut offsets: Vec<Option<ClockOffset>> = vec![None; sources.len()];
    if let Some(first) = offsets.first_mut() {
        *first = Some(ClockOffset { ms: 0.0, uncertainty_ms: 0.0 });
    }
    loop {
        let mut surest: Option<(usize, ClockOffset)> = None;
        for (joined, known) in sources.iter().zip(&offsets) {
            let Some(known) = known else { continue };
            for (index, (source, _)) in sources.iter().zip(&offsets).enumerate().filter(|(_, (_, own))| own.is_none()) {
                let Some(link) = source.ahead_of(joined) else { continue };
                let offset =
                    ClockOffset { ms: known.ms + link.ms, uncertainty_ms: known.uncertainty_ms + link.uncertainty_ms };
                if surest.is_none_or(|(_, best)| offset.uncertainty_ms < best.uncertainty_ms) {
                    surest = Some((index, offset));
                }
            }
        }
        let Some((index, offset)) = surest else { return offsets };
        offsets[index] = Some(offset);
    }
}
