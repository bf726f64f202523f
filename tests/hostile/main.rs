//! Wrong, broken and malicious inputs: no panic, no unbounded growth, no number out of range, and valid inputs beside
//! them are used.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may panic as tests do

#[path = "../common/mod.rs"]
mod common;
// The fuzz targets measure their memory with a counting allocator.
#[cfg(feature = "serde")]
mod forged;
#[cfg(feature = "serde")]
mod fuzz_bodies;
#[cfg(feature = "serde")]
#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub)] // public for the fuzz targets
mod fuzz_targets;
mod inputs;
#[cfg(feature = "serde")]
mod mutations;
#[cfg(feature = "serde")]
mod scores;
