//! Error pages: rendered on the way out, where everything is at hand that a page needs; and `error/<status>`, which
//! proxies fetch.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use percent_encoding::percent_decode_str;

use super::address::{self, Arguments, escape_value};
use super::form::Submission;
use super::target::links;
use super::visitor::{Visitor, hub_of, language_of};
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::domain::xsrf;
use crate::web::error::{ApiError, PageError, PageFault, Refused};
use crate::web::render::pages::{Argument, ErrorPage};
use crate::web::render::plain_error;
use crate::web::state::Hub;
use crate::web::visit::Visit;

/// The header with which scripts of our pages ask the REST API: what it refuses is shown to people as it is said.
const SCRIPT: &str = "x-orrery-page";

/// Puts a page into responses that carry a [`PageFault`], and says what the REST API refuses a page's script in the language
/// of the page. Programs are always told in English (rest-api.md 1.9).
///
/// # Errors
/// Those of the service, unchanged.
pub async fn render_faults(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let refused = response.response().error().and_then(|error| error.as_error::<ApiError>());
    if let Some(refused) = refused.filter(|_| response.request().headers().contains_key(SCRIPT)) {
        let said = translated(response.request(), refused)?.body();
        return Ok(response.map_body(|_, _| BoxBody::new(said)));
    }
    let fault = response.response().extensions().get::<PageFault>().cloned();
    let Some(PageFault(error)) = fault else { return Ok(response) };
    let request = response.request().clone();
    let page = answer(&request, error).await;
    Ok(response.into_response(page))
}

fn translated(request: &HttpRequest, ApiError(refused): &ApiError) -> Result<ApiError, PageError> {
    let hub = hub_of(request)?;
    let language = language_of(request, &hub, &Visit::read(request, &hub));
    let message = hub.renderer.voice(language).said(&refused.message);
    Ok(ApiError(Refused { message, ..refused.clone() }))
}

async fn answer(request: &HttpRequest, error: PageError) -> HttpResponse {
    let refused = match error {
        PageError::Refused(refused) => refused,
        PageError::LoginNeeded => match to_login(request).await {
            Ok(redirect) => return redirect,
            Err(PageError::Refused(refused)) => refused,
            Err(PageError::LoginNeeded) => Refused::forbidden("Sign in first, then try again."),
        },
    };
    match page(request, &refused).await {
        Ok(page) => page,
        // the page itself failed, which was logged: something plainer
        Err(_) => HttpResponse::build(refused.status)
            .insert_header((CONTENT_TYPE, "text/html; charset=UTF-8"))
            .body(plain_error(refused.status.as_u16(), phrase(refused.status))),
    }
}

/// To the login page, which leads back; only for requests that can be repeated.
async fn to_login(request: &HttpRequest) -> Result<HttpResponse, PageError> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(PageError::LoginNeeded);
    }
    let hub = hub_of(request)?;
    let visitor = Visitor::of(request, &hub).await?;
    let to = format!("{}?next={}", hub.path("login"), escape_value(&visitor.visit.uri));
    visitor.redirect(StatusCode::FOUND, &to)
}

async fn page(request: &HttpRequest, refused: &Refused) -> Result<HttpResponse, PageError> {
    let hub = hub_of(request)?;
    let visitor = Visitor::of(request, &hub).await?;
    let mut page = error_page(refused);
    if refused.retry_after.is_some() && *request.method() == Method::GET {
        let uri = &visitor.visit.uri;
        page.retry_url = Some(address::path(uri).to_owned());
        page.retry_arguments = Arguments::of(uri)
            .without(&[xsrf::NAME])
            .into_iter()
            .map(|(name, value)| Argument { name, value })
            .collect();
    }
    if refused.status == StatusCode::FORBIDDEN && visitor.user.is_none() && writes(request) {
        page.sign_in_url = Some(format!("{}?next={}", hub.path("login"), escape_value(&hub.path("home"))));
    }
    let mut response = visitor.page(&hub, refused.status, &page).await?;
    if let Some(seconds) = refused.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

fn error_page(refused: &Refused) -> ErrorPage {
    ErrorPage {
        status_code: refused.status.as_u16(),
        status_message: phrase(refused.status).to_owned(),
        message: Some(refused.message.clone()).filter(|message| !message.is_empty()),
        retry_after: refused.retry_after,
        ..ErrorPage::default()
    }
}

fn phrase(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Unknown error")
}

/// Whether a request may change something, so that its XSRF token comes before everything else.
fn writes(request: &HttpRequest) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
}

async fn checked(request: &HttpRequest, payload: web::Payload) -> Result<(), PageError> {
    if writes(request) {
        Submission::from_request(request, &mut payload.into_inner()).await?;
    }
    Ok(())
}

/// No page lives here.
///
/// # Errors
/// Always: 404, or 403 for writing without an XSRF token.
pub async fn not_found(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    checked(&request, payload).await?;
    Err(Refused::not_found("").into())
}

/// The page is not for this method.
///
/// # Errors
/// Always: 405, or 403 for writing without an XSRF token.
pub async fn wrong_method(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    checked(&request, payload).await?;
    let message = format!("{} is not possible here.", request.method());
    Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, message).into())
}

/// `GET <hub>error/<status>`: what a proxy shows with that status. Always 200 itself (pages.md 6.12).
///
/// # Errors
/// 404 if it isn't a number.
pub async fn for_proxies(
    hub: web::Data<Hub>,
    mut visitor: Visitor,
    status: web::Path<u16>,
) -> Result<HttpResponse, PageError> {
    let status = status.into_inner();
    let status_message = StatusCode::from_u16(status).map_or("Unknown error", phrase).to_owned();
    let home = hub.path("home");
    let texts = hub.renderer.texts();
    let message_html = (status == 503).then(|| {
        let sentence = format!(
            "Your server appears to be down. Try restarting it <a href=\"{home}\">from the home page</a>."
        );
        texts.said(visitor.language, &sentence).into_owned()
    });
    let restart_url = match visitor.arguments().last("url") {
        Some(url) if status == 503 => restart_url(&hub, &visitor, url),
        _ => None,
    };
    let page =
        ErrorPage { status_code: status, status_message, message_html, restart_url, ..ErrorPage::default() };
    let html = visitor.render(&hub, &page, Some(home)).await?;
    Ok(visitor.written(&hub, StatusCode::OK, html))
}

/// Where the server is restarted that was to answer at `url`, and then comes back to it. Whether there is one, and may be
/// restarted by the visitor, is seen there: the proxy asks for this page in nobody's name.
fn restart_url(hub: &Hub, visitor: &Visitor, url: &str) -> Option<String> {
    let path = address::path(url).strip_prefix(&format!("{}user/", hub.settings.base_url))?;
    let mut names = path.split('/').map(|part| percent_decode_str(part).decode_utf8_lossy());
    let user = Username::from_stored(names.next().filter(|name| !name.is_empty())?.as_ref());
    let named = names.next().filter(|name| !name.is_empty() && hub.settings.named_servers);
    let named = named.map(|name| ServerKey::new(user.clone(), ServerName::from_stored(name.as_ref())));
    let key = named
        .filter(|key| hub.servers.status(key).is_active())
        .unwrap_or_else(|| ServerKey::new(user, ServerName::default_server()));
    let next = visitor.visit.next(Some(url))?;
    Some(Arguments::default().with("next", next).added_to(&links(hub, &key).restart_url))
}
