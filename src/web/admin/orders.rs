//! What operators tell the hub: to read its configuration again, to start nothing for a while, to show a message.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Operator;
use crate::domain::notice::{MAINTENANCE, Notice, NoticeKind};
use crate::web::error::{ApiError, Refused};
use crate::web::state::Hub;

/// `POST /reload`: the report, whatever came of it.
pub(super) async fn reload(who: Operator, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    let report = hub.reloader.reload(&who.0).await?;
    Ok(HttpResponse::Ok().json(report))
}

/// `GET /reload`: the report that a reload would have.
pub(super) async fn preview(who: Operator, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    let report = hub.reloader.preview(&who.0).await?;
    Ok(HttpResponse::Ok().json(report))
}

/// A message, and when it holds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
    message: String,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
}

/// `POST /maintenance`.
pub(super) async fn close(
    who: Operator,
    hub: web::Data<Hub>,
    body: web::Bytes,
) -> Result<HttpResponse, ApiError> {
    let mut wanted = read(&body)?;
    if wanted.message.trim().is_empty() {
        MAINTENANCE.clone_into(&mut wanted.message);
    }
    set(&hub, &who, NoticeKind::Maintenance, Some(wanted)).await
}

/// `DELETE /maintenance`.
pub(super) async fn open(who: Operator, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    set(&hub, &who, NoticeKind::Maintenance, None).await
}

/// `POST /announcement`.
pub(super) async fn announce(
    who: Operator,
    hub: web::Data<Hub>,
    body: web::Bytes,
) -> Result<HttpResponse, ApiError> {
    set(&hub, &who, NoticeKind::Announcement, Some(read(&body)?)).await
}

/// `DELETE /announcement`.
pub(super) async fn withdraw(who: Operator, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    set(&hub, &who, NoticeKind::Announcement, None).await
}

/// An object, since a list of its members would be taken as well.
fn read(body: &[u8]) -> Result<Wanted, Refused> {
    let object = serde_json::from_slice::<Map<String, Value>>(body);
    let wanted = object.and_then(|members| serde_json::from_value(Value::Object(members)));
    wanted.map_err(|wrong| Refused::bad(format!("the message is not understood: {wrong}")))
}

async fn set(
    hub: &Hub,
    who: &Operator,
    kind: NoticeKind,
    wanted: Option<Wanted>,
) -> Result<HttpResponse, ApiError> {
    let now = Utc::now();
    let notice = match wanted {
        None => None,
        Some(wanted) => {
            let notice = Notice::new(&wanted.message, (wanted.from, wanted.until), &who.0, now);
            Some(notice.map_err(|wrong| Refused::bad(wrong.to_string()))?)
        }
    };
    hub.board.set(&hub.store, &hub.journal, &who.0, kind, notice).await?;
    Ok(HttpResponse::Ok().json(json!({ "notices": hub.board.now().shown(now) })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_message_and_its_times_are_taken() {
        let read = |text: &str| read(text.as_bytes());
        assert_eq!(read(r#"{"message": "soon"}"#).unwrap().message, "soon");
        assert!(read(r#"{"until": "2026-01-02T03:04:05Z"}"#).unwrap().until.is_some());
        for wrong in ["", "[]", r#"{"mesage": "x"}"#, r#"{"until": "tomorrow"}"#] {
            assert_eq!(read(wrong).unwrap_err().status.as_u16(), 400, "{wrong}");
        }
    }
}
