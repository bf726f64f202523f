//! Which sources are of one call, which connections of several sources are one, and in which order a source is applied.

use callgauge::ingest::Reader;
use callgauge::replay::{Doubt, OwnedItem, Recording, Replay, SourceOverview, calls};
use callgauge::summary::ConferenceSummary;

/// 2026-01-01, ms.
const START: u64 = 1_767_225_600_000;
/// An SSRC as a browser draws one.
const RANDOM: u32 = 3_558_064_678;

/// A snapshot of a connection, `second` after [`START`], with the packets of a sent and of a received stream.
fn snapshot(pc: &str, second: u64, sent: Option<u32>, received: Option<u32>) -> String {
    let t = START + second * 1_000;
    let (packets, bytes) = (50 * (second % 10_000), 4_000 * (second % 10_000));
    let mut entries = Vec::new();
    if let Some(ssrc) = sent {
        entries.push(format!(
            r#""O{ssrc}":{{"timestamp":{t},"type":"outbound-rtp","kind":"audio","ssrc":{ssrc},"packetsSent":{packets},"bytesSent":{bytes}}}"#
        ));
    }
    if let Some(ssrc) = received {
        entries.push(format!(
            r#""I{ssrc}":{{"timestamp":{t},"type":"inbound-rtp","kind":"audio","ssrc":{ssrc},"packetsReceived":{packets},"packetsLost":0,"bytesReceived":{bytes}}}"#
        ));
    }
    format!(r#"{{"t":{t},"pc":"{pc}","report":{{{}}}}}"#, entries.join(","))
}

/// A source with a snapshot a second.
fn source(pc: &str, seconds: std::ops::Range<u64>, sent: Option<u32>, received: Option<u32>) -> Vec<String> {
    seconds.map(|second| snapshot(pc, second, sent, received)).collect()
}

fn overview(lines: &[String]) -> SourceOverview {
    let mut overview = SourceOverview::default();
    let mut reader = Reader::new();
    for line in lines {
        reader.read_all(line.as_bytes(), &mut |item| overview.observe(&item)).unwrap();
    }
    overview
}

fn named(lines: &[String], conference: &str) -> SourceOverview {
    let mut overview = overview(lines);
    overview.set_conference(Some(conference));
    overview
}

fn replayed(sources: &[Vec<String>]) -> Recording {
    let mut replay = Replay::default();
    let overviews: Vec<_> = sources.iter().map(|lines| overview(lines)).collect();
    let ids = replay.add_sources(&overviews);
    for (&id, lines) in ids.iter().zip(sources) {
        let mut reader = Reader::new();
        for line in lines {
            let mut push = |item: callgauge::ingest::Item<'_>| {
                replay.push_owned(id, OwnedItem::new(&item).unwrap(), &mut |_, _, _| {});
            };
            reader.read_all(line.as_bytes(), &mut push).unwrap();
        }
    }
    replay.finish()
}

fn packets(summary: &ConferenceSummary) -> Vec<Vec<Option<u64>>> {
    summary.fabrics.iter().map(|fabric| fabric.streams.iter().map(|stream| stream.packets).collect()).collect()
}

#[test]
fn sources_that_overlap_are_one_call_unless_names_differ() {
    let (a, b) = (source("A", 0..5, Some(1), None), source("B", 3..9, Some(2), None));
    assert_eq!(calls(&[overview(&a), overview(&b)], Doubt::Together), [[0, 1]]);
    assert_eq!(calls(&[named(&a, "x"), overview(&b)], Doubt::Together), [[0, 1]]);
    assert_eq!(calls(&[named(&a, "x"), named(&b, "x")], Doubt::Together), [[0, 1]]);
    assert_eq!(calls(&[named(&a, "x"), named(&b, "y")], Doubt::Together), [[0], [1]]);
    // Even the same streams.
    assert_eq!(calls(&[named(&a, "x"), named(&a, "y")], Doubt::Together), [[0], [1]]);
}

