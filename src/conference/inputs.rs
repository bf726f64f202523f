//! Inputs of the application besides stats: states, events, errors, feedback, joins, leaves and time. The module
//! applies them to fabrics and the roster; it reads no stats.

use super::log::StoredFeedback;
use super::{Conference, Feedback, InputError};
use crate::event::{
    CallEvent, ConnectionState, DtlsState, EndReason, ErrorReport, EventKind, GatheringState, IceState, Reported,
    SignalingState,
};
use crate::fabric::{AppEvent, Fabric, Lifecycle, Outcome, Raise, Switch};
use crate::id::{FabricId, UserId};
use crate::unit::Timestamp;

impl Conference {
    /// Reports the current `iceConnectionState`, changed or repeated. Once reported, it replaces the ICE state derived
    /// from stats; a failure of the connection or of DTLS, and traffic that arrives, still count
    /// ([`fabric`](crate::fabric)).
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest).
    pub fn ice_state(&mut self, now: Timestamp, fabric: FabricId, state: IceState) -> Result<(), InputError> {
        self.change_state(now, fabric, |lifecycle, raise| lifecycle.set_ice(now, state, raise))
    }

    /// Reports the current `iceGatheringState`, changed or repeated. It yields the gathering delay.
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

    /// Reports the current `signalingState`, changed or repeated. `closed` terminates the fabric.
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

    /// Reports the current `connectionState`, changed or repeated. It replaces [`ice_state`](Self::ice_state) as long
    /// as that is not reported; beside it, `failed` counts, and `connecting` and `connected` show DTLS. `closed`
    /// terminates the fabric.
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

    /// Reports the current state of DTLS (`RTCDtlsTransport.state`), changed or repeated. Without DTLS no packet flows: a
    /// failure counts as one of the connection, and ICE alone is no set-up while DTLS is pending. Once reported, it
    /// replaces the state in stats, except for a failure.
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest).
    pub fn dtls_state(&mut self, now: Timestamp, fabric: FabricId, state: DtlsState) -> Result<(), InputError> {
        self.change_state(now, fabric, |lifecycle, raise| lifecycle.set_dtls(now, state, raise))
    }

    /// Reports an event about a fabric's media, or terminates the fabric (`sendFabricEvent`). Early, late or repeated
    /// events are no error: the [`Outcome`] says how the event was handled.
    ///
    /// An interval with any held, muted or paused time counts as such, whatever stats show. It is part of no average,
    /// and its seconds are summed on the caller's clock.
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest); [`InputError::LimitReached`] for another single SSRC at
    /// [`Limits::ssrcs_per_fabric`](crate::Limits::ssrcs_per_fabric), or at [`Limits::ssrcs`](crate::Limits::ssrcs)
    /// over all fabrics. A second [`AppEvent::Terminated`], or one after the end, is no error.
    pub fn send_event(&mut self, now: Timestamp, id: FabricId, event: AppEvent<'_>) -> Result<Outcome, InputError> {
        if event == AppEvent::Terminated {
            return self.terminate(now, id);
        }
        let config = &self.config;
        let limits = config.limits();
        self.check_entry(now, id)?;
        let usage = &mut self.usage;
        let fabric = self.fabrics.get_mut(id.index()).ok_or(InputError::UnknownFabric)?;
        let answer = match event {
            AppEvent::Hold => Ok(fabric.hold(now, true)),
            AppEvent::Resume => Ok(fabric.hold(now, false)),
            AppEvent::AudioMute(ssrc) => fabric.switch(now, Switch::Muted, ssrc, true, limits, usage),
            AppEvent::AudioUnmute(ssrc) => fabric.switch(now, Switch::Muted, ssrc, false, limits, usage),
            AppEvent::VideoPause(ssrc) => fabric.switch(now, Switch::Paused, ssrc, true, limits, usage),
            AppEvent::VideoResume(ssrc) => fabric.switch(now, Switch::Paused, ssrc, false, limits, usage),
            AppEvent::ScreenShareStart(ssrc) => fabric.switch(now, Switch::Shared, ssrc, true, limits, usage),
            AppEvent::ScreenShareStop(ssrc) => fabric.switch(now, Switch::Shared, ssrc, false, limits, usage),
            AppEvent::ActiveDevices(list) => Ok(Fabric::set_devices(&mut fabric.devices[0], list, config)),
            AppEvent::ConnectedDevices(list) => Ok(Fabric::set_devices(&mut fabric.devices[1], list, config)),
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

    /// Reports an error or an application log (`reportError`). `fabric` is `None` for an error before there was one. An
    /// error before a fabric is set up counts as its set-up failure, with the delay since its opening.
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
                has_failed_setup = lifecycle.fail(now, report.function, reason, raise);
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

    /// Reports a user's feedback on the call, or on one fabric (`sendUserFeedback`). It is accepted at any time, also
    /// after the end. A user's latest feedback on the same subject replaces the earlier one.
    ///
    /// # Errors
    /// [`InputError::UnknownUser`], [`InputError::UnknownFabric`]; [`InputError::LimitReached`] at
    /// [`Limits::feedback`](crate::Limits::feedback).
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

    /// Reports that a user joins or is still present (`userJoined`, `userAlive`).
    ///
    /// # Errors
    /// [`InputError::TimeWentBackwards`], [`InputError::UnknownUser`], [`InputError::Ended`].
    pub fn join(&mut self, now: Timestamp, user: UserId) -> Result<Outcome, InputError> {
        self.check_clock(now)?;
        self.check_end(now)?;
        let was_here = self.roster.get(user).ok_or(InputError::UnknownUser)?.presence.is_present();
        self.touch(now, Some(user));
        Ok(if was_here { Outcome::Unchanged } else { Outcome::Applied })
    }

    /// Reports that a user leaves, which ends the user's fabrics (`userLeft`). The figures that the user reports are
    /// then final.
    ///
    /// # Errors
    /// [`InputError::TimeWentBackwards`], [`InputError::UnknownUser`].
    pub fn leave(&mut self, now: Timestamp, user: UserId) -> Result<Outcome, InputError> {
        self.check_clock(now)?;
        let was_here = self.roster.get(user).ok_or(InputError::UnknownUser)?.presence.is_present();
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

    /// Advances the clock. Users without activity for [`Config::inactivity_timeout`](crate::Config::inactivity_timeout) leave by timeout; if
    /// no user is left, or the end came before, the conference is over. Call it when
    /// [`poll_timeout`](Self::poll_timeout) says so, before other inputs of that time; without these calls there are no
    /// timeouts. The end of the conference ends the remaining stays. If all reports stop, the dominant speaker loses
    /// the floor.
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
            // End the remaining stays too.
            self.leave_call(end.at, None, end.reason);
            for user in (0_u32..).take(self.roster.users.len()).map(UserId) {
                self.leave_call(end.at, Some(user), end.reason);
            }
            let event = CallEvent::new(end.at, EventKind::ConferenceEnded);
            self.raise(CallEvent { end: Some(end.reason), ..event }, None);
        }
        Ok(())
    }

    /// The end of the conference; `None` while it is ongoing.
    #[must_use]
    pub fn ended(&self) -> Option<(Timestamp, EndReason)> {
        self.end.map(|end| (end.at, end.reason))
    }

    /// Accepts an input and applies it to a fabric's lifecycle.
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

    /// Applies an accepted input. A user whose fabrics are all terminated by it leaves.
    fn apply(&mut self, now: Timestamp, id: FabricId, change_state: impl FnOnce(&mut Lifecycle, &mut Raise<'_>)) {
        let limits = self.config.limits();
        let Some(fabric) = self.fabrics.get_mut(id.index()) else { return };
        let user = fabric.spec.local_user;
        let was_open = fabric.lifecycle.terminated.is_none();
        let failures = fabric.lifecycle.failures();
        let out = &mut self.out;
        change_state(&mut fabric.lifecycle, &mut |event| {
            out.raise(limits, CallEvent { fabric: Some(id), user, ..event });
        });
        if was_open {
            fabric.conclude(now, failures, &self.config, out);
        }
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

    /// Removes a participant from the call.
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
