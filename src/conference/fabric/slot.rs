//! The streams of one PeerConnection: one record for each, in a slab that only grows.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

use hashbrown::HashMap;

use super::{Latest, Part};
use crate::fabric::{Owner, StreamAppState};
use crate::id::{Direction, Ssrc};
use crate::list::push;
use crate::report::Entry;
use crate::stream::StreamRecord;
use crate::unit::Timestamp;

/// The place of a stream in the [`Streams`] that opened it. It stays valid: a slab never removes a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::conference) struct SlotId(u32);

/// Everything that a fabric knows of one stream.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::conference) struct StreamSlot {
    pub(in crate::conference) record: StreamRecord,
    pub(super) entries: EntryRefs,
    /// The previous owner, until the next sample splits the record.
    pub(super) previous_owner: Option<Box<Owner>>,
    pub(in crate::conference) app: StreamAppState,
    /// The figures of its latest interval.
    pub(in crate::conference) latest: Latest,
}

/// Where the entries about a stream stand in the latest report that had it.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct EntryRefs {
    /// The number of the snapshot.
    pub(super) snapshot: u64,
    /// The stream's own entry.
    pub(super) own: u32,
    /// The report of the other end about it.
    pub(super) remote: Option<u32>,
}

/// The streams of a fabric, in the order of their first samples.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub(in crate::conference) struct Streams {
    slots: Vec<StreamSlot>,
    #[cfg_attr(feature = "serde", serde(skip))]
    index: HashMap<(Direction, Ssrc), SlotId>,
}

impl SlotId {
    /// The position among the streams of the fabric.
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

impl StreamSlot {
    fn new(record: StreamRecord, now: Timestamp) -> Self {
        Self {
            record,
            entries: EntryRefs::default(),
            previous_owner: None,
            app: StreamAppState::new(now),
            latest: Latest::default(),
        }
    }

    /// Begins another record with `entry` when the stream has passed to another user since the last sample. The record so
    /// far is the part of the previous owner.
    pub(super) fn split(&mut self, entry: Entry<'_>) -> Option<Part> {
        if self.previous_owner.is_none() || entry.timestamp() <= Some(self.record.end()) {
            return None;
        }
        let owner = *self.previous_owner.take()?;
        let mut record = StreamRecord::open(self.record.direction, entry)?;
        record.kind = record.kind.or(self.record.kind);
        self.latest = Latest::default();
        Some(Part { account: core::mem::replace(&mut self.record, record), owner })
    }
}

impl Streams {
    pub(super) const fn len(&self) -> usize {
        self.slots.len()
    }

    pub(in crate::conference) fn iter(&self) -> core::slice::Iter<'_, StreamSlot> {
        self.slots.iter()
    }

    pub(super) fn iter_mut(&mut self) -> core::slice::IterMut<'_, StreamSlot> {
        self.slots.iter_mut()
    }

    /// The records of all streams.
    pub(in crate::conference) fn records(&self) -> impl Iterator<Item = &StreamRecord> + Clone {
        self.slots.iter().map(|slot| &slot.record)
    }

    pub(super) fn id(&self, direction: Direction, ssrc: Ssrc) -> Option<SlotId> {
        self.index.get(&(direction, ssrc)).copied()
    }

    pub(in crate::conference) fn find(&self, direction: Direction, ssrc: Ssrc) -> Option<&StreamSlot> {
        self.id(direction, ssrc).map(|id| &self[id])
    }

    /// Adds a stream that [`Self::id`] does not find. `None` when ids are used up.
    pub(super) fn open(&mut self, record: StreamRecord, now: Timestamp) -> Option<SlotId> {
        let id = SlotId(u32::try_from(self.slots.len()).ok()?);
        let before = self.index.insert((record.direction, record.ssrc), id);
        debug_assert!(before.is_none(), "a stream is opened once");
        push(&mut self.slots, StreamSlot::new(record, now));
        Some(id)
    }

    /// Makes the index, which a state does not hold. Whether every stream is there once.
    #[cfg(feature = "serde")]
    pub(super) fn restore_models(&mut self) -> bool {
        let keys = self.slots.iter().map(|slot| (slot.record.direction, slot.record.ssrc));
        self.index = keys.zip((0..).map(SlotId)).collect();
        self.index.len() == self.slots.len()
    }
}

impl Index<SlotId> for Streams {
    type Output = StreamSlot;

    fn index(&self, id: SlotId) -> &StreamSlot {
        debug_assert!(id.index() < self.slots.len(), "the id of another fabric's stream");
        &self.slots[id.index()]
    }
}

impl IndexMut<SlotId> for Streams {
    fn index_mut(&mut self, id: SlotId) -> &mut StreamSlot {
        debug_assert!(id.index() < self.slots.len(), "the id of another fabric's stream");
        &mut self.slots[id.index()]
    }
}
