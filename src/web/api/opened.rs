//! What `/shares/{owner}[/{server}]` and `/share-codes/{owner}[/{server}]` have in common: the path names all servers of
//! an owner or one of them, and what there is for those is listed in pages.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::lookup;
use crate::domain::access::Resource;
use crate::domain::ids::{ServerId, UserId};
use crate::domain::names::ServerKey;
use crate::store::{Db, Page, StoreError};
use crate::web::error::{ApiError, Refused};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::pagination::Pagination;
use crate::web::extract::path::Path;
use crate::web::state::Hub;

/// Any of these shows shares and codes.
pub(super) const READ: &[&str] = &["read:shares"];

/// Whose shares or codes to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Of all servers of this owner.
    Owner(UserId),
    /// Of this server.
    Server(ServerId),
}

/// Which part of the list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// What has expired by then is left out.
    pub(super) now: DateTime<Utc>,
    /// How many to skip.
    pub(super) offset: i64,
    /// How many to show.
    pub(super) limit: i64,
}

/// Answers a list: `page` reads a part of it, `view` shows one item.
pub(super) async fn list<T, V>(
    (request, path, caller, hub): (HttpRequest, Path, ApiCaller, web::Data<Hub>),
    page: fn(&mut Db, Of, Part) -> Result<Page<T>, StoreError>,
    view: fn(&Hub, T) -> V,
) -> Result<HttpResponse, ApiError>
where
    T: Send + 'static,
    V: Serialize,
{
    let (key, one_server) = (path.owned(), path.has(2));
    let resource = if one_server { lookup::resource(&key) } else { Resource::User(key.user.as_str()) };
    caller.require(READ, resource)?;
    let pages = Pagination::of(&request, &hub)?;
    let part = Part { now: Utc::now(), offset: pages.offset, limit: pages.limit };
    let read = move |db: &mut Db| {
        let found = if one_server { server(db, &key)?.map(Of::Server) } else { Some(owner(db, &key)?) };
        let Some(of) = found else { return Ok(Page { items: Vec::new(), total: 0 }) };
        Ok::<_, Refused>(page(db, of, part)?)
    };
    let Page { items, total } = hub.store.read(read).await?;
    let views: Vec<V> = items.into_iter().map(|item| view(&hub, item)).collect();
    Ok(HttpResponse::Ok().json(pages.wrap(views, total)))
}

fn owner(db: &mut Db, key: &ServerKey) -> Result<Of, Refused> {
    Ok(Of::Owner(lookup::user(db, &key.user)?.id))
}

/// The row of a server that can be shared; `None` for a default server that never ran, for which there is nothing yet.
pub(super) fn server(db: &mut Db, key: &ServerKey) -> Result<Option<ServerId>, Refused> {
    match lookup::server(db, key)? {
        (_, Some(server)) => Ok(Some(server.id)),
        (_, None) if key.server.is_default() => Ok(None),
        (_, None) => Err(lookup::no_such_server(key)),
    }
}
