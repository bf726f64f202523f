//! Session descriptions: what an offer or answer says of the streams that its side will send.
//!
//! Reads what an SSRC map needs and steps over the rest: media sections with their `mid`, direction, `msid`, `rid`s,
//! codecs and `ice-ufrag`; the attributes and groups of SSRCs. [`Sdp::lines`] takes the text apart line by line,
//! [`Sdp::sections`] looks at one `m=` section at a time, [`Sdp::streams`] says of every SSRC what it carries and which
//! one it follows. The first two allocate nothing; all take time in proportion to the text.
//!
//! Grammars: RFC 8866 (SDP), 5576 (`ssrc`, `ssrc-group`), 8830 (`msid`), 8851 (`rid`), 8853 (`simulcast`), 8839
//! (`ice-ufrag`), 9143 (`mid`).
//!
//! Any text is answered. Lines may end in CRLF, LF or CR. A line that breaks its grammar is skipped and counted
//! ([`Sdp::malformed`]); one of a kind that is not read is only stepped over. Of a property that may stand once in a
//! section the first counts. A bare `v=` or `m=` is no flaw: rtcstats abbreviates parts that are as they were, and such
//! a section is one of which nothing is known.
//!
//! ```
//! use callgauge::id::{MediaKind, Ssrc};
//! use callgauge::sdp::Sdp;
//!
//! let sdp = Sdp::new("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:1\r\na=msid:stream camera\r\n\
//!     a=ssrc-group:FID 7 8\r\na=ssrc:7 cname:x\r\na=ssrc:8 cname:x\r\n");
//! let retransmissions = sdp.streams().into_iter().find(|stream| stream.ssrc == Ssrc::new(8)).unwrap();
//! assert_eq!(retransmissions.primary, Ssrc::new(7));
//! assert_eq!((retransmissions.media, retransmissions.mid), (Some(MediaKind::Video), Some("1")));
//! assert_eq!(retransmissions.track, Some("camera"));
//! ```

mod lines;
mod streams;

pub use lines::{Line, Lines, MediaDirection, Ssrcs};
pub use streams::{MAX_STREAMS, Role, Stream};

use crate::id::{MediaKind, Ssrc};
use alloc::vec::Vec;

/// The text of a session description.
#[derive(Clone, Copy, Debug)]
pub struct Sdp<'a> {
    text: &'a [u8],
}

/// One `m=` section.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a> {
    /// Its place among the sections, from 0: what ICE candidates call `sdpMLineIndex`.
    pub index: usize,
    /// From the `m=` line on.
    text: &'a [u8],
    session: Session<'a>,
}

/// What holds for a section that does not say otherwise.
#[derive(Clone, Copy, Debug, Default)]
struct Session<'a> {
    direction: Option<MediaDirection>,
    ice_ufrag: Option<&'a str>,
}

/// A payload type and what it carries (`a=rtpmap`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Codec<'a> {
    /// 0 to 127.
    pub payload_type: u8,
    /// The encoding name, such as `opus`, `VP8`, `rtx`, `red`, `ulpfec`; case as written.
    pub name: &'a str,
    /// Hz.
    pub clock_rate: u32,
}

/// What was wrong with a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Malformed {
    /// Lines that break their grammar and were skipped.
    pub lines: usize,
    /// The number of the first of them, from 1.
    pub first: Option<usize>,
}

impl<'a> Sdp<'a> {
    /// Any text or bytes. Lines that are not UTF-8 are malformed.
    #[must_use]
    pub fn new(text: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { text: text.as_ref() }
    }

    /// Every line in order, without the empty ones.
    #[must_use]
    pub fn lines(self) -> Lines<'a> {
        Lines::new(self.text)
    }

    /// The media sections in order.
    #[must_use]
    pub fn sections(self) -> Sections<'a> {
        let mut lines = self.lines();
        let start = lines.next_section();
        let (before, rest) = self.text.split_at_checked(start).unwrap_or((self.text, &[]));
        let mut session = Session::default();
        for line in Lines::new(before) {
            match line {
                Line::Direction(direction) => _ = session.direction.get_or_insert(direction),
                Line::IceUfrag(ufrag) => _ = session.ice_ufrag.get_or_insert(ufrag),
                _ => {}
            }
        }
        Sections { session, rest, index: 0 }
    }

    /// Every SSRC that is mentioned, with what it carries; see [`Stream`]. Time and memory grow with the text.
    #[must_use]
    pub fn streams(self) -> Vec<Stream<'a>> {
        streams::of(self.sections())
    }

    /// The ICE user name fragment: that of the session, else of the first section that has one. When it changes between
    /// two descriptions of one side, ICE was restarted (RFC 8839, 4.4.1.1.1).
    #[must_use]
    pub fn ice_ufrag(self) -> Option<&'a str> {
        self.lines().find_map(|line| if let Line::IceUfrag(ufrag) = line { Some(ufrag) } else { None })
    }

    /// How many lines were skipped because they break their grammar, and where the first stands.
    #[must_use]
    pub fn malformed(self) -> Malformed {
        let mut malformed = Malformed::default();
        for line in self.lines() {
            if let Line::Malformed { number } = line {
                malformed.lines += 1;
                malformed.first.get_or_insert(number);
            }
        }
        malformed
    }
}

