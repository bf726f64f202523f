//! What a stream was doing during an interval: the evidence, and the verdict.

use crate::id::{Direction, MediaKind};
use crate::metric::counter::Delta;
use crate::metric::{Interval, IntervalState, Metric};
use crate::report::Flag;

/// Nothing sent or received for this long is a pause; below, it may be silence between two packets of DTX.
pub(super) const STILL_MS: f64 = 900.0;
/// Fewer packets per second than any audio frame length makes (120 ms, RFC 6716) are DTX.
const DTX_BELOW_PPS: f64 = 1_000.0 / 120.0;
/// Louder than this (−40 dBov) is speech, however few packets carry it.
const DTX_BELOW_LEVEL: f64 = 0.01;

/// What stands beside a stream's own figures and helps to tell what it was doing.
pub(super) struct Context {
    /// Nobody looked for long.
    pub(super) gap: bool,
    /// Nothing has passed for [`STILL_MS`].
    pub(super) still: bool,
    pub(super) playout_stands: bool,
    /// The other end says that it sends nothing.
    pub(super) sender_rests: bool,
    /// The level of the source of a stream that is sent.
    pub(super) source_level: Option<f64>,
    /// Packets pass as in DTX.
    pub(super) few_packets: bool,
}

/// How many packets are sent, over about a second: a shorter look cannot tell few packets from none.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Pace {
    packets: f64,
    ms: f64,
    /// The rate over the last stretch that was long enough.
    pps: Option<f64>,
}

/// What the stream was doing, as far as its own, its source's and its sender's figures tell.
pub(super) fn state_of(delta: &Delta<'_>, interval: &Interval, context: &Context) -> IntervalState {
    let audio = interval.kind == Some(MediaKind::Audio);
    if context.gap {
        return IntervalState::Gap;
    }
    if delta.entry().flag(Flag::Active) == Some(false) {
        return IntervalState::Paused;
    }
    match interval.direction {
        Direction::Outbound if context.still => IntervalState::Paused,
        Direction::Inbound if context.still && context.playout_stands => IntervalState::Held,
        Direction::Inbound if context.still && context.sender_rests => IntervalState::Paused,
        _ if audio && context.few_packets && is_quiet(interval) => IntervalState::Silent,
        Direction::Outbound if audio && context.source_level == Some(0.0) => IntervalState::Muted,
        _ => IntervalState::Active,
    }
}

impl Pace {
    /// Takes note of an interval, and says whether so few packets are sent, and some, that they are DTX.
    pub(super) fn are_few(&mut self, packets: Option<f64>, span_ms: f64) -> bool {
        let Some(packets) = packets else { return false };
        self.packets += packets;
        self.ms += span_ms;
        let mut under_way = self.packets;
        if self.ms >= STILL_MS {
            self.pps = Some(self.packets / (self.ms / 1e3));
            (self.packets, self.ms, under_way) = (0.0, 0.0, 0.0);
        }
        self.pps.is_some_and(|pps| pps > 0.0 && pps < DTX_BELOW_PPS) && under_way < DTX_BELOW_PPS * STILL_MS / 1e3
    }
}

/// Whether nothing loud was there, as far as anybody measured.
fn is_quiet(interval: &Interval) -> bool {
    interval.get(Metric::Level).is_none_or(|level| level < DTX_BELOW_LEVEL)
}
