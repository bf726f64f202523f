//! A complete collector in one file: reads many calls from standard input, saves checkpoints, and loses nothing if
//! killed.
//!
//! ```sh
//! collector < snapshots.ndjson.gz > events.ndjson  # cargo run --release --example collector -- [CHECKPOINT [LINES [end]]]
//! ```
//!
//! An input line is `{"conference", "fabric", "user", "t", "report"}`: `t` is its arrival time in ms, `report` is the result
//! of getStats; `"labels": {"region": "eu"}` is optional. The input may be gzipped. An output line is an event, an ended
//! call, or the rollup of a minute's calls; `n` numbers them.
//!
//! After every LINES lines, and when the input stops, the state goes to the file CHECKPOINT. A collector that was killed,
//! or whose input stopped, and that gets its input from the beginning again skips the lines that its checkpoint covers, and
//! continues. It repeats its output after the checkpoint, with the same `n` and the same text: a reader that stores lines
//! by `n` has everything once. With `end` the end of the input ends all calls.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufWriter, ErrorKind, Read as _, Write};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

use callgauge::fleet::{Fleet, FleetConfig, FleetEvent};
use callgauge::ingest::getstats::Scanner;
use callgauge::report::Report;
use callgauge::unit::Timestamp;
use callgauge::{Event, FabricSpec};
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Tolerance for lines of different reporters in the wrong order, µs.
const LAG: u64 = 30_000_000;
/// A line moves the common clock by at most this, µs: a wrong `t` must not end the calls of others.
const STEP: u64 = 10_000_000;
/// The first line sets the common clock, and must be at most this far ahead of the collector's clock, µs.
const AHEAD: u64 = 3_600_000_000;
/// Longer lines, in bytes, are refused and not stored: a line of a call of fifty has some 200 KB.
const LONGEST: u64 = 4 << 20;

#[derive(Deserialize)]
struct Line<'a> {
    conference: Cow<'a, str>,
    fabric: Cow<'a, str>,
    user: Cow<'a, str>,
    t: f64,
    #[serde(borrow)]
    report: &'a RawValue,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// The content of a checkpoint.
struct Collector {
    lines: u64,
    written: u64,
    /// The common clock, µs; 0 before the first line.
    clock: u64,
    fleet: Fleet,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "collector.checkpoint".to_owned());
    let every = arguments.next().map_or(Ok(1_000), |lines| lines.parse::<u64>())?.max(1);
    let ends = arguments.next().is_some_and(|word| word == "end");
    let mut collector = Collector::open(&path)?;
    let (mut input, mut out) = (io::BufReader::new(standard_input()?), BufWriter::new(io::stdout().lock()));
    let (mut scanner, mut report) = (Scanner::new(), Report::new());
    let (mut number, mut line) = (0, Vec::new());
    while read_line(&mut input, &mut line)? > 0 {
        number += 1;
        if number > collector.lines {
            // A partial line, because the feeder was killed: it will come again in full, and no call has ended yet.
            if !line.ends_with(b"\n") && serde_json::from_slice::<IgnoredAny>(&line).is_err() {
                out.flush()?;
                return Ok(collector.save(&path)?);
            }
            if let Err(error) = collector.take(&line, &mut scanner, &mut report) {
                eprintln!("line {number}: {error}");
            }
            collector.lines = number;
            collector.write_pending(&mut out)?;
            if number % every == 0 {
                out.flush()?;
                collector.save(&path)?;
            }
        }
        line.clear();
        if input.buffer().is_empty() {
            out.flush()?;
        }
    }
    if ends {
        collector.fleet.handle_timeout(Timestamp::from_micros(u64::MAX));
        collector.write_pending(&mut out)?;
    }
    out.flush()?;
    collector.save(&path)?;
    Ok(())
}

/// Standard input, decompressed if it is gzip.
fn standard_input() -> io::Result<Box<dyn io::Read>> {
    let mut input = io::stdin().lock();
    let is_gzip = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) })
}

/// Reads a line; of one that is too long, only enough to detect it.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let bytes = input.take(LONGEST).read_until(b'\n', line)?;
    if bytes as u64 == LONGEST && !line.ends_with(b"\n") {
        input.skip_until(b'\n')?;
        line.push(b'\n');
    }
    Ok(bytes)
}

