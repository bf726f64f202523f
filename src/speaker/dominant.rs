//! Finds the dominant speaker from fractions of speech at any cadence from 100 ms to 10 s. It knows participants by
//! number only, not users or streams.
//!
//! Time is cut into slots of 100 ms. A sample is distributed over the slots that it covers: speech is contiguous, so
//! speech that began within a sample fills its end, and speech that ended within it fills its beginning. A slot is
//! decided when all participants have covered it, or when the missing ones are late by more than two samples; samples
//! may therefore arrive in any order. The holder keeps the floor while speaking, and over pauses shorter than
//! [`SILENCE_MS`]; another participant takes it by speaking for [`TAKE_MS`], and for [`FRESH_MS`] since the holder fell
//! silent. A cough, a slamming door or a "yes" within another participant's turn does not.
//!
//! callstats asks another question, which has its own method: whether a participant was [the only
//! one](Floor::only_speaker) to speak in the window.

mod deciding;

#[cfg(feature = "serde")]
use alloc::vec;
use alloc::vec::Vec;

use super::level::Sound;
use super::participant::Participant;
use super::talk::{ConferenceTalk, Talk};

pub(crate) use super::slots::LAST_MS;
pub use super::slots::{FRESH_MS, SLOT_MS, TAKE_MS};
use super::slots::{LAST_SLOT, SlotOrNone, slot_of};
#[cfg(feature = "serde")]
use super::track::STALE_SLOTS;
use super::track::Sample;
use crate::list::push;

/// Speech that takes a free floor, ms.
pub const OPEN_MS: u32 = 400;
/// Speech against the holder that takes the floor, ms.
pub const OUTLAST_MS: u32 = 5_000;
/// Silence of this length ends the floor, ms.
pub const SILENCE_MS: u64 = 2_000;
/// Maximum delay of a floor change, ms, counted from when both the holder had fallen silent and the speech that takes
/// the floor had begun; one sample of the slowest participant is added.
pub const LATENCY_MS: u64 = 800;

/// Silence of the holder before another participant may take over, slots: a pause between words does not end a turn.
const HOLDER_QUIET_SLOTS: u64 = 2;
/// The least speech of an only speaker in the window, ms.
const ONLY_MS: u64 = 2_000;
/// Maximum speech of all other participants in the window, ms: back-channels. In 97 h of meetings (AMI) there is then
/// an only speaker in 40 % of windows of 10 s.
const OTHERS_MS: u64 = 1_000;
/// The part of the window that must be known, percent.
const KNOWN_PERCENT: u64 = 80;
/// The floor waits for a participant for twice the duration of their last sample plus this, slots.
const LENIENCE_SLOTS: u64 = 5;
/// The limits of the window, ms.
const WINDOW_MS: core::ops::RangeInclusive<u64> = 1_000..=60_000;
/// The longest sample, ms; a longer one is a gap.
pub(crate) const LONGEST_MS: u64 = 20_000;
/// The window in use if the caller asks for `asked_ms`, ms.
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
    /// The index in the order of joining, from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A change of the holder of the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// When the change was found, ms on the participants' clock.
    pub at_ms: u64,
    /// When the change took effect: the beginning of the speech that took the floor, or the end of the last speech.
    pub since_ms: u64,
    /// The previous holder.
    pub before: Option<ParticipantId>,
    /// The end of the previous holder's last speech; `None` if there was no holder.
    pub ended_ms: Option<u64>,
    /// The new holder; `None` for silence, and after a holder was muted or left.
    pub now: Option<ParticipantId>,
}

