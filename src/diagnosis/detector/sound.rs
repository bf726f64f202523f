//! Detects concealed and time-stretched audio. It does not detect loss or jitter, which cause them.

use alloc::format;
use alloc::string::String;

use super::{Detector, RECEIVED_AUDIO_CAUSES, Reading, percent};
use crate::diagnosis::sample::StreamSample;
use crate::diagnosis::{Diagnosis, Evidence, Kind};
use crate::metric::Metric;

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct AudibleConcealment {
    loss_ratio: Option<f64>,
    length: Option<f64>,
}

impl Detector for AudibleConcealment {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::AudibleConcealment;
    const CAUSES: &'static [Kind] = RECEIVED_AUDIO_CAUSES;
    const FIGURES: &'static [&'static str] = &["loss_ratio", "concealment_length_samples"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        if let Some(reading) = sample.rest() {
            return reading;
        }
        self.loss_ratio = sample.get(Metric::LossRatio);
        self.length = sample.get(Metric::ConcealmentLength).or(self.length);
        Reading::known(sample.get(Metric::AudibleConcealedRatio))
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("loss_ratio", self.loss_ratio);
        evidence.set("concealment_length_samples", self.length);
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        format!("{who}: {} of received audio concealed", percent(diagnosis.figure()))
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct RoboticVoice;

impl Detector for RoboticVoice {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::RoboticVoice;
    const CAUSES: &'static [Kind] = RECEIVED_AUDIO_CAUSES;

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        sample.rest().unwrap_or_else(|| Reading::known(sample.get(Metric::TimeStretchRatio)))
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        format!("{who}: {} of received audio time-stretched", percent(diagnosis.figure()))
    }
}
