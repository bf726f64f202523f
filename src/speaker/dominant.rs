//! The dominant speaker over a sliding window, out of fractions of speech at any cadence from 100 ms to 10 s.
//!
//! Time is cut into slots of 100 ms. A sample is laid out on the slots that it covers: speech is contiguous, so that what
//! began within a sample fills its end, and what ended within it its beginning. A slot is decided when everybody has
//! covered it, or when who has not is late by more than two samples; therefore samples may come in any order. Who holds
//! the floor keeps it while speaking, and over pauses shorter than [`SILENCE_MS`]; somebody else takes it by speaking for
//! [`TAKE_MS`], and for [`FRESH_MS`] since the holder fell silent. A cough, a slamming door, a "yes" within somebody's turn
//! does not.
//!
//! Beside the floor there is callstats' own question, whether one was [the only one](Floor::only_speaker) to speak in all
//! of the window.

mod deciding;

#[cfg(feature = "serde")]
use alloc::vec;
use alloc::vec::Vec;

use super::level::Sound;
use super::participant::{Participant, Slot};
use super::talk::{ConferenceTalk, Talk};

pub(crate) use super::slots::LAST_MS;
pub use super::slots::{FRESH_MS, SLOT_MS, TAKE_MS};
use super::slots::{LAST_SLOT, slot_of};

/// How long somebody must have spoken to take the floor that nobody holds, ms.
pub const OPEN_MS: u32 = 400;
/// Who speaks against the holder for this long takes the floor, ms.
pub const OUTLAST_MS: u32 = 5_000;
/// Silence of this length ends the floor, ms.
pub const SILENCE_MS: u64 = 2_000;
/// How late a change of the floor is found at most, ms, after both the holder fell silent and the speech that takes the
/// floor began; beyond one sample of the slowest participant.
pub const LATENCY_MS: u64 = 800;

/// The holder must be silent for this long before anybody takes over: a pause between words is no end.
const HOLDER_QUIET_SLOTS: u64 = 2;
/// Who is the only one to speak in the window speaks at least for this long, ms.
const ONLY_MS: u64 = 2_000;
/// All others together speak at most for this long meanwhile, ms: a back-channel. In 97 h of meetings (AMI) it then holds
/// for 40 % of windows of 10 s.
const OTHERS_MS: u64 = 1_000;
/// Of the window so much must be known, percent.
const KNOWN_PERCENT: u64 = 80;
/// Who has sent samples is waited for twice as long as the last one lasted, and so many slots more.
const LENIENCE_SLOTS: u64 = 5;
/// The window's limits, ms.
const WINDOW_MS: core::ops::RangeInclusive<u64> = 1_000..=60_000;
/// The longest sample: what is longer is a gap, ms.
pub(crate) const LONGEST_MS: u64 = 20_000;
/// The window that is looked at where one of `asked_ms` is asked for, ms.
pub(crate) const fn kept_window_ms(asked_ms: u128) -> u64 {
    let (least, most) = (*WINDOW_MS.start(), *WINDOW_MS.end());
    if asked_ms < least as u128 {
        least
    } else if asked_ms > most as u128 {
        most
    } else {
        asked_ms as u64
    }
}

/// A participant of a [`Floor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ParticipantId(u32);

impl ParticipantId {
    /// The place in the order of joining, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The floor passed to somebody, or to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// When the detector could tell, ms of the participants' clock.
    pub at_ms: u64,
    /// Since when it is so: the speech that took the floor began, or the last speech ended.
    pub since_ms: u64,
    /// Who had it before.
    pub before: Option<ParticipantId>,
    /// Until when that one spoke last; `None` when nobody had it.
    pub ended_ms: Option<u64>,
    /// Who has it now; `None` for silence, and for a holder who was muted or left.
    pub now: Option<ParticipantId>,
}

