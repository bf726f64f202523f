//! Detects echo: the speech of other participants in a participant's microphone. It works on loudness per slot and sees
//! no audio signal.
//!
//! An open microphone beside a loudspeaker picks up the other participants, softer than they are. The detector learns
//! how much softer a participant is in slots in which another one speaks; a sound that is about as soft, or softer, is
//! echo. A participant that is hardly softer than the other speaker speaks: even an echo without any cancellation is 12
//! dB softer, or more. A sound is not echo either if other participants lately spoke for a while and this microphone
//! was silent: an open microphone picks up every word.

use super::slots::{BLOCK_SLOTS, Block, Mask, has, mask};
use super::track::{SILENT, SpeechPiece, SpeechTrack};

/// The loudest echo, dB below the speaker.
const LOUDEST_DB: i32 = 12;
/// A sound that is this much softer counts as silence, dB.
const SOFTEST_DB: i32 = 40;
/// How much the level of an echo varies, dB.
const VARIES_DB: i32 = 12;
/// Time constant of learning, slots. A new echo is recognized within some three seconds.
const SLOTS: i32 = 16;
/// How long an echo outlasts its source, slots: reverberation and jitter buffers hold 0.2 s.
const TAIL: usize = 3;
/// A participant that is silent for this many slots of other participants' speech has no open microphone.
const SILENT_SLOTS: u64 = 25;
/// How long that conclusion holds, slots: one minute.
const CLOSED_SLOTS: u16 = 600;
/// Fractions of a dB.
const GRAIN: i32 = 256;
/// Beside a speaker of this loudness silence is [`SOFTEST_DB`] softer, or more, −dBov.
const LOUD: u8 = SILENT - SOFTEST_DB as u8;

/// How much softer than others a participant is while they speak.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Coupling {
    /// In units of 1 / [`GRAIN`] dB, at most [`SOFTEST_DB`].
    softer: i16,
    /// For how many slots others spoke while this participant was silent.
    silent: u16,
    /// For how many more slots there is no open microphone.
    closed: u16,
    /// Loudness of the last slots, the latest at the end, −dBov; [`SILENT`] for slots without speech.
    recent: [u8; TAIL],
}

/// Which participants are heard in a block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    /// Slots with speech of known loudness, or shortly after it.
    speech: Mask,
    /// Those of at least the loudness [`LOUD`].
    loud: Mask,
    /// The participants with any sound of known loudness.
    sources: usize,
}

impl Heard {
    /// Adds a participant, and returns the slots of its speech.
    pub(super) fn add(&mut self, coupling: &Coupling, track: &SpeechTrack, block: Block) -> Mask {
        let (mut speaks, mut heard, mut loud, mut sounds) = (0, 0, 0, false);
        for piece in track.pieces(block) {
            sounds |= piece.loudness < SILENT;
            if piece.is_speech() {
                speaks |= piece.mask();
                heard |= if piece.loudness < SILENT { piece.mask() } else { 0 };
                loud |= if piece.loudness <= LOUD { piece.mask() } else { 0 };
            }
        }
        if sounds || coupling.is_recent() {
            self.sources += 1;
            let tail = |slots: Mask| slots | slots << 1 | slots << 2 | slots << 3;
            let recent = |limit: u8| {
                let ages = coupling.recent.iter().zip(1..);
                ages.fold(0, |slots, (&of, age)| if of < limit { slots | mask(0, age) } else { slots })
            };
            self.speech |= (tail(heard) | recent(SILENT)) & block.all();
            self.loud |= (tail(loud) | recent(LOUD + 1)) & block.all();
        }
        speaks
    }

    /// Whether the loudness in each slot matters: not while at most one participant is heard.
    pub(super) const fn is_mixed(&self) -> bool {
        self.sources > 1 || self.speech != self.loud
    }
}

/// The loudness of the two loudest speakers in each slot of a block, −dBov.
#[derive(Clone, Debug)]
pub(super) struct Far {
    first: [u8; BLOCK_SLOTS as usize],
    second: [u8; BLOCK_SLOTS as usize],
}

impl Default for Far {
    fn default() -> Self {
        Self { first: [SILENT; BLOCK_SLOTS as usize], second: [SILENT; BLOCK_SLOTS as usize] }
    }
}

