//! Opens files, cuts them into records and reads the records. What becomes of the items is left to the sink that
//! receives them.

use std::io::{self, BufRead, Read};
use std::rc::Rc;

use callgauge::ingest::{
    Format, Framing, Item, ReadError, ReadErrorKind, Reader, Unread, completed, documents, framing,
};
use callgauge::replay::SourceOutcome;
use serde::Serialize;

use crate::sources::InputSource;
use crate::unpack::{ByteCounts, unpack};

/// How many unreadable records keep their reasons.
const MAX_PROBLEMS: usize = 8;

/// What was found in one file.
#[derive(Debug, Default, Serialize)]
pub(crate) struct InputFile {
    pub(crate) file: String,
    pub(crate) format: Option<&'static str>,
    pub(crate) snapshots: u64,
    /// Records that could not be read.
    pub(crate) skipped_lines: u64,
    /// Entries of snapshots that could not be used.
    pub(crate) skipped_entries: u64,
    /// Values of the wrong type or out of range.
    pub(crate) bad_fields: u64,
    /// The members with such values.
    pub(crate) bad_members: Vec<&'static str>,
    /// Differences between snapshots that would restore too many entries from too few bytes.
    pub(crate) skipped_differences: u64,
    /// Snapshots that the conference did not accept: of connections beyond the limit, or refused.
    pub(crate) refused_snapshots: u64,
    /// Snapshots that came after a later one of their connection.
    pub(crate) late_snapshots: u64,
    /// Snapshots and events that another file has too, and that count once.
    pub(crate) repeated_items: u64,
    /// What became of it in a replay.
    #[serde(skip)]
    pub(crate) outcome: SourceOutcome,
    /// How far its clock is ahead of the clock of the first file, ms; that offset is subtracted from its times. `None`
    /// for a single file, and where nothing relates the two clocks: its times then count as they are.
    pub(crate) clock_offset_ms: Option<f64>,
    /// The uncertainty of that offset, ms.
    pub(crate) clock_uncertainty_ms: Option<f64>,
    /// Events besides stats: states, session descriptions, failures, names.
    pub(crate) log_events: u64,
    #[serde(skip)]
    pub(crate) lines: u64,
    /// Whether no line has anything but white space.
    #[serde(skip)]
    pub(crate) is_blank: bool,
    #[serde(skip)]
    pub(crate) conference: Option<String>,
    /// Why reading the file ended before its end.
    #[serde(skip)]
    pub(crate) failure: Option<String>,
    /// The first unreadable records, each with the reason.
    #[serde(skip)]
    pub(crate) problems: Vec<String>,
    #[serde(skip)]
    pub(crate) not_stats: NotStats,
    /// Reports without any entry.
    #[serde(skip)]
    pub(crate) empty_snapshots: u64,
    /// Those among them that are an empty array.
    #[serde(skip)]
    pub(crate) empty_lists: u64,
    /// Reports with entries, of which none is usable.
    #[serde(skip)]
    pub(crate) unusable_snapshots: u64,
    /// Snapshots without any time.
    #[serde(skip)]
    pub(crate) untimed_snapshots: u64,
    /// Entries of streams without a time, which have no figures.
    #[serde(skip)]
    pub(crate) untimed_entries: u64,
    /// Entries that repeat the first id of their report.
    #[serde(skip)]
    pub(crate) repeated_ids: u64,
    /// What was not read because its name is unknown.
    #[serde(skip)]
    pub(crate) unread: Unread,
}

/// The well-formed records that are not stats; `skipped_lines` counts them too.
#[derive(Debug, Default)]
pub(crate) struct NotStats {
    pub(crate) records: u64,
    /// Why the first of them is none.
    pub(crate) first: Option<ReadErrorKind>,
    /// Objects in them that have no type of getStats.
    pub(crate) objects: u64,
}

impl NotStats {
    /// Counts a record that is not stats. Returns whether it is one.
    fn count(&mut self, kind: ReadErrorKind) -> bool {
        let objects = match kind {
            ReadErrorKind::NoEntry(objects) => objects,
            ReadErrorKind::UnknownFormat => 0,
            _ => return false,
        };
        self.records += 1;
        self.objects += objects;
        self.first.get_or_insert(kind);
        true
    }
}

impl InputFile {
    fn new(file: &InputSource) -> Self {
        Self { file: file.name(), is_blank: true, ..Self::default() }
    }

    /// Whether anything was read that has a time.
    pub(crate) const fn is_usable(&self) -> bool {
        self.snapshots > self.untimed_snapshots
    }
}

