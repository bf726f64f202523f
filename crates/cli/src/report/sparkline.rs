//! What each stream did over the call, and the bars that show it.
//! It keeps two figures of each interval and prints nothing.

use std::collections::HashMap;

use callgauge::id::{Direction, Ssrc};
use callgauge::metric::{Interval, Metric};

/// Columns of a sparkline.
pub(crate) const SPARK_WIDTH: usize = 40;
/// The loss ratio that fills a column.
const FULL_LOSS: f64 = 0.2;
/// The share of a column that must be known: a sliver of an interval does not stand for the column.
const KNOWN_SHARE: f64 = 0.25;

/// The figures of all streams over time, by fabric, direction and SSRC.
pub(crate) type AllSeries = HashMap<(usize, Direction, Ssrc), SparkSeries>;

/// The figures of one stream over time, which the summary does not hold.
#[derive(Debug, Default)]
pub(crate) struct SparkSeries(Vec<SparkPoint>);

/// The figures of one interval.
#[derive(Clone, Copy, Debug)]
struct SparkPoint {
    start_ms: f64,
    end_ms: f64,
    bitrate: Option<f64>,
    loss: Option<f64>,
}

impl SparkSeries {
    pub(crate) fn add(&mut self, interval: &Interval) {
        let end_ms = interval.at.as_millis();
        self.0.push(SparkPoint {
            start_ms: end_ms - interval.span_ms,
            end_ms,
            bitrate: interval.get(Metric::BitrateBps),
            loss: interval.get(Metric::LossRatio),
        });
    }

    /// Bitrate over the call; the largest mean of a column is full. `None` where no bitrate is known.
    pub(crate) fn bitrates(&self, call: TimeAxis) -> Option<String> {
        let means = call.means(self.0.iter().map(|point| (point.start_ms, point.end_ms, point.bitrate)));
        let largest = means.iter().flatten().copied().reduce(f64::max)?;
        Some(sparkline(&means, largest))
    }

    /// Loss over the call; [`FULL_LOSS`] is full. `None` where no loss is known.
    pub(crate) fn losses(&self, call: TimeAxis) -> Option<String> {
        let means = call.means(self.0.iter().map(|point| (point.start_ms, point.end_ms, point.loss)));
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
    fn means(self, values: impl Iterator<Item = (f64, f64, Option<f64>)>) -> [Option<f64>; SPARK_WIDTH] {
        let mut columns = [(0.0, 0.0); SPARK_WIDTH];
        for (start_ms, end_ms, value) in values {
            let Some(value) = value else { continue };
            for (index, share) in self.overlaps(start_ms, end_ms) {
                if let Some((sum, weight)) = columns.get_mut(index).filter(|_| share > 0.0) {
                    *sum += value * share;
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
