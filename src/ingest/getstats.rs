//! Scans getStats text into a [`Report`]: the hot path. It reads no dump format and no clock.
//!
//! Browsers write the members of an entry in the same order every time, so the scanner avoids look-ups: from the
//! entry's type and the previous member it predicts the next name, compares the whole token with the text at once, and
//! falls back to a hash look-up if the prediction is wrong. A wrong prediction costs time, never a value.
//!
//! Accepted shapes, distinguished by content: an array of entries, an object of entries by id, `[[id, entry], …]`,
//! `[{"key": id, "value": entry}, …]`, `{"result": […]}`, and any of these encoded once more as a JSON string.

pub(super) mod fill;
pub(super) mod fold;
pub(super) mod json;
pub(super) mod key;
mod rescan;
#[cfg(feature = "serde")]
mod visitor;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::id::MediaKind;
use crate::ingest::error::{ReadError, ReadErrorKind};
use crate::ingest::unread::Unread;
use crate::report::{EntryMut, Report, StatsType};
use crate::unit::StatTime;
use fold::Form;
use json::{Cursor, Next, elements};
use key::{KEYS, KEYS_AND_NONE, Key, NO_KEY, Target};

pub use rescan::Rescanner;
#[cfg(feature = "serde")]
pub use visitor::deserialize;

/// Maximum number of entries per snapshot; the scanner counts further ones without reading them. A call of fifty
/// participants has 271.
pub const MAX_ENTRIES: usize = 16_384;

/// Maximum number of unknown names of an entry that are counted.
const MAX_UNKNOWN: usize = 256;

/// Reads getStats text. A scanner learns the order of members, so reuse one per source.
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
    /// For each context and each previous key, the key that came next last time.
    successors: Vec<[Key; KEYS_AND_NONE]>,
    scratch: String,
    pub(super) unread: Unread,
    /// The names in the current entry that are not in the table: their ranges in the text. Counted at the end of the
    /// entry, when its type is known.
    unknown: Vec<(usize, usize)>,
    /// Whether an entry without a type may be a difference from an earlier one.
    pub(super) has_deltas: bool,
    /// The context in which an entry with an id was read last, by [`id_slot`]: its differences have its members.
    contexts: Vec<Option<u8>>,
    /// Whether the last container was an array.
    pub(super) is_list: bool,
    /// Data beside the entries of an object, which the delta formats need.
    pub(super) beside: Beside,
}

