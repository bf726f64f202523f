//! Loss, over all streams of one direction together, and whether it comes in bursts.

use super::{Detector, Evidence, Kind, Reading};

/// Packets lost and expected in one look, over all streams. Whole thousandths, so that no order of streams matters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    lost: u64,
    expected: u64,
    /// There are streams that rest.
    rests: bool,
}

impl Losses {
    /// Adds a stream's.
    pub(super) fn add(&mut self, loss_ratio: f64, expected: f64) {
        // Positive; saturates.
        self.lost = self.lost.saturating_add((loss_ratio * expected * 1e3) as u64);
        self.expected = self.expected.saturating_add((expected * 1e3) as u64);
    }

    /// Adds a stream that rests.
    pub(super) const fn rest(&mut self) {
        self.rests = true;
    }

    fn packets(self) -> (f64, f64) {
        (self.lost as f64 / 1e3, self.expected as f64 / 1e3)
    }
}

/// Fewer looks with loss than this do not show how it is distributed.
const FEW: f64 = 5.0;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HighLoss {
    latest: Option<(f64, f64)>,
    looks: f64,
    lost: f64,
    expected: f64,
    /// Σ lost² / expected.
    squares: f64,
}

impl HighLoss {
    /// How much the number of lost packets in a look varies, of what it would if each were lost at random: 1 for random
    /// loss, about twice the mean burst for bursts.
    fn burst_factor(&self) -> Option<f64> {
        let ratio = self.lost / self.expected;
        let variance = (self.squares - 2.0 * ratio * self.lost + ratio * ratio * self.expected) / self.looks;
        (self.looks >= FEW && ratio > 0.0 && ratio < 1.0).then(|| variance / (ratio * (1.0 - ratio)))
    }
}

impl Detector<Losses> for HighLoss {
    const KIND: Kind = Kind::HighLoss;

    fn read(&mut self, look: &Losses) -> Reading {
        let (lost, expected) = look.packets();
        self.latest = (expected > 0.0).then_some((lost, expected));
        match self.latest {
            Some((lost, expected)) => Reading::Share(lost, expected),
            None if look.rests => Reading::Resting,
            None => Reading::Unknown,
        }
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("lost_packets", Some(self.lost).filter(|_| self.looks > 0.0));
        evidence.set("burst_factor", self.burst_factor());
    }

    fn begin(&mut self) {
        *self = Self { latest: self.latest, ..Self::default() };
    }

    fn note(&mut self) {
        if let Some((lost, expected)) = self.latest {
            self.looks += 1.0;
            self.lost += lost;
            self.expected += expected;
            self.squares += lost * lost / expected;
        }
    }
}
