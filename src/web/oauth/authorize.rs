//! `api/oauth2/authorize`: a server or service asks who its visitor is (oauth.md 2).

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::{Duration, Utc};
use log::{error, info};

use super::grant::{Asked, Judge, Question, Refused as NotGranted};
use crate::actors::permissions::Client as Owner;
use crate::domain::access::{Bearer, posted_scopes, shown_scopes};
use crate::domain::oauth::authorize::AuthorizationError;
use crate::domain::oauth::redirect::{Refusal, with_code, with_refusal};
use crate::domain::scope::{Catalogue, Filter, RawScope};
use crate::secret::{self, Secret};
use crate::store::oauth_codes::{self, OAuthCode};
use crate::store::{Db, StoreError, logins};
use crate::web::error::{PageError, Refused};
use crate::web::openapi::bodies::AuthorizationForm;
use crate::web::openapi::parameters::AuthorizationParameters;
use crate::web::pages::address::query;
use crate::web::pages::form::Submission;
use crate::web::pages::visitor::SignedIn;
use crate::web::render::pages::{OauthClient, OauthPage, ScopeDescription};
use crate::web::state::Hub;

/// The button of who does not agree.
const REFUSE: &str = "refuse";
/// How long a code may be used.
const CODE_SECONDS: i64 = 300;

/// `GET`: asks the user, or goes ahead where that is not needed.
///
/// # Errors
/// 400 if client or address are in doubt, 403 without access; other errors go to the client.
#[utoipa::path(
    get,
    path = "/oauth2/authorize",
    tag = "oauth",
    operation_id = "show_authorization",
    summary = "Ask a visitor whether a server or service may learn who it is",
    description = "A page, for who is signed in with a browser.",
    params(AuthorizationParameters),
    responses(
        (status = 200, description = "The page that asks", content_type = "text/html", body = String),
        (status = 302, description = "To the login page, or back to the client with a code or an error"),
        (status = 400, description = "A page: client or address are in doubt", content_type = "text/html", body = String),
        (status = 403, description = "A page: no access", content_type = "text/html", body = String),
    ),
    security(("cookie" = [])),
)]
pub async fn show(hub: web::Data<Hub>, visitor: SignedIn) -> Result<HttpResponse, PageError> {
    let question = match ask(&hub, &visitor, Asked::InQuery).await {
        Ok(question) => question,
        Err(refused) => return answer(visitor, refused),
    };
    if needs_no_confirmation(&visitor, &question) {
        return complete(&hub, visitor, question).await;
    }
    let page = page(&hub, &visitor, &question);
    visitor.visitor.page(&hub, StatusCode::OK, &page).await
}

/// `POST`: the user agrees, or does not.
///
/// # Errors
/// As [`show`]; what is checked there is checked again, for the form may be a forgery.
#[utoipa::path(
    post,
    path = "/oauth2/authorize",
    tag = "oauth",
    operation_id = "confirm_authorization",
    summary = "Let a server or service learn who the visitor is",
    description = "What the page's form sends.",
    params(AuthorizationParameters),
    request_body(
        content = AuthorizationForm,
        description = "What the visitor agrees to",
        content_type = "application/x-www-form-urlencoded",
    ),
    responses(
        (status = 302, description = "To the login page, or back to the client with a code or an error"),
        (status = 400, description = "A page: client or address are in doubt", content_type = "text/html", body = String),
        (status = 403, description = "A page: no access, or no XSRF token", content_type = "text/html", body = String),
        (status = 413, description = "A page: more than a form", content_type = "text/html", body = String),
    ),
    security(("cookie" = [])),
)]
pub async fn submit(hub: web::Data<Hub>, submission: Submission) -> Result<HttpResponse, PageError> {
    let Submission { visitor, form } = submission;
    let visitor = SignedIn::insist(visitor)?;
    let confirmed = form.all("scopes").map(str::to_owned).collect();
    match ask(&hub, &visitor, Asked::InForm(confirmed)).await {
        Ok(question) if form.last(REFUSE).is_some() => refuse(visitor, &question),
        Ok(question) => complete(&hub, visitor, question).await,
        Err(refused) => answer(visitor, refused),
    }
}

/// Back to the client without a code: it learns that the user said no, and does not ask at once again (RFC 6749, 4.1.2.1).
fn refuse(visitor: SignedIn, question: &Question) -> Result<HttpResponse, PageError> {
    info!(user = visitor.name.as_str(), client = question.client.identifier.as_str(); "a user refused an application");
    let state = question.request.state.as_deref();
    let to = with_refusal(&question.client.redirect_uri, Refusal::AccessDenied, state);
    visitor.visitor.redirect(StatusCode::FOUND, &to)
}

async fn ask(hub: &Hub, visitor: &SignedIn, asked: Asked) -> Result<Question, NotGranted> {
    let judge = Judge {
        catalogue: Arc::clone(&hub.catalogue),
        caller: Arc::clone(&visitor.caller),
        policy: hub.settings.pkce,
        now: Utc::now(),
    };
    let query = query(&visitor.visitor.visit.uri).to_owned();
    hub.store.read(move |db| judge.judge(db, &query, &asked)).await
}

