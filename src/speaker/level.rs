//! Measures how loud a source is, and how much of an interval was speech. It does not combine sources.
//!
//! Levels are linear, 0 to 1 of full scale (webrtc-stats `audioLevel`), or in dBov: `20 log10(level)`. RFC 6464 writes
//! −dBov as 0 to 127, where 127 is silence.

/// Initial speech level of a source: −30 dBov, below the −22 dBov that RFC 7874 asks of a sender, so that a soft voice
/// is detected.
const FIRST_SPEECH: f64 = 1e-3;
/// The lowest speech level: −45 dBov.
const SOFTEST_SPEECH: f64 = 3.162_277_660_168_379_5e-5;
/// No sound below this is speech, for any source: −55 dBov.
const AUDIBLE: f64 = 3.162_277_660_168_379e-6;
/// How far above the noise a sound must be to count as speech: 6 dB.
const ABOVE_NOISE: f64 = 3.981_071_705_534_972_6;
/// A sound that varies is speech, with or without pauses; its noise is at least this far below it: 15 dB.
const NOISE_BELOW_SPEECH: f64 = 0.031_622_776_601_683_79;
/// A sound that varies by less is not speech: the least of several intervals is less than this below their mean, 1 dB.
/// Seconds of a voice vary by 2 dB (σ, in the recordings); ten of them never vary by only 1 dB. Longer intervals vary
/// by less: by the root of their length.
const STEADY: f64 = 0.205_671_765_275_718_5;
/// Number of intervals, over [`NOISE_WINDOW_S`] at least, that show whether a sound varies.
const STEADY_INTERVALS: u8 = 8;
/// A power that the sound does not undercut for this long is noise: a sentence has pauses, and 10 s are an interval at
/// the coarsest cadence.
const NOISE_WINDOW_S: f64 = 10.0;
/// How long a new voice is averaged, s; its level moves slowly afterwards.
const LEARNING_S: f64 = 3.0;
/// How fast the speech level follows, s, louder or softer alike: half of all speech is then louder than it.
const FOLLOW_S: f64 = 20.0;
/// The fraction of speech is its power over the speech level, times this: words vary, and a fraction cannot exceed 1.
/// In the recordings talk time is then within a tenth of the truth, with and without pauses.
const SPEECH_GAIN: f64 = 1.1;
/// The most power that one interval contributes, relative to the speech level.
const MAX_POWER: f64 = 2.0;

/// A linear level as dBov, −127 to 0. Silence and levels below −127 give −127; an invalid level gives `None`.
///
/// ```
/// use callgauge::speaker::level::dbov;
/// assert_eq!(dbov(0.1), Some(-20.0));
/// assert_eq!(dbov(0.0), Some(-127.0));
/// assert_eq!(dbov(f64::NAN), None);
/// ```
#[must_use]
pub fn dbov(level: f64) -> Option<f64> {
    if !(0.0..=1e300).contains(&level) {
        return None;
    }
    // The −∞ of level 0 is clamped, too.
    Some((20.0 * libm::log10(level)).clamp(-127.0, 0.0))
}

/// The RFC 6464 value of a linear level: 0 (full scale) to 127 (silence), rounded to whole dB. `None` for an invalid
/// level.
#[must_use]
pub fn rfc6464(level: f64) -> Option<u8> {
    // 0 to 127 by the clamp.
    Some(libm::round(-dbov(level)?) as u8)
}

/// The linear level of an RFC 6464 level (webrtc-pc: `10^(−L/20)`); 127 and above is 0.
#[must_use]
pub fn of_rfc6464(level: u8) -> f64 {
    if level >= 127 { 0.0 } else { libm::pow(10.0, -f64::from(level) / 20.0) }
}

/// How much of an interval was speech, in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Fraction(u16);

impl Fraction {
    /// No speech.
    pub const NONE: Self = Self(0);
    /// All speech.
    pub const ALL: Self = Self(1000);

    /// Converts a ratio from 0 to 1; values outside are clamped, NaN gives 0.
    #[must_use]
    pub fn new(ratio: f64) -> Self {
        // 0 to 1000; NaN casts to 0.
        Self(libm::round(ratio.clamp(0.0, 1.0) * 1e3) as u16)
    }

    /// Thousandths, 0 to 1000.
    #[must_use]
    pub const fn permille(self) -> u16 {
        self.0
    }
}

/// Speech and loudness of an interval of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sound {
    /// The fraction that was speech.
    pub speech: Fraction,
    /// How loud the sound above the noise was, as RFC 6464 writes it: 0 is full scale, 127 silence or unknown.
    pub loudness: u8,
}

impl Sound {
    /// Scales the speech to a longer time, of which this interval is `part` and the rest is silent.
    #[must_use]
    pub fn part(self, part: f64) -> Self {
        Self { speech: Fraction::new(f64::from(self.speech.permille()) / 1e3 * part), ..self }
    }
}

impl From<Fraction> for Sound {
    /// The loudness is unknown.
    fn from(speech: Fraction) -> Self {
        Self { speech, loudness: 127 }
    }
}

