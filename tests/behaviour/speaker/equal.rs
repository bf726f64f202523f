//! The engine's floor and the plain one give the same results for any calls.

use callgauge::speaker::dominant::{Floor, ParticipantId};
use callgauge::speaker::level::{Fraction, Sound};
use proptest::prelude::*;

use super::naive::Naive;

/// A call of the floor: what, two participants, a time, a duration, speech in thousandths and loudness.
type Call = (u8, usize, usize, u64, u64, u16, u8);

/// How a participant follows a script: which voice it has, the slots of a sample, and loudness.
#[derive(Clone, Copy, Debug)]
struct Part {
    voice: u8,
    slots: usize,
    loudness: u8,
}

/// Both floors, and the changes and participants of the engine's.
struct Both {
    naive: Naive,
    floor: Floor,
    participants: Vec<ParticipantId>,
    changes: Vec<super::naive::Change>,
    ends_ms: Vec<u64>,
}

impl Both {
    fn new(window_ms: u64, people: usize, start_ms: u64) -> Self {
        let (naive, floor) = (Naive::new(window_ms), Floor::new(window_ms));
        let mut both = Self { naive, floor, participants: vec![], changes: vec![], ends_ms: vec![] };
        for _ in 0..people {
            both.join(start_ms);
        }
        both
    }

    fn join(&mut self, at_ms: u64) {
        self.naive.join(at_ms);
        self.participants.push(self.floor.join(at_ms).unwrap());
        self.ends_ms.push(at_ms);
    }

    fn add(&mut self, who: usize, from_ms: u64, to_ms: u64, permille: u16, loudness: u8) {
        let mut sound: Sound = Fraction::new(f64::from(permille) / 1e3).into();
        sound.loudness = loudness;
        self.ends_ms[who] = self.ends_ms[who].max(to_ms.min(1 << 60));
        self.naive.add_sound(who, from_ms, to_ms, sound);
        let changes = &mut self.changes;
        self.floor.add_sound(self.participants[who], from_ms, to_ms, sound, &mut |change| changes.push(of(change)));
    }

    fn call(&mut self, (what, a, b, ahead_ms, span_ms, permille, loudness): Call) {
        let (a, b) = (a % self.participants.len(), b % self.participants.len());
        let [id, other] = [a, b].map(|who| self.participants[who]);
        let newest_ms = self.ends_ms.iter().copied().max().unwrap();
        let at_ms = (newest_ms + ahead_ms).saturating_sub(30_000);
        let changes = &mut self.changes;
        let out = &mut |change| changes.push(of(change));
        match what {
            0 if self.participants.len() < 8 => self.join(at_ms),
            1 => (self.naive.mute(a, at_ms), self.floor.mute(id, at_ms, out)).0,
            2 => (self.naive.unmute(a, at_ms), self.floor.unmute(id, at_ms)).0,
            3 => (self.naive.leave(a, at_ms), self.floor.leave(id, at_ms, out)).0,
            4 | 5 => (self.naive.rejoin(a, at_ms), self.floor.rejoin(id, at_ms)).0,
            6 => (self.naive.merge(a, b), self.floor.merge(id, other)).0,
            7 => (self.naive.pass_time(at_ms), self.floor.pass_time(at_ms, out)).0,
            8 => (self.naive.finish(), self.floor.finish(out)).0,
            9 => (self.naive.speak_muted(a, span_ms), self.floor.speak_muted(id, span_ms)).0,
            10 => self.add(a, at_ms, at_ms + span_ms, permille, loudness),
            11 => self.add(a, at_ms, at_ms.saturating_add(1 << (span_ms % 63)), permille, loudness),
            12 => self.restore(),
            // A round of samples, in which some go on as before.
            _ => {
                for who in 0..self.participants.len() {
                    let from_ms = self.ends_ms[who];
                    let (permille, loudness) = match (usize::from(permille) >> who) % 3 {
                        0 => (0, 127),
                        1 => (1000, loudness),
                        _ => (permille, loudness / 2 + who as u8),
                    };
                    self.add(who, from_ms, from_ms + span_ms, permille, loudness);
                }
            }
        }
    }

    /// Participants that follow one of a few scripts, so that several speak equally long. Each reports in samples of an
    /// own length. `others`: after a slot, a call other than a sample.
    fn follow(&mut self, parts: &[Part], script: &[(usize, u8)], others: &[(u64, u8, usize, u64)]) {
        let start_ms = self.ends_ms[0];
        let masks: Vec<u8> = script.iter().flat_map(|&(slots, mask)| std::iter::repeat_n(mask, slots)).collect();
        let mut others = others.iter().peekable();
        let mut done = vec![0; parts.len()];
        while let Some((who, from)) = done.iter().copied().enumerate().min_by_key(|&(_, from)| from)
            && from < masks.len()
        {
            let Part { voice, slots, loudness } = parts[who];
            let to = masks.len().min(from + slots);
            let speech = masks[from..to].iter().filter(|&mask| mask >> voice & 1 == 1).count();
            let [from_ms, to_ms] = [from, to].map(|slot| start_ms + 100 * slot as u64);
            self.add(who, from_ms, to_ms, (speech * 1000 / (to - from)) as u16, loudness);
            self.check();
            done[who] = to;
            while let Some(&(_, what, who, ahead_ms)) = others.next_if(|other| other.0 < from as u64) {
                self.call((what, who, who + 1, ahead_ms, 0, 0, 0));
                self.check();
            }
        }
    }

    fn finish(&mut self) {
        self.naive.finish();
        let changes = &mut self.changes;
        self.floor.finish(&mut |change| changes.push(of(change)));
        self.check();
    }

