//! The engine's results against independent sources: published values, other implementations, measurements of the lab
//! and the relay, and calculations by hand.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may panic as tests do

mod against_truth;
mod audio_score;
#[path = "../common/mod.rs"]
mod common;
mod derived;
mod distributions;
mod emodel_vectors;
mod formulas;
mod oracle;
#[cfg(feature = "serde")]
mod readers;
mod rescanner;
mod scores;
#[path = "../../examples/validate/segments.rs"]
#[allow(dead_code)] // the example needs more
mod segments;
mod statistics;
mod truth;
mod vendor_vectors;
mod video_recordings;
mod video_vectors;
