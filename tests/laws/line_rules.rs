//! Rules for lines: removal, time, connections, bad lines.

use callgauge::ingest::Format;
use callgauge::report::{Num, StatsType, Text};

use crate::common::Seeded;
use crate::common::reading::{Input, StoredSnapshot, read_lines, recording};

fn ids(snapshot: &StoredSnapshot) -> Vec<&str> {
    snapshot.report.entries().map(|entry| entry.id()).collect()
}

/// A member's value in the entry with the id, in every snapshot.
fn history(input: &Input, id: &str, field: Num) -> Vec<Option<f64>> {
    input.snapshots.iter().map(|snapshot| snapshot.report.by_id(id).and_then(|entry| entry.get(field))).collect()
}

fn times(input: &Input, id: &str) -> Vec<Option<f64>> {
    let time = |snapshot: &StoredSnapshot| {
        snapshot.report.by_id(id).and_then(|entry| entry.timestamp()).map(|time| time.as_millis())
    };
    input.snapshots.iter().map(time).collect()
}

#[test]
fn case_35_entry_left_out_by_jitsi_is_gone_and_returns_as_new() {
    let input = read_lines(
        br#"["getstats","A",{"I1":{"type":"inbound-rtp","kind":"audio","ssrc":7,"nackCount":3,"timestamp":0},"P":{"type":"peer-connection","dataChannelsOpened":0,"timestamp":0},"timestamp":5000},5001]
["getstats","A",{"P":{"timestamp":0},"timestamp":6000},6001]
["getstats","A",{"I1":{"type":"inbound-rtp","kind":"audio","ssrc":7,"timestamp":0},"P":{"timestamp":0},"timestamp":7000},7001]
"#,
    );
    let ids: Vec<_> = input.snapshots.iter().map(ids).collect();
    assert_eq!(ids, [vec!["I1", "P"], vec!["P"], vec!["I1", "P"]]);
    assert_eq!(history(&input, "I1", Num::NackCount), [Some(3.0), None, None]);
    assert_eq!(input.reader.format(), Some(Format::Jitsi));
}

#[test]
fn case_35_entry_returning_without_its_type_was_never_gone() {
    // Whatever the header says: edge case 33.
    let input = read_lines(
        br#"["connectionInfo",null,{"statsFormat":"chrome_standard"},5000]
["getstats","A",{"I1":{"type":"inbound-rtp","kind":"audio","ssrc":7,"nackCount":3,"timestamp":0},"P":{"type":"peer-connection","dataChannelsOpened":0,"timestamp":0},"timestamp":5000},5001]
["getstats","A",{"P":{"timestamp":0},"timestamp":6000},6001]
["getstats","A",{"I1":{"nackCount":4,"timestamp":0},"P":{"timestamp":0},"timestamp":7000},7001]
["getstats","A",{"P":{"timestamp":0},"timestamp":8000},8001]
"#,
    );
    assert_eq!(history(&input, "I1", Num::NackCount), [Some(3.0), None, Some(4.0), Some(4.0)]);
    assert_eq!(history(&input, "I1", Num::Ssrc)[3], Some(7.0));
}

fn limitation_reason(snapshot: &StoredSnapshot) -> Option<String> {
    snapshot.report.by_id("ssrc_7_send").unwrap().text(Text::QualityLimitationReason).map(String::from)
}

