//! Processors that cannot keep up.

use alloc::format;
use alloc::string::String;

use super::{Detector, Reading, percent};
use crate::diagnosis::sample::StreamSample;
use crate::diagnosis::{Diagnosis, Evidence, Kind};
use crate::metric::Metric;

/// With more loss than this, dropped frames are the network's doing (ObserveRTC client-monitor).
const LOSSLESS: f64 = 0.02;
/// For this long after loss or an outage, dropped frames are still their doing.
const CALM_MS: f64 = 5_000.0;

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct CpuLimitedSender {
    encode_ms: Option<f64>,
}

impl Detector for CpuLimitedSender {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::CpuLimitedSender;
    const FIGURES: &'static [&'static str] = &["encode_ms"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        self.encode_ms = sample.get(Metric::EncodeMs);
        sample.rest().unwrap_or_else(|| Reading::known(sample.get(Metric::LimitedCpuRatio)))
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("encode_ms", self.encode_ms);
    }

    fn sentence(_: &Diagnosis, who: &str) -> String {
        format!("{who}'s CPU could not keep up with encoding")
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct CpuLimitedReceiver {
    decode_ms: Option<f64>,
    /// For how long nothing has been lost, and something came, ms.
    calm_ms: f64,
}

impl Detector for CpuLimitedReceiver {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::CpuLimitedReceiver;
    const FIGURES: &'static [&'static str] = &["decode_ms"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        if let Some(reading) = sample.rest() {
            return reading;
        }
        self.decode_ms = sample.get(Metric::DecodeMs);
        let is_hit = sample.get(Metric::LossRatio) >= Some(LOSSLESS) || sample.get(Metric::BitrateBps) == Some(0.0);
        self.calm_ms = if is_hit { 0.0 } else { self.calm_ms + sample.interval.span_ms };
        let dropped = sample.get(Metric::FramesDroppedRatio);
        Reading::known(if self.calm_ms < CALM_MS { dropped.and(Some(0.0)) } else { dropped })
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("decode_ms", self.decode_ms);
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        format!("{who}'s CPU could not keep up with decoding: {} of frames dropped", percent(diagnosis.figure()))
    }
}
