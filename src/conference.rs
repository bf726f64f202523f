//! One call with its fabrics, users and events. The module coordinates them; other modules compute the figures.

#[cfg(feature = "serde")]
pub(crate) mod checkpoint;
mod edits;
mod error;
mod feedback;
mod inputs;
mod log;
mod roster;
mod speakers;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

#[cfg(feature = "serde")]
pub use checkpoint::Checkpoint;
pub use edits::FabricMut;
pub use error::InputError;
pub use feedback::{Feedback, FeedbackRating};
pub(crate) use log::StoredFeedback;
pub(crate) use speakers::Attribution;

#[cfg(feature = "serde")]
pub use crate::checkpoint::RestoreError;
use crate::config::Config;
use crate::diagnosis::Diagnosis;
use crate::event::{CallEvent, Event, EventKind, EventQueue, PackedEvents};
use crate::fabric::{Fabric, FabricSpec, Usage};
use crate::id::{FabricId, UserId};
use crate::report::Report;
use crate::unit::{StatTime, Timestamp};
use log::Log;
use roster::{End, Roster};

/// One call instance.
///
/// It has four kinds of methods: getters; inputs ([`open_fabric`](Self::open_fabric), [`ingest`](Self::ingest),
/// [`send_event`](Self::send_event), [`handle_timeout`](Self::handle_timeout) …), which take the caller's clock; edits
/// ([`fabric`](Self::fabric), [`rename`](Self::rename)), which do not; and [`poll_event`](Self::poll_event) and
/// [`poll_timeout`](Self::poll_timeout), which may be called at any time, or never: the queue is bounded, drops its
/// oldest events and reports that. [`crate::fabric`] describes the lifecycle of a fabric.
///
/// An instance begins with its first fabric. It ends when all but one of several endpoints have terminated, when all
/// have left, or after [`Config::inactivity_timeout`] without input. Input at the moment of the end still belongs to it; later
/// input is refused with [`InputError::Ended`] and belongs to the [`next_instance`](Self::next_instance).
///
/// ```
/// use callgauge::ingest::getstats::Scanner;
/// use callgauge::report::Report;
/// use callgauge::unit::Timestamp;
/// use callgauge::{Conference, Config, FabricSpec};
///
/// let mut call = Conference::new("AliceAndBob", Config::new());
/// let fabric = call.open_fabric(Timestamp::from_millis(0), FabricSpec::new("pc-1"))?;
/// let (mut scanner, mut report) = (Scanner::new(), Report::new());
/// for second in 0..=10_u64 {
///     let text = format!(
///         r#"[{{"id":"I","timestamp":{},"type":"inbound-rtp","kind":"audio","ssrc":7,"bytesReceived":{},
///             "packetsReceived":{},"packetsLost":{}}}]"#,
///         second * 1000, second * 4000, second * 49, second,
///     );
///     scanner.read(text.as_bytes(), &mut report)?;
///     call.ingest(Timestamp::from_millis(second * 1000), fabric, &report)?;
/// }
/// let summary = call.summary();
/// let stream = &summary.fabrics[0].streams[0];
/// assert_eq!(stream.bitrate_bps, Some(32_000.0));
/// assert_eq!(stream.loss_ratio, Some(0.02));
/// assert_eq!(stream.rtt_ms.mean, None); // no report contains one
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Conference {
    pub(crate) name: Option<String>,
    pub(crate) config: Config,
    pub(crate) instance: u32,
    pub(crate) fabrics: Vec<Fabric>,
    pub(crate) roster: Roster,
    pub(crate) log: Log,
    pub(crate) out: EventQueue,
    pub(crate) now: Option<Timestamp>,
    /// The end, as soon as it is known; it is settled when time has advanced.
    pub(crate) end: Option<End>,
    pub(crate) is_settled: bool,
    /// The fabric whose application last reported itself as the dominant speaker.
    pub(crate) dominant: Option<FabricId>,
    /// The speaker attribution, once there is audio to attribute.
    pub(crate) attribution: Option<Box<Attribution>>,
    pub(crate) usage: Usage,
}