#[test]
fn callback_api_entries_remain_under_a_header_denying_them() {
    let input = read_lines(
        br#"["connectionInfo",null,{"statsFormat":"chrome_standard"},5000]
["getstats","A",{"ssrc_7_send":{"type":"ssrc","mediaType":"video","ssrc":"7","packetsSent":"10","googCodecName":"","googCpuLimitedResolution":"true","googBandwidthLimitedResolution":"true","googRtt":"40","timestamp":0},"timestamp":5000},5001]
["getstats","A",{"timestamp":6000},6001]
["getstats","A",{"ssrc_7_send":{"packetsSent":"30","googBandwidthLimitedResolution":"false","googCodecName":"VP8","timestamp":0},"timestamp":7000},7001]
["getstats","A",{"ssrc_7_send":{"googCpuLimitedResolution":"false","timestamp":0},"timestamp":8000},8001]
"#,
    );
    assert_eq!(history(&input, "ssrc_7_send", Num::PacketsSent), [Some(10.0), Some(10.0), Some(30.0), Some(30.0)]);
    assert_eq!(times(&input, "ssrc_7_send"), [5000.0, 5000.0, 7000.0, 8000.0].map(Some));
    // Both limits, still both, one lifted, both lifted.
    let reasons: Vec<_> = input.snapshots.iter().filter_map(limitation_reason).collect();
    assert_eq!(reasons, ["bandwidth", "bandwidth", "cpu", "none"]);
    let codecs: Vec<_> = input.snapshots.iter().map(|snapshot| snapshot.report.of(StatsType::Codec).count()).collect();
    assert_eq!(codecs, [0, 0, 1, 1]);
    let remote = input.snapshots[3].report.of(StatsType::RemoteInboundRtp).next().unwrap();
    assert_eq!(remote.get(Num::RoundTripTime), Some(0.04));
}

#[test]
fn case_35_missing_time_is_inherited_in_jitsi_and_rtcstats() {
    let jitsi = read_lines(
        br#"["getstats","A",{"R":{"type":"remote-inbound-rtp","ssrc":7,"kind":"audio","timestamp":4800},"I":{"type":"inbound-rtp","ssrc":8,"kind":"audio","timestamp":0},"timestamp":5000},5001]
["getstats","A",{"R":{},"I":{"timestamp":0},"timestamp":6000},6001]
["getstats","A",{"R":{"timestamp":6900},"I":{"timestamp":0},"timestamp":7000},6001]
"#,
    );
    assert_eq!(times(&jitsi, "R"), [4800.0, 4800.0, 6900.0].map(Some));
    assert_eq!(times(&jitsi, "I"), [5000.0, 6000.0, 7000.0].map(Some));
    // Line times may run back and repeat (edge case 4): they stay as the line has them.
    assert_eq!(
        jitsi.snapshots.iter().map(|snapshot| snapshot.at).collect::<Vec<_>>(),
        [5001.0, 6001.0, 6001.0].map(Some)
    );

    let packed = read_lines(
        br#"RTCStatsDump
[39,"A",{},4000]
["g","A",{"0":{"type":3,"10":7,"11":"audio","t":4800},"1":{"type":1,"10":8,"11":"audio"},"t":5000},1001]
["g","A",{"t":6000},1000]
["g","A",{"0":{"77":0.5},"1":null,"t":7000},1000.5]
["g","A",{"0":{"t":7900},"t":8000},1000]
"#,
    );
    assert_eq!(times(&packed, "0"), [4800.0, 4800.0, 4800.0, 7900.0].map(Some));
    assert_eq!(times(&packed, "1"), [Some(5000.0), Some(6000.0), None, None]);
    assert_eq!(packed.snapshots.iter().map(|it| it.at.unwrap()).collect::<Vec<_>>(), [5001.0, 6001.0, 7001.5, 8001.5]);
}

#[test]
fn case_35_removed_value_is_not_inherited() {
    let input = read_lines(
        br#"["getstats","A",{"I":{"type":"inbound-rtp","ssrc":8,"kind":"video","framesPerSecond":30,"jitter":0.01,"nackCount":1,"timestamp":0},"timestamp":5000},5001]
["getstats","A",{"I":{"framesPerSecond":null,"jitter":-3.7e230,"timestamp":0},"timestamp":6000},6001]
["getstats","A",{"I":{"timestamp":0},"timestamp":7000},7001]
["getstats","A",{"I":{"jitter":0.02,"timestamp":0},"timestamp":8000},8001]
"#,
    );
    assert_eq!(history(&input, "I", Num::FramesPerSecond), [Some(30.0), None, None, None]);
    assert_eq!(history(&input, "I", Num::Jitter), [Some(0.01), None, None, Some(0.02)]);
    assert_eq!(history(&input, "I", Num::NackCount), [Some(1.0); 4]);
    assert_eq!(input.reader.skipped().bad_fields, 1);
}

