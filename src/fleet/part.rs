//! Merges the rollups of several fleets under at-least-once delivery. It does not transport the parts.

use alloc::collections::BTreeMap;
use alloc::string::String;

use super::rollup::{Period, Rollup};
use crate::unit::Timestamp;

/// The schema of [`Part`]. New keys do not change it; renaming a key or changing its meaning raises it.
pub const SCHEMA: &str = "callgauge.rollup/1";

/// The schema identifier. A reader of another schema refuses the part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum PartSchema {
    /// [`SCHEMA`].
    #[default]
    #[cfg_attr(feature = "serde", serde(rename = "callgauge.rollup/1"))]
    V1,
}

/// One fleet's contribution to the rollup of a window.
///
/// A fleet may issue further parts for the same window, when late inputs end a conference in it. Each has a new
/// sequence number and holds only what the earlier parts do not.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Part {
    /// [`SCHEMA`].
    pub schema: PartSchema,
    /// The name of the fleet: [`FleetConfig::with_shard`](super::FleetConfig::with_shard).
    pub shard: String,
    /// The window in which its conferences ended.
    pub period: Period,
    /// Unique and ascending within a shard.
    pub sequence: u64,
    /// The rollup of these conferences.
    pub rollup: Rollup,
}

/// The result of [`Merger::add`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Merged {
    /// The part was added.
    Added,
    /// The part was added before. Nothing has changed.
    Repeated,
    /// A part with the same shard and number but other contents was added before: the shard restarted from an older
    /// state and received different input. Nothing has changed, and one of the two parts is wrong.
    Conflicting,
    /// The window was [taken](Merger::take_before) before, so whether the part was added is unknown. Nothing has
    /// changed.
    TooLate,
}

/// Merges parts of any number of fleets by window. Each part counts once, in whatever order and however often it
/// arrives. With the feature `serde` a merger can be serialized, so that it recognizes parts after a restart.
///
/// Memory: for each window until it is [taken](Self::take_before), up to 40 KB for each full distribution of the total
/// and of each label, and some 60 bytes for each part.
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
///         assert_eq!(merger.add(&part), Merged::Repeated); // delivered again by an at-least-once queue
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
    /// Windows that end up to this time were taken.
    taken: Option<Timestamp>,
    too_late: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Window {
    rollup: Rollup,
    /// The sequence numbers that were added, by shard, with the size of each part.
    seen: BTreeMap<String, BTreeMap<u64, Size>>,
}

/// Two parts with one sequence number and equal sizes count as the same part.
type Size = [u64; 5];

fn size(rollup: &Rollup) -> Size {
    let total = &rollup.total;
    [total.conferences, total.participants, total.stays, total.stayed_micros, total.streams.bitrate_bps.weight()]
}

impl Merger {
    /// Creates an empty merger.
    #[must_use]
    pub const fn new() -> Self {
        Self { windows: BTreeMap::new(), taken: None, too_late: 0 }
    }

    /// Adds a part, unless it was added before. The same parts give the same rollups in any order.
    ///
    /// Stores the sequence number of each part until its window is taken. A shard that restarts with an empty fleet,
    /// which counts from 0 again, needs a new name.
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

    /// The windows with their rollups so far, by time.
    pub fn rollups(&self) -> impl Iterator<Item = (Period, &Rollup)> {
        self.windows.iter().map(|(&period, window)| (period, &window.rollup))
    }

    /// Takes the earliest window that is over at `time`; repeated calls take the next ones, until there is none. Later
    /// parts of these windows are refused, which bounds memory: `time` should lie as far back as parts may be late.
    #[must_use]
    pub fn take_before(&mut self, time: Timestamp) -> Option<(Period, Rollup)> {
        self.taken = self.taken.max(Some(time));
        let period = self.windows.keys().find(|period| period.end <= time).copied()?;
        Some((period, self.windows.remove(&period)?.rollup))
    }

    /// The number of parts that came too late.
    #[must_use]
    pub const fn too_late(&self) -> u64 {
        self.too_late
    }
}

/// Serializes the windows as a list, because keys of a map must be strings.
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
