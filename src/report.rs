//! One snapshot of `getStats()`, as flat rows. It parses no text and computes no metrics.
//!
//! A [`Report`] is a reusable buffer. Every reader fills the same kind of row, whatever the format; every member reads
//! as an `Option`, because every member may be absent. Values have fixed positions under a presence mask, so clearing a
//! report touches no value, and filling a warmed-up one allocates nothing.
//!
//! ```
//! use callgauge::report::{Num, Report, StatsType};
//! use callgauge::unit::StatTime;
//!
//! let mut report = Report::new();
//! let mut row = report.push(StatsType::InboundRtp, "IT01A4711");
//! row.set_timestamp(StatTime::from_millis(1_000.0));
//! row.set(Num::Ssrc, 4711.0);
//! row.set(Num::PacketsReceived, 50.0);
//!
//! let entry = report.of(StatsType::InboundRtp).next().unwrap();
//! assert_eq!(entry.get(Num::PacketsReceived), Some(50.0));
//! assert_eq!(entry.get(Num::PacketsLost), None); // not reported, so unknown
//! ```

mod by_id;
mod field;
mod fields;
mod filler;
mod growth;
mod row_id;
mod time_map;

pub(crate) use by_id::ById;
pub use field::{Flag, Num, Rule, StatsType, Text};
pub(crate) use fields::Fields;
pub(crate) use row_id::RowId;
pub(crate) use time_map::{TimeMap, scaled};

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use crate::id::{MediaKind, Ssrc};
use crate::unit::StatTime;

/// One snapshot: its rows, and counts of what the reader omitted.
///
/// Two reports are equal if their rows are equal: same types, ids, times and members in the same order. The counts of
/// omitted entries do not matter.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Rows beyond `len` are retained for reuse.
    rows: Vec<Row>,
    len: usize,
    text: String,
    skipped: Skipped,
    /// The rows of the type that was last sorted by id.
    sorted: ById,
}

/// Counts of what a reader found in a snapshot and could not use. None of it is an error: the rest of the snapshot is
/// valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Skipped {
    /// Entries that are not objects, have no usable `type` or no known member, or exceed the limit on entries.
    pub entries: u64,
    /// Known members whose value has the wrong type or is impossible under the member's [`Rule`].
    pub bad_fields: u64,
    /// Differences (rtcstats, jitsi) that a reader did not apply, because so few bytes would have restored too many
    /// entries. Their values are missing until they change again.
    pub differences: u64,
    /// The numeric members among the known members above, one bit each.
    #[cfg_attr(feature = "serde", serde(skip))]
    bad_numbers: u128,
    /// The others of which the name is known: a bit for each flag, then `kind` and `timestamp`.
    #[cfg_attr(feature = "serde", serde(skip))]
    bad_others: u32,
    #[cfg_attr(feature = "serde", serde(skip))]
    without_type: u64,
    #[cfg_attr(feature = "serde", serde(skip))]
    without_member: u64,
}

impl Skipped {
    /// The numeric members that had an impossible value, in the order of the table.
    pub fn bad_numbers(&self) -> impl Iterator<Item = Num> + use<> {
        let bad = self.bad_numbers;
        Num::ALL.iter().copied().filter(move |&field| bad >> field as u8 & 1 == 1)
    }

    /// The names of the members that had an impossible value: numbers, booleans, `kind` and `timestamp`.
    pub fn bad_members(&self) -> impl Iterator<Item = &'static str> + use<> {
        let others = self.bad_others;
        let flags = Flag::ALL.iter().map(|flag| flag.name());
        let others = flags
            .chain(["kind", "timestamp"])
            .enumerate()
            .filter(move |&(bit, _)| others >> bit & 1 == 1)
            .map(|(_, name)| name);
        self.bad_numbers().map(Num::name).chain(others)
    }

    /// Adds another count to this one.
    pub const fn add(&mut self, other: Self) {
        self.entries += other.entries;
        self.bad_fields += other.bad_fields;
        self.differences += other.differences;
        self.bad_numbers |= other.bad_numbers;
        self.bad_others |= other.bad_others;
        self.without_type += other.without_type;
        self.without_member += other.without_member;
    }

    /// The number of skipped entries that are objects without a known type.
    #[must_use]
    pub const fn without_type(&self) -> u64 {
        self.without_type
    }

    /// The number of skipped entries that have a known type, and no known member besides.
    #[must_use]
    pub const fn without_member(&self) -> u64 {
        self.without_member
    }

    /// Counts an entry that says nothing.
    pub(crate) const fn count_entry(&mut self, kind: StatsType) {
        self.entries += 1;
        match kind {
            StatsType::Other => self.without_type += 1,
            _ => self.without_member += 1,
        }
    }
}

