//! What each stream did over the call, and the bars that show it.
//! It keeps two figures of each interval, or of neighbours together, and prints nothing.

use std::collections::HashMap;

use callgauge::id::{Direction, Ssrc, StreamKey};
use callgauge::metric::{Interval, Metric};

/// Columns of a sparkline.
pub(crate) const SPARK_WIDTH: usize = 40;
/// The loss ratio that fills a column.
const FULL_LOSS: f64 = 0.2;
/// The share of a column that must be known: a sliver of an interval does not stand for the column.
const KNOWN_SHARE: f64 = 0.25;

/// Points of all streams together, about: 15 MB.
const MAX_POINTS: usize = 1 << 18;
/// Points of one stream, at most: with fewer intervals, a bar is exact.
const MAX_POINTS_OF_STREAM: usize = 1_024;
/// Points of one stream at most, if there are very many streams: two per column.
const MIN_POINTS_OF_STREAM: usize = 2 * SPARK_WIDTH;

/// The figures of all streams over time, by fabric, direction and SSRC. Memory is bounded per stream: a stream with many
/// intervals merges neighbours, and the more streams there are, the earlier.
#[derive(Debug, Default)]
pub(crate) struct AllSeries(HashMap<(usize, Direction, Ssrc), SparkSeries>);

impl AllSeries {
    pub(crate) fn add(&mut self, stream: StreamKey, interval: &Interval) {
        let share = MAX_POINTS / self.0.len().max(1);
        let series = self.0.entry((stream.fabric.index(), stream.direction, stream.ssrc)).or_default();
        series.add(SparkPoint::new(interval), share.clamp(MIN_POINTS_OF_STREAM, MAX_POINTS_OF_STREAM));
    }

    pub(crate) fn get(&self, fabric: usize, direction: Direction, ssrc: Ssrc) -> Option<&SparkSeries> {
        self.0.get(&(fabric, direction, ssrc))
    }
}

/// The figures of one stream over time, which the summary does not hold.
#[derive(Debug, Default)]
pub(crate) struct SparkSeries {
    points: Vec<SparkPoint>,
    /// The time within which neighbours are merged, ms; 0 until there are too many.
    width_ms: f64,
}

/// The figures of one interval, or of several that were merged.
#[derive(Clone, Copy, Debug)]
struct SparkPoint {
    start_ms: f64,
    end_ms: f64,
    bitrate: SparkValue,
    loss: SparkValue,
}

/// A figure of a time.
#[derive(Clone, Copy, Debug)]
struct SparkValue {
    /// Its mean while it was known.
    mean: f64,
    /// The share of the time for which it was known.
    known: f64,
}

impl SparkValue {
    fn new(value: Option<f64>) -> Self {
        Self { mean: value.unwrap_or(0.0), known: if value.is_some() { 1.0 } else { 0.0 } }
    }

    /// The figure of two times of these lengths within a time of the length `span`.
    fn merged(self, length: f64, other: Self, other_length: f64, span: f64) -> Self {
        let (own, others) = (self.known * length, other.known * other_length);
        if own + others <= 0.0 || span <= 0.0 {
            return Self::new(None);
        }
        let mean = (self.mean * own + other.mean * others) / (own + others);
        Self { mean, known: ((own + others) / span).min(1.0) }
    }
}

impl SparkPoint {
    fn new(interval: &Interval) -> Self {
        let end_ms = interval.at.as_millis();
        Self {
            start_ms: end_ms - interval.span_ms,
            end_ms,
            bitrate: SparkValue::new(interval.get(Metric::BitrateBps)),
            loss: SparkValue::new(interval.get(Metric::LossRatio)),
        }
    }

    fn length(&self) -> f64 {
        self.end_ms - self.start_ms
    }

    fn merged(self, next: Self) -> Self {
        let (start_ms, end_ms) = (self.start_ms.min(next.start_ms), self.end_ms.max(next.end_ms));
        let span = end_ms - start_ms;
        Self {
            start_ms,
            end_ms,
            bitrate: self.bitrate.merged(self.length(), next.bitrate, next.length(), span),
            loss: self.loss.merged(self.length(), next.loss, next.length(), span),
        }
    }
}

impl SparkSeries {
    /// Adds a point. At `most` points, neighbours are merged.
    fn add(&mut self, point: SparkPoint, most: usize) {
        self.push(point);
        if self.points.len() < most {
            return;
        }
        let whole = self.points.iter().copied().reduce(SparkPoint::merged).map_or(0.0, |whole| whole.length());
        self.width_ms = self.width_ms.max(whole / most as f64);
        while self.points.len() > most / 4 * 3 {
            self.width_ms = (self.width_ms * 2.0).max(1.0);
            for point in std::mem::take(&mut self.points) {
                self.push(point);
            }
        }
    }

    /// Adds a point to the last one if both are within the width, otherwise behind it.
    fn push(&mut self, point: SparkPoint) {
        if let Some(last) = self.points.last_mut() {
            let merged = last.merged(point);
            if merged.length() <= self.width_ms {
                *last = merged;
                return;
            }
        }
        self.points.push(point);
    }

    /// Bitrate over the call; the largest mean of a column is full. `None` where no bitrate is known.
    pub(crate) fn bitrates(&self, call: TimeAxis) -> Option<String> {
        let means = call.means(self.points.iter().map(|point| (point.start_ms, point.end_ms, point.bitrate)));
        let largest = means.iter().flatten().copied().reduce(f64::max)?;
        Some(sparkline(&means, largest))
    }

