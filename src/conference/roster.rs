//! Who is in the conference, since when, and whether it is over.

use alloc::string::String;
use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::config::Limits;
use crate::event::EndReason;
use crate::id::UserId;
use crate::unit::Timestamp;

/// Who is in the conference.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Roster {
    pub(crate) users: Vec<User>,
    /// Whoever reports on fabrics without a local user: nobody knows how many they are, so that they count as one.
    pub(crate) nameless: Presence,
}

/// A user, be it one who reports or one of whom others tell.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) presence: Presence,
    /// The first stays, and the latest.
    pub(crate) stays: SmallVec<[Stay; 1]>,
}

/// Whether somebody is there.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Presence {
    pub(crate) joins: u64,
    /// When something was last heard of them.
    heard: Timestamp,
    /// How the latest stay ended; `None` while it lasts, and before the first.
    pub(crate) left: Option<(Timestamp, EndReason)>,
}

/// From joining to leaving.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Stay {
    pub(crate) joined: Timestamp,
    pub(crate) left: Option<(Timestamp, EndReason)>,
}

/// The end of a conference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct End {
    pub(crate) at: Timestamp,
    pub(crate) reason: EndReason,
}

impl Presence {
    /// Whether they joined and did not leave.
    pub(crate) const fn is_here(&self) -> bool {
        self.joins > 0 && self.left.is_none()
    }

    /// Something was heard of them. Whether they came, or came back, by it.
    fn touch(&mut self, now: Timestamp) -> bool {
        let comes = !self.is_here();
        self.heard = now;
        self.left = None;
        self.joins = self.joins.saturating_add(u64::from(comes));
        comes
    }

    /// When silence will have been too long; `None` for who is not here.
    fn deadline(&self, inactivity_micros: u64) -> Option<Timestamp> {
        let deadline = self.heard.as_micros().saturating_add(inactivity_micros);
        self.is_here().then(|| Timestamp::from_micros(deadline))
    }
}

impl Roster {
    pub(crate) fn get(&self, user: UserId) -> Option<&User> {
        self.users.get(user.index())
    }

    pub(crate) fn find(&self, name: &str) -> Option<UserId> {
        let index = self.users.iter().position(|user| user.name == name)?;
        u32::try_from(index).ok().map(UserId)
    }

    /// Adds a user of whom nothing is known but the name.
    pub(crate) fn add(&mut self, name: &str) -> Option<UserId> {
        let id = u32::try_from(self.users.len()).ok().map(UserId)?;
        self.users.push(User { name: name.into(), presence: Presence::default(), stays: SmallVec::new() });
        Some(id)
    }

    /// Something was heard of a user, or of somebody nameless. Whether a user came by it.
    pub(crate) fn touch(&mut self, now: Timestamp, user: Option<UserId>, limits: Limits) -> bool {
        let Some(user) = user else {
            self.nameless.touch(now);
            return false;
        };
        let Some(user) = self.users.get_mut(user.index()) else { return false };
        let comes = user.presence.touch(now);
        if comes {
            if user.stays.len() >= limits.stays_per_user() {
                user.stays.pop();
            }
            if user.stays.len() < limits.stays_per_user() {
                user.stays.push(Stay { joined: now, left: None });
            }
        }
        comes
    }

    /// Somebody nameless since `opened` turns out to be this user. Whether they were not here before.
    pub(crate) fn name(&mut self, user: UserId, opened: Timestamp, limits: Limits) -> bool {
        let heard = self.nameless.heard.max(opened);
        let was_here = self.get(user).is_some_and(|user| user.presence.is_here());
        let comes = !was_here && self.touch(opened, Some(user), limits);
        if let Some(user) = self.users.get_mut(user.index()) {
            user.presence.heard = user.presence.heard.max(heard);
            if let Some(stay) = user.stays.first_mut() {
                stay.joined = stay.joined.min(opened);
            }
        }
        comes
    }

    /// A user leaves, or the nameless do. Whether they were here.
    pub(crate) fn leave(&mut self, at: Timestamp, user: Option<UserId>, reason: EndReason) -> bool {
        let Some(user) = user else {
            let was_here = self.nameless.is_here();
            if was_here {
                self.nameless.left = Some((at, reason));
            }
            return was_here;
        };
        let Some(user) = self.users.get_mut(user.index()).filter(|user| user.presence.is_here()) else { return false };
        user.presence.left = Some((at, reason));
        if let Some(stay) = user.stays.last_mut() {
            stay.left = Some((at, reason));
        }
        true
    }

    /// Somebody whose silence has been too long at `now`, and since when it is: a user, or the nameless.
    pub(crate) fn overdue(&self, now: Timestamp, inactivity_micros: u64) -> Option<(Option<UserId>, Timestamp)> {
        let is_due = |presence: &Presence| presence.deadline(inactivity_micros).filter(|&deadline| deadline <= now);
        if let Some(deadline) = is_due(&self.nameless) {
            return Some((None, deadline));
        }
        (0_u32..).zip(&self.users).find_map(|(id, user)| Some((Some(UserId(id)), is_due(&user.presence)?)))
    }

    /// The earliest time at which somebody's silence will have been too long.
    pub(crate) fn next_deadline(&self, inactivity_micros: u64) -> Option<Timestamp> {
        let users = self.users.iter().map(|user| &user.presence);
        users.chain([&self.nameless]).filter_map(|presence| presence.deadline(inactivity_micros)).min()
    }

    /// Whether the conference is over, how and since when: one is left at most of several, and somebody said that it was
    /// over; or nobody is left.
    pub(crate) fn end(&self) -> Option<End> {
        let everybody =
            || self.users.iter().map(|user| user.presence).chain([self.nameless]).filter(|presence| presence.joins > 0);
        let here = everybody().filter(Presence::is_here).count();
        let gone = || everybody().filter_map(|presence| presence.left);
        // Who is left may have come after the others had gone: nobody's stay ends before it began.
        let left = self.users.iter().filter(|user| user.presence.is_here()).filter_map(|user| user.stays.last());
        let at = gone().map(|(at, _)| at).max()?.max(left.map(|stay| stay.joined).max().unwrap_or_default());
        let has = |reason| gone().any(|(_, how)| how == reason);
        let reason = match here {
            0 | 1 if has(EndReason::Terminated) => EndReason::Terminated,
            0 if has(EndReason::Left) => EndReason::Left,
            0 => EndReason::Timeout,
            _ => return None,
        };
        Some(End { at, reason })
    }
}
