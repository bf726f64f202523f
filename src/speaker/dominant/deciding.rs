//! Decides slots: which ones all participants have covered, who spoke in them, and who holds the floor then. It does
//! not distribute samples over slots.
//!
//! Slots are decided in blocks of up to 64. A participant's slots of a block are the bits of a number. Echo, known time
//! and talk need one participant at a time; silent ones take a few operations for the block. While the holder of the
//! floor stays the same, no speech depends on any other than the holder's: each challenger alone shows when they would
//! take over, the first one does, and only then all go on from there.

use core::cmp::Reverse;

use super::{
    Change, Floor, HOLDER_QUIET_SLOTS, LENIENCE_SLOTS, OPEN_MS, OUTLAST_MS, ParticipantId, SILENCE_MS, SLOT_MS, TAKE_MS,
};
use crate::speaker::echo::{Far, FarInSlot, Heard};
use crate::speaker::participant::{FloorHold, FloorSpan, Participant, Speakers};
use crate::speaker::slots::{BLOCK_SLOTS, Block, Mask, PAUSE_SLOTS, has, mask};
use crate::speaker::talk::Utterance;
use crate::speaker::track::SPEECH_IN_SLOT;

/// Silence that ends the floor, slots.
const SILENCE_SLOTS: u64 = SILENCE_MS / SLOT_MS;

impl Floor {
    pub(super) fn decide(&mut self, out: &mut dyn FnMut(Change)) {
        let (newest, wait) = (self.newest, self.wait());
        // Until when each participant has reported, and up to which newest sample that stays so unless they report. Of
        // several that are equally far, the one whose sample came last probably comes last again: if the order is
        // stable, a round of samples visits every participant once.
        let mut slowest: Option<(u64, Reverse<u32>, u32, u64)> = None;
        for &id in &self.active {
            let Some(participant) = self.participants.get(id as usize).filter(|participant| participant.is_audible())
            else {
                continue;
            };
            // Do not wait for a participant that is missing for longer than usual.
            let span = participant.track.span();
            let patience = (2 * span.unwrap_or(self.longest) + LENIENCE_SLOTS).min(wait);
            let expected = participant.joined.max(self.first);
            if span.is_none() && newest > expected + patience {
                continue;
            }
            let covered = participant.covered;
            let until = covered.max(newest.saturating_sub(patience)).min(newest);
            let since = if span.is_none() { covered.min(expected) } else { covered };
            let stays = if covered > newest { newest } else { newest.max(since + patience) };
            let place = (until, Reverse(participant.heard), id, stays);
            if slowest.is_none_or(|other| place < other) {
                slowest = Some(place);
            }
        }
        self.waiting_for = slowest.map(|(_, _, id, stays)| (id, stays));
        self.decide_until(slowest.map_or(newest, |(until, ..)| until), out);
    }

    pub(super) fn decide_until(&mut self, until: u64, out: &mut dyn FnMut(Change)) {
        let Some(mut next) = self.next.filter(|&next| next < until) else { return };
        // After a long silence of all participants, only this many slots can still matter.
        let end = until.min(next + self.most_slots());
        while next < end {
            let slots = self.slots_until_one_is_past(next, (end - next).min(BLOCK_SLOTS));
            self.block(Block { first: next, slots }, out);
            next += slots;
        }
        self.next = Some(until);
    }

    /// Up to `most` slots from one on, which end with the first one after which the floor can forget a participant that
    /// has left.
    fn slots_until_one_is_past(&self, next: u64, most: u64) -> u64 {
        if !self.has_left {
            return most;
        }
        let left = self.active.iter().filter_map(|&id| self.participants.get(id as usize));
        let past = left.filter_map(|participant| past_at(participant, self.window, next));
        past.fold(most, |slots, past| slots.min(past - next + 1))
    }

    /// Decides the slots of a block.
    fn block(&mut self, block: Block, out: &mut dyn FnMut(Change)) {
        let speakers = self.listen(block);
        self.room.add(speakers.known, speakers.any, speakers.several);
        let held = self.pass_floor(block, &speakers, out);
        for &id in &self.active {
            if let Some(participant) = self.participants.get_mut(id as usize) {
                participant.end(block, &speakers, held);
            }
        }
        if self.has_left {
            self.forget_past(block.end() - 1);
        }
    }

