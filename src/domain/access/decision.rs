//! May this request go ahead? (rbac.md 6, rest-api.md 1.5)

use crate::domain::scope::{Coverage, Filters, Membership, Scopes};

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// The hub, or a collection as a whole: only an unlimited scope will do. Anything that changes a collection.
    None,
    /// A listing whose result is cut down to what the scope covers. Never for anything that writes.
    Listing,
    /// A user.
    User(&'a str),
    /// A user's server; empty for the default server.
    Server {
        /// The owner.
        user: &'a str,
        /// The server's name.
        server: &'a str,
    },
    /// A group.
    Group(&'a str),
    /// A service.
    Service(&'a str),
}

/// The answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'a> {
    /// Go ahead.
    Allowed,
    /// 403: none of these scopes is held in a way that could ever fit.
    Forbidden {
        /// The scopes of which one is needed.
        needed: &'a [&'a str],
    },
    /// 404: a fitting scope is held, but not for this resource. The same answer as if it did not exist.
    NotFound,
}

/// Decides a request that needs any one of `any_of` for `resource`.
#[must_use]
pub fn check<'a>(
    scopes: &Scopes,
    any_of: &'a [&'a str],
    resource: &Resource<'_>,
    members: &dyn Membership,
) -> Decision<'a> {
    let mut held = false;
    for base in any_of {
        let Some(coverage) = scopes.coverage(base) else {
            continue;
        };
        if covers(coverage, base, resource, members) {
            return Decision::Allowed;
        }
        held = true;
    }
    let names_something = !matches!(resource, Resource::None | Resource::Listing);
    if held && names_something { Decision::NotFound } else { Decision::Forbidden { needed: any_of } }
}

fn covers(coverage: &Coverage, base: &str, resource: &Resource<'_>, members: &dyn Membership) -> bool {
    let Some(filters) = coverage.filters() else {
        return true;
    };
    match *resource {
        Resource::None => false,
        Resource::Listing => can_cut_down(base, filters),
        Resource::User(user) => filters.covers_user(user, members),
        Resource::Server { user, server } => filters.covers_server(user, server, members),
        Resource::Group(group) => filters.groups.contains(group),
        Resource::Service(service) => filters.services.contains(service),
    }
}

/// Whether a listing can be cut down to these filters. Users and groups refuse filters of another kind; services
/// show an empty list (rest-api.md 4.3, 4.10, 4.11).
fn can_cut_down(base: &str, filters: &Filters) -> bool {
    match base {
        "list:users" => filters.servers.is_empty() && filters.services.is_empty(),
        "list:groups" => {
            filters.users.is_empty() && filters.servers.is_empty() && filters.services.is_empty()
        }
        _ => true,
    }
}
