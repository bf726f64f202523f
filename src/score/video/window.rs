//! The last seconds of a stream of pictures, as the model reads them.

use super::VideoInputs;
use crate::id::Direction;
use crate::metric::{Interval, IntervalState, Metric};
use crate::score::mean::Mean;
use crate::score::{LEAST_MS, either};
use crate::unit::{Bitrate, Ratio};

/// Nothing came for this long, ms, and no word that nothing was sent: an outage. A sender that pauses says so in its next
/// report, which is due within a second for pictures in libwebrtc, and within 5 s by RFC 3550 6.2.
const OUTAGE_MS: f64 = 3_000.0;
/// A freeze, as libwebrtc tells one (`totalFreezesDuration` of webrtc-stats): a frame that lasts three times as long as
/// usual and 150 ms longer.
const FREEZE_TIMES: f64 = 3.0;
const FREEZE_MORE_MS: f64 = 150.0;
/// How long a frame usually lasts where nobody counted, ms: at 15 frames per second.
const FRAME_MS: f64 = 1e3 / 15.0;
/// A freeze may be reported this long after frames came again, ms: it ends when a frame is shown, after it was decoded.
const REPORT_MS: f64 = 1_000.0;
/// No stream is faster: an interval that says so was too short to tell.
const MOST_FRAMES_PER_SECOND: f64 = 1_000.0;

/// The last seconds of a stream of pictures.
///
/// What counts is what was shown, pooled before it is divided: the quantizer over frames, bits over the frames that they
/// made, frames over the time in which pictures moved.
///
/// What is `t` ms old counts e^(−t/4000): twice as long as for sound, because freezes are rarer than concealment and one
/// of them must not be over before it is seen. An interval of any length counts as if its figures had held evenly
/// throughout, so that the window is the same however often somebody looks.
///
/// **Freezes.** Chromium counts a freeze, whole, when the next frame is shown. A window that waited for that would be
/// at its best while the picture stands. So, of a stream that is received:
///
/// - Data comes and no frame is decoded, for longer than a freeze takes to be one: it stands frozen, and that time counts
///   at once.
/// - Neither data nor frames come: perhaps nothing was sent. Such time is kept apart ([`apart_ms`](Self::apart_ms))
///   until data comes again or 3 s have passed, which makes it a freeze, or until the stream turns out to rest, which
///   makes it nothing.
/// - When the freeze is reported, what was counted already is taken off. What is longer than the interval that reports it
///   lies before it, and is put there. A freeze that spans a rest is that rest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VideoWindow {
    /// Nothing is forgotten.
    pooling: bool,
    shown_ms: f64,
    frozen_ms: f64,
    /// Of that, while something was to be shown.
    pending_ms: f64,
    freezes: f64,
    /// Whether the browser counts freezes.
    counts_freezes: bool,
    /// Whether it can be told if something was to be shown.
    knows_pending: bool,
    /// Frames over the time in which they came.
    frames: Mean,
    qp: Mean,
    bits: Mean,
    width: Mean,
    height: Mean,
    corruption: Mean,
    stream: Stream,
}

/// What is remembered of the stream, whatever the window forgets.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Stream {
    /// Width and height of the largest picture.
    largest: Option<(f64, f64)>,
    /// The most frames per second.
    fastest: f64,
    /// Data comes and no frame, ms; not yet a freeze.
    still_ms: f64,
    /// Nothing comes, ms; not yet decided.
    apart_ms: f64,
    /// Whether something was asked for again meanwhile.
    apart_pending: Option<bool>,
    /// Time without frames that is accounted for already, as a freeze or as a rest, ms.
    settled_ms: f64,
    /// It was counted as a freeze.
    counted: bool,
    /// It was a rest.
    rested: bool,
    /// For how long frames have come again, ms.
    moving_ms: f64,
}

impl VideoWindow {
    /// How fast the window forgets, ms.
    pub const FORGETS_MS: f64 = 4_000.0;

    /// An empty window that forgets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty window that forgets nothing: for a stretch of time that the caller chose.
    #[must_use]
    pub fn pooling() -> Self {
        Self { pooling: true, ..Self::default() }
    }

