//! The FILE arguments: checks them before anything is read, and copies what can be read only once where files are read
//! twice. It reads no content.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::wording::printable;

/// A FILE argument.
#[derive(Debug)]
pub(crate) struct InputSource {
    path: PathBuf,
    /// A copy of what can be read only once.
    copy: Option<File>,
    /// The longest record that is read, bytes.
    pub(crate) max_record: usize,
}

impl InputSource {
    /// The name in outputs.
    pub(crate) fn name(&self) -> String {
        if self.path == Path::new("-") { "standard input".into() } else { self.path.to_string_lossy().into_owned() }
    }

    /// The bytes as they are stored, with a progress bar on a terminal.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read>> {
        let file = match &self.copy {
            Some(copy) => {
                let mut copy = copy.try_clone()?;
                copy.rewind()?;
                copy
            }
            None if self.path == Path::new("-") => return Ok(Box::new(io::stdin().lock())),
            None => File::open(&self.path)?,
        };
        let length = file.metadata()?.len();
        let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        // Draws on standard error, and only if that is a terminal.
        let bar = ProgressBar::new(length).with_style(style).with_finish(indicatif::ProgressFinish::AndClear);
        Ok(Box::new(bar.wrap_read(file)))
    }

    /// Copies what can be read only once to a temporary file, so that it can be read twice.
    pub(crate) fn make_rereadable(&mut self) -> io::Result<()> {
        if self.copy.is_none() && is_stream(&self.path) {
            let mut copy = temporary_file()?;
            io::copy(&mut *self.open()?, &mut copy)?;
            self.copy = Some(copy);
        }
        Ok(())
    }
}

/// The FILE arguments, each checked. `None` if one of them cannot be opened or read: standard error names it. A result
/// without one of the files would look like the result of all of them.
pub(crate) fn sources(files: Vec<PathBuf>, max_record: usize) -> Option<Vec<InputSource>> {
    let sources: Vec<InputSource> =
        files.into_iter().map(|path| InputSource { path, copy: None, max_record }).collect();
    let mut streams = HashSet::new();
    let mut all = true;
    for source in &sources {
        if let Err(error) = check(&source.path, &mut streams) {
            eprintln!("callgauge: {}: {error}", printable(&source.name()));
            all = false;
        }
    }
    all.then_some(sources)
}

/// Checks a file. `streams` are the identities of what can be read only once; standard input has none.
fn check(file: &Path, streams: &mut HashSet<Option<(u64, u64)>>) -> io::Result<()> {
    let identity = if is_standard_input(file) {
        Some(None)
    } else {
        let metadata = fs::metadata(file)?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        // A pipe must not be opened twice.
        if metadata.is_file() {
            return File::open(file).map(drop);
        }
        identity(&metadata).map(Some)
    };
    match identity {
        // Its readers would share what it holds.
        Some(identity) if !streams.insert(identity) => {
            Err(io::Error::other("can be read only once, but is given twice"))
        }
        _ => Ok(()),
    }
}

/// Whether a file can be read only once: standard input, a pipe, a device. A path that does not exist is none.
fn is_stream(file: &Path) -> bool {
    is_standard_input(file) || file.metadata().is_ok_and(|metadata| !metadata.is_file())
}

fn is_standard_input(file: &Path) -> bool {
    ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|name| file == Path::new(name))
}

/// The device and the number of a file.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// How many names are tried for a temporary file.
const MAX_NAMES: u32 = 1_000;

/// An empty file that only its owner may read, and that has no name any more: it exists as long as it is open.
fn temporary_file() -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    for number in 0..MAX_NAMES {
        let path = std::env::temp_dir().join(format!("callgauge-{}-{number}", std::process::id()));
        match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            file => return file.and_then(|file| fs::remove_file(&path).map(|()| file)),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}
