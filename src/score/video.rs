//! Scores video and shared screens: coding, upscaling and frame rate cost points, and corruption and freezes scale the
//! rest. It reads [`VideoInputs`] only, and never a stream.
//!
//! Rx = (100 − Coding − Upscaling − FrameRate) · (1 − p) · f, and MOS by the curve of every other score
//! ([`mos_of`](super::mos_of)).
//!
//! | term | from |
//! |---|---|
//! | Coding | the mean quantizer on its codec's scale; without one, bits per pixel and frame, scaled by the codec's efficiency |
//! | Upscaling | how much longer the edges of the display are than those of the coded picture |
//! | FrameRate | frames per second relative to the source's, at most 24 |
//! | p | the probability that a displayed frame was corrupted |
//! | f | freezes, by the shape and with the constants of ITU-T P.1203.3 equation 29: e^(−N/9.35) · e^(−(T/D)/0.92) |
//!
//! f and p are factors on the rest and not points, so that the worst picture does not become worse by freezing.
//! [`Score::parts`] still contains the cost of each, and the parts sum up to the missing points.
//!
//! There is no standard for WebRTC video: G.1070 ends at VGA, P.1203 describes streams that stall to be complete. All
//! constants but those of f are ours; [`VideoModel`] states which and why, and all can be set.
//!
//! ```
//! use callgauge::score::video::{VideoInputs, VideoModel};
//! use callgauge::score::{Cause, Model, Tier};
//! use callgauge::unit::Ratio;
//!
//! let mut inputs = VideoInputs::new();
//! inputs.codec = Some("VP8");
//! inputs.qp = Some(29.0);
//! inputs.frames_per_second = Some(30.0);
//! inputs.frozen = Ratio::new(0.0);
//! inputs.freezes_per_10_s = Some(0.0);
//! let score = VideoModel::new().score(&inputs)?;
//! assert_eq!(format!("{:.1}", score.mos()), "4.2");
//! assert_eq!((score.tier, score.cause), (Tier::V1, Some(Cause::Coding)));
//!
//! // One freeze of a second in ten.
//! inputs.frozen = Ratio::new(0.1);
//! inputs.freezes_per_10_s = Some(1.0);
//! let frozen = VideoModel::new().score(&inputs)?;
//! assert_eq!(format!("{:.1} {:?}", frozen.mos(), frozen.cause), "3.5 Some(Freezes)");
//! # Ok::<(), callgauge::score::NoScore>(())
//! ```

mod coding;
mod window;

pub use coding::VideoCodec;
pub use window::VideoWindow;

use alloc::vec::Vec;

use super::evidence::{Cause, Input, Inputs, Origin, Parts};
use super::model::{Model, ModelId, MosScale, NoScore, Score, Tier, held};
use crate::unit::{Bitrate, Ratio, Rx};
use coding::{BitsCurve, QuantizerCurve};

/// The figures of a video stream over a window. Any of them may be unknown; an impossible value, such as a negative
/// size, counts as unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct VideoInputs<'a> {
    /// The codec, as getStats spells its `mimeType` or SDP its encoding name.
    pub codec: Option<&'a str>,
    /// Mean quantizer of the frames, on the codec's own scale.
    pub qp: Option<f64>,
    /// Payload bits per second while frames arrived, without freezes.
    pub bitrate: Option<Bitrate>,
    /// Width of the coded picture, pixels.
    pub width: Option<f64>,
    /// Height of the coded picture, pixels.
    pub height: Option<f64>,
    /// Displayed width, pixels of the screen.
    pub display_width: Option<f64>,
    /// Displayed height, pixels of the screen.
    pub display_height: Option<f64>,
    /// The largest width that the stream had, pixels: used if the displayed width is unknown.
    pub largest_width: Option<f64>,
    /// The largest height that the stream had, pixels.
    pub largest_height: Option<f64>,
    /// Frames per second while frames arrived, without freezes.
    pub frames_per_second: Option<f64>,
    /// Frames per second of the camera or the shared screen.
    pub source_frames_per_second: Option<f64>,
    /// Fraction of the window in freezes, an ongoing one included.
    pub frozen: Option<Ratio>,
    /// Freezes in 10 s, an ongoing one included.
    pub freezes_per_10_s: Option<f64>,
    /// Whether frames were due during freezes: data arrived, or was requested again. Used for screens only, which stand
    /// still when nothing changes.
    pub pending_data: Option<bool>,
    /// The probability that a displayed frame was corrupted.
    pub corruption: Option<Ratio>,
    /// Whether it is a shared screen.
    pub screen: bool,
    /// Amount of visible media, ms; `None` if the figures stand for any duration.
    pub active_ms: Option<f64>,
}

