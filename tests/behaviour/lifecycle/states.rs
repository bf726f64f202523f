//! Progress of fabrics, from application events and from stats.

use callgauge::event::{
    CallClass, ConnectionState, FabricState, FailureReason, GatheringState, IceState, Relay, SignalingState,
};
use callgauge::event::{EventKind, StateChange};
use callgauge::report::{Flag, Num, StatsType, Text};
use callgauge::unit::StatTime;
use callgauge::{AppEvent, FabricSpec, InputError};

use super::{Call, at, push, push_transport, received};

#[test]
fn setup_delays_count_from_the_opening() {
    let mut call = Call::new();
    call.call.gathering_state(at(100), call.fabric, GatheringState::Gathering).unwrap();
    call.call.ice_state(at(200), call.fabric, IceState::Checking).unwrap();
    assert_eq!(call.summary().state, Some(FabricState::Initializing));
    call.call.ice_state(at(750), call.fabric, IceState::Connected).unwrap();
    call.call.gathering_state(at(900), call.fabric, GatheringState::Complete).unwrap();
    call.call.ice_state(at(950), call.fabric, IceState::Completed).unwrap();
    let fabric = call.summary();
    assert_eq!((fabric.state, fabric.call_class), (Some(FabricState::Established), Some(CallClass::Established)));
    assert_eq!((fabric.setup_delay_ms, fabric.setup_delay_uncertainty_ms), (Some(750.0), Some(0.0)));
    assert_eq!((fabric.gathering_delay_ms, fabric.connectivity_delay_ms), (Some(800.0), Some(750.0)));
    assert_eq!((fabric.failure_delay_ms, fabric.failure_reason), (None, None));
    let happened = call.call_events();
    let changes: Vec<_> = happened.iter().filter_map(|event| event.change).collect();
    assert_eq!(changes[0], StateChange::Gathering(GatheringState::New, GatheringState::Gathering));
    assert_eq!(changes[1], StateChange::Ice(IceState::New, IceState::Checking));
    assert_eq!(changes.len(), 5);
    let setups: Vec<_> = happened.iter().filter(|event| event.kind == EventKind::FabricSetup).collect();
    assert_eq!(setups.len(), 1);
    assert_eq!((setups[0].at, setups[0].delay_ms, setups[0].is_inferred), (at(750), Some(750.0), false));
    assert_eq!((setups[0].fabric, setups[0].user), (Some(call.fabric), Some(call.alice)));
}

#[test]
fn failed_setup_has_a_failure_delay() {
    let mut call = Call::new();
    call.call.ice_state(at(300), call.fabric, IceState::Checking).unwrap();
    call.call.ice_state(at(15_300), call.fabric, IceState::Failed).unwrap();
    let fabric = call.summary();
    assert_eq!((fabric.state, fabric.call_class), (Some(FabricState::Failed), Some(CallClass::Failed)));
    assert_eq!((fabric.failure_delay_ms, fabric.setup_delay_ms), (Some(15_300.0), None));
    assert_eq!(fabric.failure_reason, Some(FailureReason::IceConnectionFailure));
    use EventKind::{FabricOpened, FabricSetupFailed, FabricStateChange, IceFailed, UserJoined};
    let expected = [UserJoined, FabricOpened, FabricStateChange, FabricStateChange, IceFailed, FabricSetupFailed];
    assert_eq!(call.kinds(), expected);
}

#[test]
fn disruption_has_a_duration_and_a_drop_sets_the_call_class() {
    let mut call = Call::new();
    for (ms, state) in [(100, IceState::Connected), (5_000, IceState::Disconnected), (8_500, IceState::Connected)] {
        call.call.ice_state(at(ms), call.fabric, state).unwrap();
    }
    let end = call.call_events().into_iter().find(|event| event.kind == EventKind::IceDisruptionEnd).unwrap();
    assert_eq!(end.delay_ms, Some(3_500.0));
    let life = call.summary().connectivity;
    assert_eq!((life.disruptions, life.disrupted_s, life.drops), (1, 3.5, 0));
    // An open disruption counts until now.
    call.call.ice_state(at(20_000), call.fabric, IceState::Disconnected).unwrap();
    call.snapshot_at(21_000, &[]);
    assert_eq!((call.summary().state, call.summary().connectivity.disrupted_s), (Some(FabricState::Disrupted), 4.5));
    call.call.ice_state(at(22_000), call.fabric, IceState::Failed).unwrap();
    let fabric = call.summary();
    assert_eq!(
        (fabric.connectivity.drops, fabric.connectivity.disrupted_s, fabric.call_class),
        (1, 5.5, Some(CallClass::Dropped))
    );
    let drop = call.call_events().into_iter().find(|event| event.kind == EventKind::FabricDropped).unwrap();
    assert_eq!(drop.delay_ms, Some(2_000.0));
    // Hanging up afterwards does not make it a good call; a successful restart does.
    let mut restarted = call.call.clone();
    restarted.ice_state(at(23_000), call.fabric, IceState::New).unwrap();
    restarted.ice_state(at(24_000), call.fabric, IceState::Connected).unwrap();
    assert_eq!(restarted.summary().call_class, Some(CallClass::Established));
    assert_eq!(restarted.summary().connectivity.restarts, 1);
    call.call.send_event(at(23_000), call.fabric, AppEvent::Terminated).unwrap();
    assert_eq!(call.call.summary().call_class, Some(CallClass::Dropped));
}

