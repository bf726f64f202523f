//! The manual: topics that concern several modules. It has no code.
//!
//! | chapter | answers |
//! |---|---|
//! | [`units`] | what a key of an output counts, and what `null` means |
//! | [`outputs`] | what may change in an output, and what never does |
//! | [`limits`] | every limit, by default and in an SDK |
//! | [`constants`] | where a number in the engine comes from |
//! | [`diagnoses`] | when a diagnosis is raised and cleared |
//! | [`models`] | how to add a scoring model |
//! | [`readers`] | how to read another format |
//! | [`detectors`] | how to add a detector |
//!
//! The tables of the chapters on limits, constants and diagnoses are made from the code, and a test compares them with
//! it.

/// What a key of an output counts.
#[doc = include_str!("manual/units.md")]
pub mod units {}

/// What may change in an output.
#[doc = include_str!("manual/outputs.md")]
pub mod outputs {}

/// Every limit and its default.
#[doc = include_str!("manual/limits.md")]
pub mod limits {}

/// Where the numbers come from.
#[doc = include_str!("manual/constants.md")]
pub mod constants {}

/// The limits of every diagnosis.
#[doc = include_str!("manual/diagnoses.md")]
pub mod diagnoses {}

/// How to add a scoring model.
#[doc = include_str!("manual/models.md")]
pub mod models {}

/// How to add a reader.
#[doc = include_str!("manual/readers.md")]
pub mod readers {}

/// How to add a detector.
#[doc = include_str!("manual/detectors.md")]
pub mod detectors {}
