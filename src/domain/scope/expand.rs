//! From what is written to what it means: sub-scopes, `self`, shorthand filters (rbac.md 4 and 5).

use super::catalogue::{Base, Catalogue};
use super::coverage::{Coverage, Scopes};
use super::parse::{Filter, RawScope};
use super::standard::SELF_SCOPES;
use crate::domain::names::ServerKey;

/// Who bears a role or a token. For a role that a group has, this is the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// A user, by name.
    User(&'a str),
    /// A service, by name.
    Service(&'a str),
    /// Nobody: shorthands and `self` mean nothing.
    None,
}

/// Who owns the OAuth client that a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientOwner<'a> {
    /// The hub itself: tokens made through the API or a page, login cookies, roles.
    Hub,
    /// A user's server.
    Server(&'a ServerKey),
    /// A service, by name.
    Service(&'a str),
}

/// Works out what raw scopes permit their bearer. What can't be resolved (a shorthand without the thing it stands
/// for, `self` of a service) permits nothing.
pub fn expand<'s>(
    raw: impl IntoIterator<Item = &'s RawScope>,
    owner: Owner<'_>,
    client: ClientOwner<'_>,
    catalogue: &Catalogue,
) -> Scopes {
    let mut scopes = Scopes::none();
    for scope in raw {
        if scope.is_unfiltered("self") {
            add_self(&mut scopes, owner);
        } else if let Some(coverage) = resolve(scope.filter(), owner, client) {
            add_closure(&mut scopes, scope.base(), &coverage, catalogue);
        }
    }
    scopes
}

/// What a filter covers for this bearer.
fn resolve(filter: &Filter, owner: Owner<'_>, client: ClientOwner<'_>) -> Option<Coverage> {
    let resolved = match (filter, owner, client) {
        (Filter::OwnUser, Owner::User(name), _) => Filter::User(name.into()),
        (Filter::OwnService, _, ClientOwner::Service(name))
        | (Filter::OwnService, Owner::Service(name), _) => Filter::Service(name.into()),
        (Filter::OwnServer, _, ClientOwner::Server(key)) => Filter::Server(key.full_name().into()),
        _ => return Coverage::of(filter),
    };
    Coverage::of(&resolved)
}

fn add_closure(scopes: &mut Scopes, base: &str, coverage: &Coverage, catalogue: &Catalogue) {
    // Rights on one server don't let anyone read about its owner: the contract drops these names here.
    let one_server = coverage.filters().is_some_and(|filters| !filters.servers.is_empty());
    for implied in catalogue.closure(base) {
        if !(one_server && implied.as_str().starts_with("read:user")) {
            scopes.add(implied, coverage);
        }
    }
}

fn add_self(scopes: &mut Scopes, owner: Owner<'_>) {
    let Owner::User(name) = owner else {
        return;
    };
    let Some(coverage) = Coverage::of(&Filter::User(name.into())) else {
        return;
    };
    for base in SELF_SCOPES {
        scopes.add(&Base::standard(base), &coverage);
    }
}
