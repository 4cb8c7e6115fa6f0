//! Servers: start, change, stop, and the stream of a start (REST-090 to REST-115).

use serde_json::{Value, json};

use super::token;
use crate::support::hub::{Hub, eventually};

const NAMED: &str = "hub.named_servers.enabled = true";
/// Answers of a start and a stop come at once, so that both can be seen while they last.
const HASTY: &str =
    "hub.timeouts.slow_spawn = 0\nhub.timeouts.slow_stop = 0\nspawner.environment.FAKE_DELAY = \"1\"";

fn events(body: &str) -> Vec<Value> {
    body.split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .map(|json| serde_json::from_str(json).unwrap())
        .collect()
}

#[test]
fn rest_091_rest_092_rest_093_a_named_server_is_made_without_starting_it() {
    let hub = Hub::with(NAMED);
    hub.create_user("ada");
    let put = |path: &str, body: Value| hub.admin("PUT", &format!("/users/ada/{path}"), Some(body));
    assert_eq!(put("server", json!({})).status, 409);
    let made = put("servers/lab", json!({"user_options": {"a": 1}, "x": 1}));
    assert_eq!((made.status, &made.json()["stopped"]), (201, &json!(true)));
    assert_eq!(made.json()["user_options"], json!({"a": 1}));
    assert_eq!(put("servers/lab", json!({})).status, 409);
    assert_eq!(put("servers/old", json!({"size": 2})).json()["user_options"], json!({"size": 2}));
    for bad in ["UP", "a--b", "9a", "a%2Fb", &"x".repeat(31)] {
        assert_eq!(put(&format!("servers/{bad}"), json!({})).status, 400, "{bad}");
    }
    assert_eq!(put("servers/new", json!({"display_name": " padded"})).status, 400);
    assert_eq!(hub.admin("GET", "/users/ada", None).json()["servers"], json!({}));
    let all = hub.admin("GET", "/users/ada?include_stopped_servers", None).json();
    assert_eq!(all["servers"]["lab"]["display_name"], "lab");
}

#[test]
fn rest_094_rest_095_rest_096_a_start_keeps_its_options() {
    let hub = Hub::start();
    hub.create_user("ada");
    let post = |body: Value| hub.admin("POST", "/users/ada/server", Some(body));
    let started = post(json!({"size": 2}));
    assert_eq!((started.status, started.body.as_str()), (201, ""));
    assert!(started.header("content-type").unwrap().starts_with("text/plain"));
    let again = post(json!({}));
    assert!(again.status == 400 && again.body.contains("ada is already running"), "{}", again.body);
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    assert_eq!(
        hub.admin("DELETE", "/users/ada/server", None).status,
        204,
        "stopping what is stopped is fine"
    );
    assert_eq!(hub.spawn("ada")["user_options"], json!({"size": 2}));
    hub.admin("DELETE", "/users/ada/server", None);
    assert_eq!(post(json!({"user_options": {}})).status, 201);
    assert_eq!(hub.server("ada", "")["user_options"], json!({}));
}

#[test]
fn rest_097_a_full_hub_says_when_to_come_back() {
    let hub =
        Hub::with(&format!("{HASTY}\nhub.limits.concurrent_spawns = 1\nhub.limits.retry_after = [30, 60]"));
    hub.create_user("ada");
    hub.create_user("bob");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    let refused = eventually("the refusal", || {
        Some(hub.admin("POST", "/users/bob/server", None)).filter(|reply| reply.status != 202)
    });
    assert_eq!(refused.status, 429);
    let seconds: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((30..=60).contains(&seconds));
}

#[test]
fn rest_098_rest_099_named_servers_are_counted_and_can_be_off() {
    let off = Hub::start();
    off.create_user("ada");
    for method in ["PUT", "POST", "DELETE"] {
        let reply = off.admin(method, "/users/ada/servers/lab", None);
        assert!(reply.status == 400 && reply.body.contains("not enabled"), "{method} {}", reply.body);
    }
    let hub = Hub::with(&format!("{NAMED}\nhub.limits.named_servers_per_user = 1"));
    hub.create_user("ada");
    assert_eq!(hub.admin("PUT", "/users/ada/servers/one", None).status, 201);
    for method in ["PUT", "POST"] {
        assert_eq!(hub.admin(method, "/users/ada/servers/two", None).status, 400, "{method}");
    }
}

#[test]
fn rest_100_rest_102_a_stopped_server_is_renamed_and_removed() {
    let hub = Hub::with(NAMED);
    hub.create_user("ada");
    for name in ["lab", "other"] {
        hub.admin("PUT", &format!("/users/ada/servers/{name}"), None);
    }
    let patch =
        |name: &str, body: Value| hub.admin("PATCH", &format!("/users/ada/servers/{name}"), Some(body));
    assert_eq!(patch("lab", json!({"name": "other"})).status, 409);
    assert_eq!(patch("lab", json!({"colour": 1})).status, 400);
    assert_eq!(patch("none", json!({"display_name": "x"})).status, 404);
    assert_eq!(
        patch("lab", json!({"name": "new", "display_name": "The Lab"})).json()["url"],
        "/user/ada/new/"
    );
    let remove = |name: &str| {
        hub.admin("DELETE", &format!("/users/ada/servers/{name}"), Some(json!({"remove": true})))
    };
    assert_eq!(remove("lab").status, 404);
    assert_eq!(remove("new").status, 204);
    assert_eq!(hub.admin("GET", "/users/ada/servers/new", None).status, 404);
    let default = hub.admin("DELETE", "/users/ada/server", Some(json!({"remove": true})));
    assert_eq!(default.status, 400);
}

