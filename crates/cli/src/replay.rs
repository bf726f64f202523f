//! Files into a conference.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use callgauge::id::{Direction, FabricId, Ssrc, UserId};
use callgauge::ingest::Item;
use callgauge::summary::{ConferenceSummary, FabricSummary};
use callgauge::{Conference, Config, Event, Limits};

use crate::clocks::{self, Offset, Sightings};
use crate::drive::{Drive, Source};
use crate::input::{self, Input, Take};
use crate::told::{Event as FileEvent, Told};

/// How many items of a file may wait for the other files.
const WAITING: usize = 64;

/// Builds a conference from all files, and shows each event as it comes, with the fabric's name in its file.
pub(crate) fn replay(files: &[PathBuf], mut see: impl FnMut(&str, &Event, &Conference)) -> (Conference, Vec<Input>) {
    let mut drive = Drive::new(Conference::new("", config()));
    let mut inputs = match files {
        [file] => vec![alone(file, &mut drive, &mut see)],
        _ => together(files, &mut drive, &mut see),
    };
    let fabrics = summary_of(&drive.call).fabrics;
    join_ends(&mut drive.call, &fabrics);
    for input in &mut inputs {
        let own = input.connections.iter().filter_map(|&index| fabrics.get(index));
        input.refused_entries = own.map(|fabric| fabric.refused_streams).sum();
    }
    (drive.call, inputs)
}

/// For recordings, of which there are few at a time: what comes late still belongs to the call, and distributions are
/// as exact as they can be.
fn config() -> Config {
    Config::new().with_reopening(true).with_limits(Limits::new().with_digest_cells(4_096))
}

/// What the call came to, its fabrics in the order in which they were opened.
pub(crate) fn summary_of(call: &Conference) -> ConferenceSummary {
    let mut summary = call.summary();
    let mut fabrics: Vec<_> = call.fabric_order().into_iter().zip(summary.fabrics).collect();
    fabrics.sort_by_key(|&(id, _)| id);
    summary.fabrics = fabrics.into_iter().map(|(_, fabric)| fabric).collect();
    summary
}

/// The file of each fabric, in the order of [`summary_of`].
pub(crate) fn files_of(inputs: &[Input]) -> Vec<&Input> {
    let mut files: Vec<(usize, &Input)> =
        inputs.iter().flat_map(|input| input.connections.iter().map(move |&index| (index, input))).collect();
    files.sort_by_key(|&(index, _)| index);
    files.into_iter().map(|(_, input)| input).collect()
}

type See<'a> = dyn FnMut(&str, &Event, &Conference) + 'a;

/// One file, item by item as it is read.
fn alone(file: &Path, drive: &mut Drive, see: &mut See<'_>) -> Input {
    let mut one = One { drive, see, source: Source::default(), document: None };
    let input = input::read(file, &mut one);
    for event in in_time(one.document.take()) {
        play(one.drive, &mut one.source, event.at_ms, event, one.see);
    }
    finished(input, &one.source)
}

/// Takes a single file.
struct One<'a, 'b> {
    drive: &'a mut Drive,
    see: &'a mut See<'b>,
    source: Source,
    /// What is in a document waits for its turn in time.
    document: Option<Vec<FileEvent>>,
}

impl Take for One<'_, '_> {
    fn take(&mut self, item: Item<'_>) {
        match (item, &mut self.document) {
            (Item::Snapshot(snapshot), None) => {
                self.drive.pass(snapshot.at.map(|at| at.as_millis()));
                if self.drive.snapshot(&mut self.source, snapshot.fabric, snapshot.report) {
                    show(self.drive, snapshot.fabric, self.see);
                }
            }
            (item, Some(document)) => document.extend(FileEvent::of(&item)),
            (item, None) => {
                if let Some(event) = FileEvent::of(&item) {
                    play(self.drive, &mut self.source, event.at_ms, event, self.see);
                }
            }
        }
    }

    fn take_document(&mut self) {
        self.document = Some(Vec::new());
    }
}

/// Takes one of several files, for the reader of all.
struct Waiting {
    sender: SyncSender<FileEvent>,
    document: Option<Vec<FileEvent>>,
}

impl Take for Waiting {
    fn take(&mut self, item: Item<'_>) {
        match (FileEvent::of(&item), &mut self.document) {
            (Some(event), Some(document)) => document.push(event),
            // Nobody listens any more only when the reader of all gave up.
            (Some(event), None) => drop(self.sender.send(event)),
            (None, _) => {}
        }
    }

    fn take_document(&mut self) {
        self.document = Some(Vec::new());
    }
}

/// What is in a document, in the order of time. What has no time is due when what stands before it is.
fn in_time(document: Option<Vec<FileEvent>>) -> Vec<FileEvent> {
    let mut before = f64::NEG_INFINITY;
    let due = |event: FileEvent| {
        before = event.at_ms.unwrap_or(before);
        (before, event)
    };
    let mut due: Vec<(f64, FileEvent)> = document.unwrap_or_default().into_iter().map(due).collect();
    due.sort_by(|a, b| a.0.total_cmp(&b.0));
    due.into_iter().map(|(_, event)| event).collect()
}

/// Lets the conference take an event that is due at a time.
fn play(drive: &mut Drive, source: &mut Source, due_ms: Option<f64>, event: FileEvent, see: &mut See<'_>) {
    drive.pass(due_ms);
    match event.told {
        Told::Snapshot(report) => {
            drive.snapshot(source, &event.fabric, &report);
        }
        told => drive.tell(source, &event.fabric, told, event.at_ms.is_some()),
    }
    show(drive, &event.fabric, see);
}

