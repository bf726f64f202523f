//! `inspect`: the format of a file, its contents, and what was skipped or refused and why.
//! It scores nothing; a replay runs along only to count what a conference refuses.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use callgauge::id::{MediaKind, Ssrc};
use callgauge::ingest::{Item, LogEventKind, NameCounts, Snapshot};
use callgauge::replay::{Replay, SourceId, ends};
use callgauge::report::{Entry, StatsType, Text};
use serde::Serialize;

use crate::files::fill;
use crate::output::{Format, Page, Status};
use crate::problems;
use crate::records::{self, InputFile, Sink};
use crate::sources::InputSource;
use crate::wording::{duration, plural, printable, time_of_day};

/// The contents of one connection.
#[derive(Default)]
struct ConnectionCounts {
    snapshots: u64,
    entries: u64,
    first_ms: Option<f64>,
    last_ms: Option<f64>,
    streams: BTreeMap<(StatsType, Option<MediaKind>, Ssrc), StreamCounts>,
    types: BTreeMap<StatsType, u64>,
}

#[derive(Default)]
struct StreamCounts {
    snapshots: u64,
    codec: Option<String>,
}

/// Characters of a codec's name, at most.
const CODEC_WIDTH: usize = 64;

fn codecs_by_id(snapshot: Snapshot<'_>) -> HashMap<&str, Entry<'_>> {
    snapshot.report.of(StatsType::Codec).map(|codec| (codec.id(), codec)).collect()
}

/// The contents of a file, and its replay, which counts what a conference refuses.
struct Contents {
    connections: BTreeMap<String, ConnectionCounts>,
    users: BTreeSet<String>,
    replay: Replay,
    source: SourceId,
}

impl Sink for Contents {
    fn push(&mut self, item: Item<'_>) {
        self.replay.push(self.source, &item);
        let Self { connections, users, .. } = self;
        match item {
            Item::Snapshot(snapshot) => {
                let connection = connections.entry(snapshot.fabric.to_owned()).or_insert_with(|| {
                    users.extend(
                        ends(snapshot.fabric).into_iter().flat_map(|(local, remote)| [local.into(), remote.into()]),
                    );
                    ConnectionCounts::default()
                });
                connection.observe(snapshot);
            }
            Item::LogEvent(event) => {
                if let LogEventKind::Identity(identity) = event.what {
                    users.extend(identity.user.or(identity.display_name).map(Into::into));
                }
            }
            _ => {}
        }
    }

    fn set_document(&mut self) {
        self.replay.set_document(self.source);
    }
}

pub(crate) fn run(format: Format, files: &[InputSource], out: &mut dyn Write) -> io::Result<Status> {
    let mut usable = false;
    for (index, file) in files.iter().enumerate() {
        let inspected = inspect(file);
        usable |= inspected.input.is_usable();
        match format {
            Format::Text => {
                let page = &mut Page::stdout(out);
                if index > 0 {
                    page.blank()?;
                }
                inspected.write(page)?;
            }
            Format::Json => {
                serde_json::to_writer(&mut *out, &FileSummary::of(&inspected))?;
                writeln!(out)?;
            }
        }
    }
    Ok(Status::usable(usable))
}

/// A file that was read to its end.
struct Inspected {
    input: InputFile,
    connections: BTreeMap<String, ConnectionCounts>,
    users: BTreeSet<String>,
    unplaced: u64,
}

fn inspect(file: &InputSource) -> Inspected {
    let mut replay = Replay::default();
    let source = replay.add_source(None);
    let mut contents = Contents { connections: BTreeMap::new(), users: BTreeSet::new(), replay, source };
    let mut input = records::read(file, &mut contents);
    contents.replay.close(source, &mut |_, _, _| {});
    let unplaced = contents.replay.unplaced();
    let Contents { connections, users, replay, .. } = contents;
    for source in &replay.finish().sources {
        fill(&mut input, source);
    }
    Inspected { input, connections, users, unplaced }
}

impl Inspected {
    fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        let Self { input, connections, users, unplaced } = self;
        write_head(input, users, connections.len(), page)?;
        for (name, connection) in connections {
            connection.write(name, page)?;
        }
        write_left_out(input, *unplaced, page)?;
        write_unread(input, page)
    }
}

/// An inspected file as JSON.
#[derive(Serialize)]
struct FileSummary<'a> {
    file: &'a str,
    format: Option<&'static str>,
    conference: Option<&'a str>,
    /// Records: lines, or 1 for a document.
    records: u64,
    snapshots: u64,
    connections: usize,
    streams: usize,
    users: &'a BTreeSet<String>,
    log_events: u64,
    start_ms: Option<f64>,
    end_ms: Option<f64>,
    skipped: SkippedCounts<'a>,
    /// Members of entries of known types, by the number of occurrences.
    unread: BTreeMap<&'a str, u64>,
    unread_types: BTreeMap<&'a str, u64>,
    /// Values that are no word of their member, as `dtlsState: hanging`.
    unread_values: BTreeMap<&'a str, u64>,
    unread_events: BTreeMap<&'a str, u64>,
    unread_words: BTreeMap<&'a str, u64>,
    /// Occurrences of names beyond those that are listed.
    unread_others: u64,
    /// What could not be read or was refused, in sentences.
    problems: Vec<String>,
}