impl VideoInputs<'_> {
    /// All figures unknown.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            codec: None,
            qp: None,
            bitrate: None,
            width: None,
            height: None,
            display_width: None,
            display_height: None,
            largest_width: None,
            largest_height: None,
            frames_per_second: None,
            source_frames_per_second: None,
            frozen: None,
            freezes_per_10_s: None,
            pending_data: None,
            corruption: None,
            screen: false,
            active_ms: None,
        }
    }

    /// Pixels of the coded picture.
    fn coded_pixels(&self) -> Option<f64> {
        area(self.width, self.height)
    }

    /// Bits per pixel and frame. `None` unless rate, size and a frame rate above 0 are known.
    fn bits_per_pixel(&self) -> Option<f64> {
        let frames = rate(self.frames_per_second).filter(|&frames| frames > 0.0)?;
        Some(self.bitrate?.as_bps() / self.coded_pixels()? / frames)
    }
}

/// The default video model.
///
/// Its constants, in points of 100:
///
/// | constant | value | reason | set by |
/// |---|---|---|---|
/// | a, b, k of the quantizer's curve | 4.66, 0.07, 4.06 | shape and first values of P.1203.1, which has them for H.264; none are published for VP8, VP9 and AV1 | [`with_quantizer_curve`](Self::with_quantizer_curve) |
/// | opinions at a quality scaler's thresholds | 4.2, 3.3 | the values of that curve at H.264's 24 and 37, ±0.03; other codecs are fitted to the same opinions, because their thresholds mean the same | likewise |
/// | half, slope of the curve by bits | 0.00965, 0.626 | through two points of ggarber/rtcscore's regression; this curve is bounded, the regression is not | [`with_bits_curve`](Self::with_bits_curve) |
/// | upscaling to twice the edges | 21 | the distance between a quality scaler's two thresholds: an encoder that exceeds the upper one halves the edges and ends near the lower one, which gains nothing. Other factors follow P.1203.1's shape, a logarithm of the area | [`with_upscaling`](Self::with_upscaling) |
/// | cost of frame rate at 15, 7 and 0 of 24 per second | 5, 16, 50 | little above 15, where lips still match speech; between, so that bit rates and frame rates rank as in G.1070; from 7 down, which Microsoft's Call Quality Dashboard calls poor, video is a sequence of stills | [`with_frame_rate`](Self::with_frame_rate) |
/// | smooth | 24 (3 for screens) per second | film; scrolled pages | [`with_smooth`](Self::with_smooth) |
/// | freezes per 10 s, fraction frozen | 9.35158684, 0.91890815 | P.1203.3 equation 29; N counts freezes in 10 s because a conversation tolerates nothing longer | [`with_freezes`](Self::with_freezes) |
/// | weight of coding and of upscaling on screens | 1.25, 1.5 | letters have edges one pixel wide: blur that hardly harms a face makes them unreadable | [`with_screen_weights`](Self::with_screen_weights) |
#[derive(Clone, Debug, PartialEq)]
pub struct VideoModel {
    codecs: Vec<VideoCodec>,
    quantizer: QuantizerCurve,
    bits: BitsCurve,
    upscaling: f64,
    /// Points at 15, 7 and 0 of 24 frames per second.
    frame_rate: [f64; 3],
    smooth: f64,
    smooth_screen: f64,
    freezes: f64,
    frozen: f64,
    screen_coding: f64,
    screen_upscaling: f64,
}

