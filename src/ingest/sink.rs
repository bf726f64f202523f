//! Passes snapshots and log events from the readers to the caller, and counts them. It parses no format.

use alloc::string::String;

use super::getstats::Scanner;
use super::getstats::json::Cursor;
use super::log::{self, LogEvent, LogEventKind};
use crate::report::{Entry, Report, Skipped, StatsType};
use crate::unit::StatTime;

/// One snapshot of a record.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Snapshot<'a> {
    /// The name of the PeerConnection in the input; empty if the input names none.
    pub fabric: &'a str,
    /// When the snapshot was taken, on the clock of the input's writer.
    pub at: Option<StatTime>,
    /// The stats. The reader reuses the report for the next snapshot.
    pub report: &'a Report,
    /// The major version of the Chrome that wrote the input, if a webrtc-internals dump names it.
    pub chrome: Option<u32>,
}

/// One item of a record.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Item<'a> {
    /// A getStats snapshot.
    Snapshot(Snapshot<'a>),
    /// A log event.
    LogEvent(LogEvent<'a>),
}

/// Callback that receives snapshots and log events, in the order of the input.
pub type EachItem<'a> = dyn FnMut(Item<'_>) + 'a;

/// The receiver of items.
pub(super) struct Sink<'o> {
    pub(super) each: &'o mut EachItem<'o>,
    /// Whether the caller wants log events.
    pub(super) wants_log_events: bool,
}

/// State that all readers share: the report they fill, and counts of what they returned.
#[derive(Debug, Default)]
pub(super) struct ReadState {
    pub(super) scanner: Scanner,
    pub(super) report: Report,
    pub(super) skipped: Skipped,
    pub(super) snapshots: u64,
    /// Snapshots without any entry.
    pub(super) empty_snapshots: u64,
    /// Those among them that are an empty array.
    pub(super) empty_lists: u64,
    /// Snapshots with entries, of which none is usable.
    pub(super) unusable_snapshots: u64,
    /// Snapshots of which no entry has a time, and neither has the record.
    pub(super) untimed_snapshots: u64,
    /// Entries of streams without a time.
    pub(super) untimed_entries: u64,
    /// Entries that repeat the first id of a getStats report.
    pub(super) repeated_ids: u64,
    pub(super) conference: Option<String>,
    pub(super) chrome: Option<u32>,
    pub(super) log_events: u64,
    pub(super) unknown_events: u64,
    pub(super) scratch: log::Scratch,
}

impl ReadState {
    /// Returns the current report as a snapshot. Without a time, the snapshot gets that of its latest entry; if none of its
    /// entries has a time, they get that of the snapshot.
    ///
    /// A report without a usable entry is no snapshot: it is only counted, because it must not open a connection or show
    /// that one exists.
    pub(super) fn hand_out(&mut self, fabric: &str, at: Option<StatTime>, sink: &mut Sink<'_>) {
        self.skipped.add(self.report.skipped());
        if !self.report.is_usable() {
            if self.report.is_empty() && self.report.skipped().entries == 0 {
                self.empty_snapshots += 1;
                self.empty_lists += u64::from(self.scanner.is_list);
            } else {
                self.unusable_snapshots += 1;
            }
            return;
        }
        let at = at.or_else(|| self.report.latest());
        self.untimed_snapshots += u64::from(at.is_none());
        let is_untimed = |entry: &Entry<'_>| {
            matches!(entry.kind(), StatsType::InboundRtp | StatsType::OutboundRtp) && entry.timestamp().is_none()
        };
        let untimed = self.report.entries().filter(is_untimed).count() as u64;
        match at.filter(|_| untimed > 0 && self.report.latest().is_none()) {
            Some(at) => self.report.set_timestamps(at),
            None => self.untimed_entries += untimed,
        }
        self.snapshots += 1;
        (sink.each)(Item::Snapshot(Snapshot { fabric, at, report: &self.report, chrome: self.chrome }));
    }

    /// Returns a log event.
    pub(super) fn event(&mut self, fabric: &str, at: Option<StatTime>, what: LogEventKind<'_>, sink: &mut Sink<'_>) {
        self.log_events += 1;
        (sink.each)(Item::LogEvent(LogEvent { fabric, at, what }));
    }

    /// Returns the events of a log line.
    pub(super) fn log(
        &mut self,
        fabric: &str,
        at: Option<StatTime>,
        method: &str,
        value: Option<Cursor<'_>>,
        sink: &mut Sink<'_>,
    ) {
        if !sink.wants_log_events {
            return;
        }
        let Self { scanner, scratch, log_events, unknown_events, .. } = self;
        let is_known = log::parse(method, value, scratch, &mut |what| {
            *log_events += 1;
            (sink.each)(Item::LogEvent(LogEvent { fabric, at, what }));
        });
        if !is_known {
            *unknown_events += 1;
            scanner.unread.events.add(method);
        }
    }
}
