//! rtcscore (ggarber) and its port to Go (LiveKit): an E-model on R0 = 100 with delay, loss, buffer and bitrate.
//!
//! Known defects of both: R starts at 100, constants have no source, Ie is a line of ln(bitrate) from a regression, and
//! with DTX it is one number. The video score ignores freezes, loss and QP and is based on what its author calls very
//! limited data.

use super::{Window, cubic};

/// The substitute for an unknown round trip or buffer in either project, in milliseconds: read in the port, assumed for
/// the original.
const DELAY_WHEN_UNKNOWN_MS: f64 = 50.0;

/// Inputs of the audio score. Milliseconds and percent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audio {
    pub(crate) loss_percent: f64,
    pub(crate) rtt_ms: f64,
    pub(crate) buffer_ms: f64,
    /// `None` or 0 is unknown.
    pub(crate) bitrate_bps: Option<f64>,
    pub(crate) fec: bool,
    pub(crate) dtx: bool,
    /// Used by the port only.
    pub(crate) red: bool,
}

impl Audio {
    fn delay_ms(&self) -> f64 {
        20.0 + self.buffer_ms + self.rtt_ms / 2.0
    }

    fn ie(&self) -> f64 {
        match self.bitrate_bps.filter(|&bitrate| bitrate > 0.0) {
            _ if self.dtx => 8.0,
            Some(bitrate) => (55.0 - 4.6 * bitrate.ln()).clamp(0.0, 30.0),
            None => 6.0,
        }
    }

    fn mos(&self, bpl: f64, id: f64) -> f64 {
        let (ie, loss) = (self.ie(), self.loss_percent);
        let ie_eff = ie + (100.0 - ie) * loss / (loss + bpl);
        cubic((100.0 - ie_eff - id).clamp(0.0, 100.0)).clamp(1.0, 5.0)
    }

    fn bpl(&self) -> f64 {
        if self.fec { 20.0 } else { 10.0 }
    }

    /// As published, rounded to hundredths.
    ///
    /// Known defect: `0.1 * d - 150` stands where 0.1 · (d − 150) is meant. A delay just above 150 ms gives back 130 of
    /// R, so that any call there scores 4.5, whatever its loss, over hundreds of milliseconds.
    pub(crate) fn published(&self) -> f64 {
        let delay = self.delay_ms();
        let id = 0.03 * delay + if delay > 150.0 { 0.1 * delay - 150.0 } else { 0.0 };
        hundredths(self.mos(self.bpl(), id))
    }

    /// As ported to Go, where the delay term is right and RED has a Bpl of its own. Rounded like the original; its
    /// known values have two digits and do not show whether the port rounds.
    pub(crate) fn go(&self) -> f64 {
        let delay = self.delay_ms();
        let id = 0.03 * delay + if delay > 150.0 { 0.1 * (delay - 150.0) } else { 0.0 };
        hundredths(self.mos(if self.red { 90.0 } else { self.bpl() }, id))
    }

    fn of_window(window: &Window) -> Option<Self> {
        Some(Self {
            loss_percent: window.loss_percent()?,
            rtt_ms: window.rtt_ms.unwrap_or(DELAY_WHEN_UNKNOWN_MS),
            buffer_ms: window.buffer_ms.unwrap_or(DELAY_WHEN_UNKNOWN_MS),
            bitrate_bps: window.bitrate_bps,
            fec: window.fec,
            dtx: window.dtx,
            red: window.red,
        })
    }
}

pub(super) fn published_of_window(window: &Window) -> Option<f64> {
    Some(Audio::of_window(window)?.published())
}

pub(super) fn go_of_window(window: &Window) -> Option<f64> {
    Some(Audio::of_window(window)?.go())
}

/// Inputs of the video score. Milliseconds, bits and frames per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Video<'a> {
    pub(crate) bitrate_bps: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) fps: f64,
    pub(crate) expected_fps: f64,
    pub(crate) rtt_ms: f64,
    pub(crate) buffer_ms: f64,
    /// In lower case, as `vp8`.
    pub(crate) codec: &'a str,
}

impl Video<'_> {
    /// As published, rounded to hundredths; only VP9 counts more than other codecs.
    pub(crate) fn published(&self) -> f64 {
        hundredths(self.mos(if self.codec == "vp9" { 1.2 } else { 1.0 }))
    }

    /// As ported to Go, unrounded; AV1 has a factor, too.
    pub(crate) fn go(&self) -> f64 {
        self.mos(match self.codec {
            "vp9" => 1.2,
            "av1" => 1.43,
            _ => 1.0,
        })
    }

    fn mos(&self, codec_factor: f64) -> f64 {
        if self.fps < 1.0 {
            return 1.0;
        }
        let bits_per_pixel = codec_factor * self.bitrate_bps / (self.width * self.height) / self.fps;
        let base = (0.56 * bits_per_pixel.ln() + 5.36).clamp(1.0, 5.0);
        let delay = self.buffer_ms + self.rtt_ms / 2.0;
        (base - 1.9 * (self.expected_fps / self.fps).ln() - 0.002 * delay).clamp(1.0, 5.0)
    }
}

fn hundredths(mos: f64) -> f64 {
    (100.0 * mos).round() / 100.0
}
