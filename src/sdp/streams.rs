//! Finds the media and the primary of each SSRC of a description. It does not compare descriptions.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::lines::{SdpLine, msid};
use super::{Section, Sections};
use crate::id::{MediaKind, Ssrc};

/// Maximum number of SSRCs per description; further ones are ignored. A call of fifty participants has some hundreds.
pub const MAX_STREAMS: usize = 16_384;

/// One SSRC of a description.
/// Any mention counts: an attribute, or membership in a group. Missing properties are `None`; new descriptions have
/// neither `mslabel` nor `label`, and those of a side that only answers often have no `msid` per SSRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stream<'a> {
    /// The SSRC.
    pub ssrc: Ssrc,
    /// The primary SSRC, through any number of groups; the SSRC itself if it follows none. All simulcast layers (`SIM`)
    /// follow the first; retransmissions (`FID`) and repair streams (`FEC-FR`, `FEC`) follow the stream that they
    /// repair.
    pub primary: Ssrc,
    /// The relation to the primary.
    pub role: Role,
    /// The kind of media of its section.
    pub media: Option<MediaKind>,
    /// The `mid` of its section.
    pub mid: Option<&'a str>,
    /// The index of its section, from 0.
    pub section: usize,
    /// The id of its MediaStream: its own `msid` or `mslabel`, else the section's `msid`, else that of its primary. A
    /// stream of `-` means none.
    pub stream: Option<&'a str>,
    /// The id of its MediaStreamTrack, from the same source; for `mslabel`, from `label`.
    pub track: Option<&'a str>,
    /// The canonical name (RFC 3550, 6.5.1), shared by all streams of one synchronised source.
    pub cname: Option<&'a str>,
}

/// The relation of an SSRC to its primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// The primary itself, or a stream in no group.
    Media,
    /// A further simulcast layer.
    Layer,
    /// Retransmissions (RFC 4588).
    Retransmission,
    /// Forward error correction.
    Repair,
}

/// The streams of all sections, in the order of first mention.
pub(super) fn of<'a>(sections: Sections<'a>) -> Vec<Stream<'a>> {
    let mut streams = Vec::new();
    let mut places = HashMap::new();
    for section in sections {
        // SSRCs are unique within an RTP session, and an unbundled section is its own RTP session.
        places.clear();
        let mut found = Found { streams: &mut streams, places: &mut places, parents: Vec::new(), start: 0 };
        found.start = found.streams.len();
        found.read(section);
    }
    streams
}

/// The streams of one section during parsing.
struct Found<'f, 'a> {
    streams: &'f mut Vec<Stream<'a>>,
    /// Index in `parents` of each SSRC of this section.
    places: &'f mut HashMap<Ssrc, usize>,
    /// For every stream of this section, the stream that it follows, or itself.
    parents: Vec<usize>,
    /// The index of this section's first stream.
    start: usize,
}

impl<'a> Found<'_, 'a> {
    fn read(&mut self, section: Section<'a>) {
        let blank = Stream {
            ssrc: Ssrc::new(0),
            primary: Ssrc::new(0),
            role: Role::Media,
            media: section.media(),
            mid: section.mid(),
            section: section.index,
            stream: None,
            track: None,
            cname: None,
        };
        for line in section.lines() {
            match line {
                SdpLine::Ssrc { ssrc, attribute, value } => {
                    if let Some(stream) = self.place(ssrc, blank).and_then(|place| self.stream(place)) {
                        stream.set_attribute(attribute, value);
                    }
                }
                SdpLine::SsrcGroup { semantics, mut ssrcs } => {
                    let role = match semantics {
                        "SIM" => Role::Layer,
                        "FID" => Role::Retransmission,
                        "FEC-FR" | "FEC" => Role::Repair,
                        _ => Role::Media,
                    };
                    let first = ssrcs.next().and_then(|ssrc| self.place(ssrc, blank));
                    for ssrc in ssrcs {
                        let place = self.place(ssrc, blank);
                        if let (Some(first), Some(place), true) = (first, place, role != Role::Media) {
                            self.follow(place, first, role);
                        }
                    }
                }
                _ => {}
            }
        }
        self.resolve(section);
    }

    fn stream(&mut self, place: usize) -> Option<&mut Stream<'a>> {
        self.streams.get_mut(self.start + place)
    }

    /// The index of an SSRC, added to `blank`'s section if it is new.
    fn place(&mut self, ssrc: Ssrc, blank: Stream<'a>) -> Option<usize> {
        if let Some(&place) = self.places.get(&ssrc) {
            return Some(place);
        }
        if self.streams.len() >= MAX_STREAMS {
            return None;
        }
        let place = self.parents.len();
        self.places.insert(ssrc, place);
        self.parents.push(place);
        self.streams.push(Stream { ssrc, primary: ssrc, ..blank });
        Some(place)
    }

    /// Makes one stream follow another, unless it already follows one or would close a cycle.
    fn follow(&mut self, place: usize, other: usize, role: Role) {
        if self.parents.get(place) != Some(&place) || self.root(other) == place {
            return;
        }
        if let Some(parent) = self.parents.get_mut(place) {
            *parent = other;
        }
        if let Some(stream) = self.stream(place) {
            stream.role = role;
        }
    }

    /// The stream at the end of the chain. Halves the path as it goes, so that long chains cost little.
    fn root(&mut self, mut place: usize) -> usize {
        while let Some(&parent) = self.parents.get(place).filter(|&&parent| parent != place) {
            let above = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(it) = self.parents.get_mut(place) {
                *it = above;
            }
            place = above;
        }
        place
    }

    /// Fills in the properties of the section and of the primaries.
    fn resolve(&mut self, section: Section<'a>) {
        let of_section = section.msid();
        for place in 0..self.parents.len() {
            let root = self.root(place);
            let Some(&primary) = self.streams.get(self.start + root) else { continue };
            let Some(stream) = self.stream(place) else { continue };
            stream.primary = primary.ssrc;
            if stream.stream.is_none() && stream.track.is_none() {
                let (known, track) = match of_section {
                    Some((known, track)) => (Some(known), track),
                    None => (primary.stream, primary.track),
                };
                stream.stream = known.filter(|&known| known != "-");
                stream.track = track;
            }
            stream.cname = stream.cname.or(primary.cname);
        }
    }
}

impl<'a> Stream<'a> {
    /// Stores one attribute; the first of its kind counts.
    fn set_attribute(&mut self, attribute: &str, value: &'a str) {
        let text = Some(value).filter(|value| !value.is_empty());
        match attribute {
            "cname" => self.cname = self.cname.or(text),
            "mslabel" => self.stream = self.stream.or(text),
            "label" => self.track = self.track.or(text),
            "msid" => {
                if let Some((stream, track)) = msid(value) {
                    self.stream = self.stream.or(Some(stream)).filter(|&stream| stream != "-");
                    self.track = self.track.or(track);
                }
            }
            _ => {}
        }
    }
}
