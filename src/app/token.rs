//! `orrery token [NAME]`: an API token for a user, made at the command line (config.md 1.2).

use chrono::Utc;

use super::{AppError, parts};
use crate::config::Config;
use crate::domain::names::Username;
use crate::domain::token_hash::{self, TokenHash, TokenHashError};
use crate::secret::{self, RandomError, Secret};
use crate::store::{Db, OpenMode, Store, StoreError, oauth, roles, tokens, users};

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The configuration or the database.
    #[error(transparent)]
    App(#[from] AppError),
    /// A query.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Cannot be hashed.
    #[error(transparent)]
    Hash(#[from] TokenHashError),
    /// Nobody of that name.
    #[error("there is no user {0}; users exist once they have signed in or were added by an administrator")]
    NoSuchUser(Username),
}

/// Makes a token that never expires, with the scopes of the role `token`.
///
/// # Errors
/// [`TokenError`].
pub fn create_token(config: &Config, user: &Username) -> Result<Secret, TokenError> {
    let store = Store::open(&parts::store(config)?, OpenMode::CreateOrCurrent).map_err(AppError::from)?;
    let user = user.clone();
    actix::System::new().block_on(store.write(move |db| create(db, &user)))
}

fn create(db: &mut Db, name: &Username) -> Result<Secret, TokenError> {
    let user = users::find(db, name)?.ok_or_else(|| TokenError::NoSuchUser(name.clone()))?;
    let scopes = roles::find(db, "token")?.map_or_else(|| vec!["inherit".to_owned()], |role| role.scopes);
    let token = Secret::new(secret::random_hex32()?);
    let salt = secret::hex(&secret::random_bytes::<8>()?);
    let hashed = TokenHash::new(token.expose(), token_hash::GENERATED_ROUNDS, &salt)?;
    let new = tokens::NewToken {
        hashed: Secret::new(hashed.to_string()),
        prefix: token_hash::prefix(token.expose()).to_owned(),
        owner: tokens::TokenOwner::User(user.id),
        client_id: oauth::HUB_CLIENT.to_owned(),
        server_id: None,
        session_id: None,
        created: Utc::now(),
        expires_at: None,
        note: "command-line generated".to_owned(),
        scopes,
        purpose: tokens::TokenPurpose::User,
    };
    tokens::create(db, &new)?;
    Ok(token)
}
