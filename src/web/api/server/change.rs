//! `PATCH …/server`: another name, display name or options for a server that does not run.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use super::named;
use super::{Found, find};
use crate::actors::directory::Directory;
use crate::domain::ids::ServerId;
use crate::domain::names::{ServerKey, ServerName};
use crate::domain::slug::DisplayName;
use crate::domain::user_options;
use crate::store::Db;
use crate::store::{servers, users};
use crate::web::api::{gains, lookup};
use crate::web::choice;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{self, Body, is_falsy};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::bodies::ServerChange;
use crate::web::state::Hub;
use crate::web::views::server::ServerView;

const CHANGE: &[&str] = &["start:servers"];

const KEYS: [&str; 3] = ["name", "display_name", "user_options"];

/// Rename a stopped server, or change its display name or options
///
/// What is not given stays.
#[utoipa::path(
    patch,
    path = "/users/{user}/servers/{server}",
    tag = "servers",
    operation_id = "change_server",
    request_body(
        content = ServerChange,
        description = "What is to be different; at least one of the three",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "The server as it is now", body = ServerView, content_type = "application/json; charset=UTF-8"),
        (status = 400, description = "Must specify at least one field to modify: name, display_name, user_options"),
        (status = 404, description = "No such server: ada/lab"),
        (status = 409, description = "User ada already has server lab"),
    ),
    extensions(("x-required-scopes" = json!(CHANGE))),
)]
pub(in crate::web::api) async fn change(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.server();
    caller.require(CHANGE, lookup::resource(&key))?;
    let found = find(&hub, &key).await?;
    let wish = Wish::read(&body)?;
    wish.check_names(&hub, &key, &found)?;
    if !found.exists(&key) {
        return Err(
            Refused::not_found(format!("User {} has no such server '{}'", key.user, key.server)).into()
        );
    }
    if hub.servers.status(&key).is_active() {
        return Err(active(&key).into());
    }
    let mut change = wish.checked()?;
    change.options = choice::kept(&hub, change.options, &found.groups)?;
    let target = change.target(&key);
    let (from, to) = (key.clone(), target.clone());
    let (author, catalogue) = (Arc::clone(&caller.0), Arc::clone(&hub.catalogue));
    let directory = hub.servers.directory().clone();
    let changed = hub.store.write(move |db| {
        gains::refuse_by_server(db, &catalogue, &author, &from, &to)?;
        change.apply(db, &directory, &from, &to)
    });
    let found = changed.await?;
    if target != key {
        hub.servers.forget(&key);
    }
    let view = found.view(&hub, &caller, &target);
    Ok(HttpResponse::Ok().content_type("application/json; charset=UTF-8").json(view))
}

fn active(key: &ServerKey) -> Refused {
    Refused::bad(format!("{} is active. Please stop it before modifying it.", key.log_name()))
}

/// What is asked for, with its names checked; the rest is looked at once it is known that the server can be changed.
#[derive(Debug, PartialEq)]
struct Wish {
    name: Option<ServerName>,
    display_name: Option<Value>,
    options: Option<Value>,
}

/// What is to be different; what is `None` stays.
#[derive(Debug, PartialEq)]
struct Change {
    name: Option<ServerName>,
    display_name: Option<DisplayName>,
    options: Option<Value>,
}

impl Wish {
    fn read(body: &Body) -> Result<Self, Refused> {
        let nothing =
            || Refused::bad(format!("Must specify at least one field to modify: {}", KEYS.join(", ")));
        let mut object = body::object(body.json_if_any()?.ok_or_else(nothing)?)?;
        if let Some(unknown) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(Refused::bad(format!("Unknown field '{unknown}'; expected {}", KEYS.join(", "))));
        }
        let name = text("name", object.remove("name"))?.map(|name| named::check_name(&name)).transpose()?;
        let display_name = object.remove("display_name").filter(|shown| !is_falsy(shown));
        Ok(Self { name, display_name, options: object.remove("user_options") })
    }

    /// A server that is renamed or shown under another name is a named one, also if it was not before.
    fn check_names(&self, hub: &Hub, key: &ServerKey, found: &Found) -> Result<(), Refused> {
        if self.name.is_none() && self.display_name.is_none() {
            return Ok(());
        }
        named::check_enabled(hub)?;
        if self.name.is_some() && key.server.is_default() {
            named::check_limit(hub, found)?;
        }
        Ok(())
    }

    fn checked(self) -> Result<Change, Refused> {
        let display_name = text("display_name", self.display_name)?;
        let display_name = display_name.map(|shown| named::shown(&shown)).transpose()?;
        Ok(Change { name: self.name, display_name, options: options(self.options)? })
    }
}

impl Change {
    fn target(&self, key: &ServerKey) -> ServerKey {
        let server = self.name.clone().unwrap_or_else(|| key.server.clone());
        ServerKey::new(key.user.clone(), server)
    }

    fn apply(
        &self,
        db: &mut Db,
        directory: &Directory,
        from: &ServerKey,
        to: &ServerKey,
    ) -> Result<Found, Refused> {
        let owner = lookup::user(db, &from.user)?;
        users::lock(db, owner.id)?;
        // looked up again: somebody may have been quicker
        let server = lookup::existing_server(db, from)?;
        if directory.may_run(from, &server) {
            return Err(active(from));
        }
        if self.name.is_some() {
            if servers::find(db, server.user_id, &to.server)?.is_some() {
                return Err(Refused::conflict(format!("User {} already has server {}", to.user, to.server)));
            }
            servers::rename(db, server.id, &to.server)?;
        }
        self.apply_rest(db, server.id)?;
        Found::read(db, to)
    }

    fn apply_rest(&self, db: &mut Db, id: ServerId) -> Result<(), Refused> {
        if let Some(shown) = &self.display_name {
            servers::set_display_name(db, id, shown.as_str())?;
        }
        if let Some(options) = &self.options {
            servers::set_user_options(db, id, Some(options))?;
        }
        Ok(())
    }
}

/// A member that is a string; `null` is as good as none.
fn text(key: &str, value: Option<Value>) -> Result<Option<String>, Refused> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refused::bad(format!("'{key}' must be a string"))),
    }
}

/// The new options, by the same rules as those of a start.
fn options(value: Option<Value>) -> Result<Option<Value>, Refused> {
    let Some(value) = value else { return Ok(None) };
    let read = user_options::from_body(json!({ "user_options": value }));
    let options = read.map_err(|wrong| Refused::bad(wrong.to_string()))?.user_options;
    options
        .map(|options| Some(Value::Object(options)))
        .ok_or_else(|| Refused::bad("'user_options' must be an object"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: Value) -> Result<Change, u16> {
        Wish::read(&Body::of(&body)).and_then(Wish::checked).map_err(|refused| refused.status.as_u16())
    }

    #[test]
    fn rest_100_a_change_has_known_members_of_the_right_types() {
        let change = read(json!({"name": "lab", "display_name": null, "user_options": {"a": 1}})).unwrap();
        assert_eq!(change.name, Some(ServerName::from_stored("lab")));
        assert_eq!((change.display_name, change.options), (None, Some(json!({"a": 1}))));
        for wrong in [
            json!({}),
            json!(null),
            json!([]),
            json!([1]),
            json!({"colour": 1}),
            json!({"name": 1}),
            json!({"name": ""}),
            json!({"name": "Bad Name"}),
            json!({"display_name": 5}),
            json!({"display_name": " lead"}),
            json!({"user_options": null}),
            json!({"user_options": [1]}),
        ] {
            assert_eq!(read(wrong.clone()), Err(400), "{wrong}");
        }
    }
}
