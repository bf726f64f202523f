//! The state of one participant of a floor, slot by slot. It does not compare participants.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::echo::Coupling;
use super::level::{Fraction, Sound};
#[cfg(feature = "serde")]
use super::slots::LAST_SLOT;
use super::slots::{FRESH_MS, SLOT_MS, TAKE_MS};
use super::talk::TalkCounter;

/// A pause shorter than this is part of speech, slots.
const PAUSE_SLOTS: u64 = 7;
/// A slot with this much speech is a speech slot, ms.
pub(super) const SPEECH_IN_SLOT: u8 = 30;
/// No sample covers the slot: its speech is unknown.
const UNKNOWN: u8 = u8::MAX;

#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Participant {
    /// Speech per slot in ms, or [`UNKNOWN`], and its loudness; a slot's index is its number modulo the length.
    pub(super) slots: Vec<Slot>,
    pub(super) covered: u64,
    /// Duration of the last sample, slots; `None` before the first.
    pub(super) span: Option<u64>,
    pub(super) joined: u64,
    pub(super) muted: Option<u64>,
    pub(super) left: Option<u64>,
    /// Speech before this slot does not count: the participant was muted or absent.
    pub(super) opened: u64,
    pub(super) before: Fraction,
    /// Within the window: speech, ms, and the number of known slots.
    pub(super) window_ms: u64,
    pub(super) window_known: u64,
    pub(super) run: Run,
    pub(super) since: u64,
    pub(super) dominant_ms: u64,
    /// The number, over all participants, of this participant's last sample.
    pub(super) heard: u64,
    pub(super) talk_counter: TalkCounter,
    pub(super) now: Slot,
    pub(super) coupling: Coupling,
}

/// Speech and loudness of a participant in a slot.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Slot {
    pub(super) speech_ms: u8,
    /// −dBov; 127 for silence or unknown.
    pub(super) loudness: u8,
}

impl Slot {
    pub(super) const UNKNOWN: Self = Self { speech_ms: UNKNOWN, loudness: 127 };

    pub(super) const fn is_known(self) -> bool {
        self.speech_ms != UNKNOWN
    }

    pub(super) const fn is_speech(self) -> bool {
        self.is_known() && self.speech_ms >= SPEECH_IN_SLOT
    }
}

/// The current run of speech, bridging pauses.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Run {
    pub(super) first: u64,
    /// The slot after the last speech.
    pub(super) end: u64,
    pub(super) speech_ms: u32,
    /// The part of it since the holder fell silent.
    pub(super) fresh_ms: u32,
}

impl Participant {
    /// A participant without any sample.
    pub(super) fn new(slots: usize, joined: u64, covered: u64) -> Self {
        Self {
            slots: vec![Slot::UNKNOWN; slots],
            covered,
            span: None,
            joined,
            muted: None,
            left: None,
            opened: 0,
            before: Fraction::NONE,
            window_ms: 0,
            window_known: 0,
            run: Run::default(),
            since: 0,
            dominant_ms: 0,
            heard: 0,
            talk_counter: TalkCounter::default(),
            now: Slot::UNKNOWN,
            coupling: Coupling::default(),
        }
    }

    /// Adds the speech of another participant to this one. `window`: the decided slots that still count.
    pub(super) fn merge(&mut self, other: &Self, window: Range<u64>) {
        for (slot, of) in self.slots.iter_mut().zip(&other.slots).filter(|(_, of)| of.is_known()) {
            let speech_ms = if slot.is_known() { slot.speech_ms.max(of.speech_ms) } else { of.speech_ms };
            *slot = Slot { speech_ms, loudness: slot.loudness.min(of.loudness) };
        }
        (self.window_ms, self.window_known) = self.known_in(window);
        if other.run.end > self.run.end {
            self.run = other.run;
        }
        self.covered = self.covered.max(other.covered);
        self.span = self.span.max(other.span);
        self.dominant_ms = self.dominant_ms.saturating_add(other.dominant_ms);
        self.talk_counter.merge(&other.talk_counter);
    }

    /// Within a window: speech, ms, and the number of known slots.
    fn known_in(&self, window: Range<u64>) -> (u64, u64) {
        let length = self.slots.len();
        let known = window.filter_map(|slot| self.slots.get(slot_index(slot, length)).filter(|slot| slot.is_known()));
        known.fold((0, 0), |(ms, known), slot| (ms + u64::from(slot.speech_ms), known + 1))
    }

