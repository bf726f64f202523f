//! Spellings, units and types of members, and broken input.

use callgauge::ingest::getstats::Scanner;
use callgauge::ingest::{Format, Reader};
use callgauge::metric::Metric;
use callgauge::report::{Num, Report, StatsType, Text};
use serde_json::{Value, json};

use super::{Call, entry, received_audio};
use crate::common::reading::read_lines;

/// The member's value in the only entry, and how many values were refused.
fn read(member: &str, value: &str, field: Num) -> (Option<f64>, u64) {
    let text = format!(r#"[{{"type":"inbound-rtp","kind":"audio","id":"I","timestamp":1,"{member}":{value}}}]"#);
    let mut report = Report::new();
    Scanner::new().read(text.as_bytes(), &mut report).unwrap();
    (report.entries().next().unwrap().get(field), report.skipped().bad_fields)
}

#[test]
fn case_06_milliseconds_and_microseconds_give_the_same_call() {
    for unit in [1.0, 1e3] {
        let mut call = Call::new();
        for second in 0..=3 {
            let at = (1_795_341_192_696.0 + f64::from(second) * 1e3) * unit;
            call.one(received_audio(f64::from(second), json!({"timestamp": at})));
        }
        assert_eq!((call.stream().bitrate_bps, call.stream().duration_s), (Some(32_000.0), 3.0));
        assert_eq!(call.stream().start_ms, 1_795_341_192_696.0);
    }
    // NTP in Chromium, Unix in Firefox: the same moment.
    let unix = 1_795_341_192_696.0;
    for value in [unix, unix + 2_208_988_800_000.0] {
        let read = read("estimatedPlayoutTimestamp", &value.to_string(), Num::EstimatedPlayoutTimestamp);
        assert_eq!(read, (Some(unix), 0));
    }
}

#[test]
fn case_07_jitter_and_round_trips_in_other_units_are_refused() {
    assert_eq!(read("jitter", "0.0042", Num::Jitter), (Some(0.0042), 0));
    assert_eq!(read("jitter", "0", Num::Jitter), (Some(0.0), 0));
    assert_eq!(read("jitter", "232735", Num::Jitter), (None, 1), "a clock's ticks");
    assert_eq!(read("jitter", "7", Num::Jitter), (None, 1), "few ticks: no jitter is a whole number of seconds");
    assert_eq!(read("roundTripTime", "0.3", Num::RoundTripTime), (Some(0.3), 0));
    assert_eq!(read("roundTripTime", "61", Num::RoundTripTime), (None, 1));
    assert_eq!(read("currentRoundTripTime", "125", Num::CurrentRoundTripTime), (None, 1));
    // The callback API's members are in milliseconds, as their names say.
    assert_eq!(read("googJitterReceived", "\"35\"", Num::Jitter), (Some(0.035), 0));
    assert_eq!(read("googRtt", "\"120\"", Num::RoundTripTime), (Some(0.12), 0));
}

#[test]
fn case_07_jitter_in_ticks_leaves_other_members_intact() {
    let mut call = Call::new();
    for second in 0..=2 {
        let interval = call.one(received_audio(f64::from(second), json!({"jitter": 42})));
        let Some(interval) = interval else { continue };
        assert_eq!((interval.get(Metric::JitterMs), interval.get(Metric::BitrateBps)), (None, Some(32_000.0)));
    }
    assert_eq!(call.stream().jitter_ms.mean, None);
}

#[test]
fn case_12_number_notations_are_read_or_counted() {
    for text in ["12345", "12345.0", "1.2345e4", "\"12345\"", "\" 12345 \"", "\"12345.0\"", "123450E-1"] {
        assert_eq!(read("bytesReceived", text, Num::BytesReceived), (Some(12_345.0), 0), "{text}");
    }
    for text in ["-1", "1.5", "\"\"", "\"many\"", "18446744073709551615", "true", "[]", "1e400"] {
        assert_eq!(read("bytesReceived", text, Num::BytesReceived), (None, 1), "{text}");
    }
    assert_eq!(read("packetsLost", "-12", Num::PacketsLost), (Some(-12.0), 0));
    assert_eq!(read("ssrc", "\"4294967295\"", Num::Ssrc), (Some(4_294_967_295.0), 0));
    assert_eq!(read("ssrc", "4294967296", Num::Ssrc), (None, 1));
    // Priorities beyond 2⁵³ affect no figure, in any notation.
    for priority in ["9115005270299247000", "3.9550752759983616e17", "\"9115005270299247000\""] {
        let text =
            format!(r#"[{{"type":"candidate-pair","id":"P","timestamp":1,"priority":{priority},"bytesSent":5}}]"#);
        let mut report = Report::new();
        Scanner::new().read(text.as_bytes(), &mut report).unwrap();
        assert_eq!(report.get(0).unwrap().get(Num::BytesSent), Some(5.0));
        assert_eq!(report.skipped().bad_fields, 0);
    }
}

#[test]
fn case_13_impossible_reals_are_refused_and_counted() {
    // Uninitialized memory, as a Firefox once sent it, and values that JSON cannot express.
    assert_eq!(read("framesPerSecond", "-3.7609543045374063e+230", Num::FramesPerSecond), (None, 1));
    assert_eq!(read("totalAudioEnergy", "-0.5", Num::TotalAudioEnergy), (None, 1));
    assert_eq!(read("totalAudioEnergy", "1e300", Num::TotalAudioEnergy), (None, 1));
    assert_eq!(read("totalAudioEnergy", "null", Num::TotalAudioEnergy), (None, 0));
    assert_eq!(read("totalAudioEnergy", "NaN", Num::TotalAudioEnergy), (None, 1));
    assert_eq!(read("audioLevel", "2.9e-316", Num::AudioLevel), (Some(2.9e-316), 0), "tiny is possible");
    // Obsolete members that the engine does not read are skipped, whatever they hold.
    let mut call = Call::new();
    for second in 0..=2 {
        call.one(received_audio(
            f64::from(second),
            json!({"framerateMean": -3.7609543045374063e+230, "framerateStdDev": 2.9e-316}),
        ));
    }
    assert_eq!(call.stream().bitrate_bps, Some(32_000.0));
}

fn kind_of(entries: &[Value]) -> Option<&'static str> {
    let mut call = Call::new();
    call.snapshot(entries);
    call.stream().kind.map(|kind| kind.name())
}

#[test]
fn case_19_media_kind_is_found_in_every_known_member() {
    let nothing = json!({"kind": null, "totalSamplesReceived": null, "concealedSamples": null});
    assert_eq!(
        kind_of(&[entry(received_audio(0.0, nothing.clone()), json!({"mediaType": "video"}))]),
        Some("video"),
        "Safari 13"
    );
    let codec = json!({"id": "C", "type": "codec", "timestamp": 1, "mimeType": "video/VP8"});
    assert_eq!(kind_of(&[entry(received_audio(0.0, nothing.clone()), json!({"codecId": "C"})), codec]), Some("video"));
    assert_eq!(kind_of(&[entry(received_audio(0.0, nothing.clone()), json!({"framesDecoded": 3}))]), Some("video"));
    assert_eq!(kind_of(&[received_audio(0.0, nothing)]), None, "an id that sounds like audio tells nothing");
    // Older browsers have the track's identifier and figures in a `track` entry.
    let track = json!({"id": "T", "type": "track", "timestamp": 1, "trackIdentifier": "camera", "frameWidth": 640, "frameHeight": 360});
    let mut report = Report::new();
    let own =
        json!({"id": "I", "type": "inbound-rtp", "mediaType": "video", "ssrc": 5, "timestamp": 1, "trackId": "T"});
    Scanner::new().read(json!([own, track]).to_string().as_bytes(), &mut report).unwrap();
    let own = report.of(StatsType::InboundRtp).next().unwrap();
    assert_eq!((own.text(Text::TrackIdentifier), own.get(Num::FrameWidth)), (Some("camera"), Some(640.0)));
}

#[test]
fn case_33_content_overrides_the_declared_format() {
    let mut reader = Reader::new();
    let mut streams = Vec::new();
    // The header declares spec stats; the lines hold those of the callback API.
    let lines = [
        json!({"recorder": 1, "statsFormat": "chrome_standard"}).to_string(),
        json!({"t": 1000, "pc": "A", "report": {"ssrc_7_recv": {"id": "ssrc_7_recv", "type": "ssrc", "ssrc": "7", "mediaType": "audio", "timestamp": 1000,
            "packetsReceived": "50", "packetsLost": "2", "bytesReceived": "4000", "googJitterReceived": "5"}}})
        .to_string(),
    ];
    for line in &lines {
        reader
            .read(line.as_bytes(), &mut |snapshot| {
                let found = snapshot.report.of(StatsType::InboundRtp);
                streams.extend(found.map(|entry| {
                    (entry.ssrc().unwrap().get(), entry.get(Num::PacketsReceived), entry.get(Num::Jitter))
                }));
            })
            .unwrap();
    }
    assert_eq!(streams, [(7, Some(50.0), Some(0.005))]);
    assert_eq!(reader.format(), Some(Format::Ndjson));
}

fn line(second: u32) -> String {
    json!({"t": 1000 * second, "pc": "A", "report": {"I": received_audio(f64::from(second), json!({}))}}).to_string()
}

#[test]
fn case_34_broken_line_drops_only_itself() {
    let mut reader = Reader::new();
    let mut call = Call::new();
    let mut packets = Vec::new();
    let cut = line(3);
    let records = [
        line(1),
        line(2),
        cut[..cut.len() / 2].to_owned(),
        "{\"t\": nonsense".to_owned(),
        line(4),
        cut[..40].to_owned(),
    ];
    let mut errors = Vec::new();
    for (number, record) in records.iter().enumerate() {
        let result = reader.read(record.as_bytes(), &mut |snapshot| {
            packets.push(snapshot.report.get(0).unwrap().get(Num::PacketsReceived).unwrap());
            call.conference
                .ingest(callgauge::unit::Timestamp::from_millis(number as u64), call.fabric, snapshot.report)
                .unwrap();
        });
        if let Err(error) = result {
            assert!(error.offset() <= record.len());
            errors.push(number);
        }
    }
    assert_eq!(errors, [2, 3, 5]);
    assert_eq!(packets, [49.0, 98.0, 196.0]);
    assert_eq!((call.stream().packets, call.stream().samples), (Some(147), 3));
}

#[test]
fn case_38_unknown_words_break_nothing() {
    let entries = [
        json!({"id": "X", "type": "quantum-rtp", "timestamp": 1000, "ssrc": 7}),
        json!({"id": "Y", "type": 17.5, "timestamp": 1000}),
        json!({"id": "Z", "timestamp": 1000}),
        json!({"id": "P1", "type": "candidate-pair", "timestamp": 1000, "state": "inprogress", "nominated": "true"}),
        json!({"id": "P2", "type": "candidate-pair", "timestamp": 1000, "state": "cancelled", "nominated": "false", "priority": 99999999999_u64}),
        json!({"id": "T", "type": "transport", "timestamp": 1000, "iceState": "dreaming", "dtlsState": 4}),
        json!({"id": "L", "type": "local-candidate", "timestamp": 1000, "candidateType": "teleport", "priority": -1}),
        received_audio(0.0, json!({"decoderImplementation": 4, "codecId": null})),
    ];
    let mut call = Call::new();
    call.snapshot(&entries);
    assert_eq!(call.report.skipped().entries, 3);
    let pair = call.report.by_id("P1").unwrap();
    assert_eq!(pair.flag(callgauge::report::Flag::Nominated), Some(true));
    assert_eq!(call.stream().samples, 1);
}

#[test]
fn case_39_no_address_is_stored() {
    let secret = ["192.168.17.23", "fd00::17", "b7d1e1f0.local", "turn.example.org", "my camera"];
    let candidate = json!({"id": "L", "type": "local-candidate", "timestamp": 1, "address": secret[0], "ip": secret[1], "relatedAddress": secret[2],
        "url": format!("turn:{}", secret[3]), "port": 5000, "candidateType": "host", "networkType": "wifi"});
    let unnamed =
        json!({"id": "R", "type": "remote-candidate", "timestamp": 1, "address": null, "candidateType": "prflx"});
    let channel = json!({"id": "D", "type": "data-channel", "timestamp": 1, "label": secret[4], "messagesSent": 1});
    let mut call = Call::new();
    call.snapshot(&[candidate, unnamed, channel, received_audio(0.0, json!({}))]);
    let stored = format!("{:?} {:?}", call.report.entries().collect::<Vec<_>>(), call.conference.summary());
    assert!(stored.contains("wifi"), "the network type is stored");
    for secret in secret {
        assert!(!stored.contains(secret), "{secret}");
    }
}

#[test]
fn entries_of_differences_without_times_have_those_of_their_records() {
    let mut text = String::from("RTCStatsDump\n{\"fileFormat\":3}\n[\"create\",\"A\",{},1795341282000]\n");
    for second in 1..=5 {
        let kind = if second == 1 { r#""type":"inbound-rtp","kind":"audio","ssrc":7,"# } else { "" };
        text += &format!("[\"getStats\",\"A\",{{\"I\":{{{kind}\"packetsReceived\":{}}}}},null,1000]\n", second * 50);
    }
    let times: Vec<_> = read_lines(text.as_bytes())
        .snapshots
        .iter()
        .map(|snapshot| snapshot.report.get(0).unwrap().timestamp().unwrap().as_millis())
        .collect();
    assert_eq!(times, [1.0, 2.0, 3.0, 4.0, 5.0].map(|second| 1_795_341_282_000.0 + second * 1e3));
}
