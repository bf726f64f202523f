//! The rescanner against the scanner: the same rows for every text, whatever the texts before it were.

use callgauge::ingest::getstats::{Rescanner, Scanner};
use callgauge::report::Report;
use proptest::prelude::*;
use serde_json::Value;

use crate::common::{Seeded, WORKLOADS, recordings, workload};

/// Reads a text both ways and compares rows, counts and errors. Returns the number of rows.
fn compare(rescanner: &mut Rescanner, scanner: &mut Scanner, text: &[u8]) -> usize {
    let mut expected = Report::new();
    let result = scanner.read(text, &mut expected);
    assert_eq!(rescanner.read(text).map(drop), result);
    let found = rescanner.report();
    assert_eq!(*found, expected, "{}", String::from_utf8_lossy(text));
    assert_eq!(found.skipped(), expected.skipped());
    expected.len()
}

/// The getStats texts in the lines of a recording, by connection.
fn texts(lines: &str) -> Vec<(String, Vec<u8>)> {
    let texts = lines.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        let report = line.get("report").or_else(|| line.get("stats"))?;
        Some((line.get("pc")?.to_string(), report.to_string().into_bytes()))
    });
    texts.collect()
}

#[test]
fn recordings_have_the_rows_of_a_scan() {
    let mut rows = 0;
    for (name, lines) in recordings() {
        let mut texts = texts(&lines);
        // The sort is stable: each connection's texts follow each other in the order of time.
        texts.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (mut rescanner, mut scanner) = (Rescanner::new(), Scanner::new());
        let read: usize = texts.iter().map(|(_, text)| compare(&mut rescanner, &mut scanner, text)).sum();
        assert!(read > 100, "{name}");
        rows += read;
    }
    assert!(rows > 100_000, "{rows}");
}

#[test]
fn the_workload_has_the_rows_of_a_scan() {
    for set in WORKLOADS {
        let (mut rescanner, mut scanner) = (Rescanner::new(), Scanner::new());
        for line in workload(set) {
            let (_, stats) = line.split_once(r#","stats":"#).unwrap();
            compare(&mut rescanner, &mut scanner, stats.strip_suffix('}').unwrap().as_bytes());
        }
    }
}

/// Small snapshots in every shape, with members that rows treat specially.
const BASES: [&str; 6] = [
    r#"[{"id":"I1","timestamp":1000.5,"type":"inbound-rtp","kind":"audio","ssrc":7,"packetsReceived":50,"jitter":0.004,"packetsLost":-1},{"id":"T","timestamp":1000.5,"type":"transport","bytesSent":12345678,"dtlsState":"connected"}]"#,
    r#"{"O1":{"id":"O1","type":"outbound-rtp","timestamp":1,"ssrc":9,"kind":"video","qualityLimitationDurations":{"none":1.5,"cpu":0},"bytesSent":9,"active":true},"C":{"id":"C","type":"codec","timestamp":1,"mimeType":"video/VP8","clockRate":90000}}"#,
    r#"[["I1",{"type":"inbound-rtp","timestamp":5,"ssrc":7,"jitter":212,"bytesReceived":100}],["X",{"id":"X","type":"candidate-pair","timestamp":5,"priority":9115005270299247000,"bytesSent":0}]]"#,
    r#"{"result":[{"id":"ssrc_5_send","type":"ssrc","timestamp":10,"googRtt":"20","packetsSent":"30","bytesSent":40}]}"#,
    r#"[{"id":"I","type":"inbound-rtp","timestamp":3,"trackId":"t","ssrc":1,"packetsReceived":4},{"id":"t","type":"track","timestamp":3,"framesDecoded":30}]"#,
    r#"{"a":{"type":"inbound-rtp","timestamp":7,"ssrc":3,"codecId":"c","bytesReceived":77,"estimatedPlayoutTimestamp":3900000000000},"c":{"type":"codec","mimeType":"audio/opus"},"n":null,"timestamp":8}"#,
];

/// One change of a text: often of a digit, as between two snapshots.
fn change(text: &mut Vec<u8>, random: &mut Seeded) {
    let pick = |random: &mut Seeded, places: &[usize]| (!places.is_empty()).then(|| places[random.below(places.len())]);
    let digits: Vec<usize> = (0..text.len()).filter(|&at| text[at].is_ascii_digit()).collect();
    let (digit, any) = (pick(random, &digits), random.below(text.len() + 1));
    const BITS: [&str; 14] =
        ["0", "9", "-", ".", "e3", "null", "\"7\"", ",", "}", "]", " ", ",\"ssrc\":8", ",\"t\":9", ",{\"id\":\"N\"}"];
    match (random.below(10), digit) {
        (0..=4, Some(at)) => text[at] = b'0' + u8::try_from(random.below(10)).unwrap(),
        (5, Some(at)) => text.insert(at, b'0' + u8::try_from(random.below(10)).unwrap()),
        (6, Some(at)) => drop(text.remove(at)),
        (7, _) if any < text.len() => drop(text.remove(any)),
        (8, _) if any < text.len() => text[any] = u8::try_from(random.below(256)).unwrap(),
        _ => {
            let bit = BITS[random.below(BITS.len())].bytes();
            text.splice(any..any, bit);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn changed_texts_have_the_rows_of_a_scan(seed in any::<u64>(), base in 0..BASES.len(), texts in 2..30_usize) {
        let mut random = Seeded(seed);
        let (mut rescanner, mut scanner) = (Rescanner::new(), Scanner::new());
        let mut text = BASES[base].as_bytes().to_vec();
        for _ in 0..texts {
            compare(&mut rescanner, &mut scanner, &text);
            // A text that lost its structure is of no more use.
            if random.below(8) == 0 {
                text = BASES[base].as_bytes().to_vec();
            }
            for _ in 0..=random.below(3) {
                change(&mut text, &mut random);
            }
        }
    }

    #[test]
    fn texts_that_repeat_with_other_numbers_have_the_rows_of_a_scan(
        values in prop::collection::vec((0..=u64::MAX, 0.0..1e9_f64, -5..5_i64, 0..3_usize), 2..40),
    ) {
        let (mut rescanner, mut scanner) = (Rescanner::new(), Scanner::new());
        for (bytes, jitter, lost, state) in values {
            let state = ["new", "connected", "failed"][state];
            let text = format!(
                r#"[{{"id":"I1","timestamp":{jitter},"type":"inbound-rtp","kind":"audio","ssrc":7,"bytesReceived":{bytes},"jitter":{jitter},"packetsLost":{lost}}},{{"id":"T","timestamp":{bytes},"type":"transport","bytesSent":{bytes},"dtlsState":"{state}"}}]"#
            );
            compare(&mut rescanner, &mut scanner, text.as_bytes());
        }
    }
}
