//! Who makes a request and what they may do: tokens and login cookies looked up, with what goes with them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use log::warn;

use super::error::Refused;
use super::sessions::{Found, Kind};
use super::state::Hub;
use crate::actors::activity::{Seen, Subject};
use crate::actors::permissions::{self, Granted, Members};
use crate::domain::access::{Decision, Resource, check};
use crate::domain::ids::TokenId;
use crate::domain::login_cookie::Login;
use crate::domain::scope::{Catalogue, Owner, RawScope, Scopes};
use crate::domain::token_hash::{self, TokenHash};
use crate::store::services::{self, Service};
use crate::store::tokens::{self, Token, TokenOwner, TokenPurpose};
use crate::store::users::{self, User};
use crate::store::{Db, StoreError, ended_logins};

/// Who it is.
#[derive(Debug, Clone)]
pub enum Who {
    /// A user.
    User(User),
    /// A service.
    Service(Service),
}

/// The token that a request came with.
#[derive(Debug, Clone)]
pub struct TokenFacts {
    /// Its row.
    pub id: TokenId,
    /// The browser session it belongs to.
    pub session_id: Option<String>,
    /// What it was made for.
    pub purpose: TokenPurpose,
    /// When it was last used, as stored.
    pub last_activity: Option<DateTime<Utc>>,
}

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who it is.
    pub who: Who,
    /// What it may do.
    pub scopes: Scopes,
    /// The raw scopes of the roles behind that.
    pub raw: Vec<RawScope>,
    /// Members of the groups that the scopes filter by.
    pub members: Members,
    /// The token; `None` for a login cookie.
    pub token: Option<TokenFacts>,
}

impl Caller {
    /// Holds one of these scopes for this resource, or the request ends here (rest-api.md 1.5).
    ///
    /// # Errors
    /// 403 if none of the scopes is held in any way that could fit, 404 if one is held for other resources only.
    pub fn require(&self, any_of: &'static [&'static str], resource: Resource<'_>) -> Result<(), Refused> {
        match check(&self.scopes, any_of, &resource, &self.members) {
            Decision::Allowed => Ok(()),
            Decision::Forbidden { needed } => Err(Refused::forbidden(format!(
                "Action is not authorized with current scopes; requires any of [{}]",
                needed.join(", ")
            ))),
            Decision::NotFound => Err(Refused::not_found("No access to resources or resources not found")),
        }
    }

    /// Whether one of these scopes is held for this resource.
    #[must_use]
    pub fn may(&self, any_of: &'static [&'static str], resource: Resource<'_>) -> bool {
        check(&self.scopes, any_of, &resource, &self.members) == Decision::Allowed
    }

    /// The user, if it is one.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match &self.who {
            Who::User(user) => Some(user),
            Who::Service(_) => None,
        }
    }

    /// The caller's name, be it a user's or a service's.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.who {
            Who::User(user) => user.name.as_str(),
            Who::Service(service) => &service.definition.name,
        }
    }

    /// The caller as the journal names it: `user:ada`, `service:culler`.
    #[must_use]
    pub fn journal_name(&self) -> String {
        match &self.who {
            Who::User(user) => format!("user:{}", user.name),
            Who::Service(service) => format!("service:{}", service.definition.name),
        }
    }

    /// The caller's own admin flag.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        match &self.who {
            Who::User(user) => user.admin,
            Who::Service(service) => service.definition.admin,
        }
    }

    /// As the domain names it.
    #[must_use]
    pub fn owner(&self) -> Owner<'_> {
        match &self.who {
            Who::User(user) => Owner::User(user.name.as_str()),
            Who::Service(service) => Owner::Service(&service.definition.name),
        }
    }
}