/// Takes the items of a file.
pub(crate) trait Sink {
    fn push(&mut self, item: Item<'_>);

    /// Says that the file is one document: its items come in the order of its connections, not of time.
    fn set_document(&mut self) {}

    /// Says that the file has named its conference.
    fn set_conference(&mut self, _name: &str) {}
}

impl<F: FnMut(Item<'_>)> Sink for F {
    fn push(&mut self, item: Item<'_>) {
        self(item);
    }
}

/// A file whose reading failed with an internal error.
pub(crate) fn broken(file: &InputSource) -> InputFile {
    InputFile { failure: Some("reading failed: internal error".into()), ..InputFile::new(file) }
}

/// Reads a file and hands out its items. Problems are part of the result.
pub(crate) fn read(file: &InputSource, each: &mut dyn Sink) -> InputFile {
    let mut input = InputFile::new(file);
    let mut reader = Reader::new();
    let result = file.open().and_then(|source| {
        let byte_counts = Rc::new(ByteCounts::default());
        let mut unpacked = unpack(source, &byte_counts)?;
        let mut records = Records { reader: &mut reader, input: &mut input, each, max: file.max_record, byte_counts };
        records.read(&mut *unpacked)
    });
    if let Err(error) = result {
        input.failure = Some(error.to_string());
    }
    input.format = reader.format().map(Format::name);
    input.snapshots = reader.snapshots();
    input.log_events = reader.log_events();
    input.skipped_entries = reader.skipped().entries;
    input.bad_fields = reader.skipped().bad_fields;
    input.skipped_differences = reader.skipped().differences;
    input.bad_members = reader.skipped().bad_members().collect();
    input.conference = reader.conference().map(Into::into);
    input.empty_snapshots = reader.empty_snapshots();
    input.empty_lists = reader.empty_lists();
    input.unusable_snapshots = reader.unusable_snapshots();
    input.untimed_snapshots = reader.untimed_snapshots();
    input.untimed_entries = reader.untimed_entries();
    input.repeated_ids = reader.repeated_ids();
    input.unread = reader.unread().clone();
    input
}

/// Reads the records of one file.
struct Records<'a> {
    reader: &'a mut Reader,
    input: &'a mut InputFile,
    each: &'a mut dyn Sink,
    /// The longest record that is read, bytes.
    max: usize,
    byte_counts: Rc<ByteCounts>,
}

