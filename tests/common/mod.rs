//! Helpers that several test programs share.
#![allow(dead_code)] // no program needs all of it
#![allow(clippy::panic, clippy::unwrap_used)] // helpers of tests may panic

pub(crate) mod reading;
pub(crate) mod recordings;

use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A file or directory under `tests/fixtures`.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A file under `tests/fixtures`, decompressed if it is gzip.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    unpacked(&path(name))
}

/// A text file under `tests/fixtures`, decompressed if it is gzip.
pub(crate) fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap()
}

/// Every set of the workload.
pub(crate) const WORKLOADS: [&str; 4] = ["p2", "p10", "p50", "p10-shuffled"];

/// The lines of one set of the workload, one snapshot each.
pub(crate) fn workload(set: &str) -> Vec<String> {
    text(&format!("workload/{set}.ndjson.gz")).lines().map(str::to_owned).collect()
}

/// The recordings with one snapshot per line: name and text, in the order of the names.
pub(crate) fn recordings() -> Vec<(String, String)> {
    let mut names = Vec::new();
    for directory in ["recordings", "recordings/other"] {
        let files = std::fs::read_dir(path(directory))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.extend(files.filter_map(|file| Some(format!("{directory}/{}", file.strip_suffix(".ndjson.gz")?))));
    }
    names.sort();
    assert!(names.len() > 30, "only {} recordings", names.len());
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    names.iter().map(|path| (name(path), text(&format!("{path}.ndjson.gz")))).collect()
}

/// A real dump that may not be stored here, from the directory that `CALLGAUGE_REAL_DUMPS` names. `None`, with a note,
/// if it is unset or lacks the file.
pub(crate) fn real_dump(name: &str) -> Option<Vec<u8>> {
    let Some(directory) = std::env::var_os("CALLGAUGE_REAL_DUMPS") else {
        eprintln!("skipped: CALLGAUGE_REAL_DUMPS, the directory of {name}, is unset");
        return None;
    };
    let path = Path::new(&directory).join(name);
    if !path.exists() {
        eprintln!("skipped: there is no {}", path.display());
        return None;
    }
    Some(unpacked(&path))
}

fn unpacked(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
    unpacked
}

/// Pseudorandom numbers that are the same every time (SplitMix64).
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }
}
