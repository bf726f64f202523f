//! One network path of a PeerConnection and its ICE state, as stats show them. It raises no events. `paths` chooses the
//! entries of each path.

use alloc::boxed::Box;
use alloc::string::String;

use crate::digest::Digest;
use crate::event::{DtlsState, IceState, Relay};
use crate::hash::fnv1a_64;
use crate::metric::counter::{Delta, EntryTracker, Progress};
use crate::metric::{Cadence, Formula, is_thousandfold};
use crate::report::{Entry, Fields, Flag, Num, Report, StatsType, Text};
use crate::stream::Doubted;

use super::sources::{Dtls, state_of_transport};

/// The path of the packets: the selected candidate pair and its figures over time.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Path {
    /// The id of its transport; `None` if stats show none.
    pub(crate) transport: Option<Box<str>>,
    /// Its state at the latest sample; `None` if no stats show it.
    pub(crate) state: Option<IceState>,
    /// Whether anything arrived over it between the latest two samples: media, control or a check; `None` if nothing
    /// is counted.
    pub(crate) carries: Option<bool>,
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
    /// Whether the local candidate is one of TCP.
    is_tcp: Option<bool>,
    /// Remaining samples in which to find the candidates.
    tries: u8,
}

/// The entries of a path in a report.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PathEntries<'a> {
    pub(crate) transport: Option<Entry<'a>>,
    /// The selected pair.
    pub(crate) pair: Option<Entry<'a>>,
}

/// What else a sample depends on.
#[derive(Clone, Copy)]
pub(crate) struct PathContext<'a> {
    /// Whether any RTP stream has traffic.
    pub(crate) has_media: bool,
    /// Whether no time passed since the snapshot before.
    pub(crate) is_repeated: bool,
    /// The most cells of a distribution.
    pub(crate) cells: usize,
    /// Finds the round trip by RTCP, ms; it is asked if that of the path is long.
    pub(crate) rtcp_rtt_ms: &'a dyn Fn() -> Option<f64>,
}

/// One sample of the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathSample {
    /// The state, in the words of ICE; `None` if no stats show it.
    pub(crate) state: Option<IceState>,
    /// DTLS; `None` if no stats show it.
    pub(crate) dtls: Option<Dtls>,
    /// The state is only inferred from candidate pairs: neither ICE nor DTLS is stated.
    pub(crate) is_guess: bool,
    /// The ICE credentials changed since the previous sample.
    pub(crate) has_restarted: bool,
    /// The selected pair changed.
    pub(crate) has_switched: bool,
}

/// The number of samples in which the candidates of a pair are searched: they may be reported a little later than the
/// pair.
const TRIES: u8 = 8;
/// The longest round trip of a check on a pair in use, ms: without an answer for 30 s, consent expires (RFC 7675 5.1).
const MAX_CHECK_MS: f64 = 30_000.0;
/// How long the round trip of an answered check is valid, ms. Checks are due every 4 to 6 s (RFC 7675 5.1): three of
/// them went unanswered, or the implementation measures once.
const RTT_HOLD_MS: f64 = 15_000.0;
/// The longest id in bytes of a pair or a transport that is followed: ids of browsers have about twenty.
const MAX_ID: usize = 256;

impl Path {
    /// The path of a transport.
    pub(crate) fn new(transport: &str) -> Self {
        Self { transport: Some(transport.into()), ..Self::default() }
    }

