//! Opens files, cuts them into records and reads the records. What becomes of the items is left to the sink that
//! receives them.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::rc::Rc;

use callgauge::ingest::{Format, Framing, Item, ReadError, ReadErrorKind, Reader, Unread, framing};
use callgauge::replay::SourceOutcome;
use callgauge::report::Num;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::unpack::{ByteCounts, unpack};

/// The longest record that is read, bytes: a line without an end must not fill the memory. Reports of the largest calls
/// have a few megabytes, dumps of long calls some hundred.
const MAX_RECORD: usize = 1 << 30;

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
    /// The numeric members with such values.
    pub(crate) bad_numbers: Vec<&'static str>,
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
    #[serde(skip)]
    pub(crate) conference: Option<String>,
    /// The first problems, each as a sentence.
    #[serde(skip)]
    pub(crate) problems: Vec<String>,
    #[serde(skip)]
    pub(crate) not_stats: NotStats,
    /// Reports without any entry.
    #[serde(skip)]
    pub(crate) empty_snapshots: u64,
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
            ReadErrorKind::UnknownFormat | ReadErrorKind::RecordsInArray(_) => 0,
            _ => return false,
        };
        self.records += 1;
        self.objects += objects;
        self.first.get_or_insert(kind);
        true
    }
}

impl InputFile {
    /// Whether anything was read that has a time.
    pub(crate) const fn is_usable(&self) -> bool {
        self.snapshots > self.untimed_snapshots
    }

    fn new(path: &Path) -> Self {
        Self { file: name_of(path), ..Self::default() }
    }
}

/// The name of a file in outputs.
pub(crate) fn name_of(path: &Path) -> String {
    if path == Path::new("-") { "standard input".into() } else { path.to_string_lossy().into_owned() }
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
pub(crate) fn broken(path: &Path) -> InputFile {
    InputFile { problems: vec!["reading failed: internal error".into()], ..InputFile::new(path) }
}

/// Reads a file and hands out its items. Problems are part of the result.
pub(crate) fn read(path: &Path, each: &mut dyn Sink) -> InputFile {
    let mut input = InputFile::new(path);
    let mut reader = Reader::new();
    let result = open(path).and_then(|source| {
        let byte_counts = Rc::new(ByteCounts::default());
        let mut unpacked = unpack(source, &byte_counts)?;
        let mut records = Records { reader: &mut reader, input: &mut input, each, max: MAX_RECORD, byte_counts };
        records.read(&mut *unpacked)
    });
    if let Err(error) = result {
        input.problems.push(error.to_string());
    }
    input.format = reader.format().map(Format::name);
    input.snapshots = reader.snapshots();
    input.log_events = reader.log_events();
    input.skipped_entries = reader.skipped().entries;
    input.bad_fields = reader.skipped().bad_fields;
    input.skipped_differences = reader.skipped().differences;
    input.bad_numbers = reader.skipped().bad_numbers().map(Num::name).collect();
    input.conference = reader.conference().map(Into::into);
    input.empty_snapshots = reader.empty_snapshots();
    input.unusable_snapshots = reader.unusable_snapshots();
    input.untimed_snapshots = reader.untimed_snapshots();
    input.untimed_entries = reader.untimed_entries();
    input.repeated_ids = reader.repeated_ids();
    input.unread = reader.unread().clone();
    input
}

/// The bytes of a file as they are stored, with a progress bar on a terminal.
fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    // Draws on standard error, and only if that is a terminal.
    let bar = ProgressBar::new(length).with_style(style).with_finish(indicatif::ProgressFinish::AndClear);
    Ok(Box::new(bar.wrap_read(file)))
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
        if matches!(line, Ok(RecordLine::Whole)) && framing(&record) == Framing::Document {
            let room = self.max.saturating_sub(record.len()) as u64;
            let result = source.take(room).read_to_end(&mut record);
            let error = match self.read_document(&record) {
                Ok(()) => {
                    self.input.lines += 1;
                    return result.map(drop);
                }
                Err(error) if self.input.not_stats.count(error.kind()) => {
                    self.input.lines += 1;
                    self.input.skipped_lines = 1;
                    return result.map(drop);
                }
                Err(error) => error,
            };
            // No document after all: perhaps lines, of which the first is broken.
            let lines = self.read_lines(&mut record.as_slice().chain(source));
            if self.reader.snapshots() == 0 {
                self.input.skipped_lines = 1;
                self.input.problems = vec![error.to_string()];
                self.input.not_stats = NotStats::default();
            }
            return result.and(lines);
        }
        self.take_line(line.as_ref().ok(), &record);
        if line? == RecordLine::Last {
            return Ok(());
        }
        drop(record);
        self.read_lines(source)
    }

    fn read_document(&mut self, record: &[u8]) -> Result<(), ReadError> {
        self.each.set_document();
        let result = self.reader.read_all(record, &mut |item| self.each.push(item));
        self.find_conference();
        result
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
        self.input.lines += 1;
        let number = self.input.lines;
        let problem = match line {
            Some(RecordLine::TooLong) => format!("line {number}: longer than {} bytes", self.max),
            _ => match self.reader.read_all(record, &mut |item| self.each.push(item)) {
                Ok(()) => return self.find_conference(),
                Err(error) if self.input.not_stats.count(error.kind()) => {
                    self.input.skipped_lines += 1;
                    return;
                }
                Err(error) => format!("line {number}: {error}"),
            },
        };
        self.input.skipped_lines += 1;
        if self.input.problems.len() < MAX_PROBLEMS {
            self.input.problems.push(problem);
        }
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
