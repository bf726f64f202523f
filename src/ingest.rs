//! Bytes into reports: one reader per format, all behind one front that goes by content.
//!
//! A [`Reader`] takes *records*: the lines of a line format, or a whole document. [`framing`] says which of the two a
//! file is from its first line. What a record is, the reader finds out by looking into it; names and declared formats
//! are not trusted, because real files get them wrong.
//!
//! [`Reader::read`] hands out the snapshots; [`Reader::read_all`] also what the input tells of the call's life between
//! them ([`LogEventKind`]), session descriptions among it, which [`sdp`](crate::sdp) reads.
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

mod dump;
mod error;
pub mod getstats;
mod log;
mod sink;
mod sniff;

use alloc::string::String;

pub use error::{ReadError, ReadErrorKind};
pub use log::{Configuration, Description, Identity, LogEvent, LogEventKind, SdpSide, Track};
pub use sink::{EachItem, Item, Snapshot};
pub use sniff::{Format, Framing, framing};

use crate::report::Skipped;
use dump::lines::Lines;
use dump::{internals, lines, ndjson, observertc, rtcstats};
use getstats::json::Cursor;
use sink::{ReadState, Sink};

/// Where snapshots go, in the order of the input.
pub type Each<'a> = dyn FnMut(Snapshot<'_>) + 'a;

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
    state: ReadState,
    lines: Lines,
    format: Option<Format>,
    /// The call and the client that an ObserveRTC sample named last.
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
        self.read_into(record, &mut Sink { each: &mut each, wants_log_events: false })
    }

    /// Reads one record and hands out all that is in it: the snapshots of [`Self::read`], and what happened between
    /// them ([`LogEventKind`] says which format tells what). Costs nothing more where nothing happened.
    ///
    /// An event that cannot be read is no error: it is counted in [`Self::unknown_events`].
    ///
    /// ```
    /// use callgauge::ingest::{Item, Reader, LogEventKind};
    ///
    /// let line = br#"["oniceconnectionstatechange", "PC_0", "checking", 1700000000000]"#;
    /// let mut states = 0;
    /// Reader::new().read_all(line, &mut |item| {
    ///     let Item::LogEvent(event) = item else { return };
    ///     assert_eq!((event.fabric, event.what), ("PC_0", LogEventKind::IceConnectionState("checking")));
    ///     states += 1;
    /// })?;
    /// assert_eq!(states, 1);
    /// # Ok::<(), callgauge::ingest::ReadError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Self::read`], in the same places.
    pub fn read_all(&mut self, record: &[u8], each: &mut EachItem<'_>) -> Result<(), ReadError> {
        self.read_into(record, &mut Sink { each: &mut |item| each(item), wants_log_events: true })
    }

    fn read_into(&mut self, record: &[u8], sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let mut cursor = Cursor::new(record)?;
        if cursor.peek().is_none() {
            return Ok(());
        }
        let format = sniff::sniff(&mut cursor.clone(), self.format)?;
        let Self { state, lines, identity, .. } = self;
        match format {
            Format::GetStats => {
                state.scanner.read(record, &mut state.report)?;
                state.hand_out("", None, sink);
            }
            Format::Ndjson => ndjson::read(state, &mut cursor, sink)?,
            Format::Rtcstats => rtcstats::read(state, lines, &mut cursor, sink)?,
            Format::Jitsi | Format::RtcstatsLegacy => {
                if lines::read(state, lines, &mut cursor, format, sink)? && self.format == Some(Format::RtcstatsLegacy)
                {
                    self.format = Some(Format::Jitsi);
                }
            }
            Format::ObserveRtc => observertc::read(state, identity, &mut cursor, sink)?,
            Format::WebrtcInternals => internals::read(state, &mut cursor, sink)?,
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
        self.state.skipped
    }

    /// How many snapshots were handed out.
    #[must_use]
    pub const fn snapshots(&self) -> u64 {
        self.state.snapshots
    }

    /// How many log events [`Self::read_all`] handed out.
    #[must_use]
    pub const fn log_events(&self) -> u64 {
        self.state.log_events
    }

    /// How many lines [`Self::read_all`] passed over because their kind is not known or their value is not what belongs
    /// to it.
    #[must_use]
    pub const fn unknown_events(&self) -> u64 {
        self.state.unknown_events
    }

    /// The conference that the input names, if it names one.
    #[must_use]
    pub fn conference(&self) -> Option<&str> {
        self.state.conference.as_deref()
    }
}
