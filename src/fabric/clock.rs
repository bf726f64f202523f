//! Judges a reporter's clock by the arrival of its reports, and lays its times on one continuous time line. It computes
//! no figures.
//!
//! A reporter's time is believed as long as the caller's clock does not contradict it. No report arrives before it was
//! made, so the least delay of any report bounds the time of the next one; a report that arrives late, or in a batch
//! with others, contradicts nothing. The caller's clock counts as evidence only while it passes at least half as fast as
//! the reporter's: a dump that is read at once, or a clock that stands still, settles nothing.
//! [`mod@crate::fabric`] has the table of what a time may be.

use crate::report::{Report, StatsType, TimeMap, scaled};
use crate::unit::{StatTime, Timestamp, WALL_MS};

/// A first report may be this far ahead of the caller's wall clock, ms: clocks that are synchronized at all are nearer.
const AHEAD_MS: f64 = 10_000.0;
/// A first report may be this far behind the caller's wall clock, ms: uploads may be delayed by hours.
const BEHIND_MS: f64 = 86_400_000.0;
/// How far a report may be ahead of the caller's wall clock and of the last report, ms, where the caller's clock is no
/// evidence otherwise: a day, which no call lasts.
const LONGEST_MS: f64 = 86_400_000.0;
/// How far a report may exceed the caller's clock, ms: the shortest gap, which a smaller step cannot be mistaken for.
/// Twice the spread of delays is added, up to [`MOST_TOLERANCE_MS`].
const TOLERANCE_MS: f64 = 5_000.0;
/// The same while the spread of delays is not known, and at most: collectors get batches of up to half a minute.
const MOST_TOLERANCE_MS: f64 = 60_000.0;
/// The time after which the spread of delays is known, ms.
const KNOWN_AFTER_MS: f64 = 1_000.0;
/// The shortest advance of the caller's clock that is evidence by itself, ms.
const LEAST_ADVANCE_MS: f64 = 200.0;
/// The shortest advance of the caller's clock in which a time that hardly advanced is evidence of its unit, ms.
const SLOW_ADVANCE_MS: f64 = 500.0;
/// The share by which a span in another unit may differ from the caller's.
const UNIT_MATCHES: f64 = 0.25;
/// Units that are shorter than a millisecond, as powers of ten of a millisecond: µs, 100 ns and ns, and the first two
/// read as seconds.
const SHORT_UNITS: [i8; 5] = [-3, -4, -6, -7, -1];
/// A tenth of a millisecond is the unit only of 100 ns that were read as µs: such times lie beyond the year 2128.
const TENTHS_FROM: f64 = 5e12;
/// Units that are longer than a millisecond: s, and s read twice.
const LONG_UNITS: [i8; 2] = [3, 6];
/// An entry this much later than all streams of its report has another clock, ms: some applications stamp codecs when
/// they store a report.
const STRAY_MS: f64 = 60_000.0;
/// Smaller times are read as they are, so their unit cannot be a wrong guess (see [`StatTime::from_unknown`]).
const GUESSED_FROM: f64 = 1e9;
/// A time of 0 is a time only of a clock that is younger than this, ms.
const ZERO_UNTIL_MS: f64 = 60_000.0;

/// The clock of one connection's reports.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct ReporterClock {
    exponent: i8,
    shift_ms: f64,
    /// The shift before the latest step: a single wrong time is followed by a step back to it.
    former_ms: Option<f64>,
    first: Option<Tick>,
    last: Option<Tick>,
    /// The least and the greatest difference of the caller's clock and the time line, ms.
    delays: (f64, f64),
    /// A unit that the latest report suggests, and the report before it.
    suspected: Option<(i8, Tick)>,
    /// The sum of all steps, and the same without a step at the latest report, ms.
    stepped_ms: f64,
    settled_ms: f64,
    pub(crate) counts: ClockCounts,
}

/// What was odd about a reporter's clock.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct ClockCounts {
    pub(crate) steps: u64,
    pub(crate) unit_changes: u64,
    /// Entries of streams without a time.
    pub(crate) untimed: u64,
    /// Entries of streams with a time that other entries of their report contradict.
    pub(crate) wild: u64,
    /// How far the clock was ahead of the caller's at the first report, if the time line is the caller's, ms.
    pub(crate) offset_ms: Option<f64>,
}

