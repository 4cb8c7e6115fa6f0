//! The routes of the data plane (proxy.md 3, rest-api.md 4.12).

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::actors::registry::{Check, List, SwitchProxy};
use crate::config::address::ApiUrl;
use crate::domain::access::Resource;
use crate::domain::route_check::LiveRoute;
use crate::domain::route_spec::RouteSpec;
use crate::secret::Secret;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{self, Body, Object};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::pagination::{Listing, Pagination};
use crate::web::openapi::bodies::OtherProxy;
use crate::web::openapi::parameters::PageParameters;
use crate::web::state::Hub;

const PROXY: &[&str] = &["proxy"];

#[derive(Serialize, ToSchema)]
#[schema(as = Route, example = json!({
    "routespec": "/user/ada/", "target": "http://127.0.0.1:40321", "data": {"user": "ada", "server_name": ""},
}))]
pub(in crate::web) struct RouteView<'a> {
    /// What it matches.
    #[schema(value_type = String)]
    routespec: &'a RouteSpec,
    /// Where it leads.
    target: &'a str,
    /// Whose it is, and what the proxy adds.
    #[schema(value_type = Object)]
    data: &'a Map<String, Value>,
}

impl<'a> RouteView<'a> {
    fn new(spec: &'a RouteSpec, route: &'a LiveRoute) -> Self {
        Self { routespec: spec, target: &route.target, data: &route.data }
    }
}

/// List the routes of the proxy
#[utoipa::path(
    get,
    path = "/proxy",
    tag = "proxy",
    operation_id = "list_routes",
    params(PageParameters),
    responses(
        (status = 200, description = "A page of routes by what they match", body = Listing<BTreeMap<String, RouteView>>),
    ),
    extensions(("x-required-scopes" = json!(PROXY))),
)]
pub(super) async fn list(
    request: HttpRequest,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    caller.require(PROXY, Resource::None)?;
    let pages = Pagination::of(&request, &hub)?;
    let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let routes = hub.registry.ask(List).await??;
    let page = routes.iter().skip(count(pages.offset)).take(count(pages.limit));
    let items: BTreeMap<&RouteSpec, RouteView<'_>> =
        page.map(|(spec, route)| (spec, RouteView::new(spec, route))).collect();
    let total = i64::try_from(routes.len()).unwrap_or(i64::MAX);
    Ok(HttpResponse::Ok().json(pages.show(items, total)))
}

/// Give the proxy what it lacks, and take away what is stale
#[utoipa::path(
    post,
    path = "/proxy",
    tag = "proxy",
    operation_id = "check_routes",
    responses(
        (status = 200, description = "Done"),
    ),
    extensions(("x-required-scopes" = json!(PROXY))),
)]
pub(super) async fn synchronise(caller: ApiCaller, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    caller.require(PROXY, Resource::None)?;
    check_now(&hub).await
}

async fn check_now(hub: &Hub) -> Result<HttpResponse, ApiError> {
    hub.registry.ask(Check).await??;
    Ok(HttpResponse::Ok().finish())
}

/// Use another proxy
///
/// Until the hub is started again. Not possible with an embedded proxy, or one that the hub starts.
#[utoipa::path(
    patch,
    path = "/proxy",
    tag = "proxy",
    operation_id = "change_proxy",
    request_body(
        content = OtherProxy,
        description = "Where it is and how to speak to it",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "The hub speaks to it"),
        (status = 400, description = "need JSON body"),
    ),
    extensions(("x-required-scopes" = json!(PROXY))),
)]
pub(super) async fn change(
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    caller.require(PROXY, Resource::None)?;
    let wanted = body.json()?.ok_or_else(|| Refused::bad("need JSON body"))?;
    let other = switch(&body::object(wanted)?)?;
    if other.url.is_none() && other.token.is_none() {
        return check_now(&hub).await;
    }
    hub.registry.ask(other).await??;
    Ok(HttpResponse::Ok().finish())
}

fn switch(wanted: &Object) -> Result<SwitchProxy, Refused> {
    let text = |key: &str| match wanted.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Refused::bad(format!("{key} must be a string"))),
    };
    let url = text("api_url")?.map(ApiUrl::parse).transpose();
    let url = url.map_err(|error| Refused::bad(format!("api_url: {error}")))?;
    let token = text("auth_token")?.map(Secret::new);
    Ok(SwitchProxy { url, token })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<SwitchProxy, String> {
        switch(value.as_object().unwrap()).map_err(|refused| refused.message)
    }

    #[test]
    fn proxy_030_address_and_token_of_another_proxy_are_strings() {
        let both = read(json!({"api_url": "http://127.0.0.1:1", "auth_token": "t", "more": 1})).unwrap();
        assert_eq!(both.url.unwrap().to_string(), "http://127.0.0.1:1");
        assert_eq!(both.token.unwrap().expose(), "t");
        let neither = read(json!({"more": 1})).unwrap();
        assert!(neither.url.is_none() && neither.token.is_none());
        assert!(read(json!({"api_url": 5})).err().unwrap().contains("api_url"));
        assert!(read(json!({"api_url": "nowhere"})).err().unwrap().contains("api_url"));
        assert!(read(json!({"auth_token": null})).err().unwrap().contains("auth_token"));
    }
}
