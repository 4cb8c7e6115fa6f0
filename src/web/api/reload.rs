//! `GET` and `POST /reload` (ours; the reference has to be started anew): what a reload would change, and the reload.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::access::Resource;
use crate::domain::reload::{Change, Outcome, ReloadReport};
use crate::web::error::ApiError;
use crate::web::extract::body::Body;
use crate::web::extract::caller::ApiCaller;
use crate::web::openapi::bodies::Properties;
use crate::web::openapi::shapes;
use crate::web::state::Hub;

/// A key with another value than before.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Change, example = json!({ "key": "hub.limits.active_servers", "before": 100, "after": 200 }))]
pub(in crate::web) struct ChangeView {
    /// The key.
    key: String,
    /// What the hub went by so far; null for nothing. Secrets are `***` on both sides.
    #[schema(value_type = Value)]
    before: Value,
    /// What the configuration says now.
    #[schema(value_type = Value)]
    after: Value,
}

/// What came of reading the configuration again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReloadReport)]
pub(in crate::web) struct ReportView {
    /// `applied` if something changed, or would change, that needs no restart.
    #[schema(schema_with = shapes::reload_outcome)]
    outcome: &'static str,
    /// What changed and is in force; of a preview, what would be.
    applied: Vec<ChangeView>,
    /// What changed and comes into force when the hub is started anew.
    needs_restart: Vec<ChangeView>,
    /// What is doubtful.
    warnings: Vec<String>,
    /// The files that were read, in order.
    files: Vec<String>,
}

fn shown(changes: Vec<Change>) -> Vec<ChangeView> {
    let shown = changes.into_iter().map(|Change { key, before, after }| ChangeView { key, before, after });
    shown.collect()
}

const RELOAD: &[&str] = &["shutdown"];

/// Tell what a reload would change
///
/// The answer that `POST /reload` would have now: `applied` is what would come into force. All files are read and
/// validated; nothing is changed, and secrets are `***` as they are there.
#[utoipa::path(
    get,
    path = "/reload",
    tag = "hub",
    operation_id = "preview_reload",
    responses(
        (status = 200, description = "What would change", body = ReportView),
        (status = 409, description = "The configuration is wrong; nothing was changed: orrery.toml: `hub.port`: …"),
    ),
    extensions(("x-required-scopes" = json!(RELOAD))),
)]
pub(super) async fn preview(caller: ApiCaller, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    caller.require(RELOAD, Resource::None)?;
    Ok(answer(hub.reloader.preview(&caller.journal_name()).await?))
}

/// Read the configuration again
///
/// All of it is validated; then what can change while the hub runs comes into force, or nothing is changed.
// For those who may end the hub: no scope of the reference fits better, and one of our own would be in no existing role.
#[utoipa::path(
    post,
    path = "/reload",
    tag = "hub",
    operation_id = "reload",
    request_body(
        content = Option<Properties>,
        description = "Nothing; an object has no meaning",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "What changed", body = ReportView),
        (status = 409, description = "The configuration is wrong; nothing was changed: orrery.toml: `hub.port`: …"),
    ),
    extensions(("x-required-scopes" = json!(RELOAD))),
)]
pub(in crate::web) async fn reload(
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    caller.require(RELOAD, Resource::None)?;
    body.object_if_any()?;
    Ok(answer(hub.reloader.reload(&caller.journal_name()).await?))
}

fn answer(report: ReloadReport) -> HttpResponse {
    if report.outcome == Outcome::Refused {
        let status = StatusCode::CONFLICT;
        let message =
            format!("The configuration is wrong; nothing was changed: {}", report.problems.join("; "));
        return HttpResponse::build(status).json(json!({
            "status": status.as_u16(),
            "message": message,
            "outcome": report.outcome,
            "problems": report.problems,
        }));
    }
    HttpResponse::Ok().json(ReportView {
        outcome: report.outcome.as_str(),
        applied: shown(report.applied),
        needs_restart: shown(report.needs_restart),
        warnings: report.warnings,
        files: report.files,
    })
}
