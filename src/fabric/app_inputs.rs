//! Inputs and edits of the application that concern one fabric: mutes, devices, stream owners. It reads no stats.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::app_state::{Device, Outcome, StoredDevice, Switch};
use super::connection::Fabric;
use super::slot::StreamSlot;
use super::ssrc_map::{Owner, SsrcDescription, SsrcEdit};
use super::usage::Usage;
use crate::config::{Config, Limits};
use crate::event::cut;
use crate::id::{Direction, Ssrc, UserId};
use crate::stream::StreamRecord;
use crate::unit::Timestamp;

/// The length in bytes at which texts of devices are cut: ids are hashes of 64 digits.
const MAX_DEVICE_TEXT: usize = 256;

/// The limits leave no capacity to store the input.
pub(crate) struct NoCapacity;

impl Fabric {
    /// The user that a stream's media belongs to, by association or by default, and its label.
    pub(crate) fn owner_of<'a>(&'a self, stream: &'a StreamSlot) -> (Option<UserId>, Option<&'a str>) {
        match stream.previous_owner.as_deref().or_else(|| self.mapping.owner(stream.record.ssrc)) {
            Some(owner) => (Some(owner.user), Some(&*owner.label).filter(|label| !label.is_empty())),
            None => (self.default_user(stream.record.direction), None),
        }
    }

    /// The owner of media in this direction, unless there is an association.
    pub(crate) const fn default_user(&self, direction: Direction) -> Option<UserId> {
        match direction {
            Direction::Inbound => self.spec.remote_user,
            Direction::Outbound => self.spec.local_user,
        }
    }

    /// Puts the fabric on hold, or resumes it.
    pub(crate) fn hold(&mut self, now: Timestamp, on: bool) -> Outcome {
        if self.app.is_held == on {
            return Outcome::Unchanged;
        }
        self.app.is_held = on;
        self.lifecycle.is_held = on;
        self.apply_app_state(now);
        Outcome::Applied
    }

    /// Mutes, pauses or shares, or ends that.
    pub(crate) fn switch(
        &mut self,
        now: Timestamp,
        switch: Switch,
        ssrc: Option<Ssrc>,
        on: bool,
        limits: Limits,
        usage: &mut Usage,
    ) -> Result<Outcome, NoCapacity> {
        let before = self.app.len();
        let most = limits.ssrcs_per_fabric().min(if usage.has_ssrcs(1, limits) { usize::MAX } else { before });
        let changes = self.app.would_change(switch, ssrc, on, most).map_err(|()| NoCapacity)?;
        self.app.reports_mutes |= switch == Switch::Muted;
        if !changes {
            return Ok(Outcome::Unchanged);
        }
        self.app.set(now, switch, ssrc, on);
        usage.ssrcs = (usage.ssrcs + self.app.len()).saturating_sub(before);
        self.apply_app_state(now);
        let is_known = ssrc.is_none_or(|ssrc| {
            [Direction::Inbound, Direction::Outbound]
                .iter()
                .any(|&direction| self.streams.id(direction, ssrc).is_some())
        });
        Ok(if is_known { Outcome::Applied } else { Outcome::Pending })
    }

    /// Replaces one of the lists of devices.
    pub(crate) fn set_devices(devices: &mut Vec<StoredDevice>, list: &[Device<'_>], config: &Config) -> Outcome {
        let list = list.iter().take(config.limits().devices()).map(|device| StoredDevice {
            id: truncated(device.id),
            kind: truncated(device.kind),
            group: truncated(device.group),
            label: config.keeps_device_labels().then(|| truncated(device.label)),
        });
        if devices.iter().cloned().eq(list.clone()) {
            return Outcome::Unchanged;
        }
        *devices = list.collect();
        Outcome::Applied
    }

    /// Associates an SSRC with a user. Returns also whether a stream passes from one user to another.
    pub(crate) fn associate(
        &mut self,
        ssrc: Ssrc,
        owner: Owner,
        limits: Limits,
        usage: &mut Usage,
    ) -> Result<(Outcome, bool), NoCapacity> {
        let before = self.mapping.own(ssrc);
        if before == Some(&owner) {
            return Ok((Outcome::Unchanged, false));
        }
        if before.is_none() {
            self.check_ssrcs(1, limits, *usage)?;
        }
        let passes = self.edit_ssrc_map(limits, usage, SsrcEdit::Associate(ssrc, owner))?;
        let is_known =
            self.streams.records().any(|record| record.ssrc == ssrc || self.mapping.primary(record.ssrc) == ssrc);
        Ok((if is_known { Outcome::Applied } else { Outcome::Pending }, passes))
    }

    /// Makes SSRCs follow a primary one.
    pub(crate) fn group(
        &mut self,
        now: Timestamp,
        primary: Ssrc,
        others: &[Ssrc],
        limits: Limits,
        usage: &mut Usage,
    ) -> Result<Outcome, NoCapacity> {
        let new = others.iter().filter(|&&other| self.mapping.primary(other) == other && other != primary).count();
        let leader = self.mapping.primary(primary);
        if others.iter().all(|&other| self.mapping.primary(other) == leader) {
            return Ok(Outcome::Unchanged);
        }
        self.check_ssrcs(new, limits, *usage)?;
        self.edit_ssrc_map(limits, usage, SsrcEdit::Group(primary, others))?;
        self.apply_app_state(now);
        let is_known = self.streams.records().any(|record| others.contains(&record.ssrc));
        Ok(if is_known { Outcome::Applied } else { Outcome::Pending })
    }

    /// Takes a session description's entry for an SSRC.
    pub(crate) fn describe(
        &mut self,
        now: Timestamp,
        description: &SsrcDescription<'_>,
        limits: Limits,
        usage: &mut Usage,
    ) -> Result<Outcome, NoCapacity> {
        let SsrcDescription { ssrc, primary, cname, msid } = *description;
        let before = self.mapping.described(ssrc);
        let is_described = cname.is_empty() && msid.is_empty()
            || before.is_some_and(|before| (&*before.cname, &*before.msid) == (cname, msid));
        let follows = self.mapping.primary(ssrc) == self.mapping.primary(primary);
        if is_described && follows {
            return Ok(Outcome::Unchanged);
        }
        let unread_losses = usize::from(!is_described && before.is_none()) + usize::from(!follows);
        self.check_ssrcs(unread_losses, limits, *usage)?;
        if !follows {
            self.group(now, primary, &[ssrc], limits, usage)?;
        }
        if !is_described {
            let before = self.mapping.len();
            self.mapping.describe(description);
            usage.ssrcs += self.mapping.len() - before;
        }
        let is_known = self.streams.records().any(|record| record.ssrc == ssrc);
        Ok(if is_known { Outcome::Applied } else { Outcome::Pending })
    }

    /// Edits the map, and ends the part of every stream that passes from one user to another by it. Figures so far stay
    /// with the user that the application had named; those without a named user go to the new user as a whole.
    fn edit_ssrc_map(&mut self, limits: Limits, usage: &mut Usage, edit: SsrcEdit<'_>) -> Result<bool, NoCapacity> {
        let passing: Vec<_> = self.streams.records().map(|record| self.passes(record, &edit)).collect();
        let more = passing.iter().flatten().count();
        let parts = self.parts_and_due();
        if more > 0 && (parts + more > limits.parts_per_fabric() || !usage.has_streams(more, limits)) {
            return Err(NoCapacity);
        }
        for (stream, passes) in self.streams.iter_mut().zip(passing) {
            let Some((before, after)) = passes else { continue };
            match &stream.previous_owner {
                // The stream returns to its previous owner, with no sample in between.
                Some(first) if first.user == after => stream.previous_owner = None,
                Some(_) => {}
                None => stream.previous_owner = Some(Box::new(before)),
            }
        }
        let ssrcs = self.mapping.len();
        self.mapping.apply(edit);
        usage.ssrcs += self.mapping.len() - ssrcs;
        usage.streams = (usage.streams + self.parts_and_due()).saturating_sub(parts);
        Ok(more > 0)
    }

    /// The present owner of a stream and its next one, if an edit passes the stream from one user to another.
    fn passes(&self, record: &StreamRecord, edit: &SsrcEdit<'_>) -> Option<(Owner, UserId)> {
        let before = self.mapping.owner(record.ssrc).filter(|_| record.samples > 0)?;
        let after = self.mapping.user_after(record.ssrc, edit)?;
        (before.user != after).then(|| (before.clone(), after))
    }

    /// Checks whether the limits allow `more` entries about SSRCs.
    fn check_ssrcs(&self, more: usize, limits: Limits, usage: Usage) -> Result<(), NoCapacity> {
        let fits = self.mapping.len().saturating_add(more) <= limits.ssrcs_per_fabric();
        if more == 0 || fits && usage.has_ssrcs(more, limits) { Ok(()) } else { Err(NoCapacity) }
    }

    /// The number of parts, and of streams that the next sample will split.
    fn parts_and_due(&self) -> usize {
        self.parts.len() + self.streams.iter().filter(|stream| stream.previous_owner.is_some()).count()
    }

    /// The fabric's share of the limits of all fabrics.
    #[cfg(feature = "serde")]
    pub(crate) fn usage(&self) -> Usage {
        Usage { streams: self.streams.len() + self.parts_and_due(), ssrcs: self.mapping.len() + self.app.len() }
    }

    /// Applies the state of the fabric to its streams, from `now` on.
    fn apply_app_state(&mut self, now: Timestamp) {
        for stream in self.streams.iter_mut() {
            let StreamSlot { record, app, .. } = stream;
            let primary = self.mapping.primary(record.ssrc);
            app.set(now, self.app.of(record.direction, record.kind, record.ssrc, primary));
        }
    }
}

fn truncated(text: &str) -> String {
    String::from(cut(text, MAX_DEVICE_TEXT).0)
}