/// A time, as reported, on the time line and on the caller's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Tick {
    reported: f64,
    line_ms: f64,
    now_ms: f64,
}

/// Whether the time since the last report fits in another unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SpanUnit {
    Same,
    /// It does.
    Suspected,
    /// The one before did, too.
    Adopted,
}

/// How to read the times of a report.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClockReading {
    pub(super) map: TimeMap,
    /// The latest time of any entry, on the time line. `None` for a late report.
    pub(super) at: Option<StatTime>,
    /// The clock stepped since the previous report: the interval between the two has no rate.
    pub(super) has_stepped: bool,
    /// The time of the only report before was wrong: what was sampled then is at no known time.
    pub(super) is_first: bool,
    /// How far the clock is ahead of the caller's, steps included, ms.
    pub(super) ahead_ms: Option<f64>,
}

/// The times of a report, as reported.
#[derive(Clone, Copy, Debug, Default)]
struct ReportTimes {
    /// The latest time of a stream's entry that is not too late.
    inside: Option<f64>,
    /// The earliest time of a stream's entry that is too late.
    beyond: Option<f64>,
    /// The same of any entry.
    any_inside: Option<f64>,
    any_beyond: Option<f64>,
    /// Entries of streams: too late, with a time of 0, without a time.
    wild: u64,
    zeros: u64,
    untimed: u64,
    /// Any entry has a time of 0.
    has_zero: bool,
}

impl ReportTimes {
    fn of(report: &Report, high: f64) -> Self {
        let mut times = Self::default();
        for entry in report.entries() {
            let is_own = matches!(entry.kind(), StatsType::InboundRtp | StatsType::OutboundRtp);
            let Some(at) = entry.reported_time().map(StatTime::as_millis) else {
                times.untimed += u64::from(is_own);
                continue;
            };
            if at == 0.0 {
                times.zeros += u64::from(is_own);
                times.has_zero = true;
            } else if at <= high {
                times.any_inside = Some(times.any_inside.map_or(at, |other| other.max(at)));
                if is_own {
                    times.inside = Some(times.inside.map_or(at, |other| other.max(at)));
                }
            } else {
                times.any_beyond = Some(times.any_beyond.map_or(at, |other| other.min(at)));
                if is_own {
                    times.wild += 1;
                    times.beyond = Some(times.beyond.map_or(at, |other| other.min(at)));
                }
            }
        }
        times
    }

    const fn has_none(&self) -> bool {
        self.any_inside.is_none() && self.any_beyond.is_none()
    }

    /// Whether the streams' entries, or all entries of a report without streams, are too late.
    fn too_late(&self) -> Option<f64> {
        if self.inside.is_some() { None } else { self.beyond.or(self.any_beyond.filter(|_| self.any_inside.is_none())) }
    }

    /// The latest time of any entry, except for entries that were not sampled with the streams.
    fn sampled(&self) -> Option<f64> {
        self.any_inside.map(|any| self.inside.filter(|inside| any - inside > STRAY_MS).unwrap_or(any))
    }

    fn latest(&self) -> Option<f64> {
        self.inside.or(self.any_inside)
    }
}

