//! The browsers that somebody is signed in with (UI-045): what people see of them, and what belongs to each.
//!
//! A row gives nobody a right, and a login without one is as good: its cookie proves itself, unless [`ended_logins`] or another
//! cookie id of the user says otherwise. So a row may be written late, and only the latest of many are kept.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;

use super::columns::{self, Json, stored, utc};
use super::schema::{api_tokens, logins, oauth_codes};
use super::{Db, StoreError, ended_logins, users};
use crate::domain::ids::UserId;

/// How many logins of one user are remembered: those seen last.
pub const MOST: i64 = 100;
/// From this many on, browser sessions of a login in which nothing is granted any more are forgotten.
const MANY_SESSIONS: usize = 8;
/// How many browser sessions of one login are remembered at most.
const MOST_SESSIONS: usize = 100;

/// A browser that somebody is signed in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Tells it from all others; not a secret.
    pub id: String,
    /// Who signed in.
    pub user_id: UserId,
    /// When.
    pub created: DateTime<Utc>,
    /// The latest request, give or take some minutes.
    pub last_seen: DateTime<Utc>,
    /// When its cookie stops being valid.
    pub expires_at: DateTime<Utc>,
    /// What people call the browser; empty if unknown.
    pub browser: String,
    /// What it runs on; empty if unknown.
    pub system: String,
    /// The network address that the latest request came from.
    pub address: String,
    /// The sessions of the browser in which something was granted to applications; a browser begins a new one when it is
    /// started again, and stays signed in.
    pub sessions: Vec<String>,
}

/// A login as a request shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// What is stored of it: `last_seen` is now, and there is one session or none.
    pub login: Login,
    /// The user's cookie id that the cookie holds.
    pub cookie_id: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = logins)]
struct Row {
    login_id: String,
    user_id: i64,
    created: NaiveDateTime,
    last_seen: NaiveDateTime,
    expires_at: NaiveDateTime,
    browser: String,
    system: String,
    address: String,
    sessions: Json<Vec<String>>,
}

impl From<Row> for Login {
    fn from(row: Row) -> Self {
        Self {
            id: row.login_id,
            user_id: UserId(row.user_id),
            created: utc(row.created),
            last_seen: utc(row.last_seen),
            expires_at: utc(row.expires_at),
            browser: row.browser,
            system: row.system,
            address: row.address,
            sessions: row.sessions.0,
        }
    }
}

/// Remembers a login that was seen; one that is over is forgotten. Whether it is remembered.
///
/// # Errors
/// If a query fails.
pub fn see(db: &mut Db, sighting: &Sighting) -> Result<bool, StoreError> {
    let seen = &sighting.login;
    // on PostgreSQL somebody may end the login at this moment
    users::lock(db, seen.user_id)?;
    if let Some(known) = find(db, seen.user_id, &seen.id)? {
        update(db, &known, seen)?;
        return Ok(true);
    }
    let user = users::find_by_id(db, seen.user_id)?;
    let current = user.is_some_and(|user| user.cookie_id == sighting.cookie_id);
    if !current || ended_logins::contains(db, &seen.id)? {
        return Ok(false);
    }
    insert(db, seen)?;
    forget_oldest(db, seen.user_id)?;
    Ok(true)
}

fn insert(db: &mut Db, login: &Login) -> Result<(), StoreError> {
    diesel::insert_into(logins::table)
        .values((
            logins::login_id.eq(&login.id),
            logins::user_id.eq(login.user_id.0),
            logins::created.eq(stored(login.created)),
            logins::last_seen.eq(stored(login.last_seen)),
            logins::expires_at.eq(stored(login.expires_at)),
            logins::browser.eq(&login.browser),
            logins::system.eq(&login.system),
            logins::address.eq(&login.address),
            logins::sessions.eq(columns::list_text(&login.sessions)),
        ))
        .execute(db)?;
    Ok(())
}

fn update(db: &mut Db, known: &Login, seen: &Login) -> Result<(), StoreError> {
    let sessions = merged(db, known, &seen.sessions)?;
    diesel::update(logins::table.find(&known.id))
        .set((
            logins::last_seen.eq(stored(known.last_seen.max(seen.last_seen))),
            logins::expires_at.eq(stored(seen.expires_at)),
            logins::browser.eq(&seen.browser),
            logins::system.eq(&seen.system),
            logins::address.eq(&seen.address),
            logins::sessions.eq(columns::list_text(&sessions)),
        ))
        .execute(db)?;
    Ok(())
}

