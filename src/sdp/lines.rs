//! Parses a description line by line. It does not relate the lines to each other.

use core::str::SplitAsciiWhitespace;

use super::Codec;
use crate::id::Ssrc;

/// A parsed line. Values are borrowed from the text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SdpLine<'a> {
    /// `m=`: a section begins.
    #[non_exhaustive]
    Media {
        /// `audio`, `video`, `application`, …; empty if the line was abbreviated.
        word: &'a str,
        /// The first port.
        port: u16,
    },
    /// `a=mid:`.
    Mid(&'a str),
    /// `a=sendrecv` and its three siblings.
    Direction(MediaDirection),
    /// `a=msid:`.
    #[non_exhaustive]
    Msid {
        /// The stream; `-` means none.
        stream: &'a str,
        /// The track.
        track: Option<&'a str>,
    },
    /// `a=ssrc:`. A line without an attribute has an empty name, because it still shows that the SSRC exists.
    #[non_exhaustive]
    Ssrc {
        /// The SSRC of the attribute.
        ssrc: Ssrc,
        /// `cname`, `msid`, `mslabel`, `label`, …
        attribute: &'a str,
        /// The text after the colon; empty if there is none.
        value: &'a str,
    },
    /// `a=ssrc-group:`.
    #[non_exhaustive]
    SsrcGroup {
        /// `SIM`, `FID`, `FEC-FR`, …
        semantics: &'a str,
        /// The members: at least one, in order.
        ssrcs: Ssrcs<'a>,
    },
    /// `a=rid:`.
    #[non_exhaustive]
    Rid {
        /// The encoding.
        id: &'a str,
        /// Whether the side that wrote the description sends it.
        sent: bool,
    },
    /// `a=simulcast:`.
    #[non_exhaustive]
    Simulcast {
        /// The value of `send`, if present.
        send: Option<&'a str>,
    },
    /// `a=rtpmap:`.
    Codec(Codec<'a>),
    /// `a=ice-ufrag:`.
    IceUfrag(&'a str),
    /// A malformed line.
    #[non_exhaustive]
    Malformed {
        /// Its number, from 1; empty lines count.
        number: usize,
    },
    /// Any other line.
    Other(&'a str),
}

/// The direction of media, from the point of view of the side that wrote the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // two ways, each on or off
pub enum MediaDirection {
    /// Sends and receives.
    SendRecv,
    /// Sends only.
    SendOnly,
    /// Receives only.
    RecvOnly,
    /// Neither sends nor receives: the section is on hold.
    Inactive,
}

impl MediaDirection {
    /// Whether the side that wrote the description sends.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the side that wrote the description receives.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }
}

/// The members of a group.
#[derive(Clone, Debug)]
pub struct Ssrcs<'a> {
    words: SplitAsciiWhitespace<'a>,
}

impl Iterator for Ssrcs<'_> {
    type Item = Ssrc;

    fn next(&mut self) -> Option<Ssrc> {
        self.words.next().and_then(number).map(Ssrc::new)
    }
}

/// The lines of a text.
#[derive(Clone, Debug)]
pub struct SdpLines<'a> {
    text: &'a [u8],
    pos: usize,
    number: usize,
}

impl<'a> SdpLines<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, pos: 0, number: 0 }
    }

    /// Advances to the next line that begins a section. Returns its position in the text, or the end of the text.
    pub(super) fn next_section(&mut self) -> usize {
        loop {
            let start = self.pos;
            match self.raw() {
                Some(line) if line.starts_with(b"m=") => return start,
                Some(_) => {}
                None => return self.text.len(),
            }
        }
    }

    /// The next line without its terminator; it may be empty.
    fn raw(&mut self) -> Option<&'a [u8]> {
        let rest = self.text.get(self.pos..).filter(|rest| !rest.is_empty())?;
        let len = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        let (line, end) = rest.split_at_checked(len)?;
        self.number += 1;
        self.pos += len + if end.starts_with(b"\r\n") { 2 } else { end.len().min(1) };
        Some(line)
    }
}

impl<'a> Iterator for SdpLines<'a> {
    type Item = SdpLine<'a>;

    fn next(&mut self) -> Option<SdpLine<'a>> {
        loop {
            let line = self.raw()?;
            if !line.is_empty() {
                let line = core::str::from_utf8(line).ok().and_then(parse);
                return Some(line.unwrap_or(SdpLine::Malformed { number: self.number }));
            }
        }
    }
}

/// Parses a line; `None` if it is malformed.
fn parse(line: &str) -> Option<SdpLine<'_>> {
    let (kind, value) = line.split_once('=')?;
    match kind {
        "m" => media(value),
        "a" => attribute(line, value),
        _ => (kind.len() == 1 && kind.bytes().all(|byte| byte.is_ascii_lowercase())).then_some(SdpLine::Other(line)),
    }
}

