//! The routes of the data plane (proxy.md 3, rest-api.md 4.12).

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::actors::registry::{Check, List, SwitchProxy};
use crate::config::address::ApiUrl;
use crate::domain::access::Resource;
use crate::domain::route_check::LiveRoute;
use crate::domain::route_spec::RouteSpec;
use crate::secret::Secret;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{self, Body, Object};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::pagination::Pagination;
use crate::web::state::Hub;

#[derive(Serialize)]
struct RouteView<'a> {
    routespec: &'a RouteSpec,
    target: &'a str,
    data: &'a Map<String, Value>,
}

impl<'a> RouteView<'a> {
    fn new(spec: &'a RouteSpec, route: &'a LiveRoute) -> Self {
        Self { routespec: spec, target: &route.target, data: &route.data }
    }
}

/// `GET /hub/api/proxy`
pub(super) async fn list(
    request: HttpRequest,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&["proxy"], Resource::None)?;
    let pages = Pagination::of(&request, &hub)?;
    let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let routes = hub.registry.ask(List).await??;
    let page = routes.iter().skip(count(pages.offset)).take(count(pages.limit));
    let items: BTreeMap<&RouteSpec, RouteView<'_>> =
        page.map(|(spec, route)| (spec, RouteView::new(spec, route))).collect();
    let total = i64::try_from(routes.len()).unwrap_or(i64::MAX);
    Ok(HttpResponse::Ok().json(pages.show(items, total)))
}

/// `POST /hub/api/proxy`: gives the proxy what it lacks and takes away what is stale.
pub(super) async fn synchronise(caller: ApiCaller, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    caller.require(&["proxy"], Resource::None)?;
    check_now(&hub).await
}

async fn check_now(hub: &Hub) -> Result<HttpResponse, ApiError> {
    hub.registry.ask(Check).await??;
    Ok(HttpResponse::Ok().finish())
}

/// `PATCH /hub/api/proxy`: the hub speaks to another proxy from now on, until it is started again.
pub(super) async fn change(
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&["proxy"], Resource::None)?;
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
