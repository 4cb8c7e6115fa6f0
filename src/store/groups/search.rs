//! Groups by name: part of a list that may be long, and how many members each has without naming them all.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::{
    Db, Group, GroupId, Row, StoreError, UserId, Username, Visible, filtered, group_members, groups, users,
};
use crate::store::users::contains;

/// Which part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupSide {
    /// Its beginning.
    First,
    /// What comes behind a name.
    After(String),
    /// What comes before a name.
    Before(String),
}

/// Part of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRows {
    /// The groups, by name.
    pub items: Vec<Group>,
    /// How many come before the first of them.
    pub before: i64,
    /// How many there are.
    pub total: i64,
}

/// At most `limit` of the groups that the caller may see and whose name holds `part`, sorted by name.
///
/// # Errors
/// If a query fails.
pub fn search(
    db: &mut Db,
    visible: &Visible,
    part: &str,
    side: &GroupSide,
    limit: i64,
) -> Result<GroupRows, StoreError> {
    let all = || {
        // any case, like the list of users
        let folded = lower(groups::name).like(contains(&part.to_lowercase())).escape('\\');
        filtered(visible).filter(folded.or(groups::name.like(contains(part)).escape('\\')))
    };
    let total = all().count().get_result(db)?;
    let query = all().limit(limit).select(Row::as_select());
    let rows: Vec<Row> = match side {
        GroupSide::First => query.order(groups::name.asc()).load(db)?,
        GroupSide::After(name) => query.filter(groups::name.gt(name)).order(groups::name.asc()).load(db)?,
        GroupSide::Before(name) => {
            let mut rows: Vec<Row> =
                query.filter(groups::name.lt(name)).order(groups::name.desc()).load(db)?;
            rows.reverse();
            rows
        }
    };
    let before = match rows.first() {
        Some(first) => all().filter(groups::name.lt(&first.name)).count().get_result(db)?,
        None => 0,
    };
    Ok(GroupRows { items: rows.into_iter().map(Group::from).collect(), before, total })
}

#[diesel::declare_sql_function]
extern "SQL" {
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// How many members each of these groups has; one without any is left out.
///
/// # Errors
/// If the query fails.
pub fn count_members(db: &mut Db, of: &[GroupId]) -> Result<HashMap<GroupId, i64>, StoreError> {
    let rows: Vec<(i64, i64)> = group_members::table
        .filter(group_members::group_id.eq_any(of.iter().map(|id| id.0)))
        .group_by(group_members::group_id)
        .select((group_members::group_id, count_star()))
        .load(db)?;
    Ok(rows.into_iter().map(|(id, count)| (GroupId(id), count)).collect())
}

/// At most `limit` members of a group whose name holds `part`, sorted by name, and how many those are.
///
/// # Errors
/// If a query fails.
pub fn some_members(
    db: &mut Db,
    id: GroupId,
    part: &str,
    limit: i64,
) -> Result<(Vec<(UserId, Username)>, i64), StoreError> {
    let all = || {
        let folded = lower(users::name).like(contains(&part.to_lowercase())).escape('\\');
        group_members::table
            .inner_join(users::table)
            .filter(group_members::group_id.eq(id.0))
            .filter(folded.or(users::name.like(contains(part)).escape('\\')))
    };
    let total = all().count().get_result(db)?;
    let rows: Vec<(i64, String)> =
        all().order(users::name).limit(limit).select((users::id, users::name)).load(db)?;
    Ok((rows.into_iter().map(|(id, name)| (UserId(id), Username::from_stored(name))).collect(), total))
}

/// The roles that a group has, sorted by name.
///
/// # Errors
/// If the query fails.
pub fn roles_of(db: &mut Db, id: GroupId) -> Result<Vec<String>, StoreError> {
    Ok(super::role_names(db, &[id])?.into_iter().map(|(_, name)| name).collect())
}
