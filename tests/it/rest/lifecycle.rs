//! Servers named, started, stopped and removed (REST-093 to REST-107, REST-123).

use serde_json::{Value, json};

use super::token;
use crate::support::hub::{Hub, eventually};

const NAMED: &str = "hub.named_servers.enabled = true";
const PENDING: &str =
    "hub.timeouts.slow_spawn = 0\nhub.timeouts.slow_stop = 0\nspawner.environment.FAKE_DELAY = \"1\"";
/// Takes a second to stop.
const SLOW_STOP: &str = "hub.timeouts.slow_stop = 0\nspawner.environment.FAKE_STUBBORN = \"1\"\n\
                         spawner.local.interrupt_timeout = 1\nspawner.local.term_timeout = 1";

#[test]
fn rest_090_the_default_server_is_there_as_soon_as_its_user_is() {
    let hub = Hub::start();
    hub.create_user("ada");
    for path in ["/users/ada/server", "/users/ada/servers/"] {
        let reply = hub.admin("GET", path, None);
        let server = reply.json();
        assert_eq!((reply.status, &server["name"], &server["full_name"]), (200, &json!(""), &json!("ada/")));
        assert_eq!(
            (&server["ready"], &server["stopped"], &server["pending"]),
            (&json!(false), &json!(true), &Value::Null)
        );
        assert_eq!(
            (&server["display_name"], &server["started"], &server["url"]),
            (&json!(""), &Value::Null, &json!("/user/ada/"))
        );
    }
    assert_eq!(hub.admin("GET", "/users/nobody/server", None).status, 404);
    assert_eq!(hub.admin("GET", "/users/ada/servers/lab", None).status, 404);
}

#[test]
fn rest_093_names_of_new_servers_are_strict() {
    let hub = Hub::with(NAMED);
    hub.create_user("ada");
    let long = format!("a{}", "b".repeat(29));
    for good in ["a", "a1", "a-b", long.as_str()] {
        assert_eq!(hub.admin("PUT", &format!("/users/ada/servers/{good}"), None).status, 201, "{good}");
    }
    let longer = "a".repeat(31);
    for bad in ["A", "a--b", "1a", "-a", "a-", "a%2Fb", "a_b", "a.b", "%C3%A4", "a%00", "a%20b", &longer] {
        for method in ["PUT", "POST"] {
            let reply = hub.admin(method, &format!("/users/ada/servers/{bad}"), None);
            assert_eq!(reply.status, 400, "{method} {bad} {}", reply.body);
        }
    }
    for bad in ["A", "a--b", "1a", "", "a/b", "..", "a_b", "ä", "a b", &longer] {
        let rename = hub.admin("PATCH", "/users/ada/servers/a", Some(json!({"name": bad})));
        assert_eq!(rename.status, 400, "{bad}");
    }
    let all = hub.admin("GET", "/users/ada?include_stopped_servers", None).json();
    assert_eq!(all["servers"].as_object().unwrap().keys().collect::<Vec<_>>(), ["a", "a-b", "a1", &long]);
}

#[test]
fn rest_096_options_last_until_others_come() {
    let hub = Hub::with(NAMED);
    hub.create_user("ada");
    let options = |body: Value| {
        let started = hub.admin("POST", "/users/ada/servers/lab", Some(body.clone()));
        assert_eq!(started.status, 201, "{body} {}", started.body);
        let options = hub.server("ada", "lab")["user_options"].clone();
        assert_eq!(hub.admin("DELETE", "/users/ada/servers/lab", None).status, 204);
        options
    };
    assert_eq!(options(json!({"a": 1})), json!({"a": 1}), "the old form");
    assert_eq!(options(json!({})), json!({"a": 1}));
    assert_eq!(options(json!([])), json!({"a": 1}));
    assert_eq!(options(json!({"display_name": "Lab"})), json!({"a": 1}));
    assert_eq!(options(json!({"user_options": null})), json!({"a": 1}));
    assert_eq!(options(json!({"user_options": {"b": 2}, "x": 1})), json!({"b": 2}));
    assert_eq!(options(json!({"user_options": {}})), json!({}));
    for bad in [json!([1]), json!("x"), json!({"user_options": [1]}), json!({"display_name": 5})] {
        assert_eq!(hub.admin("POST", "/users/ada/servers/lab", Some(bad.clone())).status, 400, "{bad}");
    }
    let patched = hub.admin("PATCH", "/users/ada/servers/lab", Some(json!({"user_options": {"c": 3}})));
    assert_eq!((patched.status, &patched.json()["user_options"]), (200, &json!({"c": 3})));
    assert_eq!(patched.header("content-type"), Some("application/json; charset=UTF-8"));
    assert_eq!(options(json!(null)), json!({"c": 3}));
}

