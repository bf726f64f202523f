//! Bytes into reports: one reader per format, all behind one front that goes by content.
//!
//! A [`Reader`] takes *records*: the lines of a line format, or a whole document. [`framing`] says which of the two a
//! file is from its first line. What a record is, the reader finds out by looking into it; names and declared formats
//! are not trusted, because real files get them wrong.
//!
//! [`Reader::read`] hands out the snapshots; [`Reader::read_all`] also what the input tells of the call's life between
//! them ([`LogEventKind`]), session descriptions among it, which [`sdp`] reads.
//!
//! ```
//! use callgauge::ingest::Reader;
//! use callgauge::report::StatsType;
//!
//! let line = br#"{"t": 1000.5, "pc": "A", "report": {"I1": {"timestamp": 1000, "type": "inbound-rtp", "ssrc": 7}}}"#;
//! let mut reader = Reader::new();
//! let mut streams = 0;
//! reader.read(line, &mut |snapshot| {
//!     assert_eq!(snapshot.fabric, "A");
//!     streams += snapshot.report.of(StatsType::InboundRtp).count();
//! })?;
//! assert_eq!(streams, 1);
//! # Ok::<(), callgauge::ingest::ReadError>(())
//! ```

mod delta;
mod error;
mod fill;
mod fold;
pub mod getstats;
mod happening;
mod internals;
mod json;
mod key;
mod lines;
mod ndjson;
mod observertc;
mod rtcstats;
mod sniff;
mod told;
#[cfg(feature = "serde")]
mod visitor;

use alloc::string::String;

pub use error::{ReadError, ReadErrorKind};
pub use happening::{Configuration, Description, Identity, Item, LogEvent, LogEventKind, SdpSide, Track};
pub use sniff::{Format, Framing, framing};

use crate::report::{Report, Skipped};
use crate::unit::StatTime;
use getstats::Scanner;
use json::Cursor;
use lines::Lines;
use told::{Texts, Told};

/// One snapshot out of a record.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Snapshot<'a> {
    /// The PeerConnection as the input names it; empty where it names none.
    pub fabric: &'a str,
    /// When the snapshot was taken, on the clock of whoever wrote the input.
    pub at: Option<StatTime>,
    /// What was reported. The reader reuses it for the next snapshot.
    pub report: &'a Report,
}

/// Where snapshots go, in the order of the input.
pub type Each<'a> = dyn FnMut(Snapshot<'_>) + 'a;

/// Where snapshots and happenings go, in the order of the input.
pub type EachItem<'a> = dyn FnMut(Item<'_>) + 'a;

/// Where what was read goes.
struct Out<'o> {
    each: &'o mut EachItem<'o>,
    /// Whether happenings are wanted.
    happenings: bool,
}

/// Reads records of any known format.
///
/// One reader per input: formats that send differences need the records before, and once a record was a line of
/// rtcstats or jitsi, the others are taken for such, too. Who has nothing but getStats text needs no more than a
/// [`getstats::Scanner`].
///
/// Memory is bounded by the largest record, of which some 1.3 KB are kept for each stats entry, however short, and of
/// 16 384 entries at most: 21 MB; and, for formats that send differences, by one snapshot for each of the 256
/// PeerConnections last heard of, 64 MiB together. Bound the length of records that strangers write.
#[derive(Debug, Default)]
pub struct Reader {
    pub(self) scanner: Scanner,
    pub(self) report: Report,
    lines: Lines,
    format: Option<Format>,
    skipped: Skipped,
    snapshots: u64,
    conference: Option<String>,
    happenings: u64,
    unknown_events: u64,
    texts: Texts,
    /// Whom an ObserveRTC sample named last: its call and its client.
    identity: (String, String),
}