/// The detector of the dominant speaker.
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
///     floor.add_sound(ann, from, to, a, &mut |change| changes.push(change));
///     floor.add_sound(ben, from, to, b, &mut |change| changes.push(change));
/// }
/// assert_eq!(floor.dominant(), Some(ben));
/// assert_eq!((changes[0].now, changes[1].now, changes[1].since_ms), (Some(ann), Some(ben), 3000));
/// ```
///
/// With the feature `serde`, deserializing does not validate a floor; a [`Conference`](crate::Conference) validates its
/// own.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Floor {
    window: usize,
    participants: Vec<Participant>,
    /// Participants that are present, or were in the window. Their order does not matter.
    active: Vec<u32>,
    /// Within the block that is being decided: how many of them, the first ones, speak.
    #[cfg_attr(feature = "serde", serde(skip))]
    speaking: usize,
    /// Some active participants have left.
    has_left: bool,
    /// The first undecided slot; `None` before the first sample.
    next: Option<u64>,
    first: u64,
    newest: u64,
    holder: Option<u32>,
    /// When the holder took the floor.
    since: u64,
    /// When the speech of the last former holder ended.
    ended: u64,
    room: ConferenceTalk,
    late: u64,
    /// The longest sample of any participant, slots.
    longest: u64,
    /// Number of samples accepted, modulo 2³²: it only tells which came last.
    heard: u32,
    /// The participant that the floor waits for, and until which slot: until then no other sample decides anything.
    waiting_for: Option<(u32, u64)>,
}

impl Floor {
    /// An empty floor. `window_ms`: 10 000 is callstats' own; the value is clamped to 1 s to 60 s.
    #[must_use]
    pub fn new(window_ms: u64) -> Self {
        Self {
            // 10 to 600.
            window: (kept_window_ms(window_ms.into()) / SLOT_MS) as usize,
            participants: Vec::new(),
            active: Vec::new(),
            speaking: 0,
            has_left: false,
            next: None,
            first: 0,
            newest: 0,
            holder: None,
            since: 0,
            ended: 0,
            room: ConferenceTalk::default(),
            late: 0,
            longest: 0,
            heard: 0,
            waiting_for: None,
        }
    }

    /// Adds a participant. A participant takes some 200 bytes if samples last seconds; with samples of 0.1 s it takes
    /// four bytes for each one in the window, too. `None` beyond 2³² participants.
    pub fn join(&mut self, at_ms: u64) -> Option<ParticipantId> {
        let id = u32::try_from(self.participants.len()).ok()?;
        let joined = slot_of(at_ms);
        push(&mut self.participants, Participant::new(joined, joined.max(self.next.unwrap_or(0))));
        push(&mut self.active, id);
        self.waiting_for = None;
        Some(ParticipantId(id))
    }

    /// Accepts a sample: how much of the time from `from_ms` to `to_ms` was speech. Slots that are already decided are
    /// ignored and [counted](Self::late); more than 20 s is a gap, of which nothing is known. Changes go to `out`.
    ///
    /// Cost: if all report about as often and in about the same order, a round of samples visits every participant once
    /// for every 64 slots, and those that speak once more for every change of the holder. A gap costs at most the slots
    /// of two windows and 40 s. No allocation, once a participant's window is full.
    pub fn add_sound(
        &mut self,
        id: ParticipantId,
        from_ms: u64,
        to_ms: u64,
        sound: impl Into<Sound>,
        out: &mut dyn FnMut(Change),
    ) {
        let (from, to) = (slot_of(from_ms), slot_of(to_ms));
        // Speech before they left still counts.
        let Some(participant) = self.participants.get(id.index()) else { return };
        let (to, to_ms) = match participant.left.get() {
            Some(left) if left < to => (left, left * SLOT_MS),
            _ => (to, to_ms),
        };
        if to_ms <= from_ms {
            return;
        }
        let wait = self.wait();
        // While nothing is decided, an earlier sample moves the start.
        let next = match self.next {
            Some(next) if next > self.first || from >= next || self.newest.saturating_sub(from) > wait => next,
            _ => {
                (self.first, self.next, self.waiting_for) = (from, Some(from), None);
                from
            }
        };
        if to <= next {
            self.late = self.late.saturating_add(u64::from(from < next));
            // Wait for this participant from now on, so that the next sample is not late, too.
            if let Some(participant) =
                self.participants.get_mut(id.index()).filter(|participant| participant.track.span().is_none())
            {
                participant.track.set_span(Some((to - from).min(wait)));
                self.waiting_for = None;
            }
            return;
        }
        self.newest = self.newest.max(to);
        // First make space for the sample: it must not overwrite undecided slots.
        if to > next.saturating_add(wait) {
            self.decide_until(to - wait, out);
        }
        let (next, oldest) = (self.next.unwrap_or(0), self.oldest());
        let span_ms = to_ms - from_ms;
        if let Some(participant) = self.participants.get_mut(id.index()) {
            if span_ms <= LONGEST_MS {
                self.room.note_span(span_ms);
                let counts = (participant.opened, participant.gone_at().unwrap_or(u64::MAX));
                let sample = Sample { from, to, open: from.max(next), span_ms, sound: sound.into(), counts };
                participant.track.add(sample, next, oldest);
                self.longest = self.longest.max(to - from);
            }
            participant.covered = participant.covered.max(to);
            self.heard = self.heard.wrapping_add(1);
            participant.heard = self.heard;
        }
        if self.waiting_for.is_none_or(|(waiting_for, until)| waiting_for == id.0 || self.newest > until) {
            self.decide(out);
        }
    }

