//! Whose user an account becomes.

use super::*;
use crate::auth::user;

#[test]
fn sec_041_whoever_pam_ends_up_with_is_signed_in() {
    let hub = hub(&json!({ "login": [password(), accept("bob")] }), "");
    let mut browser = Browser::new(&hub);
    in_or(&browser.sign_in("ada", PASSWORD, ""));
    assert!(browser.get("/hub/home").body.contains("bob"));
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 404);
    assert_eq!(user(&hub, "bob")["name"], "bob");
}

#[test]
fn sec_032_no_account_becomes_the_user_of_another() {
    // the account `daemon` of this machine has another uid than the one that signs in
    let other = json!({ "login": [password(), { "accept": ["Daemon", 4321, 4321, []] }] });
    let hub = hub(&other, "");
    let reply = Browser::new(&hub).sign_in("Daemon", PASSWORD, "");
    assert!(reply.status == 403 && reply.body.contains("cannot tell your account"), "{}", reply.body);
    replan(&hub, &json!({ "login": [password(), accept("Nobody-Knows-Me")] }));
    let reply = Browser::new(&hub).sign_in("Nobody-Knows-Me", PASSWORD, "");
    assert!(reply.status == 403 && reply.body.contains("cannot tell your account"), "{}", reply.body);
    assert!(hub.log().contains("auth.pam.normalize_username"), "{}", hub.log());
    assert!(!hub.path("tickets").exists(), "and no ticket is kept");
    replan(&hub, &json!({ "login": [password(), { "accept": ["daemon", 1, 1, []] }] }));
    for spelled in ["daemon", "DAEMON", " daemon "] {
        in_or(&Browser::new(&hub).sign_in(spelled, PASSWORD, ""));
    }
    let everybody = hub.admin("GET", "/users", None).json();
    let names: Vec<&str> =
        everybody.as_array().unwrap().iter().filter_map(|user| user["name"].as_str()).collect();
    assert_eq!(names, ["daemon"], "one account, one user");
}

#[test]
fn the_systems_spelling_counts_where_that_is_wanted() {
    let settings = "auth.pam.normalize_username = true\nauth.username_map = { Ada = \"Ada\" }";
    let hub = hub(&json!({ "login": [password(), accept("Ada")] }), settings);
    in_or(&Browser::new(&hub).sign_in("ada", PASSWORD, ""));
    assert_eq!(user(&hub, "Ada")["name"], "Ada");
}

#[test]
fn a_blocked_user_is_turned_away_and_leaves_no_ticket() {
    let hub = hub(&usual_plan(), "auth.blocked_users = [\"ada\"]");
    assert_eq!(Browser::new(&hub).sign_in("ada", PASSWORD, "").status, 403);
    assert!(!hub.path("tickets").exists());
}

#[test]
fn auth_027_who_has_no_account_is_not_added() {
    let hub = hub(&usual_plan(), "");
    let reply = hub.admin("POST", "/users/no-such-account", None);
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("create_system_users"), "{}", reply.body);
    let several = json!({ "usernames": ["daemon", "no-such-account"] });
    assert_eq!(hub.admin("POST", "/users", Some(several)).status, 400);
    assert_eq!(hub.admin("GET", "/users/daemon", None).status, 404, "nobody was added");
    assert_eq!(hub.admin("POST", "/users/daemon", None).status, 201);
}

#[test]
fn auth_026_an_account_is_made_and_a_failure_says_why() {
    let settings = r#"
auth.local.create_system_users = true
auth.local.add_user_command = ["/bin/sh", "-c", "echo \"$@\" >> made; test \"$4\" != eve || { echo full >&2; exit 5; }", "add", "--home", "/home/USERNAME"]
auth.local.uids = { zoe-of-tests = 4711 }"#;
    let hub = hub(&usual_plan(), settings);
    assert_eq!(hub.admin("POST", "/users/zoe-of-tests", None).status, 201);
    let made = std::fs::read_to_string(hub.path("made")).unwrap();
    assert_eq!(made, "--home /home/zoe-of-tests --uid 4711 zoe-of-tests\n");
}
