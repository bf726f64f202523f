//! Every kind of log line, with every form of its value.

use super::{lines, printed, read_all};

#[test]
fn states_are_passed_on_in_their_spelling() {
    let states = [
        (r#"["oniceconnectionstatechange","A","checking",5]"#, r#"IceConnectionState("checking")"#),
        (r#"["iceconnectionstatechange","A","no such state",5]"#, r#"IceConnectionState("no such state")"#),
        (r#"["onicegatheringstatechange","A","complete",5]"#, r#"IceGatheringState("complete")"#),
        // Chrome's own export quotes once more.
        (
            r#"["onsignalingstatechange","A","\"have-local-offer\"","http://x/",5]"#,
            r#"SignalingState("have-local-offer")"#,
        ),
        (r#"[25,"A","connected",5]"#, r#"ConnectionState("connected")"#),
        (r#"{"event":"signalingState","t":5,"pc":"A","state":"stable"}"#, r#"SignalingState("stable")"#),
        (r#"{"event":"onconnectionstatechange","t":5,"pc":"A","value":"failed"}"#, r#"ConnectionState("failed")"#),
    ];
    for (line, expected) in states {
        assert_eq!(printed(line), [expected], "{line}");
    }
    for (line, expected) in [
        (r#"["oniceconnectionstatechange","A",null,5]"#, 1),
        (r#"["oniceconnectionstatechange","A","",5]"#, 1),
        (r#"["oniceconnectionstatechange","A",[7],5]"#, 1),
        (r#"["whatever","A","checking",5]"#, 1),
        (r#"[99,"A","checking",5]"#, 1),
        (r#"["onicecandidate","A",{"candidate":""},5]"#, 0),
        (r#"["navigator.mediaDevices.enumerateDevices",null,[],5]"#, 0),
    ] {
        let all = read_all([line.as_bytes()]);
        assert_eq!((all.events.len(), all.unknown, all.errors.len()), (0, expected, 0), "{line}");
    }
}

#[test]
fn log_lines_give_the_events_of_a_connection() {
    let text = r#"RTCStatsDump
{"fileFormat":3}
[39,null,{"hardwareConcurrency":4},1700000000000]
[39,"0",{"iceTransportPolicy":"relay","bundlePolicy":"max-bundle","iceServers":[{"urls":"turn:x"}]},10]
[37,"0",null,10]
[27,"0",null,10]
[36,"0",null,10]
["close",null,1001,10]"#;
    let all = read_all(lines(text.as_bytes()));
    let got: Vec<_> = all.events.iter().map(|it| (&*it.fabric, it.at.unwrap() - 1.7e12, &*it.what)).collect();
    let created =
        r#"Created(Configuration { ice_transport_policy: Some("relay"), bundle_policy: Some("max-bundle") })"#;
    let expected =
        [("0", 10.0, created), ("0", 20.0, "IceRestart"), ("0", 30.0, "NegotiationNeeded"), ("0", 40.0, "Closed")];
    assert_eq!(got, expected);
    assert_eq!(all.unknown, 0);
    assert_eq!(printed(r#"["close","A",{},5]"#), ["Closed"]);
}

fn description_set(side: &str, kind: &str, sdp: &str) -> String {
    let kind = if kind.is_empty() { "None".to_owned() } else { format!("Some({kind:?})") };
    let sdp = if sdp.is_empty() { "None".to_owned() } else { format!("Some({sdp:?})") };
    format!("DescriptionSet {{ side: {side}, description: Description {{ kind: {kind}, sdp: {sdp} }} }}")
}

#[test]
fn descriptions_are_read_in_every_wrapping() {
    let sdp = "v=0\r\ns=-\r\n";
    for (line, expected) in [
        (
            r#"["setLocalDescription","A",{"type":"offer","sdp":"v=0\r\ns=-\r\n"},5]"#,
            description_set("Local", "offer", sdp),
        ),
        (
            r#"["setRemoteDescription","A",[{"type":"answer","sdp":"v=0\r\ns=-\r\n"}],5]"#,
            description_set("Remote", "answer", sdp),
        ),
        (
            r#"["setRemoteDescription","A","{\"type\":\"answer\",\"sdp\":\"v=0\\r\\ns=-\\r\\n\"}",5]"#,
            description_set("Remote", "answer", sdp),
        ),
        (r#"["setRemoteDescription","A","v=0\r\ns=-\r\n",5]"#, description_set("Remote", "", sdp)),
        // A value hidden by the server that stored it, and a call without arguments.
        (r#"["setRemoteDescription","A","",5]"#, description_set("Remote", "", "")),
        (r#"[6,"A",null,5]"#, description_set("Local", "", "")),
        (r#"[7,"A",{"type":"offer","sdp":"v=0\r\ns=-\r\n"},5]"#, description_set("Local", "offer", sdp)),
        (r#"["setLocalDescription","A",{"type":"rollback","sdp":""},5]"#, description_set("Local", "rollback", "")),
        (r#"["setLocalDescription","A","type: offer, sdp: v=0\r\ns=-\r\n",5]"#, description_set("Local", "offer", sdp)),
    ] {
        assert_eq!(printed(line), [expected], "{line}");
    }
    assert!(printed(r#"["setLocalDescriptionOnSuccess","A",null,5]"#).is_empty());
    let created = printed(r#"["createOfferOnSuccess","A",{"type":"offer","sdp":"v=0\r\n"},5]"#);
    assert_eq!(created, [r#"DescriptionCreated(Description { kind: Some("offer"), sdp: Some("v=0\r\n") })"#]);
}

fn failed(function: &str, name: Option<&str>, message: Option<&str>) -> String {
    format!("Failed {{ function: {function:?}, name: {name:?}, message: {message:?} }}")
}

fn candidate_error(code: Option<u16>, text: Option<&str>, url: Option<&str>) -> String {
    format!("IceCandidateError {{ code: {code:?}, text: {text:?}, url: {url:?} }}")
}

#[test]
fn failures_have_a_function_a_name_and_a_message() {
    for (line, expected) in [
        (
            r#"["createOfferOnFailure","A","OperationError: no more",5]"#,
            failed("createOffer", Some("OperationError"), Some("no more")),
        ),
        (
            r#"["setRemoteDescriptionOnFailure","A","something: else",5]"#,
            failed("setRemoteDescription", None, Some("something: else")),
        ),
        (r#"[65,null,"NotFoundError","65-0",5]"#, failed("getUserMedia", Some("NotFoundError"), None)),
        (
            r#"[68,null,{"name":"NotAllowedError","message":"denied"},5]"#,
            failed("getDisplayMedia", Some("NotAllowedError"), Some("denied")),
        ),
        (r#"["addIceCandidateFailed","A","",5]"#, failed("addIceCandidate", None, None)),
    ] {
        assert_eq!(printed(line), [expected], "{line}");
    }
    for (line, expected) in [
        (
            r#"[21,"A",{"errorCode":701,"errorText":"unreachable","url":"turn:x"},5]"#,
            candidate_error(Some(701), Some("unreachable"), Some("turn:x")),
        ),
        (
            r#"["icecandidateerror","A","url: stun:x\naddress: [2001::x]\nerror_text: a, b.\nerror_code: 600",5]"#,
            candidate_error(Some(600), Some("a, b."), Some("stun:x")),
        ),
        (r#"["onicecandidateerror","A","{\"error_code\":\"401\"}",5]"#, candidate_error(Some(401), None, None)),
        (r#"["onicecandidateerror","A",null,5]"#, candidate_error(None, None, None)),
    ] {
        assert_eq!(printed(line), [expected], "{line}");
    }
}

fn track(kind: &str, id: Option<&str>, mid: Option<&str>, stream: Option<&str>) -> String {
    let kind = if kind.is_empty() { "None".to_owned() } else { format!("Some({kind})") };
    format!("Track {{ kind: {kind}, id: {id:?}, mid: {mid:?}, stream: {stream:?} }}")
}

#[test]
fn tracks_are_read_in_every_shape() {
    let added = |side: &str, track: String| format!("TrackAdded {{ side: {side}, track: {track} }}");
    let local = |track| added("Some(Local)", track);
    let remote = |track| added("Some(Remote)", track);
    for (line, expected) in [
        (r#"["addTrack","A","video:t -",5]"#, vec![local(track("Video", Some("t"), None, None))]),
        (r#"["ontrack","A","audio:{t-1} stream:s",5]"#, vec![remote(track("Audio", Some("{t-1}"), None, Some("s")))]),
        (
            r#"["addStream","A","s audio:t,video:u",5]"#,
            vec![local(track("Audio", Some("t"), None, Some("s"))), local(track("Video", Some("u"), None, Some("s")))],
        ),
        (
            r#"["ontrack","A","{\"kind\":\"audio\",\"id\":\"t\",\"streams\":[\"s\",\"r\"]}",5]"#,
            vec![remote(track("Audio", Some("t"), None, Some("s")))],
        ),
        (
            r#"{"event":"track","t":5,"pc":"A","kind":"video","mid":"1"}"#,
            vec![remote(track("Video", None, Some("1"), None))],
        ),
        (r#"[30,"A",["audio","t","label"],5]"#, vec![local(track("Audio", Some("t"), None, None))]),
        (r#"["onmute","A","t",5]"#, vec![format!("Muted({})", track("", Some("t"), None, None))]),
        (r#"[74,"A",["audio","t","label"],5]"#, vec![format!("Unmuted({})", track("Audio", Some("t"), None, None))]),
        (
            r#"["onended",null,{"kind":"video","id":"t"},5]"#,
            vec![format!("TrackEnded({})", track("Video", Some("t"), None, None))],
        ),
        (
            r#"["removeTrack","A","audio:t",5]"#,
            vec![format!("TrackRemoved({})", track("Audio", Some("t"), None, None))],
        ),
        (
            r#"[64,null,[["video","t","screen"],["audio","u","tab"]],"63-0",5]"#,
            vec![
                format!("Captured {{ display: true, track: {} }}", track("Video", Some("t"), None, None)),
                format!("Captured {{ display: true, track: {} }}", track("Audio", Some("u"), None, None)),
            ],
        ),
        (
            r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,{"id":"s","tracks":[{"id":"t","kind":"audio"}]},5]"#,
            vec![format!("Captured {{ display: false, track: {} }}", track("Audio", Some("t"), None, None))],
        ),
    ] {
        assert_eq!(printed(line), expected, "{line}");
    }
    for line in
        [r#"["ontrack","A",null,5]"#, r#"["ontrack","A",[[[[[["audio","t"]]]]]],5]"#, r#"["removeTrack","A","null",5]"#]
    {
        assert_eq!((printed(line).len(), read_all([line.as_bytes()]).unknown), (0, 1), "{line}");
    }
}

fn dominant_speaker(endpoint: Option<&str>, silence: bool) -> String {
    format!("DominantSpeaker {{ endpoint: {endpoint:?}, silence: {silence} }}")
}

#[test]
fn case_42_dominant_speakers_and_identities_are_read() {
    for (value, expected) in [
        (r#"{"dominantSpeakerEndpoint":"1a2b","previousSpeakers":[]}"#, dominant_speaker(Some("1a2b"), false)),
        (r#"{"dominantSpeakerEndpoint":"1a2b","silence":true}"#, dominant_speaker(Some("1a2b"), true)),
        (r#"{"dominantSpeakerEndpoint":null}"#, dominant_speaker(None, false)),
        (r#""1a2b""#, dominant_speaker(Some("1a2b"), false)),
        ("null", dominant_speaker(None, false)),
        (r#""null""#, dominant_speaker(None, false)),
    ] {
        assert_eq!(printed(&format!(r#"["dominantSpeaker",null,{value},5]"#)), [expected], "{value}");
    }
    let identity = printed(
        r#"["identity",null,{"userId":7,"hosts":{"userId":"x"},"displayName":"D\u00e9","endpointId":"e","confName":"c","sessionId":1,"meetingUniqueId":"m","applicationName":"app"},5]"#,
    );
    let expected = r#"Identity(Identity { user: Some("7"), display_name: Some("Dé"), endpoint: Some("e"), conference: Some("c"), session: Some("m"), application: Some("app") })"#;
    assert_eq!(identity, [expected]);
    // A second line adds what the first lacked; an empty line gives nothing.
    assert_eq!(printed(r#"["identity",null,{"hosts":{}},5]"#).len(), 0);
    let shows = printed(r#"["setVideoType",null,{"ssrc":"4294967295","videoType":"desktop"},5]"#);
    assert_eq!(shows, [r#"VideoType { ssrc: Some(Ssrc(4294967295)), shows: "desktop" }"#]);
}

fn client_sample(client: &str, events: &str) -> String {
    format!(
        r#"{{"timestamp":6000,"callId":"call","clientId":"{client}","peerConnections":[{{"peerConnectionId":"A","inboundRtps":[{{"id":"I","ssrc":7,"timestamp":5999}}]}}],"clientEvents":[{events}]}}"#
    )
}

#[test]
fn client_samples_give_user_and_call_before_their_snapshots() {
    let events = r#"{"type":"CLIENT_JOINED","timestamp":5000},
        {"type":"PEER_CONNECTION_OPENED","payload":{"peerConnectionId":"A","iceConnectionState":"new"},"timestamp":5001},
        {"type":"ICE_CONNECTION_STATE_CHANGED","payload":"{\"peerConnectionId\":\"A\",\"iceConnectionState\":\"checking\"}","timestamp":5002},
        {"type":"PEER_CONNECTION_STATE_CHANGED","payload":{"peerConnectionId":"A","connectionState":"connected"}},
        {"type":"MEDIA_TRACK_MUTED","payload":{"peerConnectionId":"A","trackId":"t","kind":"audio"},"timestamp":5004},
        {"type":"PRODUCER_RESUMED","payload":{"peerConnectionId":"A","producerId":"p","trackId":"t"},"timestamp":5005},
        {"type":"ICE_CANDIDATE_ERROR","payload":{"peerConnectionId":"A","errorCode":701,"url":"turn:x"},"timestamp":5006},
        {"type":"SOMETHING_NEW","payload":{}},7,{"type":"PEER_CONNECTION_CLOSED","payload":{"peerConnectionId":"A"},"timestamp":5007},
        {"type":"CLIENT_LEFT","timestamp":5008}"#.replace('\n', "");
    let text = [client_sample("me", &events), client_sample("me", ""), client_sample("you", "")].join("\n");
    let all = read_all(lines(text.as_bytes()));
    assert!(all.errors.is_empty());
    let got: Vec<_> =
        all.events.iter().map(|it| (&*it.fabric, it.at.unwrap(), it.what.split([' ', '(']).next().unwrap())).collect();
    let expected = [
        ("", 6000.0, "Identity"),
        ("", 5000.0, "Joined"),
        ("A", 5001.0, "Created"),
        ("A", 5002.0, "IceConnectionState"),
        ("A", 6000.0, "ConnectionState"),
        ("A", 5004.0, "Muted"),
        ("A", 5005.0, "Unmuted"),
        ("A", 5006.0, "IceCandidateError"),
        ("A", 5007.0, "Closed"),
        ("", 5008.0, "Left"),
        ("", 6000.0, "Identity"),
    ];
    assert_eq!(got, expected);
    assert_eq!((all.unknown, all.snapshots.len()), (2, 3));
    assert!(all.events[0].what.contains(r#"endpoint: Some("me"), conference: Some("call")"#), "{:?}", all.events[0]);
    assert!(all.events[10].what.contains(r#"endpoint: Some("you")"#));
    assert_eq!(all.order[10], ("A".to_owned(), Some(6000.0)));
}

#[test]
fn dump_gives_failed_captures_and_log_entries_without_times() {
    let dump = r#"{"getUserMedia":[{"request_type":"getUserMedia","audio":"","timestamp":5},
        {"error":"NotAllowedError","error_message":"denied","timestamp":6},{"error":"AbortError","request_type":"getDisplayMedia"}],
        "PeerConnections":{"1-1":{"rtcConfiguration":"{ iceServers: [a, b], iceTransportPolicy: relay, bundlePolicy: max-compat }",
        "updateLog":[{"type":"iceconnectionstatechange","value":"checking","time":"some day"},
            {"type":"iceconnectionstatechange (legacy)","value":"checking"},{"type":"stop","value":""},
            {"type":"signalingstatechange","value":"closed","timestamp":9}, 7, {"type":"close"}],
        "stats":{"I-ssrc":{"statsType":"inbound-rtp","startTime":8,"endTime":1008,"values":"[7,7]"}}}}}"#;
    let all = read_all([dump.as_bytes()]);
    let got: Vec<_> = all.events.iter().map(|it| (&*it.fabric, it.at, &*it.what)).collect();
    let expected = [
        (
            "",
            Some(6.0),
            r#"Failed { function: "getUserMedia", name: Some("NotAllowedError"), message: Some("denied") }"#,
        ),
        ("", None, r#"Failed { function: "getDisplayMedia", name: Some("AbortError"), message: None }"#),
        (
            "1-1",
            None,
            r#"Created(Configuration { ice_transport_policy: Some("relay"), bundle_policy: Some("max-compat") })"#,
        ),
        ("1-1", None, r#"IceConnectionState("checking")"#),
        ("1-1", Some(9.0), r#"SignalingState("closed")"#),
        ("1-1", None, "Closed"),
    ];
    assert_eq!(got, expected);
    assert_eq!((all.unknown, all.snapshots.len()), (2, 2));
    // Between the polls at 8 and 1008.
    let times: Vec<_> = all.order[2..].iter().map(|(_, at)| *at).collect();
    assert_eq!(times, [None, None, Some(8.0), Some(9.0), None, Some(1008.0)]);
}