    /// Ignores the speech of a participant from `at_ms` on.
    pub fn mute(&mut self, id: ParticipantId, at_ms: u64, out: &mut dyn FnMut(Change)) {
        if let Some(participant) = self.participants.get_mut(id.index()) {
            participant.muted = participant.muted.earlier(slot_of(at_ms));
            participant.track.discard(slot_of(at_ms).max(self.next.unwrap_or(0)));
        }
        self.decide(out);
        self.end_if_gone(at_ms, out);
    }

    /// Counts the speech of a participant from `at_ms` on again.
    pub fn unmute(&mut self, id: ParticipantId, at_ms: u64) {
        if let Some(participant) = self.participants.get_mut(id.index()) {
            participant.muted = SlotOrNone::NONE;
            self.waiting_for = None;
            participant.covered = participant.covered.max(self.newest);
            participant.opened = participant.opened.max(slot_of(at_ms));
        }
    }

    /// Brings back a participant that left, if `at_ms` is after that. Their earlier speech stays theirs.
    pub fn rejoin(&mut self, id: ParticipantId, at_ms: u64) {
        let Some(participant) = self.participants.get_mut(id.index()) else { return };
        if participant.left.get().is_none_or(|left| left > slot_of(at_ms)) {
            return;
        }
        participant.left = SlotOrNone::NONE;
        participant.muted = SlotOrNone::NONE;
        participant.track.set_span(None);
        self.waiting_for = None;
        participant.joined = slot_of(at_ms);
        participant.opened = participant.opened.max(participant.joined);
        participant.covered = participant.covered.max(self.newest);
        if !self.active.contains(&id.0) {
            participant.track.clear();
            self.active.push(id.0);
        }
    }

    /// Removes a participant. Their speech stays in the window.
    pub fn leave(&mut self, id: ParticipantId, at_ms: u64, out: &mut dyn FnMut(Change)) {
        if let Some(participant) = self.participants.get_mut(id.index()) {
            self.has_left = true;
            participant.left = participant.left.earlier(slot_of(at_ms));
            participant.track.discard(slot_of(at_ms).max(self.next.unwrap_or(0)));
        }
        self.decide(out);
        self.end_if_gone(at_ms, out);
    }

    /// Merges two participants that turn out to be the same: speech and floor of `from` go to `to`. `from` is then like
    /// a new participant without any sample.
    ///
    /// Speech that both counted is counted once, as far as can be known: as much as the overlap of the one with less
    /// overlap.
    pub fn merge(&mut self, from: ParticipantId, to: ParticipantId) {
        let oldest = self.oldest();
        let Ok([other, participant]) = self.participants.get_disjoint_mut([from.index(), to.index()]) else { return };
        let fresh = Participant::new(other.joined, other.covered);
        let other = core::mem::replace(other, fresh);
        if !self.active.contains(&to.0) {
            participant.track.clear();
            self.active.push(to.0);
            self.has_left = true;
        }
        participant.merge(&other, oldest);
        if self.holder == Some(from.0) {
            self.holder = Some(to.0);
        }
        self.waiting_for = None;
    }

