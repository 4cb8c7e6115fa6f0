//! Nobody makes a service that may do more than its maker (RBAC-043, RBAC-047, SEC-033).

use serde_json::{Value, json};

use super::super::support::hub::{Hub, Reply};
use super::hub;

/// A user with these scopes besides those of every user; a token of hers.
fn maker(scopes: &str) -> (Hub, String) {
    let hub = hub(&format!(
        "roles.maker.scopes = {scopes}\nroles.maker.users = [\"eve\"]\nauth.admin_users = [\"root\"]"
    ));
    let token = token(&hub, "eve", &json!({}));
    (hub, token)
}

fn token(hub: &Hub, user: &str, body: &Value) -> String {
    let reply = hub.admin("POST", &format!("/users/{user}/tokens"), Some(body.clone()));
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.json()["token"].as_str().unwrap().to_owned()
}

fn make(hub: &Hub, token: &str, name: &str, body: &Value) -> Reply {
    hub.api("POST", &format!("/services/{name}"), Some(token), Some(body.clone()))
}

#[test]
fn a_filtered_holder_reaches_the_named_service_only() {
    let (hub, eve) = maker("[\"admin:services!service=mine\"]");
    assert_eq!(make(&hub, &eve, "mine", &json!({"display": true})).status, 201);
    for name in ["other", "tests", "min", "mine2", "MINE", "mine%20", "mine%2F", "%6Dine2"] {
        let reply = make(&hub, &eve, name, &json!({"display": true}));
        assert!(matches!(reply.status, 400 | 404), "{name}: {} {}", reply.status, reply.body);
        let reply = hub.api("DELETE", &format!("/services/{name}"), Some(&eve), None);
        assert_eq!(reply.status, 404, "{name}: existence is not told");
    }
    assert_eq!(hub.api("DELETE", "/services/mine", Some(&eve), None).status, 200);
}

#[test]
fn nobody_without_the_scope_makes_or_removes_a_service() {
    let (hub, eve) = maker("[\"list:services\", \"read:services\"]");
    assert_eq!(make(&hub, &eve, "web", &json!({"display": true})).status, 403);
    assert_eq!(hub.api("DELETE", "/services/tests", Some(&eve), None).status, 403);
    assert_eq!(hub.api("POST", "/services/web", None, Some(json!({"display": true}))).status, 403);
}

#[test]
fn rbac_047_scopes_beyond_the_requesters_are_refused() {
    let (hub, eve) = maker("[\"admin:services\", \"read:users:name\"]");
    let client = |scopes: Value| json!({"oauth_redirect_uri": "/cb", "oauth_client_allowed_scopes": scopes});
    for scopes in
        [json!(["admin:users"]), json!(["read:users"]), json!(["read:users:name", "access:servers"])]
    {
        let reply = make(&hub, &eve, "web", &client(scopes.clone()));
        assert!(
            reply.status == 400 && reply.body.contains("oauth_client_allowed_scopes"),
            "{scopes} {}",
            reply.body
        );
    }
    assert_eq!(hub.admin("GET", "/services/web", None).status, 404);
    assert_eq!(make(&hub, &eve, "web", &client(json!(["read:users:name", "self"]))).status, 201);
}

#[test]
fn a_service_does_not_become_its_visitors_without_asking_them() {
    let (hub, eve) = maker("[\"admin:services\"]");
    for scopes in [json!(["self"]), json!(["inherit"]), json!(["tokens!user"])] {
        let body = json!({
            "oauth_redirect_uri": "https://evil.example/", "oauth_client_allowed_scopes": scopes, "oauth_no_confirm": true,
            "api_token": "0123456789",
        });
        let reply = make(&hub, &eve, "trap", &body);
        assert!(reply.status == 400 && reply.body.contains("oauth_no_confirm"), "{scopes}: {}", reply.body);
    }
}

#[test]
fn rbac_043_only_admins_make_admin_services() {
    let (hub, eve) = maker("[\"admin:services\"]");
    let body = json!({"admin": true, "api_token": "secret-of-the-admin"});
    let reply = make(&hub, &eve, "web", &body);
    assert!(reply.status == 400 && reply.body.contains("service.admin"), "{}", reply.body);
    assert_eq!(hub.api("GET", "/user", Some("secret-of-the-admin"), None).status, 403);

    // an admin's own token may not make more of itself either
    let narrow = token(&hub, "root", &json!({"scopes": ["admin:services"]}));
    assert_eq!(make(&hub, &narrow, "web", &body).status, 400);
    let full = token(&hub, "root", &json!({}));
    let reply = make(&hub, &full, "web", &body);
    assert_eq!((reply.status, &reply.json()["roles"]), (201, &json!(["admin"])), "{}", reply.body);
    assert_eq!(hub.api("GET", "/users", Some("secret-of-the-admin"), None).status, 200);
    assert_eq!(hub.admin("DELETE", "/services/web", None).status, 200);
    assert_eq!(hub.api("GET", "/users", Some("secret-of-the-admin"), None).status, 403);
}
