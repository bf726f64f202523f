//! Parses session descriptions for the streams that one side of an offer or answer will send. It does not negotiate and
//! writes no descriptions.
//!
//! It reads what an SSRC map needs and skips the rest: media sections with their `mid`, direction, `msid`, `rid`s,
//! codecs and `ice-ufrag`; the attributes and groups of SSRCs. [`Sdp::lines`] parses the text line by line,
//! [`Sdp::sections`] returns one `m=` section at a time, and [`Sdp::streams`] returns the media of every SSRC and its
//! primary SSRC. The first two allocate nothing; all take time linear in the text.
//!
//! Grammars: RFC 8866 (SDP), 5576 (`ssrc`, `ssrc-group`), 8830 (`msid`), 8851 (`rid`), 8853 (`simulcast`), 8839
//! (`ice-ufrag`), 9143 (`mid`).
//! Any text gives a result. Lines may end in CRLF, LF or CR. A malformed line is skipped and counted
//! ([`Sdp::malformed`]); a line of an unknown kind is only skipped. If a property that may occur once occurs again in a
//! section, the first occurrence counts. A bare `v=` or `m=` is not malformed: rtcstats abbreviates unchanged parts,
//! and nothing is known of such a section.
//! known of such a section.
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

pub use lines::{MediaDirection, SdpLine, SdpLines, Ssrcs};
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
    /// The index of the section, from 0, which ICE candidates call `sdpMLineIndex`.
    pub index: usize,
    /// The text from the `m=` line on.
    text: &'a [u8],
    session: Session<'a>,
}

/// Session-level defaults of a section.
#[derive(Clone, Copy, Debug, Default)]
struct Session<'a> {
    direction: Option<MediaDirection>,
    ice_ufrag: Option<&'a str>,
}

/// A payload type and its encoding (`a=rtpmap`).
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

/// Errors in a description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Malformed {
    /// The number of malformed lines, which were skipped.
    pub lines: usize,
    /// The line number of the first of them, from 1.
    pub first: Option<usize>,
}

impl<'a> Sdp<'a> {
    /// Wraps any text or bytes. Lines that are not UTF-8 are malformed.
    #[must_use]
    pub fn new(text: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { text: text.as_ref() }
    }

