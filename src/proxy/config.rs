//! Settings of the data plane.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::access_log::AccessLog;
use crate::metrics::Metrics;
use crate::target::{Endpoint, Target, TargetError};
use crate::tls::ClientTls;

/// What stays readable in the `url` parameter: JavaScript's `encodeURIComponent`.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Settings of [`serve`](crate::serve). Durations that are `None` never end.
#[derive(Debug, Clone)]
pub struct ProxyConfig {
    /// Where error pages come from.
    pub error_target: Option<ErrorTarget>,
    /// A directory with `<code>.html` and `error.html`, for errors without a page from `error_target`.
    pub error_path: Option<PathBuf>,
    /// How long a client may take to send a request head, and to complete a TLS handshake.
    pub header_timeout: Duration,
    /// How long a client's connection may stay without a request.
    pub keep_alive: Duration,
    /// How long a body may make no progress because of its client, in either direction.
    pub body_timeout: Duration,
    /// How long a client may send and receive nothing, whatever the reason; not in tunnels.
    pub client_timeout: Option<Duration>,
    /// How long a server may take from the end of the request to its answer's head.
    pub response_timeout: Option<Duration>,
    /// How long opening a connection to a server may take.
    pub connect_timeout: Duration,
    /// How long an unused connection to a server is kept for reuse.
    pub idle_timeout: Duration,
    /// How long a draining stop waits for requests under way.
    pub drain_timeout: Duration,
    /// What is changed on the way.
    pub forwarding: Forwarding,
    /// Whether a route begins with the name of a host.
    pub host_routing: bool,
    /// Paths whose escapes give no UTF-8 go to the route `/` if that is the hub's, with `hub: true` in its data: it says in
    /// its own way what is wrong. Else they are 500, as from CHP.
    pub hub_answers_bad_escapes: bool,
    /// Worker threads, 1 to 512; one per core is right.
    pub workers: usize,
    /// Client connections, tunnels included; further ones wait in the listener's backlog. 0: as many as the limit on open
    /// files allows.
    pub max_connections: usize,
    /// Client connections from one address (IPv6: one /64); further ones are closed. 0: nine tenths of
    /// `max_connections`, since all clients may come through one load balancer.
    pub max_connections_per_address: usize,
    /// Requests and tunnels under way on one route; further ones get 503. 0: no limit.
    pub max_requests_per_route: usize,
    /// Unused connections kept per server and worker.
    pub max_idle_per_target: usize,
    /// Largest message head accepted from either side, in bytes; at least 8192.
    pub max_header_bytes: usize,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// One line a request, if wanted.
    pub access_log: Option<AccessLog>,
    /// How `https` targets are reached. `None`: verified against the system's authorities.
    pub client_tls: Option<Arc<ClientTls>>,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        Self {
            error_target: None,
            error_path: None,
            header_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(5),
            body_timeout: Duration::from_secs(120),
            client_timeout: None,
            response_timeout: None,
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
            forwarding: Forwarding::default(),
            host_routing: false,
            hub_answers_bad_escapes: false,
            workers: std::thread::available_parallelism().map_or(1, usize::from).min(512),
            max_connections: 0,
            max_connections_per_address: 0,
            max_requests_per_route: 0,
            max_idle_per_target: 512,
            max_header_bytes: 64 * 1024,
            metrics: Metrics::new(),
            access_log: None,
            client_tls: None,
        }
    }
}

/// What is changed on the way (proxy.md section 8).
#[derive(Debug, Clone)]
pub struct Forwarding {
    /// Adds `X-Forwarded-*` fields.
    pub x_forwarded: bool,
    /// Puts the path of a route's target before the path of the request.
    pub prepend_path: bool,
    /// Keeps the route's own path in the request.
    pub include_prefix: bool,
    /// Rewrites the host in `Location` of redirects to the request's, where it is the target's.
    pub auto_rewrite: bool,
    /// Rewrites the scheme in `Location` of redirects likewise.
    pub protocol_rewrite: Option<String>,
    /// Sends the target's host as `Host`.
    pub change_origin: bool,
    /// Set in each request, in place of fields of the same name.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Names of cookies that routes with `hub: true` in their data get, and no others: a browser shows a cookie with the
    /// path `/` to every server of the origin (SEC-096).
    pub withheld_cookies: Vec<String>,
    /// Whose word on where a request comes from is passed on. `None`: everyone's, as CHP does.
    pub trust: Option<Trust>,
    /// A field that reaches one path only: an outer proxy's secret, say, which is for the hub and not for user servers.
    pub confined: Option<Confined>,
}

/// A field, and the one path with which it is passed on.
#[derive(Debug, Clone)]
pub struct Confined {
    /// The field's name.
    pub header: HeaderName,
    /// The path, normalised.
    pub path: String,
}

/// Which peers are reverse proxies that tell the truth about their clients (SEC-095).
#[derive(Clone)]
pub struct Trust(Arc<dyn Fn(IpAddr) -> bool + Send + Sync>);

impl Trust {
    /// Trusts the addresses for which `trusts` holds.
    pub fn new(trusts: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(trusts))
    }

    pub(crate) fn holds(&self, address: IpAddr) -> bool {
        (self.0)(address)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}

impl Default for Forwarding {
    fn default() -> Self {
        Self {
            x_forwarded: true,
            prepend_path: true,
            include_prefix: true,
            auto_rewrite: false,
            protocol_rewrite: None,
            change_origin: false,
            headers: Vec::new(),
            withheld_cookies: Vec::new(),
            trust: None,
            confined: None,
        }
    }
}

/// The base URL of the hub's error pages, such as `http://127.0.0.1:8081/hub/error`.
#[derive(Debug, Clone)]
pub struct ErrorTarget(Target);

impl ErrorTarget {
    /// Parses `http://host:port/path` or `http+unix://<escaped socket path>/path`.
    pub fn new(url: &str) -> Result<Self, TargetError> {
        Target::parse(url).map(Self)
    }

    pub(crate) fn endpoint(&self) -> &Arc<Endpoint> {
        &self.0.endpoint
    }

    pub(crate) fn authority(&self) -> &[u8] {
        self.0.authority.as_bytes()
    }

    /// `<base>/<code>?url=<what the client asked for>`. `None` when the result is
    /// longer than a URL may be.
    pub(crate) fn page(&self, code: u16, asked: &str) -> Option<PathAndQuery> {
        let url = utf8_percent_encode(asked, COMPONENT);
        PathAndQuery::try_from(self.0.join(&format!("/{code}?url={url}"))).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_015_the_asked_url_is_escaped_as_one_component() {
        let target = ErrorTarget::new("http://127.0.0.1:8081/hub/error/").unwrap();
        let page = target.page(404, "/user/ada/lab?a=1&b=%20").unwrap();
        assert_eq!(page.as_str(), "/hub/error/404?url=%2Fuser%2Fada%2Flab%3Fa%3D1%26b%3D%2520");
    }

    #[test]
    fn an_overlong_url_has_no_page() {
        let target = ErrorTarget::new("http://127.0.0.1:8081/hub/error").unwrap();
        assert!(target.page(404, &"/".repeat(40_000)).is_none());
    }
}
