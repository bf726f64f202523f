//! The rating that callstats.io showed beside its figures, for migration. It has no influence on scores.
//!
//! Each figure is excellent, fair or bad by a published limit and counts 5, 3 or 1; the rating is the integer part of
//! their mean: 5 is excellent, 2 to 4 fair, 1 bad, and unknown without any figure. A figure of zero is left out, so
//! muted or paused streams are not rated.
//!
//! | figure | of | excellent | fair | bad |
//! |---|---|---|---|---|
//! | kbit/s of the interval | audio | from 30 | above 8 | up to 8 |
//! | kbit/s of the interval | video | from 1024 | above 256 | up to 256 |
//! | loss ratio of the interval | received audio | below 0.15 | to 0.30 | above |
//! | "eModel": round trip + 40 ms | audio | below 240 | to 400 | above |
//! | round trip, ms | video | below 400 | to 1000 | above |
//! | frame rate relative to before | video | from 0.8 | above 0.3 | up to 0.3 |
//!
//! Five things differ from the original, which had them wrong. An interval of a scored stream with which nearly all
//! users are dissatisfied (MOS below 3.1) is fair at most (it called a sent stream excellent whatever was lost). Round trips are milliseconds, as documented (it took the
//! seconds of W3C stats for milliseconds, and always rated them excellent). They are those of the interval, not the
//! 95th percentile of the last 600 samples, so a problem shows when it begins and ends when it is over. The frame rate
//! is compared with the mean of the previous intervals (it compared two means over the whole call, which never
//! differed). The remote endpoint's report on a stream is rated with that stream, not as a received stream. "Any figure
//! that is not excellent gives at most fair" and "a loss of zero does not help" are preserved, because its users know
//! them.

use crate::id::{Direction, MediaKind};
use crate::metric::{Interval, Metric};
use crate::score::DISSATISFIED;
use crate::unit::Rx;

/// callstats.io's rating of the quality of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum CallstatsRating {
    /// Every figure is excellent.
    Excellent,
    /// Neither of the others.
    Fair,
    /// Nearly every figure is bad.
    Bad,
    /// No figure to rate.
    Unknown,
}

impl CallstatsRating {
    /// The rating beside a score: not excellent if nearly all users are dissatisfied.
    pub(crate) fn beside(self, score: Option<Rx>) -> Self {
        let is_poor = score.is_some_and(|rx| rx.as_f64() < DISSATISFIED);
        if is_poor && self == Self::Excellent { Self::Fair } else { self }
    }

    /// The name that callstats.io used.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Excellent => "excellent",
            Self::Fair => "fair",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }
}

/// The value of a figure.
#[derive(Clone, Copy)]
enum Mark {
    Excellent = 5,
    Fair = 3,
    Bad = 1,
}

/// The delay that the original added to the round trip, ms.
const E_MODEL_MS: f64 = 40.0;

/// Rates an interval of a stream. `rtt_ms`: the network's round trip, from any source; `usual_frame_rate`: the mean of
/// the previous intervals.
#[must_use]
pub fn rate(interval: &Interval, rtt_ms: Option<f64>, usual_frame_rate: Option<f64>) -> CallstatsRating {
    let kbps = interval.get(Metric::BitrateBps).map(|bps| bps / 1e3);
    let marks = match interval.kind {
        Some(MediaKind::Audio) => [
            more_is_better(kbps, 30.0, 8.0),
            less_is_better(interval.get(Metric::LossRatio), 0.15, 0.3)
                .filter(|_| interval.direction == Direction::Inbound),
            less_is_better(rtt_ms.map(|rtt_ms| rtt_ms + E_MODEL_MS), 240.0, 400.0),
        ],
        Some(MediaKind::Video) => {
            let frame_rate = interval.get(Metric::FramesPerSecond);
            let change =
                frame_rate.zip(usual_frame_rate).filter(|&(_, usual)| usual > 0.0).map(|(now, usual)| now / usual);
            [
                more_is_better(kbps, 1_024.0, 256.0),
                less_is_better(rtt_ms, 400.0, 1_000.0),
                more_is_better(change, 0.8, 0.3),
            ]
        }
        None => return CallstatsRating::Unknown,
    };
    let (sum, count) = marks.into_iter().flatten().fold((0, 0), |(sum, count), mark| (sum + mark as u32, count + 1));
    match sum.checked_div(count) {
        None => CallstatsRating::Unknown,
        Some(5..) => CallstatsRating::Excellent,
        Some(2..) => CallstatsRating::Fair,
        Some(_) => CallstatsRating::Bad,
    }
}