/// What an object of entries contains besides entries.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    /// `timestamp` or `t`.
    pub(super) timestamp: Option<StatTime>,
    /// Ids with the value null.
    pub(super) removed: Vec<String>,
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    /// Creates a scanner. Allocates some 25 KB once.
    #[must_use]
    pub fn new() -> Self {
        let orders = (StatsType::ALL.len() + 1) * 3;
        Self {
            successors: vec![[NO_KEY; KEYS_AND_NONE]; orders],
            scratch: String::new(),
            unread: Unread::default(),
            unknown: Vec::new(),
            has_deltas: false,
            contexts: Vec::new(),
            is_list: false,
            beside: Beside::default(),
        }
    }

    /// What the scanner has not read so far because it does not know the name.
    #[must_use]
    pub const fn unread(&self) -> &Unread {
        &self.unread
    }

    /// Replaces the content of `report` with the snapshot in `text`. Allocates only if the report becomes larger than
    /// ever before, for strings with escapes, and for the first occurrence of an unknown name.
    ///
    /// JSON of any other kind gives an empty report: [`Report::is_usable`] is then false.
    ///
    /// # Errors
    /// [`ReadError`] with the byte offset, if the text is not UTF-8, is not JSON, ends inside a value, or has no
    /// entries at its top level; the report is then empty. An invalid entry or member among valid ones is not an error:
    /// [`Report::skipped`] counts it.
    pub fn read(&mut self, text: &[u8], report: &mut Report) -> Result<(), ReadError> {
        self.read_with_form(text, report).map(drop)
    }

    /// Like [`Self::read`]; returns also how much the rows depend on each other.
    fn read_with_form(&mut self, text: &[u8], report: &mut Report) -> Result<Form, ReadError> {
        report.clear();
        let result = Cursor::new(text).and_then(|mut cursor| {
            self.container(&mut cursor, report)?;
            cursor.end()
        });
        match result {
            Ok(()) => Ok(fold::fold(report, &mut self.unread)),
            Err(error) => {
                report.clear();
                Err(error)
            }
        }
    }

    /// Adds the entries of the value at `cursor` to `report`, unfolded.
    pub(super) fn container(&mut self, cursor: &mut Cursor<'_>, report: &mut Report) -> Result<(), ReadError> {
        self.beside.timestamp = None;
        self.beside.removed.clear();
        self.any_container(cursor, report, 0)
    }

    /// Adds the entries of a whole text that was a string in another text.
    #[cfg(feature = "serde")]
    pub(super) fn encoded(&mut self, cursor: &mut Cursor<'_>, report: &mut Report) -> Result<(), ReadError> {
        self.any_container(cursor, report, 1)?;
        cursor.end()
    }

    /// `depth` is the number of strings around the text.
    fn any_container(&mut self, cursor: &mut Cursor<'_>, report: &mut Report, depth: u8) -> Result<(), ReadError> {
        self.is_list = false;
        match cursor.next()? {
            Next::Array => self.array(cursor, report),
            Next::Object => self.object(cursor, report),
            Next::Str if depth < 2 => {
                let mut text = String::new();
                let start = cursor.pos;
                let mut inner = Cursor::of(cursor.string("stats")?.get(&mut text));
                self.any_container(&mut inner, report, depth + 1)
                    .and_then(|()| inner.end())
                    .map_err(|error| ReadError::new(start, error.kind()))
            }
            _ => Err(ReadError::new(cursor.pos, ReadErrorKind::Expected("an array or object of stats"))),
        }
    }

    /// `[{…}, …]` or `[[id, {…}], …]`, also mixed.
    fn array(&mut self, cursor: &mut Cursor<'_>, report: &mut Report) -> Result<(), ReadError> {
        self.is_list = true;
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

    /// `[id, {…}]`; further elements are ignored.
    fn pair(&mut self, cursor: &mut Cursor<'_>, report: &mut Report) -> Result<(), ReadError> {
        let start = cursor.pos;
        cursor.expect(b'[', "`[`")?;
        let mut first = true;
        if cursor.more(&mut first, b']')? && cursor.next()? == Next::Str {
            let mut buffer = String::new();
            let id = cursor.string("an id")?.get(&mut buffer);
            if cursor.more(&mut first, b']')? && cursor.next()? == Next::Object {
                self.entry(cursor, report, id)?;
                while cursor.more(&mut first, b']')? {
                    cursor.skip()?;
                }
                return Ok(());
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
            let mut buffer = String::new();
            let id = cursor.key()?.get(&mut buffer);
            match cursor.next()? {
                Next::Object => self.entry(cursor, report, id)?,
                Next::Array if id == "result" => self.array(cursor, report)?,
                Next::Number if matches!(id, "timestamp" | "t") => {
                    self.beside.timestamp = StatTime::from_unknown(cursor.number()?);
                }
                Next::Null => {
                    cursor.word()?;
                    self.beside.removed.push(id.into());
                }
                _ => skip_entry(cursor, report)?,
            }
        }
        Ok(())
    }

    /// Reads one entry. `id` is an outer id; an `id` inside the entry takes precedence.
    pub(super) fn entry(&mut self, cursor: &mut Cursor<'_>, report: &mut Report, id: &str) -> Result<(), ReadError> {
        self.entry_of(cursor, report, StatsType::Other, id)
    }

    /// Reads one entry with an outer type and perhaps an outer id; those inside the entry take precedence.
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
        self.unknown.clear();
        let result = if self.has_deltas {
            self.delta_members(cursor, &mut entry)
        } else {
            self.members::<false>(cursor, &mut entry, false, None)
        };
        if !self.unknown.is_empty() && (self.has_deltas || entry.view().kind() != StatsType::Other) {
            self.count_unknown(cursor);
        }
        if result.is_err() {
            report.pop();
        }
        result
    }

    /// Reads the members of an entry that may be a difference.
    fn delta_members(&mut self, cursor: &mut Cursor<'_>, entry: &mut EntryMut<'_>) -> Result<(), ReadError> {
        let slot = id_slot(entry.view().id());
        let known = self.contexts.get(slot).copied().flatten();
        let result = self.members::<true>(cursor, entry, false, known.map(usize::from));
        if entry.view().kind() != StatsType::Other {
            self.contexts.resize(ID_SLOTS, None);
            if let Some(known) = self.contexts.get_mut(slot) {
                *known = u8::try_from(context(entry)).ok();
            }
        }
        result
    }

    /// Reads the members of an entry. `expected` is the [`context`] of one without a type, if it is known; names may be
    /// rtcstats codes.
    fn members<const MAY_BE_CODED: bool>(
        &mut self,
        cursor: &mut Cursor<'_>,
        entry: &mut EntryMut<'_>,
        inlined: bool,
        expected: Option<usize>,
    ) -> Result<(), ReadError> {
        // A copy stays in registers from member to member; the slow path uses the original.
        let mut here = cursor.clone();
        let (mut lead, mut previous) = (b'{', NO_KEY);
        let mut order = context_or(entry, expected);
        let mut successors = self.successors_of(order);
        loop {
            let mut key = successors[usize::from(previous)];
            let of_code = if MAY_BE_CODED { key::consume_code_after(lead, &mut here) } else { None };
            if let Some(found) = of_code {
                key = found;
            } else if !KEYS[usize::from(key)].consume_after(lead, &mut here) {
                cursor.pos = here.pos;
                let member = self.unforeseen(cursor, lead, order, previous)?;
                here.pos = cursor.pos;
                successors = self.successors_of(order);
                lead = b',';
                match member {
                    Member::Known(found) => key = found,
                    Member::Unknown => continue,
                    Member::None => return Ok(()),
                }
            }
            (lead, previous) = (b',', key);
            let target = KEYS[usize::from(key)].target;
            if !simple_value(&mut here, entry, target) {
                cursor.pos = here.pos;
                if target == Target::Inline && !inlined {
                    self.inlined::<MAY_BE_CODED>(cursor, entry, expected)?;
                } else {
                    value(cursor, entry, target, &mut self.scratch)?;
                }
                here.pos = cursor.pos;
            } else if matches!(target, Target::Num(_) | Target::Text(_)) {
                // Neither the type nor the kind: the context is unchanged.
                continue;
            }
            if target == Target::Type && entry.view().kind() == StatsType::Other {
                self.count_type(&here);
            }
            order = context_or(entry, expected);
            successors = self.successors_of(order);
        }
    }

    /// Reads members of an entry from an object in it, or from a list of objects.
    fn inlined<const MAY_BE_CODED: bool>(
        &mut self,
        cursor: &mut Cursor<'_>,
        entry: &mut EntryMut<'_>,
        expected: Option<usize>,
    ) -> Result<(), ReadError> {
        match cursor.next()? {
            Next::Object => self.members::<MAY_BE_CODED>(cursor, entry, true, expected),
            Next::Array => elements(cursor, |cursor, next| match next {
                Next::Object => self.members::<MAY_BE_CODED>(cursor, entry, true, expected),
                _ => cursor.skip(),
            }),
            _ => value(cursor, entry, Target::Inline, &mut self.scratch),
        }
    }

    /// Counts the names of the entry that are not in the table.
    #[cold]
    fn count_unknown(&mut self, cursor: &Cursor<'_>) {
        for &(start, end) in &self.unknown {
            self.unread.members.add(cursor.range(start, end));
        }
    }

    /// Counts an unknown type: the text before the cursor, if it is a string.
    #[cold]
    fn count_type(&mut self, cursor: &Cursor<'_>) {
        let name = cursor.range(0, cursor.pos).strip_suffix('"').and_then(|text| text.rsplit('"').next());
        if let Some(name) = name {
            self.unread.types.add(name);
        }
    }

    fn successors_of(&self, order: usize) -> &[Key; KEYS_AND_NONE] {
        self.successors.get(order).unwrap_or(&[NO_KEY; KEYS_AND_NONE])
    }

    /// Finds the next member's key after a wrong prediction, and updates the prediction. Consumes the name and its
    /// colon, and also the value if the name is not in the table.
    #[inline(never)]
    fn unforeseen(
        &mut self,
        cursor: &mut Cursor<'_>,
        lead: u8,
        order: usize,
        previous: Key,
    ) -> Result<Member, ReadError> {
        let mut first = lead == b'{';
        if first {
            cursor.expect(b'{', "`{`")?;
        }
        if !cursor.more(&mut first, b'}')? {
            return Ok(Member::None);
        }
        let key = if let Some(key) = in_own_slot(cursor) {
            key
        } else {
            let mut buffer = String::new();
            let name = cursor.string("a member name")?;
            let end = cursor.pos.saturating_sub(1);
            cursor.expect(b':', "`:`")?;
            let Some(key) = key::find(name.get(&mut buffer)) else {
                if !key::is_unused(name.raw()) && self.unknown.len() < MAX_UNKNOWN {
                    self.unknown.push((end.saturating_sub(name.raw().len()), end));
                }
                cursor.skip()?;
                return Ok(Member::Unknown);
            };
            key
        };
        if let Some(successors) = self.successors.get_mut(order) {
            successors[usize::from(previous)] = key;
        }
        Ok(Member::Known(key))
    }
}

