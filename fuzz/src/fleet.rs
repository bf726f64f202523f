//! Runs bytes as calls to a fleet.

use std::collections::BTreeMap;

use callgauge::conference::{Feedback, FeedbackRating};
use callgauge::fleet::{Fleet, FleetConfig, FleetLimits, Part};
use callgauge::summary::ConferenceSummary;
use callgauge::unit::Timestamp;
use callgauge::{AppEvent, Config, Event, FabricSpec};

use super::calls::{Bytes, Snapshots, frame};
use super::{caps, counting, limits, outputs};

/// The outputs of a fleet.
#[derive(Default, PartialEq)]
struct Outputs {
    events: Vec<(String, u32, Event)>,
    ended: Vec<(String, u32, Box<ConferenceSummary>)>,
    parts: Vec<Part>,
}

/// Runs the calls that the bytes encode. The fleet's limits hold, no conference ends twice, every ended conference is
/// in a rollup once, and a fleet that is saved and restored after each call gives the same outputs.
pub fn fleet(data: &[u8]) {
    // Saving and restoring after each call is quadratic.
    let data = data.get(..400).unwrap_or(data);
    let fleet_outputs = operate(data, |_| {});
    if data.first().is_some_and(|flags| flags & 1 > 0) {
        let again = operate(data, |fleet| {
            *fleet = Fleet::restore(&fleet.save(), fleet.config().clone()).expect("its own state");
        });
        assert!(fleet_outputs == again, "a restored fleet continues differently");
    }
    check_sums(&fleet_outputs);
    let mut instances = BTreeMap::<(String, u32), u32>::new();
    for (id, instance, summary) in &fleet_outputs.ended {
        // A forgotten id starts with 1 again.
        *instances.entry((id.clone(), *instance)).or_default() += 1;
        assert_eq!((summary.conference.as_ref(), summary.instance), (Some(id), *instance));
    }
    for ((id, instance), count) in &instances {
        let before = instance.checked_sub(1).filter(|&before| before > 0);
        assert!(before.is_none_or(|before| instances.get(&(id.clone(), before)) >= Some(count)), "{id} {instance}");
    }
    let mut clocks = BTreeMap::<_, outputs::Clocks>::new();
    for (id, instance, event) in &fleet_outputs.events {
        outputs::check_event(event);
        // A forgotten id starts afresh, and so do its streams.
        if instances.get(&(id.clone(), *instance)) == Some(&1) {
            clocks.entry((id, instance)).or_default().check(event);
        }
    }
}

/// The rollups are the sums of the conferences' summaries.
fn check_sums(fleet_outputs: &Outputs) {
    let summaries = || fleet_outputs.ended.iter().map(|(_, _, summary)| summary);
    summaries().for_each(|summary| outputs::check_summary(summary));
    fleet_outputs.parts.iter().for_each(outputs::check_part);
    let tallies = || fleet_outputs.parts.iter().map(|part| &part.rollup.total);
    assert_eq!(tallies().map(|tally| tally.conferences).sum::<u64>(), fleet_outputs.ended.len() as u64);
    let fabrics = summaries().map(|summary| summary.fabrics.len() as u64).sum::<u64>();
    assert_eq!(tallies().map(|tally| tally.fabrics).sum::<u64>(), fabrics);
    let joined = summaries().flat_map(|summary| &summary.users).filter(|user| user.joins > 0).count() as u64;
    assert_eq!(tallies().map(|tally| tally.participants).sum::<u64>(), joined);
    let feedback = summaries().map(|summary| summary.feedback.len() as u64).sum::<u64>();
    assert_eq!(tallies().map(|tally| tally.feedback).sum::<u64>(), feedback);
    let wrong = summaries().map(|summary| summary.diagnoses.len() as u64).sum::<u64>();
    assert_eq!(tallies().flat_map(|tally| tally.diagnoses.values()).sum::<u64>(), wrong);
}

/// Restores a fleet's state with any content and continues with it. Returns whether it was valid.
pub fn fleet_state(data: &[u8]) -> bool {
    let (operations, state) = data.split_at(data.len().min(64));
    let Ok(fleet) = Fleet::restore(&frame(&Fleet::default().save(), state), config()) else { return false };
    let again = Fleet::restore(&fleet.save(), config()).expect("its own state");
    assert_eq!(again.save(), fleet.save());
    let _ = continue_with(fleet, operations, usize::MAX, |_| {});
    true
}

fn operate(data: &[u8], between: impl FnMut(&mut Fleet)) -> Outputs {
    let (fleet, fleet_outputs) = continue_with(Fleet::new(config()), data, 3, between);
    assert!(fleet.is_empty(), "{} conferences outlive the end of time", fleet.len());
    fleet_outputs
}

