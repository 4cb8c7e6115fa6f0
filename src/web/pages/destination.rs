//! Where a visitor is sent after signing in or starting a server (pages.md 3.2).

use super::visitor::Visitor;
use crate::domain::names::{ServerKey, ServerName};
use crate::web::state::Hub;

/// Arguments that are never passed on.
const OWN: [&str; 2] = ["next", "_xsrf"];

/// A valid `next` as it is; else `page_default`, `hub.default_url`, the visitor's server or the home page, with the
/// request's other arguments.
#[must_use]
pub fn destination(hub: &Hub, visitor: &Visitor, page_default: Option<String>) -> String {
    let arguments = visitor.arguments();
    if let Some(next) = visitor.visit.next(arguments.last("next")) {
        return next;
    }
    let target = page_default.or_else(|| configured(hub)).unwrap_or_else(|| own_place(hub, visitor));
    arguments.without(&OWN).added_to(&target)
}

/// `hub.default_url`.
#[must_use]
pub fn configured(hub: &Hub) -> Option<String> {
    Some(hub.settings.default_url.clone()).filter(|url| !url.is_empty())
}

fn own_place(hub: &Hub, visitor: &Visitor) -> String {
    let user = visitor.user.as_deref().and_then(|caller| caller.user());
    let Some(user) = user.filter(|_| hub.settings.redirect_to_server) else {
        return hub.path("home");
    };
    let key = ServerKey::new(user.name.clone(), ServerName::default_server());
    if hub.servers.status(&key).is_active() { hub.servers.prefix(&key) } else { hub.path("spawn") }
}
