//! Indexes rows of a report by id, so that look-ups stay cheap with many rows. It holds no rows.

use alloc::vec::Vec;

use super::{Entry, Report};

/// An index of some rows of one report. The first look-up builds it, so a report without look-ups costs nothing, and it
/// reuses its memory from one report to the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct ById {
    /// Positions, sorted by id and then by position.
    places: Vec<u32>,
    made: bool,
}

impl ById {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), made: false }
    }

    /// Discards the index of the previous report.
    pub(crate) const fn forget(&mut self) {
        self.made = false;
    }

    /// Discards it with its memory, if that exceeds the given number of rows.
    pub(crate) fn trim(&mut self, rows: usize) {
        if self.places.capacity() > rows {
            *self = Self::new();
        }
    }

    /// The first row with this id among those that `is_meant` accepts; `is_meant` must be the same until
    /// [`Self::forget`].
    pub(crate) fn find<'a>(
        &mut self,
        id: &str,
        report: &'a Report,
        is_meant: impl Fn(Entry<'_>) -> bool,
    ) -> Option<Entry<'a>> {
        self.make(report, is_meant);
        report.get(self.place(id, report)?)
    }

    /// The only row that `is_meant` accepts, if there is exactly one.
    pub(crate) fn only<'a>(&mut self, report: &'a Report, is_meant: impl Fn(Entry<'_>) -> bool) -> Option<Entry<'a>> {
        self.make(report, is_meant);
        match *self.places {
            [place] => report.get(place as usize),
            _ => None,
        }
    }

    /// Builds the index, unless it is built.
    pub(super) fn make(&mut self, report: &Report, is_meant: impl Fn(Entry<'_>) -> bool) {
        if !self.made {
            self.made = true;
            self.places.clear();
            self.places.extend((0_u32..).zip(report.entries()).filter(|&(_, entry)| is_meant(entry)).map(|(at, _)| at));
            // The position orders equal ids, so that the first row of the report is found.
            self.places.sort_unstable_by_key(|&place| (id_at(report, place), place));
        }
    }

    /// The position of the first row with this id, in the index as it was built.
    pub(super) fn place(&self, id: &str, report: &Report) -> Option<usize> {
        let first = self.places.partition_point(|&place| id_at(report, place) < id);
        let place = *self.places.get(first)?;
        (id_at(report, place) == id).then_some(place as usize)
    }
}

fn id_at(report: &Report, place: u32) -> &str {
    report.get(place as usize).map_or("", |entry| entry.id())
}