#[test]
fn rest_097_a_hub_with_enough_servers_refuses_more_without_a_time() {
    let hub = Hub::with("hub.limits.active_servers = 1");
    hub.create_user("ada");
    hub.create_user("bob");
    hub.spawn("ada");
    let refused = hub.admin("POST", "/users/bob/server", None);
    assert_eq!((refused.status, refused.header("retry-after")), (429, None), "{}", refused.body);
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    assert_eq!(hub.admin("POST", "/users/bob/server", None).status, 201);
}

#[test]
fn rest_099_named_servers_that_are_off_are_400() {
    let hub = Hub::start();
    hub.create_user("ada");
    for (method, path, body) in [
        ("PUT", "servers/lab", json!({})),
        ("POST", "servers/lab", json!({})),
        ("DELETE", "servers/lab", json!({})),
        ("PATCH", "server", json!({"name": "lab"})),
        ("PATCH", "server", json!({"display_name": "Mine"})),
    ] {
        let reply = hub.admin(method, &format!("/users/ada/{path}"), Some(body.clone()));
        assert_eq!(reply.status, 400, "{method} {path} {body}");
        assert!(reply.body.contains("Named servers are not enabled"), "{method} {path} {}", reply.body);
    }
    let options = hub.admin("PATCH", "/users/ada/server", Some(json!({"user_options": {"a": 1}})));
    assert_eq!(options.status, 200, "options are no names: {}", options.body);
    assert_eq!(hub.spawn("ada")["user_options"], json!({"a": 1}));
}

#[test]
fn rest_100_a_rename_has_an_order_of_refusals() {
    let hub = Hub::with(NAMED);
    hub.create_user("ada");
    for name in ["lab", "other"] {
        hub.admin("PUT", &format!("/users/ada/servers/{name}"), None);
    }
    let patch = |path: &str, body: Value| hub.admin("PATCH", &format!("/users/{path}"), Some(body)).status;
    assert_eq!(patch("nobody/server", json!({})), 404, "who it is comes first");
    assert_eq!(patch("ada/servers/none", json!({})), 400);
    assert_eq!(patch("ada/servers/none", json!({"colour": 1})), 400);
    assert_eq!(patch("ada/servers/none", json!({"user_options": 5})), 404, "before the types of options");
    assert_eq!(patch("ada/servers/lab", json!({"name": "lab"})), 409, "its own name is taken, too");
    assert_eq!(patch("ada/servers/lab", json!({"name": "other"})), 409);
    assert_eq!(patch("ada/servers/lab", json!({"name": null, "display_name": null})), 200);
    assert_eq!(patch("ada/servers/lab", json!({"display_name": ""})), 200);
    for bad in [json!({"name": 5}), json!({"display_name": [1]}), json!({"user_options": null}), json!([1])] {
        assert_eq!(patch("ada/servers/lab", bad.clone()), 400, "{bad}");
    }
    assert_eq!(hub.admin("POST", "/users/ada/servers/lab", None).status, 201);
    assert_eq!(patch("ada/servers/lab", json!({"name": "new"})), 400, "it runs");
    assert_eq!(patch("ada/servers/lab", json!({"user_options": {}})), 400, "it runs");
}

