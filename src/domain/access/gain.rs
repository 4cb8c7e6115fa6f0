//! What a change of names or memberships would bring somebody (the filters of scopes are names and groups).
//!
//! `groups` on a group decides who is in it, and with it whom every scope filtered by that group covers. That is meant:
//! who manages a class enrols its members. What is not meant is to enrol somebody mightier, so that the teachers of the
//! class act as an administrator; or to give an account a name over which somebody holds more rights.

use crate::domain::names::ServerKey;
use crate::domain::scope::{Coverage, Filters, Membership, Scopes};

/// Scopes with which one can act as the users that they cover, or on them and their servers.
const POWER: [&str; 10] = [
    "access:servers",
    "admin:auth_state",
    "admin:server_state",
    "admin:users",
    "delete:servers",
    "delete:users",
    "shares",
    "start:servers",
    "tokens",
    "users:shares",
];

/// Whether these scopes give power over whoever is in the group.
#[must_use]
pub fn has_power_over(scopes: &Scopes, group: &str) -> bool {
    let names_it = |filters: &Filters| filters.groups.contains(group);
    POWER.iter().any(|base| scopes.coverage(base).and_then(Coverage::filters).is_some_and(names_it))
}

/// Whether somebody holds a scope without limit that the other does not: an administrator of whatever kind.
#[must_use]
pub fn is_mightier(somebody: &Scopes, other: &Scopes) -> bool {
    somebody.unlimited().any(|base| other.coverage(base.as_str()) != Some(&Coverage::All))
}

/// Whether one of the scopes covers a user called `to` (who does not exist yet), or a server of that user, but not the
/// same of `from`.
#[must_use]
pub fn gains_user(scopes: &Scopes, from: &str, to: &str, members: &dyn Membership) -> bool {
    scopes.coverages().filter_map(Coverage::filters).any(|filters| {
        let covered = filters.covers_user(from, members);
        !covered && (filters.users.contains(to) || gains_servers(filters, from, to, members))
    })
}

fn gains_servers(filters: &Filters, from: &str, to: &str, members: &dyn Membership) -> bool {
    let of_new =
        filters.servers.iter().filter_map(|key| key.split_once('/')).filter(|(owner, _)| *owner == to);
    of_new.into_iter().any(|(_, server)| !filters.covers_server(from, server, members))
}

/// The same for a server that is to be called `to`.
#[must_use]
pub fn gains_server(scopes: &Scopes, from: &ServerKey, to: &ServerKey, members: &dyn Membership) -> bool {
    let covers = |filters: &Filters, key: &ServerKey| {
        filters.covers_server(key.user.as_str(), key.server.as_str(), members)
    };
    scopes
        .coverages()
        .filter_map(Coverage::filters)
        .any(|filters| covers(filters, to) && !covers(filters, from))
}
