//! Replays files into one conference: one file as it is read, several in the order of time on the clock of the first.
//! Reading is left to `records`, the order of items to the engine's replay.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};

use callgauge::ingest::Item;
use callgauge::replay::{
    EachEvent, OwnedItem, Recording, Replay, SenderReportTimes, SourceId, SourceOutcome, clock_offsets,
};
use callgauge::{Conference, Event};

use crate::problems;
use crate::records::{self, InputFile, Sink};

/// How many items of a file may wait for the other files.
const QUEUE_LENGTH: usize = 64;

/// A conference, and the files that it was built from.
pub(crate) struct Replayed {
    pub(crate) recording: Recording,
    pub(crate) inputs: Vec<InputFile>,
    /// Items that arrived after the end of their file.
    pub(crate) unplaced: u64,
}

impl Replayed {
    /// Says on standard error what was left out of the files.
    pub(crate) fn print_problems(&self) {
        self.inputs.iter().for_each(problems::print_problems);
        problems::print_unplaced(self.unplaced);
    }
}

/// Builds a conference from all files, and hands out each event in turn, with the fabric's name in its file.
pub(crate) fn replay(files: &[PathBuf], mut each: impl FnMut(&str, &Event, &Conference)) -> Replayed {
    let mut replay = Replay::default();
    let mut inputs = match files {
        [file] => vec![replay_file(file, &mut replay, &mut each)],
        _ => replay_merged(files, &mut replay, &mut each),
    };
    let unplaced = replay.unplaced();
    let recording = replay.finish();
    for (input, source) in inputs.iter_mut().zip(&recording.sources) {
        fill(input, source);
    }
    Replayed { recording, inputs, unplaced }
}

/// Copies the replay's outcome for a file.
pub(crate) fn fill(input: &mut InputFile, source: &SourceOutcome) {
    input.refused_snapshots = source.unopened_snapshots.total() + source.refused_snapshots.total();
    input.outcome = source.clone();
}

/// The file of each fabric, in the order of [`Recording::summary`].
pub(crate) fn files_of(inputs: &[InputFile]) -> Vec<&InputFile> {
    let mut files: Vec<(usize, &InputFile)> =
        inputs.iter().flat_map(|input| input.outcome.fabrics.iter().map(move |id| (id.index(), input))).collect();
    files.sort_by_key(|&(index, _)| index);
    files.into_iter().map(|(_, input)| input).collect()
}

/// One file, item by item as it is read.
fn replay_file(file: &Path, replay: &mut Replay, each: &mut EachEvent<'_>) -> InputFile {
    let source = replay.add_source(None);
    let input = records::read(file, &mut ReplaySink { replay, source, each });
    replay.close(source, each);
    input
}

/// Replays the items of a single file at once.
struct ReplaySink<'a, 'b> {
    replay: &'a mut Replay,
    source: SourceId,
    each: &'a mut EachEvent<'b>,
}

impl Sink for ReplaySink<'_, '_> {
    fn push(&mut self, item: Item<'_>) {
        self.replay.push_each(self.source, &item, self.each);
    }

    fn set_document(&mut self) {
        self.replay.set_document(self.source);
    }
}

/// What the thread of one of several files sends.
enum Message {
    Document,
    Item(OwnedItem),
}

/// Sends the items of one of several files to the replay.
struct QueueSink(SyncSender<Message>);

impl Sink for QueueSink {
    fn push(&mut self, item: Item<'_>) {
        if let Some(item) = OwnedItem::new(&item) {
            // The receiver is gone only if the replay has ended.
            drop(self.0.send(Message::Item(item)));
        }
    }

    fn set_document(&mut self) {
        drop(self.0.send(Message::Document));
    }
}

/// Several files in the order of time, on the clock of the first. They are read twice: first for their clocks.
fn replay_merged(files: &[PathBuf], replay: &mut Replay, each: &mut EachEvent<'_>) -> Vec<InputFile> {
    let offsets = clock_offsets(&files.iter().map(|file| sender_report_times(file)).collect::<Vec<_>>());
    let sources: Vec<SourceId> = offsets.iter().map(|&offset| replay.add_source(offset)).collect();
    std::thread::scope(|scope| {
        let (mut receivers, mut threads) = (Vec::new(), Vec::new());
        for (file, &source) in files.iter().zip(&sources) {
            let (sender, receiver) = sync_channel(QUEUE_LENGTH);
            threads.push(scope.spawn(move || records::read(file, &mut QueueSink(sender))));
            receivers.push((source, receiver));
        }
        while let Some(wanted) = replay.next_source() {
            let receiver = receivers.iter().find(|(source, _)| *source == wanted);
            match receiver.and_then(|(_, receiver)| receiver.recv().ok()) {
                Some(Message::Item(item)) => replay.push_owned(wanted, item, each),
                Some(Message::Document) => replay.set_document(wanted),
                None => replay.close(wanted, each),
            }
        }
        let inputs = threads.into_iter().zip(files);
        inputs
            .map(|(thread, file)| thread.join().unwrap_or_else(|_| records::broken(file)))
            .zip(offsets)
            .map(|(input, offset)| InputFile {
                clock_offset_ms: offset.map(|offset| offset.ms),
                clock_uncertainty_ms: offset.map(|offset| offset.uncertainty_ms),
                ..input
            })
            .collect()
    })
}

/// What a file says about clocks; nothing for standard input, which cannot be read twice.
fn sender_report_times(file: &Path) -> SenderReportTimes {
    let mut sightings = SenderReportTimes::default();
    if file != Path::new("-") {
        records::read(file, &mut |item: Item<'_>| {
            if let Item::Snapshot(snapshot) = item {
                sightings.observe(snapshot.report);
            }
        });
    }
    sightings
}
