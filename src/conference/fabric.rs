//! One PeerConnection: which stream each entry of a snapshot belongs to.

mod life;
mod slot;

use alloc::vec::Vec;

use super::FabricSpec;
use super::outbox::EventQueue;
use super::usage::Usage;
use crate::config::{Config, Limits};
use crate::diagnosis::{Detectors, RecorderParts, StreamSample};
use crate::event::Event;
use crate::fabric::{AppState, Lifecycle, Owner, Path, Playout, SsrcMap, selected_pair};
use crate::id::{Direction, FabricId, MediaKind, Ssrc, StreamKey, UserId};
use crate::metric::{Interval, IntervalState, Metric};
use crate::report::{ById, Entry, Num, Report, StatsType, Text};
use crate::score::rating::CallstatsRating;
use crate::stream::{ConnectionContext, IntervalScore, Observation, StreamRecord};
use crate::unit::{StatTime, Timestamp};
pub(super) use life::StoredDevice;
use slot::EntryRefs;
pub(super) use slot::{SlotId, StreamSlot, Streams};

/// One PeerConnection: an account for each of its streams, its path and its life.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Fabric {
    id: FabricId,
    pub(super) spec: FabricSpec,
    pub(super) life: Lifecycle,
    pub(super) app: AppState,
    pub(super) mapping: SsrcMap,
    /// Devices in use, and devices that are there.
    pub(super) devices: [Vec<StoredDevice>; 2],
    pub(super) streams: Streams,
    /// What streams were before they became somebody else's.
    pub(super) parts: Vec<Part>,
    pub(super) path: Path,
    playout: Playout,
    pub(super) detectors: Detectors,
    pub(super) snapshots: u64,
    /// The earliest and the latest time of any snapshot, on the reporter's clock.
    pub(super) span: Option<(StatTime, StatTime)>,
    /// Streams that the limit kept out.
    pub(super) refused_streams: u64,
    /// The streams in the latest snapshot. A field so that its memory is reused.
    #[cfg_attr(feature = "serde", serde(skip))]
    seen: Vec<SlotId>,
    #[cfg_attr(feature = "serde", serde(skip))]
    codecs: ById,
    /// Media sources: of sound, of pictures.
    #[cfg_attr(feature = "serde", serde(skip))]
    sources: [ById; 2],
    /// What the latest snapshot says of sound.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) heard: Vec<LevelSample>,
}

/// What a look at a stream of sound says of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct LevelSample {
    pub(super) slot: SlotId,
    pub(super) direction: Direction,
    pub(super) ssrc: Ssrc,
    pub(super) at: StatTime,
    pub(super) span_ms: f64,
    /// `None` for the first look, and where nothing tells.
    pub(super) level: Option<f64>,
    /// `totalSamplesDuration`, s.
    pub(super) samples_s: Option<f64>,
    /// So much of the interval was muted or on hold, by the application's word.
    pub(super) muted_ms: f64,
    /// It is so now.
    pub(super) is_muted: bool,
    /// Whether anything was sent meanwhile, for what is sent.
    pub(super) is_sent: bool,
}

/// A stream as long as it was one user's.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Part {
    pub(super) account: StreamRecord,
    pub(super) owner: Owner,
}

/// Streams per chunk of the passes `observe`, `score` and `diagnose`: 14 KB on the stack. The code of one pass stays in the
/// processor's cache from stream to stream, which does not hold the code of all three; so do the intervals of a chunk.
/// Chunks of eight are as fast, a single chunk is slower (`benches/conference.rs`).
const AT_ONCE: usize = 16;

/// The entries about a stream, in the report at hand.
#[derive(Clone, Copy)]
struct StreamEntries<'a> {
    slot: SlotId,
    entry: Entry<'a>,
    source: Option<Entry<'a>>,
    remote: Option<Entry<'a>>,
}

/// An interval that is about to be told.
struct PendingInterval<'a> {
    entries: StreamEntries<'a>,
    interval: Interval,
    scored: Option<IntervalScore>,
}

/// The figures of the latest interval that a view shows.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Latest {
    pub(super) bitrate_bps: Option<f64>,
    pub(super) packet_rate_pps: Option<f64>,
    pub(super) loss_ratio: Option<f64>,
    pub(super) jitter_ms: Option<f64>,
    pub(super) rtt_ms: Option<f64>,
    pub(super) level: Option<f64>,
    pub(super) rating: Option<CallstatsRating>,
}

