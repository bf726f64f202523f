//! The lifecycle of one fabric: the states and delays of its PeerConnection on the caller's clock. It reads no stats
//! itself; `sources` decides which source of a state counts.

use alloc::boxed::Box;

use super::course::{Course, Setup};
use super::ice::IceEvent;
use super::path::PathSample;
use super::sources::{Sources, Traffic, is_over, is_up};
use crate::event::{
    CallClass, CallEvent, ConnectionState, DtlsState, EventKind, FabricState, FailureReason, GatheringState, IceState,
    Relay, SignalingState, StateChange, WebRtcFunction,
};
use crate::unit::Timestamp;

/// The destination of events.
pub(crate) type Raise<'a> = dyn FnMut(CallEvent) + 'a;

/// How long the first checks may take, ms: a set-up that takes longer has left the user without a connection. As for
/// `slowSetup`.
const MAX_SETUP_MS: f64 = 5_000.0;

/// The lifecycle of a fabric.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Lifecycle {
    /// The time of opening, or of the first input if the opening is unknown.
    pub(crate) opened: Timestamp,
    pub(crate) is_opening_known: bool,
    sources: Sources,
    pub(crate) course: Course,
    /// The course before the present failure, and when that was first stated, while traffic may still refute it.
    before_failure: Option<Box<(Course, Timestamp)>>,
    /// How many failures traffic refuted.
    refuted: u64,
    /// The ICE state of the latest change.
    shown_ice: IceState,
    /// When ICE was new.
    ice_began: Option<Timestamp>,
    /// When ICE checks first began.
    checks_began: Option<Timestamp>,
    /// Whether the application reported an ICE restart since the last snapshot.
    restart_reported: bool,
    /// The time of the last snapshot with an ICE state; the opening before the first.
    observed: Timestamp,
    gathering: GatheringState,
    gathering_began: Timestamp,
    signaling: Option<SignalingState>,
    pub(crate) gathering_delay_ms: Option<f64>,
    /// Whether the state is only inferred from candidate pairs.
    is_guess: bool,
    /// The latest snapshot, and the latest one before which anything arrived over the path.
    sampled: Option<Timestamp>,
    carried: Option<Timestamp>,
    pub(crate) restarts: u64,
    pub(crate) switches: u64,
    pub(crate) is_held: bool,
    pub(crate) terminated: Option<Timestamp>,
}

/// What the failures of a connection are so far: a change is diagnosed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failures {
    /// Whether it failed before it was set up.
    has_failed: bool,
    /// Whether it failed after it was set up.
    has_dropped: bool,
    /// How many failures traffic refuted.
    pub(crate) refuted: u64,
}

impl Lifecycle {
    pub(crate) fn new(opened: Timestamp, is_opening_known: bool) -> Self {
        Self {
            opened,
            is_opening_known,
            sources: Sources::new(opened),
            course: Course::default(),
            before_failure: None,
            refuted: 0,
            shown_ice: IceState::New,
            ice_began: is_opening_known.then_some(opened),
            checks_began: None,
            restart_reported: false,
            observed: opened,
            gathering: GatheringState::New,
            gathering_began: opened,
            signaling: None,
            gathering_delay_ms: None,
            is_guess: false,
            sampled: None,
            carried: None,
            restarts: 0,
            switches: 0,
            is_held: false,
            terminated: None,
        }
    }

    /// The fabric's state; `None` until a report states it.
    pub(crate) fn state(&self) -> Option<FabricState> {
        if self.terminated.is_some() {
            return Some(FabricState::Terminated);
        }
        if self.is_held {
            return Some(FabricState::Hold);
        }
        self.course.is_known.then_some(match self.course.ice.state() {
            state if self.hangs() && state != IceState::Closed => FabricState::Initializing,
            IceState::Connected | IceState::Completed => FabricState::Established,
            IceState::Failed => FabricState::Failed,
            IceState::Closed => FabricState::Terminated,
            _ if self.course.ice.is_disrupted() => FabricState::Disrupted,
            _ if self.course.ice.is_checking_disrupted() => FabricState::CheckingDisrupted,
            IceState::Disconnected => FabricState::Disrupted,
            IceState::New | IceState::Checking => FabricState::Initializing,
        })
    }

