//! `POST keep/<user>[/<server>]`: the button of the home page that keeps a server from being stopped for being idle.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::Utc;

use super::form::Submission;
use super::target::{self, Names};
use super::visitor::SignedIn;
use crate::store::servers;
use crate::web::error::{PageError, Refused};
use crate::web::state::Hub;

/// Keeps the server as long as `culler.max_keep` permits, and leads home.
///
/// # Errors
/// 400 where no server is culled or may be kept, or this one does not run; 403 and 404 as usual.
pub async fn submit(
    hub: web::Data<Hub>,
    submission: Submission,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    let visitor = SignedIn::insist(submission.visitor)?;
    let target = target::find(&hub, &visitor, &names, &["start:servers"]).await?;
    let server = target.server.filter(|_| hub.servers.status(&target.key).ready);
    let server = server.ok_or_else(|| Refused::bad(format!("{} is not running", target.key.log_name())))?;
    let longest = hub.servers.culling().and_then(|policy| policy.longest_keep(Utc::now()));
    let until = longest.ok_or_else(|| Refused::bad("Servers cannot be kept here"))?;
    hub.store.write(move |db| servers::set_keep_until(db, server.id, Some(until))).await?;
    visitor.visitor.redirect(StatusCode::SEE_OTHER, &hub.path("home"))
}