/// `audio 9 UDP/TLS/RTP/SAVPF 111 63`; the port may be `9/2`.
fn media(value: &str) -> Option<SdpLine<'_>> {
    if value.is_empty() {
        return Some(SdpLine::Media { word: "", port: 9 });
    }
    let mut words = value.split_ascii_whitespace();
    let word = words.next()?;
    let port = words.next()?.split('/').next()?;
    let port = number(port).and_then(|port| u16::try_from(port).ok())?;
    // The transport and one format.
    words.nth(1).map(|_| SdpLine::Media { word, port })
}

fn attribute<'a>(line: &'a str, value: &'a str) -> Option<SdpLine<'a>> {
    let Some((name, value)) = value.split_once(':') else {
        return Some(match value {
            "sendrecv" => SdpLine::Direction(MediaDirection::SendRecv),
            "sendonly" => SdpLine::Direction(MediaDirection::SendOnly),
            "recvonly" => SdpLine::Direction(MediaDirection::RecvOnly),
            "inactive" => SdpLine::Direction(MediaDirection::Inactive),
            _ => return (!is_read(value) && !value.is_empty()).then_some(SdpLine::Other(line)),
        });
    };
    match name {
        "mid" => token(value).map(SdpLine::Mid),
        "ice-ufrag" => token(value).map(SdpLine::IceUfrag),
        "msid" => msid(value).map(|(stream, track)| SdpLine::Msid { stream, track }),
        "ssrc" => ssrc(value),
        "ssrc-group" => ssrc_group(value),
        "rid" => rid(value),
        "simulcast" => simulcast(value),
        "rtpmap" => rtpmap(value).map(SdpLine::Codec),
        _ => (!name.is_empty()).then_some(SdpLine::Other(line)),
    }
}

/// Whether the attribute is one that requires a value.
fn is_read(name: &str) -> bool {
    matches!(name, "mid" | "ice-ufrag" | "msid" | "ssrc" | "ssrc-group" | "rid" | "simulcast" | "rtpmap")
}

/// The value, if it is a single word.
fn token(value: &str) -> Option<&str> {
    let mut words = value.split_ascii_whitespace();
    words.next().filter(|_| words.next().is_none())
}

/// `stream` or `stream track`.
pub(super) fn msid(value: &str) -> Option<(&str, Option<&str>)> {
    let mut words = value.split_ascii_whitespace();
    Some((words.next()?, words.next()))
}

/// `7 cname:x`.
fn ssrc(value: &str) -> Option<SdpLine<'_>> {
    let value = value.trim_ascii();
    let (ssrc, attribute) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    let ssrc = Ssrc::new(number(ssrc)?);
    let attribute = attribute.trim_ascii();
    let (attribute, value) = attribute.split_once(':').unwrap_or((attribute, ""));
    Some(SdpLine::Ssrc { ssrc, attribute, value: value.trim_ascii() })
}

/// `FID 7 8`.
fn ssrc_group(value: &str) -> Option<SdpLine<'_>> {
    let mut words = value.split_ascii_whitespace();
    let semantics = words.next()?;
    let mut members = words.clone();
    let well_formed =
        members.next().is_some_and(|first| number(first).is_some()) && members.all(|member| number(member).is_some());
    well_formed.then_some(SdpLine::SsrcGroup { semantics, ssrcs: Ssrcs { words } })
}

/// `h send max-width=1280`.
fn rid(value: &str) -> Option<SdpLine<'_>> {
    let mut words = value.split_ascii_whitespace();
    let id = words.next()?;
    match words.next()? {
        "send" => Some(SdpLine::Rid { id, sent: true }),
        "recv" => Some(SdpLine::Rid { id, sent: false }),
        _ => None,
    }
}

/// `send h;l recv h`, either part alone, in any order.
fn simulcast(value: &str) -> Option<SdpLine<'_>> {
    let mut words = value.split_ascii_whitespace();
    let mut send = None;
    let mut parts = 0;
    while let Some(way) = words.next() {
        let layers = words.next().filter(|layers| layers.split([';', ',']).all(|id| !id.is_empty() && id != "~"))?;
        match way {
            "send" if send.is_none() => send = Some(layers),
            "recv" => {}
            _ => return None,
        }
        parts += 1;
    }
    (parts > 0).then_some(SdpLine::Simulcast { send })
}

/// `111 opus/48000/2`.
fn rtpmap(value: &str) -> Option<Codec<'_>> {
    let mut words = value.split_ascii_whitespace();
    let payload_type = number(words.next()?).and_then(|number| u8::try_from(number).ok()).filter(|&it| it < 128)?;
    let mut parts = words.next()?.split('/');
    let name = parts.next().filter(|name| !name.is_empty())?;
    Some(Codec { payload_type, name, clock_rate: number(parts.next()?)? })
}

/// A decimal number without a sign, up to 2³²−1.
fn number(text: &str) -> Option<u32> {
    // `parse` would accept a sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
