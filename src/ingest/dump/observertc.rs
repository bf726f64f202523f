//! Reads ObserveRTC client samples (`ClientSample` of github.com/ObserveRTC/schemas, 3.3.0): one per line, one per
//! document, or any number in an array. It reads their stats, events and identities, and nothing else.
//!
//! A sample holds several connections; each becomes one snapshot with the sample's time. The array that contains an
//! entry defines its type, so entries have no `type`, and candidates do not show whether they are local or remote. The
//! reader derives that, in this order, from the pairs that reference them, from the transport's user name fragment,
//! from members that only local candidates have, and from candidates with the same user name fragment. It omits and
//! counts candidates that remain unknown.
//!
//! Log events (`clientEvents`) since the previous sample come before the snapshots. The client's identity comes before
//! them, whenever it differs from that in the previous sample.

use alloc::string::String;
use alloc::vec::Vec;
use hashbrown::HashMap;

use crate::ingest::error::ReadError;
use crate::ingest::getstats::json::{Cursor, Next, RawStr, members};
use crate::ingest::getstats::skip_entry;
use crate::ingest::getstats::{fill, fold};
use crate::ingest::log::{Identity, LogEventKind};
use crate::ingest::sink::{ReadState, Sink};
use crate::report::{Report, RowId, StatsType, Text};
use crate::unit::StatTime;

/// The arrays of a connection, and the type of their entries.
const ARRAYS: &[(&str, StatsType)] = &[
    ("inboundRtps", StatsType::InboundRtp),
    ("outboundRtps", StatsType::OutboundRtp),
    ("remoteInboundRtps", StatsType::RemoteInboundRtp),
    ("remoteOutboundRtps", StatsType::RemoteOutboundRtp),
    ("mediaSources", StatsType::MediaSource),
    ("mediaPlayouts", StatsType::MediaPlayout),
    ("codecs", StatsType::Codec),
    ("peerConnectionTransports", StatsType::PeerConnection),
    ("dataChannels", StatsType::DataChannel),
    ("iceTransports", StatsType::Transport),
    ("iceCandidatePairs", StatsType::CandidatePair),
    ("iceCandidates", StatsType::Other),
    ("certificates", StatsType::Certificate),
];

pub(in crate::ingest) fn read(
    state: &mut ReadState,
    identity: &mut (String, String),
    cursor: &mut Cursor<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    // Nothing is returned of a truncated record.
    if cursor.next()? != Next::Array {
        let sample = ClientSample::find(cursor)?;
        cursor.end()?;
        return sample.hand_out(state, identity, sink);
    }
    let mut whole = cursor.clone();
    whole.skip()?;
    whole.end()?;
    cursor.expect(b'[', "`[`")?;
    let mut first = true;
    while cursor.more(&mut first, b']')? {
        let is_read = cursor.read_or_skip(|cursor| ClientSample::find(cursor)?.hand_out(state, identity, sink))?;
        state.skipped.entries += u64::from(!is_read);
    }
    Ok(())
}

/// Where the parts of a sample are.
#[derive(Default)]
struct ClientSample<'a> {
    at: Option<StatTime>,
    call: Option<RawStr<'a>>,
    client: Option<RawStr<'a>>,
    /// Before the arrays.
    events: Option<Cursor<'a>>,
    connections: Option<Cursor<'a>>,
}

impl<'a> ClientSample<'a> {
    /// Passes one sample.
    fn find(cursor: &mut Cursor<'a>) -> Result<Self, ReadError> {
        let mut sample = Self::default();
        members(cursor, |cursor, key, next| {
            match (key.plain().unwrap_or(""), next) {
                ("timestamp", Next::Number) => sample.at = StatTime::from_unknown(cursor.number()?),
                ("timestamp", Next::Str) => sample.at = cursor.string("a time")?.plain().and_then(fill::parse_time),
                ("callId", Next::Str) => sample.call = Some(cursor.string("a call")?),
                ("clientId", Next::Str) => sample.client = Some(cursor.string("a client")?),
                ("clientEvents", Next::Array) => {
                    sample.events = Some(cursor.clone());
                    cursor.skip()?;
                }
                ("peerConnections", Next::Array) => {
                    sample.connections = Some(cursor.clone());
                    cursor.skip()?;
                }
                _ => cursor.skip()?,
            }
            Ok(())
        })?;
        Ok(sample)
    }