/// The frame rates of [`VideoModel::frame_rate`] as fractions of a smooth one.
const FRAME_RATES: [f64; 3] = [15.0 / 24.0, 7.0 / 24.0, 0.0];
/// Uncertainty of the quantizer's curve, points: some content is harder to code.
const QUANTIZER_SPREAD: f64 = 5.0;
/// Uncertainty of the curve by bits, as a factor on the odds. A talking head needs a third of the bits of a walk
/// through a wood.
const BITS_SPREAD: f64 = 2.0;
/// Uncertainty of the bits curve for an unknown codec, as a factor on the odds: from codecs older than VP8 up to AV1.
const UNKNOWN_CODEC_SPREAD: f64 = 2.6;
/// How much longer the display's edges may be than those of the largest picture seen.
const DISPLAY_WORST: f64 = 1.5;
/// The same relative to the picture, if no other size was seen.
const DISPLAY_UNKNOWN_WORST: f64 = 2.0;
/// An unknown frame rate may be this, of 24.
const FRAME_RATE_WORST: f64 = 15.0;
/// Duration of a freeze if only their number or only their time is known, s.
const FREEZE_S: f64 = 1.0;
/// Freezes if they are not counted, at worst: one of a second in ten.
const FREEZES_WORST: (f64, f64) = (1.0, 0.1);

impl Default for VideoModel {
    fn default() -> Self {
        Self::new()
    }
}

impl VideoModel {
    /// The version: every change of a number raises it.
    pub const VERSION: u32 = 1;

