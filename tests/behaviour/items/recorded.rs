//! Recorded dumps against an independent walk of the same file.

use std::collections::BTreeMap;

use callgauge::id::{MediaKind, Ssrc};
use callgauge::ingest::SdpSide;
use callgauge::sdp::Sdp;
use serde_json::Value;

use super::{All, DUMP, lines, read_all};
use crate::common::reading::recording;
use crate::common::real_dump;

/// Connection, kind, word and time of every state, sorted by connection and then in order.
type States = Vec<(String, String, String, Option<f64>)>;

fn states(all: &All) -> States {
    let states = all.events.iter().filter_map(|event| {
        let (kind, word) = event.state.clone()?;
        Some((event.fabric.clone(), kind.to_owned(), word, event.at))
    });
    let mut states: States = states.collect();
    states.sort_by(|a, b| a.0.cmp(&b.0));
    states
}

/// The states in a log of webrtc-internals, as a plain decoder finds them.
fn logged(dump: &Value) -> States {
    let mut states = States::new();
    for (name, connection) in dump["PeerConnections"].as_object().unwrap() {
        for entry in connection["updateLog"].as_array().unwrap() {
            let kind = entry["type"].as_str().unwrap().trim_start_matches("on");
            if kind.ends_with("statechange") {
                let word = entry["value"].as_str().unwrap().trim_matches('"').to_owned();
                states.push((name.clone(), kind.into(), word, entry["timestamp"].as_f64()));
            }
        }
    }
    states.sort_by(|a, b| a.0.cmp(&b.0));
    states
}

#[test]
fn dump_log_is_read_in_order_between_the_polls() {
    let bytes = recording(DUMP);
    let dump: Value = serde_json::from_slice(&bytes).unwrap();
    let all = read_all([&bytes[..]]);
    let expected = logged(&dump);
    assert_eq!(expected.len(), 16);
    assert_eq!(states(&all), expected);
    assert_eq!(all.unknown, 0);
    // Created first, then ordered by time, snapshots and log events alike.
    for name in ["8-1", "8-2"] {
        let times: Vec<_> = all.order.iter().filter(|(fabric, _)| fabric == name).map(|&(_, at)| at).collect();
        assert_eq!(times[0], None);
        assert!(times[1..].iter().all(Option::is_some) && times.is_sorted(), "{name}: {times:?}");
    }
    let set: Vec<_> = all.events.iter().filter_map(|event| event.set.clone()).collect();
    let entries = dump["PeerConnections"].as_object().unwrap().values();
    let entries = entries.flat_map(|connection| connection["updateLog"].as_array().unwrap());
    let of = |kind: &str| entries.clone().filter(|entry| entry["type"] == kind).count();
    assert_eq!((set.len(), of("setLocalDescription") + of("setRemoteDescription")), (4, 4));
    for (side, sdp) in &set {
        let kind = if *side == SdpSide::Local { "setLocalDescription" } else { "setRemoteDescription" };
        let told = entries.clone().filter(|entry| entry["type"] == kind).any(|entry| {
            let value: Value = serde_json::from_str(entry["value"].as_str().unwrap()).unwrap();
            value["sdp"] == **sdp
        });
        assert!(told && Sdp::new(sdp).malformed().lines == 0);
    }
    // Two tracks added and one received at one end, one and two at the other.
    let added = |side: &str| {
        all.events.iter().filter(|it| it.what.starts_with(&format!("TrackAdded {{ side: Some({side}"))).count()
    };
    assert_eq!((added("Local"), added("Remote")), (3, 3));
}

type Described = (Ssrc, Option<MediaKind>);

#[test]
fn dump_descriptions_name_the_streams_of_its_snapshots() {
    let bytes = recording(DUMP);
    let all = read_all([&bytes[..]]);
    let mut ssrcs: BTreeMap<(String, bool), Vec<Described>> = BTreeMap::new();
    for event in &all.events {
        if let Some((side, sdp)) = &event.set {
            let streams = Sdp::new(sdp).streams().into_iter().map(|stream| (stream.ssrc, stream.media));
            ssrcs.entry((event.fabric.clone(), *side == SdpSide::Local)).or_default().extend(streams);
        }
    }
    let mut found = 0;
    for snapshot in &all.snapshots {
        for entry in snapshot.report.entries() {
            let local = match entry.kind().name() {
                "outbound-rtp" => true,
                "inbound-rtp" => false,
                _ => continue,
            };
            let known = &ssrcs[&(snapshot.fabric.clone(), local)];
            assert!(known.contains(&(entry.ssrc().unwrap(), entry.media())), "{entry:?}");
            found += 1;
        }
    }
    assert!(found > 300, "{found}");
}

#[test]
fn page_recorder_and_browser_log_give_the_same_states() {
    let recorder = recording("other/chrome-internals.ndjson.gz");
    let (seen, logged) = (states(&read_all(lines(&recorder))), states(&read_all([&recording(DUMP)[..]])));
    let logged: Vec<_> = logged
        .into_iter()
        .filter(|(_, kind, ..)| ["iceconnectionstatechange", "connectionstatechange"].contains(&&**kind))
        .map(|(fabric, kind, word, at)| (if fabric == "8-1" { "A" } else { "B" }, kind, word, at))
        .collect();
    assert_eq!(seen.len(), 8);
    for ((fabric, kind, word, at), logged) in seen.iter().zip(&logged) {
        assert_eq!((&**fabric, kind, word), (logged.0, &logged.1, &logged.2));
        assert!((at.unwrap() - logged.3.unwrap()).abs() < 50.0, "{at:?} {logged:?}");
    }
}

