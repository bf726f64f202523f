//! One PeerConnection: which account each entry of a snapshot belongs to.

mod life;

use alloc::boxed::Box;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::FabricSpec;
use super::outbox::EventQueue;
use super::usage::Usage;
use crate::config::{Config, Limits};
use crate::diagnosis::{Detectors, RecorderParts, StreamSample};
use crate::event::Event;
use crate::fabric::{Lifecycle, Media, Owner, Path, Playout, SsrcMap, Told, selected_pair};
use crate::id::{Direction, FabricId, MediaKind, Ssrc, StreamKey, UserId};
use crate::list::push;
use crate::metric::{Interval, IntervalState, Metric};
use crate::report::{ById, Entry, Num, Report, StatsType, Text};
use crate::score::rating::CallstatsRating;
use crate::stream::{AppTime, ConnectionContext, IntervalScore, Observation, StreamRecord};
use crate::unit::{StatTime, Timestamp};
pub(super) use life::StoredDevice;

/// One PeerConnection: an account for each of its streams, its path and its life.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Fabric {
    id: FabricId,
    pub(super) spec: FabricSpec,
    pub(super) life: Lifecycle,
    pub(super) media: Media,
    pub(super) mapping: SsrcMap,
    /// Devices in use, and devices that are there.
    pub(super) devices: [Vec<StoredDevice>; 2],
    pub(super) accounts: Vec<StreamRecord>,
    /// What streams were before they became somebody else's.
    pub(super) parts: Vec<Part>,
    #[cfg_attr(feature = "serde", serde(skip))]
    index: HashMap<(Direction, Ssrc), u32>,
    pub(super) path: Path,
    playout: Playout,
    pub(super) detectors: Detectors,
    pub(super) snapshots: u64,
    /// The earliest and the latest time of any snapshot, on the reporter's clock.
    pub(super) span: Option<(StatTime, StatTime)>,
    /// Streams that the limit kept out.
    pub(super) refused_streams: u64,
    /// The accounts that the snapshot at hand is about. Kept for its memory.
    #[cfg_attr(feature = "serde", serde(skip))]
    seen: Vec<u32>,
    /// For each account, where its entries are.
    seats: Vec<Seat>,
    /// For each account, what else there is to know.
    notes: Vec<Notes>,
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
    pub(super) slot: u32,
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

/// So many streams are looked at, then judged, then told of: 14 KB on the stack. The code of each of these steps stays in
/// the processor's cache from stream to stream, which does not hold that of all; and so does what is at hand. Eight do as
/// well, all at once do not (`benches/conference.rs`).
const AT_ONCE: usize = 16;

/// The entries about a stream, in the report at hand.
#[derive(Clone, Copy)]
struct EntryRefs<'a> {
    slot: u32,
    entry: Entry<'a>,
    source: Option<Entry<'a>>,
    remote: Option<Entry<'a>>,
}

/// An interval that is about to be told.
struct PendingInterval<'a> {
    sight: EntryRefs<'a>,
    interval: Interval,
    verdict: Option<IntervalScore>,
}

/// Where the entries of a stream stand in a report.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Seat {
    /// The last snapshot that had the stream.
    snapshot: u64,
    /// The stream's own entry.
    own: u32,
    /// What the other end says of it.
    remote: Option<u32>,
}

