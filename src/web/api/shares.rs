//! Opening servers to others (rest-api.md 4.13).

pub(in crate::web) mod request;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;

use self::request::{Receiver, ShareRequest};
use super::lookup;
use super::opened::{self, Of, Part, READ};
use crate::domain::access::{Bearer, Grantee, check_share};
use crate::domain::names::ServerKey;
use crate::domain::scope::{Catalogue, ClientOwner, RawScope};
use crate::store::shares::{self, GranteeId, Share, ShareFilter};
use crate::store::{Db, Page, StoreError, groups, users};
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::Body;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::pagination::Wrapper;
use crate::web::extract::path::Path;
use crate::web::openapi::bodies::ShareBody;
use crate::web::openapi::parameters::PageParameters;
use crate::web::openapi::shapes::WhatIsLeft;
use crate::web::state::Hub;
use crate::web::views::Nothing;
use crate::web::views::share::ShareView;

const SHARE: &[&str] = &["shares"];

/// What is shared if nothing else is asked for.
const DEFAULT_SCOPE: &str = "access:servers";

/// List to whom a server was opened
#[utoipa::path(
    get,
    path = "/shares/{owner}/{server}",
    tag = "shares",
    operation_id = "list_shares",
    params(PageParameters),
    responses(
        (status = 200, description = "A page of shares", body = Wrapper<Vec<ShareView>>),
        (status = 404, description = "No such server: ada/lab"),
    ),
    extensions(("x-required-scopes" = json!(READ))),
)]
pub(super) async fn list(
    request: HttpRequest,
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    opened::list((request, path, caller, hub), page, ShareView::new).await
}

fn page(db: &mut Db, of: Of, part: Part) -> Result<Page<Share>, StoreError> {
    let filter = match of {
        Of::Owner(id) => ShareFilter::Owner(id),
        Of::Server(id) => ShareFilter::Server(id),
    };
    shares::page(db, filter, part.now, part.offset, part.limit)
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

/// Open a server to a user or group
///
/// Adds to what was granted before. Whoever grants must hold each scope on the server, and `read:users:name` or
/// `read:groups:name` on the receiver.
#[utoipa::path(
    post,
    path = "/shares/{owner}/{server}",
    tag = "shares",
    operation_id = "grant_share",
    request_body(
        content = ShareBody,
        description = "To whom, and what: access if no scope is named",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "The share as it is now", body = ShareView),
        (status = 400, description = "Must specify exactly one of 'user' and 'group'"),
        (status = 403, description = "Do not have permission to grant this share"),
        (status = 404, description = "No such server: ada/lab"),
    ),
    extensions(("x-required-scopes" = json!(SHARE))),
)]
pub(super) async fn grant(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.owned();
    caller.require(SHARE, lookup::resource(&key))?;
    let request = ShareRequest::read(&body)?;
    let granted = open(&hub, &caller, key, request).await?;
    Ok(HttpResponse::Ok().json(ShareView::new(&hub, granted)))
}

/// Opens a server, for whoever may share it.
///
/// # Errors
/// 400 for a receiver that does not exist, 403 for what the caller may not grant, 404 if there is no such server.
pub(in crate::web) async fn open(
    hub: &Hub,
    caller: &Caller,
    key: ServerKey,
    request: ShareRequest,
) -> Result<Share, Refused> {
    let scopes = limited(&request.scopes, &key, &hub.catalogue)?;
    let wanted = key.clone();
    hub.store.read(move |db| opened::server(db, &wanted)).await?;
    check(caller, hub, &scopes, request.receiver.as_domain())?;
    let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    let granted = hub.store.write(move |db| {
        let server = lookup::existing_server(db, &key)?;
        let grantee = find(db, &request.receiver)?.ok_or_else(|| request.receiver.unknown())?;
        Ok::<_, Refused>(shares::grant(db, &server, grantee, &scopes, Utc::now())?)
    });
    granted.await
}

/// The row of a grantee.
fn find(db: &mut Db, receiver: &Receiver) -> Result<Option<GranteeId>, Refused> {
    Ok(match receiver {
        Receiver::User(name) => users::find(db, name)?.map(|user| GranteeId::User(user.id)),
        Receiver::Group(name) => groups::find(db, name)?.map(|group| GranteeId::Group(group.id)),
    })
}

/// Take scopes back from a user or group
///
/// All of them if none is named. They are written as in the share, with their filter.
#[utoipa::path(
    patch,
    path = "/shares/{owner}/{server}",
    tag = "shares",
    operation_id = "revoke_share",
    request_body(
        content = ShareBody,
        description = "From whom, and what",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "What is left of the share: an empty object if nothing is", body = WhatIsLeft),
        (status = 400, description = "Must specify exactly one of 'user' and 'group'"),
        (status = 404, description = "No such server: ada/lab"),
    ),
    extensions(("x-required-scopes" = json!(SHARE))),
)]
pub(super) async fn revoke(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.owned();
    caller.require(SHARE, lookup::resource(&key))?;
    let request = ShareRequest::read(&body)?;
    let left = hub.store.write(move |db| take_back(db, &key, &request)).await?;
    Ok(match left {
        Some(share) => HttpResponse::Ok().json(ShareView::new(&hub, share)),
        None => HttpResponse::Ok().json(Nothing),
    })
}

/// Takes scopes back, all of them if none is named. What is left.
///
/// # Errors
/// 404 if there is no such server.
pub(in crate::web) fn take_back(
    db: &mut Db,
    key: &ServerKey,
    request: &ShareRequest,
) -> Result<Option<Share>, Refused> {
    let server = lookup::existing_server(db, key)?;
    let Some(grantee) = find(db, &request.receiver)? else { return Ok(None) };
    let scopes = Some(request.scopes.as_slice()).filter(|scopes| !scopes.is_empty());
    Ok(shares::revoke(db, server.id, grantee, scopes, Utc::now())?)
}

/// Close a server to everybody
#[utoipa::path(
    delete,
    path = "/shares/{owner}/{server}",
    tag = "shares",
    operation_id = "revoke_shares",
    responses(
        (status = 204, description = "It is"),
        (status = 404, description = "No such server: ada/lab"),
    ),
    extensions(("x-required-scopes" = json!(SHARE))),
)]
pub(super) async fn revoke_all(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.owned();
    caller.require(SHARE, lookup::resource(&key))?;
    let write = move |db: &mut Db| {
        if let Some(server) = opened::server(db, &key)? {
            shares::delete_of_server(db, server)?;
        }
        Ok::<_, Refused>(())
    };
    hub.store.write(write).await?;
    Ok(HttpResponse::NoContent().finish())
}
