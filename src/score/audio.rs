//! Sound into a score.

use crate::unit::{Bitrate, Ratio};

/// What is known of a stream of sound over a window. Everything may be unknown; nothing has a silent default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AudioInputs<'a> {
    /// The codec, as getStats spells its `mimeType` or SDP its encoding name.
    pub codec: Option<&'a str>,
    /// The bit rate of the payload while there was speech.
    pub bitrate: Option<Bitrate>,
    /// Concealed audibly, of all samples, after every repair.
    pub concealed: Option<Ratio>,
}

impl AudioInputs<'_> {
    /// Nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self { codec: None, bitrate: None, concealed: None }
    }
}
