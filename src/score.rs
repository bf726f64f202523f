//! What a call is worth to the ear and to the eye: figures into scores.
//!
//! | module | what it holds |
//! |---|---|
//! | this one | [`Model`], chosen by value, and what it answers: a [`Score`] with everything that made it, or [`NoScore`] |
//! | [`audio`] | sound: what was concealed, stretched and late, into a score |
//! | [`video`] | pictures and shared screens: quantizer, freezes, frame rate, size |
//! | [`combine`] | sound and pictures together |
//! | [`rating`] | the rating of callstats.io, for those who come from there |
//! | [`emodel`] | the E-model family: ITU-T G.107 (narrowband), G.107.1 (wideband), G.107.2 (fullband), and their scales |
//! | [`codec`] | how much each codec takes from a call, by bit rate, with the source of every value |
//!
//! Three laws hold here, and tests state them: no impairment that grows makes a score better; every score is bounded;
//! and what is computed from something unknown is itself unknown.

pub mod audio;
pub mod combine;
mod evidence;
mod mean;
mod model;
mod pool;
pub mod rating;
pub mod video;
#[cfg(feature = "serde")]
pub(crate) mod wire;
mod worst;

pub use evidence::{Cause, Input, Inputs, Origin, Parts};
pub use model::{Model, ModelId, MosScale, Native, NoScore, Score, Tier, mos_of};
pub(crate) use pool::{Micros, ScorePool};
pub(crate) use worst::WorstTenSeconds;

/// A score needs to have heard or seen this much, ms.
const LEAST_MS: f64 = 250.0;

/// Both merged, or the one that is there.
fn either<T>(one: Option<T>, other: Option<T>, merge: impl FnOnce(T, T) -> T) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(merge(one, other)),
        (one, other) => one.or(other),
    }
}
