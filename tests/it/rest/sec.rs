//! Holes that others had (security.md 2 and 3), as far as the REST API is concerned.

use serde_json::{Value, json};

use super::token;
use crate::support::hub::Hub;

const NAMED: &str = "hub.named_servers.enabled = true";

#[test]
fn sec_007_rbac_014_a_filtered_scope_never_does_what_needs_the_whole() {
    let filters = ["user=ada", "group=lab", "server=ada/", "service=tests"];
    let hub = Hub::start();
    hub.create_user("root");
    hub.admin("PATCH", "/users/root", Some(json!({"admin": true})));
    for filter in filters {
        for (base, method, path, body) in [
            ("admin:users", "POST", "/users", json!({"usernames": ["new"]})),
            ("admin:groups", "POST", "/groups", json!({"groups": ["new"]})),
            ("shutdown", "POST", "/shutdown", json!({})),
            ("proxy", "GET", "/proxy", json!(null)),
            ("proxy", "POST", "/proxy", json!(null)),
            ("proxy", "PATCH", "/proxy", json!({})),
            ("read:hub", "GET", "/info", json!(null)),
        ] {
            let held = token(&hub, "root", &[&format!("{base}!{filter}")]);
            let reply = hub.api(method, path, Some(&held), Some(body));
            assert_eq!(reply.status, 403, "{base}!{filter} {method} {path} {}", reply.body);
        }
    }
    assert_eq!(hub.admin("GET", "/users/new", None).status, 404);
    assert_eq!(hub.admin("GET", "/groups/new", None).status, 404);
}

#[test]
fn sec_008_who_manages_users_makes_no_admin_of_anybody() {
    let hub = Hub::with(
        "roles.clerk.scopes = [\"admin:users\", \"tokens!user=clerk\"]\nroles.clerk.users = [\"clerk\"]\n\
         roles.admin.groups = [\"wheel\"]",
    );
    hub.create_user("ada");
    let clerk = token(&hub, "clerk", &["inherit"]);
    for (method, path, body, status) in [
        ("POST", "/users/new", json!({"admin": true}), 403),
        ("POST", "/users", json!({"usernames": ["new"], "admin": true}), 403),
        ("PATCH", "/users/ada", json!({"admin": true}), 403),
        ("PATCH", "/users/clerk", json!({"admin": true}), 403),
        ("PATCH", "/users/clerk", json!({"roles": ["admin"]}), 400),
        ("PATCH", "/users/clerk", json!({"groups": ["wheel"]}), 400),
        ("POST", "/groups/wheel/users", json!({"users": ["clerk"]}), 403),
        ("POST", "/users/clerk/tokens", json!({"roles": ["admin"]}), 400),
        ("POST", "/users/clerk/tokens", json!({"scopes": ["admin:servers"]}), 400),
        ("POST", "/users/ada/tokens", json!({}), 403),
    ] {
        let reply = hub.api(method, path, Some(&clerk), Some(body.clone()));
        assert_eq!(reply.status, status, "{method} {path} {body} {}", reply.body);
    }
    let with_roles =
        hub.api("POST", "/users/other", Some(&clerk), Some(json!({"roles": ["admin"], "groups": ["wheel"]})));
    assert_eq!((&with_roles.json()["roles"], &with_roles.json()["groups"]), (&json!(["user"]), &json!([])));
}

#[test]
fn sec_009_a_services_filters_are_about_users_when_it_asks_for_tokens() {
    let hub = Hub::with(
        "services.minter.api_token = \"token-of-minter-0123456789\"\nroles.minter.scopes = [\"tokens!user=ada\"]\n\
         roles.minter.services = [\"minter\"]",
    );
    hub.admin("POST", "/users", Some(json!({"usernames": ["ada", "bob", "minter"]})));
    let mint = |user: &str| {
        hub.api("POST", &format!("/users/{user}/tokens"), Some("token-of-minter-0123456789"), None).status
    };
    assert_eq!((mint("ada"), mint("bob"), mint("minter"), mint("nobody")), (201, 403, 403, 403));
}

#[test]
fn sec_015_no_odd_lifetime_makes_a_token_eternal() {
    let hub = Hub::start();
    hub.create_user("ada");
    for odd in [
        "0",
        "-1",
        "0.0",
        "0.5",
        "1e308",
        "NaN",
        "Infinity",
        "\"3600\"",
        "true",
        "false",
        "[]",
        "{}",
        "\"\"",
        "1e3",
        "9223372036854775808",
    ] {
        let body = format!("{{\"expires_in\": {odd}}}");
        let admin = format!("token {}", crate::support::hub::ADMIN_TOKEN);
        let reply = super::send(&hub, "POST", "/users/ada/tokens", &[("authorization", &admin)], &body);
        assert_eq!(reply.status, 400, "{odd} {}", reply.body);
    }
    assert_eq!(hub.admin("GET", "/users/ada/tokens", None).json()["api_tokens"], json!([]));
}

