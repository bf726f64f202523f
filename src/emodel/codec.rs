//! The impairment of each codec: Ie and Bpl by codec, bit rate and use, with the source of every value. It contains
//! published values only.
//!
//! A codec without published values (AMR narrowband, iSAC, L16, …) is `None`, and so is a payload type without speech
//! of its own (`red`, `CN`, `telephone-event`); a caller can add a codec with [`CodecTable::with`].
//!
//! # Opus
//! The values are those of Alahmadi, Počta, Melvin ([`Source::Alahmadi2021`]) for narrowband (6 to 11 kbit/s), wideband
//! (11 to 15) and super-wideband (14 to 40). The paper's data do not state the scale of a row. The rows are consistent
//! only if each is on its own scale: wideband VBR at 13 kbit/s gives 19.96 + 19 = 38.96 on the fullband scale,
//! super-wideband VBR at 14 gives 38.06; wideband CBR at 15 gives 37.06, super-wideband CBR at 16 gives 36.88. The rows
//! are therefore joined to one curve on the fullband scale by the gains of [`Scale::ie_gain`] and interpolated between
//! the published rates. No values above 40 kbit/s are published: the curve continues to Ie 5 at 64 kbit/s and 3 from 96
//! on, Bpl as at 40, and the result is marked [`Basis::Extrapolated`].

mod values;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Equipment, Scale};
use crate::unit::Bitrate;
use values::{CODECS, CodecRow, CodecValues, Rates, When};
pub use values::{Listening, Source};

/// A codec, and how it is used.
///
/// ```
/// use callgauge::emodel::codec::{Basis, CodecQuery, CodecTable};
/// use callgauge::emodel::Scale;
/// use callgauge::unit::Bitrate;
/// let table = CodecTable::new();
///
/// let opus = CodecQuery::new("audio/opus").with_bitrate(Bitrate::new(31_000.0));
/// let found = table.find(&opus).unwrap();
/// assert_eq!((found.equipment.scale(), found.equipment.ie()), (Scale::Fullband, 16.83));
/// assert_eq!((found.equipment.bpl(), found.basis), (Some(10.44), Basis::Published));
///
/// assert_eq!(table.find(&CodecQuery::new("PCMU")).unwrap().equipment.bpl(), Some(25.1));
/// assert_eq!(table.find(&CodecQuery::new("red")), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CodecQuery<'a> {
    name: &'a str,
    bitrate: Option<Bitrate>,
    constant_bitrate: bool,
    concealment: bool,
    voice_activity_detection: bool,
    listening: Listening,
    bandwidth: Option<Scale>,
}

impl<'a> CodecQuery<'a> {
    /// The codec `name`, as getStats spells its `mimeType` (`audio/opus`) or SDP its encoding name (`opus`), in any
    /// case. Defaults: unknown bit rate, VBR, concealment of lost packets, voice activity detection, diotic listening.
    #[must_use]
    pub const fn new(name: &'a str) -> Self {
        Self {
            name,
            bitrate: None,
            constant_bitrate: false,
            concealment: true,
            voice_activity_detection: true,
            listening: Listening::Diotic,
            bandwidth: None,
        }
    }

    /// Sets the bit rate of the codec's own frames during speech: without redundancy (RED, divide by 1 + its depth) and
    /// not averaged over silence that DTX omits. `None`, the default, if unknown.
    #[must_use]
    pub const fn with_bitrate(mut self, bitrate: Option<Bitrate>) -> Self {
        self.bitrate = bitrate;
        self
    }

    /// Sets whether the encoder uses a constant bit rate (CBR; `cbr=1` in Opus's fmtp). Affects Opus. Default false.
    #[must_use]
    pub const fn with_constant_bitrate(mut self, constant: bool) -> Self {
        self.constant_bitrate = constant;
        self
    }

    /// Sets whether the receiver conceals lost packets (PLC). Affects G.711, for which every browser does. Default
    /// true.
    #[must_use]
    pub const fn with_concealment(mut self, concealment: bool) -> Self {
        self.concealment = concealment;
        self
    }

