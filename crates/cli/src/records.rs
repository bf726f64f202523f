//! Files into records: opened, unpacked, cut into lines where the format has lines, and read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use callgauge::ingest::{Format, Framing, Item, ReadError, Reader, framing};
use callgauge::replay::Refusals;
use callgauge::report::Num;
use flate2::bufread::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Bytes of a record beyond which it is not read: a line without an end must not take all memory. Reports of the
/// largest calls have a few megabytes, dumps of long ones some hundred.
const MAX_RECORD: usize = 1 << 30;

/// How many of the records that could not be read are kept with their reasons.
const KEPT_PROBLEMS: usize = 8;

/// What was found in one file.
#[derive(Debug, Serialize)]
pub(crate) struct Input {
    pub(crate) file: String,
    pub(crate) format: Option<&'static str>,
    pub(crate) snapshots: u64,
    /// Records that could not be read.
    pub(crate) skipped_lines: u64,
    /// Entries of snapshots that could not be used.
    pub(crate) skipped_entries: u64,
    /// Values that are of the wrong type or impossible.
    pub(crate) bad_fields: u64,
    /// The names of the numeric ones among them.
    pub(crate) bad_numbers: Vec<&'static str>,
    /// Snapshots of connections beyond the limit.
    pub(crate) refused_snapshots: u64,
    /// Entries of streams beyond the limit of a connection.
    #[serde(skip)]
    pub(crate) refused_entries: u64,
    /// Events that the conference refused.
    #[serde(skip)]
    pub(crate) refused_events: Refusals,
    /// How far its clock is ahead of that of the first file, ms: its times are put back by so much. `None` for a single
    /// file, and where nothing joins the two; its clock then counts as it is.
    pub(crate) clock_offset_ms: Option<f64>,
    /// By how much that may be off.
    pub(crate) clock_uncertainty_ms: Option<f64>,
    /// Things that happened, as far as it tells them.
    pub(crate) happenings: u64,
    #[serde(skip)]
    pub(crate) lines: u64,
    /// The connections that a replay opened for it, by their places in the order of opening.
    #[serde(skip)]
    pub(crate) connections: Vec<usize>,
    #[serde(skip)]
    pub(crate) conference: Option<String>,
    #[serde(skip)]
    pub(crate) problems: Vec<String>,
}

impl Input {
    fn new(file: &str) -> Self {
        Self {
            file: file.into(),
            format: None,
            snapshots: 0,
            skipped_lines: 0,
            skipped_entries: 0,
            bad_fields: 0,
            bad_numbers: Vec::new(),
            refused_snapshots: 0,
            refused_entries: 0,
            refused_events: Refusals::default(),
            clock_offset_ms: None,
            clock_uncertainty_ms: None,
            happenings: 0,
            lines: 0,
            connections: Vec::new(),
            conference: None,
            problems: Vec::new(),
        }
    }
}

/// What takes everything that is in a file.
pub(crate) trait Take {
    /// Takes one item.
    fn take(&mut self, item: Item<'_>);

    /// The file is one document: what comes is in the order of its connections, not of time.
    fn take_document(&mut self) {}
}

impl<F: FnMut(Item<'_>)> Take for F {
    fn take(&mut self, item: Item<'_>) {
        self(item);
    }
}

/// A file whose reading came to no end.
pub(crate) fn broken(path: &Path) -> Input {
    let mut input = Input::new(&path.to_string_lossy());
    input.problems.push("could not be read to its end".into());
    input
}

/// Reads a file and hands out everything in it. What goes wrong is part of the answer.
pub(crate) fn read(path: &Path, each: &mut dyn Take) -> Input {
    let mut input = Input::new(&if path == Path::new("-") { "standard input".into() } else { path.to_string_lossy() });
    let mut reader = Reader::new();
    let result = open(path).and_then(|source| {
        let mut unpacked = unpack(source)?;
        Records { reader: &mut reader, input: &mut input, each, max: MAX_RECORD }.read(&mut *unpacked)
    });
    if let Err(error) = result {
        input.problems.push(error.to_string());
    }
    input.format = reader.format().map(Format::name);
    input.snapshots = reader.snapshots();
    input.happenings = reader.happenings();
    input.skipped_entries = reader.skipped().entries;
    input.bad_fields = reader.skipped().bad_fields;
    input.bad_numbers = reader.skipped().bad_numbers().map(Num::name).collect();
    input.conference = reader.conference().map(Into::into);
    input
}

/// The bytes of a file as they are stored, with a progress bar where somebody sees it.
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

/// The bytes as they are meant: gzip is recognised by its first two bytes (RFC 1952 2.3.1).
fn unpack(source: Box<dyn Read>) -> io::Result<Box<dyn BufRead>> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    let mut source = BufReader::with_capacity(1 << 16, source);
    let packed = source.fill_buf()?.starts_with(GZIP);
    Ok(if packed { Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(source))) } else { Box::new(source) })
}

