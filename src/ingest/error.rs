//! The error of a record that could not be read: its cause and position. Skipped values are not errors;
//! [`Skipped`](crate::report::Skipped) counts them.

use core::fmt;

use super::sniff::Foreign;

/// A record could not be read.
///
/// The reader's state and the engine are unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadError {
    offset: usize,
    kind: ReadErrorKind,
}

/// The cause of a [`ReadError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// Not UTF-8.
    NotUtf8,
    /// The text ends inside a value.
    Truncated,
    /// Another token stands where this was expected.
    Expected(&'static str),
    /// The record is well-formed, but contains no stats.
    UnknownFormat,
    /// The record has the shape of getStats, and no entry of it is one. The number of objects in it that could have
    /// been entries, and have no type of getStats.
    NoEntry(u64),
    /// The record is no text that a reader reads.
    Foreign(Foreign),
}

impl ReadError {
    pub(super) const fn new(offset: usize, kind: ReadErrorKind) -> Self {
        Self { offset, kind }
    }

    /// The offset of the error in the record, in bytes.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The cause.
    #[must_use]
    pub const fn kind(&self) -> ReadErrorKind {
        self.kind
    }
}

impl fmt::Display for ReadErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::Truncated => f.write_str("truncated value"),
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::UnknownFormat => f.write_str("no stats in any known format"),
            Self::NoEntry(0) => f.write_str("JSON, but no getStats entry"),
            Self::NoEntry(1) => f.write_str("JSON, but no getStats entry: 1 object without a known type"),
            Self::NoEntry(objects) => {
                write!(f, "JSON, but no getStats entry: {objects} objects without a known type")
            }
            Self::Foreign(foreign) => foreign.fmt(f),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        match self.kind {
            // The record as a whole is at fault.
            ReadErrorKind::UnknownFormat | ReadErrorKind::NoEntry(_) | ReadErrorKind::Foreign(_) => Ok(()),
            _ => write!(f, " at byte {}", self.offset),
        }
    }
}

impl core::error::Error for ReadError {}
