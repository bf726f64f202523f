//! Reads one series of values and positions them on the points of its entry. It does not group points into polls.

use alloc::vec::Vec;

use super::document::Series;
use crate::ingest::error::ReadError;
use crate::ingest::getstats::fill;
use crate::ingest::getstats::json::{Cursor, Next};
use crate::ingest::getstats::key::Target;
use crate::unit::StatTime;

/// A well-formed series, read value by value.
pub(super) struct Column<'t> {
    pub(super) target: Target,
    /// Before the next value.
    values: Cursor<'t>,
    len: usize,
    /// The index of the next value.
    next: usize,
    span: Option<(f64, f64)>,
    spread: Spread,
}

/// `len` values spread evenly over the positions `first` to `last`, of which there are at least `len`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) len: usize,
}

impl Spread {
    /// The position of the `index`th value.
    pub(super) fn place(&self, index: usize) -> i64 {
        let steps = self.len.saturating_sub(1) as i128;
        let way = i128::from(self.last) - i128::from(self.first);
        if way <= steps || steps == 0 {
            return self.first.saturating_add(index as i64);
        }
        // Rounds to the nearest position: add half a step, then truncate.
        let offset = (2 * way * index as i128 + steps) / (2 * steps);
        self.first.saturating_add(i64::try_from(offset).unwrap_or(i64::MAX))
    }
}

impl<'t> Column<'t> {
    /// `None` if the values are not a JSON array.
    pub(super) fn new(series: &'t Series<'_>, text: &'t str) -> Option<Self> {
        let mut cursor = Cursor::of(series.values(text));
        cursor.expect(b'[', "`[`").ok()?;
        let values = cursor.clone();
        let len = count(&mut cursor).ok()?;
        let spread = Spread { first: 0, last: 0, len };
        Some(Self { target: series.target, values, len, next: 0, span: series.span, spread })
    }

    /// The values as times in milliseconds; NaN for an invalid time.
    pub(super) fn times(mut self) -> Vec<f64> {
        let mut times = Vec::with_capacity(self.len);
        while self.next < self.len {
            let mut at = None;
            self.step(|cursor| {
                at = time(cursor)?;
                Ok(())
            });
            times.push(at.map_or(f64::NAN, StatTime::as_millis));
        }
        times
    }

    /// Positions the values on the points of the entry, given the entry's times there. False if there is nothing to
    /// position, or if the series' own times contradict those of the entry.
    pub(super) fn place(&mut self, times: &[f64], exact: bool) -> bool {
        let placed = self.span.and_then(|(start, end)| align(times, exact, start, end, self.len));
        self.spread = match placed {
            Some(spread) => spread,
            // One value for every point leaves no choice, whatever the times are.
            None if self.len == times.len() => Spread { first: 0, last: self.len as i64 - 1, len: self.len },
            None => return false,
        };
        true
    }

