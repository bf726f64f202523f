//! Checks of all outputs of the engine, for any input.

use std::collections::BTreeMap;

use callgauge::fleet::Part;
use callgauge::id::{Direction, MediaKind, StreamKey};
use callgauge::metric::{IntervalState, Metric, Unit};
use callgauge::report::{Num, Report};
use callgauge::score::MosScale;
use callgauge::summary::{ConferenceSummary, GroupScore, ScoreSummary, StreamSummary};
use callgauge::{Conference, Event};
use ciborium::Value;

/// Values of a report are finite: the rules of the fields refuse the rest.
pub fn check_report(report: &Report) {
    for entry in report.entries() {
        for &field in Num::ALL {
            assert!(entry.get(field).is_none_or(f64::is_finite), "{field:?} of {entry:?}");
        }
    }
}

/// The clocks of a conference's events.
#[derive(Default)]
pub struct Clocks(BTreeMap<StreamKey, f64>);

impl Clocks {
    /// The intervals of a stream follow each other, unless its counters, and possibly its clock, were reset.
    pub fn check(&mut self, event: &Event) {
        let Event::IntervalClosed { stream, interval, .. } = event else { return };
        let at = interval.at.as_millis();
        let before = self.0.insert(*stream, at);
        let is_new = interval.state == IntervalState::Reset;
        assert!(
            is_new || before.is_none_or(|before| before < at),
            "{stream:?} was at {before:?} ms, and now is at {at}"
        );
    }
}

/// Figures are finite, ratios are between 0 and 1, and a score lies in its interval.
pub fn check_event(event: &Event) {
    let (interval, score) = match event {
        Event::IntervalClosed { interval, score, .. } => (interval, score),
        Event::Call { event, .. } => {
            assert!(event.delay_ms.is_none_or(|ms| ms.is_finite() && ms >= 0.0), "{event:?}");
            return;
        }
        Event::DiagnosisRaised { diagnosis, .. }
        | Event::DiagnosisUpdated { diagnosis, .. }
        | Event::DiagnosisCleared { diagnosis, .. } => {
            assert!(diagnosis.evidence.iter().all(|(_, figure)| figure.is_finite()), "{diagnosis:?}");
            assert!(diagnosis.to.is_none_or(|to| to >= diagnosis.from), "{diagnosis:?}");
            return;
        }
        _ => return,
    };
    assert!(interval.span_ms.is_finite());
    for &metric in Metric::ALL {
        let Some(value) = interval.get(metric) else { continue };
        assert!(value.is_finite(), "{metric:?}: {value}");
        let most = match metric {
            // Both may exceed 1: a freeze is counted in full at its end, and a packet may carry several frames again.
            Metric::FrozenRatio | Metric::FecRatio => f64::MAX,
            _ if metric.unit() == Unit::Ratio => 1.0,
            _ => f64::MAX,
        };
        assert!((0.0..=most).contains(&value), "{metric:?}: {value}");
    }
    if let Ok(score) = score {
        assert!(score.low() <= score.mos() && score.mos() <= score.high());
        assert!((100.0 - score.parts.sum() - score.rx.as_f64()).abs() < 1e-6, "{score:?}");
    }
}

/// Checks the live view and the summary of a call.
pub fn check(call: &Conference) {
    let summary = call.summary();
    check_numbers(&Value::serialized(&call.snapshot()).expect("a view serializes"), "");
    check_summary(&summary);
    assert_eq!(call.summary(), summary);
}

/// Checks a window of a fleet.
pub fn check_part(part: &Part) {
    check_numbers(&Value::serialized(part).expect("a part serializes"), "");
    for tally in part.rollup.labels.values().chain([&part.rollup.total]) {
        assert!(tally.participants <= tally.stays && tally.rejoined <= tally.participants, "{tally:?}");
        assert!(tally.classed() <= tally.conferences && tally.bad_feedback <= tally.feedback, "{tally:?}");
        check_numbers(&Value::serialized(&tally.mos()).expect("figures serialize"), "");
        for ratio in [tally.failure_ratio(), tally.churn_ratio(), tally.bad_feedback_ratio()].into_iter().flatten() {
            assert!((0.0..=1.0).contains(&ratio.as_f64()), "{ratio:?}");
        }
        assert!(tally.mean_feedback().is_none_or(|mean| (1.0..=5.0).contains(&mean)));
        assert!(tally.rejoins_per_user_hour().is_none_or(|rejoins| rejoins.is_finite() && rejoins >= 0.0));
    }
}

