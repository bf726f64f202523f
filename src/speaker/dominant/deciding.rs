//! Decides slots: which ones all participants have covered, who spoke in them, and who holds the floor then. It does
//! not distribute samples over slots.

use core::cmp::Reverse;

use super::{
    Change, Floor, HOLDER_QUIET_SLOTS, LENIENCE_SLOTS, OPEN_MS, OUTLAST_MS, ParticipantId, SILENCE_MS, SLOT_MS, TAKE_MS,
};
use crate::speaker::echo::Far;
use crate::speaker::participant::{Participant, Run, SPEECH_IN_SLOT, Slot, slot_index};

impl Floor {
    pub(super) fn decide(&mut self, out: &mut dyn FnMut(Change)) {
        let (newest, wait) = (self.newest, self.wait());
        // Until when each participant has reported, and how long they may be late. Of several that are equally far, the
        // one whose sample came last probably comes last again: if the order is stable, a round of samples visits every
        // participant once.
        let mut slowest: Option<(u64, Reverse<u64>, u32, u64)> = None;
        for &id in &self.active {
            let Some(participant) = self.participants.get(id as usize).filter(|participant| participant.is_audible())
            else {
                continue;
            };
            // Do not wait for a participant that is missing for longer than usual.
            let patience = (2 * participant.span.unwrap_or(self.longest) + LENIENCE_SLOTS).min(wait);
            let gave_up = participant.span.is_none() && newest > participant.joined.max(self.first) + patience;
            if gave_up {
                continue;
            }
            let until = participant.covered.max(newest.saturating_sub(patience)).min(newest);
            let place = (until, Reverse(participant.heard), id, participant.covered + patience);
            if slowest.is_none_or(|other| place < other) {
                slowest = Some(place);
            }
        }
        self.waiting_for = slowest.map(|(_, _, id, until)| (id, until));
        self.decide_until(slowest.map_or(newest, |(until, ..)| until), out);
    }

    pub(super) fn decide_until(&mut self, until: u64, out: &mut dyn FnMut(Change)) {
        let Some(mut next) = self.next else { return };
        // After a long silence of all participants, only this many slots can still matter.
        let most = (self.ring() + self.window) as u64;
        if until.saturating_sub(next) > most {
            for _ in 0..most {
                self.slot(next, out);
                next += 1;
            }
            next = until;
        }
        while next < until {
            self.slot(next, out);
            next += 1;
        }
        self.next = Some(next);
    }

    /// Decides one slot.
    fn slot(&mut self, slot: u64, out: &mut dyn FnMut(Change)) {
        let (window, length) = (self.window as u64, self.ring());
        let (here, passed) = (slot_index(slot, length), slot.checked_sub(window).map(|slot| slot_index(slot, length)));
        let (mut speakers, mut is_known) = (0_usize, false);
        let mut far = Far::default();
        for &id in &self.active {
            let Some(participant) = self.participants.get_mut(id as usize) else { continue };
            let old = passed.and_then(|passed| participant.slots.get_mut(passed));
            if let Some(old) = old.map(|old| core::mem::replace(old, Slot::UNKNOWN)).filter(|old| old.is_known()) {
                let speech_ms = u64::from(old.speech_ms);
                participant.window_ms = participant.window_ms.saturating_sub(speech_ms);
                participant.window_known = participant.window_known.saturating_sub(1);
                self.window_speech_ms = self.window_speech_ms.saturating_sub(speech_ms);
            }
            participant.now = participant.slots.get(here).copied().unwrap_or(Slot::UNKNOWN);
            far.note(participant.coupling.follow(participant.now.loudness, participant.now.is_speech()));
        }
        for &id in &self.active {
            let Some(participant) =
                self.participants.get_mut(id as usize).filter(|participant| participant.now.is_known())
            else {
                continue;
            };
            let span = participant.span.unwrap_or(0);
            if participant.coupling.is_echo(participant.now.loudness, span, &far) && participant.now.speech_ms > 0 {
                participant.now.speech_ms = 0;
                if let Some(slot) = participant.slots.get_mut(here) {
                    slot.speech_ms = 0;
                }
            }
            is_known = true;
            let speech_ms = u64::from(participant.now.speech_ms);
            participant.window_ms = participant.window_ms.saturating_add(speech_ms);
            participant.window_known = participant.window_known.saturating_add(1);
            self.window_speech_ms = self.window_speech_ms.saturating_add(speech_ms);
            speakers += usize::from(participant.speaks());
        }
        if is_known {
            self.room.slot(speakers);
        }
        let holder_speaks = self.holder().is_some_and(Participant::speaks);
        let is_held = holder_speaks || self.holder().is_some_and(|holder| slot < holder.run.end + HOLDER_QUIET_SLOTS);
        for &id in &self.active {
            let Some(participant) = self.participants.get_mut(id as usize) else { continue };
            let speaks = participant.speaks();
            let speech_ms = if participant.now.is_known() { u32::from(participant.now.speech_ms) } else { 0 };
            let others = speakers > usize::from(speaks);
            participant.talk_counter.slot(slot, speech_ms, speaks, others);
            participant.run.slot(slot, speech_ms, speaks, holder_speaks);
        }
        self.pass(slot, is_held, speakers > 0, out);
        if !self.has_left {
            return;
        }
        self.active.retain(|&id| {
            let participant = self.participants.get(id as usize);
            participant.is_some_and(|participant| {
                participant.left.is_none_or(|left| slot < left + window) || participant.window_known > 0
            })
        });
        let participants = &self.participants;
        self.has_left = self.active.iter().any(|&id| participants.get(id as usize).is_some_and(|of| of.left.is_some()));
    }

