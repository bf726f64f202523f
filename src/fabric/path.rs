//! The path that the packets of a PeerConnection take, and what its stats tell of ICE.

use alloc::string::String;
use ordered_float::OrderedFloat;

use crate::digest::Digest;
use crate::event::{IceState, Relay};
use crate::hash::fnv1a_64;
use crate::metric::Cadence;
use crate::metric::Formula;
use crate::metric::counter::{Delta, EntryTracker, Progress};
use crate::report::{Entry, Flag, Num, Report, StatsType, Text};

/// The path that packets take: the selected candidate pair, and what is known of it over time.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Path {
    pub(crate) ice_rtt_ms: Digest,
    pub(crate) available_outgoing_bps: Digest,
    pub(crate) selected_changes: u64,
    /// What the sender's congestion control believed in at the latest look, bits per second.
    pub(crate) available_bps: Option<f64>,
    /// The latest round trip of the pair in use, ms.
    pub(crate) rtt_ms: Option<f64>,
    /// How many round trips have been measured since the look before; `None` where they are not counted.
    pub(crate) rtt_samples: Option<f64>,
    /// Connectivity checks on the pair in use since the last one that was answered; `None` where they are not counted.
    pub(crate) unanswered: Option<f64>,
    /// Whether bytes came by it at the latest look that brought news of it; `None` where they are not counted.
    pub(crate) arrives: Option<bool>,
    /// Milliseconds in which packets passed by way of a relay, at either end; `None` while no candidate is known.
    pub(crate) relayed_ms: Option<f64>,
    pair: Option<Pair>,
    /// The user name fragment of the transport, as a hash.
    fragment: Option<u64>,
    cadence: Cadence,
}

/// The selected pair.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Pair {
    id: String,
    track: EntryTracker,
    /// Whether either end is a relay; `None` while no candidate is known.
    is_relayed: Option<bool>,
    /// How this end reaches its relay.
    relay: Option<Relay>,
    /// Looks that may still find the candidates.
    tries: u8,
}

/// What a look at the path showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// Where ICE stands; `None` when nothing tells.
    pub(crate) ice: Option<IceState>,
    /// What failed is DTLS.
    pub(crate) is_dtls: bool,
    /// ICE has other credentials than at the look before.
    pub(crate) has_restarted: bool,
    /// Another pair is selected than before.
    pub(crate) has_switched: bool,
}

/// How often the candidates of a pair are looked for: they may come a little later than the pair.
const TRIES: u8 = 8;
/// A pair whose id is longer than this, in bytes, is not followed: those of browsers have some twenty.
const MAX_PAIR_ID: usize = 256;

impl Path {
    /// Takes a look at the path. `selected` is the [pair in use](selected_pair); distributions keep to so many cells.
    pub(crate) fn sample(&mut self, report: &Report, selected: Option<Entry<'_>>, cells: usize) -> Sight {
        let transport = report.of(StatsType::Transport).min_by(|a, b| a.id().cmp(b.id()));
        let had_pair = self.pair.is_some();
        let (ice, is_dtls) =
            ice_of(transport, selected, report, had_pair).map_or((None, false), |(ice, dtls)| (Some(ice), dtls));
        let fragment = transport
            .and_then(|entry| entry.text(Text::IceLocalUsernameFragment))
            .map(|text| fnv1a_64(text.as_bytes()));
        let has_restarted = fragment.is_some() && self.fragment.is_some() && fragment != self.fragment;
        self.fragment = fragment.or(self.fragment);
        let has_switched = selected
            .filter(|pair| pair.id().len() <= MAX_PAIR_ID)
            .is_some_and(|pair| self.look_at_pair(pair, report, cells));
        Sight { ice, is_dtls, has_restarted, has_switched }
    }

    /// How this end reaches its relay, if it does so on the selected pair.
    pub(crate) fn relay(&self) -> Option<Relay> {
        self.pair.as_ref()?.relay
    }