/// The detector.
///
/// ```
/// use callgauge::speaker::dominant::Floor;
/// use callgauge::speaker::level::Fraction;
/// let mut floor = Floor::new(10_000);
/// let (ann, ben) = (floor.join(0).unwrap(), floor.join(0).unwrap());
/// let mut changes = Vec::new();
/// for second in 0..6_u64 {
///     let (from, to) = (second * 1000, second * 1000 + 1000);
///     let (a, b) = if second < 3 { (Fraction::ALL, Fraction::NONE) } else { (Fraction::NONE, Fraction::ALL) };
///     floor.hear(ann, from, to, a, &mut |change| changes.push(change));
///     floor.hear(ben, from, to, b, &mut |change| changes.push(change));
/// }
/// assert_eq!(floor.dominant(), Some(ben));
/// assert_eq!((changes[0].now, changes[1].now, changes[1].since_ms), (Some(ann), Some(ben), 3000));
/// ```
///
/// With the feature `serde` it is read as it was written, and nothing of it is checked; a
/// [`Conference`](crate::Conference) checks its own.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Floor {
    window: usize,
    participants: Vec<Participant>,
    /// Who is here, or was in the window. Their order decides nothing.
    active: Vec<u32>,
    /// Some of them have left.
    has_left: bool,
    /// The first slot that is not decided yet; `None` before anything was heard.
    next: Option<u64>,
    first: u64,
    newest: u64,
    holder: Option<u32>,
    /// When the last one who had the floor and lost it ended.
    ended: u64,
    room: ConferenceTalk,
    window_speech_ms: u64,
    late: u64,
    /// The longest sample of anybody, slots.
    longest: u64,
    /// How many samples were heard.
    heard: u64,
    /// Who is waited for, and until which slot: before, nobody else's sample decides anything.
    awaited: Option<(u32, u64)>,
}

impl Floor {
    /// A room in which nobody is yet. `window_ms`: 10 000 is callstats' own; it is kept within 1 s to 60 s.
    #[must_use]
    pub fn new(window_ms: u64) -> Self {
        Self {
            // 10 to 600.
            window: (kept_window_ms(window_ms.into()) / SLOT_MS) as usize,
            participants: Vec::new(),
            active: Vec::new(),
            has_left: false,
            next: None,
            first: 0,
            newest: 0,
            holder: None,
            ended: 0,
            room: ConferenceTalk::default(),
            window_speech_ms: 0,
            late: 0,
            longest: 0,
            heard: 0,
            awaited: None,
        }
    }

    /// Somebody comes in. Allocates the slots of a window and of a sample: a kilobyte, for 10 s. `None` beyond 2³² people.
    pub fn join(&mut self, at_ms: u64) -> Option<ParticipantId> {
        let id = u32::try_from(self.participants.len()).ok()?;
        let joined = slot_of(at_ms);
        self.participants.push(Participant::new(self.ring(), joined, joined.max(self.next.unwrap_or(0))));
        self.active.push(id);
        self.awaited = None;
        Some(ParticipantId(id))
    }

    /// Takes a sample: how much of the time from `from_ms` to `to_ms` was speech. What is decided already is left out and
    /// [counted](Self::late); more than 20 s is a gap, of which nothing is known. What changes goes to `out`.
    ///
    /// Cost: by the slots that the sample covers, at most two hundred, however many people there are, if all report about
    /// as often and in about the same order; each slot looks at everybody once. A gap costs the slots of two windows and 40 s
    /// at most. No allocation.
    pub fn hear(
        &mut self,
        id: ParticipantId,
        from_ms: u64,
        to_ms: u64,
        sound: impl Into<Sound>,
        out: &mut dyn FnMut(Change),
    ) {
        let (from, to) = (slot_of(from_ms), slot_of(to_ms));
        // What was said until they left is theirs.
        let Some(participant) = self.participants.get(id.index()) else { return };
        let (to, to_ms) = match participant.left {
            Some(left) if left < to => (left, left * SLOT_MS),
            _ => (to, to_ms),
        };
        if to_ms <= from_ms {
            return;
        }
        let wait = self.wait();
        // As long as nothing is decided, an earlier sample begins the room anew.
        let next = match self.next {
            Some(next) if next > self.first || from >= next || self.newest.saturating_sub(from) > wait => next,
            _ => {
                (self.first, self.next) = (from, Some(from));
                from
            }
        };
        if to <= next {
            self.late = self.late.saturating_add(u64::from(from < next));
            // Whoever is heard is waited for, so that the next sample is not late, too.
            if let Some(participant) =
                self.participants.get_mut(id.index()).filter(|participant| participant.span.is_none())
            {
                (participant.span, self.awaited) = (Some((to - from).min(wait)), None);
            }
            return;
        }
        self.newest = self.newest.max(to);
        // Room for the sample first: it must not overwrite what is not decided.
        if to > next.saturating_add(wait) {
            self.decide_until(to - wait, out);
        }
        let next = self.next.unwrap_or(0);
        let span_ms = to_ms - from_ms;
        if let Some(participant) = self.participants.get_mut(id.index()) {
            if span_ms <= LONGEST_MS {
                self.room.note_span(span_ms);
                participant.fill_slots(from.max(next), from, to, span_ms, sound.into());
                participant.span = Some(to - from);
                self.longest = self.longest.max(to - from);
            }
            participant.covered = participant.covered.max(to);
            self.heard = self.heard.saturating_add(1);
            participant.heard = self.heard;
        }
        if self.awaited.is_none_or(|(awaited, until)| awaited == id.0 || self.newest > until) {
            self.decide(out);
        }
    }

