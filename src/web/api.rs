//! The REST API (rest-api.md): one file for each resource, one table of paths.
//!
//! A handler takes what it needs by type, checks scopes before it looks anything up, does one store call or asks the
//! actors, and shows a view. The order of refusals is that of rest-api.md 1.3.

pub(super) mod activity;
pub(super) mod authorizations;
pub(super) mod failing_profiles;
mod gains;
pub(super) mod group;
pub(super) mod groups;
pub(super) mod journal;
mod lookup;
pub(super) mod messages;
pub(super) mod notices;
mod opened;
pub(super) mod progress;
pub(super) mod proxy;
pub(super) mod received;
pub(super) mod reload;
pub(super) mod revoke;
pub(super) mod root;
pub(super) mod server;
pub(super) mod services;
pub(super) mod share_codes;
pub(super) mod shares;
pub(super) mod shutdown;
mod table;
pub(super) mod tokens;
pub(super) mod user;
pub(super) mod users;
pub(super) mod whoami;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{DefaultHeaders, Next, from_fn};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, web};

use self::table::{Table, at, with_and_without_slash};
use super::error::{ApiError, Refused};
use super::extract::caller::{Anybody, NewCookies};
use super::openapi;
use super::state::Hub;
use super::visit::add_cookies;

/// Adds everything below `{hub prefix}api`, except for what was added for more specific paths before.
pub fn configure(hub: &Hub, table: &mut web::ServiceConfig) {
    let report = &hub.settings.csp_report_uri;
    let policy = format!("frame-ancestors 'none'; report-uri {report}; default-src 'none'");
    let scope = web::scope(&hub.path("api"))
        .wrap(from_fn(send_new_cookies))
        .wrap(DefaultHeaders::new().add((CONTENT_SECURITY_POLICY, policy)))
        .default_service(web::to(no_such_path));
    let rows = whole_table().0.into_iter();
    table.service(rows.fold(scope, |scope, row| scope.service(row.into_resource())));
}

/// Every path and method of the REST API but those that are pages. A last segment `{server:[^/]*}` may be empty: the
/// default server.
fn whole_table() -> Table {
    let mut table = Table::default();
    hub_resources(&mut table);
    user_resources(&mut table);
    server_resources(&mut table);
    group_resources(&mut table);
    share_resources(&mut table);
    table
}

/// What the table has, as documents write it: methods in lower case and paths below `{hub prefix}api`.
#[must_use]
pub fn operations() -> Vec<(String, String)> {
    let rows = whole_table().0;
    let of_row = |row: &table::Row| {
        let methods = row.methods().iter().map(|method| method.as_str().to_lowercase());
        methods.map(|method| (method, row.path())).collect::<Vec<_>>()
    };
    rows.iter().flat_map(of_row).collect()
}

fn hub_resources(table: &mut Table) {
    table
        .service(with_and_without_slash("/").get(root::version))
        .service(at("/health").get(root::health).head(root::health))
        .service(at("/info").get(root::info))
        .service(at("/shutdown").post(shutdown::shutdown))
        .service(at("/journal").get(journal::list))
        .service(at("/reload").get(reload::preview).post(reload::reload))
        .service(
            at("/maintenance")
                .get(notices::show_maintenance)
                .post(notices::begin_maintenance)
                .delete(notices::end_maintenance),
        )
        .service(
            at("/announcement")
                .get(notices::show_announcement)
                .post(notices::announce)
                .delete(notices::withdraw_announcement),
        )
        .service(at("/user").get(whoami::show))
        .service(at("/services").get(services::list))
        .service(
            at("/services/{service}").get(services::show).post(services::create).delete(services::remove),
        )
        .service(at("/proxy").get(proxy::list).post(proxy::synchronise).patch(proxy::change))
        .service(at("/authorizations/token/{token}").get(authorizations::by_token))
        .service(at("/authorizations/cookie/{name}").get(authorizations::by_cookie_in_body))
        .service(at("/authorizations/cookie/{name}/{value}").get(authorizations::by_cookie))
        .service(at("/failing-profiles").get(failing_profiles::list))
        .service(at("/failing-profiles/{profile}").delete(failing_profiles::forget))
        .service(at("/openapi.json").get(openapi::document));
}

fn user_resources(table: &mut Table) {
    table
        .service(at("/users").get(users::list).post(users::create))
        .service(
            at("/users/{user}").get(user::show).post(user::create).patch(user::change).delete(user::remove),
        )
        .service(at("/users/{user}/activity").post(activity::report))
        .service(at("/users/{user}/admin-access").post(authorizations::admin_access))
        .service(at("/users/{user}/messages").get(messages::list).post(messages::send))
        .service(at("/users/{user}/messages/{id:[^/]*}").delete(messages::delete))
        .service(at("/users/{user}/revoke").post(revoke::revoke))
        .service(at("/users/{user}/tokens").get(tokens::list).post(tokens::create))
        .service(at("/users/{user}/tokens/{id:[^/]*}").get(tokens::show).delete(tokens::revoke));
}

fn server_resources(table: &mut Table) {
    let server = |path| {
        let row = at(path).get(server::show).put(server::create).post(server::start);
        row.patch(server::change).delete(server::stop)
    };
    table
        .service(at("/users/{user}/server/progress").get(progress::stream))
        .service(at("/users/{user}/servers/{server:[^/]*}/progress").get(progress::stream))
        .service(at("/users/{user}/server/restart").post(server::restart))
        .service(at("/users/{user}/servers/{server:[^/]*}/restart").post(server::restart))
        .service(at("/users/{user}/server/keep").post(server::keep).delete(server::release))
        .service(at("/users/{user}/servers/{server:[^/]*}/keep").post(server::keep).delete(server::release))
        .service(server("/users/{user}/server"))
        .service(server("/users/{user}/servers/{server:[^/]*}"));
}

fn group_resources(table: &mut Table) {
    table
        .service(at("/groups").get(groups::list).post(groups::create))
        .service(at("/groups/{group}").get(group::show).post(group::create).delete(group::remove))
        .service(at("/groups/{group}/users").post(group::add_users).delete(group::remove_users))
        .service(at("/groups/{group}/properties").put(group::set_properties));
}

fn share_resources(table: &mut Table) {
    let shares = at("/shares/{owner}/{server:[^/]*}").get(shares::list).post(shares::grant);
    let codes = at("/share-codes/{owner}/{server:[^/]*}").get(share_codes::list).post(share_codes::create);
    table
        .service(at("/shares/{owner}").get(shares::list))
        .service(shares.patch(shares::revoke).delete(shares::revoke_all))
        .service(at("/share-codes/{owner}").get(share_codes::list))
        .service(codes.delete(share_codes::delete))
        .service(at("/users/{user}/shared").get(received::list_of_user))
        .service(at("/groups/{group}/shared").get(received::list_of_group))
        .service(
            at("/users/{user}/shared/{owner}/{server:[^/]*}")
                .get(received::show_of_user)
                .delete(received::leave_of_user),
        )
        .service(
            at("/groups/{group}/shared/{owner}/{server:[^/]*}")
                .get(received::show_of_group)
                .delete(received::leave_of_group),
        );
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
pub(super) async fn other_method(
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
