//! OpenTok network test and opentok-mos-estimator: Cole and Rosenbluth with the slopes of iLBC, and a video score from
//! bitrate and resolution.

use super::{Window, cole_rosenbluth_idd, cubic};

/// Stand-in for a delay that is never measured, and a frame, in milliseconds.
const DELAY_MS: f64 = 150.0 + 30.0;
/// Bitrate in bits per second below which video has the lowest score.
const MIN_VIDEO_BITRATE: f64 = 30e3;

/// MOS from a loss ratio of 0 to 1.
///
/// Known defects: delay and jitter are constants, Ie is 0 for every codec, and loss is assumed to be random.
pub(crate) fn audio_mos(loss_ratio: f64) -> f64 {
    let r = 93.2 - cole_rosenbluth_idd(DELAY_MS) - 19.8 * (29.7 * loss_ratio.max(0.0)).ln_1p();
    if r < 0.0 { 1.0 } else { cubic(r) }
}

/// MOS from bits per second and the pixels of a frame, 1 to 4.5.
///
/// Known defects: frame rate, codec, freezes and loss have no effect.
pub(crate) fn video_mos(bitrate_bps: f64, pixels: f64) -> f64 {
    if bitrate_bps < MIN_VIDEO_BITRATE {
        return 1.0;
    }
    let target = 10_f64.powf(2.069_924_867 * pixels.log10().powf(0.625_022_377_1));
    let of_bitrate = (bitrate_bps.min(target) / MIN_VIDEO_BITRATE).ln() / (target / MIN_VIDEO_BITRATE).ln();
    (4.0 * of_bitrate + 1.0).min(4.5)
}

/// 1 where packets are counted and none was sent, like the network test.
pub(super) fn of_window(window: &Window) -> Option<f64> {
    match (window.packets_lost, window.packets_received) {
        (Some(lost), Some(received)) if lost + received == 0.0 => Some(1.0),
        _ => Some(audio_mos(window.loss_percent()? / 100.0)),
    }
}