#[test]
fn connection_state_replaces_ice_state_and_closing_terminates() {
    let mut call = Call::new();
    call.call.connection_state(at(100), call.fabric, ConnectionState::Connecting).unwrap();
    call.call.connection_state(at(400), call.fabric, ConnectionState::Connected).unwrap();
    assert_eq!(call.summary().setup_delay_ms, Some(400.0));
    call.call.connection_state(at(900), call.fabric, ConnectionState::Closed).unwrap();
    let fabric = call.summary();
    assert_eq!((fabric.state, fabric.terminated_ms), (Some(FabricState::Terminated), Some(900.0)));
    let kinds = call.kinds();
    assert!(kinds.contains(&EventKind::IceTerminated) && kinds.contains(&EventKind::FabricTerminated), "{kinds:?}");
    // It is the only endpoint, so that the call ends with it.
    assert_eq!(call.call.ingest(at(901), call.fabric, &call.report), Err(InputError::Ended));
}

fn classes(states: &[(u64, Option<SignalingState>, Option<IceState>)]) -> (Option<CallClass>, Option<CallClass>) {
    let mut call = Call::new();
    for &(ms, signaling, ice) in states {
        if let Some(state) = signaling {
            call.call.signaling_state(at(ms), call.fabric, state).unwrap();
        }
        if let Some(state) = ice {
            call.call.ice_state(at(ms), call.fabric, state).unwrap();
        }
    }
    let open = call.summary().call_class;
    call.call.handle_timeout(at(600_000)).unwrap();
    (open, call.summary().call_class)
}

#[test]
fn calls_never_connected_are_distinguished() {
    use SignalingState::{Closed, HaveLocalOffer, Stable};
    assert_eq!(classes(&[]), (None, None), "nothing tells");
    assert_eq!(classes(&[(1, Some(HaveLocalOffer), None)]), (None, Some(CallClass::Missed)));
    let missed = Some(CallClass::Missed);
    assert_eq!(classes(&[(1, Some(HaveLocalOffer), None), (9, Some(Closed), None)]), (missed, missed));
    let answered = [(1, Some(HaveLocalOffer), None), (2, Some(Stable), Some(IceState::Checking))];
    assert_eq!(classes(&answered), (None, Some(CallClass::Aborted)));
    let connected = [answered[0], answered[1], (3, None, Some(IceState::Connected))];
    assert_eq!(classes(&connected), (Some(CallClass::Established), Some(CallClass::Established)));
    // All users have left, and the path was down before: a drop, not a hang-up.
    let lost = [connected[0], connected[1], connected[2], (9, None, Some(IceState::Disconnected))];
    assert_eq!(classes(&lost), (Some(CallClass::Established), Some(CallClass::Dropped)));
}

fn inferred_kinds(events: &[callgauge::event::CallEvent]) -> Vec<EventKind> {
    events.iter().filter(|event| event.is_inferred).map(|event| event.kind).collect::<Vec<_>>()
}

