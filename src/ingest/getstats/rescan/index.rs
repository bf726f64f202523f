//! Finds the places in getStats text that a [`Rescanner`](super::Rescanner) updates: the limits of its entries and the
//! plain numbers that are read into rows. It reads no values.

use alloc::string::String;
use alloc::vec::Vec;

use crate::ingest::getstats::json::{Cursor, Next};
use crate::ingest::getstats::key::{self, KEYS, Target};
use crate::report::Fields;

/// A place in the text, relative to the one before, so that a change of length concerns one mark only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// The bytes since the end of the place before.
    pub(super) gap: u32,
    len: u8,
    pub(super) kind: MarkKind,
}

/// What is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MarkKind {
    /// Before the opening brace of an entry.
    EntryStart,
    /// A number without sign and exponent.
    Number(Target),
    /// After the closing brace of an entry.
    EntryEnd,
}

const _: () = assert!(size_of::<Mark>() == 8);

impl Mark {
    /// The start and the end of the place, if the one before ends at `before`.
    #[inline]
    pub(super) const fn place_after(self, before: usize) -> (usize, usize) {
        let start = before + self.gap as usize;
        (start, start + self.len as usize)
    }

    /// `None` beyond 255 bytes.
    pub(super) fn set_length(&mut self, bytes: usize) -> Option<()> {
        self.len = bytes.try_into().ok()?;
        Some(())
    }
}

/// Marks that are being added in the order of a text.
pub(super) struct Marks<'a> {
    marks: &'a mut Vec<Mark>,
    /// The end of the last one.
    end: usize,
}

impl<'a> Marks<'a> {
    /// Adds marks to `marks`; gaps count from `start`.
    pub(super) const fn new(marks: &'a mut Vec<Mark>, start: usize) -> Self {
        Self { marks, end: start }
    }

    /// `None` for a gap beyond 4 GiB or a place beyond 255 bytes.
    fn add(&mut self, start: usize, end: usize, kind: MarkKind) -> Option<()> {
        let gap = start.checked_sub(self.end)?.try_into().ok()?;
        self.marks.push(Mark { gap, len: (end - start).try_into().ok()?, kind });
        self.end = end;
        Some(())
    }
}

/// Marks all entries of a snapshot. Returns their number; `None` for a shape that cannot be updated in place.
pub(super) fn of_text(text: &[u8], marks: &mut Vec<Mark>) -> Option<usize> {
    let marks = &mut Marks::new(marks, 0);
    let mut cursor = Cursor::new(text).ok()?;
    let mut entries = 0;
    match cursor.next().ok()? {
        Next::Array => array(&mut cursor, marks, &mut entries)?,
        Next::Object => object(&mut cursor, marks, &mut entries)?,
        _ => return None,
    }
    Some(entries)
}

/// `[{…}, …]` or `[[id, {…}], …]`.
fn array(cursor: &mut Cursor<'_>, marks: &mut Marks<'_>, entries: &mut usize) -> Option<()> {
    cursor.expect(b'[', "`[`").ok()?;
    let mut first = true;
    while cursor.more(&mut first, b']').ok()? {
        match cursor.next().ok()? {
            Next::Object => _ = of_entry(cursor, marks)?,
            Next::Array => {
                cursor.expect(b'[', "`[`").ok()?;
                cursor.string("an id").ok()?;
                cursor.expect(b',', "`,`").ok()?;
                (cursor.next().ok()? == Next::Object).then(|| of_entry(cursor, marks))??;
                cursor.expect(b']', "`]`").ok()?;
            }
            _ => return None,
        }
        *entries += 1;
    }
    Some(())
}

/// `{id: {…}, …}`.
fn object(cursor: &mut Cursor<'_>, marks: &mut Marks<'_>, entries: &mut usize) -> Option<()> {
    cursor.expect(b'{', "`{`").ok()?;
    let mut first = true;
    while cursor.more(&mut first, b'}').ok()? {
        cursor.key().ok()?;
        (cursor.next().ok()? == Next::Object).then(|| of_entry(cursor, marks))??;
        *entries += 1;
    }
    Some(())
}

/// Marks one entry. Returns its end. `None` for an entry in which a member is there twice, or is read in another way
/// than as a plain number or a text.
pub(super) fn of_entry(cursor: &mut Cursor<'_>, marks: &mut Marks<'_>) -> Option<usize> {
    cursor.next().ok()?;
    marks.add(cursor.pos, cursor.pos, MarkKind::EntryStart)?;
    cursor.expect(b'{', "`{`").ok()?;
    let (mut seen, mut has_time, mut first) = (Fields::NONE, false, true);
    while cursor.more(&mut first, b'}').ok()? {
        let mut buffer = String::new();
        let target = key::find(cursor.key().ok()?.get(&mut buffer)).map(|key| KEYS[usize::from(key)].target);
        let next = cursor.next().ok()?;
        match target {
            Some(target @ Target::Num(_)) => number(cursor, target, &mut seen, marks)?,
            Some(Target::Timestamp) => {
                if core::mem::replace(&mut has_time, true) {
                    return None;
                }
                number(cursor, Target::Timestamp, &mut seen, marks)?;
            }
            Some(Target::Nested(nested)) if next == Next::Object => {
                cursor.expect(b'{', "`{`").ok()?;
                let mut first = true;
                while cursor.more(&mut first, b'}').ok()? {
                    let mut buffer = String::new();
                    match nested.field(cursor.key().ok()?.get(&mut buffer)) {
                        Some(field) => number(cursor, Target::Num(field), &mut seen, marks)?,
                        None => cursor.skip().ok()?,
                    }
                }
            }
            Some(Target::Scaled(_) | Target::Nested(_) | Target::Inline | Target::LegacyRtt | Target::LegacyCodec) => {
                return None;
            }
            _ => cursor.skip().ok()?,
        }
    }
    marks.add(cursor.pos, cursor.pos, MarkKind::EntryEnd)?;
    Some(cursor.pos)
}

/// Marks a member's value if it is a plain number, and skips it. `None` if the member was there before.
fn number(cursor: &mut Cursor<'_>, target: Target, seen: &mut Fields, marks: &mut Marks<'_>) -> Option<()> {
    if let Target::Num(field) = target {
        if seen.has(field) {
            return None;
        }
        seen.insert(field);
    }
    cursor.next().ok()?;
    let start = cursor.pos;
    if cursor.plain_number().is_some() {
        return marks.add(start, cursor.pos, MarkKind::Number(target));
    }
    cursor.skip().ok()
}
