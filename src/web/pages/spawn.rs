//! `spawn[/<user>[/<server>]]`: starts a server, with an options form if there is one (pages.md 6.5).

mod begin;
mod options;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, web};

use super::address::Arguments;
use super::destination::destination;
use super::form::Submission;
use super::target::{self, Names, Target};
use super::visitor::SignedIn;
use crate::domain::xsrf;
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::SpawnPage;
use crate::web::state::Hub;

const SCOPES: &[&str] = &["servers"];

/// `GET`: shows the form, or starts the server at once.
///
/// # Errors
/// 400 for a name that cannot be, 403 and 404 as usual, 422 for nameless options, 429 when there is no room, 500 if
/// the start fails within a second.
pub async fn show(
    hub: web::Data<Hub>,
    visitor: SignedIn,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    let target = target::find(&hub, &visitor, &names, SCOPES).await?;
    begin::check_name(&hub, &target, &visitor.visitor.arguments()).await?;
    let status = hub.servers.status(&target.key);
    if status.ready {
        let to = destination(&hub, &visitor.visitor, Some(hub.servers.url(&target.key))).await?;
        return visitor.visitor.redirect(StatusCode::FOUND, &to);
    }
    if status.is_active() {
        return to_pending(&hub, visitor, &target);
    }
    match options::linked(&visitor) {
        Ok(linked) if !linked.is_empty() => {
            let begun = match options::of_link(&hub, &target, linked).await {
                Ok(options) => begin::start(&hub, &visitor, &target, Some(options)).await,
                Err(refused) => Err(refused),
            };
            match begun {
                Err(refused) if options::has_form(&hub) => form(&hub, visitor, &target, Some(refused)).await,
                outcome => outcome.map_err(PageError::from).and_then(|()| to_pending(&hub, visitor, &target)),
            }
        }
        Ok(_) if options::has_form(&hub) => form(&hub, visitor, &target, None).await,
        Ok(_) => {
            begin::start(&hub, &visitor, &target, None).await?;
            to_pending(&hub, visitor, &target)
        }
        Err(odd) => Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, odd.to_string()).into()),
    }
}

/// `POST`: starts the server with what the form says.
///
/// # Errors
/// As [`show`]; 400 if the server runs or is on its way.
pub async fn submit(
    hub: web::Data<Hub>,
    submission: Submission,
    names: web::Path<Names>,
) -> Result<HttpResponse, PageError> {
    let Submission { visitor, form: sent } = submission;
    let visitor = SignedIn::insist(visitor)?;
    let target = target::find(&hub, &visitor, &names, SCOPES).await?;
    begin::check_name(&hub, &target, &visitor.visitor.arguments()).await?;
    let status = hub.servers.status(&target.key);
    if status.is_active() {
        let what = if status.ready { "already running" } else { "already starting or stopping" };
        return Err(Refused::bad(format!("{} is {what}", target.key.log_name())).into());
    }
    let begun = match options::of_form(&hub, &target, &sent).await {
        Ok(options) => begin::start(&hub, &visitor, &target, Some(options)).await,
        Err(refused) => Err(refused),
    };
    match begun {
        Ok(()) => to_pending(&hub, visitor, &target),
        Err(refused) if options::has_form(&hub) => form(&hub, visitor, &target, Some(refused)).await,
        Err(refused) => Err(refused.into()),
    }
}

/// To the page that watches the start; it gets the arguments of this one.
fn to_pending(hub: &Hub, visitor: SignedIn, target: &Target) -> Result<HttpResponse, PageError> {
    let arguments = visitor.visitor.arguments().without(&["display_name", xsrf::NAME]);
    let to = arguments.added_to(&target::links(hub, &target.key).pending_url);
    visitor.visitor.redirect(StatusCode::FOUND, &to)
}

async fn form(
    hub: &Hub,
    mut visitor: SignedIn,
    target: &Target,
    refused: Option<Refused>,
) -> Result<HttpResponse, PageError> {
    let token = visitor.visitor.xsrf_token(hub);
    let uri = &visitor.visitor.visit.uri;
    let arguments = Arguments::of(uri).without(&[xsrf::NAME]).with(xsrf::NAME, token);
    let status = refused.as_ref().map_or(StatusCode::OK, |refused| refused.status);
    let retry_after = refused.as_ref().and_then(|refused| refused.retry_after);
    let page = SpawnPage {
        for_user: (target.key.user != visitor.name).then(|| target.key.user.to_string()),
        server_name: target.key.server.to_string(),
        spawner_options_form: options::form(hub, target).await?,
        url: arguments.added_to(super::address::path(uri)),
        error_message: refused.map(|refused| refused.message),
        html_error_message: None,
    };
    let mut response = visitor.visitor.page(hub, status, &page).await?;
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    Ok(response)
}
