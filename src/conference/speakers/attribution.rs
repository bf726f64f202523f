//! Attributes audio sources to speakers and passes their audio to the floor. It knows fabrics only by their order.

use alloc::vec::Vec;
use core::cmp::Ordering;

use hashbrown::HashMap;

use super::history::DominanceHistory;
use crate::conference::roster::Roster;
use crate::config::{Config, Limits};
use crate::event::{Event, EventQueue};
use crate::fabric::{Fabric, LevelSample};
use crate::id::{Direction, FabricId, Ssrc, StreamKey, UserId};
use crate::list::{List, Listed, list_id};
use crate::speaker::clock::Clock;
use crate::speaker::dominant::{Change, Floor, LAST_MS, ParticipantId};
use crate::speaker::level::{Fraction, Meter};
use crate::speaker::{Speaker, SpeakerChange};
use crate::unit::Timestamp;

/// The limit of audio streams per speaker, on average: the speaker's own and the received copies.
const SOURCES_PER_SPEAKER: usize = 16;
/// The times of two contiguous samples of a stream may differ by less than this because of clocks, ms.
const SEAM_MS: u64 = 250;
/// A source without samples for this much longer than two sample lengths is replaced, ms.
const STALE_MS: u64 = 2_000;

list_id! {
    /// An audio source of the attribution that assigned the id.
    AudioSourceId
}
list_id! {
    /// A speaker of the attribution that assigned the id.
    SpeakerId
}

/// All speakers and their sources.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Attribution {
    pub(crate) floor: Floor,
    pub(crate) speakers: List<AttributedSpeaker>,
    pub(crate) sources: List<AudioSource>,
    #[cfg_attr(feature = "serde", serde(with = "sorted"))]
    pub(crate) by_stream: HashMap<StreamKey, AudioSourceId>,
    /// The source of each SSRC that a named user sends.
    #[cfg_attr(feature = "serde", serde(with = "sorted"))]
    pub(crate) senders: HashMap<Ssrc, AudioSourceId>,
    /// The clock of each fabric's reporter.
    pub(crate) clocks: Vec<Option<Clock>>,
    /// The caller's time at the first sample; `None` once it has advanced.
    pub(crate) stands: Option<Timestamp>,
    /// Whether a speaker joined or was named since the last snapshot.
    pub(crate) has_new: bool,
    pub(crate) history: DominanceHistory,
    pub(crate) refused: u64,
    /// Samples much older than others of their snapshot.
    pub(crate) late: u64,
}

/// A participant with audio.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct AttributedSpeaker {
    pub(crate) who: Speaker,
    pub(crate) participant: ParticipantId,
    /// The source that counts: the speaker's own microphone before received copies, and of several the one whose fabric
    /// was opened first.
    pub(crate) primary: Option<AudioSourceId>,
    pub(crate) is_muted: bool,
    /// Whether the user's fabrics are muted or on hold, for users without a microphone level; `None` until it is
    /// queried.
    pub(crate) is_app_muted: Option<bool>,
}

/// A stream that carries a speaker's audio.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct AudioSource {
    pub(crate) stream: StreamKey,
    pub(crate) owner: Option<UserId>,
    pub(crate) speaker: SpeakerId,
    pub(crate) meter: Meter,
    pub(crate) end_ms: u64,
    pub(crate) span_ms: u64,
    /// `totalSamplesDuration` of the last sample, s.
    pub(crate) samples_s: Option<f64>,
    pub(crate) is_open: bool,
    pub(crate) is_muted: bool,
    /// Whether the audio measured here is sent.
    pub(crate) is_sent: bool,
    /// The source that was chosen over this one.
    pub(crate) superseded_by: Option<AudioSourceId>,
}

impl Listed for AttributedSpeaker {
    type Id = SpeakerId;
}

impl Listed for AudioSource {
    type Id = AudioSourceId;
}

impl AudioSource {
    /// The lower rank counts first.
    fn rank(&self) -> (bool, bool, bool) {
        (is_received(self.stream), self.is_muted || !self.is_sent, self.owner.is_none())
    }
}

