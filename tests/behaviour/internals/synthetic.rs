//! Features of webrtc-internals dumps, one at a time.

use callgauge::report::{Flag, Num, Skipped, StatsType, Text};
use serde_json::{Value, json};

use super::{column, dump_of, read, read_json, seconds, series};

const IN: &str = "inbound-rtp";

fn short_series(clocks: bool) -> Value {
    let mut stats = vec![
        ("I-1-ssrc", series(IN, 100, 109, &json!([7, 7, 7, 7, 7, 7, 7, 7, 7, 7]))),
        ("I-1-framesDecoded", series(IN, 103, 109, &json!([3, 4, 5, 6, 7, 8, 9]))),
        ("I-1-framesPerSecond", series(IN, 100, 104, &json!([10, 11, 12, 13, 14]))),
        ("I-1-jitter", series(IN, 102, 106, &json!([0.2, 0.3, 0.4, 0.5, 0.6]))),
        ("I-1-frameWidth", series(IN, 100, 108, &json!([0, 2, 4, 6, 8]))), // every other
        ("P-dataChannelsOpened", series("peer-connection", 104, 107, &json!([4, 5, 6, 7]))),
    ];
    if clocks {
        stats.push(("I-1-timestamp", series(IN, 100, 109, &seconds(100, 109))));
        stats.push(("P-timestamp", series("peer-connection", 104, 107, &seconds(104, 107))));
    }
    dump_of(&stats)
}

#[test]
fn case_36_short_series_are_placed_by_their_times() {
    for clocks in [true, false] {
        let (polls, reader) = read_json(&short_series(clocks));
        assert_eq!(reader.skipped(), Skipped::default());
        let at: Vec<_> = polls.iter().map(|poll| poll.at.unwrap()).collect();
        let fraction = if clocks { 4.25 } else { 4.0 };
        assert_eq!(at, (100..110).map(|second| f64::from(second) * 1e3 + fraction).collect::<Vec<_>>());
        let some = |from: u32, to: u32, value: fn(f64) -> Option<f64>| -> Vec<_> {
            (0..10).map(|n| if (from..=to).contains(&n) { value(f64::from(n)) } else { None }).collect()
        };
        assert_eq!(column(&polls, "I-1", Num::FramesDecoded), some(3, 9, Some));
        assert_eq!(column(&polls, "I-1", Num::FramesPerSecond), some(0, 4, |n| Some(10.0 + n)));
        assert_eq!(column(&polls, "I-1", Num::Jitter), some(2, 6, |n| Some(n / 10.0)));
        assert_eq!(column(&polls, "I-1", Num::FrameWidth), some(0, 8, |n| (n % 2.0 == 0.0).then_some(n)));
        // An entry is in the snapshots of its time only.
        assert_eq!(column(&polls, "P", Num::DataChannelsOpened), some(4, 7, Some));
        assert!(polls.iter().all(|poll| poll.report.len() == 1 + usize::from(poll.report.by_id("P").is_some())));
    }
}

#[test]
fn case_37_dump_of_a_thousand_points_starts_at_the_first_stored() {
    // A call of an hour: the page stored the last 1000 points of entries that lasted to the end, and all points of
    // those that ended early.
    let (lasting, ended) = ((2_601_i64, 3_600_i64), (200_i64, 299_i64));
    let numbers = |(from, to): (i64, i64)| (from..=to).map(|second| json!(second)).collect::<Value>();
    let same = |(from, to): (i64, i64)| (from..=to).map(|_| json!(7)).collect::<Value>();
    for clocks in [true, false] {
        let mut stats = Vec::new();
        for (id, range) in [("I-1", lasting), ("I-2", ended)] {
            stats.push((format!("{id}-ssrc"), series(IN, range.0, range.1, &same(range))));
            stats.push((format!("{id}-framesDecoded"), series(IN, range.0, range.1, &numbers(range))));
            if clocks {
                stats.push((format!("{id}-timestamp"), series(IN, range.0, range.1, &seconds(range.0, range.1))));
            }
        }
        let stats: Vec<_> = stats.iter().map(|(key, series)| (key.as_str(), series.clone())).collect();
        let (polls, reader) = read_json(&dump_of(&stats));
        assert_eq!((reader.skipped(), polls.len()), (Skipped::default(), 1_100));
        let (early, late) = polls.split_at(100);
        for (polls, id, (from, to)) in [(early, "I-2", ended), (late, "I-1", lasting)] {
            assert!(polls.iter().all(|poll| poll.report.len() == 1));
            let frames = (from..=to).map(|second| Some(second as f64));
            assert!(column(polls, id, Num::FramesDecoded).into_iter().eq(frames), "{id}");
            let at = polls.iter().map(|poll| poll.at.unwrap());
            assert!(at.zip(from..).all(|(at, second)| (at - second as f64 * 1e3 - 4.0).abs() < 1.0), "{id}");
        }
        assert_eq!(late[0].report.by_id("I-1").unwrap().get(Num::FramesDecoded), Some(2_601.0));
    }
}

