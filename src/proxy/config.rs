//! Settings of the data plane.

use std::time::Duration;

use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::target::{Target, TargetError};

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

/// Settings of [`serve`](crate::serve).
#[derive(Debug, Clone)]
pub struct ProxyConfig {
    /// Where error pages come from; without it errors are one line of text.
    pub error_target: Option<ErrorTarget>,
    /// How long a client may take to send a request head, and how long its
    /// connection may stay without a request in flight.
    pub header_timeout: Duration,
    /// How long an unused connection to a server is kept for reuse.
    pub idle_timeout: Duration,
    /// How long opening a connection to a server may take.
    pub connect_timeout: Duration,
    /// How long a server may take from the request to its answer's head,
    /// including the time the client needs to send the body. `None` waits forever.
    pub response_timeout: Option<Duration>,
    /// How long a graceful stop waits for requests under way (whole seconds).
    pub shutdown_timeout: Duration,
    /// Worker threads, 1 to 512; one per core is right.
    pub workers: usize,
    /// Client connections per worker, tunnels included. Further ones wait in the
    /// listener's backlog.
    pub max_connections_per_worker: usize,
    /// Unused connections kept per server and worker.
    pub max_idle_per_target: usize,
    /// Largest message head accepted from either side, in bytes; at least 8192.
    pub max_header_bytes: usize,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        Self {
            error_target: None,
            header_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(5),
            response_timeout: None,
            shutdown_timeout: Duration::from_secs(30),
            workers: std::thread::available_parallelism().map_or(1, usize::from).min(512),
            max_connections_per_worker: 25_600,
            max_idle_per_target: 64,
            max_header_bytes: 64 * 1024,
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

    pub(crate) fn target(&self) -> &Target {
        &self.0
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
