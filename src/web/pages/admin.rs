//! `admin`: users, servers and groups (admin-ui.md). The page is a frame; its scripts speak to the REST API, which
//! decides about every action by its own scopes.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::visitor::SignedIn;
use crate::domain::access::Resource;
use crate::web::error::PageError;
use crate::web::render::pages::AdminPage;
use crate::web::state::Hub;

/// Shows the frame to holders of `admin-ui`.
///
/// # Errors
/// 403 without the scope.
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    visitor.caller.require(&["admin-ui"], Resource::None)?;
    let page = AdminPage {
        api_page_limit: hub.settings.page_default_limit,
        api_page_max_limit: hub.settings.page_max_limit,
        allow_named_servers: hub.settings.named_servers,
        cleanup_servers: hub.settings.cleanup_servers,
        cleanup_proxy: hub.settings.cleanup_proxy,
        server_version: env!("CARGO_PKG_VERSION"),
        own_scopes: visitor.caller.scopes.to_strings(),
    };
    visitor.visitor.page(&hub, StatusCode::OK, &page).await
}
