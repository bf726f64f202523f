//! The network path of a PeerConnection and its ICE state, as stats show them. It raises no events.

use alloc::string::String;
use ordered_float::OrderedFloat;

use crate::digest::Digest;
use crate::event::{IceState, Relay};
use crate::hash::fnv1a_64;
use crate::metric::counter::{Delta, EntryTracker, Progress};
use crate::metric::{Cadence, Formula, MAX_MS};
use crate::report::{Entry, Fields, Flag, Num, Report, StatsType, Text};
use crate::stream::Doubted;

/// The path of the packets: the selected candidate pair and its figures over time.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Path {
    pub(crate) ice_rtt_ms: Digest,
    pub(crate) available_outgoing_bps: Digest,
    pub(crate) selected_changes: u64,
    /// The sender's bandwidth estimate at the latest sample, bits per second.
    pub(crate) available_bps: Option<f64>,
    /// The latest round-trip time of the selected pair, ms.
    pub(crate) rtt_ms: Option<f64>,
    /// Round trips measured since the previous sample; `None` if they are not counted.
    pub(crate) rtt_samples: Option<f64>,
    /// Connectivity checks on the selected pair since the last answered one; `None` if they are not counted.
    pub(crate) unanswered: Option<f64>,
    /// Whether bytes arrived at the latest sample with new counters; `None` if they are not counted.
    pub(crate) arrives: Option<bool>,
    /// Milliseconds in which packets passed through a relay at either end; `None` while no candidate is known.
    pub(crate) relayed_ms: Option<f64>,
    pub(crate) doubted: Doubted,
    /// How long no check was answered although answers are counted, ms: the age of the gauge.
    unanswered_ms: f64,
    pair: Option<SelectedPair>,
    /// A hash of the transport's ICE user name fragment.
    fragment: Option<u64>,
    cadence: Cadence,
}

/// The selected pair.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct SelectedPair {
    id: String,
    track: EntryTracker,
    /// Whether either end is a relay; `None` while no candidate is known.
    is_relayed: Option<bool>,
    /// The protocol from this end to its relay.
    relay: Option<Relay>,
    /// Remaining samples in which to find the candidates.
    tries: u8,
}

/// One sample of the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathSample {
    /// The ICE state; `None` if no stats show it.
    pub(crate) ice: Option<IceState>,
    /// The failure is one of DTLS.
    pub(crate) is_dtls: bool,
    /// The ICE credentials changed since the previous sample.
    pub(crate) has_restarted: bool,
    /// The selected pair changed.
    pub(crate) has_switched: bool,
}

/// The number of samples in which the candidates of a pair are searched: they may be reported a little later than the
/// pair.
const TRIES: u8 = 8;
/// How long the round trip of an answered check is valid, ms. Checks are due every 4 to 6 s (RFC 7675 5.1): three of
/// them went unanswered, or the implementation measures once.
const RTT_HOLD_MS: f64 = 15_000.0;
/// The longest id in bytes of a pair that is followed: ids of browsers have about twenty.
const MAX_PAIR_ID: usize = 256;

impl Path {
    /// Takes a sample of the path. `selected` is the [selected pair](selected_pair); distributions use at most `cells`
    /// cells.
    pub(crate) fn sample(&mut self, report: &Report, selected: Option<Entry<'_>>, cells: usize) -> PathSample {
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
            .is_some_and(|pair| self.sample_pair(pair, report, cells));
        PathSample { ice, is_dtls, has_restarted, has_switched }
    }

    /// The protocol from this end to its relay, if the selected pair uses one.
    pub(crate) fn relay(&self) -> Option<Relay> {
        self.pair.as_ref()?.relay
    }

    /// Whether anything arrived over the selected pair since the last sample: media, control or a check. `None` if
    /// nothing is counted. Call it before [`Path::sample`].
    pub(crate) fn carries(&self, entry: Entry<'_>) -> Option<bool> {
        let pair = self.pair.as_ref().filter(|pair| pair.id == entry.id())?;
        let Progress::Advance(mut delta) = pair.track.step(entry) else { return None };
        delta.disbelieve();
        [Num::PacketsReceived, Num::BytesReceived, Num::ResponsesReceived, Num::RequestsReceived]
            .into_iter()
            .filter_map(|field| delta.of(field))
            .map(|came| came > 0.0)
            .reduce(|a, b| a || b)
    }