    /// The class of the call on this fabric; `None` until it is known. `is_over`: no more input is expected.
    /// `by_inactivity`: because of an inactivity timeout. `has_received`: its end may have been reported at a wrong time,
    /// before its media.
    pub(crate) fn class(&self, is_over: bool, by_inactivity: bool, has_received: bool) -> Option<CallClass> {
        let is_over = is_over || self.terminated.is_some() || self.course.ice.state() == IceState::Closed;
        if self.setup().is_some() {
            let is_dropped = self.course.is_down || by_inactivity && self.course.ice.is_disrupted();
            return Some(if is_dropped { CallClass::Dropped } else { CallClass::Established });
        }
        if self.course.failure.is_some() {
            return Some(CallClass::Failed);
        }
        let knows = self.course.is_known || self.signaling.is_some() || self.terminated.is_some();
        let is_unanswered =
            matches!(self.signaling, Some(SignalingState::HaveLocalOffer | SignalingState::HaveRemoteOffer));
        (is_over && knows).then_some(match is_unanswered {
            _ if has_received => CallClass::Established,
            true => CallClass::Missed,
            false => CallClass::Aborted,
        })
    }

    /// The first connection; `None` before it, and while DTLS hangs.
    pub(crate) fn setup(&self) -> Option<Setup> {
        self.course.setup.filter(|_| !self.hangs())
    }

    /// Whether it was ever connected.
    pub(crate) fn was_set_up(&self) -> bool {
        self.setup().is_some()
    }

    /// Whether ICE was connected while DTLS is not up, and never was.
    const fn hangs(&self) -> bool {
        self.course.ice.is_set_up() && self.sources.hangs()
    }

    /// Whether it failed and was never set up. An error that the application reports is no failure.
    pub(crate) fn has_failed(&self) -> bool {
        self.course.ice.state() == IceState::Failed && self.setup().is_none()
    }

    /// Whether it was connected, and failed.
    pub(crate) fn has_dropped(&self) -> bool {
        self.course.is_down && self.setup().is_some()
    }

    pub(crate) fn failures(&self) -> Failures {
        Failures { has_failed: self.has_failed(), has_dropped: self.has_dropped(), refuted: self.refuted }
    }

    /// From the first checks, or else the opening, to the failure of the set-up, ms.
    pub(crate) fn failed_after_ms(&self) -> Option<f64> {
        self.course.failed_checks_ms.or(self.course.failure.and_then(|(delay_ms, _)| delay_ms))
    }

    /// Whether ICE was connected when the set-up failed: DTLS failed.
    pub(crate) const fn is_dtls_failure(&self) -> bool {
        matches!(self.course.failure, Some((_, FailureReason::TransportFailure)))
    }

    /// How long packets could not flow after they had flowed, ms, until `now` if that still lasts.
    pub(crate) fn disrupted_ms(&self, now: Timestamp) -> f64 {
        let open = self.course.disrupted_since.map_or(0, |since| now.micros_since(since));
        self.course.disrupted_micros.saturating_add(open) as f64 / 1e3
    }

    /// How long the current loss of the path has lasted, ms; `None` while packets can flow.
    pub(crate) fn disruption_ms(&self, now: Timestamp) -> Option<f64> {
        self.course.disrupted_since.map(|since| millis(since, now))
    }

    /// How long the first ICE checks took, or have taken so far, ms; if they failed, until then. `None` before they
    /// began, and if that was not observed.
    pub(crate) fn connects_ms(&self, now: Timestamp) -> Option<f64> {
        match self.setup() {
            Some(setup) => setup.checks_ms,
            None => self.course.failed_checks_ms.or_else(|| self.checks_began.map(|began| millis(began, now))),
        }
    }

    /// How long the connection has been lost at `now`, ms: since the last traffic before it was disconnected or failed;
    /// or since the first checks, if they failed or have taken [`MAX_SETUP_MS`] without an answer. `None` while it is not
    /// lost.
    pub(crate) fn lost_ms(&self, now: Timestamp) -> Option<f64> {
        let is_coming =
            self.setup().is_none() && self.terminated.is_none() && self.course.ice.state() != IceState::Closed;
        // Answers to checks show a path, but no DTLS.
        let is_answered = self.carried.is_some() && self.carried == self.sampled && !self.sources.hangs();
        match self.course.lost_since {
            Some(since) => Some(millis(since, now)),
            None => self.slow_checks_ms(now).filter(|_| is_coming && !is_answered && !self.is_guess),
        }
    }

