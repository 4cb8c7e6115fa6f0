//! User servers: one row each, running or not. A server that has an address runs, or is believed to.

mod failure;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde_json::{Map, Value};

pub use failure::{LastFailure, last_failure_log, set_last_failure};

use super::columns::{self, Json, optional_utc, stored};
use super::db::on_backend;
use super::schema::{servers, users};
use super::{Db, StoreError};
use crate::domain::ids::{ServerId, TokenId, UserId};
use crate::domain::names::{ServerKey, ServerName, Username};

/// A user's server.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Never reused.
    pub id: ServerId,
    /// The owner.
    pub user_id: UserId,
    /// Empty for the default server; unique for the owner.
    pub name: ServerName,
    /// Empty unless the owner chose one.
    pub display_name: String,
    /// What the spawner needs to find the process again; `{}` when stopped.
    pub state: Value,
    /// When the current or pending run began.
    pub started: Option<DateTime<Utc>>,
    /// The latest activity.
    pub last_activity: Option<DateTime<Utc>>,
    /// The options of the last or next start.
    pub user_options: Option<Value>,
    /// The OAuth client of the current run.
    pub oauth_client_id: Option<String>,
    /// The API token of the current run.
    pub api_token_id: Option<TokenId>,
    /// Where it listens, while it runs.
    pub address: Option<Address>,
    /// Why its last start failed, or why it ended by itself.
    pub last_failure: Option<LastFailure>,
    /// Until when its owner keeps it from being culled.
    pub keep_until: Option<DateTime<Utc>>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `http`, `https` or `unix`.
    pub proto: String,
    /// IP address or host name; for `unix` the path of the socket.
    pub ip: String,
    /// TCP port; 0 for `unix`.
    pub port: u16,
    /// The path that it serves, with slashes at both ends.
    pub base_url: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = servers)]
struct Row {
    id: i64,
    user_id: i64,
    name: String,
    display_name: String,
    state: Json<Value>,
    started: Option<NaiveDateTime>,
    last_activity: Option<NaiveDateTime>,
    user_options: Option<Json<Value>>,
    oauth_client_id: Option<String>,
    api_token_id: Option<i64>,
    proto: Option<String>,
    ip: Option<String>,
    port: Option<i32>,
    base_url: Option<String>,
    last_failure: Option<Json<LastFailure>>,
    keep_until: Option<NaiveDateTime>,
}

impl From<Row> for Server {
    fn from(row: Row) -> Self {
        let address = match (row.proto, row.ip, row.port, row.base_url) {
            (Some(proto), Some(ip), Some(port), Some(base_url)) => {
                u16::try_from(port).ok().map(|port| Address { proto, ip, port, base_url })
            }
            _ => None,
        };
        Self {
            id: ServerId(row.id),
            user_id: UserId(row.user_id),
            name: ServerName::from_stored(row.name),
            display_name: row.display_name,
            state: row.state.0,
            started: optional_utc(row.started),
            last_activity: optional_utc(row.last_activity),
            user_options: columns::value(row.user_options),
            oauth_client_id: row.oauth_client_id,
            api_token_id: row.api_token_id.map(TokenId),
            address,
            last_failure: row.last_failure.map(|Json(failure)| failure),
            keep_until: optional_utc(row.keep_until),
        }
    }
}

/// The server of `user` called `name`.
///
/// # Errors
/// If the query fails.
pub fn find(db: &mut Db, user: UserId, name: &ServerName) -> Result<Option<Server>, StoreError> {
    let query = servers::table.filter(servers::user_id.eq(user.0)).filter(servers::name.eq(name.as_str()));
    let row: Option<Row> = query.select(Row::as_select()).first(db).optional()?;
    Ok(row.map(Server::from))
}

/// The server with this id.
///
/// # Errors
/// If the query fails.
pub fn find_by_id(db: &mut Db, id: ServerId) -> Result<Option<Server>, StoreError> {
    let row: Option<Row> = servers::table.find(id.0).select(Row::as_select()).first(db).optional()?;
    Ok(row.map(Server::from))
}

/// The server that names say.
///
/// # Errors
/// If the query fails.
pub fn find_by_key(db: &mut Db, key: &ServerKey) -> Result<Option<Server>, StoreError> {
    let row: Option<Row> = servers::table
        .inner_join(users::table)
        .filter(users::name.eq(key.user.as_str()))
        .filter(servers::name.eq(key.server.as_str()))
        .select(Row::as_select())
        .first(db)
        .optional()?;
    Ok(row.map(Server::from))
}

