//! Presence of users, and the end of a conference.

use core::time::Duration;

use callgauge::event::IceState;
use callgauge::event::{EndReason, EventKind};
use callgauge::summary::{ConferenceState, UserState};
use callgauge::{AppEvent, Config, FabricSpec, InputError, Limits, Outcome};

use super::{Call, at, received};

/// Alice, Bob and Carol, each with a fabric of their own to a server.
fn three(config: Config) -> (Call, [callgauge::id::FabricId; 2]) {
    let mut call = Call::with(config);
    let others = [call.open(0, "bob-pc", "bob", "server"), call.open(0, "carol-pc", "carol", "server")];
    (call, others)
}

#[test]
fn stay_never_ends_before_its_beginning() {
    let (mut call, [_, carol]) = three(Config::new());
    call.call.send_event(at(10_000), carol, AppEvent::Terminated).unwrap();
    let dave = call.call.user("dave").unwrap();
    call.call.join(at(40_000), dave).unwrap();
    // Alice and Bob left at 30 s, which the engine finds only when Dave joins.
    call.call.handle_timeout(at(50_000)).unwrap();
    assert_eq!(call.call.ended(), Some((at(40_000), EndReason::Terminated)));
    let summary = call.call.summary();
    let mut left = Vec::new();
    for user in &summary.users {
        left.extend(user.stays.iter().map(|stay| (&*user.user, stay.joined_ms, stay.left_ms)));
    }
    let gone = |name, joined, left| (name, joined, Some(left));
    let others = [gone("alice", 0.0, 30_000.0), gone("bob", 0.0, 30_000.0), gone("carol", 0.0, 10_000.0)];
    assert_eq!(left[..3], others);
    assert_eq!(left[3..], [gone("dave", 40_000.0, 40_000.0)]);
}

#[test]
fn thirty_seconds_of_silence_is_leaving_and_return_is_churn() {
    let (mut call, [bob, carol]) = three(Config::new());
    assert_eq!(call.call.poll_timeout(), Some(at(30_000)));
    for second in 0..=60 {
        for fabric in [call.fabric, carol] {
            call.snapshot_of(fabric, second * 1_000, &[received(2, second as u32)]);
        }
        if call.call.poll_timeout().is_some_and(|due| due <= at(second * 1_000)) {
            call.call.handle_timeout(at(second * 1_000)).unwrap();
        }
    }
    let left: Vec<_> = call.call_events().into_iter().filter(|one| one.kind == EventKind::UserLeft).collect();
    assert_eq!(left.len(), 1);
    assert_eq!((call.call.user_name(left[0].user.unwrap()), left[0].at), (Some("bob"), at(30_000)));
    assert_eq!((call.user("bob").state, call.user("bob").joins), (Some(UserState::Left), 1));
    assert_eq!(call.user("bob").stays[0].end_reason, Some(EndReason::Timeout));
    // A snapshot brings him back.
    call.snapshot_of(bob, 61_000, &[received(2, 0)]);
    let user = call.user("bob");
    assert_eq!((user.state, user.joins, user.stays.len()), (Some(UserState::Present), 2, 2));
    assert_eq!((user.stays[1].joined_ms, user.stays[1].left_ms), (61_000.0, None));
    assert!(call.kinds().contains(&EventKind::UserJoined));
    assert_eq!(call.call.summary().state, ConferenceState::Ongoing);
    // A user that appears only as a remote user never joined.
    assert_eq!((call.user("server").state, call.user("server").joins), (None, 0));
}

#[test]
fn conference_ends_when_all_users_are_silent_and_dates_the_end() {
    let (mut call, [bob, _]) = three(Config::new().with_inactivity_timeout(Duration::from_secs(10)));
    call.snapshot_of(bob, 4_000, &[received(2, 0)]);
    assert_eq!(call.call.poll_timeout(), Some(at(10_000)));
    call.call.handle_timeout(at(10_000)).unwrap();
    assert_eq!((call.call.ended(), call.call.poll_timeout()), (None, Some(at(14_000))));
    // A late timeout still finds what was due, at its own time.
    call.call.handle_timeout(at(99_000)).unwrap();
    assert_eq!(call.call.ended(), Some((at(14_000), EndReason::Timeout)));
    assert_eq!(call.call.poll_timeout(), None);
    let ended: Vec<_> = call.call_events().into_iter().filter(|one| one.kind == EventKind::ConferenceEnded).collect();
    assert_eq!(ended.len(), 1);
    assert_eq!((ended[0].at, ended[0].end), (at(14_000), Some(EndReason::Timeout)));
    let summary = call.call.summary();
    assert_eq!((summary.state, summary.end_reason), (ConferenceState::Ended, Some(EndReason::Timeout)));
}

