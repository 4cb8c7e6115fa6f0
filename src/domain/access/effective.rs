//! The effective scopes of a credential (rbac.md 9), worked out anew for each request.

use crate::domain::names::ServerKey;
use crate::domain::scope::{
    Base, Catalogue, ClientOwner, Filter, Membership, Owner, RawScope, Scopes, expand,
};

/// A share as it is stored: a server, and the raw scopes that it grants there.
#[derive(Debug, Clone, Copy)]
pub struct ShareGrant<'a> {
    /// The shared server, by its present name.
    pub server: &'a ServerKey,
    /// What is granted. Its filters are not trusted: whatever they say, only `server` is meant.
    pub scopes: &'a [RawScope],
}

/// What a user may do: the scopes of own roles and of the groups' roles, and what is shared with the user or the
/// groups. The same for a login cookie and as the limit of every token (defect Q-13 of the reference is not kept).
pub fn effective_for_user<'s>(
    role_scopes: impl IntoIterator<Item = &'s RawScope>,
    shares: impl IntoIterator<Item = ShareGrant<'s>>,
    user: &str,
    catalogue: &Catalogue,
) -> Scopes {
    let expand = |raw: &mut dyn Iterator<Item = &RawScope>| {
        expand(raw, Owner::User(user), ClientOwner::Hub, catalogue)
    };
    let mut scopes = expand(&mut role_scopes.into_iter());
    for share in shares {
        let granted: Vec<RawScope> = share.scopes.iter().map(|scope| scope.on_server(share.server)).collect();
        scopes = scopes.union(&expand(&mut granted.iter()));
    }
    scopes
}

/// What a service may do by its roles.
pub fn effective_for_service<'s>(
    role_scopes: impl IntoIterator<Item = &'s RawScope>,
    service: &str,
    catalogue: &Catalogue,
) -> Scopes {
    expand(role_scopes, Owner::Service(service), ClientOwner::Hub, catalogue)
}

/// Whose scopes are worked out, and with what knowledge of the world.
#[derive(Clone, Copy)]
pub struct Bearer<'a> {
    /// The user or service that owns the token.
    pub owner: Owner<'a>,
    /// Who owns the OAuth client that the token comes from.
    pub client: ClientOwner<'a>,
    /// Who is in which group.
    pub members: &'a dyn Membership,
    /// The known scopes.
    pub catalogue: &'a Catalogue,
}

impl Bearer<'_> {
    /// What raw scopes permit this bearer.
    pub fn expand<'s>(&self, raw: impl IntoIterator<Item = &'s RawScope>) -> Scopes {
        expand(raw, self.owner, self.client, self.catalogue)
    }

    /// The scopes that are part of whatever this bearer asks for: its identity, and access to the OAuth client.
    #[must_use]
    pub fn always_granted(&self) -> Vec<RawScope> {
        let mut scopes = identity_request(self.owner);
        scopes.extend(access_scope(self.client));
        scopes
    }
}

/// What a token permits: everything its owner may do if it holds `inherit`; otherwise what it lists, the identity of
/// its owner and access to the server or service that it was issued to, as far as the owner may do all that.
///
/// `owner_scopes` is the result of [`effective_for_user`] or [`effective_for_service`], taken by value because an
/// `inherit` token, the most common kind, has exactly these.
#[must_use]
pub fn effective_for_token(token_scopes: &[RawScope], owner_scopes: Scopes, bearer: &Bearer<'_>) -> Scopes {
    if token_scopes.iter().any(RawScope::is_inherit) {
        return owner_scopes;
    }
    let access = access_scope(bearer.client);
    bearer
        .expand(token_scopes.iter().chain(&access))
        .union(&identity_scopes(bearer.owner, bearer.catalogue))
        .intersect(&owner_scopes, bearer.members)
}

/// What lets a caller see who it is itself. Part of every token, and granted for the length of `GET /user`.
#[must_use]
pub fn identity_scopes(owner: Owner<'_>, catalogue: &Catalogue) -> Scopes {
    expand(&identity_request(owner), owner, ClientOwner::Hub, catalogue)
}

/// The identity scopes as OAuth clients ask for them (`read:users:name!user`, …).
#[must_use]
pub fn identity_request(owner: Owner<'_>) -> Vec<RawScope> {
    let scope = |name, filter| RawScope::new(Base::standard(name), filter);
    match owner {
        Owner::User(_) => {
            vec![scope("read:users:groups", Filter::OwnUser), scope("read:users:name", Filter::OwnUser)]
        }
        Owner::Service(_) => vec![scope("read:services:name", Filter::OwnService)],
        Owner::None => Vec::new(),
    }
}

/// The right to use the server or service that owns an OAuth client.
#[must_use]
pub fn access_scope(client: ClientOwner<'_>) -> Option<RawScope> {
    let (name, filter) = match client {
        ClientOwner::Hub => return None,
        ClientOwner::Server(key) => ("access:servers", Filter::Server(key.full_name().into())),
        ClientOwner::Service(name) => ("access:services", Filter::Service(name.into())),
    };
    Some(RawScope::new(Base::standard(name), filter))
}