    /// The constants of the table.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            codecs: Vec::new(),
            quantizer: QuantizerCurve::new(),
            bits: BitsCurve::new(),
            upscaling: 21.0,
            frame_rate: [5.0, 16.0, 50.0],
            smooth: 24.0,
            smooth_screen: 3.0,
            freezes: 9.351_586_84,
            frozen: 0.918_908_15,
            screen_coding: 1.25,
            screen_upscaling: 1.5,
        }
    }

    /// Adds a codec, which precedes a built-in one of the same name.
    #[must_use]
    pub fn with_codec(mut self, codec: VideoCodec) -> Self {
        self.codecs.push(codec);
        self
    }

    /// Sets MOS = a − b·e^(k·q) by quantizer, and the opinions at the lower and upper threshold of a codec's quality
    /// scaler. Ignored unless b and k are positive and 1 ≤ upper < lower, both reached between q = 0 and q = 1.
    #[must_use]
    pub fn with_quantizer_curve(mut self, a: f64, b: f64, k: f64, mos_at_thresholds: (f64, f64)) -> Self {
        if let Some(curve) = QuantizerCurve::of(a, b, k, mos_at_thresholds) {
            self.quantizer = curve;
        }
        self
    }

    /// Sets the bits per pixel and frame at which coding costs half of everything, and the steepness. Clamped to 1e-4
    /// to 1 and 0.1 to 5; NaN is ignored.
    #[must_use]
    pub const fn with_bits_curve(mut self, half: f64, slope: f64) -> Self {
        self.bits.half = held(half, 1e-4, 1.0, self.bits.half);
        self.bits.slope = held(slope, 0.1, 5.0, self.bits.slope);
        self
    }

    /// Sets the points for a display with edges twice as long, U, 0 to 100: an area that is s times as large costs U ·
    /// log2(1 + (s − 1) / 3). NaN is ignored.
    #[must_use]
    pub const fn with_upscaling(mut self, points_at_twice: f64) -> Self {
        self.upscaling = held(points_at_twice, 0.0, 100.0, self.upscaling);
        self
    }

    /// Sets the points at 15, 7 and 0 frames per second if 24 is smooth, 0 to 100 and none less than the one before.
    /// NaN is ignored.
    #[must_use]
    pub const fn with_frame_rate(mut self, at_15: f64, at_7: f64, at_0: f64) -> Self {
        let [old_15, old_7, old_0] = self.frame_rate;
        let at_15 = held(at_15, 0.0, 100.0, old_15);
        let at_7 = held(held(at_7, 0.0, 100.0, old_7), at_15, 100.0, at_15);
        self.frame_rate = [at_15, at_7, held(held(at_0, 0.0, 100.0, old_0), at_7, 100.0, at_7)];
        self
    }

    /// Sets the frame rates, 0.1 to 240 per second, above which more is no better: for video, and for screens. NaN is
    /// ignored.
    #[must_use]
    pub const fn with_smooth(mut self, pictures: f64, screens: f64) -> Self {
        self.smooth = held(pictures, 0.1, 240.0, self.smooth);
        self.smooth_screen = held(screens, 0.1, 240.0, self.smooth_screen);
        self
    }

    /// Sets how many freezes in 10 s, and which fraction frozen, leave 1/e of a score. Clamped to 0.01 to 1e6; NaN is
    /// ignored.
    #[must_use]
    pub const fn with_freezes(mut self, per_10_s: f64, share: f64) -> Self {
        self.freezes = held(per_10_s, 0.01, 1e6, self.freezes);
        self.frozen = held(share, 0.01, 1e6, self.frozen);
        self
    }

    /// Sets the factors on the cost of coding and upscaling for a screen, 0 to 10. NaN is ignored.
    #[must_use]
    pub const fn with_screen_weights(mut self, coding: f64, upscaling: f64) -> Self {
        self.screen_coding = held(coding, 0.0, 10.0, self.screen_coding);
        self.screen_upscaling = held(upscaling, 0.0, 10.0, self.screen_upscaling);
        self
    }

    /// The cost of coding. `None` if neither a quantizer on a known scale nor bits per pixel are known.
    fn coding(&self, inputs: &VideoInputs<'_>) -> Option<Coding> {
        let codec = inputs.codec.and_then(|name| coding::find(&self.codecs, name));
        let quantized = codec
            .and_then(VideoCodec::quantizer)
            .zip(inputs.qp)
            .and_then(|(scale, qp)| self.quantizer.points(qp, scale));
        if let Some(points) = quantized {
            let points =
                CodingRange { usual: points, worst: points + QUANTIZER_SPREAD, best: points - QUANTIZER_SPREAD };
            return Some(Coding { points, quantized: true, gain: Origin::Measured });
        }
        let gain = codec.map_or(1.0, VideoCodec::gain);
        let odds = self.bits.odds(inputs.bits_per_pixel()? * gain);
        let spread = if codec.is_some() { BITS_SPREAD } else { UNKNOWN_CODEC_SPREAD };
        let points = CodingRange {
            usual: coding::points_of(odds),
            worst: coding::points_of(odds / spread),
            best: coding::points_of(odds * spread),
        };
        let gain = if codec.is_some() { Origin::Measured } else { Origin::Assumed };
        Some(Coding { points, quantized: false, gain })
    }

    /// The cost of upscaling, and the origin of the display's size.
    fn upscaling(&self, inputs: &VideoInputs<'_>) -> (CodingRange, Origin) {
        let Some(coded) = inputs.coded_pixels() else { return (CodingRange::sure(0.0), Origin::Missing) };
        if let Some(display) = area(inputs.display_width, inputs.display_height) {
            return (CodingRange::sure(self.upscaling_points(display / coded)), Origin::Measured);
        }
        match area(inputs.largest_width, inputs.largest_height) {
            Some(largest) => (self.assumed_upscaling(largest / coded, DISPLAY_WORST), Origin::Derived),
            None => (self.assumed_upscaling(1.0, DISPLAY_UNKNOWN_WORST), Origin::Assumed),
        }
    }

    /// Points for an area that is `larger` times as large.
    fn upscaling_points(&self, larger: f64) -> f64 {
        if larger > 1.0 { self.upscaling * libm::log2(1.0 + (larger - 1.0) / 3.0) } else { 0.0 }
    }

    /// The same for an unknown display, with edges up to `worst` times as long.
    fn assumed_upscaling(&self, larger: f64, worst: f64) -> CodingRange {
        CodingRange {
            usual: self.upscaling_points(larger),
            worst: self.upscaling_points(larger.max(1.0) * worst * worst),
            best: 0.0,
        }
    }

    /// The cost of the frame rate.
    fn frame_rate(&self, inputs: &VideoInputs<'_>) -> CodingRange {
        let source = rate(inputs.source_frames_per_second);
        let smooth = match (inputs.screen, source) {
            (false, source) => source.map_or(self.smooth, |source| source.min(self.smooth)),
            (true, Some(source)) => source.min(self.smooth_screen),
            // A screen without changes has no frame rate.
            (true, None) => return CodingRange::sure(0.0),
        };
        match rate(inputs.frames_per_second) {
            Some(_) if smooth <= 0.0 => CodingRange::sure(0.0),
            Some(frames) => {
                let points = self.frame_rate_points(frames / smooth);
                // An unknown source may have been as slow.
                CodingRange { usual: points, worst: points, best: if source.is_some() { points } else { 0.0 } }
            }
            None => {
                let worst = self.frame_rate_points(FRAME_RATE_WORST / self.smooth);
                CodingRange { usual: 0.0, worst: if inputs.screen { 0.0 } else { worst }, best: 0.0 }
            }
        }
    }

    /// Points for a fraction of a smooth frame rate, piecewise linear.
    fn frame_rate_points(&self, share: f64) -> f64 {
        let (mut above, mut points_above) = (1.0, 0.0);
        for (&at, &points) in FRAME_RATES.iter().zip(&self.frame_rate) {
            if share >= at {
                return points_above + (above - share.min(above)) / (above - at) * (points - points_above);
            }
            (above, points_above) = (at, points);
        }
        points_above
    }

    /// The factor of freezes, from their number in 10 s and the fraction frozen.
    fn freeze_factor(&self, (number, share): (f64, f64)) -> f64 {
        libm::exp(-number / self.freezes) * libm::exp(-share / self.frozen)
    }

    /// The factor of freezes, and its origin.
    fn freezes(&self, inputs: &VideoInputs<'_>) -> (CodingRange, Origin) {
        let share = inputs.frozen.map(Ratio::as_f64);
        let number = rate(inputs.freezes_per_10_s);
        let (known, origin) = match (number, share) {
            (Some(number), Some(share)) => ((number, share), Origin::Measured),
            (None, Some(share)) => ((share * 10.0 / FREEZE_S, share), Origin::Derived),
            (Some(number), None) => ((number, (number * FREEZE_S / 10.0).min(1.0)), Origin::Derived),
            (None, None) if inputs.screen => return (CodingRange::sure(1.0), Origin::Missing),
            (None, None) => {
                return (
                    CodingRange { usual: 1.0, worst: self.freeze_factor(FREEZES_WORST), best: 1.0 },
                    Origin::Missing,
                );
            }
        };
        if known == (0.0, 0.0) || (inputs.screen && inputs.pending_data == Some(false)) {
            return (CodingRange::sure(1.0), origin);
        }
        let left = self.freeze_factor(known);
        if inputs.screen && inputs.pending_data.is_none() {
            return (CodingRange { usual: 1.0, worst: left, best: 1.0 }, Origin::Assumed);
        }
        (CodingRange::sure(left), origin)
    }
}

