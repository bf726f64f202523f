//! Detects microphones that are silent, that are spoken into while muted, or that return echo. It works on levels and
//! echo figures only.

use alloc::format;
use alloc::string::String;

use super::{Detector, Reading};
use crate::diagnosis::sample::StreamSample;
use crate::diagnosis::{Diagnosis, Evidence, Kind, Severity};
use crate::metric::{IntervalState, Metric};
use crate::report::{Entry, Flag, Num};
use crate::speaker::level::Meter;

/// A microphone that never exceeded this level is silent: −60 dBov (ObserveRTC client-monitor: RMS below 0.001).
const SOUND: f64 = 1e-3;

/// Detects sent audio without sound.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct SilentMicrophone {
    was_heard: bool,
    /// The application reports that it is not muted.
    is_open: bool,
    level: Option<f64>,
}

impl Detector for SilentMicrophone {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::SilentMicrophone;
    const FIGURES: &'static [&'static str] = &["level"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        self.level = sample.source.and(sample.get(Metric::Level));
        self.was_heard |= self.level >= Some(SOUND);
        self.is_open = sample.is_muted == Some(false);
        let state = sample.interval.state;
        // Digital silence is a disabled track, unless the application reports mutes and not this one.
        let is_dead = state == IntervalState::Muted && self.is_open;
        if !is_dead && let Some(reading) = sample.rest_unless_silent() {
            return reading;
        }
        match self.level {
            None => Reading::Unknown,
            // A user that spoke before is listening now, unless not even noise is left.
            Some(_) => Reading::of(is_dead || !self.was_heard),
        }
    }

    fn severity(&self) -> Severity {
        if self.is_open { Severity::Warning } else { Self::KIND.severity() }
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("level", self.level);
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        if diagnosis.evidence.get("level") > Some(0.0) {
            format!("{who}'s microphone never rose above noise")
        } else {
            format!("{who}'s microphone was silent")
        }
    }
}

/// Detects speech that is not sent.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct SpeakingWhileMuted {
    voice: Meter,
    level: Option<f64>,
}

impl Detector for SpeakingWhileMuted {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::SpeakingWhileMuted;
    const FIGURES: &'static [&'static str] = &["level"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        let interval = sample.interval;
        self.level = sample.source.and(sample.get(Metric::Level));
        let seconds = interval.length_ms() / 1e3;
        let sound = self.level.and_then(|level| self.voice.add(level * level * seconds, seconds));
        let is_off = sample.entry.flag(Flag::Active) == Some(false);
        let is_muted = match interval.state {
            IntervalState::Muted => true,
            IntervalState::Paused => is_off || sample.is_muted == Some(true),
            IntervalState::Reset | IntervalState::Gap | IntervalState::Lost => return Reading::Unknown,
            _ => false,
        };
        if !is_muted {
            return Reading::Resting;
        }
        Reading::known(sound.map(|sound| f64::from(sound.speech.permille()) / 1e3))
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("level", self.level);
    }

    fn sentence(_: &Diagnosis, who: &str) -> String {
        format!("{who} spoke while muted")
    }
}

/// The least loss of an acceptable echo by callstats.io (ITU-T G.107 computes its impairment from the same figure).
const ACCEPTABLE_DB: f64 = 14.0;
/// A path with this much gain is not measured: Chromium reports −30 or −100 dB until its echo canceller has measured
/// something.
const UNMEASURED_DB: f64 = -30.0;

/// The far end speaks from this level on: −40 dBov. Our own: ITU-T P.56 speech at the usual −26 dBov is well above it,
/// room noise below.
const SPEECH: f64 = 1e-2;

/// Detects speech of the far end that returns to it.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct Echo {
    loss_db: Option<f64>,
    one_way_ms: Option<f64>,
}

impl Echo {
    /// The weighted echo path loss of ITU-T G.107 (7.4), from the loss of the path and the one-way delay in ms.
    fn perceived_db(loss_db: f64, one_way_ms: f64) -> f64 {
        let ratio = (1.0 + one_way_ms / 10.0) / (1.0 + one_way_ms / 150.0);
        loss_db - 40.0 * libm::log10(ratio) + 6.0 * libm::exp(-0.3 * one_way_ms * one_way_ms)
    }
}

/// The loss of the echo path: that of the acoustic path plus what the echo canceller adds.
fn echo_loss_db(source: Entry<'_>) -> Option<f64> {
    let loss = source.get(Num::EchoReturnLoss)?;
    let enhancement = source.get(Num::EchoReturnLossEnhancement)?;
    (loss > UNMEASURED_DB).then_some(loss + enhancement)
}

impl Detector for Echo {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::Echo;
    const FIGURES: &'static [&'static str] = &["echo_loss_db", "one_way_ms"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        if let Some(reading) = sample.rest() {
            return reading;
        }
        self.loss_db = sample.source.and_then(echo_loss_db);
        self.one_way_ms = sample.get(Metric::RttMs).map(|rtt_ms| rtt_ms / 2.0);
        let (Some(loss_db), Some(one_way_ms)) = (self.loss_db, self.one_way_ms) else { return Reading::Unknown };
        // Without far-end speech there is no echo.
        if sample.far_level.is_none_or(|level| level < SPEECH) {
            return Reading::Unknown;
        }
        Reading::Level((ACCEPTABLE_DB - Self::perceived_db(loss_db, one_way_ms)).max(0.0))
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("echo_loss_db", self.loss_db);
        evidence.set("one_way_ms", self.one_way_ms);
    }

    fn sentence(_: &Diagnosis, who: &str) -> String {
        format!("{who}'s microphone may have returned an echo to the others")
    }
}
