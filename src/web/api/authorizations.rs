//! The deprecated ways to ask whose a token or login cookie is (rest-api.md 4.16), and to be let into the servers of
//! others (4.9).

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use chrono::Utc;

use super::whoami::describe;
use crate::domain::access::Resource;
use crate::domain::signed_value;
use crate::web::caller::{Caller, Notice};
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::Body;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::state::Hub;
use crate::web::views::user::ListedServers;

/// `GET /hub/api/authorizations/token/{token}`
pub(super) async fn by_token(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    require_token(&caller)?;
    let owner = hub.caller_by_token(path.at(2)).await?.ok_or_else(|| Refused::not_found("No such token"))?;
    let model = describe(&owner, &caller.scopes, &hub, ListedServers::Active).await?;
    Ok(HttpResponse::Ok().json(model))
}

/// `GET /hub/api/authorizations/cookie/{name}` with the cookie's value as the body, or
/// `GET /hub/api/authorizations/cookie/{name}/{value}`.
pub(super) async fn by_cookie(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    require_token(&caller)?;
    let sent = if path.has(3) { path.at(3).to_owned() } else { body.text() };
    let owner = cookie_owner(&hub, path.at(2), sent.trim()).await?;
    let owner = owner.ok_or_else(|| Refused::not_found("No user has this login cookie"))?;
    Ok(HttpResponse::Ok().json(describe(&owner, &caller.scopes, &hub, ListedServers::Active).await?))
}

async fn cookie_owner(hub: &Hub, name: &str, value: &str) -> Result<Option<Arc<Caller>>, Refused> {
    if name != hub.login_cookie() {
        return Ok(None);
    }
    let settings = &hub.settings;
    let now = Utc::now().timestamp();
    let held = signed_value::verify(&settings.cookie_secret, name, value, now, settings.cookie_max_age);
    let Some(cookie_id) = held.and_then(|id| String::from_utf8(id).ok()) else { return Ok(None) };
    hub.caller_by_cookie(&cookie_id, Notice::Activity).await
}

fn require_token(caller: &Caller) -> Result<(), Refused> {
    match caller.token {
        Some(_) => Ok(()),
        None => Err(Refused::forbidden("Only a token may ask whose credentials these are")),
    }
}

/// `POST /hub/api/users/{user}/admin-access`: this hub has no such switch; the scope `access:servers` says who may enter.
pub(super) async fn admin_access(path: Path, caller: ApiCaller) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    caller.require(&["servers"], Resource::User(name.as_str()))?;
    Err(Refused::forbidden("admin access to user servers disabled").into())
}
