//! Unpacks gzip, bounds what it may expand to, and recognises data that is no text. It cuts no records.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use callgauge::ingest::Foreign;
use flate2::bufread::MultiGzDecoder;

/// A packed record may expand to this many bytes in any case: the report of a large call has a few million.
const FREE: u64 = 64 << 20;
/// A larger record only while the data so far have expanded by less than this: reports expand 20 to 60 times, a block of
/// blanks 1 032 times (RFC 1951 allows no more).
const MOST: u64 = 200;

/// Bytes counted while a file is read.
#[derive(Debug, Default)]
pub(crate) struct ByteCounts {
    packed: Cell<u64>,
    unpacked: Cell<u64>,
    /// The unpacked bytes before the current record.
    record: Cell<u64>,
}

impl ByteCounts {
    /// Notes that a record begins, give or take a buffer.
    pub(crate) fn begin_record(&self) {
        self.record.set(self.unpacked.get());
    }

    fn is_excessive(&self) -> bool {
        self.unpacked.get().saturating_sub(self.record.get()) > FREE && self.unpacked.get() / MOST > self.packed.get()
    }
}

/// The unpacked bytes of a source: gzip is recognised by its first two bytes (RFC 1952 2.3.1).
///
/// # Errors
/// Those of the source, and what the data is if it is no text.
pub(crate) fn unpack(source: Box<dyn Read>, counts: &Rc<ByteCounts>) -> io::Result<Box<dyn BufRead>> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    let mut source = BufReader::with_capacity(1 << 16, source);
    if !source.fill_buf()?.starts_with(GZIP) {
        return text(source, "");
    }
    let packed = Counted { source, counts: Rc::clone(counts) };
    let unpacked = Bounded { decoder: MultiGzDecoder::new(packed), counts: Rc::clone(counts) };
    text(BufReader::with_capacity(1 << 16, unpacked), "inside gzip: ")
}

fn text<R: Read + 'static>(mut source: BufReader<R>, place: &str) -> io::Result<Box<dyn BufRead>> {
    match Foreign::of(source.fill_buf()?) {
        Some(foreign) => Err(io::Error::new(io::ErrorKind::InvalidData, format!("{place}{foreign}"))),
        None => Ok(Box::new(source)),
    }
}

/// Counts the packed bytes that the decoder takes.
struct Counted<R> {
    source: R,
    counts: Rc<ByteCounts>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.counts.packed.set(self.counts.packed.get() + read as u64);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.source.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.counts.packed.set(self.counts.packed.get() + amount as u64);
        self.source.consume(amount);
    }
}

/// Counts the unpacked bytes, and fails if a record expands too much.
struct Bounded<R> {
    decoder: MultiGzDecoder<Counted<R>>,
    counts: Rc<ByteCounts>,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.counts.is_excessive() {
            let message =
                format!("gzip data that expands more than {MOST} times: stopped in a record above {} MiB", FREE >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let read = self.decoder.read(buffer)?;
        self.counts.unpacked.set(self.counts.unpacked.get() + read as u64);
        Ok(read)
    }
}
