#![no_std]
#![forbid(unsafe_code)]
//! callgauge turns raw WebRTC `getStats()` snapshots into what a person wants to know about a call.

extern crate alloc;
#[cfg(test)]
extern crate std;

mod account;
pub mod conference;
pub mod config;
pub mod digest;
pub mod event;
pub mod id;
pub mod ingest;
pub mod metric;
pub mod report;
pub mod stream;
pub mod summary;
pub mod unit;

pub use conference::{Conference, FabricSpec, InputError};
pub use config::{Config, Limits};
pub use event::Event;
