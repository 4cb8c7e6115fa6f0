//! The event log.

use serde_json::Value;

use super::*;

fn events(hub: &Hub, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(hub.path(name)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn what(event: &Value) -> (&str, &str, &str) {
    let text = |key: &str| event[key].as_str().unwrap();
    (text("action"), text("username"), text("servername"))
}

fn sink(extra: &str) -> String {
    format!("events.sinks = [{{ type = \"file\", path = \"events.log\" }}]\n{extra}")
}

#[test]
fn obs_015_a_start_and_a_stop_are_one_event_each_and_the_end_of_the_hub_is_none() {
    let mut hub = Hub::with(&sink("hub.named_servers.enabled = true\nhub.cleanup_servers = true"));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(hub.path("events.log")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    hub.create_user("ada");
    hub.spawn("ada");
    assert_eq!(hub.admin("POST", "/users/ada/servers/lab", None).status, 201);
    assert_eq!(hub.admin("DELETE", "/users/ada/servers/lab", None).status, 204);
    hub.terminate();
    let found = events(&hub, "events.log");
    let all: Vec<_> = found.iter().map(what).collect();
    assert_eq!(all, [("start", "ada", ""), ("start", "ada", "lab"), ("stop", "ada", "lab")]);
    let schema = "https://schema.jupyter.org/jupyterhub/events/server-action";
    assert_eq!((&found[0]["__schema__"], &found[0]["__schema_version__"]), (&schema.into(), &"1".into()));
    assert_eq!(found[0]["__metadata_version__"], 1);
    let stamp = found[0]["__timestamp__"].as_str().unwrap();
    assert!(stamp.ends_with('Z') && stamp.len() == "2026-01-01T00:00:00.000000Z".len(), "{stamp}");
    hub.start_again();
    hub.terminate();
    assert_eq!(events(&hub, "events.log").len(), 3, "appended to, not begun anew");
}

#[test]
fn obs_015_failed_starts_crashes_and_sign_ins_are_no_events() {
    let mut hub = Hub::with(&sink("spawner.environment.FAKE_FAIL = \"1\""));
    Browser::signed_in(&hub, "ada").get("/hub/logout");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 500);
    hub.terminate();
    assert!(events(&hub, "events.log").is_empty());
    let mut crashing = Hub::with(&sink("events.sessions = true"));
    Browser::signed_in(&crashing, "ada").get("/hub/logout");
    crashing.spawn("ada");
    let pid = crashing.server("ada", "")["state"]["pid"].as_u64();
    let pid = pid.unwrap_or_else(|| panic!("{}", crashing.server("ada", "")));
    crate::support::hub::kill(u32::try_from(pid).unwrap(), "KILL");
    eventually("the crash", || crashing.server("ada", "").is_null().then_some(()));
    crashing.terminate();
    let found = events(&crashing, "events.log");
    let actions: Vec<_> = found.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["login", "logout", "start"]);
    assert_eq!(found[0]["__schema__"], "urn:orrery:events:session");
}

#[test]
fn obs_015_events_can_go_to_the_standard_output() {
    let hub = Hub::with("events.sinks = [{ type = \"stdout\" }]");
    hub.create_user("ada");
    hub.spawn("ada");
    eventually("the event", || {
        hub.log().lines().find(|line| line.starts_with("{\"__timestamp__\"")).map(|_| ())
    });
    let silent = Hub::start();
    silent.create_user("ada");
    silent.spawn("ada");
    assert!(!silent.log().contains("__schema__"));
}
