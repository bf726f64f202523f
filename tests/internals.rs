//! The webrtc-internals reader against a dump of a call whose truth is known, dumps in the old layout, made-up ones
//! and broken ones.

#![allow(clippy::panic, clippy::unwrap_used)] // tests may assume

mod common;

use std::collections::BTreeMap;

use callgauge::ingest::{Format, ReadErrorKind, Reader};
use callgauge::report::{Flag, Num, Report, Skipped, StatsType, Text};
use common::{Seeded, fixture, real_dump};
use serde_json::{Value, json};

const DUMP: &str = "recordings/other/chrome156-webrtc_internals_dump.gz";

/// One snapshot, kept.
struct Poll {
    fabric: String,
    at: Option<f64>,
    report: Report,
}

fn read(record: &[u8]) -> (Vec<Poll>, Reader) {
    let mut reader = Reader::new();
    let mut polls = Vec::new();
    reader
        .read(record, &mut |snapshot| {
            let at = snapshot.at.map(|at| at.as_millis());
            polls.push(Poll { fabric: snapshot.fabric.into(), at, report: snapshot.report.clone() });
        })
        .unwrap();
    assert_eq!(reader.format(), Some(Format::WebrtcInternals));
    assert_eq!(reader.snapshots(), polls.len() as u64);
    (polls, reader)
}

fn read_json(dump: &Value) -> (Vec<Poll>, Reader) {
    read(serde_json::to_string(dump).unwrap().as_bytes())
}

/// The rows with an id, in order: the number of the poll and the report it stands in.
fn rows<'a>(polls: &'a [Poll], fabric: &'a str, id: &'a str) -> Vec<(usize, &'a Report)> {
    let of_fabric = polls.iter().filter(|poll| poll.fabric == fabric).enumerate();
    of_fabric.filter(|(_, poll)| poll.report.by_id(id).is_some()).map(|(number, poll)| (number, &poll.report)).collect()
}

/// What the row with this id says of a member, as JSON; `None` for a member that is not read.
fn member(report: &Report, id: &str, name: &str) -> Option<Value> {
    let entry = report.by_id(id)?;
    let number = |field: &Num| entry.get(*field).map_or(Value::Null, |value| json!(value));
    if let Some(field) = Num::ALL.iter().find(|field| field.name() == name) {
        return Some(number(field));
    }
    if let Some(field) = Text::ALL.iter().find(|field| field.name() == name) {
        return Some(json!(entry.text(*field)));
    }
    if let Some(field) = Flag::ALL.iter().find(|field| field.name() == name) {
        return Some(json!(entry.flag(*field)));
    }
    let nested: serde_json::Map<_, _> = Num::ALL
        .iter()
        .filter_map(|field| {
            let inner = field.name().strip_prefix(name)?.strip_prefix('.')?;
            Some((inner.into(), number(field)))
        })
        .collect();
    match name {
        "kind" => Some(json!(entry.media().map(|media| media.name()))),
        "type" => Some(json!(entry.kind().name())),
        _ if nested.is_empty() => None,
        _ if nested.values().all(Value::is_null) => Some(Value::Null),
        _ => Some(Value::Object(nested)),
    }
}

/// Whether a value read is the one that the dump has.
fn same(read: &Value, name: &str, dumped: &Value) -> bool {
    const NTP_TO_UNIX_MS: f64 = 2_208_988_800_000.0;
    match (read, dumped) {
        (Value::Number(read), Value::Number(dumped)) => {
            let dumped = dumped.as_f64().unwrap();
            let epoch = if name == "estimatedPlayoutTimestamp" { NTP_TO_UNIX_MS } else { 0.0 };
            read.as_f64() == Some(dumped - epoch)
        }
        (Value::String(read), Value::Number(dumped)) => *read == dumped.to_string(),
        (Value::Object(read), Value::Object(dumped)) => {
            read.len() == dumped.len() && read.iter().all(|(key, read)| same(read, key, &dumped[key]))
        }
        _ => read == dumped,
    }
}

/// The values of a series.
fn values(series: &Value) -> Vec<Value> {
    serde_json::from_str(series["values"].as_str().unwrap()).unwrap()
}

/// The times of the entries of a connection, from their `timestamp` series.
fn clocks(stats: &Value) -> BTreeMap<&str, Vec<f64>> {
    let times = |series| values(series).iter().map(|time| time.as_f64().unwrap()).collect();
    let series = stats.as_object().unwrap().iter();
    series.filter_map(|(key, series)| Some((key.strip_suffix("-timestamp")?, times(series)))).collect()
}

