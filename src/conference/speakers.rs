//! Whose voice each stream carries: from the levels of streams to who speaks.

mod history;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

use hashbrown::HashMap;

use self::history::DominanceHistory;
pub(super) use self::history::talk;
use super::Conference;
use crate::config::{Config, Limits};
use crate::event::Event;
use crate::event::EventQueue;
use crate::fabric::{Fabric, LevelSample};
use crate::id::{Direction, FabricId, Ssrc, StreamKey, UserId};
use crate::speaker::clock::Clock;
use crate::speaker::dominant::{Change, Floor, LAST_MS, LONGEST_MS, ParticipantId};
use crate::speaker::level::{Fraction, Meter};
use crate::speaker::{Speaker, SpeakerChange};
use crate::unit::Timestamp;

/// Streams of sound for each person that are followed at most, on average: their own, and as others receive it.
const SOURCES_PER_VOICE: usize = 16;
/// The times of two samples of a stream may be apart by this much for no reason but clocks, ms.
const SEAM_MS: u64 = 250;
/// A source that was not heard for so much longer than its samples last is replaced, ms.
const STALE_MS: u64 = 2_000;

/// Everybody who can be heard.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Attribution {
    floor: Floor,
    voices: Vec<AttributedSpeaker>,
    sources: Vec<AudioSource>,
    #[cfg_attr(feature = "serde", serde(with = "sorted"))]
    by_stream: HashMap<StreamKey, u32>,
    /// Who sends a stream under their name: a source.
    #[cfg_attr(feature = "serde", serde(with = "sorted"))]
    senders: HashMap<Ssrc, u32>,
    /// Of the reporter of each fabric.
    clocks: Vec<Option<Clock>>,
    /// The caller's time at the first look; `None` once it has moved on.
    stands: Option<Timestamp>,
    /// Somebody was not here, or had no name, at the last snapshot.
    has_new: bool,
    past: DominanceHistory,
    refused: u64,
    /// Looks that were much older than others of their snapshot.
    late: u64,
}

/// Somebody who can be heard.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct AttributedSpeaker {
    who: Speaker,
    seat: ParticipantId,
    /// The source that counts: their own microphone rather than what others receive, and of several the one whose fabric
    /// was opened first.
    primary: Option<u32>,
    is_muted: bool,
    /// Whether the fabrics of a user are muted or on hold, for who tells no level of a microphone; `None` as long as nobody
    /// asked them.
    is_app_muted: Option<bool>,
}

/// A stream that carries somebody's voice.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct AudioSource {
    stream: StreamKey,
    owner: Option<UserId>,
    voice: u32,
    meter: Meter,
    end_ms: u64,
    span_ms: u64,
    /// `totalSamplesDuration` of the last look, s.
    samples_s: Option<f64>,
    is_open: bool,
    is_muted: bool,
    /// Whether what is heard here is sent.
    is_sent: bool,
    /// The source that was found to count rather than this one.
    superseded_by: Option<u32>,
}

impl AudioSource {
    /// The less, the sooner it counts.
    fn rank(&self) -> (bool, bool, bool) {
        let is_received = self.stream.direction == Direction::Inbound;
        (is_received, self.is_muted || !self.is_sent, self.owner.is_none())
    }
}

impl Conference {
    /// Who is the dominant speaker: who has spoken for long enough, and was not followed by somebody else, by 2 s of
    /// silence, a mute or the end of their stay. See [`crate::speaker`]. Its answer may change after any input. O(1).
    ///
    /// Time passes by what is reported, and by [`handle_timeout`](Self::handle_timeout) where nobody reports any more.
    #[must_use]
    pub fn dominant_speaker(&self) -> Option<Speaker> {
        let voices = self.voices.as_deref()?;
        Some(voices.voices.get(voices.floor.dominant()?.index())?.who)
    }

    /// Who was the only one to speak in the window of [`Config::speaker_window`]: 2 s or more, all others together 1 s at
    /// most (the "yes" and "hm" of listeners), 80 % of the window known. Cost: linear in people.
    #[must_use]
    pub fn only_speaker(&self) -> Option<Speaker> {
        let voices = self.voices.as_deref()?;
        Some(voices.voices.get(voices.floor.only_speaker()?.index())?.who)
    }

    /// Whether this user is the [`only_speaker`](Self::only_speaker). Cost: linear in people.
    #[must_use]
    pub fn is_only_speaker(&self, user: UserId) -> bool {
        self.only_speaker() == Some(Speaker::User(user))
    }

