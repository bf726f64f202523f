//! Heap use of the engine. Each test counts its own thread's requests, so that tests can run in parallel.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may panic as tests do

mod alloc;
#[path = "../common/mod.rs"]
mod common;
mod counting;
mod input;
mod lines_alloc;
mod memory;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;
