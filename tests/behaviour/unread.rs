//! What is no stats, what was not read, and how both are counted and named.

use callgauge::ingest::{Foreign, Item, NameCounts, ReadErrorKind, Reader};
use callgauge::replay::{OwnedItem, Replay};
use callgauge::report::{Flag, Text};
use serde_json::json;

/// Reads records with one reader. Returns it with the number of snapshots handed out, and the kinds of errors.
fn read(records: &[&str]) -> (Reader, u64, Vec<ReadErrorKind>) {
    let mut reader = Reader::new();
    let (mut handed_out, mut errors) = (0, Vec::new());
    for record in records {
        if let Err(error) = reader.read(record.as_bytes(), &mut |_| handed_out += 1) {
            errors.push(error.kind());
        }
    }
    assert_eq!(reader.snapshots(), handed_out);
    (reader, handed_out, errors)
}

fn sorted(names: &NameCounts) -> Vec<(&str, u64)> {
    let mut sorted: Vec<_> = names.iter().collect();
    sorted.sort_unstable();
    sorted
}

const STREAM: &str = r#"{"id":"I","type":"inbound-rtp","timestamp":1000,"ssrc":7,"kind":"audio"}"#;

#[test]
fn json_without_an_entry_is_no_getstats() {
    for (record, kind) in [
        (r#"{"name":"x","dependencies":{"a":"1"}}"#, ReadErrorKind::NoEntry(1)),
        (r#"[{"a":1},{"b":{"c":2}}]"#, ReadErrorKind::NoEntry(2)),
        (r#"{"a":{"type":"module"},"b":{"type":"table"}}"#, ReadErrorKind::NoEntry(2)),
        ("[[1,2],[3,4]]", ReadErrorKind::NoEntry(0)),
        (r#"{"a":1}"#, ReadErrorKind::UnknownFormat),
    ] {
        let (reader, handed_out, errors) = read(&[record]);
        assert_eq!((handed_out, errors), (0, vec![kind]), "{record}");
        assert_eq!(reader.format(), None, "{record}");
    }
}

#[test]
fn stats_after_other_json_are_read() {
    let stats = format!("[{STREAM}]");
    let (reader, handed_out, errors) = read(&[r#"{"a":{"b":1}}"#, "{}", &stats, r#"{"a":{"b":1}}"#]);
    assert_eq!((handed_out, errors.len()), (1, 2));
    assert_eq!(reader.format().map(callgauge::ingest::Format::name), Some("getstats"));
}

#[test]
fn empty_reports_are_counted_and_open_no_connection() {
    for record in ["{}", "[]", r#"{"t":1000,"pc":"A","report":{}}"#, r#"{"t":1000,"pc":"A","report":[]}"#] {
        let (reader, handed_out, errors) = read(&[record, record]);
        assert_eq!((handed_out, errors.len()), (0, 0), "{record}");
        assert_eq!((reader.empty_snapshots(), reader.unusable_snapshots()), (2, 0), "{record}");
        assert_eq!(reader.empty_lists(), if record.contains('[') { 2 } else { 0 }, "{record}");
    }
}

#[test]
fn words_are_read_in_any_case_and_counted_if_unknown() {
    let read_states = |dtls: &str, pair: &str| {
        let transport = json!({"id": "T", "type": "transport", "timestamp": 1000, "bytesSent": 1, "dtlsState": dtls});
        let pair = json!({"id": "P", "type": "candidate-pair", "timestamp": 1000, "bytesSent": 1, "state": pair});
        let mut states = Vec::new();
        let mut reader = Reader::new();
        reader
            .read(json!([transport, pair]).to_string().as_bytes(), &mut |snapshot| {
                let texts = [Text::DtlsState, Text::State].into_iter().zip(snapshot.report.entries());
                states.extend(texts.map(|(field, entry)| entry.text(field).unwrap_or("").to_owned()));
            })
            .unwrap();
        (states, sorted(&reader.unread().values).into_iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>())
    };
    let known = (vec!["connected".to_owned(), "in-progress".to_owned()], vec![]);
    assert_eq!(read_states("connected", "in-progress"), known);
    assert_eq!(read_states("CONNECTED", "In-Progress"), known);
    let (states, unknown) = read_states("hanging", "unknown");
    assert_eq!((states, unknown), (vec!["hanging".into(), "unknown".into()], vec!["dtlsState: hanging".into()]));
}

#[test]
fn booleans_of_other_languages_are_read() {
    for (written, read_as) in
        [("1", Some(true)), ("0", Some(false)), ("\"True\"", Some(true)), ("\"yes\"", None), ("2", None)]
    {
        let record =
            format!(r#"[{{"id":"P","type":"candidate-pair","timestamp":1,"bytesSent":1,"nominated":{written}}}]"#);
        let mut nominated = None;
        let mut reader = Reader::new();
        reader
            .read(record.as_bytes(), &mut |snapshot| {
                nominated = snapshot.report.get(0).and_then(|pair| pair.flag(Flag::Nominated));
            })
            .unwrap();
        assert_eq!(nominated, read_as, "{written}");
        let bad: Vec<_> = reader.skipped().bad_members().collect();
        assert_eq!(bad, if read_as.is_none() { vec!["nominated"] } else { vec![] }, "{written}");
    }
}

#[test]
fn a_record_in_strings_is_read() {
    let line = format!(r#"{{"t":1000,"pc":"A","report":[{STREAM}]}}"#);
    let mut text = line;
    for depth in 0..4 {
        let (_, handed_out, errors) = read(&[&text]);
        assert_eq!((handed_out, errors.len()), if depth < 3 { (1, 0) } else { (0, 1) }, "{depth}");
        text = serde_json::to_string(&text).unwrap();
    }
}

#[test]
fn a_snapshot_without_a_usable_entry_is_none() {
    for report in [
        // A wrapper that is not read.
        json!([{"id": "I", "type": "inbound-rtp", "timestamp": 1000, "figures": {"ssrc": 7}}]),
        json!([{"id": "P", "type": "candidate-pair", "timestamp": 1000, "bytes_teleported": 7}]),
        // Known, and without anything to measure.
        json!([{"id": "C", "type": "certificate", "timestamp": 1000, "fingerprint": "00"}]),
        json!([{"id": "X", "type": "something", "timestamp": 1000, "ssrc": 7}]),
    ] {
        let record = json!({"t": 1000, "pc": "A", "report": report}).to_string();
        let (reader, handed_out, errors) = read(&[&record]);
        assert_eq!((handed_out, errors.len()), (0, 0), "{record}");
        assert_eq!((reader.empty_snapshots(), reader.unusable_snapshots()), (0, 1), "{record}");
    }
}

#[test]
fn unknown_members_and_types_are_counted_by_name() {
    let entry = json!({"packets_teleported": 1, "id": "I", "type": "inbound-rtp", "ssrc": 7, "packets-lost-twice": 2});
    let other = json!({"type": "something", "id": "X", "ssrc": 8, "unheard": 1});
    let record = json!([entry, entry, other]).to_string();
    let (reader, ..) = read(&[&record, &record, &record]);
    assert_eq!(sorted(&reader.unread().members), [("packets-lost-twice", 6), ("packets_teleported", 6)]);
    assert_eq!(sorted(&reader.unread().types), [("something", 3)]);
    assert_eq!(reader.skipped().without_type(), 3);
}

#[test]
fn members_that_browsers_write_are_not_unread() {
    let entry = json!({
        "id": "I", "type": "local-candidate", "candidateType": "host", "address": "::", "port": 9, "vpn": false,
        "networkAdapterType": "ethernet", "foundation": "1", "googExpandRate": "0", "166": "x", "streamIdentifier": "s",
    });
    let (reader, handed_out, _) = read(&[&json!([entry]).to_string()]);
    assert_eq!((handed_out, sorted(&reader.unread().members)), (1, vec![]));
}

#[test]
fn unread_members_of_differences_are_counted() {
    let lines = [
        r#"["getStats","PC_0",{"I":{"type":"inbound-rtp","timestamp":1000,"ssrc":7,"packets_teleported":1}},1000]"#,
        r#"["getStats","PC_0",{"I":{"packets_teleported":2}},2000]"#,
    ];
    let (reader, handed_out, _) = read(&lines);
    assert_eq!((handed_out, sorted(&reader.unread().members)), (2, vec![("packets_teleported", 2)]));
}

#[test]
fn unread_series_of_a_document_are_counted() {
    let series =
        |values: &str| json!({"statsType": "inbound-rtp", "startTime": 1000, "endTime": 2000, "values": values});
    let document = json!({"PeerConnections": {"1-1": {"stats": {
        "I-timestamp": series("[1000,2000]"), "I-ssrc": series("[7,7]"), "I-packets_teleported": series("[1,2]"),
    }}}});
    let (reader, handed_out, _) = read(&[&document.to_string()]);
    assert_eq!((handed_out, sorted(&reader.unread().members)), (2, vec![("packets_teleported", 1)]));
}

/// A member of a record without a value is no member of another name.
#[test]
fn members_of_a_record_without_a_value_are_not_unread() {
    let entry: serde_json::Value = serde_json::from_str(STREAM).unwrap();
    let record = json!({"t": null, "timestamp": null, "pc": null, "fabric": null, "report": [entry], "stats": null});
    let (reader, handed_out, _) = read(&[&record.to_string()]);
    assert_eq!((handed_out, sorted(&reader.unread().members)), (1, vec![]));
}

#[test]
fn records_in_an_array_are_snapshots() {
    let entry: serde_json::Value = serde_json::from_str(STREAM).unwrap();
    for record in [
        json!([{"t": 1, "pc": "A", "report": [entry]}, {"t": 2, "pc": "A", "report": {"I": entry}}]),
        json!([{"I": entry}, {"I": entry}]),
        json!([[entry], [entry]]),
        json!({"A": [[entry]], "B": {"I": entry}}),
        json!({"inner": {"snapshots": [{"time": "2026-01-01T00:00:00Z", "stats": [entry]}, [entry]]}}),
    ] {
        let (_, handed_out, errors) = read(&[&record.to_string()]);
        assert_eq!((handed_out, errors), (2, vec![]), "{record}");
    }
    // Deeper than any application nests them.
    let deep = (0..200).fold(json!([entry]), |inner, _| json!({"A": inner}));
    let (_, handed_out, errors) = read(&[&deep.to_string()]);
    assert_eq!((handed_out, errors.len()), (0, 1));
}

#[test]
fn data_that_is_no_text_is_recognised() {
    let utf16: Vec<u8> = [0xfeff].into_iter().chain("[1]".encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (start, foreign) in [
        (&utf16[..], Foreign::Utf16),
        (&utf16[2..], Foreign::Utf16),
        (b"\x1f\x8b\x08\0", Foreign::Gzip),
        (b"PK\x03\x04..", Foreign::Zip),
        (b"\x28\xb5\x2f\xfd", Foreign::Zstandard),
        (b" <!DOCTYPE html><title>", Foreign::Html),
    ] {
        let error = Reader::new().read(start, &mut |_| ()).unwrap_err();
        assert_eq!(error.kind(), ReadErrorKind::Foreign(foreign), "{start:?}");
    }
    for text in ["[]", "{}", "RTCStatsDump", "PKI", "hello", ""] {
        assert_eq!(Foreign::of(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn names_with_unpaired_surrogates_stay_apart() {
    let mut names = Vec::new();
    for name in [r"\ud800", r"\udc00", r"\uDC00"] {
        let line = format!(r#"{{"t":1000,"pc":"{name}","report":[{STREAM}]}}"#);
        Reader::new().read(line.as_bytes(), &mut |snapshot| names.push(snapshot.fabric.to_owned())).unwrap();
    }
    assert!(names[0] != names[1] && names[1] == names[2], "{names:?}");
}

#[test]
fn unknown_words_of_a_log_are_counted_by_name() {
    let lines = [
        r#"["oniceconnectionstatechange","PC_0","teleporting",1000]"#,
        r#"["oniceconnectionstatechange","PC_0","checking",1000]"#,
        r#"["ondance","PC_0","x",1000]"#,
    ];
    let mut replay = Replay::default();
    let (merged, source) = (replay.add_source(None), replay.add_source(None));
    let mut reader = Reader::new();
    for line in lines {
        let mut each = |item: Item<'_>| {
            replay.push(source, &item);
            // As a reader in another thread does.
            replay.push_owned(merged, OwnedItem::new(&item).unwrap(), &mut |_, _, _| {});
        };
        reader.read_all(line.as_bytes(), &mut each).unwrap();
    }
    assert_eq!(sorted(&reader.unread().events), [("ondance", 1)]);
    for outcome in replay.finish().sources {
        assert_eq!(sorted(&outcome.unknown_words), [("iceConnectionState: teleporting", 1)]);
    }
}

#[test]
fn entries_without_a_time_and_repeated_ids_are_counted() {
    let untimed = r#"{"id":"I","type":"inbound-rtp","ssrc":7}"#;
    let in_record = |members: &str, report: &str| format!(r#"{{{members}"pc":"A","report":[{report}]}}"#);
    let counts = |record: &str| {
        let reader = read(&[record]).0;
        (reader.snapshots(), reader.untimed_snapshots(), reader.untimed_entries())
    };
    assert_eq!(counts(&in_record("", untimed)), (1, 1, 1));
    assert_eq!(counts(&in_record("", &format!("{untimed},{STREAM}"))), (1, 0, 1));
    // The time of the record is that of all its entries if none has its own.
    assert_eq!(counts(&in_record(r#""t":1000,"#, untimed)), (1, 0, 0));
    let flat = format!("[{STREAM},{STREAM},{STREAM}]");
    let (reader, ..) = read(&[&flat]);
    assert_eq!((reader.repeated_ids(), reader.untimed_entries()), (2, 0));
}
