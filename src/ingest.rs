//! Parses bytes into reports and log events, with one reader per format behind a common front. It computes no metrics
//! and applies nothing to a conference.
//!
//! A [`Reader`] takes *records*: the lines of a line format, or a whole document. [`framing`] decides between the two
//! from the first line of a file. The reader detects the format of a record from its content. It trusts neither file
//! names nor declared formats, because real files get them wrong. A record may be encoded once more as a JSON string, and
//! that once more.
//!
//! [`Reader::read`] returns the snapshots; [`Reader::read_all`] also returns the log events between them
//! ([`LogEventKind`]), including session descriptions, which [`sdp`](crate::sdp) parses.
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

mod documents;
mod dump;
mod error;
pub mod getstats;
mod log;
mod names;
mod sink;
mod sniff;
mod unread;

use alloc::string::String;

pub use documents::{completed, documents};
pub use error::{ReadError, ReadErrorKind};
pub use log::{Configuration, Description, Identity, LogEvent, LogEventKind, SdpSide, Track};
pub use sink::{EachItem, Item, Snapshot};
pub use sniff::{Foreign, Format, Framing, framing};
pub use unread::{NameCounts, Unread};

use crate::report::{Report, Skipped};
use dump::lines::Lines;
use dump::{collection, internals, lines, ndjson, observertc, rtcstats};
use getstats::json::Cursor;
use sink::{ReadState, Sink};

/// Callback that receives snapshots, in the order of the input.
pub type Each<'a> = dyn FnMut(Snapshot<'_>) + 'a;

/// Reads records of any known format.
///
/// Use one reader per input: delta formats need the previous records, and once one record was an rtcstats or jitsi
/// line, the following ones are read as such too. For plain getStats text, a [`getstats::Scanner`] is enough.
///
/// Memory is bounded by the largest record, plus some 1.3 KB for each of its stats entries, however short, up to 16 384
/// entries: 21 MB. Delta formats also store one snapshot for each of the 256 most recently used PeerConnections, 64 MiB
/// in total. Limit the length of records from untrusted sources. Differences restore at most 65 536 entries without text of
/// their own, and one per byte read; [`Skipped::differences`] counts those beyond.
#[derive(Debug, Default)]
pub struct Reader {
    state: ReadState,
    lines: Lines,
    format: Option<Format>,
    /// The call id and client id of the latest ObserveRTC sample.
    identity: (String, String),
}

