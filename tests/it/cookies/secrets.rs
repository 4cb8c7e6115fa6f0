//! Secrets at rest and on the wire (COOK-090 to COOK-096); the hash of COOK-092 is tested in `domain::token_hash`.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::*;
use crate::oauth::sql;
use crate::support::hub::{free_port, run, settings};

/// Starts a hub that must refuse to; what it said.
fn refused(extra: &str, prepare: impl Fn(&std::path::Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orrery.toml"), settings(folder.path(), free_port(), extra)).unwrap();
    prepare(folder.path());
    let (status, _, said) = run(&["--config", "orrery.toml"], folder.path());
    assert_eq!(status, Some(1), "{said}");
    said
}

#[test]
fn cook_090_secrets_have_the_shapes_that_clients_know() {
    let hub = Hub::start();
    hub.create_user("ada");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    let code =
        hub.admin("POST", "/share-codes/ada/", Some(json!({}))).json()["code"].as_str().unwrap().to_owned();
    assert!(
        code.len() == 43 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
        "{code}"
    );
    // The shape of OAuth tokens: `oauth_026`. None of them rests in the database.
    let stored = sql(&hub, "SELECT hashed FROM api_tokens UNION SELECT hashed FROM share_codes");
    assert!(!stored.contains(&token) && !stored.contains(&code), "{stored}");
}

#[test]
fn cook_091_configured_tokens_have_8_to_64_characters() {
    for token in ["seven77".to_owned(), "x".repeat(65)] {
        let said = refused(&format!("services.x.api_token = \"{token}\""), |_| {});
        assert!(said.contains("services.x.api_token") && !said.contains(&token), "{said}");
    }
    for token in ["eight888".to_owned(), "x".repeat(64)] {
        let hub = Hub::with(&format!("services.x.api_token = \"{token}\""));
        assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 200);
    }
}

#[test]
fn cook_092_a_token_rests_as_a_salted_hash() {
    let hub = Hub::start();
    hub.create_user("ada");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let stored = sql(&hub, "SELECT hashed FROM api_tokens WHERE purpose = 'user'");
    let fields: Vec<&str> = stored.trim().trim_matches(|c| "[(',)]".contains(c)).split(':').collect();
    let ["sha512", "1", salt, digest] = fields.as_slice() else { panic!("{stored}") };
    assert_eq!((salt.len(), digest.len()), (16, 128));
    let expected = sha512(&format!("{salt}{token}"));
    assert_eq!(*digest, expected);
}

fn sha512(text: &str) -> String {
    use sha2::{Digest, Sha512};
    Sha512::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn cook_095_the_cookie_secret_is_the_hubs_alone() {
    let said = refused("", |folder| {
        let file = folder.join("cookie_secret");
        std::fs::write(&file, "00".repeat(32)).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    });
    assert!(said.contains("cookie_secret"), "{said}");
    let hub = Hub::start();
    let mode = std::fs::metadata(hub.path("cookie_secret")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn cook_096_no_page_may_be_framed() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    for path in [
        "/hub/login",
        "/hub/home",
        "/hub/no-such-page",
        "/hub/logout",
        "/hub/error/503",
        "/hub/api/user",
        "/hub/api/oauth2/authorize",
    ] {
        let reply = browser.get(path);
        let policy = reply.header("content-security-policy").unwrap_or_else(|| panic!("{path}"));
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(policy.contains("report-uri /hub/security/csp-report"), "{path}: {policy}");
    }
}