    /// Whether anything came over the pair in use since the last look: media, control or a check. `None` when nobody
    /// counted. To be asked before [`Path::sample`].
    pub(crate) fn carries(&self, entry: Entry<'_>) -> Option<bool> {
        let pair = self.pair.as_ref().filter(|pair| pair.id == entry.id())?;
        let Progress::Advance(delta) = pair.track.step(entry) else { return None };
        [Num::PacketsReceived, Num::BytesReceived, Num::ResponsesReceived, Num::RequestsReceived]
            .into_iter()
            .filter_map(|field| delta.of(field))
            .map(|came| came > 0.0)
            .reduce(|a, b| a || b)
    }

    /// Whether the pair is another one than before.
    fn look_at_pair(&mut self, entry: Entry<'_>, report: &Report, cells: usize) -> bool {
        self.available_bps = entry.get(Num::AvailableOutgoingBitrate);
        let gauge = entry.get(Num::CurrentRoundTripTime).map(|seconds| seconds * 1e3);
        match &mut self.pair {
            Some(pair) if pair.id == entry.id() => {
                pair.find_candidates(entry, report);
                let step = pair.track.step(entry);
                // What passed without time passing is counted when time has passed.
                let moves =
                    matches!(step, Progress::Advance(delta) | Progress::Restart(delta) if delta.span_ms() != 0.0);
                if let Progress::Advance(delta) = step
                    && moves
                {
                    let mean = Formula::Mean(Num::TotalRoundTripTime, Num::ResponsesReceived, 1e3).of(&delta);
                    // Time in which nobody looked says nothing of the path.
                    let gap = self.cadence.is_gap(delta.span_ms());
                    self.cadence.note(delta.span_ms());
                    // Positive; saturates.
                    let weight = if gap { 0 } else { (delta.span_ms() * 1e3) as u64 };
                    self.rtt_ms = mean.or(gauge);
                    if let Some(rtt_ms) = self.rtt_ms {
                        self.ice_rtt_ms.add_within(rtt_ms, weight, cells);
                    }
                    if let Some(available) = entry.get(Num::AvailableOutgoingBitrate) {
                        self.available_outgoing_bps.add_within(available, weight, cells);
                    }
                    // Where only the latest is told, several count as one.
                    self.rtt_samples = delta
                        .of(Num::ResponsesReceived)
                        .map(|answered| if mean.is_some() { answered } else { answered.min(1.0) });
                    self.arrives = delta.of(Num::BytesReceived).map(|bytes| bytes > 0.0);
                    // Some never count answers.
                    let is_answered = entry.get(Num::ResponsesReceived) > Some(0.0);
                    let asked = delta.of(Num::RequestsSent).filter(|_| is_answered);
                    self.unanswered = asked.zip(delta.of(Num::ResponsesReceived)).map(|(asked, answered)| {
                        if answered > 0.0 { 0.0 } else { self.unanswered.unwrap_or(0.0) + asked }
                    });
                    if let Some(is_relayed) = pair.is_relayed {
                        let ms = if is_relayed && !gap && carries(&delta) { delta.span_ms() } else { 0.0 };
                        self.relayed_ms = Some(self.relayed_ms.unwrap_or(0.0) + ms);
                    }
                }
                if moves {
                    pair.track.accept(entry);
                }
                false
            }
            other => {
                let is_other = other.is_some();
                self.selected_changes = self.selected_changes.saturating_add(u64::from(is_other));
                self.rtt_ms = gauge;
                (self.unanswered, self.arrives, self.rtt_samples) = (None, None, None);
                *other = EntryTracker::new(entry).map(|track| {
                    let mut pair = Pair { id: entry.id().into(), track, is_relayed: None, relay: None, tries: TRIES };
                    pair.find_candidates(entry, report);
                    pair
                });
                is_other
            }
        }
    }
}

impl Pair {
    /// Finds out whether the pair goes by way of a relay, while that is not known.
    fn find_candidates(&mut self, pair: Entry<'_>, report: &Report) {
        if self.is_relayed.is_some() || self.tries == 0 {
            return;
        }
        self.tries -= 1;
        let candidate = |field| pair.text(field).and_then(|id| report.by_id(id));
        let (local, remote) = (candidate(Text::LocalCandidateId), candidate(Text::RemoteCandidateId));
        let is_relay = |entry: Entry<'_>| matches!(entry.text(Text::CandidateType), Some("relay" | "relayed"));
        if local.is_none() && remote.is_none() {
            return;
        }
        self.is_relayed = Some(local.is_some_and(is_relay) || remote.is_some_and(is_relay));
        let protocol = local.filter(|&local| is_relay(local)).and_then(|local| local.text(Text::RelayProtocol));
        self.relay = protocol.and_then(Relay::from_name);
    }
}

