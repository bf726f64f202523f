//! Positions of rows in the report that assigned them, for code that changes rows while it reads others. It changes no
//! values.

use super::{Entry, EntryMut, Report, StatsType};

/// A row of the report that assigned the id. It stays valid until rows are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowId(usize);

impl RowId {
    /// The row at a position.
    pub(crate) const fn at(position: usize) -> Self {
        Self(position)
    }

    /// The position among the rows of the report.
    pub(crate) const fn index(self) -> usize {
        self.0
    }
}

impl Report {
    /// The ids of all rows so far, in the order of the report.
    pub(crate) fn row_ids(&self) -> impl Iterator<Item = RowId> + use<> {
        (0..self.len).map(RowId)
    }

    pub(crate) fn row(&self, id: RowId) -> Entry<'_> {
        debug_assert!(id.0 < self.len, "the id of a removed row");
        Entry::new(&self.rows[id.0], &self.text)
    }

    /// The row, to complete it.
    pub(crate) fn row_mut(&mut self, id: RowId) -> EntryMut<'_> {
        debug_assert!(id.0 < self.len, "the id of a removed row");
        EntryMut { row: &mut self.rows[id.0], text: &mut self.text, skipped: &mut self.skipped }
    }

    /// The id of the row that is added next.
    pub(crate) const fn next_row(&self) -> RowId {
        RowId(self.len)
    }

    /// Adds a row, as [`Self::push`] does.
    pub(crate) fn add(&mut self, kind: StatsType, id: &str) -> RowId {
        let row = self.next_row();
        self.push(kind, id);
        row
    }

    /// The first row with this id among the [sorted](Self::sort_by_id) ones; they must not have moved since.
    pub(crate) fn sorted_row(&self, id: &str) -> Option<RowId> {
        self.sorted.place(id, self).map(RowId)
    }
}
