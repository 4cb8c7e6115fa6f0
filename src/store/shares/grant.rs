//! Opening servers to others and closing them again.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::{Db, GranteeId, Share, StoreError, columns, find, shares, stored};
use crate::domain::ids::{ServerId, ShareId};
use crate::store::servers::Server;

/// Grants scopes of a server, in addition to those granted before. The scopes may come with or without their filter.
///
/// # Errors
/// [`StoreError::Gone`] if server or grantee do not exist; [`StoreError::Conflict`] if the same share was made at the
/// same time, on PostgreSQL: try again.
pub fn grant(
    db: &mut Db,
    server: &Server,
    grantee: GranteeId,
    scopes: &[String],
    now: DateTime<Utc>,
) -> Result<Share, StoreError> {
    delete_expired(db, server.id, grantee, now)?;
    lock(db, server.id, grantee)?;
    match find(db, server.id, grantee, now)? {
        Some(share) => {
            let merged = columns::set_text(&[share.scopes.as_slice(), scopes].concat());
            diesel::update(shares::table.find(share.id.0)).set(shares::scopes.eq(merged)).execute(db)?;
        }
        None => insert(db, server, grantee, scopes, now)?,
    }
    find(db, server.id, grantee, now)?.ok_or(StoreError::Gone(diesel::NotFound))
}

fn insert(
    db: &mut Db,
    server: &Server,
    grantee: GranteeId,
    scopes: &[String],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (user, group) = match grantee {
        GranteeId::User(id) => (Some(id.0), None),
        GranteeId::Group(id) => (None, Some(id.0)),
    };
    diesel::insert_into(shares::table)
        .values((
            shares::owner_id.eq(server.user_id.0),
            shares::server_id.eq(server.id.0),
            shares::user_id.eq(user),
            shares::group_id.eq(group),
            shares::scopes.eq(columns::set_text(scopes)),
            shares::created_at.eq(stored(now)),
        ))
        .execute(db)?;
    Ok(())
}

/// Takes back `scopes`, or all of them if `None`. Scopes must be written with their filter. Returns what is left.
///
/// # Errors
/// If a query fails.
pub fn revoke(
    db: &mut Db,
    server: ServerId,
    grantee: GranteeId,
    scopes: Option<&[String]>,
    now: DateTime<Utc>,
) -> Result<Option<Share>, StoreError> {
    lock(db, server, grantee)?;
    let Some(mut share) = find(db, server, grantee, now)? else {
        return Ok(None);
    };
    share.scopes.retain(|scope| scopes.is_some_and(|revoked| !revoked.contains(scope)));
    if share.scopes.is_empty() {
        delete(db, share.id)?;
        return Ok(None);
    }
    let left = columns::set_text(&share.scopes);
    diesel::update(shares::table.find(share.id.0)).set(shares::scopes.eq(left)).execute(db)?;
    Ok(Some(share))
}

/// Makes PostgreSQL hold back other changes of this share until the transaction ends: an update that changes nothing,
/// since `FOR UPDATE` is unknown to SQLite (which has one writer anyway).
fn lock(db: &mut Db, server: ServerId, grantee: GranteeId) -> Result<(), StoreError> {
    let unchanged = shares::server_id.eq(shares::server_id);
    let rows = shares::table.filter(shares::server_id.eq(server.0));
    match grantee {
        GranteeId::User(id) => {
            diesel::update(rows.filter(shares::user_id.eq(id.0))).set(unchanged).execute(db)?
        }
        GranteeId::Group(id) => {
            diesel::update(rows.filter(shares::group_id.eq(id.0))).set(unchanged).execute(db)?
        }
    };
    Ok(())
}

fn delete_expired(
    db: &mut Db,
    server: ServerId,
    grantee: GranteeId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let rows =
        shares::table.filter(shares::server_id.eq(server.0)).filter(shares::expires_at.lt(stored(now)));
    match grantee {
        GranteeId::User(id) => diesel::delete(rows.filter(shares::user_id.eq(id.0))).execute(db)?,
        GranteeId::Group(id) => diesel::delete(rows.filter(shares::group_id.eq(id.0))).execute(db)?,
    };
    Ok(())
}

/// Removes a share. Whether there was one.
///
/// # Errors
/// If the query fails.
pub fn delete(db: &mut Db, id: ShareId) -> Result<bool, StoreError> {
    Ok(diesel::delete(shares::table.find(id.0)).execute(db)? > 0)
}

/// Removes all shares of a server.
///
/// # Errors
/// If the query fails.
pub fn delete_of_server(db: &mut Db, server: ServerId) -> Result<usize, StoreError> {
    Ok(diesel::delete(shares::table.filter(shares::server_id.eq(server.0))).execute(db)?)
}

/// Removes the shares that have expired by `now`.
///
/// # Errors
/// If the query fails.
pub fn purge_expired(db: &mut Db, now: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(diesel::delete(shares::table.filter(shares::expires_at.lt(stored(now)))).execute(db)?)
}
