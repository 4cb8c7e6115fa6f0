//! The hub as OAuth provider: asking, codes, tokens, who may be asked about (oauth.md).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::support::browser::Browser;
use super::support::hub::{Hub, Reply, agent, request};

const CALLBACK: &str = "http://127.0.0.1:9/callback";

/// A hub with three services: users are asked about `asks`, not about `silent`, and have no access to `locked`.
fn hub() -> Hub {
    hub_with("")
}

fn hub_with(extra: &str) -> Hub {
    let mut settings = String::new();
    for name in ["asks", "silent", "locked"] {
        writeln!(settings, "services.{name}.oauth_redirect_uri = \"{CALLBACK}/{name}\"").unwrap();
        writeln!(settings, "services.{name}.api_token = \"secret-of-{name}-0123456789\"").unwrap();
    }
    let scopes = "[\"self\", \"access:services!service=asks\", \"access:services!service=silent\"]";
    writeln!(settings, "services.silent.oauth_no_confirm = true").unwrap();
    writeln!(settings, "services.asks.oauth_client_allowed_scopes = [\"read:users!user\"]").unwrap();
    writeln!(settings, "roles.user.scopes = {scopes}").unwrap();
    settings.push_str(extra);
    Hub::with(&settings)
}

fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn authorize(service: &str, extra: &[(&str, &str)]) -> String {
    let (client, uri) = (format!("service-{service}"), format!("{CALLBACK}/{service}"));
    let mut fields = vec![("client_id", client.as_str()), ("redirect_uri", &uri), ("response_type", "code")];
    fields.extend_from_slice(extra);
    format!("/hub/api/oauth2/authorize?{}", encoded(&fields))
}

/// The value of a parameter in the address that the browser is sent back to.
fn returned(reply: &Reply, name: &str) -> Option<String> {
    assert_eq!(reply.status, 302, "{}", reply.body);
    let (_, query) = reply.location().split_once('?').unwrap();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

fn code(browser: &mut Browser<'_>, service: &str, extra: &[(&str, &str)]) -> String {
    returned(&browser.get(&authorize(service, extra)), "code").unwrap()
}

fn exchange(hub: &Hub, service: &str, code: &str, changes: &[(&str, &str)]) -> Reply {
    let (client, uri) = (format!("service-{service}"), format!("{CALLBACK}/{service}"));
    let secret = format!("secret-of-{service}-0123456789");
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("client_id", client.as_str()),
        ("client_secret", secret.as_str()),
        ("redirect_uri", uri.as_str()),
        ("code", code),
    ];
    fields.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    fields.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    post(hub, encoded(&fields), &[])
}

fn post(hub: &Hub, body: String, headers: &[(&str, &str)]) -> Reply {
    let mut all = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    request(&agent(), "POST", &format!("{}/hub/api/oauth2/token", hub.url), &all, body)
}

fn token(hub: &Hub, browser: &mut Browser<'_>) -> Value {
    let code = code(browser, "silent", &[]);
    let reply = exchange(hub, "silent", &code, &[]);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// Sends the confirmation form with these scopes.
fn confirm(browser: &mut Browser<'_>, path: &str, scopes: &[&str]) -> Reply {
    let token = browser.xsrf();
    let mut fields = vec![("_xsrf", token.as_str())];
    fields.extend(scopes.iter().map(|scope| ("scopes", *scope)));
    browser.post(path, &fields)
}

// -- asking ----------------------------------------------------------------------------------------------------

#[test]
fn oauth_007_a_stranger_signs_in_first() {
    let hub = hub();
    let path = authorize("asks", &[("state", "s&=?1")]);
    let reply = hub.get(&path);
    assert_eq!(reply.status, 302);
    let (to, query) = reply.location().split_once('?').unwrap();
    assert_eq!(to, "/hub/login");
    assert_eq!(form_urlencoded::parse(query.as_bytes()).next().unwrap().1, path);
}

#[test]
fn oauth_008_tokens_authorize_nobody() {
    let hub = hub();
    hub.create_user("ada");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let headers = [("authorization".to_owned(), format!("token {token}"))];
    let url = format!("{}{}", hub.url, authorize("silent", &[]));
    let reply = request(&agent(), "GET", &url, &headers, String::new());
    assert!(reply.location().starts_with("/hub/login?"));
}

#[test]
fn oauth_009_oauth_010_doubts_about_the_client_stay_on_a_page() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let evil = encoded(&[
        ("client_id", "service-silent"),
        ("redirect_uri", "http://evil.example/"),
        ("response_type", "code"),
    ]);
    for query in [
        "response_type=code",
        "client_id=service-nobody&response_type=code",
        "client_id=jupyterhub&response_type=code",
        "client_id=service-silent&client_id=service-silent&response_type=code",
        "client_id=service-silent&redirect_uri=relative&response_type=code",
        &evil,
    ] {
        let reply = browser.get(&format!("/hub/api/oauth2/authorize?{query}"));
        assert_eq!((reply.status, reply.header("location")), (400, None), "{query}");
        assert!(reply.header("content-type").unwrap().starts_with("text/html"), "{query}");
    }
}

