//! Collects the last seconds of a video stream as inputs of the model. It does not score them.

use super::VideoInputs;
use crate::id::Direction;
use crate::metric::{Interval, IntervalState, Metric};
use crate::score::mean::Mean;
use crate::score::{LEAST_MS, either};
use crate::unit::{Bitrate, Ratio};

/// Nothing arrived for this long, ms, without a report that nothing was sent: an outage. A sender that pauses says so
/// in its next report, which is due within a second for video in libwebrtc, and within 5 s by RFC 3550 6.2.
const OUTAGE_MS: f64 = 3_000.0;
/// A freeze by libwebrtc's definition (`totalFreezesDuration` of webrtc-stats): a frame that lasts three times as long
/// as usual and 150 ms longer.
const FREEZE_TIMES: f64 = 3.0;
const FREEZE_MORE_MS: f64 = 150.0;
/// Usual duration of a frame if frames are not counted, ms: at 15 frames per second.
const FRAME_MS: f64 = 1e3 / 15.0;
/// A freeze may be reported this long after frames arrive again, ms: it ends when a frame is displayed, after decoding.
const REPORT_MS: f64 = 1_000.0;
/// No stream is faster: an interval with more was too short to measure.
const MOST_FRAMES_PER_SECOND: f64 = 1_000.0;

/// The last seconds of a video stream.
///
/// Displayed video counts, pooled before any division: the quantizer over frames, bits over their frames, frames over
/// the time in which they arrived.
///
/// A figure that is `t` ms old has the weight e^(−t/4000): twice as long as for audio, because freezes are rarer than
/// concealment and one must not be forgotten before it is seen. An interval of any length counts as if its figures were
/// constant throughout, so the polling rate does not change the window.
///
/// **Freezes.** Chromium counts a freeze, whole, when the next frame is displayed. A window that waited for that would
/// be at its best during the freeze. For a received stream, therefore:
///
/// - Data arrive and no frame is decoded, for longer than the least freeze: the video is frozen, and that time counts
///   at once.
/// - Neither data nor frames arrive: perhaps nothing was sent. That time is pending ([`pending_outage_ms`](Self::pending_outage_ms))
///   until data arrive again or 3 s have passed, which makes it a freeze, or until the stream turns out to rest, which
///   discards it.
/// - When the freeze is reported, the time already counted is subtracted. A freeze longer than the interval that
///   reports it began earlier, and is counted there. A freeze that spans a rest is that rest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VideoWindow {
    /// Nothing is forgotten.
    pooling: bool,
    shown_ms: f64,
    frozen_ms: f64,
    /// The part of it while frames were due.
    pending_ms: f64,
    freezes: f64,
    /// Whether the browser counts freezes.
    counts_freezes: bool,
    /// Whether it is known if frames were due.
    knows_pending: bool,
    /// Frames over the time in which they arrived.
    frames: Mean,
    qp: Mean,
    bits: Mean,
    width: Mean,
    height: Mean,
    corruption: Mean,
    stream: WindowStream,
}

/// State of the stream, which outlives the window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct WindowStream {
    /// Width and height of the largest picture.
    largest: Option<(f64, f64)>,
    /// The most frames per second.
    fastest: f64,
    /// Time with data and without a frame, ms; not yet a freeze.
    still_ms: f64,
    /// Time without data, ms; not yet decided.
    pending_outage_ms: f64,
    /// Whether a retransmission or a key frame was requested meanwhile.
    outage_frames_pending: Option<bool>,
    /// Time without frames that is already counted as a freeze or as a rest, ms.
    settled_ms: f64,
    /// It was counted as a freeze.
    counted: bool,
    /// It was a rest.
    rested: bool,
    /// How long frames have arrived again, ms.
    moving_ms: f64,
}

impl VideoWindow {
    /// Time constant of forgetting, ms.
    pub const FORGETS_MS: f64 = 4_000.0;

    /// An empty window that forgets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty window that forgets nothing: for a stretch of time that the caller chooses.
    #[must_use]
    pub fn pooling() -> Self {
        Self { pooling: true, ..Self::default() }
    }

