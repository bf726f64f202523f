//! Wrong, stepping and missing clocks.

#[allow(unused_imports)] // the cases follow
use super::{callgauge, intervals, kinds, path, report, text};
