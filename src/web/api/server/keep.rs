//! `POST …/server/keep`: keep a running server from being culled for a while. The reference has no such request.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::{Found, find};
use crate::domain::culling::spoken;
use crate::domain::ids::ServerId;
use crate::domain::names::ServerKey;
use crate::domain::timestamp;
use crate::store::servers;
use crate::web::api::lookup;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{self, Body};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::bodies::KeepBody;
use crate::web::state::Hub;
use crate::web::views::server::ServerView;

const KEEP: &[&str] = &["start:servers"];

/// Keep a running server
///
/// It is not stopped for being idle before that time, which may lie `culler.max_keep` ahead.
#[utoipa::path(
    post,
    path = "/users/{user}/servers/{server}/keep",
    tag = "servers",
    operation_id = "keep_server",
    request_body(
        content = KeepBody,
        description = "Until when; one of the two",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "The server as it is now", body = ServerView),
        (status = 400, description = "ada is not running"),
        (status = 404, description = "No such server: ada/lab"),
    ),
    extensions(("x-required-scopes" = json!(KEEP))),
)]
pub(in crate::web::api) async fn keep(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.server();
    caller.require(KEEP, lookup::resource(&key))?;
    let found = find(&hub, &key).await?;
    let now = Utc::now();
    let until = time(&body::object(body.json()?.unwrap_or_default())?, now)?;
    let id = running(&hub, &key, &found)?;
    let policy = hub.servers.culling();
    let policy = policy
        .ok_or_else(|| Refused::bad("No server is stopped for being idle here: culler.enabled = false"))?;
    let until = policy.keep(until, now).ok_or_else(|| match policy.max_keep.is_zero() {
        true => Refused::bad("Servers cannot be kept here: culler.max_keep = 0"),
        false => Refused::bad(format!("A server can be kept for {} at most", spoken(policy.max_keep))),
    })?;
    set(&hub, &caller, &key, id, Some(until)).await
}

/// Do not keep a server any longer
#[utoipa::path(
    delete,
    path = "/users/{user}/servers/{server}/keep",
    tag = "servers",
    operation_id = "release_server",
    responses(
        (status = 200, description = "The server as it is now", body = ServerView),
        (status = 404, description = "No such server: ada/lab"),
    ),
    extensions(("x-required-scopes" = json!(KEEP))),
)]
pub(in crate::web::api) async fn release(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.server();
    caller.require(KEEP, lookup::resource(&key))?;
    let found = find(&hub, &key).await?;
    if !found.exists(&key) {
        return Err(lookup::no_such_server(&key).into());
    }
    match &found.row {
        Some(row) => set(&hub, &caller, &key, row.id, None).await,
        None => Ok(HttpResponse::Ok().json(found.view(&hub, &caller, &key))),
    }
}

fn running(hub: &Hub, key: &ServerKey, found: &Found) -> Result<ServerId, Refused> {
    if !found.exists(key) {
        return Err(lookup::no_such_server(key));
    }
    let row = found.row.as_ref().filter(|_| hub.servers.status(key).ready);
    row.map(|row| row.id).ok_or_else(|| Refused::bad(format!("{} is not running", key.log_name())))
}

async fn set(
    hub: &Hub,
    caller: &ApiCaller,
    key: &ServerKey,
    id: ServerId,
    until: Option<DateTime<Utc>>,
) -> Result<HttpResponse, ApiError> {
    let asked = key.clone();
    let found = hub.store.write(move |db| {
        servers::set_keep_until(db, id, until)?;
        Found::read(db, &asked)
    });
    Ok(HttpResponse::Ok().json(found.await?.view(hub, caller, key)))
}

fn time(body: &Map<String, Value>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refused> {
    let wrong = || Refused::bad("give either \"for\": seconds, or \"until\": \"2026-01-02T03:04:05Z\"");
    match (body.get("for"), body.get("until")) {
        (Some(seconds), None) => {
            let seconds = seconds.as_i64().filter(|seconds| *seconds > 0).ok_or_else(wrong)?;
            TimeDelta::try_seconds(seconds).and_then(|time| now.checked_add_signed(time)).ok_or_else(wrong)
        }
        (None, Some(until)) => {
            let until = timestamp::parse(until.as_str().ok_or_else(wrong)?)
                .map_err(|wrong| Refused::bad(wrong.to_string()))?;
            if until <= now {
                return Err(Refused::bad("\"until\" lies in the past"));
            }
            Ok(until)
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_given_in_one_of_two_ways() {
        let now = timestamp::parse("2026-01-02T03:00:00Z").unwrap();
        let read = |body: Value| time(body.as_object().unwrap(), now).map(timestamp::format);
        assert_eq!(
            read(json!({"for": 60})).unwrap(),
            read(json!({"until": "2026-01-02T03:01:00Z"})).unwrap()
        );
        for wrong in [
            json!({}),
            json!({"for": 0}),
            json!({"for": -1}),
            json!({"for": "1h"}),
            json!({"for": i64::MAX}),
            json!({"for": 1, "until": "2026-01-02T03:01:00Z"}),
            json!({"until": "2026-01-02T02:59:00Z"}),
            json!({"until": "soon"}),
        ] {
            assert_eq!(read(wrong.clone()).unwrap_err().status.as_u16(), 400, "{wrong}");
        }
    }
}
