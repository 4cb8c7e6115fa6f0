//! Services (rest-api.md 4.11): those that the configuration names, and those that come and go at run time.

pub(in crate::web) mod change;
mod request;

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::domain::access::Resource;
use crate::store::Db;
use crate::store::services::{self, ServiceDetails};
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::state::Hub;
use crate::web::views::Nothing;
use crate::web::views::service::ServiceView;

pub(super) use change::{create, remove};

const LIST: &[&str] = &["list:services"];
const READ: &[&str] = &["read:services", "read:services:name", "read:roles:services"];

/// List services
///
/// An object, not a page. Holders of a filtered scope see what it reaches.
#[utoipa::path(
    get,
    path = "/services",
    tag = "services",
    operation_id = "list_services",
    responses(
        (status = 200, description = "The services by their names", body = HashMap<String, ServiceView>, content_type = "application/json"),
    ),
    extensions(("x-required-scopes" = json!(LIST))),
)]
pub(super) async fn list(caller: ApiCaller, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    caller.require(LIST, Resource::Listing)?;
    let read = |db: &mut Db| {
        let all = services::list(db)?;
        Ok::<_, Refused>(services::details(db, all)?)
    };
    let rows = hub.store.read(read).await?;
    let listed = rows
        .into_iter()
        .filter(|row| caller.scopes.covers_service("list:services", &row.service.definition.name));
    let views = listed.filter_map(|row| visible(&hub, &caller, row));
    let by_name: BTreeMap<String, ServiceView> = views.map(|view| (view.name().to_owned(), view)).collect();
    Ok(HttpResponse::Ok().json(by_name))
}

/// Show a service
#[utoipa::path(
    get,
    path = "/services/{service}",
    tag = "services",
    operation_id = "show_service",
    responses(
        (status = 200, description = "The service", body = ServiceView),
        (status = 404, description = "No such service: web"),
    ),
    extensions(("x-required-scopes" = json!(READ))),
)]
pub(super) async fn show(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.at(1).to_owned();
    caller.require(READ, Resource::Service(&name))?;
    let missing = Refused::not_found(format!("No such service: {name}"));
    let read = move |db: &mut Db| {
        let found = services::find(db, &name)?;
        Ok::<_, Refused>(services::details(db, found.into_iter().collect())?)
    };
    let details = hub.store.read(read).await?.pop().ok_or_else(|| missing.clone())?;
    let view = visible(&hub, &caller, details).ok_or(missing)?;
    Ok(HttpResponse::Ok().json(view))
}

fn visible(hub: &Hub, caller: &Caller, details: ServiceDetails) -> Option<ServiceView> {
    let pid = hub.services.pid(&details.service.definition.name);
    ServiceView::new(details, &hub.settings.base_url, pid, &caller.scopes)
}

/// A model to which no scope applies is `{}`.
#[derive(Serialize)]
#[serde(untagged)]
enum Model {
    Visible(Box<ServiceView>),
    Invisible(Nothing),
}

fn view(hub: &Hub, caller: &Caller, details: ServiceDetails) -> Model {
    visible(hub, caller, details).map_or(Model::Invisible(Nothing), |view| Model::Visible(Box::new(view)))
}
