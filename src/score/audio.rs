//! Scores audio: the E-model applied to concealment. It reads [`AudioInputs`] only, and never a stream.
//!
//! R = Ro − Ie,eff − Its − Id, on the fullband scale of ITU-T G.107.2 for every codec, so that scores are comparable;
//! and also on the codec's own scale ([`Score::native`]).
//!
//! | term | from |
//! |---|---|
//! | Ie, Bpl | the codec at the bit rate of its own frames ([`codec`](crate::emodel::codec)), without redundancy |
//! | Ppl | audible concealment, after retransmission, error correction, redundancy and late packets, plus κ times the packets recovered by error correction |
//! | BurstR | the length of a concealment, in packets, relative to random loss |
//! | Its | samples time-stretched by the jitter buffer; our own term |
//! | Id | half the round trip, the measured jitter buffer, playout, a frame and the codec's look-ahead. Jitter is never added to a measured buffer: the buffer is the cost of jitter |
//!
//! Concealment in silence is inaudible. The weight of an interval is its level relative to the talker's own level
//! ([`AudioWindow`]).
//!
//! ```
//! use callgauge::score::audio::{AudioInputs, AudioModel};
//! use callgauge::score::{Cause, Model, Origin, Input, Tier};
//! use callgauge::unit::{Bitrate, Ratio};
//!
//! let mut inputs = AudioInputs::new();
//! inputs.codec = Some("opus");
//! inputs.bitrate = Bitrate::new(31_000.0);
//! inputs.concealed = Ratio::new(0.05);
//! let score = AudioModel::new().score(&inputs)?;
//! assert_eq!(format!("{:.2}", score.mos()), "3.28");
//! assert_eq!((score.tier, score.cause), (Tier::A1, Some(Cause::Loss)));
//! // The delay is unknown: this is listening quality.
//! assert_eq!((score.lq(), score.inputs.get(Input::RoundTrip)), (Some(score.mos()), Some(Origin::Missing)));
//!
//! inputs.rtt_ms = Some(600.0);
//! inputs.jitter_buffer_ms = Some(120.0);
//! let far = AudioModel::new().score(&inputs)?;
//! assert!(far.mos() < score.mos() && far.lq() == score.lq());
//! # Ok::<(), callgauge::score::NoScore>(())
//! ```

mod window;

pub use window::AudioWindow;

use super::evidence::{Cause, Input, Inputs, Origin, Parts};
use super::model::{Model, ModelId, Native, NoScore, Score, Tier, held};
use crate::emodel::codec::{Basis, CodecImpairment, CodecQuery, CodecTable};
use crate::emodel::equipment::valid_burst_r;
use crate::emodel::{Equipment, Scale, delay};
use crate::unit::{Bitrate, Ratio, Rx};

/// The figures of an audio stream over a window. Any of them may be unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AudioInputs<'a> {
    /// The codec, as getStats spells its `mimeType` or SDP its encoding name.
    pub codec: Option<&'a str>,
    /// Whether the encoder uses a constant bit rate (`cbr=1` in Opus's fmtp).
    pub constant_bitrate: bool,
    /// Whether the sender may add error correction to its packets (`useinbandfec=1`), for callers that know only the
    /// network loss.
    pub error_correction: bool,
    /// The bit rate of the payload during speech, redundancy included.
    pub bitrate: Option<Bitrate>,
    /// Audio per packet, ms; 20 is assumed if unknown.
    pub packet_ms: Option<f64>,
    /// How many earlier frames a packet repeats, by in-band error correction or RED: 1 for one generation of RED.
    pub redundancy: Option<f64>,
    /// Samples concealed audibly, of all samples, after every repair.
    pub concealed: Option<Ratio>,
    /// How often concealment began, per second.
    pub concealments_per_second: Option<f64>,
    /// Packets lost, of all expected.
    pub lost: Option<Ratio>,
    /// Whether the remote endpoint counted the loss.
    pub lost_at_far_end: bool,
    /// Packets that arrived too late to be played, of all that arrived.
    pub discarded: Option<Ratio>,
    /// Packets recovered by error correction, of all expected.
    pub recovered: Option<Ratio>,
    /// Samples inserted and removed by the jitter buffer, of all samples.
    pub stretched: Option<Ratio>,
    /// Round trip of the network, ms. Through a server it covers one leg only, and the score is too high.
    pub rtt_ms: Option<f64>,
    /// Interarrival jitter, ms: used only if the jitter buffer's delay is unknown.
    pub jitter_ms: Option<f64>,
    /// Mean time in the jitter buffer, ms.
    pub jitter_buffer_ms: Option<f64>,
    /// Delay from the decoder to the loudspeaker, ms.
    pub playout_ms: Option<f64>,
    /// Whether the level is known, and so which part was speech.
    pub level_known: bool,
    /// Amount of audible media, ms; `None` if the figures stand for any duration.
    pub active_ms: Option<f64>,
}