/// What was skipped, by what it is.
#[derive(Serialize)]
struct SkippedCounts<'a> {
    records: u64,
    entries: u64,
    empty_snapshots: u64,
    unusable_snapshots: u64,
    refused_snapshots: u64,
    differences: u64,
    bad_fields: u64,
    bad_members: &'a [&'static str],
}

impl<'a> FileSummary<'a> {
    fn of(inspected: &'a Inspected) -> Self {
        let Inspected { input, connections, users, unplaced } = inspected;
        let tables = problems::unread_names(input).map(|(_, names)| names);
        let [unread, unread_types, unread_values, unread_events, unread_words] =
            tables.map(|names| names.iter().collect());
        Self {
            file: &input.file,
            format: input.format,
            conference: input.conference.as_deref(),
            records: input.lines,
            snapshots: input.snapshots,
            connections: connections.len(),
            streams: connections.values().map(|connection| connection.streams.len()).sum(),
            users,
            log_events: input.log_events,
            start_ms: connections.values().filter_map(|connection| connection.first_ms).reduce(f64::min),
            end_ms: connections.values().filter_map(|connection| connection.last_ms).reduce(f64::max),
            skipped: SkippedCounts {
                records: input.skipped_lines,
                entries: input.skipped_entries,
                empty_snapshots: input.empty_snapshots,
                unusable_snapshots: input.unusable_snapshots,
                refused_snapshots: input.refused_snapshots,
                differences: input.skipped_differences,
                bad_fields: input.bad_fields,
                bad_members: &input.bad_members,
            },
            unread,
            unread_types,
            unread_values,
            unread_events,
            unread_words,
            unread_others: tables.map(NameCounts::others).iter().sum(),
            problems: left_out(input, *unplaced),
        }
    }
}

/// What was not read because its name is unknown, each with its number of occurrences.
fn write_unread(input: &InputFile, page: &mut Page<'_>) -> io::Result<()> {
    for (nouns, names) in problems::unread_names(input) {
        let mut listed: Vec<String> =
            problems::by_count(names).into_iter().map(|(name, count)| format!("{name} {count}")).collect();
        if names.others() > 0 {
            listed.push(format!("others {}", names.others()));
        }
        if let Some(first) = listed.first_mut() {
            first.insert_str(0, &format!("not read, unknown {}: ", nouns[1]));
            page.facts(0, &listed, ", ")?;
        }
    }
    Ok(())
}

fn write_head(input: &InputFile, users: &BTreeSet<String>, connections: usize, page: &mut Page<'_>) -> io::Result<()> {
    page.heading(&format!("{}: {}", printable(&input.file), input.format.unwrap_or("unrecognised format")))?;
    if let Some(conference) = &input.conference {
        page.line(0, &format!("conference: {}", printable(conference)))?;
    }
    if !users.is_empty() {
        let users: Vec<_> = users.iter().map(|user| printable(user)).collect();
        page.line(0, &format!("users: {}", users.join(", ")))?;
    }
    let mut counts = vec![
        plural(input.lines, "record"),
        plural(input.snapshots, "snapshot"),
        plural(connections as u64, "connection"),
    ];
    if input.log_events > 0 {
        counts.push(format!("{} besides stats", plural(input.log_events, "event")));
    }
    page.facts(0, &counts, ", ")
}

/// What was skipped, ignored and refused, and why, as sentences.
fn left_out(input: &InputFile, unplaced: u64) -> Vec<String> {
    problems::of_input(input).into_iter().chain(problems::of_unplaced(unplaced)).collect()
}

/// Lists what was [left out](left_out).
fn write_left_out(input: &InputFile, unplaced: u64, page: &mut Page<'_>) -> io::Result<()> {
    let sentences = left_out(input, unplaced);
    page.blank()?;
    page.line(0, if sentences.is_empty() { "left out: nothing" } else { "left out:" })?;
    sentences.iter().try_for_each(|sentence| page.line(2, sentence))
}

impl ConnectionCounts {
    fn observe(&mut self, snapshot: Snapshot<'_>) {
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

    fn write(&self, name: &str, page: &mut Page<'_>) -> io::Result<()> {
        let name = if name.is_empty() { "(unnamed)".into() } else { printable(name) };
        let mut title = format!("{name}: {}", plural(self.snapshots, "snapshot"));
        if let (Some(first), Some(last)) = (self.first_ms, self.last_ms) {
            title += &format!(" over {} from {}", duration((last - first) / 1e3), time_of_day(first));
        }
        page.blank()?;
        page.heading(&title)?;
        for ((kind, media, ssrc), stream) in &self.streams {
            let way = if *kind == StatsType::InboundRtp { "inbound " } else { "outbound" };
            let media = media.map_or("?", MediaKind::name);
            let codec = printable(stream.codec.as_deref().unwrap_or("codec unknown"));
            let snapshots = plural(stream.snapshots, "snapshot");
            let facts = [format!("{way} {media:5} SSRC {:>10}  {codec}", ssrc.get()), format!("in {snapshots}")];
            page.facts(2, &facts, ", ")?;
        }
        let mut types: Vec<_> = self.types.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
        if let Some(first) = types.first_mut() {
            first.insert_str(0, &format!("{}: ", plural(self.entries, "entry")));
        }
        page.facts(2, &types, ", ")
    }
}
