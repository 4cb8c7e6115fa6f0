//! What tokens belong to, and what ends them (oauth.md 7).

use serde_json::json;

use super::*;
use crate::support::hub::eventually;

#[test]
fn oauth_040_the_token_belongs_to_the_browser_session() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let issued = token(&hub, &mut browser);
    let model = whoami(&hub, &issued["access_token"]).json();
    assert_eq!(model["name"], "ada");
    assert_eq!(model["session_id"], browser.cookie("jupyterhub-session-id").unwrap().value);
}

#[test]
fn oauth_041_logging_out_revokes_what_this_user_granted_in_this_session() {
    let hub = hub();
    let (mut here, mut elsewhere) = (Browser::signed_in(&hub, "ada"), Browser::signed_in(&hub, "ada"));
    let (mine, other) = (token(&hub, &mut here), token(&hub, &mut elsewhere));
    // Another user whose browser claims the same session: sessions are text that services see.
    let mut grace = Browser::signed_in(&hub, "grace");
    let session = here.cookie("jupyterhub-session-id").unwrap().clone();
    grace.cookies.retain(|cookie| cookie.name != session.name);
    grace.cookies.push(session);
    let hers = token(&hub, &mut grace);
    let api = hub.admin("POST", "/users/ada/tokens", None).json()["token"].clone();
    here.get("/hub/logout");
    let status = |token: &Value| whoami(&hub, token).status;
    assert_eq!(status(&mine["access_token"]), 403);
    assert_eq!(status(&other["access_token"]), 200, "another browser");
    assert_eq!(status(&hers["access_token"]), 200, "another user");
    assert_eq!(status(&api), 200, "asked for as a token");
}

/// The ids of ada's sessions, the one seen last first.
fn sessions(browser: &mut Browser<'_>) -> Vec<String> {
    let page = browser.get("/hub/account").body;
    page.split("name=\"session\" value=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

#[test]
fn ui_045_ending_a_session_revokes_what_was_granted_in_it() {
    let hub = hub();
    let (mut here, mut there) = (Browser::signed_in(&hub, "ada"), Browser::signed_in(&hub, "ada"));
    let (mine, first) = (token(&hub, &mut here), token(&hub, &mut there));
    // the browser is closed and opened again: still signed in, in a new session
    there.cookies.retain(|cookie| cookie.name != "jupyterhub-session-id");
    let second = token(&hub, &mut there);
    let api = hub.admin("POST", "/users/ada/tokens", None).json()["token"].clone();
    let status = |token: &Value| whoami(&hub, token).status;
    let ended = sessions(&mut there).first().unwrap().clone();
    let form = [("_xsrf", here.xsrf()), ("session", ended)];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    // a code that is on its way when the session ends
    let code = returned(&there.get(&authorize("silent", &[])), "code").unwrap();
    assert_eq!(here.post("/hub/account/sessions/end", &form).status, 303);
    assert_eq!(status(&first["access_token"]), 403);
    assert_eq!(status(&second["access_token"]), 403);
    assert_eq!(exchange(&hub, "silent", &code, &[]).status, 400);
    assert_eq!(status(&mine["access_token"]), 200, "another browser");
    assert_eq!(status(&api), 200, "asked for as a token");
}

#[test]
fn ui_045_ending_all_other_sessions_leaves_what_was_granted_here() {
    let hub = hub();
    let (mut here, mut there) = (Browser::signed_in(&hub, "ada"), Browser::signed_in(&hub, "ada"));
    let first = token(&hub, &mut here);
    here.cookies.retain(|cookie| cookie.name != "jupyterhub-session-id");
    let (second, other) = (token(&hub, &mut here), token(&hub, &mut there));
    here.get("/hub/account");
    let xsrf = here.xsrf();
    assert_eq!(here.post("/hub/account/sessions/end-others", &[("_xsrf", &xsrf)]).status, 303);
    let status = |token: &Value| whoami(&hub, token).status;
    assert_eq!((status(&first["access_token"]), status(&second["access_token"])), (200, 200));
    assert_eq!(status(&other["access_token"]), 403);
}

#[test]
fn oauth_042_a_forged_logout_revokes_nothing() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let issued = token(&hub, &mut browser);
    let session = browser.cookie("jupyterhub-session-id").unwrap().value.clone();
    for login in ["", "; jupyterhub-hub-login=forged"] {
        let cookie = [("cookie".to_owned(), format!("jupyterhub-session-id={session}{login}"))];
        let reply = request(&agent(), "GET", &format!("{}/hub/logout", hub.url), &cookie, String::new());
        assert_eq!(reply.status, 302);
        assert_eq!(whoami(&hub, &issued["access_token"]).status, 200);
    }
}

#[test]
fn oauth_043_revoked_and_expired_tokens_are_403() {
    let hub = hub_with("hub.oauth.token_lifetime = 1");
    let mut browser = Browser::signed_in(&hub, "ada");
    let short = token(&hub, &mut browser);
    eventually("the token to expire", || (whoami(&hub, &short["access_token"]).status == 403).then_some(()));
    let hub = self::hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let (one, two) = (token(&hub, &mut browser), token(&hub, &mut browser));
    let id = whoami(&hub, &one["access_token"]).json()["token_id"].as_str().unwrap().to_owned();
    assert_eq!(hub.admin("DELETE", &format!("/users/ada/tokens/{id}"), None).status, 204);
    assert_eq!(whoami(&hub, &one["access_token"]).status, 403);
    assert_eq!(whoami(&hub, &two["access_token"]).status, 403, "the client would use it next");
}

#[test]
fn oauth_050_the_model_of_a_token_names_its_client() {
    let hub = hub();
    let issued = token(&hub, &mut Browser::signed_in(&hub, "ada"));
    let tokens = hub.admin("GET", "/users/ada/tokens", None).json();
    let [model] = tokens["api_tokens"].as_array().unwrap().as_slice() else { panic!("{tokens}") };
    assert_eq!(model["oauth_client"], "JupyterHub service silent");
    assert_eq!(
        (&model["note"], &model["kind"], &model["user"]),
        (&json!(""), &json!("api_token"), &json!("ada"))
    );
    assert!(model["session_id"].is_string() && model["expires_at"].is_string(), "{model}");
    assert!(model["scopes"].to_string().contains("access:services!service=silent"), "{model}");
    assert!(!tokens.to_string().contains(issued["access_token"].as_str().unwrap()));
}

#[test]
fn a_browser_that_changes_hands_keeps_nothing_of_the_first_user() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let adas = token(&hub, &mut browser);
    let old = browser.cookie("jupyterhub-hub-login").unwrap().clone();
    let session = browser.cookie("jupyterhub-session-id").unwrap().value.clone();
    let xsrf = browser.xsrf();
    let fields = [("username", "grace"), ("password", "pw"), ("_xsrf", xsrf.as_str())];
    assert_eq!(browser.post("/hub/login", &fields).status, 302);
    assert_eq!(browser.cookie("jupyterhub-session-id").unwrap().value, session, "as in the reference");
    assert_eq!(whoami(&hub, &adas["access_token"]).status, 403, "it bears the session that is grace's now");
    let mut copy = Browser::new(&hub);
    copy.cookies.push(old);
    assert_eq!(copy.get("/hub/home").status, 302);
}