#[test]
fn recorded_events_are_handed_out() {
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for name in ["aiortc-loopback", "chrome-internals", "chrome-reconnect-reset", "firefox-p2p-impaired"] {
        let text = recording(&format!("other/{name}.ndjson.gz"));
        let all = read_all(lines(&text));
        let mut expected = Vec::new();
        for line in lines(&text).filter(|line| !line.is_empty()) {
            let line: Value = serde_json::from_slice(line).unwrap();
            let kind = match line["event"].as_str() {
                Some("create") => "Created",
                Some("close") => "Closed",
                Some("iceConnectionState") => "IceConnectionState",
                Some("connectionState") => "ConnectionState",
                Some("track" | "addTrack") => "TrackAdded",
                Some("mute") => "Muted",
                _ => continue,
            };
            *counted.entry(kind).or_default() += 1;
            expected.push((line["pc"].as_str().unwrap().to_owned(), line["t"].as_f64(), kind));
        }
        assert_eq!(all.events.len(), expected.len(), "{name}");
        for (event, expected) in all.events.iter().zip(&expected) {
            assert_eq!((&event.fabric, event.at), (&expected.0, expected.1), "{name}");
            assert!(event.what.starts_with(expected.2), "{name}: {event:?} {expected:?}");
        }
    }
    let expected = [
        ("Closed", 2),
        ("ConnectionState", 16),
        ("Created", 8),
        ("IceConnectionState", 16),
        ("Muted", 1),
        ("TrackAdded", 17),
    ];
    assert_eq!(counted, BTreeMap::from(expected));
}

#[test]
fn real_dumps_give_the_items_a_plain_decoder_finds() {
    for name in [
        "chrome-relay",
        "chrome-standard-pc-failed",
        "firefox97-standard-stats-sfu",
        "google-legacy-screenshare-p2p",
        "google-legacy-stats-sfu",
        "safari-relay",
        "undefined-ice-candidate",
    ] {
        let Some(text) = real_dump(&format!("jitsi/{name}")) else { continue };
        let all = read_all(lines(&text));
        let mut expected = States::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for line in lines(&text) {
            let Some(line) = serde_json::Deserializer::from_slice(line).into_iter::<Value>().next() else { continue };
            let line = line.unwrap();
            let Some(kind) = line[0].as_str() else { continue };
            if kind.ends_with("statechange") {
                let fabric = line[1].as_str().unwrap_or("").to_owned();
                expected.push((fabric, kind[2..].into(), line[2].as_str().unwrap().into(), line[3].as_f64()));
            }
            let counted = match kind {
                "create" => "Created",
                "close" => "Closed",
                "ontrack" | "addTrack" | "addStream" => "TrackAdded",
                "setLocalDescription" | "setRemoteDescription" => "DescriptionSet",
                "dominantSpeaker" => "DominantSpeaker",
                "setVideoType" => "VideoType",
                "onnegotiationneeded" => "NegotiationNeeded",
                "identity" => "Identity",
                _ if kind.ends_with("OnFailure") => "Failed",
                _ => continue,
            };
            *counts.entry(counted).or_default() += 1;
        }
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        assert!(expected.len() > 5, "{name}");
        assert_eq!(states(&all), expected, "{name}");
        for (kind, count) in counts {
            assert_eq!(all.events.iter().filter(|event| event.what.starts_with(kind)).count(), count, "{name}: {kind}");
        }
        assert_eq!((all.unknown, all.errors.len()), (0, 0), "{name}");
        let identity = all.events.iter().find(|event| event.what.starts_with("Identity")).unwrap();
        if let Some(conference) = &all.conference {
            assert!(identity.what.contains(&format!("conference: Some({conference:?})")), "{name}");
        }
    }
}

#[test]
fn old_dump_gets_its_displayed_times_from_its_stats() {
    let Some(bytes) = real_dump("internals/chrome134.json") else { return };
    let dump: Value = serde_json::from_slice(&bytes).unwrap();
    let all = read_all([&bytes[..]]);
    let without_times = |states: States| states.into_iter().map(|(a, b, c, _)| (a, b, c)).collect::<Vec<_>>();
    let expected = without_times(logged(&dump));
    assert!(expected.len() >= 8);
    assert_eq!(without_times(states(&all)), expected);
    assert_eq!(all.unknown, 0);
    assert!(all.events[0].what.contains("bundle_policy: Some(\"balanced\")"), "{:?}", all.events[0]);
    let first_poll = all.snapshots[0].at.unwrap();
    for event in &all.events[1..] {
        let after = event.at.unwrap() - first_poll;
        assert!((-5_000.0..5_000.0).contains(&after), "{after}");
    }
    let errors: Vec<_> = all.events.iter().filter(|event| event.what.starts_with("IceCandidateError")).collect();
    assert_eq!(errors.len(), 3);
    assert!(errors.iter().all(|error| error.what.contains("code: Some(7") && error.what.contains("url: Some(\"stun:")));
    assert!(
        all.events.iter().filter_map(|event| event.set.as_ref()).all(|(_, sdp)| Sdp::new(sdp).sections().count() > 1)
    );
}