impl Collector {
    fn open(path: &str) -> Result<Self, Box<dyn Error>> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { lines: 0, written: 0, clock: 0, fleet: Fleet::new(FleetConfig::new()) });
            }
            Err(error) => return Err(error.into()),
        };
        let (numbers, state) = bytes.split_at_checked(24).ok_or("a short checkpoint")?;
        let [lines, written, clock] =
            [0, 8, 16].map(|at| numbers[at..at + 8].iter().rfold(0, |n, &byte| n << 8 | u64::from(byte)));
        Ok(Self { lines, written, clock, fleet: Fleet::restore(state, FleetConfig::new())? })
    }

    /// Writes beside the old checkpoint first, so that a complete one exists at any time.
    fn save(&self, path: &str) -> io::Result<()> {
        let new = format!("{path}.new");
        let mut file = fs::File::create(&new)?;
        file.write_all(&[self.lines, self.written, self.clock].map(u64::to_le_bytes).concat())?;
        file.write_all(&self.fleet.save())?;
        file.sync_all()?;
        fs::rename(new, path)
    }

    fn take(&mut self, line: &[u8], scanner: &mut Scanner, report: &mut Report) -> Result<(), Box<dyn Error>> {
        if line.len() as u64 > LONGEST {
            return Err("longer than any snapshot is".into());
        }
        let line: Line<'_> = serde_json::from_slice(line)?;
        scanner.read(line.report.get().as_bytes(), report)?;
        let micros = (line.t * 1e3) as u64;
        self.clock = match self.clock {
            0 if micros > now_micros().saturating_add(AHEAD) => return Err("from the future".into()),
            0 => micros,
            clock => clock.max(micros.min(clock.saturating_add(STEP))),
        };
        let arrived = Timestamp::from_micros(micros.min(self.clock));
        let mut call = self.fleet.enter(arrived, &line.conference)?;
        // The clock of a call does not go back.
        let now = call.clock().map_or(arrived, |clock| clock.max(arrived));
        // A label beyond a limit costs no snapshot.
        let labelled = line.labels.iter().try_for_each(|(key, value)| call.label(key, value).map(drop));
        let user = call.user(&line.user)?;
        let spec = FabricSpec::new(&line.fabric).with_local_user(user);
        let fabric = match call.find_fabric(&spec) {
            Some(fabric) => fabric,
            None => call.open_fabric(now, spec)?,
        };
        call.ingest(now, fabric, report)?;
        drop(call);
        self.fleet.handle_timeout(Timestamp::from_micros(self.clock.saturating_sub(LAG)));
        Ok(labelled?)
    }

    /// Writes all pending output.
    fn write_pending(&mut self, out: &mut impl Write) -> io::Result<()> {
        while let Some(event) = self.fleet.poll_event() {
            self.written += 1;
            writeln!(out, "{}", json!({"n": self.written, "conference": event.conference, "event": shown(&event)}))?;
        }
        while let Some(ended) = self.fleet.poll_ended() {
            self.written += 1;
            writeln!(out, "{}", json!({"n": self.written, "conference": ended.conference, "ended": ended.summary}))?;
        }
        while let Some(part) = self.fleet.poll_rollup() {
            let total = &part.rollup.total;
            let rollup = json!({
                "start_ms": part.period.start.as_micros() as f64 / 1e3, "conferences": total.conferences,
                "participants": total.participants, "failure_ratio": total.failure_ratio(), "mos": total.mos(),
                "churn_ratio": total.churn_ratio(), "rtt_ms": total.streams.rtt_ms.stats(),
            });
            self.written += 1;
            writeln!(out, "{}", json!({"n": self.written, "rollup": rollup}))?;
        }
        Ok(())
    }
}

fn now_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

fn shown(event: &FleetEvent<'_>) -> Value {
    match event.event {
        Event::IntervalClosed { stream, interval, score, .. } => json!({
            "interval": {"fabric": stream.fabric.index(), "ssrc": stream.ssrc, "t_ms": interval.at.as_millis(),
                "bitrate_bps": interval.bitrate(), "loss_ratio": interval.loss(), "mos": score.ok().map(|score| score.mos())},
        }),
        Event::Call { event, .. } => json!({
            "happened": event.kind, "user": event.user, "fabric": event.fabric,
            "t_ms": event.at.as_micros() / 1_000, "delay_ms": event.delay_ms,
        }),
        Event::DiagnosisRaised { diagnosis, .. } => json!({
            "raised": diagnosis.kind, "severity": diagnosis.severity, "fabric": diagnosis.fabric,
            "ssrc": diagnosis.stream.map(|stream| stream.ssrc), "from_ms": diagnosis.from,
        }),
        Event::DiagnosisCleared { diagnosis, .. } => json!({
            "cleared": diagnosis.kind, "fabric": diagnosis.fabric, "ssrc": diagnosis.stream.map(|stream| stream.ssrc),
            "from_ms": diagnosis.from, "to_ms": diagnosis.to,
        }),
        Event::DominantSpeaker { change, .. } => json!({"dominant": change.now}),
        other => json!(format!("{other:?}")),
    }
}