/// The entry that a series belongs to and the name of its member; `None` for derived keys and the clocks themselves.
fn split<'a>(key: &'a str, clocks: &BTreeMap<&'a str, Vec<f64>>) -> Option<(&'a str, &'a str)> {
    let owner = clocks.keys().filter(|id| key.strip_prefix(**id).is_some_and(|rest| rest.starts_with('-')));
    let id = *owner.max_by_key(|id| id.len())?;
    let name = &key[id.len() + 1..];
    (!name.starts_with('[') && name != "timestamp").then_some((id, name))
}

#[test]
fn every_value_of_a_dump_is_in_the_row_of_its_entry_and_time() {
    let bytes = fixture(DUMP);
    let dump: Value = serde_json::from_slice(&bytes).unwrap();
    let (polls, reader) = read(&bytes);
    assert_eq!(reader.skipped(), Skipped::default());

    let (mut compared, mut series_seen, mut gaps_seen) = (0, 0, 0);
    for (fabric, connection) in dump["PeerConnections"].as_object().unwrap() {
        let stats = &connection["stats"];
        let clocks = clocks(stats);
        let of_fabric: Vec<_> = polls.iter().filter(|poll| poll.fabric == *fabric).collect();
        // The page polled once a second for a minute; every local entry has the time of the poll.
        let times: Vec<_> = of_fabric.iter().map(|poll| poll.at.unwrap()).collect();
        assert_eq!(times, clocks["P"], "{fabric}");
        assert_eq!(times.len(), 60);

        // How many members of each row are accounted for.
        let mut members: BTreeMap<(&str, usize), usize> = BTreeMap::new();
        for (id, clock) in &clocks {
            let rows = rows(&polls, fabric, id);
            let stamps: Vec<_> =
                rows.iter().map(|(_, report)| report.by_id(id).unwrap().timestamp().unwrap().as_millis()).collect();
            assert_eq!(stamps, *clock, "{fabric} {id}");
        }
        for (key, series) in stats.as_object().unwrap() {
            let Some((id, name)) = split(key, &clocks) else { continue };
            let rows = rows(&polls, fabric, id);
            if member(rows[0].1, id, name).is_none() {
                continue; // not read
            }
            series_seen += 1;
            let (clock, values) = (&clocks[id], values(series));
            let found: Vec<_> = rows
                .iter()
                .enumerate()
                .map(|(point, (_, report))| (point, member(report, id, name).unwrap()))
                .filter(|(_, value)| !value.is_null())
                .collect();
            assert_eq!(found.len(), values.len(), "{fabric} {key}: every value shows up once");
            for ((point, found), value) in found.iter().zip(&values) {
                assert!(same(found, name, value), "{fabric} {key} {point}: {found} for {value}");
                let fields =
                    if name == "kind" || name == "type" { 0 } else { found.as_object().map_or(1, |map| map.len()) };
                *members.entry((id, *point)).or_default() += fields;
                compared += 1;
            }
            let written = |time: f64| {
                let time = iso(time);
                move |limit: &str| series[limit].as_str() == Some(&time)
            };
            let (first, last) = (found[0].0, found[found.len() - 1].0);
            assert!(written(clock[first])("startTime"), "{fabric} {key}");
            assert!(written(clock[last])("endTime"), "{fabric} {key}");
            gaps_seen += usize::from(last - first + 1 != values.len());
            if last - first + 1 != values.len() {
                assert!(["framesPerSecond", "roundTripTime"].contains(&name), "{fabric} {key} has gaps");
            }
        }
        // And nothing that the dump does not have.
        for (id, clock) in &clocks {
            for (point, (_, report)) in rows(&polls, fabric, id).into_iter().enumerate() {
                let entry = report.by_id(id).unwrap();
                let flags = Flag::ALL.iter().filter(|flag| entry.flag(**flag).is_some()).count();
                let fields = entry.numbers().count() + entry.texts().count() + flags;
                let expected = members.get(&(*id, point)).copied().unwrap_or(0);
                assert_eq!(fields, expected, "{fabric} {id} at {}", clock[point]);
            }
        }
    }
    println!("{compared} values of {series_seen} series, {gaps_seen} with gaps");
    assert!(compared > 20_000 && series_seen > 400, "{compared} values of {series_seen} series");
}

