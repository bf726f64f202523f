//! The error of a record that could not be read: its cause and position. Skipped values are not errors;
//! [`Skipped`](crate::report::Skipped) counts them.

use core::fmt;

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
    /// A value nests deeper than 128 levels.
    TooDeep,
    /// The record is well-formed, but contains no stats.
    UnknownFormat,
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

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ReadErrorKind::NotUtf8 => write!(f, "not UTF-8 at byte {}", self.offset),
            ReadErrorKind::Truncated => write!(f, "truncated value at byte {}", self.offset),
            ReadErrorKind::Expected(what) => write!(f, "expected {what} at byte {}", self.offset),
            ReadErrorKind::TooDeep => write!(f, "nested too deeply at byte {}", self.offset),
            ReadErrorKind::UnknownFormat => write!(f, "no stats in any known format"),
        }
    }
}

impl core::error::Error for ReadError {}
