//! Serving what is compiled in: style sheet, scripts, drawings (pages.md 2.5). No cookies and no look-ups here.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
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
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, asset.etag())).insert_header((CACHE_CONTROL, cache));
    if known {
        return response.finish();
    }
    response
        .insert_header((CONTENT_TYPE, asset.content_type))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(asset.bytes.to_vec())
}

/// Whether `If-None-Match` lists the content; proxies that compress make tags weak.
fn matches(tags: &HeaderValue, asset: &Asset) -> bool {
    let tags = tags.to_str().unwrap_or_default().split(',').map(str::trim);
    let own = asset.etag();
    { tags }.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == own)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn a_tag_matches_strong_weak_and_among_others() {
        let asset = Asset { bytes: Cow::Borrowed(b""), content_type: "text/css", version: "ab12".to_owned() };
        for tags in ["\"ab12\"", "W/\"ab12\"", "\"x\", \"ab12\"", "*"] {
            assert!(matches(&HeaderValue::from_static(tags), &asset), "{tags}");
        }
        for tags in ["\"ab1\"", "ab12", "", "W/ab12"] {
            assert!(!matches(&HeaderValue::from_static(tags), &asset), "{tags}");
        }
    }
}
