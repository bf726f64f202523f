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
            Self::UnknownFabric => "unknown fabric id",
            Self::UnknownUser => "unknown user id",
            Self::TimeWentBackwards => "time is earlier than that of a previous input",
            Self::LimitReached => "a limit of the conference is reached",
            Self::AlreadyOpen => "the fabric is already open",
            Self::Terminated => "the fabric has been terminated",
            Self::Ended => "the conference has ended; use its next instance",
            Self::InvalidName => "the name is empty or too long",
            Self::NameTaken => "another user has this name or reports on this fabric",
        })
    }
}

impl core::error::Error for InputError {}
