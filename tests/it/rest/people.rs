//! One user, and several at once: made, renamed, flagged, deleted (REST-045 to REST-061).

use serde_json::{Value, json};

use super::{send, token};
use crate::support::browser::Browser;
use crate::support::hub::{ADMIN_TOKEN, Hub, eventually};

const NAMED: &str = "hub.named_servers.enabled = true";

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[test]
fn rest_048_one_bad_name_spoils_the_batch() {
    let hub = Hub::start();
    let long = "x".repeat(256);
    for bad in [
        "a/b",
        "..",
        ".",
        "%2e%2e",
        " lead",
        "trail ",
        "",
        "\u{0}",
        "new\nline",
        "a\u{202e}b",
        "a\u{200b}b",
        &long,
    ] {
        let body = json!({"usernames": ["good", bad]});
        let reply = hub.admin("POST", "/users", Some(body));
        assert_eq!(reply.status, 400, "{bad:?} {}", reply.body);
        let shown = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(shown.contains("nvalid username") && !shown.contains("good"), "{shown}");
    }
    assert_eq!(hub.admin("GET", "/users", None).json(), json!([]));
    let two = hub.admin("POST", "/users", Some(json!({"usernames": ["a/b", "ok", ".."]}))).json();
    assert_eq!(two["message"], "Invalid usernames: a/b, ..");
}

#[test]
fn rest_048_no_way_of_making_a_user_takes_a_bad_name() {
    let hub = Hub::start();
    hub.create_user("ada");
    for (path, name) in
        [("...", "..."), ("a%2Fb", "a/b"), ("a%00b", "a\u{0}b"), ("%20ada", " ada"), ("ada%20", "ada ")]
    {
        assert_eq!(hub.admin("POST", &format!("/users/{path}"), None).status, 400, "{path}");
        let rename = hub.admin("PATCH", "/users/ada", Some(json!({"name": name})));
        assert_eq!(rename.status, 400, "{name:?} {}", rename.body);
    }
    assert_eq!(hub.admin("POST", &format!("/users/{}", "x".repeat(256)), None).status, 400);
    assert_eq!(names(&hub.admin("GET", "/users", None).json()), ["ada"]);
}

#[test]
fn rest_047_a_batch_shows_the_new_ones_in_order_and_skips_the_others() {
    let hub = Hub::start();
    hub.create_user("old");
    let create = |names: Value| hub.admin("POST", "/users", Some(json!({"usernames": names})));
    let made = create(json!(["Zoe", "old", "ada", "ZOE"]));
    assert_eq!(
        (made.status, names(&made.json())),
        (201, vec!["zoe", "ada", "zoe"]),
        "one entry for each mention"
    );
    assert_eq!(made.json()[0], made.json()[2]);
    assert_eq!(made.json()[0]["roles"], json!(["user"]));
    let again = create(json!(["zoe", "old"]));
    assert_eq!((again.status, &again.json()["message"]), (409, &json!("All 2 users already exist")));
    assert_eq!(names(&hub.admin("GET", "/users", None).json()), ["old", "zoe", "ada"]);
}

#[test]
fn rest_047_a_huge_batch_is_no_failure_of_the_hub() {
    let hub = Hub::start();
    hub.create_user("u7");
    let many: Vec<String> = (0..40_000).map(|number| format!("u{number}")).collect();
    let mut bad = many.clone();
    bad.push("a/b".to_owned());
    assert_eq!(hub.admin("POST", "/users", Some(json!({"usernames": bad}))).status, 400);
    hub.admin("POST", "/groups/all", None);
    let reply = hub.admin("POST", "/groups/all/users", Some(json!({"users": many})));
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert!(reply.body.contains("No such user: u0"), "{}", reply.body);
}

#[test]
fn rest_052_a_new_name_is_normalised_valid_and_free() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.create_user("bob");
    let ada = token(&hub, "ada", &["inherit"]);
    let rename =
        |from: &str, to: Value| hub.admin("PATCH", &format!("/users/{from}"), Some(json!({"name": to})));
    for bad in [json!("bob"), json!("BOB"), json!(""), json!("a/b"), json!(".."), json!(5), json!(null)] {
        assert_eq!(rename("ada", bad.clone()).status, 400, "{bad}");
    }
    let renamed = rename("ada", json!("Grace"));
    assert_eq!((renamed.status, &renamed.json()["name"]), (200, &json!("grace")));
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 404);
    let me = hub.api("GET", "/user", Some(&ada), None).json();
    assert_eq!(me["name"], "grace", "tokens follow");
    assert!(me["scopes"].as_array().unwrap().contains(&json!("tokens!user=grace")), "{me}");
    assert_eq!(hub.admin("PATCH", "/users/nobody", Some(json!({"name": "x"}))).status, 404);
}

#[test]
fn rest_053_the_same_name_in_any_case_is_no_change() {
    let hub = Hub::start();
    hub.create_user("ada");
    for name in ["ada", "ADA"] {
        let reply = hub.admin("PATCH", "/users/ada", Some(json!({"name": name})));
        assert_eq!((reply.status, &reply.json()["name"]), (200, &json!("ada")), "{name}");
    }
    assert_eq!(names(&hub.admin("GET", "/users", None).json()), ["ada"]);
}

