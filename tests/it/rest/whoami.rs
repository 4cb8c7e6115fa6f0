//! `GET /user` (REST-031 to REST-034).

use serde_json::{Value, json};

use super::{oauth_token, service_settings, token};
use crate::support::browser::Browser;
use crate::support::hub::{Hub, eventually};

fn keys(model: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = model.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn rest_031_a_service_without_scopes_sees_its_name_and_flag() {
    let hub = Hub::with("services.mute.api_token = \"the-token-of-a-service-without-roles\"");
    let mute = hub.api("GET", "/user", Some("the-token-of-a-service-without-roles"), None).json();
    assert_eq!(keys(&mute), ["admin", "kind", "name", "scopes", "session_id", "token_id"]);
    assert_eq!(
        (&mute["kind"], &mute["name"], &mute["admin"]),
        (&json!("service"), &json!("mute"), &json!(false))
    );
    assert_eq!((&mute["scopes"], &mute["session_id"]), (&json!([]), &Value::Null));
    assert!(mute["token_id"].as_str().unwrap().starts_with('a'));
}

#[test]
fn rest_032_a_limited_token_sees_who_its_owner_is() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.admin("POST", "/groups/lab", Some(json!({"users": ["ada"]})));
    let me = hub.api("GET", "/user", Some(&token(&hub, "ada", &[])), None).json();
    let seen = ["admin", "groups", "kind", "name", "scopes", "session_id", "token_id", "user_info"];
    assert_eq!(keys(&me), seen);
    assert_eq!(
        (&me["groups"], &me["admin"], &me["user_info"]),
        (&json!(["lab"]), &json!(false), &Value::Null)
    );
    assert_eq!(me["scopes"], json!(["read:users:groups!user=ada", "read:users:name!user=ada"]));
    let more = hub.api("GET", "/user", Some(&token(&hub, "ada", &["read:servers!user"])), None).json();
    assert_eq!(more["servers"], json!({}));
    assert!(more.get("created").is_none() && more.get("roles").is_none());
}

#[test]
fn rest_032_the_identity_is_seen_even_by_an_owner_without_roles() {
    let hub = Hub::with("roles.user.scopes = []");
    hub.create_user("ada");
    let me = hub.api("GET", "/user", Some(&token(&hub, "ada", &["inherit"])), None).json();
    assert_eq!((&me["name"], &me["groups"], &me["scopes"]), (&json!("ada"), &json!([]), &json!([])));
}

#[test]
fn rest_030_rest_033_a_cookie_has_no_token_and_no_session() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let me = browser.api("GET", "/user").json();
    assert_eq!((&me["token_id"], &me["session_id"]), (&Value::Null, &Value::Null));
    let scopes: Vec<&str> =
        me["scopes"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
    assert!(scopes.is_sorted() && scopes.len() == 15, "the fifteen of self: {scopes:?}");
    assert!(me["auth_state"].is_null() && me["created"].is_string());
}

#[test]
fn rest_034_an_oauth_token_knows_the_browser_session() {
    let hub = Hub::with(&service_settings());
    let mut browser = Browser::signed_in(&hub, "ada");
    let secret = oauth_token(&hub, &mut browser);
    let me = hub.api("GET", "/user", Some(&secret), None).json();
    let session = browser.cookie("jupyterhub-session-id").unwrap().value.clone();
    assert_eq!((&me["name"], &me["session_id"]), (&json!("ada"), &json!(session)));
    assert!(me["scopes"].as_array().unwrap().contains(&json!("access:services!service=site")), "{me}");
}

#[test]
fn rest_034_a_token_of_the_api_has_no_session_and_stopped_servers_are_shown_on_demand() {
    let hub = Hub::with("hub.named_servers.enabled = true");
    hub.create_user("ada");
    hub.admin("PUT", "/users/ada/servers/lab", None);
    let ada = token(&hub, "ada", &["self"]);
    let me = |query: &str| hub.api("GET", &format!("/user{query}"), Some(&ada), None).json();
    assert_eq!((&me("")["session_id"], &me("")["servers"]), (&Value::Null, &json!({})));
    assert_eq!(me("?include_stopped_servers")["servers"]["lab"]["stopped"], true);
}

#[test]
fn rest_079_revoking_one_token_of_a_client_revokes_all_of_them() {
    let hub = Hub::with(&service_settings());
    let mut browser = Browser::signed_in(&hub, "ada");
    let (first, second) = (oauth_token(&hub, &mut browser), oauth_token(&hub, &mut browser));
    let mut other = Browser::signed_in(&hub, "bob");
    let bobs = oauth_token(&hub, &mut other);
    let own = token(&hub, "ada", &["inherit"]);
    let works = |secret: &str| hub.api("GET", "/user", Some(secret), None).status == 200;
    assert!(works(&first) && works(&second));
    let id = hub.api("GET", "/user", Some(&first), None).json()["token_id"].as_str().unwrap().to_owned();
    assert_eq!(hub.admin("DELETE", &format!("/users/ada/tokens/{id}"), None).status, 204);
    assert!(!works(&first) && !works(&second), "the service would use another one next");
    assert!(works(&own) && works(&bobs), "those of others stay");
}

