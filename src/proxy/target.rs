//! Where a route leads: `http://host:port[/path][?query]`, the same with `https`,
//! or `http+unix://[<uid>@]<percent-encoded socket path>[/path][?query]`. With a uid, the socket counts as the server's only
//! if that user listens on it.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderValue;
use http::uri::{Authority, PathAndQuery};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::path::normalise;

/// `sun_path` less its final NUL: a longer socket path cannot be connected to.
const MAX_SOCKET_PATH: usize = 107;

/// What [`Target::parse_leniently`] escapes in a path, as browsers and CHP do.
const PATH_ESCAPES: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}').add(b'^');

/// Why a target URL was refused. The message never repeats the URL, which may
/// hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not of the form `scheme://…`.
    #[error("it has no scheme; expected `http://host:port` or `http+unix://<escaped socket path>`")]
    NoScheme,
    /// A scheme this proxy cannot speak.
    #[error("scheme `{0}` is not supported; use `http`, `https` or `http+unix`")]
    Scheme(String),
    /// The part between `//` and the path is no `host[:port]`.
    #[error("expected `host:port` after `http://`, without user or password")]
    Authority,
    /// The socket path is relative, too long or badly escaped.
    #[error("expected an absolute socket path of at most 107 bytes, percent-encoded, after `http+unix://`")]
    SocketPath,
    /// What stands before the socket path is no uid.
    #[error("expected nothing or a user id and `@` between `http+unix://` and the socket path")]
    Peer,
    /// The path holds a fragment or characters no URL path has.
    #[error("its path may hold neither a fragment, nor spaces or control characters")]
    Path,
}

/// What a connection is opened to, and the key of the connection pool.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    /// A host name or address, without brackets.
    Tcp {
        host: String,
        port: u16,
        /// Whether the server speaks TLS there.
        tls: bool,
    },
    /// A socket.
    Unix {
        path: PathBuf,
        /// Who must listen on it.
        peer: Option<u32>,
    },
}

/// A parsed target.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) endpoint: Arc<Endpoint>,
    /// `Host` for requests that have none of their own, or may not keep theirs.
    pub(crate) authority: HeaderValue,
    /// Put before the request path; without the final slash, usually empty.
    pub(crate) prefix: String,
    /// The path as it was given: asked for when nothing of the request's is left.
    path: String,
    /// Put before the request's query; usually empty.
    query: String,
}

impl Target {
    /// Parses what an administrator wrote: everything that would not be passed on
    /// exactly is refused.
    pub(crate) fn parse(url: &str) -> Result<Self, TargetError> {
        let Parts { scheme, authority, path, query } = Parts::of(url)?;
        let path_and_query = [path, query].concat();
        if !path_and_query.is_empty() && !is_path_and_query(&path_and_query) {
            return Err(TargetError::Path);
        }
        Self::assemble(scheme, authority, path, query)
    }

    /// Parses what came over CHP's REST API, with CHP's generosity: a fragment and
    /// credentials are dropped, what has to be escaped is.
    pub(crate) fn parse_leniently(url: &str) -> Result<Self, TargetError> {
        let url = url.trim().split('#').next().unwrap_or_default();
        let Parts { scheme, authority, path, query } = Parts::of(url)?;
        // before a socket path stands no password, but who must listen there: it is never dropped
        let authority =
            if is_unix(scheme) { authority } else { authority.rsplit('@').next().unwrap_or_default() };
        let path: String = utf8_percent_encode(&normalise(path), PATH_ESCAPES).collect();
        let query: String = utf8_percent_encode(query, PATH_ESCAPES).collect();
        Self::assemble(scheme, authority, &path, &query)
    }

    fn assemble(scheme: &str, authority: &str, path: &str, query: &str) -> Result<Self, TargetError> {
        let (endpoint, authority) = match scheme.to_ascii_lowercase().as_str() {
            "http" => parse_tcp(authority, Security::Plain)?,
            "https" => parse_tcp(authority, Security::Tls)?,
            other if is_unix(other) => parse_unix(authority)?,
            other => return Err(TargetError::Scheme(other.chars().take(16).collect())),
        };
        Ok(Self {
            endpoint: Arc::new(endpoint),
            authority,
            prefix: path.strip_suffix('/').unwrap_or(path).to_owned(),
            path: path.to_owned(),
            query: query.strip_prefix('?').unwrap_or(query).to_owned(),
        })
    }

    /// The path to ask for: the target's own path, then the request's. Of a request
    /// path of which nothing is left (proxy.md section 8.1) the target's remains.
    pub(crate) fn join(&self, path: &str) -> String {
        match path {
            "" if self.path.is_empty() => "/".to_owned(),
            "" => self.path.clone(),
            _ => format!("{}{path}", self.prefix),
        }
    }