    /// Adds `ms` of speech while muted, by a level that is measured before the mute.
    pub fn speak_muted(&mut self, id: ParticipantId, ms: u64) {
        if let Some(participant) = self.participants.get_mut(id.index()) {
            participant.talk_counter.speak_muted(ms);
        }
    }

    /// When the holder loses the floor if no sample follows, ms. `None` without a holder. O(1).
    #[must_use]
    pub fn silent_at_ms(&self) -> Option<u64> {
        let end = self.holder()?.utterance.end() + SILENCE_MS / SLOT_MS;
        Some((self.newest.max(end) + 2 * self.longest + LENIENCE_SLOTS) * SLOT_MS)
    }

    /// Advances time without samples: ends the floor when it is [over](Self::silent_at_ms).
    pub fn pass_time(&mut self, now_ms: u64, out: &mut dyn FnMut(Change)) {
        let Some(holder) = self.holder().filter(|_| self.silent_at_ms().is_some_and(|at_ms| at_ms <= now_ms)) else {
            return;
        };
        self.newest = self.newest.max(holder.utterance.end() + SILENCE_MS / SLOT_MS).min(LAST_SLOT);
        self.decide_until(self.newest, out);
    }

    /// Decides all slots without waiting for any participant: the end of a call.
    pub fn finish(&mut self, out: &mut dyn FnMut(Change)) {
        self.decide_until(self.newest, out);
    }

    /// The holder of the floor.
    #[must_use]
    pub fn dominant(&self) -> Option<ParticipantId> {
        self.holder.map(ParticipantId)
    }

    /// Whether a participant holds the floor. O(1).
    #[must_use]
    pub fn is_dominant(&self, id: ParticipantId) -> bool {
        self.holder == Some(id.0)
    }

    /// Whether a participant was the only one to speak in the window: 2 s or more, all others together 1 s at most, 80
    /// % of the window known. Cost: linear in participants.
    #[must_use]
    pub fn is_only_speaker(&self, id: ParticipantId) -> bool {
        self.active.contains(&id.0) && self.is_only(id.0, self.window_speech_ms())
    }

    /// The only participant that spoke in the window. Cost: linear in participants.
    #[must_use]
    pub fn only_speaker(&self) -> Option<ParticipantId> {
        let all_ms = self.window_speech_ms();
        self.active.iter().copied().find(|&id| self.is_only(id, all_ms)).map(ParticipantId)
    }

    /// Whether an active participant is the only speaker. `all_ms`: the speech of all in the window.
    fn is_only(&self, id: u32, all_ms: u64) -> bool {
        let Some(participant) = self.participants.get(id as usize).filter(|participant| participant.is_audible())
        else {
            return false;
        };
        let next = self.next.unwrap_or(0);
        let window = (self.window as u64).min(next.saturating_sub(self.first.max(participant.joined)));
        let (speech_ms, known) = participant.track.sums(self.oldest(), next);
        speech_ms >= ONLY_MS && all_ms - speech_ms <= OTHERS_MS && known * 100 >= window * KNOWN_PERCENT
    }

    /// The speech of all participants in the window, ms.
    fn window_speech_ms(&self) -> u64 {
        let next = self.next.unwrap_or(0);
        let active = self.active.iter().filter_map(|&id| self.participants.get(id as usize));
        active.map(|participant| participant.track.sums(self.oldest(), next).0).sum()
    }

    /// How long a participant has held the floor so far, ms: from the beginning of the speech that took it to the end
    /// of the last speech, or to the beginning of the next holder's.
    #[must_use]
    pub fn dominant_ms(&self, id: ParticipantId) -> u64 {
        self.participants.get(id.index()).map_or(0, |participant| {
            let open =
                if self.is_dominant(id) { participant.utterance.end().saturating_sub(self.since) * SLOT_MS } else { 0 };
            participant.dominant_ms.saturating_add(open)
        })
    }

    /// The end of a participant's last speech, ms; 0 if they never spoke.
    #[must_use]
    pub fn spoke_until_ms(&self, id: ParticipantId) -> u64 {
        self.participants.get(id.index()).map_or(0, |participant| participant.utterance.end() * SLOT_MS)
    }

