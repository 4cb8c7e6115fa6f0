//! Shares and share codes (REST-140 to REST-151).

use serde_json::{Value, json};

use super::token;
use crate::support::hub::Hub;

/// A hub where ada may share what she owns with whom she can name; she has a server `lab`, bob is in the group `crew`.
fn hub() -> Hub {
    let scopes = r#"["shares!user", "read:users:name", "read:groups:name!group=crew"]"#;
    let hub = Hub::with(&format!(
        "hub.named_servers.enabled = true\nroles.sharer.scopes = {scopes}\nroles.sharer.users = [\"ada\"]"
    ));
    hub.create_user("bob");
    assert_eq!(hub.admin("PUT", "/users/ada/servers/lab", None).status, 201);
    for group in ["crew", "others"] {
        assert_eq!(
            hub.admin("POST", &format!("/groups/{group}"), Some(json!({"users": ["bob"]}))).status,
            201
        );
    }
    hub
}

fn scopes(token: &str, hub: &Hub) -> String {
    hub.api("GET", "/user", Some(token), None).json()["scopes"].to_string()
}

#[test]
fn rest_140_rest_141_rest_142_rest_143_rest_144_a_share_gives_what_its_giver_holds() {
    let hub = hub();
    let (ada, bob) = (token(&hub, "ada", &["inherit"]), token(&hub, "bob", &["inherit"]));
    let call = |method: &str, body: Value| hub.api(method, "/shares/ada/lab", Some(&ada), Some(body));
    let access = "access:servers!server=ada/lab";
    let given = call("POST", json!({"user": "bob"}));
    assert_eq!((given.status, &given.json()["scopes"]), (200, &json!([access])), "{}", given.body);
    assert!(scopes(&bob, &hub).contains(access));
    for (body, status) in [
        (json!({}), 400),
        (json!({"user": "bob", "group": "crew"}), 400),
        (json!({"user": "bob", "until": "tomorrow"}), 400),
        (json!({"user": "bob", "scopes": ["no:such"]}), 400),
        (json!({"user": "bob", "scopes": ["access:servers!user=ada"]}), 400),
        (json!({"user": "bob", "scopes": ["admin:server_state"]}), 403),
        (json!({"group": "others"}), 403),
        (json!({"user": "nobody"}), 400),
        (json!({"group": "crew"}), 200),
    ] {
        assert_eq!(call("POST", body.clone()).status, status, "{body}");
    }
    let more = call("POST", json!({"user": "bob", "scopes": ["read:servers"]})).json();
    assert_eq!(more["scopes"], json!([access, "read:servers!server=ada/lab"]));
    let less = call("PATCH", json!({"user": "bob", "scopes": [access]})).json();
    assert_eq!(less["scopes"], json!(["read:servers!server=ada/lab"]));
    assert_eq!(call("PATCH", json!({"user": "bob"})).json(), json!({}));
    assert_eq!(call("PATCH", json!({"user": "nobody"})).json(), json!({}));
}

#[test]
fn rest_146_rest_147_rest_148_shares_are_listed_for_both_sides() {
    let hub = hub();
    for receiver in [json!({"user": "bob"}), json!({"group": "crew"})] {
        assert_eq!(hub.admin("POST", "/shares/ada/lab", Some(receiver)).status, 200);
    }
    assert_eq!(hub.admin("POST", "/shares/ada/", Some(json!({"group": "crew"}))).status, 200);
    let total = |path: &str| hub.admin("GET", path, None).json()["_pagination"]["total"].clone();
    for (path, count) in [
        ("/shares/ada", 3),
        ("/shares/ada/lab", 2),
        ("/shares/ada/", 1),
        ("/users/bob/shared", 3),
        ("/groups/crew/shared", 2),
        ("/shares/bob/", 0),
    ] {
        assert_eq!(total(path), count, "{path}");
    }
    for method in ["POST", "PATCH", "DELETE"] {
        assert_eq!(hub.admin(method, "/shares/ada", None).status, 405, "{method}");
    }
    assert_eq!(hub.admin("GET", "/users/bob/shared/ada/lab", None).json()["kind"], "user");
    assert_eq!(hub.admin("GET", "/users/bob/shared/ada/", None).status, 404, "that one is the group's");
    let bob = token(&hub, "bob", &["self"]);
    assert_eq!(hub.api("DELETE", "/users/bob/shared/ada/lab", Some(&bob), None).status, 204);
    assert_eq!(hub.api("DELETE", "/users/bob/shared/ada/lab", Some(&bob), None).status, 404);
    assert_eq!(hub.admin("DELETE", "/groups/crew/shared/ada/lab", None).status, 204);
    assert_eq!(hub.admin("DELETE", "/shares/ada/", None).status, 204);
    assert_eq!(total("/shares/ada"), 0);
}

#[test]
fn rest_149_rest_151_codes_are_shown_once_and_deleted_one_by_one() {
    let hub = hub();
    let make = |body: Value| hub.admin("POST", "/share-codes/ada/lab", Some(body));
    let made = make(json!({"expires_in": 60})).json();
    let code = made["code"].as_str().unwrap();
    assert_eq!(code.len(), 43);
    assert_eq!(made["accept_url"], format!("/hub/accept-share?code={code}"));
    assert!(!hub.admin("GET", "/share-codes/ada", None).body.contains(code));
    for wrong in [json!({"expires_in": 59}), json!({"expires_in": null}), json!({"user": "bob"})] {
        assert_eq!(make(wrong.clone()).status, 400, "{wrong}");
    }
    let second = make(json!({})).json();
    let delete = |query: &str| hub.admin("DELETE", &format!("/share-codes/ada/lab{query}"), None).status;
    assert_eq!(delete("?code=nonsense"), 404);
    assert_eq!(delete(&format!("?id={}x", second["id"].as_str().unwrap())), 404);
    assert_eq!(delete(&format!("?code={code}")), 204);
    assert_eq!(delete(&format!("?id={}", second["id"].as_str().unwrap())), 204);
    assert_eq!(hub.admin("GET", "/share-codes/ada", None).json()["_pagination"]["total"], 0);
}