/// A prediction from the name: the key in the slot of its hash. If members come in any order, comparing tokens is
/// cheaper than comparing names, whose lengths branch prediction cannot foresee.
#[inline(always)]
fn in_own_slot(cursor: &mut Cursor<'_>) -> Option<Key> {
    let key = key::in_slot_of(cursor.clone().plain_string()?);
    KEYS[usize::from(key)].consume(cursor).then_some(key)
}

/// Reads the value at `cursor` into the row if it is of the common, simple form; otherwise consumes nothing.
#[inline(always)]
fn simple_value(cursor: &mut Cursor<'_>, entry: &mut EntryMut<'_>, target: Target) -> bool {
    match target {
        Target::Num(field) => {
            let Some(value) = cursor.plain_number() else { return false };
            entry.set(field, value);
        }
        Target::Text(field) => {
            let Some(text) = cursor.plain_string() else { return false };
            entry.set_text(field, text);
        }
        Target::Flag(field) => {
            let Some(value) = cursor.plain_bool() else { return false };
            entry.set_flag(field, value);
        }
        Target::Timestamp => {
            let Some(value) = cursor.plain_number() else { return false };
            fill::number(entry, target, value);
        }
        _ => {
            let Some(text) = cursor.plain_string() else { return false };
            fill::string(entry, target, text);
        }
    }
    true
}

