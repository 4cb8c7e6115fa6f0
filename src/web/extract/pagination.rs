//! Pages of lists (rest-api.md 1.10): which part of a list is wanted, and the wrapper around it for clients that ask.

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;
use serde::Serialize;
use utoipa::ToSchema;

use super::query::Query;
use crate::web::error::Refused;
use crate::web::state::Hub;
use crate::web::visit;

const MEDIA_TYPE: &str = "application/jupyterhub-pagination+json";

/// Which part of a list is wanted.
#[derive(Debug, Clone)]
pub struct Pagination {
    /// How many items to skip; at least 0.
    pub offset: i64,
    /// How many to show; from 1 to `hub.api.page_max_limit`.
    pub limit: i64,
    /// Whether the client asked for the wrapper.
    pub wrapped: bool,
    query: Query,
    url: String,
}

/// The bounds of a page's size.
#[derive(Debug, Clone, Copy)]
struct Limits {
    default: i64,
    most: i64,
}

impl Pagination {
    /// Reads a request.
    ///
    /// # Errors
    /// 400 if `offset` or `limit` is no integer.
    pub fn of(request: &HttpRequest, hub: &Hub) -> Result<Self, Refused> {
        let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
        let settings = &hub.settings;
        let limits = Limits { default: settings.page_default_limit, most: settings.page_max_limit };
        let url = format!("{}{}", visit::base_of(request, hub), request.uri().path());
        Self::read(accept.unwrap_or_default(), Query::of(request), limits, url)
    }

    fn read(accept: &str, query: Query, limits: Limits, url: String) -> Result<Self, Refused> {
        let wrapped = accept.split(',').any(|member| member.trim().eq_ignore_ascii_case(MEDIA_TYPE));
        let default = if wrapped { limits.default } else { limits.most };
        let offset = number(&query, "offset")?.unwrap_or(0);
        let limit = number(&query, "limit")?.unwrap_or(default).clamp(1, limits.most.max(1));
        Ok(Self { offset, limit, wrapped, query, url })
    }

    /// `items`, in the wrapper if that was asked for.
    pub fn show<T: Serialize>(&self, items: T, total: i64) -> Listing<T> {
        if self.wrapped { Listing::Wrapped(self.wrap(items, total)) } else { Listing::Bare(items) }
    }

    /// `items` in the wrapper, as lists of shares always are.
    pub fn wrap<T: Serialize>(&self, items: T, total: i64) -> Wrapper<T> {
        let after = self.offset.saturating_add(self.limit);
        let next = (after < total).then(|| self.next(after));
        Wrapper { items, pagination: Info { offset: self.offset, limit: self.limit, total, next } }
    }

    fn next(&self, offset: i64) -> Next {
        let query = self.query.with(&[("offset", offset.to_string()), ("limit", self.limit.to_string())]);
        Next { offset, limit: self.limit, url: format!("{}?{query}", self.url) }
    }
}

fn number(query: &Query, name: &str) -> Result<Option<i64>, Refused> {
    let Some(text) = query.get(name) else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(number) => Ok(Some(number.saturating_abs())),
        Err(_) => Err(Refused::bad("Invalid argument type, offset and limit must be integers")),
    }
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Listing<T> {
    /// Just the items.
    Bare(T),
    /// Items, and where the next ones are.
    Wrapped(Wrapper<T>),
}

/// Items, and where the next ones are.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Wrapper<T> {
    /// What the page holds.
    items: T,
    /// Which part of the list this is.
    #[serde(rename = "_pagination")]
    pagination: Info,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PageInfo)]
struct Info {
    /// How many were skipped.
    offset: i64,
    /// How many a page holds at most.
    limit: i64,
    /// How many there are.
    total: i64,
    /// The next page.
    next: Option<Next>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = NextPage)]
struct Next {
    /// How many it skips.
    offset: i64,
    /// How many it holds at most.
    limit: i64,
    /// Where it is.
    url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(accept: &str, query: &str) -> Result<Pagination, Refused> {
        let limits = Limits { default: 50, most: 200 };
        Pagination::read(accept, Query::parse(query), limits, "https://hub.example/hub/api/users".to_owned())
    }

    #[test]
    fn rest_020_the_wrapper_needs_the_exact_media_type() {
        for (accept, wrapped) in [
            (MEDIA_TYPE, true),
            ("text/html, APPLICATION/JupyterHub-Pagination+JSON ", true),
            ("application/jupyterhub-pagination+json;q=0.9", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(read(accept, "").unwrap().wrapped, wrapped, "{accept}");
        }
    }

    #[test]
    fn rest_021_numbers_are_brought_into_range() {
        for (query, offset, limit) in [
            ("limit=0", 0, 1),
            ("limit=-3&offset=-2", 2, 3),
            ("limit=100000", 0, 200),
            ("offset=-9223372036854775808", i64::MAX, 200),
        ] {
            let page = read("", query).unwrap();
            assert_eq!((page.offset, page.limit), (offset, limit), "{query}");
        }
        for query in ["limit=many", "limit=", "offset=1.5"] {
            assert_eq!(read("", query).unwrap_err().status, 400, "{query}");
        }
    }

    #[test]
    fn rest_023_the_default_limit_depends_on_the_wrapper() {
        assert_eq!(read(MEDIA_TYPE, "").unwrap().limit, 50);
        assert_eq!(read("", "").unwrap().limit, 200);
    }

    #[test]
    fn rest_022_the_next_page_keeps_the_other_arguments() {
        let page = read(MEDIA_TYPE, "state=ready&limit=2").unwrap();
        let shown = serde_json::to_value(page.show([1, 2], 3)).unwrap();
        assert_eq!(
            shown["_pagination"]["next"]["url"],
            "https://hub.example/hub/api/users?state=ready&offset=2&limit=2"
        );
        let last = serde_json::to_value(read(MEDIA_TYPE, "offset=2").unwrap().show([3], 3)).unwrap();
        assert!(last["_pagination"]["next"].is_null());
        assert_eq!(serde_json::to_value(read("", "").unwrap().show([3], 1)).unwrap(), serde_json::json!([3]));
    }
}