    /// Whether the one at this end of a fabric is the dominant speaker.
    pub(super) fn speaks_at(&self, fabric: &Fabric) -> bool {
        match (self.dominant_speaker(), fabric.spec.local_user) {
            (Some(Speaker::User(speaker)), Some(user)) => speaker == user,
            (Some(Speaker::Stream(ssrc)), None) => fabric.streams.find(Direction::Outbound, ssrc).is_some(),
            _ => false,
        }
    }

    /// Takes what the latest snapshot of a fabric says of sound.
    pub(super) fn listen(&mut self, now: Timestamp, fabric: FabricId) {
        let Some(room) = self.fabrics.get(fabric.index()).filter(|room| !room.heard.is_empty()) else { return };
        let voices = self.voices.get_or_insert_with(|| Box::new(Attribution::new(&self.config, now)));
        let precedes = |a: StreamKey, b: StreamKey| {
            let order = |stream: StreamKey| {
                let fabric = self.fabrics.get(stream.fabric.index())?;
                let name = |user: Option<UserId>| Some(&*self.roster.get(user?)?.name);
                let spec = &fabric.spec;
                Some((fabric.life.opened, spec.name(), name(spec.local_user), name(spec.remote_user), stream.ssrc))
            };
            (a.direction == Direction::Inbound, order(a)) < (b.direction == Direction::Inbound, order(b))
        };
        let latest_ms = voices.set_clock(fabric, now, &room.heard);
        for heard in &room.heard {
            // One snapshot moves the room on once.
            if heard.at.as_millis() + (LONGEST_MS as f64) < latest_ms {
                voices.late = voices.late.saturating_add(1);
                continue;
            }
            let owner = room.owner_of(&room.streams[heard.slot]).0;
            let mut tell = Tell { now, limits: self.config.limits(), out: &mut self.out };
            let is_here = owner.and_then(|user| self.roster.get(user)).is_none_or(|user| user.presence.left.is_none());
            voices.hear(fabric, heard, (owner, is_here), &precedes, &mut tell);
        }
        if core::mem::take(&mut voices.has_new) {
            let mut tell = Tell { now, limits: self.config.limits(), out: &mut self.out };
            for index in (0_u32..).take(voices.voices.len()) {
                let voice = voices.voices.get(index as usize).filter(|voice| voice.is_app_muted.is_none());
                if let Some(Speaker::User(user)) = voice.map(|voice| voice.who) {
                    voices.report_muted(index, is_silenced(&self.fabrics, user), &mut tell);
                }
            }
        }
    }

    /// The application has muted something of a fabric or put it on hold, or stopped that.
    pub(super) fn update_speaker_mutes(&mut self, now: Timestamp, fabric: FabricId) {
        let (Some(voices), Some(room)) = (self.voices.as_deref_mut(), self.fabrics.get(fabric.index())) else { return };
        let mut tell = Tell { now, limits: self.config.limits(), out: &mut self.out };
        for index in 0..voices.sources.len() {
            let Some(source) = voices.sources.get_mut(index) else { continue };
            if source.stream.fabric == fabric && source.stream.direction == Direction::Outbound {
                let stream = room.streams.find(Direction::Outbound, source.stream.ssrc);
                source.is_muted = stream.is_some_and(|stream| stream.app.is_silenced());
                let voice = source.voice;
                voices.mute(voice, &mut tell);
            }
        }
        self.update_user_mutes(now, fabric);
    }

    /// What is said of a fabric may mute, or unmute, its user.
    fn update_user_mutes(&mut self, now: Timestamp, fabric: FabricId) {
        let Some(user) = self.fabrics.get(fabric.index()).and_then(|room| room.spec.local_user) else { return };
        let Some(voices) = self.voices.as_deref_mut() else { return };
        let mut tell = Tell { now, limits: self.config.limits(), out: &mut self.out };
        if let Some(index) = voices.find(Speaker::User(user)) {
            voices.report_muted(index, is_silenced(&self.fabrics, user), &mut tell);
        }
    }

    /// When whoever spoke last is silent, if nothing is reported until then.
    pub(super) fn silent_at(&self) -> Option<Timestamp> {
        self.voices.as_deref()?.floor.silent_at_ms().map(Timestamp::from_millis)
    }

