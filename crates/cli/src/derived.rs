//! `derived`: the values that Chromium's webrtc-internals derives, for any input format.
//! It replays nothing: each entry is compared with the entry before it.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;

use callgauge::ingest::Item;
use callgauge::ingest::Snapshot;
use callgauge::metric::counter::{Delta, EntryTrackers};
use callgauge::metric::derived::{self, Rounding};
use callgauge::report::Entry;
use callgauge::unit::StatTime;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::problems;
use crate::records;

pub(crate) fn run(files: &[PathBuf], out: &mut dyn Write) -> io::Result<bool> {
    let mut result = Ok(());
    let mut usable = false;
    for file in files {
        let mut connections: HashMap<String, EntryTrackers> = HashMap::new();
        let input = records::read(file, &mut |item: Item<'_>| {
            let Item::Snapshot(snapshot) = item else { return };
            if !connections.contains_key(snapshot.fabric) {
                connections.insert(snapshot.fabric.to_owned(), EntryTrackers::new());
            }
            if let Some(trackers) = connections.get_mut(snapshot.fabric)
                && result.is_ok()
            {
                result = write_snapshot(snapshot, trackers, out);
            }
        });
        problems::print_problems(&input);
        usable |= input.is_usable();
    }
    result.map(|()| usable)
}

fn write_snapshot(snapshot: Snapshot<'_>, trackers: &mut EntryTrackers, out: &mut dyn Write) -> io::Result<()> {
    let mut result = Ok(());
    for entry in snapshot.report.entries() {
        trackers.follow(entry, |delta| {
            let rounding = Rounding::of_chrome(snapshot.chrome);
            let line = DerivedLine { fabric: snapshot.fabric, entry, delta: delta.as_ref(), rounding };
            if result.is_ok() && line.values().next().is_some() {
                result = serde_json::to_writer(&mut *out, &line).map_err(io::Error::from).and_then(|()| writeln!(out));
            }
        });
    }
    result
}

/// The derived values of one entry in one snapshot.
struct DerivedLine<'a> {
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
        map.serialize_entry("fabric", self.fabric)?;
        map.serialize_entry("id", self.entry.id())?;
        map.serialize_entry("t_ms", &self.entry.timestamp().map(StatTime::as_millis))?;
        for (name, value) in self.values() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}
