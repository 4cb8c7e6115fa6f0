//! Roles that come from the sign-in (`auth.manage_roles`, rbac.md 10.4), at each sign-in and when the hub starts.

use std::collections::BTreeSet;

use log::{info, warn};

use super::SignInError;
use super::persist::Context;
use crate::auth::RoleSpec;
use crate::domain::access::AdminFlag;
use crate::domain::allow::{AllowRules, loggable};
use crate::domain::ids::{RoleId, UserId};
use crate::domain::names::{GroupName, Username};
use crate::domain::role::RoleName;
use crate::domain::scope::{Catalogue, RawScope};
use crate::store::accounts::{self, ADMIN_ROLE};
use crate::store::roles::{self, Assigned, Bearer, NewRole, Role};
use crate::store::users::{self, User};
use crate::store::{Db, StoreError, groups, services};

/// Roles that exist whoever bears them.
const DEFAULT_ROLES: [&str; 4] = ["user", "admin", "server", "token"];

/// Makes these the user's roles, all others are taken away, `user` included. `said_admin`: what the sign-in said of the
/// admin flag; if it said nothing, the flag follows the role `admin`.
pub(super) fn replace(
    db: &mut Db,
    context: &Context<'_>,
    user: &User,
    said_admin: Option<bool>,
    specs: &[RoleSpec],
) -> Result<(), SignInError> {
    let mut wanted = Vec::new();
    for spec in specs {
        let role = define(db, context.catalogue, spec)?;
        set_members(db, context.rules, &role, spec)?;
        wanted.push(role);
    }
    let ids: Vec<RoleId> = wanted.iter().map(|role| role.id).collect();
    roles::set_roles_of(db, Bearer::User(user.id), &ids, Assigned::ByAuthenticator)?;
    let is_admin = wanted.iter().any(|role| role.name == ADMIN_ROLE);
    if said_admin.is_none() && is_admin != user.admin {
        users::set_admin(db, user.id, is_admin)?;
    }
    let keep: Vec<String> = context
        .configured_roles
        .iter()
        .cloned()
        .chain(DEFAULT_ROLES.map(str::to_owned))
        .chain(wanted.iter().map(|role| role.name.clone()))
        .collect();
    for name in roles::delete_unborne_managed(db, &keep)? {
        info!(role = name.as_str(); "deleted a role of the sign-in that nobody has any more");
    }
    Ok(())
}

/// Roles of the sign-in at the start of the hub.
pub struct Loaded<'a> {
    /// What the hook gave; nothing without one.
    pub specs: &'a [RoleSpec],
    /// `auth.reset_managed_roles`: forgets what earlier sign-ins gave.
    pub reset: bool,
}

/// Defines the roles that the hook gave. With `reset`, managed roles and assignments that it did not give go away; those
/// of a role that it gave without `users` stay (AUTH-014).
///
/// # Errors
/// [`SignInError::Role`] for a role that cannot be, [`SignInError::Store`] if a query fails.
pub fn load(
    db: &mut Db,
    rules: &AllowRules,
    catalogue: &Catalogue,
    loaded: &Loaded<'_>,
) -> Result<(), SignInError> {
    if loaded.reset {
        let kept: BTreeSet<&str> = loaded.specs.iter().map(|spec| spec.name.as_str()).collect();
        for name in roles::reset_managed(db, &kept)? {
            info!(role = name.as_str(); "deleted a role of earlier sign-ins");
        }
    }
    for spec in loaded.specs {
        let role = define(db, catalogue, spec)?;
        set_members(db, rules, &role, spec)?;
    }
    Ok(())
}

/// The role of a spec, made or changed. What the spec leaves out stays as it is.
fn define(db: &mut Db, catalogue: &Catalogue, spec: &RoleSpec) -> Result<Role, SignInError> {
    RoleName::parse(&spec.name).map_err(|wrong| SignInError::Role(wrong.to_string()))?;
    let known = roles::find(db, &spec.name)?;
    let scopes = spec.scopes.as_ref().map(|texts| normal_scopes(&spec.name, texts, catalogue)).transpose()?;
    if spec.name == ADMIN_ROLE {
        let differs = |role: &Role| {
            spec.description.as_ref().is_some_and(|text| *text != role.description)
                || scopes.as_ref().is_some_and(|scopes| *scopes != role.scopes)
        };
        return match known {
            Some(role) if !differs(&role) => Ok(role),
            _ => Err(SignInError::Role("the role admin cannot be changed".to_owned())),
        };
    }
    let (description, old_scopes, managed_by_auth) = match &known {
        Some(role) => (role.description.clone(), role.scopes.clone(), role.managed_by_auth),
        None => (String::new(), Vec::new(), true),
    };
    let new = NewRole {
        name: spec.name.clone(),
        description: spec.description.clone().unwrap_or(description),
        scopes: scopes.unwrap_or(old_scopes),
        managed_by_auth,
    };
    match known {
        Some(role) if role.description == new.description && role.scopes == new.scopes => Ok(role),
        _ => Ok(roles::upsert(db, &new)?),
    }
}