    /// Sets whether the sender omits silence (VAD; `annexb=yes` of G.729, `annexa=yes` of G.723.1, the defaults of
    /// their SDP). Affects these two. Default true.
    #[must_use]
    pub const fn with_voice_activity_detection(mut self, detection: bool) -> Self {
        self.voice_activity_detection = detection;
        self
    }

    /// Sets listening with one ear or with both. Affects AMR-WB. Default [`Listening::Diotic`].
    #[must_use]
    pub const fn with_listening(mut self, listening: Listening) -> Self {
        self.listening = listening;
        self
    }

    /// Restricts the values to this audio bandwidth, on its own scale; a codec without any is not found. It separates
    /// the three bandwidths of Opus, which are otherwise joined to one curve. Default `None`: any bandwidth.
    #[must_use]
    pub const fn with_bandwidth(mut self, bandwidth: Option<Scale>) -> Self {
        self.bandwidth = bandwidth;
        self
    }

    /// Applies the SDP parameters `fmtp` (getStats: `sdpFmtpLine`): `cbr`, `annexa`, `annexb`. Others are ignored.
    #[must_use]
    pub fn with_fmtp(mut self, fmtp: &str) -> Self {
        for (key, value) in fmtp.split(';').filter_map(|parameter| parameter.split_once('=')) {
            let (key, value) = (key.trim(), value.trim());
            if key.eq_ignore_ascii_case("cbr") {
                self.constant_bitrate = value == "1";
            } else if key.eq_ignore_ascii_case("annexa") || key.eq_ignore_ascii_case("annexb") {
                self.voice_activity_detection = !value.eq_ignore_ascii_case("no");
            }
        }
        self
    }

    fn meets(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::ConstantBitrate(wanted) => wanted == self.constant_bitrate,
            When::Concealment(wanted) => wanted == self.concealment,
            When::VoiceActivityDetection(wanted) => wanted == self.voice_activity_detection,
            When::Listening(wanted) => wanted == self.listening,
        }
    }
}

/// The table's values for a codec in one use.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CodecImpairment {
    /// Ie and Bpl under random loss, on the scale on which they were published (Opus: joined on the fullband scale).
    pub equipment: Equipment,
    /// Bpl under bursty loss in percent, if a source distinguishes the two.
    pub bpl_bursty: Option<f64>,
    /// Look-ahead of the encoder beyond the current frame, ms; `None` if unknown.
    pub lookahead_ms: Option<f64>,
    /// How the values were derived from the published ones.
    pub basis: Basis,
    /// The publication.
    pub source: Source,
}

/// How a value is derived from published values. A less certain one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Basis {
    /// As published.
    Published,
    /// Between two published rates.
    Interpolated,
    /// Beyond the highest published rate.
    Extrapolated,
}

/// The codecs: the published ones, and those that a caller adds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CodecTable {
    added: Vec<Added>,
}

impl CodecTable {
    /// The published codecs.
    #[must_use]
    pub const fn new() -> Self {
        Self { added: Vec::new() }
    }

    /// Adds a value for codec `name` at `bitrate`, or for every rate (`None`). Values at several rates are
    /// interpolated; below the lowest the codec is unknown, above the highest its values stay constant. A codec with an
    /// added value uses added values only.
    ///
    /// ```
    /// use callgauge::emodel::codec::{CodecQuery, CodecTable, Source};
    /// use callgauge::emodel::{Equipment, Scale};
    /// let lyra = Equipment::new(Scale::Wideband, 25.0, Some(12.0)).unwrap();
    /// let table = CodecTable::new().with("lyra", None, lyra);
    /// assert_eq!(table.find(&CodecQuery::new("audio/LYRA")).unwrap().source, Source::Caller);
    /// ```
    #[must_use]
    pub fn with(mut self, name: &str, bitrate: Option<Bitrate>, equipment: Equipment) -> Self {
        let name = encoding_name(name).unwrap_or(name);
        let kbps = bitrate.map(kbps);
        let row = CodecRow { kbps, equipment, bpl_bursty: None, published: true };
        let Some(codec) = self.added.iter_mut().find(|codec| codec.name.eq_ignore_ascii_case(name)) else {
            self.added.push(Added { name: name.into(), rows: alloc::vec![row] });
            return self;
        };
        // A value for every rate replaces all others, and is replaced by any other.
        codec.rows.retain(|old| old.kbps.is_some() && kbps.is_some() && old.kbps != kbps);
        let at = codec.rows.partition_point(|old| old.kbps < kbps);
        codec.rows.insert(at, row);
        self
    }

