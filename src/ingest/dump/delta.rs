//! Restores whole reports from delta-compressed ones. It does not parse text.
//!
//! Three families of formats send deltas, with different rules for what is missing:
//!
//! | | rtcstats v3 | jitsi | rtcstats v1 and v2 |
//! |---|---|---|---|
//! | a missing member | is unchanged | is unchanged | is unchanged |
//! | a missing entry | is unchanged | is gone | is unchanged |
//! | a null entry | is gone | | |
//! | an entry without a time | has the report's time | has its previous time | has its previous time |
//! | an entry with time 0 | | has the report's time | has the report's time |
//!
//! Sources: `compression.js` of github.com/rtcstats/rtcstats, `getstats-deltacompression.js` of
//! github.com/fippo/rtcstats-server, and the dumps of github.com/jitsi/rtcstats-server, which also show the exceptions:
//! clients that use Chromium's callback API omit entries that remain, whatever their header declares. The meaning of a
//! missing entry therefore depends on the entries: if one has a type of the callback API, or returns without its type,
//! absence means nothing.
//!
//! In none of these formats can an entry lose a member; old members keep their values.
//!
//! In v3 a time is missing because it equals the report's or because it is unchanged, and the two cases look the same.
//! Entries of the remote endpoint (`remote-inbound-rtp`, `remote-outbound-rtp`) have the arrival time of an RTCP
//! report, never the report's time, so theirs is unchanged. All others have the report's time.
//!
//! A delta restores every entry of its base, however short it is. [`ROWS_PER_BYTE`] bounds that work: a delta beyond the
//! budget is not applied, and counted.
//!
//! **In place.** Nearly all deltas change members of entries that exist. Such a delta is written into the rows of its
//! base, and the base itself is the whole report, provided that the base needs no [folding](fold) but that of single
//! rows: members of W3C types, with their kind of media. Every other delta rebuilds the rows.

use core::hash::BuildHasher;

use alloc::string::String;
use alloc::vec::Vec;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::ingest::getstats::fold::{self, Form, Has};
use crate::ingest::getstats::{Beside, MAX_ENTRIES};
use crate::ingest::unread::Unread;
use crate::report::{Entry, Flag, Report, RowId, StatsType};
use crate::unit::StatTime;

/// Maximum number of connections in memory; beyond it the least recently used one is dropped.
const MAX_CONNECTIONS: usize = 256;

/// Maximum bytes of all connections together; beyond it the same happens. A call of fifty participants needs half a
/// megabyte.
const MAX_BYTES: usize = 64 << 20;

/// How much text changed members may add to a base, bytes: rebuilding the rows drops what no row uses.
const SPARE_TEXT: usize = 16_384;

/// Maximum number of removed entries stored per connection, in case they return without their type.
const MAX_GONE: usize = 1_024;

/// Entries that deltas may restore without text of their own, per byte read. Deltas of real calls restore 0.02 at most;
/// an idle connection of thirty entries, of which only the report's time changes, restores one.
const ROWS_PER_BYTE: u64 = 1;

/// The budget before the first byte, entries: an hour of an idle connection of fifty entries.
const FIRST_ROWS: u64 = 1 << 16;

/// Maximum budget, entries: an input that was large for hours must not pay for minutes of work later.
const MAX_ROWS: u64 = 1 << 22;

/// The compression rules of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// rtcstats v3, and whole reports in the same container.
    Rtcstats,
    /// Clients of jitsi.
    Jitsi,
    /// rtcstats v1 and v2.
    Legacy,
}

/// The latest reports of all connections.
#[derive(Debug, Default)]
pub(super) struct Bases {
    bases: Vec<Base>,
    hasher: DefaultHashBuilder,
    /// Counts reports, to find the least recently used connection.
    clock: u64,
    spare: Spare,
    budget: Budget,
}

/// How many entries deltas may still restore without text of their own.
#[derive(Clone, Copy, Debug)]
struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Self(FIRST_ROWS)
    }
}

impl Budget {
    fn add_bytes(&mut self, bytes: usize) {
        self.0 = (bytes as u64).saturating_mul(ROWS_PER_BYTE).saturating_add(self.0).min(MAX_ROWS);
    }

