//! What is known of a PeerConnection when it is opened: its name, its users and its purpose. It changes nothing by itself.

use alloc::string::String;

use crate::event::{EndpointType, FabricUsage, TransmissionDirection};
use crate::id::UserId;

/// What is known of a PeerConnection when it is opened (`addNewFabric`).
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
    /// A PeerConnection by the name that the application or the input has for it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Who reports, and to whom streams that are sent belong by default. Users come from
    /// [`Conference::user`](crate::Conference::user).
    #[must_use]
    pub const fn with_local_user(mut self, user: UserId) -> Self {
        self.local_user = Some(user);
        self
    }

    /// Who is at the other end, and to whom streams that are received belong by default.
    #[must_use]
    pub const fn with_remote_user(mut self, user: UserId) -> Self {
        self.remote_user = Some(user);
        self
    }

    /// What it carries.
    #[must_use]
    pub const fn with_usage(mut self, usage: FabricUsage) -> Self {
        self.usage = Some(usage);
        self
    }

    /// What is at the other end.
    #[must_use]
    pub const fn with_endpoint_type(mut self, endpoint: EndpointType) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Which way media is meant to flow.
    #[must_use]
    pub const fn with_direction(mut self, direction: TransmissionDirection) -> Self {
        self.direction = Some(direction);
        self
    }

    /// It was opened at some time before, as when a recording begins: nothing can be said of how long it took to set up.
    #[must_use]
    pub const fn with_unknown_opening(mut self) -> Self {
        self.opened_before = true;
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the two are about one PeerConnection: same name, same users at both ends, and the local one is known.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.local_user.is_some()
            && (&self.name, self.local_user, self.remote_user) == (&other.name, other.local_user, other.remote_user)
    }
}
