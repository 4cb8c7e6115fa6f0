//! What a button or a form asks for. Done by the REST API's handlers: they check scopes, and refuse in their own words.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use form_urlencoded::Serializer;
use serde_json::{Map, Value, json};

use super::names::sentence;
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::web::api;
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::Body;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::pages::address::Arguments;
use crate::web::pages::form::Form;
use crate::web::state::Hub;
use crate::web::texts::Voice;

/// The field that says what is asked for.
const FIELD: &str = "do";

/// The value of a button: what it asks for, and of whom.
pub(super) fn deed(op: &str, fields: &[(&str, &str)]) -> String {
    let mut text = Serializer::new(String::new());
    text.append_pair("op", op).extend_pairs(fields);
    text.finish()
}

/// The value of a button that does something to a server; none is named for the default one.
pub(super) fn server_deed(op: &str, key: &ServerKey) -> String {
    let fields = [("user", key.user.as_str()), ("server", key.server.as_str())];
    deed(op, if key.server.is_default() { &fields[..1] } else { &fields })
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Order(Arguments);

impl Order {
    /// What a form asks for: nothing, if no button was pressed.
    pub(super) fn of(form: &Form) -> Self {
        Self::read(form.last(FIELD).unwrap_or_default())
    }

    /// Reads a button's value.
    pub(super) fn read(deed: &str) -> Self {
        Self(Arguments::of(&format!("?{deed}")))
    }

    pub(super) fn op(&self) -> &str {
        self.get("op")
    }

    pub(super) fn get(&self, name: &str) -> &str {
        self.0.last(name).unwrap_or_default()
    }

    /// The server that it is about.
    pub(super) fn key(&self) -> ServerKey {
        ServerKey::new(Username::from_stored(self.get("user")), ServerName::from_stored(self.get("server")))
    }

    /// The row that it happens at; none if it is gone once that is done.
    pub(super) fn row<T>(&self, done: &Result<T, Refused>) -> Option<String> {
        let is_there = match self.op() {
            "start" | "stop" => true,
            "remove" => done.is_err(),
            _ => false,
        };
        is_there.then(|| self.key().full_name())
    }
}

/// Who asks whom.
#[derive(Clone)]
pub(super) struct Doer {
    pub(super) hub: web::Data<Hub>,
    pub(super) caller: Arc<Caller>,
    /// What results are told in.
    pub(super) voice: Voice,
}

fn status(answer: Result<HttpResponse, ApiError>) -> Result<StatusCode, Refused> {
    answer.map(|response| response.status()).map_err(|ApiError(refused)| refused)
}

fn nothing() -> Body {
    Body::of(&Value::Null)
}

impl Doer {
    fn parts(&self) -> (ApiCaller, web::Data<Hub>) {
        (ApiCaller(Arc::clone(&self.caller)), self.hub.clone())
    }

    /// Does what can be done to servers, users and groups from anywhere. Tells what was done.
    pub(super) async fn perform(&self, order: &Order) -> Result<String, Refused> {
        match order.op() {
            "start" => self.start(&order.key()).await,
            "stop" => self.stop(&order.key()).await,
            "remove" => self.remove(&order.key()).await,
            "delete-user" => self.delete_user(order.get("user")).await,
            "delete-group" => self.delete_group(order.get("group")).await,
            "join" => self.join(order.get("group"), &[order.get("user")]).await,
            "leave" => self.leave(order.get("group"), order.get("user")).await,
            _ => Err(self.unknown()),
        }
    }

    /// Nobody made a button for this.
    pub(super) fn unknown(&self) -> Refused {
        Refused::bad(self.voice.say("admin-unknown-order"))
    }

    async fn start(&self, key: &ServerKey) -> Result<String, Refused> {
        let path = Path::of(&["users", key.user.as_str(), "servers", key.server.as_str()]);
        let (caller, hub) = self.parts();
        let how = status(Box::pin(api::server::start(path, caller, nothing(), hub)).await)?;
        let server = sentence(&self.voice, key);
        Ok(match how {
            StatusCode::CREATED => self.voice.with("admin-server-started", [("server", server.into())]),
            _ => self.voice.with("admin-server-starts", [("server", server.into())]),
        })
    }

    async fn stop(&self, key: &ServerKey) -> Result<String, Refused> {
        let how = self.end(key, nothing()).await?;
        let server = sentence(&self.voice, key);
        Ok(match how {
            StatusCode::NO_CONTENT => self.voice.with("admin-server-stopped", [("server", server.into())]),
            _ => self.voice.with("admin-server-stops", [("server", server.into())]),
        })
    }

    async fn remove(&self, key: &ServerKey) -> Result<String, Refused> {
        self.end(key, Body::of(&json!({ "remove": true }))).await?;
        Ok(self.voice.with("admin-server-deleted", [("server", sentence(&self.voice, key).into())]))
    }

    async fn end(&self, key: &ServerKey, body: Body) -> Result<StatusCode, Refused> {
        let path = Path::of(&["users", key.user.as_str(), "servers", key.server.as_str()]);
        let (caller, hub) = self.parts();
        status(Box::pin(api::server::stop(path, caller, body, hub)).await)
    }

    /// Adds one user; whether it is new.
    pub(super) async fn add_user(&self, name: &str, admin: bool) -> Result<bool, Refused> {
        let (caller, hub) = self.parts();
        let body = Body::of(&json!({ "usernames": [name], "admin": admin }));
        match status(api::users::create(caller, body, hub).await) {
            Ok(_) => Ok(true),
            Err(refused) if refused.status == StatusCode::CONFLICT => Ok(false),
            Err(refused) => Err(refused),
        }
    }

    /// Renames a user, or says whether it is an administrator.
    pub(super) async fn change_user(&self, user: &str, changes: Map<String, Value>) -> Result<(), Refused> {
        let (caller, hub) = self.parts();
        let body = Body::of(&Value::Object(changes));
        status(Box::pin(api::user::change(Path::of(&["users", user]), caller, body, hub)).await).map(|_| ())
    }

    async fn delete_user(&self, user: &str) -> Result<String, Refused> {
        let (caller, hub) = self.parts();
        status(Box::pin(api::user::remove(Path::of(&["users", user]), caller, hub)).await)?;
        Ok(self.voice.with("admin-user-deleted", [("name", user.into())]))
    }

    /// Writes to a user.
    pub(super) async fn tell(&self, user: &str, text: &str) -> Result<(), Refused> {
        let (caller, hub) = self.parts();
        let body = Body::of(&json!({ "message": text }));
        status(api::messages::send(Path::of(&["users", user, "messages"]), caller, body, hub).await)
            .map(|_| ())
    }

    /// Takes back what was written to a user.
    pub(super) async fn withdraw_message(&self, user: &str, id: &str) -> Result<(), Refused> {
        let (caller, hub) = self.parts();
        let path = Path::of(&["users", user, "messages", id]);
        status(api::messages::delete(path, caller, hub).await).map(|_| ())
    }

    /// Makes a group.
    pub(super) async fn add_group(&self, group: &str) -> Result<String, Refused> {
        let (caller, hub) = self.parts();
        status(api::group::create(Path::of(&["groups", group]), caller, nothing(), hub).await)?;
        Ok(self.voice.with("admin-group-created", [("group", group.into())]))
    }

    async fn delete_group(&self, group: &str) -> Result<String, Refused> {
        let (caller, hub) = self.parts();
        status(api::group::remove(Path::of(&["groups", group]), caller, hub).await)?;
        Ok(self.voice.with("admin-group-deleted", [("group", group.into())]))
    }

    /// Adds users to a group, all or none.
    pub(super) async fn join(&self, group: &str, users: &[&str]) -> Result<String, Refused> {
        let (caller, hub) = self.parts();
        let body = Body::of(&json!({ "users": users }));
        status(api::group::add_users(Path::of(&["groups", group, "users"]), caller, body, hub).await)?;
        let values = [("group", group.into()), ("names", users.join(", ").into())];
        Ok(self.voice.with("admin-group-added", values))
    }

    async fn leave(&self, group: &str, user: &str) -> Result<String, Refused> {
        let (caller, hub) = self.parts();
        let body = Body::of(&json!({ "users": [user] }));
        status(api::group::remove_users(Path::of(&["groups", group, "users"]), caller, body, hub).await)?;
        Ok(self.voice.with("admin-group-removed", [("group", group.into()), ("name", user.into())]))
    }

    /// Replaces the properties of a group.
    pub(super) async fn set_properties(&self, group: &str, all: Map<String, Value>) -> Result<(), Refused> {
        let (caller, hub) = self.parts();
        let path = Path::of(&["groups", group, "properties"]);
        status(api::group::set_properties(path, caller, Body::of(&Value::Object(all)), hub).await).map(|_| ())
    }

    /// Announces something, or begins maintenance.
    pub(super) async fn give_notice(&self, maintenance: bool, body: Value) -> Result<(), Refused> {
        let (caller, hub) = self.parts();
        let body = Body::of(&body);
        let answer = match maintenance {
            true => api::notices::begin_maintenance(caller, body, hub).await,
            false => api::notices::announce(caller, body, hub).await,
        };
        status(answer).map(|_| ())
    }

    /// Takes a notice away.
    pub(super) async fn withdraw_notice(&self, maintenance: bool) -> Result<(), Refused> {
        let (caller, hub) = self.parts();
        let answer = match maintenance {
            true => api::notices::end_maintenance(caller, hub).await,
            false => api::notices::withdraw_announcement(caller, hub).await,
        };
        status(answer).map(|_| ())
    }

    /// Ends the hub.
    pub(super) async fn shut_down(&self, servers: bool, proxy: bool) -> Result<(), Refused> {
        let (caller, hub) = self.parts();
        let body = Body::of(&json!({ "servers": servers, "proxy": proxy }));
        status(api::shutdown::shutdown(caller, body, hub).await).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buttons_value_comes_back_whatever_the_names_hold() {
        let key = ServerKey::new(Username::from_stored("a&op=b ü"), ServerName::from_stored("l=b"));
        let order = Order::read(&server_deed("stop", &key));
        assert_eq!((order.op(), order.key()), ("stop", key.clone()));
        let (done, failed): (_, Result<(), _>) = (Ok(()), Err(Refused::bad("no")));
        assert_eq!(order.row(&done), Some(key.full_name()));
        assert_eq!(Order::read(&deed("delete-user", &[("user", "ada")])).row(&done), None);
        let removal = Order::read(&server_deed("remove", &key));
        assert_eq!((removal.row(&done), removal.row(&failed)), (None, Some(key.full_name())));
        assert_eq!(Order::of(&Form::default()).op(), "");
    }
}