    /// Adds an interval. Returns how much was shown, ms: what its score weighs in an average over the call; 0 for an
    /// interval that is kept apart, and its length later, when it has turned out to be a freeze.
    ///
    /// An interval in which the stream was not measured ends what was before it: a window that forgets is
    /// [cleared](Self::clear), one that pools leaves it out.
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
        let (frames, data) = (interval.get(Metric::FramesPerSecond), comes(interval));
        if received && data == Some(false) && frames.is_none_or(|frames| frames == 0.0) {
            self.stream.apart_ms += span_ms;
            self.stream.apart_pending = or(self.stream.apart_pending, pending(interval));
            // A picture that stands frozen already does not come to rest.
            let is_freeze = self.stream.counted || self.stream.apart_ms >= OUTAGE_MS;
            return if is_freeze { self.count_apart() } else { 0.0 };
        }
        let outage_ms = self.count_apart();
        let weight = self.pass(span_ms);
        if received && data == Some(true) && frames == Some(0.0) {
            self.stand(interval, span_ms, weight);
        } else {
            self.move_on(interval, span_ms, weight);
        }
        outage_ms + span_ms
    }

    /// Lets an interval pass that is not to count: the edge of a rest. What it reports is over with it.
    pub fn skip(&mut self, interval: &Interval) {
        if interval.get(Metric::FramesPerSecond).is_some_and(|frames| frames > 0.0) {
            let reports = [Metric::FrozenRatio, Metric::FreezesPerSecond]
                .into_iter()
                .any(|metric| interval.get(metric).is_some_and(|frozen| frozen > 0.0));
            self.stream.move_for(interval.length_ms(), reports);
        }
    }

    /// How long it is that nobody can say whether anything was sent, ms.
    #[must_use]
    pub const fn apart_ms(&self) -> f64 {
        self.stream.apart_ms
    }

    /// Forgets everything but the stream's largest picture and what of a freeze under way was counted already.
    pub fn clear(&mut self) {
        *self = Self { pooling: self.pooling, stream: self.stream, ..Self::default() };
    }

    /// What the window says. `None` when too little was shown for a score. The codec, the sizes of the display, the
    /// source's frame rate and whether it is a screen are for the caller to add.
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
        // Evidence comes and goes with the freezes: more than half of them decide.
        inputs.pending_data = self.knows_pending.then_some(self.pending_ms > 0.5 * frozen_ms);
        inputs.corruption = self.corruption.get().and_then(Ratio::clamped);
        // What fades counts as old as a plain window of twice the time, on average.
        inputs.active_ms = Some(if self.pooling { self.shown_ms } else { 2.0 * self.shown_ms });
        Some(inputs)
    }

    /// Counts what was kept apart as a freeze. Returns how long it was, ms.
    fn count_apart(&mut self) -> f64 {
        let span_ms = core::mem::take(&mut self.stream.apart_ms);
        let pending = self.stream.apart_pending.take();
        if span_ms > 0.0 {
            let weight = self.pass(span_ms);
            self.freeze(weight, pending);
            self.settle(span_ms, weight / span_ms);
        }
        span_ms
    }

    /// Data comes and no frame.
    fn stand(&mut self, interval: &Interval, span_ms: f64, weight: f64) {
        let stream = &mut self.stream;
        stream.moving_ms = 0.0;
        stream.still_ms += span_ms;
        let usual_ms = if stream.fastest > 0.0 { 1e3 / stream.fastest } else { FRAME_MS };
        if stream.counted || stream.still_ms >= (FREEZE_TIMES * usual_ms).max(usual_ms + FREEZE_MORE_MS) {
            let frozen_ms = core::mem::take(&mut stream.still_ms);
            // Data that makes no picture waits for what is missing.
            self.freeze(self.weight_of(0.0, frozen_ms), or(Some(true), pending(interval)));
            self.settle(frozen_ms, weight / span_ms);
        }
    }

    /// Frames come.
    fn move_on(&mut self, interval: &Interval, span_ms: f64, weight: f64) {
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

    /// Takes the freezes that ended in an interval with frames.
    fn take_report(&mut self, interval: &Interval, span_ms: f64, weight: f64) {
        let reported_ms = interval.get(Metric::FrozenRatio).map(|share| share * span_ms);
        let number = interval.get(Metric::FreezesPerSecond).map(|rate| rate * span_ms / 1e3);
        self.counts_freezes |= reported_ms.is_some() || number.is_some();
        let stream = self.stream;
        let (reported_ms, number) = (reported_ms.unwrap_or(0.0), number.unwrap_or(0.0));
        self.stream.move_for(span_ms, reported_ms > 0.0 || number > 0.0);
        if stream.rested {
            return;
        }
        let news_ms = (reported_ms - stream.settled_ms).max(0.0);
        let is_old = stream.counted && (reported_ms > 0.0 || number > 0.0);
        self.freezes += (number - f64::from(u8::from(is_old))).max(0.0) * weight / span_ms;
        if news_ms <= span_ms {
            self.find_frozen(weight * news_ms / span_ms, interval);
        } else {
            // Of this interval all but what its frames took; the rest lies before what is settled.
            let frames = interval.get(Metric::FramesPerSecond).unwrap_or(0.0);
            let moved_ms = if self.stream.fastest > 0.0 { frames / self.stream.fastest * span_ms } else { 0.0 };
            let here_ms = (span_ms - moved_ms).max(0.0);
            self.find_frozen(weight * here_ms / span_ms, interval);
            self.find_frozen(self.weight_of(span_ms + stream.settled_ms, news_ms - here_ms), interval);
        }
    }

    /// Counts time as frozen that was counted as moving.
    fn find_frozen(&mut self, weight: f64, interval: &Interval) {
        let weight = self.freeze(weight, pending(interval));
        self.frames.lighten(weight);
    }

    /// Counts time as frozen, as much as was shown and not frozen yet. Returns how much that was.
    fn freeze(&mut self, weight: f64, pending: Option<bool>) -> f64 {
        let weight = weight.min(self.shown_ms - self.frozen_ms).max(0.0);
        self.frozen_ms += weight;
        self.knows_pending |= weight > 0.0 && pending.is_some();
        if pending == Some(true) {
            self.pending_ms += weight;
        }
        weight
    }

    /// Takes note that time without frames is accounted for as a freeze, which is one more when it is a new one.
    fn settle(&mut self, frozen_ms: f64, one: f64) {
        if !self.stream.counted {
            self.freezes += one;
            self.stream.counted = true;
        }
        self.stream.settled_ms += frozen_ms;
    }

    /// The stream rests, began anew, or nobody looked.
    fn rest(&mut self, state: IntervalState, span_ms: f64) {
        if !self.pooling {
            self.clear();
        }
        if state == IntervalState::Reset {
            self.stream = Stream::default();
            return;
        }
        let Stream { largest, fastest, settled_ms, apart_ms, still_ms, .. } = self.stream;
        let settled_ms = settled_ms + apart_ms + still_ms + span_ms;
        self.stream = Stream { largest, fastest, settled_ms, rested: true, ..Stream::default() };
    }

    /// Lets time pass, and counts it as shown. Returns what it weighs, ms.
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

    /// What `ms` that ended `ago_ms` ago weigh, ms.
    fn weight_of(&self, ago_ms: f64, ms: f64) -> f64 {
        if self.pooling {
            return ms;
        }
        Self::FORGETS_MS * libm::exp(-ago_ms / Self::FORGETS_MS) * -libm::expm1(-ms / Self::FORGETS_MS)
    }
}

impl Stream {
    /// Frames come again. Once they have for long enough, or with a report, what was before them is over.
    fn move_for(&mut self, span_ms: f64, reported: bool) {
        self.moving_ms += span_ms;
        if reported || self.moving_ms >= REPORT_MS {
            self.settled_ms = 0.0;
            self.counted = false;
            self.rested = false;
        }
    }
}

/// Whether data came: payload, for padding makes no frame. `None` when nobody counted.
fn comes(interval: &Interval) -> Option<bool> {
    let data = interval.get(Metric::BitrateBps).or_else(|| interval.get(Metric::PacketRatePps))?;
    Some(data > 0.0)
}

/// Whether something was asked for again: packets, or a whole picture. `None` when nobody counted.
fn pending(interval: &Interval) -> Option<bool> {
    [Metric::NackPerSecond, Metric::PliPerSecond, Metric::FirPerSecond]
        .into_iter()
        .map(|metric| interval.get(metric).map(|asked| asked > 0.0))
        .fold(None, or)
}

/// Whether one of two holds, as far as is known.
fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    either(a, b, |a, b| a || b)
}

#[cfg(test)]
mod tests;
