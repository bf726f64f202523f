//! The cost of coding: by the quantizer if its scale is known, else by bits per pixel. It knows nothing of frame rates
//! or freezes.

use alloc::borrow::Cow;

use crate::emodel::scale;

/// A codec's quantizer scale, and its coding efficiency.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoCodec {
    name: Cow<'static, str>,
    quantizer: Option<QuantizerScale>,
    gain: f64,
}

/// The scale of a quantizer with the two thresholds of libwebrtc's quality scaler for it: below `low` the encoder may
/// send larger pictures, above `high` it must send smaller ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct QuantizerScale {
    low: f64,
    high: f64,
    most: f64,
}

impl VideoCodec {
    /// A codec by its encoding name, without `video/`. Its quantizer scale is unknown, and its bits are worth those of
    /// VP8 and H.264.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), quantizer: None, gain: 1.0 }
    }

    /// Sets the scale of its quantizer, as `qpSum` counts it: up to `most`, good at `low`, fair at `high`. Unless 0 <
    /// low < high < most the scale stays unknown.
    #[must_use]
    pub fn with_quantizer(mut self, low: f64, high: f64, most: f64) -> Self {
        let rises = 0.0 < low && low < high && high < most && most.is_finite();
        self.quantizer = rises.then_some(QuantizerScale { low, high, most });
        self
    }

    /// Sets how many bits of VP8 or H.264 one of its bits is worth, 0.1 to 10. NaN is ignored.
    #[must_use]
    pub fn with_gain(mut self, gain: f64) -> Self {
        if !gain.is_nan() {
            self.gain = gain.clamp(0.1, 10.0);
        }
        self
    }

    pub(super) const fn quantizer(&self) -> Option<QuantizerScale> {
        self.quantizer
    }

    pub(super) const fn gain(&self) -> f64 {
        self.gain
    }

    const fn built_in(name: &'static str, low: f64, high: f64, most: f64, gain: f64) -> Self {
        Self { name: Cow::Borrowed(name), quantizer: Some(QuantizerScale { low, high, most }), gain }
    }
}

/// The codecs of WebRTC. Thresholds: libwebrtc's software encoders for VP8 and VP9, its H.264 encoders, and a hardware
/// encoder for AV1, the only published pair; H.265 counts like H.264. Gains: ggarber/rtcscore (VP9) and
/// livekit/rtcscore-go (AV1); that of H.265 is between them, as its date is.
static BUILT_IN: [VideoCodec; 7] = [
    VideoCodec::built_in("VP8", 29.0, 95.0, 127.0, 1.0),
    VideoCodec::built_in("H264", 24.0, 37.0, 51.0, 1.0),
    VideoCodec::built_in("VP9", 149.0, 205.0, 255.0, 1.2),
    VideoCodec::built_in("AV1", 145.0, 205.0, 255.0, 1.43),
    VideoCodec::built_in("AV1X", 145.0, 205.0, 255.0, 1.43),
    VideoCodec::built_in("H265", 24.0, 37.0, 51.0, 1.4),
    VideoCodec::built_in("HEVC", 24.0, 37.0, 51.0, 1.4),
];

/// Finds a codec by its name in getStats (`video/VP8`) or SDP (`VP8`), first among the added ones, then among the
/// built-in ones.
pub(super) fn find<'a>(added: &'a [VideoCodec], name: &str) -> Option<&'a VideoCodec> {
    let name = name.rsplit('/').next().unwrap_or(name);
    added.iter().chain(&BUILT_IN).find(|codec| codec.name.eq_ignore_ascii_case(name))
}

/// MOS by quantizer, MOS = a − b·e^(k·q), with q the quantizer on a common scale of 0 to 1.
///
/// The shape and the first values are those of ITU-T P.1203.1 for H.264, where q is QP / 51. Every codec's own scale
/// maps to q in three straight pieces, so that the thresholds of its quality scaler get the same two opinions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct QuantizerCurve {
    a: f64,
    b: f64,
    k: f64,
    /// The thresholds on the common scale.
    q_low: f64,
    q_high: f64,
}

impl QuantizerCurve {
    /// Good, 4.2, at the lower threshold and fair, 3.3, at the upper one.
    pub(super) const fn new() -> Self {
        Self { a: 4.66, b: 0.07, k: 4.06, q_low: 0.463_726_908_234_921_63, q_high: 0.730_725_304_601_167_2 }
    }

