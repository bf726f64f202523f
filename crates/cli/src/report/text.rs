//! The report as text: what a support engineer can read in ten seconds.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::io::{self, Write};

use callgauge::fabric::FabricState;
use callgauge::id::{Direction, MediaKind};
use callgauge::score::Cause;
use callgauge::summary::{ConferenceSummary, FabricSummary, StreamSummary};

use super::sparkline::{AllSeries, Series, TimeAxis};
use super::{connection, diagnoses, talk};
use crate::files::files_of;
use crate::records::Input;
use crate::wording::{bitrate, clock, confidence, duration, percent, plural, printable, taker, time_of_day, times};

/// How many errors are told.
const MOST_ERRORS: usize = 5;
/// The best MOS that there is (ITU-T G.107 Annex B).
const BEST_MOS: f64 = 4.5;

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
        write!(out, "  {}: {format}, {}", input.file, plural(input.snapshots, "snapshot"))?;
        if inputs.len() > 1 {
            write!(out, ", {}", clock_of(input))?;
        }
        writeln!(out)?;
    }
    diagnoses::write(summary, out)?;
    for error in summary.errors.iter().filter(|error| !error.function.is_log()).take(MOST_ERRORS) {
        writeln!(out, "  {}", connection::error(summary, error))?;
    }
    talk::write(summary, out)?;
    let mut origins = files_of(inputs).into_iter().map(|input| input.file.as_str());
    let mut fabrics: Vec<Connection<'_>> = summary
        .fabrics
        .iter()
        .enumerate()
        .map(|(index, fabric)| Connection::new(index, fabric, origins.next().filter(|_| inputs.len() > 1), series))
        .collect();
    fabrics.sort_by_key(|fabric| (fabric.rank(), fabric.index));
    let mut has_bars = false;
    for fabric in &fabrics {
        has_bars |= fabric.write(summary, out)?;
    }
    if has_bars {
        writeln!(
            out,
            "\nBars: the whole call; rate against the stream's own peak, loss full at 20 %; · is zero, blank unknown."
        )?;
    }
    Ok(())
}

/// A PeerConnection with its streams, worst first.
struct Connection<'a> {
    index: usize,
    fabric: &'a FabricSummary,
    /// The file it comes from, where there are several.
    file: Option<&'a str>,
    streams: Vec<Line<'a>>,
}

impl<'a> Connection<'a> {
    fn new(index: usize, fabric: &'a FabricSummary, file: Option<&'a str>, series: &'a AllSeries) -> Self {
        let line =
            |stream: &'a StreamSummary| Line { stream, series: series.get(&(index, stream.direction, stream.ssrc)) };
        let mut streams: Vec<Line<'_>> = fabric.streams.iter().map(line).collect();
        streams.sort_by_key(Line::rank);
        Self { index, fabric, file, streams }
    }

    /// A connection is as bad as its worst stream; one that failed is worse, one without streams comes last.
    fn rank(&self) -> (bool, bool, Reverse<u64>) {
        let (is_idle, badness) = self.streams.first().map_or((true, Reverse(0)), Line::rank);
        (self.fabric.state != Some(FabricState::Failed), is_idle, badness)
    }

    /// Whether bars were among what was written.
    fn write(&self, summary: &ConferenceSummary, out: &mut dyn Write) -> io::Result<bool> {
        let fabric = self.fabric;
        let name = if fabric.fabric.is_empty() { "Connection".into() } else { printable(&fabric.fabric) };
        let file = self.file.map_or(String::new(), |file| format!(" of {file}"));
        let mut facts: Vec<String> = vec![fabric.state.map_or("state unknown", FabricState::name).into()];
        if let Some(mos) = fabric.score.mos {
            facts.push(format!("MOS {mos:.1}"));
        }
        if let Some(rtt) = fabric.rtt_ms.ice.mean.or(fabric.rtt_ms.rtcp.mean) {
            let p95 = fabric.rtt_ms.ice.p95.or(fabric.rtt_ms.rtcp.p95);
            let most = p95.map_or(String::new(), |p95| format!(" (95 % within {p95:.0})"));
            facts.push(format!("round trip {rtt:.0} ms{most}"));
        }
        if let Some(bps) = fabric.available_outgoing_bps.mean {
            facts.push(format!("could send {}", bitrate(bps)));
        }
        if self.streams.is_empty() {
            facts.push("no streams".into());
        }
        writeln!(out, "\n{name}{file}: {}", facts.join(", "))?;
        if let Some(life) = connection::line(summary, fabric) {
            writeln!(out, "  {life}")?;
        }
        let mut has_bars = false;
        for stream in &self.streams {
            has_bars |= stream.write(summary, out)?;
        }
        Ok(has_bars)
    }
}

