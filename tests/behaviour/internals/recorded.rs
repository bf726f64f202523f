//! Dumps of real calls: one with truth from three sides, and one from public sources.

use std::collections::BTreeMap;

use callgauge::ingest::Reader;
use callgauge::report::{Flag, Num, Report, Skipped, StatsType, Text};
use serde_json::{Value, json};

use super::{DUMP, Poll, iso, read, read_json};
use crate::common::{fixture, real_dump};

/// The rows with an id, in order: the number of the poll and its report.
fn rows<'a>(polls: &'a [Poll], fabric: &'a str, id: &'a str) -> Vec<(usize, &'a Report)> {
    let of_fabric = polls.iter().filter(|poll| poll.fabric == fabric).enumerate();
    of_fabric.filter(|(_, poll)| poll.report.by_id(id).is_some()).map(|(number, poll)| (number, &poll.report)).collect()
}

/// The row's value of a member as JSON; `None` for a member that is not read.
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

/// Whether a value equals the dumped one.
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

/// The times of a connection's entries, from their `timestamp` series.
fn clocks(stats: &Value) -> BTreeMap<&str, Vec<f64>> {
    let times = |series| values(series).iter().map(|time| time.as_f64().unwrap()).collect();
    let series = stats.as_object().unwrap().iter();
    series.filter_map(|(key, series)| Some((key.strip_suffix("-timestamp")?, times(series)))).collect()
}

/// A series' entry and the name of its member; `None` for derived keys and the clocks themselves.
fn split<'a>(key: &'a str, clocks: &BTreeMap<&'a str, Vec<f64>>) -> Option<(&'a str, &'a str)> {
    let owner = clocks.keys().filter(|id| key.strip_prefix(**id).is_some_and(|rest| rest.starts_with('-')));
    let id = *owner.max_by_key(|id| id.len())?;
    let name = &key[id.len() + 1..];
    (!name.starts_with('[') && name != "timestamp").then_some((id, name))
}

#[test]
fn dumped_values_are_in_the_row_of_their_entry_and_time() {
    let bytes = fixture(DUMP);
    let dump: Value = serde_json::from_slice(&bytes).unwrap();
    let (polls, reader) = read(&bytes);
    assert_eq!(reader.skipped(), Skipped::default());

    let (mut compared, mut series_seen, mut gaps_seen) = (0, 0, 0);
    for (fabric, connection) in dump["PeerConnections"].as_object().unwrap() {
        let stats = &connection["stats"];
        let clocks = clocks(stats);
        let of_fabric: Vec<_> = polls.iter().filter(|poll| poll.fabric == *fabric).collect();
        // The page polled once per second for a minute; every local entry has the time of the poll.
        let times: Vec<_> = of_fabric.iter().map(|poll| poll.at.unwrap()).collect();
        assert_eq!(times, clocks["P"], "{fabric}");
        assert_eq!(times.len(), 60);

        // How many members of each row were checked.
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
        // The rows have nothing that the dump lacks.
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

#[test]
fn remote_entries_are_in_the_poll_that_first_saw_them() {
    let (polls, _) = read(&fixture(DUMP));
    let mut news = 0;
    for fabric in ["8-1", "8-2"] {
        let times: Vec<f64> = polls.iter().filter(|poll| poll.fabric == fabric).map(|poll| poll.at.unwrap()).collect();
        for id in ["RIV1903322331", "RIA113841843", "ROA306324729", "ROV1903322331", "RIA306324729", "ROA113841843"] {
            let rows = rows(&polls, fabric, id);
            let mut before = None;
            for (number, report) in &rows {
                let stamp = report.by_id(id).unwrap().timestamp().unwrap().as_millis();
                // The entry's time is taken a little after the poll's: the browser was busy.
                assert!(stamp <= times[*number] + 70.0, "{fabric} {id} is younger than its poll");
                if before.is_some_and(|before| before != stamp) {
                    assert!(stamp > times[number - 1], "{fabric} {id} was news one poll before");
                    news += 1;
                }
                before = Some(stamp);
            }
            // An entry that has appeared stays.
            assert!(rows.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
            assert!(rows.last().is_none_or(|(number, _)| number + 1 == times.len()));
        }
        // An RTP entry names its remote entry from the poll in which that appears.
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
fn dump_counters_agree_with_the_pages_own_polls() {
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
    // Values of the page's own getStats by stream and counter: (time, value).
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
    // Both ends of three streams: two or three counters of the sender, three or four of the receiver.
    assert!(bounded.len() >= 18, "{bounded:?}");
    assert!(bounded.values().all(|&polls| polls > 50), "{bounded:?}");
}

#[test]
fn dump_loss_agrees_with_the_relays_drops() {
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
            // Packets in flight when a side closed are dropped and never counted, or the reverse.
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
fn dump_without_clocks_has_the_same_rows_at_interpolated_times() {
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
                // Members without gaps are equal; the others occur as often.
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

#[test]
fn real_dump_is_read_in_full() {
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
    // The page polled every second.
    let at: Vec<_> = polls.iter().map(|poll| poll.at.unwrap()).collect();
    assert!(at.windows(2).all(|pair| (pair[1] - pair[0] - 1_000.0).abs() < 2.0));
}
