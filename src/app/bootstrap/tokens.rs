//! API tokens that the configuration gives to services and users (services.md 3, database.md 3).
//!
//! A supplied token costs 16384 rounds to compare. At a start with an unchanged configuration each is compared once,
//! with the one row that it was stored as.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::BootstrapError;
use super::services::Configured;
use crate::config::setting::Key;
use crate::domain::token_hash::{self, GENERATED_ROUNDS, SUPPLIED_ROUNDS, TokenHash};
use crate::secret::{self, Secret};
use crate::store::tokens::{self as rows, NewToken, Token, TokenOwner, TokenPurpose};
use crate::store::{Db, StoreError, oauth, services, users};

/// A token of the configuration.
pub(super) struct Wanted<'c> {
    /// Where it is written.
    pub(super) key: Key,
    /// Who it speaks for.
    pub(super) owner: TokenOwner,
    /// The token itself.
    pub(super) token: &'c Secret,
}

/// What new rows have in common.
pub(super) struct Issue<'a> {
    /// Whether the operator vouches for the tokens' randomness, so that one round is enough.
    pub(super) trusted: bool,
    /// Their scopes.
    pub(super) scopes: &'a [String],
    /// When they are made.
    pub(super) now: DateTime<Utc>,
}

/// Makes the tokens of the configuration those in the database: the first start after a token changed revokes the old
/// one.
pub(super) fn write(db: &mut Db, wanted: &[Wanted<'_>], issue: &Issue<'_>) -> Result<(), BootstrapError> {
    for wanted in wanted {
        token_hash::check_length(wanted.token.expose()).map_err(|source| wanted.refused(source))?;
    }
    // all that go before any that come, so that a token may move from one owner to another
    let kept = delete_changed(db, wanted)?;
    for (at, wanted) in wanted.iter().enumerate() {
        if !kept.contains(&at) && !is_stored(db, wanted, issue.now)? {
            rows::create(db, &wanted.row(issue)?)?;
        }
    }
    Ok(())
}

/// Makes the token of this start the only one that the hub made for the service (SVC-011). It is random, so one round is
/// enough.
pub(super) fn renew_startup(
    db: &mut Db,
    service: &Configured<'_>,
    issue: &Issue<'_>,
) -> Result<(), BootstrapError> {
    let owner = TokenOwner::Service(service.id);
    rows::delete_of_purpose(db, owner, TokenPurpose::ServiceStartup)?;
    if let Some(token) = &service.startup_token {
        let wanted = Wanted { key: service.key("command"), owner, token };
        let row = NewToken {
            hashed: hashed(token, GENERATED_ROUNDS, &wanted.key)?,
            note: "generated at startup".to_owned(),
            purpose: TokenPurpose::ServiceStartup,
            ..wanted.row(issue)?
        };
        rows::create(db, &row)?;
    }
    Ok(())
}

/// Deletes the tokens of an earlier configuration. Returns the places in `wanted` of those that are still the same.
fn delete_changed(db: &mut Db, wanted: &[Wanted<'_>]) -> Result<HashSet<usize>, BootstrapError> {
    let mut kept = HashSet::new();
    for row in rows::configured(db)? {
        let same = wanted.iter().position(|wanted| wanted.owner == row.owner && wanted.stays(&row));
        if !same.is_some_and(|at| kept.insert(at)) {
            rows::delete(db, row.id)?;
        }
    }
    Ok(kept)
}

/// Whether the owner has the token already, from elsewhere.
fn is_stored(db: &mut Db, wanted: &Wanted<'_>, now: DateTime<Utc>) -> Result<bool, BootstrapError> {
    for row in rows::candidates(db, wanted.prefix(), None, now)? {
        if row.owner == wanted.owner && wanted.stays(&row) {
            return Ok(true);
        }
        if row.owner != wanted.owner && wanted.is_token_of(&row) {
            let owner = described(db, row.owner)?;
            return Err(BootstrapError::TokenTaken { key: wanted.key.clone(), owner });
        }
    }
    Ok(false)
}

fn described(db: &mut Db, owner: TokenOwner) -> Result<String, StoreError> {
    let named = match owner {
        TokenOwner::User(id) => users::find_by_id(db, id)?.map(|user| format!("user `{}`", user.name)),
        TokenOwner::Service(id) => {
            services::find_by_id(db, id)?.map(|service| format!("service `{}`", service.definition.name))
        }
    };
    Ok(named.unwrap_or_else(|| "someone".to_owned()))
}

impl Wanted<'_> {
    fn prefix(&self) -> &str {
        token_hash::prefix(self.token.expose())
    }

    fn is_token_of(&self, row: &Token) -> bool {
        is_hash_of(&row.hashed, self.token)
    }

    /// Whether the row can go on being this token: it never expires. The prefix saves hashing.
    fn stays(&self, row: &Token) -> bool {
        row.expires_at.is_none() && row.prefix == self.prefix() && self.is_token_of(row)
    }

    fn refused(&self, source: token_hash::TokenHashError) -> BootstrapError {
        BootstrapError::Token { key: self.key.clone(), source }
    }

    fn row(&self, issue: &Issue<'_>) -> Result<NewToken, BootstrapError> {
        let rounds = if issue.trusted { GENERATED_ROUNDS } else { SUPPLIED_ROUNDS };
        Ok(NewToken {
            hashed: hashed(self.token, rounds, &self.key)?,
            prefix: self.prefix().to_owned(),
            owner: self.owner,
            client_id: oauth::HUB_CLIENT.to_owned(),
            server_id: None,
            session_id: None,
            created: issue.now,
            expires_at: None,
            note: "from config".to_owned(),
            scopes: issue.scopes.to_vec(),
            purpose: TokenPurpose::Config,
        })
    }
}

/// Whether `hashed` is a stored hash of `token`.
pub(super) fn is_hash_of(hashed: &Secret, token: &Secret) -> bool {
    hashed.expose().parse::<TokenHash>().is_ok_and(|hash| hash.verify(token.expose()))
}

/// The hash of `token` with a fresh salt. `key` names the token in errors.
pub(super) fn hashed(token: &Secret, rounds: u32, key: &Key) -> Result<Secret, BootstrapError> {
    let salt = secret::hex(&secret::random_bytes::<8>()?);
    let hash = TokenHash::new(token.expose(), rounds, &salt)
        .map_err(|source| BootstrapError::Token { key: key.clone(), source })?;
    Ok(Secret::new(hash.to_string()))
}