    /// Spends rows. Returns whether there were enough; otherwise nothing is spent.
    fn spend(&mut self, rows: usize) -> bool {
        let left = self.0.checked_sub(rows as u64);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// The latest report of one connection.
#[derive(Debug, Default)]
struct Base {
    fabric: String,
    /// In the order of first appearance.
    rows: Report,
    /// Whether `rows` are the whole report, folded row by row. Otherwise they are as they were sent, unfolded.
    is_whole_report: bool,
    /// The length of the text of `rows` when they were built, bytes.
    built_text: usize,
    /// For every row, whether the entry is gone.
    gone: Vec<bool>,
    /// The row in `rows` by id.
    places: HashTable<RowId>,
    /// Whether missing entries remain, whatever the dialect.
    retains: bool,
    used: u64,
}

/// Buffers reused for every report.
#[derive(Debug, Default)]
struct Spare {
    rows: Report,
    gone: Vec<bool>,
    touched: Vec<Touched>,
    /// New entries in the delta.
    fresh: Vec<RowId>,
    /// The whole report of a base that is not one itself.
    whole: Report,
}

/// What a delta changes about a known row.
#[derive(Clone, Copy, Debug)]
enum Touched {
    Not,
    /// Changed by this entry of the delta.
    By(RowId),
    Removed,
}

impl Bases {
    /// Accounts for the bytes of a record.
    pub(super) fn add_bytes(&mut self, bytes: usize) {
        self.budget.add_bytes(bytes);
    }

    /// Applies a delta, unfolded, with the data beside its entries, and returns the whole report, folded. Its count of
    /// skipped entries covers the delta and the folding. `None` if the budget did not suffice; nothing changes then.
    pub(super) fn apply(
        &mut self,
        fabric: &str,
        difference: &Report,
        beside: &Beside,
        dialect: Dialect,
        unread: &mut Unread,
    ) -> Option<&mut Report> {
        self.stay_bounded();
        self.clock += 1;
        let known = self.bases.iter().position(|base| base.fabric == fabric);
        let base = match known {
            Some(known) => &mut self.bases[known],
            None => self.bases.push_mut(Base { fabric: fabric.into(), ..Base::default() }),
        };
        base.used = self.clock;
        if is_whole(difference, beside) {
            base.clear();
        }
        if !self.budget.spend(base.rows.len().saturating_sub(difference.len())) {
            return None;
        }
        let delta = ReportDelta { entries: difference, beside, dialect };
        let twice = base.look_up(delta, &mut self.spare, &self.hasher);
        let is_patched = twice == 0 && base.patch(delta, &self.spare.touched);
        if !is_patched {
            base.rebuild(delta, twice, &mut self.spare, &self.hasher, unread);
        }
        Some(if base.is_whole_report { &mut base.rows } else { &mut self.spare.whole })
    }

    /// Drops the state of a connection, because a new one may have the same name.
    pub(super) fn forget(&mut self, fabric: &str) {
        if let Some(base) = self.bases.iter_mut().find(|base| base.fabric == fabric) {
            base.clear();
        }
    }

    /// Drops all connections. The budget remains.
    pub(super) fn clear(&mut self) {
        self.bases.clear();
    }

    fn stay_bounded(&mut self) {
        let is_beyond = |bases: &[Base]| {
            bases.len() > MAX_CONNECTIONS || bases.iter().map(Base::footprint).sum::<usize>() > MAX_BYTES
        };
        while is_beyond(&self.bases)
            && let Some((oldest, _)) = self.bases.iter().enumerate().min_by_key(|(_, base)| base.used)
        {
            self.bases.swap_remove(oldest);
        }
        if self.spare.rows.footprint() + self.spare.whole.footprint() > MAX_BYTES {
            self.spare = Spare::default();
        }
    }
}

/// A delta and its rules.
#[derive(Clone, Copy, Debug)]
struct ReportDelta<'a> {
    /// Unfolded.
    entries: &'a Report,
    beside: &'a Beside,
    dialect: Dialect,
}

impl Base {
    /// Writes a delta into the rows, if they are a whole report and nothing changes but members of them. Returns whether
    /// they still are a whole report. If not, [rebuilding](Self::rebuild) with the same delta is safe: it changes the same
    /// members to the same values.
    fn patch(&mut self, delta: ReportDelta<'_>, touched: &[Touched]) -> bool {
        let ReportDelta { entries, beside, dialect } = delta;
        let changes = touched.iter().filter(|touched| matches!(touched, Touched::By(_))).count();
        let loses_rows = !self.retains && dialect == Dialect::Jitsi && changes < touched.len();
        let has_room = self.rows.text_len() <= self.built_text + SPARE_TEXT;
        let is_of_members = changes == entries.len() && beside.removed.is_empty() && !loses_rows;
        if !(self.is_whole_report && is_of_members && has_room) || changes_types(entries) {
            return false;
        }
        let mut has = Has::default();
        *self.rows.skipped_mut() = entries.skipped();
        for (row, &touched) in self.rows.row_ids().zip(touched) {
            let change = if let Touched::By(entry) = touched { Some(entries.row(entry)) } else { None };
            let mut row = self.rows.row_mut(row);
            let earlier = row.view().timestamp();
            if let Some(change) = change {
                row.overlay(change);
            }
            let time = time_of(row.view().kind(), change, earlier, delta);
            row.set_timestamp(time);
            if change.is_some() {
                fold::fold_row(row, &mut has);
            }
        }
        self.is_whole_report = has == Has::default();
        self.is_whole_report
    }

