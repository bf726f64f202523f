//! Reports that say only what changed, put together again.
//!
//! Three families of formats send differences, and each has its own rules for what is left out:
//!
//! | | rtcstats v3 | jitsi | rtcstats v1 and v2 |
//! |---|---|---|---|
//! | a member that is missing | is as before | is as before | is as before |
//! | an entry that is missing | is as before | is gone | is as before |
//! | an entry that is null | is gone | | |
//! | an entry without a time | has the report's time | has the time it had | has the time it had |
//! | an entry with time 0 | | has the report's time | has the report's time |
//!
//! Sources: `compression.js` of github.com/rtcstats/rtcstats, `getstats-deltacompression.js` of
//! github.com/fippo/rtcstats-server, and the dumps of github.com/jitsi/rtcstats-server, which also show the exceptions:
//! clients of Chromium's callback API leave out entries that stay, whatever their header declares. So what an entry's
//! absence means is told from the entries: where one of a callback type is among them, or where one comes back without
//! its type, absence means nothing.
//!
//! In none of these formats can an entry lose a member: what was there stays as it was.
//!
//! In v3 a time is missing either because it is the report's or because it is as before, which cannot be told apart.
//! Entries of the other end (`remote-inbound-rtp`, `remote-outbound-rtp`) have the time at which RTCP brought them, which
//! is never that of the report; so theirs is as before. All others have the report's.

use core::hash::BuildHasher;

use alloc::string::String;
use alloc::vec::Vec;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::ingest::getstats::fold;
use crate::ingest::getstats::{Beside, MAX_ENTRIES};
use crate::report::{Entry, Report, StatsType};
use crate::unit::StatTime;

/// Connections that are remembered at a time; beyond it the one that was silent longest is forgotten.
const MAX_CONNECTIONS: usize = 256;

/// Bytes that all connections together may hold, with the same remedy. A call of fifty parties needs half a megabyte.
const MAX_BYTES: usize = 64 << 20;

/// Entries of a connection that are gone but remembered, in case that they come back without their type.
const MAX_GONE: usize = 1_024;

/// By which rules a report was cut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// rtcstats v3, and whole reports in the same container.
    Rtcstats,
    /// jitsi's clients.
    Jitsi,
    /// rtcstats v1 and v2.
    Legacy,
}

/// What is known of every connection.
#[derive(Debug, Default)]
pub(super) struct Bases {
    bases: Vec<Base>,
    hasher: DefaultHashBuilder,
    /// Counts reports, so that the connection that was silent longest can be told.
    clock: u64,
    spare: Spare,
}

/// What is known of one connection: its last report as it was sent, unfolded.
#[derive(Debug, Default)]
struct Base {
    fabric: String,
    /// In the order in which the entries were first seen.
    rows: Report,
    /// For every row, whether it is gone.
    gone: Vec<bool>,
    /// Ids to places in `rows`.
    places: HashTable<u32>,
    /// Whether entries that are missing stay, whatever the dialect.
    keeps: bool,
    used: u64,
}

/// Memory that is used anew for every report.
#[derive(Debug, Default)]
struct Spare {
    rows: Report,
    gone: Vec<bool>,
    touched: Vec<Touched>,
    /// Places in the difference of the entries that are new.
    fresh: Vec<usize>,
}

/// What a difference says about a row that is known.
#[derive(Clone, Copy, Debug)]
enum Touched {
    Not,
    /// Changed by the entry at this place in the difference.
    By(usize),
    Removed,
}

impl Bases {
    /// Applies a difference, not folded, with what stood beside its entries, and makes `whole` the report that was
    /// meant, folded. Its count of what was skipped is that of the difference and of the folding.
    pub(super) fn apply(
        &mut self,
        fabric: &str,
        difference: &Report,
        beside: &Beside,
        dialect: Dialect,
        whole: &mut Report,
    ) {
        self.clock += 1;
        let index = self.bases.iter().position(|base| base.fabric == fabric).unwrap_or_else(|| {
            self.bases.push(Base { fabric: fabric.into(), ..Base::default() });
            self.bases.len() - 1
        });
        let Some(base) = self.bases.get_mut(index) else { return };
        base.used = self.clock;
        if is_whole(difference, beside) {
            base.clear();
        }
        let left_out = base.merge(difference, beside, dialect, &mut self.spare, &self.hasher);
        whole.clear();
        for (row, _) in base.rows.entries().zip(&base.gone).filter(|&(_, &gone)| !gone) {
            whole.push_copy(row);
        }
        *whole.skipped_mut() = difference.skipped();
        whole.skipped_mut().entries += left_out;
        fold::fold(whole);
        self.stay_bounded();
    }

    /// Begins a connection anew: another one may have the same name.
    pub(super) fn forget(&mut self, fabric: &str) {
        if let Some(base) = self.bases.iter_mut().find(|base| base.fabric == fabric) {
            base.clear();
        }
    }

    /// Forgets every connection.
    pub(super) fn clear(&mut self) {
        self.bases.clear();
    }

