//! From the scores of streams to what leaves the engine.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use ordered_float::OrderedFloat;

use crate::config::Config;
use crate::digest::{Digest, LinearGrid, Stats};
use crate::id::{Direction, MediaKind};
use crate::score::combine::{Weights, audio_visual};
use crate::score::{Micros, MosScale, NoScore, Score, ScorePool, mos_of};
use crate::stream::StreamRecord;
use crate::summary::{GroupScore, RatingSeconds, ScoreSummary, WorstTenSeconds};
use crate::unit::Rx;

/// The distribution of MOS out of that of [`Rx`]. Its mean is that of R.
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

/// The score of what the streams came to together.
pub(super) fn group<'a>(accounts: impl Iterator<Item = &'a StreamRecord> + Clone, config: &Config) -> GroupScore {
    let direction = scored_direction(accounts.clone());
    let of = |kind| {
        let mut total = Total::default();
        let mut any = false;
        for record in accounts.clone().filter(|record| record.direction == direction && record.kind == Some(kind)) {
            total.add(record);
            any = true;
        }
        any.then_some(total)
    };
    let (audio, video) = (of(MediaKind::Audio), of(MediaKind::Video));
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

/// The direction whose scores count: that of receiving, unless nothing received has one. A stream has scores at both
/// ends.
pub(super) fn scored_direction<'a>(accounts: impl IntoIterator<Item = &'a StreamRecord>) -> Direction {
    let mut received = accounts.into_iter().filter(|record| record.direction == Direction::Inbound);
    if received.any(|record| record.quality.is_scored()) { Direction::Inbound } else { Direction::Outbound }
}

/// Sound and pictures together while there were both, taken to be as long as there can have been, and each alone for
/// the rest; and the scale. However many streams there are of a kind at a time, it is one kind.
fn together(audio: Option<&Total>, video: Option<&Total>, weights: &Weights) -> Option<(Score, Option<MosScale>)> {
    let of = |total: Option<&Total>| Some((total?.scores.mean()?, total?.there(), total?.scores.scale()));
    let ((sound, heard, _), (pictures, seen, _)) = match (of(audio), of(video)) {
        (Some(audio), Some(video)) => (audio, video),
        (one, other) => return one.or(other).map(|(score, _, scale)| (score, scale)),
    };
    let both = audio_visual(&sound, &pictures, weights);
    let mut pool = ScorePool::default();
    pool.add(&sound, heard.less(seen));
    pool.add(&pictures, seen.less(heard));
    pool.add(&both, heard.min(seen));
    Some((pool.mean()?, Some(both.scale)))
}

/// Streams of one kind, pooled.
#[derive(Default)]
struct Total {
    scores: ScorePool,
    idle: Micros,
    quiet: Micros,
    edges: Micros,
    undecided: Micros,
    unscored: Micros,
    rated: [Micros; 4],
    /// Discontinuous transmission: there, and nothing to hear.
    silent: Micros,
    /// From when to when each stream was seen, ms.
    spans: Vec<(f64, f64)>,
}

impl Total {
    fn add(&mut self, record: &StreamRecord) {
        let quality = &record.quality;
        self.silent.add(Micros::of_millis(record.times.silent));
        let start = record.start.as_millis();
        self.spans.push((start, start + record.duration_ms()));
        self.scores.merge(&quality.scores());
        self.idle.add(quality.idle);
        self.quiet.add(quality.quiet);
        self.edges.add(quality.edges);
        self.undecided.add(quality.undecided());
        self.unscored.add(quality.unscored);
        for (sum, more) in self.rated.iter_mut().zip(quality.rated) {
            sum.add(more);
        }
    }

    /// For how long there was something that could be heard or seen, be it silence: no longer than there was any
    /// stream.
    fn there(&self) -> Micros {
        let mut there = self.scores.active();
        there.add(self.quiet);
        there.add(self.silent);
        let mut spans = self.spans.clone();
        spans.sort_by_key(|&(start, _)| OrderedFloat(start));
        let (mut ms, mut until) = (0.0, f64::NEG_INFINITY);
        for (start, end) in spans {
            ms += (end - start.max(until)).max(0.0);
            until = until.max(end);
        }
        there.min(Micros::of_millis(ms))
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
        quiet_s: total.quiet.as_seconds(),
        rest_edges_s: total.edges.as_seconds(),
        undecided_s: total.undecided.as_seconds(),
        idle_s: total.idle.as_seconds(),
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
