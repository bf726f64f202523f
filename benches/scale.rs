//! What a fleet takes: bytes for each conference, fabric and stream, time for each snapshot, and time to let all of them
//! go. `cargo bench --bench scale -- [CONFERENCES]`, 2 000 unless said otherwise; 100 000 take 8 GB.
//!
//! Not one of criterion's: it measures a state that takes long to build, once, with a counting allocator.

#![allow(clippy::unwrap_used)] // a bench may assume what the tests prove

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use callgauge::fleet::{Fleet, FleetConfig, FleetLimits};
use callgauge::ingest::Reader;
use callgauge::report::Report;
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, FabricSpec};
use common::counting::{Counting, weighed};
use common::{WORKLOADS, workload};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Snapshots of each participant of the fleet, 5 s apart.
const ROUNDS: usize = 12;
/// What a report of a participant has, when somebody asks how many participants a core sustains.
const ENTRIES: f64 = 40.0;

fn main() {
    let conferences = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(2_000);
    println!("| | streams | bytes held | for each stream | as bytes | for each stream |\n|---|---|---|---|---|---|");
    WORKLOADS.iter().take(3).for_each(|set| weigh(set));
    println!();
    let (small, large) = (Load::new("p2"), Load::new("p10"));
    let mut times = Vec::new();
    for load in [&small, &large] {
        let time = load.time();
        println!(
            "{}: {:.0} entries, {time:.1?} a snapshot, read, entered, ingested and polled",
            load.set, load.entries
        );
        times.push((load.entries, time.as_secs_f64()));
    }
    let [(few, short), (many, long)] = times[..] else { return };
    let time = short + (long - short) * (ENTRIES - few) / (many - few);
    println!(
        "{ENTRIES} entries, between the two: {:.1} µs; one core sustains {:.0} participants",
        time * 1e6,
        5.0 / time
    );
    println!();
    fill(&small, conferences);
}

/// What one participant's call takes after all snapshots of a set.
fn weigh(set: &str) {
    let lines = workload(set);
    let mut reader = Reader::new();
    let config = Config::new();
    let (mut call, _, nobody) = weighed(|| Conference::new(set, config));
    let (fabric, _, opened) = weighed(|| call.open_fabric(Timestamp::default(), FabricSpec::new(set)).unwrap());
    let mut held = nobody + opened;
    for line in &lines {
        let each = &mut |snapshot: callgauge::ingest::Snapshot<'_>| {
            held += weighed(|| {
                call.ingest(Timestamp::default(), fabric, snapshot.report).unwrap();
                while call.poll_event().is_some() {}
            })
            .2;
        };
        reader.read(line.as_bytes(), each).unwrap();
    }
    let streams = call.summary().fabrics.iter().map(|fabric| fabric.streams.len()).sum::<usize>();
    let (held, saved) = (held as usize + size_of::<Conference>(), call.save().len());
    println!("| {set} | {streams} | {held} | {} | {saved} | {} |", held / streams, saved / streams);
}

/// The snapshots of a set.
struct Load {
    set: &'static str,
    lines: Vec<String>,
    entries: f64,
}

impl Load {
    fn new(set: &'static str) -> Self {
        let lines = workload(set);
        let (mut reader, mut entries) = (Reader::new(), 0);
        for line in &lines {
            reader.read(line.as_bytes(), &mut |snapshot| entries += snapshot.report.len()).unwrap();
        }
        Self { set, entries: entries as f64 / lines.len() as f64, lines }
    }

    /// The time of a snapshot in a fleet of a thousand conferences of one, none of which is in the processor's cache.
    fn time(&self) -> Duration {
        let mut fleet = Fleet::new(FleetConfig::new());
        let ids: Vec<String> = (0..1_000).map(|n| format!("{}-{n}", self.set)).collect();
        let mut reader = Reader::new();
        let mut spent = Duration::ZERO;
        let rounds = 3..9;
        for (round, line) in self.lines.iter().take(rounds.end).enumerate() {
            let start = Instant::now();
            for id in &ids {
                reader
                    .read(line.as_bytes(), &mut |snapshot| take(&mut fleet, id, "a", round, snapshot.report))
                    .unwrap();
                while fleet.poll_event().is_some() {}
            }
            if rounds.contains(&round) {
                spent += start.elapsed();
            }
        }
        spent / (rounds.len() * ids.len()) as u32
    }
}

fn take(fleet: &mut Fleet, id: &str, who: &str, round: usize, report: &Report) {
    let now = Timestamp::from_millis(5_000 * round as u64);
    let mut call = fleet.enter(now, id).unwrap();
    let user = call.user(who).unwrap();
    let spec = FabricSpec::new("pc").with_local_user(user);
    let fabric = match call.find_fabric(&spec) {
        Some(fabric) => fabric,
        None => call.open_fabric(now, spec).unwrap(),
    };
    call.ingest(now, fabric, report).unwrap();
}

/// A fleet of conferences of two, a minute long, and its end.
fn fill(load: &Load, conferences: usize) {
    let mut reports: Vec<Report> = Vec::new();
    let mut reader = Reader::new();
    for line in load.lines.iter().take(ROUNDS) {
        reader.read(line.as_bytes(), &mut |snapshot| reports.push(snapshot.report.clone())).unwrap();
    }
    let limits = FleetLimits::new().with_conferences(conferences).with_pending_summaries(2 * conferences);
    let ids: Vec<String> = (0..conferences).map(|n| format!("conference-{n}")).collect();
    let start = Instant::now();
    let (mut fleet, _, held) = weighed(|| {
        let mut fleet = Fleet::new(FleetConfig::new().with_limits(limits));
        for (round, report) in reports.iter().enumerate() {
            for id in &ids {
                take(&mut fleet, id, "alice", round, report);
                take(&mut fleet, id, "bob", round, report);
                while fleet.poll_event().is_some() {}
            }
        }
        fleet
    });
    println!("{} conferences of two, {ROUNDS} snapshots of each, in {:.1?}", fleet.len(), start.elapsed());
    println!("{:.2} GB held, {} bytes for each conference", held as f64 / 1e9, held as usize / conferences);
    let start = Instant::now();
    fleet.handle_timeout(Timestamp::from_millis(5_000 * ROUNDS as u64 + 29_000));
    println!("{:.1?} to look whether any is over: {} are known", start.elapsed(), fleet.len());
    let (start, mut ended) = (Instant::now(), 0);
    fleet.handle_timeout(Timestamp::from_micros(u64::MAX));
    let spent = start.elapsed();
    while fleet.poll_ended().is_some() {
        ended += 1;
    }
    println!("{spent:.1?} to let all go, {ended} summaries made: {:.1?} for each", spent / conferences as u32);
}