impl ReporterClock {
    /// Reads the clock of a report that arrives `now`. `advances` tells whether a stream's counters advanced from its
    /// last sample, with the report's times read as given. It is asked about entries of one time only: of two entries of
    /// one stream, the later is followed.
    pub(super) fn read(
        &mut self,
        now: Timestamp,
        report: &Report,
        advances: impl Fn(&TimeMap) -> bool,
    ) -> ClockReading {
        let now_ms = now.as_micros() as f64 / 1e3;
        let denying_ms = self.latest_that_denies_the_first(report, now_ms);
        let is_first = denying_ms.is_some_and(|latest_ms| self.withdraws_first(latest_ms));
        let bound_ms = self.bound_ms(now_ms);
        let mut times = ReportTimes::of(report, self.reported_at(bound_ms));
        let is_young = self.last.map_or(!WALL_MS.contains(&now_ms), |last| last.reported < ZERO_UNTIL_MS);
        let admits_zero = times.has_zero && times.has_none() && is_young;
        if admits_zero {
            (times.inside, times.any_inside) = (Some(0.0), Some(0.0));
        }
        let counts = &mut self.counts;
        counts.untimed = counts.untimed.saturating_add(times.untimed + if admits_zero { 0 } else { times.zeros });
        let mut reading = ClockReading {
            map: TimeMap::IDENTITY,
            at: None,
            has_stepped: denying_ms.is_some() && !is_first,
            is_first,
            ahead_ms: None,
        };
        let is_late = match (times.too_late(), times.latest()) {
            (Some(reported), _) => self.contradict(reported, now_ms, &advances, &mut reading),
            (None, Some(reported)) => {
                self.counts.wild = self.counts.wild.saturating_add(times.wild);
                self.believe((reported, times.any_inside), now_ms, &advances, &mut reading)
            }
            (None, None) => None,
        };
        let late_ms = is_late.unwrap_or(self.shift_ms);
        let high = if is_late.is_some() { f64::INFINITY } else { self.reported_at(self.bound_ms(now_ms)) };
        let low = if admits_zero { f64::NEG_INFINITY } else { f64::MIN_POSITIVE };
        reading.map = TimeMap { exponent: self.exponent, shift_ms: late_ms, low, high };
        let latest = times.sampled().or_else(|| times.too_late()).filter(|_| is_late.is_none());
        reading.at = latest.and_then(|reported| StatTime::from_millis(reading.map.line_ms(reported)));
        reading.ahead_ms = reading.at.map(|at| at.as_millis() - self.settled_ms - now_ms);
        if !reading.has_stepped {
            self.settled_ms = self.stepped_ms;
        }
        reading
    }

    /// The latest time of a report, if it shows that the time of the only one before it was wrong: that one was far from
    /// the caller's clock, on which this one is. A report that came late was not wrong if this one came with it.
    fn latest_that_denies_the_first(&self, report: &Report, now_ms: f64) -> Option<f64> {
        let first = self.first.filter(|_| self.first == self.last)?;
        let first_ms = first.reported - first.now_ms;
        let came_alone = now_ms - first.now_ms >= LEAST_ADVANCE_MS;
        if !(first_ms > MOST_TOLERANCE_MS || first_ms < -MOST_TOLERANCE_MS && came_alone) {
            return None;
        }
        let times = ReportTimes::of(report, now_ms + AHEAD_MS);
        times.latest().filter(|&reported| reported >= now_ms - MOST_TOLERANCE_MS)
    }

    /// Forgets the time of the only report before. Returns whether that report has no time then: it stays at its arrival if
    /// it was placed there and the present one, of `latest_ms`, is later.
    #[cold]
    fn withdraws_first(&mut self, latest_ms: f64) -> bool {
        let placed = self.first.filter(|first| first.line_ms == first.now_ms && latest_ms > first.line_ms);
        *self = Self { counts: ClockCounts { offset_ms: None, ..self.counts }, ..Self::default() };
        if let Some(first) = placed {
            self.accept(first.now_ms, first.now_ms);
            self.counts.wild = self.counts.wild.saturating_add(1);
        }
        placed.is_none()
    }

    /// Takes a time that the caller's clock admits; `latest` is that of any entry. Returns the shift of a late report.
    fn believe(
        &mut self,
        (reported, latest): (f64, Option<f64>),
        now_ms: f64,
        advances: &impl Fn(&TimeMap) -> bool,
        reading: &mut ClockReading,
    ) -> Option<f64> {
        let line_ms = self.line_ms(reported);
        let Some(last) = self.last else {
            if WALL_MS.contains(&now_ms) && latest < Some(now_ms - BEHIND_MS) {
                self.anchor(reported, now_ms);
            }
            self.accept(reported, now_ms);
            return None;
        };
        if line_ms < last.line_ms {
            if self.rescale_value(reported, now_ms) {
                self.accept(reported, now_ms);
            } else if advances(&self.past(self.shift_ms, reported)) {
                reading.has_stepped = true;
                self.step(reported, now_ms);
            } else {
                return Some(self.shift_ms);
            }
        } else if self.returns(reported, now_ms) {
            reading.has_stepped = true;
            self.step(reported, now_ms);
        } else if line_ms > last.line_ms {
            let unit = if self.trusts(now_ms) {
                self.rescale_span(reported, now_ms, &LONG_UNITS, SLOW_ADVANCE_MS)
            } else {
                SpanUnit::Same
            };
            reading.has_stepped |= unit != SpanUnit::Same;
            self.accept(reported, now_ms);
        }
        None
    }

