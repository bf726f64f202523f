//! Combines scores of streams into scores of a summary. It scores no interval.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ordered_float::OrderedFloat;

use crate::config::Config;
use crate::digest::{Digest, LinearGrid, Stats};
use crate::id::{Direction, MediaKind};
use crate::score::combine::{Weights, audio_visual};
use crate::score::{Micros, MosScale, NoScore, Score, ScorePool, StreamScores, mos_of};
use crate::stream::StreamRecord;
use crate::summary::{GroupScore, RatingSeconds, ScoreSummary, WorstTenSeconds};
use crate::unit::Rx;

/// The distribution of MOS from that of [`Rx`]. The mean is taken over R.
pub(super) fn mos_stats(rx: &Digest<LinearGrid>) -> Stats {
    let rx = rx.stats();
    Stats {
        mean: mos(rx.mean),
        min: mos(rx.min),
        max: mos(rx.max),
        p05: mos(rx.p05),
        p50: mos(rx.p50),
        p95: mos(rx.p95),
        n: rx.n,
    }
}

/// The distribution of one stream's MOS, and its score.
pub(super) fn stream(record: &StreamRecord) -> (Stats, ScoreSummary) {
    let mut total = Total::default();
    total.add(record);
    (mos_stats(total.scores.rx()), summary(&total))
}

/// The combined score of several streams.
pub(super) fn group<'a>(records: impl Iterator<Item = &'a StreamRecord> + Clone, config: &Config) -> GroupScore {
    let direction = scored_direction(records.clone());
    let scored = records.filter(|record| record.direction == direction);
    let (audio, video) = (Total::of(scored.clone(), MediaKind::Audio), Total::of(scored, MediaKind::Video));
    let mut all = ScorePool::default();
    for total in [&audio, &video].into_iter().flatten() {
        all.merge(&total.scores);
    }
    let (together, scale) = together(audio.as_ref(), video.as_ref(), config.weights()).unzip();
    GroupScore {
        mos: together.map(|score| score.mos().as_f64()),
        mos_low: together.map(|score| score.low().as_f64()),
        mos_high: together.map(|score| score.high().as_f64()),
        scale: scale.flatten(),
        cause: together.and_then(|score| score.cause),
        mos_p05: mos(all.rx().quantile(0.05)),
        worst_10s: worst(&all),
        below_3_1_ratio: all.below(),
        active_s: all.active().as_seconds(),
        audio: audio.as_ref().map(summary),
        video: video.as_ref().map(summary),
    }
}

/// The direction whose scores count: inbound, unless no received stream has a score. A stream has scores at both ends.
pub(super) fn scored_direction<'a>(records: impl IntoIterator<Item = &'a StreamRecord>) -> Direction {
    let mut received = records.into_iter().filter(|record| record.direction == Direction::Inbound);
    if received.any(|record| record.quality.is_scored()) { Direction::Inbound } else { Direction::Outbound }
}

/// The combined score of audio and video, with its scale: both for the longest time they can have overlapped, each
/// alone for the rest. Simultaneous streams of one kind count as one.
fn together(audio: Option<&Total>, video: Option<&Total>, weights: &Weights) -> Option<(Score, Option<MosScale>)> {
    let ((audio, audio_time, _), (video, video_time, _)) =
        match (audio.and_then(Total::mean), video.and_then(Total::mean)) {
            (Some(audio), Some(video)) => (audio, video),
            (one, other) => return one.or(other).map(|(score, _, scale)| (score, scale)),
        };
    let both = audio_visual(&audio, &video, weights);
    let mut pool = StreamScores::default();
    pool.add(&audio, audio_time.less(video_time));
    pool.add(&video, video_time.less(audio_time));
    pool.add(&both, audio_time.min(video_time));
    Some((pool.pool(None).mean()?, Some(both.scale)))
}

/// Streams of one kind, pooled.
#[derive(Default)]
struct Total {
    scores: ScorePool,
    sender_idle: Micros,
    no_speech: Micros,
    transition: Micros,
    unresolved: Micros,
    unscored: Micros,
    rated: [Micros; 4],
    /// Discontinuous transmission: the stream was present but silent.
    silent: Micros,
    /// The time span of each stream, ms.
    spans: Vec<(f64, f64)>,
}

