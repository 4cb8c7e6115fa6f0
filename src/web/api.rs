//! The REST API (rest-api.md): one file for each resource, one table of paths.
//!
//! A handler takes what it needs by type, checks scopes before it looks anything up, does one store call or asks the
//! actors, and shows a view. The order of refusals is that of rest-api.md 1.3.

mod activity;
mod authorizations;
mod gains;
mod group;
mod groups;
mod journal;
mod lookup;
mod opened;
mod progress;
mod proxy;
mod received;
mod revoke;
mod root;
mod server;
mod services;
mod share_codes;
mod shares;
mod shutdown;
mod tokens;
mod user;
mod users;
mod whoami;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{DefaultHeaders, Next, from_fn};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, Resource, web};

use super::error::{ApiError, Refused};
use super::extract::caller::{Anybody, NewCookies};
use super::state::Hub;
use super::visit::add_cookies;

/// A last segment that may be empty: the default server.
const SERVER: &str = "{server:[^/]*}";

/// Adds everything below `{hub prefix}api`, except for what was added for more specific paths before.
pub fn configure(hub: &Hub, table: &mut web::ServiceConfig) {
    let report = &hub.settings.csp_report_uri;
    let policy = format!("frame-ancestors 'none'; report-uri {report}; default-src 'none'");
    let scope = web::scope(&hub.path("api"))
        .wrap(from_fn(send_new_cookies))
        .wrap(DefaultHeaders::new().add((CONTENT_SECURITY_POLICY, policy)))
        .configure(hub_resources)
        .configure(user_resources)
        .configure(server_resources)
        .configure(group_resources)
        .configure(share_resources)
        .default_service(web::to(no_such_path));
    table.service(scope);
}

fn hub_resources(table: &mut web::ServiceConfig) {
    table
        .service(web::resource(["", "/"]).get(root::version).default_service(web::to(other_method)))
        .service(at("/health").get(root::health).head(root::health))
        .service(at("/info").get(root::info))
        .service(at("/shutdown").post(shutdown::shutdown))
        .service(at("/journal").get(journal::list))
        .service(at("/user").get(whoami::show))
        .service(at("/services").get(services::list))
        .service(
            at("/services/{service}").get(services::show).post(services::create).delete(services::remove),
        )
        .service(at("/proxy").get(proxy::list).post(proxy::synchronise).patch(proxy::change))
        .service(at("/authorizations/token/{token}").get(authorizations::by_token))
        .service(at("/authorizations/cookie/{name}").get(authorizations::by_cookie))
        .service(at("/authorizations/cookie/{name}/{value}").get(authorizations::by_cookie));
}

fn user_resources(table: &mut web::ServiceConfig) {
    table
        .service(at("/users").get(users::list).post(users::create))
        .service(
            at("/users/{user}").get(user::show).post(user::create).patch(user::change).delete(user::remove),
        )
        .service(at("/users/{user}/activity").post(activity::report))
        .service(at("/users/{user}/admin-access").post(authorizations::admin_access))
        .service(at("/users/{user}/revoke").post(revoke::revoke))
        .service(at("/users/{user}/tokens").get(tokens::list).post(tokens::create))
        .service(at("/users/{user}/tokens/{id:[^/]*}").get(tokens::show).delete(tokens::revoke));
}

fn server_resources(table: &mut web::ServiceConfig) {
    let server = |path: &str| {
        let resource = at(path).get(server::show).put(server::create).post(server::start);
        resource.patch(server::change).delete(server::stop)
    };
    table
        .service(at("/users/{user}/server/progress").get(progress::stream))
        .service(at(&format!("/users/{{user}}/servers/{SERVER}/progress")).get(progress::stream))
        .service(server("/users/{user}/server"))
        .service(server(&format!("/users/{{user}}/servers/{SERVER}")));
}

fn group_resources(table: &mut web::ServiceConfig) {
    table
        .service(at("/groups").get(groups::list).post(groups::create))
        .service(at("/groups/{group}").get(group::show).post(group::create).delete(group::remove))
        .service(at("/groups/{group}/users").post(group::add_users).delete(group::remove_users))
        .service(at("/groups/{group}/properties").put(group::set_properties));
}

fn share_resources(table: &mut web::ServiceConfig) {
    let shares = at(&format!("/shares/{{owner}}/{SERVER}")).get(shares::list).post(shares::grant);
    let codes =
        at(&format!("/share-codes/{{owner}}/{SERVER}")).get(share_codes::list).post(share_codes::create);
    let received =
        |path: &str| at(&format!("{path}/{{owner}}/{SERVER}")).get(received::show).delete(received::leave);
    table
        .service(at("/shares/{owner}").get(shares::list))
        .service(shares.patch(shares::revoke).delete(shares::revoke_all))
        .service(at("/share-codes/{owner}").get(share_codes::list))
        .service(codes.delete(share_codes::delete))
        .service(at("/users/{user}/shared").get(received::list))
        .service(at("/groups/{group}/shared").get(received::list))
        .service(received("/users/{user}/shared"))
        .service(received("/groups/{group}/shared"));
}

/// A resource that answers other methods than its own with 405.
fn at(path: &str) -> Resource {
    web::resource(path).default_service(web::to(other_method))
}

async fn send_new_cookies<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let cookies = response.request().extensions_mut().remove::<NewCookies>();
    if let Some(NewCookies(lines)) = cookies {
        add_cookies(response.headers_mut(), lines);
    }
    Ok(response)
}

async fn no_such_path() -> Result<HttpResponse, ApiError> {
    Err(Refused::not_found("There is no such API path").into())
}

/// Who asks is found out first: a browser without its XSRF token learns nothing more.
async fn other_method(
    request: HttpRequest,
    caller: Result<Anybody, ApiError>,
) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).finish());
    }
    caller?;
    let message = format!("{} is not a method of this path", request.method());
    Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, message).into())
}
