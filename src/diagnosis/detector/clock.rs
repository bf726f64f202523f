//! Detects time without samples, and clocks that drift apart. It does not correct clocks.

use alloc::format;
use alloc::string::String;

use super::{Detector, Reading};
use crate::diagnosis::sample::ConnectionSample;
use crate::diagnosis::{Diagnosis, Evidence, Kind};

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct StatsGap;

impl Detector for StatsGap {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::StatsGap;

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        // If the reporter's clock stepped but the caller's did not, there is no gap.
        let gap_ms = if sample.now_ms > 0.0 { sample.span_ms.min(sample.now_ms) } else { sample.span_ms };
        Reading::Level(if sample.is_gap { gap_ms } else { 0.0 })
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        format!("no stats from {who}'s connection for {}", duration(diagnosis.figure()))
    }
}

/// `45 s`, `3 min 5 s`, `24 h 0 min`.
fn duration(ms: f64) -> String {
    let seconds = libm::round(ms / 1e3);
    let (hours, minutes) = (libm::floor(seconds / 3_600.0), libm::floor(seconds / 60.0) % 60.0);
    match seconds {
        ..60.0 => format!("{seconds:.0} s"),
        ..3_600.0 => format!("{minutes:.0} min {:.0} s", seconds % 60.0),
        _ => format!("{hours:.0} h {minutes:.0} min"),
    }
}

/// In each window the sample with the least delay shows the clock offset, ms; the others include network delay.
const WINDOW_MS: f64 = 30_000.0;

/// Compares the reporter's clock with the caller's.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct ClockSkew {
    /// How far ahead the reporter's clock was at first.
    first_ms: Option<f64>,
    /// The most in the current window, and the window's length so far.
    most_ms: Option<f64>,
    window_ms: f64,
    /// How far the caller's clock advanced in it: a stopped clock gives no information.
    now_ms: f64,
    /// The offset in the last complete window, relative to the first.
    ahead_ms: Option<f64>,
}

impl Detector for ClockSkew {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::ClockSkew;
    const FIGURES: &'static [&'static str] = &["ahead_ms"];

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        let ahead_ms = sample.ahead_ms;
        self.most_ms = Some(self.most_ms.map_or(ahead_ms, |most| most.max(ahead_ms)));
        self.window_ms += sample.now_ms.max(sample.span_ms);
        self.now_ms += sample.now_ms;
        if self.window_ms >= WINDOW_MS {
            let most = self.most_ms.take().filter(|_| self.now_ms > 0.0);
            (self.window_ms, self.now_ms) = (0.0, 0.0);
            if let Some(first) = self.first_ms {
                self.ahead_ms = most.map(|most| most - first);
            } else {
                self.first_ms = most;
            }
        }
        Reading::known(self.ahead_ms.map(f64::abs))
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("ahead_ms", self.ahead_ms);
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        let off = diagnosis.figure();
        if off < 60_000.0 {
            return format!("{who}'s clock was off by {:.1} s", off / 1e3);
        }
        format!("{who}'s clock was off by {}", duration(off))
    }
}
