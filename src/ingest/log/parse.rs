//! Parses one log line into events, with the vocabulary that all formats share. It does not find lines or times.
//!
//! A value may be JSON, JSON in a string, once or twice, or the `name: value` text of older webrtc-internals dumps
//! (Chromium 134). The value itself shows which. See the table at [`LogEventKind`].

use alloc::string::String;

use super::event::{Configuration, Description, Identity, LogEventKind, SdpSide, Track};
use crate::id::{MediaKind, Ssrc};
use crate::ingest::error::ReadError;
use crate::ingest::getstats::json::{Cursor, Next, RawStr, members};

/// Buffers for text with escapes, reused to save allocations.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Scratch {
    /// The content of a value in a string.
    outer: String,
    parts: [String; 6],
}

/// The value of a line.
#[derive(Clone, Debug)]
enum LogValue<'v> {
    Json(Cursor<'v>),
    Text(&'v str),
    None,
}

/// A member of an object.
#[derive(Clone, Debug)]
enum Field<'v> {
    Str(RawStr<'v>),
    Number(&'v str),
    True,
    Nested(Cursor<'v>),
}

/// Callback that receives the events.
type EachLogEvent<'h> = dyn FnMut(LogEventKind<'_>) + 'h;

/// Calls `each` for every event of a line: none, one, or one for each of several tracks. Returns false if the line's
/// kind is unknown or its value does not fit.
pub(in crate::ingest) fn parse(
    method: &str,
    value: Option<Cursor<'_>>,
    scratch: &mut Scratch,
    each: &mut EachLogEvent<'_>,
) -> bool {
    let Scratch { outer, parts } = scratch;
    let value = LogValue::of(value, outer);
    match method {
        "create" | "PEER_CONNECTION_OPENED" => each(LogEventKind::Created(configuration(value, parts))),
        "close" | "PEER_CONNECTION_CLOSED" => each(LogEventKind::Closed),
        "oniceconnectionstatechange"
        | "iceconnectionstatechange"
        | "iceConnectionStateChange"
        | "iceConnectionState"
        | "ICE_CONNECTION_STATE_CHANGED" => {
            return word(value, "iceConnectionState", parts, |it| each(LogEventKind::IceConnectionState(it)));
        }
        "onicegatheringstatechange"
        | "icegatheringstatechange"
        | "iceGatheringStateChange"
        | "iceGatheringState"
        | "ICE_GATHERING_STATE_CHANGED" => {
            return word(value, "iceGatheringState", parts, |it| each(LogEventKind::IceGatheringState(it)));
        }
        "onsignalingstatechange"
        | "signalingstatechange"
        | "signalingStateChange"
        | "signalingState"
        | "SIGNALING_STATE_CHANGE" => {
            return word(value, "signalingState", parts, |it| each(LogEventKind::SignalingState(it)));
        }
        "onconnectionstatechange" | "connectionstatechange" | "connectionState" | "PEER_CONNECTION_STATE_CHANGED" => {
            return word(value, "connectionState", parts, |it| each(LogEventKind::ConnectionState(it)));
        }
        "ondtlsstatechange" | "dtlsState" => {
            return word(value, "dtlsState", parts, |it| each(LogEventKind::DtlsState(it)));
        }
        "onnegotiationneeded" | "negotiationneeded" | "NEGOTIATION_NEEDED" => each(LogEventKind::NegotiationNeeded),
        "restartIce" => each(LogEventKind::IceRestart),
        "createOfferOnSuccess" | "createAnswerOnSuccess" => {
            let description = description(value, parts);
            if description.sdp.is_some() {
                each(LogEventKind::DescriptionCreated(description));
            }
        }
        "setLocalDescription" | "setRemoteDescription" => {
            let description = description(value, parts);
            each(LogEventKind::DescriptionSet { side: side(method), description });
        }
        // After a call without arguments, only the success line has the description.
        "setLocalDescriptionOnSuccess" | "setRemoteDescriptionOnSuccess" => {
            let description = description(value, parts);
            if description.sdp.is_some() {
                each(LogEventKind::DescriptionSet { side: side(method), description });
            }
        }
        "onicecandidateerror" | "icecandidateerror" | "ICE_CANDIDATE_ERROR" => each(candidate_error(value, parts)),
        "addTrack" | "addStream" => {
            return tracks(value, parts, |track| each(LogEventKind::TrackAdded { side: Some(SdpSide::Local), track }));
        }
        "ontrack" | "track" => {
            return tracks(value, parts, |track| each(LogEventKind::TrackAdded { side: Some(SdpSide::Remote), track }));
        }
        "MEDIA_TRACK_ADDED" => {
            return tracks(value, parts, |track| each(LogEventKind::TrackAdded { side: None, track }));
        }
        "removeTrack" | "removeStream" => return tracks(value, parts, |track| each(LogEventKind::TrackRemoved(track))),
        "onended" | "track.stop" | "MEDIA_TRACK_REMOVED" => {
            return tracks(value, parts, |track| each(LogEventKind::TrackEnded(track)));
        }
        "onmute" | "mute" | "MEDIA_TRACK_MUTED" | "PRODUCER_PAUSED" | "CONSUMER_PAUSED" => {
            return tracks(value, parts, |track| each(LogEventKind::Muted(track)));
        }
        "onunmute" | "unmute" | "MEDIA_TRACK_UNMUTED" | "PRODUCER_RESUMED" | "CONSUMER_RESUMED" => {
            return tracks(value, parts, |track| each(LogEventKind::Unmuted(track)));
        }
        "setVideoType" => return video_type(value, parts, each),
        "dominantSpeaker" => each(dominant_speaker(value, parts)),
        "CLIENT_JOINED" => each(LogEventKind::Joined),
        "CLIENT_LEFT" => each(LogEventKind::Left),
        "identity" => {
            let identity = identity(value, parts);
            if identity != Identity::default() {
                each(LogEventKind::Identity(identity));
            }
        }
        _ => {
            let function = method.rsplit('.').next().unwrap_or(method);
            if let "getUserMediaOnSuccess" | "getDisplayMediaOnSuccess" = function {
                let display = function.starts_with("getDisplay");
                return tracks(value, parts, |track| each(LogEventKind::Captured { display, track }));
            }
            if let Some(function) = function.strip_suffix("OnFailure").or_else(|| function.strip_suffix("Failed")) {
                let (name, message) = error(value, parts);
                each(LogEventKind::Failed { function, name, message });
            } else if !SILENT.contains(&function) {
                return false;
            }
        }
    }
    true
}

/// The identity in an `identity` line.
pub(in crate::ingest) fn identify<'t>(value: Option<Cursor<'t>>, scratch: &'t mut Scratch) -> Identity<'t> {
    let Scratch { outer, parts } = scratch;
    identity(LogValue::of(value, outer), parts)
}

/// Known kinds without an event here, by the last part of their names.
const SILENT: &[&str] = &[
    "addIceCandidate",
    "addIceCandidateOnSuccess",
    "addTransceiver",
    "answer",
    "applyConstraints",
    "conferenceStartTimestamp",
    "connectionInfo",
    "constraints",
    "CONSUMER_ADDED",
    "CONSUMER_REMOVED",
    "createAnswer",
    "createDataChannel",
    "createOffer",
    "datachannel",
    "e2eRtt",
    "enumerateDevices",
    "faceLandmarks",
    "getDisplayMedia",
    "getUserMedia",
    "ICE_CANDIDATE",
    "icecandidate",
    // The standard's line for the same change follows.
    "iceconnectionstatechange (legacy)",
    "offer",
    "onaddstream",
    "ondatachannel",
    "ondevicechange",
    "onicecandidate",
    "onremovestream",
    "PRODUCER_ADDED",
    "PRODUCER_REMOVED",
    "replaceTrack",
    "resize",
    "setCodecPreferences",
    "setConfiguration",
    "setHeaderExtensionsToNegotiate",
    "setParameters",
    "transceiverAdded",
    "transceiverModified",
];

impl<'v> LogValue<'v> {
    /// Resolves strings around JSON into `outer`.
    fn of(value: Option<Cursor<'v>>, outer: &'v mut String) -> Self {
        let Some(mut value) = value else { return Self::None };
        match value.next() {
            Ok(Next::Str) => {
                let Ok(raw) = value.string("a value") else { return Self::None };
                let text = raw.get(outer);
                let mut inner = Cursor::of(text);
                match inner.peek() {
                    None => Self::None,
                    Some(b'{' | b'[' | b'"') if is_json(inner.clone()) => Self::Json(inner),
                    Some(_) => Self::Text(text),
                }
            }
            Ok(Next::Object | Next::Array | Next::Number) => Self::Json(value),
            _ => Self::None,
        }
    }

    /// The text, if the value is text.
    fn text(self, part: &'v mut String) -> Option<&'v str> {
        let text = match self {
            Self::Text(text) => text,
            Self::Json(mut value) if value.clone().next() == Ok(Next::Str) => value.string("a text").ok()?.get(part),
            _ => return None,
        };
        non_empty(text)
    }

    /// The members with these names, if the value has members.
    fn fields<const N: usize>(self, names: [&str; N]) -> Option<[Option<Field<'v>>; N]> {
        match self {
            Self::Json(mut cursor) => fields(&mut cursor, names).ok(),
            _ => None,
        }
    }
}

impl<'v> Field<'v> {
    /// The text, or a number as written.
    fn text(self, part: &'v mut String) -> Option<&'v str> {
        let text = match self {
            Self::Str(raw) => raw.get(part),
            Self::Number(number) => number,
            _ => return None,
        };
        non_empty(text)
    }
}

/// Whether an object, array or string is JSON, and not page text, whose names have no quotes.
fn is_json(mut value: Cursor<'_>) -> bool {
    value.clone().skip().is_ok() && (!value.eat(b'{') || matches!(value.peek(), Some(b'"' | b'}')))
}

/// The members of an object, or of the object at the start of an array; the first one of each name.
fn fields<'v, const N: usize>(cursor: &mut Cursor<'v>, names: [&str; N]) -> Result<[Option<Field<'v>>; N], ReadError> {
    let mut found = [const { None }; N];
    if cursor.next()? == Next::Array {
        cursor.expect(b'[', "`[`")?;
    }
    members(cursor, |cursor, key, next| {
        let field = match next {
            Next::Str => Field::Str(cursor.string("a text")?),
            Next::Number => {
                let start = cursor.pos;
                cursor.number()?;
                Field::Number(cursor.since(start))
            }
            Next::True => {
                cursor.word()?;
                Field::True
            }
            Next::Object | Next::Array => {
                let nested = cursor.clone();
                cursor.skip()?;
                Field::Nested(nested)
            }
            _ => return cursor.skip(),
        };
        if let Some(place) = names.iter().position(|name| key.is(name)) {
            found.get_mut(place).map(|it| it.get_or_insert(field));
        }
        Ok(())
    })?;
    Ok(found)
}

/// The value of `name` in text such as `{ name: value, other: value }`, or in text with one pair per line.
fn named<'v>(text: &'v str, name: &str) -> Option<&'v str> {
    let mut rest = text.trim().trim_start_matches('{').trim_end_matches('}').trim();
    loop {
        if let Some(value) = rest.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")) {
            let end = value.find('\n').or_else(|| value.find(", ")).unwrap_or(value.len());
            return value.get(..end).map(str::trim).filter(|value| !value.is_empty());
        }
        let line = rest.find('\n').map(|at| at + 1);
        let at = line.or_else(|| rest.find(", ").map(|at| at + 2))?;
        rest = rest.get(at..)?;
    }
}

fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Parses a state, given directly or as a member.
fn word(value: LogValue<'_>, name: &str, parts: &mut [String; 6], each: impl FnOnce(&str)) -> bool {
    let [part, ..] = parts;
    let text = match value.clone().fields(["state", name]) {
        Some([state, named]) => state.or(named).and_then(|field| field.text(part)),
        None => value.text(part),
    };
    text.is_some_and(|text| {
        each(text);
        true
    })
}

const fn side(method: &str) -> SdpSide {
    // `setLocal…` or `setRemote…`
    match method.as_bytes() {
        [_, _, _, b'L', ..] => SdpSide::Local,
        _ => SdpSide::Remote,
    }
}

fn configuration<'v>(value: LogValue<'v>, parts: &'v mut [String; 6]) -> Configuration<'v> {
    let [transport, bundle, ..] = parts;
    match value {
        LogValue::Text(text) => Configuration {
            ice_transport_policy: named(text, "iceTransportPolicy").or_else(|| named(text, "iceTransports")),
            bundle_policy: named(text, "bundlePolicy"),
        },
        value => {
            let [ice, legacy, policy] =
                value.fields(["iceTransportPolicy", "iceTransports", "bundlePolicy"]).unwrap_or_default();
            Configuration {
                ice_transport_policy: ice.or(legacy).and_then(|field| field.text(transport)),
                bundle_policy: policy.and_then(|field| field.text(bundle)),
            }
        }
    }
}

