//! From a client's request head to the one that its server gets.
//!
//! Lines that pass are copied as they are, in as few pieces as possible; what the proxy adds follows after them
//! (proxy.md section 8).

use std::borrow::Cow;
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::fault::Fault;
use super::own::field;
use crate::config::{Forwarding, ProxyConfig, Trust};
use crate::http1::field::{Field, elements};
use crate::http1::head::Line;
use crate::http1::request::{Framing, Refusal, RequestHead, read};
use crate::path;
use crate::route::Route;
use crate::table::RouteTable;
use crate::target::Target;

/// Answered by the proxy itself, for load balancers and monitors.
const HEALTH: &str = "/_chp_healthz";

/// What browsers escape in a path and `httparse` lets through all the same.
const PATH_ESCAPES: &AsciiSet = &CONTROLS.add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}');

/// The side of a connection that clients see.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    /// The client's address; `None` on a UNIX socket.
    pub(crate) peer: Option<IpAddr>,
    peer_text: String,
    /// Whether the client speaks TLS to this proxy.
    is_tls: bool,
    /// Whether what the client says about its own client is passed on.
    is_trusted: bool,
}

impl Front {
    pub(crate) fn new(peer: Option<IpAddr>, is_tls: bool, trust: Option<&Trust>) -> Self {
        let is_trusted = match (trust, peer) {
            (Some(trust), Some(peer)) => trust.holds(peer),
            // Who may connect to a UNIX socket is a matter of its mode.
            (Some(_), None) | (None, _) => true,
        };
        Self { peer, peer_text: peer.map(|peer| peer.to_string()).unwrap_or_default(), is_tls, is_trusted }
    }

    /// The values of a field that an outer proxy may have set.
    fn told<'b>(&self, head: &RequestHead<'_, 'b>, kind: Field) -> impl Iterator<Item = &'b [u8]> {
        head.fields.values(kind).filter(|_| self.is_trusted)
    }

    /// The client's address; empty on a UNIX socket.
    pub(crate) fn peer_text(&self) -> &str {
        &self.peer_text
    }
}

/// What a request is for.
#[derive(Debug)]
pub(crate) enum Goal {
    Health,
    Route(Arc<Route>),
    Fault(Fault),
}

/// What must be known of a request after its head is gone.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) goal: Goal,
    pub(crate) method: Method,
    pub(crate) is_http11: bool,
    pub(crate) keeps_connection: bool,
    pub(crate) framing: Framing,
    pub(crate) is_upgrade: bool,
    pub(crate) expects_continue: bool,
}

/// Methods by what the proxy does differently for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Head,
    Other,
}

/// Where the parts of a translated request are written. Reused from request to request.
#[derive(Debug, Default)]
pub(crate) struct Translated {
    /// The head for the server.
    pub(crate) head: Vec<u8>,
    /// Path and query as the client sent them.
    pub(crate) asked: String,
    /// The method, for the log.
    pub(crate) method: String,
    /// The host that the client asked for.
    pub(crate) host: String,
}

/// Reads a complete head, finds its route and writes the head for the server.
pub(crate) fn translate(
    head: &[u8],
    table: &RouteTable,
    config: &ProxyConfig,
    front: &Front,
    out: &mut Translated,
) -> Result<Request, Refusal> {
    read(head, |head| {
        out.head.clear();
        replace(&mut out.asked, head.path);
        replace(&mut out.method, head.method);
        replace(&mut out.host, head.host.unwrap_or_default());
        let is_upgrade = is_upgrade(head);
        let goal = goal(head, table, config);
        if let Goal::Route(route) = &goal
            && let Ok(target) = route.parsed_target()
        {
            write_head(head, route, target, config, front, is_upgrade, &mut out.head);
        }
        Ok(Request {
            goal,
            method: if head.method == "HEAD" { Method::Head } else { Method::Other },
            is_http11: head.is_http11,
            keeps_connection: head.is_http11 && !head.options.close,
            framing: head.framing,
            is_upgrade,
            expects_continue: head.expects_continue && head.framing != Framing::Empty,
        })
    })
}

fn replace(kept: &mut String, text: &str) {
    kept.clear();
    kept.push_str(text);
}

fn split_query(asked: &str) -> (&str, Option<&str>) {
    match asked.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (asked, None),
    }
}

