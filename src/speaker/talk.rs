//! Talk statistics per participant and for the conference. It counts slots of speech and does not decide what is
//! speech.
//!
//! Sums are whole milliseconds, so they do not depend on the order of participants.

use super::slots::SLOT_MS;

/// Samples coarser than this resolve neither turns nor interruptions, ms: between two people the floor passes in 0.12
/// to 0.16 s, and half of all back-channels take less than a second.
pub const RESOLVED_MS: u32 = 500;
/// A pause shorter than this is within an utterance, slots.
const PAUSE_SLOTS: u32 = 7;
/// An utterance with this much speech is a turn, ms; a shorter one is a back-channel or a noise.
const TURN_MS: u32 = 1_000;
/// A speaker that stops within this many slots after another one broke in was interrupted.
const YIELD_SLOTS: u64 = 20;
/// Simultaneous speech counts as an interruption only after this many slots: a quarter of a second.
const OVERLAP_SLOTS: u32 = 3;

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

/// Counts the talk of one participant, slot by slot.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct TalkCounter {
    talk_ms: u64,
    overlap_ms: u64,
    longest: u64,
    muted_talk_ms: Option<u64>,
    turns: u64,
    interruptions: u64,
    /// The current utterance: its beginning, its last speech, its amount of speech.
    utterance: Option<Utterance>,
    /// For how many slots no other participant spoke.
    alone_slots: u64,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Utterance {
    first: u64,
    last: u64,
    speech_ms: u32,
    overlap_slots: u32,
    /// Another participant spoke when it began.
    broke_in: bool,
    is_settled: bool,
}

impl TalkCounter {
    /// Adds one slot with `speech_ms` of speech.
    pub(super) fn slot(&mut self, slot: u64, speech_ms: u32, is_speech: bool, others: bool) {
        self.alone_slots = if others { 0 } else { self.alone_slots.saturating_add(1) };
        self.talk_ms = self.talk_ms.saturating_add(u64::from(speech_ms));
        if is_speech {
            if others {
                self.overlap_ms = self.overlap_ms.saturating_add(u64::from(speech_ms));
            }
            let new = Utterance {
                first: slot,
                last: slot,
                speech_ms: 0,
                overlap_slots: 0,
                broke_in: others,
                is_settled: false,
            };
            let utterance = self.utterance.get_or_insert(new);
            let was_turn = utterance.speech_ms >= TURN_MS;
            utterance.last = slot;
            utterance.speech_ms = utterance.speech_ms.saturating_add(speech_ms);
            utterance.overlap_slots += u32::from(others && utterance.overlap_slots < OVERLAP_SLOTS);
            self.turns = self.turns.saturating_add(u64::from(!was_turn && utterance.speech_ms >= TURN_MS));
            self.longest = self.longest.max((slot + 1).saturating_sub(utterance.first) * SLOT_MS);
            if !utterance.is_settled && utterance.broke_in && utterance.overlap_slots >= OVERLAP_SLOTS {
                let age = slot.saturating_sub(utterance.first);
                let yielded = self.alone_slots >= u64::from(PAUSE_SLOTS) && utterance.speech_ms >= TURN_MS;
                utterance.is_settled = yielded || age > YIELD_SLOTS + u64::from(PAUSE_SLOTS);
                self.interruptions = self.interruptions.saturating_add(u64::from(yielded));
            }
        } else if self.utterance.is_some_and(|utterance| slot.saturating_sub(utterance.last) >= u64::from(PAUSE_SLOTS))
        {
            self.utterance = None;
        }
    }

    /// Adds another counter of the same participant; speech that both counted is counted once.
    pub(super) fn merge(&mut self, other: &Self) {
        let both_ms = self.overlap_ms.min(other.overlap_ms);
        self.talk_ms = self.talk_ms.saturating_add(other.talk_ms.saturating_sub(both_ms));
        self.overlap_ms = self.overlap_ms.abs_diff(other.overlap_ms);
        self.longest = self.longest.max(other.longest);
        if let Some(ms) = other.muted_talk_ms {
            self.speak_muted(ms);
        }
        self.turns = self.turns.saturating_add(other.turns);
        self.interruptions = self.interruptions.saturating_add(other.interruptions);
        if other.last_speech() > self.last_speech() {
            self.utterance = other.utterance;
        }
    }

    fn last_speech(&self) -> Option<u64> {
        self.utterance.map(|utterance| utterance.last)
    }

    pub(super) const fn talk_ms(&self) -> u64 {
        self.talk_ms
    }

    pub(super) fn speak_muted(&mut self, ms: u64) {
        self.muted_talk_ms = Some(self.muted_talk_ms.unwrap_or(0).saturating_add(ms));
    }

    pub(super) fn talk(&self, resolution_ms: Option<u32>) -> Talk {
        // Polling is never exact to the millisecond.
        let resolved = resolution_ms.is_some_and(|ms| ms <= RESOLVED_MS + RESOLVED_MS / 10);
        Talk {
            talk_ms: self.talk_ms,
            overlap_ms: self.overlap_ms,
            longest_monologue_ms: self.longest,
            muted_talk_ms: self.muted_talk_ms,
            turns: resolved.then_some(self.turns),
            interruptions: resolved.then_some(self.interruptions),
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

    /// Adds one slot for the conference.
    pub(super) fn slot(&mut self, speakers: usize) {
        add_slot(&mut self.known_ms);
        add_slot(if speakers > 0 { &mut self.speech_ms } else { &mut self.silence_ms });
        if speakers > 1 {
            add_slot(&mut self.overlap_ms);
        }
    }
}

const fn add_slot(ms: &mut u64) {
    *ms = ms.saturating_add(SLOT_MS);
}
