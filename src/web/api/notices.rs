//! `/maintenance` and `/announcement`: what the operator tells everybody (ours).

use actix_web::{HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::access::Resource;
use crate::domain::notice::{self, Notice, NoticeError, NoticeKind};
use crate::domain::timestamp;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::body::{Body, Object};
use crate::web::extract::caller::ApiCaller;
use crate::web::openapi::bodies::NoticeBody;
use crate::web::openapi::shapes;
use crate::web::state::Hub;
use crate::web::views::stamp::Stamp;

/// A message for everybody; null where there is none.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Notice, example = json!({
    "active": true, "message": "New disks until one o'clock", "from": "2026-01-02T03:04:05Z", "until": null,
    "by": "user:root",
}))]
pub(in crate::web) struct View {
    /// Whether it has begun and is not over.
    active: bool,
    /// What is to be read; plain text.
    message: Option<String>,
    /// When it begins.
    #[schema(schema_with = shapes::moment_or_null)]
    from: Option<Stamp>,
    /// When it ends by itself.
    #[schema(schema_with = shapes::moment_or_null)]
    until: Option<Stamp>,
    /// Who gave it.
    by: Option<String>,
}

const NOTICES: &[&str] = &["shutdown"];

/// Show whether the hub is under maintenance
#[utoipa::path(
    get,
    path = "/maintenance",
    tag = "hub",
    operation_id = "show_maintenance",
    responses((status = 200, description = "Whether it is, or will be", body = View)),
    extensions(("x-required-scopes" = json!(NOTICES))),
)]
pub(super) async fn show_maintenance(
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    show(&caller, &hub, NoticeKind::Maintenance)
}

/// Start no servers any more
///
/// Servers that run go on. Starts are refused with 503 and the message, and all pages show it. A later beginning gives
/// people time: pages show it at once. A restart of the hub changes nothing.
#[utoipa::path(
    post,
    path = "/maintenance",
    tag = "hub",
    operation_id = "begin_maintenance",
    request_body(
        content = Option<NoticeBody>,
        description = "What to say, from when, until when",
        content_type = "application/json",
    ),
    responses(
        (status = 200, description = "As it stands now", body = View),
        (status = 400, description = "the end must come after the beginning, and after now"),
    ),
    extensions(("x-required-scopes" = json!(NOTICES))),
)]
pub(in crate::web) async fn begin_maintenance(
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    give(&caller, &body, &hub, NoticeKind::Maintenance).await
}

/// Start servers again
#[utoipa::path(
    delete,
    path = "/maintenance",
    tag = "hub",
    operation_id = "end_maintenance",
    responses((status = 200, description = "There is none", body = View)),
    extensions(("x-required-scopes" = json!(NOTICES))),
)]
pub(in crate::web) async fn end_maintenance(
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    take_away(&caller, &hub, NoticeKind::Maintenance).await
}

/// Show the announcement
#[utoipa::path(
    get,
    path = "/announcement",
    tag = "hub",
    operation_id = "show_announcement",
    responses((status = 200, description = "What is or will be announced", body = View)),
    extensions(("x-required-scopes" = json!(NOTICES))),
)]
pub(super) async fn show_announcement(
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    show(&caller, &hub, NoticeKind::Announcement)
}

/// Announce something on all pages
///
/// In place of what was announced before; `announcement` of `hub.ui.template_vars` is shown besides.
#[utoipa::path(
    post,
    path = "/announcement",
    tag = "hub",
    operation_id = "announce",
    request_body(content = NoticeBody, description = "What to say, from when, until when", content_type = "application/json"),
    responses(
        (status = 200, description = "As it stands now", body = View),
        (status = 400, description = "a message is needed"),
    ),
    extensions(("x-required-scopes" = json!(NOTICES))),
)]
pub(in crate::web) async fn announce(
    caller: ApiCaller,
    body: Body,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    give(&caller, &body, &hub, NoticeKind::Announcement).await
}

/// Take the announcement away
#[utoipa::path(
    delete,
    path = "/announcement",
    tag = "hub",
    operation_id = "withdraw_announcement",
    responses((status = 200, description = "There is none", body = View)),
    extensions(("x-required-scopes" = json!(NOTICES))),
)]
pub(in crate::web) async fn withdraw_announcement(
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    take_away(&caller, &hub, NoticeKind::Announcement).await
}

fn show(caller: &ApiCaller, hub: &Hub, kind: NoticeKind) -> Result<HttpResponse, ApiError> {
    caller.require(NOTICES, Resource::None)?;
    Ok(standing(hub, kind))
}

