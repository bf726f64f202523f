//! Whose media an SSRC carries.

use alloc::string::String;
use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::id::{Ssrc, UserId};

/// Which user an SSRC was associated with, and which SSRC it follows.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct SsrcMap {
    /// Sorted by SSRC.
    bound: Vec<(Ssrc, Owner)>,
    /// SSRCs that follow another one, sorted: layers, retransmissions, forward error correction.
    follows: SmallVec<[(Ssrc, Ssrc); 2]>,
    /// What descriptions say of SSRCs, sorted.
    described: Vec<(Ssrc, Described)>,
}

/// What a session description says of one SSRC.
///
/// ```
/// use callgauge::fabric::SsrcDescription;
/// use callgauge::id::Ssrc;
/// // a=ssrc-group:FID 7 8, a=ssrc:8 cname:x, a=ssrc:8 msid:camera front
/// let retransmissions = SsrcDescription::new(Ssrc::new(8)).following(Ssrc::new(7)).with_cname("x").with_msid("camera front");
/// # let _ = retransmissions;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SsrcDescription<'a> {
    pub(crate) ssrc: Ssrc,
    pub(crate) primary: Ssrc,
    pub(crate) cname: &'a str,
    pub(crate) msid: &'a str,
}

impl<'a> SsrcDescription<'a> {
    /// An SSRC of which nothing else is said.
    #[must_use]
    pub const fn new(ssrc: Ssrc) -> Self {
        Self { ssrc, primary: ssrc, cname: "", msid: "" }
    }

    /// It is a layer, retransmissions or error correction of another one (`a=ssrc-group`, RFC 5576).
    #[must_use]
    pub const fn following(mut self, primary: Ssrc) -> Self {
        self.primary = primary;
        self
    }

    /// Its canonical name (RFC 3550 6.5.1): one for all streams of one source.
    #[must_use]
    pub const fn with_cname(mut self, cname: &'a str) -> Self {
        self.cname = cname;
        self
    }

    /// Its MediaStream and MediaStreamTrack (RFC 8830), as they stand in the description.
    #[must_use]
    pub const fn with_msid(mut self, msid: &'a str) -> Self {
        self.msid = msid;
        self
    }
}

/// What a description says of an SSRC, as it is kept; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Described {
    pub(crate) cname: String,
    pub(crate) msid: String,
}

/// Whose media it is, by the application's word.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Owner {
    pub(crate) user: UserId,
    /// `usageLabel`; empty for none.
    pub(crate) label: String,
}

/// A change of the map.
pub(crate) enum SsrcEdit<'a> {
    /// The SSRC is this one's.
    Associate(Ssrc, Owner),
    /// The others follow the first.
    Group(Ssrc, &'a [Ssrc]),
}

impl SsrcMap {
    /// Whom an SSRC will be associated with after an edit.
    pub(crate) fn user_after(&self, ssrc: Ssrc, edit: &SsrcEdit<'_>) -> Option<UserId> {
        let own = |of: Ssrc| match edit {
            SsrcEdit::Associate(bound, owner) if *bound == of => Some(owner.user),
            _ => self.own(of).map(|owner| owner.user),
        };
        let primary = match edit {
            SsrcEdit::Associate(..) => self.primary(ssrc),
            SsrcEdit::Group(first, others) => {
                let (leader, before) = (self.primary(*first), self.primary(ssrc));
                if others.contains(&ssrc) || others.contains(&before) { leader } else { before }
            }
        };
        own(ssrc).or_else(|| own(primary))
    }

    /// Edits the map.
    pub(crate) fn apply(&mut self, edit: SsrcEdit<'_>) {
        match edit {
            SsrcEdit::Associate(ssrc, owner) => self.bind(ssrc, owner),
            SsrcEdit::Group(primary, others) => others.iter().for_each(|&other| self.follow(primary, other)),
        }
    }

    /// Whom an SSRC was associated with: itself, or else the one that it follows.
    pub(crate) fn owner(&self, ssrc: Ssrc) -> Option<&Owner> {
        self.own(ssrc).or_else(|| self.own(self.primary(ssrc)))
    }

    /// The SSRC that this one follows, or itself.
    pub(crate) fn primary(&self, ssrc: Ssrc) -> Ssrc {
        let place = self.follows.binary_search_by_key(&ssrc, |&(ssrc, _)| ssrc).ok();
        place.and_then(|at| self.follows.get(at)).map_or(ssrc, |&(_, primary)| primary)
    }

