//! Reads any serde format into a [`Report`], such as msgpack, CBOR or the caller's JSON library; in tests it is the
//! oracle of the scanner. It does not read dump formats.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json::Cursor;
use super::key::{self, Nested, Target};
use super::{MAX_ENTRIES, MAX_UNKNOWN, Scanner};
use super::{fill, fold};
use crate::ingest::unread::Unread;
use crate::report::{EntryMut, Report, StatsType};

/// Replaces the content of `report` with a snapshot in any self-describing format, and adds to `unread` what was not read
/// because its name is unknown. The shapes and the results are those of [`Scanner::read`].
///
/// # Errors
/// The deserializer's own errors; the report is then empty.
///
/// ```
/// use callgauge::ingest::{Unread, getstats};
/// use callgauge::report::Report;
///
/// let (mut report, mut unread) = (Report::new(), Unread::default());
/// let text = r#"{"I1": {"timestamp": 1000, "type": "inbound-rtp", "ssrc": 7, "packets": 50}}"#;
/// getstats::deserialize(&mut serde_json::Deserializer::from_str(text), &mut report, &mut unread)?;
/// assert_eq!(report.len(), 1);
/// assert_eq!(unread.members.iter().next(), Some(("packets", 1)));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
    report: &mut Report,
    unread: &mut Unread,
) -> Result<(), D::Error> {
    report.clear();
    let mut read = Read { report, unread, unknown: Unknown::default() };
    let result = Container { read: &mut read, wrapped: false }.deserialize(deserializer);
    match result {
        Ok(()) => _ = fold::fold(report, unread),
        Err(_) => report.clear(),
    }
    result
}

/// What a snapshot is read into.
struct Read<'a> {
    report: &'a mut Report,
    unread: &'a mut Unread,
    unknown: Unknown,
}

/// The names in the current entry that are not in the table. Counted at the end of the entry, when its type is known.
#[derive(Default)]
struct Unknown {
    names: String,
    ends: Vec<usize>,
}

impl Unknown {
    #[cold]
    fn add(&mut self, name: &str) {
        if !key::is_unused(name) && self.ends.len() < MAX_UNKNOWN {
            self.names.push_str(name);
            self.ends.push(self.names.len());
        }
    }

    #[cold]
    fn count(&mut self, unread: &mut Unread) {
        let mut start = 0;
        for end in self.ends.drain(..) {
            unread.members.add(self.names.get(start..end).unwrap_or(""));
            start = end;
        }
    }

    fn clear(&mut self) {
        self.names.clear();
        self.ends.clear();
    }
}

/// Implements `DeserializeSeed` for a visitor that accepts any value.
macro_rules! seed_is_visitor {
    ($name:ident, $what:literal) => {
        impl<'de> DeserializeSeed<'de> for $name<'_, '_> {
            type Value = ();
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_any(self)
            }
        }

        impl $name<'_, '_> {
            fn expecting(f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($what)
            }
        }
    };
}

/// Implements the scalar visits that a visitor treats alike.
macro_rules! scalars {
    ($self:ident, $($visit:ident: $type:ty),* => $result:expr) => {
        $(fn $visit<E: Error>($self, _: $type) -> Result<(), E> { $result })*
    };
}

/// Implements the visits of formats that distinguish an absent value from a null one.
macro_rules! none_is_unit {
    () => {
        fn visit_none<E: Error>(self) -> Result<(), E> {
            self.visit_unit()
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_any(self)
        }
    };
}

/// An array or object of entries; `wrapped` inside `result`.
struct Container<'a, 'b> {
    read: &'a mut Read<'b>,
    wrapped: bool,
}

seed_is_visitor!(Container, "an array or object of stats");

impl<'de> Visitor<'de> for Container<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(EntrySeed { read: &mut *self.read })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(id) = map.next_key::<String>()? {
            map.next_value_seed(Named { read: &mut *self.read, id: &id, wrapped: self.wrapped })?;
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        // A string here contains JSON, whatever the outer format.
        let mut scanner = Scanner::new();
        scanner.unread = core::mem::take(self.read.unread);
        let result = scanner.encoded(&mut Cursor::of(text), self.read.report);
        *self.read.unread = scanner.unread;
        result.map_err(E::custom)
    }
}

/// The value of a member of an object of entries.
struct Named<'a, 'b> {
    read: &'a mut Read<'b>,
    id: &'a str,
    wrapped: bool,
}

seed_is_visitor!(Named, "an entry");

impl<'de> Visitor<'de> for Named<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        entry(self.read, self.id, map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        if self.id == "result" && !self.wrapped {
            return Container { read: self.read, wrapped: true }.visit_seq(seq);
        }
        skip_seq(self.read.report, seq)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    scalars!(self, visit_f64: f64, visit_u64: u64, visit_i64: i64 => {
        if !matches!(self.id, "timestamp" | "t") {
            self.read.report.skipped_mut().entries += 1;
        }
        Ok(())
    });

    scalars!(self, visit_bool: bool, visit_str: &str, visit_bytes: &[u8] => {
        self.read.report.skipped_mut().entries += 1;
        Ok(())
    });

    none_is_unit!();
}

/// One element of an array: an entry, `[id, entry]`, or another value, which is counted.
struct EntrySeed<'a, 'b> {
    read: &'a mut Read<'b>,
}

seed_is_visitor!(EntrySeed, "an entry");

