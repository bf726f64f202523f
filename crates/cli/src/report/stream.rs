//! A stream in the report: its figures, its score with what each impairment cost, and its bars.
//! The order of streams follows from their ranks; other modules sort by them.

use std::cmp::Reverse;
use std::io;

use callgauge::id::{Direction, MediaKind};
use callgauge::score::Cause;
use callgauge::summary::{ConferenceSummary, StreamSummary};
use ordered_float::OrderedFloat;

use super::sparkline::{SparkSeries, TimeAxis};
use crate::output::Page;
use crate::wording::{bitrate, clock, confidence, doubted, duration, impairment, percent, plural, printable, times};

/// The best MOS (ITU-T G.107 Annex B).
const BEST_MOS: f64 = 4.5;
/// Columns before the lines below the first.
const INDENT: usize = 7;
/// Seconds below which a state is not reported: users do not notice it, and short intervals do not resolve it.
const MIN_SECONDS: f64 = 1.0;
/// The cost below which an impairment is not reported, R points: it changes no MOS by a tenth.
const MIN_COST: f64 = 3.0;
/// By how much the worst ten seconds are below the MOS, if they are reported.
const MIN_DROP: f64 = 0.3;
/// The share of the call below which the time of a stream is reported.
const WHOLE_CALL: f64 = 0.9;

/// A stream and its figures over time.
pub(crate) struct StreamSection<'a> {
    summary: &'a StreamSummary,
    series: Option<&'a SparkSeries>,
}

impl<'a> StreamSection<'a> {
    pub(crate) fn new(summary: &'a StreamSummary, series: Option<&'a SparkSeries>) -> Self {
        Self { summary, series }
    }

    /// The sort key: the worse, the smaller. Streams without packets come last.
    pub(crate) fn rank(&self) -> (bool, Reverse<u64>) {
        (self.is_idle(), Reverse(self.severity()))
    }

    /// Whether no packet passed. Packets that were not read are no sign of it.
    fn is_idle(&self) -> bool {
        self.summary.packets.or(self.summary.bytes) == Some(0)
    }

    /// Thousandths below the best MOS; without a MOS, thousandths of the packets or of the call that were lost. Browsers
    /// count a picture on hold or in a pause as frozen, which costs nothing here.
    fn severity(&self) -> u64 {
        let stream = self.summary;
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
        self.summary.audio.as_ref()?.concealed_ratio
    }

    pub(crate) fn write(&self, call: &ConferenceSummary, page: &mut Page<'_>) -> io::Result<()> {
        page.facts(2, &self.figures(), "  ")?;
        let lists = [self.details(call), self.score(call), self.impairments()];
        for list in lists.iter().filter(|list| !list.is_empty()) {
            page.facts(INDENT, list, ", ")?;
        }
        for bar in self.bars(call) {
            page.line(INDENT, &bar)?;
        }
        Ok(())
    }

    /// The figures of every stream, in columns.
    fn figures(&self) -> Vec<String> {
        let stream = self.summary;
        let way = match stream.direction {
            Direction::Inbound => "recv",
            Direction::Outbound => "send",
        };
        let kind = stream.kind.map_or("?", MediaKind::name);
        let codec = printable(stream.codec.as_deref().unwrap_or("?"));
        let mut figures = vec![format!("{way} {kind:5} {codec:5} SSRC {:>10}", stream.ssrc.get())];
        if stream.packets == Some(0) {
            figures.push("no packets".into());
        } else if stream.samples < 2 {
            figures.push("only one sample, no rates".into());
        } else {
            figures.push(format!("{:>11}", stream.bitrate_bps.map_or("? bit/s".into(), bitrate)));
            figures.push(format!("loss {:>7}", stream.loss_ratio.map_or("?".into(), percent)));
            figures.extend(stream.jitter_ms.mean.map(|jitter| format!("jitter {jitter:>3.0} ms")));
        }
        figures
    }

    /// The figures of its kind, and the times in which it was limited, rested or was not reported.
    fn details(&self, call: &ConferenceSummary) -> Vec<String> {
        let stream = self.summary;
        let mut details = Vec::new();
        if !self.is_idle() && stream.samples > 1 {
            details.extend(self.audio_details());
            details.extend(self.video_details());
            if let (Some(start), Some(call_s)) = (call.start_ms, call.duration_s)
                && stream.duration_s < WHOLE_CALL * call_s
            {
                let from = clock(stream.start_ms - start);
                details.push(format!("present for {} from {from}", duration(stream.duration_s)));
            }
        }
        let resets = stream.resets.saturating_sub(stream.clock_steps);
        if resets > 0 {
            details.push(plural(resets, "counter reset"));
        }
        if stream.duplicates > 2 * stream.samples {
            let samples = plural(stream.duplicates, "sample");
            details.push(format!("{samples} left out: time does not advance, or one report has them all"));
        }
        if stream.hasty > 0 {
            let samples = plural(stream.hasty, "sample");
            details.push(format!("{samples} less than 10 ms apart: no rates (times in another unit?)"));
        }
        details.extend(stream.doubted.as_ref().map(doubted));
        for (seconds, state) in [
            (stream.lost_s, "connection lost"),
            (stream.muted_s, "muted"),
            (stream.held_s, "on hold"),
            (stream.paused_s, "paused"),
            (stream.silent_s, "silent (DTX)"),
            (stream.score.sender_idle_s, "sender assumed idle"),
            (stream.gap_s, "no stats"),
        ] {
            // A stream that never carried a packet rests without a reason, unless its connection was lost.
            if seconds >= MIN_SECONDS && (!self.is_idle() || state == "connection lost") {
                details.push(format!("{state} for {}", duration(seconds)));
            }
        }
        if let Some(video) = &stream.video {
            let limited = &video.quality_limited_s;
            for (seconds, limit) in [(limited.cpu, "CPU"), (limited.bandwidth, "bandwidth")] {
                if let Some(seconds) = seconds.filter(|&seconds| seconds >= MIN_SECONDS) {
                    details.push(format!("quality limited by {limit} for {}", duration(seconds)));
                }
            }
        }
        details
    }

