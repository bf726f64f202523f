//! Real calls whose browsers reported their states to the lab in addition to the stats.

use std::collections::BTreeMap;

use callgauge::event::EventKind;
use callgauge::event::IceState;
use callgauge::ingest::Reader;
use callgauge::summary::ConferenceSummary;
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, Event, FabricSpec};

use crate::common::recordings::{lines, meta, replay};

/// An input of a call: a snapshot's line, or a state that a browser reported to the lab.
enum Input {
    Line(String),
    Ice(IceState),
}

/// The call of a recording with its users. Its fabrics open at the lab's first offer, and `reported` adds the states that
/// the browsers reported.
fn call(name: &str, reported: bool) -> (ConferenceSummary, Vec<(EventKind, f64)>) {
    let meta = meta(name);
    let mut inputs: Vec<(f64, String, Input)> = Vec::new();
    for event in meta["events"].as_array().unwrap() {
        if event["what"] == "iceConnectionState" && reported {
            let state = IceState::from_name(event["state"].as_str().unwrap()).unwrap();
            inputs.push((event["t"].as_f64().unwrap(), event["pc"].as_str().unwrap().into(), Input::Ice(state)));
        }
    }
    for line in lines(name) {
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        inputs.push((value["t"].as_f64().unwrap(), value["pc"].as_str().unwrap().into(), Input::Line(line)));
    }
    inputs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let offer = meta["events"].as_array().unwrap().iter().find(|event| event["what"] == "offer").unwrap()["t"].as_f64();
    // A PeerConnection exists, and is sampled, a little before its offer.
    let start = offer.unwrap().min(inputs[0].0);
    let time = |ms: f64| Timestamp::from_micros((ms * 1e3) as u64);
    let mut call = Conference::new(name, Config::new());
    let mut fabrics = BTreeMap::new();
    for pc in meta["pcs"].as_array().unwrap() {
        let user = |call: &mut Conference, key: &str| call.user(pc[key].as_str().unwrap()).unwrap();
        let (local, remote) = (user(&mut call, "at"), user(&mut call, "to"));
        let spec = FabricSpec::new(pc["pc"].as_str().unwrap()).with_local_user(local).with_remote_user(remote);
        fabrics.insert(pc["pc"].as_str().unwrap().to_owned(), call.open_fabric(time(start), spec).unwrap());
    }
    let (mut reader, mut events) = (Reader::new(), Vec::new());
    for (ms, pc, input) in inputs {
        let fabric = fabrics[&pc];
        match input {
            Input::Ice(state) => call.ice_state(time(ms), fabric, state).unwrap(),
            Input::Line(line) => {
                let mut each = |snapshot: callgauge::ingest::Snapshot<'_>| {
                    call.ingest(time(ms), fabric, snapshot.report).unwrap();
                };
                reader.read(line.as_bytes(), &mut each).unwrap();
            }
        }
        while let Some(event) = call.poll_event() {
            if let Event::Call { event, .. } = event {
                events.push((event.kind, event.at.as_micros() as f64 / 1e3));
            }
        }
    }
    (call.summary(), events)
}

#[test]
fn inferred_setup_matches_the_browser_events() {
    for name in ["clean", "ff_clean", "mesh4", "screen"] {
        let (reported, _) = call(name, true);
        let (inferred, _) = call(name, false);
        assert!(reported.fabrics.len() >= 2 && reported.fabrics.len() == inferred.fabrics.len());
        for (reported, inferred) in reported.fabrics.iter().zip(&inferred.fabrics) {
            assert_eq!(reported.fabric, inferred.fabric);
            let (exact, late) = (reported.setup_delay_ms.unwrap(), inferred.setup_delay_ms.unwrap());
            let least = late - inferred.setup_delay_uncertainty_ms.unwrap();
            assert!(exact > 50.0 && exact < 1_000.0, "{name}: {exact}");
            assert!((least..=late).contains(&exact), "{name}: {exact} not in {least}..={late}");
            assert_eq!((reported.state, reported.call_class), (inferred.state, inferred.call_class));
        }
        let delays = reported.connectivity.setup_delay_ms;
        assert_eq!(delays.n, reported.fabrics.len() as u64);
        assert!(delays.min <= delays.median && delays.median <= delays.max && delays.min <= delays.mean);
    }
}