    /// Rebuilds the rows from those before and a delta, and the whole report. `twice` is the number of entries that
    /// the delta repeats.
    fn rebuild(
        &mut self,
        delta: ReportDelta<'_>,
        twice: u64,
        spare: &mut Spare,
        hasher: &DefaultHashBuilder,
        unread: &mut Unread,
    ) {
        let left_out = twice + self.merge(delta, spare, hasher);
        let whole = &mut spare.whole;
        whole.clear();
        for (row, _) in self.rows.entries().zip(&self.gone).filter(|&(_, &gone)| !gone) {
            whole.push_copy(row);
        }
        *whole.skipped_mut() = delta.entries.skipped();
        whole.skipped_mut().entries += left_out;
        let form = fold::fold(whole, unread);
        // Without any time, the entries will get that of their record: the base must not.
        let is_timed = whole.latest().is_some();
        self.is_whole_report =
            form == Form::Plain && !changes_types(&self.rows) && whole.len() == self.rows.len() && is_timed;
        if self.is_whole_report {
            core::mem::swap(whole, &mut self.rows);
        }
        self.built_text = self.rows.text_len();
    }

    /// Merges the rows and a delta. Returns the number of entries beyond the limit.
    fn merge(&mut self, delta: ReportDelta<'_>, spare: &mut Spare, hasher: &DefaultHashBuilder) -> u64 {
        let mut left_out = 0;
        let difference = delta.entries;
        let retains = self.retains || delta.dialect != Dialect::Jitsi;
        let forget_gone = self.gone.iter().filter(|&&gone| gone).count() > MAX_GONE;
        let next = &mut spare.rows;
        next.clear();
        spare.gone.clear();
        let mut moved = false;
        for ((before, &was_gone), &touched) in self.rows.entries().zip(&self.gone).zip(&spare.touched) {
            let change = match touched {
                Touched::Not if was_gone && forget_gone && !retains => None,
                Touched::Not => Some((None, !retains)),
                Touched::By(entry) => Some((Some(difference.row(entry)), false)),
                Touched::Removed => None,
            };
            let Some((change, gone)) = change else {
                moved = true;
                continue;
            };
            push_merged(next, Some(before), was_gone, change, delta);
            spare.gone.push(gone);
        }
        if moved {
            self.places.clear();
            for row in next.row_ids() {
                self.remember(next, row, hasher);
            }
        }
        for &entry in &spare.fresh {
            let change = difference.row(entry);
            if next.len() >= MAX_ENTRIES || find(&self.places, next, hasher, change.id()).is_some() {
                left_out += 1;
                continue;
            }
            let row = next.next_row();
            push_merged(next, None, false, Some(change), delta);
            spare.gone.push(false);
            self.remember(next, row, hasher);
        }
        self.retains |= next.entries().any(|entry| entry.kind().is_legacy());
        core::mem::swap(&mut self.rows, &mut spare.rows);
        core::mem::swap(&mut self.gone, &mut spare.gone);
        left_out
    }

