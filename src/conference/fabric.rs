//! The streams and the path of one PeerConnection.

use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::account::Account;
use crate::digest::Digest;
use crate::event::Event;
use crate::id::{Direction, FabricId, MediaKind, Ssrc, StreamKey};
use crate::metric::{Formula, State};
use crate::report::{Entry, Flag, Num, Report, StatsType, Text};
use crate::stream::{Step, Track};

/// One PeerConnection: an account for each of its streams, and its path.
#[derive(Clone, Debug)]
pub(super) struct Fabric {
    id: FabricId,
    pub(super) name: String,
    pub(super) accounts: Vec<Account>,
    index: HashMap<(Direction, Ssrc), u32>,
    pub(super) path: Path,
    pub(super) snapshots: u64,
    /// Streams that the limit kept out.
    pub(super) refused_streams: u64,
    /// The streams in the snapshot at hand: position of the entry, account. Kept for its memory.
    seen: Vec<(u32, u32)>,
    /// For each account, the last snapshot that had it, and where.
    positions: Vec<(u64, u32)>,
}

impl Fabric {
    pub(super) fn new(id: FabricId, name: String) -> Self {
        Self {
            id,
            name,
            accounts: Vec::new(),
            index: HashMap::new(),
            path: Path::default(),
            snapshots: 0,
            refused_streams: 0,
            seen: Vec::new(),
            positions: Vec::new(),
        }
    }

    pub(super) fn ingest(&mut self, report: &Report, max_streams: usize, emit: &mut dyn FnMut(Event)) {
        self.snapshots += 1;
        self.path.look(report);
        self.find_accounts(report, max_streams);
        // What the other end says belongs to the interval that is about to close.
        for remote in report.entries() {
            let direction = match remote.kind() {
                StatsType::RemoteInboundRtp => Direction::Outbound,
                StatsType::RemoteOutboundRtp => Direction::Inbound,
                _ => continue,
            };
            let Some(&slot) = remote.ssrc().and_then(|ssrc| self.index.get(&(direction, ssrc))) else { continue };
            let position = self.positions.get(slot as usize).filter(|&&(snapshot, _)| snapshot == self.snapshots);
            if let Some(entry) = position.and_then(|&(_, position)| report.get(position as usize))
                && let Some(account) = self.accounts.get_mut(slot as usize)
            {
                account.hear(remote, entry);
            }
        }
        let playout_stands = self.playout_stands(report);
        for &(entry, slot) in &self.seen {
            let (Some(entry), Some(account)) = (report.get(entry as usize), self.accounts.get_mut(slot as usize))
            else {
                continue;
            };
            if let Some(id) = account.new_codec_id(entry) {
                account.set_codec(id, report.by_id(id).and_then(|codec| codec.text(Text::MimeType)));
            }
            let source = (account.direction == Direction::Outbound).then(|| source_of(entry, report)).flatten();
            if let Some(interval) = account.look(entry, source, playout_stands) {
                let stream = StreamKey::new(self.id, account.direction, account.ssrc);
                emit(Event::IntervalClosed { stream, interval });
                if interval.state == State::Reset {
                    emit(Event::CounterReset { stream, at: interval.at });
                }
            }
        }
    }

    /// Whether all received audio stands still: the connection is on hold.
    fn playout_stands(&self, report: &Report) -> bool {
        let mut audio = self
            .seen
            .iter()
            .filter_map(|&(entry, slot)| self.accounts.get(slot as usize)?.playout_stands(report.get(entry as usize)?));
        audio.next().is_some_and(|first| first && audio.all(|stands| stands))
    }

    /// Finds or opens the account of every stream in the report.
    fn find_accounts(&mut self, report: &Report, max_streams: usize) {
        self.seen.clear();
        for (position, entry) in (0_u32..).zip(report.entries()) {
            let direction = match entry.kind() {
                StatsType::InboundRtp => Direction::Inbound,
                StatsType::OutboundRtp => Direction::Outbound,
                _ => continue,
            };
            let Some(ssrc) = entry.ssrc() else { continue };
            let slot = match self.index.get(&(direction, ssrc)) {
                Some(&slot) => slot,
                None if self.accounts.len() >= max_streams => {
                    self.refused_streams += 1;
                    continue;
                }
                None => {
                    let Some(account) = Account::open(direction, entry) else { continue };
                    let Ok(slot) = u32::try_from(self.accounts.len()) else { continue };
                    self.accounts.push(account);
                    self.positions.push((0, 0));
                    self.index.insert((direction, ssrc), slot);
                    slot
                }
            };
            self.seen.push((position, slot));
            if let Some(last) = self.positions.get_mut(slot as usize) {
                *last = (self.snapshots, position);
            }
        }
    }
}

