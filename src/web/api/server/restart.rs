//! `POST …/server/restart`: run it anew. The reference has no such request: clients stop, wait and start.

use actix_web::{HttpResponse, web};

use super::find;
use super::start::answer;
use crate::actors::server::Identity;
use crate::actors::sign_in::Moment;
use crate::web::api::lookup;
use crate::web::choice;
use crate::web::error::ApiError;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::sign_in;
use crate::web::state::Hub;

/// Both to stop and to start.
const RESTART: &[&str] = &["servers"];

/// Restart a server
///
/// Right in every state: one that runs or stops starts again once it has stopped, one that does not run starts, one that
/// is starting goes on. It starts with the options of the last time.
#[utoipa::path(
    post,
    path = "/users/{user}/servers/{server}/restart",
    tag = "servers",
    operation_id = "restart_server",
    responses(
        (status = 201, description = "It is ready"),
        (status = 202, description = "It stops or starts; the progress stream says how far it got"),
        (status = 400, description = "Choose one of the profiles that there are for you: small, medium."),
        (status = 404, description = "No such server: ada/lab"),
        (status = 409, description = "The server was stopped while it was starting"),
        (status = 429, description = "Too many servers are starting right now. Try again in 60 seconds."),
        (status = 500, description = "The server didn't answer in 20 seconds"),
        (status = 503, description = "Starts of the profile are paused, since the last ones failed"),
    ),
    extensions(("x-required-scopes" = json!(RESTART))),
)]
pub(in crate::web::api) async fn restart(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.server();
    caller.require(RESTART, lookup::resource(&key))?;
    let found = find(&hub, &key).await?;
    // before the stop: a server that could not be started again is left alone
    hub.require_open()?;
    let last = found.row.as_ref().and_then(|row| row.user_options.as_ref());
    choice::settled(&hub, None, last, &found.groups)?;
    for moment in [Moment::Stop, Moment::Spawn] {
        sign_in::check_owner(&hub, &caller, &found.owner, moment).await?;
    }
    let asked = key.clone();
    let row = hub.store.write(move |db| lookup::existing_server(db, &asked)).await?;
    let servers = hub.servers.by(&caller.journal_name());
    servers.restart(Identity { id: row.id, user_id: row.user_id, key: key.clone() }).await?;
    Ok(answer(&hub.servers.settled(&key, hub.settings.slow_spawn).await)?)
}