    /// Adds an interval. Returns how much was displayed, ms: the weight of its score in an average over the call; 0 for
    /// a pending interval, and its length later, when it has turned out to be a freeze.
    ///
    /// An interval in which the stream was not measured ends the time before it: a window that forgets is
    /// [cleared](Self::clear), one that pools skips it.
    pub fn add(&mut self, interval: &Interval) -> f64 {
        let span_ms = interval.length_ms();
        if interval.state != IntervalState::Active {
            self.rest(interval.state, span_ms);
            return 0.0;
        }
        if span_ms == 0.0 {
            return 0.0;
        }
        let received = interval.direction == Direction::Inbound;
        let (frames, data) = (interval.get(Metric::FramesPerSecond), has_data(interval));
        if received && data == Some(false) && frames.is_none_or(|frames| frames == 0.0) {
            self.stream.pending_outage_ms += span_ms;
            self.stream.outage_frames_pending = or(self.stream.outage_frames_pending, pending(interval));
            // A frozen picture does not come to rest.
            let is_freeze = self.stream.counted || self.stream.pending_outage_ms >= OUTAGE_MS;
            return if is_freeze { self.count_pending_outage() } else { 0.0 };
        }
        let outage_ms = self.count_pending_outage();
        let weight = self.pass(span_ms);
        if received && data == Some(true) && frames == Some(0.0) {
            self.add_without_frames(interval, span_ms, weight);
        } else {
            self.add_with_frames(interval, span_ms, weight);
        }
        outage_ms + span_ms
    }

    /// Skips an interval that must not count: the edge of a rest. A freeze that it reports is over.
    pub fn skip(&mut self, interval: &Interval) {
        if interval.get(Metric::FramesPerSecond).is_some_and(|frames| frames > 0.0) {
            let reports = [Metric::FrozenRatio, Metric::FreezesPerSecond]
                .into_iter()
                .any(|metric| interval.get(metric).is_some_and(|frozen| frozen > 0.0));
            self.stream.resume_after(interval.length_ms(), reports);
        }
    }

    /// Length of the time for which it is unknown whether anything was sent, ms.
    #[must_use]
    pub const fn pending_outage_ms(&self) -> f64 {
        self.stream.pending_outage_ms
    }

    /// Clears everything but the stream's largest picture and the part of an ongoing freeze that was already counted.
    pub fn clear(&mut self) {
        *self = Self { pooling: self.pooling, stream: self.stream, ..Self::default() };
    }

    /// The inputs of the window. `None` if too little was displayed for a score. The caller adds the codec, the display
    /// size, the source's frame rate and whether it is a screen.
    #[must_use]
    pub fn inputs<'a>(&self) -> Option<VideoInputs<'a>> {
        if self.shown_ms < LEAST_MS {
            return None;
        }
        let frozen_ms = self.frozen_ms.min(self.shown_ms);
        let freezes_known = self.counts_freezes || frozen_ms > 0.0;
        let most = if self.stream.fastest > 0.0 { self.stream.fastest } else { MOST_FRAMES_PER_SECOND };
        let frames_per_second = self.frames.get().map(|frames| (frames * 1e3).min(most));
        let bits = self.bits.get().zip(frames_per_second).map(|(bits, frames)| bits * frames);
        let mut inputs = VideoInputs::new();
        inputs.qp = self.qp.get();
        inputs.bitrate = bits.and_then(Bitrate::new);
        inputs.width = self.width.get();
        inputs.height = self.height.get();
        inputs.largest_width = self.stream.largest.map(|(width, _)| width);
        inputs.largest_height = self.stream.largest.map(|(_, height)| height);
        inputs.frames_per_second = frames_per_second;
        inputs.frozen = Ratio::of(frozen_ms, self.shown_ms).filter(|_| freezes_known);
        inputs.freezes_per_10_s = freezes_known.then(|| self.freezes / self.shown_ms * 10e3);
        // The evidence applies to freezes: it must cover more than half of their time.
        inputs.pending_data = self.knows_pending.then_some(self.pending_ms > 0.5 * frozen_ms);
        inputs.corruption = self.corruption.get().and_then(Ratio::clamped);
        // On average, a fading window is as old as a plain window of twice the time.
        inputs.active_ms = Some(if self.pooling { self.shown_ms } else { 2.0 * self.shown_ms });
        Some(inputs)
    }