    /// All non-empty lines, in order.
    #[must_use]
    pub fn lines(self) -> SdpLines<'a> {
        SdpLines::new(self.text)
    }

    /// The media sections in order.
    #[must_use]
    pub fn sections(self) -> Sections<'a> {
        let mut lines = self.lines();
        let start = lines.next_section();
        let (before, rest) = self.text.split_at_checked(start).unwrap_or((self.text, &[]));
        let mut session = Session::default();
        for line in SdpLines::new(before) {
            match line {
                SdpLine::Direction(direction) => _ = session.direction.get_or_insert(direction),
                SdpLine::IceUfrag(ufrag) => _ = session.ice_ufrag.get_or_insert(ufrag),
                _ => {}
            }
        }
        Sections { session, rest, index: 0 }
    }

    /// Every SSRC in the text, with its media; see [`Stream`]. Time and memory are linear in the text.
    #[must_use]
    pub fn streams(self) -> Vec<Stream<'a>> {
        streams::of(self.sections())
    }

    /// The ICE user name fragment: that of the session, else of the first section that has one. A change between two
    /// descriptions of one side means an ICE restart (RFC 8839, 4.4.1.1.1).
    #[must_use]
    pub fn ice_ufrag(self) -> Option<&'a str> {
        self.lines().find_map(|line| if let SdpLine::IceUfrag(ufrag) = line { Some(ufrag) } else { None })
    }

    /// The number of malformed lines, which were skipped, and the position of the first.
    #[must_use]
    pub fn malformed(self) -> Malformed {
        let mut malformed = Malformed::default();
        for line in self.lines() {
            if let SdpLine::Malformed { number } = line {
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
    /// The text from the next `m=` line on.
    rest: &'a [u8],
    index: usize,
}

impl<'a> Iterator for Sections<'a> {
    type Item = Section<'a>;

    fn next(&mut self) -> Option<Section<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut lines = SdpLines::new(self.rest);
        lines.next();
        let (text, rest) = self.rest.split_at_checked(lines.next_section())?;
        self.rest = rest;
        let index = self.index;
        self.index += 1;
        Some(Section { index, text, session: self.session })
    }
}

impl<'a> Section<'a> {
    /// The lines of the section, beginning with the `m=` line.
    #[must_use]
    pub fn lines(self) -> SdpLines<'a> {
        SdpLines::new(self.text)
    }

    /// The first result of `pick` among the lines of the section.
    fn first<T>(self, pick: impl FnMut(SdpLine<'a>) -> Option<T>) -> Option<T> {
        self.lines().find_map(pick)
    }

    /// The media word: `audio`, `video`, `application`, …; empty if the line was abbreviated.
    #[must_use]
    pub fn word(self) -> &'a str {
        self.first(|line| if let SdpLine::Media { word, .. } = line { Some(word) } else { None }).unwrap_or("")
    }

    /// The kind of media; `None` for data and unknown kinds.
    #[must_use]
    pub fn media(self) -> Option<MediaKind> {
        match self.word() {
            "audio" => Some(MediaKind::Audio),
            "video" => Some(MediaKind::Video),
            _ => None,
        }
    }

    /// Whether the port is 0: the section is refused, stopped, or carried by its bundle's section.
    #[must_use]
    pub fn has_no_port(self) -> bool {
        self.first(|line| if let SdpLine::Media { port, .. } = line { Some(port == 0) } else { None }).unwrap_or(false)
    }

    /// Its identification tag.
    #[must_use]
    pub fn mid(self) -> Option<&'a str> {
        self.first(|line| if let SdpLine::Mid(mid) = line { Some(mid) } else { None })
    }

    /// The direction of media, from the point of view of the side that wrote the description: the section's own
    /// attribute, else the session's, else `sendrecv` (RFC 8866, 6.7).
    #[must_use]
    pub fn direction(self) -> MediaDirection {
        self.first(|line| if let SdpLine::Direction(direction) = line { Some(direction) } else { None })
            .or(self.session.direction)
            .unwrap_or(MediaDirection::SendRecv)
    }

    /// The stream and, if given, the track that the section sends. A stream of `-` means none.
    #[must_use]
    pub fn msid(self) -> Option<(&'a str, Option<&'a str>)> {
        self.first(|line| if let SdpLine::Msid { stream, track } = line { Some((stream, track)) } else { None })
    }

    /// The section's ICE user name fragment, else the session's.
    #[must_use]
    pub fn ice_ufrag(self) -> Option<&'a str> {
        self.first(|line| if let SdpLine::IceUfrag(ufrag) = line { Some(ufrag) } else { None })
            .or(self.session.ice_ufrag)
    }

    /// The ids of the encodings that the section sends (`a=rid:… send`), in the order of the text.
    pub fn sent_rids(self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.lines().filter_map(|line| if let SdpLine::Rid { id, sent: true } = line { Some(id) } else { None })
    }

    /// The ids of the simulcast layers that the section sends (`a=simulcast:send …`), in the side's order of
    /// preference, best first. Alternatives (`1,2`) appear individually, without the mark of an initially paused layer
    /// (`~`).
    pub fn simulcast(self) -> impl Iterator<Item = &'a str> + use<'a> {
        let layers = self.first(|line| if let SdpLine::Simulcast { send } = line { send } else { None });
        layers.into_iter().flat_map(|layers| layers.split([';', ','])).map(|id| id.strip_prefix('~').unwrap_or(id))
    }

    /// The payload types and their encodings. Those for retransmission and repair are named `rtx`, `red`, `ulpfec`,
    /// `flexfec` or `flexfec-03`.
    pub fn codecs(self) -> impl Iterator<Item = Codec<'a>> + use<'a> {
        self.lines().filter_map(|line| if let SdpLine::Codec(codec) = line { Some(codec) } else { None })
    }

    /// The attributes of SSRCs: the SSRC, the attribute's name, its value.
    pub fn ssrcs(self) -> impl Iterator<Item = (Ssrc, &'a str, &'a str)> + use<'a> {
        self.lines().filter_map(|line| match line {
            SdpLine::Ssrc { ssrc, attribute, value } => Some((ssrc, attribute, value)),
            _ => None,
        })
    }

    /// The groups of SSRCs: the semantics, such as `SIM`, `FID` or `FEC-FR`, and the members.
    pub fn ssrc_groups(self) -> impl Iterator<Item = (&'a str, Ssrcs<'a>)> + use<'a> {
        self.lines().filter_map(|line| match line {
            SdpLine::SsrcGroup { semantics, ssrcs } => Some((semantics, ssrcs)),
            _ => None,
        })
    }
}
