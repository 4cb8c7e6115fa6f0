//! The REST API from outside: what all endpoints have in common; users, tokens, servers and shares are below.

mod codes;
mod endpoints;
mod groups;
mod lifecycle;
mod listing;
mod messages;
mod people;
mod proxy;
mod sec;
mod servers;
mod shares;
mod tokens;
mod users;
mod whoami;

use serde_json::{Value, json};

use super::support::browser::Browser;
use super::support::hub::{Hub, Reply, agent, request};

/// A token of `owner` with these scopes.
pub(crate) fn token(hub: &Hub, owner: &str, scopes: &[&str]) -> String {
    let reply = hub.admin("POST", &format!("/users/{owner}/tokens"), Some(json!({ "scopes": scopes })));
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.json()["token"].as_str().unwrap().to_owned()
}

/// A request with exactly these headers.
fn send(hub: &Hub, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    request(&agent(), method, &format!("{}/hub/api{path}", hub.url), &headers, body.to_owned())
}

#[test]
fn rest_006_rest_007_a_token_comes_in_the_authorization_header_only() {
    let hub = Hub::start();
    hub.create_user("ada");
    let token = token(&hub, "ada", &["self"]);
    let status = |value: String| send(&hub, "GET", "/user", &[("authorization", &value)], "").status;
    for good in [format!("token {token}"), format!("TOKEN   {token}"), format!("Bearer {token}")] {
        assert_eq!(status(good), 200);
    }
    for bad in
        [token.clone(), format!("Basic {token}"), format!("token {token} x"), format!("token {token}x")]
    {
        assert_eq!(status(bad), 403);
    }
    assert_eq!(send(&hub, "GET", &format!("/user?token={token}"), &[], "").status, 403);
}

#[test]
fn rest_009_rest_010_other_methods_are_405_and_options_is_free() {
    let hub = Hub::start();
    for (method, path) in
        [("PUT", "/users/ada"), ("GET", "/users/ada/activity"), ("POST", "/info"), ("FOO", "/users")]
    {
        let reply = hub.admin(method, path, None);
        assert_eq!((reply.status, reply.json()["status"].as_u64()), (405, Some(405)), "{method} {path}");
    }
    assert_eq!(hub.admin("HEAD", "/users", None).status, 405);
    assert_eq!(hub.api("HEAD", "/health", None, None).status, 200);
    let options = hub.api("OPTIONS", "/users/ada/servers/lab", None, None);
    assert_eq!((options.status, options.body.as_str()), (200, ""));
}

#[test]
fn rest_011_rest_012_segments_are_names_as_they_are_written() {
    let hub = Hub::start();
    assert_eq!(hub.admin("POST", "/groups/a%2Fb%20+", None).json()["name"], "a/b +");
    assert_eq!(hub.admin("GET", "/groups/a%2Fb%20%2B", None).status, 200);
    assert_eq!(hub.admin("GET", "/groups/a%2Fb++", None).status, 404, "a plus is no blank");
    hub.create_user("ada");
    for path in ["/users/ada/", "/users/", "//users", "/users/ada/tokens/"] {
        assert_eq!(hub.admin("GET", path, None).status, 404, "{path}");
    }
}

