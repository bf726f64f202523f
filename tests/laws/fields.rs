//! The declared table of members against browser output: browsers write every declared member, every written member is
//! declared or listed as not read, and members declared as counters only grow.

use std::collections::{BTreeMap, BTreeSet};

use callgauge::ingest::Reader;
use callgauge::report::{Flag, Num, Text};
use serde_json::Value;

use crate::common::{WORKLOADS, recordings, text, workload};

/// Declared members that no recorded browser wrote, with the reason for their declaration.
const NOT_RECORDED: [(&str, &str); 24] = [
    ("availableIncomingBitrate", "W3C; Chromium has it only where the receiver estimates (REMB)"),
    ("ccfbMessagesReceived", "W3C; in the workload, needs RFC 8888 feedback"),
    ("ccfbMessagesSent", "W3C; in the workload, needs RFC 8888 feedback"),
    ("corruptionMeasurements", "W3C; in the workload, needs the corruption detection header extension"),
    ("detached", "obsolete `track` entries of Chromium and Edge"),
    ("echoReturnLoss", "W3C; in the workload, needs a microphone with echo cancellation"),
    ("echoReturnLossEnhancement", "W3C; in the workload, needs a microphone with echo cancellation"),
    ("ended", "obsolete `track` entries of Chromium and Edge"),
    ("fecBytesReceived", "W3C; needs FlexFEC"),
    ("fecSsrc", "W3C; needs FlexFEC"),
    ("framesRendered", "W3C; in no browser yet"),
    ("googBandwidthLimitedResolution", "Chromium's callback API, gone from the browsers recorded"),
    ("googCpuLimitedResolution", "Chromium's callback API, gone from the browsers recorded"),
    ("messagesReceived", "W3C; in the workload, needs a data channel"),
    ("messagesSent", "W3C; in the workload, needs a data channel"),
    ("packetsReportedAsLost", "W3C; in the workload, needs RFC 8888 feedback"),
    ("packetsReportedAsLostButRecovered", "W3C; needs RFC 8888 feedback"),
    ("psnrMeasurements", "W3C; Chromium measures it behind a field trial"),
    ("psnrSum.u", "W3C; Chromium measures it behind a field trial"),
    ("psnrSum.v", "W3C; Chromium measures it behind a field trial"),
    ("psnrSum.y", "W3C; Chromium measures it behind a field trial"),
    ("relayProtocol", "W3C; in the workload, needs a TURN server"),
    ("remoteSource", "obsolete `track` entries of Chromium and Edge"),
    ("totalCorruptionProbability", "W3C; in the workload, needs the corruption detection header extension"),
];

/// Members of fixtures that the readers use without a field of their own.
const READ_APART: [&str; 6] = ["id", "timestamp", "type", "kind", "mediaType", "discardedPackets"];

/// Members of fixtures that no reader uses, with the reason.
const NOT_READ: [(&str, &str); 26] = [
    ("address", "privacy"),
    ("base64Certificate", "no figure depends on it"),
    ("codecType", "Firefox: encode or decode, which the entries that name the codec tell"),
    ("dataChannelIdentifier", "no figure depends on it"),
    ("dtlsCipher", "no figure depends on it"),
    ("fingerprint", "privacy"),
    ("fingerprintAlgorithm", "no figure depends on it"),
    ("foundation", "no figure depends on it"),
    ("googTimingFrameInfo", "a text of 17 numbers for one frame"),
    ("ip", "privacy"),
    ("label", "privacy: chosen by the application"),
    ("localCertificateId", "no figure depends on it"),
    ("minPlayoutDelay", "a setting of the application, in webrtc-internals only"),
    ("networkAdapterType", "`networkType` by another name, in webrtc-internals only"),
    ("port", "privacy"),
    ("priority", "no figure depends on it"),
    ("relatedAddress", "privacy"),
    ("relatedPort", "privacy"),
    ("remoteCertificateId", "no figure depends on it"),
    ("srtpCipher", "no figure depends on it"),
    ("tlsVersion", "no figure depends on it"),
    ("track.deliveredFrames", "capture, in webrtc-internals only"),
    ("track.discardedFrames", "capture, in webrtc-internals only"),
    ("track.totalFrames", "capture, in webrtc-internals only"),
    ("url", "privacy: names a TURN server"),
    ("vpn", "in webrtc-internals only"),
];

