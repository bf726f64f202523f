//! The multi-scale detector against a literal version of its paper: likelihoods, logarithms and thresholds.

use callgauge::speaker::level::rfc6464;
use callgauge::speaker::multiscale::Bridge;
use proptest::prelude::*;

use super::conversation::Conversation;
use crate::common::Seeded;

/// Scores of Volfin and Cohen with the constants of jitsi-utils, from the full history, recounted at each decision.
struct Naive {
    /// By participant: all volumes, the newest last, and the floor.
    people: Vec<Participant>,
    active: Option<usize>,
}

#[derive(Clone, Default)]
struct Participant {
    volumes: Vec<u32>,
    heard_ms: Option<u64>,
    floor: f64,
    since_floor: Vec<u32>,
}

/// Log likelihood ratio of speech (binomial) to none (exponential) where `v` of `n` are active.
fn likelihood(v: usize, n: usize, lambda: f64) -> f64 {
    let ln_choose: f64 = (0..v).map(|k| ((n - k) as f64 / (k + 1) as f64).ln()).sum();
    let phi = ln_choose + n as f64 * 0.5_f64.ln() - lambda.ln() + lambda * v as f64;
    phi.max(1e-10)
}

impl Participant {
    fn push(&mut self, volume: u32) {
        let is_heard = f64::from(volume) >= self.floor + 10.0;
        self.volumes.push(if is_heard { volume } else { 0 });
        if volume == 0 {
            return;
        }
        if self.floor == 0.0 || f64::from(volume) < self.floor {
            self.floor = f64::from(volume);
            self.since_floor.clear();
            return;
        }
        self.since_floor.push(volume);
        if self.since_floor.len() >= 750 {
            let least = self.since_floor.iter().copied().min().unwrap();
            self.floor = (self.floor * f64::from(least)).sqrt().floor();
            self.since_floor.clear();
        }
    }

    fn scores(&self) -> [f64; 3] {
        let volume = |age: usize| self.volumes.len().checked_sub(age + 1).map_or(0, |at| self.volumes[at]);
        let active = |age: usize| (volume(age) / 10) as usize;
        let medium = |block: usize| (block * 5..block * 5 + 5).filter(|&age| active(age) > 7).count();
        let long = (0..10).filter(|&block| medium(block) > 4).count();
        [likelihood(active(0), 13, 0.78), likelihood(medium(0), 5, 24.0), likelihood(long, 10, 47.0)]
    }
}

impl Naive {
    fn decide(&mut self, now_ms: u64) {
        for person in &mut self.people {
            if person.heard_ms.is_none_or(|heard| now_ms - heard > 40) {
                person.push(0);
            }
        }
        let holder = self.active.map_or([1e-10; 3], |active| self.people[active].scores());
        let mut best: Vec<(usize, f64)> = Vec::new();
        for (who, person) in self.people.iter().enumerate().filter(|&(who, _)| Some(who) != self.active) {
            let [c1, c2, c3] = [0, 1, 2].map(|scale| (person.scores()[scale] / holder[scale]).ln());
            if c1 > 3.0 && c2 > 2.0 && c3 > 0.0 {
                best.push((who, c2));
            }
        }
        best.sort_by(|a, b| b.1.total_cmp(&a.1));
        match best[..] {
            // Hash order decides a tie there; here a tie has no winner.
            [(_, first), (_, second), ..] if first == second => {}
            [(who, _), ..] => self.active = Some(who),
            [] => {}
        }
    }
}

/// Runs both detectors every 300 ms and returns how often the dominant speaker changed.
fn compare(levels: &[Vec<Option<u8>>]) -> Result<usize, TestCaseError> {
    let mut bridge = Bridge::new();
    let participants: Vec<usize> = levels.iter().map(|_| bridge.join().unwrap()).collect();
    let mut naive = Naive { people: vec![Participant::default(); levels.len()], active: None };
    let mut changes = 0;
    for tick in 0..levels[0].len() {
        let now_ms = tick as u64 * 20;
        for (who, levels) in levels.iter().enumerate() {
            if let Some(level) = levels[tick] {
                bridge.add_level(participants[who], now_ms, level);
                naive.people[who].heard_ms = Some(now_ms);
                naive.people[who].push(u32::from(127 - level));
            }
        }
        if tick % 15 == 14 {
            changes += usize::from(bridge.decide(now_ms));
            naive.decide(now_ms);
            prop_assert_eq!(bridge.active(), naive.active, "at {} ms", now_ms);
        }
    }
    Ok(changes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn count_comparisons_decide_like_likelihoods(
        stretches in prop::collection::vec(
            prop::collection::vec((0..=127_u8, 0..30_u8, 1..80_usize, prop::bool::weighted(0.9)), 20..60),
            2..5,
        ),
        seed in any::<u64>(),
    ) {
        let random = &mut Seeded(seed);
        let mut levels: Vec<Vec<Option<u8>>> = Vec::new();
        for stretches in stretches {
            let mut of = Vec::new();
            for (level, spread, ticks, is_sent) in stretches {
                of.extend((0..ticks).map(|_| {
                    is_sent.then(|| (level + (random.next() % (u64::from(spread) + 1)) as u8).min(127))
                }));
            }
            of.resize(2_000, None);
            levels.push(of);
        }
        compare(&levels)?;
    }
}

#[test]
fn both_detectors_follow_the_same_speakers() {
    let mut changes = 0;
    for seed in 0..6 {
        let talk = Conversation::new(seed, 4, 180.0, seed % 2 == 1);
        let level = |powers: &[f64]| rfc6464((powers.iter().sum::<f64>() / powers.len() as f64).sqrt());
        let levels: Vec<Vec<Option<u8>>> = talk.power.iter().map(|of| of.chunks(2).map(level).collect()).collect();
        changes += compare(&levels).unwrap();
    }
    println!("{changes} changes");
    assert!(changes > 60);
}