    /// How long ago the first checks began, ms, if that is long.
    fn slow_checks_ms(&self, now: Timestamp) -> Option<f64> {
        self.checks_began.map(|began| millis(began, now)).filter(|&ms| ms >= MAX_SETUP_MS)
    }

    /// How long the connection was lost or not set up, ms, until `now` if that still lasts.
    pub(crate) fn all_lost_ms(&self, now: Timestamp) -> f64 {
        self.course.lost_micros as f64 / 1e3 + self.lost_ms(now).unwrap_or(0.0)
    }

    /// Sets the time of the opening, if nothing but states of the connection came before.
    pub(crate) fn set_opening(&mut self, now: Timestamp) {
        if !self.is_opening_known && self.course.setup.is_none() && self.course.failure.is_none() {
            (self.opened, self.is_opening_known) = (now, true);
            self.ice_began = self.ice_began.or(Some(now));
        }
    }

    /// Takes the ICE state that the application reports.
    pub(crate) fn set_ice(&mut self, now: Timestamp, to: IceState, raise: &mut Raise<'_>) {
        self.restart_reported |= to == IceState::New;
        self.sources.set_ice(now, to);
        self.note_ice(now, false, raise);
        self.update(now, false, raise);
    }

    /// Takes the gathering state that the application reports.
    pub(crate) fn set_gathering(&mut self, now: Timestamp, to: GatheringState, raise: &mut Raise<'_>) {
        let before = core::mem::replace(&mut self.gathering, to);
        if before == to {
            return;
        }
        if to == GatheringState::Gathering {
            self.gathering_began = now;
        } else if to == GatheringState::Complete && self.gathering_delay_ms.is_none() {
            self.gathering_delay_ms = Some(millis(self.gathering_began, now));
        }
        raise_change(now, StateChange::Gathering(before, to), raise);
    }

    /// Takes the signaling state that the application reports.
    pub(crate) fn set_signaling(&mut self, now: Timestamp, to: SignalingState, raise: &mut Raise<'_>) {
        let before = self.signaling.unwrap_or(SignalingState::Stable);
        if before != to {
            // An offer without an answer at the end stays unanswered.
            if to != SignalingState::Closed {
                self.signaling = Some(to);
            }
            raise_change(now, StateChange::Signaling(before, to), raise);
        }
        if to == SignalingState::Closed {
            self.close(now, raise);
        }
    }

    /// Takes the connection state that the application reports.
    pub(crate) fn set_connection(&mut self, now: Timestamp, to: ConnectionState, raise: &mut Raise<'_>) {
        let before = self.sources.connection().unwrap_or(ConnectionState::New);
        if before != to {
            raise_change(now, StateChange::Connection(before, to), raise);
        }
        self.sources.set_connection(now, to);
        if to == ConnectionState::Closed {
            return self.close(now, raise);
        }
        if !self.sources.is_ice_reported() {
            self.note_ice(now, false, raise);
        }
        self.update(now, false, raise);
    }

    /// Takes the state of DTLS that the application reports.
    pub(crate) fn set_dtls(&mut self, now: Timestamp, to: DtlsState, raise: &mut Raise<'_>) {
        self.sources.set_dtls(now, to);
        self.update(now, false, raise);
    }