#[test]
fn oauth_011_oauth_013_oauth_014_other_errors_go_to_the_client() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    for (extra, error) in [
        (("response_type", "token"), "invalid_request"),
        (("scope", "no-such-scope"), "invalid_scope"),
        (("scope", "admin:users"), "invalid_scope"),
        (("code_challenge", "%C3%A9"), ""),
    ] {
        let reply = browser.get(&authorize("silent", &[extra, ("state", "st")]));
        if extra.0 == "response_type" {
            assert_eq!(reply.status, 400, "a parameter given twice");
            continue;
        }
        if error.is_empty() {
            continue;
        }
        assert!(reply.location().starts_with(&format!("{CALLBACK}/silent?error=")), "{}", reply.location());
        assert_eq!(returned(&reply, "error").as_deref(), Some(error), "{extra:?}");
        assert_eq!(returned(&reply, "state").as_deref(), Some("st"));
        assert_eq!(returned(&reply, "code"), None);
    }
}

#[test]
fn oauth_013_an_old_clients_identify_asks_for_no_more_than_identity() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let page = browser.get(&authorize("asks", &[("scope", "identify")]));
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("value=\"read:users!user\""), "{}", page.body);
    assert!(page.body.contains("value=\"read:users:name!user\""), "{}", page.body);
}

#[test]
fn oauth_016_oauth_022_without_access_there_is_neither_question_nor_code() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = browser.get(&authorize("locked", &[]));
    assert_eq!((reply.status, reply.header("location")), (403, None));
    assert!(reply.body.contains("You do not have permission to access"), "{}", reply.body);
    let forged = confirm(&mut browser, &authorize("locked", &[]), &["access:services!service=locked"]);
    assert_eq!((forged.status, forged.header("location")), (403, None));
}

#[test]
fn oauth_019_oauth_020_the_user_is_asked_once() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let path = authorize("asks", &[("state", "é x")]);
    let page = browser.get(&path);
    assert_eq!(page.status, 200);
    assert!(page.body.contains(&format!("{CALLBACK}/asks")), "it says who asks: {}", page.body);
    assert_eq!(browser.post(&path, &[("scopes", "read:users!user")]).status, 403, "without a token");

    let reply = confirm(&mut browser, &path, &["read:users!user"]);
    assert_eq!(returned(&reply, "state").as_deref(), Some("é x"));
    let issued = exchange(&hub, "asks", &returned(&reply, "code").unwrap(), &[]);
    assert!(issued.json()["scope"].as_str().unwrap().contains("read:users!user"), "{}", issued.body);
    assert_eq!(browser.get(&path).status, 302, "the same again");
    assert_eq!(Browser::signed_in(&hub, "grace").get(&path).status, 200, "somebody else");
}

#[test]
fn oauth_021_confirming_nothing_grants_identity_and_access() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = confirm(&mut browser, &authorize("asks", &[]), &[]);
    let issued = exchange(&hub, "asks", &returned(&reply, "code").unwrap(), &[]).json();
    let mut scopes: Vec<&str> = issued["scope"].as_str().unwrap().split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["access:services!service=asks", "read:users:groups!user", "read:users:name!user"]);
}

#[test]
fn confirming_more_than_the_client_may_have_is_refused() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = confirm(&mut browser, &authorize("asks", &[]), &["servers!user"]);
    assert_eq!(returned(&reply, "error").as_deref(), Some("invalid_scope"));
}

// -- codes for tokens ------------------------------------------------------------------------------------------