impl Hub {
    /// The caller with this token; `None` if there is no such token or it has expired.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn caller_by_token(&self, token: &str, notice: Notice) -> Result<Option<Arc<Caller>>, Refused> {
        // before anything is made of it: it may be as long as a request's head (SEC-016)
        if token_hash::check_length(token).is_err() {
            return Ok(None);
        }
        let now = Utc::now();
        let generation = self.store.generation();
        let resolution = self.settings.activity_resolution;
        if let Some(found) = self.sessions.find(Kind::Token, token, generation, now, resolution) {
            if notice == Notice::Activity {
                self.note(&found, now);
            }
            return Ok(Some(found.caller));
        }
        let catalogue = Arc::clone(&self.catalogue);
        let candidate = token.to_owned();
        let looked_up = self.store.read(move |db| by_token(db, &catalogue, &candidate, now)).await?;
        let Some((caller, expires_at)) = looked_up else { return Ok(None) };
        let caller = match notice {
            Notice::Activity => self.remember(Kind::Token, token, generation, caller, expires_at, now),
            Notice::Nothing => Arc::new(caller),
        };
        Ok(Some(caller))
    }

    /// The user with this `cookie_id`, who has proved it otherwise than by a login cookie.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn caller_by_cookie(
        &self,
        cookie_id: &str,
        notice: Notice,
    ) -> Result<Option<Arc<Caller>>, Refused> {
        let catalogue = Arc::clone(&self.catalogue);
        let wanted = cookie_id.to_owned();
        let found = self.store.read(move |db| {
            let user = users::find_by_cookie_id(db, &wanted)?;
            user.map(|user| by_user(db, &catalogue, user)).transpose()
        });
        let Some(caller) = self.unless_blocked(found.await?) else { return Ok(None) };
        let caller = Arc::new(caller);
        if notice == Notice::Activity {
            let now = Utc::now();
            self.note(&Found { is_news: self.is_old(&caller, now), caller: Arc::clone(&caller) }, now);
        }
        Ok(Some(caller))
    }

    /// Blocked since the cookie was given: what it permits is nothing, and it is taken away.
    fn unless_blocked(&self, caller: Option<Caller>) -> Option<Caller> {
        let is_blocked = |user: &User| self.authenticator.rules().is_blocked(&user.name);
        caller.filter(|caller| !caller.user().is_some_and(is_blocked))
    }

    /// The user whose login this is, unless it was ended.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn caller_by_login(
        &self,
        login: &Login,
        notice: Notice,
    ) -> Result<Option<Arc<Caller>>, Refused> {
        let credential = login.value();
        let now = Utc::now();
        let generation = self.store.generation();
        let resolution = self.settings.activity_resolution;
        if let Some(found) = self.sessions.find(Kind::Cookie, &credential, generation, now, resolution) {
            if notice == Notice::Activity {
                self.note(&found, now);
            }
            return Ok(Some(found.caller));
        }
        let catalogue = Arc::clone(&self.catalogue);
        let wanted = login.clone();
        let looked_up = self.store.read(move |db| by_login(db, &catalogue, &wanted)).await?;
        let Some(caller) = self.unless_blocked(looked_up) else { return Ok(None) };
        let caller = match notice {
            Notice::Activity => self.remember(Kind::Cookie, &credential, generation, caller, None, now),
            Notice::Nothing => Arc::new(caller),
        };
        Ok(Some(caller))
    }

    fn remember(
        &self,
        kind: Kind,
        credential: &str,
        generation: u64,
        caller: Caller,
        expires_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Arc<Caller> {
        let caller = Arc::new(caller);
        self.sessions.keep(kind, credential, generation, Arc::clone(&caller), expires_at, now);
        self.note(&Found { caller: Arc::clone(&caller), is_news: self.is_old(&caller, now) }, now);
        caller
    }

    /// Whether the stored activity is older than the resolution.
    fn is_old(&self, caller: &Caller, now: DateTime<Utc>) -> bool {
        let resolution = chrono::Duration::from_std(self.settings.activity_resolution).unwrap_or_default();
        let stored = match &caller.token {
            Some(token) => token.last_activity,
            None => caller.user().and_then(|user| user.last_activity),
        };
        stored.is_none_or(|last| now - last >= resolution)
    }

    /// Notes activity; a server's own token does not count as its owner's (REST-124).
    fn note(&self, found: &Found, now: DateTime<Utc>) {
        if !found.is_news {
            return;
        }
        let token = found.caller.token.as_ref();
        let by_server = token.is_some_and(|token| token.purpose == TokenPurpose::Server);
        let user = found.caller.user().filter(|_| !by_server);
        let subjects = token.map(|token| Subject::Token(token.id)).into_iter();
        let seen: Vec<_> =
            subjects.chain(user.map(|user| Subject::User(user.id))).map(|who| (who, now)).collect();
        self.activity.tell(Seen(seen));
    }
}

/// Whether a request counts as its user's activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// It does.
    Activity,
    /// It does not: the addresses of stopped servers, which browsers poll.
    Nothing,
}

/// A caller, and when its credential expires.
type Expiring = (Caller, Option<DateTime<Utc>>);

fn by_token(
    db: &mut Db,
    catalogue: &Catalogue,
    candidate: &str,
    now: DateTime<Utc>,
) -> Result<Option<Expiring>, StoreError> {
    let Some(token) = find_token(db, candidate, now)? else { return Ok(None) };
    let (who, granted) = match token.owner {
        TokenOwner::User(id) => {
            let Some(user) = users::find_by_id(db, id)? else { return Ok(None) };
            let owned = permissions::of_user(db, catalogue, &user)?;
            let granted =
                permissions::of_token(db, catalogue, &token, Owner::User(user.name.as_str()), owned)?;
            (Who::User(user), granted)
        }
        TokenOwner::Service(id) => {
            let Some(service) = services::find_by_id(db, id)? else { return Ok(None) };
            let owned = permissions::of_service(db, catalogue, &service)?;
            let granted = permissions::of_token(
                db,
                catalogue,
                &token,
                Owner::Service(&service.definition.name),
                owned,
            )?;
            (Who::Service(service), granted)
        }
    };
    let Granted { scopes, raw, members } = granted;
    let facts = TokenFacts {
        id: token.id,
        session_id: token.session_id,
        purpose: token.purpose,
        last_activity: token.last_activity,
    };
    Ok(Some((Caller { who, scopes, raw, members, token: Some(facts) }, token.expires_at)))
}

/// The stored token that `candidate` is.
///
/// # Errors
/// If the query fails.
pub fn find_token(db: &mut Db, candidate: &str, now: DateTime<Utc>) -> Result<Option<Token>, StoreError> {
    let rows = tokens::candidates(db, token_hash::prefix(candidate), None, now)?;
    Ok(rows.into_iter().find(|row| match row.hashed.expose().parse::<TokenHash>() {
        Ok(hash) => hash.verify(candidate),
        Err(damaged) => {
            warn!(token = row.id.0, error:% = damaged; "a stored token hash cannot be read");
            false
        }
    }))
}

fn by_login(db: &mut Db, catalogue: &Catalogue, login: &Login) -> Result<Option<Caller>, StoreError> {
    let Some(user) = users::find_by_cookie_id(db, &login.cookie_id)? else { return Ok(None) };
    if ended_logins::contains(db, &login.key(user.id))? {
        return Ok(None);
    }
    by_user(db, catalogue, user).map(Some)
}

fn by_user(db: &mut Db, catalogue: &Catalogue, user: User) -> Result<Caller, StoreError> {
    let Granted { scopes, raw, members } = permissions::of_user(db, catalogue, &user)?;
    Ok(Caller { who: Who::User(user), scopes, raw, members, token: None })
}