/// Reads the value at `cursor` into the row, according to its target.
pub(super) fn value(
    cursor: &mut Cursor<'_>,
    entry: &mut EntryMut<'_>,
    target: Target,
    scratch: &mut String,
) -> Result<(), ReadError> {
    if let Some(text) = cursor.plain_string() {
        fill::string(entry, target, text);
        return Ok(());
    }
    match (target, cursor.next()?) {
        (Target::Skip | Target::Inline, _) => cursor.skip()?,
        (Target::Nested(nested), Next::Object) => fill::nested_object(cursor, entry, nested)?,
        (_, Next::Str) => fill::string(entry, target, cursor.string("a string")?.get(scratch)),
        (_, Next::Number) => fill::number(entry, target, cursor.number()?),
        (_, next @ (Next::True | Next::False)) => {
            cursor.word()?;
            fill::boolean(entry, target, next == Next::True);
        }
        (_, Next::Null) => {
            let start = cursor.pos;
            cursor.word()?;
            fill::null(entry, target);
            // `null` means unknown in JSON; `NaN` is an invalid number.
            if cursor.since(start) != "null" {
                fill::bad(entry, target);
            }
        }
        (_, Next::Object | Next::Array) => {
            cursor.skip()?;
            fill::bad(entry, target);
        }
    }
    Ok(())
}

/// The next member of an entry.
enum Member {
    Known(Key),
    /// A name outside the table.
    Unknown,
    /// The entry's closing brace.
    None,
}

/// Index of the successors table: entries of one type and one kind of media have their members in the same order.
fn context(entry: &EntryMut<'_>) -> usize {
    let view = entry.view();
    let media = match view.media() {
        None => 0,
        Some(MediaKind::Audio) => 1,
        Some(MediaKind::Video) => 2,
    };
    view.kind() as usize * 3 + media
}

/// The context of an entry; the expected one, if there is any, while the entry has no type.
fn context_or(entry: &EntryMut<'_>, expected: Option<usize>) -> usize {
    expected.filter(|_| entry.view().kind() == StatsType::Other).unwrap_or_else(|| context(entry))
}

const ID_SLOTS: usize = 256;

/// A slot for an id. Two ids with one slot cost time, nothing else.
fn id_slot(id: &str) -> usize {
    key::hash(id.as_bytes()) % ID_SLOTS
}

/// Skips a value that is not an entry, and counts it.
pub(super) fn skip_entry(cursor: &mut Cursor<'_>, report: &mut Report) -> Result<(), ReadError> {
    report.skipped_mut().entries += 1;
    cursor.skip()
}
