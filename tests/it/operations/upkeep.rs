//! What keeps a hub going for years: upgrades of the database and the way back, copies, new keys for cookies.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::command;
use crate::oauth::sql;
use crate::support::browser::Browser;
use crate::support::hub::{ADMIN_TOKEN, Hub, PASSWORD, run};

/// A hub that has ended and left a database of the version before.
fn outdated(extra: &str) -> Hub {
    let mut hub = Hub::with(extra);
    hub.create_user("ada");
    hub.terminate();
    sql(&hub, "DROP TABLE logins");
    sql(&hub, "DELETE FROM __diesel_schema_migrations WHERE version = '0010'");
    hub
}

fn copies(hub: &Hub, kind: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(hub.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_one = |path: &PathBuf| path.to_str().unwrap().contains(&format!("orrery.sqlite.{kind}-"));
    files.filter(is_one).collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn has_ada(hub: &Hub) -> bool {
    sql(hub, "SELECT name FROM users").contains("ada")
}

#[test]
fn an_upgrade_leaves_a_copy_and_the_old_schema_comes_back_from_it() {
    let mut hub = outdated("database.upgrade_on_start = true");
    hub.start_again();
    let said = hub.log();
    let [copy] = copies(&hub, "schema").try_into().unwrap();
    assert!(copy.to_str().unwrap().contains(".schema-0009.") && mode(&copy) == 0o600, "{copy:?}");
    assert!(said.contains("the database was upgraded") && said.contains(copy.to_str().unwrap()), "{said}");
    let shown = copy.to_str().unwrap().to_owned();
    let (status, _, said) = command(&hub, &["db", "restore", &shown]);
    assert!(status == Some(1) && said.contains("is in use: stop the hub first"), "{said}");
    hub.terminate();

    // the older program, seen from a newer database
    sql(&hub, "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
    let file = hub.path("orrery.toml");
    let (status, _, said) = run(&["--config", file.to_str().unwrap()], hub.folder.path());
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("schema 9999") && said.contains(&format!("orrery db restore {shown}")), "{said}");
    let (_, told, _) = command(&hub, &["doctor"]);
    assert!(told.contains(&format!("orrery db restore {shown}")), "{told}");

    let (status, said, wrong) = command(&hub, &["db", "restore", &shown]);
    assert_eq!(status, Some(0), "{said}{wrong}");
    assert!(said.contains("at schema 0009") && said.contains(".replaced-9999."), "{said}");
    let (status, _, said) = command(&hub, &["db", "migrate", "--check"]);
    assert!(status == Some(1) && said.contains("0010"), "it is the old schema: {said}");
    assert!(has_ada(&hub) && copies(&hub, "replaced").len() == 1);
    hub.start_again();
    assert_eq!(hub.admin("GET", "/users/ada", None).status, 200, "and a hub runs on it");
}

#[test]
fn a_migration_that_fails_at_the_start_leaves_the_database_and_says_what_to_do() {
    let hub = outdated("database.upgrade_on_start = true");
    sql(&hub, "CREATE TABLE logins (in_the_way INTEGER)");
    let before = sql(&hub, "SELECT sql FROM sqlite_master ORDER BY name");
    let file = hub.path("orrery.toml");
    let (status, _, said) = run(&["--config", file.to_str().unwrap()], hub.folder.path());
    assert_eq!(status, Some(1), "{said}");
    for part in ["from schema 0009 to 0010", "left as it was", "install its package again"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(sql(&hub, "SELECT sql FROM sqlite_master ORDER BY name"), before);
    assert!(has_ada(&hub) && copies(&hub, "schema").is_empty());
}

#[test]
fn a_database_is_copied_while_the_hub_runs() {
    let hub = Hub::start();
    hub.create_user("ada");
    let (status, said, wrong) = command(&hub, &["db", "backup"]);
    assert_eq!(status, Some(0), "{wrong}");
    let copy = PathBuf::from(said.trim());
    assert_eq!((copies(&hub, "copy"), mode(&copy)), (vec![copy.clone()], 0o600));
    assert!(std::fs::read(&copy).unwrap().windows(3).any(|bytes| bytes == b"ada"), "also what is in the log");
}

/// Whoever finds a dump, a backup or a stolen disk without the key's file can sign in as nobody.
#[test]
fn sec_113_neither_the_database_nor_a_copy_holds_what_opens_a_door() {
    let hub = Hub::with(
        "auth.state.enabled = true\nauth.state.keys = [\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"]",
    );
    let mut browser = Browser::signed_in(&hub, "ada");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let code = hub.admin("POST", "/share-codes/ada/", Some(json!({}))).json()["code"].clone();
    let state = json!({ "auth_state": { "refresh": "what-an-identity-provider-gave" } });
    assert_eq!(hub.admin("PATCH", "/users/ada", Some(state)).status, 200);
    hub.spawn("ada");
    let of_server = browser.get("/user/ada/env").json()["JUPYTERHUB_API_TOKEN"].as_str().unwrap().to_owned();
    let mut secrets = vec![token, code.as_str().unwrap().to_owned(), of_server];
    secrets.extend([
        PASSWORD.to_owned(),
        ADMIN_TOKEN.to_owned(),
        "what-an-identity-provider-gave".to_owned(),
    ]);
    let signed = browser
        .cookies
        .iter()
        .filter(|cookie| ["login", "_xsrf"].iter().any(|name| cookie.name.contains(name)));
    secrets.extend(signed.map(|cookie| cookie.value.clone()));
    secrets.push(std::fs::read_to_string(hub.path("cookie_secret")).unwrap().trim().to_owned());
    let (_, copy, _) = command(&hub, &["db", "backup"]);
    let copy = copy.trim().to_owned();
    let sides = ["orrery.sqlite", "orrery.sqlite-wal", "orrery.sqlite-shm", &copy];
    for file in sides.map(|name| hub.path(name)) {
        assert_eq!(mode(&file), 0o600, "{file:?}");
        let bytes = std::fs::read(&file).unwrap();
        // two letters are in every file
        for secret in secrets.iter().filter(|secret| secret.len() > 8) {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {file:?}");
        }
    }
    let stored = sql(&hub, "SELECT encrypted_auth_state FROM users WHERE name = 'ada'");
    assert!(stored.contains("gAAAA"), "the state is there, encrypted: {stored}");
}

fn is_in(browser: &mut Browser<'_>) -> bool {
    browser.get("/hub/home").status == 200
}

#[test]
fn sec_011_sec_114_a_new_key_signs_at_once_the_last_one_verifies_and_older_ones_are_void() {
    let hub = Hub::start();
    hub.create_user("ada");
    let pid = hub.spawn("ada")["state"]["pid"].as_i64().unwrap();
    let mut first = Browser::signed_in(&hub, "ada");
    let rotate = |words: &[&str]| {
        let (status, said, told) = command(&hub, &[&["rotate-secret"], words].concat());
        assert_eq!(status, Some(0), "{said}{told}");
        assert!(
            told.contains("A new key signs cookies") && said.contains("The configuration"),
            "{said}{told}"
        );
    };
    rotate(&[]);
    assert!(is_in(&mut first), "signed with the key before");
    let xsrf = first.xsrf();
    let made = first.post("/hub/api/users/ada/tokens", &[("_xsrf", &xsrf)]);
    assert_ne!(made.status, 403, "a form of before is still good: {}", made.body);
    let mut second = Browser::signed_in(&hub, "ada");
    rotate(&[]);
    assert!(!is_in(&mut first) && is_in(&mut second), "two keys are kept");
    rotate(&["--keep", "0"]);
    assert!(!is_in(&mut second), "everybody has to sign in again");
    let mut third = Browser::signed_in(&hub, "ada");
    assert!(is_in(&mut third));
    assert_eq!(hub.server("ada", "")["state"]["pid"], pid, "and no server has ended");
    assert_eq!(std::fs::read_to_string(hub.path("cookie_secret")).unwrap().lines().count(), 1);
    assert_eq!(mode(&hub.path("cookie_secret")), 0o600);
}

#[test]
fn a_key_that_is_rotated_while_no_hub_runs_counts_from_the_next_start() {
    let mut hub = Hub::start();
    let kept = Browser::signed_in(&hub, "ada").cookies.clone();
    hub.terminate();
    let (status, _, told) = command(&hub, &["rotate-secret"]);
    assert!(status == Some(0) && told.contains("No hub was reached"), "{told}");
    hub.start_again();
    let mut browser = Browser::new(&hub);
    browser.cookies = kept;
    assert!(is_in(&mut browser));
}

#[test]
fn sec_110_two_hubs_never_have_the_same_key_and_one_that_can_be_guessed_is_refused() {
    let (one, other) = (Hub::start(), Hub::start());
    let key = |hub: &Hub| std::fs::read_to_string(hub.path("cookie_secret")).unwrap();
    assert_ne!(key(&one), key(&other));
    drop(other);
    let mut one = one;
    one.terminate();
    std::fs::write(one.path("cookie_secret"), "00".repeat(32)).unwrap();
    let file = one.path("orrery.toml");
    let (status, _, said) = run(&["--config", file.to_str().unwrap()], one.folder.path());
    assert!(status == Some(1) && said.contains("can be guessed"), "{said}");
}