    /// Time has passed without a report.
    pub(super) fn pass_time(&mut self, now: Timestamp) {
        let Some(Attribution { floor, voices, past, .. }) = self.voices.as_deref_mut() else { return };
        let mut tell = Tell { now, limits: self.config.limits(), out: &mut self.out };
        floor.pass_time(tell.now_ms(), &mut |change| pass(voices, past, change, &mut tell));
    }

    /// A fabric has ended, and what comes by it.
    pub(super) fn close_speakers(&mut self, now: Timestamp, fabric: FabricId) {
        let Some(voices) = self.voices.as_deref_mut() else { return };
        let mut tell = Tell { now, limits: self.config.limits(), out: &mut self.out };
        let (mut ends, mut goes_on) = (vec![false; voices.voices.len()], vec![false; voices.voices.len()]);
        for source in &mut voices.sources {
            let is_here = source.stream.fabric == fabric;
            source.is_open &= !is_here;
            for (is_so, of) in [(is_here, &mut ends), (source.is_open, &mut goes_on)] {
                if let Some(of) = of.get_mut(source.voice as usize) {
                    *of |= is_so;
                }
            }
        }
        for (index, _) in (0_u32..).zip(&ends).filter(|&(_, ends)| *ends) {
            if goes_on.get(index as usize) == Some(&false) {
                voices.leave(index, &mut tell);
            }
            voices.mute(index, &mut tell);
        }
        self.update_user_mutes(now, fabric);
    }

    /// A user is gone.
    pub(super) fn silence_user(&mut self, at: Timestamp, user: UserId) {
        let Some(voices) = self.voices.as_deref_mut() else { return };
        let mut tell = Tell { now: at, limits: self.config.limits(), out: &mut self.out };
        if let Some(index) = voices.find(Speaker::User(user)) {
            for source in voices.sources.iter_mut().filter(|source| source.voice == index) {
                source.is_open = false;
            }
            voices.leave(index, &mut tell);
        }
    }
}

/// Whether a user has muted all that they send, or has it on hold: on each open fabric that sends sound, or, if none does, on
/// each that is open.
fn is_silenced(fabrics: &[Fabric], user: UserId) -> bool {
    let open =
        || fabrics.iter().filter(|fabric| fabric.spec.local_user == Some(user) && fabric.life.terminated.is_none());
    let sends = open().any(Fabric::sends_sound);
    let mut theirs = open().filter(|fabric| !sends || fabric.sends_sound()).peekable();
    theirs.peek().is_some() && theirs.all(Fabric::is_silenced)
}

/// Where changes go.
struct Tell<'a> {
    now: Timestamp,
    limits: Limits,
    out: &'a mut EventQueue,
}

impl Tell<'_> {
    const fn now_ms(&self) -> u64 {
        self.now.as_micros() / 1_000
    }
}

impl Attribution {
    fn new(config: &Config, now: Timestamp) -> Self {
        Self {
            // At most a minute.
            floor: Floor::new(config.speaker_window().as_millis() as u64),
            voices: Vec::new(),
            sources: Vec::new(),
            by_stream: HashMap::new(),
            senders: HashMap::new(),
            clocks: Vec::new(),
            stands: Some(now),
            has_new: false,
            past: DominanceHistory::new(config.limits()),
            refused: 0,
            late: 0,
        }
    }

    /// Whether this can have come about by listening, as far as arithmetic relies on it.
    #[cfg(feature = "serde")]
    pub(super) fn is_possible(&self) -> bool {
        let is_in_time = |source: &AudioSource| source.end_ms <= LAST_MS && source.span_ms <= LAST_MS;
        self.floor.is_possible()
            && self.past.is_possible()
            && self.sources.iter().all(is_in_time)
            && self.voices.len() == self.floor.len()
            && self.voices.iter().zip(0..).all(|(voice, place)| voice.seat.index() == place)
    }

    /// Takes the time of the latest look of a snapshot, ms, and says it. A caller whose time stands still is asked once for each reporter.
    fn set_clock(&mut self, fabric: FabricId, now: Timestamp, heard: &[LevelSample]) -> f64 {
        if self.clocks.len() <= fabric.index() {
            self.clocks.resize(fabric.index() + 1, None);
        }
        self.stands = self.stands.filter(|&first| first == now);
        let latest_ms = heard.iter().map(|heard| heard.at.as_millis()).fold(0.0, f64::max);
        if let Some(clock) = self.clocks.get_mut(fabric.index())
            && (clock.is_none() || self.stands.is_none())
        {
            clock.get_or_insert_default().look(now.as_micros() as f64 / 1e3, latest_ms);
        }
        latest_ms
    }