    /// Takes a snapshot's sample of the paths, the protocol to its relay, and the traffic since the previous snapshot;
    /// `None` if no time passed between the two.
    pub(crate) fn observe(
        &mut self,
        now: Timestamp,
        observation: PathSample,
        relay: Option<Relay>,
        traffic: Option<Traffic>,
        raise: &mut Raise<'_>,
    ) {
        let before = self.course.ice.state();
        if observation.has_restarted && !self.restart_reported && self.course.is_known {
            self.record_restart(now, raise);
        }
        self.restart_reported = false;
        self.is_guess = observation.is_guess && !self.sources.is_reported();
        if let Some(traffic) = traffic
            && let Some(failure) = self.before_failure.take()
        {
            self.judge_failure(now, failure, observation, traffic, raise);
        }
        let is_first_state = !self.sources.has_stats();
        // What fills states that it does not know writes `new`.
        let is_filler = observation.state == Some(IceState::New)
            && traffic.is_some_and(|traffic| traffic.arrived || traffic.path_carried);
        let state = observation.state.filter(|_| !is_filler);
        self.sources.sample(now, state, observation.dtls, traffic);
        if state.is_some() && !self.sources.is_reported() {
            self.note_ice(now, true, raise);
        }
        self.update(now, true, raise);
        // What arrived before the first state of a path is not known: its counters appear with it.
        let is_new = self.before_failure.is_some() && self.sources.changed() == now;
        if is_new && !is_first_state && traffic.is_some_and(|traffic| self.is_silent(traffic)) {
            self.before_failure = None;
        }
        if let Some(traffic) = traffic {
            if state.is_some() {
                self.observed = now;
            }
            self.sampled = Some(now);
            if traffic.arrived || traffic.path_carried {
                self.carried = Some(now);
            }
        }
        if observation.has_switched && is_up(before) && is_up(self.course.ice.state()) {
            self.switches = self.switches.saturating_add(1);
            let switch = CallEvent::new(now, EventKind::FabricTransportSwitch);
            raise(CallEvent { relay, is_inferred: true, ..switch });
        }
    }

    /// Terminates the fabric. Returns whether it was still open.
    pub(crate) fn terminate(&mut self, now: Timestamp, raise: &mut Raise<'_>) -> bool {
        if self.terminated.is_some() {
            return false;
        }
        self.end(now);
        raise(CallEvent::new(now, EventKind::FabricTerminated));
        true
    }

    /// Ends the fabric because its user leaves.
    pub(crate) fn leave(&mut self, now: Timestamp) {
        if self.terminated.is_none() {
            self.end(now);
        }
    }

    /// Judges a failure by the traffic of a snapshot: nothing that arrived in the interval in which it was stated proves
    /// anything, and traffic in the next one refutes it.
    #[cold]
    fn judge_failure(
        &mut self,
        now: Timestamp,
        failure: Box<(Course, Timestamp)>,
        observation: PathSample,
        traffic: Traffic,
        raise: &mut Raise<'_>,
    ) {
        let has_restarted = observation.has_restarted || self.sources.restarts(observation.state);
        if self.is_silent(traffic) || has_restarted {
            return;
        }
        if self.sampled.is_none_or(|sampled| sampled < self.sources.changed()) {
            self.before_failure = Some(failure);
            return;
        }
        let (course, since) = *failure;
        self.course = course;
        self.sources.refute();
        self.refuted = self.refuted.saturating_add(1);
        let event = CallEvent::new(now, EventKind::StateRefuted);
        raise(CallEvent { delay_ms: Some(millis(since, now)), is_inferred: true, ..event });
    }

    /// Whether nothing that would refute a failure arrived in the interval of a snapshot; the first one has none.
    fn is_silent(&self, traffic: Traffic) -> bool {
        self.sampled.is_some() && !self.sources.is_refuted_by(traffic)
    }

    fn end(&mut self, now: Timestamp) {
        self.before_failure = None;
        self.note_disruption(now);
        self.note_loss(now);
        self.terminated = Some(now);
    }

    /// Takes an error that the application reports. Returns whether it made the set-up fail.
    pub(crate) fn fail(
        &mut self,
        now: Timestamp,
        function: WebRtcFunction,
        reason: FailureReason,
        raise: &mut Raise<'_>,
    ) -> bool {
        if function.fails_setup() && !self.course.ice.is_set_up() && self.course.failure.is_none() {
            self.fail_setup(now, reason, false, raise);
            return true;
        }
        let kind = match function {
            _ if function.is_log() => EventKind::ApplicationErrorLog,
            WebRtcFunction::IceConnectionFailure if self.course.ice.state() != IceState::Failed => EventKind::IceFailed,
            _ => EventKind::WebRtcError,
        };
        let event = CallEvent::new(now, kind);
        raise(CallEvent { reason: (!function.is_log()).then_some(reason), ..event });
        if kind == EventKind::IceFailed && self.course.ice.is_set_up() {
            self.sources.fail(now);
            self.update(now, false, raise);
        }
        false
    }

