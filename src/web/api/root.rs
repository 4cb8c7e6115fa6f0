//! What the hub says about itself (rest-api.md 4.1).

use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::domain::access::Resource;
use crate::web::error::ApiError;
use crate::web::extract::caller::ApiCaller;
use crate::web::openapi::shapes::Version;
use crate::web::state::Hub;

const INFO: &[&str] = &["read:hub"];

/// The version of the contract, which clients compare with theirs; our own is in `GET /info`.
const CONTRACT_VERSION: &str = "6.1.1";

/// Say which version of the contract this hub keeps
///
/// Any site may ask.
#[utoipa::path(
    get,
    path = "/",
    tag = "hub",
    operation_id = "version",
    responses(
        (status = 200, description = "The version of JupyterHub that clients may take this hub for", body = Version),
    ),
    security(()),
)]
pub(super) async fn version() -> HttpResponse {
    let anyone = (ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    HttpResponse::Ok().insert_header(anyone).json(json!({ "version": CONTRACT_VERSION }))
}

/// Say that the hub answers
#[utoipa::path(
    method(get, head),
    path = "/health",
    tag = "hub",
    operation_id = "health",
    responses(
        (status = 200, description = "It does"),
    ),
    security(()),
)]
pub(super) async fn health() -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/html; charset=UTF-8")).finish()
}

#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "version": "6.1.1", "orrery": "0.1.0", "python": "none: this hub is not written in Python",
    "sys_executable": "/usr/bin/orrery", "spawner": {"class": "local", "version": "0.1.0"},
    "authenticator": {"class": "pam", "version": "0.1.0"},
}))]
pub(in crate::web) struct Info<'a> {
    /// The contract's version.
    version: &'static str,
    /// The hub's own version.
    orrery: &'static str,
    /// For clients that print it.
    python: &'static str,
    /// The hub's program.
    sys_executable: String,
    /// What starts servers.
    spawner: Part<'a>,
    /// What signs people in.
    authenticator: Part<'a>,
}

#[derive(Serialize, ToSchema)]
struct Part<'a> {
    /// Its kind.
    class: &'a str,
    /// Its version.
    version: &'static str,
}

/// Describe the hub
#[utoipa::path(
    get,
    path = "/info",
    tag = "hub",
    operation_id = "info",
    responses(
        (status = 200, description = "Versions, and what starts servers and signs people in", body = Info),
    ),
    extensions(("x-required-scopes" = json!(INFO))),
)]
pub(super) async fn info(caller: ApiCaller, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    caller.require(INFO, Resource::None)?;
    let kinds = &hub.settings.kinds;
    let orrery = env!("CARGO_PKG_VERSION");
    let program = std::env::current_exe().map(|path| path.to_string_lossy().into_owned());
    Ok(HttpResponse::Ok().json(Info {
        version: CONTRACT_VERSION,
        orrery,
        python: "none: this hub is not written in Python",
        sys_executable: program.unwrap_or_default(),
        spawner: Part { class: &kinds.spawner, version: orrery },
        authenticator: Part { class: &kinds.authenticator, version: orrery },
    }))
}
