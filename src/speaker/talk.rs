//! Talk statistics per participant and for the conference. It counts slots of speech, as many at once as are equal, and
//! does not decide what is speech.
//!
//! Sums are whole milliseconds, so they do not depend on the order of participants.

use super::slots::{Block, Mask, PAUSE_SLOTS, SLOT_MS, has};
use super::track::SpeechPiece;

/// Samples coarser than this resolve neither turns nor interruptions, ms: between two people the floor passes in 0.12
/// to 0.16 s, and half of all back-channels take less than a second.
pub const RESOLVED_MS: u32 = 500;
/// An utterance with this much speech is a turn, ms; a shorter one is a back-channel or a noise.
const TURN_MS: u32 = 1_000;
/// A speaker that stops within this many slots after another one broke in was interrupted.
const YIELD_SLOTS: u64 = 20;
/// Simultaneous speech counts as an interruption only after this many slots: a quarter of a second.
const OVERLAP_SLOTS: u8 = 3;

/// Talk statistics of one participant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Talk {
    /// Speech, ms.
    pub talk_ms: u64,
    /// Speech while another participant spoke too, ms.
    pub overlap_ms: u64,
    /// The longest utterance, with pauses below 0.7 s, ms.
    pub longest_monologue_ms: u64,
    /// Speech while muted, ms; `None` if no speech was detected while muted: most browsers report silence then.
    pub muted_talk_ms: Option<u64>,
    /// Utterances with at least a second of speech. `None` if samples are coarser than [`RESOLVED_MS`].
    pub turns: Option<u64>,
    /// How often this participant began while another one spoke, went on for a second, and the other one stopped within
    /// 2 s. `None` if samples are coarser than [`RESOLVED_MS`].
    pub interruptions: Option<u64>,
}

/// Talk statistics of all participants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConferenceTalk {
    /// Time for which the speech of at least one participant is known, ms.
    pub known_ms: u64,
    /// Time with speech, ms.
    pub speech_ms: u64,
    /// Time in which two or more participants spoke at once, ms.
    pub overlap_ms: u64,
    /// Time without speech, ms.
    pub silence_ms: u64,
    /// Sum of the durations of all samples, ms, and of their squares.
    spans_ms: u64,
    squares: u64,
}

/// Counts the talk of one participant.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct TalkCounter {
    talk_ms: u64,
    overlap_ms: u64,
    muted_talk_ms: u64,
    /// The longest utterance, slots.
    longest: u32,
    turns: u32,
    interruptions: u32,
    /// For how many slots no other participant spoke, at most [`PAUSE_SLOTS`].
    alone_slots: u8,
    has_talked_muted: bool,
}

/// The current utterance: speech, with pauses below [`PAUSE_SLOTS`].
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Utterance {
    /// The slot after the last speech.
    end: u64,
    /// Slots from the first speech to the last. A run of speech without a pause for 13 years is longer.
    slots: u32,
    speech_ms: u32,
    /// The part of it since the holder of the floor fell silent.
    fresh_ms: u32,
    overlap_slots: u8,
    /// Another participant spoke when it began.
    broke_in: bool,
    is_settled: bool,
}

impl Utterance {
    pub(super) const fn first(&self) -> u64 {
        self.end.saturating_sub(self.slots as u64)
    }

    /// The slot after the last speech; 0 before any.
    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    pub(super) const fn speech_ms(&self) -> u32 {
        self.speech_ms
    }

    pub(super) const fn fresh_ms(&self) -> u32 {
        self.fresh_ms
    }

    /// Speech is fresh until the holder of the floor speaks, as they do in the slots `held` of a block. Returns the
    /// first index of the block at which speech is fresh.
    pub(super) fn age(&mut self, block: Block, held: Mask) -> u64 {
        let fresh = held.checked_ilog2().map_or(0, |last| u64::from(last) + 1);
        if fresh > 0 && block.first + fresh > self.end {
            self.fresh_ms = 0;
        }
        fresh
    }

    /// Begins to speak in a slot: continues the utterance, or begins one if the pause was too long.
    pub(super) const fn begin(&mut self, slot: u64, others: bool) {
        if slot >= self.end + PAUSE_SLOTS || self.speech_ms == 0 {
            *self = Self {
                end: slot,
                slots: 0,
                speech_ms: 0,
                fresh_ms: 0,
                overlap_slots: 0,
                broke_in: others,
                is_settled: false,
            };
        }
    }

    /// Adds slots before `end` with `ms` of speech in each, of which `fresh` ones come after the last speech of the
    /// holder of the floor.
    pub(super) fn speak(&mut self, end: u64, slots: u64, fresh: u64, ms: u32) {
        // At most 64 slots of 100 ms.
        self.speech_ms = self.speech_ms.saturating_add(slots as u32 * ms);
        self.fresh_ms = self.fresh_ms.saturating_add(fresh as u32 * ms);
        let first = self.first();
        (self.slots, self.end) = (u32::try_from(end.saturating_sub(first)).unwrap_or(u32::MAX), end);
    }

    /// Whether it is a turn: 0 or 1.
    pub(super) fn turns(&self) -> u32 {
        u32::from(self.speech_ms >= TURN_MS)
    }

    /// Whether it broke in and may still be an interruption.
    pub(super) const fn is_open(&self) -> bool {
        self.broke_in && !self.is_settled
    }