#[test]
fn oauth_024_oauth_026_oauth_027_a_code_becomes_a_token_once() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let code = code(&mut browser, "silent", &[]);
    assert!(code.len() == 30 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{code}");
    let reply = exchange(&hub, "silent", &code, &[]);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), (Some("no-store"), Some("no-cache")));
    let body = reply.json();
    let mut keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["access_token", "expires_in", "scope", "token_type"]);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&"Bearer".into(), &1_209_600.into()));

    let again = exchange(&hub, "silent", &code, &[]);
    assert_eq!((again.status, &again.json()["error"]), (400, &"invalid_grant".into()));
}

#[test]
fn oauth_040_the_token_belongs_to_the_browser_session() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let issued = token(&hub, &mut browser);
    let model = hub.api("GET", "/user", issued["access_token"].as_str(), None).json();
    assert_eq!(model["name"], "ada");
    assert_eq!(model["session_id"], browser.cookie("jupyterhub-session-id").unwrap().value);
}

#[test]
fn oauth_025_oauth_028_oauth_031_a_failed_exchange_leaves_the_code_usable() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let code = code(&mut browser, "silent", &[]);
    for (change, status, error) in [
        (("client_secret", "wrong-secret"), 401, "invalid_client"),
        (("client_secret", ""), 401, "invalid_client"),
        (("client_id", "service-nobody"), 401, "invalid_client"),
        (("client_id", "service-asks"), 401, "invalid_client"),
        (("redirect_uri", "http://evil.example/"), 400, "invalid_request"),
        (("grant_type", "password"), 400, "unsupported_grant_type"),
        (("grant_type", "refresh_token"), 400, "unauthorized_client"),
        (("code", "no-such-code"), 400, "invalid_grant"),
        (("code", ""), 400, "invalid_request"),
    ] {
        let reply = exchange(&hub, "silent", &code, &[change]);
        assert_eq!(
            (reply.status, &reply.json()["error"]),
            (status, &error.into()),
            "{change:?}: {}",
            reply.body
        );
        assert_eq!(reply.header("www-authenticate").is_some(), status == 401, "{change:?}");
    }
    assert_eq!(exchange(&hub, "silent", &code, &[("redirect_uri", "")]).status, 200, "it is optional");
}

#[test]
fn oauth_029_a_code_of_another_client_is_no_code() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let silents = code(&mut browser, "silent", &[]);
    let reply = exchange(&hub, "asks", &silents, &[]);
    assert_eq!((reply.status, &reply.json()["error"]), (400, &"invalid_grant".into()));
}

#[test]
fn oauth_032_oauth_037_parameters_come_in_a_form_body_only() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let code = code(&mut browser, "silent", &[]);
    let basic = [("authorization", "Basic c2VydmljZS1zaWxlbnQ6c2VjcmV0LW9mLXNpbGVudC0wMTIzNDU2Nzg5")];
    let fields = encoded(&[("grant_type", "authorization_code"), ("code", &code)]);
    assert_eq!(post(&hub, fields, &basic).status, 401);
    let json = post(&hub, "{\"grant_type\": \"authorization_code\"}".to_owned(), &[]);
    assert_eq!((json.status, &json.json()["error"]), (400, &"unsupported_grant_type".into()));
    let url = format!("{}/hub/api/oauth2/token?code={code}", hub.url);
    let query = request(&agent(), "POST", &url, &[], String::new());
    assert_eq!((query.status, &query.json()["error"]), (400, &"invalid_request".into()));
    assert_eq!(hub.get("/hub/api/oauth2/token").status, 405);
}

#[test]
fn oauth_038_another_sites_page_gets_no_token() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let code = code(&mut browser, "silent", &[]);
    let fields = encoded(&[
        ("grant_type", "authorization_code"),
        ("client_id", "service-silent"),
        ("client_secret", "secret-of-silent-0123456789"),
        ("code", &code),
    ]);
    assert_eq!(post(&hub, fields.clone(), &[("origin", "http://evil.example")]).status, 403);
    assert_eq!(post(&hub, fields, &[]).status, 200);
}

