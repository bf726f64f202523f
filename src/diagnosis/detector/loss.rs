//! Loss, over all streams of one direction together, and whether it comes in bursts.

use alloc::format;
use alloc::string::String;

use super::{Detector, Reading, percent};
use crate::diagnosis::sample::Losses;
use crate::diagnosis::{Diagnosis, Evidence, Kind};

/// So many times as uneven as random loss is loss in bursts: of two packets in the mean.
const BURSTY: f64 = 4.0;

/// Fewer pairs of looks than this do not show how loss is distributed.
const FEW: f64 = 5.0;

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct HighLoss {
    latest: Option<(f64, f64)>,
    is_reported: bool,
    /// The look before.
    before: Option<(f64, f64)>,
    lost: f64,
    /// Pairs of looks, one after the other: how many, what they differ by, and what they would by chance.
    pairs: f64,
    differences: f64,
    by_chance: f64,
}

impl HighLoss {
    /// How much the loss of one look differs from that of the next, of what it would if each packet were lost at random: 1
    /// for random loss, about twice the mean burst for bursts. Loss that rises or falls slowly counts as random. What the other end
    /// reports does not tell.
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
    const CAUSES: &'static [Kind] =
        &[Kind::IceDisrupted, Kind::NoMedia, Kind::OneWayMedia, Kind::UplinkCongestion, Kind::DownlinkCongestion];
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
