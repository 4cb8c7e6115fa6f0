//! `admin/servers/<user>[/<server>]`: all there is to know of one server (UI-137).

use std::ops::ControlFlow;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::Value;

use super::names::user_url;
use super::user::details;
use super::{Admin, Came, Ordered, Part, rows};
use crate::domain::access::Resource;
use crate::domain::names::{GroupName, ServerKey, ServerName, Username};
use crate::web::admin::explain;
use crate::web::caller::Caller;
use crate::web::error::{PageError, Refused};
use crate::web::pages::form::Submission;
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::admin::ServerPageView;
use crate::web::state::Hub;

/// Where it is in the address; the last part may be missing.
#[derive(Debug, Deserialize)]
pub struct Names {
    user: String,
    #[serde(default)]
    server: String,
}

impl Names {
    fn key(&self) -> ServerKey {
        ServerKey::new(Username::from_stored(self.user.clone()), ServerName::from_stored(self.server.clone()))
    }
}

/// Shows it.
///
/// # Errors
/// 403 and 404 as usual.
pub async fn show(
    hub: web::Data<Hub>,
    visitor: SignedIn,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    page(Admin::enter(hub, visitor)?, &names.key(), Came::looking()).await
}

/// Starts, stops or removes it.
///
/// # Errors
/// 403 and 404 as usual; what goes wrong with the order is told on the page.
pub async fn submit(
    hub: web::Data<Hub>,
    submission: Submission,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    let Ordered { admin, order, doer, .. } = match Admin::ordered(hub, submission, Part::Users).await? {
        ControlFlow::Continue(ordered) => ordered,
        ControlFlow::Break(question) => return Ok(question),
    };
    let done = doer.perform(&order).await;
    if order.op() == "remove" && done.is_ok() {
        let to = user_url(&admin.hub, &names.user);
        return admin.lead(&to);
    }
    page(admin, &names.key(), Came::of(done, None)).await
}

async fn page(admin: Admin, key: &ServerKey, came: Came) -> Result<HttpResponse, PageError> {
    let (hub, caller) = (&admin.hub, &admin.caller);
    let (user, server) = (key.user.as_str(), key.server.as_str());
    caller.require(&["read:servers"], Resource::Server { user, server })?;
    let missing = || Refused::not_found(format!("No such server: {}", key.full_name()));
    let wanted = key.user.clone();
    let owner = hub.store.read(move |db| details(db, &wanted)).await?.ok_or_else(missing)?;
    let stored = owner.servers.iter().find(|row| row.name == key.server);
    if stored.is_none() && !key.server.is_default() {
        return Err(missing().into());
    }
    let row = rows::server(&admin, key, stored, &owner.groups).ok_or_else(missing)?;
    let mut facts = explain::gather(hub, key).await?;
    withhold(caller, key, &owner.groups, &mut facts);
    let view = ServerPageView {
        owner: user.to_owned(),
        owner_url: user_url(hub, user),
        options: options(row.model.get("user_options")),
        raw: serde_json::to_string_pretty(&row.model).unwrap_or_default(),
        facts,
        row,
    };
    admin.show(Part::Users, view, came).await
}

/// Takes away what the visitor's scopes do not show: what the server wrote is for who may use it, the spawner's state and
/// who did what for who may see those.
fn withhold(caller: &Caller, key: &ServerKey, groups: &[GroupName], facts: &mut Value) {
    let (user, server) = (key.user.as_str(), key.server.as_str());
    let may = |scope: &str| caller.scopes.covers_server(scope, user, server, groups);
    let Some(facts) = facts.as_object_mut() else { return };
    if !may("access:servers")
        && let Some(failure) = facts.get_mut("last_failure").and_then(Value::as_object_mut)
    {
        failure.remove("log");
    }
    if !may("admin:server_state") {
        facts.remove("pid");
    }
    if !caller.may(&["admin:users"], Resource::None) {
        facts.remove("history");
    }
    facts.remove("user");
}

/// Names and values for people; a list of one is its item, since forms send those.
fn options(chosen: Option<&Value>) -> Vec<(String, String)> {
    let Some(chosen) = chosen.and_then(Value::as_object) else { return Vec::new() };
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    chosen.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn options_are_shown_as_people_chose_them() {
        let chosen = json!({"image": ["minimal"], "memory": 4, "tags": ["a", "b"], "x": {"y": 1}});
        let shown: Map<String, Value> =
            options(Some(&chosen)).into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        assert_eq!(
            Value::Object(shown),
            json!({"image": "minimal", "memory": "4", "tags": "a, b", "x": "{\"y\":1}"})
        );
        assert!(options(None).is_empty());
    }
}
