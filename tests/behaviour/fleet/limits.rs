//! The limits of a fleet.

use callgauge::fleet::{Fleet, FleetConfig, FleetError, FleetLimits};
use callgauge::{FabricSpec, Outcome};

use super::{at, connect, end_of_time, ended, open, parts, terminate};

fn fleet(limits: FleetLimits) -> Fleet {
    Fleet::new(FleetConfig::new().with_limits(limits))
}

#[test]
fn conference_beyond_the_limit_is_refused_and_others_continue() {
    let mut fleet = fleet(FleetLimits::new().with_conferences(2));
    let fabrics = ["a", "b"].map(|id| (id, open(&mut fleet, 0, id, "alice")));
    for _ in 0..3 {
        assert_eq!(fleet.enter(at(1), "c").err(), Some(FleetError::ConferencesFull));
    }
    assert_eq!((fleet.len(), fleet.refused().conferences), (2, 3));
    for (id, fabric) in fabrics {
        connect(&mut fleet, 2, id, fabric);
    }
    // Capacity returns when a conference has ended and was forgotten.
    for second in [20, 40, 60] {
        connect(&mut fleet, second, "a", fabrics[0].1);
    }
    fleet.handle_timeout(at(62));
    assert!(fleet.enter(at(62), "c").is_ok());
    assert_eq!(fleet.enter(at(62), "").err(), Some(FleetError::InvalidId));
}

#[test]
fn unpolled_summaries_are_retained_and_new_conferences_wait() {
    let mut fleet = fleet(FleetLimits::new().with_pending_summaries(2));
    for id in ["a", "b", "c", "d"] {
        open(&mut fleet, 0, id, "alice");
    }
    fleet.handle_timeout(at(60));
    assert_eq!(fleet.enter(at(60), "e").err(), Some(FleetError::SummariesPending));
    let ids: Vec<String> = ended(&mut fleet).into_iter().map(|ended| ended.conference).collect();
    assert_eq!(ids, ["a", "b", "c", "d"]);
    assert!(fleet.enter(at(60), "e").is_ok());
}

#[test]
fn next_instance_waits_and_the_previous_is_not_lost() {
    let mut fleet = fleet(FleetLimits::new().with_pending_summaries(1));
    let alice = open(&mut fleet, 0, "a", "alice");
    terminate(&mut fleet, 1, "a", alice).unwrap();
    open(&mut fleet, 0, "b", "alice");
    assert!(fleet.enter(at(45), "b").unwrap().open_fabric(at(45), FabricSpec::new("pc")).is_ok());
    assert!(fleet.enter(at(45), "a").is_err(), "it is forgotten, and would be new");
    let ids: Vec<String> = ended(&mut fleet).into_iter().map(|ended| ended.conference).collect();
    assert_eq!(ids, ["b", "a"]);
    fleet.handle_timeout(end_of_time());
    assert_eq!(ended(&mut fleet).len(), 1, "the second of b");
}

#[test]
fn unpolled_windows_are_retained_and_new_conferences_wait() {
    let mut fleet = fleet(FleetLimits::new().with_windows(2));
    for (id, second) in [("a", 0), ("b", 70), ("c", 130)] {
        open(&mut fleet, second, id, "alice");
    }
    fleet.handle_timeout(at(250));
    assert_eq!(fleet.enter(at(250), "d").err(), Some(FleetError::RollupsPending));
    let conferences: Vec<u64> = parts(&mut fleet).iter().map(|part| part.rollup.total.conferences).collect();
    assert_eq!(conferences, [1, 1, 1]);
    assert!(fleet.enter(at(250), "d").is_ok());
}

