//! What happened to a connection, in one line of the text report.

use std::fmt::Write;

use callgauge::event::EventKind;
use callgauge::summary::{ConferenceSummary, ErrorSummary, EventSummary, FabricSummary};

use crate::wording::{clock, duration, printable};

/// How many things one line tells.
const MOST: usize = 8;

/// `0:02 connected after 312 ms; 0:24 ICE restart`. `None` where nothing is known that is worth a line, and where
/// another connection has the same name and user, so that nobody can tell to which of them it happened.
pub(crate) fn line(summary: &ConferenceSummary, fabric: &FabricSummary) -> Option<String> {
    let is_like = |other: &&FabricSummary| (&other.fabric, &other.local_user) == (&fabric.fabric, &fabric.local_user);
    if summary.fabrics.iter().filter(is_like).count() != 1 {
        return None;
    }
    let start = summary.start_ms?;
    let of_fabric =
        |event: &&EventSummary| event.fabric.as_ref() == Some(&fabric.fabric) && event.user == fabric.local_user;
    let told: Vec<String> = summary
        .events
        .iter()
        .filter(of_fabric)
        .filter_map(|event| Some(format!("{} {}", clock(event.t_ms - start), words(event)?)))
        .collect();
    let mut line = told.get(..MOST.min(told.len()))?.join("; ");
    if told.len() > MOST {
        write!(line, "; and {} more", told.len() - MOST).ok()?;
    }
    (!line.is_empty()).then_some(line)
}

/// `0:03 getUserMedia failed for alice: NotAllowedError, Permission denied (MediaConfigError)`.
pub(crate) fn error(summary: &ConferenceSummary, error: &ErrorSummary) -> String {
    let at = summary.start_ms.map_or(String::new(), |start| format!("{} ", clock(error.t_ms - start)));
    let whom = error.user.as_deref().map_or(String::new(), |user| format!(" for {}", printable(user)));
    let what = [error.dom_error.as_deref(), error.message.as_deref()];
    let what: Vec<_> = what.into_iter().flatten().filter(|text| !text.is_empty()).map(printable).collect();
    let colon = if what.is_empty() { "" } else { ": " };
    format!("{at}{} failed{whom}{colon}{} ({})", error.function.name(), what.join(", "), error.reason.name())
}

/// What happened, in a support engineer's words. `None` for what is told elsewhere or concerns nobody's ears and eyes.
fn words(event: &EventSummary) -> Option<String> {
    let after = event.delay_ms.map_or(String::new(), |ms| {
        if ms < 1e3 { format!(" after {ms:.0} ms") } else { format!(" after {}", duration(ms / 1e3)) }
    });
    let why = event.reason.map_or(String::new(), |reason| format!(": {}", reason.name()));
    Some(match event.event {
        EventKind::FabricSetup => format!("connected{after}"),
        EventKind::FabricSetupFailed => format!("could not be set up{why}"),
        EventKind::FabricDropped => "dropped".into(),
        EventKind::FabricTerminated => "ended".into(),
        EventKind::FabricTransportSwitch => match event.relay {
            Some(relay) => format!("another path, by {}", relay.name()),
            None => "another path".into(),
        },
        EventKind::IceDisruptionStart | EventKind::IceConnectionDisruptionStart => "disrupted".into(),
        EventKind::IceDisruptionEnd | EventKind::IceConnectionDisruptionEnd => format!("back{after}"),
        EventKind::IceRestarted => "ICE restart".into(),
        EventKind::IceFailed => "ICE failed".into(),
        EventKind::IceAborted => "given up before it was connected".into(),
        EventKind::IceTerminated => "closed".into(),
        EventKind::FabricHold => "on hold".into(),
        EventKind::FabricResume => "resumed".into(),
        EventKind::AudioMute => "microphone muted".into(),
        EventKind::AudioUnmute => "microphone on".into(),
        EventKind::VideoPause => "camera paused".into(),
        EventKind::VideoResume => "camera on".into(),
        EventKind::ScreenShareStart => "screen shared".into(),
        EventKind::ScreenShareStop => "screen no longer shared".into(),
        EventKind::WebRtcError => format!("error{why}"),
        _ => return None,
    })
}