/// A member with an impossible value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BadMember {
    Num(Num),
    Flag(Flag),
    Kind,
    Timestamp,
    /// A member without a bit of its own.
    Other,
}

const _: () = assert!(Flag::COUNT + 2 <= u32::BITS as usize);

/// A range of the report's text.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    len: u32,
}

/// One entry's members in fixed positions, each with a presence bit.
#[derive(Clone, Debug)]
struct Row {
    kind: StatsType,
    media: Option<MediaKind>,
    timestamp: Option<StatTime>,
    id: Span,
    nums: Fields,
    /// Members that were reported with an invalid value, so that an older row must not replace it.
    refused: Fields,
    texts: u64,
    flags: u16,
    flag_values: u16,
    num: [f64; Num::COUNT],
    text: [Span; Text::COUNT],
}

impl Row {
    const EMPTY: Self = Self {
        kind: StatsType::Other,
        media: None,
        timestamp: None,
        id: Span { start: 0, len: 0 },
        nums: Fields::NONE,
        refused: Fields::NONE,
        texts: 0,
        flags: 0,
        flag_values: 0,
        num: [0.0; Num::COUNT],
        text: [Span { start: 0, len: 0 }; Text::COUNT],
    };

    fn clear(&mut self) {
        self.kind = StatsType::Other;
        self.media = None;
        self.timestamp = None;
        self.id = Span::default();
        self.nums = Fields::NONE;
        self.refused = Fields::NONE;
        self.texts = 0;
        self.flags = 0;
    }

    /// Copies the values that this row lacks from another one, except texts and the id.
    fn fill_from(&mut self, source: &Self) {
        if self.kind == StatsType::Other {
            self.kind = source.kind;
        }
        self.media = self.media.or(source.media);
        self.timestamp = self.timestamp.or(source.timestamp);
        let missing = source.nums.without(self.nums).without(self.refused);
        self.nums = self.nums.or(missing);
        for field in missing.iter() {
            self.num[field as usize] = source.num[field as usize];
        }
        self.refused = self.refused.or(source.refused);
        let missing = source.flags & !self.flags;
        self.flags |= missing;
        self.flag_values = self.flag_values & !missing | source.flag_values & missing;
    }

    /// Replaces the values that another row has, except texts, the id and the time.
    fn overlay(&mut self, newer: &Self) {
        if newer.kind != StatsType::Other {
            self.kind = newer.kind;
        }
        self.media = newer.media.or(self.media);
        self.nums = self.nums.without(newer.refused).or(newer.nums);
        for field in newer.nums.iter() {
            self.num[field as usize] = newer.num[field as usize];
        }
        self.refused = self.refused.or(newer.refused);
        self.flags |= newer.flags;
        self.flag_values = self.flag_values & !newer.flags | newer.flag_values & newer.flags;
    }
}

const _: () = assert!(Num::COUNT <= 128 && Text::COUNT <= 64 && Flag::COUNT <= 16);

