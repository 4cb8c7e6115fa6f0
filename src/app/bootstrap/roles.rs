//! `[roles]`: which roles exist and what they grant. Who bears them is decided later, in `members`.

use std::collections::BTreeSet;

use log::info;

use super::BootstrapError;
use super::error::key;
use crate::config::setting::Key;
use crate::config::{Config, RoleConfig};
use crate::domain::ids::RoleId;
use crate::domain::role::{MemberSource, Role, RoleError, RolePlan, RoleSettings, RoleWarning, plan_roles};
use crate::domain::scope::{Catalogue, RawScope};
use crate::store::roles::{self as rows, NewRole};
use crate::store::{Db, services, users};

/// The roles as they are now in the database.
pub(super) struct Defined {
    /// Each with the plan for its members.
    pub(super) roles: Vec<(RoleId, RolePlan)>,
    /// The scopes of a token made without a choice: those of the role `token`.
    pub(super) of_tokens: Vec<String>,
}

/// Makes the roles of the database those of the configuration and the default ones.
pub(super) fn define(
    db: &mut Db,
    config: &Config,
    catalogue: &Catalogue,
    warnings: &mut Vec<String>,
) -> Result<Defined, BootstrapError> {
    let stored = rows::list(db)?;
    let plans = plan(db, config, catalogue, warnings)?;
    let names: Vec<String> = plans.iter().map(|plan| plan.role.name.to_string()).collect();
    for name in rows::delete_missing(db, &names)? {
        info!(role = name.as_str(); "deleted a role that is no longer configured");
    }
    let mut roles = Vec::new();
    for plan in plans {
        let before = stored.iter().find(|role| role.name == plan.role.name.as_str());
        warnings.extend(before.and_then(|before| gained(&plan.role, before, catalogue)));
        roles.push((write(db, &plan.role, before)?, plan));
    }
    let of_newcomers: Vec<RoleId> = named(&roles, "user").map(|(id, _)| *id).collect();
    let of_tokens = named(&roles, "token").flat_map(|(_, plan)| texts(&plan.role)).collect();
    if stored.is_empty() && users::count(db)? > 0 {
        // users of a database from before there were roles (rbac.md 10.6); their admin flag does the rest
        for role in &of_newcomers {
            rows::grant_to_all_users(db, *role)?;
        }
    }
    Ok(Defined { roles, of_tokens })
}

/// The role called `name`: none or one.
fn named<'r>(roles: &'r [(RoleId, RolePlan)], name: &'r str) -> impl Iterator<Item = &'r (RoleId, RolePlan)> {
    roles.iter().filter(move |(_, plan)| plan.role.name.as_str() == name)
}

/// What the configuration says, over what is there by default.
fn plan(
    db: &mut Db,
    config: &Config,
    catalogue: &Catalogue,
    warnings: &mut Vec<String>,
) -> Result<Vec<RolePlan>, BootstrapError> {
    let configured: Vec<RoleSettings> = config.roles.iter().map(settings).collect();
    let extra = match config.roles.get("user") {
        Some(user) => RawScope::parse_all(&user.extra_scopes, catalogue).map_err(|source| {
            BootstrapError::Scope { key: key(["roles", "user", "extra_scopes"]), source }
        })?,
        None => Vec::new(),
    };
    let at_run_time = services::list(db)?.into_iter().filter(|service| !service.definition.from_config);
    let mut known: BTreeSet<String> = at_run_time.map(|service| service.definition.name).collect();
    known.extend(config.services.keys().cloned());
    let source =
        if config.auth.manage_roles { MemberSource::Authenticator } else { MemberSource::Configuration };
    let (plans, odd) = plan_roles(&configured, &extra, &known, source, catalogue).map_err(refused)?;
    // the check of the configuration has warned of a role `user` without `self` already
    let odd = odd.into_iter().filter(|warning| *warning != RoleWarning::UserWithoutSelf);
    warnings.extend(odd.map(|warning| warning.to_string()));
    Ok(plans)
}

fn settings((name, role): (&String, &RoleConfig)) -> RoleSettings {
    RoleSettings {
        name: name.clone(),
        description: role.description.clone(),
        scopes: role.scopes.clone(),
        users: role.users.clone(),
        groups: role.groups.clone(),
        services: role.services.clone(),
    }
}

fn refused(source: RoleError) -> BootstrapError {
    let key: Key = match &source {
        RoleError::UnknownService { role, service } => {
            let key = key(["roles", role, "services"]);
            return BootstrapError::UnknownService { key, service: service.clone() };
        }
        RoleError::Name(role) | RoleError::Duplicate(role) | RoleError::ManagedMembers(role) => {
            key(["roles", role])
        }
        RoleError::Scope { role, .. } => key(["roles", role, "scopes"]),
        RoleError::AdminChanged(field) => key(["roles", "admin", field]),
    };
    BootstrapError::Role { key, source }
}

/// A sentence about scopes that a known role did not have (config.md 2.4, 8).
fn gained(role: &Role, before: &rows::Role, catalogue: &Catalogue) -> Option<String> {
    let stored: Vec<RawScope> =
        before.scopes.iter().filter_map(|text| RawScope::parse(text, catalogue).ok()).collect();
    let new: Vec<String> = role.gains(&stored).into_iter().map(RawScope::to_string).collect();
    let name = &role.name;
    (!new.is_empty()).then(|| format!("role `{name}` gains scopes for all who have it: {}", new.join(", ")))
}

fn write(db: &mut Db, role: &Role, before: Option<&rows::Role>) -> Result<RoleId, BootstrapError> {
    let wanted = NewRole {
        name: role.name.to_string(),
        description: role.description.clone(),
        scopes: texts(role),
        managed_by_auth: false,
    };
    match before {
        Some(row) if is_same(row, &wanted) => Ok(row.id),
        _ => Ok(rows::upsert(db, &wanted)?.id),
    }
}

fn is_same(row: &rows::Role, wanted: &NewRole) -> bool {
    row.description == wanted.description
        && row.scopes == wanted.scopes
        && row.managed_by_auth == wanted.managed_by_auth
}

fn texts(role: &Role) -> Vec<String> {
    role.scopes.iter().map(RawScope::to_string).collect()
}
