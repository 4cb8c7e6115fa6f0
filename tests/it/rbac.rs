//! Roles and scopes from outside (rbac.md), one rule at a time; the worked examples and what each scope shows are below.

mod examples;
mod visibility;

use serde_json::{Value, json};

use super::rest::{OAuthClient, oauth_token, service_settings, token};
use super::support::browser::Browser;
use super::support::hub::{Hub, eventually};

fn scopes(hub: &Hub, token: &str) -> Vec<String> {
    let me = hub.api("GET", "/user", Some(token), None).json();
    me["scopes"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap().to_owned()).collect()
}

fn holds(hub: &Hub, token: &str, scope: &str) -> bool {
    scopes(hub, token).iter().any(|held| held == scope)
}

fn people(hub: &Hub, names: &[&str]) {
    let made = hub.admin("POST", "/users", Some(json!({"usernames": names})));
    assert_eq!(made.status, 201, "{}", made.body);
}

/// Settings for a role and its users.
fn role(name: &str, scopes: &[&str], user: &str) -> String {
    let listed: Vec<String> = scopes.iter().map(|scope| format!("\"{scope}\"")).collect();
    format!("roles.{name}.scopes = [{}]\nroles.{name}.users = [\"{user}\"]\n", listed.join(", "))
}

#[test]
fn rbac_004_self_means_nothing_in_a_role_of_a_service() {
    let hub = Hub::with(
        "services.s.api_token = \"token-of-the-service-0123456789\"\nroles.svc.scopes = [\"self\", \"read:hub\"]\n\
         roles.svc.services = [\"s\"]",
    );
    assert_eq!(scopes(&hub, "token-of-the-service-0123456789"), ["read:hub"]);
}

#[test]
fn rbac_005_the_user_of_a_groups_role_is_the_member() {
    let hub = Hub::with("roles.own.scopes = [\"admin:users!user\"]\nroles.own.groups = [\"lab\"]");
    people(&hub, &["ada", "bob"]);
    hub.admin("POST", "/groups/lab/users", Some(json!({"users": ["ada", "bob"]})));
    for name in ["ada", "bob"] {
        let held = scopes(&hub, &token(&hub, name, &["inherit"]));
        assert!(held.contains(&format!("admin:users!user={name}")), "{held:?}");
        assert_eq!(held.iter().filter(|scope| scope.starts_with("admin:users!")).count(), 1, "{held:?}");
    }
}

#[test]
fn rbac_011_users_contain_their_servers_on_either_side() {
    let hub = Hub::with(
        &(role("wide", &["servers!user=ada"], "wide")
            + &role("narrow", &["servers!server=ada/lab"], "narrow")),
    );
    people(&hub, &["ada"]);
    let narrowed = scopes(&hub, &token(&hub, "wide", &["servers!server=ada/lab"]));
    assert!(narrowed.contains(&"servers!server=ada/lab".to_owned()), "{narrowed:?}");
    assert!(!narrowed.contains(&"servers!user=ada".to_owned()), "{narrowed:?}");
    let wider = json!({"scopes": ["servers!user=ada"]});
    assert_eq!(hub.admin("POST", "/users/narrow/tokens", Some(wider)).status, 400);
}

#[test]
fn rbac_012_groups_contain_who_is_in_them_now() {
    let hub = Hub::with(&role("lead", &["tokens!group=lab", "servers!group=lab"], "lead"));
    people(&hub, &["ada", "bob"]);
    hub.admin("POST", "/groups/lab", Some(json!({"users": ["ada"]})));
    let held = token(&hub, "lead", &["tokens!user=ada", "servers!server=ada/x"]);
    assert!(holds(&hub, &held, "servers!server=ada/x") && holds(&hub, &held, "tokens!user=ada"));
    assert_eq!(
        hub.admin("POST", "/users/lead/tokens", Some(json!({"scopes": ["tokens!user=bob"]}))).status,
        400
    );
    hub.admin("DELETE", "/groups/lab/users", Some(json!({"users": ["ada"]})));
    assert!(!holds(&hub, &held, "servers!server=ada/x") && !holds(&hub, &held, "tokens!user=ada"));
    assert_eq!(hub.api("POST", "/users/ada/tokens", Some(&held), None).status, 403);
}