#[test]
fn stats_set_states_without_application_events() {
    let mut call = Call::new();
    let see = |call: &mut Call, ms, ice, dtls, fragment| {
        call.report.clear();
        push_transport(&mut call.report, ms, ice, dtls, fragment);
        call.call.ingest(at(ms), call.fabric, &call.report).unwrap();
        call.call_events()
    };
    use EventKind::{
        FabricDropped, FabricSetup, FabricStateChange, IceDisruptionEnd, IceDisruptionStart, IceRestarted,
    };
    see(&mut call, 1_000, "checking", "new", "a");
    let without_keys = see(&mut call, 2_000, "connected", "connecting", "a");
    assert_eq!(inferred_kinds(&without_keys), [], "no packet can flow before DTLS is up");
    let up = see(&mut call, 3_000, "connected", "connected", "a");
    assert_eq!(inferred_kinds(&up), [FabricStateChange, FabricSetup]);
    let fabric = call.summary();
    // At some time in the preceding second.
    assert_eq!((fabric.setup_delay_ms, fabric.setup_delay_uncertainty_ms), (Some(3_000.0), Some(1_000.0)));
    let down = see(&mut call, 4_000, "disconnected", "connected", "a");
    assert_eq!(inferred_kinds(&down), [FabricStateChange, IceDisruptionStart]);
    let back = see(&mut call, 6_000, "connected", "connected", "a");
    assert_eq!(inferred_kinds(&back), [FabricStateChange, IceDisruptionEnd]);
    let restart = see(&mut call, 7_000, "connected", "connected", "b");
    assert_eq!(inferred_kinds(&restart), [IceRestarted]);
    assert_eq!(inferred_kinds(&see(&mut call, 8_000, "connected", "connected", "b")), []);
    let lost = see(&mut call, 9_000, "connected", "failed", "b");
    assert_eq!(inferred_kinds(&lost), [FabricStateChange, FabricDropped]);
    assert_eq!(lost[1].reason, Some(FailureReason::TransportFailure));
    assert_eq!(call.summary().call_class, Some(CallClass::Dropped));
}

#[test]
fn application_events_override_stats() {
    let mut call = Call::new();
    call.call.ice_state(at(400), call.fabric, IceState::Checking).unwrap();
    call.report.clear();
    push_transport(&mut call.report, 1_000, "connected", "connected", "a");
    call.call.ingest(at(1_000), call.fabric, &call.report).unwrap();
    assert_eq!(call.summary().state, Some(FabricState::Initializing));
    call.call.ice_state(at(1_200), call.fabric, IceState::Connected).unwrap();
    assert_eq!(call.summary().setup_delay_ms, Some(1_200.0));
}

#[test]
fn fabric_connected_before_its_first_input_has_no_setup_delay() {
    let mut call = Call::new();
    push_transport(&mut call.report, 0, "connected", "connected", "a");
    call.call.ingest(at(0), call.fabric, &call.report).unwrap();
    let fabric = call.summary();
    assert_eq!((fabric.state, fabric.setup_delay_ms), (Some(FabricState::Established), None));
    assert_eq!(call.call.summary().connectivity.setup_delay_ms.n, 0);
}

#[test]
fn fabric_with_unknown_opening_has_no_delays() {
    let mut call = Call::new();
    let spec = FabricSpec::new("old").with_unknown_opening();
    let old = call.call.open_fabric(at(0), spec).unwrap();
    for (ms, state) in [(500, IceState::Checking), (900, IceState::Failed), (2_000, IceState::Connected)] {
        call.call.ice_state(at(ms), old, state).unwrap();
    }
    let summary = call.call.summary();
    let fabric = summary.fabrics.iter().find(|fabric| fabric.fabric == "old").unwrap();
    assert_eq!((fabric.setup_delay_ms, fabric.failure_delay_ms, fabric.opened_ms), (None, None, None));
    assert_eq!((fabric.connectivity_delay_ms, fabric.call_class), (None, Some(CallClass::Established)));
    assert!(!summary.events.iter().any(|event| event.event == EventKind::FabricOpened && event.user.is_none()));
}

/// A snapshot in which `pair` is selected; its local candidate is a relay that is reached over `relay`.
fn select(call: &mut Call, ms: u64, pair: &str, relay: Option<&str>, packets: u32) {
    call.report.clear();
    let time = StatTime::from_millis(1e12 + ms as f64);
    push_transport(&mut call.report, ms, "connected", "connected", "a");
    let mut entry = call.report.push(StatsType::CandidatePair, pair);
    entry.set_timestamp(time).set_flag(Flag::Selected, true).set(Num::BytesSent, f64::from(packets) * 100.0);
    entry.set_text(Text::LocalCandidateId, "L").set_text(Text::RemoteCandidateId, "R");
    let mut local = call.report.push(StatsType::LocalCandidate, "L");
    local.set_timestamp(time).set_text(Text::CandidateType, if relay.is_some() { "relay" } else { "host" });
    if let Some(protocol) = relay {
        local.set_text(Text::RelayProtocol, protocol);
    }
    call.report.push(StatsType::RemoteCandidate, "R").set_timestamp(time).set_text(Text::CandidateType, "host");
    push(&mut call.report, ms, received(7, packets));
    call.call.ingest(at(ms), call.fabric, &call.report).unwrap();
}

