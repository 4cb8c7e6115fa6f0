//! One request: refuse it or find its route, send it on, relay the answer.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body, Incoming};
use hyper::upgrade::OnUpgrade;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::body::{Busy, Completion, RequestBody, ResponseBody};
use crate::config::ErrorTarget;
use crate::error_page::{self, Fault};
use crate::headers::{self, Kind};
use crate::path;
use crate::pool::{Lease, Pool};
use crate::refuse::{self, Refusal};
use crate::route::Route;
use crate::table::Routes;
use crate::target::Target;
use crate::tunnel::Tunnel;

/// Answered by the proxy itself, for load balancers and monitors.
const HEALTH: &str = "/_chp_healthz";

/// What browsers escape in a path and hyper lets through all the same; it refuses
/// the others (``<>` `` and spaces). In a query it lets nothing of the kind pass.
const PATH_ESCAPES: &AsciiSet = &CONTROLS.add(b'"').add(b'{').add(b'}');

/// What all requests of a worker share.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) routes: Routes,
    pub(crate) pool: Rc<Pool>,
    pub(crate) error_target: Option<ErrorTarget>,
}

/// What all requests of a client connection share.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) worker: Rc<Worker>,
    pub(crate) peer: IpAddr,
    /// Cloned into every exchange, so that an idle connection is recognised.
    pub(crate) busy: Busy,
    pub(crate) requests: Cell<u64>,
    /// Set when the connection is about to stop being HTTP.
    pub(crate) tunnel: RefCell<Option<Tunnel>>,
}

impl Client {
    /// Whether no request is under way. The connection itself holds one mark.
    pub(crate) fn is_idle(&self) -> bool {
        self.busy.is_sole()
    }
}

/// A request ready for a server.
struct Prepared {
    request: Request<RequestBody>,
    method: Method,
    upgrade: Option<Upgrade>,
}

/// A wish to change the protocol, taken out of a request.
struct Upgrade {
    protocol: HeaderValue,
    client: OnUpgrade,
}

/// Answers one request. Never fails: every failure is an answer.
pub(crate) async fn answer(
    client: Rc<Client>,
    mut request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    client.requests.set(client.requests.get().wrapping_add(1));
    let busy = client.busy.clone();
    if let Err(refusal) = refuse::check(&request) {
        log::debug!(peer:% = client.peer; "refused: {refusal}");
        return Ok(error_page::refused(refusal, busy));
    }
    if request.uri().path_and_query().is_some_and(|asked| asked.as_str() == HEALTH) {
        return Ok(healthy(busy));
    }
    let asked = request.uri().clone();
    let upgrade = take_upgrade(&mut request);
    let kind = if upgrade.is_some() { Kind::Upgrade } else { Kind::Plain };
    let fault = match find_route(&client, asked.path()) {
        Ok(route) => match prepare(request, upgrade, &route, client.peer) {
            Ok(prepared) => match forward(&client, prepared, &route, busy.clone()).await {
                Ok(response) => return Ok(response),
                Err(fault) => fault,
            },
            Err(refusal) => return Ok(error_page::refused(refusal, busy)),
        },
        Err(fault) => fault,
    };
    Ok(fail(&client, &fault, &asked, kind, busy).await)
}

fn healthy(busy: Busy) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::own(r#"{"status":"OK"}"#, busy));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn find_route(client: &Client, path: &str) -> Result<Arc<Route>, Fault> {
    if !path::is_well_escaped(path) {
        return Err(Fault::BadEscape);
    }
    client.worker.routes.load().find(path).cloned().ok_or(Fault::NoRoute)
}

async fn fail(client: &Client, fault: &Fault, asked: &Uri, kind: Kind, busy: Busy) -> Response<ResponseBody> {
    let status = fault.status().as_u16();
    match fault {
        Fault::NoRoute | Fault::BadEscape => log::debug!(status, path = asked.path(); "{fault}"),
        Fault::Unreachable(_) | Fault::UnaskedSwitch => log::warn!(status, path = asked.path(); "{fault}"),
    }
    if kind == Kind::Upgrade {
        return error_page::bare(fault, busy);
    }
    let worker = &client.worker;
    let url = asked.path_and_query().map_or("/", PathAndQuery::as_str);
    error_page::page(fault, url, worker.error_target.as_ref(), &worker.pool, busy).await
}