#[test]
fn rbac_014_rbac_015_lists_are_cut_down_and_collections_are_not_changed() {
    let hub = Hub::with(&role(
        "lead",
        &[
            "admin:users!group=lab",
            "list:users!group=lab",
            "admin:groups!group=lab",
            "admin:services!service=s",
        ],
        "lead",
    ));
    people(&hub, &["ada", "bob"]);
    hub.admin("POST", "/groups", Some(json!({"groups": ["lab", "other"], "users": ["ada"]})));
    let lead = token(&hub, "lead", &["inherit"]);
    let names = |path: &str| -> Vec<Value> {
        let reply = hub.api("GET", path, Some(&lead), None);
        assert_eq!(reply.status, 200, "{path} {}", reply.body);
        reply.json().as_array().unwrap().iter().map(|item| item["name"].clone()).collect()
    };
    assert_eq!(names("/users"), ["ada"]);
    assert_eq!(names("/groups"), ["lab"]);
    assert_eq!(hub.api("GET", "/services", Some(&lead), None).json(), json!({}));
    for (path, body) in [("/users", json!({"usernames": ["new"]})), ("/groups", json!({"groups": ["new"]}))] {
        assert_eq!(hub.api("POST", path, Some(&lead), Some(body)).status, 403, "{path}");
    }
}

#[test]
fn rbac_018_a_role_counts_from_the_next_request_on() {
    let hub = Hub::start();
    people(&hub, &["ada"]);
    let held = token(&hub, "ada", &["inherit"]);
    let lists = || hub.api("GET", "/users", Some(&held), None).status;
    for admin in [true, false, true, false] {
        hub.admin("PATCH", "/users/ada", Some(json!({"admin": admin})));
        assert_eq!(lists(), if admin { 200 } else { 403 });
    }
}

#[test]
fn rbac_019_rbac_020_rbac_021_a_token_is_its_owner_or_less() {
    let mut hub = Hub::with("roles.user.scopes = [\"self\", \"list:users\"]");
    people(&hub, &["ada"]);
    let listed = token(&hub, "ada", &["list:users", "tokens!user"]);
    let all = token(&hub, "ada", &["inherit", "list:users"]);
    let none = token(&hub, "ada", &[]);
    assert!(holds(&hub, &listed, "list:users") && !holds(&hub, &listed, "servers!user=ada"));
    assert_eq!(scopes(&hub, &none), ["read:users:groups!user=ada", "read:users:name!user=ada"]);
    let owner = {
        let mut browser = Browser::signed_in(&hub, "ada");
        browser.api("GET", "/user").json()["scopes"].clone()
    };
    assert_eq!(json!(scopes(&hub, &all)), owner);
    let beyond = json!({"scopes": ["list:groups"]});
    assert_eq!(hub.admin("POST", "/users/ada/tokens", Some(beyond)).status, 400);
    // the operator takes a scope away
    hub.terminate();
    let file = hub.path("orrery.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[\"self\", \"list:users\"]", "[\"self\"]")).unwrap();
    hub.start_again();
    assert!(!holds(&hub, &listed, "list:users") && !holds(&hub, &all, "list:users"));
    assert_eq!(hub.api("GET", "/users", Some(&listed), None).status, 403);
    assert!(holds(&hub, &listed, "tokens!user=ada"));
}

#[test]
fn rbac_022_an_oauth_token_opens_its_client_as_long_as_its_owner_may() {
    let hub = Hub::with(&service_settings());
    let mut browser = Browser::signed_in(&hub, "ada");
    let held = oauth_token(&hub, &mut browser);
    assert_eq!(
        scopes(&hub, &held),
        ["access:services!service=site", "read:users:groups!user=ada", "read:users:name!user=ada"]
    );
    assert_eq!(hub.api("GET", "/users/ada/servers/x", Some(&held), None).status, 403);
}

#[test]
fn rbac_023_a_share_taken_back_closes_the_server_to_tokens_that_it_opened() {
    let hub = Hub::start();
    people(&hub, &["ada", "bob"]);
    hub.spawn("ada");
    let client = OAuthClient::of_server(&hub, "/user/ada/");
    let mut browser = Browser::signed_in(&hub, "bob");
    let access = "access:servers!server=ada/";
    assert!(client.token(&hub, &mut browser, &[access]).is_err(), "not without a share");
    hub.admin("POST", "/shares/ada/", Some(json!({"user": "bob"})));
    let held = client.token(&hub, &mut browser, &[access]).unwrap();
    assert!(holds(&hub, &held, access));
    hub.admin("PATCH", "/shares/ada/", Some(json!({"user": "bob"})));
    assert!(!holds(&hub, &held, access));
    assert_eq!(scopes(&hub, &held), ["read:users:groups!user=bob", "read:users:name!user=bob"]);
}

