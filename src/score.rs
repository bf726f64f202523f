//! What a call is worth to the ear: figures into scores.
//!
//! | module | what it holds |
//! |---|---|
//! | [`emodel`] | the E-model family: ITU-T G.107 (narrowband), G.107.1 (wideband), G.107.2 (fullband), and their scales |
//! | [`codec`] | how much each codec takes from a call, by bit rate, with the source of every value |
//!
//! Three laws hold here, and tests state them: no impairment that grows makes a score better; every score is bounded;
//! and what is computed from something unknown is itself unknown.

pub mod codec;
pub mod emodel;