    /// From `at_ms` on nothing that this one says is heard.
    pub fn mute(&mut self, id: ParticipantId, at_ms: u64, out: &mut dyn FnMut(Change)) {
        if let Some(participant) = self.participants.get_mut(id.index()) {
            participant.muted = Some(participant.muted.unwrap_or(u64::MAX).min(slot_of(at_ms)));
            participant.inactive_from(slot_of(at_ms), self.next.unwrap_or(0), self.newest);
        }
        self.decide(out);
        self.end_if_gone(at_ms, out);
    }

    /// What this one says from `at_ms` on is heard again.
    pub fn unmute(&mut self, id: ParticipantId, at_ms: u64) {
        if let Some(participant) = self.participants.get_mut(id.index()) {
            participant.muted = None;
            self.awaited = None;
            participant.covered = participant.covered.max(self.newest);
            participant.opened = participant.opened.max(slot_of(at_ms));
        }
    }

    /// Somebody who left is here again, if it is after they left. What they said before stays theirs.
    pub fn come_back(&mut self, id: ParticipantId, at_ms: u64) {
        let is_back = |participant: &&mut Participant| participant.left.is_some_and(|left| left <= slot_of(at_ms));
        let Some(participant) = self.participants.get_mut(id.index()).filter(is_back) else { return };
        participant.left = None;
        participant.muted = None;
        participant.span = None;
        self.awaited = None;
        participant.joined = slot_of(at_ms);
        participant.opened = participant.opened.max(participant.joined);
        participant.covered = participant.covered.max(self.newest);
        if !self.active.contains(&id.0) {
            participant.slots.fill(Slot::UNKNOWN);
            self.active.push(id.0);
        }
    }

    /// This one goes. What was said stays in the window.
    pub fn leave(&mut self, id: ParticipantId, at_ms: u64, out: &mut dyn FnMut(Change)) {
        if let Some(participant) = self.participants.get_mut(id.index()) {
            self.has_left = true;
            participant.left = Some(participant.left.unwrap_or(u64::MAX).min(slot_of(at_ms)));
            participant.inactive_from(slot_of(at_ms), self.next.unwrap_or(0), self.newest);
        }
        self.decide(out);
        self.end_if_gone(at_ms, out);
    }

    /// One turns out to be another: what was said, and the floor, is that one's. `from` is as if nobody had ever heard them.
    ///
    /// What both said at once was said once, as far as can be told: as much as the one spoke over others who did so less.
    pub fn merge(&mut self, from: ParticipantId, to: ParticipantId) {
        let (decided, length) = (self.decided(), self.ring());
        let Ok([other, participant]) = self.participants.get_disjoint_mut([from.index(), to.index()]) else { return };
        let fresh = Participant::new(length, other.joined, other.covered);
        let other = core::mem::replace(other, fresh);
        if !self.active.contains(&to.0) {
            participant.slots.fill(Slot::UNKNOWN);
            self.active.push(to.0);
            self.has_left = true;
        }
        let before_ms = other.window_ms.saturating_add(participant.window_ms);
        self.window_speech_ms = self.window_speech_ms.saturating_sub(before_ms);
        participant.merge(&other, decided);
        self.window_speech_ms = self.window_speech_ms.saturating_add(participant.window_ms);
        if self.holder == Some(from.0) {
            (self.holder, participant.since) = (Some(to.0), other.since);
        }
        self.awaited = None;
    }

