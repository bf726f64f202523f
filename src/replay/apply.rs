//! Applies the items of sources to a conference and counts refusals. It does not order the items.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use crate::event::ErrorReport;
use crate::fabric::{AppEvent, SsrcDescription};
use crate::id::{FabricId, MediaKind, UserId};
use crate::ingest::NameCounts;
use crate::report::Report;
use crate::unit::Timestamp;
use crate::{Conference, FabricSpec, InputError};

use super::item::Fact;

/// Counts of the inputs that a conference refused, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals(Vec<(InputError, u64)>);

impl Refusals {
    /// The total number of refusals.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().map(|&(_, count)| count).sum()
    }

    /// Each reason with its count, in the order of first occurrence.
    pub fn iter(&self) -> impl Iterator<Item = (InputError, u64)> + '_ {
        self.0.iter().copied()
    }

    pub(super) fn count<T>(&mut self, result: Result<T, InputError>) {
        if let Err(error) = result {
            self.add(error);
        }
    }

    pub(super) fn add(&mut self, error: InputError) {
        match self.0.iter_mut().find(|(known, _)| *known == error) {
            Some((_, count)) => *count += 1,
            None => self.0.push((error, 1)),
        }
    }
}

/// A conference during a replay, with its clock.
#[derive(Debug)]
pub(super) struct Applier {
    pub(super) call: Conference,
    now: Timestamp,
    /// The open connections that several sources report, by their numbers.
    shared: Vec<Option<NamedFabric>>,
}

/// State of one source during a replay.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Connections by name in the source. The same name in another source is another connection, unless it is shared.
    fabrics: BTreeMap<String, NamedFabric>,
    /// The numbers of the connections that other sources report too, by name.
    pub(super) shared: BTreeMap<String, usize>,
    /// The latest time of a snapshot of each connection, and that of its last one, ms.
    latest_ms: BTreeMap<FabricId, [f64; 2]>,
    /// Snapshots with an earlier time than one before them, of the same connection.
    pub(super) late_snapshots: u64,
    /// Those of them with a later time than the one right before them.
    pub(super) late_ascents: u64,
    /// Items with a time that was not believed.
    pub(super) wrong_times: u64,
    /// The power of ten of a millisecond in which the times were read.
    pub(super) time_exponent: i8,
    /// Items that another source has too.
    pub(super) repeated_items: u64,
    /// All connections opened for the source, in the order of opening.
    pub(super) opened: Vec<FabricId>,
    /// Snapshots of connections that could not be opened.
    pub(super) unopened_snapshots: Refusals,
    /// Words of log events that the engine does not know.
    pub(super) unknown_words: NameCounts,
    /// Refused snapshots of open connections.
    pub(super) snapshots: Refusals,
    /// Refused events.
    pub(super) events: Refusals,
    /// The user and the endpoint of the reporter, according to the source.
    user: Option<UserId>,
    endpoint: Option<String>,
    /// Tracks that the reporter sends.
    sent: BTreeSet<String>,
}

/// The latest connection of a name.
#[derive(Clone, Copy, Debug)]
struct NamedFabric {
    id: FabricId,
    /// Its creation was reported.
    is_created: bool,
    /// It has had a snapshot.
    is_sampled: bool,
    /// Its end was reported.
    has_ended: bool,
}

impl NamedFabric {
    /// Whether a report of a creation is of another connection of the same name. A connection is created once, and an
    /// event may come before its creation. A snapshot before it, too, if the source states no time of the creation: it
    /// is then due when what stands before it in the source is, which may be another connection's end.
    const fn is_recreated(self, is_timed: bool) -> bool {
        self.is_created || self.has_ended || is_timed && self.is_sampled
    }
}

impl Applier {
    pub(super) const fn new(call: Conference) -> Self {
        Self { call, now: Timestamp::from_micros(0), shared: Vec::new() }
    }

    /// Advances the conference's clock to a time. Lines are not always in order, and the engine's clock never runs
    /// backwards.
    pub(super) fn pass(&mut self, at_ms: Option<f64>) {
        if let Some(at_ms) = at_ms {
            // Positive; saturates.
            self.now = self.now.max(Timestamp::from_micros((at_ms * 1e3) as u64));
        }
    }

