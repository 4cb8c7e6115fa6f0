//! What fuzzers call (`tests/fuzz`): parsers on any bytes, with the properties that must hold for all of them.
//!
//! A violated property panics, which is what a fuzzer looks for; nothing else uses this module.

#![expect(clippy::panic, reason = "a panic is how a fuzz target tells what it has found")]

use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::api::{self, Api};
use crate::config::ProxyConfig;
use crate::http1::chunked::Decoder;
use crate::http1::head;
use crate::http1::request::{self, Framing};
use crate::http1::response;
use crate::metrics::Metrics;
use crate::path;
use crate::relay::request::{Front, Goal, Translated, translate};
use crate::route::{Matching, Route};
use crate::table::{RouteTable, Routes};

/// A client's bytes: heads and chunked bodies, one after the other. Whatever is accepted must be understood in the same way
/// when it is read in pieces, and what is forwarded must be accepted again with the same framing.
pub fn request_framing(bytes: &[u8]) {
    let specs = ["/", "/user/a/", "/user/b/", "/user/a/c@d/"];
    let routes = specs.iter().filter_map(|spec| Route::new(spec, "http://127.0.0.1:1", Value::Null).ok());
    let table = RouteTable::new(routes);
    let config = ProxyConfig::default();
    let front = Front::new(Some(std::net::IpAddr::from([192, 0, 2, 1])), false, None);
    let mut rest = bytes;
    while let Some(length) = same_in_pieces(rest) {
        let Some((message, after)) = rest.split_at_checked(length) else {
            panic!("a head longer than its bytes")
        };
        let mut out = Translated::default();
        let Ok(request) = translate(message, &table, &config, &front, &mut out) else { return };
        if !out.head.is_empty() {
            check_forwarded(&out, request.framing);
            check_route(&out, &request.goal, &table);
        }
        rest = match request.framing {
            Framing::Empty => after,
            Framing::Length(length) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX).min(after.len());
                after.get(length..).unwrap_or_default()
            }
            Framing::Chunked => match after.get(chunked(after).unwrap_or(after.len())..) {
                Some(rest) if !rest.is_empty() => rest,
                _ => return,
            },
            Framing::UntilClose => panic!("a request that ends with its connection"),
        };
    }
}

/// The length of the head, found at once and byte by byte.
fn same_in_pieces(bytes: &[u8]) -> Option<usize> {
    let whole = head::length(bytes, 0);
    let mut seen = 0;
    let mut pieces = Ok(None);
    for end in (0..=bytes.len()).step_by(7).chain([bytes.len()]) {
        pieces = head::length(bytes.get(..end).unwrap_or_default(), seen);
        if !matches!(pieces, Ok(None)) {
            break;
        }
        seen = end;
    }
    assert_eq!(whole, pieces, "the end of a head depends on how it arrives");
    whole.ok().flatten().filter(|length| *length > 2)
}

fn check_forwarded(out: &Translated, framing: Framing) {
    let forwarded = &out.head;
    assert_eq!(head::length(forwarded, 0), Ok(Some(forwarded.len())), "the forwarded head ends elsewhere");
    let again =
        request::read(forwarded, |head| Ok((head.framing, head.method.to_owned(), head.options.upgrade)));
    let Ok((framing_again, method, _)) = again else {
        panic!("what is forwarded would be refused: {again:?} {:?}", String::from_utf8_lossy(forwarded));
    };
    assert_eq!(framing_again, framing, "the framing changes on the way");
    assert_eq!(method, out.method, "the method changes on the way");
}

/// The server must find in its own prefix what it is sent (SEC-094).
fn check_route(out: &Translated, goal: &Goal, table: &RouteTable) {
    let Goal::Route(route) = goal else { return };
    let line = out.head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let target = line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let path = String::from_utf8_lossy(target.split(|byte| *byte == b'?').next().unwrap_or_default());
    let found = table.find(&path).map(|route| route.spec());
    assert_eq!(found, Some(route.spec()), "{path:?} is sent to another's server");
}

/// The length of a chunked body, decoded at once and in pieces; `None` if it is malformed or not complete.
fn chunked(bytes: &[u8]) -> Option<usize> {
    let decode = |size: usize| {
        let mut decoder = Decoder::default();
        let (mut used, mut data) = (0, Vec::new());
        for piece in bytes.chunks(size) {
            let mut piece = piece;
            while !piece.is_empty() && !decoder.is_complete() {
                let Ok(found) = decoder.take(piece) else { return (None, Vec::new()) };
                let end = found.framing + found.data;
                data.extend_from_slice(piece.get(found.framing..end).unwrap_or_default());
                used += end;
                piece = piece.get(end..).unwrap_or_default();
            }
        }
        (decoder.is_complete().then_some(used), data)
    };
    let (whole, pieces) = (decode(bytes.len().max(1)), decode(3));
    assert_eq!(whole, pieces, "a chunked body depends on how it arrives");
    whole.0
}

