//! What a model is, and what it answers: a score with everything that made it, or the reason why there is none.

use core::fmt;

use super::evidence::{Cause, Inputs, Parts};
use crate::emodel::{self, scale};
use crate::unit::{Mos, Ratio, Rx};

/// A way to score what was heard or seen, chosen by value ([`Config::with_audio_model`](crate::Config::with_audio_model),
/// [`Config::with_video_model`](crate::Config::with_video_model)). `I` is what it reads:
/// [`AudioInputs`](super::audio::AudioInputs) or [`VideoInputs`](super::video::VideoInputs).
///
/// A model is a function: the same inputs give the same score, bit for bit, on every machine (so its mathematics is
/// `libm`'s). It keeps nothing, reads no clock, and does not allocate: it is asked for every stream and interval.
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
    /// Its name and version, which go into every score that a conference has of it.
    fn id(&self) -> ModelId;

    /// The score of a window.
    ///
    /// # Errors
    /// [`NoScore`] with the reason why the inputs do not carry one.
    fn score(&self, inputs: &I) -> Result<Score, NoScore>;
}

/// Which model made a score. Printed as `name/version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ModelId {
    /// The name; it says whose model it is.
    pub name: &'static str,
    /// The version. A change that changes a number raises it.
    pub version: u32,
}

impl ModelId {
    /// A model by name and version.
    #[must_use]
    pub const fn new(name: &'static str, version: u32) -> Self {
        Self { name, version }
    }

    /// Until a state that was read is given its models again.
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

/// A shorter window than this, ms, says less than it seems to.
const SURE_AFTER_MS: f64 = 3_000.0;
/// By how many points of 100 a window of nothing would be unsure.
const UNSURE_POINTS: f64 = 10.0;

/// What a window was worth, with everything that made it.
///
/// Values are kept as [`Rx`], 0 to 100, the scale on which scores may be averaged and on which impairments add up; every
/// opinion follows from it by the one curve of ITU-T G.107 Annex B, for sound and pictures alike, so that every MOS
/// of callgauge lies in 1 to 4.5.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Score {
    /// The score: with the delay where that is known, without where it is not.
    pub rx: Rx,
    /// The score when what was assumed is at its worst.
    pub rx_low: Rx,
    /// The score when what was assumed is at its best.
    pub rx_high: Rx,
    /// Listening quality: the score without what delay takes. `None` for what is not listened to.
    pub rx_lq: Option<Rx>,
    /// What the numbers can be compared with.
    pub scale: MosScale,
    /// The same window on the scale of its own codec: people who know nothing but telephones call a clean G.711 call
    /// 4.41, and that is the number they expect. `None` for pictures.
    pub native: Option<Native>,
    /// Who made it.
    pub model: ModelId,
    /// How much the model had to go by.
    pub tier: Tier,
    /// What it went by.
    pub inputs: Inputs,
    /// The impairment whose removal would raise the score most. `None` when nothing takes anything.
    pub cause: Option<Cause>,
    /// What each impairment takes.
    pub parts: Parts,
    /// By how much, in points of 100, the score would be better without each impairment: not what it takes where one
    /// hides behind another, or takes from what another leaves.
    pub gains: Parts,
}

/// A score on the scale of the codec.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Native {
    /// The codec's scale.
    pub scale: emodel::Scale,
    /// The score on it.
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
    /// A score that is sure of itself, of which nothing more is known. The other parts are added by `with_*`.
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

    /// Between which values it lies. What is on the wrong side of the score is brought to the score.
    #[must_use]
    pub fn with_interval(mut self, low: Rx, high: Rx) -> Self {
        self.rx_low = low.min(self.rx);
        self.rx_high = high.max(self.rx);
        self
    }

    /// The same, less sure of itself when there was little to hear or see: each end of the interval moves away by up to 10
    /// points of 100, less the nearer `active_ms` comes to 3 s. `None` and NaN change nothing.
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

    /// The score without what delay takes.
    #[must_use]
    pub const fn with_listening_quality(mut self, rx: Rx) -> Self {
        self.rx_lq = Some(rx);
        self
    }

    /// The score on the scale of its codec.
    #[must_use]
    pub const fn with_native(mut self, native: Native) -> Self {
        self.native = Some(native);
        self
    }

    /// What the model went by.
    #[must_use]
    pub const fn with_inputs(mut self, inputs: Inputs) -> Self {
        self.inputs = inputs;
        self
    }

    /// What each impairment takes, which is what the score would gain without it: the largest is the cause.
    #[must_use]
    pub fn with_parts(self, parts: Parts) -> Self {
        self.with_parts_and_gains(parts, parts)
    }

    /// What each impairment takes, and what the score would gain without it, where that is not the same: the cause is the
    /// one without which the score would be best. Of equals, and where none alone makes a difference, it is the one with
    /// the largest part.
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

    /// The mean opinion score when what was assumed is at its worst.
    #[must_use]
    pub fn low(&self) -> Mos {
        // The curve is not monotone in its last bit.
        mos_of(self.rx_low).min(self.mos())
    }

    /// The mean opinion score when what was assumed is at its best.
    #[must_use]
    pub fn high(&self) -> Mos {
        mos_of(self.rx_high).max(self.mos())
    }

    /// %GoB as a share: how many would call it good or excellent (G.107 Annex B).
    #[must_use]
    pub fn good_or_better(&self) -> Ratio {
        Ratio::clamped(scale::gob(self.rx.as_f64()) / 100.0).unwrap_or(Ratio::MIN)
    }

    /// %PoW as a share: how many would call it poor or bad (G.107 Annex B).
    #[must_use]
    pub fn poor_or_worse(&self) -> Ratio {
        Ratio::clamped(scale::pow(self.rx.as_f64()) / 100.0).unwrap_or(Ratio::MAX)
    }

    /// The mean opinion score of listening alone (MOS-LQ of RFC 3611).
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