    /// Applies a snapshot, or counts its refusal.
    pub(super) fn snapshot(&mut self, source: &mut Applied, fabric: &str, at_ms: Option<f64>, report: &Report) {
        let name = fabric;
        let fabric = match self.fabric(source, name, false) {
            Ok(fabric) => fabric,
            Err(error) => return source.unopened_snapshots.add(error),
        };
        if let Some(named) = self.known(source, name) {
            named.is_sampled = true;
        }
        if let Some(at_ms) = at_ms {
            let [latest_ms, last_ms] = source.latest_ms.entry(fabric).or_insert([at_ms; 2]);
            let is_late = at_ms < *latest_ms;
            source.late_snapshots += u64::from(is_late);
            source.late_ascents += u64::from(is_late && at_ms > *last_ms);
            (*latest_ms, *last_ms) = (latest_ms.max(at_ms), at_ms);
        }
        source.snapshots.count(self.call.ingest(self.now, fabric, report));
    }

    /// Applies an event, or counts its refusal.
    pub(super) fn event(&mut self, source: &mut Applied, fabric: &str, fact: Fact, is_timed: bool) {
        if let Fact::Identity { user, endpoint } = fact {
            return self.identify(source, user, endpoint);
        }
        if let (Fact::Joined | Fact::Left, Some(user)) = (&fact, source.user) {
            let is_joined = matches!(fact, Fact::Joined);
            let result = if is_joined { self.call.join(self.now, user) } else { self.call.leave(self.now, user) };
            source.events.count(result);
            return;
        }
        if let Fact::UnknownWord(word) = &fact {
            source.unknown_words.add(word);
            return;
        }
        if let Fact::Sends { track } = fact {
            source.sent.insert(track);
            return;
        }
        if let Fact::Speaks { endpoint } = &fact
            && source.endpoint.as_ref() != Some(endpoint)
        {
            return;
        }
        let known = match (fabric, &fact) {
            // Events of the whole client apply to its only connection, or its first.
            ("", Fact::Muted { .. } | Fact::Screen { .. } | Fact::Speaks { .. }) => {
                source.fabrics.values().map(|named| named.id).min().map(Ok)
            }
            ("", Fact::Failed { function, name, message }) => {
                let mut report = ErrorReport::new(*function).with_dom_error(name, message);
                if let Some(user) = source.user {
                    report = report.with_user(user);
                }
                source.events.count(self.call.report_error(self.now, None, report));
                return;
            }
            // A network test before the call has no name either.
            ("", _) => None,
            (name, Fact::Created) => return self.create(source, name, is_timed),
            (name, Fact::Closed) => self.known(source, name).map(|named| {
                named.has_ended = true;
                Ok(named.id)
            }),
            (name, _) => Some(self.fabric(source, name, false)),
        };
        let Some(fabric) = known else { return };
        let result = fabric.and_then(|fabric| self.fabric_event(source, fabric, fact));
        source.events.count(result);
    }

    /// Applies the report of a connection's creation.
    fn create(&mut self, source: &mut Applied, name: &str, is_timed: bool) {
        let now = self.now;
        // Of a connection that another source reports, too, the first that a source says is that it was created.
        let is_joining = source.shared.contains_key(name) && !source.fabrics.contains_key(name);
        let is_same = |named: &NamedFabric| !named.is_recreated(is_timed) || is_joining && !named.has_ended;
        if let Some(named) = self.known(source, name).filter(|named| is_same(named)) {
            named.is_created = true;
            let fabric = named.id;
            if is_timed {
                source.events.count(self.call.set_opening(now, fabric));
            }
            return;
        }
        source.fabrics.remove(name);
        if let Some(slot) = source.shared.get(name).and_then(|&number| self.shared.get_mut(number)) {
            *slot = None;
        }
        // A connection without a time of creation is opened by its first item with one.
        if is_timed {
            let opened = self.fabric(source, name, true);
            source.events.count(opened);
            if let Some(named) = self.known(source, name) {
                named.is_created = true;
            }
        }
    }

