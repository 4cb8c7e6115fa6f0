//! The deprecated ways to ask whose a token or login cookie is (rest-api.md 4.16), and to be let into the servers of
//! others (4.9).

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use super::whoami::describe;
use crate::domain::access::Resource;
use crate::web::caller::{Caller, Notice};
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::Body;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::shapes::AnyOwner;
use crate::web::state::Hub;
use crate::web::views::user::ListedServers;
use crate::web::visit::signed_login;

const ADMIN_ACCESS: &[&str] = &["servers"];

/// Say whose token this is
///
/// Only for who is authenticated by a token. `GET /user` with the token is the better way.
#[utoipa::path(
    get,
    path = "/authorizations/token/{token}",
    tag = "users",
    operation_id = "owner_of_token",
    responses(
        (status = 200, description = "The owner, as far as the caller may see", body = AnyOwner),
        (status = 403, description = "Only a token may ask for a token's owner"),
        (status = 404, description = "No such token"),
    ),
    extensions(("x-required-scopes" = json!([]))),
)]
pub(super) async fn by_token(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    require_token(&caller)?;
    let owner = hub
        .caller_by_token(path.at(2), Notice::Activity)
        .await?
        .ok_or_else(|| Refused::not_found("No such token"))?;
    let model = describe(&owner, &caller.scopes, &hub, ListedServers::Active).await?;
    Ok(HttpResponse::Ok().json(model))
}

/// Say whose login cookie this is
///
/// Only for who is authenticated by a token.
#[utoipa::path(
    get,
    path = "/authorizations/cookie/{name}/{value}",
    tag = "users",
    operation_id = "owner_of_cookie",
    responses(
        (status = 200, description = "The owner, as far as the caller may see", body = AnyOwner),
        (status = 403, description = "Only a token may ask whose credentials these are"),
        (status = 404, description = "No user has this login cookie"),
    ),
    extensions(("x-required-scopes" = json!([]))),
)]
pub(super) async fn by_cookie(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    require_token(&caller)?;
    show_owner(&hub, &caller, path.at(2), path.at(3)).await
}

/// Say whose login cookie this is, with the cookie's value as the body
///
/// Only for who is authenticated by a token.
#[utoipa::path(
    get,
    path = "/authorizations/cookie/{name}",
    tag = "users",
    operation_id = "owner_of_cookie_in_body",
    responses(
        (status = 200, description = "The owner, as far as the caller may see", body = AnyOwner),
        (status = 403, description = "Only a token may ask whose credentials these are"),
        (status = 404, description = "No user has this login cookie"),
        (status = 413, description = "The body of the request is larger than 8388608 bytes"),
    ),
    extensions(("x-required-scopes" = json!([]))),
)]
pub(super) async fn by_cookie_in_body(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    require_token(&caller)?;
    show_owner(&hub, &caller, path.at(2), body.text().trim()).await
}

async fn show_owner(hub: &Hub, caller: &Caller, name: &str, value: &str) -> Result<HttpResponse, ApiError> {
    let owner = cookie_owner(hub, name, value.trim()).await?;
    let owner = owner.ok_or_else(|| Refused::not_found("No user has this login cookie"))?;
    Ok(HttpResponse::Ok().json(describe(&owner, &caller.scopes, hub, ListedServers::Active).await?))
}

async fn cookie_owner(hub: &Hub, name: &str, value: &str) -> Result<Option<Arc<Caller>>, Refused> {
    if name != hub.login_cookie() {
        return Ok(None);
    }
    match signed_login(hub, value) {
        Some(signed) => hub.caller_by_login(&signed.login, Notice::Activity).await,
        None => Ok(None),
    }
}

fn require_token(caller: &Caller) -> Result<(), Refused> {
    match caller.token {
        Some(_) => Ok(()),
        None => Err(Refused::forbidden("Only a token may ask whose credentials these are")),
    }
}

/// Be let into the servers of a user
///
/// Deprecated: this hub has no such switch; the scope `access:servers` says who may enter.
#[utoipa::path(
    post,
    path = "/users/{user}/admin-access",
    tag = "users",
    operation_id = "admin_access",
    responses(
        (status = 403, description = "admin access to user servers disabled"),
        (status = 404, description = "No access to resources or resources not found"),
    ),
    extensions(("x-required-scopes" = json!(ADMIN_ACCESS))),
)]
pub(super) async fn admin_access(path: Path, caller: ApiCaller) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    caller.require(ADMIN_ACCESS, Resource::User(name.as_str()))?;
    Err(Refused::forbidden("admin access to user servers disabled").into())
}
