//! How the hub does, and what is told of it.

use serde::Serialize;
use serde_json::Value;

use super::super::version;
use super::View;

/// A line of the journal.
#[derive(Debug, Clone, Serialize)]
pub struct JournalLine {
    /// When, as ISO 8601.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub target: String,
    /// More about it: names and values.
    pub detail: Vec<(String, String)>,
}

/// How full something is.
#[derive(Debug, Clone, Serialize)]
pub struct Capacity {
    /// Of what.
    pub title: String,
    /// How many there are.
    pub now: usize,
    /// The limit; 0 for none.
    pub limit: u32,
}

/// `admin/hub`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HubView {
    /// What `orrery status` tells; null if the visitor may not know.
    pub status: Value,
    /// How full it is.
    pub capacity: Vec<Capacity>,
    /// Servers in line.
    pub queued: usize,
    /// The newest records; none if the visitor may not know.
    pub journal: Option<Vec<JournalLine>>,
    /// Older ones.
    pub older: Option<String>,
    /// The announcement, as it stands.
    pub announced: Option<StandingNotice>,
    /// Maintenance, as it stands.
    pub closed: Option<StandingNotice>,
    /// Whether the visitor may announce, reload and end the hub.
    pub may_run: bool,
    /// What a reload would change, or has changed.
    pub report: Option<Value>,
    /// Whether that has come to pass.
    pub reloaded: bool,
    /// Whether the hub is about to end.
    pub ending: bool,
    /// Whether a shutdown stops users' servers if nothing else is said.
    pub cleanup_servers: bool,
    /// Whether a shutdown stops the proxy if nothing else is said.
    pub cleanup_proxy: bool,
    /// What was typed, after a mistake.
    pub typed: String,
    /// When the hub was started.
    pub started: String,
}

/// A notice that stands.
#[derive(Debug, Clone, Serialize)]
pub struct StandingNotice {
    /// What is to be read.
    pub message: String,
    /// When it begins, if that is still to come.
    pub begins: Option<String>,
    /// When it ends by itself.
    pub ends: Option<String>,
    /// Who gave it.
    pub by: String,
}

impl View for HubView {
    const TEMPLATE: &'static str = "admin_hub.html";

    fn version(&self) -> String {
        let status = steady(self.status.clone());
        let (report, typed) = (None, String::new());
        version(&Self { status, report, typed, reloaded: false, ending: false, ..self.clone() })
    }
}

/// The hub's state without what is another one at every look.
fn steady(mut status: Value) -> Value {
    let Some(facts) = status.as_object_mut() else { return status };
    for volatile in ["now", "uptime_seconds"] {
        facts.remove(volatile);
    }
    if let Some(database) = facts.get_mut("database").and_then(Value::as_object_mut) {
        database.remove("milliseconds");
        database.remove("pools");
    }
    if let Some(actors) = facts.get_mut("actors").and_then(Value::as_array_mut) {
        actors.retain(|actor| actor.get("answers") != Some(&Value::Bool(true)));
    }
    if let Some(bytes) = facts.get_mut("process").and_then(|process| process.get_mut("memory_bytes")) {
        *bytes = bytes.as_u64().map(|bytes| bytes >> 20).into();
    }
    status
}
