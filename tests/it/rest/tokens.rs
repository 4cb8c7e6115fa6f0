//! Tokens: who may have which, and for how long (REST-070 to REST-081).

use serde_json::{Value, json};

use super::token;
use crate::support::browser::Browser;
use crate::support::hub::{Hub, PASSWORD};

#[test]
fn rest_070_rest_078_a_token_without_wishes_inherits_and_says_who_asked() {
    let hub = Hub::start();
    hub.create_user("ada");
    let made = hub.admin("POST", "/users/ada/tokens", None).json();
    let secret = made["token"].as_str().unwrap();
    assert!(secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(made["note"], "Requested via api by service tests");
    assert_eq!((&made["roles"], &made["oauth_client"]), (&json!([]), &json!("JupyterHub")));
    let own = hub.api("POST", "/users/ada/tokens", Some(secret), None).json();
    assert_eq!(own["note"], "Requested via api");
    let listed = hub.admin("GET", "/users/ada/tokens", None).body;
    assert!(listed.contains(made["id"].as_str().unwrap()) && !listed.contains(secret));
}

#[test]
fn rest_071_rest_073_scopes_or_the_scopes_of_roles() {
    let hub = Hub::start();
    hub.create_user("ada");
    let ask = |body: Value| hub.admin("POST", "/users/ada/tokens", Some(body));
    let identity = json!(["read:users:groups!user=ada", "read:users:name!user=ada"]);
    assert_eq!(ask(json!({"scopes": []})).json()["scopes"], identity);
    let server = ask(json!({"roles": ["server"]})).json();
    assert!(server["scopes"].as_array().unwrap().contains(&json!("users:activity!user=ada")), "{server}");
    for wrong in [
        json!({"roles": ["user"], "scopes": []}),
        json!({"roles": ["no-such-role"]}),
        json!({"roles": ["admin"]}),
        json!({"scopes": ["all"]}),
        json!({"scopes": "self"}),
        json!({"note": ["x"]}),
        json!({"expires_in": 0}),
        json!({"expires_in": true}),
        json!({"expires_in": i64::MAX}),
    ] {
        assert_eq!(ask(wrong.clone()).status, 400, "{wrong}");
    }
}

#[test]
fn rest_076_tokens_for_others_need_permission_and_never_tell_who_exists() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.create_user("bob");
    let ada = token(&hub, "ada", &["self"]);
    for name in ["bob", "nobody"] {
        let reply = hub.api("POST", &format!("/users/{name}/tokens"), Some(&ada), None);
        assert_eq!(reply.status, 403);
        assert!(reply.body.contains(&format!("User {name} not found or no permissions")), "{}", reply.body);
    }
    assert_eq!(hub.admin("POST", "/users/nobody/tokens", None).status, 403);
}

#[test]
fn rest_077_a_password_in_the_body_is_as_good_as_a_login() {
    let hub = Hub::with("auth.blocked_users = [\"eve\"]");
    hub.create_user("ada");
    hub.create_user("eve");
    let ask = |path: &str, name: &str, password: &str| {
        let auth = json!({"auth": {"username": name, "password": password}});
        hub.api("POST", path, None, Some(auth))
    };
    assert_eq!(ask("/users/ada/tokens", "ADA", PASSWORD).json()["user"], "ada");
    assert_eq!(ask("/users/ada/tokens", "ada", "wrong").status, 403);
    assert_eq!(ask("/users/eve/tokens", "ada", PASSWORD).status, 403, "of somebody else");
    assert_eq!(ask("/users/eve/tokens", "eve", PASSWORD).status, 403, "blocked");
    assert_eq!(ask("/users/new/tokens", "new", PASSWORD).status, 403);
    assert_eq!(hub.admin("GET", "/users/new", None).status, 404, "a token request makes nobody");
    assert_eq!(hub.api("POST", "/users/ada/tokens", None, Some(json!({"auth": "ada"}))).status, 403);
}

