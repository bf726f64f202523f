//! Detects frozen video, low frame rates, small pictures, and decoders that show nothing. It does not score video.

use alloc::format;
use alloc::string::String;

use super::{Detector, Reading, percent};
use crate::diagnosis::sample::StreamSample;
use crate::diagnosis::{Diagnosis, Evidence, Kind, Side};
use crate::id::Direction;
use crate::metric::Metric;
use crate::report::{Num, Text};

/// From this bitrate on, frames should result (ObserveRTC client-monitor).
const CARRIES_PICTURES_BPS: f64 = 10_000.0;
/// From this frame rate on, motion is smooth enough that a rate lower than before does no harm (callstats.io: a frame
/// rate below 15 is not excellent).
const SMOOTH_FPS: f64 = 15.0;
/// Time constant with which the usual frame rate is forgotten, ms.
const USUAL_MS: f64 = 120_000.0;

/// The causes of missing frames, the deepest first.
const CAUSES: &[Kind] = &[
    Kind::ConnectionDropped,
    Kind::IceDisrupted,
    Kind::NoMedia,
    Kind::OneWayMedia,
    Kind::NullDecoder,
    Kind::StuckDecoder,
    Kind::CpuLimitedSender,
    Kind::CpuLimitedReceiver,
    Kind::UplinkCongestion,
    Kind::DownlinkCongestion,
    Kind::HighLoss,
    Kind::HighJitter,
    Kind::FrozenVideo,
];

/// Whether video arrives and none is shown.
fn shows_nothing(sample: &StreamSample<'_>) -> Option<bool> {
    let bitrate_bps = sample.get(Metric::BitrateBps)?;
    let frames_per_second = sample.get(Metric::FramesPerSecond)?;
    Some(frames_per_second == 0.0 && bitrate_bps >= CARRIES_PICTURES_BPS)
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct FrozenVideo {
    freezes: f64,
}

impl Detector for FrozenVideo {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::FrozenVideo;
    const CAUSES: &'static [Kind] = CAUSES;
    const FIGURES: &'static [&'static str] = &["freezes"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        if let Some(reading) = sample.rest() {
            return reading;
        }
        // A shared screen without motion counts as frozen.
        if sample.is_screen() {
            return Reading::Resting;
        }
        let ended = sample.get(Metric::FreezesPerSecond).map_or(0.0, |rate| rate * sample.interval.span_ms / 1e3);
        self.freezes += ended;
        // A freeze is counted whole when it ends; until then, video that arrives without being shown indicates it.
        match (sample.get(Metric::FrozenRatio), shows_nothing(sample)) {
            (None, None) => Reading::Unknown,
            (_, Some(true)) => Reading::Level(1.0),
            (frozen, _) => Reading::Level(frozen.unwrap_or(0.0)),
        }
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("freezes", Some(self.freezes));
    }

    fn begin(&mut self) {
        self.freezes = 0.0;
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        format!("{who}: received video frozen {} of the time", percent(diagnosis.figure().min(1.0)))
    }
}

/// Below this loss ratio, missing frames were never sent (ObserveRTC client-monitor calls 2 % loss).
const LOSSY: f64 = 0.02;
/// The part of received frames that must be decoded, or of encoded frames that must be sent, give or take those in
/// transit at either end of a sample. Our own choice: well between 100 % and the 60 % that counts as too few.
const MIN_PROCESSED: f64 = 0.8;
const IN_TRANSIT: f64 = 2.0;
/// Frames are counted over at least this time, ms, however short samples are: a dozen at 25 a second.
const STRETCH_MS: f32 = 500.0;
/// The part of the time that the encoder must be limited (ObserveRTC client-monitor, for the processor).
const LIMITED: f64 = 0.3;

/// Frame counters at the beginning and the end of a measuring period.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Frames {
    /// Received and decoded, or encoded and sent: 32-bit counters.
    counts: Option<(u32, u32)>,
    /// Time since then, ms.
    ms: f32,
    /// The result of the last measuring period.
    are_frames_lost: Option<bool>,
}

