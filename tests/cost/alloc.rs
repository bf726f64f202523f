//! The warm hot path does not allocate.

use std::collections::HashMap;

use callgauge::event::IceState;
use callgauge::ingest::Reader;
use callgauge::ingest::getstats::Scanner;
use callgauge::report::{Num, Report};
use callgauge::summary::View;
use callgauge::unit::Timestamp;
use callgauge::{AppEvent, Conference, Config, FabricSpec, Limits};
use serde_json::Value;

use crate::common::{WORKLOADS, workload};
use crate::counting::{requests, weighed};

/// A way to read, reused between snapshots. Returns the number of rows.
type ReadFn = Box<dyn FnMut(&str) -> usize>;

/// Every way to read that must not allocate after a snapshot of each size.
fn readers() -> Vec<(&'static str, ReadFn)> {
    let (mut scanner, mut report) = (Scanner::new(), Report::new());
    let scan = move |line: &str| {
        let (_, stats) = line.split_once(r#","stats":"#).expect("a line of the workload");
        scanner.read(stats.strip_suffix('}').unwrap_or(stats).as_bytes(), &mut report).expect("JSON");
        report.len()
    };
    let mut reader = Reader::new();
    let read = move |line: &str| {
        let mut rows = 0;
        reader.read(line.as_bytes(), &mut |snapshot| rows += snapshot.report.len()).expect("JSON");
        rows
    };
    vec![("scanner", Box::new(scan)), ("reader of lines", Box::new(read))]
}

#[test]
fn counting_allocator_counts() {
    assert_eq!(requests(|| drop(std::hint::black_box(Box::new(7)))), 1);
    assert_eq!(requests(|| ()), 0);
    let (list, asked, held) = weighed(|| Vec::<u8>::with_capacity(100));
    assert_eq!((asked, held), (1, 100));
    assert_eq!(weighed(|| drop(list)), ((), 0, -100));
}

#[test]
fn warm_readers_read_without_allocating() {
    for set in WORKLOADS {
        let lines = workload(set);
        for (name, mut read) in readers() {
            // One pass: participants join and leave, and the largest snapshot may be any.
            let warm: usize = lines.iter().map(|line| read(line)).sum();
            let mut rows = 0;
            let asked = requests(|| rows = lines.iter().map(|line| read(line)).sum());
            assert_eq!(asked, 0, "{set}, {name}");
            assert!(rows > 1_000 && rows == warm, "{set}, {name}: {rows} rows");
        }
    }
}

/// The same call again, later: every time is moved on by the length of the call, every counter by its final value.
fn continued(lines: &[String], rounds: usize) -> Vec<String> {
    const STEP_MS: f64 = 5_000.0;
    let cumulative: HashMap<&str, bool> =
        Num::ALL.iter().map(|field| (field.name(), field.rule().is_cumulative())).collect();
    let parsed: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut ends: HashMap<(String, String), f64> = HashMap::new();
    for entry in parsed.iter().flat_map(|line| line["stats"].as_array().unwrap()) {
        for (name, value) in entry.as_object().unwrap() {
            if let Some(value) = value.as_f64().filter(|_| cumulative.get(name.as_str()) == Some(&true)) {
                ends.insert((entry["id"].to_string(), name.clone()), value);
            }
        }
    }
    let mut continued = Vec::new();
    for round in 0..rounds {
        for mut line in parsed.clone() {
            let moved_on = round as f64 * STEP_MS * parsed.len() as f64;
            line["t"] = (line["t"].as_f64().unwrap() + moved_on).into();
            for entry in line["stats"].as_array_mut().unwrap() {
                let id = entry["id"].to_string();
                for (name, value) in entry.as_object_mut().unwrap() {
                    let grown = match ends.get(&(id.clone(), name.clone())) {
                        Some(end) => round as f64 * end,
                        None if name == "timestamp" => moved_on,
                        None => continue,
                    };
                    *value = (value.as_f64().unwrap() + grown).into();
                }
            }
            continued.push(line.to_string());
        }
    }
    continued
}

#[test]
fn reused_view_is_filled_without_allocating() {
    let set = "p50";
    let mut call = Conference::new(set, Config::new());
    let (alice, bob) = (call.user("alice").unwrap(), call.user("bob").unwrap());
    let spec = FabricSpec::new(set).with_local_user(alice).with_remote_user(bob);
    let fabric = call.open_fabric(Timestamp::default(), spec).unwrap();
    let mut reader = Reader::new();
    for line in workload(set) {
        let mut each = |snapshot: callgauge::ingest::Snapshot<'_>| {
            call.ingest(Timestamp::default(), fabric, snapshot.report).unwrap();
        };
        reader.read(line.as_bytes(), &mut each).unwrap();
    }
    let mut view = View::default();
    call.snapshot_into(&mut view);
    let tracks = view.fabrics[0].media_stream_tracks.len();
    assert!(tracks > 50, "{tracks} tracks");
    assert_eq!(requests(|| (0..10).for_each(|_| call.snapshot_into(&mut view))), 0);
    assert_eq!(view, call.snapshot());
}

#[test]
fn timeouts_and_media_switches_allocate_nothing() {
    let mut call = Conference::new("", Config::new());
    let alice = call.user("alice").unwrap();
    let spec = FabricSpec::new("pc").with_local_user(alice);
    let fabric = call.open_fabric(Timestamp::default(), spec).unwrap();
    let mut step = |second: u64| {
        let now = Timestamp::from_millis(second * 1_000);
        assert!(call.poll_timeout().is_some());
        call.handle_timeout(now).unwrap();
        call.ice_state(now, fabric, IceState::Connected).unwrap();
        call.join(now, alice).unwrap();
        call.send_event(now, fabric, AppEvent::Hold).unwrap();
        while call.poll_event().is_some() {}
    };
    step(0);
    assert_eq!(requests(|| (1..100).for_each(&mut step)), 0);
}

