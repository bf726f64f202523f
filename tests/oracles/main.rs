//! What the engine works out against sources that know nothing of it: published values, other implementations, what the
//! lab and the relay measured, and what follows by hand.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may assume as tests do

mod against_truth;
mod audio_score;
#[path = "../common/mod.rs"]
mod common;
mod derived;
mod distributions;
#[cfg(feature = "serde")]
mod doors;
mod emodel_vectors;
mod formulas;
mod oracle;
mod scores;
#[path = "../../examples/validate/segments.rs"]
#[allow(dead_code)] // the example needs more
mod segments;
mod statistics;
mod truth;
mod vendor_vectors;
mod video_recordings;
mod video_vectors;
