//! The user list: filters, order, pages, and what a page needs besides the users themselves, in three queries.

use std::collections::HashMap;

use diesel::connection::Connection;
use diesel::dsl::exists;
use diesel::prelude::*;

use super::{CHUNK, Db, Row, StoreError, User, group_members, groups, servers, users};
use crate::domain::ids::UserId;
use crate::domain::names::{GroupName, Username};
use crate::store::Page;
use crate::store::schema::{roles, user_roles};
use crate::store::servers::{self as server_rows, Server};

/// Which users to list. The default lists all, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Which users the caller may see.
    pub visible: Visible,
    /// By their servers.
    pub state: Option<StateFilter>,
    /// Part of the name, in any case; `%` and `_` stand for themselves.
    pub name_contains: Option<String>,
    /// Administrators only.
    pub admins: bool,
    /// Members of this group only.
    pub group: Option<GroupName>,
    /// None but these: what is known of users elsewhere.
    pub named: Option<Vec<Username>>,
    /// The order.
    pub sort: Sort,
    /// How many to skip.
    pub offset: i64,
    /// How many to return; the caller bounds it.
    pub limit: i64,
}

/// Which users a caller may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Visible {
    /// All.
    #[default]
    Everyone,
    /// The named ones and the members of the named groups.
    Only {
        /// User names.
        users: Vec<Username>,
        /// Group names.
        groups: Vec<GroupName>,
    },
}

/// A filter on the servers of a user; what is *ready* only the actors know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateFilter {
    /// At least one server with an address.
    Active,
    /// No server with an address.
    Inactive,
}

/// What to order by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortKey {
    /// Age of the row.
    #[default]
    Id,
    /// The name.
    Name,
    /// The last activity; users without one come first when ascending and last when descending.
    LastActivity,
}

/// The order of the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sort {
    /// What to order by; ties are broken by id.
    pub key: SortKey,
    /// Largest first.
    pub descending: bool,
}

/// A user with what the user model shows (rest-api.md 2.1).
#[derive(Debug, Clone, PartialEq)]
pub struct UserDetails {
    /// The user.
    pub user: User,
    /// Groups, sorted by name.
    pub groups: Vec<GroupName>,
    /// Roles assigned directly, sorted by name.
    pub roles: Vec<String>,
    /// All servers, running or not, oldest row first.
    pub servers: Vec<Server>,
}

pub(super) type Query<'a> = users::BoxedQuery<'a, <Db as Connection>::Backend>;

/// One page of the users that `filter` lets through, and how many those are.
///
/// # Errors
/// If a query fails.
pub fn page(db: &mut Db, filter: &UserFilter) -> Result<Page<User>, StoreError> {
    let total = filtered(filter).count().get_result(db)?;
    let query = sorted(filtered(filter), filter.sort).offset(filter.offset).limit(filter.limit);
    let rows: Vec<Row> = query.select(Row::as_select()).load(db)?;
    Ok(Page { items: rows.into_iter().map(User::from).collect(), total })
}

pub(super) fn filtered(filter: &UserFilter) -> Query<'_> {
    let mut query = users::table.into_boxed();
    let has_address = || {
        let active =
            servers::table.filter(servers::user_id.eq(users::id)).filter(servers::proto.is_not_null());
        exists(active.select(servers::id))
    };
    query = match filter.state {
        None => query,
        Some(StateFilter::Active) => query.filter(has_address()),
        Some(StateFilter::Inactive) => query.filter(diesel::dsl::not(has_address())),
    };
    if let Some(part) = filter.name_contains.as_deref().filter(|part| !part.is_empty()) {
        // the second test is for databases whose lower() knows ASCII only
        let folded = lower(users::name).like(contains(&part.to_lowercase())).escape('\\');
        query = query.filter(folded.or(users::name.like(contains(part)).escape('\\')));
    }
    if filter.admins {
        query = query.filter(users::admin.eq(true));
    }
    if let Some(group) = &filter.group {
        let members = group_members::table
            .inner_join(groups::table)
            .filter(groups::name.eq(group.as_str()))
            .select(group_members::user_id);
        query = query.filter(users::id.eq_any(members));
    }
    if let Some(named) = &filter.named {
        query = query.filter(users::name.eq_any(named.iter().map(Username::as_str)));
    }
    match &filter.visible {
        Visible::Everyone => query,
        Visible::Only { users, groups } => only(query, users, groups),
    }
}