/// The result of a snapshot for the connection.
#[derive(Clone, Copy, Debug, Default)]
struct SnapshotOutcome {
    /// A stream had its first sample, or closed an interval.
    has_news: bool,
    /// A sample came too late.
    is_late: bool,
}

impl SnapshotOutcome {
    const fn note(&mut self, look: &Observation) {
        match look {
            Observation::First | Observation::Closed(_) => self.has_news = true,
            Observation::Late => self.is_late = true,
            Observation::Repeated => {}
        }
    }

    /// Whether the snapshot shows the path as it is now. One that is late for every stream does not.
    const fn is_current(self) -> bool {
        self.has_news || !self.is_late
    }
}

impl Latest {
    fn of(interval: &Interval, rating: CallstatsRating) -> Self {
        Self {
            bitrate_bps: interval.get(Metric::BitrateBps),
            packet_rate_pps: interval.get(Metric::PacketRatePps),
            loss_ratio: interval.get(Metric::LossRatio),
            jitter_ms: interval.get(Metric::JitterMs),
            rtt_ms: interval.get(Metric::RttMs),
            level: interval.get(Metric::Level),
            rating: Some(rating),
        }
    }
}

impl Fabric {
    pub(super) const fn id(&self) -> FabricId {
        self.id
    }

    pub(super) fn new(id: FabricId, now: Timestamp, spec: FabricSpec) -> Self {
        Self {
            id,
            life: Lifecycle::new(now, !spec.opened_before),
            spec,
            app: AppState::default(),
            mapping: SsrcMap::default(),
            devices: [Vec::new(), Vec::new()],
            streams: Streams::default(),
            parts: Vec::new(),
            path: Path::default(),
            playout: Playout::default(),
            detectors: Detectors::default(),
            snapshots: 0,
            span: None,
            refused_streams: 0,
            seen: Vec::new(),
            codecs: ById::default(),
            sources: Default::default(),
            heard: Vec::new(),
        }
    }

    pub(super) fn ingest(
        &mut self,
        now: Timestamp,
        report: &Report,
        config: &Config,
        usage: &mut Usage,
        out: &mut EventQueue,
    ) {
        let limits = config.limits();
        self.snapshots = self.snapshots.saturating_add(1);
        if let Some(at) = report.latest() {
            let (first, last) = self.span.unwrap_or((at, at));
            self.span = Some((if at < first { at } else { first }, if at > last { at } else { last }));
        }
        self.find_streams(now, report, limits, usage);
        self.find_remotes(report);
        self.playout.look(report);
        let selected = selected_pair(report);
        let around = ConnectionContext {
            config,
            playout_stands: self.playout_stands(report),
            ice_rtt_ms: self.path.rtt_ms,
            playout_ms: self.playout.delay_ms(),
            path_carries: selected.and_then(|pair| self.path.carries(pair)),
        };
        self.codecs.forget();
        self.sources.iter_mut().for_each(ById::forget);
        let outcome = self.ingest_streams(now, report, around, out);
        if outcome.is_current() {
            let sight = self.path.look(report, selected, limits.digest_cells());
            let (fabric, user) = (Some(self.id), self.spec.local_user);
            self.life.see(now, sight, self.path.relay(), &mut |happening| {
                out.raise(limits, crate::event::CallEvent { fabric, user, ..happening });
            });
            let look = self.connection_status(now, report.latest());
            let (id, user) = (self.id, self.spec.local_user);
            with_recorder(id, user, &mut self.detectors, config, out, |detectors, desk| {
                detectors.see_fabric(&look, desk);
            });
        }
    }

    /// Takes the samples of all streams of the report, a chunk at a time.
    fn ingest_streams(
        &mut self,
        now: Timestamp,
        report: &Report,
        around: ConnectionContext<'_>,
        out: &mut EventQueue,
    ) -> SnapshotOutcome {
        self.heard.clear();
        let mut outcome = SnapshotOutcome::default();
        let seen = core::mem::take(&mut self.seen);
        for slots in seen.chunks(AT_ONCE) {
            let mut pending = [const { None }; AT_ONCE];
            self.observe(slots, now, report, around, &mut pending, &mut outcome);
            self.score(&mut pending, around);
            self.diagnose(&pending, around.config, out);
        }
        self.seen = seen;
        // The order of the entries in a report must not decide which sample is late or which stream is one too many.
        self.heard.sort_unstable_by(|a, b| {
            let of = |heard: &LevelSample| (heard.direction == Direction::Inbound, heard.ssrc);
            a.at.as_millis().total_cmp(&b.at.as_millis()).then(of(a).cmp(&of(b)))
        });
        outcome
    }

