//! The log of a connection (`updateLog`), entry by entry, and when each was written.
//!
//! In new dumps an entry has a `timestamp` on the clock of the stats. In older ones (Chromium 134) it has a `time` as the
//! page showed it: in the time zone and the habits of whoever saved the dump, with neither of them recorded. Such a time is
//! read only if the stats tell what it means: the log begins when the connection is made, and the stats within seconds of
//! that if the page was open, so that one order of day and month and one distance from UTC, in quarters of an hour, fit.
//! Where none fits, or more than one, the times are not known. A page that was opened later is mistaken for one that was
//! open when the delay is within seconds of a multiple of a quarter of an hour: once in 180 times.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::ingest::error::ReadError;
use crate::ingest::getstats::fill;
use crate::ingest::getstats::json::{Cursor, Next, RawStr, members};
use crate::ingest::sink::{ReadState, Sink};
use crate::unit::StatTime;

/// By how many milliseconds the first poll may come after the log's first entry, which is cut to seconds.
const FIRST_POLL_MS: i64 = 5_000;

/// Time zones differ from UTC by multiples of this, in milliseconds.
const QUARTER_MS: i64 = 900_000;

/// The entries that are still to be told.
pub(super) struct Log<'a> {
    /// Before the next entry but one; `None` at the end.
    entries: Option<Cursor<'a>>,
    first: bool,
    next: Option<Entry<'a>>,
    zone: Option<Zone>,
}

struct Entry<'a> {
    time: Time<'a>,
    kind: Option<RawStr<'a>>,
    value: Option<Cursor<'a>>,
}

enum Time<'a> {
    At(StatTime),
    Shown(RawStr<'a>),
    None,
}

/// How shown times are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Zone {
    /// Whether the month comes before the day.
    month_first: bool,
    /// What is to be taken off for UTC, in milliseconds.
    offset: i64,
}

impl<'a> Log<'a> {
    /// `entries` stands before the array.
    pub(super) fn new(mut entries: Option<Cursor<'a>>, first_poll: Option<f64>) -> Self {
        let opened = entries.as_mut().is_some_and(|entries| entries.eat(b'['));
        let mut log = Self { entries: entries.filter(|_| opened), first: true, next: None, zone: None };
        log.step();
        if let (Some(Entry { time: Time::Shown(shown), .. }), Some(first_poll)) = (&log.next, first_poll) {
            log.zone = shown.plain().and_then(|shown| Zone::of(shown, first_poll));
        }
        log
    }

    /// Tells what was logged up to a time, or all that is left. An entry without a time goes with the one before it.
    pub(super) fn tell(&mut self, until: Option<f64>, state: &mut ReadState, fabric: &str, sink: &mut Sink<'_>) {
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
        // The array was found to be balanced; where it is broken inside, it ends.
        self.next = self.entries.as_mut().and_then(|entries| read(entries, &mut self.first).ok().flatten());
    }
}

impl Entry<'_> {
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
    /// The only one in which a time is that of a log that the first poll follows.
    fn of(shown: &str, first_poll: f64) -> Option<Self> {
        let first_poll = first_poll as i64;
        let fits = |month_first| {
            let ahead = local(shown, month_first)? - first_poll;
            let offset = -(-ahead).div_euclid(QUARTER_MS) * QUARTER_MS;
            // The zones of the world lie 12 h behind to 14 h ahead.
            let known = (-48 * QUARTER_MS..=56 * QUARTER_MS).contains(&offset);
            (known && offset - ahead <= FIRST_POLL_MS).then_some(Self { month_first, offset })
        };
        match (fits(true), fits(false)) {
            (Some(one), Some(other)) if one.offset != other.offset => None,
            (one, other) => one.or(other),
        }
    }
}

/// One entry: `{"type", "value", "timestamp" or "time"}`.
fn read<'a>(entries: &mut Cursor<'a>, first: &mut bool) -> Result<Option<Entry<'a>>, ReadError> {
    if !entries.more(first, b']')? {
        return Ok(None);
    }
    let mut entry = Entry { time: Time::None, kind: None, value: None };
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

/// A time as JavaScript prints it with its zone: `Sat Mar 24 2018 16:46:21 GMT+0100 (…)`.
fn with_offset(text: &str) -> Option<StatTime> {
    let text = text.split(" (").next()?;
    let time = jiff::fmt::strtime::parse("%a %b %d %Y %H:%M:%S GMT%z", text).ok()?.to_timestamp().ok()?;
    StatTime::from_millis(time.as_millisecond() as f64)
}

/// A time as a page shows it, such as `3/24/2025, 4:46:21 PM` or `24.3.2025, 16:46:21`, in milliseconds since 1970 of its
/// own zone.
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
    let letters = || text.bytes().filter(u8::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase());
    let hour = match (hour, letters().eq(*b"am"), letters().eq(*b"pm")) {
        (12, true, _) => 0,
        (1..=11, _, true) => hour + 12,
        (_, false, false) if letters().next().is_some() => return None,
        _ => hour,
    };
    let small = |number: i32| i8::try_from(number).ok();
    let year = i16::try_from(year).ok().filter(|&year| year >= 1970)?;
    let time = DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_times_mean_what_the_first_poll_says() {
        // 2025-03-24T16:46:22.034Z, and twenty minutes later.
        const POLL: f64 = 1_742_834_782_034.0;
        let zone = |shown| Zone::of(shown, POLL).map(|zone| (zone.month_first, zone.offset / 60_000));
        assert_eq!(zone("3/24/2025, 4:46:21 PM"), Some((true, 0)));
        assert_eq!(zone("3/24/2025, 4:46:21\u{202f}PM"), Some((true, 0)));
        assert_eq!(zone("24.3.2025, 17:46:20"), Some((false, 60)));
        assert_eq!(zone("24/03/2025 22:16:22"), Some((false, 330)));
        assert_eq!(zone("2025-03-24 06:46:22"), Some((true, -600)));
        assert_eq!(zone("3/25/2025, 12:46:22 AM"), Some((true, 480)));
        // The page was opened later; not a time; after the poll; no zone is so far away.
        for none in [
            "3/24/2025, 4:46:01 PM",
            "3/24/2025",
            "24 mars 2025 17:46:20",
            "3/24/2025, 4:46:23 PM",
            "3/25/2025, 4:46:21 PM",
        ] {
            assert_eq!(zone(none), None, "{none}");
        }
        // 2025-04-03: the day and the month are told apart by the stats.
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
