//! `login`: the form, and what becomes of it (pages.md 6.2, cookies-xsrf.md 5).

mod admit;

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use log::{info, warn};

use super::address::escape_value;
use super::destination::destination;
use super::form::{Form, Unchecked};
use super::visitor::Visitor;
use crate::auth::Credentials;
use crate::domain::allow::abbreviate;
use crate::secret::Secret;
use crate::store::users::User;
use crate::web::caller::Notice;
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::LoginPage;
use crate::web::sign_out::end_session;
use crate::web::state::Hub;
use crate::web::visit::Renewal;

/// `GET`: the form; for somebody who is signed in already, the way on.
///
/// # Errors
/// 403 where there is nothing to fill in.
pub async fn show(hub: web::Data<Hub>, mut visitor: Visitor) -> Result<HttpResponse, PageError> {
    if visitor.user.is_some() {
        visitor.xsrf_token(&hub);
        let to = destination(&hub, &visitor, None);
        return visitor.redirect(StatusCode::FOUND, &to);
    }
    if hub.settings.auto_login || !hub.authenticator.has_form() {
        return Err(Refused::forbidden("Nobody can sign in here with a name and a password.").into());
    }
    let username = visitor.arguments().last("username").unwrap_or_default().to_owned();
    form(&hub, visitor, StatusCode::OK, username, None).await
}

/// `POST`: signs in.
///
/// # Errors
/// 403 for a script with a stale form, or if the authenticator fails; a person gets the form again.
pub async fn submit(hub: web::Data<Hub>, sent: Unchecked) -> Result<HttpResponse, PageError> {
    let checked = sent.check(&hub);
    let Unchecked { visitor, form: fields } = sent;
    let typed = fields.last("username").unwrap_or_default().to_owned();
    if let Err(refused) = checked {
        if !visitor.visit.is_navigation() || !hub.authenticator.has_form() {
            return Err(refused.into());
        }
        let expired = "This form is invalid or has expired. Try again.";
        return form(&hub, visitor, StatusCode::FORBIDDEN, typed, Some(expired)).await;
    }
    match sign_in(&hub, &fields, &typed).await? {
        Some(user) => enter(&hub, visitor, &user).await,
        None if hub.authenticator.has_form() => {
            form(&hub, visitor, StatusCode::FORBIDDEN, typed, Some("Invalid username or password")).await
        }
        None => Err(Refused::forbidden("Nobody can sign in here with a name and a password.").into()),
    }
}

async fn form(
    hub: &Hub,
    mut visitor: Visitor,
    status: StatusCode,
    username: String,
    login_error: Option<&str>,
) -> Result<HttpResponse, PageError> {
    let next = visitor.arguments().last("next").unwrap_or_default().to_owned();
    let page = LoginPage {
        authenticator_login_url: format!("{}?next={}", hub.path("login"), escape_value(&next)),
        username,
        login_error: login_error.map(str::to_owned),
        ..LoginPage::default()
    };
    visitor.renewal = Renewal::Always;
    visitor.page(hub, status, &page).await
}

/// Who the fields prove somebody to be, made a user of the hub if the rules let them in.
async fn sign_in(hub: &web::Data<Hub>, fields: &Form, typed: &str) -> Result<Option<User>, Refused> {
    let password = Secret::new(fields.last("password").unwrap_or_default());
    let credentials = Credentials { username: typed.trim().to_owned(), password };
    let proven =
        hub.authenticator.authenticate(&credentials).await.map_err(|failed| Refused::internal(&failed))?;
    let Some(proven) = proven else {
        warn!(user = abbreviate(typed.trim()).as_str(); "login failed");
        return Ok(None);
    };
    match admit::admit(hub, &proven).await? {
        Ok(user) => {
            info!(user = user.name.as_str(); "user logged in");
            Ok(Some(user))
        }
        Err(denial) => {
            warn!(user = abbreviate(proven.name.as_str()).as_str(), reason:% = denial; "login denied");
            Ok(None)
        }
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
        visitor.set_cookies.extend(visitor.visit.login_cookie(hub, &user.cookie_id)?);
    }
    visitor.xsrf_token(hub);
    let to = destination(hub, &visitor, None);
    visitor.redirect(StatusCode::FOUND, &to)
}