    /// Finds the row of every entry. Returns the number of duplicate entries.
    fn look_up(&mut self, delta: ReportDelta<'_>, spare: &mut Spare, hasher: &DefaultHashBuilder) -> u64 {
        let (difference, mut twice) = (delta.entries, 0);
        spare.fresh.clear();
        spare.touched.clear();
        spare.touched.resize(self.rows.len(), Touched::Not);
        // Entries mostly keep their order.
        let mut expected = 0;
        for (place, entry) in difference.row_ids().zip(difference.entries()) {
            let is_expected = self.rows.get(expected).is_some_and(|row| row.id() == entry.id());
            let row = if is_expected {
                Some(RowId::at(expected))
            } else {
                find(&self.places, &self.rows, hasher, entry.id())
            };
            expected = row.map_or(expected, |row| row.index() + 1);
            match row.and_then(|row| Some((row, spare.touched.get_mut(row.index())?))) {
                None => spare.fresh.push(place),
                Some((row, touched @ Touched::Not)) => {
                    *touched = Touched::By(place);
                    let had_type = self.rows.row(row).kind() != StatsType::Other;
                    if self.gone.get(row.index()) == Some(&true) && had_type && entry.kind() == StatsType::Other {
                        self.retains = true;
                    }
                }
                Some(_) => twice += 1,
            }
        }
        for id in &delta.beside.removed {
            let row = find(&self.places, &self.rows, hasher, id);
            if let Some(touched) = row.and_then(|row| spare.touched.get_mut(row.index())) {
                *touched = Touched::Removed;
            }
        }
        twice
    }

    fn remember(&mut self, rows: &Report, row: RowId, hasher: &DefaultHashBuilder) {
        let hash = |&row: &RowId| hasher.hash_one(rows.row(row).id());
        self.places.insert_unique(hash(&row), row, hash);
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.gone.clear();
        self.places.clear();
        self.retains = false;
        self.is_whole_report = false;
    }

