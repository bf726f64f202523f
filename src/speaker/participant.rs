//! What is known of one participant of a floor, slot by slot.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::echo::Coupling;
use super::level::{Fraction, Sound};
#[cfg(feature = "serde")]
use super::slots::LAST_SLOT;
use super::slots::{FRESH_MS, SLOT_MS, TAKE_MS};
use super::talk::TalkCounter;

/// Pauses that are part of speech, slots.
const PAUSE_SLOTS: u64 = 7;
/// A slot with so much speech is speech, ms.
pub(super) const SPEECH_IN_SLOT: u8 = 30;
/// Nobody looked: no speech that is known.
const UNKNOWN: u8 = u8::MAX;

#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Participant {
    /// Speech of a slot in ms, or [`UNKNOWN`], and how loud it is; the slot's place is the remainder by the length.
    pub(super) slots: Vec<Slot>,
    pub(super) covered: u64,
    /// How long the last sample was, slots; `None` before there was one.
    pub(super) span: Option<u64>,
    pub(super) joined: u64,
    pub(super) muted: Option<u64>,
    pub(super) left: Option<u64>,
    /// What was said before is not to be heard: this one was muted, or not here.
    pub(super) opened: u64,
    pub(super) before: Fraction,
    /// In the window: speech, and slots that are known.
    pub(super) window_ms: u64,
    pub(super) window_known: u64,
    pub(super) run: Run,
    pub(super) since: u64,
    pub(super) dominant_ms: u64,
    /// Which sample of all was the last of this one.
    pub(super) heard: u64,
    pub(super) teller: TalkCounter,
    pub(super) now: Slot,
    pub(super) coupling: Coupling,
}

/// What is heard of somebody in a slot.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Slot {
    pub(super) speech_ms: u8,
    /// −dBov; 127 where it is silence or not known.
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

/// The speech at hand, bridging pauses.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Run {
    pub(super) first: u64,
    /// The slot after the last speech.
    pub(super) end: u64,
    pub(super) speech_ms: u32,
    /// Of that, since the holder fell silent.
    pub(super) fresh_ms: u32,
}

impl Participant {
    /// Somebody of whom nothing is known.
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
            teller: TalkCounter::default(),
            now: Slot::UNKNOWN,
            coupling: Coupling::default(),
        }
    }

    /// What another one said was said by this one. `window`: the slots that are decided and still count.
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
        self.teller.merge(&other.teller);
    }

    /// In a window: speech, ms, and slots that are known.
    fn known_in(&self, window: Range<u64>) -> (u64, u64) {
        let length = self.slots.len() as u64;
        let place = |slot: u64| usize::try_from(slot % length.max(1)).unwrap_or(0);
        let known = window.filter_map(|slot| self.slots.get(place(slot)).filter(|slot| slot.is_known()));
        known.fold((0, 0), |(ms, known), slot| (ms + u64::from(slot.speech_ms), known + 1))
    }

    /// Whether the times of this can be somebody's of whom so many slots are kept, with samples this long at most.
    #[cfg(feature = "serde")]
    pub(super) fn is_possible(&self, slots: usize, longest: u64) -> bool {
        let times = [self.covered, self.joined, self.opened, self.since, self.run.first, self.run.end];
        let of_some = [self.muted, self.left].into_iter().flatten();
        self.slots.len() == slots
            && times.into_iter().chain(of_some).all(|slot| slot <= LAST_SLOT)
            && self.span.is_none_or(|span| span <= longest)
    }

    /// How much speech must have been heard since the holder fell silent. Of coarser samples the end of one and the
    /// beginning of another tell less surely who followed whom.
    pub(super) fn fresh_ms(&self) -> u32 {
        // At most 10 s.
        ((self.span.unwrap_or(0) * SLOT_MS / 2) as u32).clamp(FRESH_MS, TAKE_MS)
    }

    /// Whether this one is here and not muted.
    pub(super) const fn is_heard(&self) -> bool {
        self.left.is_none() && self.muted.is_none()
    }

    pub(super) const fn speaks(&self) -> bool {
        self.now.is_speech()
    }

    /// Lays a sample out on its slots: at its end where speech began in it, else from its beginning.
    pub(super) fn fill_slots(&mut self, open: u64, from: u64, to: u64, span_ms: u64, sound: Sound) {
        let speech = sound.speech;
        let total_ms = (to - from) * SLOT_MS;
        let speech_ms = (span_ms.min(total_ms.max(SLOT_MS)) * u64::from(speech.permille())).div_ceil(1000);
        let speech_ms = if span_ms < total_ms { total_ms * u64::from(speech.permille()) / 1000 } else { speech_ms };
        let begins = self.before.permille() < speech.permille() / 2;
        self.before = speech;
        let length = self.slots.len() as u64;
        let end = [self.muted, self.left].into_iter().flatten().min().unwrap_or(u64::MAX);
        let lead_ms = if begins { total_ms.saturating_sub(speech_ms) } else { 0 };
        // Within 0 to the length.
        let mut place = usize::try_from(open % length.max(1)).unwrap_or(0);
        for slot in open..to {
            let before_ms = (slot - from) * SLOT_MS;
            let (first, last) = (before_ms.max(lead_ms), (before_ms + SLOT_MS).min(lead_ms + speech_ms));
            let value = if slot >= end || slot < self.opened { 0 } else { last.saturating_sub(first) };
            let here = place;
            place = if place + 1 < self.slots.len() { place + 1 } else { 0 };
            if let Some(place) = self.slots.get_mut(here) {
                // At most SLOT_MS; of two samples that share a slot the one with more speech.
                let value = value.min(SLOT_MS) as u8;
                let before = if place.is_known() { place.speech_ms } else { 0 };
                let loudness = if value > 0 { sound.loudness } else { 127 };
                *place = Slot { speech_ms: value.max(before), loudness: loudness.min(place.loudness) };
            }
        }
    }

    /// Takes back what was said from a slot on, as far as it is not decided.
    pub(super) fn inactive_from(&mut self, from: u64, next: u64, newest: u64) {
        let length = self.slots.len() as u64;
        for slot in from.max(next)..newest.min(from.max(next) + length) {
            let place = usize::try_from(slot % length.max(1)).unwrap_or(0);
            if let Some(value) = self.slots.get_mut(place).filter(|value| value.is_known()) {
                *value = Slot { speech_ms: 0, loudness: 127 };
            }
        }
    }
}

impl Run {
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