/// No number is NaN or ∞, no duration negative, no ratio above 1.
fn check_numbers(value: &Value, name: &str) {
    match value {
        Value::Float(number) => {
            assert!(number.is_finite(), "{name}: {number}");
            let is_ratio = name.ends_with("_ratio");
            assert!(!is_ratio || (0.0..=1.0).contains(number), "{name}: {number}");
            assert!(!name.ends_with("_s") || *number >= 0.0, "{name}: {number}");
        }
        Value::Array(values) => values.iter().for_each(|value| check_numbers(value, name)),
        Value::Map(members) => {
            for (key, value) in members {
                let key = key.as_text().unwrap_or("");
                // The figures of a distribution take the name of the distribution.
                let is_figure = matches!(key, "mean" | "min" | "max" | "p05" | "p50" | "p95");
                check_numbers(value, if is_figure { name } else { key });
            }
        }
        _ => {}
    }
}

/// Numbers are finite, counts add up, scores lie in their intervals, and time advances.
pub fn check_summary(summary: &ConferenceSummary) {
    check_numbers(&Value::serialized(summary).expect("a summary serializes"), "");
    check_totals(summary);
    assert!(summary.events.iter().map(|event| event.t_ms).is_sorted());
    check_group(&summary.score);
    for fabric in &summary.fabrics {
        check_group(&fabric.score);
        for stream in &fabric.streams {
            check_score(&stream.score);
            check_seconds(stream);
            let pictures = stream.score.scale.map(|scale| matches!(scale, MosScale::Video | MosScale::Screen));
            let video = stream.kind.map(|kind| kind == MediaKind::Video);
            assert!(pictures.is_none() || pictures == video, "{:?} of {:?}", stream.score.scale, stream.kind);
            assert!(stream.samples > stream.resets && stream.samples > stream.gaps);
        }
    }
}

/// Packets of streams sum to those of their fabric and of all fabrics; users have at most as many.
fn check_totals(summary: &ConferenceSummary) {
    let sum = |packets: &mut dyn Iterator<Item = Option<u64>>| packets.flatten().fold(0_u64, u64::saturating_add);
    for direction in [Direction::Outbound, Direction::Inbound] {
        let is_sent = direction == Direction::Outbound;
        let mut all = 0_u64;
        for fabric in &summary.fabrics {
            let streams = || fabric.streams.iter().filter(|stream| stream.direction == direction);
            let flow = if is_sent { &fabric.uplink } else { &fabric.downlink };
            assert_eq!(flow.streams, streams().count() as u64);
            let packets = sum(&mut streams().map(|stream| stream.packets));
            assert!(is_sum(flow.packets, packets), "{} of {packets} on {}", flow.packets.unwrap_or(0), fabric.fabric);
            all = all.saturating_add(packets);
        }
        let flow = if is_sent { &summary.uplink } else { &summary.downlink };
        assert!(is_sum(flow.packets, all), "{:?} of {all}", flow.packets);
        let of_users = sum(&mut summary
            .users
            .iter()
            .map(|user| if is_sent { user.uplink.packets } else { user.downlink.packets }));
        assert!(of_users <= all || is_sum(Some(of_users), all), "{of_users} of {all}");
    }
    for user in &summary.users {
        let goes_on = user.stays.iter().all(|stay| stay.left_ms.is_none_or(|left| left >= stay.joined_ms));
        assert!(goes_on, "{} stayed {:?}", user.user, user.stays);
    }
}

/// Sums are of floats: exact, except for impossibly large counters.
fn is_sum(counted: Option<u64>, sum: u64) -> bool {
    counted.unwrap_or(0).abs_diff(sum) <= sum >> 48
}

fn check_group(score: &GroupScore) {
    check_mos(score.mos_low, score.mos, score.mos_high);
    for score in [&score.audio, &score.video].into_iter().flatten() {
        check_score(score);
    }
}

fn check_score(score: &ScoreSummary) {
    check_mos(score.mos_low, score.mos, score.mos_high);
    assert_eq!(score.mos.is_some(), score.active_s > 0.0);
    assert!(score.parts.sum() <= 100.0 + 1e-6);
    assert!(score.worst_10s.as_ref().is_none_or(|worst| (1.0..=4.5).contains(&worst.mos)));
}

fn check_mos(low: Option<f64>, mos: Option<f64>, high: Option<f64>) {
    if let (Some(low), Some(mos), Some(high)) = (low, mos, high) {
        assert!(1.0 <= low && low <= mos && mos <= high && high <= 4.5, "{low} {mos} {high}");
    } else {
        assert_eq!((low, mos, high), (None, None, None));
    }
}

/// No second of a stream is counted twice.
fn check_seconds(stream: &StreamSummary) {
    let score = &stream.score;
    let rest = stream.muted_s + stream.held_s + stream.paused_s + stream.silent_s + stream.gap_s;
    let why_not = score.no_speech_s + score.unresolved_s + score.transition_s + score.sender_idle_s + score.unscored_s;
    let counted = score.active_s + why_not + rest;
    assert!(counted <= stream.duration_s * (1.0 + 1e-9) + 1e-3, "{counted} of {}", stream.duration_s);
    let rated = &score.rating_s;
    assert!(rated.excellent + rated.fair + rated.bad + rated.unknown <= stream.duration_s + 1e-3);
}