    /// Finds the codec of `query`, in the use that it states.
    ///
    /// `None` for a codec that is not in the table, for a rate below its lowest (a lower rate is silence, not a worse
    /// codec), and for an unknown rate if the rate matters: then the caller may assume
    /// [`usual_bitrate`](Self::usual_bitrate), and should say so.
    #[must_use]
    pub fn find(&self, query: &CodecQuery<'_>) -> Option<CodecImpairment> {
        let kbps = query.bitrate.map(kbps);
        let Curve { rows, rates, source, lookahead_ms } = self.curve(query)?;
        let widest = rows.iter().map(|row| row.equipment.scale()).max()?;
        Some(CodecImpairment { lookahead_ms, ..read(rows, widest, rates, kbps, source)? })
    }

    /// The lowest rate at which [`find`](Self::find) knows the codec in the use that `query` states, whatever its rate.
    /// `None` if the rate does not matter, and for an unknown codec.
    #[must_use]
    pub fn lowest_bitrate(&self, query: &CodecQuery<'_>) -> Option<Bitrate> {
        Bitrate::new(self.curve(query)?.rows.first()?.kbps? * 1e3)
    }

    /// The values of a codec in one use, by rate.
    fn curve(&self, query: &CodecQuery<'_>) -> Option<Curve<'_>> {
        let name = encoding_name(query.name)?;
        if let Some(added) = self.added(name) {
            return Some(Curve {
                rows: &added.rows,
                rates: Rates::Continuous,
                source: Source::Caller,
                lookahead_ms: None,
            });
        }
        let codec = published(name)?;
        let curve = codec.curves.iter().find(|curve| query.meets(curve.when))?;
        let rows = match query.bandwidth {
            Some(scale) => rows_on(curve.rows, scale),
            None => curve.rows,
        };
        Some(Curve { rows, rates: codec.rates, source: curve.source, lookahead_ms: codec.lookahead_ms })
    }

    fn added(&self, name: &str) -> Option<&Added> {
        self.added.iter().find(|codec| codec.name.eq_ignore_ascii_case(name))
    }

    /// The rate that the RTP payload format of codec `name` fixes or starts from, or the default of browsers: 32 kbit/s
    /// for Opus, 64 for G.722 (RFC 3551), 13.33 for iLBC (RFC 3952). `None` if there is none, and for codecs that the
    /// caller added.
    #[must_use]
    pub fn usual_bitrate(&self, name: &str) -> Option<Bitrate> {
        let name = encoding_name(name)?;
        published(name).filter(|_| self.added(name).is_none())?.usual_kbps.and_then(|kbps| Bitrate::new(kbps * 1e3))
    }
}

/// A codec that the caller added.
#[derive(Clone, Debug, PartialEq)]
struct Added {
    name: Box<str>,
    /// Sorted by rate; a single row if it is for every rate.
    rows: Vec<CodecRow>,
}

/// The values of a codec in one use.
struct Curve<'a> {
    /// Sorted by rate.
    rows: &'a [CodecRow],
    rates: Rates,
    source: Source,
    lookahead_ms: Option<f64>,
}

