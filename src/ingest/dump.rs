//! Readers of dump formats, one file for each. Each turns a record into snapshots and log events for the sink.

mod delta;
pub(super) mod internals;
pub(super) mod lines;
pub(super) mod ndjson;
pub(super) mod observertc;
pub(super) mod rtcstats;