#[test]
fn rest_013_rest_014_a_body_is_json_whatever_its_type_says() {
    let hub = Hub::start();
    hub.create_user("ada");
    let token = token(&hub, "ada", &["self"]);
    let headers = [("authorization", &*format!("token {token}")), ("content-type", "text/plain")];
    assert_eq!(send(&hub, "POST", "/users/ada/tokens", &headers, r#"{"note": "x"}"#).json()["note"], "x");
    let broken = send(&hub, "POST", "/users/ada/tokens", &headers, "{");
    assert!(broken.status == 400 && broken.body.contains("JSON"), "{}", broken.body);
    assert_eq!(
        send(&hub, "POST", "/users/ada/tokens", &[], "{").status,
        400,
        "before anybody asks who it is"
    );
}

#[test]
fn rest_015_rest_016_a_cookie_needs_the_xsrf_token_and_json() {
    let hub = Hub::start();
    let mut browser = Browser::signed_in(&hub, "ada");
    assert_eq!(browser.api("GET", "/user").json()["token_id"], Value::Null);
    let xsrf = browser.xsrf();
    let mut status = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        browser.send(method, &format!("/hub/api{path}"), headers, body.to_owned()).status
    };
    let cors = ("sec-fetch-mode", "cors");
    assert_eq!(status("GET", "/user", &[cors], ""), 403);
    assert_eq!(status("GET", &format!("/user?_xsrf={xsrf}"), &[cors], ""), 200);
    let token = ("x-xsrftoken", xsrf.as_str());
    assert_eq!(status("POST", "/users/ada/tokens", &[token, ("content-type", "text/plain")], "{}"), 403);
    assert_eq!(
        status("POST", "/users/ada/tokens", &[token, ("content-type", "application/json")], "{}"),
        201
    );
    assert_eq!(status("DELETE", "/users/ada/server", &[], ""), 403);
    assert_eq!(status("DELETE", "/users/ada/server", &[token, ("content-type", "text/plain")], ""), 204);
}

#[test]
fn rest_130_rest_131_rest_132_groups_have_members_and_properties() {
    let hub = Hub::start();
    hub.create_user("ada");
    let made = hub.admin("POST", "/groups/lab", Some(json!({"users": ["ADA"]})));
    assert_eq!((made.status, &made.json()["users"]), (201, &json!(["ada"])));
    assert_eq!(hub.admin("POST", "/groups/lab", None).status, 409);
    assert_eq!(hub.admin("POST", "/groups/other", Some(json!({"properties": {}}))).status, 400);
    assert_eq!(hub.admin("POST", "/groups/other", Some(json!({"users": ["nobody"]}))).status, 400);
    assert_eq!(hub.admin("GET", "/groups/other", None).status, 404, "nothing was made");
    let members =
        |method: &str, users: Value| hub.admin(method, "/groups/lab/users", Some(json!({"users": users})));
    assert_eq!(members("POST", json!(["ada"])).json()["users"], json!(["ada"]));
    assert_eq!(members("DELETE", json!(["ada"])).json()["users"], json!([]));
    assert_eq!(members("DELETE", json!(["ada"])).status, 200);
    let put = |body: Value| hub.admin("PUT", "/groups/lab/properties", Some(body));
    assert_eq!(put(json!({"a": 1})).json()["properties"], json!({"a": 1}));
    assert_eq!(put(json!([])).status, 400);
    assert_eq!(hub.admin("DELETE", "/groups/lab", None).status, 204);
}

#[test]
fn rest_134_services_are_an_object_by_name() {
    let hub = Hub::start();
    assert_eq!(hub.admin("GET", "/services", None).json()["tests"]["kind"], "service");
    assert_eq!(hub.admin("GET", "/services/tests", None).json()["admin"], true);
    assert_eq!(hub.admin("GET", "/services/none", None).status, 404);
}

#[test]
fn rest_160_info_has_the_keys_of_the_contract() {
    let hub = Hub::start();
    let info = hub.admin("GET", "/info", None).json();
    for key in ["version", "python", "sys_executable"] {
        assert!(info[key].is_string(), "{info}");
    }
    assert!(info["spawner"]["class"].is_string() && info["authenticator"]["version"].is_string());
    hub.create_user("ada");
    assert_eq!(hub.api("GET", "/info", Some(&token(&hub, "ada", &["self"])), None).status, 403);
}

#[test]
fn rest_001_the_api_root_answers_everybody() {
    let hub = Hub::start();
    for path in ["", "/"] {
        let reply = hub.api("GET", path, None, None);
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, Some("*")));
        assert_eq!(reply.json()["version"], "6.1.1");
        assert_eq!(reply.header("x-jupyterhub-version"), Some("6.1.1"));
    }
}

