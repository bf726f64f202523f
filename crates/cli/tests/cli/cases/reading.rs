//! What was not read, and inputs in other formats.

#[allow(unused_imports)] // the cases follow
use super::{callgauge, intervals, kinds, path, report, text};