fn published(name: &str) -> Option<&'static CodecValues> {
    CODECS.iter().find(|codec| codec.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// The encoding name in a MIME type of audio, or alone. `None` for another top-level type.
fn encoding_name(name: &str) -> Option<&str> {
    match name.trim().split_once('/') {
        None => Some(name.trim()),
        Some((kind, encoding)) => kind.eq_ignore_ascii_case("audio").then_some(encoding),
    }
}

fn kbps(bitrate: Bitrate) -> f64 {
    bitrate.as_bps() / 1e3
}

/// The rows of a curve that are on one scale: they are adjacent.
fn rows_on(rows: &[CodecRow], scale: Scale) -> &[CodecRow] {
    rows.chunk_by(|a, b| a.equipment.scale() == b.equipment.scale())
        .find(|rows| rows.iter().all(|row| row.equipment.scale() == scale))
        .unwrap_or_default()
}

/// Reads `rows`, which are sorted by rate, at `kbps`, all on `scale`, the widest of theirs.
fn read(rows: &[CodecRow], scale: Scale, rates: Rates, kbps: Option<f64>, source: Source) -> Option<CodecImpairment> {
    let published = |row: &CodecRow| {
        let equipment = row.equipment.onto(scale)?;
        let basis = Basis::Published;
        Some(CodecImpairment { equipment, bpl_bursty: row.bpl_bursty, lookahead_ms: None, basis, source })
    };
    if let Some(row) = rows.first().filter(|row| row.kbps.is_none()) {
        return published(row);
    }
    let kbps = kbps?;
    let (low, high) = rows.split_at_checked(rows.partition_point(|row| row.kbps <= Some(kbps)))?;
    let nearest = |has: fn(&CodecRow) -> bool| Nearest {
        kbps,
        low: low.iter().rfind(|row| has(row)),
        high: high.iter().find(|row| has(row)),
    };
    let any = nearest(|_| true);
    if let Rates::Modes = rates {
        return published(any.nearer()?);
    }
    let bracket = any.bracket()?;
    let bpl = nearest(|row| row.equipment.bpl().is_some()).bracket();
    let bpl = bpl.and_then(|bpl| Some((bpl.of(|row| row.equipment.bpl())?, bpl.basis)));
    let bursty = nearest(|row| row.bpl_bursty.is_some()).bracket();
    let (low, high) = (bracket.low.equipment.onto(scale)?, bracket.high.equipment.onto(scale)?);
    Some(CodecImpairment {
        equipment: low.between(high, bracket.share, bpl.map(|(bpl, _)| bpl)),
        bpl_bursty: bursty.and_then(|bursty| bursty.of(|row| row.bpl_bursty)),
        lookahead_ms: None,
        basis: bpl.map_or(bracket.basis, |(_, basis)| basis.max(bracket.basis)),
        source,
    })
}

/// The rows next to a rate.
struct Nearest<'a> {
    kbps: f64,
    /// At the rate or below it.
    low: Option<&'a CodecRow>,
    /// Above it.
    high: Option<&'a CodecRow>,
}

impl<'a> Nearest<'a> {
    /// The distance of a row from the rate, kbit/s.
    fn distance(&self, row: &CodecRow) -> Option<f64> {
        Some((row.kbps? - self.kbps).abs())
    }

    fn nearer(&self) -> Option<&'a CodecRow> {
        match (self.low, self.high) {
            (Some(low), Some(high)) => Some(if self.distance(low)? <= self.distance(high)? { low } else { high }),
            (one, other) => one.or(other),
        }
    }

    /// The rows around the rate: the highest row twice above it; `None` below the lowest.
    fn bracket(&self) -> Option<Bracket<'a>> {
        let low = self.low?;
        let below = self.distance(low)?;
        let alone = |basis| Bracket { low, high: low, share: 0.0, basis };
        Some(match self.high {
            _ if below == 0.0 => alone(if low.published { Basis::Published } else { Basis::Extrapolated }),
            None => alone(Basis::Extrapolated),
            Some(high) => {
                let basis = if high.published { Basis::Interpolated } else { Basis::Extrapolated };
                Bracket { low, high, share: below / (below + self.distance(high)?), basis }
            }
        })
    }
}

/// Two rows, and the position of a rate between them, 0 to 1.
struct Bracket<'a> {
    low: &'a CodecRow,
    high: &'a CodecRow,
    share: f64,
    basis: Basis,
}

impl Bracket<'_> {
    /// A number that both rows have, interpolated at the rate.
    fn of(&self, number: impl Fn(&CodecRow) -> Option<f64>) -> Option<f64> {
        let (low, high) = (number(self.low)?, number(self.high)?);
        Some(low + (high - low) * self.share)
    }
}

#[cfg(test)]
mod tests;