#[test]
fn series_values_of_every_type_are_read() {
    let kind = "outbound-rtp";
    let id = "OT01V-[weird]-7"; // ambiguous with a derived key, so not read
    let dump = dump_of(&[
        ("O-V:7/a-timestamp", series(kind, 1, 4, &seconds(1, 4))),
        ("O-V:7/a-ssrc", series(kind, 1, 4, &json!([7, 7, 7, 7]))),
        ("O-V:7/a-mid", series(kind, 1, 4, &json!([0, 0, "0", "a\"b"]))),
        ("O-V:7/a-active", series(kind, 1, 4, &json!([true, false, "true", null]))),
        ("O-V:7/a-bytesSent", series(kind, 1, 4, &json!([1, "2", null, "Invalid Date"]))),
        (
            "O-V:7/a-qualityLimitationDurations",
            series(kind, 1, 4, &json!([{"none": 1.5, "cpu": 2}, {"none": 2.5}, null, {"none": "much"}])),
        ),
        ("O-V:7/a-psnrSum", series(kind, 1, 4, &json!(["{\"y\":40.5,\"u\":1,\"v\":2}", {"y": 80.5}, "{\"y\":", [1]]))),
        ("O-V:7/a-[bytesSent_in_bits/s]", series(kind, 2, 4, &json!([1, 2, 3]))),
        // A plain array is as good as one in a string.
        (
            "O-V:7/a-packetsSent",
            json!({"statsType": kind, "startTime": "1970-01-01T00:00:01.004Z", "endTime": "1970-01-01T00:00:04.004Z",
                "values": [10, 20, 30, 40]}),
        ),
        (&format!("{id}-ssrc"), series(kind, 1, 4, &json!([9, 9, 9, 9]))),
    ]);
    let (polls, reader) = read_json(&dump);
    assert_eq!(polls.len(), 4);
    let of = |field| column(&polls, "O-V:7/a", field);
    assert_eq!(of(Num::BytesSent), [Some(1.0), Some(2.0), None, None]);
    assert_eq!(of(Num::PacketsSent), [Some(10.0), Some(20.0), Some(30.0), Some(40.0)]);
    assert_eq!(of(Num::QualityLimitedNone), [Some(1.5), Some(2.5), None, None]);
    assert_eq!(of(Num::QualityLimitedCpu), [Some(2.0), None, None, None]);
    assert_eq!(of(Num::PsnrSumY), [Some(40.5), Some(80.5), None, None]);
    let entries = || polls.iter().map(|poll| poll.report.by_id("O-V:7/a").unwrap());
    assert!(entries().map(|entry| entry.text(Text::Mid).unwrap()).eq(["0", "0", "0", "a\"b"]));
    let active: Vec<_> = entries().map(|entry| entry.flag(Flag::Active)).collect();
    assert_eq!(active, [Some(true), Some(false), Some(true), None]);
    assert!(polls.iter().all(|poll| poll.report.len() == 1));
    // "Invalid Date", the cut psnrSum and the array.
    assert_eq!((reader.skipped().bad_fields, reader.skipped().entries), (3, 0));
}