#[test]
fn rest_054_the_flag_and_the_role_go_together() {
    let hub = Hub::start();
    hub.create_user("ada");
    let ada = token(&hub, "ada", &["inherit"]);
    let lists = || hub.api("GET", "/users", Some(&ada), None).status;
    let flag = |admin: bool| hub.admin("PATCH", "/users/ada", Some(json!({"admin": admin}))).json();
    assert_eq!(lists(), 403);
    assert_eq!(flag(true)["roles"], json!(["admin", "user"]));
    assert_eq!(lists(), 200, "at once");
    let cleared = flag(false);
    assert_eq!((&cleared["admin"], &cleared["roles"]), (&json!(false), &json!(["user"])));
    assert_eq!(lists(), 403, "at once");
    for wrong in [json!("yes"), json!(1), json!(null)] {
        assert_eq!(hub.admin("PATCH", "/users/ada", Some(json!({"admin": wrong}))).status, 400);
    }
}

#[test]
fn rest_056_a_change_needs_a_body_and_an_empty_one_changes_nothing() {
    let hub = Hub::start();
    hub.create_user("ada");
    let before = hub.admin("GET", "/users/ada", None).json();
    for body in ["", "null", "[]", "\"x\"", "{", "{\"colour\": 1}", "{\"groups\": \"g\"}"] {
        let admin = format!("token {ADMIN_TOKEN}");
        let reply = send(&hub, "PATCH", "/users/ada", &[("authorization", &admin)], body);
        assert_eq!(reply.status, 400, "{body} {}", reply.body);
    }
    let same = hub.admin("PATCH", "/users/ada", Some(json!({})));
    assert_eq!((same.status, same.json()), (200, before));
}

#[test]
fn rest_057_who_is_no_admin_may_delete_an_admin_but_not_change_one() {
    let hub = Hub::with("roles.clerk.scopes = [\"admin:users\"]\nroles.clerk.users = [\"clerk\"]");
    hub.create_user("boss");
    hub.admin("PATCH", "/users/boss", Some(json!({"admin": true})));
    let clerk = token(&hub, "clerk", &["inherit"]);
    let ask = |method: &str, path: &str, body: Value| hub.api(method, path, Some(&clerk), Some(body)).status;
    for change in [json!({}), json!({"name": "fool"}), json!({"admin": true})] {
        assert_eq!(ask("PATCH", "/users/boss", change.clone()), 403, "{change}");
    }
    assert_eq!(ask("PATCH", "/users/clerk", json!({"admin": true})), 403, "not oneself either");
    assert_eq!(ask("DELETE", "/users/boss", json!(null)), 204);
}

#[test]
fn rest_058_nobody_deletes_oneself_and_a_service_not_its_namesake() {
    let hub = Hub::start();
    hub.create_user("tests");
    let own = hub.admin("DELETE", "/users/tests", None);
    assert_eq!((own.status, &own.json()["message"]), (400, &json!("Cannot delete yourself!")));
    assert_eq!(hub.admin("DELETE", "/users/nobody", None).status, 404);
}

#[test]
fn rest_059_a_user_whose_server_is_stopping_stays_until_it_has_stopped() {
    let hub = Hub::with(&format!(
        "{NAMED}\nhub.timeouts.slow_stop = 0\nspawner.environment.FAKE_STUBBORN = \"1\"\n\
         spawner.local.interrupt_timeout = 1\nspawner.local.term_timeout = 1"
    ));
    hub.create_user("ada");
    hub.spawn("ada");
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 202);
    let refused = hub.admin("DELETE", "/users/ada", None);
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(refused.body.contains("in the process of stopping"), "{}", refused.body);
    assert_eq!(hub.admin("GET", "/users/ada", None).json()["pending"], "stop", "nothing was deleted");
    eventually("the deletion", || (hub.admin("DELETE", "/users/ada", None).status == 204).then_some(()));
}

#[test]
fn rest_060_a_user_with_servers_that_start_and_run_is_deleted() {
    let hub =
        Hub::with(&format!("{NAMED}\nhub.timeouts.slow_spawn = 0\nspawner.environment.FAKE_DELAY = \"1\""));
    hub.create_user("ada");
    for path in ["server", "servers/lab"] {
        assert_eq!(hub.admin("POST", &format!("/users/ada/{path}"), None).status, 202);
    }
    let reply = hub.admin("DELETE", "/users/ada", None);
    assert_eq!(reply.status, 204, "{}", reply.body);
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 404);
    assert!(!hub.admin("GET", "/proxy", None).body.contains("/user/ada"), "no route is left");
}

#[test]
fn rest_061_nothing_of_a_deleted_user_works_again() {
    let hub = Hub::start();
    hub.create_user("ada");
    let made = token(&hub, "ada", &["inherit"]);
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 204);
    for again in [false, true] {
        assert_eq!(hub.api("GET", "/user", Some(&made), None).status, 403);
        assert_eq!(
            hub.api("GET", &format!("/authorizations/token/{made}"), Some(ADMIN_TOKEN), None).status,
            404
        );
        assert_eq!(browser.api("GET", "/user").status, 403);
        if !again {
            hub.create_user("ada");
        }
    }
    assert_eq!(hub.admin("GET", "/users/ada/tokens", None).json()["api_tokens"], json!([]));
}
