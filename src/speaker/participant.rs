//! The state of one participant of a floor. It does not compare participants.

use super::echo::{Coupling, Far, FarInSlot, Heard};
#[cfg(feature = "serde")]
use super::slots::LAST_SLOT;
use super::slots::{Block, FRESH_MS, Mask, SLOT_MS, SlotOrNone, TAKE_MS, has, mask};
use super::talk::{Stride, TalkCounter, Utterance};
use super::track::SpeechTrack;

#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Participant {
    pub(super) track: SpeechTrack,
    pub(super) covered: u64,
    pub(super) joined: u64,
    pub(super) muted: SlotOrNone,
    pub(super) left: SlotOrNone,
    /// Speech before this slot does not count: the participant was muted or absent.
    pub(super) opened: u64,
    pub(super) utterance: Utterance,
    pub(super) dominant_ms: u64,
    pub(super) talk_counter: TalkCounter,
    /// The number, over all participants, of this participant's last sample.
    pub(super) heard: u32,
    pub(super) coupling: Coupling,
    /// Within the block that is being decided: the slots with speech.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) speaks: Mask,
    /// Within the block that is being decided: no sound in any slot.
    #[cfg_attr(feature = "serde", serde(skip))]
    is_silent: bool,
}

/// The slots of a block in which others speak, seen from any participant.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Speakers {
    pub(super) known: Mask,
    /// Slots with one speaker or more, and with two or more.
    pub(super) any: Mask,
    pub(super) several: Mask,
    /// Slots in which the speech of any participant begins, ends or changes.
    pub(super) edges: Mask,
}

impl Speakers {
    /// The slots in which a participant other than the one that speaks in these does.
    const fn besides(&self, speaks: Mask) -> Mask {
        speaks & self.several | !speaks & self.any
    }
}

impl Participant {
    /// A participant without any sample.
    pub(super) fn new(joined: u64, covered: u64) -> Self {
        Self {
            track: SpeechTrack::default(),
            covered,
            joined,
            muted: SlotOrNone::NONE,
            left: SlotOrNone::NONE,
            opened: 0,
            utterance: Utterance::default(),
            dominant_ms: 0,
            talk_counter: TalkCounter::default(),
            heard: 0,
            coupling: Coupling::default(),
            speaks: 0,
            is_silent: false,
        }
    }

    /// Begins a block.
    pub(super) fn start(&mut self, block: Block, heard: &mut Heard) {
        self.is_silent = !self.coupling.is_recent() && self.track.is_silent(block);
        self.speaks = if self.is_silent { 0 } else { heard.add(&self.coupling, &self.track, block) };
    }

    /// Adds the speech of another participant to this one. `oldest`: the first slot that still counts.
    pub(super) fn merge(&mut self, other: &Self, oldest: u64) {
        self.track.merge(&other.track, oldest);
        if other.utterance.end() > self.utterance.end() {
            self.utterance = other.utterance;
        }
        self.covered = self.covered.max(other.covered);
        self.dominant_ms = self.dominant_ms.saturating_add(other.dominant_ms);
        self.talk_counter.merge(&other.talk_counter);
    }

    /// Whether the state could have come from valid input: at most `slots` slots until `newest`, and samples of at most
    /// this length.
    #[cfg(feature = "serde")]
    pub(super) fn is_possible(&self, slots: u64, longest: u64, newest: u64) -> bool {
        let times = [self.covered, self.joined, self.opened, self.utterance.end()];
        let of_some = [self.muted, self.left].into_iter().filter_map(SlotOrNone::get);
        times.into_iter().chain(of_some).all(|slot| slot <= LAST_SLOT) && self.track.is_possible(slots, longest, newest)
    }

    /// How much speech must follow the end of the holder's speech. With coarser samples the end of one and the
    /// beginning of another show less surely which speech followed which.
    pub(super) fn fresh_ms(&self) -> u32 {
        // At most 10 s.
        ((self.track.span().unwrap_or(0) * SLOT_MS / 2) as u32).clamp(FRESH_MS, TAKE_MS)
    }

