//! Who bears which role (rbac.md 10.3). A list of the configuration is complete; the admin flag and the role `admin`
//! always agree afterwards.

use std::collections::BTreeSet;

use super::BootstrapError;
use super::error::key;
use super::groups;
use super::people::People;
use super::roles::Defined;
use crate::config::Config;
use crate::domain::ids::{GroupId, RoleId, ServiceId, UserId};
use crate::domain::role::{MemberPlan, RolePlan};
use crate::store::roles::{self as rows, Assigned, Bearer};
use crate::store::services::{Service, ServiceDefinition};
use crate::store::{self, Db, StoreError, users};

/// What becomes of the members of one kind: the plan, with rows in place of names.
enum Members<Id> {
    Keep,
    Exactly(BTreeSet<Id>),
    Flagged,
}

struct Resolved<'a> {
    role: RoleId,
    name: &'a str,
    users: Members<UserId>,
    groups: Members<GroupId>,
    services: Members<ServiceId>,
}

/// Gives and takes roles until the members are those of the configuration.
pub(super) fn assign(
    db: &mut Db,
    config: &Config,
    defined: &Defined,
    people: &People<'_>,
    warnings: &mut Vec<String>,
) -> Result<(), BootstrapError> {
    let services = store::services::list(db)?;
    // names first, for all roles: a user who is made on the way gets the role `user`, whose own list comes later
    let mut resolved = Vec::new();
    for (role, plan) in &defined.roles {
        resolved.push(resolve(db, *role, plan, config, people, &services)?);
    }
    warnings.extend(merged_admins(config));
    for Resolved { role, name, users, groups, services: bearers } in resolved {
        set_groups(db, role, groups)?;
        if name == "admin" {
            let besides = people.admins(db)?;
            set_admins(db, role, users, besides)?;
            set_admin_services(db, role, bearers, &services)?;
        } else {
            let besides = if name == "user" { people.allowed(db)? } else { BTreeSet::new() };
            set_users(db, role, users, besides)?;
            set_services(db, role, bearers)?;
        }
    }
    Ok(())
}

fn resolve<'a>(
    db: &mut Db,
    role: RoleId,
    plan: &'a RolePlan,
    config: &Config,
    people: &People<'_>,
    services: &[Service],
) -> Result<Resolved<'a>, BootstrapError> {
    let name = plan.role.name.as_str();
    let users = key(["roles", name, "users"]);
    let groups = key(["roles", name, "groups"]);
    Ok(Resolved {
        role,
        name,
        users: members(&plan.users, |names| people.ensure(db, &users, names))?,
        groups: members(&plan.groups, |names| {
            names.iter().map(|name| Ok(groups::ensure(db, &groups, name)?.id)).collect()
        })?,
        services: members(&plan.services, |names| Ok(services_named(names, config, services)))?,
    })
}

fn members<Id>(
    plan: &MemberPlan,
    find: impl FnOnce(&[String]) -> Result<BTreeSet<Id>, BootstrapError>,
) -> Result<Members<Id>, BootstrapError> {
    Ok(match plan {
        MemberPlan::Keep => Members::Keep,
        MemberPlan::Exactly(names) => Members::Exactly(find(names)?),
        MemberPlan::Flagged => Members::Flagged,
    })
}

/// The services that are meant. One that was made at run time under the name of a configured one is not: whoever may
/// make services must not get at its roles.
fn services_named(names: &[String], config: &Config, services: &[Service]) -> BTreeSet<ServiceId> {
    let meant = services.iter().filter(|service| {
        let ServiceDefinition { name, from_config, .. } = &service.definition;
        names.contains(name) && *from_config == config.services.contains_key(name)
    });
    meant.map(|service| service.id).collect()
}

/// Config.md 2.4, 12.
fn merged_admins(config: &Config) -> Option<String> {
    let listed = config.roles.get("admin").is_some_and(|role| role.users.is_some());
    (listed && !config.auth.admin_users.is_empty())
        .then(|| "auth.admin_users: added to `roles.admin.users`; list all admins in one of them".to_owned())
}

fn set_groups(db: &mut Db, role: RoleId, members: Members<GroupId>) -> Result<(), StoreError> {
    match members {
        Members::Exactly(ids) => rows::set_groups(db, role, &listed(ids)),
        Members::Keep | Members::Flagged => Ok(()),
    }
}

fn set_services(db: &mut Db, role: RoleId, members: Members<ServiceId>) -> Result<(), StoreError> {
    match members {
        Members::Exactly(ids) => rows::set_services(db, role, &listed(ids)),
        Members::Keep | Members::Flagged => Ok(()),
    }
}

/// `besides`: users who get the role whether or not they are listed.
fn set_users(
    db: &mut Db,
    role: RoleId,
    members: Members<UserId>,
    besides: BTreeSet<UserId>,
) -> Result<(), StoreError> {
    if let Members::Exactly(mut ids) = members {
        ids.extend(besides);
        return rows::set_users(db, role, &listed(ids));
    }
    for id in besides {
        rows::grant(db, role, Bearer::User(id), Assigned::ByHub)?;
    }
    Ok(())
}

/// The role `admin` and the admin flag of users. `besides`: `auth.admin_users`.
fn set_admins(
    db: &mut Db,
    role: RoleId,
    members: Members<UserId>,
    besides: BTreeSet<UserId>,
) -> Result<(), StoreError> {
    let flagged: BTreeSet<UserId> = users::admins(db)?.into_iter().collect();
    let wanted: BTreeSet<UserId> = match members {
        Members::Keep => flagged.iter().copied().chain(rows::users_of(db, role)?).collect(),
        Members::Exactly(ids) => ids.into_iter().chain(besides).collect(),
        Members::Flagged => flagged.clone(),
    };
    for id in flagged.symmetric_difference(&wanted) {
        users::set_admin(db, *id, wanted.contains(id))?;
    }
    rows::set_users(db, role, &listed(wanted))
}

/// The role `admin` and the admin flag of services. The flag of a configured service is what the configuration says, so
/// that one which loses `admin = true` loses the role; one made at run time keeps the role as users do.
fn set_admin_services(
    db: &mut Db,
    role: RoleId,
    members: Members<ServiceId>,
    services: &[Service],
) -> Result<(), StoreError> {
    let bearing: BTreeSet<ServiceId> = rows::services_of(db, role)?.into_iter().collect();
    let is_admin = |service: &&Service| match &members {
        Members::Exactly(ids) => ids.contains(&service.id),
        Members::Keep if !service.definition.from_config => {
            service.definition.admin || bearing.contains(&service.id)
        }
        Members::Keep | Members::Flagged => service.definition.admin,
    };
    let wanted: BTreeSet<ServiceId> = services.iter().filter(is_admin).map(|service| service.id).collect();
    for service in services.iter().filter(|service| service.definition.admin != wanted.contains(&service.id))
    {
        let admin = wanted.contains(&service.id);
        store::services::upsert(db, &ServiceDefinition { admin, ..service.definition.clone() })?;
    }
    rows::set_services(db, role, &listed(wanted))
}

fn listed<Id>(ids: BTreeSet<Id>) -> Vec<Id> {
    ids.into_iter().collect()
}