impl Records<'_> {
    fn read(&mut self, source: &mut dyn BufRead) -> io::Result<()> {
        let mut record = Vec::new();
        let mut line = next_line(source, self.max, &mut record);
        while matches!(line, Ok(RecordLine::Whole)) && record.trim_ascii().is_empty() {
            self.input.lines += 1;
            record.clear();
            line = next_line(source, self.max, &mut record);
        }
        // A file of one line may be a document, cut off or followed by others.
        let is_document = match line {
            Ok(RecordLine::Whole) => framing(&record) == Framing::Document,
            Ok(RecordLine::Last) => true,
            _ => false,
        };
        if is_document {
            let room = self.max.saturating_sub(record.len()) as u64;
            let result = source.take(room).read_to_end(&mut record);
            return result.map(drop).and(self.read_document_or_lines(&record, source));
        }
        self.take_line(line.as_ref().ok(), &record);
        line?;
        drop(record);
        self.read_lines(source)
    }

    /// Reads what begins like a document; what follows beyond the longest record is still in the source.
    fn read_document_or_lines(&mut self, record: &[u8], source: &mut dyn BufRead) -> io::Result<()> {
        let Err(error) = self.read_documents(record) else {
            if !source.fill_buf()?.is_empty() {
                self.add_problem(format!("{}: the rest was not read", too_long(self.max)));
            }
            return Ok(());
        };
        *self.reader = Reader::new();
        let is_cut = record.len() >= self.max;
        // No document after all: perhaps lines, of which the first is broken.
        let result = self.read_lines(&mut record.chain(source));
        if self.reader.snapshots() == 0 {
            self.input.skipped_lines = 1;
            self.input.not_stats = NotStats::default();
            let problem = if is_cut { too_long(self.max) } else { error.to_string() };
            let is_read = error.kind() == ReadErrorKind::Truncated && self.read_beginning(record);
            self.input.problems = vec![if is_read { format!("{problem}: read up to there") } else { problem }];
        }
        result
    }

    /// Reads documents, one after the other. An error is that of the first; then nothing was read.
    fn read_documents(&mut self, record: &[u8]) -> Result<(), ReadError> {
        self.input.is_blank &= record.trim_ascii().is_empty();
        self.each.set_document();
        let Ok(text) = str::from_utf8(record) else { return self.read_document(record) };
        for (document, number) in documents(text).zip(1_u64..) {
            let result = match (document, number) {
                (Ok(document), _) => self.read_document(document.as_bytes()),
                // Its reader says more than that it does not end.
                (Err(_), 1) => self.read_document(record),
                (Err(error), _) => Err(error),
            };
            self.input.lines += 1;
            let Err(error) = result else { continue };
            if self.input.not_stats.count(error.kind()) {
                self.input.skipped_lines += 1;
            } else if number == 1 {
                self.input.lines = 0;
                return Err(error);
            } else {
                let problem = match document {
                    Ok(_) => format!("document {number}: {error}"),
                    Err(_) => format!("{error}: the rest was not read"),
                };
                self.add_problem(problem);
            }
        }
        Ok(())
    }

    fn read_document(&mut self, record: &[u8]) -> Result<(), ReadError> {
        let result = self.reader.read_all(record, &mut |item| self.each.push(item));
        self.find_conference();
        result
    }

    /// Reads a document that was cut off. Returns whether anything was read.
    fn read_beginning(&mut self, record: &[u8]) -> bool {
        // The cut may be within a character.
        let text = record.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let Some(whole) = completed(text).filter(|_| self.reader.log_events() == 0) else { return false };
        self.input.lines = 1;
        // Counts of the attempts before would count twice.
        *self.reader = Reader::new();
        let is_read = self.read_document(whole.as_bytes()).is_ok() && self.reader.snapshots() > 0;
        if !is_read {
            *self.reader = Reader::new();
        }
        is_read
    }

    /// Passes the name of the conference on, once it is known.
    fn find_conference(&mut self) {
        if let (None, Some(name)) = (&self.input.conference, self.reader.conference()) {
            self.input.conference = Some(name.into());
            self.each.set_conference(name);
        }
    }

    fn read_lines(&mut self, source: &mut dyn BufRead) -> io::Result<()> {
        let mut record = Vec::new();
        loop {
            record.clear();
            self.byte_counts.begin_record();
            let line = next_line(source, self.max, &mut record);
            self.take_line(line.as_ref().ok(), &record);
            if line? == RecordLine::Last {
                return Ok(());
            }
        }
    }

    /// Reads a line, or its beginning if the source fails: `line` is `None` then.
    fn take_line(&mut self, line: Option<&RecordLine>, record: &[u8]) {
        if record.is_empty() {
            return;
        }
        self.input.is_blank &= record.trim_ascii().is_empty();
        self.input.lines += 1;
        let number = self.input.lines;
        let problem = match line {
            Some(RecordLine::TooLong) => format!("line {number}: {}", too_long(self.max)),
            // Lines that were cut out of an array.
            _ => match self.read_document(record.trim_ascii_end().strip_suffix(b",").unwrap_or(record)) {
                Ok(()) => return,
                Err(error) if self.input.not_stats.count(error.kind()) => {
                    self.input.skipped_lines += 1;
                    return;
                }
                Err(error) => format!("line {number}: {error}"),
            },
        };
        self.add_problem(problem);
    }

    /// Counts a record that could not be read.
    fn add_problem(&mut self, problem: String) {
        self.input.skipped_lines += 1;
        if self.input.problems.len() < MAX_PROBLEMS {
            self.input.problems.push(problem);
        }
    }
}

/// `longer than 1024 MiB (--max-record)`.
fn too_long(max: usize) -> String {
    match (max >> 20, max % (1 << 20)) {
        (mib, 0) => format!("longer than {mib} MiB (--max-record)"),
        _ => format!("longer than {max} bytes"),
    }
}

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecordLine {
    Whole,
    /// The source ended, perhaps within the line.
    Last,
    /// Only its beginning was stored.
    TooLong,
}

/// Appends the next line, at most `max` bytes of it. What was read before an error of the source stays.
fn next_line(source: &mut dyn BufRead, max: usize, line: &mut Vec<u8>) -> io::Result<RecordLine> {
    (&mut *source).take(max as u64).read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        return Ok(RecordLine::Whole);
    }
    if line.len() < max {
        return Ok(RecordLine::Last);
    }
    source.skip_until(b'\n')?;
    Ok(RecordLine::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_too_long_line_costs_no_other_line() {
        let good = r#"[{"id":"I","type":"inbound-rtp","timestamp":1000,"ssrc":7}]"#;
        let long = format!("[{}]", " ".repeat(500));
        for (text, lines, snapshots) in [
            (format!("{good}\n{long}\n{good}\n"), 3, 2),
            (format!("{long}\n{good}\n"), 2, 1),
            (format!("{good}\n{long}"), 2, 1),
            // Begins like a document.
            (format!("{{\n{long}\n{good}\n{good}"), 4, 2),
        ] {
            let mut input = InputFile::default();
            let mut reader = Reader::new();
            let mut records = Records {
                reader: &mut reader,
                input: &mut input,
                each: &mut |_: Item<'_>| {},
                max: 400,
                byte_counts: Rc::default(),
            };
            records.read(&mut text.as_bytes()).unwrap();
            assert_eq!((input.lines, reader.snapshots()), (lines, snapshots), "{text}");
            assert!(input.problems.iter().any(|problem| problem.ends_with("longer than 400 bytes")), "{text}");
        }
    }
}
