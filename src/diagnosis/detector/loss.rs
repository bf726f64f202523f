//! Detects loss over all streams of one direction, and whether it comes in bursts. It does not count loss per stream.

use alloc::format;
use alloc::string::String;

use super::{Detector, PACKET_CAUSES, Reading, percent};
use crate::diagnosis::sample::Losses;
use crate::diagnosis::{Diagnosis, Evidence, Kind};

/// Loss at least this many times as variable as random loss is bursty (mean burst: two packets).
const BURSTY: f64 = 4.0;

/// Minimum number of sample pairs to tell bursty from random loss.
const FEW: f64 = 5.0;

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct HighLoss {
    latest: Option<(f64, f64)>,
    is_reported: bool,
    /// The previous sample.
    before: Option<(f64, f64)>,
    lost: f64,
    /// Pairs of consecutive samples: their number, how much they differ, and how much they would by chance.
    pairs: f64,
    differences: f64,
    by_chance: f64,
}

impl HighLoss {
    /// How much the loss of consecutive samples differs, relative to packets lost at random: 1 for random loss, about
    /// twice the mean burst for bursts. Loss that rises or falls slowly counts as random. Loss that the remote endpoint
    /// reports does not show it.
    fn burst_factor(&self) -> Option<f64> {
        (self.pairs >= FEW && self.by_chance > 0.0 && !self.is_reported).then(|| self.differences / self.by_chance)
    }

    fn compare(&mut self, (lost, expected): (f64, f64), (lost_before, expected_before): (f64, f64)) {
        let difference = lost / expected - lost_before / expected_before;
        let ratio = (lost + lost_before) / (expected + expected_before);
        self.pairs += 1.0;
        self.differences += difference * difference / (1.0 / expected + 1.0 / expected_before);
        self.by_chance += ratio * (1.0 - ratio);
    }
}

impl Detector for HighLoss {
    type Sample<'a> = Losses;

    const KIND: Kind = Kind::HighLoss;
    const CAUSES: &'static [Kind] = PACKET_CAUSES;
    const FIGURES: &'static [&'static str] = &["lost_packets", "burst_factor"];

    fn read(&mut self, sample: &Losses) -> Reading {
        let (lost, expected) = sample.packets();
        self.is_reported = sample.is_reported;
        self.latest = (expected > 0.0).then_some((lost, expected));
        match self.latest {
            Some((lost, expected)) => Reading::Share(lost, expected),
            None if sample.rests => Reading::Resting,
            None => Reading::Unknown,
        }
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("lost_packets", Some(self.lost).filter(|&lost| lost > 0.0));
        evidence.set("burst_factor", self.burst_factor());
    }

    fn begin(&mut self) {
        *self = Self { latest: self.latest, ..Self::default() };
    }

    fn note(&mut self) {
        if let Some(latest) = self.latest {
            self.lost += latest.0;
            if let Some(before) = self.before.replace(latest) {
                self.compare(latest, before);
            }
        }
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        let bursts = if diagnosis.evidence.get("burst_factor") >= Some(BURSTY) { " in bursts" } else { "" };
        format!("{who}'s {} lost {} of packets{bursts}", diagnosis.side_name(), percent(diagnosis.figure()))
    }
}