    /// Calls `read` with a cursor before the value at a point, if there is one: it consumes the value or returns an
    /// error. Points must come in order.
    pub(super) fn at(&mut self, point: usize, read: impl FnOnce(&mut Cursor<'t>) -> Result<(), ReadError>) {
        let point = point as i64;
        while self.next < self.len && self.spread.place(self.next) < point {
            self.step(Cursor::skip);
        }
        if self.next < self.len && self.spread.place(self.next) == point {
            self.step(read);
        }
    }

    /// Advances past the next value, which `read` consumes unless it returns an error.
    fn step(&mut self, read: impl FnOnce(&mut Cursor<'t>) -> Result<(), ReadError>) {
        // All values were skipped before, when they were counted.
        _ = self.values.read_or_skip(read);
        self.values.eat(b',');
        self.next += 1;
    }
}

/// Counts the values of an array after its opening bracket.
fn count(cursor: &mut Cursor<'_>) -> Result<usize, ReadError> {
    let mut len = 0;
    let mut first = true;
    while cursor.more(&mut first, b']')? {
        cursor.skip()?;
        len += 1;
    }
    cursor.end()?;
    Ok(len)
}

fn time(cursor: &mut Cursor<'_>) -> Result<Option<StatTime>, ReadError> {
    Ok(match cursor.next()? {
        Next::Number => StatTime::from_millis(cursor.number()?),
        Next::Str => cursor.string("a time")?.plain().and_then(fill::parse_time),
        _ => {
            cursor.skip()?;
            None
        }
    })
}

/// The times of an entry without a `timestamp` series: those of its longest series, the first of equals. `None` if no
/// series has times.
pub(super) fn interpolate<'c, 't: 'c>(columns: impl Iterator<Item = &'c Column<'t>>) -> Option<Vec<f64>> {
    let mut longest: Option<(usize, (f64, f64))> = None;
    for column in columns {
        if let Some(span) = column.span
            && column.len > longest.map_or(0, |(len, _)| len)
        {
            longest = Some((column.len, span));
        }
    }
    let (len, (start, end)) = longest?;
    let steps = len.saturating_sub(1).max(1) as f64;
    Some((0..len).map(|index| start + (end - start) * (index as f64 / steps)).collect())
}

/// The position of a series of `len` values from `start` to `end` in an entry's points; `times` never decrease. `None`
/// if it has more values than there are points between the two.
///
/// Among points with the same time, the choice leaves no gap. If several choices do so, the latest one is used, because
/// members appear late far more often than they end early.
fn align(times: &[f64], exact: bool, start: f64, end: f64, len: usize) -> Option<Spread> {
    let count = i64::try_from(len).ok().filter(|&len| len > 0)?;
    if !exact && let Some(grid) = PollGrid::new(times) {
        let mut spread = grid.place(start, end, len)?;
        // Rounding must not push a value past the end.
        let over = spread.last - (times.len() as i64 - 1);
        if (1..=slack(count)).contains(&over) && spread.first >= over {
            (spread.first, spread.last) = (spread.first - over, spread.last - over);
        }
        return (spread.last - spread.first + 1 >= count).then_some(spread);
    }
    // The page truncated the times to milliseconds.
    let (starts, ends) = (nearest(times, start + 0.5)?, nearest(times, end + 0.5)?);
    let gapless = ends.1.min(starts.1 + count - 1);
    if gapless >= ends.0.max(starts.0 + count - 1) {
        return Some(Spread { first: gapless - count + 1, last: gapless, len });
    }
    let spread = Spread { first: starts.1, last: ends.0, len };
    (spread.last - spread.first + 1 >= count).then_some(spread)
}

/// Evenly spaced points, for entries without recorded times.
#[derive(Clone, Copy, Debug)]
pub(super) struct PollGrid {
    origin: f64,
    limit: f64,
    period: f64,
}

impl PollGrid {
    /// `None` unless two points have different times.
    pub(super) fn new(times: &[f64]) -> Option<Self> {
        let (&origin, &limit) = times.first().zip(times.last())?;
        let period = (limit - origin) / times.len().saturating_sub(1) as f64;
        (period > 0.0).then_some(Self { origin, limit, period })
    }

    /// The time of a position.
    pub(super) fn time(&self, place: i64) -> f64 {
        self.origin + self.period * place as f64
    }

    /// The position of `len` values from `start` to `end`. A first or last time in common is exact. Otherwise polls
    /// were not quite even, so the count overrides the distance if the two nearly agree. `None` if they cannot be
    /// reconciled.
    pub(super) fn place(&self, start: f64, end: f64, len: usize) -> Option<Spread> {
        let (mut first, mut last) = (self.nearest(start), self.nearest(end));
        let count = i64::try_from(len).ok()?;
        let (gaps, slack) = (last - first + 1 - count, slack(count));
        if gaps < -slack {
            return None;
        }
        if gaps <= slack {
            if end == self.limit && start != self.origin {
                first = last - count + 1;
            } else if start != self.origin || end != self.limit {
                last = first + count - 1;
            }
        }
        Some(Spread { first, last, len })
    }

