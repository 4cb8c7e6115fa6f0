//! Giving roles and taking them away. The three maps (users, groups, services) have the same shape.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::{Db, StoreError, group_roles, service_roles, user_roles};
use crate::domain::ids::{GroupId, RoleId, ServiceId, UserId};
use crate::store::db::on_backend;
use crate::store::schema::users;

/// Who has a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bearer {
    /// A user.
    User(UserId),
    /// A group, for its members.
    Group(GroupId),
    /// A service.
    Service(ServiceId),
}

/// Who assigned a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assigned {
    /// The configuration, the API or the hub itself.
    ByHub,
    /// The authenticator; may be reset at start.
    ByAuthenticator,
}

impl Assigned {
    fn is_managed(self) -> bool {
        self == Self::ByAuthenticator
    }
}

macro_rules! role_map {
    ($map:ident, $table:ident, $column:ident) => {
        mod $map {
            use super::*;

            pub(super) fn grant(db: &mut Db, role: i64, bearer: i64, managed: bool) -> QueryResult<usize> {
                let row = ($table::role_id.eq(role), $table::$column.eq(bearer), $table::managed_by_auth.eq(managed));
                on_backend!(db, c => {
                    diesel::insert_into($table::table).values(&row).on_conflict_do_nothing().execute(c)
                })
            }

            pub(super) fn revoke(db: &mut Db, role: i64, bearer: i64) -> QueryResult<usize> {
                diesel::delete($table::table.find((bearer, role))).execute(db)
            }

            pub(super) fn bearers(db: &mut Db, role: i64) -> QueryResult<BTreeSet<i64>> {
                let rows = $table::table.filter($table::role_id.eq(role)).select($table::$column).load(db)?;
                Ok(rows.into_iter().collect())
            }

            pub(super) fn roles(db: &mut Db, bearer: i64) -> QueryResult<BTreeSet<i64>> {
                let rows = $table::table.filter($table::$column.eq(bearer)).select($table::role_id).load(db)?;
                Ok(rows.into_iter().collect())
            }

            pub(super) fn set_bearers(db: &mut Db, role: i64, wanted: BTreeSet<i64>) -> QueryResult<()> {
                let now = bearers(db, role)?;
                for bearer in now.difference(&wanted) {
                    revoke(db, role, *bearer)?;
                }
                for bearer in wanted.difference(&now) {
                    grant(db, role, *bearer, false)?;
                }
                Ok(())
            }

            pub(super) fn clear_managed(db: &mut Db, role: i64) -> QueryResult<usize> {
                let managed = $table::table.filter($table::managed_by_auth.eq(true));
                diesel::delete(managed.filter($table::role_id.eq(role))).execute(db)
            }
        }
    };
}

role_map!(of_users, user_roles, user_id);
role_map!(of_groups, group_roles, group_id);
role_map!(of_services, service_roles, service_id);

/// Gives a role; an assignment that exists stays as it is. Whether it is new.
///
/// # Errors
/// [`StoreError::Gone`] if role or bearer do not exist.
pub fn grant(db: &mut Db, role: RoleId, bearer: Bearer, by: Assigned) -> Result<bool, StoreError> {
    let new = match bearer {
        Bearer::User(id) => of_users::grant(db, role.0, id.0, by.is_managed()),
        Bearer::Group(id) => of_groups::grant(db, role.0, id.0, by.is_managed()),
        Bearer::Service(id) => of_services::grant(db, role.0, id.0, by.is_managed()),
    };
    Ok(new? > 0)
}

/// Gives a role to every user there is: for a database from before there were roles (rbac.md 10.6). How many got it.
///
/// # Errors
/// [`StoreError::Gone`] if the role does not exist.
pub fn grant_to_all_users(db: &mut Db, role: RoleId) -> Result<usize, StoreError> {
    let bearers = user_roles::table.filter(user_roles::role_id.eq(role.0)).select(user_roles::user_id);
    let others = users::table.filter(users::id.ne_all(bearers)).select((
        users::id,
        role.0.into_sql::<BigInt>(),
        false.into_sql::<Bool>(),
    ));
    let columns = (user_roles::user_id, user_roles::role_id, user_roles::managed_by_auth);
    Ok(on_backend!(db, c => others.insert_into(user_roles::table).into_columns(columns).execute(c))?)
}

/// Takes a role away. Whether the bearer had it.
///
/// # Errors
/// If the query fails.
pub fn revoke(db: &mut Db, role: RoleId, bearer: Bearer) -> Result<bool, StoreError> {
    let gone = match bearer {
        Bearer::User(id) => of_users::revoke(db, role.0, id.0),
        Bearer::Group(id) => of_groups::revoke(db, role.0, id.0),
        Bearer::Service(id) => of_services::revoke(db, role.0, id.0),
    };
    Ok(gone? > 0)
}

/// Makes `users` exactly the users that bear the role themselves.
///
/// # Errors
/// [`StoreError::Gone`] if one does not exist.
pub fn set_users(db: &mut Db, role: RoleId, users: &[UserId]) -> Result<(), StoreError> {
    Ok(of_users::set_bearers(db, role.0, users.iter().map(|id| id.0).collect())?)
}

/// Makes `groups` exactly the groups that bear the role.
///
/// # Errors
/// [`StoreError::Gone`] if one does not exist.
pub fn set_groups(db: &mut Db, role: RoleId, groups: &[GroupId]) -> Result<(), StoreError> {
    Ok(of_groups::set_bearers(db, role.0, groups.iter().map(|id| id.0).collect())?)
}

/// Makes `services` exactly the services that bear the role.
///
/// # Errors
/// [`StoreError::Gone`] if one does not exist.
pub fn set_services(db: &mut Db, role: RoleId, services: &[ServiceId]) -> Result<(), StoreError> {
    Ok(of_services::set_bearers(db, role.0, services.iter().map(|id| id.0).collect())?)
}

/// Makes `wanted` exactly the roles that `bearer` has itself; none for a blocked user.
///
/// # Errors
/// [`StoreError::Gone`] if a role does not exist.
pub fn set_roles_of(db: &mut Db, bearer: Bearer, wanted: &[RoleId], by: Assigned) -> Result<(), StoreError> {
    let now = match bearer {
        Bearer::User(id) => of_users::roles(db, id.0),
        Bearer::Group(id) => of_groups::roles(db, id.0),
        Bearer::Service(id) => of_services::roles(db, id.0),
    }?;
    let wanted: BTreeSet<i64> = wanted.iter().map(|id| id.0).collect();
    for role in now.difference(&wanted) {
        revoke(db, RoleId(*role), bearer)?;
    }
    for role in wanted.difference(&now) {
        grant(db, RoleId(*role), bearer, by)?;
    }
    Ok(())
}

/// Removes the assignments of a role that an authenticator made. How many there were.
///
/// # Errors
/// If a query fails.
pub(super) fn clear_managed_assignments_of(db: &mut Db, role: RoleId) -> Result<usize, StoreError> {
    Ok(of_users::clear_managed(db, role.0)?
        + of_groups::clear_managed(db, role.0)?
        + of_services::clear_managed(db, role.0)?)
}
