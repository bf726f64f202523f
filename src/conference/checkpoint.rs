//! Saves a conference as bytes between any two inputs, and restores it in another process or on another machine. It
//! does not save the configuration.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Conference;
use super::log::Log;
use super::roster::{End, Roster};
use super::speakers::Attribution;
use crate::checkpoint::{Models, RestoreError, checksum, frame, unframe};
use crate::config::Config;
use crate::event::EventQueue;
use crate::fabric::{Fabric, Usage};
use crate::id::FabricId;
use crate::unit::Timestamp;

/// The first bytes of a binary state: a name, and the version of everything that follows. A state of another version is
/// refused.
const MAGIC: [u8; 4] = *b"CGC\x05";
/// The name and version as text.
const SCHEMA: &str = "callgauge.state/5";

/// A conference's state for any serde format. [`Conference::save`] and [`Conference::restore`] use the compact format.
/// Numbers must survive exactly (`serde_json` needs its feature `float_roundtrip`); a checksum detects altered ones.
///
/// ```
/// use callgauge::conference::Checkpoint;
/// use callgauge::{Conference, Config};
///
/// let call = Conference::new("AliceAndBob", Config::new());
/// let text = serde_json::to_string(&call.state()).unwrap();
/// let state: Checkpoint<'_> = serde_json::from_str(&text).unwrap();
/// let call_again = state.resume(Config::new())?;
/// assert_eq!(call_again.summary(), call.summary());
/// # Ok::<(), callgauge::conference::RestoreError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint<'a> {
    schema: Cow<'a, str>,
    checksum: u32,
    models: Models,
    call: Call<'a>,
}

/// A conference without its configuration, which belongs to the caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Call<'a> {
    name: Cow<'a, Option<String>>,
    instance: u32,
    fabrics: Cow<'a, [Fabric]>,
    roster: Cow<'a, Roster>,
    log: Cow<'a, Log>,
    out: Cow<'a, EventQueue>,
    now: Option<Timestamp>,
    end: Option<End>,
    is_settled: bool,
    dominant: Option<FabricId>,
    attribution: Cow<'a, Option<Box<Attribution>>>,
}

impl Conference {
    /// Saves the conference as bytes. [`restore`](Self::restore) makes a conference that continues identically, to the
    /// bit. The bytes contain the events not polled yet, and no configuration. Equal conferences have equal bytes on
    /// every machine. Only the text of a [`NoScore::Other`](crate::score::NoScore::Other) from a model of the caller is
    /// not saved. Ids of fabrics and users stay valid.
    ///
    /// Cost: linear in the number of streams, 3 to 4 KB for each, including everything else of the call.
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
        frame(MAGIC, &(Models::of(&self.config), Call::of(self)))
    }

    /// Restores a conference that [`save`](Self::save) wrote, under a configuration with the same models. Its limits
    /// apply from now on; existing data is not dropped.
    ///
    /// The checksum protects against accidents. A forged state can make a conference report anything, but not panic:
    /// times that no call has are refused, and counters saturate (`tests/hostile/forged.rs` sets numbers of a state to
    /// their extremes, one by one and many at once, and `fuzz/` has a target). The cost of a conference depends on its
    /// contents, and on the square of its users if all of them time out; limits apply to additions. So bound the length
    /// of untrusted states.
    ///
    /// # Errors
    /// [`RestoreError`], for bytes that `save` did not write, or for other models.
    pub fn restore(bytes: &[u8], config: Config) -> Result<Self, RestoreError> {
        let (models, call): (Models, Call<'_>) = unframe(MAGIC, bytes)?;
        models.check(&config)?;
        let mut call = call.into_conference();
        call.attach_config(&config)?;
        Ok(call)
    }

    /// Attaches the configuration to a conference that was read, and rebuilds the state derived from it.
    ///
    /// # Errors
    /// [`RestoreError::Corrupt`] if the state contradicts itself.
    pub(crate) fn attach_config(&mut self, config: &Config) -> Result<(), RestoreError> {
        self.config = config.clone();
        let models = Models::ids(config);
        self.out.restore_models(models);
        let mut fabrics = (0..).zip(&mut self.fabrics);
        let are_possible = fabrics.all(|(place, fabric)| fabric.id().index() == place && fabric.restore_models(models))
            && self.attribution.as_deref().is_none_or(Attribution::is_possible);
        self.usage = usage_of(&self.fabrics);
        if are_possible { Ok(()) } else { Err(RestoreError::Corrupt) }
    }

    /// The state for formats other than the compact one, such as JSON.
    #[must_use]
    pub fn state(&self) -> Checkpoint<'_> {
        let call = Call::of(self);
        Checkpoint { schema: SCHEMA.into(), checksum: call.checksum(), models: Models::of(&self.config), call }
    }
}

impl Checkpoint<'_> {
    /// Continues the conference from this state, as [`Conference::restore`] does.
    ///
    /// # Errors
    /// [`RestoreError`], for a state of another version, with other models, or with altered numbers.
    pub fn resume(self, config: Config) -> Result<Conference, RestoreError> {
        if self.schema != SCHEMA {
            return Err(RestoreError::OtherVersion);
        }
        if self.call.checksum() != self.checksum {
            return Err(RestoreError::Corrupt);
        }
        self.models.check(&config)?;
        let mut call = self.call.into_conference();
        call.attach_config(&config)?;
        Ok(call)
    }
}

/// Serializes a conference within another state. After reading, the owner calls
/// [`attach_config`](Conference::attach_config).
pub(crate) fn serialize<S: Serializer>(call: &Conference, serializer: S) -> Result<S::Ok, S::Error> {
    Call::of(call).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Conference, D::Error> {
    Ok(Call::deserialize(deserializer)?.into_conference())
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
            attribution: Cow::Borrowed(&call.attribution),
        }
    }

    fn checksum(&self) -> u32 {
        checksum(self)
    }

    /// The conference, without a configuration.
    fn into_conference(self) -> Conference {
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
            attribution: self.attribution.into_owned(),
            usage: Usage::default(),
            config: Config::new(),
        }
    }
}

/// The usage of all fabrics, which a state does not contain.
fn usage_of(fabrics: &[Fabric]) -> Usage {
    fabrics.iter().map(Fabric::usage).fold(Usage::default(), |all, one| Usage {
        streams: all.streams.saturating_add(one.streams),
        ssrcs: all.ssrcs.saturating_add(one.ssrcs),
    })
}
