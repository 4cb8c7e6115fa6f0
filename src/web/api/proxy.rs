//! The routes of the data plane (rest-api.md 4.12).

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::DateTime;
use orrery_proxy::Route;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::access::Resource;
use crate::domain::timestamp;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::Body;
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::pagination::Pagination;
use crate::web::state::Hub;

#[derive(Serialize)]
struct RouteView {
    routespec: String,
    target: String,
    data: Map<String, Value>,
}

impl RouteView {
    fn new(route: &Route) -> Self {
        let mut data = route.data().as_object().cloned().unwrap_or_default();
        let seen = i64::try_from(route.last_activity_ms()).ok().and_then(DateTime::from_timestamp_millis);
        data.insert("last_activity".to_owned(), seen.map(timestamp::format).into());
        Self { routespec: route.spec().to_owned(), target: route.target().to_owned(), data }
    }
}

/// `GET /hub/api/proxy`
pub(super) async fn list(
    request: HttpRequest,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&["proxy"], Resource::None)?;
    let pages = Pagination::of(&request, &hub.settings)?;
    let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let table = hub.servers.routes();
    let mut routes: Vec<_> = table.iter().collect();
    routes.sort_by_key(|route| route.spec());
    let page = routes.iter().skip(count(pages.offset)).take(count(pages.limit));
    let items: BTreeMap<&str, RouteView> = page.map(|route| (route.spec(), RouteView::new(route))).collect();
    let total = i64::try_from(routes.len()).unwrap_or(i64::MAX);
    Ok(HttpResponse::Ok().json(pages.show(items, total)))
}

/// `POST /hub/api/proxy`: the embedded proxy reads the very table that the hub writes, so they always agree.
pub(super) async fn synchronise(caller: ApiCaller) -> Result<HttpResponse, ApiError> {
    caller.require(&["proxy"], Resource::None)?;
    Ok(HttpResponse::Ok().finish())
}

/// `PATCH /hub/api/proxy`: points the hub to another proxy, which it cannot have while its own is embedded.
pub(super) async fn change(caller: ApiCaller, body: Body) -> Result<HttpResponse, ApiError> {
    caller.require(&["proxy"], Resource::None)?;
    if body.object_if_any()?.is_none() {
        return Err(Refused::bad("need JSON body").into());
    }
    Err(Refused::bad("This hub's proxy is embedded: it has no address or token that could be changed").into())
}