#[test]
fn rest_080_only_ones_own_tokens_are_found() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.create_user("bob");
    let made = hub.admin("POST", "/users/ada/tokens", None).json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(hub.admin("GET", &format!("/users/ada/tokens/{id}"), None).json()["id"], id);
    for path in
        [format!("/users/bob/tokens/{id}"), "/users/ada/tokens/x".to_owned(), "/users/ada/tokens/".to_owned()]
    {
        assert_eq!(hub.admin("DELETE", &path, None).status, 404, "{path}");
    }
    assert_eq!(hub.admin("DELETE", &format!("/users/ada/tokens/{id}"), None).status, 204);
    assert_eq!(hub.api("GET", "/user", made["token"].as_str(), None).status, 403);
}

#[test]
fn rest_163_a_token_may_ask_whose_another_token_is() {
    let hub = Hub::start();
    hub.create_user("ada");
    let ada = token(&hub, "ada", &["self"]);
    assert_eq!(hub.admin("GET", &format!("/authorizations/token/{ada}"), None).json()["name"], "ada");
    assert_eq!(hub.admin("GET", "/authorizations/token/nonsense", None).status, 404);
    assert_eq!(hub.api("GET", &format!("/authorizations/token/{ada}"), None, None).status, 403);
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.api("GET", &format!("/authorizations/token/{ada}")).status, 403);
}

#[test]
fn rest_078_the_note_says_who_asked_only_if_it_was_somebody_else() {
    let hub = Hub::with("roles.minter.scopes = [\"tokens\"]\nroles.minter.users = [\"minter\"]");
    hub.create_user("ada");
    let minter = token(&hub, "minter", &["inherit"]);
    let note = |owner: &str, body: Value| {
        let made = hub.api("POST", &format!("/users/{owner}/tokens"), Some(&minter), Some(body));
        assert_eq!(made.status, 201, "{}", made.body);
        made.json()["note"].as_str().unwrap().to_owned()
    };
    assert_eq!(note("minter", json!({})), "Requested via api");
    assert_eq!(note("ada", json!({})), "Requested via api by user minter");
    for nothing in [json!(null), json!(""), json!(0), json!(false)] {
        assert_eq!(note("ada", json!({"note": nothing})), "Requested via api by user minter");
    }
    assert_eq!(note("ada", json!({"note": "for the build ü"})), "for the build ü");
}

#[test]
fn rest_073_no_scopes_and_no_roles_are_the_identity_and_null_is_the_default() {
    let hub = Hub::start();
    hub.create_user("ada");
    let made = |body: Value| {
        hub.admin("POST", "/users/ada/tokens", Some(body)).json()["scopes"].as_array().unwrap().len()
    };
    for body in [json!({"scopes": []}), json!({"roles": []})] {
        assert_eq!(made(body), 2);
    }
    for body in [
        json!({}),
        json!([]),
        json!({"scopes": null}),
        json!({"roles": null, "scopes": null}),
        json!({"roles": ["user"]}),
    ] {
        assert_eq!(made(body), 15);
    }
}

#[test]
fn rest_070_tokens_are_listed_by_their_last_use() {
    let hub = Hub::start();
    hub.create_user("ada");
    let make = |note: &str| {
        let made = hub.admin("POST", "/users/ada/tokens", Some(json!({"note": note}))).json();
        made["token"].as_str().unwrap().to_owned()
    };
    let (first, _second) = (make("first"), make("second"));
    assert_eq!(hub.api("GET", "/user", Some(&first), None).status, 200);
    let listed = || {
        let tokens = hub.admin("GET", "/users/ada/tokens", None).json();
        let notes: Vec<String> = tokens["api_tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|token| token["note"].as_str().unwrap().to_owned())
            .collect();
        notes.join(" ")
    };
    crate::support::hub::eventually("the use to be noted", || (listed() == "second first").then_some(()));
    let used = hub.admin("GET", "/users/ada/tokens", None).json();
    assert!(
        used["api_tokens"][0]["last_activity"].is_null()
            && used["api_tokens"][1]["last_activity"].is_string()
    );
    assert!(hub.admin("GET", "/users/ada", None).json()["last_activity"].is_string(), "its owner's, too");
    assert_eq!(hub.admin("GET", "/users/nobody/tokens", None).status, 404);
}