/// One source of sound, a microphone or a received stream: its noise and its speech level.
///
/// Energy adds up, so the power of an interval, less that of the noise, over that of the source's own speech is the
/// fraction of the interval that was speech. The scale of the levels cancels out: Chromium's energy is that of a held
/// peak (`audio/audio_level.cc`), that of other browsers is an RMS.
///
/// ```
/// use callgauge::speaker::level::{Fraction, Meter};
/// let mut meter = Meter::new();
/// for _ in 0..5 {
///     meter.add(1e-7, 1.0); // background noise
///     meter.add(6e-3, 1.0); // a voice at −22 dBov
/// }
/// assert_eq!(meter.add(3e-3, 1.0).unwrap().speech.permille() / 100, 5); // half a second of it
/// assert_eq!(meter.add(0.0, 1.0).unwrap().speech, Fraction::NONE);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Meter {
    speech: f64,
    heard_s: f64,
    noise: f64,
    /// The least power since the last update of the noise, and the time since then.
    least: f64,
    least_s: f64,
    even: Even,
}

/// Full scale.
const FULL_POWER: f64 = 1.0;

/// Intervals that show whether a sound varies.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Even {
    least: f64,
    energy: f64,
    seconds: f64,
    intervals: u8,
}

impl Even {
    const NONE: Self = Self { least: FULL_POWER, energy: 0.0, seconds: 0.0, intervals: 0 };

    /// The least power of enough intervals that hardly vary.
    fn follow(&mut self, power: f64, duration_s: f64) -> Option<f64> {
        self.least = self.least.min(power);
        self.energy += power * duration_s;
        self.seconds += duration_s;
        self.intervals = self.intervals.saturating_add(1);
        if self.seconds < NOISE_WINDOW_S || self.intervals < STEADY_INTERVALS {
            return None;
        }
        let all = core::mem::replace(self, Self::NONE);
        let sample_s = (all.seconds / f64::from(all.intervals)).max(1.0);
        let is_steady = all.least * all.seconds > all.energy * (1.0 - STEADY / libm::sqrt(sample_s));
        is_steady.then_some(all.least)
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new()
    }
}

impl Meter {
    /// A source without any interval.
    #[must_use]
    pub const fn new() -> Self {
        Self { speech: FIRST_SPEECH, heard_s: 0.0, noise: 0.0, least: FULL_POWER, least_s: 0.0, even: Even::NONE }
    }

    /// Accepts an interval: `energy` is Δ`totalAudioEnergy`, `duration_s` is Δ`totalSamplesDuration`. Returns `None`
    /// and changes nothing for impossible values: negative, not finite, or no duration. O(1).
    pub fn add(&mut self, energy: f64, duration_s: f64) -> Option<Sound> {
        if !((0.0..=1e300).contains(&energy) && duration_s > 0.0 && duration_s <= 1e300) {
            return None;
        }
        let power = (energy / duration_s).min(FULL_POWER);
        self.follow_noise(power, duration_s);
        let sound = (power - self.noise).max(0.0);
        if power < AUDIBLE || power < self.noise * ABOVE_NOISE && sound < self.speech / 2.0 {
            return Some(Fraction::NONE.into());
        }
        // A quarter of the speech level is mostly pause and does not describe the voice.
        if self.heard_s == 0.0 || sound > self.speech / 4.0 {
            self.follow_speech(sound, duration_s);
        }
        let loudness = rfc6464(libm::sqrt(sound)).unwrap_or(127);
        Some(Sound { speech: Fraction::new(SPEECH_GAIN * sound / self.speech), loudness })
    }

    /// The speech level of the source, dBov.
    #[must_use]
    pub fn speech_dbov(&self) -> f64 {
        dbov(libm::sqrt(self.speech)).unwrap_or(-127.0)
    }

    /// The noise level of the source, dBov; −127 for none.
    #[must_use]
    pub fn noise_dbov(&self) -> f64 {
        dbov(libm::sqrt(self.noise)).unwrap_or(-127.0)
    }

    /// The noise falls at once, and rises to the least power of each window: wholly if the sound hardly varies.
    fn follow_noise(&mut self, power: f64, duration_s: f64) {
        self.noise = self.noise.min(power);
        self.least = self.least.min(power);
        self.least_s += duration_s;
        if let Some(steady) = self.even.follow(power, duration_s) {
            self.noise = steady.max(self.noise);
        }
        if self.least_s >= NOISE_WINDOW_S {
            self.noise = self.least.min(self.speech * NOISE_BELOW_SPEECH).max(self.noise);
            (self.least, self.least_s) = (FULL_POWER, 0.0);
        }
    }

    fn follow_speech(&mut self, sound: f64, duration_s: f64) {
        let heard_s = self.heard_s + duration_s;
        let (sound, slowness_s) = if self.heard_s < LEARNING_S {
            (sound, heard_s)
        } else {
            (sound.min(self.speech * MAX_POWER), FOLLOW_S.max(duration_s))
        };
        self.speech = (self.speech + (sound - self.speech) * (duration_s / slowness_s)).max(SOFTEST_SPEECH);
        self.heard_s = heard_s.min(FOLLOW_S);
    }
}
