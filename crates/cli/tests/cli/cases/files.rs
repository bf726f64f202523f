//! Several files, and what an input byte may cost.

#[allow(unused_imports)] // the cases follow
use super::{callgauge, intervals, kinds, path, report, text};
