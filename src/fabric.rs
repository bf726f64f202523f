//! How far a PeerConnection got, and the path that its packets take.

mod playout;

use alloc::string::String;

pub(crate) use playout::Playout;

use crate::account::Cadence;
use crate::digest::Digest;
use crate::metric::Formula;
use crate::report::{Entry, Flag, Num, Report, StatsType, Text};
use crate::stream::{Step, Track};

/// The path that packets take: the selected candidate pair, and what is known of it over time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Path {
    pub(crate) ice_rtt_ms: Digest,
    pub(crate) available_outgoing_bps: Digest,
    pub(crate) selected_changes: u64,
    pub(crate) state: PathState,
    /// The latest round trip of the pair in use, ms.
    pub(crate) rtt_ms: Option<f64>,
    pair: Option<(String, Track)>,
    cadence: Cadence,
}

/// How far a connection got, as far as stats tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PathState {
    #[default]
    Unknown,
    Initializing,
    Established,
    Disrupted,
    Failed,
    Terminated,
}

impl Path {
    pub(crate) fn look(&mut self, report: &Report) {
        let transport = report.of(StatsType::Transport).min_by(|a, b| a.id().cmp(b.id()));
        let selected = selected_pair(report);
        self.state = state_of(transport, selected).unwrap_or(self.state);
        let Some(pair) = selected else { return };
        let gauge = pair.get(Num::CurrentRoundTripTime).map(|seconds| seconds * 1e3);
        match &mut self.pair {
            Some((id, track)) if id == pair.id() => {
                let step = track.step(pair);
                // What passed without time passing is counted when time has passed.
                let moves = matches!(step, Step::Advance(delta) | Step::Restart(delta) if delta.span_ms() != 0.0);
                if let Step::Advance(delta) = step
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
                self.rtt_ms = gauge;
                *other = Track::new(pair).map(|track| (pair.id().into(), track));
            }
        }
    }
}

/// The pair in use (edge case 20): the one that the transport names; else the one marked as selected; else, of those
/// nominated and succeeded, the one that carried packets last, or most. Whatever the order of the report.
fn selected_pair(report: &Report) -> Option<Entry<'_>> {
    let pairs = || report.of(StatsType::CandidatePair);
    let transports =
        report.of(StatsType::Transport).filter(|entry| entry.text(Text::SelectedCandidatePairId).is_some());
    let transport = transports.min_by(|a, b| a.id().cmp(b.id()));
    if let Some(id) = transport.and_then(|transport| transport.text(Text::SelectedCandidatePairId)) {
        return pairs().find(|pair| pair.id() == id);
    }
    let marked = pairs().filter(|pair| pair.flag(Flag::Selected) == Some(true));
    marked.min_by(|a, b| a.id().cmp(b.id())).or_else(|| {
        let sum = |pair: &Entry<'_>, fields: [Num; 2]| fields.iter().filter_map(|&field| pair.get(field)).sum::<f64>();
        let last = |pair: &Entry<'_>| sum(pair, [Num::LastPacketReceivedTimestamp, Num::LastPacketSentTimestamp]);
        let carried = |pair: &Entry<'_>| sum(pair, [Num::BytesReceived, Num::BytesSent]);
        pairs()
            .filter(|pair| pair.flag(Flag::Nominated) == Some(true) && pair.text(Text::State) == Some("succeeded"))
            .max_by(|a, b| {
                let order = last(a).total_cmp(&last(b)).then_with(|| carried(a).total_cmp(&carried(b)));
                order.then_with(|| b.id().cmp(a.id()))
            })
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