impl Conference {
    /// Creates a conference with a name; an empty name is none. The caller chooses the name, which is stored whole at
    /// any length.
    #[must_use]
    pub fn new(name: &str, config: Config) -> Self {
        Self {
            name: (!name.is_empty()).then(|| name.into()),
            config,
            instance: 1,
            fabrics: Vec::new(),
            roster: Roster::default(),
            log: Log::default(),
            out: EventQueue::default(),
            now: None,
            end: None,
            is_settled: false,
            dominant: None,
            attribution: None,
            usage: Usage::default(),
        }
    }

    /// The next instance of a conference that is over. It has the same name and the same users, none of whom has joined
    /// yet. Ids of users stay valid, ids of fabrics do not.
    #[must_use]
    pub fn next_instance(&self) -> Self {
        let mut roster = Roster::default();
        for user in &self.roster.users {
            roster.add(&user.name);
        }
        let name = self.name.as_deref().unwrap_or("");
        Self { instance: self.instance.saturating_add(1), roster, ..Self::new(name, self.config.clone()) }
    }

    /// The number of this instance: 1, plus one for each earlier instance of the same name.
    #[must_use]
    pub const fn instance(&self) -> u32 {
        self.instance
    }

    /// The latest time of any input; `None` before the first.
    #[must_use]
    pub const fn clock(&self) -> Option<Timestamp> {
        self.now
    }

    /// The user of this name; adds one if there is none. A named user has not necessarily joined: opening a fabric, or
    /// [`join`](Self::join), joins.
    ///
    /// Cost: linear in the number of users.
    ///
    /// # Errors
    /// [`InputError::InvalidName`]; [`InputError::LimitReached`] at [`Limits::users`](crate::Limits::users).
    pub fn user(&mut self, name: &str) -> Result<UserId, InputError> {
        self.check_name(name)?;
        if let Some(user) = self.roster.find(name) {
            return Ok(user);
        }
        if self.roster.users.len() >= self.config.limits().users() {
            return Err(InputError::LimitReached);
        }
        self.roster.add(name).ok_or(InputError::LimitReached)
    }

    /// The user of this name; `None` if there is none. Cost: linear in the number of users.
    #[must_use]
    pub fn find_user(&self, name: &str) -> Option<UserId> {
        self.roster.find(name)
    }

    /// The name of a user.
    #[must_use]
    pub fn user_name(&self, user: UserId) -> Option<&str> {
        self.roster.get(user).map(|user| &*user.name)
    }

    /// Opens a fabric (`addNewFabric`). Its snapshots can be ingested from now on, its setup delay counts from now, and
    /// its local user joins.
    ///
    /// A second opening of the same fabric changes nothing and returns an error. Two fabrics are the same if their
    /// names and both users are equal, the local user is known and neither is terminated. Without a local user, two
    /// fabrics of one name are two.
    ///
    /// A user that reconnects opens the new fabric before terminating the old one, or at the same `now`: a call whose
    /// last user has no fabric left is over, and later input is refused as [`InputError::Ended`], unless
    /// [`Config::with_reopening`](crate::Config::with_reopening) cancels the end. The same holds after an [inactivity
    /// timeout](crate::Config::with_inactivity_timeout).
    ///
    /// # Errors
    /// [`InputError::AlreadyOpen`]; [`InputError::TimeWentBackwards`] if `now` is before an earlier input's;
    /// [`InputError::InvalidName`] for a name that is too long; [`InputError::UnknownUser`]; [`InputError::Ended`];
    /// [`InputError::LimitReached`] at [`Limits::fabrics`](crate::Limits::fabrics). An error changes nothing, not even
    /// the clock.
    pub fn open_fabric(&mut self, now: Timestamp, spec: FabricSpec) -> Result<FabricId, InputError> {
        self.check_clock(now)?;
        self.check_end(now)?;
        self.check_users([spec.local_user, spec.remote_user].into_iter().flatten())?;
        if spec.name().len() > self.config.limits().name_bytes() {
            return Err(InputError::InvalidName);
        }
        if self.find_fabric(&spec).is_some() {
            return Err(InputError::AlreadyOpen);
        }
        let index = u32::try_from(self.fabrics.len()).map_err(|_| InputError::LimitReached)?;
        if self.fabrics.len() >= self.config.limits().fabrics() {
            return Err(InputError::LimitReached);
        }
        let (id, user) = (FabricId(index), spec.local_user);
        self.touch(now, user);
        if !spec.opened_before {
            let opened = CallEvent::new(now, EventKind::FabricOpened);
            self.out.raise(self.config.limits(), CallEvent { fabric: Some(id), user, ..opened });
        }
        self.fabrics.push(Fabric::new(id, now, spec));
        Ok(id)
    }