#[test]
fn rest_002_rest_003_rest_004_errors_are_json_with_the_headers_of_the_api() {
    let hub = Hub::start();
    let missing = hub.api("DELETE", "/nowhere", None, None);
    assert_eq!((missing.status, missing.json()["status"].as_u64()), (404, Some(404)));
    let nobody = hub.api("GET", "/users", None, None);
    assert_eq!((nobody.status, nobody.header("content-type")), (403, Some("application/json")));
    assert!(nobody.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert!(nobody.header("www-authenticate").is_none());
    assert_eq!(hub.admin("PUT", "/users", None).status, 405);
    assert_eq!(hub.api("OPTIONS", "/users", None, None).status, 200);
}

#[test]
fn rest_005_rest_061_unknown_tokens_and_those_of_deleted_users_are_403() {
    let hub = Hub::start();
    assert_eq!(hub.api("GET", "/user", Some("no-such-token"), None).status, 403);
    assert_eq!(hub.api("GET", "/user", Some(&"x".repeat(65)), None).status, 403);
    hub.create_user("ada");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    assert_eq!(hub.api("GET", "/user", Some(&token), None).json()["name"], "ada");
    assert_eq!(hub.admin("DELETE", "/users/ada", None).status, 204);
    assert_eq!(hub.api("GET", "/user", Some(&token), None).status, 403);
}

#[test]
fn rest_017_rest_018_what_is_out_of_reach_looks_like_what_is_not_there() {
    let hub = Hub::start();
    hub.create_user("ada");
    hub.create_user("grace");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let reach = |path: &str| {
        let reply = hub.api("GET", path, Some(&token), None);
        (reply.status, reply.body)
    };
    assert_eq!(reach("/users/ada").0, 200);
    assert_eq!(reach("/users/grace"), reach("/users/nobody"));
    assert_eq!(reach("/users/grace").0, 404);
    assert_eq!(reach("/users").0, 403);
}

#[test]
fn rest_047_rest_048_several_users_are_created_or_none() {
    let hub = Hub::start();
    let create = |names: serde_json::Value| hub.admin("POST", "/users", Some(json!({"usernames": names})));
    assert_eq!(create(json!(["ok", "not/ok"])).status, 400);
    assert_eq!(hub.admin("GET", "/users/ok", None).status, 404);
    let made = create(json!(["Ada", "grace"]));
    assert_eq!((made.status, made.json()[0]["name"].as_str()), (201, Some("ada")));
    assert_eq!(create(json!(["ada"])).status, 409);
}

#[test]
fn rest_072_rest_075_tokens_are_limited_to_their_owner_and_to_the_maximum() {
    let hub = Hub::with("hub.tokens.max_lifetime = 600");
    hub.create_user("ada");
    let ask = |body: serde_json::Value| hub.admin("POST", "/users/ada/tokens", Some(body));
    assert_eq!(ask(json!({"scopes": ["read:users"]})).status, 400);
    assert_eq!(ask(json!({"scopes": ["no:such"]})).status, 400);
    assert_eq!(ask(json!({"expires_in": 601})).status, 400);
    let made = ask(json!({"scopes": ["read:users!user"], "note": "mine"})).json();
    assert!(made["expires_at"].is_string() && made["note"] == "mine");
    assert_eq!(made["token"].as_str().unwrap().len(), 32);
}

#[test]
fn rbac_017_leaving_a_group_takes_its_rights_away_at_once() {
    let hub = Hub::with("roles.helper.scopes = [\"read:users:name\"]\nroles.helper.groups = [\"helpers\"]");
    hub.create_user("ada");
    hub.create_user("grace");
    let token = hub.admin("POST", "/users/ada/tokens", None).json()["token"].as_str().unwrap().to_owned();
    let sees = || hub.api("GET", "/users/grace", Some(&token), None).status;
    assert_eq!(sees(), 404);
    assert_eq!(hub.admin("POST", "/groups/helpers/users", Some(json!({"users": ["ada"]}))).status, 200);
    assert_eq!(sees(), 200);
    assert_eq!(hub.admin("DELETE", "/groups/helpers/users", Some(json!({"users": ["ada"]}))).status, 200);
    assert_eq!(sees(), 404);
}

#[test]
fn rest_120_activity_moves_forward_only() {
    let hub = Hub::start();
    hub.create_user("ada");
    let report =
        |at: &str| hub.admin("POST", "/users/ada/activity", Some(json!({"last_activity": at}))).status;
    let last = || {
        hub.admin("GET", "/users/ada", None).json()["last_activity"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(report("2026-01-02T03:04:05Z"), 200);
    assert_eq!(last(), "2026-01-02T03:04:05Z");
    assert_eq!(report("2025-01-01T00:00:00Z"), 200);
    assert_eq!(last(), "2026-01-02T03:04:05Z");
    assert_eq!(report("2999-01-01T00:00:00Z"), 400);
}

#[test]
fn rest_161_shutdown_ends_the_hub() {
    let mut hub = Hub::start();
    assert_eq!(hub.admin("POST", "/shutdown", Some(json!({"servers": "x"}))).status, 400);
    assert_eq!(hub.admin("POST", "/shutdown", None).status, 202);
    assert_eq!(hub.wait().code(), Some(0));
}

// -- OAuth, as far as the REST API shows it --------------------------------------------------------------------

const CALLBACK: &str = "http://127.0.0.1:9/callback";

/// A service `site` that everybody may use without being asked.
pub(crate) fn service_settings() -> String {
    format!(
        "services.site.oauth_redirect_uri = \"{CALLBACK}\"\nservices.site.api_token = \"secret-of-the-site-0123456789\"\n\
         services.site.oauth_no_confirm = true\n\
         roles.user.scopes = [\"self\", \"access:services!service=site\"]"
    )
}

/// A token that the service `site` obtains for who uses this browser.
pub(crate) fn oauth_token(hub: &Hub, browser: &mut Browser<'_>) -> String {
    let client = OAuthClient {
        id: "service-site".to_owned(),
        secret: "secret-of-the-site-0123456789".to_owned(),
        redirect: CALLBACK.to_owned(),
    };
    client.token(hub, browser, &[]).unwrap()
}

/// Somebody who asks the hub for tokens of its users.
pub(crate) struct OAuthClient {
    id: String,
    secret: String,
    redirect: String,
}

impl OAuthClient {
    /// The client of a running server, from what it was started with.
    pub(crate) fn of_server(hub: &Hub, prefix: &str) -> Self {
        let env = hub.get(&format!("{prefix}env")).json();
        let value = |name: &str| env[name].as_str().unwrap().to_owned();
        Self {
            id: value("JUPYTERHUB_CLIENT_ID"),
            secret: value("JUPYTERHUB_API_TOKEN"),
            redirect: value("JUPYTERHUB_OAUTH_CALLBACK_URL"),
        }
    }

    /// A token for who uses this browser, who confirms `scopes` if asked; the status of the page that refuses.
    pub(crate) fn token(&self, hub: &Hub, browser: &mut Browser<'_>, scopes: &[&str]) -> Result<String, u16> {
        let encoded = |fields: &[(&str, &str)]| {
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
        };
        let query =
            encoded(&[("client_id", &self.id), ("redirect_uri", &self.redirect), ("response_type", "code")]);
        let path = format!("/hub/api/oauth2/authorize?{query}");
        let mut reply = browser.get(&path);
        if reply.status == 200 {
            let xsrf = browser.xsrf();
            let mut fields = vec![("_xsrf", xsrf.as_str())];
            fields.extend(scopes.iter().map(|scope| ("scopes", *scope)));
            reply = browser.post(&path, &fields);
        }
        if reply.status != 302 {
            return Err(reply.status);
        }
        let (_, query) = reply.location().split_once('?').unwrap();
        let code = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "code");
        let (_, code) = code.unwrap_or_else(|| panic!("no code: {query}"));
        let body = encoded(&[
            ("grant_type", "authorization_code"),
            ("client_id", &self.id),
            ("client_secret", &self.secret),
            ("redirect_uri", &self.redirect),
            ("code", &code),
        ]);
        let form = ("content-type", "application/x-www-form-urlencoded");
        let reply = send(hub, "POST", "/oauth2/token", &[form], &body);
        assert_eq!(reply.status, 200, "{}", reply.body);
        Ok(reply.json()["access_token"].as_str().unwrap().to_owned())
    }
}
