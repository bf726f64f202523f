//! Detects the format of a record from its content, and the framing of a file from its first line. It reads no values.

use super::error::{ReadError, ReadErrorKind};
use super::getstats::json::{Cursor, Next};
use super::names::REPORTS;
use core::fmt;

/// A supported input format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One getStats report.
    GetStats,
    /// One snapshot per line, with its time and connection.
    Ndjson,
    /// A webrtc-internals dump.
    WebrtcInternals,
    /// An rtcstats dump (version 3, or Chrome's own export).
    Rtcstats,
    /// rtcstats lines of versions 1 and 2.
    RtcstatsLegacy,
    /// rtcstats lines as stored by jitsi's server.
    Jitsi,
    /// ObserveRTC client samples.
    ObserveRtc,
    /// The snapshots of a call in one JSON document.
    Collection,
}

impl Format {
    /// The name used in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GetStats => "getstats",
            Self::Ndjson => "ndjson",
            Self::WebrtcInternals => "webrtc-internals",
            Self::Rtcstats => "rtcstats",
            Self::RtcstatsLegacy => "rtcstats-legacy",
            Self::Jitsi => "jitsi",
            Self::ObserveRtc => "observertc",
            Self::Collection => "collection",
        }
    }
}

/// Data that is no text in UTF-8, recognised by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// Text in UTF-16, which PowerShell's `>` writes.
    Utf16,
    /// Text in UTF-32.
    Utf32,
    /// A gzip file (RFC 1952).
    Gzip,
    /// A zip archive.
    Zip,
    /// Zstandard (RFC 8878).
    Zstandard,
    /// A bzip2 file.
    Bzip2,
    /// An xz file.
    Xz,
    /// A PDF document.
    Pdf,
    /// A page in HTML.
    Html,
}

impl Foreign {
    /// Recognises data by its first bytes, of which four suffice except for HTML. `None` for anything else.
    #[must_use]
    pub fn of(start: &[u8]) -> Option<Self> {
        Some(match start {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Self::Utf32,
            // With a byte order mark, or ASCII in every other byte.
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'[' | b'{', 0, _, 0, ..] | [0, b'[' | b'{', 0, _, ..] => {
                Self::Utf16
            }
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstandard,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', ..] => Self::Xz,
            [b'%', b'P', b'D', b'F', ..] => Self::Pdf,
            _ if is_html(start) => Self::Html,
            _ => return None,
        })
    }

    const fn description(self) -> &'static str {
        match self {
            Self::Utf16 => {
                "text in UTF-16, not UTF-8: convert it (in PowerShell, write it with `Out-File -Encoding utf8`)"
            }
            Self::Utf32 => "text in UTF-32, not UTF-8: convert it",
            Self::Gzip => "gzip data: unpack it",
            Self::Zip => "a zip archive: unpack it",
            Self::Zstandard => "zstd data: unpack it",
            Self::Bzip2 => "bzip2 data: unpack it",
            Self::Xz => "xz data: unpack it",
            Self::Pdf => "a PDF document, not JSON",
            Self::Html => "an HTML page, not JSON",
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

fn is_html(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    [&b"<!doctype"[..], b"<html"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|found| found.eq_ignore_ascii_case(tag)))
}

/// How a file is divided into records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// Every line is a record.
    Lines,
    /// The file is one record.
    Document,
}

/// The framing of a file, from its first line: a first line that is complete in itself starts a line format. (A
/// document on one line is then a file of one record, with the same result.)
#[must_use]
pub fn framing(first_line: &[u8]) -> Framing {
    let Ok(mut cursor) = Cursor::new(first_line) else { return Framing::Lines };
    if is_rtcstats_header(&cursor) || cursor.skip().is_ok() { Framing::Lines } else { Framing::Document }
}

/// Whether this is the first line of an rtcstats dump, which is not JSON.
pub(super) fn is_rtcstats_header(cursor: &Cursor<'_>) -> bool {
    cursor.bytes().get(cursor.pos..).is_some_and(|rest| rest.trim_ascii() == b"RTCStatsDump")
}