impl Report {
    /// Creates an empty report.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rows: Vec::new(),
            len: 0,
            text: String::new(),
            skipped: Skipped {
                entries: 0,
                bad_fields: 0,
                differences: 0,
                bad_numbers: 0,
                bad_others: 0,
                without_type: 0,
                without_member: 0,
            },
            sorted: ById::new(),
        }
    }

    /// Removes all rows and retains the memory.
    pub fn clear(&mut self) {
        self.len = 0;
        self.text.clear();
        self.skipped = Skipped::default();
    }

    /// The number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the reader omitted from this snapshot.
    #[must_use]
    pub const fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// Whether a row has a type that the engine uses. A report without one is no snapshot of a connection: it may be of
    /// another format, empty, or hold only certificates.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.used().iter().any(|row| row.kind.is_used())
    }

    /// The rows, in the order of the report.
    #[must_use]
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> + Clone {
        self.used().iter().map(|row| Entry::new(row, &self.text))
    }

    /// The rows of one type, in the order of the report.
    pub fn of(&self, kind: StatsType) -> impl Iterator<Item = Entry<'_>> + Clone {
        self.entries().filter(move |entry| entry.kind() == kind)
    }

    /// The row with this id. Cost: linear in rows.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<Entry<'_>> {
        self.entries().find(|entry| entry.id() == id)
    }

    /// The row at a position in the order of the report.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Entry<'_>> {
        self.used().get(index).map(|row| Entry::new(row, &self.text))
    }

    /// The latest time stamp of any row; `None` if no row has one.
    #[must_use]
    pub fn latest(&self) -> Option<StatTime> {
        self.entries().filter_map(|entry| entry.timestamp()).max()
    }

    /// Shifts the time stamp of every row by `ms`, so that reports of several clocks can be read on one. Times outside
    /// the range of [`StatTime`] become unknown. Times that are ordinary members, such as `remoteTimestamp`, remain as
    /// reported, because not all of them are on the reporter's clock.
    ///
    /// Cost: linear in rows.
    ///
    /// ```
    /// use callgauge::report::{Report, StatsType};
    /// use callgauge::unit::StatTime;
    ///
    /// let mut report = Report::new();
    /// report.push(StatsType::InboundRtp, "I").set_timestamp(StatTime::from_millis(8_300.0));
    /// report.shift_clock(-7_300.0);
    /// assert_eq!(report.latest(), StatTime::from_millis(1_000.0));
    /// ```
    pub fn shift_clock(&mut self, ms: f64) {
        self.map_clock(|at_ms| at_ms + ms);
    }

    /// Replaces the time stamp of every row, ms. Times outside the range of [`StatTime`] become unknown.
    pub(crate) fn map_clock(&mut self, in_ms: impl Fn(f64) -> f64) {
        for row in self.rows.iter_mut().take(self.len) {
            row.timestamp = row.timestamp.and_then(|at| StatTime::from_millis(in_ms(at.as_millis())));
        }
    }

    /// Sets the time stamp of every row.
    pub(crate) fn set_timestamps(&mut self, at: StatTime) {
        for row in self.rows.iter_mut().take(self.len) {
            row.timestamp = Some(at);
        }
    }

    /// Adds a row, for callers that have numbers and not text. Allocates only if the report becomes larger than ever
    /// before.
    ///
    /// A row of a stream needs [`EntryMut::set_timestamp`]: without a time nothing can be derived from it. The engine
    /// counts such rows in [`ClockSummary::untimed`](crate::summary::ClockSummary::untimed).
    pub fn push(&mut self, kind: StatsType, id: &str) -> EntryMut<'_> {
        let mut entry = self.begin();
        entry.set_kind(kind);
        entry.set_id(id);
        entry
    }

    /// Adds an empty row, for readers that find its type later.
    pub(crate) fn begin(&mut self) -> EntryMut<'_> {
        if self.len == self.rows.len() {
            self.rows.push(Row::EMPTY);
        }
        self.len += 1;
        let row = &mut self.rows[self.len - 1];
        row.clear();
        EntryMut { row, text: &mut self.text, skipped: &mut self.skipped }
    }

    /// A copy without the memory retained for reuse.
    pub(crate) fn compact_copy(&self) -> Self {
        Self {
            rows: self.used().to_vec(),
            len: self.len,
            text: self.text.clone(),
            skipped: self.skipped,
            sorted: ById::new(),
        }
    }

    /// Removes the last row.
    pub(crate) fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
    }

    /// Copies a row of another report to the end of this one.
    pub(crate) fn push_copy(&mut self, source: Entry<'_>) -> EntryMut<'_> {
        let mut entry = self.push(source.kind(), source.id());
        entry.fill_from(source);
        entry
    }

    /// Drops the rows for which `keep` is false, and preserves the order of the others.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(Entry<'_>) -> bool) {
        let mut retained = 0;
        for index in 0..self.len {
            let keep = self.get(index).is_some_and(&mut keep);
            if keep {
                if retained != index {
                    self.rows.swap(retained, index);
                }
                retained += 1;
            }
        }
        self.len = retained;
    }

    /// The report's memory in bytes, including rows retained for reuse.
    pub(crate) const fn footprint(&self) -> usize {
        self.rows.len() * size_of::<Row>() + self.text.capacity()
    }

    /// The length of the texts of all rows, bytes.
    pub(crate) const fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Sorts the rows of one type by id, for [`Self::sorted_row`].
    pub(crate) fn sort_by_id(&mut self, kind: StatsType) {
        let mut sorted = core::mem::take(&mut self.sorted);
        sorted.forget();
        sorted.make(self, |entry| entry.kind() == kind);
        self.sorted = sorted;
    }

    /// Copies every member that a row lacks from another row.
    pub(crate) fn fill_row(&mut self, row: RowId, source: RowId) {
        let rows = self.rows.get_mut(..self.len).unwrap_or(&mut []);
        if let Ok([row, source]) = rows.get_disjoint_mut([row.index(), source.index()]) {
            row.fill_from(source);
            // The texts of both rows are in the same buffer.
            let missing = source.texts & !row.texts;
            row.texts |= missing;
            for field in 0..Text::COUNT {
                if missing >> field & 1 == 1 {
                    row.text[field] = source.text[field];
                }
            }
        }
    }

    pub(crate) const fn skipped_mut(&mut self) -> &mut Skipped {
        &mut self.skipped
    }

    fn used(&self) -> &[Row] {
        self.rows.get(..self.len).unwrap_or(&[])
    }
}

