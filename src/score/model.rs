//! Defines a scoring model and its result: a score with everything it is based on, or the reason why there is none. It
//! contains no model.

use core::fmt;

use super::evidence::{Cause, Inputs, Parts};
use crate::emodel::{self, scale};
use crate::unit::{Mos, Ratio, Rx};

/// A model that scores audio or video, chosen by value ([`Config::with_audio_model`](crate::Config::with_audio_model),
/// [`Config::with_video_model`](crate::Config::with_video_model)). `I` is its input:
/// [`AudioInputs`](super::audio::AudioInputs) or [`VideoInputs`](super::video::VideoInputs).
///
/// A model is a function: the same inputs give the same score, bit for bit, on every machine (so its mathematics must
/// be `libm`'s). It has no state, reads no clock, and does not allocate: it is called for every stream and interval.
///
/// ```
/// use callgauge::score::audio::AudioInputs;
/// use callgauge::score::{Cause, Inputs, Model, ModelId, MosScale, NoScore, Parts, Score, Tier};
/// use callgauge::unit::Rx;
///
/// /// One point of a hundred for each thousandth that is concealed.
/// #[derive(Debug)]
/// struct Strict;
///
/// impl Model<AudioInputs<'_>> for Strict {
///     fn id(&self) -> ModelId {
///         ModelId::new("strict", 1)
///     }
///
///     fn score(&self, inputs: &AudioInputs<'_>) -> Result<Score, NoScore> {
///         let concealed = inputs.concealed.ok_or(NoScore::NoLossInformation)?.as_f64();
///         let mut parts = Parts::new();
///         parts.set(Cause::Loss, concealed * 1e3);
///         let rx = Rx::clamped(100.0 - parts.sum()).ok_or(NoScore::NoLossInformation)?;
///         Ok(Score::new(self.id(), MosScale::Fullband, Tier::A1, rx).with_parts(parts).with_inputs(Inputs::new()))
///     }
/// }
///
/// let mut inputs = AudioInputs::new();
/// inputs.concealed = callgauge::unit::Ratio::new(0.02);
/// let score = Strict.score(&inputs)?;
/// assert_eq!((score.rx.as_f64(), score.cause), (80.0, Some(Cause::Loss)));
/// # Ok::<(), NoScore>(())
/// ```
pub trait Model<I: ?Sized>: fmt::Debug + Send + Sync {
    /// The name and version, which every score of the model contains.
    fn id(&self) -> ModelId;

    /// Scores a window.
    ///
    /// # Errors
    /// [`NoScore`] with the reason why the inputs give no score.
    fn score(&self, inputs: &I) -> Result<Score, NoScore>;
}

/// The model of a score. Printed as `name/version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ModelId {
    /// The name; it identifies the owner of the model.
    pub name: &'static str,
    /// The version. Every change of a number raises it.
    pub version: u32,
}

impl ModelId {
    /// A model by name and version.
    #[must_use]
    pub const fn new(name: &'static str, version: u32) -> Self {
        Self { name, version }
    }

    /// A placeholder until the models of a checkpoint are restored.
    #[cfg(feature = "serde")]
    pub(crate) const fn unknown() -> Self {
        Self::new("", 0)
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.version)
    }
}

/// A shorter window than this, ms, makes a score less certain.
const SURE_AFTER_MS: f64 = 3_000.0;
/// Uncertainty of an empty window, in points of 100.
const UNSURE_POINTS: f64 = 10.0;