/// The media sections of a description.
#[derive(Clone, Debug)]
pub struct Sections<'a> {
    session: Session<'a>,
    /// From the next `m=` line on.
    rest: &'a [u8],
    index: usize,
}

impl<'a> Iterator for Sections<'a> {
    type Item = Section<'a>;

    fn next(&mut self) -> Option<Section<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut lines = Lines::new(self.rest);
        lines.next();
        let (text, rest) = self.rest.split_at_checked(lines.next_section())?;
        self.rest = rest;
        let index = self.index;
        self.index += 1;
        Some(Section { index, text, session: self.session })
    }
}

impl<'a> Section<'a> {
    /// Its lines, the `m=` line first.
    #[must_use]
    pub fn lines(self) -> Lines<'a> {
        Lines::new(self.text)
    }

    /// The first line of a section that `pick` finds something in.
    fn first<T>(self, pick: impl FnMut(Line<'a>) -> Option<T>) -> Option<T> {
        self.lines().find_map(pick)
    }

    /// The word for what it carries: `audio`, `video`, `application`, …; empty when the line was abbreviated.
    #[must_use]
    pub fn word(self) -> &'a str {
        self.first(|line| if let Line::Media { word, .. } = line { Some(word) } else { None }).unwrap_or("")
    }

    /// The kind of media; `None` for data and for what is not known.
    #[must_use]
    pub fn media(self) -> Option<MediaKind> {
        match self.word() {
            "audio" => Some(MediaKind::Audio),
            "video" => Some(MediaKind::Video),
            _ => None,
        }
    }

    /// Whether its port is 0: it is refused, stopped, or carried by the section that it is bundled with.
    #[must_use]
    pub fn has_no_port(self) -> bool {
        self.first(|line| if let Line::Media { port, .. } = line { Some(port == 0) } else { None }).unwrap_or(false)
    }

    /// Its identification tag.
    #[must_use]
    pub fn mid(self) -> Option<&'a str> {
        self.first(|line| if let Line::Mid(mid) = line { Some(mid) } else { None })
    }

    /// Which way media may flow, seen from the side that wrote the description: its own attribute, else the session's,
    /// else `sendrecv` (RFC 8866, 6.7).
    #[must_use]
    pub fn direction(self) -> MediaDirection {
        self.first(|line| if let Line::Direction(direction) = line { Some(direction) } else { None })
            .or(self.session.direction)
            .unwrap_or(MediaDirection::SendRecv)
    }

    /// The stream and, where given, the track that it sends. A stream of `-` is none.
    #[must_use]
    pub fn msid(self) -> Option<(&'a str, Option<&'a str>)> {
        self.first(|line| if let Line::Msid { stream, track } = line { Some((stream, track)) } else { None })
    }

    /// Its ICE user name fragment, else the session's.
    #[must_use]
    pub fn ice_ufrag(self) -> Option<&'a str> {
        self.first(|line| if let Line::IceUfrag(ufrag) = line { Some(ufrag) } else { None }).or(self.session.ice_ufrag)
    }

    /// The ids of the encodings that it sends (`a=rid:… send`), in the order of the text.
    pub fn sent_rids(self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.lines().filter_map(|line| if let Line::Rid { id, sent: true } = line { Some(id) } else { None })
    }

    /// The ids of the simulcast layers that it sends, best first as the side prefers them (`a=simulcast:send …`); of
    /// alternatives (`1,2`) each, without the mark of a layer that starts paused (`~`).
    pub fn simulcast(self) -> impl Iterator<Item = &'a str> + use<'a> {
        let layers = self.first(|line| if let Line::Simulcast { send } = line { send } else { None });
        layers.into_iter().flat_map(|layers| layers.split([';', ','])).map(|id| id.strip_prefix('~').unwrap_or(id))
    }

    /// Its payload types and what they carry. Those for retransmission and repair are named `rtx`, `red`, `ulpfec`,
    /// `flexfec` or `flexfec-03`.
    pub fn codecs(self) -> impl Iterator<Item = Codec<'a>> + use<'a> {
        self.lines().filter_map(|line| if let Line::Codec(codec) = line { Some(codec) } else { None })
    }

    /// The attributes of SSRCs: which, the attribute's name, its value.
    pub fn ssrcs(self) -> impl Iterator<Item = (Ssrc, &'a str, &'a str)> + use<'a> {
        self.lines().filter_map(|line| match line {
            Line::Ssrc { ssrc, attribute, value } => Some((ssrc, attribute, value)),
            _ => None,
        })
    }

    /// The groups of SSRCs: the semantics, such as `SIM`, `FID` or `FEC-FR`, and the members.
    pub fn ssrc_groups(self) -> impl Iterator<Item = (&'a str, Ssrcs<'a>)> + use<'a> {
        self.lines().filter_map(|line| match line {
            Line::SsrcGroup { semantics, ssrcs } => Some((semantics, ssrcs)),
            _ => None,
        })
    }
}