#[test]
fn rbac_024_rbac_025_shares_with_groups_and_what_they_imply_count_for_tokens() {
    let hub = Hub::with("hub.named_servers.enabled = true");
    people(&hub, &["ada", "bob"]);
    hub.admin("PUT", "/users/ada/servers/lab", None);
    hub.admin("POST", "/groups/crew", Some(json!({"users": ["bob"]})));
    let bob = token(&hub, "bob", &["inherit"]);
    hub.admin("POST", "/shares/ada/lab", Some(json!({"group": "crew", "scopes": ["servers"]})));
    for scope in ["servers", "read:servers", "start:servers", "delete:servers"] {
        assert!(holds(&hub, &bob, &format!("{scope}!server=ada/lab")), "{scope}");
    }
    assert!(!holds(&hub, &bob, "read:users:name!server=ada/lab"));
    let narrow = token(&hub, "bob", &["read:servers!server=ada/lab"]);
    assert_eq!(hub.api("GET", "/users/ada/servers/lab", Some(&narrow), None).status, 200);
    assert_eq!(hub.api("GET", "/users/ada", Some(&narrow), None).status, 404);
    assert_eq!(hub.api("GET", "/users/ada/server", Some(&narrow), None).status, 404);
    hub.admin("DELETE", "/shares/ada/lab", None);
    assert_eq!(hub.api("GET", "/users/ada/servers/lab", Some(&narrow), None).status, 403);
}

#[test]
fn rbac_036_flag_and_role_of_those_made_over_the_api() {
    let hub = Hub::start();
    let made = hub.admin("POST", "/users", Some(json!({"usernames": ["ada", "bob"], "admin": true}))).json();
    for user in made.as_array().unwrap() {
        assert_eq!((&user["admin"], &user["roles"]), (&json!(true), &json!(["admin", "user"])));
    }
    assert_eq!(
        hub.admin("POST", "/users/eve", Some(json!({"admin": true}))).json()["roles"],
        json!(["admin", "user"])
    );
}

#[test]
fn rbac_039_a_custom_scope_is_narrowed_by_any_filter() {
    let custom = "scopes.\"custom:lab:write\" = { description = \"w\", subscopes = [\"custom:lab:read\"] }\n\
                  scopes.\"custom:lab:read\" = { description = \"r\" }\n";
    let hub = Hub::with(&(custom.to_owned() + &role("writer", &["custom:lab:write"], "ada")));
    for scope in [
        "custom:lab:read",
        "custom:lab:write!server=ada/",
        "custom:lab:read!user=bob",
        "custom:lab:read!group=g",
        "custom:lab:read!service=s",
        "custom:lab:write!user",
    ] {
        let held = scopes(&hub, &token(&hub, "ada", &[scope]));
        let shown = scope.replace("!user", "!user=ada").replace("=ada=bob", "=bob");
        assert!(held.contains(&shown), "{scope} {held:?}");
    }
    let narrow = scopes(&hub, &token(&hub, "ada", &["custom:lab:write!user=bob"]));
    assert!(narrow.contains(&"custom:lab:read!user=bob".to_owned()), "with what it implies: {narrow:?}");
    people(&hub, &["root"]);
    hub.admin("PATCH", "/users/root", Some(json!({"admin": true})));
    for (who, scope) in [("root", "custom:lab:write"), ("ada", "custom:lab:none"), ("ada", "custom:lab")] {
        let reply = hub.admin("POST", &format!("/users/{who}/tokens"), Some(json!({"scopes": [scope]})));
        assert_eq!(reply.status, 400, "{who} {scope} {}", reply.body);
    }
}

#[test]
fn rbac_040_wrong_scopes_are_named() {
    let hub = Hub::start();
    people(&hub, &["ada"]);
    for wrong in [
        "all",
        "read:users!foo=x",
        "read:users!user=",
        "read:users!group",
        "nope",
        "self!user=ada",
        "inherit!user=ada",
        "",
    ] {
        let reply = hub.admin("POST", "/users/ada/tokens", Some(json!({"scopes": [wrong]})));
        assert_eq!(reply.status, 400, "{wrong} {}", reply.body);
    }
    let odd = hub.admin("POST", "/users/ada/tokens", Some(json!({"scopes": ["read:users!user=alice!x"]})));
    assert_eq!(odd.status, 400, "well formed, of a user with an odd name, but not ada's");
    let twice = token(&hub, "ada", &["read:users!user", "read:users!user", "read:users!server"]);
    assert!(holds(&hub, &twice, "read:users!user=ada"));
}

