//! Saved and restored fleets: what must survive, and what must be refused.

use std::time::Duration;

use callgauge::conference::RestoreError;
use callgauge::fleet::{Fleet, FleetConfig, Merged, Merger};
use callgauge::{Event, FabricSpec};
use proptest::prelude::*;

use super::expiry::{Input, do_in, inputs};
use super::{at, end_of_time, ended, open, parts};

fn again(fleet: &Fleet) -> Fleet {
    Fleet::restore(&fleet.save(), fleet.config().clone()).unwrap()
}

/// A user joins, and leaves.
fn visit(fleet: &mut Fleet, from: u64, to: u64, id: &str) {
    open(fleet, from, id, "alice");
    leave(fleet, to, id);
}

fn leave(fleet: &mut Fleet, second: u64, id: &str) {
    let mut call = fleet.enter(at(second), id).unwrap();
    let user = call.find_user("alice").unwrap();
    call.leave(at(second), user).unwrap();
}

fn order(fleet: &mut Fleet) -> Vec<String> {
    let mut order: Vec<String> =
        std::iter::from_fn(|| fleet.poll_event().map(|event| event.conference.to_owned())).collect();
    order.dedup();
    order
}

#[test]
fn replacement_of_an_expired_conference_has_its_own_turn() {
    let mut fleet = Fleet::new(FleetConfig::new());
    open(&mut fleet, 0, "a", "alice");
    open(&mut fleet, 90, "b", "alice");
    fleet.handle_timeout(at(91));
    assert_eq!(fleet.len(), 1);
    let mut restored = again(&fleet);
    open(&mut fleet, 92, "c", "alice");
    open(&mut restored, 92, "c", "alice");
    let of_ended = ended(&mut fleet).len() + ended(&mut restored).len();
    assert_eq!(of_ended, 2);
    assert_eq!((order(&mut fleet), order(&mut restored)), (vec!["b".into(), "c".into()], vec!["b".into(), "c".into()]));
}

#[test]
fn next_turn_is_the_same_after_restoring() {
    let mut fleet = Fleet::new(FleetConfig::new());
    open(&mut fleet, 0, "a", "alice");
    open(&mut fleet, 1, "b", "alice");
    leave(&mut fleet, 1, "a");
    fleet.handle_timeout(at(2));
    assert_eq!(fleet.poll_timeout(), again(&fleet).poll_timeout());
}

fn size_after_visits(fleet: &mut Fleet, times: u64) -> usize {
    for _ in 0..times {
        let mut call = fleet.enter(at(1), "a").unwrap();
        let user = call.user("bob").unwrap();
        call.join(at(1), user).unwrap();
        call.leave(at(1), user).unwrap();
    }
    while fleet.poll_event().is_some() {}
    format!("{fleet:?}").len()
}

#[test]
fn endless_joins_and_leaves_take_no_memory() {
    let mut fleet = Fleet::new(FleetConfig::new());
    open(&mut fleet, 0, "a", "alice");
    let (once, often) = (size_after_visits(&mut fleet, 2_000), size_after_visits(&mut fleet, 20_000));
    assert!(often < once + once / 4, "{once} {often}");
}

#[test]
fn restoring_with_other_windows_or_grace_is_refused() {
    let bytes = Fleet::new(FleetConfig::new()).save();
    let (window, grace) = (Duration::from_secs(10), Duration::from_secs(10));
    for config in [FleetConfig::new().with_window(window), FleetConfig::new().with_grace(grace)] {
        assert_eq!(Fleet::restore(&bytes, config).map(drop), Err(RestoreError::OtherWindows));
    }
}

#[test]
fn different_part_under_the_same_number_is_detected() {
    let start = Fleet::new(FleetConfig::new().with_shard("s"));
    let mut merger = Merger::new();
    let mut fleet = again(&start);
    visit(&mut fleet, 0, 10, "a");
    fleet.handle_timeout(at(200));
    let first: Vec<Merged> = parts(&mut fleet).iter().map(|part| merger.add(part)).collect();
    assert_eq!(first, [Merged::Added]);
    // From the same state, but with another user.
    let mut fleet = again(&start);
    visit(&mut fleet, 0, 10, "a");
    visit(&mut fleet, 40, 45, "late");
    fleet.handle_timeout(at(200));
    let second: Vec<Merged> = parts(&mut fleet).iter().map(|part| merger.add(part)).collect();
    assert_eq!(second, [Merged::Conflicting]);
}

#[test]
fn edits_after_the_end_survive_restoring() {
    let mut fleet = Fleet::new(FleetConfig::new());
    visit(&mut fleet, 0, 10, "a");
    let mut restored = again(&fleet);
    for fleet in [&mut fleet, &mut restored] {
        fleet.enter_ended(at(15), "a").unwrap().label("region", "eu").unwrap();
        fleet.enter(at(20), "a").unwrap().open_fabric(at(20), FabricSpec::new("pc")).unwrap();
        fleet.handle_timeout(at(500));
    }
    let (one, other) = (ended(&mut fleet), ended(&mut restored));
    assert_eq!(one.len(), 2);
    assert_eq!(one, other);
    assert_eq!(parts(&mut fleet), parts(&mut restored));
}

fn apply(fleet: &mut Fleet, input: Input) {
    let mut call = fleet.enter(at(input.0), &format!("call-{}", input.1)).unwrap();
    call.label("user", &input.2.to_string()).unwrap();
    do_in(&mut call, input);
}

fn events(fleet: &mut Fleet) -> Vec<(String, u32, Event)> {
    let mut all = Vec::new();
    while let Some(event) = fleet.poll_event() {
        all.push((event.conference.to_owned(), event.instance, event.event));
    }
    all
}

proptest! {
    #[test]
    fn fleet_restored_at_any_input_continues_alike(
        inputs in inputs(), cuts in prop::collection::vec(any::<bool>(), 60), polls in any::<prop::sample::Index>(),
    ) {
        let mut whole = Fleet::new(FleetConfig::new());
        let mut cut = whole.clone();
        for (number, (&input, is_cut)) in inputs.iter().zip(cuts).enumerate() {
            apply(&mut whole, input);
            apply(&mut cut, input);
            if is_cut {
                cut = again(&cut);
            }
            if number == polls.index(inputs.len()) {
                prop_assert_eq!(events(&mut cut), events(&mut whole));
            }
            prop_assert_eq!(cut.save(), whole.save());
        }
        whole.handle_timeout(end_of_time());
        cut.handle_timeout(end_of_time());
        cut = again(&cut);
        prop_assert_eq!(events(&mut cut), events(&mut whole));
        prop_assert_eq!(ended(&mut cut), ended(&mut whole));
        prop_assert_eq!(parts(&mut cut), parts(&mut whole));
    }
}