#[test]
fn oauth_033_a_challenge_must_be_met() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let verifier = "a-verifier-of-at-least-forty-three-characters";
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let s256 = [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
    let with_challenge = code(&mut browser, "silent", &s256);
    let missing = exchange(&hub, "silent", &with_challenge, &[]);
    assert_eq!((missing.status, &missing.json()["error"]), (400, &"invalid_request".into()));
    let wrong = exchange(&hub, "silent", &with_challenge, &[("code_verifier", &challenge)]);
    assert_eq!((wrong.status, &wrong.json()["error"]), (400, &"invalid_grant".into()));
    assert_eq!(exchange(&hub, "silent", &with_challenge, &[("code_verifier", verifier)]).status, 200);

    let plain = code(&mut browser, "silent", &[("code_challenge", verifier)]);
    assert_eq!(exchange(&hub, "silent", &plain, &[("code_verifier", verifier)]).status, 200);
    let without = code(&mut browser, "silent", &[]);
    assert_eq!(
        exchange(&hub, "silent", &without, &[("code_verifier", verifier)]).status,
        200,
        "it is ignored"
    );
}

#[test]
fn oauth_035_pkce_can_be_required() {
    let hub = hub_with("hub.oauth.require_pkce = true");
    let mut browser = Browser::signed_in(&hub, "ada");
    let reply = browser.get(&authorize("silent", &[]));
    assert_eq!(returned(&reply, "error").as_deref(), Some("invalid_request"));
    let code = code(&mut browser, "silent", &[("code_challenge", "c"), ("code_challenge_method", "plain")]);
    assert_eq!(exchange(&hub, "silent", &code, &[("code_verifier", "c")]).status, 200);
}

#[test]
fn oauth_041_oauth_042_logging_out_revokes_the_sessions_tokens_only() {
    let hub = hub();
    let mut here = Browser::signed_in(&hub, "ada");
    let mut elsewhere = Browser::signed_in(&hub, "ada");
    let session = here.cookie("jupyterhub-session-id").unwrap().value.clone();
    let mine = token(&hub, &mut here);
    let other = token(&hub, &mut elsewhere);
    let status = |issued: &Value| hub.api("GET", "/user", issued["access_token"].as_str(), None).status;

    let cookie = [("cookie".to_owned(), format!("jupyterhub-session-id={session}"))];
    request(&agent(), "GET", &format!("{}/hub/logout", hub.url), &cookie, String::new());
    assert_eq!(status(&mine), 200, "a forged logout revokes nothing");
    here.get("/hub/logout");
    assert_eq!((status(&mine), status(&other)), (403, 200));
}

#[test]
fn lost_access_makes_a_code_worthless() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    let code = code(&mut browser, "silent", &[]);
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 204);
    let reply = exchange(&hub, "silent", &code, &[]);
    assert_eq!((reply.status, &reply.json()["error"]), (400, &"invalid_grant".into()));
}

// -- servers ---------------------------------------------------------------------------------------------------

#[test]
fn oauth_001_oauth_017_the_own_server_needs_no_confirmation() {
    let hub = hub();
    let mut browser = Browser::signed_in(&hub, "ada");
    hub.spawn("ada");
    let env = browser.get("/user/ada/env").json();
    let (client, secret) =
        (env["JUPYTERHUB_CLIENT_ID"].as_str().unwrap(), env["JUPYTERHUB_API_TOKEN"].as_str().unwrap());
    assert_eq!(client, "jupyterhub-user-ada");
    let path =
        format!("/hub/api/oauth2/authorize?{}", encoded(&[("client_id", client), ("response_type", "code")]));
    let reply = browser.get(&path);
    assert!(reply.location().starts_with("/user/ada/oauth_callback?code="), "{}", reply.location());
    let code = returned(&reply, "code").unwrap();
    let changes =
        [("client_id", client), ("client_secret", secret), ("redirect_uri", "/user/ada/oauth_callback")];
    let issued = exchange(&hub, "silent", &code, &changes).json();
    assert!(issued["scope"].as_str().unwrap().contains("access:servers!server=ada/"), "{issued}");

    assert_eq!(Browser::signed_in(&hub, "grace").get(&path).status, 403, "not for others");
    assert_eq!(hub.admin("DELETE", "/users/ada/server", None).status, 204);
    assert_eq!(browser.get(&path).status, 400, "oauth_006: with the server its client goes");
    let token = issued["access_token"].as_str();
    assert_eq!(hub.api("GET", "/user", token, None).status, 403, "and every browser's token");
}