/// With `serde` a score is a map under the names that summaries have: `mos`, `mos_low`, `mos_high`, `mos_lq`,
/// `mos_native`, `native_scale`, `good_or_better_ratio`, `poor_or_worse_ratio`, `scale`, `model`, `tier`, `cause`, `parts`,
/// `inputs`.
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

/// `value` between `low` and `high`; `or` for NaN: how a constant of a model is set.
pub(super) const fn held(value: f64, low: f64, high: f64, or: f64) -> f64 {
    if value.is_nan() { or } else { value.clamp(low, high) }
}

/// The mean opinion score of a value on the 100 scale: ITU-T G.107 Annex B.
#[must_use]
pub fn mos_of(rx: Rx) -> Mos {
    Mos::clamped(scale::mos(rx.as_f64())).unwrap_or(Mos::MIN)
}

/// What a MOS can be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum MosScale {
    /// Speech, judged by people who know telephones (ITU-T G.107).
    Narrowband,
    /// Speech, judged by people who know wideband telephones (G.107.1).
    Wideband,
    /// Speech, judged by people who know how it sounds in a room (G.107.2).
    Fullband,
    /// Moving pictures of people.
    Video,
    /// A shared screen.
    Screen,
    /// Sound and pictures together.
    AudioVisual,
}

impl MosScale {
    /// The word in outputs.
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

/// How much a model had to go by. The better is the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Tier {
    /// Sound: what was concealed, after every repair. High confidence.
    A1,
    /// Sound: packets lost and discarded. Medium.
    A2,
    /// Sound: packets lost. Medium to low.
    A3,
    /// Sound: packets lost by the other end's account. Low.
    A4,
    /// Sound: nothing about loss; never scored.
    A5,
    /// Pictures: quantizer and freezes.
    V1,
    /// Pictures: bits per pixel and freezes.
    V2,
    /// Pictures: quantizer or bits per pixel, and frame rate, without freezes: of what is sent nobody knows them.
    V3,
    /// Pictures: frame rate alone; never scored.
    V4,
}

impl Tier {
    /// Every tier, in order.
    pub const ALL: &'static [Self] =
        &[Self::A1, Self::A2, Self::A3, Self::A4, Self::A5, Self::V1, Self::V2, Self::V3, Self::V4];

    /// The word in outputs.
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

/// Why there is no score.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum NoScore {
    /// The stream rested: muted, held, paused, began anew, or nobody looked. The interval's state says which.
    Resting,
    /// Nothing was heard or shown, or too little of it, in the window.
    TooLittle,
    /// Nothing comes in, and nobody can say yet whether anything was sent.
    Undecided,
    /// The codec is another than when the interval began.
    NewCodec,
    /// Whether it is sound or pictures is not known.
    UnknownKind,
    /// Nothing tells which codec it is, or the codec is not in the table.
    UnknownCodec,
    /// Something was lost, and how well the codec bears loss was never published.
    UnknownRobustness,
    /// Nothing about loss (tier A5).
    NoLossInformation,
    /// Neither a quantizer nor a bit rate with a picture's size: only how smooth the pictures were is known (tier V4),
    /// with 100 for perfectly smooth.
    FrameRateOnly {
        /// How smooth.
        temporal: Rx,
    },
    /// Nothing about the pictures at all.
    NoPictureInformation,
    /// What a model of the caller's has to say, in a sentence.
    Other(#[cfg_attr(feature = "serde", serde(skip))] &'static str),
}

impl NoScore {
    /// The word in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resting => "resting",
            Self::TooLittle => "too_little",
            Self::Undecided => "undecided",
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

    /// The tier, for the two that are reached when there is too little for a score.
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
            Self::Resting => "the stream rested",
            Self::TooLittle => "too little was heard or shown",
            Self::Undecided => "nothing comes in, and perhaps nothing was sent",
            Self::NewCodec => "the codec changed meanwhile",
            Self::UnknownKind => "neither known to be sound nor to be pictures",
            Self::UnknownCodec => "nothing is known of the codec",
            Self::UnknownRobustness => "nothing is published of how the codec bears loss",
            Self::NoLossInformation => "nothing is known about loss",
            Self::FrameRateOnly { .. } => "only the frame rate is known",
            Self::NoPictureInformation => "nothing is known about the pictures",
            Self::Other(reason) => reason,
        })
    }
}

impl core::error::Error for NoScore {}
