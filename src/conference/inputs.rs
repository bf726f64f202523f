//! What the application tells of a call besides its stats.

use super::log::StoredFeedback;
use super::{Conference, Feedback, InputError};
use crate::event::{CallEvent, EndReason, EventKind};
use crate::event::{ConnectionState, ErrorReport, GatheringState, IceState, Reported, SignalingState};
use crate::fabric::{AppEvent, Lifecycle, Outcome, Raise, Switch};
use crate::id::{FabricId, UserId};
use crate::unit::Timestamp;

impl Conference {
    /// `iceConnectionState` has changed, or is said again. Where it is told, stats are not asked for it.
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest).
    pub fn ice_state(&mut self, now: Timestamp, fabric: FabricId, state: IceState) -> Result<(), InputError> {
        self.change_state(now, fabric, |lifecycle, raise| lifecycle.set_ice(now, state, raise))
    }

    /// `iceGatheringState` has changed, or is said again. Gives the gathering delay.
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest).
    pub fn gathering_state(
        &mut self,
        now: Timestamp,
        fabric: FabricId,
        state: GatheringState,
    ) -> Result<(), InputError> {
        self.change_state(now, fabric, |lifecycle, raise| lifecycle.set_gathering(now, state, raise))
    }

    /// `signalingState` has changed, or is said again. `closed` terminates the fabric.
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest).
    pub fn signaling_state(
        &mut self,
        now: Timestamp,
        fabric: FabricId,
        state: SignalingState,
    ) -> Result<(), InputError> {
        self.change_state(now, fabric, |lifecycle, raise| lifecycle.set_signaling(now, state, raise))
    }

    /// `connectionState` has changed, or is said again. Stands in for [`ice_state`](Self::ice_state) as long as that is not
    /// told; `closed` terminates the fabric.
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest).
    pub fn connection_state(
        &mut self,
        now: Timestamp,
        fabric: FabricId,
        state: ConnectionState,
    ) -> Result<(), InputError> {
        self.change_state(now, fabric, |lifecycle, raise| lifecycle.set_connection(now, state, raise))
    }

    /// The application says something of a fabric's media, or ends it (`sendFabricEvent`). Early, late or twice is no error:
    /// the answer says what became of it.
    ///
    /// What is on hold, muted or paused counts as that in every interval that has such time in it, whatever stats show: it
    /// is part of no average, and its seconds are summed up on the caller's clock.
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest); [`InputError::LimitReached`] for another single SSRC when
    /// [`Limits::ssrcs_per_fabric`](crate::Limits::ssrcs_per_fabric), or [`Limits::ssrcs`](crate::Limits::ssrcs) of all
    /// fabrics, are remembered. A second [`AppEvent::Terminated`], or one after the end, is no error.
    pub fn send_event(&mut self, now: Timestamp, id: FabricId, event: AppEvent<'_>) -> Result<Outcome, InputError> {
        if event == AppEvent::Terminated {
            return self.terminate(now, id);
        }
        let config = &self.config;
        let limits = config.limits();
        self.check_entry(now, id)?;
        let usage = &mut self.usage;
        let Some(fabric) = self.fabrics.get_mut(id.index()) else { return Err(InputError::UnknownFabric) };
        let answer = match event {
            AppEvent::Hold => Ok(fabric.hold(now, true)),
            AppEvent::Resume => Ok(fabric.hold(now, false)),
            AppEvent::AudioMute(ssrc) => fabric.switch(now, Switch::Muted, ssrc, true, limits, usage),
            AppEvent::AudioUnmute(ssrc) => fabric.switch(now, Switch::Muted, ssrc, false, limits, usage),
            AppEvent::VideoPause(ssrc) => fabric.switch(now, Switch::Paused, ssrc, true, limits, usage),
            AppEvent::VideoResume(ssrc) => fabric.switch(now, Switch::Paused, ssrc, false, limits, usage),
            AppEvent::ScreenShareStart(ssrc) => fabric.switch(now, Switch::Shared, ssrc, true, limits, usage),
            AppEvent::ScreenShareStop(ssrc) => fabric.switch(now, Switch::Shared, ssrc, false, limits, usage),
            AppEvent::ActiveDevices(list) => Ok(fabric.set_devices(0, list, config)),
            AppEvent::ConnectedDevices(list) => Ok(fabric.set_devices(1, list, config)),
            AppEvent::DominantSpeaker => {
                let before = self.dominant.replace(id);
                Ok(if before == Some(id) { Outcome::Unchanged } else { Outcome::Applied })
            }
            // Returned above.
            AppEvent::Terminated => Ok(Outcome::Unchanged),
        };
        let answer = answer.map_err(|_| InputError::LimitReached)?;
        self.accept(now, id)?;
        if answer != Outcome::Unchanged {
            let ends_speech = matches!(event, AppEvent::Hold | AppEvent::AudioMute(_));
            if ends_speech && self.dominant == Some(id) {
                self.dominant = None;
            }
            if ends_speech || matches!(event, AppEvent::Resume | AppEvent::AudioUnmute(_)) {
                self.update_speaker_mutes(now, id);
            }
            self.raise(CallEvent { ssrc: event.ssrc(), ..CallEvent::new(now, event.kind()) }, Some(id));
        }
        Ok(answer)
    }

    fn terminate(&mut self, now: Timestamp, fabric: FabricId) -> Result<Outcome, InputError> {
        match self.accept(now, fabric) {
            Err(InputError::Terminated | InputError::Ended) => return Ok(Outcome::Unchanged),
            entered => entered?,
        }
        let mut is_news = false;
        self.apply(now, fabric, |lifecycle, raise| is_news = lifecycle.terminate(now, raise));
        Ok(if is_news { Outcome::Applied } else { Outcome::Unchanged })
    }

    /// Something failed, or the application logs something (`reportError`). `fabric` is `None` for what failed before there
    /// was one. A failure before a fabric is set up is the failure of its set-up, with the delay since it was opened.
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest); [`InputError::UnknownUser`].
    pub fn report_error(
        &mut self,
        now: Timestamp,
        fabric: Option<FabricId>,
        report: ErrorReport<'_>,
    ) -> Result<Reported, InputError> {
        self.check_users(report.user)?;
        let reason = report.reason();
        let mut has_failed_setup = false;
        let mut user = report.user;
        if let Some(fabric) = fabric {
            self.accept(now, fabric)?;
            user = user.or_else(|| self.fabrics.get(fabric.index())?.spec.local_user);
            self.apply(now, fabric, |lifecycle, raise| {
                has_failed_setup = lifecycle.fail(now, report.function, reason, raise)
            });
        } else {
            self.check_clock(now)?;
            self.check_end(now)?;
            self.now = Some(now);
            let is_log = report.function.is_log();
            let kind = if is_log { EventKind::ApplicationErrorLog } else { EventKind::WebRtcError };
            let reason = (!is_log).then_some(reason);
            self.raise(CallEvent { user, reason, ..CallEvent::new(now, kind) }, None);
        }
        let (is_stored, cut_bytes) = self.log.take_error(now, fabric, user, &report, self.config.limits());
        Ok(Reported { reason, cut_bytes, has_failed_setup, is_stored })
    }

    /// Somebody says what they think of the call, or of one fabric (`sendUserFeedback`). Taken at any time, also after the
    /// end. The latest of one user about one thing counts.
    ///
    /// # Errors
    /// [`InputError::UnknownUser`], [`InputError::UnknownFabric`]; [`InputError::LimitReached`] when
    /// [`Limits::feedback`](crate::Limits::feedback) are kept.
    pub fn feedback(
        &mut self,
        user: Option<UserId>,
        about: Option<FabricId>,
        feedback: Feedback,
    ) -> Result<Outcome, InputError> {
        self.check_users(user)?;
        if about.is_some_and(|fabric| self.fabrics.get(fabric.index()).is_none()) {
            return Err(InputError::UnknownFabric);
        }
        let stored = StoredFeedback { user, about, feedback };
        let all = &mut self.log.feedback;
        let has_capacity = all.len() < self.config.limits().feedback();
        let place = all.iter().position(|other| user.is_some() && (other.user, other.about) == (user, about));
        let other = match place {
            Some(place) => all.get_mut(place),
            None => None,
        };
        match other {
            Some(other) if *other == stored => return Ok(Outcome::Unchanged),
            Some(other) => *other = stored,
            None if has_capacity => all.push(stored),
            None => return Err(InputError::LimitReached),
        }
        Ok(Outcome::Applied)
    }

    /// A user joins, or is still there, without anything else to say (`userJoined`, `userAlive`).
    ///
    /// # Errors
    /// [`InputError::TimeWentBackwards`], [`InputError::UnknownUser`], [`InputError::Ended`].
    pub fn join(&mut self, now: Timestamp, user: UserId) -> Result<Outcome, InputError> {
        self.check_clock(now)?;
        self.check_end(now)?;
        let was_here = self.roster.get(user).ok_or(InputError::UnknownUser)?.presence.is_here();
        self.touch(now, Some(user));
        Ok(if was_here { Outcome::Unchanged } else { Outcome::Applied })
    }

    /// A user leaves, and with them their fabrics end (`userLeft`). What they came to is final by that, as far as they report
    /// it themselves.
    ///
    /// # Errors
    /// [`InputError::TimeWentBackwards`], [`InputError::UnknownUser`].
    pub fn leave(&mut self, now: Timestamp, user: UserId) -> Result<Outcome, InputError> {
        self.check_clock(now)?;
        let was_here = self.roster.get(user).ok_or(InputError::UnknownUser)?.presence.is_here();
        if !was_here || self.check_end(now).is_err() {
            return Ok(Outcome::Unchanged);
        }
        self.now = Some(now);
        for fabric in self.fabrics.iter_mut().filter(|fabric| fabric.spec.local_user == Some(user)) {
            fabric.lifecycle.leave(now);
        }
        self.leave_call(now, Some(user), EndReason::Left);
        Ok(Outcome::Applied)
    }

    /// Tells the time. Who was silent for [`Config::silence`](crate::Config::silence) is gone; when that is all, or the end
    /// came before, the conference is over. To be called when [`poll_timeout`](Self::poll_timeout) says so, before what
    /// else happens at that time; who never calls it has no timeouts. With the conference ends the stay of whoever is left.
    /// A dominant speaker of whom, as of everybody, no more is reported has the floor no longer.
    ///
    /// # Errors
    /// [`InputError::TimeWentBackwards`].
    pub fn handle_timeout(&mut self, now: Timestamp) -> Result<(), InputError> {
        self.check_clock(now)?;
        self.now = Some(now);
        if self.is_settled {
            return Ok(());
        }
        self.pass_time(now);
        while let Some((user, deadline)) = self.roster.overdue(now, self.config.inactivity_micros()) {
            if self.end.is_some_and(|end| end.at < deadline) {
                break;
            }
            self.leave_call(deadline, user, EndReason::Timeout);
        }
        if let Some(end) = self.end.filter(|end| end.at <= now) {
            self.is_settled = true;
            // Whoever is left has nobody to stay with.
            self.leave_call(end.at, None, end.reason);
            for user in (0_u32..).take(self.roster.users.len()).map(UserId) {
                self.leave_call(end.at, Some(user), end.reason);
            }
            let event = CallEvent::new(end.at, EventKind::ConferenceEnded);
            self.raise(CallEvent { end: Some(end.reason), ..event }, None);
        }
        Ok(())
    }

    /// How the conference ended; `None` while it goes on.
    #[must_use]
    pub fn ended(&self) -> Option<(Timestamp, EndReason)> {
        self.end.map(|end| (end.at, end.reason))
    }

    /// Tells a fabric's life something.
    fn change_state(
        &mut self,
        now: Timestamp,
        fabric: FabricId,
        change_state: impl FnOnce(&mut Lifecycle, &mut Raise<'_>),
    ) -> Result<(), InputError> {
        self.accept(now, fabric)?;
        self.apply(now, fabric, change_state);
        Ok(())
    }

    /// Tells it, once the input has been accepted. Who has terminated all of their fabrics by it leaves.
    fn apply(&mut self, now: Timestamp, id: FabricId, change_state: impl FnOnce(&mut Lifecycle, &mut Raise<'_>)) {
        let limits = self.config.limits();
        let Some(fabric) = self.fabrics.get_mut(id.index()) else { return };
        let user = fabric.spec.local_user;
        let was_open = fabric.lifecycle.terminated.is_none();
        let out = &mut self.out;
        change_state(&mut fabric.lifecycle, &mut |event| {
            out.raise(limits, CallEvent { fabric: Some(id), user, ..event });
        });
        if was_open && fabric.lifecycle.terminated.is_some() {
            fabric.close_detectors(&self.config, out);
            self.close_speakers(now, id);
            if self.dominant == Some(id) {
                self.dominant = None;
            }
            let mut theirs = self.fabrics.iter().filter(|fabric| fabric.spec.local_user == user);
            if theirs.all(|fabric| fabric.lifecycle.terminated.is_some()) {
                self.leave_call(now, user, EndReason::Terminated);
            }
        }
    }

    /// Somebody is gone.
    pub(super) fn leave_call(&mut self, at: Timestamp, user: Option<UserId>, reason: EndReason) {
        if !self.roster.leave(at, user, reason) {
            return;
        }
        for fabric in self.fabrics.iter_mut().filter(|fabric| fabric.spec.local_user == user) {
            fabric.close_detectors(&self.config, &mut self.out);
        }
        if let Some(user) = user {
            self.silence_user(at, user);
        }
        if user.is_some() {
            self.raise(CallEvent { user, end: Some(reason), ..CallEvent::new(at, EventKind::UserLeft) }, None);
        }
        if self.end.is_none() {
            self.end = self.roster.end();
        }
    }

    fn raise(&mut self, event: CallEvent, fabric: Option<FabricId>) {
        let user = fabric.and_then(|fabric| self.fabrics.get(fabric.index())?.spec.local_user);
        let user = event.user.or(user);
        self.out.raise(self.config.limits(), CallEvent { fabric, user, ..event });
    }
}
