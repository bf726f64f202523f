//! Reads one JSON document that holds many snapshots, as applications store the getStats of a whole call.
//!
//! | shape | read as |
//! |---|---|
//! | `[report, …]`; a report is a map or a list of entries | snapshots of one connection |
//! | `[record, …]`; a record is an object with a report in a member of [`REPORTS`] | as one record per line |
//! | `[entry, …]` in which ids repeat with other times | a snapshot begins with each repetition |
//! | `{"codecStats": [entry, …], …}`, as the JSON behind Firefox's about:webrtc | one snapshot of all entries |
//! | `{name: any of these, …}` | those of the connection `name`; of the snapshot at that time, if the name is one; a name in [`CONTAINERS`] says nothing |
//!
//! Objects may be nested in each other. Their members [`CONNECTIONS`] and [`TIMES`] count for all that is in them.

use alloc::collections::BTreeMap;
use alloc::string::String;

use super::ndjson::{self, RecordContext};
use crate::hash::fnv1a_64;
use crate::ingest::error::ReadError;
use crate::ingest::getstats::fill::{parse_time, type_of_name};
use crate::ingest::getstats::fold;
use crate::ingest::getstats::json::{Cursor, Next, elements, members};
use crate::ingest::names::{CONNECTIONS, REPORTS, TIMES};
use crate::ingest::sink::{ReadState, Sink};
use crate::report::StatsType;
use crate::unit::{StatTime, WALL_MS};

/// Names of members that hold snapshots and are no names of connections.
const CONTAINERS: &[&str] =
    &["snapshots", "samples", "records", "reports", "history", "log", "logs", "statsLog", "data", "connections"];

/// How deep containers may be nested in each other.
const MAX_DEPTH: u32 = 6;

/// What a value holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A map of entries, or a list of pairs of an id and an entry.
    Report,
    /// A list of entries.
    Entries,
    /// An object with a report in one of its members.
    Record,
    /// An object with lists of entries by type.
    ByType,
    List,
    Object,
    /// No container.
    Other,
}

/// Reads all snapshots of the document at `cursor`. Returns how many there are.
pub(in crate::ingest) fn read(
    state: &mut ReadState,
    cursor: &mut Cursor<'_>,
    sink: &mut Sink<'_>,
) -> Result<u64, ReadError> {
    let mut end = cursor.clone();
    end.skip()?;
    end.end()?;
    let count = |state: &ReadState| state.snapshots + state.empty_snapshots + state.unusable_snapshots;
    let before = count(state);
    value(state, cursor, RecordContext::default(), 0, sink)?;
    Ok(count(state) - before)
}

/// Whether the list of entries at `cursor` has an id twice, with different times.
pub(in crate::ingest) fn repeats_entries(state: &mut ReadState, cursor: &mut Cursor<'_>) -> Result<bool, ReadError> {
    let mut starts = 0;
    if cursor.next()? == Next::Array {
        entries(state, cursor, &mut |_| starts += 1)?;
    }
    Ok(starts > 1)
}

fn value(
    state: &mut ReadState,
    cursor: &mut Cursor<'_>,
    context: RecordContext<'_>,
    depth: u32,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    match shape(&mut cursor.clone())? {
        Shape::Report => {
            state.report.clear();
            state.scanner.container(cursor, &mut state.report)?;
            hand_out(state, context, sink);
            Ok(())
        }
        Shape::Entries => entries(state, cursor, &mut |state| hand_out(state, context, sink)),
        Shape::Record => ndjson::record(state, cursor, context, sink),
        Shape::ByType => {
            state.report.clear();
            let mut connection = String::new();
            let context = scalars(&mut cursor.clone(), context, &mut connection)?;
            members(cursor, |cursor, _, next| {
                if next != Next::Array {
                    return cursor.skip();
                }
                elements(cursor, |cursor, next| match next {
                    Next::Object => state.scanner.entry(cursor, &mut state.report, ""),
                    _ => cursor.skip(),
                })
            })?;
            hand_out(state, context, sink);
            Ok(())
        }
        Shape::List if depth < MAX_DEPTH => elements(cursor, |cursor, _| part(state, cursor, context, depth, sink)),
        Shape::Object if depth < MAX_DEPTH => {
            let mut connection = String::new();
            let context = scalars(&mut cursor.clone(), context, &mut connection)?;
            members(cursor, |cursor, key, next| {
                if !matches!(next, Next::Array | Next::Object) {
                    return cursor.skip();
                }
                let mut buffer = String::new();
                let name = key.get(&mut buffer);
                let context = match parse_time(name) {
                    Some(at) if is_time(at) => RecordContext { at: Some(at), ..context },
                    _ if CONTAINERS.contains(&name) || REPORTS.contains(&name) => context,
                    _ => RecordContext { fabric: name, ..context },
                };
                part(state, cursor, context, depth, sink)
            })
        }
        Shape::List | Shape::Object | Shape::Other => cursor.skip(),
    }
}

/// Reads one of several values. What cannot be read is counted, and loses no other.
fn part(
    state: &mut ReadState,
    cursor: &mut Cursor<'_>,
    context: RecordContext<'_>,
    depth: u32,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let is_read = cursor.read_or_skip(|cursor| value(state, cursor, context, depth + 1, sink))?;
    state.skipped.entries += u64::from(!is_read);
    Ok(())
}

/// A number is a time only of a wall clock: others name connections.
fn is_time(at: StatTime) -> bool {
    at.as_millis() >= WALL_MS.start
}

