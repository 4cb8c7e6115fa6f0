//! Profiles whose starts are paused, because too many failed in a row (ours; the reference ends the hub instead).

use actix_web::{HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::access::Resource;
use crate::domain::failed_starts::{Paused, Profile};
use crate::web::error::ApiError;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::shapes;
use crate::web::state::Hub;
use crate::web::views::stamp::Stamp;

const READ: &[&str] = &["read:hub"];
// what is mended concerns everybody's servers
const FORGET: &[&str] = &["admin:servers"];

/// One pause.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FailingProfile, example = json!({
    "profile": "gpu", "user": null, "failures": 5, "paused_until": "2026-01-02T03:04:05Z",
    "reason": "The server's process ended: exit status 1",
}))]
pub(in crate::web) struct View {
    /// The value of the option `profile`; `default` for starts without it.
    profile: String,
    /// Whose starts are paused; `null` for everybody's.
    user: Option<String>,
    /// How many failed in a row.
    failures: usize,
    /// When the next one is tried.
    #[schema(schema_with = shapes::moment)]
    paused_until: Stamp,
    /// Why the last one failed.
    reason: String,
}

impl View {
    fn new(paused: Paused, now: DateTime<Utc>) -> Self {
        let wait = TimeDelta::from_std(paused.wait).unwrap_or(TimeDelta::MAX);
        Self {
            profile: paused.profile.as_str().to_owned(),
            user: paused.user.map(|user| user.to_string()),
            failures: paused.failures,
            paused_until: Stamp(now.checked_add_signed(wait).unwrap_or(now)),
            reason: paused.reason,
        }
    }
}

/// List profiles whose starts are paused
///
/// After `spawner.consecutive_failure_limit` failures in a row starts of a profile are refused with 503 for a while.
#[utoipa::path(
    get,
    path = "/failing-profiles",
    tag = "servers",
    operation_id = "list_failing_profiles",
    responses(
        (status = 200, description = "The pauses, everybody's first", body = Vec<View>),
    ),
    extensions(("x-required-scopes" = json!(READ))),
)]
pub(super) async fn list(caller: ApiCaller, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    caller.require(READ, Resource::None)?;
    let now = Utc::now();
    let views = hub.servers.attempts().pauses().into_iter().map(|paused| View::new(paused, now));
    Ok(HttpResponse::Ok().json(views.collect::<Vec<_>>()))
}

/// Let a profile start again
///
/// For everybody, and counted anew: what was wrong is mended. One that is not paused may be named, too.
#[utoipa::path(
    delete,
    path = "/failing-profiles/{profile}",
    tag = "servers",
    operation_id = "forget_failing_profile",
    responses(
        (status = 204, description = "It may start"),
    ),
    extensions(("x-required-scopes" = json!(FORGET))),
)]
pub(super) async fn forget(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    caller.require(FORGET, Resource::None)?;
    hub.servers.attempts().forget(&Profile::named(path.at(1)));
    Ok(HttpResponse::NoContent().finish())
}