impl AudioInputs<'_> {
    /// All figures unknown.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            codec: None,
            constant_bitrate: false,
            error_correction: false,
            bitrate: None,
            packet_ms: None,
            redundancy: None,
            concealed: None,
            concealments_per_second: None,
            lost: None,
            lost_at_far_end: false,
            discarded: None,
            recovered: None,
            stretched: None,
            rtt_ms: None,
            jitter_ms: None,
            jitter_buffer_ms: None,
            playout_ms: None,
            level_known: false,
            active_ms: None,
        }
    }
}

/// The default audio model.
///
/// Ie and Bpl are published (see [`codec`](crate::emodel::codec)); the constants here are ours. κ and the half point of
/// stretching are fitted by `cargo run --release --example validate -- DIRECTORY --fit`, only on the recordings marked
/// for fitting; the README shows how well scores agree with measured quality.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioModel {
    codecs: CodecTable,
    kappa: f64,
    stretch_most: f64,
    stretch_half: f64,
    device_ms: f64,
}

/// Default amount of audio per packet, ms (RFC 7874 clause 3 requires support for 20 ms).
pub(super) const PACKET_MS: f64 = 20.0;

/// An assumed value: usual, worst and best.
#[derive(Clone, Copy)]
struct LossRange {
    usual: f64,
    worst: f64,
    best: f64,
}

/// Uncertainty of a published Ie, in R: the spread of the published values for Opus between neighbouring rates and
/// between VBR and CBR.
const IE_SPREAD: f64 = 4.0;
/// Uncertainty of Ie if the bit rate is assumed or outside the published ones, in R.
const IE_SPREAD_ASSUMED: f64 = 8.0;
/// Uncertainty of Bpl, as factors: for Opus (10.4) from 8 to 20, the result of listening tests on raw loss.
const BPL: LossRange = LossRange { usual: 1.0, worst: 0.77, best: 1.92 };
/// Delay from microphone to packet and from decoder to ear if the playout delay is unknown, ms.
const DEVICE_WORST_MS: f64 = 80.0;
const DEVICE_BEST_MS: f64 = 10.0;
/// Delay from the microphone to the encoder, ms, used if the playout delay is known.
const CAPTURE_MS: f64 = 10.0;
/// Look-ahead of an encoder that does not state one, ms: that of CELP codecs (G.729).
const LOOKAHEAD_MS: f64 = 5.0;
/// Late packets, of all that arrived, if they are not counted. A choice: jitter buffers follow the network, and no
/// recording used for fitting has more.
const DISCARDS_WORST: f64 = 0.005;
/// Burstiness if it is unknown. G.107 has no BurstR above 2 from 2 % of loss on, and speech metrics react to it less
/// than its formula does.
const BURST_R_WORST: f64 = 1.5;
/// Time-stretched samples if they are not counted, percent: the mean over the recordings used for fitting.
const STRETCHED_WORST_PERCENT: f64 = 0.35;
/// Jitter buffer delay if it is not measured, ms: NetEq's usual target, or three times the jitter if that is more.
const BUFFER_MS: f64 = 40.0;
impl Default for AudioModel {
    fn default() -> Self {
        Self::new()
    }
}

impl AudioModel {
    /// The version: every change of a number raises it.
    pub const VERSION: u32 = 3;

    /// The published codecs, and the fitted constants.
    #[must_use]
    pub const fn new() -> Self {
        Self { codecs: CodecTable::new(), kappa: 0.075, stretch_most: 40.0, stretch_half: 0.9, device_ms: 30.0 }
    }

    /// Sets the table of codecs.
    #[must_use]
    pub fn with_codecs(mut self, codecs: CodecTable) -> Self {
        self.codecs = codecs;
        self
    }