#[test]
fn path_change_is_a_switch_with_its_relay_protocol() {
    let mut call = Call::new();
    for second in 1..=4 {
        select(&mut call, second * 1_000, "direct", None, second as u32 * 50);
    }
    assert!(!call.kinds().contains(&EventKind::FabricTransportSwitch), "the first path is no switch");
    for second in 5..=8 {
        select(&mut call, second * 1_000, "relayed", Some("tls"), second as u32 * 50);
    }
    let switches: Vec<_> =
        call.call_events().into_iter().filter(|one| one.kind == EventKind::FabricTransportSwitch).collect();
    assert_eq!(switches.len(), 1);
    assert_eq!((switches[0].relay, switches[0].at), (Some(Relay::Tls), at(5_000)));
    // Three intervals on each path, of which the second was relayed.
    assert_eq!((call.summary().connectivity.transport_switches, call.summary().connectivity.relayed_s), (1, Some(3.0)));
}

#[test]
fn candidate_pairs_set_states_without_a_transport() {
    let mut call = Call::new();
    let see = |call: &mut Call, ms: u64, pairs: &[(&str, &str, bool, f64)]| {
        call.report.clear();
        for &(id, state, selected, bytes) in pairs {
            let mut entry = call.report.push(StatsType::CandidatePair, id);
            entry.set_timestamp(StatTime::from_millis(1e12 + ms as f64)).set_text(Text::State, state);
            entry.set_flag(Flag::Selected, selected).set(Num::BytesReceived, bytes);
        }
        call.call.ingest(at(ms), call.fabric, &call.report).unwrap();
        call.summary().state
    };
    assert_eq!(see(&mut call, 0, &[]), None, "nothing tells");
    let initializing = Some(FabricState::Initializing);
    assert_eq!(see(&mut call, 1_000, &[("a", "failed", false, 0.0)]), initializing, "more may come");
    assert_eq!(see(&mut call, 2_000, &[("a", "failed", false, 0.0), ("b", "in-progress", false, 0.0)]), initializing);
    assert_eq!(see(&mut call, 3_000, &[("b", "succeeded", true, 0.0)]), initializing, "nothing has come through");
    assert_eq!(see(&mut call, 4_000, &[("b", "succeeded", true, 100.0)]), Some(FabricState::Established));
    assert_eq!(see(&mut call, 5_000, &[("b", "failed", true, 100.0)]), Some(FabricState::Disrupted));
    assert_eq!(see(&mut call, 6_000, &[("b", "failed", false, 100.0)]), Some(FabricState::Disrupted));
    assert_eq!(see(&mut call, 7_000, &[("c", "succeeded", true, 100.0)]), Some(FabricState::Established));
    let fabric = call.summary();
    assert_eq!((fabric.setup_delay_ms, fabric.setup_delay_uncertainty_ms), (Some(4_000.0), Some(1_000.0)));
    assert_eq!(
        (fabric.connectivity.disruptions, fabric.connectivity.disrupted_s, fabric.failure_reason),
        (1, 2.0, None)
    );
}

#[test]
fn reopening_an_open_fabric_changes_nothing() {
    let mut call = Call::new();
    let spec = FabricSpec::new("pc").with_local_user(call.alice).with_remote_user(call.bob);
    let before = call.call.summary();
    assert_eq!(call.call.open_fabric(at(500), spec.clone()), Err(InputError::AlreadyOpen));
    assert_eq!(call.call.find_fabric(&spec), Some(call.fabric));
    assert_eq!(call.call.summary(), before);
    // A fabric of the same name by another user is another fabric; so is the next one after termination.
    let other = call.open(500, "pc", "bob", "alice");
    assert_ne!(other, call.fabric);
    let server = call.open(600, "server", "alice", "bob");
    call.call.send_event(at(700), call.fabric, AppEvent::Terminated).unwrap();
    let again = call.call.open_fabric(at(800), spec).unwrap();
    assert!(again != call.fabric && again != server);
    // Without a local user the two cannot be distinguished.
    let nameless = [0, 1].map(|_| call.call.open_fabric(at(900), FabricSpec::new("pc")).unwrap());
    assert_ne!(nameless[0], nameless[1]);
}