    /// Another curve, with `low` and `high` as the opinions at the thresholds. `None` unless b and k are positive and 1
    /// ≤ high < low, both reached at a q between 0 and 1.
    pub(super) fn of(a: f64, b: f64, k: f64, (low, high): (f64, f64)) -> Option<Self> {
        let (q_low, q_high) = (libm::log((a - low) / b) / k, libm::log((a - high) / b) / k);
        let fits = b > 0.0 && k > 0.0 && high >= 1.0 && 0.0 < q_low && q_low < q_high && q_high < 1.0;
        fits.then_some(Self { a, b, k, q_low, q_high })
    }

    /// The cost of a quantizer in points of 100, 0 to 93.5. `None` outside the scale.
    pub(super) fn points(&self, qp: f64, scale: QuantizerScale) -> Option<f64> {
        let QuantizerScale { low, high, most } = scale;
        if !(0.0..=most).contains(&qp) {
            return None;
        }
        let q = if qp <= low {
            interpolate(qp, (0.0, low), (0.0, self.q_low))
        } else if qp <= high {
            interpolate(qp, (low, high), (self.q_low, self.q_high))
        } else {
            interpolate(qp, (high, most), (self.q_high, 1.0))
        };
        let mos = (self.a - self.b * libm::exp(self.k * q)).clamp(1.0, 4.5);
        scale::r_from_mos(mos).map(|rx| 100.0 - rx)
    }
}

/// Maps `x` linearly from one range to another.
fn interpolate(x: f64, (from, to): (f64, f64), (at_from, at_to): (f64, f64)) -> f64 {
    at_from + (x - from) / (to - from) * (at_to - at_from)
}

/// Points by bits per pixel and frame: 100 / (1 + (bits · gain / half)^slope).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BitsCurve {
    pub(super) half: f64,
    pub(super) slope: f64,
}

impl BitsCurve {
    /// Fitted through two points of ggarber/rtcscore's regression, 0.56·ln(bits) + 5.36: MOS 4.07 at 0.1 bits and 3.17
    /// at 0.02. In between they differ by less than 0.1, and at 0.005 to 0.2 by less than 0.35; further out a
    /// regression without a ceiling or a floor is not usable.
    pub(super) const fn new() -> Self {
        Self { half: 0.009_65, slope: 0.626 }
    }

    /// The odds: the rest over the cost. `bits` must be positive or 0.
    pub(super) fn odds(&self, bits: f64) -> f64 {
        libm::exp(self.slope * libm::log(bits / self.half))
    }
}

/// Points of 100 at odds.
pub(super) fn points_of(odds: f64) -> f64 {
    100.0 / (1.0 + odds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn the_threshold_constants_match_the_curve() {
        let (written, curve) = (QuantizerCurve::new(), QuantizerCurve::new());
        let computed = QuantizerCurve::of(curve.a, curve.b, curve.k, (4.2, 3.3)).unwrap();
        assert!((written.q_low - computed.q_low).abs() < 1e-12, "{computed:?}");
        assert!((written.q_high - computed.q_high).abs() < 1e-12, "{computed:?}");
    }

    #[test]
    fn impossible_curves_and_scales_are_refused() {
        assert_eq!(QuantizerCurve::of(f64::NAN, 0.07, 4.06, (4.2, 3.3)), None);
        assert_eq!(QuantizerCurve::of(4.66, -0.07, 4.06, (4.2, 3.3)), None);
        assert_eq!(QuantizerCurve::of(4.66, 0.07, 4.06, (3.3, 4.2)), None);
        for (low, high, most) in [(0.0, 10.0, 20.0), (10.0, 10.0, 20.0), (10.0, 30.0, 20.0), (f64::NAN, 1.0, 2.0)] {
            assert_eq!(VideoCodec::new("X").with_quantizer(low, high, most).quantizer(), None);
        }
    }

    #[test]
    fn the_bits_curve_follows_the_regression_in_its_range() {
        let mos_of = |bits| scale::mos(100.0 - points_of(BitsCurve::new().odds(bits)));
        let regression = |bits: f64| 0.56 * libm::log(bits) + 5.36;
        let off: Vec<f64> =
            [0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.2].iter().map(|&b| mos_of(b) - regression(b)).collect();
        assert!(off.iter().all(|off| off.abs() < 0.35), "{off:?}");
        assert!(off[2..7].iter().all(|off| off.abs() < 0.1), "{off:?}");
    }

    #[test]
    fn an_added_codec_comes_first_and_case_does_not_matter() {
        let added = [VideoCodec::new("vp8").with_gain(2.0)];
        assert_eq!(find(&added, "video/VP8").map(VideoCodec::gain), Some(2.0));
        assert_eq!(find(&[], "video/h264").map(VideoCodec::gain), Some(1.0));
        assert_eq!(find(&[], "h266"), None);
    }
}
