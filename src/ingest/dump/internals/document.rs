//! Indexes the series of a webrtc-internals dump. It leaves their values unread.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};

use crate::ingest::error::ReadError;
use crate::ingest::getstats::fill;
use crate::ingest::getstats::json::{Cursor, Next, RawStr, members};
use crate::ingest::getstats::key::{self, KEYS, Key, NO_KEY, Target};
use crate::ingest::unread::Unread;
use crate::report::StatsType;
use crate::unit::StatTime;

/// A whole dump.
#[derive(Default)]
pub(super) struct Document<'a> {
    pub(super) connections: Vec<Connection<'a>>,
    /// Before the array of `getUserMedia` and `getDisplayMedia` requests.
    pub(super) captures: Option<Cursor<'a>>,
    /// The major version of the Chrome that wrote the dump.
    pub(super) chrome: Option<u32>,
}

/// One PeerConnection.
pub(super) struct Connection<'a> {
    /// Its key in the dump, such as `8-1`.
    pub(super) name: Cow<'a, str>,
    pub(super) elements: Vec<Element<'a>>,
    /// Before the value of the configuration.
    pub(super) configuration: Option<Cursor<'a>>,
    /// Before the array of the log.
    pub(super) log: Option<Cursor<'a>>,
}

/// The series of one stats entry.
pub(super) struct Element<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) kind: StatsType,
    /// The `timestamp` series.
    pub(super) clock: Option<Series<'a>>,
    /// The series of known members, each member once.
    pub(super) members: Vec<Series<'a>>,
    /// The first series of an unknown member: it still shows when the entry existed.
    pub(super) unread: Option<Series<'a>>,
}

/// One member over time.
pub(super) struct Series<'a> {
    key: Key,
    pub(super) target: Target,
    /// `startTime` and `endTime`: the entry's time at the first and the last value, truncated to milliseconds.
    pub(super) span: Option<(f64, f64)>,
    values: Values<'a>,
}

/// The text of a JSON array.
enum Values<'a> {
    Plain(&'a str),
    Escaped(RawStr<'a>),
    /// A range of the connection's unescaped text.
    Unescaped(Range<usize>),
}

impl Connection<'_> {
    /// Resolves the escapes of all values that have any, into the returned text.
    pub(super) fn unescape(&mut self) -> String {
        let mut text = String::new();
        for element in &mut self.elements {
            for series in element.members.iter_mut().chain(&mut element.clock).chain(&mut element.unread) {
                if let Values::Escaped(raw) = series.values {
                    let start = text.len();
                    raw.append_to(&mut text);
                    series.values = Values::Unescaped(start..text.len());
                }
            }
        }
        text
    }
}

impl Series<'_> {
    /// The JSON array with the values; `text` is the result of [`Connection::unescape`].
    pub(super) fn values<'t>(&'t self, text: &'t str) -> &'t str {
        match &self.values {
            Values::Plain(values) => values,
            Values::Escaped(_) => "",
            Values::Unescaped(range) => text.get(range.clone()).unwrap_or(""),
        }
    }
}

/// Reads the document. Counts well-formed but unusable parts in `skipped`.
pub(super) fn read<'a>(
    cursor: &mut Cursor<'a>,
    skipped: &mut u64,
    unread: &mut Unread,
) -> Result<Document<'a>, ReadError> {
    let mut document = Document::default();
    let mut names = HashSet::new();
    members(cursor, |cursor, key, next| {
        if key.is("getUserMedia") && next == Next::Array {
            document.captures = Some(cursor.clone());
            return cursor.skip();
        }
        if key.is("UserAgent") && next == Next::Str {
            document.chrome = cursor.string("a user agent")?.plain().and_then(chrome_version);
            return Ok(());
        }
        if !key.is("PeerConnections") || next != Next::Object {
            return cursor.skip();
        }
        members(cursor, |cursor, key, next| {
            let name = text_of(key);
            if next != Next::Object || !names.insert(name.clone()) {
                *skipped += 1;
                return cursor.skip();
            }
            document.connections.push(connection(cursor, name, skipped, unread)?);
            Ok(())
        })
    })?;
    cursor.end()?;
    Ok(document)
}

/// The major version in a user agent: 134 of `… Chrome/134.0.0.0 Safari/537.36`.
fn chrome_version(user_agent: &str) -> Option<u32> {
    let (_, version) = user_agent.split_once("Chrome/")?;
    version.split('.').next()?.parse().ok()
}

fn connection<'a>(
    cursor: &mut Cursor<'a>,
    name: Cow<'a, str>,
    skipped: &mut u64,
    unread: &mut Unread,
) -> Result<Connection<'a>, ReadError> {
    let mut elements: Vec<Element<'a>> = Vec::new();
    let (mut configuration, mut log) = (None, None);
    let mut places = HashMap::new();
    members(cursor, |cursor, key, next| {
        match (key.plain().unwrap_or(""), next) {
            ("stats", Next::Object) => {}
            ("rtcConfiguration", _) => {
                configuration = Some(cursor.clone());
                return cursor.skip();
            }
            ("updateLog", Next::Array) => {
                log = Some(cursor.clone());
                return cursor.skip();
            }
            _ => return cursor.skip(),
        }
        members(cursor, |cursor, key, next| {
            let name = text_of(key);
            if name.contains("-[") {
                return cursor.skip();
            }
            let (Some((id, property)), Next::Object) = (split(name), next) else {
                *skipped += 1;
                return cursor.skip();
            };
            let place = match places.entry(id) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    elements.push(Element::new(entry.key().clone()));
                    *entry.insert(elements.len() - 1)
                }
            };
            match elements.get_mut(place) {
                Some(element) => {
                    let key = key::find(&property);
                    element.read(cursor, key.unwrap_or(NO_KEY), skipped)?;
                    if key.is_none() && element.kind != StatsType::Other && !key::is_unused(&property) {
                        unread.members.add(&property);
                    }
                    Ok(())
                }
                None => cursor.skip(),
            }
        })
    })?;
    if elements.iter().any(|element| element.kind.is_rtp()) {
        elements.retain(|element| !element.kind.is_legacy());
    }
    Ok(Connection { name, elements, configuration, log })
}

