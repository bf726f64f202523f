//! The report as text: what a support engineer can read in ten seconds.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::{self, Write};

use callgauge::id::{Direction, MediaKind, Ssrc};
use callgauge::summary::{ConferenceSummary, FabricSummary, StreamSummary};
use callgauge::unit::StatTime;

use crate::input::Input;

/// What streams did over time, by fabric, direction and SSRC.
pub(crate) type AllSeries = HashMap<(usize, Direction, Ssrc), Series>;

/// What one stream did over time, for its sparklines.
#[derive(Debug, Default)]
pub(crate) struct Series(Vec<(f64, Option<f64>, Option<f64>)>);

impl Series {
    /// Adds an interval's end, bitrate and loss.
    pub(crate) fn add(&mut self, at: StatTime, bitrate: Option<f64>, loss: Option<f64>) {
        self.0.push((at.as_millis(), bitrate, loss));
    }
}

/// How many characters a sparkline has.
const SPARK_WIDTH: usize = 40;
/// A loss of this ratio fills a sparkline: what lies above is as bad as can be.
const FULL_LOSS: f64 = 0.2;

pub(crate) fn write(
    summary: &ConferenceSummary,
    inputs: &[Input],
    series: &AllSeries,
    out: &mut dyn Write,
) -> io::Result<()> {
    let streams: usize = summary.fabrics.iter().map(|fabric| fabric.streams.len()).sum();
    let name = printable(summary.conference.as_deref().unwrap_or("Conference"));
    write!(out, "{name}")?;
    if let (Some(start), Some(seconds)) = (summary.start_ms, summary.duration_s) {
        write!(out, ", {}, from {}", duration(seconds), time_of_day(start))?;
    }
    let connections = plural(summary.fabrics.len() as u64, "connection");
    writeln!(out, ": {connections}, {}, worst first", plural(streams as u64, "stream"))?;
    for input in inputs {
        let format = input.format.unwrap_or("unknown format");
        writeln!(out, "  {}: {format}, {}", input.file, plural(input.snapshots, "snapshot"))?;
    }
    let mut fabrics: Vec<(usize, &FabricSummary)> = summary.fabrics.iter().enumerate().collect();
    fabrics.sort_by_key(|(index, fabric)| (Reverse(fabric.streams.iter().map(badness).max()), *index));
    for (index, fabric) in fabrics {
        write_fabric(index, fabric, summary, series, out)?;
    }
    Ok(())
}

/// Thousandths of the call, or of its packets, that a stream spoiled: what it is sorted by.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // ratios
fn badness(stream: &StreamSummary) -> u64 {
    let concealed = stream.audio.as_ref().and_then(|audio| audio.audible_concealed_ratio);
    let frozen = stream.video.as_ref().and_then(|video| video.frozen_s).map(|frozen| frozen / stream.duration_s);
    let worst = [stream.loss_ratio, concealed, frozen].into_iter().flatten().fold(0.0, f64::max);
    (worst * 1e3) as u64
}

fn write_fabric(
    index: usize,
    fabric: &FabricSummary,
    summary: &ConferenceSummary,
    series: &AllSeries,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = if fabric.fabric.is_empty() { "Connection".into() } else { printable(&fabric.fabric) };
    let mut facts: Vec<String> = fabric.state.map(Into::into).into_iter().collect();
    if let Some(rtt) = fabric.rtt_ms.ice.mean.or(fabric.rtt_ms.rtcp.mean) {
        let p95 = fabric.rtt_ms.ice.p95.or(fabric.rtt_ms.rtcp.p95);
        facts.push(format!("round trip {rtt:.0} ms{}", p95.map_or(String::new(), |p95| format!(" (95 %: {p95:.0})"))));
    }
    if let Some(bps) = fabric.available_outgoing_bps.mean {
        facts.push(format!("could send {}", bitrate(bps)));
    }
    writeln!(out, "\n{name}: {}", facts.join(", "))?;
    let mut streams: Vec<&StreamSummary> = fabric.streams.iter().collect();
    streams.sort_by_key(|stream| Reverse(badness(stream)));
    for stream in streams {
        let series = series.get(&(index, stream.direction, stream.ssrc));
        write_stream(stream, summary, series, out)?;
    }
    Ok(())
}

fn write_stream(
    stream: &StreamSummary,
    summary: &ConferenceSummary,
    series: Option<&Series>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let way = match stream.direction {
        Direction::Inbound => "from",
        Direction::Outbound => "to  ",
    };
    let kind = stream.kind.map_or("?", MediaKind::name);
    let codec = printable(stream.codec.as_deref().unwrap_or("?"));
    write!(out, "  {way} {kind:5} {codec:5} {:>10}", stream.ssrc.get())?;
    for fact in facts(stream) {
        write!(out, "  {fact}")?;
    }
    writeln!(out)?;
    let notes = notes(stream);
    if !notes.is_empty() {
        writeln!(out, "       {}", notes.join(", "))?;
    }
    if let (Some(series), Some(start), Some(end)) = (series, summary.start_ms, summary.end_ms) {
        let bitrates = sparkline(series.0.iter().map(|&(at, bitrate, _)| (at, bitrate)), start, end, None);
        let losses = sparkline(series.0.iter().map(|&(at, _, loss)| (at, loss)), start, end, Some(FULL_LOSS));
        if let Some(bitrates) = bitrates {
            writeln!(out, "       rate │{bitrates}│")?;
        }
        if let Some(losses) = losses.filter(|_| stream.loss_ratio > Some(0.0)) {
            writeln!(out, "       loss │{losses}│")?;
        }
    }
    Ok(())
}

