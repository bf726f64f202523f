//! The streams of one PeerConnection: one record for each, in a list that only grows. It computes no figures.

use alloc::boxed::Box;
use core::ops::{Index, IndexMut};

use hashbrown::HashMap;

use super::app_state::StreamAppState;
use super::paths::PathIndex;
use super::ssrc_map::Owner;
use crate::id::{Direction, Ssrc};
use crate::list::{List, Listed, list_id};
use crate::maybe::Maybe;
use crate::metric::{Interval, Metric};
use crate::report::{Entry, Report, StatsType, TimeMap};
use crate::score::rating::CallstatsRating;
use crate::stream::{IntervalScore, StreamRecord};
use crate::unit::Timestamp;

list_id! {
    /// A stream of the [`Streams`] that opened it. It stays valid: streams are never removed.
    SlotId
}

/// The data that a fabric stores for one stream.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct StreamSlot {
    pub(crate) record: StreamRecord,
    pub(crate) entries: EntryRefs,
    /// The previous owner, until the next sample splits the record.
    pub(crate) previous_owner: Option<Box<Owner>>,
    pub(crate) app: StreamAppState,
    /// The figures of its latest interval.
    pub(crate) latest: LatestInterval,
}

/// The positions of a stream's entries in the latest report that had it.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct EntryRefs {
    /// The number of the snapshot.
    pub(crate) snapshot: u64,
    /// The stream's own entry.
    pub(crate) own: u32,
    /// The remote endpoint's report about it.
    pub(crate) remote: Option<u32>,
    /// The path that carries the stream; `None` if it is not known which of several.
    pub(crate) path: Option<PathIndex>,
}

/// The figures of the latest interval that a view shows.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct LatestInterval {
    pub(crate) bitrate_bps: Maybe,
    pub(crate) packet_rate_pps: Maybe,
    pub(crate) loss_ratio: Maybe,
    pub(crate) jitter_ms: Maybe,
    pub(crate) rtt_ms: Maybe,
    pub(crate) level: Maybe,
    pub(crate) rating: Option<CallstatsRating>,
    /// The score, and its band: low, high.
    pub(crate) mos: [Maybe; 3],
    pub(crate) frames_per_second: Maybe,
}

/// The figures of a stream while one user owned it.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct OwnedPart {
    pub(crate) record: StreamRecord,
    pub(crate) owner: Owner,
}

/// The streams of a fabric, in the order of their first samples.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub(crate) struct Streams {
    slots: List<StreamSlot>,
    #[cfg_attr(feature = "serde", serde(skip))]
    index: HashMap<(Direction, Ssrc), SlotId>,
}

impl Listed for StreamSlot {
    type Id = SlotId;
}

impl StreamSlot {
    fn new(record: StreamRecord, now: Timestamp) -> Self {
        Self {
            record,
            entries: EntryRefs::default(),
            previous_owner: None,
            app: StreamAppState::new(now),
            latest: LatestInterval::default(),
        }
    }

    /// Starts a new record if the stream changed owner since the last sample; the old record becomes a part of the
    /// previous owner.
    pub(crate) fn split(&mut self, entry: Entry<'_>) -> Option<OwnedPart> {
        if self.previous_owner.is_none() || entry.timestamp() <= Some(self.record.end()) {
            return None;
        }
        let owner = *self.previous_owner.take()?;
        let mut record = StreamRecord::open(self.record.direction, entry)?;
        record.kind = record.kind.or(self.record.kind);
        self.latest = LatestInterval::default();
        Some(OwnedPart { record: core::mem::replace(&mut self.record, record), owner })
    }
}

impl LatestInterval {
    pub(super) fn of(interval: &Interval, IntervalScore { score, rating }: IntervalScore) -> Self {
        let get = |metric| Maybe::new(interval.get(metric));
        Self {
            bitrate_bps: get(Metric::BitrateBps),
            packet_rate_pps: get(Metric::PacketRatePps),
            loss_ratio: get(Metric::LossRatio),
            jitter_ms: get(Metric::JitterMs),
            rtt_ms: get(Metric::RttMs),
            level: get(Metric::Level),
            rating: Some(rating),
            mos: score.map_or([Maybe::NONE; 3], |score| {
                [score.mos(), score.low(), score.high()].map(|mos| Maybe::new(Some(mos.as_f64())))
            }),
            frames_per_second: get(Metric::FramesPerSecond),
        }
    }
}

impl Streams {
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn iter(&self) -> core::slice::Iter<'_, StreamSlot> {
        self.slots.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> core::slice::IterMut<'_, StreamSlot> {
        self.slots.iter_mut()
    }

    /// The records of all streams.
    pub(crate) fn records(&self) -> impl Iterator<Item = &StreamRecord> + Clone {
        self.slots.iter().map(|slot| &slot.record)
    }

    pub(crate) fn id(&self, direction: Direction, ssrc: Ssrc) -> Option<SlotId> {
        self.index.get(&(direction, ssrc)).copied()
    }

    pub(crate) fn find(&self, direction: Direction, ssrc: Ssrc) -> Option<&StreamSlot> {
        self.id(direction, ssrc).map(|id| &self[id])
    }

    /// Whether any stream's counters advance to a report, and none is reset, though its time is earlier than the last.
    pub(super) fn advance(&self, report: &Report, clock: &TimeMap) -> bool {
        report.entries().any(|entry| {
            let direction = match entry.kind() {
                StatsType::InboundRtp => Direction::Inbound,
                StatsType::OutboundRtp => Direction::Outbound,
                _ => return false,
            };
            let stream = entry.ssrc().and_then(|ssrc| self.find(direction, ssrc));
            stream.is_some_and(|stream| stream.record.advances_in_the_past(entry.on(clock)))
        })
    }

    /// Adds a stream that [`Self::id`] does not find. `None` when ids are used up.
    pub(crate) fn open(&mut self, record: StreamRecord, now: Timestamp) -> Option<SlotId> {
        let key = (record.direction, record.ssrc);
        let id = self.slots.push(StreamSlot::new(record, now))?;
        let before = self.index.insert(key, id);
        debug_assert!(before.is_none(), "a stream is opened once");
        Some(id)
    }

    /// Rebuilds the index, which a state omits. Returns whether each stream occurs once.
    #[cfg(feature = "serde")]
    pub(crate) fn restore_models(&mut self) -> bool {
        let keys = self.slots.iter().map(|slot| (slot.record.direction, slot.record.ssrc));
        self.index = keys.zip(self.slots.ids()).collect();
        self.index.len() == self.slots.len()
    }
}

impl Index<SlotId> for Streams {
    type Output = StreamSlot;

    fn index(&self, id: SlotId) -> &StreamSlot {
        &self.slots[id]
    }
}

impl IndexMut<SlotId> for Streams {
    fn index_mut(&mut self, id: SlotId) -> &mut StreamSlot {
        &mut self.slots[id]
    }
}
