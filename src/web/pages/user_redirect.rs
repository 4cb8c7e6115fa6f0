//! `user-redirect/<path>`: a link that leads everybody to the same place on their own server (pages.md 6.9).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::target;
use super::visitor::SignedIn;
use crate::domain::names::{ServerKey, ServerName};
use crate::web::error::PageError;
use crate::web::state::Hub;

/// Leads there, starting the server on the way.
///
/// # Errors
/// [`PageError::LoginNeeded`].
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let settings = &hub.settings;
    let server = if settings.named_servers { settings.default_server_name.as_str() } else { "" };
    let key = ServerKey::new(visitor.name.clone(), ServerName::from_stored(server));
    let prefix = hub.path("user-redirect/");
    // the address as it came: its escapes and its query are meant for the server
    let rest = visitor.visitor.visit.uri.strip_prefix(&prefix).unwrap_or_default();
    let next = format!("{}{rest}", hub.servers.url(&key));
    let to = target::spawn_url(&hub, &key, Some(&next));
    visitor.visitor.redirect(StatusCode::FOUND, &to)
}
