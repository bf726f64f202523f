//! A conference as bytes, between any two inputs: so that another process, or another machine, goes on with it.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Conference;
use super::fabric::Fabric;
use super::log::Log;
use super::outbox::Outbox;
use super::roster::{End, Roster};
use super::taken::Taken;
use super::voices::Voices;
use crate::config::Config;
use crate::id::FabricId;
use crate::score::ModelId;
use crate::stream::fnv1a_64;
use crate::unit::Timestamp;

/// What binary states begin with: a name, and the version of all that follows. A state of another version is refused.
const MAGIC: [u8; 4] = *b"CGC\x01";
/// The same in words.
const SCHEMA: &str = "callgauge.state/1";

/// A conference's state, to be written or read by any serde format: as [`Conference::save`] and [`Conference::restore`]
/// do with the compact one. Numbers must survive exactly (`serde_json` needs its feature `float_roundtrip`): the state
/// has a checksum, so that what did not is found out.
///
/// ```
/// use callgauge::conference::State;
/// use callgauge::{Conference, Config};
///
/// let call = Conference::new("AliceAndBob", Config::new());
/// let text = serde_json::to_string(&call.state()).unwrap();
/// let state: State<'_> = serde_json::from_str(&text).unwrap();
/// let call_again = state.resume(Config::new())?;
/// assert_eq!(call_again.summary(), call.summary());
/// # Ok::<(), callgauge::conference::RestoreError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State<'a> {
    schema: Cow<'a, str>,
    checksum: u64,
    models: Models,
    call: Call<'a>,
}

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

/// All of a conference but its configuration, which is the caller's.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Call<'a> {
    name: Cow<'a, Option<String>>,
    instance: u32,
    fabrics: Cow<'a, [Fabric]>,
    roster: Cow<'a, Roster>,
    log: Cow<'a, Log>,
    out: Cow<'a, Outbox>,
    now: Option<Timestamp>,
    end: Option<End>,
    is_settled: bool,
    dominant: Option<FabricId>,
    voices: Cow<'a, Option<Box<Voices>>>,
}

/// Why a state was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RestoreError {
    /// These bytes are no state of what was asked for, a conference or a fleet.
    Foreign,
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
            Self::Foreign => "these bytes are no state of this kind",
            Self::OtherVersion => "this state was written by another version of callgauge",
            Self::Corrupt => "this state is cut short, or something in it has changed",
            Self::OtherModels => "the scores in this state are by other models than those of the configuration",
            Self::OtherWindows => "the windows or graces in this state are others than those of the configuration",
        })
    }
}

impl core::error::Error for RestoreError {}

impl Conference {
    /// The conference as bytes, from which [`restore`](Self::restore) makes one that goes on alike, to the bit: with
    /// the events that were not polled yet, and without the configuration. Equal conferences have equal bytes, whatever
    /// the machine. Only the sentence of a [`NoScore::Other`](crate::score::NoScore::Other), which a model of the
    /// caller's said, is not kept.
    ///
    /// Cost: linear in streams, 4 to 5 KB for each, all of the call counted.
    ///
    /// ```
    /// use callgauge::unit::Timestamp;
    /// use callgauge::{Conference, Config, FabricSpec};
    ///
    /// let mut call = Conference::new("AliceAndBob", Config::new());
    /// call.open_fabric(Timestamp::from_millis(0), FabricSpec::new("pc-1"))?;
    /// let bytes = call.save();
    ///
    /// let mut call_again = Conference::restore(&bytes, Config::new())?;
    /// assert_eq!(call_again.poll_event(), call.poll_event());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        seal(MAGIC, &(Models::of(&self.config), Call::of(self)))
    }

    /// The conference that [`save`](Self::save) wrote, under a configuration that has the same models. Other limits
    /// hold from now on; nothing that is there is dropped.
    ///
    /// The checksum is against accidents. Who forges one can make a conference say anything, but not panic (`fuzz/` has
    /// a target for that).
    ///
    /// # Errors
    /// [`RestoreError`], for bytes that `save` did not write, or with other models.
    pub fn restore(bytes: &[u8], config: Config) -> Result<Self, RestoreError> {
        let (models, call): (Models, Call<'_>) = unseal(MAGIC, bytes)?;
        models.check(&config)?;
        let mut call = call.thaw();
        call.adopt(&config)?;
        Ok(call)
    }

    /// Gives a conference that was read its configuration, and what follows from it.
    ///
    /// # Errors
    /// [`RestoreError::Corrupt`] for one that contradicts itself.
    pub(crate) fn adopt(&mut self, config: &Config) -> Result<(), RestoreError> {
        self.config = config.clone();
        let models = Models::ids(config);
        self.out.revive(models);
        let mut fabrics = (0..).zip(&mut self.fabrics);
        let is_sound = fabrics.all(|(place, fabric)| fabric.id().index() == place && fabric.revive(models));
        self.taken = Taken::by(&self.fabrics);
        if is_sound { Ok(()) } else { Err(RestoreError::Corrupt) }
    }

    /// The state for other formats than the compact one, JSON for one.
    #[must_use]
    pub fn state(&self) -> State<'_> {
        let call = Call::of(self);
        State { schema: SCHEMA.into(), checksum: call.checksum(), models: Models::of(&self.config), call }
    }
}

