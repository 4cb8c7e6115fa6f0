//! The line that each request leaves in the log (observability.md 6), without the secrets of its address.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use log::{Level, error, log_enabled};
use serde_json::{Map, Value};

use super::handler::Kind;
use super::{Answered, SLOW};
use crate::logging::escape::{LONGEST_VALUE, bounded, escape};
use crate::logging::{ACCESS, redact};
use crate::web::state::Hub;
use crate::web::visit;

/// How many headers are shown at most.
const MOST_HEADERS: usize = 64;

pub(super) fn log(hub: &Hub, request: &HttpRequest, answered: &Answered, took: Duration) {
    let level = level(answered.status, answered.handler.kind, took);
    if !log_enabled!(target: ACCESS, level) {
        return;
    }
    if shows_headers(answered.status) {
        let headers = headers(request);
        error!(target: ACCESS, request_id = answered.id.as_str(), headers = headers.as_str(); "headers of the request");
    }
    let uri = request.uri().path_and_query().map_or("", |uri| uri.as_str());
    let uri = redact::uri(uri);
    let uri = bounded(&uri, LONGEST_VALUE);
    let location = answered.location.as_deref().map(redact::uri);
    let location = bounded(location.as_deref().unwrap_or_default(), LONGEST_VALUE);
    let arrow = if location.is_empty() { "" } else { " -> " };
    let status = answered.status.as_u16();
    let method = request.method().as_str();
    let method = bounded(method, 32);
    let user = answered.caller_name();
    let ip = visit::address(request, hub);
    let milliseconds = took.as_secs_f64() * 1000.0;
    log::log!(
        target: ACCESS,
        level,
        status,
        method = method.as_ref(),
        uri = uri.as_ref(),
        location = location.as_ref(),
        user,
        remote_ip:% = ip,
        duration_ms = (milliseconds * 100.0).round() / 100.0,
        request_id = answered.id.as_str();
        "{status} {method} {uri}{arrow}{location} ({user}@{ip}) {milliseconds:.2}ms"
    );
}

/// How loud a line is: what goes wrong is heard, what works all the time is not.
fn level(status: StatusCode, kind: Kind, took: Duration) -> Level {
    let code = status.as_u16();
    let level = match code {
        304 => Level::Debug,
        0..300 if kind == Kind::Quiet => Level::Debug,
        0..400 => Level::Info,
        400..500 => Level::Warn,
        _ => Level::Error,
    };
    // levels are ordered by verbosity
    if took >= SLOW { level.min(Level::Info) } else { level }
}

/// Whether the request itself may be what broke the hub.
fn shows_headers(status: StatusCode) -> bool {
    status.as_u16() >= 500 && status.as_u16() != 502 && status.as_u16() != 503
}

fn headers(request: &HttpRequest) -> String {
    let shown = request.headers().iter().take(MOST_HEADERS).map(|(name, value)| {
        let value = redact::header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
        let value = bounded(&escape(&value), LONGEST_VALUE).into_owned();
        (title(name.as_str()), Value::from(value))
    });
    Value::Object(shown.collect::<Map<_, _>>()).to_string()
}

/// `content-type` as people write it.
fn title(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn of(status: u16, kind: Kind, millis: u64) -> Level {
        level(StatusCode::from_u16(status).unwrap(), kind, Duration::from_millis(millis))
    }

    #[test]
    fn obs_011_the_level_says_how_it_went() {
        for (status, kind, level) in [
            (200, Kind::Other, Level::Info),
            (302, Kind::Other, Level::Info),
            (304, Kind::Other, Level::Debug),
            (200, Kind::Quiet, Level::Debug),
            (302, Kind::Quiet, Level::Info),
            (404, Kind::Quiet, Level::Warn),
            (403, Kind::Other, Level::Warn),
            (500, Kind::Other, Level::Error),
            (503, Kind::Other, Level::Error),
        ] {
            assert_eq!(of(status, kind, 5), level, "{status}");
        }
    }

    #[test]
    fn obs_011_what_is_slow_is_told_at_info_at_least() {
        assert_eq!(of(200, Kind::Quiet, 999), Level::Debug);
        assert_eq!(of(200, Kind::Quiet, 1000), Level::Info);
        assert_eq!(of(304, Kind::Other, 5000), Level::Info);
        assert_eq!((of(404, Kind::Other, 5000), of(500, Kind::Other, 5000)), (Level::Warn, Level::Error));
    }

    #[test]
    fn obs_013_headers_are_shown_for_errors_of_ours_only_and_without_secrets() {
        for (status, shown) in
            [(500, true), (501, true), (504, true), (502, false), (503, false), (404, false)]
        {
            assert_eq!(shows_headers(StatusCode::from_u16(status).unwrap()), shown, "{status}");
        }
        let request = TestRequest::get()
            .insert_header(("authorization", "token abc"))
            .insert_header(("cookie", "a=1; b=2"))
            .insert_header(("user-agent", "x\u{202e}"))
            .to_http_request();
        let shown: Value = serde_json::from_str(&headers(&request)).unwrap();
        assert_eq!(shown["Authorization"], "token [secret]");
        assert_eq!(shown["Cookie"], "a=[secret]; b=[secret]");
        assert_eq!(shown["User-Agent"], r"x\u{202e}");
    }
}