    /// Takes a look at a stream: whose it is, and whether that one is here.
    fn hear(
        &mut self,
        fabric: FabricId,
        heard: &LevelSample,
        (owner, is_here): (Option<UserId>, bool),
        precedes: &dyn Fn(StreamKey, StreamKey) -> bool,
        tell: &mut Tell<'_>,
    ) {
        let clock = self.clocks.get(fabric.index()).copied().flatten().unwrap_or_default();
        let to_ms = clock.place(heard.at.as_millis());
        // Positive; saturates.
        let (to_ms, span_ms) = ((to_ms as u64).min(LAST_MS), (heard.span_ms as u64).min(LAST_MS));
        let stream = StreamKey::new(fabric, heard.direction, heard.ssrc);
        let Some(index) = self.source(stream, owner, to_ms.saturating_sub(span_ms), tell) else {
            self.refused = self.refused.saturating_add(1);
            return;
        };
        let Some(source) = self.sources.get_mut(index as usize) else { return };
        let was_muted = core::mem::replace(&mut source.is_muted, heard.is_muted);
        (source.is_open, source.is_sent) = (is_here, heard.is_sent);
        let voice = source.voice;
        let is_own = stream.direction == Direction::Outbound;
        let is_muted = self.voices.get(voice as usize).is_some_and(|voice| voice.is_muted);
        let changes_mute = was_muted != heard.is_muted || is_own && is_muted && !heard.is_muted;
        // What was not played, or not taken in, nobody heard.
        let span_s = heard.span_ms / 1e3;
        let samples = source.samples_s.zip(heard.samples_s).map(|(before, now)| now - before);
        source.samples_s = heard.samples_s;
        let covered_s = samples.filter(|&samples| samples >= 0.0).map_or(span_s, |samples| samples.min(span_s));
        if heard.span_ms <= 0.0 {
            source.end_ms = source.end_ms.max(to_ms);
        }
        let (Some(level), true) = (heard.level, heard.span_ms > 0.0) else {
            self.choose(index, precedes);
            if changes_mute {
                self.mute(voice, tell);
            }
            return;
        };
        let sound = source.meter.hear(level * level * covered_s, covered_s);
        let from_ms = to_ms.saturating_sub(span_ms);
        let from_ms = if from_ms.abs_diff(source.end_ms) < SEAM_MS { source.end_ms } else { from_ms };
        (source.end_ms, source.span_ms) = (to_ms.max(source.end_ms), span_ms);
        self.choose(index, precedes);
        if changes_mute {
            self.mute(voice, tell);
        }
        let Self { floor, voices, past, .. } = self;
        let Some(voice) = voices.get(voice as usize) else { return };
        let sound = sound.map_or(Fraction::NONE.into(), |sound| sound.part(covered_s / span_s));
        if voice.primary != Some(index) {
            return;
        }
        let unreported_ms = if heard.is_sent { heard.muted_ms.min(heard.span_ms) } else { heard.span_ms };
        if unreported_ms > 0.0 && level > 0.0 {
            floor.speak_muted(voice.seat, (unreported_ms * f64::from(sound.speech.permille()) / 1e3) as u64);
        }
        if is_here {
            floor.come_back(voice.seat, from_ms);
        }
        let sound = if heard.is_sent { sound } else { Fraction::NONE.into() };
        floor.hear(voice.seat, from_ms, to_ms, sound, &mut |change| pass(voices, past, change, tell));
    }

    /// The source of a stream, which is new or has passed to somebody else. `None` when there is no room.
    fn source(&mut self, stream: StreamKey, owner: Option<UserId>, at_ms: u64, tell: &mut Tell<'_>) -> Option<u32> {
        let known = self.by_stream.get(&stream).copied();
        if let Some(index) = known
            && self.sources.get(index as usize)?.owner == owner
        {
            return Some(index);
        }
        if known.is_none() && self.sources.len() >= tell.limits.speakers().saturating_mul(SOURCES_PER_VOICE) {
            return None;
        }
        let voice = self.voice(stream, owner, at_ms, tell.limits)?;
        let index = match known {
            Some(index) => {
                self.sources.get_mut(index as usize)?.owner = owner;
                self.pass_on(index, voice, tell);
                index
            }
            None => self.add(stream, owner, voice)?,
        };
        if owner.is_some() && stream.direction == Direction::Outbound {
            self.senders.insert(stream.ssrc, index);
            for other in (0_u32..).take(self.sources.len()) {
                let is_theirs = |of: &AudioSource| of.stream.ssrc == stream.ssrc && of.owner.is_none();
                if self.sources.get(other as usize).is_some_and(is_theirs) {
                    self.pass_on(other, voice, tell);
                }
            }
        }
        Some(index)
    }

