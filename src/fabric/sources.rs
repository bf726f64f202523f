//! The sources of a connection's state, and how they combine. It raises no events and keeps no delays.
//!
//! These sources state the connection: the application's ICE state, its connection state, its DTLS state, and stats (ICE
//! and DTLS of the transports in use, otherwise candidate pairs). Traffic is evidence besides. They disagree in
//! practice: Chromium's log often ends with ICE `disconnected` while only the connection state is `failed`; ICE is
//! connected while DTLS hangs or failed; stacks fill states that they do not know. This is the order, from the
//! strongest:
//!
//! 1. **Arrived traffic.** Media or data that arrived, or bytes that came back while media were sent, in an interval that
//!    began after the last change of any source: connected, whatever the sources state, for [`FLOW_MS`]; only `closed`
//!    stands if the application itself reports it. Bytes on the selected pair alone refute only a state of ICE: a pair
//!    carries bytes without DTLS, too.
//! 2. **The worst failure.** Failed, if the connection state, DTLS (reported or in stats), or ICE failed. A failed
//!    connection state counts until it changes, until ICE starts over (`new`, `checking`), or until ICE is connected
//!    again after it was not.
//! 3. **ICE**, as the application reports it; otherwise the connection state; otherwise stats. An application that
//!    reports a state later than stats overrides them from then on.
//! 4. **DTLS.** ICE alone is no set-up if a source shows that DTLS is pending (connection state `connecting`, DTLS `new`
//!    or `connecting`) and nothing ever showed that it was up (connection state `connected`, DTLS `connected`,
//!    media sent or received). The set-up counts from ICE, and is withdrawn while DTLS hangs and when it fails.
//!
//! **A failure that traffic refutes never was.** A failure counts at once, because nothing may follow it: an application
//! closes a failed connection. Bytes that arrived in the interval in which it was shown may have come before it and
//! prove nothing; the next interval began after it. If traffic arrived in both, the connection went on: drop, failed
//! set-up, lost time and diagnosis are withdrawn, and `stateRefuted` says so. If nothing arrived in one of the two, or
//! the application changed the state or ICE started over in between, the failure stands, and traffic that arrives later
//! is a connection that came back. The same holds for `closed` in stats.

use crate::event::{ConnectionState, DtlsState, FailureReason, IceState};
use crate::unit::Timestamp;

/// How long arrived traffic proves a path, ms: the longest time between two packets of a path at rest (consent checks
/// every 5 s in Firefox, RFC 7675), and a sample.
const FLOW_MS: f64 = 7_000.0;

/// The progress of DTLS. Of several transports the greater counts: a closed one never hides an open one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Dtls {
    Closed,
    Up,
    Pending,
    Failed,
}

/// The traffic since the previous snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// Media or data arrived.
    pub(crate) arrived: bool,
    /// Media were sent.
    pub(crate) was_sent: bool,
    /// Something arrived over the selected pair of a path: bytes, or an answer to a check.
    pub(crate) path_carried: bool,
    /// Bytes arrived over the selected pair of a path.
    pub(crate) path_bytes: bool,
}

impl Traffic {
    /// Whether packets passed that need DTLS: media or data arrived, or media were sent while bytes came back.
    const fn flows(self) -> bool {
        self.arrived || self.was_sent && self.path_bytes
    }
}

/// The latest state by each source.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Sources {
    ice: Option<IceState>,
    /// Whether it was ever connected.
    was_ice_up: bool,
    connection: Option<ConnectionState>,
    /// The connection state is from before ICE started over.
    is_connection_stale: bool,
    /// The state by stats.
    stats: Option<IceState>,
    dtls: Option<Dtls>,
    /// Whether the application reports DTLS: stats then only add a failure.
    is_dtls_reported: bool,
    /// Whether a source ever showed that DTLS was pending or failed, and that it was up.
    was_pending: bool,
    was_up: bool,
    /// When any source last changed.
    changed: Timestamp,
    /// Traffic refuted the failure that the sources have stated since.
    is_refuted: bool,
    /// The previous snapshot.
    sampled: Option<Timestamp>,
    /// When traffic last flowed, and bytes of the pair last arrived, in an interval without a change.
    arrived: Option<Timestamp>,
    path_arrived: Option<Timestamp>,
}

impl Dtls {
    pub(crate) const fn of(state: DtlsState) -> Self {
        match state {
            DtlsState::New | DtlsState::Connecting => Self::Pending,
            DtlsState::Connected => Self::Up,
            DtlsState::Failed => Self::Failed,
            DtlsState::Closed => Self::Closed,
        }
    }
}

