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

use core::hash::BuildHasher;

use alloc::string::String;
use alloc::vec::Vec;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::ingest::getstats::fold;
use crate::ingest::getstats::{Beside, MAX_ENTRIES};
use crate::ingest::unread::Unread;
use crate::report::{Entry, Report, RowId, StatsType};
use crate::unit::StatTime;

/// Maximum number of connections in memory; beyond it the least recently used one is dropped.
const MAX_CONNECTIONS: usize = 256;

/// Maximum bytes of all connections together; beyond it the same happens. A call of fifty participants needs half a
/// megabyte.
const MAX_BYTES: usize = 64 << 20;

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

/// The latest report of one connection as it was sent, unfolded.
#[derive(Debug, Default)]
struct Base {
    fabric: String,
    /// In the order of first appearance.
    rows: Report,
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

    /// Applies a delta, unfolded, with the data beside its entries, and writes the whole report, folded, into `whole`.
    /// Its count of skipped entries covers the delta and the folding. Returns whether the budget sufficed; otherwise
    /// nothing changes.
    #[must_use]
    pub(super) fn apply(
        &mut self,
        fabric: &str,
        difference: &Report,
        beside: &Beside,
        dialect: Dialect,
        whole: &mut Report,
        unread: &mut Unread,
    ) -> bool {
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
            return false;
        }
        let left_out = base.merge(difference, beside, dialect, &mut self.spare, &self.hasher);
        whole.clear();
        for (row, _) in base.rows.entries().zip(&base.gone).filter(|&(_, &gone)| !gone) {
            whole.push_copy(row);
        }
        *whole.skipped_mut() = difference.skipped();
        whole.skipped_mut().entries += left_out;
        fold::fold(whole, unread);
        self.stay_bounded();
        true
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
        if self.spare.rows.footprint() > MAX_BYTES {
            self.spare = Spare::default();
        }
    }
}

impl Base {
    /// Updates the rows. Returns the number of omitted entries.
    fn merge(
        &mut self,
        difference: &Report,
        beside: &Beside,
        dialect: Dialect,
        spare: &mut Spare,
        hasher: &DefaultHashBuilder,
    ) -> u64 {
        let mut left_out = self.look_up(difference, beside, spare, hasher);
        let retains = self.retains || dialect != Dialect::Jitsi;
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
            push_merged(next, Some(before), was_gone, change, dialect, beside.timestamp);
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
            push_merged(next, None, false, Some(change), dialect, beside.timestamp);
            spare.gone.push(false);
            self.remember(next, row, hasher);
        }
        self.retains |= next.entries().any(|entry| entry.kind().is_legacy());
        core::mem::swap(&mut self.rows, &mut spare.rows);
        core::mem::swap(&mut self.gone, &mut spare.gone);
        left_out
    }

    /// Finds the row of every entry. Returns the number of duplicate entries.
    fn look_up(&mut self, difference: &Report, beside: &Beside, spare: &mut Spare, hasher: &DefaultHashBuilder) -> u64 {
        let mut twice = 0;
        spare.fresh.clear();
        spare.touched.clear();
        spare.touched.resize(self.rows.len(), Touched::Not);
        for (place, entry) in difference.row_ids().zip(difference.entries()) {
            let row = find(&self.places, &self.rows, hasher, entry.id());
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
        for id in &beside.removed {
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
    }

    fn footprint(&self) -> usize {
        self.rows.footprint() + self.gone.capacity() + self.places.capacity() * 8 + self.fabric.capacity()
    }
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
    dialect: Dialect,
    of_report: Option<StatTime>,
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
    let own = change.and_then(|change| change.timestamp());
    let earlier = before.and_then(|before| before.timestamp());
    let timestamp = match own {
        Some(own) if own.as_millis() > 0.0 => Some(own),
        Some(_) => of_report,
        None if dialect == Dialect::Rtcstats && !row.view().kind().is_remote() => of_report.or(earlier),
        None => earlier.or(of_report),
    };
    row.set_timestamp(timestamp);
}

/// Whether the entries are a whole report: every entry has its own time, and there is nothing beside them.
fn is_whole(report: &Report, beside: &Beside) -> bool {
    beside.timestamp.is_none()
        && beside.removed.is_empty()
        && !report.is_empty()
        && report.entries().all(|entry| entry.timestamp().is_some_and(|time| time.as_millis() > 0.0))
}
