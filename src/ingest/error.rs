//! Why a record could not be read, and where.

use core::fmt;

/// A record that could not be read, with the place.
///
/// Nothing that was known before is lost: the reader's state and the engine are as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadError {
    offset: usize,
    kind: ReadErrorKind,
}

/// What was wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// Not UTF-8.
    NotUtf8,
    /// The text ends inside a value.
    Truncated,
    /// Something else stands where this was expected.
    Expected(&'static str),
    /// A value nests deeper than 128 levels.
    TooDeep,
    /// Well-formed, but nothing that holds stats.
    UnknownFormat,
}

impl ReadError {
    pub(super) const fn new(offset: usize, kind: ReadErrorKind) -> Self {
        Self { offset, kind }
    }

    /// How many bytes of the record come before the error.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// What was wrong.
    #[must_use]
    pub const fn kind(&self) -> ReadErrorKind {
        self.kind
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ReadErrorKind::NotUtf8 => write!(f, "not UTF-8 at byte {}", self.offset),
            ReadErrorKind::Truncated => write!(f, "the text ends inside a value, at byte {}", self.offset),
            ReadErrorKind::Expected(what) => write!(f, "expected {what} at byte {}", self.offset),
            ReadErrorKind::TooDeep => write!(f, "nested too deep at byte {}", self.offset),
            ReadErrorKind::UnknownFormat => write!(f, "holds no stats in any known format"),
        }
    }
}

impl core::error::Error for ReadError {}
