//! What the tests share: fixtures, dumps that are not in the repository, and reading a whole input.
#![allow(dead_code, unreachable_pub)] // every test uses a part of it

use std::io::Read;
use std::path::{Path, PathBuf};

use callgauge::ingest::{ReadError, Reader};
use callgauge::report::Report;

/// A recording below `tests/fixtures/recordings`, unpacked.
pub fn recording(name: &str) -> Vec<u8> {
    unpack(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings").join(name))
}

/// A file, unpacked when it ends in `.gz`.
pub fn unpack(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text).unwrap();
    text
}

/// The directory of dumps that may be read but not copied: `CALLGAUGE_REAL_DUMPS`, or `../shared/real` beside the
/// checkout. Where there is none, a test says so and passes.
pub fn real_dumps() -> Option<PathBuf> {
    let directory = std::env::var_os("CALLGAUGE_REAL_DUMPS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/real"), PathBuf::from);
    if directory.is_dir() {
        return Some(directory);
    }
    eprintln!("skipped: no dumps at {} (CALLGAUGE_REAL_DUMPS)", directory.display());
    None
}

/// A snapshot, kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    pub fabric: String,
    /// Milliseconds.
    pub at: Option<f64>,
    pub report: Report,
}

/// An input, read to its end.
pub struct Input {
    pub reader: Reader,
    pub snapshots: Vec<Taken>,
    /// For every line that could not be read, its number from 0.
    pub errors: Vec<(usize, ReadError)>,
}

/// Reads records one after the other with one reader.
pub fn read_records<'a>(records: impl IntoIterator<Item = &'a [u8]>) -> Input {
    let mut reader = Reader::new();
    let mut snapshots = Vec::new();
    let mut errors = Vec::new();
    for (number, record) in records.into_iter().enumerate() {
        let result = reader.read(record, &mut |snapshot| {
            snapshots.push(Taken {
                fabric: snapshot.fabric.into(),
                at: snapshot.at.map(|at| at.as_millis()),
                report: snapshot.report.clone(),
            });
        });
        if let Err(error) = result {
            errors.push((number, error));
        }
    }
    Input { reader, snapshots, errors }
}

/// Reads every line of a text.
pub fn read_lines(text: &[u8]) -> Input {
    read_records(text.split(|&byte| byte == b'\n'))
}

/// Asserts that two reports have the same rows, in whatever order.
pub fn same_rows(expected: &Report, found: &Report) -> usize {
    let sorted = |report: &Report| {
        let mut order: Vec<usize> = (0..report.len()).collect();
        order.sort_by_key(|&index| report.get(index).map(|entry| (entry.kind(), entry.id().to_string())));
        order
    };
    assert_eq!(expected.len(), found.len());
    for (left, right) in sorted(expected).into_iter().zip(sorted(found)) {
        assert_eq!(expected.get(left), found.get(right));
    }
    expected.entries().map(|entry| entry.numbers().count() + entry.texts().count()).sum()
}