    fn stay_bounded(&mut self) {
        while self.bases.len() > MAX_CONNECTIONS || self.bases.iter().map(Base::footprint).sum::<usize>() > MAX_BYTES {
            let silent = self.bases.iter().enumerate().min_by_key(|(_, base)| base.used).map(|(index, _)| index);
            let Some(silent) = silent else { return };
            self.bases.swap_remove(silent);
        }
        if self.spare.rows.footprint() > MAX_BYTES {
            self.spare = Spare::default();
        }
    }
}

impl Base {
    /// Brings the rows up to date; says how many entries were left out.
    fn merge(
        &mut self,
        difference: &Report,
        beside: &Beside,
        dialect: Dialect,
        spare: &mut Spare,
        hasher: &DefaultHashBuilder,
    ) -> u64 {
        let mut left_out = self.look_up(difference, beside, spare, hasher);
        let keeps = self.keeps || dialect != Dialect::Jitsi;
        let forget_gone = self.gone.iter().filter(|&&gone| gone).count() > MAX_GONE;
        let next = &mut spare.rows;
        next.clear();
        spare.gone.clear();
        let mut moved = false;
        for ((before, &was_gone), &touched) in self.rows.entries().zip(&self.gone).zip(&spare.touched) {
            let change = match touched {
                Touched::Not if was_gone && forget_gone && !keeps => None,
                Touched::Not => Some((None, !keeps)),
                Touched::By(place) => Some((difference.get(place), false)),
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
            for place in 0..next.len() {
                self.remember(next, place, hasher);
            }
        }
        for &place in &spare.fresh {
            let Some(change) = difference.get(place) else { continue };
            if next.len() >= MAX_ENTRIES || find(&self.places, next, hasher, change.id()).is_some() {
                left_out += 1;
                continue;
            }
            push_merged(next, None, false, Some(change), dialect, beside.timestamp);
            spare.gone.push(false);
            self.remember(next, next.len() - 1, hasher);
        }
        self.keeps |= next.entries().any(|entry| entry.kind().is_legacy());
        core::mem::swap(&mut self.rows, &mut spare.rows);
        core::mem::swap(&mut self.gone, &mut spare.gone);
        left_out
    }

    /// Finds the row of every entry; says how many entries there were twice.
    fn look_up(&mut self, difference: &Report, beside: &Beside, spare: &mut Spare, hasher: &DefaultHashBuilder) -> u64 {
        let mut twice = 0;
        spare.fresh.clear();
        spare.touched.clear();
        spare.touched.resize(self.rows.len(), Touched::Not);
        for (place, entry) in difference.entries().enumerate() {
            let row = find(&self.places, &self.rows, hasher, entry.id());
            match row.and_then(|row| Some((row, spare.touched.get_mut(row)?))) {
                None => spare.fresh.push(place),
                Some((row, touched @ Touched::Not)) => {
                    *touched = Touched::By(place);
                    let had_type = self.rows.get(row).is_some_and(|row| row.kind() != StatsType::Other);
                    if self.gone.get(row) == Some(&true) && had_type && entry.kind() == StatsType::Other {
                        self.keeps = true;
                    }
                }
                Some(_) => twice += 1,
            }
        }
        for id in &beside.removed {
            let row = find(&self.places, &self.rows, hasher, id);
            if let Some(touched) = row.and_then(|row| spare.touched.get_mut(row)) {
                *touched = Touched::Removed;
            }
        }
        twice
    }

    fn remember(&mut self, rows: &Report, place: usize, hasher: &DefaultHashBuilder) {
        let Some(row) = rows.get(place) else { return };
        let Ok(place) = u32::try_from(place) else { return };
        let hash_of = |place: &u32| rows.get(*place as usize).map_or(0, |row| hasher.hash_one(row.id()));
        self.places.insert_unique(hasher.hash_one(row.id()), place, hash_of);
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.gone.clear();
        self.places.clear();
        self.keeps = false;
    }

    fn footprint(&self) -> usize {
        self.rows.footprint() + self.gone.capacity() + self.places.capacity() * 8 + self.fabric.capacity()
    }
}

/// The place of the row with this id.
fn find(places: &HashTable<u32>, rows: &Report, hasher: &DefaultHashBuilder, id: &str) -> Option<usize> {
    let is_it = |place: &u32| rows.get(*place as usize).is_some_and(|row| row.id() == id);
    places.find(hasher.hash_one(id), is_it).map(|&place| place as usize)
}

/// Adds the row that a change, or none, makes of the row before, or none.
fn push_merged(
    rows: &mut Report,
    before: Option<Entry<'_>>,
    was_gone: bool,
    change: Option<Entry<'_>>,
    dialect: Dialect,
    of_report: Option<StatTime>,
) {
    // An entry that comes back with its type is another one that happens to have the same id.
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

/// Whether these entries are no difference but all there is: every one has a time of its own, and there is none beside
/// them.
fn is_whole(report: &Report, beside: &Beside) -> bool {
    beside.timestamp.is_none()
        && beside.removed.is_empty()
        && !report.is_empty()
        && report.entries().all(|entry| entry.timestamp().is_some_and(|time| time.as_millis() > 0.0))
}
