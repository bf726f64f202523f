//! Sound into a score: the E-model on what was concealed.
//!
//! R = Ro − Ie,eff − Its − Id, on the fullband scale of ITU-T G.107.2 for every codec, so that scores can be compared;
//! and on the codec's own scale beside it ([`Score::native`]).
//!
//! | term | from |
//! |---|---|
//! | Ie, Bpl | the codec at the bit rate of its own frames ([`codec`](super::codec)); redundancy is not the codec's |
//! | Ppl | what was concealed audibly, after retransmission, error correction, redundancy and lateness, plus κ times what error correction brought back |
//! | BurstR | how long a concealment is, in packets, over what random loss would make of it |
//! | Its | samples stretched and squeezed by the jitter buffer; a term of ours |
//! | Id | half the round trip, the jitter buffer as measured, playout, a frame and the codec's look-ahead. Jitter is never added to a buffer that was measured: the buffer is what jitter costs |
//!
//! Concealment where nobody speaks is not heard. A stream's interval counts by how loud it is beside the talker's own
//! level ([`AudioWindow`]).
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
//! // Nobody said how long the way is: this is listening quality.
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
use crate::emodel::codec::{Basis, CodecQuery, CodecTable};
use crate::emodel::equipment::valid_burst_r;
use crate::emodel::{Equipment, Scale, delay};
use crate::unit::{Bitrate, Ratio, Rx};

/// What is known of a stream of sound over a window. Everything may be unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AudioInputs<'a> {
    /// The codec, as getStats spells its `mimeType` or SDP its encoding name.
    pub codec: Option<&'a str>,
    /// Whether the encoder keeps one rate (`cbr=1` in Opus's fmtp).
    pub constant_bitrate: bool,
    /// Whether the sender may add error correction to its packets (`useinbandfec=1`), for those who see only what the
    /// network lost.
    pub error_correction: bool,
    /// The bit rate of the payload while there was speech, redundancy included.
    pub bitrate: Option<Bitrate>,
    /// How much sound a packet carries, ms; 20 is assumed where that is not known.
    pub packet_ms: Option<f64>,
    /// How many frames a packet carries again beside its own: as in-band error correction, or as RED. Of one generation
    /// of RED it is 1.
    pub redundancy: Option<f64>,
    /// Concealed audibly, of all samples, after every repair.
    pub concealed: Option<Ratio>,
    /// How often concealment began, per second.
    pub concealments_per_second: Option<f64>,
    /// Packets lost, of all that were expected.
    pub lost: Option<Ratio>,
    /// Whether it is the other end that counted the loss.
    pub lost_at_far_end: bool,
    /// Packets that came too late to be played, of all that came.
    pub discarded: Option<Ratio>,
    /// Packets that error correction brought back, of all that were expected.
    pub recovered: Option<Ratio>,
    /// Samples inserted and removed by the jitter buffer, of all samples.
    pub stretched: Option<Ratio>,
    /// Round trip of the network, ms. Through a server it is that of one leg, and the score is too kind.
    pub rtt_ms: Option<f64>,
    /// Interarrival jitter, ms: of use only where the jitter buffer's delay is not known.
    pub jitter_ms: Option<f64>,
    /// Mean time in the jitter buffer, ms.
    pub jitter_buffer_ms: Option<f64>,
    /// From the decoder to the loudspeaker, ms.
    pub playout_ms: Option<f64>,
    /// Whether it is known how loud it was, and so what of it was speech.
    pub level_known: bool,
    /// How much there was to hear, ms; `None` where the figures stand for as much as anybody wants.
    pub active_ms: Option<f64>,
}

impl AudioInputs<'_> {
    /// Nothing is known.
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

/// The model that scores sound unless another is chosen.
///
/// Ie and Bpl are published (see [`codec`](super::codec)); the constants here are ours. κ and the half point of stretching
/// are fitted to recordings by `cargo run --release --example validate -- DIRECTORY --fit`, on those that are marked for
/// it alone; the README says how scores then agree with measured quality.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioModel {
    codecs: CodecTable,
    kappa: f64,
    stretch_most: f64,
    stretch_half: f64,
    device_ms: f64,
}

