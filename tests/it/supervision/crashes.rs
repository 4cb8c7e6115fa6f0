//! Servers that end by themselves: what is kept of it, what is shown to whom, and when they are started again.

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::hub::{Hub, eventually, kill};

const RESTARTS: &str = "spawner.restart = \"on-failure\"\nspawner.restart_delay = 0.01";

fn model(hub: &Hub, token: Option<&str>) -> Value {
    let path = "/users/ada/servers/";
    match token {
        Some(token) => hub.api("GET", path, Some(token), None).json(),
        None => hub.admin("GET", path, None).json(),
    }
}

fn pid(server: &Value) -> u64 {
    server["state"]["pid"].as_u64().unwrap()
}

/// The token of a service that holds one scope.
const FEW: &str = "token-of-a-service-with-few-scopes";

fn with_scope(scope: &str) -> String {
    format!(
        "services.few.api_token = \"{FEW}\"\nroles.few.scopes = [\"{scope}\"]\nroles.few.services = [\"few\"]"
    )
}

#[test]
fn the_reason_of_a_crash_is_kept_over_a_restart_of_the_hub_and_its_log_is_shown_without_secrets() {
    let mut hub = Hub::with(&with_scope("read:servers"));
    hub.create_user("ada");
    hub.spawn("ada");
    assert_eq!(model(&hub, None)["last_failure"], Value::Null);
    hub.get("/user/ada/crash");
    let failure =
        eventually("the reason", || Some(model(&hub, None)["last_failure"].clone()).filter(|f| !f.is_null()));
    assert_eq!(
        (&failure["kind"], &failure["exit_status"], &failure["signal"]),
        (&json!("exited"), &json!(7), &json!(null))
    );
    let log = json!(["the disk quota of this user is exceeded", "its token is [redacted]"]);
    assert_eq!(failure["log"], log);
    eventually("the end", || (model(&hub, None)["stopped"] == true).then_some(()));

    let seen = model(&hub, Some(FEW));
    assert_eq!(seen["last_failure"]["exit_status"], 7);
    assert!(seen["last_failure"].get("log").is_none(), "only for those who may use the server");
    let mut ada = Browser::signed_in(&hub, "ada");
    assert_eq!(ada.api("GET", "/users/ada/servers/").json()["last_failure"]["log"], log);
    let page = ada.get("/hub/home");
    assert!(page.body.contains("the disk quota of this user is exceeded"), "{}", page.body);

    hub.crash_and_restart();
    assert_eq!(model(&hub, None)["last_failure"], failure);
}

#[test]
fn a_killed_server_is_started_again_and_its_owner_sees_why() {
    let hub = Hub::with(RESTARTS);
    hub.create_user("ada");
    let first = pid(&hub.spawn("ada"));
    kill(u32::try_from(first).unwrap(), "KILL");
    let server = eventually("the new process", || {
        Some(hub.server("ada", "")).filter(|server| server["ready"] == true && pid(server) != first)
    });
    assert_eq!(server["last_failure"]["signal"], 9);
    assert_eq!(hub.get("/user/ada/whoami").json()["pid"], pid(&server));
    eventually("the log", || hub.log().contains("server ended by itself").then_some(()));
    let progress = hub.admin("GET", "/users/ada/server/progress", None);
    assert!(progress.body.contains("\"ready\":true"), "{}", progress.body);
}

#[test]
fn a_server_that_crashes_again_and_again_is_left_stopped() {
    let hub = Hub::with(&format!("{RESTARTS}\nspawner.restart_limit = 2"));
    hub.create_user("ada");
    let mut pids = vec![pid(&hub.spawn("ada"))];
    for _ in 0..2 {
        kill(u32::try_from(*pids.last().unwrap()).unwrap(), "KILL");
        let server = eventually("the next process", || {
            Some(hub.server("ada", ""))
                .filter(|server| server["ready"] == true && !pids.contains(&pid(server)))
        });
        pids.push(pid(&server));
    }
    kill(u32::try_from(*pids.last().unwrap()).unwrap(), "KILL");
    eventually("the end", || (model(&hub, None)["stopped"] == true).then_some(()));
    assert_eq!(model(&hub, None)["pending"], Value::Null);
    hub.spawn("ada");
}

#[test]
fn a_clean_exit_is_not_restarted_and_a_stop_ends_the_restarting() {
    let hub = Hub::with(
        "spawner.restart = \"on-failure\"\nspawner.restart_delay = 3600\nspawner.restart_max_delay = 3600",
    );
    hub.create_user("ada");
    let server = hub.spawn("ada");
    kill(u32::try_from(pid(&server)).unwrap(), "INT");
    eventually("the end", || (model(&hub, None)["stopped"] == true).then_some(()));
    let server = hub.spawn("ada");
    kill(u32::try_from(pid(&server)).unwrap(), "KILL");
    eventually("the pause", || {
        let model = model(&hub, None);
        (model["pending"] == "spawn" && model["last_failure"]["signal"] == 9).then_some(())
    });
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202, "a start joins the one to come");
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    assert_eq!(model(&hub, None)["stopped"], true);
}

#[test]
fn a_restart_is_right_in_every_state() {
    let hub = Hub::with(&format!("hub.timeouts.slow_spawn = 60\n{}", with_scope("start:servers")));
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server/restart", None).status, 201, "it did not run");
    let first = pid(&model(&hub, None));
    assert_eq!(hub.admin("POST", "/users/ada/server/restart", None).status, 201, "it ran");
    let second = pid(&model(&hub, None));
    assert_ne!(first, second);
    assert_eq!(hub.get("/user/ada/whoami").json()["pid"], second);
    assert_eq!(hub.api("POST", "/users/ada/server/restart", Some(FEW), None).status, 403, "it stops, too");
    assert_eq!(hub.admin("POST", "/users/ada/servers/ghost/restart", None).status, 404);
}

#[test]
fn a_restart_while_stopping_is_queued_behind_the_stop() {
    let hub = Hub::with(
        "hub.timeouts.slow_stop = 0\nhub.timeouts.slow_spawn = 60\nspawner.environment.FAKE_STUBBORN = \"1\"\n\
         spawner.local.interrupt_timeout = 1\nspawner.local.term_timeout = 1",
    );
    hub.create_user("ada");
    let first = pid(&hub.spawn("ada"));
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 202);
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 400, "life_012: a start is refused");
    assert_eq!(hub.admin("POST", "/users/ada/server/restart", None).status, 201);
    assert_ne!(pid(&model(&hub, None)), first);
}
