//! Detects connections that failed: before they were set up, or after. Unlike other detectors, these conclude from an
//! event at once: an application may close a failed connection before its next snapshot.

use alloc::format;
use alloc::string::String;

use super::{Detector, Reading};
use crate::diagnosis::sample::ConnectionSample;
use crate::diagnosis::{Diagnosis, Evidence, Kind};

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct ConnectionFailed {
    failed_after_ms: Option<f64>,
    is_of_dtls: bool,
    checks: Option<[f64; 2]>,
}

impl Detector for ConnectionFailed {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::ConnectionFailed;
    const FIGURES: &'static [&'static str] =
        &["failed_after_ms", "dtls_failed_ratio", "checks_sent", "checks_answered"];

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        let status = &sample.fabric;
        if status.has_failed {
            (self.failed_after_ms, self.is_of_dtls) = (status.failed_after_ms, status.is_dtls_failure);
            self.checks = status.checks;
        }
        Reading::of(status.has_failed)
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("failed_after_ms", self.failed_after_ms);
        evidence.set("dtls_failed_ratio", self.is_of_dtls.then_some(1.0));
        evidence.set("checks_sent", self.checks.map(|[sent, _]| sent));
        evidence.set("checks_answered", self.checks.map(|[_, answered]| answered));
    }

    fn ago_ms(&self) -> Option<f64> {
        self.failed_after_ms
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        let figure = |name| diagnosis.evidence.get(name);
        let within = figure("failed_after_ms").map_or(String::new(), |ms| format!(" within {:.1} s", ms / 1e3));
        let reason = if figure("dtls_failed_ratio").is_some() {
            "ICE connected, but DTLS did not"
        } else if figure("checks_sent") > Some(0.0) && figure("checks_answered") == Some(0.0) {
            "no connectivity check was answered"
        } else {
            "ICE found no path"
        };
        format!("{who}'s connection could not be set up: {reason}{within}")
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct ConnectionDropped {
    down_ms: Option<f64>,
}

impl Detector for ConnectionDropped {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::ConnectionDropped;

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        self.down_ms = sample.fabric.down_ms;
        Reading::of(sample.fabric.has_dropped)
    }

    fn ago_ms(&self) -> Option<f64> {
        self.down_ms
    }

    fn sentence(_: &Diagnosis, who: &str) -> String {
        format!("{who}'s connection dropped")
    }
}
