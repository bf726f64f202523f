//! Synthetic conversations: the holder of the floor, and the loudness of each participant, every 10 ms.

use crate::common::Seeded;

/// Frames per second.
pub(crate) const RATE: usize = 100;

/// A turn, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) who: usize,
    pub(crate) start: f64,
    pub(crate) end: f64,
}

pub(crate) struct Conversation {
    pub(crate) turns: Vec<Turn>,
    /// By participant: the power of each frame.
    pub(crate) power: Vec<Vec<f64>>,
}

/// Audio of one participant between two samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) who: usize,
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
    pub(crate) power: f64,
    /// Time at which the sample is received.
    pub(crate) arrival_ms: u64,
}

pub(crate) fn unit(random: &mut Seeded) -> f64 {
    (random.next() >> 11) as f64 / (1_u64 << 53) as f64
}

fn between(random: &mut Seeded, low: f64, high: f64) -> f64 {
    low + (high - low) * unit(random)
}

fn power(dbov: f64) -> f64 {
    10_f64.powf(dbov / 10.0)
}

/// A turn of phrases, and phrases of syllables, with pauses between phrases.
fn speak(random: &mut Seeded, start: f64, end: f64, level: f64, add: &mut dyn FnMut(f64, f64, f64)) {
    let mut spoken = start;
    while spoken < end {
        let phrase = (spoken + between(random, 0.6, 2.5)).min(end);
        let mut syllable = spoken;
        while syllable < phrase {
            let next = (syllable + between(random, 0.12, 0.25)).min(phrase);
            add(syllable, next, level + between(random, -4.0, 3.0));
            syllable = next;
        }
        spoken = phrase + between(random, 0.08, 0.3);
    }
}

