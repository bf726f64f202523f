//! Which SSRC carries what, and which one it follows.

use alloc::vec::Vec;

use hashbrown::HashMap;

use super::lines::{Line, msid};
use super::{Section, Sections};
use crate::id::{MediaKind, Ssrc};

/// SSRCs of one description beyond this number are not read. A call of fifty parties has some hundreds.
pub const MAX_STREAMS: usize = 16_384;

/// One SSRC of a description.
///
/// Any mention makes one: an attribute, or membership in a group. What is missing is `None`; new descriptions have
/// neither `mslabel` nor `label`, and those of a side that only answers often no `msid` per SSRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stream<'a> {
    /// Which one.
    pub ssrc: Ssrc,
    /// The SSRC that it follows, through any number of groups: itself, when it follows none. All layers of a simulcast
    /// (`SIM`) follow the first, retransmissions (`FID`) and repair (`FEC-FR`, `FEC`) what they repair.
    pub primary: Ssrc,
    /// What it is to the primary.
    pub role: Role,
    /// The kind of media of its section.
    pub media: Option<MediaKind>,
    /// The `mid` of its section.
    pub mid: Option<&'a str>,
    /// The place of its section, from 0.
    pub section: usize,
    /// The id of its MediaStream: its own `msid` or `mslabel`, else the section's `msid`, else what its primary has. A
    /// stream of `-` is none.
    pub stream: Option<&'a str>,
    /// The id of its MediaStreamTrack, from the same place; where that is `mslabel`, from `label`.
    pub track: Option<&'a str>,
    /// The canonical name (RFC 3550, 6.5.1): one for all streams of one synchronised source.
    pub cname: Option<&'a str>,
}

/// What an SSRC is to its primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// The primary itself, or a stream in no group.
    Media,
    /// A further layer of a simulcast.
    Layer,
    /// Retransmissions (RFC 4588).
    Retransmission,
    /// Forward error correction.
    Repair,
}

/// The streams of all sections, in the order in which they are first mentioned.
pub(super) fn of<'a>(sections: Sections<'a>) -> Vec<Stream<'a>> {
    let mut streams = Vec::new();
    let mut places = HashMap::new();
    for section in sections {
        // SSRCs are unique in an RTP session, and without bundling each section is one of its own.
        places.clear();
        let mut found = Found { streams: &mut streams, places: &mut places, parents: Vec::new(), start: 0 };
        found.start = found.streams.len();
        found.read(section);
    }
    streams
}

/// The streams of one section while it is read.
struct Found<'f, 'a> {
    streams: &'f mut Vec<Stream<'a>>,
    /// SSRCs of this section to places in `parents`.
    places: &'f mut HashMap<Ssrc, usize>,
    /// For every stream of this section, the one it follows, or itself.
    parents: Vec<usize>,
    /// Where this section's streams begin.
    start: usize,
}

impl<'a> Found<'_, 'a> {
    fn read(&mut self, section: Section<'a>) {
        let (media, mid) = (section.media(), section.mid());
        let of = |ssrc| Stream {
            ssrc,
            primary: ssrc,
            role: Role::Media,
            media,
            mid,
            section: section.index,
            stream: None,
            track: None,
            cname: None,
        };
        for line in section.lines() {
            match line {
                Line::Ssrc { ssrc, attribute, value } => {
                    if let Some(stream) = self.place(ssrc, of).and_then(|place| self.stream(place)) {
                        stream.learn(attribute, value);
                    }
                }
                Line::SsrcGroup { semantics, mut ssrcs } => {
                    let role = match semantics {
                        "SIM" => Role::Layer,
                        "FID" => Role::Retransmission,
                        "FEC-FR" | "FEC" => Role::Repair,
                        _ => Role::Media,
                    };
                    let first = ssrcs.next().and_then(|ssrc| self.place(ssrc, of));
                    for ssrc in ssrcs {
                        let place = self.place(ssrc, of);
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

    /// The place of an SSRC, made when it is new.
    fn place(&mut self, ssrc: Ssrc, of: impl Fn(Ssrc) -> Stream<'a>) -> Option<usize> {
        if let Some(&place) = self.places.get(&ssrc) {
            return Some(place);
        }
        if self.streams.len() >= MAX_STREAMS {
            return None;
        }
        let place = self.parents.len();
        self.places.insert(ssrc, place);
        self.parents.push(place);
        self.streams.push(of(ssrc));
        Some(place)
    }

    /// Makes one stream follow another; what already follows one stays, and nothing follows itself in a circle.
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

    /// The stream at the end of the chain. Halves the way on the way, so that long chains cost little.
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

    /// Fills in what the section and the primaries know.
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
    /// Takes one attribute; the first of its kind counts.
    fn learn(&mut self, attribute: &str, value: &'a str) {
        let some = || Some(value).filter(|value| !value.is_empty());
        match attribute {
            "cname" => self.cname = self.cname.or(some()),
            "mslabel" => self.stream = self.stream.or(some()),
            "label" => self.track = self.track.or(some()),
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
