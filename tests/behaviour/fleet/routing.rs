//! Which conference an input reaches.

use core::time::Duration;

use callgauge::conference::{Feedback, FeedbackRating};
use callgauge::event::{EndReason, EventKind};
use callgauge::fleet::{Fleet, FleetConfig, FleetError};
use callgauge::{Event, FabricSpec, InputError};

use super::{at, connect, end_of_time, ended, open, parts, terminate};

/// Two users of one conference, both connected.
fn two(fleet: &mut Fleet, second: u64, id: &str) -> [callgauge::id::FabricId; 2] {
    let fabrics = ["alice", "bob"].map(|user| open(fleet, second, id, user));
    for fabric in fabrics {
        connect(fleet, second + 1, id, fabric);
    }
    fabrics
}

#[test]
fn events_of_one_conference_reach_no_other() {
    let mut fleet = Fleet::new(FleetConfig::new());
    let [_, bob] = two(&mut fleet, 0, "a");
    two(&mut fleet, 0, "b");
    terminate(&mut fleet, 5, "a", bob).unwrap();
    assert_eq!(fleet.get("a").unwrap().ended(), Some((at(5), EndReason::Terminated)));
    assert_eq!(fleet.get("b").unwrap().ended(), None);
    let ids: Vec<&str> = fleet.conferences().map(|(id, _)| id).collect();
    assert_eq!(ids, ["a", "b"]);
    let mut joined = Vec::new();
    while let Some(item) = fleet.poll_event() {
        if let Event::Call { event, .. } = item.event
            && event.kind == EventKind::UserJoined
        {
            joined.push((item.conference.to_owned(), item.instance, event.at));
        }
    }
    joined.sort();
    let expected = [("a", at(0)), ("a", at(0)), ("b", at(0)), ("b", at(0))];
    assert_eq!(joined, expected.map(|(id, at)| (id.to_owned(), 1, at)));
}

#[test]
fn end_moment_belongs_to_the_call_at_any_timeout_time() {
    for tells in [false, true] {
        let mut fleet = Fleet::new(FleetConfig::new());
        let [alice, bob] = two(&mut fleet, 0, "a");
        terminate(&mut fleet, 9, "a", bob).unwrap();
        if tells {
            fleet.handle_timeout(at(9));
        }
        terminate(&mut fleet, 9, "a", alice).unwrap();
        fleet.handle_timeout(end_of_time());
        let ended = ended(&mut fleet);
        assert_eq!(ended.len(), 1);
        let reasons: Vec<_> = ended[0].summary.users.iter().map(|user| user.stays[0].end_reason).collect();
        assert_eq!(reasons, [Some(EndReason::Terminated); 2]);
    }
}

#[test]
fn input_after_the_end_opens_an_instance_that_knows_its_users() {
    let mut fleet = Fleet::new(FleetConfig::new());
    two(&mut fleet, 0, "a");
    // Silent since 1 s, and ended at 31 s.
    let mut call = fleet.enter(at(40), "a").unwrap();
    assert_eq!(call.instance(), 2);
    let bob = call.find_user("bob").unwrap();
    call.open_fabric(at(40), FabricSpec::new("pc").with_local_user(bob)).unwrap();
    drop(call);
    // The first is final as soon as the second has begun.
    let first = ended(&mut fleet);
    assert_eq!((first.len(), first[0].instance, first[0].at), (1, 1, at(31)));
    assert_eq!(first[0].summary.end_reason, Some(EndReason::Timeout));
    let has_end =
        |event: &Event| matches!(event, Event::Call { event, .. } if event.kind == EventKind::ConferenceEnded);
    assert_eq!(first[0].events.iter().filter(|event| has_end(event)).count(), 1, "not polled before");
    // It ends at 70 s, and is forgotten at 100 s.
    assert_eq!(fleet.enter(at(101), "a").unwrap().instance(), 1);
    fleet.handle_timeout(end_of_time());
    let second = ended(&mut fleet);
    assert_eq!((second.len(), second[0].instance, second[0].at), (1, 2, at(70)), "a visit is no conference");
}

#[test]
fn late_message_opens_nothing_and_feedback_finds_its_call() {
    let mut fleet = Fleet::new(FleetConfig::new().with_grace(Duration::from_secs(60)));
    let [alice, bob] = two(&mut fleet, 0, "a");
    terminate(&mut fleet, 9, "a", bob).unwrap();
    assert_eq!(terminate(&mut fleet, 10, "a", alice), Err(InputError::UnknownFabric), "an id of the instance before");
    assert!(fleet.poll_ended().is_none());
    let mut call = fleet.enter_ended(at(30), "a").unwrap();
    let user = call.find_user("alice");
    call.feedback(user, Some(alice), Feedback::new(FeedbackRating::new(2).unwrap())).unwrap();
    drop(call);
    assert_eq!(fleet.enter_ended(at(69), "a").err(), Some(FleetError::UnknownConference));
    let ended = ended(&mut fleet);
    assert_eq!((ended.len(), ended[0].summary.feedback[0].overall), (1, 2));
    fleet.handle_timeout(end_of_time());
    let total = &parts(&mut fleet)[0].rollup.total;
    assert_eq!((total.conferences, total.feedback, total.bad_feedback), (1, 1, 1));
}

#[test]
fn late_end_in_a_closed_window_makes_another_part_of_it() {
    let mut fleet = Fleet::new(FleetConfig::new().with_shard("s"));
    let [_, bob] = two(&mut fleet, 0, "in-time");
    terminate(&mut fleet, 9, "in-time", bob).unwrap();
    fleet.handle_timeout(at(90));
    let [first] = &parts(&mut fleet)[..] else { panic!("one window was closed") };
    // An input dated half a minute ago.
    let alice = open(&mut fleet, 50, "late", "alice");
    terminate(&mut fleet, 55, "late", alice).unwrap();
    fleet.handle_timeout(at(90));
    let [second] = &parts(&mut fleet)[..] else { panic!("it is closed as well") };
    assert_eq!(second.period, first.period);
    assert!(second.sequence > first.sequence);
    let conferences = [first, second].map(|part| part.rollup.total.conferences);
    assert_eq!(conferences, [1, 1]);
}

#[test]
fn input_behind_the_fleet_clock_opens_no_expired_conference() {
    let mut fleet = Fleet::new(FleetConfig::new());
    let alice = open(&mut fleet, 80, "a", "alice");
    fleet.handle_timeout(at(100));
    connect(&mut fleet, 95, "a", alice);
    assert_eq!(fleet.get("a").unwrap().clock(), Some(at(95)));
    assert_eq!(fleet.enter(at(40), "new").err(), Some(FleetError::TooLate));
    assert_eq!(fleet.refused().late, 1);
    assert!(fleet.enter(at(90), "new").is_ok());
}
