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

pub mod dominant;
mod echo;
pub mod level;
pub mod multiscale;
pub mod talk;