    /// Sets κ: the cost of a packet recovered by error correction, relative to that of a concealed one, 0 to 1. It is
    /// recovered at a lower rate than it was sent. Values outside are clamped; NaN is ignored.
    #[must_use]
    pub const fn with_kappa(mut self, kappa: f64) -> Self {
        self.kappa = held(kappa, 0.0, 1.0, self.kappa);
        self
    }

    /// Sets the most that stretching costs, in R on the fullband scale (default 40), and the percentage of stretched
    /// samples that costs half of that: Its = most · x / (x + half). The most is a choice: PESQ, to which the half
    /// point is fitted, would give more, ViSQOL and PLCMOS next to nothing.
    #[must_use]
    pub const fn with_stretching(mut self, most: f64, half_percent: f64) -> Self {
        self.stretch_most = held(most, 0.0, 148.0, self.stretch_most);
        self.stretch_half = held(half_percent, 0.01, 100.0, self.stretch_half);
        self
    }

    /// Sets the delay of microphone, loudspeaker and their drivers if it is not measured, ms; default 30. The score's
    /// interval assumes 10 to 80.
    #[must_use]
    pub const fn with_device_delay(mut self, ms: f64) -> Self {
        self.device_ms = held(ms, 0.0, 1_000.0, self.device_ms);
        self
    }

    /// The table of codecs.
    #[must_use]
    pub const fn codecs(&self) -> &CodecTable {
        &self.codecs
    }

    /// The audible loss in the inputs.
    fn loss(&self, inputs: &AudioInputs<'_>) -> Result<Loss, NoScore> {
        let recovered = inputs.recovered.map_or(0.0, Ratio::as_f64);
        if let Some(concealed) = inputs.concealed {
            let concealed = concealed.as_f64();
            return Ok(Loss {
                tier: Tier::A1,
                audible: LossRange { usual: concealed, worst: concealed, best: concealed },
                recovered,
                burst_r: inputs.concealments_per_second.map(|begun| burst_r(concealed, begun, packet_ms(inputs))),
            });
        }
        let lost = inputs.lost.ok_or(NoScore::NoLossInformation)?.as_f64();
        let discarded = inputs.discarded.filter(|_| !inputs.lost_at_far_end).map(Ratio::as_f64);
        let tier = match discarded {
            Some(_) => Tier::A2,
            None if inputs.lost_at_far_end => Tier::A4,
            None => Tier::A3,
        };
        let gone = lost_or_late(lost, discarded.unwrap_or(0.0));
        let worst = lost_or_late(lost, discarded.unwrap_or(DISCARDS_WORST));
        Ok(match inputs.recovered.filter(|_| tier == Tier::A2) {
            Some(_) => {
                let left = (gone - recovered).max(0.0);
                Loss { tier, audible: LossRange { usual: left, worst, best: left }, recovered, burst_r: None }
            }
            None => {
                // The next packet recovers each lost packet unless it is lost, too.
                let twice = gone * gone;
                let (usual, recovered) = if inputs.error_correction { (twice, gone - twice) } else { (gone, 0.0) };
                Loss { tier, audible: LossRange { usual, worst, best: twice }, recovered, burst_r: None }
            }
        })
    }

    /// The codec's impairment at the rate of its own frames, and the origin of that rate.
    fn equipment(&self, inputs: &AudioInputs<'_>) -> Result<Coded, NoScore> {
        let name = inputs.codec.ok_or(NoScore::UnknownCodec)?;
        let query = CodecQuery::new(name).with_constant_bitrate(inputs.constant_bitrate);
        // A repeated frame takes as many bits as an original one.
        let own = 1.0 / (1.0 + real(inputs.redundancy).unwrap_or(0.0));
        let bitrate = inputs.bitrate.and_then(|bitrate| Bitrate::new(bitrate.as_bps() * own));
        let (found, origin) = match (self.find_at(&query, bitrate), bitrate) {
            (Some(found), Some(_)) => (found, if own == 1.0 { Origin::Measured } else { Origin::Derived }),
            (Some(found), None) => (found, Origin::Derived),
            // Below the lowest rate, quality is at most the quality there.
            (None, Some(_)) => (
                self.find_at(&query, self.codecs.lowest_bitrate(&query)).ok_or(NoScore::UnknownCodec)?,
                Origin::Assumed,
            ),
            (None, None) => {
                (self.find_at(&query, self.codecs.usual_bitrate(name)).ok_or(NoScore::UnknownCodec)?, Origin::Assumed)
            }
        };
        let spread =
            if origin == Origin::Assumed || found.basis == Basis::Extrapolated { IE_SPREAD_ASSUMED } else { IE_SPREAD };
        Ok(Coded {
            equipment: found.equipment,
            origin,
            spread,
            lookahead_ms: found.lookahead_ms.unwrap_or(LOOKAHEAD_MS),
        })
    }