/// ISO 8601 as JavaScript writes it: cut to milliseconds.
fn iso(ms: f64) -> String {
    format!("{:.3}", jiff::Timestamp::from_millisecond(ms.floor() as i64).unwrap())
}

#[test]
fn remote_entries_stand_in_the_poll_that_first_saw_them() {
    let (polls, _) = read(&fixture(DUMP));
    let mut news = 0;
    for fabric in ["8-1", "8-2"] {
        let times: Vec<f64> = polls.iter().filter(|poll| poll.fabric == fabric).map(|poll| poll.at.unwrap()).collect();
        for id in ["RIV1903322331", "RIA113841843", "ROA306324729", "ROV1903322331", "RIA306324729", "ROA113841843"] {
            let rows = rows(&polls, fabric, id);
            let mut before = None;
            for (number, report) in &rows {
                let stamp = report.by_id(id).unwrap().timestamp().unwrap().as_millis();
                // Its time is taken a little after the poll's: the browser was busy.
                assert!(stamp <= times[*number] + 70.0, "{fabric} {id} is younger than its poll");
                if before.is_some_and(|before| before != stamp) {
                    assert!(stamp > times[number - 1], "{fabric} {id} was news one poll before");
                    news += 1;
                }
                before = Some(stamp);
            }
            // Once there, it stays.
            assert!(rows.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
            assert!(rows.last().is_none_or(|(number, _)| number + 1 == times.len()));
        }
        // An RTP entry names its remote entry from the poll on in which that is there.
        for poll in polls.iter().filter(|poll| poll.fabric == fabric) {
            for entry in poll.report.entries() {
                if let Some(remote) = entry.text(Text::RemoteId) {
                    assert!(poll.report.by_id(remote).is_some(), "{fabric} {remote}");
                    news += 1;
                }
            }
        }
    }
    assert!(news > 300, "{news}");
}

#[test]
fn counters_agree_with_the_same_call_polled_by_the_page_itself() {
    const COUNTERS: [Num; 8] = [
        Num::PacketsReceived,
        Num::BytesReceived,
        Num::PacketsSent,
        Num::BytesSent,
        Num::FramesDecoded,
        Num::FramesEncoded,
        Num::TotalSamplesReceived,
        Num::NackCount,
    ];
    // What the page's own getStats said, by stream and counter: (time, value).
    let mut known: BTreeMap<(StatsType, u32, Num), Vec<(f64, f64)>> = BTreeMap::new();
    let mut reader = Reader::new();
    let text = fixture("recordings/other/chrome-internals.ndjson.gz");
    for line in text.split(|&byte| byte == b'\n') {
        let read = reader.read(line, &mut |snapshot| {
            for entry in snapshot.report.entries() {
                let (Some(ssrc), Some(time)) = (entry.ssrc(), entry.timestamp()) else { continue };
                for counter in COUNTERS {
                    if let Some(value) = entry.get(counter) {
                        known.entry((entry.kind(), ssrc.get(), counter)).or_default().push((time.as_millis(), value));
                    }
                }
            }
        });
        read.unwrap();
    }

    let (polls, _) = read(&fixture(DUMP));
    let mut bounded: BTreeMap<_, usize> = BTreeMap::new();
    for entry in polls.iter().flat_map(|poll| poll.report.entries()) {
        let (Some(ssrc), Some(time)) = (entry.ssrc(), entry.timestamp()) else { continue };
        if !matches!(entry.kind(), StatsType::InboundRtp | StatsType::OutboundRtp) {
            continue;
        }
        for counter in COUNTERS {
            let Some(value) = entry.get(counter) else { continue };
            let known = &known[&(entry.kind(), ssrc.get(), counter)];
            let before = known.iter().rev().find(|(at, _)| *at <= time.as_millis());
            let after = known.iter().find(|(at, _)| *at >= time.as_millis());
            // Counters only grow, so the polls before and after are bounds.
            if let (Some((_, low)), Some((_, high))) = (before, after) {
                assert!((low..=high).contains(&&value), "{} of {ssrc}: {value} in {low}..{high}", counter.name());
                *bounded.entry((entry.kind(), ssrc.get(), counter)).or_default() += 1;
            }
        }
    }
    // Both ends of three streams: two or three counters of what is sent, three or four of what is received.
    assert!(bounded.len() >= 18, "{bounded:?}");
    assert!(bounded.values().all(|&polls| polls > 50), "{bounded:?}");
}

#[test]
fn loss_agrees_with_what_the_relay_dropped() {
    let truth: Value = serde_json::from_slice(&fixture("recordings/other/chrome-internals.truth.json")).unwrap();
    let (polls, _) = read(&fixture(DUMP));
    let mut checked = 0;
    for (way, fabric) in [("ab", "8-2"), ("ba", "8-1")] {
        for (ssrc, relay) in truth["links"][0][way].as_object().unwrap() {
            let last = polls.iter().rfind(|poll| poll.fabric == fabric).unwrap();
            let ssrc: u32 = ssrc.parse().unwrap();
            let inbound =
                last.report.of(StatsType::InboundRtp).find(|entry| entry.ssrc().map(|s| s.get()) == Some(ssrc));
            let Some(inbound) = inbound else { continue }; // retransmissions have no entry of their own
            let (lost, dropped) = (inbound.get(Num::PacketsLost).unwrap(), relay["drop"].as_f64().unwrap());
            println!("{ssrc}: {lost} lost, {dropped} dropped");
            // What was under way when a side closed is dropped and never counted, and the other way round.
            assert!((lost - dropped).abs() <= 8.0, "{ssrc}: {lost} lost, {dropped} dropped");
            checked += 1;
        }
    }
    assert_eq!(checked, 3);
}

/// The dump as an older browser would have written it.
fn without_clocks(dump: &Value) -> Value {
    let mut old = dump.clone();
    for connection in old["PeerConnections"].as_object_mut().unwrap().values_mut() {
        connection["stats"].as_object_mut().unwrap().retain(|key, _| !key.ends_with("-timestamp"));
    }
    old
}

#[test]
fn without_clocks_the_same_rows_come_at_interpolated_times() {
    let bytes = fixture(DUMP);
    let dump: Value = serde_json::from_slice(&bytes).unwrap();
    let (new, _) = read(&bytes);
    let (old, reader) = read_json(&without_clocks(&dump));
    assert_eq!(reader.skipped(), Skipped::default());
    assert_eq!(old.len(), new.len());

    let mut rows_compared = 0;
    for (fabric, connection) in dump["PeerConnections"].as_object().unwrap() {
        for (id, clock) in clocks(&connection["stats"]) {
            let (new, old) = (rows(&new, fabric, id), rows(&old, fabric, id));
            assert_eq!(new.len(), old.len(), "{fabric} {id}");
            let (start, end) = (clock[0].floor(), clock[clock.len() - 1].floor());
            for (point, ((new_poll, new), (old_poll, old))) in new.iter().zip(&old).enumerate() {
                assert_eq!(new_poll, old_poll, "{fabric} {id}: the {point}th point is in another poll");
                let (new, old) = (new.by_id(id).unwrap(), old.by_id(id).unwrap());
                let time = old.timestamp().unwrap().as_millis();
                let even = start + (end - start) * point as f64 / (clock.len() - 1) as f64;
                assert!((time - even).abs() < 1e-3, "{fabric} {id}: {time} for {even}");
                // Members without gaps are the same; the others are there as often.
                for (field, value) in new.numbers() {
                    let gaps = [Num::FramesPerSecond, Num::RoundTripTime].contains(&field);
                    assert!(gaps || old.get(field) == Some(value), "{fabric} {id} {} {point}", field.name());
                }
                assert!(new.texts().eq(old.texts()));
                rows_compared += 1;
            }
        }
        let polls: Vec<_> = old.iter().filter(|poll| poll.fabric == *fabric).map(|poll| poll.at.unwrap()).collect();
        assert!(polls.windows(2).all(|pair| (pair[1] - pair[0] - 997.5).abs() < 2.0), "{polls:?}");
    }
    assert!(rows_compared > 2_500, "{rows_compared}");
}

/// A series that starts at `start` seconds and has the given values, a second apart.
fn series(kind: &str, start: i64, end: i64, values: &Value) -> Value {
    let time = |second: i64| iso((second * 1_000 + 4) as f64);
    json!({"statsType": kind, "startTime": time(start), "endTime": time(end), "values": values.to_string()})
}

fn dump_of(stats: &[(&str, Value)]) -> Value {
    let stats: serde_json::Map<_, _> = stats.iter().map(|(key, series)| ((*key).to_owned(), series.clone())).collect();
    json!({"getUserMedia": [], "PeerConnections": {"1-1": {"url": "https://example.org/", "stats": stats, "updateLog": []}}})
}

/// Times a second apart with the fraction that the dump cuts off.
fn seconds(from: i64, to: i64) -> Value {
    (from..=to).map(|second| json!(second as f64 * 1e3 + 4.25)).collect()
}

fn column(polls: &[Poll], id: &str, field: Num) -> Vec<Option<f64>> {
    polls.iter().map(|poll| poll.report.by_id(id).and_then(|entry| entry.get(field))).collect()
}

#[test]
fn case_36_series_that_start_late_or_end_early_are_placed_by_their_times() {
    const IN: &str = "inbound-rtp";
    let stats = |clocks: bool| {
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
    };
    for clocks in [true, false] {
        let (polls, reader) = read_json(&stats(clocks));
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
fn case_37_a_dump_of_a_thousand_points_has_them_all_and_begins_with_the_first_kept() {
    const IN: &str = "inbound-rtp";
    // A call of an hour: the page kept the last 1000 points of what was there to the end, and all of what ended early.
    let (kept, ended) = ((2_601_i64, 3_600_i64), (200_i64, 299_i64));
    let numbers = |(from, to): (i64, i64)| (from..=to).map(|second| json!(second)).collect::<Value>();
    let same = |(from, to): (i64, i64)| (from..=to).map(|_| json!(7)).collect::<Value>();
    for clocks in [true, false] {
        let mut stats = Vec::new();
        for (id, range) in [("I-1", kept), ("I-2", ended)] {
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
        for (polls, id, (from, to)) in [(early, "I-2", ended), (late, "I-1", kept)] {
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
fn values_of_every_kind_are_read() {
    let kind = "outbound-rtp";
    let id = "OT01V-[weird]-7"; // cannot be told from a derived key, so it is none of ours
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
fn a_series_that_cannot_be_used_is_counted_and_costs_no_other() {
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
    // A series and a connection that come twice: the first holds.
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
fn entries_of_chromiums_callback_api_fold_into_spec_rows() {
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
    // Where the spec's entries are there as well, they alone are read.
    let standard = ("RTCOutboundRTPVideoStream_123-ssrc", series("outbound-rtp", 1, 3, &json!([123, 123, 123])));
    let (polls, _) = read_json(&stats(true, &[standard]));
    assert_eq!(polls.len(), 3);
    assert!(
        polls.iter().all(|poll| poll.report.entries().map(|entry| entry.id()).eq(["RTCOutboundRTPVideoStream_123"]))
    );
}

#[test]
fn a_dump_from_the_wild_reads_whole() {
    let Some(bytes) = real_dump("internals/chrome134.json") else { return };
    let (polls, reader) = read(&bytes);
    assert_eq!(reader.skipped(), Skipped::default());
    assert_eq!(polls.len(), 63);
    assert!(polls.iter().all(|poll| poll.fabric == "10-1"));
    let streams: std::collections::BTreeSet<_> = polls
        .iter()
        .flat_map(|poll| poll.report.of(StatsType::InboundRtp))
        .map(|entry| (entry.media().unwrap(), entry.ssrc().unwrap()))
        .collect();
    assert_eq!(streams.len(), 2, "{streams:?}");
    let outbound = polls.iter().flat_map(|poll| poll.report.of(StatsType::OutboundRtp)).count();
    assert_eq!(outbound, 0);
    // The page polled by the second.
    let at: Vec<_> = polls.iter().map(|poll| poll.at.unwrap()).collect();
    assert!(at.windows(2).all(|pair| (pair[1] - pair[0] - 1_000.0).abs() < 2.0));
}

#[test]
fn a_dump_cut_anywhere_is_an_error_there() {
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
fn a_dump_with_damaged_bytes_never_panics_and_keeps_what_it_can() {
    let bytes = fixture(DUMP);
    let mut random = Seeded(36);
    let (mut whole, mut refused) = (0, 0);
    for _ in 0..300 {
        let mut damaged = bytes.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(damaged.len());
            // Half of the time something that has a meaning.
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
fn hostile_dumps_cost_what_their_size_does() {
    let many = 1_000_000;
    let long = |value: &str| json!(format!("[{}{value}]", format!("{value},").repeat(many - 1)));
    let of = |values: Value| json!({"statsType": "inbound-rtp", "startTime": 0, "endTime": 1e300, "values": values});
    // A million polls at one time, beside a million values, and one value that stands alone.
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
