//! Which of the scopes an OAuth client asks for it gets (rbac.md 15, oauth.md 3).

use std::collections::BTreeSet;

use super::effective::Bearer;
use super::grant::NotHeld;
use crate::domain::scope::{Catalogue, RawScope, ScopeError, Scopes};

/// What becomes of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolution {
    /// To be granted, sorted. A scope that is only partly held appears as the parts that are.
    pub granted: Vec<RawScope>,
    /// Asked for but not held, or not wholly, in the order asked.
    pub not_granted: Vec<RawScope>,
}

/// Compares requested with held raw scopes, for one bearer.
#[must_use]
pub fn resolve_requested(requested: &[RawScope], held: &[RawScope], bearer: &Bearer<'_>) -> Resolution {
    resolve_against(requested, held, &bearer.expand(held), bearer)
}

/// The same against scopes that are worked out already; `literal` are granted whenever asked for.
pub(super) fn resolve_against(
    requested: &[RawScope],
    literal: &[RawScope],
    held: &Scopes,
    bearer: &Bearer<'_>,
) -> Resolution {
    let mut granted = BTreeSet::new();
    let mut not_granted = Vec::new();
    for scope in requested {
        if literal.contains(scope) {
            granted.insert(scope.clone());
            continue;
        }
        let wanted = bearer.expand([scope]);
        let covered = wanted.intersect(held, bearer.members);
        if covered == wanted && !wanted.is_empty() {
            granted.insert(scope.clone());
        } else {
            granted.extend(covered.to_raw());
            not_granted.push(scope.clone());
        }
    }
    let granted = granted.into_iter().collect();
    Resolution { granted, not_granted }
}

/// The `scope` parameter of an authorisation request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OAuthRequest {
    /// Absent or empty: all that the client may ask for.
    Default,
    /// These.
    Scopes(Vec<RawScope>),
}

/// Reads the `scope` parameter: scopes separated by spaces, or role names that stand for their scopes. `identify` is
/// ignored: clients of the time before scopes send it. `role` finds the scopes of a role.
///
/// # Errors
/// The first entry that is neither; the client is told `invalid_scope`.
pub fn read_scope_parameter(
    text: Option<&str>,
    catalogue: &Catalogue,
    role: impl Fn(&str) -> Option<Vec<RawScope>>,
) -> Result<OAuthRequest, ScopeError> {
    let mut words = text.unwrap_or_default().split_whitespace().peekable();
    if words.peek().is_none() {
        return Ok(OAuthRequest::Default);
    }
    let words: Vec<&str> = words.filter(|word| *word != "identify").collect();
    match RawScope::parse_all(&words, catalogue) {
        Ok(scopes) => Ok(OAuthRequest::Scopes(scopes)),
        Err(unknown) => {
            let roles: Option<Vec<_>> = words.iter().map(|word| role(word)).collect();
            roles.map(|roles| OAuthRequest::Scopes(roles.concat())).ok_or(unknown)
        }
    }
}

/// The first stage: what the client may ask for. Identity and access are part of both the request and what is
/// allowed.
///
/// # Errors
/// What goes beyond the client's allowed scopes; the client is told `invalid_scope`.
pub fn resolve_for_client(
    request: &OAuthRequest,
    allowed: &[RawScope],
    bearer: &Bearer<'_>,
) -> Result<Vec<RawScope>, NotHeld> {
    let requested = match request {
        OAuthRequest::Default => allowed,
        OAuthRequest::Scopes(scopes) => scopes,
    };
    let always = bearer.always_granted();
    let resolution = resolve_requested(&[requested, &always].concat(), &[allowed, &always].concat(), bearer);
    if resolution.not_granted.is_empty() {
        return Ok(resolution.granted);
    }
    let missing = resolution.not_granted.iter().map(ToString::to_string).collect();
    Err(NotHeld { missing })
}

/// The second stage: what of that the user can give, from the raw scopes of own and group roles. `inherit`, identity
/// and access can always be given; whether the user may use the client's server or service at all is checked before.
#[must_use]
pub fn resolve_for_user(requested: &[RawScope], user_scopes: &[RawScope], bearer: &Bearer<'_>) -> Resolution {
    let mut held = [user_scopes, &bearer.always_granted()].concat();
    held.push(RawScope::inherit());
    resolve_requested(requested, &held, bearer)
}

/// What the consent form carries and the code stores: everything, or only `inherit` if that is among it.
#[must_use]
pub fn posted_scopes(granted: &[RawScope]) -> Vec<RawScope> {
    if granted.iter().any(RawScope::is_inherit) { vec![RawScope::inherit()] } else { granted.to_vec() }
}

/// What the consent page lists: not identity and access, which go without saying.
#[must_use]
pub fn shown_scopes(granted: &[RawScope], bearer: &Bearer<'_>) -> Vec<RawScope> {
    let always = bearer.always_granted();
    posted_scopes(granted).into_iter().filter(|scope| !always.contains(scope)).collect()
}
