//! Groups of users and their properties (rest-api.md 4.10).

use std::collections::{BTreeSet, HashMap};

use diesel::connection::Connection;
use diesel::prelude::*;
use serde_json::Value;

use super::columns::Json;
use super::db::on_backend;
use super::schema::{group_members, group_roles, groups, roles, users};
use super::{Db, Page, StoreError};
use crate::domain::ids::{GroupId, UserId};
use crate::domain::names::{GroupName, Username};

mod search;

pub use self::search::{GroupRows, GroupSide, count_members, roles_of, search, some_members};

/// How many rows one statement inserts or names at most; SQLite bounds the number of values.
const CHUNK: usize = 500;

/// A group.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Never reused.
    pub id: GroupId,
    /// Unique.
    pub name: GroupName,
    /// A JSON object.
    pub properties: Value,
}

/// A group with what the group model shows (rest-api.md 2.3).
#[derive(Debug, Clone, PartialEq)]
pub struct GroupDetails {
    /// The group.
    pub group: Group,
    /// The members, sorted by name.
    pub users: Vec<Username>,
    /// The roles, sorted by name.
    pub roles: Vec<String>,
}

/// Which groups a caller may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Visible {
    /// All.
    #[default]
    All,
    /// Those named.
    Only(Vec<GroupName>),
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = groups)]
struct Row {
    id: i64,
    name: String,
    properties: Json<Value>,
}

impl From<Row> for Group {
    fn from(row: Row) -> Self {
        Self { id: GroupId(row.id), name: GroupName::from_stored(row.name), properties: row.properties.0 }
    }
}

/// The group called `name`.
///
/// # Errors
/// If the query fails.
pub fn find(db: &mut Db, name: &GroupName) -> Result<Option<Group>, StoreError> {
    let row: Option<Row> =
        groups::table.filter(groups::name.eq(name.as_str())).select(Row::as_select()).first(db).optional()?;
    Ok(row.map(Group::from))
}

/// Those of `names` that exist, in no particular order.
///
/// # Errors
/// If the query fails.
pub fn find_all(db: &mut Db, names: &[GroupName]) -> Result<Vec<Group>, StoreError> {
    let names = names.iter().map(GroupName::as_str);
    let rows: Vec<Row> =
        groups::table.filter(groups::name.eq_any(names)).select(Row::as_select()).load(db)?;
    Ok(rows.into_iter().map(Group::from).collect())
}

/// Adds a group without members or properties.
///
/// # Errors
/// [`StoreError::Conflict`] if the name is taken.
pub fn create(db: &mut Db, name: &GroupName) -> Result<Group, StoreError> {
    diesel::insert_into(groups::table).values(groups::name.eq(name.as_str())).execute(db)?;
    let row: Row = groups::table.filter(groups::name.eq(name.as_str())).select(Row::as_select()).first(db)?;
    Ok(Group::from(row))
}

/// The group called `name`, added if there is none.
///
/// # Errors
/// If a query fails.
pub fn ensure(db: &mut Db, name: &GroupName) -> Result<Group, StoreError> {
    match find(db, name)? {
        Some(group) => Ok(group),
        None => create(db, name),
    }
}

/// Removes a group with its memberships, role assignments and shares. Whether there was one.
///
/// # Errors
/// If the query fails.
pub fn delete(db: &mut Db, id: GroupId) -> Result<bool, StoreError> {
    Ok(diesel::delete(groups::table.find(id.0)).execute(db)? > 0)
}

/// Replaces the properties.
///
/// # Errors
/// If the query fails.
pub fn set_properties(db: &mut Db, id: GroupId, properties: &Value) -> Result<(), StoreError> {
    diesel::update(groups::table.find(id.0))
        .set(groups::properties.eq(properties.to_string()))
        .execute(db)?;
    Ok(())
}

/// Adds members; those who are members already stay so.
///
/// # Errors
/// [`StoreError::Gone`] if the group or a user does not exist.
pub fn add_members(db: &mut Db, id: GroupId, members: &[UserId]) -> Result<(), StoreError> {
    for chunk in members.chunks(CHUNK) {
        let row = |user: &UserId| (group_members::user_id.eq(user.0), group_members::group_id.eq(id.0));
        let rows: Vec<_> = chunk.iter().map(row).collect();
        on_backend!(db, c => diesel::insert_into(group_members::table).values(&rows).on_conflict_do_nothing().execute(c))?;
    }
    Ok(())
}

/// Removes members; it is fine if they are none.
///
/// # Errors
/// If a query fails.
pub fn remove_members(db: &mut Db, id: GroupId, members: &[UserId]) -> Result<(), StoreError> {
    for chunk in members.chunks(CHUNK) {
        let users = group_members::user_id.eq_any(chunk.iter().map(|user| user.0));
        diesel::delete(group_members::table.filter(group_members::group_id.eq(id.0)).filter(users))
            .execute(db)?;
    }
    Ok(())
}

