//! Removing and renaming while servers start and stop.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::{gone, pid};
use crate::support::hub::{Hub, eventually, kill};

const NAMED: &str = "hub.named_servers.enabled = true\nhub.timeouts.slow_stop = 30";
/// Does not stop until it is killed.
const SLOW_STOP: &str = "hub.named_servers.enabled = true\nhub.timeouts.slow_stop = 0\nhub.timeouts.slow_spawn = 0\n\
                         spawner.environment.FAKE_STUBBORN = \"1\"\n\
                         spawner.local.interrupt_timeout = 20\nspawner.local.term_timeout = 20";

/// All rows of a user's servers.
fn rows(hub: &Hub, user: &str) -> Vec<String> {
    let model = hub.admin("GET", &format!("/users/{user}?include_stopped_servers"), None).json();
    let servers: Option<&serde_json::Map<String, Value>> = model["servers"].as_object();
    servers.map(|servers| servers.keys().cloned().collect()).unwrap_or_default()
}

fn ready(hub: &Hub, user: &str, server: &str) -> Value {
    eventually("the server", || Some(hub.server(user, server)).filter(|server| server["ready"] == true))
}

/// The processes of servers that this hub has started.
fn processes(hub: &Hub) -> usize {
    let mark = format!("HOME={}", hub.path("home").display());
    let all = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    all.filter(|entry| {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&mark)
    })
    .count()
}

#[test]
fn rest_103_a_named_server_is_removed_while_it_stops() {
    let hub = Hub::with(SLOW_STOP);
    hub.create_user("ada");
    hub.admin("POST", "/users/ada/servers/lab", None);
    let process = pid(&ready(&hub, "ada", "lab"));
    assert_eq!(hub.admin("DELETE", "/users/ada/servers/lab", None).status, 202);
    for _ in 0..3 {
        let again = hub.admin("DELETE", "/users/ada/servers/lab", Some(json!({"remove": true})));
        assert!(matches!(again.status, 202 | 204 | 404), "{} {}", again.status, again.body);
    }
    kill(process, "KILL");
    eventually("the removal", || (!rows(&hub, "ada").contains(&"lab".to_owned())).then_some(()));
    eventually("the end of the process", || gone(process).then_some(()));
    assert_eq!(hub.admin("GET", "/users/ada/servers/lab", None).status, 404);
}

#[test]
fn a_removal_has_the_last_word_over_a_restart_that_waits() {
    let hub = Hub::with(SLOW_STOP);
    hub.create_user("ada");
    hub.admin("POST", "/users/ada/servers/lab", None);
    let process = pid(&ready(&hub, "ada", "lab"));
    assert_eq!(hub.admin("DELETE", "/users/ada/servers/lab", None).status, 202);
    assert_eq!(hub.admin("POST", "/users/ada/servers/lab/restart", None).status, 202);
    hub.admin("DELETE", "/users/ada/servers/lab", Some(json!({"remove": true})));
    kill(process, "KILL");
    eventually("the removal", || rows(&hub, "ada").iter().all(|name| name != "lab").then_some(()));
    eventually("the end of the process", || (processes(&hub) == 0).then_some(()));
}

#[test]
fn rest_059_a_user_is_deleted_once_their_server_has_stopped() {
    let hub = Hub::with(SLOW_STOP);
    hub.create_user("ada");
    hub.admin("POST", "/users/ada/server", None);
    let process = pid(&ready(&hub, "ada", ""));
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 202);
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 400, "it stops just now");
    kill(process, "KILL");
    eventually("the deletion", || (hub.admin("DELETE", "/users/ada", None).status == 204).then_some(()));
    assert!(gone(process));
}

#[test]
fn life_037_a_rename_during_any_part_of_a_life_loses_no_server() {
    let hub = Hub::with(NAMED);
    hub.create_user("ada");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // somebody starts whatever it is called just now, somebody else renames it
        scope.spawn(|| {
            for round in 0..40 {
                let path = format!("/users/ada/servers/{}", if round % 2 == 0 { "one" } else { "two" });
                let reply = hub.admin("POST", &path, None);
                assert!(reply.status < 504, "{} {}", reply.status, reply.body);
                hub.admin("DELETE", &path, None);
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            for (from, to) in [("one", "two"), ("two", "one")] {
                let reply =
                    hub.admin("PATCH", &format!("/users/ada/servers/{from}"), Some(json!({"name": to})));
                assert!(matches!(reply.status, 200 | 400 | 404 | 409), "{} {}", reply.status, reply.body);
            }
        }
    });
    settle_and_compare(&hub, "ada");
}

#[test]
fn a_removal_during_any_part_of_a_life_loses_no_process() {
    let hub = Hub::with(NAMED);
    hub.create_user("ada");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..40 {
                hub.admin("POST", "/users/ada/servers/lab", None);
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let reply = hub.admin("DELETE", "/users/ada/servers/lab", Some(json!({"remove": true})));
            assert!(matches!(reply.status, 202 | 204 | 404), "{} {}", reply.status, reply.body);
        }
    });
    settle_and_compare(&hub, "ada");
}

#[test]
fn a_user_renamed_while_servers_start_keeps_or_refuses_them() {
    let hub = Hub::with(NAMED);
    hub.create_user("ada");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..30 {
                let user = if round % 2 == 0 { "ada" } else { "eve" };
                hub.admin("POST", &format!("/users/{user}/server"), None);
                hub.admin("DELETE", &format!("/users/{user}/server"), None);
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            for (from, to) in [("ada", "eve"), ("eve", "ada")] {
                let reply = hub.admin("PATCH", &format!("/users/{from}"), Some(json!({"name": to})));
                assert!(matches!(reply.status, 200 | 400 | 404), "{} {}", reply.status, reply.body);
            }
        }
    });
    let name = if hub.admin("GET", "/users/ada", None).status == 200 { "ada" } else { "eve" };
    settle_and_compare(&hub, name);
}

/// Every process belongs to a row that says it is ready under its own name, and can be stopped.
fn settle_and_compare(hub: &Hub, user: &str) {
    let servers = eventually("quiet", || {
        let model = hub.admin("GET", &format!("/users/{user}"), None).json();
        let servers = model["servers"].as_object().unwrap().clone();
        servers.values().all(|server| server["ready"] == true).then_some(servers)
    });
    eventually("one process for each", || (processes(hub) == servers.len()).then_some(()));
    for name in servers.keys() {
        let prefix = if name.is_empty() { format!("/user/{user}/") } else { format!("/user/{user}/{name}/") };
        let environment = hub.get(&format!("{prefix}env")).json();
        assert_eq!(environment["JUPYTERHUB_SERVICE_PREFIX"], prefix);
        assert_eq!(hub.admin("DELETE", &format!("/users/{user}/servers/{name}"), None).status, 204);
    }
    eventually("no process", || (processes(hub) == 0).then_some(()));
}