    /// This one spoke for `ms` while muted, by a level that is measured before the mute.
    pub fn speak_muted(&mut self, id: ParticipantId, ms: u64) {
        if let Some(participant) = self.participants.get_mut(id.index()) {
            participant.teller.speak_muted(ms);
        }
    }

    /// When the one who has the floor has lost it, if nobody is heard any more until then, ms. `None` if nobody has it. O(1).
    #[must_use]
    pub fn silent_at_ms(&self) -> Option<u64> {
        let end = self.holder()?.run.end + SILENCE_MS / SLOT_MS;
        Some((self.newest.max(end) + 2 * self.longest + LENIENCE_SLOTS) * SLOT_MS)
    }

    /// Tells the time, for when nobody is heard any more: ends the floor when it is [over](Self::silent_at_ms).
    pub fn pass_time(&mut self, now_ms: u64, out: &mut dyn FnMut(Change)) {
        let Some(holder) = self.holder().filter(|_| self.silent_at_ms().is_some_and(|at_ms| at_ms <= now_ms)) else {
            return;
        };
        self.newest = self.newest.max(holder.run.end + SILENCE_MS / SLOT_MS).min(LAST_SLOT);
        self.decide_until(self.newest, out);
    }

    /// Decides all that was heard, waiting for nobody any more: the end of a call.
    pub fn finish(&mut self, out: &mut dyn FnMut(Change)) {
        self.decide_until(self.newest, out);
    }

    /// Who has the floor.
    #[must_use]
    pub fn dominant(&self) -> Option<ParticipantId> {
        self.holder.map(ParticipantId)
    }

    /// Whether this one has the floor. O(1).
    #[must_use]
    pub fn is_dominant(&self, id: ParticipantId) -> bool {
        self.holder == Some(id.0)
    }

    /// Whether this one was the only one to speak in the window: 2 s or more, all others together 1 s at most, 80 % of the
    /// window known. O(1).
    #[must_use]
    pub fn is_only_speaker(&self, id: ParticipantId) -> bool {
        let Some(participant) = self.participants.get(id.index()) else { return false };
        let window =
            (self.window as u64).min(self.next.unwrap_or(0).saturating_sub(self.first.max(participant.joined)));
        participant.muted.is_none()
            && participant.left.is_none()
            && participant.window_ms >= ONLY_MS
            && self.window_speech_ms.saturating_sub(participant.window_ms) <= OTHERS_MS
            && participant.window_known.saturating_mul(100) >= window * KNOWN_PERCENT
    }

    /// Who was the only one to speak in the window. Cost: linear in participants.
    #[must_use]
    pub fn only_speaker(&self) -> Option<ParticipantId> {
        self.active.iter().map(|&id| ParticipantId(id)).find(|&id| self.is_only_speaker(id))
    }

    /// How long this one had the floor so far, ms: from the beginning of the speech that took it to the end of the last
    /// speech, or to the beginning of the next one's.
    #[must_use]
    pub fn dominant_ms(&self, id: ParticipantId) -> u64 {
        let Some(participant) = self.participants.get(id.index()) else { return 0 };
        let open =
            if self.is_dominant(id) { participant.run.end.saturating_sub(participant.since) * SLOT_MS } else { 0 };
        participant.dominant_ms.saturating_add(open)
    }

    /// Until when this one was last heard to speak, ms; 0 for who never was.
    #[must_use]
    pub fn spoke_until_ms(&self, id: ParticipantId) -> u64 {
        self.participants.get(id.index()).map_or(0, |participant| participant.run.end * SLOT_MS)
    }

    /// What this one's talk came to so far; `None` for who is not of this room.
    #[must_use]
    pub fn talk(&self, id: ParticipantId) -> Option<Talk> {
        Some(self.participants.get(id.index())?.teller.talk(self.room.resolution_ms()))
    }

    /// This one's part of all time of speech so far, 0 to 1; `None` before anybody spoke. Cost: linear in people.
    #[must_use]
    pub fn share(&self, id: ParticipantId) -> Option<f64> {
        let all =
            self.participants.iter().fold(0_u64, |all, participant| all.saturating_add(participant.teller.talk_ms()));
        let own = self.participants.get(id.index())?.teller.talk_ms();
        (all > 0).then(|| own as f64 / all as f64)
    }