#[test]
fn case_42_empty_dominant_speaker_disturbs_no_snapshot() {
    let stats = [
        r#"["getstats","A",{"I":{"type":"inbound-rtp","ssrc":8,"kind":"audio","nackCount":1,"timestamp":0},"timestamp":5000},5001]"#,
        r#"["getstats","A",{"I":{"timestamp":0},"timestamp":6000},6001]"#,
        r#"["getstats","A",{"I":{"nackCount":3,"timestamp":0},"timestamp":7000},7001]"#,
    ];
    let alone = read_lines(stats.join("\n").as_bytes());
    assert_eq!(history(&alone, "I", Num::NackCount), [Some(1.0), Some(1.0), Some(3.0)]);
    for speaker in ["null", r#""null""#, r#""1a2b3c4d""#, "{}"] {
        for connection in ["null", r#""A""#] {
            let spoke = format!("\n[\"dominantSpeaker\",{connection},{speaker},5500]\n");
            let input = read_lines(format!("{spoke}{}{spoke}", stats.join(&spoke)).as_bytes());
            assert!(input.errors.is_empty(), "{spoke}: {:?}", input.errors);
            assert!(input.snapshots == alone.snapshots, "{spoke}");
            assert_eq!(input.reader.skipped(), alone.reader.skipped(), "{spoke}");
            assert_eq!(input.reader.format(), Some(Format::Jitsi), "{spoke}");
        }
    }
}

#[test]
fn connections_do_not_mix_and_a_reused_name_starts_fresh() {
    let input = read_lines(
        br#"["getstats","A",{"I":{"type":"inbound-rtp","ssrc":1,"kind":"audio","nackCount":1,"timestamp":0},"timestamp":5000},5001]
["getstats",null,{"I":{"type":"inbound-rtp","ssrc":2,"kind":"audio","nackCount":2,"timestamp":0},"timestamp":5000},5001]
["getstats",3,{"I":{"type":"inbound-rtp","ssrc":3,"kind":"audio","nackCount":3,"timestamp":0},"timestamp":5000},5001]
["getstats","A",{"I":{"timestamp":0},"timestamp":6000},6001]
["getstats","undefined-undefined",{"I":{"timestamp":0},"timestamp":6000},6001]
["getstats",3,{"I":{"timestamp":0},"timestamp":6000},6001]
["create","A",{},6500]
["getstats","A",{"I":{"type":"inbound-rtp","ssrc":1,"kind":"audio","timestamp":0},"timestamp":7000},7001]
"#,
    );
    assert!(input.errors.is_empty(), "{:?}", input.errors);
    let fabrics: Vec<_> = input.snapshots.iter().map(|snapshot| snapshot.fabric.as_str()).collect();
    assert_eq!(fabrics, ["A", "", "3", "A", "", "3", "A"]);
    let expected = [Some(1.0), Some(2.0), Some(3.0), Some(1.0), Some(2.0), Some(3.0), None];
    assert_eq!(history(&input, "I", Num::NackCount), expected);
}

#[test]
fn two_dumps_in_one_file_do_not_mix() {
    let dump = r#"RTCStatsDump
{"fileFormat":3}
["g","A",{"0":{"type":10,"114":0,"113":1},"t":5000},5001]
"#;
    let input = read_lines([dump, &dump.replace(",\"113\":1", "")].concat().as_bytes());
    assert_eq!(input.snapshots.iter().map(|snapshot| snapshot.at).collect::<Vec<_>>(), [Some(5001.0); 2]);
    assert_eq!(history(&input, "0", Num::DataChannelsOpened), [Some(1.0), None]);
}

#[test]
fn forgetting_silent_connections_bounds_memory_only() {
    let mut text = String::new();
    for number in 0..2_000 {
        let entry = r#"{"I":{"type":"inbound-rtp","ssrc":1,"kind":"audio","timestamp":0},"timestamp":5000}"#;
        text += &format!("[\"getstats\",\"PC_{number}\",{entry},5001]\n");
        text += "[\"getstats\",\"PC_0\",{\"I\":{\"timestamp\":0},\"timestamp\":6000},6001]\n";
    }
    let input = read_lines(text.as_bytes());
    assert_eq!(input.snapshots.len(), 4_000);
    assert!(input.snapshots.iter().all(|snapshot| snapshot.report.len() == 1));
    // The first was never silent, the second was forgotten; the later entries have no type.
    let late = text + "[\"getstats\",\"PC_1\",{\"I\":{\"timestamp\":0},\"timestamp\":6000},6001]\n";
    let late = read_lines(late.as_bytes());
    assert_eq!((late.snapshots.len(), late.reader.unusable_snapshots()), (4_000, 1));
}

