//! The contract of the REST API as an OpenAPI 3.1 document, generated from the handlers and views, and as a page.
//!
//! To describe a new endpoint: `#[utoipa::path]` on its handler, with the statuses that only it knows (`complete.rs` adds
//! those that all have), its scopes from the constant that it checks, and a line in `document.rs`. The tests below name
//! what is missing; `tests/it/contract` then wants to know what the endpoint is to be tried with.

pub mod bodies;
pub mod parameters;
pub mod shapes;

mod complete;
mod document;
mod examples;
mod page;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use page::show;

use crate::secret::hex;
use crate::web::state::Hub;

/// The document as it is sent. It is the same for everybody and as long as the hub runs.
#[derive(Debug)]
pub struct Document {
    json: Bytes,
    tag: String,
    page: page::DocsPage,
}

impl Document {
    /// The document of a hub whose API lives at `api`, such as `/hub/api`.
    fn new(api: &str) -> Self {
        let value = whole(api);
        let json = Bytes::from(value.to_string());
        let digest = hex(&Sha256::digest(&json));
        Self {
            tag: format!("\"{}\"", digest.get(..16).unwrap_or(&digest)),
            json,
            page: page::DocsPage::new(&value),
        }
    }
}

/// The document as a value.
fn whole(api: &str) -> Value {
    let mut value = serde_json::to_value(document::generated()).unwrap_or_default();
    complete::complete(&mut value, api);
    value
}

fn of(hub: &Hub) -> &Document {
    hub.openapi.get_or_init(|| Document::new(&hub.path("api")))
}

/// Describe this API
///
/// The document that you are reading, for programs.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "hub",
    operation_id = "openapi",
    responses(
        (status = 200, description = "An OpenAPI document", body = bodies::Properties),
        (status = 304, description = "It is the one that you have"),
    ),
    security(()),
)]
pub(super) async fn document(hub: web::Data<Hub>, request: HttpRequest) -> HttpResponse {
    let document = of(&hub);
    let known = request
        .headers()
        .get_all(IF_NONE_MATCH)
        .any(|tags| lists(tags.to_str().unwrap_or(""), &document.tag));
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, document.tag.as_str())).insert_header((CACHE_CONTROL, "no-cache"));
    if known {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, "application/json")).body(document.json.clone())
}

/// Whether `If-None-Match` lists the tag; proxies that compress make tags weak.
fn lists(tags: &str, own: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == own)
}

#[cfg(test)]
mod tests;
