//! One call in every format gives the same reports.

use std::fmt::Write;

use callgauge::ingest::Format;
use serde_json::{Map, Value, json};

use crate::common::reading::{Input, StoredSnapshot, read_lines, read_records, recording, same_rows};

/// One line of a recording.
#[derive(Clone)]
struct Poll {
    t: Value,
    pc: String,
    report: Map<String, Value>,
}

const RECORDINGS: &[&str] = &["loss5", "ff_loss5", "simulcast", "ice_restart", "hold"];

fn polls(name: &str) -> Vec<Poll> {
    let text = recording(&format!("{name}.ndjson.gz"));
    let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let polls: Vec<_> = lines
        .map(|line| {
            let mut line: Value = serde_json::from_slice(line).unwrap();
            let report = line["report"].take().as_object().unwrap().clone();
            Poll { t: line["t"].clone(), pc: line["pc"].as_str().unwrap().into(), report }
        })
        .collect();
    assert!(polls.len() > 100);
    polls
}

fn ndjson(polls: &[Poll]) -> Vec<StoredSnapshot> {
    let mut text = String::new();
    for Poll { t, pc, report } in polls {
        writeln!(text, "{}", json!({"t": t, "pc": pc, "report": report})).unwrap();
    }
    let input = read_lines(text.as_bytes());
    assert!(input.errors.is_empty());
    input.snapshots
}

/// Each line with the previous one of its connection.
fn with_previous(polls: &[Poll]) -> impl Iterator<Item = (Option<&Poll>, &Poll)> {
    polls.iter().enumerate().map(|(index, poll)| {
        let previous = polls[..index].iter().rev().find(|previous| previous.pc == poll.pc);
        (previous, poll)
    })
}

/// The call as differences can express it: an entry loses no member, and, if `keeps`, a report no entry.
fn expressible(polls: &[Poll], keeps: bool) -> Vec<Poll> {
    let mut out: Vec<Poll> = Vec::new();
    for poll in polls {
        let mut poll = poll.clone();
        if let Some(previous) = out.iter().rev().find(|previous| previous.pc == poll.pc) {
            for (id, entry) in &previous.report {
                let Some(now) = poll.report.get_mut(id) else {
                    if keeps {
                        poll.report.insert(id.clone(), entry.clone());
                    }
                    continue;
                };
                for (name, value) in entry.as_object().unwrap() {
                    let now = now.as_object_mut().unwrap();
                    match now.get_mut(name) {
                        None => drop(now.insert(name.clone(), value.clone())),
                        Some(Value::Object(now)) => {
                            for (name, value) in value.as_object().unwrap() {
                                now.entry(name).or_insert(value.clone());
                            }
                        }
                        Some(_) => {}
                    }
                }
            }
        }
        out.push(poll);
    }
    out
}

/// Differences as rtcstats v1 and v2 and Jitsi's clients make them, by the rules of fippo's `deltaCompression`.
fn lines(polls: &[Poll], keeps: bool, method: &str) -> String {
    let mut text = String::new();
    for (number, (previous, poll)) in with_previous(polls).enumerate() {
        let mut report = Map::new();
        for (id, entry) in &poll.report {
            let before = previous.and_then(|previous| previous.report.get(id));
            if keeps && before == Some(entry) {
                continue;
            }
            let mut entry = entry.as_object().unwrap().clone();
            entry.remove("id");
            entry.retain(|name, value| before.and_then(|before| before.get(name)) != Some(value));
            report.insert(id.clone(), entry.into());
        }
        let newest = report.values().filter_map(|entry| entry["timestamp"].as_f64()).fold(0.0, f64::max);
        for entry in report.values_mut().filter(|entry| entry["timestamp"].as_f64() == Some(newest)) {
            entry["timestamp"] = json!(0);
        }
        report.insert("timestamp".into(), json!(newest));
        // A relay adds a sequence number; some writers leave a space or other characters behind.
        let sequence = if number % 3 == 0 { format!(",{number}") } else { String::new() };
        let junk = ["", " ", " \r", "]"][number % 4];
        writeln!(text, "[{method},{},{},{}{sequence}]{junk}", json!(poll.pc), json!(report), poll.t).unwrap();
    }
    text
}

