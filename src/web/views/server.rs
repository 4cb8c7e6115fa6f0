//! The server model (rest-api.md 2.2).

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::stamp::{Stamp, stamp};
use crate::actors::directory::ServerStatus;
use crate::domain::names::ServerKey;
use crate::store::servers::Server;
use crate::web::state::Hub;

/// A user's server. The caller must hold `read:servers` on it.
#[derive(Debug, Clone, Serialize)]
pub struct ServerView {
    name: String,
    display_name: String,
    full_name: String,
    last_activity: Option<Stamp>,
    started: Option<Stamp>,
    pending: Option<&'static str>,
    ready: bool,
    stopped: bool,
    url: String,
    user_options: Value,
    progress_url: String,
    full_url: Option<String>,
    full_progress_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
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
            state: (state == StateVisibility::Shown).then(|| spawner_state(row, status)),
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
