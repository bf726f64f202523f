//! One PeerConnection: it assigns each entry of a snapshot to its stream and runs the passes over them. It computes no
//! figure and no diagnosis itself.

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::app_state::{AppState, StoredDevice};
use super::clock::{ClockReading, ReporterClock};
use super::lifecycle::{Failures, Lifecycle};
use super::paths::{Paths, used_paths};
use super::playout::Playout;
use super::slot::{LatestInterval, OwnedPart, SlotId, StreamSlot, Streams};
use super::sources::Traffic;
use super::spec::FabricSpec;
use super::ssrc_map::SsrcMap;
use super::usage::Usage;
use crate::config::Config;
use crate::diagnosis::{ConnectionPhase, ConnectionStatus, Detectors, RecorderParts, StreamSample};
use crate::event::{Event, EventQueue, FabricState, Relay};
use crate::id::{Direction, FabricId, MediaKind, Ssrc, StreamKey, UserId};
use crate::list::ListId;
use crate::metric::{Interval, IntervalState, Metric};
use crate::report::{ById, Entry, Num, Report, StatsType, Text, TimeMap};
use crate::stream::{ConnectionContext, IntervalScore, Observation, StreamRecord};
use crate::unit::{StatTime, Timestamp};

/// One PeerConnection: the records of its streams, its path and its lifecycle.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Fabric {
    id: FabricId,
    pub(crate) spec: FabricSpec,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) app: AppState,
    pub(crate) mapping: SsrcMap,
    /// Active devices, and connected devices.
    pub(crate) devices: [Vec<StoredDevice>; 2],
    pub(crate) streams: Streams,
    /// Records of streams before they passed to another user.
    pub(crate) parts: Vec<OwnedPart>,
    pub(crate) paths: Paths,
    /// Bytes received over data channels; `None` without one that carried anything.
    pub(super) data_bytes: Option<f64>,
    /// Connectivity checks sent and answered so far, over all pairs; until the set-up.
    pub(super) checks: Option<[u32; 2]>,
    pub(crate) playout: Playout,
    pub(crate) detectors: Detectors,
    pub(crate) snapshots: u64,
    /// The clock of its reports. All times of the connection are on the time line that it lays.
    pub(crate) clock: ReporterClock,
    /// The earliest and the latest time of any snapshot that was not late.
    span: Option<(StatTime, StatTime)>,
    /// Streams refused by the limit.
    pub(crate) refused_streams: u64,
    /// Entries and values that readers or [`EntryMut::set`](crate::report::EntryMut::set) left out.
    pub(crate) skipped_entries: u64,
    pub(crate) bad_fields: u64,
    /// The streams in the latest snapshot. A field so that its memory is reused.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) seen: Vec<SlotId>,
    #[cfg_attr(feature = "serde", serde(skip))]
    codecs: ById,
    /// Media sources: audio, video.
    #[cfg_attr(feature = "serde", serde(skip))]
    sources: [ById; 2],
    /// The audio levels of the latest snapshot.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) levels: Vec<LevelSample>,
}

/// The audio level of one sample of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LevelSample {
    pub(crate) slot: SlotId,
    pub(crate) direction: Direction,
    pub(crate) ssrc: Ssrc,
    pub(crate) at: StatTime,
    pub(crate) span_ms: f64,
    /// `None` at the first sample, and if no level is reported.
    pub(crate) level: Option<f64>,
    /// `totalSamplesDuration`, s.
    pub(crate) samples_s: Option<f64>,
    /// The muted or held part of the interval, as the application reported it.
    pub(crate) muted_ms: f64,
    /// Whether the stream is muted or held now.
    pub(crate) is_muted: bool,
    /// Whether a sent stream sent anything in the interval.
    pub(crate) is_sent: bool,
}

/// Streams per chunk of the passes `observe`, `score` and `diagnose`: 14 KB on the stack. The processor's cache holds
/// the code of one pass from stream to stream, but not the code of all three; it also holds the intervals of a chunk.
/// Chunks of eight are as fast, a single chunk is slower (`benches/conference.rs`).
const CHUNK_STREAMS: usize = 16;
/// Indices of a report with more entries than this release their memory: a report of fifty users has 271.
const RETAINED_ROWS: usize = 1_024;