    /// Whom the SSRC itself was associated with.
    pub(crate) fn own(&self, ssrc: Ssrc) -> Option<&Owner> {
        let place = self.bound.binary_search_by_key(&ssrc, |&(ssrc, _)| ssrc).ok()?;
        self.bound.get(place).map(|(_, owner)| owner)
    }

    /// How many SSRCs are remembered; one counts for each thing that is known of it.
    pub(crate) fn len(&self) -> usize {
        self.bound.len() + self.follows.len() + self.described.len()
    }

    /// What a description says of an SSRC.
    pub(crate) fn described(&self, ssrc: Ssrc) -> Option<&Described> {
        let place = self.described.binary_search_by_key(&ssrc, |&(ssrc, _)| ssrc).ok()?;
        self.described.get(place).map(|(_, described)| described)
    }

    /// Takes what a description says of an SSRC, instead of what one said before.
    pub(crate) fn describe(&mut self, description: &SsrcDescription<'_>) {
        let described = Described { cname: description.cname.into(), msid: description.msid.into() };
        match self.described.binary_search_by_key(&description.ssrc, |&(ssrc, _)| ssrc) {
            Ok(at) => {
                if let Some((_, before)) = self.described.get_mut(at) {
                    *before = described;
                }
            }
            Err(at) => self.described.insert(at, (description.ssrc, described)),
        }
    }

    fn bind(&mut self, ssrc: Ssrc, owner: Owner) {
        match self.bound.binary_search_by_key(&ssrc, |&(ssrc, _)| ssrc) {
            Ok(at) => {
                if let Some((_, bound)) = self.bound.get_mut(at) {
                    *bound = owner;
                }
            }
            Err(at) => self.bound.insert(at, (ssrc, owner)),
        }
    }

    /// Lets `other` follow `primary`, or what that follows. An SSRC never follows itself, nor do two each other.
    pub(crate) fn follow(&mut self, primary: Ssrc, other: Ssrc) {
        let primary = self.primary(primary);
        if primary == other {
            return;
        }
        // Whoever followed the other one follows its primary.
        for (_, follows) in &mut self.follows {
            if *follows == other {
                *follows = primary;
            }
        }
        match self.follows.binary_search_by_key(&other, |&(ssrc, _)| ssrc) {
            Ok(at) => {
                if let Some((_, follows)) = self.follows.get_mut(at) {
                    *follows = primary;
                }
            }
            Err(at) => self.follows.insert(at, (other, primary)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whoever_follows_follows_an_ssrc_that_follows_nobody(
            links in prop::collection::vec((0..8_u32, 0..8_u32), 0..40)
        ) {
            let mut mapping = SsrcMap::default();
            for (primary, other) in links {
                mapping.follow(Ssrc::new(primary), Ssrc::new(other));
                for ssrc in (0..8).map(Ssrc::new) {
                    let primary = mapping.primary(ssrc);
                    prop_assert_eq!(mapping.primary(primary), primary);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn what_an_edit_will_do_is_what_it_does(
            edits in prop::collection::vec((any::<bool>(), 0..6_u32, prop::collection::vec(0..6_u32, 0..4)), 0..20)
        ) {
            let mut mapping = SsrcMap::default();
            for (binds, first, others) in edits {
                let others: Vec<Ssrc> = others.into_iter().map(Ssrc::new).collect();
                let owner = Owner { user: UserId(others.len() as u32), label: String::new() };
                let edit =
                    if binds { SsrcEdit::Associate(Ssrc::new(first), owner) } else { SsrcEdit::Group(Ssrc::new(first), &others) };
                let ssrcs = || (0..6).map(Ssrc::new);
                let foreseen: Vec<_> = ssrcs().map(|ssrc| mapping.user_after(ssrc, &edit)).collect();
                mapping.apply(edit);
                let is: Vec<_> = ssrcs().map(|ssrc| mapping.owner(ssrc).map(|owner| owner.user)).collect();
                prop_assert_eq!(foreseen, is);
            }
        }
    }

    #[test]
    fn an_own_association_goes_before_that_of_the_primary() {
        let owner = |user| Owner { user: UserId(user), label: String::new() };
        let (camera, layer, retransmission) = (Ssrc::new(1), Ssrc::new(2), Ssrc::new(3));
        let mut mapping = SsrcMap::default();
        mapping.follow(camera, layer);
        mapping.follow(layer, retransmission);
        mapping.bind(camera, owner(7));
        mapping.bind(layer, owner(8));
        let user = |ssrc| mapping.owner(ssrc).map(|owner| owner.user.0);
        assert_eq!([camera, layer, retransmission].map(user), [Some(7), Some(8), Some(7)]);
        assert_eq!(user(Ssrc::new(4)), None);
    }
}
