//! `GET /hub/api/user`: who the caller is (rest-api.md 4.2). Servers and services ask this for every visitor's token.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::lookup;
use crate::domain::access::identity_scopes;
use crate::domain::scope::Scopes;
use crate::store::services;
use crate::web::caller::{Caller, Who};
use crate::web::error::{ApiError, Refused};
use crate::web::extract::caller::{ApiCaller, nobody};
use crate::web::extract::query::Query;
use crate::web::openapi::parameters::StoppedServers;
use crate::web::openapi::shapes::Myself as MyselfSchema;
use crate::web::state::Hub;
use crate::web::views::service::ServiceView;
use crate::web::views::user::{ListedServers, UserView, UserViewer};

#[derive(Serialize)]
struct Myself {
    #[serde(flatten)]
    owner: Owner,
    token_id: Option<String>,
    session_id: Option<String>,
    scopes: Vec<String>,
}

/// A user or service, as far as it is visible.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Owner {
    User(Option<Box<UserView>>),
    Service(Option<Box<ServiceView>>),
}

/// Say whose credentials these are
///
/// Servers and services ask this for every visitor's token. Whoever asks sees at least the own name.
#[utoipa::path(
    get,
    path = "/user",
    tag = "users",
    operation_id = "whoami",
    params(StoppedServers),
    responses(
        (status = 200, description = "The owner of the credentials, and what they permit", body = MyselfSchema),
    ),
    extensions(("x-required-scopes" = json!([]))),
)]
pub(super) async fn show(
    request: HttpRequest,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let listed = ListedServers::asked(&Query::of(&request));
    let owner = describe(&caller, &caller.scopes, &hub, listed).await?;
    let token = caller.token.as_ref();
    Ok(HttpResponse::Ok().json(Myself {
        owner,
        token_id: token.map(|token| format!("a{}", token.id.0)),
        session_id: token.and_then(|token| token.session_id.clone()),
        scopes: caller.scopes.to_strings(),
    }))
}

/// Whose credentials `owner` is, seen with `scopes` and at least with who it is.
pub(super) async fn describe(
    owner: &Caller,
    scopes: &Scopes,
    hub: &Hub,
    listed: ListedServers,
) -> Result<Owner, Refused> {
    let scopes = scopes.clone().union(&identity_scopes(owner.owner(), &hub.catalogue));
    match &owner.who {
        Who::User(user) => {
            let name = user.name.clone();
            let details = hub.store.read(move |db| lookup::user_details(db, &name)).await?;
            Ok(Owner::User(UserViewer::new(hub, &scopes, listed).view(details).map(Box::new)))
        }
        Who::Service(service) => {
            let pid = hub.services.pid(&service.definition.name);
            let service = service.clone();
            let found = hub.store.read(move |db| services::details(db, vec![service])).await?;
            let details = found.into_iter().next().ok_or_else(nobody)?;
            Ok(Owner::Service(ServiceView::new(details, &hub.settings.base_url, pid, &scopes).map(Box::new)))
        }
    }
}
