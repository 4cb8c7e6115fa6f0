//! Addresses that are not the hub's own: a missing slash, and everything outside the hub's prefix (pages.md 1).

use actix_web::http::Method;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};

use super::address;
use super::errors::wrong_method;
use crate::web::error::PageError;
use crate::web::state::Hub;

fn uri(request: &HttpRequest) -> String {
    request.uri().path_and_query().map(ToString::to_string).unwrap_or_default()
}

/// The same address with a slash at the end of its path.
fn with_slash(uri: &str) -> String {
    let query = uri.get(address::path(uri).len()..).unwrap_or_default();
    format!("{}/{query}", address::path(uri))
}

/// Where an address outside the hub's prefix leads: the same place inside. What is not even below the base URL loses
/// its query.
fn inside(uri: &str, base_url: &str, hub_prefix: &str) -> String {
    let bare = base_url.trim_end_matches('/');
    let rest = match uri.strip_prefix(base_url) {
        Some(rest) => rest,
        None if address::path(uri) == bare => uri.get(bare.len()..).unwrap_or_default(),
        None => address::path(uri),
    };
    format!("{hub_prefix}{}", rest.trim_start_matches('/'))
}

/// 301 to the address with a slash.
pub async fn add_slash(request: HttpRequest) -> HttpResponse {
    HttpResponse::MovedPermanently().insert_header((LOCATION, with_slash(&uri(&request)))).finish()
}

/// `GET` leads into the hub; there is nothing else here.
///
/// # Errors
/// 405 for other methods.
pub async fn to_hub(
    hub: web::Data<Hub>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, PageError> {
    if request.method() != Method::GET {
        return wrong_method(request, payload).await;
    }
    let settings = &hub.settings;
    let path = inside(&uri(&request), &settings.base_url, &settings.hub_prefix);
    let to = format!("{}{path}", settings.places.public_origin());
    Ok(HttpResponse::Found().insert_header((LOCATION, to)).finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_goes_before_the_query() {
        assert_eq!(with_slash("/user/foo"), "/user/foo/");
        assert_eq!(with_slash("/hub?x=1/2"), "/hub/?x=1/2");
    }

    #[test]
    fn everything_leads_into_the_hub() {
        for (from, to) in [
            ("/", "/hub/"),
            ("/?xyz=5", "/hub/?xyz=5"),
            ("/user/foo/lab?x=1", "/hub/user/foo/lab?x=1"),
            ("//evil.example/", "/hub/evil.example/"),
        ] {
            assert_eq!(inside(from, "/", "/hub/"), to, "{from}");
        }
        for (from, to) in [
            ("/jhub", "/jhub/hub/"),
            ("/jhub?a=b", "/jhub/hub/?a=b"),
            ("/jhub/foo?x=1", "/jhub/hub/foo?x=1"),
            ("/elsewhere?x=1", "/jhub/hub/elsewhere"),
            ("/jhubx/y", "/jhub/hub/jhubx/y"),
        ] {
            assert_eq!(inside(from, "/jhub/", "/jhub/hub/"), to, "{from}");
        }
    }
}
