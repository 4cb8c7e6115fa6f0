//! OAuth authorization codes (oauth.md 4). Only a digest is stored, so that a copy of the database holds no usable code;
//! a code is random enough that the digest needs no salt.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::columns::{self, Json, stored, utc};
use super::schema::oauth_codes;
use super::{Db, StoreError};
use crate::domain::ids::UserId;
use crate::secret::{Secret, hex};

/// What identifies a stored code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OAuthCodeId(i64);

/// What a code is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthCode {
    /// The client it was issued to.
    pub client_id: String,
    /// Who confirmed.
    pub user_id: UserId,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
    /// Must be repeated at the exchange.
    pub redirect_uri: String,
    /// The browser session, inherited by the token.
    pub session_id: Option<String>,
    /// Raw scopes, inherited by the token.
    pub scopes: Vec<String>,
    /// The PKCE challenge.
    pub code_challenge: Option<String>,
    /// The PKCE method: `S256` or `plain`.
    pub code_challenge_method: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = oauth_codes)]
struct Row {
    id: i64,
    client_id: String,
    user_id: i64,
    expires_at: NaiveDateTime,
    redirect_uri: String,
    session_id: Option<String>,
    scopes: Json<Vec<String>>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

impl From<Row> for OAuthCode {
    fn from(row: Row) -> Self {
        Self {
            client_id: row.client_id,
            user_id: UserId(row.user_id),
            expires_at: utc(row.expires_at),
            redirect_uri: row.redirect_uri,
            session_id: row.session_id,
            scopes: row.scopes.0,
            code_challenge: row.code_challenge,
            code_challenge_method: row.code_challenge_method,
        }
    }
}

fn digest(code: &Secret) -> String {
    hex(&Sha256::digest(code.expose()))
}

/// Stores a code.
///
/// # Errors
/// [`StoreError::Gone`] if client or user do not exist.
pub fn create(db: &mut Db, code: &Secret, bound: &OAuthCode) -> Result<(), StoreError> {
    diesel::insert_into(oauth_codes::table)
        .values((
            oauth_codes::code_hash.eq(digest(code)),
            oauth_codes::client_id.eq(&bound.client_id),
            oauth_codes::user_id.eq(bound.user_id.0),
            oauth_codes::expires_at.eq(stored(bound.expires_at)),
            oauth_codes::redirect_uri.eq(&bound.redirect_uri),
            oauth_codes::session_id.eq(bound.session_id.as_deref()),
            oauth_codes::scopes.eq(columns::list_text(&bound.scopes)),
            oauth_codes::code_challenge.eq(bound.code_challenge.as_deref()),
            oauth_codes::code_challenge_method.eq(bound.code_challenge_method.as_deref()),
        ))
        .execute(db)?;
    Ok(())
}

/// What `code` is bound to, unless it has expired by `now`.
///
/// # Errors
/// If the query fails.
pub fn find(
    db: &mut Db,
    code: &Secret,
    now: DateTime<Utc>,
) -> Result<Option<(OAuthCodeId, OAuthCode)>, StoreError> {
    let row: Option<Row> = oauth_codes::table
        .filter(oauth_codes::code_hash.eq(digest(code)))
        .filter(oauth_codes::expires_at.ge(stored(now)))
        .select(Row::as_select())
        .first(db)
        .optional()?;
    Ok(row.map(|row| (OAuthCodeId(row.id), OAuthCode::from(row))))
}

/// Removes a code. `false` means that somebody else has just used it: it must not be exchanged a second time.
///
/// # Errors
/// If the query fails.
pub fn delete(db: &mut Db, id: OAuthCodeId) -> Result<bool, StoreError> {
    Ok(diesel::delete(oauth_codes::table.find(id.0)).execute(db)? > 0)
}

/// Removes the codes that were given out in one browser session of a user: what logging out means.
///
/// # Errors
/// If the query fails.
pub fn delete_of_session(db: &mut Db, user: UserId, session_id: &str) -> Result<usize, StoreError> {
    let rows = oauth_codes::table
        .filter(oauth_codes::user_id.eq(user.0))
        .filter(oauth_codes::session_id.eq(session_id));
    Ok(diesel::delete(rows).execute(db)?)
}

/// Removes every code of a user.
///
/// # Errors
/// If the query fails.
pub fn delete_of_user(db: &mut Db, user: UserId) -> Result<usize, StoreError> {
    Ok(diesel::delete(oauth_codes::table.filter(oauth_codes::user_id.eq(user.0))).execute(db)?)
}

/// Removes the codes that have expired by `now`.
///
/// # Errors
/// If the query fails.
pub fn purge_expired(db: &mut Db, now: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(diesel::delete(oauth_codes::table.filter(oauth_codes::expires_at.lt(stored(now)))).execute(db)?)
}

#[cfg(test)]
mod tests;