    fn hand_out(
        self,
        state: &mut ReadState,
        identity: &mut (String, String),
        sink: &mut Sink<'_>,
    ) -> Result<(), ReadError> {
        let Self { at, call, client, events, connections } = self;
        if let (None, Some(call)) = (&state.conference, call) {
            let mut buffer = String::new();
            state.conference = Some(call.get(&mut buffer).into());
        }
        if sink.wants_log_events {
            identify(state, identity, call, client, at, sink);
            if let Some(mut events) = events {
                events_of(state, &mut events, at, sink);
            }
        }
        let Some(mut connections) = connections else { return Ok(()) };
        connections.expect(b'[', "`[`")?;
        let mut first = true;
        while connections.more(&mut first, b']')? {
            let is_read = connections.read_or_skip(|cursor| connection(state, cursor, at, sink))?;
            state.skipped.entries += u64::from(!is_read);
        }
        Ok(())
    }
}

/// Returns the client's identity if it has changed.
fn identify(
    state: &mut ReadState,
    (known_call, known_client): &mut (String, String),
    call: Option<RawStr<'_>>,
    client: Option<RawStr<'_>>,
    at: Option<StatTime>,
    sink: &mut Sink<'_>,
) {
    let (mut call_text, mut client_text) = (String::new(), String::new());
    let call = call.map(|call| call.get(&mut call_text)).filter(|call| !call.is_empty());
    let client = client.map(|client| client.get(&mut client_text)).filter(|client| !client.is_empty());
    if call.is_none_or(|call| call == known_call) && client.is_none_or(|client| client == known_client) {
        return;
    }
    for (known, named) in [(known_call, call), (known_client, client)] {
        if let Some(named) = named {
            known.clear();
            known.push_str(named);
        }
    }
    let what = LogEventKind::Identity(Identity { conference: call, endpoint: client, ..Identity::default() });
    state.event("", at, what, sink);
}

/// Returns the events of a sample. An unreadable one affects nothing else.
fn events_of(state: &mut ReadState, events: &mut Cursor<'_>, at: Option<StatTime>, sink: &mut Sink<'_>) {
    if each_event(state, events, at, sink).is_err() {
        state.unknown_events += 1;
    }
}

fn each_event(
    state: &mut ReadState,
    events: &mut Cursor<'_>,
    at: Option<StatTime>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    events.expect(b'[', "`[`")?;
    let mut first = true;
    while events.more(&mut first, b']')? {
        let is_read = events.read_or_skip(|cursor| event(state, cursor, at, sink))?;
        state.unknown_events += u64::from(!is_read);
    }
    Ok(())
}

/// Reads one event, `{"type", "payload", "timestamp"}`; the payload may be JSON in a string.
fn event(
    state: &mut ReadState,
    cursor: &mut Cursor<'_>,
    of_sample: Option<StatTime>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let (mut kind, mut payload, mut at) = (None, None, None);
    members(cursor, |cursor, key, next| {
        match (key.plain().unwrap_or(""), next) {
            ("type", Next::Str) => kind = cursor.string("a type")?.plain(),
            ("payload", Next::Object | Next::Str) => {
                payload = Some(cursor.clone());
                cursor.skip()?;
            }
            ("timestamp", Next::Number) => at = StatTime::from_unknown(cursor.number()?),
            _ => cursor.skip()?,
        }
        Ok(())
    })?;
    let mut text = String::new();
    let mut buffer = String::new();
    let payload = match payload {
        Some(mut payload) if payload.clone().next()? == Next::Str => {
            Some(Cursor::of(payload.string("a payload")?.get(&mut text)))
                .filter(|payload| payload.clone().skip().is_ok())
        }
        payload => payload,
    };
    let mut fabric = None;
    if let Some(mut payload) = payload.clone() {
        members(&mut payload, |cursor, key, next| {
            if key.is("peerConnectionId") && next == Next::Str {
                fabric = Some(cursor.string("a connection")?);
                return Ok(());
            }
            cursor.skip()
        })?;
    }
    let fabric = fabric.map_or("", |fabric| fabric.get(&mut buffer));
    state.log(fabric, at.or(of_sample), kind.unwrap_or(""), payload, sink);
    Ok(())
}

