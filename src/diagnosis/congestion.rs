//! Congestion: less passes than lately, while queues fill.

use super::round::Round;
use super::{Detector, Evidence, Kind, Reading};

/// How slowly the best rate and the least round trip are forgotten, ms.
const LATELY_MS: f64 = 120_000.0;
/// A queue of less than this is none, ms.
const QUEUE_MS: f64 = 30.0;
/// Of a long round trip, a third more is a queue (ObserveRTC client-monitor).
const QUEUE_SHARE: f64 = 1.0 / 3.0;
/// How long a queue that was seen counts, ms: congestion control empties it again while it holds back.
const QUEUE_SEEN_MS: f64 = 4_000.0;

/// A rate, and the best of it lately.
#[derive(Clone, Copy, Debug, Default)]
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
struct Congestion {
    media: Rate,
    available: Rate,
    least_rtt_ms: Option<f64>,
    rtt_ms: Option<f64>,
    /// How long ago there was a queue.
    queue_ago_ms: Option<f64>,
}

impl Congestion {
    fn read(&mut self, media_bps: Option<f64>, available_bps: Option<f64>, look: &Round) -> Reading {
        self.rtt_ms = look.rtt_ms;
        if let Some(rtt_ms) = look.rtt_ms {
            let least = self.least_rtt_ms.map_or(rtt_ms, |least| rtt_ms.min(drift(least, rtt_ms, look.span_ms)));
            self.least_rtt_ms = Some(least);
            let has_queue = rtt_ms - least >= QUEUE_MS.max(least * QUEUE_SHARE);
            self.queue_ago_ms = if has_queue { Some(0.0) } else { self.queue_ago_ms.map(|ago| ago + look.span_ms) };
        }
        let media = self.media.drop(media_bps, look.span_ms);
        let available = self.available.drop(available_bps, look.span_ms);
        let (Some(media), Some(_)) = (media, self.rtt_ms) else { return Reading::Unknown };
        if self.queue_ago_ms.is_none_or(|ago| ago > QUEUE_SEEN_MS) {
            return Reading::Level(0.0);
        }
        // Congestion control that believes in less than before, and in enough, holds nobody back.
        Reading::Level(available.map_or(media, |available| available.min(media)))
    }

    fn explain(&self, evidence: &mut Evidence) {
        evidence.set("best_video_bps", self.media.best_bps);
        evidence.set("available_bps", self.available.now_bps);
        evidence.set("rtt_ms", self.rtt_ms);
        evidence.set("least_rtt_ms", self.least_rtt_ms);
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UplinkCongestion(Congestion);

impl Detector<Round> for UplinkCongestion {
    const KIND: Kind = Kind::UplinkCongestion;

    fn read(&mut self, look: &Round) -> Reading {
        // Somebody who has nothing to send is not held back.
        let Some(sent_bps) = look.sent.video_bps() else {
            *self = Self::default();
            return Reading::Resting;
        };
        self.0.read(Some(sent_bps), look.fabric.available_bps, look)
    }

    fn explain(&self, evidence: &mut Evidence) {
        self.0.explain(evidence);
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DownlinkCongestion(Congestion);

impl Detector<Round> for DownlinkCongestion {
    const KIND: Kind = Kind::DownlinkCongestion;

    fn read(&mut self, look: &Round) -> Reading {
        let Some(received_bps) = look.received.video_bps() else {
            *self = Self::default();
            return Reading::Resting;
        };
        self.0.read(Some(received_bps), None, look)
    }

    fn explain(&self, evidence: &mut Evidence) {
        self.0.explain(evidence);
    }
}
