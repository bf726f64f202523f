//! Passes the audio levels and mutes of fabrics to the attribution of speech. [`attribution`] decides which audio
//! belongs to which speaker, [`crate::speaker`] decides dominance.

mod attribution;
mod history;

use alloc::boxed::Box;
use alloc::vec;

pub(crate) use self::attribution::Attribution;
use self::attribution::{ChangeSink, SourceOrder, emit, speaker_of};
use super::Conference;
use crate::fabric::Fabric;
use crate::id::{Direction, FabricId, UserId};
use crate::list::ListId;
use crate::speaker::Speaker;
use crate::speaker::dominant::LONGEST_MS;
use crate::unit::Timestamp;

impl Conference {
    /// The dominant speaker: the participant that has spoken for long enough, and was not followed by another speaker,
    /// by 2 s of silence, by a mute or by the end of the stay. See [`crate::speaker`]. The result may change after any
    /// input. O(1).
    ///
    /// Time advances with reports, and with [`handle_timeout`](Self::handle_timeout) when reports stop.
    #[must_use]
    pub fn dominant_speaker(&self) -> Option<Speaker> {
        let attribution = self.attribution.as_deref()?;
        speaker_of(&attribution.speakers, attribution.floor.dominant())
    }

    /// The only speaker in the window of [`Config::speaker_window`](crate::Config::speaker_window): 2 s of speech or
    /// more, all others together 1 s at most (the "yes" and "hm" of listeners), 80 % of the window known. Cost: linear in
    /// the number of speakers.
    #[must_use]
    pub fn only_speaker(&self) -> Option<Speaker> {
        let attribution = self.attribution.as_deref()?;
        speaker_of(&attribution.speakers, attribution.floor.only_speaker())
    }

    /// Whether this user is the [`only_speaker`](Self::only_speaker). Cost: linear in the number of speakers.
    #[must_use]
    pub fn is_only_speaker(&self, user: UserId) -> bool {
        self.only_speaker() == Some(Speaker::User(user))
    }

    /// Whether the local user of a fabric is the dominant speaker.
    pub(crate) fn speaks_at(&self, fabric: &Fabric) -> bool {
        match (self.dominant_speaker(), fabric.spec.local_user) {
            (Some(Speaker::User(speaker)), Some(user)) => speaker == user,
            (Some(Speaker::Stream(ssrc)), None) => fabric.streams.find(Direction::Outbound, ssrc).is_some(),
            _ => false,
        }
    }

    /// Takes the audio levels of a fabric's latest snapshot.
    pub(super) fn take_levels(&mut self, now: Timestamp, id: FabricId) {
        let Some(fabric) = self.fabrics.get(id.index()).filter(|fabric| !fabric.levels.is_empty()) else { return };
        let attribution = self.attribution.get_or_insert_with(|| Box::new(Attribution::new(&self.config, now)));
        let order = SourceOrder { fabrics: &self.fabrics, roster: &self.roster };
        let latest_ms = attribution.set_clock(id, now, &fabric.levels);
        for level in &fabric.levels {
            // One snapshot advances the conference once.
            if level.at.as_millis() + (LONGEST_MS as f64) < latest_ms {
                attribution.late = attribution.late.saturating_add(1);
                continue;
            }
            let owner = fabric.owner_of(&fabric.streams[level.slot]).0;
            let mut sink = ChangeSink { now, limits: self.config.limits(), out: &mut self.out };
            let is_present =
                owner.and_then(|user| self.roster.get(user)).is_none_or(|user| user.presence.left.is_none());
            attribution.take_level(id, level, (owner, is_present), order, &mut sink);
        }
        if core::mem::take(&mut attribution.has_new) {
            let mut sink = ChangeSink { now, limits: self.config.limits(), out: &mut self.out };
            for index in attribution.speakers.ids() {
                let speaker = &attribution.speakers[index];
                if let (Speaker::User(user), None) = (speaker.who, speaker.is_app_muted) {
                    attribution.report_muted(index, is_muted_or_held(&self.fabrics, user), &mut sink);
                }
            }
        }
    }