    /// Sets the time of a fabric's opening, which was unknown, if nothing but states of it came before.
    pub(crate) fn set_opening(&mut self, now: Timestamp, id: FabricId) -> Result<(), InputError> {
        let fabric = self.fabrics.get_mut(id.index()).ok_or(InputError::UnknownFabric)?;
        if fabric.snapshots == 0 {
            fabric.lifecycle.set_opening(now);
        }
        Ok(())
    }

    /// The open fabric of this name and these users.
    #[must_use]
    pub fn find_fabric(&self, spec: &FabricSpec) -> Option<FabricId> {
        let mut open = self.fabrics.iter().filter(|fabric| fabric.lifecycle.terminated.is_none());
        open.find(|fabric| fabric.spec.is_same(spec)).map(Fabric::id)
    }

    /// The local user of a fabric, which reports on it; `None` if not given.
    #[must_use]
    pub fn local_user(&self, fabric: FabricId) -> Option<UserId> {
        self.fabrics.get(fabric.index())?.spec.local_user
    }

    /// The remote user of a fabric; `None` if not given.
    #[must_use]
    pub fn remote_user(&self, fabric: FabricId) -> Option<UserId> {
        self.fabrics.get(fabric.index())?.spec.remote_user
    }

    /// The name of a fabric.
    #[must_use]
    pub fn fabric_name(&self, fabric: FabricId) -> Option<&str> {
        Some(self.fabrics.get(fabric.index())?.spec.name())
    }

    /// A diagnosis of this call in words, with the name of its user, or of its fabric without one, and with times since
    /// the start of the call. See [`Diagnosis::sentence`].
    ///
    /// Cost: linear in streams.
    ///
    /// ```
    /// use callgauge::{Conference, Config, Event};
    ///
    /// let mut call = Conference::new("AliceAndBob", Config::new());
    /// // Snapshots are ingested here.
    /// while let Some(event) = call.poll_event() {
    ///     if let Event::DiagnosisRaised { diagnosis, .. } = event {
    ///         println!("{}", call.sentence(&diagnosis)); // bob's uplink lost 10 % of packets, since 0:08
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn sentence(&self, diagnosis: &Diagnosis) -> String {
        let user = diagnosis.user.or_else(|| self.local_user(diagnosis.fabric));
        let name = user.and_then(|user| self.user_name(user)).or_else(|| self.fabric_name(diagnosis.fabric));
        let who = name.filter(|name| !name.is_empty()).unwrap_or("an unnamed user");
        let start = self.fabrics.iter().filter_map(|fabric| Some(fabric.span()?.0)).min();
        diagnosis.sentence(who, start.map_or(0.0, StatTime::as_millis))
    }

    /// Takes a snapshot of a fabric. `now` is the caller's clock, which stamps the arrival: figures come from the
    /// timestamps inside the report. The same `now` may be repeated. Where it advances, it settles whether the
    /// reporter's clock stepped, is in another unit or is wild ([`crate::fabric`], Clocks).
    ///
    /// Cost: linear in the number of entries of the report. Once every stream has been seen and events are drained,
    /// nothing is allocated, except for: lists of events in a call, which double (turns, diagnoses, the timeline);
    /// distributions with values in new cells, up to [`Limits::digest_cells`](crate::Limits::digest_cells) cells each;
    /// and indices of a report with more than 1 024 entries, which are not retained.
    ///
    /// # Errors
    /// [`InputError::TimeWentBackwards`], [`InputError::UnknownFabric`], [`InputError::Terminated`],
    /// [`InputError::Ended`]; an error changes nothing. Odd data inside the report is no error: the summary counts
    /// duplicates, late samples and streams beyond the limit; [`Report::skipped`] counts what a reader or
    /// [`EntryMut::set`](crate::report::EntryMut::set) left out.
    pub fn ingest(&mut self, now: Timestamp, id: FabricId, report: &Report) -> Result<(), InputError> {
        self.accept(now, id)?;
        if let Some(fabric) = self.fabrics.get_mut(id.index()) {
            fabric.ingest(now, report, &self.config, &mut self.usage, &mut self.out);
            fabric.trim();
        }
        self.take_levels(now, id);
        Ok(())
    }

