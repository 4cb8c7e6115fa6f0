//! Where a visitor is sent after signing in or starting a server (pages.md 3.2).

use super::visitor::Visitor;
use crate::domain::landing::{Person, landing};
use crate::domain::names::{ServerKey, ServerName};
use crate::store::users::{self, User, UserDetails};
use crate::web::error::Refused;
use crate::web::state::Hub;

/// Arguments that are never passed on.
const OWN: [&str; 2] = ["next", "_xsrf"];

/// A valid `next` as it is; else `page_default`, what the configuration says, the visitor's server or the home page,
/// with the request's other arguments.
///
/// # Errors
/// If the database fails.
pub async fn destination(
    hub: &Hub,
    visitor: &Visitor,
    page_default: Option<String>,
) -> Result<String, Refused> {
    let arguments = visitor.arguments();
    if let Some(next) = visitor.visit.next(arguments.last("next")) {
        return Ok(next);
    }
    let target = match page_default {
        Some(place) => place,
        None => configured(hub, visitor).await?.unwrap_or_else(|| own_place(hub, visitor)),
    };
    Ok(arguments.without(&OWN).added_to(&target))
}

fn signed_in(visitor: &Visitor) -> Option<&User> {
    visitor.user.as_deref().and_then(|caller| caller.user())
}

/// The rule of `hub.default_url_rules` that fits, else `hub.default_url`.
///
/// # Errors
/// If the database fails.
pub async fn configured(hub: &Hub, visitor: &Visitor) -> Result<Option<String>, Refused> {
    let rules = &hub.settings.default_url_rules;
    if let (Some(user), false) = (signed_in(visitor), rules.is_empty()) {
        let wanted = user.clone();
        let found = hub.store.read(move |db| users::details(db, vec![wanted])).await?;
        let chosen = found.into_iter().next().and_then(|UserDetails { user, groups, roles, .. }| {
            let groups: Vec<String> = groups.into_iter().map(String::from).collect();
            let person = Person { roles: &roles, groups: &groups, admin: user.admin };
            landing(rules, &person).map(str::to_owned)
        });
        if chosen.is_some() {
            return Ok(chosen);
        }
    }
    Ok(Some(hub.settings.default_url.clone()).filter(|url| !url.is_empty()))
}

fn own_place(hub: &Hub, visitor: &Visitor) -> String {
    let Some(user) = signed_in(visitor).filter(|_| hub.settings.redirect_to_server) else {
        return hub.path("home");
    };
    let key = ServerKey::new(user.name.clone(), ServerName::default_server());
    if hub.servers.status(&key).is_active() { hub.servers.url(&key) } else { hub.path("spawn") }
}