    fn fabric_event(&mut self, source: &Applied, fabric: FabricId, fact: Fact) -> Result<(), InputError> {
        let (call, now) = (&mut self.call, self.now);
        match fact {
            Fact::Ice(state) => call.ice_state(now, fabric, state),
            Fact::Gathering(state) => call.gathering_state(now, fabric, state),
            Fact::Signaling(state) => call.signaling_state(now, fabric, state),
            Fact::Connection(state) => call.connection_state(now, fabric, state),
            Fact::Dtls(state) => call.dtls_state(now, fabric, state),
            Fact::Described(streams) => {
                let mut fabric = call.fabric(fabric)?;
                for stream in &streams {
                    let description = SsrcDescription::new(stream.ssrc)
                        .following(stream.primary)
                        .with_cname(&stream.cname)
                        .with_msid(&stream.msid);
                    fabric.describe(description)?;
                }
                Ok(())
            }
            Fact::Failed { function, name, message } => {
                let report = ErrorReport::new(function).with_dom_error(&name, &message);
                call.report_error(now, Some(fabric), report).map(drop)
            }
            // For a received track, the stats already show that it has nothing to play.
            Fact::Muted { track, kind, muted } if source.sent.contains(&track) => {
                let event = match (kind, muted) {
                    (Some(MediaKind::Audio), true) => AppEvent::AudioMute(None),
                    (Some(MediaKind::Audio), false) => AppEvent::AudioUnmute(None),
                    (Some(MediaKind::Video), true) => AppEvent::VideoPause(None),
                    (Some(MediaKind::Video), false) => AppEvent::VideoResume(None),
                    (None, _) => return Ok(()),
                };
                call.send_event(now, fabric, event).map(drop)
            }
            Fact::Screen { ssrc, shared } => {
                let event = if shared { AppEvent::ScreenShareStart(ssrc) } else { AppEvent::ScreenShareStop(ssrc) };
                call.send_event(now, fabric, event).map(drop)
            }
            Fact::Speaks { .. } => call.send_event(now, fabric, AppEvent::DominantSpeaker).map(drop),
            Fact::Closed => call.send_event(now, fabric, AppEvent::Terminated).map(drop),
            _ => Ok(()),
        }
    }

    /// The connection with a name, opened if it is new.
    fn fabric(&mut self, source: &mut Applied, name: &str, opening_is_known: bool) -> Result<FabricId, InputError> {
        if let Some(named) = self.known(source, name) {
            return Ok(named.id);
        }
        let mut spec = FabricSpec::new(name);
        let (mut local, mut remote) = (source.user, None);
        if let Some((from, to)) = ends(name) {
            local = local.or_else(|| self.call.user(from).ok());
            remote = self.call.user(to).ok();
        }
        if let Some(local) = local {
            spec = spec.with_local_user(local);
        }
        if let Some(remote) = remote {
            spec = spec.with_remote_user(remote);
        }
        if !opening_is_known {
            spec = spec.with_unknown_opening();
        }
        let fabric = match self.call.open_fabric(self.now, spec.clone()) {
            Ok(fabric) => fabric,
            // Two sources of one user, with connections of the same name.
            Err(InputError::AlreadyOpen) => self.call.find_fabric(&spec).ok_or(InputError::AlreadyOpen)?,
            Err(error) => return Err(error),
        };
        let named = NamedFabric { id: fabric, is_created: false, is_sampled: false, has_ended: false };
        source.fabrics.insert(name.to_owned(), named);
        source.opened.push(fabric);
        if let Some(&number) = source.shared.get(name) {
            if self.shared.len() <= number {
                self.shared.resize(number + 1, None);
            }
            self.shared[number] = Some(named);
        }
        Ok(fabric)
    }

    /// The latest connection of a name, perhaps of another source.
    fn known<'a>(&'a mut self, source: &'a mut Applied, name: &str) -> Option<&'a mut NamedFabric> {
        let Some(&number) = source.shared.get(name) else { return source.fabrics.get_mut(name) };
        let named = self.shared.get_mut(number)?.as_mut()?;
        if source.fabrics.get(name).is_none_or(|own| own.id != named.id) {
            source.fabrics.insert(name.to_owned(), *named);
        }
        Some(named)
    }

    /// Sets the reporter of the source.
    fn identify(&mut self, source: &mut Applied, user: Option<String>, endpoint: Option<String>) {
        source.endpoint = endpoint.or(source.endpoint.take());
        let user = match user.map(|name| self.call.user(&name)) {
            Some(Ok(user)) => user,
            Some(Err(error)) => return source.events.add(error),
            None => return,
        };
        source.user = Some(user);
        for named in source.fabrics.values() {
            source.events.count(self.call.fabric(named.id).and_then(|mut fabric| fabric.set_local_user(user)));
        }
    }
}

/// The reporter and the remote user of a connection named as in recordings of meshes: `P1-P2`. `None` for other names,
/// such as `10-1` of webrtc-internals.
///
/// ```
/// assert_eq!(callgauge::replay::ends("P1-P2"), Some(("P1", "P2")));
/// assert_eq!(callgauge::replay::ends("10-1"), None);
/// ```
#[must_use]
pub fn ends(name: &str) -> Option<(&str, &str)> {
    let (from, to) = name.split_once('-')?;
    (is_user_name(from) && is_user_name(to)).then_some((from, to))
}

fn is_user_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mesh_names_have_two_ends() {
        assert_eq!(ends("P1-P2"), Some(("P1", "P2")));
        for name in ["10-1", "PC_0", "A", "a-b-c", "f47ac10b-58cc-4372", "-P2", "P1-"] {
            assert_eq!(ends(name), None, "{name}");
        }
    }
}
