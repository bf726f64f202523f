//! Cost of a fleet: bytes per conference, fabric and stream, time per snapshot and per stream in it, and time to end
//! all conferences. `cargo bench --bench scale -- [CONFERENCES]`, by default 2 000; 100 000 take 8 GB.
//!
//! Not a criterion bench: it measures a state that takes long to build, once, with a counting allocator.

#![allow(clippy::unwrap_used)] // a bench may assume what the tests prove

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/cost/counting.rs"]
mod counting;

use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

use callgauge::fleet::{Fleet, FleetConfig, FleetLimits};
use callgauge::ingest::Reader;
use callgauge::report::{Entry, Num, Report, StatsType};
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, FabricSpec};
use common::{WORKLOADS, workload};
use counting::{Counting, weighed};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Snapshots of each participant of the fleet, 5 s apart.
const ROUNDS: usize = 12;
/// Entries of a participant's report, for the number of participants per core.
const ENTRIES: f64 = 40.0;

fn main() {
    let conferences = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(2_000);
    println!("| | streams | bytes held | per stream | saved bytes | per stream |\n|---|---|---|---|---|---|");
    WORKLOADS.iter().take(3).for_each(|set| weigh(set));
    println!();
    let (small, large) = (Load::new("p2"), Load::new("p10"));
    let mut times = Vec::new();
    for load in [&small, &large] {
        let time = load.time();
        println!("{}: {:.0} entries, {time:.1?} per snapshot to read, route, ingest and poll", load.set, load.entries);
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
    println!(
        "| streams | update of one, with everything that follows | minimum: differences, rates, linear MOS | ratio |\n|---|---|---|---|"
    );
    for streams in [1_000, 20_000, 200_000] {
        let (update, least) = (Update::of_conferences(&large, streams), Update::of_states(&large, streams));
        println!("| {streams} | {update:.0} ns | {least:.0} ns | {:.1} |", update / least);
    }
    println!();
    fill(&small, conferences);
}

/// Memory of one participant's call after all snapshots of a set.
fn weigh(set: &str) {
    let lines = workload(set);
    let mut reader = Reader::new();
    let config = Config::new();
    let (mut call, _, empty) = weighed(|| Conference::new(set, config));
    let (fabric, _, opened) = weighed(|| call.open_fabric(Timestamp::default(), FabricSpec::new(set)).unwrap());
    let mut held = empty + opened;
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

    /// The first reports.
    fn reports(&self, most: usize) -> Vec<Report> {
        let (mut reader, mut reports) = (Reader::new(), Vec::new());
        for line in self.lines.iter().take(most) {
            reader.read(line.as_bytes(), &mut |snapshot| reports.push(snapshot.report.clone())).unwrap();
        }
        reports
    }

    /// Time per snapshot in a fleet of a thousand conferences of one participant, none of them in the processor's
    /// cache.
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

/// Time per stream among many, ns, with reports read in advance. Connections come in no order.
struct Update {
    reports: Vec<Report>,
    connections: usize,
    streams: usize,
}

impl Update {
    /// Samples of each connection; only the later ones are timed.
    const SAMPLES: Range<usize> = 3..7;

    fn new(load: &Load, streams: usize) -> Self {
        let reports = load.reports(Self::SAMPLES.end);
        let each = streams_of(&reports[0]).count();
        Self { reports, connections: streams / each, streams: each }
    }

    fn time(&self, mut update: impl FnMut(usize, usize, &Report)) -> f64 {
        let mut spent = Duration::ZERO;
        // A step without a common divisor visits all connections.
        let step = (self.connections / 3..).find(|step| gcd(*step, self.connections) == 1).unwrap();
        for (round, report) in self.reports.iter().enumerate() {
            let start = Instant::now();
            for visit in 0..self.connections {
                update(visit * step % self.connections, round, report);
            }
            if Self::SAMPLES.contains(&round) {
                spent += start.elapsed();
            }
        }
        spent.as_secs_f64() * 1e9 / (Self::SAMPLES.len() * self.connections * self.streams) as f64
    }

    /// All work of the engine, with each connection in a conference of its own.
    fn of_conferences(load: &Load, streams: usize) -> f64 {
        let update = Self::new(load, streams);
        let open = |_| {
            let mut call = Conference::new(load.set, Config::new());
            let fabric = call.open_fabric(Timestamp::default(), FabricSpec::new("pc")).unwrap();
            (call, fabric)
        };
        let mut calls: Vec<_> = (0..update.connections).map(open).collect();
        update.time(|connection, round, report| {
            let (call, fabric) = &mut calls[connection];
            call.ingest(Timestamp::from_millis(5_000 * round as u64), *fabric, report).unwrap();
            while let Some(event) = call.poll_event() {
                black_box(event);
            }
        })
    }

    /// The minimum work: thirty differences and rates, smoothed, and a linear score, in 320 bytes per stream, found at
    /// its previous place in the report.
    fn of_states(load: &Load, streams: usize) -> f64 {
        #[derive(Clone)]
        struct State {
            ssrc: f64,
            at: f64,
            before: [f64; 30],
            smoothed: [f64; 8],
        }
        let update = Self::new(load, streams);
        let nothing = State { ssrc: 0.0, at: 0.0, before: [0.0; 30], smoothed: [0.0; 8] };
        let mut states = vec![nothing; update.connections * update.streams];
        let counters: Vec<Num> = Num::ALL.iter().copied().filter(|num| num.rule().is_cumulative()).take(30).collect();
        update.time(|connection, _, report| {
            let states = &mut states[connection * update.streams..][..update.streams];
            for (state, entry) in states.iter_mut().zip(streams_of(report)) {
                let (ssrc, at) = (entry.get(Num::Ssrc).unwrap(), entry.timestamp().unwrap().as_millis());
                let is_same = state.ssrc == ssrc;
                let seconds = (at - state.at) / 1e3;
                let mut rates = [0.0; 30];
                for ((&counter, before), rate) in counters.iter().zip(&mut state.before).zip(&mut rates) {
                    let now = entry.get(counter).unwrap_or(*before);
                    *rate = if is_same { (now - *before) / seconds } else { 0.0 };
                    *before = now;
                }
                for (smoothed, rate) in state.smoothed.iter_mut().zip(&rates) {
                    *smoothed += (rate - *smoothed) * 0.2;
                }
                let delay = state.smoothed[1];
                let r = 93.2 - 0.024 * delay - 0.11 * (delay - 177.3).max(0.0);
                black_box(1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6);
                (state.ssrc, state.at) = (ssrc, at);
            }
        })
    }
}

fn streams_of(report: &Report) -> impl Iterator<Item = Entry<'_>> {
    report.entries().filter(|entry| matches!(entry.kind(), StatsType::InboundRtp | StatsType::OutboundRtp))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A fleet of conferences of two participants, a minute long, and its end.
fn fill(load: &Load, conferences: usize) {
    let reports = load.reports(ROUNDS);
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
    println!("{:.2} GB held, {} bytes per conference", held as f64 / 1e9, held as usize / conferences);
    let start = Instant::now();
    fleet.handle_timeout(Timestamp::from_millis(5_000 * ROUNDS as u64 + 29_000));
    println!("{:.1?} to check for ends: {} conferences", start.elapsed(), fleet.len());
    let (start, mut ended) = (Instant::now(), 0);
    fleet.handle_timeout(Timestamp::from_micros(u64::MAX));
    let spent = start.elapsed();
    while fleet.poll_ended().is_some() {
        ended += 1;
    }
    println!("{spent:.1?} to end all, {ended} summaries: {:.1?} each", spent / conferences as u32);
}