/// The entries about a stream in the current report.
#[derive(Clone, Copy)]
struct StreamEntries<'a> {
    slot: SlotId,
    entry: Entry<'a>,
    source: Option<Entry<'a>>,
    remote: Option<Entry<'a>>,
}

/// A closed interval before its events are raised.
struct PendingInterval<'a> {
    entries: StreamEntries<'a>,
    interval: Interval,
}

/// The intervals of a chunk of streams.
type Chunk<'a> = SmallVec<[PendingInterval<'a>; CHUNK_STREAMS]>;

/// Their scores, in the same order.
type Scores = SmallVec<[IntervalScore; CHUNK_STREAMS]>;

/// The result of a snapshot for the connection.
#[derive(Clone, Copy, Debug, Default)]
struct SnapshotOutcome {
    /// A stream had its first sample, or closed an interval.
    has_new_sample: bool,
    /// A sample was older than the last one.
    is_late: bool,
    traffic: Traffic,
}

impl SnapshotOutcome {
    fn note(&mut self, sample: &Observation) {
        match sample {
            Observation::First => self.has_new_sample = true,
            Observation::Closed(interval) => {
                self.has_new_sample = true;
                let passed =
                    [Metric::PacketRatePps, Metric::BitrateBps].iter().any(|&rate| interval.get(rate) > Some(0.0));
                match interval.direction {
                    Direction::Inbound => self.traffic.arrived |= passed,
                    Direction::Outbound => self.traffic.was_sent |= passed,
                }
            }
            Observation::Late => self.is_late = true,
            Observation::Repeated => {}
        }
    }

    /// Whether the snapshot shows the path as it is now. A snapshot that is late for every stream does not.
    const fn is_current(self) -> bool {
        self.has_new_sample || !self.is_late
    }
}

impl Fabric {
    pub(crate) const fn id(&self) -> FabricId {
        self.id
    }

    pub(crate) fn new(id: FabricId, now: Timestamp, spec: FabricSpec) -> Self {
        Self {
            id,
            lifecycle: Lifecycle::new(now, !spec.opened_before),
            spec,
            app: AppState::default(),
            mapping: SsrcMap::default(),
            devices: [Vec::new(), Vec::new()],
            streams: Streams::default(),
            parts: Vec::new(),
            paths: Paths::default(),
            data_bytes: None,
            checks: None,
            playout: Playout::default(),
            detectors: Detectors::default(),
            snapshots: 0,
            clock: ReporterClock::default(),
            span: None,
            refused_streams: 0,
            skipped_entries: 0,
            bad_fields: 0,
            seen: Vec::new(),
            codecs: ById::default(),
            sources: Default::default(),
            levels: Vec::new(),
        }
    }

