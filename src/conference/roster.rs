//! Tracks the users of a conference: presence, stays and the end of the conference. It measures no media.

use alloc::string::String;
use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::config::Limits;
use crate::event::EndReason;
use crate::id::UserId;
use crate::unit::Timestamp;

/// The users of a conference.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Roster {
    pub(crate) users: Vec<User>,
    /// The reporters on fabrics without a local user. Their number is unknown, so they count as one.
    pub(crate) unnamed: Presence,
}

/// A user that reports, or that other users name.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) presence: Presence,
    /// The first stays, and the latest.
    pub(crate) stays: SmallVec<[Stay; 1]>,
}

/// The presence of a user.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Presence {
    pub(crate) joins: u64,
    /// The time of the last activity.
    last_active: Timestamp,
    /// The end of the latest stay; `None` while it lasts, and before the first.
    pub(crate) left: Option<(Timestamp, EndReason)>,
}

/// A stay: from joining to leaving.
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
    /// Whether the user joined and has not left.
    pub(crate) const fn is_present(&self) -> bool {
        self.joins > 0 && self.left.is_none()
    }

    /// Marks activity. Returns whether this made the user join or rejoin.
    fn touch(&mut self, now: Timestamp) -> bool {
        let comes = !self.is_present();
        self.last_active = now;
        self.left = None;
        self.joins = self.joins.saturating_add(u64::from(comes));
        comes
    }

    /// When the inactivity timeout expires; `None` for a user that is not present.
    fn deadline(&self, inactivity_micros: u64) -> Option<Timestamp> {
        let deadline = self.last_active.as_micros().saturating_add(inactivity_micros);
        self.is_present().then(|| Timestamp::from_micros(deadline))
    }

    /// The time at which the inactivity timeout expired, if it has at `now`.
    fn expired(&self, now: Timestamp, inactivity_micros: u64) -> Option<Timestamp> {
        self.deadline(inactivity_micros).filter(|&deadline| deadline <= now)
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

    /// Adds a user with a name only.
    pub(crate) fn add(&mut self, name: &str) -> Option<UserId> {
        let id = u32::try_from(self.users.len()).ok().map(UserId)?;
        self.users.push(User { name: name.into(), presence: Presence::default(), stays: SmallVec::new() });
        Some(id)
    }

    /// Marks activity of a user, or of the unnamed reporters. Returns whether this made the user join or rejoin.
    pub(crate) fn touch(&mut self, now: Timestamp, user: Option<UserId>, limits: Limits) -> bool {
        let Some(user) = user else {
            self.unnamed.touch(now);
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

    /// Identifies an unnamed reporter, active since `opened`, as this user. Returns whether the user was absent before.
    pub(crate) fn name(&mut self, user: UserId, opened: Timestamp, limits: Limits) -> bool {
        let last_active = self.unnamed.last_active.max(opened);
        let was_here = self.get(user).is_some_and(|user| user.presence.is_present());
        let comes = !was_here && self.touch(opened, Some(user), limits);
        if let Some(user) = self.users.get_mut(user.index()) {
            user.presence.last_active = user.presence.last_active.max(last_active);
            if let Some(stay) = user.stays.first_mut() {
                stay.joined = stay.joined.min(opened);
            }
        }
        comes
    }

    /// Removes a user, or the unnamed reporters. Returns whether they were present.
    pub(crate) fn leave(&mut self, at: Timestamp, user: Option<UserId>, reason: EndReason) -> bool {
        let Some(user) = user else {
            let was_here = self.unnamed.is_present();
            if was_here {
                self.unnamed.left = Some((at, reason));
            }
            return was_here;
        };
        let Some(user) = self.users.get_mut(user.index()).filter(|user| user.presence.is_present()) else {
            return false;
        };
        user.presence.left = Some((at, reason));
        if let Some(stay) = user.stays.last_mut() {
            stay.left = Some((at, reason));
        }
        true
    }

    /// A user, or the unnamed reporters (`None`), whose inactivity timeout has expired at `now`, with the time of
    /// expiry.
    pub(crate) fn overdue(&self, now: Timestamp, inactivity_micros: u64) -> Option<(Option<UserId>, Timestamp)> {
        if let Some(deadline) = self.unnamed.expired(now, inactivity_micros) {
            return Some((None, deadline));
        }
        (0_u32..).zip(&self.users).find_map(|(id, user)| {
            let deadline = user.presence.expired(now, inactivity_micros)?;
            Some((Some(UserId(id)), deadline))
        })
    }

    /// The earliest expiry of an inactivity timeout.
    pub(crate) fn next_deadline(&self, inactivity_micros: u64) -> Option<Timestamp> {
        let users = self.users.iter().map(|user| &user.presence);
        users.chain([&self.unnamed]).filter_map(|presence| presence.deadline(inactivity_micros)).min()
    }

    /// The end of the conference, if it is over: no participant is left, or at most one of several is left and one has
    /// terminated.
    pub(crate) fn end(&self) -> Option<End> {
        let present = self.participants().filter(|presence| presence.is_present()).count();
        // A remaining user may have joined after the others left; a stay must not end before it begins.
        let left = self.users.iter().filter(|user| user.presence.is_present()).filter_map(|user| user.stays.last());
        let at = self.departures().map(|(at, _)| at).max()?.max(left.map(|stay| stay.joined).max().unwrap_or_default());
        let reason = match present {
            0 | 1 if self.has_departed(EndReason::Terminated) => EndReason::Terminated,
            0 if self.has_departed(EndReason::Left) => EndReason::Left,
            0 => EndReason::Timeout,
            _ => return None,
        };
        Some(End { at, reason })
    }

    /// The presence of all users that have joined, and of the unnamed reporters.
    fn participants(&self) -> impl Iterator<Item = &Presence> {
        self.users.iter().map(|user| &user.presence).chain([&self.unnamed]).filter(|presence| presence.joins > 0)
    }

    /// The ends of the stays of all participants that are not present.
    fn departures(&self) -> impl Iterator<Item = (Timestamp, EndReason)> {
        self.participants().filter_map(|presence| presence.left)
    }

    fn has_departed(&self, reason: EndReason) -> bool {
        self.departures().any(|(_, how)| how == reason)
    }
}
