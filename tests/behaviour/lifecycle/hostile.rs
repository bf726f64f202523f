//! Any inputs in any order: no panic, a refused input changes nothing, and limits hold.

use callgauge::conference::{Feedback, FeedbackRating};

use callgauge::event::{
    ConnectionState, ErrorReport, FabricUsage, GatheringState, IceState, SignalingState, WebRtcFunction,
};
use callgauge::fabric::{Device, SsrcDescription};
use callgauge::id::{FabricId, Ssrc, UserId};
use callgauge::summary::View;
use callgauge::{AppEvent, Conference, Config, FabricSpec, InputError, Limits};
use proptest::prelude::*;

use super::{at, pictures, push, push_transport, received, sent};

/// One input; its subjects are numbers.
#[derive(Clone, Debug)]
enum Op {
    User(u8),
    Open { name: u8, local: Option<u8>, remote: Option<u8>, old: bool },
    Sample { fabric: u8, packets: u32, ice: Option<u8>, fragment: bool },
    Ice(u8, u8),
    Gathering(u8, u8),
    Signaling(u8, u8),
    Connection(u8, u8),
    Say(u8, u8, Option<u8>),
    Error(Option<u8>, u8, usize),
    Rate(Option<u8>, Option<u8>, u8),
    Join(u8),
    Leave(u8),
    Timeout,
    Associate(u8, u8, u8),
    Group(u8, u8, Vec<u8>),
    Describe(u8, u8, u8, bool),
    Name(u8, u8, bool),
    Rename(u8, u8),
}

fn op() -> impl Strategy<Value = Op> {
    let some = || prop::option::of(0..5_u8);
    prop_oneof![
        2 => (0..6_u8).prop_map(Op::User),
        4 => (0..3_u8, prop::option::of(0..3_u8), prop::option::of(0..3_u8), any::<bool>())
            .prop_map(|(name, local, remote, old)| Op::Open { name, local, remote, old }),
        8 => (0..4_u8, 0..100_u32, prop::option::of(0..7_u8), any::<bool>())
            .prop_map(|(fabric, packets, ice, fragment)| Op::Sample { fabric, packets, ice, fragment }),
        3 => (0..4_u8, 0..7_u8).prop_map(|(fabric, state)| Op::Ice(fabric, state)),
        1 => (0..4_u8, 0..3_u8).prop_map(|(fabric, state)| Op::Gathering(fabric, state)),
        1 => (0..4_u8, 0..6_u8).prop_map(|(fabric, state)| Op::Signaling(fabric, state)),
        1 => (0..4_u8, 0..6_u8).prop_map(|(fabric, state)| Op::Connection(fabric, state)),
        6 => (0..4_u8, 0..12_u8, some()).prop_map(|(fabric, event, ssrc)| Op::Say(fabric, event, ssrc)),
        2 => (some(), 0..10_u8, 0..60_usize).prop_map(|(fabric, function, bytes)| Op::Error(fabric, function, bytes)),
        1 => (some(), some(), 1..=5_u8).prop_map(|(user, about, stars)| Op::Rate(user, about, stars)),
        1 => (0..6_u8).prop_map(Op::Join),
        1 => (0..6_u8).prop_map(Op::Leave),
        2 => Just(Op::Timeout),
        3 => (0..4_u8, 0..5_u8, 0..6_u8).prop_map(|(fabric, ssrc, user)| Op::Associate(fabric, ssrc, user)),
        1 => (0..4_u8, 0..5_u8, prop::collection::vec(0..5_u8, 0..4)).prop_map(|(f, first, more)| Op::Group(f, first, more)),
        1 => (0..4_u8, 0..5_u8, 0..5_u8, any::<bool>()).prop_map(|(f, of, first, named)| Op::Describe(f, of, first, named)),
        1 => (0..4_u8, 0..6_u8, any::<bool>()).prop_map(|(fabric, user, local)| Op::Name(fabric, user, local)),
        1 => (0..6_u8, 0..6_u8).prop_map(|(user, name)| Op::Rename(user, name)),
    ]
}

/// Ids for every number, whether or not the call issued them.
struct Ids {
    fabrics: Vec<FabricId>,
    users: Vec<UserId>,
}

fn ids() -> Ids {
    let mut other = Conference::new("", Config::new());
    let users = (0..6).map(|n| other.user(&n.to_string()).unwrap()).collect();
    let fabrics = (0..6).map(|n| other.open_fabric(at(0), FabricSpec::new(&n.to_string())).unwrap()).collect();
    Ids { fabrics, users }
}

