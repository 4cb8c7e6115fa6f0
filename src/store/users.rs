//! Users: look-up, changes, and the pages of the user list (rest-api.md 4.3 and 4.4).

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

use super::columns::{self, Json, optional_utc, stored, utc};
use super::schema::{group_members, groups, servers, users};
use super::{Db, StoreError};
use crate::domain::ids::UserId;
use crate::domain::names::{GroupName, Username};

mod list;
mod window;

/// How many values one query names at most.
const CHUNK: usize = 500;

pub(in crate::store) use self::list::contains;
pub use self::list::{Sort, SortKey, StateFilter, UserDetails, UserFilter, Visible, details, page};
pub use self::window::{Position, Side, Window, window};

/// A person or machine that may own servers.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// Never reused.
    pub id: UserId,
    /// Unique.
    pub name: Username,
    /// Kept in step with the role `admin`.
    pub admin: bool,
    /// When the user was first seen.
    pub created: DateTime<Utc>,
    /// The latest request or activity report.
    pub last_activity: Option<DateTime<Utc>>,
    /// What the login cookie holds, signed; changing it signs the user out everywhere.
    pub cookie_id: String,
    /// The profile that the authenticator gave.
    pub user_info: Option<Value>,
}

/// What a new user begins with.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Must be new.
    pub name: Username,
    /// Whether to flag the user as admin; roles are granted apart.
    pub admin: bool,
    /// Usually now.
    pub created: DateTime<Utc>,
    /// Fresh and random.
    pub cookie_id: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct Row {
    id: i64,
    name: String,
    admin: bool,
    created: NaiveDateTime,
    last_activity: Option<NaiveDateTime>,
    cookie_id: String,
    user_info: Option<Json<Value>>,
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            id: UserId(row.id),
            name: Username::from_stored(row.name),
            admin: row.admin,
            created: utc(row.created),
            last_activity: optional_utc(row.last_activity),
            cookie_id: row.cookie_id,
            user_info: columns::value(row.user_info),
        }
    }
}

/// The user called `name`.
///
/// # Errors
/// If the query fails.
pub fn find(db: &mut Db, name: &Username) -> Result<Option<User>, StoreError> {
    let row: Option<Row> =
        users::table.filter(users::name.eq(name.as_str())).select(Row::as_select()).first(db).optional()?;
    Ok(row.map(User::from))
}

/// The user with this id.
///
/// # Errors
/// If the query fails.
pub fn find_by_id(db: &mut Db, id: UserId) -> Result<Option<User>, StoreError> {
    let row: Option<Row> = users::table.find(id.0).select(Row::as_select()).first(db).optional()?;
    Ok(row.map(User::from))
}

/// The user whose login cookie holds `cookie_id`. The cookie's signature must have been checked.
///
/// # Errors
/// If the query fails.
pub fn find_by_cookie_id(db: &mut Db, cookie_id: &str) -> Result<Option<User>, StoreError> {
    let row: Option<Row> =
        users::table.filter(users::cookie_id.eq(cookie_id)).select(Row::as_select()).first(db).optional()?;
    Ok(row.map(User::from))
}

/// Those of `names` that exist, in no particular order.
///
/// # Errors
/// If the query fails.
pub fn find_all(db: &mut Db, names: &[Username]) -> Result<Vec<User>, StoreError> {
    let mut found = Vec::new();
    for chunk in names.chunks(CHUNK) {
        let names = chunk.iter().map(Username::as_str);
        let rows: Vec<Row> =
            users::table.filter(users::name.eq_any(names)).select(Row::as_select()).load(db)?;
        found.extend(rows.into_iter().map(User::from));
    }
    Ok(found)
}

/// The names of all users: for the start of the hub.
///
/// # Errors
/// If the query fails.
pub fn names(db: &mut Db) -> Result<Vec<(UserId, Username)>, StoreError> {
    let rows: Vec<(i64, String)> = users::table.order(users::id).select((users::id, users::name)).load(db)?;
    Ok(rows.into_iter().map(|(id, name)| (UserId(id), Username::from_stored(name))).collect())
}

/// Adds a user.
///
/// # Errors
/// [`StoreError::Conflict`] if the name is taken.
pub fn create(db: &mut Db, new: &NewUser) -> Result<User, StoreError> {
    diesel::insert_into(users::table)
        .values((
            users::name.eq(new.name.as_str()),
            users::admin.eq(new.admin),
            users::created.eq(stored(new.created)),
            users::cookie_id.eq(&new.cookie_id),
        ))
        .execute(db)?;
    let row: Row =
        users::table.filter(users::name.eq(new.name.as_str())).select(Row::as_select()).first(db)?;
    Ok(User::from(row))
}

/// Removes a user with all servers, tokens, codes, shares and memberships (DB-005). Whether there was one.
///
/// # Errors
/// If the query fails.
pub fn delete(db: &mut Db, id: UserId) -> Result<bool, StoreError> {
    Ok(diesel::delete(users::table.find(id.0)).execute(db)? > 0)
}

/// Holds off, until this transaction ends, every other one that locks this user. SQLite has one writer at a time anyway.
///
/// # Errors
/// If the query fails.
pub fn lock(db: &mut Db, id: UserId) -> Result<(), StoreError> {
    if let Db::Postgres(connection) = db {
        let user = users::table.find(id.0).select(users::id).for_no_key_update();
        let _: Option<i64> = user.first(connection).optional()?;
    }
    Ok(())
}