/// The sessions of a login with a new one, which is its last.
fn merged(db: &mut Db, known: &Login, new: &[String]) -> Result<Vec<String>, StoreError> {
    let mut all = known.sessions.clone();
    for session in new {
        all.retain(|known| known != session);
        all.push(session.clone());
    }
    if all.len() > MANY_SESSIONS {
        let granted = with_grants(db, known.user_id, &all)?;
        all.retain(|session| new.contains(session) || granted.contains(session));
    }
    let surplus = all.len().saturating_sub(MOST_SESSIONS);
    Ok(all.split_off(surplus))
}

/// Those of `sessions` in which the user has granted something that is still there.
fn with_grants(db: &mut Db, user: UserId, sessions: &[String]) -> Result<Vec<String>, StoreError> {
    let tokens = api_tokens::table
        .filter(api_tokens::user_id.eq(user.0))
        .filter(api_tokens::session_id.eq_any(sessions))
        .select(api_tokens::session_id)
        .distinct();
    let codes = oauth_codes::table
        .filter(oauth_codes::user_id.eq(user.0))
        .filter(oauth_codes::session_id.eq_any(sessions))
        .select(oauth_codes::session_id)
        .distinct();
    let mut found: Vec<Option<String>> = tokens.load(db)?;
    found.extend(codes.load::<Option<String>>(db)?);
    Ok(found.into_iter().flatten().collect())
}

/// Leaves the user's [`MOST`] logins that were seen last.
fn forget_oldest(db: &mut Db, user: UserId) -> Result<(), StoreError> {
    let kept: Vec<String> = logins::table
        .filter(logins::user_id.eq(user.0))
        .order((logins::last_seen.desc(), logins::login_id))
        .limit(MOST)
        .select(logins::login_id)
        .load(db)?;
    let others = logins::table.filter(logins::user_id.eq(user.0)).filter(logins::login_id.ne_all(kept));
    diesel::delete(others).execute(db)?;
    Ok(())
}

/// A login of a user, if it is remembered.
///
/// # Errors
/// If the query fails.
pub fn find(db: &mut Db, user: UserId, id: &str) -> Result<Option<Login>, StoreError> {
    let row = logins::table.find(id).filter(logins::user_id.eq(user.0));
    let row: Option<Row> = row.select(Row::as_select()).first(db).optional()?;
    Ok(row.map(Login::from))
}

/// The logins of a user whose cookies have not expired, those seen last first.
///
/// # Errors
/// If the query fails.
pub fn of_user(db: &mut Db, user: UserId, now: DateTime<Utc>) -> Result<Vec<Login>, StoreError> {
    let rows: Vec<Row> = logins::table
        .filter(logins::user_id.eq(user.0))
        .filter(logins::expires_at.ge(stored(now)))
        .order((logins::last_seen.desc(), logins::login_id))
        .select(Row::as_select())
        .load(db)?;
    Ok(rows.into_iter().map(Login::from).collect())
}

/// Forgets a login of a user, and gives what was known of it. Its cookie is as good as before: see [`ended_logins`].
///
/// # Errors
/// If a query fails.
pub fn take(db: &mut Db, user: UserId, id: &str) -> Result<Option<Login>, StoreError> {
    let login = find(db, user, id)?;
    if login.is_some() {
        diesel::delete(logins::table.find(id)).execute(db)?;
    }
    Ok(login)
}

/// Forgets all logins of a user, for their cookies are void.
///
/// # Errors
/// If the query fails.
pub fn delete_of_user(db: &mut Db, user: UserId) -> Result<usize, StoreError> {
    Ok(diesel::delete(logins::table.filter(logins::user_id.eq(user.0))).execute(db)?)
}

/// Forgets those whose cookies have expired by `now`.
///
/// # Errors
/// If the query fails.
pub fn purge_expired(db: &mut Db, now: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(diesel::delete(logins::table.filter(logins::expires_at.lt(stored(now)))).execute(db)?)
}

#[cfg(test)]
pub(in crate::store) mod tests;
