//! `POST /users/{user}/activity`: what servers report of their use (rest-api.md 4.8).

use std::collections::HashMap;

use actix_web::{HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::lookup;
use crate::domain::access::Resource;
use crate::domain::ids::ServerId;
use crate::domain::names::{ServerName, Username};
use crate::domain::timestamp;
use crate::store::Db;
use crate::store::{servers, users};
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{self, Body, is_falsy};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::bodies::ActivityBody;
use crate::web::state::Hub;

const REPORT: &[&str] = &["users:activity"];

/// Clocks differ, and time zones are forgotten; a time further ahead than this would keep a server from being culled.
const MOST_AHEAD: TimeDelta = TimeDelta::minutes(59);

/// Report activity of a user and of its servers
///
/// All of it is stored or nothing. Times only move forward.
#[utoipa::path(
    post,
    path = "/users/{user}/activity",
    tag = "users",
    operation_id = "report_activity",
    request_body(
        content = ActivityBody,
        description = "When somebody was last active; at least one of the two",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "Noted"),
        (status = 400, description = "No such server 'nope' for user ada"),
        (status = 404, description = "No such user: 'ada'"),
    ),
    extensions(("x-required-scopes" = json!(REPORT))),
)]
pub(super) async fn report(
    path: Path,
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let name = path.user();
    caller.require(REPORT, Resource::User(name.as_str()))?;
    let wanted = name.clone();
    hub.store.read(move |db| lookup::user(db, &wanted)).await?;
    let report = Report::read(&body, Utc::now())?;
    // stored before the answer: a client may ask for it at once; and it changes nobody's rights
    hub.store.write_quietly(move |db| report.apply(db, &name)).await?;
    Ok(HttpResponse::Ok().finish())
}

/// Times of last activity.
#[derive(Debug, PartialEq)]
struct Report {
    user: Option<DateTime<Utc>>,
    servers: Vec<(ServerName, DateTime<Utc>)>,
}

impl Report {
    fn read(body: &Body, now: DateTime<Utc>) -> Result<Self, Refused> {
        let object = body::object(body.json()?.unwrap_or_default())?;
        let given = |key: &str| object.get(key).filter(|value| !is_falsy(value));
        let (user, servers) = (given("last_activity"), given("servers"));
        if user.is_none() && servers.is_none() {
            return Err(Refused::bad("body must contain at least one of `last_activity` or `servers`"));
        }
        let user = user.map(|value| time(value, now)).transpose()?;
        let servers = servers.map(|value| server_times(value, now)).transpose()?.unwrap_or_default();
        Ok(Self { user, servers })
    }

    /// All of it or nothing; times only move forward.
    fn apply(&self, db: &mut Db, name: &Username) -> Result<(), Refused> {
        let user = lookup::user(db, name)?;
        let rows = servers::of_user(db, user.id)?;
        let ids: HashMap<&ServerName, ServerId> =
            rows.iter().map(|server| (&server.name, server.id)).collect();
        let known = self.servers.iter().map(|(server, at)| match ids.get(server) {
            Some(id) => Ok((*id, *at)),
            None => Err(Refused::bad(format!("No such server '{server}' for user {name}"))),
        });
        for (id, at) in known.collect::<Result<Vec<_>, _>>()? {
            servers::touch(db, id, at)?;
        }
        if let Some(at) = self.user {
            users::touch(db, user.id, at)?;
        }
        Ok(())
    }
}

fn time(value: &Value, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refused> {
    let text = value
        .as_str()
        .ok_or_else(|| Refused::bad("last_activity must be a string such as 2026-01-02T03:04:05Z"))?;
    let time = timestamp::parse(text).map_err(|wrong| Refused::bad(wrong.to_string()))?;
    if time > now + MOST_AHEAD {
        return Err(Refused::bad(format!("last_activity {} lies in the future", timestamp::format(time))));
    }
    Ok(time)
}

fn server_times(value: &Value, now: DateTime<Utc>) -> Result<Vec<(ServerName, DateTime<Utc>)>, Refused> {
    let wrong = || Refused::bad("servers must map names to objects with `last_activity`");
    let servers = value.as_object().ok_or_else(wrong)?;
    let read = servers.iter().map(|(name, entry)| {
        let at = entry.as_object().and_then(|entry| entry.get("last_activity")).ok_or_else(wrong)?;
        Ok((ServerName::from_stored(name.as_str()), time(at, now)?))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<Report, u16> {
        let now = timestamp::parse("2026-01-02T12:00:00Z").unwrap();
        Report::read(&Body::of(&body), now).map_err(|refused| refused.status.as_u16())
    }

    #[test]
    fn a_report_holds_times_of_the_user_and_of_servers() {
        let at = timestamp::parse("2026-01-01").unwrap();
        let report = read(
            json!({"last_activity": "2026-01-01", "servers": {"": {"last_activity": "2026-01-01T00:00:00Z"}}}),
        );
        assert_eq!(report, Ok(Report { user: Some(at), servers: vec![(ServerName::default_server(), at)] }));
    }

    #[test]
    fn rest_121_the_future_and_garbage_are_refused() {
        assert!(read(json!({"last_activity": "2026-01-02T12:59:00Z"})).is_ok());
        for body in [
            json!({}),
            json!([]),
            json!("x"),
            json!({"last_activity": null}),
            json!({"last_activity": "soon"}),
            json!({"last_activity": 5}),
            json!({"last_activity": "2026-01-02T12:59:01Z"}),
            json!({"servers": []}),
            json!({"servers": ["x"]}),
            json!({"servers": {"": {}}}),
            json!({"servers": {"": "2026-01-01"}}),
            json!({"servers": {"": {"last_activity": "soon"}}}),
        ] {
            assert_eq!(read(body.clone()), Err(400), "{body}");
        }
    }
}