/// A server's bytes.
pub fn response_framing(bytes: &[u8]) {
    let Some(length) = same_in_pieces(bytes) else { return };
    let Some((message, after)) = bytes.split_at_checked(length) else {
        panic!("a head longer than its bytes")
    };
    for to_head in [false, true] {
        let framing = response::read(message, to_head, |head| head.framing);
        match framing {
            Ok(Framing::Chunked) => drop(chunked(after)),
            Ok(framing) => assert!(!to_head || framing == Framing::Empty, "a body in an answer to HEAD"),
            Err(_) => {}
        }
    }
}

/// Routes, one a line, then a path: the route that is found must be the longest whose segments the path begins with.
pub fn route_matching(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines: Vec<&str> = text.lines().collect();
    let Some(asked) = lines.pop() else { return };
    let routes = lines.iter().filter_map(|spec| Route::new(spec, "http://127.0.0.1:1", Value::Null).ok());
    let routes: Vec<Arc<Route>> = routes.collect();
    let table = RouteTable::new(routes.iter().cloned());
    let normal = path::normalise(asked);
    assert_eq!(path::normalise(&normal), normal, "normalising twice changes more");
    let found = table.find(asked).map(|route| segments(route));
    if !path::is_well_escaped(asked) || !normal.starts_with('/') {
        return;
    }
    let wanted = decoded(&normal);
    let all = routes.iter().map(|route| segments(route));
    let expected = all.filter(|prefix| wanted.starts_with(prefix)).max_by_key(Vec::len);
    assert_eq!(found, expected, "{asked:?} finds another route");
}

/// The decoded prefix of a route; the root has no segments, though its path splits into an empty one.
fn segments(route: &Route) -> Vec<Vec<u8>> {
    match route.spec() {
        "/" => Vec::new(),
        spec => decoded(spec.trim_end_matches('/')),
    }
}

fn decoded(path: &str) -> Vec<Vec<u8>> {
    let whole: Vec<u8> = percent_encoding::percent_decode_str(path).collect();
    let trimmed = whole.strip_prefix(b"/").unwrap_or(&whole);
    trimmed.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect()
}

/// A call of the REST API: `METHOD path` in the first line, the body after it. The table must stay readable.
pub fn rest_body(bytes: &[u8]) {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let body = bytes.get(line.len() + 1..).unwrap_or_default();
    let Some((method, path)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(' ')) else {
        return;
    };
    let request = Request::builder().method(method).uri(path).body(Full::new(Bytes::copy_from_slice(body)));
    let Ok(request) = request else { return };
    let routes = Routes::default();
    let api = Api {
        routes: routes.clone(),
        writer: Arc::new(routes.clone()),
        token: None,
        matching: Matching::Path,
        metrics: Metrics::new(),
        gate: crate::api::Gate::default(),
    };
    let status = run_to_end(api::answer::answer(&api, request)).status();
    assert!(status.is_success() || status.is_client_error(), "{status}");
    for route in routes.load().iter() {
        assert!(routes.load().get_key(&route.key()).is_some(), "{:?} cannot be found again", route.key());
    }
    let mut depth = 0;
    path::walk(&path::normalise(path), |_| {
        depth += 1;
        ControlFlow::Continue(())
    });
}

/// Runs a future that waits for nothing but time.
fn run_to_end<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: Option<Runtime> = Builder::new_current_thread().enable_time().build().ok();
    }
    RUNTIME.with(|runtime| match runtime {
        Some(runtime) => runtime.block_on(future),
        None => panic!("the system gives no runtime"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_accepted_is_forwarded_without_ambiguity(
            line in "(GET|POST|OPTIONS) (/|http://h)[a-z/.%\"<{?#]{0,12} HTTP/1[.][01]",
            fields in "((Host: h|Content-Length: [0-9]|Transfer-Encoding: chunked|Connection: [a-z, -]{0,12}|Cookie: a|X-Forwarded-For: 1|A:  b |Expect: 100-continue|Upgrade: x)\r\n){0,6}",
            body in "([0-9a]\r\n[a-z]{0,4}\r\n){0,3}0\r\n\r\n",
        ) {
            request_framing(format!("{line}\r\n{fields}\r\n{body}{line}\r\n\r\n").as_bytes());
            response_framing(format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}").as_bytes());
        }

        #[test]
        fn no_bytes_break_a_property(bytes in prop::collection::vec(any::<u8>(), 0..80), text in "[/a%2e40.\\\\\n@]{0,40}") {
            request_framing(&bytes);
            response_framing(&bytes);
            route_matching(text.as_bytes());
            rest_body(&bytes);
        }

        #[test]
        fn the_rest_api_survives_any_body(method in "(GET|POST|DELETE)", path in "/api/routes[a-z/%40]{0,12}", body in "[{}\":a-z, \\[\\]0-9]{0,40}") {
            rest_body(format!("{method} {path}\n{body}").as_bytes());
            rest_body(format!("{method} {path}\n{{\"target\": \"http://h:1/{body}\"}}").as_bytes());
        }
    }
}