#[test]
fn the_tokens_of_a_service_that_is_gone_are_gone_too() {
    let mut hub = hub();
    let issued = token(&hub, &mut Browser::signed_in(&hub, "ada"));
    let file = hub.path("orrery.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    let without: Vec<&str> = settings.lines().filter(|line| !line.starts_with("services.silent.")).collect();
    std::fs::write(&file, without.join("\n")).unwrap();
    hub.terminate();
    hub.start_again();
    assert_eq!(whoami(&hub, &issued["access_token"]).status, 403);
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.get(&authorize("silent", &[])).status, 400);
}

#[test]
fn oauth_051_a_service_made_at_run_time_is_a_client_at_once() {
    let hub = hub_with(
        "roles.tests.scopes = [\"admin:services\", \"admin:users\", \"access:services\", \"read:users\"]",
    );
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.get(&authorize("wide", &[])).status, 400, "it is not there yet");
    let make = |no_confirm: bool| {
        let body = json!({
            "oauth_redirect_uri": format!("{CALLBACK}/wide"),
            "api_token": "secret-of-wide-0123456789",
            "oauth_no_confirm": no_confirm,
        });
        let made = hub.admin("POST", "/services/wide", Some(body));
        assert_eq!(made.status, 201, "{}", made.body);
    };
    make(true);
    let code = returned(&browser.get(&authorize("wide", &[])), "code").unwrap();
    let issued = exchange(&hub, "wide", &code, &[]).json();
    assert!(issued["scope"].as_str().unwrap().contains("access:services!service=wide"), "{issued}");
    assert_eq!(whoami(&hub, &issued["access_token"]).status, 200);
    assert_eq!(hub.admin("DELETE", "/services/wide", None).status, 200);
    assert_eq!(whoami(&hub, &issued["access_token"]).status, 403, "its tokens go with it");
    assert_eq!(browser.get(&authorize("wide", &[])).status, 400);
    make(false);
    assert_eq!(browser.get(&authorize("wide", &[])).status, 200, "a new one of the name is asked about");
    assert_eq!(browser.get(&authorize("asks", &[])).status, 200, "as are others");
}
