//! The hot door: getStats text into a [`Report`].
//!
//! Browsers write the members of an entry in the same order every time, so the scanner does not look names up: it
//! guesses, from the entry's type and the previous member, which name comes next, compares the whole token with the
//! text at one go, and falls back to a hash look-up when the guess is wrong. A wrong guess costs time, never a value.
//!
//! Accepted shapes, told apart by content: an array of entries, an object of entries by id, `[[id, entry], …]`,
//! `[{"key": id, "value": entry}, …]`, `{"result": […]}`, and any of these encoded once more as a JSON
//! string.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::error::{ReadError, ReadErrorKind};
use super::fill;
use super::fold;
use super::json::{Cursor, Next};
use super::key::{self, Key, NO_KEY, TARGETS, TOKENS, Target, Token};
use crate::id::MediaKind;
use crate::report::{EntryMut, Report, StatsType};
use crate::unit::StatTime;

#[cfg(feature = "serde")]
pub use super::visitor::deserialize;

/// Entries of one snapshot beyond this number are counted, not read. A call of fifty parties has 271.
pub const MAX_ENTRIES: usize = 16_384;

/// Reads getStats text. Keeps what it learned about the order of members, so reuse one per source.
///
/// ```
/// use callgauge::ingest::getstats::Scanner;
/// use callgauge::report::{Num, Report, StatsType};
///
/// let text = br#"[{"id":"I1","timestamp":1000,"type":"inbound-rtp","kind":"audio","ssrc":7,"packetsReceived":50}]"#;
/// let mut report = Report::new();
/// Scanner::new().read(text, &mut report)?;
/// let entry = report.of(StatsType::InboundRtp).next().unwrap();
/// assert_eq!(entry.get(Num::PacketsReceived), Some(50.0));
/// # Ok::<(), callgauge::ingest::ReadError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scanner {
    /// For each kind of entry and each previous key, the key that came next last time.
    successors: Vec<Key>,
    scratch: String,
    /// What stood beside the entries of an object: the delta formats need it.
    pub(super) beside: Beside,
}

/// What an object of entries holds besides entries.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    /// `timestamp` or `t`.
    pub(super) timestamp: Option<StatTime>,
    /// Ids whose value is null.
    pub(super) removed: Vec<String>,
}

