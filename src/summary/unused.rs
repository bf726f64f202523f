//! Which connections of a call are unused: one rule for a summary and for a fleet.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// A connection, as far as its use depends on it.
pub(crate) struct Use<U> {
    /// The user that reports on it.
    pub(crate) user: Option<U>,
    /// Whether it ever carried media or data.
    pub(crate) is_used: bool,
    /// Whether it has any stream.
    pub(crate) has_streams: bool,
}

/// For each connection, whether it never carried media or data, beside another one of the same user that did: a page may
/// open connections to itself to test addresses, and their failure has no effect on the call. Of unnamed users only those
/// that have no streams at all: they may be of different users.
pub(crate) fn unused<U: Ord>(connections: &[Use<U>]) -> Vec<bool> {
    let users: BTreeSet<Option<&U>> =
        connections.iter().filter(|one| one.is_used).map(|one| one.user.as_ref()).collect();
    let is_unused =
        |one: &Use<U>| !one.is_used && users.contains(&one.user.as_ref()) && (one.user.is_some() || !one.has_streams);
    connections.iter().map(is_unused).collect()
}
