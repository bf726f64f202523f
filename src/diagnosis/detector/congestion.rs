//! Congestion: less passes than lately, while queues fill.

use alloc::format;
use alloc::string::String;

use super::{Detector, Reading, percent};
use crate::diagnosis::sample::ConnectionSample;
use crate::diagnosis::{Diagnosis, Evidence, Kind};

/// How slowly the best rate and the least round trip are forgotten, ms.
const LATELY_MS: f64 = 120_000.0;
/// A queue of less than this is none, ms.
const QUEUE_MS: f64 = 30.0;
/// Of a long round trip, a third more is a queue (ObserveRTC client-monitor).
const QUEUE_SHARE: f64 = 1.0 / 3.0;
/// How long a queue that was seen counts, ms: congestion control empties it again while it holds back. Less that passes for
/// so long without a queue is somebody's choice: a smaller picture, a layer less, a stream that is paused.
const QUEUE_SEEN_MS: f64 = 4_000.0;
/// One round trip may be long by itself, and stands for 2.5 s in Chromium's stats: a queue is in two, of ICE, or of ICE and
/// RTCP.
const QUEUE_SAMPLES: f64 = 2.0;
/// Where nobody counts round trips, one that stays the same has been measured again by now, ms: twice Chromium's 2.5 s.
const MEASURED_AGAIN_MS: f64 = 5_000.0;
/// A smaller drop is none: that from which on congestion is over.
const LITTLE: f64 = 0.2;

/// The figures beside those of the kind.
const FIGURES: &[&str] = &["best_video_bps", "available_bps", "rtt_ms", "least_rtt_ms"];

/// A round trip, and the least of it lately.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct RoundTrip {
    now_ms: Option<f64>,
    least_ms: Option<f64>,
}

impl RoundTrip {
    /// Whether there is a queue in it.
    fn has_queue(&mut self, now_ms: Option<f64>, span_ms: f64) -> Option<bool> {
        self.now_ms = now_ms;
        let now = now_ms?;
        let least = self.least_ms.map_or(now, |least| now.min(drift(least, now, span_ms)));
        self.least_ms = Some(least);
        Some(now - least >= QUEUE_MS.max(least * QUEUE_SHARE))
    }
}

/// What lies in queues on the way, by what round trips take longer than the least of them lately.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Queue {
    trip: RoundTrip,
    /// That of RTCP, where `trip` is that of ICE.
    other: RoundTrip,
    /// For how long the round trip has stayed the same.
    same_ms: f64,
    /// How long ago there was a queue.
    ago_ms: Option<f64>,
    /// In how many round trips it was.
    samples: f64,
}

impl Queue {
    fn update(&mut self, sample: &ConnectionSample) {
        let before = self.trip.now_ms;
        let in_other = self.other.has_queue(sample.fabric.ice_rtt_ms.and(sample.rtcp_rtt_ms), sample.span_ms);
        let Some(is_there) = self.trip.has_queue(sample.rtt_ms, sample.span_ms) else { return };
        self.same_ms = if before == sample.rtt_ms { self.same_ms + sample.span_ms } else { 0.0 };
        let is_new = self.same_ms == 0.0 || self.same_ms >= MEASURED_AGAIN_MS;
        if is_there {
            self.ago_ms = Some(0.0);
            self.samples += sample.fabric.rtt_samples.unwrap_or(if is_new { 1.0 } else { 0.0 });
        } else {
            self.ago_ms = self.ago_ms.map(|ago| ago + sample.span_ms);
        }
        if !self.is_seen() {
            self.samples = 0.0;
        } else if in_other == Some(true) {
            self.samples = QUEUE_SAMPLES;
        }
    }

    /// Whether there may be one, or was lately.
    fn is_seen(&self) -> bool {
        self.ago_ms.is_some_and(|ago| ago <= QUEUE_SEEN_MS)
    }

    fn is_sure(&self) -> bool {
        self.is_seen() && self.samples >= QUEUE_SAMPLES
    }
}

/// A rate, and the best of it lately.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Rate {
    now_bps: Option<f64>,
    best_bps: Option<f64>,
}

