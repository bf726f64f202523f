//! Where the tests find their data.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may assume as tests do
#![allow(dead_code, unreachable_pub)] // every test binary uses a part

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A file below `tests/fixtures`, unpacked if it is a gzip file.
pub fn fixture(name: &str) -> String {
    read(&fixtures().join(name))
}

/// The snapshots of one set of the workload: its lines.
pub fn workload(set: &str) -> Vec<String> {
    fixture(&format!("workload/{set}.ndjson.gz")).lines().map(str::to_owned).collect()
}

/// Every set of the workload.
pub const WORKLOADS: [&str; 4] = ["p2", "p10", "p50", "p10-shuffled"];

/// The recordings of one snapshot a line: name and text, in the order of the names.
pub fn recordings() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for directory in ["recordings", "recordings/other"] {
        let entries = fs::read_dir(fixtures().join(directory)).expect("the fixtures are there");
        paths.extend(entries.map(|entry| entry.expect("a directory entry").path()));
    }
    paths.retain(|path| path.to_string_lossy().ends_with(".ndjson.gz"));
    paths.sort();
    assert!(paths.len() > 30, "only {} recordings", paths.len());
    let name = |path: &Path| path.file_name().unwrap_or(OsStr::new("")).to_string_lossy().replace(".ndjson.gz", "");
    paths.iter().map(|path| (name(path), read(path))).collect()
}

/// The directory of dumps that may not be redistributed: `CALLGAUGE_REAL_DUMPS`, else `../shared/real` beside the
/// repository. `None`, with a note, where there is none; the test then passes.
pub fn real_dumps() -> Option<PathBuf> {
    let path = std::env::var_os("CALLGAUGE_REAL_DUMPS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/real"), PathBuf::from);
    if !path.is_dir() {
        eprintln!("note: no dumps at {}, nothing is compared", path.display());
        return None;
    }
    Some(path)
}

/// A file as text, unpacked if it is a gzip file.
pub fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).expect("a gzip file of text");
    } else {
        text = String::from_utf8(bytes).expect("text");
    }
    text
}

/// Numbers that look random and are the same in every run (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// One of `0..end`; `end` must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}
