//! RBAC-053 and RBAC-054: what each read scope alone shows of users, servers, groups and services (rest-api.md 2).

use serde_json::{Value, json};

use crate::rest::token;
use crate::support::hub::Hub;

fn keys(model: &Value) -> String {
    let mut keys: Vec<&str> =
        model.as_object().unwrap_or_else(|| panic!("{model}")).keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys.join(" ")
}

/// A hub with a running server of ada's, and root, who holds everything that tokens are asked for here.
fn hub() -> Hub {
    let hub = Hub::with(
        "roles.shares.scopes = [\"users:shares\", \"groups:shares\"]\nroles.shares.users = [\"root\"]",
    );
    hub.create_user("ada");
    hub.admin("PATCH", "/users/root", Some(json!({"admin": true})));
    hub.admin("POST", "/groups/lab", Some(json!({"users": ["ada"]})));
    hub.spawn("ada");
    hub
}

const WHOLE: &str = "admin created groups kind last_activity name pending roles server user_info";

#[test]
fn rbac_053_each_scope_alone_shows_its_fields_of_a_user() {
    let hub = hub();
    let rows = [
        ("read:users", WHOLE.to_owned()),
        ("read:users:name", "admin kind name user_info".to_owned()),
        ("read:users:groups", "groups kind name".to_owned()),
        ("read:users:activity", "kind last_activity name".to_owned()),
        ("users:activity", "kind last_activity name".to_owned()),
        ("read:roles:users", "admin kind name roles".to_owned()),
        ("read:roles", "admin kind name roles".to_owned()),
        ("list:users", "admin kind name user_info".to_owned()),
        // it implies the name
        ("read:servers", "admin kind name servers user_info".to_owned()),
        ("servers", "admin kind name servers user_info".to_owned()),
        ("users", WHOLE.to_owned()),
        ("admin:users", format!("admin auth_state {}", WHOLE.strip_prefix("admin ").unwrap())),
    ];
    for filter in ["", "!user=ada", "!group=lab"] {
        for (scope, fields) in &rows {
            let held = token(&hub, "root", &[&format!("{scope}{filter}")]);
            let reply = hub.api("GET", "/users/ada", Some(&held), None);
            assert_eq!((reply.status, keys(&reply.json())), (200, fields.clone()), "{scope}{filter}");
        }
    }
}

#[test]
fn rbac_053_the_same_in_the_list_and_only_for_whom_the_filter_covers() {
    let hub = hub();
    hub.create_user("bob");
    let held = token(
        &hub,
        "root",
        &[
            "list:users",
            "read:users:activity!user=ada",
            "read:users:groups!group=lab",
            "admin:auth_state!user=bob",
        ],
    );
    let list = hub.api("GET", "/users", Some(&held), None).json();
    let of = |name: &str| list.as_array().unwrap().iter().find(|user| user["name"] == name).unwrap();
    assert_eq!(keys(of("ada")), "admin groups kind last_activity name user_info");
    assert_eq!(keys(of("bob")), "admin auth_state kind name user_info");
    assert_eq!(of("bob")["auth_state"], Value::Null, "never filled in a list");
    assert_eq!(keys(of("root")), "admin groups kind name user_info", "the token's owner");
}

#[test]
fn rbac_053_auth_state_alone_opens_no_user() {
    let hub = hub();
    let held = token(&hub, "root", &["admin:auth_state"]);
    assert_eq!(
        hub.api("GET", "/users/ada", Some(&held), None).status,
        404,
        "the identity scopes are for root only"
    );
    let held = token(&hub, "root", &["admin:auth_state", "read:users:activity"]);
    let ada = hub.api("GET", "/users/ada", Some(&held), None).json();
    assert_eq!(keys(&ada), "auth_state kind last_activity name");
}

