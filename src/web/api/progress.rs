//! `GET …/progress`: the event stream of a start (rest-api.md 4.7).
//!
//! Whoever joins late gets all events from the beginning. The stream ends after the final event; when the client goes
//! away, the server drops it.

pub(in crate::web) mod events;

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use self::events::Event;
use super::lookup;
use crate::actors::asked;
use crate::actors::directory::ServerStatus;
use crate::domain::names::ServerKey;
use crate::domain::server_state::Pending;
use crate::hooks::Hook;
use crate::store::Db;
use crate::web::error::{ApiError, Refused};
use crate::web::extract::caller::ApiCaller;
use crate::web::extract::path::Path;
use crate::web::openapi::shapes::SentEvent;
use crate::web::state::Hub;

const FOLLOW: &[&str] = &["read:servers"];

/// Proxies end connections that are silent for long.
const KEEP_ALIVE: Duration = Duration::from_secs(8);
const SILENCE: &[u8] = b"\n\n";

/// Follow the start of a server
///
/// Server-sent events: `data: ` with JSON on one line, and an empty line. Who joins late gets all events from the
/// beginning. The last one has `ready` or `failed`.
#[utoipa::path(
    get,
    path = "/users/{user}/servers/{server}/progress",
    tag = "servers",
    operation_id = "follow_start",
    responses(
        (status = 200, description = "The events", body = SentEvent, content_type = "text/event-stream"),
        (status = 400, description = "ada is not starting..."),
        (status = 404, description = "No such server: ada/lab"),
    ),
    extensions(("x-required-scopes" = json!(FOLLOW))),
)]
pub(super) async fn stream(
    path: Path,
    caller: ApiCaller,
    hub: web::Data<Hub>,
) -> Result<HttpResponse, ApiError> {
    let key = path.server();
    caller.require(FOLLOW, lookup::resource(&key))?;
    let wanted = key.clone();
    hub.store.read(move |db| exists(db, &wanted)).await?;
    let Some(status) = hub.servers.watch(&key).filter(|status| has_news(&status.borrow())) else {
        return Err(Refused::bad(format!("{} is not starting...", key.log_name())).into());
    };
    let url = hub.servers.url(&key);
    let finish = finish(&hub, &key, &url);
    let due = hub.servers.culling().is_some().then_some((hub, key));
    let follower = Follower { status, url, finish, due, sent: Sent::Nothing, silence: KEEP_ALIVE };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        // nginx holds back what it does not know to be a stream
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events(follower)))
}

/// Who is to be asked about the last event, and what.
fn finish(hub: &Hub, key: &ServerKey, url: &str) -> Option<(Hook, Value)> {
    let hook = hub.settings.hooks.progress_ready.clone()?;
    let user = json!({ "name": key.user.as_str() });
    let server = asked::server(key, url, None);
    Some((hook, json!({ "hook": "progress_ready", "user": user, "server": server })))
}

fn exists(db: &mut Db, key: &ServerKey) -> Result<(), Refused> {
    match lookup::server(db, key)? {
        (_, Some(_)) => Ok(()),
        (_, None) if key.server.is_default() => Ok(()),
        (_, None) => Err(lookup::no_such_server(key)),
    }
}

/// Starting, running, or failed the last time; a server that is verified after a restart of the hub counts as starting.
fn has_news(status: &ServerStatus) -> bool {
    let starting = matches!(status.pending, Some(Pending::Spawn | Pending::Check));
    starting || status.ready || status.failure().is_some()
}

/// One client's place in the stream.
struct Follower {
    status: watch::Receiver<ServerStatus>,
    url: String,
    /// The hook `progress_ready` and its question.
    finish: Option<(Hook, Value)>,
    /// Who knows when the server will be culled.
    due: Option<(web::Data<Hub>, ServerKey)>,
    sent: Sent,
    /// How long nothing may be sent.
    silence: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Nothing,
    Events { attempt: u64, count: usize },
    Everything,
}

fn events(follower: Follower) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(follower, |mut follower| async move {
        let bytes = follower.next().await?;
        Some((Ok(bytes), follower))
    })
}

impl Follower {
    async fn next(&mut self) -> Option<Bytes> {
        let (attempt, count) = match self.sent {
            Sent::Nothing => {
                self.sent = Sent::Events { attempt: self.status.borrow().attempt, count: 0 };
                return Some(Bytes::from_static(SILENCE));
            }
            Sent::Events { attempt, count } => (attempt, count),
            Sent::Everything => return None,
        };
        loop {
            let status = self.status.borrow_and_update().clone();
            if status.pending.is_none() || status.attempt != attempt {
                self.sent = Sent::Everything;
                return Some(self.last(&status, count).await);
            }
            if let Some(bytes) = self.new_events(&status, attempt, count) {
                return Some(bytes);
            }
            match timeout(self.silence, self.status.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => {
                    self.sent = Sent::Everything;
                    return Some(Event::lost().bytes());
                }
                Err(_) => return Some(Bytes::from_static(SILENCE)),
            }
        }
    }

    fn new_events(&mut self, status: &ServerStatus, attempt: u64, count: usize) -> Option<Bytes> {
        let bytes = unsent(status, count);
        self.sent = Sent::Events { attempt, count: status.progress.len() };
        (!bytes.is_empty()).then(|| Bytes::from(bytes))
    }

    /// What was reported to the end, and how it ended. Who comes afterwards gets the end alone.
    async fn last(&self, status: &ServerStatus, count: usize) -> Bytes {
        let mut bytes = if count > 0 { unsent(status, count) } else { Vec::new() };
        let event = Event::last(status, &self.url).due(self.cull_at(status).await);
        let changed = match &self.finish {
            Some((hook, question)) if status.ready => event.changed_by(hook, question).await,
            _ => None,
        };
        bytes.extend_from_slice(&changed.unwrap_or_else(|| event.bytes()));
        Bytes::from(bytes)
    }
}

impl Follower {
    /// Nothing that the stream fails for.
    async fn cull_at(&self, status: &ServerStatus) -> Option<DateTime<Utc>> {
        let (hub, key) = self.due.as_ref().filter(|_| status.ready)?;
        let wanted = key.clone();
        let row = hub.store.read(move |db| lookup::server(db, &wanted)).await.ok()?.1?;
        hub.servers.cull_at(&row, status, &status.groups)
    }
}

fn unsent(status: &ServerStatus, count: usize) -> Vec<u8> {
    let new = status.progress.iter().skip(count);
    new.flat_map(|progress| Event::progress(progress).bytes()).collect()
}

#[cfg(test)]
mod tests;