    /// Takes a time that is later than the caller's clock admits. Returns the shift of a late report.
    fn contradict(
        &mut self,
        reported: f64,
        now_ms: f64,
        advances: &impl Fn(&TimeMap) -> bool,
        reading: &mut ClockReading,
    ) -> Option<f64> {
        let Some(last) = self.last else {
            self.anchor(reported, now_ms);
            self.accept(reported, now_ms);
            return None;
        };
        let former_ms = self.former_ms.filter(|&former_ms| {
            let line_ms = self.map(former_ms).line_ms(reported);
            line_ms <= last.line_ms && !advances(&self.past(former_ms, reported))
        });
        if former_ms.is_some() {
            return former_ms;
        }
        if self.rescale_value(reported, now_ms) {
            self.accept(reported, now_ms);
            return None;
        }
        reading.has_stepped = true;
        if self.rescale_span(reported, now_ms, &SHORT_UNITS, LEAST_ADVANCE_MS) == SpanUnit::Adopted {
            // What was taken for a step was the unit.
            self.counts.steps = self.counts.steps.saturating_sub(1);
            self.stepped_ms = self.settled_ms;
            self.accept(reported, now_ms);
        } else {
            self.step(reported, now_ms);
        }
        None
    }

    /// Places the first report at its arrival.
    fn anchor(&mut self, reported: f64, now_ms: f64) {
        self.shift_ms = now_ms - reported;
        self.counts.offset_ms = Some(reported - now_ms);
    }

    /// Continues the time line with the caller's clock, or with the clock before the latest step if that fits.
    fn step(&mut self, reported: f64, now_ms: f64) {
        let Some(last) = self.last else { return };
        let bound_ms = self.bound_ms(now_ms);
        let fits = |&former_ms: &f64| {
            let line_ms = self.map(former_ms).line_ms(reported);
            line_ms > last.line_ms && line_ms <= bound_ms
        };
        let passed_ms = (now_ms - last.now_ms).max(0.0);
        let by_arrival_ms = last.line_ms + passed_ms - scaled(reported, self.exponent);
        let shift_ms = self.former_ms.filter(fits).unwrap_or(by_arrival_ms);
        self.stepped_ms += shift_ms - self.shift_ms;
        self.former_ms = Some(self.shift_ms);
        self.shift_ms = shift_ms;
        self.counts.steps = self.counts.steps.saturating_add(1);
        self.accept(reported, now_ms);
    }

    /// Whether the clock went back to where it was before a step at the latest report: the time then advanced like the
    /// caller's clock, which it did not do otherwise.
    fn returns(&self, reported: f64, now_ms: f64) -> bool {
        let (Some(last), Some(former_ms)) = (self.last, self.former_ms) else { return false };
        if self.stepped_ms == self.settled_ms || !self.trusts(now_ms) {
            return false;
        }
        let off_ms = |line_ms: f64| (line_ms - last.line_ms - (now_ms - last.now_ms)).abs();
        let line_ms = self.map(former_ms).line_ms(reported);
        line_ms > last.line_ms && 4.0 * off_ms(line_ms) < off_ms(self.line_ms(reported))
    }

    /// Adopts a unit if the time itself fits in it: the magnitude by which a reader guessed the unit was passed.
    fn rescale_value(&mut self, reported: f64, now_ms: f64) -> bool {
        let is_guessed = reported >= GUESSED_FROM || self.exponent != 0;
        let Some(last) = self.last.filter(|_| is_guessed && self.trusts(now_ms)) else { return false };
        let expected_ms = last.line_ms + (now_ms - last.now_ms);
        for by in [-3, 3] {
            let Some(exponent) = self.exponent.checked_add(by) else { continue };
            let line_ms = scaled(reported, exponent) + self.shift_ms;
            if line_ms > last.line_ms && (line_ms - expected_ms).abs() <= self.tolerance_ms() {
                self.exponent = exponent;
                self.counts.unit_changes = self.counts.unit_changes.saturating_add(1);
                return true;
            }
        }
        false
    }

