//! Groups: made, filled, described (REST-130 to REST-133).

use serde_json::{Value, json};

use super::{send, token};
use crate::support::hub::{ADMIN_TOKEN, Hub};

fn hub() -> Hub {
    let hub = Hub::start();
    hub.admin("POST", "/users", Some(json!({"usernames": ["ada", "bob"]})));
    hub
}

#[test]
fn rest_130_a_group_is_made_from_any_body_that_names_users_or_nothing() {
    let hub = hub();
    let admin = format!("token {ADMIN_TOKEN}");
    for (number, body) in
        ["", "null", "{}", "{\"users\": []}", "{\"roles\": [\"admin\"], \"name\": \"x\"}"].iter().enumerate()
    {
        let reply = send(&hub, "POST", &format!("/groups/g{number}"), &[("authorization", &admin)], body);
        assert_eq!(reply.status, 201, "{body} {}", reply.body);
        let empty = json!({"kind": "group", "name": format!("g{number}"), "users": [], "properties": {}, "roles": []});
        assert_eq!(reply.json(), empty);
    }
    for body in [
        "[]",
        "\"x\"",
        "{",
        "{\"users\": null}",
        "{\"users\": [1]}",
        "{\"colour\": 1}",
        "{\"properties\": {}}",
    ] {
        let reply = send(&hub, "POST", "/groups/bad", &[("authorization", &admin)], body);
        assert_eq!(reply.status, 400, "{body} {}", reply.body);
    }
    assert_eq!(hub.admin("GET", "/groups/bad", None).status, 404);
    let conflict = hub.admin("POST", "/groups/g1", Some(json!({"colour": 1})));
    assert_eq!(conflict.status, 409, "before the body is looked at");
}

#[test]
fn rest_130_several_groups_are_made_or_none() {
    let hub = hub();
    let make = |body: Value| hub.admin("POST", "/groups", Some(body));
    let made = make(json!({"groups": ["a", "b"], "users": ["ADA", "ada"]}));
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!((&made.json()[1]["name"], &made.json()[1]["users"]), (&json!("b"), &json!(["ada"])));
    for (body, status) in [
        (json!({"groups": ["c", "a"]}), 409),
        (json!({"groups": ["c", "c"]}), 409),
        (json!({"groups": ["c"], "users": ["nobody"]}), 400),
        (json!({"groups": ["c"], "users": null}), 400),
        (json!({"groups": ["c", 5]}), 400),
        (json!({"groups": ["c", ""]}), 400),
        (json!({"groups": []}), 400),
        (json!({"groups": "c"}), 400),
        (json!({}), 400),
        (json!([]), 400),
    ] {
        let reply = make(body.clone());
        assert_eq!(reply.status, status, "{body} {}", reply.body);
    }
    let names: Vec<Value> = hub
        .admin("GET", "/groups", None)
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["name"].clone())
        .collect();
    assert_eq!(names, ["a", "b"], "in the order of their making, and nothing half done");
}

#[test]
fn rest_131_members_come_and_go_as_often_as_one_likes() {
    let hub = hub();
    hub.admin("POST", "/groups/lab", None);
    let change = |method: &str, body: Value| hub.admin(method, "/groups/lab/users", Some(body));
    for _ in 0..2 {
        let reply = change("POST", json!({"users": ["BOB", "ada", "ada"]}));
        assert_eq!((reply.status, &reply.json()["users"]), (200, &json!(["ada", "bob"])));
        assert_eq!(hub.admin("GET", "/users/bob", None).json()["groups"], json!(["lab"]));
    }
    for _ in 0..2 {
        let reply = change("DELETE", json!({"users": ["bob"]}));
        assert_eq!((reply.status, &reply.json()["users"]), (200, &json!(["ada"])));
    }
    for method in ["POST", "DELETE"] {
        assert_eq!(change(method, json!({"users": []})).status, 200, "{method}");
        for bad in [
            json!({}),
            json!(null),
            json!([]),
            json!({"users": null}),
            json!({"users": ["ada", "nobody"]}),
            json!({"users": ["ada"], "x": 1}),
        ] {
            assert_eq!(change(method, bad.clone()).status, 400, "{method} {bad}");
        }
        assert_eq!(
            hub.admin(method, "/groups/none/users", Some(json!({"users": []}))).status,
            404,
            "{method}"
        );
    }
    assert_eq!(hub.admin("GET", "/groups/lab", None).json()["users"], json!(["ada"]), "nothing half done");
}

#[test]
fn rest_132_properties_are_an_object_replaced_as_a_whole() {
    let hub = hub();
    hub.admin("POST", "/groups/lab", None);
    let put = |body: Value| hub.admin("PUT", "/groups/lab/properties", Some(body));
    let nested = json!({"a": {"b": [1, null, "ü"]}, "": 1});
    assert_eq!(put(nested.clone()).json()["properties"], nested);
    assert_eq!(put(json!({"c": 2})).json()["properties"], json!({"c": 2}));
    for bad in [json!([]), json!(null), json!("x"), json!(1)] {
        assert_eq!(put(bad.clone()).status, 400, "{bad}");
    }
    assert_eq!(hub.admin("PUT", "/groups/lab/properties", None).status, 400);
    assert_eq!(hub.admin("GET", "/groups/lab/properties", None).status, 405);
    assert_eq!(hub.admin("GET", "/groups/lab", None).json()["properties"], json!({"c": 2}));
    assert_eq!(put(json!({})).json()["properties"], json!({}));
    assert_eq!(hub.admin("PUT", "/groups/none/properties", Some(json!({}))).status, 404);
}

#[test]
fn rest_133_rbac_054_roles_of_a_group_need_their_own_scope() {
    let hub = Hub::with(
        "roles.lead.scopes = [\"groups\"]\nroles.lead.users = [\"lead\"]\nroles.lead.groups = [\"lab\"]\n\
         roles.boss.scopes = [\"admin:groups\"]\nroles.boss.users = [\"boss\"]",
    );
    let seen = |who: &str| hub.api("GET", "/groups/lab", Some(&token(&hub, who, &["inherit"])), None).json();
    assert_eq!(seen("lead"), json!({"kind": "group", "name": "lab", "users": [], "properties": {}}));
    assert_eq!(seen("boss")["roles"], json!(["lead"]));
    let name_only = token(&hub, "lead", &["read:groups:name"]);
    let seen = hub.api("GET", "/groups/lab", Some(&name_only), None).json();
    assert_eq!(seen, json!({"kind": "group", "name": "lab"}));
}

#[test]
fn rest_011_a_group_may_be_called_almost_anything() {
    let hub = hub();
    for (path, name) in [("a%2Fb", "a/b"), ("%20", " "), ("%C3%BC", "ü"), ("a%3Fb%23c", "a?b#c")] {
        let made = hub.admin("POST", &format!("/groups/{path}"), None);
        assert_eq!((made.status, &made.json()["name"]), (201, &json!(name)), "{path} {}", made.body);
        assert_eq!(hub.admin("GET", &format!("/groups/{path}"), None).json()["name"], name);
        assert_eq!(hub.admin("DELETE", &format!("/groups/{path}"), None).status, 204);
    }
}