fn description<'v>(value: LogValue<'v>, parts: &'v mut [String; 6]) -> Description<'v> {
    let [kind_part, sdp_part, ..] = parts;
    let text = match value.clone().fields(["type", "sdp"]) {
        Some([kind, sdp]) => {
            let kind = kind.and_then(|field| field.text(kind_part));
            return Description { kind, sdp: sdp.and_then(|field| field.text(sdp_part)) };
        }
        None => value.text(sdp_part).unwrap_or(""),
    };
    match text.strip_prefix("type: ").and_then(|rest| rest.split_once(", sdp: ")) {
        Some((kind, sdp)) => Description { kind: non_empty(kind), sdp: non_empty(sdp) },
        None => Description { kind: None, sdp: Some(text).filter(|text| text.starts_with("v=")) },
    }
}

/// The name and the message of an error.
fn error<'v>(value: LogValue<'v>, parts: &'v mut [String; 6]) -> (Option<&'v str>, Option<&'v str>) {
    let [name_part, message_part, ..] = parts;
    if let Some([name, message, error, text]) = value.clone().fields(["name", "message", "error", "error_message"]) {
        let (name, message) = (name.or(error), message.or(text));
        return (name.and_then(|it| it.text(name_part)), message.and_then(|it| it.text(message_part)));
    }
    let Some(text) = value.text(message_part) else { return (None, None) };
    match text.split_once(": ") {
        Some((name, message)) if is_error_name(name) => (Some(name), non_empty(message)),
        _ if is_error_name(text) => (Some(text), None),
        _ => (None, Some(text)),
    }
}