    pub(crate) fn ingest(
        &mut self,
        now: Timestamp,
        report: &Report,
        config: &Config,
        usage: &mut Usage,
        out: &mut EventQueue,
    ) {
        let limits = config.limits();
        self.snapshots = self.snapshots.saturating_add(1);
        let skipped = report.skipped();
        self.skipped_entries = self.skipped_entries.saturating_add(skipped.entries);
        self.bad_fields = self.bad_fields.saturating_add(skipped.bad_fields);
        let Self { clock, streams, .. } = self;
        let reading = clock.read(now, report, |map| streams.advance(report, map));
        let ClockReading { map, at, .. } = reading;
        if reading.is_first {
            self.span = None;
            self.detectors.forget_last();
        }
        let before = self.span.map(|(_, last)| last);
        if let Some(at) = at {
            let (first, last) = self.span.unwrap_or((at, at));
            self.span = Some((first.min(at), last.max(at)));
        }
        let has_advanced = at.is_some() && at > before;
        self.find_streams(now, report, &map, limits, usage);
        if reading.is_first {
            self.reopen_streams(report, &map);
        }
        self.find_remotes(report, &map);
        self.playout.sample(report);
        let used = used_paths(report, &map);
        let mut traffic = self.find_paths(report, &used);
        let main = &self.paths.main;
        let context = ConnectionContext {
            config,
            clock: &map,
            has_clock_stepped: reading.has_stepped,
            is_playout_stopped: self.is_playout_stopped(report, &map),
            ice_rtt_ms: main.rtt_ms,
            playout_ms: self.playout.delay_ms(),
            path_carries: main.carries,
            is_path_silent: self.is_silent(Some(main)),
            is_lost: self.lifecycle.lost_ms(now).is_some(),
        };
        self.codecs.forget();
        self.sources.iter_mut().for_each(ById::forget);
        let outcome = self.ingest_streams(now, report, context, out);
        if outcome.is_current() {
            traffic.arrived |= outcome.traffic.arrived;
            traffic.was_sent |= outcome.traffic.was_sent;
            let traffic = Some(traffic).filter(|_| has_advanced || outcome.has_new_sample);
            let before = self.lifecycle.failures();
            self.observe_paths(now, report, &used, traffic, config, out);
            self.conclude(now, before, config, out);
            let sample = ConnectionStatus { ahead_ms: reading.ahead_ms, ..self.connection_status(now, at) };
            let (id, user) = (self.id, self.spec.local_user);
            with_recorder(id, user, &mut self.detectors, config, out, |detectors, recorder| {
                detectors.sample_connection(&sample, recorder);
            });
        }
    }

    /// Opens the streams again that were sampled before at a wrong time.
    #[cold]
    fn reopen_streams(&mut self, report: &Report, clock: &TimeMap) {
        for &slot in &self.seen {
            let StreamSlot { record, entries, .. } = &mut self.streams[slot];
            if let Some(entry) = report.get(entries.own as usize).filter(|_| record.samples > 0) {
                record.samples = 0;
                record.reopen(entry.on(clock));
                self.clock.counts.wild = self.clock.counts.wild.saturating_add(1);
            }
        }
    }

    /// Takes the samples of all streams of the report, a chunk at a time.
    fn ingest_streams(
        &mut self,
        now: Timestamp,
        report: &Report,
        context: ConnectionContext<'_>,
        out: &mut EventQueue,
    ) -> SnapshotOutcome {
        self.levels.clear();
        let mut outcome = SnapshotOutcome::default();
        let seen = core::mem::take(&mut self.seen);
        for slots in seen.chunks(CHUNK_STREAMS) {
            let pending = self.observe(slots, now, report, context, &mut outcome);
            let scores = self.score(&pending, context);
            self.diagnose(&pending, &scores, context, out);
        }
        self.seen = seen;
        // The order of the entries in a report must not decide which sample is late or which stream exceeds a limit.
        self.levels.sort_unstable_by_key(|level| (level.at, level.direction == Direction::Inbound, level.ssrc));
        outcome
    }

