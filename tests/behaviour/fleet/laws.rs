//! Laws of merging: any order and grouping, and each part once.

use callgauge::FabricSpec;
use callgauge::conference::{Feedback, FeedbackRating};
use callgauge::event::IceState;
use callgauge::fleet::{Fleet, FleetConfig, Merged, Merger, Part, Period, Rollup};
use proptest::prelude::*;

use super::{at, end_of_time, parts};

/// A call: its beginning, the length of its set-up if it connects, its region, and its feedback.
type Call = (u64, Option<u64>, u8, u8);

fn calls() -> impl Strategy<Value = Vec<Call>> {
    prop::collection::vec((0..150_u64, prop::option::of(0..20_u64), 0..3_u8, 1..=5_u8), 0..8)
}

/// The parts of a shard with these calls.
fn shard(name: &str, calls: &[Call]) -> Vec<Part> {
    let mut fleet = Fleet::new(FleetConfig::new().with_shard(name));
    for (number, &(start, setup, region, rating)) in calls.iter().enumerate() {
        let mut call = fleet.enter(at(start), &format!("{name}-{number}")).unwrap();
        call.label("region", &region.to_string()).unwrap();
        let user = call.user("alice").unwrap();
        let fabric = call.open_fabric(at(start), FabricSpec::new("pc").with_local_user(user)).unwrap();
        if let Some(setup) = setup {
            call.ice_state(at(start + setup), fabric, IceState::Connected).unwrap();
        }
        call.feedback(Some(user), None, Feedback::new(FeedbackRating::new(rating).unwrap())).unwrap();
    }
    fleet.handle_timeout(end_of_time());
    parts(&mut fleet)
}

fn rollup(parts: &[Part]) -> Rollup {
    let mut all = Rollup::default();
    for part in parts {
        all.merge(&part.rollup);
    }
    all
}

fn both(a: &Rollup, b: &Rollup) -> Rollup {
    let mut both = a.clone();
    both.merge(b);
    both
}

fn merged<'a>(parts: impl IntoIterator<Item = &'a Part>) -> Vec<(Period, Rollup)> {
    let mut merger = Merger::new();
    for part in parts {
        merger.add(part);
    }
    merger.rollups().map(|(period, rollup)| (period, rollup.clone())).collect()
}

proptest! {
    #[test]
    fn merging_is_associative_commutative_and_has_an_identity(a in calls(), b in calls(), c in calls()) {
        let [a, b, c] = [("a", a), ("b", b), ("c", c)].map(|(name, calls)| rollup(&shard(name, &calls)));
        prop_assert_eq!(both(&a, &b), both(&b, &a));
        prop_assert_eq!(both(&both(&a, &b), &c), both(&a, &both(&b, &c)));
        prop_assert_eq!(&both(&a, &Rollup::default()), &a);
        prop_assert_eq!(&both(&Rollup::default(), &a), &a);
    }

    #[test]
    fn parts_count_once_in_any_order_and_repetition(
        a in calls(), b in calls(), order in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let all = [shard("a", &a), shard("b", &b)].concat();
        let mut turned: Vec<&Part> = all.iter().rev().collect();
        if !all.is_empty() {
            turned.splice(0..0, order.iter().map(|index| index.get(&all)));
        }
        prop_assert_eq!(merged(turned), merged(&all));
        let conferences: u64 = merged(&all).iter().map(|(_, rollup)| rollup.total.conferences).sum();
        prop_assert_eq!(conferences, (a.len() + b.len()) as u64);
    }
}

#[cfg(feature = "serde")]
#[test]
fn restored_merger_knows_the_parts_it_holds() {
    let all = [shard("a", &[(0, Some(1), 0, 5)]), shard("b", &[(70, Some(1), 0, 5)])].concat();
    assert!(all.len() > 1);
    let mut merger = Merger::new();
    all.iter().for_each(|part| assert_eq!(merger.add(part), Merged::Added));
    let text = serde_json::to_string(&merger).unwrap();
    let mut again: Merger = serde_json::from_str(&text).unwrap();
    assert_eq!(again, merger);
    all.iter().for_each(|part| assert_eq!(again.add(part), Merged::Repeated));
}

#[test]
fn taken_window_accepts_no_more_parts() {
    let [first] = &shard("a", &[(0, Some(1), 0, 5)])[..] else { panic!("one window") };
    let [other] = &shard("b", &[(0, Some(1), 0, 5)])[..] else { panic!("one window") };
    let mut merger = Merger::new();
    assert_eq!((merger.add(first), merger.add(first)), (Merged::Added, Merged::Repeated));
    assert!(merger.take_before(at(59)).is_none(), "it is not over");
    let (period, rollup) = merger.take_before(at(60)).unwrap();
    assert_eq!((period, rollup.total.conferences), (first.period, 1));
    assert_eq!((merger.add(first), merger.add(other)), (Merged::TooLate, Merged::TooLate));
    assert_eq!((merger.too_late(), merger.rollups().count()), (2, 0));
}
