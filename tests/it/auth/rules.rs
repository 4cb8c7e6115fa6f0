//! Who is let in, under which name, as what (AUTH-001 to AUTH-011, AUTH-029, AUTH-030).

use serde_json::json;

use super::{COMMAND, hub_with, set_model, try_to_sign_in, user};
use crate::support::browser::Browser;
use crate::support::hub::{Hub, PASSWORD};

fn statuses(hub: &Hub, names: &[&str]) -> Vec<u16> {
    names.iter().map(|name| try_to_sign_in(hub, name).status).collect()
}

#[test]
fn auth_005_auth_006_allowed_existing_and_blocked() {
    let hub = Hub::with(
        "auth.allow_all = false\nauth.allowed_users = [\"ada\", \"carol\"]\nauth.admin_users = [\"boss\"]\n\
         auth.blocked_users = [\"CAROL\", \"dave\"]",
    );
    hub.create_user("bob");
    hub.admin("POST", "/users/dave", None);
    assert_eq!(statuses(&hub, &["ada", "boss", "bob"]), [302, 302, 302]);
    assert_eq!(statuses(&hub, &["carol", "dave", "stranger"]), [403, 403, 403]);
    assert_eq!(hub.admin("GET", "/users/stranger", None).status, 404);
    assert_eq!(hub.admin("DELETE", "/users/bob", None).status, 204);
    assert_eq!(statuses(&hub, &["bob"]), [403], "no longer existing, no longer allowed");
}

#[test]
fn auth_005_existing_users_without_the_default() {
    let hub = Hub::with("auth.allow_all = false\nauth.allow_existing_users = true");
    hub.create_user("bob");
    assert_eq!(statuses(&hub, &["bob", "newcomer"]), [302, 403]);
    let hub = Hub::with(
        "auth.allow_all = false\nauth.allowed_users = [\"ada\"]\nauth.allow_existing_users = false",
    );
    hub.create_user("bob");
    assert_eq!(statuses(&hub, &["ada", "bob"]), [302, 403]);
}

#[test]
fn auth_007_without_any_rule_nobody_gets_in_and_the_log_says_so() {
    let hub = Hub::with("auth.allow_all = false");
    hub.create_user("ada");
    assert_eq!(statuses(&hub, &["ada", "newcomer"]), [403, 403]);
    assert!(hub.log().contains("nobody may sign in"), "{}", hub.log());
}

#[test]
fn auth_002_auth_003_auth_004_sec_032_one_person_is_one_account_however_spelled() {
    let hub = Hub::with("auth.username_map = { nick = \"ada\" }\nauth.username_pattern = \"[a-z]\"");
    for typed in ["ada", "ADA", " Ada ", "NICK"] {
        assert_eq!(try_to_sign_in(&hub, typed).status, 302, "{typed}");
    }
    for typed in ["", ".", "..", "%2e", "a/b", "9x"] {
        assert_eq!(try_to_sign_in(&hub, typed).status, 403, "{typed}");
    }
    let users = hub.admin("GET", "/users", None);
    assert!(users.status == 403 || users.json().as_array().unwrap().len() == 1, "{}", users.body);
}

#[test]
fn auth_008_the_flag_given_by_the_api_stays_and_the_list_grants_again() {
    let hub = Hub::with("auth.admin_users = [\"boss\"]");
    hub.admin("POST", "/users/ada", Some(json!({"admin": true})));
    assert_eq!(try_to_sign_in(&hub, "ada").status, 302);
    assert_eq!(user(&hub, "ada")["admin"], true);
    hub.admin("PATCH", "/users/boss", Some(json!({"admin": false})));
    assert_eq!(user(&hub, "boss")["admin"], false);
    assert_eq!(try_to_sign_in(&hub, "boss").status, 302);
    assert_eq!(user(&hub, "boss")["admin"], true);
}

#[test]
fn auth_009_sec_013_a_long_and_odd_name_is_short_and_harmless_in_page_and_log() {
    let hub = Hub::start();
    let name = format!("eve\n\u{1b}[31mERROR\u{202e}{}", "x".repeat(5000));
    let reply = Browser::new(&hub).sign_in(&name, "wrong", "");
    assert_eq!(reply.status, 403);
    assert!(reply.body.contains("...(5015 chars)") && !reply.body.contains(&"x".repeat(100)));
    let log = hub.log();
    let line = log.lines().find(|line| line.contains("login failed")).unwrap();
    assert!(line.len() < 512 && line.contains("chars)"), "{line}");
    assert!(!log.contains('\u{1b}') && !log.contains('\u{202e}'), "{line}");
}

