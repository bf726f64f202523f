//! Decides the state of a stream during an interval: active, silent, muted, held, paused, lost or a gap. It scores
//! nothing, and knows neither resets nor what the application reports.

use crate::id::{Direction, MediaKind};
use crate::maybe::Maybe;
use crate::metric::{Interval, IntervalState, Metric};

/// The shortest time without packets that counts as a pause; a shorter one may be silence between two packets of DTX.
pub(super) const STILL_MS: f64 = 900.0;
/// Fewer packets per second than the longest audio frame produces (120 ms, RFC 6716) mean DTX.
const DTX_BELOW_PPS: f64 = 1_000.0 / 120.0;
/// Audio above this level (−40 dBov) is speech, however few packets carry it.
const DTX_BELOW_LEVEL: f64 = 0.01;

/// Evidence of the stream's state besides its own figures.
pub(super) struct Context {
    /// The interval is a gap.
    pub(super) gap: bool,
    /// The connection is lost, and nothing passes.
    pub(super) is_lost: bool,
    /// Nothing has passed for [`STILL_MS`].
    pub(super) still: bool,
    pub(super) is_playout_stopped: bool,
    /// The sender reports the stream as inactive.
    pub(super) is_inactive: bool,
    /// The remote endpoint reports that it sends nothing.
    pub(super) sender_rests: bool,
    /// The level of a sent stream's source.
    pub(super) source_level: Option<f64>,
    /// The packet rate is one of DTX.
    pub(super) few_packets: bool,
}

/// The packet rate over about a second: a shorter interval cannot distinguish few packets from none.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Pace {
    packets: f64,
    ms: f64,
    /// The rate over the last window that was long enough.
    pps: Maybe,
}

/// The state of the stream, from its own, its source's and its sender's figures.
pub(super) fn state_of(interval: &Interval, context: &Context) -> IntervalState {
    let audio = interval.kind == Some(MediaKind::Audio);
    if context.gap {
        return IntervalState::Gap;
    }
    if context.is_lost {
        return IntervalState::Lost;
    }
    if context.is_inactive {
        return IntervalState::Paused;
    }
    match interval.direction {
        Direction::Outbound if context.still => IntervalState::Paused,
        Direction::Inbound if context.still && context.is_playout_stopped => IntervalState::Held,
        Direction::Inbound if context.still && context.sender_rests => IntervalState::Paused,
        _ if audio && context.few_packets && is_quiet(interval) => IntervalState::Silent,
        Direction::Outbound if audio && context.source_level == Some(0.0) => IntervalState::Muted,
        _ => IntervalState::Active,
    }
}

impl Pace {
    /// Takes an interval. Returns whether packets are sent, but so few that they mean DTX.
    pub(super) fn are_few(&mut self, packets: Option<f64>, span_ms: f64) -> bool {
        let Some(packets) = packets else { return false };
        self.packets += packets;
        self.ms += span_ms;
        let mut under_way = self.packets;
        if self.ms >= STILL_MS {
            self.pps = Maybe::new(Some(self.packets / (self.ms / 1e3)));
            (self.packets, self.ms, under_way) = (0.0, 0.0, 0.0);
        }
        self.pps.get().is_some_and(|pps| pps > 0.0 && pps < DTX_BELOW_PPS) && under_way < DTX_BELOW_PPS * STILL_MS / 1e3
    }
}

/// Whether no loud audio was measured.
fn is_quiet(interval: &Interval) -> bool {
    interval.get(Metric::Level).is_none_or(|level| level < DTX_BELOW_LEVEL)
}
