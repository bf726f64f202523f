//! A summary does not depend on the order of participants, and can be read back.

use callgauge::conference::{Feedback, FeedbackRating};
use callgauge::event::{ErrorReport, IceState, WebRtcFunction};
use callgauge::id::{Direction, FabricId, Ssrc};
use callgauge::summary::ConferenceSummary;
use callgauge::{AppEvent, Conference, Config, FabricSpec};
use proptest::prelude::*;

use super::{Stream, at, push, received, sent};
use crate::common::recordings::{lines, names, replay};

/// An action on a fabric in a second.
#[derive(Clone, Copy, Debug)]
enum Act {
    Sample { packets: u32 },
    Ice(IceState),
    Mute(bool),
    Hold(bool),
    Error,
    Rate(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..200_u32).prop_map(|packets| Act::Sample { packets }),
        2 => prop::sample::select(IceState::ALL.to_vec()).prop_map(Act::Ice),
        1 => any::<bool>().prop_map(Act::Mute),
        1 => any::<bool>().prop_map(Act::Hold),
        1 => Just(Act::Error),
        1 => (1..=5_u8).prop_map(Act::Rate),
    ]
}

const NAMES: [&str; 3] = ["ann", "ben", "cem"];

/// A call of three users with two fabrics each. `order` is the order in which they are named, open their fabrics, and
/// report in each second. The actions of a second alternate between the two fabrics.
fn play(seconds: &[[Vec<Act>; 3]], order: [usize; 3]) -> Conference {
    let mut call = Conference::new("", Config::new());
    let users = order.map(|who| call.user(NAMES[who]).unwrap());
    let user = |who| users[order.iter().position(|&one| one == who).unwrap()];
    let turns = if order[0] < order[1] { [0, 1] } else { [1, 0] };
    let mut fabrics = [[None::<FabricId>; 2]; 3];
    for who in order {
        for turn in turns {
            let spec = FabricSpec::new(["pc", "screen"][turn]).with_local_user(user(who));
            fabrics[who][turn] = Some(call.open_fabric(at(0), spec.with_remote_user(user((who + 1) % 3))).unwrap());
        }
    }
    let mut counts = [[0; 2]; 3];
    let mut report = callgauge::report::Report::new();
    for (second, acts) in (1..).zip(seconds) {
        for (who, turn) in order.into_iter().flat_map(|who| turns.map(|turn| (who, turn))) {
            let (now, fabric) = (at(second * 1_000), fabrics[who][turn].unwrap());
            for act in acts[who].iter().skip(turn).step_by(2) {
                match *act {
                    Act::Sample { packets } => {
                        let count = &mut counts[who][turn];
                        *count += packets;
                        report.clear();
                        // Each participant receives what the next one sends.
                        let ssrc = |who: usize| who as u32 + 10 * turn as u32;
                        let streams: [Stream; 2] = [sent(ssrc(who), *count), received(ssrc((who + 1) % 3), *count)];
                        for stream in streams {
                            push(&mut report, second * 1_000, stream);
                        }
                        call.ingest(now, fabric, &report).unwrap();
                    }
                    Act::Ice(state) => call.ice_state(now, fabric, state).unwrap(),
                    Act::Mute(on) => {
                        let event = if on { AppEvent::AudioMute(None) } else { AppEvent::AudioUnmute(None) };
                        call.send_event(now, fabric, event).unwrap();
                    }
                    Act::Hold(on) => {
                        call.send_event(now, fabric, if on { AppEvent::Hold } else { AppEvent::Resume }).unwrap();
                    }
                    Act::Error => {
                        let report = ErrorReport::new(WebRtcFunction::AddIceCandidate);
                        call.report_error(now, Some(fabric), report).unwrap();
                    }
                    Act::Rate(stars) => {
                        let feedback = Feedback::new(FeedbackRating::new(stars).unwrap());
                        call.feedback(Some(user(who)), Some(fabric), feedback).unwrap();
                    }
                }
            }
        }
    }
    call
}

fn seconds() -> impl Strategy<Value = Vec<[Vec<Act>; 3]>> {
    let one = || prop::collection::vec(act(), 0..4);
    prop::collection::vec((one(), one(), one()).prop_map(|(a, b, c)| [a, b, c]), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arrival_order_changes_nothing(
        seconds in seconds(),
        order in prop::sample::select(vec![[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]),
    ) {
        let bytes = |order| serde_json::to_string(&play(&seconds, order).summary()).unwrap();
        prop_assert_eq!(bytes([0, 1, 2]), bytes(order));
    }

    #[test]
    fn written_summary_reads_back(seconds in seconds()) {
        let summary = play(&seconds, [0, 1, 2]).summary();
        let text = serde_json::to_string(&summary).unwrap();
        let back: ConferenceSummary = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&back, &summary);
        prop_assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }

    /// A user's totals are the sums of their streams: nothing is counted twice or left out.
    #[test]
    fn user_totals_are_the_sums_of_their_streams(seconds in seconds()) {
        let summary = play(&seconds, [0, 1, 2]).summary();
        prop_assert_eq!(summary.users.len(), 3);
        let sum = |packets: &mut dyn Iterator<Item = Option<u64>>| packets.flatten().sum::<u64>();
        let of_streams = |direction| {
            let streams = summary.fabrics.iter().flat_map(|fabric| &fabric.streams);
            sum(&mut streams.filter(|stream| stream.direction == direction).map(|stream| stream.packets))
        };
        prop_assert_eq!(sum(&mut summary.users.iter().map(|user| user.uplink.packets)), of_streams(Direction::Outbound));
        prop_assert_eq!(sum(&mut summary.users.iter().map(|user| user.downlink.packets)), of_streams(Direction::Inbound));
        let heard = sum(&mut summary.users.iter().map(|user| user.delivered.packets));
        prop_assert_eq!(heard, sum(&mut summary.users.iter().map(|user| user.downlink.packets)));
    }
}

#[test]
fn generated_calls_exercise_the_laws() {
    // The laws above would hold for an engine that ignores everything.
    let acts = [Act::Sample { packets: 50 }, Act::Mute(true), Act::Ice(IceState::Connected), Act::Error, Act::Rate(3)];
    let both: Vec<Act> = acts.into_iter().flat_map(|act| [act, act]).collect();
    let seconds: Vec<[Vec<Act>; 3]> = (0..4).map(|_| [both.clone(), both.clone(), both.clone()]).collect();
    let summary = play(&seconds, [0, 1, 2]).summary();
    assert!(summary.events.len() >= 24 && summary.errors.len() == 24 && summary.feedback.len() == 6);
    assert_eq!((summary.fabrics.len(), summary.deliveries.len()), (6, 6));
    assert_eq!(summary.deliveries[0].ssrc, Ssrc::new(0));
    assert!(summary.users.iter().all(|user| user.muted_s == 6.0 && user.downlink.packets == Some(300)));
}

#[test]
fn summary_of_every_recording_reads_back() {
    let names = names();
    assert!(names.len() > 20);
    for name in names {
        let summary = replay(&lines(&name)).call.summary();
        let text = serde_json::to_string(&summary).unwrap();
        let back: ConferenceSummary = serde_json::from_str(&text).unwrap();
        assert_eq!(back, summary, "{name}");
        assert_eq!(serde_json::to_string(&back).unwrap(), text, "{name}");
    }
}
