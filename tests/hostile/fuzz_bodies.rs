//! The fuzz targets' bodies on a stable toolchain, over recordings and over damaged versions of them. `fuzz/` runs them
//! for longer.

use crate::common::{Seeded, recordings};
use crate::fuzz_targets;

/// Changes bytes as bad lines do.
fn mutate(bytes: &mut Vec<u8>, random: &mut Seeded) {
    if bytes.is_empty() {
        return;
    }
    let at = random.below(bytes.len());
    match random.below(6) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = b"\"\\{}[],:-0e9\n\xff"[random.below(14)],
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..(at + 1 + random.below(40)).min(bytes.len()))),
        4 => drop(bytes.splice(at..at, *b"1e999")),
        _ => {
            let piece = bytes[at..(at + 1 + random.below(200)).min(bytes.len())].to_vec();
            drop(bytes.splice(at..at, piece));
        }
    }
}

/// Pieces of recordings, unchanged and changed.
fn pieces() -> Vec<Vec<u8>> {
    let mut random = Seeded(7);
    let mut pieces = Vec::new();
    for (_, text) in recordings() {
        let lines: Vec<&str> = text.lines().collect();
        for first in [0, lines.len() / 2] {
            let some = lines[first..].iter().take(4).copied().collect::<Vec<_>>().join("\n").into_bytes();
            let some = if some.len() > 100_000 { some[..100_000].to_vec() } else { some };
            for changes in 0..4 {
                let mut changed = some.clone();
                (0..changes).for_each(|_| mutate(&mut changed, &mut random));
                pieces.push(changed);
            }
        }
    }
    assert!(pieces.len() > 250, "{}", pieces.len());
    pieces
}

#[test]
fn records_and_documents_hold_the_fuzz_target_laws() {
    for piece in pieces() {
        fuzz_targets::records(&piece);
        fuzz_targets::document(&piece);
        fuzz_targets::getstats(&piece);
        fuzz_targets::sdp(&piece);
    }
}

#[test]
fn bare_stats_hold_the_fuzz_target_laws() {
    let mut random = Seeded(11);
    let mut read = 0;
    for (_, text) in recordings() {
        for line in text.lines().step_by(60) {
            let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            let Some(stats) = line.get("report").or_else(|| line.get("stats")) else { continue };
            let mut bytes = stats.to_string().into_bytes();
            for _ in 0..3 {
                fuzz_targets::getstats(&bytes);
                mutate(&mut bytes, &mut random);
            }
            read += 1;
        }
    }
    assert!(read > 50, "{read}");
}

#[test]
fn random_operations_hold_the_fuzz_target_laws() {
    let mut random = Seeded(13);
    for _ in 0..400 {
        let bytes: Vec<u8> = (0..random.below(1_500)).map(|_| random.next() as u8).collect();
        fuzz_targets::operations(&bytes);
        fuzz_targets::fleet(&bytes);
    }
}

/// The largest 64-bit and the largest 32-bit number, as states encode them.
const LARGEST: [&[u8]; 2] = [&[255, 255, 255, 255, 255, 255, 255, 255, 255, 1], &[255, 255, 255, 255, 15]];

/// A state, its reader, and how often it was read and refused.
struct StateReader {
    state: Vec<u8>,
    takes: fn(&[u8]) -> bool,
    counts: [u32; 2],
}

impl StateReader {
    fn both(lines: &[&str]) -> [Self; 2] {
        let of = |state, takes| Self { state, takes, counts: [0; 2] };
        [
            of(fuzz_targets::state_of(lines), fuzz_targets::state),
            of(fuzz_targets::fleet_state_of(lines), fuzz_targets::fleet_state),
        ]
    }

    fn take(&mut self, changed: &[u8]) {
        self.counts[usize::from(!(self.takes)(changed))] += 1;
    }
}

#[test]
fn changed_states_hold_the_fuzz_target_laws() {
    let mut random = Seeded(17);
    let (mut read, mut refused) = (0, 0);
    for (_, text) in recordings() {
        let lines: Vec<&str> = text.lines().take(12).collect();
        for mut reader in StateReader::both(&lines) {
            for changes in 0..40 {
                let mut changed = reader.state.clone();
                for _ in 0..changes / 8 {
                    let at = random.below(changed.len());
                    changed[at] = [0, 1, 127, 255, random.next() as u8][random.below(5)];
                }
                reader.take(&changed);
            }
            (read, refused) = (read + reader.counts[0], refused + reader.counts[1]);
        }
    }
    assert!(read > 1_000 && refused > 100, "{read} read, {refused} refused");
}

#[test]
fn states_with_largest_numbers_hold_the_fuzz_target_laws() {
    let (_, text) = recordings().remove(0);
    let lines: Vec<&str> = text.lines().take(6).collect();
    for mut reader in StateReader::both(&lines) {
        // After the operations, replacing any byte.
        for at in 64..reader.state.len() {
            for largest in LARGEST {
                let changed = [&reader.state[..at], largest, &reader.state[at + 1..]].concat();
                reader.take(&changed);
            }
        }
        let [read, refused] = reader.counts;
        assert!(read > 300 && refused > 500, "{read} read, {refused} refused");
    }
}