fn normal_scopes(role: &str, texts: &[String], catalogue: &Catalogue) -> Result<Vec<String>, SignInError> {
    let mut scopes = RawScope::parse_all(texts, catalogue)
        .map_err(|wrong| SignInError::Role(format!("role '{role}': {wrong}")))?;
    scopes.sort();
    scopes.dedup();
    Ok(scopes.iter().map(ToString::to_string).collect())
}

/// Makes the listed users, groups and services those that bear the role; unknown ones are left out, with a warning.
fn set_members(db: &mut Db, rules: &AllowRules, role: &Role, spec: &RoleSpec) -> Result<(), SignInError> {
    if let Some(names) = &spec.users {
        let names: Vec<Username> =
            names.iter().map(|name| Username::from_stored(rules.normalise(name))).collect();
        let found = users::find_all(db, &names)?;
        warn_of_missing(role, "user", &names, |name| found.iter().any(|user| user.name == *name));
        set_users(db, role, &found.iter().map(|user| user.id).collect())?;
    }
    if let Some(names) = &spec.groups {
        let names: Vec<GroupName> = names.iter().map(|name| GroupName::from_stored(name.as_str())).collect();
        let found = groups::find_all(db, &names)?;
        warn_of_missing(role, "group", &names, |name| found.iter().any(|group| group.name == *name));
        let wanted = found.iter().map(|group| Bearer::Group(group.id));
        let now = roles::groups_of(db, role.id)?.into_iter().map(Bearer::Group).collect();
        set_bearers(db, role, wanted.collect(), now)?;
    }
    if let Some(names) = &spec.services {
        let found: Vec<_> = services::list(db)?
            .into_iter()
            .filter(|service| names.contains(&service.definition.name))
            .collect();
        warn_of_missing(role, "service", names, |name| {
            found.iter().any(|service| service.definition.name == **name)
        });
        let wanted = found.iter().map(|service| Bearer::Service(service.id));
        let now = roles::services_of(db, role.id)?.into_iter().map(Bearer::Service).collect();
        set_bearers(db, role, wanted.collect(), now)?;
    }
    Ok(())
}

/// Users of the role `admin` have the flag, and nobody else.
fn set_users(db: &mut Db, role: &Role, wanted: &BTreeSet<UserId>) -> Result<(), StoreError> {
    let now: BTreeSet<UserId> = roles::users_of(db, role.id)?.into_iter().collect();
    if role.name == ADMIN_ROLE {
        for id in now.difference(wanted) {
            accounts::set_admin(db, *id, AdminFlag::Ordinary)?;
        }
        for id in wanted.difference(&now) {
            users::set_admin(db, *id, true)?;
        }
    }
    let bearers = |ids: &BTreeSet<UserId>| ids.iter().copied().map(Bearer::User).collect();
    set_bearers(db, role, bearers(wanted), bearers(&now))
}

fn set_bearers(db: &mut Db, role: &Role, wanted: Vec<Bearer>, now: Vec<Bearer>) -> Result<(), StoreError> {
    for bearer in now.iter().filter(|bearer| !wanted.contains(bearer)) {
        roles::revoke(db, role.id, *bearer)?;
    }
    for bearer in wanted {
        roles::grant(db, role.id, bearer, Assigned::ByAuthenticator)?;
    }
    Ok(())
}

fn warn_of_missing<N: AsRef<str>>(role: &Role, kind: &str, names: &[N], known: impl Fn(&N) -> bool) {
    for name in names.iter().filter(|name| !known(name)) {
        let missing = loggable(name.as_ref());
        warn!(role = role.name.as_str(), kind, missing = missing.as_str();
            "the sign-in gives a role to somebody who does not exist");
    }
}