/// The state of a transport, in the words of ICE, from its ICE and its DTLS. Without DTLS no packet can flow: while DTLS
/// is being set up, ICE counts as checking, and a failure of DTLS as one of ICE. `None` if neither is known.
pub(crate) const fn state_of_transport(ice: Option<IceState>, dtls: Option<Dtls>) -> Option<IceState> {
    match (ice, dtls) {
        (Some(IceState::Failed), _) | (_, Some(Dtls::Failed)) => Some(IceState::Failed),
        (_, Some(Dtls::Closed)) => Some(IceState::Closed),
        (Some(IceState::Connected | IceState::Completed) | None, Some(Dtls::Pending)) => Some(IceState::Checking),
        (None, Some(Dtls::Up)) => Some(IceState::Connected),
        (ice, _) => ice,
    }
}

impl Sources {
    pub(crate) const fn new(opened: Timestamp) -> Self {
        Self {
            ice: None,
            was_ice_up: false,
            connection: None,
            is_connection_stale: false,
            stats: None,
            dtls: None,
            is_dtls_reported: false,
            was_pending: false,
            was_up: false,
            changed: opened,
            is_refuted: false,
            sampled: None,
            arrived: None,
            path_arrived: None,
        }
    }

    /// Whether the application reports a state, which stats do not replace.
    pub(crate) const fn is_reported(&self) -> bool {
        self.ice.is_some() || self.connection.is_some()
    }

    /// Whether stats ever showed a state.
    pub(crate) const fn has_stats(&self) -> bool {
        self.stats.is_some() || self.dtls.is_some() && !self.is_dtls_reported
    }

    /// Whether the application reports the ICE state.
    pub(crate) const fn is_ice_reported(&self) -> bool {
        self.ice.is_some()
    }

    /// The latest connection state that the application reported.
    pub(crate) const fn connection(&self) -> Option<ConnectionState> {
        self.connection
    }

    /// The ICE state by the application, otherwise by its connection state, otherwise by stats: what a change of the
    /// ICE state shows.
    pub(crate) fn ice(&self) -> Option<IceState> {
        self.ice.or_else(|| self.connection.map(ice_of_connection)).or(self.stats)
    }

    pub(crate) fn set_ice(&mut self, now: Timestamp, to: IceState) {
        let is_back = is_up(to) && !self.ice.is_some_and(is_up);
        self.is_connection_stale |= is_back || matches!(to, IceState::New | IceState::Checking);
        self.was_ice_up |= is_up(to);
        if self.ice.replace(to) != Some(to) {
            self.change(now);
        }
    }

    pub(crate) fn set_connection(&mut self, now: Timestamp, to: ConnectionState) {
        self.is_connection_stale = false;
        self.was_pending |= to == ConnectionState::Connecting;
        self.was_up |= to == ConnectionState::Connected;
        if self.connection.replace(to) != Some(to) {
            self.change(now);
        }
    }

    /// Takes the state of DTLS that the application reports; a closed one says nothing of the connection, which reports
    /// its own end.
    pub(crate) fn set_dtls(&mut self, now: Timestamp, to: DtlsState) {
        let to = Dtls::of(to);
        if to == Dtls::Closed {
            return;
        }
        self.is_dtls_reported = true;
        self.note_dtls(to);
        if self.dtls.replace(to) != Some(to) {
            self.change(now);
        }
    }

    /// Takes an error by which the application reports that ICE failed: as if the source that states ICE said so.
    pub(crate) fn fail(&mut self, now: Timestamp) {
        match (self.ice, self.connection) {
            (None, None) => self.stats = Some(IceState::Failed),
            (None, Some(_)) => self.connection = Some(ConnectionState::Failed),
            (Some(_), _) => self.ice = Some(IceState::Failed),
        }
        self.change(now);
    }

    fn note_dtls(&mut self, dtls: Dtls) {
        self.was_pending |= matches!(dtls, Dtls::Pending | Dtls::Failed);
        self.was_up |= dtls == Dtls::Up;
    }