fn hand_out(state: &mut ReadState, context: RecordContext<'_>, sink: &mut Sink<'_>) {
    fold::fold(&mut state.report, &mut state.scanner.unread);
    state.hand_out(context.fabric, context.at, sink);
}

/// Reads a list of entries into the report, and calls `whole` at the end of each snapshot.
fn entries(
    state: &mut ReadState,
    cursor: &mut Cursor<'_>,
    whole: &mut dyn FnMut(&mut ReadState),
) -> Result<(), ReadError> {
    // The times of the entries of this snapshot, by the hashes of their ids.
    let mut times: BTreeMap<u64, Option<StatTime>> = BTreeMap::new();
    state.report.clear();
    elements(cursor, |cursor, next| {
        if next != Next::Object {
            return cursor.skip();
        }
        let start = cursor.pos;
        state.scanner.entry(cursor, &mut state.report, "")?;
        let read = |state: &ReadState| {
            let entry = state.report.get(state.report.len().checked_sub(1)?)?;
            (!entry.id().is_empty()).then(|| (fnv1a_64(entry.id().as_bytes()), entry.timestamp()))
        };
        let Some((id, time)) = read(state) else { return Ok(()) };
        if times.get(&id).is_some_and(|&before| before != time) {
            state.report.pop();
            whole(state);
            state.report.clear();
            times.clear();
            cursor.pos = start;
            state.scanner.entry(cursor, &mut state.report, "")?;
        }
        times.insert(id, time);
        Ok(())
    })?;
    whole(state);
    Ok(())
}

/// The connection and the time that an object states for all that is in it.
fn scalars<'b>(
    cursor: &mut Cursor<'_>,
    mut context: RecordContext<'b>,
    connection: &'b mut String,
) -> Result<RecordContext<'b>, ReadError> {
    let mut is_named = false;
    members(cursor, |cursor, key, next| {
        let name = key.plain().unwrap_or("");
        match next {
            Next::Str if CONNECTIONS.contains(&name) => {
                connection.clear();
                cursor.string("a connection")?.append_to(connection);
                is_named = true;
            }
            Next::Str | Next::Number if TIMES.contains(&name) => {
                context.at = ndjson::time(cursor, next)?.or(context.at);
            }
            _ => cursor.skip()?,
        }
        Ok(())
    })?;
    if is_named {
        context.fabric = connection;
    }
    Ok(context)
}

fn shape(cursor: &mut Cursor<'_>) -> Result<Shape, ReadError> {
    match cursor.next()? {
        Next::Array => shape_of_list(cursor),
        Next::Object => shape_of_object(cursor),
        _ => Ok(Shape::Other),
    }
}

fn shape_of_list(cursor: &mut Cursor<'_>) -> Result<Shape, ReadError> {
    let mut shape = Shape::List;
    elements(cursor, |cursor, next| {
        if shape == Shape::List {
            let mut inside = cursor.clone();
            match next {
                Next::Object if is_entry(&mut inside)? => shape = Shape::Entries,
                Next::Array if is_pair(&mut inside)? => shape = Shape::Report,
                _ => {}
            }
        }
        cursor.skip()
    })?;
    Ok(shape)
}

/// Whether a list is an id and an object.
fn is_pair(cursor: &mut Cursor<'_>) -> Result<bool, ReadError> {
    cursor.expect(b'[', "`[`")?;
    let mut first = true;
    if !cursor.more(&mut first, b']')? || cursor.next()? != Next::Str {
        return Ok(false);
    }
    cursor.skip()?;
    Ok(cursor.more(&mut first, b']')? && cursor.next()? == Next::Object)
}

fn shape_of_object(cursor: &mut Cursor<'_>) -> Result<Shape, ReadError> {
    let mut shape = Shape::Object;
    members(cursor, |cursor, key, next| {
        let name = key.plain().unwrap_or("");
        let mut inside = cursor.clone();
        let found = match next {
            Next::Object | Next::Array if REPORTS.contains(&name) && holds_report(&mut inside.clone())? => {
                Shape::Record
            }
            Next::Object if is_entry(&mut inside)? => Shape::Report,
            Next::Array if name.ends_with("Stats") && has_entry(&mut inside)? => Shape::ByType,
            _ => Shape::Object,
        };
        if shape == Shape::Object {
            shape = found;
        }
        cursor.skip()
    })?;
    Ok(shape)
}

/// Whether a container is one report.
fn holds_report(cursor: &mut Cursor<'_>) -> Result<bool, ReadError> {
    match cursor.next()? {
        Next::Array => Ok(shape_of_list(cursor)? != Shape::List),
        _ => has_entry(cursor),
    }
}

/// Whether an array or an object contains an entry of a known type.
fn has_entry(cursor: &mut Cursor<'_>) -> Result<bool, ReadError> {
    let mut found = false;
    let mut look = |cursor: &mut Cursor<'_>, next| {
        found |= next == Next::Object && is_entry(&mut cursor.clone())?;
        cursor.skip()
    };
    match cursor.next()? {
        Next::Object => members(cursor, |cursor, _, next| look(cursor, next))?,
        _ => elements(cursor, look)?,
    }
    Ok(found)
}

fn is_entry(cursor: &mut Cursor<'_>) -> Result<bool, ReadError> {
    let mut found = false;
    members(cursor, |cursor, key, next| {
        if key.is("type") && next == Next::Str {
            let name = cursor.string("a type")?.plain();
            found |= name.is_some_and(|name| type_of_name(name) != StatsType::Other);
            return Ok(());
        }
        cursor.skip()
    })?;
    Ok(found)
}
