//! Readers of the dump formats, one file each. A reader turns a record into snapshots and log events for the sink; it
//! does not detect formats.

pub(super) mod collection;
mod delta;
pub(super) mod internals;
pub(super) mod lines;
pub(super) mod ndjson;
pub(super) mod observertc;
pub(super) mod rtcstats;