impl Model<VideoInputs<'_>> for VideoModel {
    fn id(&self) -> ModelId {
        ModelId::new("callgauge-video", Self::VERSION)
    }

    fn score(&self, inputs: &VideoInputs<'_>) -> Result<Score, NoScore> {
        let frame_rate = self.frame_rate(inputs);
        let (freezes, freezes_from) = self.freezes(inputs);
        let Some(coding) = self.coding(inputs) else {
            return Err(match rate(inputs.frames_per_second) {
                Some(_) => NoScore::FrameRateOnly {
                    temporal: Rx::clamped((100.0 - frame_rate.usual) * freezes.usual).unwrap_or(Rx::MIN),
                },
                None => NoScore::NoPictureInformation,
            });
        };
        let (upscaling, display_from) = self.upscaling(inputs);
        let (coding_weight, upscaling_weight) =
            if inputs.screen { (self.screen_coding, self.screen_upscaling) } else { (1.0, 1.0) };
        let terms = |of: fn(CodingRange) -> f64| VideoTerms {
            coding: (of(coding.points) * coding_weight).clamp(0.0, 100.0),
            upscaling: of(upscaling) * upscaling_weight,
            frame_rate: of(frame_rate),
            intact: 1.0 - inputs.corruption.map_or(0.0, Ratio::as_f64),
            moving: of(freezes),
        };
        let usual = terms(|range| range.usual);
        let tier = match (freezes_from == Origin::Missing, coding.quantized) {
            (false, true) => Tier::V1,
            (false, false) => Tier::V2,
            (true, _) => Tier::V3,
        };
        let scale = if inputs.screen { MosScale::Screen } else { MosScale::Video };
        Ok(Score::new(self.id(), scale, tier, rx_of(usual.rx()))
            .with_interval(rx_of(terms(|range| range.worst).rx()), rx_of(terms(|range| range.best).rx()))
            .widened_for(inputs.active_ms)
            .with_inputs(origins(inputs, &coding, display_from, freezes_from))
            .with_parts_and_gains(usual.parts(), usual.gains()))
    }
}