    /// Talk statistics of a participant so far; `None` for an unknown participant.
    #[must_use]
    pub fn talk(&self, id: ParticipantId) -> Option<Talk> {
        Some(self.participants.get(id.index())?.talk_counter.talk(self.room.resolution_ms()))
    }

    /// A participant's part of all time of speech so far, 0 to 1; `None` before any speech. Cost: linear in
    /// participants.
    #[must_use]
    pub fn share(&self, id: ParticipantId) -> Option<f64> {
        let all = self
            .participants
            .iter()
            .fold(0_u64, |all, participant| all.saturating_add(participant.talk_counter.talk_ms()));
        let own = self.participants.get(id.index())?.talk_counter.talk_ms();
        (all > 0).then(|| own as f64 / all as f64)
    }

    /// Talk statistics of all participants so far.
    #[must_use]
    pub const fn conference_talk(&self) -> ConferenceTalk {
        self.room
    }

    /// Number of samples that arrived too late.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// The end of the decided time, ms.
    #[must_use]
    pub fn decided_ms(&self) -> Option<u64> {
        Some(self.next? * SLOT_MS)
    }

    /// Number of participants, past ones included.
    #[cfg(feature = "serde")]
    pub(crate) const fn len(&self) -> usize {
        self.participants.len()
    }

    /// Whether times, lengths and the list of active participants could have come from valid input: arithmetic relies
    /// on that. Counters saturate. Cost: linear in participants.
    #[cfg(feature = "serde")]
    pub(crate) fn is_possible(&self) -> bool {
        let windows = (WINDOW_MS.start() / SLOT_MS) as usize..=(WINDOW_MS.end() / SLOT_MS) as usize;
        let next = self.next.unwrap_or(0);
        let times = [next, self.first, self.newest, self.since, self.ended];
        // All sums below rely on these.
        if !windows.contains(&self.window) || times.into_iter().any(|slot| slot > LAST_SLOT) {
            return false;
        }
        let mut is_here = vec![false; self.participants.len()];
        let mut comes_once =
            |&id: &u32| is_here.get_mut(id as usize).is_some_and(|is_here| !core::mem::replace(is_here, true));
        let most = self.window as u64 + self.wait() + STALE_SLOTS;
        self.longest <= self.wait()
            && self.newest <= next + self.wait()
            && self.active.iter().all(&mut comes_once)
            && self.participants.iter().all(|participant| participant.is_possible(most, self.wait(), self.newest))
    }

    /// The first slot of the window.
    fn oldest(&self) -> u64 {
        self.next.unwrap_or(0).saturating_sub(self.window as u64)
    }

    /// The most slots of silence that can change anything.
    const fn most_slots(&self) -> u64 {
        // The window twice, the slots that wait for the slowest participant, and a sample.
        2 * self.window as u64 + self.wait() + LONGEST_MS / SLOT_MS
    }

    /// The most slots that the floor waits for a participant.
    const fn wait(&self) -> u64 {
        LONGEST_MS / SLOT_MS
    }

    /// Ends the floor of a holder that is muted or has left, whether or not the floor waits for others.
    fn end_if_gone(&mut self, at_ms: u64, out: &mut dyn FnMut(Change)) {
        if let Some(holder) = self.holder().filter(|holder| !holder.is_audible()) {
            let since = holder.utterance.end();
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
        fn any_sequence_of_calls_keeps_the_floor_possible(
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
                    4 => floor.rejoin(id, at_ms),
                    5 => floor.merge(id, other),
                    6 => floor.pass_time(at_ms, out),
                    7 => {
                        clock_ms += ahead_ms * stretch;
                        floor.speak_muted(id, at_ms);
                    }
                    _ => {
                        let speech = Fraction::new(f64::from(level % 5) / 4.0);
                        floor.add_sound(id, at_ms, at_ms + span_ms, Sound { speech, loudness: level }, out);
                    }
                }
                prop_assert!(floor.is_possible(), "{what} {a} {b}: {floor:?}");
            }
            floor.finish(&mut |_| ());
            prop_assert!(floor.is_possible(), "{floor:?}");
        }
    }
}
