//! Records the spans of dominance for the summary. It decides no dominance.

use alloc::vec::Vec;

use crate::config::Limits;
#[cfg(feature = "serde")]
use crate::speaker::dominant::LAST_MS;
use crate::speaker::dominant::{Change, ParticipantId, SLOT_MS};

/// The `until` of a span that still lasts.
const OPEN: u32 = u32::MAX;
/// The initial capacity for spans; a longer list doubles.
const MOST_RESERVED: usize = 64;

/// The spans of dominance.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct DominanceHistory {
    pub(crate) spans: Vec<DominanceSpan>,
    pub(crate) first_ms: u64,
    pub(crate) refused: u64,
    pub(crate) changes: u64,
    pub(crate) last: Option<ParticipantId>,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct DominanceSpan {
    pub(crate) participant: ParticipantId,
    /// The start, in [`SLOT_MS`] after `first_ms`.
    pub(crate) since: u32,
    /// The end, in [`SLOT_MS`] after `first_ms`; [`OPEN`] while the span lasts.
    pub(crate) until: u32,
}

/// The time between two points, in [`SLOT_MS`].
fn slots(from_ms: u64, to_ms: u64) -> u32 {
    u32::try_from(to_ms.saturating_sub(from_ms) / SLOT_MS).unwrap_or(OPEN)
}

impl DominanceHistory {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { spans: Vec::with_capacity(limits.dominance_spans().min(MOST_RESERVED)), ..Self::default() }
    }

    #[cfg(feature = "serde")]
    pub(crate) const fn is_possible(&self) -> bool {
        self.first_ms <= LAST_MS
    }

    pub(crate) fn note(&mut self, change: Change, limits: Limits) {
        let (first_ms, ended_ms) = (self.first_ms, change.ended_ms);
        if let (Some(open), Some(ended_ms)) = (self.spans.last_mut().filter(|span| span.until == OPEN), ended_ms) {
            open.until = slots(first_ms, ended_ms);
        }
        let Some(participant) = change.now else { return };
        if self.spans.is_empty() {
            self.first_ms = change.since_ms;
        }
        let since = slots(self.first_ms, change.since_ms);
        self.changes = self.changes.saturating_add(u64::from(self.last.is_some_and(|last| last != participant)));
        self.last = Some(participant);
        if self.spans.len() < limits.dominance_spans() {
            self.spans.push(DominanceSpan { participant, since, until: OPEN });
        } else {
            self.refused = self.refused.saturating_add(1);
        }
    }

    /// Start and end of a span, ms; no end while it lasts.
    pub(crate) fn times_ms(&self, span: &DominanceSpan) -> (u64, Option<u64>) {
        (self.at_ms(span.since), (span.until != OPEN).then(|| self.at_ms(span.until)))
    }

    fn at_ms(&self, slot: u32) -> u64 {
        self.first_ms + u64::from(slot) * SLOT_MS
    }

    /// Transfers the spans of one participant to another.
    pub(crate) fn merge(&mut self, from: ParticipantId, to: ParticipantId) {
        let participants = self.spans.iter_mut().map(|span| &mut span.participant).chain(&mut self.last);
        participants.filter(|participant| **participant == from).for_each(|participant| *participant = to);
    }
}
