//! rtcstats v3 against the recordings from which it was made, and the permitted effects of a bad line.

use std::collections::HashMap;

use callgauge::ingest::{Format, ReadErrorKind, Reader};
use callgauge::report::{Entry, Flag, Num, StatsType, Text};

use crate::common::reading::{StoredSnapshot, read_lines, recording};

/// State of one connection while two formats are compared.
#[derive(Default)]
struct Connection {
    /// Ids in the recording to those in the dump.
    ids: HashMap<String, String>,
    /// The last value of every member, because the format cannot express that an entry lost a member.
    last: HashMap<(String, Num), f64>,
    compared: usize,
    stale: usize,
}

/// Members that name another entry.
const REFERENCES: &[Text] = &[
    Text::CodecId,
    Text::TransportId,
    Text::RemoteId,
    Text::LocalId,
    Text::MediaSourceId,
    Text::PlayoutId,
    Text::SelectedCandidatePairId,
    Text::LocalCandidateId,
    Text::RemoteCandidateId,
];

impl Connection {
    /// Asserts that two snapshots are equal.
    fn compare(&mut self, plain: &StoredSnapshot, packed: &StoredSnapshot) {
        let sent = || plain.report.entries().filter(|entry| entry.kind() != StatsType::Certificate);
        // Entries are numbered in the order of their first appearance.
        let known: Vec<String> = self.ids.values().cloned().collect();
        let all = packed.report.entries().map(|entry| entry.id());
        let mut fresh = all.filter(|&id| !known.iter().any(|known| known == id));
        for entry in sent() {
            if !self.ids.contains_key(entry.id()) {
                self.ids.insert(entry.id().into(), fresh.next().expect("a number for a new entry").into());
            }
        }
        assert_eq!(fresh.next(), None);
        assert_eq!(sent().count(), packed.report.len(), "entries at {:?}", plain.at);
        for entry in sent() {
            self.compare_entries(entry, packed.report.by_id(&self.ids[entry.id()]).unwrap());
        }
    }

    fn compare_entries(&mut self, plain: Entry<'_>, packed: Entry<'_>) {
        let of = format!("{} {}", plain.kind().name(), plain.id());
        assert_eq!(plain.kind(), packed.kind(), "{of}");
        assert_eq!(plain.media(), packed.media(), "{of}");
        assert_eq!(plain.timestamp(), packed.timestamp(), "{of}");
        for &field in Num::ALL {
            let (expected, found) = (plain.get(field), packed.get(field));
            if expected.is_some() || found.is_none() {
                assert_eq!(expected, found, "{of} {}", field.name());
                self.compared += usize::from(expected.is_some());
            } else {
                assert_eq!(self.last.get(&(plain.id().into(), field)).copied(), found, "{of} {}", field.name());
                self.stale += 1;
            }
            if let Some(expected) = expected {
                self.last.insert((plain.id().into(), field), expected);
            }
        }
        for &field in Text::ALL {
            let (mut expected, found) = (plain.text(field), packed.text(field));
            if REFERENCES.contains(&field) {
                // An id that names an entry never sent (a certificate) is dropped.
                expected = expected.and_then(|id| self.ids.get(id)).map(String::as_str);
            }
            if expected.is_some() || found.is_none() {
                assert_eq!(expected, found, "{of} {}", field.name());
                self.compared += usize::from(expected.is_some());
            } else {
                self.stale += 1;
            }
        }
        for &flag in Flag::ALL {
            if !matches!(flag, Flag::IsRemote | Flag::Writable) {
                assert_eq!(plain.flag(flag), packed.flag(flag), "{of} {}", flag.name());
                self.compared += usize::from(plain.flag(flag).is_some());
            }
        }
    }
}

#[test]
fn odd_first_record_does_not_set_the_format() {
    for odd in ["[1,2]", r#"["a"]"#, r#"["g", "PC_0"]"#, r#"["error", "getStats failed"]"#] {
        let mut reader = Reader::new();
        let error = reader.read(odd.as_bytes(), &mut |_| panic!("no snapshot")).unwrap_err();
        assert_eq!(error.kind(), ReadErrorKind::UnknownFormat, "{odd}");
        let mut entries = 0;
        let recording = recording("clean.ndjson.gz");
        let line = recording.split(|&byte| byte == b'\n').next().unwrap();
        reader.read(line, &mut |snapshot| entries += snapshot.report.entries().count()).unwrap();
        assert!(entries > 0, "{odd}");
    }
}

#[test]
fn packed_dump_reads_like_its_source_recording() {
    for (name, at_least) in [("loss5", 40_000), ("mesh3", 70_000), ("screen", 40_000)] {
        let plain = read_lines(&recording(&format!("{name}.ndjson.gz")));
        let packed = read_lines(&recording(&format!("other/{name}.rtcstats3.gz")));
        assert!(plain.errors.is_empty() && packed.errors.is_empty(), "{name}: {:?}", packed.errors);
        assert_eq!(packed.reader.format(), Some(Format::Rtcstats));
        assert_eq!(packed.reader.skipped(), plain.reader.skipped());
        assert_eq!(plain.snapshots.len(), packed.snapshots.len(), "{name}");
        let mut connections: HashMap<&str, Connection> = HashMap::new();
        for (plain, packed) in plain.snapshots.iter().zip(&packed.snapshots) {
            assert_eq!(plain.fabric, packed.fabric);
            // Times are sums of steps.
            assert!((plain.at.unwrap() - packed.at.unwrap()).abs() < 0.01, "{:?} {:?}", plain.at, packed.at);
            connections.entry(&plain.fabric).or_default().compare(plain, packed);
        }
        let sum = |of: fn(&Connection) -> usize| connections.values().map(of).sum::<usize>();
        let (compared, stale) = (sum(|it| it.compared), sum(|it| it.stale));
        eprintln!("{name}: {} snapshots, {compared} members equal, {stale} stale", plain.snapshots.len());
        assert!(compared > at_least, "{name}: {compared}");
        assert!(stale < compared / 100, "{name}: {stale}");
    }
}
