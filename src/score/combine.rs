//! Combines a score of audio and a score of video. It does not score either of them.
//!
//! [`audio_visual`] is callgauge's own model: the opinion of a conversation follows its audio, then its video.
//! [`g1070_multimedia`] and [`p1203_o34`] are published models, for callers that need their numbers. [`sync_points`] is
//! the cost of a time offset between audio and video; it stands alone, because no model includes it.

use super::evidence::Parts;
use super::model::{ModelId, MosScale, Score, Tier, held, mos_of};
use crate::emodel::scale;
use crate::unit::{Mos, Rx};

/// The weights of audio and video in [`audio_visual`]. The values are ours; there is no standard for conversations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    audio: f64,
    gate_below: f64,
    gate_margin: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self::new()
    }
}

impl Weights {
    /// Audio weighs 0.6: a call continues without video and not without audio. If audio is below 2.5, between poor and
    /// fair, a call is at most half a point better than its audio, whatever the video.
    #[must_use]
    pub const fn new() -> Self {
        Self { audio: 0.6, gate_below: 2.5, gate_margin: 0.5 }
    }

    /// Sets the weight of audio, 0 to 1; video has the rest. NaN is ignored.
    #[must_use]
    pub const fn with_audio(mut self, audio: f64) -> Self {
        self.audio = held(audio, 0.0, 1.0, self.audio);
        self
    }

    /// Sets the MOS, 1 to 5, below which audio limits a call, and by how much a call may then exceed its audio, 0 to 4.
    /// NaN is ignored. With 1 there is no limit.
    #[must_use]
    pub const fn with_gate(mut self, below: f64, margin: f64) -> Self {
        self.gate_below = held(below, 1.0, 5.0, self.gate_below);
        self.gate_margin = held(margin, 0.0, 4.0, self.gate_margin);
        self
    }

    /// 1 + (A − 1)^w · (V − 1)^(1 − w), at most A + margin if A is below the gate. Above it the limit rises five times
    /// as fast as A, so there is no jump at the gate.
    fn mos(&self, audio: f64, video: f64) -> f64 {
        let (above_bad, weight) = (audio - 1.0, self.audio);
        let together = 1.0 + power(above_bad, weight) * power(video - 1.0, 1.0 - weight);
        let limit = audio + self.gate_margin + 4.0 * (audio - self.gate_below).max(0.0);
        // A gate at 1 is none.
        if self.gate_below > 1.0 { together.min(limit) } else { together }
    }

    fn mos_of(&self, audio: Rx, video: Rx) -> f64 {
        self.mos(mos_of(audio).as_f64(), mos_of(video).as_f64())
    }

    fn rx_of(&self, audio: Rx, video: Rx) -> Rx {
        scale::r_from_mos(self.mos_of(audio, video).clamp(1.0, 4.5)).and_then(Rx::clamped).unwrap_or(Rx::MIN)
    }
}

/// Version of [`audio_visual`]: every change of a number raises it.
const VERSION: u32 = 1;

/// Combines audio and video of the same participants over the same time: MOS = 1 + (A − 1)^0.6 · (V − 1)^0.4, gated by
/// audio ([`Weights`]).
///
/// The interval is from both at their worst to both at their best. The parts are those of both: audio and video share
/// the missing points in proportion to what each would gain if it were perfect, and each part has its share of that.
/// The cause is the one impairment of either without which the combined score would be best. The tier is that of the
/// score with less information.
#[must_use]
pub fn audio_visual(audio: &Score, video: &Score, weights: &Weights) -> Score {
    let rx = weights.rx_of(audio.rx, video.rx);
    let mos = weights.mos_of(audio.rx, video.rx);

    let audio_gain = (weights.mos_of(Rx::MAX, video.rx) - mos).max(0.0);
    let video_gain = (weights.mos_of(audio.rx, Rx::MAX) - mos).max(0.0);
    let shares = shares((&audio.parts, audio_gain), (&video.parts, video_gain));
    let mut gains = Parts::new();
    for (cause, gain) in audio.gains.iter() {
        gains.set(cause, weights.rx_of(without(audio, gain), video.rx).as_f64() - rx.as_f64());
    }
    for (cause, gain) in video.gains.iter() {
        gains.set(cause, weights.rx_of(audio.rx, without(video, gain)).as_f64() - rx.as_f64());
    }

    Score::new(ModelId::new("callgauge-av", VERSION), MosScale::AudioVisual, worse_tier(audio.tier, video.tier), rx)
        .with_interval(weights.rx_of(audio.rx_low, video.rx_low), weights.rx_of(audio.rx_high, video.rx_high))
        .with_inputs(audio.inputs.least_sure(video.inputs))
        .with_parts_and_gains(shared(100.0 - rx.as_f64(), (&audio.parts, shares.0), (&video.parts, shares.1)), gains)
}

/// The score without an impairment that costs it `gain`.
fn without(score: &Score, gain: f64) -> Rx {
    Rx::clamped(score.rx.as_f64() + gain).unwrap_or(score.rx)
}

/// The display of ITU-T G.1070, by its diagonal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum G1070Display {
    /// 4.2 inches.
    Inches4_2,
    /// 2.1 inches.
    Inches2_1,
}

