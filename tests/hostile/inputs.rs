//! Inputs that cost more than their size, or that damage other inputs.

use callgauge::ingest::Reader;
use callgauge::ingest::getstats::Scanner;
use callgauge::report::{Report, Text};
use callgauge::unit::{StatTime, Timestamp};
use callgauge::{Conference, Config, FabricSpec};

#[test]
fn long_name_shared_by_streams_is_stored_once() {
    let long = "é".repeat(100_000);
    let streams: Vec<_> = (0..3)
        .map(|ssrc| {
            format!(
                r#"{{"id":"I{ssrc}","type":"inbound-rtp","timestamp":1000,"ssrc":{ssrc},"codecId":"C","trackId":"T"}}"#
            )
        })
        .collect();
    let text = format!(
        r#"[{},{{"id":"C","type":"codec","mimeType":"audio/{long}"}},{{"id":"T","type":"track","mid":"{long}"}}]"#,
        streams.join(",")
    );
    let mut report = Report::new();
    Scanner::new().read(text.as_bytes(), &mut report).unwrap();
    let mut call = Conference::new("", Config::new());
    let fabric = call.open_fabric(Timestamp::default(), FabricSpec::new("pc")).unwrap();
    call.ingest(Timestamp::default(), fabric, &report).unwrap();
    let streams = call.summary().fabrics.remove(0).streams;
    assert_eq!(streams.len(), 3);
    for stream in streams {
        for name in [stream.codec.unwrap(), stream.label.unwrap()] {
            let prefix = name.strip_suffix('…').unwrap();
            assert!(long.starts_with(prefix) && (100..=128).contains(&prefix.len()), "{}", prefix.len());
        }
    }
}

#[test]
fn number_with_a_long_print_is_no_name() {
    let mut report = Report::new();
    for (number, name) in [("7", Some("7")), ("0.5", Some("0.5")), ("1e308", None), ("-1e-300", None), ("0", Some("0"))]
    {
        let text = format!(r#"[{{"id":"I","type":"inbound-rtp","ssrc":7,"mid":{number}}}]"#);
        Scanner::new().read(text.as_bytes(), &mut report).unwrap();
        assert_eq!(report.get(0).unwrap().text(Text::Mid), name, "{number}");
        assert_eq!(report.skipped().bad_fields, u64::from(name.is_none()), "{number}");
    }
}

#[test]
fn absurd_time_step_leaves_later_line_times_intact() {
    let mut reader = Reader::new();
    let mut times = Vec::new();
    let lines = [
        "RTCStatsDump",
        r#"{"fileFormat":3}"#,
        r#"["create","0",{},1700000000000]"#,
        r#"["x","0",null,1e300]"#,
        r#"["x","0",null,-1e300]"#,
        r#"["getStats","0",{"I":{"type":"inbound-rtp","ssrc":1},"timestamp":5},1000]"#,
        r#"["getStats","0",{"timestamp":6},1000]"#,
    ];
    for line in lines {
        reader.read(line.as_bytes(), &mut |snapshot| times.push(snapshot.at.map(StatTime::as_millis))).unwrap();
    }
    assert_eq!(times, [Some(1_700_000_001_000.0), Some(1_700_000_002_000.0)]);
}
