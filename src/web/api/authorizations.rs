//! The deprecated way to ask whose a token is (rest-api.md 4.16).

use actix_web::{HttpResponse, web};

use super::whoami::describe;
use crate::web::error::{ApiError, Refused};
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
    if caller.token.is_none() {
        return Err(Refused::forbidden("Only a token may ask for a token's owner").into());
    }
    let owner = hub.caller_by_token(path.at(2)).await?.ok_or_else(|| Refused::not_found("No such token"))?;
    let model = describe(&owner, &caller.scopes, &hub, ListedServers::Active).await?;
    Ok(HttpResponse::Ok().json(model))
}