/// How much sound a packet carries unless told otherwise, ms (RFC 7874 clause 3 wants 20 ms supported).
pub(super) const PACKET_MS: f64 = 20.0;

/// What is assumed where nobody measured it: as usual, at its worst, at its best.
#[derive(Clone, Copy)]
struct Range {
    usual: f64,
    worst: f64,
    best: f64,
}

/// How uncertain a published Ie is, in R: the spread of the published values for Opus between neighbouring rates and
/// between VBR and CBR.
const IE_SPREAD: f64 = 4.0;
/// How uncertain Ie is where the bit rate is assumed or lies beyond the published ones.
const IE_SPREAD_ASSUMED: f64 = 8.0;
/// How uncertain Bpl is, as factors: for Opus (10.4) from 8 to 20, which listening tests on raw loss come to.
const BPL: Range = Range { usual: 1.0, worst: 0.77, best: 1.92 };
/// From microphone to packet and from decoder to ear, where the playout delay is not known, ms.
const DEVICE_WORST_MS: f64 = 80.0;
const DEVICE_BEST_MS: f64 = 10.0;
/// The part of that which lies before the encoder, ms, for when the playout delay is known.
const CAPTURE_MS: f64 = 10.0;
/// How far an encoder looks ahead of which nobody says it: as CELP codecs do (G.729), ms.
const LOOKAHEAD_MS: f64 = 5.0;
/// Packets that may have come too late, of all that came, where nobody counted them. A choice: jitter buffers follow the
/// network, and none of the recordings for fitting has more.
const DISCARDS_WORST: f64 = 0.005;
/// How bursty loss may be where nobody can tell. G.107 has no larger BurstR than 2 from 2 % of loss on, and metrics of
/// speech hear less of it than its formula does.
const BURST_R_WORST: f64 = 1.5;
/// What may have been stretched where nobody counted it, percent: the mean over the recordings for fitting.
const STRETCHED_WORST_PERCENT: f64 = 0.35;
/// A jitter buffer that nobody measured, ms: NetEq's usual target, or three times the jitter if that is more.
const BUFFER_MS: f64 = 40.0;
impl Default for AudioModel {
    fn default() -> Self {
        Self::new()
    }
}

impl AudioModel {
    /// Its version: whatever changes a number raises it.
    pub const VERSION: u32 = 2;

    /// The published codecs, and the constants as fitted.
    #[must_use]
    pub const fn new() -> Self {
        Self { codecs: CodecTable::new(), kappa: 0.075, stretch_most: 40.0, stretch_half: 0.9, device_ms: 30.0 }
    }

    /// Another table of codecs.
    #[must_use]
    pub fn with_codecs(mut self, codecs: CodecTable) -> Self {
        self.codecs = codecs;
        self
    }

    /// κ: what a packet that error correction brought back costs, as a share of what a concealed one does, 0 to 1. It
    /// comes back at a lower rate than it was sent. What lies outside is brought inside; NaN is ignored.
    #[must_use]
    pub const fn with_kappa(mut self, kappa: f64) -> Self {
        self.kappa = held(kappa, 0.0, 1.0, self.kappa);
        self
    }

    /// What stretching can take at most, in R on the fullband scale (40 unless set), and the percentage of samples
    /// stretched at which it takes half of that: Its = most · x / (x + half). The most is a choice: PESQ, which the half
    /// point is fitted to, would have more, ViSQOL and PLCMOS next to nothing.
    #[must_use]
    pub const fn with_stretching(mut self, most: f64, half_percent: f64) -> Self {
        self.stretch_most = held(most, 0.0, 148.0, self.stretch_most);
        self.stretch_half = held(half_percent, 0.01, 100.0, self.stretch_half);
        self
    }

    /// The delay of microphone, loudspeaker and their drivers where nobody measured it, ms; 30 unless set. The interval of
    /// the score takes it to be 10 to 80.
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

