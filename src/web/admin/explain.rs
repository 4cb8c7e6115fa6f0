//! `orrery explain USER[/SERVER]`: what a server does, what it went through, and who asked for it.
//!
//! The actor tells its last steps; what was before that, and before the hub's start, is in the journal, together with what
//! people asked for.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::servers::{row, state};
use crate::actors::directory::{Outcome, ServerStatus};
use crate::actors::pulse::PATIENCE;
use crate::actors::registry::List;
use crate::actors::server::STATE_CHANGED;
use crate::domain::history::Step;
use crate::domain::names::{ServerKey, ServerName, Username};
use crate::domain::timestamp;
use crate::store::journal::{self, JournalFilter, Record};
use crate::store::{servers, users};
use crate::web::error::{ApiError, Refused};
use crate::web::state::Hub;
use crate::web::views::server::UsageView;

/// How much of the journal is looked at.
const MOST_RECORDS: i64 = 200;

/// Where the server is in the address; the last part may be missing.
#[derive(serde::Deserialize)]
pub(super) struct Names {
    user: String,
    #[serde(default)]
    server: String,
}

/// `GET /explain/{user}[/{server}]`.
pub(super) async fn show(names: web::Path<Names>, hub: web::Data<Hub>) -> Result<HttpResponse, ApiError> {
    let Names { user, server } = names.into_inner();
    let key = ServerKey::new(Username::from_stored(user), ServerName::from_stored(server));
    Ok(HttpResponse::Ok().json(gather(&hub, &key).await?))
}

/// Everything there is to say about a server.
///
/// # Errors
/// 404 if there is no such server.
pub(in crate::web) async fn gather(hub: &Hub, key: &ServerKey) -> Result<Value, Refused> {
    let wanted = key.clone();
    let found = hub.store.read(move |db| {
        let user = users::find(db, &wanted.user)?;
        let user = user.ok_or_else(|| Refused::not_found(format!("there is no user {}", wanted.user)))?;
        let row = row(db, &wanted)?;
        let log = match &row {
            Some((server, _)) => servers::last_failure_log(db, server.id)?,
            None => Vec::new(),
        };
        let filter = JournalFilter {
            target: Some(format!("server:{}", wanted.full_name())),
            limit: MOST_RECORDS,
            ..JournalFilter::default()
        };
        Ok::<_, Refused>((user, row, log, journal::page(db, &filter)?))
    });
    let (user, row, log, records) = found.await?;
    let status = hub.servers.status(key);
    if row.is_none() && !status.is_active() && records.is_empty() && !key.server.is_default() {
        return Err(Refused::not_found(format!("{} has no server {}", key.user, key.server)));
    }
    let steps = tokio::time::timeout(PATIENCE, hub.servers.history(key)).await.unwrap_or_default();
    let route = hub.servers.prefix(key);
    let published = is_published(hub, &route).await;
    let cull_at = row.as_ref().and_then(|(server, groups)| hub.servers.cull_at(server, &status, groups));
    let server = row.as_ref().map(|(server, _)| server);
    let failure = server.and_then(|server| server.last_failure.as_ref());
    let stamp = |time: Option<DateTime<Utc>>| time.map(timestamp::format);
    Ok(json!({
        "server": key.full_name(),
        "state": state(&status),
        "outcome": status.outcome.as_ref().map(outcome),
        "user": { "name": user.name, "admin": user.admin, "last_activity": stamp(user.last_activity) },
        "exists": row.is_some(),
        "pid": status.pid,
        "usage": status.usage.map(UsageView::new),
        "used": status.usage.as_ref().and_then(crate::domain::usage::Usage::in_short),
        "url": hub.servers.url(key),
        "route": published,
        "started": stamp(server.and_then(|server| server.started)),
        "last_activity": stamp(server.and_then(|server| server.last_activity)),
        "cull_at": stamp(cull_at),
        "keep_until": stamp(server.and_then(|server| server.keep_until)),
        "progress": progress(&status),
        "last_failure": failure.map(|last| json!({
            "at": timestamp::format(last.at),
            "kind": last.failure.kind.as_str(),
            "message": last.failure.message,
            "exit_status": last.failure.exit_status,
            "signal": last.failure.signal,
            "log": log,
        })),
        "no_starts": hub.board.closed().map(|closed| closed.message),
        "history": history(&steps, &records),
    }))
}