#[test]
fn rbac_043_only_the_flag_grants_the_flag() {
    let hub = Hub::with(
        "services.plain.api_token = \"token-of-plain-0123456789\"\nroles.users.scopes = [\"admin:users\", \"tokens\"]\n\
         roles.users.services = [\"plain\"]\nroles.users.users = [\"clerk\"]",
    );
    people(&hub, &["ada"]);
    let clerk = token(&hub, "clerk", &["inherit"]);
    for who in ["token-of-plain-0123456789", clerk.as_str()] {
        for (method, path, body) in [
            ("POST", "/users/new", json!({"admin": true})),
            ("POST", "/users", json!({"usernames": ["new"], "admin": true})),
            ("PATCH", "/users/ada", json!({"admin": true})),
        ] {
            let reply = hub.api(method, path, Some(who), Some(body));
            assert_eq!(reply.status, 403, "{method} {path} {}", reply.body);
        }
        assert_eq!(hub.api("PATCH", "/users/ada", Some(who), Some(json!({"admin": false}))).status, 200);
    }
    assert_eq!(hub.admin("GET", "/users/new", None).status, 404);
    assert_eq!(
        hub.admin("POST", "/users/new", Some(json!({"admin": true}))).status,
        201,
        "a flagged service may"
    );
}

#[test]
fn rbac_044_deleting_an_admin_needs_no_flag() {
    let hub = Hub::with(&role("sweeper", &["delete:users!user=boss"], "sweeper"));
    people(&hub, &["boss", "other"]);
    hub.admin("PATCH", "/users/boss", Some(json!({"admin": true})));
    let sweeper = token(&hub, "sweeper", &["inherit"]);
    let delete = |name: &str| hub.api("DELETE", &format!("/users/{name}"), Some(&sweeper), None).status;
    assert_eq!((delete("boss"), delete("other"), delete("boss")), (204, 404, 404));
}

#[test]
fn rbac_047_who_makes_services_gives_them_no_more_than_they_hold() {
    let hub = Hub::with(&role("maker", &["admin:services", "read:users!group=lab", "shares!user"], "maker"));
    let maker = token(&hub, "maker", &["inherit"]);
    let make = |number: usize, body: Value| {
        let reply = hub.api("POST", &format!("/services/s{number}"), Some(&maker), Some(body));
        (reply.status, reply.body)
    };
    let beyond = [
        "read:users",
        "admin:servers",
        "tokens",
        "read:users!group=other",
        "servers!user=ada",
        "proxy",
        "access:servers",
        "no:such",
    ];
    for (number, scope) in beyond.iter().enumerate() {
        let body =
            json!({"oauth_client_allowed_scopes": [scope], "oauth_redirect_uri": "http://127.0.0.1:9/x"});
        let (status, text) = make(number, body);
        assert_eq!(status, 400, "{scope} {text}");
    }
    assert_eq!(make(20, json!({"admin": true})).0, 400);
    // what visitors may do themselves, they can give away, but must be asked
    let silent = json!({"oauth_client_allowed_scopes": ["inherit"], "oauth_redirect_uri": "http://127.0.0.1:9/x", "oauth_no_confirm": true});
    assert_eq!(make(22, silent).0, 400);
    let held = json!(["read:users:name!group=lab", "servers!server=maker/x"]);
    let body = json!({"oauth_client_allowed_scopes": held, "oauth_redirect_uri": "http://127.0.0.1:9/x"});
    assert_eq!(make(21, body).0, 201);
}

#[test]
fn rbac_049_who_has_access_by_a_group_enters_through_oauth() {
    let hub = Hub::with(
        "roles.crew.scopes = [\"access:servers!group=hosts\"]\nroles.crew.users = [\"bob\"]\n\
         roles.user.scopes = [\"self\"]",
    );
    people(&hub, &["ada", "eve"]);
    hub.admin("POST", "/groups/hosts", Some(json!({"users": ["ada"]})));
    hub.spawn("ada");
    let client = OAuthClient::of_server(&hub, "/user/ada/");
    let access = "access:servers!server=ada/";
    let mut browser = Browser::signed_in(&hub, "bob");
    let held = client.token(&hub, &mut browser, &[access]).unwrap();
    assert!(holds(&hub, &held, access), "{:?}", scopes(&hub, &held));
    assert!(!holds(&hub, &held, "access:servers!group=hosts"));
    let plain = token(&hub, "bob", &["inherit"]);
    assert!(holds(&hub, &plain, "access:servers!group=hosts") && !holds(&hub, &plain, access));
    let mut stranger = Browser::signed_in(&hub, "eve");
    assert!(client.token(&hub, &mut stranger, &[access]).is_err());
    hub.admin("DELETE", "/groups/hosts/users", Some(json!({"users": ["ada"]})));
    assert!(!holds(&hub, &held, access), "at once");
}

