//! `derived`: the values that Chromium's webrtc-internals derives, for any input format.
//! It replays nothing: each entry is compared with the entry before it.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use callgauge::ingest::{Item, Snapshot};
use callgauge::metric::counter::{Delta, EntryTrackers};
use callgauge::metric::derived::{self, Rounding};
use callgauge::replay::{SourceOverview, shared_connections};
use callgauge::report::Entry;
use callgauge::unit::StatTime;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::calls::CallFiles;
use crate::output::Status;
use crate::problems;
use crate::records::{self, InputFile};

pub(crate) fn run(calls: &[CallFiles], out: &mut dyn Write) -> io::Result<Status> {
    let mut is_usable = false;
    for call in calls {
        is_usable |= derive(call, out)?;
    }
    Ok(Status::usable(is_usable))
}

/// Prints the values of a call, file after file, the earliest first: the trackers of a connection that several files have
/// take what each of them adds. Returns whether there was a snapshot.
fn derive(call: &CallFiles, out: &mut dyn Write) -> io::Result<bool> {
    let shared_of = shared_connections(&call.overviews);
    let mut shared: BTreeMap<usize, FollowedConnection> = BTreeMap::new();
    let mut result = Ok(());
    let mut is_usable = false;
    for index in by_start(&call.overviews) {
        let (Some(file), Some(shared_names)) = (call.files.get(index), shared_of.get(index)) else { continue };
        let name = file.name();
        let mut own: HashMap<String, FollowedConnection> = HashMap::new();
        let (mut late, mut repeated) = (0, 0);
        let input = records::read(file, &mut |item: Item<'_>| {
            let Item::Snapshot(snapshot) = item else { return };
            if !shared_names.contains_key(snapshot.fabric) && !own.contains_key(snapshot.fabric) {
                own.insert(snapshot.fabric.to_owned(), FollowedConnection::default());
            }
            let connection = match shared_names.get(snapshot.fabric) {
                Some(&slot) => Some(shared.entry(slot).or_default()),
                None => own.get_mut(snapshot.fabric),
            };
            let Some(connection) = connection.filter(|_| result.is_ok()) else { return };
            match connection.order_of(index, snapshot.at) {
                SnapshotOrder::Next => {}
                SnapshotOrder::Late => late += 1,
                SnapshotOrder::Repeated => repeated += 1,
            }
            result = write_snapshot(&name, snapshot, &mut connection.trackers, out);
        });
        is_usable |= input.is_usable();
        problems::print_problems(&InputFile { late_snapshots: late, repeated_items: repeated, ..input });
    }
    result.map(|()| is_usable)
}

/// The files in the order of their first times; those without times last.
fn by_start(overviews: &[SourceOverview]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..overviews.len()).collect();
    let start =
        |index: usize| overviews.get(index).and_then(SourceOverview::span_ms).map_or(f64::INFINITY, |span| span.0);
    order.sort_by(|&a, &b| start(a).total_cmp(&start(b)));
    order
}

/// A connection of a call.
#[derive(Default)]
struct FollowedConnection {
    trackers: EntryTrackers,
    /// The file that is read, and the latest time in it.
    file: usize,
    latest: Option<StatTime>,
    /// The latest time in the files before.
    before: Option<StatTime>,
}

/// Where a snapshot stands among those before it.
enum SnapshotOrder {
    Next,
    /// Before an earlier one of the same file.
    Late,
    /// Within the time of a file before.
    Repeated,
}

impl FollowedConnection {
    fn order_of(&mut self, file: usize, at: Option<StatTime>) -> SnapshotOrder {
        if self.file != file {
            (self.file, self.before) = (file, self.latest.max(self.before));
            self.latest = None;
        }
        let order = match at {
            Some(at) if self.before.is_some_and(|before| at <= before) => SnapshotOrder::Repeated,
            Some(at) if self.latest.is_some_and(|latest| at < latest) => SnapshotOrder::Late,
            _ => SnapshotOrder::Next,
        };
        self.latest = self.latest.max(at);
        order
    }
}

/// Prints the values of a snapshot. The trackers leave out what is late or repeated.
fn write_snapshot(
    file: &str,
    snapshot: Snapshot<'_>,
    trackers: &mut EntryTrackers,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut result = Ok(());
    for entry in snapshot.report.entries() {
        trackers.follow(entry, |delta| {
            let rounding = Rounding::of_chrome(snapshot.chrome);
            let line = DerivedLine { file, fabric: snapshot.fabric, entry, delta: delta.as_ref(), rounding };
            if result.is_ok() && line.values().next().is_some() {
                result = serde_json::to_writer(&mut *out, &line).map_err(io::Error::from).and_then(|()| writeln!(out));
            }
        });
    }
    result
}

/// The derived values of one entry in one snapshot.
struct DerivedLine<'a> {
    file: &'a str,
    fabric: &'a str,
    entry: Entry<'a>,
    delta: Option<&'a Delta<'a>>,
    rounding: Rounding,
}

impl DerivedLine<'_> {
    fn values(&self) -> impl Iterator<Item = (&'static str, f64)> {
        derived::of(self.entry, self.delta, self.rounding)
    }
}

impl Serialize for DerivedLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("file", self.file)?;
        map.serialize_entry("fabric", self.fabric)?;
        map.serialize_entry("id", self.entry.id())?;
        map.serialize_entry("t_ms", &self.entry.timestamp().map(StatTime::as_millis))?;
        for (name, value) in self.values() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}