    /// Hands the floor to the challenger, or ends it, if either is due.
    fn pass(&mut self, slot: u64, is_held: bool, speech: bool, out: &mut dyn FnMut(Change)) {
        let end = slot + 1;
        let best = if speech { self.challenger(is_held) } else { None };
        if let Some((id, first)) = best {
            let since = match self.holder() {
                Some(holder) => first.max(if is_held { slot } else { holder.run.end }),
                None => first,
            };
            self.hand(Some(id), end, since, out);
        } else if let Some(holder) = self.holder() {
            let quiet = end.saturating_sub(holder.run.end) * SLOT_MS;
            let gone = [holder.muted, holder.left].into_iter().flatten().any(|at| at <= slot);
            if quiet >= SILENCE_MS || gone {
                let since = holder.run.end;
                self.hand(None, end, since, out);
            }
        }
    }

    /// The participant that takes the floor, and when their speech began. Two with equal speech both get nothing.
    fn challenger(&self, is_held: bool) -> Option<(u32, u64)> {
        let is_alone = self.active.len() == 1;
        let holder = self.holder();
        let mut best: Option<(u32, Run)> = None;
        let mut is_tied = false;
        for &id in &self.active {
            let Some(participant) = self.participants.get(id as usize).filter(|_| self.holder != Some(id)) else {
                continue;
            };
            let run = participant.run;
            let gone = participant.muted.is_some() || participant.left.is_some();
            let takes = match holder {
                _ if gone || !participant.speaks() => false,
                None => run.speech_ms >= if is_alone { u32::from(SPEECH_IN_SLOT) } else { OPEN_MS },
                Some(holder) if is_held => run.speech_ms >= OUTLAST_MS && run.first > holder.run.first,
                Some(_) => run.speech_ms >= TAKE_MS && run.fresh_ms >= participant.fresh_ms(),
            };
            if !takes {
                continue;
            }
            match best {
                Some((_, other)) if other.rank() > run.rank() => {}
                Some((_, other)) if other.rank() == run.rank() => is_tied = true,
                _ => (best, is_tied) = (Some((id, run)), false),
            }
        }
        best.filter(|_| !is_tied).map(|(id, run)| (id, run.first))
    }

    pub(super) fn hand(&mut self, now: Option<u32>, at: u64, since: u64, out: &mut dyn FnMut(Change)) {
        // Two participants never hold the floor at once.
        let since = since.max(self.ended);
        let before = self.holder;
        let ended = self.holder().map(|participant| participant.run.end.min(since));
        self.ended = ended.unwrap_or(self.ended);
        if let Some(participant) = before.and_then(|id| self.participants.get_mut(id as usize)) {
            let held_ms = participant.run.end.min(since).saturating_sub(participant.since) * SLOT_MS;
            participant.dominant_ms = participant.dominant_ms.saturating_add(held_ms);
        }
        self.holder = now;
        if let Some(participant) = now.and_then(|id| self.participants.get_mut(id as usize)) {
            participant.since = since;
        }
        let (at_ms, since_ms) = (at * SLOT_MS, since * SLOT_MS);
        let ended_ms = ended.map(|ended| ended * SLOT_MS);
        out(Change { at_ms, since_ms, before: before.map(ParticipantId), ended_ms, now: now.map(ParticipantId) });
    }
}