/// Takes the records of one source.
struct Records<'a> {
    reader: &'a mut Reader,
    input: &'a mut Input,
    each: &'a mut dyn Take,
    /// How many bytes a record may have.
    max: usize,
}

impl Records<'_> {
    fn read(&mut self, source: &mut dyn BufRead) -> io::Result<()> {
        let mut record = Vec::new();
        let mut line = next_line(source, self.max, &mut record);
        while matches!(line, Ok(Line::Whole)) && record.trim_ascii().is_empty() {
            self.input.lines += 1;
            record.clear();
            line = next_line(source, self.max, &mut record);
        }
        if matches!(line, Ok(Line::Whole)) && framing(&record) == Framing::Document {
            let room = self.max.saturating_sub(record.len()) as u64;
            let result = source.take(room).read_to_end(&mut record);
            let error = match self.read_document(&record) {
                Ok(()) => {
                    self.input.lines += 1;
                    return result.map(drop);
                }
                Err(error) => error,
            };
            // Not one document after all: perhaps lines, the first of which is broken.
            let lines = self.read_lines(&mut record.as_slice().chain(source));
            if self.reader.snapshots() == 0 {
                self.input.skipped_lines = 1;
                self.input.problems = vec![error.to_string()];
            }
            return result.and(lines);
        }
        self.take_line(line.as_ref().ok(), &record);
        if line? == Line::Last {
            return Ok(());
        }
        drop(record);
        self.read_lines(source)
    }

    fn read_document(&mut self, record: &[u8]) -> Result<(), ReadError> {
        self.each.take_document();
        self.reader.read_all(record, &mut |item| self.each.take(item))
    }

    fn read_lines(&mut self, source: &mut dyn BufRead) -> io::Result<()> {
        let mut record = Vec::new();
        loop {
            record.clear();
            let line = next_line(source, self.max, &mut record);
            self.take_line(line.as_ref().ok(), &record);
            if line? == Line::Last {
                return Ok(());
            }
        }
    }

    /// Reads a line as far as it came: `line` is `None` where the source failed in it.
    fn take_line(&mut self, line: Option<&Line>, record: &[u8]) {
        if record.is_empty() {
            return;
        }
        self.input.lines += 1;
        let number = self.input.lines;
        let problem = match line {
            Some(Line::TooLong) => format!("line {number}: is longer than {} bytes", self.max),
            _ => match self.reader.read_all(record, &mut |item| self.each.take(item)) {
                Ok(()) => return,
                Err(error) => format!("line {number}: {error}"),
            },
        };
        self.input.skipped_lines += 1;
        if self.input.problems.len() < KEPT_PROBLEMS {
            self.input.problems.push(problem);
        }
    }
}

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Whole,
    /// The source ended, perhaps in the line.
    Last,
    /// Only its beginning was kept.
    TooLong,
}

/// Appends the next line, of which no more than `max` bytes are kept. What was read before an error of the source is
/// kept.
fn next_line(source: &mut dyn BufRead, max: usize, line: &mut Vec<u8>) -> io::Result<Line> {
    (&mut *source).take(max as u64).read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        return Ok(Line::Whole);
    }
    if line.len() < max {
        return Ok(Line::Last);
    }
    source.skip_until(b'\n')?;
    Ok(Line::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_beyond_the_limit_costs_itself_and_no_other() {
        let good = r#"[{"id":"I","type":"inbound-rtp","timestamp":1000,"ssrc":7}]"#;
        let long = format!("[{}]", " ".repeat(500));
        for (text, lines, snapshots) in [
            (format!("{good}\n{long}\n{good}\n"), 3, 2),
            (format!("{long}\n{good}\n"), 2, 1),
            (format!("{good}\n{long}"), 2, 1),
            // Begins like a document.
            (format!("{{\n{long}\n{good}\n{good}"), 4, 2),
        ] {
            let mut input = Input::new("test");
            let mut reader = Reader::new();
            let mut records = Records { reader: &mut reader, input: &mut input, each: &mut |_: Item<'_>| {}, max: 400 };
            records.read(&mut text.as_bytes()).unwrap();
            assert_eq!((input.lines, reader.snapshots()), (lines, snapshots), "{text}");
            assert!(input.problems.iter().any(|problem| problem.ends_with("is longer than 400 bytes")), "{text}");
        }
    }
}
