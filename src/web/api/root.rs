//! What the hub says about itself (rest-api.md 4.1).

use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::json;

use crate::domain::access::Resource;
use crate::web::error::ApiError;
use crate::web::extract::caller::ApiCaller;
use crate::web::state::Hub;

/// The version of the contract, which clients compare with theirs; our own is in `GET /info`.
const CONTRACT_VERSION: &str = "6.1.1";

/// `GET /hub/api`: any site may ask.
pub(super) async fn version() -> HttpResponse {
    let anyone = (ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    HttpResponse::Ok().insert_header(anyone).json(json!({ "version": CONTRACT_VERSION }))
}

/// `GET /hub/api/health`
pub(super) async fn health() -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/html; charset=UTF-8")).finish()
}

#[derive(Serialize)]
struct Info<'a> {
    version: &'static str,
    orrery: &'static str,
    python: &'static str,
    sys_executable: String,
    spawner: Part<'a>,
    authenticator: Part<'a>,
}

#[derive(Serialize)]
struct Part<'a> {
    class: &'a str,
    version: &'static str,
}

/// `GET /hub/api/info`
pub(super) async fn info(caller: ApiCaller, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    caller.require(&["read:hub"], Resource::None)?;
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
