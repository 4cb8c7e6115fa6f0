//! The server model (rest-api.md 2.2).

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::stamp::{Stamp, stamp};
use crate::actors::directory::ServerStatus;
use crate::domain::admission::Place;
use crate::domain::names::{GroupName, ServerKey};
use crate::domain::usage::Usage;
use crate::store::servers::{LastFailure, Server};
use crate::web::state::Hub;

/// A user's server. The caller must hold `read:servers` on it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Server, example = json!({
    "name": "lab", "display_name": "My lab", "full_name": "ada/lab", "last_activity": "2026-01-02T03:04:05Z",
    "started": "2026-01-02T03:04:05Z", "pending": null, "ready": true, "stopped": false, "url": "/user/ada/lab/",
    "user_options": {}, "progress_url": "/hub/api/users/ada/servers/lab/progress", "full_url": null,
    "full_progress_url": null,
}))]
pub struct ServerView {
    /// Empty for the default server.
    name: String,
    /// How it is shown.
    display_name: String,
    /// The owner's name, a slash, and its own name.
    full_name: String,
    /// When it was last used.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_activity: Option<Stamp>,
    /// When it was started; null if it does not run.
    #[schema(value_type = Option<String>, format = DateTime)]
    started: Option<Stamp>,
    /// What it is about to do: `spawn`, `stop`, `check`.
    #[schema(value_type = Option<String>)]
    pending: Option<&'static str>,
    /// Whether it takes visitors.
    ready: bool,
    /// Whether it neither runs nor is about to.
    stopped: bool,
    /// Where it is.
    url: String,
    /// What it is started with.
    #[schema(value_type = Option<Object>)]
    user_options: Value,
    /// Where its start can be followed.
    progress_url: String,
    /// With scheme and host, where a public address is configured.
    full_url: Option<String>,
    /// With scheme and host, where a public address is configured.
    full_progress_url: Option<String>,
    /// Why its last start failed, or why it ended by itself; left out if that never happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_failure: Option<FailureView>,
    /// When it will be stopped because nobody uses it or because of its age, as things stand; left out if
    /// that is not to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime)]
    cull_at: Option<Stamp>,
    /// Until when its owner keeps it from being stopped; left out if they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime)]
    keep_until: Option<Stamp>,
    /// What it used at the last look, where that is known: with servers that run as their users.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    usage: Option<UsageView>,
    /// Its place in line, while it waits until it may start.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<QueueView>,
    /// What the spawner keeps, for who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    state: Option<Value>,
}

/// Whether the spawner's state is part of the model (`admin:server_state`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateVisibility {
    /// It is.
    Shown,
    /// It is not.
    Hidden,
}

impl ServerView {
    /// The model; `row` is `None` for a default server that never ran.
    #[must_use]
    pub fn new(
        hub: &Hub,
        key: &ServerKey,
        row: Option<&Server>,
        status: &ServerStatus,
        state: StateVisibility,
        groups: &[GroupName],
    ) -> Self {
        let places = &hub.settings.places;
        let progress_url = progress_url(hub, key);
        let active = status.is_active();
        Self {
            name: key.server.to_string(),
            display_name: row.map(|row| row.display_name.clone()).unwrap_or_default(),
            full_name: key.full_name(),
            last_activity: stamp(row.and_then(|row| row.last_activity)),
            started: stamp(row.and_then(|row| row.started).filter(|_| active)),
            pending: status.pending.map(|pending| pending.as_str()),
            ready: status.ready,
            stopped: !active,
            full_url: places.full_server_url(key),
            url: places.server_url(key),
            user_options: row.and_then(|row| row.user_options.clone()).unwrap_or_else(empty),
            full_progress_url: hub.public(&progress_url),
            progress_url,
            cull_at: stamp(row.and_then(|row| hub.servers.cull_at(row, status, groups))),
            keep_until: stamp(row.and_then(|row| row.keep_until)),
            last_failure: row.and_then(|row| row.last_failure.as_ref()).map(FailureView::new),
            usage: status.usage.map(UsageView::new),
            queue: status.place.map(QueueView::new),
            state: (state == StateVisibility::Shown).then(|| spawner_state(row, status)),
        }
    }
}