/// The media source of a stream that is sent: the one it names, or the only one of its kind.
fn source_of<'a>(entry: Entry<'_>, report: &'a Report) -> Option<Entry<'a>> {
    if entry.media() != Some(MediaKind::Audio) {
        return None;
    }
    let mut sources = report.of(StatsType::MediaSource).filter(|source| source.media() == entry.media());
    match entry.text(Text::MediaSourceId) {
        Some(id) => sources.find(|source| source.id() == id),
        None => sources.next().filter(|_| sources.next().is_none()),
    }
}

/// The path that packets take: the selected candidate pair, and what is known of it over time.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    pub(super) ice_rtt_ms: Digest,
    pub(super) available_outgoing_bps: Digest,
    pub(super) selected_changes: u64,
    pub(super) state: PathState,
    pair: Option<(String, Track)>,
    rtt_ms: Option<f64>,
}

/// How far a connection got, as far as stats tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum PathState {
    #[default]
    Unknown,
    Initializing,
    Established,
    Disrupted,
    Failed,
    Terminated,
}

impl Path {
    fn look(&mut self, report: &Report) {
        let transport = report.of(StatsType::Transport).next();
        let selected = selected_pair(report);
        self.state = state_of(transport, selected).unwrap_or(self.state);
        let Some(pair) = selected else { return };
        match &mut self.pair {
            Some((id, track)) if id == pair.id() => {
                let step = track.step(pair);
                let moves = matches!(step, Step::Advance(_) | Step::Restart(_));
                if let Step::Advance(delta) = step {
                    let mean = Formula::Mean(Num::TotalRoundTripTime, Num::ResponsesReceived, 1e3).of(&delta);
                    let gauge = pair.get(Num::CurrentRoundTripTime).map(|seconds| seconds * 1e3);
                    self.rtt_ms = mean.or(gauge).or(self.rtt_ms);
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive; saturates
                    let weight = (delta.span_ms() * 1e3) as u64;
                    if let Some(rtt_ms) = self.rtt_ms {
                        self.ice_rtt_ms.add(rtt_ms, weight);
                    }
                    if let Some(available) = pair.get(Num::AvailableOutgoingBitrate) {
                        self.available_outgoing_bps.add(available, weight);
                    }
                }
                if moves {
                    track.accept(pair);
                }
            }
            other => {
                self.selected_changes += u64::from(other.is_some());
                self.rtt_ms = None;
                *other = Track::new(pair).map(|track| (pair.id().into(), track));
            }
        }
    }
}

/// The pair in use (edge case 20): the one that the transport names; else the one marked as selected; else, of those
/// nominated and succeeded, the one that carried most.
fn selected_pair(report: &Report) -> Option<Entry<'_>> {
    let named = report.of(StatsType::Transport).find_map(|entry| entry.text(Text::SelectedCandidatePairId));
    let mut pairs = report.of(StatsType::CandidatePair);
    if let Some(id) = named {
        return pairs.find(|pair| pair.id() == id);
    }
    let marked = pairs.clone().find(|pair| pair.flag(Flag::Selected) == Some(true));
    marked.or_else(|| {
        let carried = |pair: &Entry<'_>| {
            [Num::BytesReceived, Num::BytesSent].iter().filter_map(|&field| pair.get(field)).sum::<f64>()
        };
        pairs
            .filter(|pair| pair.flag(Flag::Nominated) == Some(true) && pair.text(Text::State) == Some("succeeded"))
            .max_by(|a, b| carried(a).total_cmp(&carried(b)))
    })
}

fn state_of(transport: Option<Entry<'_>>, selected: Option<Entry<'_>>) -> Option<PathState> {
    let ice = transport.and_then(|transport| transport.text(Text::IceState));
    let dtls = transport.and_then(|transport| transport.text(Text::DtlsState));
    Some(match (ice, dtls) {
        (Some("failed"), _) | (_, Some("failed")) => PathState::Failed,
        (Some("closed"), _) | (_, Some("closed")) => PathState::Terminated,
        (Some("disconnected"), _) => PathState::Disrupted,
        (Some("connected" | "completed") | None, Some("connected")) => PathState::Established,
        (Some(_), _) | (_, Some(_)) => PathState::Initializing,
        // Firefox before 153 and the old API have no transport states: a pair that carries bytes will do.
        (None, None) => {
            let pair = selected?;
            let carries = [Num::BytesReceived, Num::BytesSent].iter().any(|&field| pair.get(field) > Some(0.0));
            if carries { PathState::Established } else { PathState::Initializing }
        }
    })
}
