//! Groups, roles and state that come from the sign-in (AUTH-012 to AUTH-016, REST-055).

use serde_json::json;

use super::{COMMAND, hub_with, set_model, try_to_sign_in, user};
use crate::support::hub::{Hub, eventually};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

#[test]
fn auth_012_groups_follow_the_sign_in() {
    let hub = hub_with("answer(model())", &format!("{COMMAND}auth.manage_groups = true"));
    for (groups, seen) in
        [(json!(["b", "a"]), json!(["a", "b"])), (json!(null), json!(["a", "b"])), (json!([]), json!([]))]
    {
        set_model(&hub, &json!({"name": "ada", "groups": groups}));
        assert_eq!(try_to_sign_in(&hub, "ada").status, 302);
        assert_eq!(user(&hub, "ada")["groups"], seen);
    }
    assert_eq!(hub.admin("GET", "/groups/a", None).status, 200, "unknown groups are made");
    set_model(&hub, &json!({"name": "bob"}));
    assert_eq!(try_to_sign_in(&hub, "bob").status, 500);
    assert_eq!(hub.admin("GET", "/users/bob", None).status, 404);
    assert!(hub.log().contains("auth.manage_groups is on"), "{}", hub.log());
}

#[test]
fn auth_013_rbac_052_roles_follow_the_sign_in() {
    let hub = hub_with("answer(model())", &format!("{COMMAND}auth.manage_roles = true"));
    let lab = json!({"name": "lab", "scopes": ["list:users"]});
    set_model(&hub, &json!({"name": "ada", "roles": [lab, {"name": "user"}]}));
    assert_eq!(try_to_sign_in(&hub, "ada").status, 302);
    assert_eq!(user(&hub, "ada")["roles"], json!(["lab", "user"]));
    set_model(&hub, &json!({"name": "ada", "roles": [{"name": "bad role"}]}));
    assert_eq!(try_to_sign_in(&hub, "ada").status, 409);
    assert_eq!(user(&hub, "ada")["roles"], json!(["lab", "user"]), "nothing changed");
    set_model(&hub, &json!({"name": "ada", "roles": ["admin"]}));
    assert_eq!(try_to_sign_in(&hub, "ada").status, 302);
    assert_eq!(user(&hub, "ada")["roles"], json!(["admin"]));
    assert_eq!(user(&hub, "ada")["admin"], true);
}