/// The figures that matter, in columns.
fn facts(stream: &StreamSummary) -> Vec<String> {
    if stream.packets == Some(0) {
        return vec![format!("{:>12}", "no packets")];
    }
    let mut facts = vec![format!("{:>12}", stream.bitrate_bps.map_or("? bit/s".into(), bitrate))];
    facts.push(format!("loss {:>6}", percent(stream.loss_ratio)));
    if let Some(jitter) = stream.jitter_ms.mean {
        facts.push(format!("jitter {jitter:>3.0} ms"));
    }
    if let Some(audio) = &stream.audio
        && stream.direction == Direction::Inbound
    {
        facts.push(format!("concealed {:>6}", percent(audio.concealed_ratio)));
        if let Some(delay) = audio.jitter_buffer_delay_ms.mean {
            facts.push(format!("buffer {delay:.0} ms"));
        }
    }
    if let Some(video) = &stream.video {
        if let (Some(width), Some(height)) = (video.width, video.height) {
            facts.push(format!("{width}x{height}"));
        }
        if let Some(rate) = video.frames_per_second.mean {
            facts.push(format!("{rate:.0} fps"));
        }
        if let (Some(freezes @ 1..), Some(seconds)) = (video.freezes, video.frozen_s) {
            facts.push(format!("{} of {seconds:.1} s", plural(freezes, "freeze")));
        }
    }
    facts
}

/// What else there is to say, if there is.
fn notes(stream: &StreamSummary) -> Vec<String> {
    let mut notes = Vec::new();
    if stream.resets > 0 {
        notes.push(match stream.resets {
            1 => "counters began anew once".into(),
            resets => format!("counters began anew {resets} times"),
        });
    }
    for (seconds, what) in [
        (stream.muted_s, "muted"),
        (stream.held_s, "on hold"),
        (stream.paused_s, "paused"),
        (stream.silent_s, "silent"),
        (stream.gap_s, "not reported"),
    ] {
        if seconds > 0.0 {
            notes.push(format!("{what} for {}", duration(seconds)));
        }
    }
    if let Some(video) = &stream.video {
        let limited = &video.quality_limited_s;
        for (seconds, what) in [(limited.cpu, "the processor"), (limited.bandwidth, "bandwidth")] {
            if let Some(seconds) = seconds.filter(|&seconds| seconds >= 1.0) {
                notes.push(format!("limited by {what} for {}", duration(seconds)));
            }
        }
    }
    notes
}

/// Values over time in one line: the mean of each column, a space where nothing was measured. `None` when nothing was
/// measured at all. `full` is the value of a full column; without it, the largest mean.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to the width and to eight levels
fn sparkline(
    values: impl Iterator<Item = (f64, Option<f64>)>,
    start: f64,
    end: f64,
    full: Option<f64>,
) -> Option<String> {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let mut columns = [(0.0, 0_u32); SPARK_WIDTH];
    for (at, value) in values {
        let place = (at - start) / (end - start) * SPARK_WIDTH as f64;
        let column = (place as usize).min(SPARK_WIDTH - 1);
        if let (Some(value), Some((sum, n))) = (value, columns.get_mut(column)) {
            *sum += value;
            *n += 1;
        }
    }
    let means = columns.map(|(sum, n)| (n > 0).then(|| sum / f64::from(n)));
    let largest = means
        .into_iter()
        .flatten()
        .fold(None, |largest: Option<f64>, mean| Some(largest.map_or(mean, |largest| largest.max(mean))))?;
    let full = full.unwrap_or(largest);
    let level = |mean: f64| {
        let level = if full > 0.0 { mean / full * LEVELS.len() as f64 } else { 0.0 };
        LEVELS.get((level as usize).min(LEVELS.len() - 1)).copied().unwrap_or(' ')
    };
    Some(means.map(|mean| mean.map_or(' ', level)).iter().collect())
}

/// `1 min 28 s`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round();
    if seconds < 60.0 {
        return if seconds < 10.0 { format!("{seconds:.1} s") } else { format!("{whole:.0} s") };
    }
    let (hours, minutes, rest) = ((whole / 3_600.0).floor(), (whole / 60.0).floor() % 60.0, whole % 60.0);
    if hours > 0.0 { format!("{hours:.0} h {minutes:.0} min") } else { format!("{minutes:.0} min {rest:.0} s") }
}

/// `2026-11-21 09:53:03 UTC`, or seconds for a clock that does not count from 1970.
pub(crate) fn time_of_day(ms: f64) -> String {
    #[allow(clippy::cast_possible_truncation)] // saturates
    let time = jiff::Timestamp::from_millisecond(ms as i64);
    match time {
        Ok(time) if ms > 1e11 => time.strftime("%F %T UTC").to_string(),
        _ => format!("{:.1} s", ms / 1e3),
    }
}

fn bitrate(bps: f64) -> String {
    if bps >= 1e6 { format!("{:.1} Mbit/s", bps / 1e6) } else { format!("{:.0} kbit/s", bps / 1e3) }
}

fn percent(ratio: Option<f64>) -> String {
    ratio.map_or("?".into(), |ratio| format!("{:.1} %", ratio * 100.0))
}

/// A name out of the input, on one line: control characters (which could also steer the terminal) are escaped.
pub(crate) fn printable(name: &str) -> Cow<'_, str> {
    if !name.contains(char::is_control) {
        return name.into();
    }
    let escape = |c: char| if c.is_control() { c.escape_default().collect() } else { String::from(c) };
    name.chars().map(escape).collect()
}

/// `1 entry`, `2 entries`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        _ => format!("{count} {noun}s"),
    }
}