/// Row length of the table of successors: every key, and "none yet" at the end.
const KEYS: usize = NO_KEY as usize + 1;

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    /// A scanner that has learned nothing yet. Allocates some 25 KB once.
    #[must_use]
    pub fn new() -> Self {
        let contexts = context(StatsType::Other, Some(MediaKind::Video)) + 1;
        Self { successors: vec![NO_KEY; contexts * KEYS], scratch: String::new(), beside: Beside::default() }
    }

    /// Replaces the content of `report` by the snapshot in `text`. Allocates only while the report is larger than it
    /// ever was, and for strings with escapes.
    ///
    /// # Errors
    /// [`ReadError`] with the byte offset, when the text is not UTF-8, is not JSON, ends inside a value, or has no
    /// entries at its top level; the report is then empty. An odd entry or member among good ones is no error: it is
    /// counted in [`Report::skipped`].
    pub fn read(&mut self, text: &[u8], report: &mut Report) -> Result<(), ReadError> {
        report.clear();
        let result = Cursor::new(text).and_then(|mut cursor| {
            self.container(&mut cursor, report)?;
            cursor.end()
        });
        match result {
            Ok(()) => fold::fold(report),
            Err(_) => report.clear(),
        }
        result
    }

    /// Adds the entries of the value at `cursor` to `report`, as they stand: nothing is folded.
    pub(super) fn container(&mut self, cursor: &mut Cursor<'_>, report: &mut Report) -> Result<(), ReadError> {
        self.beside.timestamp = None;
        self.beside.removed.clear();
        self.any_container(cursor, report, 0)
    }

    fn any_container(&mut self, cursor: &mut Cursor<'_>, report: &mut Report, depth: u8) -> Result<(), ReadError> {
        match cursor.next()? {
            Next::Array => self.array(cursor, report),
            Next::Object => self.object(cursor, report),
            Next::Str if depth < 2 => {
                let mut text = String::new();
                let start = cursor.pos;
                let inner = cursor.string("stats")?.get(&mut text);
                let mut inner = Cursor::of(inner);
                self.any_container(&mut inner, report, depth + 1)
                    .and_then(|()| inner.end())
                    .map_err(|error| ReadError::new(start, error.kind()))
            }
            _ => Err(ReadError::new(cursor.pos, ReadErrorKind::Expected("an array or object of stats"))),
        }
    }

    /// `[{…}, …]` or `[[id, {…}], …]`, also mixed.
    fn array(&mut self, cursor: &mut Cursor<'_>, report: &mut Report) -> Result<(), ReadError> {
        cursor.expect(b'[', "`[`")?;
        let mut first = true;
        while cursor.more(&mut first, b']')? {
            match cursor.next()? {
                Next::Object => self.entry(cursor, report, "")?,
                Next::Array => self.pair(cursor, report)?,
                _ => skip_entry(cursor, report)?,
            }
        }
        Ok(())
    }

    /// `[id, {…}]`.
    fn pair(&mut self, cursor: &mut Cursor<'_>, report: &mut Report) -> Result<(), ReadError> {
        let start = cursor.pos;
        cursor.expect(b'[', "`[`")?;
        if cursor.next()? == Next::Str {
            let mut buffer = String::new();
            let id = cursor.string("an id")?.get(&mut buffer);
            if cursor.eat(b',') && cursor.next()? == Next::Object {
                self.entry(cursor, report, id)?;
                return cursor.expect(b']', "`]`");
            }
        }
        cursor.pos = start;
        skip_entry(cursor, report)
    }

    /// `{id: {…}, …}`, or `{"result": […]}`.
    fn object(&mut self, cursor: &mut Cursor<'_>, report: &mut Report) -> Result<(), ReadError> {
        cursor.expect(b'{', "`{`")?;
        let mut first = true;
        while cursor.more(&mut first, b'}')? {
            let key = cursor.key()?;
            match cursor.next()? {
                Next::Object => match key.plain() {
                    Some(id) => self.entry(cursor, report, id)?,
                    None => {
                        let mut buffer = String::new();
                        self.entry(cursor, report, key.get(&mut buffer))?;
                    }
                },
                Next::Array if key.is("result") => self.array(cursor, report)?,
                Next::Number if key.is("timestamp") || key.is("t") => {
                    self.beside.timestamp = StatTime::from_unknown(cursor.number()?);
                }
                Next::Null => {
                    cursor.word()?;
                    let mut buffer = String::new();
                    self.beside.removed.push(key.get(&mut buffer).into());
                }
                _ => skip_entry(cursor, report)?,
            }
        }
        Ok(())
    }

    /// One entry. `id` is what stood outside of it; an `id` inside wins.
    pub(super) fn entry(&mut self, cursor: &mut Cursor<'_>, report: &mut Report, id: &str) -> Result<(), ReadError> {
        self.entry_of(cursor, report, StatsType::Other, id)
    }

    /// One entry whose type, and perhaps id, stood outside of it; what stands inside wins.
    pub(super) fn entry_of(
        &mut self,
        cursor: &mut Cursor<'_>,
        report: &mut Report,
        kind: StatsType,
        id: &str,
    ) -> Result<(), ReadError> {
        if report.len() >= MAX_ENTRIES {
            return skip_entry(cursor, report);
        }
        let mut entry = report.begin();
        entry.set_kind(kind);
        if !id.is_empty() {
            entry.set_id(id);
        }
        let result = self.members(cursor, &mut entry, false);
        if result.is_err() {
            report.pop();
        }
        result
    }

    fn members(&mut self, cursor: &mut Cursor<'_>, entry: &mut EntryMut<'_>, inlined: bool) -> Result<(), ReadError> {
        cursor.expect(b'{', "`{`")?;
        let mut first = true;
        let mut previous = NO_KEY;
        while cursor.more(&mut first, b'}')? {
            let view = entry.view();
            let successor = context(view.kind(), view.media()) * KEYS + usize::from(previous);
            let Some(key) = self.member_key(cursor, successor)? else {
                cursor.skip()?;
                continue;
            };
            previous = key;
            let target = TARGETS[usize::from(key)];
            if target == Target::Inline && !inlined && cursor.next()? == Next::Object {
                self.members(cursor, entry, true)?;
            } else {
                value(cursor, entry, target, &mut self.scratch)?;
            }
        }
        Ok(())
    }

    /// The next member's key, its name and colon consumed; `None` for a name that is not in the table.
    #[inline]
    fn member_key(&mut self, cursor: &mut Cursor<'_>, successor: usize) -> Result<Option<Key>, ReadError> {
        cursor.peek();
        let guess = self.successors[successor];
        if let (Some(token), Some(text)) = (
            TOKENS.get(usize::from(guess)),
            cursor.bytes().get(cursor.pos..).and_then(|rest| rest.first_chunk::<{ Token::BYTES }>()),
        ) && token.begins(text)
        {
            cursor.pos += usize::from(token.len);
            return Ok(Some(guess));
        }
        let name = cursor.key()?;
        let found = name.plain().and_then(key::find);
        if let Some(key) = found {
            self.successors[successor] = key;
        }
        Ok(found)
    }
}