/// All servers of a user, oldest row first.
///
/// # Errors
/// If the query fails.
pub fn of_user(db: &mut Db, user: UserId) -> Result<Vec<Server>, StoreError> {
    of_users(db, &[user])
}

/// All servers of several users, oldest row first.
///
/// # Errors
/// If the query fails.
pub fn of_users(db: &mut Db, users: &[UserId]) -> Result<Vec<Server>, StoreError> {
    let rows: Vec<Row> = servers::table
        .filter(servers::user_id.eq_any(users.iter().map(|id| id.0)))
        .order(servers::id)
        .select(Row::as_select())
        .load(db)?;
    Ok(rows.into_iter().map(Server::from).collect())
}

/// All servers that have an address, with their owners.
///
/// # Errors
/// If the query fails.
pub fn with_address(db: &mut Db) -> Result<Vec<(Username, Server)>, StoreError> {
    let rows: Vec<(String, Row)> = servers::table
        .inner_join(users::table)
        .filter(servers::proto.is_not_null())
        .order(servers::id)
        .select((users::name, Row::as_select()))
        .load(db)?;
    Ok(rows.into_iter().map(|(name, row)| (Username::from_stored(name), Server::from(row))).collect())
}

/// All servers that run or were starting, with their owners: what a starting hub must look after.
///
/// # Errors
/// If the query fails.
pub fn unfinished(db: &mut Db) -> Result<Vec<(Username, Server)>, StoreError> {
    let rows: Vec<(String, Row)> = servers::table
        .inner_join(users::table)
        .filter(servers::proto.is_not_null().or(servers::started.is_not_null()))
        .order(servers::id)
        .select((users::name, Row::as_select()))
        .load(db)?;
    Ok(rows.into_iter().map(|(name, row)| (Username::from_stored(name), Server::from(row))).collect())
}

/// All named servers with their owners, oldest row first.
///
/// # Errors
/// If the query fails.
pub fn named(db: &mut Db) -> Result<Vec<(Username, Server)>, StoreError> {
    let rows: Vec<(String, Row)> = servers::table
        .inner_join(users::table)
        .filter(servers::name.ne(""))
        .order(servers::id)
        .select((users::name, Row::as_select()))
        .load(db)?;
    Ok(rows.into_iter().map(|(name, row)| (Username::from_stored(name), Server::from(row))).collect())
}

/// How many servers have an address.
///
/// # Errors
/// If the query fails.
pub fn count_with_address(db: &mut Db) -> Result<i64, StoreError> {
    Ok(servers::table.filter(servers::proto.is_not_null()).count().get_result(db)?)
}

/// Adds a stopped server.
///
/// # Errors
/// [`StoreError::Conflict`] if the user has a server of that name, [`StoreError::Gone`] if there is no such user.
pub fn create(db: &mut Db, user: UserId, name: &ServerName) -> Result<Server, StoreError> {
    diesel::insert_into(servers::table)
        .values((servers::user_id.eq(user.0), servers::name.eq(name.as_str())))
        .execute(db)?;
    let query = servers::table.filter(servers::user_id.eq(user.0)).filter(servers::name.eq(name.as_str()));
    let row: Row = query.select(Row::as_select()).first(db)?;
    Ok(Server::from(row))
}

/// The server of this name, added if there is none: of two who want it at the same time, both get it.
///
/// # Errors
/// [`StoreError::Gone`] if there is no such user.
pub fn ensure(db: &mut Db, user: UserId, name: &ServerName) -> Result<Server, StoreError> {
    if let Some(server) = find(db, user, name)? {
        return Ok(server);
    }
    let row = (servers::user_id.eq(user.0), servers::name.eq(name.as_str()));
    on_backend!(db, c => diesel::insert_into(servers::table).values(&row).on_conflict_do_nothing().execute(c))?;
    find(db, user, name)?.ok_or(StoreError::Gone(diesel::result::Error::NotFound))
}

/// The default server of a user, added if there is none.
///
/// # Errors
/// [`StoreError::Gone`] if there is no such user.
pub fn ensure_default(db: &mut Db, user: UserId) -> Result<Server, StoreError> {
    ensure(db, user, &ServerName::default_server())
}

/// Removes a server with its client, tokens and shares (DB-005). Whether there was one.
///
/// # Errors
/// If the query fails.
pub fn delete(db: &mut Db, id: ServerId) -> Result<bool, StoreError> {
    Ok(diesel::delete(servers::table.find(id.0)).execute(db)? > 0)
}

