//! The engine's behaviour: the formats that it reads, a call from its first fabric to its summary, and many calls at
//! once.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may panic as tests do

#[cfg(feature = "serde")]
mod collector;
#[path = "../common/mod.rs"]
mod common;
mod diagnoses;
mod dumps;
mod edge_cases;
mod fleet;
mod grouping;
mod internals;
mod items;
mod lifecycle;
mod lines;
mod replay;
mod sdp;
mod speaker;
mod unread;
