//! The end of what a person began by signing in: one browser's session, or everything of one user.

use chrono::{DateTime, Utc};

use super::error::Refused;
use super::state::Hub;
use super::visit::Visit;
use crate::domain::ids::UserId;
use crate::secret;
use crate::store::tokens::TokenPurpose;
use crate::store::{Db, ended_logins, oauth_codes, tokens, users};

/// Ends a user's session in one browser: the login, which a copy of its cookie would carry on (SEC-010), and the tokens
/// and codes that were granted in it (oauth.md 7). What the user does elsewhere goes on.
///
/// # Errors
/// If the database fails.
pub async fn end_session(hub: &Hub, visit: &Visit, user: UserId) -> Result<(), Refused> {
    let session = visit.session_id.clone();
    let login = visit.login(hub).and_then(|login| login.id);
    let longest = chrono::Duration::from_std(hub.settings.cookie_max_age).unwrap_or(chrono::Duration::MAX);
    let until = Utc::now().checked_add_signed(longest).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let end = move |db: &mut Db| {
        if let Some(session) = session {
            tokens::delete_of_session(db, user, &session)?;
            oauth_codes::delete_of_session(db, user, &session)?;
        }
        if let Some(login) = login {
            ended_logins::add(db, &login, until)?;
        }
        Ok::<_, Refused>(())
    };
    hub.store.write(end).await
}

/// Ends every session of a user in every browser, and what was granted in them. Tokens that the user made stay.
///
/// # Errors
/// If the database or the system's random source fails.
pub fn end_sessions(db: &mut Db, user: UserId) -> Result<(), Refused> {
    users::set_cookie_id(db, user, &secret::random_hex32()?)?;
    tokens::delete_of_purpose(db, tokens::TokenOwner::User(user), TokenPurpose::OAuth)?;
    oauth_codes::delete_of_user(db, user)?;
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
    users::set_cookie_id(db, user, &secret::random_hex32()?)?;
    let owner = tokens::TokenOwner::User(user);
    let oauth_tokens = tokens::delete_of_purpose(db, owner, TokenPurpose::OAuth)?;
    let tokens = tokens::delete_of_user(db, user)?;
    let oauth_codes = oauth_codes::delete_of_user(db, user)?;
    Ok(Revoked { oauth_tokens, tokens, oauth_codes })
}
