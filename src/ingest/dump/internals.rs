//! Reads webrtc-internals dumps: per PeerConnection, one series of values for each member of each stats entry. It
//! ignores the values that the page computed itself.
//!
//! The format is columnar, and the page that writes it (`chrome://webrtc-internals`) polls about once a second. This
//! reader converts the columns back into one snapshot per poll, connection by connection, in order of time.
//!
//! - **Times.** Since Chromium 117 every entry has a series of its own `timestamp`, and its rows have exactly these
//!   times. In older dumps the reader interpolates a row's time evenly between the first and the last poll of its
//!   entry.
//! - **Which poll.** Local entries of one poll share their timestamp. `remote-inbound-rtp` and `remote-outbound-rtp`
//!   have the time of an RTCP report instead, repeated at every poll until the next report. [`polls`] defines their
//!   position, and the snapshots repeat them as the browser did. A row with an unchanged timestamp may still have a
//!   newer round-trip time.
//! - **Unequal lengths.** The reader positions a series by its `startTime` and `endTime`, never by its length alone. If
//!   it has fewer values than there are polls between the two, the dump does not record which polls lack one. The first
//!   and the last value are exact then, and the others are spread evenly in between, at most as many polls off as there
//!   are gaps.
//! - **The cap.** The page retains the last 1000 values of a series. For a longer call the dump holds only the end,
//!   except for entries that vanished earlier, which make their own, earlier snapshots.
//! - **Both APIs.** Old dumps may contain the same streams a second time, as Chromium's callback API reported them
//!   (`ssrc_…`). The reader then omits the callback API's entries.
//! - **Log events** (`updateLog`) come between the polls by their times ([`log`]), or all first if their times are
//!   unknown. The creation of a connection comes before its other items, without a time, because the dump does not
//!   record it. Failures of `getUserMedia` come before the connections.
//! - **Derived keys** (`<id>-[…]`) are values that the page computed, not stats; the reader ignores them.
//!
//! A series that cannot be read or positioned counts as a skipped entry; the others remain. Memory: the record, a copy
//! of one connection's values that had escapes, about 1 KB for each entry, 200 bytes for each series and 24 for each
//! point of an entry; less than the record itself in real dumps. Time: linear in the record, except for a sort of the
//! points and one check per point of each series of the same entry, of which there are at most as many as the table of
//! members has names.

mod column;
mod document;
mod log;
mod polls;

use alloc::string::String;
use alloc::vec::Vec;

use crate::ingest::error::ReadError;
use crate::ingest::getstats::json::{Cursor, Next, members};
use crate::ingest::getstats::key::Target;
use crate::ingest::getstats::{self, MAX_ENTRIES, fill, fold};
use crate::ingest::sink::{ReadState, Sink};
use crate::report::{Report, StatsType};
use crate::unit::StatTime;
use column::Column;
use document::{Connection, Element, Series};
use log::UpdateLog;
use polls::PollTrack;

/// Reads a whole dump. Returns nothing before the document is known to be well-formed.
pub(in crate::ingest) fn read(
    state: &mut ReadState,
    cursor: &mut Cursor<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let mut skipped = 0;
    let document = document::read(cursor, &mut skipped, &mut state.scanner.unread)?;
    state.skipped.entries += skipped;
    state.chrome = document.chrome;
    if let Some(mut captures) = document.captures.filter(|_| sink.wants_log_events) {
        emit_failures(state, &mut captures, sink);
    }
    for connection in document.connections {
        replay(state, connection, sink);
    }
    Ok(())
}

/// Returns failed calls of `getUserMedia`. A malformed entry ends the list.
fn emit_failures(state: &mut ReadState, captures: &mut Cursor<'_>, sink: &mut Sink<'_>) {
    if !captures.eat(b'[') {
        return;
    }
    let mut first = true;
    while let Ok(true) = captures.more(&mut first, b']') {
        let entry = captures.clone();
        if captures.skip().is_err() {
            return;
        }
        let (mut failed, mut display, mut at) = (false, false, None);
        let read = members(&mut entry.clone(), |cursor, key, next| {
            match (key.plain().unwrap_or(""), next) {
                ("error", Next::Str) => {
                    failed = true;
                    cursor.skip()?;
                }
                ("request_type", Next::Str) => {
                    display = cursor.string("a type")?.plain().is_some_and(|kind| kind.starts_with("getDisplay"));
                }
                ("timestamp", Next::Number) => at = StatTime::from_millis(cursor.number()?),
                _ => cursor.skip()?,
            }
            Ok(())
        });
        if read.is_ok() && failed {
            let method = if display { "getDisplayMediaOnFailure" } else { "getUserMediaOnFailure" };
            state.log("", at, method, Some(entry), sink);
        }
    }
}

