//! What somebody may do, read from the database and worked out by the domain (rbac.md 9).

use std::collections::HashSet;
use std::sync::Arc;

use log::warn;

use super::supervision::Supervision;
use crate::domain::access::{
    Bearer, ShareGrant, effective_for_service, effective_for_token, effective_for_user,
    server_token_scopes as limited,
};
use crate::domain::ids::ServerId;
use crate::domain::names::{GroupName, ServerKey, Username};
use crate::domain::scope::{Catalogue, ClientOwner, Filter, Membership, Owner, RawScope, Scopes};
use crate::store::{Db, StoreError, groups, oauth, roles, servers, services, shares, tokens, users};

/// Who is in the groups that some scopes filter by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members(HashSet<(Username, GroupName)>);

impl Membership for Members {
    fn is_member(&self, user: &str, group: &str) -> bool {
        // few groups are named in filters, so a look-up may build its key
        self.0.contains(&(Username::from_stored(user), GroupName::from_stored(group)))
    }
}

/// What somebody may do.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The effective scopes.
    pub scopes: Scopes,
    /// The raw scopes of the roles behind them.
    pub raw: Vec<RawScope>,
    /// Members of the groups that the scopes filter by.
    pub members: Members,
}

/// What a user may do.
///
/// # Errors
/// If a query fails.
pub fn of_user(db: &mut Db, catalogue: &Catalogue, user: &users::User) -> Result<Granted, StoreError> {
    let raw = parsed(roles::user_scopes(db, user.id)?.iter(), catalogue);
    let granted_to = shares::ShareFilter::User(user.id);
    let shares = shares::page(db, granted_to, chrono::Utc::now(), 0, i64::MAX)?.items;
    let shared: Vec<(ServerKey, Vec<RawScope>)> =
        shares.into_iter().map(|share| (share.server, parsed(share.scopes.iter(), catalogue))).collect();
    let grants = shared.iter().map(|(server, scopes)| ShareGrant { server, scopes });
    let scopes = effective_for_user(&raw, grants, user.name.as_str(), catalogue);
    granted(db, scopes, raw)
}

/// What a service may do by its roles.
///
/// # Errors
/// If a query fails.
pub fn of_service(
    db: &mut Db,
    catalogue: &Catalogue,
    service: &services::Service,
) -> Result<Granted, StoreError> {
    let raw = parsed(roles::service_scopes(db, service.id)?.iter(), catalogue);
    let scopes = effective_for_service(&raw, &service.definition.name, catalogue);
    granted(db, scopes, raw)
}

/// What a token permits, of what its owner may do.
///
/// # Errors
/// If a query fails.
pub fn of_token(
    db: &mut Db,
    catalogue: &Catalogue,
    token: &tokens::Token,
    owner: Owner<'_>,
    owned: Granted,
) -> Result<Granted, StoreError> {
    let listed = parsed(token.scopes.iter(), catalogue);
    let client = client_owner(db, &token.client_id)?;
    let Granted { scopes, raw, members: mut known } = owned;
    // A filter of the token may name a group that no scope of the owner does.
    known.0.extend(members(db, listed.iter())?.0);
    let bearer = Bearer { owner, client: client.as_domain(), members: &known, catalogue };
    let scopes = effective_for_token(&listed, scopes, &bearer);
    Ok(Granted { scopes, raw, members: known })
}

/// Whom an OAuth client belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client {
    /// The hub itself.
    Hub,
    /// A user's server.
    Server(ServerKey),
    /// A service.
    Service(String),
}

impl Client {
    /// As the domain names it.
    #[must_use]
    pub fn as_domain(&self) -> ClientOwner<'_> {
        match self {
            Self::Hub => ClientOwner::Hub,
            Self::Server(key) => ClientOwner::Server(key),
            Self::Service(name) => ClientOwner::Service(name),
        }
    }
}

/// Whom the client with this id belongs to; the hub if nobody else.
///
/// # Errors
/// If a query fails.
pub fn client_owner(db: &mut Db, identifier: &str) -> Result<Client, StoreError> {
    if identifier == oauth::HUB_CLIENT {
        return Ok(Client::Hub);
    }
    let Some(client) = oauth::find(db, identifier)? else { return Ok(Client::Hub) };
    Ok(match client.owner {
        oauth::ClientOwner::Hub => Client::Hub,
        oauth::ClientOwner::Server(id) => key_of(db, id)?.map_or(Client::Hub, Client::Server),
        oauth::ClientOwner::Service(id) => services::find_by_id(db, id)?
            .map_or(Client::Hub, |service| Client::Service(service.definition.name)),
    })
}

/// The names of a server.
///
/// # Errors
/// If a query fails.
pub fn key_of(db: &mut Db, id: ServerId) -> Result<Option<ServerKey>, StoreError> {
    let Some(server) = servers::find_by_id(db, id)? else { return Ok(None) };
    let user = users::find_by_id(db, server.user_id)?;
    Ok(user.map(|user| ServerKey::new(user.name, server.name)))
}

/// Stored scopes that this program still knows; others permit nothing.
#[must_use]
pub fn parsed<'t>(texts: impl Iterator<Item = &'t String>, catalogue: &Catalogue) -> Vec<RawScope> {
    let known = texts.filter_map(|text| match RawScope::parse(text, catalogue) {
        Ok(scope) => Some(scope),
        Err(unknown) => {
            warn!(scope = text.as_str(), error:% = unknown; "a stored scope is not known and permits nothing");
            None
        }
    });
    known.collect()
}

fn granted(db: &mut Db, scopes: Scopes, raw: Vec<RawScope>) -> Result<Granted, StoreError> {
    let filters: Vec<RawScope> = scopes.to_raw().collect();
    let members = members(db, filters.iter())?;
    Ok(Granted { scopes, raw, members })
}

/// Loads the members of the groups that scopes filter by; usually there are none.
fn members<'s>(db: &mut Db, scopes: impl Iterator<Item = &'s RawScope>) -> Result<Members, StoreError> {
    let named: HashSet<GroupName> = scopes
        .filter_map(|scope| match scope.filter() {
            Filter::Group(name) => Some(GroupName::from_stored(Arc::clone(name))),
            _ => None,
        })
        .collect();
    let mut members = Members::default();
    for name in named {
        let Some(group) = groups::find(db, &name)? else { continue };
        members.0.extend(groups::members(db, group.id)?.into_iter().map(|user| (user, name.clone())));
    }
    Ok(members)
}

/// The scopes of a new server token (rbac.md 14): those configured, or of the role `server`; as far as the owner has
/// them; and always the right to report activity.
pub(super) fn server_token_scopes(
    db: &mut Db,
    parts: &Supervision,
    user: &users::User,
    server: &ServerKey,
    configured: &[String],
) -> Result<Vec<String>, StoreError> {
    let now = parts.now();
    let texts = if configured.is_empty() {
        roles::find(db, "server")?.map(|role| role.scopes).unwrap_or_default()
    } else {
        configured.to_vec()
    };
    let requested = parsed(texts.iter(), &now.catalogue);
    let owned = of_user(db, &now.catalogue, user)?;
    let bearer = Bearer {
        owner: Owner::User(user.name.as_str()),
        client: ClientOwner::Hub,
        members: &owned.members,
        catalogue: &now.catalogue,
    };
    let kept = limited(&requested, server, &owned.scopes, &bearer);
    Ok(kept.iter().map(ToString::to_string).collect())
}
