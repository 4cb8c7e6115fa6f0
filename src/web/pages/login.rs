//! `login`: the form, and what becomes of it (pages.md 6.2, cookies-xsrf.md 5).

mod steps;

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;

use super::address::escape_value;
use super::destination::destination;
use super::form::Unchecked;
use super::visitor::Visitor;
use crate::domain::allow::abbreviate;
use crate::store::users::User;
use crate::web::caller::Notice;
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::LoginPage;
use crate::web::sign_in::{self, Entered, Turned};
use crate::web::sign_out::end_session;
use crate::web::state::Hub;
use crate::web::visit::Renewal;

/// The argument with which the button of a page without a form comes back.
const GO_ON: &str = "go_on";

/// `GET`: the form; for somebody who is signed in already, the way on; where requests speak for themselves, the sign-in.
///
/// # Errors
/// 403 where there is nothing to fill in, or the request proves nothing.
pub async fn show(
    hub: web::Data<Hub>,
    request: HttpRequest,
    mut visitor: Visitor,
) -> Result<HttpResponse, PageError> {
    if visitor.user.is_some() {
        visitor.xsrf_token(&hub);
        let to = destination(&hub, &visitor, None).await?;
        return visitor.redirect(StatusCode::FOUND, &to);
    }
    if is_automatic(&hub, &visitor) {
        return automatic(&hub, &request, visitor).await;
    }
    if !hub.authenticator.has_form() && !hub.authenticator.reads_requests() {
        return Err(no_form().into());
    }
    let username = visitor.arguments().last("username").unwrap_or_default().to_owned();
    form(&hub, visitor, StatusCode::OK, username, None).await
}

/// Whether to sign in with what the request says, without asking.
fn is_automatic(hub: &Hub, visitor: &Visitor) -> bool {
    let arguments = visitor.arguments();
    let for_a_client = || {
        let next = visitor.visit.next(arguments.last("next")).unwrap_or_default();
        next.split('?').next() == Some(&hub.path("api/oauth2/authorize"))
    };
    hub.settings.auto_login
        || (hub.settings.auto_login_oauth2_authorize && for_a_client())
        || (!hub.authenticator.has_form() && arguments.last(GO_ON).is_some())
}

async fn automatic(hub: &Hub, request: &HttpRequest, visitor: Visitor) -> Result<HttpResponse, PageError> {
    if !hub.authenticator.reads_requests() {
        return Err(no_form().into());
    }
    match sign_in::by_request(hub, request).await {
        Ok(user) => enter(hub, visitor, &user).await,
        Err(Turned::Away) => Err(Refused::forbidden("You could not be signed in automatically.").into()),
        Err(turned) => Err(Refused::from(turned).into()),
    }
}

fn no_form() -> Refused {
    Refused::forbidden("Nobody can sign in here with a name and a password.")
}

/// `POST`: signs in.
///
/// # Errors
/// 403 for a script with a stale form, or if there is no form; a person gets the form again.
pub async fn submit(
    hub: web::Data<Hub>,
    request: HttpRequest,
    sent: Unchecked,
) -> Result<HttpResponse, PageError> {
    let checked = sent.check(&hub);
    let Unchecked { visitor, form: fields } = sent;
    let typed = fields.last("username").unwrap_or_default().to_owned();
    let has_form = hub.authenticator.has_form();
    if let Err(refused) = checked {
        if !visitor.visit.is_navigation() || !has_form {
            return Err(refused.into());
        }
        let expired = Refused::forbidden("This form is invalid or has expired. Try again.");
        return form(&hub, visitor, StatusCode::FORBIDDEN, typed, Some(expired)).await;
    }
    if !has_form {
        return Err(no_form().into());
    }
    if let Some(id) = fields.last(steps::ID) {
        return steps::follow(&hub, &request, visitor, &fields, id).await;
    }
    let credentials = sign_in::credentials(sign_in::origin(&request, &hub), fields.fields());
    match sign_in::by_form(&hub, &credentials).await {
        Ok(Entered::User(user)) => enter(&hub, visitor, &user).await,
        Ok(Entered::Asks(pending)) => steps::begin(&hub, visitor, pending).await,
        Err(turned) => {
            let refused = Refused::from(turned);
            form(&hub, visitor, refused.status, typed, Some(refused)).await
        }
    }
}

/// The page, with why the last attempt failed.
async fn form(
    hub: &Hub,
    mut visitor: Visitor,
    status: StatusCode,
    username: String,
    refused: Option<Refused>,
) -> Result<HttpResponse, PageError> {
    let next = visitor.arguments().last("next").unwrap_or_default().to_owned();
    let has_form = hub.authenticator.has_form();
    let go_on = if has_form { String::new() } else { format!("&{GO_ON}=1") };
    let retry_after = refused.as_ref().and_then(|refused| refused.retry_after);
    let mut page = LoginPage {
        authenticator_login_url: format!("{}?next={}{go_on}", hub.path("login"), escape_value(&next)),
        username: abbreviate(&username),
        login_error: refused.map(|refused| refused.message),
        otp_prompt: hub.settings.otp_prompt.clone(),
        login_service: (!has_form).then(|| service_name(hub)),
        ..LoginPage::default()
    };
    visitor.renewal = Renewal::Always;
    if !hub.settings.login_html.is_empty() {
        let token = visitor.xsrf_token(hub);
        let html = hub.renderer.login_html(
            &hub.settings.login_html,
            &page,
            &next,
            &token,
            hub.authenticator.kind(),
            visitor.language,
        );
        page.custom_html = Some(html.map_err(|failed| Refused::internal(&failed))?);
    }
    let mut response = visitor.page(hub, status, &page).await?;
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

fn service_name(hub: &Hub) -> String {
    match hub.settings.login_service.as_str() {
        "" => "your organisation".to_owned(),
        name => name.to_owned(),
    }
}

/// Sets the cookies of somebody who has signed in (cookies-xsrf.md 1.3), and leads on.
async fn enter(hub: &Hub, mut visitor: Visitor, user: &User) -> Result<HttpResponse, PageError> {
    let caller = hub.caller_by_cookie(&user.cookie_id, Notice::Activity).await?;
    let caller = caller.ok_or_else(|| Refused::conflict("The account was removed just now."))?;
    let before = visitor.user.as_deref().and_then(|caller| caller.user()).map(|user| user.id);
    visitor.become_user(Some(Arc::clone(&caller)));
    visitor.renewal = Renewal::Always;
    if let Some(other) = before.filter(|other| *other != user.id) {
        // the browser changes hands: what the other person granted in it must not go on under the same session
        end_session(hub, &visitor.visit, other).await?;
    }
    if before != Some(user.id) {
        // drops the line that takes an old cookie away: this one takes its place
        visitor.set_cookies.clear();
        visitor.set_cookies.extend(visitor.visit.ensure_session(hub)?);
        let (signed, line) = visitor.visit.login_cookie(hub, &user.cookie_id, Utc::now())?;
        visitor.set_cookies.extend(line);
        hub.remember_login(&visitor.visit, &signed, user).await?;
    }
    visitor.xsrf_token(hub);
    let to = destination(hub, &visitor, None).await?;
    visitor.redirect(StatusCode::FOUND, &to)
}