/// Turns a client's request into one for a server. The header map is moved.
fn prepare(
    request: Request<Incoming>,
    upgrade: Option<Upgrade>,
    route: &Arc<Route>,
    peer: IpAddr,
) -> Result<Prepared, Refusal> {
    let (mut head, body) = request.into_parts();
    let target = route.parsed_target();
    let host = head.uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    let kind = if upgrade.is_some() { Kind::Upgrade } else { Kind::Plain };
    headers::strip_hop_by_hop(&mut head.headers);
    headers::join_cookies(&mut head.headers);
    head.headers.entry(HOST).or_insert_with(|| host.unwrap_or_else(|| target.authority.clone()));
    headers::add_forwarded(&mut head.headers, peer, kind);
    if let Some(upgrade) = &upgrade {
        headers::set_upgrade(&mut head.headers, upgrade.protocol.clone());
    }
    frame(&head.method, &mut head.headers, &body);
    head.uri = upstream_uri(head.uri, target)?;
    head.version = Version::HTTP_11;
    let method = head.method.clone();
    let body = match body.is_end_stream() {
        true => RequestBody::Empty,
        false => RequestBody::Relayed { inner: body, route: Arc::clone(route) },
    };
    Ok(Prepared { request: Request::from_parts(head, body), method, upgrade })
}

/// The wish to change the protocol, if the client may have one: not within HTTP/2
/// or before a body, and never to `h2c`, which would carry requests past the
/// route table.
fn take_upgrade(request: &mut Request<Incoming>) -> Option<Upgrade> {
    let fields = request.headers();
    let is_named = headers::tokens(fields, &CONNECTION).any(|option| option.eq_ignore_ascii_case("upgrade"));
    let is_possible = is_named && request.version() == Version::HTTP_11 && request.body().is_end_stream();
    let is_http2 = |token: &str| token.to_ascii_lowercase().starts_with("h2");
    if !is_possible || headers::tokens(fields, &UPGRADE).any(is_http2) {
        return None;
    }
    let protocol = fields.get(UPGRADE).cloned()?;
    Some(Upgrade { protocol, client: hyper::upgrade::on(request) })
}

/// Says how the body is delimited where hyper would guess: it sends no body with
/// a GET of unknown length, and some servers wait for a length on DELETE.
fn frame(method: &Method, fields: &mut HeaderMap, body: &Incoming) {
    if fields.contains_key(CONTENT_LENGTH) {
        return;
    }
    if !body.is_end_stream() {
        fields.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    } else if [Method::DELETE, Method::OPTIONS].contains(method) {
        fields.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
}

/// The origin-form URI for a server: path normalised, target's path before it.
fn upstream_uri(asked: Uri, target: &Target) -> Result<Uri, Refusal> {
    let normal = path::normalise(asked.path());
    let path: Cow<'_, str> = utf8_percent_encode(&normal, PATH_ESCAPES).into();
    if target.prefix.is_empty() && path == asked.path() && asked.authority().is_none() {
        return Ok(asked);
    }
    let joined = match asked.query() {
        Some(query) => format!("{}?{query}", target.join(&path)),
        None => target.join(&path),
    };
    PathAndQuery::try_from(joined).map(Uri::from).map_err(|_| Refusal::TooLong)
}

async fn forward(
    client: &Client,
    prepared: Prepared,
    route: &Arc<Route>,
    busy: Busy,
) -> Result<Response<ResponseBody>, Fault> {
    let Prepared { request, method, upgrade } = prepared;
    let endpoint = &route.parsed_target().endpoint;
    let (response, lease) = client.worker.pool.send(endpoint, request).await?;
    match (response.status(), upgrade) {
        (StatusCode::SWITCHING_PROTOCOLS, Some(upgrade)) => {
            Ok(switch(client, response, upgrade, route, busy))
        }
        (StatusCode::SWITCHING_PROTOCOLS, None) => Err(Fault::UnaskedSwitch),
        _ => Ok(relay(response, lease, &method, route, busy)),
    }
}

fn switch(
    client: &Client,
    mut response: Response<Incoming>,
    upgrade: Upgrade,
    route: &Arc<Route>,
    busy: Busy,
) -> Response<ResponseBody> {
    let server = hyper::upgrade::on(&mut response);
    client.tunnel.replace(Some(Tunnel { client: upgrade.client, server, route: Arc::clone(route) }));
    let fields = response.headers_mut();
    let protocol = fields.get(UPGRADE).cloned().unwrap_or(upgrade.protocol);
    headers::strip_hop_by_hop(fields);
    headers::set_upgrade(fields, protocol);
    response.map(|_| ResponseBody::own("", busy))
}

fn relay(
    response: Response<Incoming>,
    lease: Lease,
    method: &Method,
    route: &Arc<Route>,
    busy: Busy,
) -> Response<ResponseBody> {
    let (mut head, body) = response.into_parts();
    if head.headers.contains_key(TRANSFER_ENCODING) && method != Method::HEAD {
        // A length beside a transfer coding is a contradiction that only hyper
        // has resolved so far.
        head.headers.remove(CONTENT_LENGTH);
    }
    headers::strip_hop_by_hop(&mut head.headers);
    head.version = Version::HTTP_11;
    let used = (head.status.as_u16() < 300).then(|| Arc::clone(route));
    Response::from_parts(head, ResponseBody::relayed(body, Completion { lease, used }, busy))
}
