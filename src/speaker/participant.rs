//! The state of one participant of a floor. It does not compare participants.

use super::echo::{Coupling, Far, FarInSlot, Heard};
#[cfg(feature = "serde")]
use super::slots::LAST_SLOT;
use super::slots::{Block, FRESH_MS, Mask, SLOT_MS, SlotOrNone, TAKE_MS, has, mask};
use super::talk::{TalkCounter, Utterance};
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
}

/// The slots of a block from one index to another, with the same holder of the floor.
#[derive(Clone, Copy, Debug)]
pub(super) struct FloorSpan {
    pub(super) block: Block,
    pub(super) from: u64,
    pub(super) to: u64,
    /// The slots of the block, as far as they are decided, in which a holder of the floor spoke.
    pub(super) held: Mask,
}

impl FloorSpan {
    pub(super) const fn mask(self) -> Mask {
        mask(self.from, self.to)
    }

    const fn part(self) -> Block {
        Block { first: self.block.first + self.from, slots: self.to - self.from }
    }
}

/// How the holder of the floor holds it in the rest of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct FloorHold {
    /// The slots in which the holder speaks, and those in which they speak or have just spoken.
    pub(super) speaks: Mask,
    pub(super) held: Mask,
    /// The end of what is known: the holder then begins a new utterance, or the floor is over.
    pub(super) to: u64,
    pub(super) is_over: bool,
}

impl FloorHold {
    /// The slots before which the holder begins or ceases to speak, or to hold the floor.
    pub(super) const fn edges(&self) -> Mask {
        (self.speaks ^ self.speaks << 1) | (self.held ^ self.held << 1)
    }
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
            speakers.several |= speakers.any;
            speakers.any = 1;
        }
    }

    pub(super) const fn speaks_in(&self, index: u64) -> bool {
        has(self.speaks, index)
    }

    /// The end of the first slot of a span by which the speech is as much as an utterance `needs`: speech, and fresh
    /// speech, ms, while the floor is held or not.
    pub(super) fn spoken_enough(
        &self,
        span: FloorSpan,
        hold: &FloorHold,
        needs: impl Fn(&Utterance, bool) -> Option<(u32, u32)>,
    ) -> Option<u64> {
        let mut utterance = self.utterance;
        utterance.age(span.block, span.held);
        let edges = hold.edges();
        for piece in self.track.pieces(span.part()).filter(|piece| piece.is_speech()) {
            let (mut at, to, ms) = (span.from + piece.from, span.from + piece.to, u32::from(piece.speech_ms));
            utterance.begin(span.block.first + at, false);
            while at < to {
                let fresh = utterance.age(span.block, hold.speaks & mask(0, at + 1));
                if let Some((speech_ms, fresh_ms)) = needs(&utterance, has(hold.held, at)) {
                    let missing_ms = speech_ms.saturating_sub(utterance.speech_ms());
                    let missing_ms = missing_ms.max(fresh_ms.saturating_sub(utterance.fresh_ms()));
                    let enough = at + u64::from(missing_ms.div_ceil(ms).max(1));
                    if enough <= to && edges & mask(at + 1, enough) == 0 {
                        return Some(enough);
                    }
                }
                let next = u64::from((edges & !mask(0, at + 1)).trailing_zeros()).min(to);
                let fresh = if fresh > at { 0 } else { next - at };
                utterance.speak(span.block.first + next, next - at, fresh, ms);
                at = next;
            }
        }
        None
    }

    /// Speaks in a span.
    pub(super) fn speak(&mut self, span: FloorSpan, speakers: &Speakers) {
        let (mut utterance, others) = (self.utterance, speakers.besides(self.speaks));
        let fresh = utterance.age(span.block, span.held);
        for piece in self.track.pieces(span.part()).filter(|piece| piece.is_speech()) {
            let (at, to) = (span.from + piece.from, span.from + piece.to);
            utterance.begin(span.block.first + at, has(others, at));
            if utterance.is_open() {
                let alone = self.alone_slots(speakers, at);
                self.talk_counter.settle(&mut utterance, span.block.first + at, piece, others >> at, alone);
            }
            let ms = u32::from(piece.speech_ms);
            self.talk_counter.overlap(others & mask(at, to), ms);
            let turns = utterance.turns();
            utterance.speak(span.block.first + to, to - at, to.saturating_sub(fresh.max(at)), ms);
            self.talk_counter.speak(&utterance, turns);
        }
        self.utterance = utterance;
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
        self.utterance.age(block, held);
        let alone = self.alone_slots(speakers, block.slots);
        self.talk_counter.set_alone_slots(alone);
    }
}