/// The score of a window, with everything it is based on.
///
/// Values are stored as [`Rx`], 0 to 100, the scale on which scores may be averaged and impairments add up; every
/// opinion follows from it by the one curve of ITU-T G.107 Annex B, for audio and video alike, so every MOS of
/// callgauge is between 1 and 4.5.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Score {
    /// The score: with delay if that is known, without if not.
    pub rx: Rx,
    /// The score with every assumption at its worst.
    pub rx_low: Rx,
    /// The score with every assumption at its best.
    pub rx_high: Rx,
    /// Listening quality: the score without delay. `None` for video.
    pub rx_lq: Option<Rx>,
    /// The scale on which the score can be compared.
    pub scale: MosScale,
    /// The same window on its codec's own scale: people who know only telephones rate a clean G.711 call 4.41, and
    /// expect that number. `None` for video.
    pub native: Option<Native>,
    /// The model.
    pub model: ModelId,
    /// The amount of information that the model had.
    pub tier: Tier,
    /// The inputs that the model used.
    pub inputs: Inputs,
    /// The impairment without which the score would rise most. `None` without any impairment.
    pub cause: Option<Cause>,
    /// The cost of each impairment.
    pub parts: Parts,
    /// By how many points of 100 the score would rise without each impairment: less than its cost if another one masks
    /// it, or if it reduces only the rest that another one leaves.
    pub gains: Parts,
}

/// A score on the codec's scale.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Native {
    /// The codec's scale.
    pub scale: emodel::Scale,
    /// The score on that scale.
    pub rx: Rx,
}

impl Native {
    /// A score on a codec's scale.
    #[must_use]
    pub const fn new(scale: emodel::Scale, rx: Rx) -> Self {
        Self { scale, rx }
    }
}

impl Score {
    /// A score without uncertainty and without further parts; `with_*` adds those.
    #[must_use]
    pub const fn new(model: ModelId, scale: MosScale, tier: Tier, rx: Rx) -> Self {
        Self {
            rx,
            rx_low: rx,
            rx_high: rx,
            rx_lq: None,
            scale,
            native: None,
            model,
            tier,
            inputs: Inputs::new(),
            cause: None,
            parts: Parts::new(),
            gains: Parts::new(),
        }
    }

    /// Sets the interval of the score. An end on the wrong side of the score is moved to the score.
    #[must_use]
    pub fn with_interval(mut self, low: Rx, high: Rx) -> Self {
        self.rx_low = low.min(self.rx);
        self.rx_high = high.max(self.rx);
        self
    }

    /// Widens the interval for a short window: each end moves away by up to 10 points of 100, less the nearer
    /// `active_ms` is to 3 s. `None` and NaN change nothing.
    #[must_use]
    pub fn widened_for(mut self, active_ms: Option<f64>) -> Self {
        let short = active_ms.map_or(0.0, |active| 1.0 - active / SURE_AFTER_MS);
        if short > 0.0 {
            let points = UNSURE_POINTS * short.min(1.0);
            self.rx_low = Rx::clamped(self.rx_low.as_f64() - points).unwrap_or(Rx::MIN);
            self.rx_high = Rx::clamped(self.rx_high.as_f64() + points).unwrap_or(Rx::MAX);
        }
        self
    }

    /// Sets the score without delay.
    #[must_use]
    pub const fn with_listening_quality(mut self, rx: Rx) -> Self {
        self.rx_lq = Some(rx);
        self
    }

    /// Sets the score on the codec's scale.
    #[must_use]
    pub const fn with_native(mut self, native: Native) -> Self {
        self.native = Some(native);
        self
    }

    /// Sets the inputs that the model used.
    #[must_use]
    pub const fn with_inputs(mut self, inputs: Inputs) -> Self {
        self.inputs = inputs;
        self
    }

    /// Sets the cost of each impairment, which is also what the score would gain without it: the largest is the cause.
    #[must_use]
    pub fn with_parts(self, parts: Parts) -> Self {
        self.with_parts_and_gains(parts, parts)
    }

    /// Sets the cost of each impairment, and what the score would gain without it, if the two differ. The cause is the
    /// impairment with the largest gain; of equals, or if none alone makes a difference, the one with the largest part.
    #[must_use]
    pub fn with_parts_and_gains(mut self, parts: Parts, gains: Parts) -> Self {
        let mut most = (0.0, 0.0);
        self.cause = None;
        for &cause in Cause::ALL {
            let (gain, part) = (gains.get(cause), parts.get(cause));
            if gain > most.0 || (gain == most.0 && part > most.1) {
                most = (gain, part);
                self.cause = Some(cause);
            }
        }
        (self.parts, self.gains) = (parts, gains);
        self
    }

    /// The mean opinion score.
    #[must_use]
    pub fn mos(&self) -> Mos {
        mos_of(self.rx)
    }