impl Rate {
    /// By which share it fell below its best.
    fn drop(&mut self, now_bps: Option<f64>, span_ms: f64) -> Option<f64> {
        self.now_bps = now_bps;
        let now = now_bps?;
        let best = self.best_bps.map_or(now, |best| now.max(drift(best, now, span_ms)));
        self.best_bps = Some(best);
        (best > 0.0).then(|| 1.0 - now / best)
    }
}

/// What is best lately moves slowly to what is now.
fn drift(best: f64, now: f64, span_ms: f64) -> f64 {
    let kept = LATELY_MS / (LATELY_MS + span_ms.max(0.0));
    best * kept + now * (1.0 - kept)
}

/// What passes, and how long a round trip takes: the best lately, and now.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Congestion {
    media: Rate,
    available: Rate,
    queue: Queue,
    drop: Drop,
}

/// What is behind less than passed before.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Drop {
    #[default]
    None,
    /// For how long no queue has been seen with it, ms.
    Alone(f64),
    /// A queue came with it.
    Queued,
}

impl Congestion {
    fn read(&mut self, media_bps: Option<f64>, available_bps: Option<f64>, sample: &ConnectionSample) -> Reading {
        self.queue.update(sample);
        let media = self.media.drop(media_bps, sample.span_ms);
        let available = self.available.drop(available_bps, sample.span_ms);
        let (Some(media), Some(_)) = (media, self.queue.trip.now_ms) else { return Reading::Unknown };
        self.drop = match self.drop {
            _ if media < LITTLE => Drop::None,
            _ if self.queue.is_sure() => Drop::Queued,
            Drop::None => Drop::Alone(0.0),
            Drop::Alone(ms) if !self.queue.is_seen() => Drop::Alone(ms + sample.span_ms),
            drop => drop,
        };
        if let Drop::Alone(ms) = self.drop
            && ms >= QUEUE_SEEN_MS
        {
            self.media.best_bps = self.media.now_bps;
            self.drop = Drop::None;
        }
        match self.drop {
            _ if !self.queue.is_seen() => return Reading::Level(0.0),
            Drop::None => return Reading::Level(0.0),
            // The next round trip tells.
            Drop::Alone(_) => return Reading::Unknown,
            Drop::Queued => {}
        }
        // Congestion control that believes in less than before, and in enough, holds nobody back.
        Reading::Level(available.map_or(media, |available| available.min(media)))
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("best_video_bps", self.media.best_bps);
        evidence.set("available_bps", self.available.now_bps);
        evidence.set("rtt_ms", self.queue.trip.now_ms);
        evidence.set("least_rtt_ms", self.queue.trip.least_ms);
    }
}

/// The sentence for either side.
fn congested(diagnosis: &Diagnosis, who: &str) -> String {
    format!("{who}'s {} was congested: video bitrate fell by {}", diagnosis.side_name(), percent(diagnosis.figure()))
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct UplinkCongestion(Congestion);

impl Detector for UplinkCongestion {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::UplinkCongestion;
    const CAUSES: &'static [Kind] = &[Kind::IceDisrupted, Kind::NoMedia];
    const FIGURES: &'static [&'static str] = FIGURES;

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        // Somebody who has nothing to send is not held back.
        let Some(sent_bps) = sample.sent.video_bps() else {
            *self = Self::default();
            return Reading::Resting;
        };
        self.0.read(Some(sent_bps), sample.fabric.available_bps, sample)
    }

    fn explain(&self, evidence: &mut Evidence) {
        self.0.explain(evidence);
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        congested(diagnosis, who)
    }
}

#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::diagnosis) struct DownlinkCongestion(Congestion);

impl Detector for DownlinkCongestion {
    type Sample<'a> = ConnectionSample;

    const KIND: Kind = Kind::DownlinkCongestion;
    const CAUSES: &'static [Kind] = &[Kind::IceDisrupted, Kind::NoMedia];
    const FIGURES: &'static [&'static str] = FIGURES;

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        let Some(received_bps) = sample.received.video_bps() else {
            *self = Self::default();
            return Reading::Resting;
        };
        self.0.read(Some(received_bps), None, sample)
    }

    fn explain(&self, evidence: &mut Evidence) {
        self.0.explain(evidence);
    }

    fn sentence(diagnosis: &Diagnosis, who: &str) -> String {
        congested(diagnosis, who)
    }
}
