//! Reads the getStats text of one connection again and again: compares it with the text before and parses only what
//! changed. It gives the rows that a [`Scanner`] gives, and reads no dump format.

mod index;

use alloc::vec::Vec;

use super::json::Cursor;
use super::key::Target;
use super::{Form, Scanner, fill, fold, simple_value};
use crate::ingest::error::ReadError;
use crate::report::{Num, Report, RowId, Skipped};
use index::{TextMark, TextMarkKind, TextMarks};

/// Reads the getStats text of one connection again and again.
///
/// Between two snapshots of a connection, most of the text stays the same. A rescanner compares the new text with the
/// one before, parses the values that changed into their rows, and scans an entry again only if anything else in it
/// changed. A text of another structure is scanned as a whole. The rows are those of [`Scanner::read`].
///
/// It stores the text and the rows of the connection: 50 to 150 KB for a call of ten participants. Use it where few
/// connections are polled, as in an application; a [`Scanner`] serves many connections without state of each.
///
/// ```
/// use callgauge::ingest::getstats::Rescanner;
/// use callgauge::report::{Num, StatsType};
///
/// let mut rescanner = Rescanner::new();
/// for packets in [50, 100] {
///     let text = format!(r#"[{{"id":"I1","timestamp":1000,"type":"inbound-rtp","ssrc":7,"packetsReceived":{packets}}}]"#);
///     let report = rescanner.read(text.as_bytes())?;
///     let entry = report.of(StatsType::InboundRtp).next().unwrap();
///     assert_eq!(entry.get(Num::PacketsReceived), Some(f64::from(packets)));
/// }
/// # Ok::<(), callgauge::ingest::ReadError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Rescanner {
    scanner: Scanner,
    report: Report,
    /// The text before.
    text: Vec<u8>,
    /// The marks of that text, in its order; empty if it is not indexed.
    marks: Vec<TextMark>,
    /// The marks of one entry that is scanned again. A field so that its memory is reused.
    entry_marks: Vec<TextMark>,
    /// The length of the report's text after the last whole scan, bytes.
    scanned_text: usize,
    /// For how many more texts no index is made, because the last one was of no use.
    pause: u32,
    /// The length of the last pause.
    last_pause: u32,
}

/// The longest pause between two attempts to index, texts.
const LONGEST_PAUSE: u32 = 16;
/// How much text single entries that are scanned again may add to the report, bytes: a whole scan drops it.
const SPARE_TEXT: usize = 16_384;

impl Rescanner {
    /// Creates a rescanner. Allocates what a [`Scanner`] allocates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the next snapshot of the connection. Allocates only if the text or the report becomes larger than ever
    /// before, and for strings with escapes.
    ///
    /// # Errors
    /// Those of [`Scanner::read`]. The next text is then scanned as a whole.
    pub fn read(&mut self, text: &[u8]) -> Result<&Report, ReadError> {
        // An invalid value is counted by each scan.
        let is_updated = self.update(text).is_some() && self.report.skipped() == Skipped::default();
        if !is_updated {
            self.scan_whole(text)?;
            return Ok(&self.report);
        }
        self.last_pause = 0;
        self.store(text);
        Ok(&self.report)
    }