    /// Samples the selected pair. Returns whether it changed.
    fn sample_pair(&mut self, entry: Entry<'_>, report: &Report, cells: usize) -> bool {
        self.available_bps = entry.get(Num::AvailableOutgoingBitrate);
        let gauge = entry.get(Num::CurrentRoundTripTime).map(|seconds| seconds * 1e3);
        match &mut self.pair {
            Some(pair) if pair.id == entry.id() => {
                pair.find_candidates(entry, report);
                let step = pair.track.step(entry);
                // Counts that advance without the clock are taken when the clock advances.
                let moves =
                    matches!(step, Progress::Advance(delta) | Progress::Restart(delta) if delta.span_ms() != 0.0);
                if let Progress::Advance(mut delta) = step
                    && moves
                {
                    delta.disbelieve();
                    let mean = Formula::Mean(Num::TotalRoundTripTime, Num::ResponsesReceived, 1e3).of(&delta);
                    if mean > Some(MAX_MS) {
                        delta.doubt(Fields::of(&[Num::TotalRoundTripTime]));
                    }
                    self.doubted.note(delta.doubted());
                    let mean = mean.filter(|&mean| mean <= MAX_MS);
                    let is_answer_due = delta.of(Num::ResponsesReceived) == Some(0.0);
                    self.unanswered_ms = if is_answer_due { self.unanswered_ms + delta.span_ms() } else { 0.0 };
                    let gauge = gauge.filter(|_| self.unanswered_ms <= RTT_HOLD_MS);
                    // A time without snapshots says nothing about the path.
                    let gap = self.cadence.is_gap(delta.span_ms());
                    self.cadence.note(delta.span_ms());
                    // Positive; the cast saturates.
                    let weight = if gap { 0 } else { (delta.span_ms() * 1e3) as u64 };
                    self.rtt_ms = mean.or(gauge);
                    if let Some(rtt_ms) = self.rtt_ms {
                        self.ice_rtt_ms.add_within(rtt_ms, weight, cells);
                    }
                    if let Some(available) = entry.get(Num::AvailableOutgoingBitrate) {
                        self.available_outgoing_bps.add_within(available, weight, cells);
                    }
                    // If only the latest round-trip time is reported, several count as one.
                    self.rtt_samples = delta
                        .of(Num::ResponsesReceived)
                        .map(|answered| if mean.is_some() { answered } else { answered.min(1.0) });
                    self.arrives = delta.of(Num::BytesReceived).map(|bytes| bytes > 0.0);
                    // Some implementations never count responses.
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
                self.unanswered_ms = 0.0;
                (self.unanswered, self.arrives, self.rtt_samples) = (None, None, None);
                *other = EntryTracker::new(entry).map(|track| {
                    let mut pair =
                        SelectedPair { id: entry.id().into(), track, is_relayed: None, relay: None, tries: TRIES };
                    pair.find_candidates(entry, report);
                    pair
                });
                is_other
            }
        }
    }
}

impl SelectedPair {
    /// Finds out whether the pair uses a relay, while that is not known.
    fn find_candidates(&mut self, pair: Entry<'_>, report: &Report) {
        if self.is_relayed.is_some() || self.tries == 0 {
            return;
        }
        self.tries -= 1;
        let [local, remote] =
            [Text::LocalCandidateId, Text::RemoteCandidateId].map(|field| report.by_id(pair.text(field)?));
        if local.is_none() && remote.is_none() {
            return;
        }
        self.is_relayed = Some(local.is_some_and(is_relay) || remote.is_some_and(is_relay));
        let protocol = local.filter(|&local| is_relay(local)).and_then(|local| local.text(Text::RelayProtocol));
        self.relay = protocol.and_then(Relay::from_name);
    }
}

fn is_relay(candidate: Entry<'_>) -> bool {
    matches!(candidate.text(Text::CandidateType), Some("relay" | "relayed"))
}

/// Whether bytes passed.
fn carries(delta: &Delta<'_>) -> bool {
    [Num::BytesReceived, Num::BytesSent].iter().any(|&field| delta.of(field) > Some(0.0))
}

/// The selected pair (edge case 20): the one that the transport names; otherwise the one marked as selected; otherwise,
/// of the nominated and succeeded ones, the one that carried packets last, or most. The order of the report does not
/// matter.
pub(crate) fn selected_pair(report: &Report) -> Option<Entry<'_>> {
    let mut pairs = report.of(StatsType::CandidatePair);
    let transports =
        report.of(StatsType::Transport).filter(|entry| entry.text(Text::SelectedCandidatePairId).is_some());
    let transport = transports.min_by(|a, b| a.id().cmp(b.id()));
    if let Some(id) = transport.and_then(|transport| transport.text(Text::SelectedCandidatePairId)) {
        return pairs.find(|pair| pair.id() == id);
    }
    let marked = report.of(StatsType::CandidatePair).filter(|pair| pair.flag(Flag::Selected) == Some(true));
    marked.min_by(|a, b| a.id().cmp(b.id())).or_else(|| {
        pairs
            .filter(|pair| pair.flag(Flag::Nominated) == Some(true) && pair.text(Text::State) == Some("succeeded"))
            .max_by(|a, b| rank(*a).cmp(&rank(*b)).then_with(|| b.id().cmp(a.id())))
    })
}

/// How recently and how much a pair has carried: the times of its last packets in both directions, then its bytes.
fn rank(pair: Entry<'_>) -> [OrderedFloat<f64>; 2] {
    [[Num::LastPacketReceivedTimestamp, Num::LastPacketSentTimestamp], [Num::BytesReceived, Num::BytesSent]]
        .map(|fields| OrderedFloat(sum(pair, fields)))
}

fn sum(entry: Entry<'_>, fields: [Num; 2]) -> f64 {
    fields.iter().filter_map(|&field| entry.get(field)).sum()
}

/// The ICE state, and whether a failure is one of DTLS. Without DTLS no packet can flow: while DTLS is being set up,
/// ICE counts as checking.
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
        // Firefox before 153 and the old API have no transport states: a pair that carries bytes counts as connected.
        (None, _) => (of_pairs(selected, report, had_pair)?, false),
    })
}

/// The ICE state by its pairs alone. A failure of all pairs is no failure of ICE: more candidates may follow.
fn of_pairs(selected: Option<Entry<'_>>, report: &Report, had_pair: bool) -> Option<IceState> {
    if let Some(pair) = selected {
        let carried = [Num::BytesReceived, Num::BytesSent].iter().any(|&field| pair.get(field) > Some(0.0));
        return Some(match (has_failed(pair), carried) {
            (true, _) => IceState::Disconnected,
            (false, true) => IceState::Connected,
            (false, false) => IceState::Checking,
        });
    }
    let mut pairs = report.of(StatsType::CandidatePair).peekable();
    pairs.peek()?;
    Some(if had_pair && pairs.all(has_failed) { IceState::Disconnected } else { IceState::Checking })
}

fn has_failed(pair: Entry<'_>) -> bool {
    matches!(pair.text(Text::State), Some("failed" | "cancelled"))
}
