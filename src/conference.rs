//! One call: its fabrics, their streams, and what they come to. This room wires; figures are made elsewhere.

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
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

#[cfg(feature = "serde")]
pub use checkpoint::Checkpoint;
pub use edits::FabricMut;
pub use error::InputError;
pub use feedback::{Feedback, FeedbackRating};
pub(crate) use log::StoredFeedback;
pub(crate) use speakers::AttributedSpeaker;

#[cfg(feature = "serde")]
pub use crate::checkpoint::RestoreError;
use crate::config::Config;
use crate::event::EventQueue;
use crate::event::{CallEvent, Event, EventKind};
use crate::fabric::{Fabric, FabricSpec, Usage};
use crate::id::{FabricId, UserId};
use crate::report::Report;
use crate::unit::Timestamp;
use log::Log;
use roster::{End, Roster};
use speakers::Attribution;

/// One call instance.
///
/// Four kinds of method: getters; inputs ([`open_fabric`](Self::open_fabric), [`ingest`](Self::ingest),
/// [`send_event`](Self::send_event), [`handle_timeout`](Self::handle_timeout) …), which take the caller's clock; edits
/// ([`fabric`](Self::fabric), [`rename`](Self::rename)), which do not; and [`poll_event`](Self::poll_event) and
/// [`poll_timeout`](Self::poll_timeout), which may be called at any time, or never: the queue is bounded, drops its oldest
/// and says so. The life of a fabric is told in [`crate::fabric`].
///
/// An instance begins with its first fabric. It is over when all but one of several endpoints have terminated, when all
/// have left, or when nothing was heard for [`Config::silence`]. What comes at the moment of the end still belongs to it;
/// what comes later is answered with [`InputError::Ended`], and belongs to the [`next_instance`](Self::next_instance).
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
/// assert_eq!(stream.rtt_ms.mean, None); // nobody reported one
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
    /// The end, as soon as it has come; it is settled when time has gone on.
    pub(crate) end: Option<End>,
    pub(crate) is_settled: bool,
    /// Whose endpoint last found itself to be the one who speaks.
    pub(crate) dominant: Option<FabricId>,
    /// Who can be heard, once anybody can.
    pub(crate) attribution: Option<Box<Attribution>>,
    pub(crate) usage: Usage,
}

impl Conference {
    /// A conference of which nothing is known but its name; an empty name is none. The name is the caller's choice and
    /// kept whole, whatever its length.
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

    /// The next instance of a conference that is over: of the same name and with the same users, of whom nobody has joined
    /// yet. Ids of users stay good, ids of fabrics do not.
    #[must_use]
    pub fn next_instance(&self) -> Self {
        let mut roster = Roster::default();
        for user in &self.roster.users {
            roster.add(&user.name);
        }
        let name = self.name.as_deref().unwrap_or("");
        Self { instance: self.instance.saturating_add(1), roster, ..Self::new(name, self.config.clone()) }
    }

    /// Which instance of its name it is: 1, and one more for each that came before.
    #[must_use]
    pub const fn instance(&self) -> u32 {
        self.instance
    }

    /// The latest time that an input told; `None` before the first.
    #[must_use]
    pub const fn clock(&self) -> Option<Timestamp> {
        self.now
    }

    /// The user of this name, who is added when nobody has it. That somebody is known by name does not mean that they
    /// joined: who opens a fabric, or [`join`](Self::join)s, has.
    ///
    /// Cost: linear in users.
    ///
    /// # Errors
    /// [`InputError::InvalidName`]; [`InputError::LimitReached`] when [`Limits::users`](crate::Limits::users) are known.
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

    /// The user of this name; `None` when nobody has it. Cost: linear in users.
    #[must_use]
    pub fn find_user(&self, name: &str) -> Option<UserId> {
        self.roster.find(name)
    }

    /// The name of a user.
    #[must_use]
    pub fn user_name(&self, user: UserId) -> Option<&str> {
        self.roster.get(user).map(|user| &*user.name)
    }

    /// Opens a fabric (`addNewFabric`): from now on its snapshots can be ingested, and from now on its setup delay is
    /// counted. Its local user joins by it.
    ///
    /// A second opening of the same one changes nothing and says so. The same is: an equal name and equal users at both
    /// ends, of whom the local one is known, and not terminated. Without a local user two fabrics of one name are two.
    ///
    /// Who reconnects opens the new fabric before the old one is terminated, or at the same `now`: a call whose last
    /// user has no fabric left is over, and what comes later is refused as [`InputError::Ended`], unless
    /// [`Config::with_reopening`](crate::Config::with_reopening) takes the end back. The same holds after a
    /// [silence](crate::Config::with_inactivity_timeout).
    ///
    /// # Errors
    /// [`InputError::AlreadyOpen`]; [`InputError::TimeWentBackwards`] when `now` is before an earlier input's;
    /// [`InputError::InvalidName`] for a name that is too long; [`InputError::UnknownUser`]; [`InputError::Ended`];
    /// [`InputError::LimitReached`] when [`Limits::fabrics`](crate::Limits::fabrics) are open. Nothing changes then, the
    /// clock included.
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

