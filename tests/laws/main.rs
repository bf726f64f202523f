//! Laws for any input, for every format, and for all public and documented items.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may panic as tests do

mod absence;
#[cfg(feature = "serde")]
mod checkpoint;
mod clock;
#[path = "../common/mod.rs"]
mod common;
mod conference;
mod emodel;
mod fields;
#[cfg(feature = "serde")]
mod glitches;
mod line_rules;
mod manual;
mod same_call;
mod shape;
mod style;
mod video;
