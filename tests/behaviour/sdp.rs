//! Session descriptions: the examples of the grammars, those of the recordings, and arbitrary text.

use std::collections::{BTreeMap, BTreeSet};

use callgauge::id::{MediaKind, Ssrc};
use callgauge::sdp::{MediaDirection, Role, Sdp, SdpLine, Stream};
use proptest::prelude::*;
use serde_json::Value;

use crate::common::recordings::{lines, meta, names};

/// Two sections as a browser writes them: a microphone, and a camera in two layers, each with retransmissions, the
/// first with repair.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=sendonly\r\n\
    a=ice-ufrag:seSS\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=mid:0\r\na=sendrecv\r\na=msid:room mic\r\n\
    a=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\na=ssrc:4294967295 cname:who@where\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:1\r\na=ice-ufrag:oWn\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n\
    a=ssrc-group:SIM 10 20\r\na=ssrc-group:FID 10 11\r\na=ssrc-group:FID 20 21\r\na=ssrc-group:FEC-FR 10 12\r\n\
    a=ssrc:10 cname:who@where\r\na=ssrc:10 msid:room camera\r\na=ssrc:11 cname:who@where\r\n\
    m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n";

fn of(streams: &[Stream<'_>], ssrc: u32) -> (u32, Role) {
    let stream = streams.iter().find(|stream| stream.ssrc == Ssrc::new(ssrc)).unwrap();
    (stream.primary.get(), stream.role)
}

#[test]
fn retransmissions_repair_and_layers_follow_the_first_layer() {
    let streams = Sdp::new(OFFER).streams();
    let all: Vec<_> = streams.iter().map(|stream| stream.ssrc.get()).collect();
    assert_eq!(all, [u32::MAX, 10, 20, 11, 21, 12]);
    assert_eq!(of(&streams, u32::MAX), (u32::MAX, Role::Media));
    assert_eq!(of(&streams, 10), (10, Role::Media));
    assert_eq!(of(&streams, 20), (10, Role::Layer));
    assert_eq!(of(&streams, 11), (10, Role::Retransmission));
    // Through the layer that it retransmits.
    assert_eq!(of(&streams, 21), (10, Role::Retransmission));
    assert_eq!(of(&streams, 12), (10, Role::Repair));
    for stream in &streams[1..] {
        assert_eq!((stream.media, stream.mid, stream.section), (Some(MediaKind::Video), Some("1"), 1));
        assert_eq!((stream.stream, stream.track, stream.cname), (Some("room"), Some("camera"), Some("who@where")));
    }
    let microphone = streams[0];
    assert_eq!((microphone.media, microphone.track), (Some(MediaKind::Audio), Some("mic")));
}

#[test]
fn section_attributes_override_those_of_the_session() {
    let sections: Vec<_> = Sdp::new(OFFER).sections().collect();
    assert_eq!(sections.iter().map(|it| it.word()).collect::<Vec<_>>(), ["audio", "video", "application"]);
    assert_eq!(sections.iter().map(|it| it.mid().unwrap()).collect::<Vec<_>>(), ["0", "1", "2"]);
    let directions: Vec<_> = sections.iter().map(|it| it.direction()).collect();
    assert_eq!(directions, [MediaDirection::SendRecv, MediaDirection::SendOnly, MediaDirection::SendOnly]);
    assert_eq!(sections.iter().map(|it| it.ice_ufrag().unwrap()).collect::<Vec<_>>(), ["seSS", "oWn", "seSS"]);
    assert_eq!(Sdp::new(OFFER).ice_ufrag(), Some("seSS"));
    assert_eq!(sections.iter().map(|it| it.has_no_port()).collect::<Vec<_>>(), [false, false, true]);
    let codecs: Vec<_> = sections[0].codecs().map(|it| (it.payload_type, it.name, it.clock_rate)).collect();
    assert_eq!(codecs, [(111, "opus", 48_000), (63, "red", 48_000)]);
    let codecs: Vec<_> = sections[1].codecs().map(|it| (it.payload_type, it.name)).collect();
    assert_eq!(codecs, [(96, "VP8"), (97, "rtx")]);
    // Without a direction attribute: both directions.
    assert_eq!(Sdp::new("m=audio 9 X 0").sections().next().unwrap().direction(), MediaDirection::SendRecv);
}

#[test]
fn layers_without_ssrcs_are_identified_by_their_rids() {
    // RFC 8853, 5.1: alternatives by commas, layers by semicolons, paused ones with a tilde, both directions.
    let sdp = "m=video 9 UDP/TLS/RTP/SAVPF 97\na=rid:1 send pt=97;max-width=1280\na=rid:2 send\na=rid:3 send\na=rid:4 recv\n\
        a=simulcast:recv 4 send 1,2;~3\n";
    let section = Sdp::new(sdp).sections().next().unwrap();
    assert_eq!(section.sent_rids().collect::<Vec<_>>(), ["1", "2", "3"]);
    assert_eq!(section.simulcast().collect::<Vec<_>>(), ["1", "2", "3"]);
    assert_eq!(Sdp::new(sdp).malformed().lines, 0);
    let receives = Sdp::new("m=video 9 X 97\na=simulcast:recv 4\n").sections().next().unwrap();
    assert_eq!(receives.simulcast().count(), 0);
}

#[test]
fn ssrc_without_attributes_is_listed() {
    // RFC 5576, 4.1 and 4.2: attributes without a value, members without attributes.
    let sdp = "m=audio 9 X 0\na=ssrc:5\na=ssrc:6 something\na=ssrc-group:FID 7 8\na=ssrc-group:LS 9 5\na=ssrc:10 label:t\na=ssrc:10 mslabel:s\n";
    let streams = Sdp::new(sdp).streams();
    assert_eq!(streams.iter().map(|it| it.ssrc.get()).collect::<Vec<_>>(), [5, 6, 7, 8, 9, 10]);
    assert_eq!(of(&streams, 8), (7, Role::Retransmission));
    // A lip synchronisation group assigns no primary.
    assert_eq!(of(&streams, 5), (5, Role::Media));
    assert_eq!((streams[5].stream, streams[5].track), (Some("s"), Some("t")));
    assert!(streams[..5].iter().all(|it| it.track.is_none() && it.cname.is_none()));
    assert_eq!(Sdp::new(sdp).malformed().lines, 0);
}

#[test]
fn empty_stream_and_track_names_are_none() {
    // RFC 8830, 2: `-` for no stream; the track may be missing.
    let sdp = "m=audio 9 X 0\na=msid:- mic\na=ssrc:1 cname:c\nm=audio 9 X 0\na=msid:room\na=ssrc:2 cname:c\nm=audio 9 X 0\na=msid:room mic\na=ssrc:3 msid:- other\n";
    let streams = Sdp::new(sdp).streams();
    let ids: Vec<_> = streams.iter().map(|it| (it.stream, it.track)).collect();
    assert_eq!(ids, [(None, Some("mic")), (Some("room"), None), (None, Some("other"))]);
}

#[test]
fn circular_ssrc_groups_terminate() {
    let sdp = "m=video 9 X 0\na=ssrc-group:FID 1 2\na=ssrc-group:FID 2 3\na=ssrc-group:FID 3 1\na=ssrc-group:FID 4 4\na=ssrc-group:SIM 9 2\n";
    let streams = Sdp::new(sdp).streams();
    // The group that closes the circle, and a second leader, do not count.
    assert_eq!([1, 2, 3, 4, 9].map(|ssrc| of(&streams, ssrc).0), [1, 1, 1, 4, 9]);
    let chain: String = (0..100_000).rev().map(|n| format!("a=ssrc-group:FID {n} {}\n", n + 1)).collect();
    let chain = format!("m=video 9 X 0\n{chain}");
    let streams = Sdp::new(&chain).streams();
    assert!(streams.len() > 16_000 && streams.iter().all(|it| it.mid.is_none()));
}

#[test]
fn same_ssrc_in_two_sections_is_two_streams() {
    let sdp = "m=audio 9 X 0\na=mid:a\na=ssrc:1 cname:c\nm=video 9 X 0\na=mid:v\na=ssrc:1 cname:c\n";
    let streams = Sdp::new(sdp).streams();
    assert_eq!(streams.iter().map(|it| it.mid.unwrap()).collect::<Vec<_>>(), ["a", "v"]);
}

#[test]
fn malformed_sdp_lines_are_counted_and_affect_no_other() {
    let bad = [
        "nonsense",
        "=x",
        "ab=x",
        "A=x",
        "a=",
        "a=:x",
        "a=mid",
        "a=mid:",
        "a=mid:a b",
        "a=ssrc",
        "a=ssrc:",
        "a=ssrc:x cname:y",
        "a=ssrc:-1 cname:y",
        "a=ssrc:+1 cname:y",
        "a=ssrc:4294967296 cname:y",
        "a=ssrc-group:FID",
        "a=ssrc-group:FID 1 x",
        "a=msid:",
        "a=rid:1",
        "a=rid:1 both",
        "a=simulcast:",
        "a=simulcast:1;2",
        "a=simulcast:send",
        "a=simulcast:send 1;",
        "a=simulcast:send 1 send 2",
        "a=rtpmap:128 opus/48000",
        "a=rtpmap:96 /90000",
        "a=rtpmap:96 VP8",
        "a=ice-ufrag:",
        "m=audio",
        "m=audio 65536 X 0",
        "m=audio 9 X",
    ];
    for line in bad {
        let sdp = format!("v=0\n\n{OFFER}{line}\na=ssrc:99 cname:last\n");
        let malformed = Sdp::new(&sdp).malformed();
        assert_eq!((malformed.lines, malformed.first), (1, Some(3 + OFFER.lines().count())), "{line}");
        assert!(Sdp::new(&sdp).streams().iter().any(|it| it.ssrc == Ssrc::new(99)), "{line}");
    }
    let not_utf8 = [OFFER.as_bytes(), b"a=mid:\xff\n"].concat();
    assert_eq!(Sdp::new(&not_utf8).malformed().lines, 1);
    assert_eq!(Sdp::new(OFFER).malformed(), Default::default());
}

#[test]
fn rtcstats_abbreviations_are_no_flaws_and_hold_their_place() {
    let sdp = Sdp::new("v=\r\nm=\r\nm=video 9 X 96\r\na=mid:1\r\na=ssrc:1 cname:c\r\n");
    assert_eq!(sdp.malformed().lines, 0);
    assert_eq!(sdp.sections().map(|it| (it.index, it.word())).collect::<Vec<_>>(), [(0, ""), (1, "video")]);
    assert_eq!(sdp.streams()[0].section, 1);
}

/// One sent stream as getStats reports it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sent {
    ssrc: u32,
    kind: String,
    mid: String,
    rtx: Option<u32>,
}

