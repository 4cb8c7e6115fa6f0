//! Asking again who somebody is (AUTH-018 to AUTH-021).

use std::time::Duration;

use serde_json::{Value, json};

use super::{COMMAND, hub_with, notes, set_model, user};
use crate::support::browser::Browser;
use crate::support::hub::{Hub, PASSWORD, eventually};

/// Lets everybody in, and answers a refresh with the model.
const PROGRAM: &str = "note(question['request'])\n\
    answer(question['username'] if question['request'] == 'login' else model())";

fn hub(settings: &str) -> Hub {
    let hub = hub_with(PROGRAM, &format!("{COMMAND}auth.command.refresh = true\n{settings}"));
    set_model(&hub, &json!(true));
    hub
}

fn checks(hub: &Hub) -> usize {
    notes(hub.folder.path()).iter().filter(|note| **note == json!("refresh")).count()
}

fn token(hub: &Hub, name: &str) -> String {
    let made = hub.admin("POST", &format!("/users/{name}/tokens"), Some(json!({"scopes": ["inherit"]})));
    made.json()["token"].as_str().unwrap().to_owned()
}

fn me(hub: &Hub, token: &str) -> u16 {
    hub.api("GET", "/user", Some(token), None).status
}

#[test]
fn auth_018_a_sign_in_counts_as_a_check_until_it_is_old() {
    let hub = hub("auth.refresh.max_age = \"1500ms\"");
    let mut browser = Browser::signed_in(&hub, "ada");
    let begun = std::time::Instant::now();
    assert_eq!(browser.get("/hub/home").status, 200);
    if begun.elapsed() < Duration::from_secs(1) {
        assert_eq!(checks(&hub), 0, "just signed in");
    }
    eventually("a check", || {
        assert_eq!(browser.get("/hub/home").status, 200);
        (checks(&hub) > 0).then_some(())
    });
}

#[test]
fn auth_018_a_user_who_was_never_checked_is_checked_once() {
    let hub = hub("");
    hub.create_user("ada");
    let token = token(&hub, "ada");
    for _ in 0..3 {
        assert_eq!(me(&hub, &token), 200);
    }
    assert_eq!(checks(&hub), 1);
}

#[test]
fn cook_049_auth_019_a_stale_browser_signs_in_again_and_a_token_goes_on() {
    let hub = hub("auth.refresh.max_age = \"1ms\"");
    let mut browser = Browser::signed_in(&hub, "ada");
    let token = token(&hub, "ada");
    set_model(&hub, &json!(false));
    let reply = browser.get("/hub/home?a=b");
    assert_eq!((reply.status, reply.location()), (302, "/hub/login?next=%2Fhub%2Fhome%3Fa%3Db"));
    assert_eq!(browser.api("GET", "/user").status, 403);
    assert_eq!(me(&hub, &token), 200);
    assert!(hub.log().contains("no longer good"), "{}", hub.log());
    assert_eq!(browser.sign_in("ada", PASSWORD, "").status, 302);
    set_model(&hub, &json!(true));
    assert_eq!(browser.get("/hub/home").status, 200);
}

#[test]
fn auth_019_strict_checks_end_what_tokens_may_do() {
    let hub = hub("auth.refresh.max_age = \"1ms\"\nauth.refresh.strict = true");
    hub.create_user("ada");
    let token = token(&hub, "ada");
    assert_eq!(me(&hub, &token), 200);
    set_model(&hub, &json!(null));
    assert_eq!(me(&hub, &token), 403);
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 200, "services are not concerned");
}

#[test]
fn a_check_that_fails_lets_nobody_in() {
    let hub = hub("auth.refresh.max_age = \"1ms\"");
    let mut browser = Browser::signed_in(&hub, "ada");
    std::fs::write(hub.path("model"), "no json").unwrap();
    assert_eq!(browser.get("/hub/home").status, 302);
}