#[test]
fn overlap_alone_is_no_evidence_where_calls_are_wanted_apart() {
    let (a, b) = (source("A", 0..5, Some(1), None), source("B", 3..9, Some(2), None));
    assert_eq!(calls(&[overview(&a), overview(&b)], Doubt::Apart), [[0], [1]]);
    assert_eq!(calls(&[named(&a, "x"), named(&b, "x")], Doubt::Apart), [[0, 1]]);
    let (a, b) = (source("P1-P2", 0..5, Some(1), None), source("P2-P3", 3..9, Some(2), None));
    assert_eq!(calls(&[overview(&a), overview(&b)], Doubt::Apart), [[0, 1]], "P2 is in both");
}

#[test]
fn sources_apart_in_time_need_something_in_common() {
    let first = source("PC_0", 0..5, Some(1), Some(2));
    let hour = 3_600;
    for (lines, is_one) in [
        (source("PC_0", 60..65, Some(3), Some(4)), false),
        // Small SSRCs are not random: they count for the same connection only.
        (source("PC_1", 60..65, Some(1), Some(2)), false),
        (source("PC_0", 60..65, Some(1), Some(2)), true),
        (source("PC_0", 2 * hour..2 * hour + 5, Some(1), Some(2)), false),
    ] {
        assert_eq!(calls(&[overview(&first), overview(&lines)], Doubt::Together).len() == 1, is_one, "{}", lines[0]);
    }
    let random = source("PC_0", 0..5, Some(RANDOM), None);
    let heard = |second: u64| overview(&source("PC_0", second..second + 5, None, Some(RANDOM)));
    assert_eq!(calls(&[overview(&random), heard(2 * hour)], Doubt::Together).len(), 1);
    assert_eq!(calls(&[overview(&random), heard(48 * hour)], Doubt::Together).len(), 2);
    // A room has the same name again tomorrow.
    let of_room = |second: u64| named(&source("PC_0", second..second + 5, Some(9), None), "daily");
    assert_eq!(calls(&[named(&first, "daily"), of_room(600)], Doubt::Together).len(), 1);
    assert_eq!(calls(&[named(&first, "daily"), of_room(24 * hour)], Doubt::Together).len(), 2);
}

#[test]
fn a_source_between_two_conferences_stays_alone() {
    let lines = source("A", 0..5, Some(1), None);
    let sources = [named(&lines, "x"), overview(&source("B", 2..7, Some(2), None)), named(&lines, "y")];
    assert_eq!(calls(&sources, Doubt::Together), [[0], [1], [2]]);
    let random = source("B", 2..7, Some(RANDOM), None);
    let x = named(&source("A", 0..5, None, Some(RANDOM)), "x");
    assert_eq!(calls(&[x, overview(&random), named(&lines, "y")], Doubt::Together), [[0, 1].as_slice(), &[2]]);
}

#[test]
fn clocks_without_a_date_are_not_compared() {
    let dated = source("A", 0..5, Some(1), None);
    let undated: Vec<String> =
        source("B", 0..5, Some(2), None).iter().map(|line| line.replace("17672256", "")).collect();
    assert_eq!(calls(&[overview(&dated), overview(&undated)], Doubt::Together), [[0, 1]]);
    assert_eq!(calls(&[overview(&dated), SourceOverview::default()], Doubt::Together), [[0, 1]]);
}

#[test]
fn order_of_sources_changes_no_call() {
    let lines = [
        source("A", 0..5, Some(RANDOM), None),
        source("B", 100..105, None, Some(RANDOM)),
        source("C", 103..109, Some(3), None),
        source("D", 50_000..50_005, Some(4), None),
    ];
    for rotation in 0..lines.len() {
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.rotate_left(rotation);
        let overviews: Vec<_> = order.iter().map(|&index| overview(&lines[index])).collect();
        let mut groups: Vec<Vec<usize>> = calls(&overviews, Doubt::Together)
            .iter()
            .map(|group| {
                let mut group: Vec<usize> = group.iter().map(|&index| order[index]).collect();
                group.sort_unstable();
                group
            })
            .collect();
        groups.sort_unstable();
        assert_eq!(groups, [[0, 1, 2].as_slice(), &[3]]);
    }
}

