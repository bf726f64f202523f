//! Decides whether a reported loss is possible. It does not add losses up.
//!
//! **The rule.** A count of lost packets cannot change by more than could have come since it was last known: for a
//! received stream what its highest packet rate gives in that time, for a sent stream what was sent since the previous
//! report and, not reported as lost before, in the ten seconds before it. A change beyond that, in either direction, is
//! a jump of sequence numbers, an overflow or a wrong value: it is left out and counted, and the next change counts
//! again. If a received stream's count comes back to where it was, its change in between is known. Nor can a count
//! exceed the packets of its stream by a million: then every change of it is left out. If a report on a sent stream
//! counts far more losses than packets were sent since the previous one, and its own `fractionLost` is small, the next
//! report decides: what it takes back was not lost. (A single wild count that is smaller cannot be told from a burst of
//! losses.)

use super::totals::LossCount;
use crate::metric::counter::Delta;
use crate::report::{Entry, Fields, Num};

/// How many times the highest packet rate so far may have come: a stream may get faster while most of it is lost.
const FASTER: f64 = 4.0;
/// Packets per second that may have come besides, and in less than a second, lest the beginning of a slow stream and
/// single losses between two close samples are doubted.
const BASE_PPS: f64 = 100.0;
/// The shortest time over which a packet rate is measured, ms.
const RATE_MS: f64 = 500.0;
/// How long a difference may be, ms, if a clock that stepped back hides it.
const UNKNOWN_SPAN_MS: f64 = 60_000.0;
/// How late the loss of a sent packet may be reported, ms: reports are lost in an outage, too, and the first one after it
/// may have been made before it.
const REPORTED_WITHIN_MS: f64 = 10_000.0;
/// Packets that may be lost besides those that were seen being sent.
const IN_FLIGHT: f64 = 10.0;
/// The factor that makes a number of packets far more than another one: two reports may be missing in between.
const FAR_MORE: f64 = 2.0;
/// The share of packets that makes up most of them.
const MOST: f64 = 0.5;
/// The most by which a count may exceed the packets of its stream, which may have been reset.
const OVERFLOW: f64 = 1e6;
const LOST: Fields = Fields::of(&[Num::PacketsLost]);

/// What limits the losses of a received stream.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct ReceivedLimit {
    /// The highest packet rate so far, per ms.
    fastest: f64,
    /// How long losses have not been reported, ms.
    unreported_ms: f64,
    /// By how much the count is off since it jumped; 0 if it is not.
    jump: f64,
    /// Packets received in the intervals of such jumps: their losses are known when the count is back.
    jump_packets: f64,
    /// Whether a sample had both counts: sums begin there.
    has_base: bool,
    /// Packets received since losses were last known, and losses since packets were.
    pending_packets: f64,
    pending_lost: f64,
}

impl ReceivedLimit {
    /// What limits the losses of a stream whose first sample is `entry`.
    pub(super) fn of(entry: Entry<'_>) -> Self {
        let has_base = [Num::PacketsReceived, Num::PacketsLost].iter().all(|&count| entry.get(count).is_some());
        Self { has_base, ..Self::default() }
    }

    /// The losses of a difference. Impossible ones are doubted; if the count returns later to where it was, the losses
    /// until then are known. `still_ms` is how long nothing has been received before; `counts_repeated` says whether
    /// retransmitted packets are counted.
    pub(super) fn losses(&mut self, delta: &mut Delta<'_>, still_ms: f64, counts_repeated: bool) -> LossCount {
        if delta.is_from_zero() {
            *self = Self { fastest: self.fastest, has_base: true, ..Self::default() };
        }
        let packets = delta.passed(Num::PacketsReceived);
        let repeated = delta.passed(Num::RetransmittedPacketsReceived);
        let counts = [Num::PacketsReceived, Num::PacketsLost, Num::RetransmittedPacketsReceived];
        let counts = counts.get(..if counts_repeated { 3 } else { 2 }).unwrap_or(&counts);
        let covers_interval = counts.iter().all(|&count| delta.of(count).is_some());
        let has_all = counts.iter().all(|&count| delta.entry().get(count).is_some());
        self.pending_packets += packets.unwrap_or(0.0) - repeated.unwrap_or(0.0);
        let lost = self.believed(delta, packets, still_ms);
        self.pending_lost += lost.unwrap_or(0.0);
        if !self.has_base && !covers_interval {
            (self.pending_lost, self.pending_packets) = (0.0, 0.0);
            (self.jump, self.jump_packets) = (0.0, 0.0);
        }
        let is_covered = self.has_base || covers_interval;
        self.has_base |= has_all;
        if lost.is_none() || packets.is_none() || !has_all || !is_covered {
            return LossCount { lost: None, of: None };
        }
        let (lost, of) = (core::mem::take(&mut self.pending_lost), core::mem::take(&mut self.pending_packets));
        LossCount { lost: Some(lost), of: Some(of.max(0.0)) }
    }