impl Conversation {
    /// The speakers of a real meeting (RTTM) with synthetic speech. Speech of one participant with pauses below 0.7 s
    /// is one turn, unless it is shorter than 1.2 s: a back-channel, as in synthetic conversations.
    pub(crate) fn of_meeting(rttm: &str, seed: u64) -> Self {
        let random = &mut Seeded(seed);
        let mut names: Vec<&str> = Vec::new();
        let (mut spans, mut turns): (Vec<Turn>, Vec<Turn>) = Default::default();
        for line in rttm.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [start, length]: [f64; 2] = [words[3], words[4]].map(|word| word.parse().unwrap());
            let who = names.iter().position(|&name| name == words[7]).unwrap_or_else(|| {
                names.push(words[7]);
                names.len() - 1
            });
            let span = Turn { who, start, end: start + length };
            spans.push(span);
            match turns.iter_mut().rev().find(|turn| turn.who == who) {
                Some(turn) if start < turn.end + 0.7 => turn.end = turn.end.max(span.end),
                _ => turns.push(span),
            }
        }
        let seconds = spans.iter().map(|span| span.end).fold(0.0, f64::max) + 2.0;
        let mut power_of: Vec<Vec<f64>> = names
            .iter()
            .map(|_| vec![power(between(random, -75.0, -62.0)); (seconds * RATE as f64) as usize])
            .collect();
        let levels: Vec<f64> = names.iter().map(|_| between(random, -27.0, -18.0)).collect();
        for span in &spans {
            let frames = &mut power_of[span.who];
            speak(random, span.start, span.end, levels[span.who], &mut |start, end, dbov| {
                let frame = |at: f64| ((at * RATE as f64) as usize).min(frames.len());
                let (start, end) = (frame(start), frame(end));
                frames[start..end].iter_mut().for_each(|place| *place += power(dbov));
            });
        }
        turns.retain(|turn| turn.end - turn.start >= 1.2);
        Self { turns, power: power_of }
    }

    /// Turns of participants, 44 % of which begin during the previous one (AMI), with 3.7 back-channels per minute;
    /// `noisy` adds coughs, doors (0.5 per minute), typing, and music beside one participant.
    pub(crate) fn new(seed: u64, people: usize, seconds: f64, noisy: bool) -> Self {
        let random = &mut Seeded(seed);
        let frames = (seconds * RATE as f64) as usize;
        let mut power_of: Vec<Vec<f64>> =
            (0..people).map(|_| vec![power(between(random, -75.0, -62.0)); frames]).collect();
        let levels: Vec<f64> = (0..people).map(|_| between(random, -27.0, -18.0)).collect();
        let mut add = |who: usize, start: f64, end: f64, dbov: f64| {
            let frame = |at: f64| ((at.max(0.0) * RATE as f64) as usize).min(frames);
            for place in &mut power_of[who][frame(start)..frame(end)] {
                *place += power(dbov);
            }
        };
        let mut turns: Vec<Turn> = Vec::new();
        let (mut at, mut who) = (1.0, random.below(people));
        while at < seconds - 4.0 {
            let length = match random.below(10) {
                0..3 => between(random, 1.2, 3.0),
                3..8 => between(random, 3.0, 8.0),
                _ => between(random, 8.0, 20.0),
            };
            let end = (at + length).min(seconds - 1.0);
            turns.push(Turn { who, start: at, end });
            speak(random, at, end, levels[who], &mut |start, end, dbov| add(who, start, end, dbov));
            if unit(random) < length * 3.7 / 60.0 {
                let other = (who + 1 + random.below(people - 1)) % people;
                let start = between(random, at, end);
                add(other, start, start + between(random, 0.2, 1.0), levels[other] - 3.0);
            }
            let gap = match random.below(100) {
                0..44 => -between(random, 0.1, 0.9),
                44..95 => between(random, 0.05, 0.8),
                _ => between(random, 3.0, 6.0),
            };
            at = end + gap;
            who = (who + 1 + random.below(people - 1)) % people;
        }
        if noisy {
            for _ in 0..(seconds / 60.0 * 1.5) as usize {
                let (who, start) = (random.below(people), between(random, 0.0, seconds));
                add(who, start, start + between(random, 0.16, 0.5), levels[who] + 6.0);
            }
            for _ in 0..(seconds / 300.0).ceil() as usize {
                let (who, mut start) = (random.below(people), between(random, 0.0, seconds));
                for _ in 0..60 {
                    add(who, start, start + 0.06, -38.0);
                    start += 0.22;
                }
            }
            let who = random.below(people);
            let dbov = between(random, -45.0, -35.0);
            add(who, 0.0, seconds, dbov);
        }
        Self { turns, power: power_of }
    }

    /// Makes one participant's microphone pick up the others, `softer_db` softer and `delay` frames later.
    pub(crate) fn echo(&mut self, who: usize, softer_db: f64, delay: usize) {
        let others: Vec<Vec<f64>> =
            self.power.iter().enumerate().filter(|&(index, _)| index != who).map(|(_, of)| of.clone()).collect();
        for (frame, power_of) in self.power[who].iter_mut().enumerate().skip(delay) {
            *power_of += others.iter().map(|of| of[frame - delay]).sum::<f64>() * power(-softer_db);
        }
    }

    /// Samples of all participants about every `cadence_ms`: a twentieth of them earlier or later, one of `missing`
    /// dropped, clocks off by up to `skew_ms`. In the order of arrival.
    pub(crate) fn samples(&self, seed: u64, cadence_ms: u64, missing: f64, skew_ms: f64) -> Vec<Sample> {
        let random = &mut Seeded(seed);
        let mut samples = Vec::new();
        for (who, frames) in self.power.iter().enumerate() {
            let skew = (unit(random) * skew_ms) as u64;
            let phase = (unit(random) * cadence_ms as f64) as usize / 10;
            let (mut from, mut at) = (0, phase.max(10));
            while at < frames.len() {
                if unit(random) >= missing {
                    let energy: f64 = frames[from..at].iter().sum();
                    let ms = |frame: usize| frame as u64 * 10;
                    samples.push(Sample {
                        who,
                        from_ms: ms(from) + skew,
                        to_ms: ms(at) + skew,
                        power: energy / (at - from) as f64,
                        arrival_ms: ms(at),
                    });
                    from = at;
                }
                let jitter = between(random, 0.95, 1.05);
                at += ((cadence_ms as f64 * jitter / 10.0) as usize).max(1);
            }
        }
        samples.sort_by_key(|sample| (sample.arrival_ms, sample.who));
        samples
    }
}
