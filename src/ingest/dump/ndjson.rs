//! Reads recordings with one snapshot per line: `{"t": ms, "pc": name, "report": stats}`. Reports are whole, not deltas.
//! Applications name these members as they like: [`TIMES`], [`CONNECTIONS`] and [`REPORTS`] are accepted.
//!
//! A line may hold a log event instead: `{"t": ms, "pc": name, "event": what, …}`. `event` is a word of the table of
//! [`LogEventKind`](crate::ingest::LogEventKind), and its value stands in `value` or in the line itself (`"state":
//! "connected"`). Other lines without stats (a recorder's header) are not errors; the reader skips them.

use alloc::string::String;

use smallvec::SmallVec;

use crate::ingest::error::ReadError;
use crate::ingest::getstats::fill::parse_time;
use crate::ingest::getstats::fold;
use crate::ingest::getstats::json::{Cursor, Next};
use crate::ingest::names::{CONNECTIONS, REPORTS, TIMES};
use crate::ingest::sink::{ReadState, Sink};
use crate::unit::StatTime;

/// Members of a line that are read or describe the recording; any other beside a report is unread.
// `sources`: what getContributingSources returned.
const KNOWN: &[&str] =
    &["t", "timestamp", "pc", "fabric", "conference", "report", "stats", "recorder", "value", "sources"];

/// What is known of a record before it is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RecordContext<'a> {
    pub(super) fabric: &'a str,
    pub(super) at: Option<StatTime>,
    /// Nothing follows it.
    pub(super) is_line: bool,
}

pub(in crate::ingest) fn read(
    state: &mut ReadState,
    cursor: &mut Cursor<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    record(state, cursor, RecordContext { is_line: true, ..RecordContext::default() }, sink)
}

/// Reads the record at `cursor`.
pub(super) fn record(
    state: &mut ReadState,
    cursor: &mut Cursor<'_>,
    context: RecordContext<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let mut fabric = None;
    let mut at = None;
    let mut found = false;
    let mut event = None;
    let mut value = cursor.clone();
    let mut unknown = SmallVec::<[&str; 8]>::new();
    state.report.clear();
    cursor.expect(b'{', "`{`")?;
    let mut first = true;
    while cursor.more(&mut first, b'}')? {
        let key = cursor.key()?;
        match (key.plain().unwrap_or(""), cursor.next()?) {
            ("t" | "timestamp", Next::Number) => at = StatTime::from_unknown(cursor.number()?),
            ("pc" | "fabric", Next::Str) => fabric = Some(cursor.string("a connection")?),
            ("conference", Next::Str) => {
                let mut buffer = String::new();
                let name = cursor.string("a conference")?.get(&mut buffer);
                if state.conference.is_none() {
                    state.conference = Some(name.into());
                }
            }
            ("report" | "stats", Next::Object | Next::Array | Next::Str) => {
                state.scanner.container(cursor, &mut state.report)?;
                found = true;
            }
            ("event", Next::Str) => event = cursor.string("an event")?.plain(),
            ("value", _) => {
                value = cursor.clone();
                cursor.skip()?;
            }
            (name, Next::Object | Next::Array | Next::Str) if !found && REPORTS.contains(&name) => {
                state.scanner.container(cursor, &mut state.report)?;
                found = true;
            }
            (name, Next::Str) if CONNECTIONS.contains(&name) => fabric = Some(cursor.string("a connection")?),
            (name, next @ (Next::Number | Next::Str)) if TIMES.contains(&name) => at = at.or(time(cursor, next)?),
            (name, _) => {
                if !KNOWN.contains(&name) && unknown.len() < unknown.inline_size() {
                    unknown.push(name);
                }
                cursor.skip()?;
            }
        }
    }
    if context.is_line {
        cursor.end()?;
    }
    let mut buffer = String::new();
    let fabric = fabric.map_or(context.fabric, |fabric| fabric.get(&mut buffer));
    let at = at.or(context.at);
    if let Some(event) = event {
        state.log(fabric, at, event, Some(value), sink);
    }
    if found {
        for name in unknown {
            state.scanner.unread.members.add(name);
        }
        fold::fold(&mut state.report, &mut state.scanner.unread);
        state.hand_out(fabric, at, sink);
    }
    Ok(())
}

/// The time in a number or a text.
pub(super) fn time(cursor: &mut Cursor<'_>, next: Next) -> Result<Option<StatTime>, ReadError> {
    if next == Next::Number {
        return Ok(StatTime::from_unknown(cursor.number()?));
    }
    let mut buffer = String::new();
    Ok(parse_time(cursor.string("a time")?.get(&mut buffer)))
}