/// Returns the polls of one connection and the log events between them.
fn replay(state: &mut ReadState, mut connection: Connection<'_>, sink: &mut Sink<'_>) {
    let text = connection.unescape();
    let mut lanes = Vec::with_capacity(connection.elements.len());
    for element in &connection.elements {
        lanes.extend(Lane::new(element, &text, &mut state.skipped.entries));
    }
    let tracks: Vec<_> = lanes.iter().map(Lane::track).collect();
    let plan = polls::plan(&tracks);
    drop(tracks);
    let mut scratch = String::new();
    let mut log = UpdateLog::new(connection.log.take().filter(|_| sink.wants_log_events), plan.polls.first().copied());
    state.log(&connection.name, None, "create", connection.configuration.take(), sink);
    for points in plan.points.chunk_by(|a, b| a.poll == b.poll) {
        state.report.clear();
        let mut at = None;
        for point in points {
            let Some(lane) = lanes.get_mut(point.track as usize) else { continue };
            let time = lane.write(&mut state.report, &mut scratch);
            if at.is_none() && lane.exact && !lane.kind.is_remote() {
                at = time;
            }
        }
        fold::fold(&mut state.report, &mut state.scanner.unread);
        let poll = points.first().and_then(|point| plan.polls.get(point.poll as usize).copied());
        let at = at.or_else(|| StatTime::from_millis(poll?));
        if let Some(at) = at {
            log.emit(Some(at.as_millis()), state, &connection.name, sink);
        }
        state.hand_out(&connection.name, at, sink);
    }
    log.emit(None, state, &connection.name, sink);
}

/// One stats entry over the duration of the call.
struct Lane<'t> {
    id: &'t str,
    kind: StatsType,
    /// The entry's time at each of its points; NaN if the dump has none.
    stamps: Vec<f64>,
    /// `stamps` made monotonic, if they have gaps or backward steps.
    levelled: Option<Vec<f64>>,
    /// Whether `stamps` were recorded and not interpolated.
    exact: bool,
    columns: Vec<Column<'t>>,
    /// The number of points written so far.
    written: usize,
}

impl<'t> Lane<'t> {
    /// `None` for an entry without any time.
    fn new(element: &'t Element<'_>, text: &'t str, skipped: &mut u64) -> Option<Self> {
        let mut count = |series: &'t Series<'_>| {
            let column = Column::new(series, text);
            *skipped += u64::from(column.is_none());
            column
        };
        let mut columns: Vec<_> = element.members.iter().filter_map(&mut count).collect();
        let clock = element.clock.as_ref().and_then(&mut count).map(|column| column.times());
        let recorded = clock.filter(|stamps| stamps.iter().any(|stamp| !stamp.is_nan()));
        let exact = recorded.is_some();
        let stamps = recorded.or_else(|| {
            let unread = element.unread.as_ref().and_then(&mut count);
            column::interpolate(columns.iter().chain(&unread))
        });
        let Some(stamps) = stamps else {
            *skipped += u64::from(!columns.is_empty());
            return None;
        };
        let levelled = level(&stamps);
        let times = levelled.as_deref().unwrap_or(&stamps);
        let before = columns.len();
        columns.retain_mut(|column| column.place(times, exact));
        *skipped += (before - columns.len()) as u64;
        Some(Self { id: &element.id, kind: element.kind, stamps, levelled, exact, columns, written: 0 })
    }

    fn track(&self) -> PollTrack<'_> {
        let times = self.levelled.as_deref().unwrap_or(&self.stamps);
        PollTrack { times, exact: self.exact, remote: self.kind.is_remote() }
    }

    /// Adds the next point to the report. Returns its time, if it has one.
    fn write(&mut self, report: &mut Report, scratch: &mut String) -> Option<StatTime> {
        let point = self.written;
        self.written += 1;
        if report.len() >= MAX_ENTRIES {
            report.skipped_mut().entries += 1;
            return None;
        }
        let time = self.stamps.get(point).and_then(|&stamp| StatTime::from_millis(stamp));
        let mut entry = report.begin();
        entry.set_id(self.id).set_kind(self.kind).set_timestamp(time);
        if time.is_none() {
            fill::bad(&mut entry, Target::Timestamp);
        }
        for column in &mut self.columns {
            let target = column.target;
            column.at(point, |value| {
                getstats::value(value, &mut entry, target, scratch).inspect_err(|_| fill::bad(&mut entry, target))
            });
        }
        time
    }
}

/// Monotonic times: a missing time, or one before an earlier one, becomes equal to the latest. `None` if no change is
/// needed.
fn level(stamps: &[f64]) -> Option<Vec<f64>> {
    if stamps.is_sorted() && !stamps.iter().any(|stamp| stamp.is_nan()) {
        return None;
    }
    let mut latest = stamps.iter().copied().find(|stamp| !stamp.is_nan())?;
    let lifted = stamps.iter().map(|&stamp| {
        latest = latest.max(stamp);
        latest
    });
    Some(lifted.collect())
}