#[test]
fn running_call_is_read_measured_and_polled_without_allocating() {
    for set in WORKLOADS {
        let lines = workload(set);
        let (warm, rounds) = (3 * lines.len(), 4);
        // The lists of turns and of diagnoses grow with the call; they double.
        let config = Config::new().with_limits(Limits::new().with_dominance_spans(64).with_diagnoses_per_fabric(4));
        let mut call = Conference::new(set, config);
        let fabric = call.open_fabric(Timestamp::default(), FabricSpec::new(set)).unwrap();
        let mut reader = Reader::new();
        let (mut now, mut intervals) = (0, 0);
        let mut step = |line: &String| {
            now += 5_000;
            let read = reader.read(line.as_bytes(), &mut |snapshot| {
                call.ingest(Timestamp::from_millis(now), fabric, snapshot.report).unwrap();
            });
            assert!(read.is_ok());
            intervals += std::iter::from_fn(|| call.poll_event()).count();
        };
        let lines = continued(&lines, rounds);
        lines[..warm].iter().for_each(&mut step);
        let asked = requests(|| lines[warm..].iter().for_each(&mut step));
        assert_eq!(asked, 0, "{set}");
        assert!(intervals > 200 * rounds, "{set}: {intervals} intervals");
    }
}

/// What a participant of a ten-party call may hold, with all of its 22 streams, and what that is for each stream: what
/// was reached (127 032 and 5 774), and a little more. Raise it only for something that is worth it.
const PARTICIPANT_BYTES: i64 = 130_000;
const STREAM_BYTES: i64 = 5_900;
/// What a fabric without streams may hold, with the events of its opening.
const FABRIC_BYTES: i64 = 4_400;
/// What a state may take for each stream when it is saved.
const SAVED_BYTES: usize = 3_250;

/// Allocations of the parts that do allocate: an opening call, new streams, a summary.
/// `cargo test --test cost table -- --nocapture` prints the table of `benches/README.md`.
#[test]
fn table_of_allocations_stays_within_bounds() {
    println!("| | {} |", WORKLOADS.join(" | "));
    println!("|---|{}", "---|".repeat(WORKLOADS.len()));
    let mut rows: Vec<(&str, Vec<String>)> = vec![];
    let mut note = |row: &'static str, asked: u64, held: i64| {
        let cell = format!("{asked}, {:.1} KiB", held as f64 / 1024.0);
        match rows.iter_mut().find(|(name, _)| *name == row) {
            Some((_, cells)) => cells.push(cell),
            None => rows.push((row, vec![cell])),
        }
    };
    for set in WORKLOADS {
        let lines = workload(set);
        // The reader's own buffers are separate: it has read a call before.
        let mut reader = Reader::new();
        lines.iter().for_each(|line| reader.read(line.as_bytes(), &mut |_| ()).unwrap());
        let (mut call, asked, held) = weighed(|| Conference::new(set, Config::new()));
        note("a conference", asked, held);
        let empty = held + size_of::<Conference>() as i64;
        let (fabric, asked, opened) = weighed(|| call.open_fabric(Timestamp::default(), FabricSpec::new(set)).unwrap());
        note("a fabric", asked, opened);
        assert!(opened <= FABRIC_BYTES, "{set}: {opened} bytes of a fabric");
        while call.poll_event().is_some() {}

        let mut step = |call: &mut Conference, line: &str| {
            let mut each = |snapshot: callgauge::ingest::Snapshot<'_>| {
                call.ingest(Timestamp::default(), fabric, snapshot.report).unwrap();
            };
            reader.read(line.as_bytes(), &mut each).unwrap();
            while call.poll_event().is_some() {}
        };
        let ((), asked, first) = weighed(|| step(&mut call, &lines[0]));
        note("the first snapshot", asked, first);
        let ((), asked, second) = weighed(|| step(&mut call, &lines[1]));
        note("the second", asked, second);
        let ((), asked, rest) = weighed(|| lines[2..].iter().for_each(|line| step(&mut call, line)));
        note("the other 58", asked, rest);
        let streams = call.summary().fabrics[0].streams.len() as i64;
        let (participant, saved) = (empty + opened + first + second + rest, call.save().len());
        println!(
            "{set}: {participant} bytes, {} a stream; {} a stream saved",
            participant / streams,
            saved / streams as usize
        );
        if set.starts_with("p10") {
            assert!(participant <= PARTICIPANT_BYTES, "{set}: {participant} bytes");
            assert!(participant / streams <= STREAM_BYTES, "{set}: {} bytes a stream", participant / streams);
            assert!(saved / streams as usize <= SAVED_BYTES, "{set}: {saved} bytes saved");
        }

        let (summary, asked, held) = weighed(|| call.summary());
        note("a summary", asked, held);
        drop(summary);
        let ((), asked, held) =
            weighed(|| call.send_event(Timestamp::default(), fabric, AppEvent::Terminated).map(drop).unwrap());
        note("closing the fabric", asked, held);
        let ((), asked, held) = weighed(|| drop(call));
        assert_eq!(asked, 0, "{set}: dropping");
        assert!(held < 0);
        note("dropping the conference", asked, held);
    }
    for (row, cells) in rows {
        println!("| {row} | {} |", cells.join(" | "));
    }
}