/// Renames a server; its shares follow.
///
/// # Errors
/// [`StoreError::Conflict`] if the owner has another server of that name.
pub fn rename(db: &mut Db, id: ServerId, to: &ServerName) -> Result<(), StoreError> {
    diesel::update(servers::table.find(id.0)).set(servers::name.eq(to.as_str())).execute(db)?;
    Ok(())
}

/// Sets the name that people see.
///
/// # Errors
/// If the query fails.
pub fn set_display_name(db: &mut Db, id: ServerId, display_name: &str) -> Result<(), StoreError> {
    diesel::update(servers::table.find(id.0)).set(servers::display_name.eq(display_name)).execute(db)?;
    Ok(())
}

/// Sets the options of the next start.
///
/// # Errors
/// If the query fails.
pub fn set_user_options(db: &mut Db, id: ServerId, options: Option<&Value>) -> Result<(), StoreError> {
    diesel::update(servers::table.find(id.0))
        .set(servers::user_options.eq(columns::json_text(options)))
        .execute(db)?;
    Ok(())
}

/// Records that a start was accepted: its options and its time, which also counts as activity.
///
/// # Errors
/// If a query fails.
pub fn begin_start(
    db: &mut Db,
    id: ServerId,
    options: Option<&Value>,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let options = columns::json_text(options);
    diesel::update(servers::table.find(id.0))
        .set((servers::user_options.eq(options), servers::started.eq(stored(at))))
        .execute(db)?;
    touch(db, id, at)?;
    Ok(())
}

/// Links the OAuth client and the API token of the run that begins.
///
/// # Errors
/// [`StoreError::Gone`] if there is no such client or token.
pub fn set_credentials(
    db: &mut Db,
    id: ServerId,
    client: Option<&str>,
    token: Option<TokenId>,
) -> Result<(), StoreError> {
    diesel::update(servers::table.find(id.0))
        .set((servers::oauth_client_id.eq(client), servers::api_token_id.eq(token.map(|id| id.0))))
        .execute(db)?;
    Ok(())
}

/// Records where the server listens; from now on it counts as active.
///
/// # Errors
/// If the query fails.
pub fn set_address(db: &mut Db, id: ServerId, address: &Address) -> Result<(), StoreError> {
    diesel::update(servers::table.find(id.0))
        .set((
            servers::proto.eq(&address.proto),
            servers::ip.eq(&address.ip),
            servers::port.eq(i32::from(address.port)),
            servers::base_url.eq(&address.base_url),
        ))
        .execute(db)?;
    Ok(())
}

/// Records what the spawner needs to find the process again.
///
/// # Errors
/// If the query fails.
pub fn set_state(db: &mut Db, id: ServerId, state: &Value) -> Result<(), StoreError> {
    diesel::update(servers::table.find(id.0)).set(servers::state.eq(state.to_string())).execute(db)?;
    Ok(())
}

/// Records that the server has stopped: no address, no state, no start time. Client and token are deleted apart, since
/// a server that will resume keeps them.
///
/// # Errors
/// If the query fails.
pub fn clear_address(db: &mut Db, id: ServerId) -> Result<(), StoreError> {
    diesel::update(servers::table.find(id.0))
        .set((
            servers::proto.eq(None::<String>),
            servers::ip.eq(None::<String>),
            servers::port.eq(None::<i32>),
            servers::base_url.eq(None::<String>),
            servers::state.eq(Value::Object(Map::new()).to_string()),
            servers::started.eq(None::<NaiveDateTime>),
            servers::keep_until.eq(None::<NaiveDateTime>),
        ))
        .execute(db)?;
    Ok(())
}

/// Keeps the server from being culled until then; `None` takes it back.
///
/// # Errors
/// If the query fails.
pub fn set_keep_until(db: &mut Db, id: ServerId, until: Option<DateTime<Utc>>) -> Result<(), StoreError> {
    diesel::update(servers::table.find(id.0)).set(servers::keep_until.eq(until.map(stored))).execute(db)?;
    Ok(())
}

/// Moves the last activity forward to `at`; an earlier time changes nothing. Whether it moved.
///
/// # Errors
/// If the query fails.
pub fn touch(db: &mut Db, id: ServerId, at: DateTime<Utc>) -> Result<bool, StoreError> {
    let at = stored(at);
    let older = servers::last_activity.is_null().or(servers::last_activity.lt(at));
    let moved = diesel::update(servers::table.find(id.0).filter(older))
        .set(servers::last_activity.eq(at))
        .execute(db)?;
    Ok(moved > 0)
}

#[cfg(test)]
mod tests;