    /// What the talk of all came to so far.
    #[must_use]
    pub const fn conference_talk(&self) -> ConferenceTalk {
        self.room
    }

    /// How many samples came too late.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// Until when all is decided, ms.
    #[must_use]
    pub fn decided_ms(&self) -> Option<u64> {
        Some(self.next? * SLOT_MS)
    }

    /// How many people there are, and were.
    #[cfg(feature = "serde")]
    pub(crate) const fn len(&self) -> usize {
        self.participants.len()
    }

    /// Whether its times and lengths, and who is here, can have come about by being told of people: arithmetic relies on
    /// that. What is counted stops at its ends. Cost: linear in people.
    #[cfg(feature = "serde")]
    pub(crate) fn is_possible(&self) -> bool {
        let windows = (WINDOW_MS.start() / SLOT_MS) as usize..=(WINDOW_MS.end() / SLOT_MS) as usize;
        let times = [self.next.unwrap_or(0), self.first, self.newest, self.ended];
        let mut is_here = vec![false; self.participants.len()];
        let mut comes_once =
            |&id: &u32| is_here.get_mut(id as usize).is_some_and(|is_here| !core::mem::replace(is_here, true));
        windows.contains(&self.window)
            && times.into_iter().all(|slot| slot <= LAST_SLOT)
            && self.longest <= self.wait()
            && self.active.iter().all(&mut comes_once)
            && self.participants.iter().all(|participant| participant.is_possible(self.ring(), self.wait()))
    }

    /// The slots that are decided and still count.
    fn decided(&self) -> core::ops::Range<u64> {
        let next = self.next.unwrap_or(0);
        next.saturating_sub(self.window as u64)..next
    }

    const fn ring(&self) -> usize {
        // What is decided and still in the window, what waits for the slowest, and a sample.
        self.window + (self.wait() + LONGEST_MS / SLOT_MS) as usize
    }

    /// For so many slots a participant is waited for at most.
    const fn wait(&self) -> u64 {
        LONGEST_MS / SLOT_MS
    }

    /// A holder who cannot be heard any more has the floor no longer, whether or not others are waited for.
    fn end_if_gone(&mut self, at_ms: u64, out: &mut dyn FnMut(Change)) {
        if let Some(holder) = self.holder().filter(|holder| holder.muted.is_some() || holder.left.is_some()) {
            let since = holder.run.end;
            self.hand(None, (slot_of(at_ms)).max(since), since, out);
        }
    }

    fn holder(&self) -> Option<&Participant> {
        self.participants.get(self.holder? as usize)
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use proptest::prelude::*;

    use super::super::level::{Fraction, Sound};
    use super::{Floor, ParticipantId};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_comes_about_is_possible(
            window_ms in 0..90_000_u64,
            calls in prop::collection::vec((0..10_u8, 0..5_u32, 0..5_u32, 0..60_000_u64, 0..30_000_u64, 0..=127_u8), 1..80),
            (start, stretch) in prop_oneof![Just((0, 1)), Just((1_700_000_000_000, 1)), (0..1_u64 << 53, 1..1_u64 << 34)],
        ) {
            let mut floor = Floor::new(window_ms);
            let mut clock_ms = start;
            for (what, a, b, ahead_ms, span_ms, level) in calls {
                let (id, other, out) = (ParticipantId(a), ParticipantId(b), &mut |_| ());
                let at_ms = clock_ms + ahead_ms;
                match what {
                    0 => _ = floor.join(at_ms),
                    1 => floor.mute(id, at_ms, out),
                    2 => floor.unmute(id, at_ms),
                    3 => floor.leave(id, at_ms, out),
                    4 => floor.come_back(id, at_ms),
                    5 => floor.merge(id, other),
                    6 => floor.pass_time(at_ms, out),
                    7 => {
                        clock_ms += ahead_ms * stretch;
                        floor.speak_muted(id, at_ms);
                    }
                    _ => {
                        let speech = Fraction::new(f64::from(level % 5) / 4.0);
                        floor.hear(id, at_ms, at_ms + span_ms, Sound { speech, loudness: level }, out);
                    }
                }
                prop_assert!(floor.is_possible(), "{what} {a} {b}: {floor:?}");
            }
            floor.finish(&mut |_| ());
            prop_assert!(floor.is_possible(), "{floor:?}");
        }
    }
}
