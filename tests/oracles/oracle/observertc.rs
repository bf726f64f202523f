//! ObserveRTC client monitor: a track score from bitrate and losses, and a MOS from latency.
//!
//! Its `mosScores` repeats rtcscore as published, see [`super::rtcscore`].

use super::{Window, cubic};

/// Default polling interval of the client monitor.
const POLL_SECONDS: f64 = 2.0;
/// Bitrates of the lowest and the full score.
const MIN_AUDIO_BITRATE: f64 = 6e3;
const TARGET_AUDIO_BITRATE: f64 = 32e3;

/// Score of a received audio track, 0 to 5, rounded to hundredths; `None` without bitrate.
///
/// Known defects: losses are counted per poll, not as a share, so that more frequent polling improves the score; two
/// losses cost more than half of the score; and pauses under DTX look like a bad link.
pub(crate) fn audio_score(bitrate_bps: f64, lost_in_poll: f64) -> Option<f64> {
    if bitrate_bps <= 0.0 {
        return None;
    }
    let of_bitrate = (bitrate_bps.max(MIN_AUDIO_BITRATE) / MIN_AUDIO_BITRATE).log10()
        / (TARGET_AUDIO_BITRATE / MIN_AUDIO_BITRATE).log10();
    let score = (5.0 * of_bitrate * (-lost_in_poll / 2.0).exp()).clamp(0.0, 5.0);
    Some((100.0 * score).round() / 100.0)
}

/// MOS from milliseconds and percent, not clamped to the scale.
///
/// Known defects: above 160 ms the latency is divided by 120 and R reduced by 10, where 120 should be subtracted and
/// the rest divided by 10: delay costs almost nothing. Without bounds, 45, 60 and 70 % loss are 1.62, 6.34 and 12.98.
/// 6.34 and 12.98.
pub(crate) fn latency_mos(rtt_ms: f64, jitter_ms: f64, loss_percent: f64) -> f64 {
    let latency = rtt_ms + 2.0 * jitter_ms + 10.0;
    let of_delay = if latency < 160.0 { latency / 40.0 } else { latency / 120.0 + 10.0 };
    cubic(93.2 - of_delay - 2.5 * loss_percent)
}

fn steps(value: f64, first: f64, second: f64) -> f64 {
    if value > second {
        2.0
    } else if value > first && value < second {
        1.0
    } else {
        0.0
    }
}

/// Score of a received video track for one poll, 0 to 5: 5 minus steps for unsteady frame rate (root mean square of the
/// last frame rates over their running mean), dropped frames (share of dropped and rendered) and corruption (mean
/// probability).
///
/// Known defects: resolution, bitrate and freezes have no effect, and a value exactly on a step between two costs
/// nothing.
pub(crate) fn video_score(fps_volatility: f64, dropped_ratio: f64, corruption: f64) -> f64 {
    (5.0 - steps(fps_volatility, 1.1, 1.2) - steps(dropped_ratio, 0.1, 0.2) - 2.0 * corruption).max(0.0)
}

/// Stability of a peer connection for one poll, 0 to 5, from milliseconds and a loss of 0 to 1. It scales the scores of
/// the tracks.
///
/// Known defect: 0, the worst value, is treated as no score and shows nothing.
pub(crate) fn stability(rtt_ms: f64, loss_ratio: f64) -> f64 {
    let of_delay = match rtt_ms {
        rtt if rtt > 300.0 => 2.0,
        rtt if rtt > 150.0 => 1.0,
        _ => 0.0,
    };
    let of_loss = match loss_ratio {
        loss if loss <= 0.01 => 0.0,
        loss if loss < 0.05 => 1.0,
        loss if loss < 0.2 => 2.0,
        _ => 5.0,
    };
    f64::max(0.0, 5.0 - of_delay - of_loss)
}

/// From the losses of the mean poll.
pub(super) fn audio_of_window(window: &Window) -> Option<f64> {
    let lost = window.lost()?;
    if window.seconds <= 0.0 {
        return None;
    }
    audio_score(window.bitrate_bps?, lost * POLL_SECONDS / window.seconds)
}

pub(super) fn latency_of_window(window: &Window) -> Option<f64> {
    Some(latency_mos(window.rtt_ms?, window.jitter_ms?, window.loss_percent()?))
}