    /// The next event, oldest first; `None` if there is none. The result may change after any input. Allocates nothing.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.out.poll()
    }

    /// Whether an event waits to be polled.
    pub(crate) fn has_event(&self) -> bool {
        self.out.has_event()
    }

    /// Takes an empty queue that the caller owns, unless the conference has one: many conferences then share one queue.
    pub(crate) fn borrow_queue(&mut self, spare: &mut PackedEvents) {
        self.out.borrow_queue(spare);
    }

    /// Returns the queue if it is empty.
    pub(crate) fn return_queue(&mut self, spare: &mut PackedEvents) {
        self.out.return_queue(spare);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); `None` while no participant is present. The result may
    /// change after any input. Cost: linear in the number of users.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        if self.is_settled {
            return None;
        }
        let end = self.end.map(|end| end.at);
        let deadline = self.roster.next_deadline(self.config.inactivity_micros());
        end.into_iter().chain(deadline).chain(deadline.and(self.silent_at())).min()
    }

    /// Accepts an input about a fabric: advances the clock and marks the local user as active.
    fn accept(&mut self, now: Timestamp, id: FabricId) -> Result<(), InputError> {
        let fabric = self.check_entry(now, id)?;
        let (user, is_open) = (fabric.spec.local_user, fabric.lifecycle.terminated.is_none());
        self.now = Some(now);
        if is_open {
            self.touch(now, user);
        }
        Ok(())
    }

    /// Checks whether an input about a fabric is acceptable.
    fn check_entry(&self, now: Timestamp, id: FabricId) -> Result<&Fabric, InputError> {
        self.check_clock(now)?;
        let fabric = self.fabrics.get(id.index()).ok_or(InputError::UnknownFabric)?;
        self.check_end(now)?;
        if fabric.lifecycle.terminated.is_some_and(|terminated| terminated < now) && !self.config.reopens() {
            return Err(InputError::Terminated);
        }
        Ok(fabric)
    }

    /// Advances the clock and marks a user, or the unnamed reporters, as active.
    fn touch(&mut self, now: Timestamp, user: Option<UserId>) {
        let limits = self.config.limits();
        self.now = Some(now);
        if self.roster.touch(now, user, limits) {
            self.out.raise(limits, CallEvent { user, ..CallEvent::new(now, EventKind::UserJoined) });
        }
        if self.end.is_some() {
            // At the moment of the end, or reopened by the configuration.
            (self.end, self.is_settled) = (self.roster.end(), false);
        }
    }

    fn check_clock(&self, now: Timestamp) -> Result<(), InputError> {
        if self.now.is_some_and(|before| now < before) { Err(InputError::TimeWentBackwards) } else { Ok(()) }
    }

    fn check_end(&self, now: Timestamp) -> Result<(), InputError> {
        let is_over = self.end.is_some_and(|end| self.is_settled || end.at < now);
        if is_over && !self.config.reopens() { Err(InputError::Ended) } else { Ok(()) }
    }

    fn check_users(&self, users: impl IntoIterator<Item = UserId>) -> Result<(), InputError> {
        let are_known = users.into_iter().all(|user| self.roster.get(user).is_some());
        if are_known { Ok(()) } else { Err(InputError::UnknownUser) }
    }

    fn check_name(&self, name: &str) -> Result<(), InputError> {
        let fits = (1..=self.config.limits().name_bytes()).contains(&name.len());
        if fits { Ok(()) } else { Err(InputError::InvalidName) }
    }
}