impl PartialEq for Report {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.entries().zip(other.entries()).all(|(a, b)| a == b)
    }
}

/// One row of a report.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    row: &'a Row,
    text: &'a str,
    clock: &'a TimeMap,
    /// Members that read as not reported.
    hidden: Fields,
}

impl<'a> Entry<'a> {
    const fn new(row: &'a Row, text: &'a str) -> Self {
        Self { row, text, clock: &TimeMap::IDENTITY, hidden: Fields::NONE }
    }

    /// The row with its time on another clock.
    pub(crate) const fn on(self, clock: &'a TimeMap) -> Self {
        Self { clock, ..self }
    }

    /// The same row without its fillers, the zeros and empty texts of stacks that write every member of a structure:
    /// [`Entry::get`] returns `None` for them. The rule stands in `report/filler.rs`.
    #[must_use]
    pub fn without_fillers(self) -> Self {
        Self { hidden: filler::fillers(Self { hidden: Fields::NONE, ..self }), ..self }
    }

    /// The `type`.
    #[must_use]
    pub const fn kind(&self) -> StatsType {
        self.row.kind
    }

    /// The `id`, opaque; empty if none was reported.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.slice(self.row.id)
    }

    /// The `kind` of media (or `mediaType` if only that is given).
    #[must_use]
    pub const fn media(&self) -> Option<MediaKind> {
        self.row.media
    }

    /// When the browser sampled these values, on its clock.
    #[must_use]
    pub fn timestamp(&self) -> Option<StatTime> {
        self.clock.apply(self.row.timestamp?)
    }

    /// The same as the report has it.
    pub(crate) const fn reported_time(&self) -> Option<StatTime> {
        self.row.timestamp
    }

    /// The SSRC of an RTP entry.
    #[must_use]
    // The rule of `ssrc` accepts u32 only.
    pub fn ssrc(&self) -> Option<Ssrc> {
        self.get(Num::Ssrc).map(|ssrc| Ssrc::new(ssrc as u32))
    }

    /// A numeric member, in the spec's unit. `None` if it was not reported or is impossible under its [`Rule`].
    #[must_use]
    #[inline]
    pub fn get(&self, field: Num) -> Option<f64> {
        self.row.nums.without(self.hidden).has(field).then(|| self.row.num[field as usize])
    }

    /// A text member. `None` if it was not reported, or is empty.
    #[must_use]
    pub fn text(&self, field: Text) -> Option<&'a str> {
        let is_reported = self.row.texts >> field as u8 & 1 == 1;
        is_reported.then(|| self.slice(self.row.text[field as usize])).filter(|text| !text.is_empty())
    }

    /// A boolean member. `None` if it was not reported.
    #[must_use]
    pub const fn flag(&self, field: Flag) -> Option<bool> {
        if self.row.flags >> field as u8 & 1 == 1 { Some(self.row.flag_values >> field as u8 & 1 == 1) } else { None }
    }

    /// The numeric members present, in the order of the table.
    pub fn numbers(&self) -> impl Iterator<Item = (Num, f64)> + use<'a> {
        let row = self.row;
        row.nums.iter().filter_map(|field| Some((field, *row.num.get(field as usize)?)))
    }

    /// The text members present, in the order of the table.
    pub fn texts(&self) -> impl Iterator<Item = (Text, &'a str)> + use<'a> {
        let entry = *self;
        Text::ALL.iter().filter_map(move |&field| Some((field, entry.text(field)?)))
    }

    /// The values of the numeric members by their index in the table. Those of absent members are meaningless.
    pub(crate) const fn values(&self) -> &'a [f64; Num::COUNT] {
        &self.row.num
    }

    /// Whether any member besides the id, the type and the time was reported, be it with an invalid value.
    pub(crate) const fn has_members(&self) -> bool {
        let Row { nums, refused, texts, flags, media, .. } = self.row;
        !nums.is_empty() || !refused.is_empty() || *texts != 0 || *flags != 0 || media.is_some()
    }

    /// The set of numeric members present, fillers included.
    pub(crate) const fn presence(&self) -> Fields {
        self.row.nums
    }

    /// The members that read as not reported.
    pub(crate) const fn hidden(&self) -> Fields {
        self.hidden
    }

    fn slice(&self, span: Span) -> &'a str {
        let start = span.start as usize;
        self.text.get(start..start + span.len as usize).unwrap_or("")
    }
}

