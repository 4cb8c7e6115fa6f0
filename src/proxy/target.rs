//! Where a route leads: `http://host:port[/path]` or
//! `http+unix://<percent-encoded socket path>[/path]`.

use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderValue;
use http::uri::{Authority, PathAndQuery};
use percent_encoding::percent_decode_str;

/// `sun_path` less its final NUL: a longer socket path cannot be connected to.
const MAX_SOCKET_PATH: usize = 107;

/// Why a target URL was refused. The message never repeats the URL, which may
/// hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not of the form `scheme://…`.
    #[error("it has no scheme; expected `http://host:port` or `http+unix://<escaped socket path>`")]
    NoScheme,
    /// A scheme this proxy cannot speak.
    #[error("scheme `{0}` is not supported; use `http://host:port` or `http+unix://<escaped socket path>`")]
    Scheme(String),
    /// The part between `//` and the path is no `host[:port]`.
    #[error("expected `host:port` after `http://`, without user or password")]
    Authority,
    /// The socket path is relative, too long or badly escaped.
    #[error("expected an absolute socket path of at most 107 bytes, percent-encoded, after `http+unix://`")]
    SocketPath,
    /// The path holds a query, a fragment or characters no URL path has.
    #[error("its path may hold neither a query, nor a fragment, nor spaces or control characters")]
    Path,
}

/// What a connection is opened to, and the key of the connection pool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

/// A parsed target.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) endpoint: Arc<Endpoint>,
    /// `Host` for requests that have none of their own.
    pub(crate) authority: HeaderValue,
    /// Put before the request path; without the final slash, usually empty.
    pub(crate) prefix: String,
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, TargetError> {
        let (scheme, rest) = url.split_once("://").ok_or(TargetError::NoScheme)?;
        let (authority, path) = match rest.find('/').and_then(|at| rest.split_at_checked(at)) {
            Some((authority, path)) => (authority, path),
            None => (rest, ""),
        };
        let prefix = parse_prefix(path)?;
        let (endpoint, authority) = match scheme.to_ascii_lowercase().as_str() {
            "http" => parse_tcp(authority)?,
            "http+unix" | "unix+http" => parse_unix(authority)?,
            other => return Err(TargetError::Scheme(other.chars().take(16).collect())),
        };
        Ok(Self { endpoint: Arc::new(endpoint), authority, prefix })
    }

    /// The path to ask for: the target's own path, then the request's.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

fn parse_prefix(path: &str) -> Result<String, TargetError> {
    if path.contains(['?', '#']) {
        return Err(TargetError::Path);
    }
    if !path.is_empty() {
        PathAndQuery::try_from(path).map_err(|_| TargetError::Path)?;
    }
    Ok(path.strip_suffix('/').unwrap_or(path).to_owned())
}

fn parse_tcp(authority: &str) -> Result<(Endpoint, HeaderValue), TargetError> {
    if authority.contains('@') {
        return Err(TargetError::Authority);
    }
    let parsed: Authority = authority.parse().map_err(|_| TargetError::Authority)?;
    let host = parsed.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = match parsed.port() {
        Some(port) => port.as_str().parse().map_err(|_| TargetError::Authority)?,
        // `host:` and `host:99999` have no port that `port()` would show.
        None if parsed.as_str() != parsed.host() => return Err(TargetError::Authority),
        None => 80,
    };
    if host.is_empty() || port == 0 {
        return Err(TargetError::Authority);
    }
    let header = HeaderValue::from_str(authority).map_err(|_| TargetError::Authority)?;
    Ok((Endpoint::Tcp { host, port }, header))
}

fn parse_unix(escaped: &str) -> Result<(Endpoint, HeaderValue), TargetError> {
    let path = percent_decode_str(escaped).decode_utf8().map_err(|_| TargetError::SocketPath)?;
    if !path.starts_with('/') || path.contains('\0') || path.len() > MAX_SOCKET_PATH {
        return Err(TargetError::SocketPath);
    }
    Ok((Endpoint::Unix(PathBuf::from(path.as_ref())), HeaderValue::from_static("localhost")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tcp(host: &str, port: u16) -> Endpoint {
        Endpoint::Tcp { host: host.to_owned(), port }
    }

    #[test]
    fn origins_and_paths_are_taken_apart() {
        for (url, endpoint, prefix) in [
            ("http://127.0.0.1:8081", tcp("127.0.0.1", 8081), ""),
            ("http://127.0.0.1:8081/", tcp("127.0.0.1", 8081), ""),
            ("HTTP://host", tcp("host", 80), ""),
            ("http://[::1]:9/foo/", tcp("::1", 9), "/foo"),
            ("http+unix://%2Frun%2Fa.sock", Endpoint::Unix("/run/a.sock".into()), ""),
            ("unix+http://%2frun%2fa.sock/x/y", Endpoint::Unix("/run/a.sock".into()), "/x/y"),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!((&*target.endpoint, target.prefix.as_str()), (&endpoint, prefix), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        for (url, error) in [
            ("127.0.0.1:80", TargetError::NoScheme),
            ("https://h:1", TargetError::Scheme("https".to_owned())),
            ("http://", TargetError::Authority),
            ("http://:80", TargetError::Authority),
            ("http://h:", TargetError::Authority),
            ("http://h:0", TargetError::Authority),
            ("http://h:99999", TargetError::Authority),
            ("http://h:80@evil", TargetError::Authority),
            ("http://h h:1", TargetError::Authority),
            ("http://h:1/a?b=1", TargetError::Path),
            ("http://h:1/a b", TargetError::Path),
            ("http+unix://run%2Fa.sock", TargetError::SocketPath),
            ("http+unix://%2Fa%00b", TargetError::SocketPath),
        ] {
            assert_eq!(Target::parse(url).unwrap_err(), error, "{url}");
        }
    }

    #[test]
    fn a_socket_path_too_long_for_the_kernel_is_refused() {
        let url = format!("http+unix://%2F{}", "a".repeat(MAX_SOCKET_PATH));
        assert_eq!(Target::parse(&url).unwrap_err(), TargetError::SocketPath);
    }

    proptest! {
        #[test]
        fn no_url_panics(url in "(http|http[+]unix)?(://)?[\\PC]{0,20}") {
            let _ = Target::parse(&url);
        }
    }
}