/// The streams that every connection of a recording sent or received.
fn reported(recording: &str, kind: &str) -> BTreeMap<String, BTreeSet<Sent>> {
    let mut reported: BTreeMap<String, BTreeSet<Sent>> = BTreeMap::new();
    for line in lines(recording) {
        let line: Value = serde_json::from_str(&line).unwrap();
        let Some(report) = line["report"].as_object() else { continue };
        for entry in report.values().filter(|entry| entry["type"] == kind) {
            let ssrc = |name: &str| entry[name].as_u64().map(|ssrc| u32::try_from(ssrc).unwrap());
            reported.entry(line["pc"].as_str().unwrap().into()).or_default().insert(Sent {
                ssrc: ssrc("ssrc").unwrap(),
                kind: entry["kind"].as_str().unwrap().into(),
                mid: entry["mid"].as_str().unwrap_or("").into(),
                rtx: ssrc("rtxSsrc"),
            });
        }
    }
    reported
}

#[test]
fn recorded_descriptions_name_the_ssrcs_of_get_stats() {
    let (mut streams, mut retransmissions) = (0, 0);
    for name in names() {
        let meta = meta(&name);
        let (sent, received) = (reported(&name, "outbound-rtp"), reported(&name, "inbound-rtp"));
        let connection = |at: &Value, to: &Value| {
            let pcs = meta["pcs"].as_array().unwrap();
            pcs.iter().find(|pc| pc["at"] == *at && pc["to"] == *to).unwrap()["pc"].as_str().unwrap().to_owned()
        };
        let mut described: BTreeMap<String, BTreeMap<u32, Stream<'_>>> = BTreeMap::new();
        for exchange in meta["sdp"].as_array().unwrap() {
            for (text, at, to) in [("offer", "from", "to"), ("answer", "to", "from")] {
                let sdp = Sdp::new(exchange[text].as_str().unwrap());
                assert_eq!(sdp.malformed(), Default::default(), "{name}");
                assert_eq!(sdp.ice_ufrag().map(str::is_empty), Some(false), "{name}");
                let of = described.entry(connection(&exchange[at], &exchange[to])).or_default();
                of.extend(sdp.streams().into_iter().map(|stream| (stream.ssrc.get(), stream)));
            }
        }
        let opposite = |pc: &str| {
            let pc = meta["pcs"].as_array().unwrap().iter().find(|it| it["pc"] == pc).unwrap();
            connection(&pc["to"], &pc["at"])
        };
        let seen = sent.iter().map(|(pc, sent)| (pc.clone(), sent));
        let seen = seen.chain(received.iter().map(|(pc, received)| (opposite(pc), received)));
        for (writer, seen) in seen {
            for seen in seen {
                // The lab removed the SSRCs of its simulcast from the description.
                if name == "simulcast" && seen.kind == "video" {
                    continue;
                }
                let Some(stream) = described[&writer].get(&seen.ssrc) else { panic!("{name} {writer}: {seen:?}") };
                assert_eq!(stream.media.map(MediaKind::name), Some(&*seen.kind), "{name} {writer}");
                assert_eq!((stream.primary, stream.role), (stream.ssrc, Role::Media), "{name} {writer}");
                assert!(seen.mid.is_empty() || stream.mid == Some(&*seen.mid), "{name} {writer}: {seen:?}");
                assert!(stream.cname.is_some() && stream.track.is_some(), "{name} {writer}: {stream:?}");
                streams += 1;
                if let Some(rtx) = seen.rtx {
                    let follower = described[&writer][&rtx];
                    assert_eq!((follower.primary.get(), follower.role), (seen.ssrc, Role::Retransmission), "{name}");
                    retransmissions += 1;
                }
            }
        }
    }
    println!("{streams} streams, {retransmissions} with retransmissions");
    assert!(streams > 200 && retransmissions > 50, "{streams} {retransmissions}");
}

