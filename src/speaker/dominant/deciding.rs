//! Deciding slots: up to which one everybody has been heard, what they said in it, and who has the floor then.

use core::cmp::Reverse;

use super::{
    Change, Floor, HOLDER_QUIET_SLOTS, LENIENCE_SLOTS, OPEN_MS, OUTLAST_MS, ParticipantId, SILENCE_MS, SLOT_MS, TAKE_MS,
};
use crate::speaker::echo::Far;
use crate::speaker::person::{Participant, Run, SPEECH_IN_SLOT, Slot};

impl Floor {
    pub(super) fn decide(&mut self, out: &mut dyn FnMut(Change)) {
        let (newest, wait) = (self.newest, self.wait());
        // Until when each has told all, and how long they may stay behind. Of several who are as far the one who came
        // last comes last again, if anybody keeps an order: then a round of samples looks at everybody once.
        let mut slowest: Option<(u64, Reverse<u64>, u32, u64)> = None;
        for &seat in &self.active {
            let Some(person) = self.people.get(seat as usize).filter(|person| person.is_heard()) else { continue };
            // Who is missing for longer than usual is not waited for.
            let patience = (2 * person.span.unwrap_or(self.longest) + LENIENCE_SLOTS).min(wait);
            let gave_up = person.span.is_none() && newest > person.joined.max(self.first) + patience;
            if gave_up {
                continue;
            }
            let until = person.covered.max(newest.saturating_sub(patience)).min(newest);
            let place = (until, Reverse(person.heard), seat, person.covered + patience);
            if slowest.is_none_or(|other| place < other) {
                slowest = Some(place);
            }
        }
        self.awaited = slowest.map(|(_, _, seat, until)| (seat, until));
        self.decide_until(slowest.map_or(newest, |(until, ..)| until), out);
    }

    pub(super) fn decide_until(&mut self, until: u64, out: &mut dyn FnMut(Change)) {
        let Some(mut next) = self.next else { return };
        // After a long silence of everybody the slots between are nobody's: only so many can still matter.
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
        let place = |slot: u64| usize::try_from(slot % length as u64).unwrap_or(0);
        let (here, passed) = (place(slot), slot.checked_sub(window).map(place));
        let (mut speakers, mut is_known) = (0_usize, false);
        let mut far = Far::default();
        for &seat in &self.active {
            let Some(person) = self.people.get_mut(seat as usize) else { continue };
            let old = passed.and_then(|passed| person.slots.get_mut(passed));
            if let Some(old) = old.map(|old| core::mem::replace(old, Slot::UNKNOWN)).filter(|old| old.is_known()) {
                let speech_ms = u64::from(old.speech_ms);
                person.window_ms = person.window_ms.saturating_sub(speech_ms);
                person.window_known = person.window_known.saturating_sub(1);
                self.window_speech_ms = self.window_speech_ms.saturating_sub(speech_ms);
            }
            person.now = person.slots.get(here).copied().unwrap_or(Slot::UNKNOWN);
            far.note(person.coupling.follow(person.now.loudness, person.now.is_speech()));
        }
        for &seat in &self.active {
            let Some(person) = self.people.get_mut(seat as usize).filter(|person| person.now.is_known()) else {
                continue;
            };
            let span = person.span.unwrap_or(0);
            if person.coupling.is_echo(person.now.loudness, span, &far) && person.now.speech_ms > 0 {
                person.now.speech_ms = 0;
                if let Some(kept) = person.slots.get_mut(here) {
                    kept.speech_ms = 0;
                }
            }
            is_known = true;
            let speech_ms = u64::from(person.now.speech_ms);
            person.window_ms = person.window_ms.saturating_add(speech_ms);
            person.window_known = person.window_known.saturating_add(1);
            self.window_speech_ms = self.window_speech_ms.saturating_add(speech_ms);
            speakers += usize::from(person.speaks());
        }
        if is_known {
            self.room.slot(speakers);
        }
        let holder_speaks = self.holder().is_some_and(Participant::speaks);
        let holder_is_in = |person: &Participant| slot < person.run.end + HOLDER_QUIET_SLOTS;
        let is_held = holder_speaks || self.holder().is_some_and(holder_is_in);
        for &seat in &self.active {
            let Some(person) = self.people.get_mut(seat as usize) else { continue };
            let speaks = person.speaks();
            let speech_ms = if person.now.is_known() { u32::from(person.now.speech_ms) } else { 0 };
            let others = speakers > usize::from(speaks);
            person.teller.slot(slot, speech_ms, speaks, others);
            person.run.slot(slot, speech_ms, speaks, holder_speaks);
        }
        self.pass(slot, is_held, speakers > 0, out);
        if !self.has_left {
            return;
        }
        self.active.retain(|&seat| {
            let person = self.people.get(seat as usize);
            person.is_some_and(|person| person.left.is_none_or(|left| slot < left + window) || person.window_known > 0)
        });
        let people = &self.people;
        self.has_left = self.active.iter().any(|&seat| people.get(seat as usize).is_some_and(|of| of.left.is_some()));
    }