    fn add(&mut self, stream: StreamKey, owner: Option<UserId>, voice: u32) -> Option<u32> {
        let index = u32::try_from(self.sources.len()).ok()?;
        self.sources.push(AudioSource {
            stream,
            owner,
            voice,
            meter: Meter::new(),
            end_ms: 0,
            span_ms: 0,
            samples_s: None,
            is_open: true,
            is_muted: false,
            is_sent: true,
            superseded_by: None,
        });
        self.by_stream.insert(stream, index);
        Some(index)
    }

    /// The one whose voice a stream carries. Who sends a stream that others receive without a name is who they hear.
    fn voice(&mut self, stream: StreamKey, owner: Option<UserId>, at_ms: u64, limits: Limits) -> Option<u32> {
        let nameless = Speaker::Stream(stream.ssrc);
        let Some(user) = owner else {
            let sender = self.senders.get(&stream.ssrc).and_then(|&index| self.sources.get(index as usize));
            let sender = sender.filter(|source| source.owner.is_some()).map(|source| source.voice);
            return sender.or_else(|| self.find_or_join(nameless, at_ms, limits));
        };
        if let Some(named) = self.find(Speaker::User(user)) {
            return Some(named);
        }
        // Somebody else may have the same SSRC on another fabric; who sends it is known to be the one whom others hear.
        let is_theirs = |index: &u32| {
            let mut others = self.sources.iter().filter(|source| source.voice == *index);
            stream.direction == Direction::Outbound || others.all(|source| source.stream.fabric == stream.fabric)
        };
        let Some(index) = self.find(nameless).filter(is_theirs) else {
            return self.find_or_join(Speaker::User(user), at_ms, limits);
        };
        let voice = self.voices.get_mut(index as usize)?;
        (voice.who, voice.is_app_muted) = (Speaker::User(user), None);
        self.has_new = true;
        Some(index)
    }

    fn find(&self, who: Speaker) -> Option<u32> {
        let index = self.voices.iter().position(|voice| voice.who == who)?;
        u32::try_from(index).ok()
    }

    fn find_or_join(&mut self, who: Speaker, at_ms: u64, limits: Limits) -> Option<u32> {
        if let Some(index) = self.find(who) {
            return Some(index);
        }
        let is_nameless = matches!(who, Speaker::Stream(_));
        let nameless = || self.voices.iter().filter(|voice| matches!(voice.who, Speaker::Stream(_))).count();
        if self.voices.len() >= limits.speakers() || is_nameless && nameless() >= limits.speakers().div_ceil(2) {
            return None;
        }
        let seat = self.floor.join(at_ms)?;
        self.voices.push(AttributedSpeaker { who, seat, primary: None, is_muted: false, is_app_muted: None });
        self.has_new = true;
        u32::try_from(seat.index()).ok()
    }

    /// A source turns out to be, or becomes, somebody else's. Whoever has none left goes: somebody nameless turned out to be
    /// the other one, and what they said is theirs.
    fn pass_on(&mut self, source: u32, to: u32, tell: &mut Tell<'_>) {
        let Some(of) = self.sources.get_mut(source as usize) else { return };
        let from = core::mem::replace(&mut of.voice, to);
        if from == to {
            return;
        }
        of.superseded_by = None;
        let Some(voice) = self.voices.get_mut(from as usize) else { return };
        if voice.primary == Some(source) {
            voice.primary = None;
        }
        let (who, seat) = (voice.who, voice.seat);
        let is_nameless = matches!(who, Speaker::Stream(_));
        if !is_nameless {
            of.meter = Meter::new();
        }
        let mut left = self.sources.iter().filter(|source| source.voice == from);
        if is_nameless && left.next().is_none() {
            if let Some(to) = self.voices.get(to as usize) {
                self.floor.merge(seat, to.seat);
                self.past.merge(seat, to.seat);
            }
            self.leave(from, tell);
        } else if !is_nameless && !left.any(|source| source.is_open) {
            self.leave(from, tell);
        }
    }

