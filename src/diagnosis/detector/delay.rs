//! Detects long round trips, jitter, and a jitter buffer that grows for it. It does not compute the delay of a score.

use alloc::format;
use alloc::string::String;

use super::{Detector, PACKET_CAUSES, Reading};
use crate::diagnosis::sample::{ConnectionSample, StreamSample};
use crate::diagnosis::{Diagnosis, Evidence, Kind};
use crate::metric::Metric;

/// A jitter buffer with a target below this has not reacted to jitter, ms: jitter by the RFC's formula may come from
/// padding or silence.
const GROWN_MS: f64 = 90.0;
/// Without a target of the jitter buffer, jitter counts from this value on, ms (Twilio's voice SDK warns above it).
const LARGE_MS: f64 = 30.0;

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct HighRtt;

impl Detector for HighRtt {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::HighRtt;
    const CAUSES: &'static [Kind] =
        &[Kind::ConnectionDropped, Kind::IceDisrupted, Kind::NoMedia, Kind::UplinkCongestion, Kind::DownlinkCongestion];

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        Reading::known(sample.rtt_ms)
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        format!("{who}'s round-trip time (RTT) was {:.0} ms", diagnosis.figure())
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct HighJitter {
    target_ms: Option<f64>,
}

impl Detector for HighJitter {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::HighJitter;
    const CAUSES: &'static [Kind] = PACKET_CAUSES;
    const FIGURES: &'static [&'static str] = &["jitter_buffer_target_ms"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        if let Some(reading) = sample.rest() {
            return reading;
        }
        self.target_ms = sample.get(Metric::JitterBufferTargetMs);
        Reading::known(sample.get(Metric::JitterMs).map(|jitter_ms| {
            let is_felt = self.target_ms.map_or(jitter_ms >= LARGE_MS, |target_ms| target_ms >= GROWN_MS);
            if is_felt { jitter_ms } else { 0.0 }
        }))
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("jitter_buffer_target_ms", self.target_ms);
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        format!("{who}'s {} had {:.0} ms of jitter", diagnosis.side_name(), diagnosis.figure())
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct BufferStress {
    stretched: Option<f64>,
}

impl Detector for BufferStress {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::BufferStress;
    const CAUSES: &'static [Kind] = &[
        Kind::ConnectionDropped,
        Kind::IceDisrupted,
        Kind::NoMedia,
        Kind::UplinkCongestion,
        Kind::DownlinkCongestion,
        Kind::HighLoss,
        Kind::HighJitter,
    ];
    const FIGURES: &'static [&'static str] = &["time_stretch_ratio"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        if let Some(reading) = sample.rest() {
            return reading;
        }
        self.stretched = sample.get(Metric::TimeStretchRatio);
        Reading::known(sample.get(Metric::JitterBufferTargetMs).or_else(|| sample.get(Metric::JitterBufferDelayMs)))
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("time_stretch_ratio", self.stretched);
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        format!("{who}'s jitter buffer held audio back by {:.0} ms", diagnosis.figure())
    }
}
