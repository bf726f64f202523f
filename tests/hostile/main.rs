//! What inputs may do that are wrong, broken or made to harm: nothing panics, nothing grows without bound, no number
//! leaves its range, and what is sound beside them is used.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may assume as tests do

#[path = "../common/mod.rs"]
mod common;
// The fuzz targets weigh what they do, with an allocator that counts.
#[cfg(feature = "serde")]
#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub)] // public for the fuzz targets
mod doors;
#[cfg(feature = "serde")]
mod doors_fuzzed;
#[cfg(feature = "serde")]
mod forged;
mod inputs;
#[cfg(feature = "serde")]
mod mutations;
#[cfg(feature = "serde")]
mod scores;
