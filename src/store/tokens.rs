//! API tokens, OAuth access tokens among them. The store keeps hashes and never sees a token (database.md 3).

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::columns::{self, Json, optional_utc, stored, utc};
use super::schema::{api_tokens, oauth_clients, servers};
use super::{Db, StoreError};
use crate::domain::ids::{ServerId, ServiceId, TokenId, UserId};
use crate::secret::Secret;

/// Who a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenOwner {
    /// A user.
    User(UserId),
    /// A service.
    Service(ServiceId),
}

/// The kind of owner to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerKind {
    /// Users only.
    User,
    /// Services only.
    Service,
}

/// What a token was made for; decides who cleans it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPurpose {
    /// Asked for by a person or program.
    User,
    /// The result of an OAuth flow.
    OAuth,
    /// Handed to a user server; goes when it stops.
    Server,
    /// Handed to a managed service at its start; goes at the next one.
    ServiceStartup,
    /// Written in the configuration.
    Config,
}

impl TokenPurpose {
    const ALL: [Self; 5] = [Self::User, Self::OAuth, Self::Server, Self::ServiceStartup, Self::Config];

    fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::OAuth => "oauth",
            Self::Server => "server",
            Self::ServiceStartup => "service_startup",
            Self::Config => "config",
        }
    }

    /// The purpose that a row holds; the schema allows no other text.
    fn from_stored(text: &str) -> Self {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text).unwrap_or(Self::User)
    }
}

/// A stored token.
#[derive(Debug, Clone)]
pub struct Token {
    /// Never reused; `a<id>` in the REST API.
    pub id: TokenId,
    /// `<algorithm>:<rounds>:<salt>:<digest>`.
    pub hashed: Secret,
    /// The first characters of the token.
    pub prefix: String,
    /// Who it speaks for.
    pub owner: TokenOwner,
    /// The OAuth client it was issued to; `jupyterhub` for the hub's own.
    pub client_id: String,
    /// The client's description; may be empty.
    pub client_description: String,
    /// The user server it was made for.
    pub server_id: Option<ServerId>,
    /// The browser session it belongs to.
    pub session_id: Option<String>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it stops working; never, if `None`.
    pub expires_at: Option<DateTime<Utc>>,
    /// The latest use.
    pub last_activity: Option<DateTime<Utc>>,
    /// What the person wrote, or what made it.
    pub note: String,
    /// Raw scopes, resolved at each use.
    pub scopes: Vec<String>,
    /// What it was made for.
    pub purpose: TokenPurpose,
}

/// A token to store.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// `<algorithm>:<rounds>:<salt>:<digest>`.
    pub hashed: Secret,
    /// The first characters of the token.
    pub prefix: String,
    /// Who it speaks for.
    pub owner: TokenOwner,
    /// Must exist.
    pub client_id: String,
    /// The user server it is made for; it goes with it.
    pub server_id: Option<ServerId>,
    /// The browser session it belongs to.
    pub session_id: Option<String>,
    /// Usually now.
    pub created: DateTime<Utc>,
    /// When it stops working; never, if `None`.
    pub expires_at: Option<DateTime<Utc>>,
    /// What the person wrote, or what made it.
    pub note: String,
    /// Raw scopes.
    pub scopes: Vec<String>,
    /// What it is made for.
    pub purpose: TokenPurpose,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
struct Row {
    id: i64,
    hashed: String,
    prefix: String,
    user_id: Option<i64>,
    service_id: Option<i64>,
    client_id: String,
    server_id: Option<i64>,
    session_id: Option<String>,
    created: NaiveDateTime,
    expires_at: Option<NaiveDateTime>,
    last_activity: Option<NaiveDateTime>,
    note: String,
    scopes: Json<Vec<String>>,
    purpose: String,
}

/// A token; `None` for a row without owner, which the schema forbids.
fn token((row, client_description): (Row, String)) -> Option<Token> {
    let owner = match (row.user_id, row.service_id) {
        (Some(id), _) => TokenOwner::User(UserId(id)),
        (None, Some(id)) => TokenOwner::Service(ServiceId(id)),
        (None, None) => return None,
    };
    Some(Token {
        id: TokenId(row.id),
        hashed: Secret::new(row.hashed),
        prefix: row.prefix,
        owner,
        client_id: row.client_id,
        client_description,
        server_id: row.server_id.map(ServerId),
        session_id: row.session_id,
        created: utc(row.created),
        expires_at: optional_utc(row.expires_at),
        last_activity: optional_utc(row.last_activity),
        note: row.note,
        scopes: row.scopes.0,
        purpose: TokenPurpose::from_stored(&row.purpose),
    })
}

/// All token queries begin with this join.
macro_rules! tokens_with_clients {
    () => {
        api_tokens::table
            .inner_join(oauth_clients::table.on(api_tokens::client_id.eq(oauth_clients::identifier)))
            .select((Row::as_select(), oauth_clients::description))
    };
}