#[test]
fn ice_restart_changes_the_user_name_fragment() {
    for (name, restarts) in [("ice_restart", true), ("hold", false)] {
        let meta = meta(name);
        let exchanges = meta["sdp"].as_array().unwrap();
        assert!(exchanges.len() > 1);
        let fragments: BTreeSet<_> =
            exchanges.iter().map(|exchange| Sdp::new(exchange["offer"].as_str().unwrap()).ice_ufrag()).collect();
        assert_eq!(fragments.len() > 1, restarts, "{name}");
    }
}

/// Lines that have a meaning, and some that nearly do.
fn any_line() -> impl Strategy<Value = String> {
    prop_oneof![
        "m=(audio|video|application|) ?[0-9]{0,5} ?[A-Z/]{0,6} ?[0-9 ]{0,6}",
        "a=ssrc:[0-9]{1,2} (cname|msid|mslabel|label|):?[a-c ]{0,5}",
        "a=ssrc-group:(SIM|FID|FEC-FR|LS)( [0-9]){0,4}",
        "a=(mid|msid|rid|simulcast|rtpmap|ice-ufrag|ssrc):[a-z0-9 ;,~/]{0,8}",
        "a=(sendrecv|sendonly|recvonly|inactive|mid|)",
        "[a-z]=[ -~]{0,9}",
        "\\PC{0,9}",
    ]
}

