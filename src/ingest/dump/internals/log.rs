//! Reads the log of a connection (`updateLog`) entry by entry, and finds the time of each. It does not interpret the
//! events.
//!
//! In new dumps an entry has a `timestamp` on the clock of the stats. In older ones (Chromium 134) it has a `time` as
//! the page showed it: in the time zone and format of the user that saved the dump, and the dump records neither. The
//! reader uses such a time only if the stats determine its meaning: the log begins when the connection is created, and
//! the stats begin within seconds of that if the page was open, so that exactly one order of day and month and one
//! offset from UTC, in quarters of an hour, fit. If none fits, or more than one, the times are unknown. A page opened
//! later is mistaken for one that was open if the delay is within seconds of a multiple of a quarter of an hour: once
//! in 180 times.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::ingest::error::ReadError;
use crate::ingest::getstats::fill;
use crate::ingest::getstats::json::{Cursor, Next, RawStr, members};
use crate::ingest::sink::{ReadState, Sink};
use crate::unit::StatTime;

/// Maximum delay of the first poll after the log's first entry, which is truncated to seconds; milliseconds.
const FIRST_POLL_MS: i64 = 5_000;

/// UTC offsets of time zones are multiples of this, in milliseconds.
const QUARTER_MS: i64 = 900_000;

/// The remaining entries of a log.
pub(super) struct UpdateLog<'a> {
    /// Before the entry after `next`; `None` at the end.
    entries: Option<Cursor<'a>>,
    first: bool,
    next: Option<LogEntry<'a>>,
    zone: Option<Zone>,
}

struct LogEntry<'a> {
    time: Time<'a>,
    kind: Option<RawStr<'a>>,
    value: Option<Cursor<'a>>,
}

enum Time<'a> {
    At(StatTime),
    Shown(RawStr<'a>),
    None,
}

/// How to read displayed times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Zone {
    /// Whether the month comes before the day.
    month_first: bool,
    /// The offset from UTC, to be subtracted, in milliseconds.
    offset: i64,
}

impl<'a> UpdateLog<'a> {
    /// `entries` is positioned before the array.
    pub(super) fn new(mut entries: Option<Cursor<'a>>, first_poll: Option<f64>) -> Self {
        let opened = entries.as_mut().is_some_and(|entries| entries.eat(b'['));
        let mut log = Self { entries: entries.filter(|_| opened), first: true, next: None, zone: None };
        log.step();
        if let (Some(LogEntry { time: Time::Shown(shown), .. }), Some(first_poll)) = (&log.next, first_poll) {
            log.zone = shown.plain().and_then(|shown| Zone::of(shown, first_poll));
        }
        log
    }

    /// Returns the entries up to a time, or all remaining ones. An entry without a time goes with the previous one.
    pub(super) fn emit(&mut self, until: Option<f64>, state: &mut ReadState, fabric: &str, sink: &mut Sink<'_>) {
        while let Some(entry) = &self.next {
            let at = entry.at(self.zone);
            if until.zip(at).is_some_and(|(until, at)| at.as_millis() > until) {
                return;
            }
            let kind = entry.kind.and_then(RawStr::plain).unwrap_or("");
            state.log(fabric, at, kind, entry.value.clone(), sink);
            self.step();
        }
    }

    fn step(&mut self) {
        // The brackets of the array are known to be balanced; a malformed entry ends it.
        self.next = self.entries.as_mut().and_then(|entries| read(entries, &mut self.first).ok().flatten());
    }
}

impl LogEntry<'_> {
    fn at(&self, zone: Option<Zone>) -> Option<StatTime> {
        match self.time {
            Time::At(at) => Some(at),
            Time::Shown(shown) => {
                let shown = shown.plain()?;
                fill::parse_time(shown).or_else(|| with_offset(shown)).or_else(|| {
                    let zone = zone?;
                    let local = local(shown, zone.month_first)?;
                    StatTime::from_millis((local - zone.offset) as f64)
                })
            }
            Time::None => None,
        }
    }
}

impl Zone {
    /// The only zone in which a displayed time is that of a log shortly before the first poll.
    fn of(shown: &str, first_poll: f64) -> Option<Self> {
        let first_poll = first_poll as i64;
        match (Self::fitting(shown, first_poll, true), Self::fitting(shown, first_poll, false)) {
            (Some(one), Some(other)) if one.offset != other.offset => None,
            (one, other) => one.or(other),
        }
    }

    fn fitting(shown: &str, first_poll: i64, month_first: bool) -> Option<Self> {
        let ahead = local(shown, month_first)? - first_poll;
        let offset = -(-ahead).div_euclid(QUARTER_MS) * QUARTER_MS;
        // Time zones range from 12 h behind to 14 h ahead of UTC.
        let known = (-48 * QUARTER_MS..=56 * QUARTER_MS).contains(&offset);
        (known && offset - ahead <= FIRST_POLL_MS).then_some(Self { month_first, offset })
    }
}

