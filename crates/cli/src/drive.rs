//! What files tell into a conference.

use std::collections::{HashMap, HashSet};

use callgauge::fabric::{AppEvent, ErrorReport, SsrcDescription};
use callgauge::id::{FabricId, MediaKind, UserId};
use callgauge::report::Report;
use callgauge::unit::Timestamp;
use callgauge::{Conference, FabricSpec, InputError};

use crate::told::Told;

/// A conference under way, and how far its clock is.
pub(crate) struct Drive {
    pub(crate) call: Conference,
    now: Timestamp,
}

/// What is known of one file while it is read.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// Connections by their names in the file. The same name in another file is another connection.
    fabrics: HashMap<String, FabricId>,
    /// All that were opened for it, in the order of opening.
    pub(crate) opened: Vec<FabricId>,
    pub(crate) refused_snapshots: u64,
    /// Who wrote the file, and by which name it calls the endpoint.
    user: Option<UserId>,
    endpoint: Option<String>,
    /// Tracks that this end sends.
    sent: HashSet<String>,
}

impl Drive {
    pub(crate) const fn new(call: Conference) -> Self {
        Self { call, now: Timestamp::from_micros(0) }
    }

    /// Lets the conference's clock come to a time. Lines are not always in order, and the engine's clock never runs back.
    pub(crate) fn pass(&mut self, at_ms: Option<f64>) {
        if let Some(at_ms) = at_ms {
            // Positive; saturates.
            self.now = self.now.max(Timestamp::from_micros((at_ms * 1e3) as u64));
        }
    }

    /// Takes a snapshot. Whether the conference took it.
    pub(crate) fn snapshot(&mut self, source: &mut Source, fabric: &str, report: &Report) -> bool {
        let Some(fabric) = self.fabric(source, fabric, false) else {
            source.refused_snapshots += 1;
            return false;
        };
        self.call.ingest(self.now, fabric, report).is_ok()
    }

    /// Takes what else was told. What the conference refuses (an end that has come, a limit) is nothing to a reader of
    /// dumps: the summary says what it holds.
    pub(crate) fn tell(&mut self, source: &mut Source, fabric: &str, told: Told, is_timed: bool) {
        if let Told::Identity { user, endpoint } = told {
            return self.identify(source, user, endpoint);
        }
        if let (Told::Joined | Told::Left, Some(user)) = (&told, source.user) {
            let is_joined = matches!(told, Told::Joined);
            let _ = if is_joined { self.call.join(self.now, user) } else { self.call.leave(self.now, user) };
            return;
        }
        if let Told::Sends { track } = told {
            source.sent.insert(track);
            return;
        }
        if let Told::Speaks { endpoint } = &told
            && source.endpoint.as_ref() != Some(endpoint)
        {
            return;
        }
        let known = match (fabric, &told) {
            // What concerns the whole client is said of its only connection, or its first.
            ("", Told::Muted { .. } | Told::Screen { .. } | Told::Speaks { .. }) => {
                source.fabrics.values().min().copied()
            }
            ("", Told::Failed { function, name, message }) => {
                let mut report = ErrorReport::new(*function).with_dom_error(name, message);
                if let Some(user) = source.user {
                    report = report.with_user(user);
                }
                let _ = self.call.report_error(self.now, None, report);
                return;
            }
            // A test of the network before the call has no name either.
            ("", _) => None,
            (name, Told::Created) => {
                source.fabrics.remove(name);
                // One that was made at an unknown time is opened when something is known of it.
                if is_timed { self.fabric(source, name, true) } else { None }
            }
            (name, Told::Closed) => source.fabrics.get(name).copied(),
            (name, _) => self.fabric(source, name, false),
        };
        let Some(fabric) = known else { return };
        let _ = self.tell_of(source, fabric, told);
    }

    fn tell_of(&mut self, source: &Source, fabric: FabricId, told: Told) -> Result<(), InputError> {
        let (call, now) = (&mut self.call, self.now);
        match told {
            Told::Ice(state) => call.ice_state(now, fabric, state),
            Told::Gathering(state) => call.gathering_state(now, fabric, state),
            Told::Signaling(state) => call.signaling_state(now, fabric, state),
            Told::Connection(state) => call.connection_state(now, fabric, state),
            Told::Described(streams) => {
                let mut room = call.fabric(fabric)?;
                for stream in &streams {
                    let description = SsrcDescription::new(stream.ssrc)
                        .following(stream.primary)
                        .with_cname(&stream.cname)
                        .with_msid(&stream.msid);
                    room.describe(description)?;
                }
                Ok(())
            }
            Told::Failed { function, name, message } => {
                let report = ErrorReport::new(function).with_dom_error(&name, &message);
                call.report_error(now, Some(fabric), report).map(drop)
            }
            // That a track that is received has nothing to play shows in the stats.
            Told::Muted { track, kind, muted } if source.sent.contains(&track) => {
                let event = match (kind, muted) {
                    (Some(MediaKind::Audio), true) => AppEvent::AudioMute(None),
                    (Some(MediaKind::Audio), false) => AppEvent::AudioUnmute(None),
                    (Some(MediaKind::Video), true) => AppEvent::VideoPause(None),
                    (Some(MediaKind::Video), false) => AppEvent::VideoResume(None),
                    (None, _) => return Ok(()),
                };
                call.send_event(now, fabric, event).map(drop)
            }
            Told::Screen { ssrc, shared } => {
                let event = if shared { AppEvent::ScreenShareStart(ssrc) } else { AppEvent::ScreenShareStop(ssrc) };
                call.send_event(now, fabric, event).map(drop)
            }
            Told::Speaks { .. } => call.send_event(now, fabric, AppEvent::DominantSpeaker).map(drop),
            Told::Closed => call.send_event(now, fabric, AppEvent::Terminated).map(drop),
            _ => Ok(()),
        }
    }

    /// The connection of a name, opened if it is new.
    fn fabric(&mut self, source: &mut Source, name: &str, opening_is_known: bool) -> Option<FabricId> {
        if let Some(&fabric) = source.fabrics.get(name) {
            return Some(fabric);
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
            // Two files of one user, with connections of one name.
            Err(InputError::AlreadyOpen) => self.call.find_fabric(&spec)?,
            Err(_) => return None,
        };
        source.fabrics.insert(name.to_owned(), fabric);
        source.opened.push(fabric);
        Some(fabric)
    }

    /// Somebody says who wrote the file.
    fn identify(&mut self, source: &mut Source, user: Option<String>, endpoint: Option<String>) {
        source.endpoint = endpoint.or(source.endpoint.take());
        let Some(user) = user.and_then(|name| self.call.user(&name).ok()) else { return };
        source.user = Some(user);
        for &fabric in source.fabrics.values() {
            if let Ok(mut room) = self.call.fabric(fabric) {
                let _ = room.set_local_user(user);
            }
        }
    }
}

/// Who reports and who is at the other end, where a connection is named as the recordings of meshes name it: `P1-P2`. A
/// page's own `10-1` of webrtc-internals is no such name.
pub(crate) fn ends(name: &str) -> Option<(&str, &str)> {
    let (from, to) = name.split_once('-')?;
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    (is_name(from) && is_name(to)).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_two_people_name_two_people() {
        assert_eq!(ends("P1-P2"), Some(("P1", "P2")));
        for name in ["10-1", "PC_0", "A", "a-b-c", "f47ac10b-58cc-4372", "-P2", "P1-"] {
            assert_eq!(ends(name), None, "{name}");
        }
    }
}
