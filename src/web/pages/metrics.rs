//! `metrics`: what the hub counts, for Prometheus (observability.md 1).

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, web};
use log::warn;

use crate::store::users;
use crate::web::error::{ApiError, PageError, Refused};
use crate::web::extract::caller::Anybody;
use crate::web::state::Hub;

/// As the reference's client library says it.
const TEXT: &str = "text/plain; version=1.0.0; charset=utf-8";

/// The scope; any filter of it will do (RBAC-048).
const SCOPE: &str = "read:metrics";

/// `GET metrics`, `GET api/metrics`.
///
/// # Errors
/// 403, as a page, for whoever lacks the scope, unless the numbers are open to everyone.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "hub",
    operation_id = "metrics",
    summary = "Show what the hub counts, for Prometheus",
    description = "Open to everybody where `metrics.authenticate` is off. A filter of the scope does not matter.",
    responses(
        (status = 200, description = "The numbers", content_type = "text/plain; version=1.0.0; charset=utf-8", body = String),
        (status = 403, description = "A page: the scope is missing", content_type = "text/html", body = String),
    ),
    extensions(("x-required-scopes" = json!([SCOPE]))),
)]
pub async fn show(hub: web::Data<Hub>, caller: Result<Anybody, ApiError>) -> Result<HttpResponse, PageError> {
    if hub.settings.metrics_authenticate {
        let Anybody(caller) = caller.map_err(|ApiError(refused)| PageError::Refused(refused))?;
        if !caller.is_some_and(|caller| caller.scopes.has_base(SCOPE)) {
            let message = format!("Action is not authorized with current scopes; requires any of [{SCOPE}]");
            return Err(Refused::forbidden(message).into());
        }
    }
    hub.metrics.set_running_servers(hub.servers.directory().select(|status| status.ready).len());
    match hub.store.read(users::count).await {
        Ok(count) => hub.metrics.set_total_users(count),
        // the other numbers matter most when the database is away
        Err(failed) => warn!(error:% = failed; "users could not be counted"),
    }
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, TEXT)).body(hub.metrics.text()))
}
