//! `POST start/<user>[/<server>]`: starts a server with what it was started with the last time; `restart/…` ends it first,
//! after a question, for whoever finds that it does not answer.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::Value;

use super::destination::destination;
use super::form::Submission;
use super::spawn::begin::{self, check_name};
use super::spawn::{halted, options};
use super::target::{self, Names, Target};
use super::visitor::SignedIn;
use crate::actors::server::Identity;
use crate::actors::sign_in::Moment;
use crate::domain::server_state::Pending;
use crate::domain::xsrf;
use crate::web::choice;
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::RestartPage;
use crate::web::sign_in;
use crate::web::state::Hub;

const SCOPES: &[&str] = &["servers"];

/// `POST start/…`: right in every state. One that stops starts again once it has stopped; without a choice that still
/// fits, the form is next.
///
/// # Errors
/// 403 and 404 as usual, 429 when there is no room; the status of a start that fails within a second.
pub async fn submit(
    hub: web::Data<Hub>,
    submission: Submission,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    let visitor = SignedIn::insist(submission.visitor)?;
    let target = target::find(&hub, &visitor, &names, SCOPES).await?;
    check_name(&hub, &target, &visitor.visitor.arguments()).await?;
    let status = hub.servers.status(&target.key);
    if status.ready {
        let to = destination(&hub, &visitor.visitor, Some(hub.servers.url(&target.key))).await?;
        return visitor.visitor.redirect(StatusCode::SEE_OTHER, &to);
    }
    if status.pending == Some(Pending::Stop) {
        anew(&hub, &visitor, &target).await?;
        return watch(&hub, visitor, &target);
    }
    if status.is_active() {
        return watch(&hub, visitor, &target);
    }
    if !may_start_again(&hub, &target).await? {
        let arguments = visitor.visitor.arguments().without(&[xsrf::NAME]);
        let to = arguments.added_to(&target::links(&hub, &target.key).spawn_url);
        return visitor.visitor.redirect(StatusCode::SEE_OTHER, &to);
    }
    match begin::start(&hub, &visitor, &target, None).await {
        Ok(()) => watch(&hub, visitor, &target),
        Err(halt) => halted(&hub, visitor, &target, halt).await,
    }
}

/// `GET restart/…`: asks first, since a link must end nothing.
///
/// # Errors
/// 403 and 404 as usual.
pub async fn ask(
    hub: web::Data<Hub>,
    visitor: SignedIn,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    let target = target::find(&hub, &visitor, &names, SCOPES).await?;
    let arguments = visitor.visitor.arguments().without(&[xsrf::NAME]);
    let page = RestartPage {
        owner: target.key.user.to_string(),
        server_name: target.key.server.to_string(),
        url: arguments.added_to(&target::links(&hub, &target.key).restart_url),
        running: hub.servers.status(&target.key).is_active(),
    };
    visitor.visitor.page(&hub, StatusCode::OK, &page).await
}

/// `POST restart/…`: ends the server if it runs, and starts it with the options of the last time.
///
/// # Errors
/// As [`submit`].
pub async fn restart(
    hub: web::Data<Hub>,
    submission: Submission,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    let visitor = SignedIn::insist(submission.visitor)?;
    let target = target::find(&hub, &visitor, &names, SCOPES).await?;
    anew(&hub, &visitor, &target).await?;
    watch(&hub, visitor, &target)
}

async fn anew(hub: &Hub, visitor: &SignedIn, target: &Target) -> Result<(), Refused> {
    let missing = || Refused::not_found(format!("{} does not exist.", target.key.log_name()));
    let row = target.server.as_ref().ok_or_else(missing)?;
    // before the stop: a server that could not be started again is left alone
    hub.require_open()?;
    let groups = choice::groups(hub, target.user.id).await?;
    choice::settled(hub, None, row.user_options.as_ref(), &groups)?;
    for moment in [Moment::Stop, Moment::Spawn] {
        sign_in::check_owner(hub, &visitor.caller, &target.user, moment).await?;
    }
    let servers = hub.servers.by(&visitor.caller.journal_name());
    servers.restart(Identity { id: row.id, user_id: row.user_id, key: target.key.clone() }).await?;
    Ok(())
}

/// Whether there is nothing to choose, or a last choice that fits.
async fn may_start_again(hub: &Hub, target: &Target) -> Result<bool, Refused> {
    if !options::has_form(hub) {
        return Ok(true);
    }
    let kept =
        target.server.as_ref().and_then(|server| server.user_options.as_ref()).and_then(Value::as_object);
    let Some(kept) = kept.filter(|kept| !kept.is_empty()) else { return Ok(false) };
    let groups = choice::groups(hub, target.user.id).await?;
    Ok(choice::fitted(hub, kept.clone(), &groups).is_ok())
}

fn watch(hub: &Hub, visitor: SignedIn, target: &Target) -> Result<HttpResponse, PageError> {
    let arguments = visitor.visitor.arguments().without(&[xsrf::NAME]);
    let to = arguments.added_to(&target::links(hub, &target.key).pending_url);
    visitor.visitor.redirect(StatusCode::SEE_OTHER, &to)
}