    fn audio_details(&self) -> Vec<String> {
        let mut details = Vec::new();
        if let Some(concealed) = self.concealed().filter(|_| self.summary.direction == Direction::Inbound) {
            details.push(format!("concealed {}", percent(concealed)));
        }
        if let Some(delay) = self.summary.audio.as_ref().and_then(|audio| audio.jitter_buffer_delay_ms.mean) {
            details.push(format!("jitter buffer {delay:.0} ms"));
        }
        details
    }

    fn video_details(&self) -> Vec<String> {
        let Some(video) = &self.summary.video else { return Vec::new() };
        let mut details = Vec::new();
        if let (Some(width), Some(height)) = (video.width, video.height) {
            details.push(format!("{width}x{height}"));
        }
        details.extend(video.frames_per_second.mean.map(|rate| format!("{rate:.0} fps")));
        if let (Some(freezes @ 1..), Some(seconds)) = (video.freezes, video.frozen_s) {
            let total = if freezes == 1 { "for" } else { "for a total of" };
            details.push(format!("froze {} {total} {seconds:.1} s", times(freezes)));
        }
        details
    }

    /// The score with its range and its lowest part; without a score, why.
    fn score(&self, call: &ConferenceSummary) -> Vec<String> {
        let score = &self.summary.score;
        if self.is_idle() {
            return Vec::new();
        }
        let Some(mos) = score.mos else {
            return self.no_score().map(|reason| format!("no MOS: {reason}")).into_iter().collect();
        };
        let mut facts = vec![match (score.mos_low, score.mos_high) {
            (Some(low), Some(high)) => {
                format!("MOS {mos:.1} ({low:.1} to {high:.1}, confidence {})", confidence(score.tier, low, high))
            }
            _ => format!("MOS {mos:.1}"),
        }];
        if let (Some(worst), Some(start)) = (&score.worst_10s, call.start_ms)
            && worst.mos < mos - MIN_DROP
        {
            facts.push(format!("worst 10 s: {:.1} (ending {})", worst.mos, clock(worst.end_ms - start)));
        }
        facts
    }

    fn no_score(&self) -> Option<&'static str> {
        Some(match self.summary.score.reason.as_deref()? {
            "unknown_codec" => "unknown codec",
            "unknown_robustness" => "loss robustness of the codec was never published",
            "no_loss_information" => "no loss figures",
            "too_little" if self.summary.kind == Some(MediaKind::Audio) => "too little speech",
            "too_little" => "too little video",
            "unresolved" => "no media received, and unknown whether any was sent",
            "frame_rate_only" | "no_picture_information" => "too few video figures (no quantizer or bitrate)",
            _ => return None,
        })
    }

    /// What each impairment cost, in R points: the main cause first, then the largest.
    pub(crate) fn impairments(&self) -> Vec<String> {
        let score = &self.summary.score;
        if self.is_idle() || score.mos.is_none() {
            return Vec::new();
        }
        let mut parts: Vec<(Cause, f64)> = score.parts.iter().filter(|&(_, cost)| cost >= MIN_COST).collect();
        parts.sort_by_key(|&(cause, cost)| Reverse((score.cause == Some(cause), OrderedFloat(cost))));
        let mut costs: Vec<String> =
            parts.into_iter().map(|(cause, cost)| format!("{} −{cost:.0} R", impairment(cause))).collect();
        if let Some(first) = costs.first_mut() {
            first.insert_str(0, "impairments: ");
        }
        costs
    }

    /// The bars over the call, each with its name.
    pub(crate) fn bars(&self, call: &ConferenceSummary) -> Vec<String> {
        let (Some(series), Some(start_ms), Some(end_ms)) = (self.series, call.start_ms, call.end_ms) else {
            return Vec::new();
        };
        if self.is_idle() {
            return Vec::new();
        }
        let axis = TimeAxis { start_ms, end_ms };
        let losses = series.losses(axis).filter(|_| self.summary.loss_ratio > Some(0.0));
        let bars = [("rate", series.bitrates(axis)), ("loss", losses)];
        bars.into_iter().filter_map(|(name, bar)| Some(format!("{name} │{}│", bar?))).collect()
    }
}
