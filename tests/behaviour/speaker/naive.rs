//! The floor, decided slot by slot for every participant: slow and plain. The engine's floor must give the same results.

use std::collections::BTreeMap;

use callgauge::speaker::dominant::{FRESH_MS, OPEN_MS, OUTLAST_MS, TAKE_MS};
use callgauge::speaker::level::Sound;

/// At, since, before, end of before, now.
pub(super) type Change = (u64, u64, Option<usize>, Option<u64>, Option<usize>);

const LAST: u64 = 1 << 48;
const WAIT: u64 = 200;

fn slot_of(ms: u64) -> u64 {
    (ms / 100).min(LAST)
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    speech_ms: u64,
    loudness: u8,
}

impl Slot {
    fn is_speech(self) -> bool {
        self.speech_ms >= 30
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Run {
    first: u64,
    end: u64,
    speech_ms: u32,
    fresh_ms: u32,
}

#[derive(Clone, Copy, Debug)]
struct Utterance {
    first: u64,
    last: u64,
    speech_ms: u64,
    overlap_slots: u64,
    broke_in: bool,
    is_settled: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Talk {
    pub(super) talk_ms: u64,
    pub(super) overlap_ms: u64,
    pub(super) longest_ms: u64,
    pub(super) muted_ms: Option<u64>,
    pub(super) turns: u64,
    pub(super) interruptions: u64,
}

#[derive(Clone, Debug)]
struct Participant {
    slots: BTreeMap<u64, Slot>,
    covered: u64,
    span: Option<u64>,
    joined: u64,
    muted: Option<u64>,
    left: Option<u64>,
    opened: u64,
    before: u64,
    run: Run,
    since: u64,
    dominant_ms: u64,
    talk: Talk,
    utterance: Option<Utterance>,
    alone_slots: u64,
    now: Option<Slot>,
    softer: i32,
    recent: [u8; 4],
    silent: u64,
    closed: u64,
}

impl Participant {
    fn new(joined: u64, covered: u64) -> Self {
        Self {
            slots: BTreeMap::new(),
            covered,
            span: None,
            joined,
            muted: None,
            left: None,
            opened: 0,
            before: 0,
            run: Run::default(),
            since: 0,
            dominant_ms: 0,
            talk: Talk::default(),
            utterance: None,
            alone_slots: 0,
            now: None,
            softer: 24 * 256,
            recent: [127; 4],
            silent: 0,
            closed: 0,
        }
    }

    fn window(&self, from: u64, to: u64) -> (u64, u64) {
        self.slots.range(from..to).fold((0, 0), |(ms, known), (_, slot)| (ms + slot.speech_ms, known + 1))
    }

    fn speaks(&self) -> bool {
        self.now.is_some_and(Slot::is_speech)
    }

    fn lay(&mut self, open: u64, from: u64, to: u64, span_ms: u64, sound: Sound) {
        let permille = u64::from(sound.speech.permille());
        let total_ms = (to - from) * 100;
        let speech_ms = (span_ms.min(total_ms.max(100)) * permille).div_ceil(1000);
        let speech_ms = if span_ms < total_ms { total_ms * permille / 1000 } else { speech_ms };
        let begins = self.before < permille / 2;
        self.before = permille;
        let end = self.muted.into_iter().chain(self.left).min().unwrap_or(u64::MAX);
        let lead_ms = if begins { total_ms.saturating_sub(speech_ms) } else { 0 };
        for slot in open..to {
            let before_ms = (slot - from) * 100;
            let (first, last) = (before_ms.max(lead_ms), (before_ms + 100).min(lead_ms + speech_ms));
            let value = if slot >= end || slot < self.opened { 0 } else { last.saturating_sub(first) };
            let loudness = if value > 0 { sound.loudness.min(127) } else { 127 };
            let place = self.slots.entry(slot).or_insert(Slot { speech_ms: 0, loudness: 127 });
            *place = Slot { speech_ms: value.max(place.speech_ms), loudness: loudness.min(place.loudness) };
        }
    }

    fn discard(&mut self, from: u64) {
        for (_, slot) in self.slots.range_mut(from..) {
            *slot = Slot { speech_ms: 0, loudness: 127 };
        }
    }

    fn loudness(&self) -> u8 {
        self.recent.into_iter().min().unwrap()
    }

    fn is_echo(&mut self, loudness: u8, far: u8) -> bool {
        self.closed = self.closed.saturating_sub(1);
        if loudness < 127 {
            self.silent = 0;
        } else if far < 127 {
            self.silent += 1;
        }
        if self.silent >= 25.max(3 * self.span.unwrap_or(0)) {
            self.closed = 600;
        }
        if far >= 127 {
            return false;
        }
        let softer_db = i32::from(loudness) - i32::from(far);
        let is_echo = loudness < 127 && self.closed == 0 && softer_db * 256 >= self.softer - 12 * 256;
        if softer_db >= 12 {
            self.softer += (softer_db.min(40) * 256 - self.softer) / 16;
        }
        is_echo
    }

    fn count(&mut self, slot: u64, others: bool) {
        let speech_ms = self.now.map_or(0, |now| now.speech_ms);
        self.alone_slots = if others { 0 } else { self.alone_slots + 1 };
        self.talk.talk_ms += speech_ms;
        if !self.speaks() {
            self.utterance = self.utterance.filter(|utterance| slot - utterance.last < 7);
            return;
        }
        if others {
            self.talk.overlap_ms += speech_ms;
        }
        let new =
            Utterance { first: slot, last: slot, speech_ms: 0, overlap_slots: 0, broke_in: others, is_settled: false };
        let utterance = self.utterance.get_or_insert(new);
        let was_turn = utterance.speech_ms >= 1_000;
        utterance.last = slot;
        utterance.speech_ms += speech_ms;
        utterance.overlap_slots += u64::from(others);
        self.talk.turns += u64::from(!was_turn && utterance.speech_ms >= 1_000);
        self.talk.longest_ms = self.talk.longest_ms.max((slot + 1 - utterance.first) * 100);
        if !utterance.is_settled && utterance.broke_in && utterance.overlap_slots >= 3 {
            let yielded = self.alone_slots >= 7 && utterance.speech_ms >= 1_000;
            utterance.is_settled = yielded || slot - utterance.first > 27;
            self.talk.interruptions += u64::from(yielded);
        }
    }

    fn run(&mut self, slot: u64, holder_speaks: bool) {
        let run = &mut self.run;
        if slot >= run.end + 7 {
            (run.speech_ms, run.fresh_ms) = (0, 0);
        }
        if holder_speaks {
            run.fresh_ms = 0;
        }
        if let Some(now) = self.now.filter(|now| now.is_speech()) {
            if run.speech_ms == 0 {
                run.first = slot;
            }
            run.end = slot + 1;
            run.speech_ms += now.speech_ms as u32;
            run.fresh_ms += if holder_speaks { 0 } else { now.speech_ms as u32 };
        }
    }

    fn merge(&mut self, other: &Self, oldest: u64) {
        for (&slot, of) in other.slots.range(oldest..) {
            let place = self.slots.entry(slot).or_insert(Slot { speech_ms: 0, loudness: 127 });
            *place = Slot { speech_ms: place.speech_ms.max(of.speech_ms), loudness: place.loudness.min(of.loudness) };
        }
        if other.run.end > self.run.end {
            self.run = other.run;
        }
        self.covered = self.covered.max(other.covered);
        self.span = self.span.max(other.span);
        self.dominant_ms += other.dominant_ms;
        let (talk, of) = (&mut self.talk, &other.talk);
        talk.talk_ms += of.talk_ms.saturating_sub(talk.overlap_ms.min(of.overlap_ms));
        talk.overlap_ms = talk.overlap_ms.abs_diff(of.overlap_ms);
        talk.longest_ms = talk.longest_ms.max(of.longest_ms);
        talk.muted_ms = talk.muted_ms.map_or(of.muted_ms, |ms| Some(ms + of.muted_ms.unwrap_or(0)));
        talk.turns += of.turns;
        talk.interruptions += of.interruptions;
        if other.utterance.map(|of| of.last) > self.utterance.map(|of| of.last) {
            self.utterance = other.utterance;
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Naive {
    window: u64,
    participants: Vec<Participant>,
    active: Vec<usize>,
    next: Option<u64>,
    first: u64,
    newest: u64,
    pub(super) holder: Option<usize>,
    ended: u64,
    /// Known, with speech, with two or more speakers, ms.
    pub(super) all: [u64; 3],
    pub(super) late: u64,
    longest: u64,
    pub(super) changes: Vec<Change>,
}

impl Naive {
    pub(super) fn new(window_ms: u64) -> Self {
        Self { window: window_ms.clamp(1_000, 60_000) / 100, ..Self::default() }
    }

    pub(super) fn join(&mut self, at_ms: u64) {
        let joined = slot_of(at_ms);
        self.active.push(self.participants.len());
        self.participants.push(Participant::new(joined, joined.max(self.next.unwrap_or(0))));
    }

    pub(super) fn add_sound(&mut self, id: usize, from_ms: u64, to_ms: u64, sound: Sound) {
        let (from, to) = (slot_of(from_ms), slot_of(to_ms));
        let (to, to_ms) = match self.participants[id].left {
            Some(left) if left < to => (left, left * 100),
            _ => (to, to_ms),
        };
        if to_ms <= from_ms {
            return;
        }
        let next = match self.next {
            Some(next) if next > self.first || from >= next || self.newest.saturating_sub(from) > WAIT => next,
            _ => {
                (self.first, self.next) = (from, Some(from));
                from
            }
        };
        if to <= next {
            self.late += u64::from(from < next);
            if self.participants[id].span.is_none() {
                self.participants[id].span = Some((to - from).min(WAIT));
            }
            return;
        }
        self.newest = self.newest.max(to);
        if to > next + WAIT {
            self.decide_until(to - WAIT);
        }
        let next = self.next.unwrap();
        let participant = &mut self.participants[id];
        if to_ms - from_ms <= 20_000 {
            participant.lay(from.max(next), from, to, to_ms - from_ms, sound);
            participant.span = Some(to - from);
            self.longest = self.longest.max(to - from);
        }
        participant.covered = participant.covered.max(to);
        self.decide();
    }

    pub(super) fn mute(&mut self, id: usize, at_ms: u64) {
        let (at, next) = (slot_of(at_ms), self.next.unwrap_or(0));
        let participant = &mut self.participants[id];
        participant.muted = Some(participant.muted.map_or(at, |muted| muted.min(at)));
        participant.discard(at.max(next));
        self.decide();
        self.end_if_gone(at);
    }

    pub(super) fn unmute(&mut self, id: usize, at_ms: u64) {
        let participant = &mut self.participants[id];
        participant.muted = None;
        participant.covered = participant.covered.max(self.newest);
        participant.opened = participant.opened.max(slot_of(at_ms));
    }

    pub(super) fn rejoin(&mut self, id: usize, at_ms: u64) {
        let participant = &mut self.participants[id];
        if participant.left.is_none_or(|left| left > slot_of(at_ms)) {
            return;
        }
        (participant.left, participant.muted, participant.span) = (None, None, None);
        participant.joined = slot_of(at_ms);
        participant.opened = participant.opened.max(participant.joined);
        participant.covered = participant.covered.max(self.newest);
        if !self.active.contains(&id) {
            participant.slots.clear();
            self.active.push(id);
        }
    }

    pub(super) fn leave(&mut self, id: usize, at_ms: u64) {
        let (at, next) = (slot_of(at_ms), self.next.unwrap_or(0));
        let participant = &mut self.participants[id];
        participant.left = Some(participant.left.map_or(at, |left| left.min(at)));
        participant.discard(at.max(next));
        self.decide();
        self.end_if_gone(at);
    }

    fn end_if_gone(&mut self, at: u64) {
        let gone = |holder: &Participant| holder.muted.is_some() || holder.left.is_some();
        if let Some(end) = self.holder.map(|id| &self.participants[id]).filter(|of| gone(of)).map(|of| of.run.end) {
            self.hand(None, at.max(end), end);
        }
    }

    pub(super) fn merge(&mut self, from: usize, to: usize) {
        if from == to {
            return;
        }
        let oldest = self.next.unwrap_or(0).saturating_sub(self.window);
        let fresh = Participant::new(self.participants[from].joined, self.participants[from].covered);
        let other = std::mem::replace(&mut self.participants[from], fresh);
        let participant = &mut self.participants[to];
        if !self.active.contains(&to) {
            participant.slots.clear();
            self.active.push(to);
        }
        participant.merge(&other, oldest);
        if self.holder == Some(from) {
            (self.holder, participant.since) = (Some(to), other.since);
        }
    }

    pub(super) fn speak_muted(&mut self, id: usize, ms: u64) {
        let talk = &mut self.participants[id].talk;
        talk.muted_ms = Some(talk.muted_ms.unwrap_or(0) + ms);
    }

    pub(super) fn silent_at_ms(&self) -> Option<u64> {
        let end = self.participants[self.holder?].run.end + 20;
        Some((self.newest.max(end) + 2 * self.longest + 5) * 100)
    }

    pub(super) fn pass_time(&mut self, now_ms: u64) {
        if self.silent_at_ms().is_some_and(|at_ms| at_ms <= now_ms) {
            let end = self.participants[self.holder.unwrap()].run.end + 20;
            self.newest = self.newest.max(end).min(LAST);
            self.finish();
        }
    }

    pub(super) fn finish(&mut self) {
        self.decide_until(self.newest);
    }

    pub(super) fn is_only_speaker(&self, id: usize) -> bool {
        let next = self.next.unwrap_or(0);
        let of = |id: usize| match self.active.contains(&id) {
            true => self.participants[id].window(next.saturating_sub(self.window), next),
            false => (0, 0),
        };
        let participant = &self.participants[id];
        let window = self.window.min(next.saturating_sub(self.first.max(participant.joined)));
        let all_ms: u64 = (0..self.participants.len()).map(|id| of(id).0).sum();
        let (speech_ms, known) = of(id);
        participant.muted.is_none()
            && participant.left.is_none()
            && speech_ms >= 2_000
            && all_ms - speech_ms <= 1_000
            && known * 100 >= window * 80
    }

    pub(super) fn dominant_ms(&self, id: usize) -> u64 {
        let participant = &self.participants[id];
        let open = participant.run.end.saturating_sub(participant.since) * 100;
        participant.dominant_ms + if self.holder == Some(id) { open } else { 0 }
    }

    pub(super) fn spoke_until_ms(&self, id: usize) -> u64 {
        self.participants[id].run.end * 100
    }

    pub(super) fn talk(&self, id: usize) -> Talk {
        self.participants[id].talk
    }

    pub(super) fn decided_ms(&self) -> Option<u64> {
        Some(self.next? * 100)
    }

    fn decide(&mut self) {
        let mut slowest = self.newest;
        for &id in &self.active {
            let participant = &self.participants[id];
            let patience = (2 * participant.span.unwrap_or(self.longest) + 5).min(WAIT);
            let gave_up = participant.span.is_none() && self.newest > participant.joined.max(self.first) + patience;
            if !gave_up && participant.muted.is_none() && participant.left.is_none() {
                slowest = slowest.min(participant.covered.max(self.newest.saturating_sub(patience)));
            }
        }
        self.decide_until(slowest);
    }

    fn decide_until(&mut self, until: u64) {
        let Some(next) = self.next.filter(|&next| next < until) else { return };
        // More slots than any state survives.
        for slot in next..until.min(next + 2 * self.window + 2 * WAIT) {
            self.slot(slot);
        }
        self.next = Some(until);
    }

    fn slot(&mut self, slot: u64) {
        let mut far = [127_u8; 2];
        for &id in &self.active {
            let participant = &mut self.participants[id];
            participant.now = participant.slots.get(&slot).copied();
            participant.recent.rotate_right(1);
            participant.recent[0] = participant.now.filter(|now| now.is_speech()).map_or(127, |now| now.loudness);
            far = far
                .into_iter()
                .chain([participant.loudness()])
                .fold([127; 2], |far, of| if of < far[0] { [of, far[0]] } else { [far[0], far[1].min(of)] });
        }
        for &id in &self.active {
            let participant = &mut self.participants[id];
            let own = participant.loudness();
            let other = if own == far[0] { far[1] } else { far[0] };
            if let Some(now) = participant.now
                && participant.is_echo(now.loudness, other)
            {
                participant.now = Some(Slot { speech_ms: 0, ..now });
                participant.slots.insert(slot, Slot { speech_ms: 0, ..now });
            }
        }
        let speakers = self.active.iter().filter(|&&id| self.participants[id].speaks()).count();
        let is_known = self.active.iter().any(|&id| self.participants[id].now.is_some());
        for (sum, counts) in self.all.iter_mut().zip([is_known, speakers > 0, speakers > 1]) {
            *sum += if counts { 100 } else { 0 };
        }
        let holder = self.holder.map(|id| &self.participants[id]);
        let holder_speaks = holder.is_some_and(Participant::speaks);
        let is_held = holder_speaks || holder.is_some_and(|holder| slot < holder.run.end + 2);
        for &id in &self.active {
            let participant = &mut self.participants[id];
            let others = speakers > usize::from(participant.speaks());
            participant.count(slot, others);
            participant.run(slot, holder_speaks);
        }
        self.pass(slot, is_held);
        let (window, participants) = (self.window, &self.participants);
        self.active.retain(|&id| {
            let participant = &participants[id];
            let known = participant.window((slot + 1).saturating_sub(window), slot + 1).1;
            participant.left.is_none_or(|left| slot < left + window) || known > 0
        });
    }

    fn pass(&mut self, slot: u64, is_held: bool) {
        let end = slot + 1;
        let holder = self.holder.map(|id| self.participants[id].clone());
        if let Some((id, first)) = self.challenger(is_held) {
            let since = holder.map_or(first, |holder| first.max(if is_held { slot } else { holder.run.end }));
            self.hand(Some(id), end, since);
        } else if let Some(holder) = holder {
            let gone = holder.muted.into_iter().chain(holder.left).any(|at| at <= slot);
            if end.saturating_sub(holder.run.end) >= 20 || gone {
                self.hand(None, end, holder.run.end);
            }
        }
    }

    fn challenger(&self, is_held: bool) -> Option<(usize, u64)> {
        let holder = self.holder.map(|id| &self.participants[id]);
        let takes = |participant: &Participant| {
            let run = participant.run;
            let fresh_ms = ((participant.span.unwrap_or(0) * 50) as u32).clamp(FRESH_MS, TAKE_MS);
            participant.muted.is_none()
                && participant.left.is_none()
                && participant.speaks()
                && match holder {
                    None => run.speech_ms >= if self.active.len() == 1 { 30 } else { OPEN_MS },
                    Some(holder) if is_held => run.speech_ms >= OUTLAST_MS && run.first > holder.run.first,
                    Some(_) => run.speech_ms >= TAKE_MS && run.fresh_ms >= fresh_ms,
                }
        };
        let rank = |id: usize| (self.participants[id].run.fresh_ms, self.participants[id].run.speech_ms);
        let others = self.active.iter().copied().filter(|&id| self.holder != Some(id));
        let mut ranked: Vec<usize> = others.filter(|&id| takes(&self.participants[id])).collect();
        ranked.sort_by_key(|&id| std::cmp::Reverse(rank(id)));
        let is_tied = ranked.len() > 1 && rank(ranked[0]) == rank(ranked[1]);
        ranked.first().filter(|_| !is_tied).map(|&id| (id, self.participants[id].run.first))
    }

    fn hand(&mut self, now: Option<usize>, at: u64, since: u64) {
        let since = since.max(self.ended);
        let before = self.holder;
        let ended = before.map(|id| self.participants[id].run.end.min(since));
        self.ended = ended.unwrap_or(self.ended);
        if let Some(participant) = before.map(|id| &mut self.participants[id]) {
            participant.dominant_ms += participant.run.end.min(since).saturating_sub(participant.since) * 100;
        }
        self.holder = now;
        if let Some(id) = now {
            self.participants[id].since = since;
        }
        self.changes.push((at * 100, since * 100, before, ended.map(|ended| ended * 100), now));
    }
}
