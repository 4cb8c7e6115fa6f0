//! Roles and who bears them (rbac.md 10). What their scopes mean is decided in `domain`.

use std::collections::BTreeSet;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::columns::{self, Json};
use super::schema::{group_members, group_roles, roles, service_roles, user_roles};
use super::{Db, StoreError};
use crate::domain::ids::{GroupId, RoleId, ServiceId, UserId};

mod bearers;
mod holders;

pub use self::bearers::{Assigned, Bearer, grant, grant_to_all_users, revoke, set_groups, set_roles_of};
pub use self::bearers::{set_services, set_users};
pub use self::holders::{Holders, holders};

/// A named set of scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Never reused.
    pub id: RoleId,
    /// Unique.
    pub name: String,
    /// For people.
    pub description: String,
    /// Raw scopes, in the order of the configuration.
    pub scopes: Vec<String>,
    /// Whether the authenticator defined it.
    pub managed_by_auth: bool,
}

/// What a role shall be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewRole {
    /// Unique.
    pub name: String,
    /// For people.
    pub description: String,
    /// Raw scopes.
    pub scopes: Vec<String>,
    /// Whether the authenticator defines it.
    pub managed_by_auth: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = roles)]
struct Row {
    id: i64,
    name: String,
    description: String,
    scopes: Json<Vec<String>>,
    managed_by_auth: bool,
}

impl From<Row> for Role {
    fn from(row: Row) -> Self {
        Self {
            id: RoleId(row.id),
            name: row.name,
            description: row.description,
            scopes: row.scopes.0,
            managed_by_auth: row.managed_by_auth,
        }
    }
}

fn all(rows: Vec<Row>) -> Vec<Role> {
    rows.into_iter().map(Role::from).collect()
}

/// The role called `name`.
///
/// # Errors
/// If the query fails.
pub fn find(db: &mut Db, name: &str) -> Result<Option<Role>, StoreError> {
    let row: Option<Row> =
        roles::table.filter(roles::name.eq(name)).select(Row::as_select()).first(db).optional()?;
    Ok(row.map(Role::from))
}

/// All roles, oldest first.
///
/// # Errors
/// If the query fails.
pub fn list(db: &mut Db) -> Result<Vec<Role>, StoreError> {
    Ok(all(roles::table.order(roles::id).select(Row::as_select()).load(db)?))
}

/// Adds the role or makes the one of that name like it; members stay. To see what changed, [`find`] it first.
///
/// # Errors
/// If a query fails.
pub fn upsert(db: &mut Db, role: &NewRole) -> Result<Role, StoreError> {
    let values = (
        roles::name.eq(&role.name),
        roles::description.eq(&role.description),
        roles::scopes.eq(columns::list_text(&role.scopes)),
        roles::managed_by_auth.eq(role.managed_by_auth),
    );
    let same_name = roles::table.filter(roles::name.eq(&role.name));
    match same_name.select(roles::id).first::<i64>(db).optional()? {
        Some(id) => diesel::update(roles::table.find(id)).set(values).execute(db)?,
        None => diesel::insert_into(roles::table).values(values).execute(db)?,
    };
    Ok(Role::from(same_name.select(Row::as_select()).first::<Row>(db)?))
}

/// Removes the roles that are neither named in `keep` nor managed by the authenticator, with their assignments
/// (DB-020). Returns their names.
///
/// # Errors
/// If a query fails.
pub fn delete_missing(db: &mut Db, keep: &[String]) -> Result<Vec<String>, StoreError> {
    let gone = roles::table.filter(roles::managed_by_auth.eq(false)).filter(roles::name.ne_all(keep));
    let names: Vec<String> = gone.order(roles::name).select(roles::name).load(db)?;
    diesel::delete(roles::table.filter(roles::name.eq_any(&names))).execute(db)?;
    Ok(names)
}

/// Removes the roles that the authenticator manages, that nobody bears and that are not named in `keep`
/// (rbac.md 10.4). Returns their names.
///
/// # Errors
/// If a query fails.
pub fn delete_unborne_managed(db: &mut Db, keep: &[String]) -> Result<Vec<String>, StoreError> {
    let users = user_roles::table.filter(user_roles::role_id.eq(roles::id)).select(user_roles::role_id);
    let groups = group_roles::table.filter(group_roles::role_id.eq(roles::id)).select(group_roles::role_id);
    let services =
        service_roles::table.filter(service_roles::role_id.eq(roles::id)).select(service_roles::role_id);
    let names: Vec<String> = roles::table
        .filter(roles::managed_by_auth.eq(true))
        .filter(roles::name.ne_all(keep))
        .filter(not(exists(users)))
        .filter(not(exists(groups)))
        .filter(not(exists(services)))
        .order(roles::name)
        .select(roles::name)
        .load(db)?;
    diesel::delete(roles::table.filter(roles::name.eq_any(&names))).execute(db)?;
    Ok(names)
}

