//! Edits of names and owners: early, late or repeated. They need no clock and measure nothing.

use alloc::string::String;

use super::{Conference, InputError};
use crate::event::{CallEvent, EndReason, EventKind, FabricState};
use crate::fabric::{Fabric, Outcome, Owner, SsrcDescription, Usage};
use crate::id::{FabricId, Ssrc, StreamKey, UserId};
use crate::unit::Timestamp;

/// One fabric of a conference, for editing. Edits need no clock: they apply from the latest input on, and are accepted
/// after the end too.
#[derive(Debug)]
pub struct FabricMut<'a> {
    pub(super) call: &'a mut Conference,
    pub(super) id: FabricId,
}

impl Conference {
    /// A fabric, for editing.
    ///
    /// # Errors
    /// [`InputError::UnknownFabric`].
    pub fn fabric(&mut self, fabric: FabricId) -> Result<FabricMut<'_>, InputError> {
        if self.fabrics.get(fabric.index()).is_none() {
            return Err(InputError::UnknownFabric);
        }
        Ok(FabricMut { call: self, id: fabric })
    }

    /// Renames the conference; an empty name removes the name.
    ///
    /// # Errors
    /// [`InputError::InvalidName`] for one that is too long.
    pub fn rename(&mut self, name: &str) -> Result<Outcome, InputError> {
        if name.len() > self.config.limits().name_bytes() {
            return Err(InputError::InvalidName);
        }
        if self.name.as_deref().unwrap_or("") == name {
            return Ok(Outcome::Unchanged);
        }
        self.name = (!name.is_empty()).then(|| name.into());
        Ok(Outcome::Applied)
    }

    /// The conference's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Renames a user. All measurements stay with the user.
    ///
    /// # Errors
    /// [`InputError::UnknownUser`], [`InputError::InvalidName`]; [`InputError::NameTaken`] if another user has the
    /// name.
    pub fn rename_user(&mut self, user: UserId, name: &str) -> Result<Outcome, InputError> {
        self.check_name(name)?;
        let holder = self.roster.find(name);
        let known = self.roster.users.get_mut(user.index()).ok_or(InputError::UnknownUser)?;
        match holder {
            Some(holder) if holder == user => Ok(Outcome::Unchanged),
            Some(_) => Err(InputError::NameTaken),
            None => {
                known.name = name.into();
                Ok(Outcome::Applied)
            }
        }
    }

    /// The current owner of a stream's media: the user it was associated with, otherwise the user at the end that sends
    /// it. `None` if not given, or if the stream was never seen.
    #[must_use]
    pub fn user_of(&self, stream: StreamKey) -> Option<UserId> {
        let fabric = self.fabrics.get(stream.fabric.index())?;
        fabric.owner_of(fabric.streams.find(stream.direction, stream.ssrc)?).0
    }

    /// The current codec of a stream, as its MIME type spells it: `opus` of `audio/opus`. `None` if not reported, or if
    /// the stream was never seen.
    #[must_use]
    pub fn codec_of(&self, stream: StreamKey) -> Option<&str> {
        let fabric = self.fabrics.get(stream.fabric.index())?;
        fabric.streams.find(stream.direction, stream.ssrc)?.record.codec.as_deref()
    }
}

impl Conference {
    /// Names an unnamed reporter. The user has been present since the fabric was opened.
    fn name_reporter(&mut self, user: UserId, opened: Timestamp, terminated: Option<Timestamp>) {
        let limits = self.config.limits();
        if self.roster.name(user, opened, limits) {
            let joined = CallEvent::new(opened, EventKind::UserJoined);
            self.out.raise(limits, CallEvent { user: Some(user), ..joined });
        }
        if self.fabrics.iter().all(|fabric| fabric.spec.local_user.is_some()) {
            self.roster.unnamed = super::roster::Presence::default();
        }
        let mut theirs = self.fabrics.iter().filter(|fabric| fabric.spec.local_user == Some(user));
        if let Some(terminated) = terminated
            && theirs.all(|fabric| fabric.lifecycle.terminated.is_some())
        {
            self.leave_call(terminated, Some(user), EndReason::Terminated);
        }
        if !self.is_settled {
            self.end = self.roster.end();
        }
    }
}