/// Reads partly damaged lines and asserts that the result equals that without the unreadable ones. Returns the number
/// of unreadable lines.
fn damaged(lines: &[Vec<u8>], dice: &mut Seeded) -> usize {
    let mut lines = lines.to_vec();
    for line in &mut lines {
        if line.is_empty() || dice.below(4) != 0 {
            continue;
        }
        let at = dice.below(line.len());
        match dice.below(3) {
            0 => line.truncate(at),
            1 => line[at] ^= 1 << dice.below(8),
            _ => line[at] = b"\"{}[]:,0nt\\"[dice.below(11)],
        }
        line.retain(|&byte| byte != b'\n');
    }
    let text = lines.join(&b'\n');
    let all = read_lines(&text);
    let failed: Vec<_> = all.errors.iter().map(|&(number, _)| number).collect();
    let readable = lines.iter().enumerate().filter(|(number, _)| !failed.contains(number)).map(|(_, line)| &line[..]);
    let rest = read_lines(&readable.collect::<Vec<_>>().join(&b'\n'));
    assert!(rest.errors.is_empty(), "{:?}", rest.errors);
    assert!(all.snapshots == rest.snapshots);
    assert_eq!(all.reader.skipped(), rest.reader.skipped());
    failed.len()
}

#[test]
fn unreadable_line_equals_an_absent_line() {
    let packed = recording("other/loss5.rtcstats3.gz");
    let plain = recording("loss5.ndjson.gz");
    let jitsi = br#"["connectionInfo",null,{"statsFormat":"chrome_standard"},5000]
["identity",null,{"confName":"AliceAndBob"},5000]
["getstats","A",{"I1":{"type":"inbound-rtp","kind":"audio","ssrc":7,"nackCount":3,"timestamp":0},"P":{"type":"peer-connection","dataChannelsOpened":0,"timestamp":0},"timestamp":5000},5001]
["getstats","A",{"P":{"timestamp":0},"timestamp":6000},6001]
["getstats","A",{"I1":{"type":"inbound-rtp","ssrc":7,"timestamp":0},"P":{"timestamp":0},"timestamp":7000},7001]
["create","A",{},6500]
["getstats","A",{"ssrc_7_send":{"type":"ssrc","ssrc":"7","packetsSent":"30","googRtt":"30","timestamp":0},"timestamp":7000},7001]
"#;
    let samples = br#"{"timestamp":5000,"callId":"c","peerConnections":[{"peerConnectionId":"A","inboundRtps":[{"id":"I","ssrc":7,"timestamp":4999}],"iceCandidates":[{"id":"C","usernameFragment":"x"}]}]}
[{"timestamp":6000,"callId":"c","peerConnections":[{"peerConnectionId":"A","outboundRtps":[{"id":"O","ssrc":7,"timestamp":4999}]}]}]
"#;
    for (text, lines, rounds) in [(&packed[..], 60, 60), (&plain, 20, 60), (jitsi, 10, 1_000), (samples, 10, 1_000)] {
        let lines: Vec<_> = text.split(|&byte| byte == b'\n').take(lines).map(<[u8]>::to_vec).collect();
        let mut dice = Seeded(42);
        let failed: usize = (0..rounds).map(|_| damaged(&lines, &mut dice)).sum();
        assert!(failed > 100, "{failed}");
    }
}

#[test]
fn damaged_line_changes_no_snapshot_of_a_stateless_format() {
    let text = recording("loss5.ndjson.gz");
    let lines: Vec<_> = text.split(|&byte| byte == b'\n').take(40).collect();
    let whole = read_lines(&lines.join(&b'\n'));
    for damaged in 0..lines.len() {
        let mut cut = lines.clone();
        cut[damaged] = &cut[damaged][..cut[damaged].len() / 2];
        let read = read_lines(&cut.join(&b'\n'));
        assert_eq!(read.errors.len(), 1);
        let mut expected = whole.snapshots.clone();
        expected.remove(damaged);
        assert!(read.snapshots == expected);
    }
}