    /// The mean opinion score with every assumption at its worst.
    #[must_use]
    pub fn low(&self) -> Mos {
        // The curve is not monotone in its last bit.
        mos_of(self.rx_low).min(self.mos())
    }

    /// The mean opinion score with every assumption at its best.
    #[must_use]
    pub fn high(&self) -> Mos {
        mos_of(self.rx_high).max(self.mos())
    }

    /// %GoB as a ratio: the part of users that would call it good or excellent (G.107 Annex B).
    #[must_use]
    pub fn good_or_better(&self) -> Ratio {
        Ratio::clamped(scale::gob(self.rx.as_f64()) / 100.0).unwrap_or(Ratio::MIN)
    }

    /// %PoW as a ratio: the part of users that would call it poor or bad (G.107 Annex B).
    #[must_use]
    pub fn poor_or_worse(&self) -> Ratio {
        Ratio::clamped(scale::pow(self.rx.as_f64()) / 100.0).unwrap_or(Ratio::MAX)
    }

    /// The mean opinion score of listening quality (MOS-LQ of RFC 3611).
    #[must_use]
    pub fn lq(&self) -> Option<Mos> {
        self.rx_lq.map(mos_of)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for ModelId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// With `serde` a score is a map with the names of summaries: `mos`, `mos_low`, `mos_high`, `mos_lq`, `mos_native`,
/// `native_scale`, `good_or_better_ratio`, `poor_or_worse_ratio`, `scale`, `model`, `tier`, `cause`, `parts`, `inputs`.
#[cfg(feature = "serde")]
impl serde::Serialize for Score {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;

        let mut map = serializer.serialize_map(Some(14))?;
        map.serialize_entry("mos", &self.mos())?;
        map.serialize_entry("mos_low", &self.low())?;
        map.serialize_entry("mos_high", &self.high())?;
        map.serialize_entry("mos_lq", &self.lq())?;
        map.serialize_entry("mos_native", &self.native.map(|native| mos_of(native.rx)))?;
        map.serialize_entry("native_scale", &self.native.map(|native| native.scale))?;
        map.serialize_entry("good_or_better_ratio", &self.good_or_better())?;
        map.serialize_entry("poor_or_worse_ratio", &self.poor_or_worse())?;
        map.serialize_entry("scale", &self.scale)?;
        map.serialize_entry("model", &self.model)?;
        map.serialize_entry("tier", &self.tier)?;
        map.serialize_entry("cause", &self.cause)?;
        map.serialize_entry("parts", &self.parts)?;
        map.serialize_entry("inputs", &self.inputs)?;
        map.end()
    }
}

/// Clamps a constant of a model to `low` and `high`; `or` for NaN.
pub(super) const fn held(value: f64, low: f64, high: f64, or: f64) -> f64 {
    if value.is_nan() { or } else { value.clamp(low, high) }
}

/// The mean opinion score of a value on the 100 scale: ITU-T G.107 Annex B.
#[must_use]
pub fn mos_of(rx: Rx) -> Mos {
    Mos::clamped(scale::mos(rx.as_f64())).unwrap_or(Mos::MIN)
}

/// The scale of a MOS; two scores compare only on the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum MosScale {
    /// Speech, rated by people used to telephones (ITU-T G.107).
    Narrowband,
    /// Speech, rated by people used to wideband telephones (G.107.1).
    Wideband,
    /// Speech, rated by people used to its natural sound (G.107.2).
    Fullband,
    /// Video of people.
    Video,
    /// A shared screen.
    Screen,
    /// Audio and video together.
    AudioVisual,
}

impl MosScale {
    /// The name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Narrowband => "narrowband",
            Self::Wideband => "wideband",
            Self::Fullband => "fullband",
            Self::Video => "video",
            Self::Screen => "screen",
            Self::AudioVisual => "audio_visual",
        }
    }
}

impl From<emodel::Scale> for MosScale {
    fn from(scale: emodel::Scale) -> Self {
        match scale {
            emodel::Scale::Narrowband => Self::Narrowband,
            emodel::Scale::Wideband => Self::Wideband,
            emodel::Scale::Fullband => Self::Fullband,
        }
    }
}

