//! One request to the API and its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Body;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{Answer, Api};
use crate::clock::{iso, parse_iso};
use crate::path::{is_well_escaped, normalise};
use crate::route::Route;

const RESOURCE: &str = "/api/routes";
/// Far beyond what describes a route.
const MAX_BODY: usize = 1024 * 1024;
/// From the head to the end of the body. Strangers get this far, and must not keep the places of others (SEC-099).
const BODY_TIME: Duration = Duration::from_secs(30);
const HANDED_OVER: &str = "Another process has the routes now: ask again";
const NO_TARGET: &str = "Must specify 'target' as string";

/// Why a request was not granted: a status and words for it, usually none.
struct Refusal(StatusCode, String);

impl Refusal {
    fn bare(status: StatusCode) -> Self {
        Self(status, String::new())
    }

    fn bad(text: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, text.into())
    }
}

type Outcome = Result<Answer, Refusal>;

/// Answers and counts one request, and logs it without its query.
pub(crate) async fn answer<B>(api: &Api, request: Request<B>) -> Answer
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let (answer, words) = match dispatch(api, &head, body).await {
        Ok(answer) => (answer, String::new()),
        Err(Refusal(status, text)) => (with_status(status, Full::from(text.clone())), text),
    };
    let (code, method, path) = (answer.status().as_u16(), &head.method, head.uri.path());
    let words = if words.is_empty() { words } else { format!(" {words}") };
    match code {
        ..400 => log::info!("{code} {method} {path}{words}"),
        400..500 => log::warn!("{code} {method} {path}{words}"),
        _ => log::error!("{code} {method} {path}{words}"),
    }
    api.metrics.api_answered(code);
    answer
}

async fn dispatch<B>(api: &Api, head: &Parts, body: B) -> Outcome
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let path = normalise(head.uri.path());
    let Some(rest) = path.strip_prefix(RESOURCE).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    else {
        return Err(Refusal(StatusCode::NOT_FOUND, "Not Found".to_owned()));
    };
    let is_known = [Method::GET, Method::POST, Method::DELETE].contains(&head.method);
    if !is_known {
        return Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, "Method not supported".to_owned()));
    }
    // Before the question who asks, as in CHP.
    let body = if head.method == Method::POST { Some(read(body).await?) } else { None };
    if api.token.as_ref().is_some_and(|token| !token.is_shown_in(&head.headers)) {
        log::debug!("Rejecting API request without a valid token");
        return Err(Refusal::bare(StatusCode::FORBIDDEN));
    }
    let key = decode(rest)?;
    match body {
        Some(body) => add(api, &key, body).await,
        None if head.method == Method::DELETE => remove(api, &key).await,
        None if key == "/" => list(api, head.uri.query().unwrap_or_default()),
        None => show(api, &key),
    }
}

/// The key behind `/api/routes`; nothing means `/`.
fn decode(rest: &str) -> Result<String, Refusal> {
    if !is_well_escaped(rest) {
        return Err(Refusal::bad("Path is not validly percent-encoded UTF-8"));
    }
    let decoded = percent_decode_str(rest).decode_utf8_lossy();
    Ok(match decoded.trim_end_matches('/') {
        "" => "/".to_owned(),
        key => key.to_owned(),
    })
}

async fn read<B>(body: B) -> Result<Value, Refusal>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let collected = tokio::time::timeout(BODY_TIME, Limited::new(body, MAX_BODY).collect()).await;
    let collected = collected
        .map_err(|_| Refusal(StatusCode::REQUEST_TIMEOUT, "Body did not come in time".to_owned()))?;
    let bytes = match collected {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, "Body is larger than 1 MiB".to_owned()));
        }
        Err(error) => return Err(Refusal::bad(format!("Body broke off: {error}"))),
    };
    serde_json::from_slice(&bytes).map_err(|why| {
        let why = if why.is_eof() { "Unexpected end of JSON input".to_owned() } else { why.to_string() };
        Refusal::bad(format!("Body not valid JSON: SyntaxError: {why}"))
    })
}