/// Forgets what sign-ins gave, but for the roles named in `keep`: managed roles with all their assignments, and managed
/// assignments of other roles (rbac.md 10.4, reset at start). Returns the names of the roles.
///
/// # Errors
/// If a query fails.
pub fn reset_managed(db: &mut Db, keep: &BTreeSet<&str>) -> Result<Vec<String>, StoreError> {
    let mut deleted = Vec::new();
    for role in list(db)?.into_iter().filter(|role| !keep.contains(role.name.as_str())) {
        if role.managed_by_auth {
            diesel::delete(roles::table.find(role.id.0)).execute(db)?;
            deleted.push(role.name);
        } else {
            bearers::clear_managed_assignments_of(db, role.id)?;
        }
    }
    Ok(deleted)
}

/// The roles assigned to `bearer` itself, sorted by name.
///
/// # Errors
/// If the query fails.
pub fn of_bearer(db: &mut Db, bearer: Bearer) -> Result<Vec<Role>, StoreError> {
    let roles_by_name = roles::table.order(roles::name).select(Row::as_select());
    let rows: Vec<Row> = match bearer {
        Bearer::User(id) => {
            let assigned = user_roles::table.filter(user_roles::user_id.eq(id.0)).select(user_roles::role_id);
            roles_by_name.filter(roles::id.eq_any(assigned)).load(db)?
        }
        Bearer::Group(id) => {
            let assigned =
                group_roles::table.filter(group_roles::group_id.eq(id.0)).select(group_roles::role_id);
            roles_by_name.filter(roles::id.eq_any(assigned)).load(db)?
        }
        Bearer::Service(id) => {
            let assigned = service_roles::table
                .filter(service_roles::service_id.eq(id.0))
                .select(service_roles::role_id);
            roles_by_name.filter(roles::id.eq_any(assigned)).load(db)?
        }
    };
    Ok(all(rows))
}

/// The raw scopes of a user's roles, direct and through groups, sorted, each once. Two queries.
///
/// # Errors
/// If a query fails.
pub fn user_scopes(db: &mut Db, user: UserId) -> Result<Vec<String>, StoreError> {
    let direct: Vec<Json<Vec<String>>> = user_roles::table
        .inner_join(roles::table)
        .filter(user_roles::user_id.eq(user.0))
        .select(roles::scopes)
        .load(db)?;
    let groups =
        group_members::table.filter(group_members::user_id.eq(user.0)).select(group_members::group_id);
    let inherited: Vec<Json<Vec<String>>> = group_roles::table
        .inner_join(roles::table)
        .filter(group_roles::group_id.eq_any(groups))
        .select(roles::scopes)
        .load(db)?;
    Ok(merged(direct.into_iter().chain(inherited)))
}

/// The raw scopes of a service's roles, sorted, each once.
///
/// # Errors
/// If the query fails.
pub fn service_scopes(db: &mut Db, service: ServiceId) -> Result<Vec<String>, StoreError> {
    let scopes: Vec<Json<Vec<String>>> = service_roles::table
        .inner_join(roles::table)
        .filter(service_roles::service_id.eq(service.0))
        .select(roles::scopes)
        .load(db)?;
    Ok(merged(scopes.into_iter()))
}

fn merged(scopes: impl Iterator<Item = Json<Vec<String>>>) -> Vec<String> {
    columns::sorted_set(scopes.flat_map(|Json(scopes)| scopes).collect())
}

/// The users that bear the role themselves.
///
/// # Errors
/// If the query fails.
pub fn users_of(db: &mut Db, role: RoleId) -> Result<Vec<UserId>, StoreError> {
    let rows = user_roles::table.filter(user_roles::role_id.eq(role.0)).order(user_roles::user_id);
    let ids: Vec<i64> = rows.select(user_roles::user_id).load(db)?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// The groups that bear the role.
///
/// # Errors
/// If the query fails.
pub fn groups_of(db: &mut Db, role: RoleId) -> Result<Vec<GroupId>, StoreError> {
    let rows = group_roles::table.filter(group_roles::role_id.eq(role.0)).order(group_roles::group_id);
    let ids: Vec<i64> = rows.select(group_roles::group_id).load(db)?;
    Ok(ids.into_iter().map(GroupId).collect())
}

/// The services that bear the role.
///
/// # Errors
/// If the query fails.
pub fn services_of(db: &mut Db, role: RoleId) -> Result<Vec<ServiceId>, StoreError> {
    let rows =
        service_roles::table.filter(service_roles::role_id.eq(role.0)).order(service_roles::service_id);
    let ids: Vec<i64> = rows.select(service_roles::service_id).load(db)?;
    Ok(ids.into_iter().map(ServiceId).collect())
}

#[cfg(test)]
mod tests;
