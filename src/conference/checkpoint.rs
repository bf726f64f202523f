//! A conference as bytes, between any two inputs: so that another process, or another machine, goes on with it.

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
use crate::fabric::Fabric;
use crate::fabric::Usage;
use crate::id::FabricId;
use crate::unit::Timestamp;

/// What binary states begin with: a name, and the version of all that follows. A state of another version is refused.
const MAGIC: [u8; 4] = *b"CGC\x03";
/// The same in words.
const SCHEMA: &str = "callgauge.state/3";

/// A conference's state, to be written or read by any serde format: as [`Conference::save`] and [`Conference::restore`]
/// do with the compact one. Numbers must survive exactly (`serde_json` needs its feature `float_roundtrip`): the state
/// has a checksum, so that what did not is found out.
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

/// All of a conference but its configuration, which is the caller's.
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
    /// The conference as bytes, from which [`restore`](Self::restore) makes one that goes on alike, to the bit: with
    /// the events that were not polled yet, and without the configuration. Equal conferences have equal bytes, whatever
    /// the machine. Only the sentence of a [`NoScore::Other`](crate::score::NoScore::Other), which a model of the
    /// caller's said, is not kept. Ids of fabrics and users stay good.
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
        frame(MAGIC, &(Models::of(&self.config), Call::of(self)))
    }

    /// The conference that [`save`](Self::save) wrote, under a configuration that has the same models. Other limits
    /// hold from now on; nothing that is there is dropped.
    ///
    /// The checksum is against accidents. Who forges one can make a conference say anything, but not panic: times that no
    /// call has are refused, and what is counted stops at its ends (`tests/hostile/forged.rs` sets numbers of a state
    /// to their extremes, one by one and many at once, and `fuzz/` has a target). What a conference takes goes by what
    /// is in it, with the square of its users where all of them time out; limits hold for what is added. So bound the
    /// length of states of strangers.
    ///
    /// # Errors
    /// [`RestoreError`], for bytes that `save` did not write, or with other models.
    pub fn restore(bytes: &[u8], config: Config) -> Result<Self, RestoreError> {
        let (models, call): (Models, Call<'_>) = unframe(MAGIC, bytes)?;
        models.check(&config)?;
        let mut call = call.into_conference();
        call.attach_config(&config)?;
        Ok(call)
    }

    /// Gives a conference that was read its configuration, and what follows from it.
    ///
    /// # Errors
    /// [`RestoreError::Corrupt`] for one that contradicts itself.
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

    /// The state for other formats than the compact one, JSON for one.
    #[must_use]
    pub fn state(&self) -> Checkpoint<'_> {
        let call = Call::of(self);
        Checkpoint { schema: SCHEMA.into(), checksum: call.checksum(), models: Models::of(&self.config), call }
    }
}

impl Checkpoint<'_> {
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
        let mut call = self.call.into_conference();
        call.attach_config(&config)?;
        Ok(call)
    }
}

/// Reads a conference within another state. Its owner calls [`attach_config`](Conference::attach_config) afterwards.
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

/// The usage of all fabrics, which a state does not hold.
fn usage_of(fabrics: &[Fabric]) -> Usage {
    fabrics.iter().map(Fabric::usage).fold(Usage::default(), |all, one| Usage {
        streams: all.streams.saturating_add(one.streams),
        ssrcs: all.ssrcs.saturating_add(one.ssrcs),
    })
}
