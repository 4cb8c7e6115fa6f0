//! Services that come and go at run time (rest-api.md 4.11).
//!
//! Row and proxy route change together: one change at a time, and to its end even if the client goes away meanwhile.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use log::info;

use super::request::{NewClient, NewService};
use super::view;
use crate::actors::permissions;
use crate::domain::access::{AdminFlag, Bearer, Resource, check_held, may_set_admin};
use crate::domain::scope::{Catalogue, ClientOwner, Filter, RawScope};
use crate::domain::token_hash::{self, SUPPLIED_ROUNDS, TokenHash};
use crate::secret::{self, Secret};
use crate::store::Db;
use crate::store::accounts;
use crate::store::oauth::{self, HUB_CLIENT, OAuthClient};
use crate::store::roles::{self, Assigned, Bearer as RoleBearer};
use crate::store::services::{self as rows, Service, ServiceDetails};
use crate::store::tokens::{self, NewToken, TokenOwner, TokenPurpose};
use crate::web::caller::{Caller, Who};
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::Body;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::bodies::ServiceBody;
use crate::web::state::Hub;
use crate::web::views::service::ServiceView;

/// The role that goes with the admin flag.
const ADMIN_ROLE: &str = "admin";
/// The role whose scopes a token has that asks for none.
const TOKEN_ROLE: &str = "token";
/// How long the answer waits for the service to answer; what comes of it changes nothing.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

const ADMINISTER: &[&str] = &["admin:services"];

/// Add a service that runs already
///
/// Its token works at once, and its pages are reached through the proxy. It may do no more than who makes it.
#[utoipa::path(
    post,
    path = "/services/{service}",
    tag = "services",
    operation_id = "create_service",
    request_body(
        content = ServiceBody,
        description = "What it is; at least one member",
        content_type = "application/json",
    ),
    responses(
        (status = 201, description = "The new service", body = ServiceView),
        (status = 400, description = "Can not create managed service web at runtime"),
        (status = 404, description = "No access to resources or resources not found"),
        (status = 409, description = "Service web already exists"),
    ),
    extensions(("x-required-scopes" = json!(ADMINISTER))),
)]
pub(in crate::web::api) async fn create(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.at(1).to_owned();
    caller.require(ADMINISTER, Resource::Service(&name))?;
    let wanted = name.clone();
    if hub.store.read(move |db| rows::find(db, &wanted)).await?.is_some() {
        return Err(exists(&name).into());
    }
    let new = NewService::read(&name, &body, &hub.settings.places, &hub.catalogue)?;
    let requester = Arc::clone(&caller.0);
    let made = actix_web::rt::spawn({
        let hub = hub.clone();
        async move { make(&hub, requester, new).await }
    });
    let details = made.await.map_err(|failed| Refused::internal(&failed))??;
    let definition = &details.service.definition;
    if let Some(url) = &definition.url {
        hub.services.await_answer(&definition.name, url, definition.timeout.min(LONGEST_WAIT)).await;
    }
    Ok(HttpResponse::Created().json(view(&hub, &caller, details)))
}

fn exists(name: &str) -> Refused {
    Refused::conflict(format!("Service {name} already exists"))
}

async fn make(hub: &Hub, requester: Arc<Caller>, new: NewService) -> Result<ServiceDetails, Refused> {
    let _one_at_a_time = hub.services.change().await;
    let (name, url) = (new.definition.name.clone(), new.definition.url.clone());
    let by = requester.name().to_owned();
    let catalogue = Arc::clone(&hub.catalogue);
    let details = hub.store.write(move |db| add(db, &catalogue, &requester, new)).await?;
    info!(service = name.as_str(), by = by.as_str(); "a service was made at run time");
    if let Some(url) = url {
        hub.services.publish(&name, &url).await;
    }
    Ok(details)
}

fn add(
    db: &mut Db,
    catalogue: &Catalogue,
    requester: &Caller,
    new: NewService,
) -> Result<ServiceDetails, Refused> {
    let name = new.definition.name.clone();
    if rows::find(db, &name)?.is_some() {
        return Err(exists(&name));
    }
    check_grant(db, catalogue, requester, &new)?;
    let service = rows::create(db, &new.definition)?;
    if new.definition.admin
        && let Some(role) = roles::find(db, ADMIN_ROLE)?
    {
        roles::grant(db, role.id, RoleBearer::Service(service.id), Assigned::ByHub)?;
    }
    if let Some(token) = &new.token {
        add_token(db, &service, token)?;
    }
    if let Some(client) = &new.client {
        add_client(db, &service, client, new.token.as_ref(), &new.scopes)?;
    }
    let found = rows::find_by_id(db, service.id)?;
    let details = rows::details(db, found.into_iter().collect())?.pop();
    details.ok_or_else(|| Refused::not_found(format!("No such service: {name}")))
}