impl Reader {
    /// A reader that has read nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one record and hands out every snapshot in it.
    ///
    /// # Errors
    /// [`ReadError`] with the byte offset in the record. The reader is as it was, and the next record can be read.
    pub fn read(&mut self, record: &[u8], each: &mut Each<'_>) -> Result<(), ReadError> {
        let mut each = |item: Item<'_>| {
            if let Item::Snapshot(snapshot) = item {
                each(snapshot);
            }
        };
        self.read_into(record, &mut Out { each: &mut each, happenings: false })
    }

    /// Reads one record and hands out all that is in it: the snapshots of [`Self::read`], and what happened between
    /// them ([`LogEventKind`] says which format tells what). Costs nothing more where nothing happened.
    ///
    /// A happening that cannot be read is no error: it is counted in [`Self::unknown_events`].
    ///
    /// ```
    /// use callgauge::ingest::{Item, Reader, LogEventKind};
    ///
    /// let line = br#"["oniceconnectionstatechange", "PC_0", "checking", 1700000000000]"#;
    /// let mut states = 0;
    /// Reader::new().read_all(line, &mut |item| {
    ///     let Item::LogEvent(happening) = item else { return };
    ///     assert_eq!((happening.fabric, happening.what), ("PC_0", LogEventKind::IceConnectionState("checking")));
    ///     states += 1;
    /// })?;
    /// assert_eq!(states, 1);
    /// # Ok::<(), callgauge::ingest::ReadError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Self::read`], in the same places.
    pub fn read_all(&mut self, record: &[u8], each: &mut EachItem<'_>) -> Result<(), ReadError> {
        self.read_into(record, &mut Out { each: &mut |item| each(item), happenings: true })
    }

    fn read_into(&mut self, record: &[u8], out: &mut Out<'_>) -> Result<(), ReadError> {
        let mut cursor = Cursor::new(record)?;
        if cursor.peek().is_none() {
            return Ok(());
        }
        let format = sniff::sniff(&mut cursor.clone(), self.format)?;
        match format {
            Format::GetStats => self.read_getstats(record, out)?,
            Format::Ndjson => ndjson::read(self, &mut cursor, out)?,
            Format::Rtcstats => rtcstats::read(self, &mut cursor, out)?,
            Format::Jitsi | Format::RtcstatsLegacy => lines::read(self, &mut cursor, format, out)?,
            Format::ObserveRtc => observertc::read(self, &mut cursor, out)?,
            Format::WebrtcInternals => internals::read(self, &mut cursor, out)?,
        }
        self.format.get_or_insert(format);
        Ok(())
    }

    /// The format of the first record that was understood.
    #[must_use]
    pub const fn format(&self) -> Option<Format> {
        self.format
    }

    /// What was left out of the snapshots so far.
    #[must_use]
    pub const fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// How many snapshots were handed out.
    #[must_use]
    pub const fn snapshots(&self) -> u64 {
        self.snapshots
    }

    /// How many happenings [`Self::read_all`] handed out.
    #[must_use]
    pub const fn happenings(&self) -> u64 {
        self.happenings
    }

    /// How many lines [`Self::read_all`] passed over because their kind is not known or their value is not what belongs
    /// to it.
    #[must_use]
    pub const fn unknown_events(&self) -> u64 {
        self.unknown_events
    }

    /// The conference that the input names, if it names one.
    #[must_use]
    pub fn conference(&self) -> Option<&str> {
        self.conference.as_deref()
    }

    fn read_getstats(&mut self, record: &[u8], out: &mut Out<'_>) -> Result<(), ReadError> {
        self.scanner.read(record, &mut self.report)?;
        self.hand_out("", None, out);
        Ok(())
    }

    /// Hands out the report as it stands, counted. A record that has no time of its own is as late as its latest entry.
    fn hand_out(&mut self, fabric: &str, at: Option<StatTime>, out: &mut Out<'_>) {
        let at = at.or_else(|| self.report.latest());
        self.skipped.add(self.report.skipped());
        self.snapshots += 1;
        (out.each)(Item::Snapshot(Snapshot { fabric, at, report: &self.report }));
    }

    /// Hands out what a line of a log tells, counted.
    fn tell(&mut self, fabric: &str, at: Option<StatTime>, method: &str, value: Option<Cursor<'_>>, out: &mut Out<'_>) {
        if !out.happenings {
            return;
        }
        let Self { texts, happenings, unknown_events, .. } = self;
        let told = told::tell(method, value, texts, &mut |what| {
            *happenings += 1;
            (out.each)(Item::LogEvent(LogEvent { fabric, at, what }));
        });
        *unknown_events += u64::from(told == Told::Unknown);
    }
}