#[test]
fn rbac_053_servers_are_shown_for_the_user_or_one_by_one() {
    let hub = hub();
    hub.create_user("bob");
    let servers = |scopes: &[&str], name: &str| {
        let user = hub.api("GET", &format!("/users/{name}"), Some(&token(&hub, "root", scopes)), None).json();
        user.get("servers").map(|servers| servers.as_object().unwrap().len())
    };
    assert_eq!(servers(&["read:servers"], "ada"), Some(1));
    assert_eq!(servers(&["read:servers"], "bob"), Some(0), "possibly empty");
    assert_eq!(servers(&["read:users:activity", "read:servers!server=ada/"], "ada"), Some(1));
    assert_eq!(servers(&["read:users:activity", "read:servers!server=ada/x"], "ada"), None);
    assert_eq!(servers(&["read:users:activity", "read:servers!server=bob/"], "bob"), None, "it does not run");
    assert_eq!(servers(&["read:users"], "ada"), None);
}

#[test]
fn rbac_053_each_scope_shows_its_fields_of_a_server() {
    let hub = hub();
    let plain = "display_name full_name full_progress_url full_url last_activity name pending progress_url ready \
                 started stopped url user_options";
    let fields = |scopes: &[&str]| {
        let reply = hub.api("GET", "/users/ada/server", Some(&token(&hub, "root", scopes)), None);
        (reply.status == 200).then(|| keys(&reply.json()))
    };
    let with_state = plain.replace("started stopped", "started state stopped");
    assert_eq!(fields(&["read:servers"]).as_deref(), Some(plain));
    assert_eq!(fields(&["servers!server=ada/"]).as_deref(), Some(plain));
    assert_eq!(fields(&["admin:servers"]), Some(with_state.clone()));
    assert_eq!(fields(&["read:servers", "admin:server_state!server=ada/"]), Some(with_state));
    assert_eq!(fields(&["read:servers", "admin:server_state!user=root"]).as_deref(), Some(plain));
    for none in ["admin:server_state", "start:servers", "delete:servers", "access:servers", "read:users"] {
        assert_eq!(fields(&[none]), None, "{none}");
    }
}

#[test]
fn rbac_053_rbac_054_each_scope_shows_its_fields_of_a_group() {
    let hub = hub();
    for (scope, fields) in [
        ("read:groups", Some("kind name properties users")),
        ("read:groups:name", Some("kind name")),
        ("read:roles:groups", Some("kind name roles")),
        ("read:roles", Some("kind name roles")),
        ("list:groups", Some("kind name")),
        ("groups", Some("kind name properties users")),
        ("admin:groups", Some("kind name properties roles users")),
        ("delete:groups", None),
        ("read:users:groups", None),
    ] {
        for filter in ["", "!group=lab"] {
            if scope == "read:roles" && !filter.is_empty() {
                continue;
            }
            let held = token(&hub, "root", &[&format!("{scope}{filter}")]);
            let reply = hub.api("GET", "/groups/lab", Some(&held), None);
            let shown = (reply.status == 200).then(|| keys(&reply.json()));
            assert_eq!(shown.as_deref(), fields, "{scope}{filter} {}", reply.body);
        }
    }
}

#[test]
fn rbac_053_each_scope_shows_its_fields_of_a_service() {
    let hub = hub();
    for (scope, fields) in [
        ("read:services", Some("admin command display info kind name pid prefix url")),
        ("read:services:name", Some("admin kind name")),
        ("read:roles:services", Some("admin kind name roles")),
        ("list:services", Some("admin kind name")),
        ("admin:services", Some("admin command display info kind name pid prefix roles url")),
        ("access:services", None),
    ] {
        for filter in ["", "!service=tests"] {
            let held = token(&hub, "root", &[&format!("{scope}{filter}")]);
            let reply = hub.api("GET", "/services/tests", Some(&held), None);
            let shown = (reply.status == 200).then(|| keys(&reply.json()));
            assert_eq!(shown.as_deref(), fields, "{scope}{filter} {}", reply.body);
        }
    }
}