impl Reader {
    /// Creates a reader.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one record and passes every snapshot in it to `each`.
    ///
    /// # Errors
    /// [`ReadError`] with the byte offset in the record. The reader's state is unchanged, and the next record can be
    /// read. A record without any getStats entry is an error if it is no line of a known dump format.
    pub fn read(&mut self, record: &[u8], each: &mut Each<'_>) -> Result<(), ReadError> {
        let mut each = |item: Item<'_>| {
            if let Item::Snapshot(snapshot) = item {
                each(snapshot);
            }
        };
        self.read_record(record, &mut Sink { each: &mut each, wants_log_events: false })
    }

    /// Reads one record and passes everything in it to `each`: the snapshots of [`Self::read`] and the log events
    /// between them ([`LogEventKind`] lists which format has which events). Records without log events cost nothing
    /// extra.
    ///
    /// An unreadable event is not an error; [`Self::unknown_events`] counts it.
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
    /// The same as those of [`Self::read`], at the same offsets.
    pub fn read_all(&mut self, record: &[u8], each: &mut EachItem<'_>) -> Result<(), ReadError> {
        self.read_record(record, &mut Sink { each: &mut |item| each(item), wants_log_events: true })
    }

    fn read_record(&mut self, record: &[u8], sink: &mut Sink<'_>) -> Result<(), ReadError> {
        self.read_into(record, 0, sink).map_err(|error| match Foreign::of(record) {
            // Only now, so that recognising costs readable records nothing.
            Some(foreign) => ReadError::new(0, ReadErrorKind::Foreign(foreign)),
            None => error,
        })
    }

    /// `depth` is the number of strings around the record.
    fn read_into(&mut self, record: &[u8], depth: u8, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let mut cursor = Cursor::new(record)?;
        let Some(first) = cursor.peek() else { return Ok(()) };
        let format = match sniff::sniff(&mut cursor.clone(), self.format) {
            Err(error) if error.kind() == ReadErrorKind::UnknownFormat => {
                return self.read_collection(&mut cursor, error, sink);
            }
            format => format?,
        };
        if first == b'"' && format == Format::GetStats && depth < 2 {
            return self.read_encoded(&mut cursor, depth, sink);
        }
        let Self { state, lines, identity, .. } = self;
        match format {
            Format::GetStats => {
                state.scanner.read(record, &mut state.report)?;
                let skipped = state.report.skipped();
                if state.report.is_empty() && skipped.entries > skipped.without_member() {
                    let error = ReadError::new(cursor.pos, ReadErrorKind::NoEntry(skipped.without_type()));
                    return self.read_collection(&mut cursor, error, sink);
                }
                let repeated = repeated_ids(&state.report);
                if repeated > 0 && self.read_list_of_snapshots(record, &mut cursor, sink)? {
                    return Ok(());
                }
                let Self { state, .. } = self;
                state.repeated_ids += repeated;
                let before = state.snapshots;
                state.hand_out("", None, sink);
                if state.snapshots == before {
                    // Without a usable entry it may belong to any format.
                    return Ok(());
                }
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
            Format::Collection => {
                let error = ReadError::new(cursor.pos, ReadErrorKind::UnknownFormat);
                return self.read_collection(&mut cursor, error, sink);
            }
        }
        self.format.get_or_insert(format);
        Ok(())
    }

    /// Reads a list of entries, which was read as one report, as several, if it is. Returns whether it is. Otherwise the
    /// report is as it was.
    #[cold]
    fn read_list_of_snapshots(
        &mut self,
        record: &[u8],
        cursor: &mut Cursor<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<bool, ReadError> {
        // Whatever is read again was counted before.
        let counted = self.state.scanner.unread.clone();
        let is_several = collection::repeats_entries(&mut self.state, &mut cursor.clone()) == Ok(true);
        let result = if is_several {
            let error = ReadError::new(cursor.pos, ReadErrorKind::UnknownFormat);
            self.read_collection(cursor, error, sink)
        } else {
            self.state.scanner.read(record, &mut self.state.report).map(drop)
        };
        self.state.scanner.unread = counted;
        result.map(|()| is_several)
    }

    /// Reads a record that is none of the other formats. `error` is what it is if it holds no snapshots either.
    #[cold]
    fn read_collection(
        &mut self,
        cursor: &mut Cursor<'_>,
        error: ReadError,
        sink: &mut Sink<'_>,
    ) -> Result<(), ReadError> {
        if collection::read(&mut self.state, cursor, sink).is_ok_and(|snapshots| snapshots > 0) {
            self.format.get_or_insert(Format::Collection);
            return Ok(());
        }
        Err(error)
    }

    /// Reads a record that is encoded as a string.
    #[cold]
    fn read_encoded(&mut self, cursor: &mut Cursor<'_>, depth: u8, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let start = cursor.pos;
        let mut text = String::new();
        let record = cursor.string("a record")?.get(&mut text);
        cursor.end()?;
        self.read_into(record.as_bytes(), depth + 1, sink).map_err(|error| ReadError::new(start, error.kind()))
    }

    /// The format of the first readable record.
    #[must_use]
    pub const fn format(&self) -> Option<Format> {
        self.format
    }

    /// Counts of everything omitted from the snapshots so far.
    #[must_use]
    pub const fn skipped(&self) -> Skipped {
        self.state.skipped
    }

    /// The number of snapshots returned.
    #[must_use]
    pub const fn snapshots(&self) -> u64 {
        self.state.snapshots
    }

    /// The number of reports without any entry, which are no snapshots. `JSON.stringify` makes `{}` of every
    /// `RTCStatsReport`, because it is a `Map`.
    #[must_use]
    pub const fn empty_snapshots(&self) -> u64 {
        self.state.empty_snapshots
    }

    /// The number of empty snapshots that are an empty array. `Object.values` makes one of every `RTCStatsReport`.
    #[must_use]
    pub const fn empty_lists(&self) -> u64 {
        self.state.empty_lists
    }

    /// The number of reports that had entries, none of them [usable](crate::report::Report::is_usable), and are
    /// therefore no snapshots.
    #[must_use]
    pub const fn unusable_snapshots(&self) -> u64 {
        self.state.unusable_snapshots
    }

    /// The number of snapshots of which no entry has a time that can be read, and neither has the record: nothing is
    /// measured by them.
    #[must_use]
    pub const fn untimed_snapshots(&self) -> u64 {
        self.state.untimed_snapshots
    }

    /// The number of entries of streams without a time. A conference takes no figures from them. If no entry of a report
    /// has a time, they have that of the record.
    #[must_use]
    pub const fn untimed_entries(&self) -> u64 {
        self.state.untimed_entries
    }

    /// The number of entries that repeat the id of the first entry of their report: a list of several snapshots, of
    /// which only one counts. Only reports without a container are checked.
    #[must_use]
    pub const fn repeated_ids(&self) -> u64 {
        self.state.repeated_ids
    }

    /// What was not read so far because its name is unknown.
    #[must_use]
    pub const fn unread(&self) -> &Unread {
        self.state.scanner.unread()
    }

    /// The number of log events that [`Self::read_all`] returned.
    #[must_use]
    pub const fn log_events(&self) -> u64 {
        self.state.log_events
    }

    /// The number of lines that [`Self::read_all`] skipped because their kind is unknown or their value does not fit
    /// the kind.
    #[must_use]
    pub const fn unknown_events(&self) -> u64 {
        self.state.unknown_events
    }

    /// The conference named by the input, if any.
    #[must_use]
    pub fn conference(&self) -> Option<&str> {
        self.state.conference.as_deref()
    }
}

/// How many entries repeat the id of the first.
fn repeated_ids(report: &Report) -> u64 {
    let Some(first) = report.get(0).filter(|first| !first.id().is_empty()) else { return 0 };
    report.entries().skip(1).filter(|entry| entry.id() == first.id()).count() as u64
}
