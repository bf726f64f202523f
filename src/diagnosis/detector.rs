//! Defines a detector: a kind of problem, and how to read it from samples. A detector holds no thresholds and does not
//! decide when to raise.

pub(super) mod clock;
pub(super) mod congestion;
pub(super) mod delay;
pub(super) mod flow;
pub(super) mod life;
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

/// The result of reading one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reading {
    /// The sample does not show it; the state stays.
    Unknown,
    /// Nothing can be bad: the state is reset.
    Resting,
    /// How bad it is throughout the sample, in the unit of the kind.
    Level(f64),
    /// A part and a whole. Both are summed before they are divided.
    Share(f64, f64),
}

impl Reading {
    /// The level if it is known.
    pub(crate) fn known(level: Option<f64>) -> Self {
        level.map_or(Self::Unknown, Self::Level)
    }

    /// 1 if bad, 0 if not.
    pub(crate) const fn of(is_bad: bool) -> Self {
        Self::Level(if is_bad { 1.0 } else { 0.0 })
    }
}

/// A detector of one kind of problem. The table in `detectors.rs` runs it.
pub(super) trait Detector {
    /// Its input: a sample of a stream, of a sender or of a connection.
    type Sample<'a>;

    /// The kind that it finds.
    const KIND: Kind;
    /// The kinds that may cause it, the deepest first.
    const CAUSES: &'static [Kind] = &[];
    /// The names of the figures that `explain` sets.
    const FIGURES: &'static [&'static str] = &[];

    /// Reads a sample.
    fn read(&mut self, sample: &Self::Sample<'_>) -> Reading;

    /// Adds figures to the evidence. Called after each reading while the diagnosis is raised.
    fn explain(&self, _evidence: &mut Evidence) {}

    /// The diagnosis as a sentence, without its times. `who` is the name of the user that it is about.
    fn sentence(diagnosis: &Diagnosis, who: &str) -> String;

    /// How long the problem had lasted at the end of the sample just read, if that was the first to show it, ms;
    /// `None`: as long as the sample.
    fn ago_ms(&self) -> Option<f64> {
        None
    }

    /// The severity below the threshold for severe.
    fn severity(&self) -> Severity {
        Self::KIND.severity()
    }

    /// Called when the sample just read raised the diagnosis.
    fn begin(&mut self) {}

    /// Called when the sample just read is part of a raised diagnosis.
    fn note(&mut self) {}
}

/// The causes of problems that only follow from the connection, the deepest first.
const CONNECTION_CAUSES: &[Kind] = &[Kind::ConnectionDropped, Kind::IceDisrupted, Kind::NoMedia];

/// The causes of packets that are lost or late, the deepest first.
const PACKET_CAUSES: &[Kind] = &[
    Kind::ConnectionDropped,
    Kind::IceDisrupted,
    Kind::NoMedia,
    Kind::OneWayMedia,
    Kind::UplinkCongestion,
    Kind::DownlinkCongestion,
];

/// The causes of audio that is impaired or late at the receiver, the deepest first.
const RECEIVED_AUDIO_CAUSES: &[Kind] = &[
    Kind::ConnectionDropped,
    Kind::IceDisrupted,
    Kind::NoMedia,
    Kind::OneWayMedia,
    Kind::UplinkCongestion,
    Kind::DownlinkCongestion,
    Kind::HighLoss,
    Kind::HighJitter,
    Kind::BufferStress,
];

/// Facts about a kind besides its thresholds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) causes: &'static [Kind],
    #[cfg_attr(not(feature = "serde"), allow(dead_code))] // only checkpoints need it
    pub(super) figures: &'static [&'static str],
    pub(super) sentence: fn(&Diagnosis, &str) -> String,
}

impl Facts {
    pub(super) const fn of<D: Detector>() -> Self {
        Self { causes: D::CAUSES, figures: D::FIGURES, sentence: D::sentence }
    }
}

impl Diagnosis {
    /// The figure that was compared with the thresholds.
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
