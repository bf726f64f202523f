//! A fleet that is written and read between any two inputs goes on as if nothing had happened.

use callgauge::Event;
use callgauge::conference::RestoreError;
use callgauge::fleet::{Fleet, FleetConfig};
use proptest::prelude::*;

use super::expiry::{Input, do_in, inputs};
use super::{at, connect, end_of_time, ended, open, parts, terminate};

fn restored(fleet: &Fleet) -> Fleet {
    Fleet::restore(&fleet.save(), FleetConfig::new()).unwrap()
}

fn tell(fleet: &mut Fleet, input: Input) {
    let mut call = fleet.enter(at(input.0), &format!("call-{}", input.1)).unwrap();
    call.label("user", &input.2.to_string()).unwrap();
    do_in(&mut call, input);
}

fn events(fleet: &mut Fleet) -> Vec<(String, u32, Event)> {
    let mut all = Vec::new();
    while let Some(told) = fleet.poll_event() {
        all.push((told.conference.to_owned(), told.instance, told.event));
    }
    all
}

proptest! {
    #[test]
    fn a_fleet_cut_at_any_input_goes_on_alike(
        inputs in inputs(), cuts in prop::collection::vec(any::<bool>(), 60), polls in any::<prop::sample::Index>(),
    ) {
        let mut whole = Fleet::new(FleetConfig::new());
        let mut cut = whole.clone();
        for (number, (&input, is_cut)) in inputs.iter().zip(cuts).enumerate() {
            tell(&mut whole, input);
            tell(&mut cut, input);
            if is_cut {
                cut = restored(&cut);
            }
            if number == polls.index(inputs.len()) {
                prop_assert_eq!(events(&mut cut), events(&mut whole));
            }
            prop_assert_eq!(cut.save(), whole.save());
        }
        whole.handle_timeout(end_of_time());
        cut.handle_timeout(end_of_time());
        cut = restored(&cut);
        prop_assert_eq!(events(&mut cut), events(&mut whole));
        prop_assert_eq!(ended(&mut cut), ended(&mut whole));
        prop_assert_eq!(parts(&mut cut), parts(&mut whole));
    }
}

#[test]
fn every_change_of_a_byte_is_found_out() {
    let mut fleet = Fleet::new(FleetConfig::new());
    let [alice, _] = ["a", "b"].map(|id| open(&mut fleet, 0, id, "alice"));
    connect(&mut fleet, 1, "a", alice);
    terminate(&mut fleet, 2, "a", alice).unwrap();
    fleet.handle_timeout(at(33));
    let bytes = fleet.save();
    assert_eq!(Fleet::restore(&bytes, FleetConfig::new()).unwrap().save(), bytes);
    for place in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[place] ^= 1 << (place % 8);
        let expected = match place {
            0..3 => RestoreError::Foreign,
            3 => RestoreError::OtherVersion,
            _ => RestoreError::Corrupt,
        };
        assert_eq!(Fleet::restore(&broken, FleetConfig::new()).unwrap_err(), expected, "{place}");
        assert!(Fleet::restore(&bytes[..place], FleetConfig::new()).is_err());
    }
}
