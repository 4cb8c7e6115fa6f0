//! Who may grant what (rbac.md 11) and what a server's own token gets (14).

use super::decision::{Decision, Resource, check};
use super::effective::Bearer;
use super::resolve::resolve_against;
use crate::domain::names::ServerKey;
use crate::domain::scope::{Base, Filter, RawScope, Scopes};

/// Scopes that were asked for but are not held by the one who would have to hold them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these scopes are not held and so can't be granted: {}", .missing.join(", "))]
pub struct NotHeld {
    /// The missing scopes, expanded and sorted.
    pub missing: Vec<String>,
}

/// Whether all that the requested scopes mean for this bearer is held. Shorthands that can't be resolved mean
/// nothing, so they are accepted.
///
/// # Errors
/// What is missing.
pub fn check_held<'s>(
    requested: impl IntoIterator<Item = &'s RawScope>,
    held: &Scopes,
    bearer: &Bearer<'_>,
) -> Result<(), NotHeld> {
    let wanted = bearer.expand(requested);
    if wanted.is_subset_of(held, bearer.members) {
        return Ok(());
    }
    let missing = wanted.beyond(held, bearer.members).to_strings();
    Err(NotHeld { missing })
}

/// Whether a new token may carry these scopes: `inherit` always, anything else as far as its **owner** holds it.
/// Whether the requester may make tokens for that owner at all is another question (scope `tokens`).
///
/// # Errors
/// What the owner lacks.
pub fn check_token_request(
    requested: &[RawScope],
    owner_scopes: &Scopes,
    bearer: &Bearer<'_>,
) -> Result<(), NotHeld> {
    check_held(requested.iter().filter(|scope| !scope.is_inherit()), owner_scopes, bearer)
}

/// Whether someone is flagged as admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminFlag {
    /// Flagged.
    Admin,
    /// Not flagged.
    Ordinary,
}

/// Whether the requester may create or change a user whose flag is `target` and would become `wanted`. Besides the
/// scope `admin:users`, anything that touches an admin needs the requester's own flag.
#[must_use]
pub fn may_set_admin(requester: AdminFlag, target: AdminFlag, wanted: AdminFlag) -> bool {
    requester == AdminFlag::Admin || (target == AdminFlag::Ordinary && wanted == AdminFlag::Ordinary)
}

/// With whom a server is to be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grantee<'a> {
    /// With a user.
    User(&'a str),
    /// With the members of a group.
    Group(&'a str),
    /// With whoever redeems a code.
    Code,
}

/// Why someone may not share a server like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareRefused {
    /// Nobody can share what they don't hold on that server.
    #[error(transparent)]
    NotHeld(#[from] NotHeld),
    /// The requester may not see the grantee, who may or may not exist.
    #[error("sharing with '{grantee}' needs the scope {needed} for that name")]
    Grantee {
        /// The name as given.
        grantee: String,
        /// The scope that shows it.
        needed: &'static str,
    },
}

/// Whether the holder may grant these scopes (each already limited to the server, [`RawScope::for_share`]) to the
/// grantee. Asked before it is known whether the grantee exists.
///
/// # Errors
/// The first reason against it.
pub fn check_share(
    granted: &[RawScope],
    grantee: Grantee<'_>,
    held: &Scopes,
    bearer: &Bearer<'_>,
) -> Result<(), ShareRefused> {
    check_held(granted, held, bearer)?;
    let (name, needed, resource) = match grantee {
        Grantee::User(name) => (name, "read:users:name", Resource::User(name)),
        Grantee::Group(name) => (name, "read:groups:name", Resource::Group(name)),
        Grantee::Code => return Ok(()),
    };
    if check(held, &[needed], &resource, bearer.members) == Decision::Allowed {
        return Ok(());
    }
    let grantee = name.to_owned();
    Err(ShareRefused::Grantee { grantee, needed })
}

/// The scopes to store in the token that a server is started with: the configured ones for this server, always with
/// the right to report the user's activity, as far as the user holds them.
#[must_use]
pub fn server_token_scopes(
    configured: &[RawScope],
    server: &ServerKey,
    owner_scopes: &Scopes,
    bearer: &Bearer<'_>,
) -> Vec<RawScope> {
    let mut wanted: Vec<RawScope> = configured.iter().map(|scope| scope.with_own_server(server)).collect();
    let activity = |filter| RawScope::new(Base::standard("users:activity"), filter);
    let enough = [RawScope::inherit(), activity(Filter::OwnUser), activity(Filter::Unfiltered)];
    if !wanted.iter().any(|scope| enough.contains(scope)) {
        wanted.push(activity(Filter::OwnUser));
    }
    resolve_against(&wanted, &[RawScope::inherit()], owner_scopes, bearer).granted
}
