//! webrtc-issue-detector: the two lines of PingPlotter for a whole connection.
//!
//! Known defects: audio and video are pooled into one number; the whole round trip counts as delay, plus twice the
//! jitter; an unknown round trip is 0; loss is rounded to whole percents; and R has no lower end, so that the cubic
//! turns upwards: the score rises above 38 % loss and is 5 from about 60 %.

use super::{Window, cubic, two_lines};

/// MOS, 0 to 5, of milliseconds and whole percents.
pub(crate) fn mos(rtt_ms: f64, jitter_ms: f64, loss_percent: f64) -> f64 {
    let r = 93.2 - two_lines(rtt_ms + 2.0 * jitter_ms + 10.0) - 2.5 * loss_percent;
    cubic(r).clamp(0.0, 5.0)
}

/// For the audio alone, as a connection that carries nothing else.
pub(super) fn of_window(window: &Window) -> Option<f64> {
    let loss_percent = (window.loss_percent()? + 0.5).floor(); // halves up, like `Math.round`
    Some(mos(window.rtt_ms.unwrap_or(0.0), window.jitter_ms?, loss_percent))
}
