//! Who had the floor when, and what the talk came to, for the summary.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::AttributedSpeaker;
use crate::conference::Conference;
use crate::config::Limits;
use crate::fabric::Fabric;
use crate::id::{Direction, Ssrc};
use crate::speaker::Speaker;
#[cfg(feature = "serde")]
use crate::speaker::dominant::LAST_MS;
use crate::speaker::dominant::{Change, ParticipantId, SLOT_MS};
use crate::summary::{DominanceSummary, SpeakerSummary, TalkSummary};

/// A time that lasts.
const OPEN: u32 = u32::MAX;
/// Room for so many times is made at once; beyond, it doubles.
const MOST_RESERVED: usize = 64;

/// Who was the dominant speaker when.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct DominanceHistory {
    spans: Vec<Span>,
    first_ms: u64,
    refused: u64,
    changes: u64,
    last: Option<ParticipantId>,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Span {
    seat: ParticipantId,
    /// In [`SLOT_MS`] after `first_ms`.
    since: u32,
    /// Likewise; [`OPEN`] while it lasts.
    until: u32,
}

/// From one time to another, in [`SLOT_MS`].
fn slots(from_ms: u64, to_ms: u64) -> u32 {
    u32::try_from(to_ms.saturating_sub(from_ms) / SLOT_MS).unwrap_or(OPEN)
}

impl DominanceHistory {
    pub(super) fn new(limits: Limits) -> Self {
        Self { spans: Vec::with_capacity(limits.turns().min(MOST_RESERVED)), ..Self::default() }
    }

    #[cfg(feature = "serde")]
    pub(super) const fn is_possible(&self) -> bool {
        self.first_ms <= LAST_MS
    }

    pub(super) fn note(&mut self, change: Change, limits: Limits) {
        let (first_ms, ended_ms) = (self.first_ms, change.ended_ms);
        if let (Some(open), Some(ended_ms)) = (self.spans.last_mut().filter(|span| span.until == OPEN), ended_ms) {
            open.until = slots(first_ms, ended_ms);
        }
        let Some(seat) = change.now else { return };
        if self.spans.is_empty() {
            self.first_ms = change.since_ms;
        }
        let since = slots(self.first_ms, change.since_ms);
        self.changes = self.changes.saturating_add(u64::from(self.last.is_some_and(|last| last != seat)));
        self.last = Some(seat);
        if self.spans.len() < limits.turns() {
            self.spans.push(Span { seat, since, until: OPEN });
        } else {
            self.refused = self.refused.saturating_add(1);
        }
    }

    /// What one had was another's.
    pub(super) fn merge(&mut self, from: ParticipantId, to: ParticipantId) {
        let seats = self.spans.iter_mut().map(|span| &mut span.seat).chain(&mut self.last);
        seats.filter(|seat| **seat == from).for_each(|seat| *seat = to);
    }
}

/// What the talk of all came to, as if the call were over.
pub(in crate::conference) fn talk(call: &Conference) -> Option<TalkSummary> {
    let voices = call.voices.as_deref()?;
    let (mut floor, mut past) = (voices.floor.clone(), voices.past.clone());
    floor.finish(&mut |change| past.note(change, call.config.limits()));
    let room = floor.conference_talk();
    let seconds = |ms: u64| ms as f64 / 1e3;
    let names = |who: Speaker| match who {
        Speaker::User(user) => (call.user_name(user).map(String::from), None),
        Speaker::Stream(ssrc) => (None, Some(ssrc)),
    };
    let speaker = |voice: &AttributedSpeaker| {
        let (user, ssrc) = names(voice.who);
        let talk = floor.talk(voice.seat)?;
        Some(SpeakerSummary {
            user,
            ssrc,
            fabric: ssrc.and_then(|ssrc| sender(call, ssrc)),
            talk_s: seconds(talk.talk_ms),
            talk_ratio: floor.share(voice.seat),
            dominant_s: seconds(floor.dominant_ms(voice.seat)),
            overlap_s: seconds(talk.overlap_ms),
            longest_monologue_s: seconds(talk.longest_monologue_ms),
            muted_talk_s: talk.muted_talk_ms.map(seconds),
            turns: talk.turns,
            interruptions: talk.interruptions,
        })
    };
    // Whoever was only taken for somebody else, and never spoke, is nobody.
    let mut has_source = vec![false; voices.voices.len()];
    for source in &voices.sources {
        if let Some(has_source) = has_source.get_mut(source.voice as usize) {
            *has_source = true;
        }
    }
    let has_spoken = |voice: &AttributedSpeaker| floor.talk(voice.seat).is_some_and(|talk| talk.talk_ms > 0);
    let all = voices.voices.iter().zip(has_source).filter(|&(voice, has_source)| has_source || has_spoken(voice));
    let mut speakers: Vec<SpeakerSummary> = all.filter_map(|(voice, _)| speaker(voice)).collect();
    speakers.sort_by(|a, b| (a.user.is_none(), &a.user, a.ssrc).cmp(&(b.user.is_none(), &b.user, b.ssrc)));
    let dominant = past.spans.iter().filter_map(|span| {
        let (user, ssrc) = names(voices.voices.get(span.seat.index())?.who);
        let of_slot = |slot: u32| past.first_ms + u64::from(slot) * SLOT_MS;
        let since_ms = of_slot(span.since);
        let until_ms = if span.until == OPEN { floor.spoke_until_ms(span.seat) } else { of_slot(span.until) };
        let (start_ms, end_ms) = (since_ms as f64, until_ms.max(since_ms) as f64);
        Some(DominanceSummary { user, ssrc, start_ms, end_ms })
    });
    Some(TalkSummary {
        resolution_ms: room.resolution_ms().map(f64::from),
        known_s: seconds(room.known_ms),
        speech_s: seconds(room.speech_ms),
        overlap_s: seconds(room.overlap_ms),
        silence_s: seconds(room.silence_ms),
        overlap_ratio: (room.speech_ms > 0).then(|| room.overlap_ms as f64 / room.speech_ms as f64),
        dominant_changes: past.changes,
        dominant: dominant.collect(),
        speakers,
        refused_turns: past.refused,
        refused_speakers: voices.refused,
        late_samples: floor.late().saturating_add(voices.late),
    })
}

/// The fabric on which a stream is sent, by name; of several the first by name.
fn sender(call: &Conference, ssrc: Ssrc) -> Option<String> {
    let sends = |fabric: &&Fabric| fabric.streams.find(Direction::Outbound, ssrc).is_some();
    call.fabrics.iter().filter(sends).map(|fabric| fabric.spec.name()).min().map(String::from)
}
