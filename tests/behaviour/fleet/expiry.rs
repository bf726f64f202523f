//! When conferences of a fleet end, compared with each conference alone.

use std::collections::BTreeMap;

use callgauge::fleet::{Ended, Fleet, FleetConfig, Merger, Period, Rollup};
use callgauge::summary::ConferenceSummary;
use callgauge::{AppEvent, Conference, Config, FabricSpec, InputError};
use proptest::prelude::*;

use super::{at, end_of_time, ended, parts};

/// An action of a user in a conference.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Join,
    Open,
    Terminate,
    Leave,
}

/// One action: its time, conference, user and kind.
pub(super) type Input = (u64, u8, u8, Action);

pub(super) fn do_in(call: &mut Conference, (second, _, user, action): Input) {
    let name = format!("user-{user}");
    let known = match action {
        Action::Join | Action::Open => call.user(&name).ok(),
        Action::Terminate | Action::Leave => call.find_user(&name),
    };
    let Some(user) = known else { return };
    let spec = FabricSpec::new("pc").with_local_user(user);
    let done = match action {
        Action::Join => call.join(at(second), user).map(|_| ()),
        Action::Open => call.open_fabric(at(second), spec).map(|_| ()),
        Action::Leave => call.leave(at(second), user).map(|_| ()),
        Action::Terminate => match call.find_fabric(&spec) {
            Some(fabric) => call.send_event(at(second), fabric, AppEvent::Terminated).map(|_| ()),
            None => Ok(()),
        },
    };
    assert!(matches!(done, Ok(()) | Err(InputError::AlreadyOpen)), "{done:?}");
}

/// Everything that a single conference gives when it gets a timeout every second.
fn alone(id: &str, inputs: &[Input]) -> Vec<(u32, ConferenceSummary)> {
    const GRACE: u64 = 30;
    let mut call = Conference::new(id, Config::new());
    let mut all = Vec::new();
    for second in 0..400 {
        if call.clock().is_some() {
            call.handle_timeout(at(second)).unwrap();
        }
        for &input in inputs.iter().filter(|input| input.0 == second) {
            let over = call.ended().filter(|(end, _)| call.poll_timeout().is_none() && *end <= at(second));
            let Some((end, _)) = over else {
                do_in(&mut call, input);
                continue;
            };
            let is_remembered = at(second).micros_since(end) < GRACE * 1_000_000;
            let mut next = if is_remembered { call.next_instance() } else { Conference::new(id, Config::new()) };
            do_in(&mut next, input);
            if next.clock().is_some() {
                all.push((call.instance(), call.summary()));
                call = next;
            }
        }
    }
    if call.clock().is_some() {
        all.push((call.instance(), call.summary()));
    }
    all
}

pub(super) fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let action = prop_oneof![
        Just(Action::Join),
        Just(Action::Open),
        Just(Action::Open),
        Just(Action::Terminate),
        Just(Action::Leave)
    ];
    let input = (0..150_u64, 0..4_u8, 0..3_u8, action);
    prop::collection::vec(input, 1..60).prop_map(|mut inputs| {
        inputs.sort_by_key(|input| input.0);
        inputs
    })
}

/// A fleet with all inputs, and with timeouts at these further times.
fn fleet(inputs: &[Input], ticks: &[u64]) -> Fleet {
    let mut fleet = Fleet::new(FleetConfig::new());
    let mut ticks = ticks.iter().peekable();
    for &input in inputs {
        while let Some(&tick) = ticks.next_if(|&&tick| tick <= input.0) {
            fleet.handle_timeout(at(tick));
        }
        do_in(&mut fleet.enter(at(input.0), &format!("call-{}", input.1)).unwrap(), input);
    }
    fleet.handle_timeout(end_of_time());
    assert!(fleet.is_empty());
    fleet
}

fn by_id(mut ended: Vec<Ended>) -> Vec<Ended> {
    ended.sort_by(|a, b| (&a.conference, a.at, a.instance).cmp(&(&b.conference, b.at, b.instance)));
    ended
}

proptest! {
    #[test]
    fn conferences_in_a_fleet_equal_those_alone_and_none_is_lost(
        inputs in inputs(), mut ticks in prop::collection::vec(0..150_u64, 0..20),
    ) {
        ticks.sort_unstable();
        let mut expected = BTreeMap::new();
        for call in 0..4_u8 {
            let its: Vec<Input> = inputs.iter().copied().filter(|input| input.1 == call).collect();
            expected.insert(format!("call-{call}"), alone(&format!("call-{call}"), &its));
        }
        let mut got: BTreeMap<String, Vec<(u32, ConferenceSummary)>> = BTreeMap::new();
        for ended in by_id(ended(&mut fleet(&inputs, &ticks))) {
            got.entry(ended.conference).or_default().push((ended.instance, *ended.summary));
        }
        expected.retain(|_, all| !all.is_empty());
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn timeout_times_and_arrival_order_change_nothing(
        inputs in inputs(), mut ticks in prop::collection::vec(0..150_u64, 0..20),
    ) {
        ticks.sort_unstable();
        // Of inputs to different conferences at one time, the last comes first.
        let mut turned = inputs.clone();
        turned.sort_by_key(|&(second, call, ..)| (second, u8::MAX - call));
        let mut straight = inputs;
        straight.sort_by_key(|&(second, call, ..)| (second, call));
        let (mut silent, mut ticked) = (fleet(&straight, &[]), fleet(&turned, &ticks));
        prop_assert_eq!(merged(&mut silent), merged(&mut ticked));
        prop_assert_eq!(by_id(ended(&mut silent)), by_id(ended(&mut ticked)));
        // With equal timeouts the order of the fleet's outputs is equal too.
        let (mut one, mut other) = (fleet(&straight, &ticks), fleet(&turned, &ticks));
        prop_assert_eq!(parts(&mut one), parts(&mut other));
    }
}

/// The rollups, whatever parts they came in.
fn merged(fleet: &mut Fleet) -> Vec<(Period, Rollup)> {
    let mut merger = Merger::new();
    for part in parts(fleet) {
        merger.add(&part);
    }
    merger.rollups().map(|(period, rollup)| (period, rollup.clone())).collect()
}

#[test]
fn conferences_expiring_together_are_ordered_by_id() {
    for ids in [["c", "a", "b"], ["b", "c", "a"]] {
        let mut fleet = Fleet::new(FleetConfig::new());
        for id in ids {
            super::open(&mut fleet, 0, id, "alice");
        }
        assert_eq!(fleet.poll_timeout(), Some(at(30)));
        fleet.handle_timeout(at(30));
        fleet.handle_timeout(at(60));
        let got: Vec<String> = ended(&mut fleet).into_iter().map(|ended| ended.conference).collect();
        assert_eq!(got, ["a", "b", "c"]);
        assert_eq!(fleet.poll_timeout(), Some(at(90)), "the window is closed then");
        fleet.handle_timeout(at(90));
        assert_eq!((parts(&mut fleet).len(), fleet.poll_timeout()), (1, None));
    }
}

#[test]
fn input_moves_the_deadline_without_losing_queue_order() {
    let mut fleet = Fleet::new(FleetConfig::new());
    let alice = super::open(&mut fleet, 0, "a", "alice");
    for second in 1..=100 {
        super::connect(&mut fleet, second, "a", alice);
    }
    // The fleet wakes too early once, and corrects its deadline.
    assert!(fleet.poll_timeout() <= Some(at(130)));
    fleet.handle_timeout(at(100));
    assert_eq!(fleet.poll_timeout(), Some(at(130)));
    assert_eq!(fleet.get("a").unwrap().ended(), None);
}