impl State<'_> {
    /// The conference that goes on from here, as [`Conference::restore`] makes it.
    ///
    /// # Errors
    /// [`RestoreError`], for a state of another version, with other models, or whose numbers did not survive.
    pub fn resume(self, config: Config) -> Result<Conference, RestoreError> {
        if self.schema != SCHEMA {
            return Err(RestoreError::OtherVersion);
        }
        if self.call.checksum() != self.checksum {
            return Err(RestoreError::Corrupt);
        }
        self.models.check(&config)?;
        let mut call = self.call.thaw();
        call.adopt(&config)?;
        Ok(call)
    }
}

/// Puts a state into its frame: what it is, in which version, and a checksum.
pub(crate) fn seal(magic: [u8; 4], state: &impl Serialize) -> Vec<u8> {
    // A vector takes all that is written to it.
    let mut bytes = postcard::to_extend(state, magic.to_vec()).unwrap_or_default();
    let sum = fnv1a_64(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// Takes a state out of its frame.
///
/// # Errors
/// [`RestoreError`], for bytes that [`seal`] did not make.
pub(crate) fn unseal<'de, T: Deserialize<'de>>(magic: [u8; 4], bytes: &'de [u8]) -> Result<T, RestoreError> {
    let [name @ .., version] = magic;
    match bytes.strip_prefix(&name).and_then(|rest| rest.first()) {
        None => return Err(RestoreError::Foreign),
        Some(other) if *other != version => return Err(RestoreError::OtherVersion),
        Some(_) => {}
    }
    let (bytes, sum) = bytes.split_last_chunk().ok_or(RestoreError::Corrupt)?;
    let state = bytes.get(magic.len()..).filter(|_| fnv1a_64(bytes) == u64::from_le_bytes(*sum));
    match postcard::take_from_bytes(state.ok_or(RestoreError::Corrupt)?) {
        Ok((state, [])) => Ok(state),
        _ => Err(RestoreError::Corrupt),
    }
}

/// A conference within another state, whose owner lets it [`adopt`](Conference::adopt) its configuration afterwards.
pub(crate) fn serialize<S: Serializer>(call: &Conference, serializer: S) -> Result<S::Ok, S::Error> {
    Call::of(call).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Conference, D::Error> {
    Ok(Call::deserialize(deserializer)?.thaw())
}

impl<'a> Call<'a> {
    fn of(call: &'a Conference) -> Self {
        Self {
            name: Cow::Borrowed(&call.name),
            instance: call.instance,
            fabrics: Cow::Borrowed(&call.fabrics),
            roster: Cow::Borrowed(&call.roster),
            log: Cow::Borrowed(&call.log),
            out: Cow::Borrowed(&call.out),
            now: call.now,
            end: call.end,
            is_settled: call.is_settled,
            dominant: call.dominant,
            voices: Cow::Borrowed(&call.voices),
        }
    }

    fn checksum(&self) -> u64 {
        fnv1a_64(&postcard::to_allocvec(self).unwrap_or_default())
    }

    /// The conference, without a configuration.
    fn thaw(self) -> Conference {
        Conference {
            name: self.name.into_owned(),
            instance: self.instance,
            fabrics: self.fabrics.into_owned(),
            roster: self.roster.into_owned(),
            log: self.log.into_owned(),
            out: self.out.into_owned(),
            now: self.now,
            end: self.end,
            is_settled: self.is_settled,
            dominant: self.dominant,
            voices: self.voices.into_owned(),
            taken: Taken::default(),
            config: Config::new(),
        }
    }
}
