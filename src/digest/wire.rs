//! The serialized form of a digest. Its variants are its versions: new ones are added, and none is changed.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::grid::{self, Grid, LAST_CELL, LAST_LEVEL};
use super::{Cell, Digest, StoredCells};

/// The current version, and the earlier ones.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wire {
    /// Before cells could be merged.
    V1(WireParts),
    V2 {
        level: u8,
        parts: WireParts,
    },
}

#[derive(Serialize, Deserialize)]
struct WireParts {
    grid: u8,
    n: u64,
    weight: u64,
    /// Split by [`halves`].
    sum: (i64, u64),
    /// The smallest and the largest value.
    range: Option<(f64, f64)>,
    /// The distance from the previous key, minus one, and the weight.
    cells: Vec<(u16, u64)>,
}

/// Why bytes are not a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DigestError {
    /// The bytes are truncated, of an unknown version, or of another kind.
    Malformed,
    /// The content contradicts itself, or belongs to another grid.
    Inconsistent,
}

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a digest of a known version",
            Self::Inconsistent => "the digest is inconsistent or uses another grid",
        })
    }
}

impl core::error::Error for DigestError {}

/// The upper and the lower half of a sum, because few formats have 128-bit integers.
pub(crate) const fn halves(sum: i128) -> (i64, u64) {
    ((sum >> 64) as i64, sum as u64)
}

/// Combines the halves of a sum.
pub(crate) const fn whole((upper, lower): (i64, u64)) -> i128 {
    (upper as i128) << 64 | lower as i128
}

impl<G: Grid> Digest<G> {
    /// The compact form: 12 to 30 bytes and about five for each cell. Equal digests have equal bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing to a vector cannot fail.
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Reads the compact form, of this version or an earlier one.
    ///
    /// # Errors
    /// [`DigestError`] if [`to_bytes`](Self::to_bytes) did not make the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DigestError> {
        match postcard::take_from_bytes::<Wire>(bytes) {
            Ok((wire, [])) => Self::from_wire(wire).ok_or(DigestError::Inconsistent),
            _ => Err(DigestError::Malformed),
        }
    }

    fn from_wire(wire: Wire) -> Option<Self> {
        let (level, parts) = match wire {
            Wire::V1(parts) => (0, parts),
            Wire::V2 { level, parts } => (level, parts),
        };
        let (mut key, mut sum) = (None, 0_u64);
        let mut cells = Vec::with_capacity(parts.cells.len());
        for (gap, weight) in parts.cells {
            let next = key.map_or(Some(gap), |key: u16| key.checked_add(gap)?.checked_add(1));
            let next = next.filter(|&next| next <= LAST_CELL && weight > 0)?;
            cells.push(Cell { key: next, weight });
            (key, sum) = (Some(next), sum.saturating_add(weight));
        }
        if parts.grid != G::TAG || level > LAST_LEVEL {
            return None;
        }
        let Some((min, max)) = parts.range else {
            let is_empty = parts.n == 0 && cells.is_empty() && parts.weight == 0 && parts.sum == (0, 0) && level == 0;
            return is_empty.then(Self::default);
        };
        let is_sound = parts.n > 0
            && is_value(min)
            && is_value(max)
            && min <= max
            && sum == parts.weight
            && parts.sum.0 >= 0
            && is_in::<G>(min, cells.first(), level)
            && is_in::<G>(max, cells.last(), level);
        let stored = StoredCells { cells, level, n: parts.n, weight: parts.weight, sum: whole(parts.sum), min, max };
        is_sound.then(|| Self { stored: Some(Box::new(stored)), grid: PhantomData })
    }

    fn wire(&self) -> Wire {
        let Some(stored) = &self.stored else {
            let parts = WireParts { grid: G::TAG, n: 0, weight: 0, sum: (0, 0), range: None, cells: Vec::new() };
            return Wire::V2 { level: 0, parts };
        };
        let mut before = None;
        let cells = stored.cells.iter().map(|&Cell { key, weight }| {
            let gap = before.map_or(key, |before: u16| key.saturating_sub(before).saturating_sub(1));
            before = Some(key);
            (gap, weight)
        });
        let parts = WireParts {
            grid: G::TAG,
            n: stored.n,
            weight: stored.weight,
            sum: halves(stored.sum),
            range: Some((stored.min, stored.max)),
            cells: cells.collect(),
        };
        Wire::V2 { level: stored.level, parts }
    }
}

/// Whether a digest accepts this value.
fn is_value(value: f64) -> bool {
    (0.0..=1e15).contains(&value) && value.is_sign_positive()
}

/// Whether a value belongs to a cell at a level. Finer parts may lie on either side of a coarse cell's representative;
/// merged, they are in one cell.
fn is_in<G: Grid>(value: f64, cell: Option<&Cell>, level: u8) -> bool {
    cell.is_some_and(|cell| grid::joined(G::key(value), level) == grid::joined(cell.key, level))
}

impl<G: Grid> Serialize for Digest<G> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.wire().serialize(serializer)
    }
}

impl<'de, G: Grid> Deserialize<'de> for Digest<G> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        Self::from_wire(wire).ok_or_else(|| serde::de::Error::custom(DigestError::Inconsistent))
    }
}