#[test]
fn ice_restart_and_path_switch_are_found_at_both_ends() {
    // The lab restarts ICE at 24 s from A and at 48 s from B; Chromium stays connected meanwhile.
    let start = meta("ice_restart")["t0"].as_f64().unwrap();
    for reported in [false, true] {
        let (summary, events) = call("ice_restart", reported);
        for fabric in &summary.fabrics {
            assert_eq!((fabric.connectivity.restarts, fabric.connectivity.transport_switches), (2, 2));
            assert_eq!((fabric.connectivity.disruptions, fabric.connectivity.drops), (0, 0));
        }
        for kind in [EventKind::IceRestarted, EventKind::FabricTransportSwitch] {
            let times: Vec<f64> = events.iter().filter(|(what, _)| *what == kind).map(|(_, ms)| ms - start).collect();
            assert_eq!(times.len(), 4, "{kind:?}");
            for (ms, expected) in times.iter().zip([24e3, 24e3, 48e3, 48e3]) {
                assert!((0.0..2_500.0).contains(&(ms - expected)), "{kind:?} at {ms}, not {expected}");
            }
        }
    }
}

#[test]
fn short_disruption_is_present_when_reported() {
    // A reported to the lab that it was disconnected for 3 ms, a minute into the call.
    let (reported, _) = call("outage5", true);
    let life = &reported.fabrics.iter().find(|fabric| fabric.fabric == "A").unwrap().connectivity;
    assert_eq!(life.disruptions, 1);
    assert!((0.001..0.01).contains(&life.disrupted_s), "{}", life.disrupted_s);
    let (inferred, _) = call("outage5", false);
    assert_eq!(inferred.connectivity.disruptions, 0);
}

#[test]
fn both_ends_of_a_stream_are_joined_and_agree() {
    let (summary, _) = call("loss5", false);
    // Audio and video in both directions.
    assert_eq!(summary.deliveries.len(), 4);
    for link in &summary.deliveries {
        let (from, to) = (link.from.as_deref().unwrap(), link.to.as_deref().unwrap());
        assert!((from, to) == ("A", "B") || (from, to) == ("B", "A"));
        assert_eq!((link.sender_fabric.as_str(), link.receiver_fabric.as_str()), (from, to));
        let (sent, received) = (link.packets_sent.unwrap() as f64, link.packets_received.unwrap() as f64);
        assert!(received > 0.85 * sent && received < 1.01 * sent, "{received} of {sent}");
        // No server stands between the two: both losses describe the same path.
        let (sender, receiver) = (link.sender_loss_ratio.unwrap(), link.receiver_loss_ratio.unwrap());
        assert!((sender - receiver).abs() < 0.015, "{sender} and {receiver}");
    }
    for user in &summary.users {
        assert_eq!((user.uplink.streams, user.downlink.streams, user.delivered.streams), (2, 2, 2));
        let other = summary.users.iter().find(|other| other.user != user.user).unwrap();
        assert_eq!(user.delivered.packets, other.downlink.packets);
        assert!(user.uplink.packets.unwrap() >= user.delivered.packets.unwrap());
    }
    assert_eq!(summary.downlink.packets, summary.users.iter().map(|user| user.downlink.packets).sum());
}

#[test]
fn each_of_four_users_has_only_its_own_streams() {
    let (summary, _) = call("mesh4", false);
    assert_eq!((summary.users.len(), summary.fabrics.len()), (4, 12));
    for fabric in &summary.fabrics {
        for stream in &fabric.streams {
            let whose = match stream.direction {
                callgauge::id::Direction::Outbound => &fabric.local_user,
                callgauge::id::Direction::Inbound => &fabric.remote_user,
            };
            assert_eq!(&stream.user, whose);
        }
    }
    // An SSRC sent by one participant is received as theirs by another, for every stream of the mesh.
    for link in &summary.deliveries {
        let (from, to) = link.sender_fabric.split_once('-').unwrap();
        assert_eq!((link.from.as_deref(), link.to.as_deref()), (Some(from), Some(to)));
        assert_eq!(link.receiver_fabric, format!("{to}-{from}"));
    }
    assert!(summary.deliveries.len() >= 12, "{}", summary.deliveries.len());
}

#[test]
fn recording_without_users_gives_the_same_streams() {
    let (named, _) = call("loss5", false);
    let nameless = replay(&lines("loss5")).call.summary();
    assert!(nameless.users.is_empty());
    assert_eq!(named.fabrics.len(), nameless.fabrics.len());
    for a in &named.fabrics {
        let b = nameless.fabrics.iter().find(|fabric| fabric.fabric == a.fabric).unwrap();
        assert_eq!((&a.downlink, &a.uplink), (&b.downlink, &b.uplink));
        assert_eq!(a.streams.len(), b.streams.len());
    }
    assert_eq!(named.deliveries.len(), nameless.deliveries.len());
}