    /// First pass: samples each stream. Returns the intervals that close.
    fn observe<'a>(
        &mut self,
        slots: &[SlotId],
        now: Timestamp,
        report: &'a Report,
        context: ConnectionContext<'a>,
        outcome: &mut SnapshotOutcome,
    ) -> Chunk<'a> {
        let mut pending = Chunk::new();
        for &slot in slots {
            let Some((observation, entries)) = self.sample(slot, now, report, context) else { continue };
            outcome.note(&observation);
            if let Observation::Closed(interval) = observation {
                pending.push(PendingInterval { entries, interval });
            }
        }
        pending
    }

    /// Second pass: scores the intervals.
    fn score(&mut self, pending: &[PendingInterval<'_>], context: ConnectionContext<'_>) -> Scores {
        let scores = pending.iter().map(|PendingInterval { entries, interval }| {
            let &StreamEntries { slot, entry, source, .. } = entries;
            let context = self.context_of(slot, context);
            self.streams[slot].record.score_interval(interval, entry, source, context)
        });
        scores.collect()
    }

    /// Third pass: raises the events of the intervals, and runs the detectors of their streams.
    fn diagnose(
        &mut self,
        pending: &[PendingInterval<'_>],
        scores: &[IntervalScore],
        context: ConnectionContext<'_>,
        out: &mut EventQueue,
    ) {
        debug_assert_eq!(pending.len(), scores.len(), "each interval has a score");
        for (pending, &score) in pending.iter().zip(scores) {
            self.publish(pending, score, context, out);
        }
    }

    /// Samples one stream of the report.
    fn sample<'a>(
        &mut self,
        slot: SlotId,
        now: Timestamp,
        report: &'a Report,
        context: ConnectionContext<'a>,
    ) -> Option<(Observation, StreamEntries<'a>)> {
        let context = self.context_of(slot, context);
        let stream = &mut self.streams[slot];
        let entry = report.get(stream.entries.own as usize)?.on(context.clock).without_fillers();
        if let Some(part) = stream.split(entry) {
            self.parts.push(part);
        }
        let StreamSlot { record, entries, app, .. } = stream;
        let app_time = app.until(now);
        if !self.app.is_silent() {
            let kind = entry.media().or(record.kind);
            app.set(now, self.app.of(record.direction, kind, record.ssrc, self.mapping.primary(record.ssrc)));
        }
        // The remote endpoint's report belongs to the interval that is about to close.
        let remote = entries.remote.and_then(|position| report.get(position as usize));
        let remote = remote.map(|remote| remote.on(context.clock).without_fillers());
        if let Some(remote) = remote {
            record.take_remote(remote, entry);
        }
        if let Some(id) = record.new_codec_id(entry)
            && let Some(codec) = self.codecs.find(id, report, |_| true)
            && let Some(mime) = codec.text(Text::MimeType)
        {
            record.set_codec(id, mime, codec.text(Text::SdpFmtpLine));
        }
        let source =
            (record.direction == Direction::Outbound).then(|| source_of(entry, report, &mut self.sources)).flatten();
        let source = source.map(|source| source.on(context.clock).without_fillers());
        let sample = record.sample(entry, source, app_time, context);
        if matches!(sample, Observation::First | Observation::Closed(_)) {
            app.restart();
        }
        self.levels.extend(LevelSample::of(slot, &sample, record, entry, source).map(|level| LevelSample {
            muted_ms: app_time.muted + app_time.held,
            is_muted: app.is_muted_or_held(),
            ..level
        }));
        Some((sample, StreamEntries { slot, entry, source, remote }))
    }

    /// Raises the events of a scored interval, and runs the detectors of its stream.
    fn publish(
        &mut self,
        pending: &PendingInterval<'_>,
        IntervalScore { score, rating }: IntervalScore,
        context: ConnectionContext<'_>,
        out: &mut EventQueue,
    ) {
        let config = context.config;
        let PendingInterval { entries: StreamEntries { slot, entry, source, remote }, ref interval } = *pending;
        let limits = config.limits();
        let stream = &mut self.streams[slot];
        stream.latest = LatestInterval::of(interval, IntervalScore { score, rating });
        let key = StreamKey::new(self.id, stream.record.direction, stream.record.ssrc);
        out.push(limits, Event::IntervalClosed { stream: key, interval: *interval, score, rating });
        if interval.state == IntervalState::Reset && !context.has_clock_stepped {
            out.push(limits, Event::CounterReset { stream: key, at: interval.at });
        }
        let sample = StreamSample {
            source,
            remote,
            owner: self.mapping.owner(key.ssrc).map(|owner| owner.user),
            is_muted: self.app.reports_mutes.then_some(stream.app.is_muted()),
            ..StreamSample::new(interval, entry)
        };
        with_recorder(self.id, self.spec.local_user, &mut self.detectors, config, out, |detectors, recorder| {
            detectors.sample_stream(slot.index(), sample, recorder);
        });
    }

    /// The inputs of the fabric's detectors besides its streams.
    pub(crate) fn connection_status(&self, now: Timestamp, at: Option<StatTime>) -> ConnectionStatus {
        let slowest = self.paths.slowest();
        ConnectionStatus {
            at,
            now,
            ahead_ms: None,
            ice_rtt_ms: slowest.rtt_ms,
            rtt_samples: slowest.rtt_samples,
            available_bps: self.paths.main.available_bps,
            unanswered: self.paths.unanswered(),
            arrives: self.paths.arrives(),
            connection: match self.lifecycle.state() {
                None => ConnectionPhase::Unknown,
                Some(FabricState::Established) => ConnectionPhase::Up,
                Some(FabricState::Disrupted) => ConnectionPhase::Lost,
                Some(FabricState::Failed) if self.lifecycle.setup().is_some() => ConnectionPhase::Lost,
                Some(FabricState::Initializing | FabricState::CheckingDisrupted | FabricState::Hold) => {
                    ConnectionPhase::Coming
                }
                Some(FabricState::Failed | FabricState::Terminated) => ConnectionPhase::Over,
            },
            lost_ms: self.lifecycle.disruption_ms(now),
            connects_ms: self.lifecycle.connects_ms(now),
            has_failed: self.lifecycle.has_failed(),
            failed_after_ms: self.lifecycle.failed_after_ms(),
            is_dtls_failure: self.lifecycle.is_dtls_failure(),
            checks: self.checks.map(|checks| checks.map(f64::from)),
            has_dropped: self.lifecycle.has_dropped(),
            down_ms: self.lifecycle.lost_ms(now),
            disruptions: self.lifecycle.course.disruptions,
            switches: self.lifecycle.switches,
            relays_over_tcp: self.paths.iter().any(|path| matches!(path.relay(), Some(Relay::Tcp | Relay::Tls))),
        }
    }

    /// Whether any stream ever carried a packet.
    pub(crate) fn carried_media(&self) -> bool {
        let parts = self.parts.iter().map(|part| &part.record);
        self.streams.records().chain(parts).any(StreamRecord::has_traffic)
    }

    /// Whether any stream ever received a packet: what is sent may go nowhere.
    pub(crate) fn has_received(&self) -> bool {
        let parts = self.parts.iter().map(|part| &part.record);
        let mut received = self.streams.records().chain(parts).filter(|record| record.direction == Direction::Inbound);
        received.any(StreamRecord::has_traffic)
    }

    /// Whether a data channel ever carried anything.
    pub(crate) const fn carried_data(&self) -> bool {
        self.data_bytes.is_some()
    }

    /// From the first sample to the last. A stream whose own time went back may begin before the first snapshot.
    pub(crate) fn span(&self) -> Option<(StatTime, StatTime)> {
        let records = self.streams.records().chain(self.parts.iter().map(|part| &part.record));
        let starts = records.filter(|record| record.samples > 1).map(|record| record.start);
        self.span.map(|(first, last)| (starts.fold(first, StatTime::min), last))
    }

    /// Diagnoses a failure of the connection at once, or its end, if the failures changed, and withdraws one that traffic
    /// refuted.
    pub(crate) fn conclude(&mut self, now: Timestamp, before: Failures, config: &Config, out: &mut EventQueue) {
        let failures = self.lifecycle.failures();
        if failures == before {
            return;
        }
        let status = self.connection_status(now, None);
        with_recorder(self.id, self.spec.local_user, &mut self.detectors, config, out, |detectors, recorder| {
            if failures.refuted == before.refuted {
                detectors.conclude(&status, recorder);
            } else {
                detectors.withdraw_failure(recorder);
            }
        });
    }

    /// Releases the memory that an unusually long report needed.
    pub(crate) fn trim(&mut self) {
        self.sources.iter_mut().chain([&mut self.codecs]).for_each(|rows| rows.trim(RETAINED_ROWS));
    }

    /// Rebuilds what a saved state does not contain. Returns whether the rest is consistent.
    #[cfg(feature = "serde")]
    pub(crate) fn restore_models(&mut self, models: [crate::score::ModelId; 2]) -> bool {
        let records = self.streams.iter_mut().map(|stream| &mut stream.record);
        for record in records.chain(self.parts.iter_mut().map(|part| &mut part.record)) {
            record.quality.restore_models(models);
        }
        self.streams.restore_models()
    }

    /// Clears the open diagnoses: no more input is expected.
    pub(crate) fn close_detectors(&mut self, config: &Config, out: &mut EventQueue) {
        with_recorder(self.id, self.spec.local_user, &mut self.detectors, config, out, Detectors::close);
    }

    /// Whether the latest snapshot has sent audio.
    pub(crate) fn sends_audio(&self) -> bool {
        self.sent_audio().next().is_some()
    }

    /// Whether all sent audio is muted or on hold, as the application reported it.
    pub(crate) fn is_muted_or_held(&self) -> bool {
        let mut sent = self.sent_audio().peekable();
        self.app.is_held
            || if sent.peek().is_some() {
                sent.all(|stream| stream.app.is_muted_or_held())
            } else {
                self.app.is_muted()
            }
    }

    fn sent_audio(&self) -> impl Iterator<Item = &StreamSlot> {
        self.streams.iter().filter(|stream| {
            stream.record.direction == Direction::Outbound
                && stream.record.kind == Some(MediaKind::Audio)
                && stream.entries.snapshot == self.snapshots
        })
    }

    /// Whether playout of all received audio stands still: the connection is on hold.
    fn is_playout_stopped(&self, report: &Report, clock: &TimeMap) -> bool {
        let mut audio = self.seen.iter().filter_map(|&slot| {
            let StreamSlot { record, entries, .. } = &self.streams[slot];
            record.is_playout_stopped(report.get(entries.own as usize)?.on(clock))
        });
        audio.next().is_some_and(|first| first && audio.all(|stands| stands))
    }
}