/// A stream and what it did over time.
struct Line<'a> {
    stream: &'a StreamSummary,
    series: Option<&'a Series>,
}

impl Line<'_> {
    /// What streams are sorted by: the worse, the smaller. Streams that carried nothing come last.
    fn rank(&self) -> (bool, Reverse<u64>) {
        (self.is_idle(), Reverse(self.badness()))
    }

    fn is_idle(&self) -> bool {
        self.stream.packets.is_none_or(|packets| packets == 0)
    }

    /// Thousandths that are missing to the best score, or, where there is none, of the call or its packets that a stream
    /// spoiled. A picture that stands still on hold or in a
    /// pause is counted as frozen by browsers, and spoils nothing.
    fn badness(&self) -> u64 {
        let stream = self.stream;
        if let Some(mos) = stream.score.mos {
            return ((BEST_MOS - mos) / (BEST_MOS - 1.0) * 1e3) as u64;
        }
        let rest = stream.held_s + stream.paused_s;
        let frozen = stream.video.as_ref().and_then(|video| video.frozen_s);
        let frozen = frozen.map(|frozen| (frozen - rest).max(0.0) / stream.duration_s);
        let worst = [stream.loss_ratio, self.concealed(), frozen].into_iter().flatten().fold(0.0, f64::max);
        (worst * 1e3) as u64
    }

    fn concealed(&self) -> Option<f64> {
        self.stream.audio.as_ref()?.concealed_ratio
    }

    /// Whether bars were among what was written.
    fn write(&self, summary: &ConferenceSummary, out: &mut dyn Write) -> io::Result<bool> {
        let stream = self.stream;
        let way = match stream.direction {
            Direction::Inbound => "from",
            Direction::Outbound => "to  ",
        };
        let kind = stream.kind.map_or("?", MediaKind::name);
        let codec = printable(stream.codec.as_deref().unwrap_or("?"));
        write!(out, "  {way} {kind:5} {codec:5} {:>10}", stream.ssrc.get())?;
        for fact in self.facts() {
            write!(out, "  {fact}")?;
        }
        writeln!(out)?;
        if let Some(score) = self.score(summary) {
            writeln!(out, "       {score}")?;
        }
        let notes = self.notes(summary);
        if !notes.is_empty() {
            writeln!(out, "       {}", notes.join(", "))?;
        }
        let (Some(series), Some(start), Some(end)) = (self.series, summary.start_ms, summary.end_ms) else {
            return Ok(false);
        };
        if self.is_idle() {
            return Ok(false);
        }
        let call = TimeAxis { start_ms: start, end_ms: end };
        let bitrates = series.bitrates(call);
        let losses = series.losses(call);
        let losses = losses.filter(|_| stream.loss_ratio > Some(0.0));
        if let Some(bitrates) = &bitrates {
            writeln!(out, "       rate │{bitrates}│")?;
        }
        if let Some(losses) = &losses {
            writeln!(out, "       loss │{losses}│")?;
        }
        Ok(bitrates.is_some() || losses.is_some())
    }

    /// The figures that matter, in columns.
    fn facts(&self) -> Vec<String> {
        let stream = self.stream;
        if stream.packets == Some(0) {
            return vec![format!("{:>12}", "no packets")];
        }
        if stream.samples < 2 {
            return vec!["seen once: no figures".into()];
        }
        let mut facts = vec![format!("{:>12}", stream.bitrate_bps.map_or("? bit/s".into(), bitrate))];
        facts.push(format!("loss {:>6}", stream.loss_ratio.map_or("?".into(), percent)));
        if let Some(jitter) = stream.jitter_ms.mean {
            facts.push(format!("jitter {jitter:>3.0} ms"));
        }
        if let Some(concealed) = self.concealed().filter(|_| stream.direction == Direction::Inbound) {
            facts.push(format!("concealed {:>6}", percent(concealed)));
        }
        if let Some(audio) = &stream.audio
            && let Some(delay) = audio.jitter_buffer_delay_ms.mean
        {
            facts.push(format!("buffer {delay:.0} ms"));
        }
        if let Some(video) = &stream.video {
            if let (Some(width), Some(height)) = (video.width, video.height) {
                facts.push(format!("{width}x{height}"));
            }
            if let Some(rate) = video.frames_per_second.mean {
                facts.push(format!("{rate:.0} fps"));
            }
            if let (Some(freezes @ 1..), Some(seconds)) = (video.freezes, video.frozen_s) {
                let in_all = if freezes == 1 { "" } else { " in all" };
                facts.push(format!("froze {}, {seconds:.1} s{in_all}", times(freezes)));
            }
        }
        facts
    }

    /// What it was worth, how sure that is, and why.
    fn score(&self, summary: &ConferenceSummary) -> Option<String> {
        let score = &self.stream.score;
        if self.is_idle() {
            return None;
        }
        let Some(mos) = score.mos else {
            let why = match score.reason.as_deref()? {
                "unknown_codec" => "nothing is known of the codec",
                "unknown_robustness" => "how the codec bears loss was never published",
                "no_loss_information" => "nobody tells what was lost",
                "too_little" if self.stream.kind == Some(MediaKind::Audio) => "nobody was heard to speak",
                "too_little" => "too little was shown",
                "undecided" => "nobody tells whether anything was sent",
                "frame_rate_only" | "no_picture_information" => "too little is known of the pictures",
                _ => return None,
            };
            return Some(format!("no MOS: {why}"));
        };
        let mut line = format!("MOS {mos:.1}");
        if let (Some(low), Some(high)) = (score.mos_low, score.mos_high) {
            write!(line, " ({low:.1} to {high:.1}, confidence {})", confidence(score.tier)).ok()?;
        }
        // What takes less than this changes no MOS by a tenth. The cause comes first, be its part the largest or not.
        let mut parts: Vec<_> = score.parts.iter().filter(|&(_, points)| points >= 3.0).collect();
        parts.sort_by(|a, b| {
            let is_cause = |part: &(Cause, f64)| score.cause == Some(part.0);
            is_cause(b).cmp(&is_cause(a)).then(b.1.total_cmp(&a.1))
        });
        if !parts.is_empty() {
            let takes = |&(cause, points): &(Cause, f64)| format!("{} −{points:.0}", taker(cause));
            let parts = parts.iter().map(takes).collect::<Vec<_>>().join(", ");
            write!(line, ": {parts} of 100").ok()?;
        }
        if let (Some(worst), Some(start)) = (&score.worst_10s, summary.start_ms)
            && worst.mos < mos - 0.3
        {
            write!(line, "; worst ten seconds {:.1}, to {}", worst.mos, clock(worst.end_ms - start)).ok()?;
        }
        Some(line)
    }

    /// What else there is to say, if there is.
    fn notes(&self, summary: &ConferenceSummary) -> Vec<String> {
        let stream = self.stream;
        let mut notes = Vec::new();
        if let (Some(start), Some(call_s)) = (summary.start_ms, summary.duration_s)
            && stream.samples > 1
            && !self.is_idle()
            && stream.duration_s < 0.9 * call_s
        {
            notes.push(format!("seen for {}, from {} on", duration(stream.duration_s), clock(stream.start_ms - start)));
        }
        if stream.resets > 0 {
            notes.push(format!("counters began anew {}", times(stream.resets)));
        }
        for (seconds, what) in [
            (stream.muted_s, "muted"),
            (stream.held_s, "on hold"),
            (stream.paused_s, "paused"),
            (stream.silent_s, "silent"),
            (stream.score.idle_s, "idle"),
            (stream.gap_s, "not reported"),
        ] {
            // Shorter than what anybody notices, and than what short intervals can tell.
            if seconds >= 1.0 {
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
}

/// How a file's clock is joined to that of the first.
fn clock_of(input: &Input) -> String {
    match input.clock_offset_ms.zip(input.clock_uncertainty_ms) {
        Some((0.0, 0.0)) => "whose clock counts".into(),
        Some((offset, within)) => {
            let way = if offset < 0.0 { "behind" } else { "ahead" };
            format!("clock {:.3} s {way}, ±{:.1} ms", offset.abs() / 1e3, within)
        }
        None => "clock not joined to the first".into(),
    }
}