    /// Updates mutes after the application muted, held, unmuted or resumed media of a fabric.
    pub(super) fn update_speaker_mutes(&mut self, now: Timestamp, id: FabricId) {
        let (Some(attribution), Some(fabric)) = (self.attribution.as_deref_mut(), self.fabrics.get(id.index())) else {
            return;
        };
        let mut sink = ChangeSink { now, limits: self.config.limits(), out: &mut self.out };
        for index in attribution.sources.ids() {
            let source = &mut attribution.sources[index];
            if source.stream.fabric == id && source.stream.direction == Direction::Outbound {
                let stream = fabric.streams.find(Direction::Outbound, source.stream.ssrc);
                source.is_muted = stream.is_some_and(|stream| stream.app.is_muted_or_held());
                let speaker = source.speaker;
                attribution.mute(speaker, &mut sink);
            }
        }
        self.update_user_mutes(now, id);
    }

    /// Updates the mute of a fabric's local user.
    fn update_user_mutes(&mut self, now: Timestamp, fabric: FabricId) {
        let user = self.fabrics.get(fabric.index()).and_then(|fabric| fabric.spec.local_user);
        let (Some(user), Some(attribution)) = (user, self.attribution.as_deref_mut()) else { return };
        let mut sink = ChangeSink { now, limits: self.config.limits(), out: &mut self.out };
        if let Some(index) = attribution.find(Speaker::User(user)) {
            attribution.report_muted(index, is_muted_or_held(&self.fabrics, user), &mut sink);
        }
    }

    /// When the last speaker becomes silent, if no report arrives until then.
    pub(super) fn silent_at(&self) -> Option<Timestamp> {
        self.attribution.as_deref()?.floor.silent_at_ms().map(Timestamp::from_millis)
    }

    /// Advances time without a report.
    pub(super) fn pass_time(&mut self, now: Timestamp) {
        if let Some(Attribution { floor, speakers, history, .. }) = self.attribution.as_deref_mut() {
            let mut sink = ChangeSink { now, limits: self.config.limits(), out: &mut self.out };
            floor.pass_time(sink.now_ms(), &mut |change| emit(speakers, history, change, &mut sink));
        }
    }

    /// Closes the sources of a fabric that ended.
    pub(super) fn close_speakers(&mut self, now: Timestamp, fabric: FabricId) {
        let Some(attribution) = self.attribution.as_deref_mut() else { return };
        let mut sink = ChangeSink { now, limits: self.config.limits(), out: &mut self.out };
        let (mut ends, mut goes_on) =
            (vec![false; attribution.speakers.len()], vec![false; attribution.speakers.len()]);
        for source in attribution.sources.iter_mut() {
            let has_ended = source.stream.fabric == fabric;
            source.is_open &= !has_ended;
            for (is_so, of) in [(has_ended, &mut ends), (source.is_open, &mut goes_on)] {
                if let Some(of) = of.get_mut(source.speaker.index()) {
                    *of |= is_so;
                }
            }
        }
        for (index, (ends, goes_on)) in attribution.speakers.ids().zip(ends.into_iter().zip(goes_on)) {
            if ends && !goes_on {
                attribution.leave(index, &mut sink);
            }
            if ends {
                attribution.mute(index, &mut sink);
            }
        }
        self.update_user_mutes(now, fabric);
    }

    /// Closes the sources of a user that left.
    pub(super) fn silence_user(&mut self, at: Timestamp, user: UserId) {
        if let Some(attribution) = self.attribution.as_deref_mut()
            && let Some(index) = attribution.find(Speaker::User(user))
        {
            let mut sink = ChangeSink { now: at, limits: self.config.limits(), out: &mut self.out };
            for source in attribution.sources.iter_mut().filter(|source| source.speaker == index) {
                source.is_open = false;
            }
            attribution.leave(index, &mut sink);
        }
    }
}

/// Whether a user has muted or held all audio: on each open fabric that sends audio, or, if none does, on each open
/// fabric.
fn is_muted_or_held(fabrics: &[Fabric], user: UserId) -> bool {
    let open =
        fabrics.iter().filter(|fabric| fabric.spec.local_user == Some(user) && fabric.lifecycle.terminated.is_none());
    let sends = open.clone().any(Fabric::sends_audio);
    let mut theirs = open.filter(|fabric| !sends || fabric.sends_audio()).peekable();
    theirs.peek().is_some() && theirs.all(Fabric::is_muted_or_held)
}
