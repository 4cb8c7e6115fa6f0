//! `DELETE …/server`: stop it, and with `{"remove": true}` remove a named one for good.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use log::{error, warn};

use super::start::empty;
use super::{Found, find, named};
use crate::actors::removal::{self, Removal};
use crate::actors::sign_in::Moment;
use crate::domain::ids::ServerId;
use crate::domain::names::ServerKey;
use crate::domain::server_state::Pending;
use crate::web::api::lookup;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{Body, is_falsy};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::bodies::StopBody;
use crate::web::sign_in;
use crate::web::state::Hub;

const STOP: &[&str] = &["delete:servers"];

/// Longer than any stop may take: its deadline ends it before.
const REMOVAL_PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How often a server that is to be removed is stopped again.
const REMOVALS: usize = 5;

/// Stop a server, and remove a named one for good if that is asked for
///
/// A start under way is ended. Stopping what does not run is no mistake.
#[utoipa::path(
    delete,
    path = "/users/{user}/servers/{server}",
    tag = "servers",
    operation_id = "stop_server",
    request_body(
        content = Option<StopBody>,
        description = "Whether a named server is to be removed",
        content_type = "application/json",
    ),
    responses(
        (status = 204, description = "It does not run"),
        (status = 202, description = "It stops; ask for it until it has"),
        (status = 400, description = "Cannot delete the default server"),
        (status = 404, description = "No such server: ada/lab"),
    ),
    extensions(("x-required-scopes" = json!(STOP))),
)]
pub(in crate::web) async fn stop(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.server();
    caller.require(STOP, lookup::resource(&key))?;
    let found = find(&hub, &key).await?;
    let remove = removal(&hub, &key, &found, &body)?;
    sign_in::check_owner(&hub, &caller, &found.owner, Moment::Stop).await?;
    if let Some(row) = &found.row {
        hub.servers.verify(&key, row).await?;
    }
    let patience = match hub.servers.status(&key).pending {
        Some(Pending::Stop) => Duration::ZERO,
        _ => hub.settings.slow_stop,
    };
    hub.servers.by(&caller.journal_name()).stop(&key).await;
    let stopped = !hub.servers.stopped(&key, patience).await.is_active();
    let done = match remove {
        Some(id) if stopped => removed(&hub, &key, id, patience).await?,
        Some(_) | None => stopped,
    };
    if let (Some(id), false) = (remove, done) {
        remove_later(hub, key, id);
    }
    Ok(if done { HttpResponse::NoContent().finish() } else { empty(StatusCode::ACCEPTED) })
}

/// The row to remove, if that is asked for and possible.
fn removal(hub: &Hub, key: &ServerKey, found: &Found, body: &Body) -> Result<Option<ServerId>, Refused> {
    if !key.server.is_default() {
        named::check_enabled(hub)?;
    }
    if !found.exists(key) {
        return Err(Refused::not_found(format!("{} has no server named '{}'", key.user, key.server)));
    }
    let wanted = body.object_if_any()?.and_then(|mut members| members.remove("remove"));
    if wanted.is_none_or(|value| is_falsy(&value)) {
        return Ok(None);
    }
    if key.server.is_default() {
        return Err(Refused::bad("Cannot delete the default server"));
    }
    Ok(found.row.as_ref().map(|row| row.id))
}

/// Removes the row of a server that has stopped. One that somebody starts in between is stopped again: a removal has the
/// last word. Whether it is gone.
async fn removed(hub: &Hub, key: &ServerKey, id: ServerId, patience: Duration) -> Result<bool, Refused> {
    for _ in 0..REMOVALS {
        let (of, directory) = (key.clone(), hub.servers.directory().clone());
        match hub.store.write(move |db| removal::server(db, &directory, &of, id)).await? {
            Removal::Done => {
                hub.servers.forget(key);
                return Ok(true);
            }
            Removal::Busy => hub.servers.stop(key).await,
        }
        if hub.servers.stopped(key, patience).await.is_active() {
            return Ok(false);
        }
    }
    Ok(false)
}

/// Removes the row once the stop under way is over.
fn remove_later(hub: web::Data<Hub>, key: ServerKey, id: ServerId) {
    actix_web::rt::spawn(async move {
        let mut outcome = Ok(false);
        if !hub.servers.stopped(&key, REMOVAL_PATIENCE).await.is_active() {
            outcome = removed(&hub, &key, id, REMOVAL_PATIENCE).await;
        }
        match outcome {
            Ok(true) => {}
            Ok(false) => {
                warn!(server:? = key; "not removed: it does not stop, or is started again and again")
            }
            Err(refused) => {
                error!(server:? = key, error:% = refused; "a stopped server could not be removed")
            }
        }
    });
}
