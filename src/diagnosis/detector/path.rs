//! Detects problems of the network path: slow setup, loss of the path, frequent changes, a relay over TCP. It does not
//! measure delay or loss.

use alloc::format;
use alloc::string::String;

use super::{CONNECTION_CAUSES, Detector, Reading};
use crate::diagnosis::sample::{ConnectionPhase, ConnectionSample};
use crate::diagnosis::{Diagnosis, Evidence, Kind};

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct IceDisrupted {
    lost_ms: Option<f64>,
}

impl Detector for IceDisrupted {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::IceDisrupted;
    const CAUSES: &'static [Kind] = &[Kind::ConnectionDropped];

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        self.lost_ms = sample.fabric.lost_ms;
        match sample.fabric.connection {
            ConnectionPhase::Up => Reading::Level(0.0),
            ConnectionPhase::Lost => Reading::Level(1.0),
            ConnectionPhase::Coming | ConnectionPhase::Over => Reading::Resting,
            ConnectionPhase::Unknown => Reading::Unknown,
        }
    }

    fn ago_ms(&self) -> Option<f64> {
        self.lost_ms
    }

    fn sentence(_: &Diagnosis, who: &str) -> String {
        format!("{who}'s connection was lost")
    }
}

/// Changes within this time count together, ms (ObserveRTC client-monitor).
const TOGETHER_MS: f64 = 30_000.0;
/// How long a connection chooses among paths after it was first up, ms. Our own: ICE continues to check pairs after it
/// has found one, and gives up after twice that.
const CHOOSES_MS: f64 = 15_000.0;

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct IceFlapping {
    /// The counts of losses and switches at the previous sample.
    before: Option<(u64, u64)>,
    /// How long ago it was first up.
    up_ms: Option<f64>,
    /// The ages of the latest changes, the latest first.
    ago_ms: [Option<f64>; 8],
}

impl Detector for IceFlapping {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::IceFlapping;
    const CAUSES: &'static [Kind] = CONNECTION_CAUSES;

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        for ago in self.ago_ms.iter_mut().flatten() {
            *ago += sample.span_ms;
        }
        let counts = (sample.fabric.disruptions, sample.fabric.switches);
        let before = self.before.replace(counts).unwrap_or(counts);
        let is_up = sample.fabric.connection == ConnectionPhase::Up;
        self.up_ms = self.up_ms.map(|ms| ms + sample.span_ms).or(is_up.then_some(0.0));
        let chooses = self.up_ms.is_some_and(|ms| ms < CHOOSES_MS);
        let switches = if chooses { 0 } else { counts.1.saturating_sub(before.1) };
        let changes = counts.0.saturating_sub(before.0).saturating_add(switches);
        for _ in 0..changes.min(self.ago_ms.len() as u64) {
            self.ago_ms.rotate_right(1);
            if let Some(latest) = self.ago_ms.first_mut() {
                *latest = Some(0.0);
            }
        }
        let lately = self.ago_ms.iter().flatten().filter(|&&ago| ago < TOGETHER_MS).count();
        Reading::Level(lately as f64)
    }

    fn ago_ms(&self) -> Option<f64> {
        self.ago_ms.iter().flatten().copied().filter(|&ago| ago < TOGETHER_MS).reduce(f64::max)
    }

    fn sentence(_: &Diagnosis, who: &str) -> String {
        format!("{who}'s connection kept switching paths")
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct RelayOverTcp;

impl Detector for RelayOverTcp {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::RelayOverTcp;

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        match (sample.fabric.connection, sample.fabric.relays_over_tcp) {
            (ConnectionPhase::Over | ConnectionPhase::Lost, _) => Reading::Resting,
            (_, relays) => Reading::of(relays),
        }
    }

    fn sentence(_: &Diagnosis, who: &str) -> String {
        format!("{who}'s media was relayed over TCP")
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct SlowSetup {
    took_ms: f64,
    is_over: bool,
    is_up: bool,
}

impl Detector for SlowSetup {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::SlowSetup;
    const CAUSES: &'static [Kind] = &[Kind::ConnectionFailed];
    const FIGURES: &'static [&'static str] = &["setup_ms", "connected_after_ms"];

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        let Some(took_ms) = sample.fabric.connects_ms.filter(|_| !self.is_over) else { return Reading::Resting };
        self.took_ms = took_ms;
        self.is_over = sample.fabric.connection != ConnectionPhase::Coming;
        self.is_up = sample.fabric.connection == ConnectionPhase::Up;
        // A failure is a diagnosis of its own.
        if sample.fabric.has_failed {
            return Reading::Resting;
        }
        Reading::Level(took_ms)
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("setup_ms", Some(self.took_ms));
        evidence.set("connected_after_ms", self.is_up.then_some(self.took_ms));
    }

    fn ago_ms(&self) -> Option<f64> {
        Some(self.took_ms)
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        let seconds = diagnosis.figure() / 1e3;
        if diagnosis.evidence.get("connected_after_ms").is_some() {
            format!("{who}'s connection took {seconds:.1} s to set up")
        } else {
            format!("{who}'s connection was not set up within {seconds:.1} s")
        }
    }
}
