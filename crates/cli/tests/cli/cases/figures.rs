//! Fillers, impossible values and denominators.

#[allow(unused_imports)] // the cases follow
use super::{callgauge, intervals, kinds, path, report, text};
