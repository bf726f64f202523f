//! Laws of the floor for any samples.

use callgauge::speaker::dominant::{Change, FRESH_MS, Floor, ParticipantId, SILENCE_MS};
use callgauge::speaker::level::{Fraction, Meter, dbov, of_rfc6464, rfc6464};
use callgauge::speaker::talk::{ConferenceTalk, Talk};
use proptest::prelude::*;

use crate::common::Seeded;

type Sample = (usize, u64, u64, Fraction);
/// Floor time and talk of each participant; the talk of all; the holders of the floor with their start times.
type Outcome = ([(u64, Talk); PEOPLE], ConferenceTalk, Vec<(u64, Option<usize>)>);

const PEOPLE: usize = 3;
/// Samples up to this length give the same floor, whatever their length.
const FINE_MS: u64 = 2 * FRESH_MS as u64;

/// Consecutive samples of three participants, of 100 ms to 10 s.
fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let fraction = prop_oneof![Just(0_u32), Just(1000), 0..=1000_u32];
    prop::collection::vec((0..PEOPLE, 1..=100_u64, fraction), 1..120).prop_map(|samples| {
        let mut ends = [0; PEOPLE];
        let mut laid: Vec<Sample> = Vec::new();
        for (who, tenths, permille) in samples {
            let from = ends[who];
            ends[who] += tenths * 100;
            laid.push((who, from, ends[who], Fraction::new(f64::from(permille) / 1e3)));
        }
        laid.sort_by_key(|&(who, _, to, _)| (to, who));
        laid
    })
}