/// The amount of information that a model had. A smaller one is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Tier {
    /// Audio: concealment after every repair. High confidence.
    A1,
    /// Audio: packets lost and discarded. Medium.
    A2,
    /// Audio: packets lost. Medium to low.
    A3,
    /// Audio: packets lost, as the remote endpoint reports. Low.
    A4,
    /// Audio: no information about loss; never scored.
    A5,
    /// Video: quantizer and freezes.
    V1,
    /// Video: bits per pixel and freezes.
    V2,
    /// Video: quantizer or bits per pixel, and frame rate, without freezes, which are unknown for sent streams.
    V3,
    /// Video: frame rate alone; never scored.
    V4,
}

impl Tier {
    /// All tiers, in order.
    pub const ALL: &'static [Self] =
        &[Self::A1, Self::A2, Self::A3, Self::A4, Self::A5, Self::V1, Self::V2, Self::V3, Self::V4];

    /// The name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A1 => "A1",
            Self::A2 => "A2",
            Self::A3 => "A3",
            Self::A4 => "A4",
            Self::A5 => "A5",
            Self::V1 => "V1",
            Self::V2 => "V2",
            Self::V3 => "V3",
            Self::V4 => "V4",
        }
    }
}

/// The reason why there is no score.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum NoScore {
    /// The stream rested: it was silent, muted, on hold, paused or reset, or there was a gap. The interval's state says
    /// which.
    Resting,
    /// Nothing was audible or visible in the window, or too little.
    TooLittle,
    /// Nothing arrives, and it is not yet known whether anything was sent.
    Unresolved,
    /// The codec changed since the interval began.
    NewCodec,
    /// It is unknown whether the stream is audio or video.
    UnknownKind,
    /// The codec is unknown, or not in the table.
    UnknownCodec,
    /// Packets were lost, and no robustness of the codec against loss has been published.
    UnknownRobustness,
    /// No information about loss (tier A5).
    NoLossInformation,
    /// Neither a quantizer nor a bit rate with a picture size: only the smoothness of the video is known (tier V4),
    /// with 100 for perfectly smooth.
    FrameRateOnly {
        /// The smoothness.
        temporal: Rx,
    },
    /// No information about the video.
    NoPictureInformation,
    /// The reason of a model that the caller provides, in a sentence.
    Other(#[cfg_attr(feature = "serde", serde(skip))] &'static str),
}

impl NoScore {
    /// The name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resting => "resting",
            Self::TooLittle => "too_little",
            Self::Unresolved => "unresolved",
            Self::NewCodec => "new_codec",
            Self::UnknownKind => "unknown_kind",
            Self::UnknownCodec => "unknown_codec",
            Self::UnknownRobustness => "unknown_robustness",
            Self::NoLossInformation => "no_loss_information",
            Self::FrameRateOnly { .. } => "frame_rate_only",
            Self::NoPictureInformation => "no_picture_information",
            Self::Other(_) => "other",
        }
    }

    /// The tier, for the two tiers that have too little information for a score.
    #[must_use]
    pub const fn tier(self) -> Option<Tier> {
        match self {
            Self::NoLossInformation => Some(Tier::A5),
            Self::FrameRateOnly { .. } => Some(Tier::V4),
            _ => None,
        }
    }
}

impl fmt::Display for NoScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resting => "the stream was silent, muted, on hold, paused or reset, or there was a gap",
            Self::TooLittle => "too little audible or visible media",
            Self::Unresolved => "no media received, and unknown whether any was sent",
            Self::NewCodec => "the codec changed during the interval",
            Self::UnknownKind => "unknown whether the stream is audio or video",
            Self::UnknownCodec => "unknown codec",
            Self::UnknownRobustness => "no published loss robustness (Bpl) for this codec",
            Self::NoLossInformation => "no loss figures",
            Self::FrameRateOnly { .. } => "only the frame rate is known",
            Self::NoPictureInformation => "no quantizer, bitrate or resolution",
            Self::Other(reason) => reason,
        })
    }
}

impl core::error::Error for NoScore {}
