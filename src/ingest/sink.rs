//! Where readers put what they find: snapshots and log events, counted. It reads no format.

use alloc::string::String;

use super::getstats::Scanner;
use super::getstats::json::Cursor;
use super::log::{self, LogEvent, LogEventKind};
use crate::report::{Report, Skipped};
use crate::unit::StatTime;

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

/// One thing out of a record.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Item<'a> {
    /// What getStats reported.
    Snapshot(Snapshot<'a>),
    /// Something that happened.
    LogEvent(LogEvent<'a>),
}

/// Where snapshots and log events go, in the order of the input.
pub type EachItem<'a> = dyn FnMut(Item<'_>) + 'a;

/// Where items go.
pub(super) struct Sink<'o> {
    pub(super) each: &'o mut EachItem<'o>,
    /// Whether log events are wanted.
    pub(super) wants_log_events: bool,
}

/// What all readers share: the report that they fill, and the counts of what they handed out.
#[derive(Debug, Default)]
pub(super) struct ReadState {
    pub(super) scanner: Scanner,
    pub(super) report: Report,
    pub(super) skipped: Skipped,
    pub(super) snapshots: u64,
    pub(super) conference: Option<String>,
    pub(super) log_events: u64,
    pub(super) unknown_events: u64,
    pub(super) scratch: log::Scratch,
}

impl ReadState {
    /// Hands out the report as it stands. A record without a time of its own takes that of its latest entry.
    pub(super) fn hand_out(&mut self, fabric: &str, at: Option<StatTime>, sink: &mut Sink<'_>) {
        let at = at.or_else(|| self.report.latest());
        self.skipped.add(self.report.skipped());
        self.snapshots += 1;
        (sink.each)(Item::Snapshot(Snapshot { fabric, at, report: &self.report }));
    }

    /// Hands out an event.
    pub(super) fn event(&mut self, fabric: &str, at: Option<StatTime>, what: LogEventKind<'_>, sink: &mut Sink<'_>) {
        self.log_events += 1;
        (sink.each)(Item::LogEvent(LogEvent { fabric, at, what }));
    }

    /// Hands out the events of a log line.
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
        let Self { scratch, log_events, unknown_events, .. } = self;
        let is_known = log::parse(method, value, scratch, &mut |what| {
            *log_events += 1;
            (sink.each)(Item::LogEvent(LogEvent { fabric, at, what }));
        });
        *unknown_events += u64::from(!is_known);
    }
}
