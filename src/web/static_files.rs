//! Serving what is compiled in: style sheet, scripts, drawings (pages.md 2.5). No cookies and no look-ups here.

use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, Encoding, Header, HeaderValue,
    IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, web};

use super::assets::Asset;
use super::pages::address::Arguments;
use super::state::Hub;

/// The address names this very content, which therefore never changes.
const FOR_EVER: &str = "public, max-age=315360000, immutable";
/// Ask each time; the answer is usually 304.
const ASK: &str = "no-cache";
/// `hub.ui.no_cache_static`.
const NEVER: &str = "no-store";

/// `<hub>static/<path>`.
pub async fn file(hub: web::Data<Hub>, request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    named(&hub, &request, &path)
}

/// `/favicon.ico`.
pub async fn favicon(hub: web::Data<Hub>, request: HttpRequest) -> HttpResponse {
    named(&hub, &request, "favicon.svg")
}

/// `/robots.txt`.
pub async fn robots(hub: web::Data<Hub>, request: HttpRequest) -> HttpResponse {
    named(&hub, &request, "robots.txt")
}

/// `<hub>logo`.
pub async fn logo(hub: web::Data<Hub>, request: HttpRequest) -> HttpResponse {
    answer(&hub, &request, &hub.logo)
}

/// Another method than `GET` and `HEAD`.
pub async fn wrong_method() -> HttpResponse {
    HttpResponse::MethodNotAllowed().content_type("text/html; charset=UTF-8").body("405: Method Not Allowed")
}

fn named(hub: &Hub, request: &HttpRequest, path: &str) -> HttpResponse {
    match hub.assets.find(path) {
        Some(asset) => answer(hub, request, asset),
        None => HttpResponse::NotFound().content_type("text/html; charset=UTF-8").body("404: Not Found"),
    }
}

fn answer(hub: &Hub, request: &HttpRequest, asset: &Asset) -> HttpResponse {
    let asked = Arguments::of(&request.uri().to_string());
    let cache = match asked.last("v") {
        _ if hub.settings.no_cache_static => NEVER,
        Some(version) if version == asset.version => FOR_EVER,
        _ => ASK,
    };
    let known = request.headers().get_all(IF_NONE_MATCH).any(|tags| matches(tags, asset));
    let gzip = asset.gzip.as_ref().filter(|_| takes_gzip(request));
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, asset.etag(gzip.is_some()))).insert_header((CACHE_CONTROL, cache));
    if asset.gzip.is_some() {
        response.insert_header((VARY, "Accept-Encoding"));
    }
    if known {
        return response.finish();
    }
    response
        .insert_header((CONTENT_TYPE, asset.content_type))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
    match gzip {
        Some(bytes) => response.insert_header((CONTENT_ENCODING, "gzip")).body(bytes.clone()),
        None => response.body(asset.bytes.to_vec()),
    }
}

/// Whether the client would rather have gzip (RFC 9110, 12.5.3). Who names no encoding gets none: not all that say nothing
/// can undo one.
fn takes_gzip(request: &HttpRequest) -> bool {
    let known = [Encoding::identity(), Encoding::gzip()];
    AcceptEncoding::parse(request)
        .is_ok_and(|accepted| accepted.negotiate(known.iter()) == Some(Encoding::gzip()))
}

/// Whether `If-None-Match` lists the content; proxies that compress make tags weak.
fn matches(tags: &HeaderValue, asset: &Asset) -> bool {
    let tags = tags.to_str().unwrap_or_default().split(',').map(str::trim);
    let own = [asset.etag(false), asset.etag(true)];
    { tags }.any(|tag| tag == "*" || own.iter().any(|own| tag.strip_prefix("W/").unwrap_or(tag) == own))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn gzip_goes_to_who_asks_for_it() {
        let asked = |accepted: &str| {
            takes_gzip(&TestRequest::default().insert_header(("Accept-Encoding", accepted)).to_http_request())
        };
        for accepted in ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.8"] {
            assert!(asked(accepted), "{accepted}");
        }
        for refused in ["", "identity", "br", "gzip;q=0", "gzip;q=0.1, identity", "gzip;q=none"] {
            assert!(!asked(refused), "{refused}");
        }
        assert!(!takes_gzip(&TestRequest::default().to_http_request()));
    }

    #[test]
    fn a_tag_matches_strong_weak_and_among_others() {
        let asset = Asset { version: "ab12".to_owned(), ..Asset::new("a.css", Vec::new()) };
        for tags in ["\"ab12\"", "\"ab12-gzip\"", "W/\"ab12\"", "\"x\", \"ab12\"", "*"] {
            assert!(matches(&HeaderValue::from_static(tags), &asset), "{tags}");
        }
        for tags in ["\"ab1\"", "ab12", "", "W/ab12"] {
            assert!(!matches(&HeaderValue::from_static(tags), &asset), "{tags}");
        }
    }
}