#[test]
fn auth_014_roles_are_loaded_and_reset_when_the_hub_starts() {
    let load = r#"auth.hooks.load_roles = { command = ["cat", "{folder}/roles"] }"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    std::fs::write(folder.path().join("program.py"), "import json; print(open('model').read())").unwrap();
    std::fs::write(folder.path().join("model"), "null").unwrap();
    std::fs::write(folder.path().join("roles"), r#"[{"name": "early", "scopes": ["self"]}]"#).unwrap();
    let settings = format!("{COMMAND}auth.manage_roles = true\nauth.reset_managed_roles = true\n{load}");
    let mut hub = Hub::within(folder, &settings.replace("{folder}", &path));
    set_model(&hub, &json!({"name": "ada", "roles": ["early", "user", {"name": "late", "scopes": []}]}));
    assert_eq!(try_to_sign_in(&hub, "ada").status, 302);
    assert_eq!(user(&hub, "ada")["roles"], json!(["early", "late", "user"]));
    hub.crash_and_restart();
    let roles = user(&hub, "ada")["roles"].clone();
    assert!(roles.as_array().unwrap().contains(&json!("early")), "{roles}");
    assert!(!roles.as_array().unwrap().contains(&json!("late")), "{roles}");
}

/// A hub whose admin token may see the state.
fn hub_that_keeps_state(more: &str) -> Hub {
    let scopes = r#"roles.tests.scopes = ["admin:users", "admin:auth_state", "tokens"]"#;
    hub_with("answer(model())", &format!("{COMMAND}auth.state.enabled = true\n{scopes}\n{more}"))
}

#[test]
fn auth_015_the_state_is_for_those_who_may_see_it() {
    let mut hub = hub_that_keeps_state(&format!("auth.state.keys = [\"{KEY}\"]"));
    set_model(&hub, &json!({"name": "ada", "auth_state": {"access_token": "state-secret"}}));
    assert_eq!(try_to_sign_in(&hub, "ada").status, 302);
    assert_eq!(user(&hub, "ada")["auth_state"], json!({"access_token": "state-secret"}));
    let made = hub.admin("POST", "/users/ada/tokens", None).json();
    let own = hub.api("GET", "/users/ada", made["token"].as_str(), None).json();
    assert!(own.get("auth_state").is_none(), "{own}");
    let database: Vec<u8> = ["orrery.sqlite", "orrery.sqlite-wal"]
        .iter()
        .flat_map(|name| std::fs::read(hub.path(name)).unwrap_or_default())
        .collect();
    assert!(!String::from_utf8_lossy(&database).contains("state-secret"));
    hub.crash_and_restart();
    assert_eq!(user(&hub, "ada")["auth_state"], json!({"access_token": "state-secret"}));
    set_model(&hub, &json!({"name": "ada"}));
    assert_eq!(try_to_sign_in(&hub, "ada").status, 302);
    assert_eq!(user(&hub, "ada")["auth_state"], json!(null), "null clears");
}

#[test]
fn auth_016_a_hook_merges_the_state_with_the_one_before() {
    let hook = r#"auth.hooks.reconcile_state = { command = ["python3", "-c", "import json,sys; q = json.load(sys.stdin); print(json.dumps([q['auth_state'], q['payload']['previous']]))"] }"#;
    let hub = hub_that_keeps_state(&format!("auth.state.keys = [\"{KEY}\"]\n{hook}"));
    for (state, seen) in [(1, json!([1, null])), (2, json!([2, [1, null]]))] {
        set_model(&hub, &json!({"name": "ada", "auth_state": state}));
        assert_eq!(try_to_sign_in(&hub, "ada").status, 302);
        assert_eq!(user(&hub, "ada")["auth_state"], seen);
    }
}

#[test]
fn rest_055_a_state_is_stored_over_the_api_and_null_is_refused() {
    let scopes = r#"roles.tests.scopes = ["admin:users", "admin:auth_state"]"#;
    let hub = Hub::with(&format!("{scopes}\nauth.state.keys = [\"{KEY}\"]"));
    hub.create_user("ada");
    let changed = hub.admin("PATCH", "/users/ada", Some(json!({"auth_state": {"a": 1}})));
    assert_eq!((changed.status, changed.json()["auth_state"].clone()), (200, json!({"a": 1})));
    assert_eq!(user(&hub, "ada")["auth_state"], json!({"a": 1}));
    assert_eq!(hub.admin("PATCH", "/users/ada", Some(json!({"auth_state": null}))).status, 400);
    assert_eq!(user(&hub, "ada")["auth_state"], json!({"a": 1}));
    let bare = Hub::with(scopes);
    bare.create_user("ada");
    let refused = bare.admin("PATCH", "/users/ada", Some(json!({"auth_state": {"a": 1}})));
    assert!(refused.status == 400 && refused.body.contains("auth.state.keys"), "{}", refused.body);
}

#[test]
fn cook_094_cfg_019_state_without_a_key_ends_the_start_and_names_the_variable() {
    let folder = tempfile::tempdir().unwrap();
    let settings = crate::support::hub::settings(
        folder.path(),
        crate::support::hub::free_port(),
        "auth.state.enabled = true",
    );
    std::fs::write(folder.path().join("orrery.toml"), settings).unwrap();
    let mut hub = Hub::launched(folder);
    assert_eq!(hub.wait().code(), Some(1));
    eventually("the message", || hub.log().contains("JUPYTERHUB_CRYPT_KEY").then_some(()));
}
