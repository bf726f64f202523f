//! Builds the talk of a conference: speaking times and spans of dominance. It reads the attribution and decides
//! nothing.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::conference::{Attribution, Conference};
use crate::id::{Direction, Ssrc};
use crate::list::ListId;
use crate::speaker::Speaker;
use crate::speaker::dominant::Floor;
use crate::summary::{DominanceSummary, SpeakerSummary, TalkSummary};

/// The talk of the conference, as if the call ended now.
pub(super) fn talk(call: &Conference) -> Option<TalkSummary> {
    let attribution = call.attribution.as_deref()?;
    let (mut floor, mut history) = (attribution.floor.clone(), attribution.history.clone());
    floor.finish(&mut |change| history.note(change, call.config.limits()));
    let total = floor.conference_talk();
    let dominant = history.spans.iter().filter_map(|span| {
        let (user, ssrc) = names(call, attribution.speakers.get(span.participant.index())?.who);
        let (since_ms, until_ms) = history.times_ms(span);
        let until_ms = until_ms.unwrap_or_else(|| floor.spoke_until_ms(span.participant));
        let (start_ms, end_ms) = (since_ms as f64, until_ms.max(since_ms) as f64);
        Some(DominanceSummary { user, ssrc, start_ms, end_ms })
    });
    Some(TalkSummary {
        resolution_ms: total.resolution_ms().map(f64::from),
        known_s: seconds(total.known_ms),
        speech_s: seconds(total.speech_ms),
        overlap_s: seconds(total.overlap_ms),
        silence_s: seconds(total.silence_ms),
        overlap_ratio: (total.speech_ms > 0).then(|| total.overlap_ms as f64 / total.speech_ms as f64),
        dominant_changes: history.changes,
        dominant: dominant.collect(),
        speakers: speakers(call, attribution, &floor),
        refused_turns: history.refused,
        refused_speakers: attribution.refused,
        late_samples: floor.late().saturating_add(attribution.late),
    })
}

/// The speakers by name, then by SSRC.
fn speakers(call: &Conference, attribution: &Attribution, floor: &Floor) -> Vec<SpeakerSummary> {
    let mut has_source = vec![false; attribution.speakers.len()];
    for source in attribution.sources.iter() {
        if let Some(has_source) = has_source.get_mut(source.speaker.index()) {
            *has_source = true;
        }
    }
    let mut speakers = Vec::new();
    for (speaker, has_source) in attribution.speakers.iter().zip(has_source) {
        let Some(talk) = floor.talk(speaker.participant) else { continue };
        // Drop speakers that never had a source or any speech.
        if !has_source && talk.talk_ms == 0 {
            continue;
        }
        let (user, ssrc) = names(call, speaker.who);
        speakers.push(SpeakerSummary {
            user,
            ssrc,
            fabric: ssrc.and_then(|ssrc| sender(call, ssrc)),
            talk_s: seconds(talk.talk_ms),
            talk_ratio: floor.share(speaker.participant),
            dominant_s: seconds(floor.dominant_ms(speaker.participant)),
            overlap_s: seconds(talk.overlap_ms),
            longest_monologue_s: seconds(talk.longest_monologue_ms),
            muted_talk_s: talk.muted_talk_ms.map(seconds),
            turns: talk.turns,
            interruptions: talk.interruptions,
        });
    }
    speakers.sort_by(|a, b| (a.user.is_none(), &a.user, a.ssrc).cmp(&(b.user.is_none(), &b.user, b.ssrc)));
    speakers
}

/// The name of a user, or the SSRC of an unnamed speaker.
fn names(call: &Conference, speaker: Speaker) -> (Option<String>, Option<Ssrc>) {
    match speaker {
        Speaker::User(user) => (call.user_name(user).map(String::from), None),
        Speaker::Stream(ssrc) => (None, Some(ssrc)),
    }
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1e3
}

/// The name of the fabric that sends a stream; of several, the first by name.
fn sender(call: &Conference, ssrc: Ssrc) -> Option<String> {
    let senders = call.fabrics.iter().filter(|fabric| fabric.streams.find(Direction::Outbound, ssrc).is_some());
    senders.map(|fabric| fabric.spec.name()).min().map(String::from)
}