#[test]
fn rest_019_rest_081_expired_tokens_are_forgotten_and_times_are_utc() {
    let hub = Hub::start();
    hub.create_user("ada");
    let made = hub.admin("POST", "/users/ada/tokens", Some(json!({"expires_in": 1}))).json();
    for time in [&made["created"], &made["expires_at"]] {
        let text = time.as_str().unwrap();
        assert!(text.ends_with('Z') && text.as_bytes()[10] == b'T', "{text}");
    }
    assert!(made["last_activity"].is_null());
    let secret = made["token"].as_str().unwrap();
    eventually("the end of the token", || {
        (hub.api("GET", "/user", Some(secret), None).status == 403).then_some(())
    });
    assert_eq!(hub.admin("GET", "/users/ada/tokens", None).json()["api_tokens"], json!([]));
    let path = format!("/users/ada/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(hub.admin("GET", &path, None).status, 404);
}

#[test]
fn rest_005_a_token_comes_before_a_cookie_and_a_bad_token_leaves_the_cookie() {
    let hub = Hub::start();
    hub.create_user("bob");
    let bob = format!("token {}", token(&hub, "bob", &["self"]));
    let mut browser = Browser::signed_in(&hub, "ada");
    let xsrf = browser.xsrf();
    let mut name = |headers: &[(&str, &str)]| {
        let reply = browser.send("GET", "/hub/api/user", headers, String::new());
        (reply.status == 200).then(|| reply.json()["name"].as_str().unwrap().to_owned())
    };
    let (cors, checked) = (("sec-fetch-mode", "cors"), ("x-xsrftoken", xsrf.as_str()));
    assert_eq!(name(&[("authorization", &bob)]).as_deref(), Some("bob"));
    assert_eq!(name(&[("authorization", &bob), cors]).as_deref(), Some("bob"), "no XSRF check for tokens");
    let bad = ("authorization", "token nonsense");
    assert_eq!(name(&[bad, cors, checked]).as_deref(), Some("ada"));
    assert_eq!(name(&[bad, cors]), None, "as a cookie it needs the XSRF token");
    assert_eq!(name(&[("authorization", "Basic eDp5"), cors, checked]).as_deref(), Some("ada"));
}

#[test]
fn a_token_may_ask_whose_a_login_cookie_is() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    let cookie = browser.cookies.iter().find(|cookie| cookie.name.contains("login")).unwrap().clone();
    let value: String =
        cookie
            .value
            .trim_matches('"')
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
    let path = format!("/authorizations/cookie/{}", cookie.name);
    let asked = hub.admin("GET", &format!("{path}/{value}"), None);
    assert_eq!((asked.status, &asked.json()["name"]), (200, &json!("ada")), "{}", asked.body);
    for wrong in ["x".to_owned(), format!("{value}x"), format!("x{value}")] {
        assert_eq!(hub.admin("GET", &format!("{path}/{wrong}"), None).status, 404, "{wrong}");
    }
    let other = format!("/authorizations/cookie/jupyterhub-session-id/{value}");
    assert_eq!(hub.admin("GET", &other, None).status, 404);
    assert_eq!(hub.admin("GET", &path, None).status, 404, "no value at all");
    assert_eq!(hub.api("GET", &format!("{path}/{value}"), None, None).status, 403);
    assert_eq!(browser.api("GET", &format!("{path}/{value}")).status, 403, "only a token may ask");
    hub.admin("DELETE", "/users/ada", None);
    assert_eq!(hub.admin("GET", &format!("{path}/{value}"), None).status, 404);
}

#[test]
fn nobody_is_let_into_servers_by_the_way_of_old() {
    let hub = Hub::start();
    hub.create_user("ada");
    for path in ["/users/ada/admin-access", "/users/nobody/admin-access"] {
        assert_eq!(hub.admin("POST", path, None).status, 403, "{path}");
    }
    let ada = token(&hub, "ada", &["self"]);
    assert_eq!(hub.api("POST", "/users/bob/admin-access", Some(&ada), None).status, 404, "out of reach");
    assert_eq!(hub.admin("POST", "/authorizations/token", None).status, 404);
    assert_eq!(hub.api("POST", "/authorizations/token", None, None).status, 404);
}