impl Total {
    /// The total of all streams of a kind; `None` without any.
    fn of<'a>(records: impl Iterator<Item = &'a StreamRecord>, kind: MediaKind) -> Option<Self> {
        let mut records = records.filter(|record| record.kind == Some(kind)).peekable();
        records.peek()?;
        let mut total = Self::default();
        records.for_each(|record| total.add(record));
        Some(total)
    }

    /// The mean score, the time with media, and the scale.
    fn mean(&self) -> Option<(Score, Micros, Option<MosScale>)> {
        Some((self.scores.mean()?, self.media_time(), self.scores.scale()))
    }

    fn add(&mut self, record: &StreamRecord) {
        let quality = &record.quality;
        self.silent.add(Micros::of_millis(record.times.silent));
        let start = record.start.as_millis();
        self.spans.push((start, start + record.duration_ms()));
        self.scores.merge(&quality.scores());
        self.sender_idle.add(quality.sender_idle);
        self.no_speech.add(quality.no_speech);
        self.transition.add(quality.transition);
        self.unresolved.add(quality.unresolved());
        self.unscored.add(quality.unscored);
        for (sum, more) in self.rated.iter_mut().zip(quality.rated) {
            sum.add(more);
        }
    }

    /// How long there was media to hear or see, including silence: no longer than there was any stream.
    fn media_time(&self) -> Micros {
        let mut media_time = self.scores.active();
        media_time.add(self.no_speech);
        media_time.add(self.silent);
        let mut spans = self.spans.clone();
        spans.sort_by_key(|&(start, _)| OrderedFloat(start));
        let (mut ms, mut until) = (0.0, f64::NEG_INFINITY);
        for (start, end) in spans {
            ms += (end - start.max(until)).max(0.0);
            until = until.max(end);
        }
        media_time.min(Micros::of_millis(ms))
    }
}

fn summary(total: &Total) -> ScoreSummary {
    let scores = &total.scores;
    let mean = scores.mean();
    let native = mean.and_then(|score| score.native);
    let [excellent, fair, bad, unknown] = total.rated.map(Micros::as_seconds);
    ScoreSummary {
        mos: mean.map(|score| score.mos().as_f64()),
        mos_low: mean.map(|score| score.low().as_f64()),
        mos_high: mean.map(|score| score.high().as_f64()),
        mos_lq: mean.and_then(|score| score.lq()).map(|mos| mos.as_f64()),
        mos_native: native.map(|native| mos_of(native.rx).as_f64()),
        native_scale: native.map(|native| native.scale),
        scale: scores.scale(),
        model: mean.map(|score| score.model.to_string()),
        tier: mean.map(|score| score.tier).or_else(|| scores.unscored().and_then(NoScore::tier)),
        cause: mean.and_then(|score| score.cause),
        parts: mean.map(|score| score.parts).unwrap_or_default(),
        inputs: mean.map(|score| score.inputs).unwrap_or_default(),
        mos_p05: mos(scores.rx().quantile(0.05)),
        worst_10s: worst(scores),
        below_3_1_ratio: scores.below(),
        active_s: scores.active().as_seconds(),
        no_speech_s: total.no_speech.as_seconds(),
        transition_s: total.transition.as_seconds(),
        unresolved_s: total.unresolved.as_seconds(),
        sender_idle_s: total.sender_idle.as_seconds(),
        unscored_s: total.unscored.as_seconds(),
        rating_s: RatingSeconds { excellent, fair, bad, unknown },
        reason: if mean.is_none() { scores.unscored().map(|reason| String::from(reason.name())) } else { None },
    }
}

fn worst(scores: &ScorePool) -> Option<WorstTenSeconds> {
    scores.worst().map(|(rx, at)| WorstTenSeconds { mos: mos_of(rx).as_f64(), end_ms: at.as_millis() })
}

fn mos(rx: Option<f64>) -> Option<f64> {
    Some(mos_of(Rx::clamped(rx?)?).as_f64())
}
