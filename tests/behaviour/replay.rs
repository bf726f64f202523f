//! Replay of recordings into one conference: the order of several sources, and refused items.

use callgauge::ingest::Reader;
use callgauge::replay::{EachEvent, ItemOrigin, OwnedItem, Recording, Replay, SourceId};
use callgauge::{Config, Event, InputError, Limits};

fn snapshot(pc: &str, t: u64, packets: u64) -> String {
    format!(
        r#"{{"t":{t},"pc":"{pc}","report":{{"I":{{"timestamp":{t},"type":"inbound-rtp","kind":"audio","ssrc":7,
            "packetsReceived":{packets},"packetsLost":0,"bytesReceived":{packets}}}}}}}"#
    )
    .replace('\n', " ")
}

fn push(replay: &mut Replay, source: SourceId, line: &str, each: &mut EachEvent<'_>) {
    Reader::new().read_all(line.as_bytes(), &mut |item| replay.push_each(source, &item, each)).unwrap();
}

/// Connections and times of the intervals of two sources with overlapping times, and the recording. `pushes` names the
/// source from which each push takes its next line.
fn merged(pushes: &[usize]) -> (Vec<(String, f64)>, Recording) {
    let lines = [
        [1_000, 3_000, 5_000].map(|t| snapshot("A", t, t / 20)),
        [2_000, 4_000, 6_000].map(|t| snapshot("B", t, t / 20)),
    ];
    let mut replay = Replay::default();
    let sources = [replay.add_source(None), replay.add_source(None)];
    let mut intervals = Vec::new();
    let mut each = |origin: ItemOrigin<'_>, event: &Event, _: &_| {
        if let Event::IntervalClosed { interval, .. } = event {
            intervals.push((origin.fabric.to_owned(), interval.at.as_millis()));
        }
    };
    let mut next = [0; 2];
    for &index in pushes {
        push(&mut replay, sources[index], &lines[index][next[index]], &mut each);
        next[index] += 1;
    }
    for source in sources {
        replay.close(source, &mut each);
    }
    assert_eq!(replay.next_source(), None);
    (intervals, replay.finish())
}