    /// Finds out in which slots each participant speaks, and moves those that do to the front.
    fn listen(&mut self, block: Block) -> Speakers {
        let speakers = if block.slots == 1 { self.listen_in_slot(block) } else { self.listen_in_block(block) };
        self.speaking = 0;
        for place in 0..self.active.len() {
            let id = self.active.get(place).map_or(usize::MAX, |&id| id as usize);
            if self.participants.get(id).is_some_and(|participant| participant.speaks != 0) {
                self.active.swap(place, self.speaking);
                self.speaking += 1;
            }
        }
        speakers
    }

    /// Does it for a block of one slot, as polls of 0.1 s give: loudness is then one number for each participant.
    fn listen_in_slot(&mut self, block: Block) -> Speakers {
        let (mut far, mut speakers) = (FarInSlot::default(), Speakers::default());
        for participant in self.active.iter().filter_map(|&id| self.participants.get(id as usize)) {
            far.add(participant.coupling.level(participant.track.pieces(block).next()));
        }
        for &id in &self.active {
            if let Some(participant) = self.participants.get_mut(id as usize) {
                participant.listen_in_slot(block, far, &mut speakers);
            }
        }
        speakers
    }

    fn listen_in_block(&mut self, block: Block) -> Speakers {
        let mut heard = Heard::default();
        for &id in &self.active {
            if let Some(participant) = self.participants.get_mut(id as usize) {
                participant.start(block, &mut heard);
            }
        }
        let far = heard.is_mixed().then(|| {
            let mut far = Far::default();
            for participant in self.active.iter().filter_map(|&id| self.participants.get(id as usize)) {
                if participant.speaks != 0 || participant.coupling.is_recent() {
                    far.add(&participant.coupling, &participant.track, block);
                }
            }
            far
        });
        let mut speakers = Speakers::default();
        for &id in &self.active {
            if let Some(participant) = self.participants.get_mut(id as usize) {
                participant.listen(block, &heard, far.as_ref(), &mut speakers);
            }
        }
        speakers
    }

    /// Forgets the participants that have left and are not in the window any more after a slot.
    fn forget_past(&mut self, slot: u64) {
        let Self { active, participants, window, .. } = self;
        let of = |id: u32| participants.get(id as usize);
        active.retain(|&id| {
            of(id).is_some_and(|participant| past_at(participant, *window, slot).is_none_or(|past| past > slot))
        });
        self.has_left = active.iter().any(|&id| of(id).is_some_and(|participant| participant.left.get().is_some()));
    }

    /// Hands the floor on within a block. Returns the slots in which a holder of the floor spoke.
    fn pass_floor(&mut self, block: Block, speakers: &Speakers, out: &mut dyn FnMut(Change)) -> Mask {
        let (mut index, mut held, mut tied_until) = (0, 0, 0);
        while index < block.slots {
            if speakers.any & mask(index, block.slots) == 0 {
                self.pass_silence(block.first + index, block.slots - index, out);
                break;
            }
            if let Some(holder) = self.holder.and_then(|id| self.participants.get_mut(id as usize))
                && holder.speaks_in(index)
            {
                holder.utterance.begin(block.first + index, has(speakers.several, index));
            }
            let hold = self.hold(block, index);
            let (mut to, mut changes) = (hold.to, hold.is_over);
            if index < tied_until {
                changes &= to <= tied_until;
                to = to.min(tied_until);
            } else if let Some(taken) = self.taken(FloorSpan { block, from: index, to, held }, &hold) {
                (to, changes) = (taken, true);
            }
            held |= hold.speaks & mask(index, to);
            for &id in self.active.get(..self.speaking).unwrap_or_default() {
                if let Some(participant) = self.participants.get_mut(id as usize)
                    && participant.speaks & mask(index, to) != 0
                {
                    participant.speak(FloorSpan { block, from: index, to, held }, speakers);
                }
            }
            if changes {
                let edge = u64::from((hold.edges() & !mask(0, to)).trailing_zeros());
                tied_until = self.pass(block, to - 1, has(hold.held, to - 1), out).min(edge);
            }
            index = to;
        }
        held
    }