impl LevelSample {
    /// The audio level of a sample; `None` for a stream without audio or without a level.
    fn of(
        slot: SlotId,
        sample: &Observation,
        record: &StreamRecord,
        entry: Entry<'_>,
        source: Option<Entry<'_>>,
    ) -> Option<Self> {
        let level_of = match record.direction {
            Direction::Inbound => entry,
            Direction::Outbound => source?,
        };
        let has_level = [Num::TotalAudioEnergy, Num::AudioLevel].iter().any(|&field| level_of.get(field).is_some());
        if record.kind != Some(MediaKind::Audio) || !has_level {
            return None;
        }
        let mut level_sample = Self {
            slot,
            direction: record.direction,
            ssrc: record.ssrc,
            at: record.end(),
            span_ms: 0.0,
            level: None,
            samples_s: level_of.get(Num::TotalSamplesDuration),
            muted_ms: 0.0,
            is_muted: false,
            is_sent: true,
        };
        match sample {
            Observation::First => Some(level_sample),
            Observation::Closed(interval) if interval.state != IntervalState::Reset => {
                (level_sample.at, level_sample.span_ms) = (interval.at, interval.span_ms);
                level_sample.level = interval.get(Metric::Level).or_else(|| level_of.get(Num::AudioLevel));
                level_sample.is_sent = record.direction == Direction::Inbound
                    || !matches!(interval.state, IntervalState::Paused | IntervalState::Lost);
                Some(level_sample)
            }
            _ => None,
        }
    }
}

/// Runs detectors with a recorder for their diagnoses.
fn with_recorder(
    fabric: FabricId,
    user: Option<UserId>,
    detectors: &mut Detectors,
    config: &Config,
    out: &mut EventQueue,
    work: impl FnOnce(&mut Detectors, RecorderParts<'_>),
) {
    let limits = config.limits();
    let recorder = RecorderParts {
        limit: out.diagnoses_limit(limits, detectors.log.diagnoses.len()),
        thresholds: config.thresholds(),
        fabric,
        user,
        notify: &mut |change, &diagnosis| out.diagnose(limits, change, diagnosis),
    };
    work(detectors, recorder);
}

/// The media source of a sent stream: the one that it names, or the only one of its kind.
fn source_of<'a>(entry: Entry<'_>, report: &'a Report, sources: &mut [ById; 2]) -> Option<Entry<'a>> {
    let kind = entry.media()?;
    let sources = sources.get_mut(kind as usize)?;
    let fits = |source: Entry<'_>| source.kind() == StatsType::MediaSource && source.media() == Some(kind);
    match entry.text(Text::MediaSourceId) {
        Some(id) => sources.find(id, report, fits),
        None => sources.only(report, fits),
    }
}