    /// The query to ask with: the target's own, then the request's.
    pub(crate) fn join_query<'a>(&'a self, query: Option<&'a str>) -> Option<Cow<'a, str>> {
        match query {
            Some(query) if self.query.is_empty() => Some(Cow::Borrowed(query)),
            Some(query) if !query.is_empty() => Some(Cow::Owned(format!("{}&{query}", self.query))),
            _ if self.query.is_empty() => None,
            _ => Some(Cow::Borrowed(&self.query)),
        }
    }

    /// Whether requests are passed on with path and query unchanged.
    pub(crate) fn is_origin_only(&self) -> bool {
        self.prefix.is_empty() && self.query.is_empty()
    }
}

/// A URL taken apart; the path starts with `/` and the query with `?`, unless empty.
struct Parts<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Result<Self, TargetError> {
        let (scheme, rest) = url.split_once("://").ok_or(TargetError::NoScheme)?;
        let (rest, query) = split_before(rest, '?');
        let (authority, path) = split_before(rest, '/');
        Ok(Self { scheme, authority, path, query })
    }
}

fn split_before(text: &str, mark: char) -> (&str, &str) {
    text.find(mark).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

fn is_path_and_query(text: &str) -> bool {
    // `Uri` cuts a fragment off silently.
    !text.contains('#') && PathAndQuery::try_from(text).is_ok()
}

/// What a TCP connection carries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Security {
    Plain,
    Tls,
}

fn parse_tcp(authority: &str, security: Security) -> Result<(Endpoint, HeaderValue), TargetError> {
    if authority.contains('@') {
        return Err(TargetError::Authority);
    }
    let parsed: Authority = authority.parse().map_err(|_| TargetError::Authority)?;
    let host = parsed.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let tls = security == Security::Tls;
    let port = match parsed.port() {
        Some(port) => port.as_str().parse().map_err(|_| TargetError::Authority)?,
        // `host:` and `host:99999` have no port that `port()` would show.
        None if parsed.as_str() != parsed.host() => return Err(TargetError::Authority),
        None if tls => 443,
        None => 80,
    };
    if host.is_empty() || port == 0 {
        return Err(TargetError::Authority);
    }
    let header = HeaderValue::from_str(authority).map_err(|_| TargetError::Authority)?;
    Ok((Endpoint::Tcp { host, port, tls }, header))
}

