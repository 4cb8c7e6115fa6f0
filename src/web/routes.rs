//! The one table of every path, in the order of pages.md 1.
//!
//! `GET` does not imply `HEAD`: a page answers 405 to methods that it has not, and writing without an XSRF token is 403
//! before it is anything else.

use actix_web::guard::{self, Guard};
use actix_web::middleware::from_fn;
use actix_web::web::{ServiceConfig, delete, get, patch, post, resource, route, scope, to};
use actix_web::{Resource, Route};

use super::pages::{
    accept_share, account, admin, errors, home, keep, language, login, logout, messages, metrics, own_host,
    ready, redirects, root, sharing, small, spawn, spawn_pending, start, stop, stopped, token, user_redirect,
};
use super::state::Hub;
use super::{api, headers, oauth, openapi, static_files};

/// Fills in the table.
pub fn configure(hub: &Hub, table: &mut ServiceConfig) {
    let (base, prefix) = (hub.settings.base_url.as_str(), hub.settings.hub_prefix.as_str());
    let at = |path: &str| format!("{prefix}{path}");
    let page = |path: &str| resource(at(path)).default_service(to(errors::wrong_method));
    table
        // pages hold tokens and are sent as they are (BREACH); files hold no secret
        .service(file(at("static/{path:.*}")).route(read().to(static_files::file)))
        .service(file("/favicon.ico".to_owned()).route(read().to(static_files::favicon)))
        .service(file(at("favicon.ico")).route(read().to(static_files::favicon)))
        .service(file("/robots.txt".to_owned()).route(read().to(static_files::robots)))
        .service(file(at("logo")).route(read().to(static_files::logo)))
        .service(page("health").route(read().to(small::health)))
        .service(page("health/ready").route(read().to(ready::show)));
    let pages = scope("")
        .wrap(from_fn(own_host::insist))
        .wrap(from_fn(errors::render_faults))
        .wrap(from_fn(headers::add))
        .service(page("").route(get().to(root::show)))
        .service(page("login").route(get().to(login::show)).route(post().to(login::submit)))
        .service(page("logout").route(get().to(logout::show)))
        .service(page("language").route(post().to(language::submit)))
        .service(page("home").route(get().to(home::show)))
        .service(page("home/servers").route(get().to(home::list)))
        .service(page("home/events").route(get().to(home::events)))
        .service(page("home/messages/{id}").route(post().to(messages::dismiss)))
        .service(page("token").route(get().to(token::show)).route(post().to(token::create)))
        .service(page("token/revoke").route(post().to(token::revoke)))
        .service(page("account").route(get().to(account::show)))
        .service(page("account/sessions/end").route(post().to(account::end_one)))
        .service(page("account/sessions/end-others").route(post().to(account::end_others)))
        .service(page("account/sign-out").route(post().to(account::sign_out)))
        .configure(|table| admin_pages(table, &page))
        .service(
            page("accept-share").route(get().to(accept_share::show)).route(post().to(accept_share::submit)),
        )
        .service(page("sharing").route(get().to(sharing::show)).route(post().to(sharing::submit)))
        .service(page("sharing/revoke").route(post().to(sharing::revoke)))
        .service(starts(page("spawn")))
        .service(starts(page("spawn/{user}")))
        .service(starts(page("spawn/{user}/{server}")))
        .service(page("spawn-pending/{user}").route(get().to(spawn_pending::show)))
        .service(page("spawn-pending/{user}/{server}").route(get().to(spawn_pending::show)))
        .service(page("start/{user}").route(post().to(start::submit)))
        .service(page("start/{user}/{server}").route(post().to(start::submit)))
        .service(restarts(page("restart/{user}")))
        .service(restarts(page("restart/{user}/{server}")))
        .service(page("stop/{user}").route(post().to(stop::submit)))
        .service(page("stop/{user}/{server}").route(post().to(stop::submit)))
        .service(page("keep/{user}").route(post().to(keep::submit)))
        .service(page("keep/{user}/{server}").route(post().to(keep::submit)))
        .service(writes(page("user/{user}").route(get().to(stopped::show))))
        .service(writes(page("user/{user}/{rest:.*}").route(get().to(stopped::show))))
        .service(page("user-redirect/{path:.*}").route(get().to(user_redirect::show)))
        .service(page("error/{status:[0-9]+}").route(get().to(errors::for_proxies)))
        .service(page("metrics").route(get().to(metrics::show)))
        .service(page("api/metrics").route(get().to(metrics::show)))
        .service(page("security/csp-report").route(post().to(small::csp_report)))
        .service(
            page("api/oauth2/authorize")
                .route(get().to(oauth::authorize::show))
                .route(post().to(oauth::authorize::submit)),
        )
        .service(
            resource(at("api/oauth2/token"))
                .route(post().to(oauth::token::exchange))
                .default_service(to(api::other_method)),
        )
        .service(page("api/docs").route(get().to(openapi::show)))
        .configure(|table| api::configure(hub, table))
        .service(outside(format!("{base}hub")).route(get().to(redirects::add_slash)))
        .service(writes(outside(format!("{base}user/{{user}}")).route(get().to(redirects::add_slash))))
        .service(outside(format!("{base}services/{{service}}")).route(get().to(redirects::add_slash)))
        .service(writes(
            outside(format!("{base}user/{{user}}/{{rest:.*}}")).route(get().to(redirects::to_hub)),
        ))
        .service(scope(prefix.trim_end_matches('/')).default_service(to(errors::not_found)))
        .default_service(to(redirects::to_hub));
    table.service(pages);
}

