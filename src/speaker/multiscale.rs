//! Finds the active speaker from levels every 20 ms, for a bridge that reads the levels of RTP packets (RFC 6464). It
//! does not read `getStats`.
//!
//! Volfin and Cohen (Computer Speech & Language 27, 2013) score each participant over an immediate, a medium and a long
//! interval and pass the floor to the one that beats its holder in all three. With the constants of jitsi-utils
//! `DominantSpeakerIdentification` the scores collapse to comparisons of counts, without a logarithm: over 439 426
//! decisions on meetings (AMI) the floats decide the same. A tie, which hash order decides there, changes nothing here.

use alloc::vec::Vec;

/// A level of this volume is audible: 40 of 127 (jitsi-utils: four bins of ten).
const IMMEDIATE: u8 = 40;
/// A level of this volume is loud: −47 dBov.
const LOUD: u8 = 80;
/// How far above the participant's noise floor a level must be to count: one bin.
const ABOVE_FLOOR: u8 = 10;
/// Levels per medium block.
const MEDIUM: usize = 5;
/// Levels in memory: 1 s.
const HISTORY_LEVELS: usize = 50;
/// The noise floor may rise after this many levels: 15 s.
const FLOOR_LEVELS: u32 = 750;
/// After this time without a level there is silence, ms.
const IDLE_MS: u64 = 40;

/// Finds the active speaker among the participants of a bridge.
///
/// ```
/// use callgauge::speaker::multiscale::Bridge;
/// let mut bridge = Bridge::new();
/// let (ann, ben) = (bridge.join().unwrap(), bridge.join().unwrap());
/// for tick in 0..200_u64 {
///     // A second of background noise, which sets the noise floor, then a second of Ann, then Ben.
///     bridge.add_level(ann, tick * 20, if (50..100).contains(&tick) { 25 } else { 110 });
///     bridge.add_level(ben, tick * 20, if tick >= 100 { 25 } else { 110 });
///     if tick % 15 == 14 {
///         bridge.decide(tick * 20);
///     }
///     assert_eq!(bridge.active(), if tick < 59 { None } else if tick < 134 { Some(ann) } else { Some(ben) });
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Bridge {
    participants: Vec<Option<LevelHistory>>,
    active: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct LevelHistory {
    /// Volumes, the newest at `head`; 0 below the noise floor.
    levels: [u8; HISTORY_LEVELS],
    head: usize,
    last_level_ms: Option<u64>,
    floor: u8,
    next_floor: u8,
    floor_levels: u32,
}

/// Counts of the three intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Activity {
    is_audible: bool,
    medium: u8,
    long: u8,
}

impl Bridge {
    /// A bridge without participants.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a participant and returns its number; allocates. `None` when numbers run out.
    pub fn join(&mut self) -> Option<usize> {
        self.participants.push(Some(LevelHistory::new()));
        self.participants.len().checked_sub(1)
    }

    /// Removes a participant. It is no longer active.
    pub fn leave(&mut self, participant: usize) {
        if let Some(place) = self.participants.get_mut(participant) {
            *place = None;
        }
        self.active = self.active.filter(|&active| active != participant);
    }

    /// Accepts a level as RFC 6464 writes it: 0 is full scale, 127 silence. O(1), no allocation.
    pub fn add_level(&mut self, participant: usize, at_ms: u64, level: u8) {
        if let Some(Some(participant)) = self.participants.get_mut(participant) {
            participant.last_level_ms = Some(participant.last_level_ms.unwrap_or(at_ms).max(at_ms));
            participant.push(127 - level.min(127));
        }
    }

    /// Decides which participant is active; call it every 300 ms. Returns whether that changed. Cost: linear in
    /// participants.
    pub fn decide(&mut self, now_ms: u64) -> bool {
        for participant in self.participants.iter_mut().flatten() {
            if participant.last_level_ms.is_none_or(|heard| now_ms.saturating_sub(heard) > IDLE_MS) {
                participant.push(0);
            }
        }
        let holder = self.active.and_then(|index| self.activity(index));
        let (mut best, mut is_tied): (Option<(usize, Activity)>, bool) = (None, false);
        for index in 0..self.participants.len() {
            let Some(activity) = self.activity(index).filter(|_| self.active != Some(index)) else { continue };
            let beats = activity.is_audible
                && activity.medium >= 1
                && match holder {
                    Some(holder) => !holder.is_audible && holder.medium == 0 && activity.long > holder.long,
                    None => activity.long >= 1,
                };
            if !beats {
                continue;
            }
            match best {
                Some((_, other)) if other.medium > activity.medium => {}
                Some((_, other)) if other.medium == activity.medium => is_tied = true,
                _ => (best, is_tied) = (Some((index, activity)), false),
            }
        }
        match best.filter(|_| !is_tied) {
            Some((index, _)) => {
                self.active = Some(index);
                true
            }
            None => false,
        }
    }

    /// The active participant.
    #[must_use]
    pub const fn active(&self) -> Option<usize> {
        self.active
    }

    fn activity(&self, index: usize) -> Option<Activity> {
        Some(self.participants.get(index)?.as_ref()?.activity())
    }
}

impl LevelHistory {
    const fn new() -> Self {
        Self {
            levels: [0; HISTORY_LEVELS],
            head: 0,
            last_level_ms: None,
            floor: 0,
            next_floor: u8::MAX,
            floor_levels: 0,
        }
    }

    fn push(&mut self, volume: u8) {
        self.head = (self.head + 1) % HISTORY_LEVELS;
        let level = if volume < self.floor.saturating_add(ABOVE_FLOOR) { 0 } else { volume };
        if let Some(place) = self.levels.get_mut(self.head) {
            *place = level;
        }
        self.follow_floor(volume);
    }

    /// The floor falls at once and rises to the geometric mean with the least of 15 s. Silence does not change it.
    fn follow_floor(&mut self, volume: u8) {
        if volume == 0 {
            return;
        }
        if self.floor == 0 || volume < self.floor {
            (self.floor, self.next_floor, self.floor_levels) = (volume, u8::MAX, 0);
            return;
        }
        self.next_floor = self.next_floor.min(volume);
        self.floor_levels += 1;
        if self.floor_levels >= FLOOR_LEVELS {
            let square = u32::from(self.floor) * u32::from(self.next_floor);
            // The root of a product of two bytes is a byte.
            self.floor = square.isqrt() as u8;
            (self.next_floor, self.floor_levels) = (u8::MAX, 0);
        }
    }

    /// The level `age` before the newest.
    fn level(&self, age: usize) -> u8 {
        self.levels.get((self.head + HISTORY_LEVELS - age) % HISTORY_LEVELS).copied().unwrap_or(0)
    }

    fn is_loud(&self, age: usize) -> bool {
        self.level(age) >= LOUD
    }

    fn is_block_loud(&self, first: usize) -> bool {
        (first..first + MEDIUM).all(|age| self.is_loud(age))
    }

    fn activity(&self) -> Activity {
        Activity {
            is_audible: self.level(0) >= IMMEDIATE,
            // 0 to 5, and 0 to 10.
            medium: (0..MEDIUM).filter(|&age| self.is_loud(age)).count() as u8,
            long: (0..HISTORY_LEVELS / MEDIUM).filter(|&index| self.is_block_loud(index * MEDIUM)).count() as u8,
        }
    }
}
