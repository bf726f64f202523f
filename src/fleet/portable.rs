//! A fleet as bytes, between any two inputs.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::desk::{Desk, Window};
use super::room::{Instance, Room};
use super::{Ended, Fleet, FleetConfig, Period, Refused, Tally};
use crate::conference::{Conference, portable};
use crate::event::{Event, kept};
use crate::portable::{Models, RestoreError, seal, unseal};
use crate::score::ModelId;
use crate::summary::ConferenceSummary;
use crate::unit::Timestamp;

/// A name, and the version of all that follows: of the fleet's own, and of its conferences.
const MAGIC: [u8; 4] = *b"CGF\x02";

#[derive(Serialize, Deserialize)]
struct State<'a> {
    models: Models,
    /// How long windows and graces are, µs: what was begun under some cannot go on under others.
    window: u64,
    grace: u64,
    now: Timestamp,
    refused: Refused,
    sequence: u64,
    /// By id: which slot each was in makes no difference to anybody.
    rooms: Vec<KeptRoom<'a>>,
    /// By their place among them.
    ready: Vec<u32>,
    ended: Vec<KeptEnd<'a>>,
    windows: Vec<KeptWindow<'a>>,
}

#[derive(Serialize, Deserialize)]
struct KeptWindow<'a> {
    period: Period,
    total: Cow<'a, Tally>,
    labels: Vec<(Cow<'a, str>, Cow<'a, Tally>)>,
}

#[derive(Serialize, Deserialize)]
struct KeptRoom<'a> {
    id: Cow<'a, str>,
    current: KeptInstance<'a>,
    before: Option<KeptInstance<'a>>,
    visited: Timestamp,
    queued: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct KeptInstance<'a> {
    call: KeptCall<'a>,
    labels: Vec<Cow<'a, str>>,
}

struct KeptCall<'a>(Cow<'a, Conference>);

#[derive(Serialize, Deserialize)]
struct KeptEnd<'a> {
    conference: Cow<'a, str>,
    instance: u32,
    at: Timestamp,
    labels: Cow<'a, [String]>,
    events: KeptEvents<'a>,
    summary: Cow<'a, ConferenceSummary>,
}

struct KeptEvents<'a>(Cow<'a, VecDeque<Event>>);

impl Serialize for KeptCall<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        portable::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for KeptCall<'_> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Cow::Owned(portable::deserialize(deserializer)?)))
    }
}

impl Serialize for KeptEvents<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        kept::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for KeptEvents<'_> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Cow::Owned(kept::deserialize(deserializer)?)))
    }
}

