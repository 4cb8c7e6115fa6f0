//! Servers that others opened to a user or group (rest-api.md 4.14).

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;

use super::lookup;
use super::shares::views;
use crate::domain::access::Resource;
use crate::domain::names::{GroupName, ServerKey, Username};
use crate::store::shares::{self, GranteeId, Share, ShareFilter};
use crate::store::{Db, servers};
use crate::web::error::{ApiError, Refused};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::pagination::{Pagination, Wrapper};
use crate::web::extract::path::Path;
use crate::web::openapi::parameters::PageParameters;
use crate::web::state::Hub;
use crate::web::views::share::ShareView;

const READ_USERS: &[&str] = &["read:users:shares"];
const LEAVE_USERS: &[&str] = &["users:shares"];
const READ_GROUPS: &[&str] = &["read:groups:shares"];
const LEAVE_GROUPS: &[&str] = &["groups:shares"];

/// Whose shares a path is about: `/users/{user}/shared…` or `/groups/{group}/shared…`.
#[derive(Debug, Clone)]
enum Receiver {
    User(Username),
    Group(GroupName),
}

impl Receiver {
    fn resource(&self) -> Resource<'_> {
        match self {
            Self::User(name) => Resource::User(name.as_str()),
            Self::Group(name) => Resource::Group(name.as_str()),
        }
    }

    fn find(&self, db: &mut Db) -> Result<GranteeId, Refused> {
        Ok(match self {
            Self::User(name) => GranteeId::User(lookup::user(db, name)?.id),
            Self::Group(name) => GranteeId::Group(lookup::group_details(db, name)?.group.id),
        })
    }
}

/// A page of what was opened to a user or group.
async fn list(request: &HttpRequest, receiver: Receiver, hub: &Hub) -> Result<HttpResponse, ApiError> {
    let pages = Pagination::of(request, hub)?;
    let (offset, limit) = (pages.offset, pages.limit);
    let read = move |db: &mut Db| {
        let filter = match receiver.find(db)? {
            GranteeId::User(id) => ShareFilter::User(id),
            GranteeId::Group(id) => ShareFilter::Group(id),
        };
        Ok::<_, Refused>(shares::page(db, filter, Utc::now(), offset, limit)?)
    };
    let page = hub.store.read(read).await?;
    Ok(HttpResponse::Ok().json(pages.wrap(views(hub, page.items), page.total)))
}

/// The share that a path names: one with exactly this user or group.
fn find(db: &mut Db, receiver: &Receiver, key: &ServerKey) -> Result<Share, Refused> {
    let missing = || Refused::not_found(format!("No such share: {}", key.full_name()));
    let grantee = receiver.find(db)?;
    let server = servers::find_by_key(db, key)?.ok_or_else(missing)?;
    shares::find(db, server.id, grantee, Utc::now())?.ok_or_else(missing)
}

async fn show(receiver: Receiver, key: ServerKey, hub: &Hub) -> Result<HttpResponse, ApiError> {
    let share = hub.store.read(move |db| find(db, &receiver, &key)).await?;
    Ok(HttpResponse::Ok().json(ShareView::new(hub, share)))
}

/// Gives the access up.
async fn leave(receiver: Receiver, key: ServerKey, hub: &Hub) -> Result<HttpResponse, ApiError> {
    let write = move |db: &mut Db| {
        let share = find(db, &receiver, &key)?;
        Ok::<_, Refused>(shares::delete(db, share.id)?)
    };
    hub.store.write(write).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List the servers that were opened to a user
///
/// Directly or through a group of the user.
#[utoipa::path(
    get,
    path = "/users/{user}/shared",
    tag = "shares",
    operation_id = "list_shares_with_user",
    params(PageParameters),
    responses(
        (status = 200, description = "A page of shares", body = Wrapper<Vec<ShareView>>),
        (status = 404, description = "No such user: 'ada'"),
    ),
    extensions(("x-required-scopes" = json!(READ_USERS))),
)]
pub(super) async fn list_of_user(
    request: HttpRequest,
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let receiver = Receiver::User(path.user());
    caller.require(READ_USERS, receiver.resource())?;
    list(&request, receiver, &hub).await
}

/// List the servers that were opened to a group
#[utoipa::path(
    get,
    path = "/groups/{group}/shared",
    tag = "shares",
    operation_id = "list_shares_with_group",
    params(PageParameters),
    responses(
        (status = 200, description = "A page of shares", body = Wrapper<Vec<ShareView>>),
        (status = 404, description = "No such group: g"),
    ),
    extensions(("x-required-scopes" = json!(READ_GROUPS))),
)]
pub(super) async fn list_of_group(
    request: HttpRequest,
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let receiver = Receiver::Group(path.group());
    caller.require(READ_GROUPS, receiver.resource())?;
    list(&request, receiver, &hub).await
}

/// Show one server that was opened to a user
///
/// Only what was opened to the user directly, not through a group.
#[utoipa::path(
    get,
    path = "/users/{user}/shared/{owner}/{server}",
    tag = "shares",
    operation_id = "show_share_with_user",
    responses(
        (status = 200, description = "The share", body = ShareView),
        (status = 404, description = "No such share: grace/lab"),
    ),
    extensions(("x-required-scopes" = json!(READ_USERS))),
)]
pub(super) async fn show_of_user(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let receiver = Receiver::User(path.user());
    caller.require(READ_USERS, receiver.resource())?;
    show(receiver, path.shared(), &hub).await
}

/// Show one server that was opened to a group
#[utoipa::path(
    get,
    path = "/groups/{group}/shared/{owner}/{server}",
    tag = "shares",
    operation_id = "show_share_with_group",
    responses(
        (status = 200, description = "The share", body = ShareView),
        (status = 404, description = "No such share: grace/lab"),
    ),
    extensions(("x-required-scopes" = json!(READ_GROUPS))),
)]
pub(super) async fn show_of_group(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let receiver = Receiver::Group(path.group());
    caller.require(READ_GROUPS, receiver.resource())?;
    show(receiver, path.shared(), &hub).await
}

/// Leave a server that was opened to a user
#[utoipa::path(
    delete,
    path = "/users/{user}/shared/{owner}/{server}",
    tag = "shares",
    operation_id = "leave_share_with_user",
    responses(
        (status = 204, description = "The user has the access no longer"),
        (status = 404, description = "No such share: grace/lab"),
    ),
    extensions(("x-required-scopes" = json!(LEAVE_USERS))),
)]
pub(super) async fn leave_of_user(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let receiver = Receiver::User(path.user());
    caller.require(LEAVE_USERS, receiver.resource())?;
    leave(receiver, path.shared(), &hub).await
}

/// Give up a server that was opened to a group
#[utoipa::path(
    delete,
    path = "/groups/{group}/shared/{owner}/{server}",
    tag = "shares",
    operation_id = "leave_share_with_group",
    responses(
        (status = 204, description = "The group has the access no longer"),
        (status = 404, description = "No such share: grace/lab"),
    ),
    extensions(("x-required-scopes" = json!(LEAVE_GROUPS))),
)]
pub(super) async fn leave_of_group(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let receiver = Receiver::Group(path.group());
    caller.require(LEAVE_GROUPS, receiver.resource())?;
    leave(receiver, path.shared(), &hub).await
}