impl Far {
    pub(super) fn add(&mut self, coupling: &Coupling, track: &SpeechTrack, block: Block) {
        let levels = coupling.levels(track, block).1;
        for ((first, second), level) in self.first.iter_mut().zip(&mut self.second).zip(levels) {
            (*first, *second) = ((*first).min(level), (*second).min(level.max(*first)));
        }
    }

    /// The loudest one in each slot, or the second if the loudest is exactly this loud.
    fn besides(&self, heard: &[u8; BLOCK_SLOTS as usize]) -> [u8; BLOCK_SLOTS as usize] {
        let mut others = *heard;
        for ((own, &first), &second) in others.iter_mut().zip(&self.first).zip(&self.second) {
            *own = if *own == first { second } else { first };
        }
        others
    }

    fn loudest(&self, slot: u64) -> u8 {
        // Below the length.
        self.first.get(slot as usize).copied().unwrap_or(SILENT)
    }
}

/// The loudness of the two loudest speakers in one slot, −dBov.
#[derive(Clone, Copy, Debug)]
pub(super) struct FarInSlot([u8; 2]);

impl Default for FarInSlot {
    fn default() -> Self {
        Self([SILENT; 2])
    }
}

impl FarInSlot {
    pub(super) fn add(&mut self, level: u8) {
        let [first, second] = self.0;
        self.0 = [first.min(level), second.min(level.max(first))];
    }

    /// The loudest one, or the second if the loudest is exactly this loud.
    const fn besides(self, level: u8) -> u8 {
        let [first, second] = self.0;
        if level == first { second } else { first }
    }
}

/// The silence that shows that there is no open microphone, slots.
fn patience(track: &SpeechTrack) -> u16 {
    // A sample with little sound marks only one slot. At most 600.
    SILENT_SLOTS.max(3 * track.span().unwrap_or(0)) as u16
}

/// The loudness of a participant in each slot of a block, and the same with shortly before.
type Levels = ([u8; BLOCK_SLOTS as usize + TAIL], [u8; BLOCK_SLOTS as usize]);

fn loudness_of_speech(now: Option<SpeechPiece>) -> u8 {
    now.filter(|now| now.is_speech()).map_or(SILENT, |now| now.loudness)
}

impl Default for Coupling {
    fn default() -> Self {
        let softer = ((LOUDEST_DB + VARIES_DB) * GRAIN) as i16;
        Self { softer, recent: [SILENT; TAIL], silent: 0, closed: 0 }
    }
}

impl Coupling {
    /// Whether the participant spoke shortly before the block.
    pub(super) const fn is_recent(&self) -> bool {
        let [a, b, c] = self.recent;
        a < SILENT || b < SILENT || c < SILENT
    }

    fn levels(&self, track: &SpeechTrack, block: Block) -> Levels {
        let (mut own, mut heard) = ([SILENT; BLOCK_SLOTS as usize + TAIL], [SILENT; BLOCK_SLOTS as usize]);
        for (place, &recent) in own.iter_mut().zip(&self.recent) {
            *place = recent;
        }
        for piece in track.pieces(block).filter(|piece| piece.is_speech()) {
            // Indices below 64.
            let range = piece.from as usize + TAIL..piece.to as usize + TAIL;
            own.get_mut(range).unwrap_or_default().fill(piece.loudness);
        }
        let [_, one, two, three] = [0, 1, 2, 3].map(|age| own.get(age..).unwrap_or_default());
        for ((((heard, &a), &b), &c), &d) in heard.iter_mut().zip(&own).zip(one).zip(two).zip(three) {
            *heard = a.min(b).min(c.min(d));
        }
        (own, heard)
    }

    /// Follows a block, and returns the slots in which the participant's sound is an echo of others. `span`: slots per
    /// sample. `far` is needed if the loudness in each slot [matters](Heard::is_mixed).
    pub(super) fn follow(&mut self, track: &SpeechTrack, block: Block, heard: &Heard, far: Option<&Far>) -> Mask {
        let patience = patience(track);
        let sounds = self.is_recent() || track.pieces(block).any(|piece| piece.loudness < SILENT);
        if !sounds {
            for piece in track.pieces(block) {
                self.listen(piece, patience, heard, far);
            }
            return 0;
        }
        let (own, heard) = self.levels(track, block);
        let others = far.map_or([SILENT; BLOCK_SLOTS as usize], |far| far.besides(&heard));
        let mut echo = 0;
        for mut piece in track.pieces(block) {
            let end = piece.to;
            while piece.from < end {
                // Indices below 64.
                let others = others.get(piece.from as usize..end as usize).unwrap_or_default();
                let Some(&level) = others.first() else { break };
                piece.to = piece.from + others.iter().take_while(|&&other| other == level).count() as u64;
                echo |= self.hear(piece, patience, level);
                piece.from = piece.to;
            }
        }
        let latest = own.get(block.slots as usize..).unwrap_or_default();
        for (place, &level) in self.recent.iter_mut().zip(latest) {
            *place = level;
        }
        echo
    }