    /// Counts the pending time as a freeze. Returns its length, ms.
    fn count_pending_outage(&mut self) -> f64 {
        let span_ms = core::mem::take(&mut self.stream.pending_outage_ms);
        let pending = self.stream.outage_frames_pending.take();
        if span_ms > 0.0 {
            let weight = self.pass(span_ms);
            self.freeze(weight, pending);
            self.settle(span_ms, weight / span_ms);
        }
        span_ms
    }

    /// Data arrive without a frame.
    fn add_without_frames(&mut self, interval: &Interval, span_ms: f64, weight: f64) {
        let stream = &mut self.stream;
        stream.moving_ms = 0.0;
        stream.still_ms += span_ms;
        let usual_ms = if stream.fastest > 0.0 { 1e3 / stream.fastest } else { FRAME_MS };
        if stream.counted || stream.still_ms >= (FREEZE_TIMES * usual_ms).max(usual_ms + FREEZE_MORE_MS) {
            let frozen_ms = core::mem::take(&mut stream.still_ms);
            // Data without a frame wait for missing packets.
            self.freeze(self.weight_of(0.0, frozen_ms), or(Some(true), pending(interval)));
            self.settle(frozen_ms, weight / span_ms);
        }
    }

    /// Frames arrive.
    fn add_with_frames(&mut self, interval: &Interval, span_ms: f64, weight: f64) {
        // It was no freeze.
        let still_ms = core::mem::take(&mut self.stream.still_ms);
        self.frames.add(0.0, self.weight_of(span_ms, still_ms));
        if let Some(frames) = interval.get(Metric::FramesPerSecond) {
            if frames <= MOST_FRAMES_PER_SECOND {
                self.stream.fastest = self.stream.fastest.max(frames);
            }
            let number = frames / 1e3 * weight;
            self.frames.add(number, weight);
            if frames == 0.0 {
                return;
            }
            if let Some(qp) = interval.get(Metric::Qp) {
                self.qp.add(qp * number, number);
            }
            if let Some(bps) = interval.get(Metric::BitrateBps) {
                self.bits.add(bps / 1e3 * weight, number);
            }
        }
        if let (Some(width), Some(height)) = (interval.get(Metric::Width), interval.get(Metric::Height)) {
            self.width.add(width * weight, weight);
            self.height.add(height * weight, weight);
            let is_larger = self.stream.largest.is_none_or(|(most, high)| width * height > most * high);
            if is_larger {
                self.stream.largest = Some((width, height));
            }
        }
        if let Some(corruption) = interval.get(Metric::Corruption) {
            self.corruption.add(corruption * weight, weight);
        }
        self.take_report(interval, span_ms, weight);
    }

    /// Counts the freezes that ended in an interval with frames.
    fn take_report(&mut self, interval: &Interval, span_ms: f64, weight: f64) {
        let reported_ms = interval.get(Metric::FrozenRatio).map(|share| share * span_ms);
        let number = interval.get(Metric::FreezesPerSecond).map(|rate| rate * span_ms / 1e3);
        self.counts_freezes |= reported_ms.is_some() || number.is_some();
        let stream = self.stream;
        let (reported_ms, number) = (reported_ms.unwrap_or(0.0), number.unwrap_or(0.0));
        self.stream.resume_after(span_ms, reported_ms > 0.0 || number > 0.0);
        if stream.rested {
            return;
        }
        let news_ms = (reported_ms - stream.settled_ms).max(0.0);
        let is_old = stream.counted && (reported_ms > 0.0 || number > 0.0);
        self.freezes += (number - f64::from(u8::from(is_old))).max(0.0) * weight / span_ms;
        if news_ms <= span_ms {
            self.find_frozen(weight * news_ms / span_ms, interval);
        } else {
            // Within this interval, all but the time of its frames; the rest of the freeze is before the time already
            // counted.
            let frames = interval.get(Metric::FramesPerSecond).unwrap_or(0.0);
            let moved_ms = if self.stream.fastest > 0.0 { frames / self.stream.fastest * span_ms } else { 0.0 };
            let here_ms = (span_ms - moved_ms).max(0.0);
            self.find_frozen(weight * here_ms / span_ms, interval);
            self.find_frozen(self.weight_of(span_ms + stream.settled_ms, news_ms - here_ms), interval);
        }
    }