    /// Whether the state could have come from valid input, with this many slots and samples of at most this length.
    #[cfg(feature = "serde")]
    pub(super) fn is_possible(&self, slots: usize, longest: u64) -> bool {
        let times = [self.covered, self.joined, self.opened, self.since, self.run.first, self.run.end];
        let of_some = [self.muted, self.left].into_iter().flatten();
        self.slots.len() == slots
            && times.into_iter().chain(of_some).all(|slot| slot <= LAST_SLOT)
            && self.span.is_none_or(|span| span <= longest)
    }

    /// How much speech must follow the end of the holder's speech. With coarser samples the end of one and the
    /// beginning of another show less surely which speech followed which.
    pub(super) fn fresh_ms(&self) -> u32 {
        // At most 10 s.
        ((self.span.unwrap_or(0) * SLOT_MS / 2) as u32).clamp(FRESH_MS, TAKE_MS)
    }

    /// Whether this participant is present and not muted.
    pub(super) const fn is_audible(&self) -> bool {
        self.left.is_none() && self.muted.is_none()
    }

    pub(super) const fn speaks(&self) -> bool {
        self.now.is_speech()
    }

    /// Distributes a sample over its slots: at its end if speech began in it, else from its beginning.
    pub(super) fn fill_slots(&mut self, open: u64, from: u64, to: u64, span_ms: u64, sound: Sound) {
        let speech = sound.speech;
        let total_ms = (to - from) * SLOT_MS;
        let speech_ms = (span_ms.min(total_ms.max(SLOT_MS)) * u64::from(speech.permille())).div_ceil(1000);
        let speech_ms = if span_ms < total_ms { total_ms * u64::from(speech.permille()) / 1000 } else { speech_ms };
        let begins = self.before.permille() < speech.permille() / 2;
        self.before = speech;
        let end = [self.muted, self.left].into_iter().flatten().min().unwrap_or(u64::MAX);
        let lead_ms = if begins { total_ms.saturating_sub(speech_ms) } else { 0 };
        // Less than the length.
        let mut place = slot_index(open, self.slots.len());
        for slot in open..to {
            let before_ms = (slot - from) * SLOT_MS;
            let (first, last) = (before_ms.max(lead_ms), (before_ms + SLOT_MS).min(lead_ms + speech_ms));
            let value = if slot >= end || slot < self.opened { 0 } else { last.saturating_sub(first) };
            let here = place;
            place = if place + 1 < self.slots.len() { place + 1 } else { 0 };
            if let Some(place) = self.slots.get_mut(here) {
                // At most SLOT_MS; if two samples share a slot, the one with more speech counts.
                let value = value.min(SLOT_MS) as u8;
                let before = if place.is_known() { place.speech_ms } else { 0 };
                let loudness = if value > 0 { sound.loudness } else { 127 };
                *place = Slot { speech_ms: value.max(before), loudness: loudness.min(place.loudness) };
            }
        }
    }

    /// Discards speech from a slot on, as far as it is not decided.
    pub(super) fn inactive_from(&mut self, from: u64, next: u64, newest: u64) {
        let length = self.slots.len();
        for slot in from.max(next)..newest.min(from.max(next) + length as u64) {
            if let Some(value) = self.slots.get_mut(slot_index(slot, length)).filter(|value| value.is_known()) {
                *value = Slot { speech_ms: 0, loudness: 127 };
            }
        }
    }
}

/// The index of a slot in a ring of `length` slots.
pub(super) fn slot_index(slot: u64, length: usize) -> usize {
    usize::try_from(slot % (length as u64).max(1)).unwrap_or(0)
}

impl Run {
    /// The challenger with the most fresh speech, then with the most speech, takes the floor.
    pub(super) const fn rank(self) -> (u32, u32) {
        (self.fresh_ms, self.speech_ms)
    }

    pub(super) fn slot(&mut self, slot: u64, speech_ms: u32, speaks: bool, holder_speaks: bool) {
        if slot >= self.end + PAUSE_SLOTS {
            (self.speech_ms, self.fresh_ms) = (0, 0);
        }
        if holder_speaks {
            self.fresh_ms = 0;
        }
        if speaks {
            if self.speech_ms == 0 {
                self.first = slot;
            }
            self.end = slot + 1;
            self.speech_ms = self.speech_ms.saturating_add(speech_ms);
            if !holder_speaks {
                self.fresh_ms = self.fresh_ms.saturating_add(speech_ms);
            }
        }
    }
}