fn config() -> FleetConfig {
    let few = FleetLimits::new()
        .with_conferences(3)
        .with_pending_summaries(2)
        .with_windows(2)
        .with_labels(3)
        .with_labels_per_conference(2)
        .with_label_bytes(12);
    FleetConfig::new().with_conference(Config::new().with_limits(limits())).with_limits(few)
}

/// The bound of [`FleetLimits`]: its conferences and one more, summaries for those and for as many as may wait, and 32
/// KiB for each label of each window, in which few calls end here.
fn check_memory(fleet: &Fleet) {
    let (state, summary) = caps(limits());
    let of_fleet = fleet.config().limits();
    let [conferences, summaries] = [of_fleet.conferences(), of_fleet.pending_summaries()].map(|limit| limit as i64);
    let windows = (of_fleet.windows() + of_fleet.conferences()) * (of_fleet.labels() + 1);
    let most = (conferences + 1) * (state + summary) + summaries * summary + windows as i64 * TALLY;
    let (_, _, held) = counting::weighed(|| fleet.clone());
    assert!(held <= most, "{held} bytes where {most} may be");
}

/// Size of the tally of a few calls in a window, under one label, in bytes.
const TALLY: i64 = 32 << 10;

fn continue_with(mut fleet: Fleet, data: &[u8], most: usize, mut between: impl FnMut(&mut Fleet)) -> (Fleet, Outputs) {
    let mut bytes = Bytes(data);
    let flags = bytes.next();
    let (mut fleet_outputs, mut snapshots, mut ms) = (Outputs::default(), Snapshots::default(), 40_000);
    while !bytes.0.is_empty() {
        ms += match bytes.next() {
            255 => 31_000,
            254 => 70_000,
            step => u64::from(step) * 8,
        };
        // Some inputs are late.
        let late = [0, 0, 0, 0, 0, 0, 5_000, 100_000][bytes.below(8)];
        act(&mut fleet, Timestamp::from_millis(ms.saturating_sub(late)), ms, &mut snapshots, &mut bytes);
        assert!(fleet.len() <= most && fleet.conferences().count() == fleet.len());
        if bytes.0.len() % 16 == 0 && most <= 3 {
            check_memory(&fleet);
        }
        between(&mut fleet);
        if flags & 2 > 0 {
            drain(&mut fleet, &mut fleet_outputs);
        }
    }
    fleet.handle_timeout(Timestamp::from_micros(u64::MAX));
    drain(&mut fleet, &mut fleet_outputs);
    (fleet, fleet_outputs)
}

fn act(fleet: &mut Fleet, now: Timestamp, ms: u64, snapshots: &mut Snapshots, bytes: &mut Bytes<'_>) {
    let id = ["a", "b", "c", "d", ""][bytes.below(5)];
    match bytes.below(8) {
        0 => fleet.handle_timeout(now),
        1 => {
            let Ok(mut call) = fleet.enter_ended(now, id) else { return };
            let (user, rating) = (call.find_user("u"), FeedbackRating::new(bytes.next() % 5 + 1));
            let _ = rating.map(|rating| call.feedback(user, None, Feedback::new(rating)));
        }
        2 => {
            let Ok(mut call) = fleet.enter(now, id) else { return };
            let _ = call.label(["k", "key", ""][bytes.below(3)], ["v", "w", "much too long"][bytes.below(3)]);
        }
        what => {
            let Ok(mut call) = fleet.enter(now, id) else { return };
            let user = call.user(["u", "v"][bytes.below(2)]).expect("there is room for two");
            let spec = FabricSpec::new("pc").with_local_user(user);
            let fabric = call.find_fabric(&spec).or_else(|| call.open_fabric(now, spec).ok());
            let Some(fabric) = fabric else { return };
            let _ = match what {
                3 => call.send_event(now, fabric, AppEvent::Terminated).map(drop),
                4 => call.leave(now, user).map(drop),
                _ => call.ingest(now, fabric, snapshots.fill(ms, bytes)),
            };
        }
    }
}

fn drain(fleet: &mut Fleet, fleet_outputs: &mut Outputs) {
    while let Some(event) = fleet.poll_event() {
        fleet_outputs.events.push((event.conference.to_owned(), event.instance, event.event));
    }
    while let Some(ended) = fleet.poll_ended() {
        fleet_outputs.ended.push((ended.conference, ended.instance, ended.summary));
    }
    while let Some(part) = fleet.poll_rollup() {
        fleet_outputs.parts.push(part);
    }
}
