//! Opening servers to others (rest-api.md 4.13).

pub(super) mod request;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;

use self::request::{Receiver, ShareRequest};
use super::lookup;
use crate::domain::access::{Bearer, Grantee, Resource, check_share};
use crate::domain::names::ServerKey;
use crate::domain::scope::{Catalogue, ClientOwner, RawScope};
use crate::store::Db;
use crate::store::shares::{self, GranteeId, Share, ShareFilter};
use crate::store::{groups, servers, users};
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::Body;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::pagination::Pagination;
use crate::web::extract::path::Path;
use crate::web::state::Hub;
use crate::web::views::Nothing;
use crate::web::views::share::ShareView;

/// What is shared if nothing else is asked for.
const DEFAULT_SCOPE: &str = "access:servers";

/// `GET /hub/api/shares/{owner}` and `GET /hub/api/shares/{owner}/{server}`
pub(super) async fn list(
    request: HttpRequest,
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let (key, one_server) = (path.owned(), path.has(2));
    let resource = if one_server { lookup::resource(&key) } else { Resource::User(key.user.as_str()) };
    caller.require(&["read:shares"], resource)?;
    let pages = Pagination::of(&request, &hub.settings)?;
    let (offset, limit) = (pages.offset, pages.limit);
    let read = move |db: &mut Db| {
        let Some(filter) = filter(db, &key, one_server)? else { return Ok((Vec::new(), 0)) };
        let page = shares::page(db, filter, Utc::now(), offset, limit)?;
        Ok::<_, Refused>((page.items, page.total))
    };
    let (rows, total) = hub.store.read(read).await?;
    Ok(HttpResponse::Ok().json(pages.wrap(views(&hub, rows), total)))
}

/// What to list; `None` for a default server that never ran, of which nothing is shared.
fn filter(db: &mut Db, key: &ServerKey, one_server: bool) -> Result<Option<ShareFilter>, Refused> {
    let (owner, server) = lookup::server(db, key)?;
    if !one_server {
        return Ok(Some(ShareFilter::Owner(owner.id)));
    }
    match server {
        Some(server) => Ok(Some(ShareFilter::Server(server.id))),
        None if key.server.is_default() => Ok(None),
        None => Err(lookup::no_such_server(key)),
    }
}

pub(super) fn views(hub: &Hub, rows: Vec<Share>) -> Vec<ShareView> {
    rows.into_iter().map(|share| ShareView::new(hub, share)).collect()
}

/// The scopes to grant: known ones, each limited to the server.
pub(super) fn limited(
    scopes: &[String],
    key: &ServerKey,
    catalogue: &Catalogue,
) -> Result<Vec<RawScope>, Refused> {
    let default = [DEFAULT_SCOPE.to_owned()];
    let texts = if scopes.is_empty() { &default } else { scopes };
    let read = texts.iter().map(|text| {
        let scope = RawScope::parse(text, catalogue).map_err(|wrong| Refused::bad(wrong.to_string()))?;
        scope.for_share(key).map_err(|wrong| Refused::bad(wrong.to_string()))
    });
    read.collect()
}

/// Whether the caller may grant these scopes to this grantee.
pub(super) fn check(
    caller: &Caller,
    hub: &Hub,
    scopes: &[RawScope],
    grantee: Grantee<'_>,
) -> Result<(), Refused> {
    let bearer = Bearer {
        owner: caller.owner(),
        client: ClientOwner::Hub,
        members: &caller.members,
        catalogue: &hub.catalogue,
    };
    check_share(scopes, grantee, &caller.scopes, &bearer).map_err(|refused| {
        Refused::forbidden(format!("Do not have permission to grant this share: {refused}"))
    })
}

/// `POST /hub/api/shares/{owner}/{server}`
pub(super) async fn grant(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.owned();
    caller.require(&["shares"], lookup::resource(&key))?;
    let request = ShareRequest::read(&body)?;
    let scopes = limited(&request.scopes, &key, &hub.catalogue)?;
    let wanted = key.clone();
    hub.store.read(move |db| filter(db, &wanted, true)).await?;
    check(&caller, &hub, &scopes, request.receiver.as_domain())?;
    let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    let granted = hub.store.write(move |db| {
        let server = lookup::existing_server(db, &key)?;
        let grantee = find(db, &request.receiver)?.ok_or_else(|| request.receiver.unknown())?;
        Ok::<_, Refused>(shares::grant(db, &server, grantee, &scopes, Utc::now())?)
    });
    Ok(HttpResponse::Ok().json(ShareView::new(&hub, granted.await?)))
}

/// The row of a grantee.
fn find(db: &mut Db, receiver: &Receiver) -> Result<Option<GranteeId>, Refused> {
    Ok(match receiver {
        Receiver::User(name) => users::find(db, name)?.map(|user| GranteeId::User(user.id)),
        Receiver::Group(name) => groups::find(db, name)?.map(|group| GranteeId::Group(group.id)),
    })
}

/// `PATCH /hub/api/shares/{owner}/{server}`: takes scopes back, or all of them if none is named.
pub(super) async fn revoke(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.owned();
    caller.require(&["shares"], lookup::resource(&key))?;
    let request = ShareRequest::read(&body)?;
    let left = hub.store.write(move |db| take_back(db, &key, &request)).await?;
    Ok(match left {
        Some(share) => HttpResponse::Ok().json(ShareView::new(&hub, share)),
        None => HttpResponse::Ok().json(Nothing),
    })
}

fn take_back(db: &mut Db, key: &ServerKey, request: &ShareRequest) -> Result<Option<Share>, Refused> {
    let server = lookup::existing_server(db, key)?;
    let Some(grantee) = find(db, &request.receiver)? else { return Ok(None) };
    let scopes = Some(request.scopes.as_slice()).filter(|scopes| !scopes.is_empty());
    Ok(shares::revoke(db, server.id, grantee, scopes, Utc::now())?)
}

/// `DELETE /hub/api/shares/{owner}/{server}`: closes the server to everybody.
pub(super) async fn revoke_all(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.owned();
    caller.require(&["shares"], lookup::resource(&key))?;
    let write = move |db: &mut Db| {
        filter(db, &key, true)?;
        if let Some(server) = servers::find_by_key(db, &key)? {
            shares::delete_of_server(db, server.id)?;
        }
        Ok::<_, Refused>(())
    };
    hub.store.write(write).await?;
    Ok(HttpResponse::NoContent().finish())
}
