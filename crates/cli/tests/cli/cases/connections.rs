//! The life and the paths of connections.

#[allow(unused_imports)] // the cases follow
use super::{callgauge, intervals, kinds, path, report, text};