    fn footprint(&self) -> usize {
        self.rows.footprint() + self.gone.capacity() + self.places.capacity() * 8 + self.fabric.capacity()
    }
}

/// Whether folding gives any of these entries another type, so that later deltas need the type as it was sent.
fn changes_types(entries: &Report) -> bool {
    let is_candidate = |kind| matches!(kind, StatsType::LocalCandidate | StatsType::RemoteCandidate);
    entries.entries().any(|entry| {
        let kind = entry.kind();
        kind.is_legacy() || entry.flag(Flag::IsRemote) == Some(true) && !is_candidate(kind)
    })
}

/// The row with this id.
fn find(places: &HashTable<RowId>, rows: &Report, hasher: &DefaultHashBuilder, id: &str) -> Option<RowId> {
    places.find(hasher.hash_one(id), |&row| rows.row(row).id() == id).copied()
}

/// Adds the row that results from an optional previous row and an optional change.
fn push_merged(
    rows: &mut Report,
    before: Option<Entry<'_>>,
    was_gone: bool,
    change: Option<Entry<'_>>,
    delta: ReportDelta<'_>,
) {
    // A removed entry that returns with its type is a different one with the same id.
    let before = before.filter(|_| !(was_gone && change.is_some_and(|change| change.kind() != StatsType::Other)));
    let mut row = rows.begin();
    for source in [change, before].into_iter().flatten() {
        if row.view().id().is_empty() {
            row.set_id(source.id());
        }
        row.fill_from(source);
    }
    let time = time_of(row.view().kind(), change, before.and_then(|before| before.timestamp()), delta);
    row.set_timestamp(time);
}

/// The time of a merged entry.
fn time_of(
    kind: StatsType,
    change: Option<Entry<'_>>,
    earlier: Option<StatTime>,
    delta: ReportDelta<'_>,
) -> Option<StatTime> {
    let of_report = delta.beside.timestamp;
    match change.and_then(|change| change.timestamp()) {
        Some(own) if own.as_millis() > 0.0 => Some(own),
        Some(_) => of_report,
        None if delta.dialect == Dialect::Rtcstats && !kind.is_remote() => of_report.or(earlier),
        None => earlier.or(of_report),
    }
}

/// Whether the entries are a whole report: every entry has its own time, and there is nothing beside them.
fn is_whole(report: &Report, beside: &Beside) -> bool {
    beside.timestamp.is_none()
        && beside.removed.is_empty()
        && !report.is_empty()
        && report.entries().all(|entry| entry.timestamp().is_some_and(|time| time.as_millis() > 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Num, Text};
    use proptest::prelude::*;
    use std::format;
    use std::vec::Vec;

    const KINDS: [StatsType; 6] = [
        StatsType::Other,
        StatsType::InboundRtp,
        StatsType::Codec,
        StatsType::RemoteInboundRtp,
        StatsType::Track,
        StatsType::LegacyLocalCandidate,
    ];

    /// One entry: its name, type, time, a number, a text and a flag.
    type Given = (u8, u8, Option<u16>, Option<i16>, Option<u8>, Option<bool>);

    /// A report of deltas: its entries, its time, and the name of a removed entry.
    fn report() -> impl Strategy<Value = (Vec<Given>, Option<u16>, Option<u8>)> {
        // Mostly members of entries that exist, because that is what is written in place.
        let kind = prop_oneof![12 => Just(0_u8), 4 => Just(1_u8), 1 => 2..6_u8];
        let entry = (
            0..5_u8,
            kind,
            prop::option::of(0..3_u16),
            prop::option::of(-1..40_i16),
            prop::option::of(0..3_u8),
            prop::option::of(any::<bool>()),
        );
        let removed = prop_oneof![6 => Just(None), 1 => (0..5_u8).prop_map(Some)];
        (prop::collection::vec(entry, 0..6), prop::option::of(1..9_u16), removed)
    }

    fn entries_of(given: &[Given]) -> Report {
        let mut report = Report::new();
        for &(name, kind, time, number, text, flag) in given {
            let kind = KINDS[kind as usize];
            let mut row = report.push(kind, &format!("{name}"));
            row.set_timestamp(time.and_then(|time| StatTime::from_millis(f64::from(time))));
            if kind == StatsType::InboundRtp {
                row.set_media(crate::id::MediaKind::Audio);
            }
            if let Some(number) = number {
                row.set(Num::PacketsReceived, f64::from(number)).set(Num::Jitter, f64::from(number) / 10.0);
            }
            if let Some(text) = text {
                row.set_text(Text::CodecId, &"C".repeat(text.into()));
            }
            if let Some(flag) = flag {
                row.set_flag(Flag::IsRemote, flag);
            }
        }
        report
    }

    proptest! {
        #[test]
        fn deltas_written_in_place_restore_what_rebuilt_rows_do(
            reports in prop::collection::vec(report(), 1..24),
            dialect in prop::sample::select(&[Dialect::Rtcstats, Dialect::Jitsi, Dialect::Legacy][..]),
        ) {
            let (mut in_place, mut rebuilt) = (Bases::default(), Bases::default());
            for (given, time, removed) in &reports {
                let entries = entries_of(given);
                let beside = Beside {
                    timestamp: time.and_then(|time| StatTime::from_millis(f64::from(time))),
                    removed: removed.iter().map(|name| format!("{name}")).collect(),
                };
                let [expected, got] = [&mut rebuilt, &mut in_place].map(|bases| {
                    let whole = bases.apply("A", &entries, &beside, dialect, &mut Unread::default());
                    whole.map(|whole| whole.compact_copy())
                });
                prop_assert!(got == expected, "the reports differ");
                for base in &mut rebuilt.bases {
                    base.is_whole_report = false;
                }
            }
        }
    }
}
