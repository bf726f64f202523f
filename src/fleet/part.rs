//! Rollups of several fleets into one, under at-least-once delivery.

use alloc::collections::BTreeMap;
use alloc::string::String;

use super::rollup::{Period, Rollup};
use crate::unit::Timestamp;

/// The schema of [`Part`]. New keys leave it as it is; a key that changes its name or meaning raises it.
pub const SCHEMA: &str = "callgauge.rollup/1";

/// The schema, which a reader of another one refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum PartSchema {
    /// [`SCHEMA`].
    #[default]
    #[cfg_attr(feature = "serde", serde(rename = "callgauge.rollup/1"))]
    V1,
}

/// What one fleet has to say of a window: a part of the whole, to be added to the others.
///
/// A fleet may say more of the same window later, when a conference that ended in it is told late: that is another part
/// with another sequence number, which holds only what the earlier ones do not.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Part {
    /// [`SCHEMA`].
    pub schema: PartSchema,
    /// Whose it is: [`FleetConfig::with_shard`](super::FleetConfig::with_shard).
    pub shard: String,
    /// The window in which its conferences ended.
    pub period: Period,
    /// No two parts of a shard have the same; later ones have a higher one.
    pub sequence: u64,
    /// What these conferences came to.
    pub rollup: Rollup,
}

/// What a [`Merger`] made of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Merged {
    /// It is in.
    Added,
    /// It was in before. Nothing has changed.
    Repeated,
    /// Another part with its number was in before, with other contents: its shard was started anew from an older state, and
    /// was told something else. Nothing has changed, and one of the two is wrong.
    Conflicting,
    /// Its window was [taken](Merger::take_before) before: whether it was in, nobody knows any more. Nothing has
    /// changed.
    TooLate,
}

/// Parts of any number of fleets, merged by window, each of them once, however often and in whatever order they come. With
/// the feature `serde` it can be written and read, so that it knows them after a restart, too.
///
/// Memory: of each window until it is [taken](Self::take_before), for the total and each label up to 40 KB for each
/// distribution that is full, and some 60 bytes for each part.
///
/// ```
/// use callgauge::fleet::{Fleet, FleetConfig, Merged, Merger};
/// use callgauge::unit::Timestamp;
/// use callgauge::FabricSpec;
///
/// let mut merger = Merger::new();
/// for shard in ["a", "b"] {
///     let mut fleet = Fleet::new(FleetConfig::new().with_shard(shard));
///     fleet.enter(Timestamp::from_millis(0), shard)?.open_fabric(Timestamp::from_millis(0), FabricSpec::new("pc"))?;
///     fleet.handle_timeout(Timestamp::from_millis(600_000));
///     while let Some(part) = fleet.poll_rollup() {
///         assert_eq!(merger.add(&part), Merged::Added);
///         assert_eq!(merger.add(&part), Merged::Repeated); // sent again by a cautious queue
///     }
/// }
/// let windows: Vec<_> = merger.rollups().collect();
/// assert_eq!(windows.len(), 1);
/// assert_eq!(windows[0].1.total.conferences, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Merger {
    #[cfg_attr(feature = "serde", serde(with = "pairs"))]
    windows: BTreeMap<Period, Window>,
    /// Windows that end up to here were taken.
    taken: Option<Timestamp>,
    too_late: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Window {
    rollup: Rollup,
    /// The sequence numbers that are in, by shard, and how much each part holds.
    seen: BTreeMap<String, BTreeMap<u64, Size>>,
}

/// Two parts that differ in nothing of this are taken for the same.
type Size = [u64; 5];

fn size(rollup: &Rollup) -> Size {
    let total = &rollup.total;
    [total.conferences, total.participants, total.stays, total.stayed_micros, total.streams.bitrate_bps.weight()]
}

impl Merger {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { windows: BTreeMap::new(), taken: None, too_late: 0 }
    }

    /// Adds a part, unless it is in already. The same parts give the same rollups in any order.
    ///
    /// Keeps a sequence number of each part until its window is taken. Who starts a shard anew, with a fleet that
    /// counts from 0 again, gives it another name.
    pub fn add(&mut self, part: &Part) -> Merged {
        if self.taken.is_some_and(|taken| part.period.end <= taken) {
            self.too_late = self.too_late.saturating_add(1);
            return Merged::TooLate;
        }
        let window = self.windows.entry(part.period).or_default();
        let size = size(&part.rollup);
        if let Some(before) = window.seen.get(&part.shard).and_then(|seen| seen.get(&part.sequence)) {
            return if *before == size { Merged::Repeated } else { Merged::Conflicting };
        }
        window.seen.entry(part.shard.clone()).or_default().insert(part.sequence, size);
        window.rollup.merge(&part.rollup);
        Merged::Added
    }

    /// What is there of each window so far, by time.
    pub fn rollups(&self) -> impl Iterator<Item = (Period, &Rollup)> {
        self.windows.iter().map(|(&period, window)| (period, &window.rollup))
    }

    /// Takes the earliest window that is over at `time`, and after it the next, until there is none. More parts of such
    /// windows are refused from now on, so that memory stays bounded: `time` is to lie as far back as parts may be
    /// late.
    #[must_use]
    pub fn take_before(&mut self, time: Timestamp) -> Option<(Period, Rollup)> {
        self.taken = self.taken.max(Some(time));
        let period = self.windows.keys().find(|period| period.end <= time).copied()?;
        Some((period, self.windows.remove(&period)?.rollup))
    }

    /// How many parts came too late.
    #[must_use]
    pub const fn too_late(&self) -> u64 {
        self.too_late
    }
}

/// Windows as a list: a format's keys are texts.
#[cfg(feature = "serde")]
mod pairs {
    use alloc::vec::Vec;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{BTreeMap, Period, Window};

    pub(super) fn serialize<S: Serializer>(
        windows: &BTreeMap<Period, Window>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(windows)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Period, Window>, D::Error> {
        Ok(Vec::<(Period, Window)>::deserialize(deserializer)?.into_iter().collect())
    }
}