#[test]
fn rest_103_rest_104_a_start_is_cancelled_and_the_server_removed_afterwards() {
    let hub = Hub::with(&format!("{HASTY}\n{NAMED}"));
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/servers/lab", None).status, 202);
    assert_eq!(hub.server("ada", "lab")["pending"], "spawn");
    assert_eq!(hub.admin("PATCH", "/users/ada/servers/lab", Some(json!({"name": "x"}))).status, 400);
    let stop = hub.admin("DELETE", "/users/ada/servers/lab", Some(json!({"remove": true})));
    assert!(matches!(stop.status, 202 | 204), "{}", stop.body);
    eventually("the removal", || {
        (hub.admin("GET", "/users/ada/servers/lab", None).status == 404).then_some(())
    });
    assert_eq!(
        hub.admin("GET", "/users/ada/tokens", None).json()["api_tokens"],
        json!([]),
        "its token is gone too"
    );
}

#[test]
fn rest_105_the_spawners_state_is_for_admins() {
    let hub = Hub::start();
    hub.create_user("ada");
    assert!(hub.spawn("ada")["state"]["pid"].is_u64());
    let own = hub.api("GET", "/users/ada/server", Some(&token(&hub, "ada", &["self"])), None).json();
    assert!(own["ready"] == true && own.get("state").is_none(), "{own}");
}

#[test]
fn rest_110_rest_111_rest_112_a_start_is_told_as_it_goes() {
    let hub = Hub::with(HASTY);
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    let stream = hub.admin("GET", "/users/ada/server/progress", None);
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert_eq!(stream.header("cache-control"), Some("no-cache"));
    assert!(stream.body.starts_with("\n\ndata: "), "{}", stream.body);
    let told = events(&stream.body);
    assert_eq!(told.first().unwrap(), &json!({"progress": 0, "message": "Server requested"}));
    let last = told.last().unwrap();
    assert_eq!((&last["ready"], &last["url"]), (&json!(true), &json!("/user/ada/")));
    assert_eq!(
        events(&hub.admin("GET", "/users/ada/server/progress", None).body),
        std::slice::from_ref(last)
    );
}

#[test]
fn rest_113_a_failed_start_says_why_as_often_as_asked() {
    let hub = Hub::with("spawner.environment.FAKE_FAIL = \"1\"");
    hub.create_user("ada");
    let refused = hub.admin("POST", "/users/ada/server", None);
    assert_eq!(refused.status, 500);
    for _ in 0..2 {
        let told = events(&hub.admin("GET", "/users/ada/server/progress", None).body);
        assert_eq!((told.len(), &told[0]["failed"]), (1, &json!(true)));
        let message = told[0]["message"].as_str().unwrap();
        assert!(message.starts_with("Spawn failed: ") && message.contains("disk quota"), "{message}");
    }
    // a new user of that name must not hear what became of the old one's server
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 204);
    hub.create_user("ada");
    assert_eq!(hub.admin("GET", "/users/ada/server/progress", None).status, 400);
}

#[test]
fn rest_114_a_stopped_server_has_nothing_to_tell() {
    let hub = Hub::start();
    hub.create_user("ada");
    assert_eq!(hub.admin("GET", "/users/ada/server/progress", None).status, 400);
    assert_eq!(hub.admin("GET", "/users/ada/servers/none/progress", None).status, 404);
    assert_eq!(hub.admin("GET", "/users/nobody/server/progress", None).status, 404);
}

#[test]
fn rest_122_rest_123_rest_124_activity_of_a_server_is_its_own() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.spawn("ada");
    let last = |of: &str| hub.admin("GET", "/users/ada", None).json().pointer(of).unwrap().clone();
    let report = |body: Value| hub.admin("POST", "/users/ada/activity", Some(body)).status;
    let (user, server) = (last("/last_activity"), last("/servers//last_activity"));
    let soon = (chrono::Utc::now() + chrono::TimeDelta::minutes(5)).to_rfc3339();
    let of = |name: &str| json!({"last_activity": soon, "servers": {name: {"last_activity": soon}}});
    assert_eq!(report(of("none")), 400);
    assert_eq!(
        (last("/last_activity"), last("/servers//last_activity")),
        (user.clone(), server.clone()),
        "nothing applied"
    );
    assert_eq!(report(json!({"servers": {"": {"last_activity": soon}}})), 200);
    assert_eq!(last("/last_activity"), user);
    assert_ne!(last("/servers//last_activity"), server);
    let own = hub.get("/user/ada/env").json()["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned();
    assert_eq!(hub.api("GET", "/user", Some(&own), None).status, 200);
    assert_eq!(last("/last_activity"), user, "a server's own token is no activity of its owner");
}
