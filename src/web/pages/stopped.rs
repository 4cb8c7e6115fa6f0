//! `user/<user>[/...]`: what the hub answers in place of a server that is not reachable (pages.md 6.6,
//! singleuser-contract.md 7).

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::address::{self, Arguments};
use super::failure;
use super::form::Submission;
use super::target;
use super::visitor::Visitor;
use crate::domain::access::Resource;
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::web::caller::{Caller, Notice};
use crate::web::error::{PageError, Refused};
use crate::web::render::pages::NotRunningPage;
use crate::web::state::Hub;

/// The longest pause between two redirects.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Counts how often a browser was sent to a server that the proxy did not find.
const REDIRECTS: &str = "redirects";

/// The variable parts of the path.
#[derive(Debug, Clone, Deserialize)]
pub struct Place {
    user: String,
    rest: Option<String>,
}

impl Place {
    fn segments(&self) -> impl Iterator<Item = &str> {
        self.rest.as_deref().unwrap_or_default().split('/')
    }

    /// The server that the first segment names, if it does.
    fn named(&self) -> Option<&str> {
        self.segments().next().filter(|name| !name.is_empty())
    }

    fn default_server(&self) -> ServerKey {
        ServerKey::new(Username::from_stored(self.user.as_str()), ServerName::default_server())
    }

    fn is_api(&self) -> bool {
        self.segments().any(|segment| segment == "api")
    }
}

/// `GET`. A program is told that the server is not running also without anybody's name, as nothing is said that the
/// address does not say.
///
/// # Errors
/// 404 without access to the server; 500 if a browser runs in circles.
pub async fn show(
    hub: web::Data<Hub>,
    request: HttpRequest,
    mut visitor: Visitor,
    place: web::Path<Place>,
) -> Result<HttpResponse, PageError> {
    if let Some(caller) = bearer(&hub, &request).await? {
        visitor.become_user(Some(caller));
    }
    let Some(caller) = visitor.user.clone() else {
        // a page of a lab that asks on and on is not sent to sign in (UI-081)
        return match place.is_api() || prefers_json(&request) {
            true => Ok(tell_program(&hub, &visitor, &place.default_server())),
            false => Err(PageError::LoginNeeded),
        };
    };
    let key = find(&hub, &caller, &place).await?;
    let status = hub.servers.status(&key);
    let uri = visitor.visit.uri.clone();
    if status.ready {
        return to_server(&hub, visitor, &key).await;
    }
    if place.is_api() || prefers_json(&request) {
        return Ok(tell_program(&hub, &visitor, &key));
    }
    if status.pending.is_some() || status.failure().is_some() {
        let pending = target::links(&hub, &key).pending_url;
        return visitor
            .redirect(StatusCode::SEE_OTHER, &Arguments::default().with("next", uri).added_to(&pending));
    }
    let may_start = target::may_start(&caller, &key);
    let page = NotRunningPage {
        owner: key.user.to_string(),
        server_name: key.server.to_string(),
        spawn_url: may_start.then(|| target::spawn_url(&hub, &key, Some(&uri))),
        implicit_spawn_seconds: hub.settings.implicit_spawn_after.as_secs_f64(),
        failed: false,
        failure: failure::of(&status).filter(|_| may_start),
    };
    visitor.page(&hub, stopped_status(&hub), &page).await
}

/// `POST`, `PATCH`, `DELETE`: whatever it was for, it is not running, and a program is told so. Nobody is asked who
/// they are, as nothing is said that the address does not say.
///
/// # Errors
/// 403 for a browser without an XSRF token.
pub async fn write(
    hub: web::Data<Hub>,
    request: HttpRequest,
    payload: web::Payload,
    place: web::Path<Place>,
) -> Result<HttpResponse, PageError> {
    let visitor = if bearer(&hub, &request).await?.is_some() {
        Visitor::of(&request, &hub).await?
    } else {
        Submission::from_request(&request, &mut payload.into_inner()).await?.visitor
    };
    Ok(tell_program(&hub, &visitor, &place.default_server()))
}

/// Whose token the request came with.
async fn bearer(hub: &Hub, request: &HttpRequest) -> Result<Option<std::sync::Arc<Caller>>, Refused> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, token)) = header.and_then(|header| header.trim().split_once(' ')) else {
        return Ok(None);
    };
    if !scheme.eq_ignore_ascii_case("token") && !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    // programs, too, ask again and again for what does not run
    hub.caller_by_token(token.trim(), Notice::Nothing).await
}