fn only<'a>(query: Query<'a>, names: &'a [Username], group_names: &'a [GroupName]) -> Query<'a> {
    let members = group_members::table
        .inner_join(groups::table)
        .filter(groups::name.eq_any(group_names.iter().map(GroupName::as_str)))
        .select(group_members::user_id);
    query.filter(users::name.eq_any(names.iter().map(Username::as_str)).or(users::id.eq_any(members)))
}

fn sorted(query: Query<'_>, sort: Sort) -> Query<'_> {
    // whether NULL is large or small differs between databases, so it is sorted by itself
    match (sort.key, sort.descending) {
        (SortKey::Id, false) => query.order(users::id.asc()),
        (SortKey::Id, true) => query.order(users::id.desc()),
        (SortKey::Name, false) => query.order(users::name.asc()),
        (SortKey::Name, true) => query.order(users::name.desc()),
        (SortKey::LastActivity, false) => {
            query.order((users::last_activity.is_null().desc(), users::last_activity.asc(), users::id.asc()))
        }
        (SortKey::LastActivity, true) => {
            query.order((users::last_activity.is_null().asc(), users::last_activity.desc(), users::id.desc()))
        }
    }
}

#[diesel::declare_sql_function]
extern "SQL" {
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// A LIKE pattern for texts that contain `part` itself.
pub(in crate::store) fn contains(part: &str) -> String {
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for c in part.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Adds groups, roles and servers to users: three queries for each few hundred of them. Keeps their order.
///
/// # Errors
/// If a query fails.
pub fn details(db: &mut Db, users: Vec<User>) -> Result<Vec<UserDetails>, StoreError> {
    let mut all = Vec::with_capacity(users.len());
    let mut rest = users.into_iter().peekable();
    while rest.peek().is_some() {
        all.extend(details_of(db, rest.by_ref().take(CHUNK).collect())?);
    }
    Ok(all)
}

fn details_of(db: &mut Db, users: Vec<User>) -> Result<Vec<UserDetails>, StoreError> {
    let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
    let mut groups = by_user(group_names(db, &ids)?);
    let mut roles = by_user(role_names(db, &ids)?);
    let all_servers = server_rows::of_users(db, &ids)?;
    let mut servers = by_user(all_servers.into_iter().map(|server| (server.user_id.0, server)).collect());
    let join = |user: User| UserDetails {
        groups: groups.remove(&user.id.0).unwrap_or_default(),
        roles: roles.remove(&user.id.0).unwrap_or_default(),
        servers: servers.remove(&user.id.0).unwrap_or_default(),
        user,
    };
    Ok(users.into_iter().map(join).collect())
}

fn group_names(db: &mut Db, ids: &[UserId]) -> Result<Vec<(i64, GroupName)>, StoreError> {
    let rows: Vec<(i64, String)> = group_members::table
        .inner_join(groups::table)
        .filter(group_members::user_id.eq_any(ids.iter().map(|id| id.0)))
        .order(groups::name)
        .select((group_members::user_id, groups::name))
        .load(db)?;
    Ok(rows.into_iter().map(|(id, name)| (id, GroupName::from_stored(name))).collect())
}

fn role_names(db: &mut Db, ids: &[UserId]) -> Result<Vec<(i64, String)>, StoreError> {
    Ok(user_roles::table
        .inner_join(roles::table)
        .filter(user_roles::user_id.eq_any(ids.iter().map(|id| id.0)))
        .order(roles::name)
        .select((user_roles::user_id, roles::name))
        .load(db)?)
}

fn by_user<T>(rows: Vec<(i64, T)>) -> HashMap<i64, Vec<T>> {
    let mut map: HashMap<i64, Vec<T>> = HashMap::new();
    for (id, row) in rows {
        map.entry(id).or_default().push(row);
    }
    map
}