    /// Lets a source count for its voice, if it is to: their own microphone before what others receive, what is sent before
    /// what is not, and what bears their name before what does not.
    fn choose(&mut self, index: u32, precedes: &dyn Fn(StreamKey, StreamKey) -> bool) {
        let Some(source) = self.sources.get(index as usize) else { return };
        let Some(primary) = self.voices.get(source.voice as usize).map(|voice| voice.primary) else { return };
        let counts = match primary {
            Some(primary) if primary == index => return,
            Some(primary) => self.sources.get(primary as usize).is_none_or(|other| {
                let is_stale = source.end_ms > other.end_ms + 2 * other.span_ms.max(source.span_ms) + STALE_MS;
                let is_first = match source.rank().cmp(&other.rank()) {
                    Ordering::Equal => source.superseded_by != Some(primary) && precedes(source.stream, other.stream),
                    order => order.is_lt(),
                };
                !other.is_open || is_stale || is_first
            }),
            None => true,
        };
        let voice = source.voice;
        if let Some(source) = self.sources.get_mut(index as usize) {
            source.superseded_by = primary.filter(|_| !counts);
        }
        if let Some(voice) = self.voices.get_mut(voice as usize).filter(|_| counts) {
            voice.primary = Some(index);
        }
    }

    fn report_muted(&mut self, index: u32, is_muted: bool, tell: &mut Tell<'_>) {
        if let Some(voice) = self.voices.get_mut(index as usize) {
            voice.is_app_muted = Some(is_muted);
        }
        self.mute(index, tell);
    }

    /// Mutes somebody whose microphones are all muted, or takes that back. Who has none here is muted by their fabrics.
    fn mute(&mut self, index: u32, tell: &mut Tell<'_>) {
        let is_own = |source: &&AudioSource| {
            source.voice == index && source.is_open && source.stream.direction == Direction::Outbound
        };
        let mut own = self.sources.iter().filter(is_own);
        let told = self.voices.get(index as usize).and_then(|voice| voice.is_app_muted).unwrap_or(false);
        let is_muted = own.next().map_or(told, |first| first.is_muted && own.all(|source| source.is_muted));
        let Self { floor, voices, past, .. } = self;
        let Some(voice) = voices.get_mut(index as usize).filter(|voice| voice.is_muted != is_muted) else { return };
        voice.is_muted = is_muted;
        let seat = voice.seat;
        if is_muted {
            floor.mute(seat, tell.now_ms(), &mut |change| pass(voices, past, change, tell));
        } else {
            floor.unmute(seat, tell.now_ms());
        }
    }

    fn leave(&mut self, index: u32, tell: &mut Tell<'_>) {
        let Self { floor, voices, past, .. } = self;
        let Some(seat) = voices.get(index as usize).map(|voice| voice.seat) else { return };
        floor.leave(seat, tell.now_ms(), &mut |change| pass(voices, past, change, tell));
    }
}

/// Passes a change on.
fn pass(voices: &[AttributedSpeaker], past: &mut DominanceHistory, change: Change, tell: &mut Tell<'_>) {
    past.note(change, tell.limits);
    let who = |seat: Option<ParticipantId>| voices.get(seat?.index()).map(|voice| voice.who);
    let since = Timestamp::from_millis(change.since_ms);
    let change = SpeakerChange { at: tell.now, since, before: who(change.before), now: who(change.now) };
    tell.out.push(tell.limits, Event::DominantSpeaker { change });
}

/// Indexes in a conference's state, in an order of their own.
#[cfg(feature = "serde")]
mod sorted {
    use core::hash::Hash;

    use super::{HashMap, Vec};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K, S>(index: &HashMap<K, u32>, serializer: S) -> Result<S::Ok, S::Error>
    where
        K: Ord + Serialize,
        S: Serializer,
    {
        let mut pairs: Vec<_> = index.iter().collect();
        pairs.sort_unstable();
        serializer.collect_seq(pairs)
    }

    pub(super) fn deserialize<'de, K, D>(deserializer: D) -> Result<HashMap<K, u32>, D::Error>
    where
        K: Eq + Hash + Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, u32)>::deserialize(deserializer)?.into_iter().collect())
    }
}