    /// What loss left to hear, as the inputs tell it.
    fn loss(&self, inputs: &AudioInputs<'_>) -> Result<Loss, NoScore> {
        let recovered = inputs.recovered.map_or(0.0, Ratio::as_f64);
        if let Some(concealed) = inputs.concealed {
            let concealed = concealed.as_f64();
            return Ok(Loss {
                tier: Tier::A1,
                heard: Range { usual: concealed, worst: concealed, best: concealed },
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
        let late = |share: f64| (lost + (1.0 - lost) * share).min(1.0);
        let gone = late(discarded.unwrap_or(0.0));
        let worst = late(discarded.unwrap_or(DISCARDS_WORST));
        Ok(match inputs.recovered.filter(|_| tier == Tier::A2) {
            Some(_) => {
                let left = (gone - recovered).max(0.0);
                Loss { tier, heard: Range { usual: left, worst, best: left }, recovered, burst_r: None }
            }
            None => {
                // Of what one packet in a row lost, the next one brings back all but what is lost with it.
                let twice = gone * gone;
                let (usual, recovered) = if inputs.error_correction { (twice, gone - twice) } else { (gone, 0.0) };
                Loss { tier, heard: Range { usual, worst, best: twice }, recovered, burst_r: None }
            }
        })
    }

    /// What the codec takes at the rate of its own frames, and where that rate comes from.
    fn equipment(&self, inputs: &AudioInputs<'_>) -> Result<Coded, NoScore> {
        let name = inputs.codec.ok_or(NoScore::UnknownCodec)?;
        let query = CodecQuery::new(name).with_constant_bitrate(inputs.constant_bitrate);
        // A frame that is carried again takes as many bits as one of its own.
        let own = 1.0 / (1.0 + real(inputs.redundancy).unwrap_or(0.0));
        let bitrate = inputs.bitrate.and_then(|bitrate| Bitrate::new(bitrate.as_bps() * own));
        let at = |bitrate| self.codecs.find(&query.with_bitrate(bitrate));
        let (found, origin) = match (at(bitrate), bitrate) {
            (Some(found), Some(_)) => (found, if own == 1.0 { Origin::Measured } else { Origin::Derived }),
            (Some(found), None) => (found, Origin::Derived),
            // Below the lowest rate it is at least as bad as there.
            (None, Some(_)) => (at(self.codecs.lowest_bitrate(&query)).ok_or(NoScore::UnknownCodec)?, Origin::Assumed),
            (None, None) => (at(self.codecs.usual_bitrate(name)).ok_or(NoScore::UnknownCodec)?, Origin::Assumed),
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

    /// R on the scale of `equipment`, term by term.
    fn terms(&self, equipment: Equipment, loss: &Loss, case: &Case) -> Option<Terms> {
        let scale = equipment.scale();
        let codec = (equipment.ie() + case.ie).clamp(0.0, scale.max_ie_eff() + scale.ie_gain(Scale::Fullband)?);
        let stretch = self.stretch_most * case.stretched_percent / (case.stretched_percent + self.stretch_half);
        Some(Terms {
            scale,
            codec: scale.max_r() - scale.default_r() + codec,
            loss: loss.impairment(&equipment, codec, case)?,
            stretch: stretch * scale.stretch() / Scale::Fullband.stretch(),
            delay: case.ta_ms.map_or(0.0, |ta_ms| scale.stretch() * delay::idd_tabled(ta_ms)),
        })
    }

    /// The way from mouth to ear, ms: as usual, at its worst, at its best. `None` when nobody measured the network.
    fn way(&self, inputs: &AudioInputs<'_>, lookahead_ms: f64) -> Option<Range> {
        let network = real(inputs.rtt_ms)? / 2.0 + packet_ms(inputs) + lookahead_ms;
        let device = match real(inputs.playout_ms) {
            Some(playout) => {
                Range { usual: CAPTURE_MS + playout, worst: CAPTURE_MS + playout, best: CAPTURE_MS + playout }
            }
            None => Range {
                usual: self.device_ms,
                worst: DEVICE_WORST_MS.max(self.device_ms),
                best: DEVICE_BEST_MS.min(self.device_ms),
            },
        };
        let buffer = match real(inputs.jitter_buffer_ms) {
            Some(buffer) => Range { usual: buffer, worst: buffer, best: buffer },
            None => {
                let buffer = real(inputs.jitter_ms).map_or(BUFFER_MS, |jitter| BUFFER_MS.max(3.0 * jitter));
                Range { usual: buffer, worst: 2.0 * buffer, best: 0.5 * buffer }
            }
        };
        Some(Range {
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
        let way = self.way(inputs, coded.lookahead_ms);
        let fullband = coded.equipment.onto(Scale::Fullband).ok_or(NoScore::UnknownCodec)?;
        let stretched = inputs.stretched.filter(|_| loss.tier == Tier::A1).map(|ratio| ratio.as_f64() * 100.0);
        let of = |equipment, case: &Case| self.terms(equipment, &loss, case).ok_or(NoScore::UnknownRobustness);

        let usual = Case {
            ie: 0.0,
            bpl: BPL.usual,
            kappa: self.kappa,
            heard: loss.heard.usual,
            burst_r: loss.burst_r.unwrap_or(1.0),
            stretched_percent: stretched.unwrap_or(0.0),
            ta_ms: way.map(|way| way.usual),
        };
        let terms = of(fullband, &usual)?;
        let alone = loss.impairment(&fullband, 0.0, &usual).ok_or(NoScore::UnknownRobustness)?;
        let worst = of(
            fullband,
            &Case {
                ie: coded.spread,
                bpl: BPL.worst,
                kappa: 1.0,
                heard: loss.heard.worst,
                burst_r: loss.burst_r.unwrap_or(BURST_R_WORST),
                stretched_percent: stretched.unwrap_or(STRETCHED_WORST_PERCENT),
                ta_ms: way.map(|way| way.worst),
            },
        )?;
        let best = of(
            fullband,
            &Case {
                ie: -coded.spread,
                bpl: BPL.best,
                kappa: 0.0,
                heard: loss.heard.best,
                ta_ms: way.map(|way| way.best),
                ..usual
            },
        )?;
        let mut score = Score::new(self.id(), Scale::Fullband.into(), loss.tier, terms.rx(true))
            .with_interval(worst.rx(true), best.rx(true))
            .widened_for(inputs.active_ms)
            .with_listening_quality(terms.rx(false))
            .with_inputs(origins(inputs, &loss, coded.origin))
            .with_parts_and_gains(terms.parts(), terms.gains(alone));
        let native = if coded.equipment.scale() == Scale::Fullband { terms } else { of(coded.equipment, &usual)? };
        score = score.with_native(Native::new(native.scale, native.rx(true)));
        Ok(score)
    }
}

/// What loss left to hear.
#[derive(Clone, Copy)]
struct Loss {
    tier: Tier,
    /// Ratios, without what was recovered.
    heard: Range,
    recovered: f64,
    burst_r: Option<f64>,
}

impl Loss {
    /// What it takes from a codec that takes `ie` itself, in R.
    fn impairment(&self, equipment: &Equipment, ie: f64, case: &Case) -> Option<f64> {
        let ppl = (case.heard + case.kappa * self.recovered).min(1.0);
        loss_impairment(equipment, ie, case.bpl, ppl * 100.0, case.burst_r)
    }
}

/// A codec at a rate.
#[derive(Clone, Copy)]
struct Coded {
    equipment: Equipment,
    /// Where the rate comes from.
    origin: Origin,
    /// How uncertain Ie is, in R.
    spread: f64,
    lookahead_ms: f64,
}

/// What is assumed in one evaluation.
#[derive(Clone, Copy)]
struct Case {
    /// Added to Ie.
    ie: f64,
    /// Bpl is multiplied by it.
    bpl: f64,
    kappa: f64,
    heard: f64,
    burst_r: f64,
    stretched_percent: f64,
    ta_ms: Option<f64>,
}

/// What each impairment takes, in R on `scale`.
#[derive(Clone, Copy)]
struct Terms {
    scale: Scale,
    codec: f64,
    loss: f64,
    stretch: f64,
    delay: f64,
}

impl Terms {
    fn points(&self, r: f64) -> f64 {
        r / self.scale.stretch()
    }

    fn rx(&self, with_delay: bool) -> Rx {
        let delay = if with_delay { self.delay } else { 0.0 };
        let impairments = self.codec + self.loss + self.stretch + delay;
        Rx::clamped(self.points(self.scale.max_r() - impairments)).unwrap_or(Rx::MIN)
    }

    /// By how many points the score would be better without each. `loss_alone` is what the same loss would take from a
    /// codec that takes nothing itself.
    fn gains(&self, loss_alone: f64) -> Parts {
        let sum = self.codec + self.loss + self.stretch + self.delay;
        let left = |impairments: f64| (100.0 - self.points(impairments)).max(0.0);
        let rx = left(sum);
        let mut gains = Parts::new();
        for (cause, without) in [
            (Cause::Codec, sum - self.codec - self.loss + loss_alone),
            (Cause::Loss, sum - self.loss),
            (Cause::TimeStretch, sum - self.stretch),
            (Cause::Delay, sum - self.delay),
        ] {
            gains.set(cause, left(without) - rx);
        }
        gains
    }

    /// Points as they come to bear: where there are more than 100, each counts less.
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

/// What loss takes beside the codec's `ie`: Ie,eff − Ie of G.107 equation 7-29 up to the ceiling.
///
/// Beyond the ceiling (dense bursts under heavy loss) the published formula has a worse codec gain; there the
/// impairment goes on to the end of the scale instead, so that it rises with loss and with Ie alike. `None` when there is
/// loss and no Bpl.
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

/// BurstR of concealment: how long one is, in packets, over what random loss of the same rate makes, 1 / (1 − rate). At
/// least 1. Above half of the time, the rate counts as half: what is concealed without end has no length.
fn burst_r(concealed: f64, begun_per_second: f64, packet_ms: f64) -> f64 {
    if begun_per_second.is_nan() || begun_per_second <= 0.0 {
        // One that began before the window, or none.
        return if concealed > 0.0 { f64::INFINITY } else { 1.0 };
    }
    let packets = concealed / begun_per_second * (1e3 / packet_ms);
    (packets * (1.0 - concealed.min(0.5))).max(1.0)
}

/// Where each input came from.
fn origins(inputs: &AudioInputs<'_>, loss: &Loss, bitrate: Origin) -> Inputs {
    let measured = |known: bool| if known { Origin::Measured } else { Origin::Missing };
    let or_assumed = |known: bool| if known { Origin::Measured } else { Origin::Assumed };
    let mut origins = match loss.tier {
        Tier::A1 => Inputs::new()
            .with(Input::Concealment, Origin::Measured)
            .with(Input::TimeStretch, measured(inputs.stretched.is_some())),
        Tier::A2 => Inputs::new().with(Input::Loss, Origin::Measured).with(Input::Discards, Origin::Measured),
        _ => Inputs::new().with(Input::Loss, Origin::Measured).with(Input::Discards, Origin::Missing),
    };
    let recovery =
        if matches!(loss.tier, Tier::A1 | Tier::A2) { measured(inputs.recovered.is_some()) } else { Origin::Assumed };
    origins = origins
        .with(Input::Recovery, recovery)
        .with(Input::Burstiness, if loss.burst_r.is_some() { Origin::Derived } else { Origin::Assumed })
        .with(Input::Codec, Origin::Measured)
        .with(Input::Bitrate, bitrate)
        .with(Input::Robustness, Origin::Assumed)
        .with(Input::Level, measured(inputs.level_known))
        .with(Input::RoundTrip, measured(inputs.rtt_ms.is_some()));
    if inputs.rtt_ms.is_some() {
        origins = origins
            .with(Input::JitterBuffer, or_assumed(inputs.jitter_buffer_ms.is_some()))
            .with(Input::Playout, or_assumed(inputs.playout_ms.is_some()));
    }
    origins
}

/// How much sound a packet carries, ms: from the shortest frame of Opus (RFC 6716) to the longest packet.
fn packet_ms(inputs: &AudioInputs<'_>) -> f64 {
    inputs.packet_ms.filter(|ms| (2.5..=120.0).contains(ms)).unwrap_or(PACKET_MS)
}

/// A duration in ms, or a number of frames, that can be one.
fn real(value: Option<f64>) -> Option<f64> {
    value.filter(|value| (0.0..=1e7).contains(value))
}