impl PartialEq for Entry<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.kind() == other.kind()
            && self.id() == other.id()
            && self.media() == other.media()
            && self.timestamp() == other.timestamp()
            && self.row.nums == other.row.nums
            && self.row.flags == other.row.flags
            && self.numbers().eq(other.numbers())
            && self.texts().eq(other.texts())
            && Flag::ALL.iter().all(|&flag| self.flag(flag) == other.flag(flag))
    }
}

impl core::fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut map = f.debug_map();
        map.entry(&"type", &self.kind()).entry(&"id", &self.id());
        map.entry(&"kind", &self.media()).entry(&"timestamp", &self.timestamp().map(StatTime::as_millis));
        map.entries(self.numbers().map(|(field, value)| (field.name(), value)));
        map.entries(self.texts().map(|(field, value)| (field.name(), value)));
        map.entries(Flag::ALL.iter().filter_map(|&flag| Some((flag.name(), self.flag(flag)?))));
        map.finish()
    }
}

/// A row to fill. Values that the member's [`Rule`] does not accept are counted and omitted.
#[derive(Debug)]
pub struct EntryMut<'a> {
    row: &'a mut Row,
    text: &'a mut String,
    skipped: &'a mut Skipped,
}

impl EntryMut<'_> {
    /// Sets a numeric member, in the spec's unit. A negative zero becomes zero.
    #[inline]
    pub fn set(&mut self, field: Num, value: f64) -> &mut Self {
        if field.admits(value) {
            self.row.num[field as usize] = value + 0.0;
            self.row.nums.insert(field);
        } else {
            self.count_bad_field(BadMember::Num(field));
            self.refuse(field);
        }
        self
    }

    /// Sets a text member.
    #[inline]
    pub fn set_text(&mut self, field: Text, value: &str) -> &mut Self {
        if let Some(span) = self.store(value) {
            self.row.text[field as usize] = span;
            self.row.texts |= 1 << field as u8;
        }
        self
    }

    /// Sets a text member to a printed number.
    pub(crate) fn set_text_of(&mut self, field: Text, value: f64) {
        if let Some(span) = self.store_number(value) {
            self.row.text[field as usize] = span;
            self.row.texts |= 1 << field as u8;
        }
    }

    /// Sets the `id` to a printed number.
    pub(crate) fn set_id_of(&mut self, value: f64) {
        if let Some(span) = self.store_number(value) {
            self.row.id = span;
        }
    }

    /// Sets a boolean member.
    #[inline]
    pub fn set_flag(&mut self, field: Flag, value: bool) -> &mut Self {
        self.row.flags |= 1 << field as u8;
        self.row.flag_values = self.row.flag_values & !(1 << field as u8) | u16::from(value) << field as u8;
        self
    }

    /// Sets the `type`.
    pub fn set_kind(&mut self, kind: StatsType) -> &mut Self {
        self.row.kind = kind;
        self
    }

    /// Sets the `id`.
    #[inline]
    pub fn set_id(&mut self, id: &str) -> &mut Self {
        if let Some(span) = self.store(id) {
            self.row.id = span;
        }
        self
    }

    /// Sets the `kind` of media.
    pub fn set_media(&mut self, media: MediaKind) -> &mut Self {
        self.row.media = Some(media);
        self
    }

    /// Sets the time stamp; `None` leaves it unknown.
    pub fn set_timestamp(&mut self, timestamp: Option<StatTime>) -> &mut Self {
        self.row.timestamp = timestamp;
        self
    }

    /// Marks a numeric member as reported without a value: [`Self::fill_from`] then leaves it unknown.
    #[cold]
    pub(crate) fn refuse(&mut self, field: Num) {
        self.row.refused = self.row.refused.with(field);
    }

    /// Copies every member that this row lacks from `source`, whose report may be another one.
    pub(crate) fn fill_from(&mut self, source: Entry<'_>) {
        self.row.fill_from(source.row);
        for &field in Text::ALL {
            if self.row.texts >> field as u8 & 1 == 0
                && let Some(text) = source.text(field)
            {
                self.set_text(field, text);
            }
        }
    }

    /// Replaces every member that `newer`, whose report may be another one, has; members that it
    /// [refused](Self::refuse) become unknown. The id and the time stay.
    pub(crate) fn overlay(&mut self, newer: Entry<'_>) {
        self.row.overlay(newer.row);
        if newer.row.texts == 0 {
            return;
        }
        for (field, text) in newer.texts() {
            if self.view().text(field) != Some(text) {
                self.set_text(field, text);
            }
        }
    }

    /// Removes all members.
    pub(crate) fn clear(&mut self) {
        self.row.clear();
    }

    /// The row as filled so far.
    pub(crate) fn view(&self) -> Entry<'_> {
        Entry::new(self.row, self.text)
    }

    /// Removes a numeric member.
    pub(crate) fn unset(&mut self, field: Num) {
        self.row.nums = self.row.nums.without(Fields::NONE.with(field));
    }

    /// Removes a text member.
    pub(crate) fn unset_text(&mut self, field: Text) {
        self.row.texts &= !(1 << field as u8);
    }

    /// Removes a boolean member.
    pub(crate) fn unset_flag(&mut self, field: Flag) {
        self.row.flags &= !(1 << field as u8);
    }

    /// Counts a member with an unreadable value.
    #[cold]
    pub(crate) const fn count_bad_field(&mut self, member: BadMember) {
        self.skipped.bad_fields += 1;
        match member {
            BadMember::Num(field) => self.skipped.bad_numbers |= 1 << field as u8,
            BadMember::Flag(field) => self.skipped.bad_others |= 1 << field as u8,
            BadMember::Kind => self.skipped.bad_others |= 1 << Flag::COUNT,
            BadMember::Timestamp => self.skipped.bad_others |= 2 << Flag::COUNT,
            BadMember::Other => {}
        }
    }

    fn store(&mut self, value: &str) -> Option<Span> {
        let start = self.text.len();
        self.text.push_str(value);
        self.stored(start)
    }

    fn store_number(&mut self, value: f64) -> Option<Span> {
        let start = self.text.len();
        write!(self.text, "{value}").ok()?;
        self.stored(start)
    }

    /// The text from `start` on; `None` beyond 4 GiB.
    fn stored(&self, start: usize) -> Option<Span> {
        Some(Span { start: u32::try_from(start).ok()?, len: u32::try_from(self.text.len() - start).ok()? })
    }
}