    fn find_at(&self, query: &CodecQuery<'_>, bitrate: Option<Bitrate>) -> Option<CodecImpairment> {
        self.codecs.find(&query.with_bitrate(bitrate))
    }

    fn evaluate(&self, equipment: Equipment, loss: &Loss, case: &LossCase) -> Result<AudioTerms, NoScore> {
        self.terms(equipment, loss, case).ok_or(NoScore::UnknownRobustness)
    }

    /// R on the scale of `equipment`, term by term.
    fn terms(&self, equipment: Equipment, loss: &Loss, case: &LossCase) -> Option<AudioTerms> {
        let scale = equipment.scale();
        let codec = (equipment.ie() + case.ie).clamp(0.0, scale.max_ie_eff() + scale.ie_gain(Scale::Fullband)?);
        let stretch = self.stretch_most * case.stretched_percent / (case.stretched_percent + self.stretch_half);
        Some(AudioTerms {
            scale,
            codec: scale.max_r() - scale.default_r() + codec,
            loss: loss.impairment(&equipment, codec, case)?,
            stretch: stretch * scale.stretch() / Scale::Fullband.stretch(),
            delay: case.ta_ms.map_or(0.0, |ta_ms| scale.stretch() * delay::idd_tabled(ta_ms)),
        })
    }

    /// The mouth-to-ear delay, ms: usual, worst, best. `None` if the network delay is not measured.
    fn mouth_to_ear(&self, inputs: &AudioInputs<'_>, lookahead_ms: f64) -> Option<LossRange> {
        let network = real(inputs.rtt_ms)? / 2.0 + packet_ms(inputs) + lookahead_ms;
        let device = match real(inputs.playout_ms) {
            Some(playout) => {
                LossRange { usual: CAPTURE_MS + playout, worst: CAPTURE_MS + playout, best: CAPTURE_MS + playout }
            }
            None => LossRange {
                usual: self.device_ms,
                worst: DEVICE_WORST_MS.max(self.device_ms),
                best: DEVICE_BEST_MS.min(self.device_ms),
            },
        };
        let buffer = match real(inputs.jitter_buffer_ms) {
            Some(buffer) => LossRange { usual: buffer, worst: buffer, best: buffer },
            None => {
                let buffer = real(inputs.jitter_ms).map_or(BUFFER_MS, |jitter| BUFFER_MS.max(3.0 * jitter));
                LossRange { usual: buffer, worst: 2.0 * buffer, best: 0.5 * buffer }
            }
        };
        Some(LossRange {
            usual: network + buffer.usual + device.usual,
            worst: network + buffer.worst + device.worst,
            best: network + buffer.best + device.best,
        })
    }
}