fn is_error_name(word: &str) -> bool {
    word.ends_with("Error") && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn candidate_error<'v>(value: LogValue<'v>, parts: &'v mut [String; 6]) -> LogEventKind<'v> {
    let [code_part, text_part, url_part, ..] = parts;
    let (code, text, url) = match value {
        LogValue::Text(text) => (named(text, "error_code"), named(text, "error_text"), named(text, "url")),
        value => {
            let names = ["errorCode", "error_code", "errorText", "error_text", "url"];
            let [code, old_code, text, old_text, url] = value.fields(names).unwrap_or_default();
            (
                code.or(old_code).and_then(|field| field.text(code_part)),
                text.or(old_text).and_then(|field| field.text(text_part)),
                url.and_then(|field| field.text(url_part)),
            )
        }
    };
    LogEventKind::IceCandidateError { code: code.and_then(|code| code.parse().ok()), text, url }
}

fn video_type(value: LogValue<'_>, parts: &mut [String; 6], each: &mut EachLogEvent<'_>) -> bool {
    let [ssrc_part, type_part, ..] = parts;
    let [ssrc, shows] = value.fields(["ssrc", "videoType"]).unwrap_or_default();
    let ssrc = ssrc.and_then(|field| field.text(ssrc_part)?.parse().ok()).map(Ssrc::new);
    let Some(shows) = shows.and_then(|field| field.text(type_part)) else { return false };
    each(LogEventKind::VideoType { ssrc, shows });
    true
}

fn dominant_speaker<'v>(value: LogValue<'v>, parts: &'v mut [String; 6]) -> LogEventKind<'v> {
    let [part, ..] = parts;
    let (endpoint, silence) = match value.clone().fields(["dominantSpeakerEndpoint", "silence"]) {
        Some([endpoint, silence]) => {
            let silence = match silence {
                Some(Field::True) => true,
                Some(Field::Str(word)) => word.is("true"),
                _ => false,
            };
            (endpoint.and_then(|field| field.text(part)), silence)
        }
        None => (value.text(part), false),
    };
    LogEventKind::DominantSpeaker { endpoint: endpoint.filter(|&endpoint| endpoint != "null"), silence }
}

fn identity<'v>(value: LogValue<'v>, parts: &'v mut [String; 6]) -> Identity<'v> {
    let [user_part, name_part, endpoint_part, conference_part, session_part, application_part] = parts;
    let names = ["userId", "displayName", "endpointId", "confName", "meetingUniqueId", "sessionId", "applicationName"];
    let [user, display_name, endpoint, conference, meeting, session, application] =
        value.fields(names).unwrap_or_default();
    Identity {
        user: user.and_then(|field| field.text(user_part)),
        display_name: display_name.and_then(|field| field.text(name_part)),
        endpoint: endpoint.and_then(|field| field.text(endpoint_part)),
        conference: conference.and_then(|field| field.text(conference_part)),
        session: meeting.or(session).and_then(|field| field.text(session_part)),
        application: application.and_then(|field| field.text(application_part)),
    }
}

/// Calls `each` with every track of a value. Returns whether there was one.
fn tracks(value: LogValue<'_>, parts: &mut [String; 6], mut each: impl FnMut(Track<'_>)) -> bool {
    let [part, parts @ ..] = parts;
    let mut any = false;
    let mut found = |track: Track<'_>| {
        any = true;
        each(track);
    };
    match value {
        LogValue::Text(text) => tracks_of_text(text, &mut found),
        LogValue::Json(mut cursor) if cursor.clone().next() == Ok(Next::Str) => {
            if let Ok(raw) = cursor.string("tracks") {
                tracks_of_text(raw.get(part), &mut found);
            }
        }
        // An unreadable track ends the list; the tracks before it were returned.
        LogValue::Json(mut cursor) => drop(tracks_of_json(&mut cursor, parts, 0, &mut found)),
        LogValue::None => {}
    }
    any
}