impl<'a> Element<'a> {
    fn new(id: Cow<'a, str>) -> Self {
        let kind = kind_of_id(&id);
        Self { id, kind, clock: None, members: Vec::new(), unread: None }
    }

    /// Reads one series of the entry. Of two with the same name, the first one counts.
    fn read(&mut self, cursor: &mut Cursor<'a>, key: Key, skipped: &mut u64) -> Result<(), ReadError> {
        let mut values = None;
        let (mut start, mut end) = (None, None);
        members(cursor, |cursor, key, next| {
            match (key.plain().unwrap_or(""), next) {
                ("values", Next::Str) => {
                    let raw = cursor.string("values")?;
                    values = Some(raw.plain().map_or(Values::Escaped(raw), Values::Plain));
                }
                ("values", Next::Array) => {
                    let from = cursor.pos;
                    cursor.skip()?;
                    values = Some(Values::Plain(cursor.since(from)));
                }
                ("values", _) => {
                    *skipped += 1;
                    cursor.skip()?;
                }
                ("startTime", Next::Str | Next::Number) => start = time(cursor)?,
                ("endTime", Next::Str | Next::Number) => end = time(cursor)?,
                ("statsType", Next::Str) => {
                    let kind = fill::type_of_name(&text_of(cursor.string("a type")?));
                    if kind != StatsType::Other {
                        self.kind = kind;
                    }
                }
                _ => cursor.skip()?,
            }
            Ok(())
        })?;
        // The page writes `{}` for a series without values.
        let Some(values) = values else { return Ok(()) };
        let target = KEYS.get(usize::from(key)).map(|known| known.target).unwrap_or(Target::Skip);
        let series = Series { key, target, span: start.zip(end), values };
        match target {
            Target::Timestamp if self.clock.is_none() => self.clock = Some(series),
            // Known from `statsType` and the key.
            Target::Type | Target::Id => {}
            Target::Skip | Target::Inline => _ = self.unread.get_or_insert(series),
            Target::Timestamp => *skipped += 1,
            _ if self.members.iter().any(|known| known.key == key) => *skipped += 1,
            _ => self.members.push(series),
        }
        Ok(())
    }
}

/// Splits `<id>-<member>`. Ids may contain hyphens; members of the table never do.
fn split(name: Cow<'_, str>) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    match name {
        Cow::Borrowed(name) => name.rsplit_once('-').map(|(id, property)| (id.into(), property.into())),
        Cow::Owned(name) => {
            name.rsplit_once('-').map(|(id, property)| (Cow::Owned(id.into()), Cow::Owned(property.into())))
        }
    }
}

fn text_of(raw: RawStr<'_>) -> Cow<'_, str> {
    raw.plain().map_or_else(
        || {
            let mut text = String::new();
            raw.append_to(&mut text);
            Cow::Owned(text)
        },
        Cow::Borrowed,
    )
}

/// A time as ISO 8601 or in milliseconds.
fn time(cursor: &mut Cursor<'_>) -> Result<Option<f64>, ReadError> {
    let time = if cursor.next()? == Next::Number {
        StatTime::from_millis(cursor.number()?)
    } else {
        fill::parse_time(&text_of(cursor.string("a time")?))
    };
    Ok(time.map(StatTime::as_millis))
}

/// The type, from Chromium's naming of entries, for dumps without `statsType`.
fn kind_of_id(id: &str) -> StatsType {
    const PREFIXES: &[(&str, StatsType)] = &[
        ("ssrc_", StatsType::LegacySsrc),
        ("Conn-", StatsType::LegacyCandidatePair),
        ("Channel-", StatsType::LegacyComponent),
        ("bweforvideo", StatsType::LegacyBwe),
        ("googTrack_", StatsType::LegacyTrack),
        ("googLibjingleSession_", StatsType::LegacySession),
        ("googCertificate_", StatsType::LegacyCertificate),
        ("RTCInboundRTP", StatsType::InboundRtp),
        ("RTCOutboundRTP", StatsType::OutboundRtp),
        ("RTCRemoteInboundRtp", StatsType::RemoteInboundRtp),
        ("RTCRemoteOutboundRTP", StatsType::RemoteOutboundRtp),
        ("RTCTransport_", StatsType::Transport),
        ("RTCIceCandidatePair_", StatsType::CandidatePair),
        ("RTCCodec_", StatsType::Codec),
        ("RTCMediaStreamTrack_", StatsType::Track),
        ("RTCMediaStream_", StatsType::Stream),
        ("RTCAudioSource_", StatsType::MediaSource),
        ("RTCVideoSource_", StatsType::MediaSource),
        ("RTCPeerConnection", StatsType::PeerConnection),
        ("RTCDataChannel_", StatsType::DataChannel),
        ("RTCCertificate_", StatsType::Certificate),
    ];
    PREFIXES.iter().find(|(prefix, _)| id.starts_with(prefix)).map_or(StatsType::Other, |&(_, kind)| kind)
}
