//! callgauge's part of the comparison: makes the calls that all libraries process, and processes one of them.
//!
//! `callgauge-compare extend p10 10` prints the snapshots of a set of `tests/fixtures/workload` ten times over, as one
//! continuing call; `callgauge-compare measure FILE 200` reads such a file and prints the time per snapshot after the
//! first 200; `read` only reads. Run by `compare/run`.

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;

use callgauge::ingest::Reader;
use callgauge::report::Num;
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, Event, FabricSpec};
use cpu_time::ProcessTime;
use serde_json::{Value, json};

type Failure = Box<dyn Error>;

/// The workload has a snapshot every five seconds.
const STEP_MS: u64 = 5_000;

/// Times of the reporter's clock: they advance with the call and are no counters.
const TIMES: [&str; 5] = [
    "timestamp",
    "remoteTimestamp",
    "lastPacketReceivedTimestamp",
    "lastPacketSentTimestamp",
    "estimatedPlayoutTimestamp",
];

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["extend", set, rounds] => extend(set, rounds.parse()?),
        ["measure", file, warm] => measure(file, warm.parse()?),
        ["read", file, warm] => read(file, warm.parse()?),
        _ => Err("usage: callgauge-compare extend SET ROUNDS | measure FILE WARM | read FILE WARM".into()),
    }
}

fn extend(set: &str, rounds: u64) -> Result<(), Failure> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/fixtures/workload/{set}.ndjson.gz"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path)?).read_to_string(&mut text)?;
    let lines: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;

    // Final value of each counter in the set: each round starts from there.
    let mut ends: HashMap<(String, String), Value> = HashMap::new();
    let counts: HashMap<&str, bool> = Num::ALL.iter().map(|num| (num.name(), num.rule().is_cumulative())).collect();
    for entry in lines.iter().flat_map(entries) {
        for (name, value) in entry.as_object().into_iter().flatten() {
            if value.is_number() && counts.get(name.as_str()) == Some(&true) && !TIMES.contains(&name.as_str()) {
                ends.insert((entry["id"].to_string(), name.clone()), value.clone());
            }
        }
    }

    let mut out = BufWriter::new(std::io::stdout().lock());
    for round in 0..rounds {
        let later = json!(round * STEP_MS * lines.len() as u64);
        for mut line in lines.iter().cloned() {
            line["t"] = sum(&line["t"], &later, 1);
            for entry in line["stats"].as_array_mut().into_iter().flatten() {
                let id = entry["id"].to_string();
                for (name, value) in entry.as_object_mut().into_iter().flatten() {
                    if TIMES.contains(&name.as_str()) {
                        *value = sum(value, &later, 1);
                    } else if let Some(end) = ends.get(&(id.clone(), name.clone())) {
                        *value = sum(value, end, round);
                    }
                }
            }
            serde_json::to_writer(&mut out, &line)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(out.flush()?)
}

fn entries(line: &Value) -> impl Iterator<Item = &Value> {
    line["stats"].as_array().into_iter().flatten()
}

/// `value + times · step`, whole where both are, as a browser writes it.
fn sum(value: &Value, step: &Value, times: u64) -> Value {
    match (value.as_i64(), step.as_i64(), value.as_f64(), step.as_f64()) {
        (Some(value), Some(step), ..) => json!(value + step * times as i64),
        (.., Some(value), Some(step)) => json!(value + step * times as f64),
        _ => value.clone(),
    }
}

fn measure(file: &str, warm: usize) -> Result<(), Failure> {
    let mut call = Conference::new(file, Config::new());
    let fabric = call.open_fabric(Timestamp::default(), FabricSpec::new(file))?;
    let mut reader = Reader::new();
    let (mut now_ms, mut intervals, mut scores) = (0, 0, 0);
    let (nanos, snapshots) = time(file, warm, |line| {
        now_ms += STEP_MS;
        let now = Timestamp::from_millis(now_ms);
        let mut ingested = Ok(());
        reader.read(line.as_bytes(), &mut |snapshot| ingested = call.ingest(now, fabric, snapshot.report))?;
        ingested?;
        call.handle_timeout(now)?;
        while let Some(event) = call.poll_event() {
            if let Event::IntervalClosed { score, .. } = event {
                intervals += 1;
                scores += usize::from(score.is_ok());
            }
        }
        Ok(())
    })?;
    let streams: usize = call.summary().fabrics.iter().map(|fabric| fabric.streams.len()).sum();
    print(nanos, snapshots, &format!("{intervals} intervals, {scores} with a score, {streams} streams"));
    Ok(())
}

fn read(file: &str, warm: usize) -> Result<(), Failure> {
    let mut reader = Reader::new();
    let mut entries = 0;
    let (nanos, snapshots) =
        time(file, warm, |line| Ok(reader.read(line.as_bytes(), &mut |snapshot| entries += snapshot.report.len())?))?;
    print(nanos, snapshots, &format!("{entries} entries"));
    Ok(())
}

/// Processor time of `step` per line after the warm-up, and the number of lines.
fn time(file: &str, warm: usize, mut step: impl FnMut(&str) -> Result<(), Failure>) -> Result<(u64, usize), Failure> {
    let text = std::fs::read_to_string(file)?;
    let lines: Vec<&str> = text.lines().collect();
    let (first, rest) = lines.split_at_checked(warm).filter(|(_, rest)| !rest.is_empty()).ok_or("too few lines")?;
    first.iter().try_for_each(|line| step(line))?;
    let start = ProcessTime::try_now()?;
    rest.iter().try_for_each(|line| step(line))?;
    Ok((start.try_elapsed()?.as_nanos() as u64 / rest.len() as u64, rest.len()))
}

fn print(nanos: u64, snapshots: usize, saw: &str) {
    println!("{}", json!({ "nanos": nanos, "snapshots": snapshots, "saw": saw }));
}
