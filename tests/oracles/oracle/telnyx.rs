//! Telnyx: two formulas, one for the test before a call, one for the report of a call.

use super::{Window, cole_rosenbluth_idd, cubic};

/// MOS of the test before a call, 1 to 5; `None` without packets.
///
/// Known defects: jitter counts as delay beside half of the round trip, and 20 ln(1 + loss in percent) is steep at
/// first: 15 % loss is 1.96, where listeners gave 2.7 to 3.0.
pub(crate) fn mos(rtt_ms: f64, jitter_ms: f64, received: f64, lost: f64) -> Option<f64> {
    let all = received + lost;
    if all <= 0.0 {
        return None;
    }
    let idd = cole_rosenbluth_idd(jitter_ms + rtt_ms / 2.0);
    let r = 93.2 - idd - 20.0 * (100.0 * lost / all).ln_1p();
    // A loss below −1 %, from late packets taken back, has no logarithm.
    Some(cubic(r).clamp(1.0, 5.0)).filter(|mos| mos.is_finite())
}

/// MOS for the warnings of a call's report, 1 to 4.5, from milliseconds and percent.
///
/// Known defects: jitter takes 0.11 of R per millisecond although the buffer absorbs it, delay and loss are lines, and
/// below R = 0 the score rises again.
pub(crate) fn call_report(rtt_ms: f64, jitter_ms: f64, loss_percent: f64) -> f64 {
    cubic(93.2 - 0.11 * jitter_ms - 2.5 * loss_percent - 0.01 * rtt_ms).clamp(1.0, 4.5)
}

pub(super) fn of_window(window: &Window) -> Option<f64> {
    // Only the ratio of the counts matters.
    let loss_percent = window.loss_percent()?;
    mos(window.rtt_ms?, window.jitter_ms?, 100.0 - loss_percent, loss_percent)
}

/// `None` unless all three are known, like the collector.
pub(super) fn call_report_of_window(window: &Window) -> Option<f64> {
    Some(call_report(window.rtt_ms?, window.jitter_ms?, window.loss_percent()?))
}
