//! What an input byte may cost: rows of reports, memory of a reader, memory of a replay. Figures of manual/limits.md.

use callgauge::ingest::{Item, Reader};
use callgauge::replay::{Replay, SourceOverview};

use crate::common::text;
use crate::counting::{peak, weighed};

/// Entries that differences may restore without text of their own, per byte, and at the start (manual/limits.md).
const ROWS_PER_BYTE: u64 = 1;
const FIRST_ROWS: u64 = 65_536;

/// The first lines of a dump of rtcstats version 3.
const V3: &[&str] = &["RTCStatsDump", r#"{"fileFormat":3}"#];

/// What reading a text cost.
#[derive(Debug, Default)]
struct Cost {
    bytes: u64,
    snapshots: u64,
    rows: u64,
    refused: u64,
}

fn cost(lines: &[String]) -> Cost {
    let mut reader = Reader::new();
    let mut cost = Cost::default();
    for line in lines {
        cost.bytes += line.len() as u64;
        let read = reader.read(line.as_bytes(), &mut |snapshot| cost.rows += snapshot.report.len() as u64);
        read.unwrap();
    }
    cost.snapshots = reader.snapshots();
    cost.refused = reader.skipped().differences;
    cost
}

/// A base of many streams, and lines that change nothing but the time of all of them.
fn thin_differences(header: &[&str], method: &str, streams: usize, lines: usize) -> Vec<String> {
    let entries: Vec<_> = (0..streams)
        .map(|n| {
            format!(r#""{n}":{{"type":"inbound-rtp","kind":"audio","ssrc":{n},"timestamp":0,"packetsReceived":1}}"#)
        })
        .collect();
    let mut text: Vec<String> = header.iter().map(|&line| line.to_owned()).collect();
    text.push(format!(r#"["{method}","0",{{{},"timestamp":1000}},1000]"#, entries.join(",")));
    text.extend((2..lines).map(|n| format!(r#"["{method}","0",{{"timestamp":{n}000}},{n}000]"#)));
    text
}

#[test]
fn rows_of_differences_are_bounded_per_byte() {
    let cost = cost(&thin_differences(V3, "getStats", 2_000, 3_000));
    // The rows of the first line have text of their own.
    assert!(cost.rows <= ROWS_PER_BYTE * cost.bytes + FIRST_ROWS + 2_000, "{cost:?}");
    assert!(cost.rows > FIRST_ROWS && cost.refused > 2_000, "{cost:?}");
    assert_eq!(cost.snapshots + cost.refused, 2_999, "each line is a snapshot or counted");
}

#[test]
fn entries_that_jitsi_omits_are_not_restored() {
    let cost = cost(&thin_differences(&[], "getstats", 2_000, 3_000));
    assert_eq!((cost.rows, cost.refused), (2_000, 0));
}

#[test]
fn idle_connection_of_thirty_entries_is_read_for_hours() {
    let cost = cost(&thin_differences(V3, "getStats", 30, 20_000));
    assert_eq!((cost.snapshots, cost.refused), (19_999, 0));
}

#[test]
fn recorded_differences_are_far_from_the_budget() {
    for name in ["screen", "mesh3", "loss5"] {
        let text = text(&format!("recordings/other/{name}.rtcstats3.gz"));
        let cost = cost(&text.lines().map(Into::into).collect::<Vec<_>>());
        assert_eq!(cost.refused, 0, "{name}");
        assert!(cost.rows * 30 < cost.bytes, "{name}: {cost:?}");
    }
}

/// Short texts that cost the most memory of each door, with the number of bytes.
fn doors() -> Vec<(&'static str, Vec<String>)> {
    let entries =
        |count: usize| (0..count).map(|n| format!(r#""{n}":{{"type":"codec"}}"#)).collect::<Vec<_>>().join(",");
    let names = (0..20_000).map(|n| format!(r#"{{"t":{n},"pc":"{n}","report":{{}}}}"#)).collect();
    let connections = (0..2_000).map(|n| format!(r#"["getstats","{n}",{{"a":{{"type":"codec"}}}},{n}]"#)).collect();
    vec![
        ("getStats", vec![format!("{{{}}}", entries(20_000))]),
        ("recording", vec![format!(r#"{{"t":1,"pc":"A","report":{{{}}}}}"#, entries(20_000))]),
        ("many connections", names),
        ("differences", thin_differences(V3, "getStats", 16_384, 400)),
        ("differences of many connections", connections),
        ("depth", vec![format!("[{}", "[".repeat(400_000))]),
    ]
}

#[test]
fn memory_of_a_reader_is_bounded_at_every_door() {
    for (door, text) in doors() {
        let bytes: usize = text.iter().map(String::len).sum();
        let most = peak(|| {
            let mut reader = Reader::new();
            for line in &text {
                // An error is an answer too.
                let _ = reader.read_all(line.as_bytes(), &mut |_| {});
            }
        });
        println!("{door}: {bytes} bytes of text, {} KiB", most / 1_024);
        // A report of 16 384 entries has 24 MB; differences need four of them.
        assert!(most < 128 << 20, "{door}: {most} bytes");
        assert!(most < 4 << 20 || (most as usize) < 400 * bytes, "{door}: {most} bytes of {bytes}");
    }
}

#[test]
fn overview_of_a_source_is_bounded() {
    let mut overview = SourceOverview::default();
    let mut reader = Reader::new();
    let ((), _, held) = weighed(|| {
        for n in 0..40_000 {
            let line =
                format!(r#"{{"t":{n},"pc":"connection-{n}","report":{{"I":{{"type":"inbound-rtp","ssrc":{n}}}}}}}"#);
            reader.read_all(line.as_bytes(), &mut |item| overview.observe(&item)).unwrap();
        }
    });
    assert!(held < 2 << 20, "{held}");
}

#[test]
fn newest_first_source_is_held_within_its_limit() {
    let rows = |n: usize| {
        let entries: Vec<_> =
            (0..1_000).map(|i| format!(r#""{i}":{{"type":"inbound-rtp","timestamp":{n},"ssrc":{i}}}"#)).collect();
        format!(r#"{{"t":{n},"pc":"A","report":{{{}}}}}"#, entries.join(","))
    };
    let mut late = 0;
    let most = peak(|| {
        let mut replay = Replay::default();
        let source = replay.add_source(None);
        let mut reader = Reader::new();
        for n in 0..200 {
            let line = rows(1_000_000 - n * 1_000);
            reader.read_all(line.as_bytes(), &mut |item: Item<'_>| replay.push(source, &item)).unwrap();
        }
        late = replay.finish().sources[0].late_snapshots;
    });
    println!("{} KiB, {late} late", most / 1_024);
    assert!(most < 192 << 20 && late > 20, "{most} bytes, {late} late");
}
