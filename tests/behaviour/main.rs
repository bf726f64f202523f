//! What the engine does: with the formats that it reads, with a call from its first fabric to its summary, and with many.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may assume as tests do

#[cfg(feature = "serde")]
mod collector;
#[path = "../common/mod.rs"]
mod common;
mod diagnoses;
mod dumps;
mod edge_cases;
mod fleet;
mod internals;
mod items;
mod life;
mod lines;
mod replay;
mod sdp;
mod speaker;
