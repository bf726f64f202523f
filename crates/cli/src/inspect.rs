//! `inspect`: what a file is and what is inside.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};
use std::path::Path;

use callgauge::id::{MediaKind, Ssrc};
use callgauge::ingest::{Item, LogEventKind, Snapshot};
use callgauge::replay::{Replay, SourceId, ends};
use callgauge::report::{Entry, StatsType, Text};

use crate::files::fill;
use crate::records::{self, Take};
use crate::wording::{duration, plural, printable, time_of_day};

/// What is known of one connection.
#[derive(Default)]
struct Connection {
    snapshots: u64,
    entries: u64,
    first_ms: Option<f64>,
    last_ms: Option<f64>,
    streams: BTreeMap<(StatsType, Option<MediaKind>, Ssrc), Stream>,
    types: BTreeMap<StatsType, u64>,
}

#[derive(Default)]
struct Stream {
    snapshots: u64,
    codec: Option<String>,
}

/// How much of a codec's name is shown.
const CODEC_WIDTH: usize = 64;

fn codecs_by_id(snapshot: Snapshot<'_>) -> HashMap<&str, Entry<'_>> {
    snapshot.report.of(StatsType::Codec).map(|codec| (codec.id(), codec)).collect()
}

/// What is in a file, and its replay, which says what a conference refuses.
struct Contents {
    connections: BTreeMap<String, Connection>,
    users: BTreeSet<String>,
    replay: Replay,
    source: SourceId,
}

impl Take for Contents {
    fn take(&mut self, item: Item<'_>) {
        self.replay.push(self.source, &item);
        let Self { connections, users, .. } = self;
        match item {
            Item::Snapshot(snapshot) => {
                let connection = connections.entry(snapshot.fabric.to_owned()).or_insert_with(|| {
                    users.extend(
                        ends(snapshot.fabric).into_iter().flat_map(|(local, remote)| [local.into(), remote.into()]),
                    );
                    Connection::default()
                });
                connection.see(snapshot);
            }
            Item::LogEvent(happening) => {
                if let LogEventKind::Identity(identity) = happening.what {
                    users.extend(identity.user.or(identity.display_name).map(Into::into));
                }
            }
            _ => {}
        }
    }

    fn take_document(&mut self) {
        self.replay.set_document(self.source);
    }
}

pub(crate) fn run(file: &Path, out: &mut dyn Write) -> io::Result<bool> {
    let mut replay = Replay::default();
    let source = replay.add_source(None);
    let mut contents = Contents { connections: BTreeMap::new(), users: BTreeSet::new(), replay, source };
    let mut input = records::read(file, &mut contents);
    let Contents { connections, users, replay, .. } = contents;
    for source in &replay.finish().sources {
        fill(&mut input, source);
    }
    match input.format {
        Some(format) => writeln!(out, "{}: {format}", input.file)?,
        None => writeln!(out, "{}: no format that is known", input.file)?,
    }
    if let Some(conference) = &input.conference {
        writeln!(out, "conference {}", printable(conference))?;
    }
    if !users.is_empty() {
        let users: Vec<_> = users.iter().map(|user| printable(user)).collect();
        writeln!(out, "users {}", users.join(", "))?;
    }
    write!(
        out,
        "{}, {}, {}",
        plural(input.lines, "record"),
        plural(input.snapshots, "snapshot"),
        plural(connections.len() as u64, "connection"),
    )?;
    if input.happenings > 0 {
        write!(out, ", {} beside stats", plural(input.happenings, "happening"))?;
    }
    writeln!(out)?;
    for (name, connection) in &connections {
        connection.write(name, out)?;
    }
    writeln!(
        out,
        "skipped: {}, {}, {}{}",
        plural(input.skipped_lines, "record"),
        plural(input.skipped_entries, "entry"),
        plural(input.bad_fields, "impossible value"),
        input.which(),
    )?;
    if let Some(refused) = input.refused() {
        writeln!(out, "{refused}")?;
    }
    for problem in &input.problems {
        writeln!(out, "  {problem}")?;
    }
    Ok(input.format.is_some())
}

impl Connection {
    fn see(&mut self, snapshot: Snapshot<'_>) {
        self.snapshots += 1;
        let at = snapshot.at.map(callgauge::unit::StatTime::as_millis);
        // Lines are not always in order.
        self.first_ms = self.first_ms.into_iter().chain(at).reduce(f64::min);
        self.last_ms = self.last_ms.into_iter().chain(at).reduce(f64::max);
        let mut codecs = None;
        for entry in snapshot.report.entries() {
            self.entries += 1;
            *self.types.entry(entry.kind()).or_default() += 1;
            if !matches!(entry.kind(), StatsType::InboundRtp | StatsType::OutboundRtp) {
                continue;
            }
            let Some(ssrc) = entry.ssrc() else { continue };
            let stream = self.streams.entry((entry.kind(), entry.media(), ssrc)).or_default();
            stream.snapshots += 1;
            if stream.codec.is_none() {
                let codecs = codecs.get_or_insert_with(|| codecs_by_id(snapshot));
                let codec = entry.text(Text::CodecId).and_then(|id| codecs.get(id).copied()).unwrap_or(entry);
                // One long text may be the codec of thousands of streams.
                stream.codec = codec.text(Text::MimeType).map(|mime| mime.chars().take(CODEC_WIDTH).collect());
            }
        }
    }

    fn write(&self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        let name = if name.is_empty() { "(unnamed)".into() } else { printable(name) };
        write!(out, "\n{name}: {}", plural(self.snapshots, "snapshot"))?;
        if let (Some(first), Some(last)) = (self.first_ms, self.last_ms) {
            write!(out, " in {}, from {}", duration((last - first) / 1e3), time_of_day(first))?;
        }
        writeln!(out)?;
        for ((kind, media, ssrc), stream) in &self.streams {
            let way = if *kind == StatsType::InboundRtp { "inbound " } else { "outbound" };
            let media = media.map_or("?", MediaKind::name);
            let codec = printable(stream.codec.as_deref().unwrap_or("codec unknown"));
            writeln!(out, "  {way} {media} {:>10}  {codec}, in {}", ssrc.get(), plural(stream.snapshots, "snapshot"))?;
        }
        let types: Vec<_> = self.types.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
        writeln!(out, "  {}: {}", plural(self.entries, "entry"), types.join(", "))
    }
}