#[test]
fn conference_ends_when_all_but_one_terminated_then_reopens() {
    let (mut call, [bob, carol]) = three(Config::new());
    for second in 0..=5 {
        for fabric in [call.fabric, bob, carol] {
            call.snapshot_of(fabric, second * 1_000, &[received(2, second as u32 * 50)]);
        }
    }
    call.call.send_event(at(6_000), bob, AppEvent::Terminated).unwrap();
    assert_eq!(call.call.ended(), None, "two are left");
    assert_eq!(call.call.ingest(at(6_001), bob, &call.report), Err(InputError::Terminated));
    call.call.send_event(at(7_000), carol, AppEvent::Terminated).unwrap();
    assert_eq!(call.call.ended(), Some((at(7_000), EndReason::Terminated)));
    assert_eq!(call.call.poll_timeout(), Some(at(7_000)));
    // Every input at that moment still belongs to the conference, in any order.
    call.snapshot_at(7_000, &[received(2, 350)]);
    let summary = call.call.summary();
    assert_eq!((summary.state, summary.end_reason), (ConferenceState::Ended, Some(EndReason::Terminated)));
    for result in [
        call.call.ingest(at(7_001), call.fabric, &call.report),
        call.call.ice_state(at(7_001), call.fabric, IceState::Failed),
        call.call.open_fabric(at(7_001), FabricSpec::new("new")).map(drop),
        call.call.join(at(7_001), call.bob).map(drop),
    ] {
        assert_eq!(result, Err(InputError::Ended));
    }
    assert_eq!(call.call.summary(), summary);
    call.call.handle_timeout(at(8_000)).unwrap();
    let settled = call.call.summary();
    assert_eq!(settled.fabrics, summary.fabrics);
    // Alice was left alone.
    let alice = settled.users.iter().find(|user| user.user == "alice").unwrap();
    assert_eq!((alice.stays[0].left_ms, alice.stays[0].end_reason), (Some(7_000.0), Some(EndReason::Terminated)));
    assert_eq!(call.call.leave(at(8_000), call.alice), Ok(Outcome::Unchanged));
    assert_eq!(call.call.summary(), settled);
    assert_eq!(settled.events.last().map(|event| event.event), Some(EventKind::ConferenceEnded));

    let mut next = call.call.next_instance();
    let spec = FabricSpec::new("pc").with_local_user(call.alice).with_remote_user(call.bob);
    next.open_fabric(at(7_001), spec).unwrap();
    let begun = next.summary();
    assert_eq!(
        (begun.conference.as_deref(), begun.instance, begun.state),
        (Some("AliceAndBob"), 2, ConferenceState::Ongoing)
    );
    assert_eq!(begun.users.iter().find(|user| user.user == "alice").unwrap().joins, 1);
    assert_eq!(begun.users.iter().find(|user| user.user == "bob").unwrap().joins, 0);
}

#[test]
fn fabric_opened_as_another_terminates_continues_the_call() {
    // Alice moves from the peer to the server; neither order of the two calls ends the conference.
    for opens_first in [false, true] {
        let mut call = Call::new();
        call.open(0, "bob-pc", "bob", "alice");
        if opens_first {
            call.open(5_000, "server", "alice", "bob");
        }
        call.call.send_event(at(5_000), call.fabric, AppEvent::Terminated).unwrap();
        if !opens_first {
            call.open(5_000, "server", "alice", "bob");
        }
        assert_eq!(call.call.ended(), None);
        call.call.handle_timeout(at(6_000)).unwrap();
        assert_eq!(call.call.summary().state, ConferenceState::Ongoing);
    }
}

#[test]
fn endpoint_terminates_with_its_last_fabric() {
    let mut call = Call::new();
    let other = call.open(0, "to-carol", "alice", "carol");
    call.call.send_event(at(1_000), call.fabric, AppEvent::Terminated).unwrap();
    assert_eq!((call.call.ended(), call.user("alice").state), (None, Some(UserState::Present)));
    call.call.send_event(at(2_000), other, AppEvent::Terminated).unwrap();
    assert_eq!(call.call.ended(), Some((at(2_000), EndReason::Terminated)));
    // All unnamed users count as one: their number is unknown.
    let mut call = Call::new();
    let nameless = [0, 1].map(|_| call.call.open_fabric(at(0), FabricSpec::new("")).unwrap());
    call.call.send_event(at(1_000), nameless[0], AppEvent::Terminated).unwrap();
    assert_eq!(call.call.ended(), None);
}

fn snapshots_of(call: &mut Call, fabrics: &[callgauge::id::FabricId], second: u64) {
    for &fabric in fabrics {
        call.snapshot_of(fabric, second * 1_000, &[received(2, second as u32 * 50)]);
    }
}