/// Which server it is about. Whether it or its owner exists shows only to those with access.
async fn find(hub: &Hub, caller: &Caller, place: &Place) -> Result<ServerKey, Refused> {
    let owner = Username::from_stored(place.user.as_str());
    let may =
        |server: &str| caller.may(&["access:servers"], Resource::Server { user: owner.as_str(), server });
    let named = place.named();
    let nobodys = || Refused::not_found("No access to resources or resources not found");
    if !may("") && !named.is_some_and(may) {
        return Err(nobodys());
    }
    let default = ServerKey::new(owner.clone(), ServerName::default_server());
    let candidate = named.filter(|_| hub.settings.named_servers);
    let key = candidate
        .map_or_else(|| default.clone(), |name| ServerKey::new(owner.clone(), ServerName::from_stored(name)));
    let wanted = key.clone();
    let (_, server) = hub.store.read(move |db| target::look_up(db, &wanted)).await?.ok_or_else(nobodys)?;
    Ok(if server.is_some() { key } else { default })
}

/// The proxy has not found the server yet although it is there: back to it, after a pause that grows.
async fn to_server(hub: &Hub, visitor: Visitor, key: &ServerKey) -> Result<HttpResponse, PageError> {
    let arguments = visitor.arguments();
    let redirects: u32 = arguments.last(REDIRECTS).and_then(|count| count.parse().ok()).unwrap_or(0);
    if redirects >= hub.settings.user_redirects {
        let message = "Redirect loop detected: the server runs, but the proxy does not lead to it. Try again in a moment.";
        return Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, message).into());
    }
    if redirects > 0 {
        let pause = Duration::from_secs(2_u64.saturating_pow(redirects)).min(LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
    }
    let path = address::path(&visitor.visit.uri);
    let path = path
        .strip_prefix(&hub.settings.hub_prefix)
        .map_or_else(|| path.to_owned(), |inner| format!("{}{inner}", hub.settings.base_url));
    let place = format!("{}{path}", hub.settings.places.server_origin(&key.user));
    let to = arguments.without(&[REDIRECTS]).with(REDIRECTS, (redirects + 1).to_string()).added_to(&place);
    visitor.redirect(StatusCode::FOUND, &to)
}

fn stopped_status(hub: &Hub) -> StatusCode {
    if hub.settings.legacy_stopped_server_status {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::FAILED_DEPENDENCY
    }
}

/// What JupyterLab understands as "the server was shut down".
fn tell_program(hub: &Hub, visitor: &Visitor, key: &ServerKey) -> HttpResponse {
    let path = address::path(&visitor.visit.uri);
    let inner =
        path.strip_prefix(&hub.settings.hub_prefix).or_else(|| path.strip_prefix(&hub.settings.base_url));
    let spawn_url = target::spawn_url(hub, key, None);
    let message = format!(
        "JupyterHub server no longer running at /{}. Restart the server at {}{spawn_url}",
        inner.unwrap_or(path).trim_start_matches('/'),
        hub.public("").unwrap_or_else(|| visitor.visit.base()),
    );
    HttpResponse::build(stopped_status(hub))
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(json!({ "message": message }).to_string())
}

fn prefers_json(request: &HttpRequest) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(json_before_html)
}

/// Whether JSON has a higher quality than HTML in an `Accept` header, or comes first with the same.
fn json_before_html(accept: &str) -> bool {
    let rank = |wanted: &str| {
        let entries = accept.split(',').enumerate();
        let quality = |parameters: &str| {
            let named = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
            named.map_or(1.0, |text| text.trim().parse().unwrap_or(0.0))
        };
        let mut found = entries.filter_map(|(at, entry)| {
            let (kind, parameters) = entry.split_once(';').unwrap_or((entry, ""));
            kind.trim().eq_ignore_ascii_case(wanted).then(|| (quality(parameters), std::cmp::Reverse(at)))
        });
        found.next().filter(|(quality, _): &(f32, _)| *quality > 0.0)
    };
    match (rank("application/json"), rank("text/html")) {
        (Some(json), Some(html)) => json > html,
        (json, html) => json.is_some() && html.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_what_they_accept() {
        for accept in [
            "application/json",
            "application/json, text/html",
            "text/html;q=0.5, application/json;q=0.9",
            "APPLICATION/JSON;q=0.1",
        ] {
            assert!(json_before_html(accept), "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "text/html",
            "text/html, application/json",
            "application/json;q=0.5, text/html",
            "application/json;q=0",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ] {
            assert!(!json_before_html(accept), "{accept}");
        }
    }

    #[test]
    fn an_api_address_has_a_segment_of_that_name() {
        let place = |rest: Option<&str>| Place { user: "ada".to_owned(), rest: rest.map(str::to_owned) };
        assert!(place(Some("api/contents")).is_api());
        assert!(place(Some("lab/api")).is_api());
        assert!(!place(Some("lab/tree/apis")).is_api());
        assert!(!place(None).is_api());
        assert_eq!(place(Some("two/lab")).named(), Some("two"));
        assert_eq!(place(Some("")).named(), None);
    }
}
