//! The end of what a person began by signing in: one browser's session, or everything of one user.

use actix_web::http::header::HeaderValue;
use chrono::{DateTime, Utc};

use super::error::Refused;
use super::state::Hub;
use super::visit::{SignedLogin, Visit};
use crate::domain::ids::UserId;
use crate::secret;
use crate::store::logins::{Login, Sighting};
use crate::store::tokens::TokenPurpose;
use crate::store::users::User;
use crate::store::{Db, ended_logins, logins, oauth_codes, tokens, users};

/// Ends a user's session in one browser: the login, which a copy of its cookie would carry on (SEC-010), and the tokens
/// and codes that were granted in it (oauth.md 7). What the user does elsewhere goes on.
///
/// # Errors
/// If the database fails.
pub async fn end_session(hub: &Hub, visit: &Visit, user: UserId) -> Result<(), Refused> {
    let session = visit.session_id.clone();
    let login = visit.login(hub);
    let until = hub.login_ends(Utc::now());
    let end = move |db: &mut Db| {
        if let Some(session) = session {
            end_grants(db, user, &session)?;
        }
        if let Some(login) = login {
            users::lock(db, user)?;
            logins::take(db, user, &login.key(user))?;
            // a cookie of JupyterHub may be that of other browsers, too
            if let Some(id) = login.id {
                ended_logins::add(db, &id, until)?;
            }
        }
        Ok::<_, Refused>(())
    };
    hub.store.write(end).await
}

fn end_grants(db: &mut Db, user: UserId, session: &str) -> Result<(), Refused> {
    tokens::delete_of_session(db, user, session)?;
    oauth_codes::delete_of_session(db, user, session)?;
    Ok(())
}

/// Ends a login from afar (UI-045), with all that was granted in it; its cookie would be valid until `until`. What was known
/// of it, or nothing if the user has no such login.
///
/// # Errors
/// If the database fails.
pub fn end_login(
    db: &mut Db,
    user: UserId,
    id: &str,
    until: DateTime<Utc>,
) -> Result<Option<Login>, Refused> {
    users::lock(db, user)?;
    let Some(login) = logins::take(db, user, id)? else { return Ok(None) };
    for session in &login.sessions {
        end_grants(db, user, session)?;
    }
    ended_logins::add(db, id, until.max(login.expires_at))?;
    Ok(Some(login))
}

/// Ends every session of a user but that of this browser, which gets a cookie that lives no longer than the one it has.
///
/// # Errors
/// If the database or the system's random source fails.
pub async fn end_other_sessions(
    hub: &Hub,
    visit: &Visit,
    signed: &SignedLogin,
    user: &User,
) -> Result<Option<HeaderValue>, Refused> {
    let cookie_id = secret::random_hex32()?;
    let (anew, line) = visit.login_cookie(hub, &cookie_id, signed.at)?;
    let (before, id) = (signed.login.key(user.id), user.id);
    let mut kept = hub.sighting(visit, &anew, user);
    let end = move |db: &mut Db| {
        users::lock(db, id)?;
        let known = logins::take(db, id, &before)?;
        let known = known.into_iter().flat_map(|login| login.sessions);
        let own: Vec<String> = known.filter(|session| !kept.login.sessions.contains(session)).collect();
        kept.login.sessions.splice(0..0, own);
        end_all_but(db, &kept)
    };
    hub.store.write(end).await?;
    Ok(line)
}

fn end_all_but(db: &mut Db, kept: &Sighting) -> Result<(), Refused> {
    let user = kept.login.user_id;
    users::set_cookie_id(db, user, &kept.cookie_id)?;
    logins::delete_of_user(db, user)?;
    tokens::delete_granted_elsewhere(db, user, &kept.login.sessions)?;
    oauth_codes::delete_of_user(db, user)?;
    logins::see(db, kept)?;
    Ok(())
}

/// Ends every session of a user in every browser, and what was granted in them. Tokens that the user made stay.
///
/// # Errors
/// If the database or the system's random source fails.
pub fn end_sessions(db: &mut Db, user: UserId) -> Result<(), Refused> {
    end_logins(db, user)?;
    tokens::delete_of_purpose(db, tokens::TokenOwner::User(user), TokenPurpose::OAuth)?;
    oauth_codes::delete_of_user(db, user)?;
    Ok(())
}

fn end_logins(db: &mut Db, user: UserId) -> Result<(), Refused> {
    users::set_cookie_id(db, user, &secret::random_hex32()?)?;
    logins::delete_of_user(db, user)?;
    Ok(())
}

/// How much was taken from a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// Tokens that clients obtained by OAuth.
    pub oauth_tokens: usize,
    /// All other tokens.
    pub tokens: usize,
    /// Codes on their way to a client.
    pub oauth_codes: usize,
}

/// Ends every session of a user, and takes every token and code away. Servers are not the database's to stop.
///
/// # Errors
/// If the database or the system's random source fails.
pub fn revoke_everything(db: &mut Db, user: UserId) -> Result<Revoked, Refused> {
    end_logins(db, user)?;
    let owner = tokens::TokenOwner::User(user);
    let oauth_tokens = tokens::delete_of_purpose(db, owner, TokenPurpose::OAuth)?;
    let tokens = tokens::delete_of_user(db, user)?;
    let oauth_codes = oauth_codes::delete_of_user(db, user)?;
    Ok(Revoked { oauth_tokens, tokens, oauth_codes })
}
