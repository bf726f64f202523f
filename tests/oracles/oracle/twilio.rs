//! Twilio voice.js: the two lines of PingPlotter with 2.5 R per percent of loss.
//!
//! Known defects: R starts at 94.768, which is Ro without Is, 1.56 above a clean call; the whole round trip counts as
//! delay, plus twice the jitter; loss is a line; and R falls from 6.52 to 0 at once where loss reaches R / 2.5.
//! delay, and jitter twice on top of it; loss is a line; and R falls from 6.52 to 0 at once where loss reaches R / 2.5.

use super::{Window, cubic, two_lines};

const R0: f64 = 94.768;

/// MOS from a round trip and a jitter in milliseconds and a loss in percent.
pub(crate) fn mos(rtt_ms: f64, jitter_ms: f64, loss_percent: f64) -> f64 {
    let latency = rtt_ms + 2.0 * jitter_ms + 10.0;
    let r = if latency < 1_000.0 { R0 - two_lines(latency) } else { 0.0 };
    // At 6.52 the cubic returns to 1.
    cubic(if loss_percent <= r / 2.5 { (r - 2.5 * loss_percent).max(6.52) } else { 0.0 })
}

/// `None` unless all three are known, like voice.js.
pub(super) fn of_window(window: &Window) -> Option<f64> {
    Some(mos(window.rtt_ms?, window.jitter_ms?, window.loss_percent()?))
}