    /// Takes a sample of the path from its entries.
    pub(crate) fn sample(
        &mut self,
        report: &Report,
        PathEntries { transport, pair }: PathEntries<'_>,
        context: PathContext<'_>,
    ) -> PathSample {
        let had_pair = self.pair.is_some();
        self.set_transport(transport);
        let stated = transport.and_then(|entry| entry.text(Text::IceState)).and_then(IceState::from_name);
        let dtls = transport.and_then(|entry| dtls_of(entry, stated));
        // Firefox before 153 and the old API have no transport states: a pair that carries bytes counts as connected.
        let is_guess = stated.is_none() && dtls.is_none();
        let ice = if is_guess { of_pairs(pair, report, had_pair, context.has_media) } else { stated };
        self.state = state_of_transport(ice, dtls);
        let fragment = transport
            .and_then(|entry| entry.text(Text::IceLocalUsernameFragment))
            .map(|text| fnv1a_64(text.as_bytes()));
        let has_restarted = fragment.is_some() && self.fragment.is_some() && fragment != self.fragment;
        self.fragment = fragment.or(self.fragment);
        let has_switched = pair
            .map(Entry::without_fillers)
            .filter(|pair| pair.id().len() <= MAX_ID)
            .is_some_and(|pair| self.sample_pair(pair, report, context) && is_named(pair, report));
        PathSample { state: self.state, dtls, is_guess, has_restarted, has_switched }
    }

    /// Forgets its present figures: it is not in use any more.
    pub(crate) fn leave(&mut self) {
        (self.carries, self.arrives) = (None, None);
        (self.available_bps, self.rtt_ms, self.rtt_samples, self.unanswered) = (None, None, None, None);
    }

    /// Stores the id of its transport.
    fn set_transport(&mut self, transport: Option<Entry<'_>>) {
        if let Some(id) = transport.map(|transport| transport.id()).filter(|id| id.len() <= MAX_ID)
            && self.transport.as_deref() != Some(id)
        {
            self.transport = Some(id.into());
        }
    }

    /// Whether stats ever showed it.
    pub(crate) const fn is_known(&self) -> bool {
        self.transport.is_some() || self.pair.is_some()
    }

    /// Whether the selected pair uses a relay at either end; `None` while no candidate is known.
    pub(crate) fn is_relayed(&self) -> Option<bool> {
        self.pair.as_ref()?.is_relayed
    }

    /// Whether the local candidate of the selected pair sends over TCP; `None` while it is not known.
    pub(crate) fn is_tcp(&self) -> Option<bool> {
        self.pair.as_ref()?.is_tcp
    }

    /// The protocol from this end to its relay, if the selected pair uses one.
    pub(crate) fn relay(&self) -> Option<Relay> {
        self.pair.as_ref()?.relay
    }

    /// Notes whether anything arrived over the selected pair since the last sample. Call it before [`Path::sample`].
    /// Returns whether bytes arrived.
    pub(crate) fn note_traffic(&mut self, pair: Option<Entry<'_>>) -> bool {
        self.carries = None;
        let Some((pair, entry)) = self.pair.as_ref().zip(pair).filter(|(pair, entry)| pair.id == entry.id()) else {
            return false;
        };
        let Progress::Advance(mut delta) = pair.track.step(entry.without_fillers()) else { return false };
        delta.disbelieve();
        self.carries = [Num::PacketsReceived, Num::BytesReceived, Num::ResponsesReceived, Num::RequestsReceived]
            .into_iter()
            .filter_map(|field| delta.of(field))
            .map(|came| came > 0.0)
            .reduce(|a, b| a || b);
        delta.of(Num::BytesReceived) > Some(0.0)
    }

