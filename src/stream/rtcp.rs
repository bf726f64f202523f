//! The remote endpoint's RTCP figures of a stream, and how long they are valid. They come from stats, not from packets.

use alloc::boxed::Box;

use super::losses::SentLimit;
use super::totals::LossCount;
use crate::id::Direction;
use crate::maybe::Maybe;
use crate::metric::counter::{Delta, EntryTracker, Progress};
use crate::metric::{Formula, Interval, MAX_MS, Metric};
use crate::report::{Entry, Fields, Num};
use crate::unit::{Ratio, StatTime};

/// The longest time for which RTCP figures are held between two reports.
const RTCP_HOLD_MS: f64 = 30_000.0;

/// The figures of the remote endpoint's RTCP reports, and their times.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Rtcp {
    track: Option<EntryTracker>,
    /// The latest round-trip time, and the time of its report.
    rtt_ms: Option<(f64, StatTime)>,
    jitter_ms: Maybe,
    /// The losses of a sent stream, from its first report on; boxed, because most streams are received.
    sent: Option<Box<SentLosses>>,
    /// Members of reports since the latest interval that are not believed.
    doubted: Fields,
    /// The time of the sender's last report while no packets arrived, and whether it was sending.
    sender: Option<(StatTime, bool)>,
    /// The stream's own counters were reset since the latest report: the next one is a new base.
    rebase: bool,
    /// The next report covers, in part, time that is not measured.
    skips_next_report: bool,
}

/// The losses of a sent stream.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct SentLosses {
    /// Packets sent at the time of the latest report that counted losses.
    packets: Maybe,
    limit: SentLimit,
    /// Losses since the previous report, until an interval takes them.
    unread: PendingLosses,
}

/// Losses of a sent stream that no interval has taken yet.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct PendingLosses {
    /// Of all reports: lost packets, and the packets that the reports cover.
    lost: Maybe,
    covered: Maybe,
    /// Lost packets in reports that cover time which is not measured.
    at_rest: Maybe,
    /// Of the other reports: packets that were lost and not found again, and the packets that were expected.
    ratio: Option<(f64, f64)>,
}

impl Rtcp {
    /// Takes a report with the stream's own entry of the snapshot. `still_ms` is how long no packets have passed.
    pub(super) fn take_remote(&mut self, remote: Entry<'_>, own: Entry<'_>, direction: Direction, still_ms: f64) {
        let sent = own.get(Num::PacketsSent);
        let Some(track) = &mut self.track else {
            self.track = EntryTracker::new(remote);
            self.take_rtt(remote, own, None, remote.timestamp());
            self.take_jitter(remote);
            if direction == Direction::Outbound {
                self.sent = Some(Box::new(SentLosses { packets: Maybe::new(sent), ..SentLosses::default() }));
            }
            return;
        };
        let (mut delta, advanced) = match track.take(remote) {
            Progress::Unchanged | Progress::Stale => return,
            Progress::Restart(delta) => (delta, false),
            Progress::Advance(delta) => (delta, true),
        };
        delta.disbelieve();
        if advanced {
            // Reports that arrive while nothing else does distinguish a rest from an outage. Packets sent since the
            // previous report are missing only if nothing arrived in all that time.
            let sends = match delta.of(Num::PacketsSent) {
                Some(0.0) if still_ms > 0.0 => Some(false),
                Some(sent) if sent > 0.0 && still_ms >= delta.span_ms() => Some(true),
                _ => None,
            };
            self.sender = own.timestamp().zip(sends);
        }
        if direction == Direction::Outbound {
            self.take_losses(&mut delta, own);
        }
        self.doubted = self.doubted.or(delta.doubted());
        let delta = &delta;
        let measured = delta.of(Num::RoundTripTimeMeasurements);
        let mean_rtt = Formula::Mean(Num::TotalRoundTripTime, Num::RoundTripTimeMeasurements, 1e3).of(delta);
        // A round-trip time without a new timestamp was reported at this moment.
        let reported = if delta.span_ms() == 0.0 { own.timestamp() } else { remote.timestamp() };
        // A gauge without a measurement repeats the previous one.
        if mean_rtt.is_some() || measured != Some(0.0) {
            self.take_rtt(remote, own, mean_rtt, reported);
        }
        self.take_jitter(remote);
        self.rebase = false;
    }

    /// Takes the losses of a report on a sent stream. The packets that it covers are those since the last report that
    /// counted losses.
    fn take_losses(&mut self, delta: &mut Delta<'_>, own: Entry<'_>) {
        let sent = own.get(Num::PacketsSent);
        let SentLosses { packets, limit, unread } = &mut **self.sent.get_or_insert_default();
        let since = sent.zip(packets.get()).map(|(now, then)| now - then).filter(|&sent| sent >= 0.0);
        let is_confirmed = !limit.awaits_report();
        let lost = limit.losses(delta, own, since);
        if let Some(lost) = lost.filter(|_| !self.rebase) {
            let found = lost.max(0.0);
            let covers_report = is_confirmed && delta.of(Num::PacketsLost).is_some();
            let received = delta.passed(Num::PacketsReceived).filter(|_| covers_report);
            let expected = received.map(|received| found + received).or(since);
            if core::mem::take(&mut self.skips_next_report) {
                unread.at_rest.add(Some(lost));
            } else {
                unread.lost.add(Some(lost));
                unread.covered.add(expected);
                if let Some(expected) = expected {
                    let (found_before, expected_before) = unread.ratio.unwrap_or((0.0, 0.0));
                    unread.ratio = Some((found_before + found, expected_before + expected));
                }
            }
        }
        if delta.entry().get(Num::PacketsLost).is_some() && !limit.awaits_report() {
            *packets = Maybe::new(sent);
        }
    }