fn is_received(stream: StreamKey) -> bool {
    stream.direction == Direction::Inbound
}

/// The destination of changes of the dominant speaker.
pub(super) struct ChangeSink<'a> {
    pub(super) now: Timestamp,
    pub(super) limits: Limits,
    pub(super) out: &'a mut EventQueue,
}

impl ChangeSink<'_> {
    pub(super) const fn now_ms(&self) -> u64 {
        self.now.as_micros() / 1_000
    }
}

/// The order of sources of equal rank: by their fabrics, then by SSRC.
#[derive(Clone, Copy)]
pub(super) struct SourceOrder<'a> {
    pub(super) fabrics: &'a [Fabric],
    pub(super) roster: &'a Roster,
}

impl SourceOrder<'_> {
    fn precedes(self, a: StreamKey, b: StreamKey) -> bool {
        (is_received(a), self.key(a)) < (is_received(b), self.key(b))
    }

    fn key(&self, stream: StreamKey) -> Option<impl Ord + use<'_>> {
        let fabric = self.fabrics.get(stream.fabric.index())?;
        let spec = &fabric.spec;
        let (local, remote) = (self.name(spec.local_user), self.name(spec.remote_user));
        Some((fabric.lifecycle.opened, spec.name(), local, remote, stream.ssrc))
    }

    fn name(&self, user: Option<UserId>) -> Option<&str> {
        Some(&self.roster.get(user?)?.name)
    }
}

impl Attribution {
    pub(super) fn new(config: &Config, now: Timestamp) -> Self {
        Self {
            // At most one minute.
            floor: Floor::new(config.speaker_window().as_millis() as u64),
            speakers: List::default(),
            sources: List::default(),
            by_stream: HashMap::new(),
            senders: HashMap::new(),
            clocks: Vec::new(),
            stands: Some(now),
            has_new: false,
            history: DominanceHistory::new(config.limits()),
            refused: 0,
            late: 0,
        }
    }

    /// Whether inputs can have produced this state, as far as arithmetic and the ids of sources and speakers rely on it.
    #[cfg(feature = "serde")]
    pub(crate) fn is_possible(&self) -> bool {
        self.floor.is_possible()
            && self.history.is_possible()
            && self.sources.iter().all(|source| source.end_ms <= LAST_MS && source.span_ms <= LAST_MS)
            && self.speakers.len() == self.floor.len()
            && self.speakers.iter().zip(0..).all(|(speaker, place)| speaker.participant.index() == place)
            && self.sources.iter().all(|source| self.speakers.contains(source.speaker))
            && self.source_ids().all(|id| self.sources.contains(id))
    }

    /// Every id of a source that the state holds.
    #[cfg(feature = "serde")]
    fn source_ids(&self) -> impl Iterator<Item = AudioSourceId> {
        let superseded = self.sources.iter().filter_map(|source| source.superseded_by);
        let primary = self.speakers.iter().filter_map(|speaker| speaker.primary);
        superseded.chain(primary).chain(self.by_stream.values().chain(self.senders.values()).copied())
    }

    /// Records the time of a snapshot's latest sample, ms, and returns it. While the caller's time stands still, each
    /// reporter's clock is compared only once.
    pub(super) fn set_clock(&mut self, fabric: FabricId, now: Timestamp, samples: &[LevelSample]) -> f64 {
        if self.clocks.len() <= fabric.index() {
            self.clocks.resize(fabric.index() + 1, None);
        }
        self.stands = self.stands.filter(|&first| first == now);
        let latest_ms = samples.iter().map(|sample| sample.at.as_millis()).fold(0.0, f64::max);
        if let Some(clock) = self.clocks.get_mut(fabric.index())
            && (clock.is_none() || self.stands.is_none())
        {
            clock.get_or_insert_default().observe(now.as_micros() as f64 / 1e3, latest_ms);
        }
        latest_ms
    }

