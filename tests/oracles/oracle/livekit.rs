//! LiveKit server: connection quality, 0 to 100, from the counters of the SFU.
//!
//! Only the packet score: the bitrate and layer scores rate video, and the smoothing over windows (0.4 up, 0.8 down,
//! never below 30) and the lighter weight of loss when DTX sends fewer packets than usual need the windows before.
//!
//! Known defects: no concealment; a muted stream is 100; the most frequent packet rate, on which the weight under DTX
//! is based, is found by comparing a count with an index.

use super::Window;

/// Points per percent of loss, by repair mechanism.
pub(crate) fn loss_weight(red: bool, fec: bool) -> f64 {
    let weight = if red { 4.0 } else { 8.0 };
    if fec { weight / 1.5 } else { weight }
}

/// 0 to 100; above 80 is excellent, above 40 good, above 20 poor. Milliseconds and percent, the largest round trip and
/// jitter of the window.
pub(crate) fn packet_score(rtt_ms: f64, jitter_ms: f64, loss_percent: f64, loss_weight: f64) -> f64 {
    let delay = rtt_ms / 2.0 + 2.0 * jitter_ms;
    // The two lines meet at 160 ms, so that either side may have it.
    let of_delay = super::two_lines(delay);
    (100.0 - of_delay - loss_weight * loss_percent).max(0.0)
}

/// From mean round trip and jitter, as a window has no maximum. The server treats unknown values as 0.
pub(super) fn of_window(window: &Window) -> Option<f64> {
    let weight = loss_weight(window.red, window.fec);
    let (rtt_ms, jitter_ms) = (window.rtt_ms.unwrap_or(0.0), window.jitter_ms.unwrap_or(0.0));
    Some(packet_score(rtt_ms, jitter_ms, window.loss_percent()?.max(0.0), weight))
}
