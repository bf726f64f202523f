//! Many conferences by id: routing, expiry and rollups.

mod alerts;
#[cfg(feature = "serde")]
mod checkpoint;
mod expiry;
mod laws;
mod limits;
mod routing;
#[cfg(feature = "serde")]
mod shards;

use callgauge::event::IceState;
use callgauge::fabric::AppEvent;
use callgauge::fleet::{Ended, Fleet, Part};
use callgauge::id::FabricId;
use callgauge::unit::Timestamp;
use callgauge::{FabricSpec, InputError};

/// A second of the caller's clock.
fn at(second: u64) -> Timestamp {
    Timestamp::from_millis(1_000 * second)
}

/// A time at which everything is final.
fn end_of_time() -> Timestamp {
    Timestamp::from_micros(u64::MAX)
}

fn ended(fleet: &mut Fleet) -> Vec<Ended> {
    std::iter::from_fn(|| fleet.poll_ended()).collect()
}

fn parts(fleet: &mut Fleet) -> Vec<Part> {
    std::iter::from_fn(|| fleet.poll_rollup()).collect()
}

/// A user opens a fabric in a conference.
fn open(fleet: &mut Fleet, second: u64, id: &str, user: &str) -> FabricId {
    let mut call = fleet.enter(at(second), id).unwrap();
    let user = call.user(user).unwrap();
    call.open_fabric(at(second), FabricSpec::new("pc").with_local_user(user)).unwrap()
}

/// The fabric connects.
fn connect(fleet: &mut Fleet, second: u64, id: &str, fabric: FabricId) {
    fleet.enter(at(second), id).unwrap().ice_state(at(second), fabric, IceState::Connected).unwrap();
}

/// The fabric terminates.
fn terminate(fleet: &mut Fleet, second: u64, id: &str, fabric: FabricId) -> Result<(), InputError> {
    fleet.enter(at(second), id).unwrap().send_event(at(second), fabric, AppEvent::Terminated).map(|_| ())
}
