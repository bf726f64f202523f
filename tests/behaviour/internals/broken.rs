//! Truncated, damaged and hostile dumps.

use callgauge::ingest::{ReadErrorKind, Reader};
use serde_json::{Value, json};

use super::{DUMP, dump_of, read_json, series};
use crate::common::{Seeded, fixture};

#[test]
fn truncated_dump_is_an_error_at_the_cut() {
    let bytes = fixture(DUMP);
    let end = bytes.trim_ascii_end().len();
    let mut cuts = 0;
    for cut in (1..end).step_by(997).chain([end - 1]) {
        let mut reader = Reader::new();
        let error = reader.read(&bytes[..cut], &mut |_| panic!("handed out before the end was seen")).unwrap_err();
        assert!(error.offset() <= cut);
        assert!(matches!(error.kind(), ReadErrorKind::Truncated | ReadErrorKind::UnknownFormat), "{cut}: {error}");
        cuts += 1;
    }
    assert!(cuts > 800);
}

#[test]
fn damaged_dump_never_panics_and_is_read_as_far_as_possible() {
    let bytes = fixture(DUMP);
    let mut random = Seeded(36);
    let (mut whole, mut refused) = (0, 0);
    for _ in 0..300 {
        let mut damaged = bytes.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(damaged.len());
            // Half of the time, bytes that have a meaning.
            damaged[at] = match random.below(2) {
                0 => b"\"\\[]{},:-0e9. "[random.below(14)],
                _ => (random.next() >> 8) as u8,
            };
        }
        let (mut reader, mut polls) = (Reader::new(), 0);
        match reader.read(&damaged, &mut |_| polls += 1) {
            Ok(()) => {
                whole += 1;
                assert!(polls >= 60, "{polls} polls");
            }
            Err(_) => {
                refused += 1;
                assert_eq!(polls, 0);
            }
        }
    }
    println!("{whole} read, {refused} refused");
    assert!(whole > 20 && refused > 20, "{whole} read, {refused} refused");
}

#[test]
fn hostile_dumps_cost_no_more_than_their_size() {
    let many = 1_000_000;
    let long = |value: &str| json!(format!("[{}{value}]", format!("{value},").repeat(many - 1)));
    let of = |values: Value| json!({"statsType": "inbound-rtp", "startTime": 0, "endTime": 1e300, "values": values});
    // A million polls at one time, beside a million values, and one single value.
    let dump = dump_of(&[
        ("I-timestamp", of(long("5"))),
        ("I-ssrc", of(long("1"))),
        ("I-framesDecoded", json!({"startTime": 5, "endTime": 5, "values": "[7]"})),
    ]);
    let (mut reader, mut polls) = (Reader::new(), 0);
    reader.read(dump.to_string().as_bytes(), &mut |_| polls += 1).unwrap();
    assert_eq!(polls, many);
    // Many entries at times of their own, absurd ones among them.
    let entries: Vec<_> = (0..50_000)
        .map(|n: u32| (format!("I{n}-timestamp"), of(json!(format!("[{},{}]", n * 100, 10_f64.powi(n as i32 % 300))))))
        .collect();
    let entries: Vec<_> = entries.iter().map(|(key, series)| (key.as_str(), series.clone())).collect();
    let (mut rows, mut reader) = (0, Reader::new());
    reader.read(dump_of(&entries).to_string().as_bytes(), &mut |poll| rows += poll.report.len()).unwrap();
    assert_eq!(rows as u64 + reader.skipped().entries, 100_000);
    // Deep nesting in one value.
    let deep = format!("[{}]", "[".repeat(100_000));
    let (polls, reader) =
        read_json(&dump_of(&[("I-jitter", of(json!(deep))), ("I-ssrc", series("inbound-rtp", 1, 1, &json!([1])))]));
    assert_eq!((polls.len(), reader.skipped().entries), (1, 1));
}