impl ServerView {
    /// The model with what the process wrote before the last failure.
    #[must_use]
    pub fn with_last_lines(mut self, lines: &[String]) -> Self {
        if let Some(failure) = &mut self.last_failure {
            failure.log = Some(lines.to_vec());
        }
        self
    }
}

/// What a server uses; not part of the reference's model. Null is what nobody tells.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ServerUsage, example = json!({
    "memory": 1_288_490_188_u64, "memory_limit": 2_147_483_648_u64, "cpu": 0.3, "cpu_seconds": 81.5, "processes": 14,
    "memory_kills": 0,
}))]
pub struct UsageView {
    /// Bytes of memory.
    memory: Option<u64>,
    /// The most bytes that it may have.
    memory_limit: Option<u64>,
    /// Processor cores that it kept busy between the last two looks.
    cpu: Option<f64>,
    /// Seconds of processor time since its start.
    cpu_seconds: Option<f64>,
    /// Processes and threads.
    processes: Option<u32>,
    /// How many of its processes were killed because it reached its memory limit.
    memory_kills: u32,
    /// A sentence about that; left out if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    warning: Option<String>,
}

impl UsageView {
    pub(crate) fn new(usage: Usage) -> Self {
        Self {
            memory: usage.memory,
            memory_limit: usage.memory_limit,
            cpu: usage.cpu.map(hundredths),
            cpu_seconds: usage.cpu_seconds.map(hundredths),
            processes: usage.processes,
            memory_kills: usage.memory_kills,
            warning: usage.warning(),
        }
    }
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// A place in line; not part of the reference's model.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ServerQueue, example = json!({ "position": 3, "estimate": 40 }))]
struct QueueView {
    /// 1 for the next one.
    position: usize,
    /// About how many seconds it takes; null as long as nobody knows.
    estimate: Option<u64>,
}

impl QueueView {
    fn new(place: Place) -> Self {
        Self { position: place.ahead.saturating_add(1), estimate: place.estimate.map(|time| time.as_secs()) }
    }
}

/// Why a server failed; not part of the reference's model.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ServerFailure, example = json!({
    "kind": "exited", "message": "The server's process ended: exit status 1", "exit_status": 1, "signal": null,
    "at": "2026-01-02T03:04:05Z", "log": ["No module named 'jupyterlab'"],
}))]
struct FailureView {
    /// `launch`: its process could not be started; `exited`; `out-of-memory`; `timed-out`: it did not answer in time;
    /// `hub`: the hub could not do its part.
    kind: &'static str,
    /// A sentence for the owner.
    message: String,
    /// What the process exited with.
    exit_status: Option<i32>,
    /// The signal that killed it.
    signal: Option<i32>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: Stamp,
    /// The last lines that it wrote, without what looks like a secret: in the model of one server, for who may use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<Vec<String>>,
}

impl FailureView {
    fn new(LastFailure { failure, at }: &LastFailure) -> Self {
        Self {
            kind: failure.kind.as_str(),
            message: failure.message.clone(),
            exit_status: failure.exit_status,
            signal: failure.signal,
            at: Stamp(*at),
            log: None,
        }
    }
}

fn empty() -> Value {
    Value::Object(Map::new())
}

fn spawner_state(row: Option<&Server>, status: &ServerStatus) -> Value {
    match status.pid {
        Some(pid) => json!({ "pid": pid }),
        None => row.map_or_else(empty, |row| row.state.clone()),
    }
}

fn progress_url(hub: &Hub, key: &ServerKey) -> String {
    let user = key.user.escaped();
    if key.server.is_default() {
        hub.path(&format!("api/users/{user}/server/progress"))
    } else {
        hub.path(&format!("api/users/{user}/servers/{}/progress", key.server.escaped()))
    }
}