/// The outcome of a conference with the participants in this order.
fn outcome(samples: &[Sample], order: [usize; PEOPLE]) -> Outcome {
    let mut floor = Floor::new(10_000);
    let mut participants = [None; PEOPLE];
    for who in order {
        participants[who] = floor.join(0);
    }
    let participants = participants.map(Option::unwrap);
    let mut changes = Vec::new();
    let who = |participant: ParticipantId| participants.iter().position(|&other| other == participant).unwrap();
    let mut out = |change: Change| changes.push((change.since_ms, change.now.map(who)));
    for &(who, from, to, speech) in samples {
        floor.add_sound(participants[who], from, to, speech, &mut out);
        assert!(participants.iter().filter(|&&participant| floor.is_dominant(participant)).count() <= 1);
        assert!(participants.iter().filter(|&&participant| floor.is_only_speaker(participant)).count() <= 1);
    }
    floor.finish(&mut out);
    (
        participants.map(|participant| (floor.dominant_ms(participant), floor.talk(participant).unwrap())),
        floor.conference_talk(),
        changes,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn floor_sums_hold_in_any_participant_order(samples in samples()) {
        let usual = outcome(&samples, [0, 1, 2]);
        prop_assert_eq!(&usual, &outcome(&samples, [2, 0, 1]));
        let all = usual.1;
        prop_assert_eq!(all.known_ms, all.speech_ms + all.silence_ms);
        prop_assert!(all.overlap_ms <= all.speech_ms);
        for (dominant_ms, talk) in usual.0 {
            prop_assert!(talk.overlap_ms <= talk.talk_ms && talk.talk_ms <= all.known_ms);
            prop_assert!(dominant_ms <= all.known_ms + SILENCE_MS);
        }
    }

    #[test]
    fn finer_slices_give_the_same_floor(
        spoken in prop::collection::vec(prop::array::uniform3(any::<bool>()), 1..80),
        (slices, pieces) in (1..=20_u64, 2..=4_u64),
    ) {
        let mut ways: [Vec<Sample>; 2] = Default::default();
        for (step, speaks) in (0_u64..).zip(&spoken) {
            let piece_ms = slices * 100;
            let whole_ms = piece_ms * pieces;
            let of = |who: usize| if speaks[who] { Fraction::ALL } else { Fraction::NONE };
            let start = step * whole_ms;
            ways[0].extend((0..PEOPLE).map(|who| (who, start, start + whole_ms, of(who))));
            for from in (0..pieces).map(|piece| start + piece * piece_ms) {
                ways[1].extend((0..PEOPLE).map(|who| (who, from, from + piece_ms, of(who))));
            }
        }
        let [thick, thin] = ways.map(|way| outcome(&way, [0, 1, 2]));
        // Coarse samples require more to take the floor.
        if slices * pieces * 100 <= FINE_MS {
            prop_assert_eq!(&thick.2, &thin.2);
            prop_assert_eq!(thick.0.map(|(floor_ms, _)| floor_ms), thin.0.map(|(floor_ms, _)| floor_ms));
        }
        let sums = |talk: Talk| (talk.talk_ms, talk.overlap_ms, talk.longest_monologue_ms);
        prop_assert_eq!(thick.0.map(|(_, talk)| sums(talk)), thin.0.map(|(_, talk)| sums(talk)));
        let sums = |all: ConferenceTalk| (all.known_ms, all.speech_ms, all.overlap_ms, all.silence_ms);
        prop_assert_eq!(sums(thick.1), sums(thin.1));
    }

    #[test]
    fn arrival_order_decides_nothing(
        spoken in prop::collection::vec(prop::array::uniform3(0..=1000_u32), 1..60),
        (slices, seed) in (1..=100_u64, any::<u64>()),
    ) {
        let mut random = Seeded(seed);
        let (mut usual, mut shuffled): (Vec<Sample>, Vec<Sample>) = Default::default();
        for (step, permille) in (0_u64..).zip(&spoken) {
            let of = |who: usize| Fraction::new(f64::from(permille[who]) / 1e3);
            let from = step * slices * 100;
            let mut order = [0, 1, 2];
            usual.extend(order.map(|who| (who, from, from + slices * 100, of(who))));
            order.swap(0, random.below(3));
            order.swap(1, 1 + random.below(2));
            shuffled.extend(order.map(|who| (who, from, from + slices * 100, of(who))));
        }
        prop_assert_eq!(outcome(&usual, [0, 1, 2]), outcome(&shuffled, [0, 1, 2]));
    }

    #[test]
    fn silence_and_mute_give_no_speaker(samples in samples()) {
        for mutes in [false, true] {
            let mut floor = Floor::new(10_000);
            let participants: Vec<ParticipantId> = (0..PEOPLE).map(|_| floor.join(0).unwrap()).collect();
            for &(who, from, to, speech) in &samples {
                floor.add_sound(participants[who], from, to, speech, &mut |_| ());
            }
            let end = samples.iter().map(|sample| sample.2).max().unwrap();
            for &participant in &participants {
                if mutes {
                    floor.mute(participant, end, &mut |_| ());
                    prop_assert!(!floor.is_dominant(participant));
                }
            }
            for &participant in &participants {
                floor.add_sound(participant, end, end + SILENCE_MS + 1_000, if mutes { Fraction::ALL } else { Fraction::NONE }, &mut |_| ());
            }
            floor.finish(&mut |_| ());
            prop_assert_eq!(floor.dominant(), None);
            for &participant in &participants {
                floor.leave(participant, end, &mut |_| ());
                prop_assert!(!floor.is_only_speaker(participant));
            }
        }
    }

    #[test]
    fn any_input_is_taken_without_panic(calls in prop::collection::vec((0..6_u8, any::<u64>(), any::<u64>(), any::<f64>()), 0..60)) {
        let (mut floor, mut meter) = (Floor::new(10_000), Meter::new());
        let participants: Vec<ParticipantId> = (0..PEOPLE).map(|_| floor.join(0).unwrap()).collect();
        for (what, a, b, value) in calls {
            let (participant, out) = (participants[(a % 3) as usize], &mut |_| ());
            let _ = meter.add(value, b as f64 / 1e3);
            let (from, to) = if b % 2 == 0 { (a % 100_000, a % 100_000 + b % 30_000) } else { (a, b) };
            match what {
                0 => floor.mute(participant, a % 100_000, out),
                1 => floor.unmute(participant, b),
                2 if b % 8 == 0 => floor.leave(participant, a % 100_000, out),
                _ => floor.add_sound(participant, from, to, Fraction::new(value), out),
            }
            let _ = (floor.only_speaker(), floor.dominant(), floor.conference_talk());
        }
        floor.finish(&mut |_| ());
    }

    #[test]
    fn rfc6464_levels_convert_both_ways(level in 0..=127_u8) {
        prop_assert_eq!(rfc6464(of_rfc6464(level)), Some(level));
    }
}

#[test]
fn levels_match_the_published_table() {
    // Audio levels of webrtc-pc and of RFC 6464, which publish them beside each other.
    for (level, dbov_is, rfc) in
        [(1.0, 0.0, 0), (0.1, -20.0, 20), (0.01, -40.0, 40), (0.001, -60.0, 60), (0.0, -127.0, 127)]
    {
        assert!((dbov(level).unwrap() - dbov_is).abs() < 1e-9);
        assert_eq!(rfc6464(level), Some(rfc));
    }
    assert_eq!((dbov(-1.0), rfc6464(f64::INFINITY)), (None, None));
}

#[test]
fn lone_speaker_is_found_at_the_first_sample() {
    for span_ms in [100, 1_000, 10_000] {
        let mut floor = Floor::new(10_000);
        let participant = floor.join(0).unwrap();
        floor.add_sound(participant, 0, span_ms, Fraction::ALL, &mut |_| ());
        assert_eq!(floor.dominant(), Some(participant), "{span_ms} ms");
    }
}

#[test]
fn speaker_who_breaks_in_and_stays_interrupts() {
    let mut floor = Floor::new(10_000);
    let participants = [floor.join(0).unwrap(), floor.join(0).unwrap()];
    for step in 0..100_u64 {
        let speaks = [step < 50, step >= 45];
        for (participant, speaks) in participants.into_iter().zip(speaks) {
            let speech = if speaks { Fraction::ALL } else { Fraction::NONE };
            floor.add_sound(participant, step * 100, step * 100 + 100, speech, &mut |_| ());
        }
    }
    let [first, second] = participants.map(|participant| floor.talk(participant).unwrap());
    assert_eq!((first.talk_ms, first.overlap_ms, first.turns, first.interruptions), (5_000, 500, Some(1), Some(0)));
    assert_eq!((second.talk_ms, second.overlap_ms, second.turns, second.interruptions), (5_500, 500, Some(1), Some(1)));
    assert_eq!((first.longest_monologue_ms, floor.conference_talk().overlap_ms), (5_000, 500));
    assert_eq!(participants.map(|participant| floor.dominant_ms(participant)), [5_000, 5_000]);
}

fn turns_with_gap(gap_ms: u64) -> (Option<u32>, Option<u64>) {
    let mut floor = Floor::new(10_000);
    let [alice, bob] = [0, 0].map(|at| floor.join(at).unwrap());
    let mut from = 0;
    for sample in 0..3_000 {
        let to = from + if sample == 700 { gap_ms } else { 200 };
        let speech = if sample / 20 % 2 == 0 { Fraction::ALL } else { Fraction::NONE };
        floor.add_sound(alice, from, to, speech, &mut |_| ());
        floor.add_sound(bob, from, to, Fraction::NONE, &mut |_| ());
        from = to;
    }
    (floor.conference_talk().resolution_ms(), floor.talk(alice).unwrap().turns)
}

#[test]
fn gap_does_not_undo_turns_of_fine_samples() {
    assert_eq!(turns_with_gap(200), (Some(200), Some(75)));
    // Alice was silent before the gap and after it.
    assert_eq!(turns_with_gap(25_000), (Some(200), Some(75)));
}

#[test]
fn fan_noise_is_no_speaker_at_any_polling_interval() {
    for cadence_s in [0.2, 0.5, 1.0, 1.5, 2.0, 5.0, 10.0] {
        for dbov in [-50.0, -45.0, -40.0, -35.0] {
            let (mut meter, mut spoken_s) = (Meter::new(), 0.0);
            for n in 0..(600.0 / cadence_s) as u32 {
                let power = 10_f64.powf(dbov / 10.0) * (1.0 + 0.02 * (f64::from(n % 5) - 2.0));
                let speech = meter.add(power * cadence_s, cadence_s).unwrap().speech;
                if f64::from(n) * cadence_s > 120.0 {
                    spoken_s += f64::from(speech.permille()) / 1e3 * cadence_s;
                }
            }
            assert!(spoken_s < 1.0, "{dbov} dBov, {cadence_s} s: {spoken_s} s");
        }
    }
}

/// A lecture has no pause of ten seconds and still is speech: seconds vary by 2 dB, and longer samples by less.
#[test]
fn lecture_is_speech_at_any_polling_interval() {
    for cadence_s in [1_usize, 2, 5, 10] {
        let (mut meter, mut random, mut spoken_s) = (Meter::new(), Seeded(3), 0.0);
        for _ in 0..1_200 / cadence_s {
            // The sum of three values uniform within ±3.5 dB has a σ of 3.5 dB, of which 2 dB are left.
            let second = |_| {
                let db: f64 = (0..3).map(|_| random.below(701) as f64 / 100.0 - 3.5).sum::<f64>() / 1.75;
                10_f64.powf((db - 22.0) / 10.0)
            };
            let energy: f64 = (0..cadence_s).map(second).sum();
            let speech = meter.add(energy, cadence_s as f64).unwrap().speech;
            spoken_s += f64::from(speech.permille()) / 1e3 * cadence_s as f64;
        }
        assert!(spoken_s > 1_000.0, "{cadence_s} s: {spoken_s} s");
    }
}
