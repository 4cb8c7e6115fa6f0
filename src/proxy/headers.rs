//! What the proxy takes from message heads and what it adds (proxy.md section 8).

use std::net::IpAddr;

use bytes::{BufMut, BytesMut};
use http::header::{
    CONNECTION, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Fields that belong to one connection only (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [HeaderName; 10] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HTTP2_SETTINGS,
];

/// Fields that tell who sent a message, or frame it. A `Connection` field that
/// names one is an attempt to erase it on the way (SEC-101).
const NEVER_NOMINATED: [&str; 16] = [
    "authorization",
    "cache-control",
    "content-length",
    "content-type",
    "cookie",
    "forwarded",
    "host",
    "origin",
    "referer",
    "remote-user",
    "set-cookie",
    "via",
    "www-authenticate",
    "x-auth",
    "x-real-ip",
    "x-scheme",
];
const NEVER_NOMINATED_PREFIXES: [&str; 3] = ["x-forwarded-", "x-auth-", "sec-"];

/// Removes what is meant for one connection only: the standard fields and those
/// that `Connection` names.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    for name in nominated(headers) {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Empty, and so without allocation, for the options that browsers really send.
fn nominated(headers: &HeaderMap) -> Vec<HeaderName> {
    tokens(headers, &CONNECTION)
        .filter(|option| {
            !["close", "keep-alive", "upgrade"].iter().any(|usual| option.eq_ignore_ascii_case(usual))
        })
        .filter_map(|option| HeaderName::from_bytes(option.as_bytes()).ok())
        .filter(|name| !NEVER_NOMINATED.contains(&name.as_str()))
        .filter(|name| !NEVER_NOMINATED_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix)))
        .collect()
}

/// The comma-separated elements of all fields of one name.
pub(crate) fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

/// Sets the two fields that ask for, or confirm, a change of protocol.
pub(crate) fn set_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}

/// Makes one `Cookie` field of several: HTTP/2 clients split it, HTTP/1.1 servers
/// expect one (RFC 9113 section 8.2.3).
pub(crate) fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_some()
        && let Some(joined) = join(headers, &COOKIE, b"; ", b"")
    {
        headers.insert(COOKIE, joined);
    }
}

/// Whether the request is about to become something else than HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Upgrade,
}

/// Adds the `X-Forwarded-*` fields as CHP does: appended to what the client sent,
/// so the last element is ours and the hub can tell which ones to believe.
pub(crate) fn add_forwarded(headers: &mut HeaderMap, peer: IpAddr, kind: Kind) {
    let host = headers.get(HOST).cloned();
    append(headers, &X_FORWARDED_FOR, peer.to_canonical().to_string().as_bytes());
    let port = host.as_ref().and_then(port_of).unwrap_or("80").to_owned();
    append(headers, &X_FORWARDED_PORT, port.as_bytes());
    match kind {
        Kind::Upgrade => append(headers, &X_FORWARDED_PROTO, b"ws"),
        Kind::Plain => {
            append(headers, &X_FORWARDED_PROTO, b"http");
            if let Some(host) = host {
                headers.entry(X_FORWARDED_HOST).or_insert(host);
            }
        }
    }
}

/// The port in a `Host` value, if it names one.
fn port_of(host: &HeaderValue) -> Option<&str> {
    let host = host.to_str().ok()?;
    let (_, port) = host.rsplit_once(':')?;
    (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(port)
}

fn append(headers: &mut HeaderMap, name: &HeaderName, own: &[u8]) {
    let value = match headers.contains_key(name) {
        true => join(headers, name, b", ", own),
        false => HeaderValue::from_bytes(own).ok(),
    };
    if let Some(value) = value {
        headers.insert(name, value);
    }
}

/// All values of a field, separated, then `,` and `own` unless that is empty.
fn join(headers: &HeaderMap, name: &HeaderName, separator: &[u8], own: &[u8]) -> Option<HeaderValue> {
    let mut joined = BytesMut::new();
    for value in headers.get_all(name) {
        if !joined.is_empty() {
            joined.put_slice(separator);
        }
        joined.put_slice(value.as_bytes());
    }
    if !own.is_empty() {
        joined.put_u8(b',');
        joined.put_slice(own);
    }
    HeaderValue::from_maybe_shared(joined.freeze()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&str, &str)]) -> HeaderMap {
        let parse =
            |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in fields.iter().map(parse) {
            headers.append(name, value);
        }
        headers
    }

    fn shown(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn connection_fields_and_what_they_name_are_removed() {
        let mut headers = map(&[
            ("connection", "Keep-Alive, X-Hop"),
            ("connection", "x-other"),
            ("x-hop", "1"),
            ("x-other", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAA"),
            ("transfer-encoding", "chunked"),
            ("proxy-connection", "close"),
            ("trailer", "x"),
            ("accept", "*/*"),
        ]);
        strip_hop_by_hop(&mut headers);
        assert_eq!(shown(&headers), ["accept: */*"]);
    }

    #[test]
    fn sec_101_a_client_cannot_have_identity_fields_removed() {
        let mut headers = map(&[
            ("connection", "close, X-Forwarded-For, Cookie, authorization, x-auth, host"),
            ("x-forwarded-for", "10.0.0.1"),
            ("cookie", "a=1"),
            ("authorization", "token t"),
            ("x-auth", "ada"),
            ("host", "h"),
        ]);
        strip_hop_by_hop(&mut headers);
        assert_eq!(headers.len(), 5);
    }

    #[test]
    fn proxy_009_forwarded_fields_are_added_for_a_plain_request() {
        let mut headers = map(&[("host", "hub.example:8000")]);
        add_forwarded(&mut headers, "::ffff:10.1.2.3".parse().unwrap(), Kind::Plain);
        assert_eq!(
            shown(&headers),
            [
                "host: hub.example:8000",
                "x-forwarded-for: 10.1.2.3",
                "x-forwarded-host: hub.example:8000",
                "x-forwarded-port: 8000",
                "x-forwarded-proto: http",
            ]
        );
    }

    #[test]
    fn proxy_009_forwarded_fields_are_appended_to_those_of_an_outer_proxy() {
        let mut headers = map(&[
            ("host", "[::1]"),
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-for", "2.2.2.2"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-port", "443"),
            ("x-forwarded-host", "outer"),
        ]);
        add_forwarded(&mut headers, "127.0.0.1".parse().unwrap(), Kind::Plain);
        assert_eq!(
            shown(&headers),
            [
                "host: [::1]",
                "x-forwarded-for: 1.1.1.1, 2.2.2.2,127.0.0.1",
                "x-forwarded-host: outer",
                "x-forwarded-port: 443,80",
                "x-forwarded-proto: https,http",
            ]
        );
    }

    #[test]
    fn proxy_009_a_websocket_is_marked_ws_and_gets_no_forwarded_host() {
        let mut headers = map(&[("host", "h")]);
        add_forwarded(&mut headers, "127.0.0.1".parse().unwrap(), Kind::Upgrade);
        assert_eq!(headers.get(X_FORWARDED_PROTO).unwrap(), "ws");
        assert!(!headers.contains_key(X_FORWARDED_HOST));
    }

    #[test]
    fn split_cookies_become_one_field() {
        let mut headers = map(&[("cookie", "a=1"), ("cookie", "b=2")]);
        join_cookies(&mut headers);
        assert_eq!(shown(&headers), ["cookie: a=1; b=2"]);
    }
}