fn show(drive: &mut Drive, fabric: &str, see: &mut See<'_>) {
    while let Some(event) = drive.call.poll_event() {
        see(fabric, &event, &drive.call);
    }
}

fn finished(mut input: Input, source: &Source) -> Input {
    input.connections = source.opened.iter().map(|fabric| fabric.index()).collect();
    input.refused_snapshots = source.refused_snapshots;
    input
}

/// Several files in the order of time, on the clock of the first. They are read twice: first for their clocks.
fn together(files: &[PathBuf], drive: &mut Drive, see: &mut See<'_>) -> Vec<Input> {
    let offsets = clocks::offsets(&files.iter().map(|file| sight(file)).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        let (mut streams, mut threads) = (Vec::new(), Vec::new());
        for (file, offset) in files.iter().zip(&offsets) {
            let (sender, receiver) = sync_channel(WAITING);
            threads.push(scope.spawn(move || {
                let mut waiting = Waiting { sender, document: None };
                let input = input::read(file, &mut waiting);
                for event in in_time(waiting.document.take()) {
                    drop(waiting.sender.send(event));
                }
                input
            }));
            streams.push(Stream::new(receiver, *offset));
        }
        let mut sources: Vec<Source> = files.iter().map(|_| Source::default()).collect();
        while let Some(index) = earliest(&streams) {
            let (Some(stream), Some(source)) = (streams.get_mut(index), sources.get_mut(index)) else { break };
            let due_ms = stream.head_ms;
            if let Some(event) = stream.next() {
                play(drive, source, due_ms, event, see);
            }
        }
        let inputs = threads.into_iter().zip(files);
        inputs
            .map(|(thread, file)| thread.join().unwrap_or_else(|_| input::broken(file)))
            .zip(sources)
            .zip(offsets)
            .map(|((input, source), offset)| Input {
                clock_offset_ms: offset.map(|offset| offset.ms),
                clock_uncertainty_ms: offset.map(|offset| offset.uncertainty_ms),
                ..finished(input, &source)
            })
            .collect()
    })
}

/// What a file says of clocks. Standard input cannot be read twice, and says nothing.
fn sight(file: &Path) -> Sightings {
    let mut sightings = Sightings::default();
    if file != Path::new("-") {
        input::read(file, &mut |item: Item<'_>| {
            if let Item::Snapshot(snapshot) = item {
                sightings.look(snapshot.report);
            }
        });
    }
    sightings
}

/// The items of one file that wait for their turn.
struct Stream {
    receiver: Receiver<FileEvent>,
    head: Option<FileEvent>,
    /// When the head is due, on the clock of the first file. Items of one file keep their order, and those without a
    /// time are due when the one before was.
    head_ms: Option<f64>,
    offset_ms: f64,
}

impl Stream {
    fn new(receiver: Receiver<FileEvent>, offset: Option<Offset>) -> Self {
        let mut stream =
            Self { receiver, head: None, head_ms: None, offset_ms: offset.map_or(0.0, |offset| offset.ms) };
        stream.next();
        stream
    }

    fn next(&mut self) -> Option<FileEvent> {
        let event = self.head.take();
        self.head = self.receiver.recv().ok();
        if let Some(FileEvent { told: Told::Snapshot(report), .. }) = &mut self.head {
            report.shift_clock(-self.offset_ms);
        }
        let at_ms = self.head.as_ref().and_then(|head| head.at_ms).map(|at_ms| at_ms - self.offset_ms);
        self.head_ms = [self.head_ms, at_ms].into_iter().flatten().reduce(f64::max);
        event
    }
}

/// The stream whose head is due first; of equals the first.
fn earliest(streams: &[Stream]) -> Option<usize> {
    let waiting = streams.iter().enumerate().filter(|(_, stream)| stream.head.is_some());
    let due = |stream: &Stream| stream.head_ms.unwrap_or(f64::NEG_INFINITY);
    waiting.min_by(|(_, a), (_, b)| due(a).total_cmp(&due(b))).map(|(index, _)| index)
}

/// Says who is at the other end of a connection where nobody said it: the one who sends what it receives, if all of it
/// comes from one. `fabrics` are in the order in which they were opened.
fn join_ends(call: &mut Conference, fabrics: &[FabricSummary]) {
    let mut order = call.fabric_order();
    order.sort_unstable();
    let mut senders: HashMap<Ssrc, HashSet<&str>> = HashMap::new();
    for fabric in fabrics {
        let Some(user) = fabric.local_user.as_deref() else { continue };
        for stream in fabric.streams.iter().filter(|stream| stream.direction == Direction::Outbound) {
            senders.entry(stream.ssrc).or_default().insert(user);
        }
    }
    let mut found: Vec<(FabricId, String)> = Vec::new();
    for (&id, fabric) in order.iter().zip(fabrics) {
        if fabric.remote_user.is_some() {
            continue;
        }
        let received = fabric.streams.iter().filter(|stream| stream.direction == Direction::Inbound);
        let from: HashSet<&str> = received
            .filter_map(|stream| senders.get(&stream.ssrc))
            .flatten()
            .copied()
            .filter(|&sender| Some(sender) != fabric.local_user.as_deref())
            .collect();
        if let [sender] = from.iter().collect::<Vec<_>>()[..] {
            found.push((id, (*sender).to_owned()));
        }
    }
    for (id, name) in found {
        let user: Option<UserId> = call.user(&name).ok();
        if let (Some(user), Ok(mut fabric)) = (user, call.fabric(id)) {
            let _ = fabric.set_remote_user(user);
        }
    }
}
