//! What `[auth]` means for users who exist when the hub starts (AUTH-038, AUTH-039), and `orrery token`.

use super::user;
use crate::support::browser::Browser;
use crate::support::hub::{Hub, eventually, run};

/// Starts the hub again with further settings.
fn restart_with(hub: &mut Hub, settings: &str) {
    let path = hub.path("orrery.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{settings}\n{before}")).unwrap();
    hub.crash_and_restart();
}

#[test]
fn auth_038_users_with_invalid_names_are_deleted_only_if_asked() {
    let mut hub = Hub::start();
    hub.create_user("ada");
    hub.create_user("9x");
    restart_with(&mut hub, "auth.username_pattern = \"[a-z]\"");
    assert_eq!(hub.admin("GET", "/users/9x", None).status, 200);
    assert!(hub.log().contains("refuses the name of the user 9x"), "{}", hub.log());
    restart_with(&mut hub, "auth.delete_invalid_users = true");
    assert_eq!(hub.admin("GET", "/users/9x", None).status, 404);
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 200);
}

#[test]
fn auth_039_who_is_blocked_at_the_start_loses_everything_but_the_account() {
    let mut hub = Hub::with("hub.cleanup_servers = false");
    hub.admin("POST", "/users/eve", Some(serde_json::json!({"admin": true})));
    hub.admin("POST", "/groups/g", Some(serde_json::json!({"users": ["eve"]})));
    let made = hub.admin("POST", "/users/eve/tokens", None).json();
    let token = made["token"].as_str().unwrap().to_owned();
    hub.spawn("eve");
    let cookies = Browser::signed_in(&hub, "eve").cookies.clone();
    restart_with(&mut hub, "auth.blocked_users = [\"EVE\"]");
    let mut browser = Browser::new(&hub);
    browser.cookies = cookies;
    assert_eq!(browser.get("/hub/home").status, 302, "the cookie is worth nothing");
    let eve = user(&hub, "eve");
    assert_eq!(
        (&eve["admin"], &eve["roles"], &eve["groups"]),
        (&false.into(), &serde_json::json!([]), &serde_json::json!([]))
    );
    assert_eq!(hub.api("GET", "/users", Some(&token), None).status, 403);
    eventually("the stop", || hub.server("eve", "").is_null().then_some(()));
    assert_eq!(super::try_to_sign_in(&hub, "eve").status, 403);
}

#[test]
fn cfg_008_the_command_makes_a_token_for_somebody_who_exists() {
    let hub = Hub::start();
    hub.create_user("ada");
    let config = hub.path("orrery.toml").display().to_string();
    let token = |names: &[&str]| {
        let words: Vec<&str> = ["--config", &config, "token"].iter().chain(names).copied().collect();
        run(&words, hub.folder.path())
    };
    let (status, stdout, _) = token(&["ada"]);
    let secret = stdout.trim_end_matches('\n');
    assert!(
        status == Some(0) && secret.len() == 32 && secret.bytes().all(|b| b.is_ascii_hexdigit()),
        "{stdout}"
    );
    assert_eq!(hub.api("GET", "/user", Some(secret), None).json()["name"], "ada");
    let (status, stdout, stderr) = token(&["nobody"]);
    assert!(status == Some(1) && stdout.is_empty() && stderr.contains("nobody"), "{stderr}");
    let (status, stdout, _) = token(&["ada", "bob"]);
    assert!(status == Some(1) && stdout.is_empty(), "{status:?}");
}

#[test]
fn cfg_008_an_admin_of_the_configuration_has_a_token_before_the_first_start() {
    let folder = tempfile::tempdir().unwrap();
    let settings = crate::support::hub::settings(
        folder.path(),
        crate::support::hub::free_port(),
        "auth.admin_users = [\"boss\"]",
    );
    std::fs::write(folder.path().join("orrery.toml"), settings).unwrap();
    let (status, stdout, stderr) = run(&["--config", "orrery.toml", "token", "boss"], folder.path());
    assert_eq!((status, stdout.trim().len()), (Some(0), 32), "{stderr}");
}