    /// Passes the floor on, if it is to pass.
    fn pass(&mut self, slot: u64, is_held: bool, anybody_speaks: bool, out: &mut dyn FnMut(Change)) {
        let end = slot + 1;
        let best = if anybody_speaks { self.challenger(is_held) } else { None };
        if let Some((seat, first)) = best {
            let since = match self.holder() {
                Some(holder) => first.max(if is_held { slot } else { holder.run.end }),
                None => first,
            };
            self.hand(Some(seat), end, since, out);
        } else if let Some(holder) = self.holder() {
            let quiet = end.saturating_sub(holder.run.end) * SLOT_MS;
            let gone = [holder.muted, holder.left].into_iter().flatten().any(|at| at <= slot);
            if quiet >= SILENCE_MS || gone {
                let since = holder.run.end;
                self.hand(None, end, since, out);
            }
        }
    }

    /// Who takes the floor, and since when that one speaks. Of two who have spoken alike nobody does.
    fn challenger(&self, is_held: bool) -> Option<(u32, u64)> {
        let is_alone = self.active.len() == 1;
        let holder = self.holder();
        let mut best: Option<(u32, Run)> = None;
        let mut is_tied = false;
        for &seat in &self.active {
            let Some(person) = self.people.get(seat as usize).filter(|_| self.holder != Some(seat)) else { continue };
            let run = person.run;
            let gone = person.muted.is_some() || person.left.is_some();
            let takes = match holder {
                _ if gone || !person.speaks() => false,
                None => run.speech_ms >= if is_alone { u32::from(SPEECH_IN_SLOT) } else { OPEN_MS },
                Some(holder) if is_held => run.speech_ms >= OUTLAST_MS && run.first > holder.run.first,
                Some(_) => run.speech_ms >= TAKE_MS && run.fresh_ms >= person.fresh_ms(),
            };
            if !takes {
                continue;
            }
            let rank = |run: Run| (run.fresh_ms, run.speech_ms);
            match best {
                Some((_, other)) if rank(other) > rank(run) => {}
                Some((_, other)) if rank(other) == rank(run) => is_tied = true,
                _ => (best, is_tied) = (Some((seat, run)), false),
            }
        }
        best.filter(|_| !is_tied).map(|(seat, run)| (seat, run.first))
    }

    pub(super) fn hand(&mut self, now: Option<u32>, at: u64, since: u64, out: &mut dyn FnMut(Change)) {
        // Nobody has it while somebody else had it.
        let since = since.max(self.ended);
        let before = self.holder;
        let ended = self.holder().map(|person| person.run.end.min(since));
        self.ended = ended.unwrap_or(self.ended);
        if let Some(person) = before.and_then(|seat| self.people.get_mut(seat as usize)) {
            let held_ms = person.run.end.min(since).saturating_sub(person.since) * SLOT_MS;
            person.dominant_ms = person.dominant_ms.saturating_add(held_ms);
        }
        self.holder = now;
        if let Some(person) = now.and_then(|seat| self.people.get_mut(seat as usize)) {
            person.since = since;
        }
        let (at_ms, since_ms) = (at * SLOT_MS, since * SLOT_MS);
        let ended_ms = ended.map(|ended| ended * SLOT_MS);
        out(Change { at_ms, since_ms, before: before.map(ParticipantId), ended_ms, now: now.map(ParticipantId) });
    }
}