/// Renames a user. Servers and tokens follow, since they refer to the id.
///
/// # Errors
/// [`StoreError::Conflict`] if the name is taken by another user.
pub fn rename(db: &mut Db, id: UserId, to: &Username) -> Result<(), StoreError> {
    diesel::update(users::table.find(id.0)).set(users::name.eq(to.as_str())).execute(db)?;
    Ok(())
}

/// Sets or clears the admin flag; the role is the caller's to keep in step.
///
/// # Errors
/// If the query fails.
pub fn set_admin(db: &mut Db, id: UserId, admin: bool) -> Result<(), StoreError> {
    diesel::update(users::table.find(id.0)).set(users::admin.eq(admin)).execute(db)?;
    Ok(())
}

/// Replaces the profile.
///
/// # Errors
/// If the query fails.
pub fn set_user_info(db: &mut Db, id: UserId, info: Option<&Value>) -> Result<(), StoreError> {
    diesel::update(users::table.find(id.0)).set(users::user_info.eq(columns::json_text(info))).execute(db)?;
    Ok(())
}

/// Gives the user a new cookie id: all login cookies so far stop working (DB-017).
///
/// # Errors
/// If the query fails.
pub fn set_cookie_id(db: &mut Db, id: UserId, cookie_id: &str) -> Result<(), StoreError> {
    diesel::update(users::table.find(id.0)).set(users::cookie_id.eq(cookie_id)).execute(db)?;
    Ok(())
}

/// Moves the last activity forward to `at`; an earlier time changes nothing. Whether it moved.
///
/// # Errors
/// If the query fails.
pub fn touch(db: &mut Db, id: UserId, at: DateTime<Utc>) -> Result<bool, StoreError> {
    let at = stored(at);
    let older = users::last_activity.is_null().or(users::last_activity.lt(at));
    let moved =
        diesel::update(users::table.find(id.0).filter(older)).set(users::last_activity.eq(at)).execute(db)?;
    Ok(moved > 0)
}

/// The encrypted authentication state, as the authenticator's layer wrote it.
///
/// # Errors
/// If the query fails.
pub fn encrypted_auth_state(db: &mut Db, id: UserId) -> Result<Option<String>, StoreError> {
    let column = users::table.find(id.0).select(users::encrypted_auth_state);
    Ok(column.first::<Option<String>>(db).optional()?.flatten())
}

/// Replaces the encrypted authentication state; the store never sees it in clear.
///
/// # Errors
/// If the query fails.
pub fn set_encrypted_auth_state(db: &mut Db, id: UserId, state: Option<&str>) -> Result<(), StoreError> {
    diesel::update(users::table.find(id.0)).set(users::encrypted_auth_state.eq(state)).execute(db)?;
    Ok(())
}

/// How many users there are.
///
/// # Errors
/// If the query fails.
pub fn count(db: &mut Db) -> Result<i64, StoreError> {
    Ok(users::table.count().get_result(db)?)
}

/// The users whose admin flag is set.
///
/// # Errors
/// If the query fails.
pub fn admins(db: &mut Db) -> Result<Vec<UserId>, StoreError> {
    let ids: Vec<i64> =
        users::table.filter(users::admin.eq(true)).order(users::id).select(users::id).load(db)?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// How many users have been active since `since`.
///
/// # Errors
/// If the query fails.
pub fn count_active_since(db: &mut Db, since: DateTime<Utc>) -> Result<i64, StoreError> {
    Ok(users::table.filter(users::last_activity.ge(stored(since))).count().get_result(db)?)
}

/// Which users nobody needs any more.
#[derive(Debug, Clone, Copy)]
pub struct Unused {
    /// Those who were not seen since; who was never seen counts from their creation.
    pub idle_since: Option<DateTime<Utc>>,
    /// Those who are older than that.
    pub created_before: Option<DateTime<Utc>>,
    /// Admins among them.
    pub admins: bool,
}

/// Users who are unused and have no server that runs, at most `limit` of them.
///
/// # Errors
/// If the query fails.
pub fn unused(db: &mut Db, which: Unused, limit: i64) -> Result<Vec<User>, StoreError> {
    // what does not matter is before all times
    let never = DateTime::UNIX_EPOCH.naive_utc();
    let idle = which.idle_since.map_or(never, stored);
    let old = which.created_before.map_or(never, stored);
    let running = servers::table
        .filter(servers::user_id.eq(users::id))
        .filter(servers::proto.is_not_null().or(servers::api_token_id.is_not_null()));
    let unseen = users::last_activity.is_null().and(users::created.le(idle));
    let unused = users::last_activity.le(idle).or(unseen).or(users::created.le(old));
    let rows: Vec<Row> = users::table
        .filter(unused)
        .filter(users::admin.eq(false).or(users::admin.eq(which.admins)))
        .filter(diesel::dsl::not(diesel::dsl::exists(running)))
        .order(users::id)
        .limit(limit)
        .select(Row::as_select())
        .load(db)?;
    Ok(rows.into_iter().map(User::from).collect())
}

/// The names of the groups that a user is a member of, sorted.
///
/// # Errors
/// If the query fails.
pub fn groups_of(db: &mut Db, id: UserId) -> Result<Vec<GroupName>, StoreError> {
    let names: Vec<String> = group_members::table
        .inner_join(groups::table)
        .filter(group_members::user_id.eq(id.0))
        .order(groups::name)
        .select(groups::name)
        .load(db)?;
    Ok(names.into_iter().map(GroupName::from_stored).collect())
}

#[cfg(test)]
mod tests;