fn debug(sdp: Sdp<'_>) -> String {
    format!("{:?} {:?}", sdp.lines().collect::<Vec<_>>(), sdp.streams())
}

proptest! {
    #[test]
    fn any_bytes_parse_as_sdp_without_panic(bytes in any::<Vec<u8>>()) {
        let sdp = Sdp::new(&bytes);
        let lines = sdp.lines().count();
        prop_assert!(sdp.malformed().lines <= lines && sdp.sections().count() <= lines);
        let _ = sdp.streams();
    }

    #[test]
    fn sdp_line_endings_change_nothing(lines in proptest::collection::vec(any_line(), 0..30)) {
        let lines: Vec<_> = lines.iter().map(|line| line.replace(['\r', '\n'], "")).collect();
        let expected = lines.join("\n");
        for end in ["\r\n", "\r"] {
            let other = lines.join(end);
            prop_assert_eq!(debug(Sdp::new(&other)), debug(Sdp::new(&expected)));
        }
        prop_assert_eq!(debug(Sdp::new(&format!("{expected}\n"))), debug(Sdp::new(&expected)));
    }

    #[test]
    fn sections_split_the_text_and_own_their_streams(
        session in proptest::collection::vec(any_line().prop_filter("begins a section", |line| !line.starts_with("m=")), 0..5),
        sections in proptest::collection::vec(proptest::collection::vec(any_line(), 0..9), 0..5),
    ) {
        let of_section = |lines: &Vec<String>| {
            let lines = lines.iter().filter(|line| !line.starts_with("m=")).cloned();
            std::iter::once("m=video 9 X 96".to_owned()).chain(lines).collect::<Vec<_>>().join("\n") + "\n"
        };
        let sections: Vec<_> = sections.iter().map(of_section).collect();
        let session: String = session.iter().map(|line| format!("{line}\n")).collect();
        let whole = session.clone() + &sections.concat();
        let whole = Sdp::new(&whole);
        prop_assert_eq!(whole.sections().count(), sections.len());
        let lines = |sdp: Sdp<'_>| sdp.lines().filter(|line| !matches!(line, SdpLine::Malformed { .. })).count();
        prop_assert_eq!(lines(whole), lines(Sdp::new(&session)) + sections.iter().map(|it| lines(Sdp::new(it))).sum::<usize>());
        // No part of one section affects another.
        let streams = whole.streams();
        let mut alone = Vec::new();
        for (place, section) in sections.iter().enumerate() {
            alone.extend(Sdp::new(section).streams().into_iter().map(|stream| format!("{place} {:?} {:?} {:?} {:?}", stream.ssrc, stream.primary, stream.role, stream.track)));
        }
        let together: Vec<_> = streams.iter().map(|stream| format!("{} {:?} {:?} {:?} {:?}", stream.section, stream.ssrc, stream.primary, stream.role, stream.track)).collect();
        prop_assert_eq!(together, alone);
        for stream in &streams {
            // A primary has no primary of its own.
            let primary = streams.iter().find(|it| it.section == stream.section && it.ssrc == stream.primary);
            prop_assert_eq!(primary.map(|it| it.primary), Some(stream.primary));
        }
    }
}
