//! Who speaks: levels into speech, speech into the one who has the floor, and what the talk came to.
//!
//! | file | job |
//! |---|---|
//! | [`level`] | energies and levels of one source into dBov and into the fraction of an interval that was speech |
//! | [`dominant`] | fractions of all participants into the dominant speaker, at the cadence of `getStats` |
//! | [`talk`] | the same fractions into talk time, overlap, silence, turns |
//! | [`multiscale`] | levels every 20 ms into the active speaker, as conferencing bridges do; needs nothing of the above |
//!
//! All of it is pure: times are handed in, nothing is random, and the order in which participants are told of decides
//! nothing.

pub mod clock;
pub mod dominant;
mod echo;
pub mod level;
pub mod multiscale;
pub mod talk;

use crate::id::{Ssrc, UserId};
use crate::unit::Timestamp;

/// Somebody who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Speaker {
    /// A user.
    User(UserId),
    /// Somebody whom nobody named, by the stream that carries their voice.
    Stream(Ssrc),
}

/// Another one is the dominant speaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpeakerChange {
    /// When it was found out, on the caller's clock.
    pub at: Timestamp,
    /// Since when it is so: the speech that made them so began, or the last speech ended.
    pub since: Timestamp,
    /// Who was it before; `None` for nobody.
    pub before: Option<Speaker>,
    /// Who is it now; `None` after silence, a mute, or when they left.
    pub now: Option<Speaker>,
}
