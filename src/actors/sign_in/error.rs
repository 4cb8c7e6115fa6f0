//! Why somebody was not signed in.

use crate::auth::{AuthError, EncryptError};
use crate::domain::allow::Denial;
use crate::hooks::HookError;
use crate::store::StoreError;
use crate::store::accounts::AccountError;

/// Why somebody was turned away: for the log. The person learns only that it did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody is proved to be anybody.
    #[error("wrong name or password")]
    Credentials,
    /// A rule of `[auth]`.
    #[error(transparent)]
    Rule(#[from] Denial),
    /// The `post_auth` hook answered null.
    #[error("auth.hooks.post_auth answered null")]
    Hook,
}

/// Why a sign-in came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Turned away.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A hook or a PAM module said no, in words that the person is shown.
    #[error("{message}")]
    Refused {
        /// An HTTP status from 400 to 599.
        status: u16,
        /// For the person.
        message: String,
    },
    /// A role that the sign-in gives cannot be.
    #[error("a role of the sign-in cannot be: {0}")]
    Role(String),
    /// Groups come from the sign-in, but it says nothing of them.
    #[error(
        "auth.manage_groups is on, but the sign-in ({0}) gave no `groups`: let auth.hooks.post_auth give them (null \
         leaves them as they are), or set auth.manage_groups = false"
    )]
    NoGroups(&'static str),
    /// The authenticator or a hook does not work.
    #[error(transparent)]
    Auth(AuthError),
    /// The auth state cannot be encrypted.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The user cannot be made.
    #[error(transparent)]
    Account(AccountError),
}

impl From<AccountError> for SignInError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Store(error) => Self::Store(error),
            AccountError::Random(_) => Self::Account(error),
        }
    }
}

impl From<Denial> for SignInError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial.into())
    }
}

impl From<AuthError> for SignInError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Hook(HookError::Refused(refusal)) => {
                Self::Refused { status: refusal.status_code.unwrap_or(403), message: refusal.message }
            }
            AuthError::Told { status, message } => Self::Refused { status, message },
            other => Self::Auth(other),
        }
    }
}