impl Model<AudioInputs<'_>> for AudioModel {
    fn id(&self) -> ModelId {
        ModelId::new("callgauge-audio", Self::VERSION)
    }

    fn score(&self, inputs: &AudioInputs<'_>) -> Result<Score, NoScore> {
        let loss = self.loss(inputs)?;
        let coded = self.equipment(inputs)?;
        let delay = self.mouth_to_ear(inputs, coded.lookahead_ms);
        let fullband = coded.equipment.onto(Scale::Fullband).ok_or(NoScore::UnknownCodec)?;
        let stretched = inputs.stretched.filter(|_| loss.tier == Tier::A1).map(|ratio| ratio.as_f64() * 100.0);

        let usual = LossCase {
            ie: 0.0,
            bpl: BPL.usual,
            kappa: self.kappa,
            audible: loss.audible.usual,
            burst_r: loss.burst_r.unwrap_or(1.0),
            stretched_percent: stretched.unwrap_or(0.0),
            ta_ms: delay.map(|delay| delay.usual),
        };
        let terms = self.evaluate(fullband, &loss, &usual)?;
        let alone = loss.impairment(&fullband, 0.0, &usual).ok_or(NoScore::UnknownRobustness)?;
        let worst = self.evaluate(
            fullband,
            &loss,
            &LossCase {
                ie: coded.spread,
                bpl: BPL.worst,
                kappa: 1.0,
                audible: loss.audible.worst,
                burst_r: loss.burst_r.unwrap_or(BURST_R_WORST),
                stretched_percent: stretched.unwrap_or(STRETCHED_WORST_PERCENT),
                ta_ms: delay.map(|delay| delay.worst),
            },
        )?;
        let best = self.evaluate(
            fullband,
            &loss,
            &LossCase {
                ie: -coded.spread,
                bpl: BPL.best,
                kappa: 0.0,
                audible: loss.audible.best,
                ta_ms: delay.map(|delay| delay.best),
                ..usual
            },
        )?;
        let mut score = Score::new(self.id(), Scale::Fullband.into(), loss.tier, terms.rx(true))
            .with_interval(worst.rx(true), best.rx(true))
            .widened_for(inputs.active_ms)
            .with_listening_quality(terms.rx(false))
            .with_inputs(origins(inputs, &loss, coded.origin))
            .with_parts_and_gains(terms.parts(), terms.gains(alone));
        let native = if coded.equipment.scale() == Scale::Fullband {
            terms
        } else {
            self.evaluate(coded.equipment, &loss, &usual)?
        };
        score = score.with_native(Native::new(native.scale, native.rx(true)));
        Ok(score)
    }
}

/// Audible loss.
#[derive(Clone, Copy)]
struct Loss {
    tier: Tier,
    /// Ratios, without recovered packets.
    audible: LossRange,
    recovered: f64,
    burst_r: Option<f64>,
}

impl Loss {
    /// The impairment by loss on top of a codec's `ie`, in R.
    fn impairment(&self, equipment: &Equipment, ie: f64, case: &LossCase) -> Option<f64> {
        let ppl = (case.audible + case.kappa * self.recovered).min(1.0);
        loss_impairment(equipment, ie, case.bpl, ppl * 100.0, case.burst_r)
    }
}

/// A codec at a bit rate.
#[derive(Clone, Copy)]
struct Coded {
    equipment: Equipment,
    /// The origin of the rate.
    origin: Origin,
    /// Uncertainty of Ie, in R.
    spread: f64,
    lookahead_ms: f64,
}

/// The assumptions of one evaluation.
#[derive(Clone, Copy)]
struct LossCase {
    /// Added to Ie.
    ie: f64,
    /// A factor on Bpl.
    bpl: f64,
    kappa: f64,
    audible: f64,
    burst_r: f64,
    stretched_percent: f64,
    ta_ms: Option<f64>,
}

/// The cost of each impairment, in R on `scale`.
#[derive(Clone, Copy)]
struct AudioTerms {
    scale: Scale,
    codec: f64,
    loss: f64,
    stretch: f64,
    delay: f64,
}

impl AudioTerms {
    fn points(&self, r: f64) -> f64 {
        r / self.scale.stretch()
    }

    fn rx(&self, with_delay: bool) -> Rx {
        let delay = if with_delay { self.delay } else { 0.0 };
        let impairments = self.codec + self.loss + self.stretch + delay;
        Rx::clamped(self.points(self.scale.max_r() - impairments)).unwrap_or(Rx::MIN)
    }

    fn rest(&self, impairments: f64) -> f64 {
        (100.0 - self.points(impairments)).max(0.0)
    }

    /// By how many points the score would rise without each impairment. `loss_alone`: the cost of the same loss with a
    /// codec that costs nothing itself.
    fn gains(&self, loss_alone: f64) -> Parts {
        let sum = self.codec + self.loss + self.stretch + self.delay;
        let rx = self.rest(sum);
        let mut gains = Parts::new();
        for (cause, without) in [
            (Cause::Codec, sum - self.codec - self.loss + loss_alone),
            (Cause::Loss, sum - self.loss),
            (Cause::TimeStretch, sum - self.stretch),
            (Cause::Delay, sum - self.delay),
        ] {
            gains.set(cause, self.rest(without) - rx);
        }
        gains
    }

