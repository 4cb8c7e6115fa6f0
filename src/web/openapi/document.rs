//! Which handlers the document describes, and what it says of the API as a whole.

use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};

use crate::web::{api, oauth, openapi, pages};

/// What the macros know.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "The REST API of the hub",
        description = "Users, their servers, tokens, groups and shares; services; routes. Names in paths are \
                       percent-encoded. Errors are objects with `status` and `message`.",
        version = "6.1.1",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        api::root::version,
        api::root::health,
        api::root::info,
        api::shutdown::shutdown,
        api::journal::list,
        api::reload::preview,
        api::reload::reload,
        api::notices::show_maintenance,
        api::notices::begin_maintenance,
        api::notices::end_maintenance,
        api::notices::show_announcement,
        api::notices::announce,
        api::notices::withdraw_announcement,
        pages::metrics::show,
        openapi::document,
        openapi::page::show,
        api::whoami::show,
        api::authorizations::by_token,
        api::authorizations::by_cookie,
        api::authorizations::by_cookie_in_body,
        api::authorizations::admin_access,
        api::users::list,
        api::users::create,
        api::user::show,
        api::user::create,
        api::user::change,
        api::user::remove,
        api::revoke::revoke,
        api::activity::report,
        api::messages::list,
        api::messages::send,
        api::messages::delete,
        api::tokens::list,
        api::tokens::issue::create,
        api::tokens::show,
        api::tokens::revoke,
        api::server::show,
        api::server::create,
        api::server::start::start,
        api::server::restart::restart,
        api::server::keep::keep,
        api::server::keep::release,
        api::server::change::change,
        api::server::stop::stop,
        api::progress::stream,
        api::failing_profiles::list,
        api::failing_profiles::forget,
        api::groups::list,
        api::groups::create,
        api::group::show,
        api::group::create,
        api::group::remove,
        api::group::add_users,
        api::group::remove_users,
        api::group::set_properties,
        api::services::list,
        api::services::show,
        api::services::change::create,
        api::services::change::remove,
        api::shares::list,
        api::shares::grant,
        api::shares::revoke,
        api::shares::revoke_all,
        api::received::list_of_user,
        api::received::show_of_user,
        api::received::leave_of_user,
        api::received::list_of_group,
        api::received::show_of_group,
        api::received::leave_of_group,
        api::share_codes::list,
        api::share_codes::create,
        api::share_codes::delete,
        api::proxy::list,
        api::proxy::synchronise,
        api::proxy::change,
        oauth::authorize::show,
        oauth::authorize::submit,
        oauth::token::exchange,
    ),
    components(schemas(openapi::shapes::Error, api::progress::events::Event)),
    security(("token" = []), ("cookie" = [], "xsrf" = [])),
    tags(
        (name = "hub", description = "The hub itself"),
        (name = "users", description = "Users"),
        (name = "tokens", description = "API tokens of users"),
        (name = "servers", description = "Servers of users"),
        (name = "groups", description = "Groups of users"),
        (name = "services", description = "Services"),
        (name = "shares", description = "Servers that are opened to others"),
        (name = "proxy", description = "The routes of the proxy"),
        (name = "oauth", description = "Signing in to servers and services"),
    )
)]
struct Generated;

/// The document of the macros, with the ways to prove who one is.
pub(super) fn generated() -> utoipa::openapi::OpenApi {
    let mut document = Generated::openapi();
    let components = document.components.get_or_insert_default();
    let header =
        |name: &str, description: &str| ApiKey::Header(ApiKeyValue::with_description(name, description));
    let cookie =
        ApiKey::Cookie(ApiKeyValue::with_description("jupyterhub-hub-login", "Set by the login page."));
    let schemes = [
        ("token", header("Authorization", "`token ` or `Bearer `, and a token.")),
        ("cookie", cookie),
        ("xsrf", header("X-XSRFToken", "The value of the cookie `_xsrf`; or the argument `_xsrf`.")),
    ];
    for (name, key) in schemes {
        components.security_schemes.insert(name.to_owned(), SecurityScheme::ApiKey(key).into());
    }
    document
}