    /// Notes a unit in which the time since the last report fits, and adopts it if the last one fitted in it too: one
    /// step of the clock may look like a unit.
    fn rescale_span(&mut self, reported: f64, now_ms: f64, units: &[i8], least_ms: f64) -> SpanUnit {
        let Some(last) = self.last else { return SpanUnit::Same };
        let passed_ms = now_ms - last.now_ms;
        let found = units.iter().copied().find(|&by| {
            let is_possible = by != -1 || last.reported >= TENTHS_FROM;
            is_possible && passed_ms >= least_ms && self.matches(by, reported - last.reported, passed_ms)
        });
        match (found, self.suspected.take()) {
            (Some(by), Some((before, base))) if by == before && self.adopt(by, base) => SpanUnit::Adopted,
            (Some(by), _) => {
                self.suspected = Some((by, last));
                SpanUnit::Suspected
            }
            (None, _) => SpanUnit::Same,
        }
    }

    fn matches(&self, by: i8, span: f64, passed_ms: f64) -> bool {
        let Some(exponent) = self.exponent.checked_add(by) else { return false };
        (scaled(span, exponent) / passed_ms - 1.0).abs() <= UNIT_MATCHES
    }

    /// Reads times in another unit, from a report on whose place on the time line stays.
    fn adopt(&mut self, by: i8, base: Tick) -> bool {
        let Some(exponent) = self.exponent.checked_add(by) else { return false };
        self.exponent = exponent;
        self.shift_ms = base.line_ms - scaled(base.reported, exponent);
        self.former_ms = None;
        self.counts.unit_changes = self.counts.unit_changes.saturating_add(1);
        true
    }

    fn accept(&mut self, reported: f64, now_ms: f64) {
        let line_ms = self.line_ms(reported);
        let tick = Tick { reported, line_ms, now_ms };
        let delay_ms = now_ms - line_ms;
        self.delays = match self.last {
            None => (delay_ms, delay_ms),
            Some(_) => (self.delays.0.min(delay_ms), self.delays.1.max(delay_ms)),
        };
        self.first = self.first.or(Some(tick));
        self.last = Some(tick);
    }

    /// The latest time that a report may have, on the time line, ms.
    fn bound_ms(&self, now_ms: f64) -> f64 {
        match self.last {
            None if WALL_MS.contains(&now_ms) => now_ms + AHEAD_MS,
            Some(last) if self.trusts(now_ms) => (now_ms - self.delays.0).max(last.line_ms) + self.tolerance_ms(),
            Some(last) if WALL_MS.contains(&now_ms) => now_ms.max(last.line_ms) + LONGEST_MS,
            _ => f64::INFINITY,
        }
    }

    /// Whether the caller's clock is evidence.
    fn trusts(&self, now_ms: f64) -> bool {
        let (Some(first), Some(last)) = (self.first, self.last) else { return false };
        let spent_ms = last.line_ms - first.line_ms;
        if spent_ms < KNOWN_AFTER_MS {
            now_ms > last.now_ms && now_ms - first.now_ms >= LEAST_ADVANCE_MS
        } else {
            last.now_ms - first.now_ms >= spent_ms / 2.0
        }
    }

    fn tolerance_ms(&self) -> f64 {
        let spent_ms = self.first.zip(self.last).map_or(0.0, |(first, last)| last.line_ms - first.line_ms);
        if spent_ms < KNOWN_AFTER_MS {
            return MOST_TOLERANCE_MS;
        }
        (TOLERANCE_MS + 2.0 * (self.delays.1 - self.delays.0)).min(MOST_TOLERANCE_MS)
    }

    const fn map(&self, shift_ms: f64) -> TimeMap {
        TimeMap { exponent: self.exponent, shift_ms, ..TimeMap::IDENTITY }
    }

    /// The map of one time that is earlier than the last. A time before the beginning of all times is placed there.
    fn past(&self, shift_ms: f64, reported: f64) -> TimeMap {
        let map = self.map(shift_ms);
        let shift_ms = if map.line_ms(reported) < 0.0 { -scaled(reported, self.exponent) } else { shift_ms };
        TimeMap { shift_ms, ..map }.only(reported)
    }

    fn line_ms(&self, reported: f64) -> f64 {
        self.map(self.shift_ms).line_ms(reported)
    }

    /// The reported time of a time on the time line.
    fn reported_at(&self, line_ms: f64) -> f64 {
        scaled(line_ms - self.shift_ms, -self.exponent)
    }
}
