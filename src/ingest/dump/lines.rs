//! Lines of what happened, one array each: `[method, connection, value, …, time]`.
//!
//! All rtcstats formats share this shape; this file takes it apart and reads the lines whose time is absolute: those of
//! jitsi's server (`[event, connection, data, epoch ms, sequence?]`), of rtcstats v1 and v2
//! (github.com/fippo/rtcstats-server), and of GetStream (`[event, scope, payload, epoch ms]`). Times may run back
//! between lines, because events are written when they are known and not when they happened; a snapshot's time is that
//! of its line.
//!
//! What follows the closing bracket is ignored, and so are lines that are no array: they describe the client or the
//! servers.

use alloc::string::String;

use super::delta::{Bases, Dialect};
use crate::ingest::error::ReadError;
use crate::ingest::getstats::fill;
use crate::ingest::getstats::json::{Cursor, Next};
use crate::ingest::log::{identify, method_name};
use crate::ingest::sink::{ReadState, Sink};
use crate::ingest::sniff::Format;
use crate::report::Report;
use crate::unit::StatTime;

/// What line formats keep from one record to the next.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Lines {
    pub(super) bases: Bases,
    /// The entries of the line, as they stand.
    difference: Report,
    /// Milliseconds on the clock of a format whose lines carry time steps.
    pub(super) clock: f64,
}

/// One line.
#[derive(Debug)]
pub(super) struct Line<'a, 'b> {
    /// What happened, by name; empty for a code that has none.
    pub(super) method: &'a str,
    /// The connection; empty where the line names none.
    pub(super) fabric: &'b str,
    /// Stands before the value, if there is one.
    pub(super) value: Option<Cursor<'a>>,
    /// Whether the value was a report. It is then the reader's difference.
    has_stats: bool,
    /// The fourth element as a time.
    pub(super) time: Option<StatTime>,
    /// The last element, if it is a number.
    pub(super) last: Option<f64>,
}

/// Reads one line whose time is absolute. Whether only clients of jitsi write such a line.
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

/// Takes a line apart; nothing when the record is none. Nothing that outlives the line changes.
pub(super) fn parse<'a: 'b, 'b>(
    state: &mut ReadState,
    lines: &mut Lines,
    cursor: &mut Cursor<'a>,
    buffer: &'b mut String,
) -> Result<Option<Line<'a, 'b>>, ReadError> {
    if cursor.next()? != Next::Array {
        return cursor.skip().map(|()| None);
    }
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
    // What Chrome before 145 writes for events of no connection.
    if line.fabric == "undefined-undefined" {
        line.fabric = "";
    }
    Ok((index > 0).then_some(line))
}

/// Hands out what the line holds: the snapshot that its report makes of the ones before it, or what it tells.
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
        bases.apply(line.fabric, difference, &state.scanner.beside, dialect, &mut state.report);
        state.hand_out(line.fabric, at, sink);
    } else if !(is_report(line.method) || is_of_the_recorder(line)) {
        state.log(line.fabric, at, line.method, line.value.clone(), sink);
    }
}

/// Whether a line tells of the connection to the server that collects the lines: rtcstats heads a dump with a `create`
/// that describes the client, and ends it with a `close` that has a WebSocket's code.
fn is_of_the_recorder(line: &Line<'_, '_>) -> bool {
    let is_code = || line.value.clone().is_some_and(|mut value| value.next() == Ok(Next::Number));
    line.fabric.is_empty() && (line.method == "create" || line.method == "close" && is_code())
}

fn is_report(method: &str) -> bool {
    matches!(method, "getStats" | "getstats" | "g")
}