/// The cost of coding.
struct Coding {
    points: CodingRange,
    /// By the quantizer.
    quantized: bool,
    /// The origin of the codec's efficiency.
    gain: Origin,
}

/// A known or usual value, its worst and its best.
#[derive(Clone, Copy)]
struct CodingRange {
    usual: f64,
    worst: f64,
    best: f64,
}

impl CodingRange {
    const fn sure(value: f64) -> Self {
        Self { usual: value, worst: value, best: value }
    }
}

/// The cost of each impairment: points of 100, and fractions of the rest.
#[derive(Clone, Copy)]
struct VideoTerms {
    coding: f64,
    upscaling: f64,
    frame_rate: f64,
    /// The fraction of frames without corruption.
    intact: f64,
    /// The factor of freezes.
    moving: f64,
}

impl VideoTerms {
    /// The rest after points, 0 to 100.
    fn still(&self) -> f64 {
        (100.0 - self.coding - self.upscaling - self.frame_rate).max(0.0)
    }

    fn rx(&self) -> f64 {
        self.still() * self.intact * self.moving
    }

    /// The points of each impairment: if the sum exceeds 100, each counts less.
    fn parts(&self) -> Parts {
        let points = self.coding + self.upscaling + self.frame_rate;
        let share = if points > 100.0 { 100.0 / points } else { 1.0 };
        let still = self.still();
        let mut parts = Parts::new();
        parts.set(Cause::Coding, self.coding * share);
        parts.set(Cause::Upscaling, self.upscaling * share);
        parts.set(Cause::FrameRate, self.frame_rate * share);
        parts.set(Cause::Corruption, still * (1.0 - self.intact));
        parts.set(Cause::Freezes, still * self.intact * (1.0 - self.moving));
        parts
    }

    /// The same without an impairment.
    fn without(mut self, cause: Cause) -> Self {
        match cause {
            Cause::Coding => self.coding = 0.0,
            Cause::Upscaling => self.upscaling = 0.0,
            Cause::FrameRate => self.frame_rate = 0.0,
            Cause::Corruption => self.intact = 1.0,
            Cause::Freezes => self.moving = 1.0,
            _ => {}
        }
        self
    }

    /// By how much the score would rise without each impairment.
    fn gains(&self) -> Parts {
        let rx = self.rx();
        let mut gains = Parts::new();
        for cause in [Cause::Coding, Cause::Upscaling, Cause::FrameRate, Cause::Freezes, Cause::Corruption] {
            gains.set(cause, self.without(cause).rx() - rx);
        }
        gains
    }
}

fn rx_of(value: f64) -> Rx {
    Rx::clamped(value).unwrap_or(Rx::MIN)
}

/// The origin of each input.
fn origins(inputs: &VideoInputs<'_>, coding: &Coding, display: Origin, freezes: Origin) -> Inputs {
    let coded = if coding.quantized {
        Inputs::new().with(Input::Quantizer, Origin::Measured)
    } else {
        Inputs::new().with(Input::Quantizer, Origin::Missing).with(Input::Bitrate, Origin::Measured)
    };
    coded
        .with(Input::Codec, coding.gain)
        .with(Input::Size, Origin::measured(inputs.coded_pixels().is_some()))
        .with(Input::DisplaySize, display)
        .with(Input::FrameRate, Origin::measured_or_assumed(rate(inputs.frames_per_second).is_some()))
        .with(Input::SourceFrameRate, Origin::measured_or_assumed(rate(inputs.source_frames_per_second).is_some()))
        .with(Input::Freezes, freezes)
        .with(Input::Corruption, Origin::measured(inputs.corruption.is_some()))
}

fn area(width: Option<f64>, height: Option<f64>) -> Option<f64> {
    Some(size(width)? * size(height)?)
}

/// A plausible number of pixels along an edge.
fn size(pixels: Option<f64>) -> Option<f64> {
    pixels.filter(|pixels| (1.0..=1e6).contains(pixels))
}

/// A plausible number of events. Large ones are clamped: more of something bad must not become unknown.
fn rate(events: Option<f64>) -> Option<f64> {
    events.filter(|&events| events >= 0.0).map(|events| events.min(1e6))
}