    /// Samples the selected pair. Returns whether it changed.
    fn sample_pair(
        &mut self,
        entry: Entry<'_>,
        report: &Report,
        PathContext { is_repeated, cells, rtcp_rtt_ms, .. }: PathContext<'_>,
    ) -> bool {
        self.available_bps = entry.get(Num::AvailableOutgoingBitrate);
        let is_believed = |ms: f64| {
            ms < 1e3 || ms <= MAX_CHECK_MS && !rtcp_rtt_ms().is_some_and(|rtcp_ms| is_thousandfold(ms, rtcp_ms))
        };
        let mut gauge = entry.get(Num::CurrentRoundTripTime).map(|seconds| seconds * 1e3);
        let is_gauge_doubted = gauge.is_some_and(|ms| !is_believed(ms));
        if is_gauge_doubted {
            gauge = None;
        }
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
                    let is_mean_doubted = mean.is_some_and(|ms| {
                        !is_believed(ms) || gauge.is_some_and(|gauge_ms| is_thousandfold(ms, gauge_ms))
                    });
                    if is_mean_doubted {
                        delta.doubt(Fields::of(&[Num::TotalRoundTripTime]));
                    }
                    if is_gauge_doubted {
                        delta.doubt(Fields::of(&[Num::CurrentRoundTripTime]));
                    }
                    self.doubted.note(delta.doubted());
                    let mean = mean.filter(|_| !is_mean_doubted);
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
            // In another format, ids differ.
            Some(pair) if is_repeated && entry.timestamp() == Some(pair.track.at()) => false,
            other => {
                let is_other = other.is_some();
                self.selected_changes = self.selected_changes.saturating_add(u64::from(is_other));
                self.rtt_ms = gauge;
                self.unanswered_ms = 0.0;
                (self.unanswered, self.arrives, self.rtt_samples) = (None, None, None);
                *other = EntryTracker::new(entry).map(|track| {
                    let mut pair = SelectedPair {
                        id: entry.id().into(),
                        track,
                        is_relayed: None,
                        relay: None,
                        is_tcp: None,
                        tries: TRIES,
                    };
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
        self.is_tcp = local.and_then(|local| local.text(Text::Protocol)).map(|name| name.eq_ignore_ascii_case("tcp"));
    }
}

fn is_relay(candidate: Entry<'_>) -> bool {
    matches!(candidate.text(Text::CandidateType), Some("relay" | "relayed"))
}

/// Whether bytes passed.
fn carries(delta: &Delta<'_>) -> bool {
    [Num::BytesReceived, Num::BytesSent].iter().any(|&field| delta.of(field) > Some(0.0))
}

/// Whether the report names the pair as selected. A change of a pair that was only inferred is no sign of a switch.
fn is_named(pair: Entry<'_>, report: &Report) -> bool {
    let names = |transport: Entry<'_>| transport.text(Text::SelectedCandidatePairId) == Some(pair.id());
    pair.flag(Flag::Selected) == Some(true) || report.of(StatsType::Transport).any(names)
}

/// DTLS by the transport. A state that no standard names, such as Pion's filler `unknown`, is no state, and neither is
/// `new` beside an unknown state of ICE.
fn dtls_of(transport: Entry<'_>, ice: Option<IceState>) -> Option<Dtls> {
    let state = transport.text(Text::DtlsState).and_then(DtlsState::from_name)?;
    (ice.is_some() || state != DtlsState::New).then(|| Dtls::of(state))
}

/// The ICE state by its pairs alone, and by media, which need a path. A failure of all pairs is no failure of ICE: more
/// candidates may follow.
///
/// `None` if the members that would show a connection are not reported: the bytes of the selected pair, or, without a
/// selected pair, what would select one.
fn of_pairs(selected: Option<Entry<'_>>, report: &Report, had_pair: bool, has_media: bool) -> Option<IceState> {
    if let Some(pair) = selected {
        if has_failed(pair) {
            return Some(IceState::Disconnected);
        }
        let bytes = [Num::BytesReceived, Num::BytesSent].iter().filter_map(|&field| pair.get(field));
        let has_carried = has_media || bytes.map(|bytes| bytes > 0.0).reduce(|a, b| a || b)?;
        return Some(if has_carried { IceState::Connected } else { IceState::Checking });
    }
    let mut pairs = report.of(StatsType::CandidatePair).filter(|&pair| would_show(pair)).peekable();
    pairs.peek()?;
    Some(if had_pair && pairs.all(has_failed) { IceState::Disconnected } else { IceState::Checking })
}

/// Whether a pair reports whether it is selected, and whether it carries bytes.
fn would_show(pair: Entry<'_>) -> bool {
    let has_bytes = [Num::BytesReceived, Num::BytesSent].iter().any(|&field| pair.get(field).is_some());
    let has_state = pair.flag(Flag::Nominated).is_some() && pair.text(Text::State).is_some();
    has_bytes && (has_state || pair.flag(Flag::Selected).is_some())
}

fn has_failed(pair: Entry<'_>) -> bool {
    matches!(pair.text(Text::State), Some("failed" | "cancelled"))
}
