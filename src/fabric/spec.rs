//! The description of a PeerConnection at its opening: name, users and purpose. It changes nothing by itself.

use alloc::string::String;

use crate::event::{EndpointType, FabricUsage, TransmissionDirection};
use crate::id::UserId;

/// The description of a PeerConnection at its opening (`addNewFabric`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FabricSpec {
    name: String,
    pub(crate) local_user: Option<UserId>,
    pub(crate) remote_user: Option<UserId>,
    pub(crate) usage: Option<FabricUsage>,
    pub(crate) endpoint: Option<EndpointType>,
    pub(crate) direction: Option<TransmissionDirection>,
    pub(crate) opened_before: bool,
}

impl FabricSpec {
    /// A PeerConnection, by its name in the application or the input.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Sets the user that reports, which owns sent streams by default. Users come from
    /// [`Conference::user`](crate::Conference::user).
    #[must_use]
    pub const fn with_local_user(mut self, user: UserId) -> Self {
        self.local_user = Some(user);
        self
    }

    /// Sets the user at the other end, which owns received streams by default.
    #[must_use]
    pub const fn with_remote_user(mut self, user: UserId) -> Self {
        self.remote_user = Some(user);
        self
    }

    /// Sets its use.
    #[must_use]
    pub const fn with_usage(mut self, usage: FabricUsage) -> Self {
        self.usage = Some(usage);
        self
    }

    /// Sets the type of the remote endpoint.
    #[must_use]
    pub const fn with_endpoint_type(mut self, endpoint: EndpointType) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Sets the intended direction of media.
    #[must_use]
    pub const fn with_direction(mut self, direction: TransmissionDirection) -> Self {
        self.direction = Some(direction);
        self
    }

    /// Marks the opening as unknown, for example when a recording begins later: the set-up delay is then unknown.
    #[must_use]
    pub const fn with_unknown_opening(mut self) -> Self {
        self.opened_before = true;
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether both describe the same PeerConnection: same name, same users at both ends, and the local user is known.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.local_user.is_some()
            && (&self.name, self.local_user, self.remote_user) == (&other.name, other.local_user, other.remote_user)
    }
}
