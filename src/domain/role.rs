//! Roles: named sets of raw scopes for users, groups and services (rbac.md 10).
//!
//! [`plan_roles`] decides at start what the roles and their members shall be; carrying it out is the store's business.

mod plan;

use std::fmt;
use std::sync::Arc;

use crate::domain::scope::{Base, Filter, RawScope, ScopeError};

pub use plan::{MemberPlan, MemberSource, RolePlan, RoleSettings, RoleWarning, obsolete_roles, plan_roles};

/// Why the configured roles were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// The name breaks the rules.
    #[error(
        "role '{0}' has an invalid name: use 3 to 255 of a-z, 0-9, '-', '_', '~' and '.', starting with a letter and \
         ending with a letter or digit"
    )]
    Name(String),
    /// Two definitions of one role.
    #[error("role '{0}' is defined twice: merge the definitions into one")]
    Duplicate(String),
    /// A scope of the role is not valid.
    #[error("role '{role}': {source}")]
    Scope {
        /// The role.
        role: String,
        /// What is wrong with the scope.
        source: ScopeError,
    },
    /// The scopes or description of `admin` can't be changed.
    #[error(
        "role 'admin': its {0} can't be changed; define another role, or only set the members of 'admin'"
    )]
    AdminChanged(&'static str),
    /// The authenticator says who has which role.
    #[error("role '{0}' lists users or groups, but the authenticator manages roles: remove the list")]
    ManagedMembers(String),
    /// A member service does not exist.
    #[error("role '{role}' lists the service '{service}', which is not configured: define it or remove it")]
    UnknownService {
        /// The role.
        role: String,
        /// The name listed.
        service: String,
    },
}

/// The name of a role.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(Arc<str>);

impl RoleName {
    /// Checks the name of a role, see [`RoleError::Name`].
    ///
    /// # Errors
    /// [`RoleError::Name`] with the refused text.
    pub fn parse(name: &str) -> Result<Self, RoleError> {
        let bytes = name.as_bytes();
        let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fine = (3..=255).contains(&bytes.len())
            && bytes.iter().all(|byte| alphanumeric(byte) || b"-_~.".contains(byte))
            && bytes.first().is_some_and(u8::is_ascii_lowercase)
            && bytes.last().is_some_and(alphanumeric);
        if fine { Ok(Self(name.into())) } else { Err(RoleError::Name(name.to_owned())) }
    }

    /// Takes a name that the store already holds.
    #[must_use]
    pub fn from_stored(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A role as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// For people; may be empty.
    pub description: String,
    /// What it grants: sorted, without repetition, expanded only when used.
    pub scopes: Vec<RawScope>,
}

impl Role {
    fn new(name: &'static str, description: &str, scopes: Vec<RawScope>) -> Self {
        Self { name: RoleName(name.into()), description: description.to_owned(), scopes: sorted(scopes) }
    }

    /// The scopes that this definition has and the stored one lacks; gaining any is worth a warning at start.
    #[must_use]
    pub fn gains(&self, stored: &[RawScope]) -> Vec<&RawScope> {
        self.scopes.iter().filter(|scope| !stored.contains(scope)).collect()
    }
}

fn sorted(mut scopes: Vec<RawScope>) -> Vec<RawScope> {
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

const ADMIN_SCOPES: [&str; 16] = [
    "access:servers",
    "access:services",
    "admin-ui",
    "admin:groups",
    "admin:servers",
    "admin:services",
    "admin:users",
    "list:services",
    "proxy",
    "read:hub",
    "read:metrics",
    "read:roles",
    "read:services",
    "shares",
    "shutdown",
    "tokens",
];

/// The roles that always exist: `user` (with the extra scopes of the configuration), `admin`, `server`, `token`.
#[must_use]
pub fn default_roles(extra_user_scopes: &[RawScope]) -> [Role; 4] {
    let scope = |name, filter| RawScope::new(Base::standard(name), filter);
    let plain = |name| scope(name, Filter::Unfiltered);
    let mut user = vec![plain("self")];
    user.extend_from_slice(extra_user_scopes);
    let server = vec![scope("users:activity", Filter::OwnUser), scope("access:servers", Filter::OwnServer)];
    [
        Role::new("user", "What every user may do with their own account", user),
        Role::new("admin", "Everything that administrators may do", ADMIN_SCOPES.map(plain).into()),
        Role::new("server", "What a server's own token may do", server),
        Role::new("token", "What a token made without a choice may do", vec![RawScope::inherit()]),
    ]
}

#[cfg(test)]
mod tests;