    /// Whether this participant is present and not muted.
    pub(super) fn is_audible(&self) -> bool {
        self.gone_at().is_none()
    }

    /// The slot from which on the participant is muted or absent.
    pub(super) fn gone_at(&self) -> Option<u64> {
        [self.muted, self.left].into_iter().filter_map(SlotOrNone::get).min()
    }

    /// Decides which sounds in a block are speech, and adds them to the speakers.
    pub(super) fn listen(&mut self, block: Block, heard: &Heard, far: Option<&Far>, speakers: &mut Speakers) {
        if self.is_silent {
            speakers.known |= block.all();
            self.coupling.follow_silence(&self.track, block, heard, far);
            return;
        }
        let echo = self.coupling.follow(&self.track, block, heard, far);
        if echo != 0 {
            self.track.discard_in(block, echo);
            self.speaks &= !echo;
        }
        let mut talk_ms = 0;
        for piece in self.track.pieces(block) {
            speakers.known |= piece.mask();
            talk_ms += u64::from(piece.speech_ms) * piece.slots();
            if piece.is_speech() {
                speakers.edges |= 1 << piece.from | if piece.to < block.slots { 1 << piece.to } else { 0 };
            }
        }
        self.talk_counter.add(talk_ms);
        speakers.several |= speakers.any & self.speaks;
        speakers.any |= self.speaks;
    }

    /// Does the same for a block of one slot.
    pub(super) fn listen_in_slot(&mut self, block: Block, far: FarInSlot, speakers: &mut Speakers) {
        let now = self.track.pieces(block).next();
        self.speaks = 0;
        let is_echo = self.coupling.follow_slot(&self.track, now, far);
        let Some(now) = now else { return };
        speakers.known = 1;
        if is_echo {
            self.track.discard_in(block, 1);
            return;
        }
        self.talk_counter.add(now.speech_ms.into());
        if now.is_speech() {
            self.speaks = 1;
            speakers.edges = 1;
            speakers.several |= speakers.any;
            speakers.any = 1;
        }
    }

    pub(super) const fn speaks_in(&self, index: u64) -> bool {
        has(self.speaks, index)
    }

    /// Begins or continues to speak. `held`: the slots of the block in which the holder of the floor spoke.
    pub(super) fn begin(&mut self, block: Block, stride: Stride, held: Mask) {
        self.age(block, held);
        if stride.holder_speaks {
            self.utterance.age();
        }
        self.utterance.begin(stride.first, stride.others);
    }

    /// Speech is fresh until the holder of the floor speaks.
    fn age(&mut self, block: Block, held: Mask) {
        let since = self.utterance.end().saturating_sub(block.first).min(block.slots);
        if held & mask(since, block.slots) != 0 {
            self.utterance.age();
        }
    }

    /// Speaks in equal slots of a block.
    pub(super) fn speak(&mut self, block: Block, stride: Stride, speakers: &Speakers) {
        let alone = self.alone_slots(speakers, stride.first - block.first);
        let ms = self.track.speech_ms(stride.first);
        self.talk_counter.speak(&mut self.utterance, stride, ms, alone);
    }

    /// For how many slots before the one with this index no other participant spoke.
    fn alone_slots(&self, speakers: &Speakers, index: u64) -> u64 {
        let others = speakers.besides(self.speaks) & mask(0, index);
        match others.checked_ilog2() {
            Some(last) => index - 1 - u64::from(last),
            None => self.talk_counter.alone_slots() + index,
        }
    }

    /// Ends a block, in which the holder of the floor spoke in the slots `held`.
    pub(super) fn end(&mut self, block: Block, speakers: &Speakers, held: Mask) {
        if held != 0 {
            self.age(block, held);
        }
        let alone = self.alone_slots(speakers, block.slots);
        self.talk_counter.set_alone_slots(alone);
    }
}
