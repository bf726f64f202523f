//! Checks the FILE arguments before anything is read. It reads no content.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::wording::printable;

/// Whether every file can be opened; standard error names each one that cannot. A result without one of the files would
/// look like the result of all of them.
pub(crate) fn can_be_opened(files: &[PathBuf]) -> bool {
    let mut all = true;
    for file in files {
        if let Err(error) = check(file) {
            eprintln!("callgauge: {}: {error}", printable(&file.to_string_lossy()));
            all = false;
        }
    }
    all
}

fn check(file: &Path) -> io::Result<()> {
    if file == Path::new("-") {
        return Ok(());
    }
    let metadata = fs::metadata(file)?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    // A pipe must not be opened twice.
    if metadata.is_file() { File::open(file).map(drop) } else { Ok(()) }
}