    fn close(&mut self, now: Timestamp, raise: &mut Raise<'_>) {
        if self.course.ice.state() != IceState::Closed {
            self.show_ice(now, IceState::Closed, false, raise);
            self.enter(now, IceState::Closed, FailureReason::IceConnectionFailure, false, raise);
        }
        self.terminate(now, raise);
    }

    /// Records an ICE restart without a change of state: there are new credentials, and packets flow on the old path
    /// until there is a better one.
    fn record_restart(&mut self, now: Timestamp, raise: &mut Raise<'_>) {
        let before = self.course.ice.state();
        if before == IceState::New {
            return;
        }
        self.course.ice.transition(IceState::New);
        self.course.ice.transition(before);
        self.restarts = self.restarts.saturating_add(1);
        raise(CallEvent { is_inferred: true, ..CallEvent::new(now, EventKind::IceRestarted) });
    }

    /// Raises a change of the ICE state.
    fn show_ice(&mut self, now: Timestamp, to: IceState, is_inferred: bool, raise: &mut Raise<'_>) {
        let before = core::mem::replace(&mut self.shown_ice, to);
        if before != to {
            let change = Some(StateChange::Ice(before, to));
            raise(CallEvent { change, is_inferred, ..CallEvent::new(now, EventKind::FabricStateChange) });
        }
    }

    /// Shows the ICE state, and notes when ICE and its checks began.
    fn note_ice(&mut self, now: Timestamp, is_inferred: bool, raise: &mut Raise<'_>) {
        let Some(to) = self.sources.ice() else { return };
        self.show_ice(now, to, is_inferred, raise);
        if to == IceState::New {
            self.ice_began = Some(now);
        }
        if to == IceState::Checking && self.checks_began.is_none() {
            self.checks_began = Some(now);
        }
    }

    /// Enters the state that the sources show, unless the fabric has ended.
    fn update(&mut self, now: Timestamp, is_inferred: bool, raise: &mut Raise<'_>) {
        if let Some((to, reason)) = self.sources.state(now)
            && self.terminated.is_none_or(|terminated| terminated >= now)
        {
            match (is_over(self.course.ice.state()), is_over(to)) {
                (false, true) if to == IceState::Failed || !self.sources.is_reported() => {
                    self.before_failure = Some(Box::new((self.course, now)));
                }
                (true, true) => {}
                _ => self.before_failure = None,
            }
            self.enter(now, to, reason, is_inferred, raise);
        }
    }

    fn enter(&mut self, now: Timestamp, to: IceState, reason: FailureReason, is_inferred: bool, raise: &mut Raise<'_>) {
        let is_first = !core::mem::replace(&mut self.course.is_known, true);
        let hung = core::mem::replace(&mut self.course.hung, is_up(to) && self.sources.hangs());
        if hung && !self.course.hung {
            self.course.lost_since =
                self.course.lost_since.or(self.checks_began.filter(|_| self.slow_checks_ms(now).is_some()));
        }
        if to == IceState::Closed || is_up(to) && !self.course.hung {
            self.note_loss(now);
        }
        if to == IceState::Failed && self.hangs() {
            self.course.ice.withdraw();
            (self.course.setup, self.course.disrupted_since) = (None, None);
        }
        let events = self.course.ice.transition(to);
        for change in events {
            let mut event = CallEvent { is_inferred, ..CallEvent::new(now, EventKind::IceFailed) };
            event.kind = match change {
                IceEvent::Setup => {
                    let setup = self.set_up(now, is_first, is_inferred);
                    event.delay_ms = setup.delay_ms;
                    EventKind::FabricSetup
                }
                IceEvent::DisruptionStart => {
                    self.course.disrupted_since = Some(now);
                    self.course.disruptions = self.course.disruptions.saturating_add(1);
                    EventKind::IceDisruptionStart
                }
                IceEvent::ConnectionDisruptionStart => {
                    self.course.checks_disrupted_since = Some(now);
                    EventKind::IceConnectionDisruptionStart
                }
                IceEvent::DisruptionEnd => {
                    event.delay_ms = self.note_disruption(now);
                    EventKind::IceDisruptionEnd
                }
                IceEvent::ConnectionDisruptionEnd => {
                    event.delay_ms = self.course.checks_disrupted_since.take().map(|since| millis(since, now));
                    EventKind::IceConnectionDisruptionEnd
                }
                IceEvent::Restarted => {
                    self.restarts = self.restarts.saturating_add(1);
                    EventKind::IceRestarted
                }
                IceEvent::Failed => {
                    event.reason = Some(reason);
                    EventKind::IceFailed
                }
                IceEvent::Dropped => {
                    self.course.drops = self.course.drops.saturating_add(1);
                    event.reason = Some(reason);
                    event.delay_ms = self.course.disrupted_since.map(|since| millis(since, now));
                    EventKind::FabricDropped
                }
                IceEvent::Aborted => EventKind::IceAborted,
                IceEvent::Terminated => EventKind::IceTerminated,
            };
            raise(event);
        }
        match to {
            IceState::Connected | IceState::Completed => self.course.is_down = false,
            IceState::Disconnected if self.course.ice.is_disrupted() => self.begin_loss(now),
            IceState::Failed => {
                self.begin_loss(now);
                if self.course.ice.is_set_up() {
                    self.course.is_down = true;
                } else if self.course.failure.is_none() {
                    self.fail_setup(now, reason, is_inferred, raise);
                }
            }
            _ => {}
        }
        if matches!(to, IceState::Failed | IceState::Closed) {
            self.note_disruption(now);
        }
    }