fn progress(status: &ServerStatus) -> Vec<Value> {
    let line = |progress: &crate::actors::directory::Progress| json!({ "percent": progress.percent, "message": progress.message });
    status.progress.iter().map(line).collect()
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ready => "it became ready".to_owned(),
        Outcome::Stopped => "it was stopped as asked".to_owned(),
        Outcome::Culled(why) => format!("it was stopped: {why}"),
        Outcome::Cancelled => "its start was cancelled".to_owned(),
        Outcome::Refused(refusal) => format!("its start was refused: {}", refusal.message),
        Outcome::Failed(failure) => format!("its start failed: {}", failure.message),
        Outcome::Ended(failure) => format!("it ended by itself: {}", failure.message),
    }
}

/// Whether the proxy has the server's route; `None` if it does not say.
async fn is_published(hub: &Hub, route: &str) -> Option<bool> {
    let live = tokio::time::timeout(PATIENCE, hub.registry.ask(List)).await.ok()?.ok()?.ok()?;
    Some(live.keys().any(|spec| spec.to_string().ends_with(route)))
}

/// Steps of the actor and records of the journal in the order in which they happened, oldest first.
fn history(steps: &[Step], records: &[Record]) -> Vec<Value> {
    let begin = steps.first().map(|step| step.at);
    // the actor knows better what it has been through than the journal
    let is_news = |record: &&Record| {
        record.entry.action != STATE_CHANGED || begin.is_none_or(|begin| record.entry.at < begin)
    };
    let recorded = records.iter().filter(is_news).map(|record| (record.entry.at, recorded(record)));
    let mut all: Vec<(DateTime<Utc>, Value)> =
        steps.iter().map(|step| (step.at, stepped(step))).chain(recorded).collect();
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, line)| line).collect()
}

fn stepped(step: &Step) -> Value {
    json!({
        "at": timestamp::format(step.at),
        "state": step.state,
        "reason": step.reason,
        "by": step.by.as_deref(),
    })
}

fn recorded(record: &Record) -> Value {
    let entry = &record.entry;
    let detail = |name: &str| entry.detail.as_ref().and_then(|detail| detail.get(name)).cloned();
    let at = timestamp::format(entry.at);
    if entry.action == STATE_CHANGED {
        let (state, reason, by) = (detail("to"), detail("reason"), detail("by"));
        return json!({ "at": at, "state": state, "reason": reason, "by": by });
    }
    json!({ "at": at, "action": entry.action, "reason": detail("reason"), "by": entry.actor })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::journal::Entry;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn record(seconds: i64, action: &str, detail: Value) -> Record {
        let entry = Entry {
            at: at(seconds),
            actor: "user:root".to_owned(),
            action: action.to_owned(),
            target: "server:ada/".to_owned(),
            detail: Some(detail),
        };
        Record { id: seconds, entry }
    }

    #[test]
    fn what_the_actor_tells_replaces_what_the_journal_has_of_the_same_time() {
        let step =
            |seconds, state| Step { at: at(seconds), state, reason: None, by: Some("user:ada".into()) };
        let steps = [step(10, "queued"), step(11, "launching")];
        let changed = |to: &str| json!({ "from": "x", "to": to, "reason": "because", "by": null });
        let records = [
            record(12, STATE_CHANGED, changed("launching")),
            record(10, "POST /api/users/{user}/server", json!({ "status": 201 })),
            record(5, STATE_CHANGED, changed("stopped")),
        ];
        let told = history(&steps, &records);
        let word = |line: &Value| line["state"].as_str().or(line["action"].as_str()).unwrap().to_owned();
        assert_eq!(
            told.iter().map(word).collect::<Vec<_>>(),
            ["stopped", "queued", "POST /api/users/{user}/server", "launching"]
        );
        assert_eq!((&told[0]["reason"], &told[1]["by"]), (&json!("because"), &json!("user:ada")));
        assert_eq!(told[2]["by"], "user:root");
    }
}
