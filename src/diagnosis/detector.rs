//! What a detector is: a kind of trouble, and how to read it from samples.

pub(super) mod clock;
pub(super) mod congestion;
pub(super) mod delay;
pub(super) mod flow;
pub(super) mod loss;
pub(super) mod microphone;
pub(super) mod path;
pub(super) mod picture;
pub(super) mod processor;
pub(super) mod rtcp;
pub(super) mod sound;
pub(super) mod sync;

use alloc::format;
use alloc::string::String;

use super::{Diagnosis, Evidence, Kind, Severity, Side};

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
    /// The kinds that may cause it, the deepest first.
    const CAUSES: &'static [Kind] = &[];
    /// The names of the figures that `explain` sets.
    const FIGURES: &'static [&'static str] = &[];

    /// What the sample says.
    fn read(&mut self, sample: &Self::Sample<'_>) -> Reading;

    /// More figures for the evidence. Called after each reading while the diagnosis is raised.
    fn explain(&self, _evidence: &mut Evidence) {}

    /// The diagnosis in words, without its times. `who` is the user that it is about.
    fn sentence(diagnosis: &Diagnosis, who: &str) -> String;

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

/// What is known of a kind besides its row in the table of limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) causes: &'static [Kind],
    #[cfg_attr(not(feature = "serde"), allow(dead_code))] // only saved states need it
    pub(super) figures: &'static [&'static str],
    pub(super) sentence: fn(&Diagnosis, &str) -> String,
}

impl Facts {
    pub(super) const fn of<D: Detector>() -> Self {
        Self { causes: D::CAUSES, figures: D::FIGURES, sentence: D::sentence }
    }
}

impl Diagnosis {
    /// The figure that was compared with the limits.
    pub(super) fn figure(&self) -> f64 {
        self.evidence.get(self.kind.figure()).unwrap_or_default()
    }

    pub(super) fn side_name(&self) -> &'static str {
        self.side.map_or("connection", Side::name)
    }
}

pub(super) fn percent(ratio: f64) -> String {
    format!("{:.0} %", libm::round(ratio * 100.0))
}
