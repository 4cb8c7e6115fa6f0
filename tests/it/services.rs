//! Services (services.md): those that the hub starts, those that come and go at run time, and who may make them.

mod managed;
mod runtime;
mod who;

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::support::hub::{Hub, Reply, free_port, settings};

/// What the tests' own service may do here.
const SCOPES: &str = concat!(
    r#"["admin:users", "admin:servers", "admin:groups", "admin:services", "tokens", "list:services", "read:services","#,
    r#" "read:roles", "read:hub", "access:services", "shutdown", "proxy"]"#
);

/// Settings under which services can be made at run time.
fn with(extra: &str) -> String {
    format!("roles.tests.scopes = {SCOPES}\n{extra}")
}

fn hub(extra: &str) -> Hub {
    Hub::with(&with(extra))
}

/// A service that answers below its prefix, and the lines that make the hub start it.
struct Fake {
    name: &'static str,
    port: u16,
}

impl Fake {
    fn new(name: &'static str) -> Self {
        Self { name, port: free_port() }
    }

    fn lines(&self, more: &[(&str, &str)]) -> String {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/fake_server.py");
        let Self { name, port } = self;
        let mut lines = format!(
            "services.{name}.command = [\"python3\", \"{program}\"]\nservices.{name}.url = \"http://127.0.0.1:{port}\"\n"
        );
        for (key, value) in more {
            writeln!(lines, "services.{name}.{key} = {value}").unwrap();
        }
        lines
    }
}

/// The model of a service.
fn model(hub: &Hub, name: &str) -> Value {
    let reply = hub.admin("GET", &format!("/services/{name}"), None);
    assert_eq!(reply.status, 200, "{}\n{}", reply.body, hub.log());
    reply.json()
}

fn pid(hub: &Hub, name: &str) -> u32 {
    u32::try_from(model(hub, name)["pid"].as_u64().unwrap()).unwrap()
}

/// Ended; one that waits to be reaped by its new parent has.
fn gone(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']))
}

fn answers(hub: &Hub, name: &str) -> Option<Reply> {
    Some(hub.get(&format!("/services/{name}/env"))).filter(|reply| reply.status == 200)
}

/// Writes another configuration for the next start of the hub.
fn reconfigure(hub: &Hub, extra: &str) {
    let port = hub.url.rsplit_once(':').unwrap().1.parse().unwrap();
    let text = settings(hub.folder.path(), port, &with(extra));
    std::fs::write(hub.path("orrery.toml"), text).unwrap();
}

fn exists(path: &Path) -> bool {
    path.exists()
}
