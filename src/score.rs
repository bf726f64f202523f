//! Turns figures of audio and video into scores. It computes no figures and raises no diagnoses.
//!
//! | module | contents |
//! |---|---|
//! | this one | [`Model`], chosen by value, and its result: a [`Score`] with everything it is based on, or [`NoScore`] |
//! | [`audio`] | audio: concealment, time-stretching and delay into a score |
//! | [`video`] | video and shared screens: quantizer, freezes, frame rate, size |
//! | [`combine`] | audio and video together |
//! | [`rating`] | the rating of callstats.io, for migration |
//! | [`emodel`](crate::emodel) | the E-model family: ITU-T G.107 (narrowband), G.107.1 (wideband), G.107.2 (fullband), and their scales |
//! | [`emodel::codec`](crate::emodel::codec) | the impairment of each codec, by bit rate, with the source of every value |
//!
//! Three laws hold here, and tests check them: a growing impairment never improves a score; every score is bounded; a
//! value computed from unknown input is itself unknown.

pub mod audio;
pub mod combine;
mod evidence;
mod mean;
mod model;
mod packed;
mod pool;
pub mod rating;
pub mod video;
#[cfg(feature = "serde")]
pub(crate) mod wire;
mod worst;

pub use evidence::{Cause, Input, Inputs, Origin, Parts};
pub use model::{Model, ModelId, MosScale, Native, NoScore, Score, Tier, mos_of};
pub(crate) use packed::PackedScore;
pub(crate) use pool::{DISSATISFIED, Micros, ScorePool, StreamScores};
pub(crate) use worst::WorstTenSeconds;

/// A score needs at least this much audible or visible media, ms.
const LEAST_MS: f64 = 250.0;

/// Both merged, or the one that is known.
fn either<T>(one: Option<T>, other: Option<T>, merge: impl FnOnce(T, T) -> T) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(merge(one, other)),
        (one, other) => one.or(other),
    }
}