    /// The loudness in the next slot, or shortly before it.
    pub(super) fn level(&self, now: Option<SpeechPiece>) -> u8 {
        let [a, b, c] = self.recent;
        a.min(b).min(c).min(loudness_of_speech(now))
    }

    /// Follows one slot, and returns whether the participant's sound is an echo of others.
    pub(super) fn follow_slot(&mut self, track: &SpeechTrack, now: Option<SpeechPiece>, far: FarInSlot) -> bool {
        let others = far.besides(self.level(now));
        let [_, b, c] = self.recent;
        self.recent = [b, c, loudness_of_speech(now)];
        now.is_some_and(|now| self.hear(now, patience(track), others) != 0)
    }

    /// Follows a block in which the participant is silent.
    pub(super) fn follow_silence(&mut self, track: &SpeechTrack, block: Block, heard: &Heard, far: Option<&Far>) {
        let silence = SpeechPiece { from: 0, to: block.slots, speech_ms: 0, loudness: SILENT };
        self.listen(silence, patience(track), heard, far);
    }

    /// Passes slots in which the participant is silent.
    fn listen(&mut self, piece: SpeechPiece, patience: u16, heard: &Heard, far: Option<&Far>) {
        let others = piece.mask() & heard.speech;
        self.pass(piece, patience, others.count_ones() as u16);
        if others & !heard.loud == 0 {
            self.learn_in(others.count_ones(), SOFTEST_DB);
        } else if let Some(far) = far {
            for slot in (piece.from..piece.to).filter(|&slot| has(others, slot)) {
                self.learn(i32::from(SILENT) - i32::from(far.loudest(slot)));
            }
        }
    }

    /// Passes slots with the others' speech in some of them, without learning.
    fn pass(&mut self, piece: SpeechPiece, patience: u16, others: u16) {
        self.silent = if piece.loudness < SILENT { 0 } else { self.silent.saturating_add(others) };
        // At most 64.
        self.closed =
            if self.silent >= patience { CLOSED_SLOTS } else { self.closed.saturating_sub(piece.slots() as u16) };
    }

    /// Hears others, in every slot equally loud. Returns the slots in which the participant's sound is their echo.
    fn hear(&mut self, piece: SpeechPiece, patience: u16, others: u8) -> Mask {
        let open = piece.from + u64::from(self.closed.saturating_sub(1));
        // At most 64.
        self.pass(piece, patience, if others < SILENT { piece.slots() as u16 } else { 0 });
        if others >= SILENT {
            return 0;
        }
        let softer_db = i32::from(piece.loudness) - i32::from(others);
        if piece.loudness >= SILENT {
            self.learn_in(piece.slots() as u32, softer_db);
            return 0;
        }
        let mut echo = 0;
        for slot in piece.from..piece.to {
            let before = self.softer;
            let is_echo = softer_db * GRAIN >= i32::from(before) - VARIES_DB * GRAIN;
            self.learn(softer_db);
            if self.softer == before {
                echo |= if is_echo { mask(slot, piece.to) } else { 0 };
                break;
            }
            echo |= u64::from(is_echo) << slot;
        }
        if piece.speech_ms > 0 && open < piece.to { echo & mask(open, piece.to) } else { 0 }
    }

    /// Learns from a number of equal slots.
    fn learn_in(&mut self, slots: u32, softer_db: i32) {
        for _ in 0..slots {
            let before = self.softer;
            self.learn(softer_db);
            if self.softer == before {
                return;
            }
        }
    }

    fn learn(&mut self, softer_db: i32) {
        if softer_db >= LOUDEST_DB {
            let softer = i32::from(self.softer);
            // Between two values that fit.
            self.softer = (softer + (softer_db.min(SOFTEST_DB) * GRAIN - softer) / SLOTS) as i16;
        }
    }
}