impl Fleet {
    /// The fleet as bytes, with all that nobody polled yet: [`restore`](Self::restore) makes one of them that goes on
    /// alike, to the bit.
    ///
    /// Cost: linear in streams, about 4 KB for each, and once more as much while it is written.
    ///
    /// ```
    /// use callgauge::FabricSpec;
    /// use callgauge::fleet::{Fleet, FleetConfig};
    /// use callgauge::unit::Timestamp;
    ///
    /// let mut fleet = Fleet::new(FleetConfig::new());
    /// fleet.enter(Timestamp::from_millis(0), "standup")?.open_fabric(Timestamp::from_millis(0), FabricSpec::new("pc"))?;
    /// let mut again = Fleet::restore(&fleet.save(), FleetConfig::new())?;
    /// assert_eq!(again.poll_event(), fleet.poll_event());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let Self { rooms, desk } = self;
        let sorted = rooms.sorted();
        let place = |slot| {
            let id = &*rooms.get(slot)?.id;
            u32::try_from(sorted.binary_search_by(|room| (*room.id).cmp(id)).ok()?).ok()
        };
        let state = State {
            models: Models::of(&desk.config.conference),
            window: desk.config.window_micros(),
            grace: desk.config.grace_micros(),
            now: desk.now,
            refused: desk.refused,
            sequence: desk.sequence,
            rooms: sorted.iter().map(|room| KeptRoom::of(room)).collect(),
            ready: desk.ready.slots().filter_map(place).collect(),
            ended: desk.ended.iter().map(KeptEnd::of).collect(),
            windows: desk.windows.iter().map(|(&period, window)| KeptWindow::of(period, window)).collect(),
        };
        seal(MAGIC, &state)
    }

    /// The fleet that [`save`](Self::save) wrote, under a configuration that has the same models, windows and graces. Other limits hold
    /// from now on; nothing that is there is dropped.
    ///
    /// Its [shard name](FleetConfig::with_shard) may stay as long as what came after the state was written comes again, inputs,
    /// times and polls alike, as when a log is read from there on: its parts then are those of before, and a
    /// [`Merger`](super::Merger) knows them. Where something else may come, parts that were handed out already have to be
    /// forgotten by who has them.
    ///
    /// # Errors
    /// [`RestoreError`], for bytes that `save` did not write, or with other models, windows or graces.
    pub fn restore(bytes: &[u8], config: FleetConfig) -> Result<Self, RestoreError> {
        let state: State<'_> = unseal(MAGIC, bytes)?;
        state.models.check(&config.conference)?;
        if (state.window, state.grace) != (config.window_micros(), config.grace_micros()) {
            return Err(RestoreError::OtherWindows);
        }
        let models = Models::ids(&config.conference);
        let mut fleet = Self::new(config);
        let Self { rooms, desk } = &mut fleet;
        (desk.now, desk.refused, desk.sequence) = (state.now, state.refused, state.sequence);
        for kept in state.rooms {
            let room = kept.into_room(desk)?;
            let (id_is_new, queued) = (rooms.find(&room.id).is_none(), room.queued);
            let slot = rooms.add(room).filter(|_| id_is_new).ok_or(RestoreError::Corrupt)?;
            if let Some(at) = queued {
                desk.expiry.push(at, slot);
            }
        }
        for slot in state.ready {
            rooms.get(slot).ok_or(RestoreError::Corrupt)?;
            desk.ready.push(slot);
        }
        desk.ended = state.ended.into_iter().map(|ended| ended.into_end(models)).collect();
        for kept in state.windows {
            let n = kept.labels.len();
            let labels = kept.labels.into_iter().map(|(label, tally)| (desk.labels.keep(&label), tally.into_owned()));
            let window = Window { total: kept.total.into_owned(), labels: labels.collect() };
            let has_all = window.labels.len() == n;
            if desk.windows.insert(kept.period, window).is_some() || !has_all {
                return Err(RestoreError::Corrupt);
            }
        }
        Ok(fleet)
    }
}

impl<'a> KeptWindow<'a> {
    fn of(period: Period, window: &'a Window) -> Self {
        let labels = window.labels.iter().map(|(label, tally)| (Cow::Borrowed(&**label), Cow::Borrowed(tally)));
        Self { period, total: Cow::Borrowed(&window.total), labels: labels.collect() }
    }
}

impl<'a> KeptRoom<'a> {
    fn of(room: &'a Room) -> Self {
        Self {
            id: Cow::Borrowed(&room.id),
            current: KeptInstance::of(&room.current),
            before: room.before.as_deref().map(KeptInstance::of),
            visited: room.visited,
            queued: room.queued,
        }
    }

    fn into_room(self, desk: &mut Desk) -> Result<Room, RestoreError> {
        Ok(Room {
            id: self.id.into(),
            current: self.current.into_instance(desk)?,
            before: self.before.map(|before| before.into_instance(desk)).transpose()?.map(Box::new),
            visited: self.visited,
            queued: self.queued,
        })
    }
}

impl<'a> KeptInstance<'a> {
    fn of(instance: &'a Instance) -> Self {
        let labels = instance.labels.iter().map(|label| Cow::Borrowed(&**label)).collect();
        Self { call: KeptCall(Cow::Borrowed(&instance.call)), labels }
    }

    fn into_instance(self, desk: &mut Desk) -> Result<Instance, RestoreError> {
        let mut call = self.call.0.into_owned();
        call.adopt(&desk.config.conference)?;
        Ok(Instance { call, labels: self.labels.iter().map(|label| desk.labels.keep(label)).collect() })
    }
}

impl<'a> KeptEnd<'a> {
    fn of(ended: &'a Ended) -> Self {
        Self {
            conference: Cow::Borrowed(&ended.conference),
            instance: ended.instance,
            at: ended.at,
            labels: Cow::Borrowed(&ended.labels),
            events: KeptEvents(Cow::Borrowed(&ended.events)),
            summary: Cow::Borrowed(&ended.summary),
        }
    }

    fn into_end(self, models: [ModelId; 2]) -> Ended {
        let mut events = self.events.0.into_owned();
        kept::revive(&mut events, models);
        Ended {
            conference: self.conference.into_owned(),
            instance: self.instance,
            at: self.at,
            labels: self.labels.into_owned(),
            events,
            summary: Box::new(self.summary.into_owned()),
        }
    }
}
