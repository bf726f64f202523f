//! Splits recordings into segments: the getStats figures of 8 s, and the measured quality of the received audio.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read as _;
use std::path::Path;

use callgauge::id::{Direction, MediaKind, StreamKey};
use callgauge::ingest::Reader;
use callgauge::metric::{Interval, Metric};
use callgauge::score::Model as _;
use callgauge::score::audio::{AudioInputs, AudioModel, AudioWindow};
use callgauge::unit::Timestamp;
use callgauge::{Conference, Config, Event, FabricSpec};
use serde_json::Value;

use crate::oracle::Window;

/// One segment.
pub(crate) struct Segment {
    pub(crate) recording: String,
    pub(crate) split: String,
    /// The voice: the name of the spoken file.
    pub(crate) voice: String,
    /// No impairment of the network or of the sender.
    pub(crate) is_clean: bool,
    /// The lab paused the sender in a part of the segment.
    pub(crate) is_cut: bool,
    pub(crate) pesq: f64,
    pub(crate) visqol: f64,
    pub(crate) plcmos: f64,
    codec: Option<String>,
    inputs: Option<AudioInputs<'static>>,
    /// The same for the formulas of other projects.
    pub(crate) window: Window,
}

impl Segment {
    /// The model's listening quality.
    pub(crate) fn score(&self, model: &AudioModel) -> Option<f64> {
        let mut inputs = self.inputs?;
        inputs.codec = self.codec.as_deref();
        Some(model.score(&inputs).ok()?.lq()?.as_f64())
    }
}

/// Reads every recording in `directory` that has measured segments, in the order of their names.
pub(crate) fn read(directory: &Path) -> Result<Vec<Segment>, Box<dyn Error>> {
    let mut names: Vec<String> = std::fs::read_dir(directory)?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".meta.json")?.to_owned()))
        .collect();
    names.sort();
    let mut all = Vec::new();
    for name in names {
        let meta: Value = serde_json::from_slice(&std::fs::read(directory.join(format!("{name}.meta.json")))?)?;
        let Some(directions) = meta["ground_truth"]["audio"].as_array() else { continue };
        let recording = Recording::replay(&directory.join(format!("{name}.ndjson.gz")))?;
        for direction in directions {
            let (Some(pc), Some(from)) = (direction["pc"].as_str(), direction["from"].as_str()) else { continue };
            let segments = direction["segments"].as_array().into_iter().flatten();
            all.extend(segments.filter_map(|segment| recording.segment(&name, &meta, pc, from, segment)));
        }
    }
    Ok(all)
}

/// A recording, replayed.
struct Recording {
    call: Conference,
    fabrics: BTreeMap<String, callgauge::id::FabricId>,
    intervals: BTreeMap<StreamKey, Vec<Interval>>,
}

