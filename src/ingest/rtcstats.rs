//! rtcstats dumps of version 3 (github.com/rtcstats/rtcstats), and Chrome's own export, which is the same container
//! around whole reports.
//!
//! The first line is `RTCStatsDump`, the second an object that describes the client, and every other an array
//! `[method, connection, value, …, Δ ms]`: its time is the sum of the steps so far, of which the first is the time since
//! 1970. Methods are names or numbers, members of stats too ([`super::key`]), and reports are differences
//! ([`super::delta`]).
//!
//! A line that cannot be read loses its time step too: what follows is earlier by that much until the dump ends.

use alloc::string::String;

use super::delta::Dialect;
use super::error::ReadError;
use super::json::Cursor;
use super::{Out, Reader, lines, sniff};
use crate::unit::StatTime;

pub(super) fn read(reader: &mut Reader, cursor: &mut Cursor<'_>, out: &mut Out<'_>) -> Result<(), ReadError> {
    if sniff::is_rtcstats_header(cursor) {
        // Another dump may follow in the same file.
        reader.lines.clock = 0.0;
        reader.lines.bases.clear();
        return Ok(());
    }
    let mut buffer = String::new();
    let Some(line) = lines::parse(reader, cursor, &mut buffer)? else { return Ok(()) };
    // A step out of all time is none: it must not take the times of all other lines with it.
    if let Some(at) = line.last.and_then(|step| StatTime::from_millis(reader.lines.clock + step)) {
        reader.lines.clock = at.as_millis();
    }
    let at = StatTime::from_millis(reader.lines.clock);
    if line.method == "create" {
        reader.lines.bases.forget(line.fabric);
    }
    lines::hand_out(reader, &line, at, Dialect::Rtcstats, out);
    Ok(())
}

/// The method behind a numeric code; empty for a code that is not known.
pub(super) fn method_name(code: f64) -> &'static str {
    METHODS.iter().find(|&&(known, _)| f64::from(known) == code).map_or("", |&(_, name)| name)
}

/// The methods behind rtcstats' numeric codes (`compression.js`).
static METHODS: &[(u8, &str)] = &[
    (1, "getStats"),
    (39, "create"),
    (36, "close"),
    (2, "createOffer"),
    (3, "createOfferOnSuccess"),
    (4, "createAnswer"),
    (5, "createAnswerOnSuccess"),
    (6, "setLocalDescription"),
    (7, "setLocalDescriptionOnSuccess"),
    (8, "setRemoteDescription"),
    (9, "setRemoteDescriptionOnSuccess"),
    (10, "addIceCandidate"),
    (11, "addIceCandidateOnSuccess"),
    (12, "createOfferOnFailure"),
    (13, "createAnswerOnFailure"),
    (14, "setLocalDescriptionOnFailure"),
    (15, "setRemoteDescriptionOnFailure"),
    (16, "addIceCandidateOnFailure"),
    (20, "onicecandidate"),
    (21, "onicecandidateerror"),
    (22, "ontrack"),
    (23, "onsignalingstatechange"),
    (24, "oniceconnectionstatechange"),
    (25, "onconnectionstatechange"),
    (26, "onicegatheringstatechange"),
    (27, "onnegotiationneeded"),
    (28, "ondatachannel"),
    (30, "addTrack"),
    (32, "addTransceiver"),
    (34, "removeTrack"),
    (35, "createDataChannel"),
    (37, "restartIce"),
    (38, "setConfiguration"),
    (40, "constraints"),
    (41, "setCodecPreferences"),
    (42, "setHeaderExtensionsToNegotiate"),
    (50, "setParameters"),
    (51, "replaceTrack"),
    (60, "navigator.mediaDevices.getUserMedia"),
    (61, "navigator.mediaDevices.getUserMediaOnSuccess"),
    (63, "navigator.mediaDevices.getDisplayMedia"),
    (64, "navigator.mediaDevices.getDisplayMediaOnSuccess"),
    (65, "navigator.mediaDevices.getUserMediaOnFailure"),
    (66, "navigator.mediaDevices.enumerateDevices"),
    (67, "navigator.mediaDevices.ondevicechange"),
    (68, "navigator.mediaDevices.getDisplayMediaOnFailure"),
    (70, "track.stop"),
    (71, "applyConstraints"),
    (72, "onended"),
    (73, "onmute"),
    (74, "onunmute"),
    (80, "HTMLMediaElement.resize"),
];