#[test]
fn unusable_series_is_counted_and_costs_no_other() {
    let kind = "inbound-rtp";
    let broken = |values: Value| json!({"statsType": kind, "startTime": "1970-01-01T00:00:01.004Z", "endTime": "1970-01-01T00:00:03.004Z", "values": values});
    let good = |name: &str| (format!("I-{name}"), series(kind, 1, 3, &json!([1, 2, 3])));
    let base = [("I-timestamp".to_owned(), series(kind, 1, 3, &seconds(1, 3))), good("packetsReceived"), good("ssrc")];
    let cases = [
        (broken(json!("[1,2")), 1),
        (broken(json!("1,2,3]")), 1),
        (broken(json!("[1,2,3]x")), 1),
        (broken(json!("")), 1),
        (broken(json!(null)), 1),
        (broken(json!(7)), 1),
        (broken(json!("[1,2,3,4]")), 1),   // more values than polls
        (broken(json!("[]")), 1),          // a start, and nothing that starts
        (json!({"values": "[1,2]"}), 1),   // nothing says where they belong
        (json!({"values": "[1,2,3]"}), 0), // one for every poll
        (json!({"statsType": kind}), 0),   // no values yet
        (json!({}), 0),
        (json!([]), 1),
    ];
    for (series, skipped) in &cases {
        let mut stats = base.to_vec();
        stats.push(("I-framesDecoded".to_owned(), series.clone()));
        let stats: Vec<_> = stats.iter().map(|(key, series)| (key.as_str(), series.clone())).collect();
        let (polls, reader) = read_json(&dump_of(&stats));
        assert_eq!(column(&polls, "I", Num::PacketsReceived), [Some(1.0), Some(2.0), Some(3.0)], "{series}");
        assert_eq!(reader.skipped().entries, *skipped, "{series}");
    }
    // A series and a connection that occur twice: the first one counts.
    let one = dump_of(&[("I-ssrc", series(kind, 1, 2, &json!([1, 1])))]).to_string();
    let key = "\"I-ssrc\":";
    let member = &one[one.find(key).unwrap()..];
    let member = &member[..=member.find('}').unwrap()];
    let twice = one.replace(member, &format!("{member},{}", member.replace("[1,1]", "[2,2]")));
    let (polls, reader) = read(twice.as_bytes());
    assert_eq!((column(&polls, "I", Num::Ssrc), reader.skipped().entries), (vec![Some(1.0); 2], 1));
    let connection = &one[one.find("\"1-1\":").unwrap()..one.find("},\"getUserMedia\"").unwrap()];
    let (polls, reader) = read(one.replace(connection, &format!("{connection},{connection}")).as_bytes());
    assert_eq!((polls.len(), reader.skipped().entries), (2, 1));
}

#[test]
fn callback_api_entries_fold_into_spec_rows() {
    let stats = |with_type: bool, extra: &[(&'static str, Value)]| {
        let of = |kind: &str, values: &Value| {
            let mut series = series(if with_type { kind } else { "" }, 1, 3, values);
            if !with_type {
                series.as_object_mut().unwrap().remove("statsType");
            }
            series
        };
        let mut stats = vec![
            ("ssrc_123_send-ssrc", of("ssrc", &json!(["123", "123", "123"]))),
            ("ssrc_123_send-mediaType", of("ssrc", &json!(["video", "video", "video"]))),
            ("ssrc_123_send-googFrameRateSent", of("ssrc", &json!(["24", "25", "26"]))),
            ("ssrc_123_send-packetsSent", of("ssrc", &json!([10, 20, 30]))),
            ("ssrc_123_send-packetsLost", of("ssrc", &json!([0, 1, 2]))),
            ("ssrc_123_send-googRtt", of("ssrc", &json!(["40", "50", "60"]))),
            ("Conn-audio-1-0-googActiveConnection", of("googCandidatePair", &json!([true, "true", "true"]))),
            ("bweforvideo-googAvailableSendBandwidth", of("VideoBwe", &json!([1e6, 1e6, 1e6]))),
        ];
        stats.extend_from_slice(extra);
        dump_of(&stats)
    };
    for with_type in [true, false] {
        let (polls, reader) = read_json(&stats(with_type, &[]));
        assert_eq!(reader.skipped(), Skipped::default());
        let of = |kind, field| -> Vec<_> {
            polls.iter().map(|poll| poll.report.of(kind).next().and_then(|entry| entry.get(field))).collect()
        };
        assert_eq!(of(StatsType::OutboundRtp, Num::FramesPerSecond), [Some(24.0), Some(25.0), Some(26.0)]);
        assert_eq!(of(StatsType::RemoteInboundRtp, Num::PacketsLost), [Some(0.0), Some(1.0), Some(2.0)]);
        assert_eq!(of(StatsType::RemoteInboundRtp, Num::RoundTripTime), [Some(0.04), Some(0.05), Some(0.06)]);
        assert_eq!(of(StatsType::CandidatePair, Num::AvailableOutgoingBitrate), [Some(1e6); 3]);
    }
    // Where spec entries exist too, only they are read.
    let standard = ("RTCOutboundRTPVideoStream_123-ssrc", series("outbound-rtp", 1, 3, &json!([123, 123, 123])));
    let (polls, _) = read_json(&stats(true, &[standard]));
    assert_eq!(polls.len(), 3);
    assert!(
        polls.iter().all(|poll| poll.report.entries().map(|entry| entry.id()).eq(["RTCOutboundRTPVideoStream_123"]))
    );
}