    /// Takes a sample of a stream, with its owner and whether the owner is present.
    pub(super) fn take_level(
        &mut self,
        fabric: FabricId,
        sample: &LevelSample,
        (owner, is_present): (Option<UserId>, bool),
        order: SourceOrder<'_>,
        sink: &mut ChangeSink<'_>,
    ) {
        let clock = self.clocks.get(fabric.index()).copied().flatten().unwrap_or_default();
        let to_ms = clock.to_caller_ms(sample.at.as_millis());
        // Both are positive; the casts saturate.
        let (to_ms, span_ms) = ((to_ms as u64).min(LAST_MS), (sample.span_ms as u64).min(LAST_MS));
        let stream = StreamKey::new(fabric, sample.direction, sample.ssrc);
        let Some(index) = self.source(stream, owner, to_ms.saturating_sub(span_ms), sink) else {
            self.refused = self.refused.saturating_add(1);
            return;
        };
        let source = &mut self.sources[index];
        let was_muted = core::mem::replace(&mut source.is_muted, sample.is_muted);
        (source.is_open, source.is_sent) = (is_present, sample.is_sent);
        let speaker = source.speaker;
        let is_own = stream.direction == Direction::Outbound;
        let is_muted = self.speakers[speaker].is_muted;
        let changes_mute = was_muted != sample.is_muted || is_own && is_muted && !sample.is_muted;
        // Audio that was not played, or not captured, was not audible.
        let span_s = sample.span_ms / 1e3;
        let samples = source.samples_s.zip(sample.samples_s).map(|(before, now)| now - before);
        source.samples_s = sample.samples_s;
        let covered_s = samples.filter(|&samples| samples >= 0.0).map_or(span_s, |samples| samples.min(span_s));
        if sample.span_ms <= 0.0 {
            source.end_ms = source.end_ms.max(to_ms);
        }
        let (Some(level), true) = (sample.level, sample.span_ms > 0.0) else {
            self.choose(index, order);
            if changes_mute {
                self.mute(speaker, sink);
            }
            return;
        };
        let sound = source.meter.add(level * level * covered_s, covered_s);
        let from_ms = to_ms.saturating_sub(span_ms);
        let from_ms = if from_ms.abs_diff(source.end_ms) < SEAM_MS { source.end_ms } else { from_ms };
        (source.end_ms, source.span_ms) = (to_ms.max(source.end_ms), span_ms);
        self.choose(index, order);
        if changes_mute {
            self.mute(speaker, sink);
        }
        let Self { floor, speakers, history, .. } = self;
        let speaker = &speakers[speaker];
        let sound = sound.map_or(Fraction::NONE.into(), |sound| sound.part(covered_s / span_s));
        if speaker.primary != Some(index) {
            return;
        }
        let unreported_ms = if sample.is_sent { sample.muted_ms.min(sample.span_ms) } else { sample.span_ms };
        if unreported_ms > 0.0 && level > 0.0 {
            floor.speak_muted(speaker.participant, (unreported_ms * f64::from(sound.speech.permille()) / 1e3) as u64);
        }
        if is_present {
            floor.rejoin(speaker.participant, from_ms);
        }
        let sound = if sample.is_sent { sound } else { Fraction::NONE.into() };
        floor
            .add_sound(speaker.participant, from_ms, to_ms, sound, &mut |change| emit(speakers, history, change, sink));
    }

    /// The source of a stream; adds a new source, and moves one whose owner changed. `None` at the limit.
    fn source(
        &mut self,
        stream: StreamKey,
        owner: Option<UserId>,
        at_ms: u64,
        sink: &mut ChangeSink<'_>,
    ) -> Option<AudioSourceId> {
        let known = self.by_stream.get(&stream).copied();
        if let Some(index) = known
            && self.sources[index].owner == owner
        {
            return Some(index);
        }
        if known.is_none() && self.sources.len() >= sink.limits.speakers().saturating_mul(SOURCES_PER_SPEAKER) {
            return None;
        }
        let speaker = self.speaker(stream, owner, at_ms, sink.limits)?;
        let index = match known {
            Some(index) => {
                self.sources[index].owner = owner;
                self.pass_on(index, speaker, sink);
                index
            }
            None => self.add(stream, owner, speaker)?,
        };
        if owner.is_some() && stream.direction == Direction::Outbound {
            self.senders.insert(stream.ssrc, index);
            for other in self.sources.ids() {
                let source = &self.sources[other];
                if source.stream.ssrc == stream.ssrc && source.owner.is_none() {
                    self.pass_on(other, speaker, sink);
                }
            }
        }
        Some(index)
    }

