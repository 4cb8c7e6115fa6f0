//! Brings the database in line with the configuration when the hub starts (lifecycle.md 1, steps 12 to 18).
//!
//! All of it is one write transaction: a start that fails leaves the database as it was, and a start with an unchanged
//! configuration changes nothing. The order matters: roles exist before anyone can be given one, users and services
//! before they become members, and blocked users lose everything last.

mod clients;
mod error;
mod groups;
mod members;
mod people;
mod roles;
pub(super) mod scopes;
mod services;
mod tokens;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

pub use self::error::BootstrapError;
use self::people::People;
use self::roles::Defined;
use crate::actors::{janitor, sign_in};
use crate::auth::RoleSpec;
use crate::config::Config;
use crate::domain::allow::AllowRules;
use crate::domain::names::Username;
use crate::domain::scope::Catalogue;
use crate::secret::Secret;
use crate::store::tokens::TokenOwner;
use crate::store::{self, Db, Store, StoreError, oauth};

/// What the hub needs to know after the database and the configuration agree.
#[derive(Debug, Clone)]
pub struct Synchronised {
    /// All scopes, the operator's own among them.
    pub catalogue: Catalogue,
    /// Services to be proxied, those made at run time among them: name, and the origin (`http://host:port`) to send
    /// requests to.
    pub service_routes: Vec<(String, String)>,
    /// Configured services and their tokens; those without one are not in here, nor those that were ignored.
    pub managed: BTreeMap<String, Secret>,
    /// Users of `auth.blocked_users` that exist: their servers are to be stopped.
    pub blocked: Vec<Username>,
    /// What a human may want to know, as sentences that name the key.
    pub warnings: Vec<String>,
}

/// Writes users, groups, roles, services, tokens and OAuth clients of the configuration to the database, and removes
/// what an earlier configuration or run left behind. For the start only, before the first server is started.
///
/// # Errors
/// [`BootstrapError`], naming the key to change; the database is then as it was.
pub async fn synchronise(
    store: &Store,
    config: &Config,
    rules: &AllowRules,
) -> Result<Synchronised, BootstrapError> {
    synchronise_with(store, config, rules, Vec::new(), Occasion::Start).await
}

/// When the configuration is written to the database.
#[derive(Debug, Clone)]
pub enum Occasion {
    /// The hub starts: what a run before left behind is removed.
    Start,
    /// The hub runs: servers that are just starting and services that run on keep what is theirs.
    Reload {
        /// The tokens that managed services have, by name.
        tokens: BTreeMap<String, Secret>,
    },
}

/// As [`synchronise`], with the roles that `auth.hooks.load_roles` gave; also for a hub that runs.
///
/// # Errors
/// As [`synchronise`].
pub async fn synchronise_with(
    store: &Store,
    config: &Config,
    rules: &AllowRules,
    managed: Vec<RoleSpec>,
    occasion: Occasion,
) -> Result<Synchronised, BootstrapError> {
    let catalogue = scopes::catalogue(config)?;
    let (config, rules) = (config.clone(), rules.clone());
    // boxed: the configuration, of many keys, moves along
    Box::pin(store.write(move |db| write(db, (&config, &rules, &managed), catalogue, &occasion, Utc::now())))
        .await
}

/// What [`synchronise_with`] would say: everything is written, looked at, and taken back. Returns what is doubtful.
///
/// # Errors
/// As [`synchronise`].
pub async fn rehearse(
    store: &Store,
    config: &Config,
    rules: &AllowRules,
    managed: Vec<RoleSpec>,
    occasion: Occasion,
) -> Result<Vec<String>, BootstrapError> {
    let catalogue = scopes::catalogue(config)?;
    let (config, rules) = (config.clone(), rules.clone());
    // nothing of it lasts, so nobody has to look again
    let played = store.write_quietly(move |db| {
        let written = write(db, (&config, &rules, &managed), catalogue, &occasion, Utc::now());
        // an error, so that the transaction is rolled back
        Err::<(), _>(match written {
            Ok(synchronised) => TakenBack::Fine(synchronised.warnings),
            Err(error) => TakenBack::Wrong(error),
        })
    });
    match Box::pin(played).await {
        Ok(()) => Ok(Vec::new()),
        Err(TakenBack::Fine(warnings)) => Ok(warnings),
        Err(TakenBack::Wrong(error)) => Err(error),
    }
}

/// What came of a transaction that is to leave nothing.
enum TakenBack {
    Fine(Vec<String>),
    Wrong(BootstrapError),
}

impl From<StoreError> for TakenBack {
    fn from(error: StoreError) -> Self {
        Self::Wrong(error.into())
    }
}

fn write(
    db: &mut Db,
    (config, rules, managed): (&Config, &AllowRules, &[RoleSpec]),
    catalogue: Catalogue,
    occasion: &Occasion,
    now: DateTime<Utc>,
) -> Result<Synchronised, BootstrapError> {
    let mut warnings = Vec::new();
    oauth::ensure_hub_client(db)?;
    let defined = roles::define(db, config, &catalogue, &mut warnings)?;
    let people = People { rules, now };
    if let Occasion::Start = occasion {
        people.judge_existing(db, &config.auth, &mut warnings)?;
    }
    people.ensure_listed(db)?;
    groups::extend(db, config, &people)?;
    let configured = services::define(db, config, occasion, &mut warnings)?;
    store_tokens(db, config, &configured, &people, &defined)?;
    warnings.extend(clients::write(db, &configured, &config.addresses()?.places, &catalogue)?);
    members::assign(db, config, &defined, &people, &mut warnings)?;
    if config.auth.manage_roles {
        let loaded = sign_in::roles::Loaded { specs: managed, reset: config.auth.reset_managed_roles };
        sign_in::roles::load(db, rules, &catalogue, &loaded).map_err(BootstrapError::ManagedRoles)?;
    }
    let blocked = people.strip_blocked(db, &config.auth.blocked_users)?;
    janitor::purge(db, now)?;
    if let Occasion::Start = occasion {
        store::tokens::delete_leaked(db)?;
        oauth::delete_unused(db)?;
    }
    let all = store::services::list(db)?;
    Ok(Synchronised {
        service_routes: services::routes(&all),
        managed: configured.iter().filter_map(services::Configured::managed).collect(),
        catalogue,
        blocked,
        warnings,
    })
}

/// The tokens that the configuration gives to services and users.
fn store_tokens(
    db: &mut Db,
    config: &Config,
    configured: &[services::Configured<'_>],
    people: &People<'_>,
    defined: &Defined,
) -> Result<(), BootstrapError> {
    let mut wanted: Vec<tokens::Wanted<'_>> =
        configured.iter().filter_map(services::Configured::token).collect();
    for (name, token) in config.auth.static_tokens.iter().filter(|(_, token)| !token.is_empty()) {
        let key = error::key(["auth", "static_tokens", name]);
        let owners = people.ensure(db, &key, [name])?;
        wanted.extend(owners.into_iter().map(|id| tokens::Wanted {
            key: key.clone(),
            owner: TokenOwner::User(id),
            token,
        }));
    }
    let issue = tokens::Issue {
        trusted: config.hub.tokens.trust_provided,
        scopes: &defined.of_tokens,
        now: people.now,
    };
    tokens::write(db, &wanted, &issue)?;
    for service in configured {
        tokens::renew_startup(db, service, &issue)?;
    }
    Ok(())
}