impl Frames {
    /// Whether frames were dropped in the last measuring period; `None` if they are not counted.
    fn are_frames_lost(&mut self, sample: &StreamSample<'_>) -> Option<bool> {
        let (all, done) = match sample.interval.direction {
            Direction::Inbound => (Num::FramesReceived, Num::FramesDecoded),
            Direction::Outbound => (Num::FramesEncoded, Num::FramesSent),
        };
        // Not negative; saturates.
        let counts = sample.entry.get(all).zip(sample.entry.get(done)).map(|(all, done)| (all as u32, done as u32));
        self.ms += sample.interval.length_ms() as f32;
        if self.counts.is_some() && counts.is_some() && self.ms < STRETCH_MS {
            return self.are_frames_lost;
        }
        self.ms = 0.0;
        let before = core::mem::replace(&mut self.counts, counts);
        self.are_frames_lost = counts.zip(before).and_then(|(now, before)| {
            let (all, done) = (now.0.checked_sub(before.0)?, now.1.checked_sub(before.1)?);
            Some(f64::from(done) + IN_TRANSIT < f64::from(all) * MIN_PROCESSED)
        });
        self.are_frames_lost
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct LowFrameRate {
    usual: Option<f64>,
    shown: Option<f64>,
    expected: Option<f64>,
    /// Duration of the sample that was held back, ms; 0 for none.
    held_ms: f64,
    ago_ms: Option<f64>,
    is_low: bool,
    frames: Frames,
}

impl LowFrameRate {
    /// Whether the low rate is not deliberate: some frames do not arrive, are not decoded or not sent, or the encoder
    /// reports that it is limited. An application may cap the rate, a server may drop a layer, and a screen may stand
    /// still. `None` if unknown.
    fn is_forced(&mut self, sample: &StreamSample<'_>) -> Option<bool> {
        let (is_hit, is_held) = match sample.interval.direction {
            Direction::Inbound => (reaches(sample, Metric::LossRatio, LOSSY), None),
            Direction::Outbound => (
                reaches(sample, Metric::LimitedCpuRatio, LIMITED),
                reaches(sample, Metric::LimitedBandwidthRatio, LIMITED),
            ),
        };
        [self.frames.are_frames_lost(sample), is_hit, is_held].into_iter().flatten().reduce(|a, b| a || b)
    }
}

fn reaches(sample: &StreamSample<'_>, metric: Metric, limit: f64) -> Option<bool> {
    Some(sample.get(metric)? >= limit)
}

impl Detector for LowFrameRate {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::LowFrameRate;
    const CAUSES: &'static [Kind] = CAUSES;
    const FIGURES: &'static [&'static str] = &["frames_per_second", "expected_frames_per_second"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        let is_forced = self.is_forced(sample);
        if let Some(reading) = sample.rest() {
            (self.is_low, self.held_ms) = (false, 0.0);
            return reading;
        }
        // A shared screen has a new frame only when something moves.
        if sample.is_screen() {
            self.usual = None;
            return Reading::Resting;
        }
        let Some(shown) = sample.get(Metric::FramesPerSecond) else { return Reading::Unknown };
        // If nothing arrives at all, the sender may have stopped.
        if sample.interval.direction == Direction::Inbound && sample.get(Metric::PacketRatePps) == Some(0.0) {
            return Reading::Unknown;
        }
        let ms = sample.interval.span_ms;
        let usual = self.usual.map_or(shown, |usual| {
            let old_weight = USUAL_MS / (USUAL_MS + ms);
            shown.max(usual * old_weight + shown * (1.0 - old_weight))
        });
        self.usual = Some(usual);
        let expected = match sample.interval.direction {
            Direction::Inbound => Some(usual),
            Direction::Outbound => sample.source_frames_per_second(),
        };
        (self.shown, self.expected) = (Some(shown), expected);
        let expected = expected.filter(|&expected| expected > 0.0);
        let (Some(expected), Some(is_forced)) = (expected, is_forced) else { return Reading::Unknown };
        let missing = if is_forced && shown < SMOOTH_FPS { (1.0 - shown / expected).max(0.0) } else { 0.0 };
        let was_low = core::mem::replace(&mut self.is_low, missing > 0.0);
        // The first such sample may be the one in which a rest begins.
        if self.is_low && !was_low {
            self.held_ms = ms;
            return Reading::Unknown;
        }
        let held_ms = core::mem::take(&mut self.held_ms);
        self.ago_ms = (held_ms > 0.0).then_some(held_ms + ms);
        Reading::Level(missing)
    }

    fn ago_ms(&self) -> Option<f64> {
        self.ago_ms
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("frames_per_second", self.shown);
        evidence.set("expected_frames_per_second", self.expected);
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        let missing = percent(diagnosis.figure());
        match diagnosis.side {
            Some(Side::Uplink) => format!("{who} sent {missing} fewer frames than expected"),
            _ => format!("{who} received {missing} fewer frames than before"),
        }
    }
}

/// A picture of this many pixels is not small (960 x 540).
const LARGE_PIXELS: f64 = 518_400.0;

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct LowResolution {
    size: Option<(f64, f64)>,
    bitrate_bps: Option<f64>,
}

impl Detector for LowResolution {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::LowResolution;
    const FIGURES: &'static [&'static str] = &["width", "height", "bitrate_bps"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        if let Some(reading) = sample.rest() {
            return reading;
        }
        self.size = sample.get(Metric::Width).zip(sample.get(Metric::Height)).or(self.size);
        self.bitrate_bps = sample.get(Metric::BitrateBps);
        // Retransmissions and other repairs are not spent on the picture.
        let repairs = sample.get(Metric::RetransmittedRatio).unwrap_or(0.0).min(1.0);
        let (Some((width, height)), Some(bitrate_bps), Some(frames)) =
            (self.size, self.bitrate_bps, sample.get(Metric::FramesPerSecond))
        else {
            return Reading::Unknown;
        };
        let pixels = width * height;
        if pixels <= 0.0 || frames < 1.0 {
            return Reading::Unknown;
        }
        Reading::Level(if pixels < LARGE_PIXELS { bitrate_bps * (1.0 - repairs) / (pixels * frames) } else { 0.0 })
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("width", self.size.map(|(width, _)| width));
        evidence.set("height", self.size.map(|(_, height)| height));
        evidence.set("bitrate_bps", self.bitrate_bps);
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        format!("{who}'s {} video had a low resolution for its bitrate", diagnosis.side_name())
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct StuckDecoder {
    /// Key frame requests since the last decoded frame.
    requests: f64,
    bitrate_bps: Option<f64>,
}

/// With fewer requests a key frame may still be on its way (ObserveRTC client-monitor).
const ASKED_AGAIN: f64 = 2.0;

impl Detector for StuckDecoder {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::StuckDecoder;
    const CAUSES: &'static [Kind] = &[
        Kind::ConnectionDropped,
        Kind::IceDisrupted,
        Kind::NoMedia,
        Kind::NullDecoder,
        Kind::UplinkCongestion,
        Kind::DownlinkCongestion,
        Kind::HighLoss,
    ];
    const FIGURES: &'static [&'static str] = &["bitrate_bps", "picture_requests"];

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        if let Some(reading) = sample.rest() {
            return reading;
        }
        self.bitrate_bps = sample.get(Metric::BitrateBps);
        let (Some(is_stuck), Some(asked)) = (shows_nothing(sample), sample.get(Metric::PliPerSecond)) else {
            return Reading::Unknown;
        };
        self.requests = if is_stuck { self.requests + asked * sample.interval.span_ms / 1e3 } else { 0.0 };
        Reading::of(self.requests >= ASKED_AGAIN)
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("bitrate_bps", self.bitrate_bps);
        evidence.set("picture_requests", Some(self.requests));
    }

    fn sentence(_: &Diagnosis, who: &str) -> String {
        format!("{who}'s decoder was stuck: video arrived, no frame was shown")
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct NullDecoder;

impl Detector for NullDecoder {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::NullDecoder;

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        sample.rest().unwrap_or_else(|| match sample.entry.text(Text::DecoderImplementation) {
            Some(name) => Reading::of(name == "NullVideoDecoder"),
            None => Reading::Unknown,
        })
    }

    fn sentence(_: &Diagnosis, who: &str) -> String {
        format!("{who}'s browser had no decoder for a video stream")
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct KeyFrameStorm;

impl Detector for KeyFrameStorm {
    type Sample<'a> = StreamSample<'a>;

    const KIND: Kind = Kind::KeyFrameStorm;
    const CAUSES: &'static [Kind] = CAUSES;

    fn read(&mut self, sample: &StreamSample<'_>) -> Reading {
        sample.rest().unwrap_or_else(|| {
            let asked = sample.get(Metric::PliPerSecond);
            let fully = sample.get(Metric::FirPerSecond);
            Reading::known(asked.map(|asked| asked + fully.unwrap_or(0.0)).or(fully))
        })
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        format!("{who}'s {}: {:.1} key frame requests per second", diagnosis.side_name(), diagnosis.figure())
    }
}