    /// Takes the losses of a sent stream since the previous interval: those that count, and those at rest.
    pub(super) fn take_unread(&mut self) -> [LossCount; 2] {
        let unread = self.sent.as_deref_mut().map(|sent| core::mem::take(&mut sent.unread));
        let PendingLosses { lost, covered, at_rest, .. } = unread.unwrap_or_default();
        [LossCount { lost: lost.get(), of: covered.get() }, LossCount { lost: at_rest.get(), of: None }]
    }

    /// Takes the members of reports since the previous interval that are not believed.
    pub(super) fn take_doubted(&mut self) -> Fields {
        core::mem::replace(&mut self.doubted, Fields::NONE)
    }

    /// Notes a reset of the stream's own counters; `from_zero` says whether the traffic counters are among them.
    pub(super) fn restart(&mut self, from_zero: bool) {
        if let Some(sent) = &mut self.sent {
            sent.unread = PendingLosses::default();
        }
        self.rebase |= from_zero;
    }

    /// Notes unmeasured traffic: a report on it must not be part of a measured interval.
    pub(super) fn skip_next_report(&mut self) {
        self.skips_next_report = true;
    }

    /// Notes that packets pass.
    pub(super) fn packets_pass(&mut self) {
        self.sender = None;
    }

    /// Whether the remote endpoint reports that it sends nothing.
    pub(super) fn sender_rests(&self, now: StatTime) -> bool {
        self.sender.is_some_and(|(heard, sends)| !sends && is_held(heard, now))
    }

    /// Whether the remote endpoint reports that it sends, though nothing arrives.
    pub(super) fn sender_sends(&self, now: StatTime) -> bool {
        self.sender.is_some_and(|(heard, sends)| sends && is_held(heard, now))
    }

    /// Fills in loss, jitter and round-trip time, which combine several entries. `received` are the losses of a
    /// received stream.
    pub(super) fn fill(&self, interval: &mut Interval, delta: &Delta<'_>, received: LossCount, has_jitter: bool) {
        let fresh = self.is_fresh(interval.at);
        interval.set(Metric::RttMs, self.rtt_at(interval.at));
        // Without packets, jitter is an old value; jitter of the first packets after a pause is the pause (edge case
        // 22).
        let jitter_ms = match interval.direction {
            Direction::Inbound => delta.entry().get(Num::Jitter).map(|seconds| seconds * 1e3),
            Direction::Outbound => self.jitter_ms.get().filter(|_| fresh),
        };
        interval.set(Metric::JitterMs, jitter_ms.filter(|_| has_jitter));
        let loss = match interval.direction {
            Direction::Inbound => received.lost.zip(received.of).and_then(|(lost, got)| {
                // Late and duplicate packets are subtracted later (edge case 10): loss is never negative.
                let lost = lost.max(0.0);
                Ratio::of(lost, lost + got)
            }),
            Direction::Outbound => {
                let ratio = self.sent.as_ref().and_then(|sent| sent.unread.ratio);
                ratio.and_then(|(lost, expected)| Ratio::of(lost, expected.max(lost)))
            }
        };
        interval.set(Metric::LossRatio, loss.map(Ratio::as_f64));
    }

    /// Takes the mean of the round trips since the previous report, or the latest one if only that is reported: by the
    /// remote endpoint's entry, or by the stream's own (EdgeHTML). A mean that is impossible for a single round trip is
    /// doubted.
    fn take_rtt(&mut self, remote: Entry<'_>, own: Entry<'_>, mean: Option<f64>, at: Option<StatTime>) {
        if mean > Some(MAX_MS) {
            self.doubted.insert(Num::TotalRoundTripTime);
        }
        let measured = remote.get(Num::RoundTripTimeMeasurements) != Some(0.0);
        let gauge = remote.get(Num::RoundTripTime).filter(|_| measured).or_else(|| own.get(Num::RoundTripTime));
        let mean = mean.filter(|&mean| mean <= MAX_MS);
        self.rtt_ms = mean.or(gauge.map(|seconds| seconds * 1e3)).zip(at).or(self.rtt_ms);
    }

    fn take_jitter(&mut self, remote: Entry<'_>) {
        self.jitter_ms = Maybe::new(remote.get(Num::Jitter).map(|seconds| seconds * 1e3));
    }

    /// The latest round-trip time, however old.
    pub(super) fn latest_rtt_ms(&self) -> Option<f64> {
        self.rtt_ms.map(|(rtt_ms, _)| rtt_ms)
    }

    /// The round-trip time, while it is valid.
    fn rtt_at(&self, now: StatTime) -> Option<f64> {
        self.rtt_ms.filter(|&(_, at)| is_held(at, now)).map(|(rtt_ms, _)| rtt_ms)
    }

    /// Whether the latest report is still valid at `now`.
    fn is_fresh(&self, now: StatTime) -> bool {
        self.track.as_ref().is_some_and(|track| is_held(track.at(), now))
    }
}

/// Whether an RTCP figure is still valid. After a clock stepped back, a time in the future is as far away.
fn is_held(at: StatTime, now: StatTime) -> bool {
    now.millis_since(at).abs() <= RTCP_HOLD_MS
}
