//! Reading with and without log events.

use super::{DUMP, lines, read_all};
use crate::common::reading::{read_records, recording};
use crate::common::{Seeded, fixture, recordings};

/// Reads the same records both ways, asserts that the snapshots are equal, and returns their number.
fn both_ways(records: &[&[u8]]) -> usize {
    let all = read_all(records.iter().copied());
    let plain = read_records(records.iter().copied());
    assert_eq!(all.errors, plain.errors.iter().map(|&(number, _)| number).collect::<Vec<_>>());
    assert!(all.snapshots == plain.snapshots);
    assert_eq!(all.conference.as_deref(), plain.reader.conference());
    assert_eq!((plain.reader.log_events(), plain.reader.unknown_events()), (0, 0));
    all.snapshots.len()
}

#[test]
fn reading_with_and_without_events_gives_the_same_snapshots() {
    let mut snapshots = 0;
    for (_, text) in recordings() {
        snapshots += both_ways(&lines(text.as_bytes()).collect::<Vec<_>>());
    }
    for name in ["loss5", "mesh3", "screen"] {
        snapshots += both_ways(&lines(&recording(&format!("other/{name}.rtcstats3.gz"))).collect::<Vec<_>>());
    }
    snapshots += both_ways(&[&fixture(&format!("recordings/{DUMP}"))]);
    assert!(snapshots > 5_000, "{snapshots}");
}

#[test]
fn damaged_records_never_panic_and_give_the_same_snapshots() {
    let stats =
        r#"["getstats","A",{"I":{"type":"inbound-rtp","ssrc":7,"kind":"audio","timestamp":0},"timestamp":5},6]"#;
    let records = [
        stats,
        r#"["setRemoteDescription","A","{\"type\":\"answer\",\"sdp\":\"v=0\\r\\nm=audio 9 X 0\\r\\n\"}",5]"#,
        r#"["addStream","A","s audio:t,video:u",5]"#,
        r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,{"id":"s","tracks":[{"id":"t","kind":"audio"}]},5]"#,
        r#"["identity",null,{"userId":"u","confName":"c"},5]"#,
        r#"["onicecandidateerror","A","url: stun:x\nerror_code: 600",5]"#,
        r#"["create","A","{ iceTransportPolicy: all, bundlePolicy: balanced }",5]"#,
        r#"["createAnswerOnFailure","A","OperationError: no",5]"#,
        r#"["dominantSpeaker",null,{"dominantSpeakerEndpoint":"é"},5]"#,
        r#"{"event":"iceConnectionState","t":5,"pc":"A","state":"checking"}"#,
        r#"{"timestamp":6,"clientId":"c","clientEvents":[{"type":"ICE_CANDIDATE_ERROR","payload":"{\"errorCode\":7}"}],"peerConnections":[{"peerConnectionId":"A","inboundRtps":[{"id":"I","ssrc":7}]}]}"#,
        r#"{"PeerConnections":{"1":{"rtcConfiguration":"{}","updateLog":[{"time":"3/24/2025, 4:46:21 PM","type":"ontrack","value":"{\"kind\":\"audio\"}"}],"stats":{"I-ssrc":{"startTime":8,"endTime":9,"values":"[7]"}}}},"getUserMedia":[{"error":"x"}]}"#,
    ];
    let mut dice = Seeded(4);
    let (mut snapshots, mut events) = (0, 0);
    for _ in 0..4_000 {
        let damaged: Vec<Vec<u8>> = records
            .iter()
            .map(|record| {
                let mut record = record.as_bytes().to_vec();
                for _ in 0..dice.below(3) {
                    let at = dice.below(record.len());
                    match dice.below(4) {
                        0 => record.truncate(at.max(1)),
                        1 => record[at] = b"\"\\[]{},:-0 \n"[dice.below(12)],
                        2 => drop(record.remove(at)),
                        _ => record.insert(at, b"\"\\[]{},: "[dice.below(9)]),
                    }
                }
                record
            })
            .collect();
        for record in &damaged {
            snapshots += both_ways(&[record]);
        }
        let damaged: Vec<&[u8]> = damaged.iter().map(|record| &record[..]).collect();
        events += read_all(damaged.iter().copied()).events.len();
        both_ways(&damaged);
    }
    println!("{snapshots} snapshots, {events} log events");
    assert!(snapshots > 3_500 && events > 8_000, "{snapshots} {events}");
}

#[test]
fn damaged_dump_never_panics_and_gives_the_same_snapshots() {
    let bytes = recording(DUMP);
    let log = bytes.windows(11).position(|window| window == b"\"updateLog\"").unwrap();
    let mut dice = Seeded(134);
    let (mut read, mut refused, mut silent) = (0, 0, 0);
    for _ in 0..60 {
        let mut damaged = bytes.clone();
        for _ in 0..=dice.below(6) {
            // Mostly in the log.
            let at = log + dice.below(40_000);
            damaged[at] = b"\"\\[]{},:-0e9. "[dice.below(14)];
        }
        match both_ways(&[&damaged]) {
            0 => refused += 1,
            _ => read += 1,
        }
        silent += read_all([&damaged[..]]).unknown;
    }
    println!("{read} read, {refused} refused, {silent} lines without a report");
    assert!(read > 5 && refused > 5 && silent > 0, "{read} {refused} {silent}");
}