/// Whether bytes passed.
fn carries(delta: &Delta<'_>) -> bool {
    [Num::BytesReceived, Num::BytesSent].iter().any(|&field| delta.of(field) > Some(0.0))
}

/// The pair in use (edge case 20): the one that the transport names; else the one marked as selected; else, of those
/// nominated and succeeded, the one that carried packets last, or most. Whatever the order of the report.
pub(crate) fn selected_pair(report: &Report) -> Option<Entry<'_>> {
    let pairs = || report.of(StatsType::CandidatePair);
    let transports =
        report.of(StatsType::Transport).filter(|entry| entry.text(Text::SelectedCandidatePairId).is_some());
    let transport = transports.min_by(|a, b| a.id().cmp(b.id()));
    if let Some(id) = transport.and_then(|transport| transport.text(Text::SelectedCandidatePairId)) {
        return pairs().find(|pair| pair.id() == id);
    }
    let marked = pairs().filter(|pair| pair.flag(Flag::Selected) == Some(true));
    marked.min_by(|a, b| a.id().cmp(b.id())).or_else(|| {
        let sum = |pair: &Entry<'_>, fields: [Num; 2]| {
            OrderedFloat(fields.iter().filter_map(|&field| pair.get(field)).sum::<f64>())
        };
        let last = |pair: &Entry<'_>| sum(pair, [Num::LastPacketReceivedTimestamp, Num::LastPacketSentTimestamp]);
        let carried = |pair: &Entry<'_>| sum(pair, [Num::BytesReceived, Num::BytesSent]);
        pairs()
            .filter(|pair| pair.flag(Flag::Nominated) == Some(true) && pair.text(Text::State) == Some("succeeded"))
            .max_by(|a, b| {
                let order = (last(a), carried(a)).cmp(&(last(b), carried(b)));
                order.then_with(|| b.id().cmp(a.id()))
            })
    })
}

/// Where ICE stands, and whether it is DTLS that failed. Without DTLS no packet can flow: as long as it is being set up,
/// so is ICE.
fn ice_of(
    transport: Option<Entry<'_>>,
    selected: Option<Entry<'_>>,
    report: &Report,
    had_pair: bool,
) -> Option<(IceState, bool)> {
    let ice = transport.and_then(|transport| transport.text(Text::IceState)).and_then(IceState::from_name);
    let dtls = transport.and_then(|transport| transport.text(Text::DtlsState));
    Some(match (ice, dtls) {
        (Some(IceState::Failed), _) => (IceState::Failed, false),
        (_, Some("failed")) => (IceState::Failed, true),
        (_, Some("closed")) => (IceState::Closed, false),
        (Some(IceState::Connected | IceState::Completed), Some("new" | "connecting")) => (IceState::Checking, false),
        (Some(ice), _) => (ice, false),
        (None, Some("connected")) => (IceState::Connected, false),
        (None, Some("connecting")) => (IceState::Checking, false),
        // Firefox before 153 and the old API have no transport states: a pair that carries bytes will do.
        (None, _) => (of_pairs(selected, report, had_pair)?, false),
    })
}

/// Where ICE stands by its pairs alone. That all of them failed is no failure: more candidates may come.
fn of_pairs(selected: Option<Entry<'_>>, report: &Report, had_pair: bool) -> Option<IceState> {
    let fails = |pair: Entry<'_>| matches!(pair.text(Text::State), Some("failed" | "cancelled"));
    if let Some(pair) = selected {
        let carried = [Num::BytesReceived, Num::BytesSent].iter().any(|&field| pair.get(field) > Some(0.0));
        return Some(match (fails(pair), carried) {
            (true, _) => IceState::Disconnected,
            (false, true) => IceState::Connected,
            (false, false) => IceState::Checking,
        });
    }
    let mut pairs = report.of(StatsType::CandidatePair).peekable();
    pairs.peek()?;
    Some(if had_pair && pairs.all(fails) { IceState::Disconnected } else { IceState::Checking })
}
