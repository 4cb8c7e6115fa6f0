//! What an OAuth client asks for, compared with what it and the user may have (oauth.md 2.1 and 3).

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::actors::permissions::{self, Client as Owner, parsed};
use crate::domain::access::{
    Bearer, OAuthRequest, Resource, posted_scopes, read_scope_parameter, resolve_for_client, resolve_for_user,
};
use crate::domain::oauth::authorize::{AuthorizationError, AuthorizationQuery, AuthorizationRequest};
use crate::domain::oauth::redirect::Refusal;
use crate::domain::oauth::{Client, pkce};
use crate::domain::scope::{Catalogue, RawScope};
use crate::store::oauth::{self, OAuthClient};
use crate::store::tokens::{self, TokenOwner};
use crate::store::{Db, StoreError, roles, services};
use crate::web::caller::Caller;

/// More scopes than any client needs. Each is looked up and compared with all others, so a question must not be endless.
const MOST_SCOPES: usize = 100;

/// Why there is no answer to a client's question.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// The client's request is not in order.
    #[error(transparent)]
    Request(#[from] AuthorizationError),
    /// The client belongs to nobody.
    #[error("the client belongs to no server or service")]
    NobodysClient,
    /// The user may not use the server or service.
    #[error("You do not have permission to access {0}")]
    NoAccess(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which scopes are asked for.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    /// Those of the request's `scope` parameter.
    InQuery,
    /// Those that the user confirmed.
    InForm(Vec<String>),
}

/// A request in order, from a user with access.
pub(super) struct Question {
    /// The client's request.
    pub(super) request: AuthorizationRequest,
    /// The client.
    pub(super) client: OAuthClient,
    /// Whom it belongs to.
    pub(super) owner: Owner,
    /// What it gets.
    pub(super) granted: Vec<RawScope>,
    /// Whether the user has granted all that before.
    pub(super) known: bool,
    /// Whether the operator spares users this client's question.
    pub(super) trusted: bool,
}

/// What judging a question needs besides the database.
pub(super) struct Judge {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) caller: Arc<Caller>,
    pub(super) policy: pkce::Policy,
    pub(super) now: DateTime<Utc>,
}

impl Judge {
    /// All checks of oauth.md 2.1, in their order.
    pub(super) fn judge(&self, db: &mut Db, query: &str, asked: &Asked) -> Result<Question, Refused> {
        let read = AuthorizationQuery::parse(query)?;
        let client = oauth::find(db, read.client_id())?;
        let request = read.check(client.as_ref().map(as_domain).as_ref(), self.policy)?;
        // `check` refuses a client that is not there
        let Some(client) = client else { return Err(Refused::NobodysClient) };
        let owner = permissions::client_owner(db, &client.identifier)?;
        let bearer = Bearer {
            owner: self.caller.owner(),
            client: owner.as_domain(),
            members: &self.caller.members,
            catalogue: &self.catalogue,
        };
        let wanted = self.wanted(db, query, asked)?.ok_or_else(|| request.refuse(Refusal::InvalidScope))?;
        let allowed = parsed(client.allowed_scopes.iter(), &self.catalogue);
        let for_client = resolve_for_client(&wanted, &allowed, &bearer);
        let for_client = for_client.map_err(|_| request.refuse(Refusal::InvalidScope))?;
        self.check_access(&owner, &client)?;
        let granted = resolve_for_user(&for_client, &self.caller.raw, &bearer).granted;
        let known = self.is_known(db, &client, &granted)?;
        let trusted = is_trusted(db, &owner)?;
        Ok(Question { request, client, owner, granted, known, trusted })
    }

    /// The scopes asked for; `None` if one of them does not exist, or there are too many.
    fn wanted(&self, db: &mut Db, query: &str, asked: &Asked) -> Result<Option<OAuthRequest>, StoreError> {
        let parameter = match asked {
            Asked::InForm(scopes) if scopes.len() > MOST_SCOPES => return Ok(None),
            Asked::InForm(scopes) => {
                return Ok(RawScope::parse_all(scopes, &self.catalogue).ok().map(OAuthRequest::Scopes));
            }
            Asked::InQuery => form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "scope"),
        };
        let text = parameter.map(|(_, value)| value.into_owned());
        let words: Vec<&str> = text.as_deref().unwrap_or_default().split_whitespace().collect();
        if words.len() > MOST_SCOPES {
            return Ok(None);
        }
        let mut known = Vec::new();
        for word in words {
            known.extend(roles::find(db, word)?.map(|role| (role.name, role.scopes)));
        }
        let role = |name: &str| {
            let (_, scopes) = known.iter().find(|(known, _)| known == name)?;
            Some(parsed(scopes.iter(), &self.catalogue))
        };
        Ok(read_scope_parameter(text.as_deref(), &self.catalogue, role).ok())
    }

    fn check_access(&self, owner: &Owner, client: &OAuthClient) -> Result<(), Refused> {
        if may_use(&self.caller, owner).ok_or(Refused::NobodysClient)? {
            Ok(())
        } else {
            Err(Refused::NoAccess(client.description.clone()))
        }
    }

    /// Whether the user's tokens for the client already hold all of it.
    fn is_known(&self, db: &mut Db, client: &OAuthClient, granted: &[RawScope]) -> Result<bool, StoreError> {
        let Some(user) = self.caller.user() else { return Ok(false) };
        let tokens = tokens::of_owner(db, TokenOwner::User(user.id), self.now)?;
        let own = tokens.into_iter().filter(|token| token.client_id == client.identifier);
        let held: HashSet<String> = own.flat_map(|token| token.scopes).collect();
        Ok(posted_scopes(granted).iter().all(|scope| held.contains(&scope.to_string())))
    }
}

/// Whether the service's `oauth_no_confirm` is set: read each time, as services come and go (SVC-013).
fn is_trusted(db: &mut Db, owner: &Owner) -> Result<bool, StoreError> {
    let Owner::Service(name) = owner else { return Ok(false) };
    Ok(services::find(db, name)?.is_some_and(|service| service.definition.oauth_no_confirm))
}

fn as_domain(client: &OAuthClient) -> Client {
    Client {
        identifier: client.identifier.clone(),
        redirect_uri: client.redirect_uri.clone(),
        has_secret: !client.secret_hash.is_empty(),
    }
}

/// Whether somebody may use the server or service of a client; `None` if it has none.
fn may_use(caller: &Caller, owner: &Owner) -> Option<bool> {
    match owner {
        Owner::Hub => None,
        Owner::Server(key) => {
            let server = Resource::Server { user: key.user.as_str(), server: key.server.as_str() };
            Some(caller.may(&["access:servers"], server))
        }
        Owner::Service(name) => Some(caller.may(&["access:services"], Resource::Service(name))),
    }
}
