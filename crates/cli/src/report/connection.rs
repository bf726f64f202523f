//! A connection in the report: its state, round trip and estimated uplink, its events, and its streams, worst first.
//! It writes one connection at a time; their order is the report's.

use std::cmp::Reverse;
use std::io;

use callgauge::digest::Stats;
use callgauge::event::{EventKind, FabricState, FailureReason};
use callgauge::summary::{
    ClockSummary, ConferenceSummary, ErrorSummary, EventSummary, FabricSummary, PathSummary, RttBySource, StreamSummary,
};

use super::sparkline::AllSeries;
use super::stream::StreamSection;
use crate::output::Page;
use crate::wording::{bitrate, clock, doubted, duration, plural, printable, spaced};

/// How many events one connection has in the report, at most.
const MAX_EVENTS: usize = 8;
/// Seconds below which a loss of the connection is in no sum of the report: its events name it.
const MIN_LOST_S: f64 = 1.0;

/// A PeerConnection with its streams, worst first.
pub(crate) struct ConnectionSection<'a> {
    index: usize,
    fabric: &'a FabricSummary,
    /// The file it comes from, where there are several.
    file: Option<&'a str>,
    streams: Vec<StreamSection<'a>>,
}

impl<'a> ConnectionSection<'a> {
    pub(crate) fn new(index: usize, fabric: &'a FabricSummary, file: Option<&'a str>, series: &'a AllSeries) -> Self {
        let stream = |summary: &'a StreamSummary| {
            StreamSection::new(summary, series.get(index, summary.direction, summary.ssrc))
        };
        let mut streams: Vec<StreamSection<'_>> = fabric.streams.iter().map(stream).collect();
        streams.sort_by_key(StreamSection::rank);
        Self { index, fabric, file, streams }
    }

    /// The sort key: connections with media before those with data and those that never carried anything; of each, a
    /// failed connection first, then by the worst stream.
    pub(crate) fn rank(&self) -> (u8, bool, Reverse<u64>, usize) {
        let (is_idle, rank) = self.streams.first().map_or((true, Reverse(0)), StreamSection::rank);
        let use_rank = match (is_idle && !self.fabric.carried_media, self.fabric.carried_data) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => 2,
        };
        (use_rank, self.fabric.state != Some(FabricState::Failed), rank, self.index)
    }

    pub(crate) fn has_bars(&self, summary: &ConferenceSummary) -> bool {
        self.streams.iter().any(|stream| !stream.bars(summary).is_empty())
    }

    pub(crate) fn has_impairments(&self) -> bool {
        self.streams.iter().any(|stream| !stream.impairments().is_empty())
    }

    pub(crate) fn write(&self, summary: &ConferenceSummary, page: &mut Page<'_>) -> io::Result<()> {
        page.blank()?;
        page.heading(&self.title())?;
        let facts = self.facts();
        if !facts.is_empty() {
            page.facts(2, &facts, ", ")?;
        }
        for path in self.fabric.paths.iter().filter(|_| self.fabric.paths.len() > 1) {
            page.facts(2, &path_facts(path), ", ")?;
        }
        let events = events(summary, self.fabric);
        if !events.is_empty() {
            page.facts(2, &events, "; ")?;
        }
        for stream in &self.streams {
            stream.write(summary, page)?;
        }
        Ok(())
    }

    fn title(&self) -> String {
        let fabric = self.fabric;
        let name = if fabric.fabric.is_empty() { "Connection".into() } else { printable(&fabric.fabric) };
        let is_named = |user: &&str| !fabric.fabric.contains(*user);
        let user = fabric.local_user.as_deref().filter(is_named);
        let user = user.map_or(String::new(), |user| format!(" of {}", printable(user)));
        let file = self.file.map_or(String::new(), |file| format!(" in {}", printable(file)));
        let state = fabric.state.map_or("state unknown".into(), |state| spaced(state.name()));
        let mos = fabric.score.mos.map_or(String::new(), |mos| format!(", MOS {mos:.1}"));
        let empty = if self.streams.is_empty() { ", no streams" } else { "" };
        format!("{name}{user}{file}: {state}{mos}{empty}")
    }

    fn facts(&self) -> Vec<String> {
        let fabric = self.fabric;
        let mut facts = Vec::new();
        let lost_s = fabric.connectivity.lost_s;
        if lost_s >= MIN_LOST_S {
            let what = if fabric.setup_delay_ms.is_none() && fabric.failure_reason.is_some() {
                "without connection"
            } else {
                "connection lost"
            };
            facts.push(format!("{what} for {}", duration(lost_s)));
        }
        if fabric.paths.len() > 1 {
            return facts;
        }
        let RttBySource { ice, rtcp, .. } = &fabric.rtt_ms;
        // A round trip by ICE that was measured in less than half of the time says less.
        let is_by_ice = ice.mean.is_some() && (rtcp.mean.is_none() || ice.n.saturating_mul(2) >= fabric.snapshots);
        let rtt = if is_by_ice { ice } else { rtcp };
        if let Stats { mean: Some(rtt), p95, .. } = *rtt {
            let p95 = p95.map_or(String::new(), |p95| format!(" (95 % within {p95:.0} ms)"));
            facts.push(format!("round trip (RTT) {rtt:.0} ms{p95}"));
        }
        if let Some(bps) = fabric.available_outgoing_bps.mean {
            facts.push(format!("estimated uplink {}", bitrate(bps)));
        }
        facts.extend(clock_facts(&fabric.clock));
        facts.extend(fabric.doubted.as_ref().map(doubted));
        facts
    }
}

