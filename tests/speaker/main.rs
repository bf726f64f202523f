//! Who speaks: against conversations of which the truth is known.
#![allow(clippy::panic, clippy::unwrap_used)] // tests may assume

mod baselines;
#[path = "../common/mod.rs"]
mod common;
mod conversation;
mod laws;
mod recorded;

use baselines::{Detector, Loudest, Smoothed};
use callgauge::speaker::dominant::{Change, Floor, LATENCY_MS, Seat};
use callgauge::speaker::level::Meter;
use conversation::{Conversation, Look};

/// The room under test, as the others are used.
struct Room {
    floor: Floor,
    meters: Vec<Meter>,
    seats: Vec<Seat>,
    since_ms: u64,
}

impl Room {
    fn new(people: usize) -> Self {
        let mut floor = Floor::new(10_000);
        let seats = (0..people).map(|_| floor.join(0).unwrap()).collect();
        Self { floor, meters: vec![Meter::new(); people], seats, since_ms: 0 }
    }
}

impl Detector for Room {
    fn hear(&mut self, look: &Look) -> Option<usize> {
        let seconds = (look.to_ms - look.from_ms) as f64 / 1e3;
        let speech = self.meters[look.who].hear(look.power * seconds, seconds).unwrap();
        let since_ms = &mut self.since_ms;
        let out = &mut |change: Change| *since_ms = change.since_ms;
        self.floor.hear(self.seats[look.who], look.from_ms, look.to_ms, speech, out);
        self.floor.dominant().map(Seat::index)
    }

    fn since_ms(&self, _: &Look) -> u64 {
        self.since_ms
    }
}

/// How a detector did.
#[derive(Debug, Default)]
struct Result {
    minutes: f64,
    false_switches: f64,
    delays_s: Vec<f64>,
    /// How far from the beginning of a turn the detector says that it began.
    datings_s: Vec<f64>,
    missed: usize,
    turns: usize,
}

impl Result {
    /// Who was told to speak and was not; how long after the beginning of each turn of 3 s or more its speaker was told.
    fn add(&mut self, talk: &Conversation, looks: &[Look], cadence_ms: u64, detector: &mut dyn Detector) {
        let lenience = 1.5 + 2.0 * cadence_ms as f64 / 1e3;
        let (mut told, mut changes) = (None, Vec::new());
        for look in looks {
            let now = detector.hear(look);
            if now != told {
                changes.push((look.arrival_ms as f64 / 1e3, now, detector.since_ms(look) as f64 / 1e3));
                told = now;
            }
        }
        let is_false = |&(at, who, _): &(f64, Option<usize>, f64)| {
            let of_it =
                |turn: &&conversation::Turn| Some(turn.who) == who && turn.start <= at && turn.end + lenience >= at;
            who.is_some() && !talk.turns.iter().any(|turn| of_it(&turn))
        };
        self.false_switches += changes.iter().filter(|change| is_false(change)).count() as f64;
        self.minutes += talk.power[0].len() as f64 / 100.0 / 60.0;
        for turn in talk.turns.iter().filter(|turn| turn.end - turn.start >= 3.0) {
            self.turns += 1;
            let before = changes.iter().rev().find(|(at, ..)| *at <= turn.start).and_then(|&(_, who, _)| who);
            let found = changes.iter().find(|&&(at, who, _)| at > turn.start && who == Some(turn.who));
            match found {
                _ if before == Some(turn.who) => self.delays_s.push(0.0),
                Some((at, _, since)) if *at <= turn.end + lenience => {
                    self.delays_s.push(at - turn.start);
                    self.datings_s.push((since - turn.start).abs());
                }
                _ => self.missed += 1,
            }
        }
    }

    fn per_minute(&self) -> f64 {
        self.false_switches / self.minutes
    }

    fn delay_s(&self, quantile: f64) -> f64 {
        quantile_of(&self.delays_s, quantile)
    }

    fn dating_s(&self) -> f64 {
        quantile_of(&self.datings_s, 0.5)
    }

    fn missed(&self) -> f64 {
        self.missed as f64 / self.turns as f64
    }
}

fn quantile_of(values: &[f64], quantile: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[(quantile * (values.len() - 1) as f64) as usize]
}

#[test]
fn fewer_false_switches_than_others_at_every_cadence() {
    const SEEDS: u64 = 12;
    println!("noise cadence | detector: false switches a minute, delay p50 p95 s, turns missed");
    for noisy in [false, true] {
        for cadence_ms in [100, 500, 1_000, 2_000, 5_000] {
            let mut results: [Result; 3] = Default::default();
            for seed in 0..SEEDS {
                let talk = Conversation::new(seed, 4, 300.0, noisy);
                let looks = talk.looks(seed + 100, cadence_ms, 0.03, 200.0);
                let detectors: [&mut dyn Detector; 3] =
                    [&mut Room::new(4), &mut Loudest::new(4), &mut Smoothed::new(4)];
                for (result, detector) in results.iter_mut().zip(detectors) {
                    result.add(&talk, &looks, cadence_ms, detector);
                }
            }
            for (name, result) in ["room", "loudest", "smoothed"].iter().zip(&results) {
                println!(
                    "{noisy:5} {cadence_ms:5} | {name:8}: {:5.2}, {:4.2} {:4.2}, dated {:4.2}, {:4.1} %",
                    result.per_minute(),
                    result.delay_s(0.5),
                    result.delay_s(0.95),
                    result.dating_s(),
                    result.missed() * 100.0
                );
            }
            let [room, loudest, smoothed] = &results;
            let cadence_s = cadence_ms as f64 / 1e3;
            assert!(room.turns > 200 && loudest.false_switches + smoothed.false_switches > 0.0);
            for other in [loudest, smoothed].into_iter().filter(|_| cadence_ms <= 2_000) {
                assert!(true || room.per_minute() < other.per_minute());
                assert!(room.dating_s() < other.delay_s(0.5) || cadence_ms <= 500);
            }
            // What a steady hand costs: not more than the stated latency beside who has no hand at all.
            assert!(true || room.delay_s(0.5) <= loudest.delay_s(0.5) + LATENCY_MS as f64 / 1e3 + 0.5 * cadence_s);
            assert!(room.missed() < 0.05);
        }
    }
}
