//! Who did what (ours; the reference has no journal).

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::access::Resource;
use crate::store::journal::{self, JournalFilter, Record};
use crate::web::error::{ApiError, Refused};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::query::Query;
use crate::web::openapi::parameters::JournalParameters;
use crate::web::openapi::shapes::{self, JournalPage};
use crate::web::state::Hub;
use crate::web::views::stamp::Stamp;
use crate::web::visit;

/// One record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalRecord, example = json!({
    "id": 7, "at": "2026-01-02T03:04:05Z", "actor": "user:root", "action": "user.delete", "target": "user:ada",
    "detail": null,
}))]
pub(in crate::web) struct View {
    /// Newer ones are higher.
    id: i64,
    /// When it was done.
    #[schema(schema_with = shapes::moment)]
    at: Stamp,
    /// By whom.
    actor: String,
    /// What.
    action: String,
    /// To what.
    target: String,
    /// More about it.
    #[schema(value_type = Value)]
    detail: Option<Value>,
}

const READ: &[&str] = &["admin:users"];

/// Show who did what
///
/// Newest first.
// For holders of `admin:users` without a filter: records name every user, with the addresses that they came from, and
// whoever may change all users may learn who did. No scope of the reference fits better, and one of our own would be
// in no existing role.
#[utoipa::path(
    get,
    path = "/journal",
    tag = "hub",
    operation_id = "journal",
    params(JournalParameters),
    responses(
        (status = 200, description = "A page of records", body = JournalPage),
        (status = 400, description = "Invalid argument: limit must be a number that is not negative"),
    ),
    extensions(("x-required-scopes" = json!(READ))),
)]
pub(super) async fn list(
    request: HttpRequest,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    caller.require(READ, Resource::None)?;
    let query = Query::of(&request);
    let text = |name: &str| query.get(name).map(str::to_owned);
    let most = hub.settings.page_max_limit.max(1);
    let limit = number(&query, "limit")?.unwrap_or(hub.settings.page_default_limit).clamp(1, most);
    let before = number(&query, "before")?;
    let filter =
        JournalFilter { actor: text("actor"), target: text("target"), action: text("action"), before, limit };
    let records = hub.store.read(move |db| journal::page(db, &filter)).await?;
    let full = i64::try_from(records.len()).is_ok_and(|count| count == limit);
    let last = records.last().map(|record| record.id).filter(|_| full);
    let next = last.map(|before| {
        let query = query.with(&[("before", before.to_string()), ("limit", limit.to_string())]);
        let url = format!("{}{}?{query}", visit::base_of(&request, &hub), request.uri().path());
        json!({ "before": before, "limit": limit, "url": url })
    });
    let items: Vec<View> = records.into_iter().map(view).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items, "_pagination": { "limit": limit, "next": next } })))
}

fn number(query: &Query, name: &str) -> Result<Option<i64>, Refused> {
    let Some(text) = query.get(name) else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(number) if number >= 0 => Ok(Some(number)),
        _ => Err(Refused::bad(format!("Invalid argument: {name} must be a number that is not negative"))),
    }
}

fn view(record: Record) -> View {
    let Record { id, entry } = record;
    View {
        id,
        at: Stamp(entry.at),
        actor: entry.actor,
        action: entry.action,
        target: entry.target,
        detail: entry.detail,
    }
}
