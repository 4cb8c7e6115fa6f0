//! `POST stop/<user>[/<server>]`: the stop button of browsers without JavaScript.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::form::Submission;
use super::target::{self, Names};
use super::visitor::SignedIn;
use crate::actors::sign_in::Moment;
use crate::web::error::PageError;
use crate::web::sign_in;
use crate::web::state::Hub;

/// Most servers are gone by then, and the home page says so.
const PATIENCE: Duration = Duration::from_secs(2);

/// Stops the server, or cancels its start, and leads home.
///
/// # Errors
/// 403 and 404 as usual.
pub async fn submit(
    hub: web::Data<Hub>,
    submission: Submission,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    let visitor = SignedIn::insist(submission.visitor)?;
    let target = target::find(&hub, &visitor, &names, &["delete:servers"]).await?;
    sign_in::check_owner(&hub, &visitor.caller, &target.user, Moment::Stop).await?;
    hub.servers.by(&visitor.caller.journal_name()).stop(&target.key).await;
    hub.servers.settled(&target.key, PATIENCE).await;
    visitor.visitor.redirect(StatusCode::SEE_OTHER, &hub.path("home"))
}
