//! Time in slots, the unit in which speech is counted and dominance is decided. It holds no state.

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

/// The slot that contains a time.
pub(super) const fn slot_of(ms: u64) -> u64 {
    let slot = ms / SLOT_MS;
    if slot < LAST_SLOT { slot } else { LAST_SLOT }
}
