//! Detects audio and video of one sender that are out of sync. It compares capture times, not content.

use alloc::format;
use alloc::string::String;

use super::{Detector, RECEIVED_AUDIO_CAUSES, Reading};
use crate::diagnosis::sample::Pair;
use crate::diagnosis::{Diagnosis, Evidence, Kind};

/// How much more lateness than earliness of audio is tolerated, ms: ITU-R BT.1359-1 accepts 90 ms early and 185 ms
/// late.
const LATE_IS_BETTER_MS: f64 = 95.0;
/// A larger offset means that one of the streams has not begun, ms.
const ABSURD_MS: f64 = 5_000.0;

/// How long times are wrong after a rest, ms: Chromium draws a line through the last 20 sender reports, which come
/// every 5 s for audio.
const UNSURE_MS: f64 = 100_000.0;

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct AvOutOfSync {
    ahead_ms: Option<f64>,
    unsure_ms: f64,
}

impl Detector for AvOutOfSync {
    type Sample<'a> = Pair;

    const KIND: Kind = Kind::AvOutOfSync;
    const CAUSES: &'static [Kind] = RECEIVED_AUDIO_CAUSES;
    const FIGURES: &'static [&'static str] = &["sound_ahead_ms"];

    fn read(&mut self, sample: &Pair) -> Reading {
        // With several streams it is unknown which belong together.
        if sample.sound.streams != 1 || sample.picture.streams != 1 {
            return Reading::Unknown;
        }
        if sample.sound.rests || sample.picture.rests {
            self.unsure_ms = UNSURE_MS;
            return Reading::Resting;
        }
        self.unsure_ms -= sample.span_ms;
        if self.unsure_ms > 0.0 {
            return Reading::Unknown;
        }
        let ahead_ms = sample.sound.lag_ms.zip(sample.picture.lag_ms).map(|(sound, picture)| picture - sound);
        self.ahead_ms = ahead_ms.filter(|ahead| ahead.abs() <= ABSURD_MS);
        Reading::known(self.ahead_ms.map(|ahead| ahead.max(-ahead - LATE_IS_BETTER_MS).max(0.0)))
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("sound_ahead_ms", self.ahead_ms);
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        let is_early = diagnosis.evidence.get("sound_ahead_ms") > Some(0.0);
        let figure = diagnosis.figure();
        let (ms, word) = if is_early { (figure, "ahead of") } else { (figure + LATE_IS_BETTER_MS, "behind") };
        format!("{who} received audio {ms:.0} ms {word} its video")
    }
}