#[test]
fn a_check_changes_what_it_names_and_nothing_else() {
    let scopes = r#"roles.tests.scopes = ["admin:users", "admin:auth_state", "tokens", "read:roles"]"#;
    let hub = hub(&format!(
        "{scopes}\nauth.refresh.max_age = \"1ms\"\nauth.state.enabled = true\nauth.manage_groups = true\n\
         auth.state.keys = [\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"]"
    ));
    hub.create_user("ada");
    hub.admin("PATCH", "/users/ada", Some(json!({"auth_state": {"kept": true}})));
    let token = token(&hub, "ada");
    set_model(&hub, &json!({"name": "somebody-else", "groups": ["g"]}));
    assert_eq!(me(&hub, &token), 200);
    let ada = user(&hub, "ada");
    assert_eq!((ada["groups"].clone(), ada["auth_state"].clone()), (json!(["g"]), json!({"kept": true})));
    set_model(&hub, &json!({"admin": true, "auth_state": {"new": 1}}));
    assert_eq!(me(&hub, &token), 200);
    let ada = user(&hub, "ada");
    assert_eq!(
        (ada["admin"].clone(), ada["groups"].clone(), ada["auth_state"].clone()),
        (json!(true), json!(["g"]), json!({"new": 1}))
    );
}

#[test]
fn rights_that_a_check_takes_away_are_gone_in_the_same_request() {
    let hub = hub("auth.refresh.max_age = \"1ms\"");
    hub.admin("POST", "/users/boss", Some(json!({"admin": true})));
    let token = token(&hub, "boss");
    assert_eq!(hub.api("GET", "/users", Some(&token), None).status, 200);
    set_model(&hub, &json!({"admin": false}));
    assert_eq!(hub.api("GET", "/users", Some(&token), None).status, 403);
}

/// What a start and a stop of ada's server answer: by her browser, by an admin.
fn start_and_stop(hub: &Hub, browser: &mut Browser<'_>, answer: &Value) -> [u16; 4] {
    set_model(hub, answer);
    let own_start = browser.api("POST", "/users/ada/server").status;
    if own_start == 403 {
        set_model(hub, &json!(true));
        hub.spawn("ada");
        set_model(hub, answer);
    } else {
        hub.spawn_if_needed("ada");
    }
    let own_stop = browser.api("DELETE", "/users/ada/server").status;
    let admins_stop = hub.admin("DELETE", "/users/ada/server", None).status;
    eventually("the stop", || hub.server("ada", "").is_null().then_some(()));
    let admins_start = hub.admin("POST", "/users/ada/server", None).status;
    if admins_start < 300 {
        set_model(hub, &json!(true));
        eventually("the server", || (hub.server("ada", "")["ready"] == true).then_some(()));
        hub.admin("DELETE", "/users/ada/server", None);
        eventually("the stop", || hub.server("ada", "").is_null().then_some(()));
    }
    [own_start, own_stop, admins_stop, admins_start].map(|status| if status < 300 { 200 } else { status })
}

#[test]
fn auth_020_auth_021_starts_and_stops_are_checked_even_when_nothing_else_is() {
    let forced =
        "auth.refresh.max_age = 0\nauth.refresh.before_spawn = true\nauth.refresh.before_stop = true";
    let lenient = hub(forced);
    let mut browser = Browser::signed_in(&lenient, "ada");
    assert_eq!(start_and_stop(&lenient, &mut browser, &json!(true)), [200, 200, 200, 200]);
    assert!(checks(&lenient) >= 3);
    // her own stop is refused, the admin's goes on, and so does the admin's start
    assert_eq!(start_and_stop(&lenient, &mut browser, &json!(false)), [403, 403, 200, 200]);
    let strict = hub(&format!("{forced}\nauth.refresh.strict = true"));
    let mut browser = Browser::signed_in(&strict, "ada");
    assert_eq!(start_and_stop(&strict, &mut browser, &json!(false)), [403, 403, 200, 403]);
}

#[test]
fn types_that_cannot_be_asked_again_never_are() {
    let hub = Hub::with(
        "auth.refresh.max_age = \"1ms\"\nauth.refresh.strict = true\nauth.refresh.before_spawn = true",
    );
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.get("/hub/home").status, 200);
}
