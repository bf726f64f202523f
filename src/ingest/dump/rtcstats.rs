//! Reads rtcstats dumps of version 3 (github.com/rtcstats/rtcstats), and Chrome's own export, which has whole reports
//! in the same container. The older versions are read by [`super::lines`].
//!
//! The first line is `RTCStatsDump`, the second an object that describes the client, and every other line an array
//! `[method, connection, value, …, Δ ms]`. The time of a line is the sum of the steps so far; the first step is the
//! time since 1970. Methods, and the members of stats, are names or numbers ([`key`](crate::ingest::getstats::key)),
//! and reports are deltas ([`super::delta`]).
//!
//! An unreadable line also loses its time step: the times of all following lines are early by that step.

use alloc::string::String;

use super::delta::Dialect;
use super::lines::{self, Lines};
use crate::ingest::error::ReadError;
use crate::ingest::getstats::json::Cursor;
use crate::ingest::sink::{ReadState, Sink};
use crate::ingest::sniff;
use crate::unit::StatTime;

pub(in crate::ingest) fn read(
    state: &mut ReadState,
    lines: &mut Lines,
    cursor: &mut Cursor<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    if sniff::is_rtcstats_header(cursor) {
        // Another dump may follow in the same file.
        lines.clock = 0.0;
        lines.bases.clear();
        return Ok(());
    }
    let mut buffer = String::new();
    let Some(line) = lines::parse(state, lines, cursor, &mut buffer)? else { return Ok(()) };
    // Ignore a step outside the range of times, because it would spoil the times of all following lines.
    if let Some(at) = line.last.and_then(|step| StatTime::from_millis(lines.clock + step)) {
        lines.clock = at.as_millis();
    }
    let at = StatTime::from_millis(lines.clock);
    if line.method == "create" {
        lines.bases.forget(line.fabric);
    }
    lines::hand_out(state, lines, &line, at, Dialect::Rtcstats, sink);
    Ok(())
}