#[test]
fn sec_017_hostile_options_are_refused_or_kept_as_they_are() {
    let mut hub = Hub::with(NAMED);
    hub.create_user("ada");
    let long = "x".repeat(1_000_000);
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let admin = format!("token {}", crate::support::hub::ADMIN_TOKEN);
    let put = |hub: &Hub, name: &str, options: &str| {
        let body = format!("{{\"user_options\": {options}}}");
        super::send(hub, "PUT", &format!("/users/ada/servers/{name}"), &[("authorization", &admin)], &body)
            .status
    };
    let mut kept = Vec::new();
    for (number, options) in [
        "{\"__jupyterhub_bytes__\": \"x\"}",
        "{\"a\": {\"__jupyterhub_bytes__\": 5}}",
        &format!("{{\"a\": \"{long}\"}}"),
        &format!("{{\"a\": {deep}}}"),
        "{\"a\": NaN}",
        "{\"a\": \"\\ud800\"}",
        "{\"a\": \"\\u0000\"}",
        "{\"\": null}",
        "{\"a\": 1e400}",
        "{\"a\": 123456789012345678901234567890}",
    ]
    .iter()
    .enumerate()
    {
        let name = format!("s{number}");
        let status = put(&hub, &name, options);
        assert!(matches!(status, 201 | 400), "{status} {}", options.get(..60).unwrap_or(options));
        if status == 201 {
            kept.push((
                name.clone(),
                hub.admin("GET", &format!("/users/ada/servers/{name}"), None).json()["user_options"].clone(),
            ));
        }
    }
    assert!(!kept.is_empty());
    hub.crash_and_restart();
    for (name, options) in kept {
        assert_eq!(
            hub.admin("GET", &format!("/users/ada/servers/{name}"), None).json()["user_options"],
            options
        );
    }
}

#[test]
fn sec_018_a_share_follows_its_server_and_never_the_name() {
    let hub = Hub::with(NAMED);
    hub.admin("POST", "/users", Some(json!({"usernames": ["ada", "bob"]})));
    hub.admin("PUT", "/users/ada/servers/lab", None);
    hub.admin("POST", "/shares/ada/lab", Some(json!({"user": "bob", "scopes": ["read:servers"]})));
    let bob = token(&hub, "bob", &["inherit"]);
    let sees = |path: &str| hub.api("GET", path, Some(&bob), None).status;
    assert_eq!(sees("/users/ada/servers/lab"), 200);
    assert_eq!(hub.admin("PATCH", "/users/ada", Some(json!({"name": "eve"}))).status, 200);
    assert_eq!(hub.admin("POST", "/users/ada", None).status, 201);
    assert_eq!(hub.admin("PUT", "/users/ada/servers/lab", None).status, 201);
    assert_eq!((sees("/users/ada/servers/lab"), sees("/users/eve/servers/lab")), (404, 200));
    let shares = hub.admin("GET", "/users/bob/shared", None).json();
    assert_eq!(shares["items"][0]["scopes"], json!(["read:servers!server=eve/lab"]));
    assert_eq!(shares["items"][0]["server"]["user"], json!({"name": "eve"}));
    assert_eq!(hub.admin("PATCH", "/users/eve/servers/lab", Some(json!({"name": "new"}))).status, 200);
    hub.admin("PUT", "/users/eve/servers/lab", None);
    assert_eq!((sees("/users/eve/servers/lab"), sees("/users/eve/servers/new")), (404, 200));
    assert_eq!(hub.admin("DELETE", "/users/eve/servers/new", Some(json!({"remove": true}))).status, 204);
    hub.admin("PUT", "/users/eve/servers/new", None);
    assert_eq!(sees("/users/eve/servers/new"), 404, "it went with its server");
    assert_eq!(hub.admin("GET", "/users/bob/shared", None).json()["items"], json!([]));
}

#[test]
fn sec_031_a_rename_is_normalised_and_meets_nobody() {
    let hub = Hub::start();
    hub.admin("POST", "/users", Some(json!({"usernames": ["ada", "root"]})));
    for (name, status) in [("Root", 400), ("ROOT", 400), ("root", 400), ("Ada", 200), ("NEW", 200)] {
        let reply = hub.admin("PATCH", "/users/ada", Some(json!({"name": name})));
        assert_eq!(reply.status, status, "{name} {}", reply.body);
    }
    assert_eq!(hub.admin("GET", "/users/new", None).status, 200);
}

#[test]
fn sec_036_every_name_that_is_accepted_comes_back_the_same() {
    let hub = Hub::with(NAMED);
    for (path, name) in [
        ("a%20b", "a b"),
        ("a%2520b", "a%20b"),
        ("%C3%BC", "ü"),
        ("a@b.c", "a@b.c"),
        ("a:b", "a:b"),
        ("a%3Bb", "a;b"),
        ("a+b", "a+b"),
    ] {
        let made = hub.admin("POST", &format!("/users/{path}"), None);
        if made.status == 400 {
            continue;
        }
        assert_eq!((made.status, &made.json()["name"]), (201, &json!(name)), "{}", made.body);
        let server = hub.admin("PUT", &format!("/users/{path}/servers/lab"), None).json();
        let progress = server["progress_url"].as_str().unwrap().strip_prefix("/hub/api").unwrap().to_owned();
        let back = progress.strip_suffix("/progress").unwrap();
        assert_eq!(hub.admin("GET", back, None).json()["full_name"], format!("{name}/lab"), "{back}");
        assert_eq!(hub.admin("DELETE", &format!("/users/{path}"), None).status, 204);
    }
    let left: Value = hub.admin("GET", "/users", None).json();
    assert_eq!(left, json!([]));
}
