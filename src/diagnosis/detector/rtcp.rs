//! Detects sent media that the remote endpoint does not confirm: the circuit breakers of RFC 8083. It never stops a
//! sender.

use alloc::format;
use alloc::string::String;

use super::{CONNECTION_CAUSES, Detector, Reading};
use crate::diagnosis::sample::{ConnectionSample, StreamSample};
use crate::diagnosis::{Diagnosis, Evidence, Kind};
use crate::metric::Metric;
use crate::report::Num;

/// The silence must be this many times the usual interval (callstats.io).
const INTERVALS: f64 = 5.0;
/// The weight of the latest interval in the usual one (callstats.io).
const LATEST: f64 = 0.2;

/// RFC 8083 4.1: reports on sent media stop.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct RtcpTimeout {
    usual_ms: Option<f64>,
    age_ms: Option<f64>,
}

impl Detector for RtcpTimeout {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::RtcpTimeout;
    const CAUSES: &'static [Kind] = CONNECTION_CAUSES;
    const FIGURES: &'static [&'static str] = &["usual_report_interval_ms"];

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        if !sample.sent.passes && sample.sent.rests {
            *self = Self::default();
            return Reading::Resting;
        }
        if !sample.sent.passes {
            return Reading::Unknown;
        }
        // Without any report so far there is nothing to time out.
        let Some(report_ms) = sample.report_ms else { return Reading::Unknown };
        let before = self.age_ms.replace(report_ms).unwrap_or(0.0);
        if report_ms < before {
            let latest = before + sample.span_ms;
            self.usual_ms = Some(self.usual_ms.map_or(latest, |usual| usual * (1.0 - LATEST) + latest * LATEST));
        }
        let is_long = report_ms >= self.usual_ms.unwrap_or(0.0) * INTERVALS;
        Reading::Level(if is_long { report_ms } else { 0.0 })
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("usual_report_interval_ms", self.usual_ms);
    }

    fn ago_ms(&self) -> Option<f64> {
        self.age_ms
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        let verb = if diagnosis.to.is_some() { "received" } else { "receives" };
        format!("{who} {verb} no RTCP reports for its media")
    }
}

/// If reports do not count packets, a stream that does not arrive is missing from them: a receiver reports on what it
/// received since its last report (RFC 3550 6.4). Reports get lost, too, so this must last as long as callstats.io
/// waits for any report, ms.
const UNREPORTED_MS: f64 = 30_000.0;
/// Maximum age of reports on other streams while a stream is missing from them, ms.
const FRESH_MS: f64 = 10_000.0;

/// RFC 8083 4.2: reports arrive, and say that no media arrive.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct MediaTimeout {
    received: Option<f64>,
    is_stuck: bool,
    stuck_ms: f64,
    /// How long packets have been sent since the last report, ms.
    unreported_ms: Option<f64>,
    ago_ms: f64,
}

impl Detector for MediaTimeout {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::MediaTimeout;
    const CAUSES: &'static [Kind] = CONNECTION_CAUSES;
    const FIGURES: &'static [&'static str] = &["packets_received"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        if let Some(reading) = sample.rest() {
            *self = Self::default();
            return reading;
        }
        if sample.get(Metric::PacketRatePps).is_none_or(|rate| rate <= 0.0) {
            *self = Self::default();
            return Reading::Unknown;
        }
        let unreported_ms = self.unreported_ms.map(|ms| ms + sample.interval.span_ms);
        self.unreported_ms = if sample.has_new_report { Some(0.0) } else { unreported_ms };
        let received =
            sample.remote.filter(|_| sample.has_new_report).and_then(|remote| remote.get(Num::PacketsReceived));
        if let Some(received) = received {
            self.is_stuck = self.received == Some(received);
            self.received = Some(received);
        }
        self.stuck_ms = if self.is_stuck { self.stuck_ms + sample.interval.span_ms } else { 0.0 };
        let (Some(unreported_ms), Some(rtcp_ms)) = (self.unreported_ms, sample.rtcp_ms) else {
            return Reading::Unknown;
        };
        let is_left_out = unreported_ms >= UNREPORTED_MS && rtcp_ms < FRESH_MS;
        self.ago_ms = if is_left_out { unreported_ms } else { self.stuck_ms };
        Reading::Level(self.ago_ms)
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("packets_received", self.received);
    }

    fn ago_ms(&self) -> Option<f64> {
        Some(self.ago_ms)
    }

    fn sentence(_: &Diagnosis, who: &str) -> String {
        format!("media from {who} did not arrive")
    }
}