/// The value at `cursor` into the row, as its target says.
#[inline]
pub(super) fn value(
    cursor: &mut Cursor<'_>,
    entry: &mut EntryMut<'_>,
    target: Target,
    scratch: &mut String,
) -> Result<(), ReadError> {
    match (target, cursor.next()?) {
        (Target::Skip | Target::Inline, _) => cursor.skip()?,
        (Target::Text(_) | Target::Id, Next::Number) => {
            let start = cursor.pos;
            cursor.number()?;
            fill::string(entry, target, cursor.since(start));
        }
        (_, Next::Number) => fill::number(entry, target, cursor.number()?),
        (Target::Nested(nested), Next::Str) => {
            let text = cursor.string("a string")?;
            fill::nested_text(entry, nested, text.get(scratch));
        }
        (_, Next::Str) => {
            let text = cursor.string("a string")?;
            match text.plain() {
                Some(text) => fill::string(entry, target, text),
                None => fill::string(entry, target, text.get(scratch)),
            }
        }
        (Target::Nested(nested), Next::Object) => fill::nested_object(cursor, entry, nested)?,
        (_, next @ (Next::True | Next::False)) => {
            cursor.word()?;
            fill::boolean(entry, target, next == Next::True);
        }
        (_, Next::Null) => {
            let start = cursor.pos;
            cursor.word()?;
            fill::null(entry, target);
            // `null` is how JSON says unknown; `NaN` is a number that is none.
            if cursor.since(start) != "null" {
                entry.count_bad_field();
            }
        }
        (_, Next::Object | Next::Array) => {
            cursor.skip()?;
            entry.count_bad_field();
        }
    }
    Ok(())
}

/// Entries of one type, and of one kind of media, have their members in the same order.
const fn context(kind: StatsType, media: Option<MediaKind>) -> usize {
    let media = match media {
        None => 0,
        Some(MediaKind::Audio) => 1,
        Some(MediaKind::Video) => 2,
    };
    kind as usize * 3 + media
}

/// Steps over something that is no entry, and counts it.
pub(super) fn skip_entry(cursor: &mut Cursor<'_>, report: &mut Report) -> Result<(), ReadError> {
    report.skipped_mut().entries += 1;
    cursor.skip()
}