    /// The challenger with the most fresh speech, then with the most speech, takes the floor.
    pub(super) const fn rank(&self) -> (u32, u32) {
        (self.fresh_ms, self.speech_ms)
    }
}

impl TalkCounter {
    /// Adds `ms` of speech in known slots.
    pub(super) const fn add(&mut self, ms: u64) {
        self.talk_ms = self.talk_ms.saturating_add(ms);
    }

    /// Adds slots with `ms` of speech in each, in which others speak, too.
    pub(super) const fn overlap(&mut self, slots: Mask, ms: u32) {
        self.overlap_ms = self.overlap_ms.saturating_add(slots.count_ones() as u64 * ms as u64);
    }

    /// Counts what an utterance has become. `turns`: [what it was](Utterance::turns) before.
    pub(super) fn speak(&mut self, utterance: &Utterance, turns: u32) {
        self.turns = self.turns.saturating_add(utterance.turns() - turns);
        self.longest = self.longest.max(utterance.slots);
    }

    /// Finds out, slot by slot of a piece that begins at `first`, whether an utterance that broke in was an
    /// interruption. `others`: the slots in which others speak, from the piece on. `alone_slots`: for how many slots
    /// before the piece no other participant spoke.
    pub(super) fn settle(
        &mut self,
        utterance: &mut Utterance,
        first: u64,
        piece: SpeechPiece,
        others: Mask,
        mut alone_slots: u64,
    ) {
        for n in 0..piece.slots() {
            // At most 64 slots.
            let speech_ms = utterance.speech_ms.saturating_add((n as u32 + 1) * u32::from(piece.speech_ms));
            let is_overlap = has(others, n);
            alone_slots = if is_overlap { 0 } else { alone_slots + 1 };
            utterance.overlap_slots += u8::from(is_overlap && utterance.overlap_slots < OVERLAP_SLOTS);
            if utterance.overlap_slots >= OVERLAP_SLOTS {
                let age = (first + n).saturating_sub(utterance.first());
                let yielded = alone_slots >= PAUSE_SLOTS && speech_ms >= TURN_MS;
                self.interruptions = self.interruptions.saturating_add(u32::from(yielded));
                if yielded || age > YIELD_SLOTS + PAUSE_SLOTS {
                    utterance.is_settled = true;
                    return;
                }
            }
        }
    }

    /// For how many slots no other participant spoke, as far as it matters.
    pub(super) const fn alone_slots(&self) -> u64 {
        self.alone_slots as u64
    }

    pub(super) fn set_alone_slots(&mut self, slots: u64) {
        // At most seven.
        self.alone_slots = slots.min(PAUSE_SLOTS) as u8;
    }

    /// Adds another counter of the same participant; speech that both counted is counted once.
    pub(super) fn merge(&mut self, other: &Self) {
        let both_ms = self.overlap_ms.min(other.overlap_ms);
        self.talk_ms = self.talk_ms.saturating_add(other.talk_ms.saturating_sub(both_ms));
        self.overlap_ms = self.overlap_ms.abs_diff(other.overlap_ms);
        self.longest = self.longest.max(other.longest);
        if other.has_talked_muted {
            self.speak_muted(other.muted_talk_ms);
        }
        self.turns = self.turns.saturating_add(other.turns);
        self.interruptions = self.interruptions.saturating_add(other.interruptions);
    }

    pub(super) const fn talk_ms(&self) -> u64 {
        self.talk_ms
    }

    pub(super) fn speak_muted(&mut self, ms: u64) {
        self.muted_talk_ms = self.muted_talk_ms.saturating_add(ms);
        self.has_talked_muted = true;
    }

    pub(super) fn talk(&self, resolution_ms: Option<u32>) -> Talk {
        // Polling is never exact to the millisecond.
        let resolved = resolution_ms.is_some_and(|ms| ms <= RESOLVED_MS + RESOLVED_MS / 10);
        Talk {
            talk_ms: self.talk_ms,
            overlap_ms: self.overlap_ms,
            longest_monologue_ms: u64::from(self.longest) * SLOT_MS,
            muted_talk_ms: self.has_talked_muted.then_some(self.muted_talk_ms),
            turns: resolved.then_some(self.turns.into()),
            interruptions: resolved.then_some(self.interruptions.into()),
        }
    }
}

impl ConferenceTalk {
    /// Mean sample duration, ms, weighted by duration. `None` before the first sample.
    #[must_use]
    pub fn resolution_ms(&self) -> Option<u32> {
        let mean = self.squares.checked_div(self.spans_ms)?;
        Some(u32::try_from(mean).unwrap_or(u32::MAX))
    }

    pub(super) fn note_span(&mut self, span_ms: u64) {
        self.spans_ms = self.spans_ms.saturating_add(span_ms);
        self.squares = self.squares.saturating_add(span_ms.saturating_mul(span_ms));
    }

    /// Adds the known slots of a block, those with speech, and those with more than one speaker.
    pub(super) fn add(&mut self, known: Mask, speech: Mask, overlap: Mask) {
        add_slots(&mut self.known_ms, known);
        add_slots(&mut self.speech_ms, speech);
        add_slots(&mut self.silence_ms, known & !speech);
        add_slots(&mut self.overlap_ms, overlap);
    }
}

const fn add_slots(ms: &mut u64, slots: Mask) {
    *ms = ms.saturating_add(slots.count_ones() as u64 * SLOT_MS);
}