fn declared() -> BTreeSet<&'static str> {
    (Num::ALL.iter().map(|field| field.name()))
        .chain(Text::ALL.iter().map(|field| field.name()))
        .chain(Flag::ALL.iter().map(|field| field.name()))
        .collect()
}

/// The members of every entry in recorded lines, nested ones with dots.
fn names_in(lines: &str, names: &mut BTreeSet<String>) {
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).expect("a recorded line is JSON");
        let Some(stats) = line.get("report").or_else(|| line.get("stats")) else { continue };
        let entries: Vec<&Value> = match stats {
            Value::Object(entries) => entries.values().collect(),
            Value::Array(entries) => entries.iter().collect(),
            _ => panic!("stats of an odd shape"),
        };
        for (name, value) in entries.iter().filter_map(|entry| entry.as_object()).flatten() {
            match value {
                Value::Object(inner) => names.extend(inner.keys().map(|inner| format!("{name}.{inner}"))),
                _ => drop(names.insert(name.clone())),
            }
        }
    }
}

/// The members in the series of a webrtc-internals dump, except those that the page computed.
fn names_in_internals(names: &mut BTreeSet<String>) {
    let dump: Value = serde_json::from_str(&text("recordings/other/chrome156-webrtc_internals_dump.gz")).unwrap();
    for connection in dump["PeerConnections"].as_object().unwrap().values() {
        for series in connection["stats"].as_object().unwrap().keys().filter(|series| !series.contains("-[")) {
            let (_, name) = series.rsplit_once('-').expect("a series is named after id and member");
            // A dictionary is one series here; the recordings give its members.
            if name != "qualityLimitationDurations" {
                names.insert(name.to_owned());
            }
        }
    }
}

fn recorded() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in recordings() {
        names_in(&text, &mut names);
    }
    names_in_internals(&mut names);
    assert!(names.len() > 100, "only {} names", names.len());
    names
}

#[test]
fn declared_members_occur_in_a_recording_or_state_why_not() {
    let recorded = recorded();
    let missing: BTreeSet<&str> = declared().into_iter().filter(|&name| !recorded.contains(name)).collect();
    let excepted: BTreeSet<&str> = NOT_RECORDED.iter().map(|&(name, _)| name).collect();
    assert_eq!(missing, excepted, "declared and not recorded, against the exceptions");
}

#[test]
fn recorded_members_are_read_or_listed_as_left_out() {
    let mut names = recorded();
    for set in WORKLOADS {
        names_in(&workload(set).join("\n"), &mut names);
    }
    let declared = declared();
    let unread = names.iter().map(String::as_str).filter(|name| !declared.contains(name) && !READ_APART.contains(name));
    let reviewed: BTreeSet<&str> = NOT_READ.iter().map(|&(name, _)| name).collect();
    assert_eq!(unread.collect::<BTreeSet<_>>(), reviewed, "recorded and not read, against the reviewed list");
}

#[test]
fn counters_shrink_only_where_a_sender_restarted() {
    // Known reasons: a connection closed and reopened under the same name, and a track replaced by one of another
    // content type.
    let known = BTreeMap::from([("chrome-reconnect-reset", 12), ("screen", 16)]);
    let mut compared = 0_u64;
    for (name, text) in recordings() {
        let mut before: BTreeMap<(String, String, Num), f64> = BTreeMap::new();
        let mut shrunk = Vec::new();
        let mut reader = Reader::new();
        for line in text.lines() {
            let read = reader.read(line.as_bytes(), &mut |snapshot| {
                for entry in snapshot.report.entries() {
                    for (field, value) in entry.numbers().filter(|(field, _)| field.rule().is_monotone()) {
                        let key = (snapshot.fabric.to_owned(), entry.id().to_owned(), field);
                        let last = before.insert(key, value);
                        compared += u64::from(last.is_some());
                        if last.is_some_and(|last| value < last) {
                            shrunk.push((entry.kind().name(), field.name()));
                        }
                    }
                }
            });
            read.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let allowed = known.get(name.as_str()).copied().unwrap_or(0);
        assert!(shrunk.len() <= allowed, "{name}: {shrunk:?}");
        assert_eq!(shrunk.is_empty(), allowed == 0, "{name}: the reset is gone");
    }
    assert!(compared > 500_000, "only {compared} values");
}
