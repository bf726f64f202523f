//! Time in slots, the unit in which speech is counted and dominance is decided. It holds no state.

use core::num::NonZeroU64;

/// The duration of a slot, ms.
pub const SLOT_MS: u64 = 100;
/// Speech that takes the floor from a holder who has fallen silent, ms. Longer than a cough or a door (160 to 500 ms)
/// and than most back-channels.
pub const TAKE_MS: u32 = 700;
/// The part of `TAKE_MS` that must follow the holder's falling silent, ms: longer than a pause between phrases.
pub const FRESH_MS: u32 = 300;
/// The last slot: arithmetic with times stays far below 2⁶⁴. It lies beyond the range of `Timestamp`, so no call is
/// cut.
pub(super) const LAST_SLOT: u64 = 1 << 48;
/// The last slot, ms.
pub(crate) const LAST_MS: u64 = LAST_SLOT * SLOT_MS;
/// A pause shorter than this is within speech, slots.
pub(super) const PAUSE_SLOTS: u64 = 7;
/// The most slots that are decided at once: the bits of a mask.
pub(super) const BLOCK_SLOTS: u64 = 64;

/// The slot that contains a time.
pub(super) const fn slot_of(ms: u64) -> u64 {
    let slot = ms / SLOT_MS;
    if slot < LAST_SLOT { slot } else { LAST_SLOT }
}

/// A slot, or none, in eight bytes.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct SlotOrNone(Option<NonZeroU64>);

impl SlotOrNone {
    pub(super) const NONE: Self = Self(None);

    pub(super) const fn new(slot: u64) -> Self {
        Self(NonZeroU64::new(slot.saturating_add(1)))
    }

    pub(super) const fn get(self) -> Option<u64> {
        match self.0 {
            Some(after) => Some(after.get() - 1),
            None => None,
        }
    }

    /// The earlier one of this slot and another.
    pub(super) fn earlier(self, slot: u64) -> Self {
        Self::new(self.get().map_or(slot, |own| own.min(slot)))
    }
}

/// Slots of a block: the first one is bit 0.
pub(super) type Mask = u64;

/// The slots from one index of a block to another, both at most [`BLOCK_SLOTS`].
pub(super) const fn mask(from: u64, to: u64) -> Mask {
    if from >= to {
        return 0;
    }
    // 1 to 64 slots, of which the first is below 64.
    (Mask::MAX >> (BLOCK_SLOTS - (to - from))) << from
}

/// Whether a block's slot is in a mask.
pub(super) const fn has(mask: Mask, slot: u64) -> bool {
    mask >> slot & 1 != 0
}

/// A block of slots: up to [`BLOCK_SLOTS`] that are decided at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) first: u64,
    /// 1 to [`BLOCK_SLOTS`].
    pub(super) slots: u64,
}

impl Block {
    pub(super) const fn all(self) -> Mask {
        mask(0, self.slots)
    }

    pub(super) const fn end(self) -> u64 {
        self.first + self.slots
    }
}
