//! Who has which role, for people to read: of a role that half the university has, the number and some names.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::{Db, Role, RoleId, StoreError, group_roles, list, service_roles, user_roles};
use crate::store::schema::{groups, services, users};

/// Those who have a role themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders {
    /// How many users.
    pub users: i64,
    /// Their names, if they are few.
    pub some_users: Vec<String>,
    /// Groups.
    pub groups: Vec<String>,
    /// Services.
    pub services: Vec<String>,
}

/// All roles, oldest first, with their holders; users are named where there are no more than `few`.
///
/// # Errors
/// If a query fails.
pub fn holders(db: &mut Db, few: i64) -> Result<Vec<(Role, Holders)>, StoreError> {
    let counts: Vec<(i64, i64)> = user_roles::table
        .group_by(user_roles::role_id)
        .select((user_roles::role_id, count_star()))
        .load(db)?;
    let small: Vec<i64> = counts.iter().filter(|(_, count)| *count <= few).map(|(id, _)| *id).collect();
    let named: Vec<(i64, String)> = user_roles::table
        .inner_join(users::table)
        .filter(user_roles::role_id.eq_any(small))
        .order(users::name)
        .select((user_roles::role_id, users::name))
        .load(db)?;
    let of_groups: Vec<(i64, String)> = group_roles::table
        .inner_join(groups::table)
        .order(groups::name)
        .select((group_roles::role_id, groups::name))
        .load(db)?;
    let of_services: Vec<(i64, String)> = service_roles::table
        .inner_join(services::table)
        .order(services::name)
        .select((service_roles::role_id, services::name))
        .load(db)?;
    let counts: HashMap<RoleId, i64> = counts.into_iter().map(|(id, count)| (RoleId(id), count)).collect();
    let (mut named, mut groups, mut services) = (by_role(named), by_role(of_groups), by_role(of_services));
    let with_holders = |role: Role| {
        let holders = Holders {
            users: counts.get(&role.id).copied().unwrap_or_default(),
            some_users: named.remove(&role.id).unwrap_or_default(),
            groups: groups.remove(&role.id).unwrap_or_default(),
            services: services.remove(&role.id).unwrap_or_default(),
        };
        (role, holders)
    };
    Ok(list(db)?.into_iter().map(with_holders).collect())
}

fn by_role(rows: Vec<(i64, String)>) -> HashMap<RoleId, Vec<String>> {
    let mut found: HashMap<RoleId, Vec<String>> = HashMap::new();
    for (id, name) in rows {
        found.entry(RoleId(id)).or_default().push(name);
    }
    found
}