    /// The position nearest to a time, clamped to the range of an i64.
    fn nearest(&self, time: f64) -> i64 {
        libm::round(((time - self.origin) / self.period).clamp(-FAR, FAR)) as i64
    }
}

/// How many polls the ends of that many values may seem off on an even grid.
const fn slack(count: i64) -> i64 {
    1 + count / 50
}

/// Beyond the positions of any series, and far from the ends of an `i64`.
const FAR: f64 = 1e12;

/// The first and the last point with the time nearest to `time`. Beyond the known points, positions continue at the
/// mean distance: a series with gaps reaches further back than its entry if both are capped at 1000.
fn nearest(times: &[f64], time: f64) -> Option<(i64, i64)> {
    let (&first, &last) = (times.first()?, times.last()?);
    let period = if last > first { (last - first) / (times.len() - 1) as f64 } else { f64::INFINITY };
    let after = times.partition_point(|&known| known < time);
    let before = after.checked_sub(1).and_then(|index| times.get(index));
    let value = match (before, times.get(after)) {
        (Some(&before), Some(&after)) if time - before <= after - time => before,
        (_, Some(&after)) => after,
        (Some(&before), None) => before,
        (None, None) => return None,
    };
    // Clamped to the range of an i64.
    let beyond = libm::round(((time - value) / period).clamp(-FAR, FAR)) as i64;
    let range = (
        times.partition_point(|&known| known < value) as i64,
        times.partition_point(|&known| known <= value) as i64 - 1,
    );
    if (time < first || time > last) && beyond != 0 { Some((range.0 + beyond, range.1 + beyond)) } else { Some(range) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_spread_preserves_order_and_ends(first in -50_i64..50, len in 1_usize..60, gaps in 0_i64..40) {
            let last = first + len as i64 - 1 + if len > 1 { gaps } else { 0 };
            let spread = Spread { first, last, len };
            let places: Vec<_> = (0..len).map(|index| spread.place(index)).collect();
            prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!((places[0], places[len - 1]), (first, last));
            for (place, index) in places.iter().zip(0..) {
                prop_assert!((first + index..=first + index + gaps).contains(place), "off by more than the gaps");
            }
        }

        #[test]
        fn a_gapless_series_aligns_to_its_position(
            steps in prop::collection::vec(300.0_f64..3_000.0, 2..80), from in 0_usize..80, len in 1_usize..80,
        ) {
            let mut now = 1_795_343_927_444.497;
            let times: Vec<f64> = steps.iter().map(|step| { now += step; now }).collect();
            let from = from % times.len();
            let len = len.min(times.len() - from);
            let (start, end) = (libm::floor(times[from]), libm::floor(times[from + len - 1]));
            let found = align(&times, true, start, end, len).unwrap();
            prop_assert_eq!((found.first, found.last), (from as i64, (from + len) as i64 - 1));
        }
    }

    #[test]
    fn repeated_times_align_to_the_latest_gapless_position() {
        let times = [10.5, 10.5, 10.5, 20.5, 20.5, 30.5, 30.5];
        let of = |start, end, len| align(&times, true, start, end, len).map(|found| (found.first, found.last));
        assert_eq!(of(10.0, 30.0, 7), Some((0, 6)));
        assert_eq!(of(10.0, 30.0, 5), Some((2, 6))); // starts late
        assert_eq!(of(10.0, 20.0, 5), Some((0, 4))); // ends early
        assert_eq!(of(20.0, 20.0, 1), Some((4, 4)));
        assert_eq!(of(10.0, 30.0, 3), Some((2, 5))); // with the fewest gaps
        assert_eq!(of(20.0, 30.0, 5), None); // more values than points
    }

    #[test]
    fn a_series_longer_than_its_entry_aligns_to_the_end() {
        let times: Vec<f64> = (100..200).map(|second| f64::from(second) * 1e3).collect();
        let found = align(&times, true, 20_000.0, 199_000.0, 100).unwrap();
        assert_eq!((found.first, found.last), (-80, 99));
    }
}
