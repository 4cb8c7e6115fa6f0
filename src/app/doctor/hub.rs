//! The running hub, if there is one: asked over its admin socket.

use serde_json::Value;

use super::Finding;
use crate::app::admin_client::{AdminClient, ClientError};
use crate::config::Config;

const CHECK: &str = "hub";

/// The process id of the hub if it runs, and what it says.
pub(super) fn examine(config: &Config) -> (Option<u32>, Vec<Finding>) {
    let Some(socket) = config.admin_socket() else {
        let advice = "set hub.admin_socket, so that operators can see what the hub does";
        return (None, vec![Finding::warning(CHECK, "hub.admin_socket is \"none\"", advice)]);
    };
    match AdminClient::new(&socket).ask("GET", "/status", None) {
        Ok(status) => {
            let pid = status.get("pid").and_then(Value::as_u64).and_then(|pid| u32::try_from(pid).ok());
            (pid, told(&status))
        }
        Err(ClientError::Unreachable { .. }) => {
            (None, vec![Finding::ok(CHECK, format!("none runs with the socket {}", socket.display()))])
        }
        Err(failed) => {
            let advice = "run the command as root or as the hub's account, and look into the hub's log";
            (None, vec![Finding::wrong(CHECK, failed.to_string(), advice)])
        }
    }
}

/// What a hub's status means.
fn told(status: &Value) -> Vec<Finding> {
    let text = |name: &str| status.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    let pid = status.get("pid").cloned().unwrap_or_default();
    let mut findings = vec![Finding::ok(CHECK, format!("runs since {}, process {pid}", text("started")))];
    let ours = env!("CARGO_PKG_VERSION");
    if text("version") != ours {
        let found = format!("the hub is version {}, this program is {ours}", text("version"));
        findings.push(Finding::warning(CHECK, found, "restart the hub to finish the upgrade"));
    }
    let is = |pointer: &str| status.pointer(pointer).and_then(Value::as_bool) == Some(true);
    if !is("/database/reachable") {
        findings.push(Finding::wrong(
            CHECK,
            "its database does not answer",
            "look at the database server and its disk",
        ));
    }
    if !is("/proxy/reachable") {
        findings.push(Finding::wrong(
            CHECK,
            "its proxy does not answer",
            "look at the proxy's process and at proxy.api_url",
        ));
    }
    for actor in status.get("actors").and_then(Value::as_array).into_iter().flatten() {
        if actor.get("answers").and_then(Value::as_bool) != Some(true) {
            let name = actor.get("actor").and_then(Value::as_str).unwrap_or("?");
            let found = format!("its part {name:?} does not answer");
            let advice = "send the hub SIGUSR1 and report what it logs; a restart of the hub ends no server";
            findings.push(Finding::wrong(CHECK, found, advice));
        }
    }
    let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_u64);
    if let (Some(open), Some(limit)) = (number("/process/open_files"), number("/process/open_files_limit"))
        && open.saturating_mul(10) >= limit.saturating_mul(8)
    {
        let found = format!("it has {open} of {limit} files open");
        findings.push(Finding::warning(CHECK, found, "raise LimitNOFILE of its unit, or `ulimit -n`"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::doctor::Level;

    #[test]
    fn a_hub_in_trouble_says_which() {
        let status = json!({
            "version": "0.0.0", "pid": 7, "started": "2026-01-01T00:00:00Z",
            "database": { "reachable": false }, "proxy": { "reachable": true },
            "actors": [{ "actor": "registry", "answers": false }, { "actor": "hub", "answers": true }],
            "process": { "open_files": 90, "open_files_limit": 100 },
        });
        let found = told(&status);
        let wrong: Vec<&str> =
            found.iter().filter(|f| f.level == Level::Wrong).map(|f| f.found.as_str()).collect();
        assert_eq!(wrong, ["its database does not answer", "its part \"registry\" does not answer"]);
        assert_eq!(found.iter().filter(|f| f.level == Level::Warning).count(), 2, "{found:?}");
    }
}