    fn add(&mut self, stream: StreamKey, owner: Option<UserId>, speaker: SpeakerId) -> Option<AudioSourceId> {
        let index = self.sources.push(AudioSource {
            stream,
            owner,
            speaker,
            meter: Meter::new(),
            end_ms: 0,
            span_ms: 0,
            samples_s: None,
            is_open: true,
            is_muted: false,
            is_sent: true,
            superseded_by: None,
        })?;
        self.by_stream.insert(stream, index);
        Some(index)
    }

    /// The speaker of a stream. An unnamed received stream belongs to the user that sends it.
    fn speaker(&mut self, stream: StreamKey, owner: Option<UserId>, at_ms: u64, limits: Limits) -> Option<SpeakerId> {
        let unnamed = Speaker::Stream(stream.ssrc);
        let Some(user) = owner else {
            let sender = self.senders.get(&stream.ssrc).map(|&index| &self.sources[index]);
            let sender = sender.filter(|source| source.owner.is_some()).map(|source| source.speaker);
            return sender.or_else(|| self.find_or_join(unnamed, at_ms, limits));
        };
        if let Some(named) = self.find(Speaker::User(user)) {
            return Some(named);
        }
        // Another endpoint may use the same SSRC on another fabric; the sender of a stream is certainly its speaker.
        let unnamed = self.find(unnamed).filter(|&index| {
            let mut others = self.sources.iter().filter(|source| source.speaker == index);
            stream.direction == Direction::Outbound || others.all(|source| source.stream.fabric == stream.fabric)
        });
        let Some(index) = unnamed else {
            return self.find_or_join(Speaker::User(user), at_ms, limits);
        };
        let speaker = &mut self.speakers[index];
        (speaker.who, speaker.is_app_muted) = (Speaker::User(user), None);
        self.has_new = true;
        Some(index)
    }

    pub(super) fn find(&self, speaker: Speaker) -> Option<SpeakerId> {
        self.speakers.find(|other| other.who == speaker)
    }

    fn find_or_join(&mut self, speaker: Speaker, at_ms: u64, limits: Limits) -> Option<SpeakerId> {
        if let Some(index) = self.find(speaker) {
            return Some(index);
        }
        if self.speakers.len() >= limits.speakers()
            || matches!(speaker, Speaker::Stream(_)) && self.unnamed() >= limits.speakers().div_ceil(2)
        {
            return None;
        }
        let participant = self.floor.join(at_ms)?;
        self.has_new = true;
        self.speakers.push(AttributedSpeaker {
            who: speaker,
            participant,
            primary: None,
            is_muted: false,
            is_app_muted: None,
        })
    }

    /// The number of unnamed speakers.
    fn unnamed(&self) -> usize {
        self.speakers.iter().filter(|speaker| matches!(speaker.who, Speaker::Stream(_))).count()
    }

    /// Moves a source to another speaker. A speaker left without open sources leaves. An unnamed speaker left without
    /// any was the other speaker: its speech is merged.
    fn pass_on(&mut self, source: AudioSourceId, to: SpeakerId, sink: &mut ChangeSink<'_>) {
        let of = &mut self.sources[source];
        let from = core::mem::replace(&mut of.speaker, to);
        if from == to {
            return;
        }
        of.superseded_by = None;
        let speaker = &mut self.speakers[from];
        if speaker.primary == Some(source) {
            speaker.primary = None;
        }
        let participant = speaker.participant;
        let is_unnamed = matches!(speaker.who, Speaker::Stream(_));
        if !is_unnamed {
            of.meter = Meter::new();
        }
        let mut left = self.sources.iter().filter(|source| source.speaker == from);
        if is_unnamed && left.next().is_none() {
            let to = self.speakers[to].participant;
            self.floor.merge(participant, to);
            self.history.merge(participant, to);
            self.leave(from, sink);
        } else if !is_unnamed && !left.any(|source| source.is_open) {
            self.leave(from, sink);
        }
    }

