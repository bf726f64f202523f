//! The errors of a conference's inputs. A refused input changes nothing.

use core::fmt;

/// Why an input was refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InputError {
    /// No fabric with this id was opened in this conference.
    UnknownFabric,
    /// No user with this id was named in this conference.
    UnknownUser,
    /// The caller's clock is behind an earlier input.
    TimeWentBackwards,
    /// The conference has reached one of its [`Limits`](crate::Limits).
    LimitReached,
    /// The fabric is already open; [`Conference::find_fabric`](crate::Conference::find_fabric) finds it.
    AlreadyOpen,
    /// The fabric was terminated earlier.
    Terminated,
    /// The conference ended earlier; the input belongs to its [`next_instance`](crate::Conference::next_instance).
    Ended,
    /// A name is empty where one is required, or longer than [`Limits::name_bytes`](crate::Limits::name_bytes).
    InvalidName,
    /// Another user has this name, or reports on this fabric.
    NameTaken,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownFabric => "no fabric with this id was opened in this conference",
            Self::UnknownUser => "no user with this id was named in this conference",
            Self::TimeWentBackwards => "the clock is behind an earlier input",
            Self::LimitReached => "the conference has as much of this as its limits allow",
            Self::AlreadyOpen => "this fabric is open already",
            Self::Terminated => "the fabric was terminated before",
            Self::Ended => "the conference was over before: this belongs to its next instance",
            Self::InvalidName => "a name is empty or too long",
            Self::NameTaken => "this is another user's",
        })
    }
}

impl core::error::Error for InputError {}
