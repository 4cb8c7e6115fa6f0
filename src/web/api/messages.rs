//! `/users/{user}/messages`: what administrators tell one user (ours). The reader sees it on the home page.
//!
//! Administrators of users write, see what still waits, and take back. Users read and put away what is for themselves; a
//! token of theirs has to permit reading about them.

use actix_web::{HttpResponse, web};
use chrono::{TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::lookup;
use crate::domain::access::Resource;
use crate::domain::ids::{MessageId, UserId};
use crate::domain::names::Username;
use crate::domain::notice;
use crate::store::Db;
use crate::store::messages::{self, Message, NewMessage};
use crate::web::caller::Caller;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::Body;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::bodies::MessageBody;
use crate::web::openapi::shapes;
use crate::web::state::Hub;
use crate::web::views::stamp::{Stamp, stamp};

/// A message that waits for its reader.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message, example = json!({
    "id": 7, "message": "Your home directory is nearly full.", "by": "user:root", "sent": "2026-01-02T03:04:05Z",
    "expires_at": "2026-02-01T03:04:05Z",
}))]
pub(in crate::web) struct View {
    /// Never reused.
    id: i64,
    /// What is to be read; plain text.
    message: String,
    /// Who wrote it.
    by: String,
    /// When.
    #[schema(schema_with = shapes::moment)]
    sent: Stamp,
    /// When it goes by itself.
    #[schema(schema_with = shapes::moment_or_null)]
    expires_at: Option<Stamp>,
}

impl From<Message> for View {
    fn from(message: Message) -> Self {
        let Message { id, text, sender, sent, expires_at } = message;
        Self { id: id.0, message: text, by: sender, sent: Stamp(sent), expires_at: stamp(expires_at) }
    }
}

/// Writing and taking back.
pub(in crate::web) const SEND: &[&str] = &["admin:users"];
/// Of a user's own.
const READ: &[&str] = &["read:users"];

/// List the messages that wait for a user
///
/// Newest first, 20 at most. Also for the user itself, with `read:users`.
#[utoipa::path(
    get,
    path = "/users/{user}/messages",
    tag = "users",
    operation_id = "list_messages",
    responses(
        (status = 200, description = "What the user has not put away", body = Vec<View>),
        (status = 404, description = "No such user: 'ada'"),
    ),
    extensions(("x-required-scopes" = json!(SEND))),
)]
pub(super) async fn list(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    admit(&caller, &name)?;
    let found = waiting(&hub, name).await?;
    Ok(HttpResponse::Ok().json(found.into_iter().map(View::from).collect::<Vec<_>>()))
}

/// Send a message to a user
///
/// It is shown on the user's home page until the user puts it away, for `hub.messages.keep` at the longest. Of more than 20
/// the oldest go.
#[utoipa::path(
    post,
    path = "/users/{user}/messages",
    tag = "users",
    operation_id = "send_message",
    request_body(content = MessageBody, description = "What to say", content_type = "application/json"),
    responses(
        (status = 201, description = "As it was sent", body = View),
        (status = 400, description = "a message has 2000 characters at most"),
        (status = 404, description = "No such user: 'ada'"),
    ),
    extensions(("x-required-scopes" = json!(SEND))),
)]
pub(in crate::web) async fn send(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    caller.require(SEND, Resource::User(name.as_str()))?;
    let text = text_of(&body)?;
    let target = format!("user:{name}");
    let (now, by) = (Utc::now(), caller.journal_name());
    let keep = TimeDelta::from_std(hub.settings.messages_keep).ok().filter(|keep| !keep.is_zero());
    let expires_at = keep.and_then(|keep| now.checked_add_signed(keep));
    let sender = by.clone();
    let write = move |db: &mut Db| {
        let user = lookup::user(db, &name)?.id;
        Ok::<_, Refused>(messages::add(db, &NewMessage { user, text, sender, sent: now, expires_at })?)
    };
    let sent = hub.store.write(write).await?;
    // not its words: they are gone when they have been read
    hub.journal.record(&by, "message.send", &target, Some(json!({ "id": sent.id.0 })));
    Ok(HttpResponse::Created().json(View::from(sent)))
}

/// Put a message away, or take it back
///
/// For good. Also for the user itself, with `read:users`.
#[utoipa::path(
    delete,
    path = "/users/{user}/messages/{id}",
    tag = "users",
    operation_id = "delete_message",
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such message: 7"),
    ),
    extensions(("x-required-scopes" = json!(SEND))),
)]
pub(in crate::web) async fn delete(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    admit(&caller, &name)?;
    let wanted = name.clone();
    let user = hub.store.read(move |db| lookup::user(db, &wanted)).await?;
    put_away(&hub, &caller, (user.id, &name), path.at(3)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Administrators of the user, and the user.
fn admit(caller: &Caller, name: &Username) -> Result<(), Refused> {
    let own = caller.user().is_some_and(|user| user.name == *name);
    let needed = if own { READ } else { SEND };
    caller.require(needed, Resource::User(name.as_str()))
}

fn text_of(body: &Body) -> Result<String, Refused> {
    let object = body.object_if_any()?.unwrap_or_default();
    if let Some(odd) = object.keys().find(|key| *key != "message") {
        return Err(Refused::bad(format!("{odd} has no meaning here")));
    }
    match object.get("message") {
        Some(Value::String(text)) => {
            notice::plain_text(text).map_err(|wrong| Refused::bad(wrong.to_string()))
        }
        None | Some(Value::Null) => Err(Refused::bad("a message is needed")),
        Some(_) => Err(Refused::bad("message must be a text")),
    }
}

/// What a user has not put away yet.
///
/// # Errors
/// 404 if there is no such user.
pub(in crate::web) async fn waiting(hub: &Hub, name: Username) -> Result<Vec<Message>, Refused> {
    let read = move |db: &mut Db| {
        let user = lookup::user(db, &name)?;
        Ok::<_, Refused>(messages::of_user(db, user.id, Utc::now())?)
    };
    hub.store.read(read).await
}

/// Puts a message of this user away; whether `by` may is settled.
///
/// # Errors
/// 404 if there is none with this number, or it is somebody else's.
pub(in crate::web) async fn put_away(
    hub: &Hub,
    by: &Caller,
    (user, name): (UserId, &Username),
    id: &str,
) -> Result<(), Refused> {
    let missing = || Refused::not_found(format!("No such message: {id}"));
    let id = MessageId(id.parse().map_err(|_| missing())?);
    if !hub.store.write(move |db| messages::delete(db, user, id)).await? {
        return Err(missing());
    }
    let detail = json!({ "id": id.0 });
    hub.journal.record(&by.journal_name(), "message.delete", &format!("user:{name}"), Some(detail));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_text_and_nothing_besides() {
        let text = |body: Value| text_of(&Body::of(&body)).map_err(|refused| refused.status.as_u16());
        assert_eq!(text(json!({ "message": " <b>a\r\nb</b> " })), Ok("<b>a\nb</b>".to_owned()));
        for wrong in [
            json!({}),
            json!([]),
            json!({ "message": null }),
            json!({ "message": 7 }),
            json!({ "message": " \n" }),
            json!({ "message": "\u{1b}[2J" }),
            json!({ "message": "\u{0}" }),
            json!({ "message": "x".repeat(2001) }),
            json!({ "message": "x", "until": "tomorrow" }),
        ] {
            assert_eq!(text(wrong.clone()), Err(400), "{wrong}");
        }
    }
}
