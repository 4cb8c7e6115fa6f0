//! Users: who they are, lists and pages of them, changes (REST-020 to REST-060).

use serde_json::{Value, json};

use super::{send, token};
use crate::support::browser::Browser;
use crate::support::hub::{ADMIN_TOKEN, Hub};

const PAGED: (&str, &str) = ("accept", "application/jupyterhub-pagination+json");

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[test]
fn rest_030_rest_031_rest_032_everybody_learns_at_least_its_own_name() {
    let hub = Hub::with("services.mute.api_token = \"the-token-of-a-service-without-roles\"");
    hub.create_user("ada");
    let me = hub.api("GET", "/user", Some(&token(&hub, "ada", &["self"])), None).json();
    assert!(me["token_id"].as_str().unwrap().starts_with('a'));
    let scopes: Vec<&str> =
        me["scopes"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
    assert!(scopes.is_sorted() && scopes.contains(&"tokens!user=ada"), "{scopes:?}");
    let limited = hub.api("GET", "/user", Some(&token(&hub, "ada", &[])), None).json();
    assert_eq!((&limited["name"], &limited["groups"]), (&json!("ada"), &json!([])));
    assert!(limited.get("servers").is_none() && limited.get("created").is_none());
    let mute = hub.api("GET", "/user", Some("the-token-of-a-service-without-roles"), None).json();
    assert_eq!(
        (&mute["kind"], &mute["name"], &mute["scopes"]),
        (&json!("service"), &json!("mute"), &json!([]))
    );
}

#[test]
fn rest_020_rest_021_rest_022_rest_023_lists_come_in_pages_to_those_who_ask() {
    let hub = Hub::with("hub.api.page_default_limit = 2\nhub.api.page_max_limit = 3");
    for name in ["a", "b", "c", "d"] {
        hub.create_user(name);
    }
    let admin = ("authorization", &*format!("token {ADMIN_TOKEN}"));
    let list =
        |path: &str, accept: &[(&str, &str)]| send(&hub, "GET", path, &[&[admin], accept].concat(), "");
    assert_eq!(names(&list("/users", &[]).json()), ["a", "b", "c"], "silently cut at the limit");
    let proxied = [PAGED, ("x-forwarded-proto", "https")];
    let page = list("/users?sort=-name&foo=b%20r", &proxied).json();
    assert_eq!(names(&page["items"]), ["d", "c"]);
    let next = page["_pagination"]["next"]["url"].as_str().unwrap().to_owned();
    assert!(
        next.contains("/hub/api/users?") && next.contains("sort=-name&foo=b+r&offset=2&limit=2"),
        "{next}"
    );
    for (query, limit) in [("limit=0", 1), ("limit=-2", 2), ("limit=99", 3)] {
        assert_eq!(
            list(&format!("/users?{query}"), &[PAGED]).json()["_pagination"]["limit"],
            limit,
            "{query}"
        );
    }
    assert_eq!(list("/users?limit=many", &[PAGED]).status, 400);
    assert!(list("/users", &[("accept", "application/jupyterhub-pagination+json;q=1")]).json().is_array());
}

#[test]
fn rest_040_rest_041_rest_042_the_list_shows_what_the_scopes_reveal() {
    let hub = Hub::start();
    for name in ["ada", "bob", "eve"] {
        hub.create_user(name);
    }
    assert_eq!(hub.admin("PATCH", "/users/ada", Some(json!({"admin": true}))).status, 200);
    hub.admin("POST", "/groups/lab", Some(json!({"users": ["bob"]})));
    let list = |scopes: &[&str]| hub.api("GET", "/users", Some(&token(&hub, "ada", scopes)), None);
    assert_eq!(list(&["read:users"]).status, 403);
    let bare = list(&["list:users"]).json();
    assert_eq!(bare[1], json!({"kind": "user", "name": "bob", "admin": false, "user_info": null}));
    assert_eq!(names(&list(&["list:users!group=lab", "list:users!user=eve"]).json()), ["bob", "eve"]);
    assert_eq!(list(&["list:users!server=bob/"]).status, 403);
}

#[test]
fn rest_050_rest_057_only_admins_touch_admins() {
    let hub = Hub::with(
        "roles.clerk.scopes = [\"admin:users\", \"delete:users\"]\nroles.clerk.users = [\"clerk\"]",
    );
    hub.create_user("boss");
    hub.admin("PATCH", "/users/boss", Some(json!({"admin": true})));
    let clerk = token(&hub, "clerk", &["inherit"]);
    let ask = |method: &str, path: &str, body: Value| hub.api(method, path, Some(&clerk), Some(body)).status;
    assert_eq!(ask("POST", "/users/new", json!({"admin": true})), 403);
    assert_eq!(ask("POST", "/users", json!({"usernames": ["new"], "admin": true})), 403);
    assert_eq!(ask("POST", "/users/new", json!({})), 201);
    assert_eq!(ask("PATCH", "/users/new", json!({"admin": true})), 403);
    assert_eq!(ask("PATCH", "/users/boss", json!({"admin": false})), 403);
    assert_eq!(ask("DELETE", "/users/clerk", json!(null)), 400, "not oneself");
    assert_eq!(ask("DELETE", "/users/boss", json!(null)), 204);
}

#[test]
fn rest_051_rest_052_rest_053_rest_054_rest_056_one_user_is_made_and_changed() {
    let hub = Hub::start();
    assert_eq!(hub.admin("POST", "/users/Henry", Some(Value::Null)).json()["name"], "Henry");
    assert_eq!(hub.admin("POST", "/users/Henry", None).status, 409);
    assert_eq!(hub.admin("POST", "/users/a%2Fb", None).status, 400);
    let patch = |body: Value| hub.admin("PATCH", "/users/Henry", Some(body));
    assert_eq!(patch(json!({"name": "Henry"})).json()["name"], "Henry", "the same name is no change");
    assert_eq!(patch(json!({})).status, 200);
    assert_eq!(patch(json!({"admin": true})).json()["roles"], json!(["admin", "user"]));
    assert_eq!(patch(json!({"admin": false})).json()["roles"], json!(["user"]));
    hub.create_user("bob");
    for bad in [
        json!({"name": "bob"}),
        json!({"name": "a/b"}),
        json!({"groups": []}),
        json!({"auth_state": null}),
        json!([]),
    ] {
        assert_eq!(patch(bad.clone()).status, 400, "{bad}");
    }
    assert_eq!(hub.admin("PATCH", "/users/Henry", None).status, 400);
    assert_eq!(patch(json!({"name": "Harry"})).json()["name"], "harry");
}

#[test]
fn rest_058_rest_060_deleting_a_user_stops_every_server() {
    let hub = Hub::with("hub.named_servers.enabled = true");
    hub.create_user("ada");
    assert!(hub.spawn("ada")["ready"] == true);
    assert!(matches!(hub.admin("POST", "/users/ada/servers/lab", None).status, 201 | 202));
    assert_eq!(
        hub.admin("PATCH", "/users/ada", Some(json!({"name": "eve"}))).status,
        400,
        "its servers bear the name"
    );
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 204);
    assert_eq!(hub.get("/user/ada/whoami").status, 302, "back at the hub");
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 404);

    // the next user of that name begins anew, and can start a server at once
    hub.create_user("ada");
    let server = hub.admin("GET", "/users/ada/server", None).json();
    assert_eq!((&server["stopped"], &server["last_activity"]), (&json!(true), &Value::Null));
    assert!(hub.spawn("ada")["ready"] == true);
}

#[test]
fn a_cookie_of_a_deleted_user_is_nobodys() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.api("GET", "/user").status, 200);
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 204);
    assert_eq!(browser.api("GET", "/user").status, 403);
}