    /// Takes a snapshot: the states in it, `None` where it shows none, and the traffic since the previous one; `None` if
    /// no time passed between the two.
    pub(crate) fn sample(
        &mut self,
        now: Timestamp,
        ice: Option<IceState>,
        dtls: Option<Dtls>,
        traffic: Option<Traffic>,
    ) {
        let dtls = dtls.filter(|&dtls| !self.is_dtls_reported || dtls == Dtls::Failed);
        // A change that this snapshot shows happened after the previous one.
        let is_new = ice.is_some() && ice != self.stats || dtls.is_some() && dtls != self.dtls;
        let is_quiet = !is_new && self.sampled.is_some_and(|sampled| sampled >= self.changed);
        self.stats = ice.or(self.stats);
        self.dtls = dtls.or(self.dtls);
        dtls.into_iter().for_each(|dtls| self.note_dtls(dtls));
        self.was_up |= traffic.is_some_and(|traffic| traffic.arrived || traffic.was_sent);
        if is_new && (dtls == Some(Dtls::Failed) || !self.is_reported()) {
            self.change(now);
        }
        let Some(traffic) = traffic else { return };
        self.sampled = Some(now);
        if is_quiet && traffic.flows() {
            self.arrived = Some(now);
        }
        if is_quiet && traffic.path_bytes {
            self.path_arrived = Some(now);
        }
    }

    /// When any source last changed.
    pub(crate) const fn changed(&self) -> Timestamp {
        self.changed
    }

    /// Whether traffic contradicts that the connection is down as the sources state it.
    pub(crate) fn is_refuted_by(&self, traffic: Traffic) -> bool {
        traffic.flows() || self.is_of_ice() && traffic.path_bytes
    }

    /// Whether a snapshot that shows this ICE state shows that ICE has started over.
    pub(crate) fn restarts(&self, ice: Option<IceState>) -> bool {
        matches!(ice, Some(IceState::New | IceState::Checking)) && ice != self.stats
    }

    /// Whether DTLS has no part in what the sources state.
    fn is_of_ice(&self) -> bool {
        let is_of_dtls = matches!(self.dtls, Some(Dtls::Failed | Dtls::Closed)) || self.hangs();
        !(is_of_dtls || self.has_failed() && self.ice.is_some_and(is_up))
    }

    /// Whether the connection state is a failure that counts.
    fn has_failed(&self) -> bool {
        self.connection == Some(ConnectionState::Failed) && !self.is_connection_stale
    }

    /// Notes that traffic refuted the failure that the sources state: it is not believed again until one changes.
    pub(crate) const fn refute(&mut self) {
        self.is_refuted = true;
    }

    fn change(&mut self, now: Timestamp) {
        (self.changed, self.is_refuted) = (now, false);
        (self.arrived, self.path_arrived) = (None, None);
    }

    /// The state of the connection at `now`, in the words of ICE, and the reason if it failed. `None` until a source
    /// states it.
    pub(crate) fn state(&self, now: Timestamp) -> Option<(IceState, FailureReason)> {
        let ice = self.ice();
        let is_closed = ice == Some(IceState::Closed);
        let has_failed = self.has_failed();
        let is_dtls_failed = self.dtls == Some(Dtls::Failed);
        let is_ice_up = self.ice.is_some_and(is_up);
        let flows = is_recent(self.arrived, now) || self.is_of_ice() && is_recent(self.path_arrived, now);
        let is_proved = flows || self.is_refuted;
        if is_proved && (ice.is_some() || is_dtls_failed) && !(is_closed && self.is_reported()) {
            return Some((IceState::Connected, FailureReason::IceConnectionFailure));
        }
        let reason = if is_dtls_failed || has_failed && (is_ice_up || self.was_ice_up && self.hangs()) {
            FailureReason::TransportFailure
        } else {
            FailureReason::IceConnectionFailure
        };
        let state = if (has_failed || is_dtls_failed) && !is_closed { Some(IceState::Failed) } else { ice };
        state.map(|state| (state, reason))
    }

    /// Whether DTLS was pending or failed, and was never up.
    pub(crate) const fn hangs(&self) -> bool {
        self.was_pending && !self.was_up
    }
}

/// The ICE state that corresponds to a connection state.
const fn ice_of_connection(connection: ConnectionState) -> IceState {
    match connection {
        ConnectionState::New => IceState::New,
        ConnectionState::Connecting => IceState::Checking,
        ConnectionState::Connected => IceState::Connected,
        ConnectionState::Disconnected => IceState::Disconnected,
        ConnectionState::Failed => IceState::Failed,
        ConnectionState::Closed => IceState::Closed,
    }
}

pub(crate) const fn is_up(state: IceState) -> bool {
    matches!(state, IceState::Connected | IceState::Completed)
}

/// Whether a connection in this state has come to an end.
pub(crate) const fn is_over(state: IceState) -> bool {
    matches!(state, IceState::Failed | IceState::Closed)
}

fn is_recent(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| (now.micros_since(at) as f64) < FLOW_MS * 1e3)
}