/// Nobody makes a service that may do more than its maker (RBAC-043, RBAC-047).
///
/// For the scopes of its OAuth client it counts what the requesting user or service may do, as those are limited once
/// more by what each visitor may do. An admin service is more: whoever makes it knows its token. So there the requesting
/// token counts, too.
fn check_grant(
    db: &mut Db,
    catalogue: &Catalogue,
    requester: &Caller,
    new: &NewService,
) -> Result<(), Refused> {
    let name = &new.definition.name;
    let owned = match &requester.who {
        Who::User(user) => permissions::of_user(db, catalogue, user)?,
        Who::Service(service) => permissions::of_service(db, catalogue, service)?,
    };
    let bearer = Bearer {
        owner: crate::domain::scope::Owner::Service(name),
        client: ClientOwner::Hub,
        members: &owned.members,
        catalogue,
    };
    let refused = |field: &str, why: &dyn std::fmt::Display| {
        Refused::bad(format!("Failed to create service {name}: service.{field}: {why}"))
    };
    let own = new.scopes.iter().filter(|scope| is_own_of_each(scope)).count();
    let asked = new.scopes.iter().filter(|scope| !is_own_of_each(scope));
    check_held(asked, &owned.scopes, &bearer)
        .map_err(|missing| refused("oauth_client_allowed_scopes", &missing))?;
    let is_admin = accounts::flag(requester.is_admin());
    if own > 0 && new.definition.oauth_no_confirm && is_admin != AdminFlag::Admin {
        let why =
            "only admins can spare visitors the question whether a service gets what they may do themselves";
        return Err(refused("oauth_no_confirm", &why));
    }
    if !new.definition.admin {
        return Ok(());
    }
    if !may_set_admin(is_admin, AdminFlag::Ordinary, AdminFlag::Admin) {
        return Err(refused("admin", &"only admins can grant admin permissions"));
    }
    let role = roles::find(db, ADMIN_ROLE)?.map(|role| role.scopes).unwrap_or_default();
    let all = RawScope::parse_all(&role, catalogue).map_err(|wrong| Refused::internal(&wrong))?;
    check_held(&all, &requester.scopes, &bearer).map_err(|missing| refused("admin", &missing))
}

/// What each visitor holds as a matter of course: it widens nobody's reach, once the visitor has consented.
fn is_own_of_each(scope: &RawScope) -> bool {
    let shorthand = matches!(scope.filter(), Filter::OwnUser | Filter::OwnServer | Filter::OwnService);
    shorthand || scope.is_inherit() || scope.to_string() == "self"
}

fn add_token(db: &mut Db, service: &Service, token: &Secret) -> Result<(), Refused> {
    let prefix = token_hash::prefix(token.expose());
    let now = Utc::now();
    for known in tokens::candidates(db, prefix, None, now)? {
        if known.hashed.expose().parse::<TokenHash>().is_ok_and(|hash| hash.verify(token.expose())) {
            let name = &service.definition.name;
            let why = "this token is in use; choose another";
            return Err(Refused::bad(format!("Failed to create service {name}: service.api_token: {why}")));
        }
    }
    let new = NewToken {
        hashed: hashed(token)?,
        prefix: prefix.to_owned(),
        owner: TokenOwner::Service(service.id),
        client_id: HUB_CLIENT.to_owned(),
        server_id: None,
        session_id: None,
        created: now,
        expires_at: None,
        note: "given when the service was made".to_owned(),
        scopes: roles::find(db, TOKEN_ROLE)?.map(|role| role.scopes).unwrap_or_default(),
        purpose: TokenPurpose::User,
    };
    tokens::create(db, &new)?;
    Ok(())
}

fn add_client(
    db: &mut Db,
    service: &Service,
    wanted: &NewClient,
    token: Option<&Secret>,
    scopes: &[RawScope],
) -> Result<(), Refused> {
    let name = &service.definition.name;
    let mut allowed: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    allowed.push(format!("access:services!service={name}"));
    let client = OAuthClient {
        identifier: wanted.identifier.clone(),
        description: format!("JupyterHub service {name}"),
        secret_hash: token.map(hashed).transpose()?.unwrap_or_default(),
        redirect_uri: wanted.redirect_uri.clone(),
        allowed_scopes: allowed,
        owner: oauth::ClientOwner::Service(service.id),
    };
    if oauth::find(db, &client.identifier)?.is_some() {
        let why = format!("service.oauth_client_id: `{}` is another service's", client.identifier);
        return Err(Refused::bad(format!("Failed to create service {name}: {why}")));
    }
    oauth::upsert(db, &client)?;
    Ok(rows::set_client(db, service.id, Some(&client.identifier))?)
}

/// A supplied token as it is stored: it may not be random, so many rounds.
fn hashed(token: &Secret) -> Result<Secret, Refused> {
    let salt = secret::hex(&secret::random_bytes::<8>()?);
    let hash =
        TokenHash::new(token.expose(), SUPPLIED_ROUNDS, &salt).map_err(|wrong| Refused::internal(&wrong))?;
    Ok(Secret::new(hash.to_string()))
}

/// Remove a service that was added at run time
#[utoipa::path(
    delete,
    path = "/services/{service}",
    tag = "services",
    operation_id = "delete_service",
    responses(
        (status = 200, description = "The service is gone, and its tokens with it"),
        (status = 404, description = "No such service: web"),
        (status = 405, description = "Service web is not modifiable at runtime"),
    ),
    extensions(("x-required-scopes" = json!(ADMINISTER))),
)]
pub(in crate::web::api) async fn remove(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.at(1).to_owned();
    caller.require(ADMINISTER, Resource::Service(&name))?;
    let by = caller.name().to_owned();
    let removed = actix_web::rt::spawn(async move {
        let _one_at_a_time = hub.services.change().await;
        let gone = name.clone();
        hub.store.write(move |db| delete(db, &gone)).await?;
        info!(service = name.as_str(), by = by.as_str(); "a service was removed");
        hub.services.unpublish(&name).await;
        Ok::<_, Refused>(())
    });
    removed.await.map_err(|failed| Refused::internal(&failed))??;
    Ok(HttpResponse::Ok().finish())
}

fn delete(db: &mut Db, name: &str) -> Result<(), Refused> {
    let service =
        rows::find(db, name)?.ok_or_else(|| Refused::not_found(format!("No such service: {name}")))?;
    if service.definition.from_config {
        let message = format!("Service {name} is not modifiable at runtime");
        return Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, message));
    }
    rows::delete(db, service.id)?;
    Ok(())
}
