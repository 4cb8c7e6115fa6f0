//! Messages of administrators to single users, on pages; `POST home/messages/<id>`: the button that puts one away.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::form::Submission;
use super::visitor::SignedIn;
use crate::domain::timestamp;
use crate::store::messages::Message;
use crate::web::api::messages::put_away;
use crate::web::error::PageError;
use crate::web::render::pages::ShownMessage;
use crate::web::state::Hub;

/// A message as pages show it.
pub(super) fn shown(message: Message) -> ShownMessage {
    // as the journal names who it was: `user:ada`, `service:culler`
    let (kind, name) = message.sender.split_once(':').unwrap_or(("user", &message.sender));
    ShownMessage {
        id: message.id.0,
        by: name.to_owned(),
        by_service: kind == "service",
        text: message.text,
        sent: timestamp::format(message.sent),
    }
}

/// Puts one of the visitor's own away, and leads home.
///
/// # Errors
/// 404 if there is none with this number, or it is somebody else's.
pub async fn dismiss(
    hub: web::Data<Hub>,
    submission: Submission,
    id: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let visitor = SignedIn::insist(submission.visitor)?;
    put_away(&hub, &visitor.caller, (visitor.id, &visitor.name), &id).await?;
    visitor.visitor.redirect(StatusCode::SEE_OTHER, &hub.path("home"))
}
