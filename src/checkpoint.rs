//! Frames every checkpoint with a magic number, a version, the models and a checksum, and refuses bytes that do not
//! match. It does not know the content.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc};
use postcard::ser_flavors::ExtendFlavor;
use postcard::ser_flavors::crc::CrcModifier;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::score::ModelId;

/// Why saved bytes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RestoreError {
    /// The bytes are no checkpoint of the requested kind, a conference or a fleet.
    NotAState,
    /// Another version of callgauge wrote the checkpoint.
    OtherVersion,
    /// The checkpoint is truncated or modified.
    Corrupt,
    /// Other models than the configured ones made the scores; the two cannot be averaged.
    OtherModels,
    /// The windows or graces of the fleet differ from the configured ones.
    OtherWindows,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAState => "not a callgauge state of this kind",
            Self::OtherVersion => "the state has another format version",
            Self::Corrupt => "the state is truncated or corrupt",
            Self::OtherModels => "the state was scored with other models than the configured ones",
            Self::OtherWindows => "the state has another window or grace than the configuration",
        })
    }
}

impl core::error::Error for RestoreError {}

/// The models of the scores in a checkpoint: audio and video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Models(String, String);

impl Models {
    pub(crate) fn of(config: &Config) -> Self {
        let [sound, pictures] = Self::ids(config).map(|id| id.to_string());
        Self(sound, pictures)
    }

    /// The audio model and the video model.
    pub(crate) fn ids(config: &Config) -> [ModelId; 2] {
        [config.audio_model().id(), config.video_model().id()]
    }

    /// # Errors
    /// [`RestoreError::OtherModels`] unless they are the configured ones.
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

/// Frames a state with its magic number, version and checksum.
pub(crate) fn frame(magic: [u8; 4], state: &impl Serialize) -> Vec<u8> {
    let output = CrcModifier::new(ExtendFlavor::new(magic.to_vec()), CHECKSUM.digest());
    let written = postcard::serialize_with_flavor(state, output);
    // Writing to a vector cannot fail, and every value of these types can be serialized: only a sequence of unknown
    // length would fail.
    debug_assert!(written.is_ok(), "{written:?}");
    written.unwrap_or_default()
}

/// Removes the frame of a state.
///
/// # Errors
/// [`RestoreError`] if [`frame`] did not make the bytes.
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