/// MMq, multimedia quality of video telephony (ITU-T G.1070 06/2018, clause 11.3), 1 to 5: from speech quality Sq and
/// video quality Vq, 1 to 5, and the one-way delays of speech and video in ms, 0 to 1000 in the Recommendation.
///
/// It is based on video of at most VGA on small displays. `None` for a delay that is negative or not a number.
#[must_use]
pub fn g1070_multimedia(sq: Mos, vq: Mos, ts_ms: f64, tv_ms: f64, display: G1070Display) -> Option<Mos> {
    if !(ts_ms >= 0.0 && tv_ms >= 0.0 && (ts_ms + tv_ms).is_finite()) {
        return None;
    }
    // m1 to m14, by display size.
    let [m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14] = match display {
        G1070Display::Inches4_2 => [
            -0.4457, -0.6638, 0.4042, 2.321, -0.3255, 0.3309, 0.1494, 0.5457, -3.235e-4, 3.915, -1.377e-3, 0.0,
            -1.095e-3, 0.0,
        ],
        G1070Display::Inches2_1 => [
            -0.6966, -0.8127, 0.4562, 3.003, -0.1638, 0.3626, 0.1291, 0.5456, -1.251e-4, 3.763, -1.065e-3, 0.01465,
            -1.002e-3, 0.0,
        ],
    };
    let (sq, vq) = (sq.as_f64(), vq.as_f64());
    let quality = (m5 * sq + m6 * vq + m7 * sq * vq + m8).clamp(1.0, 5.0);
    let absolute = m9 * (ts_ms + tv_ms) + m10;
    let relative = if ts_ms >= tv_ms { m11 * (ts_ms - tv_ms) + m12 } else { m13 * (tv_ms - ts_ms) + m14 }.min(0.0);
    let delay = (absolute + relative).clamp(1.0, 5.0);
    Mos::clamped(m1 * quality + m2 * delay + m3 * quality * delay + m4)
}

/// O.34, the audio-visual quality of a second by ITU-T P.1203.3, 1 to 5: from the audio and the video quality of that
/// second. It is based on films, in which video weighs far more than audio.
#[must_use]
pub fn p1203_o34(audio: Mos, video: Mos) -> Mos {
    let (a, v) = (audio.as_f64(), video.as_f64());
    Mos::clamped(-0.000_690_84 + 0.153_742_83 * a + 0.971_538_61 * v + 0.024_62 * a * v).unwrap_or(Mos::MIN)
}

/// The cost of an offset between audio and video, in points of 100: nothing from 185 ms late to 90 ms early, which
/// ITU-R BT.1359 calls acceptable, and beyond that 10 points for each 100 ms, at most 40.
///
/// `audio_ahead_ms`: how much earlier audio plays than its video; negative if it is late. It is the
/// `estimatedPlayoutTimestamp` of audio less that of video. `None` for NaN.
///
/// The slope is ours: 285 ms early or 385 ms late costs about the difference between 4.2 and 3.8, and lips no longer
/// match the words.
#[must_use]
pub fn sync_points(audio_ahead_ms: f64) -> Option<f64> {
    const EARLY_MS: f64 = 90.0;
    const LATE_MS: f64 = 185.0;
    const POINTS_PER_MS: f64 = 0.1;
    const MOST: f64 = 40.0;
    if audio_ahead_ms.is_nan() {
        return None;
    }
    let beyond_ms = (audio_ahead_ms - EARLY_MS).max(-audio_ahead_ms - LATE_MS).max(0.0);
    Some((beyond_ms * POINTS_PER_MS).min(MOST))
}

/// x^y for x from 0 and y from 0.
fn power(x: f64, y: f64) -> f64 {
    if y == 0.0 { 1.0 } else { libm::pow(x.max(0.0), y) }
}

/// The tier with less information. Audio and video tiers are taken as steps of one ladder.
fn worse_tier(audio: Tier, video: Tier) -> Tier {
    if step(video) > step(audio) { video } else { audio }
}

const fn step(tier: Tier) -> u32 {
    match tier {
        Tier::A1 | Tier::V1 => 1,
        Tier::A2 | Tier::V2 => 2,
        Tier::A3 | Tier::V3 => 3,
        Tier::A4 | Tier::V4 => 4,
        Tier::A5 => 5,
    }
}

/// The shares of audio and video in the missing points, 0 to 1: in proportion to what each would gain if it were
/// perfect, or, if both are so bad that neither alone would gain anything, to what each lacks. A score without parts
/// has no share.
fn shares(audio: (&Parts, f64), video: (&Parts, f64)) -> (f64, f64) {
    let (mut of_audio, mut of_video) = (explained_gain(audio), explained_gain(video));
    if of_audio + of_video == 0.0 {
        (of_audio, of_video) = (audio.0.sum(), video.0.sum());
    }
    let whole = of_audio + of_video;
    if whole > 0.0 { (of_audio / whole, of_video / whole) } else { (0.0, 0.0) }
}

fn explained_gain((parts, gain): (&Parts, f64)) -> f64 {
    if parts.sum() > 0.0 { gain } else { 0.0 }
}

/// The parts of both, each with its share of `points`.
fn shared(points: f64, audio: (&Parts, f64), video: (&Parts, f64)) -> Parts {
    let mut sum = Parts::new();
    for (parts, share) in [audio, video].into_iter().filter(|(_, share)| *share > 0.0) {
        for (cause, part) in parts.iter() {
            sum.set(cause, sum.get(cause) + part / parts.sum() * share * points);
        }
    }
    sum
}
