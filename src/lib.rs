#![no_std]
#![forbid(unsafe_code)]
//! callgauge
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod id;
pub mod ingest;
pub mod report;
pub mod unit;