#[test]
fn a_source_given_twice_counts_once() {
    let lines = source("PC_0", 0..30, Some(1), Some(2));
    let alone = replayed(std::slice::from_ref(&lines));
    let twice = replayed(&[lines.clone(), lines]);
    assert_eq!(twice.summary(), alone.summary());
    assert_eq!((twice.sources[0].repeated_items, twice.sources[1].repeated_items), (0, 30));
}

#[test]
fn overlapping_captures_of_a_connection_count_once() {
    let all = replayed(&[source("PC_0", 0..30, Some(1), Some(2))]).summary();
    let parts = [source("PC_0", 0..20, Some(1), Some(2)), source("PC_0", 12..30, Some(1), Some(2))];
    for parts in [parts.clone(), [parts[1].clone(), parts[0].clone()]] {
        let recording = replayed(&parts);
        assert_eq!(recording.summary(), all);
        assert_eq!(recording.sources.iter().map(|source| source.repeated_items).sum::<u64>(), 8);
    }
    // A capture that polled between the others' times.
    let [even, odd] =
        [0, 1].map(|first| (first..30).step_by(2).map(|s| snapshot("PC_0", s, Some(1), Some(2))).collect());
    assert_eq!(packets(&replayed(&[even, odd]).summary()), packets(&all));
}

#[test]
fn snapshots_in_two_sources_are_samples_of_one_connection() {
    for (sent, received) in [(Some(1), Some(2)), (Some(1), None), (None, Some(2))] {
        let (before, after) = (source("", 30..31, sent, received), source("", 90..91, sent, received));
        assert_eq!(calls(&[overview(&before), overview(&after)], Doubt::Together), [[0, 1]]);
        let summary = replayed(&[before, after]).summary();
        assert_eq!((summary.fabrics.len(), summary.duration_s), (1, Some(60.0)));
        assert!(summary.fabrics[0].streams.iter().all(|stream| stream.packets == Some(3_000)));
    }
}

#[test]
fn equal_names_of_two_participants_are_two_connections() {
    let ends = [source("PC_0", 0..9, Some(1), Some(2)), source("PC_0", 0..9, Some(2), Some(1))];
    assert_eq!(replayed(&ends).summary().fabrics.len(), 2);
    let clients_of_a_server = [source("PC_0", 0..9, Some(1), Some(7)), source("PC_0", 1..9, Some(2), Some(7))];
    assert_eq!(replayed(&clients_of_a_server).summary().fabrics.len(), 2);
    // Their events are the same, at the same time.
    let connected = format!(r#"["oniceconnectionstatechange","PC_0","connected",{START}]"#);
    let told = [1, 2].map(|ssrc| {
        let t = START + 1_000;
        let stats = format!(r#"{{"O":{{"type":"outbound-rtp","ssrc":{ssrc},"timestamp":{t},"packetsSent":1}}}}"#);
        vec![connected.clone(), format!(r#"["getstats","PC_0",{stats},{t}]"#)]
    });
    assert_eq!(replayed(&told).summary().fabrics.len(), 2);
    assert_eq!(replayed(&[vec![connected.clone()], vec![connected]]).summary().fabrics.len(), 1);
    // Two viewers poll at different times.
    let viewer = |first: u64| (first..60).step_by(2).map(|second| snapshot("PC_0", second, None, Some(7))).collect();
    assert_eq!(replayed(&[viewer(0), viewer(1)]).summary().fabrics.len(), 2);
    // The later viewer's counters start over.
    let viewers = [source("PC_0", 100..110, None, Some(7)), source("PC_0", 10_000..10_010, None, Some(7))];
    assert_eq!(replayed(&viewers).summary().fabrics.len(), 2);
}

#[test]
fn newest_first_source_is_sorted() {
    let forward = source("PC_0", 0..40, Some(1), Some(2));
    let backward: Vec<String> = forward.iter().rev().cloned().collect();
    let recording = replayed(std::slice::from_ref(&backward));
    assert_eq!(recording.summary(), replayed(std::slice::from_ref(&forward)).summary());
    assert_eq!(recording.sources[0].late_snapshots, 0);
    // One late line is no reason to sort.
    let mut mixed = forward;
    mixed.swap(20, 21);
    assert_eq!(replayed(&[mixed]).sources[0].late_snapshots, 1);
}
