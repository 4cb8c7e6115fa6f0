//! `user-redirect/<path>`: a link that leads everybody to the same place on their own server (pages.md 6.9).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use super::visitor::SignedIn;
use super::{hooked, target};
use crate::actors::asked::Person;
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
    if let Some(to) = asked(&hub, &visitor, rest).await? {
        return visitor.visitor.redirect(StatusCode::FOUND, &to);
    }
    let next = format!("{}{rest}", hub.servers.url(&key));
    let to = target::spawn_url(&hub, &key, Some(&next));
    visitor.visitor.redirect(StatusCode::FOUND, &to)
}

/// Where the hook `hub.hooks.user_redirect` leads, if it has an opinion.
async fn asked(hub: &Hub, visitor: &SignedIn, rest: &str) -> Result<Option<String>, PageError> {
    let Some(hook) = &hub.settings.hooks.user_redirect else { return Ok(None) };
    let owner = visitor.id;
    let person = hub.store.read(move |db| Person::find(db, owner)).await?;
    let question = json!({
        "hook": "user_redirect",
        "user": person.map(|person| person.show()),
        "request": { "method": "GET", "uri": visitor.visitor.visit.uri },
        "payload": { "path": rest, "base_url": hub.settings.base_url },
    });
    match hook.ask(&question).await.map_err(hooked::refused)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(to)) if to.is_empty() => Ok(None),
        Some(Value::String(to)) if is_place(&to) => Ok(Some(to)),
        Some(_) => Err(hooked::unusable("user_redirect", "a path from `/` on, or a URL, or null").into()),
    }
}

fn is_place(to: &str) -> bool {
    let leads = to.starts_with('/') || to.starts_with("https://") || to.starts_with("http://");
    leads && !to.contains(|c: char| c.is_control() || c.is_whitespace())
}