fn apply(call: &mut Conference, ids: &Ids, ms: u64, op: &Op) -> Result<(), InputError> {
    let (now, fabric, user) = (at(ms), |n: u8| ids.fabrics[usize::from(n)], |n: u8| ids.users[usize::from(n)]);
    let ssrc = |n: u8| Ssrc::new(u32::from(n));
    match op {
        Op::User(n) => call.user(["a", "b", "c", "d", "", "a name too long"][usize::from(*n)]).map(drop),
        Op::Open { name, local, remote, old } => {
            let mut spec = FabricSpec::new(["x", "y", ""][usize::from(*name)]).with_usage(FabricUsage::Audio);
            spec = local.map_or(spec.clone(), |n| spec.with_local_user(user(n)));
            spec = remote.map_or(spec.clone(), |n| spec.with_remote_user(user(n)));
            call.open_fabric(now, if *old { spec.with_unknown_opening() } else { spec }).map(drop)
        }
        Op::Sample { fabric: n, packets, ice, fragment } => {
            let mut report = callgauge::report::Report::new();
            for stream in [sent(1, *packets), received(2, *packets), pictures(3, *packets)] {
                push(&mut report, ms, stream);
            }
            if let Some(ice) = ice {
                let fragment = if *fragment { "one" } else { "other" };
                push_transport(&mut report, ms, IceState::ALL[usize::from(*ice)].name(), "connected", fragment);
            }
            call.ingest(now, fabric(*n), &report)
        }
        Op::Ice(n, state) => call.ice_state(now, fabric(*n), IceState::ALL[usize::from(*state)]),
        Op::Gathering(n, state) => call.gathering_state(now, fabric(*n), GatheringState::ALL[usize::from(*state)]),
        Op::Signaling(n, state) => call.signaling_state(now, fabric(*n), SignalingState::ALL[usize::from(*state)]),
        Op::Connection(n, state) => call.connection_state(now, fabric(*n), ConnectionState::ALL[usize::from(*state)]),
        Op::Say(n, event, about) => {
            let (about, list) = (about.map(ssrc), [Device::default(); 3]);
            let event = match event {
                0 => AppEvent::Hold,
                1 => AppEvent::Resume,
                2 => AppEvent::AudioMute(about),
                3 => AppEvent::AudioUnmute(about),
                4 => AppEvent::VideoPause(about),
                5 => AppEvent::VideoResume(about),
                6 => AppEvent::ScreenShareStart(about),
                7 => AppEvent::ScreenShareStop(about),
                8 => AppEvent::DominantSpeaker,
                9 => AppEvent::ActiveDevices(&list),
                10 => AppEvent::ConnectedDevices(&list[..1]),
                _ => AppEvent::Terminated,
            };
            call.send_event(now, fabric(*n), event).map(drop)
        }
        Op::Error(n, function, bytes) => {
            let text = "ä".repeat(*bytes);
            let report =
                ErrorReport::new(WebRtcFunction::ALL[usize::from(*function)]).with_dom_error("TypeError", &text);
            call.report_error(now, n.map(fabric), report).map(drop)
        }
        Op::Rate(who, about, stars) => {
            let rating = Feedback::new(FeedbackRating::new(*stars).unwrap());
            call.feedback(who.map(user), about.map(fabric), rating).map(drop)
        }
        Op::Join(n) => call.join(now, user(*n)).map(drop),
        Op::Leave(n) => call.leave(now, user(*n)).map(drop),
        Op::Timeout => call.handle_timeout(now),
        Op::Associate(n, of, who) => call.fabric(fabric(*n))?.associate(ssrc(*of), user(*who), "label").map(drop),
        Op::Group(n, first, others) => {
            let others: Vec<Ssrc> = others.iter().map(|&n| ssrc(n)).collect();
            call.fabric(fabric(*n))?.group(ssrc(*first), &others).map(drop)
        }
        Op::Describe(n, of, first, named) => {
            let description = SsrcDescription::new(ssrc(*of)).following(ssrc(*first));
            let named = if *named { description.with_cname("cname") } else { description };
            call.fabric(fabric(*n))?.describe(named).map(drop)
        }
        Op::Name(n, who, true) => call.fabric(fabric(*n))?.set_local_user(user(*who)).map(drop),
        Op::Name(n, who, false) => call.fabric(fabric(*n))?.set_remote_user(user(*who)).map(drop),
        Op::Rename(who, name) => {
            call.rename_user(user(*who), ["a", "b", "e", "f", "", "x"][usize::from(*name)]).map(drop)
        }
    }
}