/// What a fabric knows of a stream besides its account.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Notes {
    /// Whose the account is, while the stream itself is somebody else's already: the next look opens another account.
    before: Option<Box<Owner>>,
    /// What the application says of it, since when that is not in `app_time` yet.
    told: Told,
    app_since: Timestamp,
    app_time: AppTime,
    latest: Latest,
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
            media: Media::default(),
            mapping: SsrcMap::default(),
            devices: [Vec::new(), Vec::new()],
            accounts: Vec::new(),
            parts: Vec::new(),
            index: HashMap::new(),
            path: Path::default(),
            playout: Playout::default(),
            detectors: Detectors::default(),
            snapshots: 0,
            span: None,
            refused_streams: 0,
            seen: Vec::new(),
            seats: Vec::new(),
            notes: Vec::new(),
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
        self.find_records(now, report, limits, usage);
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
        self.heard.clear();
        let (mut late, mut news) = (false, false);
        let seen = core::mem::take(&mut self.seen);
        for slots in seen.chunks(AT_ONCE) {
            let mut pending = [const { None }; AT_ONCE];
            for (&slot, pending) in slots.iter().zip(&mut pending) {
                let Some((look, sight)) = self.look(slot, now, report, around) else { continue };
                match look {
                    Observation::Late => late = true,
                    Observation::Repeated => {}
                    Observation::First => news = true,
                    Observation::Closed(interval) => {
                        news = true;
                        *pending = Some(PendingInterval { sight, interval, verdict: None });
                    }
                }
            }
            for pending in pending.iter_mut().flatten() {
                if let Some(account) = self.accounts.get_mut(pending.sight.slot as usize) {
                    let EntryRefs { entry, source, .. } = pending.sight;
                    pending.verdict = Some(account.score_interval(&pending.interval, entry, source, around));
                }
            }
            for pending in pending.iter().flatten() {
                self.tell(pending, config, out);
            }
        }
        self.seen = seen;
        // Which of two samples is late, and who is one too many, must not hang on the order in which a report has them.
        self.heard.sort_unstable_by(|a, b| {
            let of = |heard: &LevelSample| (heard.direction == Direction::Inbound, heard.ssrc);
            a.at.as_millis().total_cmp(&b.at.as_millis()).then(of(a).cmp(&of(b)))
        });
        // A snapshot that came too late for every stream says nothing of the path as it is now.
        if news || !late {
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

    /// Looks at one stream of the report.
    fn look<'a>(
        &mut self,
        slot: u32,
        now: Timestamp,
        report: &'a Report,
        around: ConnectionContext<'_>,
    ) -> Option<(Observation, EntryRefs<'a>)> {
        let seat = *self.seats.get(slot as usize)?;
        let notes = self.notes.get_mut(slot as usize)?;
        let account = self.accounts.get_mut(slot as usize)?;
        let entry = report.get(seat.own as usize)?;
        if notes.before.is_some() && entry.timestamp() > Some(account.end()) {
            let before = notes.before.take();
            if let (Some(owner), Some(mut renewed)) = (before, StreamRecord::open(account.direction, entry)) {
                renewed.kind = renewed.kind.or(account.kind);
                self.parts.push(Part { account: core::mem::replace(account, renewed), owner: *owner });
                notes.latest = Latest::default();
            }
        }
        let mut muted_ms = 0.0;
        if notes.has_app_time() {
            let told = notes.take_app_time(now);
            muted_ms = told.muted + told.held;
            account.tell(told);
        }
        if !self.media.is_silent() {
            let kind = entry.media().or(account.kind);
            notes.app_since = now;
            notes.told = self.media.of(account.direction, kind, account.ssrc, self.mapping.primary(account.ssrc));
        }
        // What the other end says belongs to the interval that is about to close.
        let remote = seat.remote.and_then(|position| report.get(position as usize));
        if let Some(remote) = remote {
            account.hear(remote, entry);
        }
        if let Some(id) = account.new_codec_id(entry)
            && let Some(codec) = self.codecs.find(id, report, |_| true)
            && let Some(mime) = codec.text(Text::MimeType)
        {
            account.set_codec(id, mime, codec.text(Text::SdpFmtpLine));
        }
        let source =
            (account.direction == Direction::Outbound).then(|| source_of(entry, report, &mut self.sources)).flatten();
        let look = account.look(entry, source, around);
        self.heard.extend(LevelSample::of(slot, &look, account, entry, source).map(|heard| LevelSample {
            muted_ms,
            is_muted: notes.told.muted || notes.told.held,
            ..heard
        }));
        Some((look, EntryRefs { slot, entry, source, remote }))
    }

    /// Tells of an interval that was judged, and lets the detectors of its stream look at it.
    fn tell(&mut self, pending: &PendingInterval<'_>, config: &Config, out: &mut EventQueue) {
        let PendingInterval { sight: EntryRefs { slot, entry, source, remote }, ref interval, verdict } = *pending;
        let slot = slot as usize;
        let (Some(verdict), Some(account), Some(notes)) = (verdict, self.accounts.get(slot), self.notes.get_mut(slot))
        else {
            return;
        };
        let limits = config.limits();
        let stream = StreamKey::new(self.id, account.direction, account.ssrc);
        let IntervalScore { score, rating } = verdict;
        notes.latest = Latest::of(interval, rating);
        out.push(limits, Event::IntervalClosed { stream, interval: *interval, score, rating });
        if interval.state == IntervalState::Reset {
            out.push(limits, Event::CounterReset { stream, at: interval.at });
        }
        let look = StreamSample {
            source,
            remote,
            owner: self.mapping.owner(account.ssrc).map(|owner| owner.user),
            is_muted: self.media.reports_mutes.then_some(notes.told.muted),
            ..StreamSample::new(interval, entry)
        };
        with_recorder(self.id, self.spec.local_user, &mut self.detectors, config, out, |detectors, desk| {
            detectors.see_stream(slot, look, desk);
        });
    }

    /// Makes what a state does not hold. Whether it holds everything else.
    #[cfg(feature = "serde")]
    pub(super) fn restore_models(&mut self, models: [crate::score::ModelId; 2]) -> bool {
        for account in self.accounts.iter_mut().chain(self.parts.iter_mut().map(|part| &mut part.account)) {
            account.quality.restore_models(models);
        }
        let keys = self.accounts.iter().map(|account| (account.direction, account.ssrc));
        self.index = keys.zip(0..).collect();
        [self.index.len(), self.seats.len(), self.notes.len()] == [self.accounts.len(); 3]
    }

    /// Nothing comes any more: what was wrong is over.
    pub(super) fn close_detectors(&mut self, config: &Config, out: &mut EventQueue) {
        with_recorder(self.id, self.spec.local_user, &mut self.detectors, config, out, Detectors::close);
    }

    /// Whether a stream is muted or on hold, by the application's word.
    pub(super) fn is_muted(&self, slot: usize) -> bool {
        self.notes.get(slot).is_some_and(|notes| notes.told.muted || notes.told.held)
    }

    /// Whether the latest snapshot has sound that is sent.
    pub(super) fn sends_sound(&self) -> bool {
        self.sent_sound().next().is_some()
    }

    /// Whether all sound that is sent is muted or on hold, by the application's word.
    pub(super) fn is_silenced(&self) -> bool {
        let mut sent = self.sent_sound().peekable();
        self.media.is_held
            || if sent.peek().is_some() { sent.all(|slot| self.is_muted(slot)) } else { self.media.is_muted() }
    }

    fn sent_sound(&self) -> impl Iterator<Item = usize> {
        let is_sent =
            |account: &StreamRecord| account.direction == Direction::Outbound && account.kind == Some(MediaKind::Audio);
        let is_here = |slot: usize| self.seats.get(slot).is_some_and(|seat| seat.snapshot == self.snapshots);
        self.accounts
            .iter()
            .enumerate()
            .filter(move |&(slot, account)| is_sent(account) && is_here(slot))
            .map(|(slot, _)| slot)
    }

    /// The figures of the stream's latest interval.
    pub(super) fn latest(&self, slot: usize) -> Latest {
        self.notes.get(slot).map(|notes| notes.latest).unwrap_or_default()
    }

    fn own<'a>(&self, slot: u32, report: &'a Report) -> Option<Entry<'a>> {
        report.get(self.seats.get(slot as usize)?.own as usize)
    }

    /// Whether all received audio stands still: the connection is on hold.
    fn playout_stands(&self, report: &Report) -> bool {
        let mut audio = self
            .seen
            .iter()
            .filter_map(|&slot| self.accounts.get(slot as usize)?.playout_stands(self.own(slot, report)?));
        audio.next().is_some_and(|first| first && audio.all(|stands| stands))
    }

    /// Finds or opens the account of every stream in the report.
    fn find_records(&mut self, now: Timestamp, report: &Report, limits: Limits, usage: &mut Usage) {
        self.seen.clear();
        for (position, entry) in (0_u32..).zip(report.entries()) {
            let direction = match entry.kind() {
                StatsType::InboundRtp => Direction::Inbound,
                StatsType::OutboundRtp => Direction::Outbound,
                _ => continue,
            };
            // An entry without a time tells nothing.
            let Some(ssrc) = entry.ssrc().filter(|_| entry.timestamp().is_some()) else { continue };
            let slot = match self.index.get(&(direction, ssrc)) {
                Some(&slot) => slot,
                None if self.accounts.len() >= limits.streams_per_fabric() || !usage.has_streams(1, limits) => {
                    self.refused_streams = self.refused_streams.saturating_add(1);
                    continue;
                }
                None => {
                    let Some(account) = StreamRecord::open(direction, entry) else { continue };
                    let Ok(slot) = u32::try_from(self.accounts.len()) else { continue };
                    push(&mut self.accounts, account);
                    push(&mut self.seats, Seat::default());
                    push(&mut self.notes, Notes { app_since: now, ..Notes::default() });
                    self.index.insert((direction, ssrc), slot);
                    usage.streams += 1;
                    slot
                }
            };
            let (Some(seat), Some(account)) = (self.seats.get_mut(slot as usize), self.accounts.get_mut(slot as usize))
            else {
                continue;
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
            if seat.snapshot != self.snapshots {
                *seat = Seat { snapshot: self.snapshots, own: position, remote: None };
                self.seen.push(slot);
                continue;
            }
            // The same stream twice: only one of the two can be followed.
            account.duplicates = account.duplicates.saturating_add(1);
            if report.get(seat.own as usize).is_some_and(|other| outranks(entry, other)) {
                seat.own = position;
                account.reopen(entry);
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
            let Some(&slot) = remote.ssrc().and_then(|ssrc| self.index.get(&(direction, ssrc))) else { continue };
            let Some(seat) = self.seats.get_mut(slot as usize).filter(|seat| seat.snapshot == self.snapshots) else {
                continue;
            };
            let other = seat.remote.and_then(|other| report.get(other as usize));
            if other.is_none_or(|other| outranks(remote, other)) {
                seat.remote = Some(position);
            }
        }
    }
}

impl LevelSample {
    /// What a look says of sound; `None` for what is no sound or has no level.
    fn of(
        slot: u32,
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
