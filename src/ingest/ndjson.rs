//! Recordings of one snapshot a line: `{"t": ms, "pc": name, "report": stats}`, `stats` for `report` also.
//!
//! Lines without stats (a recorder's header, its events) are no error; they hold nothing to measure.

use alloc::string::String;

use super::error::ReadError;
use super::json::{Cursor, Next};
use super::{Each, Reader, fold};
use crate::unit::StatTime;

pub(super) fn read(reader: &mut Reader, cursor: &mut Cursor<'_>, each: &mut Each<'_>) -> Result<(), ReadError> {
    let mut fabric = None;
    let mut at = None;
    let mut found = false;
    reader.report.clear();
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
                if reader.conference.is_none() {
                    reader.conference = Some(name.into());
                }
            }
            ("report" | "stats", Next::Object | Next::Array | Next::Str) => {
                reader.scanner.container(cursor, &mut reader.report)?;
                found = true;
            }
            _ => cursor.skip()?,
        }
    }
    cursor.end()?;
    if !found {
        return Ok(());
    }
    fold::fold(&mut reader.report);
    let mut buffer = String::new();
    let fabric = fabric.map_or("", |fabric| fabric.get(&mut buffer));
    reader.hand_out(fabric, at, each);
    Ok(())
}
