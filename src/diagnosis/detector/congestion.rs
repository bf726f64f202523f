//! Detects congestion: the rate falls below its recent best while queues fill. It does not estimate bandwidth.

use alloc::format;
use alloc::string::String;

use super::{CONNECTION_CAUSES, Detector, Reading, percent};
use crate::diagnosis::sample::ConnectionSample;
use crate::diagnosis::{Diagnosis, Evidence, Kind};

/// Time constant with which the best rate and the least round trip are forgotten, ms.
const BASELINE_MS: f64 = 120_000.0;
/// Minimum queueing delay, ms.
const QUEUE_MS: f64 = 30.0;
/// Minimum rise of the RTT, relative to its baseline (ObserveRTC client-monitor).
const QUEUE_SHARE: f64 = 1.0 / 3.0;
/// How long a queue counts after it was seen, ms: congestion control drains it again while it backs off. A lower rate
/// for this long without a queue is deliberate: a smaller picture, a layer less, a paused stream.
const QUEUE_SEEN_MS: f64 = 4_000.0;
/// Minimum number of long round trips: one may be an outlier, and stays in Chromium's stats for 2.5 s. The two may be
/// of ICE, or of ICE and RTCP.
const QUEUE_SAMPLES: f64 = 2.0;
/// Without a count of round trips, an unchanged value is taken for a new measurement after this time, ms: twice
/// Chromium's 2.5 s.
const MEASURED_AGAIN_MS: f64 = 5_000.0;
/// Minimum drop of the rate; below it congestion is over.
const MIN_DROP: f64 = 0.2;

/// The figures besides those of the kind.
const FIGURES: &[&str] = &["best_video_bps", "available_bps", "rtt_ms", "least_rtt_ms"];

/// The round trip, and its recent least.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct RoundTrip {
    now_ms: Option<f64>,
    least_ms: Option<f64>,
}

impl RoundTrip {
    /// Whether it shows a queue.
    fn has_queue(&mut self, now_ms: Option<f64>, span_ms: f64) -> Option<bool> {
        self.now_ms = now_ms;
        let now = now_ms?;
        let least = self.least_ms.map_or(now, |least| now.min(drift(least, now, span_ms)));
        self.least_ms = Some(least);
        Some(now - least >= QUEUE_MS.max(least * QUEUE_SHARE))
    }
}

/// The queue on the path: by how much round trips exceed their recent least.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Queue {
    trip: RoundTrip,
    /// The round trip of RTCP, if `trip` is that of ICE.
    other: RoundTrip,
    /// How long the round trip has been unchanged.
    same_ms: f64,
    /// How long ago there was a queue.
    ago_ms: Option<f64>,
    /// The number of round trips that showed it.
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

    /// Whether there may be a queue, or was one recently.
    fn is_seen(&self) -> bool {
        self.ago_ms.is_some_and(|ago| ago <= QUEUE_SEEN_MS)
    }

    fn is_sure(&self) -> bool {
        self.is_seen() && self.samples >= QUEUE_SAMPLES
    }
}

/// A rate, and its recent best.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Rate {
    now_bps: Option<f64>,
    best_bps: Option<f64>,
}

impl Rate {
    /// The fraction by which it fell below its best.
    fn drop(&mut self, now_bps: Option<f64>, span_ms: f64) -> Option<f64> {
        self.now_bps = now_bps;
        let now = now_bps?;
        let best = self.best_bps.map_or(now, |best| now.max(drift(best, now, span_ms)));
        self.best_bps = Some(best);
        (best > 0.0).then(|| 1.0 - now / best)
    }
}

/// The recent best moves slowly toward the current value.
fn drift(best: f64, now: f64, span_ms: f64) -> f64 {
    let old_weight = BASELINE_MS / (BASELINE_MS + span_ms.max(0.0));
    best * old_weight + now * (1.0 - old_weight)
}

/// Rates and round trips: their recent best, and their current value.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Congestion {
    media: Rate,
    available: Rate,
    queue: Queue,
    drop: Drop,
}

/// A drop of the rate, and whether a queue explains it.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Drop {
    #[default]
    None,
    /// No queue seen with it so far, for this many ms.
    Alone(f64),
    /// It came with a queue.
    Queued,
}

impl Congestion {
    fn read(&mut self, media_bps: Option<f64>, available_bps: Option<f64>, sample: &ConnectionSample) -> Reading {
        self.queue.update(sample);
        let media = self.media.drop(media_bps, sample.span_ms);
        let available = self.available.drop(available_bps, sample.span_ms);
        let (Some(media), Some(_)) = (media, self.queue.trip.now_ms) else { return Reading::Unknown };
        self.drop = match self.drop {
            _ if media < MIN_DROP => Drop::None,
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
            // Wait for the next round trip.
            Drop::Alone(_) => return Reading::Unknown,
            Drop::Queued => {}
        }
        // If congestion control lowers its estimate but the estimate suffices, it does not hold the sender back.
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
    const CAUSES: &'static [Kind] = CONNECTION_CAUSES;
    const FIGURES: &'static [&'static str] = FIGURES;

    fn read(&mut self, sample: &ConnectionSample) -> Reading {
        // A sender that has nothing to send is not held back.
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
    const CAUSES: &'static [Kind] = CONNECTION_CAUSES;
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