#[test]
fn sec_013_a_huge_form_is_refused_before_it_is_read() {
    let hub = Hub::start();
    let mut browser = Browser::new(&hub);
    browser.get("/hub/login");
    let body = format!("username={}&password=x&_xsrf={}", "x".repeat(200_000), browser.xsrf());
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(browser.send("POST", "/hub/login", &headers, body).status, 413);
    assert!(!hub.log().contains("login failed"));
}

#[test]
fn auth_011_a_name_is_stripped_and_a_password_is_not() {
    let hub = Hub::start();
    assert_eq!(Browser::new(&hub).sign_in("  ada  ", PASSWORD, "").status, 302);
    for password in [" pw", "pw ", ""] {
        assert_eq!(Browser::new(&hub).sign_in("ada", password, "").status, 403, "{password:?}");
    }
}

#[test]
fn auth_029_dummy_without_a_password_takes_any() {
    let hub = Hub::with("auth.dummy.password = \"\"");
    for password in ["", " ", "anything"] {
        assert_eq!(Browser::new(&hub).sign_in("ada", password, "").status, 302, "{password:?}");
    }
}

#[test]
fn auth_030_sec_032_shared_passwords_with_groups() {
    let hub = Hub::with(
        "auth.type = \"shared-password\"\nauth.admin_users = [\"boss\"]\nauth.manage_groups = true\n\
         auth.shared_password.user_password = \"user-password\"\n\
         auth.shared_password.admin_password = \"admin-password-of-32-characters-or-more\"\n\
         auth.shared_password.groups = [{ password = \"password-of-a\", groups = [\"a\", \"b\"] }]",
    );
    let enter = |name: &str, password: &str| Browser::new(&hub).sign_in(name, password, "").status;
    assert_eq!(enter("ada", "user-password"), 302);
    assert_eq!(enter("BOSS", "admin-password-of-32-characters-or-more"), 302);
    assert_eq!(
        (user(&hub, "ada")["admin"].clone(), user(&hub, "boss")["admin"].clone()),
        (json!(false), json!(true))
    );
    for (name, password) in [
        ("ada", "admin-password-of-32-characters-or-more"),
        ("boss", "user-password"),
        ("Boss", "user-password"),
        ("boss", "password-of-a"),
        ("ada", ""),
        ("ada", "user-password "),
    ] {
        assert_eq!(enter(name, password), 403, "{name} {password}");
    }
    assert_eq!(enter("ada", "password-of-a"), 302);
    assert_eq!(user(&hub, "ada")["groups"], json!(["a", "b"]));
    assert_eq!(enter("ada", "user-password"), 302);
    assert_eq!(user(&hub, "ada")["groups"], json!([]), "the list of the password is complete");
}

#[test]
fn auth_017_user_info_is_kept_and_shown() {
    let hub = hub_with("answer(model())", COMMAND);
    set_model(&hub, &json!({"name": "ada", "user_info": {"display_name": "Ada L."}}));
    assert_eq!(try_to_sign_in(&hub, "x").status, 302);
    assert_eq!(user(&hub, "ada")["user_info"], json!({"display_name": "Ada L."}));
}

#[test]
fn sec_031_a_new_name_follows_the_same_rules() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.create_user("bob");
    for name in ["BOB", "bob", "a/b", "..", " x"] {
        let reply = hub.admin("PATCH", "/users/ada", Some(json!({"name": name})));
        assert_eq!(reply.status, 400, "{name}: {}", reply.body);
    }
}

#[test]
fn sec_008_a_token_for_users_makes_nobody_an_admin() {
    let hub =
        Hub::with("roles.clerk.scopes = [\"admin:users\", \"groups\"]\nroles.clerk.users = [\"clerk\"]");
    let made = hub.admin("POST", "/users/clerk/tokens", Some(json!({"scopes": ["admin:users"]}))).json();
    let token = made["token"].as_str();
    hub.create_user("ada");
    for (method, path, body) in [
        ("POST", "/users/eve", json!({"admin": true})),
        ("POST", "/users", json!({"usernames": ["eve"], "admin": true})),
        ("PATCH", "/users/ada", json!({"admin": true})),
        ("PATCH", "/users/clerk", json!({"admin": true})),
    ] {
        assert_eq!(hub.api(method, path, token, Some(body)).status, 403, "{method} {path}");
    }
    assert_eq!(user(&hub, "ada")["admin"], false);
}