impl FabricMut<'_> {
    /// The fabric's state; `None` until a report states it.
    #[must_use]
    pub fn state(&self) -> Option<FabricState> {
        self.call.fabrics.get(self.id.index())?.lifecycle.state()
    }

    /// Whether the fabric's local user is the [dominant speaker](crate::Conference::dominant_speaker).
    #[must_use]
    pub fn is_dominant_speaker(&self) -> bool {
        self.call.fabrics.get(self.id.index()).is_some_and(|fabric| self.call.speaks_at(fabric))
    }

    /// Sets the owner of an SSRC's media, and a label for its use (`associateMstWithUserID`); an empty label is none.
    /// The SSRC need not have been seen. Its layers, retransmissions and error correction follow, unless they have an
    /// association of their own.
    ///
    /// The first association applies to everything seen of the stream. A later association with another user applies
    /// from the next sample of the stream on: the earlier figures stay with the previous owner, as a stream of their
    /// own in the summary. The media between the two samples is in neither, since its owner is unknown.
    ///
    /// # Errors
    /// [`InputError::UnknownUser`]; [`InputError::InvalidName`] for a label that is too long;
    /// [`InputError::LimitReached`] when [`Limits::ssrcs_per_fabric`](crate::Limits::ssrcs_per_fabric),
    /// [`Limits::parts_per_fabric`](crate::Limits::parts_per_fabric), or their like for all fabrics,
    /// [`Limits::ssrcs`](crate::Limits::ssrcs) and [`Limits::streams`](crate::Limits::streams), do not allow it.
    pub fn associate(&mut self, ssrc: Ssrc, user: UserId, label: &str) -> Result<Outcome, InputError> {
        let limits = self.call.config.limits();
        self.call.check_users([user])?;
        if label.len() > limits.name_bytes() {
            return Err(InputError::InvalidName);
        }
        let (fabric, usage) = self.fabric()?;
        let owner = Owner { user, label: String::from(label) };
        let (answer, passes) = fabric.associate(ssrc, owner, limits, usage).map_err(|_| InputError::LimitReached)?;
        if passes {
            let event = CallEvent::new(self.now(), EventKind::SsrcMap);
            let (fabric, user) = (Some(self.id), Some(user));
            self.call.out.raise(limits, CallEvent { fabric, user, ssrc: Some(ssrc), ..event });
        }
        Ok(answer)
    }

    /// Groups SSRCs under a primary one: simulcast layers, retransmissions, error correction (`a=ssrc-group` of RFC
    /// 5576). `rtxSsrc` and `fecSsrc` of stats are followed without this call.
    ///
    /// # Errors
    /// [`InputError::LimitReached`], as [`associate`](Self::associate).
    pub fn group(&mut self, primary: Ssrc, others: &[Ssrc]) -> Result<Outcome, InputError> {
        let (limits, now) = (self.call.config.limits(), self.now());
        let (fabric, usage) = self.fabric()?;
        fabric.group(now, primary, others, limits, usage).map_err(|_| InputError::LimitReached)
    }

    /// Takes a session description's entry for an SSRC: its group and its names. Call it for every SSRC of either
    /// side's description, whenever one is set; repetition is no error.
    ///
    /// # Errors
    /// [`InputError::InvalidName`] for a name that is too long; [`InputError::LimitReached`], as
    /// [`associate`](Self::associate).
    pub fn describe(&mut self, description: SsrcDescription<'_>) -> Result<Outcome, InputError> {
        let (limits, now) = (self.call.config.limits(), self.now());
        if description.cname.len().max(description.msid.len()) > limits.name_bytes() {
            return Err(InputError::InvalidName);
        }
        let (fabric, usage) = self.fabric()?;
        fabric.describe(now, &description, limits, usage).map_err(|_| InputError::LimitReached)
    }

    /// Sets or replaces the remote user. It applies to all measurements: received media without another owner is
    /// theirs.
    ///
    /// # Errors
    /// [`InputError::UnknownUser`].
    pub fn set_remote_user(&mut self, user: UserId) -> Result<Outcome, InputError> {
        self.call.check_users([user])?;
        let (fabric, _) = self.fabric()?;
        let before = fabric.spec.remote_user.replace(user);
        Ok(if before == Some(user) { Outcome::Unchanged } else { Outcome::Applied })
    }

    /// Sets the local user. It applies to all measurements; an existing local user cannot be replaced.
    ///
    /// # Errors
    /// [`InputError::UnknownUser`]; [`InputError::NameTaken`] if another user reports on this fabric.
    pub fn set_local_user(&mut self, user: UserId) -> Result<Outcome, InputError> {
        self.call.check_users([user])?;
        let (fabric, _) = self.fabric()?;
        match fabric.spec.local_user {
            Some(before) if before == user => return Ok(Outcome::Unchanged),
            Some(_) => return Err(InputError::NameTaken),
            None => fabric.spec.local_user = Some(user),
        }
        let (opened, terminated) = (fabric.lifecycle.opened, fabric.lifecycle.terminated);
        self.call.name_reporter(user, opened, terminated);
        Ok(Outcome::Applied)
    }

    /// The fabric, and the usage of all fabrics.
    fn fabric(&mut self) -> Result<(&mut Fabric, &mut Usage), InputError> {
        let Conference { fabrics, usage, .. } = &mut *self.call;
        Ok((fabrics.get_mut(self.id.index()).ok_or(InputError::UnknownFabric)?, usage))
    }

    fn now(&self) -> Timestamp {
        self.call.now.unwrap_or_default()
    }
}
