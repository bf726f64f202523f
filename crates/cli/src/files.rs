//! Replays the files of a call into one conference: one file as it is read, several in the order of time on the clock of
//! the first. Reading is left to `records`, the order of items to the engine's replay.

use callgauge::ingest::Item;
use callgauge::replay::{ItemOrigin, OwnedItem, Recording, Replay, SourceId, SourceOutcome, SourceOverview};
use callgauge::{Conference, Event};

use crate::calls::CallFiles;
use crate::problems;
use crate::queue::{ByteQueue, CloseOnDrop};
use crate::records::{self, InputFile, Sink};
use crate::sources::InputSource;

/// Memory of the items of all files that wait for each other, bytes.
const MAX_WAITING_BYTES: usize = 64 << 20;

/// A conference, and the files that it was built from.
pub(crate) struct Replayed {
    pub(crate) recording: Recording,
    pub(crate) inputs: Vec<InputFile>,
    /// Items that arrived after the end of their file.
    pub(crate) unplaced: u64,
    /// The name of the conference: the one given, otherwise the first in the files.
    pub(crate) conference: Option<String>,
}

impl Replayed {
    /// Whether any snapshot was read and accepted.
    pub(crate) fn is_usable(&self) -> bool {
        self.inputs.iter().any(|input| input.is_usable() && input.snapshots > input.refused_snapshots)
    }

    /// Says on standard error what was left out of the files.
    pub(crate) fn print_problems(&self) {
        self.inputs.iter().for_each(problems::print_problems);
        problems::print_unplaced(self.unplaced);
    }
}

/// The origin of an event.
#[derive(Clone, Copy)]
pub(crate) struct EventOrigin<'a> {
    pub(crate) file: &'a str,
    /// The conference, as far as the files have named it.
    pub(crate) conference: Option<&'a str>,
    pub(crate) fabric: &'a str,
}

/// Callback that receives each event of a replay.
pub(crate) type EventCallback<'a> = dyn FnMut(EventOrigin<'_>, &Event, &Conference) + 'a;

/// Builds a conference from the files of a call, and hands out each event in turn.
pub(crate) fn replay(call: &CallFiles, each: &mut EventCallback<'_>) -> Replayed {
    let mut replay = Replay::default();
    let mut inputs = match &*call.files {
        [_] => vec![replay_file(call, &mut replay, each)],
        _ => replay_merged(call, &mut replay, each),
    };
    let unplaced = replay.unplaced();
    let recording = replay.finish();
    for (input, source) in inputs.iter_mut().zip(&recording.sources) {
        fill(input, source);
    }
    let named = inputs.iter().find_map(|input| input.conference.clone());
    Replayed { recording, inputs, unplaced, conference: call.conference.clone().or(named) }
}

/// Copies the replay's outcome for a file.
pub(crate) fn fill(input: &mut InputFile, source: &SourceOutcome) {
    input.refused_snapshots = source.unopened_snapshots.total() + source.refused_snapshots.total();
    input.late_snapshots = source.late_snapshots;
    input.repeated_items = source.repeated_items;
    // The conference counts a time of 0, too.
    input.untimed_entries = source.untimed_entries;
    input.outcome = source.clone();
}

/// The file of each fabric, in the order of [`Recording::summary`]: of several, the first.
pub(crate) fn files_of(inputs: &[InputFile]) -> Vec<&InputFile> {
    let mut files: Vec<(usize, &InputFile)> =
        inputs.iter().flat_map(|input| input.outcome.fabrics.iter().map(move |id| (id.index(), input))).collect();
    files.sort_by_key(|&(index, _)| index);
    files.dedup_by_key(|&mut (index, _)| index);
    files.into_iter().map(|(_, input)| input).collect()
}

