//! `POST /users/{name}/revoke` (SEC-024): one call throws a user off. SEC-011 goes with it: sessions and OAuth tokens end
//! although their cookies and dates are in order.

use serde_json::Value;

use super::*;
use crate::oauth::sql;
use crate::support::hub::{Reply, kill};

const KEEPER: &str = "keeper-token-0123456789";

/// A hub with a service that users trust, and one that looks after the users of a group.
fn hub() -> Hub {
    Hub::with(&format!(
        "services.web.oauth_redirect_uri = \"http://127.0.0.1:9/cb\"\nservices.web.api_token = \"secret-of-web-0123\"\n\
         services.web.oauth_no_confirm = true\nroles.user.scopes = [\"self\", \"access:services!service=web\"]\n\
         services.keeper.api_token = \"{KEEPER}\"\nroles.keeper.services = [\"keeper\"]\n\
         roles.keeper.scopes = [\"admin:users!user=ada\", \"admin:users!user=root\"]"
    ))
}

fn code(browser: &mut Browser<'_>) -> String {
    let to = browser
        .get("/hub/api/oauth2/authorize?client_id=service-web&response_type=code")
        .location()
        .to_owned();
    to.split("code=").nth(1).unwrap().to_owned()
}

fn exchange(hub: &Hub, code: &str) -> Reply {
    let body = format!(
        "grant_type=authorization_code&client_id=service-web&client_secret=secret-of-web-0123&code={code}"
    );
    send(hub, "POST", "/hub/api/oauth2/token", &[FORM], &body)
}

fn revoke(hub: &Hub, user: &str) -> Reply {
    hub.admin("POST", &format!("/users/{user}/revoke"), None)
}

fn status(hub: &Hub, token: &Value) -> u16 {
    hub.api("GET", "/user", token.as_str(), None).status
}

#[test]
fn sec_024_one_call_ends_sessions_tokens_codes_and_servers() {
    let hub = hub();
    let (mut one, mut two) = (Browser::signed_in(&hub, "ada"), Browser::signed_in(&hub, "ada"));
    let mut grace = Browser::signed_in(&hub, "grace");
    let api = hub.admin("POST", "/users/ada/tokens", None).json()["token"].clone();
    let oauth = exchange(&hub, &code(&mut one)).json()["access_token"].clone();
    let graces = exchange(&hub, &code(&mut grace)).json()["access_token"].clone();
    let pending = code(&mut two);
    hub.spawn("ada");
    let env = one.get("/user/ada/env").json();
    let pid = one.get("/user/ada/whoami").json()["pid"].to_string();
    let since = Instant::now();

    let reply = revoke(&hub, "ada");
    assert_eq!(reply.status, 200, "{}", reply.body);
    let counts = json!({
        "name": "ada", "tokens": 2, "oauth_tokens": 1, "oauth_codes": 1, "servers_stopped": 1, "servers_stopping": 0
    });
    assert_eq!(reply.json(), counts);
    // SEC-024 says 2 s; the machine that tests may be busy.
    assert!(since.elapsed() < Duration::from_secs(10));

    for browser in [&mut one, &mut two] {
        let kept = browser.cookies.clone();
        assert_eq!(browser.get("/hub/home").status, 302);
        browser.cookies = kept;
        assert_eq!(browser.api("GET", "/user").status, 403);
    }
    for token in [&api, &oauth, &env["JUPYTERHUB_API_TOKEN"]] {
        assert_eq!(status(&hub, token), 403);
    }
    assert_eq!(exchange(&hub, &pending).status, 400);
    assert!(hub.server("ada", "").is_null());
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "its process is gone");

    assert_eq!((grace.get("/hub/home").status, status(&hub, &graces)), (200, 200), "others go on");
    assert_eq!(Browser::signed_in(&hub, "ada").get("/hub/home").status, 200, "it is no ban");
}

#[test]
fn sec_024_asked_again_there_is_nothing_left() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    code(&mut browser);
    assert_eq!(revoke(&hub, "ada").json()["oauth_codes"], 1);
    for _ in 0..2 {
        let nothing = json!({
            "name": "ada", "tokens": 0, "oauth_tokens": 0, "oauth_codes": 0, "servers_stopped": 0, "servers_stopping": 0
        });
        let again = revoke(&hub, "ada");
        assert_eq!((again.status, again.json()), (200, nothing));
    }
    let journal = sql(&hub, "SELECT actor, action, target FROM journal WHERE action = 'user.revoke'");
    assert_eq!(journal.matches("('service:tests', 'user.revoke', 'user:ada')").count(), 3, "{journal}");
}

#[test]
fn sec_024_who_may_throw_off_whom() {
    let hub = hub();
    for name in ["ada", "grace", "root"] {
        hub.create_user(name);
    }
    assert_eq!(hub.admin("PATCH", "/users/root", Some(json!({"admin": true}))).status, 200);
    let by = |token: Option<&str>, user: &str| {
        hub.api("POST", &format!("/users/{user}/revoke"), token, None).status
    };
    let adas = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    assert_eq!(by(None, "ada"), 403);
    assert_eq!(by(Some(&adas), "ada"), 403, "not even oneself: it is an admin's");
    assert_eq!(by(Some(KEEPER), "grace"), by(Some(KEEPER), "nobody"), "out of reach is like not there");
    assert_eq!(by(Some(KEEPER), "grace"), 404);
    assert_eq!(by(Some(KEEPER), "root"), 403, "who is no admin does not throw one off");
    assert_eq!(by(Some(KEEPER), "ada"), 200);
    assert_eq!(revoke(&hub, "nobody").status, 404);
    assert_eq!(revoke(&hub, "root").status, 200);
    assert_eq!(hub.admin("GET", "/users/ada/revoke", None).status, 405);
    let broken = send(
        &hub,
        "POST",
        "/hub/api/users/ada/revoke",
        &[("authorization", &format!("token {KEEPER}"))],
        "{",
    );
    assert_eq!(broken.status, 400);
    let mut browser = Browser::signed_in(&hub, "root");
    let no_token = browser.send("POST", "/hub/api/users/ada/revoke", &[], String::new());
    assert!(no_token.status == 403 && no_token.body.contains("_xsrf"), "{}", no_token.body);
    assert_eq!(browser.api("POST", "/users/ada/revoke").status, 200);
}

#[test]
fn sec_024_a_server_that_does_not_listen_to_signals_is_said_to_be_stopping() {
    let hub = Hub::with(
        "hub.timeouts.slow_stop = 0\nspawner.environment.FAKE_STUBBORN = \"1\"\nspawner.local.interrupt_timeout = 0.2\n\
         spawner.local.term_timeout = 0.2\nspawner.local.kill_timeout = 1",
    );
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    let pid: u32 = browser.get("/user/ada/whoami").json()["pid"].to_string().parse().unwrap();
    let reply = revoke(&hub, "ada").json();
    assert_eq!((&reply["servers_stopped"], &reply["servers_stopping"]), (&json!(0), &json!(1)));
    kill(pid, "KILL");
}

#[test]
fn sec_011_cookies_and_oauth_tokens_end_whatever_their_dates_say() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let token = exchange(&hub, &code(&mut browser)).json()["access_token"].clone();
    let kept = browser.cookies.clone();
    assert_eq!(revoke(&hub, "ada").status, 200);
    let mut again = Browser::signed_in(&hub, "ada");
    assert_eq!(again.get("/hub/home").status, 200);
    assert_eq!(status(&hub, &token), 403, "signing in again brings nothing back");
    browser.cookies = kept;
    assert_eq!(browser.get("/hub/home").status, 302);
}