#[test]
fn rest_100_the_default_server_can_become_a_named_one() {
    let hub = Hub::with(NAMED);
    hub.create_user("ada");
    hub.admin("PATCH", "/users/ada/server", Some(json!({"user_options": {"a": 1}, "display_name": "Mine"})));
    let renamed = hub.admin("PATCH", "/users/ada/server", Some(json!({"name": "old"}))).json();
    assert_eq!((&renamed["name"], &renamed["display_name"]), (&json!("old"), &json!("Mine")));
    assert_eq!((&renamed["full_name"], &renamed["user_options"]), (&json!("ada/old"), &json!({"a": 1})));
    let fresh = hub.admin("GET", "/users/ada/server", None).json();
    assert_eq!((&fresh["name"], &fresh["display_name"]), (&json!(""), &json!("")));
    assert_ne!(fresh["user_options"], json!({"a": 1}));
    let limited = Hub::with(&format!("{NAMED}\nhub.limits.named_servers_per_user = 1"));
    limited.create_user("ada");
    limited.admin("PUT", "/users/ada/servers/one", None);
    let patch = |path: &str| {
        limited.admin("PATCH", &format!("/users/ada/{path}"), Some(json!({"name": "two"}))).status
    };
    assert_eq!(patch("server"), 400, "it would be one too many");
    assert_eq!(patch("servers/one"), 200, "as many as before");
}

#[test]
fn rest_101_rest_102_life_024_a_stop_is_the_same_twice_and_removal_is_for_named_servers() {
    let hub = Hub::with(NAMED);
    hub.create_user("ada");
    let delete = |path: &str, body: Option<Value>| hub.admin("DELETE", &format!("/users/ada/{path}"), body);
    assert_eq!(delete("server", None).status, 204, "it never ran");
    assert_eq!(hub.admin("POST", "/users/ada/servers/lab", None).status, 201);
    let stopped = delete("servers/lab", None);
    assert_eq!((stopped.status, stopped.body.as_str()), (204, ""));
    assert!(stopped.header("content-type").is_none(), "{:?}", stopped.headers);
    assert_eq!(delete("servers/lab", Some(json!({"remove": false}))).status, 204);
    assert_eq!(delete("servers/lab", Some(json!({}))).status, 204);
    assert_eq!(delete("servers/lab", Some(json!("x"))).status, 400);
    assert_eq!(delete("servers/none", None).status, 404);
    assert_eq!(delete("server", Some(json!({"remove": true}))).status, 400);
    assert_eq!(hub.admin("GET", "/users/ada/servers/lab", None).status, 200, "stopped, not removed");
    assert_eq!(hub.admin("POST", "/users/ada/servers/lab", None).status, 201);
    assert_eq!(
        delete("servers/lab", Some(json!({"remove": true}))).status,
        204,
        "a running one is stopped first"
    );
    assert_eq!(hub.admin("GET", "/users/ada/servers/lab", None).status, 404);
    assert_eq!(delete("servers/lab", Some(json!({"remove": true}))).status, 404);
}

#[test]
fn rest_095_rest_103_life_023_a_slow_stop_is_accepted_and_removes_afterwards() {
    let hub = Hub::with(&format!("{NAMED}\n{SLOW_STOP}"));
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/servers/lab", None).status, 201);
    let accepted = hub.admin("DELETE", "/users/ada/servers/lab", None);
    assert_eq!((accepted.status, accepted.body.as_str()), (202, ""));
    assert!(accepted.header("content-type").unwrap().starts_with("text/plain"));
    assert_eq!(hub.server("ada", "lab")["pending"], "stop");
    let start = hub.admin("POST", "/users/ada/servers/lab", None);
    assert!(start.status == 400 && start.body.contains("ada:lab is pending stop"), "{}", start.body);
    assert_eq!(hub.admin("DELETE", "/users/ada/servers/lab", None).status, 202, "again");
    assert_eq!(hub.admin("DELETE", "/users/ada/servers/lab", Some(json!({"remove": true}))).status, 202);
    eventually("the removal", || {
        (hub.admin("GET", "/users/ada/servers/lab", None).status == 404).then_some(())
    });
}

#[test]
fn rest_104_a_start_is_cancelled() {
    let hub = Hub::with(PENDING);
    hub.create_user("ada");
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202);
    let user = hub.admin("GET", "/users/ada", None).json();
    assert_eq!((&user["server"], &user["pending"]), (&Value::Null, &json!("spawn")));
    let server = &user["servers"][""];
    assert_eq!((&server["ready"], &server["stopped"]), (&json!(false), &json!(false)));
    assert_eq!(hub.admin("POST", "/users/ada/server", None).status, 202, "asked again");
    assert!(matches!(hub.admin("DELETE", "/users/ada/server", None).status, 202 | 204));
    eventually("the end", || {
        (hub.admin("GET", "/users/ada/server", None).json()["stopped"] == true).then_some(())
    });
    assert_eq!(hub.admin("GET", "/users/ada/tokens", None).json()["api_tokens"], json!([]));
    assert!(!hub.admin("GET", "/proxy", None).body.contains("/user/ada"));
}