/// Administration (admin-ui.md): each page takes the forms that it shows.
fn admin_pages(table: &mut ServiceConfig, page: &dyn Fn(&str) -> Resource) {
    table
        .service(page("admin").route(get().to(admin::users::show)).route(post().to(admin::users::submit)))
        .service(
            page("admin/add-users").route(get().to(admin::add::show)).route(post().to(admin::add::submit)),
        )
        .service(page("admin/events").route(get().to(admin::live::users)))
        .service(page("admin/events/users/{user}").route(get().to(admin::live::user)))
        .service(page("admin/events/servers/{user}").route(get().to(admin::live::server)))
        .service(page("admin/events/servers/{user}/{server}").route(get().to(admin::live::server)))
        .service(page("admin/events/groups").route(get().to(admin::live::groups)))
        .service(page("admin/events/groups/{group}").route(get().to(admin::live::group)))
        .service(page("admin/events/services").route(get().to(admin::live::services)))
        .service(page("admin/events/hub").route(get().to(admin::live::hub)))
        .service(page("admin/bulk").route(post().to(admin::bulk::submit)))
        .service(
            page("admin/users/{user}")
                .route(get().to(admin::user::show))
                .route(post().to(admin::user::submit)),
        )
        .service(admin_server(page("admin/servers/{user}")))
        .service(admin_server(page("admin/servers/{user}/{server}")))
        .service(
            page("admin/groups").route(get().to(admin::groups::show)).route(post().to(admin::groups::submit)),
        )
        .service(
            page("admin/groups/{group}")
                .route(get().to(admin::group::show))
                .route(post().to(admin::group::submit)),
        )
        .service(page("admin/services").route(get().to(admin::services::show)))
        .service(page("admin/roles").route(get().to(admin::roles::show)))
        .service(page("admin/hub").route(get().to(admin::hub::show)).route(post().to(admin::hub::submit)));
}

fn admin_server(page: Resource) -> Resource {
    page.route(get().to(admin::server::show)).route(post().to(admin::server::submit))
}

/// A file: its errors are no pages.
fn file(path: String) -> Resource {
    resource(path).default_service(to(static_files::wrong_method))
}

/// An address outside the hub's prefix.
fn outside(path: String) -> Resource {
    resource(path).default_service(to(errors::wrong_method))
}

/// `GET` and `HEAD`.
fn read() -> Route {
    route().guard(guard::fn_guard(|context| guard::Get().check(context) || guard::Head().check(context)))
}

fn starts(page: Resource) -> Resource {
    page.route(get().to(spawn::show)).route(post().to(spawn::submit))
}

fn restarts(page: Resource) -> Resource {
    page.route(get().to(start::ask)).route(post().to(start::restart))
}

/// What programs do to a server that is not there.
fn writes(place: Resource) -> Resource {
    place
        .route(post().to(stopped::write))
        .route(patch().to(stopped::write))
        .route(delete().to(stopped::write))
}
