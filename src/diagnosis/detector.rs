//! What a detector is: a kind of trouble, and how to read it from samples.

use super::{Evidence, Kind, Severity};

/// What a detector reads from one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reading {
    /// Nothing tells; what was known stays.
    Unknown,
    /// There is nothing to be bad: what was known is forgotten.
    Resting,
    /// How bad it is, in the unit of the kind, throughout the look.
    Level(f64),
    /// How much of how much. Parts and wholes are summed up before they are divided.
    Share(f64, f64),
}

impl Reading {
    /// A level where it is known.
    pub(crate) fn known(level: Option<f64>) -> Self {
        level.map_or(Self::Unknown, Self::Level)
    }

    /// 1 if so, 0 if not.
    pub(crate) const fn of(is_bad: bool) -> Self {
        Self::Level(if is_bad { 1.0 } else { 0.0 })
    }
}

/// A detector of one kind of trouble. The table in `detectors.rs` says what runs it.
pub(super) trait Detector {
    /// What it reads: a sample of a stream, of a sender or of a connection.
    type Sample<'a>;

    /// What it finds.
    const KIND: Kind;

    /// What the sample says.
    fn read(&mut self, sample: &Self::Sample<'_>) -> Reading;

    /// More figures for the evidence. Called after each reading while the diagnosis is raised.
    fn explain(&self, _evidence: &mut Evidence) {}

    /// For how long it had been so when the look just read was the first to tell, ms; `None` for as long as the look took.
    fn ago_ms(&self) -> Option<f64> {
        None
    }

    /// How much it matters unless it is severe.
    fn severity(&self) -> Severity {
        Self::KIND.severity()
    }

    /// The diagnosis was raised by the look just read.
    fn begin(&mut self) {}

    /// The look just read is part of a diagnosis that is raised.
    fn note(&mut self) {}
}