    /// The fabric of this name and these users that is open.
    #[must_use]
    pub fn find_fabric(&self, spec: &FabricSpec) -> Option<FabricId> {
        let is_it = |fabric: &&Fabric| fabric.lifecycle.terminated.is_none() && fabric.spec.is_same(spec);
        self.fabrics.iter().find(is_it).map(Fabric::id)
    }

    /// Takes a snapshot of a fabric. `now` is the caller's clock, which stamps arrival only: figures follow from the
    /// time stamps inside the report. The same `now` may be given again.
    ///
    /// Cost: linear in the entries of the report. Once every stream has been seen and events are drained, nothing is
    /// allocated, but for lists of what happens in a call, which double: turns, diagnoses, the timeline; for
    /// distributions that meet values which they have no cell for, up to
    /// [`Limits::digest_cells`](crate::Limits::digest_cells) cells each; and for indices of a report with more than 1 024
    /// entries, which are not kept.
    ///
    /// # Errors
    /// [`InputError::TimeWentBackwards`], [`InputError::UnknownFabric`], [`InputError::Terminated`],
    /// [`InputError::Ended`]; nothing changes then. Odd data inside the report is no error: duplicates, late looks and
    /// streams beyond the limit are counted in the summary, what a reader or
    /// [`EntryMut::set`](crate::report::EntryMut::set) left out in [`Report::skipped`].
    pub fn ingest(&mut self, now: Timestamp, id: FabricId, report: &Report) -> Result<(), InputError> {
        self.accept(now, id)?;
        if let Some(fabric) = self.fabrics.get_mut(id.index()) {
            fabric.ingest(now, report, &self.config, &mut self.usage, &mut self.out);
            fabric.trim();
        }
        self.take_levels(now, id);
        Ok(())
    }

    /// The next event, oldest first; `None` when there is none. Its answer may change after any input. Allocates nothing.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.out.poll()
    }

    /// Whether an event waits to be polled.
    pub(crate) fn has_event(&self) -> bool {
        self.out.has_event()
    }

    /// Takes an empty queue for events that somebody else keeps, unless it has one: many conferences then need but one.
    pub(crate) fn borrow_queue(&mut self, spare: &mut VecDeque<Event>) {
        self.out.borrow_queue(spare);
    }

    /// Gives the queue back when nothing waits in it.
    pub(crate) fn return_queue(&mut self, spare: &mut VecDeque<Event>) {
        self.out.return_queue(spare);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` while nobody is here. Its answer may change
    /// after any input. Cost: linear in users.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        if self.is_settled {
            return None;
        }
        let end = self.end.map(|end| end.at);
        let deadline = self.roster.next_deadline(self.config.inactivity_micros());
        end.into_iter().chain(deadline).chain(deadline.and(self.silent_at())).min()
    }

    /// Passes an input about a fabric: the clock moves on, and its local user is heard.
    fn accept(&mut self, now: Timestamp, id: FabricId) -> Result<(), InputError> {
        let fabric = self.check_entry(now, id)?;
        let (user, is_open) = (fabric.spec.local_user, fabric.lifecycle.terminated.is_none());
        self.now = Some(now);
        if is_open {
            self.touch(now, user);
        }
        Ok(())
    }

    /// Whether an input about a fabric may pass.
    fn check_entry(&self, now: Timestamp, id: FabricId) -> Result<&Fabric, InputError> {
        self.check_clock(now)?;
        let fabric = self.fabrics.get(id.index()).ok_or(InputError::UnknownFabric)?;
        self.check_end(now)?;
        if fabric.lifecycle.terminated.is_some_and(|terminated| terminated < now) && !self.config.reopens() {
            return Err(InputError::Terminated);
        }
        Ok(fabric)
    }

    /// The clock moves on, and something was heard of a user, or of somebody nameless.
    fn touch(&mut self, now: Timestamp, user: Option<UserId>) {
        let limits = self.config.limits();
        self.now = Some(now);
        if self.roster.touch(now, user, limits) {
            self.out.raise(limits, CallEvent { user, ..CallEvent::new(now, EventKind::UserJoined) });
        }
        if self.end.is_some() {
            // At the moment of the end, or by the caller's wish.
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
