//! A score in the memory of the parts that it has, for queues. It only converts.

use alloc::collections::VecDeque;

use super::evidence::{Cause, Inputs, Parts};
use super::model::{ModelId, MosScale, Native, Score, Tier};
use crate::emodel::Scale;
use crate::unit::Rx;

/// A score without its values and parts, which are in a list of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedScore {
    model: ModelId,
    inputs: Inputs,
    rx: Rx,
    has_lq: bool,
    native: Option<Scale>,
    scale: MosScale,
    tier: Tier,
    cause: Option<Cause>,
    /// Bits of the causes with points.
    parts: u16,
    gains: u16,
}

const _: () = assert!(Cause::ALL.len() <= 16);

impl PackedScore {
    /// Appends the values of a score to `values`.
    pub(crate) fn pack(score: &Score, values: &mut VecDeque<f64>) -> Self {
        let &Score { rx, rx_low, rx_high, rx_lq, scale, native, model, tier, inputs, cause, parts, gains } = score;
        values.extend([rx_low, rx_high].map(Rx::as_f64));
        values.extend(rx_lq.into_iter().chain(native.map(|native| native.rx)).map(Rx::as_f64));
        Self {
            model,
            inputs,
            rx,
            has_lq: rx_lq.is_some(),
            native: native.map(|native| native.scale),
            scale,
            tier,
            cause,
            parts: pack_parts(&parts, values),
            gains: pack_parts(&gains, values),
        }
    }

    /// Takes the values from the front of `values`.
    pub(crate) fn unpack(self, values: &mut VecDeque<f64>) -> Score {
        let Self { model, inputs, rx, has_lq, native, scale, tier, cause, parts, gains } = self;
        // They were in range when they were packed.
        let mut next = || values.pop_front().and_then(Rx::clamped).unwrap_or(rx);
        let mut score = Score::new(model, scale, tier, rx).with_inputs(inputs);
        (score.rx_low, score.rx_high) = (next(), next());
        score.rx_lq = has_lq.then(&mut next);
        score.native = native.map(|scale| Native::new(scale, next()));
        score.parts = unpack_parts(parts, values);
        score.gains = unpack_parts(gains, values);
        score.cause = cause;
        score
    }
}

fn pack_parts(parts: &Parts, values: &mut VecDeque<f64>) -> u16 {
    parts.iter().fold(0, |causes, (cause, points)| {
        values.push_back(points);
        causes | 1 << cause as u8
    })
}

fn unpack_parts(causes: u16, values: &mut VecDeque<f64>) -> Parts {
    let mut parts = Parts::new();
    for &cause in Cause::ALL {
        if causes >> cause as u8 & 1 == 1 {
            parts.set(cause, values.pop_front().unwrap_or_default());
        }
    }
    parts
}