    /// Makes a source the primary source of its speaker if it ranks first: the speaker's own microphone before received
    /// copies, sent before not sent, named before unnamed.
    fn choose(&mut self, index: AudioSourceId, order: SourceOrder<'_>) {
        let source = &self.sources[index];
        let speaker = &mut self.speakers[source.speaker];
        let primary = speaker.primary;
        let counts = match primary {
            Some(primary) if primary == index => return,
            Some(primary) => {
                let other = &self.sources[primary];
                let is_stale = source.end_ms > other.end_ms + 2 * other.span_ms.max(source.span_ms) + STALE_MS;
                let is_first = match source.rank().cmp(&other.rank()) {
                    Ordering::Equal => {
                        source.superseded_by != Some(primary) && order.precedes(source.stream, other.stream)
                    }
                    by_rank => by_rank.is_lt(),
                };
                !other.is_open || is_stale || is_first
            }
            None => true,
        };
        if counts {
            speaker.primary = Some(index);
        }
        self.sources[index].superseded_by = primary.filter(|_| !counts);
    }

    pub(super) fn report_muted(&mut self, index: SpeakerId, is_muted: bool, sink: &mut ChangeSink<'_>) {
        self.speakers[index].is_app_muted = Some(is_muted);
        self.mute(index, sink);
    }

    /// Mutes a speaker whose microphones are all muted, or unmutes the speaker. Without a microphone here, the state of
    /// the fabrics decides.
    pub(super) fn mute(&mut self, index: SpeakerId, sink: &mut ChangeSink<'_>) {
        let mut own = self.sources.iter().filter(|source| {
            source.speaker == index && source.is_open && source.stream.direction == Direction::Outbound
        });
        let reported = self.speakers[index].is_app_muted.unwrap_or(false);
        let is_muted = own.next().map_or(reported, |first| first.is_muted && own.all(|source| source.is_muted));
        let Self { floor, speakers, history, .. } = self;
        let speaker = &mut speakers[index];
        if speaker.is_muted == is_muted {
            return;
        }
        speaker.is_muted = is_muted;
        let participant = speaker.participant;
        if is_muted {
            floor.mute(participant, sink.now_ms(), &mut |change| emit(speakers, history, change, sink));
        } else {
            floor.unmute(participant, sink.now_ms());
        }
    }

    pub(super) fn leave(&mut self, index: SpeakerId, sink: &mut ChangeSink<'_>) {
        let Self { floor, speakers, history, .. } = self;
        let participant = speakers[index].participant;
        floor.leave(participant, sink.now_ms(), &mut |change| emit(speakers, history, change, sink));
    }
}

/// Records a change and queues its event.
pub(super) fn emit(
    speakers: &[AttributedSpeaker],
    history: &mut DominanceHistory,
    change: Change,
    sink: &mut ChangeSink<'_>,
) {
    history.note(change, sink.limits);
    let since = Timestamp::from_millis(change.since_ms);
    let (before, now) = (speaker_of(speakers, change.before), speaker_of(speakers, change.now));
    let change = SpeakerChange { at: sink.now, since, before, now };
    sink.out.push(sink.limits, Event::DominantSpeaker { change });
}

/// The speaker of a participant of the floor.
pub(super) fn speaker_of(speakers: &[AttributedSpeaker], participant: Option<ParticipantId>) -> Option<Speaker> {
    speakers.get(participant?.index()).map(|speaker| speaker.who)
}

/// Serializes indices in sorted order.
#[cfg(feature = "serde")]
mod sorted {
    use core::hash::Hash;

    use super::{HashMap, Vec};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K, V, S>(index: &HashMap<K, V>, serializer: S) -> Result<S::Ok, S::Error>
    where
        K: Ord + Serialize,
        V: Ord + Serialize,
        S: Serializer,
    {
        let mut pairs: Vec<_> = index.iter().collect();
        pairs.sort_unstable();
        serializer.collect_seq(pairs)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<HashMap<K, V>, D::Error>
    where
        K: Eq + Hash + Deserialize<'de>,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