    /// The snapshot that was read last; empty before the first one and after an error.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    fn scan_whole(&mut self, text: &[u8]) -> Result<(), ReadError> {
        let was_indexed = !self.marks.is_empty();
        self.marks.clear();
        let form = self.scanner.read_with_form(text, &mut self.report)?;
        if was_indexed {
            self.last_pause = (2 * self.last_pause).clamp(1, LONGEST_PAUSE);
            self.pause = self.last_pause;
        }
        if self.pause > 0 {
            self.pause -= 1;
            return Ok(());
        }
        self.scanned_text = self.report.text_len();
        let is_plain = form == Form::Plain && self.report.skipped() == Skipped::default();
        let entries = if is_plain { index::of_text(text, &mut self.marks) } else { None };
        if entries == Some(self.report.len()) {
            self.store(text);
        } else {
            self.marks.clear();
        }
        Ok(())
    }

    fn store(&mut self, text: &[u8]) {
        self.text.clear();
        self.text.extend_from_slice(text);
    }

    /// Brings the report from the text before to this one. `None` if that takes a whole scan; the report is then in
    /// between.
    fn update(&mut self, text: &[u8]) -> Option<()> {
        if self.marks.is_empty() || self.report.text_len() > self.scanned_text + SPARE_TEXT {
            return None;
        }
        let text = core::str::from_utf8(text).ok()?;
        let mut at = Place::default();
        loop {
            let same = common_prefix(self.text.get(at.before..)?, text.as_bytes().get(at.now..)?);
            (at.before, at.now) = (at.before + same, at.now + same);
            self.pass_marks(&mut at);
            if at.before == self.text.len() && at.now == text.len() {
                return (at.mark == self.marks.len()).then_some(());
            }
            if self.update_value(text, &mut at).is_none() {
                self.update_entry(text, &mut at)?;
            }
        }
    }

    /// Passes the marks that lie before a difference.
    fn pass_marks(&self, at: &mut Place) {
        while let Some(mark) = self.marks.get(at.mark) {
            let (start, end) = mark.place_after(at.passed);
            match mark.kind {
                TextMarkKind::Value(_) if end < at.before => {}
                TextMarkKind::EntryStart if start < at.before => {
                    at.entry =
                        Some(OpenEntry { row: RowId::at(at.rows), mark: at.mark, start: at.now - (at.before - start) });
                    at.rows += 1;
                }
                TextMarkKind::EntryEnd if end <= at.before => at.entry = None,
                _ => return,
            }
            at.mark += 1;
            at.passed = end;
        }
    }

    /// Reads the value in which the texts differ. `None` if they differ in something else; nothing is then changed.
    fn update_value(&mut self, text: &str, at: &mut Place) -> Option<()> {
        let row = at.entry?.row;
        let mark = self.marks.get_mut(at.mark)?;
        let TextMarkKind::Value(target) = mark.kind else { return None };
        let (start, end) = mark.place_after(at.passed);
        let start = at.now.checked_sub(at.before.checked_sub(start)?)?;
        let mut cursor = Cursor::at(text, start);
        let mut entry = self.report.row_mut(row);
        if !simple_value(&mut cursor, &mut entry, target) {
            // A number with a sign or an exponent.
            let value = cursor.number().ok().filter(|_| !matches!(target, Target::Text(_)))?;
            fill::number(&mut entry, target, value);
        }
        if matches!(target, Target::Num(Num::Jitter | Num::EstimatedPlayoutTimestamp)) {
            fold::fold_row(entry, &mut fold::Has::default());
        }
        mark.set_length(cursor.pos - start)?;
        (at.before, at.now, at.passed) = (end, cursor.pos, end);
        at.mark += 1;
        Some(())
    }

    /// Scans the entry in which the texts differ into its row. `None` if they differ outside of an entry, or if the row
    /// then depends on other entries.
    fn update_entry(&mut self, text: &str, at: &mut Place) -> Option<()> {
        let OpenEntry { row, mark: first, start } = at.entry.take()?;
        let mut cursor = Cursor::at(text, start);
        let mut entry = self.report.row_mut(row);
        entry.clear();
        self.scanner.members::<false>(&mut cursor, &mut entry, false, None).ok()?;
        let mut has = fold::Has::default();
        fold::fold_row(entry, &mut has);
        // An id that stands before the entry is not read again.
        if has != fold::Has::default() || self.report.row(row).id().is_empty() {
            return None;
        }
        let rest = self.marks.get(at.mark..)?;
        let marks = 1 + rest.iter().position(|mark| mark.kind == TextMarkKind::EntryEnd)?;
        at.before = rest.iter().take(marks).fold(at.passed, |passed, mark| mark.place_after(passed).1);
        at.passed = at.before;
        at.now = cursor.pos;
        let gap = self.marks.get(first)?.gap;
        self.entry_marks.clear();
        let end = index::of_entry(&mut Cursor::at(text, start), &mut TextMarks::new(&mut self.entry_marks, start))?;
        debug_assert_eq!(end, at.now, "the index ends where the scanner ends");
        self.entry_marks.first_mut()?.gap = gap;
        let last = at.mark + marks;
        at.mark = first + self.entry_marks.len();
        self.marks.splice(first..last, self.entry_marks.drain(..));
        Some(())
    }
}

/// How far an update has come.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The position in the text before.
    before: usize,
    /// The position in the text that is being read.
    now: usize,
    /// The number of marks passed.
    mark: usize,
    /// The end of the last of them in the text before.
    passed: usize,
    /// The number of entries that have begun.
    rows: usize,
    /// The entry around the position.
    entry: Option<OpenEntry>,
}

#[derive(Clone, Copy, Debug)]
struct OpenEntry {
    row: RowId,
    /// The index of its first mark.
    mark: usize,
    /// Its position in the text that is being read.
    start: usize,
}

/// The number of bytes that are the same at the beginning of both texts.
fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    let mut same = 0;
    for (one, other) in one.as_chunks::<16>().0.iter().zip(other.as_chunks::<16>().0) {
        let difference = u128::from_le_bytes(*one) ^ u128::from_le_bytes(*other);
        if difference != 0 {
            return same + difference.trailing_zeros() as usize / 8;
        }
        same += 16;
    }
    let rest = one.iter().skip(same).zip(other.iter().skip(same));
    same + rest.take_while(|(one, other)| one == other).count()
}
