//! Shares: servers that their owners open to users and groups (rest-api.md 4.13 and 4.14).
//!
//! A stored scope names the server it was granted for. When a row is read, the name is replaced by the server's present
//! one, so that a rename of server or owner neither breaks a share nor lets it point at somebody else's (DB-019).

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::connection::Connection;
use diesel::prelude::*;

use super::columns::{self, Json, optional_utc, stored, utc};
use super::schema::{group_members, groups, owners, servers, shares, users};
use super::{Db, Page, StoreError};
use crate::domain::ids::{GroupId, ServerId, ShareId, UserId};
use crate::domain::names::{GroupName, ServerKey, ServerName, Username};

mod grant;

pub use self::grant::{delete, delete_of_server, grant, purge_expired, revoke};

/// A server opened to one user or group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Never reused.
    pub id: ShareId,
    /// The server's row.
    pub server_id: ServerId,
    /// The server's name and owner, as of now.
    pub server: ServerKey,
    /// To whom.
    pub grantee: Grantee,
    /// Sorted; each filtered to this server.
    pub scopes: Vec<String>,
    /// When it was first granted.
    pub created_at: DateTime<Utc>,
    /// When it ends; never, if `None`.
    pub expires_at: Option<DateTime<Utc>>,
}

/// To whom a server is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grantee {
    /// A user.
    User(UserId, Username),
    /// The members of a group.
    Group(GroupId, GroupName),
}

/// A grantee to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GranteeId {
    /// A user.
    User(UserId),
    /// A group.
    Group(GroupId),
}

/// Which shares to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareFilter {
    /// Of all servers of this owner.
    Owner(UserId),
    /// Of this server.
    Server(ServerId),
    /// To this user, directly and through groups.
    User(UserId),
    /// To this group.
    Group(GroupId),
}

/// What shares let a user do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedScopes {
    /// Granted to the user: sorted.
    pub direct: Vec<String>,
    /// Granted to one of the user's groups: sorted.
    pub through_groups: Vec<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = shares)]
struct Row {
    id: i64,
    server_id: i64,
    user_id: Option<i64>,
    group_id: Option<i64>,
    scopes: Json<Vec<String>>,
    created_at: NaiveDateTime,
    expires_at: Option<NaiveDateTime>,
}

/// A row with the names of server, owner, user and group.
type Named = (Row, String, String, Option<String>, Option<String>);

/// A share; `None` for a row without grantee, which the schema forbids.
fn share((row, server, owner, user, group): Named) -> Option<Share> {
    let grantee = match (row.user_id.zip(user), row.group_id.zip(group)) {
        (Some((id, name)), _) => Grantee::User(UserId(id), Username::from_stored(name)),
        (None, Some((id, name))) => Grantee::Group(GroupId(id), GroupName::from_stored(name)),
        (None, None) => return None,
    };
    let server = ServerKey { user: Username::from_stored(owner), server: ServerName::from_stored(server) };
    Some(Share {
        id: ShareId(row.id),
        server_id: ServerId(row.server_id),
        grantee,
        scopes: refiltered(row.scopes.0, &server),
        server,
        created_at: utc(row.created_at),
        expires_at: optional_utc(row.expires_at),
    })
}

/// The scopes, each filtered to `server` whatever its filter was: sorted, each once.
pub(super) fn refiltered(scopes: Vec<String>, server: &ServerKey) -> Vec<String> {
    let name = |scope: String| scope.split('!').next().unwrap_or_default().to_owned();
    let filter = |scope| format!("{}!server={}/{}", name(scope), server.user, server.server);
    columns::sorted_set(scopes.into_iter().map(filter).collect())
}

type Query = shares::BoxedQuery<'static, <Db as Connection>::Backend>;

/// The shares that have not expired by `now`.
fn alive(now: DateTime<Utc>) -> Query {
    shares::table.filter(shares::expires_at.is_null().or(shares::expires_at.ge(stored(now)))).into_boxed()
}

fn selected(filter: ShareFilter, now: DateTime<Utc>) -> Query {
    match filter {
        ShareFilter::Owner(id) => alive(now).filter(shares::owner_id.eq(id.0)),
        ShareFilter::Server(id) => alive(now).filter(shares::server_id.eq(id.0)),
        ShareFilter::Group(id) => alive(now).filter(shares::group_id.eq(id.0)),
        ShareFilter::User(id) => {
            let groups = group_members::table.filter(group_members::user_id.eq(id.0));
            let through = shares::group_id.eq_any(groups.select(group_members::group_id.nullable()));
            alive(now).filter(shares::user_id.eq(id.0).or(through))
        }
    }
}

/// The shares with these ids, oldest first. (A boxed query cannot be a part of another one on several backends, so the
/// ids come from a query of their own.)
fn load(db: &mut Db, ids: &[i64]) -> Result<Vec<Share>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Named> = shares::table
        .inner_join(servers::table)
        .inner_join(owners.on(owners.field(users::id).eq(servers::user_id)))
        .left_join(users::table.on(users::id.nullable().eq(shares::user_id)))
        .left_join(groups::table.on(groups::id.nullable().eq(shares::group_id)))
        .filter(shares::id.eq_any(ids))
        .order(shares::id)
        .select((
            Row::as_select(),
            servers::name,
            owners.field(users::name),
            users::name.nullable(),
            groups::name.nullable(),
        ))
        .load(db)?;
    Ok(rows.into_iter().filter_map(share).collect())
}

/// One page of shares, oldest first, and how many there are. Expired ones are left out.
///
/// # Errors
/// If a query fails.
pub fn page(
    db: &mut Db,
    filter: ShareFilter,
    now: DateTime<Utc>,
    offset: i64,
    limit: i64,
) -> Result<Page<Share>, StoreError> {
    let total = selected(filter, now).count().get_result(db)?;
    let query = selected(filter, now).order(shares::id).offset(offset).limit(limit);
    let ids = query.select(shares::id).load(db)?;
    Ok(Page { items: load(db, &ids)?, total })
}

/// The share of a server with exactly this user or group, unless it has expired.
///
/// # Errors
/// If the query fails.
pub fn find(
    db: &mut Db,
    server: ServerId,
    grantee: GranteeId,
    now: DateTime<Utc>,
) -> Result<Option<Share>, StoreError> {
    let query = alive(now).filter(shares::server_id.eq(server.0));
    let query = match grantee {
        GranteeId::User(id) => query.filter(shares::user_id.eq(id.0)),
        GranteeId::Group(id) => query.filter(shares::group_id.eq(id.0)),
    };
    let ids = query.select(shares::id).load(db)?;
    Ok(load(db, &ids)?.pop())
}

/// What shares let a user do now.
///
/// # Errors
/// If the query fails.
pub fn scopes_of_user(db: &mut Db, user: UserId, now: DateTime<Utc>) -> Result<SharedScopes, StoreError> {
    let ids = selected(ShareFilter::User(user), now).select(shares::id).load(db)?;
    let mut scopes = SharedScopes::default();
    for share in load(db, &ids)? {
        match share.grantee {
            Grantee::User(..) => scopes.direct.extend(share.scopes),
            Grantee::Group(..) => scopes.through_groups.extend(share.scopes),
        }
    }
    scopes.direct = columns::sorted_set(scopes.direct);
    scopes.through_groups = columns::sorted_set(scopes.through_groups);
    Ok(scopes)
}

#[cfg(test)]
mod tests;