    /// Notes that the connection is lost: since the last traffic, if a later snapshot showed none; before a set-up,
    /// since the first checks.
    fn begin_loss(&mut self, now: Timestamp) {
        let since = if self.course.ice.is_set_up() {
            self.carried.filter(|&carried| self.sampled > Some(carried))
        } else {
            self.checks_began
        };
        self.course.lost_since = self.course.lost_since.or(Some(since.unwrap_or(now)));
    }

    /// Adds a current loss to the sum.
    fn note_loss(&mut self, now: Timestamp) {
        // The cast saturates.
        let micros = (self.lost_ms(now).unwrap_or(0.0) * 1e3) as u64;
        self.course.lost_micros = self.course.lost_micros.saturating_add(micros);
        self.course.lost_since = None;
    }

    fn set_up(&mut self, now: Timestamp, is_first: bool, is_inferred: bool) -> Setup {
        // Connected before the first snapshot.
        let was_before = is_inferred && is_first && now == self.opened;
        let delay_ms = Some(millis(self.opened, now)).filter(|_| self.is_opening_known && !was_before);
        let until = if is_inferred { self.observed } else { now };
        let setup = Setup {
            delay_ms,
            checks_ms: self.checks_began.map(|began| millis(began, until)),
            uncertainty_ms: delay_ms.map(|_| if is_inferred { millis(self.observed, now) } else { 0.0 }),
            connectivity_ms: self.ice_began.map(|began| millis(began, now)).filter(|_| !was_before),
        };
        self.course.setup = Some(setup);
        setup
    }

    fn fail_setup(&mut self, now: Timestamp, reason: FailureReason, is_inferred: bool, raise: &mut Raise<'_>) {
        let delay_ms = Some(millis(self.opened, now)).filter(|_| self.is_opening_known);
        self.course.failure = Some((delay_ms, reason));
        self.course.failed_checks_ms = self.checks_began.map(|began| millis(began, now));
        let event = CallEvent::new(now, EventKind::FabricSetupFailed);
        raise(CallEvent { delay_ms, reason: Some(reason), is_inferred, ..event });
    }

    /// Adds a current disruption of media to the sum, and returns its length.
    fn note_disruption(&mut self, now: Timestamp) -> Option<f64> {
        let since = self.course.disrupted_since.take()?;
        self.course.disrupted_micros = self.course.disrupted_micros.saturating_add(now.micros_since(since));
        Some(millis(since, now))
    }
}

fn raise_change(now: Timestamp, change: StateChange, raise: &mut Raise<'_>) {
    raise(CallEvent { change: Some(change), ..CallEvent::new(now, EventKind::FabricStateChange) });
}

fn millis(from: Timestamp, to: Timestamp) -> f64 {
    to.micros_since(from) as f64 / 1e3
}
