//! The frame of every state: what it is and in which version, by which models, and a checksum; and why one is refused.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc};
use postcard::ser_flavors::ExtendFlavor;
use postcard::ser_flavors::crc::CrcModifier;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::score::ModelId;

/// Why a state was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RestoreError {
    /// These bytes are no state of what was asked for, a conference or a fleet.
    NotAState,
    /// A state of another version of callgauge.
    OtherVersion,
    /// It is cut short, or something in it has changed.
    Corrupt,
    /// Its scores are by other models than those of the configuration: they cannot be averaged with theirs.
    OtherModels,
    /// The windows or graces of a fleet are others than those of the configuration.
    OtherWindows,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAState => "these bytes are no state of this kind",
            Self::OtherVersion => "this state was written by another version of callgauge",
            Self::Corrupt => "this state is cut short, or something in it has changed",
            Self::OtherModels => "the scores in this state are by other models than those of the configuration",
            Self::OtherWindows => "the windows or graces in this state are others than those of the configuration",
        })
    }
}

impl core::error::Error for RestoreError {}

/// Who made the scores in a state: the model of sound, and that of pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Models(String, String);

impl Models {
    pub(crate) fn of(config: &Config) -> Self {
        let [sound, pictures] = Self::ids(config).map(|id| id.to_string());
        Self(sound, pictures)
    }

    /// The model of sound, and that of pictures.
    pub(crate) fn ids(config: &Config) -> [ModelId; 2] {
        [config.audio_model().id(), config.video_model().id()]
    }

    /// # Errors
    /// [`RestoreError::OtherModels`] unless they are those of the configuration.
    pub(crate) fn check(&self, config: &Config) -> Result<(), RestoreError> {
        if *self == Self::of(config) { Ok(()) } else { Err(RestoreError::OtherModels) }
    }
}

/// The checksum of states: CRC-32 as in Ethernet and gzip. It finds errors of storage, and proves nothing about the writer.
static CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The checksum of a state in another format: of its bytes in the compact one.
pub(crate) fn checksum(state: &impl Serialize) -> u32 {
    let bytes = postcard::to_allocvec(state);
    debug_assert!(bytes.is_ok(), "{bytes:?}");
    CHECKSUM.checksum(&bytes.unwrap_or_default())
}

/// Puts a state into its frame: what it is, in which version, and a checksum.
pub(crate) fn frame(magic: [u8; 4], state: &impl Serialize) -> Vec<u8> {
    let output = CrcModifier::new(ExtendFlavor::new(magic.to_vec()), CHECKSUM.digest());
    let written = postcard::serialize_with_flavor(state, output);
    // A vector takes all that is written to it, and no value of these types is one that cannot be: nothing but a list of
    // unknown length fails, whatever is in it.
    debug_assert!(written.is_ok(), "{written:?}");
    written.unwrap_or_default()
}

/// Takes a state out of its frame.
///
/// # Errors
/// [`RestoreError`], for bytes that [`frame`] did not make.
pub(crate) fn unframe<'de, T: Deserialize<'de>>(magic: [u8; 4], bytes: &'de [u8]) -> Result<T, RestoreError> {
    let [name @ .., version] = magic;
    let state = match bytes.strip_prefix(&name).and_then(|rest| rest.split_first()) {
        None => return Err(RestoreError::NotAState),
        Some((other, _)) if *other != version => return Err(RestoreError::OtherVersion),
        Some((_, state)) => state,
    };
    match postcard::take_from_bytes_crc32(state, CHECKSUM.digest()) {
        Ok((state, [])) => Ok(state),
        _ => Err(RestoreError::Corrupt),
    }
}