    /// The points of each impairment: if the sum exceeds 100, each counts less.
    fn parts(&self) -> Parts {
        let points = self.points(self.codec + self.loss + self.stretch + self.delay);
        let share = if points > 100.0 { 100.0 / points } else { 1.0 };
        let mut parts = Parts::new();
        for (cause, r) in [
            (Cause::Codec, self.codec),
            (Cause::Loss, self.loss),
            (Cause::TimeStretch, self.stretch),
            (Cause::Delay, self.delay),
        ] {
            parts.set(cause, self.points(r) * share);
        }
        parts
    }
}

/// The cost of loss in addition to the codec's `ie`: Ie,eff − Ie of G.107 equation 7-29 up to the ceiling.
///
/// Beyond the ceiling (dense bursts under heavy loss) the published formula has a worse codec gain; there the
/// impairment continues to the end of the scale instead, so that it rises both with loss and with Ie. `None` for loss
/// without a known Bpl.
fn loss_impairment(equipment: &Equipment, ie: f64, bpl_factor: f64, ppl: f64, burst_r: f64) -> Option<f64> {
    if ppl <= 0.0 {
        return Some(0.0);
    }
    let bpl = equipment.bpl()? * bpl_factor;
    let share = ppl / (ppl / valid_burst_r(burst_r, ppl) + bpl);
    let ceiling = equipment.ceiling().max(ie);
    let to_end = (equipment.scale().max_r() - ceiling).max(0.0);
    Some((ceiling - ie) * share.min(1.0) + to_end * (share - 1.0).clamp(0.0, 1.0))
}

/// BurstR of concealment: its mean length, in packets, over that of random loss of the same rate, 1 / (1 − rate). At
/// least 1. A rate above one half counts as one half: endless concealment has no length.
fn burst_r(concealed: f64, begun_per_second: f64, packet_ms: f64) -> f64 {
    if begun_per_second.is_nan() || begun_per_second <= 0.0 {
        // One that began before the window, or none.
        return if concealed > 0.0 { f64::INFINITY } else { 1.0 };
    }
    let packets = concealed / begun_per_second * (1e3 / packet_ms);
    (packets * (1.0 - concealed.min(0.5))).max(1.0)
}

/// The fraction of packets that are lost, or late: `late` of those that arrived.
fn lost_or_late(lost: f64, late: f64) -> f64 {
    (lost + (1.0 - lost) * late).min(1.0)
}

/// The origin of each input.
fn origins(inputs: &AudioInputs<'_>, loss: &Loss, bitrate: Origin) -> Inputs {
    let mut origins = match loss.tier {
        Tier::A1 => Inputs::new()
            .with(Input::Concealment, Origin::Measured)
            .with(Input::TimeStretch, Origin::measured(inputs.stretched.is_some())),
        Tier::A2 => Inputs::new().with(Input::Loss, Origin::Measured).with(Input::Discards, Origin::Measured),
        _ => Inputs::new().with(Input::Loss, Origin::Measured).with(Input::Discards, Origin::Missing),
    };
    let recovery = if matches!(loss.tier, Tier::A1 | Tier::A2) {
        Origin::measured(inputs.recovered.is_some())
    } else {
        Origin::Assumed
    };
    origins = origins
        .with(Input::Recovery, recovery)
        .with(Input::Burstiness, if loss.burst_r.is_some() { Origin::Derived } else { Origin::Assumed })
        .with(Input::Codec, Origin::Measured)
        .with(Input::Bitrate, bitrate)
        .with(Input::Robustness, Origin::Assumed)
        .with(Input::Level, Origin::measured(inputs.level_known))
        .with(Input::RoundTrip, Origin::measured(inputs.rtt_ms.is_some()));
    if inputs.rtt_ms.is_some() {
        origins = origins
            .with(Input::JitterBuffer, Origin::measured_or_assumed(inputs.jitter_buffer_ms.is_some()))
            .with(Input::Playout, Origin::measured_or_assumed(inputs.playout_ms.is_some()));
    }
    origins
}

/// Audio per packet, ms: from the shortest frame of Opus (RFC 6716) to the longest packet.
fn packet_ms(inputs: &AudioInputs<'_>) -> f64 {
    inputs.packet_ms.filter(|ms| (2.5..=120.0).contains(ms)).unwrap_or(PACKET_MS)
}

/// A plausible duration in ms, or number of frames.
fn real(value: Option<f64>) -> Option<f64> {
    value.filter(|value| (0.0..=1e7).contains(value))
}