impl<'de> Visitor<'de> for EntrySeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        entry(self.read, "", map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut id = None;
        if seq.next_element_seed(PairId(&mut id))?.is_none() {
            self.read.report.skipped_mut().entries += 1;
            return Ok(());
        }
        let (rows, skipped) = (self.read.report.len(), self.read.report.skipped().entries);
        if let Some(id) = &id {
            seq.next_element_seed(Named { read: &mut *self.read, id, wrapped: true })?;
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        // An invalid pair counts as one entry, whatever it contains.
        if self.read.report.len() == rows {
            self.read.report.skipped_mut().entries = skipped + 1;
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.read.report.skipped_mut().entries += 1;
        Ok(())
    }

    scalars!(self, visit_f64: f64, visit_u64: u64, visit_i64: i64, visit_bool: bool => self.visit_unit());
    scalars!(self, visit_str: &str, visit_bytes: &[u8] => self.visit_unit());
    none_is_unit!();
}

/// The first element of a pair; if it is not text, the pair is invalid.
struct PairId<'a>(&'a mut Option<String>);

impl<'de> DeserializeSeed<'de> for PairId<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PairId<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id")
    }

    fn visit_str<E: Error>(self, id: &str) -> Result<(), E> {
        *self.0 = Some(id.into());
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        IgnoredAny.visit_map(map).map(drop)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        IgnoredAny.visit_seq(seq).map(drop)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    scalars!(self, visit_f64: f64, visit_u64: u64, visit_i64: i64, visit_bool: bool, visit_bytes: &[u8] => Ok(()));
    none_is_unit!();
}

fn skip_seq<'de, A: SeqAccess<'de>>(report: &mut Report, mut seq: A) -> Result<(), A::Error> {
    report.skipped_mut().entries += 1;
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Reads the members of one entry into a new row.
fn entry<'de, A: MapAccess<'de>>(read: &mut Read<'_>, id: &str, mut map: A) -> Result<(), A::Error> {
    let Read { report, unread, unknown } = read;
    if report.len() >= MAX_ENTRIES {
        report.skipped_mut().entries += 1;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        return Ok(());
    }
    let mut entry = report.begin();
    if !id.is_empty() {
        entry.set_id(id);
    }
    unknown.clear();
    let result = members(&mut entry, map, unread, unknown, Inlining::Any);
    if !unknown.ends.is_empty() && entry.view().kind() != StatsType::Other {
        unknown.count(unread);
    }
    result
}

fn members<'de, A: MapAccess<'de>>(
    entry: &mut EntryMut<'_>,
    mut map: A,
    unread: &mut Unread,
    unknown: &mut Unknown,
    inlining: Inlining,
) -> Result<(), A::Error> {
    while let Some(target) = map.next_key_seed(MemberName(unknown))? {
        map.next_value_seed(MemberSeed { entry, target, unread, unknown, inlining })?;
    }
    Ok(())
}

/// Which containers hold members of the entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inlining {
    /// Objects, and lists of objects.
    Any,
    /// Objects: the value is an element of such a list.
    Objects,
    /// None: the value is in one.
    None,
}

/// A member's name, looked up without a copy.
struct MemberName<'a>(&'a mut Unknown);

impl<'de> DeserializeSeed<'de> for MemberName<'_> {
    type Value = Target;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Target, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for MemberName<'_> {
    type Value = Target;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Target, E> {
        Ok(key::target(name).unwrap_or_else(|| {
            self.0.add(name);
            Target::Skip
        }))
    }
}

/// A member's value.
struct MemberSeed<'a, 'b> {
    entry: &'a mut EntryMut<'b>,
    target: Target,
    unread: &'a mut Unread,
    unknown: &'a mut Unknown,
    inlining: Inlining,
}

impl<'de> DeserializeSeed<'de> for MemberSeed<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.target == Target::Skip {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MemberSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member of an entry")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        fill::number(self.entry, self.target, value);
        Ok(())
    }

    // JSON numbers are f64 in every browser.
    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        fill::string(self.entry, self.target, value);
        if self.target == Target::Type && self.entry.view().kind() == StatsType::Other {
            self.unread.types.add(value);
        }
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        fill::boolean(self.entry, self.target, value);
        Ok(())
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<(), E> {
        if self.target != Target::Inline {
            fill::bad(self.entry, self.target);
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        fill::null(self.entry, self.target);
        Ok(())
    }

    none_is_unit!();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match self.target {
            Target::Inline if self.inlining != Inlining::None => {
                return members(self.entry, map, self.unread, self.unknown, Inlining::None);
            }
            Target::Nested(nested) => {
                while let Some(name) = map.next_key::<String>()? {
                    map.next_value_seed(NestedValue { entry: &mut *self.entry, nested, name: &name })?;
                }
                return Ok(());
            }
            Target::Inline => {}
            _ => fill::bad(self.entry, self.target),
        }
        IgnoredAny.visit_map(map).map(drop)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { entry, target, unread, unknown, inlining } = self;
        if target == Target::Inline && inlining == Inlining::Any {
            let inlining = Inlining::Objects;
            while let Some(()) = seq.next_element_seed(MemberSeed { entry, target, unread, unknown, inlining })? {}
            return Ok(());
        }
        if target != Target::Inline {
            fill::bad(entry, target);
        }
        IgnoredAny.visit_seq(seq).map(drop)
    }
}

/// A value inside a member that is an object of numbers; other values are ignored.
struct NestedValue<'a, 'b> {
    entry: &'a mut EntryMut<'b>,
    nested: Nested,
    name: &'a str,
}

impl<'de> DeserializeSeed<'de> for NestedValue<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NestedValue<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        fill::nested_number(self.entry, self.nested, self.name, value);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    scalars!(self, visit_bool: bool, visit_str: &str, visit_bytes: &[u8] => Ok(()));
    none_is_unit!();

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        IgnoredAny.visit_map(map).map(drop)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        IgnoredAny.visit_seq(seq).map(drop)
    }
}
