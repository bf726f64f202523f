//! Reads a whole input and stores its contents, for the tests of the readers.

use callgauge::ingest::{ReadError, Reader};
use callgauge::report::Report;

use super::fixture;

/// A recording of a call.
pub(crate) fn recording(name: &str) -> Vec<u8> {
    fixture(&format!("recordings/{name}"))
}

/// A stored snapshot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredSnapshot {
    pub(crate) fabric: String,
    /// Milliseconds.
    pub(crate) at: Option<f64>,
    pub(crate) report: Report,
}

/// An input, read to its end.
pub(crate) struct Input {
    pub(crate) reader: Reader,
    pub(crate) snapshots: Vec<StoredSnapshot>,
    /// The number, from 0, and the error of every line that could not be read.
    pub(crate) errors: Vec<(usize, ReadError)>,
}

/// Reads consecutive records with one reader.
pub(crate) fn read_records<'a>(records: impl IntoIterator<Item = &'a [u8]>) -> Input {
    let mut reader = Reader::new();
    let mut snapshots = Vec::new();
    let mut errors = Vec::new();
    for (number, record) in records.into_iter().enumerate() {
        let result = reader.read(record, &mut |snapshot| {
            snapshots.push(StoredSnapshot {
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
pub(crate) fn read_lines(text: &[u8]) -> Input {
    read_records(text.split(|&byte| byte == b'\n'))
}

fn sorted(report: &Report) -> Vec<usize> {
    let mut order: Vec<usize> = (0..report.len()).collect();
    order.sort_by_key(|&index| report.get(index).map(|entry| (entry.kind(), entry.id().to_string())));
    order
}

/// Asserts that two reports have the same rows, in any order, and returns their number.
pub(crate) fn same_rows(expected: &Report, found: &Report) -> usize {
    assert_eq!(expected.len(), found.len());
    for (left, right) in sorted(expected).into_iter().zip(sorted(found)) {
        assert_eq!(expected.get(left), found.get(right));
    }
    expected.entries().map(|entry| entry.numbers().count() + entry.texts().count()).sum()
}
