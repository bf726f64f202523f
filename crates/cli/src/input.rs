//! Files into records: opened, unpacked, cut into lines where the format has lines, and read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use callgauge::ingest::{Format, Framing, ReadError, Reader, Snapshot, framing};
use callgauge::report::Num;
use flate2::bufread::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::text::plural;

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
    #[serde(skip)]
    pub(crate) lines: u64,
    /// How many connections a replay opened for it.
    #[serde(skip)]
    pub(crate) connections: usize,
    #[serde(skip)]
    pub(crate) conference: Option<String>,
    #[serde(skip)]
    pub(crate) problems: Vec<String>,
}

impl Input {
    /// Says on standard error what was skipped.
    pub(crate) fn complain(&self) {
        for problem in &self.problems {
            eprintln!("callgauge: {}: {problem}", self.file);
        }
        let more = self.skipped_lines.saturating_sub(self.problems.len() as u64);
        if more > 0 {
            eprintln!("callgauge: {}: and {} more that could not be read", self.file, plural(more, "line"));
        }
        if self.skipped_entries > 0 {
            eprintln!("callgauge: {}: left out {}", self.file, plural(self.skipped_entries, "entry"));
        }
        if self.bad_fields > 0 {
            let values = plural(self.bad_fields, "impossible value");
            eprintln!("callgauge: {}: left out {values}{}", self.file, self.which());
        }
        if self.snapshots == 0 && self.problems.is_empty() {
            eprintln!("callgauge: {}: holds no snapshot of stats", self.file);
        }
    }
}

impl Input {
    /// ` (jitter)`: which members had impossible values, as far as they are numbers.
    pub(crate) fn which(&self) -> String {
        if self.bad_numbers.is_empty() { String::new() } else { format!(" ({})", self.bad_numbers.join(", ")) }
    }
}

/// Reads a file and hands out every snapshot in it. What goes wrong is part of the answer.
pub(crate) fn read(path: &Path, each: &mut dyn FnMut(Snapshot<'_>)) -> Input {
    let mut input = Input {
        file: if path == Path::new("-") { "standard input".into() } else { path.display().to_string() },
        format: None,
        snapshots: 0,
        skipped_lines: 0,
        skipped_entries: 0,
        bad_fields: 0,
        bad_numbers: Vec::new(),
        lines: 0,
        connections: 0,
        conference: None,
        problems: Vec::new(),
    };
    let mut reader = Reader::new();
    let result = open(path).and_then(|source| {
        let mut unpacked = unpack(source)?;
        read_records(&mut *unpacked, &mut reader, &mut input, each)
    });
    if let Err(error) = result {
        input.problems.push(error.to_string());
    }
    input.format = reader.format().map(Format::name);
    input.snapshots = reader.snapshots();
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

fn read_records(
    source: &mut dyn BufRead,
    reader: &mut Reader,
    input: &mut Input,
    each: &mut dyn FnMut(Snapshot<'_>),
) -> io::Result<()> {
    let mut record = Vec::new();
    let mut ended = next_line(source, &mut record)?;
    while !ended && record.trim_ascii().is_empty() {
        input.lines += 1;
        record.clear();
        ended = next_line(source, &mut record)?;
    }
    if framing(&record) == Framing::Document && !ended {
        let result = source.read_to_end(&mut record);
        match reader.read(&record, each) {
            Ok(()) => input.lines += 1,
            // Not one document after all: perhaps lines, the first of which is broken.
            Err(error) => {
                let mut lines = record.as_slice();
                let mut line = Vec::new();
                while !next_line(&mut lines, &mut line)? || !line.is_empty() {
                    take_line(&line, reader, input, each);
                    line.clear();
                }
                if reader.snapshots() == 0 {
                    input.skipped_lines = 1;
                    input.problems = vec![error.to_string()];
                }
            }
        }
        return result.map(drop);
    }
    while !(ended && record.is_empty()) {
        take_line(&record, reader, input, each);
        if ended {
            break;
        }
        record.clear();
        ended = next_line(source, &mut record)?;
    }
    Ok(())
}

fn take_line(line: &[u8], reader: &mut Reader, input: &mut Input, each: &mut dyn FnMut(Snapshot<'_>)) {
    input.lines += 1;
    if let Err(error) = reader.read(line, each) {
        input.skipped_lines += 1;
        if input.problems.len() < KEPT_PROBLEMS {
            input.problems.push(describe(input.lines, &error));
        }
    }
}

fn describe(line: u64, error: &ReadError) -> String {
    format!("line {line}: {error}")
}

/// Appends the next line; whether the source ended. What was read before an error of the source is kept.
fn next_line(source: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    source.read_until(b'\n', line)?;
    Ok(line.last() != Some(&b'\n'))
}
