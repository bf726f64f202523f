//! The sources of a connection's state, in any order: ICE, the connection, DTLS in stats, and traffic.

use callgauge::event::{
    CallClass, ConnectionState, DtlsState, ErrorReport, EventKind, FabricState, FailureReason, IceState, WebRtcFunction,
};
use callgauge::metric::IntervalState;
use callgauge::report::{Flag, Num, StatsType, Text};
use callgauge::summary::FabricSummary;
use callgauge::unit::StatTime;
use callgauge::{AppEvent, Config, Event, Limits};

use super::{Call, at, push, push_transport, received, sent};

/// One input about the connection, at a time in ms.
#[derive(Clone, Copy, Debug)]
enum Input {
    Ice(u64, IceState),
    Connection(u64, ConnectionState),
    /// DTLS as the application reports it.
    Keys(u64, DtlsState),
    /// Stats: DTLS of a transport whose ICE is connected.
    Dtls(u64, &'static str),
}

fn apply(call: &mut Call, input: Input) {
    match input {
        Ice(ms, state) => call.call.ice_state(at(ms), call.fabric, state).unwrap(),
        Connection(ms, state) => call.call.connection_state(at(ms), call.fabric, state).unwrap(),
        Keys(ms, state) => call.call.dtls_state(at(ms), call.fabric, state).unwrap(),
        Dtls(ms, state) => {
            call.report.clear();
            push_transport(&mut call.report, ms, "connected", state, "a");
            call.call.ingest(at(ms), call.fabric, &call.report).unwrap();
        }
    }
}

fn after(inputs: &[Input]) -> Call {
    let mut call = Call::new();
    inputs.iter().for_each(|&input| apply(&mut call, input));
    call
}

use ConnectionState as C;
use DtlsState as D;
use IceState as I;
use Input::{Connection, Dtls, Ice, Keys};

/// The inputs, the state, the class, the numbers of drops and of failed set-ups, and the reason of the failure.
type Row = (&'static [Input], FabricState, Option<CallClass>, (u64, u64), Option<FailureReason>);

/// By the transition table of callstats, with the precedence of the sources. Time of an input: its place in seconds.
const ROWS: &[Row] = &[
    // The connection state fails after ICE was connected: a drop, whether or not ICE says so, too.
    (
        &[Ice(1_000, I::Connected), Connection(1_100, C::Connected), Connection(5_000, C::Failed)],
        FabricState::Failed,
        Some(CallClass::Dropped),
        (1, 0),
        None,
    ),
    (
        &[Ice(1_000, I::Connected), Ice(4_000, I::Disconnected), Connection(9_000, C::Failed)],
        FabricState::Failed,
        Some(CallClass::Dropped),
        (1, 0),
        None,
    ),
    (
        &[Ice(1_000, I::Connected), Ice(4_000, I::Disconnected), Connection(9_000, C::Failed), Ice(9_001, I::Failed)],
        FabricState::Failed,
        Some(CallClass::Dropped),
        (1, 0),
        None,
    ),
    // While ICE is checking: a failed set-up of ICE.
    (
        &[Ice(1_000, I::Checking), Connection(9_000, C::Failed), Ice(9_000, I::Failed)],
        FabricState::Failed,
        Some(CallClass::Failed),
        (0, 1),
        Some(FailureReason::IceConnectionFailure),
    ),
    (
        &[
            Connection(500, C::Connecting),
            Ice(1_000, I::Checking),
            Ice(8_000, I::Disconnected),
            Connection(9_000, C::Failed),
        ],
        FabricState::Failed,
        Some(CallClass::Failed),
        (0, 1),
        Some(FailureReason::IceConnectionFailure),
    ),
    // DTLS never came up, in either order of its first report and ICE.
    (
        &[Connection(500, C::Connecting), Ice(1_000, I::Connected), Connection(9_000, C::Failed)],
        FabricState::Failed,
        Some(CallClass::Failed),
        (0, 1),
        Some(FailureReason::TransportFailure),
    ),
    (
        &[
            Ice(1_000, I::Connected),
            Connection(1_100, C::Connecting),
            Ice(4_000, I::Disconnected),
            Connection(9_000, C::Failed),
        ],
        FabricState::Failed,
        Some(CallClass::Failed),
        (0, 1),
        Some(FailureReason::TransportFailure),
    ),
    (
        &[Ice(1_000, I::Connected), Dtls(2_000, "connecting"), Dtls(3_000, "failed")],
        FabricState::Failed,
        Some(CallClass::Failed),
        (0, 1),
        Some(FailureReason::TransportFailure),
    ),
    (
        &[Ice(1_000, I::Connected), Dtls(2_000, "connected"), Dtls(3_000, "failed")],
        FabricState::Failed,
        Some(CallClass::Dropped),
        (1, 0),
        None,
    ),
    (
        &[Ice(1_000, I::Connected), Keys(1_100, D::Connecting), Keys(3_000, D::Failed)],
        FabricState::Failed,
        Some(CallClass::Failed),
        (0, 1),
        Some(FailureReason::TransportFailure),
    ),
    // DTLS hangs: not set up.
    (&[Ice(1_000, I::Connected), Keys(1_100, D::Connecting)], FabricState::Initializing, None, (0, 0), None),
    (&[Ice(1_000, I::Connected), Dtls(2_000, "connecting")], FabricState::Initializing, None, (0, 0), None),
    (&[Ice(1_000, I::Connected), Connection(1_100, C::Connecting)], FabricState::Initializing, None, (0, 0), None),
    (
        &[Ice(1_000, I::Connected), Connection(1_100, C::Connecting), Connection(1_200, C::Connected)],
        FabricState::Established,
        Some(CallClass::Established),
        (0, 0),
        None,
    ),
    // A restart makes the failure of the connection state stale.
    (
        &[
            Ice(1_000, I::Connected),
            Connection(1_100, C::Connected),
            Connection(5_000, C::Failed),
            Ice(6_000, I::New),
            Ice(6_100, I::Checking),
            Ice(6_500, I::Connected),
        ],
        FabricState::Established,
        Some(CallClass::Established),
        (1, 0),
        None,
    ),
];

#[test]
fn worst_source_decides_state_class_counts_and_reason() {
    for (inputs, state, class, (drops, failures), reason) in ROWS {
        let call = after(inputs);
        let fabric = call.summary();
        let counts = (fabric.connectivity.drops, fabric.connectivity.setup_failures);
        assert_eq!(
            (fabric.state, fabric.call_class, counts, fabric.failure_reason),
            (Some(*state), *class, (*drops, *failures), *reason),
            "{inputs:?}"
        );
        let events = call.call.summary().events;
        let count = |kind| events.iter().filter(|event| event.event == kind).count() as u64;
        assert_eq!(count(EventKind::FabricDropped), *drops, "{inputs:?}");
        assert_eq!(count(EventKind::FabricSetupFailed), *failures, "{inputs:?}");
        let is_set_up = matches!(class, Some(CallClass::Established | CallClass::Dropped));
        assert_eq!(count(EventKind::FabricSetup), u64::from(is_set_up), "{inputs:?}");
        assert_eq!(fabric.setup_delay_ms.is_some(), is_set_up, "{inputs:?}");
        let kinds: Vec<&str> = call.call.summary().diagnoses.iter().map(|one| one.kind.name()).collect();
        assert_eq!(kinds.contains(&"connectionFailed"), *state == FabricState::Failed && *failures > 0, "{inputs:?}");
        assert_eq!(kinds.contains(&"connectionDropped"), *drops > 0, "{inputs:?}");
    }
}

#[test]
fn drop_by_the_connection_state_has_the_length_of_the_loss() {
    let mut call = after(&[Ice(1_000, I::Connected), Ice(4_000, I::Disconnected), Connection(9_000, C::Failed)]);
    let dropped = call.call_events().into_iter().find(|event| event.kind == EventKind::FabricDropped).unwrap();
    assert_eq!((dropped.at, dropped.delay_ms), (at(9_000), Some(5_000.0)));
    call.call.send_event(at(19_000), call.fabric, AppEvent::Terminated).unwrap();
    assert_eq!(call.summary().connectivity.lost_s, 15.0);
}

#[test]
fn connection_state_adds_no_change_of_the_ice_state() {
    let mut call = after(&[Ice(1_000, I::Connected), Connection(9_000, C::Failed)]);
    let changes: Vec<_> =
        call.call_events().iter().filter_map(|event| event.change).map(|change| change.of()).collect();
    assert_eq!(changes, ["iceConnectionState", "connectionState"]);
}

/// Snapshots of one received stream, a second apart, with these numbers of packets, and with the state of a transport
/// if given.
fn snapshots(call: &mut Call, from_s: u64, packets: &[u32], states: Option<[&str; 2]>) {
    for (second, &packets) in (from_s..).zip(packets) {
        call.report.clear();
        if let Some([ice, dtls]) = states {
            push_transport(&mut call.report, second * 1_000, ice, dtls, "a");
        }
        push(&mut call.report, second * 1_000, received(7, packets));
        call.call.ingest(at(second * 1_000), call.fabric, &call.report).unwrap();
    }
}

#[test]
fn arriving_media_refutes_any_reported_state() {
    for last in
        [Ice(2_000, I::Disconnected), Ice(2_000, I::Failed), Connection(2_000, C::Failed), Dtls(2_000, "failed")]
    {
        let mut call = after(&[Ice(1_000, I::Connected), Connection(1_100, C::Connected), last]);
        assert_ne!(call.summary().state, Some(FabricState::Established), "{last:?}");
        // The first interval may have begun before the loss.
        snapshots(&mut call, 3, &[50, 100, 150, 200], None);
        assert_eq!(call.summary().state, Some(FabricState::Established), "{last:?}");
    }
}

#[test]
fn fillers_are_no_states_and_media_are_a_connection() {
    for states in [["unknown", "unknown"], ["new", "new"], ["", ""], ["new", "unknown"], ["checking", "connecting"]] {
        let mut call = Call::new();
        snapshots(&mut call, 1, &(1..=60).map(|second| second * 50).collect::<Vec<_>>(), Some(states));
        // Without a state and a pair nothing states it.
        let state = call.summary().state;
        assert!(matches!(state, None | Some(FabricState::Established)), "{states:?}: {state:?}");
        let kinds: Vec<_> = call.call.summary().diagnoses.iter().map(|one| one.kind).collect();
        assert!(kinds.is_empty(), "{states:?}: {kinds:?}");
    }
}

/// A new ICE user name fragment shows a restart; `new` beside traffic is a filler.
#[test]
fn new_in_one_snapshot_beside_traffic_is_no_restart() {
    for (fragment, restarts) in [("a", 0), ("b", 1)] {
        let mut call = Call::new();
        for second in 0..=20_u32 {
            let states = if second == 10 { ["new", "new", fragment] } else { ["connected", "connected", fragment] };
            let states = if second < 10 { ["connected", "connected", "a"] } else { states };
            push_call_of(&mut call, u64::from(second) * 1_000, second * 50, second, states);
        }
        let fabric = call.summary();
        assert_eq!((fabric.connectivity.restarts, fabric.connectivity.disruptions), (restarts, 0), "{fragment}");
    }
}

#[test]
fn close_at_a_wrong_time_does_not_make_a_call_aborted() {
    let mut call = Call::with(Config::new().with_reopening(true));
    call.call.connection_state(at(0), call.fabric, ConnectionState::Closed).unwrap();
    assert_eq!(call.summary().call_class, Some(CallClass::Aborted));
    for second in 1..=20_u32 {
        push_call(&mut call, u64::from(second) * 1_000, second * 50, second);
    }
    assert_eq!(call.summary().call_class, Some(CallClass::Established));
}

/// What is sent may go nowhere.
#[test]
fn call_that_received_nothing_is_aborted_whatever_it_sent() {
    let mut call = Call::with(Config::new().with_reopening(true));
    for second in 0..10_u32 {
        let ms = u64::from(second) * 1_000;
        call.report.clear();
        push_transport(&mut call.report, ms, "checking", "new", "a");
        push(&mut call.report, ms, sent(9, second * 3));
        call.call.ingest(at(ms), call.fabric, &call.report).unwrap();
    }
    call.call.connection_state(at(10_000), call.fabric, ConnectionState::Closed).unwrap();
    assert_eq!(call.summary().call_class, Some(CallClass::Aborted));
}

/// A snapshot that is repeated is no interval in which nothing arrived.
#[test]
fn repeated_snapshot_confirms_no_failure() {
    for repeated in [false, true] {
        let mut call = Call::new();
        for second in 0..=20_u32 {
            let states = if second == 10 { ["failed", "failed", "a"] } else { ["connected", "connected", "a"] };
            for _ in 0..=u32::from(repeated) {
                push_call_of(&mut call, u64::from(second) * 1_000, second * 50, second, states);
            }
        }
        let fabric = call.summary();
        assert_eq!((fabric.connectivity.drops, fabric.connectivity.lost_s), (0, 0.0), "{repeated}");
    }
}

/// A snapshot of a received and a sent stream and of the selected pair, each with these counts.
fn push_call(call: &mut Call, ms: u64, packets: u32, answered: u32) {
    push_call_of(call, ms, packets, answered, ["connected", "connected", "a"]);
}

/// The same, with ICE, DTLS and the ICE user name fragment of the transport.
fn push_call_of(call: &mut Call, ms: u64, packets: u32, answered: u32, [ice, dtls, fragment]: [&str; 3]) {
    call.report.clear();
    let time = StatTime::from_millis(1e12 + ms as f64);
    push_transport(&mut call.report, ms, ice, dtls, fragment);
    let mut pair = call.report.push(StatsType::CandidatePair, "P");
    pair.set_timestamp(time).set_flag(Flag::Selected, true).set_text(Text::State, "succeeded");
    pair.set(Num::BytesReceived, f64::from(packets) * 120.0).set(Num::ResponsesReceived, f64::from(answered));
    push(&mut call.report, ms, received(7, packets));
    push(&mut call.report, ms, sent(9, packets));
    call.call.ingest(at(ms), call.fabric, &call.report).unwrap();
}

fn seconds(fabric: &FabricSummary) -> Vec<(f64, f64, f64, f64)> {
    let streams = fabric.streams.iter();
    streams.map(|stream| (stream.lost_s, stream.paused_s, stream.held_s, stream.score.sender_idle_s)).collect()
}

#[test]
fn silence_before_a_reported_loss_is_lost_time() {
    let mut call = Call::new();
    call.call.ice_state(at(0), call.fabric, I::Connected).unwrap();
    for second in 0..=40_u32 {
        if second == 26 {
            call.call.ice_state(at(25_500), call.fabric, I::Disconnected).unwrap();
        }
        push_call(&mut call, u64::from(second) * 1_000, second.min(20) * 50, second.min(20) / 2);
    }
    let fabric = call.summary();
    for (lost, paused, held, idle) in seconds(&fabric) {
        assert_eq!((lost, paused, held, idle), (20.0, 0.0, 0.0, 0.0));
    }
    assert_eq!(fabric.connectivity.lost_s, 20.0);
    let states: Vec<_> = std::iter::from_fn(|| call.call.poll_event())
        .filter_map(|event| match event {
            Event::IntervalClosed { interval, .. } => Some(interval.state),
            _ => None,
        })
        .collect();
    assert_eq!(states.iter().filter(|&&state| state == IntervalState::Lost).count(), 2 * 15);
}

#[test]
fn pause_before_a_loss_stays_a_pause_while_the_path_lives() {
    let mut call = Call::new();
    call.call.ice_state(at(0), call.fabric, I::Connected).unwrap();
    for second in 0..=40_u32 {
        if second == 31 {
            call.call.ice_state(at(30_500), call.fabric, I::Disconnected).unwrap();
        }
        push_call(&mut call, u64::from(second) * 1_000, second.min(20) * 50, second.min(30));
    }
    let fabric = call.summary();
    let sent = fabric.streams.iter().find(|stream| stream.paused_s > 0.0).unwrap();
    assert_eq!((sent.paused_s, sent.lost_s), (10.0, 10.0));
    // On the caller's clock, from the report on.
    assert_eq!(fabric.connectivity.lost_s, 9.5);
}

#[test]
fn time_of_a_failed_or_hanging_setup_is_lost() {
    for failed in [None, Some(Ice(3_000, I::Failed)), Some(Connection(3_000, C::Failed))] {
        let mut call = after(&[Ice(0, I::Checking)]);
        for second in 0..=20_u64 {
            if let Some(input) = failed.filter(|_| second == 3) {
                apply(&mut call, input);
            }
            call.snapshot_at(second * 1_000, &[received(7, 0), sent(9, 0)]);
        }
        let fabric = call.summary();
        for (lost, paused, held, idle) in seconds(&fabric) {
            assert_eq!((lost, paused, held, idle), (20.0, 0.0, 0.0, 0.0), "{failed:?}");
        }
        assert_eq!(fabric.connectivity.lost_s, 20.0, "{failed:?}");
    }
}

#[test]
fn every_second_of_a_stream_is_in_one_sum() {
    let mut call = Call::new();
    call.call.ice_state(at(0), call.fabric, I::Connected).unwrap();
    for second in 0..=60_u32 {
        match second {
            10 => drop(call.call.send_event(at(9_300), call.fabric, AppEvent::AudioMute(None)).unwrap()),
            14 => drop(call.call.send_event(at(13_600), call.fabric, AppEvent::AudioUnmute(None)).unwrap()),
            46 => call.call.ice_state(at(45_500), call.fabric, I::Failed).unwrap(),
            _ => {}
        }
        // The counters start over at 30 s, and stand still from 40 s on.
        let packets = if second < 30 { second } else { (second - 30).min(10) };
        push_call(&mut call, u64::from(second) * 1_000, packets * 50, packets);
    }
    for stream in call.summary().streams {
        let score = &stream.score;
        let scored = score.active_s + score.no_speech_s + score.transition_s + score.unresolved_s;
        let rests = stream.muted_s + stream.held_s + stream.paused_s + stream.silent_s + stream.gap_s;
        let sum = scored + score.sender_idle_s + score.unscored_s + rests + stream.lost_s + stream.reset_s;
        assert!((sum - stream.duration_s).abs() < 1e-3, "{sum} of {}: {stream:?}", stream.duration_s);
        assert!(stream.reset_s >= 1.0 && stream.lost_s >= 15.0, "{stream:?}");
    }
}

/// What says that a connection failed or is closed.
#[derive(Clone, Copy, Debug)]
enum Claim {
    /// An input of the application in the middle of the interval before the snapshot at 12 s.
    Told(fn(u64) -> Input),
    /// ICE and DTLS in stats.
    Stats([&'static str; 2]),
}

const CLAIMS: [Claim; 7] = [
    Claim::Told(|ms| Ice(ms, I::Failed)),
    Claim::Told(|ms| Connection(ms, C::Failed)),
    Claim::Told(|ms| Keys(ms, D::Failed)),
    Claim::Stats(["failed", "connected"]),
    Claim::Stats(["connected", "failed"]),
    Claim::Stats(["closed", "connected"]),
    Claim::Stats(["connected", "closed"]),
];

/// A call of 30 s, with a claim from 12 s until `until_s` and these packets so far at each second.
fn claimed(claim: Claim, until_s: u32, packets: impl Fn(u32) -> u32) -> Call {
    let mut call = Call::new();
    if let Claim::Told(_) = claim {
        call.call.ice_state(at(0), call.fabric, I::Connected).unwrap();
        call.call.connection_state(at(0), call.fabric, C::Connected).unwrap();
    }
    for second in 0..=30 {
        let mut states = ["connected", "connected"];
        match claim {
            Claim::Told(input) if second == 12 => apply(&mut call, input(11_500)),
            Claim::Stats(claimed) if (12..=until_s).contains(&second) => states = claimed,
            _ => {}
        }
        push_call_of(
            &mut call,
            u64::from(second) * 1_000,
            packets(second),
            packets(second),
            [states[0], states[1], "a"],
        );
    }
    call
}

fn count_of(call: &Call, kind: EventKind) -> usize {
    call.call.summary().events.iter().filter(|event| event.event == kind).count()
}

#[test]
fn failure_that_traffic_refutes_never_was() {
    for claim in CLAIMS {
        for until_s in [12, 13, 30] {
            let mut call = claimed(claim, until_s, |second| second * 50);
            let (fabric, summary) = (call.summary(), call.call.summary());
            let life = &fabric.connectivity;
            assert_eq!((life.drops, life.lost_s, life.disruptions, life.setup_failures), (0, 0.0, 0, 0), "{claim:?}");
            assert_eq!(fabric.state, Some(FabricState::Established), "{claim:?}");
            assert_eq!(summary.call_class, Some(CallClass::Established), "{claim:?}");
            assert!(summary.diagnoses.is_empty(), "{claim:?}: {:?}", summary.diagnoses);
            use EventKind::{FabricDropped, FabricSetup, IceFailed, IceTerminated, StateRefuted};
            let counts = [FabricDropped, IceFailed, IceTerminated, FabricSetup, StateRefuted];
            assert_eq!(counts.map(|kind| count_of(&call, kind)), [0, 0, 0, 1, 1], "{claim:?}");
            // Whoever watches has heard of the drop, and hears that it never was.
            let raised = call.kinds();
            assert!(raised.contains(&StateRefuted), "{claim:?}");
        }
    }
}

#[test]
fn failure_from_the_first_snapshot_on_is_refuted_too() {
    for states in [["failed", "connected"], ["connected", "failed"], ["closed", "connected"], ["connected", "closed"]] {
        for until_s in [0, 20] {
            let mut call = Call::new();
            for second in 0..=20_u32 {
                let [ice, dtls] = if second <= until_s { states } else { ["connected"; 2] };
                push_call_of(&mut call, u64::from(second) * 1_000, second * 50, second, [ice, dtls, "a"]);
            }
            let (fabric, summary) = (call.summary(), call.call.summary());
            assert_eq!((fabric.state, fabric.failure_reason), (Some(FabricState::Established), None), "{states:?}");
            assert_eq!((fabric.connectivity.setup_failures, fabric.connectivity.lost_s), (0, 0.0), "{states:?}");
            assert!(summary.diagnoses.is_empty(), "{states:?}: {:?}", summary.diagnoses);
            assert_eq!(count_of(&call, EventKind::IceAborted), 0, "{states:?}");
        }
    }
}

#[test]
fn refuted_failure_is_not_believed_again_when_traffic_rests() {
    for claim in CLAIMS {
        let call = claimed(claim, 30, |second| second.min(18) * 50);
        assert_eq!(call.summary().connectivity.drops, 0, "{claim:?}");
        assert_eq!(call.summary().state, Some(FabricState::Established), "{claim:?}");
    }
}

#[test]
fn failure_with_silence_in_or_after_it_stands() {
    let silent: [fn(u32) -> u32; 2] = [
        // Nothing arrives any more.
        |second| second.min(12) * 50,
        // Nothing arrives in the interval of the failure, and traffic comes back later.
        |second| if second < 12 { second.min(11) * 50 } else { (second - 1) * 50 },
    ];
    for claim in CLAIMS.into_iter().take(5) {
        for packets in silent {
            let call = claimed(claim, 12, packets);
            assert_eq!(call.summary().connectivity.drops, 1, "{claim:?}");
            assert!(call.summary().connectivity.lost_s > 0.0, "{claim:?}");
            assert_eq!(count_of(&call, EventKind::StateRefuted), 0, "{claim:?}");
            let kinds: Vec<&str> = call.call.summary().diagnoses.iter().map(|one| one.kind.name()).collect();
            assert!(kinds.contains(&"connectionDropped"), "{claim:?}: {kinds:?}");
        }
    }
}

#[test]
fn failure_that_a_restart_ends_stands() {
    // By new credentials in stats.
    let mut call = Call::new();
    for second in 0..=20_u32 {
        let ice = if second == 12 { "failed" } else { "connected" };
        let fragment = if second <= 12 { "a" } else { "b" };
        push_call_of(&mut call, u64::from(second) * 1_000, second * 50, second, [ice, "connected", fragment]);
    }
    assert_eq!((call.summary().connectivity.drops, call.summary().state), (1, Some(FabricState::Established)));
    // As the application reports.
    let mut call = after(&[Ice(0, I::Connected)]);
    for second in 0..=20_u32 {
        if second == 12 {
            let restart =
                [Ice(11_300, I::Failed), Ice(11_500, I::New), Ice(11_600, I::Checking), Ice(11_900, I::Connected)];
            restart.into_iter().for_each(|input| apply(&mut call, input));
        }
        push_call(&mut call, u64::from(second) * 1_000, second * 50, second);
    }
    assert_eq!((call.summary().connectivity.drops, call.summary().state), (1, Some(FabricState::Established)));
}

#[test]
fn failure_counts_at_once_and_until_it_is_refuted() {
    for claim in CLAIMS.into_iter().take(3) {
        let Claim::Told(input) = claim else { continue };
        let mut call = after(&[Ice(0, I::Connected), Connection(0, C::Connected)]);
        (0..=11_u32).for_each(|second| push_call(&mut call, u64::from(second) * 1_000, second * 50, second));
        apply(&mut call, input(11_500));
        assert!(call.kinds().contains(&EventKind::FabricDropped), "{claim:?}");
        // The application closes it, or no input follows.
        for is_closed in [false, true] {
            let mut call = Call { call: call.call.clone(), report: call.report.clone(), ..call };
            if is_closed {
                call.call.send_event(at(11_600), call.fabric, AppEvent::Terminated).unwrap();
            }
            assert_eq!(call.summary().call_class, Some(CallClass::Dropped), "{claim:?}");
            assert_eq!(call.call.summary().diagnoses.len(), 1, "{claim:?}");
        }
    }
}

#[test]
fn media_that_is_only_sent_refutes_with_what_comes_back() {
    for dtls in ["connected", "failed"] {
        let ice = if dtls == "failed" { "connected" } else { "failed" };
        for comes_back in [false, true] {
            let mut call = Call::new();
            for second in 0..=20_u32 {
                let ms = u64::from(second) * 1_000;
                let states = if second == 12 { [ice, dtls] } else { ["connected"; 2] };
                call.report.clear();
                push_transport(&mut call.report, ms, states[0], states[1], "a");
                let mut pair = call.report.push(StatsType::CandidatePair, "P");
                pair.set_timestamp(StatTime::from_millis(1e12 + ms as f64)).set_flag(Flag::Selected, true);
                let received = if comes_back { second } else { second.min(11) };
                pair.set_text(Text::State, "succeeded").set(Num::BytesReceived, f64::from(received) * 80.0);
                push(&mut call.report, ms, sent(9, second * 50));
                call.call.ingest(at(ms), call.fabric, &call.report).unwrap();
            }
            assert_eq!(call.summary().connectivity.drops, u64::from(!comes_back), "{ice} {dtls}");
        }
    }
}

#[test]
fn error_of_ice_after_the_setup_is_a_failure_of_ice() {
    let report = ErrorReport::new(WebRtcFunction::IceConnectionFailure);
    // The packets that arrive until the error or later.
    for (last, drops, class) in [(12, 1, CallClass::Dropped), (30, 0, CallClass::Established)] {
        let mut call = after(&[Ice(0, I::Connected)]);
        for second in 0..=20_u32 {
            if second == 12 {
                call.call.report_error(at(11_500), Some(call.fabric), report).unwrap();
                assert_eq!(call.summary().connectivity.drops, 1);
            }
            push_call(&mut call, u64::from(second) * 1_000, second.min(last) * 50, second.min(last));
        }
        assert_eq!((call.summary().connectivity.drops, call.summary().call_class), (drops, Some(class)));
    }
}

#[test]
fn losses_of_lost_time_are_in_no_ratio() {
    let mut call = after(&[Ice(0, I::Connected)]);
    for second in 0..=40_u32 {
        match second {
            16 => apply(&mut call, Ice(15_500, I::Disconnected)),
            20 => apply(&mut call, Ice(19_900, I::Connected)),
            _ => {}
        }
        // Nothing arrives from 10 s to 20 s: 500 packets are lost, as the first one afterwards shows.
        let arrived = second.min(10) + second.saturating_sub(20);
        call.report.clear();
        let ms = u64::from(second) * 1_000;
        push_transport(&mut call.report, ms, "connected", "connected", "a");
        push(&mut call.report, ms, received(7, arrived * 50));
        let time = StatTime::from_millis(1e12 + ms as f64);
        let mut entry = call.report.push(StatsType::InboundRtp, "lossy");
        entry.set_timestamp(time).set(Num::Ssrc, 8.0).set(Num::PacketsReceived, f64::from(arrived) * 50.0);
        entry.set(Num::PacketsLost, if second > 20 { 500.0 } else { 0.0 });
        call.call.ingest(at(ms), call.fabric, &call.report).unwrap();
    }
    let stream = call.streams(8).remove(0);
    assert!(stream.lost_s >= 4.0, "{stream:?}");
    assert_eq!((stream.loss_ratio, stream.packets_lost, stream.packets_lost_at_rest), (Some(0.0), Some(0), Some(500)));
}

#[test]
fn refuted_failures_take_no_capacity_of_diagnoses() {
    let mut call = Call::with(Config::new().with_limits(Limits::new().with_diagnoses_per_fabric(2)));
    for second in 0..=60_u32 {
        let ice = if second % 3 == 2 && second < 55 { "failed" } else { "connected" };
        let packets = second.min(57) * 50;
        push_call_of(&mut call, u64::from(second) * 1_000, packets, packets, [ice, "connected", "a"]);
    }
    apply(&mut call, Ice(60_500, I::Failed));
    let summary = call.call.summary();
    assert_eq!((summary.diagnoses.len(), summary.refused_diagnoses), (1, 0));
    assert_eq!(summary.diagnoses[0].kind.name(), "connectionDropped");
}
