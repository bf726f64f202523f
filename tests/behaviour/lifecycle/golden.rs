//! A call in which everything happens once, byte for byte. `UPDATE_GOLDEN=1 cargo test --test behaviour lifecycle::golden`
//! rewrites the files; review the difference line by line.

use callgauge::conference::{Feedback, FeedbackRating};
use callgauge::event::{
    EndpointType, ErrorReport, FabricUsage, GatheringState, IceState, SignalingState, TransmissionDirection,
    WebRtcFunction,
};
use callgauge::fabric::Device;
use callgauge::id::Ssrc;
use callgauge::summary::ConferenceSummary;
use callgauge::{AppEvent, Conference, Config, FabricSpec};

use super::{at, pictures, push, received, sent};

fn golden(name: &str, got: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour/lifecycle/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, got).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
        assert_eq!(got, expected, "{name}, line {}", number + 1);
    }
    assert_eq!(got.lines().count(), expected.lines().count(), "{name} has another number of lines");
}

/// Alice and Bob talk for 20 s; Carol is shown on Bob's connection for some of it, and Dave never connects.
fn call(view_at: u64) -> (Conference, callgauge::summary::View) {
    let mut call = Conference::new("Weekly", Config::new());
    let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(|name| call.user(name).unwrap());
    let open = |call: &mut Conference, ms, name, from, to| {
        let spec = FabricSpec::new(name).with_local_user(from).with_remote_user(to);
        let spec = spec.with_usage(FabricUsage::Multiplex).with_endpoint_type(EndpointType::Peer);
        call.open_fabric(at(ms), spec.with_direction(TransmissionDirection::SendRecv)).unwrap()
    };
    let a = open(&mut call, 0, "a", alice, bob);
    let b = open(&mut call, 0, "b", bob, alice);
    let d = open(&mut call, 0, "d", dave, alice);
    let list = [Device { id: "1f", kind: "audioinput", group: "g", label: "Alice's headset" }];
    call.send_event(at(10), a, AppEvent::ActiveDevices(&list)).unwrap();
    call.fabric(a).unwrap().associate(Ssrc::new(1), alice, "microphone").unwrap();
    call.fabric(a).unwrap().associate(Ssrc::new(3), bob, "camera").unwrap();
    for fabric in [a, b] {
        call.signaling_state(at(20), fabric, SignalingState::HaveLocalOffer).unwrap();
        call.gathering_state(at(20), fabric, GatheringState::Gathering).unwrap();
    }
    for fabric in [a, b] {
        call.signaling_state(at(120), fabric, SignalingState::Stable).unwrap();
        call.ice_state(at(120), fabric, IceState::Checking).unwrap();
        call.gathering_state(at(120), fabric, GatheringState::Complete).unwrap();
    }
    call.ice_state(at(300), a, IceState::Connected).unwrap();
    call.ice_state(at(310), b, IceState::Connected).unwrap();
    let refused = ErrorReport::new(WebRtcFunction::GetUserMedia).with_dom_error("NotAllowedError", "Permission denied");
    call.report_error(at(400), Some(d), refused).unwrap();

    let mut report = callgauge::report::Report::new();
    let mut view = None;
    for second in 1..=20_u64 {
        let (now, packets) = (at(second * 1_000), second as u32 * 50);
        match second {
            4 => drop(call.send_event(now, a, AppEvent::AudioMute(None)).unwrap()),
            7 => drop(call.send_event(now, a, AppEvent::AudioUnmute(None)).unwrap()),
            8 => drop(call.fabric(a).unwrap().associate(Ssrc::new(3), carol, "camera").unwrap()),
            9 => call.ice_state(now, b, IceState::Disconnected).unwrap(),
            11 => call.ice_state(now, b, IceState::Completed).unwrap(),
            12 => drop(call.send_event(now, b, AppEvent::ScreenShareStart(Some(Ssrc::new(3)))).unwrap()),
            14 => drop(call.send_event(now, b, AppEvent::DominantSpeaker).unwrap()),
            15 => drop(call.report_error(now, Some(b), ErrorReport::log("a line of the log")).unwrap()),
            _ => {}
        }
        for (fabric, streams) in [
            (a, [sent(1, packets), received(2, packets), received(3, packets)]),
            (b, [received(1, packets), sent(2, packets), pictures(3, packets)]),
        ] {
            report.clear();
            for stream in streams {
                push(&mut report, second * 1_000, stream);
            }
            call.ingest(now, fabric, &report).unwrap();
        }
        if second == view_at {
            view = Some(call.snapshot());
        }
    }
    call.send_event(at(20_500), a, AppEvent::Terminated).unwrap();
    call.leave(at(20_500), dave).unwrap();
    call.handle_timeout(at(20_600)).unwrap();
    let rating =
        Feedback::new(FeedbackRating::new(3).unwrap()).with_audio(FeedbackRating::BEST).with_comment("who was Carol?");
    call.feedback(Some(alice), None, rating).unwrap();
    call.feedback(Some(bob), Some(b), Feedback::new(FeedbackRating::of_two(true))).unwrap();
    (call, view.unwrap())
}

#[test]
fn summary_of_a_full_call_equals_its_golden_file() {
    let (call, _) = call(20);
    let text = serde_json::to_string_pretty(&call.summary()).unwrap() + "\n";
    let back: ConferenceSummary = serde_json::from_str(&text).unwrap();
    assert_eq!(back, call.summary());
    golden("conference.json", &text);
}

#[test]
fn view_of_a_full_call_equals_its_golden_file() {
    let (_, view) = call(6);
    golden("view.json", &(serde_json::to_string_pretty(&view).unwrap() + "\n"));
}