#[test]
fn sources_with_overlapping_times_merge_in_order() {
    let expected = [("A", 3e3), ("B", 4e3), ("A", 5e3), ("B", 6e3)].map(|(fabric, at)| (fabric.to_owned(), at));
    let (intervals, recording) = merged(&[0, 1, 0, 1, 0, 1]);
    assert_eq!(intervals, expected);
    for order in [[0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 0, 0, 1, 1, 0]] {
        let (other, same) = merged(&order);
        assert_eq!(other, expected, "{order:?}");
        assert_eq!(same.summary(), recording.summary(), "{order:?}");
    }
    assert_eq!(recording.sources.iter().map(|source| source.fabrics.len()).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn replay_requests_the_source_without_an_item() {
    let mut replay = Replay::default();
    let (first, second) = (replay.add_source(None), replay.add_source(None));
    assert_eq!(replay.next_source(), Some(first));
    let ignore: &mut EachEvent<'_> = &mut |_, _, _| {};
    let at = |second_and_half: f64| (1.7e12 + second_and_half * 1e3) as u64;
    // One snapshot does not show the order of a source.
    push(&mut replay, first, &snapshot("A", at(2.0), 1), ignore);
    assert_eq!(replay.next_source(), Some(first));
    push(&mut replay, first, &snapshot("A", at(3.0), 2), ignore);
    assert_eq!(replay.next_source(), Some(second));
    assert!(replay.conference().fabric_order().is_empty());
    push(&mut replay, second, &snapshot("B", at(1.0), 1), ignore);
    push(&mut replay, second, &snapshot("B", at(1.5), 2), ignore);
    assert_eq!(replay.conference().fabric_order().len(), 1);
    replay.close(second, ignore);
    assert_eq!(replay.conference().fabric_order().len(), 2);
    push(&mut replay, second, &snapshot("B", 3_000, 1), ignore);
    assert_eq!(replay.unplaced(), 1);
}

#[test]
fn document_is_applied_in_order_of_time() {
    let mut replay = Replay::default();
    let source = replay.add_source(None);
    replay.set_document(source);
    for (pc, t) in [("A", 5_000), ("A", 6_000), ("B", 1_000)] {
        push(&mut replay, source, &snapshot(pc, t, t / 20), &mut |_, _, _| {});
    }
    let summary = replay.finish().summary();
    assert_eq!(summary.fabrics.iter().map(|fabric| fabric.fabric.as_str()).collect::<Vec<_>>(), ["B", "A"]);
}

#[test]
fn refused_events_are_counted_by_reason() {
    let mut replay = Replay::new(Config::new().with_limits(Limits::new().with_fabrics(1)));
    let source = replay.add_source(None);
    for line in [
        r#"["oniceconnectionstatechange", "PC_0", "checking", 1700000000000]"#,
        r#"["oniceconnectionstatechange", "PC_1", "checking", 1700000001000]"#,
        r#"["oniceconnectionstatechange", "PC_1", "connected", 1700000002000]"#,
        r#"["oniceconnectionstatechange", "PC_0", "connected", 1700000003000]"#,
    ] {
        Reader::new()
            .read_all(line.as_bytes(), &mut |item| {
                let item = OwnedItem::new(&item).unwrap();
                replay.push_owned(source, item, &mut |_, _, _| {});
            })
            .unwrap();
    }
    let recording = replay.finish();
    let refused = &recording.sources[0].refused_events;
    assert_eq!(refused.total(), 2);
    assert_eq!(refused.iter().collect::<Vec<_>>(), [(InputError::LimitReached, 2)]);
    assert_eq!(recording.summary().fabrics.len(), 1);
}

/// The connections of a source of lines: name, snapshots and whether the opening is known.
fn connections(lines: &[String], is_document: bool) -> Vec<(String, u64, bool)> {
    let mut replay = Replay::default();
    let source = replay.add_source(None);
    if is_document {
        replay.set_document(source);
    }
    for line in lines {
        push(&mut replay, source, line, &mut |_, _, _| {});
    }
    let fabrics = replay.finish().summary().fabrics.into_iter();
    fabrics.map(|fabric| (fabric.fabric, fabric.snapshots, fabric.opened_ms.is_some())).collect()
}

fn event(kind: &str, pc: &str, t: u32) -> String {
    format!(r#"{{"event":"{kind}","pc":"{pc}","t":{t},"state":"checking"}}"#)
}

#[test]
fn states_before_the_creation_belong_to_the_connection() {
    let lines = [event("iceConnectionState", "A", 10), event("create", "A", 20), snapshot("A", 1_000, 50)];
    assert_eq!(connections(&lines, false), [("A".into(), 1, true)]);
    assert_eq!(connections(&lines, true), [("A".into(), 1, true)]);
}

#[test]
fn creation_after_snapshots_or_the_end_is_another_connection() {
    let created = [event("create", "A", 10), snapshot("A", 1_000, 50)];
    let again = [event("create", "A", 2_000), snapshot("A", 3_000, 50)];
    let two = [("A".to_owned(), 1, true), ("A".to_owned(), 1, true)];
    let lines: Vec<_> = created.iter().chain(&again).cloned().collect();
    assert_eq!(connections(&lines, false), two);
    let closed = [event("close", "A", 1_500)];
    let lines: Vec<_> = created.iter().chain(&closed).chain(&again).cloned().collect();
    assert_eq!(connections(&lines, false), two);
    // Of the first one, the creation was not recorded.
    let lines: Vec<_> = created[1..].iter().chain(&again).cloned().collect();
    assert_eq!(connections(&lines, false), [("A".to_owned(), 1, false), ("A".to_owned(), 1, true)]);
}

#[test]
fn dump_of_many_connections_has_exactly_as_many() {
    // Each connection outlives the one before it, and none states when it was created.
    let connection = |number: u32| {
        let times: Vec<String> =
            (0..=number * 2).map(|second| (1_700_000_000_000_u64 + u64::from(second) * 1_000).to_string()).collect();
        let ssrcs = vec![(number + 1).to_string(); times.len()].join(",");
        let packets: Vec<String> = (0..times.len()).map(|second| (second * 50).to_string()).collect();
        let series = |name: &str, values: &str| {
            format!(
                r#""I-{name}":{{"startTime":"2023-11-14T22:13:20.000Z","endTime":"2023-11-14T22:13:40.000Z",
                    "statsType":"inbound-rtp","values":"[{values}]"}}"#
            )
        };
        let stats = [
            series("timestamp", &times.join(",")),
            series("ssrc", &ssrcs),
            series("packetsReceived", &packets.join(",")),
        ];
        format!(r#""1-{number}":{{"pid":1,"url":"","stats":{{{}}},"updateLog":[]}}"#, stats.join(","))
    };
    let all: Vec<String> = (1..=6).map(connection).collect();
    let dump = format!(r#"{{"PeerConnections":{{{}}}}}"#, all.join(",")).replace('\n', " ");
    let found = connections(&[dump], true);
    assert_eq!(
        found.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(),
        ["1-1", "1-2", "1-3", "1-4", "1-5", "1-6"]
    );
}

/// A replay of one connection with a snapshot at each time, ms.
fn replayed(times: &[u64]) -> Recording {
    let mut replay = Replay::default();
    let source = replay.add_source(None);
    for (n, &t) in (0..).zip(times) {
        push(&mut replay, source, &snapshot("A", t, n * 50), &mut |_, _, _| {});
    }
    replay.finish()
}

#[test]
fn one_wild_record_time_moves_no_other_record() {
    let recording = replayed(&[1_000, 2_000, 9_000_000, 3_000, 4_000, 5_000]);
    assert_eq!(recording.conference.clock().map(|now| now.as_micros()), Some(5_000_000));
    let summary = recording.summary();
    let stream = &summary.fabrics[0].streams[0];
    assert_eq!((summary.duration_s, stream.duration_s, stream.packets), (Some(4.0), 4.0, Some(250)));
    assert_eq!((stream.gaps, stream.late, stream.resets), (0, 0, stream.clock_steps));
}

#[test]
fn jump_that_the_next_record_confirms_is_a_gap() {
    for times in [&[1_000, 2_000, 3_000, 4_000_000, 4_001_000][..], &[1_000, 2_000, 3_000, 4_000_000]] {
        let recording = replayed(times);
        let last = times.last().map(|&t| t * 1_000);
        assert_eq!(recording.conference.clock().map(|now| now.as_micros()), last);
        let summary = recording.summary();
        assert_eq!((summary.fabrics[0].clock.steps, summary.fabrics[0].streams[0].gaps), (0, 1));
    }
}