/// Tells the user or, with the browser, the client.
fn answer(visitor: SignedIn, refused: NotGranted) -> Result<HttpResponse, PageError> {
    match refused {
        NotGranted::Request(AuthorizationError::Page(message)) => Err(Refused::bad(message).into()),
        NotGranted::Request(AuthorizationError::Redirect { refusal, location }) => {
            info!(user = visitor.name.as_str(), reason:% = refusal; "an OAuth client's request was refused");
            visitor.visitor.redirect(StatusCode::FOUND, &location)
        }
        NotGranted::NobodysClient => {
            error!(user = visitor.name.as_str(); "an OAuth client belongs to no server or service");
            Err(Refused::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "This client belongs to no server or service.",
            )
            .into())
        }
        NotGranted::NoAccess(_) => Err(Refused::forbidden(refused.to_string()).into()),
        NotGranted::Store(failed) => Err(failed.into()),
    }
}

/// Oneself, a client that the operator trusts, or one that was trusted with the same before (oauth.md 2.2).
fn needs_no_confirmation(visitor: &SignedIn, question: &Question) -> bool {
    let own = matches!(&question.owner, Owner::Server(key) if key.user == visitor.name);
    own || question.known || question.trusted
}

/// Back to the client with a code.
async fn complete(hub: &Hub, visitor: SignedIn, question: Question) -> Result<HttpResponse, PageError> {
    let Question { request, client, granted, .. } = question;
    let code = Secret::new(secret::random_alphanumeric30()?);
    let to = with_code(&client.redirect_uri, code.expose(), request.state.as_deref());
    let (challenge, method) = request.challenge.map(|c| (c.text, c.method.as_str().to_owned())).unzip();
    let bound = OAuthCode {
        client_id: client.identifier,
        user_id: visitor.id,
        expires_at: Utc::now() + Duration::seconds(CODE_SECONDS),
        redirect_uri: client.redirect_uri,
        session_id: visitor.visitor.visit.session_id.clone(),
        scopes: granted.iter().map(ToString::to_string).collect(),
        code_challenge: challenge,
        code_challenge_method: method,
    };
    let visit = &visitor.visitor.visit;
    let signed = visit.signed_login(hub).zip(visitor.caller.user());
    let sighting = signed.map(|(signed, user)| hub.sighting(visit, &signed, user));
    let grant = move |db: &mut Db| {
        // what is granted in this session goes with its login, in whichever session of the browser that ends; nothing is
        // granted any more in one that ended since the request came
        if let Some(sighting) = sighting
            && !logins::see(db, &sighting)?
        {
            return Ok::<_, StoreError>(false);
        }
        oauth_codes::create(db, &code, &bound)?;
        Ok(true)
    };
    if !hub.store.write(grant).await? {
        return Err(PageError::LoginNeeded);
    }
    visitor.visitor.redirect(StatusCode::FOUND, &to)
}

fn page(hub: &Hub, visitor: &SignedIn, question: &Question) -> OauthPage {
    let caller = &visitor.caller;
    let bearer = Bearer {
        owner: caller.owner(),
        client: question.owner.as_domain(),
        members: &caller.members,
        catalogue: &hub.catalogue,
    };
    let shown = shown_scopes(&question.granted, &bearer);
    OauthPage {
        oauth_client: OauthClient {
            identifier: question.client.identifier.clone(),
            description: question.client.description.clone(),
            redirect_uri: question.client.redirect_uri.clone(),
        },
        allowed_scopes: posted_scopes(&question.granted).iter().map(ToString::to_string).collect(),
        scope_descriptions: shown.iter().map(|scope| describe(scope, &hub.catalogue)).collect(),
    }
}

/// A scope in words, for pages that ask for consent.
pub(in crate::web) fn describe(scope: &RawScope, catalogue: &Catalogue) -> ScopeDescription {
    let (filter_kind, filter_name, filter) = match scope.filter() {
        Filter::Unfiltered => ("", String::new(), String::new()),
        Filter::OwnUser => ("own-user", String::new(), "your own account".to_owned()),
        Filter::OwnServer => ("own-server", String::new(), "this server".to_owned()),
        Filter::OwnService => ("own-service", String::new(), "this service".to_owned()),
        Filter::User(name) => ("user", name.to_string(), format!("the user {name}")),
        Filter::Group(name) => ("group", name.to_string(), format!("the group {name}")),
        Filter::Server(name) => ("server", name.to_string(), format!("the server {name}")),
        Filter::Service(name) => ("service", name.to_string(), format!("the service {name}")),
    };
    let base = scope.base();
    ScopeDescription {
        scope: scope.to_string(),
        description: catalogue.description(base).unwrap_or(base).to_owned(),
        filter,
        filter_kind,
        filter_name,
    }
}