    /// How the holder of the floor holds it from an index of a block on.
    fn hold(&self, block: Block, index: u64) -> FloorHold {
        let mut hold = FloorHold { speaks: 0, held: 0, to: block.slots, is_over: false };
        let Some(holder) = self.holder() else { return hold };
        let mut end = holder.utterance.end();
        let quiet = (end + HOLDER_QUIET_SLOTS).saturating_sub(block.first).min(block.slots);
        hold.speaks = holder.speaks & !mask(0, index);
        hold.held = hold.speaks | hold.speaks << 1 | hold.speaks << HOLDER_QUIET_SLOTS | mask(index, quiet);
        let mut rest = hold.speaks;
        while hold.to > index {
            let next = u64::from(rest.trailing_zeros()).min(hold.to);
            let over = (end + SILENCE_SLOTS).saturating_sub(block.first).max(index + 1);
            if over <= next {
                (hold.to, hold.is_over) = (over, true);
                break;
            }
            // A new utterance is another one to outlast.
            if next == hold.to || block.first + next >= end + PAUSE_SLOTS {
                hold.to = next;
                break;
            }
            let run = next + u64::from((rest >> next).trailing_ones());
            rest &= !mask(0, run.min(block.slots));
            end = block.first + run;
        }
        let gone = holder.gone_at().map_or(u64::MAX, |gone| gone.saturating_sub(block.first).max(index));
        if gone < hold.to {
            (hold.to, hold.is_over) = (gone + 1, true);
        }
        hold
    }

    /// Passes slots without any speech.
    fn pass_silence(&mut self, slot: u64, slots: u64, out: &mut dyn FnMut(Change)) {
        let Some(holder) = self.holder() else { return };
        let since = holder.utterance.end();
        let silent = since + SILENCE_SLOTS - 1;
        let over = holder.gone_at().map_or(silent, |gone| gone.min(silent)).max(slot);
        if over < slot + slots {
            self.hand(None, over + 1, since, out);
        }
    }

    /// The end of the first slot of a span in which a participant has spoken enough to take the floor.
    fn taken(&self, mut span: FloorSpan, hold: &FloorHold) -> Option<u64> {
        let (is_alone, mut taken) = (self.active.len() == 1, None);
        for (_, participant) in self.challengers() {
            let fresh_ms = participant.fresh_ms();
            let needs = |utterance: &Utterance, is_held| self.needs(utterance, fresh_ms, is_held, is_alone);
            if participant.speaks & span.mask() != 0
                && let Some(to) = participant.spoken_enough(span, hold, needs)
            {
                (span.to, taken) = (to, Some(to));
            }
        }
        taken
    }

    /// How much speech, and how much of it fresh, takes the floor for a participant, ms. `None` if none does.
    fn needs(&self, utterance: &Utterance, fresh_ms: u32, is_held: bool, is_alone: bool) -> Option<(u32, u32)> {
        match self.holder() {
            None => Some((if is_alone { u32::from(SPEECH_IN_SLOT) } else { OPEN_MS }, 0)),
            Some(holder) if is_held => (utterance.first() > holder.utterance.first()).then_some((OUTLAST_MS, 0)),
            Some(_) => Some((TAKE_MS, fresh_ms)),
        }
    }

    /// Hands the floor to the challenger, or ends it, if either is due after a slot of a block. Returns until which
    /// slot challengers are tied if the holder does not begin or cease to speak; 0 for no tie.
    fn pass(&mut self, block: Block, index: u64, is_held: bool, out: &mut dyn FnMut(Change)) -> u64 {
        let slot = block.first + index;
        let (challenger, tied_until) = self.challenger(block, index, is_held);
        if let Some((id, first)) = challenger {
            let since = match self.holder() {
                Some(holder) => first.max(if is_held { slot } else { holder.utterance.end() }),
                None => first,
            };
            self.hand(Some(id), slot + 1, since, out);
            return 0;
        }
        let holder = self.holder;
        self.pass_silence(slot, 1, out);
        if self.holder == holder { tied_until } else { 0 }
    }

