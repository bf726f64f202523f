//! What the engine asks of the heap. Each test counts what its own thread asks for, so that they can run side by side.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may assume as tests do

mod alloc;
#[path = "../common/mod.rs"]
mod common;
mod counting;
mod lines_alloc;
mod memory;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;