async fn give(
    caller: &ApiCaller,
    body: &Body,
    hub: &Hub,
    kind: NoticeKind,
) -> Result<HttpResponse, ApiError> {
    caller.require(NOTICES, Resource::None)?;
    let body = body.object_if_any()?.unwrap_or_default();
    let notice = read(&body, kind, &caller.journal_name(), Utc::now())?;
    hub.board.set(&hub.store, &hub.journal, &caller.journal_name(), kind, Some(notice)).await?;
    Ok(standing(hub, kind))
}

async fn take_away(caller: &ApiCaller, hub: &Hub, kind: NoticeKind) -> Result<HttpResponse, ApiError> {
    caller.require(NOTICES, Resource::None)?;
    hub.board.set(&hub.store, &hub.journal, &caller.journal_name(), kind, None).await?;
    Ok(standing(hub, kind))
}

fn standing(hub: &Hub, kind: NoticeKind) -> HttpResponse {
    let now = Utc::now();
    let notices = hub.board.now();
    let view = notices.get(kind, now).map(|notice| View {
        active: notice.holds(now),
        message: Some(notice.message.clone()),
        from: Some(Stamp(notice.from)),
        until: notice.until.map(Stamp),
        by: Some(notice.by.clone()),
    });
    HttpResponse::Ok().json(view.unwrap_or_default())
}

/// What a request wants to be said. Maintenance has words of its own for who has none.
fn read(body: &Object, kind: NoticeKind, by: &str, now: DateTime<Utc>) -> Result<Notice, Refused> {
    let message = match (body.get("message"), kind) {
        (None | Some(Value::Null), NoticeKind::Maintenance) => notice::MAINTENANCE,
        (None | Some(Value::Null), NoticeKind::Announcement) => "",
        (Some(Value::String(text)), _) => text,
        (Some(_), _) => return Err(Refused::bad("message must be a text")),
    };
    let from = moment(body, "from", "in", now)?;
    let until = moment(body, "until", "for", from.unwrap_or(now))?;
    Notice::new(message, (from, until), by, now).map_err(|wrong: NoticeError| Refused::bad(wrong.to_string()))
}

/// A moment, or so many seconds after `start`; not both.
fn moment(
    body: &Object,
    moment: &str,
    seconds: &str,
    start: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Refused> {
    let given = |key: &str| body.get(key).filter(|value| !value.is_null());
    match (given(moment), given(seconds)) {
        (None, None) => Ok(None),
        (Some(at), None) => {
            let text =
                at.as_str().ok_or_else(|| Refused::bad(format!("{moment} must be a text in ISO 8601")))?;
            timestamp::parse(text).map(Some).map_err(|wrong| Refused::bad(format!("{moment}: {wrong}")))
        }
        (None, Some(count)) => {
            let count = count.as_i64().filter(|count| *count >= 0).and_then(TimeDelta::try_seconds);
            let later = count.and_then(|count| start.checked_add_signed(count));
            later.map(Some).ok_or_else(|| Refused::bad(format!("{seconds} must be a number of seconds")))
        }
        (Some(_), Some(_)) => Err(Refused::bad(format!("give either {moment} or {seconds}"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_moments_or_seconds_and_the_end_counts_from_the_beginning() {
        let now = timestamp::parse("2026-01-02T03:00:00Z").unwrap();
        let times = |body: Value| {
            let notice = read(body.as_object().unwrap(), NoticeKind::Maintenance, "user:root", now);
            notice.map(|notice| (timestamp::format(notice.from), notice.until.map(timestamp::format)))
        };
        let at = |minute: u32| {
            timestamp::format(timestamp::parse(&format!("2026-01-02T03:{minute:02}:00Z")).unwrap())
        };
        assert_eq!(times(json!({})).unwrap(), (at(0), None));
        assert_eq!(times(json!({"in": 600, "for": 300})).unwrap(), (at(10), Some(at(15))));
        assert_eq!(
            times(json!({"in": 600, "until": "2026-01-02T03:20:00Z"})).unwrap(),
            (at(10), Some(at(20)))
        );
        for wrong in [
            json!({"in": -1}),
            json!({"in": "soon"}),
            json!({"for": 0}),
            json!({"for": i64::MAX}),
            json!({"from": 5}),
            json!({"from": "noon"}),
            json!({"in": 1, "from": "2026-01-02T03:20:00Z"}),
            json!({"until": "2026-01-02T02:00:00Z"}),
            json!({"message": 5}),
            json!({"message": " "}),
        ] {
            assert_eq!(times(wrong.clone()).unwrap_err().status.as_u16(), 400, "{wrong}");
        }
        assert!(
            read(&Object::new(), NoticeKind::Announcement, "x", now).is_err(),
            "what is there to announce?"
        );
    }
}