/// `path T01: connected`, `round trip (RTT) 40 ms`, …: one of several paths.
fn path_facts(path: &PathSummary) -> Vec<String> {
    let name = path.transport.as_deref().map_or("?".into(), printable);
    let state = path.state.map_or("state unknown".into(), |state| spaced(state.name()));
    let mut facts = vec![format!("path {name}: {state}")];
    if let Some(rtt) = path.rtt_ms.mean {
        facts.push(format!("round trip (RTT) {rtt:.0} ms"));
    }
    match (path.relay, path.relayed) {
        (Some(relay), _) => {
            facts.push(format!("relay over {}", relay.name().trim_start_matches("turn/").to_uppercase()));
        }
        (None, Some(true)) => facts.push("relay".into()),
        (None, Some(false)) => facts.push("direct".into()),
        (None, None) => {}
    }
    if let Some(bps) = path.available_outgoing_bps.mean {
        facts.push(format!("estimated uplink {}", bitrate(bps)));
    }
    facts
}

/// What was odd about the reporter's clock, in words.
fn clock_facts(odd: &ClockSummary) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some(ms) = odd.offset_ms {
        let way = if ms > 0.0 { "ahead" } else { "behind" };
        facts.push(format!("its clock is {way} by {}: times are those of arrival", duration(ms.abs() / 1e3)));
    }
    if odd.steps > 0 {
        facts.push(format!("its clock stepped {}", plural(odd.steps, "time")));
    }
    if odd.unit_changes > 0 {
        facts.push("timestamps whose steps cannot be milliseconds: unit taken from arrival".into());
    }
    if odd.untimed > 0 {
        facts.push(format!("{} without a time left out", plural(odd.untimed, "entry")));
    }
    if odd.wild > 0 {
        facts.push(format!("{} with an impossible time left out", plural(odd.wild, "entry")));
    }
    facts
}

/// `0:02 connected after 312 ms`, `0:24 ICE restart`, …: the events of a connection in the order of time. Empty where
/// another connection has the same name and user, since the events do not say which of them they belong to.
fn events(summary: &ConferenceSummary, fabric: &FabricSummary) -> Vec<String> {
    let is_like = |other: &&FabricSummary| (&other.fabric, &other.local_user) == (&fabric.fabric, &fabric.local_user);
    let Some(start) = summary.start_ms.filter(|_| summary.fabrics.iter().filter(is_like).count() == 1) else {
        return Vec::new();
    };
    let is_own =
        |event: &&EventSummary| event.fabric.as_ref() == Some(&fabric.fabric) && event.user == fabric.local_user;
    let mut events: Vec<String> = summary
        .events
        .iter()
        .filter(is_own)
        .filter_map(|event| Some(format!("{} {}", clock(event.t_ms - start), words(event)?)))
        .collect();
    let more = events.len().saturating_sub(MAX_EVENTS) as u64;
    if more > 0 {
        events.truncate(MAX_EVENTS);
        events.push(format!("and {}", plural(more, "later event")));
    }
    events
}

/// `0:03 getUserMedia failed for alice: NotAllowedError, Permission denied (MediaConfigError)`.
pub(crate) fn error(summary: &ConferenceSummary, error: &ErrorSummary) -> String {
    let at = summary.start_ms.map_or(String::new(), |start| format!("{} ", clock(error.t_ms - start)));
    let user = error.user.as_deref().map_or(String::new(), |user| format!(" for {}", printable(user)));
    let details = [error.dom_error.as_deref(), error.message.as_deref()];
    let details: Vec<_> = details.into_iter().flatten().filter(|text| !text.is_empty()).map(printable).collect();
    let colon = if details.is_empty() { "" } else { ": " };
    format!("{at}{} failed{user}{colon}{} ({})", error.function.name(), details.join(", "), error.reason.name())
}

/// An event in words. `None` for an event that other sections report, or that changes no media.
fn words(event: &EventSummary) -> Option<String> {
    let after = event.delay_ms.map_or(String::new(), |ms| {
        if ms < 1e3 { format!(" after {ms:.0} ms") } else { format!(" after {}", duration(ms / 1e3)) }
    });
    let reason = event.reason.map_or(String::new(), |reason| format!(": {}", reason.name()));
    Some(match event.event {
        EventKind::FabricSetup => format!("connected{after}"),
        EventKind::FabricSetupFailed => format!("setup failed{reason}"),
        EventKind::FabricDropped => "connection dropped".into(),
        EventKind::StateRefuted => "stated as failed or closed while packets went on arriving: not believed".into(),
        EventKind::FabricTerminated => "ended".into(),
        EventKind::FabricTransportSwitch => match event.relay {
            Some(relay) => format!("path changed (relay {})", relay.name()),
            None => "path changed".into(),
        },
        EventKind::IceDisruptionStart | EventKind::IceConnectionDisruptionStart => "connection interrupted".into(),
        EventKind::IceDisruptionEnd | EventKind::IceConnectionDisruptionEnd => format!("connection restored{after}"),
        EventKind::IceRestarted => "ICE restart".into(),
        EventKind::IceFailed if event.reason == Some(FailureReason::TransportFailure) => "DTLS failed".into(),
        EventKind::IceFailed => "ICE failed".into(),
        EventKind::IceAborted => "aborted before it connected".into(),
        EventKind::IceTerminated => "closed".into(),
        EventKind::FabricHold => "on hold".into(),
        EventKind::FabricResume => "resumed from hold".into(),
        EventKind::AudioMute => "microphone muted".into(),
        EventKind::AudioUnmute => "microphone unmuted".into(),
        EventKind::VideoPause => "video paused".into(),
        EventKind::VideoResume => "video resumed".into(),
        EventKind::ScreenShareStart => "screen share started".into(),
        EventKind::ScreenShareStop => "screen share stopped".into(),
        EventKind::WebRtcError => format!("error{reason}"),
        _ => return None,
    })
}
