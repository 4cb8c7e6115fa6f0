//! Why the configuration cannot be written to the database: texts that name the key to change.

use crate::actors::sign_in::SignInError;
use crate::config::setting::Key;
use crate::domain::names::NameError;
use crate::domain::oauth::client::ServiceClientIdError;
use crate::domain::role::RoleError;
use crate::domain::scope::{CustomScopeError, ScopeError};
use crate::domain::token_hash::TokenHashError;
use crate::secret::RandomError;
use crate::store::StoreError;
use crate::store::accounts::AccountError;

/// Why the hub cannot start with this configuration and this database.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// A scope of the operator's own breaks a rule of rbac.md 12.
    #[error("{key}: {source}")]
    CustomScope {
        /// Where.
        key: Key,
        /// What is wrong with it.
        source: CustomScopeError,
    },
    /// A role breaks a rule of rbac.md 10.
    #[error("{key}: {source}")]
    Role {
        /// Where.
        key: Key,
        /// What is wrong with it.
        source: RoleError,
    },
    /// A scope that is neither standard nor in `[scopes]`.
    #[error("{key}: {source}")]
    Scope {
        /// Where.
        key: Key,
        /// What is wrong with it.
        source: ScopeError,
    },
    /// A role lists a service that does not exist.
    #[error("{key}: there is no service `{service}` in [services]; add it there or remove it here")]
    UnknownService {
        /// Where.
        key: Key,
        /// The name listed.
        service: String,
    },
    /// A name that no user or group can have.
    #[error("{key}: {source}")]
    Name {
        /// Where.
        key: Key,
        /// What is wrong with it.
        source: NameError,
    },
    /// Groups come from the sign-in and from the configuration.
    #[error(
        "{key}: groups come from the sign-in (`auth.manage_groups`), so they cannot be listed: remove one of both"
    )]
    ManagedGroups {
        /// Where.
        key: Key,
    },
    /// A token that is too short or too long.
    #[error("{key}: {source}")]
    Token {
        /// Where.
        key: Key,
        /// What is wrong with it.
        source: TokenHashError,
    },
    /// A token that speaks for someone else already.
    #[error("{key}: this token belongs to {owner} already; choose another (`openssl rand -hex 16`)")]
    TokenTaken {
        /// Where.
        key: Key,
        /// For people: "user ada" or "service web".
        owner: String,
    },
    /// An OAuth client id that a service cannot have.
    #[error("{key}: {source}")]
    ClientId {
        /// Where.
        key: Key,
        /// What is wrong with it.
        source: ServiceClientIdError,
    },
    /// An OAuth client id that is in use.
    #[error("{key}: another service has the OAuth client id `{identifier}`; choose another id")]
    ClientTaken {
        /// Where.
        key: Key,
        /// The id.
        identifier: String,
    },
    /// An OAuth client without an address to return to.
    #[error("{key}: needed, because the service uses OAuth and has no `url`")]
    NoRedirect {
        /// Where.
        key: Key,
    },
    /// Roles that the sign-in manages.
    #[error("auth.hooks.load_roles: {0}")]
    ManagedRoles(#[source] SignInError),
    /// An address of the hub.
    #[error(transparent)]
    Address(#[from] crate::config::AddressError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes for a salt or a cookie id.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<AccountError> for BootstrapError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Store(error) => Self::Store(error),
            AccountError::Random(error) => Self::Random(error),
        }
    }
}

/// The key with these parts.
pub(super) fn key<const N: usize>(parts: [&str; N]) -> Key {
    Key::new(parts)
}