/// Stores a token.
///
/// # Errors
/// [`StoreError::Conflict`] if the same hash is stored, [`StoreError::Gone`] if owner, client or server do not exist.
pub fn create(db: &mut Db, new: &NewToken) -> Result<TokenId, StoreError> {
    let (user, service) = columns_of(new.owner);
    diesel::insert_into(api_tokens::table)
        .values((
            api_tokens::hashed.eq(new.hashed.expose()),
            api_tokens::prefix.eq(&new.prefix),
            api_tokens::user_id.eq(user),
            api_tokens::service_id.eq(service),
            api_tokens::client_id.eq(&new.client_id),
            api_tokens::server_id.eq(new.server_id.map(|id| id.0)),
            api_tokens::session_id.eq(new.session_id.as_deref()),
            api_tokens::created.eq(stored(new.created)),
            api_tokens::expires_at.eq(new.expires_at.map(stored)),
            api_tokens::note.eq(&new.note),
            api_tokens::scopes.eq(columns::list_text(&new.scopes)),
            api_tokens::purpose.eq(new.purpose.as_str()),
        ))
        .execute(db)?;
    let id = api_tokens::table
        .filter(api_tokens::hashed.eq(new.hashed.expose()))
        .select(api_tokens::id)
        .first(db)?;
    Ok(TokenId(id))
}

fn columns_of(owner: TokenOwner) -> (Option<i64>, Option<i64>) {
    match owner {
        TokenOwner::User(id) => (Some(id.0), None),
        TokenOwner::Service(id) => (None, Some(id.0)),
    }
}

/// The tokens that begin with `prefix` and have not expired: the caller compares their hashes in constant time.
///
/// # Errors
/// If the query fails.
pub fn candidates(
    db: &mut Db,
    prefix: &str,
    kind: Option<OwnerKind>,
    now: DateTime<Utc>,
) -> Result<Vec<Token>, StoreError> {
    let alive = api_tokens::expires_at.is_null().or(api_tokens::expires_at.ge(stored(now)));
    let rows: Vec<(Row, String)> = tokens_with_clients!()
        .filter(api_tokens::prefix.eq(prefix))
        .filter(alive)
        .order(api_tokens::id)
        .load(db)?;
    let wanted = |token: &Token| match kind {
        None => true,
        Some(OwnerKind::User) => matches!(token.owner, TokenOwner::User(_)),
        Some(OwnerKind::Service) => matches!(token.owner, TokenOwner::Service(_)),
    };
    Ok(rows.into_iter().filter_map(token).filter(wanted).collect())
}

/// The token with this id, expired or not.
///
/// # Errors
/// If the query fails.
pub fn find(db: &mut Db, id: TokenId) -> Result<Option<Token>, StoreError> {
    let row: Option<(Row, String)> =
        tokens_with_clients!().filter(api_tokens::id.eq(id.0)).first(db).optional()?;
    Ok(row.and_then(token))
}

/// The tokens of `owner`, least recently used first, counting creation as use. Expired ones are left out.
///
/// # Errors
/// If the query fails.
pub fn of_owner(db: &mut Db, owner: TokenOwner, now: DateTime<Utc>) -> Result<Vec<Token>, StoreError> {
    let (user, service) = columns_of(owner);
    let owned = api_tokens::user_id.eq(user).or(api_tokens::service_id.eq(service));
    let alive = api_tokens::expires_at.is_null().or(api_tokens::expires_at.ge(stored(now)));
    let rows: Vec<(Row, String)> = tokens_with_clients!().filter(owned).filter(alive).load(db)?;
    let mut tokens: Vec<Token> = rows.into_iter().filter_map(token).collect();
    tokens.sort_by_key(|token| (token.last_activity.unwrap_or(token.created), token.id));
    Ok(tokens)
}

/// The tokens of `owner` made for `purpose`, whether or not they have expired, oldest first.
///
/// # Errors
/// If the query fails.
pub fn of_purpose(db: &mut Db, owner: TokenOwner, purpose: TokenPurpose) -> Result<Vec<Token>, StoreError> {
    let (user, service) = columns_of(owner);
    let owned = api_tokens::user_id.eq(user).or(api_tokens::service_id.eq(service));
    let rows: Vec<(Row, String)> = tokens_with_clients!()
        .filter(owned)
        .filter(api_tokens::purpose.eq(purpose.as_str()))
        .order(api_tokens::id)
        .load(db)?;
    Ok(rows.into_iter().filter_map(token).collect())
}

/// The tokens that the configuration gave to users and services, oldest first, whether or not they have expired.
///
/// # Errors
/// If the query fails.
pub fn configured(db: &mut Db) -> Result<Vec<Token>, StoreError> {
    let rows: Vec<(Row, String)> = tokens_with_clients!()
        .filter(api_tokens::purpose.eq(TokenPurpose::Config.as_str()))
        .order(api_tokens::id)
        .load(db)?;
    Ok(rows.into_iter().filter_map(token).collect())
}