    /// Loss over the call; [`FULL_LOSS`] is full. `None` where no loss is known.
    pub(crate) fn losses(&self, call: TimeAxis) -> Option<String> {
        let means = call.means(self.points.iter().map(|point| (point.start_ms, point.end_ms, point.loss)));
        means.iter().any(Option::is_some).then(|| sparkline(&means, FULL_LOSS))
    }
}

/// The time of the call, divided into the columns of a bar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeAxis {
    pub(crate) start_ms: f64,
    pub(crate) end_ms: f64,
}

impl TimeAxis {
    /// The columns that a time covers, each with the covered share.
    pub(crate) fn overlaps(self, start_ms: f64, end_ms: f64) -> impl Iterator<Item = (usize, f64)> {
        let (from, to) = (self.column_of(start_ms), self.column_of(end_ms));
        let share = move |index: usize| to.min(index as f64 + 1.0) - from.max(index as f64);
        (from as usize..(to.ceil() as usize).min(SPARK_WIDTH)).map(move |index| (index, share(index)))
    }

    fn column_of(self, at_ms: f64) -> f64 {
        ((at_ms - self.start_ms) / (self.end_ms - self.start_ms)).clamp(0.0, 1.0) * SPARK_WIDTH as f64
    }

    /// The time-weighted mean of each column.
    fn means(self, values: impl Iterator<Item = (f64, f64, SparkValue)>) -> [Option<f64>; SPARK_WIDTH] {
        let mut columns = [(0.0, 0.0); SPARK_WIDTH];
        for (start_ms, end_ms, value) in values {
            for (index, share) in self.overlaps(start_ms, end_ms) {
                let share = share * value.known;
                if let Some((sum, weight)) = columns.get_mut(index).filter(|_| share > 0.0) {
                    *sum += value.mean * share;
                    *weight += share;
                }
            }
        }
        columns.map(|(sum, weight)| (weight > KNOWN_SHARE).then(|| sum / weight))
    }
}

/// One character per column: a dot for zero, a space for unknown, else a level up to `full`.
fn sparkline(means: &[Option<f64>], full: f64) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let level = |mean: f64| {
        if mean <= 0.0 || full <= 0.0 {
            return '·';
        }
        LEVELS.get(((mean / full * LEVELS.len() as f64) as usize).min(LEVELS.len() - 1)).copied().unwrap_or(' ')
    };
    means.iter().map(|mean| mean.map_or(' ', level)).collect()
}

/// A bar of `width` columns, marked between two shares of the call: `···▇▇▇▇···`. It has one mark at least.
pub(crate) fn presence(from: f64, to: f64, width: usize) -> String {
    let last = width.saturating_sub(1) as f64;
    let (from, to) = ((from * width as f64).min(last), to * width as f64);
    let is_on = |column: usize| column as f64 + 1.0 > from && (column as f64) < to.max(from + f64::MIN_POSITIVE);
    (0..width).map(|column| if is_on(column) { '▇' } else { '·' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(second: usize, value: Option<f64>) -> SparkPoint {
        let start_ms = second as f64 * 1e3;
        let value = SparkValue::new(value);
        SparkPoint { start_ms, end_ms: start_ms + 1e3, bitrate: value, loss: value }
    }

    #[test]
    fn merged_points_keep_the_means_of_columns() {
        // Columns of eight seconds: half of each of the latter is unknown.
        let points: Vec<_> =
            (0..320).map(|at| point(at, (at < 160 || at % 2 == 0).then_some((at / 8) as f64))).collect();
        let axis = TimeAxis { start_ms: 0.0, end_ms: 320e3 };
        let means = |points: &[SparkPoint]| axis.means(points.iter().map(|at| (at.start_ms, at.end_ms, at.loss)));
        let mut merged = points.clone();
        for _ in 0..3 {
            merged = merged.chunks(2).map(|pair| pair[0].merged(pair[1])).collect();
        }
        assert_eq!(merged.len(), SPARK_WIDTH);
        for (column, (all, few)) in means(&points).iter().zip(means(&merged)).enumerate() {
            assert_eq!(all.map(f64::round), Some(column as f64));
            assert!((all.unwrap() - few.unwrap()).abs() < 1e-9, "{column}: {all:?} {few:?}");
        }
    }

    #[test]
    fn a_series_is_bounded_however_many_points_come() {
        let (mut series, mut all) = (SparkSeries::default(), Vec::new());
        for second in 0..10_000 {
            let point = point(second, Some((second / 1_000) as f64));
            series.add(point, 100);
            all.push(point);
            assert!(series.points.len() < 100);
        }
        let axis = TimeAxis { start_ms: 0.0, end_ms: 10_000e3 };
        let bar = |series: &SparkSeries| series.bitrates(axis).unwrap();
        let (exact, merged) = (bar(&SparkSeries { points: all, width_ms: 0.0 }), bar(&series));
        let differ = exact.chars().zip(merged.chars()).filter(|(exact, merged)| exact != merged).count();
        assert!(differ <= 2, "{exact}\n{merged}");
    }

    #[test]
    fn unknown_points_stay_unknown_when_merged() {
        let merged = point(0, None).merged(point(1, None));
        assert_eq!((merged.loss.known, merged.end_ms), (0.0, 2e3));
        let gap = point(0, Some(4.0)).merged(point(9, Some(8.0)));
        assert_eq!((gap.loss.mean, gap.loss.known), (6.0, 0.2));
    }
}
