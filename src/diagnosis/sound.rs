//! What was heard: invented and stretched sound.

use super::detector::{Detector, Reading};
use super::sample::StreamSample;
use super::{Evidence, Kind};
use crate::metric::Metric;

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct AudibleConcealment {
    loss_ratio: Option<f64>,
    length: Option<f64>,
}

impl Detector for AudibleConcealment {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::AudibleConcealment;

    fn read(&mut self, look: &StreamSample<'_>) -> Reading {
        if let Some(reading) = look.rest() {
            return reading;
        }
        self.loss_ratio = look.get(Metric::LossRatio);
        self.length = look.get(Metric::ConcealmentLength).or(self.length);
        Reading::known(look.get(Metric::AudibleConcealedRatio))
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("loss_ratio", self.loss_ratio);
        evidence.set("concealment_length_samples", self.length);
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct RoboticVoice;

impl Detector for RoboticVoice {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::RoboticVoice;

    fn read(&mut self, look: &StreamSample<'_>) -> Reading {
        look.rest().unwrap_or_else(|| Reading::known(look.get(Metric::TimeStretchRatio)))
    }
}