impl Recording {
    fn replay(path: &Path) -> Result<Self, Box<dyn Error>> {
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(path)?).read_to_string(&mut text)?;
        let mut recording =
            Self { call: Conference::new("", Config::new()), fabrics: BTreeMap::new(), intervals: BTreeMap::new() };
        let mut reader = Reader::new();
        let mut now = Timestamp::default();
        for line in text.lines() {
            let Self { call, fabrics, intervals } = &mut recording;
            reader.read(line.as_bytes(), &mut |snapshot| {
                now = now.max(Timestamp::from_millis(snapshot.at.map_or(0, |at| at.as_millis() as u64)));
                let opened = match fabrics.get(snapshot.fabric) {
                    Some(&fabric) => Ok(fabric),
                    None => call.open_fabric(now, FabricSpec::new(snapshot.fabric)),
                };
                let Ok(fabric) = opened else { return };
                fabrics.insert(snapshot.fabric.to_owned(), fabric);
                if call.ingest(now, fabric, snapshot.report).is_err() {
                    return;
                }
                while let Some(event) = call.poll_event() {
                    if let Event::IntervalClosed { stream, interval, .. } = event {
                        intervals.entry(stream).or_default().push(interval);
                    }
                }
            })?;
        }
        Ok(recording)
    }

    /// The segment, if it is usable: all three metrics exist, and the machine did not delay the audio.
    fn segment(&self, name: &str, meta: &Value, pc: &str, from: &str, segment: &Value) -> Option<Segment> {
        let number = |key: &str| segment[key].as_f64();
        if number("stall_ms")? > 100.0 {
            return None;
        }
        let (start, end) = (number("t_start")?, number("t_end")?);
        let streams = |direction| {
            let fabric = self.fabrics.get(pc).copied();
            self.intervals.iter().filter(move |(stream, intervals)| {
                Some(stream.fabric) == fabric
                    && stream.direction == direction
                    && intervals.iter().any(|interval| interval.kind == Some(MediaKind::Audio))
            })
        };
        // A connection may have had an earlier stream; this takes the one with the most intervals.
        let (stream, intervals) = streams(Direction::Inbound).max_by_key(|(_, intervals)| intervals.len())?;
        // The window needs the talker's loudness from before the segment.
        let mut window = AudioWindow::pooling();
        for part in parts(intervals, 0.0, start) {
            window.add(&part);
        }
        window.clear();
        let mut sums = Sums::default();
        for part in parts(intervals, start, end) {
            if part.get(Metric::PacketRatePps) == Some(0.0) {
                window.add_pending_outage(&part);
            } else {
                window.add(&part);
            }
            sums.add(&part);
        }
        window.count_pending_outage();
        for (_, intervals) in streams(Direction::Outbound) {
            for part in parts(intervals, start, end) {
                sums.rtt_ms.add(part.get(Metric::RttMs), part.span_ms);
            }
        }
        let summary = self.call.summary();
        let codec = summary.fabrics.get(stream.fabric.index()).and_then(|fabric| {
            let of_stream =
                |s: &&callgauge::summary::StreamSummary| s.ssrc == stream.ssrc && s.direction == stream.direction;
            fabric.streams.iter().find(of_stream)?.codec.clone()
        });
        let voice = meta["participants"].as_array()?.iter().find(|who| who["name"] == from)?["wav"].as_str()?;
        let is_quiet = |list: &Value| {
            list.as_array().is_none_or(|list| list.iter().all(|what| what["set"] == serde_json::json!({})))
        };
        Some(Segment {
            recording: name.to_owned(),
            split: meta["split"].as_str()?.to_owned(),
            voice: voice.to_owned(),
            is_clean: is_quiet(&meta["schedule"]) && meta["actions"].as_array().is_none_or(Vec::is_empty),
            is_cut: ["hold", "mute"].contains(&name),
            pesq: number("pesq_wb")?,
            visqol: number("visqol")?,
            plcmos: number("plcmos")?,
            codec,
            inputs: window.inputs(),
            window: sums.window(name),
        })
    }
}

/// The intervals within a period, cut to it: rates hold evenly throughout an interval.
fn parts(intervals: &[Interval], start: f64, end: f64) -> impl Iterator<Item = Interval> {
    intervals.iter().filter_map(move |interval| {
        let to = interval.at.as_millis();
        let overlap = to.min(end) - (to - interval.span_ms).max(start);
        let mut part = *interval;
        part.span_ms = overlap;
        (overlap > 0.0).then_some(part)
    })
}

/// Pooled inputs of the other projects' formulas.
#[derive(Default)]
struct Sums {
    seconds: f64,
    received: f64,
    lost: f64,
    bits: f64,
    rtt_ms: Mean,
    jitter_ms: Mean,
    buffer_ms: Mean,
    concealed: Mean,
}

#[derive(Default)]
struct Mean(f64, f64);

impl Mean {
    fn add(&mut self, value: Option<f64>, weight: f64) {
        if let Some(value) = value {
            self.0 += value * weight;
            self.1 += weight;
        }
    }

    fn get(&self) -> Option<f64> {
        (self.1 > 0.0).then(|| self.0 / self.1)
    }
}

impl Sums {
    fn add(&mut self, part: &Interval) {
        let seconds = part.span_ms / 1e3;
        let received = part.get(Metric::PacketRatePps).unwrap_or(0.0) * seconds;
        let loss = part.get(Metric::LossRatio).unwrap_or(0.0).min(0.999);
        self.seconds += seconds;
        self.received += received;
        self.lost += received * loss / (1.0 - loss);
        self.bits += part.get(Metric::BitrateBps).unwrap_or(0.0) * seconds;
        self.jitter_ms.add(part.get(Metric::JitterMs), seconds);
        self.buffer_ms.add(part.get(Metric::JitterBufferDelayMs), seconds);
        self.concealed.add(part.get(Metric::ConcealedRatio), seconds);
    }

    /// The recording's name gives the negotiated options.
    fn window(&self, name: &str) -> Window {
        let expected = self.received + self.lost;
        Window {
            rtt_ms: self.rtt_ms.get(),
            jitter_ms: self.jitter_ms.get(),
            loss_ratio: (expected > 0.0).then(|| self.lost / expected),
            packets_lost: Some(self.lost),
            packets_received: Some(self.received),
            seconds: self.seconds,
            bitrate_bps: (self.seconds > 0.0).then(|| self.bits / self.seconds),
            buffer_ms: self.buffer_ms.get(),
            fec: !name.contains("nofec"),
            red: name.contains("red"),
            dtx: name.contains("dtx"),
            concealed_ratio: self.concealed.get(),
        }
    }
}
