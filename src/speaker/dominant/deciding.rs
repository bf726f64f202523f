//! Decides slots: which ones all participants have covered, who spoke in them, and who holds the floor then. It does
//! not distribute samples over slots.
//!
//! Slots are decided in blocks of up to 64. A participant's slots of a block are the bits of a number. Echo, known time
//! and talk need one participant at a time; silent ones take a few operations for the block. The holder of the floor
//! can change only where another participant speaks, or where the holder has been silent for long enough; equal slots
//! between are passed at once.

use core::cmp::Reverse;

use super::{
    Change, Floor, HOLDER_QUIET_SLOTS, LENIENCE_SLOTS, OPEN_MS, OUTLAST_MS, ParticipantId, SILENCE_MS, SLOT_MS, TAKE_MS,
};
use crate::speaker::echo::{Far, FarInSlot, Heard};
use crate::speaker::participant::{Participant, Speakers};
use crate::speaker::slots::{BLOCK_SLOTS, Block, Mask, has, mask};
use crate::speaker::talk::{Stride, Utterance};
use crate::speaker::track::SPEECH_IN_SLOT;

/// Silence that ends the floor, slots.
const SILENCE_SLOTS: u64 = SILENCE_MS / SLOT_MS;

impl Floor {
    pub(super) fn decide(&mut self, out: &mut dyn FnMut(Change)) {
        let (newest, wait) = (self.newest, self.wait());
        // Until when each participant has reported, and up to which newest sample that stays so without a sample of
        // theirs. Of several that are equally far, the
        // one whose sample came last probably comes last again: if the order is stable, a round of samples visits every
        // participant once.
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
        let (mut index, mut held) = (0, 0);
        // Until which slot a tie lasts, and whether the floor is held meanwhile.
        let mut tied = (0, false);
        while index < block.slots {
            let edge = u64::from((speakers.edges & !mask(0, index + 1)).trailing_zeros());
            let slots = edge.min(block.slots) - index;
            let slot = block.first + index;
            if !has(speakers.any, index) {
                self.pass_silence(slot, slots, out);
                index += slots;
                continue;
            }
            let holder_speaks = self.holder().is_some_and(|holder| holder.speaks_in(index));
            let others = has(speakers.several, index);
            let stride = Stride { first: slot, slots, others, holder_speaks };
            for &id in self.active.get(..self.speaking).unwrap_or_default() {
                if let Some(participant) = self.participants.get_mut(id as usize)
                    && participant.speaks_in(index)
                {
                    participant.begin(block, stride, held);
                }
            }
            let is_held =
                holder_speaks || self.holder().is_some_and(|holder| slot < holder.utterance.end() + HOLDER_QUIET_SLOTS);
            let is_tied = index < tied.0 && is_held == tied.1;
            let unchanged = self.unchanged_slots(block, stride, is_held, is_tied);
            let stride = Stride { slots: unchanged.max(1), ..stride };
            for &id in self.active.get(..self.speaking).unwrap_or_default() {
                if let Some(participant) = self.participants.get_mut(id as usize)
                    && participant.speaks_in(index)
                {
                    participant.speak(block, stride, speakers);
                }
            }
            if holder_speaks {
                held |= mask(index, index + stride.slots);
            }
            if unchanged == 0 {
                let lasts = self.pass(slot, index, is_held, out);
                tied = (if lasts { index + slots } else { 0 }, is_held);
            }
            index += stride.slots;
        }
        held
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

    /// For how many of these slots the holder of the floor certainly stays.
    fn unchanged_slots(&self, block: Block, stride: Stride, is_held: bool, is_tied: bool) -> u64 {
        let (holder, slot) = (self.holder(), stride.first);
        let mut unchanged = stride.slots;
        if let Some(holder) = holder {
            let gone = holder.gone_at().unwrap_or(u64::MAX);
            let quiet = if is_held { HOLDER_QUIET_SLOTS } else { SILENCE_SLOTS - 1 };
            let until = if stride.holder_speaks { gone } else { gone.min(holder.utterance.end() + quiet) };
            unchanged = unchanged.min(until.saturating_sub(slot));
        }
        if is_tied {
            return unchanged;
        }
        let is_alone = self.active.len() == 1;
        for &id in self.active.get(..self.speaking).unwrap_or_default() {
            let Some(participant) = self.participants.get(id as usize) else { continue };
            if self.holder == Some(id) || !participant.speaks_in(slot - block.first) || !participant.is_audible() {
                continue;
            }
            let Some((speech_ms, fresh_ms)) = self.needs(participant, is_held, is_alone) else { continue };
            let utterance = &participant.utterance;
            let missing_ms =
                speech_ms.saturating_sub(utterance.speech_ms()).max(fresh_ms.saturating_sub(utterance.fresh_ms()));
            if missing_ms <= stride.slots as u32 * SLOT_MS as u32 {
                let takes_after = missing_ms.div_ceil(participant.track.speech_ms(slot).max(1)).max(1);
                unchanged = unchanged.min(u64::from(takes_after - 1));
            }
        }
        unchanged
    }

    /// How much speech, and how much of it fresh, takes the floor for a participant, ms. `None` if none does.
    fn needs(&self, participant: &Participant, is_held: bool, is_alone: bool) -> Option<(u32, u32)> {
        match self.holder() {
            None => Some((if is_alone { u32::from(SPEECH_IN_SLOT) } else { OPEN_MS }, 0)),
            Some(holder) if is_held => {
                (participant.utterance.first() > holder.utterance.first()).then_some((OUTLAST_MS, 0))
            }
            Some(_) => Some((TAKE_MS, participant.fresh_ms())),
        }
    }

    /// Hands the floor to the challenger, or ends it, if either is due after a slot, which has this index in the block.
    /// Returns whether challengers are tied as long as the same participants speak.
    fn pass(&mut self, slot: u64, index: u64, is_held: bool, out: &mut dyn FnMut(Change)) -> bool {
        let end = slot + 1;
        let (challenger, is_tied) = self.challenger(slot, index, is_held);
        if let Some((id, first)) = challenger {
            let since = match self.holder() {
                Some(holder) => first.max(if is_held { slot } else { holder.utterance.end() }),
                None => first,
            };
            self.hand(Some(id), end, since, out);
            return false;
        }
        let holder = self.holder;
        self.pass_silence(slot, 1, out);
        is_tied && self.holder == holder
    }

    /// The participant that takes the floor, and when their speech began. Two with equal speech both get nothing; the
    /// second result is whether that stays so as long as the same participants speak and the floor has the same holder:
    /// no participant speaks more in a slot than the two, and none with more speech merely lacks fresh speech.
    fn challenger(&self, slot: u64, index: u64, is_held: bool) -> (Option<(u32, u64)>, bool) {
        let is_alone = self.active.len() == 1;
        let mut best: Option<(u32, Utterance)> = None;
        let (mut is_tied, mut are_full) = (false, false);
        // The highest rank of those that may take the floor later.
        let mut later = (0, 0);
        for &id in self.active.get(..self.speaking).unwrap_or_default() {
            let Some(participant) = self.participants.get(id as usize).filter(|_| self.holder != Some(id)) else {
                continue;
            };
            if !participant.speaks_in(index) || !participant.is_audible() {
                continue;
            }
            let Some((speech_ms, fresh_ms)) = self.needs(participant, is_held, is_alone) else { continue };
            let utterance = participant.utterance;
            if utterance.speech_ms() < speech_ms || utterance.fresh_ms() < fresh_ms {
                later = later.max(utterance.rank());
                continue;
            }
            match best {
                Some((_, other)) if other.rank() > utterance.rank() => {}
                Some((_, other)) if other.rank() == utterance.rank() => {
                    (is_tied, are_full) = (true, are_full && participant.track.speech_ms(slot) == SLOT_MS as u32);
                }
                _ => {
                    (best, is_tied) = (Some((id, utterance)), false);
                    are_full = participant.track.speech_ms(slot) == SLOT_MS as u32;
                }
            }
        }
        let lasts = is_tied && are_full && best.is_some_and(|(_, utterance)| utterance.rank() >= later);
        let best = best.filter(|_| !is_tied).map(|(id, utterance)| (id, utterance.first()));
        (best, lasts)
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