/// The mark of a figure of which more is better; `None` for 0 or unknown.
fn more_is_better(value: Option<f64>, excellent: f64, fair: f64) -> Option<Mark> {
    let value = value.filter(|&value| value > 0.0)?;
    Some(if value >= excellent {
        Mark::Excellent
    } else if value > fair {
        Mark::Fair
    } else {
        Mark::Bad
    })
}

/// The mark of a figure of which less is better; `None` for 0 or unknown.
fn less_is_better(value: Option<f64>, excellent: f64, fair: f64) -> Option<Mark> {
    let value = value.filter(|&value| value > 0.0)?;
    Some(if value < excellent {
        Mark::Excellent
    } else if value <= fair {
        Mark::Fair
    } else {
        Mark::Bad
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Ssrc;
    use crate::unit::StatTime;

    fn interval(direction: Direction, kind: MediaKind, figures: &[(Metric, f64)]) -> Interval {
        let at = StatTime::from_millis(5_000.0).unwrap();
        let mut interval = Interval::new(at, 5_000.0, direction, Ssrc::new(7), Some(kind));
        for &(metric, value) in figures {
            interval.set(metric, Some(value));
        }
        interval
    }

    /// The limits of callstats.io, just on either side.
    #[test]
    fn each_figure_alone_is_rated_by_its_limits() {
        use CallstatsRating::{Bad, Excellent, Fair, Unknown};
        use MediaKind::{Audio, Video};
        use Metric::{BitrateBps, FramesPerSecond, LossRatio};
        let of = |kind, figures: &[(Metric, f64)], rtt_ms, usual| {
            rate(&interval(Direction::Inbound, kind, figures), rtt_ms, usual)
        };
        for (kind, metric, value, expected) in [
            (Audio, BitrateBps, 30_000.0, Excellent),
            (Audio, BitrateBps, 29_999.0, Fair),
            (Audio, BitrateBps, 8_001.0, Fair),
            (Audio, BitrateBps, 8_000.0, Bad),
            (Audio, BitrateBps, 0.0, Unknown),
            (Audio, LossRatio, 0.149, Excellent),
            (Audio, LossRatio, 0.15, Fair),
            (Audio, LossRatio, 0.30, Fair),
            (Audio, LossRatio, 0.301, Bad),
            (Audio, LossRatio, 0.0, Unknown),
            (Video, BitrateBps, 1_024_000.0, Excellent),
            (Video, BitrateBps, 257_000.0, Fair),
            (Video, BitrateBps, 256_000.0, Bad),
            // Loss of video had limits, and was never rated.
            (Video, LossRatio, 0.6, Unknown),
        ] {
            assert_eq!(of(kind, &[(metric, value)], None, None), expected, "{kind:?} {metric:?} {value}");
        }
        for (kind, rtt_ms, expected) in [
            (Audio, 199.0, Excellent),
            (Audio, 200.0, Fair),
            (Audio, 360.0, Fair),
            (Audio, 361.0, Bad),
            (Video, 399.0, Excellent),
            (Video, 1_000.0, Fair),
            (Video, 1_001.0, Bad),
        ] {
            assert_eq!(of(kind, &[], Some(rtt_ms), None), expected, "{kind:?} {rtt_ms} ms");
        }
        for (now, expected) in [(24.0, Excellent), (23.9, Fair), (9.1, Fair), (9.0, Bad), (0.0, Unknown)] {
            assert_eq!(of(Video, &[(FramesPerSecond, now)], None, Some(30.0)), expected, "{now} of 30");
        }
    }

    #[test]
    fn the_mean_is_truncated() {
        use Metric::{BitrateBps, LossRatio};
        let of = |direction, bps, loss, rtt_ms| {
            let figures = [(BitrateBps, bps), (LossRatio, loss)];
            rate(&interval(direction, MediaKind::Audio, &figures), Some(rtt_ms), None)
        };
        // 5, 5, 3: any figure that is not excellent gives at most fair.
        assert_eq!(of(Direction::Inbound, 40_000.0, 0.01, 250.0), CallstatsRating::Fair);
        // 1, 1, 3: a mean of one and two thirds is bad.
        assert_eq!(of(Direction::Inbound, 5_000.0, 0.5, 300.0), CallstatsRating::Bad);
        // 1, 1, 5: two and a third is fair.
        assert_eq!(of(Direction::Inbound, 5_000.0, 0.5, 50.0), CallstatsRating::Fair);
        // Sent streams are not rated by their loss.
        assert_eq!(of(Direction::Outbound, 40_000.0, 0.5, 50.0), CallstatsRating::Excellent);
    }
}