#[test]
fn leaving_is_final() {
    let (mut call, [bob, carol]) = three(Config::new());
    let alice = call.fabric;
    (0..=5).for_each(|second| snapshots_of(&mut call, &[alice, bob, carol], second));
    assert_eq!(call.call.leave(at(5_500), call.bob), Ok(Outcome::Applied));
    assert_eq!(call.call.leave(at(5_500), call.bob), Ok(Outcome::Unchanged));
    let then = call.user("bob");
    assert_eq!(then.stays[0].end_reason, Some(EndReason::Left));
    assert_eq!(call.call.ingest(at(6_000), bob, &call.report), Err(InputError::Terminated));
    (6..=9).for_each(|second| snapshots_of(&mut call, &[alice, carol], second));
    // Compare everything but the streams that others may still receive from him.
    let mut now = call.user("bob");
    assert!(now.delivered.packets > then.delivered.packets);
    now.delivered = then.delivered.clone();
    assert_eq!(now, then);
    let carols = call.call.user("carol").unwrap();
    call.call.leave(at(10_000), carols).unwrap();
    assert_eq!(call.call.ended(), None, "leaving is not terminating: one may still be joined");
    call.call.leave(at(11_000), call.alice).unwrap();
    assert_eq!(call.call.ended(), Some((at(11_000), EndReason::Left)));
}

#[test]
fn user_with_keepalives_and_no_stats_stays() {
    let mut call = Call::new();
    for second in (0..=100).step_by(20) {
        let answer = call.call.join(at(second * 1_000), call.alice);
        assert_eq!(answer, Ok(Outcome::Unchanged));
        call.call.handle_timeout(at(second * 1_000)).unwrap();
    }
    assert_eq!((call.call.ended(), call.call.poll_timeout()), (None, Some(at(130_000))));
}

#[test]
fn reopening_cancels_an_end_by_inactivity() {
    let mut call = Call::with(Config::new().with_reopening(true));
    call.snapshot_at(0, &[received(2, 0)]);
    call.snapshot_at(1_000, &[received(2, 50)]);
    call.call.handle_timeout(at(60_000)).unwrap();
    assert_eq!(call.call.ended(), Some((at(31_000), EndReason::Timeout)));
    call.snapshot_at(61_000, &[received(2, 3_000)]);
    assert_eq!((call.call.ended(), call.user("alice").joins), (None, 2));
    assert_eq!(call.streams(2)[0].packets, Some(3_000));
    // A terminated fabric still accepts its last snapshot, and stays terminated.
    call.call.send_event(at(62_000), call.fabric, AppEvent::Terminated).unwrap();
    call.snapshot_at(62_500, &[received(2, 3_050)]);
    assert_eq!(call.streams(2)[0].packets, Some(3_050));
    assert_eq!(call.call.summary().state, ConferenceState::Ended);
}

#[test]
fn stays_beyond_the_limit_are_counted_and_the_latest_remains() {
    let mut call = Call::with(Config::new().with_limits(Limits::new().with_stays_per_user(3)));
    let alice = call.alice;
    call.open(0, "bob-pc", "bob", "alice");
    for second in 1..=9 {
        call.call.leave(at(second * 1_000), alice).unwrap();
        call.call.join(at(second * 1_000 + 500), alice).unwrap();
    }
    let user = call.user("alice");
    assert_eq!((user.joins, user.stays.len()), (10, 3));
    assert_eq!((user.stays[0].joined_ms, user.stays[2].joined_ms), (0.0, 9_500.0));
}

#[test]
fn backward_time_is_refused_by_every_input() {
    let mut call = Call::new();
    call.snapshot_at(5_000, &[]);
    let (fabric, alice) = (call.fabric, call.alice);
    let back = at(4_999);
    let report = call.report.clone();
    let before = call.call.summary();
    let call = &mut call.call;
    let answers = [
        call.ingest(back, fabric, &report),
        call.ice_state(back, fabric, IceState::Connected),
        call.send_event(back, fabric, AppEvent::Hold).map(drop),
        call.send_event(back, fabric, AppEvent::Terminated).map(drop),
        call.report_error(back, None, callgauge::event::ErrorReport::log("late")).map(drop),
        call.join(back, alice).map(drop),
        call.leave(back, alice).map(drop),
        call.handle_timeout(back),
        call.open_fabric(back, FabricSpec::new("x")).map(drop),
    ];
    assert!(answers.iter().all(|answer| *answer == Err(InputError::TimeWentBackwards)), "{answers:?}");
    assert_eq!(call.summary(), before);
}