#[test]
fn rest_106_full_urls_are_there_when_the_public_address_is_known() {
    let known = Hub::with("hub.public_url = \"https://hub.example.org/\"\nhub.named_servers.enabled = true");
    known.create_user("ada");
    let server = known.admin("GET", "/users/ada/server", None).json();
    assert_eq!(server["url"], "/user/ada/");
    assert_eq!(server["full_url"], "https://hub.example.org/user/ada/");
    assert_eq!(server["full_progress_url"], "https://hub.example.org/hub/api/users/ada/server/progress");
    let named = known.admin("PUT", "/users/ada/servers/lab", None).json();
    assert_eq!(named["full_url"], "https://hub.example.org/user/ada/lab/");
    assert_eq!(named["progress_url"], "/hub/api/users/ada/servers/lab/progress");
    let hub = Hub::start();
    assert_eq!(hub.admin("POST", "/users/a%20b@c+d", None).status, 201);
    let server = hub.admin("GET", "/users/a%20b@c+d/server", None).json();
    assert_eq!((&server["full_url"], &server["full_progress_url"]), (&Value::Null, &Value::Null));
    assert_eq!(server["url"], "/user/a%20b@c%2Bd/", "escaped");
    assert_eq!(server["progress_url"], "/hub/api/users/a%20b@c%2Bd/server/progress");
}

#[test]
fn rest_107_only_active_servers_are_part_of_a_user() {
    let hub = Hub::with(NAMED);
    hub.create_user("ada");
    hub.admin("PUT", "/users/ada/servers/idle", None);
    hub.admin("POST", "/users/ada/servers/lab", None);
    let user = hub.admin("GET", "/users/ada", None).json();
    assert_eq!(user["servers"].as_object().unwrap().keys().collect::<Vec<_>>(), ["lab"]);
    assert_eq!(
        (&user["server"], &user["pending"]),
        (&Value::Null, &Value::Null),
        "these are of the default server"
    );
    let all = hub.admin("GET", "/users/ada?include_stopped_servers", None).json();
    let keys: Vec<_> = all["servers"].as_object().unwrap().keys().collect();
    assert!(keys.contains(&&"idle".to_owned()) && keys.contains(&&"lab".to_owned()), "{keys:?}");
    let listed = hub.admin("GET", "/users", None).json();
    assert_eq!(listed[0]["servers"], user["servers"]);
}

#[test]
fn rest_123_the_servers_activity_is_not_the_users_and_the_reverse() {
    let hub = Hub::with(NAMED);
    hub.create_user("ada");
    hub.admin("PUT", "/users/ada/servers/lab", None);
    let last = |path: &str| hub.admin("GET", path, None).json()["last_activity"].clone();
    let report = |body: Value| {
        let reply = hub.admin("POST", "/users/ada/activity", Some(body));
        assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    };
    report(json!({"servers": {"lab": {"last_activity": "2026-01-02T00:00:00Z"}}}));
    assert_eq!(last("/users/ada/servers/lab"), "2026-01-02T00:00:00Z");
    assert_eq!(last("/users/ada"), Value::Null);
    report(json!({"last_activity": "2026-01-03T00:00:00Z"}));
    assert_eq!(last("/users/ada/servers/lab"), "2026-01-02T00:00:00Z");
    assert_eq!(last("/users/ada"), "2026-01-03T00:00:00Z");
    report(json!({"servers": {"lab": {"last_activity": "2025-01-02T00:00:00Z"}}}));
    assert_eq!(last("/users/ada/servers/lab"), "2026-01-02T00:00:00Z", "only forward");
    let self_token = token(&hub, "ada", &["users:activity!user"]);
    let own = hub.api(
        "POST",
        "/users/ada/activity",
        Some(&self_token),
        Some(json!({"last_activity": "2026-02-01"})),
    );
    assert_eq!(own.status, 200);
}