fn goal(head: &RequestHead<'_, '_>, table: &RouteTable, config: &ProxyConfig) -> Goal {
    if head.path == HEALTH {
        return Goal::Health;
    }
    let (path, _) = split_query(head.path);
    let host = if config.host_routing { head.host } else { None };
    if !path::is_well_escaped(path) {
        let root = table.find_for(host, "/").filter(|root| config.hub_answers_bad_escapes && is_hub(root));
        return root.map_or(Goal::Fault(Fault::BadEscape), |hub| Goal::Route(Arc::clone(hub)));
    }
    match table.find_for(host, path) {
        Some(route) if route.target_problem().is_some() => Goal::Fault(Fault::BadTarget),
        Some(route) => Goal::Route(Arc::clone(route)),
        None => Goal::Fault(Fault::NoRoute),
    }
}

/// Whether a route leads to the hub, which marks its own.
fn is_hub(route: &Route) -> bool {
    route.data().get("hub").and_then(serde_json::Value::as_bool) == Some(true)
}

/// Whether the request wants to become a websocket, and may: GET, and not before a body (RFC 6455 section 4.1). Other
/// protocols are not for a proxy to let in: HTTP/2 would carry requests past the route table.
fn is_upgrade(head: &RequestHead<'_, '_>) -> bool {
    let is_websocket = |protocol: &[u8]| protocol.eq_ignore_ascii_case(b"websocket");
    head.options.upgrade
        && head.is_http11
        && head.method == "GET"
        && head.framing == Framing::Empty
        && head.upgrade.is_some_and(|wanted| elements(wanted).any(is_websocket))
}