    /// First pass: samples each stream. An interval that closes goes to the place of its stream in `pending`.
    fn observe<'a>(
        &mut self,
        slots: &[SlotId],
        now: Timestamp,
        report: &'a Report,
        around: ConnectionContext<'_>,
        pending: &mut [Option<PendingInterval<'a>>],
        outcome: &mut SnapshotOutcome,
    ) {
        for (&slot, pending) in slots.iter().zip(pending) {
            let Some((look, entries)) = self.look(slot, now, report, around) else { continue };
            outcome.note(&look);
            if let Observation::Closed(interval) = look {
                *pending = Some(PendingInterval { entries, interval, scored: None });
            }
        }
    }

    /// Second pass: scores the intervals.
    fn score(&mut self, pending: &mut [Option<PendingInterval<'_>>], around: ConnectionContext<'_>) {
        for pending in pending.iter_mut().flatten() {
            let StreamEntries { slot, entry, source, .. } = pending.entries;
            pending.scored = Some(self.streams[slot].record.score_interval(&pending.interval, entry, source, around));
        }
    }

    /// Third pass: raises the events of the intervals, and runs the detectors of their streams.
    fn diagnose(&mut self, pending: &[Option<PendingInterval<'_>>], config: &Config, out: &mut EventQueue) {
        for pending in pending.iter().flatten() {
            self.tell(pending, config, out);
        }
    }

    /// Looks at one stream of the report.
    fn look<'a>(
        &mut self,
        slot: SlotId,
        now: Timestamp,
        report: &'a Report,
        around: ConnectionContext<'_>,
    ) -> Option<(Observation, StreamEntries<'a>)> {
        let stream = &mut self.streams[slot];
        let entry = report.get(stream.entries.own as usize)?;
        if let Some(part) = stream.split(entry) {
            self.parts.push(part);
        }
        let StreamSlot { record, entries, app, .. } = stream;
        let app_time = app.until(now);
        if !self.app.is_silent() {
            let kind = entry.media().or(record.kind);
            app.set(now, self.app.of(record.direction, kind, record.ssrc, self.mapping.primary(record.ssrc)));
        }
        // What the other end says belongs to the interval that is about to close.
        let remote = entries.remote.and_then(|position| report.get(position as usize));
        if let Some(remote) = remote {
            record.hear(remote, entry);
        }
        if let Some(id) = record.new_codec_id(entry)
            && let Some(codec) = self.codecs.find(id, report, |_| true)
            && let Some(mime) = codec.text(Text::MimeType)
        {
            record.set_codec(id, mime, codec.text(Text::SdpFmtpLine));
        }
        let source =
            (record.direction == Direction::Outbound).then(|| source_of(entry, report, &mut self.sources)).flatten();
        let look = record.look(entry, source, app_time, around);
        if matches!(look, Observation::First | Observation::Closed(_)) {
            app.restart();
        }
        self.heard.extend(LevelSample::of(slot, &look, record, entry, source).map(|heard| LevelSample {
            muted_ms: app_time.muted + app_time.held,
            is_muted: app.is_silenced(),
            ..heard
        }));
        Some((look, StreamEntries { slot, entry, source, remote }))
    }

    /// Tells of an interval that was judged, and lets the detectors of its stream look at it.
    fn tell(&mut self, pending: &PendingInterval<'_>, config: &Config, out: &mut EventQueue) {
        let PendingInterval { entries: StreamEntries { slot, entry, source, remote }, ref interval, scored } = *pending;
        let Some(IntervalScore { score, rating }) = scored else { return };
        let limits = config.limits();
        let stream = &mut self.streams[slot];
        stream.latest = Latest::of(interval, rating);
        let key = StreamKey::new(self.id, stream.record.direction, stream.record.ssrc);
        out.push(limits, Event::IntervalClosed { stream: key, interval: *interval, score, rating });
        if interval.state == IntervalState::Reset {
            out.push(limits, Event::CounterReset { stream: key, at: interval.at });
        }
        let look = StreamSample {
            source,
            remote,
            owner: self.mapping.owner(key.ssrc).map(|owner| owner.user),
            is_muted: self.app.reports_mutes.then_some(stream.app.is_muted()),
            ..StreamSample::new(interval, entry)
        };
        with_recorder(self.id, self.spec.local_user, &mut self.detectors, config, out, |detectors, desk| {
            detectors.see_stream(slot.index(), look, desk);
        });
    }

    /// Makes what a state does not hold. Whether it holds everything else.
    #[cfg(feature = "serde")]
    pub(super) fn restore_models(&mut self, models: [crate::score::ModelId; 2]) -> bool {
        let records = self.streams.iter_mut().map(|stream| &mut stream.record);
        for record in records.chain(self.parts.iter_mut().map(|part| &mut part.account)) {
            record.quality.restore_models(models);
        }
        self.streams.restore_models()
    }

    /// Nothing comes any more: what was wrong is over.
    pub(super) fn close_detectors(&mut self, config: &Config, out: &mut EventQueue) {
        with_recorder(self.id, self.spec.local_user, &mut self.detectors, config, out, Detectors::close);
    }

    /// Whether the latest snapshot has sound that is sent.
    pub(super) fn sends_sound(&self) -> bool {
        self.sent_sound().next().is_some()
    }

    /// Whether all sound that is sent is muted or on hold, by the application's word.
    pub(super) fn is_silenced(&self) -> bool {
        let mut sent = self.sent_sound().peekable();
        self.app.is_held
            || if sent.peek().is_some() { sent.all(|stream| stream.app.is_silenced()) } else { self.app.is_muted() }
    }

    fn sent_sound(&self) -> impl Iterator<Item = &StreamSlot> {
        self.streams.iter().filter(|stream| {
            stream.record.direction == Direction::Outbound
                && stream.record.kind == Some(MediaKind::Audio)
                && stream.entries.snapshot == self.snapshots
        })
    }

    /// Whether all received audio stands still: the connection is on hold.
    fn playout_stands(&self, report: &Report) -> bool {
        let mut audio = self.seen.iter().filter_map(|&slot| {
            let StreamSlot { record, entries, .. } = &self.streams[slot];
            record.playout_stands(report.get(entries.own as usize)?)
        });
        audio.next().is_some_and(|first| first && audio.all(|stands| stands))
    }

    /// Finds or opens the record of every stream in the report.
    fn find_streams(&mut self, now: Timestamp, report: &Report, limits: Limits, usage: &mut Usage) {
        self.seen.clear();
        for (position, entry) in (0_u32..).zip(report.entries()) {
            let direction = match entry.kind() {
                StatsType::InboundRtp => Direction::Inbound,
                StatsType::OutboundRtp => Direction::Outbound,
                _ => continue,
            };
            // An entry without a time tells nothing.
            let Some(ssrc) = entry.ssrc().filter(|_| entry.timestamp().is_some()) else { continue };
            let slot = match self.streams.id(direction, ssrc) {
                Some(slot) => slot,
                None if self.streams.len() >= limits.streams_per_fabric() || !usage.has_streams(1, limits) => {
                    self.refused_streams = self.refused_streams.saturating_add(1);
                    continue;
                }
                None => {
                    let record = StreamRecord::open(direction, entry);
                    let Some(slot) = record.and_then(|record| self.streams.open(record, now)) else { continue };
                    usage.streams += 1;
                    slot
                }
            };
            for other in [Num::RtxSsrc, Num::FecSsrc].into_iter().filter_map(|field| entry.get(field)) {
                // The rule of both admits u32 only.
                let other = Ssrc::new(other as u32);
                // Half of the room, here and in all, is for what the application says.
                let before = self.mapping.len();
                let has_capacity = before < limits.ssrcs_per_fabric() / 2 && usage.ssrcs < limits.ssrcs() / 2;
                if has_capacity && self.mapping.primary(other) == other {
                    self.mapping.follow(ssrc, other);
                    usage.ssrcs += self.mapping.len() - before;
                }
            }
            let StreamSlot { record, entries, .. } = &mut self.streams[slot];
            if entries.snapshot != self.snapshots {
                *entries = EntryRefs { snapshot: self.snapshots, own: position, remote: None };
                self.seen.push(slot);
                continue;
            }
            // The same stream twice: only one of the two can be followed.
            record.duplicates = record.duplicates.saturating_add(1);
            if report.get(entries.own as usize).is_some_and(|other| outranks(entry, other)) {
                entries.own = position;
                record.reopen(entry);
            }
        }
    }

    /// Finds what the other end says of the streams in the report.
    fn find_remotes(&mut self, report: &Report) {
        for (position, remote) in (0_u32..).zip(report.entries()) {
            let direction = match remote.kind() {
                StatsType::RemoteInboundRtp => Direction::Outbound,
                StatsType::RemoteOutboundRtp => Direction::Inbound,
                _ => continue,
            };
            let Some(slot) = remote.ssrc().and_then(|ssrc| self.streams.id(direction, ssrc)) else { continue };
            let entries = &mut self.streams[slot].entries;
            let other = entries.remote.and_then(|other| report.get(other as usize));
            if entries.snapshot == self.snapshots && other.is_none_or(|other| outranks(remote, other)) {
                entries.remote = Some(position);
            }
        }
    }
}

impl LevelSample {
    /// What a look says of sound; `None` for what is no sound or has no level.
    fn of(
        slot: SlotId,
        look: &Observation,
        account: &StreamRecord,
        entry: Entry<'_>,
        source: Option<Entry<'_>>,
    ) -> Option<Self> {
        let level_of = match account.direction {
            Direction::Inbound => entry,
            Direction::Outbound => source?,
        };
        let has_level = [Num::TotalAudioEnergy, Num::AudioLevel].iter().any(|&field| level_of.get(field).is_some());
        if account.kind != Some(MediaKind::Audio) || !has_level {
            return None;
        }
        let mut heard = Self {
            slot,
            direction: account.direction,
            ssrc: account.ssrc,
            at: account.end(),
            span_ms: 0.0,
            level: None,
            samples_s: level_of.get(Num::TotalSamplesDuration),
            muted_ms: 0.0,
            is_muted: false,
            is_sent: true,
        };
        match look {
            Observation::First => Some(heard),
            Observation::Closed(interval) if interval.state != IntervalState::Reset => {
                (heard.at, heard.span_ms) = (interval.at, interval.span_ms);
                heard.level = interval.get(Metric::Level).or_else(|| level_of.get(Num::AudioLevel));
                heard.is_sent = account.direction == Direction::Inbound || interval.state != IntervalState::Paused;
                Some(heard)
            }
            _ => None,
        }
    }
}

/// Lets a watch work, with what it needs to raise what it finds.
fn with_recorder(
    fabric: FabricId,
    user: Option<UserId>,
    detectors: &mut Detectors,
    config: &Config,
    out: &mut EventQueue,
    work: impl FnOnce(&mut Detectors, RecorderParts<'_>),
) {
    let limits = config.limits();
    let desk = RecorderParts {
        limit: out.diagnoses_limit(limits, detectors.log.diagnoses.len()),
        thresholds: config.thresholds(),
        fabric,
        user,
        tell: &mut |change, &diagnosis| out.diagnose(limits, change, diagnosis),
    };
    work(detectors, desk);
}

/// Which of two entries about the same stream counts, whatever their order: the later, then the one with more traffic.
fn outranks(entry: Entry<'_>, other: Entry<'_>) -> bool {
    let time = |entry: Entry<'_>| entry.timestamp().map_or(-1.0, |at| at.as_millis());
    let count = |entry: Entry<'_>, field| entry.get(field).unwrap_or(-1.0);
    let mut order = time(entry).total_cmp(&time(other));
    for field in [Num::PacketsReceived, Num::PacketsSent, Num::BytesReceived, Num::BytesSent, Num::PacketsLost] {
        order = order.then_with(|| count(entry, field).total_cmp(&count(other, field)));
    }
    order.then_with(|| entry.id().cmp(other.id())).is_gt()
}

/// The media source of a stream that is sent: the one it names, or the only one of its kind.
fn source_of<'a>(entry: Entry<'_>, report: &'a Report, sources: &mut [ById; 2]) -> Option<Entry<'a>> {
    let kind = entry.media()?;
    let sources = sources.get_mut(kind as usize)?;
    let fits = |source: Entry<'_>| source.kind() == StatsType::MediaSource && source.media() == Some(kind);
    match entry.text(Text::MediaSourceId) {
        Some(id) => sources.find(id, report, fits),
        None => sources.only(report, fits),
    }
}
