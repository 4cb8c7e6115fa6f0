//! The event log (observability.md 7): starts and stops of servers as JSON lines, in the envelope of Jupyter's events.
//!
//! Off unless a sink is configured. Whoever has news puts it into a bounded queue and goes on; a thread of its own
//! writes. When the disk is too slow, events are dropped and counted.

mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use self::writer::Order;

/// How many events may wait for the disk.
const QUEUE: usize = 4096;

const SERVER_ACTION: &str = "https://schema.jupyter.org/jupyterhub/events/server-action";
/// Ours; no client of the reference knows it.
const SESSION: &str = "urn:orrery:events:session";

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// The end of a file, which only we may read.
    File(PathBuf),
    /// The standard output.
    Stdout,
    /// The standard error.
    Stderr,
}

/// Whether sign-ins and sign-outs are events, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// They are.
    Written,
    /// They are not, as in the reference.
    Ignored,
}

/// What happened to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerAction {
    /// It answers.
    Start,
    /// It was stopped because somebody asked for it.
    Stop,
}

/// What happened to a browser session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionAction {
    /// It began.
    Login,
    /// It ended.
    Logout,
}

/// Where news is handed in. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Events {
    queue: Option<SyncSender<Order>>,
    sessions: Sessions,
    closing: Arc<AtomicBool>,
    dropped: Arc<AtomicU64>,
}

impl Events {
    /// The event log of a hub without sinks: nothing is written.
    #[must_use]
    pub fn off() -> Self {
        Self { queue: None, sessions: Sessions::Ignored, closing: Arc::default(), dropped: Arc::default() }
    }

    /// Opens the sinks, and starts the thread that writes to them.
    ///
    /// # Errors
    /// If a file cannot be opened or there is no thread; with the file's path.
    pub fn open(sinks: &[Sink], sessions: Sessions) -> Result<Self, (PathBuf, io::Error)> {
        if sinks.is_empty() {
            return Ok(Self::off());
        }
        let outputs = writer::open(sinks)?;
        let (queue, orders) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || writer::run(&orders, outputs))
            .map_err(|refused| (PathBuf::new(), refused))?;
        Ok(Self { queue: Some(queue), sessions, ..Self::off() })
    }

    /// A server was started or stopped. What the hub stops while it ends itself is no event.
    pub fn server(&self, action: ServerAction, user: &str, server: &str) {
        if self.closing.load(Ordering::Relaxed) {
            return;
        }
        let action = match action {
            ServerAction::Start => "start",
            ServerAction::Stop => "stop",
        };
        self.emit(SERVER_ACTION, &json!({ "action": action, "username": user, "servername": server }));
    }

    /// Somebody signed in or out.
    pub fn session(&self, action: SessionAction, user: &str) {
        if self.sessions == Sessions::Ignored {
            return;
        }
        let action = match action {
            SessionAction::Login => "login",
            SessionAction::Logout => "logout",
        };
        self.emit(SESSION, &json!({ "action": action, "username": user }));
    }

    /// The hub is going down: what it stops from now on, nobody asked to be stopped.
    pub fn closing(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Waits until everything handed in so far is written, at most this long. Blocks; meant for the end of the process.
    pub fn flush(&self, at_most: Duration) {
        let Some(queue) = &self.queue else { return };
        let (done, written) = sync_channel(1);
        if queue.send(Order::Flush(done)).is_ok() {
            // whether in time or not: the process ends now
            let _ = written.recv_timeout(at_most);
        }
    }

    /// How many events were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn emit(&self, schema: &str, data: &Value) {
        let Some(queue) = &self.queue else { return };
        if queue.try_send(Order::Line(line(schema, data, Utc::now()))).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The envelope and the data in it, as one line.
fn line(schema: &str, data: &Value, now: DateTime<Utc>) -> String {
    let mut event = json!({
        "__timestamp__": now.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        "__schema__": schema,
        "__schema_version__": "1",
        "__metadata_version__": 1,
    });
    if let (Value::Object(event), Value::Object(data)) = (&mut event, data) {
        event.extend(data.clone());
    }
    format!("{event}\n")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn written(act: impl FnOnce(&Events), sessions: Sessions) -> Vec<Value> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.log");
        let events = Events::open(&[Sink::File(file.clone())], sessions).unwrap();
        act(&events);
        events.flush(Duration::from_secs(10));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn obs_015_an_event_is_one_line_in_the_envelope_of_the_reference() {
        let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let data = json!({ "action": "start", "username": "u", "servername": "" });
        assert_eq!(
            line(SERVER_ACTION, &data, now),
            concat!(
                r#"{"__timestamp__":"2026-01-01T00:00:00.000000Z","#,
                r#""__schema__":"https://schema.jupyter.org/jupyterhub/events/server-action","#,
                r#""__schema_version__":"1","__metadata_version__":1,"#,
                r#""action":"start","username":"u","servername":""}"#,
                "\n"
            )
        );
    }

    #[test]
    fn obs_015_stops_at_the_hubs_end_are_no_events_and_sign_ins_only_on_request() {
        let act = |events: &Events| {
            events.server(ServerAction::Start, "ada", "lab");
            events.session(SessionAction::Login, "ada");
            events.closing();
            events.server(ServerAction::Stop, "ada", "lab");
        };
        let usual = written(act, Sessions::Ignored);
        assert_eq!((usual.len(), &usual[0]["action"]), (1, &json!("start")));
        let all = written(act, Sessions::Written);
        assert_eq!((all.len(), &all[1]["__schema__"]), (2, &json!(SESSION)));
    }

    #[test]
    fn obs_015_without_a_sink_nothing_is_written() {
        let events = Events::open(&[], Sessions::Written).unwrap();
        events.server(ServerAction::Start, "ada", "");
        events.flush(Duration::from_secs(10));
        assert_eq!(events.dropped(), 0);
    }
}
