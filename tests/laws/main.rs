//! What holds of any input, of every format, and of everything that is public or documented.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may assume as tests do

#[path = "../common/mod.rs"]
mod common;
mod conference;
mod emodel;
mod fields;
mod line_rules;
mod manual;
#[cfg(feature = "serde")]
mod portable;
mod same_call;
mod shape;
mod style;
mod video;
