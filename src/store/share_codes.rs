//! Share codes: links with which an owner opens a server to whoever holds them (rest-api.md 4.15). Only hashes are
//! stored.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::connection::Connection;
use diesel::prelude::*;

use super::columns::{self, Json, optional_utc, stored, utc};
use super::schema::{servers, share_codes, users};
use super::servers::Server;
use super::shares::refiltered;
use super::{Db, Page, StoreError};
use crate::domain::ids::ServerId;
use crate::domain::ids::UserId;
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::secret::Secret;

/// What identifies a share code; `sc_<id>` in the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShareCodeId(pub i64);

/// A stored share code.
#[derive(Debug, Clone)]
pub struct ShareCode {
    /// Never reused.
    pub id: ShareCodeId,
    /// The server's row.
    pub server_id: ServerId,
    /// The server's name and owner, as of now.
    pub server: ServerKey,
    /// `<algorithm>:<rounds>:<salt>:<digest>`.
    pub hashed: Secret,
    /// What it grants: sorted, each filtered to this server.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
    /// How often it was redeemed.
    pub exchange_count: i64,
    /// When it was last redeemed.
    pub last_exchanged_at: Option<DateTime<Utc>>,
}

/// A share code to store.
#[derive(Debug, Clone)]
pub struct NewShareCode {
    /// `<algorithm>:<rounds>:<salt>:<digest>`.
    pub hashed: Secret,
    /// The first characters of the code.
    pub prefix: String,
    /// What it grants.
    pub scopes: Vec<String>,
    /// Usually now.
    pub created_at: DateTime<Utc>,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

/// Which share codes to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareCodeFilter {
    /// Of all servers of this owner.
    Owner(UserId),
    /// Of this server.
    Server(ServerId),
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = share_codes)]
struct Row {
    id: i64,
    server_id: i64,
    hashed: String,
    scopes: Json<Vec<String>>,
    created_at: NaiveDateTime,
    expires_at: NaiveDateTime,
    exchange_count: i64,
    last_exchanged_at: Option<NaiveDateTime>,
}

/// A row with the names of server and owner.
type Named = (Row, String, String);

/// All share code queries begin with this join.
macro_rules! codes_with_names {
    () => {
        share_codes::table.inner_join(servers::table.inner_join(users::table)).select((
            Row::as_select(),
            servers::name,
            users::name,
        ))
    };
}

fn code((row, server, owner): Named) -> ShareCode {
    let server = ServerKey { user: Username::from_stored(owner), server: ServerName::from_stored(server) };
    ShareCode {
        id: ShareCodeId(row.id),
        server_id: ServerId(row.server_id),
        hashed: Secret::new(row.hashed),
        scopes: refiltered(row.scopes.0, &server),
        server,
        created_at: utc(row.created_at),
        expires_at: utc(row.expires_at),
        exchange_count: row.exchange_count,
        last_exchanged_at: optional_utc(row.last_exchanged_at),
    }
}

/// Stores a code for a server.
///
/// # Errors
/// [`StoreError::Gone`] if there is no such server.
pub fn create(db: &mut Db, server: &Server, new: &NewShareCode) -> Result<ShareCode, StoreError> {
    diesel::insert_into(share_codes::table)
        .values((
            share_codes::owner_id.eq(server.user_id.0),
            share_codes::server_id.eq(server.id.0),
            share_codes::hashed.eq(new.hashed.expose()),
            share_codes::prefix.eq(&new.prefix),
            share_codes::scopes.eq(columns::set_text(&new.scopes)),
            share_codes::created_at.eq(stored(new.created_at)),
            share_codes::expires_at.eq(stored(new.expires_at)),
        ))
        .execute(db)?;
    let row: Named = codes_with_names!().filter(share_codes::hashed.eq(new.hashed.expose())).first(db)?;
    Ok(code(row))
}

/// The codes that begin with `prefix` and have not expired: the caller compares their hashes in constant time.
///
/// # Errors
/// If the query fails.
pub fn candidates(db: &mut Db, prefix: &str, now: DateTime<Utc>) -> Result<Vec<ShareCode>, StoreError> {
    let query = codes_with_names!()
        .filter(share_codes::prefix.eq(prefix))
        .filter(share_codes::expires_at.ge(stored(now)))
        .order(share_codes::id);
    let rows: Vec<Named> = query.load(db)?;
    Ok(rows.into_iter().map(code).collect())
}

fn selected(
    filter: ShareCodeFilter,
    now: DateTime<Utc>,
) -> share_codes::BoxedQuery<'static, <Db as Connection>::Backend> {
    let query = share_codes::table.filter(share_codes::expires_at.ge(stored(now))).into_boxed();
    match filter {
        ShareCodeFilter::Owner(id) => query.filter(share_codes::owner_id.eq(id.0)),
        ShareCodeFilter::Server(id) => query.filter(share_codes::server_id.eq(id.0)),
    }
}

/// One page of codes, oldest first, and how many there are. Expired ones are left out.
///
/// # Errors
/// If a query fails.
pub fn page(
    db: &mut Db,
    filter: ShareCodeFilter,
    now: DateTime<Utc>,
    offset: i64,
    limit: i64,
) -> Result<Page<ShareCode>, StoreError> {
    let total = selected(filter, now).count().get_result(db)?;
    let query = selected(filter, now).order(share_codes::id).offset(offset).limit(limit);
    // a boxed query cannot be a part of another one on several backends
    let ids: Vec<i64> = query.select(share_codes::id).load(db)?;
    let rows: Vec<Named> =
        codes_with_names!().filter(share_codes::id.eq_any(ids)).order(share_codes::id).load(db)?;
    Ok(Page { items: rows.into_iter().map(code).collect(), total })
}

/// Records that a code was redeemed.
///
/// # Errors
/// If the query fails.
pub fn record_exchange(db: &mut Db, id: ShareCodeId, at: DateTime<Utc>) -> Result<(), StoreError> {
    diesel::update(share_codes::table.find(id.0))
        .set((
            share_codes::exchange_count.eq(share_codes::exchange_count + 1),
            share_codes::last_exchanged_at.eq(stored(at)),
        ))
        .execute(db)?;
    Ok(())
}

/// Removes a code of this server. Whether there was one.
///
/// # Errors
/// If the query fails.
pub fn delete(db: &mut Db, server: ServerId, id: ShareCodeId) -> Result<bool, StoreError> {
    let code = share_codes::table.find(id.0).filter(share_codes::server_id.eq(server.0));
    Ok(diesel::delete(code).execute(db)? > 0)
}

/// Removes all codes of a server.
///
/// # Errors
/// If the query fails.
pub fn delete_of_server(db: &mut Db, server: ServerId) -> Result<usize, StoreError> {
    Ok(diesel::delete(share_codes::table.filter(share_codes::server_id.eq(server.0))).execute(db)?)
}

/// Removes the codes that have expired by `now`.
///
/// # Errors
/// If the query fails.
pub fn purge_expired(db: &mut Db, now: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(diesel::delete(share_codes::table.filter(share_codes::expires_at.lt(stored(now)))).execute(db)?)
}

#[cfg(test)]
mod tests;
