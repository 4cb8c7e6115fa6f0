//! `orrery token [NAME]`: an API token for a user, made at the command line (config.md 1.2).

use chrono::Utc;

use super::{AppError, bootstrap, parts, upkeep};
use crate::auth::Authenticator;
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

/// Makes a token that never expires, with the scopes of the role `token`. For a user whom the configuration names and no
/// hub has made yet, the database is brought in line with it first; otherwise a hub that runs is left alone.
///
/// # Errors
/// [`TokenError`].
pub fn create_token(config: &Config, user: &Username) -> Result<Secret, TokenError> {
    upkeep::as_owner_of_database(config)?;
    let store = Store::open(&parts::store(config)?, OpenMode::CreateOrCurrent).map_err(AppError::from)?;
    let rules = Authenticator::rules_of(&config.auth).map_err(AppError::from)?;
    actix::System::new().block_on(async {
        let (name, wanted) = (user.clone(), user.clone());
        let known = store.read(move |db| users::find(db, &wanted)).await?;
        let listed = rules.admin_users().chain(rules.allowed_users()).any(|listed| *listed == name);
        if known.is_none() && listed {
            // no hook is asked here, so what one gave at the last start must not be forgotten
            let mut config = config.clone();
            config.auth.reset_managed_roles = false;
            bootstrap::synchronise(&store, &config, &rules).await.map_err(AppError::from)?;
        }
        store.write(move |db| create(db, &name)).await
    })
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