    fn believed(&mut self, delta: &mut Delta<'_>, packets: Option<f64>, still_ms: f64) -> Option<f64> {
        let span_ms = if delta.span_ms() < 0.0 { UNKNOWN_SPAN_MS } else { delta.span_ms() };
        let since_ms = self.unreported_ms.max(still_ms) + span_ms;
        let rate = packets.map_or(0.0, |received| received / span_ms.max(RATE_MS));
        self.fastest = self.fastest.max(rate);
        self.unreported_ms = since_ms;
        let lost = delta.passed(Num::PacketsLost)?;
        self.unreported_ms = 0.0;
        let limit = FASTER * self.fastest * since_ms + BASE_PPS / 1e3 * since_ms.max(1e3);
        if self.jump != 0.0 && (self.jump + lost).abs() <= limit {
            self.pending_packets += core::mem::take(&mut self.jump_packets);
            return Some(core::mem::take(&mut self.jump) + lost);
        }
        if lost.abs() <= limit && !overflows(delta.entry(), delta.entry().get(Num::PacketsReceived)) {
            return Some(lost);
        }
        delta.doubt(LOST);
        self.jump += lost;
        self.jump_packets += core::mem::take(&mut self.pending_packets);
        None
    }
}

/// What limits the losses of a sent stream.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct SentLimit {
    /// Packets sent in the last seconds, less those that were reported as lost.
    pending: f64,
    /// Losses that the report which brought them contradicts, until the next one; 0 for none.
    unconfirmed: f64,
}

impl SentLimit {
    /// The losses since the last report whose losses were known. Impossible ones are doubted. `sent` is how many packets
    /// were sent since then, and `own` the stream's entry.
    pub(super) fn losses(&mut self, delta: &mut Delta<'_>, own: Entry<'_>, sent: Option<f64>) -> Option<f64> {
        let new = delta.passed(Num::PacketsLost)?;
        let unconfirmed = core::mem::take(&mut self.unconfirmed);
        let lost = unconfirmed + new;
        let limit = sent.map_or(OVERFLOW, |sent| sent + self.pending + IN_FLIGHT);
        let is_possible = lost.abs() <= limit && !overflows(delta.entry(), own.get(Num::PacketsSent));
        if is_possible && unconfirmed == 0.0 && is_contradicted(delta.entry(), lost, sent) {
            self.unconfirmed = lost;
            return None;
        }
        if !is_possible || unconfirmed > 0.0 && new < -unconfirmed / 2.0 {
            delta.doubt(LOST);
        }
        let lost = Some(lost).filter(|_| is_possible);
        let kept = (1.0 - delta.span_ms().abs() / REPORTED_WITHIN_MS).max(0.0);
        let found = lost.unwrap_or(0.0).max(0.0);
        self.pending = (self.pending * kept + sent.unwrap_or(0.0) - found).max(0.0);
        lost
    }

    /// Whether losses wait for the next report.
    pub(super) fn awaits_report(&self) -> bool {
        self.unconfirmed != 0.0
    }
}

/// Whether a report counts far more packets as lost than were `sent` since the previous one, and says itself that most
/// arrived. It may be true: reports in between may have been lost.
fn is_contradicted(report: Entry<'_>, lost: f64, sent: Option<f64>) -> bool {
    sent.is_some_and(|sent| lost > FAR_MORE * sent + BASE_PPS)
        && report.get(Num::FractionLost).is_some_and(|share| share < MOST)
}

/// Whether a count of lost packets exceeds the packets of its stream by far.
fn overflows(counting: Entry<'_>, packets: Option<f64>) -> bool {
    counting.get(Num::PacketsLost).zip(packets).is_some_and(|(lost, packets)| lost > packets + OVERFLOW)
}
