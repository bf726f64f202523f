//! rtcstats dumps of version 3 (github.com/rtcstats/rtcstats), and Chrome's own export, which is the same container
//! around whole reports.
//!
//! The first line is `RTCStatsDump`, the second an object that describes the client, and every other an array
//! `[method, connection, value, …, Δ ms]`: its time is the sum of the steps so far, of which the first is the time since
//! 1970. Methods are names or numbers, members of stats too ([`super::key`]), and reports are differences
//! ([`super::delta`]).
//!
//! A line that cannot be read loses its time step too: what follows is earlier by that much until the dump ends.

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
    // A step out of all time is none: it must not take the times of all other lines with it.
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