/// One entry: `{"type", "value", "timestamp" or "time"}`.
fn read<'a>(entries: &mut Cursor<'a>, first: &mut bool) -> Result<Option<LogEntry<'a>>, ReadError> {
    if !entries.more(first, b']')? {
        return Ok(None);
    }
    let mut entry = LogEntry { time: Time::None, kind: None, value: None };
    if entries.next()? != Next::Object {
        entries.skip()?;
        return Ok(Some(entry));
    }
    members(entries, |cursor, key, next| {
        match (key.plain().unwrap_or(""), next) {
            ("type", Next::Str) => entry.kind = Some(cursor.string("a type")?),
            ("value", _) => {
                entry.value = Some(cursor.clone());
                cursor.skip()?;
            }
            ("timestamp", Next::Number) => {
                entry.time = StatTime::from_millis(cursor.number()?).map_or(Time::None, Time::At);
            }
            ("time", Next::Str) => entry.time = Time::Shown(cursor.string("a time")?),
            _ => cursor.skip()?,
        }
        Ok(())
    })?;
    Ok(Some(entry))
}

/// Parses a time as JavaScript prints it with its zone: `Sat Mar 24 2018 16:46:21 GMT+0100 (…)`.
fn with_offset(text: &str) -> Option<StatTime> {
    let text = text.split(" (").next()?;
    let time = jiff::fmt::strtime::parse("%a %b %d %Y %H:%M:%S GMT%z", text).ok()?.to_timestamp().ok()?;
    StatTime::from_millis(time.as_millisecond() as f64)
}

/// Parses a time as a page shows it, such as `3/24/2025, 4:46:21 PM` or `24.3.2025, 16:46:21`, into milliseconds since
/// 1970 in its own zone.
fn local(text: &str, month_first: bool) -> Option<i64> {
    let mut numbers = [0_i32; 6];
    let mut count = 0;
    for digits in text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()) {
        *numbers.get_mut(count)? = digits.parse().ok()?;
        count += 1;
    }
    if count != numbers.len() {
        return None;
    }
    let [a, b, c, hour, minute, second] = numbers;
    let (year, month, day) = match month_first {
        _ if a > 31 => (a, b, c),
        true => (c, a, b),
        false => (c, b, a),
    };
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase());
    let hour = match (hour, letters.clone().eq(*b"am"), letters.clone().eq(*b"pm")) {
        (12, true, _) => 0,
        (1..=11, _, true) => hour + 12,
        (_, false, false) if letters.clone().next().is_some() => return None,
        _ => hour,
    };
    let year = i16::try_from(year).ok().filter(|&year| year >= 1970)?;
    let time = DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

fn small(number: i32) -> Option<i8> {
    i8::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_poll_determines_the_zone_of_displayed_times() {
        // 2025-03-24T16:46:22.034Z, and twenty minutes later.
        const POLL: f64 = 1_742_834_782_034.0;
        let zone = |shown| Zone::of(shown, POLL).map(|zone| (zone.month_first, zone.offset / 60_000));
        assert_eq!(zone("3/24/2025, 4:46:21 PM"), Some((true, 0)));
        assert_eq!(zone("3/24/2025, 4:46:21\u{202f}PM"), Some((true, 0)));
        assert_eq!(zone("24.3.2025, 17:46:20"), Some((false, 60)));
        assert_eq!(zone("24/03/2025 22:16:22"), Some((false, 330)));
        assert_eq!(zone("2025-03-24 06:46:22"), Some((true, -600)));
        assert_eq!(zone("3/25/2025, 12:46:22 AM"), Some((true, 480)));
        // The page was opened later; not a time; after the poll; no zone has such an offset.
        for none in [
            "3/24/2025, 4:46:01 PM",
            "3/24/2025",
            "24 mars 2025 17:46:20",
            "3/24/2025, 4:46:23 PM",
            "3/25/2025, 4:46:21 PM",
        ] {
            assert_eq!(zone(none), None, "{none}");
        }
        // 2025-04-03: the stats distinguish day and month.
        let april = POLL + 10.0 * 86_400e3;
        assert_eq!(Zone::of("4/3/2025, 4:46:21 PM", april), Some(Zone { month_first: true, offset: 0 }));
        assert_eq!(Zone::of("3/4/2025, 16:46:21", april), Some(Zone { month_first: false, offset: 0 }));
    }

    #[test]
    fn a_time_with_its_offset_needs_no_poll() {
        let time = with_offset("Sat Mar 24 2018 16:46:21 GMT+0100 (somewhere)").unwrap();
        assert_eq!(time.as_millis(), 1_521_906_381_000.0);
        assert_eq!(with_offset("Sat Mar 24 2018"), None);
    }
}