async fn add(api: &Api, key: &str, body: Value) -> Outcome {
    let Value::Object(mut data) = body else { return Err(Refusal::bad(NO_TARGET)) };
    let Some(Value::String(target)) = data.shift_remove("target") else {
        return Err(Refusal::bad(NO_TARGET));
    };
    data.shift_remove("last_activity");
    let route = Route::from_key(api.matching, key, &target, Value::Object(data))
        .map_err(|why| Refusal::bad(why.to_string()))?;
    if let Some(why) = route.target_problem() {
        log::warn!("Route {key} leads nowhere: {why}");
    }
    let shown = route.target_for_log().into_owned();
    pass(api).await?;
    log::info!("Adding route {key} -> {shown}");
    api.writer.add(route).await.map_err(|why| Refusal(StatusCode::INTERNAL_SERVER_ERROR, why))?;
    log::info!("Route added {key} -> {shown}");
    api.metrics.api_route_added();
    Ok(with_status(StatusCode::CREATED, Full::default()))
}

/// A change that came too late would be lost; who sent it tries again, and reaches the other process.
async fn pass(api: &Api) -> Result<(), Refusal> {
    match api.gate.pass().await {
        true => Ok(()),
        false => Err(Refusal(StatusCode::SERVICE_UNAVAILABLE, HANDED_OVER.to_owned())),
    }
}

async fn remove(api: &Api, key: &str) -> Outcome {
    pass(api).await?;
    api.metrics.api_route_deleted();
    let spec = api.routes.load().get_key(key).map(|route| route.spec().to_owned());
    if let Some(spec) = spec {
        log::info!("Removing route {key}");
        if api.writer.remove(&spec).await {
            return Ok(with_status(StatusCode::NO_CONTENT, Full::default()));
        }
    }
    Err(Refusal::bare(StatusCode::NOT_FOUND))
}

fn list(api: &Api, query: &str) -> Outcome {
    let before = inactive_since(query)?;
    let table = api.routes.load();
    let is_wanted = |route: &Route| {
        before.is_none_or(|before| i64::try_from(route.last_activity_ms()).unwrap_or(i64::MAX) < before)
    };
    let listed = table.iter().filter(|route| is_wanted(route)).map(|route| (route.key(), view(route)));
    let listed = Value::Object(listed.collect());
    api.metrics.api_routes_listed();
    Ok(json(&listed))
}

/// The time given as `inactiveSince`, or else as `inactive_since`; empty is not given.
fn inactive_since(query: &str) -> Result<Option<i64>, Refusal> {
    let find = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.into_owned())
    };
    let Some(text) = find("inactiveSince").or_else(|| find("inactive_since")) else { return Ok(None) };
    match parse_iso(&text) {
        Some(millis) => Ok(Some(millis)),
        None => Err(Refusal::bad(format!("Invalid datestamp '{text}' must be ISO8601."))),
    }
}

fn show(api: &Api, key: &str) -> Outcome {
    match api.routes.load().get_key(key) {
        Some(route) => Ok(json(&view(route))),
        None => Err(Refusal::bare(StatusCode::NOT_FOUND)),
    }
}

/// A route as CHP shows it. Data that is no object has no place in it.
fn view(route: &Arc<Route>) -> Value {
    let mut view = Map::new();
    view.insert("target".to_owned(), route.target().into());
    if let Some(data) = route.data().as_object() {
        let free = data.iter().filter(|(key, _)| !["target", "last_activity"].contains(&key.as_str()));
        view.extend(free.map(|(key, value)| (key.clone(), value.clone())));
    }
    view.extend(route.host().map(|host| ("host".to_owned(), host.into())));
    view.insert("last_activity".to_owned(), iso(route.last_activity_ms()).into());
    Value::Object(view)
}

fn json(value: &Value) -> Answer {
    let mut answer = Response::new(Full::from(Bytes::from(value.to_string())));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn with_status(status: StatusCode, body: Full<Bytes>) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

#[cfg(test)]
mod tests;
