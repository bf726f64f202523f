//! Reads log lines, one array each: `[method, connection, value, …, time]`. It does not restore delta-compressed
//! reports.
//!
//! All rtcstats formats share this structure. This module parses it and reads the lines with an absolute time: those of
//! jitsi's server (`[event, connection, data, epoch ms, sequence?]`), of rtcstats v1 and v2
//! (github.com/fippo/rtcstats-server), and of GetStream (`[event, scope, payload, epoch ms]`). Times may go back
//! between lines, because events are logged when they become known and not when they happen; a snapshot has the time of
//! its line.
//!
//! Text after the closing bracket is ignored. So are lines that are not arrays: they describe the client or the
//! servers.

use alloc::string::String;

use super::delta::{Bases, Dialect};
use crate::ingest::error::ReadError;
use crate::ingest::getstats::json::{Cursor, Next};
use crate::ingest::getstats::{Scanner, fill};
use crate::ingest::log::{identify, method_name};
use crate::ingest::sink::{ReadState, Sink};
use crate::ingest::sniff::Format;
use crate::report::Report;
use crate::unit::StatTime;

/// State of the line formats between records.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Lines {
    pub(super) bases: Bases,
    /// The entries of the current line, unfolded.
    difference: Report,
    /// The current time of a format whose lines have time steps, in milliseconds.
    pub(super) clock: f64,
}

/// One line.
#[derive(Debug)]
pub(super) struct Line<'a, 'b> {
    /// The method's name; empty for an unknown code.
    pub(super) method: &'a str,
    /// The connection; empty if the line names none.
    pub(super) fabric: &'b str,
    /// Before the value, if there is one.
    pub(super) value: Option<Cursor<'a>>,
    /// Whether the value was a report, which is then in [`Lines`].
    has_stats: bool,
    /// The fourth element as a time.
    pub(super) time: Option<StatTime>,
    /// The last element, if it is a number.
    pub(super) last: Option<f64>,
}

/// Reads one line with an absolute time. Returns whether only jitsi clients write such a line.
pub(in crate::ingest) fn read(
    state: &mut ReadState,
    lines: &mut Lines,
    cursor: &mut Cursor<'_>,
    format: Format,
    sink: &mut Sink<'_>,
) -> Result<bool, ReadError> {
    let mut buffer = String::new();
    let Some(line) = parse(state, lines, cursor, &mut buffer)? else { return Ok(false) };
    match line.method {
        "create" => lines.bases.forget(line.fabric),
        "identity" if state.conference.is_none() => {
            state.conference = identify(line.value.clone(), &mut state.scratch).conference.map(Into::into);
        }
        _ => {}
    }
    let dialect = if format == Format::RtcstatsLegacy { Dialect::Legacy } else { Dialect::Jitsi };
    let is_jitsi = matches!(line.method, "connectionInfo" | "identity" | "setVideoType" | "dominantSpeaker" | "e2eRtt");
    hand_out(state, lines, &line, line.time, dialect, sink);
    Ok(is_jitsi)
}

/// Parses a line; `None` if the record is not a line. Changes no state that outlives the line.
pub(super) fn parse<'a: 'b, 'b>(
    state: &mut ReadState,
    lines: &mut Lines,
    cursor: &mut Cursor<'a>,
    buffer: &'b mut String,
) -> Result<Option<Line<'a, 'b>>, ReadError> {
    if cursor.next()? != Next::Array {
        return cursor.skip().map(|()| None);
    }
    lines.bases.add_bytes(cursor.rest());
    let mut line = Line { method: "", fabric: "", value: None, has_stats: false, time: None, last: None };
    let mut fabric = None;
    cursor.expect(b'[', "`[`")?;
    let mut index = 0_usize;
    let mut first = true;
    while cursor.more(&mut first, b']')? {
        let next = cursor.next()?;
        let start = cursor.pos;
        line.last = None;
        match (index, next) {
            (0, Next::Str) => line.method = cursor.string("a method")?.plain().unwrap_or(""),
            (0, Next::Number) => line.method = method_name(cursor.number()?),
            (0, _) => return Err(cursor.error("a method")),
            (1, Next::Str) => fabric = Some(cursor.string("a connection")?),
            (1, Next::Number) => {
                cursor.number()?;
                line.fabric = cursor.since(start);
            }
            (2, Next::Object | Next::Array | Next::Str) if is_report(line.method) => {
                line.value = Some(cursor.clone());
                lines.difference.clear();
                state.scanner.has_deltas = true;
                state.scanner.container(cursor, &mut lines.difference)?;
                line.has_stats = true;
            }
            (3, Next::Str) => {
                let time = cursor.string("a time")?;
                line.time = time.plain().and_then(fill::parse_time);
            }
            (_, Next::Number) => {
                let number = cursor.number()?;
                line.last = Some(number);
                if index == 3 {
                    line.time = StatTime::from_unknown(number);
                }
            }
            _ => cursor.skip()?,
        }
        if index == 2 && line.value.is_none() {
            let mut value = cursor.clone();
            value.pos = start;
            line.value = Some(value);
        }
        index += 1;
    }
    if let Some(fabric) = fabric {
        line.fabric = fabric.get(buffer);
    }
    // Chrome before 145 writes this for events without a connection.
    if line.fabric == "undefined-undefined" {
        line.fabric = "";
    }
    Ok((index > 0).then_some(line))
}

/// Returns the content of the line: the snapshot restored from its report and the previous ones, or its log events.
pub(super) fn hand_out(
    state: &mut ReadState,
    lines: &mut Lines,
    line: &Line<'_, '_>,
    at: Option<StatTime>,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) {
    if line.has_stats {
        let Lines { bases, difference, .. } = lines;
        let Scanner { beside, unread, .. } = &mut state.scanner;
        match bases.apply(line.fabric, difference, beside, dialect, unread) {
            Some(whole) => {
                core::mem::swap(whole, &mut state.report);
                state.hand_out(line.fabric, at, sink);
                core::mem::swap(whole, &mut state.report);
            }
            None => state.skipped.differences += 1,
        }
    } else if !(is_report(line.method) || is_of_the_recorder(line)) {
        state.log(line.fabric, at, line.method, line.value.clone(), sink);
    }
}

/// Whether a line belongs to the connection to the collecting server: rtcstats starts a dump with a `create` that
/// describes the client, and ends it with a `close` that has a WebSocket's code.
fn is_of_the_recorder(line: &Line<'_, '_>) -> bool {
    match line.method {
        "create" => line.fabric.is_empty(),
        "close" => {
            let is_code = line.value.clone().is_some_and(|mut value| value.next() == Ok(Next::Number));
            line.fabric.is_empty() && is_code
        }
        _ => false,
    }
}

fn is_report(method: &str) -> bool {
    matches!(method, "getStats" | "getstats" | "g")
}