    /// The participant that takes the floor after a slot of a block, and when their speech began. Two with equal speech
    /// both get nothing; the second result is until which slot that stays so.
    fn challenger(&self, block: Block, index: u64, is_held: bool) -> (Option<(u32, u64)>, u64) {
        let is_alone = self.active.len() == 1;
        let mut best: Option<(u32, Utterance)> = None;
        let mut is_tied = false;
        // The highest rank of those that may take the floor later.
        let mut later = (0, 0);
        for (id, participant) in self.challengers().filter(|(_, participant)| participant.speaks_in(index)) {
            let utterance = participant.utterance;
            let needs = self.needs(&utterance, participant.fresh_ms(), is_held, is_alone);
            let Some((speech_ms, fresh_ms)) = needs else { continue };
            if utterance.speech_ms() < speech_ms || utterance.fresh_ms() < fresh_ms {
                later = later.max(utterance.rank());
                continue;
            }
            match best {
                Some((_, other)) if other.rank() > utterance.rank() => {}
                Some((_, other)) if other.rank() == utterance.rank() => is_tied = true,
                _ => (best, is_tied) = (Some((id, utterance)), false),
            }
        }
        match best {
            Some((_, utterance)) if is_tied && utterance.rank() >= later => {
                (None, self.tied_until(block, index, utterance.rank()))
            }
            _ => (best.filter(|_| !is_tied).map(|(id, utterance)| (id, utterance.first())), 0),
        }
    }

    /// Until which slot a tie of this rank lasts: those tied speak all the time, so that no participant of a lower
    /// rank catches up, and none of a higher rank begins to speak.
    fn tied_until(&self, block: Block, index: u64, rank: (u32, u32)) -> u64 {
        let rest = Block { first: block.first + index, slots: block.slots - index };
        let until = |participant: &Participant| {
            let own = participant.utterance.rank();
            if participant.speaks_in(index) {
                let piece = participant.track.pieces(rest).next().filter(|_| own == rank);
                return piece.map(|piece| index + if piece.is_full() { piece.to } else { 1 });
            }
            let begins = u64::from((participant.speaks & !mask(0, index)).trailing_zeros());
            (own > rank).then_some(begins)
        };
        self.challengers().filter_map(|(_, participant)| until(participant)).fold(block.slots, u64::min)
    }

    /// The participants that speak in the block and do not hold the floor.
    fn challengers(&self) -> impl Iterator<Item = (u32, &Participant)> {
        let speaking = self.active.get(..self.speaking).unwrap_or_default();
        let others = speaking.iter().filter(|&&id| self.holder != Some(id));
        let others = others.filter_map(|&id| Some((id, self.participants.get(id as usize)?)));
        others.filter(|(_, participant)| participant.is_audible())
    }

    pub(super) fn hand(&mut self, now: Option<u32>, at: u64, since: u64, out: &mut dyn FnMut(Change)) {
        // Two participants never hold the floor at once.
        let since = since.max(self.ended);
        let before = self.holder;
        let ended = self.holder().map(|participant| participant.utterance.end().min(since));
        self.ended = ended.unwrap_or(self.ended);
        let held_since = core::mem::replace(&mut self.since, since);
        if let Some(participant) = before.and_then(|id| self.participants.get_mut(id as usize)) {
            let held_ms = participant.utterance.end().min(since).saturating_sub(held_since) * SLOT_MS;
            participant.dominant_ms = participant.dominant_ms.saturating_add(held_ms);
        }
        self.holder = now;
        let (at_ms, since_ms) = (at * SLOT_MS, since * SLOT_MS);
        let ended_ms = ended.map(|ended| ended * SLOT_MS);
        out(Change { at_ms, since_ms, before: before.map(ParticipantId), ended_ms, now: now.map(ParticipantId) });
    }
}

/// The first slot, from `next` on, after which a participant that has left is not in the window any more.
fn past_at(participant: &Participant, window: usize, next: u64) -> Option<u64> {
    let window = window as u64;
    Some(participant.track.unknown_for(window, next.max(participant.left.get()? + window)))
}