#[test]
fn rbac_050_a_servers_token_reports_and_opens_its_server_only() {
    let hub = Hub::start();
    people(&hub, &["ada"]);
    hub.spawn("ada");
    let own = hub.get("/user/ada/env").json()["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned();
    assert_eq!(
        scopes(&hub, &own),
        [
            "access:servers!server=ada/",
            "read:users:activity!user=ada",
            "read:users:groups!user=ada",
            "read:users:name!user=ada",
            "users:activity!user=ada"
        ]
    );
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    eventually("the end of the token", || {
        (hub.api("GET", "/user", Some(&own), None).status == 403).then_some(())
    });
}

#[test]
fn nobody_enrols_an_administrator_to_act_as_one() {
    let teacher = [
        "groups!group=class",
        "admin:groups!group=club",
        "tokens!group=class",
        "tokens!group=club",
        "list:users",
    ];
    let hub = Hub::with(&(role("teacher", &teacher, "teacher") + &role("auditor", &["proxy"], "auditor")));
    people(&hub, &["ada", "root"]);
    hub.admin("PATCH", "/users/root", Some(json!({"admin": true})));
    hub.admin("POST", "/groups/class", None);
    let teacher = token(&hub, "teacher", &["inherit"]);
    let part = token(&hub, "teacher", &["groups!group=class", "admin:groups!group=club"]);
    for held in [&teacher, &part] {
        for (path, users) in [
            ("/groups/class/users", json!(["root"])),
            ("/groups/class/users", json!(["ada", "root"])),
            ("/groups/class/users", json!(["auditor"])),
            ("/groups/club", json!(["root"])),
        ] {
            let reply = hub.api("POST", path, Some(held), Some(json!({"users": users})));
            assert_eq!(reply.status, 403, "{path} {users} {}", reply.body);
        }
    }
    assert_eq!(hub.admin("GET", "/groups/class", None).json()["users"], json!([]));
    let enrol = |users: Value| {
        hub.api("POST", "/groups/class/users", Some(&part), Some(json!({"users": users}))).status
    };
    assert_eq!(enrol(json!(["ada", "teacher"])), 200);
    assert_eq!(
        hub.api("POST", "/users/ada/tokens", Some(&teacher), None).status,
        201,
        "that is what the class is for"
    );
    // an administrator may, and who has no power over members may, too
    assert_eq!(hub.admin("POST", "/groups/class/users", Some(json!({"users": ["root"]}))).status, 200);
    hub.admin("POST", "/groups/club", None);
    let clerk = Hub::with(&role("clerk", &["groups!group=class", "read:users!group=class"], "clerk"));
    people(&clerk, &["root"]);
    clerk.admin("PATCH", "/users/root", Some(json!({"admin": true})));
    clerk.admin("POST", "/groups/class", None);
    let held = token(&clerk, "clerk", &["inherit"]);
    assert_eq!(
        clerk.api("POST", "/groups/class/users", Some(&held), Some(json!({"users": ["root"]}))).status,
        200
    );
}

#[test]
fn nobody_renames_into_their_own_reach() {
    let clerk = [
        "admin:users!user=ada",
        "start:servers!user=ada",
        "tokens!user=zoe",
        "access:servers!server=ada/own",
    ];
    let hub = Hub::with(&("hub.named_servers.enabled = true\n".to_owned() + &role("clerk", &clerk, "clerk")));
    people(&hub, &["ada", "bob"]);
    hub.admin("PUT", "/users/ada/servers/lab", None);
    let clerk = token(&hub, "clerk", &["inherit"]);
    let part = token(&hub, "clerk", &["admin:users!user=ada", "start:servers!user=ada"]);
    for held in [&clerk, &part] {
        let user = hub.api("PATCH", "/users/ada", Some(held), Some(json!({"name": "zoe"})));
        assert_eq!(user.status, 403, "{}", user.body);
        let server = hub.api("PATCH", "/users/ada/servers/lab", Some(held), Some(json!({"name": "own"})));
        assert_eq!(server.status, 403, "{}", server.body);
    }
    let server = hub.api("PATCH", "/users/ada/servers/lab", Some(&part), Some(json!({"name": "other"})));
    assert_eq!(server.status, 200, "{}", server.body);
    let out = hub.api("PATCH", "/users/ada", Some(&part), Some(json!({"name": "out-of-reach"})));
    assert_eq!((out.status, out.json()), (200, json!({"auth_state": null})), "away from oneself is fine");
    assert_eq!(hub.api("GET", "/users/out-of-reach", Some(&part), None).status, 404);
}