    #[cfg(feature = "serde")]
    fn restore(&mut self) {
        let state = serde_json::to_string(&self.floor).unwrap();
        self.floor = serde_json::from_str(&state).unwrap();
        assert_eq!(serde_json::to_string(&self.floor).unwrap(), state);
    }

    #[cfg(not(feature = "serde"))]
    fn restore(&mut self) {}

    fn check(&self) {
        let (naive, floor) = (&self.naive, &self.floor);
        assert_eq!(naive.changes, self.changes);
        assert_eq!(naive.holder, floor.dominant().map(ParticipantId::index));
        assert_eq!(
            (naive.late, naive.decided_ms(), naive.silent_at_ms()),
            (floor.late(), floor.decided_ms(), floor.silent_at_ms())
        );
        let all = floor.conference_talk();
        assert_eq!(naive.all, [all.known_ms, all.speech_ms, all.overlap_ms]);
        assert_eq!(all.known_ms - all.speech_ms, all.silence_ms);
        let only = (0..self.participants.len()).find(|&who| naive.is_only_speaker(who));
        assert_eq!(only, floor.only_speaker().map(ParticipantId::index));
        for (who, &id) in self.participants.iter().enumerate() {
            assert_eq!(naive.is_only_speaker(who), floor.is_only_speaker(id));
            assert_eq!(
                (naive.dominant_ms(who), naive.spoke_until_ms(who)),
                (floor.dominant_ms(id), floor.spoke_until_ms(id))
            );
            let (slow, fast) = (naive.talk(who), floor.talk(id).unwrap());
            let sums = (slow.talk_ms, slow.overlap_ms, slow.longest_ms, slow.muted_ms);
            assert_eq!(sums, (fast.talk_ms, fast.overlap_ms, fast.longest_monologue_ms, fast.muted_talk_ms));
            if fast.turns.is_some() {
                assert_eq!((Some(slow.turns), Some(slow.interruptions)), (fast.turns, fast.interruptions));
            }
        }
    }
}

fn of(change: callgauge::speaker::dominant::Change) -> super::naive::Change {
    let [before, now] = [change.before, change.now].map(|id| id.map(ParticipantId::index));
    (change.at_ms, change.since_ms, before, change.ended_ms, now)
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let what = prop_oneof![4 => Just(13_u8), 3 => Just(10_u8), 2 => 0..13_u8];
    let span_ms = prop_oneof![Just(100_u64), Just(1_000), Just(5_000), 20..2_000_u64, 20..25_000_u64];
    let permille = prop_oneof![Just(0_u16), Just(1000), 0..=1000_u16];
    let loudness = prop_oneof![Just(127_u8), 10..60_u8, any::<u8>()];
    prop::collection::vec((what, 0..8_usize, 0..8_usize, 0..60_000_u64, span_ms, permille, loudness), 1..120)
}

/// The holders of the floor while participants follow a script.
fn holders(parts: &[Part], script: &[(usize, u8)]) -> Vec<Option<usize>> {
    let mut both = Both::new(10_000, parts.len(), 0);
    both.follow(parts, script, &[]);
    both.finish();
    both.changes.iter().map(|change| change.4).collect()
}

#[test]
fn tie_ends_when_another_participant_has_spoken_enough() {
    let [first, coarse, fine] = [(0, 10), (1, 20), (2, 10)].map(|(voice, slots)| Part { voice, slots, loudness: 127 });
    // Two are tied after 0.5 s. The one with coarse samples needs 0.7 s, and has spoken more.
    let script = [(40, 0b001), (20, 0b011), (20, 0b111), (20, 0b110)];
    assert_eq!(holders(&[first, coarse, fine, fine], &script), [Some(0), Some(1)]);
}

#[test]
fn tie_ends_with_the_holder_it_challenged() {
    let [first, fine, coarse, last] =
        [(0, 10), (2, 10), (2, 20), (1, 10)].map(|(voice, slots)| Part { voice, slots, loudness: 127 });
    // Two would outlast the holder, and are tied. One of them takes over; the last one then outlasts that one.
    let script = [(40, 0b001), (20, 0b101), (60, 0b111), (20, 0b110)];
    assert_eq!(holders(&[first, fine, coarse, last], &script), [Some(0), Some(1), Some(3)]);
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let slots = prop::sample::select(vec![1_usize, 2, 5, 10, 20, 100]);
    let loudness = prop_oneof![4 => Just(127_u8), 1 => 10..60_u8];
    let part = (0..3_u8, slots, loudness).prop_map(|(voice, slots, loudness)| Part { voice, slots, loudness });
    prop::collection::vec(part, 3..7)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]
    #[test]
    fn stretches_give_what_slots_one_by_one_give(
        (window_ms, people) in (prop_oneof![Just(10_000_u64), 0..70_000_u64], 1..7_usize),
        start_ms in prop_oneof![Just(0_u64), Just(1_700_000_000_000), 0..1_u64 << 53],
        calls in calls(),
    ) {
        let mut both = Both::new(window_ms, people, start_ms);
        for call in calls {
            both.call(call);
            both.check();
        }
        both.finish();
    }

    #[test]
    fn ties_end_as_slots_one_by_one_end_them(
        parts in parts(),
        script in prop::collection::vec((prop_oneof![1..12_usize, 1..70_usize], any::<u8>()), 1..16),
        mut others in prop::collection::vec((0..300_u64, prop_oneof![0..9_u8, Just(1)], 0..8_usize, 28_000..31_000_u64), 0..5),
    ) {
        others.sort_unstable();
        let mut both = Both::new(10_000, parts.len(), 0);
        both.follow(&parts, &script, &others);
        both.finish();
    }
}
