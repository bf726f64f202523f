//! Files into a conference.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};

use callgauge::ingest::Item;
use callgauge::replay::{EachEvent, OwnedItem, Recording, Replay, Sightings, SourceId, SourceOutcome, clock_offsets};
use callgauge::{Conference, Event};

use crate::records::{self, Input, Take};

/// How many items of a file may wait for the other files.
const WAITING: usize = 64;

/// Builds a conference from all files, and shows each event as it comes, with the fabric's name in its file.
pub(crate) fn replay(files: &[PathBuf], mut see: impl FnMut(&str, &Event, &Conference)) -> (Recording, Vec<Input>) {
    let mut replay = Replay::default();
    let mut inputs = match files {
        [file] => vec![alone(file, &mut replay, &mut see)],
        _ => together(files, &mut replay, &mut see),
    };
    let recording = replay.finish();
    for (input, source) in inputs.iter_mut().zip(&recording.sources) {
        fill(input, source);
    }
    (recording, inputs)
}

/// What became of a file in the replay.
pub(crate) fn fill(input: &mut Input, source: &SourceOutcome) {
    input.connections = source.fabrics.iter().map(|fabric| fabric.index()).collect();
    input.refused_snapshots = source.unopened_snapshots;
    input.refused_entries = source.refused_entries;
    input.refused_events = source.refused_events.clone();
}

/// The file of each fabric, in the order of [`Recording::summary`].
pub(crate) fn files_of(inputs: &[Input]) -> Vec<&Input> {
    let mut files: Vec<(usize, &Input)> =
        inputs.iter().flat_map(|input| input.connections.iter().map(move |&index| (index, input))).collect();
    files.sort_by_key(|&(index, _)| index);
    files.into_iter().map(|(_, input)| input).collect()
}

/// One file, item by item as it is read.
fn alone(file: &Path, replay: &mut Replay, see: &mut EachEvent<'_>) -> Input {
    let source = replay.add_source(None);
    let input = records::read(file, &mut One { replay, source, see });
    replay.close(source, see);
    input
}

/// Takes a single file.
struct One<'a, 'b> {
    replay: &'a mut Replay,
    source: SourceId,
    see: &'a mut EachEvent<'b>,
}

impl Take for One<'_, '_> {
    fn take(&mut self, item: Item<'_>) {
        self.replay.push_each(self.source, &item, self.see);
    }

    fn take_document(&mut self) {
        self.replay.set_document(self.source);
    }
}

/// What the thread of a file sends.
enum Message {
    Document,
    Item(OwnedItem),
}

/// Takes one of several files, for the replay of all.
struct Waiting(SyncSender<Message>);

impl Take for Waiting {
    fn take(&mut self, item: Item<'_>) {
        if let Some(item) = OwnedItem::new(&item) {
            // The receiver is gone only when the replay gave up.
            drop(self.0.send(Message::Item(item)));
        }
    }

    fn take_document(&mut self) {
        drop(self.0.send(Message::Document));
    }
}

/// Several files in the order of time, on the clock of the first. They are read twice: first for their clocks.
fn together(files: &[PathBuf], replay: &mut Replay, see: &mut EachEvent<'_>) -> Vec<Input> {
    let offsets = clock_offsets(&files.iter().map(|file| sight(file)).collect::<Vec<_>>());
    let sources: Vec<SourceId> = offsets.iter().map(|&offset| replay.add_source(offset)).collect();
    std::thread::scope(|scope| {
        let (mut receivers, mut threads) = (Vec::new(), Vec::new());
        for (file, &source) in files.iter().zip(&sources) {
            let (sender, receiver) = sync_channel(WAITING);
            threads.push(scope.spawn(move || records::read(file, &mut Waiting(sender))));
            receivers.push((source, receiver));
        }
        while let Some(wanted) = replay.wanting() {
            let receiver = receivers.iter().find(|(source, _)| *source == wanted);
            match receiver.and_then(|(_, receiver)| receiver.recv().ok()) {
                Some(Message::Item(item)) => replay.push_owned(wanted, item, see),
                Some(Message::Document) => replay.set_document(wanted),
                None => replay.close(wanted, see),
            }
        }
        let inputs = threads.into_iter().zip(files);
        inputs
            .map(|(thread, file)| thread.join().unwrap_or_else(|_| records::broken(file)))
            .zip(offsets)
            .map(|(input, offset)| Input {
                clock_offset_ms: offset.map(|offset| offset.ms),
                clock_uncertainty_ms: offset.map(|offset| offset.uncertainty_ms),
                ..input
            })
            .collect()
    })
}

/// What a file says of clocks. Standard input cannot be read twice, and says nothing.
fn sight(file: &Path) -> Sightings {
    let mut sightings = Sightings::default();
    if file != Path::new("-") {
        records::read(file, &mut |item: Item<'_>| {
            if let Item::Snapshot(snapshot) = item {
                sightings.observe(snapshot.report);
            }
        });
    }
    sightings
}