/// One file, item by item as it is read.
fn replay_file(call: &CallFiles, replay: &mut Replay, each: &mut EventCallback<'_>) -> InputFile {
    let Some(file) = call.files.first() else { return InputFile::default() };
    let source = replay.add_source(None);
    let mut sink = ReplaySink { replay, source, file: file.name(), conference: call.conference.clone(), each };
    let input = records::read(file, &mut sink);
    let ReplaySink { replay, file, conference, each, .. } = sink;
    replay.close(source, &mut |origin, event, call| {
        each(EventOrigin { file: &file, conference: conference.as_deref(), fabric: origin.fabric }, event, call);
    });
    input
}

/// Replays the items of a single file at once.
struct ReplaySink<'a, 'b> {
    replay: &'a mut Replay,
    source: SourceId,
    file: String,
    conference: Option<String>,
    each: &'a mut EventCallback<'b>,
}

impl Sink for ReplaySink<'_, '_> {
    fn push(&mut self, item: Item<'_>) {
        let Self { replay, source, file, conference, each } = self;
        replay.push_each(*source, &item, &mut |origin, event, call| {
            each(EventOrigin { file, conference: conference.as_deref(), fabric: origin.fabric }, event, call);
        });
    }

    fn set_document(&mut self) {
        self.replay.set_document(self.source);
    }

    fn set_conference(&mut self, name: &str) {
        self.conference.get_or_insert_with(|| name.to_owned());
    }
}

/// What the thread of one of several files sends.
enum Message {
    Document,
    Item(OwnedItem),
}

/// Sends the items of one of several files to the replay.
struct QueueSink<'a>(&'a ByteQueue<Message>);

impl Sink for QueueSink<'_> {
    fn push(&mut self, item: Item<'_>) {
        if let Some(item) = OwnedItem::new(&item) {
            self.0.push(item.footprint(), Message::Item(item));
        }
    }

    fn set_document(&mut self) {
        self.0.push(0, Message::Document);
    }
}

/// Reads one of several files.
fn read_into(file: &InputSource, queue: &ByteQueue<Message>) -> InputFile {
    let queue = CloseOnDrop(queue);
    records::read(file, &mut QueueSink(queue.0))
}

/// Several files in the order of time, on the clock of the first.
fn replay_merged(call: &CallFiles, replay: &mut Replay, each: &mut EventCallback<'_>) -> Vec<InputFile> {
    let sources = replay.add_sources(&call.overviews);
    let names: Vec<String> = call.files.iter().map(InputSource::name).collect();
    let named = call.overviews.iter().find_map(SourceOverview::conference);
    let conference = call.conference.as_deref().or(named);
    let mut each = |origin: ItemOrigin<'_>, event: &Event, call: &Conference| {
        let file = names.get(origin.source.index()).map_or("", String::as_str);
        each(EventOrigin { file, conference, fabric: origin.fabric }, event, call);
    };
    let max_bytes = MAX_WAITING_BYTES / call.files.len().max(1);
    let queues: Vec<ByteQueue<Message>> = call.files.iter().map(|_| ByteQueue::new(max_bytes)).collect();
    let inputs = std::thread::scope(|scope| {
        let files = call.files.iter().zip(&queues);
        let threads: Vec<_> = files.map(|(file, queue)| scope.spawn(|| read_into(file, queue))).collect();
        while let Some(wanted) = replay.next_source() {
            match queues.get(wanted.index()).and_then(ByteQueue::pop) {
                Some(Message::Item(item)) => replay.push_owned(wanted, item, &mut each),
                Some(Message::Document) => replay.set_document(wanted),
                None => replay.close(wanted, &mut each),
            }
        }
        let joined = threads.into_iter().zip(&call.files);
        joined.map(|(thread, file)| thread.join().unwrap_or_else(|_| records::broken(file))).collect::<Vec<_>>()
    });
    let offsets = sources.iter().map(|&source| replay.clock_offset(source));
    let inputs = inputs.into_iter().zip(offsets).map(|(input, offset)| InputFile {
        clock_offset_ms: offset.map(|offset| offset.ms),
        clock_uncertainty_ms: offset.map(|offset| offset.uncertainty_ms),
        ..input
    });
    inputs.collect()
}