/// Clock steps, a few of them backwards.
fn steps() -> impl Strategy<Value = Vec<(i64, Op)>> {
    let step = prop_oneof![6 => Just(0_i64), 6 => 1..3_000_i64, 1 => Just(31_000_i64), 1 => -5..0_i64];
    prop::collection::vec((step, op()), 1..60)
}

fn limits() -> Limits {
    Limits::new()
        .with_fabrics(3)
        .with_users(4)
        .with_streams_per_fabric(2)
        .with_stays_per_user(2)
        .with_name_bytes(5)
        .with_ssrcs_per_fabric(4)
        .with_parts_per_fabric(2)
        .with_devices(2)
        .with_timeline(40)
        .with_errors(3)
        .with_error_bytes(150)
        .with_feedback(2)
        .with_pending_events(30)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn refused_inputs_change_nothing_and_limits_hold(steps in steps(), reopens in any::<bool>()) {
        let ids = ids();
        let mut call = Conference::new("x", Config::new().with_limits(limits()).with_reopening(reopens));
        let _ = ["a", "b"].map(|name| call.user(name).unwrap());
        let mut latest = 40_000_i64;
        let mut view = View::default();
        for (step, op) in steps {
            let ms = latest + step;
            let before = format!("{call:?}");
            match apply(&mut call, &ids, ms as u64, &op) {
                Err(_) => prop_assert_eq!(format!("{call:?}"), before, "{:?}", op),
                Ok(()) => latest = latest.max(ms),
            }
            call.snapshot_into(&mut view);
            prop_assert_eq!(&view, &call.snapshot());
        }
        let summary = call.summary();
        prop_assert!(summary.fabrics.len() <= 3 && summary.users.len() <= 4);
        prop_assert!(summary.events.len() <= 40 && summary.errors.len() <= 3 && summary.feedback.len() <= 2);
        prop_assert!(std::iter::from_fn(|| call.poll_event()).count() <= 31);
        for fabric in &summary.fabrics {
            // At most two streams, and two earlier parts of other users.
            prop_assert!(fabric.streams.len() <= 4 && fabric.active_devices.len() <= 2);
        }
        for user in &summary.users {
            prop_assert!(user.stays.len() <= 2 && user.stays.len() as u64 <= user.joins);
            let own = user.events.iter().all(|event| event.user.as_deref() == Some(&user.user));
            prop_assert!(own);
        }
        prop_assert_eq!(summary.end_reason.is_some(), call.ended().is_some());
        let times: Vec<f64> = summary.events.iter().map(|event| event.t_ms).collect();
        prop_assert!(times.is_sorted());
        let debug = format!("{summary:?}");
        let words = debug.split(|c: char| !c.is_alphanumeric());
        prop_assert_eq!(words.filter(|word| matches!(*word, "NaN" | "inf")).count(), 0, "{}", debug);
        prop_assert_eq!(call.summary(), summary);
    }
}

#[test]
fn generated_inputs_cover_acceptance_and_every_refusal() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut taken, mut refused) = (0, std::collections::BTreeSet::new());
    let ids = ids();
    for _ in 0..500 {
        let steps = proptest::strategy::ValueTree::current(&steps().new_tree(&mut runner).unwrap());
        let mut call = Conference::new("x", Config::new().with_limits(limits()));
        let _ = ["a", "b"].map(|name| call.user(name).unwrap());
        let mut latest = 40_000_i64;
        for (step, op) in steps {
            match apply(&mut call, &ids, (latest + step) as u64, &op) {
                Ok(()) => {
                    taken += 1;
                    latest = latest.max(latest + step);
                }
                Err(error) => drop(refused.insert(format!("{error:?}"))),
            }
        }
    }
    assert!(taken > 1_000, "{taken}");
    let all = [
        "AlreadyOpen",
        "Ended",
        "InvalidName",
        "LimitReached",
        "NameTaken",
        "Terminated",
        "TimeWentBackwards",
        "UnknownFabric",
        "UnknownUser",
    ];
    assert_eq!(refused.iter().map(String::as_str).collect::<Vec<_>>(), all);
}
