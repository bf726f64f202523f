//! Finds the places in getStats text that a [`Rescanner`](super::Rescanner) updates: the limits of its entries and the
//! values that are read into rows. It reads no values.

use alloc::string::String;
use alloc::vec::Vec;

use crate::ingest::getstats::fold;
use crate::ingest::getstats::json::{Cursor, Next};
use crate::ingest::getstats::key::{self, KEYS, Target};
use crate::report::{Flag, Num, Text};

/// A place in the text, relative to the one before, so that a change of length concerns one mark only.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextMark {
    /// The bytes since the end of the place before.
    pub(super) gap: u32,
    len: u8,
    pub(super) kind: TextMarkKind,
}

/// What is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextMarkKind {
    /// Before the opening brace of an entry.
    EntryStart,
    /// A number, a string without escapes, or a boolean.
    Value(Target),
    /// After the closing brace of an entry.
    EntryEnd,
}

const _: () = assert!(size_of::<TextMark>() == 8);

impl TextMark {
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

/// TextMarks that are being added in the order of a text.
pub(super) struct TextMarks<'a> {
    marks: &'a mut Vec<TextMark>,
    /// The end of the last one.
    end: usize,
}

impl<'a> TextMarks<'a> {
    /// Adds marks to `marks`; gaps count from `start`.
    pub(super) const fn new(marks: &'a mut Vec<TextMark>, start: usize) -> Self {
        Self { marks, end: start }
    }

    /// `None` for a gap beyond 4 GiB or a place beyond 255 bytes.
    fn add(&mut self, start: usize, end: usize, kind: TextMarkKind) -> Option<()> {
        let gap = start.checked_sub(self.end)?.try_into().ok()?;
        self.marks.push(TextMark { gap, len: (end - start).try_into().ok()?, kind });
        self.end = end;
        Some(())
    }
}

/// TextMarks all entries of a snapshot. Returns their number; `None` for a shape that cannot be updated in place.
pub(super) fn of_text(text: &[u8], marks: &mut Vec<TextMark>) -> Option<usize> {
    let marks = &mut TextMarks::new(marks, 0);
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
fn array(cursor: &mut Cursor<'_>, marks: &mut TextMarks<'_>, entries: &mut usize) -> Option<()> {
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
fn object(cursor: &mut Cursor<'_>, marks: &mut TextMarks<'_>, entries: &mut usize) -> Option<()> {
    cursor.expect(b'{', "`{`").ok()?;
    let mut first = true;
    while cursor.more(&mut first, b'}').ok()? {
        cursor.key().ok()?;
        (cursor.next().ok()? == Next::Object).then(|| of_entry(cursor, marks))??;
        *entries += 1;
    }
    Some(())
}

/// TextMarks one entry. Returns its end. `None` for an entry in which a member is there twice, or is read in another
/// way than into a field of its own.
pub(super) fn of_entry(cursor: &mut Cursor<'_>, marks: &mut TextMarks<'_>) -> Option<usize> {
    cursor.next().ok()?;
    marks.add(cursor.pos, cursor.pos, TextMarkKind::EntryStart)?;
    cursor.expect(b'{', "`{`").ok()?;
    let (mut seen, mut first) = (SeenMembers::NONE, true);
    while cursor.more(&mut first, b'}').ok()? {
        let mut buffer = String::new();
        let target = key::find(cursor.key().ok()?.get(&mut buffer)).map(|key| KEYS[usize::from(key)].target);
        let next = cursor.next().ok()?;
        match target {
            Some(target @ (Target::Num(_) | Target::Text(_) | Target::Flag(_) | Target::Timestamp)) => {
                seen.value(cursor, target, marks)?;
            }
            Some(Target::Nested(nested)) if next == Next::Object => {
                cursor.expect(b'{', "`{`").ok()?;
                let mut first = true;
                while cursor.more(&mut first, b'}').ok()? {
                    let mut buffer = String::new();
                    match nested.field(cursor.key().ok()?.get(&mut buffer)) {
                        Some(field) => seen.value(cursor, Target::Num(field), marks)?,
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
    marks.add(cursor.pos, cursor.pos, TextMarkKind::EntryEnd)?;
    Some(cursor.pos)
}

/// Which members of an entry were there so far.
struct SeenMembers([bool; Num::COUNT + Text::COUNT + Flag::COUNT + 1]);

impl SeenMembers {
    const NONE: Self = Self([false; Num::COUNT + Text::COUNT + Flag::COUNT + 1]);

    /// TextMarks a member's value if it is simple, and skips it. `None` if the member was there before.
    fn value(&mut self, cursor: &mut Cursor<'_>, target: Target, marks: &mut TextMarks<'_>) -> Option<()> {
        if !self.is_new(target) {
            return None;
        }
        let next = cursor.next().ok()?;
        let start = cursor.pos;
        let is_simple = match (target, next) {
            (Target::Num(_) | Target::Timestamp, Next::Number) => cursor.number().is_ok(),
            (Target::Text(field), Next::Str) => !fold::has_words(field) && cursor.plain_string().is_some(),
            (Target::Flag(_), Next::True | Next::False) => cursor.plain_bool().is_some(),
            _ => false,
        };
        // Longer values are left to a scan of their entry, and so are words, which may have to be folded.
        if is_simple && cursor.pos - start <= usize::from(u8::MAX) {
            return marks.add(start, cursor.pos, TextMarkKind::Value(target));
        }
        cursor.pos = start;
        cursor.skip().ok()
    }

    fn is_new(&mut self, target: Target) -> bool {
        let place = match target {
            Target::Num(field) => field as usize,
            Target::Text(field) => Num::COUNT + field as usize,
            Target::Flag(field) => Num::COUNT + Text::COUNT + field as usize,
            _ => Num::COUNT + Text::COUNT + Flag::COUNT,
        };
        self.0.get_mut(place).is_some_and(|seen| !core::mem::replace(seen, true))
    }
}