/// Reads one connection of a sample; ignores it if it has no stats.
fn connection(
    state: &mut ReadState,
    cursor: &mut Cursor<'_>,
    at: Option<StatTime>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let mut fabric = None;
    let mut found = false;
    state.report.clear();
    state.scanner.is_list = true;
    cursor.expect(b'{', "`{`")?;
    let mut first = true;
    while cursor.more(&mut first, b'}')? {
        let key = cursor.key()?;
        let next = cursor.next()?;
        let array = ARRAYS.iter().find(|(name, _)| key.is(name));
        match (array, next) {
            (Some(&(_, kind)), Next::Array) => {
                entries(state, cursor, kind)?;
                found = true;
            }
            (None, Next::Str) if key.is("peerConnectionId") => fabric = Some(cursor.string("a connection")?),
            _ => cursor.skip()?,
        }
    }
    if !found {
        return Ok(());
    }
    assign_sides(&mut state.report);
    fold::fold(&mut state.report, &mut state.scanner.unread);
    let mut buffer = String::new();
    let fabric = fabric.map_or("", |fabric| fabric.get(&mut buffer));
    state.hand_out(fabric, at, sink);
    Ok(())
}

fn entries(state: &mut ReadState, cursor: &mut Cursor<'_>, kind: StatsType) -> Result<(), ReadError> {
    cursor.expect(b'[', "`[`")?;
    let mut first = true;
    while cursor.more(&mut first, b']')? {
        match cursor.next()? {
            Next::Object => state.scanner.entry_of(cursor, &mut state.report, kind, "")?,
            _ => skip_entry(cursor, &mut state.report)?,
        }
    }
    Ok(())
}

/// Assigns the local or remote type to candidates, which have no type in the input.
fn assign_sides(report: &mut Report) {
    for (row, side) in sides(report) {
        report.row_mut(row).set_kind(side);
    }
}

/// The rows without a type whose side can be derived.
fn sides(report: &Report) -> Vec<(RowId, StatsType)> {
    const LOCAL: StatsType = StatsType::LocalCandidate;
    const REMOTE: StatsType = StatsType::RemoteCandidate;
    let mut of_id: HashMap<&str, StatsType> = HashMap::new();
    let mut of_fragment: HashMap<&str, StatsType> = HashMap::new();
    for pair in report.of(StatsType::CandidatePair) {
        for (field, side) in [(Text::LocalCandidateId, LOCAL), (Text::RemoteCandidateId, REMOTE)] {
            if let Some(id) = pair.text(field) {
                of_id.entry(id).or_insert(side);
            }
        }
    }
    for transport in report.of(StatsType::Transport) {
        if let Some(fragment) = transport.text(Text::IceLocalUsernameFragment) {
            of_fragment.insert(fragment, LOCAL);
        }
    }
    let mut sides = Vec::new();
    let mut unknown = Vec::new();
    for (row, entry) in report.row_ids().zip(report.entries()).filter(|(_, entry)| entry.kind() == StatsType::Other) {
        let fragment = entry.text(Text::UsernameFragment);
        let only_local = [Text::RelayProtocol, Text::NetworkType].iter().any(|&field| entry.text(field).is_some());
        let side = of_id.get(entry.id()).copied();
        let side = side.or_else(|| of_fragment.get(fragment?).copied()).or_else(|| only_local.then_some(LOCAL));
        match side {
            Some(side) => {
                sides.push((row, side));
                if let Some(fragment) = fragment {
                    of_fragment.entry(fragment).or_insert(side);
                }
            }
            None => unknown.push((row, fragment)),
        }
    }
    for (row, fragment) in unknown {
        if let Some(&side) = fragment.and_then(|fragment| of_fragment.get(fragment)) {
            sides.push((row, side));
        }
    }
    sides
}