/// The format of the record at `cursor`; `before` is that of the records before it.
pub(super) fn sniff(cursor: &mut Cursor<'_>, before: Option<Format>) -> Result<Format, ReadError> {
    if is_rtcstats_header(cursor) {
        return Ok(Format::Rtcstats);
    }
    // Among the lines of a call, other JSON describes the client or the servers, whatever its shape.
    if let Some(before @ (Format::Rtcstats | Format::Jitsi)) = before {
        return Ok(before);
    }
    match cursor.next()? {
        Next::Object => sniff_object(cursor, before),
        Next::Array => sniff_array(cursor, before),
        _ if before == Some(Format::RtcstatsLegacy) => Ok(Format::RtcstatsLegacy),
        Next::Str => Ok(Format::GetStats),
        _ => Err(ReadError::new(cursor.pos, ReadErrorKind::UnknownFormat)),
    }
}

fn sniff_object(cursor: &mut Cursor<'_>, before: Option<Format>) -> Result<Format, ReadError> {
    cursor.expect(b'{', "`{`")?;
    let mut describes_client = false;
    let mut first = true;
    while cursor.more(&mut first, b'}')? {
        let key = cursor.key()?;
        let next = cursor.next()?;
        match (key.plain().unwrap_or(""), next) {
            (name, Next::Object | Next::Array | Next::Str) if REPORTS.contains(&name) => return Ok(Format::Ndjson),
            ("PeerConnections" | "getUserMedia", _) => return Ok(Format::WebrtcInternals),
            ("peerConnections", Next::Array) | ("clientId" | "callId", Next::Str) => return Ok(Format::ObserveRtc),
            ("fileFormat", Next::Number) => {
                return Ok(if cursor.number()? < 3.0 { Format::RtcstatsLegacy } else { Format::Rtcstats });
            }
            ("recorder" | "event", Next::Number | Next::Str) => return Ok(Format::Ndjson),
            ("result", Next::Array) => return Ok(Format::GetStats),
            ("UserAgentData" | "attachments" | "extensionStats", _) => cursor.skip()?,
            (_, Next::Object) if !describes_client && before != Some(Format::RtcstatsLegacy) => {
                return Ok(Format::GetStats);
            }
            ("userAgent" | "origin", Next::Str) => {
                describes_client = true;
                cursor.skip()?;
            }
            _ => cursor.skip()?,
        }
    }
    match before {
        Some(before) => Ok(before),
        // An empty report.
        None if first => Ok(Format::GetStats),
        None if describes_client => Ok(Format::RtcstatsLegacy),
        None => Err(ReadError::new(cursor.pos, ReadErrorKind::UnknownFormat)),
    }
}

fn sniff_array(cursor: &mut Cursor<'_>, before: Option<Format>) -> Result<Format, ReadError> {
    cursor.expect(b'[', "`[`")?;
    if cursor.eat(b']') {
        // An empty report, unless the records are arrays.
        return Ok(before.filter(|before| !matches!(before, Format::Ndjson)).unwrap_or(Format::GetStats));
    }
    let next = cursor.next()?;
    let start = cursor.pos;
    let format = match next {
        // A numeric or short method name occurs only in rtcstats; a long name also starts a jitsi line.
        Next::Number => {
            cursor.skip()?;
            Format::Rtcstats
        }
        Next::Str if cursor.string("a method")?.is("g") => Format::Rtcstats,
        Next::Str if before == Some(Format::RtcstatsLegacy) => return Ok(Format::RtcstatsLegacy),
        Next::Str => Format::Jitsi,
        Next::Object if is_client_sample(cursor) == Ok(true) => return Ok(Format::ObserveRtc),
        _ => return Ok(Format::GetStats),
    };
    // Require a method, a connection and a value: a shorter record must not decide the format of the following ones.
    for _ in 0..2 {
        if !cursor.more(&mut false, b']')? {
            return Err(ReadError::new(start, ReadErrorKind::UnknownFormat));
        }
        cursor.skip()?;
    }
    Ok(format)
}

/// Whether the object at `cursor` is an ObserveRTC sample and not a stats entry.
fn is_client_sample(cursor: &mut Cursor<'_>) -> Result<bool, ReadError> {
    cursor.expect(b'{', "`{`")?;
    let mut first = true;
    while cursor.more(&mut first, b'}')? {
        let key = cursor.key()?;
        match (key.plain().unwrap_or(""), cursor.next()?) {
            ("peerConnections", Next::Array) | ("clientId" | "callId", Next::Str) => return Ok(true),
            ("id" | "type" | "key", _) => return Ok(false),
            _ => cursor.skip()?,
        }
    }
    Ok(false)
}