/// Makes `groups` exactly the groups of a user: what an authenticator that manages groups asks for.
///
/// # Errors
/// [`StoreError::Gone`] if the user or a group does not exist.
pub fn set_groups_of(db: &mut Db, user: UserId, wanted: &[GroupId]) -> Result<(), StoreError> {
    let mine = group_members::table.filter(group_members::user_id.eq(user.0));
    let now: BTreeSet<i64> = mine.select(group_members::group_id).load(db)?.into_iter().collect();
    let wanted: BTreeSet<i64> = wanted.iter().map(|id| id.0).collect();
    for group in now.difference(&wanted) {
        remove_members(db, GroupId(*group), &[user])?;
    }
    for group in wanted.difference(&now) {
        add_members(db, GroupId(*group), &[user])?;
    }
    Ok(())
}

/// The groups of each of these users, sorted; who is in none is left out.
///
/// # Errors
/// If the query fails.
pub fn names_of(db: &mut Db, of: &[UserId]) -> Result<HashMap<UserId, Vec<GroupName>>, StoreError> {
    let mut found: HashMap<UserId, Vec<GroupName>> = HashMap::new();
    for chunk in of.chunks(CHUNK) {
        let rows: Vec<(i64, String)> = group_members::table
            .inner_join(groups::table)
            .filter(group_members::user_id.eq_any(chunk.iter().map(|id| id.0)))
            .order(groups::name)
            .select((group_members::user_id, groups::name))
            .load(db)?;
        for (user, name) in rows {
            let theirs = found.entry(UserId(user)).or_default();
            let name = GroupName::from_stored(name);
            // somebody may be named twice in `of`
            if !theirs.contains(&name) {
                theirs.push(name);
            }
        }
    }
    Ok(found)
}

/// The members of a group, sorted by name.
///
/// # Errors
/// If the query fails.
pub fn members(db: &mut Db, id: GroupId) -> Result<Vec<Username>, StoreError> {
    let rows = member_names(db, &[id])?;
    Ok(rows.into_iter().map(|(_, name)| name).collect())
}

/// One page of the groups that the caller may see, oldest first, and how many those are.
///
/// # Errors
/// If a query fails.
pub fn page(db: &mut Db, visible: &Visible, offset: i64, limit: i64) -> Result<Page<Group>, StoreError> {
    let total = filtered(visible).count().get_result(db)?;
    let query = filtered(visible).order(groups::id).offset(offset).limit(limit);
    let rows: Vec<Row> = query.select(Row::as_select()).load(db)?;
    Ok(Page { items: rows.into_iter().map(Group::from).collect(), total })
}

fn filtered(visible: &Visible) -> groups::BoxedQuery<'_, <Db as Connection>::Backend> {
    let query = groups::table.into_boxed();
    match visible {
        Visible::All => query,
        Visible::Only(names) => query.filter(groups::name.eq_any(names.iter().map(GroupName::as_str))),
    }
}

/// Adds members and roles to groups: two queries for each few hundred of them. Keeps their order.
///
/// # Errors
/// If a query fails.
pub fn details(db: &mut Db, groups: Vec<Group>) -> Result<Vec<GroupDetails>, StoreError> {
    let mut all = Vec::with_capacity(groups.len());
    let mut rest = groups.into_iter().peekable();
    while rest.peek().is_some() {
        all.extend(details_of(db, rest.by_ref().take(CHUNK).collect())?);
    }
    Ok(all)
}

fn details_of(db: &mut Db, groups: Vec<Group>) -> Result<Vec<GroupDetails>, StoreError> {
    let ids: Vec<GroupId> = groups.iter().map(|group| group.id).collect();
    let mut users: HashMap<i64, Vec<Username>> = HashMap::new();
    for (group, name) in member_names(db, &ids)? {
        users.entry(group).or_default().push(name);
    }
    let mut roles: HashMap<i64, Vec<String>> = HashMap::new();
    for (group, name) in role_names(db, &ids)? {
        roles.entry(group).or_default().push(name);
    }
    let join = |group: Group| GroupDetails {
        users: users.remove(&group.id.0).unwrap_or_default(),
        roles: roles.remove(&group.id.0).unwrap_or_default(),
        group,
    };
    Ok(groups.into_iter().map(join).collect())
}

fn member_names(db: &mut Db, ids: &[GroupId]) -> Result<Vec<(i64, Username)>, StoreError> {
    let rows: Vec<(i64, String)> = group_members::table
        .inner_join(users::table)
        .filter(group_members::group_id.eq_any(ids.iter().map(|id| id.0)))
        .order(users::name)
        .select((group_members::group_id, users::name))
        .load(db)?;
    Ok(rows.into_iter().map(|(id, name)| (id, Username::from_stored(name))).collect())
}

fn role_names(db: &mut Db, ids: &[GroupId]) -> Result<Vec<(i64, String)>, StoreError> {
    Ok(group_roles::table
        .inner_join(roles::table)
        .filter(group_roles::group_id.eq_any(ids.iter().map(|id| id.0)))
        .order(roles::name)
        .select((group_roles::group_id, roles::name))
        .load(db)?)
}

#[cfg(test)]
mod tests;
