//! `inspect`: what a file is and what is inside.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use callgauge::id::{MediaKind, Ssrc};
use callgauge::ingest::Snapshot;
use callgauge::report::{StatsType, Text};

use crate::input;
use crate::text::{duration, plural, time_of_day};

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

pub(crate) fn run(file: &Path, out: &mut dyn Write) -> io::Result<bool> {
    let mut connections: BTreeMap<String, Connection> = BTreeMap::new();
    let input = input::read(file, &mut |snapshot| {
        connections.entry(snapshot.fabric.to_owned()).or_default().see(snapshot);
    });
    match input.format {
        Some(format) => writeln!(out, "{}: {format}", input.file)?,
        None => writeln!(out, "{}: no format that is known", input.file)?,
    }
    if let Some(conference) = &input.conference {
        writeln!(out, "conference {conference}")?;
    }
    writeln!(
        out,
        "{}, {}, {}",
        plural(input.lines, "record"),
        plural(input.snapshots, "snapshot"),
        plural(connections.len() as u64, "connection"),
    )?;
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
    for problem in &input.problems {
        writeln!(out, "  {problem}")?;
    }
    Ok(input.format.is_some())
}

impl Connection {
    fn see(&mut self, snapshot: Snapshot<'_>) {
        self.snapshots += 1;
        let at = snapshot.at.map(callgauge::unit::StatTime::as_millis);
        self.first_ms = self.first_ms.or(at);
        self.last_ms = at.or(self.last_ms);
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
                let codec = entry.text(Text::CodecId).and_then(|id| snapshot.report.by_id(id)).unwrap_or(entry);
                stream.codec = codec.text(Text::MimeType).map(Into::into);
            }
        }
    }

    fn write(&self, name: &str, out: &mut dyn Write) -> io::Result<()> {
        let name = if name.is_empty() { "(unnamed)" } else { name };
        write!(out, "\n{name}: {}", plural(self.snapshots, "snapshot"))?;
        if let (Some(first), Some(last)) = (self.first_ms, self.last_ms) {
            write!(out, " in {}, from {}", duration((last - first) / 1e3), time_of_day(first))?;
        }
        writeln!(out)?;
        for ((kind, media, ssrc), stream) in &self.streams {
            let way = if *kind == StatsType::InboundRtp { "inbound " } else { "outbound" };
            let media = media.map_or("?", MediaKind::name);
            let codec = stream.codec.as_deref().unwrap_or("codec unknown");
            writeln!(out, "  {way} {media} {:>10}  {codec}, in {}", ssrc.get(), plural(stream.snapshots, "snapshot"))?;
        }
        let types: Vec<_> = self.types.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
        writeln!(out, "  {}: {}", plural(self.entries, "entry"), types.join(", "))
    }
}