#[test]
fn labels_are_bounded_and_freed_when_unused() {
    let limits = FleetLimits::new().with_labels(3).with_labels_per_conference(2).with_label_bytes(9);
    let mut fleet = fleet(limits);
    open(&mut fleet, 0, "a", "alice");
    let mut call = fleet.enter(at(1), "a").unwrap();
    assert_eq!(call.label("region", "eu"), Ok(Outcome::Applied));
    assert_eq!(call.label("region", "eu"), Ok(Outcome::Unchanged));
    for (key, value) in [("", "eu"), ("region", ""), ("a=b", "c"), ("region", "east")] {
        assert_eq!(call.label(key, value), Err(FleetError::InvalidLabel), "{key}={value}");
    }
    assert_eq!(call.label("app", "x"), Ok(Outcome::Applied));
    assert_eq!(call.label("app", "y"), Err(FleetError::LabelsFull));
    assert_eq!(call.labels().collect::<Vec<_>>(), ["app=x", "region=eu"]);
    drop(call);
    let mut call = fleet.enter(at(1), "b").unwrap();
    assert_eq!(call.label("app", "y"), Ok(Outcome::Applied), "no other conference has it");
    assert_eq!(call.label("app", "z"), Err(FleetError::FleetLabelsFull));
    assert_eq!(call.label("app", "x"), Ok(Outcome::Applied), "it is known");
    drop(call);
    assert_eq!(fleet.refused().labels, 2);
    fleet.handle_timeout(end_of_time());
    let part = &parts(&mut fleet)[0];
    assert_eq!(part.rollup.labels.keys().collect::<Vec<_>>(), ["app=x", "region=eu"], "no user joined b");
}

#[test]
fn recurring_conference_may_add_labels_while_windows_are_polled() {
    let mut fleet = fleet(FleetLimits::new().with_labels(8).with_labels_per_conference(2));
    for instance in 0..100_u64 {
        let now = instance * 300;
        let alice = open(&mut fleet, now, "standup", "alice");
        let mut call = fleet.enter(at(now), "standup").unwrap();
        assert_eq!(call.label("build", &instance.to_string()), Ok(Outcome::Applied));
        drop(call);
        terminate(&mut fleet, now + 1, "standup", alice).unwrap();
        fleet.handle_timeout(at(now + 200));
        assert_eq!((ended(&mut fleet).len(), parts(&mut fleet).len()), (1, 1));
    }
}

#[test]
fn recurring_conference_takes_at_most_half_of_the_labels() {
    for most in [4, 16, 1_000] {
        let limits = FleetLimits::new().with_labels(64).with_labels_per_conference(most);
        let mut fleet = fleet(limits);
        let mut brought = 0;
        for instance in 0..40_u64 {
            let alice = open(&mut fleet, instance, "evil", "alice");
            open(&mut fleet, instance, "evil", "bob");
            let mut call = fleet.enter(at(instance), "evil").unwrap();
            assert_eq!(u64::from(call.instance()), instance + 1);
            brought += (0..100).filter(|n| call.label("k", &format!("{instance}-{n}")).is_ok()).count();
            drop(call);
            terminate(&mut fleet, instance, "evil", alice).unwrap();
            ended(&mut fleet);
        }
        assert!((16..=32).contains(&brought), "{brought} of 64");
        let mut call = fleet.enter(at(40), "good").unwrap();
        let had = (0..16).filter(|n| call.label("region", &n.to_string()).is_ok()).count();
        assert_eq!(had, 16.min(most));
        drop(call);
        assert_eq!(fleet.refused().labels, 40 * 100 - brought as u64 + 16 - had as u64);
    }
}

#[test]
fn unused_label_is_freed_in_a_clone_too() {
    let limits = FleetLimits::new().with_labels(1).with_labels_per_conference(1);
    let mut fleet = fleet(limits);
    open(&mut fleet, 0, "a", "alice");
    fleet.enter(at(0), "a").unwrap().label("k", "a").unwrap();
    for mut fleet in [fleet.clone(), fleet] {
        open(&mut fleet, 31, "b", "alice");
        let mut label = |second, value: &str| fleet.enter(at(second), "b").unwrap().label("k", value);
        assert_eq!(label(31, "b"), Err(FleetError::FleetLabelsFull), "a has it");
        fleet.handle_timeout(at(60));
        assert_eq!(ended(&mut fleet).len(), 1);
        let mut label = |second, value: &str| fleet.enter(at(second), "b").unwrap().label("k", value);
        assert_eq!(label(60, "b"), Err(FleetError::FleetLabelsFull), "its window has it");
        fleet.handle_timeout(at(90));
        assert_eq!(parts(&mut fleet).len(), 1);
        assert_eq!(fleet.enter(at(60), "b").unwrap().label("k", "b"), Ok(Outcome::Applied));
    }
}
