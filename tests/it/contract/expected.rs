//! Who may do what, written once more from rest-api.md 1.5 and rbac.md 6, independently of the code under test.

use super::document::Operation;

/// What a scope is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    User,
    Group,
    Server,
    Service,
}

impl Filter {
    pub(super) const ALL: [Self; 4] = [Self::User, Self::Group, Self::Server, Self::Service];
}

/// Whether the filter names what the request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Target,
    Elsewhere,
}

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Nothing,
    Listing,
    User,
    Server,
    Group,
    Service,
}

/// What comes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Allowed,
    Forbidden,
    NotFound,
}

/// The key by the shape of the URL (rest-api.md 1.5).
pub(super) fn key(operation: &Operation) -> Key {
    let path = operation.path.as_str();
    let first = path.split('/').nth(1).unwrap_or_default();
    let third = path.split('/').nth(3).unwrap_or_default();
    match first {
        "users" | "groups" | "services" if !path.contains('{') => {
            if operation.method == "GET" {
                Key::Listing
            } else {
                Key::Nothing
            }
        }
        "users" if third == "server" || third == "servers" => Key::Server,
        "users" => Key::User,
        "groups" => Key::Group,
        "services" => Key::Service,
        "shares" | "share-codes" if operation.has("server") => Key::Server,
        "shares" | "share-codes" => Key::User,
        _ => Key::Nothing,
    }
}

/// Scopes that every token of a user has for its owner (rbac.md 9).
const IDENTITY: [&str; 2] = ["read:users:name", "read:users:groups"];

/// What a token of `root` may do that has this scope of the operation's, with this filter.
pub(super) fn outcome(operation: &Operation, scope: &str, filter: Option<(Filter, Reach)>) -> Outcome {
    let Some((filter, reach)) = filter else { return Outcome::Allowed };
    // expansion drops what a server cannot have (rbac.md 4)
    let dropped = filter == Filter::Server && scope.starts_with("read:user");
    let key = key(operation);
    if operation.path == "/metrics" {
        return Outcome::Allowed;
    }
    if key == Key::Nothing {
        return Outcome::Forbidden;
    }
    if key == Key::Listing {
        return if is_listed(scope, filter) { Outcome::Allowed } else { Outcome::Forbidden };
    }
    if !dropped && reach == Reach::Target && covers(operation, key, filter) {
        return Outcome::Allowed;
    }
    without(operation, !dropped)
}

/// What a holder of nothing for this target may do; `holds` says whether it holds one of the scopes for another one.
fn without(operation: &Operation, holds: bool) -> Outcome {
    // who may not make a token does not learn whether the user exists (rest-api.md 4.5)
    if operation.id == "create_token" {
        return Outcome::Forbidden;
    }
    let identity = operation.scopes.iter().any(|scope| IDENTITY.contains(&scope.as_str()));
    if holds || identity { Outcome::NotFound } else { Outcome::Forbidden }
}

/// What a token of `root` without scopes may do.
pub(super) fn outcome_without_scopes(operation: &Operation) -> Outcome {
    if operation.scopes.is_empty() { Outcome::Allowed } else { without(operation, false) }
}

fn is_listed(scope: &str, filter: Filter) -> bool {
    match scope {
        "list:users" => matches!(filter, Filter::User | Filter::Group),
        "list:groups" => filter == Filter::Group,
        // others give an empty list
        _ => true,
    }
}

fn covers(operation: &Operation, key: Key, filter: Filter) -> bool {
    match key {
        // somebody who is not there yet is in no group
        Key::User if operation.id == "create_user" => filter == Filter::User,
        Key::User => matches!(filter, Filter::User | Filter::Group),
        Key::Server => matches!(filter, Filter::User | Filter::Group | Filter::Server),
        Key::Group => filter == Filter::Group,
        Key::Service => filter == Filter::Service,
        Key::Nothing | Key::Listing => false,
    }
}
