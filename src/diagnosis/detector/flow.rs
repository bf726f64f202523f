//! Detects media that do not arrive: none at all, or not what the sender reports that it sent. It does not say where
//! they were lost.

use alloc::format;
use alloc::string::String;

use super::{Detector, Reading};
use crate::diagnosis::sample::{ConnectionSample, StreamSample};
use crate::diagnosis::{Diagnosis, Evidence, Kind};
use crate::metric::Metric;
use crate::report::Num;

/// After this many unanswered connectivity checks the path is dead. Chromium checks every 2.5 s on a path that answers,
/// and many times a second on one that has stopped.
const UNANSWERED: f64 = 3.0;
/// If checks are not counted: minimum time without RTCP either, ms. RTCP is sent every 5 s, at most 7.5 s apart (RFC
/// 3550 6.2).
const QUIET_MS: f64 = 10_000.0;

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct NoMedia {
    without_media_ms: f64,
    unanswered: Option<f64>,
}

impl Detector for NoMedia {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::NoMedia;
    const CAUSES: &'static [Kind] = &[Kind::ConnectionDropped, Kind::IceDisrupted];
    const FIGURES: &'static [&'static str] = &["unanswered_checks"];

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        self.unanswered = sample.fabric.unanswered;
        let flow = sample.received;
        if flow.passes {
            self.without_media_ms = 0.0;
            return Reading::Level(0.0);
        }
        if !flow.is_due {
            self.without_media_ms = 0.0;
            // A sample without streams says nothing about streams.
            return if flow.rests { Reading::Resting } else { Reading::Unknown };
        }
        self.without_media_ms += sample.span_ms;
        // All senders may have stopped: only the path shows the difference.
        let is_dead = self.unanswered >= Some(UNANSWERED);
        let asks = sample.sent.passes && self.unanswered.is_none();
        let is_quiet = asks && sample.fabric.arrives != Some(true) && sample.rtcp_ms >= Some(QUIET_MS);
        if is_dead || is_quiet && self.without_media_ms >= QUIET_MS {
            Reading::Level(self.without_media_ms)
        } else {
            Reading::Unknown
        }
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("unanswered_checks", self.unanswered);
    }

    fn ago_ms(&self) -> Option<f64> {
        Some(self.without_media_ms)
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        let verb = if diagnosis.to.is_some() { "received" } else { "receives" };
        format!("{who} {verb} no media")
    }
}

/// Detects media that the sender reports as sent and that do not arrive.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct OneWayMedia {
    without_media_ms: f64,
    /// Packets sent, by the first report made while nothing arrived.
    base: Option<f64>,
    missing: f64,
}

impl Detector for OneWayMedia {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::OneWayMedia;
    const FIGURES: &'static [&'static str] = &["missing_packets"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        if let Some(reading) = sample.rest() {
            *self = Self::default();
            return reading;
        }
        match sample.get(Metric::PacketRatePps) {
            Some(rate) if rate > 0.0 => {
                *self = Self::default();
                return Reading::Level(0.0);
            }
            Some(_) => self.without_media_ms += sample.interval.span_ms,
            None => return Reading::Unknown,
        }
        let sent = sample.remote.filter(|_| sample.has_new_report).and_then(|remote| remote.get(Num::PacketsSent));
        if let Some(sent) = sent {
            let base = *self.base.get_or_insert(sent);
            self.missing = (sent - base).max(0.0);
        }
        if self.missing > 0.0 { Reading::Level(self.without_media_ms) } else { Reading::Unknown }
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("missing_packets", Some(self.missing).filter(|&missing| missing > 0.0));
    }

    fn ago_ms(&self) -> Option<f64> {
        Some(self.without_media_ms)
    }

    fn sentence(_: &Diagnosis, who: &str) -> String {
        format!("media sent to {who} did not arrive")
    }
}