fn write_head(
    head: &RequestHead<'_, '_>,
    route: &Route,
    target: &Target,
    config: &ProxyConfig,
    front: &Front,
    is_upgrade: bool,
    out: &mut Vec<u8>,
) {
    let forwarding = &config.forwarding;
    out.extend_from_slice(head.method.as_bytes());
    out.push(b' ');
    write_path(head.path, route, target, &config.forwarding, out);
    out.extend_from_slice(b" HTTP/1.1\r\n");
    let has_host = head.fields.values(Field::Host).next().is_some() && !forwarding.change_origin;
    let withheld = Withheld::from(route, forwarding);
    let rewrites_cookies = head.fields.values(Field::Cookie).nth(1).is_some()
        || head.fields.values(Field::Cookie).any(|line| withheld.is_in(line));
    head.fields.copy_lines(out, |line| match line.kind {
        _ if is_confined(line, head, forwarding) => false,
        Field::Host => !forwarding.change_origin,
        Field::Cookie => !rewrites_cookies,
        Field::Trailer => false,
        Field::XForwardedHost | Field::Identity if !front.is_trusted => false,
        Field::XForwardedFor | Field::XForwardedPort | Field::XForwardedProto => {
            front.is_trusted && !forwarding.x_forwarded
        }
        Field::TransferEncoding => head.framing == Framing::Chunked,
        kind => {
            !kind.is_hop_by_hop() && !head.options.names(line.name) && !is_replaced(line, &forwarding.headers)
        }
    });
    if !has_host {
        let own = if forwarding.change_origin { None } else { head.host };
        field(out, b"Host", own.map_or(target.authority.as_bytes(), str::as_bytes));
    }
    if rewrites_cookies {
        let pairs = head.fields.values(Field::Cookie).flat_map(cookie_pairs);
        write_joined(b"Cookie", pairs.filter(|pair| !withheld.is(pair)), b"; ", None, out);
    }
    if forwarding.x_forwarded {
        write_forwarded(head, front, is_upgrade, out);
    }
    for (name, value) in &forwarding.headers {
        field(out, name.as_str().as_bytes(), value.as_bytes());
    }
    let has_length = head.fields.values(Field::ContentLength).next().is_some();
    if head.framing == Framing::Empty && !has_length && matches!(head.method, "DELETE" | "OPTIONS") {
        // Some servers wait for the body of such a request.
        out.extend_from_slice(b"Content-Length: 0\r\n");
    }
    if is_upgrade {
        out.extend_from_slice(b"Connection: upgrade\r\nUpgrade: websocket\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// The cookies that the server behind a route does not get.
struct Withheld<'c>(&'c [String]);

impl<'c> Withheld<'c> {
    fn from(route: &Route, forwarding: &'c Forwarding) -> Self {
        Self(if forwarding.withheld_cookies.is_empty() || is_hub(route) {
            &[]
        } else {
            &forwarding.withheld_cookies
        })
    }

    /// Whether a cookie, `name=value`, is one of them.
    fn is(&self, pair: &[u8]) -> bool {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
        self.0.iter().any(|withheld| withheld.as_bytes() == name)
    }

    fn is_in(&self, line: &[u8]) -> bool {
        !self.0.is_empty() && cookie_pairs(line).any(|pair| self.is(pair))
    }
}

fn cookie_pairs(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty())
}

fn is_replaced(line: &Line<'_>, own: &[(http::HeaderName, http::HeaderValue)]) -> bool {
    own.iter().any(|(name, _)| name.as_str().eq_ignore_ascii_case(line.name))
}

/// Whether the line is for another path than the one asked for.
fn is_confined(line: &Line<'_>, head: &RequestHead<'_, '_>, forwarding: &Forwarding) -> bool {
    forwarding.confined.as_ref().is_some_and(|confined| {
        confined.header.as_str().eq_ignore_ascii_case(line.name)
            && path::normalise(split_query(head.path).0) != confined.path
    })
}

/// The path for the server: normalised as it was for the table, with the target's own path before it.
fn write_path(asked: &str, route: &Route, target: &Target, forwarding: &Forwarding, out: &mut Vec<u8>) {
    let (path, query) = split_query(asked);
    let normal = path::normalise(path);
    let kept = match forwarding.include_prefix {
        true => Cow::Borrowed(&*normal),
        false => route.without_prefix(&normal),
    };
    let kept = match kept.bytes().any(|byte| matches!(byte, b'"' | b'<' | b'>' | b'`' | b'{' | b'}')) {
        true => Cow::Owned(utf8_percent_encode(&kept, PATH_ESCAPES).to_string()),
        false => kept,
    };
    if forwarding.prepend_path && !(target.is_origin_only() && kept.starts_with('/')) {
        out.extend_from_slice(target.join(&kept).as_bytes());
        write_query(target.join_query(query).as_deref(), out);
    } else {
        out.extend_from_slice(if kept.is_empty() { b"/" } else { kept.as_bytes() });
        write_query(query, out);
    }
}

fn write_query(query: Option<&str>, out: &mut Vec<u8>) {
    if let Some(query) = query {
        out.push(b'?');
        out.extend_from_slice(query.as_bytes());
    }
}

/// Adds the `X-Forwarded-*` fields: appended to what the client sent, so the last element is this proxy's and a server can
/// tell which ones to believe.
fn write_forwarded(head: &RequestHead<'_, '_>, front: &Front, is_upgrade: bool, out: &mut Vec<u8>) {
    let scheme: &[u8] = match (is_upgrade, front.is_tls) {
        (false, false) => b"http",
        (false, true) => b"https",
        (true, false) => b"ws",
        (true, true) => b"wss",
    };
    let default_port = if front.is_tls { "443" } else { "80" };
    let port = head.host.and_then(port_of).unwrap_or(default_port);
    let peer = Some(front.peer_text.as_bytes()).filter(|peer| !peer.is_empty());
    write_joined(b"X-Forwarded-For", front.told(head, Field::XForwardedFor), b", ", peer, out);
    write_joined(
        b"X-Forwarded-Port",
        front.told(head, Field::XForwardedPort),
        b", ",
        Some(port.as_bytes()),
        out,
    );
    write_joined(b"X-Forwarded-Proto", front.told(head, Field::XForwardedProto), b", ", Some(scheme), out);
    if let Some(host) = head.host
        && !is_upgrade
        && front.told(head, Field::XForwardedHost).next().is_none()
    {
        field(out, b"X-Forwarded-Host", host.as_bytes());
    }
}

/// The port in a `Host` value, if it names one.
fn port_of(host: &str) -> Option<&str> {
    let (_, port) = host.rsplit_once(':')?;
    (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(port)
}

/// One field of several, then `,` and `own`.
fn write_joined<'b>(
    name: &[u8],
    values: impl Iterator<Item = &'b [u8]>,
    separator: &[u8],
    own: Option<&[u8]>,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    // Writing to memory does not fail.
    let _ = out.write_all(name).and_then(|()| out.write_all(b": "));
    let value = out.len();
    for other in values {
        if out.len() > value {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(other);
    }
    if let Some(own) = own {
        if out.len() > value {
            out.push(b',');
        }
        out.extend_from_slice(own);
    }
    if out.len() == value {
        out.truncate(start);
    } else {
        out.extend_from_slice(b"\r\n");
    }
}
