//! The REST API from outside.

use serde_json::json;

use super::support::hub::Hub;

#[test]
fn rest_001_the_api_root_answers_everybody() {
    let hub = Hub::start();
    for path in ["", "/"] {
        let reply = hub.api("GET", path, None, None);
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, Some("*")));
        assert_eq!(reply.json()["version"], "6.1.1");
        assert_eq!(reply.header("x-jupyterhub-version"), Some("6.1.1"));
    }
}

#[test]
fn rest_002_and_003_and_004_errors_are_json_with_the_headers_of_the_api() {
    let hub = Hub::start();
    let missing = hub.api("DELETE", "/nowhere", None, None);
    assert_eq!((missing.status, missing.json()["status"].as_u64()), (404, Some(404)));
    let nobody = hub.api("GET", "/users", None, None);
    assert_eq!((nobody.status, nobody.header("content-type")), (403, Some("application/json")));
    assert!(nobody.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert!(nobody.header("www-authenticate").is_none());
    assert_eq!(hub.admin("PUT", "/users", None).status, 405);
    assert_eq!(hub.api("OPTIONS", "/users", None, None).status, 200);
}

#[test]
fn rest_005_and_061_unknown_tokens_and_those_of_deleted_users_are_403() {
    let hub = Hub::start();
    assert_eq!(hub.api("GET", "/user", Some("no-such-token"), None).status, 403);
    assert_eq!(hub.api("GET", "/user", Some(&"x".repeat(65)), None).status, 403);
    hub.create_user("ada");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    assert_eq!(hub.api("GET", "/user", Some(&token), None).json()["name"], "ada");
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 204);
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 403);
}

#[test]
fn rest_017_and_018_what_is_out_of_reach_looks_like_what_is_not_there() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.create_user("grace");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let reach = |path: &str| {
        let reply = hub.api("GET", path, Some(&token), None);
        (reply.status, reply.body)
    };
    assert_eq!(reach("/users/ada").0, 200);
    assert_eq!(reach("/users/grace"), reach("/users/nobody"));
    assert_eq!(reach("/users/grace").0, 404);
    assert_eq!(reach("/users").0, 403);
}

#[test]
fn rest_047_and_048_several_users_are_created_or_none() {
    let hub = Hub::start();
    let create = |names: serde_json::Value| hub.admin("POST", "/users", Some(json!({"usernames": names})));
    assert_eq!(create(json!(["ok", "not/ok"])).status, 400);
    assert_eq!(hub.admin("GET", "/users/ok", None).status, 404);
    let made = create(json!(["Ada", "grace"]));
    assert_eq!((made.status, made.json()[0]["name"].as_str()), (201, Some("ada")));
    assert_eq!(create(json!(["ada"])).status, 409);
}

#[test]
fn rest_072_and_075_tokens_are_limited_to_their_owner_and_to_the_maximum() {
    let hub = Hub::with("hub.tokens.max_lifetime = 600");
    hub.create_user("ada");
    let ask = |body: serde_json::Value| hub.admin("POST", "/users/ada/tokens", Some(body));
    assert_eq!(ask(json!({"scopes": ["read:users"]})).status, 400);
    assert_eq!(ask(json!({"scopes": ["no:such"]})).status, 400);
    assert_eq!(ask(json!({"expires_in": 601})).status, 400);
    let made = ask(json!({"scopes": ["read:users!user"], "note": "mine"})).json();
    assert!(made["expires_at"].is_string() && made["note"] == "mine");
    assert_eq!(made["token"].as_str().unwrap().len(), 32);
}

#[test]
fn rbac_017_leaving_a_group_takes_its_rights_away_at_once() {
    let hub = Hub::with("roles.helper.scopes = [\"read:users:name\"]\nroles.helper.groups = [\"helpers\"]");
    hub.create_user("ada");
    hub.create_user("grace");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let sees = || hub.api("GET", "/users/grace", Some(&token), None).status;
    assert_eq!(sees(), 404);
    assert_eq!(hub.admin("POST", "/groups/helpers/users", Some(json!({"users": ["ada"]}))).status, 200);
    assert_eq!(sees(), 200);
    assert_eq!(hub.admin("DELETE", "/groups/helpers/users", Some(json!({"users": ["ada"]}))).status, 200);
    assert_eq!(sees(), 404);
}

#[test]
fn rest_120_activity_moves_forward_only() {
    let hub = Hub::start();
    hub.create_user("ada");
    let report =
        |at: &str| hub.admin("POST", "/users/ada/activity", Some(json!({"last_activity": at}))).status;
    let last = || {
        hub.admin("GET", "/users/ada", None).json()["last_activity"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(report("2026-01-02T03:04:05Z"), 200);
    assert_eq!(last(), "2026-01-02T03:04:05Z");
    assert_eq!(report("2025-01-01T00:00:00Z"), 200);
    assert_eq!(last(), "2026-01-02T03:04:05Z");
    assert_eq!(report("2999-01-01T00:00:00Z"), 400);
}

#[test]
fn rest_161_shutdown_ends_the_hub() {
    let mut hub = Hub::start();
    assert_eq!(hub.admin("POST", "/shutdown", Some(json!({"servers": "x"}))).status, 400);
    assert_eq!(hub.admin("POST", "/shutdown", None).status, 202);
    assert_eq!(hub.wait().code(), Some(0));
}
