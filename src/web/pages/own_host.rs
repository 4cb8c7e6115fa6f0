//! With subdomains every user and service has a host of its own, and what no server answers there comes to the hub.
//! The hub's pages live on its own host only: on a user's, that user's server could read and press everything.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HOST, LOCATION};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use log::warn;

use super::visitor::hub_of;
use crate::domain::allow::abbreviate;
use crate::domain::places::Places;
use crate::web::error::{PageError, Refused};
use crate::web::state::WebSettings;

/// Answers a request for a page on another host than the hub's: reading leads to the hub, writing is refused.
///
/// # Errors
/// Those of the service, and 403 for a form that was sent to the wrong host.
pub async fn insist(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let hub = hub_of(request.request()).map_err(PageError::from)?;
    let settings = &hub.settings;
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if request.method() == Method::POST && request.path() == hub.path("login") {
        warn_of_odd_host(&settings.places, host);
    }
    if !settings.places.is_elsewhere(host) || !is_page(settings, &request) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    if request.method() != Method::GET {
        let message = "The hub's pages are not on this host; open them at its own address.";
        return Err(PageError::from(Refused::forbidden(message)).into());
    }
    let uri = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let to = format!("{}{uri}", settings.places.public_origin());
    Ok(request.into_response(HttpResponse::Found().insert_header((LOCATION, to)).finish()))
}

/// Cookies are for the host that set them: who signs in under another name of the machine is nobody at the hub's own.
fn warn_of_odd_host(places: &Places, host: &str) {
    let Some(hosts) = places.subdomains() else { return };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !name.eq_ignore_ascii_case(&hosts.domain) {
        let host = abbreviate(host);
        warn!(host = host.as_str(), hub = hosts.domain.as_str(); "a login on another host than the hub's");
    }
}

/// What a person looks at. Programs reach the API under any name, the proxy fetches error pages for every host, and a
/// stopped server's address answers programs itself.
fn is_page(settings: &WebSettings, request: &ServiceRequest) -> bool {
    if matches!(*request.method(), Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let Some(below) = request.path().strip_prefix(settings.hub_prefix.as_str()) else { return false };
    match below.split('/').next().unwrap_or_default() {
        "api" => below.starts_with("api/oauth2/authorize"),
        "error" | "metrics" => false,
        "user" => request.method() == Method::GET,
        _ => true,
    }
}