/// Removes a token. Whether there was one.
///
/// # Errors
/// If the query fails.
pub fn delete(db: &mut Db, id: TokenId) -> Result<bool, StoreError> {
    Ok(diesel::delete(api_tokens::table.find(id.0)).execute(db)? > 0)
}

/// Removes the tokens that `client` obtained for `user`: what revoking one of them means (oauth.md 7).
///
/// # Errors
/// If the query fails.
pub fn delete_of_client(db: &mut Db, user: UserId, client: &str) -> Result<usize, StoreError> {
    let rows =
        api_tokens::table.filter(api_tokens::user_id.eq(user.0)).filter(api_tokens::client_id.eq(client));
    Ok(diesel::delete(rows).execute(db)?)
}

/// Removes the tokens of one browser session of a user: what logging out means (oauth.md 7).
///
/// # Errors
/// If the query fails.
pub fn delete_of_session(db: &mut Db, user: UserId, session_id: &str) -> Result<usize, StoreError> {
    let rows = api_tokens::table
        .filter(api_tokens::user_id.eq(user.0))
        .filter(api_tokens::session_id.eq(session_id));
    Ok(diesel::delete(rows).execute(db)?)
}

/// Removes the tokens that applications were granted by a user, except in these browser sessions.
///
/// # Errors
/// If the query fails.
pub fn delete_granted_elsewhere(db: &mut Db, user: UserId, kept: &[String]) -> Result<usize, StoreError> {
    let elsewhere = api_tokens::session_id.is_null().or(api_tokens::session_id.ne_all(kept));
    let rows = api_tokens::table
        .filter(api_tokens::user_id.eq(user.0))
        .filter(api_tokens::purpose.eq(TokenPurpose::OAuth.as_str()))
        .filter(elsewhere);
    Ok(diesel::delete(rows).execute(db)?)
}

/// Removes every token of a user.
///
/// # Errors
/// If the query fails.
pub fn delete_of_user(db: &mut Db, user: UserId) -> Result<usize, StoreError> {
    Ok(diesel::delete(api_tokens::table.filter(api_tokens::user_id.eq(user.0))).execute(db)?)
}

/// Removes the tokens of `client` whose hash has this salt (16 hexadecimal digits): those that were made from one code.
///
/// # Errors
/// If the query fails.
pub fn delete_salted(db: &mut Db, client: &str, salt: &str) -> Result<usize, StoreError> {
    let rows = api_tokens::table
        .filter(api_tokens::client_id.eq(client))
        .filter(api_tokens::hashed.like(format!("sha512:%:{salt}:%")));
    Ok(diesel::delete(rows).execute(db)?)
}

/// Removes the tokens that were made for a run of this server.
///
/// # Errors
/// If the query fails.
pub fn delete_of_server(db: &mut Db, server: ServerId) -> Result<usize, StoreError> {
    Ok(diesel::delete(api_tokens::table.filter(api_tokens::server_id.eq(server.0))).execute(db)?)
}

/// Removes the tokens of `owner` made for `purpose`, such as those of earlier starts of a service (DB-008).
///
/// # Errors
/// If the query fails.
pub fn delete_of_purpose(db: &mut Db, owner: TokenOwner, purpose: TokenPurpose) -> Result<usize, StoreError> {
    let (user, service) = columns_of(owner);
    let owned = api_tokens::user_id.eq(user).or(api_tokens::service_id.eq(service));
    let rows = api_tokens::table.filter(owned).filter(api_tokens::purpose.eq(purpose.as_str()));
    Ok(diesel::delete(rows).execute(db)?)
}

/// Removes server tokens whose server has no address (DB-008). For the start of the hub only, before it starts a
/// server: a start under way has a token and no address yet.
///
/// # Errors
/// If the query fails.
pub fn delete_leaked(db: &mut Db) -> Result<usize, StoreError> {
    let running = servers::table
        .filter(servers::id.nullable().eq(api_tokens::server_id))
        .filter(servers::proto.is_not_null())
        .select(servers::id);
    let leaked = api_tokens::table
        .filter(api_tokens::purpose.eq(TokenPurpose::Server.as_str()))
        .filter(not(exists(running)));
    Ok(diesel::delete(leaked).execute(db)?)
}

/// Moves the last use forward to `at`; an earlier time changes nothing. Whether it moved.
///
/// # Errors
/// If the query fails.
pub fn touch(db: &mut Db, id: TokenId, at: DateTime<Utc>) -> Result<bool, StoreError> {
    let at = stored(at);
    let older = api_tokens::last_activity.is_null().or(api_tokens::last_activity.lt(at));
    let moved = diesel::update(api_tokens::table.find(id.0).filter(older))
        .set(api_tokens::last_activity.eq(at))
        .execute(db)?;
    Ok(moved > 0)
}

/// Removes the tokens that have expired by `now`.
///
/// # Errors
/// If the query fails.
pub fn purge_expired(db: &mut Db, now: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(diesel::delete(api_tokens::table.filter(api_tokens::expires_at.lt(stored(now)))).execute(db)?)
}

#[cfg(test)]
pub(in crate::store) mod tests;