/// `audio:<id> stream:<id>`, or `<stream> audio:<id>,video:<id>`, or an id alone.
fn tracks_of_text(text: &str, each: &mut dyn FnMut(Track<'_>)) {
    let words = text.split([' ', ',', ';']).filter(|word| !word.is_empty() && *word != "-" && *word != "null");
    let stream = words.clone().find_map(|word| word.strip_prefix("stream:"));
    let first = words.clone().next();
    let stream = stream.or_else(|| first.filter(|word| kind_and_id(word).is_none()));
    let mut any = false;
    for (kind, id) in words.filter_map(kind_and_id) {
        any = true;
        each(Track { kind: Some(kind), id: Some(id), mid: None, stream });
    }
    if let (false, Some(id)) = (any, first) {
        each(Track { id: Some(id), ..Track::default() });
    }
}

fn kind_and_id(word: &str) -> Option<(MediaKind, &str)> {
    let (kind, id) = word.split_once(':')?;
    Some((kind_of(kind)?, id))
}

fn kind_of(word: &str) -> Option<MediaKind> {
    match word {
        "audio" => Some(MediaKind::Audio),
        "video" => Some(MediaKind::Video),
        _ => None,
    }
}

/// `{"kind", "id", …}`, `{"tracks": [{…}, …]}`, `["audio", id, …]`, or an array of these.
fn tracks_of_json(
    cursor: &mut Cursor<'_>,
    parts: &mut [String; 5],
    depth: u8,
    each: &mut dyn FnMut(Track<'_>),
) -> Result<(), ReadError> {
    const DEEPEST: u8 = 3;
    match cursor.next()? {
        Next::Object => {
            let names = ["kind", "id", "trackId", "mid", "streams", "tracks"];
            let [kind, id, track_id, mid, streams, tracks] = fields(cursor, names)?;
            if let (Some(Field::Nested(mut tracks)), true) = (tracks, depth < DEEPEST) {
                return tracks_of_json(&mut tracks, parts, depth + 1, each);
            }
            let [id_part, mid_part, stream_part, kind_part, _] = parts;
            let kind = kind.and_then(|kind| kind_of(kind.text(kind_part)?));
            let id = track_id.or(id).and_then(|field| field.text(id_part));
            let mid = mid.and_then(|field| field.text(mid_part));
            let stream = streams.and_then(first_of).map(|stream| stream.get(stream_part));
            if kind.is_some() || id.is_some() {
                each(Track { kind, id, mid, stream: stream.filter(|stream| !stream.is_empty()) });
            }
        }
        Next::Array => {
            cursor.expect(b'[', "`[`")?;
            let mut first = true;
            let mut kind = None;
            while cursor.more(&mut first, b']')? {
                match (cursor.next()?, kind) {
                    (Next::Str, None) => {
                        let [part, ..] = &mut *parts;
                        kind = kind_of(cursor.string("a kind")?.get(part));
                        if kind.is_none() {
                            return Ok(());
                        }
                    }
                    (Next::Str, Some(_)) => {
                        let [part, ..] = &mut *parts;
                        let id = Some(cursor.string("an id")?.get(part));
                        each(Track { kind, id, ..Track::default() });
                        return Ok(());
                    }
                    (Next::Object | Next::Array, None) if depth < DEEPEST => {
                        let mut inside = cursor.clone();
                        cursor.skip()?;
                        tracks_of_json(&mut inside, parts, depth + 1, each)?;
                    }
                    _ => cursor.skip()?,
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// The text at the start of an array.
fn first_of(array: Field<'_>) -> Option<RawStr<'_>> {
    let Field::Nested(mut array) = array else { return None };
    array.expect(b'[', "`[`").ok()?;
    (array.next() == Ok(Next::Str)).then(|| array.string("a stream").ok()).flatten()
}