    /// Moves time from moving to frozen.
    fn find_frozen(&mut self, weight: f64, interval: &Interval) {
        let weight = self.freeze(weight, pending(interval));
        self.frames.lighten(weight);
    }

    /// Counts displayed time as frozen, at most what is not frozen yet. Returns how much.
    fn freeze(&mut self, weight: f64, pending: Option<bool>) -> f64 {
        let weight = weight.min(self.shown_ms - self.frozen_ms).max(0.0);
        self.frozen_ms += weight;
        self.knows_pending |= weight > 0.0 && pending.is_some();
        if pending == Some(true) {
            self.pending_ms += weight;
        }
        weight
    }

    /// Marks time without frames as a counted freeze, and counts one more freeze if it is new.
    fn settle(&mut self, frozen_ms: f64, one: f64) {
        if !self.stream.counted {
            self.freezes += one;
            self.stream.counted = true;
        }
        self.stream.settled_ms += frozen_ms;
    }

    /// The stream rests or was reset, or there was a gap.
    fn rest(&mut self, state: IntervalState, span_ms: f64) {
        if !self.pooling {
            self.clear();
        }
        if state == IntervalState::Reset {
            self.stream = WindowStream::default();
            return;
        }
        let WindowStream { largest, fastest, settled_ms, pending_outage_ms, still_ms, .. } = self.stream;
        let settled_ms = settled_ms + pending_outage_ms + still_ms + span_ms;
        self.stream = WindowStream { largest, fastest, settled_ms, rested: true, ..WindowStream::default() };
    }

    /// Advances time, and counts it as displayed. Returns its weight, ms.
    fn pass(&mut self, span_ms: f64) -> f64 {
        let weight = self.weight_of(0.0, span_ms);
        if !self.pooling {
            self.fade(span_ms);
        }
        self.shown_ms += weight;
        weight
    }

    fn fade(&mut self, span_ms: f64) {
        let left = libm::exp(-span_ms / Self::FORGETS_MS);
        self.shown_ms *= left;
        self.frozen_ms *= left;
        self.pending_ms *= left;
        self.freezes *= left;
        for mean in
            [&mut self.frames, &mut self.qp, &mut self.bits, &mut self.width, &mut self.height, &mut self.corruption]
        {
            mean.fade(left);
        }
    }

    /// The weight of `ms` that ended `ago_ms` ago, ms.
    fn weight_of(&self, ago_ms: f64, ms: f64) -> f64 {
        if self.pooling {
            return ms;
        }
        Self::FORGETS_MS * libm::exp(-ago_ms / Self::FORGETS_MS) * -libm::expm1(-ms / Self::FORGETS_MS)
    }
}

impl WindowStream {
    /// Frames arrive again. After long enough, or with a report, the time before them is over.
    fn resume_after(&mut self, span_ms: f64, reported: bool) {
        self.moving_ms += span_ms;
        if reported || self.moving_ms >= REPORT_MS {
            self.settled_ms = 0.0;
            self.counted = false;
            self.rested = false;
        }
    }
}

/// Whether data arrived: payload, because padding makes no frame. `None` if not counted.
fn has_data(interval: &Interval) -> Option<bool> {
    let data = interval.get(Metric::BitrateBps).or_else(|| interval.get(Metric::PacketRatePps))?;
    Some(data > 0.0)
}

/// Whether anything was requested again: packets, or a key frame. `None` if not counted.
fn pending(interval: &Interval) -> Option<bool> {
    [Metric::NackPerSecond, Metric::PliPerSecond, Metric::FirPerSecond]
        .into_iter()
        .map(|metric| interval.get(metric).map(|asked| asked > 0.0))
        .fold(None, or)
}

/// Whether either holds, as far as known.
fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    either(a, b, |a, b| a || b)
}

#[cfg(test)]
mod tests;