fn is_unix(scheme: &str) -> bool {
    ["http+unix", "unix+http"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// `[<uid>@]<escaped path>`. A path begins with a slash, escaped or not, so that nothing is both.
fn parse_unix(authority: &str) -> Result<(Endpoint, HeaderValue), TargetError> {
    let is_path = authority.starts_with(['/', '%']);
    let (peer, escaped) = match authority.split_once('@').filter(|_| !is_path) {
        Some((uid, escaped)) => (Some(parse_uid(uid).ok_or(TargetError::Peer)?), escaped),
        None => (None, authority),
    };
    let path = percent_decode_str(escaped).decode_utf8().map_err(|_| TargetError::SocketPath)?;
    if !path.starts_with('/') || path.contains('\0') || path.len() > MAX_SOCKET_PATH {
        return Err(TargetError::SocketPath);
    }
    let path = PathBuf::from(path.as_ref());
    Ok((Endpoint::Unix { path, peer }, HeaderValue::from_static("localhost")))
}

/// Digits alone: neither a sign nor a space.
fn parse_uid(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tcp(host: &str, port: u16) -> Endpoint {
        Endpoint::Tcp { host: host.to_owned(), port, tls: false }
    }

    fn unix(path: &str, peer: Option<u32>) -> Endpoint {
        Endpoint::Unix { path: path.into(), peer }
    }

    fn tls(host: &str, port: u16) -> Endpoint {
        Endpoint::Tcp { host: host.to_owned(), port, tls: true }
    }

    #[test]
    fn origins_and_paths_are_taken_apart() {
        for (url, endpoint, prefix) in [
            ("http://127.0.0.1:8081", tcp("127.0.0.1", 8081), ""),
            ("http://127.0.0.1:8081/", tcp("127.0.0.1", 8081), ""),
            ("HTTP://host", tcp("host", 80), ""),
            ("https://host/", tls("host", 443), ""),
            ("https://host:8443/x?a=1", tls("host", 8443), "/x"),
            ("http://[::1]:9/foo/", tcp("::1", 9), "/foo"),
            ("http+unix://%2Frun%2Fa.sock", unix("/run/a.sock", None), ""),
            ("http+unix://1001@%2Frun%2Fa.sock", unix("/run/a.sock", Some(1001)), ""),
            ("http+unix://%2Frun%2F7@a.sock/x", unix("/run/7@a.sock", None), "/x"),
            ("unix+http://%2frun%2fa.sock/x/y", unix("/run/a.sock", None), "/x/y"),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!((&*target.endpoint, target.prefix.as_str()), (&endpoint, prefix), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        for (url, error) in [
            ("127.0.0.1:80", TargetError::NoScheme),
            ("wss://h:1", TargetError::Scheme("wss".to_owned())),
            ("http://", TargetError::Authority),
            ("http://:80", TargetError::Authority),
            ("http://h:", TargetError::Authority),
            ("http://h:0", TargetError::Authority),
            ("http://h:99999", TargetError::Authority),
            ("http://h:80@evil", TargetError::Authority),
            ("http://h h:1", TargetError::Authority),
            ("http://h:1/a#b", TargetError::Path),
            ("http://h:1/a?b c", TargetError::Path),
            ("http://h:1/a b", TargetError::Path),
            ("http+unix://run%2Fa.sock", TargetError::SocketPath),
            ("http+unix://%2Fa%00b", TargetError::SocketPath),
            ("http+unix://ada@%2Fa", TargetError::Peer),
            ("http+unix://@%2Fa", TargetError::Peer),
            ("http+unix://+1@%2Fa", TargetError::Peer),
            ("http+unix://4294967296@%2Fa", TargetError::Peer),
            ("http+unix://1@2@%2Fa", TargetError::SocketPath),
        ] {
            assert_eq!(Target::parse(url).unwrap_err(), error, "{url}");
        }
    }

    #[test]
    fn a_socket_path_too_long_for_the_kernel_is_refused() {
        let url = format!("http+unix://%2F{}", "a".repeat(MAX_SOCKET_PATH));
        assert_eq!(Target::parse(&url).unwrap_err(), TargetError::SocketPath);
    }

    #[test]
    fn proxy_008_paths_and_queries_of_target_and_request_are_joined_as_measured() {
        for (url, path, query, expected) in [
            ("http://h:1/foo", "/bar/rest", None, "/foo/bar/rest"),
            ("http://h:1/foo", "", None, "/foo"),
            ("http://h:1/foo/", "", None, "/foo/"),
            ("http://h:1/foo/", "/x", None, "/foo/x"),
            ("http://h:1", "", None, "/"),
            ("http://h:1/foo", "/bar", Some("q=1"), "/foo/bar?q=1"),
            ("http://h:1/foo?t=1", "/q/x", Some("a=b"), "/foo/q/x?t=1&a=b"),
            ("http://h:1?t=1", "/q2/x", Some("a=b"), "/q2/x?t=1&a=b"),
            ("http://h:1/?t=1&u=2", "/q3", Some(""), "/q3?t=1&u=2"),
            ("http://h:1/foo?t=1", "/q", None, "/foo/q?t=1"),
        ] {
            let target = Target::parse(url).unwrap();
            let query = target.join_query(query).map(|query| format!("?{query}")).unwrap_or_default();
            assert_eq!(format!("{}{query}", target.join(path)), expected, "{url} {path}");
        }
    }

    #[test]
    fn over_the_rest_api_targets_are_taken_as_generously_as_chp_takes_them() {
        for (url, endpoint, joined) in [
            ("http://us:pw@h:1", tcp("h", 1), "/x"),
            ("http://h:1/foo#frag", tcp("h", 1), "/foo/x"),
            ("http://h:1/fo o", tcp("h", 1), "/fo%20o/x"),
            ("http://h:1/a/../b", tcp("h", 1), "/b/x"),
            ("http://h:1/%7e%2f{x}é", tcp("h", 1), "/%7e%2f%7Bx%7D%C3%A9/x"),
            ("HTTP://h:1", tcp("h", 1), "/x"),
        ] {
            let target = Target::parse_leniently(url).unwrap();
            assert_eq!((&*target.endpoint, target.join("/x").as_str()), (&endpoint, joined), "{url}");
        }
        for url in ["", "nonsense", "ftp://h/", "ws://h:1"] {
            assert!(Target::parse_leniently(url).is_err(), "{url}");
        }
    }

    #[test]
    fn sec_081_no_parser_forgets_who_must_listen_on_a_socket() {
        for parse in [Target::parse, Target::parse_leniently] {
            let target = parse("http+unix://1001@%2Frun%2Fa.sock").unwrap();
            assert_eq!(*target.endpoint, unix("/run/a.sock", Some(1001)));
            for url in ["http+unix://us:pw@%2Fa", "HTTP+UNIX://x1@%2Fa", "unix+http://1 @%2Fa"] {
                assert_eq!(parse(url).unwrap_err(), TargetError::Peer, "{url}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_url_panics(url in "(http|http[+]unix)?(://)?[\\PC]{0,20}") {
            let _ = Target::parse(&url);
            let _ = Target::parse_leniently(&url);
        }
    }
}