/// Asserts that both have the same snapshots, and returns the number of equal values.
fn compare(what: &str, expected: &[StoredSnapshot], found: &Input) -> usize {
    assert!(found.errors.is_empty(), "{what}: {:?}", found.errors);
    assert_eq!(expected.len(), found.snapshots.len(), "{what}");
    let mut values = 0;
    for (expected, found) in expected.iter().zip(&found.snapshots) {
        assert_eq!((&expected.fabric, expected.at), (&found.fabric, found.at), "{what}");
        values += same_rows(&expected.report, &found.report);
    }
    assert!(values > 20_000, "{what}: {values}");
    values
}

#[test]
fn jitsi_lines_give_the_same_reports() {
    let mut values = 0;
    for name in RECORDINGS {
        let polls = expressible(&polls(name), false);
        let text = r#"["connectionInfo",null,{"statsFormat":"safari","userAgent":"x"},1795341282000]
{"sample":{"of":"a bridge"}}
["identity",null,{"confName":"AliceAndBob","stats":{"a":{}}},1795341281000]
["create","A",{},1795341282000]
"#;
        let input = read_lines((text.to_string() + &lines(&polls, false, "\"getstats\"")).as_bytes());
        values += compare(name, &ndjson(&polls), &input);
        assert_eq!(input.reader.conference(), Some("AliceAndBob"));
        assert_eq!(input.reader.format(), Some(Format::Jitsi));
    }
    eprintln!("{values} values equal");
}

#[test]
fn rtcstats_lines_before_version_3_give_the_same_reports() {
    for name in RECORDINGS {
        let polls = expressible(&polls(name), true);
        let text = r#"{"path":"/","origin":"http://localhost","userAgent":"x","time":1795341282000,"fileFormat":2}
["create","A",{},1795341282000]

"#;
        let input = read_lines((text.to_string() + &lines(&polls, true, "\"getstats\"")).as_bytes());
        compare(name, &ndjson(&polls), &input);
        assert_eq!(input.reader.format(), Some(Format::RtcstatsLegacy));
    }
}

#[test]
fn whole_reports_in_an_rtcstats_dump_give_the_same_reports() {
    for name in RECORDINGS {
        let polls = polls(name);
        let mut text =
            String::from("RTCStatsDump\n{\"fileFormat\":3}\n[\"getUserMedia\",\"undefined-undefined\",{},0]\n");
        let mut clock = 0.0;
        for (number, Poll { t, pc, report }) in polls.iter().enumerate() {
            let mut report = report.clone();
            for entry in report.values_mut().filter_map(Value::as_object_mut) {
                entry.insert("[bytesSent/s]".into(), json!(1.5));
            }
            let step = t.as_f64().unwrap() - clock;
            clock += step;
            let method = [json!("getStats"), json!(1), json!("g")][number % 3].clone();
            let report = if number % 5 == 0 { json!(json!(report).to_string()) } else { json!(report) };
            writeln!(text, "{}", json!([method, pc, report, "https://localhost/", step])).unwrap();
            writeln!(text, "{}", json!(["onsignalingstatechange", pc, "\"stable\"", 0])).unwrap();
        }
        let mut expected = ndjson(&polls);
        let found = read_lines(text.as_bytes());
        for (expected, found) in expected.iter_mut().zip(&found.snapshots) {
            assert!((expected.at.unwrap() - found.at.unwrap()).abs() < 0.01);
            expected.at = found.at;
        }
        compare(name, &expected, &found);
    }
}

