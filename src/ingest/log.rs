//! Parses the log lines of a dump: method names, values, and the events they stand for. It knows no file format.

mod event;
mod methods;
mod parse;

pub use event::{Configuration, Description, Identity, LogEvent, LogEventKind, SdpSide, Track};
pub(super) use methods::method_name;
pub(super) use parse::{Scratch, identify, parse};
