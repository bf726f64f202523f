//! What must hold of everything that leaves the engine, whatever went in.

use callgauge::id::MediaKind;
use callgauge::metric::{Metric, Unit};
use callgauge::report::{Num, Report};
use callgauge::score::MosScale;
use callgauge::summary::{ConferenceSummary, GroupScore, ScoreSummary, StreamSummary};
use callgauge::{Conference, Event};
use ciborium::Value;

/// What was read is finite: the rules of the fields refuse the rest.
pub fn check_report(report: &Report) {
    for entry in report.entries() {
        for &field in Num::ALL {
            assert!(entry.get(field).is_none_or(f64::is_finite), "{field:?} of {entry:?}");
        }
    }
}

/// Figures are finite, ratios are shares, and a score lies in its interval.
pub fn check_event(event: &Event) {
    let Event::IntervalClosed { interval, score, .. } = event else { return };
    assert!(interval.span_ms.is_finite());
    for &metric in Metric::ALL {
        let Some(value) = interval.get(metric) else { continue };
        assert!(value.is_finite(), "{metric:?}: {value}");
        let most = match metric {
            // Both say so: a freeze is counted whole when it ends, and a packet may carry several frames again.
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

/// Checks how a call is right now, and what it came to.
pub fn check(call: &Conference) {
    let summary = call.summary();
    check_numbers(&Value::serialized(&summary).expect("a summary serializes"), "");
    check_numbers(&Value::serialized(&call.snapshot()).expect("a view serializes"), "");
    check_summary(&summary);
    assert_eq!(call.summary(), summary);
}

/// No number is NaN or ∞, no duration negative, no ratio more than the whole.
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
                // The figures of a distribution are named by what they are figures of.
                let is_figure = matches!(key, "mean" | "min" | "max" | "p05" | "p50" | "p95");
                check_numbers(value, if is_figure { name } else { key });
            }
        }
        _ => {}
    }
}

/// What is counted adds up, scores lie in their intervals, and time goes forward.
fn check_summary(summary: &ConferenceSummary) {
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
    let why_not = score.quiet_s + score.undecided_s + score.rest_edges_s + score.idle_s + score.unscored_s;
    let counted = score.active_s + why_not + rest;
    assert!(counted <= stream.duration_s * (1.0 + 1e-9) + 1e-3, "{counted} of {}", stream.duration_s);
    let rated = &score.rating_s;
    assert!(rated.excellent + rated.fair + rated.bad + rated.unknown <= stream.duration_s + 1e-3);
}