/// One snapshot as an ObserveRTC sample.
fn sample(Poll { t, pc, report }: &Poll) -> Value {
    let mut connection = json!({"peerConnectionId": pc, "score": 4.5, "attachments": {"a": {"id": 1}}});
    for entry in report.values() {
        let array = match entry["type"].as_str().unwrap() {
            "inbound-rtp" => "inboundRtps",
            "outbound-rtp" => "outboundRtps",
            "remote-inbound-rtp" => "remoteInboundRtps",
            "remote-outbound-rtp" => "remoteOutboundRtps",
            "media-source" => "mediaSources",
            "media-playout" => "mediaPlayouts",
            "codec" => "codecs",
            "peer-connection" => "peerConnectionTransports",
            "transport" => "iceTransports",
            "candidate-pair" => "iceCandidatePairs",
            "local-candidate" | "remote-candidate" => "iceCandidates",
            "certificate" => "certificates",
            other => panic!("{other}"),
        };
        let mut entry = entry.as_object().unwrap().clone();
        entry.remove("type");
        let array = &mut connection[array];
        if array.is_null() {
            *array = json!([]);
        }
        array.as_array_mut().unwrap().push(entry.into());
    }
    json!({"timestamp": t, "callId": "AliceAndBob", "clientId": "alice", "peerConnections": [connection]})
}

#[test]
fn client_samples_give_the_same_reports() {
    for name in RECORDINGS {
        let polls = polls(name);
        let expected = ndjson(&polls);
        let samples: Vec<_> = polls.iter().map(sample).collect();
        let by_line: String = samples.iter().map(|sample| format!("{sample}\n")).collect();
        let input = read_lines(by_line.as_bytes());
        compare(name, &expected, &input);
        assert_eq!(input.reader.conference(), Some("AliceAndBob"));
        assert_eq!(input.reader.format(), Some(Format::ObserveRtc));
        assert_eq!(input.reader.skipped(), Default::default(), "{name}: a candidate of unknown side");

        let document = serde_json::to_vec_pretty(&samples).unwrap();
        compare(name, &expected, &read_records([&document[..]]));
    }
}

#[test]
fn every_shape_of_one_report_gives_the_same_report() {
    for name in RECORDINGS {
        let polls = polls(name);
        let expected = ndjson(&polls);
        let mut values = 0;
        for (poll, expected) in polls.iter().zip(&expected) {
            let object = json!(poll.report);
            let array: Value = poll.report.values().cloned().collect::<Vec<_>>().into();
            let pairs: Value = poll.report.iter().map(|(id, entry)| json!([id, entry])).collect::<Vec<_>>().into();
            let text = json!(pairs.to_string());
            for shape in [object, array, pairs, text] {
                let shape = shape.to_string();
                let input = read_records([shape.as_bytes()]);
                assert!(input.errors.is_empty() && input.snapshots.len() == 1, "{name}: {:?}", input.errors);
                values += same_rows(&expected.report, &input.snapshots[0].report);
            }
        }
        assert!(values > 80_000, "{name}: {values}");
    }
}

#[test]
fn whole_calls_in_one_document_give_the_same_reports() {
    for name in RECORDINGS {
        let polls = polls(name);
        let expected = ndjson(&polls);
        let record = |poll: &Poll| json!({"time": poll.t, "peerConnectionId": poll.pc, "getStats": poll.report});
        let records: Vec<Value> = polls.iter().map(record).collect();
        for document in [json!(records), json!({"version": 3, "user": {"name": "x"}, "snapshots": records})] {
            let found = read_records([document.to_string().as_bytes()]);
            assert_eq!(found.reader.format(), Some(Format::Collection));
            compare(name, &expected, &found);
        }
        // Connection by connection, each snapshot as a list of entries under its time.
        let mut by_connection: Map<String, Value> = Map::new();
        for Poll { t, pc, report } in &polls {
            let entries: Vec<_> = report.values().cloned().collect();
            let connection = by_connection.entry(pc.clone()).or_insert_with(|| json!({}));
            connection[t.to_string()] = json!(entries);
        }
        let mut expected = expected;
        expected.sort_by(|a, b| (&a.fabric, a.at.unwrap()).partial_cmp(&(&b.fabric, b.at.unwrap())).unwrap());
        let found = read_records([json!({"connections": by_connection}).to_string().as_bytes()]);
        compare(name, &expected, &found);
    }
}
